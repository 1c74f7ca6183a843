/* DTLS 1.2 sessions over one UDP socket, driven by what arrives and by a timer each. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/wr.h"
#include "loop/datagram_private.h"
#include "loop/tls_life.h"
#include "loop/udp.h"
#include "tls/tls_session.h"

#define BUCKETS 4096
#define HANDSHAKE_MTU 1200
#define RECORDS_MOST 64
#define RECORD_MTU 16384 /* CoAP keeps its messages small by itself */

struct pending {
	struct pending *next;
	struct wr octets;
};

struct session {
	struct dtls *dtls;
	struct session *next;           /* in the bucket of its address */
	struct session *next_id;        /* in the bucket of its id */
	struct session *idler, *busier; /* by last use, among the open ones or among those that are not */
	uint64_t id, used;
	struct sockaddr_in address;
	struct tls_session *tls;
	bool client, open;
	uint64_t hello;                 /* of a server: the client's, by its first random octets */
	char *wanted;                   /* identity, of a client */
	struct loop_timer *timer;
	struct rd in;                   /* the datagram that TLS may read; `at` NULL: none */
	struct pending *first, **last;
	size_t pending_count;
};

struct list {
	struct session *idlest, *busiest;
	size_t count;
};

#define HOSTS 1024 /* counters: hosts that share one have less room, which harms nobody else */

struct dtls {
	struct datagram_port *port;
	struct datagram_credentials credentials;
	struct tls_cookie_key *cookies;
	struct session *by_address[BUCKETS], *by_id[BUCKETS];
	struct list open, half_open;
	unsigned by_host[HOSTS];        /* half open ones */
	uint32_t salt;                  /* so that nobody chooses with whom he shares one */
	uint64_t next_id;
};

/* ---- the lists ---- */

static size_t bucket_of(const struct sockaddr_in *a)
{
	return (ntohl(a->sin_addr.s_addr) * 31U + ntohs(a->sin_port) * 2654435761U) % BUCKETS;
}

static struct session *by_address(struct dtls *d, const struct sockaddr_in *a)
{
	struct session *s = d->by_address[bucket_of(a)];

	while (s && (s->address.sin_addr.s_addr != a->sin_addr.s_addr || s->address.sin_port != a->sin_port))
		s = s->next;
	return s;
}

static struct session *by_id(const struct dtls *d, uint64_t id)
{
	struct session *s = d->by_id[id % BUCKETS];

	while (s && s->id != id)
		s = s->next_id;
	return s;
}

static struct list *list_of(struct session *s)
{
	return s->open ? &s->dtls->open : &s->dtls->half_open;
}

static unsigned *host_count(struct dtls *d, const struct sockaddr_in *a)
{
	uint32_t h = (ntohl(a->sin_addr.s_addr) ^ d->salt) * 2654435761U;

	return &d->by_host[(h ^ (h >> 15)) % HOSTS];
}

static void put_first(struct session *s)
{
	struct list *l = list_of(s);

	s->idler = l->busiest;
	s->busier = NULL;
	*(l->busiest ? &l->busiest->busier : &l->idlest) = s;
	l->busiest = s;
	l->count++;
	*host_count(s->dtls, &s->address) += s->open ? 0U : 1U;
	s->used = clock_ms();
}

static void take_out(struct session *s)
{
	struct list *l = list_of(s);

	*(s->idler ? &s->idler->busier : &l->idlest) = s->busier;
	*(s->busier ? &s->busier->idler : &l->busiest) = s->idler;
	l->count--;
	*host_count(s->dtls, &s->address) -= s->open ? 0U : 1U;
}

/* A half-open session stays where it is: what is sent to it makes it no better. */
static void use(struct session *s)
{
	if (!s->open)
		return;
	take_out(s);
	put_first(s);
}

static struct datagram_peer peer_of(const struct session *s)
{
	return (struct datagram_peer){s->id, ntohl(s->address.sin_addr.s_addr), ntohs(s->address.sin_port)};
}

static void pending_free(struct session *s)
{
	while (s->first) {
		struct pending *p = s->first;

		s->first = p->next;
		wr_free(&p->octets);
		free(p);
	}
	s->last = &s->first;
	s->pending_count = 0;
}

static void session_free(struct session *s)
{
	struct session **link = &s->dtls->by_address[bucket_of(&s->address)];

	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	link = &s->dtls->by_id[s->id % BUCKETS];
	while (*link != s)
		link = &(*link)->next_id;
	*link = s->next_id;
	take_out(s);
	tls_session_free(s->tls, s->open);
	loop_timer_free(s->timer);
	pending_free(s);
	free(s->wanted);
	free(s);
}

static void session_fail(struct session *s, const char *why)
{
	struct datagram_port *p = s->dtls->port;
	struct datagram_peer peer = peer_of(s);

	session_free(s);
	p->events.unreachable(p->ctx, &peer, why);
}

/* ---- TLS's transport ---- */

static ssize_t on_push(void *ctx, const void *octets, size_t len)
{
	const struct session *s = ctx;

	datagram_write(s->dtls->port, &s->address, rd_of(octets, len));
	return (ssize_t)len;
}

static ssize_t on_pull(void *ctx, void *octets, size_t size)
{
	struct session *s = ctx;
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
	const struct session *s = ctx;

	return s->in.at != NULL;
}

static void handshake(struct session *s);
static void refused(struct session *s);
static void receive(struct session *s);

/* A key or a responder has been asked: what came meanwhile is read now. */
static void on_wake(void *ctx)
{
	struct session *s = ctx;
	struct dtls *d = s->dtls;
	uint64_t id = s->id;

	s->in = rd_of(NULL, 0); /* of an earlier round */
	handshake(s);
	s = by_id(d, id);
	if (s && s->open)
		receive(s);
}

static void arm(struct session *s)
{
	uint64_t end = s->used + DATAGRAM_SESSION_IDLE_MS, now = clock_unix_ms() / 1000, expires_at = tls_session_peer(s->tls)->expires_at;

	if (expires_at && expires_at < now + DATAGRAM_SESSION_IDLE_MS / 1000 && clock_ms() + (expires_at - now) * 1000 < end)
		end = clock_ms() + (expires_at > now ? expires_at - now : 0) * 1000;
	loop_timer_at(s->timer, end);
}

static void on_time(void *ctx)
{
	struct session *s = ctx;

	if (!s->open && clock_ms() - s->used > TLS_HANDSHAKE_MS) {
		refused(s);
	} else if (!s->open) {
		s->in = rd_of(NULL, 0);
		handshake(s);
	} else if (clock_ms() - s->used >= DATAGRAM_SESSION_IDLE_MS) {
		session_fail(s, "the session was idle");
	} else if (!tls_life_lasts(tls_session_peer(s->tls)->expires_at)) {
		session_fail(s, "the peer's credential expired");
	} else {
		arm(s);
	}
}

static size_t sessions_max(const struct dtls *d)
{
	return d->credentials.sessions_max ? d->credentials.sessions_max : DATAGRAM_SESSIONS_MAX;
}

/* The one of this host, or of whom its counter counts too, that began first. */
static struct session *oldest_of(struct dtls *d, const struct sockaddr_in *a)
{
	struct session *s = d->half_open.idlest;

	while (host_count(d, &s->address) != host_count(d, a))
		s = s->busier;
	return s;
}

/* Room for one more: those whose handshake does not end make room for others of their kind, first for those of the same host, never those that are
 * open. */
static void make_room(struct dtls *d, const struct sockaddr_in *a)
{
	if (*host_count(d, a) >= DATAGRAM_HALF_OPEN_HOST)
		session_fail(oldest_of(d, a), "there are too many handshakes");
	while (d->half_open.count >= DATAGRAM_HALF_OPEN_MAX || (d->half_open.count > 0 && d->half_open.count >= sessions_max(d)))
		session_fail(d->half_open.idlest, "there are too many handshakes");
}

static struct session *session_new(struct dtls *d, const struct sockaddr_in *a, const char *wanted)
{
	struct session *s = calloc(1, sizeof *s), **bucket = &d->by_address[bucket_of(a)];
	const struct tls_session_options o = {.server = wanted == NULL, .datagram = true, .expected = wanted, .push = on_push, .pull = on_pull,
		.readable = on_readable, .wake = on_wake, .ctx = s};

	if (!s)
		abort();
	make_room(d, a);
	s->tls = tls_session_new(d->credentials.tls, &o);
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
	s->next_id = d->by_id[s->id % BUCKETS];
	d->by_id[s->id % BUCKETS] = s;
	put_first(s);
	tls_session_mtu(s->tls, HANDSHAKE_MTU);
	return s;
}

/* ---- handshake ---- */

static void established(struct session *s)
{
	struct dtls *d = s->dtls;

	tls_life_trouble(s->tls);
	take_out(s);
	s->open = true;
	put_first(s);
	if (d->open.count > sessions_max(d))
		session_fail(d->open.idlest, "there are too many sessions");
	tls_session_mtu(s->tls, RECORD_MTU);
	arm(s);
	for (struct pending *p = s->first; p; p = p->next)
		tls_session_write(s->tls, p->octets.octets, p->octets.len);
	pending_free(s);
}

static void tell_refusal(struct session *s)
{
	char address[ADDRESS_TEXT_MAX];

	tls_session_give_up(s->tls);
	address_print(&s->address, address);
	tls_life_refused(s->tls, !s->client, address);
}

static void refused(struct session *s)
{
	char why[160];

	tell_refusal(s);
	snprintf(why, sizeof why, "%s", tls_session_why(s->tls));
	session_fail(s, why);
}

static void handshake(struct session *s)
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
	struct session *s;
	uint64_t id;

	if (!tls_cookie_check(d->cookies, from, sizeof *from, datagram, on_cookie_push, &reply, &prestate))
		return;
	s = by_address(d, from);
	if (s && s->open)
		session_fail(s, "the peer began anew");
	else if (s) /* who has a wrong key tries again and again, and learns nothing: here it can be learnt */
		refused(s);
	s = session_new(d, from, NULL);
	if (!s)
		return;
	id = s->id;
	s->hello = hello;
	tls_session_accept(s->tls, &prestate);
	s->in = datagram;
	handshake(s);
	s = by_id(d, id);
	if (s)
		s->in = rd_of(NULL, 0);
}

static void receive(struct session *s)
{
	struct dtls *d = s->dtls;
	struct datagram_peer peer = peer_of(s);
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
			session_fail(s, n == 0 ? "the peer ended the session" : "the session broke");
			return;
		}
		if (!tls_life_lasts(tls_session_peer(s->tls)->expires_at)) {
			session_fail(s, "the peer's credential expired");
			return;
		}
		d->port->events.input(d->port->ctx, &peer, rd_of(octets, (size_t)n));
		if (by_id(d, peer.session) != s)
			return;
	}
}

void dtls_input(struct dtls *d, const struct sockaddr_in *from, struct rd datagram)
{
	struct session *s = by_address(d, from);
	uint64_t id, hello;

	/* what is half open goes on when its own hello comes again, and ends when the peer, started anew, says another */
	if (is_client_hello(datagram, &hello) && (!s || (!s->client && (s->open || s->hello != hello)))) {
		if (!d->credentials.client_only)
			greet(d, from, datagram, hello);
		return;
	}
	if (!s || datagram.left == 0)
		return;
	use(s);
	id = s->id;
	s->in = datagram;
	if (!s->open)
		handshake(s);
	s = by_id(d, id);
	if (s && s->open)
		receive(s);
	s = by_id(d, id);
	if (s)
		s->in = rd_of(NULL, 0);
}

void dtls_unreachable(struct dtls *d, const struct sockaddr_in *address, const char *why)
{
	struct session *s = by_address(d, address);

	if (s && s->client) /* anybody can say so of a server's peers; who connects learns it soon enough anyway */
		session_fail(s, why);
}

/* ---- what leaves ---- */

void dtls_connect(struct dtls *d, const struct sockaddr_in *to, const char *identity, struct datagram_peer *peer)
{
	struct session *s = by_address(d, to);

	if (s && (!s->client || strcmp(s->wanted, identity) != 0)) {
		session_fail(s, "another identity is wanted at this address");
		s = NULL;
	}
	if (!s && (s = session_new(d, to, identity)) != NULL) {
		*peer = peer_of(s);
		tls_session_timeouts(s->tls);
		handshake(s);
		return;
	}
	*peer = s ? peer_of(s) : (struct datagram_peer){UINT64_MAX, ntohl(to->sin_addr.s_addr), ntohs(to->sin_port)};
}

void dtls_disconnect(struct dtls *d, uint64_t session)
{
	struct session *s = by_id(d, session);

	if (!s)
		return;
	if (!s->open)
		tell_refusal(s);
	session_free(s);
}

void dtls_send(struct dtls *d, uint64_t session, struct rd octets)
{
	struct session *s = by_id(d, session);
	struct pending *p;

	if (!s)
		return;
	use(s);
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

struct tls_session *dtls_session(const struct dtls *d, uint64_t session)
{
	const struct session *s = by_id(d, session);

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
		session_free(d->open.idlest);
	while (d->half_open.idlest)
		session_free(d->half_open.idlest);
	tls_cookie_key_free(d->cookies);
	tls_credentials_free(d->credentials.tls);
	free(d);
}
