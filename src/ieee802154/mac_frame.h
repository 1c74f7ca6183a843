/* IEEE 802.15.4 MAC frames as Zigbee uses them (2003/2006 frame versions 0 and 1, no MAC security).
 * Source: IEEE 802.15.4-2006, clauses 7.2 and 7.3. Frames here are without the two octets of the FCS;
 * mac_fcs_check and mac_fcs_append deal with those.
 *
 * control(2, le) sequence(1) [dst pan(2) dst(2|8)] [src pan(2) src(2|8)] payload */
#ifndef KEYWAY_IEEE802154_MAC_FRAME_H
#define KEYWAY_IEEE802154_MAC_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

#define MAC_PSDU_MAX 127 /* with FCS */
#define MAC_FRAME_MAX 125 /* without */
#define MAC_BROADCAST 0xffff
#define MAC_NO_SHORT_ADDRESS 0xfffe

enum mac_frame_type {
	MAC_BEACON = 0,
	MAC_DATA = 1,
	MAC_ACK = 2,
	MAC_COMMAND = 3,
};

enum mac_address_mode {
	MAC_ADDRESS_NONE = 0,
	MAC_ADDRESS_SHORT = 2,
	MAC_ADDRESS_EXTENDED = 3,
};

struct mac_address {
	enum mac_address_mode mode;
	uint16_t pan_id;        /* on decode of a compressed source: the destination's */
	uint16_t short_address; /* when mode is MAC_ADDRESS_SHORT */
	uint64_t extended;      /* when mode is MAC_ADDRESS_EXTENDED */
};

struct mac_frame {
	enum mac_frame_type type;
	uint8_t version; /* 0 or 1 */
	bool frame_pending;
	bool ack_request;
	bool pan_id_compression;
	uint8_t sequence; /* DSN, or BSN of a beacon */
	struct mac_address destination;
	struct mac_address source;
	struct rd payload; /* borrowed: MAC payload; of a command its identifier first */
};

/* ERR_UNSUPPORTED: security bit set, frame version above 1, or a reserved type or addressing mode. */
enum err mac_frame_decode(struct rd in, struct mac_frame *f) MUST_CHECK;
/* ERR_BAD_VALUE: pan_id_compression with differing PANs or without both addresses. ERR_TOO_LONG: over MAC_FRAME_MAX or the writer. */
enum err mac_frame_encode(const struct mac_frame *f, struct wr *w) MUST_CHECK;

/* Takes the FCS off the end of a PSDU; ERR_BAD_CRC when it is wrong, ERR_SHORT below 3 octets. */
enum err mac_fcs_check(struct rd psdu, struct rd *frame) MUST_CHECK;
void mac_fcs_append(struct wr *w, struct rd frame); /* writes frame and FCS */

enum mac_command_id {
	MAC_ASSOCIATION_REQUEST = 0x01,
	MAC_ASSOCIATION_RESPONSE = 0x02,
	MAC_DISASSOCIATION = 0x03,
	MAC_DATA_REQUEST = 0x04,
	MAC_PAN_ID_CONFLICT = 0x05,
	MAC_ORPHAN = 0x06,
	MAC_BEACON_REQUEST = 0x07,
	MAC_COORDINATOR_REALIGNMENT = 0x08,
};

/* Capability information, clause 7.3.1.2. */
#define MAC_CAPABILITY_ALTERNATE_COORDINATOR 0x01
#define MAC_CAPABILITY_FFD 0x02
#define MAC_CAPABILITY_MAINS 0x04
#define MAC_CAPABILITY_RX_ON_WHEN_IDLE 0x08
#define MAC_CAPABILITY_SECURITY 0x40
#define MAC_CAPABILITY_ALLOCATE_ADDRESS 0x80

enum mac_association_status {
	MAC_ASSOCIATION_SUCCESS = 0x00,
	MAC_ASSOCIATION_AT_CAPACITY = 0x01,
	MAC_ASSOCIATION_DENIED = 0x02,
};

struct mac_command {
	enum mac_command_id id;
	union {
		uint8_t capability; /* association request */
		struct {
			uint16_t short_address;
			uint8_t status;
		} association; /* association response */
		uint8_t reason; /* disassociation: 1 coordinator wishes, 2 device wishes */
		struct {
			uint16_t pan_id;
			uint16_t coordinator;
			uint8_t channel;
			uint16_t short_address;
		} realignment;
	};
};

enum err mac_command_decode(struct rd payload, struct mac_command *c) MUST_CHECK;
enum err mac_command_encode(const struct mac_command *c, struct wr *w) MUST_CHECK;

/* Beacon payload of the MAC, without pending addresses and GTS: superframe(2, le) gts(1)=0 pending(1)=0 then the
 * network layer's beacon payload. */
struct mac_beacon {
	bool association_permit;
	bool pan_coordinator;
	uint16_t superframe; /* as on air; the two bools are bits 15 and 14 of it, and win on encode */
	struct rd payload;   /* borrowed: Zigbee beacon payload */
};
/* Skips GTS and pending-address fields of any length. */
enum err mac_beacon_decode(struct rd payload, struct mac_beacon *b) MUST_CHECK;
enum err mac_beacon_encode(const struct mac_beacon *b, struct wr *w) MUST_CHECK;

#endif
