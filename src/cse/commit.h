/* Answers to writes wait for the commit of their round; see docs/cse.md, "Two groups of clients". */
#ifndef KEYWAY_CSE_COMMIT_H
#define KEYWAY_CSE_COMMIT_H

#include "cse/private.h"

/* Answers x after the commit, or says that it failed. content and location are the exchange's own. */
void commit_answers(struct exchange *x, enum onem2m_rsc rsc, struct rd content, struct rd location);
void commit_finish(struct cse *c); /* those under way, until none is; their answers are told */
void exchange_tell(struct exchange *x, enum onem2m_rsc rsc, struct rd content, struct rd location); /* now; frees x. exchange.c */

#endif
