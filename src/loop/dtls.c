/* DTLS 1.2 sessions over one UDP socket: GnuTLS, driven by what arrives and by a timer each. */
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/dtls.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/wr.h"
#include "loop/datagram_private.h"
#include "loop/tls_private.h"

#define BUCKETS 256
#define PEER_MAX 256
#define HANDSHAKE_RETRANSMISSION_MS 1000
#define HANDSHAKE_MS 30000
#define HANDSHAKE_MTU 1200
#define RECORD_MTU 16384 /* CoAP keeps its messages small by itself */

struct pending {
	struct pending *next;
	struct wr octets;
};

struct session {
	struct dtls *dtls;
	struct session *next;    /* in its bucket */
	struct session *idler, *busier; /* by last use */
	uint64_t id, used;
	struct sockaddr_in address;
	gnutls_session_t tls;
	bool client, open;
	char *wanted;            /* identity, of a client */
	char peer[PEER_MAX];
	struct loop_timer *timer;
	struct rd in;            /* the datagram that GnuTLS may read; `at` NULL: none */
	struct pending *first, **last;
	size_t pending_count;
};

struct dtls {
	struct datagram_port *port;
	struct datagram_credentials credentials;
	gnutls_datum_t cookie_key;
	struct session *buckets[BUCKETS];
	struct session *idlest, *busiest;
	size_t count;
	uint64_t next_id;
};

/* ---- the list ---- */

static size_t bucket_of(const struct sockaddr_in *a)
{
	return (ntohl(a->sin_addr.s_addr) * 31U + ntohs(a->sin_port) * 2654435761U) % BUCKETS;
}

static struct session *by_address(struct dtls *d, const struct sockaddr_in *a)
{
	struct session *s = d->buckets[bucket_of(a)];

	while (s && (s->address.sin_addr.s_addr != a->sin_addr.s_addr || s->address.sin_port != a->sin_port))
		s = s->next;
	return s;
}

static struct session *by_id(const struct dtls *d, uint64_t id)
{
	struct session *s = d->busiest;

	while (s && s->id != id)
		s = s->idler;
	return s;
}

static void put_first(struct session *s)
{
	struct dtls *d = s->dtls;

	s->idler = d->busiest;
	s->busier = NULL;
	if (d->busiest)
		d->busiest->busier = s;
	else
		d->idlest = s;
	d->busiest = s;
	s->used = clock_ms();
}

static void take_out(struct session *s)
{
	struct dtls *d = s->dtls;

	if (s->idler)
		s->idler->busier = s->busier;
	else
		d->idlest = s->busier;
	if (s->busier)
		s->busier->idler = s->idler;
	else
		d->busiest = s->idler;
}

static void use(struct session *s)
{
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
	struct session **link = &s->dtls->buckets[bucket_of(&s->address)];

	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	take_out(s);
	s->dtls->count--;
	if (s->open)
		gnutls_bye(s->tls, GNUTLS_SHUT_WR);
	gnutls_deinit(s->tls);
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

/* ---- GnuTLS's transport ---- */

static ssize_t on_push(gnutls_transport_ptr_t ptr, const void *octets, size_t len)
{
	struct session *s = ptr;

	datagram_write(s->dtls->port, &s->address, rd_of(octets, len));
	return (ssize_t)len;
}

static ssize_t on_pull(gnutls_transport_ptr_t ptr, void *octets, size_t size)
{
	struct session *s = ptr;
	struct rd in = s->in;
	size_t n = in.left < size ? in.left : size;

	if (!in.at) {
		gnutls_transport_set_errno(s->tls, EAGAIN);
		return -1;
	}
	s->in = rd_of(NULL, 0);
	if (n > 0)
		memcpy(octets, in.at, n);
	return (ssize_t)n;
}

static int on_pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	const struct session *s = ptr;

	(void)ms;
	return s->in.at ? 1 : 0;
}

static void handshake(struct session *s);

static void on_time(void *ctx)
{
	struct session *s = ctx;

	if (!s->open)
		handshake(s);
	else if (clock_ms() - s->used >= DATAGRAM_SESSION_IDLE_MS)
		session_fail(s, "the session was idle");
	else
		loop_timer_at(s->timer, s->used + DATAGRAM_SESSION_IDLE_MS);
}

static struct session *session_new(struct dtls *d, const struct sockaddr_in *a, const char *wanted)
{
	struct session *s = calloc(1, sizeof *s), **bucket = &d->buckets[bucket_of(a)];

	if (!s)
		abort();
	while (d->count >= DATAGRAM_SESSIONS_MAX)
		session_fail(d->idlest, "there are too many sessions");
	s->tls = tls_datagram_session_new(d->credentials.certificates, d->credentials.psk, wanted == NULL);
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
	put_first(s);
	d->count++;
	gnutls_transport_set_ptr(s->tls, s);
	gnutls_transport_set_push_function(s->tls, on_push);
	gnutls_transport_set_pull_function(s->tls, on_pull);
	gnutls_transport_set_pull_timeout_function(s->tls, on_pull_timeout);
	gnutls_dtls_set_timeouts(s->tls, HANDSHAKE_RETRANSMISSION_MS, HANDSHAKE_MS);
	gnutls_dtls_set_mtu(s->tls, HANDSHAKE_MTU);
	return s;
}

/* ---- handshake ---- */

/* Who it is; "" is nobody. A server takes certificates of our CA and PSK identities, a client the one identity that it wants. */
static bool peer_is_good(struct session *s)
{
	const char *name;

	if (s->client)
		return tls_chain_is_good(s->tls) && s->wanted[0] && tls_peer_is(s->tls, s->wanted) && tls_peer_identity(s->tls, s->peer, sizeof s->peer);
	if (gnutls_auth_get_type(s->tls) == GNUTLS_CRD_CERTIFICATE)
		return tls_chain_is_good(s->tls) && tls_peer_identity(s->tls, s->peer, sizeof s->peer);
	name = gnutls_psk_server_get_username(s->tls);
	return name && name[0] && rd_text(rd_str(name), s->peer, sizeof s->peer);
}

static void established(struct session *s)
{
	if (!peer_is_good(s)) {
		gnutls_alert_send(s->tls, GNUTLS_AL_FATAL, GNUTLS_A_BAD_CERTIFICATE);
		session_fail(s, "the peer has not the identity that is wanted");
		return;
	}
	s->open = true;
	gnutls_dtls_set_mtu(s->tls, RECORD_MTU);
	loop_timer_in(s->timer, DATAGRAM_SESSION_IDLE_MS);
	for (struct pending *p = s->first; p; p = p->next)
		gnutls_record_send(s->tls, p->octets.octets, p->octets.len);
	pending_free(s);
}

static void handshake(struct session *s)
{
	int r;

	do
		r = gnutls_handshake(s->tls);
	while (r == GNUTLS_E_WARNING_ALERT_RECEIVED || (r < 0 && r != GNUTLS_E_AGAIN && r != GNUTLS_E_INTERRUPTED && !gnutls_error_is_fatal(r) && s->in.at));
	if (r == 0) {
		established(s);
	} else if (gnutls_error_is_fatal(r)) {
		gnutls_alert_send_appropriate(s->tls, r); /* so that the other side need not wait for nothing */
		session_fail(s, gnutls_strerror(r));
	} else {
		loop_timer_in(s->timer, gnutls_dtls_get_timeout(s->tls) + 1);
	}
}

/* ---- what arrives ---- */

struct cookie_reply {
	struct datagram_port *port;
	const struct sockaddr_in *to;
};

static ssize_t on_cookie_push(gnutls_transport_ptr_t ptr, const void *octets, size_t len)
{
	const struct cookie_reply *r = ptr;

	datagram_write(r->port, r->to, rd_of(octets, len));
	return (ssize_t)len;
}

/* type(1) version(2) epoch(2) ...: a handshake record of epoch 0 whose message is ClientHello. */
static bool is_client_hello(struct rd r)
{
	uint8_t type, message;
	uint16_t epoch;

	return rd_u8(&r, &type) && type == 22 && rd_skip(&r, 2) && rd_be16(&r, &epoch) && epoch == 0 && rd_skip(&r, 8) && rd_u8(&r, &message) && message == 1;
}

/* Somebody begins: an address that shows the cookie gets a session, and loses the one that it had (RFC 6347 section 4.2.8). */
static void greet(struct dtls *d, const struct sockaddr_in *from, struct rd datagram)
{
	struct cookie_reply reply = {d->port, from};
	gnutls_dtls_prestate_st prestate = {0};
	struct sockaddr_in address = *from;
	uint8_t octets[2048];
	struct session *s;

	if (datagram.left > sizeof octets || !rd_copy(&(struct rd){datagram.at, datagram.left}, octets, datagram.left))
		return;
	if (gnutls_dtls_cookie_verify(&d->cookie_key, &address, sizeof address, octets, datagram.left, &prestate) < 0) {
		gnutls_dtls_cookie_send(&d->cookie_key, &address, sizeof address, &prestate, &reply, on_cookie_push);
		return;
	}
	s = by_address(d, from);
	if (s)
		session_fail(s, "the peer began anew");
	s = session_new(d, from, NULL);
	if (!s)
		return;
	gnutls_dtls_prestate_set(s->tls, &prestate);
	s->in = datagram;
	handshake(s);
}

static void receive(struct session *s)
{
	struct dtls *d = s->dtls;
	struct datagram_peer peer = peer_of(s);
	uint8_t octets[RECORD_MTU];

	for (;;) {
		ssize_t n = gnutls_record_recv(s->tls, octets, sizeof octets);

		if (n == GNUTLS_E_AGAIN)
			return;
		if (n == 0 || (n < 0 && gnutls_error_is_fatal((int)n))) {
			session_fail(s, n == 0 ? "the peer ended the session" : gnutls_strerror((int)n));
			return;
		}
		if (n < 0)
			continue;
		d->port->events.input(d->port->ctx, &peer, rd_of(octets, (size_t)n));
		if (by_id(d, peer.session) != s)
			return;
	}
}

void dtls_input(struct dtls *d, const struct sockaddr_in *from, struct rd datagram)
{
	struct session *s = by_address(d, from);

	if (is_client_hello(datagram) && (!s || (s->open && !s->client))) {
		if (!d->credentials.client_only)
			greet(d, from, datagram);
		return;
	}
	if (!s || datagram.left == 0)
		return;
	use(s);
	s->in = datagram;
	if (s->open) {
		receive(s);
		return;
	}
	handshake(s);
	s = by_address(d, from);
	if (s && s->open && s->in.at)
		receive(s);
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
		handshake(s);
		return;
	}
	*peer = s ? peer_of(s) : (struct datagram_peer){UINT64_MAX, ntohl(to->sin_addr.s_addr), ntohs(to->sin_port)};
}

void dtls_disconnect(struct dtls *d, uint64_t session)
{
	struct session *s = by_id(d, session);

	if (s)
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
		gnutls_record_send(s->tls, octets.at, octets.left); /* what is lost is sent again by who wants it to arrive */
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

const char *dtls_identity(const struct dtls *d, uint64_t session)
{
	const struct session *s = by_id(d, session);

	return s ? s->peer : "";
}

/* ---- life ---- */

struct dtls *dtls_new(struct datagram_port *p, const struct datagram_credentials *c)
{
	struct dtls *d = calloc(1, sizeof *d);
	gnutls_session_t probe = tls_datagram_session_new(c->certificates, c->psk, true);

	if (!d || !probe || gnutls_key_generate(&d->cookie_key, GNUTLS_COOKIE_KEY_SIZE) != 0) {
		free(d);
		d = NULL;
	} else {
		d->port = p;
		d->credentials = *c;
	}
	if (probe)
		gnutls_deinit(probe);
	return d;
}

void dtls_free(struct dtls *d)
{
	if (!d)
		return;
	while (d->idlest)
		session_free(d->idlest);
	gnutls_memset(d->cookie_key.data, 0, d->cookie_key.size);
	gnutls_free(d->cookie_key.data);
	free(d);
}
