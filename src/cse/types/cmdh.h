/* CMDH: what the policy says of a request that leaves for another CSE (cmdh.c), and the buffer in which it waits for its turn (cmdh_buffer.c).
 * TS-0001 annex D.12, TS-0004 annex H.2.
 *
 *	struct cmdh_terms terms;
 *
 *	if (!cmdh_permits(x, &rq, hop, registrar, &terms))      x was answered
 *		return;
 *	if (!terms.waits)
 *		it leaves at once, and nobody tries again
 *	held = cmdh_hold(c, &terms, hop_id, &rq, go, drop, ctx); NULL: there is no room
 *	cmdh_start(held);                                        go(ctx) may be called now, or later
 *
 * After go the request is on its way; cmdh_answered tells what became of it, and has it wait for another attempt when the next CSE was not
 * reached. drop(ctx, why) ends the waiting, as does cmdh_forget, which is for a request that expires. */
#ifndef KEYWAY_CSE_TYPES_CMDH_H
#define KEYWAY_CSE_TYPES_CMDH_H

#include "cse/types/mgmt_obj.h"

#define CMDH_IMMEDIATE 2 /* m2m:stdEventCats */
#define CMDH_BEST_EFFORT 3
#define CMDH_LATEST 4

#define CMDH_OCTETS_MOST ((size_t)16 * 1024 * 1024) /* of all requests that wait */

struct cmdh_terms {
	bool waits;
	uint64_t ec;
	int64_t rules;    /* the cmdhNetworkAccessRules; 0: none for this category */
	int64_t buffer;   /* the cmdhBuffer; 0: none */
	uint64_t most;    /* octets in that buffer */
	uint64_t priority;
};

struct cmdh_held;
typedef void cmdh_go(void *ctx);
typedef void cmdh_drop(void *ctx, const char *why);

bool cmdh_permits(struct exchange *x, struct onem2m_request *rq, struct resource *hop, bool registrar, struct cmdh_terms *terms);
/* rq lives as long as it is held. */
struct cmdh_held *cmdh_hold(struct cse *c, const struct cmdh_terms *terms, const char *hop_id, const struct onem2m_request *rq, cmdh_go *go, cmdh_drop *drop, void *ctx);
void cmdh_start(struct cse *c, struct cmdh_held *h);
bool cmdh_answered(struct cse *c, struct cmdh_held *h, bool reached); /* true: it waits again; false: h is gone */
void cmdh_forget(struct cse *c, struct cmdh_held *h);                 /* of one that waits */

/* ---- between the two ---- */
struct cmdh_buffer;
struct cmdh {
	size_t active; /* activeCmdhPolicies: none cost nothing */
	struct cmdh_buffer *buffer;
};
struct cmdh *cmdh_state(struct cse *c);
/* Of an object that a link or an address names; a new reference, or NULL. */
struct resource *cmdh_linked(struct cse *c, const struct json *address, int mgd);
void cmdh_buffer_free(struct cse *c, struct cmdh_buffer *b); /* accepts NULL */

/* A rule under which an underlying network may be used, now or later. */
struct cmdh_way {
	bool open;             /* now */
	uint64_t next;         /* unix ms when one opens; 0: none will */
	uint64_t volume;       /* octets that have to have come together */
	uint64_t spread_ms;    /* at most so long one waits then */
	uint64_t back_off_ms, back_off_more_ms, back_off_most_ms, back_off_random_ms;
};
/* The first that is open for so many octets; `now` unix ms. rules 0: always open. Immediate: its schedule and volume do not count. */
void cmdh_find_way(struct cse *c, int64_t rules, uint64_t octets, bool immediate, uint64_t now, struct cmdh_way *way);

#endif
