/* A byte stream that is there: its handshake, what comes, what is written, and its end. Where streams come from: stream_open.c, stream_listener.c. */
#include "loop/stream_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define END_MS 2000

static void on_event(void *ctx, unsigned events);

void stream_release(struct stream *s)
{
	loop_io_free(s->io);
	loop_timer_free(s->later);
	tls_life_end(&s->life);
	tls_session_free(s->tls, s->state == STREAM_OPEN);
	if (s->end)
		s->end(s->end_ctx);
	else if (s->fd >= 0)
		close(s->fd);
	wr_free(&s->out);
	free(s->given_peer);
	free(s);
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	s->freed = true;
	if (!s->busy)
		stream_release(s);
}

static void finish(struct stream *s, enum err why)
{
	if (s->state == STREAM_CLOSED)
		return;
	s->state = STREAM_CLOSED;
	s->why = why;
	loop_io_free(s->io);
	s->io = NULL;
	if (s->events)
		s->events->closed(s->ctx, why);
	else if (s->accepted)
		s->freed = true; /* the handshake failed before anyone knew of it */
}

static void update_interest(struct stream *s)
{
	bool writing = s->state == STREAM_CONNECTING || s->out.len > s->out_sent ||
	    (s->state == STREAM_HANDSHAKE && tls_session_writes(s->tls));

	/* what comes while a key is asked for waits in the socket */
	if (s->io && s->state != STREAM_CLOSED)
		loop_io_events(s->io, (s->paused ? 0U : LOOP_READ) | (writing ? LOOP_WRITE : 0U));
}

static ssize_t raw_write(struct stream *s, const uint8_t *octets, size_t len)
{
	ssize_t n;

	if (s->tls) {
		n = tls_session_write(s->tls, octets, len);
		return n == -EAGAIN ? 0 : n;
	}
	n = send(s->fd, octets, len, MSG_NOSIGNAL); /* a library's program keeps its SIGPIPE */
	if (n < 0 && errno == ENOTSOCK)
		n = write(s->fd, octets, len);
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
}

static void flush(struct stream *s)
{
	while (s->state == STREAM_OPEN && s->out.len > s->out_sent) {
		ssize_t n = raw_write(s, s->out.octets + s->out_sent, s->out.len - s->out_sent);

		if (n < 0) {
			finish(s, ERR_CLOSED);
			return;
		}
		if (n == 0)
			break;
		s->out_sent += (size_t)n;
	}
	if (s->out_sent == s->out.len) {
		wr_reset(&s->out);
		s->out_sent = 0;
		if (s->ending && s->end && !s->tls && !s->shut) /* to close with octets unread would take back what was said */
			s->shut = shutdown(s->fd, SHUT_WR) == 0;
		if (s->ending && !s->shut)
			finish(s, ERR_CLOSED);
	}
	update_interest(s);
}

void stream_write(struct stream *s, struct rd octets)
{
	if (s->state == STREAM_CLOSED || s->freed)
		return;
	wr_rd(&s->out, octets);
	if (s->out.spoilt) {
		/* The peer does not read: tell the owner from the loop, not from within its own call. */
		s->why = ERR_FULL;
		loop_timer_in(s->later, 0);
		return;
	}
	if (!s->busy) /* otherwise it goes at the end of what is being done */
		loop_timer_in(s->later, 0);
}

/* The end of a callback of the loop's: what was written meanwhile goes out at once. */
static void settle(struct stream *s)
{
	if (s->state == STREAM_OPEN && !s->freed && s->out.len > s->out_sent && s->why == OK)
		flush(s);
	s->busy = false;
	if (s->freed)
		stream_release(s);
}

static void hand_over(struct stream *s);

static void on_later(void *ctx)
{
	struct stream *s = ctx;

	s->busy = true;
	if (s->why != OK)
		finish(s, s->why);
	else if (s->state == STREAM_OPEN)
		flush(s);
	if (s->given && s->state == STREAM_OPEN && !s->freed) {
		s->given = false;
		hand_over(s);
	}
	settle(s);
}

static ssize_t raw_read(struct stream *s, uint8_t *octets, size_t len)
{
	ssize_t n;

	if (s->tls)
		return tls_session_read(s->tls, octets, len);
	n = recv(s->fd, octets, len, 0); /* a shorter way than read(2)'s, and nearly all are sockets */
	if (n < 0 && errno == ENOTSOCK)
		n = read(s->fd, octets, len);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? -EAGAIN : -EIO;
}

static void hand_over(struct stream *s)
{
	while (s->in_len > 0 && s->state == STREAM_OPEN && !s->freed && s->events) {
		size_t taken = s->events->data(s->ctx, rd_of(s->in, s->in_len));

		if (taken == 0)
			break;
		memmove(s->in, s->in + taken, s->in_len - taken);
		s->in_len -= taken;
	}
}

static void receive(struct stream *s)
{
	while (s->state == STREAM_OPEN && !s->freed && s->events) {
		size_t room = sizeof s->in - s->in_len;
		ssize_t n;

		if (room == 0) {
			finish(s, ERR_TOO_LONG); /* the owner waits for more than any message has */
			return;
		}
		n = raw_read(s, s->in + s->in_len, room);
		if (n == -EAGAIN)
			return;
		if (n <= 0) {
			finish(s, ERR_CLOSED);
			return;
		}
		s->in_len += (size_t)n;
		hand_over(s);
		if (!s->tls && (size_t)n < room)
			return; /* that was all; what comes meanwhile is an event of its own */
	}
}

static void opened(struct stream *s)
{
	s->state = STREAM_OPEN;
	if (s->accepted)
		s->accepted(s->accept_ctx, s);
	else
		s->events->open(s->ctx);
	if (!s->freed)
		flush(s);
}

static void handshake(struct stream *s)
{
	s->state = STREAM_HANDSHAKE;
	s->paused = false;
	switch (tls_session_handshake(s->tls)) {
	case TLS_OPEN:
		tls_life_opened(&s->life, s->tls);
		opened(s);
		return;
	case TLS_FAILED:
		tls_life_refused(s->tls, s->accepted != NULL, s->peer);
		finish(s, ERR_TLS);
		return;
	case TLS_PAUSED:
		s->paused = true;
		break;
	case TLS_MORE:
		break;
	}
	update_interest(s);
}

static void connected(struct stream *s)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0) {
		finish(s, ERR_UNREACHABLE);
		return;
	}
	if (s->tls)
		handshake(s);
	else
		opened(s);
}

static void on_event(void *ctx, unsigned events)
{
	struct stream *s = ctx;

	s->busy = true;
	switch (s->state) {
	case STREAM_CONNECTING:
		connected(s);
		break;
	case STREAM_HANDSHAKE:
		if (s->paused && (events & LOOP_WRITE)) /* never asked for then: the peer is gone */
			finish(s, ERR_CLOSED);
		else
			handshake(s);
		break;
	case STREAM_OPEN:
		if (events & LOOP_WRITE)
			flush(s);
		break;
	case STREAM_CLOSED:
		break;
	}
	if (s->state == STREAM_OPEN && !s->freed)
		receive(s);
	settle(s);
}

struct stream *stream_make(struct loop *l, int fd, enum stream_state state)
{
	struct stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->loop = l;
	s->fd = fd;
	s->state = state;
	s->out = wr_new(STREAM_OUT_MAX);
	s->later = loop_timer_new(l, on_later, s);
	return s;
}

/* ---- TLS's ---- */

static ssize_t on_push(void *ctx, const void *octets, size_t len)
{
	const struct stream *s = ctx;

	return send(s->fd, octets, len, MSG_NOSIGNAL);
}

static ssize_t on_pull(void *ctx, void *octets, size_t size)
{
	const struct stream *s = ctx;

	return recv(s->fd, octets, size, 0);
}

static void on_wake(void *ctx)
{
	on_event(ctx, LOOP_READ);
}

/* The handshake took too long, or the credential ended. */
static void on_life(void *ctx)
{
	struct stream *s = ctx;

	s->busy = true;
	if (s->state == STREAM_HANDSHAKE)
		tls_life_refused(s->tls, s->accepted != NULL, s->peer);
	finish(s, s->state == STREAM_OPEN ? ERR_NOT_AUTHORISED : ERR_TLS);
	settle(s);
}

bool stream_attach_tls(struct stream *s, struct tls_credentials *tls, bool server, const char *expected)
{
	const struct tls_session_options o = {.server = server, .expected = expected, .push = on_push, .pull = on_pull, .wake = on_wake, .ctx = s};

	if (!tls)
		return true;
	s->tls = tls_session_new(tls, &o);
	if (s->tls)
		tls_life_begin(&s->life, s->loop, on_life, s);
	return s->tls != NULL;
}

void stream_start(struct stream *s, unsigned events)
{
	s->io = loop_io_new(s->loop, s->fd, events, on_event, s);
}

void stream_allow(struct stream *s, size_t octets)
{
	s->out.maximum = octets;
}

/* ---- the end of a stream that has something to say yet ---- */

static size_t drop(void *ctx, struct rd in)
{
	(void)ctx;
	return in.left;
}

static void on_ended(void *ctx, enum err why)
{
	(void)why;
	stream_free(ctx);
}

static void on_open(void *ctx)
{
	(void)ctx;
}

void stream_end(struct stream *s)
{
	static const struct stream_events events = {on_open, drop, on_ended};

	if (!s)
		return;
	if (s->state != STREAM_OPEN || s->freed || s->out.spoilt) {
		stream_free(s);
		return;
	}
	stream_handle(s, &events, s);
	s->ending = true;
	if (s->out.len == s->out_sent) {
		stream_free(s);
		return;
	}
	update_interest(s);
	s->why = ERR_TIMEOUT;
	loop_timer_in(s->later, END_MS);
}

const char *stream_peer(const struct stream *s)
{
	const struct tls_peer *p = stream_tls_peer(s);

	return p ? p->identity : "";
}

const struct tls_peer *stream_tls_peer(const struct stream *s)
{
	return s->tls ? tls_session_peer(s->tls) : s->given_peer;
}

struct tls_session *stream_tls(const struct stream *s)
{
	return s->tls;
}

bool stream_is_tls(const struct stream *s)
{
	return s->tls || s->given_peer;
}

void stream_handle(struct stream *s, const struct stream_events *events, void *ctx)
{
	s->events = events;
	s->ctx = ctx;
}
