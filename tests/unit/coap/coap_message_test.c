/* CoAP messages: vectors, prefixes, numbers, blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "coap/coap_message.h"

static size_t octets_of(const char *hex, uint8_t octets[static 256])
{
	size_t len;

	assert_true(hex_parse_loose(rd_str(hex), octets, 256, &len));
	return len;
}

static void encodes_to(struct coap_message *m, const char *hex)
{
	uint8_t wanted[256], got[256];
	struct wr w = wr_of(got, sizeof got);
	size_t len = octets_of(hex, wanted);

	assert_int_equal(coap_message_encode(m, &w), OK);
	assert_int_equal(w.len, len);
	assert_memory_equal(got, wanted, len);
}

/* RFC 7252 appendix A, figure 16: a confirmable GET of /temperature and its answer. */
static void decodes_the_examples_of_the_rfc(void **state)
{
	static const char get[] = "40 01 7d34 bb 74656d7065726174757265", answer[] = "60 45 7d34 ff 32322e332043";
	uint8_t octets[256];
	struct coap_message m;

	(void)state;
	assert_int_equal(coap_message_decode(rd_of(octets, octets_of(get, octets)), &m), OK);
	assert_int_equal(m.type, COAP_CON);
	assert_int_equal(m.code, COAP_GET);
	assert_int_equal(m.id, 0x7d34);
	assert_int_equal(m.option_count, 1);
	assert_int_equal(m.options[0].number, COAP_URI_PATH);
	assert_true(rd_is(m.options[0].value, "temperature"));
	encodes_to(&m, get);
	assert_int_equal(coap_message_decode(rd_of(octets, octets_of(answer, octets)), &m), OK);
	assert_int_equal(m.type, COAP_ACK);
	assert_int_equal(m.code, COAP_CONTENT);
	assert_true(rd_is(m.payload, "22.3 C"));
	encodes_to(&m, answer);
}

/* oneM2M's options have two octets of extended delta. */
static void knows_long_option_numbers(void **state)
{
	static const char hex[] = "42 02 0001 abcd  b6 6373652d696e  d1 00 32  e6 00f1 434165786d70  41 72  d0 0b  ff 7b7d";
	uint8_t octets[256];
	struct coap_message m;

	(void)state;
	assert_int_equal(coap_message_decode(rd_of(octets, octets_of(hex, octets)), &m), OK);
	assert_int_equal(m.token_len, 2);
	assert_int_equal(m.option_count, 5);
	assert_int_equal(m.options[1].number, 24);
	assert_int_equal(m.options[2].number, 24 + 269 + 0xf1);
	assert_int_equal(m.options[3].number, 24 + 269 + 0xf1 + 4);
	assert_int_equal(m.options[4].number, 24 + 269 + 0xf1 + 4 + 13 + 11);
	assert_int_equal(m.options[4].value.left, 0);
	encodes_to(&m, hex);
}

static void puts_options_in_order_and_keeps_the_order_of_equals(void **state)
{
	struct coap_message m = {.type = COAP_NON, .code = COAP_PUT, .id = 1};

	(void)state;
	assert_true(coap_option_add(&m, COAP_URI_QUERY, rd_str("q")));
	assert_true(coap_option_add(&m, COAP_URI_PATH, rd_str("b")));
	assert_true(coap_option_add(&m, COAP_URI_PATH, rd_str("a")));
	encodes_to(&m, "50 03 0001 b1 62 01 61 41 71");
}

/* From a heap block of exactly that size, so that a sanitizer sees the first octet too many. No prefix but the bare head is a message of the
 * same meaning: each either fails or encodes to itself. */
static void refuses_or_understands_each_prefix(void **state)
{
	static const char hex[] = "42 02 0001 abcd b6 6373652d696e d1 00 32 e6 00f1 434165786d70 ff 7b7d";
	uint8_t octets[256], again[256];
	size_t len = octets_of(hex, octets), good = 0;

	(void)state;
	for (size_t n = 0; n < len; n++) {
		uint8_t *exact = malloc(n ? n : 1);
		struct coap_message m;
		struct wr w = wr_of(again, sizeof again);

		assert_non_null(exact);
		memcpy(exact, octets, n);
		if (coap_message_decode(rd_of(exact, n), &m) == OK) {
			good++;
			assert_int_equal(coap_message_encode(&m, &w), OK);
			assert_int_equal(w.len, n);
			assert_memory_equal(again, octets, n);
		}
		free(exact);
	}
	assert_int_equal(good, 5); /* behind the token, behind each option, and with one octet of payload */
}

static void refuses_what_is_malformed(void **state)
{
	static const char *const bad[] = {
		"40 01 0001 ff",                /* marker without payload */
		"49 01 0001 010203040506070809", /* token of nine octets */
		"41 00 0001 01",                /* an empty message with a token */
		"40 00 0001 00",                /* and with something behind */
		"40 01 0001 f1 00",             /* delta of 15 */
		"40 01 0001 1f 00",             /* length of 15 */
		"40 01 0001 12 00",             /* option beyond the end */
		"40 01 0001 e0 ffff e0 ffff",   /* option number above 65535 */
	};
	uint8_t octets[256];
	struct coap_message m;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_not_equal(coap_message_decode(rd_of(octets, octets_of(bad[i], octets)), &m), OK);
	assert_int_equal(coap_message_decode(rd_of(octets, octets_of("80 01 0001", octets)), &m), ERR_VERSION);
	assert_int_equal(coap_message_decode(rd_of(octets, octets_of("40 01 00", octets)), &m), ERR_SHORT);
}

static void refuses_more_options_than_it_keeps(void **state)
{
	uint8_t octets[256] = {0x40, 1, 0, 1};
	struct coap_message m;

	(void)state;
	octets[4] = 0xb0;
	assert_int_equal(coap_message_decode(rd_of(octets, 4 + COAP_OPTIONS_MAX), &m), OK);
	assert_int_equal(coap_message_decode(rd_of(octets, 5 + COAP_OPTIONS_MAX), &m), ERR_TOO_LONG);
}

static void writes_numbers_as_short_as_can_be(void **state)
{
	static const uint32_t numbers[] = {0, 1, 255, 256, 65535, 65536, 0xffffff, 0x1000000, UINT32_MAX};
	static const size_t lengths[] = {0, 1, 1, 2, 2, 3, 3, 4, 4};

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		uint8_t octets[4];
		struct rd r = coap_uint_print(octets, numbers[i]);
		uint32_t n;

		assert_int_equal(r.left, lengths[i]);
		assert_true(coap_uint_parse(r, &n));
		assert_int_equal(n, numbers[i]);
	}
}

static void reads_back_what_it_writes_of_blocks(void **state)
{
	struct coap_block b;
	uint8_t octets[4];

	(void)state;
	for (uint32_t number = 0; number < 1 << 20; number = number * 3 + 1) {
		assert_true(coap_block_parse(coap_block_print(octets, (struct coap_block){number, number % 2, number % 7}), &b));
		assert_int_equal(b.number, number);
		assert_int_equal(b.more, number % 2);
		assert_int_equal(b.szx, number % 7);
	}
	assert_false(coap_block_parse(rd_of("\x07", 1), &b)); /* seven is reserved */
	assert_false(coap_block_parse(rd_of("\0\0\0\0", 4), &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_the_examples_of_the_rfc),
		cmocka_unit_test(knows_long_option_numbers),
		cmocka_unit_test(puts_options_in_order_and_keeps_the_order_of_equals),
		cmocka_unit_test(refuses_or_understands_each_prefix),
		cmocka_unit_test(refuses_what_is_malformed),
		cmocka_unit_test(refuses_more_options_than_it_keeps),
		cmocka_unit_test(writes_numbers_as_short_as_can_be),
		cmocka_unit_test(reads_back_what_it_writes_of_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
