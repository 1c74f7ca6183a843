/* RSA-OAEP-256. A block is 00 || masked seed (32) || masked (hash of the label (32) || 00... || 01 || key). */
#include "crypto/rsa_oaep.h"

#include <nettle/bignum.h>
#include <nettle/pss-mgf1.h>
#include <nettle/sha2.h>
#include <string.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

#define HASH SHA256_DIGEST_SIZE
#define SEED_AT 1
#define DATA_AT (1 + HASH)

static void random_octets(void *ctx, size_t len, uint8_t *dst)
{
	rng_fill(ctx, dst, len);
}

static void mask(const uint8_t *from, size_t from_len, uint8_t *at, size_t len)
{
	struct sha256_ctx h;
	uint8_t m[RSA_MOST];

	sha256_init(&h);
	sha256_update(&h, from_len, from);
	pss_mgf1(&h, &nettle_sha256, len, m);
	for (size_t i = 0; i < len; i++)
		at[i] ^= m[i];
	bytes_wipe(m, sizeof m);
	bytes_wipe(&h, sizeof h);
}

static void hash_of_label(uint8_t digest[static HASH])
{
	struct sha256_ctx h;

	sha256_init(&h);
	sha256_digest(&h, HASH, digest);
}

static bool size_fits(const struct rsa_public_key *k)
{
	return k->size >= RSA_LEAST && k->size <= RSA_MOST;
}

enum err rsa_oaep_seal(const struct rsa_public_key *to, const struct secret *key, struct rng *rng, struct wr *sealed)
{
	uint8_t block[RSA_MOST] = {0}, *out;
	size_t n = to->size, len = secret_len(key);
	mpz_t m;

	if (!size_fits(to))
		return ERR_BAD_VALUE;
	rng_fill(rng, block + SEED_AT, HASH);
	hash_of_label(block + DATA_AT);
	block[n - len - 1] = 1;
	memcpy(block + n - len, secret_octets(key), len);
	mask(block + SEED_AT, HASH, block + DATA_AT, n - DATA_AT);
	mask(block + DATA_AT, n - DATA_AT, block + SEED_AT, HASH);
	nettle_mpz_init_set_str_256_u(m, n, block);
	bytes_wipe(block, sizeof block);
	mpz_powm(m, m, to->e, to->n);
	out = wr_room(sealed, n);
	if (out)
		nettle_mpz_get_str_256(n, out, m);
	mpz_clear(m);
	return out ? OK : ERR_TOO_LONG;
}

/* 0xff when a equals b, else 0; and what either of two octets is, by such a mask: no branch on what they are. */
static uint8_t same(uint8_t a, uint8_t b)
{
	return (uint8_t)(((uint32_t)(a ^ b) - 1) >> 24);
}

static size_t pick(uint8_t m, size_t yes, size_t no)
{
	size_t wide = (size_t)0 - (size_t)(m & 1);

	return (yes & wide) | (no & ~wide);
}

/* Where the key begins, found by a walk over the whole block. *bad gathers every fault. */
static size_t key_begin(const uint8_t *block, size_t n, uint8_t *bad)
{
	size_t begin = n;
	uint8_t found = 0;

	for (size_t i = DATA_AT + HASH; i < n; i++) {
		uint8_t is_one = same(block[i], 1), is_zero = same(block[i], 0);

		begin = pick((uint8_t)(is_one & ~found), i + 1, begin);
		*bad |= (uint8_t)(~found & ~is_one & ~is_zero);
		found |= is_one;
	}
	*bad |= (uint8_t)~found;
	return begin;
}

enum err rsa_oaep_open(const struct rsa_public_key *public_key, const struct rsa_private_key *own, struct rng *rng, struct rd sealed,
    struct secret **key)
{
	uint8_t block[RSA_MOST], label[HASH], bad = 0;
	struct secret *s = NULL;
	size_t n = public_key->size, begin;
	mpz_t m, x;

	if (!size_fits(public_key))
		return ERR_BAD_VALUE;
	if (sealed.left != n)
		return ERR_BAD_MIC;
	nettle_mpz_init_set_str_256_u(m, n, sealed.at);
	mpz_init(x);
	/* Blinded and without branches on the private key. A number not below the modulus is no cipher text. */
	if (mpz_cmp(m, public_key->n) >= 0 || !rsa_compute_root_tr(public_key, own, rng, random_octets, x, m))
		bad = 0xff;
	nettle_mpz_get_str_256(n, block, x);
	mpz_clear(m);
	mpz_clear(x);
	mask(block + DATA_AT, n - DATA_AT, block + SEED_AT, HASH);
	mask(block + SEED_AT, HASH, block + DATA_AT, n - DATA_AT);
	hash_of_label(label);
	for (size_t i = 0; i < HASH; i++)
		bad |= block[DATA_AT + i] ^ label[i];
	bad |= block[0];
	begin = key_begin(block, n, &bad);
	if (bad == 0 && begin < n && n - begin <= SECRET_MAX)
		s = secret_take(block + begin, n - begin);
	bytes_wipe(block, sizeof block);
	if (!s)
		return ERR_BAD_MIC;
	*key = s;
	return OK;
}
