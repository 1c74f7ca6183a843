/* Shared by the files of src/jose. */
#ifndef KEYWAY_JOSE_PRIVATE_H
#define KEYWAY_JOSE_PRIVATE_H

#include "crypto/ecdh.h"
#include "jose/jose.h"

enum jose_kind { JOSE_KIND_NONE, JOSE_KIND_HMAC, JOSE_KIND_RSA_SIGN, JOSE_KIND_EC_SIGN, JOSE_KIND_DIR, JOSE_KIND_WRAP, JOSE_KIND_ECDH, JOSE_KIND_OAEP };

struct jose_alg_row {
	const char *name;
	enum jose_kind kind;
	unsigned bits; /* of the hash, or of the key-wrapping key */
};
const struct jose_alg_row *jose_alg_row(enum jose_alg alg);

/* The symmetric key when it has the size that the algorithm takes; NULL otherwise. Of dir: the size that enc takes. */
const struct secret *jose_key_symmetric(const struct jose_key *k, enum jose_alg alg, enum jose_enc enc);
/* ERR_BAD_VALUE: not a key for this. */
enum err jose_key_sign(const struct jose_key *k, enum jose_alg alg, struct rd text, struct wr *signature) MUST_CHECK;
enum err jose_key_verify(const struct jose_key *k, enum jose_alg alg, struct rd text, struct rd signature) MUST_CHECK;
enum err jose_key_ecdh_seal(const struct jose_key *k, const struct ecdh_info *info, size_t octets, struct rng *rng, struct ecdh_point *ephemeral,
    struct secret **kek) MUST_CHECK;
enum err jose_key_ecdh_open(const struct jose_key *k, const struct ecdh_point *ephemeral, const struct ecdh_info *info, size_t octets,
    struct secret **kek) MUST_CHECK;
enum err jose_key_oaep_seal(const struct jose_key *k, const struct secret *cek, struct rng *rng, struct wr *sealed) MUST_CHECK;
enum err jose_key_oaep_open(const struct jose_key *k, struct rng *rng, struct rd sealed, struct secret **cek) MUST_CHECK;

struct jose_part {
	struct jose_header header;
	const struct json *headers[3]; /* protected, shared, its own: where a parameter may stand, in one of them only */
	struct rd protected_text;      /* base64url */
	struct rd value;               /* signature or encrypted key */
};

struct jose {
	struct json_arena *arena;
	bool encrypted, compact;
	struct jose_part parts[JOSE_PARTS_MAX];
	size_t count;
	struct rd payload_text, payload;            /* JWS */
	struct rd nonce, aad_text, cipher, tag;     /* JWE */
	bool has_aad;
};

/* A header parameter of the part, wherever it stands; NULL when there is none. */
const struct json *jose_parameter(const struct jose_part *p, const char *name);

#define JOSE_CURVES 3
extern const char *const jose_curve_names[JOSE_CURVES]; /* by enum ecdh_curve */

#endif
