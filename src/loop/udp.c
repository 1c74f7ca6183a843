/* UDP sockets and addresses. */
#include "loop/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_MAX 2048
#define DATAGRAMS_A_ROUND 32

struct udp {
	int fd;
	struct loop_io *io;
	udp_fn *fn;
	void *ctx;
	bool freed, busy;
};

static void on_readable(void *ctx, unsigned events)
{
	struct udp *u = ctx;
	uint8_t octets[DATAGRAM_MAX];
	struct sockaddr_in from;

	(void)events;
	u->busy = true;
	for (int i = 0; i < DATAGRAMS_A_ROUND && !u->freed; i++) {
		socklen_t len = sizeof from;
		ssize_t n = recvfrom(u->fd, octets, sizeof octets, MSG_DONTWAIT, (struct sockaddr *)&from, &len);

		if (n < 0 && errno == ECONNREFUSED)
			continue; /* a peer of an earlier datagram is gone; not our datagram's fault */
		if (n < 0)
			break;
		u->fn(u->ctx, rd_of(octets, (size_t)n), &from);
	}
	u->busy = false;
	if (u->freed)
		udp_free(u);
}

/* Takes fd over. */
static enum err open_on(struct loop *l, int fd, const struct sockaddr_in *a, udp_fn *fn, void *ctx, struct udp **out)
{
	struct udp *u = bind(fd, (const struct sockaddr *)a, sizeof *a) == 0 ? calloc(1, sizeof *u) : NULL;

	if (!u) {
		close(fd);
		return ERR_IO;
	}
	u->fd = fd;
	u->fn = fn;
	u->ctx = ctx;
	u->io = loop_io_new(l, fd, LOOP_READ, on_readable, u);
	*out = u;
	return OK;
}

enum err udp_open(struct loop *l, const char *host_port, udp_fn *fn, void *ctx, struct udp **out)
{
	struct sockaddr_in a;
	enum err e = address_parse(host_port, &a);
	int fd;

	if (e != OK)
		return e;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return fd < 0 ? ERR_IO : open_on(l, fd, &a, fn, ctx, out);
}

/* Bound to the group's own address, so that nothing else comes to it. */
enum err udp_open_group(struct loop *l, const char *group, uint16_t port, const char *interface, udp_fn *fn, void *ctx, struct udp **out)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct ip_mreq wanted;
	const int yes = 1;
	int fd;

	if (inet_pton(AF_INET, group, &a.sin_addr) != 1 || !IN_MULTICAST(ntohl(a.sin_addr.s_addr)) || inet_pton(AF_INET, interface, &wanted.imr_interface) != 1)
		return ERR_CONFIG;
	wanted.imr_multiaddr = a.sin_addr;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_IO;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 || setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &wanted, sizeof wanted) != 0) {
		close(fd);
		return ERR_IO;
	}
	return open_on(l, fd, &a, fn, ctx, out);
}

enum err udp_multicast_by(struct udp *u, const char *interface)
{
	struct in_addr a;

	if (inet_pton(AF_INET, interface, &a) != 1)
		return ERR_CONFIG;
	return setsockopt(u->fd, IPPROTO_IP, IP_MULTICAST_IF, &a, sizeof a) == 0 ? OK : ERR_IO;
}

uint16_t udp_port(const struct udp *u)
{
	return address_port(u->fd);
}

enum err udp_send(struct udp *u, struct rd datagram, const struct sockaddr_in *to)
{
	ssize_t n;

	do
		n = sendto(u->fd, datagram.at, datagram.left, 0, (const struct sockaddr *)to, sizeof *to);
	while (n < 0 && errno == ECONNREFUSED);
	return n == (ssize_t)datagram.left ? OK : ERR_IO;
}

void udp_free(struct udp *u)
{
	if (!u)
		return;
	if (u->busy) {
		u->freed = true;
		return;
	}
	loop_io_free(u->io);
	close(u->fd);
	free(u);
}
