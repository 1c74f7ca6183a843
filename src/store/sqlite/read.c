/* Reading of rows. Everything in a row is borrowed from the statement that stands on it. */
#include "store/sqlite/private.h"

#include <string.h>

#define HIDDEN_MAX 4096

static enum err take(struct store *s, enum query q, sqlite3_stmt **out)
{
	enum err e = store_view(s);

	return e == OK ? query_take(s, q, out) : e;
}

/* Never NULL for columns that have to be there: a damaged file must not crash who compares them. */
static const char *text_of(sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	return text ? text : "";
}

static void row_of(sqlite3_stmt *st, struct store_row *row)
{
	row->id = sqlite3_column_int64(st, 0);
	row->parent = sqlite3_column_int64(st, 1);
	row->type = sqlite3_column_int(st, 2);
	row->ri = (const char *)sqlite3_column_text(st, 3);
	row->rn = (const char *)sqlite3_column_text(st, 4);
	row->root = text_of(st, 5);
	row->creator = text_of(st, 6);
	row->expires = (uint64_t)sqlite3_column_int64(st, 7);
	row->body.at = sqlite3_column_blob(st, 8); /* as it lies there: the text needs no zero */
	row->body.left = (size_t)sqlite3_column_bytes(st, 8);
	row->instance = sqlite3_column_int(st, 9) != 0;
}

/* Steps through what st finds and gives it back. */
static enum err walk(struct store *s, enum query q, sqlite3_stmt *st, store_each *fn, void *ctx, bool *any)
{
	unsigned hidden = 0;
	enum err e = OK;
	int r;

	s->walking++;
	while ((r = query_step(st)) == SQLITE_ROW) {
		struct store_row row;

		row_of(st, &row);
		if (row.instance && s->gone_count > 0 && gone_has(s, row.parent)) {
			/* those that expired come in no portion again: what sweeps deletes them soon */
			if (q == QUERY_EXPIRED && ++hidden == HIDDEN_MAX)
				break;
			continue;
		}
		*any = true;
		if (!fn(ctx, &row))
			break;
	}
	s->walking--;
	if (r != SQLITE_ROW && r != SQLITE_DONE)
		e = store_fault(s, r);
	query_give(s, q, st);
	return e;
}

static enum err one(struct store *s, enum query q, sqlite3_stmt *st, store_each *fn, void *ctx)
{
	bool any = false;
	enum err e = walk(s, q, st, fn, ctx, &any);

	return e == OK && !any ? ERR_NOT_FOUND : e;
}

static enum err all(struct store *s, enum query q, sqlite3_stmt *st, store_each *fn, void *ctx)
{
	bool any = false;

	return walk(s, q, st, fn, ctx, &any);
}

enum err store_by_id(struct store *s, int64_t id, store_each *fn, void *ctx)
{
	sqlite3_stmt *st;
	enum err e = take(s, QUERY_BY_ID, &st);

	if (e != OK)
		return e;
	sqlite3_bind_int64(st, 1, id);
	return one(s, QUERY_BY_ID, st, fn, ctx);
}

enum err store_instance(struct store *s, int64_t parent, int64_t id, store_each *fn, void *ctx)
{
	sqlite3_stmt *st;
	enum err e = take(s, QUERY_INSTANCE, &st);

	if (e != OK)
		return e;
	sqlite3_bind_int64(st, 1, parent);
	sqlite3_bind_int64(st, 2, id);
	return one(s, QUERY_INSTANCE, st, fn, ctx);
}

enum err store_by_ri(struct store *s, const char *ri, store_each *fn, void *ctx)
{
	sqlite3_stmt *st;
	enum err e = take(s, QUERY_BY_RI, &st);

	if (e != OK)
		return e;
	sqlite3_bind_text(st, 1, ri, -1, SQLITE_STATIC);
	return one(s, QUERY_BY_RI, st, fn, ctx);
}

static enum err by_name(struct store *s, enum query q, int64_t parent, const char *rn, store_each *fn, void *ctx)
{
	sqlite3_stmt *st;
	enum err e = take(s, q, &st);

	if (e != OK)
		return e;
	sqlite3_bind_int64(st, 1, parent);
	sqlite3_bind_text(st, 2, rn, -1, SQLITE_STATIC);
	return one(s, q, st, fn, ctx);
}

enum err store_by_name(struct store *s, int64_t parent, const char *rn, store_each *fn, void *ctx)
{
	enum err e = by_name(s, QUERY_BY_NAME, parent, rn, fn, ctx);

	return e == ERR_NOT_FOUND ? by_name(s, QUERY_INSTANCE_BY_NAME, parent, rn, fn, ctx) : e;
}

enum err store_children(struct store *s, int64_t parent, int type, int64_t after, store_each *fn, void *ctx)
{
	enum query q = type ? QUERY_CHILDREN_OF_TYPE : QUERY_CHILDREN;
	sqlite3_stmt *st;
	enum err e = take(s, q, &st);

	if (e != OK)
		return e;
	sqlite3_bind_int64(st, 1, parent);
	sqlite3_bind_int64(st, 2, after);
	if (type)
		sqlite3_bind_int(st, 3, type);
	return all(s, q, st, fn, ctx);
}

enum err store_instances(struct store *s, int64_t parent, bool newest, int64_t after, store_each *fn, void *ctx)
{
	enum query q = newest ? QUERY_INSTANCES_NEWEST : QUERY_INSTANCES;
	sqlite3_stmt *st;
	enum err e = take(s, q, &st);

	if (e != OK)
		return e;
	sqlite3_bind_int64(st, 1, parent);
	sqlite3_bind_int64(st, 2, newest && after == 0 ? INT64_MAX : after);
	return all(s, q, st, fn, ctx);
}

enum err store_by_type(struct store *s, int type, int64_t after, store_each *fn, void *ctx)
{
	sqlite3_stmt *st;
	enum err e = take(s, QUERY_BY_TYPE, &st);

	if (e != OK)
		return e;
	sqlite3_bind_int(st, 1, type);
	sqlite3_bind_int64(st, 2, after);
	return all(s, QUERY_BY_TYPE, st, fn, ctx);
}

static void bind_label(sqlite3_stmt *st, int n, struct rd label)
{
	sqlite3_bind_text64(st, n, label.left ? (const char *)label.at : "", label.left, SQLITE_STATIC, SQLITE_UTF8);
}

enum err store_by_label(struct store *s, struct rd label, int64_t after, store_each *fn, void *ctx)
{
	sqlite3_stmt *st;
	enum err e = take(s, QUERY_BY_LABEL, &st);

	if (e != OK)
		return e;
	bind_label(st, 1, label);
	sqlite3_bind_int64(st, 2, after);
	return all(s, QUERY_BY_LABEL, st, fn, ctx);
}

/* The one number that a statement gives, or `otherwise`. */
static uint64_t number(struct store *s, enum query q, sqlite3_stmt *st, uint64_t otherwise)
{
	int r = query_step(st);
	uint64_t n = otherwise;

	if (r == SQLITE_ROW)
		n = (uint64_t)sqlite3_column_int64(st, 0);
	else
		(void)store_fault(s, r);
	query_give(s, q, st);
	return n;
}

uint64_t store_label_count(struct store *s, struct rd label, uint64_t most)
{
	sqlite3_stmt *st;

	if (take(s, QUERY_LABEL_COUNT, &st) != OK)
		return 0;
	bind_label(st, 1, label);
	sqlite3_bind_int64(st, 2, most > INT64_MAX ? INT64_MAX : (int64_t)most);
	return number(s, QUERY_LABEL_COUNT, st, 0);
}

uint64_t store_type_count(struct store *s, int type, uint64_t most)
{
	sqlite3_stmt *st;

	if (take(s, QUERY_TYPE_COUNT, &st) != OK)
		return 0;
	sqlite3_bind_int(st, 1, type);
	sqlite3_bind_int64(st, 2, most > INT64_MAX ? INT64_MAX : (int64_t)most);
	return number(s, QUERY_TYPE_COUNT, st, 0);
}

enum err store_expired(struct store *s, uint64_t now_ms, store_each *fn, void *ctx)
{
	sqlite3_stmt *st;
	enum err e = take(s, QUERY_EXPIRED, &st);

	if (e != OK)
		return e;
	sqlite3_bind_int64(st, 1, now_ms > INT64_MAX ? INT64_MAX : (int64_t)now_ms);
	return all(s, QUERY_EXPIRED, st, fn, ctx);
}

uint64_t store_next_expiry(struct store *s)
{
	sqlite3_stmt *st;
	uint64_t soonest;

	if (take(s, QUERY_NEXT_EXPIRY, &st) != OK)
		return UINT64_MAX;
	soonest = number(s, QUERY_NEXT_EXPIRY, st, INT64_MAX);
	return soonest >= INT64_MAX ? UINT64_MAX : soonest;
}

uint64_t store_count(struct store *s)
{
	return s->count;
}
