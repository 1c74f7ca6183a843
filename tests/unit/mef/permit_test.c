/* Joining that the operator opened stays open, and closes, as was said, whatever restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "mef_rig.h"

static int setup(void **state)
{
	if (rig_setup(state) != 0)
		return -1;
	for (uint64_t n = 1; n <= 3; n++)
		(void)device(n, "", "/id-b", OK);
	return 0;
}

static struct mef_gateway *gw1(void)
{
	return mef_gateway_find(mef, "gw1");
}

static uint16_t seconds(void)
{
	return eg_permitted(gw1()->eg, clock_ms());
}

/* What the gateway is told when it greets. */
static void policy(struct egp_message *m)
{
	const struct egp_message hello = {.type = EGP_HELLO, .transaction = 1, .hello = {.gateway = COORDINATOR, .channel = 15, .highest_version = 1, .epoch = 1}};
	uint8_t octets[EGP_MESSAGE_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	struct eg_effect e;
	struct rd message;

	assert_int_equal(egp_encode(&hello, &w), OK);
	assert_true(wr_done(&w, &message));
	eg_connect(gw1()->eg);
	eg_input(gw1()->eg, clock_ms(), clock_unix_ms() / 1000, message);
	m->type = EGP_HELLO;
	while (eg_output(mef->eg, &e))
		if (e.type == EG_SEND && m->type != EGP_JOIN_POLICY)
			assert_int_equal(egp_decode(e.octets, m), OK);
	assert_int_equal(m->type, EGP_JOIN_POLICY);
}

static void outlives_a_restart_with_its_devices(void **state)
{
	const uint64_t devices[] = {0x00124b0000000001ULL, 0x00124b0000000003ULL};
	struct egp_message m;
	char message[256];

	(void)state;
	assert_int_equal(mef_permit(mef, gw1(), 600, devices, 2), OK);
	stop();
	start();
	assert_in_range(seconds(), 590, 600);
	policy(&m);
	assert_int_equal(m.join_policy.count, 2);
	assert_true(m.join_policy.devices[0] == devices[0] && m.join_policy.devices[1] == devices[1]);
	/* who is not registered any more is not let in */
	assert_int_equal(mef_device_remove(mef, devices[0], message), OK);
	stop();
	start();
	policy(&m);
	assert_int_equal(m.join_policy.count, 1);
	assert_true(m.join_policy.devices[0] == devices[1]);
}

static void for_all_devices_it_is_for_those_of_now(void **state)
{
	struct egp_message m;
	size_t count;

	(void)state;
	assert_int_equal(mef_permit_all(mef, gw1(), EGP_UNTIL_CHANGED, &count), OK);
	assert_int_equal(count, 3);
	(void)device(4, "", "/id-b", OK);
	stop();
	start();
	assert_int_equal(seconds(), EGP_UNTIL_CHANGED);
	policy(&m);
	assert_int_equal(m.join_policy.count, 4);
}

static void what_was_closed_or_has_ended_stays_closed(void **state)
{
	struct mef_permit p = {.seconds = 60, .all = true};
	size_t count;

	(void)state;
	assert_int_equal(mef_permit_all(mef, gw1(), 600, &count), OK);
	assert_int_equal(mef_permit_all(mef, gw1(), 0, &count), OK);
	stop();
	start();
	assert_int_equal(seconds(), 0);
	p.until = clock_unix_ms() / 1000 - 1;
	assert_int_equal(mef_store_permit_put(mef->store, "gw1", &p), OK);
	stop();
	start();
	assert_int_equal(seconds(), 0);
}

static void a_clock_that_was_set_back_opens_it_for_no_longer(void **state)
{
	const struct mef_permit p = {.until = clock_unix_ms() / 1000 + 86400, .seconds = 60, .all = true};

	(void)state;
	assert_int_equal(mef_store_permit_put(mef->store, "gw1", &p), OK);
	stop();
	start();
	assert_in_range(seconds(), 1, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(outlives_a_restart_with_its_devices, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(for_all_devices_it_is_for_those_of_now, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(what_was_closed_or_has_ended_stays_closed, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_clock_that_was_set_back_opens_it_for_no_longer, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
