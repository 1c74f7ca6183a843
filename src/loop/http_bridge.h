/* TLS in front of HTTP that sees plain octets on one end of a local connection: with it the TLS of servers and clients is ours, and one listener
 * takes certificates, raw public keys and pre-shared keys alike. What one side does not take, the other side has to wait with. */
#ifndef KEYWAY_LOOP_HTTP_BRIDGE_H
#define KEYWAY_LOOP_HTTP_BRIDGE_H

#include <netinet/in.h>

#include "loop/loop.h"
#include "tls/tls_session.h"

struct http_bridge;

struct http_bridge_events {
	/* The handshake is done, and of a server: the peer has something to say, for which it has TLS_HANDSHAKE_MS. The place for http_bridge_attach. */
	void (*open)(void *ctx, struct http_bridge *b);
	/* The last call; the bridge is gone afterwards. why: ERR_UNREACHABLE and ERR_TLS before it was open, ERR_CLOSED. */
	void (*closed)(void *ctx, struct http_bridge *b, enum err why, const char *detail);
	void (*gave)(void *ctx); /* the library has something to read now; may be NULL */
};

/* Takes over the connection tcp. expected NULL: a server. NULL: the credentials cannot be used so. */
struct http_bridge *http_bridge_new(struct loop *l, int tcp, bool connecting, const struct sockaddr_in *address, struct tls_credentials *tls,
    const char *expected, const struct http_bridge_events *events, void *ctx);
/* The library's connection, once: takes over its other end, a stream socket that does not block. */
void http_bridge_attach(struct http_bridge *b, int fd);
bool http_bridge_attached(const struct http_bridge *b);
void http_bridge_free(struct http_bridge *b); /* no event; accepts NULL */
/* The library may have written: what is there is sent without waiting for the loop to say so. */
void http_bridge_pump(struct http_bridge *b);
struct tls_session *http_bridge_tls(struct http_bridge *b);
const struct sockaddr_in *http_bridge_address(const struct http_bridge *b);

#endif
