/* Writing: each order of each number, the first octet too many, and growing writers up to their maximum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/wr.h"

static void write_all(struct wr *w)
{
	wr_u8(w, 0x01);
	wr_be16(w, 0x0203);
	wr_be32(w, 0x04050607);
	wr_be64(w, 0x08090a0b0c0d0e0f);
	wr_le16(w, 0x1110);
	wr_le24(w, 0x141312);
	wr_le32(w, 0x18171615);
	wr_le48(w, 0x1e1d1c1b1a19);
	wr_le64(w, 0x262524232221201f);
	wr_copy(w, "\x27\x28", 2);
	wr_rd(w, rd_of("\x29", 1));
	wr_str(w, "*+");
	wr_fmt(w, "%c%s", ',', "-");
}

#define ALL 45 /* octets of write_all: 1, 2, 3 ... 45 */

static void writes_numbers_in_both_orders(void **state)
{
	uint8_t buffer[64];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd out;

	(void)state;
	write_all(&w);
	assert_true(wr_done(&w, &out));
	assert_int_equal(out.left, ALL);
	for (size_t i = 0; i < out.left; i++)
		assert_int_equal(out.at[i], i + 1);
}

static void what_does_not_fit_spoils_the_writer_and_touches_nothing_behind_it(void **state)
{
	(void)state;
	for (size_t size = 0; size <= ALL; size++) {
		uint8_t *exact = malloc(size ? size : 1);
		struct wr w = wr_of(exact, size);
		struct rd out = rd_str("untouched");

		assert_non_null(exact);
		write_all(&w);
		if (size < ALL) {
			assert_false(wr_done(&w, &out));
			assert_true(rd_is(out, "untouched"));
			assert_null(wr_room(&w, 0)); /* spoilt once is spoilt until it is reset */
			wr_reset(&w);
			assert_true(wr_done(&w, &out) && out.left == 0);
		} else {
			assert_true(wr_done(&w, &out));
		}
		free(exact);
	}
}

static void grows_up_to_its_maximum_and_not_beyond(void **state)
{
	struct wr w = wr_new(1000);
	struct rd out;

	(void)state;
	assert_true(wr_done(&w, &out) && out.left == 0);
	assert_non_null(wr_room(&w, 0));
	for (unsigned i = 0; i < 1000; i++)
		wr_u8(&w, (uint8_t)i);
	assert_true(wr_done(&w, &out));
	assert_int_equal(out.left, 1000);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(out.at[i], (uint8_t)i);
	wr_u8(&w, 0);
	assert_false(wr_done(&w, &out));
	wr_reset(&w);
	wr_copy(&w, out.at, 0);
	assert_null(wr_room(&w, SIZE_MAX));
	wr_free(&w);
	wr_free(&w);
}

static void a_formatted_text_too_long_spoils(void **state)
{
	static char text[2000];
	struct wr w = wr_new(10000);
	struct rd out;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	wr_fmt(&w, "%s", text);
	assert_false(wr_done(&w, &out));
	wr_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_numbers_in_both_orders),
		cmocka_unit_test(what_does_not_fit_spoils_the_writer_and_touches_nothing_behind_it),
		cmocka_unit_test(grows_up_to_its_maximum_and_not_beyond),
		cmocka_unit_test(a_formatted_text_too_long_spoils),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
