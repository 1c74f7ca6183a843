/* Zigbee application support layer: frames and commands. No key is needed or known here.
 * Source: Zigbee specification 05-3474 R22, clauses 2.2.5, 4.4.10. */
#ifndef KEYWAY_ZIGBEE_APS_FRAME_H
#define KEYWAY_ZIGBEE_APS_FRAME_H

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

#define APS_ENDPOINT_ZDO 0
#define APS_ENDPOINT_BROADCAST 0xff
#define APS_PROFILE_ZDP 0x0000
#define APS_PROFILE_HOME_AUTOMATION 0x0104

enum aps_frame_type {
	APS_DATA = 0,
	APS_COMMAND = 1,
	APS_ACK = 2,
	APS_INTER_PAN = 3, /* decode gives ERR_UNSUPPORTED */
};

enum aps_delivery {
	APS_UNICAST = 0,
	APS_BROADCAST = 2,
	APS_GROUP = 3,
};

enum aps_fragmentation {
	APS_NOT_FRAGMENTED = 0,
	APS_FIRST_FRAGMENT = 1, /* block is the number of blocks */
	APS_FRAGMENT = 2,       /* block is the number of this block */
};

struct aps_frame {
	enum aps_frame_type type;
	enum aps_delivery delivery;
	bool ack_format; /* acknowledgement of an APS command: no addresses */
	bool security;
	bool ack_request;
	bool extended_header;
	uint8_t destination_endpoint; /* not for APS_GROUP and commands */
	uint16_t group;               /* APS_GROUP */
	uint16_t cluster;             /* data and their acknowledgements */
	uint16_t profile;
	uint8_t source_endpoint;
	uint8_t counter;
	enum aps_fragmentation fragmentation; /* with extended_header */
	uint8_t block;
	uint8_t ack_bitfield; /* acknowledgements with a fragmented extended header */
	struct rd header;     /* decode only, borrowed: the octets of this header, for authentication */
	struct rd payload;    /* borrowed: of a sealed frame auxiliary header, ciphertext and MIC */
};

enum err aps_frame_decode(struct rd in, struct aps_frame *f) MUST_CHECK;
enum err aps_frame_encode(const struct aps_frame *f, struct wr *w) MUST_CHECK;
enum err aps_header_encode(const struct aps_frame *f, struct wr *w) MUST_CHECK;
/* The acknowledgement of a data or command frame: endpoints swapped, same counter, cluster and profile. */
void aps_ack_for(const struct aps_frame *f, struct aps_frame *ack);

enum aps_command_id {
	APS_TRANSPORT_KEY = 0x05,
	APS_UPDATE_DEVICE = 0x06,
	APS_REMOVE_DEVICE = 0x07,
	APS_REQUEST_KEY = 0x08,
	APS_SWITCH_KEY = 0x09,
	APS_TUNNEL = 0x0e,
	APS_VERIFY_KEY = 0x0f,
	APS_CONFIRM_KEY = 0x10,
};

enum aps_key_type {
	APS_KEY_STANDARD_NETWORK = 0x01,
	APS_KEY_APPLICATION_LINK = 0x03,
	APS_KEY_TC_LINK = 0x04,
};

/* Request-Key has its own enumeration: 2 application link key, 4 Trust Centre link key. */
#define APS_REQUEST_APPLICATION_LINK 0x02
#define APS_REQUEST_TC_LINK 0x04

struct aps_command {
	enum aps_command_id id;
	union {
		struct {
			enum aps_key_type type;
			uint8_t *key;             /* encode: borrowed 16 octets */
			struct rd key_octets;     /* decode: borrowed 16 octets; wipe the buffer that they are in */
			uint8_t sequence;         /* APS_KEY_STANDARD_NETWORK */
			uint64_t destination;     /* network and TC link key */
			uint64_t source;          /* network and TC link key */
			uint64_t partner;         /* application link key */
			bool initiator;           /* application link key */
		} transport_key;
		struct {
			uint64_t device;
			uint16_t short_address;
			uint8_t status; /* 0 secured rejoin, 1 unsecured join, 2 left, 3 unsecured rejoin */
		} update_device;
		struct {
			uint64_t target;
		} remove_device;
		struct {
			uint8_t type;
			uint64_t partner; /* only for APS_REQUEST_APPLICATION_LINK */
		} request_key;
		struct {
			uint8_t sequence;
		} switch_key;
		struct {
			uint64_t destination;
			struct rd frame; /* borrowed: a whole APS frame */
		} tunnel;
		struct {
			uint8_t type;
			uint64_t source;
			uint8_t hash[16];
		} verify_key;
		struct {
			uint8_t status; /* 0 success, 0xa3 illegal request, 0xad security failure, ... */
			uint8_t type;
			uint64_t destination;
		} confirm_key;
	};
};

enum err aps_command_decode(struct rd payload, struct aps_command *c) MUST_CHECK;
enum err aps_command_encode(const struct aps_command *c, struct wr *w) MUST_CHECK;

#endif
