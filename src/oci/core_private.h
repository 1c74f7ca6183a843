/* What the files of the coordinator's upper layers share. */
#ifndef KEYWAY_OCI_CORE_PRIVATE_H
#define KEYWAY_OCI_CORE_PRIVATE_H

#include "oci/oci_core.h"
#include "zigbee/zcl.h"

#define OCI_ENDPOINT 1
#define OCI_EFFECTS 256
#define OCI_APS_UNICAST 224 /* APS counters below are of frames to one device, the others of groupcasts */
#define OCI_COMMAND_MS 15000 /* for a device's word on a command */
#define OCI_LISTENS 0x08    /* of a device's capability: receiver on when idle */

#define OCI_HEARD 32

/* A broadcast that a router may bring once more. */
struct oci_heard {
	uint16_t source;
	uint8_t sequence;
	uint64_t until;
};

struct oci_core {
	struct oci_core_config config;
	struct oci_device *devices;
	struct oci_network *networks; /* that devices share */
	struct oci_group *groups;
	struct oci_air *airs;
	uint8_t group_sequence;       /* ZCL's, of the last groupcast */
	uint64_t groupcast_ms;        /* who has not reported by then is told by itself */
	enum err (*save_group)(void *ctx, const struct oci_group *g); /* NULL: they are not kept */
	void *save_group_ctx;
	bool restored;                /* there was a run before this one */
	uint64_t restored_at;
	struct oci_heard heard[OCI_HEARD];
	uint64_t now;
	struct oci_effect *effects;
	size_t first, count;
	uint64_t made; /* effects so far; the last is at (made - 1) % OCI_EFFECTS */
};

struct oci_effect *oci_effect(struct oci_core *c, enum oci_effect_type type, const struct oci_device *d); /* d NULL: of none */
void oci_log(struct oci_core *c, const struct oci_device *d, const char *fmt, ...) PRINTF_LIKE(3, 4);
void oci_event(struct oci_core *c, const struct oci_device *d, const char *event);
bool oci_save(struct oci_core *c, const struct oci_device *d);
/* oci_network.c: a user more of this one, or of the one that it is the same as; takes it over. NULL: that has another key. */
struct oci_network *oci_network_join(struct oci_core *c, const struct oci_device *d, struct oci_network *n);
void oci_network_leave(struct oci_core *c, struct oci_network *n); /* accepts NULL */
/* The next number under the network's key; d is stored with it. */
enum err oci_network_take(struct oci_core *c, struct oci_device *d, struct oci_network *n, uint32_t *number) MUST_CHECK;
/* oci_nwk.c */
void oci_nwk_send(struct oci_core *c, struct oci_device *d, enum nwk_frame_type type, struct rd payload);
void oci_nwk_command(struct oci_core *c, struct oci_device *d, const struct nwk_command *m);
/* Data to all that hear the gateway, have the key that `via` uses, and have this broadcast address; it goes by way of `via`. far: routers pass it on. */
void oci_nwk_broadcast(struct oci_core *c, struct oci_device *via, uint16_t destination, bool far, uint8_t sequence, struct rd payload);
void oci_nwk_leave(struct oci_core *c, struct oci_device *d); /* for good; to who hears the gateway: oci_mesh_leave to all */
/* To all routers one hop away, which is this one: to its MAC address, or as a MAC broadcast. */
void oci_nwk_one_hop(struct oci_core *c, struct oci_device *d, const struct nwk_command *m, bool broadcast);
/* To all routers of its network, on and on: many-to-one route requests. */
void oci_nwk_flood(struct oci_core *c, struct oci_device *via, const struct nwk_command *m, bool broadcast);
void oci_nwk_promote(struct oci_core *c, struct oci_device *d, uint16_t source); /* the device uses its pending key */
void oci_nwk_first(struct oci_core *c, struct oci_device *d);                    /* its first frame under a key */
/* oci_mesh.c: through the routers of a group */
bool oci_mesh_same(const struct oci_device *a, const struct oci_device *b); /* of one group, at one gateway */
bool oci_mesh_is_router(const struct oci_device *d);                        /* one that may pass frames on */
/* Whom the gateway sends a frame for d to, and the frame's source route when it is another; NULL: there is no way. */
struct oci_device *oci_mesh_hop(struct oci_core *c, struct oci_device *d, struct nwk_frame *f);
/* Whose frame it is that this hop has sealed, opened; NULL: nobody's that we know. */
struct oci_device *oci_mesh_origin(struct oci_core *c, struct oci_device *hop, const struct nwk_frame *f, struct rd payload);
enum err oci_mesh_input(struct oci_core *c, struct oci_device *hop, struct oci_device *d, const struct nwk_frame *f, struct rd payload); /* d is not hop */
void oci_mesh_direct(struct oci_core *c, struct oci_device *d, const struct nwk_frame *f); /* it has sealed the frame itself */
void oci_mesh_no_route(struct oci_core *c, const struct oci_device *d, uint16_t short_address);
void oci_mesh_leave(struct oci_core *c, struct oci_device *d, bool rejoin);    /* tells it to */
/* oci_aps.c */
void oci_aps_send(struct oci_core *c, struct oci_device *d, const struct aps_frame *f);
void oci_zdo_send(struct oci_core *c, struct oci_device *d, const struct zdo_message *m);
void oci_aps_input(struct oci_core *c, struct oci_device *d, struct rd octets); /* opened */
uint8_t oci_aps_counter(struct oci_device *d); /* of the next frame to it alone */
void oci_aps_tick(struct oci_core *c, struct oci_device *d);
uint64_t oci_aps_deadline(const struct oci_device *d);
void oci_aps_withdraw(struct oci_device *d); /* what waits for an acknowledgement */
void oci_aps_forget(struct oci_device *d); /* what waits for an acknowledgement, and what was heard lately */
/* oci_router.c */
bool oci_is_router(const struct oci_device *d);
uint8_t oci_link_cost(uint8_t lqi);
bool oci_router_own(const struct oci_device *d, const struct nwk_frame *f); /* not what it passes on for another */
void oci_router_heard(struct oci_core *c, struct oci_device *d);            /* a genuine frame of it, when it has been dealt with */
void oci_router_status(struct oci_core *c, struct oci_device *d, const struct nwk_command *m); /* a network status */
/* To a router, or somebody behind hop, that looks for the coordinator: on the way that its request came. */
void oci_router_reply(struct oci_core *c, struct oci_device *hop, const struct oci_device *d, const struct nwk_frame *f, const struct nwk_command *m);
void oci_router_command(struct oci_core *c, struct oci_device *d, const struct nwk_frame *f, const struct nwk_command *m);
bool oci_router_zdo(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, struct rd payload); /* false: not ours to answer */
void oci_router_tick(struct oci_core *c, struct oci_device *d);
uint64_t oci_router_deadline(const struct oci_core *c, const struct oci_device *d);
void oci_router_forget(struct oci_device *d); /* it begins anew */
/* oci_life.c */
void oci_life_place(struct oci_core *c, struct oci_device *d); /* OCI_CHILD_SET as the device stands */
void oci_life_heard(struct oci_core *c, struct oci_device *d, const struct nwk_frame *f, bool own); /* a genuine frame, before it is dealt with; own: not another's, passed on */
void oci_life_conflict(struct oci_core *c, struct oci_device *d, uint16_t address);
/* oci_poll.c */
bool oci_poll_uses(const struct oci_device *d, const struct oci_endpoint *e); /* its Poll Control: to be bound */
void oci_poll_configure(struct oci_core *c, struct oci_device *d);            /* how often it checks in */
bool oci_poll_input(struct oci_core *c, struct oci_device *d, uint8_t endpoint, const struct zcl_frame *z); /* of its server; false: not understood */
void oci_poll_heard(struct oci_core *c, struct oci_device *d);                /* a genuine frame of it, when it has been dealt with */
bool oci_poll_holds(struct oci_core *c, const struct oci_device *d, struct oci_sending *s);
uint64_t oci_poll_patience(const struct oci_device *d, uint64_t otherwise_ms); /* how long a command may wait */
/* oci_zdo.c: the coordinator's Zigbee Device Object */
void oci_zdo_input(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, struct rd payload);
/* oci_interview.c, oci_interview_answer.c */
void oci_interview_begin(struct oci_core *c, struct oci_device *d, uint64_t in_ms);
void oci_interview_stop(struct oci_device *d); /* it is to begin anew some day */
void oci_interview_step(struct oci_core *c, struct oci_device *d);
void oci_interview_restored(struct oci_core *c, struct oci_device *d);
void oci_interview_again(struct oci_core *c, struct oci_device *d, uint64_t in_ms); /* it may be another now: from its Basic cluster on */
void oci_interview_descriptor(struct oci_core *c, struct oci_device *d, const struct zdo_message *m); /* ZDO answers */
void oci_interview_answer(struct oci_core *c, struct oci_device *d, const struct zcl_frame *z); /* the last thing done with a ZCL answer */
/* oci_place.c: what the descriptions make of a device */
struct oci_endpoint *oci_endpoint(struct oci_device *d, uint8_t id); /* NULL: it has none of this ID */
bool oci_endpoint_has(const struct oci_endpoint *e, uint16_t cluster);
void oci_places_make(struct oci_core *c, struct oci_device *d);
struct oci_attribute *oci_attribute(struct oci_device *d, uint8_t endpoint, uint16_t cluster, uint16_t id, bool make); /* NULL: not known, or no room */
/* The member's value from what the device said; false when that is not known, or stands for nothing. */
bool oci_place_value(struct oci_device *d, const struct oci_place *p, struct wr *w) MUST_CHECK;
bool oci_place_factors(struct oci_device *d, const struct oci_place *p, struct factors *f) MUST_CHECK;
/* Whether this one of several places of the same member is the one that serves. */
bool oci_place_serves(struct oci_device *d, const struct oci_place *p);
/* oci_ota.c */
uint8_t oci_ota_input(struct oci_core *c, struct oci_device *d, uint8_t endpoint, const struct zcl_frame *z); /* a ZCL status */
void oci_ota_tick(struct oci_core *c, struct oci_device *d);
uint64_t oci_ota_deadline(const struct oci_device *d);
/* oci_value.c: what the device says */
void oci_zcl_input(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, struct rd payload);
void oci_value_show(struct oci_core *c, struct oci_device *d, const struct oci_place *p); /* as it is known */
/* oci_groupcast.c */
bool oci_listens(const struct oci_device *d);       /* it hears what is broadcast */
/* To those of a Zigbee group that listen in the network of `via` at its gateway and have its key: one frame, sealed once, which nobody acknowledges. far: some
 * are behind routers. False: too much was broadcast lately, or may have been; or the way to `via` is not known. */
bool oci_groupcast(struct oci_core *c, struct oci_device *via, bool far, uint16_t group, uint16_t cluster, const struct zcl_frame *z) MUST_CHECK;
uint8_t oci_groupcast_sequence(struct oci_core *c); /* ZCL's */
void oci_airs_free(struct oci_core *c);
/* oci_order.c: what UPDATEs come to */
struct oci_frame {
	uint8_t endpoint;           /* index */
	const struct point *point;  /* cluster, manufacturer */
	bool by_attribute, news;    /* news: it tells the device something */
	uint8_t command;
	uint8_t payload[FIELDS_MAX * 4 + 16];
	size_t len;
};
/* A member that is to be changed, and the frame that does it: a colour's three members make the same one. */
struct oci_change {
	const struct oci_place *place;
	const struct point_write *write;
	struct wanted wanted;
	char text[OCI_TEXT];
	bool news;
	size_t frame;
};
struct oci_order {
	struct oci_device *d;       /* NULL: there is none */
	struct oci_frame frames[POINTS_MAX];
	struct oci_change changes[POINTS_MAX];
	size_t frame_count, change_count;
};
void oci_order_make(struct oci_core *c, const struct oci_update *u, struct oci_order *o);
bool oci_frame_equal(const struct oci_device *d, const struct oci_frame *a, const struct oci_device *e, const struct oci_frame *b); /* but for the endpoint */
/* The frame is no news any more: its members wait for the device's word until then. */
void oci_order_sent(struct oci_core *c, struct oci_order *o, size_t frame, uint8_t sequence, bool unheard, uint64_t until);
void oci_order_send(struct oci_core *c, struct oci_order *o); /* what is news, to the device alone */
bool oci_write_payload(const struct point_write *write, const struct wanted *wanted, struct wr *w) MUST_CHECK;
struct zcl_frame oci_frame_zcl(const struct oci_frame *f, uint8_t sequence);
/* oci_group.c, oci_group_tell.c */
void oci_groups_free(struct oci_core *c);
void oci_groups_joined(struct oci_core *c, struct oci_device *d);       /* it joined anew, and may have forgotten all */
void oci_groups_forget(struct oci_core *c, const struct oci_device *d); /* it goes */
void oci_groups_told(struct oci_core *c, const struct oci_device *d);   /* something newer than a scene */
bool oci_groups_input(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint16_t cluster, const struct zcl_frame *z); /* responses; false: not understood */
bool oci_groups_refused(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint16_t cluster, uint8_t command, uint8_t status); /* a default response */
void oci_groups_tick(struct oci_core *c);
uint64_t oci_groups_deadline(const struct oci_core *c);
/* oci_command.c: what is said to it */
uint8_t oci_zcl_send(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint16_t cluster, const struct zcl_frame *z); /* gives the sequence number */
uint8_t oci_zcl_ask(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint16_t cluster, uint16_t manufacturer, uint8_t command, struct rd payload);
#define OCI_LATE_MS 20000 /* a device gives up what is not acknowledged long before: nothing that it said earlier comes now */
struct oci_command *oci_command_of(struct oci_device *d, const struct oci_place *p); /* NULL: none is under way */
void oci_command_end(struct oci_core *c, struct oci_device *d, struct oci_command *m); /* one that waits */
/* It was told another value so short a time ago that a report from before that may be what we believe. */
bool oci_command_doubtful(const struct oci_core *c, const struct oci_device *d, const struct oci_place *p, const char *text);
void oci_command_reported(struct oci_core *c, struct oci_device *d, const struct oci_place *p, const char *text);
/* The device's word on the command with this sequence number; false: there is none. */
struct oci_command *oci_command_make(struct oci_device *d, const struct oci_place *p); /* in the place of the one under way, or of the oldest */
bool oci_command_answered(struct oci_core *c, struct oci_device *d, uint8_t sequence, uint8_t status);
void oci_command_tick(struct oci_core *c, struct oci_device *d);
uint64_t oci_command_deadline(const struct oci_device *d);

#endif
