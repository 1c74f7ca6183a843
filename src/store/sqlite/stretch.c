/* The keys of instances. SQLite is quickest with rows that have one number for a key, above all when they are added at the end of a run of
 * numbers; but the instances of one parent have to lie together, and parent and id are 64 bits each. So the ids of a parent's instances are
 * cut into stretches, each of the ids with the same upper 32 bits, and each stretch has a slot of 31 bits: an instance's key is its slot and
 * the lower half of its id. All of a store's ids together count up, so that a parent has one stretch until the store has given out 2^32 ids,
 * and a second one only when instances are created after that. */
#include "store/sqlite/private.h"

#include <string.h>

static int64_t high_of(int64_t id)
{
	return id >> STRETCH_BITS;
}

static int64_t first_key(int64_t slot)
{
	return slot << STRETCH_BITS;
}

/* ---- those that are remembered: statements on them cost as much as inserting ---- */

static struct stretch *place_of(struct store *s, int64_t parent)
{
	return &s->stretches[(uint64_t)parent % STRETCHES];
}

static void forget(struct store *s, int64_t parent)
{
	*place_of(s, parent) = (struct stretch){0};
}

void stretch_undone(struct store *s)
{
	memset(s->stretches, 0, sizeof s->stretches);
}

/* ---- on disk ---- */

static enum err look_up(struct store *s, struct stretch *t)
{
	sqlite3_stmt *st;
	enum err e = query_take(s, QUERY_STRETCH, &st);
	int r;

	if (e != OK)
		return store_spoil(s, e);
	sqlite3_bind_int64(st, 1, t->parent);
	sqlite3_bind_int64(st, 2, t->high);
	r = query_step(st);
	if (r == SQLITE_ROW)
		t->slot = sqlite3_column_int64(st, 0);
	else
		e = r == SQLITE_DONE ? ERR_NOT_FOUND : store_spoil(s, store_fault(s, r));
	query_give(s, QUERY_STRETCH, st);
	return e;
}

static enum err put(struct store *s, struct stretch *t)
{
	enum err e = store_change(s, QUERY_STRETCH_PUT, t->parent, t->high);

	t->slot = sqlite3_last_insert_rowid(s->db);
	return e;
}

/* ---- keys ---- */

static enum err key_of(struct store *s, int64_t parent, int64_t id, bool make, int64_t *key)
{
	struct stretch t = {.parent = parent, .high = high_of(id)}, *known = place_of(s, parent);
	enum err e;

	if (known->slot == 0 || known->parent != parent || known->high != t.high) {
		e = look_up(s, &t);
		if (e == ERR_NOT_FOUND && make)
			e = put(s, &t);
		if (e != OK)
			return e;
		*known = t;
	}
	*key = first_key(known->slot) | (id & STRETCH_MASK);
	return OK;
}

enum err stretch_find(struct store *s, int64_t parent, int64_t id, int64_t *key)
{
	return key_of(s, parent, id, false, key);
}

enum err stretch_make(struct store *s, int64_t parent, int64_t id, int64_t *key)
{
	return key_of(s, parent, id, true, key);
}

/* ---- deleting ---- */

static enum err delete_within(struct store *s, int64_t slot, int64_t upto, uint64_t *deleted)
{
	enum err e = store_change(s, QUERY_DELETE_INSTANCES, first_key(slot), first_key(slot) | upto);

	if (e == OK)
		*deleted += (uint64_t)sqlite3_changes64(s->db);
	return e;
}

static enum err delete_each(struct store *s, sqlite3_stmt *st, int64_t upto, uint64_t *deleted, bool *emptied)
{
	int r;

	while ((r = query_step(st)) == SQLITE_ROW) {
		bool whole = sqlite3_column_int64(st, 1) < high_of(upto);
		enum err e = delete_within(s, sqlite3_column_int64(st, 0), whole ? STRETCH_MASK : upto & STRETCH_MASK, deleted);

		if (e != OK)
			return e;
		*emptied |= whole;
	}
	return r == SQLITE_DONE ? OK : store_spoil(s, store_fault(s, r));
}

enum err stretch_delete(struct store *s, int64_t parent, int64_t upto, uint64_t *deleted)
{
	bool emptied = false;
	sqlite3_stmt *st;
	enum err e = query_take(s, QUERY_STRETCHES, &st);

	*deleted = 0;
	if (e != OK)
		return store_spoil(s, e);
	sqlite3_bind_int64(st, 1, parent);
	sqlite3_bind_int64(st, 2, high_of(upto));
	e = delete_each(s, st, upto, deleted, &emptied);
	query_give(s, QUERY_STRETCHES, st);
	if (e != OK || !emptied)
		return e;
	forget(s, parent);
	return store_change(s, QUERY_STRETCHES_DROP, parent, high_of(upto));
}
