/* The HTTP binding of oneM2M, TS-0009: translates only. */
#ifndef KEYWAY_BINDING_HTTP_HTTP_BINDING_H
#define KEYWAY_BINDING_HTTP_HTTP_BINDING_H

#include "cse/cse.h"
#include "loop/http.h"

/* ---- requests to us ---- */
struct http_binding {
	cse_submit_fn *submit; /* where they go */
	void *to;
	void (*between)(void *to); /* before each of them, outside of all callbacks: as cse_between_requests; may be NULL */
	const char *cors;      /* origin that browsers may come from, "*" for any; NULL: none */
	bool (*upper_tester)(void *to, const char *command, char *response, size_t size); /* POST /__ut__ takes test commands, as cse_upper_tester; NULL: it does not */
};
void http_binding_handle(void *binding, struct http_exchange *x, const struct http_request *rq); /* an http_handler; it refuses long bodies itself: http_server_refuse_long */

/* ---- requests from us ---- */
struct http_sender {
	struct http_client *client;
	const char *sp;
	const char *own_id;       /* "/id-in" */
	const char *registrar_id; /* or NULL */
	const char *registrar_identity; /* in its certificate; NULL: that of an IN-CSE of this service provider */
	struct tls_choice keys;   /* towards those who share a key with us, instead of the client's credentials */
};
/* As cse_transport.send; `transport` is a struct http_sender. */
void http_binding_send(void *transport, const char *url, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx);

#endif
