/* The small durable database of a server: SQLite in WAL mode with synchronous=FULL, so that what was committed outlives a loss of power; what
 * is deleted is overwritten; its owner alone may read it. (The CSE's store, which is large, has settings of its own: store/.)
 *
 *	static const char schema[] = "CREATE TABLE IF NOT EXISTS ...;";
 *	sqlite3 *db;
 *	const char *detail;
 *
 *	if (database_open(path, schema, &db, &detail) != OK)
 *		say that path can't be used: detail
 *	if ((e = database_execute(db, "BEGIN IMMEDIATE")) == OK) ...
 *	sqlite3_close(db); */
#ifndef KEYWAY_DATABASE_DATABASE_H
#define KEYWAY_DATABASE_DATABASE_H

#include <sqlite3.h>

#include "base/attr.h"
#include "base/err.h"

/* Makes the file with mode 0600 if there is none (":memory:" is none), and what of `schema` is missing in it. A writer waits 10 s for another
 * process. ERR_STORE with a sentence in detail; *db is the caller's on success and NULL otherwise. */
enum err database_open(const char *path, const char *schema, sqlite3 **db, const char **detail) MUST_CHECK;
/* Statements without arguments and results; ERR_STORE when one fails, and those before it stand. */
enum err database_execute(sqlite3 *db, const char *sql) MUST_CHECK;

#endif
