/* SQLite under the MEF. */
#include "mef/mef_store_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"

const char mef_schema[] =
    "CREATE TABLE IF NOT EXISTS devices (eui64 INTEGER PRIMARY KEY, owner TEXT NOT NULL, gateway TEXT NOT NULL, application TEXT NOT NULL,"
    " install BLOB NOT NULL, state INTEGER NOT NULL, short INTEGER NOT NULL, capability INTEGER NOT NULL, registered_at INTEGER NOT NULL,"
    " last_event_at INTEGER NOT NULL, last_event TEXT NOT NULL, reason TEXT NOT NULL, replaces INTEGER NOT NULL DEFAULT 0,"
    " former_gateway TEXT NOT NULL DEFAULT '', router INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE IF NOT EXISTS generations (eui64 INTEGER NOT NULL, number INTEGER NOT NULL, key_id TEXT NOT NULL UNIQUE,"
    " sequence INTEGER NOT NULL, offered INTEGER NOT NULL, joined INTEGER NOT NULL, registered_at INTEGER NOT NULL, coordinator INTEGER NOT NULL,"
    " network BLOB NOT NULL, base BLOB NOT NULL, base_unique INTEGER NOT NULL, fresh BLOB, trust INTEGER NOT NULL, in_base INTEGER NOT NULL,"
    " in_fresh INTEGER NOT NULL, attempts INTEGER NOT NULL, rotation INTEGER NOT NULL DEFAULT 0, of_group INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (eui64, number)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS applications (name TEXT PRIMARY KEY, policy INTEGER NOT NULL, owner TEXT NOT NULL, generation INTEGER NOT NULL,"
    " required INTEGER NOT NULL, required_at INTEGER NOT NULL, network BLOB) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS counters (eui64 INTEGER PRIMARY KEY, reserved INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS gateways (name TEXT PRIMARY KEY, eui64 INTEGER NOT NULL UNIQUE, relay TEXT NOT NULL, identity TEXT NOT NULL,"
    " epoch INTEGER NOT NULL, pan_id INTEGER NOT NULL, extended_pan_id INTEGER NOT NULL, channel INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS permits (gateway TEXT PRIMARY KEY, until INTEGER NOT NULL, seconds INTEGER NOT NULL, whole INTEGER NOT NULL,"
    " devices BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS removals (gateway TEXT NOT NULL, eui64 INTEGER NOT NULL, PRIMARY KEY (gateway, eui64)) WITHOUT ROWID;"

    /* Generations of a store that was an old copy once begin beyond all that the younger one may have given out: node B has those, with other keys. */
    "CREATE TABLE IF NOT EXISTS floors (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;";
#define COPY_GENERATIONS "128" /* half of the key sequence numbers, so that the next one is another too */

/* An old copy must not repeat a number that was given out since. Requests and answers of a device are limited to fewer in a second. */
static const struct database_numbers frame_counters = {
	.move = "UPDATE counters SET reserved = min(0xffffff00, reserved + (SELECT by FROM origin))",
	.if_copy = "REPLACE INTO floors SELECT 'generation', " COPY_GENERATIONS " + max(coalesce((SELECT max(number) FROM generations), 0),"
		   " coalesce((SELECT max(generation) FROM applications), 0), coalesce((SELECT value FROM floors WHERE name='generation'), 0))",
	.per_second = 200,
	.limit = COUNTER_LIMIT,
};
_Static_assert(COUNTER_LIMIT == 0xffffff00U, "frame_counters.move has it as a number");

int64_t mef_sql_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s;
	int64_t n = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

/* A file without keys is one of this version. */
static enum err mark_new(struct mef_store *st)
{
	if (mef_sql_number(st->db, "PRAGMA user_version") != 0 || mef_sql_number(st->db, "SELECT count(*) FROM devices") != 0)
		return OK;
	return database_execute(st->db, "PRAGMA user_version = 1");
}

static enum err resume(struct mef_store *st, const char *path, const char **detail)
{
	enum err e = database_resume(st->db, path, &frame_counters, clock_unix_ms() / 1000, &st->gap);
	int64_t floor = mef_sql_number(st->db, "SELECT coalesce(max(value), 0) FROM floors WHERE name='generation'");

	if (e == ERR_STATE)
		*detail = "it is an old copy, and is of later than now: set the clock, how many frame counters are to be skipped follows from it";
	else if (e != OK || floor < 0)
		*detail = "the database can't be written";
	st->generation_floor = floor > 0 ? (uint32_t)floor : 0;
	return e == OK && floor < 0 ? ERR_STORE : e;
}

enum err mef_store_open(const char *path, const struct secret *file_key, struct rng *rng, struct mef_store **out, const char **detail)
{
	struct mef_store *st = calloc(1, sizeof *st);
	enum err e;

	if (!st)
		return ERR_NO_MEMORY;
	st->file_key = file_key;
	st->rng = rng;
	if (database_open(path, mef_schema, &st->db, detail) != OK || mark_new(st) != OK) {
		mef_store_close(st);
		return ERR_STORE;
	}
	/* Databases of before keys were rotated and shared, devices replaced or moved, or behind routers; each fails, and may, where the column is there. */
	(void)sqlite3_exec(st->db, "ALTER TABLE devices ADD COLUMN replaces INTEGER NOT NULL DEFAULT 0", NULL, NULL, NULL);
	(void)sqlite3_exec(st->db, "ALTER TABLE devices ADD COLUMN former_gateway TEXT NOT NULL DEFAULT ''", NULL, NULL, NULL);
	(void)sqlite3_exec(st->db, "ALTER TABLE devices ADD COLUMN router INTEGER NOT NULL DEFAULT 0", NULL, NULL, NULL);
	(void)sqlite3_exec(st->db, "ALTER TABLE generations ADD COLUMN rotation INTEGER NOT NULL DEFAULT 0", NULL, NULL, NULL);
	(void)sqlite3_exec(st->db, "ALTER TABLE generations ADD COLUMN of_group INTEGER NOT NULL DEFAULT 0", NULL, NULL, NULL);
	e = resume(st, path, detail);
	if (e != OK) {
		mef_store_close(st);
		return e;
	}
	*out = st;
	return OK;
}

const struct database_gap *mef_store_gap(const struct mef_store *st)
{
	return &st->gap;
}

uint32_t mef_store_generation_after(const struct mef_store *st, uint32_t last)
{
	return last + 1 > st->generation_floor ? last + 1 : st->generation_floor;
}

enum err mef_store_alive(struct mef_store *st)
{
	return database_alive(st->db, clock_unix_ms() / 1000);
}

void mef_store_close(struct mef_store *st)
{
	if (!st)
		return;
	sqlite3_close(st->db);
	free(st);
}

enum err mef_store_begin(struct mef_store *st)
{
	return database_execute(st->db, "BEGIN IMMEDIATE");
}

enum err mef_store_commit(struct mef_store *st)
{
	return database_execute(st->db, "COMMIT");
}

void mef_store_rollback(struct mef_store *st)
{
	sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL); /* may have happened by itself */
}

/* kinds: one letter a value: i int64_t, s const char *, b struct rd * (NULL pointer: SQL NULL). */
/* ---- statements ---- */

static sqlite3_stmt *prepare(struct mef_store *st, const char *sql, const char *kinds, va_list args)
{
	sqlite3_stmt *s;
	const struct rd *blob;
	int n = 1;

	if (sqlite3_prepare_v2(st->db, sql, -1, &s, NULL) != SQLITE_OK)
		return NULL;
	for (; *kinds; kinds++, n++) {
		if (*kinds == 'i') {
			sqlite3_bind_int64(s, n, va_arg(args, int64_t));
		} else if (*kinds == 's') {
			sqlite3_bind_text(s, n, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
		} else {
			blob = va_arg(args, const struct rd *);
			if (blob)
				sqlite3_bind_blob(s, n, blob->at, (int)blob->left, SQLITE_TRANSIENT);
		}
	}
	return s;
}

enum err mef_sql_run(struct mef_store *st, const char *sql, const char *kinds, ...)
{
	sqlite3_stmt *s;
	va_list args;
	int result;

	va_start(args, kinds);
	s = prepare(st, sql, kinds, args);
	va_end(args);
	if (!s)
		return ERR_STORE;
	result = sqlite3_step(s);
	sqlite3_finalize(s);
	return result == SQLITE_DONE || result == SQLITE_ROW ? OK : ERR_STORE;
}

sqlite3_stmt *mef_sql_query(struct mef_store *st, const char *sql, const char *kinds, ...)
{
	sqlite3_stmt *s;
	va_list args;

	va_start(args, kinds);
	s = prepare(st, sql, kinds, args);
	va_end(args);
	return s;
}

uint64_t mef_sql_u64(sqlite3_stmt *s, int n)
{
	return (uint64_t)sqlite3_column_int64(s, n);
}

/* False when it is longer than its place: not written by us. */
bool mef_sql_text(sqlite3_stmt *s, int n, char *dst, size_t size)
{
	const unsigned char *text = sqlite3_column_text(s, n);

	return text && rd_text(rd_of(text, (size_t)sqlite3_column_bytes(s, n)), dst, size);
}

struct rd mef_sql_blob(sqlite3_stmt *s, int n)
{
	return rd_of(sqlite3_column_blob(s, n), (size_t)sqlite3_column_bytes(s, n));
}

/* ---- sealed keys ---- */

void mef_label_generation(char label[static LABEL_MAX], uint64_t eui64, uint32_t number, const char *kind)
{
	char device[EUI64_SIZE];

	eui64_print(device, eui64);
	snprintf(label, LABEL_MAX, "generations:%s:%u:%s", device, number, kind);
}

void mef_label_install(char label[static LABEL_MAX], uint64_t eui64)
{
	char device[EUI64_SIZE];

	eui64_print(device, eui64);
	snprintf(label, LABEL_MAX, "devices:%s:install", device);
}

enum err mef_seal(struct mef_store *st, const char *label, const struct secret *s, struct sealed_octets *out)
{
	struct wr w = wr_of(out->octets, sizeof out->octets);
	enum err e = secret_seal(st->file_key, label, s, st->rng, &w);

	if (e == OK && !wr_done(&w, &out->rd))
		e = ERR_TOO_LONG;
	return e;
}
