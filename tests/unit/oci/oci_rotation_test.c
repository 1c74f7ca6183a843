/* A device that stays on the network gets another key: nothing but the key changes, at its first frame under the new one and not before. */
#include <string.h>

#include "rig.h"

static struct rig r;

static int setup(void **state)
{
	(void)state;
	rig_init(&r, false);
	rig_join(&r);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_clear(&r);
	return 0;
}

/* From now on the device seals and opens with this one, which is its second. */
static void device_switches(struct secret *key)
{
	secret_free(r.key);
	r.key = key;
	r.key_sequence++;
	r.counter = 0;
}

static struct secret *offered(void)
{
	struct secret *next = secret_random(&r.rng, SECRET_AES128);

	r.rotation = true;
	assert_int_equal(rig_offer(&r, next, RIG_SEQUENCE + 1, 2), OK);
	return next;
}

static void nothing_but_the_key_changes(void **state)
{
	struct secret *next = offered();
	struct rig_down d;

	(void)state;
	rig_device(&r)->interview = OCI_INTERVIEW_DONE;
	assert_int_equal(rig_report(&r, 0x0402, 0, 0x29, 2150), OK); /* under the former key */
	assert_int_equal(rig_device(&r)->present.generation, 1);
	{
		const struct nwk_command c = {.id = NWK_END_DEVICE_TIMEOUT_REQUEST, .timeout_request = {2, 0}};

		assert_int_equal(rig_command(&r, &c), OK); /* is answered */
	}
	assert_true(rig_down(&r, 0, &d));
	assert_int_equal(d.aux.key_sequence, RIG_SEQUENCE);
	rig_restart(&r); /* that it is a rotation survives, too */

	device_switches(next);
	assert_int_equal(rig_report(&r, 0x0402, 0, 0x29, 2160), OK);
	assert_true(rig_text(&r, OCI_EVENT, "rotated"));
	assert_false(rig_text(&r, OCI_EVENT, "joined"));
	assert_int_equal(rig_device(&r)->interview, OCI_INTERVIEW_DONE);
	assert_true(rig_device(&r)->joined);
	assert_int_equal(rig_device(&r)->present.generation, 2);
	assert_null(rig_device(&r)->pending.network);
	assert_int_equal(r.stored.present.generation, 2);
	{
		const struct nwk_command c = {.id = NWK_END_DEVICE_TIMEOUT_REQUEST, .timeout_request = {2, 0}};

		assert_int_equal(rig_command(&r, &c), OK);
	}
	assert_true(rig_down(&r, 0, &d)); /* opens under the new key */
	assert_int_equal(d.aux.key_sequence, RIG_SEQUENCE + 1);
	assert_int_equal(d.aux.frame_counter, 0); /* its counter begins anew */
}

static void a_frame_under_the_former_key_is_refused_afterwards(void **state)
{
	struct secret *former = secret_dup(r.key), *next = offered();
	uint8_t octets[NWK_FRAME_MAX];
	size_t len;

	(void)state;
	len = rig_seal(&r, NWK_DATA, rd_of("x", 1), octets);
	device_switches(next);
	assert_int_equal(rig_nwk(&r, NWK_DATA, rd_of("x", 1)), OK);
	assert_int_equal(rig_octets(&r, rd_of(octets, len)), ERR_UNKNOWN_KEY);
	secret_free(former);
}

/* What was sent and not acknowledged before goes on afterwards, under the new key. */
static void what_waits_for_its_acknowledgement_is_repeated_under_the_new_key(void **state)
{
	const struct zdo_message m = {.cluster = ZDO_NODE_DESC, .sequence = 1, .short_address = NWK_COORDINATOR};
	struct secret *next;
	struct rig_down d;

	(void)state;
	assert_int_equal(rig_zdo(&r, &m), OK); /* its answer wants an acknowledgement */
	next = offered();
	device_switches(next);
	assert_int_equal(rig_nwk(&r, NWK_DATA, rd_of("x", 1)), OK);
	rig_run(&r, 3000);
	assert_true(rig_down(&r, 0, &d));
	assert_int_equal(d.aux.key_sequence, RIG_SEQUENCE + 1);
	assert_int_equal(d.zdo.cluster, ZDO_NODE_DESC | 0x8000);
}

static void a_counter_that_has_come_far_is_told_once(void **state)
{
	(void)state;
	r.counter = 0x7fffffff;
	assert_int_equal(rig_nwk(&r, NWK_DATA, rd_of("x", 1)), OK);
	assert_false(rig_text(&r, OCI_EVENT, "counter-high"));
	assert_int_equal(rig_nwk(&r, NWK_DATA, rd_of("x", 1)), OK);
	assert_true(rig_text(&r, OCI_EVENT, "counter-high"));
	assert_int_equal(rig_nwk(&r, NWK_DATA, rd_of("x", 1)), OK);
	assert_false(rig_text(&r, OCI_EVENT, "counter-high"));
}

/* Node B's own counter likewise; the MEF is told again after a restart, since it may not have heard. */
static void so_is_the_coordinators_own(void **state)
{
	(void)state;
	r.stored.present.network->out_reserved = 0x80000000U;
	rig_restart(&r);
	{
		const struct nwk_command c = {.id = NWK_END_DEVICE_TIMEOUT_REQUEST, .timeout_request = {2, 0}};

		assert_int_equal(rig_command(&r, &c), OK); /* is answered */
	}
	assert_true(rig_text(&r, OCI_EVENT, "counter-high"));
}

/* A key that came with an old copy of the store is one to be replaced, wherever its counter is. */
static void a_key_of_an_old_copy_is_told(void **state)
{
	const struct nwk_command c = {.id = NWK_END_DEVICE_TIMEOUT_REQUEST, .timeout_request = {2, 0}};

	(void)state;
	assert_int_equal(rig_command(&r, &c), OK);
	assert_false(rig_text(&r, OCI_EVENT, "counter-high"));
	r.stored.present.network->worn = true;
	rig_restart(&r);
	assert_int_equal(rig_command(&r, &c), OK);
	assert_true(rig_text(&r, OCI_EVENT, "counter-high"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_but_the_key_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_frame_under_the_former_key_is_refused_afterwards, setup, teardown),
		cmocka_unit_test_setup_teardown(what_waits_for_its_acknowledgement_is_repeated_under_the_new_key, setup, teardown),
		cmocka_unit_test_setup_teardown(a_counter_that_has_come_far_is_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(so_is_the_coordinators_own, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_of_an_old_copy_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
