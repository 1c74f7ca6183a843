/* Spinel, the host interface of OpenThread radio co-processors: header, packed integers and the properties that a raw
 * IEEE 802.15.4 host uses. Source: draft-rquattle-spinel-unified and OpenThread's spinel.h (names and numbers only).
 * A frame is: header(1) = 0x80 | transaction id (1..14, 0 unsolicited), command (packed), property (packed), value. */
#ifndef KEYWAY_SPINEL_SPINEL_H
#define KEYWAY_SPINEL_SPINEL_H

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

enum spinel_command {
	SPINEL_NOOP = 0,
	SPINEL_RESET = 1,
	SPINEL_PROP_GET = 2,
	SPINEL_PROP_SET = 3,
	SPINEL_PROP_INSERT = 4,
	SPINEL_PROP_REMOVE = 5,
	SPINEL_PROP_IS = 6,
	SPINEL_PROP_INSERTED = 7,
	SPINEL_PROP_REMOVED = 8,
};

enum spinel_property {
	SPINEL_LAST_STATUS = 0x00,
	SPINEL_PROTOCOL_VERSION = 0x01,
	SPINEL_NCP_VERSION = 0x02,
	SPINEL_INTERFACE_TYPE = 0x03,
	SPINEL_CAPS = 0x05,
	SPINEL_HWADDR = 0x08,
	SPINEL_PHY_ENABLED = 0x20,
	SPINEL_PHY_CHAN = 0x21,
	SPINEL_PHY_CHAN_SUPPORTED = 0x22,
	SPINEL_PHY_CCA_THRESHOLD = 0x24,
	SPINEL_PHY_TX_POWER = 0x25,
	SPINEL_PHY_RSSI = 0x26,
	SPINEL_PHY_RX_SENSITIVITY = 0x27,
	SPINEL_MAC_SCAN_STATE = 0x30,
	SPINEL_MAC_SCAN_MASK = 0x31,
	SPINEL_MAC_SCAN_PERIOD = 0x32,
	SPINEL_MAC_ENERGY_SCAN_RESULT = 0x39,
	SPINEL_MAC_15_4_LADDR = 0x34, /* EUI-64, most significant octet first */
	SPINEL_MAC_15_4_SADDR = 0x35, /* uint16 */
	SPINEL_MAC_15_4_PANID = 0x36, /* uint16 */
	SPINEL_MAC_RAW_STREAM_ENABLED = 0x37,
	SPINEL_MAC_PROMISCUOUS_MODE = 0x38,
	SPINEL_MAC_RX_ON_WHEN_IDLE = 0x3b,
	SPINEL_STREAM_RAW = 0x71,
	SPINEL_RCP_API_VERSION = 0xb0,
	SPINEL_RCP_MIN_HOST_API_VERSION = 0xb1,
	SPINEL_RADIO_CAPS = 0x120b,
	SPINEL_MAC_SRC_MATCH_ENABLED = 0x1303,
	SPINEL_MAC_SRC_MATCH_SHORT_ADDRESSES = 0x1304,    /* SET whole list, INSERT or REMOVE one: uint16 each */
	SPINEL_MAC_SRC_MATCH_EXTENDED_ADDRESSES = 0x1305, /* likewise, EUI-64 most significant octet first */
};

enum spinel_scan_state {
	SPINEL_SCAN_IDLE = 0,
	SPINEL_SCAN_ENERGY = 2,
};

enum spinel_status {
	SPINEL_STATUS_OK = 0,
	SPINEL_STATUS_FAILURE = 1,
	SPINEL_STATUS_UNIMPLEMENTED = 2,
	SPINEL_STATUS_INVALID_ARGUMENT = 3,
	SPINEL_STATUS_INVALID_STATE = 4,
	SPINEL_STATUS_INVALID_COMMAND = 5,
	SPINEL_STATUS_PARSE_ERROR = 9,
	SPINEL_STATUS_NOMEM = 11,
	SPINEL_STATUS_BUSY = 12,
	SPINEL_STATUS_PROP_NOT_FOUND = 13,
	SPINEL_STATUS_NO_ACK = 17,
	SPINEL_STATUS_CCA_FAILURE = 18,
	SPINEL_STATUS_ALREADY = 19,
	SPINEL_STATUS_ITEM_NOT_FOUND = 20,
	SPINEL_STATUS_RESET_POWER_ON = 112,
	SPINEL_STATUS_RESET_SOFTWARE = 114,
};

struct spinel_frame {
	uint8_t transaction; /* 0..15 */
	uint32_t command;
	uint32_t property; /* not for RESET and NOOP */
	struct rd value;   /* borrowed */
};

enum err spinel_decode(struct rd in, struct spinel_frame *f) MUST_CHECK;
void spinel_encode(const struct spinel_frame *f, struct wr *w);
bool rd_packed_uint(struct rd *r, uint32_t *v) MUST_CHECK; /* at most 3 octets */
void wr_packed_uint(struct wr *w, uint32_t v);

/* The value of STREAM_RAW from host to radio. */
struct spinel_transmit {
	struct rd frame; /* borrowed; without FCS: encoding appends two dummy octets, decoding takes them off */
	uint8_t channel;
	uint8_t csma_backoffs; /* 4 */
	uint8_t retries;       /* 3 */
	bool csma, header_updated, is_retransmission, security_processed;
	uint32_t delay, delay_base;
	uint8_t channel_after;
};
/* Decoding accepts values that end after the channel: defaults for what is absent. */
enum err spinel_transmit_decode(struct rd value, struct spinel_transmit *t) MUST_CHECK;
void spinel_transmit_encode(const struct spinel_transmit *t, struct wr *w);

/* The value of STREAM_RAW from radio to host. */
struct spinel_receive {
	struct rd frame; /* borrowed; without FCS, as above */
	int8_t rssi, noise;
	uint16_t flags;
	uint8_t channel, lqi;
	uint64_t timestamp_us;
	uint32_t error;
};
enum err spinel_receive_decode(struct rd value, struct spinel_receive *rx) MUST_CHECK;
void spinel_receive_encode(const struct spinel_receive *rx, struct wr *w);

/* LAST_STATUS answer to a transmission: status, then frame-pending bit of the acknowledgement if there is one. */
#endif
