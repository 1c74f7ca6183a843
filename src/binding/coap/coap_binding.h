/* The CoAP binding of oneM2M, TS-0008: translates only. Each listener, and each of the two ways out (plain, DTLS), is a socket with an endpoint of its own. */
#ifndef KEYWAY_BINDING_COAP_COAP_BINDING_H
#define KEYWAY_BINDING_COAP_COAP_BINDING_H

#include "binding/once/once.h"
#include "loop/loop.h"
#include "tls/tls.h"
#include "onem2m/identity.h"

#define COAP_BODY_MAX (1024 * 1024) /* as HTTP's */

struct coap_binding;

struct coap_binding_config {
	struct identity_self self;
	const char *own_name;               /* of the CSEBase: "cse-in" */
	struct tls_credentials *tls;        /* for coaps:// both ways; may be NULL */
	struct tls_choice keys;             /* for coaps:// to those who share a key with us, instead of tls */
	size_t sessions_max;                /* of DTLS; 0: DATAGRAM_SESSIONS_MAX */
	const char *multicast;              /* "127.0.0.1:5683": the address of the interface for IP multicast, and the port of all groups; NULL: none */
};

/* Pointers of the configuration are borrowed for its life. once is where requests to us go; set before the loop runs. */
struct coap_binding *coap_binding_new(struct loop *l, const struct coap_binding_config *c);
void coap_binding_serve(struct coap_binding *b, struct once *once);
void coap_binding_free(struct coap_binding *b); /* accepts NULL */
/* "127.0.0.1:5683", port 0 picks one, which comes back. ERR_CONFIG, ERR_IO (port taken), ERR_TLS. */
enum err coap_binding_listen(struct coap_binding *b, const char *host_port, bool secure, uint16_t *port) MUST_CHECK;

/* As cse_config.multicast and multicast_send; `binding` is a struct coap_binding. */
bool coap_binding_multicast(void *binding, const char *address, bool joins);
bool coap_binding_multicast_send(void *binding, const char *address, const struct onem2m_request *rq);

/* As cse_transport.send, for coap:// and coaps:// with an IPv4 address or "localhost"; `binding` is a struct coap_binding. */
void coap_binding_send(void *binding, const char *url, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx);

#endif
