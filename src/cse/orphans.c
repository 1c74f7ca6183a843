/* Orphans: a subtree of very many resources is deleted by deleting its root, which nobody sees any more then, and what is below it either. The
 * others follow in portions, each as by a deletion of its own, with hooks and notifications. A value "gone.ID" in the store tells of children
 * that have lost their parent ID; it is written with the deletion, so that all of it is done or nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cse/private.h"

#define PREFIX "gone."
#define ORPHANS_AT_ONCE 512 /* some 6 ms */

static enum err put(struct cse *c, int64_t parent, const char *value)
{
	char name[32];

	snprintf(name, sizeof name, PREFIX "%" PRId64, parent);
	return store_value_set(c->store, name, rd_str(value));
}

enum err orphans_note(struct cse *c, int64_t parent)
{
	c->orphans = true;
	tree_hide_orphans(c->tree, true);
	cse_sweep_later(c);
	return put(c, parent, "1");
}

bool orphans_wait(const struct cse *c)
{
	return c->orphans;
}

struct first {
	int64_t id;
};

static bool take_first(void *ctx, const struct store_row *row)
{
	struct first *f = ctx;

	if (sscanf(row->rn, PREFIX "%" SCNd64, &f->id) != 1)
		f->id = 0;
	return false;
}

static enum err next_parent(struct cse *c, int64_t *id)
{
	struct first f = {0};
	enum err e = store_values(c->store, PREFIX, take_first, &f);

	*id = f.id;
	return e;
}

enum err orphans_start(struct cse *c)
{
	int64_t id;
	enum err e = next_parent(c, &id);

	c->orphans = id != 0;
	tree_hide_orphans(c->tree, c->orphans);
	return e;
}

struct portion {
	struct resource *list[ORPHANS_AT_ONCE];
	size_t count, room;
};

static bool collect(void *ctx, struct resource *r)
{
	struct portion *p = ctx;

	p->list[p->count++] = resource_ref(r);
	return p->count < p->room;
}

/* Some children of one that is gone; of the last of them it is known. */
static enum err sweep_below(struct cse *c, int64_t parent, struct portion *p)
{
	const struct resource gone = {.id = parent};
	enum err e;
	bool all;

	p->count = 0;
	e = tree_children(c->tree, &gone, 0, false, collect, p);
	all = p->count < p->room;
	p->room -= p->count;
	for (size_t i = 0; i < p->count; i++) {
		if (e == OK)
			e = cse_delete_orphan(c, p->list[i]);
		resource_unref(p->list[i]);
	}
	return e == OK && all ? put(c, parent, "") : e;
}

/* There are none now; but what is not committed may be undone, and they are there again. */
static void note_end(struct cse *c, bool committed)
{
	if (!c->orphans_end)
		c->orphans_end = c->counts.commits + 1;
	if (!committed && c->counts.commits < c->orphans_end)
		return;
	c->orphans = false;
	c->orphans_end = 0;
	tree_hide_orphans(c->tree, false);
}

enum err orphans_sweep(struct cse *c)
{
	struct portion *p = calloc(1, sizeof *p);
	bool committed = !store_dirty(c->store);
	int64_t parent;
	enum err e = OK;

	if (!p)
		abort();
	p->room = ORPHANS_AT_ONCE;
	tree_show_orphans(c->tree, true);
	while (e == OK && p->room > 0) {
		e = next_parent(c, &parent);
		if (e != OK || parent == 0)
			break;
		e = sweep_below(c, parent, p);
	}
	tree_show_orphans(c->tree, false);
	if (e == OK && p->room == ORPHANS_AT_ONCE)
		note_end(c, committed);
	else
		c->orphans_end = 0;
	free(p);
	return e;
}
