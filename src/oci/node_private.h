/* What the files of IPE-OCI's shell share. */
#ifndef KEYWAY_OCI_NODE_PRIVATE_H
#define KEYWAY_OCI_NODE_PRIVATE_H

#include "egp/egp.h"
#include "loop/http.h"
#include "oci/oci.h"
#include "oci/oci_core.h"
#include "oci/oci_store.h"

#define NODE_AE "Coci"

struct mef_client;
struct channel;
struct jobs;
struct upgrade;
struct watch;
struct groups;
struct gather;
struct scenes;
struct witness;
struct held;

struct oci_node {
	struct loop *loop;
	struct cse *cse;
	struct oci_config config; /* its strings live as long as the process */
	struct oci_core *core;
	struct oci_store *store;
	struct rng rng;
	struct loop_timer *timer, *alive;
	struct mef_client *mef;
	struct channel *channels;
	const struct descriptions *descriptions;
	struct jobs *jobs;
	struct watch *watches;
	struct upgrade *upgrades;
	struct groups *groups;
	struct gather *gather;
	struct scenes *scenes;
	struct witness *witness;
	uint64_t gateway_made; /* the last whose node was made */
	uint32_t transaction, request;
	char ae[128]; /* "/id-b/Coci" */
	bool pumping;
	struct held *held; /* acknowledgements behind what they acknowledge */
};

void node_pump(struct oci_node *n);
const char *node_name(uint64_t eui64); /* for logs: one of a few static buffers */

/* node_held.c: a device's acknowledgement goes when what it is for is on disk */
void held_start(struct oci_node *n);
void held_take(struct oci_node *n, const struct oci_effect *acknowledgement); /* when_kept */
void held_release(struct oci_node *n); /* all that was to be written has been asked for */
#define HELD_MAX 2048 /* some 2 MiB with their jobs; a commit's time holds those of the reports that came meanwhile */
size_t held_waiting(const struct oci_node *n); /* at most HELD_MAX: what comes beyond is not acknowledged */
void node_send_down(struct oci_node *n, const struct oci_effect *e); /* OCI_DOWNLINK, now */

/* node_mef.c: Mmef */
void mef_start(struct oci_node *n);
void mef_event(struct oci_node *n, uint64_t device, const char *key_id, const char *event, uint16_t short_address, uint8_t capability);

void mef_call(struct oci_node *n, const char *method, const char *path, struct rd body, http_done *done, void *ctx);
/* POST to what lies below our registration. False: there is none now. */
bool mef_post(struct oci_node *n, const char *leaf, struct rd body, http_done *done, void *ctx);

/* node_aps.c: the APS relay */
void mef_aps(struct oci_node *n, uint64_t device, const char *key_id, uint8_t counter, struct rd frame);
void mef_relay_frame(struct oci_node *n, uint64_t device, const char *key_path, uint8_t counter, struct rd frame); /* an empty one asks for what waits */

/* node_witness.c: where the MEF's audit log ends */
void witness_start(struct oci_node *n);
void witness_soon(struct oci_node *n); /* it is asked after that */

/* node_relay.c: the containers at the gateway's CSE */
void relay_open(struct oci_node *n, uint64_t device);
void relay_close(struct oci_node *n, uint64_t device);
void relay_down(struct oci_node *n, uint64_t device, struct egp_message *m);
void relay_notify(struct oci_node *n, struct rd from, struct rd content); /* from: only the CSE that has the container may tell of it */

/* node_mirror.c: the devices as resources, by their role */
void device_path(const struct oci_node *n, uint64_t device, char *path, size_t size); /* "cse-b/zb-00124b..." */
void mirror_device(struct oci_node *n, const struct oci_device *d);
void mirror_value(struct oci_node *n, const struct oci_effect *e); /* OCI_VALUE */
void mirror_raw(struct oci_node *n, const struct oci_effect *e);   /* OCI_RAW */
uint64_t device_role(const struct oci_node *n, uint64_t device); /* the EUI-64 that its resources are named by */
/* role: as device_role said before the core forgot it. Another device in the same role has the resources from now on: they stay. */
void mirror_forget(struct oci_node *n, uint64_t device, uint64_t role, bool stays);
void put_labels(struct json_out *o, const struct oci_device *d, const struct oci_endpoint *e);

/* node_succession.c: resources of a former device in the role of this one become this one's */
void succession_take(struct oci_node *n, const struct oci_device *d);

/* node_raw.c */
void raw_make(struct oci_node *n, uint64_t device, const char *path);
void raw_up(struct oci_node *n, const char *path, const struct oci_raw *raw, struct rd payload);
void raw_down(struct oci_node *n, uint64_t device, const struct json *instance); /* what an application put into raw/down */

/* node_firmware.c: over-the-air upgrade */
void firmware_make(struct oci_node *n, const struct oci_device *d);
void firmware_asked(struct oci_node *n, uint64_t device, const struct json *resource); /* what [firmware] says now */
void firmware_told(struct oci_node *n, const struct oci_effect *e);                   /* OCI_OTA */
void firmware_forget(struct oci_node *n, uint64_t device);

/* node_pins.c: the PIN table of a door lock */
void pins_make(struct oci_node *n, const struct oci_device *d, const char *path);
void pins_down(struct oci_node *n, uint64_t device, const struct json *instance);
bool pins_up(struct oci_node *n, const struct oci_effect *e); /* OCI_RAW; false: it is not about PINs */

/* node_mgmt.c */
void node_path(const struct oci_node *n, uint64_t eui64, char *path, size_t size); /* "cse-b/node-00124b..." */
void mgmt_make(struct oci_node *n, const struct oci_device *d);
void mgmt_presence(struct oci_node *n, const struct oci_device *d); /* OCI_PRESENCE */
void mgmt_value(struct oci_node *n, const struct oci_effect *e);

#endif
