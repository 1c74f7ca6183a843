/* Who the other side is: its name, the path to an anchor, its status. TS-0003 clause 8.1.2 and RFC 5280 clause 6.1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "security/association.h"
#include "tls/tls_constraints.h"
#include "tls/tls_private.h"

#define ISSUERS_MAX 4 /* above what the peer sent */

struct path {
	gnutls_x509_crt_t sent[TLS_CHAIN_MAX], added[ISSUERS_MAX]; /* the peer's; what we had above it */
	unsigned sent_count, added_count;
	gnutls_x509_crt_t crts[TLS_CHAIN_MAX + ISSUERS_MAX];       /* of both, leaf to anchor */
	unsigned count;
};

static void path_clear(struct path *p)
{
	for (unsigned i = 0; i < p->sent_count; i++)
		gnutls_x509_crt_deinit(p->sent[i]);
	for (unsigned i = 0; i < p->added_count; i++)
		gnutls_x509_crt_deinit(p->added[i]);
}

static bool path_sent(struct tls_session *s, struct path *p)
{
	unsigned n = 0;
	const gnutls_datum_t *der = gnutls_certificate_get_peers(s->tls, &n);

	for (unsigned i = 0; der && i < n && n <= TLS_CHAIN_MAX; i++) {
		if (gnutls_x509_crt_init(&p->sent[i]) != 0)
			return false;
		p->sent_count++;
		if (gnutls_x509_crt_import(p->sent[i], &der[i], GNUTLS_X509_FMT_DER) != 0)
			return false;
		p->crts[p->count++] = p->sent[i];
	}
	return p->sent_count > 0;
}

static bool is_anchor(gnutls_x509_crt_t crt)
{
	return gnutls_x509_crt_check_issuer(crt, crt) != 0;
}

/* Goes on from what the peer sent up to the anchor. Stray certificates that it sent are none of the path. */
static void path_complete(struct tls_session *s, struct path *p)
{
	unsigned kept = 1;

	while (kept < p->sent_count && gnutls_x509_crt_check_issuer(p->crts[kept - 1], p->crts[kept]))
		kept++;
	p->count = kept;
	while (p->added_count < ISSUERS_MAX && !is_anchor(p->crts[p->count - 1])) {
		gnutls_x509_crt_t issuer;

		if (gnutls_x509_trust_list_get_issuer(s->credentials->trust, p->crts[p->count - 1], &issuer, GNUTLS_TL_GET_COPY) != 0)
			return;
		p->added[p->added_count++] = issuer;
		p->crts[p->count++] = issuer;
	}
}

/* ---- the reasons ---- */

static const struct {
	unsigned bit;
	gnutls_alert_description_t alert;
	const char *why;
} reasons[] = {
	{GNUTLS_CERT_REVOKED, GNUTLS_A_CERTIFICATE_REVOKED, "the certificate is revoked"},
	{GNUTLS_CERT_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED, "the certificate expired"},
	{GNUTLS_CERT_NOT_ACTIVATED, GNUTLS_A_CERTIFICATE_EXPIRED, "the certificate is not valid yet"},
	{GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED, GNUTLS_A_BAD_CERTIFICATE, "the revocation list is out of date"},
	{GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE, GNUTLS_A_BAD_CERTIFICATE, "the revocation list is not valid yet"},
	{GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, GNUTLS_A_BAD_CERTIFICATE, "the certificate's signer may not sign for this name"},
	{GNUTLS_CERT_INSECURE_ALGORITHM, GNUTLS_A_BAD_CERTIFICATE, "the certificate is signed with a weak algorithm"},
	{~0U, GNUTLS_A_UNKNOWN_CA, "the certificate does not lead to a trusted CA"},
};

static enum tls_verdict refuse(struct tls_session *s, gnutls_alert_description_t *alert, gnutls_alert_description_t with, const char *why)
{
	tls_session_explain(s, why);
	*alert = with;
	return TLS_BAD;
}

static enum tls_verdict refuse_status(struct tls_session *s, gnutls_alert_description_t *alert, unsigned status)
{
	size_t i = 0;

	while (!(status & reasons[i].bit))
		i++;
	return refuse(s, alert, reasons[i].alert, reasons[i].why);
}

/* ---- certificates ---- */

/* GnuTLS takes a common name for a host name where a certificate has no dNSName, which AE-IDs have not, and then finds it outside of constraints on
 * host names. RFC 5280 does not: when that is all there is, the certificate's own names decide. */
static bool only_common_name(const struct path *p, unsigned status)
{
	const unsigned constraints = GNUTLS_CERT_INVALID | GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE;
	time_t now = time(NULL);
	unsigned alone = 0;
	char name[TLS_NAME_MAX];

	if (status != constraints || p->count < 2)
		return false;
	for (unsigned i = 0;; i++) {
		size_t len = sizeof name;
		int type = gnutls_x509_crt_get_subject_alt_name(p->crts[0], i, name, &len, NULL);

		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (type < 0 || type == GNUTLS_SAN_DNSNAME)
			return false;
	}
	/* the rest of what was asked of the certificate itself, lest it was not asked behind the constraints */
	return now >= gnutls_x509_crt_get_activation_time(p->crts[0]) && now <= gnutls_x509_crt_get_expiration_time(p->crts[0]) &&
	    gnutls_x509_crt_verify(p->crts[0], &p->crts[1], 1, 0, &alone) == 0 && (alone & ~constraints) == 0;
}

/* GnuTLS asks the lists only about a path that is good; one that only_common_name makes good has to be asked about too. And it looks at a list's time when
 * the list is read, but not afterwards. Its word on the list's signature comes with one on its time, whatever flags say. */
static unsigned listed(const struct tls_credentials *c, gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer)
{
	const unsigned late = GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED, early = GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE;
	unsigned found = 0, wrong = ~0U;

	for (unsigned i = 0; i < c->crl_count; i++) {
		if (!gnutls_x509_crl_check_issuer(c->crls[i], issuer) || gnutls_x509_crl_verify(c->crls[i], &issuer, 1, 0, &wrong) != 0)
			continue;
		if ((wrong & ~(late | early | GNUTLS_CERT_INVALID)) != 0 || (wrong == GNUTLS_CERT_INVALID))
			continue; /* another's signature */
		if (gnutls_x509_crt_check_revocation(crt, &c->crls[i], 1) != 0)
			found |= GNUTLS_CERT_REVOKED;
		found |= wrong & (late | early);
	}
	return found;
}

static enum tls_verdict check_path(struct tls_session *s, struct path *p, gnutls_alert_description_t *alert)
{
	unsigned status = ~0U;

	if (!s->credentials->trust)
		return refuse(s, alert, GNUTLS_A_UNKNOWN_CA, "no CA is trusted");
	if (gnutls_x509_trust_list_verify_crt2(s->credentials->trust, p->sent, p->sent_count, NULL, 0, 0, &status, NULL) != 0)
		return refuse(s, alert, GNUTLS_A_BAD_CERTIFICATE, "the certificate cannot be verified");
	path_complete(s, p);
	if (status != 0 && !only_common_name(p, status))
		return refuse_status(s, alert, status);
	for (unsigned i = 0; i + 1 < p->count; i++)
		if ((status = listed(s->credentials, p->crts[i], p->crts[i + 1])) != 0)
			return refuse_status(s, alert, status);
	if (!tls_constraints_hold(p->crts, p->count))
		return refuse_status(s, alert, GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE);
	return TLS_GOOD;
}

static enum tls_verdict check_names(struct tls_session *s, gnutls_x509_crt_t leaf, gnutls_alert_description_t *alert)
{
	const char *expected = s->hs->expected;
	unsigned usage;

	if (!tls_names_of(leaf, s->peer->identity))
		return refuse(s, alert, GNUTLS_A_BAD_CERTIFICATE, "a name in the certificate cannot be used");
	if (s->peer->identity[0] == '\0')
		return refuse(s, alert, GNUTLS_A_BAD_CERTIFICATE, "the certificate has no name in its subjectAltName");
	if (!s->o.server && (!expected || !association_names(s->peer->identity, expected)))
		return refuse(s, alert, GNUTLS_A_BAD_CERTIFICATE, "the certificate names somebody else");
	if (gnutls_x509_crt_get_key_usage(leaf, &usage, NULL) < 0 || !(usage & GNUTLS_KEY_DIGITAL_SIGNATURE))
		return refuse(s, alert, GNUTLS_A_BAD_CERTIFICATE, "the certificate's key is not for signatures (keyUsage)");
	return TLS_GOOD;
}

static enum tls_verdict status_of(struct tls_session *s, gnutls_alert_description_t *alert)
{
	enum tls_verdict v = tls_ocsp_check(s);

	if (v == TLS_BAD)
		*alert = GNUTLS_A_CERTIFICATE_REVOKED;
	return v;
}

static enum tls_verdict verify_x509(struct tls_session *s, gnutls_alert_description_t *alert)
{
	struct path p = {.count = 0};
	enum tls_verdict v = TLS_BAD;

	if (!path_sent(s, &p))
		v = refuse(s, alert, GNUTLS_A_BAD_CERTIFICATE, "the certificate cannot be read");
	else
		v = check_names(s, p.crts[0], alert);
	if (v == TLS_GOOD)
		v = check_path(s, &p, alert);
	if (v == TLS_GOOD) {
		s->peer->method = TLS_METHOD_CERTIFICATE;
		tls_credential_of(s->peer->identity, NULL, s->peer->credential);
		for (unsigned i = 0; i < p.count; i++) {
			time_t end = gnutls_x509_crt_get_expiration_time(p.crts[i]);

			if (end > 0 && (s->peer->expires_at == 0 || (uint64_t)end < s->peer->expires_at))
				s->peer->expires_at = (uint64_t)end;
		}
		v = p.count > 1 ? tls_ocsp_begin(s, p.crts[0], p.crts[1]) : TLS_GOOD;
	}
	path_clear(&p);
	return v == TLS_GOOD && s->hs->leaf ? status_of(s, alert) : v;
}

/* ---- raw public keys ---- */

static const struct tls_pin *pin_of(const struct tls_credentials *c, const gnutls_datum_t *spki, const char *expected)
{
	for (size_t i = 0; i < c->pin_count; i++)
		if (tls_ni_is(spki, c->pins[i].name) && (!expected || strcmp(c->pins[i].entity, expected) == 0))
			return &c->pins[i];
	return NULL;
}

static enum tls_verdict verify_raw(struct tls_session *s, gnutls_alert_description_t *alert)
{
	unsigned n = 0;
	const gnutls_datum_t *spki = gnutls_certificate_get_peers(s->tls, &n);
	const char *expected = s->hs->expected;
	const struct tls_pin *pin;

	if (!spki || n == 0)
		return refuse(s, alert, GNUTLS_A_BAD_CERTIFICATE, "there is no public key");
	s->peer->method = TLS_METHOD_RAW_PUBLIC_KEY;
	tls_credential_of("", spki, s->peer->credential);
	if (expected && strncmp(expected, "ni:", 3) == 0) {
		if (!tls_ni_is(spki, expected))
			return refuse(s, alert, GNUTLS_A_BAD_CERTIFICATE, "the raw public key is another one");
		snprintf(s->peer->identity, sizeof s->peer->identity, "%s", expected);
		return TLS_GOOD;
	}
	pin = pin_of(s->credentials, spki, expected);
	if (!s->o.server && !expected)
		return refuse(s, alert, GNUTLS_A_BAD_CERTIFICATE, "nobody is expected");
	if (!pin && expected && pin_of(s->credentials, spki, NULL))
		return refuse(s, alert, GNUTLS_A_BAD_CERTIFICATE, "the raw public key is somebody else's");
	if (!pin)
		return refuse(s, alert, GNUTLS_A_UNKNOWN_CA, "the raw public key is not among those that are pinned");
	if (pin->expires_at && pin->expires_at <= (uint64_t)time(NULL))
		return refuse(s, alert, GNUTLS_A_CERTIFICATE_EXPIRED, "the raw public key is pinned no longer: it expired");
	s->peer->expires_at = pin->expires_at;
	snprintf(s->peer->identity, sizeof s->peer->identity, "%s", pin->entity);
	return TLS_GOOD;
}

/* ---- pre-shared keys ---- */

static enum tls_verdict verify_psk(struct tls_session *s)
{
	const struct tls_psk *psk = &s->hs->psk;
	struct tls_peer *p = s->peer;

	p->method = TLS_METHOD_PSK;
	if (s->o.server) {
		snprintf(p->identity, sizeof p->identity, "%s", psk->entity);
		snprintf(p->credential, sizeof p->credential, "%s", psk->credential);
		p->expires_at = psk->expires_at;
		memcpy(s->key_name, psk->key_name, sizeof s->key_name);
		return TLS_GOOD;
	}
	snprintf(p->identity, sizeof p->identity, "%s", s->hs->expected ? s->hs->expected : "");
	snprintf(p->credential, sizeof p->credential, "12-%.*s", CREDENTIAL_ID_MAX - 4, s->credentials->psk_identity);
	return TLS_GOOD;
}

enum tls_verdict tls_verify(struct tls_session *s, gnutls_alert_description_t *alert)
{
	*alert = GNUTLS_A_BAD_CERTIFICATE;
	if (s->hs->leaf)
		return status_of(s, alert);
	if (gnutls_auth_get_type(s->tls) == GNUTLS_CRD_PSK)
		return verify_psk(s);
	tls_trust_refresh(s->credentials);
	if (s->o.server && s->credentials->guests)
		return TLS_GOOD; /* nobody was asked: method none, no name */
	if (gnutls_auth_get_type(s->tls) != GNUTLS_CRD_CERTIFICATE)
		return refuse(s, alert, GNUTLS_A_ACCESS_DENIED, "the other side has not said who it is");
	return gnutls_certificate_type_get2(s->tls, GNUTLS_CTYPE_PEERS) == GNUTLS_CRT_RAWPK ? verify_raw(s, alert) : verify_x509(s, alert);
}
