/* AES-GCM and AES key wrap over nettle. */
#include "crypto/gcm.h"

#include <nettle/aes.h>
#include <nettle/gcm.h>
#include <nettle/nist-keywrap.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

union aes {
	struct aes128_ctx a128;
	struct aes192_ctx a192;
	struct aes256_ctx a256;
};

/* The block function; NULL for a key that AES does not have. Key wrap needs the inverse cipher to unwrap. */
static nettle_cipher_func *set_key(union aes *aes, const struct secret *key, bool inverse)
{
	const uint8_t *k = secret_octets(key);

	switch (secret_len(key)) {
	case 16:
		(inverse ? aes128_set_decrypt_key : aes128_set_encrypt_key)(&aes->a128, k);
		return (nettle_cipher_func *)(inverse ? aes128_decrypt : aes128_encrypt);
	case 24:
		(inverse ? aes192_set_decrypt_key : aes192_set_encrypt_key)(&aes->a192, k);
		return (nettle_cipher_func *)(inverse ? aes192_decrypt : aes192_encrypt);
	case 32:
		(inverse ? aes256_set_decrypt_key : aes256_set_encrypt_key)(&aes->a256, k);
		return (nettle_cipher_func *)(inverse ? aes256_decrypt : aes256_encrypt);
	default:
		return NULL;
	}
}

struct gcm {
	union aes aes;
	struct gcm_key hash;
	struct gcm_ctx ctx;
};

static nettle_cipher_func *begin(struct gcm *g, const struct secret *key, const uint8_t *nonce, struct rd aad)
{
	nettle_cipher_func *f = set_key(&g->aes, key, false);

	if (!f)
		return NULL;
	gcm_set_key(&g->hash, &g->aes, f);
	gcm_set_iv(&g->ctx, &g->hash, GCM_NONCE, nonce);
	gcm_update(&g->ctx, &g->hash, aad.left, aad.at);
	return f;
}

enum err gcm_seal(const struct secret *key, const uint8_t nonce[static GCM_NONCE], struct rd aad, struct rd plain, struct wr *cipher,
    uint8_t tag[static GCM_TAG])
{
	struct gcm g;
	nettle_cipher_func *f = begin(&g, key, nonce, aad);
	uint8_t *out = f ? wr_room(cipher, plain.left) : NULL;
	enum err e = !f ? ERR_BAD_VALUE : !out && plain.left > 0 ? ERR_TOO_LONG : OK;

	if (e == OK) {
		gcm_encrypt(&g.ctx, &g.hash, &g.aes, f, plain.left, out, plain.at);
		gcm_digest(&g.ctx, &g.hash, &g.aes, f, GCM_TAG, tag);
	}
	bytes_wipe(&g, sizeof g);
	return e;
}

enum err gcm_open(const struct secret *key, const uint8_t nonce[static GCM_NONCE], struct rd aad, struct rd cipher,
    const uint8_t tag[static GCM_TAG], struct wr *plain)
{
	struct gcm g;
	nettle_cipher_func *f = begin(&g, key, nonce, aad);
	size_t before = plain->len;
	uint8_t *out = f ? wr_room(plain, cipher.left) : NULL, digest[GCM_TAG];
	enum err e = !f ? ERR_BAD_VALUE : !out && cipher.left > 0 ? ERR_TOO_LONG : OK;

	if (e == OK) {
		gcm_decrypt(&g.ctx, &g.hash, &g.aes, f, cipher.left, out, cipher.at);
		gcm_digest(&g.ctx, &g.hash, &g.aes, f, GCM_TAG, digest);
		if (!bytes_equal_ct(digest, tag, GCM_TAG)) {
			bytes_wipe(out, cipher.left);
			plain->len = before;
			e = ERR_BAD_MIC;
		}
	}
	bytes_wipe(&g, sizeof g);
	bytes_wipe(digest, sizeof digest);
	return e;
}

static const uint8_t wrap_iv[8] = {0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6}; /* RFC 3394 2.2.3.1 */

enum err key_wrap(const struct secret *kek, const struct secret *key, struct wr *wrapped)
{
	union aes aes;
	size_t len = secret_len(key) + 8;
	nettle_cipher_func *f = secret_len(key) >= 16 && len % 8 == 0 ? set_key(&aes, kek, false) : NULL;
	uint8_t *out = f ? wr_room(wrapped, len) : NULL;

	if (out)
		nist_keywrap16(&aes, f, wrap_iv, len, out, secret_octets(key));
	bytes_wipe(&aes, sizeof aes);
	return !f ? ERR_BAD_VALUE : out ? OK : ERR_TOO_LONG;
}

enum err key_unwrap(const struct secret *kek, struct rd wrapped, struct secret **key)
{
	uint8_t octets[SECRET_MAX];
	struct secret *s = NULL;
	nettle_cipher_func *f;
	union aes aes;
	enum err e = OK;

	if (wrapped.left < 24 || wrapped.left % 8 != 0 || wrapped.left - 8 > sizeof octets)
		return ERR_MALFORMED;
	f = set_key(&aes, kek, true);
	if (!f)
		return ERR_BAD_VALUE;
	if (!nist_keyunwrap16(&aes, f, wrap_iv, wrapped.left - 8, octets, wrapped.at))
		e = ERR_BAD_MIC;
	else if (!(s = secret_take(octets, wrapped.left - 8)))
		e = ERR_NO_MEMORY;
	bytes_wipe(&aes, sizeof aes);
	bytes_wipe(octets, sizeof octets);
	if (e == OK)
		*key = s;
	return e;
}
