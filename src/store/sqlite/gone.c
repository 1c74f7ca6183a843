/* Instances of deleted resources. A million of them take seconds to delete, so those that are more than a portion are only noted as gone, in
 * the transaction that deletes their parent: from then on no reader sees them, and store_sweep deletes them portion by portion. The note on
 * disk is a value; here it is an entry of a sorted list, which knows how to be undone. */
#include "store/sqlite/private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "store.gone."

static size_t place_of(const struct store *s, int64_t parent)
{
	size_t low = 0, high = s->gone_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->gone[middle].parent < parent)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool gone_has(const struct store *s, int64_t parent)
{
	size_t i = place_of(s, parent);

	return i < s->gone_count && s->gone[i].parent == parent;
}

static enum err list(struct store *s, struct gone entry)
{
	size_t i = place_of(s, entry.parent);

	if (s->gone_count == s->gone_room) {
		size_t room = s->gone_room ? s->gone_room * 2 : 16;
		struct gone *more = realloc(s->gone, room * sizeof *more);

		if (!more)
			return ERR_NO_MEMORY;
		s->gone = more;
		s->gone_room = room;
	}
	memmove(s->gone + i + 1, s->gone + i, (s->gone_count - i) * sizeof *s->gone);
	s->gone[i] = entry;
	s->gone_count++;
	return OK;
}

static void name_of(char name[48], int64_t parent)
{
	snprintf(name, 48, NAME "%" PRId64, parent);
}

enum err gone_add(struct store *s, int64_t parent)
{
	struct gone entry = {.parent = parent, .depth = s->depth, .fresh = true};
	char name[48];
	enum err e;

	name_of(name, parent);
	if ((e = store_value_set(s, name, rd_of("", 1))) != OK)
		return e;
	return (e = list(s, entry)) == OK ? OK : store_spoil(s, e);
}

static bool load(void *ctx, const struct store_row *row)
{
	struct store *s = ctx;
	int64_t parent = strtoll(row->rn + strlen(NAME), NULL, 10);

	return list(s, (struct gone){.parent = parent}) == OK;
}

enum err gone_load(struct store *s)
{
	return store_values(s, NAME, load, s);
}

/* ---- the transaction ends, or a part of it ---- */

static void keep_if(struct store *s, bool (*keeps)(const struct store *s, struct gone *g))
{
	size_t n = 0;

	for (size_t i = 0; i < s->gone_count; i++)
		if (keeps(s, &s->gone[i]))
			s->gone[n++] = s->gone[i];
	s->gone_count = n;
}

static bool after_commit(const struct store *s, struct gone *g)
{
	(void)s;
	g->fresh = false;
	return !g->swept;
}

static bool after_rollback(const struct store *s, struct gone *g)
{
	(void)s;
	g->swept = false;
	return !g->fresh;
}

static bool after_undo(const struct store *s, struct gone *g)
{
	return !g->fresh || g->depth <= s->depth;
}

static bool after_release(const struct store *s, struct gone *g)
{
	if (g->depth > s->depth)
		g->depth = s->depth;
	return true;
}

void gone_committed(struct store *s)
{
	s->deleted_now = 0;
	keep_if(s, after_commit);
}

void gone_rolled_back(struct store *s)
{
	s->deleted_now = 0;
	keep_if(s, after_rollback);
}

void gone_undone(struct store *s)
{
	keep_if(s, after_undo);
}

void gone_released(struct store *s)
{
	keep_if(s, after_release);
}

/* ---- deleting ---- */

/* The number of the n-th instance below a parent, counted from 0; INT64_MAX when there are not so many. */
static enum err nth(struct store *s, int64_t parent, uint64_t n, int64_t *id)
{
	sqlite3_stmt *st;
	enum err e = query_take(s, QUERY_INSTANCE_NTH, &st);
	int r;

	if (e != OK)
		return e;
	sqlite3_bind_int64(st, 1, parent);
	sqlite3_bind_int64(st, 2, n > INT64_MAX ? INT64_MAX : (int64_t)n);
	r = query_step(st);
	*id = r == SQLITE_ROW ? sqlite3_column_int64(st, 0) : INT64_MAX;
	e = r == SQLITE_ROW || r == SQLITE_DONE ? OK : store_fault(s, r);
	query_give(s, QUERY_INSTANCE_NTH, st);
	return e;
}

/* The oldest `most` of them; *all when none are left. */
static enum err delete_portion(struct store *s, int64_t parent, uint64_t most, uint64_t *deleted, bool *all)
{
	int64_t beyond = 0;
	enum err e = nth(s, parent, most, &beyond);

	*deleted = 0;
	if (e != OK)
		return store_spoil(s, e);
	*all = beyond == INT64_MAX;
	return most == 0 && !*all ? OK : store_delete_instances(s, parent, *all ? INT64_MAX : beyond - 1, deleted);
}

enum err gone_delete_below(struct store *s, int64_t parent)
{
	uint64_t deleted, left = s->deleted_now < DELETE_AT_ONCE ? DELETE_AT_ONCE - s->deleted_now : 0;
	bool all = true;
	enum err e = delete_portion(s, parent, left, &deleted, &all);

	s->deleted_now += deleted;
	return e == OK && !all ? gone_add(s, parent) : e;
}

bool store_has_gone(const struct store *s)
{
	return s->gone_count > 0;
}

static enum err forget(struct store *s, struct gone *g)
{
	char name[48];

	name_of(name, g->parent);
	g->swept = true;
	return store_value_set(s, name, rd_of("", 0));
}

enum err store_sweep(struct store *s, uint64_t most)
{
	enum err e = s->depth > 0 ? store_refuse(s, ERR_STATE, "what is gone is not deleted within a savepoint") : store_begin(s);

	for (size_t i = 0; e == OK && most > 0 && i < s->gone_count; i++) {
		uint64_t deleted = 0;
		bool all = false;

		if (s->gone[i].swept)
			continue;
		e = delete_portion(s, s->gone[i].parent, most, &deleted, &all);
		if (e == OK && all)
			e = forget(s, &s->gone[i]);
		most -= deleted < most ? deleted : most;
	}
	return e;
}
