/* What the files of the coordinator share. */
#ifndef KEYWAY_GATEWAY_COORDINATOR_PRIVATE_H
#define KEYWAY_GATEWAY_COORDINATOR_PRIVATE_H

#include "base/table.h"
#include "base/timers.h"
#include "gateway/coordinator.h"
#include "zigbee/nwk_frame.h"

#define ITEMS_MAX (4 * CHILDREN_MAX) /* after a power cut each child has an association response and a Transport-Key, and soon more */
#define PERSISTENCE_MS 7680          /* macTransactionPersistenceTime */

/* A frame that waits for a child: in its queue while it sleeps, or to be sent at once. */
struct item {
	struct item *next;
	struct slot *slot;
	struct timer_node timer; /* while it is not in flight */
	struct table_node token_node; /* while it is */
	uint32_t id, token;
	bool command, in_flight; /* command: an association response or realignment, to the extended address */
	uint64_t expires;
	uint8_t octets[MAC_FRAME_MAX];
	size_t len;
};

struct slot {
	struct child child;
	struct table_node eui64_node, short_node;
	bool used, matched_short, matched_extended;
	struct item *first, **last;
	size_t items;
	uint8_t last_sequence;
	uint64_t last_sequence_at;
	uint64_t rejoin_at;      /* it asked for a Trust Centre rejoin then; 0: never, or it was granted */
	uint64_t last_words;     /* of a child that was removed: until then */
};

struct coordinator {
	struct coordinator_config config;
	struct rng *rng;
	struct slot slots[CHILDREN_MAX];
	struct table by_eui64, by_short, by_token; /* slots in use, children, frames in flight */
	struct timers expiries;                    /* of the frames that wait */
	size_t walk_index, walk_slot;              /* coordinator_child_at: where it was last, and in which slot that is */
	uint64_t admitted[EGP_POLICY_DEVICES_MAX];
	size_t admitted_count;
	uint64_t joining_until;
	uint8_t sequence, beacon_sequence;
	uint32_t token;
	size_t items;
	uint64_t beacon_second;
	unsigned beacons;
	struct coordinator_effect *effects;
	size_t effect_first, effect_count;
};

/* coordinator.c */
struct coordinator_effect *coordinator_effect(struct coordinator *c, enum coordinator_effect_type type);

/* coordinator_children.c */
struct slot *slot_find(const struct coordinator *c, uint64_t eui64);
struct slot *slot_find_short(const struct coordinator *c, uint16_t short_address);
struct slot *slot_new(struct coordinator *c, uint64_t eui64); /* NULL: full */
void slot_end(struct coordinator *c, struct slot *s);
bool slot_is_child(const struct slot *s);
void slot_address(struct coordinator *c, struct slot *s, uint16_t short_address); /* MAC_BROADCAST: none */
bool slot_address_is_free(struct coordinator *c, uint16_t short_address, const struct slot *but);
bool slot_holds(const struct slot *s); /* frames of its owner */
bool slot_leave(struct coordinator *c, uint64_t now, struct slot *s); /* ends a child that has nothing more to hear; false: it stays */
bool child_listens(const struct child *child); /* all the time */

/* coordinator_queue.c */
struct mac_address queue_own_address(const struct coordinator *c, bool extended);
uint32_t queue_transmit(struct coordinator *c, struct mac_frame *f, bool urgent); /* at once, or before what is not urgent; its token */
void queue_transmit_item(struct coordinator *c, struct slot *s, struct item *i);
void queue_add(struct coordinator *c, struct slot *s, uint32_t id, bool command, uint64_t expires, struct rd octets);
void queue_next(struct coordinator *c, struct slot *s);  /* to a child that listens */
void queue_match(struct coordinator *c, struct slot *s); /* the radio's table as the queue stands */
void queue_report(struct coordinator *c, uint64_t eui64, uint32_t id, enum egp_delivery_status status);
void queue_drop(struct coordinator *c, struct slot *s);  /* all of it, and nobody is told */
void queue_expire(struct coordinator *c, uint64_t now);

/* coordinator_join.c */
void join_beacon(struct coordinator *c, uint64_t now);
void join_association(struct coordinator *c, uint64_t now, uint64_t eui64, uint8_t capability);
void join_rejoin(struct coordinator *c, uint64_t now, struct slot *s, const struct nwk_frame *nwk); /* a NWK command in clear */

#endif
