/* A tiny coordinator and Trust Centre around one simulated device, in simulated time: both have a radio core, and what one sends the other hears
 * at once. Each switch makes it a worse Trust Centre than it should be. */
#ifndef KEYWAY_TESTS_DEVICE_PLANT_H
#define KEYWAY_TESTS_DEVICE_PLANT_H

#include "sim/device.h"
#include "zigbee/aps_frame.h"
#include "zigbee/nwk_frame.h"
#include "zigbee/security/aps_security.h"
#include "zigbee/zcl.h"
#include "zigbee/zdo.h"

#define PLANT_DEVICE 0x00124b0000000001ULL
#define PLANT_COORDINATOR 0x0200000000000001ULL
#define PLANT_EXTENDED_PAN 0xf4ce368fce29a410ULL
#define PLANT_PAN 0x1a62
#define PLANT_SHORT 0x7b31
#define PLANT_LOG 512
#define PLANT_QUEUE 16
#define PLANT_MEMORY 8192

enum plant_key { PLANT_UNIQUE, PLANT_SAME, PLANT_NO_KEY };

struct plant_event {
	uint64_t at;
	char name[40], detail[200];
};

struct plant_psdu {
	uint8_t octets[MAC_PSDU_MAX];
	size_t len;
};

struct plant {
	struct sim_device *device;
	struct sim_device_config config;
	struct radio *radio;
	struct rng rng, device_rng;
	uint64_t now;
	char memory[PLANT_MEMORY];
	size_t memory_len;
	bool memory_fails;
	unsigned saves;
	/* the coordinator */
	bool deaf, permit, offer, announce_timeout, answer_node, answer_verify, confirm_under_old, acknowledge, answer_rejoin, answer_clear_rejoin;
	uint16_t rejoin_from; /* who answers a clear one; 0: the coordinator, as it should be */
	/* to a router */
	bool answer_route, link_status, status_broadcast, no_router_capacity;
	uint64_t status_at;
	enum plant_key answer_request;
	uint8_t association_status;
	uint16_t revision;
	struct secret *label;            /* what the coordinator takes for the install code's key */
	struct secret *network_key;
	uint8_t key_sequence;
	struct link_key_set link, fresh; /* of the device, as the coordinator knows them */
	uint32_t nwk_out, aps_out;
	uint8_t nwk_sequence, aps_counter, mac_sequence, zcl_sequence;
	uint16_t short_address;          /* of the device */
	struct plant_psdu queue[PLANT_QUEUE]; /* frames without FCS for the sleeper */
	size_t queue_count;
	/* what happened */
	struct plant_event events[PLANT_LOG];
	size_t event_count;
	uint32_t nwk_counters[PLANT_LOG]; /* of the device's frames, as they came */
	size_t nwk_counter_count;
	uint32_t aps_counters[PLANT_LOG];
	size_t aps_counter_count;
	unsigned associations, key_requests, verifies, leaves, disassociations, acks, polls, clear_frames;
	uint8_t last_acked, capability;
	/* of a router */
	unsigned route_requests, route_records, announcements, updates, status_count, beacons, permits;
	struct nwk_command status;       /* its last link status */
	struct aps_command update;       /* its last Update-Device */
	struct aps_frame last;           /* the last data frame above ZDO, with its payload in last_payload */
	uint8_t last_payload[128];
	unsigned data_frames;
	struct plant_psdu captured;      /* the first sealed frame to the device since its len was 0, with FCS */
	struct zdo_message last_zdo;     /* the last ZDO message that was no request of commissioning */
	enum err last_zdo_error;
	unsigned zdo_frames;
};

void plant_init(struct plant *p, enum sim_kind kind, bool sleepy);
void plant_clear(struct plant *p);
void plant_start(struct plant *p); /* a new device, after other settings; the former must be freed */
/* The device is switched off at this moment and on again with what it has stored. */
void plant_restart(struct plant *p);
void plant_run(struct plant *p, uint64_t ms);
/* Runs until an event of that name that is newer than `from`; false when none came in time. */
bool plant_await(struct plant *p, size_t from, const char *name, uint64_t ms);
const struct plant_event *plant_find(const struct plant *p, size_t from, const char *name);
unsigned plant_count(const struct plant *p, const char *name);
void plant_commission(struct plant *p); /* and empties the lists */

/* To the device. */
void plant_psdu_input(struct plant *p, const struct plant_psdu *psdu);
void plant_mac(struct plant *p, struct rd nwk);
void plant_nwk(struct plant *p, const struct secret *key, uint8_t key_sequence, uint64_t sealer, uint32_t counter, enum nwk_frame_type type, uint16_t source, struct rd payload);
void plant_nwk_command(struct plant *p, const struct nwk_command *c);
/* To all routers one hop away, by MAC broadcast or to the device's address. */
void plant_one_hop(struct plant *p, const struct nwk_command *c, bool broadcast);
void plant_status(struct plant *p); /* link status that lists the device */
/* A device without network near it: scans (0: no beacon, 1: one that does not permit joining, 2: one that does) and associates. */
unsigned plant_scan(struct plant *p);
void plant_associate(struct plant *p, uint64_t child);
void plant_aps(struct plant *p, struct rd aps);
/* Sealed under `key`, inside the NWK security. */
void plant_command(struct plant *p, const struct secret *key, enum aux_key_id id, uint32_t counter, const struct aps_command *c);
struct plant_offer {
	const struct secret *key;
	enum aux_key_id key_id;
	uint64_t sealer, source, destination;
	uint32_t counter;
	bool damage;
};
/* The first Transport-Key, without NWK security. */
void plant_offer(struct plant *p, const struct plant_offer *o);
void plant_next_key(struct plant *p, const struct secret *key, uint8_t sequence);
void plant_zdo(struct plant *p, const struct zdo_message *m);
/* A data frame; counter: of APS. */
void plant_data(struct plant *p, uint8_t counter, uint16_t cluster, uint16_t profile, uint8_t endpoint, struct rd payload);
void plant_zcl(struct plant *p, uint16_t cluster, enum zcl_frame_type type, uint8_t command, struct rd payload);

#endif
