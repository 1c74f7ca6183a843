/* AES-CMAC over nettle. */
#include "crypto/cmac.h"

#include <nettle/cmac.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

enum err cmac(const struct secret *key, const struct rd *parts, size_t count, struct secret **mac)
{
	struct cmac_aes128_ctx c;
	uint8_t digest[CMAC_SIZE];

	if (secret_len(key) != SECRET_AES128)
		return ERR_BAD_VALUE;
	cmac_aes128_set_key(&c, secret_octets(key));
	for (size_t i = 0; i < count; i++)
		cmac_aes128_update(&c, parts[i].left, parts[i].at);
	cmac_aes128_digest(&c, sizeof digest, digest);
	bytes_wipe(&c, sizeof c);
	*mac = secret_take(digest, sizeof digest);
	return *mac ? OK : ERR_NO_MEMORY;
}
