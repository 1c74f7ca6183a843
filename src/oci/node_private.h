/* What the files of IPE-OCI's shell share. */
#ifndef KEYWAY_OCI_NODE_PRIVATE_H
#define KEYWAY_OCI_NODE_PRIVATE_H

#include "egp/egp.h"
#include "oci/oci.h"
#include "oci/oci_core.h"
#include "oci/oci_store.h"

#define NODE_AE "Coci"

struct mef_client;
struct channel;
struct mirror;

struct oci_node {
	struct loop *loop;
	struct cse *cse;
	struct oci_config config; /* its strings live as long as the process */
	struct oci_core *core;
	struct oci_store *store;
	struct rng rng;
	struct loop_timer *timer;
	struct mef_client *mef;
	struct channel *channels;
	struct mirror *mirror;
	uint32_t transaction, request;
	char ae[128]; /* "/id-b/Coci" */
	bool pumping;
};

void node_pump(struct oci_node *n);
const char *node_name(uint64_t eui64); /* for logs: one of a few static buffers */

/* node_mef.c: Mmef */
void mef_start(struct oci_node *n);
void mef_aps(struct oci_node *n, uint64_t device, const char *key_id, uint8_t counter, struct rd frame);
void mef_event(struct oci_node *n, uint64_t device, const char *key_id, const char *event, uint16_t short_address, uint8_t capability);

/* node_relay.c: the containers at the gateway's CSE */
void relay_open(struct oci_node *n, uint64_t device);
void relay_close(struct oci_node *n, uint64_t device);
void relay_down(struct oci_node *n, uint64_t device, struct egp_message *m);
void relay_notify(struct oci_node *n, struct rd from, struct rd content); /* from: only the CSE that has the container may tell of it */

/* node_mirror.c: the devices as resources */
void mirror_start(struct oci_node *n);
void mirror_device(struct oci_node *n, const struct oci_device *d);
void mirror_value(struct oci_node *n, uint64_t device, const struct mapping *m, const char *json);
void mirror_forget(struct oci_node *n, uint64_t device);
bool mirror_notify(struct oci_node *n, struct rd content); /* an application's UPDATE; false: not ours */

#endif
