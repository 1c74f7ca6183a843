/* A certificate authority at work: it signs what others ask for (PKCS#10), revokes what it signed, and says so in revocation lists. What it
 * issued stands in `index.txt` beside its certificate, in the form of OpenSSL's CA, so that `openssl ocsp -index` answers for it as it is.
 *
 *	ca_open("pki", &ca);
 *	if (csr_read(der, &csr, &why) == OK)
 *		e = ca_sign(ca, &csr, 365, &certificate);
 *
 * The profile of requests and certificates is that of TS-0003 clauses 8.1.2 and 10.1.4: ECDSA on secp256r1 with SHA-256, one subjectAltName.
 * Names are written as in tls/tls_peer.h: "id-mn.id-in.keyway.example" a dNSName, "m2m://..." and "urn:..." a URI, and for a device
 * "oid:TYPE-ID/VALUE", an otherName with that type-id and a UTF8String (TS-0001 annex H). */
#ifndef KEYWAY_PKI_CA_H
#define KEYWAY_PKI_CA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

#define PKI_NAME_MAX 256
#define PKI_SERIAL_MAX 41 /* 20 octets in hexadecimal, and the zero */
#define PKI_DER_MAX 16384 /* of a request or a certificate */
#define PKI_CHALLENGE_MAX 256

/* A request for a certificate, whose signature by its own key is right. */
struct csr {
	void *request;                     /* gnutls_x509_crq_t */
	char name[PKI_NAME_MAX];           /* its one subjectAltName; an otherName as "oid:TYPE-ID/VALUE" */
	char common_name[PKI_NAME_MAX];    /* "" when it has none */
	char challenge[PKI_CHALLENGE_MAX]; /* challengePassword (PKCS#9); "" when it has none */
};

/* ERR_MALFORMED, ERR_UNSUPPORTED (another curve or hash), ERR_BAD_VALUE (names), with a sentence that lives for ever in *why. */
enum err csr_read(struct rd der, struct csr *out, const char **why) MUST_CHECK;
/* The same of PEM or DER. */
enum err csr_read_any(struct rd octets, struct csr *out, const char **why) MUST_CHECK;
void csr_clear(struct csr *c);

struct ca;

/* dir has ca.pem and ca.key, as pki_ca_create makes them. ERR_NOT_FOUND, ERR_MALFORMED. */
enum err ca_open(const char *dir, struct ca **out) MUST_CHECK;
void ca_free(struct ca *ca); /* accepts NULL */
/* The CA's own certificate, DER, borrowed. */
struct rd ca_certificate(const struct ca *ca);
/* Whether a certificate (DER) is one that this CA signed, that is valid now, and that nobody revoked. */
bool ca_vouches(const struct ca *ca, struct rd certificate, char name[static PKI_NAME_MAX]);

/* Signs for `days`, or until the CA's own certificate ends; the certificate (DER) is in the index, on disk, before it is in `out`. */
enum err ca_sign(struct ca *ca, const struct csr *rq, unsigned days, struct wr *out) MUST_CHECK;

enum err ca_sign_pem(struct ca *ca, const struct csr *rq, unsigned days, struct wr *out) MUST_CHECK; /* the certificate as PEM */

enum ca_reason { CA_UNSPECIFIED, CA_KEY_COMPROMISE, CA_AFFILIATION_CHANGED, CA_SUPERSEDED, CA_CESSATION };
/* ERR_BAD_VALUE: no such reason. */
enum err ca_reason_parse(const char *text, enum ca_reason *out) MUST_CHECK; /* "keyCompromise" */
/* Every certificate that is in force with this serial number (hexadecimal) or name. ERR_NOT_FOUND when there is none; *count of them. */
enum err ca_revoke(struct ca *ca, const char *serial_or_name, enum ca_reason reason, unsigned *count) MUST_CHECK;
/* A revocation list of what is revoked, PEM, good for `days` from now. */
enum err ca_revocation_list(struct ca *ca, unsigned days, struct wr *pem) MUST_CHECK;

struct ca_entry {
	char state;                   /* 'V' in force, 'R' revoked */
	char serial[PKI_SERIAL_MAX];  /* upper-case hexadecimal */
	char name[PKI_NAME_MAX], common_name[PKI_NAME_MAX];
	char reason[32];              /* of a revocation; "" */
	uint64_t expires_at, revoked_at; /* Unix seconds */
};
/* Everything that was ever issued, oldest first. */
enum err ca_each(struct ca *ca, void (*fn)(void *ctx, const struct ca_entry *e), void *ctx) MUST_CHECK;

#endif
