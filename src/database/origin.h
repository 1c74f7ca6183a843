/* Whether a database is the file that was written here last, or an old copy that was put in its place (a backup, another machine's, a rolled back
 * disk). Numbers that must never be used twice, such as frame counters, are moved on then by as many as may have been given out since.
 *
 * A file is known by its inode and the time of its birth, so that every copy of a file is another; a disk that was rolled back as a whole is known by the
 * time in which nobody said database_alive. The clock must be right: one that is behind the time of the copy is refused, one that stands between
 * that and now is believed.
 *
 *	struct database_numbers n = {"UPDATE t SET next = min(0xffffff00, next + (SELECT by FROM origin))", NULL, 500, 0xffffff00};
 *
 *	if (database_resume(db, path, &n, clock_unix_ms() / 1000, &gap) == OK && gap.copied) say so
 *	new rows begin at gap.floor
 *	every DATABASE_ALIVE_S seconds: database_alive(db, now) */
#ifndef KEYWAY_DATABASE_ORIGIN_H
#define KEYWAY_DATABASE_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "database/database.h"

#define DATABASE_ALIVE_S 300

struct database_numbers {
	const char *move;    /* moves every number in the database on by (SELECT by FROM origin), limit at most */
	const char *if_copy; /* what else is to be done with a copy; NULL: nothing */
	uint32_t per_second; /* more than any of them is used in a second */
	uint32_t limit;
};

struct database_gap {
	bool copied;    /* it is not the file that was written last */
	uint64_t since; /* Unix time at which it was last known to be in use; 0: never */
	uint32_t by;    /* what numbers were moved on by */
	uint32_t floor; /* where numbers begin that the database does not have: it may have been younger once, and had them */
};

/* All in one transaction, which is on disk. A file of before this knew such things counts as the one that was written last; ":memory:" too.
 * ERR_STATE: a copy from the future, the clock is wrong. ERR_STORE. */
enum err database_resume(sqlite3 *db, const char *path, const struct database_numbers *n, uint64_t now_s, struct database_gap *gap) MUST_CHECK;
enum err database_alive(sqlite3 *db, uint64_t now_s) MUST_CHECK;

#endif
