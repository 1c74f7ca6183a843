/* Zigbee network layer: header, auxiliary security header (clear fields only) and commands. No key is needed or known here.
 * Source: Zigbee specification 05-3474 R22, clauses 3.3, 3.4, 4.5.1. */
#ifndef KEYWAY_ZIGBEE_NWK_FRAME_H
#define KEYWAY_ZIGBEE_NWK_FRAME_H

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

#define NWK_FRAME_MAX 116 /* what a MAC data frame with short addresses carries */
#define NWK_MIC 4
#define NWK_BROADCAST_ALL 0xffff
#define NWK_BROADCAST_RX_ON 0xfffd
#define NWK_BROADCAST_ROUTERS 0xfffc
#define NWK_COORDINATOR 0x0000
#define NWK_FIRST_RESERVED 0xfff8
#define NWK_RELAYS_MAX 30

/* Neither the coordinator's nor one of the reserved and broadcast addresses. */
static inline bool nwk_address_is_device(uint16_t a)
{
	return a != NWK_COORDINATOR && a < NWK_FIRST_RESERVED;
}

enum nwk_frame_type {
	NWK_DATA = 0,
	NWK_COMMAND = 1,
	NWK_INTER_PAN = 3, /* decode gives ERR_UNSUPPORTED */
};

struct nwk_frame {
	enum nwk_frame_type type;
	uint8_t protocol_version; /* 2 */
	uint8_t discover_route;   /* 0 suppress, 1 enable */
	bool multicast;           /* decode: ERR_UNSUPPORTED when set */
	bool security;
	bool source_route;
	bool end_device_initiator;
	uint16_t destination;
	uint16_t source;
	uint8_t radius;
	uint8_t sequence;
	bool has_destination_eui64;
	bool has_source_eui64;
	uint64_t destination_eui64;
	uint64_t source_eui64;
	uint8_t relay_count, relay_index; /* when source_route */
	uint16_t relays[NWK_RELAYS_MAX];
	struct rd header;  /* decode only, borrowed: the octets of this header, for authentication */
	struct rd payload; /* borrowed: all behind the header; of a sealed frame auxiliary header, ciphertext and MIC */
};

enum err nwk_frame_decode(struct rd in, struct nwk_frame *f) MUST_CHECK;
enum err nwk_frame_encode(const struct nwk_frame *f, struct wr *w) MUST_CHECK; /* header and payload */
enum err nwk_header_encode(const struct nwk_frame *f, struct wr *w) MUST_CHECK; /* header alone */

/* Auxiliary frame header, used by NWK and APS security: control(1) counter(4) [source(8)] [key sequence(1)], clause 4.5.1. */
enum aux_key_id {
	AUX_KEY_DATA = 0,      /* a link key itself */
	AUX_KEY_NETWORK = 1,
	AUX_KEY_TRANSPORT = 2, /* HMAC-MMO 0x00 of a link key */
	AUX_KEY_LOAD = 3,      /* HMAC-MMO 0x02 of a link key */
};

struct aux_header {
	uint8_t level; /* as on air: 0 */
	enum aux_key_id key_id;
	bool extended_nonce; /* source present */
	uint32_t frame_counter;
	uint64_t source;
	uint8_t key_sequence; /* only with AUX_KEY_NETWORK */
};

bool aux_header_decode(struct rd *in, struct aux_header *a) MUST_CHECK; /* moves in behind the header */
void aux_header_encode(const struct aux_header *a, struct wr *w);

enum nwk_command_id {
	NWK_ROUTE_REQUEST = 0x01,
	NWK_ROUTE_REPLY = 0x02,
	NWK_NETWORK_STATUS = 0x03,
	NWK_LEAVE = 0x04,
	NWK_ROUTE_RECORD = 0x05,
	NWK_REJOIN_REQUEST = 0x06,
	NWK_REJOIN_RESPONSE = 0x07,
	NWK_LINK_STATUS = 0x08,
	NWK_NETWORK_REPORT = 0x09,
	NWK_NETWORK_UPDATE = 0x0a,
	NWK_END_DEVICE_TIMEOUT_REQUEST = 0x0b,
	NWK_END_DEVICE_TIMEOUT_RESPONSE = 0x0c,
};

#define NWK_LINKS_MAX 31

struct nwk_link {
	uint16_t address;
	uint8_t incoming_cost, outgoing_cost; /* 0..7 */
};

/* Of a route request: for one destination, or from a concentrator for all routes to it (R22 table 3-44). */
enum nwk_many_to_one {
	NWK_ROUTE_TO_ONE = 0,
	NWK_MANY_TO_ONE = 1,          /* it keeps route records */
	NWK_MANY_TO_ONE_NO_CACHE = 2, /* it does not: one before every frame */
};

enum nwk_status {
	NWK_STATUS_NO_ROUTE = 0x00,
	NWK_STATUS_TREE_LINK_FAILURE = 0x01,
	NWK_STATUS_LINK_FAILURE = 0x02,
	NWK_STATUS_SOURCE_ROUTE_FAILURE = 0x0b,
	NWK_STATUS_MANY_TO_ONE_FAILURE = 0x0c,
	NWK_STATUS_ADDRESS_CONFLICT = 0x0d,
};

struct nwk_command {
	enum nwk_command_id id;
	union {
		struct {
			bool rejoin, request, remove_children;
		} leave;
		struct {
			uint8_t capability;
		} rejoin_request;
		struct {
			uint16_t short_address;
			uint8_t status;
		} rejoin_response;
		struct {
			enum nwk_many_to_one many;
			bool multicast, has_destination_eui64;
			uint8_t id, cost;
			uint16_t destination;
			uint64_t destination_eui64;
		} route_request;
		struct {
			bool multicast, has_originator_eui64, has_responder_eui64;
			uint8_t id, cost;
			uint16_t originator, responder;
			uint64_t originator_eui64, responder_eui64;
		} route_reply;
		struct {
			uint8_t count;
			uint16_t relays[NWK_RELAYS_MAX];
		} route_record;
		struct {
			bool first, last;
			uint8_t count;
			struct nwk_link links[NWK_LINKS_MAX];
		} link_status;
		struct {
			uint8_t status;
			uint16_t destination;
		} network_status;
		struct {
			uint8_t timeout; /* enumeration 0..14: 0 is 10 s, n is 2^n minutes */
			uint8_t configuration; /* 0 */
		} timeout_request;
		struct {
			uint8_t status; /* 0 success, 1 incorrect value */
			uint8_t parent_information; /* bit 0 MAC data poll keep-alive, bit 1 end device timeout request keep-alive */
		} timeout_response;
		struct rd other; /* borrowed: the payload of every other command, not interpreted */
	};
};

enum err nwk_command_decode(struct rd payload, struct nwk_command *c) MUST_CHECK;
enum err nwk_command_encode(const struct nwk_command *c, struct wr *w) MUST_CHECK;
/* Seconds for an end-device time-out enumeration; 0 when it is out of range. */
uint32_t nwk_timeout_seconds(uint8_t enumeration);

#endif
