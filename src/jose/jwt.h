/* JSON Web Tokens (RFC 7519): claims that are signed, encrypted, or signed and then encrypted, compact.
 *
 * The claims are read only after every layer was verified. What the claims say (time, audience, holder) is for the caller to check. */
#ifndef KEYWAY_JOSE_JWT_H
#define KEYWAY_JOSE_JWT_H

#include "jose/jose.h"

struct jwt_policy {
	struct jose_allowed allowed;
	/* The key for a layer; the caller's, NULL when there is none. `encrypted`: to open with; otherwise to verify with. */
	const struct jose_key *(*find)(void *ctx, const struct jose_header *h, bool encrypted);
	void *ctx;
	struct rng *rng;
};

struct jwt {
	bool is_signed, is_encrypted;
	bool by_public_key;        /* the signature is one that only its issuer can make */
	char signer[256], sealer[256]; /* kid of each layer; "" when absent */
	const struct json *claims; /* an object, as long as the jwt lives */
	struct json_arena *arena;
	struct wr inner, text;
};

/* ERR_UNKNOWN_KEY when find has none; ERR_MALFORMED also for nesting deeper than signed within encrypted and for claims that are no object;
 * otherwise the errors of jose_parse, jose_open and jose_verify. Nothing is to be freed on failure. */
enum err jwt_open(struct rd text, const struct jwt_policy *policy, struct jwt *out) MUST_CHECK;
void jwt_clear(struct jwt *t);

#endif
