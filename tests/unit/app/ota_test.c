/* Over-the-air upgrade: the file's header and the commands, both ways; every prefix fails. Octets are worked out from ZCL 07-5123 tables 11-3 and 11-13 on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "zigbee/ota.h"

#define NAME_HEX "4b657977617920696d6167650000000000000000000000000000000000000000"

static size_t octets_of(const char *hex, uint8_t *octets, size_t size)
{
	size_t len;

	assert_true(hex_parse_loose(rd_str(hex), octets, size, &len));
	return len;
}

static void a_header_is_read_and_written(void **state)
{
	/* magic, version, length 56, control 0, manufacturer 0x1234, type 1, version 2, stack 2, name, total 59, then three octets of image */
	static const char hex[] = "1ef1ee0b 0001 3800 0000 3412 0100 02000000 0200" NAME_HEX "3b000000 616263";
	uint8_t octets[128], again[128];
	size_t len = octets_of(hex, octets, sizeof octets);
	struct wr w = wr_of(again, sizeof again);
	struct ota_header h;

	(void)state;
	assert_int_equal(ota_header_decode(rd_of(octets, len), &h), OK);
	assert_true(h.length == 56 && h.image.manufacturer == 0x1234 && h.image.type == 1 && h.image.version == 2 && h.size == 59 && h.stack_version == 2);
	assert_string_equal(h.name, "Keyway image");
	assert_int_equal(ota_header_encode(&h, &w), OK);
	assert_int_equal(w.len, 56);
	assert_memory_equal(again, octets, 56);
	for (size_t n = 0; n < len; n++) {
		uint8_t *block = malloc(n ? n : 1); /* of this size, so that an octet too many is seen */

		memcpy(block, octets, n);
		assert_int_not_equal(ota_header_decode(rd_of(block, n), &h), OK);
		free(block);
	}
}

static void a_header_with_all_its_fields_is_read(void **state)
{
	/* control 7: credential, destination, hardware versions 3 to 9; and two octets of a later revision */
	static const char hex[] = "1ef1ee0b 0001 4700 0700 3412 0100 02000000 0200" NAME_HEX "47000000 02 0100000000 4b1200 0300 0900 ffff";
	uint8_t octets[128];
	size_t len = octets_of(hex, octets, sizeof octets);
	struct ota_header h;

	(void)state;
	assert_int_equal(len, 71);
	assert_int_equal(ota_header_decode(rd_of(octets, len), &h), OK);
	assert_true(h.has_destination && h.destination == 0x00124b0000000001ULL && h.has_hardware && h.hardware_least == 3 && h.hardware_most == 9);
	octets[6] = 60; /* too short for what it says it has */
	assert_int_not_equal(ota_header_decode(rd_of(octets, len), &h), OK);
}

static void a_header_that_lies_is_refused(void **state)
{
	static const char hex[] = "1ef1ee0b 0001 3800 0000 3412 0100 02000000 0200" NAME_HEX "3b000000 616263";
	/* clang-format off */
	static const struct { size_t at; uint8_t octet; enum err e; } cases[] = {
		{0, 0x1f, ERR_MALFORMED}, {5, 2, ERR_UNSUPPORTED}, {6, 55, ERR_SHORT}, {6, 57, ERR_MALFORMED}, {7, 1, ERR_SHORT}, {52, 0x3c, ERR_MALFORMED}, {55, 1, ERR_TOO_LONG},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t octets[128];
		size_t len = octets_of(hex, octets, sizeof octets);
		struct ota_header h;

		octets[cases[i].at] = cases[i].octet;
		if (cases[i].at == 6 && cases[i].octet == 57)
			octets[52] = 60; /* the header has an octet more, the file has not */
		assert_int_equal(ota_header_decode(rd_of(octets, len), &h), cases[i].e);
	}
}

static void every_command_is_read_and_written(void **state)
{
	/* clang-format off */
	static const struct { uint8_t command; const char *hex; } cases[] = {
		{OTA_IMAGE_NOTIFY, "03 64 3412 0100 02000000"},
		{OTA_QUERY_REQUEST, "00 3412 0100 01000000"},
		{OTA_QUERY_REQUEST, "01 3412 0100 01000000 0700"},
		{OTA_QUERY_RESPONSE, "98"},
		{OTA_QUERY_RESPONSE, "00 3412 0100 02000000 3b000000"},
		{OTA_BLOCK_REQUEST, "00 3412 0100 02000000 30000000 30"},
		{OTA_BLOCK_RESPONSE, "00 3412 0100 02000000 30000000 03 616263"},
		{OTA_BLOCK_RESPONSE, "97 00000000 0a000000"},
		{OTA_BLOCK_RESPONSE, "95"},
		{OTA_END_REQUEST, "00 3412 0100 02000000"},
		{OTA_END_RESPONSE, "3412 0100 02000000 00000000 00000000"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t octets[64], again[64];
		size_t len = octets_of(cases[i].hex, octets, sizeof octets);
		struct wr w = wr_of(again, sizeof again);
		struct ota_message m;

		assert_int_equal(ota_decode(cases[i].command, rd_of(octets, len), &m), OK);
		assert_int_equal(ota_encode(cases[i].command, &m, &w), OK);
		assert_int_equal(w.len, len);
		assert_memory_equal(again, octets, len);
		for (size_t n = 0; n < len; n++) {
			uint8_t *block = malloc(n ? n : 1);

			memcpy(block, octets, n);
			if (cases[i].command != OTA_IMAGE_NOTIFY || n < 2)
				assert_int_not_equal(ota_decode(cases[i].command, rd_of(block, n), &m), OK);
			free(block);
		}
	}
	{
		struct ota_message m;

		assert_int_equal(ota_decode(OTA_PAGE_REQUEST, rd_str("abcdefghijklmnopqrstuvwxyz"), &m), ERR_UNSUPPORTED);
		assert_int_equal(ota_decode(0x42, rd_str("a"), &m), ERR_UNSUPPORTED);
	}
}

static void optional_fields_of_a_block_request_are_read(void **state)
{
	uint8_t octets[64];
	size_t len = octets_of("03 3412 0100 02000000 30000000 3f 0100000000 4b1200 6400", octets, sizeof octets);
	struct ota_message m;

	(void)state;
	assert_int_equal(ota_decode(OTA_BLOCK_REQUEST, rd_of(octets, len), &m), OK);
	assert_true(m.offset == 0x30 && m.most == 0x3f && m.image.version == 2);
	for (size_t n = 0; n < len; n++)
		assert_int_not_equal(ota_decode(OTA_BLOCK_REQUEST, rd_of(octets, n), &m), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_read_and_written),
		cmocka_unit_test(a_header_with_all_its_fields_is_read),
		cmocka_unit_test(a_header_that_lies_is_refused),
		cmocka_unit_test(every_command_is_read_and_written),
		cmocka_unit_test(optional_fields_of_a_block_request_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
