/* A WebSocket behind its handshake, RFC 6455: octets in, messages out, and the other way round. No socket, no clock.
 *
 * Fragments, masks, control frames and UTF-8 are judged here; a peer that breaks the rules is told so by a close frame, and the link has ended.
 * Callbacks come from within ws_link_input, ws_link_send, ws_link_ping and ws_link_close. A link may be freed from within `message` and
 * `ended`: it goes when the call that they come from is over. */
#ifndef KEYWAY_BINDING_WEBSOCKET_WS_LINK_H
#define KEYWAY_BINDING_WEBSOCKET_WS_LINK_H

#include "base/err.h"
#include "base/rd.h"
#include "base/rng.h"

struct ws_link;

struct ws_link_events {
	void (*write)(void *ctx, struct rd octets);
	void (*message)(void *ctx, bool binary, struct rd message);
	void (*ended)(void *ctx); /* once: the close handshake is over, or broken; what was written before goes out, then the connection closes */
};

/* A client masks with octets of rng (RFC 6455 clause 5.3), which is borrowed; a server needs none. Longer messages end the link (1009). */
struct ws_link *ws_link_new(bool server, struct rng *rng, size_t message_max, const struct ws_link_events *events, void *ctx);
void ws_link_free(struct ws_link *l); /* accepts NULL */
void ws_link_input(struct ws_link *l, struct rd octets);
/* ERR_CLOSED after the link's end, ERR_NO_MEMORY. */
enum err ws_link_send(struct ws_link *l, bool binary, struct rd message) MUST_CHECK;
void ws_link_ping(struct ws_link *l);
/* 1001: going away; 1008: policy ... The peer's answer ends the link. */
void ws_link_close(struct ws_link *l, uint16_t code);

#endif
