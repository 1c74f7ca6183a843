/* The Zigbee network layer's beacon payload: 15 octets.
 * Source: Zigbee specification 05-3474 R22, clause 3.6.7. */
#ifndef KEYWAY_ZIGBEE_BEACON_H
#define KEYWAY_ZIGBEE_BEACON_H

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

struct zigbee_beacon {
	uint8_t protocol_id;      /* 0 */
	uint8_t stack_profile;    /* 2: Zigbee PRO */
	uint8_t protocol_version; /* 2 */
	bool router_capacity;
	uint8_t depth; /* 0..15 */
	bool end_device_capacity;
	uint64_t extended_pan_id;
	uint32_t tx_offset; /* 24 bits, 0xffffff */
	uint8_t update_id;
};

enum err zigbee_beacon_decode(struct rd in, struct zigbee_beacon *b) MUST_CHECK;
enum err zigbee_beacon_encode(const struct zigbee_beacon *b, struct wr *w) MUST_CHECK;

#endif
