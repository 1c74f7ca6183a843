/* What the files about Zigbee groups share: membership (oci_group.c), how it is told (oci_group_tell.c), what goes to all members (oci_group_send.c), scenes (oci_scene.c). */
#ifndef KEYWAY_OCI_GROUP_PRIVATE_H
#define KEYWAY_OCI_GROUP_PRIVATE_H

#include "oci/core_private.h"

/* oci_group.c */
struct oci_group *oci_group_find(struct oci_core *c, uint16_t id);                                   /* NULL: none */
struct oci_member *oci_group_member(struct oci_group *g, uint64_t eui64, uint8_t endpoint);          /* NULL: it is none */
bool oci_group_save(struct oci_core *c, const struct oci_group *g);
enum err oci_group_changed(struct oci_core *c, struct oci_group *g); /* stored, and told; a group without members goes. ERR_STORE: in memory alone */
void oci_group_drop(struct oci_group *g, struct oci_member *m);
void oci_group_set(struct oci_core *c, struct oci_member *m, enum oci_member_state s); /* it is told at once, if it has to be */
/* oci_group_tell.c */
void oci_group_say(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint16_t cluster, uint8_t command, const struct wr *payload);
struct oci_device *oci_group_ready(struct oci_core *c, const struct oci_member *m); /* the device whose endpoint can be asked now; NULL: it cannot */
uint64_t oci_group_patience(const struct oci_device *d, unsigned tries); /* for an answer */
/* oci_group_send.c */
bool oci_group_closed(const struct oci_group *g); /* somebody may listen who is no member any more */
bool oci_group_reaches(const struct oci_group *g, const struct oci_member *m, const struct oci_device *d); /* by groupcast; d may be NULL */
bool oci_group_together(const struct oci_device *d, const struct oci_device *e); /* by one and the same */
/* oci_scene.c */
void oci_scenes_tick(struct oci_core *c, struct oci_group *g);
bool oci_scenes_input(struct oci_core *c, struct oci_device *d, uint8_t endpoint, const struct zcl_frame *z);
void oci_scene_refused(struct oci_core *c, struct oci_group *g, struct oci_member *m, uint8_t command, uint8_t status);

#endif
