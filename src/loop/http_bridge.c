/* TLS in front of an HTTP library. */
#include "loop/http_bridge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "loop/address.h"
#include "loop/tls_life.h"

#define CHUNK 16384 /* a TLS record's most */
#define RAW 4096

enum bridge_state { BRIDGE_CONNECTING, BRIDGE_HANDSHAKE, BRIDGE_OPEN, BRIDGE_OVER };

/* Octets on their way. */
struct way {
	size_t len, sent;
	bool ended; /* nothing more comes; told to the other side once all is sent */
	bool told;
	bool all; /* the last reading took all that there was */
	uint8_t *octets; /* CHUNK of them */
};

/* Where octets are on their way. Not cleared: a handshake needs little of it. */
struct room {
	uint8_t in[CHUNK], out[CHUNK], raw[RAW];
};

struct http_bridge {
	struct loop *loop;
	struct loop_io *tcp_io, *pair_io;
	int tcp, pair;
	struct sockaddr_in address;
	struct tls_session *tls;
	struct tls_life life;
	enum bridge_state state;
	bool server, paused, busy, freed, received;
	unsigned tcp_events, pair_events; /* what is waited for now */
	struct http_bridge_events events;
	void *ctx;
	struct way in, out; /* from the peer, to the peer */
	/* What the socket gave, for TLS to take: it asks for a record's head and its body one after the other, and then for the next that is not there. */
	size_t raw_len, raw_taken;
	uint64_t pulled; /* all that TLS took of it */
	bool drained; /* the last reading emptied the socket */
	struct room *room;
};

static void on_tcp(void *ctx, unsigned events);
static void on_pair(void *ctx, unsigned events);

static void release(struct http_bridge *b)
{
	loop_io_free(b->tcp_io);
	loop_io_free(b->pair_io);
	tls_life_end(&b->life);
	tls_session_free(b->tls, b->state == BRIDGE_OPEN);
	if (b->tcp >= 0)
		close(b->tcp);
	if (b->pair >= 0)
		close(b->pair);
	bytes_wipe(b->room, sizeof *b->room); /* keys on their way to whom they are for go through here */
	free(b->room);
	free(b);
}

void http_bridge_free(struct http_bridge *b)
{
	if (!b)
		return;
	b->freed = true;
	if (!b->busy)
		release(b);
}

static void finish(struct http_bridge *b, enum err why, const char *detail)
{
	if (b->freed || b->state == BRIDGE_OVER)
		return;
	b->freed = true;
	b->events.closed(b->ctx, b, why, detail);
	tls_session_free(b->tls, b->state == BRIDGE_OPEN);
	b->tls = NULL;
	b->state = BRIDGE_OVER;
}

/* ---- one way and the other ---- */

static bool way_has(const struct way *w)
{
	return w->len > w->sent;
}

/* TLS stops behind a message of its own too, such as TLS 1.3's session tickets, and what came in the same segment waits in here, of which epoll knows
 * nothing: so it goes on for as long as there is something left and it takes of it. */
static ssize_t read_on(struct http_bridge *b)
{
	uint64_t before;
	ssize_t n;

	do {
		before = b->pulled;
		n = tls_session_read(b->tls, b->in.octets, CHUNK);
	} while (n == -EAGAIN && b->raw_taken < b->raw_len && b->pulled != before);
	return n;
}

/* A peer is worth a connection of the library's when it says something: that costs more than what the handshake itself does beside its cryptography.
 * False: it has nothing to say. */
static bool first_octets(struct http_bridge *b)
{
	if (b->in.len == 0) {
		finish(b, ERR_CLOSED, "nothing was asked");
		return false;
	}
	tls_life_opened(&b->life, b->tls);
	b->events.open(b->ctx, b);
	return !b->freed;
}

/* Peer -> library. True: something moved. */
static bool take_in(struct http_bridge *b)
{
	ssize_t n;

	if (way_has(&b->in) || b->in.ended)
		return false;
	n = read_on(b);
	if (n == -EAGAIN)
		return false;
	if (n < 0 && !b->received) { /* TLS 1.3: the server may refuse who we are when the handshake is done here already */
		finish(b, ERR_TLS, tls_session_why(b->tls));
		return false;
	}
	b->received = b->received || n > 0;
	b->in.len = n > 0 ? (size_t)n : 0;
	b->in.sent = 0;
	b->in.ended = n <= 0;
	return b->pair >= 0 || first_octets(b);
}

static bool give_in(struct http_bridge *b)
{
	ssize_t n;

	if (b->in.ended && !way_has(&b->in) && !b->in.told) {
		b->in.told = true;
		shutdown(b->pair, SHUT_WR);
	}
	if (!way_has(&b->in))
		return false;
	n = send(b->pair, b->in.octets + b->in.sent, b->in.len - b->in.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0) { /* the library is done with it: what else comes is nobody's */
		b->in.len = b->in.sent = 0;
		b->in.ended = b->in.told = true;
		return true;
	}
	b->in.sent += (size_t)n;
	return true;
}

/* Library -> peer. */
static bool take_out(struct http_bridge *b)
{
	ssize_t n;

	if (way_has(&b->out) || b->out.ended || (b->out.all && b->pair_io))
		return false;
	n = recv(b->pair, b->out.octets, CHUNK, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	b->out.len = n > 0 ? (size_t)n : 0;
	b->out.sent = 0;
	b->out.ended = n <= 0;
	b->out.all = b->out.len < CHUNK;
	return true;
}

static bool give_out(struct http_bridge *b)
{
	ssize_t n;

	if (!way_has(&b->out))
		return false;
	n = tls_session_write(b->tls, b->out.octets + b->out.sent, b->out.len - b->out.sent);
	if (n == -EAGAIN)
		return false;
	if (n < 0) {
		b->out.len = b->out.sent = 0;
		b->out.ended = true;
		return true;
	}
	b->out.sent += (size_t)n;
	return true;
}

/* All that can move without waiting. The library does not run meanwhile, so that is no more than a local connection holds. */
static void pump_out(struct http_bridge *b)
{
	b->out.all = false;
	while (give_out(b) || take_out(b))
		;
	if (b->out.ended && !way_has(&b->out))
		finish(b, ERR_CLOSED, "the connection ended");
}

static void pump_in(struct http_bridge *b)
{
	bool gave = false;

	while (!b->freed && (give_in(b) ? (gave = true) : take_in(b)))
		;
	if (gave && !b->freed && b->events.gave)
		b->events.gave(b->ctx);
}

static void want(struct loop_io *io, unsigned *now, unsigned events)
{
	if (*now != events)
		loop_io_events(io, events);
	*now = events;
}

static void update_interest(struct http_bridge *b)
{
	bool shaking = b->state == BRIDGE_HANDSHAKE;
	unsigned tcp = 0, pair = 0;

	if (b->freed)
		return;
	if (b->state == BRIDGE_CONNECTING) {
		tcp = LOOP_WRITE;
	} else {
		if (shaking ? !b->paused : !way_has(&b->in) && !b->in.ended)
			tcp |= LOOP_READ;
		if (shaking ? tls_session_writes(b->tls) : way_has(&b->out))
			tcp |= LOOP_WRITE;
	}
	if (b->state == BRIDGE_OPEN) {
		if (!way_has(&b->out) && !b->out.ended)
			pair |= LOOP_READ;
		if (way_has(&b->in))
			pair |= LOOP_WRITE;
	}
	want(b->tcp_io, &b->tcp_events, tcp);
	if (b->pair_io)
		want(b->pair_io, &b->pair_events, pair);
}

/* ---- how it comes about ---- */

static void opened(struct http_bridge *b)
{
	b->state = BRIDGE_OPEN;
	if (!b->server) { /* the library speaks first */
		tls_life_opened(&b->life, b->tls);
		b->events.open(b->ctx, b);
		if (!b->freed)
			pump_out(b);
	}
	if (!b->freed)
		pump_in(b);
}

/* As read_on. */
static enum tls_step shake_on(struct http_bridge *b)
{
	enum tls_step step;
	uint64_t before;

	do {
		before = b->pulled;
		step = tls_session_handshake(b->tls);
	} while (step == TLS_MORE && b->raw_taken < b->raw_len && b->pulled != before);
	return step;
}

static void handshake(struct http_bridge *b)
{
	char address[ADDRESS_TEXT_MAX], why[160];

	b->state = BRIDGE_HANDSHAKE;
	b->paused = false;
	switch (shake_on(b)) {
	case TLS_OPEN:
		opened(b);
		return;
	case TLS_PAUSED:
		b->paused = true;
		return;
	case TLS_MORE:
		return;
	case TLS_FAILED:
		address_print(&b->address, address);
		tls_life_refused(b->tls, b->server, address);
		snprintf(why, sizeof why, "%s", tls_session_why(b->tls));
		finish(b, ERR_TLS, why);
		return;
	}
}

static void connected(struct http_bridge *b)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(b->tcp, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0)
		finish(b, ERR_UNREACHABLE, error == ECONNREFUSED ? "nobody listens there" : strerror(error));
	else
		handshake(b);
}

static void leave(struct http_bridge *b)
{
	b->busy = false;
	if (b->freed)
		release(b);
	else
		update_interest(b);
}

static void on_tcp(void *ctx, unsigned events)
{
	struct http_bridge *b = ctx;
	bool hung_up = (events & LOOP_WRITE) && !(b->tcp_events & LOOP_WRITE); /* said whether it is asked for or not */

	b->busy = true;
	b->drained = b->drained && !(events & LOOP_READ);
	switch (b->state) {
	case BRIDGE_CONNECTING:
		connected(b);
		break;
	case BRIDGE_HANDSHAKE:
		if (hung_up && b->paused)
			finish(b, ERR_CLOSED, "the peer is gone");
		else
			handshake(b);
		break;
	case BRIDGE_OPEN:
		pump_in(b);
		if (!b->freed && way_has(&b->out))
			pump_out(b);
		if (!b->freed && hung_up && b->in.ended)
			finish(b, ERR_CLOSED, "the peer is gone");
		break;
	case BRIDGE_OVER:
		break;
	}
	leave(b);
}

static void on_pair(void *ctx, unsigned events)
{
	struct http_bridge *b = ctx;

	b->busy = true;
	if (b->state == BRIDGE_OPEN) {
		if ((events & LOOP_WRITE) && !(b->pair_events & LOOP_WRITE)) { /* the library closed its end; what it wrote is still there */
			loop_io_free(b->pair_io);
			b->pair_io = NULL;
		}
		pump_out(b);
		if (!b->freed && way_has(&b->in))
			pump_in(b);
	} else if (events & LOOP_READ) {
		finish(b, ERR_CLOSED, "the call was given up");
	}
	leave(b);
}

void http_bridge_pump(struct http_bridge *b)
{
	if (b->state != BRIDGE_OPEN || b->busy)
		return;
	b->busy = true;
	pump_out(b);
	leave(b);
}

static void on_life(void *ctx)
{
	struct http_bridge *b = ctx;
	char address[ADDRESS_TEXT_MAX];

	b->busy = true;
	address_print(&b->address, address);
	if (b->state == BRIDGE_HANDSHAKE)
		tls_life_refused(b->tls, b->server, address);
	if (b->state == BRIDGE_OPEN)
		finish(b, ERR_CLOSED, b->pair >= 0 ? "the peer's credential expired" : "nothing was asked");
	else
		finish(b, b->state == BRIDGE_CONNECTING ? ERR_UNREACHABLE : ERR_TLS, "it takes too long");
	leave(b);
}

static void on_wake(void *ctx)
{
	on_tcp(ctx, LOOP_READ);
}

static ssize_t on_push(void *ctx, const void *octets, size_t len)
{
	const struct http_bridge *b = ctx;

	return send(b->tcp, octets, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t on_pull(void *ctx, void *octets, size_t size)
{
	struct http_bridge *b = ctx;
	size_t n;
	ssize_t got;

	if (b->raw_taken == b->raw_len) {
		bool whole = size >= RAW;

		if (b->drained) {
			errno = EAGAIN;
			return -1;
		}
		got = recv(b->tcp, whole ? octets : b->room->raw, whole ? size : RAW, MSG_DONTWAIT);
		if (got > 0)
			b->drained = (size_t)got < (whole ? size : RAW);
		if (whole || got <= 0)
			return got;
		b->raw_len = (size_t)got;
		b->raw_taken = 0;
	}
	n = b->raw_len - b->raw_taken < size ? b->raw_len - b->raw_taken : size;
	memcpy(octets, b->room->raw + b->raw_taken, n);
	b->raw_taken += n;
	b->pulled += n;
	return (ssize_t)n;
}

struct http_bridge *http_bridge_new(struct loop *l, int tcp, bool connecting, const struct sockaddr_in *address, struct tls_credentials *tls,
    const char *expected, const struct http_bridge_events *events, void *ctx)
{
	struct http_bridge *b = calloc(1, sizeof *b);
	struct room *room = malloc(sizeof *room);
	const struct tls_session_options o = {.server = expected == NULL, .expected = expected, .push = on_push, .pull = on_pull, .wake = on_wake, .ctx = b};

	if (!b || !room)
		abort();
	b->room = room;
	b->in.octets = room->in;
	b->out.octets = room->out;
	b->loop = l;
	b->tcp = tcp;
	b->pair = -1;
	b->address = *address;
	b->server = expected == NULL;
	b->state = connecting ? BRIDGE_CONNECTING : BRIDGE_HANDSHAKE;
	b->events = *events;
	b->ctx = ctx;
	b->tls = tls ? tls_session_new(tls, &o) : NULL;
	if (!b->tls) {
		release(b);
		return NULL;
	}
	tls_life_begin(&b->life, l, on_life, b);
	b->tcp_events = connecting ? LOOP_WRITE : LOOP_READ;
	b->tcp_io = loop_io_new(l, tcp, b->tcp_events, on_tcp, b);
	return b;
}

void http_bridge_attach(struct http_bridge *b, int fd)
{
	b->pair = fd;
	b->pair_events = 0;
	b->pair_io = loop_io_new(b->loop, fd, 0, on_pair, b);
	if (!b->busy)
		update_interest(b);
}

bool http_bridge_attached(const struct http_bridge *b)
{
	return b->pair >= 0;
}

struct tls_session *http_bridge_tls(struct http_bridge *b)
{
	return b->tls;
}

const struct sockaddr_in *http_bridge_address(const struct http_bridge *b)
{
	return &b->address;
}
