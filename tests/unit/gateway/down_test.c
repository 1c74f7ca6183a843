/* What node B sends, instance by instance: once, from the right container, in time, and behind what a former run had taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "gateway/down.h"
#include "onem2m/timestamp.h"

#define DEVICE 0x00124b0000000001ULL
#define MADE "20260721T101500"
#define MADE_S 1784628900ULL

static struct down d;
static struct json_arena *arena;
static struct egp_message got;
static uint8_t octets[EGP_MESSAGE_MAX];

static int setup(void **state)
{
	(void)state;
	arena = json_arena_new();
	down_init(&d, DEVICE, "");
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	json_arena_free(arena);
	return 0;
}

/* An instance with these members besides its content. */
static const struct json *instance(const char *members, const struct egp_message *m)
{
	static char texts[8][3000];
	static unsigned turn;
	char *text = texts[turn++ % 8];
	uint8_t message[EGP_MESSAGE_MAX];
	struct wr w = wr_of(message, sizeof message), all = wr_of(text, sizeof texts[0]);
	const struct json *doc;
	struct rd whole;

	assert_int_equal(egp_encode(m, &w), OK);
	wr_fmt(&all, "{%s%s\"con\":\"", members, members[0] ? "," : "");
	base64_print(&all, rd_of(w.octets, w.len));
	wr_str(&all, "\"}");
	assert_true(wr_done(&all, &whole));
	assert_int_equal(json_parse(arena, whole, NULL, &doc), OK);
	return doc;
}

static struct egp_message downlink(uint32_t transaction, uint32_t validity_ms)
{
	struct egp_message m = {.type = EGP_DOWNLINK, .transaction = transaction};

	m.downlink.device = DEVICE;
	m.downlink.validity_ms = validity_ms;
	m.downlink.frame = rd_str("sealed");
	return m;
}

static struct egp_message child_set(uint32_t transaction)
{
	struct egp_message m = {.type = EGP_CHILD_SET, .transaction = transaction};

	m.child_set.device = DEVICE;
	m.child_set.short_address = 0x1234;
	return m;
}

static enum err take(const char *members, const struct egp_message *m, uint64_t cse_s, bool retrieved)
{
	return down_take(&d, instance(members, m), cse_s, retrieved, octets, &got);
}

static void each_message_is_taken_once(void **state)
{
	struct egp_message m = downlink(0, 20000);

	(void)state;
	for (uint32_t i = 0; i < 3; i++) { /* also the number zero */
		m.transaction = i;
		assert_int_equal(take("", &m, 0, false), OK);
		assert_true(rd_is(got.downlink.frame, "sealed"));
		assert_int_equal(got.downlink.validity_ms, 20000);
	}
	for (uint32_t i = 0; i < 3; i++) {
		m.transaction = i;
		assert_int_equal(take("", &m, 0, false), ERR_DUPLICATE);
	}
	for (uint32_t i = 10; i < 1000; i++) {
		m.transaction = i;
		assert_int_equal(take("", &m, 0, false), OK);
		assert_int_equal(take("", &m, 0, false), ERR_DUPLICATE);
	}
}

static void a_frame_is_sent_for_no_longer_than_it_says(void **state)
{
	struct egp_message m = downlink(1, 20000);

	(void)state;
	assert_int_equal(take("\"ct\":\"" MADE "\"", &m, MADE_S, false), OK);
	assert_int_equal(got.downlink.validity_ms, 20000);
	m.transaction++;
	assert_int_equal(take("\"ct\":\"" MADE ",250000\"", &m, MADE_S + 15, false), OK);
	assert_int_equal(got.downlink.validity_ms, 5000); /* what is left of it */
	m.transaction++;
	assert_int_equal(take("\"ct\":\"" MADE "\"", &m, MADE_S + 20, false), ERR_TIMEOUT);
	m.transaction++;
	assert_int_equal(take("\"ct\":\"" MADE "\"", &m, MADE_S + 86400 * 400ULL, true), ERR_TIMEOUT); /* longer than 32 bits of milliseconds */
	m.transaction++;
	assert_int_equal(take("\"ct\":\"" MADE "\"", &m, MADE_S - 3, true), OK); /* clocks have seconds */
	assert_int_equal(got.downlink.validity_ms, 20000);
	m.downlink.validity_ms = 0;
	m.transaction++;
	assert_int_equal(take("\"ct\":\"" MADE "\"", &m, MADE_S + 7, true), OK);
	assert_int_equal(got.downlink.validity_ms, 680);
	m.transaction++;
	assert_int_equal(take("\"ct\":\"" MADE "\"", &m, MADE_S + 8, true), ERR_TIMEOUT);
}

static void what_a_child_is_does_not_age(void **state)
{
	struct egp_message m = child_set(1);

	(void)state;
	assert_int_equal(take("\"ct\":\"" MADE "\"", &m, MADE_S + 86400, true), OK);
	assert_int_equal(got.child_set.short_address, 0x1234);
	m.transaction++;
	assert_int_equal(take("", &m, 0, true), OK);
}

/* Without a clock, a notification is new by itself; what was retrieved may be of last week. */
static void a_frame_of_unknown_age_is_taken_from_notifications_alone(void **state)
{
	static const char *const members[] = {"", "\"ct\":\"yesterday\"", "\"ct\":20260721"};
	struct egp_message m = downlink(1, 20000);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		m.transaction++;
		assert_int_equal(take(members[i], &m, MADE_S, false), OK);
		m.transaction++;
		assert_int_equal(take(members[i], &m, MADE_S, true), ERR_TIMEOUT);
	}
	m.transaction++;
	assert_int_equal(take("\"ct\":\"" MADE "\"", &m, 0, true), ERR_TIMEOUT);
}

static void an_owner_speaks_for_its_own_device_alone(void **state)
{
	struct egp_message m = child_set(1), other = child_set(2);

	(void)state;
	strcpy(d.container, "cnt7");
	assert_int_equal(take("\"pi\":\"cnt8\"", &m, 0, false), ERR_NOT_PERMITTED); /* names our device in another one's container */
	assert_int_equal(take("\"pi\":\"xcnt7\"", &m, 0, false), ERR_NOT_PERMITTED);
	assert_int_equal(take("\"pi\":\"7\"", &m, 0, false), ERR_NOT_PERMITTED);
	assert_string_equal(d.last, "");
	assert_int_equal(take("\"pi\":\"cnt7\",\"ri\":\"cin1\"", &m, 0, false), OK);
	m.transaction = 3;
	assert_int_equal(take("\"pi\":\"/id-mn/cnt7\"", &m, 0, false), OK);
	other.child_set.device = DEVICE + 1;
	assert_int_equal(take("\"pi\":\"cnt7\"", &other, 0, false), ERR_NOT_PERMITTED); /* names another device in ours */
}

static void only_messages_of_node_b_are_taken(void **state)
{
	static const char *const texts[] = {"{}", "{\"con\":5}", "{\"con\":\"\"}", "{\"con\":\"!!!!\"}", "{\"con\":\"RUcB\"}", "[]", "null"};
	struct egp_message policy = {.type = EGP_JOIN_POLICY}, up = {.type = EGP_UPLINK};
	const struct json *doc;
	uint64_t device;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_int_equal(json_parse(arena, rd_str(texts[i]), NULL, &doc), OK);
		assert_int_equal(down_take(&d, doc, 0, false, octets, &got), ERR_MALFORMED);
		assert_false(down_device(doc, &device));
	}
	policy.join_policy.duration_s = EGP_UNTIL_CHANGED; /* the EG's to say */
	policy.join_policy.count = 1;
	assert_int_equal(take("", &policy, 0, false), ERR_MALFORMED);
	up.uplink.device = DEVICE;
	up.uplink.frame = rd_str("sealed");
	assert_int_equal(take("", &up, 0, false), ERR_MALFORMED);
	assert_int_equal(down_take(&d, NULL, 0, false, octets, &got), ERR_MALFORMED);
}

static void a_list_is_taken_behind_what_was_taken(void **state)
{
	const struct json *list;
	struct egp_message m = child_set(1);

	(void)state;
	assert_int_equal(json_parse(arena, rd_str("[{\"ri\":\"a\"},{\"ri\":\"b\"},{\"ri\":\"c\"}]"), NULL, &list), OK);
	assert_ptr_equal(down_first_new(&d, list), list->first);
	down_init(&d, DEVICE, "a");
	assert_ptr_equal(down_first_new(&d, list), list->first->next);
	down_init(&d, DEVICE, "c");
	assert_null(down_first_new(&d, list));
	down_init(&d, DEVICE, "gone"); /* the container holds a hundred */
	assert_ptr_equal(down_first_new(&d, list), list->first);
	assert_null(down_first_new(&d, NULL));
	/* What is notified twice does not set it back. */
	assert_int_equal(take("\"ri\":\"x1\"", &m, 0, false), OK);
	m.transaction++;
	assert_int_equal(take("\"ri\":\"x2\"", &m, 0, false), OK);
	m.transaction--;
	assert_int_equal(take("\"ri\":\"x1\"", &m, 0, false), ERR_DUPLICATE);
	assert_string_equal(d.last, "x2");
	/* an ID that a line of the file could not hold is not remembered */
	m.transaction = 9;
	assert_int_equal(take("\"ri\":\"x y\"", &m, 0, false), OK);
	assert_string_equal(d.last, "x2");
}

static void time_stamps_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t unix_s;
	} good[] = {
		{"19700101T000000", 0}, {"20000229T235959", 951868799}, {"20000301T000000", 951868800}, {"20260721T101500,123456", MADE_S},
		{"21000301T000000", 4107542400}, {"20991231T235959", 4102444799},
	};
	static const char *const bad[] = {
		"", "2026", "20260721T10150", "20260721 101500", "20261321T101500", "20260700T101500", "20260721T241500", "20260721T101500Z", "20260721T101500,", "20260721T101500,1x",
		"19691231T235959", "+2026721T101500",
	};
	char text[TIMESTAMP_SIZE];
	uint64_t s = 7;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(timestamp_parse(rd_str(good[i].text), &s));
		s /= 1000;
		assert_true(s == good[i].unix_s);
	}
	for (uint64_t t = 0; t < 5000000000; t += 86399 * 13) { /* each as it is printed */
		timestamp_print(text, t * 1000);
		assert_true(timestamp_parse(rd_str(text), &s));
		s /= 1000;
		assert_true(s == t);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(timestamp_parse(rd_str(bad[i]), &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_message_is_taken_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_frame_is_sent_for_no_longer_than_it_says, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_child_is_does_not_age, setup, teardown),
		cmocka_unit_test_setup_teardown(a_frame_of_unknown_age_is_taken_from_notifications_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(an_owner_speaks_for_its_own_device_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(only_messages_of_node_b_are_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(a_list_is_taken_behind_what_was_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(time_stamps_are_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
