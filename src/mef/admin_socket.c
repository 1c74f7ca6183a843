/* The administration socket itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "loop/log.h"
#include "mef/admin.h"

#define OPERATORS_MAX 16

struct operator {
	struct operator *next;
	struct admin *admin;
	struct loop_io *io;
	int fd;
	struct wr in, out;
	size_t sent;
};

struct admin {
	struct mef *mef;
	const struct egp_server *egp;
	struct loop_io *io;
	int fd;
	char path[sizeof ((struct sockaddr_un *)0)->sun_path];
	struct operator *operators;
	size_t count;
};

static void operator_free(struct operator *op)
{
	struct operator **link = &op->admin->operators;

	while (*link != op)
		link = &(*link)->next;
	*link = op->next;
	op->admin->count--;
	loop_io_free(op->io);
	close(op->fd);
	if (op->in.octets)
		bytes_wipe(op->in.octets, op->in.capacity); /* install codes came through here */
	wr_free(&op->in);
	wr_free(&op->out);
	free(op);
}

/* False: the other end is gone. */
static bool flush(struct operator *op)
{
	while (op->sent < op->out.len) {
		ssize_t n = send(op->fd, op->out.octets + op->sent, op->out.len - op->sent, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0)
			return false;
		op->sent += (size_t)n;
	}
	if (op->sent == op->out.len) {
		wr_reset(&op->out);
		op->sent = 0;
	}
	loop_io_events(op->io, op->out.len > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
	return true;
}

static void serve(struct operator *op, struct rd line)
{
	struct wr answer = wr_new(ADMIN_ANSWER_MAX);
	struct rd octets;

	admin_answer(op->admin->mef, op->admin->egp, line, &answer);
	if (wr_done(&answer, &octets)) {
		wr_rd(&op->out, octets);
		wr_u8(&op->out, '\n');
	}
	wr_free(&answer);
}

/* Serves the whole lines, keeps the rest. */
static void lines(struct operator *op)
{
	struct rd rest = rd_of(op->in.octets, op->in.len), line;
	size_t kept;

	while (rd_until(&rest, '\n', &line))
		serve(op, line);
	kept = rest.left;
	if (kept > 0)
		memmove(op->in.octets, rest.at, kept);
	bytes_wipe(op->in.octets + kept, op->in.len - kept);
	op->in.len = kept;
}

/* False: end, or too long a line. */
static bool receive(struct operator *op)
{
	uint8_t buffer[4096];
	ssize_t n = recv(op->fd, buffer, sizeof buffer, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	wr_copy(&op->in, buffer, (size_t)n);
	bytes_wipe(buffer, sizeof buffer);
	if (op->in.spoilt)
		return false;
	lines(op);
	return true;
}

static void on_operator(void *ctx, unsigned events)
{
	struct operator *op = ctx;

	if (((events & LOOP_READ) && !receive(op)) || op->out.spoilt || !flush(op))
		operator_free(op);
}

/* The mode of the socket keeps others out; some systems ignore it, so the peer is asked too. */
static bool may_operate(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

static void on_accept(void *ctx, unsigned events)
{
	struct admin *a = ctx;
	int fd = accept4(a->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct operator *op = fd >= 0 && a->count < OPERATORS_MAX && may_operate(fd) ? calloc(1, sizeof *op) : NULL;

	(void)events;
	if (!op) {
		if (fd >= 0)
			close(fd);
		return;
	}
	op->admin = a;
	op->fd = fd;
	op->in = wr_new(ADMIN_LINE_MAX);
	op->out = wr_new(2 * ADMIN_ANSWER_MAX);
	op->io = loop_io_new(a->mef->loop, fd, LOOP_READ, on_operator, op);
	op->next = a->operators;
	a->operators = op;
	a->count++;
}

static bool somebody_listens(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool there = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;

	if (fd >= 0)
		close(fd);
	return there;
}

static enum err listen_at(struct admin *a, const struct sockaddr_un *address)
{
	mode_t former;
	bool bound;

	if (somebody_listens(address))
		return ERR_EXISTS;
	unlink(address->sun_path);
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->fd < 0)
		return ERR_IO;
	former = umask(0177); /* 0600 from the first moment on */
	bound = bind(a->fd, (const struct sockaddr *)address, sizeof *address) == 0;
	umask(former);
	return bound && listen(a->fd, OPERATORS_MAX) == 0 ? OK : ERR_IO;
}

enum err admin_new(struct mef *m, const struct egp_server *egp, const char *path, struct admin **out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct admin *a;
	enum err e;

	if (!rd_text(rd_str(path), address.sun_path, sizeof address.sun_path))
		return ERR_TOO_LONG;
	a = calloc(1, sizeof *a);
	if (!a)
		return ERR_NO_MEMORY;
	a->mef = m;
	a->egp = egp;
	a->fd = -1;
	e = listen_at(a, &address);
	if (e != OK) {
		if (a->fd >= 0)
			close(a->fd);
		free(a);
		return e;
	}
	memcpy(a->path, address.sun_path, sizeof a->path);
	a->io = loop_io_new(m->loop, a->fd, LOOP_READ, on_accept, a);
	*out = a;
	return OK;
}

void admin_free(struct admin *a)
{
	if (!a)
		return;
	while (a->operators)
		operator_free(a->operators);
	loop_io_free(a->io);
	close(a->fd);
	unlink(a->path);
	free(a);
}
