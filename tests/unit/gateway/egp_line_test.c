/* The gateway's side of EGP on a serial line, which loses messages and does not tell that its other end was started anew; in simulated time. */
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
#define SECOND 1000ULL

static struct egp_client *client;
static struct rng rng;
static uint64_t now;

/* What came out since the last look. */
static struct {
	size_t count, hellos, requests, ups, closes;
	struct egp_message last;
	uint32_t request_transaction;
} out;

static void drain(void)
{
	static struct egp_client_effect e;

	memset(&out, 0, sizeof out);
	while (egp_client_output(client, &e)) {
		out.count++;
		out.ups += e.type == EGP_CLIENT_UP;
		out.closes += e.type == EGP_CLIENT_CLOSE;
		if (e.type != EGP_CLIENT_WRITE)
			continue;
		assert_int_equal(egp_decode(rd_of(e.octets, e.len), &out.last), OK);
		out.hellos += out.last.type == EGP_HELLO;
		if (out.last.type == EGP_REQUEST) {
			out.requests++;
			out.request_transaction = out.last.transaction;
		}
	}
}

static void say(const struct egp_message *m)
{
	uint8_t buffer[EGP_MESSAGE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;

	assert_int_equal(egp_encode(m, &w), OK);
	assert_true(wr_done(&w, &octets));
	egp_client_message(client, now, octets);
}

static void say_type(enum egp_type type)
{
	const struct egp_message m = {.type = type, .transaction = 7, .hello_ack = {.version = EGP_VERSION, .time = 1700000000}};

	say(&m);
}

/* Goes on to the next deadline, as a loop would. */
static void next(void)
{
	assert_true(egp_client_deadline(client) != CLOCK_NEVER);
	assert_true(egp_client_deadline(client) > now);
	now = egp_client_deadline(client);
	egp_client_tick(client, now);
	drain();
}

static int setup(void **state)
{
	const struct egp_client_config c = {.gateway = GATEWAY, .pan_id = 0x1a62, .extended_pan_id = 1, .channel = 15, .epoch = 1};

	(void)state;
	rng = rng_seeded(1);
	now = 1000000;
	client = egp_client_new(&c, &rng);
	if (!client)
		return -1;
	egp_client_connected(client, now);
	drain();
	return out.hellos == 1 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	egp_client_free(client);
	return 0;
}

static void greet(void)
{
	say_type(EGP_HELLO_ACK);
	drain();
	assert_int_equal(out.ups, 1);
}

static void says_hello_until_it_is_heard(void **state)
{
	uint64_t start = now;

	(void)state;
	for (unsigned i = 1; i <= 5; i++) {
		next();
		assert_int_equal(out.hellos, 1);
		assert_true(now == start + i * 2 * SECOND);
	}
	greet();
	next(); /* nothing but the ping is due now */
	assert_int_equal(out.hellos, 0);
	assert_int_equal(out.last.type, EGP_PING);
}

static void greets_again_when_a_ping_is_not_answered(void **state)
{
	uint64_t pinged;

	(void)state;
	greet();
	next();
	assert_int_equal(out.last.type, EGP_PING);
	pinged = now;
	next();
	assert_int_equal(out.hellos, 1);
	assert_true(now == pinged + 3 * SECOND);
	greet(); /* the new EG knows us; its owner is told */
	next();
	assert_int_equal(out.last.type, EGP_PING);
}

static void does_not_greet_again_when_the_ping_is_answered(void **state)
{
	uint64_t end = now + 600 * SECOND;

	(void)state;
	greet();
	while (now < end) {
		next();
		assert_int_equal(out.hellos, 0);
		assert_int_equal(out.closes, 0);
		if (out.last.type == EGP_PING)
			say_type(EGP_PONG);
	}
}

static void asks_again_after_greeting_an_eg_that_forgot(void **state)
{
	uint32_t transaction;

	(void)state;
	greet();
	egp_client_request(client, now, DEVICE, 0x1234, 0x80, EGP_JOIN_ASSOCIATION);
	drain();
	assert_int_equal(out.requests, 1);
	transaction = out.request_transaction;
	next();
	assert_int_equal(out.hellos, 1);
	assert_int_equal(out.requests, 1); /* the same question: the EG answers it with the same packet */
	assert_int_equal(out.request_transaction, transaction);
	say_type(EGP_HELLO_ACK);
	drain();
	assert_int_equal(out.requests, 1);
	assert_int_equal(out.request_transaction, transaction);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_hello_until_it_is_heard),
		TEST(greets_again_when_a_ping_is_not_answered),
		TEST(does_not_greet_again_when_the_ping_is_answered),
		TEST(asks_again_after_greeting_an_eg_that_forgot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
