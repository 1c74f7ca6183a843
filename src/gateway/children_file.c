/* The file of children. */
#include "gateway/children_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

#define FILE_MAX (CHILDREN_MAX * 500 + 100)
#define CONFIRMED 1U
#define REMOVED 2U

static bool word(struct rd *line, struct rd *w)
{
	if (line->left == 0)
		return false;
	if (!rd_until(line, ' ', w))
		*w = rd_rest(line);
	return true;
}

/* A name has no blanks and nothing that a line could not hold. */
static bool name(struct rd w, char *to, size_t size)
{
	if (!rd_text(w, to, size))
		return false;
	for (size_t i = 0; to[i]; i++)
		if ((unsigned char)to[i] <= ' ' || to[i] == 0x7f)
			return false;
	return true;
}

/* "child EUI64 short capability state timeout owner relay [down]"; "-" for an empty owner or relay; state is a sum of: 1 confirmed, 2 removed */
static bool parse_child(struct rd line, struct child *child)
{
	struct rd w;
	uint64_t n;

	memset(child, 0, sizeof *child);
	if (!word(&line, &w) || !rd_is(w, "child") || !word(&line, &w) || !eui64_parse(w, &child->eui64) || !word(&line, &w) || !rd_decimal(w, &n) || n > 0xffff)
		return false;
	child->short_address = (uint16_t)n;
	if (!word(&line, &w) || !rd_decimal(w, &n) || n > 0xff)
		return false;
	child->capability = (uint8_t)n;
	if (!word(&line, &w) || !rd_decimal(w, &n) || n > (CONFIRMED | REMOVED))
		return false;
	child->confirmed = n & CONFIRMED;
	child->removed = n & REMOVED;
	if (!word(&line, &w) || !rd_decimal(w, &n) || n > UINT32_MAX)
		return false;
	child->timeout_s = (uint32_t)n;
	if (!word(&line, &w) || !name(w, child->owner, sizeof child->owner) || !word(&line, &w) || !name(w, child->relay, sizeof child->relay))
		return false;
	if (word(&line, &w) && !name(w, child->down, sizeof child->down))
		return false;
	if (strcmp(child->owner, "-") == 0)
		child->owner[0] = '\0';
	if (strcmp(child->relay, "-") == 0)
		child->relay[0] = '\0';
	return rd_end(&line);
}

enum err children_load(const char *path, struct coordinator *c, uint32_t *epoch)
{
	FILE *f = fopen(path, "r");
	char *text = f ? calloc(1, FILE_MAX) : NULL;
	struct rd all, line, w;
	enum err e = OK;
	uint64_t n;

	*epoch = 0;
	if (!f)
		return OK;
	all = rd_of(text, text ? fread(text, 1, FILE_MAX, f) : 0);
	fclose(f);
	while (e == OK && rd_line(&all, &line)) {
		struct child child;

		if (rd_starts(line, "epoch ")) {
			if (!word(&line, &w) || !rd_decimal(line, &n) || n > UINT32_MAX)
				e = ERR_MALFORMED;
			else
				*epoch = (uint32_t)n;
		} else if (!parse_child(line, &child) || !coordinator_restore(c, &child)) {
			e = ERR_MALFORMED;
		}
	}
	free(text);
	return e;
}

static enum err write_synced(const char *path, struct rd text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	enum err e = ERR_IO;

	if (fd < 0)
		return ERR_IO;
	if (write(fd, text.at, text.left) == (ssize_t)text.left && fsync(fd) == 0)
		e = OK;
	close(fd);
	return e;
}

/* A new name is on disk when its folder is: otherwise an epoch could be used twice after a power failure. */
static enum err folder_synced(const char *path)
{
	char folder[600];
	char *slash;
	enum err e;
	int fd;

	snprintf(folder, sizeof folder, "%s", path);
	slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
	fd = open(!slash ? "." : slash == folder ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	e = fsync(fd) == 0 ? OK : ERR_IO;
	close(fd);
	return e;
}

enum err children_save(const char *path, struct coordinator *c, uint32_t epoch)
{
	struct wr w = wr_new(FILE_MAX);
	char temporary[600], eui64[EUI64_SIZE];
	struct child *child;
	struct rd text;
	enum err e = ERR_IO;

	wr_fmt(&w, "epoch %u\n", epoch);
	for (size_t i = 0; (child = coordinator_child_at(c, i)) != NULL; i++) {
		if (child->short_address == MAC_BROADCAST)
			continue;
		eui64_print(eui64, child->eui64);
		wr_fmt(&w, "child %s %u %u %u %u %s %s%s%s\n", eui64, child->short_address, child->capability,
		    (child->confirmed ? CONFIRMED : 0) | (child->removed ? REMOVED : 0), child->timeout_s,
		    child->owner[0] ? child->owner : "-", child->relay[0] ? child->relay : "-", child->down[0] ? " " : "", child->down);
	}
	snprintf(temporary, sizeof temporary, "%s.new", path);
	if (wr_done(&w, &text))
		e = write_synced(temporary, text);
	if (e == OK)
		e = rename(temporary, path) == 0 ? folder_synced(path) : ERR_IO;
	wr_free(&w);
	return e;
}
