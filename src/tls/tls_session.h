/* One end of an association, for whoever owns the socket: loop/stream, loop/dtls and the bridge of loop/http_*. Nothing here blocks.
 *
 *	s = tls_session_new(credentials, &options);
 *	while ((step = tls_session_handshake(s)) == TLS_MORE)    TLS_MORE: when the socket can be read (or written, tls_session_writes)
 *		...
 *	TLS_PAUSED: a key or a responder is being asked; wake() says when to call again. What the peer sends meanwhile waits.
 *	TLS_OPEN: verified; tls_session_peer, tls_session_read, tls_session_write.
 *	TLS_FAILED: tls_session_why has the sentence for the log. */
#ifndef KEYWAY_TLS_TLS_SESSION_H
#define KEYWAY_TLS_TLS_SESSION_H

#include <sys/types.h>

#include "tls/tls.h"

enum tls_step { TLS_MORE, TLS_PAUSED, TLS_OPEN, TLS_FAILED };

struct tls_session_options {
	bool server, datagram;
	bool only_12; /* no TLS 1.3, even where both have it: ESCertKE, TS-0003 clause 8.7 */
	/* Of a client: the name that the server must have, in the form of tls_peer.identity. A server that shares a PSK is who has the key. NULL: nobody. */
	const char *expected;
	/* Sends or takes what there is; -1 with errno EAGAIN when the socket is not ready. Datagrams come and go whole. */
	ssize_t (*push)(void *ctx, const void *octets, size_t len);
	ssize_t (*pull)(void *ctx, void *octets, size_t size);
	bool (*readable)(void *ctx); /* datagrams: pull would give one now */
	/* A pause ended: call tls_session_handshake. Or, when it is open already, there is something to read: the end. Never from within
	 * tls_session_handshake itself. */
	void (*wake)(void *ctx);
	void *ctx;
};

struct tls_session *tls_session_new(struct tls_credentials *c, const struct tls_session_options *o); /* NULL: the credentials cannot be used so */
void tls_session_free(struct tls_session *s, bool bye); /* bye: tells the other side. Accepts NULL */
enum tls_step tls_session_handshake(struct tls_session *s);
/* Its owner waits no longer for the handshake: tls_session_why says what is likely. */
void tls_session_give_up(struct tls_session *s);
bool tls_session_writes(const struct tls_session *s);   /* the handshake waits for room to write */
bool tls_session_holds(const struct tls_session *s);    /* there are octets that tls_session_read gives without the socket being readable */
const char *tls_session_why(const struct tls_session *s);
const struct tls_peer *tls_session_peer(const struct tls_session *s); /* NULL before TLS_OPEN */
/* Once each time that the trouble with the files of trust is another one than before: tls_trust.trouble. NULL: nothing to tell. */
const char *tls_session_trouble(struct tls_session *s);
/* For logs: the identity that was tried, and "TLS1.3-..." of an open one; valid until the next call. */
const char *tls_session_credential(const struct tls_session *s);
const char *tls_session_suite(const struct tls_session *s);

/* Octets taken or given; 0 at the end; -EAGAIN; -EIO. A write that gave -EAGAIN is to be repeated with the same octets first. */
ssize_t tls_session_read(struct tls_session *s, void *octets, size_t size);
ssize_t tls_session_write(struct tls_session *s, const void *octets, size_t len);

/* Datagrams: */
void tls_session_mtu(struct tls_session *s, unsigned mtu);
unsigned tls_session_timeout_ms(struct tls_session *s); /* of the present flight */
void tls_session_timeouts(struct tls_session *s); /* of a client: retransmission and end; a server gets them by tls_session_accept */
/* Cookies, RFC 6347 section 4.2.1: whether the ClientHello shows the one that belongs to this address; answers it with one otherwise. prestate is
 * for tls_session_accept. */
struct tls_cookie_key;
struct tls_prestate { unsigned record_seq, read_seq, write_seq; };
struct tls_cookie_key *tls_cookie_key_new(void); /* NULL: no randomness */
void tls_cookie_key_free(struct tls_cookie_key *k);
uint32_t tls_cookie_salt(const struct tls_cookie_key *k); /* a number that nobody outside can know */
bool tls_cookie_check(struct tls_cookie_key *k, const void *address, size_t address_len, struct rd client_hello,
    ssize_t (*push)(void *ctx, const void *octets, size_t len), void *ctx, struct tls_prestate *prestate);
void tls_session_accept(struct tls_session *s, const struct tls_prestate *prestate);

#endif
