/* Static and ephemeral ECDH over the NIST curves, right into the Concat KDF of NIST SP 800-56A with SHA-256 (RFC 7518 4.6): the shared point
 * never leaves this file. A coordinate and a scalar have ecdh_octets() octets, most significant first. */
#ifndef KEYWAY_CRYPTO_ECDH_H
#define KEYWAY_CRYPTO_ECDH_H

#include "keys/secret.h"

#define ECDH_OCTETS_MAX 66

enum ecdh_curve { ECDH_P256, ECDH_P384, ECDH_P521 };

struct ecdh_point {
	enum ecdh_curve curve;
	uint8_t x[ECDH_OCTETS_MAX], y[ECDH_OCTETS_MAX];
};

size_t ecdh_octets(enum ecdh_curve curve);
/* False for what is not on its curve. */
bool ecdh_point_valid(const struct ecdh_point *p) MUST_CHECK;

/* The other info of the KDF, in its order; the length of the result ends it. */
struct ecdh_info {
	struct rd algorithm, apu, apv;
};

/* Makes an ephemeral key, whose point goes to the other side, and what both derive: octets 16, 24 or 32. ERR_BAD_VALUE: `to` is not on its curve. */
enum err ecdh_seal(const struct ecdh_point *to, const struct ecdh_info *info, size_t octets, struct rng *rng, struct ecdh_point *ephemeral,
    struct secret **key) MUST_CHECK;
/* own: the private scalar. ERR_BAD_VALUE: the point is on another curve or on none (an invalid-curve attack). */
enum err ecdh_open(enum ecdh_curve curve, struct rd own, const struct ecdh_point *ephemeral, const struct ecdh_info *info, size_t octets,
    struct secret **key) MUST_CHECK;

#endif
