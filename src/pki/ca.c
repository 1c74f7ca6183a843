/* Signing, revoking, revocation lists. */
#include "pki/ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/rng.h"
#include "pki/pki_private.h"

#define DER_UTF8_STRING 0x0c
#define SERIAL_OCTETS 16
#define BACKDATED_S 3600 /* clocks of devices go wrong */
#define DAY_S 86400

/* ---- making certificates ---- */

bool pki_begin(gnutls_x509_crt_t crt, const char *common_name, time_t until)
{
	struct rng rng = rng_system();
	uint8_t serial[SERIAL_OCTETS];

	rng_fill(&rng, serial, sizeof serial);
	serial[0] &= 0x7f; /* positive */
	serial[0] |= 0x01; /* and 16 octets long */
	return gnutls_x509_crt_set_version(crt, 3) == 0 && gnutls_x509_crt_set_serial(crt, serial, sizeof serial) == 0 &&
	    gnutls_x509_crt_set_activation_time(crt, time(NULL) - BACKDATED_S) == 0 && gnutls_x509_crt_set_expiration_time(crt, until) == 0 &&
	    gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, common_name, (unsigned)strlen(common_name)) == 0;
}

bool pki_add_key_id(gnutls_x509_crt_t crt)
{
	uint8_t id[32];
	size_t len = sizeof id;

	return gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &len) == 0 && gnutls_x509_crt_set_subject_key_id(crt, id, len) == 0;
}

/* "oid:TYPE-ID/VALUE" */
static bool set_device(gnutls_x509_crt_t crt, const char *name)
{
	char oid[128];
	uint8_t der[130];
	struct wr w = wr_of(der, sizeof der);
	struct rd rest = rd_str(name + 4), type_id, out;

	if (!rd_until(&rest, '/', &type_id) || !rd_text(type_id, oid, sizeof oid) || rest.left == 0 || rest.left > 127)
		return false;
	wr_u8(&w, DER_UTF8_STRING);
	wr_u8(&w, (uint8_t)rest.left);
	wr_rd(&w, rest);
	return wr_done(&w, &out) && gnutls_x509_crt_set_subject_alt_othername(crt, oid, out.at, (unsigned)out.left, GNUTLS_FSAN_SET) == 0;
}

bool pki_set_name(gnutls_x509_crt_t crt, const char *name)
{
	gnutls_x509_subject_alt_name_t kind = strchr(name, ':') ? GNUTLS_SAN_URI : GNUTLS_SAN_DNSNAME;

	if (strlen(name) >= PKI_NAME_MAX)
		return false;
	if (strncmp(name, "oid:", 4) == 0)
		return set_device(crt, name);
	return gnutls_x509_crt_set_subject_alt_name(crt, kind, name, (unsigned)strlen(name), GNUTLS_FSAN_SET) == 0;
}

static bool entry_of(gnutls_x509_crt_t crt, const char *common_name, const char *name, struct ca_entry *e)
{
	uint8_t serial[20];
	size_t len = sizeof serial;

	if (gnutls_x509_crt_get_serial(crt, serial, &len) != 0)
		return false;
	*e = (struct ca_entry){.state = 'V', .expires_at = (uint64_t)gnutls_x509_crt_get_expiration_time(crt)};
	hex_print(e->serial, serial, len);
	for (char *c = e->serial; *c; c++)
		*c = *c >= 'a' && *c <= 'f' ? (char)(*c - 'a' + 'A') : *c;
	snprintf(e->name, sizeof e->name, "%s", name);
	snprintf(e->common_name, sizeof e->common_name, "%s", common_name);
	return true;
}

enum err pki_certify(struct ca *ca, gnutls_x509_crt_t crt, const char *common_name, const char *name, unsigned days)
{
	time_t until = time(NULL) + (time_t)days * DAY_S, end = gnutls_x509_crt_get_expiration_time(ca->crt);
	struct ca_entry e;

	if (!pki_begin(crt, common_name, until < end ? until : end) || !pki_set_name(crt, name))
		return ERR_BAD_VALUE;
	if (gnutls_x509_crt_set_basic_constraints(crt, 0, -1) != 0 || !pki_add_key_id(crt) ||
	    gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE) != 0 ||
	    gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0) != 0 ||
	    gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0) != 0 ||
	    gnutls_x509_crt_sign2(crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0) != 0 || !entry_of(crt, common_name, name, &e))
		return ERR_CRYPTO;
	return ca_index_add(ca, &e);
}

/* ---- the CA ---- */

static bool load(const char *dir, const char *name, gnutls_datum_t *text)
{
	char path[PKI_PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return gnutls_load_file(path, text) == 0;
}

enum err ca_open(const char *dir, struct ca **out)
{
	gnutls_datum_t crt = {0}, key = {0};
	struct ca *ca = calloc(1, sizeof *ca);
	enum err e = ERR_NOT_FOUND;

	if (!ca)
		return ERR_NO_MEMORY;
	snprintf(ca->dir, sizeof ca->dir, "%s", dir);
	if (load(dir, "ca.pem", &crt) && load(dir, "ca.key", &key))
		e = gnutls_x509_crt_init(&ca->crt) == 0 && gnutls_x509_privkey_init(&ca->key) == 0 &&
			gnutls_x509_crt_import(ca->crt, &crt, GNUTLS_X509_FMT_PEM) == 0 && gnutls_x509_privkey_import(ca->key, &key, GNUTLS_X509_FMT_PEM) == 0 &&
			gnutls_x509_crt_export2(ca->crt, GNUTLS_X509_FMT_DER, &ca->der) == 0
		    ? OK
		    : ERR_MALFORMED;
	if (key.data)
		bytes_wipe(key.data, key.size);
	gnutls_free(key.data);
	gnutls_free(crt.data);
	if (e == OK)
		*out = ca;
	else
		ca_free(ca);
	return e;
}

void ca_free(struct ca *ca)
{
	if (!ca)
		return;
	if (ca->crt)
		gnutls_x509_crt_deinit(ca->crt);
	if (ca->key)
		gnutls_x509_privkey_deinit(ca->key);
	gnutls_free(ca->der.data);
	free(ca);
}

struct rd ca_certificate(const struct ca *ca)
{
	return rd_of(ca->der.data, ca->der.size);
}

static enum err sign(struct ca *ca, const struct csr *rq, unsigned days, gnutls_x509_crt_fmt_t format, struct wr *out)
{
	gnutls_datum_t text = {0};
	gnutls_x509_crt_t crt;
	enum err e = ERR_CRYPTO;

	if (gnutls_x509_crt_init(&crt) != 0)
		return ERR_NO_MEMORY;
	/* Of the request only the key and what csr_read checked: the rest is ours to say. */
	if (gnutls_x509_crt_set_crq(crt, rq->request) == 0)
		e = pki_certify(ca, crt, rq->common_name[0] ? rq->common_name : rq->name, rq->name, days);
	if (e == OK && gnutls_x509_crt_export2(crt, format, &text) == 0)
		wr_copy(out, text.data, text.size);
	else if (e == OK)
		e = ERR_CRYPTO;
	gnutls_free(text.data);
	gnutls_x509_crt_deinit(crt);
	return e == OK && out->spoilt ? ERR_TOO_LONG : e;
}

enum err ca_sign(struct ca *ca, const struct csr *rq, unsigned days, struct wr *out)
{
	return sign(ca, rq, days, GNUTLS_X509_FMT_DER, out);
}

enum err ca_sign_pem(struct ca *ca, const struct csr *rq, unsigned days, struct wr *out)
{
	return sign(ca, rq, days, GNUTLS_X509_FMT_PEM, out);
}

/* ---- revocation ---- */

static const char *const reasons[] = {
	[CA_UNSPECIFIED] = "unspecified",
	[CA_KEY_COMPROMISE] = "keyCompromise",
	[CA_AFFILIATION_CHANGED] = "affiliationChanged",
	[CA_SUPERSEDED] = "superseded",
	[CA_CESSATION] = "cessationOfOperation",
};

enum err ca_reason_parse(const char *text, enum ca_reason *out)
{
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (strcmp(text, reasons[i]) == 0) {
			*out = (enum ca_reason)i;
			return OK;
		}
	return ERR_BAD_VALUE;
}

struct revocation {
	const char *which, *reason;
	uint64_t now;
	unsigned count;
};

static bool revoke(void *ctx, struct ca_entry *e)
{
	struct revocation *r = ctx;

	if (e->state != 'V' || (strcasecmp(e->serial, r->which) != 0 && strcmp(e->name, r->which) != 0))
		return false;
	e->state = 'R';
	e->revoked_at = r->now;
	snprintf(e->reason, sizeof e->reason, "%s", r->reason);
	r->count++;
	return true;
}

enum err ca_revoke(struct ca *ca, const char *serial_or_name, enum ca_reason reason, unsigned *count)
{
	struct revocation r = {serial_or_name, reasons[reason], clock_unix_ms() / 1000, 0};
	enum err e = ca_index_walk(ca, revoke, &r);

	*count = r.count;
	return e == OK && r.count == 0 ? ERR_NOT_FOUND : e;
}

struct listing {
	gnutls_x509_crl_t crl;
	bool failed;
};

static bool list_revoked(void *ctx, struct ca_entry *e)
{
	struct listing *l = ctx;
	uint8_t serial[20];
	size_t len;

	if (e->state == 'R' && (!hex_parse_loose(rd_str(e->serial), serial, sizeof serial, &len) ||
				   gnutls_x509_crl_set_crt_serial(l->crl, serial, len, (time_t)e->revoked_at) != 0))
		l->failed = true;
	return false;
}

static bool finish_list(const struct ca *ca, gnutls_x509_crl_t crl, unsigned days)
{
	uint8_t id[64], number[8];
	size_t len = sizeof id;
	struct wr w = wr_of(number, sizeof number);
	time_t now = time(NULL);

	wr_be64(&w, clock_unix_ms()); /* rises from list to list, as RFC 5280 clause 5.2.3 wants of the CRL number */
	return gnutls_x509_crl_set_version(crl, 2) == 0 && gnutls_x509_crl_set_this_update(crl, now) == 0 &&
	    gnutls_x509_crl_set_next_update(crl, now + (time_t)days * DAY_S) == 0 && gnutls_x509_crl_set_number(crl, number, sizeof number) == 0 &&
	    gnutls_x509_crt_get_subject_key_id(ca->crt, id, &len, NULL) == 0 && gnutls_x509_crl_set_authority_key_id(crl, id, len) == 0 &&
	    gnutls_x509_crl_sign2(crl, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0) == 0;
}

enum err ca_revocation_list(struct ca *ca, unsigned days, struct wr *pem)
{
	struct listing l = {NULL, false};
	gnutls_datum_t text = {0};
	enum err e;

	if (gnutls_x509_crl_init(&l.crl) != 0)
		return ERR_NO_MEMORY;
	e = ca_index_walk(ca, list_revoked, &l);
	if (e == OK && (l.failed || !finish_list(ca, l.crl, days) || gnutls_x509_crl_export2(l.crl, GNUTLS_X509_FMT_PEM, &text) != 0))
		e = ERR_CRYPTO;
	if (e == OK)
		wr_copy(pem, text.data, text.size);
	gnutls_free(text.data);
	gnutls_x509_crl_deinit(l.crl);
	return e == OK && pem->spoilt ? ERR_TOO_LONG : e;
}

/* ---- what was issued ---- */

struct each {
	void (*fn)(void *ctx, const struct ca_entry *e);
	void *ctx;
};

static bool tell(void *ctx, struct ca_entry *e)
{
	struct each *each = ctx;

	each->fn(each->ctx, e);
	return false;
}

enum err ca_each(struct ca *ca, void (*fn)(void *ctx, const struct ca_entry *e), void *ctx)
{
	struct each each = {fn, ctx};

	return ca_index_walk(ca, tell, &each);
}

struct search {
	struct ca_entry wanted;
	bool found;
};

static bool match(void *ctx, struct ca_entry *e)
{
	struct search *s = ctx;

	if (strcmp(e->serial, s->wanted.serial) == 0) {
		s->wanted = *e;
		s->found = true;
	}
	return false;
}

bool ca_vouches(const struct ca *ca, struct rd certificate, char name[static PKI_NAME_MAX])
{
	gnutls_datum_t der = {gnutls_malloc(certificate.left), (unsigned)certificate.left};
	struct search s = {.found = false};
	gnutls_x509_crt_t crt = NULL;
	unsigned status = ~0U;
	bool good = false;

	if (der.data && gnutls_x509_crt_init(&crt) == 0) {
		memcpy(der.data, certificate.at, certificate.left);
		good = gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER) == 0 &&
		    gnutls_x509_crt_list_verify(&crt, 1, &ca->crt, 1, NULL, 0, 0, &status) == 0 && status == 0 && entry_of(crt, "", "", &s.wanted) &&
		    ca_index_walk(ca, match, &s) == OK && s.found && s.wanted.state == 'V';
	}
	if (good)
		snprintf(name, PKI_NAME_MAX, "%s", s.wanted.name);
	if (crt)
		gnutls_x509_crt_deinit(crt);
	gnutls_free(der.data);
	return good;
}
