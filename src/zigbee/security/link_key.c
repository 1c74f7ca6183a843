/* Keys derived from link keys. */
#include "zigbee/security/link_key.h"

#include "base/bytes.h"
#include "crypto/mmo.h"

#define INPUT_TRANSPORT 0x00
#define INPUT_LOAD 0x02
#define INPUT_VERIFY 0x03

static enum err derive(const struct secret *link_key, uint8_t input, struct secret **derived)
{
	uint8_t digest[MMO_SIZE];
	struct secret *s;

	if (secret_len(link_key) != SECRET_AES128)
		return ERR_BAD_VALUE;
	mmo_hmac(link_key, rd_of(&input, 1), digest);
	s = secret_take(digest, sizeof digest);
	if (!s)
		return ERR_NO_MEMORY;
	*derived = s;
	return OK;
}

enum err link_key_transport(const struct secret *link_key, struct secret **derived)
{
	return derive(link_key, INPUT_TRANSPORT, derived);
}

enum err link_key_load(const struct secret *link_key, struct secret **derived)
{
	return derive(link_key, INPUT_LOAD, derived);
}

void link_key_verify_hash(const struct secret *link_key, uint8_t hash[static 16])
{
	const uint8_t input = INPUT_VERIFY;

	mmo_hmac(link_key, rd_of(&input, 1), hash);
}
