/* Copies of databases: SQLite's own way, which reads one view whatever is written meanwhile. */
#include "database/copy.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS 10000

/* The first row of quick_check is `ok`, or a fault. */
static enum err quick_check(sqlite3 *db, const char **detail)
{
	sqlite3_stmt *s;
	const char *text;
	bool whole;

	*detail = "it is no database, or damaged";
	if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &s, NULL) != SQLITE_OK)
		return ERR_STORE;
	text = sqlite3_step(s) == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
	whole = text && strcmp(text, "ok") == 0;
	sqlite3_finalize(s);
	return whole ? OK : ERR_STORE;
}

static enum err copy_pages(sqlite3 *from, sqlite3 *to, const char **detail)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int r;

	*detail = "the copy can't be written";
	if (!b)
		return ERR_STORE;
	(void)sqlite3_backup_step(b, -1);
	r = sqlite3_backup_finish(b);
	if (r == SQLITE_FULL)
		*detail = "no room left for the copy";
	else if (r == SQLITE_NOTADB || r == SQLITE_CORRUPT)
		*detail = "it is no database, or damaged";
	return r == SQLITE_OK ? OK : r == SQLITE_FULL ? ERR_FULL : ERR_STORE;
}

static enum err make(sqlite3 *from, const char *to, const char **detail)
{
	sqlite3 *copy = NULL;
	enum err e = ERR_STORE;

	*detail = "the copy can't be written";
	if (sqlite3_open_v2(to, &copy, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
		e = copy_pages(from, copy, detail);
	if (e == OK && sqlite3_exec(copy, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) != SQLITE_OK) /* one file, until it is opened again */
		e = ERR_STORE;
	if (e == OK)
		e = quick_check(copy, detail);
	sqlite3_close(copy);
	return e;
}

enum err database_copy(const char *from, const char *to, const char **detail)
{
	sqlite3 *source = NULL;
	enum err e = ERR_STORE;
	int fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	*detail = "the copy can't be made, or is there already";
	if (fd < 0)
		return ERR_STORE;
	*detail = "it can't be read";
	if (sqlite3_open_v2(from, &source, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK && sqlite3_busy_timeout(source, BUSY_MS) == SQLITE_OK)
		e = make(source, to, detail);
	sqlite3_close(source);
	if (e == OK && fsync(fd) != 0) {
		*detail = "the copy can't be flushed";
		e = ERR_STORE;
	}
	close(fd);
	if (e != OK)
		unlink(to);
	return e;
}

enum err database_check(const char *path, const char **detail)
{
	sqlite3 *db = NULL;
	enum err e = ERR_STORE;

	*detail = "it can't be read";
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
		e = quick_check(db, detail);
	sqlite3_close(db);
	return e;
}
