/* What datagram.c and dtls.c share. */
#ifndef KEYWAY_LOOP_DATAGRAM_PRIVATE_H
#define KEYWAY_LOOP_DATAGRAM_PRIVATE_H

#include "loop/datagram.h"

#define DATAGRAM_SIZE_MAX 65536

struct dtls; /* the sessions of a port */

struct datagram_port {
	int fd;
	struct loop *loop;
	struct loop_io *io;
	struct dtls *dtls; /* NULL: plain */
	struct datagram_events events;
	void *ctx;
	bool busy, closed;
	uint8_t octets[DATAGRAM_SIZE_MAX];
};

void datagram_write(struct datagram_port *p, const struct sockaddr_in *to, struct rd octets);

struct dtls *dtls_new(struct datagram_port *p, const struct datagram_credentials *c); /* NULL: the credentials cannot be used */
void dtls_free(struct dtls *d);
void dtls_input(struct dtls *d, const struct sockaddr_in *from, struct rd datagram);
void dtls_unreachable(struct dtls *d, const struct sockaddr_in *address, const char *why);
void dtls_connect(struct dtls *d, const struct sockaddr_in *to, struct tls_credentials *tls, const char *identity, struct datagram_peer *peer);
void dtls_disconnect(struct dtls *d, uint64_t session);
void dtls_send(struct dtls *d, uint64_t session, struct rd octets);
struct tls_session *dtls_tls(const struct dtls *d, uint64_t session); /* NULL: none */
size_t dtls_count(const struct dtls *d);

#endif
