/* A text is an install code only with its right CRC: with any one bit of its octets turned it is refused, and its digits alone parse
 * to the same code. */
#include <string.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "zigbee/security/install_code.h"
#include "../fuzz.h"

static enum err parse_octets(const uint8_t *octets, size_t len, struct secret **code)
{
	char text[HEX_SIZE(INSTALL_CODE_MAX)];

	hex_print(text, octets, len);
	return install_code_parse(rd_str(text), code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct secret *code = NULL, *again = NULL, *key = NULL;
	uint8_t octets[INSTALL_CODE_MAX];
	size_t len = 0;
	enum err e = install_code_parse(rd_of(data, size), &code);

	if (e != OK) {
		MUST((e == ERR_MALFORMED || e == ERR_BAD_CRC) && !code);
		return 0;
	}
	MUST(hex_parse_loose(rd_of(data, size), octets, sizeof octets, &len));
	MUST(len == 8 || len == 10 || len == 14 || len == 18);
	MUST(crc16_x25(octets, len - 2) == (octets[len - 2] | octets[len - 1] << 8));
	MUST(parse_octets(octets, len, &again) == OK && secret_equal(code, again));
	MUST(install_code_link_key(code, &key) == OK && secret_len(key) == SECRET_AES128);
	secret_free(again);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		octets[bit / 8] ^= (uint8_t)(1U << bit % 8);
		MUST(parse_octets(octets, len, &again) == ERR_BAD_CRC);
		octets[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	secret_free(code);
	secret_free(key);
	return 0;
}
