/* What applications do to the resources of devices: subscriptions of IPE-OCI, told apart by their resource IDs, which nobody can change. */
#ifndef KEYWAY_OCI_NODE_WATCH_H
#define KEYWAY_OCI_NODE_WATCH_H

#include "oci/node_job.h"

enum watch_kind {
	WATCH_MODULE,   /* UPDATE of a module class's flexContainer */
	WATCH_ACTION,   /* UPDATE of an action's */
	WATCH_RAW,      /* contentInstance in raw/down */
	WATCH_PINS,     /* contentInstance in pins/down */
	WATCH_FIRMWARE, /* UPDATE of [firmware] */
	WATCH_SCENES,   /* contentInstance in `down` of a Zigbee group; `device` is the group's number, which no EUI-64 is as small as */
};

struct watch {
	struct watch *next;
	char id[64];        /* of the subscription */
	char resource[64];  /* of what it is for */
	enum watch_kind kind;
	uint64_t device;
	char name[32];      /* of the module's resource */
	const struct action *action;
	uint64_t user;      /* WATCH_PINS: whose PIN was set or cleared last */
};

/* Subscribes to `to`: to its UPDATEs, or to what is created in it. */
void watch_make(struct oci_node *n, const char *to, enum watch_kind kind, uint64_t device, const char *name, const struct action *a);
struct watch *watch_find(struct oci_node *n, enum watch_kind kind, uint64_t device); /* NULL: none; the first */
void watch_forget(struct oci_node *n, uint64_t device);
/* A notification of this CSE; false: it is of none of these subscriptions. */
bool watch_notify(struct oci_node *n, struct rd content);

#endif
