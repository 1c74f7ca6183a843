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
	uint64_t now;
	struct oci_effect *effects;
	size_t first, count;
};

struct oci_effect *oci_effect(struct oci_core *c, enum oci_effect_type type, const struct oci_device *d);
void oci_log(struct oci_core *c, const struct oci_device *d, const char *fmt, ...) PRINTF_LIKE(3, 4);
void oci_event(struct oci_core *c, const struct oci_device *d, const char *event);
bool oci_save(struct oci_core *c, const struct oci_device *d);
/* oci_nwk.c */
void oci_nwk_send(struct oci_core *c, struct oci_device *d, enum nwk_frame_type type, struct rd payload);
void oci_nwk_command(struct oci_core *c, struct oci_device *d, const struct nwk_command *m);
/* To all routers one hop away, which is this one: to its MAC address, or as a MAC broadcast. */
void oci_nwk_one_hop(struct oci_core *c, struct oci_device *d, const struct nwk_command *m, bool broadcast);
/* oci_aps.c */
void oci_aps_send(struct oci_core *c, struct oci_device *d, const struct aps_frame *f);
void oci_zdo_send(struct oci_core *c, struct oci_device *d, const struct zdo_message *m);
uint8_t oci_zcl_send(struct oci_core *c, struct oci_device *d, uint16_t cluster, enum zcl_frame_type type, uint8_t command, struct rd payload);
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
/* oci_interview.c */
void oci_interview_begin(struct oci_core *c, struct oci_device *d, uint64_t in_ms);
void oci_interview_step(struct oci_core *c, struct oci_device *d);
void oci_zdo_input(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, struct rd payload);
void oci_zcl_input(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, struct rd payload);

#endif
