/* What a radio co-processor says of itself, and whether the gateway can work with it. Pure. Source: Spinel (draft-rquattle-spinel-unified), OpenThread's
 * numbers of capabilities; docs/radios.md has what stock firmware answers. */
#ifndef KEYWAY_GATEWAY_RADIO_INFO_H
#define KEYWAY_GATEWAY_RADIO_INFO_H

#include "base/err.h"
#include "base/rd.h"

#define RADIO_VERSION_MAX 96

struct radio_info {
	char version[RADIO_VERSION_MAX]; /* "OPENTHREAD/1.4.0; NRF52840; Oct 10 2024", printable characters only; "" when not told */
	uint32_t protocol_major, protocol_minor;
	uint32_t interface;              /* 3: IEEE 802.15.4 */
	uint32_t api, min_host_api;      /* 0: not told */
	bool told_capabilities, is_rcp, raw; /* of the Spinel capabilities: radio-only firmware, raw frames */
	uint32_t radio_capabilities;     /* RADIO_CAN_*; 0: not told */
	int8_t tx_power_dbm, sensitivity_dbm; /* 0: not told */
	bool has_match;                  /* a source-match table */
};

#define RADIO_CAN_ACK_TIMEOUT 0x01
#define RADIO_CAN_ENERGY_SCAN 0x02
#define RADIO_CAN_RETRIES 0x04
#define RADIO_CAN_CSMA 0x08

#define RADIO_HOST_API 11 /* of Spinel's RCP interface, that this host speaks */

void radio_info_clear(struct radio_info *i);
/* The answer to a question for a property. What does not parse is left untold. */
void radio_info_take(struct radio_info *i, uint32_t property, struct rd value);
/* Why it will not do, as a sentence for the operator that says what to change; NULL when it will. */
const char *radio_info_unfit(const struct radio_info *i);

#endif
