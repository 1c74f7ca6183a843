/* HMAC-SHA-256 and HKDF over secrets. */
#include "crypto/kdf.h"

#include <nettle/hmac.h>
#include <string.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

static enum err keep(void *octets, size_t len, struct secret **out)
{
	struct secret *s = secret_take(octets, len);

	if (!s)
		return ERR_NO_MEMORY;
	*out = s;
	return OK;
}

void kdf_mac(const struct secret *key, const struct rd *parts, size_t count, uint8_t mac[static KDF_SHA256])
{
	struct hmac_sha256_ctx h;

	hmac_sha256_set_key(&h, secret_len(key), secret_octets(key));
	for (size_t i = 0; i < count; i++)
		hmac_sha256_update(&h, parts[i].left, parts[i].at);
	hmac_sha256_digest(&h, KDF_SHA256, mac);
	bytes_wipe(&h, sizeof h);
}

enum err kdf_hmac(const struct secret *key, const struct rd *parts, size_t count, struct secret **mac)
{
	uint8_t digest[KDF_SHA256];

	kdf_mac(key, parts, count, digest);
	return keep(digest, sizeof digest, mac);
}

size_t kdf_mac_of(unsigned bits, const struct secret *key, struct rd text, uint8_t mac[static KDF_MAC_MAX])
{
	struct hmac_sha384_ctx h384;
	struct hmac_sha512_ctx h512;

	switch (bits) {
	case 256:
		kdf_mac(key, &text, 1, mac);
		return KDF_SHA256;
	case 384:
		hmac_sha384_set_key(&h384, secret_len(key), secret_octets(key));
		hmac_sha384_update(&h384, text.left, text.at);
		hmac_sha384_digest(&h384, 48, mac);
		bytes_wipe(&h384, sizeof h384);
		return 48;
	case 512:
		hmac_sha512_set_key(&h512, secret_len(key), secret_octets(key));
		hmac_sha512_update(&h512, text.left, text.at);
		hmac_sha512_digest(&h512, 64, mac);
		bytes_wipe(&h512, sizeof h512);
		return 64;
	default:
		return 0;
	}
}

enum err kdf_extract(struct rd salt, const struct secret *ikm, struct secret **prk)
{
	struct hmac_sha256_ctx h;
	uint8_t digest[KDF_SHA256];

	hmac_sha256_set_key(&h, salt.left, salt.at);
	hmac_sha256_update(&h, secret_len(ikm), secret_octets(ikm));
	hmac_sha256_digest(&h, sizeof digest, digest);
	bytes_wipe(&h, sizeof h);
	return keep(digest, sizeof digest, prk);
}

enum err kdf_expand_round(const struct secret *prk, const struct secret *previous, struct rd info, uint8_t counter,
    struct secret **t)
{
	struct rd parts[] = {previous ? rd_of(secret_octets(previous), secret_len(previous)) : rd_str(""), info, rd_of(&counter, 1)};

	return kdf_hmac(prk, parts, sizeof parts / sizeof *parts, t);
}

enum err kdf_expand(const struct secret *prk, struct rd info, size_t len, struct secret **okm)
{
	struct secret *previous = NULL, *t = NULL;
	uint8_t octets[SECRET_MAX + KDF_SHA256];
	size_t have = 0;
	enum err e = OK;

	if (len == 0 || len > SECRET_MAX)
		return ERR_BAD_VALUE;
	for (uint8_t n = 1; have < len; n++, have += KDF_SHA256) {
		if ((e = kdf_expand_round(prk, previous, info, n, &t)) != OK)
			goto out;
		memcpy(octets + have, secret_octets(t), KDF_SHA256);
		secret_free(previous);
		previous = t;
	}
	e = keep(octets, len, okm);
out:
	bytes_wipe(octets, sizeof octets);
	secret_free(previous);
	return e;
}

enum err kdf_part(const struct secret *s, size_t offset, size_t len, struct secret **part)
{
	struct rd all = rd_of(secret_octets(s), secret_len(s));
	uint8_t octets[SECRET_MAX];

	if (len == 0 || len > sizeof octets || !rd_skip(&all, offset) || !rd_copy(&all, octets, len))
		return ERR_BAD_VALUE;
	return keep(octets, len, part);
}

bool kdf_public_head(const struct secret *s, uint8_t *head, size_t len)
{
	struct rd all = rd_of(secret_octets(s), secret_len(s));

	return rd_copy(&all, head, len);
}
