/* The WebSocket binding of oneM2M, TS-0020: primitives as messages, both ways over one connection. Clients come through the HTTP listeners, by
 * Upgrade; to ws:// and wss:// points of access connections are opened, and kept.
 *
 * Whoever sent a request over a connection that this CSE carried out (its registration, or any later one) is reached over it: an AE by its
 * AE-ID, a CSE by its CSE-ID. Of several connections the newest is tried first; an older one, when nobody answers or 5103 is the answer. */
#ifndef KEYWAY_BINDING_WEBSOCKET_WEBSOCKET_BINDING_H
#define KEYWAY_BINDING_WEBSOCKET_WEBSOCKET_BINDING_H

#include "binding/once/once.h"
#include "loop/http.h"
#include "onem2m/identity.h"

#define WEBSOCKET_PEERS_MAX 1024     /* connections of clients */
#define WEBSOCKET_SERVED_MAX 256     /* requests of one peer that wait for their answers; more are refused */
#define WEBSOCKET_ASKED_MAX 1024     /* of ours to one peer */
#define WEBSOCKET_PING_MS 30000      /* unless configured: a peer that was silent for so long is pinged; after as long again it is gone */
#define WEBSOCKET_IDLE_MS 300000     /* a connection that we opened, and that nobody used for so long, is closed */

struct websocket_binding;
struct websocket_config {
	struct identity_self self;
	struct tls_credentials *tls;     /* for wss://; may be NULL */
	struct tls_choice keys;          /* for wss:// to those who share a key with us, instead of tls */
	const char *cors;                /* origin that browsers may come from, "*" for any; NULL: none */
	uint64_t ping_ms;                /* 0: WEBSOCKET_PING_MS */
	bool refuse_clients;             /* only connections of our own making */
	void (*lost)(void *ctx, const char *target_id); /* a connection that we had opened to it ended; may be NULL */
	void *lost_ctx;
};

/* Pointers of the configuration are borrowed for its life. once is where requests to us go; set before the loop runs. */
struct websocket_binding *websocket_new(struct loop *l, const struct websocket_config *c);
void websocket_serve(struct websocket_binding *b, struct once *once);
void websocket_goodbye(struct websocket_binding *b); /* to all (1001), while the loop still runs for a moment */
/* Says goodbye (1001) and gives the connections up; the CSE must be gone, and the HTTP servers must still be there. Accepts NULL. */
void websocket_free(struct websocket_binding *b);

/* Whether a request to an HTTP listener wants to become a WebSocket; then websocket_accept answers it. */
bool websocket_is_meant(struct http_exchange *x, const struct http_request *rq);
void websocket_accept(struct websocket_binding *b, struct http_exchange *x, const struct http_request *rq);

/* As cse_transport.send, for ws:// and wss:// with an IPv4 address or "localhost"; `binding` is a struct websocket_binding. */
void websocket_send(void *binding, const char *url, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx);
/* As cse_send_over: false when target_id has no connection here. */
bool websocket_send_connected(void *binding, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx);

#endif
