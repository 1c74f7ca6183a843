/* What the files of the coordinator's upper layers share. */
#ifndef KEYWAY_OCI_CORE_PRIVATE_H
#define KEYWAY_OCI_CORE_PRIVATE_H

#include "oci/oci_core.h"
#include "zigbee/zcl.h"

#define OCI_ENDPOINT 1
#define OCI_EFFECTS 256

struct oci_core {
	struct oci_core_config config;
	struct oci_device *devices;
	struct oci_network *networks; /* that devices share */
	uint64_t now;
	struct oci_effect *effects;
	size_t first, count;
};

struct oci_effect *oci_effect(struct oci_core *c, enum oci_effect_type type, const struct oci_device *d);
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
/* To all routers one hop away, which is this one: to its MAC address, or as a MAC broadcast. */
void oci_nwk_one_hop(struct oci_core *c, struct oci_device *d, const struct nwk_command *m, bool broadcast);
/* oci_aps.c */
void oci_aps_send(struct oci_core *c, struct oci_device *d, const struct aps_frame *f);
void oci_zdo_send(struct oci_core *c, struct oci_device *d, const struct zdo_message *m);
void oci_aps_input(struct oci_core *c, struct oci_device *d, struct rd octets); /* opened */
void oci_aps_tick(struct oci_core *c, struct oci_device *d);
uint64_t oci_aps_deadline(const struct oci_device *d);
void oci_aps_forget(struct oci_device *d); /* what waits for an acknowledgement, and what was heard lately */
/* oci_router.c */
bool oci_is_router(const struct oci_device *d);
uint8_t oci_link_cost(uint8_t lqi);
bool oci_router_own(const struct oci_device *d, const struct nwk_frame *f); /* not what it passes on for another */
void oci_router_heard(struct oci_core *c, struct oci_device *d);            /* a genuine frame of it, when it has been dealt with */
void oci_router_command(struct oci_core *c, struct oci_device *d, const struct nwk_frame *f, const struct nwk_command *m);
bool oci_router_zdo(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, struct rd payload); /* false: not ours to answer */
void oci_router_tick(struct oci_core *c, struct oci_device *d);
uint64_t oci_router_deadline(const struct oci_core *c, const struct oci_device *d);
void oci_router_forget(struct oci_device *d); /* it begins anew */
/* oci_life.c */
void oci_life_place(struct oci_core *c, struct oci_device *d); /* OCI_CHILD_SET as the device stands */
void oci_life_heard(struct oci_core *c, struct oci_device *d, const struct nwk_frame *f); /* a genuine frame of it, before it is dealt with */
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
/* oci_interview.c */
void oci_interview_begin(struct oci_core *c, struct oci_device *d, uint64_t in_ms);
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
/* oci_command.c: what is said to it */
uint8_t oci_zcl_send(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint16_t cluster, const struct zcl_frame *z); /* gives the sequence number */
uint8_t oci_zcl_ask(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint16_t cluster, uint16_t manufacturer, uint8_t command, struct rd payload);
struct oci_command *oci_command_of(struct oci_device *d, const struct oci_place *p); /* NULL: none is under way */
void oci_command_reported(struct oci_device *d, const struct oci_place *p, const char *text);
/* The device's word on the command with this sequence number; false: there is none. */
bool oci_command_answered(struct oci_core *c, struct oci_device *d, uint8_t sequence, uint8_t status);
void oci_command_tick(struct oci_core *c, struct oci_device *d);
uint64_t oci_command_deadline(const struct oci_device *d);

#endif
