/* Zigbee groups as oneM2M has them: what IPE-OCI's shell does about the groups of its CSE (node_group.c), UPDATEs that come together
 * (node_gather.c), and the resources of a Zigbee group, through which scenes are stored and recalled (node_scene.c). */
#ifndef KEYWAY_OCI_NODE_GROUP_H
#define KEYWAY_OCI_NODE_GROUP_H

#include "oci/node_watch.h"

/* node_group.c */
void groups_make(struct oci_node *n);                                  /* before devices are restored */
void groups_start(struct oci_node *n);                                 /* after devices and Zigbee groups have been */
void groups_device_made(struct oci_node *n, uint64_t device, const char *path); /* its flexContainer */
void groups_device_gone(struct oci_node *n, uint64_t device);
void groups_resolve(struct oci_node *n);                               /* more resources are known than before */
/* node_gather.c: an UPDATE of a device that is in a group waits a little for those of the others. flush: before anything else is said to one. */
void gather_make(struct oci_node *n);
void gather_update(struct oci_node *n, uint64_t device, const char *name, const struct json *members);
void gather_flush(struct oci_node *n);
/* node_scene.c */
void scenes_make(struct oci_node *n);
void scenes_changed(struct oci_node *n, uint16_t group);               /* OCI_GROUP, and each restored one */
void scenes_done(struct oci_node *n, const struct oci_effect *e);      /* OCI_SCENE */
void scenes_down(struct oci_node *n, uint16_t group, const struct json *instance); /* what an application put into `down` */

#endif
