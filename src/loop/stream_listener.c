/* Byte streams that others open to us. */
#include "loop/stream_private.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/tcp.h"

#define WAITING_MAX 128 /* to be accepted */

struct stream_listener {
	struct loop *loop;
	struct loop_io *io;
	int fd;
	struct tls_credentials *tls;
	stream_accept_fn *fn;
	void *ctx;
};

static void on_accept(void *ctx, unsigned events)
{
	struct stream_listener *sl = ctx;
	struct sockaddr_in from = {0};
	socklen_t len = sizeof from;
	struct stream *s;
	int fd, one = 1;

	(void)events;
	fd = accept4(sl->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	s = stream_make(sl->loop, fd, STREAM_CONNECTING);
	if (!s) {
		close(fd);
		return;
	}
	s->accepted = sl->fn;
	s->accept_ctx = sl->ctx;
	address_print(&from, s->peer);
	if (!stream_attach_tls(s, sl->tls, true, NULL)) {
		stream_release(s);
		return;
	}
	stream_start(s, LOOP_READ | LOOP_WRITE);
}

enum err stream_listen(struct loop *l, const char *host_port, struct tls_credentials *tls, stream_accept_fn *fn, void *ctx,
    struct stream_listener **out)
{
	struct stream_listener *sl;
	enum err e;
	int fd;

	e = tcp_listen(host_port, WAITING_MAX, &fd);
	if (e != OK)
		return e;
	sl = calloc(1, sizeof *sl);
	if (!sl) {
		close(fd);
		return ERR_NO_MEMORY;
	}
	sl->loop = l;
	sl->fd = fd;
	sl->tls = tls;
	sl->fn = fn;
	sl->ctx = ctx;
	sl->io = loop_io_new(l, fd, LOOP_READ, on_accept, sl);
	*out = sl;
	return OK;
}

uint16_t stream_listener_port(const struct stream_listener *sl)
{
	return address_port(sl->fd);
}

void stream_listener_free(struct stream_listener *sl)
{
	if (!sl)
		return;
	loop_io_free(sl->io);
	close(sl->fd);
	free(sl);
}
