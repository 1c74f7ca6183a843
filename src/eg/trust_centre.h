/* The Trust Centre at APS level for one device under one generation of its network key: what follows the first Transport-Key. Node B opens
 * the NWK layer and passes whole APS frames; this core opens, judges and answers them. Source: Zigbee specification 05-3474 R22, clauses
 * 4.4.3 to 4.4.8 and 4.7.3; docs/protocols/key-registration.md, "APS relay".
 *
 *	Two link keys count. `base` is the one that the device surely has: the install code's, or a unique one that it has used. `fresh` is the
 *	unique one on its way. The device goes on using base until Confirm-Key reaches it, so that after any loss it may ask again for the key
 *	or verify it again; it gets the same fresh key every time. The first genuine frame under fresh makes it the base.
 *
 *	state            on                               do                        then
 *	BASE             Request-Key under base           make fresh, send it       OFFERED
 *	OFFERED          Request-Key under base           send the same fresh       OFFERED
 *	OFFERED          Verify-Key, hash of fresh        Confirm-Key under fresh   VERIFIED
 *	VERIFIED         Verify-Key, hash of fresh        Confirm-Key under fresh   VERIFIED
 *	VERIFIED         Request-Key under base           send the same fresh       VERIFIED   (Confirm-Key was lost)
 *	VERIFIED         anything genuine under fresh     fresh becomes base        BASE (unique)
 *	any with a key   Verify-Key, another hash         Confirm-Key 0xad, base    unchanged
 *	any              Update-Device, sealed            tell it                   unchanged
 *
 *	What becomes of a device that came to a router is not this one device's business: the caller knows it, and sends it away (Remove-Device,
 *	trust_centre_refuse) or lets it in.
 *
 * The caller stores what changed durably before the answer leaves; if it can't, it loads the former state again and answers nothing. */
#ifndef KEYWAY_EG_TRUST_CENTRE_H
#define KEYWAY_EG_TRUST_CENTRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/rng.h"
#include "base/wr.h"
#include "keys/counter.h"
#include "zigbee/security/aps_security.h"

/* A device asks three times in a round of commissioning; three rounds are enough for any loss that is worth serving. */
#define TRUST_ATTEMPTS_MAX 12

enum trust_state {
	TRUST_BASE,     /* no fresh key */
	TRUST_OFFERED,  /* fresh was sent, or is about to be */
	TRUST_VERIFIED, /* the device proved that it has fresh; Confirm-Key may still be lost */
};

struct trust_centre {
	uint64_t device;
	uint64_t coordinator; /* EUI-64 of the gateway: source of all that the device hears */
	enum trust_state state;
	bool base_unique;     /* base is not the install code's key */
	struct link_key_set base, fresh;
	struct counter_in in_base, in_fresh;
	uint8_t attempts;     /* Request-Key answered with this fresh key */
};

/* R22 table 4-40. */
enum trust_update_status { TRUST_SECURED_REJOIN, TRUST_UNSECURED_JOIN, TRUST_LEFT, TRUST_UNSECURED_REJOIN };

/* What a router says of a device that came to it, or left. */
struct trust_update {
	uint64_t device; /* 0: it said nothing */
	uint16_t short_address;
	enum trust_update_status status;
};

enum trust_outcome { TRUST_ANSWER, TRUST_ACCEPTED, TRUST_IGNORED };

struct trust_result {
	enum trust_outcome outcome;
	const char *reason;  /* with TRUST_IGNORED, and of a failed Verify-Key: a fixed sentence */
	bool genuine;        /* sealed and the integrity code was right: B acknowledges it at APS level */
	bool authentic;      /* the frame opened under a key of this generation, replay or not */
	bool store;          /* state, keys, counters or attempts changed: store them before answering */
	bool verified_now;   /* this frame verified the unique key */
	struct trust_update update;
	const char *command; /* "Request-Key", "Verify-Key", "Update-Device", "acknowledgement"; NULL when not known */
};

/* Takes an outgoing frame counter of this device; OK only when it is durable. */
struct trust_counter {
	enum err (*take)(void *ctx, uint32_t *number);
	void *ctx;
};

/* `frame` is a whole APS frame, `aps_counter` a fresh one that B lends. The answer, a whole sealed APS frame, goes to `answer`.
 * An error means that nothing may be sent and the state is to be loaded again: ERR_COUNTER_EXHAUSTED, ERR_NO_MEMORY, what take returned. */
enum err trust_centre_input(struct trust_centre *tc, struct rd frame, uint8_t aps_counter, const struct trust_counter *counter, struct rng *rng,
    struct wr *answer, struct trust_result *result) MUST_CHECK;

/* APS Remove-Device for the device itself, sealed under the link key that it uses now. */
enum err trust_centre_remove(struct trust_centre *tc, uint8_t aps_counter, const struct trust_counter *counter, struct wr *answer) MUST_CHECK;

/* APS Remove-Device for somebody who came to this router (R22 4.4.5), sealed with the key that its Update-Device was sealed with. */
enum err trust_centre_refuse(struct trust_centre *tc, uint64_t child, uint8_t aps_counter, const struct trust_counter *counter, struct wr *answer) MUST_CHECK;

void trust_centre_clear(struct trust_centre *tc); /* frees the keys */

#endif
