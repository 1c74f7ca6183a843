/* A session, with the test as its broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "mqtt/mqtt_session.h"

#define PACKET_MAX 4096

static const char *const filters[] = {"/a/+", "/b"};

static struct world {
	struct mqtt_session *s;
	struct wr out; /* what the session sent and the broker has not read */
	size_t read;
	unsigned ready, messages, too_long;
	bool present;
	char last[64];
	struct mqtt_receipt receipt;
	uint64_t now;
} w;

static void on_write(void *ctx, struct rd octets)
{
	(void)ctx;
	wr_rd(&w.out, octets);
}

static void on_ready(void *ctx, bool present)
{
	(void)ctx;
	w.ready++;
	w.present = present;
}

static void on_message(void *ctx, const struct mqtt_publish *p, struct mqtt_receipt receipt)
{
	(void)ctx;
	w.messages++;
	w.receipt = receipt;
	snprintf(w.last, sizeof w.last, "%.*s=%.*s", (int)p->topic.left, (const char *)p->topic.at, (int)(p->payload.left < 20 ? p->payload.left : 20), (const char *)p->payload.at);
}

static void on_too_long(void *ctx, struct rd topic, size_t length)
{
	(void)ctx;
	(void)length;
	assert_true(rd_is(topic, "/a/x"));
	w.too_long++;
}

static const char *user;

static bool on_login(void *ctx, struct mqtt_login *login)
{
	(void)ctx;
	if (user)
		*login = (struct mqtt_login){rd_str(user), rd_of("p\0w", 3)};
	return user != NULL;
}

static int setup(void **state)
{
	const struct mqtt_session_config c = {"C::id-in", false, 60, PACKET_MAX, filters, 2, on_write, on_ready, on_message, on_too_long, on_login, NULL};

	(void)state;
	memset(&w, 0, sizeof w);
	w.out = wr_new(1 << 20);
	w.s = mqtt_session_new(&c);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mqtt_session_free(w.s);
	wr_free(&w.out);
	return 0;
}

/* The next packet that the session sent; its type is 0 when there is none. */
static struct mqtt_head sent(struct rd *body)
{
	struct rd r = rd_of(w.out.octets + w.read, w.out.len - w.read);
	struct mqtt_head h = {0};

	*body = rd_of("", 0);
	if (r.left == 0)
		return h;
	assert_int_equal(mqtt_head_decode(&r, &h), OK);
	assert_true(rd_sub(&r, h.length, body));
	w.read = w.out.len - r.left;
	return h;
}

static void expect(enum mqtt_type type)
{
	struct rd body;

	assert_int_equal(sent(&body).type, type);
}

static void expect_nothing(void)
{
	struct rd body;

	assert_int_equal(sent(&body).type, 0);
}

static uint16_t expect_publish(const char *payload, bool dup)
{
	struct mqtt_publish p;
	struct rd body;
	struct mqtt_head h = sent(&body);

	assert_int_equal(h.type, MQTT_PUBLISH);
	assert_int_equal(mqtt_publish_decode(&h, body, &p), OK);
	assert_true(rd_is(p.payload, payload) && p.dup == dup && p.qos == 1 && !p.retain && p.id != 0);
	return p.id;
}

static enum err told(const void *octets, size_t len)
{
	return mqtt_session_input(w.s, w.now, rd_of(octets, len));
}
#define TOLD(text) told(text, sizeof(text) - 1)

static void puback(uint16_t id)
{
	const uint8_t octets[4] = {0x40, 2, (uint8_t)(id >> 8), (uint8_t)id};

	assert_int_equal(told(octets, 4), OK);
}

static void connect_it(bool present)
{
	mqtt_session_connected(w.s, w.now);
	expect(MQTT_CONNECT);
	assert_int_equal(present ? TOLD("\x20\x02\x01\x00") : TOLD("\x20\x02\x00\x00"), OK);
	expect(MQTT_SUBSCRIBE);
	assert_int_equal(TOLD("\x90\x04\xff\xff\x01\x01"), OK);
	assert_true(mqtt_session_is_ready(w.s));
}

static void publish(const char *payload)
{
	assert_int_not_equal(mqtt_session_publish(w.s, w.now, rd_str("/t"), rd_str(payload)), 0);
}

static void says_name_and_password_where_there_are_some(void **state)
{
	static const char connect[] = "\x10\x1d\0\4MQTT\4\xc0\0\x3c\0\x08" "C::id-in" "\0\2me" "\0\3p\0w";

	(void)state;
	user = "me";
	mqtt_session_connected(w.s, 0);
	user = NULL;
	assert_int_equal(w.out.len, sizeof connect - 1);
	assert_memory_equal(w.out.octets, connect, sizeof connect - 1);
	assert_int_equal(TOLD("\x20\x02\x00\x04"), ERR_NOT_AUTHORISED);
	assert_string_equal(mqtt_session_refusal(w.s), "bad user name or password");
}

static void connects_with_a_persistent_session_and_subscribes(void **state)
{
	static const char connect[] = "\x10\x14\0\4MQTT\4\0\0\x3c\0\x08" "C::id-in", subscribe[] = "\x82\x0e\xff\xff\0\4/a/+\1\0\2/b\1";

	(void)state;
	mqtt_session_connected(w.s, 0);
	assert_int_equal(w.out.len, sizeof connect - 1);
	assert_memory_equal(w.out.octets, connect, sizeof connect - 1);
	assert_int_equal(TOLD("\x20\x02\x00\x00"), OK);
	assert_memory_equal(w.out.octets + sizeof connect - 1, subscribe, sizeof subscribe - 1);
	assert_int_equal(w.ready, 0);
	assert_int_equal(TOLD("\x90\x04\xff\xff\x01\x01"), OK);
	assert_true(w.ready == 1 && !w.present);
}

static void says_why_a_broker_refuses(void **state)
{
	(void)state;
	mqtt_session_connected(w.s, 0);
	assert_int_equal(TOLD("\x20\x02\x00\x05"), ERR_NOT_AUTHORISED);
	assert_string_equal(mqtt_session_refusal(w.s), "not authorised");
	mqtt_session_connected(w.s, 0);
	assert_int_equal(TOLD("\x20\x02\x00\x00"), OK);
	assert_int_equal(TOLD("\x90\x04\xff\xff\x01\x80"), ERR_NOT_AUTHORISED);
	assert_false(mqtt_session_is_ready(w.s));
}

static void keeps_what_was_published_until_it_is_acknowledged(void **state)
{
	uint16_t id;

	(void)state;
	publish("before");
	connect_it(false);
	id = expect_publish("before", false);
	assert_int_equal(mqtt_session_pending(w.s), 1);
	puback(id);
	assert_int_equal(mqtt_session_pending(w.s), 0);
	puback(id); /* again: nothing */
	expect_nothing();
}

static void sends_again_what_the_broker_did_not_acknowledge(void **state)
{
	uint16_t one, two;

	(void)state;
	connect_it(true);
	publish("one");
	publish("two");
	one = expect_publish("one", false);
	two = expect_publish("two", false);
	puback(one);
	mqtt_session_lost(w.s);
	publish("three");
	connect_it(true);
	assert_true(w.present);
	assert_int_equal(expect_publish("two", true), two); /* the same id, and marked */
	assert_int_not_equal(expect_publish("three", false), two);
	mqtt_session_lost(w.s);
	connect_it(false); /* the broker forgot: it cannot be a repetition */
	expect_publish("two", false);
	expect_publish("three", false);
}

static void withdraws_only_what_was_never_sent(void **state)
{
	uint64_t one, two, three;

	(void)state;
	one = mqtt_session_publish(w.s, 0, rd_str("/t"), rd_str("one"));
	two = mqtt_session_publish(w.s, 0, rd_str("/t"), rd_str("two"));
	mqtt_session_withdraw(w.s, two);
	assert_true(mqtt_session_has(w.s, one) && !mqtt_session_has(w.s, two));
	three = mqtt_session_publish(w.s, 0, rd_str("/t"), rd_str("three"));
	connect_it(false);
	expect_publish("one", false);
	expect_publish("three", false);
	mqtt_session_withdraw(w.s, three);
	assert_true(mqtt_session_has(w.s, three));
}

static void has_a_window_of_messages_in_flight(void **state)
{
	uint16_t ids[MQTT_IN_FLIGHT_MAX];
	char text[16];

	(void)state;
	connect_it(false);
	for (unsigned i = 0; i < MQTT_IN_FLIGHT_MAX + 2; i++) {
		snprintf(text, sizeof text, "%u", i);
		publish(text);
		if (i < MQTT_IN_FLIGHT_MAX)
			ids[i] = expect_publish(text, false);
	}
	expect_nothing();
	puback(ids[7]);
	snprintf(text, sizeof text, "%u", MQTT_IN_FLIGHT_MAX);
	assert_int_not_equal(expect_publish(text, false), ids[8]);
	expect_nothing();
	mqtt_session_lost(w.s);
	connect_it(true);
	for (unsigned i = 0; i < MQTT_IN_FLIGHT_MAX; i++) /* the oldest again, in their order */
		expect_publish((snprintf(text, sizeof text, "%u", i < 7 ? i : i + 1), text), true);
	expect_nothing();
	for (unsigned i = 0; i < MQTT_IN_FLIGHT_MAX; i++)
		puback(ids[i]);
	assert_true(mqtt_session_pending(w.s) <= 2);
}

static void acknowledges_when_it_is_told_to(void **state)
{
	struct rd body;
	struct mqtt_receipt old;
	uint16_t id;

	(void)state;
	connect_it(false);
	assert_int_equal(TOLD("\x32\x0a\0\4/a/x\0\x09hi"), OK);
	assert_string_equal(w.last, "/a/x=hi");
	expect_nothing();
	old = w.receipt;
	mqtt_session_acknowledge(w.s, w.now, old);
	assert_int_equal(sent(&body).type, MQTT_PUBACK);
	assert_true(mqtt_id_decode(&body, &id) && id == 9);
	assert_int_equal(TOLD("\x30\x08\0\4/a/xhi"), OK); /* QoS 0 */
	assert_int_equal(w.messages, 2);
	mqtt_session_acknowledge(w.s, w.now, w.receipt);
	expect_nothing();
	mqtt_session_lost(w.s);
	connect_it(true);
	mqtt_session_acknowledge(w.s, w.now, old); /* of another connection: the message comes again */
	expect_nothing();
}

static void takes_input_cut_anywhere(void **state)
{
	static const char all[] = "\x20\x02\x00\x00" "\x90\x04\xff\xff\x01\x01" "\x32\x0a\0\4/a/x\0\x09hi" "\x30\x08\0\4/a/yho";

	(void)state;
	for (size_t step = 1; step < sizeof all; step++) {
		w.ready = w.messages = 0;
		mqtt_session_connected(w.s, 0);
		for (size_t at = 0; at < sizeof all - 1; at += step)
			assert_int_equal(told(all + at, at + step < sizeof all - 1 ? step : sizeof all - 1 - at), OK);
		assert_true(w.ready == 1 && w.messages == 2);
		assert_string_equal(w.last, "/a/y=ho");
	}
}

static void passes_over_what_is_too_long(void **state)
{
	static uint8_t octets[PACKET_MAX + 300];
	struct wr o = wr_of(octets, sizeof octets);
	static uint8_t payload[PACKET_MAX];
	const struct mqtt_publish p = {.qos = 1, .id = 5, .topic = rd_str("/a/x"), .payload = rd_of(payload, sizeof payload)};

	(void)state;
	assert_int_equal(mqtt_publish_encode(&p, &o), OK);
	wr_copy(&o, "\x30\x08\0\4/a/yho", 10);
	for (size_t step = 1; step < 5000; step = step * 3 + 1) {
		w.messages = w.too_long = 0;
		mqtt_session_lost(w.s);
		connect_it(true);
		for (size_t at = 0; at < o.len; at += step)
			assert_int_equal(told(octets + at, at + step < o.len ? step : o.len - at), OK);
		expect(MQTT_PUBACK);
		assert_true(w.too_long == 1 && w.messages == 1);
	}
}

static void ends_a_connection_that_is_against_the_protocol(void **state)
{
	static const struct {
		const char *octets;
		size_t len;
		enum err e;
	} bad[] = {
		{"\x20\x02\x00\x00", 4, ERR_MALFORMED},                      /* CONNACK again */
		{"\x34\x0a\0\4/a/x\0\x09hi", 12, ERR_UNSUPPORTED},           /* QoS 2 */
		{"\x36\x0a\0\4/a/x\0\x09hi", 12, ERR_UNSUPPORTED},           /* QoS 3 */
		{"\x32\x0a\0\4/a/x\0\0hi", 12, ERR_MALFORMED},               /* id 0 */
		{"\x32\x03\0\4/", 5, ERR_MALFORMED},                         /* topic beyond its end */
		{"\x30\xff\xff\xff\xff\x01", 6, ERR_MALFORMED},              /* length of five octets */
		{"\x40\x03\0\1\0", 5, ERR_MALFORMED}, {"\x10\x00", 2, ERR_MALFORMED}, {"\xd0\x01\0", 3, ERR_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		connect_it(false);
		assert_int_equal(told(bad[i].octets, bad[i].len), bad[i].e);
		mqtt_session_lost(w.s);
	}
	assert_int_equal(TOLD("\xd0\x00"), ERR_STATE);
}

static void asks_a_silent_broker_whether_it_lives(void **state)
{
	(void)state;
	connect_it(false);
	assert_int_equal(mqtt_session_deadline(w.s), 60000);
	w.now = 60000;
	assert_int_equal(mqtt_session_tick(w.s, w.now), OK);
	expect(MQTT_PINGREQ);
	assert_int_equal(TOLD("\xd0\x00"), OK);
	w.now = 120000;
	assert_int_equal(mqtt_session_tick(w.s, w.now), OK);
	expect(MQTT_PINGREQ);
	w.now += MQTT_ANSWER_MS;
	assert_int_equal(mqtt_session_tick(w.s, w.now), ERR_TIMEOUT);
	mqtt_session_lost(w.s);
	assert_true(mqtt_session_deadline(w.s) == CLOCK_NEVER);
}

static void bounds_what_waits(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MQTT_PENDING_MAX; i++)
		assert_int_not_equal(mqtt_session_publish(w.s, 0, rd_str("/t"), rd_str("x")), 0);
	assert_int_equal(mqtt_session_publish(w.s, 0, rd_str("/t"), rd_str("x")), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(connects_with_a_persistent_session_and_subscribes),
		T(says_name_and_password_where_there_are_some),
		T(says_why_a_broker_refuses),
		T(keeps_what_was_published_until_it_is_acknowledged),
		T(sends_again_what_the_broker_did_not_acknowledge),
		T(withdraws_only_what_was_never_sent),
		T(has_a_window_of_messages_in_flight),
		T(acknowledges_when_it_is_told_to),
		T(takes_input_cut_anywhere),
		T(passes_over_what_is_too_long),
		T(ends_a_connection_that_is_against_the_protocol),
		T(asks_a_silent_broker_whether_it_lives),
		T(bounds_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
