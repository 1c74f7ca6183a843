/* `keyway backup --all` and `keyway restore`: every database of a state directory, each as of one moment, and the files beside them. The copy grows under another
 * name, and gets its own when it is whole; backup.json in it says what belongs to it. */
#include "cli/backup_all.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "database/copy.h"
#include "onem2m/timestamp.h"
#include "store/store.h"

#define PATH_SIZE 1024
#define FILES_MAX 64
#define FILE_NAME 64
#define MANIFEST "backup.json"
#define MANIFEST_MAX (FILES_MAX * (FILE_NAME + 64) + 2 * PATH_SIZE)

struct file {
	char name[FILE_NAME];
	uint64_t octets;
};

struct copying {
	char from[PATH_SIZE], to[PATH_SIZE], part[PATH_SIZE];
	struct file files[FILES_MAX];
	size_t count;
	bool with_keys, keys_left;
};

static bool ends(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);

	return n >= m && strcmp(name + n - m, ending) == 0;
}

static bool is_database(const char *name)
{
	return ends(name, ".db");
}

static bool is_key(const char *name)
{
	return ends(name, ".key");
}

/* What belongs to the running program or to its database, and is of no use in a copy. */
static bool is_passing(const char *name)
{
	static const char *const endings[] = {"-wal", "-shm", "-journal", ".lock", ".reserve", ".new", ".sock"};

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
		if (ends(name, endings[i]))
			return true;
	return name[0] == '.' || strstr(name, ".part-") || strcmp(name, MANIFEST) == 0;
}

static int by_kind_and_name(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	/* Databases first: what the end of an audit log is compared with must not be younger than the log. */
	if (is_database(x->name) != is_database(y->name))
		return is_database(x->name) ? -1 : 1;
	return strcmp(x->name, y->name);
}

static bool path_of(char path[static PATH_SIZE], const char *dir, const char *name)
{
	return snprintf(path, PATH_SIZE, "%s/%s", dir, name) < PATH_SIZE;
}

/* ---- what there is ---- */

static int take_in(struct copying *c, const char *name)
{
	char path[PATH_SIZE];
	struct stat info;

	if (is_passing(name))
		return CLI_OK;
	if (!path_of(path, c->from, name) || lstat(path, &info) != 0)
		return cli_fail("%s/%s: %s", c->from, name, strerror(errno));
	if (!S_ISREG(info.st_mode))
		return CLI_OK;
	if (is_key(name) && !c->with_keys) {
		c->keys_left = true;
		return CLI_OK;
	}
	if (c->count == FILES_MAX || strlen(name) >= FILE_NAME)
		return cli_fail("%s has more in it than the state of a program: is it one?", c->from);
	snprintf(c->files[c->count++].name, FILE_NAME, "%s", name);
	return CLI_OK;
}

static int list(struct copying *c)
{
	DIR *dir = opendir(c->from);
	struct dirent *entry;
	int r = CLI_OK;

	if (!dir)
		return cli_fail("%s: %s; --state is the `state` of the program's configuration", c->from, strerror(errno));
	while (r == CLI_OK && (entry = readdir(dir)))
		r = take_in(c, entry->d_name);
	closedir(dir);
	qsort(c->files, c->count, sizeof c->files[0], by_kind_and_name);
	if (r == CLI_OK && (c->count == 0 || !is_database(c->files[0].name)))
		return cli_fail("there is no database in %s: --state is the `state` of the program's configuration", c->from);
	return r;
}

/* ---- copying ---- */

static bool copy_octets(int in, int out)
{
	ssize_t n;

	do
		n = sendfile(out, in, NULL, 1 << 20);
	while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0 && fsync(out) == 0;
}

static int copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r = CLI_OK;

	if (in < 0)
		r = cli_fail("%s: %s", from, strerror(errno));
	else if (out < 0 || !copy_octets(in, out))
		r = cli_fail("%s: %s", to, strerror(errno));
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return r;
}

static int copy_one(struct copying *c, struct file *f)
{
	char from[PATH_SIZE], to[PATH_SIZE];
	const char *detail = "";
	struct stat info;
	enum err e;

	if (!path_of(from, c->from, f->name) || !path_of(to, c->part, f->name))
		return cli_fail("the path of %s is too long", f->name);
	if (!is_database(f->name)) {
		if (copy_file(from, to) != CLI_OK)
			return CLI_FAILED;
	} else {
		e = strcmp(f->name, "cse.db") == 0 ? store_backup(from, to, NULL, NULL, &detail) : database_copy(from, to, &detail);
		if (e != OK)
			return cli_fail("%s: %s", from, detail);
	}
	if (stat(to, &info) != 0)
		return cli_fail("%s: %s", to, strerror(errno));
	f->octets = (uint64_t)info.st_size;
	return CLI_OK;
}

static int begin_part(struct copying *c)
{
	if (snprintf(c->part, sizeof c->part, "%s.part-XXXXXX", c->to) >= (int)sizeof c->part)
		return cli_fail("the path %s is too long", c->to);
	if (mkdtemp(c->part))
		return CLI_OK;
	c->part[0] = '\0';
	return cli_fail("can't make a folder beside %s: %s", c->to, strerror(errno));
}

static void drop_part(struct copying *c)
{
	char path[PATH_SIZE];

	for (size_t i = 0; c->part[0] && i <= c->count; i++)
		if (path_of(path, c->part, i < c->count ? c->files[i].name : MANIFEST))
			unlink(path);
	if (c->part[0])
		rmdir(c->part);
}

static bool flush_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* An empty folder of that name gives its place; anything else stays. */
static int publish(struct copying *c)
{
	if (!flush_folder(c->part))
		return cli_fail("%s can't be flushed: %s", c->part, strerror(errno));
	if (rename(c->part, c->to) != 0)
		return errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR ?
			   cli_fail("%s exists already, and is not empty: nothing was replaced", c->to) :
			   cli_fail("can't name %s: %s", c->to, strerror(errno));
	c->part[0] = '\0';
	return CLI_OK;
}

/* ---- backup ---- */

static int write_manifest(const struct copying *c)
{
	struct wr w = wr_new(MANIFEST_MAX);
	struct json_out o = json_out(&w);
	char path[PATH_SIZE], made[TIMESTAMP_SIZE];
	struct rd text;
	FILE *f = NULL;
	bool ok;

	timestamp_print(made, clock_unix_ms());
	json_object(&o, NULL);
	json_put_string(&o, "state", c->from);
	json_put_string(&o, "made", made);
	json_put_bool(&o, "keysLeftOut", c->keys_left);
	json_array(&o, "files");
	for (size_t i = 0; i < c->count; i++) {
		json_object(&o, NULL);
		json_put_string(&o, "name", c->files[i].name);
		json_put_uint(&o, "octets", c->files[i].octets);
		json_close(&o);
	}
	json_close(&o);
	json_close(&o);
	ok = wr_done(&w, &text) && path_of(path, c->part, MANIFEST) && (f = fopen(path, "we")) && fprintf(f, "%.*s\n", (int)text.left, (const char *)text.at) > 0 &&
	     fflush(f) == 0 && fsync(fileno(f)) == 0;
	if (f && fclose(f) != 0)
		ok = false;
	wr_free(&w);
	return ok ? CLI_OK : cli_fail("%s/%s can't be written: %s", c->part, MANIFEST, strerror(errno));
}

static void tell(const struct copying *c, bool json, const char *name)
{
	struct wr w = wr_new(4 * PATH_SIZE);
	struct json_out o = json_out(&w);
	uint64_t octets = 0;
	struct rd text;

	for (size_t i = 0; i < c->count; i++)
		octets += c->files[i].octets;
	json_object(&o, NULL);
	json_put_string(&o, name, c->to);
	json_put_uint(&o, "files", c->count);
	json_put_uint(&o, "octets", octets);
	json_put_bool(&o, "keysLeftOut", c->keys_left);
	json_close(&o);
	if (json && wr_done(&w, &text))
		cli_print_json(text);
	else
		printf("%s%s%s: %zu files, %.1f MiB, all that is in %s\n", style(STYLE_BOLD), c->to, style(STYLE_PLAIN), c->count, (double)octets / (1 << 20), c->from);
	wr_free(&w);
}

static struct copying *copying_new(const char *from, const char *to)
{
	struct copying *c = calloc(1, sizeof *c);

	if (!c || snprintf(c->from, sizeof c->from, "%s", from) >= (int)sizeof c->from || snprintf(c->to, sizeof c->to, "%s", to) >= (int)sizeof c->to) {
		free(c);
		cli_fail("the paths are too long");
		return NULL;
	}
	for (char *p = c->to + strlen(c->to); p > c->to + 1 && p[-1] == '/';)
		*--p = '\0';
	return c;
}

static int copy_all(struct copying *c)
{
	int r = begin_part(c);

	for (size_t i = 0; r == CLI_OK && i < c->count; i++)
		r = copy_one(c, &c->files[i]);
	return r;
}

int backup_all(const char *state, const char *folder, bool with_keys, bool json)
{
	struct copying *c = copying_new(state, folder);
	int r;

	if (!c)
		return CLI_FAILED;
	c->with_keys = with_keys;
	r = list(c);
	if (r == CLI_OK && access(c->to, F_OK) == 0 && rmdir(c->to) != 0)
		r = cli_fail("%s exists already: nothing was replaced", c->to);
	if (r == CLI_OK && (r = copy_all(c)) == CLI_OK && (r = write_manifest(c)) == CLI_OK)
		r = publish(c);
	if (r == CLI_OK) {
		tell(c, json, "backup");
		if (!json && c->keys_left)
			puts("Key files are not in it: whoever has both can read its keys. Keep them elsewhere, or say --with-keys.");
	}
	drop_part(c);
	free(c);
	return r;
}

/* ---- restore ---- */

static bool is_plain(const char *name)
{
	return name[0] && !strchr(name, '/') && !is_passing(name);
}

static int read_file(struct copying *c, const struct json *entry)
{
	struct file *f = &c->files[c->count];
	char path[PATH_SIZE];
	struct stat info;

	if (c->count == FILES_MAX || !json_text(json_get(entry, "name"), f->name, sizeof f->name) || !is_plain(f->name) || !json_uint(json_get(entry, "octets"), &f->octets))
		return cli_fail("%s/" MANIFEST " is not one of `keyway backup --all`", c->from);
	c->count++;
	if (!path_of(path, c->from, f->name) || lstat(path, &info) != 0 || !S_ISREG(info.st_mode) || (uint64_t)info.st_size != f->octets)
		return cli_fail("%s/%s is missing, or is not what was copied: take another backup", c->from, f->name);
	return CLI_OK;
}

static int read_manifest(struct copying *c)
{
	char path[PATH_SIZE], text[MANIFEST_MAX];
	struct json_arena *arena = json_arena_new();
	const struct json *doc = NULL, *list = NULL;
	size_t n = 0;
	FILE *f = path_of(path, c->from, MANIFEST) ? fopen(path, "re") : NULL;
	int r = CLI_OK;

	if (f) {
		n = fread(text, 1, sizeof text, f);
		fclose(f);
	}
	if (f && arena && json_parse(arena, rd_of(text, n), NULL, &doc) == OK) {
		list = json_get(doc, "files");
		if (!json_bool(json_get(doc, "keysLeftOut"), &c->keys_left))
			list = NULL;
	}
	if (!list)
		r = cli_fail("%s has no " MANIFEST ": it is not a whole backup of `keyway backup --all`", c->from);
	for (const struct json *entry = list ? list->first : NULL; r == CLI_OK && entry; entry = entry->next)
		r = read_file(c, entry);
	json_arena_free(arena);
	return r;
}

static int check_copies(struct copying *c)
{
	char path[PATH_SIZE];
	const char *detail;

	for (size_t i = 0; i < c->count; i++)
		if (is_database(c->files[i].name) && path_of(path, c->part, c->files[i].name) && database_check(path, &detail) != OK)
			return cli_fail("%s/%s: %s; take another backup", c->from, c->files[i].name, detail);
	return CLI_OK;
}

/* As they are: a database of a backup is one file. */
static int copy_back(struct copying *c)
{
	char from[PATH_SIZE], to[PATH_SIZE];
	int r = begin_part(c);

	for (size_t i = 0; r == CLI_OK && i < c->count; i++)
		r = path_of(from, c->from, c->files[i].name) && path_of(to, c->part, c->files[i].name) ? copy_file(from, to) : cli_fail("the paths are too long");
	return r;
}

int restore_all(const char *folder, const char *state, bool json)
{
	struct copying *c = copying_new(folder, state);
	int r;

	if (!c)
		return CLI_FAILED;
	r = read_manifest(c);
	if (r == CLI_OK && (r = copy_back(c)) == CLI_OK && (r = check_copies(c)) == CLI_OK)
		r = publish(c);
	if (r == CLI_OK) {
		tell(c, json, "restored");
		if (!json && c->keys_left)
			puts("Its key files were left out of the backup: put them there (mode 0600) before the program starts.");
	}
	drop_part(c);
	free(c);
	return r;
}
