/* CCM* over nettle's CCM with a cached AES schedule. */
#include "crypto/ccm_star.h"

#include <nettle/aes.h>
#include <nettle/ccm.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

#define MESSAGE_MAX 0xffff /* L = 2; nettle ends the process beyond */

static bool mic_len_is_good(size_t len)
{
	return len == 4 || len == 8 || len == 16;
}

static void encrypt(const void *ctx, size_t len, uint8_t *dst, const uint8_t *src)
{
	aes128_encrypt(ctx, len, dst, src);
}

enum err ccm_star_seal(const struct secret *key, const uint8_t nonce[static CCM_STAR_NONCE], struct rd aad, struct rd plain, size_t mic_len, uint8_t *out)
{
	if (secret_len(key) != SECRET_AES128 || !mic_len_is_good(mic_len))
		return ERR_BAD_VALUE;
	if (plain.left > MESSAGE_MAX)
		return ERR_TOO_LONG;
	ccm_encrypt_message(secret_aes128(key), encrypt, CCM_STAR_NONCE, nonce, aad.left, aad.at, mic_len, plain.left + mic_len, out, plain.at);
	return OK;
}

enum err ccm_star_open(const struct secret *key, const uint8_t nonce[static CCM_STAR_NONCE], struct rd aad, struct rd sealed, size_t mic_len, uint8_t *out)
{
	size_t len;

	if (secret_len(key) != SECRET_AES128 || !mic_len_is_good(mic_len))
		return ERR_BAD_VALUE;
	if (sealed.left < mic_len)
		return ERR_SHORT;
	len = sealed.left - mic_len;
	if (len > MESSAGE_MAX)
		return ERR_TOO_LONG;
	if (ccm_decrypt_message(secret_aes128(key), encrypt, CCM_STAR_NONCE, nonce, aad.left, aad.at, mic_len, len, out, sealed.at))
		return OK;
	bytes_wipe(out, len);
	return ERR_BAD_MIC;
}
