/* The simulated device joins, and refuses what a strict device must refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "plant.h"

static struct plant p;

static int setup(void **state)
{
	(void)state;
	plant_init(&p, SIM_THERMOMETER, false);
	return 0;
}

static int setup_sleepy(void **state)
{
	(void)state;
	plant_init(&p, SIM_THERMOMETER, true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	plant_clear(&p);
	return 0;
}

static void follows(const char *const *names, size_t count)
{
	size_t from = 0;

	for (size_t i = 0; i < count; i++) {
		const struct plant_event *e = plant_find(&p, from, names[i]);

		if (!e)
			fail_msg("no event \"%s\" in its place", names[i]);
		from = (size_t)(e - p.events) + 1;
	}
}

static void commissions_with_its_install_code_and_a_unique_link_key(void **state)
{
	static const char *const names[] = {"scanning", "associated", "transport-key", "announced", "timeout-negotiated", "node-descriptor", "key-requested", "key-verified", "commissioned", "announced"};

	(void)state;
	assert_true(plant_await(&p, 0, "commissioned", 60000));
	plant_run(&p, 1000);
	follows(names, sizeof names / sizeof names[0]);
	assert_true(sim_device_commissioned(p.device));
	assert_int_equal(p.associations, 1);
	assert_int_equal(p.key_requests, 1);
	assert_int_equal(p.verifies, 1);
	assert_null(p.fresh.link); /* the coordinator saw it verified */
	assert_int_equal(p.last_zdo.cluster, ZDO_DEVICE_ANNCE);
	assert_int_equal(p.last_zdo.capability, 0x88);
	plant_run(&p, 120000);
	assert_int_equal(plant_count(&p, "left"), 0); /* and stays */
}

static void a_sleeper_commissions_by_polls(void **state)
{
	(void)state;
	assert_true(plant_await(&p, 0, "commissioned", 60000));
	assert_true(p.polls > 5);
	plant_run(&p, 1000);
	assert_int_equal(p.last_zdo.capability, 0x80);
	plant_run(&p, 20000);
	p.polls = 0;
	plant_run(&p, 20000);
	assert_in_range(p.polls, 15, 25); /* slowly again: one a second */
}

static void a_sleeper_hears_nothing_that_it_did_not_poll_for(void **state)
{
	const struct nwk_command leave = {.id = NWK_LEAVE, .leave = {.request = true}};

	(void)state;
	plant_commission(&p);
	plant_run(&p, 20000);
	p.config.sleepy = false; /* the coordinator thinks so */
	plant_nwk_command(&p, &leave);
	plant_run(&p, 400);
	assert_int_equal(plant_count(&p, "left"), 0);
}

static void leaves_18_seconds_after_the_announcement_when_nobody_answers(void **state)
{
	const struct plant_event *announced, *left;

	(void)state;
	p.announce_timeout = p.answer_node = p.acknowledge = false;
	assert_true(plant_await(&p, 0, "left", 60000));
	announced = plant_find(&p, 0, "announced");
	left = plant_find(&p, 0, "left");
	assert_non_null(announced);
	assert_in_range(left->at - announced->at, 17500, 19500);
	assert_int_equal(plant_count(&p, "commissioned"), 0);
	plant_run(&p, 500);
	assert_int_equal(p.leaves, 1);
	assert_int_equal(p.disassociations, 1);
	assert_true(plant_await(&p, p.event_count, "associated", 30000)); /* and tries again */
}

static void asks_three_times_for_a_key_that_is_new_and_leaves(void **state)
{
	const struct plant_event *first, *left;

	(void)state;
	p.answer_request = PLANT_SAME;
	assert_true(plant_await(&p, 0, "left", 60000));
	assert_int_equal(p.key_requests, 3);
	assert_int_equal(plant_count(&p, "link-key-rejected"), 3);
	first = plant_find(&p, 0, "key-requested");
	left = plant_find(&p, 0, "left");
	assert_in_range(left->at - first->at, 16500, 17500);
	assert_int_equal(plant_count(&p, "commissioned"), 0);
}

static void leaves_when_the_key_is_not_given_or_not_confirmed(void **state)
{
	(void)state;
	p.answer_request = PLANT_NO_KEY;
	assert_true(plant_await(&p, 0, "left", 60000));
	p.answer_request = PLANT_UNIQUE;
	p.answer_verify = false;
	p.event_count = 0;
	assert_true(plant_await(&p, 0, "left", 60000));
	assert_true(p.verifies >= 3);
	assert_int_equal(plant_count(&p, "commissioned"), 0);
}

static void does_not_believe_a_confirmation_under_the_old_key(void **state)
{
	(void)state;
	p.confirm_under_old = true;
	assert_true(plant_await(&p, 0, "left", 60000));
	assert_true(plant_count(&p, "confirm-key-rejected") >= 1);
	assert_int_equal(plant_count(&p, "commissioned"), 0);
}

static void keeps_the_install_code_key_with_a_trust_centre_of_an_old_revision(void **state)
{
	(void)state;
	p.revision = 0;
	assert_true(plant_await(&p, 0, "commissioned", 60000));
	plant_run(&p, 60000);
	assert_int_equal(p.key_requests, 0);
	assert_int_equal(plant_count(&p, "left"), 0);
}

static void backs_off_when_association_is_denied(void **state)
{
	(void)state;
	p.association_status = MAC_ASSOCIATION_DENIED;
	plant_run(&p, 30000);
	assert_true(plant_count(&p, "association-denied") >= 2);
	assert_int_equal(plant_count(&p, "associated"), 0);
	p.association_status = 0;
	assert_true(plant_await(&p, 0, "commissioned", 60000));
}

static void does_not_associate_where_joining_is_not_permitted(void **state)
{
	(void)state;
	p.permit = false;
	plant_run(&p, 30000);
	assert_int_equal(p.associations, 0);
	assert_true(plant_count(&p, "scanning") >= 5);
}

static void starts_over_when_no_key_comes(void **state)
{
	(void)state;
	p.offer = false;
	plant_run(&p, 60000);
	assert_true(plant_count(&p, "transport-key-timeout") >= 3);
	assert_true(p.associations >= 3);
	assert_int_equal(p.nwk_counter_count, 0);
}

static struct plant_offer good(void)
{
	return (struct plant_offer){
		.key = p.link.transport,
		.key_id = AUX_KEY_TRANSPORT,
		.sealer = PLANT_COORDINATOR,
		.source = PLANT_COORDINATOR,
		.destination = PLANT_DEVICE,
		.counter = p.aps_out++,
	};
}

static void refuses_every_transport_key_but_its_own(void **state)
{
	struct link_key_set other;
	struct plant_offer o;

	(void)state;
	p.offer = false;
	assert_int_equal(link_key_set_take(&other, secret_random(&p.rng, SECRET_AES128)), OK);
	for (unsigned i = 0; i < 7; i++) {
		p.event_count = 0;
		assert_true(plant_await(&p, 0, "associated", 60000));
		o = good();
		if (i == 0)
			o.key = other.transport; /* a neighbour's install code */
		else if (i == 1)
			o.damage = true;
		else if (i == 2)
			o.destination = PLANT_DEVICE + 1;
		else if (i == 3)
			o.key = p.link.load, o.key_id = AUX_KEY_LOAD;
		else if (i == 4)
			o.key = p.link.link, o.key_id = AUX_KEY_DATA;
		else if (i == 5)
			o.sealer = PLANT_COORDINATOR + 1; /* says that another is the Trust Centre */
		else
			o.counter = 0, p.aps_out = 100; /* heard in the rounds before */
		plant_offer(&p, &o);
		plant_run(&p, 1000);
		assert_int_equal(plant_count(&p, "transport-key-rejected"), 1);
		assert_int_equal(plant_count(&p, "transport-key"), 0);
		assert_true(plant_await(&p, 0, "transport-key-timeout", 60000));
	}
	assert_int_equal(p.nwk_counter_count, 0); /* never a sealed frame */
	p.event_count = 0;
	assert_true(plant_await(&p, 0, "associated", 60000));
	o = good();
	plant_offer(&p, &o);
	assert_true(plant_await(&p, 0, "commissioned", 60000)); /* the twin: the right one is taken */
	link_key_set_clear(&other);
}

static void refuses_a_transport_key_in_the_clear(void **state)
{
	struct nwk_frame f = {.protocol_version = 2, .destination = PLANT_SHORT, .radius = 30};
	uint8_t key[16] = {1}, plain[64], aps[100], frame[NWK_FRAME_MAX];
	struct aps_command c = {.id = APS_TRANSPORT_KEY};
	struct aps_frame a = {.type = APS_COMMAND};
	struct wr w = wr_of(plain, sizeof plain), v = wr_of(aps, sizeof aps), u = wr_of(frame, sizeof frame);
	struct rd octets;

	(void)state;
	p.offer = false;
	c.transport_key.type = APS_KEY_STANDARD_NETWORK;
	c.transport_key.key = key;
	c.transport_key.destination = PLANT_DEVICE;
	c.transport_key.source = PLANT_COORDINATOR;
	assert_int_equal(aps_command_encode(&c, &w), OK);
	assert_true(wr_done(&w, &a.payload));
	assert_int_equal(aps_frame_encode(&a, &v), OK);
	assert_true(wr_done(&v, &f.payload));
	assert_int_equal(nwk_frame_encode(&f, &u), OK);
	assert_true(wr_done(&u, &octets));
	assert_true(plant_await(&p, 0, "associated", 60000));
	plant_mac(&p, octets);
	plant_run(&p, 2000);
	assert_int_equal(plant_count(&p, "transport-key"), 0);
	assert_int_equal(p.nwk_counter_count, 0);
}

static void repeats_what_is_not_acknowledged_every_1600_ms(void **state)
{
	(void)state;
	assert_true(plant_await(&p, 0, "transport-key", 60000));
	p.answer_node = p.acknowledge = false;
	assert_true(plant_await(&p, 0, "timeout-negotiated", 5000));
	p.nwk_counter_count = 0;
	plant_run(&p, 4990);
	assert_int_equal(p.nwk_counter_count, 4); /* once and three repeats, each under a number of its own */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(commissions_with_its_install_code_and_a_unique_link_key, setup, teardown),
		cmocka_unit_test_setup_teardown(a_sleeper_commissions_by_polls, setup_sleepy, teardown),
		cmocka_unit_test_setup_teardown(a_sleeper_hears_nothing_that_it_did_not_poll_for, setup_sleepy, teardown),
		cmocka_unit_test_setup_teardown(leaves_18_seconds_after_the_announcement_when_nobody_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(asks_three_times_for_a_key_that_is_new_and_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_when_the_key_is_not_given_or_not_confirmed, setup, teardown),
		cmocka_unit_test_setup_teardown(does_not_believe_a_confirmation_under_the_old_key, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_the_install_code_key_with_a_trust_centre_of_an_old_revision, setup, teardown),
		cmocka_unit_test_setup_teardown(backs_off_when_association_is_denied, setup, teardown),
		cmocka_unit_test_setup_teardown(does_not_associate_where_joining_is_not_permitted, setup, teardown),
		cmocka_unit_test_setup_teardown(starts_over_when_no_key_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_every_transport_key_but_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_a_transport_key_in_the_clear, setup, teardown),
		cmocka_unit_test_setup_teardown(repeats_what_is_not_acknowledged_every_1600_ms, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
