/* The status of a peer's certificate by OCSP, RFC 6960: from the answer that came with it (status_request), from an answer that is still good, or asked. */
#include <gnutls/crypto.h>
#include <gnutls/ocsp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tls/tls_private.h"

#define ANSWERS 256          /* that are kept; a newer one takes the place of one that falls on it */
#define ANSWER_LIFE_S 3600   /* at most, whatever the responder says */
#define ANSWER_BRIEF_S 10    /* when it does not say: it is about now, and newer information is always there */
#define CLOCK_SLACK_S 300
#define DIGEST 32
#define RESPONSE_MAX 65536

struct answer {
	uint8_t leaf[DIGEST];
	time_t until;
	bool revoked;
};

struct tls_ocsp_memory {
	struct answer answers[ANSWERS];
};

void tls_ocsp_memory_free(struct tls_ocsp_memory *m)
{
	free(m);
}

/* ---- memory ---- */

static bool digest_of(gnutls_x509_crt_t leaf, uint8_t digest[static DIGEST])
{
	size_t len = DIGEST;

	return gnutls_x509_crt_get_fingerprint(leaf, GNUTLS_DIG_SHA256, digest, &len) == 0;
}

static struct answer *place_of(struct tls_credentials *c, const uint8_t digest[static DIGEST])
{
	if (!c->ocsp_memory)
		c->ocsp_memory = calloc(1, sizeof *c->ocsp_memory);
	return c->ocsp_memory ? &c->ocsp_memory->answers[digest[0]] : NULL;
}

/* ---- what a response says ---- */

enum status { STATUS_NONE, STATUS_GOOD, STATUS_REVOKED };

/* The signer is the issuer, or one whom it lets sign responses (clause 4.2.2.2). */
static bool is_genuine(struct tls_session *s, gnutls_ocsp_resp_t r)
{
	unsigned trusted = ~0U, direct = ~0U;

	return (gnutls_ocsp_resp_verify_direct(r, s->hs->issuer, &direct, 0) == 0 && direct == 0) ||
	    (gnutls_ocsp_resp_verify(r, s->credentials->trust, &trusted, 0) == 0 && trusted == 0);
}

static enum status status_of(struct tls_session *s, struct rd der, time_t *until)
{
	const gnutls_datum_t octets = {(unsigned char *)(uintptr_t)der.at, (unsigned)der.left};
	time_t now = time(NULL), from, next;
	enum status status = STATUS_NONE;
	gnutls_ocsp_resp_t r;
	unsigned cert_status;

	if (der.left == 0 || gnutls_ocsp_resp_init(&r) != 0)
		return STATUS_NONE;
	if (gnutls_ocsp_resp_import2(r, &octets, GNUTLS_X509_FMT_DER) == 0 && gnutls_ocsp_resp_get_status(r) == GNUTLS_OCSP_RESP_SUCCESSFUL && is_genuine(s, r) &&
	    gnutls_ocsp_resp_check_crt(r, 0, s->hs->leaf) == 0 &&
	    gnutls_ocsp_resp_get_single(r, 0, NULL, NULL, NULL, NULL, &cert_status, &from, &next, NULL, NULL) == 0) {
		if (next == (time_t)-1)
			next = from + CLOCK_SLACK_S;
		*until = next - CLOCK_SLACK_S <= now ? now + ANSWER_BRIEF_S : next < now + ANSWER_LIFE_S ? next : now + ANSWER_LIFE_S;
		if (from <= now + CLOCK_SLACK_S && next >= now)
			status = cert_status == GNUTLS_OCSP_CERT_GOOD ? STATUS_GOOD : cert_status == GNUTLS_OCSP_CERT_REVOKED ? STATUS_REVOKED : STATUS_NONE;
	}
	gnutls_ocsp_resp_deinit(r);
	return status;
}

static enum tls_verdict verdict(struct tls_session *s, bool revoked)
{
	if (!revoked)
		return TLS_GOOD;
	tls_session_explain(s, "the certificate is revoked (OCSP)");
	return TLS_BAD;
}

static enum tls_verdict keep(struct tls_session *s, enum status status, time_t until)
{
	uint8_t digest[DIGEST];
	struct answer *a;

	if (digest_of(s->hs->leaf, digest) && (a = place_of(s->credentials, digest)) != NULL) {
		memcpy(a->leaf, digest, sizeof a->leaf);
		a->until = until;
		a->revoked = status == STATUS_REVOKED;
	}
	return verdict(s, status == STATUS_REVOKED);
}

/* ---- asking ---- */

static void on_answer(void *ctx, struct rd response)
{
	struct tls_session *s = ctx;

	s->hs->ocsp_handle = NULL;
	s->hs->ocsp_pending = false;
	s->hs->ocsp_answered = true;
	wr_rd(&s->hs->ocsp_answer, response);
	if (!s->hs->ocsp_asking)
		tls_session_wake(s);
}

static bool request_for(struct tls_session *s, gnutls_datum_t *der)
{
	gnutls_ocsp_req_t r;
	bool ok;

	if (gnutls_ocsp_req_init(&r) != 0)
		return false;
	ok = gnutls_ocsp_req_add_cert(r, GNUTLS_DIG_SHA1, s->hs->issuer, s->hs->leaf) == 0 && gnutls_ocsp_req_export(r, der) == 0;
	gnutls_ocsp_req_deinit(r);
	return ok;
}

static enum tls_verdict ask(struct tls_session *s)
{
	const struct tls_credentials *c = s->credentials;
	struct tls_handshake *hs = s->hs;
	gnutls_datum_t der = {0};
	void *handle;

	if (!request_for(s, &der)) {
		tls_session_explain(s, "the status of the certificate (OCSP) cannot be asked for");
		return c->ocsp_soft ? TLS_GOOD : TLS_BAD;
	}
	hs->ocsp_answer = wr_new(RESPONSE_MAX);
	hs->ocsp_pending = hs->ocsp_asking = true;
	handle = c->ocsp.ask(c->ocsp.asker, c->ocsp_url, rd_of(der.data, der.size), on_answer, s);
	hs->ocsp_asking = false;
	gnutls_free(der.data);
	if (hs->ocsp_pending)
		hs->ocsp_handle = handle;
	return hs->ocsp_pending ? TLS_WAIT : tls_ocsp_check(s);
}

static enum tls_verdict answered(struct tls_session *s)
{
	enum status status;
	struct rd response = {0};
	time_t until = 0;

	status = wr_done(&s->hs->ocsp_answer, &response) ? status_of(s, response, &until) : STATUS_NONE;
	if (status != STATUS_NONE)
		return keep(s, status, until);
	tls_session_explain(s, response.left == 0 ? "the OCSP responder does not answer" : "the OCSP responder does not say that the certificate is good");
	return s->credentials->ocsp_soft && response.left == 0 ? TLS_GOOD : TLS_BAD;
}

enum tls_verdict tls_ocsp_check(struct tls_session *s)
{
	uint8_t digest[DIGEST];
	gnutls_datum_t stapled = {0};
	const struct answer *a;
	time_t until = 0;
	enum status status;

	if (s->hs->ocsp_pending)
		return TLS_WAIT;
	if (s->hs->ocsp_answered)
		return answered(s);
	if (gnutls_ocsp_status_request_get2(s->tls, 0, &stapled) == 0) {
		status = status_of(s, rd_of(stapled.data, stapled.size), &until);
		if (status != STATUS_NONE)
			return keep(s, status, until);
	}
	if (!s->credentials->ocsp_url)
		return TLS_GOOD;
	if (digest_of(s->hs->leaf, digest) && (a = place_of(s->credentials, digest)) != NULL && memcmp(a->leaf, digest, DIGEST) == 0 && a->until >= time(NULL))
		return verdict(s, a->revoked);
	return ask(s);
}

static gnutls_x509_crt_t copy_of(gnutls_x509_crt_t crt)
{
	gnutls_datum_t der = {0};
	gnutls_x509_crt_t copy;

	if (gnutls_x509_crt_init(&copy) != 0)
		return NULL;
	if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) != 0 || gnutls_x509_crt_import(copy, &der, GNUTLS_X509_FMT_DER) != 0) {
		gnutls_x509_crt_deinit(copy);
		copy = NULL;
	}
	gnutls_free(der.data);
	return copy;
}

enum tls_verdict tls_ocsp_begin(struct tls_session *s, gnutls_x509_crt_t leaf, gnutls_x509_crt_t issuer)
{
	gnutls_datum_t stapled = {0};

	if (!s->credentials->ocsp_url && gnutls_ocsp_status_request_get2(s->tls, 0, &stapled) != 0)
		return TLS_GOOD;
	s->hs->leaf = copy_of(leaf);
	s->hs->issuer = copy_of(issuer);
	if (s->hs->leaf && s->hs->issuer)
		return TLS_GOOD;
	tls_session_explain(s, "out of memory");
	return TLS_BAD;
}

void tls_ocsp_forget(struct tls_session *s)
{
	struct tls_handshake *hs = s->hs;

	if (hs->ocsp_handle)
		s->credentials->ocsp.cancel(s->credentials->ocsp.asker, hs->ocsp_handle);
	if (hs->leaf)
		gnutls_x509_crt_deinit(hs->leaf);
	if (hs->issuer)
		gnutls_x509_crt_deinit(hs->issuer);
	wr_free(&hs->ocsp_answer);
}
