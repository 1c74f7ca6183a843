/* The handshake with its pauses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/tls_private.h"

#define UNOPENED_MOST 2 /* Finished messages */

static enum tls_step fail(struct tls_session *s, int code, gnutls_alert_description_t alert)
{
	if (alert != GNUTLS_A_CLOSE_NOTIFY)
		gnutls_alert_send(s->tls, GNUTLS_AL_FATAL, alert);
	else
		gnutls_alert_send_appropriate(s->tls, code); /* so that the other side need not wait for nothing */
	s->step = TLS_FAILED;
	return s->step;
}

/* The ways in which a server says that a pre-shared key does not fit: RFC 4279 clause 2, RFC 8446 clause 4.2.11, and what libraries say instead. */
static bool is_about_key(gnutls_alert_description_t alert)
{
	return alert == GNUTLS_A_DECRYPT_ERROR || alert == GNUTLS_A_UNKNOWN_PSK_IDENTITY || alert == GNUTLS_A_BAD_RECORD_MAC || alert == GNUTLS_A_ILLEGAL_PARAMETER;
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
	if (code == GNUTLS_E_FATAL_ALERT_RECEIVED && !s->o.server && s->credentials->psk_client && is_about_key(gnutls_alert_get(s->tls)))
		return "the other side refused: the pre-shared key is wrong, or unknown there";
	if (code == GNUTLS_E_FATAL_ALERT_RECEIVED || code == GNUTLS_E_WARNING_ALERT_RECEIVED) {
		snprintf(text, sizeof text, "the other side refused: %s", gnutls_alert_get_name(gnutls_alert_get(s->tls)));
		return text;
	}
	if (code == GNUTLS_E_TIMEDOUT && s->o.datagram && !s->o.server && s->credentials->psk_client)
		return "the handshake took too long: over DTLS a wrong pre-shared key may meet silence";
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
	if (s->o.server && s->peer->method == TLS_METHOD_PSK)
		tls_session_list(s, &s->credentials->under_keys);
	if (s->o.datagram ? s->hs->queued == 0 : s->hs->taken == s->hs->held.len)
		tls_handshake_free(s);
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
		tls_transport_examine(s);
	}
}

/* A Finished of a client whose pre-shared key is not ours cannot be opened, and DTLS drops such records in silence (RFC 6347 clause 4.1.2.7), so that
 * nobody who forges one ends a session. The client then tries for half a minute. But during the handshake it comes again, after its first time-out: a
 * second one that does not open, in the place where it has to, is a wrong key, and the client is told so as RFC 4279 clause 2 would have it. An unknown
 * identity looks the same. Who forges both can as well forge the alert: nothing at this point of a handshake is authenticated yet. */
static bool key_is_wrong(struct tls_session *s)
{
	struct tls_handshake *hs = s->hs;

	if (hs->sealed == 0 || hs->psk.state == TLS_PSK_UNASKED || !tls_transport_reads_sealed(s))
		return false;
	return ++hs->unopened >= UNOPENED_MOST;
}

static enum tls_step shake(struct tls_session *s)
{
	int r;

	s->hs->sealed = 0;
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
	if (key_is_wrong(s)) {
		tls_session_explain(s, meaning(s, GNUTLS_E_DECRYPTION_FAILED));
		return fail(s, 0, GNUTLS_A_DECRYPT_ERROR);
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
			tls_transport_enqueue(s->hs, rd_of(octets, (size_t)n));
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
