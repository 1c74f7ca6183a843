/* Bounds-checked reading: every read succeeds with just enough octets, and leaves everything as it was with one fewer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/rd.h"

/* Reads `octets` octets with `read` from a heap block of exactly `octets`, then from one of each shorter size. */
#define CHECK_READ(read, type, octets, expected)                          \
	do {                                                              \
		for (size_t n = 0; n <= (octets); n++) {                  \
			uint8_t *block = malloc(n ? n : 1);               \
			type v = (type)0xa5a5a5a5a5a5a5a5;                \
			struct rd r;                                      \
                                                                          \
			assert_non_null(block);                           \
			memcpy(block, rising, n);                         \
			r = rd_of(block, n);                              \
			if (n < (octets)) {                               \
				assert_false(read(&r, &v));               \
				assert_true(v == (type)0xa5a5a5a5a5a5a5a5); \
				assert_ptr_equal(r.at, block);            \
				assert_int_equal(r.left, n);              \
			} else {                                          \
				assert_true(read(&r, &v));                \
				assert_true(v == (expected));             \
				assert_true(rd_end(&r));                  \
			}                                                 \
			free(block);                                      \
		}                                                         \
	} while (0)

static const uint8_t rising[8] = {0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88};

static void reads_numbers_in_both_orders_and_never_past_the_end(void **state)
{
	(void)state;
	CHECK_READ(rd_u8, uint8_t, 1, 0x81);
	CHECK_READ(rd_be16, uint16_t, 2, 0x8182);
	CHECK_READ(rd_be32, uint32_t, 4, 0x81828384);
	CHECK_READ(rd_be64, uint64_t, 8, 0x8182838485868788);
	CHECK_READ(rd_le16, uint16_t, 2, 0x8281);
	CHECK_READ(rd_le24, uint32_t, 3, 0x838281);
	CHECK_READ(rd_le32, uint32_t, 4, 0x84838281);
	CHECK_READ(rd_le48, uint64_t, 6, 0x868584838281);
	CHECK_READ(rd_le64, uint64_t, 8, 0x8887868584838281);
}

static void a_length_from_the_wire_cannot_leave_the_message(void **state)
{
	struct rd r = rd_of(rising, sizeof rising), sub = rd_str("as it was");
	uint8_t copy[8] = {0};

	(void)state;
	assert_false(rd_sub(&r, 9, &sub));
	assert_false(rd_sub(&r, SIZE_MAX, &sub));
	assert_true(rd_is(sub, "as it was"));
	assert_false(rd_skip(&r, 9));
	assert_false(rd_copy(&r, copy, 9));
	assert_false(rd_sub_but(&r, 9, &sub));
	assert_int_equal(copy[0], 0);
	assert_int_equal(r.left, 8);
	assert_true(rd_sub(&r, 3, &sub));
	assert_int_equal(sub.left, 3);
	assert_int_equal(sub.at[2], 0x83);
	assert_true(rd_sub_but(&r, 4, &sub));
	assert_int_equal(sub.left, 1);
	assert_int_equal(sub.at[0], 0x84);
	assert_true(rd_copy(&r, copy, 2));
	assert_int_equal(copy[1], 0x86);
	assert_true(rd_skip(&r, 1));
	sub = rd_rest(&r);
	assert_int_equal(sub.left, 1);
	assert_int_equal(sub.at[0], 0x88);
	assert_true(rd_end(&r));
	assert_int_equal(rd_rest(&r).left, 0);
	assert_true(rd_skip(&r, 0));
}

static void a_reader_of_nothing_reads_nothing(void **state)
{
	struct rd r = rd_of(NULL, 0), part;
	uint8_t v;

	(void)state;
	assert_true(rd_end(&r));
	assert_false(rd_u8(&r, &v));
	assert_true(rd_copy(&r, NULL, 0));
	assert_true(rd_sub(&r, 0, &part));
	assert_true(rd_sub_but(&r, 0, &part));
	assert_false(rd_until(&r, 'x', &part));
	assert_false(rd_line(&r, &part));
	assert_true(rd_equal(r, rd_str("")));
	assert_true(rd_starts(r, ""));
	assert_false(rd_starts(r, "a"));
}

static void splits_text_at_separators_and_lines(void **state)
{
	struct rd r = rd_str("GET /x\r\nHost: a\n\r\nend"), part;

	(void)state;
	assert_true(rd_until(&r, ' ', &part) && rd_is(part, "GET"));
	assert_false(rd_until(&r, '#', &part));
	assert_true(rd_is(part, "GET"));
	assert_true(rd_line(&r, &part) && rd_is(part, "/x"));
	assert_true(rd_line(&r, &part) && rd_is(part, "Host: a"));
	assert_true(rd_line(&r, &part) && rd_is(part, ""));
	assert_true(rd_line(&r, &part) && rd_is(part, "end"));
	assert_false(rd_line(&r, &part));
}

static void copies_text_only_where_it_fits_and_holds_no_zero(void **state)
{
	char text[4] = "???";
	char *copy;

	(void)state;
	assert_true(rd_text(rd_str("abc"), text, sizeof text));
	assert_string_equal(text, "abc");
	assert_false(rd_text(rd_str("abcd"), text, sizeof text));
	assert_false(rd_text(rd_of("a\0b", 3), text, sizeof text));
	assert_false(rd_text(rd_str(""), text, 0));
	assert_string_equal(text, "abc");
	assert_true(rd_text(rd_str(""), text, 1));
	assert_string_equal(text, "");
	copy = rd_strdup(rd_str("name"));
	assert_string_equal(copy, "name");
	free(copy);
}

static void compares_whole_and_beginning(void **state)
{
	(void)state;
	assert_true(rd_equal(rd_str("ab"), rd_str("ab")));
	assert_false(rd_equal(rd_str("ab"), rd_str("abc")));
	assert_false(rd_equal(rd_str("ab"), rd_str("ac")));
	assert_true(rd_starts(rd_str("abc"), "ab"));
	assert_false(rd_starts(rd_str("a"), "ab"));
	assert_false(rd_starts(rd_str("xbc"), "ab"));
}

/* Each octet at each place of texts of all lengths up to three words. */
static void finds_control_characters_anywhere(void **state)
{
	(void)state;
	for (size_t len = 0; len <= 24; len++)
		for (size_t at = 0; at < len; at++)
			for (unsigned c = 0; c < 256; c++) {
				uint8_t text[24];

				memset(text, 'a', sizeof text);
				text[at] = (uint8_t)c;
				assert_int_equal(rd_has_control(rd_of(text, len)), (c < 0x20 && c != '\t') || c == 0x7f);
			}
	for (size_t tab = 0; tab < 24; tab++)
		for (size_t at = 0; at < 24; at++) {
			char text[] = "aaaaaaaaaaaaaaaaaaaaaaaa";

			text[at] = '\r';
			text[tab] = '\t';
			assert_int_equal(rd_has_control(rd_str(text)), at != tab);
		}
	assert_false(rd_has_control(rd_str("")));
	assert_true(rd_has_control(rd_str("\xff\xff\xff\xff\xff\xff\xff\xff\xff\r")));
}

/* Each octet at each place of texts of each length, alone and behind another that ends the run. */
static void tells_plain_octets_wherever_they_stand(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++)
		for (size_t len = 1; len <= 20; len++)
			for (size_t at = 0; at < len; at++) {
				bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
				uint8_t text[20];
				struct rd r = rd_of(text, len), run;

				memset(text, 'a', sizeof text);
				text[at] = (uint8_t)c;
				run = rd_plain(&r);
				assert_ptr_equal(run.at, text);
				assert_int_equal(run.left, plain ? len : at);
				assert_ptr_equal(r.at, text + run.left);
				assert_int_equal(r.left, len - run.left);
			}
	for (unsigned c = 0; c < 256; c++) {
		uint8_t text[] = {'a', 'a', '"', (uint8_t)c, 'a', 0xff, 'a', 'a', 'a'};
		struct rd r = rd_of(text, sizeof text), none = {NULL, 0};

		assert_int_equal(rd_plain(&r).left, 2);
		assert_int_equal(rd_plain(&r).left, 0);
		assert_int_equal(rd_plain(&none).left, 0);
	}
}

static void decimal_numbers_end_at_64_bits(void **state)
{
	static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "99999999999999999999", "1a"};
	uint64_t v = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(rd_decimal(rd_str(bad[i]), &v));
	assert_int_equal(v, 7);
	assert_true(rd_decimal(rd_str("18446744073709551615"), &v));
	assert_true(v == UINT64_MAX);
	assert_true(rd_decimal(rd_str("007"), &v) && v == 7);
	assert_true(rd_decimal(rd_str("0"), &v) && v == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_numbers_in_both_orders_and_never_past_the_end),
		cmocka_unit_test(a_length_from_the_wire_cannot_leave_the_message),
		cmocka_unit_test(a_reader_of_nothing_reads_nothing),
		cmocka_unit_test(splits_text_at_separators_and_lines),
		cmocka_unit_test(copies_text_only_where_it_fits_and_holds_no_zero),
		cmocka_unit_test(compares_whole_and_beginning),
		cmocka_unit_test(finds_control_characters_anywhere),
		cmocka_unit_test(tells_plain_octets_wherever_they_stand),
		cmocka_unit_test(decimal_numbers_end_at_64_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
