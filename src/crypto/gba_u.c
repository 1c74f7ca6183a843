/* GBA_U's vector. */
#include "crypto/gba_u.h"

#include <nettle/sha1.h>
#include <string.h>

#include "base/bytes.h"
#include "keys/secret_octets.h"

void gba_u_mac(const struct secret *ik, uint8_t mac[static GBA_U_MAC])
{
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx sha;

	sha1_init(&sha);
	sha1_update(&sha, secret_len(ik), secret_octets(ik));
	sha1_digest(&sha, sizeof digest, digest);
	for (size_t i = 0; i < GBA_U_MAC; i++)
		mac[i] ^= digest[i];
	bytes_wipe(digest, sizeof digest);
	bytes_wipe(&sha, sizeof sha);
}

struct secret *gba_u_res(const struct secret *res)
{
	uint8_t octets[SECRET_MAX];
	size_t len = secret_len(res);

	memcpy(octets, secret_octets(res), len);
	octets[len - 1] ^= 1;
	return secret_take(octets, len);
}
