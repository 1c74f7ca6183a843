/* The table of schemes, and that of connections. */
#include "binding/router/router.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

void router_add(struct router *r, const char *scheme, router_send_fn *send, void *binding)
{
	assert(r->count < ROUTER_ROUTES_MAX);
	r->routes[r->count++] = (struct route){scheme, send, binding};
}

void router_add_connections(struct router *r, router_connected_fn *send, void *binding)
{
	assert(r->connection_count < ROUTER_CONNECTIONS_MAX);
	r->connections[r->connection_count++] = (struct router_connections){send, binding};
}

/* RFC 3986 clause 3.1: in any case. */
static bool has_scheme(const char *url, const char *scheme)
{
	size_t n = strlen(scheme);

	return strncasecmp(url, scheme, n) == 0 && strncmp(url + n, "://", 3) == 0;
}

void router_send(void *router, const char *url, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct router *r = router;

	for (size_t i = 0; i < r->count; i++) {
		if (has_scheme(url, r->routes[i].scheme)) {
			r->routes[i].send(r->routes[i].binding, url, target_id, rq, done, ctx);
			return;
		}
	}
	done(ctx, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE, .failure = ERR_UNSUPPORTED});
}

bool router_send_connected(void *router, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct router *r = router;

	for (size_t i = 0; i < r->connection_count; i++)
		if (r->connections[i].send(r->connections[i].binding, target_id, rq, done, ctx))
			return true;
	return false;
}
