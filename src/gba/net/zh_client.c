/* The BSF's end of Zh. */
#include "gba/net/zh_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"

#define QUESTION_MAX 1024

struct zh_call {
	struct zh_call *next;
	zh_done *done;
	void *ctx;
	uint64_t deadline;
};

struct zh_client {
	struct loop *loop;
	struct loop_io *io;
	struct loop_timer *timer;
	char *path;
	int fd; /* -1: not connected */
	struct wr in, out;
	size_t sent;
	struct zh_call *first, **last; /* in the order of their answers */
	struct zh_call *unsent;        /* they fail when the timer comes */
	size_t waiting;
};

static void arm(struct zh_client *c)
{
	loop_timer_at(c->timer, c->unsent ? 0 : c->first ? c->first->deadline
							 : CLOCK_NEVER);
}

static void disconnect(struct zh_client *c)
{
	loop_io_free(c->io);
	c->io = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	bytes_wipe(c->in.octets, c->in.len);
	wr_reset(&c->in);
	wr_reset(&c->out);
	c->sent = 0;
}

static struct zh_call *take_first(struct zh_client *c)
{
	struct zh_call *call = c->first;

	c->first = call->next;
	if (!c->first)
		c->last = &c->first;
	c->waiting--;
	return call;
}

static void fail(struct zh_call *call, enum err e)
{
	struct zh_call *next;

	for (; call; call = next) {
		next = call->next;
		call->done(call->ctx, e, NULL, NULL);
		free(call);
	}
}

/* Those that are waiting now; what they ask from their callbacks is not among them. */
static void fail_all(struct zh_client *c, enum err e)
{
	struct zh_call *call = c->first;

	disconnect(c);
	c->first = NULL;
	c->last = &c->first;
	c->waiting = 0;
	arm(c);
	fail(call, e);
}

static void on_time(void *ctx)
{
	struct zh_client *c = ctx;
	struct zh_call *unsent = c->unsent;

	c->unsent = NULL;
	fail(unsent, ERR_UNREACHABLE);
	if (c->first && c->first->deadline <= clock_ms())
		fail_all(c, ERR_TIMEOUT);
	else
		arm(c);
}

static void answer(struct zh_client *c, struct rd line)
{
	struct zh_call *call = take_first(c);
	struct aka_vector v;
	struct guss g;
	enum err e = zh_answer_parse(line, &v, &g);

	arm(c);
	call->done(call->ctx, e, e == OK ? &v : NULL, e == OK ? &g : NULL);
	free(call);
}

/* Callbacks may ask, not free the client. */
static bool lines(struct zh_client *c)
{
	struct rd rest = rd_of(c->in.octets, c->in.len), line;
	size_t kept;

	while (c->first && rd_until(&rest, '\n', &line))
		answer(c, line);
	kept = rest.left;
	if (kept > 0)
		memmove(c->in.octets, rest.at, kept);
	bytes_wipe(c->in.octets + kept, c->in.len - kept);
	c->in.len = kept;
	return kept == 0 || c->first; /* more than was asked: not the HSS */
}

static bool receive(struct zh_client *c)
{
	uint8_t buffer[4096];
	ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	wr_copy(&c->in, buffer, (size_t)n);
	bytes_wipe(buffer, sizeof buffer);
	return !c->in.spoilt && lines(c);
}

static bool flush(struct zh_client *c)
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
		wr_reset(&c->out);
		c->sent = 0;
	}
	loop_io_events(c->io, c->out.len > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
	return true;
}

static void on_io(void *ctx, unsigned events)
{
	struct zh_client *c = ctx;

	if ((events & LOOP_READ) && !receive(c)) {
		fail_all(c, ERR_UNREACHABLE);
		return;
	}
	if (c->fd >= 0 && !flush(c))
		fail_all(c, ERR_UNREACHABLE);
}

static bool connect_it(struct zh_client *c)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (!rd_text(rd_str(c->path), address.sun_path, sizeof address.sun_path))
		return false;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 && connect(c->fd, (const struct sockaddr *)&address, sizeof address) == 0) {
		c->io = loop_io_new(c->loop, c->fd, LOOP_READ | LOOP_WRITE, on_io, c);
		return true;
	}
	disconnect(c);
	return false;
}

struct zh_client *zh_client_new(struct loop *l, const char *path)
{
	struct zh_client *c = calloc(1, sizeof *c);

	if (!c || !(c->path = strdup(path)))
		abort();
	c->loop = l;
	c->fd = -1;
	c->in = wr_new(ZH_LINE_MAX);
	c->out = wr_new((size_t)ZH_WAITING_MAX * QUESTION_MAX);
	c->last = &c->first;
	c->timer = loop_timer_new(l, on_time, c);
	return c;
}

void zh_client_free(struct zh_client *c)
{
	if (!c)
		return;
	disconnect(c);
	while (c->first)
		free(take_first(c));
	while (c->unsent) {
		struct zh_call *call = c->unsent;

		c->unsent = call->next;
		free(call);
	}
	loop_timer_free(c->timer);
	wr_free(&c->in);
	wr_free(&c->out);
	free(c->path);
	free(c);
}

void zh_client_ask(struct zh_client *c, const struct bsf_ask *ask, zh_done *done, void *ctx)
{
	struct zh_call *call = calloc(1, sizeof *call);

	if (!call)
		abort();
	call->done = done;
	call->ctx = ctx;
	call->deadline = clock_ms() + ZH_TIMEOUT_MS;
	if (c->waiting >= ZH_WAITING_MAX || (c->fd < 0 && !connect_it(c))) {
		call->next = c->unsent;
		c->unsent = call;
		arm(c);
		return;
	}
	*c->last = call;
	c->last = &call->next;
	c->waiting++;
	zh_ask_print(&c->out, ask);
	wr_u8(&c->out, '\n');
	arm(c);
	loop_io_events(c->io, LOOP_READ | LOOP_WRITE);
}
