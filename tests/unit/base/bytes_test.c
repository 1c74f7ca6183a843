/* Text forms of octets, checksums, comparison, names of errors, seeded randomness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc.h"
#include "base/err.h"
#include "base/rng.h"

static void hexadecimal_has_exactly_the_length_asked_for(void **state)
{
	uint8_t octets[4];
	char text[HEX_SIZE(4)];

	(void)state;
	assert_true(hex_parse(rd_str("00fFA57e"), octets, 4));
	hex_print(text, octets, 4);
	assert_string_equal(text, "00ffa57e");
	assert_false(hex_parse(rd_str("00fFA57"), octets, 4));
	assert_false(hex_parse(rd_str("00fFA57e0"), octets, 4));
	assert_false(hex_parse(rd_str("00fFA57e00"), octets, 4));
	assert_false(hex_parse(rd_str("00 fA57e"), octets, 4));
	assert_false(hex_parse(rd_str("00fga57e"), octets, 4));
	assert_false(hex_parse(rd_str(""), octets, 4));
	assert_true(hex_parse(rd_str(""), octets, 0));
}

static void loose_hexadecimal_takes_separators_between_octets_only(void **state)
{
	uint8_t octets[4];
	size_t len = 99;

	(void)state;
	assert_true(hex_parse_loose(rd_str("00:11-22 33"), octets, 4, &len));
	assert_int_equal(len, 4);
	assert_memory_equal(octets, "\x00\x11\x22\x33", 4);
	len = 99;
	assert_false(hex_parse_loose(rd_str("0:0"), octets, 4, &len));
	assert_false(hex_parse_loose(rd_str("0011223344"), octets, 4, &len));
	assert_false(hex_parse_loose(rd_str("001"), octets, 4, &len));
	assert_false(hex_parse_loose(rd_str("00_11"), octets, 4, &len));
	assert_int_equal(len, 99);
	assert_true(hex_parse_loose(rd_str(""), octets, 4, &len));
	assert_int_equal(len, 0);
}

static void eui64_in_the_usual_spellings(void **state)
{
	static const char *const good[] = {"00124b0001020304", "00124B0001020304", "00:12:4b:00:01:02:03:04", "00-12-4B-00-01-02-03-04", "0x00124b0001020304"};
	static const char *const bad[] = {"", "0x", "00124b00010203", "00124b000102030405", "00124b000102030g", "0x0x00124b0001020304"};
	char text[EUI64_SIZE];
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		v = 0;
		assert_true(eui64_parse(rd_str(good[i]), &v));
		assert_true(v == 0x00124b0001020304);
	}
	v = 5;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(eui64_parse(rd_str(bad[i]), &v));
	assert_true(v == 5);
	eui64_print(text, 0x00124b00FFfe0304);
	assert_string_equal(text, "00124b00fffe0304");
}

static void base64_as_in_rfc_4648(void **state)
{
	/* RFC 4648, section 10 */
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg==Zg==", "Zg==\n", "Zh==", "Zm9=", "====", "Z===", "Zm9v Zm9", "-_-_", "Zm=v", "=m9v"};
	uint8_t buffer[64];
	struct wr w;
	struct rd out;

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		w = wr_of(buffer, sizeof buffer);
		base64_print(&w, rd_str(pairs[i][0]));
		assert_true(wr_done(&w, &out) && rd_is(out, pairs[i][1]));
		w = wr_of(buffer, sizeof buffer);
		assert_true(base64_parse(rd_str(pairs[i][1]), &w));
		assert_true(wr_done(&w, &out) && rd_is(out, pairs[i][0]));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		w = wr_of(buffer, sizeof buffer);
		if (base64_parse(rd_str(bad[i]), &w))
			fail_msg("accepts %s", bad[i]);
	}
}

/* Each at every distance from the beginning of eight octets, and cut off at every length. */
static void text_is_utf8_wherever_its_characters_are(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {{"\xc3\xa4", true}, {"\xe2\x82\xac", true}, {"\xf0\x9f\x98\x80", true}, {"\xc3\x28", false}, {"\x80", false}, {"\xc0\x80", false},
		{"\xed\xa0\x80", false}, {"\xf4\x90\x80\x80", false}, {"\xff", false}};
	char text[40];

	(void)state;
	assert_true(utf8_is(rd_of(NULL, 0)));
	assert_true(utf8_is(rd_of("\0", 1)));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t len = strlen(cases[i].text);

		for (size_t at = 0; at < 20; at++) {
			memset(text, 'a', sizeof text);
			memcpy(text + at, cases[i].text, len);
			assert_int_equal(utf8_is(rd_of(text, sizeof text)), cases[i].good);
			for (size_t n = at + 1; cases[i].good && n < at + len; n++)
				assert_false(utf8_is(rd_of(text, n)));
			assert_int_equal(utf8_is(rd_of(text, at + len)), cases[i].good);
		}
	}
}

static void checksums_have_their_catalogued_check_values(void **state)
{
	(void)state;
	assert_int_equal(crc16_kermit("123456789", 9), 0x2189);
	assert_int_equal(crc16_x25("123456789", 9), 0x906e);
	assert_int_equal(crc16_kermit("", 0), 0);
	assert_int_equal(crc16_x25("", 0), 0);
}

static void comparison_sees_every_octet(void **state)
{
	uint8_t a[20] = {0}, b[20] = {0};

	(void)state;
	assert_true(bytes_equal_ct(a, b, sizeof a));
	assert_true(bytes_equal_ct(NULL, NULL, 0));
	for (size_t i = 0; i < sizeof a; i++) {
		b[i] = 0x80;
		assert_false(bytes_equal_ct(a, b, sizeof a));
		b[i] = 0;
	}
	memset(a, 7, sizeof a);
	bytes_wipe(a, sizeof a);
	assert_memory_equal(a, b, sizeof a);
}

static void every_error_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (enum err e = OK; e <= ERR_INTERNAL; e++) {
		assert_true(strlen(err_text(e)) > 0);
		assert_true(e == OK ? strcmp(err_name(e), "OK") == 0 : strncmp(err_name(e), "ERR_", 4) == 0);
	}
	assert_string_equal(err_name(ERR_REPLAY), "ERR_REPLAY");
	assert_string_equal(err_name((enum err)9999), "ERR_UNKNOWN");
	assert_non_null(err_text((enum err)9999));
}

static void seeded_numbers_come_again_and_stay_below_their_bound(void **state)
{
	struct rng a = rng_seeded(5), b = rng_seeded(5), c = rng_seeded(6), system = rng_system();
	uint8_t x[32] = {0}, y[32] = {0};
	bool differs = false, seen[7] = {false};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint32_t v = rng_below(&a, 7);

		assert_true(v < 7);
		assert_int_equal(v, rng_below(&b, 7));
		differs = differs || v != rng_below(&c, 7);
		seen[v] = true;
	}
	assert_true(differs);
	for (int i = 0; i < 7; i++)
		assert_true(seen[i]);
	assert_int_equal(rng_below(&a, 1), 0);
	rng_fill(&system, x, sizeof x);
	rng_fill(&system, y, sizeof y);
	assert_memory_not_equal(x, y, sizeof x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hexadecimal_has_exactly_the_length_asked_for),
		cmocka_unit_test(loose_hexadecimal_takes_separators_between_octets_only),
		cmocka_unit_test(eui64_in_the_usual_spellings),
		cmocka_unit_test(base64_as_in_rfc_4648),
		cmocka_unit_test(text_is_utf8_wherever_its_characters_are),
		cmocka_unit_test(checksums_have_their_catalogued_check_values),
		cmocka_unit_test(comparison_sees_every_octet),
		cmocka_unit_test(every_error_has_a_name_and_a_sentence),
		cmocka_unit_test(seeded_numbers_come_again_and_stay_below_their_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
