/* JOSE: JSON Web Encryption (RFC 7516) and Signature (RFC 7515), compact and JSON, by the algorithms that oneM2M's end-to-end security and tokens
 * name (TS-0003 8.4, 8.5, 7.3.2) and no others. On nettle and GnuTLS, with keys that are struct secret or PEM.
 *
 *	if ((e = jose_parse(text, &t)) == OK) {
 *		key = whose_key(jose_header(t, 0)->kid);
 *		e = jose_open(t, 0, key, &allowed, &rng, &plain);
 *	}
 *	jose_free(t);
 *
 * What a peer cannot do here:
 *	choose the algorithm   the caller says which are allowed; each algorithm takes one kind of key of one size, so that a public key is never taken
 *	                       for an HMAC key; `none` does not exist
 *	bring a key along      jwk, jku, x5c and x5u are never looked at
 *	make it work           `zip` and `crit` are refused (no decompression bombs), as are b64, PBES2, and a name that stands twice; sizes are bounded
 *	learn from an error    a cipher text that does not open is ERR_BAD_MIC whatever is wrong with it (RFC 7516 11.5)
 *
 * Why no JOSE library: the one that Debian has for GnuTLS keeps keys as text in ordinary memory, compares authentication tags in time that
 * depends on them, and brings an HTTP, an LDAP and a Kerberos client. It is some hundred lines over the primitives that are linked anyway. */
#ifndef KEYWAY_JOSE_JOSE_H
#define KEYWAY_JOSE_JOSE_H

#include "json/json.h"
#include "keys/secret.h"

#define JOSE_TEXT_MAX (4U << 20) /* of a serialised object */
#define JOSE_HEADER_MAX 16384    /* of each header: room for rand objects of ESPrim, not for much work */
#define JOSE_PARTS_MAX 16        /* recipients or signatures; bounds the public-key operations that one text can cause */
#define JOSE_KEY_TEXT_MAX 16384  /* of a PEM key or certificate */

enum jose_alg {
	JOSE_NO_ALG, /* none, or one that we do not have */
	JOSE_HS256,
	JOSE_HS384,
	JOSE_HS512,
	JOSE_RS256,
	JOSE_RS384,
	JOSE_RS512,
	JOSE_ES256,
	JOSE_ES384,
	JOSE_ES512,
	JOSE_DIR,
	JOSE_A128KW,
	JOSE_A192KW,
	JOSE_A256KW,
	JOSE_ECDH_ES_A128KW,
	JOSE_ECDH_ES_A192KW,
	JOSE_ECDH_ES_A256KW,
	JOSE_RSA_OAEP_256,
};
enum jose_enc { JOSE_NO_ENC, JOSE_A128GCM, JOSE_A192GCM, JOSE_A256GCM };

const char *jose_alg_name(enum jose_alg alg); /* never NULL */
const char *jose_enc_name(enum jose_enc enc);
enum jose_alg jose_alg_of(struct rd name);
enum jose_enc jose_enc_of(struct rd name);
size_t jose_enc_octets(enum jose_enc enc);            /* of its key; 0 for none */
/* Octets that a symmetric key must have (HMAC: at least, RFC 7518 3.2); 0: the algorithm takes no symmetric key, or dir. */
size_t jose_alg_octets(enum jose_alg alg);

/* What the caller allows: JOSE_MAY(JOSE_ES256) | JOSE_MAY(JOSE_HS256). */
#define JOSE_MAY(x) (UINT32_C(1) << (x))
#define JOSE_MAY_SIGN_SYMMETRIC (JOSE_MAY(JOSE_HS256) | JOSE_MAY(JOSE_HS384) | JOSE_MAY(JOSE_HS512))
#define JOSE_MAY_SIGN_PUBLIC (JOSE_MAY(JOSE_RS256) | JOSE_MAY(JOSE_RS384) | JOSE_MAY(JOSE_RS512) | JOSE_MAY(JOSE_ES256) | JOSE_MAY(JOSE_ES384) | JOSE_MAY(JOSE_ES512))
#define JOSE_MAY_WRAP (JOSE_MAY(JOSE_A128KW) | JOSE_MAY(JOSE_A192KW) | JOSE_MAY(JOSE_A256KW))
#define JOSE_MAY_ENCRYPT_PUBLIC (JOSE_MAY(JOSE_ECDH_ES_A128KW) | JOSE_MAY(JOSE_ECDH_ES_A192KW) | JOSE_MAY(JOSE_ECDH_ES_A256KW) | JOSE_MAY(JOSE_RSA_OAEP_256))
#define JOSE_MAY_EVERY_ENC (JOSE_MAY(JOSE_A128GCM) | JOSE_MAY(JOSE_A192GCM) | JOSE_MAY(JOSE_A256GCM))
struct jose_allowed {
	uint32_t algs, encs;
};

/* ---- keys ---- */

struct jose_key;
struct jose_key *jose_key_secret(const struct secret *s); /* a copy; NULL without memory */
/* PEM: a private key (unencrypted PKCS#8, SEC1 or PKCS#1), which signs and opens; a public key or certificate, which verifies and seals. RSA of
 * 2048 bits or more, or P-256, P-384, P-521. ERR_MALFORMED, ERR_UNSUPPORTED. The caller wipes a private key's text; checking a certificate's
 * chain is the caller's too. */
enum err jose_key_parse(struct rd pem, struct jose_key **key) MUST_CHECK;
void jose_key_free(struct jose_key *k); /* accepts NULL */
bool jose_key_is_symmetric(const struct jose_key *k);
/* Whether the key is one for this algorithm, in the half that is there: dir takes any symmetric one. */
bool jose_key_fits(const struct jose_key *k, enum jose_alg alg);

/* ---- reading ---- */

struct jose;
struct jose_header {
	enum jose_alg alg;
	enum jose_enc enc;           /* JWE */
	struct rd kid, cty, typ;     /* empty when absent; unescaped */
	const struct json *protected; /* what the integrity code covers; NULL when there is none */
};

/* The text is borrowed for as long as the object lives. ERR_MALFORMED, ERR_TOO_LONG, ERR_UNSUPPORTED (zip, crit, b64), ERR_NO_MEMORY. */
enum err jose_parse(struct rd text, struct jose **out) MUST_CHECK;
void jose_free(struct jose *j); /* accepts NULL */
bool jose_is_encrypted(const struct jose *j);
bool jose_is_compact(const struct jose *j);
size_t jose_parts(const struct jose *j); /* recipients or signatures, at least 1 */
const struct jose_header *jose_header(const struct jose *j, size_t part); /* NULL beyond the last */

/* Writes the plain text. ERR_NOT_PERMITTED: an algorithm that is not allowed; ERR_UNSUPPORTED: one that is not known; ERR_BAD_VALUE: not a key for
 * this algorithm; ERR_BAD_MIC; ERR_MALFORMED; ERR_TOO_LONG: the writer is full; ERR_STATE: it is a signature. */
enum err jose_open(const struct jose *j, size_t part, const struct jose_key *key, const struct jose_allowed *allowed, struct rng *rng,
    struct wr *plain) MUST_CHECK;
/* What was signed, borrowed from the object. The same errors. */
enum err jose_verify(const struct jose *j, size_t part, const struct jose_key *key, const struct jose_allowed *allowed,
    struct rd *payload) MUST_CHECK;

/* ---- writing ---- */

enum jose_form { JOSE_COMPACT, JOSE_FLATTENED, JOSE_GENERAL };

struct jose_party {
	enum jose_alg alg;
	struct rd kid; /* may be empty */
	const struct jose_key *key;
};

struct jose_making {
	enum jose_form form;
	enum jose_enc enc; /* JWE */
	const struct jose_party *parties; /* one; several only in the general form, and never with dir */
	size_t count;
	const char *typ, *cty; /* may be NULL */
	struct rd members;     /* more of the protected header, as JSON: `"ori":"u1","rri":"s1"`; may be empty */
};

/* ERR_BAD_VALUE: not a key for this algorithm, or a combination that cannot be; ERR_TOO_LONG; ERR_CRYPTO. */
enum err jose_encrypt(const struct jose_making *how, struct rd plain, struct rng *rng, struct wr *out) MUST_CHECK;
enum err jose_sign(const struct jose_making *how, struct rd payload, struct wr *out) MUST_CHECK;

#endif
