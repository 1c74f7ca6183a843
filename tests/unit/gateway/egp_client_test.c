/* The gateway's side of EGP against an Enrolment Gateway that the test plays: HELLO, requests and their repeats, every refusal, reconnecting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/egp_client.h"

#define GATEWAY 0x0200000000000001ULL
#define DEVICE 0x00124b0000000001ULL
#define EFFECTS 600
#define AT_ONCE 512 /* as many as it asks for at a time */

static struct egp_client *c;
static struct rng rng;
static uint64_t now;
static struct egp_client_effect effects[EFFECTS];
static size_t count;

static const struct egp_client_config config = {GATEWAY, 0x1a62, 0xf4ce368fce29a410ULL, 15, 7};

static int setup(void **state)
{
	(void)state;
	rng = rng_seeded(5);
	c = egp_client_new(&config, &rng);
	now = 100000;
	count = 0;
	return c ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	egp_client_free(c);
	return 0;
}

static void collect(void)
{
	count = 0;
	while (count < EFFECTS && egp_client_output(c, &effects[count]))
		count++;
}

static const struct egp_client_effect *find(enum egp_client_effect_type type)
{
	for (size_t i = 0; i < count; i++)
		if (effects[i].type == type)
			return &effects[i];
	return NULL;
}

/* The index-th message of a type that was written. */
static bool written(enum egp_type type, size_t index, struct egp_message *m)
{
	for (size_t i = 0; i < count; i++) {
		if (effects[i].type != EGP_CLIENT_WRITE)
			continue;
		assert_int_equal(egp_decode(rd_of(effects[i].octets, effects[i].len), m), OK);
		if (m->type == type && index-- == 0)
			return true;
	}
	return false;
}

static void say(const struct egp_message *m)
{
	uint8_t octets[EGP_MESSAGE_MAX];
	struct wr w = wr_of(octets, sizeof octets);

	assert_int_equal(egp_encode(m, &w), OK);
	egp_client_message(c, now, rd_of(w.octets, w.len));
	memset(octets, 0xee, sizeof octets); /* nothing may be borrowed from it */
	collect();
}

static void tick(uint64_t ms)
{
	now += ms;
	egp_client_tick(c, now);
	collect();
}

static void connect_it(struct egp_message *hello)
{
	egp_client_connected(c, now);
	collect();
	assert_true(written(EGP_HELLO, 0, hello));
	assert_int_equal(count, 1);
}

static void come_up(void)
{
	struct egp_message hello, ack = {.type = EGP_HELLO_ACK};

	connect_it(&hello);
	ack.transaction = hello.transaction;
	ack.hello_ack.version = EGP_VERSION;
	say(&ack);
	assert_non_null(find(EGP_CLIENT_UP));
}

static void ask(struct egp_message *request)
{
	egp_client_request(c, now, DEVICE, 0x7b31, 0x80, EGP_JOIN_ASSOCIATION);
	collect();
	assert_true(written(EGP_REQUEST, 0, request));
	assert_int_equal(count, 1);
}

static void refuse(uint32_t transaction, enum egp_error_code code, uint16_t again_s)
{
	struct egp_message m = {.type = EGP_ERROR, .transaction = transaction};

	m.error.device = DEVICE;
	m.error.code = code;
	m.error.retry_after_s = again_s;
	say(&m);
}

static void respond(uint32_t transaction, const char *packet)
{
	struct egp_message m = {.type = EGP_RESPONSE, .transaction = transaction, .owner = rd_str("/id-b"), .relay_target = rd_str("/id-mn/cse-mn/gw1/x/up")};

	m.response.device = DEVICE;
	m.response.packet = rd_str(packet);
	say(&m);
}

/* ---- HELLO ---- */

static void it_introduces_itself(void **state)
{
	struct egp_message m, ack = {.type = EGP_HELLO_ACK};

	(void)state;
	assert_true(egp_client_deadline(c) == CLOCK_NEVER);
	connect_it(&m);
	assert_true(m.hello.gateway == GATEWAY);
	assert_int_equal(m.hello.pan_id, 0x1a62);
	assert_true(m.hello.extended_pan_id == config.extended_pan_id);
	assert_int_equal(m.hello.channel, 15);
	assert_int_equal(m.hello.highest_version, EGP_VERSION);
	assert_int_equal(m.hello.epoch, 7);
	assert_true(m.software.left > 0);
	assert_null(find(EGP_CLIENT_UP));
	ack.transaction = m.transaction;
	ack.hello_ack.version = EGP_VERSION;
	say(&ack);
	assert_non_null(find(EGP_CLIENT_UP));
}

static void nothing_is_taken_before_hello_is_answered(void **state)
{
	struct egp_message m, policy = {.type = EGP_JOIN_POLICY}, gone = {.type = EGP_DEVICE_REMOVE};

	(void)state;
	connect_it(&m);
	policy.join_policy.duration_s = EGP_UNTIL_CHANGED;
	policy.join_policy.count = 1;
	policy.join_policy.devices[0] = DEVICE;
	say(&policy);
	assert_int_equal(count, 0);
	gone.remove.device = DEVICE;
	say(&gone);
	assert_int_equal(count, 0);
	egp_client_request(c, now, DEVICE, 1, 0x80, EGP_JOIN_ASSOCIATION);
	collect();
	assert_int_equal(count, 0);
}

static void a_refused_hello_is_said_again(void **state)
{
	struct egp_message m;

	(void)state;
	connect_it(&m);
	for (unsigned i = 0; i < 3; i++) {
		refuse(m.transaction, EGP_ERROR_NOT_AUTHORISED, 0); /* an operator may register us yet */
		assert_non_null(find(EGP_CLIENT_REFUSED));
		assert_null(find(EGP_CLIENT_UP));
		assert_true(egp_client_deadline(c) == now + 1000);
		tick(1000);
		assert_true(written(EGP_HELLO, 0, &m));
	}
}

static void a_silent_peer_is_pinged_and_then_left(void **state)
{
	struct egp_message m, pong = {.type = EGP_PONG};
	unsigned pings = 0;

	(void)state;
	come_up();
	for (uint64_t end = now + 600000; now < end;) { /* it answers: for ever */
		assert_true(egp_client_deadline(c) > now);
		tick(egp_client_deadline(c) - now);
		assert_null(find(EGP_CLIENT_CLOSE));
		if (!written(EGP_PING, 0, &m))
			continue;
		pings++;
		pong.transaction = m.transaction;
		say(&pong);
	}
	assert_in_range(pings, 20, 40);
	for (uint64_t end = now + 70000; now < end && !find(EGP_CLIENT_CLOSE);) /* it answers no more */
		tick(egp_client_deadline(c) - now);
	assert_non_null(find(EGP_CLIENT_CLOSE));
}

static void a_ping_is_answered(void **state)
{
	struct egp_message ping = {.type = EGP_PING, .transaction = 1234}, m;

	(void)state;
	come_up();
	say(&ping);
	assert_true(written(EGP_PONG, 0, &m));
	assert_int_equal(m.transaction, 1234);
}

static void a_peer_that_breaks_the_protocol_is_left(void **state)
{
	(void)state;
	come_up();
	egp_client_message(c, now, rd_of("EG\x01\xff\0\0\0\0\0\0", 10));
	collect();
	assert_non_null(find(EGP_CLIENT_CLOSE));
	egp_client_message(c, now, rd_of("", 0));
	collect();
	assert_non_null(find(EGP_CLIENT_CLOSE));
}

/* ---- requests ---- */

static void a_packet_is_passed_on_with_its_owner(void **state)
{
	const struct egp_client_effect *e;
	struct egp_message m;

	(void)state;
	come_up();
	ask(&m);
	assert_true(m.request.gateway == GATEWAY && m.request.device == DEVICE);
	assert_int_equal(m.request.device_short, 0x7b31);
	assert_int_equal(m.request.capability, 0x80);
	assert_int_equal(m.request.kind, EGP_JOIN_ASSOCIATION);
	respond(m.transaction + 1, "another's");
	assert_null(find(EGP_CLIENT_PACKET));
	respond(m.transaction, "packet");
	e = find(EGP_CLIENT_PACKET);
	assert_non_null(e);
	if (!e)
		return;
	assert_true(e->message.response.device == DEVICE);
	assert_true(rd_is(e->message.response.packet, "packet"));
	assert_true(rd_is(e->message.owner, "/id-b"));
	assert_true(rd_is(e->message.relay_target, "/id-mn/cse-mn/gw1/x/up"));
	respond(m.transaction, "packet"); /* twice is once */
	assert_null(find(EGP_CLIENT_PACKET));
	tick(60000);
	assert_false(written(EGP_REQUEST, 0, &m));
}

/* Of a device that joins through a router: nobody asked. */
static void an_answer_without_a_packet_introduces_a_device(void **state)
{
	const struct egp_client_effect *e;

	(void)state;
	come_up();
	respond(77, "");
	e = find(EGP_CLIENT_PACKET);
	assert_non_null(e);
	if (!e)
		return;
	assert_true(e->message.response.device == DEVICE && e->message.response.packet.left == 0);
	assert_true(rd_is(e->message.owner, "/id-b"));
	respond(77, "a packet that nobody asked for");
	assert_null(find(EGP_CLIENT_PACKET));
}

static void an_unanswered_request_is_repeated_as_it_is_and_given_up(void **state)
{
	struct egp_message first, m;
	unsigned tries = 1;

	(void)state;
	come_up();
	ask(&first);
	for (uint64_t end = now + 60000; now < end;) {
		const struct egp_message ping = {.type = EGP_PING};

		tick(1000);
		if (written(EGP_REQUEST, 0, &m)) {
			assert_int_equal(m.transaction, first.transaction); /* so that the EG takes no new frame counter */
			tries++;
		}
		say(&ping); /* the connection is alive */
	}
	assert_int_equal(tries, 5);
}

static void a_device_that_asks_again_starts_over(void **state)
{
	struct egp_message first, second;

	(void)state;
	come_up();
	ask(&first);
	ask(&second);
	assert_int_not_equal(second.transaction, first.transaction);
	respond(first.transaction, "old"); /* its keys are not those of this association */
	assert_null(find(EGP_CLIENT_PACKET));
	respond(second.transaction, "new");
	assert_non_null(find(EGP_CLIENT_PACKET));
}

static void each_refusal_is_taken_as_it_is_meant(void **state)
{
	static const struct {
		enum egp_error_code code;
		bool again;
	} codes[] = {
		{EGP_ERROR_UNKNOWN_DEVICE, false},
		{EGP_ERROR_NOT_PERMITTED, true},
		{EGP_ERROR_RATE_LIMITED, true},
		{EGP_ERROR_MALFORMED, false},
		{EGP_ERROR_NOT_AUTHORISED, false},
		{EGP_ERROR_COUNTER_EXHAUSTED, false},
		{EGP_ERROR_INTERNAL, true},
		{EGP_ERROR_VERSION, false},
	};
	struct egp_message m;

	(void)state;
	come_up();
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		uint32_t former;

		ask(&m);
		former = m.transaction;
		refuse(former, codes[i].code, 2);
		assert_int_equal(find(EGP_CLIENT_REFUSED) == NULL, codes[i].again);
		tick(1999);
		assert_false(written(EGP_REQUEST, 0, &m));
		tick(1);
		assert_int_equal(written(EGP_REQUEST, 0, &m), codes[i].again);
		if (codes[i].again)
			assert_int_not_equal(m.transaction, former); /* a new question */
		ask(&m);
		refuse(m.transaction, codes[i].code, 0); /* without a time it is final */
		assert_non_null(find(EGP_CLIENT_REFUSED));
		tick(10000);
		assert_false(written(EGP_REQUEST, 0, &m));
	}
}

static void it_does_not_ask_for_ever(void **state)
{
	struct egp_message m;
	unsigned asked = 1;

	(void)state;
	come_up();
	ask(&m);
	for (unsigned i = 0; i < 20; i++) {
		refuse(m.transaction, EGP_ERROR_NOT_PERMITTED, 1);
		if (find(EGP_CLIENT_REFUSED))
			break;
		tick(1000);
		assert_true(written(EGP_REQUEST, 0, &m));
		asked++;
	}
	assert_non_null(find(EGP_CLIENT_REFUSED));
	assert_int_equal(asked, 5);
}

static void many_devices_at_once_are_all_asked_for(void **state)
{
	struct egp_message m;

	(void)state;
	come_up();
	for (uint64_t i = 0; i < 1000; i++)
		egp_client_request(c, now, 500 + i, (uint16_t)i, 0x80, EGP_JOIN_ASSOCIATION);
	collect();
	for (uint64_t i = 0; i < AT_ONCE; i++) {
		assert_true(written(EGP_REQUEST, i, &m));
		assert_true(m.request.device == 500 + i);
	}
	assert_false(written(EGP_REQUEST, AT_ONCE, &m)); /* a flood: the others ask again by themselves */
}

/* ---- reconnecting ---- */

static void requests_outlive_the_connection(void **state)
{
	struct egp_message first, m, hello, ack = {.type = EGP_HELLO_ACK};

	(void)state;
	come_up();
	ask(&first);
	egp_client_disconnected(c);
	assert_true(egp_client_deadline(c) == CLOCK_NEVER);
	tick(120000);
	assert_int_equal(count, 0);
	for (uint64_t i = 0; i < AT_ONCE + 6; i++) /* and more come meanwhile than it has places for */
		egp_client_request(c, now, 500 + i, 1, 0x80, EGP_JOIN_ASSOCIATION);
	collect();
	assert_int_equal(count, 0);
	connect_it(&hello);
	assert_int_not_equal(hello.transaction, first.transaction);
	ack.hello_ack.version = EGP_VERSION;
	ack.transaction = hello.transaction;
	say(&ack);
	assert_non_null(find(EGP_CLIENT_UP));
	assert_true(written(EGP_REQUEST, 0, &m));
	assert_true(m.request.device == DEVICE);
	assert_int_equal(m.transaction, first.transaction);
	assert_true(written(EGP_REQUEST, AT_ONCE - 1, &m));
	assert_false(written(EGP_REQUEST, AT_ONCE, &m));
	respond(first.transaction, "packet");
	assert_non_null(find(EGP_CLIENT_PACKET));
}

/* ---- what the EG says unasked ---- */

static void policies_and_removals_are_acknowledged_and_passed_on(void **state)
{
	struct egp_message policy = {.type = EGP_JOIN_POLICY, .transaction = 31}, gone = {.type = EGP_DEVICE_REMOVE, .transaction = 32}, m;

	(void)state;
	come_up();
	policy.join_policy.duration_s = 180;
	policy.join_policy.count = 2;
	policy.join_policy.devices[0] = DEVICE;
	policy.join_policy.devices[1] = 5;
	say(&policy);
	assert_true(written(EGP_ACK, 0, &m));
	assert_int_equal(m.transaction, 31);
	assert_int_equal(m.acked_type, EGP_JOIN_POLICY);
	assert_non_null(find(EGP_CLIENT_POLICY));
	for (size_t i = 0; i < count; i++)
		if (effects[i].type == EGP_CLIENT_POLICY) {
			assert_int_equal(effects[i].message.join_policy.duration_s, 180);
			assert_int_equal(effects[i].message.join_policy.count, 2);
			assert_true(effects[i].message.join_policy.devices[1] == 5);
		}
	gone.remove.device = DEVICE;
	say(&gone);
	assert_true(written(EGP_ACK, 0, &m));
	assert_int_equal(m.acked_type, EGP_DEVICE_REMOVE);
	assert_non_null(find(EGP_CLIENT_REMOVE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_introduces_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_taken_before_hello_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refused_hello_is_said_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_silent_peer_is_pinged_and_then_left, setup, teardown),
		cmocka_unit_test_setup_teardown(a_ping_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(a_peer_that_breaks_the_protocol_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(a_packet_is_passed_on_with_its_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(an_answer_without_a_packet_introduces_a_device, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unanswered_request_is_repeated_as_it_is_and_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_asks_again_starts_over, setup, teardown),
		cmocka_unit_test_setup_teardown(each_refusal_is_taken_as_it_is_meant, setup, teardown),
		cmocka_unit_test_setup_teardown(it_does_not_ask_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(many_devices_at_once_are_all_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(requests_outlive_the_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(policies_and_removals_are_acknowledged_and_passed_on, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
