/* IPE-NI: an AE of the registrar CSE that carries opaque EGP messages as contentInstances, `up` to node B and `down` from it. Plain oneM2M over
 * HTTP and JSON. Order within one device is kept: the next instance goes when the former was acknowledged. */
#ifndef KEYWAY_GATEWAY_RELAY_H
#define KEYWAY_GATEWAY_RELAY_H

#include "egp/egp.h"
#include "loop/http.h"

struct relay_config {
	const char *url, *identity;  /* of the CSE */
	const char *cse_id, *cse_name;
	const char *ae_id, *name;
	const char *poa;             /* where notifications come in */
	uint32_t epoch;              /* transaction numbers of this run begin at epoch << 20 */
};

struct relay_events {
	void (*ready)(void *ctx, uint64_t device);                          /* its containers are there */
	void (*message)(void *ctx, const struct egp_message *m);            /* from node B */
};

struct relay;
struct relay *relay_new(struct loop *l, struct http_client *http, const struct relay_config *c, const struct relay_events *events, void *ctx);
void relay_free(struct relay *r);
/* Makes the containers of a device, readable for `owner` alone; ready() follows. Calling it again with the same owner does it again. */
void relay_device(struct relay *r, uint64_t device, const char *owner);
void relay_forget(struct relay *r, uint64_t device);
/* Queues a message for node B; its transaction number is set here. Full: the oldest is dropped and counted. */
void relay_up(struct relay *r, uint64_t device, struct egp_message *m);
void relay_notified(struct relay *r, struct rd body); /* an m2m:sgn */

#endif
