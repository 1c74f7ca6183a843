/* Small named values. */
#include "store/sqlite/private.h"

#include <string.h>

static void value_of(sqlite3_stmt *st, struct store_row *row)
{
	const char *name = (const char *)sqlite3_column_text(st, 0);

	*row = (struct store_row){.rn = name ? name : "", .root = "", .creator = ""};
	row->body.at = sqlite3_column_blob(st, 1);
	row->body.left = (size_t)sqlite3_column_bytes(st, 1);
}

/* From the first name on, those that begin with prefix; of QUERY_VALUE_GET the one. */
static enum err walk(struct store *s, enum query q, const char *prefix, store_each *fn, void *ctx, bool *any)
{
	sqlite3_stmt *st;
	enum err e;
	int r;

	if ((e = store_view(s)) != OK || (e = query_take(s, q, &st)) != OK)
		return e;
	sqlite3_bind_text(st, 1, prefix, -1, SQLITE_STATIC);
	s->walking++;
	while ((r = query_step(st)) == SQLITE_ROW) {
		struct store_row row;

		value_of(st, &row);
		if (strncmp(row.rn, prefix, strlen(prefix)) != 0)
			break;
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

enum err store_value_get(struct store *s, const char *name, store_each *fn, void *ctx)
{
	bool any = false;
	enum err e = walk(s, QUERY_VALUE_GET, name, fn, ctx, &any);

	return e == OK && !any ? ERR_NOT_FOUND : e;
}

enum err store_values(struct store *s, const char *prefix, store_each *fn, void *ctx)
{
	bool any = false;

	return walk(s, QUERY_VALUES, prefix, fn, ctx, &any);
}

enum err store_value_set(struct store *s, const char *name, struct rd value)
{
	enum query q = value.left ? QUERY_VALUE_SET : QUERY_VALUE_DROP;
	sqlite3_stmt *st;
	enum err e;
	int r;

	if ((e = store_begin(s)) != OK)
		return e;
	if ((e = query_take(s, q, &st)) != OK)
		return store_spoil(s, e);
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	if (value.left)
		sqlite3_bind_blob64(st, 2, value.at, value.left, SQLITE_STATIC);
	r = query_step(st);
	e = r == SQLITE_DONE ? OK : store_spoil(s, store_fault(s, r));
	query_give(s, q, st);
	return e;
}
