/* DTLS 1.2 sessions over one UDP socket, driven by what arrives and by a timer each. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "loop/address.h"
#include "loop/dtls_private.h"
#include "loop/tls_life.h"

#define HANDSHAKE_MTU 1200
#define RECORDS_MOST 64
#define RECORD_MTU 16384 /* CoAP keeps its messages small by itself */

/* ---- TLS's transport ---- */

static ssize_t on_push(void *ctx, const void *octets, size_t len)
{
	const struct dtls_session *s = ctx;

	datagram_write(s->dtls->port, &s->address, rd_of(octets, len));
	return (ssize_t)len;
}

static ssize_t on_pull(void *ctx, void *octets, size_t size)
{
	struct dtls_session *s = ctx;
	struct rd in = s->in;
	size_t n = in.left < size ? in.left : size;

	if (!in.at) {
		errno = EAGAIN;
		return -1;
	}
	s->in = rd_of(NULL, 0);
	if (n > 0)
		memcpy(octets, in.at, n);
	return (ssize_t)n;
}

static bool on_readable(void *ctx)
{
	const struct dtls_session *s = ctx;

	return s->in.at != NULL;
}

static void handshake(struct dtls_session *s);
static void refused(struct dtls_session *s);
static void receive(struct dtls_session *s);

/* A key or a responder has been asked: what came meanwhile is read now. Or the key of an open session is gone, which reading tells. */
static void on_wake(void *ctx)
{
	struct dtls_session *s = ctx;
	struct dtls *d = s->dtls;
	uint64_t id = s->id;

	s->in = rd_of(NULL, 0); /* of an earlier round */
	if (!s->open)
		handshake(s);
	s = dtls_by_id(d, id);
	if (s && s->open)
		receive(s);
}

static void arm(struct dtls_session *s)
{
	uint64_t end = s->used + DATAGRAM_SESSION_IDLE_MS, now = clock_unix_ms() / 1000, expires_at = tls_session_peer(s->tls)->expires_at;

	if (expires_at && expires_at < now + DATAGRAM_SESSION_IDLE_MS / 1000 && clock_ms() + (expires_at - now) * 1000 < end)
		end = clock_ms() + (expires_at > now ? expires_at - now : 0) * 1000;
	loop_timer_at(s->timer, end);
}

static void on_time(void *ctx)
{
	struct dtls_session *s = ctx;

	if (!s->open && clock_ms() - s->used > TLS_HANDSHAKE_MS) {
		refused(s);
	} else if (!s->open) {
		s->in = rd_of(NULL, 0);
		handshake(s);
	} else if (clock_ms() - s->used >= DATAGRAM_SESSION_IDLE_MS) {
		dtls_session_fail(s, "the session was idle");
	} else if (!tls_life_lasts(tls_session_peer(s->tls)->expires_at)) {
		dtls_session_fail(s, "the peer's credential expired");
	} else {
		arm(s);
	}
}

static struct dtls_session *session_new(struct dtls *d, const struct sockaddr_in *a, struct tls_credentials *tls, const char *wanted)
{
	struct dtls_session *s = calloc(1, sizeof *s), **bucket = &d->by_address[dtls_bucket_of(a)];
	const struct tls_session_options o = {.server = wanted == NULL, .datagram = true, .expected = wanted, .push = on_push, .pull = on_pull,
		.readable = on_readable, .wake = on_wake, .ctx = s};

	if (!s)
		abort();
	dtls_make_room(d, a);
	s->tls = tls_session_new(tls, &o);
	if (!s->tls) {
		free(s);
		return NULL;
	}
	s->dtls = d;
	s->id = ++d->next_id;
	s->address = *a;
	s->client = wanted != NULL;
	s->wanted = wanted ? strdup(wanted) : NULL;
	s->last = &s->first;
	s->timer = loop_timer_new(d->port->loop, on_time, s);
	s->next = *bucket;
	*bucket = s;
	s->next_id = d->by_id[s->id % DTLS_BUCKETS];
	d->by_id[s->id % DTLS_BUCKETS] = s;
	dtls_put_first(s);
	tls_session_mtu(s->tls, HANDSHAKE_MTU);
	return s;
}

/* ---- handshake ---- */

static void established(struct dtls_session *s)
{
	struct dtls *d = s->dtls;

	tls_life_trouble(s->tls);
	dtls_take_out(s);
	s->open = true;
	dtls_put_first(s);
	if (d->open.count > dtls_sessions_max(d))
		dtls_session_fail(d->open.idlest, "there are too many sessions");
	tls_session_mtu(s->tls, RECORD_MTU);
	arm(s);
	for (struct dtls_pending *p = s->first; p; p = p->next)
		tls_session_write(s->tls, p->octets.octets, p->octets.len);
	dtls_pending_free(s);
}

static void tell_refusal(struct dtls_session *s)
{
	char address[ADDRESS_TEXT_MAX];

	tls_session_give_up(s->tls);
	address_print(&s->address, address);
	tls_life_refused(s->tls, !s->client, address);
}

static void refused(struct dtls_session *s)
{
	tell_refusal(s);
	dtls_session_fail(s, tls_session_why(s->tls));
}

static void handshake(struct dtls_session *s)
{
	switch (tls_session_handshake(s->tls)) {
	case TLS_OPEN:
		established(s);
		return;
	case TLS_FAILED:
		refused(s);
		return;
	case TLS_MORE:
		loop_timer_in(s->timer, tls_session_timeout_ms(s->tls) + 1);
		return;
	case TLS_PAUSED:
		/* whoever asks has a time-out of its own; the peer's repetitions need no answer meanwhile */
		loop_timer_in(s->timer, TLS_HANDSHAKE_MS);
		return;
	}
}

/* ---- what arrives ---- */

struct cookie_reply {
	struct datagram_port *port;
	const struct sockaddr_in *to;
};

static ssize_t on_cookie_push(void *ctx, const void *octets, size_t len)
{
	const struct cookie_reply *r = ctx;

	datagram_write(r->port, r->to, rd_of(octets, len));
	return (ssize_t)len;
}

/* A handshake record of epoch 0 whose message is ClientHello: type(1) version(2) epoch(2) sequence(6) length(2), then type(1) length(3) sequence(2)
 * offset(3) length(3) version(2) random(32) ... (RFC 6347 clause 4.1). */
static bool is_client_hello(struct rd r, uint64_t *random)
{
	uint8_t type, message;
	uint16_t epoch;

	return rd_u8(&r, &type) && type == 22 && rd_skip(&r, 2) && rd_be16(&r, &epoch) && epoch == 0 && rd_skip(&r, 8) && rd_u8(&r, &message) && message == 1 &&
	    rd_skip(&r, 11 + 2) && rd_be64(&r, random);
}

/* Somebody begins: an address that shows the cookie gets a session, and loses the one that it had (RFC 6347 section 4.2.8). */
static void greet(struct dtls *d, const struct sockaddr_in *from, struct rd datagram, uint64_t hello)
{
	struct cookie_reply reply = {d->port, from};
	struct tls_prestate prestate;
	struct dtls_session *s;
	uint64_t id;

	if (!tls_cookie_check(d->cookies, from, sizeof *from, datagram, on_cookie_push, &reply, &prestate))
		return;
	s = dtls_by_address(d, from);
	if (s && s->open)
		dtls_session_fail(s, "the peer began anew");
	else if (s) /* who has a wrong key tries again and again, and learns nothing: here it can be learnt */
		refused(s);
	s = session_new(d, from, d->credentials.tls, NULL);
	if (!s)
		return;
	id = s->id;
	s->hello = hello;
	tls_session_accept(s->tls, &prestate);
	s->in = datagram;
	handshake(s);
	s = dtls_by_id(d, id);
	if (s)
		s->in = rd_of(NULL, 0);
}

static void receive(struct dtls_session *s)
{
	struct dtls *d = s->dtls;
	struct datagram_peer peer = dtls_peer_of(s);
	uint8_t octets[RECORD_MTU];

	for (unsigned vain = 0; vain < RECORDS_MOST;) {
		ssize_t n = tls_session_read(s->tls, octets, sizeof octets);

		if (n == -EAGAIN && !s->in.at)
			return;
		if (n == -EAGAIN) {
			vain++; /* a record that is dropped; the datagram may hold more */
			continue;
		}
		if (n <= 0) {
			dtls_session_fail(s, n == 0 ? "the peer ended the session" : tls_session_why(s->tls)[0] ? tls_session_why(s->tls) : "the session broke");
			return;
		}
		if (!tls_life_lasts(tls_session_peer(s->tls)->expires_at)) {
			dtls_session_fail(s, "the peer's credential expired");
			return;
		}
		d->port->events.input(d->port->ctx, &peer, rd_of(octets, (size_t)n));
		if (dtls_by_id(d, peer.session) != s)
			return;
	}
}

void dtls_input(struct dtls *d, const struct sockaddr_in *from, struct rd datagram)
{
	struct dtls_session *s = dtls_by_address(d, from);
	uint64_t id, hello;

	/* what is half open goes on when its own hello comes again, and ends when the peer, started anew, says another */
	if (is_client_hello(datagram, &hello) && (!s || (!s->client && (s->open || s->hello != hello)))) {
		if (!d->credentials.client_only)
			greet(d, from, datagram, hello);
		return;
	}
	if (!s || datagram.left == 0)
		return;
	dtls_use(s);
	id = s->id;
	s->in = datagram;
	if (!s->open)
		handshake(s);
	s = dtls_by_id(d, id);
	if (s && s->open)
		receive(s);
	s = dtls_by_id(d, id);
	if (s)
		s->in = rd_of(NULL, 0);
}

void dtls_unreachable(struct dtls *d, const struct sockaddr_in *address, const char *why)
{
	struct dtls_session *s = dtls_by_address(d, address);

	if (s && s->client) /* anybody can say so of a server's peers; who connects learns it soon enough anyway */
		dtls_session_fail(s, why);
}

/* ---- what leaves ---- */

void dtls_connect(struct dtls *d, const struct sockaddr_in *to, struct tls_credentials *tls, const char *identity, struct datagram_peer *peer)
{
	struct dtls_session *s = dtls_by_address(d, to);

	if (s && (!s->client || strcmp(s->wanted, identity) != 0)) {
		dtls_session_fail(s, "another identity is wanted at this address");
		s = NULL;
	}
	if (!s && (s = session_new(d, to, tls ? tls : d->credentials.tls, identity)) != NULL) {
		*peer = dtls_peer_of(s);
		tls_session_timeouts(s->tls);
		handshake(s);
		return;
	}
	*peer = s ? dtls_peer_of(s) : (struct datagram_peer){UINT64_MAX, ntohl(to->sin_addr.s_addr), ntohs(to->sin_port)};
}

void dtls_disconnect(struct dtls *d, uint64_t session)
{
	struct dtls_session *s = dtls_by_id(d, session);

	if (!s)
		return;
	if (!s->open)
		tell_refusal(s);
	dtls_session_free(s);
}

void dtls_send(struct dtls *d, uint64_t session, struct rd octets)
{
	struct dtls_session *s = dtls_by_id(d, session);
	struct dtls_pending *p;

	if (!s)
		return;
	dtls_use(s);
	if (s->open) {
		tls_session_write(s->tls, octets.at, octets.left); /* what is lost is sent again by who wants it to arrive */
		return;
	}
	if (s->pending_count == DATAGRAM_PENDING_MAX)
		return;
	p = calloc(1, sizeof *p);
	if (!p)
		abort();
	p->octets = wr_new(octets.left + 1);
	wr_rd(&p->octets, octets);
	*s->last = p;
	s->last = &p->next;
	s->pending_count++;
}

struct tls_session *dtls_tls(const struct dtls *d, uint64_t session)
{
	const struct dtls_session *s = dtls_by_id(d, session);

	return s && s->open ? s->tls : NULL;
}

size_t dtls_count(const struct dtls *d)
{
	return d->open.count + d->half_open.count;
}

/* ---- life ---- */

static ssize_t probe_push(void *ctx, const void *octets, size_t len)
{
	(void)ctx;
	(void)octets;
	return (ssize_t)len;
}

static ssize_t probe_pull(void *ctx, void *octets, size_t size)
{
	(void)ctx;
	(void)octets;
	(void)size;
	errno = EAGAIN;
	return -1;
}

static bool usable(const struct datagram_credentials *c)
{
	const struct tls_session_options o = {.server = !c->client_only, .datagram = true, .push = probe_push, .pull = probe_pull};
	struct tls_session *s = c->tls ? tls_session_new(c->tls, &o) : NULL;

	tls_session_free(s, false);
	return s != NULL;
}

struct dtls *dtls_new(struct datagram_port *p, const struct datagram_credentials *c)
{
	struct dtls *d = usable(c) ? calloc(1, sizeof *d) : NULL;

	if (!d || (d->cookies = tls_cookie_key_new()) == NULL) {
		free(d);
		return NULL;
	}
	d->port = p;
	d->credentials = *c;
	d->salt = tls_cookie_salt(d->cookies);
	tls_credentials_hold(c->tls);
	return d;
}

void dtls_free(struct dtls *d)
{
	if (!d)
		return;
	while (d->open.idlest)
		dtls_session_free(d->open.idlest);
	while (d->half_open.idlest)
		dtls_session_free(d->half_open.idlest);
	tls_cookie_key_free(d->cookies);
	tls_credentials_free(d->credentials.tls);
	free(d);
}
