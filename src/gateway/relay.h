/* IPE-NI: an AE of the registrar CSE that carries opaque EGP messages as contentInstances, `up` to node B and `down` from it. Plain oneM2M over
 * HTTP and JSON. Order within one device is kept: the next instance goes when the former was acknowledged.
 *
 * A run begins by looking at what is there: the number of the latest message in `up`, behind which it goes on counting, and what came into `down` while
 * the gateway was off. Notifications count from then on; one that comes earlier is in what is retrieved. */
#ifndef KEYWAY_GATEWAY_RELAY_H
#define KEYWAY_GATEWAY_RELAY_H

#include "egp/egp.h"
#include "gateway/down.h"
#include "loop/http.h"

struct relay_config {
	const char *url, *identity;  /* of the CSE */
	const char *cse_id, *cse_name;
	const char *ae_id, *name;
	const char *poa;             /* where notifications come in */
	uint32_t epoch;              /* transaction numbers of this run begin at epoch << 20, or behind the latest in `up` */
};

struct relay_events {
	void (*ready)(void *ctx, uint64_t device);                          /* its containers are there */
	void (*message)(void *ctx, const struct egp_message *m);            /* from node B */
};

struct relay;
struct relay *relay_new(struct loop *l, struct http_client *http, const struct relay_config *c, const struct relay_events *events, void *ctx);
void relay_free(struct relay *r);
/* Makes the containers of a device, for `owner` alone; ready() follows. Calling it again is fine, also with another owner. last: what relay_last had
 * said in a former run, or NULL. */
void relay_device(struct relay *r, uint64_t device, const char *owner, const char *last);
void relay_remove(struct relay *r, uint64_t device); /* ends it, and takes its containers away */
/* How far node B's messages were carried out: to be stored together with what they change. Borrowed; "" for nothing yet,
 * NULL when the device has no containers. */
const char *relay_last(const struct relay *r, uint64_t device);
/* Queues a message for node B; its transaction number is set when it goes. Full: the oldest is dropped. */
void relay_up(struct relay *r, uint64_t device, const struct egp_message *m);
void relay_notified(struct relay *r, struct rd body); /* an m2m:sgn */

#endif
