/* Writing of rows and of their labels. */
#include "store/sqlite/private.h"

/* Runs a write and gives it back. What is no plain "taken" leaves an operation half done and spoils the transaction. */
static enum err finish(struct store *s, enum query q, sqlite3_stmt *st)
{
	int r = query_step(st);
	enum err e = r == SQLITE_DONE ? OK : store_fault(s, r);

	query_give(s, q, st);
	return e == OK || e == ERR_EXISTS ? e : store_spoil(s, e);
}

static enum err take(struct store *s, enum query q, sqlite3_stmt **st)
{
	enum err e = query_take(s, q, st);

	return e == OK ? OK : store_spoil(s, e);
}

enum err store_change(struct store *s, enum query q, int64_t one, int64_t two)
{
	sqlite3_stmt *st;
	enum err e = take(s, q, &st);

	if (e != OK)
		return e;
	sqlite3_bind_int64(st, 1, one);
	sqlite3_bind_int64(st, 2, two);
	e = finish(s, q, st);
	return e == ERR_EXISTS ? store_spoil(s, store_refuse(s, ERR_STORE, "a row is not as it was left")) : e;
}

static void bind_octets_as_text(sqlite3_stmt *st, int n, struct rd text)
{
	sqlite3_bind_text64(st, n, text.left ? (const char *)text.at : "", text.left, SQLITE_STATIC, SQLITE_UTF8);
}

static int64_t expiry_of(const struct store_row *row)
{
	return row->expires > INT64_MAX ? 0 : (int64_t)row->expires; /* beyond all times: never */
}

/* ---- labels ---- */

static enum err labels_drop(struct store *s, const struct store_row *row)
{
	sqlite3_stmt *st;
	enum err e = take(s, QUERY_LABELS_DROP, &st);

	if (e != OK)
		return e;
	sqlite3_bind_int64(st, 1, row->parent);
	sqlite3_bind_int(st, 2, row->instance);
	sqlite3_bind_int64(st, 3, row->id);
	return finish(s, QUERY_LABELS_DROP, st);
}

static enum err labels_put(struct store *s, const struct store_row *row, const struct rd *labels, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		sqlite3_stmt *st;
		enum err e = take(s, QUERY_LABEL_PUT, &st);

		if (e != OK)
			return e;
		bind_octets_as_text(st, 1, labels[i]);
		sqlite3_bind_int64(st, 2, row->id);
		sqlite3_bind_int64(st, 3, row->parent);
		sqlite3_bind_int(st, 4, row->instance);
		if ((e = finish(s, QUERY_LABEL_PUT, st)) != OK)
			return e;
	}
	return OK;
}

/* ---- insert ---- */

/* A name is taken in the other kind of row; that in the same kind is the index's business. */
static enum err name_free(struct store *s, const struct store_row *row)
{
	enum query q = row->instance ? QUERY_NAME_TAKEN : QUERY_INSTANCE_NAME_TAKEN;
	sqlite3_stmt *st;
	enum err e;
	int r;

	if (!row->rn)
		return OK;
	if ((e = take(s, q, &st)) != OK)
		return e;
	sqlite3_bind_int64(st, 1, row->parent);
	sqlite3_bind_text(st, 2, row->rn, -1, SQLITE_STATIC);
	r = query_step(st);
	e = r == SQLITE_DONE ? OK : r == SQLITE_ROW ? ERR_EXISTS : store_spoil(s, store_fault(s, r));
	query_give(s, q, st);
	return e;
}

static void bind_row(sqlite3_stmt *st, const struct store_row *row, int64_t key)
{
	sqlite3_bind_int64(st, 1, key);
	if (row->instance && !row->rn)
		sqlite3_bind_null(st, 2); /* named in nothing */
	else
		sqlite3_bind_int64(st, 2, row->parent);
	sqlite3_bind_int(st, 3, row->type);
	sqlite3_bind_text(st, 4, row->rn, -1, SQLITE_STATIC); /* NULL binds NULL */
	sqlite3_bind_text(st, 5, row->root ? row->root : "", -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 6, row->creator ? row->creator : "", -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 7, expiry_of(row));
	bind_octets_as_text(st, 8, row->body);
}

enum err store_row_insert(struct store *s, const struct store_row *row)
{
	enum query q = row->instance ? QUERY_INSERT_INSTANCE : QUERY_INSERT;
	int64_t key = row->id;
	sqlite3_stmt *st;
	enum err e = row->instance ? stretch_make(s, row->parent, row->id, &key) : OK;

	if (e != OK || (e = take(s, q, &st)) != OK)
		return e;
	bind_row(st, row, key);
	if (!row->instance)
		sqlite3_bind_text(st, 9, row->ri, -1, SQLITE_STATIC);
	return finish(s, q, st);
}

enum err store_instances_insert(struct store *s, const struct later_row *rows)
{
	int64_t keys[INSTANCES_AT_ONCE];
	sqlite3_stmt *st;
	enum err e;
	int n = 1;

	for (size_t i = 0; i < INSTANCES_AT_ONCE; i++)
		if ((e = stretch_make(s, rows[i].row.parent, rows[i].row.id, &keys[i])) != OK)
			return e;
	if ((e = take(s, QUERY_INSERT_INSTANCES, &st)) != OK)
		return e;
	for (size_t i = 0; i < INSTANCES_AT_ONCE; i++) {
		const struct store_row *row = &rows[i].row;

		sqlite3_bind_int64(st, n++, keys[i]);
		sqlite3_bind_int(st, n++, row->type);
		sqlite3_bind_text(st, n++, row->root, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, n++, row->creator, -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, n++, expiry_of(row));
		bind_octets_as_text(st, n++, row->body);
	}
	return finish(s, QUERY_INSERT_INSTANCES, st);
}

/* What can fail by its own fault, or needs more than its row, is not put off. */
static bool can_wait(const struct store *s, const struct store_row *row, size_t label_count)
{
	return row->instance && !row->rn && label_count == 0 && s->depth == 0;
}

enum err store_insert(struct store *s, const struct store_row *row, const struct rd *labels, size_t label_count)
{
	enum err e;

	if (row->id <= 0 || row->id >= s->next || (row->instance && row->ri))
		return store_refuse(s, ERR_STATE, "a row needs a number from the store, and an instance has no resourceID of its own");
	if (can_wait(s, row, label_count)) {
		e = store_may_write(s) ? later_put(s, row, false) : ERR_STATE;
		s->count += e == OK;
		return e;
	}
	if ((e = store_begin(s)) != OK || (e = name_free(s, row)) != OK || (e = store_row_insert(s, row)) != OK)
		return e;
	s->count++;
	return labels_put(s, row, labels, label_count);
}

/* ---- update and delete ---- */

/* A statement on a row: a resource's by its id and parent, an instance's by its key. */
static enum err take_row(struct store *s, const struct store_row *row, enum query q, sqlite3_stmt **st)
{
	int64_t key = row->id;
	enum err e = row->instance ? stretch_find(s, row->parent, row->id, &key) : OK;

	if (e != OK || (e = take(s, q, st)) != OK)
		return e;
	sqlite3_bind_int64(*st, 1, key);
	if (!row->instance)
		sqlite3_bind_int64(*st, 2, row->parent);
	return OK;
}

enum err store_row_update(struct store *s, const struct store_row *row)
{
	enum query q = row->instance ? QUERY_UPDATE_INSTANCE : QUERY_UPDATE;
	sqlite3_stmt *st;
	enum err e = take_row(s, row, q, &st);

	if (e != OK)
		return e;
	sqlite3_bind_int64(st, 3, expiry_of(row));
	bind_octets_as_text(st, 4, row->body);
	if ((e = finish(s, q, st)) != OK)
		return e;
	return sqlite3_changes(s->db) == 0 ? ERR_NOT_FOUND : OK;
}

enum err store_body_update(struct store *s, const struct store_row *row)
{
	sqlite3_stmt *st;
	enum err e = take(s, QUERY_UPDATE_BODY, &st);

	if (e != OK)
		return e;
	sqlite3_bind_int64(st, 1, row->id);
	bind_octets_as_text(st, 2, row->body);
	if ((e = finish(s, QUERY_UPDATE_BODY, st)) != OK)
		return e;
	return sqlite3_changes(s->db) == 0 ? ERR_NOT_FOUND : OK;
}

enum err store_update_later(struct store *s, const struct store_row *row)
{
	enum err e;

	if (row->instance)
		return store_refuse(s, ERR_STATE, "an instance is not updated late");
	if (!store_may_write(s))
		return ERR_STATE;
	if (s->depth == 0)
		return later_put(s, row, true);
	e = store_begin(s);
	return e == OK ? store_body_update(s, row) : e;
}

enum err store_update(struct store *s, const struct store_row *row, const struct rd *labels, size_t label_count)
{
	enum err e;

	if ((e = store_begin(s)) != OK || (e = store_row_update(s, row)) != OK || !labels)
		return e;
	e = labels_drop(s, row);
	return e == OK ? labels_put(s, row, labels, label_count) : e;
}

enum err store_delete(struct store *s, const struct store_row *row)
{
	enum query q = row->instance ? QUERY_DELETE_INSTANCE : QUERY_DELETE;
	sqlite3_stmt *st;
	enum err e;

	if ((e = store_begin(s)) != OK || (e = take_row(s, row, q, &st)) != OK || (e = finish(s, q, st)) != OK)
		return e;
	if (sqlite3_changes(s->db) == 0)
		return ERR_NOT_FOUND;
	s->count--;
	if ((e = labels_drop(s, row)) != OK || row->instance)
		return e;
	return gone_delete_below(s, row->id);
}

enum err store_delete_instances(struct store *s, int64_t parent, int64_t upto, uint64_t *deleted)
{
	enum err e;

	*deleted = 0;
	if ((e = store_begin(s)) != OK || (e = store_change(s, QUERY_LABELS_DROP_INSTANCES, parent, upto)) != OK || (e = stretch_delete(s, parent, upto, deleted)) != OK)
		return e;
	s->count -= *deleted;
	return OK;
}
