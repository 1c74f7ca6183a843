/* crossResourceSubscription: what its files share. TS-0001 clauses 9.6.58 and 10.2.10, TS-0004 clause 7.4.58. */
#ifndef KEYWAY_CSE_TYPES_CROSS_H
#define KEYWAY_CSE_TYPES_CROSS_H

#include "cse/private.h"

/* "/id-in/crs_1": how subscriptions name it. */
void cross_address(struct cse *c, int64_t id, char *address, size_t size);

/* cross_window.c: the events that came within the time window */
void cross_window_start(struct cse *c, struct resource *crs); /* anew, when it was under way */
void cross_window_end(struct cse *c, int64_t id);
void cross_window_note(struct cse *c, struct resource *crs, const char *subscription);

/* cross_targets.c: the subscriptions that report to it. Their making and joining belongs to the originator of the creation, whose privileges count.
 * `done` comes once; refused 0: all are there, and rrats is what the made ones are called. */
struct cross_making {
	enum onem2m_rsc refused;
	const char *why;
	const char **made;            /* addresses; NULL for those of srat */
	size_t count;
};
typedef void cross_done(struct creation *cr, const struct cross_making *m);
void cross_targets_make(struct creation *cr, cross_done *done);
/* At the end of the round: made subscriptions are deleted, joined ones left. */
void cross_targets_release(struct cse *c, struct resource *crs);
void cross_targets_delete(struct cse *c, int64_t crs, const char *creator, const char *address);
/* Whether this subscription ("/id-in/sub_1") is one of its. */
bool cross_has(struct cse *c, struct resource *crs, const char *subscription);

/* A subscription that named a crossResourceSubscription (acrs) is gone, or does not name it any more: that one ends. */
void cross_lost(struct cse *c, struct resource *sub, const char *address);

#endif
