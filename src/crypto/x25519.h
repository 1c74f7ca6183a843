/* Diffie-Hellman on Curve25519 (RFC 7748). A point is public, a private key and what two sides share are secrets of 32 octets. */
#ifndef KEYWAY_CRYPTO_X25519_H
#define KEYWAY_CRYPTO_X25519_H

#include "base/rng.h"
#include "keys/secret.h"

#define X25519_SIZE 32

struct x25519_point {
	uint8_t octets[X25519_SIZE]; /* as they travel */
};

/* A new pair. ERR_NO_MEMORY. */
enum err x25519_make(struct rng *rng, struct secret **own, struct x25519_point *point) MUST_CHECK;
/* The point of a private key. ERR_BAD_VALUE when it has not 32 octets. */
enum err x25519_point_of(const struct secret *own, struct x25519_point *point) MUST_CHECK;
/* ERR_BAD_VALUE: the point is of small order, and would make the shared secret zero whatever our key is (RFC 7748 clause 6.1). */
enum err x25519_agree(const struct secret *own, const struct x25519_point *point, struct secret **shared) MUST_CHECK;

#endif
