/* What the files of the CoAP binding share. */
#ifndef KEYWAY_BINDING_COAP_COAP_BINDING_PRIVATE_H
#define KEYWAY_BINDING_COAP_COAP_BINDING_PRIVATE_H

#include "binding/coap/coap_binding.h"
#include "binding/coap/coap_primitive.h"
#include "loop/datagram.h"

#define LISTENERS_MAX 4

/* A socket and the endpoint on it. */
struct coap_port {
	struct coap_binding *binding;
	struct datagram_port *socket;
	struct coap_endpoint *endpoint;
	struct loop_timer *timer;
	uint64_t armed;
};

struct coap_binding {
	struct coap_binding_config config;
	struct loop *loop;
	struct once *once;
	struct rng rng;
	struct coap_port *listeners[LISTENERS_MAX];
	size_t listener_count;
	struct coap_sending *sendings; /* requests of ours without an answer */
	struct coap_multicast *multicast; /* NULL until a group is joined or called */
	struct coap_port *plain, *secure; /* ways out, made when first needed */
};

/* tls NULL: plain. serves: requests from outside are taken. ERR_CONFIG, ERR_IO, ERR_TLS. */
enum err coap_port_open(struct coap_binding *b, const char *host_port, struct tls_credentials *tls, bool serves, struct coap_port **out) MUST_CHECK;
void coap_port_close(struct coap_port *p); /* accepts NULL */
void coap_port_arm(struct coap_port *p);   /* after whatever may have changed the endpoint's deadline */
/* coap_server_side.c */
void coap_port_request(void *port, struct coap_exchange *x, const struct coap_message *m);
/* coap_multicast.c */
void coap_multicast_free(struct coap_binding *b);
/* coap_client_side.c */
void coap_sendings_free(struct coap_binding *b);

#endif
