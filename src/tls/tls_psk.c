/* Pre-shared keys that are secrets: a server's, asked of a source while the handshake waits, and a client's. */
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keys/sealed.h"
#include "keys/secret_octets.h"
#include "tls/tls_private.h"

#define RANDOM_KEY 32

/* ---- a server's ---- */

static void take_answer(struct tls_psk *p, struct psk_answer *a)
{
	p->handle = NULL;
	p->state = TLS_PSK_UNKNOWN;
	if (!a)
		return;
	p->expires_at = a->expires_at;
	if (a->expires_at && a->expires_at <= (uint64_t)time(NULL)) {
		p->state = TLS_PSK_EXPIRED;
		secret_free(a->key);
		return;
	}
	p->key = a->key;
	secret_name(p->key, p->key_name);
	p->state = TLS_PSK_KNOWN;
	memcpy(p->entity, a->entity, sizeof p->entity);
	if (a->credential[0])
		memcpy(p->credential, a->credential, sizeof p->credential);
	else
		snprintf(p->credential, sizeof p->credential, "12-%.*s", CREDENTIAL_ID_MAX - 4, p->identity);
}

static void on_answer(void *ctx, struct psk_answer *a)
{
	struct tls_session *s = ctx;

	take_answer(&s->hs->psk, a);
	if (!s->hs->psk.finding)
		tls_session_wake(s);
}

static void forget(struct tls_session *s)
{
	struct tls_psk *p = &s->hs->psk;

	if (p->handle)
		s->credentials->psk_source.cancel(s->credentials->psk_source.source, p->handle);
	secret_free(p->key);
	p->key = NULL;
	p->handle = NULL;
}

static bool ask(struct tls_session *s, const char *identity)
{
	struct tls_psk *p = &s->hs->psk;
	const struct psk_source *source = &s->credentials->psk_source;
	void *handle;

	if (p->state != TLS_PSK_UNASKED) /* the second ClientHello of TLS 1.3: one identity a handshake */
		return false;
	snprintf(p->identity, sizeof p->identity, "%s", identity);
	if (!identity[0]) {
		p->state = TLS_PSK_UNKNOWN;
		return false;
	}
	p->state = TLS_PSK_ASKED;
	p->finding = true;
	handle = source->find(source->source, p->identity, on_answer, s);
	p->finding = false;
	if (p->state != TLS_PSK_ASKED)
		return false;
	p->handle = handle;
	return true;
}

static const struct tls_psk_ops ops = {ask, forget};

/* GnuTLS frees and wipes what it gets. */
static int give(gnutls_datum_t *key, const uint8_t *octets, size_t len)
{
	key->data = gnutls_malloc(len);
	if (!key->data)
		return -1;
	if (octets)
		memcpy(key->data, octets, len);
	else if (gnutls_rnd(GNUTLS_RND_KEY, key->data, len) != 0)
		return -1;
	key->size = (unsigned)len;
	return 0;
}

/* Who has no key here gets as far as who has a wrong one. */
static int on_psk(gnutls_session_t tls, const gnutls_datum_t *identity, gnutls_datum_t *key)
{
	const struct tls_session *s = gnutls_session_get_ptr(tls);
	const struct tls_psk *p = &s->hs->psk;
	bool known = p->state == TLS_PSK_KNOWN && rd_is(rd_of(identity->data, identity->size), p->identity);

	return known ? give(key, secret_octets(p->key), secret_len(p->key)) : give(key, NULL, RANDOM_KEY);
}

enum err tls_credentials_psk_source(struct tls_credentials *c, const struct psk_source *source)
{
	if (c->psk_server || gnutls_psk_allocate_server_credentials(&c->psk_server) != 0)
		return ERR_TLS;
	gnutls_psk_set_server_credentials_function2(c->psk_server, on_psk);
	c->psk_source = *source;
	c->psk_ops = &ops;
	return OK;
}

/* ---- a client's ---- */

enum err tls_credentials_psk(struct tls_credentials *c, const char *identity, const struct secret *key)
{
	/* GnuTLS copies it, and takes no const */
	const gnutls_datum_t k = {(unsigned char *)(uintptr_t)secret_octets(key), (unsigned)secret_len(key)};

	if (c->psk_client)
		return ERR_STATE;
	c->psk_identity = strdup(identity);
	if (!c->psk_identity || gnutls_psk_allocate_client_credentials(&c->psk_client) != 0)
		return ERR_NO_MEMORY;
	return gnutls_psk_set_client_credentials(c->psk_client, identity, &k, GNUTLS_PSK_KEY_RAW) == 0 ? OK : ERR_TLS;
}
