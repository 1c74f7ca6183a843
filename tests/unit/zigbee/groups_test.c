/* Commands of Groups and Scenes: each as the ZCL's figures have it, both ways, and every prefix of each is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "zigbee/groups.h"

static struct rd octets_of(const char *hex, uint8_t buffer[64])
{
	size_t n = 0;

	for (; hex[0] && hex[1]; hex += 2) {
		char two[3] = {hex[0], hex[1], '\0'};

		buffer[n++] = (uint8_t)strtoul(two, NULL, 16);
	}
	return rd_of(buffer, n);
}

struct vector {
	bool from_server;
	uint8_t command;
	const char *hex;
};

/* ZCL 3.6.2.2 and 3.6.2.3 */
static const struct vector groups[] = {
	{false, GROUPS_ADD, "3412" "03" "616263"},
	{false, GROUPS_VIEW, "3412"},
	{false, GROUPS_MEMBERSHIP, "02" "3412" "0100"},
	{false, GROUPS_REMOVE, "3412"},
	{false, GROUPS_ADD_IF_IDENTIFYING, "3412" "00"},
	{true, GROUPS_ADD, "8a" "3412"},
	{true, GROUPS_VIEW, "00" "3412" "03" "616263"},
	{true, GROUPS_MEMBERSHIP, "0e" "01" "3412"},
	{true, GROUPS_REMOVE, "00" "3412"},
};

/* ZCL 3.7.2.4 and 3.7.2.5. What may end earlier stands below. */
static const struct vector scenes[] = {
	{false, SCENES_VIEW, "3412" "05"},
	{false, SCENES_REMOVE, "3412" "05"},
	{false, SCENES_REMOVE_ALL, "3412"},
	{false, SCENES_STORE, "3412" "05"},
	{false, SCENES_RECALL, "3412" "05"},
	{false, SCENES_MEMBERSHIP, "3412"},
	{true, SCENES_ADD, "00" "3412" "05"},
	{true, SCENES_VIEW, "8b" "3412" "05"},
	{true, SCENES_REMOVE, "00" "3412" "05"},
	{true, SCENES_REMOVE_ALL, "00" "3412"},
	{true, SCENES_STORE, "89" "3412" "05"},
	{true, SCENES_MEMBERSHIP, "00" "0f" "3412" "02" "0507"},
	{true, SCENES_MEMBERSHIP, "8b" "ff" "3412"},
};

static void each_command_of_groups_comes_back_and_no_prefix_of_it_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
		uint8_t in[64], out[64];
		struct rd payload = octets_of(groups[i].hex, in), again;
		struct wr w = wr_of(out, sizeof out);
		struct groups_message m;

		assert_int_equal(groups_decode(groups[i].from_server, groups[i].command, payload, &m), OK);
		assert_int_equal(groups_encode(groups[i].from_server, groups[i].command, &m, &w), OK);
		assert_true(wr_done(&w, &again) && rd_equal(again, payload));
		for (size_t len = 0; len < payload.left; len++) {
			uint8_t *prefix = malloc(len + !len);

			memcpy(prefix, in, len);
			assert_int_equal(groups_decode(groups[i].from_server, groups[i].command, rd_of(prefix, len), &m), ERR_SHORT);
			free(prefix);
		}
	}
}

static void each_command_of_scenes_comes_back_and_no_prefix_of_it_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
		uint8_t in[64], out[64];
		struct rd payload = octets_of(scenes[i].hex, in), again;
		struct wr w = wr_of(out, sizeof out);
		struct scenes_message m;

		assert_int_equal(scenes_decode(scenes[i].from_server, scenes[i].command, payload, &m), OK);
		assert_int_equal(scenes_encode(scenes[i].from_server, scenes[i].command, &m, &w), OK);
		assert_true(wr_done(&w, &again) && rd_equal(again, payload));
		for (size_t len = 0; len < payload.left; len++) {
			uint8_t *prefix = malloc(len + !len);

			memcpy(prefix, in, len);
			assert_int_equal(scenes_decode(scenes[i].from_server, scenes[i].command, rd_of(prefix, len), &m), ERR_SHORT);
			free(prefix);
		}
	}
}

static void fields_are_what_they_mean(void **state)
{
	struct groups_message g;
	struct scenes_message m;
	struct scenes_field f;
	uint8_t in[64];
	uint16_t group;

	(void)state;
	assert_int_equal(groups_decode(false, GROUPS_ADD, octets_of("341203616263", in), &g), OK);
	assert_int_equal(g.group, 0x1234);
	assert_true(rd_is(g.name, "abc"));
	assert_int_equal(groups_decode(true, GROUPS_MEMBERSHIP, octets_of("0e0134120100", in), &g), OK);
	assert_int_equal(g.capacity, 14);
	assert_true(groups_next(&g.list, &group) && group == 0x1234 && !groups_next(&g.list, &group) && rd_end(&g.list));
	assert_int_equal(scenes_decode(false, SCENES_ADD, octets_of("3412050a0002" "6869" "060001" "01" "080001" "80", in), &m), OK);
	assert_true(m.group == 0x1234 && m.scene == 5 && m.transition == 10 && rd_is(m.name, "hi"));
	assert_true(scenes_next_field(&m.fields, &f) && f.cluster == 0x0006 && f.values.left == 1 && f.values.at[0] == 1);
	assert_true(scenes_next_field(&m.fields, &f) && f.cluster == 0x0008 && f.values.at[0] == 0x80);
	assert_false(scenes_next_field(&m.fields, &f));
	assert_int_equal(scenes_decode(false, SCENES_ADD, octets_of("3412050a0000" "060002" "01", in), &m), ERR_SHORT); /* a set that is cut */
	assert_int_equal(scenes_decode(false, SCENES_RECALL, octets_of("3412050a00", in), &m), OK);
	assert_true(m.has_transition && m.transition == 10);
	assert_int_equal(scenes_decode(false, SCENES_RECALL, octets_of("341205", in), &m), OK);
	assert_false(m.has_transition);
}

static void what_is_no_command_is_refused(void **state)
{
	struct groups_message g = {.status = 0};
	struct scenes_message m = {.status = 0};
	uint8_t buffer[64];
	struct wr w = wr_of(buffer, sizeof buffer);

	(void)state;
	assert_int_equal(groups_decode(false, 0x06, rd_of("", 0), &g), ERR_UNSUPPORTED);
	assert_int_equal(groups_decode(true, GROUPS_REMOVE_ALL, rd_of("", 0), &g), ERR_UNSUPPORTED);
	assert_int_equal(scenes_decode(true, SCENES_RECALL, rd_of("aaaa", 4), &m), ERR_UNSUPPORTED);
	assert_int_equal(scenes_encode(false, 0x07, &m, &w), ERR_UNSUPPORTED);
	g.name = rd_str("seventeen letters");
	assert_int_equal(groups_encode(false, GROUPS_ADD, &g, &w), ERR_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_command_of_groups_comes_back_and_no_prefix_of_it_is_taken),
		cmocka_unit_test(each_command_of_scenes_comes_back_and_no_prefix_of_it_is_taken),
		cmocka_unit_test(fields_are_what_they_mean),
		cmocka_unit_test(what_is_no_command_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
