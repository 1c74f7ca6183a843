/* Install codes. */
#include "zigbee/security/install_code.h"

#include "base/bytes.h"
#include "base/crc.h"
#include "crypto/mmo.h"
#include "keys/secret_octets.h"

#define CRC_SIZE 2

static bool length_is_good(size_t with_crc)
{
	return with_crc == 8 || with_crc == 10 || with_crc == 14 || with_crc == 18;
}

enum err install_code_parse(struct rd text, struct secret **code)
{
	uint8_t octets[INSTALL_CODE_MAX];
	size_t len;
	uint16_t crc;
	enum err e = ERR_MALFORMED;
	struct rd tail;

	if (hex_parse_loose(text, octets, sizeof octets, &len) && length_is_good(len)) {
		tail = rd_of(octets + len - CRC_SIZE, CRC_SIZE);
		e = rd_le16(&tail, &crc) && crc == crc16_x25(octets, len - CRC_SIZE) ? OK : ERR_BAD_CRC;
	}
	if (e == OK) {
		*code = secret_take(octets, len);
		e = *code ? OK : ERR_NO_MEMORY;
	}
	bytes_wipe(octets, sizeof octets);
	return e;
}

enum err install_code_link_key(const struct secret *code, struct secret **link_key)
{
	uint8_t digest[MMO_SIZE];

	if (!length_is_good(secret_len(code)))
		return ERR_BAD_VALUE;
	mmo_hash(rd_of(secret_octets(code), secret_len(code)), digest);
	*link_key = secret_take(digest, sizeof digest);
	return *link_key ? OK : ERR_NO_MEMORY;
}
