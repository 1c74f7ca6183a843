/* One end of an association: the handshake with its pauses, then octets. */
#include "tls/tls_session.h"

#include <errno.h>
#include <gnutls/dtls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/tls_private.h"

#define CHUNK 4096       /* of the first flights; more is read where there is more */
#define FLIGHT_MAX 8192  /* of a flight's records that leave together */
#define HELD_MAX (128 * 1024) /* what is read ahead: a record that is not whole, and what came with it */
#define DATAGRAM_MAX 65536

void tls_session_explain(struct tls_session *s, const char *why)
{
	if (s->why[0] == '\0')
		snprintf(s->why, sizeof s->why, "%s", why);
}

void tls_session_wake(struct tls_session *s)
{
	if (!s->busy)
		s->o.wake(s->o.ctx);
}

/* ---- what arrives before it is known who it is ---- */

static bool looks(const struct tls_session *s)
{
	return s->hs && s->hs->looks;
}

/* True: the identity that was found has to be asked for, and the answer comes later. */
static bool found(struct tls_session *s, enum tls_hello_found what)
{
	if (what == TLS_HELLO_END)
		s->hs->looks = false;
	if (what != TLS_HELLO_IDENTITY)
		return false;
	s->hs->paused = s->credentials->psk_ops->ask(s, s->hs->hello.identity);
	return s->hs->paused;
}

/* Moves `ready` over the records that GnuTLS may have. The one with an identity waits for its key. */
static void examine(struct tls_session *s)
{
	struct tls_handshake *hs = s->hs;

	while (looks(s) && !hs->paused) {
		struct rd in = rd_of(hs->held.octets + hs->ready, hs->held.len - hs->ready);
		size_t before = in.left;
		enum tls_hello_found what = tls_hello_record(&hs->hello, &in);

		if (what == TLS_HELLO_SHORT)
			return;
		if (found(s, what))
			hs->waiting = before - in.left;
		else
			hs->ready += before - in.left;
	}
	if (!looks(s))
		hs->ready = hs->held.len;
}

static ssize_t again(struct tls_session *s)
{
	gnutls_transport_set_errno(s->tls, EAGAIN);
	return -1;
}

static ssize_t pull_through(struct tls_session *s, void *octets, size_t size)
{
	ssize_t n = s->o.pull(s->o.ctx, octets, size);

	if (n < 0)
		gnutls_transport_set_errno(s->tls, errno);
	return n;
}

static ssize_t stream_pull(struct tls_session *s, void *octets, size_t size)
{
	struct tls_handshake *hs = s->hs;
	size_t n;

	if (hs && hs->taken == hs->ready && looks(s) && !hs->paused) {
		uint8_t *room;
		ssize_t got;

		if (hs->taken > 0) { /* all that was ready is GnuTLS's */
			memmove(hs->held.octets, hs->held.octets + hs->taken, hs->held.len - hs->taken);
			hs->held.len -= hs->taken;
			hs->ready = hs->taken = 0;
		}
		room = wr_room(&hs->held, CHUNK);
		if (!room)
			return again(s);
		got = s->o.pull(s->o.ctx, room, CHUNK);
		hs->held.len -= CHUNK - (size_t)(got > 0 ? got : 0);
		if (got <= 0) {
			if (got < 0)
				gnutls_transport_set_errno(s->tls, errno);
			return got;
		}
		examine(s);
	}
	if (!hs || (hs->taken == hs->held.len && !looks(s)))
		return pull_through(s, octets, size);
	n = hs->ready - hs->taken < size ? hs->ready - hs->taken : size;
	if (n == 0)
		return again(s);
	memcpy(octets, hs->held.octets + hs->taken, n);
	hs->taken += n;
	return (ssize_t)n;
}

/* ---- datagrams: they wait whole ---- */

static void enqueue(struct tls_handshake *hs, struct rd datagram)
{
	if (hs->queued == TLS_QUEUE_MAX)
		return;
	hs->queue[hs->queued] = wr_new(datagram.left + 1);
	wr_rd(&hs->queue[hs->queued++], datagram);
}

static ssize_t dequeue(struct tls_handshake *hs, void *octets, size_t size)
{
	size_t n = hs->queue[0].len < size ? hs->queue[0].len : size;

	if (n > 0)
		memcpy(octets, hs->queue[0].octets, n);
	wr_free(&hs->queue[0]);
	memmove(hs->queue, hs->queue + 1, --hs->queued * sizeof hs->queue[0]);
	return (ssize_t)n;
}

static ssize_t datagram_pull(struct tls_session *s, void *octets, size_t size)
{
	struct tls_handshake *hs = s->hs;
	enum tls_hello_found what;
	ssize_t n;

	if (hs && hs->queued > 0 && !hs->paused)
		return dequeue(hs, octets, size);
	n = pull_through(s, octets, size);
	if (n <= 0 || !looks(s))
		return n;
	if (!hs->paused) {
		struct rd in = rd_of(octets, (size_t)n);

		do
			what = tls_hello_record(&hs->hello, &in);
		while (what != TLS_HELLO_SHORT && !found(s, what) && in.left > 0 && looks(s));
	}
	if (!hs->paused)
		return n;
	enqueue(hs, rd_of(octets, (size_t)n));
	return again(s);
}

/* ---- GnuTLS's transport ---- */

static ssize_t on_pull(gnutls_transport_ptr_t ptr, void *octets, size_t size)
{
	struct tls_session *s = ptr;

	return s->o.datagram ? datagram_pull(s, octets, size) : stream_pull(s, octets, size);
}

static ssize_t on_push(gnutls_transport_ptr_t ptr, const void *octets, size_t len)
{
	struct tls_session *s = ptr;
	ssize_t n = s->o.push(s->o.ctx, octets, len);

	if (n < 0)
		gnutls_transport_set_errno(s->tls, errno);
	return n;
}

/* The records of a flight come one by one, and each would be a packet of its own, for which the other side wakes up. */
static ssize_t on_push_flight(gnutls_transport_ptr_t ptr, const giovec_t *parts, int count)
{
	uint8_t octets[FLIGHT_MAX];
	struct wr flight = wr_of(octets, sizeof octets);
	int fits = 0;

	for (; fits < count && parts[fits].iov_len <= sizeof octets - flight.len; fits++)
		wr_copy(&flight, parts[fits].iov_base, parts[fits].iov_len);
	return fits < 2 ? on_push(ptr, parts[0].iov_base, parts[0].iov_len) : on_push(ptr, octets, flight.len);
}

static int on_pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	struct tls_session *s = ptr;

	(void)ms;
	if (!s->o.datagram)
		return 1;
	return (s->hs && s->hs->queued > 0 && !s->hs->paused) || s->o.readable(s->o.ctx) ? 1 : 0;
}

/* ---- beginning ---- */

/* Addresses are no host names (RFC 6066 clause 3), but some clients send them. */
static bool is_host_name(const char *name)
{
	return name[strspn(name, "0123456789.")] != '\0' && !strchr(name, ':') && strcasecmp(name, "localhost") != 0;
}

/* RFC 6066: a server that is asked for a name that is not its own ends the handshake; TS-0003 clause 10.2 makes the extension mandatory, but hosts
 * that are addresses have none. */
static int on_client_hello(gnutls_session_t tls)
{
	const struct tls_session *s = gnutls_session_get_ptr(tls);
	char name[256];
	size_t len = sizeof name;
	unsigned type;

	if (!s->credentials->names || !s->credentials->names[0] || gnutls_server_name_get(tls, name, &len, &type, 0) != 0 || !is_host_name(name))
		return 0;
	for (char **own = s->credentials->names; *own; own++)
		if (strcasecmp(*own, name) == 0)
			return 0;
	return GNUTLS_E_UNRECOGNIZED_NAME;
}

/* The host of the name that is expected: a dNSName, or that of an AE-ID's URI. */
static void send_sni(struct tls_session *s, const char *expected)
{
	const char *host = strstr(expected, "://");

	if (strncmp(expected, "ni:", 3) == 0 || (!host && strchr(expected, ':')))
		return;
	host = host ? host + 3 : expected;
	if (host[0])
		gnutls_server_name_set(s->tls, GNUTLS_NAME_DNS, host, strcspn(host, "/:"));
}

static bool set_credentials(struct tls_session *s)
{
	struct tls_credentials *c = s->credentials;
	bool raw_wanted = s->o.expected && strncmp(s->o.expected, "ni:", 3) == 0;
	gnutls_priority_t priority;

	tls_own_refresh(c);
	priority = tls_priority(c, s->o.server, s->o.datagram, raw_wanted, s->o.only_12);
	if (!priority || gnutls_priority_set(s->tls, priority) != 0)
		return false;
	if (c->certificates)
		gnutls_credentials_set(s->tls, GNUTLS_CRD_CERTIFICATE, c->certificates);
	if (s->o.server && c->psk_server)
		gnutls_credentials_set(s->tls, GNUTLS_CRD_PSK, c->psk_server);
	if (!s->o.server && c->psk_client)
		gnutls_credentials_set(s->tls, GNUTLS_CRD_PSK, c->psk_client);
	if (s->o.server && c->certificates)
		gnutls_certificate_server_set_request(s->tls, c->guests ? GNUTLS_CERT_IGNORE : GNUTLS_CERT_REQUIRE);
	return true;
}

static void set_transport(struct tls_session *s)
{
	gnutls_transport_set_ptr(s->tls, s);
	if (s->o.datagram)
		gnutls_transport_set_push_function(s->tls, on_push);
	else
		gnutls_transport_set_vec_push_function(s->tls, on_push_flight);
	gnutls_transport_set_pull_function(s->tls, on_pull);
	gnutls_transport_set_pull_timeout_function(s->tls, on_pull_timeout);
}

struct tls_session *tls_session_new(struct tls_credentials *c, const struct tls_session_options *o)
{
	const unsigned flags = (o->server ? GNUTLS_SERVER : GNUTLS_CLIENT) | (o->datagram ? GNUTLS_DATAGRAM : 0U) | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
	    GNUTLS_ENABLE_RAWPK | GNUTLS_NO_TICKETS;
	struct tls_session *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->o = *o;
	s->credentials = tls_credentials_hold(c);
	s->hs = calloc(1, sizeof *s->hs);
	if (!s->hs || (o->expected && (s->hs->expected = strdup(o->expected)) == NULL))
		abort();
	s->hs->held = wr_new(HELD_MAX);
	s->hs->looks = o->server && c->psk_server != NULL;
	tls_hello_init(&s->hs->hello, o->datagram);
	if (gnutls_init(&s->tls, flags) != 0) {
		s->tls = NULL;
		tls_session_free(s, false);
		return NULL;
	}
	gnutls_session_set_ptr(s->tls, s);
	if (!set_credentials(s)) {
		tls_session_free(s, false);
		return NULL;
	}
	set_transport(s);
	if (o->server)
		gnutls_handshake_set_post_client_hello_function(s->tls, on_client_hello);
	else if (o->expected)
		send_sni(s, o->expected);
	return s;
}

/* ---- end ---- */

static void handshake_free(struct tls_session *s)
{
	struct tls_handshake *hs = s->hs;

	if (!hs)
		return;
	if (s->credentials->psk_ops)
		s->credentials->psk_ops->forget(s);
	tls_ocsp_forget(s);
	tls_hello_clear(&hs->hello);
	wr_free(&hs->held);
	while (hs->queued > 0)
		wr_free(&hs->queue[--hs->queued]);
	free(hs->expected);
	free(hs);
	s->hs = NULL;
}

void tls_session_free(struct tls_session *s, bool bye)
{
	if (!s)
		return;
	if (bye && s->step == TLS_OPEN)
		gnutls_bye(s->tls, GNUTLS_SHUT_WR);
	handshake_free(s);
	if (s->tls)
		gnutls_deinit(s->tls);
	tls_credentials_free(s->credentials);
	free(s->peer);
	free(s);
}

/* ---- the handshake ---- */

static enum tls_step fail(struct tls_session *s, int code, gnutls_alert_description_t alert)
{
	if (alert != GNUTLS_A_CLOSE_NOTIFY)
		gnutls_alert_send(s->tls, GNUTLS_AL_FATAL, alert);
	else
		gnutls_alert_send_appropriate(s->tls, code); /* so that the other side need not wait for nothing */
	s->step = TLS_FAILED;
	return s->step;
}

/* What an error of GnuTLS means here. A key that does not fit shows itself in different ways. */
static const char *meaning(struct tls_session *s, int code)
{
	static char text[128];

	switch (s->hs->psk.state) {
	case TLS_PSK_UNKNOWN:
		return "the PSK identity is unknown";
	case TLS_PSK_EXPIRED:
		return "the pre-shared key expired";
	case TLS_PSK_KNOWN:
		if (code == GNUTLS_E_DECRYPTION_FAILED || code == GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER || code == GNUTLS_E_TIMEDOUT || code == GNUTLS_E_FATAL_ALERT_RECEIVED)
			return "the pre-shared key is wrong";
		break;
	case TLS_PSK_UNASKED:
	case TLS_PSK_ASKED:
		break;
	}
	if (code == GNUTLS_E_FATAL_ALERT_RECEIVED || code == GNUTLS_E_WARNING_ALERT_RECEIVED) {
		snprintf(text, sizeof text, "the other side refused: %s", gnutls_alert_get_name(gnutls_alert_get(s->tls)));
		return text;
	}
	if (code == GNUTLS_E_TIMEDOUT && s->o.datagram && !s->o.server && s->credentials->psk_client)
		return "the handshake took too long: over DTLS a wrong pre-shared key meets silence";
	if (code == GNUTLS_E_TIMEDOUT)
		return "the handshake took too long";
	if (code == GNUTLS_E_UNSUPPORTED_VERSION_PACKET)
		return "the other side has no version of TLS that is permitted";
	if (code == GNUTLS_E_NO_CIPHER_SUITES || code == GNUTLS_E_INSUFFICIENT_CREDENTIALS)
		return "there is no cipher suite in common that is permitted";
	if (code == GNUTLS_E_UNRECOGNIZED_NAME)
		return "the other side asked for another server";
	if (code == GNUTLS_E_NO_CERTIFICATE_FOUND || code == GNUTLS_E_CERTIFICATE_REQUIRED)
		return "the other side has no certificate";
	return gnutls_strerror(code);
}

static enum tls_step verify(struct tls_session *s)
{
	gnutls_alert_description_t alert;

	if (!s->peer && (s->peer = calloc(1, sizeof *s->peer)) == NULL)
		abort();
	switch (tls_verify(s, &alert)) {
	case TLS_GOOD:
		break;
	case TLS_WAIT:
		return TLS_PAUSED;
	case TLS_BAD:
		return fail(s, 0, alert);
	}
	s->why[0] = '\0';
	s->step = TLS_OPEN;
	if (s->o.datagram ? s->hs->queued == 0 : s->hs->taken == s->hs->held.len)
		handshake_free(s);
	else
		s->hs->looks = false;
	return s->step;
}

/* The answer for the record that waited is there. */
static void resume(struct tls_session *s)
{
	struct tls_handshake *hs = s->hs;

	if (!hs->paused || hs->psk.state == TLS_PSK_ASKED)
		return;
	hs->paused = false;
	if (!s->o.datagram) {
		hs->ready += hs->waiting;
		examine(s);
	}
}

static enum tls_step shake(struct tls_session *s)
{
	int r;

	do
		r = gnutls_handshake(s->tls);
	while (r == GNUTLS_E_WARNING_ALERT_RECEIVED || r == GNUTLS_E_INTERRUPTED ||
	    (r < 0 && r != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(r) && s->o.datagram && s->o.readable(s->o.ctx)));
	if (r == 0) {
		s->hs->shaken = true;
		return verify(s);
	}
	if (gnutls_error_is_fatal(r)) {
		tls_session_explain(s, meaning(s, r));
		return fail(s, r, GNUTLS_A_CLOSE_NOTIFY);
	}
	return s->hs->paused ? TLS_PAUSED : TLS_MORE;
}

/* While a key is asked for, datagrams go on to arrive. */
static void collect(struct tls_session *s)
{
	uint8_t octets[4096];

	while (s->o.datagram && s->o.readable(s->o.ctx)) {
		ssize_t n = s->o.pull(s->o.ctx, octets, sizeof octets);

		if (n > 0)
			enqueue(s->hs, rd_of(octets, (size_t)n));
	}
}

enum tls_step tls_session_handshake(struct tls_session *s)
{
	enum tls_step step;

	if (s->step == TLS_OPEN || s->step == TLS_FAILED)
		return s->step;
	resume(s);
	if (s->hs->paused) {
		collect(s);
		return TLS_PAUSED;
	}
	s->busy = true;
	step = s->hs->shaken ? verify(s) : shake(s);
	s->busy = false;
	return step;
}

void tls_session_give_up(struct tls_session *s)
{
	if (s->step != TLS_OPEN && s->step != TLS_FAILED && s->hs)
		tls_session_explain(s, meaning(s, GNUTLS_E_TIMEDOUT));
}

bool tls_session_writes(const struct tls_session *s)
{
	return s->step == TLS_MORE && gnutls_record_get_direction(s->tls) == 1;
}

bool tls_session_holds(const struct tls_session *s)
{
	return gnutls_record_check_pending(s->tls) > 0 || (s->hs && (s->hs->queued > 0 || s->hs->taken < s->hs->held.len));
}

const char *tls_session_why(const struct tls_session *s)
{
	return s->why;
}

const struct tls_peer *tls_session_peer(const struct tls_session *s)
{
	return s->step == TLS_OPEN ? s->peer : NULL;
}

const char *tls_session_credential(const struct tls_session *s)
{
	if (s->hs && s->hs->psk.identity[0])
		return s->hs->psk.identity;
	return s->peer ? s->peer->identity : "";
}

/* ---- octets ---- */

ssize_t tls_session_read(struct tls_session *s, void *octets, size_t size)
{
	ssize_t n = gnutls_record_recv(s->tls, octets, size);

	if (s->hs && (s->o.datagram ? s->hs->queued == 0 : s->hs->taken == s->hs->held.len))
		handshake_free(s);
	if (n >= 0)
		return n;
	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_REHANDSHAKE || !gnutls_error_is_fatal((int)n))
		return -EAGAIN;
	tls_session_explain(s, n == GNUTLS_E_FATAL_ALERT_RECEIVED ? gnutls_alert_get_name(gnutls_alert_get(s->tls)) : gnutls_strerror((int)n));
	return n == GNUTLS_E_PREMATURE_TERMINATION ? 0 : -EIO;
}

ssize_t tls_session_write(struct tls_session *s, const void *octets, size_t len)
{
	ssize_t n = gnutls_record_send(s->tls, octets, len);

	if (n >= 0)
		return n;
	return n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED ? -EAGAIN : -EIO;
}

const char *tls_session_suite(const struct tls_session *s)
{
	static char text[128];
	char *suite = gnutls_session_get_desc(s->tls);

	snprintf(text, sizeof text, "%s", suite ? suite : "");
	gnutls_free(suite);
	return text;
}
