/* A UDP socket on the loop, plain or with DTLS 1.2 (RFC 6347). With DTLS it is server and client in one: whoever connects must have a
 * credential that ours accept (a certificate, a raw public key, a pre-shared key). The cookie exchange comes first, so that nobody makes us keep anything, or answer more than
 * was sent, under another's address.
 *
 *	datagram_open(l, "127.0.0.1:5684", &credentials, &events, ctx, &port);
 *	datagram_connect(port, &address, NULL, "id-in.keyway.example", &peer);
 *	datagram_send(port, &peer, octets);                 kept until the handshake is done */
#ifndef KEYWAY_LOOP_DATAGRAM_H
#define KEYWAY_LOOP_DATAGRAM_H

#include <netinet/in.h>

#include "base/rd.h"
#include "loop/loop.h"
#include "tls/tls.h"

#define DATAGRAM_SESSIONS_MAX 16384     /* of DTLS, unless configured; the one unused for longest ends */
#define DATAGRAM_SESSION_IDLE_MS 900000
#define DATAGRAM_PENDING_MAX 16         /* datagrams of one session that wait for its handshake; more are lost, as datagrams may be */
#define DATAGRAM_HALF_OPEN_MAX 1024     /* sessions whose handshake goes on, beside those that are open; the one that began first ends */
#define DATAGRAM_HALF_OPEN_HOST 256     /* of them, of one IPv4 address: who knocks on many ports pushes out his own */

struct datagram_port;

struct datagram_peer {
	uint64_t session; /* 0 without DTLS; never used again */
	uint32_t address; /* IPv4, host order */
	uint16_t port;
};

struct datagram_credentials {
	struct tls_credentials *tls; /* of both ends; held as long as the port */
	bool client_only;            /* nobody may connect */
	size_t sessions_max;         /* 0: DATAGRAM_SESSIONS_MAX */
};

struct datagram_events {
	void (*input)(void *ctx, const struct datagram_peer *from, struct rd datagram);
	/* The network says that nobody is there, or the DTLS session ended: why has a sentence for the log. */
	void (*unreachable)(void *ctx, const struct datagram_peer *peer, const char *why);
};

/* tls NULL: plain. Port 0 picks one. ERR_CONFIG, ERR_IO (port taken), ERR_TLS. */
enum err datagram_open(struct loop *l, const char *host_port, const struct datagram_credentials *tls, const struct datagram_events *events, void *ctx,
    struct datagram_port **out) MUST_CHECK;
uint16_t datagram_port_number(const struct datagram_port *p);
void datagram_close(struct datagram_port *p); /* no events; accepts NULL */

/* With DTLS: a session with whom `identity` is a name of, the present one or a new one, which then begins with these credentials; tls NULL: the port's.
 * Plain: the address. */
void datagram_connect(struct datagram_port *p, const struct sockaddr_in *to, struct tls_credentials *tls, const char *identity, struct datagram_peer *peer);
void datagram_disconnect(struct datagram_port *p, const struct datagram_peer *peer); /* no event */
void datagram_send(struct datagram_port *p, const struct datagram_peer *to, struct rd octets);
/* Who the peer is, NULL without DTLS, before the handshake is done and after the session ended; and its session for tls_export. */
const struct tls_peer *datagram_tls_peer(const struct datagram_port *p, const struct datagram_peer *peer);
struct tls_session *datagram_tls(const struct datagram_port *p, const struct datagram_peer *peer);
const char *datagram_identity(const struct datagram_port *p, const struct datagram_peer *peer); /* its names, "" for nobody */
size_t datagram_sessions(const struct datagram_port *p); /* open and half open */

#endif
