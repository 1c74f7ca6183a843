/* A consistent copy of a store that another process may be writing. The copy grows under another name in the same folder, is checked and
 * flushed, and only then gets its own; so what has that name is whole. */
#include "store/sqlite/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_PAGES 1024 /* 4 MiB between two reports */

struct backup {
	struct store from, to; /* only connections and sentences */
	char part[PATH_SIZE];
	int fd;                /* of part */
	void (*progress)(void *ctx, int percent);
	void *ctx;
};

/* A journal that lies about would be read into the copy. */
static enum err refuse_existing(struct backup *b, const char *to)
{
	static const char *const endings[] = {"", "-wal", "-journal"};
	char name[PATH_SIZE];
	struct stat info;

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		if (snprintf(name, sizeof name, "%s%s", to, endings[i]) >= (int)sizeof name)
			return store_refuse(&b->from, ERR_STORE, "the path of the copy is too long");
		if (lstat(name, &info) == 0)
			return store_refuse(&b->from, ERR_EXISTS, "%s exists already", name);
	}
	return OK;
}

/* From here to the end of the connection one view is read, whatever is written meanwhile. */
static enum err open_source(struct backup *b, const char *path)
{
	enum file_kind kind = FILE_FOREIGN;
	enum err e = file_connect(&b->from, path, true);

	if (e != OK || (e = query_exec(&b->from, "BEGIN")) != OK || (e = schema_identify(&b->from, &kind)) != OK)
		return e;
	if (kind == FILE_FOREIGN || kind == FILE_EMPTY)
		return store_refuse(&b->from, ERR_STORE, "%s is not a store of Keyway", path);
	return OK;
}

static enum err open_copy(struct backup *b, const char *to)
{
	enum err e;

	if (snprintf(b->part, sizeof b->part, "%s.part-XXXXXX", to) >= (int)sizeof b->part)
		return store_refuse(&b->from, ERR_STORE, "the path of the copy is too long");
	b->fd = mkostemp(b->part, O_CLOEXEC);
	if (b->fd < 0) {
		e = store_refuse(&b->from, ERR_STORE, "can't write %s: %s", b->part, strerror(errno));
		b->part[0] = '\0';
		return e;
	}
	if ((e = file_connect(&b->to, b->part, false)) != OK || (e = query_exec(&b->to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF")) != OK)
		return store_refuse(&b->from, e, "%s", b->to.detail);
	return OK;
}

static void report(struct backup *b, sqlite3_backup *copying, int *last)
{
	int all = sqlite3_backup_pagecount(copying), left = sqlite3_backup_remaining(copying);
	int percent = all > 0 ? (int)(100LL * (all - left) / all) : 0;

	if (b->progress && percent > *last)
		b->progress(b->ctx, percent);
	*last = percent > *last ? percent : *last;
}

static enum err copy(struct backup *b)
{
	sqlite3_backup *copying = sqlite3_backup_init(b->to.db, "main", b->from.db, "main");
	int r, last = -1;

	if (!copying)
		return store_refuse(&b->from, ERR_STORE, "%s", sqlite3_errmsg(b->to.db));
	while ((r = sqlite3_backup_step(copying, STEP_PAGES)) == SQLITE_OK)
		report(b, copying, &last);
	if (r == SQLITE_DONE)
		report(b, copying, &last);
	r = sqlite3_backup_finish(copying);
	if (r == SQLITE_OK)
		return OK;
	if (store_fault(&b->to, r) == ERR_FULL)
		return store_refuse(&b->from, ERR_FULL, "no room left for the copy");
	return store_refuse(&b->from, ERR_STORE, "%s", b->to.detail);
}

/* A copy of a damaged store is no backup. It needs no journal until it is opened as a store. */
static enum err check_copy(struct backup *b)
{
	enum err e = query_exec(&b->to, "PRAGMA journal_mode=DELETE");

	if (e == OK)
		e = check_quick(&b->to);
	return e == OK ? OK : store_refuse(&b->from, e, "%s", b->to.detail);
}

static enum err sync_folder(struct backup *b, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_SIZE] = ".";
	int fd;
	bool ok;

	if (slash)
		snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok ? OK : store_refuse(&b->from, ERR_STORE, "can't flush the folder of the copy: %s", strerror(errno));
}

static enum err publish(struct backup *b, const char *to)
{
	if (fsync(b->fd) != 0)
		return store_refuse(&b->from, errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_STORE, "can't flush the copy: %s", strerror(errno));
	if (renameat2(AT_FDCWD, b->part, AT_FDCWD, to, RENAME_NOREPLACE) != 0) {
		if (errno == EEXIST)
			return store_refuse(&b->from, ERR_EXISTS, "%s exists already", to);
		/* Not every file system has that; it was looked for at the beginning. */
		if (errno != EINVAL || rename(b->part, to) != 0)
			return store_refuse(&b->from, ERR_STORE, "can't name the copy %s: %s", to, strerror(errno));
	}
	b->part[0] = '\0';
	return sync_folder(b, to);
}

static void clear(struct backup *b)
{
	static const char *const endings[] = {"", "-journal", "-wal", "-shm"};
	char name[PATH_SIZE + 16];

	sqlite3_close(b->from.db);
	sqlite3_close(b->to.db);
	if (b->fd >= 0)
		close(b->fd);
	for (size_t i = 0; b->part[0] && i < sizeof endings / sizeof endings[0]; i++) {
		snprintf(name, sizeof name, "%s%s", b->part, endings[i]);
		unlink(name);
	}
}

enum err store_backup(const char *from, const char *to, void (*progress)(void *ctx, int percent), void *ctx, const char **detail)
{
	static _Thread_local char sentence[DETAIL_MAX];
	struct backup b = {.fd = -1, .progress = progress, .ctx = ctx};
	enum err e;

	if ((e = refuse_existing(&b, to)) == OK && (e = open_source(&b, from)) == OK && (e = open_copy(&b, to)) == OK &&
	    (e = copy(&b)) == OK && (e = check_copy(&b)) == OK) {
		sqlite3_close(b.to.db);
		b.to.db = NULL;
		e = publish(&b, to);
	}
	memcpy(sentence, b.from.detail, sizeof sentence);
	*detail = sentence;
	clear(&b);
	return e;
}
