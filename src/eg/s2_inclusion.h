/* The EG as the node that includes: it grants a Z-Wave device its S2 network keys, through a controller that relays and never holds one. Each device
 * gets keys of its own. Its public key is proven by the whole DSK from its label, so that nobody between can put in another.
 * Source: Z-Wave Security 2 (SDS13783), key exchange.
 *
 *	state   on                                      do                                     then
 *	REPORT  KEX Report                              KEX Set: asked for and permitted       POINT
 *	POINT   Public Key Report, fits the DSK         Public Key Report; temporary keys      ECHO
 *	any     Nonce Get                               Nonce Report
 *	ECHO    KEX Set again, sealed, same as ours     KEX Report again, sealed               GET
 *	GET     Network Key Get, sealed, granted        TIER_KEY                               READY
 *	READY   ready()                                 Network Key Report, sealed             VERIFY
 *	VERIFY  Network Key Verify under that key       Nonce Get                              NONCE
 *	NONCE   Nonce Report                            Transfer End (verified), sealed        GET
 *	GET     Transfer End (complete), sealed, all    TIER_ENROLLED                          END
 *	any     Nonce Report: out of step               the last sealed command, sealed anew   same
 *	any     KEX Fail; 10 s of silence               TIER_FAILED                            END
 *	any     what breaks the exchange                KEX Fail, TIER_FAILED                  END */
#ifndef KEYWAY_EG_S2_INCLUSION_H
#define KEYWAY_EG_S2_INCLUSION_H

#include "base/rng.h"
#include "eg/tier.h"
#include "zwave/security/s2_frame.h"
#include "zwave/security/s2_message.h"

#define S2_WAIT_MS 10000

struct s2_inclusion_config {
	struct s2_link link;       /* own: the controller's Node ID, which the device takes us for */
	uint8_t dsk[S2_DSK];
	uint8_t permitted;         /* S2_AUTHENTICATED, S2_ACCESS_CONTROL or both */
	struct rng *rng;           /* outlives the exchange */
};

/* Asks the device at once (KEX Get is the first output). ERR_BAD_VALUE: classes without authentication, or none, are permitted. ERR_NO_MEMORY. */
enum err s2_inclusion_begin(const struct s2_inclusion_config *c, uint64_t now_ms, struct tier_exchange *x) MUST_CHECK;

#endif
