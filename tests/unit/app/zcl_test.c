/* ZCL frames and foundation commands by the figures of the ZCL specification 07-5123, chapter 2: octets that a device sends, what they say, and the same
 * octets again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "zigbee/zcl.h"

static uint8_t octets[128], written[128];

static struct rd octets_of(const char *hex)
{
	size_t len;

	assert_true(hex_parse_loose(rd_str(hex), octets, sizeof octets, &len));
	return rd_of(octets, len);
}

static struct zcl_frame frame(const char *hex)
{
	struct rd in = octets_of(hex), out;
	struct wr w = wr_of(written, sizeof written);
	struct zcl_frame f;

	assert_int_equal(zcl_decode(in, &f), OK);
	assert_int_equal(zcl_encode(&f, &w), OK);
	assert_true(wr_done(&w, &out) && rd_equal(in, out));
	return f;
}

static void is_written(const struct wr *w, struct rd expected)
{
	struct rd out;

	assert_true(wr_done(w, &out) && rd_equal(out, expected));
}

static void reads_the_frame_control(void **state)
{
	struct zcl_frame f = frame("18 2a 0a 0000 29 6608");

	(void)state;
	assert_int_equal(f.type, ZCL_GLOBAL);
	assert_true(f.from_server && f.disable_default_response && !f.manufacturer_specific);
	assert_int_equal(f.sequence, 0x2a);
	assert_int_equal(f.command, ZCL_REPORT);
	assert_int_equal(f.payload.left, 5);
	f = frame("01 2b 02");
	assert_int_equal(f.type, ZCL_CLUSTER);
	assert_false(f.from_server || f.disable_default_response);
	assert_int_equal(f.command, ZCL_ON_OFF_TOGGLE);
	f = frame("0c 5f11 2c 0a 01ff");
	assert_true(f.manufacturer_specific);
	assert_int_equal(f.manufacturer, 0x115f);
	assert_int_equal(f.sequence, 0x2c);
	assert_int_equal(zcl_decode(octets_of("02 01 00"), &f), ERR_UNSUPPORTED);
	assert_int_equal(zcl_decode(octets_of("00 01"), &f), ERR_SHORT);
	assert_int_equal(zcl_decode(octets_of("04 5f 11 01"), &f), ERR_SHORT);
}

static void reads_which_attributes_are_asked_for(void **state)
{
	struct rd in = frame("00 01 00 0400 0500").payload;
	struct zcl_record r;

	(void)state;
	assert_true(zcl_read_next(&in, &r));
	assert_int_equal(r.attribute, 0x0004);
	assert_true(zcl_read_next(&in, &r));
	assert_int_equal(r.attribute, 0x0005);
	assert_false(zcl_read_next(&in, &r));
	assert_true(rd_end(&in));
}

static void reads_and_writes_a_read_response(void **state)
{
	struct rd in = frame("18 02 01 0000 00 29 6608 2100 86 0500 00 42 06 4b572d544831").payload, whole = in;
	struct wr w = wr_of(written, sizeof written);
	struct zcl_record r;

	(void)state;
	assert_true(zcl_read_response_next(&in, &r));
	assert_int_equal(r.attribute, 0x0000);
	assert_int_equal(r.status, ZCL_SUCCESS);
	assert_int_equal(zcl_value_int(&r.value), 2150);
	zcl_read_response_put(&w, r.attribute, r.status, &r.value);
	assert_true(zcl_read_response_next(&in, &r));
	assert_int_equal(r.attribute, 0x0021);
	assert_int_equal(r.status, ZCL_UNSUPPORTED_ATTRIBUTE);
	zcl_read_response_put(&w, r.attribute, r.status, &r.value);
	assert_true(zcl_read_response_next(&in, &r));
	assert_true(rd_is(r.value.octets, "KW-TH1"));
	zcl_read_response_put(&w, r.attribute, r.status, &r.value);
	assert_false(zcl_read_response_next(&in, &r));
	assert_true(rd_end(&in));
	is_written(&w, whole);
}

static void reads_and_writes_reports(void **state)
{
	struct rd in = frame("18 03 0a 0000 29 6ffd 2100 20 c8 0000 25 010203040506 0000 10 01").payload, whole = in;
	static const int64_t values[] = {-657, 200, 0x060504030201, 1};
	struct wr w = wr_of(written, sizeof written);
	struct zcl_record r;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(zcl_report_next(&in, &r));
		assert_true(zcl_value_int(&r.value) == values[i]);
		zcl_report_put(&w, r.attribute, &r.value);
	}
	assert_false(zcl_report_next(&in, &r));
	assert_true(rd_end(&in));
	is_written(&w, whole);
}

/* An analogue attribute has a reportable change, a discrete one none; a direction of 1 has a time-out alone. */
static void reads_and_writes_how_to_report(void **state)
{
	struct rd in = frame("10 04 06 00 0000 29 0100 2c01 3200 00 0000 10 0000 2c01 01 0100 0a00").payload, whole = in;
	struct wr w = wr_of(written, sizeof written);
	struct zcl_record r;

	(void)state;
	assert_true(zcl_configure_next(&in, &r));
	assert_int_equal(r.type, ZCL_INT16);
	assert_int_equal(r.minimum_s, 1);
	assert_int_equal(r.maximum_s, 300);
	assert_int_equal(r.change.number, 50);
	zcl_configure_put(&w, r.attribute, r.type, r.minimum_s, r.maximum_s, r.change.number);
	assert_true(zcl_configure_next(&in, &r));
	assert_int_equal(r.type, ZCL_BOOL);
	assert_int_equal(r.maximum_s, 300);
	zcl_configure_put(&w, r.attribute, r.type, r.minimum_s, r.maximum_s, 0);
	whole.left = w.len;
	assert_true(zcl_configure_next(&in, &r));
	assert_int_equal(r.direction, 1);
	assert_int_equal(r.attribute, 0x0001);
	assert_false(zcl_configure_next(&in, &r));
	assert_true(rd_end(&in));
	is_written(&w, whole);
}

static void writes_where_alarms_go(void **state)
{
	const struct zcl_value v = {.type = ZCL_EUI64, .number = 0x0200000000000001ULL};
	struct wr w = wr_of(written, sizeof written);

	(void)state;
	zcl_report_put(&w, 0x0010, &v);
	is_written(&w, octets_of("1000 f0 0100000000000002"));
}

struct value {
	uint8_t type;
	const char *hex;
	int64_t number;
	size_t len; /* of what belongs to it */
};

static void reads_values_of_every_kind(void **state)
{
	static const struct value values[] = {
		{ZCL_NO_DATA, "aa", 0, 0},
		{ZCL_DATA8, "ff", 255, 1},
		{ZCL_BITMAP16, "2100", 0x21, 2},
		{ZCL_BITMAP32, "01000080", 0x80000001, 4},
		{ZCL_UINT24, "ffffff", 0xffffff, 3},
		{ZCL_INT8, "80", -128, 1},
		{ZCL_INT24, "ffffff", -1, 3},
		{ZCL_INT32, "00000080", INT32_MIN, 4},
		{ZCL_INT64, "ffffffffffffff7f", INT64_MAX, 8},
		{ZCL_ENUM16, "0201", 0x0102, 2},
		{ZCL_SINGLE, "0000803f", 0x3f800000, 4},
		{ZCL_OCTET_STRING, "02aabbcc", 0, 3},
		{ZCL_CHAR_STRING, "ff41", 0, 1}, /* no string at all */
		{ZCL_LONG_CHAR_STRING, "010041", 0, 3},
		{ZCL_LONG_OCTET_STRING, "ffff", 0, 2},
		{ZCL_KEY128, "000102030405060708090a0b0c0d0e0f", 0x0706050403020100, 16},
	};

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct rd in = octets_of(values[i].hex), all = in;
		struct zcl_value v;

		assert_true(zcl_value_read(&in, values[i].type, &v));
		assert_int_equal(all.left - in.left, values[i].len);
		assert_true(zcl_value_int(&v) == values[i].number);
		for (size_t n = 0; n < values[i].len; n++) {
			uint8_t *block = malloc(n ? n : 1);
			struct rd prefix;

			assert_non_null(block);
			memcpy(block, octets, n);
			prefix = rd_of(block, n);
			assert_false(zcl_value_read(&prefix, values[i].type, &v));
			free(block);
		}
	}
}

static void knows_which_types_have_a_change(void **state)
{
	(void)state;
	assert_false(zcl_type_is_discrete(ZCL_UINT16) || zcl_type_is_discrete(ZCL_INT24) || zcl_type_is_discrete(ZCL_SINGLE));
	assert_true(zcl_type_is_discrete(ZCL_BOOL) && zcl_type_is_discrete(ZCL_BITMAP16) && zcl_type_is_discrete(ZCL_ENUM8) && zcl_type_is_discrete(ZCL_CHAR_STRING));
}

/* An array or a type that nobody knows has no length: nothing behind it can be read. */
static void stops_at_what_it_cannot_measure(void **state)
{
	struct rd in = frame("18 03 0a 0000 29 6608 0100 48 20 0100 05 0200 20 01").payload;
	struct zcl_record r;

	(void)state;
	assert_true(zcl_report_next(&in, &r));
	assert_false(zcl_report_next(&in, &r));
	assert_false(rd_end(&in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_frame_control),
		cmocka_unit_test(reads_which_attributes_are_asked_for),
		cmocka_unit_test(reads_and_writes_a_read_response),
		cmocka_unit_test(reads_and_writes_reports),
		cmocka_unit_test(reads_and_writes_how_to_report),
		cmocka_unit_test(writes_where_alarms_go),
		cmocka_unit_test(reads_values_of_every_kind),
		cmocka_unit_test(knows_which_types_have_a_change),
		cmocka_unit_test(stops_at_what_it_cannot_measure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
