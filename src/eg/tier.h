/* The seam between the Enrolment Gateway and a tier protocol other than Zigbee: the enrolment of one device, as a core without I/O. What a protocol
 * must bring along, and what the EG gives it, is in docs/tier-protocols.md.
 *
 *	s2_inclusion_begin(&config, now, &x);
 *	x.protocol->input(x.state, now, frame);                   a frame of the device, as the gateway heard it
 *	while (x.protocol->output(x.state, &effect))
 *		... TIER_SEND: the gateway delivers it unread; TIER_KEY: register it for node B, then ready(); TIER_ENROLLED, TIER_FAILED: audit ...
 *
 * The gateway sees nothing but frames. A key leaves towards the device only after node B confirmed that it has it: what the device says under a key
 * that nobody else knows is lost. */
#ifndef KEYWAY_EG_TIER_H
#define KEYWAY_EG_TIER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "keys/secret.h"

#define TIER_FRAME_MAX 256

enum tier_effect_type {
	TIER_SEND,     /* octets: to the device */
	TIER_KEY,      /* key_class, key: for node B and nobody else */
	TIER_ENROLLED, /* the end: the device has proven that it has its keys */
	TIER_FAILED,   /* the end: text says why */
};

struct tier_effect {
	enum tier_effect_type type;
	uint8_t octets[TIER_FRAME_MAX];
	size_t len;
	uint8_t key_class;        /* the protocol's own number of it */
	const struct secret *key; /* borrowed until the exchange is freed */
	const char *text;         /* a fixed sentence, for the audit log */
};

struct tier_protocol {
	const char *name; /* "zwave-s2" */
	/* ERR_SHORT, ERR_MALFORMED, ERR_UNSUPPORTED, ERR_STATE, ERR_BAD_MIC, ERR_DUPLICATE: the frame has no effect, or ends the exchange by TIER_FAILED. */
	enum err (*input)(void *state, uint64_t now_ms, struct rd frame) MUST_CHECK;
	/* Node B has the key of the last TIER_KEY, durably. */
	void (*ready)(void *state, uint64_t now_ms);
	void (*tick)(void *state, uint64_t now_ms);
	uint64_t (*deadline)(const void *state); /* when to call tick; CLOCK_NEVER */
	bool (*output)(void *state, struct tier_effect *e) MUST_CHECK;
	void (*free)(void *state); /* at any time; what has no TIER_ENROLLED by then leaves no trace */
};

struct tier_exchange {
	const struct tier_protocol *protocol;
	void *state;
};

#endif
