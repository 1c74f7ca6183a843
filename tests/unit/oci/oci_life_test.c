/* Presence and place: silent and heard again, a gateway that does not know the device, another short address. */
#include "rig.h"

#include <string.h>

static struct rig r;

static int setup(void **state)
{
	(void)state;
	rig_init(&r, true);
	rig_join(&r);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_clear(&r);
	return 0;
}

static void says_something(void)
{
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 1), OK);
}

static void lost(void)
{
	oci_core_lost(r.core, r.now, RIG_DEVICE);
	rig_collect(&r);
}

static void unknown(uint16_t address, bool polled)
{
	oci_core_unknown(r.core, r.now, RIG_DEVICE, address, polled);
	rig_collect(&r);
}

/* ---- presence ---- */

static void what_is_silent_is_so_until_a_genuine_frame(void **state)
{
	uint8_t octets[NWK_FRAME_MAX];
	size_t len;

	(void)state;
	lost();
	assert_true(rig_text(&r, OCI_EVENT, "lost"));
	assert_int_equal(rig_effects(&r, OCI_PRESENCE), 1);
	assert_true(rig_device(&r)->silent && r.stored.silent);
	lost(); /* once a time-out, says the gateway: once is enough */
	assert_int_equal(r.count, 0);
	rig_restart(&r);
	assert_true(rig_device(&r)->silent);
	len = rig_seal(&r, NWK_DATA, rd_of("x", 1), octets);
	octets[len - 1] ^= 1;
	assert_int_not_equal(rig_octets(&r, rd_of(octets, len)), OK);
	assert_true(rig_device(&r)->silent);
	says_something();
	assert_true(rig_text(&r, OCI_EVENT, "heard"));
	assert_int_equal(rig_effects(&r, OCI_PRESENCE), 1);
	assert_false(rig_device(&r)->silent || r.stored.silent);
	says_something();
	assert_int_equal(rig_effects(&r, OCI_PRESENCE), 0);
}

static void who_left_is_not_lost(void **state)
{
	const struct nwk_command leave = {.id = NWK_LEAVE};

	(void)state;
	assert_int_equal(rig_command(&r, &leave), OK);
	lost();
	assert_int_equal(r.count, 0);
}

/* ---- place ---- */

static void a_gateway_without_memory_gets_the_child_as_it_is(void **state)
{
	const struct nwk_command request = {.id = NWK_END_DEVICE_TIMEOUT_REQUEST, .timeout_request = {3, 0}};
	const struct oci_effect *e;

	(void)state;
	assert_int_equal(rig_command(&r, &request), OK);
	rig_restart(&r);
	unknown(0xffff, false);
	e = rig_effect(&r, OCI_CHILD_SET, 0);
	assert_non_null(e);
	assert_int_equal(e->short_address, RIG_SHORT);
	assert_int_equal(e->capability, RIG_SLEEPS);
	assert_int_equal(e->timeout_s, 8 * 60);
	assert_null(rig_effect(&r, OCI_DOWNLINK, 0)); /* it may never have noticed */
}

static void who_polls_and_is_not_known_is_told_to_rejoin(void **state)
{
	struct rig_down d;

	(void)state;
	unknown(RIG_SHORT + 1, true); /* another device's address */
	assert_int_equal(r.count, 0);
	unknown(RIG_SHORT, true);
	assert_true(r.effects[0].type == OCI_CHILD_SET); /* else there is no queue for what follows */
	assert_true(rig_down(&r, 0, &d));
	assert_int_equal(d.command.id, NWK_LEAVE);
	assert_true(d.command.leave.request && d.command.leave.rejoin && !d.command.leave.remove_children);
	unknown(RIG_SHORT, true); /* anybody can poll in its name */
	assert_int_equal(r.count, 0);
	r.now += 60000;
	unknown(RIG_SHORT, true);
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 1);
}

static void a_rejoin_keeps_the_time_out(void **state)
{
	const struct nwk_command request = {.id = NWK_END_DEVICE_TIMEOUT_REQUEST, .timeout_request = {0, 0}};
	const struct nwk_command rejoin = {.id = NWK_REJOIN_REQUEST, .rejoin_request = {RIG_SLEEPS}};

	(void)state;
	assert_int_equal(rig_command(&r, &request), OK);
	assert_int_equal(rig_command(&r, &rejoin), OK);
	assert_int_equal(rig_effect(&r, OCI_CHILD_SET, 0)->timeout_s, 10);
}

/* ---- address ---- */

static void another_short_address_is_followed(void **state)
{
	struct rig_down d;

	(void)state;
	r.short_address = 0x1234;
	says_something();
	assert_int_equal(rig_device(&r)->short_address, 0x1234);
	assert_int_equal(r.stored.short_address, 0x1234);
	assert_int_equal(rig_effect(&r, OCI_CHILD_SET, 0)->short_address, 0x1234);
	assert_true(rig_text(&r, OCI_EVENT, "announced"));
	assert_int_equal(rig_effects(&r, OCI_PRESENCE), 1);
	rig_run(&r, 60000);
	assert_true(rig_down(&r, 0, &d)); /* the interview asks it there */
	assert_int_equal(d.nwk.destination, 0x1234);
}

static void a_conflict_gives_another_address(void **state)
{
	struct nwk_command status = {.id = NWK_NETWORK_STATUS, .network_status = {NWK_STATUS_ADDRESS_CONFLICT, RIG_SHORT + 1}};
	struct rig_down d;

	(void)state;
	assert_int_equal(rig_command(&r, &status), OK);
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 0); /* about another */
	status.network_status.destination = RIG_SHORT;
	assert_int_equal(rig_command(&r, &status), OK);
	assert_true(rig_down(&r, 0, &d));
	assert_int_equal(d.command.id, NWK_REJOIN_RESPONSE);
	assert_int_equal(d.command.rejoin_response.status, 0);
	assert_true(nwk_address_is_device(d.command.rejoin_response.short_address) && d.command.rejoin_response.short_address != RIG_SHORT);
	assert_int_equal(rig_device(&r)->short_address, RIG_SHORT); /* until it uses the other */
	r.short_address = d.command.rejoin_response.short_address;
	says_something();
	assert_int_equal(rig_device(&r)->short_address, r.short_address);
	assert_int_equal(rig_effect(&r, OCI_CHILD_SET, 0)->short_address, r.short_address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_silent_is_so_until_a_genuine_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(who_left_is_not_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(a_gateway_without_memory_gets_the_child_as_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(who_polls_and_is_not_known_is_told_to_rejoin, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rejoin_keeps_the_time_out, setup, teardown),
		cmocka_unit_test_setup_teardown(another_short_address_is_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_conflict_gives_another_address, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
