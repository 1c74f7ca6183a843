/* X25519 over nettle. */
#include "crypto/x25519.h"

#include <nettle/curve25519.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

_Static_assert(X25519_SIZE == CURVE25519_SIZE, "a point has the size that nettle gives it");

enum err x25519_point_of(const struct secret *own, struct x25519_point *point)
{
	if (secret_len(own) != X25519_SIZE)
		return ERR_BAD_VALUE;
	curve25519_mul_g(point->octets, secret_octets(own));
	return OK;
}

enum err x25519_make(struct rng *rng, struct secret **own, struct x25519_point *point)
{
	struct secret *s = secret_random(rng, X25519_SIZE);
	enum err e = s ? x25519_point_of(s, point) : ERR_NO_MEMORY;

	if (e != OK) {
		secret_free(s);
		return e;
	}
	*own = s;
	return OK;
}

enum err x25519_agree(const struct secret *own, const struct x25519_point *point, struct secret **shared)
{
	static const uint8_t zero[X25519_SIZE];
	uint8_t octets[X25519_SIZE];

	if (secret_len(own) != X25519_SIZE)
		return ERR_BAD_VALUE;
	curve25519_mul(octets, secret_octets(own), point->octets);
	if (bytes_equal_ct(octets, zero, sizeof zero))
		return ERR_BAD_VALUE;
	*shared = secret_take(octets, sizeof octets);
	return *shared ? OK : ERR_NO_MEMORY;
}
