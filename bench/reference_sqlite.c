/* Reference (b): durable inserts into SQLite, a number of them a transaction, and nothing else. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/load.h"
#include "bench/reference.h"

static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "CREATE TABLE row(id INTEGER PRIMARY KEY, body BLOB NOT NULL);";

struct inserting {
	sqlite3 *db;
	sqlite3_stmt *begin, *insert, *commit;
	uint8_t *body;
};

static uint64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000U + (uint64_t)t.tv_nsec / 1000U;
}

static bool step(sqlite3_stmt *q)
{
	int r = sqlite3_step(q);

	sqlite3_reset(q);
	return r == SQLITE_DONE;
}

static bool transaction(struct inserting *i, const struct reference_sqlite_options *o)
{
	if (!step(i->begin))
		return false;
	for (unsigned n = 0; n < o->batch; n++) {
		i->body[n % o->body]++;
		if (sqlite3_bind_blob(i->insert, 1, i->body, (int)o->body, SQLITE_STATIC) != SQLITE_OK || !step(i->insert))
			return false;
	}
	return step(i->commit);
}

static bool open_all(struct inserting *i, const struct reference_sqlite_options *o)
{
	i->body = calloc(1, o->body);
	return i->body && sqlite3_open(o->path, &i->db) == SQLITE_OK && sqlite3_exec(i->db, schema, NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(i->db, "BEGIN IMMEDIATE", -1, &i->begin, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(i->db, "INSERT INTO row(body) VALUES(?)", -1, &i->insert, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(i->db, "COMMIT", -1, &i->commit, NULL) == SQLITE_OK;
}

static void close_all(struct inserting *i)
{
	sqlite3_finalize(i->begin);
	sqlite3_finalize(i->insert);
	sqlite3_finalize(i->commit);
	sqlite3_close(i->db);
	free(i->body);
}

enum err reference_sqlite(const struct reference_sqlite_options *o, struct reference_sqlite_result *r)
{
	struct inserting i = {.db = NULL};
	uint64_t now = load_now_ns(), warm = now + o->warm_ms * 1000000U, end = warm + o->time_ms * 1000000U, first = 0, cpu = 0;
	enum err e = o->batch > 0 && o->body > 0 && open_all(&i, o) ? OK : ERR_STORE;

	memset(r, 0, sizeof *r);
	while (e == OK && now < end) {
		uint64_t before = now;

		if (!first && now >= warm) {
			first = now;
			cpu = cpu_us();
		}
		if (!transaction(&i, o))
			e = ERR_STORE;
		now = load_now_ns();
		if (first) {
			r->inserts += o->batch;
			histogram_add(&r->latency, now - before);
		}
		if (e == OK && o->stop && *o->stop)
			e = ERR_CLOSED;
	}
	if (r->inserts > 0) {
		r->seconds = (double)(now - first) / 1e9;
		r->cpu_us = (double)(cpu_us() - cpu) / (double)r->inserts;
	}
	close_all(&i);
	return e;
}
