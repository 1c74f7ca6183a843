/* The Trust Centre against the device's side of the protocol: exchange, losses, replays, wrong keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/bytes.h"
#include "eg/trust_centre.h"
#include "keys/secret_octets.h"
#include "zigbee/security/link_key.h"

#define DEVICE 0x00124b0000000001ULL
#define COORDINATOR 0x0200000000000001ULL

static struct trust_centre tc;
static struct rng rng;
static uint32_t next_counter;
static enum err counter_error;
static struct trust_result result;
static uint8_t answer_octets[128];
static struct rd answer;

/* The device. */
static struct link_key_set install, unique;
static uint32_t device_counter;

static enum err take(void *ctx, uint32_t *number)
{
	(void)ctx;
	if (counter_error != OK)
		return counter_error;
	*number = next_counter++;
	return OK;
}

static struct secret *install_key(void)
{
	uint8_t octets[16];

	assert_true(hex_parse(rd_str("66b6900981e1ee3ca4206b6b861c02bb"), octets, sizeof octets));
	return secret_take(octets, sizeof octets);
}

static int setup(void **state)
{
	const struct trust_centre empty = {.device = DEVICE, .coordinator = COORDINATOR};
	const struct link_key_set none = {NULL, NULL, NULL};

	(void)state;
	tc = empty;
	unique = none;
	rng = rng_seeded(1);
	next_counter = 1000;
	counter_error = OK;
	device_counter = 1;
	return link_key_set_take(&tc.base, install_key()) == OK && link_key_set_take(&install, install_key()) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	trust_centre_clear(&tc);
	link_key_set_clear(&install);
	link_key_set_clear(&unique);
	return 0;
}

static enum err input(struct rd frame)
{
	const struct trust_counter counter = {take, NULL};
	struct wr w = wr_of(answer_octets, sizeof answer_octets);
	enum err e = trust_centre_input(&tc, frame, 0x42, &counter, &rng, &w, &result);

	answer = rd_of(answer_octets, w.len);
	if (e == OK)
		assert_int_equal(w.len > 0, result.outcome == TRUST_ANSWER);
	return e;
}

/* A sealed command of the device. */
static struct rd sealed(uint8_t buffer[static 128], const struct link_key_set *key, uint64_t source, uint32_t counter, const struct aps_command *c)
{
	uint8_t plain[64];
	struct wr p = wr_of(plain, sizeof plain), w = wr_of(buffer, 128);
	struct aps_frame f = {.type = APS_COMMAND, .counter = 9};
	struct rd frame;

	assert_int_equal(aps_command_encode(c, &p), OK);
	assert_true(wr_done(&p, &f.payload));
	assert_int_equal(aps_seal(key->link, AUX_KEY_DATA, 0, true, source, counter, &f, &w), OK);
	assert_true(wr_done(&w, &frame));
	return frame;
}

static void request_with(const struct link_key_set *key, uint32_t counter)
{
	const struct aps_command c = {.id = APS_REQUEST_KEY, .request_key = {.type = APS_REQUEST_TC_LINK}};
	uint8_t buffer[128];

	assert_int_equal(input(sealed(buffer, key, DEVICE, counter, &c)), OK);
}

static void verify_with(const struct secret *key, uint64_t source)
{
	struct aps_command c = {.id = APS_VERIFY_KEY, .verify_key = {.type = APS_KEY_TC_LINK, .source = source}};
	uint8_t plain[64], buffer[128];
	struct wr p = wr_of(plain, sizeof plain), w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {.type = APS_COMMAND, .counter = 10};
	struct rd frame;

	link_key_verify_hash(key, c.verify_key.hash);
	assert_int_equal(aps_command_encode(&c, &p), OK);
	assert_true(wr_done(&p, &f.payload));
	assert_int_equal(aps_frame_encode(&f, &w), OK);
	assert_true(wr_done(&w, &frame));
	assert_int_equal(input(frame), OK);
}

/* Opens the answer as the device does; the command borrows from `plain`. */
static struct aps_command opened(const struct link_key_set *key, enum aux_key_id id, uint32_t counter, uint8_t plain[static NWK_FRAME_MAX])
{
	struct aps_command c;
	struct aux_header aux;
	struct aps_frame f;
	struct rd payload;

	assert_int_equal(result.outcome, TRUST_ANSWER);
	assert_int_equal(aps_frame_decode(answer, &f), OK);
	assert_int_equal(f.counter, 0x42);
	assert_true(f.ack_request);
	assert_int_equal(aps_open_set(key, COORDINATOR, &f, &aux, plain, &payload), OK);
	assert_int_equal(aux.key_id, id);
	assert_int_equal(aux.frame_counter, counter);
	assert_true(aux.source == COORDINATOR);
	assert_int_equal(aps_command_decode(payload, &c), OK);
	return c;
}

/* The device takes the unique key from the answer. */
static void learn_key(uint32_t counter)
{
	uint8_t plain[NWK_FRAME_MAX], key[16];
	struct aps_command c = opened(&install, AUX_KEY_LOAD, counter, plain);

	assert_int_equal(c.id, APS_TRANSPORT_KEY);
	assert_int_equal(c.transport_key.type, APS_KEY_TC_LINK);
	assert_true(c.transport_key.destination == DEVICE && c.transport_key.source == COORDINATOR);
	memcpy(key, c.transport_key.key_octets.at, sizeof key);
	link_key_set_clear(&unique);
	assert_int_equal(link_key_set_take(&unique, secret_take(key, sizeof key)), OK);
	assert_false(secret_equal(unique.link, install.link));
}

static void expect_confirm(const struct link_key_set *key, uint32_t counter, uint8_t status)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct aps_command c = opened(key, AUX_KEY_DATA, counter, plain);

	assert_int_equal(c.id, APS_CONFIRM_KEY);
	assert_int_equal(c.confirm_key.status, status);
	assert_int_equal(c.confirm_key.type, APS_KEY_TC_LINK);
	assert_true(c.confirm_key.destination == DEVICE);
}

static void gives_a_unique_key_and_confirms_it(void **state)
{
	(void)state;
	request_with(&install, device_counter++);
	assert_true(result.store && result.genuine);
	learn_key(1000);
	assert_int_equal(tc.state, TRUST_OFFERED);
	verify_with(unique.link, DEVICE);
	expect_confirm(&unique, 1001, 0);
	assert_true(result.verified_now && result.store);
	assert_int_equal(tc.state, TRUST_VERIFIED);
}

static void gives_the_same_key_until_it_is_verified(void **state)
{
	struct secret *first;

	(void)state;
	request_with(&install, device_counter++);
	learn_key(1000);
	first = secret_dup(unique.link);
	for (uint32_t i = 1; i < 4; i++) {
		request_with(&install, device_counter++);
		learn_key(1000 + i);
		assert_true(secret_equal(first, unique.link));
	}
	secret_free(first);
}

/* Confirm-Key is lost: the device verifies again, or starts over with its old key. */
static void serves_a_device_that_missed_the_confirmation(void **state)
{
	struct secret *first;

	(void)state;
	request_with(&install, device_counter++);
	learn_key(1000);
	first = secret_dup(unique.link);
	verify_with(unique.link, DEVICE);
	verify_with(unique.link, DEVICE);
	expect_confirm(&unique, 1002, 0);
	assert_false(result.verified_now);
	request_with(&install, device_counter++);
	learn_key(1003);
	assert_true(secret_equal(first, unique.link));
	verify_with(unique.link, DEVICE);
	expect_confirm(&unique, 1004, 0);
	secret_free(first);
}

static void drops_the_old_key_once_the_new_one_is_used(void **state)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct aps_command c;

	(void)state;
	request_with(&install, device_counter++);
	learn_key(1000);
	verify_with(unique.link, DEVICE);
	request_with(&unique, 0); /* a new key counts from zero; this also asks for the next one */
	assert_true(tc.base_unique && result.genuine);
	c = opened(&unique, AUX_KEY_LOAD, 1002, plain);
	assert_int_equal(c.id, APS_TRANSPORT_KEY);
	request_with(&install, device_counter++);
	assert_int_equal(result.outcome, TRUST_IGNORED);
	assert_false(result.authentic);
	verify_with(unique.link, DEVICE); /* a late repeat does no harm */
	expect_confirm(&unique, 1003, 0);
}

static void ignores_replays_but_acknowledges_a_repeated_frame(void **state)
{
	(void)state;
	request_with(&install, 50);
	learn_key(1000);
	request_with(&install, 50);
	assert_int_equal(result.outcome, TRUST_IGNORED);
	assert_true(result.genuine && !result.store); /* its acknowledgement was lost */
	request_with(&install, 49);
	assert_int_equal(result.outcome, TRUST_IGNORED);
	assert_false(result.genuine);
	assert_int_equal(next_counter, 1001);
	request_with(&install, 51);
	learn_key(1001);
}

static void ignores_other_keys_and_other_senders(void **state)
{
	const struct aps_command c = {.id = APS_REQUEST_KEY, .request_key = {.type = APS_REQUEST_TC_LINK}};
	uint8_t octets[16] = {1}, buffer[128];
	struct link_key_set wrong;

	(void)state;
	assert_int_equal(link_key_set_take(&wrong, secret_take(octets, sizeof octets)), OK);
	request_with(&wrong, device_counter++);
	assert_int_equal(result.outcome, TRUST_IGNORED);
	assert_false(result.genuine || result.store);
	assert_int_equal(input(sealed(buffer, &install, DEVICE + 1, device_counter++, &c)), OK);
	assert_int_equal(result.outcome, TRUST_IGNORED);
	assert_null(tc.fresh.link);
	link_key_set_clear(&wrong);
}

static void ignores_a_request_that_is_not_sealed(void **state)
{
	static const uint8_t clear[] = {0x01, 0x05, 0x08, 0x04};

	(void)state;
	assert_int_equal(input(rd_of(clear, sizeof clear)), OK);
	assert_int_equal(result.outcome, TRUST_IGNORED);
	assert_null(tc.fresh.link);
}

static void ignores_application_keys_and_commands_of_a_trust_centre(void **state)
{
	const struct aps_command app = {.id = APS_REQUEST_KEY, .request_key = {.type = APS_REQUEST_APPLICATION_LINK, .partner = 5}};
	const struct aps_command remove = {.id = APS_REMOVE_DEVICE, .remove_device = {.target = 5}};
	uint8_t buffer[128];

	(void)state;
	assert_int_equal(input(sealed(buffer, &install, DEVICE, device_counter++, &app)), OK);
	assert_int_equal(result.outcome, TRUST_IGNORED);
	assert_int_equal(input(sealed(buffer, &install, DEVICE, device_counter++, &remove)), OK);
	assert_int_equal(result.outcome, TRUST_IGNORED);
	assert_true(result.genuine);
	assert_int_equal(next_counter, 1000);
}

static void refuse(uint64_t child, const struct link_key_set *key)
{
	const struct trust_counter counter = {take, NULL};
	struct wr w = wr_of(answer_octets, sizeof answer_octets);
	uint8_t plain[NWK_FRAME_MAX];
	struct aps_command sent;

	assert_int_equal(trust_centre_refuse(&tc, child, 0x42, &counter, &w), OK);
	answer = rd_of(answer_octets, w.len);
	result.outcome = TRUST_ANSWER;
	sent = opened(key, AUX_KEY_DATA, next_counter - 1, plain);
	assert_int_equal(sent.id, APS_REMOVE_DEVICE);
	assert_true(sent.remove_device.target == child);
}

/* What a router says of others is told once, and answered under the router's own key; what it says of itself, again, or unsealed is not heard. */
static void tells_who_came_to_a_router(void **state)
{
	/* clang-format off */
	static const struct { uint64_t child; uint8_t status; bool told; } cases[] = {
		{0x00124b0000000099ULL, TRUST_UNSECURED_JOIN,   true},
		{0x00124b0000000099ULL, TRUST_SECURED_REJOIN,   true},
		{0x00124b0000000099ULL, TRUST_UNSECURED_REJOIN, true},
		{0x00124b0000000099ULL, TRUST_LEFT,             true},
		{0x00124b0000000099ULL, 4,                      false},
		{DEVICE,                TRUST_UNSECURED_JOIN,   false},
	};
	/* clang-format on */
	struct aps_command c = {.id = APS_UPDATE_DEVICE, .update_device = {cases[0].child, 0x1234, 1}};
	uint8_t plain[NWK_FRAME_MAX], buffer[128];
	struct wr p = wr_of(plain, sizeof plain), w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {.type = APS_COMMAND, .counter = 10};
	size_t count = sizeof cases / sizeof cases[0];

	(void)state;
	for (size_t i = 0; i < 2 * count; i++) {
		const struct link_key_set *key = i < count ? &install : &unique;
		struct rd frame;

		if (i == count) { /* once more under its unique key */
			request_with(&install, device_counter++);
			learn_key(next_counter - 1);
			verify_with(unique.link, DEVICE);
			device_counter = 1;
		}
		c.update_device.device = cases[i % count].child;
		c.update_device.status = cases[i % count].status;
		frame = sealed(buffer, key, DEVICE, device_counter++, &c);
		assert_int_equal(input(frame), OK);
		assert_int_equal(result.outcome, cases[i % count].told ? TRUST_ACCEPTED : TRUST_IGNORED);
		assert_true(result.genuine);
		assert_true(result.update.device == (cases[i % count].told ? cases[i % count].child : 0));
		if (cases[i % count].told) {
			assert_int_equal(result.update.status, cases[i % count].status);
			assert_int_equal(result.update.short_address, 0x1234);
		}
		assert_int_equal(input(frame), OK); /* replayed */
		assert_int_equal(result.outcome, TRUST_IGNORED);
		assert_true(result.update.device == 0);
		refuse(cases[0].child, key);
	}
	c.update_device.device = cases[0].child;
	c.update_device.status = 1;
	assert_int_equal(aps_command_encode(&c, &p), OK);
	assert_true(wr_done(&p, &f.payload));
	assert_int_equal(aps_frame_encode(&f, &w), OK);
	assert_int_equal(input(rd_of(w.octets, w.len)), OK); /* not sealed */
	assert_int_equal(result.outcome, TRUST_IGNORED);
	assert_true(result.update.device == 0);
}

/* The failure is told under the key that both sides have; nothing changes, and guessing ends. */
static void tells_a_wrong_hash_under_the_old_key(void **state)
{
	uint8_t octets[16] = {7};
	struct secret *wrong = secret_take(octets, sizeof octets);

	(void)state;
	verify_with(wrong, DEVICE);
	assert_int_equal(result.outcome, TRUST_IGNORED); /* nothing to verify yet */
	request_with(&install, device_counter++);
	learn_key(1000);
	verify_with(wrong, DEVICE);
	expect_confirm(&install, 1001, 0xad);
	assert_int_equal(tc.state, TRUST_OFFERED);
	verify_with(unique.link, DEVICE + 1);
	assert_int_equal(result.outcome, TRUST_IGNORED);
	for (int i = 0; i < 2 * TRUST_ATTEMPTS_MAX; i++)
		verify_with(wrong, DEVICE);
	assert_int_equal(result.outcome, TRUST_IGNORED);
	assert_in_range(next_counter, 1002, 1000 + TRUST_ATTEMPTS_MAX + 2);
	verify_with(unique.link, DEVICE); /* the right one still counts */
	assert_int_equal(result.outcome, TRUST_ANSWER);
	assert_int_equal(tc.state, TRUST_VERIFIED);
	secret_free(wrong);
}

static void answers_a_request_only_so_often(void **state)
{
	(void)state;
	for (int i = 0; i < TRUST_ATTEMPTS_MAX; i++) {
		request_with(&install, device_counter++);
		assert_int_equal(result.outcome, TRUST_ANSWER);
	}
	request_with(&install, device_counter++);
	assert_int_equal(result.outcome, TRUST_IGNORED);
	assert_int_equal(next_counter, 1000 + TRUST_ATTEMPTS_MAX);
}

static void refuses_the_new_key_before_it_is_verified(void **state)
{
	(void)state;
	request_with(&install, device_counter++);
	learn_key(1000);
	request_with(&unique, 1);
	assert_int_equal(result.outcome, TRUST_IGNORED);
	assert_false(tc.base_unique);
}

static void says_nothing_without_a_durable_counter(void **state)
{
	const struct aps_command c = {.id = APS_REQUEST_KEY, .request_key = {.type = APS_REQUEST_TC_LINK}};
	uint8_t buffer[128];

	(void)state;
	counter_error = ERR_STORE;
	assert_int_equal(input(sealed(buffer, &install, DEVICE, device_counter++, &c)), ERR_STORE);
	assert_int_equal(answer.left, 0);
	counter_error = ERR_COUNTER_EXHAUSTED;
	assert_int_equal(input(sealed(buffer, &install, DEVICE, device_counter++, &c)), ERR_COUNTER_EXHAUSTED);
	assert_int_equal(answer.left, 0);
}

static void removes_a_device_under_the_key_it_uses(void **state)
{
	const struct trust_counter counter = {take, NULL};
	uint8_t plain[NWK_FRAME_MAX];
	struct aps_command c;
	struct wr w;

	(void)state;
	for (int round = 0; round < 2; round++) {
		w = wr_of(answer_octets, sizeof answer_octets);
		assert_int_equal(trust_centre_remove(&tc, 0x42, &counter, &w), OK);
		answer = rd_of(answer_octets, w.len);
		result.outcome = TRUST_ANSWER;
		c = opened(round ? &unique : &install, AUX_KEY_DATA, next_counter - 1, plain);
		assert_int_equal(c.id, APS_REMOVE_DEVICE);
		assert_true(c.remove_device.target == DEVICE);
		if (round)
			break;
		request_with(&install, device_counter++);
		learn_key(next_counter - 1);
		verify_with(unique.link, DEVICE);
	}
}

/* The Request-Key of a real device (tests/vectors/zigbee.json, join NET2) under ZigBeeAlliance09. */
static void understands_a_real_devices_request(void **state)
{
	uint8_t frame[64], key[16];
	size_t len;

	(void)state;
	trust_centre_clear(&tc);
	assert_true(hex_parse(rd_str("5a6967426565416c6c69616e63653039"), key, sizeof key));
	assert_int_equal(link_key_set_take(&tc.base, secret_take(key, sizeof key)), OK);
	tc.device = 0xa4c1386d9b280fdfULL;
	assert_true(hex_parse_loose(rd_str("218320d8820000df0f289b6d38c1a48b957aaf0c60"), frame, sizeof frame, &len));
	assert_int_equal(input(rd_of(frame, len)), OK);
	assert_int_equal(result.outcome, TRUST_ANSWER);
	assert_string_equal(result.command, "Request-Key");
	frame[len - 1] ^= 1;
	assert_int_equal(input(rd_of(frame, len)), OK);
	assert_int_equal(result.outcome, TRUST_IGNORED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_a_unique_key_and_confirms_it),
		TEST(gives_the_same_key_until_it_is_verified),
		TEST(serves_a_device_that_missed_the_confirmation),
		TEST(drops_the_old_key_once_the_new_one_is_used),
		TEST(ignores_replays_but_acknowledges_a_repeated_frame),
		TEST(ignores_other_keys_and_other_senders),
		TEST(ignores_a_request_that_is_not_sealed),
		TEST(ignores_application_keys_and_commands_of_a_trust_centre),
		TEST(tells_who_came_to_a_router),
		TEST(tells_a_wrong_hash_under_the_old_key),
		TEST(answers_a_request_only_so_often),
		TEST(refuses_the_new_key_before_it_is_verified),
		TEST(says_nothing_without_a_durable_counter),
		TEST(removes_a_device_under_the_key_it_uses),
		TEST(understands_a_real_devices_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
