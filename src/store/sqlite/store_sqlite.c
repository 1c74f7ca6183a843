/* The store on SQLite: WAL, synchronous=FULL, prepared statements. */
#include "store/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;"
    "CREATE TABLE IF NOT EXISTS resource(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, type INTEGER NOT NULL, ri TEXT NOT NULL,"
    " rn TEXT NOT NULL, root TEXT NOT NULL, creator TEXT NOT NULL, body BLOB NOT NULL);"
    "CREATE UNIQUE INDEX IF NOT EXISTS resource_ri ON resource(ri);"
    "CREATE UNIQUE INDEX IF NOT EXISTS resource_name ON resource(parent, rn);"
    "CREATE INDEX IF NOT EXISTS resource_child ON resource(parent, type, id);"
    "CREATE TABLE IF NOT EXISTS number(next INTEGER NOT NULL);"
    "INSERT INTO number SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM number);";

#define COLUMNS "SELECT id, parent, type, ri, rn, root, creator, body FROM resource "

enum statement {
	BY_ID,
	BY_RI,
	BY_NAME,
	NEWEST,
	OLDEST,
	CHILDREN,
	CHILDREN_OF_TYPE,
	INSERT,
	UPDATE,
	DELETE,
	NUMBER_RESERVE,
	NUMBER_READ,
	COUNT,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[BY_ID] = COLUMNS "WHERE id=?",
	[BY_RI] = COLUMNS "WHERE ri=?",
	[BY_NAME] = COLUMNS "WHERE parent=? AND rn=?",
	[NEWEST] = COLUMNS "WHERE parent=? AND type=? ORDER BY id DESC LIMIT 1",
	[OLDEST] = COLUMNS "WHERE parent=? AND type=? ORDER BY id LIMIT 1",
	[CHILDREN] = COLUMNS "WHERE parent=? ORDER BY id",
	[CHILDREN_OF_TYPE] = COLUMNS "WHERE parent=? AND type=? ORDER BY id",
	[INSERT] = "INSERT INTO resource(parent, type, ri, rn, root, creator, body) VALUES(?,?,?,?,?,?,?)",
	[UPDATE] = "UPDATE resource SET body=? WHERE id=?",
	[DELETE] = "WITH RECURSIVE t(id) AS (SELECT ?1 UNION ALL SELECT r.id FROM resource r JOIN t ON r.parent=t.id)"
		   " DELETE FROM resource WHERE id IN (SELECT id FROM t)",
	[NUMBER_RESERVE] = "UPDATE number SET next=next+1000",
	[NUMBER_READ] = "SELECT next FROM number",
	[COUNT] = "SELECT count(*) FROM resource",
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	bool dirty;
	uint64_t next, reserved;
};

enum err store_open(const char *path, struct store **out)
{
	struct store *s = calloc(1, sizeof *s);

	if (!s)
		return ERR_NO_MEMORY;
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(s->db, 5000) != SQLITE_OK || sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
		store_close(s);
		return ERR_STORE;
	}
	for (size_t i = 0; i < STATEMENTS; i++) {
		if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL) != SQLITE_OK) {
			store_close(s);
			return ERR_STORE;
		}
	}
	*out = s;
	return OK;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	free(s);
}

void store_row_clear(struct store_row *row)
{
	free((void *)(uintptr_t)row->body.at);
	row->body = rd_of(NULL, 0);
}

static void copy_text(sqlite3_stmt *q, int column, char *dst)
{
	const char *text = (const char *)sqlite3_column_text(q, column);

	snprintf(dst, STORE_NAME, "%s", text ? text : "");
}

static void row_of(sqlite3_stmt *q, struct store_row *row, bool borrow)
{
	const void *body = sqlite3_column_blob(q, 7);
	size_t len = (size_t)sqlite3_column_bytes(q, 7);

	row->id = sqlite3_column_int64(q, 0);
	row->parent = sqlite3_column_int64(q, 1);
	row->type = sqlite3_column_int(q, 2);
	copy_text(q, 3, row->ri);
	copy_text(q, 4, row->rn);
	copy_text(q, 5, row->root);
	copy_text(q, 6, row->creator);
	row->body = rd_of(borrow ? body : rd_strdup(rd_of(body, len)), len);
}

static enum err one(sqlite3_stmt *q, struct store_row *row)
{
	int r = sqlite3_step(q);

	if (r == SQLITE_ROW)
		row_of(q, row, false);
	sqlite3_reset(q);
	if (r == SQLITE_ROW)
		return row->body.at ? OK : ERR_NO_MEMORY;
	return r == SQLITE_DONE ? ERR_NOT_FOUND : ERR_STORE;
}

enum err store_by_id(struct store *s, int64_t id, struct store_row *row)
{
	sqlite3_bind_int64(s->statements[BY_ID], 1, id);
	return one(s->statements[BY_ID], row);
}

enum err store_by_ri(struct store *s, const char *ri, struct store_row *row)
{
	sqlite3_bind_text(s->statements[BY_RI], 1, ri, -1, SQLITE_TRANSIENT);
	return one(s->statements[BY_RI], row);
}

enum err store_by_name(struct store *s, int64_t parent, const char *rn, struct store_row *row)
{
	sqlite3_bind_int64(s->statements[BY_NAME], 1, parent);
	sqlite3_bind_text(s->statements[BY_NAME], 2, rn, -1, SQLITE_TRANSIENT);
	return one(s->statements[BY_NAME], row);
}

enum err store_edge_child(struct store *s, int64_t parent, int type, bool newest, struct store_row *row)
{
	sqlite3_stmt *q = s->statements[newest ? NEWEST : OLDEST];

	sqlite3_bind_int64(q, 1, parent);
	sqlite3_bind_int(q, 2, type);
	return one(q, row);
}

/* A statement of its own: fn may walk deeper with the same query. */
enum err store_children(struct store *s, int64_t parent, int type, store_each *fn, void *ctx)
{
	sqlite3_stmt *q;
	int r;

	if (sqlite3_prepare_v2(s->db, sql[type ? CHILDREN_OF_TYPE : CHILDREN], -1, &q, NULL) != SQLITE_OK)
		return ERR_STORE;
	sqlite3_bind_int64(q, 1, parent);
	if (type)
		sqlite3_bind_int(q, 2, type);
	while ((r = sqlite3_step(q)) == SQLITE_ROW) {
		struct store_row row;

		row_of(q, &row, true);
		if (!fn(ctx, &row)) {
			r = SQLITE_DONE;
			break;
		}
	}
	sqlite3_finalize(q);
	return r == SQLITE_DONE ? OK : ERR_STORE;
}

static enum err begin(struct store *s)
{
	if (s->dirty)
		return OK;
	if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return ERR_STORE;
	s->dirty = true;
	return OK;
}

static enum err run(sqlite3_stmt *q)
{
	int r = sqlite3_step(q);

	sqlite3_reset(q);
	if (r == SQLITE_DONE)
		return OK;
	return r == SQLITE_CONSTRAINT ? ERR_EXISTS : ERR_STORE;
}

enum err store_insert(struct store *s, struct store_row *row)
{
	sqlite3_stmt *q = s->statements[INSERT];
	enum err e = begin(s);

	if (e != OK)
		return e;
	sqlite3_bind_int64(q, 1, row->parent);
	sqlite3_bind_int(q, 2, row->type);
	sqlite3_bind_text(q, 3, row->ri, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 4, row->rn, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 5, row->root, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 6, row->creator, -1, SQLITE_STATIC);
	sqlite3_bind_blob(q, 7, row->body.at, (int)row->body.left, SQLITE_STATIC);
	e = run(q);
	if (e == OK)
		row->id = sqlite3_last_insert_rowid(s->db);
	return e;
}

enum err store_update(struct store *s, int64_t id, struct rd body)
{
	sqlite3_stmt *q = s->statements[UPDATE];
	enum err e = begin(s);

	if (e != OK)
		return e;
	sqlite3_bind_blob(q, 1, body.at, (int)body.left, SQLITE_STATIC);
	sqlite3_bind_int64(q, 2, id);
	return run(q);
}

enum err store_delete(struct store *s, int64_t id)
{
	sqlite3_stmt *q = s->statements[DELETE];
	enum err e = begin(s);

	if (e != OK)
		return e;
	sqlite3_bind_int64(q, 1, id);
	return run(q);
}

bool store_dirty(const struct store *s)
{
	return s->dirty;
}

enum err store_commit(struct store *s)
{
	if (!s->dirty)
		return OK;
	s->dirty = false;
	if (sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return OK;
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return ERR_STORE;
}

/* Numbers are reserved a thousand at a time; a crash skips some. */
uint64_t store_next_number(struct store *s)
{
	if (s->next == s->reserved) {
		sqlite3_stmt *q = s->statements[NUMBER_READ];

		if (begin(s) != OK)
			return 0;
		if (sqlite3_step(q) == SQLITE_ROW)
			s->next = (uint64_t)sqlite3_column_int64(q, 0);
		sqlite3_reset(q);
		if (run(s->statements[NUMBER_RESERVE]) != OK)
			return 0;
		s->reserved = s->next + 1000;
	}
	return s->next++;
}

uint64_t store_count(struct store *s)
{
	sqlite3_stmt *q = s->statements[COUNT];
	uint64_t n = sqlite3_step(q) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(q, 0) : 0;

	sqlite3_reset(q);
	return n;
}
