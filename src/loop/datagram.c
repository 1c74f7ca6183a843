/* The socket. */
#include "loop/datagram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/address.h"
#include "loop/datagram_private.h"
#include "tls/tls_session.h"

#define DATAGRAMS_A_ROUND 64 /* then others of the loop have their turn */
#define ERRORS_A_ROUND 512   /* they are in the room for datagrams, and cost little */
#define RECEIVE_ROOM (1024 * 1024) /* what arrives meanwhile; as much of it as the system permits */

static struct datagram_peer peer_of(const struct sockaddr_in *a)
{
	return (struct datagram_peer){0, ntohl(a->sin_addr.s_addr), ntohs(a->sin_port)};
}

/* What earlier datagrams met with: their destination is in the error queue. */
static void read_errors(struct datagram_port *p)
{
	for (int i = 0; i < ERRORS_A_ROUND && !p->closed; i++) {
		struct sockaddr_in to = {0};
		char control[512];
		struct iovec iov = {p->octets, sizeof p->octets};
		struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
		struct datagram_peer peer;

		if (recvmsg(p->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return;
		if (to.sin_family != AF_INET)
			continue;
		peer = peer_of(&to);
		if (p->dtls)
			dtls_unreachable(p->dtls, &to, "nobody listens there");
		else
			p->events.unreachable(p->ctx, &peer, "nobody listens there");
	}
}

static void read_datagrams(struct datagram_port *p)
{
	for (int i = 0; i < DATAGRAMS_A_ROUND && !p->closed; i++) {
		struct sockaddr_in from;
		socklen_t len = sizeof from;
		ssize_t n = recvfrom(p->fd, p->octets, sizeof p->octets, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
		struct datagram_peer peer;

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			continue; /* of an earlier datagram, see read_errors */
		peer = peer_of(&from);
		if (p->dtls)
			dtls_input(p->dtls, &from, rd_of(p->octets, (size_t)n));
		else
			p->events.input(p->ctx, &peer, rd_of(p->octets, (size_t)n));
	}
}

static void on_readable(void *ctx, unsigned events)
{
	struct datagram_port *p = ctx;

	p->busy = true;
	if (events & LOOP_WRITE) /* never asked for: an error */
		read_errors(p);
	read_datagrams(p);
	p->busy = false;
	if (p->closed)
		datagram_close(p);
}

enum err datagram_open(struct loop *l, const char *host_port, const struct datagram_credentials *tls, const struct datagram_events *events, void *ctx,
    struct datagram_port **out)
{
	struct sockaddr_in a;
	struct datagram_port *p;
	enum err e = address_parse(host_port, &a);
	int fd, one = 1, room = RECEIVE_ROOM;

	if (e != OK)
		return e;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_IO;
	p = calloc(1, sizeof *p);
	if (!p || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof one) != 0) {
		close(fd);
		free(p);
		return ERR_IO;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	p->fd = fd;
	p->loop = l;
	p->events = *events;
	p->ctx = ctx;
	if (tls && (p->dtls = dtls_new(p, tls)) == NULL) {
		close(fd);
		free(p);
		return ERR_TLS;
	}
	p->io = loop_io_new(l, fd, LOOP_READ, on_readable, p);
	*out = p;
	return OK;
}

uint16_t datagram_port_number(const struct datagram_port *p)
{
	return address_port(p->fd);
}

void datagram_close(struct datagram_port *p)
{
	if (!p)
		return;
	if (p->busy) {
		p->closed = true;
		return;
	}
	dtls_free(p->dtls);
	loop_io_free(p->io);
	close(p->fd);
	free(p);
}

/* An error that an earlier datagram met with is told once, in the place of sending: then again. What the network does not take is lost. */
void datagram_write(struct datagram_port *p, const struct sockaddr_in *to, struct rd octets)
{
	for (int tries = 0; tries < 3; tries++)
		if (sendto(p->fd, octets.at, octets.left, MSG_DONTWAIT, (const struct sockaddr *)to, sizeof *to) >= 0 || errno == EAGAIN)
			return;
}

void datagram_connect(struct datagram_port *p, const struct sockaddr_in *to, struct tls_credentials *tls, const char *identity, struct datagram_peer *peer)
{
	if (p->dtls)
		dtls_connect(p->dtls, to, tls, identity, peer);
	else
		*peer = peer_of(to);
}

void datagram_disconnect(struct datagram_port *p, const struct datagram_peer *peer)
{
	if (p->dtls)
		dtls_disconnect(p->dtls, peer->session);
}

void datagram_send(struct datagram_port *p, const struct datagram_peer *to, struct rd octets)
{
	const struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(to->address), .sin_port = htons(to->port)};

	if (p->dtls)
		dtls_send(p->dtls, to->session, octets);
	else
		datagram_write(p, &a, octets);
}

struct tls_session *datagram_tls(const struct datagram_port *p, const struct datagram_peer *peer)
{
	return p->dtls ? dtls_tls(p->dtls, peer->session) : NULL;
}

const struct tls_peer *datagram_tls_peer(const struct datagram_port *p, const struct datagram_peer *peer)
{
	const struct tls_session *s = datagram_tls(p, peer);

	return s ? tls_session_peer(s) : NULL;
}

const char *datagram_identity(const struct datagram_port *p, const struct datagram_peer *peer)
{
	const struct tls_peer *t = datagram_tls_peer(p, peer);

	return t ? t->identity : "";
}

size_t datagram_sessions(const struct datagram_port *p)
{
	return p->dtls ? dtls_count(p->dtls) : 0;
}
