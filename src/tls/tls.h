/* The credentials of one endpoint over GnuTLS: what it has (a certificate chain, a raw public key, pre-shared keys; several at once), and whom it
 * trusts (anchors, pinned raw public keys, who is in a revocation list or is said to be revoked by a responder).
 *
 *	const struct tls_config c = {.cert = "cse.pem", .key = "cse.key", .ca = "ca.pem", .crl = "crl.pem"};
 *	if (tls_credentials_new(&c, why, &credentials) != OK)
 *		complain(why);
 *	tls_credentials_psk_source(credentials, &source);       a server that takes PSK as well
 *	tls_credentials_psk(credentials, "1a2b@maf.example", key); a client that offers PSK
 *
 * The profile is that of TS-0003 clause 10.2 and what is better than it: TLS 1.3 and 1.2, DTLS 1.2; ECDHE-ECDSA, ECDHE-PSK, PSK; AEAD ciphers.
 * The CBC suites that the clause demands for TLS, and CCM_8 over TLS, are there only with `legacy_suites`. Nothing below TLS 1.2.
 *
 * A peer is verified in the order of TS-0003 clause 8.1.2: its name, the path to an anchor with dates and nameConstraints (RFC 5280 clause 6.1), then
 * its status. */
#ifndef KEYWAY_TLS_TLS_H
#define KEYWAY_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "tls/tls_peer.h"

struct tls_credentials;
struct psk_source;

#define TLS_WHY_MAX 512

/* Asks an OCSP responder over HTTP (RFC 6960 appendix A.1); the shell does it, see loop/ocsp_http.h. */
typedef void tls_ocsp_done(void *ctx, struct rd response); /* empty: no answer */
struct tls_ocsp_asker {
	/* A handle for cancel, NULL when done was called already. */
	void *(*ask)(void *asker, const char *url, struct rd request, tls_ocsp_done *done, void *ctx);
	void (*cancel)(void *asker, void *handle);
	void *asker;
};

/* What is absent is NULL. Everything is borrowed for the call only, but for ocsp. */
struct tls_config {
	/* own */
	const char *cert, *key;      /* PEM: the chain, own certificate first; the private key, mode 0600. Reread when cert changed: put the key there first */
	const char *raw_key;         /* PEM, mode 0600: the private key whose public half is shown raw (RFC 7250); may be the same file as key */
	const char *staple;          /* OCSP response (DER) about own certificate, which a server gives with it; reread when changed */
	/* trust */
	const char *ca;              /* PEM: anchors */
	const char *raw_keys;        /* pinned raw public keys: lines "ni:///sha-256;VALUE ENTITY [EXPIRES]"; reread when changed */
	const char *crl;             /* PEM: revocation lists; reread when changed */
	const char *ocsp_url;        /* "http://..." of a responder, which is asked about peers whose certificate came without a good staple */
	const struct tls_ocsp_asker *ocsp; /* needed for ocsp_url; stays the caller's, for the life of the credentials */
	bool ocsp_soft;              /* a responder that does not answer is no reason to refuse */
	bool legacy_suites;
	bool guests;                 /* a server asks clients for nothing: they have no name (TLS_METHOD_NONE). For what authenticates above TLS, or nobody */
};

/* ERR_CONFIG with a sentence that names the file in `why`, ERR_TLS, ERR_NO_MEMORY. */
enum err tls_credentials_new(const struct tls_config *c, char why[static TLS_WHY_MAX], struct tls_credentials **out) MUST_CHECK;
/* A server takes PSK too. The source stays the caller's, for the life of the credentials. */
enum err tls_credentials_psk_source(struct tls_credentials *c, const struct psk_source *source) MUST_CHECK;
/* A client offers PSK; the key is copied. */
enum err tls_credentials_psk(struct tls_credentials *c, const char *identity, const struct secret *key) MUST_CHECK;
/* A server: ends the open associations under pre-shared keys that their source has no more. Their owners see them break. */
void tls_credentials_recheck(struct tls_credentials *c);
/* Who uses credentials beyond a call holds them: each hold needs a free of its own. */
struct tls_credentials *tls_credentials_hold(struct tls_credentials *c);
void tls_credentials_free(struct tls_credentials *c); /* accepts NULL */

/* Who has other credentials for some that it asks: of(ctx, "/id-in") gives those for this target, NULL for none; they stay the callee's. */
struct tls_choice {
	struct tls_credentials *(*of)(void *ctx, const char *target_id); /* NULL: for nobody */
	void *ctx;
};
static inline struct tls_credentials *tls_choose(const struct tls_choice *c, const char *target_id, struct tls_credentials *otherwise)
{
	struct tls_credentials *own = c->of ? c->of(c->ctx, target_id) : NULL;

	return own ? own : otherwise;
}

/* ---- the same for frequent cases ---- */
/* PEM files, one end of mutual certificates. */
enum err tls_certificates(const char *ca_path, const char *cert_path, const char *key_path, struct tls_credentials **out) MUST_CHECK;
/* Server side of PSK: tls/psk_file.h as the only source. ERR_CONFIG when others may read the file. */
enum err tls_psk_server(const char *psk_path, struct tls_credentials **out) MUST_CHECK;
/* A client whose key is in such a file. */
enum err tls_psk_client(const char *identity, const char *psk_path, struct tls_credentials **out) MUST_CHECK;

/* What there is of the files of trust now; they are looked at first. One that cannot be read, or is gone, changes nothing: what it said before stays in
 * force, which is not what its owner wants, so it has to be told. A revocation list ends at its nextUpdate: then every certificate of its CA is refused. */
struct tls_trust {
	char trouble[TLS_WHY_MAX]; /* a sentence that names the file; "": none */
	uint64_t crl_until;              /* Unix seconds: the first nextUpdate; 0: none */
};
const struct tls_trust *tls_credentials_trust(struct tls_credentials *c);

/* The RFC 6920 name "ni:///sha-256;..." of the public key of a PEM private or public key file, as others pin it. ERR_CONFIG. */
#define TLS_NI_MAX 64
enum err tls_public_key_name(const char *path, char name[static TLS_NI_MAX]) MUST_CHECK;

#endif
