/* INI files by a table of known keys. */
#include "loop/config.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/rd.h"

#define KEYS_MAX 256 /* of one program; far above what any has */

struct reading {
	const struct config_key *keys;
	const char *path;
	char *message;
	size_t size;
	bool seen[KEYS_MAX];
	bool failed;
	int line;
	FILE *file;
};

static void complain(struct reading *r, const char *why)
{
	snprintf(r->message, r->size, "%s:%d: %s", r->path, r->line, why);
	r->failed = true;
}

static bool is_control(int c)
{
	return (c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f;
}

/* inih's handler is not told the line in Debian's build: its reader counts. It would take the end of a line that is too long for another line, and
 * text behind a zero octet for nothing. */
static char *read_line(char *text, int size, void *stream)
{
	struct reading *r = stream;
	int n = 0, c = 0;

	r->line++;
	while (!r->failed && c != '\n' && (c = getc(r->file)) != EOF) {
		if (n + 1 == size)
			complain(r, "the line is too long");
		else if (is_control(c) || (n > 0 && text[n - 1] == '\r' && c != '\n'))
			complain(r, "there is a control character in the line");
		else
			text[n++] = (char)c;
	}
	text[n] = '\0';
	return n > 0 && !r->failed ? text : NULL;
}

/* How many single-letter edits lie between two names, bounded: for "did you mean". */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[64], previous, above;
	size_t la = strlen(a), lb = strlen(b);

	if (la >= 64 || lb >= 64)
		return 99;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		previous = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			above = row[j];
			row[j] = previous + (a[i - 1] != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			previous = above;
		}
	}
	return row[lb];
}

static const char *nearest(const struct config_key *keys, const char *section, const char *name)
{
	const char *best = NULL;
	unsigned least = 3;

	for (; keys->section; keys++) {
		unsigned d = distance(keys->name, name);

		if (strcmp(keys->section, section) == 0 && d < least) {
			least = d;
			best = keys->name;
		}
	}
	return best;
}

static bool parse_uint(const char *value, uint64_t *n)
{
	char *end;

	if (value[0] < '0' || value[0] > '9')
		return false;
	errno = 0;
	*n = strtoull(value, &end, strncmp(value, "0x", 2) == 0 ? 16 : 10);
	return *end == '\0' && errno == 0;
}

static bool store(const struct config_key *k, const char *value)
{
	char **text = k->value;
	bool *flag = k->value;

	switch (k->type) {
	case CONFIG_STRING:
		free(*text);
		*text = strdup(value);
		return *text != NULL;
	case CONFIG_BOOL:
		*flag = strcmp(value, "yes") == 0;
		return *flag || strcmp(value, "no") == 0;
	case CONFIG_UINT:
		return parse_uint(value, k->value);
	case CONFIG_EUI64:
		return eui64_parse(rd_str(value), k->value);
	}
	return false;
}

static const char *wants(enum config_type type)
{
	switch (type) {
	case CONFIG_STRING:
		return "text";
	case CONFIG_BOOL:
		return "`yes` or `no`";
	case CONFIG_UINT:
		return "a number";
	case CONFIG_EUI64:
		return "an EUI-64 of 16 hexadecimal digits";
	}
	return "";
}

static void add(struct reading *r, const char *before, const char *word, const char *behind)
{
	size_t n = strlen(r->message);

	snprintf(r->message + n, r->size - n, "%s%s%s", before, word, behind);
}

/* What may be meant, or all that there is. */
static void unknown(struct reading *r, const char *section, const char *name)
{
	const char *hint = nearest(r->keys, section, name), *last = "";
	bool there = false;

	for (const struct config_key *k = r->keys; k->section; k++)
		there = there || strcmp(k->section, section) == 0;
	snprintf(r->message, r->size, "%s:%d: unknown key `%s` in [%s]; ", r->path, r->line, name, section);
	r->failed = true;
	if (hint) {
		add(r, "did you mean `", hint, "`?");
		return;
	}
	add(r, there ? "keys there are" : "there are the sections", "", "");
	for (const struct config_key *k = r->keys; k->section; k++) {
		if (there && strcmp(k->section, section) == 0)
			add(r, " ", k->name, "");
		else if (!there && strcmp(k->section, last) != 0)
			add(r, " [", k->section, "]");
		last = k->section;
	}
}

static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;

	if (r->failed)
		return 0;
	for (size_t i = 0; r->keys[i].section; i++) {
		const struct config_key *k = &r->keys[i];

		if (strcmp(k->section, section) != 0 || strcmp(k->name, name) != 0)
			continue;
		assert(i < KEYS_MAX);
		if (r->seen[i]) { /* also a line that begins with a blank, which inih takes for more of the one before */
			snprintf(r->message, r->size, "%s:%d: `%s` in [%s] is given twice", r->path, r->line, name, section);
			r->failed = true;
			return 0;
		}
		r->seen[i] = true;
		if (store(k, value))
			return 1;
		snprintf(r->message, r->size, "%s:%d: `%s` in [%s] wants %s, not `%s`", r->path, r->line, name, section, wants(k->type), value);
		r->failed = true;
		return 0;
	}
	unknown(r, section, name);
	return 0;
}

enum err config_read(const char *path, const struct config_key *keys, char *message, size_t size)
{
	struct reading r = {.keys = keys, .path = path, .message = message, .size = size};
	int line;

	r.file = fopen(path, "r");
	if (!r.file) {
		snprintf(message, size, "%s: %s; give another file with --config, `keyway init` makes one", path, strerror(errno));
		return ERR_NOT_FOUND;
	}
	line = ini_parse_stream(read_line, &r, on_key, &r);
	if (ferror(r.file)) { /* a directory, say */
		snprintf(message, size, "%s: %s; give another file with --config", path, strerror(errno));
		r.failed = true;
	}
	fclose(r.file);
	if (r.failed)
		return ERR_CONFIG;
	if (line != 0) {
		snprintf(message, size, "%s:%d: neither `[section]` nor `key = value`", path, line);
		return ERR_CONFIG;
	}
	for (size_t i = 0; keys[i].section; i++) {
		if (keys[i].required && !r.seen[i]) {
			snprintf(message, size, "%s: `%s` is missing in [%s]: %s", path, keys[i].name, keys[i].section, keys[i].help);
			return ERR_CONFIG;
		}
	}
	return OK;
}

void config_free(const struct config_key *keys)
{
	for (; keys->section; keys++) {
		char **text = keys->value;

		if (keys->type != CONFIG_STRING)
			continue;
		free(*text);
		*text = NULL;
	}
}
