/* End-to-End Security of Data (TS-0003 8.5): content that stays sealed or signed wherever it is stored, for the value of `con` or of any attribute.
 *
 *	encryption     a JWE: dir, A128KW.., ECDH-ES+A128KW.., RSA-OAEP-256
 *	signature      a JWS: HS, RS, ES
 *	nested         a JWS within a JWE (`cty` says JWS)
 *
 * Keys are known by their identifiers (`kid`) and usages: a key for encryption never signs and the other way round (SUIDs 14/24/34 and 15/25/35, 44 and
 * 45). Symmetric ones have 32 octets, of which an algorithm gets the first that it needs (security/derive.h). */
#ifndef KEYWAY_E2E_ESDATA_H
#define KEYWAY_E2E_ESDATA_H

#include "jose/jose.h"
#include "security/credential.h"

/* ---- contentInfo (cnf): media type : encoding [: security], TS-0001 9.6.7, TS-0004 6.3.3 ---- */

enum content_security {
	CONTENT_SECURITY_NONE = 0,
	CONTENT_SECURITY_JOSE_COMPACT = 1,
	CONTENT_SECURITY_JOSE_JSON = 2,
	CONTENT_SECURITY_JOSE_JSON_BASE64 = 3,
	CONTENT_SECURITY_XML = 4,        /* known, not offered */
	CONTENT_SECURITY_XML_BASE64 = 5,
};

#define CONTENT_INFO_MAX 160

struct content_info {
	struct rd media;      /* borrowed: "application/json" */
	unsigned encoding;    /* 0 plain, 1 base64 of text, 2 base64 of octets: of what is inside */
	enum content_security security;
};

/* ERR_MALFORMED. The third field is optional; so is the second when the third is absent. */
enum err content_info_parse(struct rd cnf, struct content_info *info) MUST_CHECK;
enum err content_info_print(const struct content_info *info, char cnf[static CONTENT_INFO_MAX]) MUST_CHECK;

/* ---- keys ---- */

struct esdata_key {
	enum suid suid;          /* what it may be used for */
	enum jose_alg alg;
	struct jose_key *key;    /* NULL for dir */
	struct secret *secret;   /* dir's: how much of it is used, enc says */
	char kid[CREDENTIAL_ID_MAX];
};

/* A key of 32 octets from MEF, MAF or configuration. alg JOSE_NO_ALG: dir for encryption, HS256 for signatures.
 * ERR_BAD_VALUE: a usage or an algorithm that do not go together, another length, no key identifier. */
enum err esdata_key_symmetric(struct esdata_key *k, enum suid suid, const char *kid, const struct secret *secret, enum jose_alg alg) MUST_CHECK;
/* PEM: a private key to open or sign, a certificate to seal or verify; suid SUID_CERT_ESDATA_ENC or _SIG. alg JOSE_NO_ALG: ECDH-ES+A256KW or RSA-OAEP-256,
 * ES256.. or RS256 by the key. kid: the certificate's name among those who share it. */
enum err esdata_key_pem(struct esdata_key *k, enum suid suid, const char *kid, struct rd pem, enum jose_alg alg) MUST_CHECK;
void esdata_key_clear(struct esdata_key *k);

/* ---- sealing ---- */

struct esdata_making {
	enum content_security security;   /* of JOSE */
	enum jose_enc enc;
	const struct esdata_key *sealers; /* for whom it is encrypted: several only in JSON; none for a signature alone */
	size_t count;
	const struct esdata_key *signer;  /* NULL: encrypted alone */
};

#define ESDATA_MAX (1U << 20)

/* The text that `con` gets. ERR_BAD_VALUE, ERR_TOO_LONG. */
enum err esdata_seal(const struct esdata_making *how, struct rd data, struct rng *rng, struct wr *con) MUST_CHECK;

/* ---- opening ---- */

struct esdata_policy {
	/* The key that kid names, the caller's; NULL when there is none. `encrypted`: to open with, otherwise to verify with. */
	const struct esdata_key *(*find)(void *ctx, struct rd kid, bool encrypted);
	void *ctx;
	bool must_be_encrypted, must_be_signed;
	struct rng *rng;
};

struct esdata_verdict {
	bool was_encrypted, was_signed;
	char sealer[CREDENTIAL_ID_MAX], signer[CREDENTIAL_ID_MAX]; /* kid of the keys that opened and verified; "" */
};

/* ERR_UNSUPPORTED: XML security; ERR_STATE: no security, or less than must be; ERR_UNKNOWN_KEY; ERR_NOT_PERMITTED: the key is not for this; ERR_BAD_MIC;
 * ERR_MALFORMED; ERR_TOO_LONG. Nothing is in the writer then. */
enum err esdata_open(enum content_security security, struct rd con, const struct esdata_policy *policy, struct esdata_verdict *verdict,
    struct wr *data) MUST_CHECK;

#endif
