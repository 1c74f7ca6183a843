/* ECDH over nettle's curves. */
#include "crypto/ecdh.h"

#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/ecdsa.h>
#include <nettle/sha2.h>

#include "base/bytes.h"
#include "base/wr.h"

static void random_octets(void *ctx, size_t len, uint8_t *dst)
{
	rng_fill(ctx, dst, len);
}

static const struct ecc_curve *curve_of(enum ecdh_curve curve)
{
	switch (curve) {
	case ECDH_P256:
		return nettle_get_secp_256r1();
	case ECDH_P384:
		return nettle_get_secp_384r1();
	case ECDH_P521:
		return nettle_get_secp_521r1();
	}
	return NULL;
}

size_t ecdh_octets(enum ecdh_curve curve)
{
	return curve == ECDH_P256 ? 32 : curve == ECDH_P384 ? 48 : 66;
}

static bool point_set(struct ecc_point *to, const struct ecdh_point *p)
{
	size_t n = ecdh_octets(p->curve);
	mpz_t x, y;
	bool good;

	ecc_point_init(to, curve_of(p->curve));
	nettle_mpz_init_set_str_256_u(x, n, p->x);
	nettle_mpz_init_set_str_256_u(y, n, p->y);
	good = ecc_point_set(to, x, y) != 0;
	mpz_clear(x);
	mpz_clear(y);
	return good;
}

static void point_get(const struct ecc_point *from, enum ecdh_curve curve, struct ecdh_point *p)
{
	size_t n = ecdh_octets(curve);
	mpz_t x, y;

	mpz_init(x);
	mpz_init(y);
	ecc_point_get(from, x, y);
	p->curve = curve;
	nettle_mpz_get_str_256(n, p->x, x);
	nettle_mpz_get_str_256(n, p->y, y);
	mpz_clear(x);
	mpz_clear(y);
}

bool ecdh_point_valid(const struct ecdh_point *p)
{
	struct ecc_point point;
	bool good = point_set(&point, p);

	ecc_point_clear(&point);
	return good;
}

static void hash_be32(struct sha256_ctx *h, size_t v)
{
	uint8_t octets[4];
	struct wr w = wr_of(octets, sizeof octets);

	wr_be32(&w, (uint32_t)v);
	sha256_update(h, sizeof octets, octets);
}

static void hash_part(struct sha256_ctx *h, struct rd part)
{
	hash_be32(h, part.left);
	sha256_update(h, part.left, part.at);
}

/* One round of SHA-256 gives the 32 octets at most that are wanted. */
static enum err derive(const struct ecc_scalar *scalar, const struct ecc_point *with, enum ecdh_curve curve, const struct ecdh_info *info,
    size_t octets, struct secret **key)
{
	struct ecdh_point shared;
	struct ecc_point product;
	struct sha256_ctx h;
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct secret *s;

	ecc_point_init(&product, curve_of(curve));
	ecc_point_mul(&product, scalar, with);
	point_get(&product, curve, &shared);
	ecc_point_clear(&product);
	sha256_init(&h);
	hash_be32(&h, 1);
	sha256_update(&h, ecdh_octets(curve), shared.x);
	hash_part(&h, info->algorithm);
	hash_part(&h, info->apu);
	hash_part(&h, info->apv);
	hash_be32(&h, octets * 8);
	sha256_digest(&h, sizeof digest, digest);
	bytes_wipe(&h, sizeof h);
	bytes_wipe(&shared, sizeof shared);
	s = secret_take(digest, octets);
	bytes_wipe(digest, sizeof digest);
	if (!s)
		return ERR_NO_MEMORY;
	*key = s;
	return OK;
}

static bool octets_fit(size_t octets)
{
	return octets == 16 || octets == 24 || octets == 32;
}

enum err ecdh_seal(const struct ecdh_point *to, const struct ecdh_info *info, size_t octets, struct rng *rng, struct ecdh_point *ephemeral,
    struct secret **key)
{
	const struct ecc_curve *curve = curve_of(to->curve);
	struct ecc_point with, point;
	struct ecc_scalar scalar;
	enum err e = ERR_BAD_VALUE;

	ecc_point_init(&point, curve);
	ecc_scalar_init(&scalar, curve);
	if (point_set(&with, to) && octets_fit(octets)) {
		ecdsa_generate_keypair(&point, &scalar, rng, random_octets);
		e = derive(&scalar, &with, to->curve, info, octets, key);
	}
	if (e == OK)
		point_get(&point, to->curve, ephemeral);
	ecc_scalar_clear(&scalar);
	ecc_point_clear(&point);
	ecc_point_clear(&with);
	return e;
}

enum err ecdh_open(enum ecdh_curve curve, struct rd own, const struct ecdh_point *ephemeral, const struct ecdh_info *info, size_t octets,
    struct secret **key)
{
	struct ecc_point with;
	struct ecc_scalar scalar;
	enum err e = ERR_BAD_VALUE;
	mpz_t z;

	if (ephemeral->curve != curve || !octets_fit(octets))
		return ERR_BAD_VALUE;
	ecc_scalar_init(&scalar, curve_of(curve));
	nettle_mpz_init_set_str_256_u(z, own.left, own.at);
	if (point_set(&with, ephemeral) && ecc_scalar_set(&scalar, z))
		e = derive(&scalar, &with, curve, info, octets, key);
	mpz_clear(z);
	ecc_scalar_clear(&scalar);
	ecc_point_clear(&with);
	return e;
}
