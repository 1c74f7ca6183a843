/* A simulated USIM in a file. */
#include "gba/net/usim_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/wr.h"
#include "json/json.h"
#include "keys/secret_octets.h"

#define KEY 16
#define PATH_SIZE 4096

static struct secret *key_of(const struct json *v)
{
	uint8_t octets[KEY];
	struct rd text;

	return json_string(v, &text) && hex_parse(text, octets, sizeof octets) ? secret_take(octets, sizeof octets) : NULL;
}

static enum err read_members(const struct json *doc, struct usim *u)
{
	const struct json *seq = json_get(doc, "seq");
	struct rd imsi;

	if (!json_string(json_get(doc, "imsi"), &imsi) || !imsi_is_good(imsi) || !rd_text(imsi, u->imsi, sizeof u->imsi) ||
	    !json_text(json_get(doc, "impi"), u->impi, sizeof u->impi) || u->impi[0] == '\0' || !seq || seq->type != JSON_ARRAY || seq->count != SQN_SLOTS)
		return ERR_MALFORMED;
	for (size_t i = 0; i < SQN_SLOTS; i++)
		if (!json_uint(json_at(seq, i), &u->window.seq[i]) || u->window.seq[i] > SQN_SEQ_MAX)
			return ERR_MALFORMED;
	if (json_get(doc, "gba_u") && !json_bool(json_get(doc, "gba_u"), &u->gba_u))
		return ERR_MALFORMED;
	u->k = key_of(json_get(doc, "k"));
	u->opc = key_of(json_get(doc, "opc"));
	return u->k && u->opc ? OK : ERR_MALFORMED;
}

enum err usim_text_parse(struct rd text, struct usim *u)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc;
	enum err e = ERR_NO_MEMORY;

	memset(u, 0, sizeof *u);
	if (arena && json_parse(arena, text, NULL, &doc) == OK)
		e = read_members(doc, u);
	else if (arena)
		e = ERR_MALFORMED;
	json_arena_free(arena);
	if (e != OK)
		usim_clear(u);
	return e;
}

static void put_key(struct json_out *o, const char *name, const struct secret *s)
{
	char text[HEX_SIZE(SECRET_MAX)];

	hex_print(text, secret_octets(s), secret_len(s));
	json_put_string(o, name, text);
	bytes_wipe(text, sizeof text);
}

void usim_text_print(struct wr *w, const struct usim *u)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_put_string(&o, "imsi", u->imsi);
	json_put_string(&o, "impi", u->impi);
	put_key(&o, "k", u->k);
	put_key(&o, "opc", u->opc);
	if (u->gba_u)
		json_put_bool(&o, "gba_u", true);
	json_array(&o, "seq");
	for (size_t i = 0; i < SQN_SLOTS; i++)
		json_put_uint(&o, NULL, u->window.seq[i]);
	json_close(&o);
	json_close(&o);
	wr_u8(w, '\n');
}

enum err usim_file_read(const char *path, struct usim *u)
{
	char text[USIM_FILE_MAX];
	struct stat st;
	enum err e = ERR_CONFIG;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_CONFIG;
	n = read(fd, text, sizeof text);
	if (n > 0 && n < (ssize_t)sizeof text && fstat(fd, &st) == 0 && (st.st_mode & 077) == 0)
		e = usim_text_parse(rd_of(text, (size_t)n), u) == OK ? OK : ERR_CONFIG;
	bytes_wipe(text, sizeof text);
	close(fd);
	return e;
}

static bool folder_sync(const char *path)
{
	char folder[PATH_SIZE];
	const char *slash = strrchr(path, '/');
	bool good;
	int fd;

	if (snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".") >= (int)sizeof folder)
		return false;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

enum err usim_file_write(const char *path, const struct usim *u)
{
	char text[USIM_FILE_MAX], fresh[PATH_SIZE];
	struct wr w = wr_of(text, sizeof text);
	enum err e = ERR_IO;
	struct rd done;
	int fd;

	usim_text_print(&w, u);
	if (!wr_done(&w, &done) || snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
		return ERR_TOO_LONG;
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, done.at, done.left) == (ssize_t)done.left && fsync(fd) == 0 && rename(fresh, path) == 0 && folder_sync(path))
		e = OK;
	if (fd >= 0)
		close(fd);
	bytes_wipe(text, sizeof text);
	return e;
}
