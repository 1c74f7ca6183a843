/* Values of attributes as oneM2M members and back, by the built-in descriptions; colours; payloads. The vectors are tests/vectors/conversion.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci/conversion.h"

static struct descriptions *all;

static int setup(void **state)
{
	(void)state;
	all = descriptions_built_in();
	return all ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	descriptions_free(all);
	return 0;
}

static const struct point *point_of(const char *module, const char *member, unsigned n)
{
	const struct module *m;

	for (size_t i = 0; (m = descriptions_module(all, NULL, i)) != NULL; i++)
		for (size_t k = 0; strcmp(m->name, module) == 0 && k < m->point_count; k++)
			if (strcmp(m->points[k].member, member) == 0 && n-- == 0)
				return &m->points[k];
	return NULL;
}

static const struct json *json_of(struct json_arena *a, const char *text)
{
	const struct json *v;

	assert_int_equal(json_parse(a, rd_str(text), NULL, &v), OK);
	return v;
}

/* As a device sends it: sign-extended. */
static uint64_t extended(uint8_t type, uint64_t n)
{
	size_t bits = 8 * zcl_type_size(type);

	return zcl_type_is_signed(type) && bits < 64 && n >> (bits - 1) & 1 ? n | UINT64_MAX << bits : n;
}

struct vector {
	const struct point *p;
	struct zcl_value inputs[INPUTS_MAX];
	struct factors f;
	char json[32], back[32];
};

static void read_vector(const char *line, struct vector *v)
{
	char module[32], member[32], raw[64], factors[32], *plus;
	unsigned n, type;

	if (sscanf(line, "%31s %31s %u %x %63s %31s %31s %31s", module, member, &n, &type, raw, factors, v->json, v->back) != 8)
		fail_msg("no vector: %s", line);
	v->p = point_of(module, member, n);
	if (!v->p)
		fail_msg("no such point: %s", line);
	assert_int_equal(v->p->type, type);
	v->inputs[0] = (struct zcl_value){.type = (uint8_t)type, .number = extended((uint8_t)type, strtoull(raw, &plus, 16))};
	v->inputs[1] = (struct zcl_value){.type = (uint8_t)type, .number = *plus ? strtoull(plus + 1, NULL, 16) : 0};
	v->f = (struct factors){1, 1};
	if (factors[0] != '-' && sscanf(factors, "%lf/%lf", &v->f.multiplier, &v->f.divisor) != 2)
		fail_msg("no factors: %s", line);
}

static void check(const char *line, struct json_arena *a)
{
	static const uint8_t black[3] = {0};
	struct vector v;
	char text[64] = "";
	struct wr w = wr_of(text, sizeof text - 1);
	struct wanted wanted;
	const struct json *json;

	read_vector(line, &v);
	if (strcmp(v.json, "-") == 0) {
		if (conversion_value(v.p, v.inputs, &v.f, &w))
			fail_msg("%s gives %s", line, text);
		return;
	}
	if (!conversion_value(v.p, v.inputs, &v.f, &w) || strcmp(text, v.json) != 0)
		fail_msg("%s gives %s", line, text);
	if (strcmp(v.back, "-") == 0)
		return;
	json = json_of(a, v.json);
	assert_non_null(conversion_write(v.p, json));
	if (!conversion_wanted(v.p, json, black, &v.f, &wanted))
		fail_msg("%s has no way back", line);
	if (wanted.value != (strcmp(v.back, "=") == 0 ? v.inputs[0].number : strtoull(v.back, NULL, 16)))
		fail_msg("%s comes back as %llx", line, (unsigned long long)wanted.value);
}

static void every_vector_holds(void **state)
{
	struct json_arena *a = json_arena_new();
	FILE *f = fopen(TEST_SOURCE_ROOT "/tests/vectors/conversion.txt", "r");
	char line[300];
	unsigned count = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		check(line, a);
		count++;
	}
	assert_true(count > 60);
	fclose(f);
	json_arena_free(a);
}

static void every_per_cent_survives_the_way_to_the_device_and_back(void **state)
{
	static const char *const modules[] = {"brigs", "colSn", "opeLl"};
	static const uint8_t black[3] = {0};
	struct json_arena *a = json_arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
		const struct point *p = point_of(modules[i], modules[i], 0);

		for (int n = 0; n <= 100; n++) {
			char text[16], again[16] = "";
			struct wr w = wr_of(again, sizeof again - 1);
			const struct factors f = {1, 1};
			struct zcl_value v[INPUTS_MAX] = {{.type = p->type}};
			struct wanted wanted;

			snprintf(text, sizeof text, "%d", n);
			assert_true(conversion_wanted(p, json_of(a, text), black, &f, &wanted));
			v[0].number = wanted.value;
			assert_true(conversion_value(p, v, &f, &w));
			assert_string_equal(again, text);
		}
	}
	json_arena_free(a);
}

static void what_a_device_cannot_be_told_is_refused(void **state)
{
	/* clang-format off */
	static const struct { const char *module, *member, *json; } cases[] = {
		{"brigs", "brigs", "101"}, {"brigs", "brigs", "-1"}, {"brigs", "brigs", "true"}, {"brigs", "brigs", "\"50\""}, {"tempe", "tarTe", "400"},
		{"tempe", "tarTe", "null"}, {"binSh", "state", "1"}, {"lock", "lock", "2"}, {"opeLl", "opeLl", "101"}, {"alaSr", "alaSs", "1"},
	};
	/* clang-format on */
	static const uint8_t black[3] = {0};
	struct json_arena *a = json_arena_new();
	const struct factors f = {1, 1};
	struct wanted wanted;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct json *v = json_of(a, cases[i].json);
		const struct point *p = point_of(cases[i].module, cases[i].member, 0);

		if (conversion_write(p, v) && conversion_wanted(p, v, black, &f, &wanted))
			fail_msg("%s.%s takes %s", cases[i].module, cases[i].member, cases[i].json);
	}
	json_arena_free(a);
}

static unsigned difference(const uint8_t a[3], const uint8_t b[3])
{
	unsigned most = 0;

	for (int i = 0; i < 3; i++) {
		unsigned by = (unsigned)abs(a[i] - b[i]);

		most = by > most ? by : most;
	}
	return most;
}

static void colours_come_back(void **state)
{
	/* one channel full: brightness has a module of its own */
	static const uint8_t colours[][3] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 255}, {255, 255, 0}, {0, 255, 255}, {255, 0, 255}, {255, 128, 0}, {64, 255, 200}, {10, 20, 255}};

	(void)state;
	for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++) {
		uint8_t again[3], hue, saturation;
		uint16_t x, y;

		colour_to_xy(colours[i], &x, &y);
		colour_from_xy(x, y, again);
		if (difference(colours[i], again) > 8) /* the dark end of a channel is steep */
			fail_msg("colour %zu is %u %u %u by x and y", i, again[0], again[1], again[2]);
		colour_to_hs(colours[i], &hue, &saturation);
		colour_from_hs(hue, saturation, again);
		if (difference(colours[i], again) > 5)
			fail_msg("colour %zu is %u %u %u by hue and saturation", i, again[0], again[1], again[2]);
	}
}

static void colours_without_light_are_still_colours(void **state)
{
	static const uint8_t black[3] = {0, 0, 0};
	uint8_t rgb[3], hue, saturation;
	uint16_t x, y;

	(void)state;
	colour_to_xy(black, &x, &y);
	assert_in_range(x, 20400, 20600); /* D65: 0.3127, 0.3290 */
	assert_in_range(y, 21500, 21600);
	colour_to_hs(black, &hue, &saturation);
	assert_int_equal(saturation, 0);
	colour_from_xy(0, 0, rgb);
	colour_from_xy(65535, 65535, rgb);
	colour_from_hs(255, 255, rgb);
}

static void a_payload_is_laid_out_as_described(void **state)
{
	const struct payload p = {5, {{1, FIELD_VALUE, 0}, {2, FIELD_X, 0}, {1, FIELD_HUE, 0}, {3, FIELD_CONSTANT, 0x010203}, {1, FIELD_SATURATION, 0}}};
	const struct wanted wanted = {.value = 0x1ff, .x = 0x1234, .y = 9, .hue = 7, .saturation = 8};
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);

	(void)state;
	conversion_payload(&p, &wanted, &w);
	assert_int_equal(w.len, 8);
	assert_memory_equal(buffer, "\xff\x34\x12\x07\x03\x02\x01\x08", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_vector_holds),
		cmocka_unit_test(every_per_cent_survives_the_way_to_the_device_and_back),
		cmocka_unit_test(what_a_device_cannot_be_told_is_refused),
		cmocka_unit_test(colours_come_back),
		cmocka_unit_test(colours_without_light_are_still_colours),
		cmocka_unit_test(a_payload_is_laid_out_as_described),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
