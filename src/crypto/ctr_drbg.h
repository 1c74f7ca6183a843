/* CTR_DRBG with AES-128, without derivation function, reseeding or additional input (NIST SP 800-90A clause 10.2.1): two sides that seeded it
 * alike draw the same numbers, which Z-Wave's S2 uses as nonces. Not for making keys. */
#ifndef KEYWAY_CRYPTO_CTR_DRBG_H
#define KEYWAY_CRYPTO_CTR_DRBG_H

#include "keys/secret.h"

#define CTR_DRBG_SEED 32
#define CTR_DRBG_BLOCK 16

struct ctr_drbg {
	struct secret *state; /* key | V; NULL: not seeded */
};

/* The exclusive or of entropy and personalisation, CTR_DRBG_SEED octets each, is the seed. The former state is freed. ERR_BAD_VALUE for other lengths. */
enum err ctr_drbg_seed(struct ctr_drbg *d, const struct secret *entropy, const struct secret *personalisation) MUST_CHECK;
/* ERR_STATE when not seeded; the state is unchanged after an error. */
enum err ctr_drbg_next(struct ctr_drbg *d, uint8_t block[static CTR_DRBG_BLOCK]) MUST_CHECK;
/* A copy, to look ahead with. ERR_STATE when there is nothing to copy. */
enum err ctr_drbg_copy(struct ctr_drbg *to, const struct ctr_drbg *from) MUST_CHECK;
void ctr_drbg_free(struct ctr_drbg *d);

#endif
