/* Writing through the cache into the store's open transaction. */
#include <stdlib.h>
#include <string.h>

#include "cse/tree_private.h"

int64_t tree_new_id(struct tree *t)
{
	return store_new_id(t->store);
}

static void forget_subscriptions(struct tree *t, int64_t parent)
{
	struct resource *r = tree_cached(t, parent);

	if (r)
		r->p->subscriptions_known = false;
}

static void set_latest(struct resource *parent, struct resource *latest)
{
	resource_unref(parent->p->latest);
	parent->p->latest = latest ? resource_ref(latest) : NULL;
	parent->p->latest_known = latest != NULL;
	tree_charge(parent);
}

/* The latest instance is gone or replaced. */
static void forget_latest(struct resource *parent)
{
	if (parent->p->latest)
		parent->p->latest->stale = true;
	set_latest(parent, NULL);
}

enum err tree_insert(struct tree *t, const struct resource_new *n, struct resource **out)
{
	struct resource *r = tree_from_new(t, n), *parent;
	struct store_row row = tree_row(r);
	enum err e = store_insert(t->store, &row, n->labels, n->label_count);

	if (e != OK) {
		resource_unref(r);
		return e;
	}
	parent = tree_cached(t, r->parent);
	/* most instances are never asked for one by one, and the latest its parent keeps; it comes into the cache when somebody asks for it */
	if (!r->instance || n->watched)
		tree_cache(t, r);
	if (parent && r->instance)
		set_latest(parent, r);
	if (r->type == TY_SUBSCRIPTION)
		forget_subscriptions(t, r->parent);
	*out = r;
	return OK;
}

static void mark_dirty(struct tree *t, struct resource *r)
{
	if (r->p->dirty)
		return;
	r->p->dirty = true;
	r->p->next_dirty = t->dirty;
	t->dirty = resource_ref(r);
}

static void unmark_dirty(struct tree *t, struct resource *r)
{
	struct resource **at = &t->dirty;

	if (!r->p->dirty)
		return;
	while (*at && *at != r)
		at = &(*at)->p->next_dirty;
	if (*at) {
		*at = r->p->next_dirty;
		r->p->dirty = false;
		resource_unref(r);
	}
}

enum err tree_replace(struct tree *t, struct resource *r, struct rd text, uint64_t expires, const struct rd *labels, size_t label_count,
    struct resource **out)
{
	const struct resource parent = {.id = r->parent};
	const struct resource_new n = {
		.parent = r->parent ? &parent : NULL,
		.type = r->type,
		.instance = r->instance,
		.id = r->id,
		.ri = r->ri,
		.rn = r->rn,
		.own_ri = r->p->own_ri,
		.own_rn = r->p->own_rn,
		.root = r->root,
		.creator = r->creator,
		.expires = expires,
		.text = text,
		.counters = r->counters,
	};
	struct resource *with = tree_from_new(t, &n), *above;
	struct store_row row = tree_row(with);
	enum err e = store_update(t->store, &row, labels, label_count);

	if (e != OK) {
		resource_unref(with);
		return e;
	}
	resource_ref(r);
	unmark_dirty(t, r);
	tree_uncache(t, r);
	/* what is known about its children stays true */
	with->p->subscriptions = r->p->subscriptions;
	with->p->subscription_count = r->p->subscription_count;
	with->p->subscriptions_known = r->p->subscriptions_known;
	with->p->latest = r->p->latest;
	with->p->latest_known = r->p->latest_known;
	r->p->subscriptions = NULL;
	r->p->subscriptions_known = r->p->latest_known = false;
	r->p->subscription_count = 0;
	r->p->latest = NULL;
	above = tree_cached(t, r->parent);
	if (above && r->instance && above->p->latest && above->p->latest->id == r->id) {
		forget_latest(above);
		set_latest(above, with);
	}
	resource_unref(r);
	tree_cache(t, with);
	*out = with;
	return OK;
}

enum err tree_delete(struct tree *t, struct resource *r)
{
	struct store_row row = tree_row(r);
	struct resource *parent = tree_cached(t, r->parent);
	enum err e = store_delete(t->store, &row);

	if (e != OK)
		return e;
	if (r->type == TY_SUBSCRIPTION)
		forget_subscriptions(t, r->parent);
	if (parent && r->instance && parent->p->latest && parent->p->latest->id == r->id)
		forget_latest(parent);
	/* the snapshot in the cache may be another than the caller's */
	resource_ref(r);
	unmark_dirty(t, r);
	tree_uncache(t, r);
	parent = tree_cached(t, r->id);
	if (parent) {
		unmark_dirty(t, parent);
		tree_uncache(t, parent);
	}
	resource_unref(r);
	return OK;
}

enum err tree_delete_instances(struct tree *t, struct resource *parent, int64_t upto)
{
	uint64_t deleted;
	enum err e = store_delete_instances(t->store, parent->id, upto, &deleted);

	if (e != OK)
		return e;
	for (struct resource *r = t->newest, *older; r; r = older) {
		older = r->p->older;
		if (r->instance && r->parent == parent->id && r->id <= upto)
			tree_uncache(t, r);
	}
	if (parent->p->latest && parent->p->latest->id <= upto)
		forget_latest(parent);
	return OK;
}

void tree_count(struct tree *t, struct resource *r, const struct counters *now)
{
	r->counters = *now;
	r->p->composed_is_good = false;
	mark_dirty(t, r);
}

enum err tree_flush(struct tree *t)
{
	while (t->dirty) {
		struct resource *r = t->dirty;
		struct store_row row = tree_row(r);
		enum err e = store_update_later(t->store, &row);

		if (e != OK)
			return e;
		t->dirty = r->p->next_dirty;
		r->p->dirty = false;
		resource_unref(r);
	}
	return OK;
}
