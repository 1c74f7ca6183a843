/* One end of an association: its beginning and end, and octets. */
#include "tls/tls_session.h"

#include <errno.h>
#include <gnutls/dtls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/tls_private.h"

#define HELD_MAX (128 * 1024) /* what is read ahead: a record that is not whole, and what came with it */

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

/* ---- those of a server under pre-shared keys ---- */

void tls_session_list(struct tls_session *s, struct tls_session **list)
{
	s->next = *list;
	s->link = list;
	if (s->next)
		s->next->link = &s->next;
	*list = s;
}

void tls_session_unlist(struct tls_session *s)
{
	if (!s->link)
		return;
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	s->link = NULL;
}

/* By its Credential-ID, "12-IDENTITY". */
static bool stands(const struct tls_credentials *c, const struct tls_session *s)
{
	const char *identity = strchr(s->peer->credential, '-');

	return !identity || !c->psk_source.stands || c->psk_source.stands(c->psk_source.source, identity + 1, s->key_name);
}

void tls_credentials_recheck(struct tls_credentials *c)
{
	struct tls_session *over = NULL;

	for (struct tls_session *s = c->under_keys, *next; s; s = next) {
		next = s->next;
		if (stands(c, s))
			continue;
		tls_session_unlist(s);
		tls_session_list(s, &over);
	}
	while (over) { /* one may end others */
		struct tls_session *s = over;

		tls_session_unlist(s);
		s->over = true;
		s->o.wake(s->o.ctx);
	}
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
	tls_transport_set(s);
	if (o->server)
		gnutls_handshake_set_post_client_hello_function(s->tls, on_client_hello);
	else if (o->expected)
		send_sni(s, o->expected);
	return s;
}

/* ---- end ---- */

void tls_handshake_free(struct tls_session *s)
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
	tls_session_unlist(s);
	if (bye && s->step == TLS_OPEN)
		gnutls_bye(s->tls, GNUTLS_SHUT_WR);
	tls_handshake_free(s);
	if (s->tls)
		gnutls_deinit(s->tls);
	tls_credentials_free(s->credentials);
	free(s->peer);
	free(s);
}

/* ---- what it is ---- */

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
	ssize_t n;

	if (s->over) {
		tls_session_explain(s, "the pre-shared key is gone");
		return -EIO;
	}
	n = gnutls_record_recv(s->tls, octets, size);
	if (s->hs && (s->o.datagram ? s->hs->queued == 0 : s->hs->taken == s->hs->held.len))
		tls_handshake_free(s);
	if (n >= 0)
		return n;
	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_REHANDSHAKE || !gnutls_error_is_fatal((int)n))
		return -EAGAIN;
	tls_session_explain(s, n == GNUTLS_E_FATAL_ALERT_RECEIVED ? gnutls_alert_get_name(gnutls_alert_get(s->tls)) : gnutls_strerror((int)n));
	return n == GNUTLS_E_PREMATURE_TERMINATION ? 0 : -EIO;
}

ssize_t tls_session_write(struct tls_session *s, const void *octets, size_t len)
{
	ssize_t n = s->over ? GNUTLS_E_SESSION_EOF : gnutls_record_send(s->tls, octets, len);

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
