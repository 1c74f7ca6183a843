/* A walk in portions. Children of a resource are read in batches, so that no walk of the store is open while a visit looks at something else. */
#include "cse/walk.h"

#include <stdlib.h>

#define BATCH 64 /* children that are read at once */

/* A resource whose children are being walked. */
struct walk_frame {
	struct walk_frame *above;
	int64_t parent, after;
	size_t mark;          /* what the parent's visit said */
	uint64_t depth;       /* of its children below the root */
	bool instances;       /* the children are done */
	struct resource *batch[BATCH];
	size_t count, at;
};

static void descend(struct walk *w, int64_t parent, size_t mark)
{
	struct walk_frame *f = calloc(1, sizeof *f);

	if (!f)
		abort();
	f->parent = parent;
	f->mark = mark;
	f->depth = w->frame ? w->frame->depth + 1 : 1;
	f->above = w->frame;
	w->frame = f;
}

static void ascend(struct walk *w)
{
	struct walk_frame *f = w->frame;

	w->frame = f->above;
	while (f->at < f->count)
		resource_unref(f->batch[f->at++]);
	free(f);
}

static bool gather(void *ctx, struct resource *r)
{
	struct walk_frame *f = ctx;

	f->batch[f->count++] = resource_ref(r);
	f->after = r->id;
	return f->count < BATCH;
}

/* What may not be retrieved is not found either: disr, TS-0001 clause 9.6.6. */
static bool shows_instances(struct walk *w, int64_t parent)
{
	struct resource *r = tree_by_id(w->tree, parent);
	bool shown = !r || !resource_bool(r, "disr", false);

	resource_unref(r);
	return shown;
}

static bool goes_on(const struct walk *w)
{
	return w->budget > 0 && !w->full;
}

static void visit(struct walk *w, struct resource *r, size_t *mine)
{
	if (w->budget > 0)
		w->budget--;
	if (!w->visit(w, r, w->frame->mark, mine))
		w->full = true;
}

static bool visit_instance(void *ctx, struct resource *r)
{
	struct walk *w = ctx;
	size_t mine = 0;

	w->frame->after = r->id;
	visit(w, r, &mine);
	return goes_on(w);
}

/* The next of the batch; what changed since it was read is looked up again. */
static void visit_child(struct walk *w)
{
	struct walk_frame *f = w->frame;
	struct resource *r = f->batch[f->at++], *now = r->stale ? tree_by_id(w->tree, r->id) : resource_ref(r);
	size_t mine = f->mark;

	resource_unref(r);
	if (!now) {
		w->budget -= w->budget > 0;
		return;
	}
	visit(w, now, &mine);
	if (w->level == 0 || f->depth < w->level)
		descend(w, now->id, mine);
	resource_unref(now);
}

void walk_begin(struct walk *w, struct tree *t, int64_t root)
{
	*w = (struct walk){.tree = t};
	descend(w, root, 0);
}

bool walk_is_over(const struct walk *w)
{
	return w->full || !w->frame;
}

enum err walk_on(struct walk *w)
{
	enum err e = OK;

	while (e == OK && w->frame && goes_on(w)) {
		struct walk_frame *f = w->frame;
		const struct resource parent = {.id = f->parent};

		if (f->at < f->count) {
			visit_child(w);
		} else if (!f->instances) {
			f->count = f->at = 0;
			e = tree_children_from(w->tree, f->parent, f->after, gather, f);
			f->instances = f->count == 0;
			if (f->instances)
				f->after = 0;
		} else {
			if (w->instances && shows_instances(w, f->parent))
				e = tree_instances(w->tree, &parent, false, f->after, visit_instance, w);
			if (goes_on(w))
				ascend(w);
		}
	}
	return e;
}

void walk_end(struct walk *w)
{
	while (w->frame)
		ascend(w);
}
