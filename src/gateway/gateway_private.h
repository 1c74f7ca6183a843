/* What the files of the gateway's shell share. */
#ifndef KEYWAY_GATEWAY_GATEWAY_PRIVATE_H
#define KEYWAY_GATEWAY_GATEWAY_PRIVATE_H

#include "gateway/children_keeper.h"
#include "gateway/egp_client.h"
#include "gateway/gateway.h"
#include "gateway/radio_port.h"
#include "gateway/relay.h"
#include "loop/stream.h"

/* A Transport-Key packet that waits for the device's containers. */
struct packet {
	struct packet *next;
	uint64_t device;
	uint8_t octets[EGP_BODY_MAX];
	size_t len;
};

/* A device that has containers here and is no child: until its owner says that it is one. */
struct stray {
	struct stray *next;
	uint64_t device, told_at;
	char owner[CHILD_NAME];
};

struct gateway {
	struct loop *loop;
	struct gateway_config config;
	struct rng rng;
	uint32_t epoch;
	struct radio_port *radio;
	struct stream *egp;
	struct coordinator *coordinator;
	struct children_keeper *keeper;
	struct egp_client *client;
	struct relay *relay;
	struct http_client *http;
	struct http_server *server;
	struct loop_timer *timer, *egp_retry;
	struct hdlc_decoder egp_line; /* when EGP runs on a serial line */
	bool egp_serial, egp_open;
	bool egp_foreign; /* what came last was not sealed */
	bool egp_complained; /* each trouble is told once, until it is over */
	uint64_t egp_wait;
	struct packet *packets;
	struct stray *strays;
	char poa[128];
	bool pumping;
};

/* gateway.c */
void gateway_pump(struct gateway *g);
const char *gateway_name(uint64_t eui64); /* for logs: one of a few static buffers */

/* gateway_egp.c: the line to the Enrolment Gateway */
enum err gateway_egp_connect(struct gateway *g);
void gateway_egp_write(struct gateway *g, struct rd message);
void gateway_egp_down(struct gateway *g); /* closed, and tried again later */
void gateway_egp_retry(void *ctx);        /* on_time of its timer */

/* gateway_children.c: what is known of children, and who owns them */
enum err gateway_children_start(struct gateway *g) MUST_CHECK; /* those of former runs, and the epoch of this one */
void gateway_children_resume(struct gateway *g);               /* their owners hear that we started */
void gateway_child_event(struct gateway *g, uint64_t device, enum egp_child_event event);
void gateway_packet(struct gateway *g, const struct egp_message *m); /* the Transport-Key packet: first the containers that its owner will read, then the device. Empty: of a device that joins through a router */
void gateway_relay_ready(void *ctx, uint64_t device);
void gateway_found(void *ctx, uint64_t device, const char *owner); /* containers of a run that we know nothing of */
void gateway_unknown(struct gateway *g, const struct coordinator_effect *e);
void gateway_stray_home(struct gateway *g, const struct egp_message *m); /* a CHILD-SET */

#endif
