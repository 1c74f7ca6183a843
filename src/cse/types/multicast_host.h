/* Groups of this CSE whose members are asked by IP multicast: TS-0001 clause 10.2.7.13, TS-0004 clause 7.5.3. Where two or more CSEs that are registered
 * here and can take multicast (mtcc) host members, each of them gets a localMulticastGroup for its own; then one request to the group's address
 * is for all of them, and each answers with a notification of its results. */
#ifndef KEYWAY_CSE_TYPES_MULTICAST_HOST_H
#define KEYWAY_CSE_TYPES_MULTICAST_HOST_H

#include "cse/private.h"

/* group.c: it was made or changed, is about to go, is there at the start. */
void multicast_group_changed(struct cse *c, const struct resource *group);
void multicast_group_start(struct cse *c, struct resource *group);

/* A request on its way to members, and what it waits for. */
struct multicast_call;
typedef void multicast_answer(void *ctx, const char *to, enum onem2m_rsc rsc, struct rd content); /* of one member, by its address */
typedef void multicast_done(void *ctx);                                                            /* all have answered: the call is gone */
/* rq->to is what stands behind the group's fan-out target ("", "/a"). NULL: the group has no such members, or the request does not fit. The
 * functions are not called from within. */
struct multicast_call *multicast_call_new(struct cse *c, int64_t group, const struct onem2m_request *rq, multicast_answer *answer, multicast_done *done, void *ctx);
bool multicast_call_asks(const struct multicast_call *k, const char *member); /* this member by it */
void multicast_call_end(struct multicast_call *k);                            /* nobody waits any more; accepts NULL */
bool multicast_answered(struct exchange *x);                                  /* true: a NOTIFY with results, which is answered */

/* multicast_group.c: the other side; what a request by multicast results in goes to the responseTarget of x->target. */
void multicast_reply(struct exchange *x);
bool multicast_may_make(struct exchange *x); /* a localMulticastGroup, by a CSE that is registered with this one, or is its registrar */

#endif
