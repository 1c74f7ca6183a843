/* Old copies of a database, and what is to be skipped because of them. */
#include "database/origin.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MARGIN (1U << 20)    /* what was reserved ahead when the copy was made, and more */
#define SILENCE_S (2 * DATABASE_ALIVE_S)
#define SILENCE_MOST (1U << 26) /* a plant that was off for months must not use up its numbers; more than that many were not given out by one that ran */
#define FILE_NAME_SIZE 96

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS origin(one INTEGER PRIMARY KEY CHECK(one = 1), file TEXT NOT NULL, alive INTEGER NOT NULL, floor INTEGER NOT NULL,"
    " by INTEGER NOT NULL, copies INTEGER NOT NULL);";

/* The inode, and when it was made where the file system says that: a copy that was unpacked on another disk may well have the number of the original. */
static bool name_of(const char *path, char name[static FILE_NAME_SIZE])
{
	struct statx x;

	if (statx(AT_FDCWD, path, AT_STATX_SYNC_AS_STAT, STATX_INO | STATX_BTIME, &x) != 0)
		return false;
	if (!(x.stx_mask & STATX_BTIME))
		memset(&x.stx_btime, 0, sizeof x.stx_btime);
	snprintf(name, FILE_NAME_SIZE, "%llu %lld.%09u", (unsigned long long)x.stx_ino, (long long)x.stx_btime.tv_sec, x.stx_btime.tv_nsec);
	return true;
}

/* What the file says of itself. No row: it is new, or of before. */
static enum err read_origin(sqlite3 *db, const char *name, bool *there, struct database_gap *gap)
{
	sqlite3_stmt *s;
	int r;

	if (sqlite3_prepare_v2(db, "SELECT file, alive, floor FROM origin", -1, &s, NULL) != SQLITE_OK)
		return ERR_STORE;
	r = sqlite3_step(s);
	*there = r == SQLITE_ROW;
	if (r == SQLITE_ROW) {
		const char *file = (const char *)sqlite3_column_text(s, 0);

		gap->copied = !file || strcmp(file, name) != 0;
		gap->since = (uint64_t)sqlite3_column_int64(s, 1);
		gap->floor = (uint32_t)sqlite3_column_int64(s, 2);
	}
	sqlite3_finalize(s);
	return r == SQLITE_ROW || r == SQLITE_DONE ? OK : ERR_STORE;
}

static uint32_t numbers(const struct database_gap *gap, const struct database_numbers *n, uint64_t now)
{
	uint64_t s = now > gap->since ? now - gap->since : 0, by;

	if (!gap->copied && s <= SILENCE_S)
		return 0;
	by = s > n->limit / n->per_second ? n->limit : s * n->per_second;
	if (gap->copied)
		by += MARGIN;
	else if (by > SILENCE_MOST)
		by = SILENCE_MOST;
	return by > n->limit ? n->limit : (uint32_t)by;
}

static enum err write_origin(sqlite3 *db, const char *name, uint64_t now, const struct database_gap *gap)
{
	sqlite3_stmt *s;
	int r;

	if (sqlite3_prepare_v2(db,
		"INSERT INTO origin VALUES(1, ?1, ?2, ?3, ?4, 0) ON CONFLICT (one) DO UPDATE SET file=?1, alive=?2, floor=?3, by=?4, copies=copies+?5", -1, &s, NULL) != SQLITE_OK)
		return ERR_STORE;
	sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, (sqlite3_int64)now);
	sqlite3_bind_int64(s, 3, gap->floor);
	sqlite3_bind_int64(s, 4, gap->by);
	sqlite3_bind_int(s, 5, gap->copied);
	r = sqlite3_step(s);
	sqlite3_finalize(s);
	return r == SQLITE_DONE ? OK : ERR_STORE;
}

static enum err resume(sqlite3 *db, const char *name, const struct database_numbers *n, uint64_t now, struct database_gap *gap)
{
	enum err e = database_execute(db, schema);
	bool there = false;

	if (e == OK)
		e = read_origin(db, name, &there, gap);
	if (e != OK)
		return e;
	if (gap->copied && gap->since > now)
		return ERR_STATE;
	gap->by = there ? numbers(gap, n, now) : 0;
	gap->floor = gap->floor > n->limit - gap->by ? n->limit : gap->floor + gap->by;
	e = write_origin(db, name, now, gap);
	if (e == OK && gap->by)
		e = database_execute(db, n->move);
	if (e == OK && gap->copied && n->if_copy)
		e = database_execute(db, n->if_copy);
	return e;
}

enum err database_resume(sqlite3 *db, const char *path, const struct database_numbers *n, uint64_t now_s, struct database_gap *gap)
{
	char name[FILE_NAME_SIZE];
	enum err e;

	*gap = (struct database_gap){.copied = false};
	if (strcmp(path, ":memory:") == 0)
		return OK;
	if (!name_of(path, name) || database_execute(db, "BEGIN IMMEDIATE") != OK)
		return ERR_STORE;
	e = resume(db, name, n, now_s, gap);
	if (e == OK && (e = database_execute(db, "COMMIT")) == OK)
		return OK;
	(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return e;
}

enum err database_alive(sqlite3 *db, uint64_t now_s)
{
	char sql[80];

	snprintf(sql, sizeof sql, "UPDATE origin SET alive=%llu", (unsigned long long)now_s);
	return database_execute(db, sql);
}
