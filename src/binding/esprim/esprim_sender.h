/* Sealed requests that a CSE makes: its notifications to AEs and CSEs that take ESPrim and share a key with it (TS-0003 8.4, TS-0004 7.5.1.2).
 *
 *	switch (esprim_sender_judge(s, "/id-mn/Cmeter", esi, known)) ...
 *	esprim_sender_send(s, "/id-mn/Cmeter", esi, known, &rq, done, ctx);
 *
 * Whether an entity takes it says e2eSecInfo, where this CSE has it: of an AE that is registered here, of a CSE that is its neighbour. Another AE is asked:
 * who gives a rand object of its own (securityInfo 3 and 4) takes sealed requests. A shared rand object that expired is not used.
 *
 *	policy      there is a key, and it takes ESPrim      no key, or it does not take it
 *	never       in the clear                             in the clear
 *	offered     sealed                                   in the clear
 *	required    sealed                                   not at all
 *
 * Offered is for a network that changes over: who can drop messages on the way may keep an AE of another CSE from being asked, and so have its notifications
 * in the clear, until it answered sealed once. Afterwards, and where e2eSecInfo is known, a failure is a failure. */
#ifndef KEYWAY_BINDING_ESPRIM_ESPRIM_SENDER_H
#define KEYWAY_BINDING_ESPRIM_ESPRIM_SENDER_H

#include "cse/cse.h"
#include "e2e/esprim.h"

#define ESPRIM_PARTNERS_MAX 4096   /* entities whose sessions are remembered, about 1.5 KiB each; the one that was used longest ago goes */
#define ESPRIM_DEAF_MS 300000      /* so long an entity that does not take it is not asked again */

enum esprim_policy { ESPRIM_NEVER, ESPRIM_OFFERED, ESPRIM_REQUIRED };
bool esprim_policy_parse(const char *text, enum esprim_policy *p) MUST_CHECK;

struct esprim_sender_config {
	cse_submit_fn *submit;    /* for the requests that carry sealed ones */
	void *to;
	const char *id;           /* own CSE-ID, borrowed */
	enum esprim_policy policy;
	/* The key that is shared with an entity. `except` (perhaps "") is one that it did not know. False: there is none. */
	bool (*key_for)(void *ctx, const char *entity, const char *except, char kid[static KEY_ID_MAX], struct secret **key);
	uint64_t (*unix_ms)(void *ctx);
	void *ctx;
	struct rng *rng;
	uint32_t encs;
	uint64_t life_ms;         /* of its rand objects, unless the receiver's end before */
	void (*tell)(void *ctx, const char *entity, const char *kid, enum onem2m_rsc rsc); /* for the log; may be NULL */
};

struct esprim_sender;
struct esprim_sender *esprim_sender_new(const struct esprim_sender_config *config);
void esprim_sender_free(struct esprim_sender *s); /* accepts NULL; nobody is told of what is under way */

/* entity: its SP-relative ID, "" when it has none that could be told. info: its m2m:e2eSecInfo in JSON, empty for none; known: that is all that there is. */
enum cse_sealing esprim_sender_judge(struct esprim_sender *s, const char *entity, struct rd info, bool known);
/* rq is borrowed until done. */
void esprim_sender_send(struct esprim_sender *s, const char *entity, struct rd info, bool known, const struct onem2m_request *rq, cse_done *done, void *ctx);

#endif
