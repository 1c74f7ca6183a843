/* The way out: one table of points of access, which binding reaches an entity there by the scheme of its URL; and beside it the bindings that
 * reach an entity over a connection which it opened itself.
 *
 *	struct router r = {.count = 0};
 *
 *	router_add(&r, "http", http_binding_send, &sender);
 *	...
 *	const struct cse_transport transport = {router_send, ..., &r};
 */
#ifndef KEYWAY_BINDING_ROUTER_ROUTER_H
#define KEYWAY_BINDING_ROUTER_ROUTER_H

#include "cse/cse.h"

/* As cse_transport.send. Every binding has one. */
typedef void router_send_fn(void *binding, const char *url, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx);
/* As cse_send_over. false: the entity has no connection to this binding, and done is not called. */
typedef bool router_connected_fn(void *binding, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx);

#define ROUTER_ROUTES_MAX 12
#define ROUTER_CONNECTIONS_MAX 4
struct router {
	struct route {
		const char *scheme; /* "http" */
		router_send_fn *send;
		void *binding;
	} routes[ROUTER_ROUTES_MAX];
	size_t count;
	struct router_connections {
		router_connected_fn *send;
		void *binding;
	} connections[ROUTER_CONNECTIONS_MAX];
	size_t connection_count;
};
/* scheme and binding are borrowed for the router's life. */
void router_add(struct router *r, const char *scheme, router_send_fn *send, void *binding);
void router_add_connections(struct router *r, router_connected_fn *send, void *binding);

/* As cse_transport.send; `router` is a struct router. With a scheme that no binding has, nobody is reached. */
void router_send(void *router, const char *url, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx);
/* As cse_send_over: the first binding that has a connection takes it. */
bool router_send_connected(void *router, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx);

#endif
