/* Tokens in the form in which a CSE takes them: signed by the DAS (JWS, ES256.. or RS256), and for a CSE whose public key is known, encrypted to it
 * (JWE with the JWS in it, `cty` JWT). TS-0003 clause 7.3.2.5.
 *
 *	das_sealer_new(&files, &rng, &s, why);
 *	const struct das_config c = {..., .seal = das_seal, .ctx = s}; */
#ifndef KEYWAY_DAS_DAS_TOKEN_H
#define KEYWAY_DAS_DAS_TOKEN_H

#include <stddef.h>

#include "base/err.h"
#include "base/rng.h"
#include "base/wr.h"

struct das_sealer;

#define DAS_WHY_MAX 512
#define DAS_RECIPIENTS_MAX 64

struct das_token_files {
	const char *key, *kid;      /* PEM: the private key that signs, and its name for those who verify */
	const char *recipients;     /* lines `CSE-ID KID FILE`: to whom tokens are encrypted, and with what (PEM certificate or public key); may be NULL */
};
/* ERR_CONFIG with a sentence in `why`, ERR_NO_MEMORY. */
enum err das_sealer_new(const struct das_token_files *files, struct rng *rng, struct das_sealer **out, char why[static DAS_WHY_MAX]) MUST_CHECK;
void das_sealer_free(struct das_sealer *s); /* accepts NULL */

/* As das_config's seal; ctx is a das_sealer. */
enum err das_seal(void *ctx, struct rd claims, const char *cse, struct wr *token) MUST_CHECK;

#endif
