/* Opening of a durable SQLite file. */
#include "database/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS 10000

static bool in_memory(const char *path)
{
	return strcmp(path, ":memory:") == 0;
}

/* SQLite gives its -wal and -shm files the mode of the database. A file that is there is not opened: closing it would drop the POSIX locks that SQLite
 * holds on it for whoever else in this process has it open, and then another process takes away the log that is written here. */
static bool make_file(const char *path)
{
	int fd;

	if (in_memory(path))
		return true;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST;
	close(fd);
	return true;
}

/* SQLite does not call it an error when it has to do without. */
static bool use_wal(sqlite3 *db, bool memory)
{
	sqlite3_stmt *s;
	const unsigned char *mode;
	bool is_wal;

	if (sqlite3_prepare_v2(db, "PRAGMA journal_mode=WAL", -1, &s, NULL) != SQLITE_OK)
		return false;
	mode = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_text(s, 0) : NULL;
	is_wal = mode && strcmp((const char *)mode, memory ? "memory" : "wal") == 0;
	return sqlite3_finalize(s) == SQLITE_OK && is_wal;
}

static enum err prepare(sqlite3 *db, bool memory, const char *schema, const char **detail)
{
	if (sqlite3_busy_timeout(db, BUSY_MS) != SQLITE_OK || !use_wal(db, memory) ||
	    database_execute(db, "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;") != OK) {
		*detail = sqlite3_errcode(db) == SQLITE_NOTADB || sqlite3_errcode(db) == SQLITE_CORRUPT ? "it is no database, or damaged: restore a backup" :
													  "it can't be written: is it another user's, or the disk full?";
		return ERR_STORE;
	}
	*detail = "the database is not one of this program, or damaged";
	return database_execute(db, schema);
}

enum err database_execute(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : ERR_STORE;
}

enum err database_open(const char *path, const char *schema, sqlite3 **db, const char **detail)
{
	sqlite3 *opened = NULL;
	enum err e = ERR_STORE;

	*db = NULL;
	*detail = "the database can't be opened for writing";
	if (make_file(path) && sqlite3_open_v2(path, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK)
		e = prepare(opened, in_memory(path), schema, detail);
	if (e != OK) {
		sqlite3_close(opened);
		return e;
	}
	*db = opened;
	return OK;
}
