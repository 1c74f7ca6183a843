/* /health and /metrics on a port of their own. */
#ifndef KEYWAY_CSE_ADMIN_PORT_H
#define KEYWAY_CSE_ADMIN_PORT_H

#include "cse/cse.h"
#include "loop/http.h"
#include "tls/tls.h"

struct admin_port {
	struct cse *cse;
	struct tls_credentials *tls; /* NULL: none */
};

void admin_port_handle(void *admin_port, struct http_exchange *x, const struct http_request *rq); /* an http_handler */

#endif
