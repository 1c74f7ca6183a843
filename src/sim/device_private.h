/* What the files of the simulated device share. Each section is one file. */
#ifndef KEYWAY_SIM_DEVICE_PRIVATE_H
#define KEYWAY_SIM_DEVICE_PRIVATE_H

#include "keys/counter.h"
#include "sim/device_type.h"
#include "zigbee/aps_frame.h"
#include "zigbee/ota.h"
#include "zigbee/security/aps_security.h"
#include "zigbee/zcl.h"
#include "zigbee/zdo.h"

#define DEVICE_EFFECTS 64
#define DEVICE_UNACKED 8
#define DEVICE_DUPLICATES 16
#define DEVICE_BINDINGS 16
#define DEVICE_REPORTS 16
#define DEVICE_COUNTER_BLOCK 1024
#define DEVICE_UNSECURED_REJOIN_EVERY 4 /* fruitless rounds of secured ones */

enum device_state {
	DEVICE_OFF,            /* waits to scan again */
	DEVICE_SCANNING,
	DEVICE_ASSOCIATING,    /* request sent */
	DEVICE_ASKING,         /* polls for the association response */
	DEVICE_AWAITING_KEY,
	DEVICE_NEGOTIATING,    /* end-device time-out */
	DEVICE_ASKING_NODE,    /* node descriptor of the coordinator */
	DEVICE_ASKING_KEY,     /* unique Trust Centre link key */
	DEVICE_VERIFYING,
	DEVICE_COMMISSIONED,
	DEVICE_SEEKING,        /* scans for the network that it belongs to */
	DEVICE_REJOINING,      /* rejoin request sent */
};

/* Two are kept, so that a rotation loses no frame: R22 4.3.1.2. */
struct network_key {
	struct secret *key; /* NULL: none */
	uint8_t sequence;
	bool newer; /* came by Transport-Key and was not active yet */
	struct counter_in in;
};

/* A link key shared with the Trust Centre, and what was heard under it. */
struct trust_link {
	struct link_key_set set;
	struct counter_in in;
};

/* An image on its way to us. */
enum device_upgrade_state { DEVICE_UPGRADE_NONE, DEVICE_UPGRADE_ASKING, DEVICE_UPGRADE_TAKING, DEVICE_UPGRADE_ENDING };
struct device_upgrade {
	enum device_upgrade_state state;
	uint32_t version, size, offset, sum;
	uint64_t again;
	unsigned tries;
	bool wrong; /* it is no image */
};

#define DEVICE_PINS 8
#define DEVICE_PIN_MAX 8
struct device_pin {
	uint8_t len; /* 0: none */
	uint8_t digits[DEVICE_PIN_MAX];
};

#define DEVICE_GROUPS 8
#define DEVICE_SCENES 8
#define DEVICE_SCENE_PARTS 9
struct device_group {
	uint8_t endpoint; /* 0: none */
	uint16_t id;
};
struct device_scene {
	uint8_t endpoint, id; /* endpoint 0: none */
	uint16_t group, transition;
	bool has[DEVICE_SCENE_PARTS];
	uint16_t values[DEVICE_SCENE_PARTS];
};

/* An APS frame that waits for its acknowledgement. */
struct unacked {
	bool used;
	uint8_t counter;
	uint16_t destination;
	unsigned tries;
	uint64_t again;
	uint8_t octets[NWK_FRAME_MAX]; /* the APS frame */
	size_t len;
};

struct binding {
	uint8_t endpoint; /* ours */
	uint16_t cluster;
	uint64_t destination;
	uint8_t destination_endpoint;
};

struct reporting {
	uint8_t endpoint;
	uint16_t cluster, attribute;
	uint8_t type;
	uint16_t minimum_s, maximum_s;
	uint64_t change, last_value, last_at;
	uint32_t early_ms;
	bool ever;
};

#define DEVICE_NEIGHBOURS 16
#define DEVICE_HELD 6
#define DEVICE_REPEATS 8
#define DEVICE_CHILDREN 8
#define DEVICE_CHILD_QUEUE 8
#define DEVICE_BROADCASTS 16
#define DEVICE_DISCOVERIES 8
#define DEVICE_TRACKED 64 /* transmissions; more than the radio queues */

struct device_neighbour {
	bool used;
	uint64_t eui64;
	uint16_t address;
	uint8_t incoming_cost, outgoing_cost; /* outgoing 0: it does not say that it hears us */
	unsigned age;          /* periods since its link status was heard */
	struct counter_in in;  /* unless it is the Trust Centre */
};

enum device_route { DEVICE_ROUTE_NONE, DEVICE_ROUTE_ASKED, DEVICE_ROUTE_ACTIVE };

/* A frame with its own copy of the payload, which is in clear: it is sealed when it goes on the air. */
struct device_frame {
	struct nwk_frame f;
	uint8_t octets[NWK_FRAME_MAX];
};

/* A broadcast that is sent again. */
struct device_repeat {
	unsigned left;
	uint64_t at;
	struct device_frame frame;
};

/* A broadcast that was heard, or made. R22 3.6.5: the transaction table. */
struct device_broadcast {
	bool used;
	uint16_t source;
	uint8_t sequence;
	uint64_t until;
};

/* A frame that waits until its child asks for it. token: it is on the air; 0: not. */
struct device_waiting {
	struct device_frame frame;
	uint64_t until;
	uint32_t token;
};

/* Somebody who associated with us, or rejoined. */
struct device_child {
	bool used, answer_waits;
	bool keyed;      /* it was heard under the network key */
	bool record_due; /* the concentrator wants a route record of it */
	uint64_t eui64, since;
	uint16_t short_address;
	uint8_t capability;
	struct counter_in in;
	struct device_waiting queue[DEVICE_CHILD_QUEUE];
	size_t queued;
};

/* A route request of another that we pass on: its answer goes back that way. */
struct device_discovery {
	bool used;
	uint16_t originator, from;
	uint8_t id, cost;
	uint64_t until;
};

struct device_router {
	struct device_neighbour neighbours[DEVICE_NEIGHBOURS]; /* the first is the parent */
	enum device_route route;                               /* to the coordinator */
	uint16_t next_hop;                                     /* on it */
	bool many_to_one, no_cache, record_due;
	uint8_t many_id, many_cost;                            /* of the last many-to-one route request, and how far it came */
	uint8_t request_id;
	unsigned asks, failures;
	uint64_t status_at, ask_at, give_up_at;
	struct { uint8_t octets[NWK_FRAME_MAX]; size_t len; } held[DEVICE_HELD]; /* until there is a route */
	size_t held_count;
	struct device_repeat repeats[DEVICE_REPEATS];
	struct device_broadcast broadcasts[DEVICE_BROADCASTS];
	struct device_discovery discoveries[DEVICE_DISCOVERIES];
	uint64_t permit_until;
	uint8_t depth;
	struct device_child children[DEVICE_CHILDREN];
};

/* What a transmission was, until it has ended. */
struct device_track {
	uint32_t token;
	uint16_t to;          /* MAC; MAC_BROADCAST: nobody's loss */
	bool passed, routed;  /* of another's frame; by its source route */
	uint16_t for_;        /* NWK destination */
};

/* A network worth joining, from its beacon. */
struct candidate {
	bool found;
	uint8_t channel, depth;
	uint16_t pan_id, parent;
	uint64_t extended_pan_id;
};

struct sim_device {
	struct sim_device_config config;
	struct radio *radio;
	enum device_state state;
	uint64_t now, step_at, poll_at, window_until, busy_until;
	unsigned tries, missed, failures, rejoin_failures;
	struct candidate candidate;
	bool resting;    /* DEVICE_SEEKING: between two scans */
	uint8_t channel; /* tuned to */
	uint16_t pan_id, short_address, parent;
	uint64_t extended_pan_id;
	uint64_t parent_eui64;   /* 0: not known, or the Trust Centre */
	bool heard_broadcast;    /* the frame that is being read was a MAC broadcast */
	uint16_t heard_from;     /* its MAC source */
	uint64_t heard_sealer;   /* who sealed it; 0: nobody */
	uint16_t deaf_to;        /* a MAC address that is out of its range; MAC_BROADCAST: none */
	struct device_track tracks[DEVICE_TRACKED];
	struct device_router router;
	bool by_timeout_request; /* the parent wants time-out requests as keep-alive, not polls */
	bool unsecured_rejoin;   /* under way: the key comes under the unique link key */
	struct trust_link link;  /* the present one */
	struct trust_link fresh; /* received, not yet confirmed; set.link NULL: none */
	bool link_is_unique;
	struct network_key network, alternate;
	uint64_t trust_centre;
	struct counter nwk_out, aps_out;
	uint8_t mac_sequence, nwk_sequence, aps_counter, zdo_sequence, zcl_sequence;
	struct unacked unacked[DEVICE_UNACKED];
	struct { uint8_t counter; uint16_t source; uint64_t at; bool used; } duplicates[DEVICE_DUPLICATES];
	size_t duplicate_next;
	uint32_t token;
	struct sim_device_effect effects[DEVICE_EFFECTS];
	size_t effect_first, effect_count;
	/* application */
	struct binding bindings[DEVICE_BINDINGS];
	size_t binding_count;
	struct reporting reports[DEVICE_REPORTS];
	uint64_t report_from; /* after its start */
	size_t report_count;
	uint64_t values[DEVICE_ENDPOINTS][DEVICE_ATTRIBUTES]; /* of device_attributes, as far as they are DEVICE_STORED */
	struct device_pin pins[DEVICE_PINS];
	struct device_group groups[DEVICE_GROUPS];
	struct device_scene scenes[DEVICE_SCENES];
	char build[17];      /* software version, as text; and as an upgrade file has it */
	uint32_t version;
	struct device_upgrade upgrade;
	uint16_t zone_status;
	bool enrolled, temperature_held;
	uint64_t cie;
	uint16_t identify_s;
	int16_t temperature; /* hundredths of a degree */
	uint16_t humidity;   /* hundredths of a per cent */
	uint16_t watts;      /* while on */
	uint64_t energy;     /* watt hours */
	uint64_t drift_at, second_at, alarm_until, check_in_at;
	uint32_t check_in_quarters; /* Poll Control: quarters of a second between two check-ins, 0: none */
};

/* What an APS frame came with. */
struct arrival {
	struct aps_frame f;
	uint16_t source;  /* NWK */
	bool broadcast;   /* NWK */
	struct rd payload; /* opened */
};

/* ---- device.c: life, states, events ---- */
void device_event(struct sim_device *d, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
struct sim_device_effect *device_effect(struct sim_device *d, enum sim_device_effect_type type); /* NULL: no room */
void device_state_set(struct sim_device *d, enum device_state s, uint64_t step_in_ms);
void device_state_rest(struct sim_device *d, enum device_state s); /* no step is due */
/* Has a network key and an address. */
bool device_joined(const struct sim_device *d);
/* Forgets the network and starts over after a while; `tell`: NWK Leave and MAC disassociation first. */
void device_leave(struct sim_device *d, const char *reason, bool tell);
uint8_t device_capability(const struct sim_device *d);

/* ---- device_memory.c ---- */
void device_save(struct sim_device *d);
enum err device_reserve_nwk(void *ctx, uint32_t limit);
enum err device_reserve_aps(void *ctx, uint32_t limit);
/* Sets commissioned when the memory is of a device in a network. */
bool device_recall(struct sim_device *d, struct rd memory, bool *commissioned) MUST_CHECK;

/* ---- device_mac.c: scan, association, polling ---- */
void device_mac_seek_later(struct sim_device *d); /* a round of looking for the network was in vain */
void device_mac_scan(struct sim_device *d, enum device_state as);
void device_mac_tune(struct sim_device *d, uint8_t channel);
void device_mac_step(struct sim_device *d);
void device_mac_data(struct sim_device *d, struct rd nwk); /* to the parent */
uint32_t device_mac_to(struct sim_device *d, uint16_t destination, bool pending, struct rd nwk); /* gives the token of the transmission */
void device_mac_broadcast(struct sim_device *d, struct rd nwk);
void device_mac_send(struct sim_device *d, struct mac_frame *f);
void device_mac_command(struct sim_device *d, const struct mac_command *c, struct mac_frame *f);
void device_mac_disassociate(struct sim_device *d);
void device_mac_poll_tick(struct sim_device *d);
bool device_mac_polls(const struct sim_device *d);
void device_mac_addresses(struct sim_device *d, bool joined);
void device_mac_drain(struct sim_device *d); /* takes what the radio has for us */
bool device_mac_listens(const struct sim_device *d);

/* ---- device_nwk.c ---- */
void device_nwk_send(struct sim_device *d, enum nwk_frame_type type, uint16_t destination, struct rd payload);
/* The frame as it is, in clear when its security bit is not set: to one MAC address, or MAC_BROADCAST. Gives the token. */
uint32_t device_nwk_pass(struct sim_device *d, const struct nwk_frame *f, uint16_t to, bool pending);
void device_nwk_command(struct sim_device *d, uint16_t destination, const struct nwk_command *c);
void device_nwk_command_to(struct sim_device *d, uint16_t destination, uint64_t eui64, const struct nwk_command *c, bool secured); /* of known EUI-64 */
void device_nwk_header(const struct sim_device *d, enum nwk_frame_type type, uint16_t destination, struct rd payload, struct nwk_frame *f);
uint64_t device_nwk_parent(const struct sim_device *d); /* its EUI-64 */
void device_nwk_rejoin_request(struct sim_device *d, bool secured);
void device_nwk_input(struct sim_device *d, struct rd nwk);
void device_nwk_seek(struct sim_device *d); /* the parent is lost, or a rejoin is wanted */
bool device_nwk_switch(struct sim_device *d, uint8_t sequence);
void device_network_key_clear(struct network_key *k);

/* ---- device_router.c: link status and the route to the coordinator ---- */
void device_router_start(struct sim_device *d); /* it has just joined, rejoined or been switched on; nothing unless it is a router */
bool device_router_holds(struct sim_device *d, enum nwk_frame_type type, uint16_t destination, struct rd payload); /* until there is a route */
void device_router_link_status(struct sim_device *d, uint64_t sealer, uint16_t source, const struct nwk_command *m);
bool device_router_hears_us(const struct sim_device *d, uint16_t address); /* a neighbour says so */
void device_router_found(struct sim_device *d, uint16_t next_hop, const char *how);
void device_router_lost(struct sim_device *d);       /* the next hop does not answer */
void device_router_record(struct sim_device *d, struct device_child *c); /* a route record, when the concentrator wants one; NULL: of our own */
struct counter_in *device_router_counter(struct sim_device *d, uint64_t eui64); /* of a child or neighbour; NULL: no room for one more */
uint16_t device_router_neighbour(const struct sim_device *d, uint16_t address); /* the address, if it is one; or MAC_BROADCAST */
void device_router_neighbours(const struct sim_device *d, struct zdo_message *m);
void device_router_routes(const struct sim_device *d, struct zdo_message *m);
void device_router_tick(struct sim_device *d);
uint64_t device_router_deadline(const struct sim_device *d);

/* ---- device_mesh.c: what a router passes on ---- */
bool device_frame_take(struct device_frame *to, const struct nwk_frame *f) MUST_CHECK;
struct nwk_frame device_frame(const struct device_frame *from); /* borrows the payload */
bool device_mesh_fresh(struct sim_device *d, const struct nwk_frame *f);                 /* a broadcast that was not heard before */
void device_mesh_broadcast(struct sim_device *d, const struct nwk_frame *f, bool own);   /* payload in clear: sent again, and to sleepy children */
void device_mesh_forward(struct sim_device *d, const struct nwk_frame *f);               /* payload in clear: for somebody else */
void device_mesh_send(struct sim_device *d, const struct nwk_frame *f);                  /* of our own */
void device_mesh_command(struct sim_device *d, const struct nwk_frame *f, uint64_t sealer, const struct nwk_command *m);
bool device_mesh_route_record(struct sim_device *d, const struct nwk_frame *f, struct rd payload); /* another's: passed on with us in it */
void device_mesh_sent(struct sim_device *d, const struct device_track *t, bool acked);
void device_mesh_tick(struct sim_device *d);
uint64_t device_mesh_deadline(const struct sim_device *d);

/* ---- device_parent.c: a router's beacon and children ---- */
void device_parent_permit(struct sim_device *d, uint8_t seconds);
void device_parent_command(struct sim_device *d, const struct mac_frame *f);
struct device_child *device_parent_child(struct sim_device *d, uint64_t eui64);          /* NULL: none */
struct device_child *device_parent_child_at(struct sim_device *d, uint16_t short_address);
bool device_parent_sleeps(const struct device_child *c);
void device_parent_queue(struct sim_device *d, struct device_child *c, const struct nwk_frame *f); /* until it asks */
void device_parent_deliver(struct sim_device *d, struct device_child *c, const struct nwk_frame *f); /* now, or when it asks */
void device_parent_sent(struct sim_device *d, uint32_t token, bool acked);
void device_parent_heard(struct sim_device *d, uint64_t sealer);                         /* a genuine frame of a child */
void device_parent_tunnel(struct sim_device *d, const struct aps_command *c);
void device_parent_rejoin(struct sim_device *d, const struct nwk_frame *f, uint64_t eui64, uint8_t capability, bool secured);
void device_parent_timeout(struct sim_device *d, uint64_t eui64, const struct nwk_command *m);
void device_parent_left(struct sim_device *d, uint64_t eui64);
void device_parent_gone(struct sim_device *d, uint64_t eui64);                           /* to another parent */
void device_parent_remove(struct sim_device *d, uint64_t eui64);                         /* it is told to leave, and forgotten */
void device_parent_forget(struct sim_device *d);                                         /* all of them: we left */
void device_parent_write(const struct sim_device *d, struct wr *w);                      /* into the memory */
void device_parent_recall(struct sim_device *d, uint64_t eui64, uint16_t short_address, uint8_t capability, uint32_t fresh_from);

/* ---- device_aps.c ---- */
void device_aps_send(struct sim_device *d, uint16_t destination, const struct aps_frame *f, bool seal_with_link_key);
void device_aps_input(struct sim_device *d, struct rd octets, uint16_t source, bool broadcast, bool secured);
void device_aps_tick(struct sim_device *d);
uint64_t device_aps_deadline(const struct sim_device *d);
void device_aps_forget(struct sim_device *d);

/* ---- device_tc.c: the device's side of the Trust Centre's procedures ---- */
enum sealed_under { SEALED_NOT, SEALED_LINK, SEALED_FRESH };
void device_tc_step(struct sim_device *d);
void device_tc_input(struct sim_device *d, const struct arrival *a, enum sealed_under under, const struct aux_header *aux);
enum device_update { DEVICE_SECURED_REJOIN = 0, DEVICE_UNSECURED_JOIN = 1, DEVICE_LEFT = 2, DEVICE_UNSECURED_REJOIN = 3 }; /* R22 table 4-40 */
void device_tc_update(struct sim_device *d, uint64_t child, uint16_t short_address, enum device_update status);
void device_tc_timeout_known(struct sim_device *d, uint8_t status, uint8_t parent_information);
void device_tc_node_known(struct sim_device *d, const struct zdo_message *m);
void device_trust_link_clear(struct trust_link *l);

/* ---- device_zdo.c ---- */
void device_zdo_send(struct sim_device *d, uint16_t destination, const struct zdo_message *m, bool ack);
void device_zdo_input(struct sim_device *d, const struct arrival *a);
void device_announce(struct sim_device *d);

/* ---- device_attribute.c: what it senses ---- */
const struct device_endpoint *device_endpoint(const struct sim_device *d, uint8_t id); /* NULL: it has none */
bool device_has_cluster(const struct sim_device *d, uint8_t endpoint, uint16_t cluster); /* as a server */
uint8_t device_endpoint_of(const struct sim_device *d, uint16_t cluster);                /* the first that serves it; 0: none */
/* NULL: this endpoint has no such attribute. */
const struct device_attribute *device_attribute_find(const struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint16_t id);
/* The next one of the cluster with an id of at least `from`, or NULL. */
const struct device_attribute *device_attribute_next(const struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint32_t from);
void device_attribute_read(const struct sim_device *d, uint8_t endpoint, const struct device_attribute *a, struct zcl_value *v);
/* A ZCL status. */
uint8_t device_attribute_write(struct sim_device *d, uint8_t endpoint, const struct device_attribute *a, const struct zcl_value *v, bool try_only);
uint64_t device_value(const struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint16_t id); /* 0 when there is none */
bool device_value_set(struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint16_t id, uint64_t v); /* false: there is none that is stored */
void device_values_begin(struct sim_device *d);
void device_values_write(const struct sim_device *d, struct wr *w); /* into its memory */
void device_value_recall(struct sim_device *d, uint64_t endpoint, uint64_t cluster, uint64_t id, uint64_t v);
void device_sense(struct sim_device *d); /* once a second: the world changes a little */

/* ---- device_behaviour.c: what commands do ---- */
/* A ZCL status; what is in `answer` afterwards is the cluster's own response. */
uint8_t device_perform(struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint8_t command, struct rd in, struct wr *answer);

/* ---- device_groups.c: the clusters Groups and Scenes ---- */
bool device_in_group(const struct sim_device *d, uint8_t endpoint, uint16_t id);
uint8_t device_groups_command(struct sim_device *d, uint8_t endpoint, uint8_t command, struct rd in, struct wr *answer); /* as device_perform */
uint8_t device_scenes_command(struct sim_device *d, uint8_t endpoint, uint8_t command, struct rd in, struct wr *answer);
void device_scenes_touched(struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint16_t id); /* the attribute is another: it may be no scene any more */
void device_groups_forget(struct sim_device *d);
void device_groups_write(const struct sim_device *d, struct wr *w); /* into its memory */
void device_group_recall(struct sim_device *d, uint64_t endpoint, uint64_t id);
void device_scene_recall(struct sim_device *d, uint64_t endpoint, uint64_t group, uint64_t id, uint64_t transition);
void device_scene_part_recall(struct sim_device *d, uint64_t endpoint, uint64_t group, uint64_t id, uint64_t part, uint64_t value);

/* ---- device_zcl.c ---- */
#define DEVICE_ANSWER 78 /* the ZCL payload that one frame carries: longer answers are cut at a record */
/* A request and where it came from. */
struct device_request {
	const struct arrival *a;
	uint8_t endpoint;
	uint16_t cluster;
	struct zcl_frame z;
};
void device_zcl_respond(struct sim_device *d, const struct device_request *rq, enum zcl_frame_type type, uint8_t command, const struct wr *payload);
void device_zcl_default(struct sim_device *d, const struct device_request *rq, uint8_t status); /* ZCL 2.5.12.2: not to a broadcast, of which nobody hears what became */
void device_zcl_input(struct sim_device *d, const struct arrival *a);
void device_zcl_send(struct sim_device *d, uint8_t source, uint16_t destination, uint8_t endpoint, uint16_t cluster, const struct zcl_frame *z);
void device_enroll(struct sim_device *d); /* IAS zone enroll request */
void device_check_in(struct sim_device *d);
void device_alarm(struct sim_device *d, bool alarm); /* bit 0 of the zone status */
void device_zone(struct sim_device *d, uint16_t status);
bool device_press(struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint8_t command); /* false: it is bound to nobody */

/* ---- device_foundation.c ---- */
void device_foundation(struct sim_device *d, const struct device_request *rq); /* a command of all clusters */

/* ---- device_ota.c: client for over-the-air upgrade ---- */
bool device_ota_input(struct sim_device *d, const struct zcl_frame *z); /* false: not for it */
void device_ota_tick(struct sim_device *d);

/* ---- device_report.c ---- */
uint8_t device_report_configure(struct sim_device *d, uint8_t endpoint, uint16_t cluster, const struct zcl_record *r);
const struct reporting *device_report_find(const struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint16_t attribute);
const struct binding *device_binding(const struct sim_device *d, uint8_t endpoint, uint16_t cluster); /* the first; NULL: none */
void device_reports_consider(struct sim_device *d);

#endif
