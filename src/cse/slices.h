/* Work of one request that takes long: it goes on in slices, one a round of the loop, so that others wait milliseconds. What is made or deleted
 * between two slices the work may meet or not.
 *
 *	struct search { struct slices slices; ... };    slices first
 *	s->slices.slice = on_slice;
 *	s->slices.free = search_free;
 *	slices_begin(&s->slices, x);                    then the first slice, at once
 *
 * A slice either calls slices_again, or ends the exchange, calls slices_end and frees the work. Between them the exchange may end by its
 * expiry, with its target, or with the CSE: then it is answered here and `free` is called. */
#ifndef KEYWAY_CSE_SLICES_H
#define KEYWAY_CSE_SLICES_H

#include "cse/private.h"

#define SLICE 2048     /* looks at a resource in a round: some 3 ms */
#define RESULT_COSTS 4 /* privileges, and an address or a representation, as much as so many looks */

struct slices {
	struct cse_timer timer; /* first, so that its function finds the work */
	struct slices *next;
	struct cse *cse;
	struct exchange *x;     /* NULL: the CSE has ended, while an answer was waited for */
	bool waits;             /* for an answer, whose function frees the work */
	void (*slice)(struct slices *s); /* goes on; x->target is as it is now */
	void (*free)(struct slices *s);  /* the work's own; the tree may be gone by then only if it waits */
};

void slices_begin(struct slices *s, struct exchange *x);
void slices_again(struct slices *s); /* in the next round */
void slices_end(struct slices *s);   /* before the exchange ends */

/* What is left of a slice's budget. */
static inline void slice_spend(size_t *budget, size_t cost)
{
	*budget -= *budget < cost ? *budget : cost;
}

#endif
