/* A walk over all that is below a resource, which stops where its budget ends and goes on from there: parents before children, in the order of
 * creation, then the instances of a resource, oldest first.
 *
 *	walk_begin(&w, tree, root_id);
 *	w.visit = visit; w.ctx = ctx; w.level = 2; w.instances = true;
 *	do { w.budget = SLICE; e = walk_on(&w); } while (e == OK && !walk_is_over(&w));
 *	walk_end(&w); */
#ifndef KEYWAY_CSE_WALK_H
#define KEYWAY_CSE_WALK_H

#include "cse/tree.h"

struct walk_frame;

/* r is borrowed. `above` is what the visit of its parent said; 0 below the root. False ends the walk. */
struct walk;
typedef bool walk_visit(struct walk *w, struct resource *r, size_t above, size_t *mine);

struct walk {
	struct tree *tree;
	struct walk_frame *frame; /* NULL: at the end */
	uint64_t level;           /* no deeper below the root; 0: all */
	bool instances;           /* are visited */
	bool full;                /* a visit ended the walk */
	size_t budget;            /* a visit costs 1, and what it spends besides */
	walk_visit *visit;
	void *ctx;
};

void walk_begin(struct walk *w, struct tree *t, int64_t root);
enum err walk_on(struct walk *w) MUST_CHECK; /* until the budget is spent, or it is over */
bool walk_is_over(const struct walk *w);
void walk_end(struct walk *w);

#endif
