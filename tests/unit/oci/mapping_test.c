/* The mapping of ZCL attributes to SDT module classes: values as JSON, values that stand for nothing, and the way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "oci/mapping.h"

static const char *json_of(const struct mapping *m, uint8_t type, uint64_t number)
{
	static char text[64];
	const struct zcl_value v = {.type = type, .number = number};
	struct wr w = wr_of(text, sizeof text - 1);

	if (!mapping_value(m, &v, &w))
		return NULL;
	text[w.len] = '\0';
	return text;
}

static void reports_become_sdt_attributes(void **state)
{
	/* clang-format off */
	static const struct {
		uint16_t cluster, attribute, zone;
		uint8_t type;
		uint64_t number;
		const char *root, *member, *json;
	} cases[] = {
		{ZCL_ON_OFF, 0, 0, ZCL_BOOL, 1, "cod:binSh", "state", "true"},
		{ZCL_ON_OFF, 0, 0, ZCL_BOOL, 0, "cod:binSh", "state", "false"},
		{ZCL_TEMPERATURE, 0, 0, ZCL_INT16, 2345, "cod:tempe", "curT0", "23.45"},
		{ZCL_TEMPERATURE, 0, 0, ZCL_INT16, (uint64_t)-550, "cod:tempe", "curT0", "-5.5"},
		{ZCL_TEMPERATURE, 0, 0, ZCL_INT16, (uint64_t)-1, "cod:tempe", "curT0", "-0.01"},
		{ZCL_HUMIDITY, 0, 0, ZCL_UINT16, 6001, "cod:relHy", "relHy", "60.01"},
		{ZCL_PRESSURE, 0, 0, ZCL_INT16, 1013, "cod:baror", "atmPe", "1013"},
		{ZCL_OCCUPANCY, 0, 0, ZCL_BITMAP8, 0xff, "cod:motSr", "alarm", "true"}, /* bitmaps have no value for nothing */
		{ZCL_OCCUPANCY, 0, 0, ZCL_BITMAP8, 0xfe, "cod:motSr", "alarm", "false"},
		{ZCL_POWER, 0x21, 0, ZCL_UINT8, 199, "cod:bat", "lvl", "99"},
		{ZCL_METERING, 0, 0, ZCL_UINT48, 1234567, "cod:eneCn", "abECn", "1234.567"},
		{ZCL_METERING, 0x400, 0, ZCL_INT24, (uint64_t)-15, "cod:eneCn", "power", "-15"},
		{ZCL_IAS_ZONE, 2, 0x0015, ZCL_BITMAP16, 0x0021, "cod:dooSs", "dooSe", "2"},
		{ZCL_IAS_ZONE, 2, 0x0015, ZCL_BITMAP16, 0x0020, "cod:dooSs", "dooSe", "1"},
		{ZCL_IAS_ZONE, 2, 0x000d, ZCL_BITMAP16, 1, "cod:motSr", "alarm", "true"},
		{ZCL_IAS_ZONE, 2, 0x0028, ZCL_BITMAP16, 1, "cod:smoSr", "alarm", "true"},
		{ZCL_IAS_ZONE, 2, 0x002a, ZCL_BITMAP16, 0, "cod:watSr", "alarm", "false"},
		{ZCL_IAS_ZONE, 2, 0x002d, ZCL_BITMAP16, 1, "cod:impSr", "impSs", "true"},
		{ZCL_DOOR_LOCK, 0, 0, ZCL_ENUM8, 1, "cod:lock", "lock", "true"},
		{ZCL_DOOR_LOCK, 0, 0, ZCL_ENUM8, 2, "cod:lock", "lock", "false"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct mapping *m = mapping_find(cases[i].cluster, cases[i].attribute, cases[i].zone);
		const char *json;

		assert_non_null(m);
		assert_string_equal(m->root, cases[i].root);
		assert_string_equal(m->member, cases[i].member);
		assert_int_equal(m->type, cases[i].type);
		json = json_of(m, cases[i].type, cases[i].number);
		assert_non_null(json);
		assert_string_equal(json, cases[i].json);
	}
}

static void a_value_that_stands_for_nothing_is_not_passed_on(void **state)
{
	/* clang-format off */
	static const struct {
		uint16_t cluster, attribute;
		uint8_t type;
		uint64_t number;
	} cases[] = {
		{ZCL_TEMPERATURE, 0, ZCL_INT16, (uint64_t)INT16_MIN},
		{ZCL_HUMIDITY, 0, ZCL_UINT16, 0xffff},
		{ZCL_POWER, 0x21, ZCL_UINT8, 0xff},
		{ZCL_ON_OFF, 0, ZCL_BOOL, 0xff},
		{ZCL_METERING, 0, ZCL_UINT48, 0xffffffffffff},
		{ZCL_METERING, 0, ZCL_UINT64, UINT64_MAX},
		{ZCL_METERING, 0x400, ZCL_INT24, (uint64_t)-0x800000},
		{ZCL_DOOR_LOCK, 0, ZCL_ENUM8, 0xff}, /* undefined is not locked */
		{ZCL_TEMPERATURE, 0, ZCL_NO_DATA, 0},
		{ZCL_TEMPERATURE, 0, ZCL_CHAR_STRING, 0},
		{ZCL_TEMPERATURE, 0, ZCL_SINGLE, 0x41b80000},
		{ZCL_TEMPERATURE, 0, ZCL_KEY128, 0},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_null(json_of(mapping_find(cases[i].cluster, cases[i].attribute, 0), cases[i].type, cases[i].number));
}

static void what_does_not_fit_is_an_error(void **state)
{
	const struct zcl_value v = {.type = ZCL_INT16, .number = 2345};
	char text[4];
	struct wr w = wr_of(text, sizeof text);

	(void)state;
	assert_false(mapping_value(mapping_find(ZCL_TEMPERATURE, 0, 0), &v, &w));
}

static void a_zone_is_mapped_by_its_type(void **state)
{
	(void)state;
	assert_null(mapping_find(ZCL_IAS_ZONE, 2, 0));
	assert_null(mapping_find(ZCL_IAS_ZONE, 2, 0x1234));
	assert_null(mapping_at(ZCL_IAS_ZONE, 0x0015, 1));
	assert_null(mapping_find(ZCL_ON_OFF, 0x4001, 0));
	assert_null(mapping_at(ZCL_BASIC, 0, 0));
	assert_ptr_equal(mapping_at(ZCL_METERING, 0, 1), mapping_find(ZCL_METERING, 0x400, 0));
	assert_null(mapping_at(ZCL_METERING, 0, 2));
}

static void an_sdt_attribute_is_found_by_its_names(void **state)
{
	const struct mapping *m = mapping_of_root("cod:binSh", "state");

	(void)state;
	assert_non_null(m);
	assert_int_equal(m->cluster, ZCL_ON_OFF);
	assert_true(m->commanded);
	assert_string_equal(m->definition, "org.onem2m.common.moduleclass.binarySwitch");
	assert_null(mapping_of_root("cod:binSh", "stat"));
	assert_null(mapping_of_root("cod:binS", "state"));
	m = mapping_of_root("cod:eneCn", "power");
	assert_non_null(m);
	assert_int_equal(m->attribute, 0x400);
	assert_false(m->commanded); /* nobody writes a measurement */
}

static void an_unknown_device_is_a_plain_one(void **state)
{
	(void)state;
	assert_string_equal(mapping_device(0x0051)->root, "cod:deSPg");
	assert_string_equal(mapping_device(0x0302)->definition, "org.onem2m.common.device.deviceThermometer");
	assert_string_equal(mapping_device(0x7777)->root, "cod:devSh");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_become_sdt_attributes),
		cmocka_unit_test(a_value_that_stands_for_nothing_is_not_passed_on),
		cmocka_unit_test(what_does_not_fit_is_an_error),
		cmocka_unit_test(a_zone_is_mapped_by_its_type),
		cmocka_unit_test(an_sdt_attribute_is_found_by_its_names),
		cmocka_unit_test(an_unknown_device_is_a_plain_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
