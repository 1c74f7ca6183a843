/* Who may issue tokens to this CSE, and by which keys: [tokens] of the configuration.
 *
 * The file of issuers has a line for each key:
 *
 *	verify KID FILE ISSUER     a public key or certificate, and who signs with its private half
 *	open KID FILE              a private key of this CSE, for tokens that are encrypted to it
 *
 * '#' begins a comment. Symmetric keys are in a credential store, of the kinds esdata and esdata-wrap (to open) and esdata-hmac (to verify); the row's
 * entity is the issuer. A token that is encrypted alone counts when its key is symmetric: to a public key anybody can encrypt. */
#ifndef KEYWAY_CSE_TOKEN_KEYS_H
#define KEYWAY_CSE_TOKEN_KEYS_H

#include "cse/cse.h"
#include "programs/keyway-cse/options.h"

struct token_keys;

/* Says on the log what is wrong. *out NULL when the configuration has no issuers. */
enum err token_keys_start(const struct options *o, struct cse *c, struct token_keys **out) MUST_CHECK;
void token_keys_free(struct token_keys *t); /* accepts NULL; after the CSE's end */

#endif
