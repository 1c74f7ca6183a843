/* Poll Control: a sleeper that checks in is kept awake while there is something for it, and what it did not fetch waits for it. */
#include "rig.h"

#include <string.h>

static struct rig r;

/* A switch that sleeps, interviewed. */
static int setup(void **state)
{
	struct oci_device *d;

	(void)state;
	rig_init(&r, true);
	rig_join(&r);
	d = rig_device(&r);
	d->endpoint_count = 1;
	d->endpoints[0] = (struct oci_endpoint){.id = 1, .device = 0x0051, .in_count = 2, .in = {ZCL_ON_OFF, ZCL_POLL_CONTROL}};
	d->interview = OCI_INTERVIEW_DONE;
	d->described_by = descriptions_fingerprint(rig_descriptions());
	assert_int_equal(rig_report(&r, ZCL_BASIC, 0, ZCL_UINT8, 8), OK); /* and so it is stored */
	rig_restart(&r);
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 0), OK);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_clear(&r);
	return 0;
}

static void check_in(void)
{
	assert_int_equal(rig_zcl(&r, ZCL_POLL_CONTROL, ZCL_CLUSTER, 0x00, 0x77, rd_of("", 0)), OK);
}

static bool poll_frame(uint8_t command, struct rig_down *d)
{
	for (size_t i = 0; rig_down(&r, i, d); i++)
		if (d->nwk.type == NWK_DATA && d->aps.type == APS_DATA && d->aps.cluster == ZCL_POLL_CONTROL && d->zcl.type == ZCL_CLUSTER && d->zcl.command == command)
			return true;
	return false;
}

static void fetch(uint8_t counter)
{
	const struct aps_frame ack = {.type = APS_ACK, .counter = counter};

	assert_int_equal(rig_aps(&r, &ack), OK);
}

static void who_has_nothing_to_fetch_may_sleep(void **state)
{
	struct rig_down d;

	(void)state;
	check_in();
	assert_true(poll_frame(0x00, &d));
	assert_int_equal(d.zcl.sequence, 0x77);
	assert_true(d.zcl.disable_default_response && !d.zcl.from_server);
	assert_true(rd_equal(d.zcl.payload, rd_of("\0\0\0", 3)));
	assert_false(rig_effect(&r, OCI_RAW, 0) != NULL);
	fetch(d.aps.counter);
	assert_false(poll_frame(0x01, &d));
}

static void what_was_not_fetched_waits_for_the_check_in(void **state)
{
	struct rig_down d, poll;
	uint8_t command;

	(void)state;
	rig_update(&r, "binSh", "{\"state\":true}");
	assert_true(rig_asked(&r, &d));
	command = d.aps.counter;
	rig_run(&r, 40000); /* all tries */
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 3);
	rig_run(&r, 600000);
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 0);
	assert_int_equal(rig_effects(&r, OCI_VALUE), 0); /* what is wanted stays shown */
	check_in();
	assert_true(poll_frame(0x00, &poll));
	assert_true(rd_equal(poll.zcl.payload, rd_of("\x01\xf0\x00", 3))); /* 60 s */
	rig_run(&r, 10);
	assert_true(rig_asked(&r, &d));
	assert_int_equal(d.aps.cluster, ZCL_ON_OFF);
	assert_int_equal(d.aps.counter, command);
	fetch(poll.aps.counter);
	assert_false(poll_frame(0x01, &d)); /* it has not said yes yet */
	fetch(command);
	assert_false(poll_frame(0x01, &d));
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 1), OK);
	assert_true(poll_frame(0x01, &d));
	assert_int_equal(d.zcl.payload.left, 0);
	assert_int_equal(rig_report(&r, ZCL_ON_OFF, 0, ZCL_BOOL, 1), OK);
	assert_false(poll_frame(0x01, &d)); /* once */
}

static void an_image_keeps_it_awake(void **state)
{
	static const struct oci_image image;
	struct rig_down d;

	(void)state;
	rig_device(&r)->ota.image = &image;
	check_in();
	assert_true(poll_frame(0x00, &d));
	assert_true(rd_equal(d.zcl.payload, rd_of("\x01\xf0\x00", 3)));
	rig_device(&r)->ota.image = NULL; /* done */
	fetch(d.aps.counter);
	assert_true(poll_frame(0x01, &d));
}

static void it_is_not_waited_for_for_ever(void **state)
{
	(void)state;
	rig_update(&r, "binSh", "{\"state\":true}");
	rig_run(&r, 24ULL * 60 * 60 * 1000);
	assert_true(rig_effects(&r, OCI_DOWNLINK) < 20);
	assert_true(rig_text(&r, OCI_VALUE, "false")); /* as it is */
	assert_true(oci_core_deadline(r.core) == CLOCK_NEVER);
}

static void who_listens_is_not_waited_for(void **state)
{
	(void)state;
	rig_device(&r)->capability = RIG_LISTENS;
	rig_update(&r, "binSh", "{\"state\":true}");
	rig_run(&r, 20000);
	assert_true(rig_text(&r, OCI_VALUE, "false"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_has_nothing_to_fetch_may_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_not_fetched_waits_for_the_check_in, setup, teardown),
		cmocka_unit_test_setup_teardown(an_image_keeps_it_awake, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_not_waited_for_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(who_listens_is_not_waited_for, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
