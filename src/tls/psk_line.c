/* Lines of a file of pre-shared keys. */
#include "tls/psk_line.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "tls/psk_file.h"

#define STREAM_ROOM 4096

static struct rd word(struct rd *r)
{
	static const bool blanks[256] = {[' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true};
	const uint8_t *begin;

	rd_run(r, blanks);
	begin = r->at;
	while (r->left > 0 && !blanks[*r->at])
		if (!rd_skip(r, 1))
			break;
	return rd_of(begin, (size_t)(r->at - begin));
}

/* An entity that is not named is the identity itself, unless that is a key's identifier (KpsaID and the like, `rel@FQDN`), which is nobody's name. */
bool psk_line_parse(struct rd line, const char *identity, struct psk_line *out)
{
	struct rd first = word(&line), entity = word(&line), expires = word(&line);
	size_t name = strlen(identity);

	memset(out, 0, sizeof *out);
	if (name == 0 || identity[0] == '#' || !rd_starts(first, identity) || !rd_skip(&first, name) || !rd_starts(first, ":") || !rd_skip(&first, 1))
		return false;
	if (!hex_parse_loose(first, out->key, sizeof out->key, &out->key_len) || out->key_len < PSK_KEY_MIN)
		return false;
	if (entity.left == 0 && !strchr(identity, '@'))
		entity = rd_str(identity);
	return rd_text(entity, out->entity, sizeof out->entity) && (expires.left == 0 || rd_decimal(expires, &out->expires_at));
}

/* With a buffer of ours, which is wiped: the library would leave keys in freed memory. */
static FILE *lines_open(const char *path, char room[static STREAM_ROOM])
{
	FILE *file = fopen(path, "re");

	if (file)
		(void)setvbuf(file, room, _IOFBF, STREAM_ROOM);
	return file;
}

static void lines_close(FILE *file, char room[static STREAM_ROOM])
{
	if (file)
		fclose(file);
	bytes_wipe(room, STREAM_ROOM);
}

bool psk_line_find(const char *path, const char *identity, struct psk_line *out)
{
	char line[PSK_LINE_MAX];
	char room[STREAM_ROOM];
	FILE *file = lines_open(path, room);
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file))
		found = psk_line_parse(rd_str(line), identity, out);
	bytes_wipe(line, sizeof line);
	lines_close(file, room);
	if (!found)
		bytes_wipe(out, sizeof *out);
	return found;
}

bool psk_lines_each(const char *path, void (*fn)(void *ctx, const char *identity, const struct psk_line *line), void *ctx)
{
	char line[PSK_LINE_MAX], identity[PSK_LINE_MAX];
	struct psk_line parsed;
	struct rd text, name;
	char room[STREAM_ROOM];
	FILE *file = lines_open(path, room);
	bool whole;

	while (file && fgets(line, sizeof line, file)) {
		text = rd_str(line);
		if (rd_until(&text, ':', &name) && rd_text(name, identity, sizeof identity) && psk_line_parse(rd_str(line), identity, &parsed))
			fn(ctx, identity, &parsed);
		bytes_wipe(&parsed, sizeof parsed);
	}
	bytes_wipe(line, sizeof line);
	whole = file && !ferror(file);
	lines_close(file, room);
	return whole;
}

/* An identity may have colons in it, and the key too: one of them is between the two. */
static bool is_line(const char *line)
{
	char identity[PSK_LINE_MAX];
	struct psk_line parsed;
	bool good = false;

	for (const char *colon = strchr(line, ':'); colon && !good; colon = strchr(colon + 1, ':')) {
		memcpy(identity, line, (size_t)(colon - line));
		identity[colon - line] = '\0';
		good = psk_line_parse(rd_str(line), identity, &parsed);
		bytes_wipe(&parsed, sizeof parsed);
	}
	bytes_wipe(identity, sizeof identity);
	return good;
}

unsigned psk_lines_wrong(const char *path)
{
	char line[PSK_LINE_MAX];
	FILE *file = fopen(path, "re");
	unsigned number = 0, wrong = 0;

	while (file && wrong == 0 && fgets(line, sizeof line, file)) {
		number++;
		if (line[strspn(line, " \t\r\n")] != '\0' && line[0] != '#' && !is_line(line))
			wrong = number;
	}
	bytes_wipe(line, sizeof line);
	if (file)
		fclose(file);
	return wrong;
}
