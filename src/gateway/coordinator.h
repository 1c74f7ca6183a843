/* The PAN coordinator's MAC service, pure and keyless: beacons, association for admitted devices only, short addresses, the indirect queue of
 * sleepy children, and the relay of opaque NWK frames both ways. Source: IEEE 802.15.4-2006 clauses 7.5.2 to 7.5.6.
 * Nothing that an unauthenticated frame says changes what a living child has: its owner confirms changes by CHILD-SET. */
#ifndef KEYWAY_GATEWAY_COORDINATOR_H
#define KEYWAY_GATEWAY_COORDINATOR_H

#include "base/rng.h"
#include "egp/egp.h"
#include "ieee802154/mac_frame.h"

#define CHILDREN_MAX 1024
#define CHILD_NAME 128
#define COORDINATOR_TRANSPORT_KEY 0
#define CHILD_DOWN 96

struct coordinator_config {
	uint64_t eui64;
	uint16_t pan_id;
	uint64_t extended_pan_id;
	uint8_t channel;
};

struct child {
	uint64_t eui64;
	uint16_t short_address;
	uint8_t capability;
	bool confirmed;           /* its owner has sent CHILD-SET */
	uint32_t timeout_s;       /* 0: never ages */
	char owner[CHILD_NAME];   /* CSE-ID of node B; "" before enrolment */
	char relay[CHILD_NAME];   /* SP-relative ID of the container above up and down */
	char down[CHILD_DOWN];    /* how far its owner's messages were carried out: relay_last */
	bool removed;             /* the Enrolment Gateway said so */
	bool dropped;             /* so did its owner; not stored, which says it again */
	uint64_t last_heard;
};

enum coordinator_effect_type {
	COORDINATOR_TRANSMIT,       /* octets, token; urgent: who is to hear it listens for a moment only */
	COORDINATOR_MATCH_SHORT,    /* short_address, add */
	COORDINATOR_MATCH_EXTENDED, /* eui64, add */
	COORDINATOR_ASSOCIATED,     /* eui64, short_address, capability */
	COORDINATOR_REJOIN,         /* eui64, short_address, capability: a child asks for a Trust Centre rejoin, in clear */
	COORDINATOR_DENIED,         /* eui64: an association that the policy does not permit */
	COORDINATOR_UPLINK,         /* eui64 of the child, short_address, lqi, rssi, octets */
	COORDINATOR_DELIVERY,       /* eui64, id, status */
	COORDINATOR_UNKNOWN_POLL,   /* short_address, or eui64 if it is told, polled or sent a sealed frame, and is no child */
	COORDINATOR_LOST,           /* eui64: silent beyond its time-out */
	COORDINATOR_SAVE,           /* children have changed: store them */
	COORDINATOR_ENDED,          /* eui64: the Enrolment Gateway's word was carried out */
};

struct coordinator_effect {
	enum coordinator_effect_type type;
	uint64_t eui64;
	uint16_t short_address;
	uint8_t capability, lqi;
	int8_t rssi;
	bool add, urgent;
	uint32_t token, id;
	enum egp_delivery_status status;
	uint8_t octets[MAC_FRAME_MAX];
	size_t len;
};

struct coordinator;
struct coordinator *coordinator_new(const struct coordinator_config *c, struct rng *rng);
void coordinator_free(struct coordinator *c);

/* Joining: count 0 or duration 0 admits nobody. */
void coordinator_policy(struct coordinator *c, uint64_t now_ms, uint16_t duration_s, const uint64_t *devices, size_t count);
bool coordinator_joining(const struct coordinator *c, uint64_t now_ms);
void coordinator_received(struct coordinator *c, uint64_t now_ms, struct rd frame, uint8_t lqi, int8_t rssi);
void coordinator_sent(struct coordinator *c, uint64_t now_ms, uint32_t token, bool acked, bool busy);
void coordinator_radio_ready(struct coordinator *c); /* its source-match table is empty: filled again */
/* Queues a NWK frame for a child, or for the router on its source route, or with EGP_DOWNLINK_BROADCAST for all that listen. COORDINATOR_DELIVERY with the id follows.
 * COORDINATOR_TRANSPORT_KEY as id: not before the child has fetched the association response that waits for it. */
void coordinator_send(struct coordinator *c, uint64_t now_ms, uint64_t eui64, uint32_t id, uint8_t flags, uint32_t validity_ms, struct rd nwk);
/* The Trust Centre serves the rejoin that this child asked for: what is sent to it next comes behind a Rejoin Response. Nothing when it did not ask. */
void coordinator_rejoin_granted(struct coordinator *c, uint64_t now_ms, uint64_t eui64);
void coordinator_child_set(struct coordinator *c, uint64_t now_ms, uint64_t eui64, uint16_t short_address, uint8_t capability, uint32_t timeout_s);
/* Its owner's word, and the Enrolment Gateway's. What waits for it goes first (its Leave: a sleeper hears that at its next poll) or expires, and nothing
 * comes from it any more. Unless its owner has dropped it, that has LAST_WORDS_MS from the Enrolment Gateway's word on. COORDINATOR_ENDED follows the
 * second of them. */
void coordinator_child_drop(struct coordinator *c, uint64_t eui64);
void coordinator_child_remove(struct coordinator *c, uint64_t now_ms, uint64_t eui64);
bool coordinator_holds(const struct coordinator *c, uint64_t eui64); /* frames for this child */
void coordinator_tick(struct coordinator *c, uint64_t now_ms);
uint64_t coordinator_deadline(const struct coordinator *c);
bool coordinator_output(struct coordinator *c, struct coordinator_effect *e) MUST_CHECK;

/* Children, for the store and for the relay; borrowed, valid until the next call. */
struct child *coordinator_child(struct coordinator *c, uint64_t eui64);
struct child *coordinator_child_at(struct coordinator *c, size_t index); /* NULL behind the last */
bool coordinator_restore(struct coordinator *c, const struct child *child);

#endif
