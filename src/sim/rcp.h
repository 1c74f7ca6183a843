/* A radio co-processor, pure: Spinel in HDLC-lite towards its host, a simulated radio towards the air. It answers as OpenThread RCP firmware does,
 * as far as a host of raw IEEE 802.15.4 frames asks.
 *
 *	rcp_input(r, now, &octets);  rcp_air(r, now, psdu);
 *	while (rcp_output(r, &effect)) ...
 *	sleep until rcp_deadline(r), then rcp_tick(r, now) */
#ifndef KEYWAY_SIM_RCP_H
#define KEYWAY_SIM_RCP_H

#include "base/rng.h"
#include "sim/radio.h"
#include "spinel/hdlc.h"

#define RCP_VALUE_MAX 512 /* of a property: longer ones are refused */
#define RCP_LINE_MAX (2 * (RCP_VALUE_MAX + 16) + 8)
#define RCP_CHANNEL_FIRST 11
#define RCP_CHANNEL_LAST 26

enum rcp_effect_type {
	RCP_HOST,    /* octets for the host: one frame */
	RCP_AIR,     /* octets: a PSDU for the air */
	RCP_CHANNEL, /* tune to `channel`, before what follows */
};

struct rcp_effect {
	enum rcp_effect_type type;
	uint8_t octets[RCP_LINE_MAX];
	size_t len;
	uint8_t channel;
};

struct rcp;
struct rcp *rcp_new(struct rng *rng); /* reset, on the first channel; NULL without memory */
void rcp_ack_wait(struct rcp *r, uint32_t ms); /* how long it waits for an acknowledgement; RADIO_ACK_WAIT_MS at the start */
void rcp_free(struct rcp *r);
void rcp_restart(struct rcp *r); /* another host: the line and all settings but the channel are as at the start */
/* Takes the octets of one frame, or all when none ends in them; true while some are left. What it has to say is to be fetched before the next. */
bool rcp_input(struct rcp *r, uint64_t now_ms, struct rd *octets);
void rcp_air(struct rcp *r, uint64_t now_ms, struct rd psdu);
void rcp_tick(struct rcp *r, uint64_t now_ms);
uint64_t rcp_deadline(const struct rcp *r);
bool rcp_output(struct rcp *r, struct rcp_effect *e) MUST_CHECK;

#endif
