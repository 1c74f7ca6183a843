/* RSA-OAEP with SHA-256 and MGF1-SHA-256 (RFC 8017 7.1), empty label, for keys up to SECRET_MAX octets. The modulus has 2048 to 8192 bits.
 *
 * Opening tells one thing only, ERR_BAD_MIC, and takes the same path whatever is wrong with the block: who could tell one fault from another
 * could open what he likes (Manger's attack). */
#ifndef KEYWAY_CRYPTO_RSA_OAEP_H
#define KEYWAY_CRYPTO_RSA_OAEP_H

#include <nettle/rsa.h>

#include "base/wr.h"
#include "keys/secret.h"

/* Octets of a modulus. */
#define RSA_LEAST 256
#define RSA_MOST 1024

enum err rsa_oaep_seal(const struct rsa_public_key *to, const struct secret *key, struct rng *rng, struct wr *sealed) MUST_CHECK;
enum err rsa_oaep_open(const struct rsa_public_key *public_key, const struct rsa_private_key *own, struct rng *rng, struct rd sealed,
    struct secret **key) MUST_CHECK;

#endif
