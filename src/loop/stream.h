/* Byte streams: TCP, TLS (certificates or PSK) and serial lines behind one interface; nothing blocks. */
#ifndef KEYWAY_LOOP_STREAM_H
#define KEYWAY_LOOP_STREAM_H

#include "base/rd.h"
#include "loop/loop.h"
#include "tls/tls.h"

struct stream;
struct stream_listener;

#define STREAM_OUT_MAX (1024 * 1024) /* what may wait to be written; more closes the stream */

struct stream_events {
	void (*open)(void *ctx);                  /* connected, and the TLS handshake done */
	size_t (*data)(void *ctx, struct rd in);  /* returns how many octets it took; the rest comes again with more */
	void (*closed)(void *ctx, enum err why);  /* last call; the callee calls stream_free */
};

/* Opens "tcp:HOST:PORT", "tls:HOST:PORT" or "psk:HOST:PORT" (both with `tls`, not NULL), "serial:PATH[:BAUD]" (115200 8N1, raw; also a pty).
 * `expected_peer` (TLS with certificates or raw public keys) must be a name that the peer has, see tls/tls_peer.h; with NULL nobody is good. Failure to
 * connect comes through closed, and so does the end of the peer's credential (ERR_NOT_AUTHORISED). */
enum err stream_open(struct loop *l, const char *address, struct tls_credentials *tls, const char *expected_peer,
    const struct stream_events *events, void *ctx, struct stream **s) MUST_CHECK;
/* A stream over a descriptor that is open already, such as a pty's master; takes it over, also on failure. */
enum err stream_from_fd(struct loop *l, int fd, const struct stream_events *events, void *ctx, struct stream **s) MUST_CHECK;
/* A stream over a connected socket that somebody else closes: end(ctx) in the place of close(2). `first` are octets that came from it before, at
 * most STREAM_FIRST_MAX. peer is copied; NULL without TLS. Whoever gets the stream calls stream_handle at once. */
#define STREAM_FIRST_MAX 65536
enum err stream_over(struct loop *l, int fd, struct rd first, const struct tls_peer *peer, void (*end)(void *ctx), void *ctx, struct stream **s) MUST_CHECK;
void stream_write(struct stream *s, struct rd octets); /* copied */
void stream_allow(struct stream *s, size_t octets);    /* may wait to be written, instead of STREAM_OUT_MAX */
void stream_free(struct stream *s);                    /* closes; no callback */
void stream_end(struct stream *s);                     /* likewise, but what was written goes out first, if the peer takes it within two seconds */
const char *stream_peer(const struct stream *s);       /* names of the peer, see tls/tls_peer.h; "" without TLS */
const struct tls_peer *stream_tls_peer(const struct stream *s); /* NULL without TLS, and before it is open */
struct tls_session *stream_tls(const struct stream *s);         /* for tls_export; NULL without TLS */
bool stream_is_tls(const struct stream *s);

/* Accepts; `tls` NULL for plain TCP, otherwise with whatever the credentials have. Port 0 picks one. */
typedef void stream_accept_fn(void *ctx, struct stream *s); /* after the handshake; must call stream_handle */
enum err stream_listen(struct loop *l, const char *host_port, struct tls_credentials *tls, stream_accept_fn *fn, void *ctx,
    struct stream_listener **out) MUST_CHECK;
uint16_t stream_listener_port(const struct stream_listener *sl);
void stream_listener_free(struct stream_listener *sl);
void stream_handle(struct stream *s, const struct stream_events *events, void *ctx);

#endif
