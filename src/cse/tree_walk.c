/* Walks over many resources. */
#include <stdlib.h>
#include <string.h>

#include "cse/tree_private.h"

struct walking {
	struct tree *tree;
	tree_each *fn;
	void *ctx;
	bool anywhere; /* not below one parent: what it meets may be an orphan */
	bool ended;
};

static bool step(void *ctx, const struct store_row *row)
{
	struct walking *w = ctx;
	struct resource *r = tree_take(w->tree, row, !row->instance);

	w->ended = (!w->anywhere || tree_is_visible(w->tree, r)) && !w->fn(w->ctx, r);
	resource_unref(r);
	return !w->ended;
}

enum err tree_instances(struct tree *t, const struct resource *parent, bool newest_first, int64_t after, tree_each *fn, void *ctx)
{
	struct walking w = {t, fn, ctx, false, false};

	return store_instances(t->store, parent->id, newest_first, after, step, &w);
}

enum err tree_children(struct tree *t, const struct resource *parent, int type, bool instances, tree_each *fn, void *ctx)
{
	struct walking w = {t, fn, ctx, false, false};
	enum err e = store_children(t->store, parent->id, type, 0, step, &w);

	if (e == OK && instances && !w.ended)
		e = store_instances(t->store, parent->id, false, 0, step, &w);
	return e;
}

enum err tree_children_from(struct tree *t, int64_t parent, int64_t after, tree_each *fn, void *ctx)
{
	struct walking w = {t, fn, ctx, false, false};

	return store_children(t->store, parent, 0, after, step, &w);
}

enum err tree_by_type_from(struct tree *t, int type, int64_t after, tree_each *fn, void *ctx)
{
	struct walking w = {t, fn, ctx, true, false};

	return store_by_type(t->store, type, after, step, &w);
}

enum err tree_by_type(struct tree *t, int type, tree_each *fn, void *ctx)
{
	return tree_by_type_from(t, type, 0, fn, ctx);
}

enum err tree_by_label_from(struct tree *t, struct rd label, int64_t after, tree_each *fn, void *ctx)
{
	struct walking w = {t, fn, ctx, true, false};

	return store_by_label(t->store, label, after, step, &w);
}

enum err tree_by_label(struct tree *t, struct rd label, tree_each *fn, void *ctx)
{
	return tree_by_label_from(t, label, 0, fn, ctx);
}

enum err tree_expired(struct tree *t, uint64_t now_ms, tree_each *fn, void *ctx)
{
	struct walking w = {t, fn, ctx, true, false};

	return store_expired(t->store, now_ms, step, &w);
}

struct listing {
	int64_t ids[1024];
	size_t count;
};

static bool list_id(void *ctx, const struct store_row *row)
{
	struct listing *l = ctx;

	if (l->count < sizeof l->ids / sizeof l->ids[0])
		l->ids[l->count++] = row->id;
	return true;
}

size_t tree_subscriptions(struct tree *t, struct resource *r, const int64_t **ids)
{
	struct listing l;

	l.count = 0;
	if (!r->p->subscriptions_known) {
		if (store_children(t->store, r->id, TY_SUBSCRIPTION, 0, list_id, &l) != OK)
			return 0;
		free(r->p->subscriptions);
		r->p->subscriptions = l.count ? malloc(l.count * sizeof l.ids[0]) : NULL;
		if (l.count && !r->p->subscriptions)
			abort();
		if (l.count)
			memcpy(r->p->subscriptions, l.ids, l.count * sizeof l.ids[0]);
		r->p->subscription_count = l.count;
		r->p->subscriptions_known = true;
		tree_charge(r);
	}
	*ids = r->p->subscriptions;
	return r->p->subscription_count;
}
