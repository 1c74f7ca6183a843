/* The key derivation of 3GPP. */
#include "crypto/kdf_3gpp.h"

#include <nettle/hmac.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

enum err kdf_3gpp(const struct secret *key, uint8_t fc, const struct rd *parameters, size_t count, struct secret **out)
{
	struct hmac_sha256_ctx hmac;
	uint8_t octets[KDF_3GPP_SIZE];

	for (size_t i = 0; i < count; i++)
		if (parameters[i].left > 0xffff)
			return ERR_TOO_LONG;
	hmac_sha256_set_key(&hmac, secret_len(key), secret_octets(key));
	hmac_sha256_update(&hmac, 1, &fc);
	for (size_t i = 0; i < count; i++) {
		uint8_t len[2] = {(uint8_t)(parameters[i].left >> 8), (uint8_t)parameters[i].left};

		if (parameters[i].left > 0)
			hmac_sha256_update(&hmac, parameters[i].left, parameters[i].at);
		hmac_sha256_update(&hmac, sizeof len, len);
	}
	hmac_sha256_digest(&hmac, sizeof octets, octets);
	bytes_wipe(&hmac, sizeof hmac);
	*out = secret_take(octets, sizeof octets);
	return *out ? OK : ERR_NO_MEMORY;
}
