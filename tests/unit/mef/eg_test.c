/* The EG's side of EGP: sessions, admission, limits, repeats, in simulated time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "eg/eg.h"

#define GATEWAY 0x0200000000000001ULL
#define OTHER_GATEWAY 0x0200000000000002ULL
#define DEVICE 0x00124b0000000001ULL
#define ELSEWHERE 0x00124b0000000002ULL /* registered at the other gateway */
#define UNKNOWN 0x00124b0000000009ULL

static struct eg *eg;
static struct eg_gateway *gateway;
static uint64_t now;
static bool may_rejoin;

static bool lookup(void *ctx, uint64_t device, struct eg_admission *a)
{
	(void)ctx;
	if (device == UNKNOWN)
		return false;
	a->known = true;
	a->gateway = device == ELSEWHERE ? OTHER_GATEWAY : GATEWAY;
	a->may_rejoin = may_rejoin;
	return true;
}

static int setup(void **state)
{
	const struct eg_config c = {5, 100, lookup, NULL};

	(void)state;
	now = 1000000;
	may_rejoin = false;
	eg = eg_new(&c);
	gateway = eg_gateway_add(eg, GATEWAY);
	eg_connect(gateway);
	return eg && gateway ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	eg_free(eg);
	return 0;
}

static void input(const struct egp_message *m)
{
	uint8_t buffer[EGP_MESSAGE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;

	assert_int_equal(egp_encode(m, &w), OK);
	assert_true(wr_done(&w, &octets));
	eg_input(gateway, now, 1700000000, octets);
}

static void hello_from(uint64_t eui64, uint8_t version, uint32_t epoch)
{
	const struct egp_message m = {
		.type = EGP_HELLO,
		.transaction = 1,
		.hello = {.gateway = eui64, .pan_id = 0x1a62, .extended_pan_id = 1, .channel = 15, .highest_version = version, .epoch = epoch},
	};

	input(&m);
}

static void request_kind(uint64_t from, uint64_t device, uint32_t transaction, enum egp_join_kind kind, uint16_t address)
{
	const struct egp_message m = {
		.type = EGP_REQUEST,
		.transaction = transaction,
		.request = {.gateway = from, .device = device, .device_short = address, .pan_id = 0x1a62, .channel = 15, .capability = 0x80, .kind = kind},
	};

	input(&m);
}

static void request(uint64_t device, uint32_t transaction)
{
	request_kind(GATEWAY, device, transaction, EGP_JOIN_ASSOCIATION, 0x1234);
}

/* What came out since the last look. */
static struct {
	size_t sent, prepared, told;
	struct egp_message last;
	uint8_t octets[EGP_MESSAGE_MAX];
	size_t len;
	enum egp_type types[16];
	enum eg_event event;
} out;

static void drain(void)
{
	struct eg_effect e;

	memset(&out, 0, sizeof out);
	while (eg_output(eg, &e)) {
		switch (e.type) {
		case EG_SEND:
			memcpy(out.octets, e.octets.at, e.octets.left);
			out.len = e.octets.left;
			assert_int_equal(egp_decode(rd_of(out.octets, out.len), &out.last), OK);
			out.types[out.sent++] = out.last.type;
			break;
		case EG_PREPARE:
			out.prepared++;
			break;
		case EG_TELL:
			out.told++;
			out.event = e.event;
			break;
		}
	}
}

/* The JOIN-POLICY that came last. */
static void acknowledge_policy(void)
{
	const struct egp_message m = {.type = EGP_ACK, .transaction = out.last.transaction, .acked_type = EGP_JOIN_POLICY};

	assert_int_equal(out.last.type, EGP_JOIN_POLICY);
	input(&m);
}

static void greet(void)
{
	hello_from(GATEWAY, 1, 1);
	drain();
	assert_int_equal(out.types[0], EGP_HELLO_ACK);
	acknowledge_policy();
}

static void open_joining(void)
{
	static const uint64_t devices[] = {DEVICE};

	assert_int_equal(eg_permit(gateway, now, 60, devices, 1), OK);
	drain();
	if (out.sent > 0) /* told at once only to a gateway that has greeted */
		acknowledge_policy();
}

static void expect_error(enum egp_error_code code)
{
	assert_int_equal(out.sent, 1);
	assert_int_equal(out.last.type, EGP_ERROR);
	assert_int_equal(out.last.error.code, code);
	assert_int_equal(out.prepared, 0);
}

static void answers_a_hello_with_the_policy(void **state)
{
	(void)state;
	open_joining();
	hello_from(GATEWAY, 1, 7);
	drain();
	assert_int_equal(out.sent, 2);
	assert_int_equal(out.types[0], EGP_HELLO_ACK);
	assert_int_equal(out.types[1], EGP_JOIN_POLICY);
	assert_int_equal(out.last.join_policy.duration_s, 60);
	assert_int_equal(out.last.join_policy.count, 1);
	assert_true(out.last.join_policy.devices[0] == DEVICE);
	now += 25000;
	hello_from(GATEWAY, 1, 7);
	drain();
	assert_int_equal(out.last.join_policy.duration_s, 35);
	now += 35000;
	hello_from(GATEWAY, 1, 6);
	drain();
	assert_int_equal(out.last.join_policy.duration_s, 0);
	assert_int_equal(out.last.join_policy.count, 0);
	assert_int_equal(out.event, EG_EVENT_EPOCH_BACK);
}

static void is_silent_until_the_hello(void **state)
{
	const struct egp_message ping = {.type = EGP_PING};

	(void)state;
	open_joining();
	request(DEVICE, 2);
	input(&ping);
	drain();
	assert_int_equal(out.sent, 0);
	assert_int_equal(out.prepared, 0);
	assert_int_equal(out.told, 2);
}

static void refuses_another_gateways_name(void **state)
{
	(void)state;
	hello_from(OTHER_GATEWAY, 1, 1);
	drain();
	expect_error(EGP_ERROR_NOT_AUTHORISED);
	assert_int_equal(out.event, EG_EVENT_WRONG_GATEWAY);
	assert_false(eg_gateway_greeted(gateway));
	greet();
	open_joining();
	request_kind(OTHER_GATEWAY, DEVICE, 3, EGP_JOIN_ASSOCIATION, 1);
	drain();
	expect_error(EGP_ERROR_NOT_AUTHORISED);
}

static void refuses_an_older_version(void **state)
{
	(void)state;
	hello_from(GATEWAY, 0, 1);
	drain();
	expect_error(EGP_ERROR_VERSION);
	assert_false(eg_gateway_greeted(gateway));
}

static void admits_only_registered_devices_while_joining_is_open(void **state)
{
	(void)state;
	greet();
	request(DEVICE, 2);
	drain();
	expect_error(EGP_ERROR_NOT_PERMITTED);
	open_joining();
	request(UNKNOWN, 3);
	drain();
	expect_error(EGP_ERROR_UNKNOWN_DEVICE);
	request(ELSEWHERE, 4);
	drain();
	expect_error(EGP_ERROR_NOT_PERMITTED);
	request(DEVICE, 5);
	drain();
	assert_int_equal(out.prepared, 1);
	assert_int_equal(out.sent, 0);
	assert_true(eg_refuse(gateway, DEVICE, EGP_ERROR_NOT_PERMITTED, 5, "not ready"));
	drain();
	expect_error(EGP_ERROR_NOT_PERMITTED);
	assert_int_equal(out.last.error.retry_after_s, 5);
	now += 60000;
	request(DEVICE, 6);
	drain();
	expect_error(EGP_ERROR_NOT_PERMITTED);
}

static void serves_an_unsecured_rejoin_only_with_a_verified_key(void **state)
{
	(void)state;
	greet();
	open_joining();
	request_kind(GATEWAY, DEVICE, 2, EGP_JOIN_UNSECURED_REJOIN, 1);
	drain();
	expect_error(EGP_ERROR_NOT_PERMITTED);
	may_rejoin = true;
	request_kind(GATEWAY, DEVICE, 3, EGP_JOIN_UNSECURED_REJOIN, 1);
	drain();
	assert_int_equal(out.prepared, 1);
}

/* A router speaks for it: the same rules, one request in flight, and an answer without a packet. */
static void a_newcomer_at_a_router_is_admitted_as_at_the_gateway(void **state)
{
	const uint64_t devices[] = {DEVICE};
	struct eg_newcomer n = {.device = DEVICE, .router = 0x00124b0000000007ULL, .short_address = 0x3333, .capability = 0x80, .kind = EGP_JOIN_ASSOCIATION};
	uint32_t transaction;

	(void)state;
	greet();
	assert_int_equal(eg_join_through(gateway, now, &n), EGP_ERROR_NOT_PERMITTED);
	drain();
	assert_int_equal(out.sent, 0); /* the gateway did not ask */
	assert_int_equal(out.event, EG_EVENT_REFUSED);
	assert_int_equal(eg_permit(gateway, now, 60, devices, 1), OK);
	drain();
	for (size_t i = 0; i < 2; i++) {
		n.device = i ? UNKNOWN : ELSEWHERE;
		assert_int_equal(eg_join_through(gateway, now, &n), i ? EGP_ERROR_UNKNOWN_DEVICE : EGP_ERROR_NOT_PERMITTED);
		drain();
		assert_int_equal(out.prepared, 0);
	}
	n.device = DEVICE;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(eg_join_through(gateway, now, &n), 0);
		drain();
		assert_int_equal(out.prepared, i == 0);
	}
	assert_true(eg_answer(gateway, now, DEVICE, rd_of(NULL, 0), "/id-b", "/id-mn/cse-mn/gw1/x/up"));
	drain();
	assert_int_equal(out.sent, 1);
	assert_int_equal(out.last.type, EGP_RESPONSE);
	assert_true(out.last.response.device == DEVICE && rd_is(out.last.owner, "/id-b"));
	assert_int_equal(out.last.response.packet.left, 0);
	transaction = out.last.transaction;
	request(DEVICE, transaction + 1); /* and now at the gateway itself */
	drain();
	assert_int_equal(out.prepared, 1);
	assert_true(eg_refuse(gateway, DEVICE, EGP_ERROR_INTERNAL, 0, NULL));
	for (size_t i = 0; i < 3; i++) { /* five a minute, wherever it asks */
		assert_int_equal(eg_join_through(gateway, now, &n), 0);
		assert_true(eg_refuse(gateway, DEVICE, EGP_ERROR_INTERNAL, 0, NULL));
	}
	assert_int_equal(eg_join_through(gateway, now, &n), EGP_ERROR_RATE_LIMITED);
	n.kind = EGP_JOIN_UNSECURED_REJOIN;
	now += 60000;
	assert_int_equal(eg_join_through(gateway, now, &n), EGP_ERROR_NOT_PERMITTED);
	may_rejoin = true;
	assert_int_equal(eg_join_through(gateway, now, &n), 0);
}

static void repeats_the_same_octets_for_the_same_transaction(void **state)
{
	uint8_t packet[60] = {8, 0}, first[EGP_MESSAGE_MAX];
	size_t len;

	(void)state;
	greet();
	open_joining();
	request(DEVICE, 2);
	drain();
	request(DEVICE, 2); /* while in flight */
	drain();
	assert_int_equal(out.prepared + out.sent, 0);
	request(DEVICE, 3); /* a second one */
	drain();
	expect_error(EGP_ERROR_RATE_LIMITED);
	assert_true(eg_answer(gateway, now, DEVICE, rd_of(packet, sizeof packet), "/id-b", "/id-mn/cse-mn/gw1/x/up"));
	assert_false(eg_answer(gateway, now, DEVICE, rd_of(packet, sizeof packet), "/id-b", "")); /* once */
	drain();
	assert_int_equal(out.sent, 1);
	assert_int_equal(out.last.type, EGP_RESPONSE);
	assert_int_equal(out.last.transaction, 2);
	assert_true(rd_is(out.last.owner, "/id-b"));
	len = out.len;
	memcpy(first, out.octets, len);
	now += EG_REPEAT_MS - 1;
	request(DEVICE, 2);
	drain();
	assert_int_equal(out.sent, 1);
	assert_int_equal(out.prepared, 0);
	assert_int_equal(out.len, len);
	assert_memory_equal(out.octets, first, len);
	request_kind(GATEWAY, DEVICE, 2, EGP_JOIN_ASSOCIATION, 0x4321); /* one transaction, another meaning */
	drain();
	expect_error(EGP_ERROR_MALFORMED);
	now += 1;
	request(DEVICE, 2); /* too late: a new one */
	drain();
	assert_int_equal(out.prepared, 1);
}

static void forgets_what_it_remembered_when_time_is_over(void **state)
{
	uint8_t packet[8] = {0};

	(void)state;
	greet();
	open_joining();
	assert_true(eg_deadline(eg) == CLOCK_NEVER);
	request(DEVICE, 2);
	drain();
	assert_true(eg_deadline(eg) == now + EG_ANSWER_MS);
	assert_true(eg_answer(gateway, now, DEVICE, rd_of(packet, sizeof packet), "", ""));
	assert_true(eg_deadline(eg) == now + EG_REPEAT_MS);
	now += EG_REPEAT_MS;
	eg_tick(eg, now);
	assert_true(eg_deadline(eg) == CLOCK_NEVER);
	request(DEVICE, 3);
	now += EG_ANSWER_MS;
	drain();
	eg_tick(eg, now);
	drain();
	expect_error(EGP_ERROR_INTERNAL);
}

static void expect_policy(uint16_t seconds)
{
	drain();
	assert_int_equal(out.sent, 1);
	assert_int_equal(out.last.type, EGP_JOIN_POLICY);
	assert_int_equal(out.last.join_policy.duration_s, seconds);
}

static void repeats_a_join_policy_until_it_is_acknowledged(void **state)
{
	static const uint64_t devices[] = {DEVICE};
	uint64_t start = now;
	struct egp_message stale;

	(void)state;
	greet();
	assert_true(eg_deadline(eg) == CLOCK_NEVER);
	assert_int_equal(eg_permit(gateway, now, 60, devices, 1), OK);
	expect_policy(60);
	stale = (struct egp_message){.type = EGP_ACK, .transaction = out.last.transaction, .acked_type = EGP_JOIN_POLICY};
	for (unsigned wait = 2, i = 0; i < 3; i++, wait *= 2) { /* with the time that is left then */
		assert_true(eg_deadline(eg) == now + wait * 1000);
		eg_tick(eg, eg_deadline(eg) - 1);
		drain();
		assert_int_equal(out.sent, 0);
		now += wait * 1000;
		eg_tick(eg, now);
		expect_policy((uint16_t)(60 - (now - start) / 1000));
	}
	input(&stale); /* of a former one: it says nothing of this */
	assert_true(eg_deadline(eg) != CLOCK_NEVER);
	acknowledge_policy();
	assert_true(eg_deadline(eg) == CLOCK_NEVER);
	/* nobody is there: nothing is repeated to the void */
	assert_int_equal(eg_permit(gateway, now, 0, NULL, 0), OK);
	eg_disconnect(gateway);
	assert_true(eg_deadline(eg) == CLOCK_NEVER);
}

static void limits_a_device(void **state)
{
	(void)state;
	greet();
	open_joining();
	for (uint32_t i = 0; i < 5; i++) {
		request(DEVICE, 10 + i);
		assert_true(eg_refuse(gateway, DEVICE, EGP_ERROR_NOT_PERMITTED, 0, NULL));
		drain();
		now += 1000;
	}
	request(DEVICE, 20);
	drain();
	expect_error(EGP_ERROR_RATE_LIMITED);
	assert_in_range(out.last.error.retry_after_s, 55, 56);
	now += 55000;
	open_joining();
	request(DEVICE, 21);
	drain();
	assert_int_equal(out.prepared, 1);
}

static void limits_a_gateway(void **state)
{
	(void)state;
	greet();
	for (uint32_t i = 0; i < 100; i++) {
		request(UNKNOWN, i);
		drain();
		expect_error(EGP_ERROR_UNKNOWN_DEVICE);
	}
	request(UNKNOWN, 100);
	drain();
	expect_error(EGP_ERROR_RATE_LIMITED);
	now += 1000;
	request(UNKNOWN, 101);
	drain();
	expect_error(EGP_ERROR_UNKNOWN_DEVICE);
}

static void removes_a_device_from_policy_and_memory(void **state)
{
	uint8_t packet[8] = {0};

	(void)state;
	greet();
	open_joining();
	request(DEVICE, 2);
	assert_true(eg_answer(gateway, now, DEVICE, rd_of(packet, sizeof packet), "", ""));
	drain();
	assert_int_equal(eg_remove(gateway, now, DEVICE), OK);
	drain();
	assert_int_equal(out.last.type, EGP_DEVICE_REMOVE);
	request(DEVICE, 2); /* the old packet is not repeated */
	drain();
	expect_error(EGP_ERROR_NOT_PERMITTED);
}

static void acknowledge(enum egp_type type, uint32_t transaction)
{
	const struct egp_message ack = {.type = EGP_ACK, .transaction = transaction, .acked_type = type};

	input(&ack);
	drain();
}

/* The transaction of the DEVICE-REMOVE that follows the policy. */
static uint32_t greet_and_remove(void)
{
	uint32_t transaction;

	eg_connect(gateway);
	hello_from(GATEWAY, 1, 1);
	drain();
	assert_int_equal(out.sent, 3);
	assert_int_equal(out.types[1], EGP_JOIN_POLICY);
	assert_int_equal(out.last.type, EGP_DEVICE_REMOVE);
	assert_true(out.last.remove.device == DEVICE);
	transaction = out.last.transaction;
	acknowledge(EGP_JOIN_POLICY, transaction - 1);
	return transaction;
}

static void a_removal_is_repeated_until_the_gateway_answers(void **state)
{
	uint64_t begun = now;
	uint32_t last;

	(void)state;
	assert_int_equal(eg_remove(gateway, now, DEVICE), OK); /* it is away */
	drain();
	assert_int_equal(out.sent, 0);
	last = greet_and_remove();
	for (unsigned i = 0; i < 6; i++) {
		now = eg_deadline(eg);
		eg_tick(eg, now);
		drain();
		assert_int_equal(out.sent, 1);
		assert_int_equal(out.last.type, EGP_DEVICE_REMOVE);
		assert_true(out.last.remove.device == DEVICE && out.last.transaction != last);
		last = out.last.transaction;
	}
	assert_in_range(now - begun, 62000, 180000); /* less and less often */
	acknowledge(EGP_DEVICE_REMOVE, last + 1);
	assert_int_equal(out.told, 0);
	last = greet_and_remove(); /* over another connection */
	acknowledge(EGP_DEVICE_REMOVE, last);
	assert_int_equal(out.told, 1);
	assert_int_equal(out.event, EG_EVENT_REMOVED);
	assert_true(eg_deadline(eg) == CLOCK_NEVER);
	eg_connect(gateway);
	greet();
}

static void who_joins_again_is_not_removed_any_more(void **state)
{
	(void)state;
	greet();
	assert_int_equal(eg_remove(gateway, now, DEVICE), OK);
	drain();
	assert_int_equal(out.last.type, EGP_DEVICE_REMOVE);
	open_joining(); /* registered anew */
	request(DEVICE, 9);
	drain();
	assert_int_equal(out.prepared, 1);
	assert_int_equal(out.event, EG_EVENT_REMOVED);
	eg_connect(gateway);
	greet();
}

static void answers_pings_and_says_what_it_can_not_read(void **state)
{
	const struct egp_message ping = {.type = EGP_PING, .transaction = 77};
	const struct egp_message gone = {.type = EGP_DEVICE_GONE, .transaction = 78, .gone = {.device = DEVICE, .reason = EGP_GONE_LEFT}};

	(void)state;
	greet();
	input(&ping);
	drain();
	assert_int_equal(out.last.type, EGP_PONG);
	assert_int_equal(out.last.transaction, 77);
	input(&gone);
	drain();
	assert_int_equal(out.last.type, EGP_ACK);
	assert_int_equal(out.event, EG_EVENT_GONE);
	eg_input(gateway, now, 0, rd_str("nonsense"));
	drain();
	expect_error(EGP_ERROR_MALFORMED);
	eg_disconnect(gateway);
	input(&ping);
	drain();
	assert_int_equal(out.sent + out.told, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_a_hello_with_the_policy),
		TEST(is_silent_until_the_hello),
		TEST(refuses_another_gateways_name),
		TEST(refuses_an_older_version),
		TEST(admits_only_registered_devices_while_joining_is_open),
		TEST(serves_an_unsecured_rejoin_only_with_a_verified_key),
		TEST(a_newcomer_at_a_router_is_admitted_as_at_the_gateway),
		TEST(repeats_the_same_octets_for_the_same_transaction),
		TEST(forgets_what_it_remembered_when_time_is_over),
		TEST(repeats_a_join_policy_until_it_is_acknowledged),
		TEST(limits_a_device),
		TEST(limits_a_gateway),
		TEST(removes_a_device_from_policy_and_memory),
		TEST(a_removal_is_repeated_until_the_gateway_answers),
		TEST(who_joins_again_is_not_removed_any_more),
		TEST(answers_pings_and_says_what_it_can_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
