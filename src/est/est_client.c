/* Getting a certificate. */
#include "est/est_client.h"

#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "est/est.h"
#include "est/est_message.h"

#define URL_SIZE 512
#define WHY_SIZE 256
#define ATTEMPTS 3 /* a binding is worth nothing when the next call goes over another connection */

struct est_enrolment {
	struct http_client *http;
	struct http_call *call;
	est_enrolled *done;
	void *ctx;
	struct tls_credentials *tls;
	char base[URL_SIZE], mef[PKI_NAME_MAX], name[PKI_NAME_MAX], stem[URL_SIZE];
	char challenge[EST_BINDING_MAX];
	gnutls_x509_privkey_t key;
	unsigned attempts;
	bool renew;
};

static void ask_attributes(struct est_enrolment *e);

static void release(struct est_enrolment *e)
{
	if (e->key)
		gnutls_x509_privkey_deinit(e->key);
	free(e);
}

static void finish(struct est_enrolment *e, enum err r, const char *why)
{
	est_enrolled *done = e->done;
	void *ctx = e->ctx;

	release(e);
	done(ctx, r, why);
}

/* The server's words, on one line. */
static void finish_refused(struct est_enrolment *e, const struct http_result *r)
{
	char why[WHY_SIZE];
	int n = r->body.left < 160 ? (int)r->body.left : 160;

	snprintf(why, sizeof why, "the MEF answered %u: %.*s", r->status, n, n > 0 ? (const char *)r->body.at : "");
	for (char *c = why; *c; c++)
		*c = (unsigned char)*c < ' ' ? ' ' : *c;
	finish(e, ERR_NOT_PERMITTED, why);
}

/* ---- files ---- */

static enum err put_file(const char *stem, const char *ending, const gnutls_datum_t *text, mode_t mode)
{
	char path[URL_SIZE + 8], fresh[URL_SIZE + 16];
	enum err e = OK;
	int fd;

	snprintf(path, sizeof path, "%s.%s", stem, ending);
	snprintf(fresh, sizeof fresh, "%s.%s.new", stem, ending);
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return ERR_IO;
	if (write(fd, text->data, text->size) != (ssize_t)text->size || fsync(fd) != 0)
		e = ERR_IO;
	if (close(fd) != 0 || (e == OK && rename(fresh, path) != 0))
		e = ERR_IO;
	if (e != OK)
		unlink(fresh);
	return e;
}

static enum err keep(struct est_enrolment *e, gnutls_x509_crt_t crt)
{
	gnutls_datum_t key = {0}, pem = {0};
	enum err r = ERR_CRYPTO;

	if (gnutls_x509_privkey_export2(e->key, GNUTLS_X509_FMT_PEM, &key) == 0 && gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem) == 0) {
		r = put_file(e->stem, "key", &key, 0600);
		if (r == OK)
			r = put_file(e->stem, "pem", &pem, 0644);
	}
	if (key.data)
		bytes_wipe(key.data, key.size);
	gnutls_free(key.data);
	gnutls_free(pem.data);
	return r;
}

/* ---- the certificate ---- */

struct found {
	struct est_enrolment *e;
	gnutls_x509_crt_t crt; /* the one for our key */
};

static bool is_ours(struct est_enrolment *e, gnutls_x509_crt_t crt)
{
	uint8_t a[32], b[32];
	size_t a_len = sizeof a, b_len = sizeof b, len;
	char name[PKI_NAME_MAX];
	bool named = false;
	int type;

	if (gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a, &a_len) != 0 ||
	    gnutls_x509_privkey_get_key_id(e->key, GNUTLS_KEYID_USE_SHA256, b, &b_len) != 0 || a_len != b_len || memcmp(a, b, a_len) != 0)
		return false;
	for (unsigned i = 0; !named; i++) {
		len = sizeof name - 1;
		type = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &len, NULL);
		if (type < 0)
			return false;
		name[len] = '\0';
		named = strcmp(name, e->name) == 0;
	}
	return named;
}

static void look(void *ctx, struct rd certificate)
{
	struct found *f = ctx;
	gnutls_datum_t der = {gnutls_malloc(certificate.left), (unsigned)certificate.left};
	gnutls_x509_crt_t crt;

	if (der.data && gnutls_x509_crt_init(&crt) == 0) {
		memcpy(der.data, certificate.at, certificate.left);
		if (!f->crt && gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER) == 0 && is_ours(f->e, crt))
			f->crt = crt;
		else
			gnutls_x509_crt_deinit(crt);
	}
	gnutls_free(der.data);
}

static void take_certificate(struct est_enrolment *e, struct rd body)
{
	struct wr w = wr_new(EST_BODY_MAX);
	struct found f = {e, NULL};
	struct rd der;
	enum err r = est_unbase64(body, &w);

	if (r == OK && wr_done(&w, &der))
		r = est_certificates_each(der, look, &f);
	wr_free(&w);
	if (!f.crt) {
		finish(e, r == OK ? ERR_BAD_VALUE : r, "what the MEF sent is no certificate for our key and name");
		return;
	}
	r = keep(e, f.crt);
	gnutls_x509_crt_deinit(f.crt);
	finish(e, r, r == OK ? "enrolled" : "the key and the certificate could not be written");
}

static void on_certificate(void *ctx, const struct http_result *r)
{
	struct est_enrolment *e = ctx;

	e->call = NULL;
	if (r->error != OK)
		finish(e, r->error, r->detail);
	else if (r->status == 403 && e->challenge[0] && ++e->attempts < ATTEMPTS)
		ask_attributes(e);
	else if (r->status != 200)
		finish_refused(e, r);
	else
		take_certificate(e, r->body);
}

/* ---- the request ---- */

static bool make_key(struct est_enrolment *e)
{
	if (e->key)
		return true;
	return gnutls_x509_privkey_init(&e->key) == 0 &&
	    gnutls_x509_privkey_generate(e->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0;
}

static bool make_request(struct est_enrolment *e, struct wr *der)
{
	gnutls_x509_subject_alt_name_t kind = strchr(e->name, ':') ? GNUTLS_SAN_URI : GNUTLS_SAN_DNSNAME;
	gnutls_datum_t out = {0};
	gnutls_x509_crq_t crq;
	bool good;

	if (gnutls_x509_crq_init(&crq) != 0)
		return false;
	good = gnutls_x509_crq_set_version(crq, 1) == 0 && gnutls_x509_crq_set_key(crq, e->key) == 0 &&
	    gnutls_x509_crq_set_subject_alt_name(crq, kind, e->name, (unsigned)strlen(e->name), GNUTLS_FSAN_SET) == 0 &&
	    (!e->challenge[0] || gnutls_x509_crq_set_challenge_password(crq, e->challenge) == 0) &&
	    gnutls_x509_crq_sign2(crq, e->key, GNUTLS_DIG_SHA256, 0) == 0 && gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_DER, &out) == 0;
	if (good)
		wr_copy(der, out.data, out.size);
	gnutls_free(out.data);
	gnutls_x509_crq_deinit(crq);
	return good && !der->spoilt;
}

static struct http_call *call(struct est_enrolment *e, const char *method, const char *operation, struct rd body, http_done *done)
{
	static const struct http_header headers[] = {{"Content-Type", "application/pkcs10"}, {"Content-Transfer-Encoding", "base64"}, {NULL, NULL}};
	char url[URL_SIZE + 32];

	snprintf(url, sizeof url, "%s/%s", e->base, operation);
	return http_call(e->http, &(const struct http_call_options){.method = method, .url = url, .peer = e->mef, .tls = e->tls,
	    .headers = body.left > 0 ? headers : NULL, .body = body}, done, e);
}

static void on_attributes(void *ctx, const struct http_result *r)
{
	struct est_enrolment *e = ctx;
	struct est_attributes wanted = {.challenge = false};
	struct wr der = wr_new(PKI_DER_MAX), text = wr_new(EST_BODY_MAX);
	struct est_asker self = {.names = ""};
	struct rd octets, body;

	e->call = NULL;
	/* 204 and 404 say that there are none, clause 4.5.2 */
	if (r->error == OK && r->status == 200 &&
	    (est_unbase64(r->body, &der) != OK || !wr_done(&der, &octets) || est_attributes_read(octets, &wanted) != OK)) {
		finish(e, ERR_MALFORMED, "the CSR attributes of the MEF are malformed");
	} else if (r->error != OK) {
		finish(e, r->error, r->detail);
	} else {
		est_bindings(r->tls, &self);
		snprintf(e->challenge, sizeof e->challenge, "%s", !wanted.challenge ? "" : self.bindings[1][0] ? self.bindings[1] : self.bindings[0]);
		wr_reset(&der);
		if (!make_key(e) || !make_request(e, &der) || !wr_done(&der, &octets)) {
			finish(e, ERR_CRYPTO, "the request could not be made");
		} else {
			est_base64(&text, octets);
			if (wr_done(&text, &body))
				e->call = call(e, "POST", e->renew ? "simplereenroll" : "simpleenroll", body, on_certificate);
		}
	}
	wr_free(&der);
	wr_free(&text);
}

static void ask_attributes(struct est_enrolment *e)
{
	e->call = call(e, "GET", "csrattrs", (struct rd){NULL, 0}, on_attributes);
}

struct est_enrolment *est_enrol(struct http_client *h, const struct est_order *o, est_enrolled *done, void *ctx)
{
	struct est_enrolment *e = calloc(1, sizeof *e);

	if (!e)
		return NULL;
	e->http = h;
	e->done = done;
	e->ctx = ctx;
	e->tls = o->tls;
	e->renew = o->renew;
	snprintf(e->base, sizeof e->base, "%s", o->base);
	snprintf(e->mef, sizeof e->mef, "%s", o->mef);
	snprintf(e->name, sizeof e->name, "%s", o->name);
	snprintf(e->stem, sizeof e->stem, "%s/%s", o->dir, o->file);
	ask_attributes(e);
	return e;
}

void est_enrol_cancel(struct est_enrolment *e)
{
	if (e->call)
		http_call_cancel(e->call);
	release(e);
}
