/* Lines on a UNIX socket. */
#include "loop/line_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"

struct caller {
	struct caller *next;
	struct line_server *server;
	struct loop_io *io;
	int fd;
	struct wr in, out;
	size_t sent;
};

struct line_server {
	struct loop *loop;
	struct loop_io *io;
	int fd;
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
	struct line_limits limits;
	line_answer *fn;
	void *ctx;
	struct caller *callers;
	size_t count;
};

static void caller_free(struct caller *c)
{
	struct caller **link = &c->server->callers;

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	c->server->count--;
	loop_io_free(c->io);
	close(c->fd);
	wr_free(&c->in);
	wr_free(&c->out);
	free(c);
}

/* False: the other end is gone. */
static bool flush(struct caller *c)
{
	while (c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.octets + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0)
			return false;
		c->sent += (size_t)n;
	}
	if (c->sent == c->out.len) {
		bytes_wipe(c->out.octets, c->out.len);
		wr_reset(&c->out);
		c->sent = 0;
	}
	loop_io_events(c->io, c->out.len > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
	return true;
}

/* Serves the whole lines, keeps the rest. */
static void lines(struct caller *c)
{
	struct rd rest = rd_of(c->in.octets, c->in.len), line;
	size_t kept;

	while (rd_until(&rest, '\n', &line)) {
		c->server->fn(c->server->ctx, line, &c->out);
		wr_u8(&c->out, '\n');
	}
	kept = rest.left;
	if (kept > 0)
		memmove(c->in.octets, rest.at, kept);
	bytes_wipe(c->in.octets + kept, c->in.len - kept);
	c->in.len = kept;
}

/* False: end, or too long a line. */
static bool receive(struct caller *c)
{
	uint8_t buffer[4096];
	ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	wr_copy(&c->in, buffer, (size_t)n);
	bytes_wipe(buffer, sizeof buffer);
	if (c->in.spoilt)
		return false;
	lines(c);
	return true;
}

static void on_caller(void *ctx, unsigned events)
{
	struct caller *c = ctx;

	if (((events & LOOP_READ) && !receive(c)) || c->out.spoilt || !flush(c))
		caller_free(c);
}

/* The mode of the socket keeps others out; some systems ignore it, so the peer is asked too. */
static bool may_ask(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

static void on_accept(void *ctx, unsigned events)
{
	struct line_server *s = ctx;
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct caller *c = fd >= 0 && s->count < LINE_CALLERS_MAX && may_ask(fd) ? calloc(1, sizeof *c) : NULL;

	(void)events;
	if (!c) {
		if (fd >= 0)
			close(fd);
		return;
	}
	c->server = s;
	c->fd = fd;
	c->in = wr_new(s->limits.line);
	c->out = wr_new(s->limits.answers);
	c->io = loop_io_new(s->loop, fd, LOOP_READ, on_caller, c);
	c->next = s->callers;
	s->callers = c;
	s->count++;
}

static bool somebody_listens(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool there = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;

	if (fd >= 0)
		close(fd);
	return there;
}

static enum err listen_at(struct line_server *s, const struct sockaddr_un *address)
{
	mode_t former;
	bool bound;

	if (somebody_listens(address))
		return ERR_EXISTS;
	unlink(address->sun_path);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return ERR_IO;
	former = umask(0177); /* 0600 from the first moment on */
	bound = bind(s->fd, (const struct sockaddr *)address, sizeof *address) == 0;
	umask(former);
	return bound && listen(s->fd, LINE_CALLERS_MAX) == 0 ? OK : ERR_IO;
}

enum err line_server_new(struct loop *l, const char *path, const struct line_limits *limits, line_answer *fn, void *ctx, struct line_server **out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct line_server *s;
	enum err e;

	if (!rd_text(rd_str(path), address.sun_path, sizeof address.sun_path))
		return ERR_TOO_LONG;
	s = calloc(1, sizeof *s);
	if (!s)
		return ERR_NO_MEMORY;
	s->loop = l;
	s->fd = -1;
	s->limits = *limits;
	s->fn = fn;
	s->ctx = ctx;
	e = listen_at(s, &address);
	if (e != OK) {
		if (s->fd >= 0)
			close(s->fd);
		free(s);
		return e;
	}
	memcpy(s->path, address.sun_path, sizeof s->path);
	s->io = loop_io_new(l, s->fd, LOOP_READ, on_accept, s);
	*out = s;
	return OK;
}

void line_server_free(struct line_server *s)
{
	if (!s)
		return;
	while (s->callers)
		caller_free(s->callers);
	loop_io_free(s->io);
	close(s->fd);
	unlink(s->path);
	free(s);
}
