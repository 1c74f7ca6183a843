/* The simulated device in its network: replays, repeats, restarts, key rotation, leaving, rejoining. */
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
	plant_init(&p, SIM_PLUG, false);
	plant_commission(&p);
	return 0;
}

static int setup_sleepy(void **state)
{
	(void)state;
	plant_init(&p, SIM_CONTACT, true);
	plant_commission(&p);
	return 0;
}

static int setup_new(void **state)
{
	(void)state;
	plant_init(&p, SIM_PLUG, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	plant_clear(&p);
	return 0;
}

static void toggle(void)
{
	plant_zcl(&p, ZCL_ON_OFF, ZCL_CLUSTER, ZCL_ON_OFF_TOGGLE, rd_of(NULL, 0));
}

static void drops_a_replayed_frame(void **state)
{
	struct plant_psdu heard;

	(void)state;
	p.captured.len = 0;
	toggle();
	plant_run(&p, 1000);
	heard = p.captured;
	assert_true(heard.len > 0);
	assert_int_equal(plant_count(&p, "switched"), 1);
	p.data_frames = p.acks = 0;
	plant_psdu_input(&p, &heard);
	plant_run(&p, 30000);
	assert_int_equal(plant_count(&p, "switched"), 1);
	assert_int_equal(plant_count(&p, "frame-dropped"), 1);
	assert_int_equal(p.acks, 0);
	assert_int_equal(p.data_frames, 0);
	toggle();
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "switched"), 2);
}

static void drops_frames_of_other_keys_and_sealers(void **state)
{
	struct secret *other = secret_random(&p.rng, SECRET_AES128);
	const uint8_t on[] = {0x40, 1, 6, 0, 4, 1, 1, 99, 0x01, 1, ZCL_ON_OFF_ON}; /* APS and ZCL of "on" */
	const struct rd aps = rd_of(on, sizeof on);

	(void)state;
	plant_nwk(&p, other, p.key_sequence, PLANT_COORDINATOR, p.nwk_out++, NWK_DATA, 0, aps);
	plant_nwk(&p, p.network_key, 7, PLANT_COORDINATOR, p.nwk_out++, NWK_DATA, 0, aps);
	plant_nwk(&p, p.network_key, p.key_sequence, PLANT_COORDINATOR + 1, p.nwk_out++, NWK_DATA, 0, aps);
	plant_run(&p, 2000);
	assert_int_equal(plant_count(&p, "switched"), 0);
	assert_int_equal(p.acks, 0);
	plant_aps(&p, aps); /* the twin */
	plant_run(&p, 2000);
	assert_int_equal(plant_count(&p, "switched"), 1);
	secret_free(other);
}

static void a_repeat_is_acknowledged_again_and_done_once(void **state)
{
	const uint8_t command[] = {0x01, 1, ZCL_ON_OFF_TOGGLE};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		plant_data(&p, 200, ZCL_ON_OFF, APS_PROFILE_HOME_AUTOMATION, 1, rd_of(command, sizeof command));
		plant_run(&p, 1600);
	}
	assert_int_equal(plant_count(&p, "switched"), 1);
	assert_int_equal(p.acks, 3);
	assert_int_equal(p.last_acked, 200);
}

static void rising(const uint32_t *counters, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (counters[i] <= counters[i - 1])
			fail_msg("number %u after %u", counters[i], counters[i - 1]);
}

static void no_restart_repeats_a_frame_counter(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned k = 0; k < 12; k++) { /* off at ever other places of commissioning */
			p.queue_count = 0;
			plant_run(&p, 900 + 150 * k + 50 * i);
			plant_restart(&p);
		}
		p.event_count = 0;
		plant_run(&p, 30000);
		assert_true(sim_device_commissioned(p.device));
		for (unsigned k = 0; k < 4; k++) {
			toggle();
			plant_run(&p, 700);
			plant_restart(&p);
		}
		assert_true(sim_device_command(p.device, p.now, "leave"));
		link_key_set_clear(&p.link);
		assert_int_equal(link_key_set_take(&p.link, secret_dup(p.label)), OK);
	}
	assert_true(p.nwk_counter_count > 40);
	rising(p.nwk_counters, p.nwk_counter_count);
	assert_true(p.aps_counter_count >= 3);
	rising(p.aps_counters, p.aps_counter_count);
}

static void sends_nothing_sealed_when_its_memory_fails(void **state)
{
	(void)state;
	p.memory_fails = true;
	plant_run(&p, 20000);
	assert_true(p.associations > 0);
	assert_int_equal(p.nwk_counter_count, 0);
	assert_int_equal(plant_count(&p, "commissioned"), 0);
}

static void goes_on_silently_after_a_restart(void **state)
{
	unsigned associations = p.associations;

	(void)state;
	toggle();
	plant_run(&p, 1000);
	plant_restart(&p);
	plant_run(&p, 5000);
	assert_int_equal(plant_count(&p, "resumed"), 1);
	assert_int_equal(p.associations, associations);
	toggle();
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "switched"), 2); /* it was on, and remembered */
	assert_non_null(strstr(plant_find(&p, (size_t)(plant_find(&p, 0, "resumed") - p.events), "switched")->detail, "false"));
}

static void a_cut_memory_is_refused(void **state)
{
	struct sim_device_config c = p.config;
	struct sim_device *d;

	(void)state;
	for (size_t n = 1; n + 1 < p.memory_len; n++) {
		d = sim_device_new(&c, rd_of(p.memory, n), p.now);
		if (d)
			fail_msg("taken with %zu of %zu octets", n, p.memory_len);
	}
	c.link_key = secret_dup(p.config.link_key);
	d = sim_device_new(&c, rd_of(p.memory, p.memory_len), p.now);
	assert_non_null(d);
	sim_device_free(d);
}

/* ---- rotation ---- */

static void new_key_of_coordinator(struct secret *key, uint8_t sequence)
{
	secret_free(p.network_key);
	p.network_key = key;
	p.key_sequence = sequence;
}

static void rotates_the_network_key_by_switch_key(void **state)
{
	struct secret *next = secret_random(&p.rng, SECRET_AES128);
	const uint8_t switch_key[] = {0x01, 77, APS_SWITCH_KEY, 1};

	(void)state;
	plant_next_key(&p, next, 1);
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "next-key"), 1);
	toggle(); /* still under the old one */
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "switched"), 1);
	plant_aps(&p, rd_of(switch_key, sizeof switch_key));
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "key-switched"), 1);
	new_key_of_coordinator(next, 1);
	p.data_frames = 0;
	toggle();
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "switched"), 2);
	assert_int_equal(p.data_frames, 1); /* its answer opens under the new key */
	plant_restart(&p);
	toggle();
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "switched"), 3);
}

static void a_frame_under_the_next_key_switches_too(void **state)
{
	struct secret *next = secret_random(&p.rng, SECRET_AES128);

	(void)state;
	plant_next_key(&p, next, 1);
	plant_run(&p, 1000);
	new_key_of_coordinator(next, 1);
	toggle();
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "key-switched"), 1);
	assert_int_equal(plant_count(&p, "switched"), 1);
	assert_true(p.data_frames > 0);
}

static void does_not_take_a_network_key_that_only_the_network_key_protects(void **state)
{
	uint8_t key[16] = {5}, plain[64], aps[100];
	struct aps_command c = {.id = APS_TRANSPORT_KEY};
	struct aps_frame a = {.type = APS_COMMAND, .counter = 90};
	struct wr w = wr_of(plain, sizeof plain), v = wr_of(aps, sizeof aps);
	struct rd octets;

	(void)state;
	c.transport_key.type = APS_KEY_STANDARD_NETWORK;
	c.transport_key.key = key;
	c.transport_key.sequence = 1;
	c.transport_key.destination = PLANT_DEVICE;
	c.transport_key.source = PLANT_COORDINATOR;
	assert_int_equal(aps_command_encode(&c, &w), OK);
	assert_true(wr_done(&w, &a.payload));
	assert_int_equal(aps_frame_encode(&a, &v), OK);
	assert_true(wr_done(&v, &octets));
	plant_aps(&p, octets);
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "transport-key-rejected"), 1);
	assert_int_equal(plant_count(&p, "next-key"), 0);
}

/* ---- leaving ---- */

static void leaves_when_the_trust_centre_removes_it(void **state)
{
	const struct aps_command c = {.id = APS_REMOVE_DEVICE, .remove_device = {PLANT_DEVICE}};
	const uint8_t clear[] = {0x01, 78, APS_REMOVE_DEVICE, 1, 0, 0, 0, 0, 0x4b, 0x12, 0};

	(void)state;
	plant_aps(&p, rd_of(clear, sizeof clear)); /* not under the link key: no */
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "left"), 0);
	plant_command(&p, p.link.link, AUX_KEY_DATA, 0, &c); /* an old number of the link key: no */
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "left"), 0);
	plant_command(&p, p.link.link, AUX_KEY_DATA, p.aps_out++, &c);
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "left"), 1);
	assert_int_equal(p.leaves, 1);
}

static void leaves_when_its_parent_says_so_and_no_other(void **state)
{
	const struct nwk_command c = {.id = NWK_LEAVE, .leave = {.request = true}}, told = {.id = NWK_LEAVE};
	uint8_t buffer[4];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	(void)state;
	assert_int_equal(nwk_command_encode(&c, &w), OK);
	assert_true(wr_done(&w, &payload));
	plant_nwk(&p, p.network_key, p.key_sequence, PLANT_COORDINATOR, p.nwk_out++, NWK_COMMAND, 0x4321, payload);
	plant_nwk_command(&p, &told); /* somebody else has left */
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "left"), 0);
	plant_nwk_command(&p, &c);
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "left"), 1);
	assert_int_equal(p.leaves, 1);
	assert_int_equal(p.disassociations, 1);
}

static void answers_mgmt_leave_and_leaves(void **state)
{
	const struct zdo_message m = {.cluster = ZDO_MGMT_LEAVE, .sequence = 9};

	(void)state;
	plant_zdo(&p, &m);
	plant_run(&p, 1000);
	assert_int_equal(p.last_zdo.cluster, ZDO_MGMT_LEAVE | ZDO_RESPONSE);
	assert_int_equal(p.last_zdo.status, ZDO_SUCCESS);
	assert_int_equal(plant_count(&p, "left"), 1);
	assert_int_equal(p.leaves, 1);
}

static void the_button_leaves_and_it_can_come_back(void **state)
{
	(void)state;
	assert_true(sim_device_command(p.device, p.now, "leave"));
	link_key_set_clear(&p.link); /* the coordinator forgets it too */
	assert_int_equal(link_key_set_take(&p.link, secret_dup(p.label)), OK);
	assert_true(plant_await(&p, 0, "commissioned", 60000));
	rising(p.nwk_counters, p.nwk_counter_count);
	assert_false(sim_device_command(p.device, p.now, "dance"));
}

/* ---- rejoining ---- */

static void rejoins_when_its_parent_was_away(void **state)
{
	unsigned associations = p.associations;

	(void)state;
	p.deaf = true;
	assert_true(plant_await(&p, 0, "parent-lost", 900000));
	assert_true(plant_await(&p, 0, "scanning", 100));
	plant_run(&p, 60000);
	p.deaf = false;
	p.queue_count = 0;
	assert_true(plant_await(&p, 0, "rejoined", 120000));
	assert_int_equal(p.associations, associations);
	assert_non_null(strstr(plant_find(&p, 0, "rejoined")->detail, "\"secured\":true"));
	plant_run(&p, 2000);
	assert_int_equal(p.last_zdo.cluster, ZDO_DEVICE_ANNCE);
	assert_int_equal(p.last_zdo.short_address, PLANT_SHORT + 1);
	rising(p.nwk_counters, p.nwk_counter_count);
}

static void told_to_leave_and_rejoin_it_rejoins(void **state)
{
	const struct nwk_command c = {.id = NWK_LEAVE, .leave = {.request = true, .rejoin = true}};

	(void)state;
	plant_nwk_command(&p, &c);
	assert_true(plant_await(&p, 0, "rejoined", 30000));
	assert_int_equal(p.leaves, 1);
	assert_int_equal(plant_count(&p, "left"), 0);
}

/* It asked one parent, and has another now: an answer of the first would leave it with a parent that does not know it. */
static void takes_an_answer_of_the_parent_alone_that_it_asks(void **state)
{
	(void)state;
	p.answer_rejoin = false;
	p.rejoin_from = 0x5640;
	assert_true(sim_device_command(p.device, p.now, "rejoin"));
	plant_run(&p, 120000);
	assert_true(p.clear_frames > 0);
	assert_int_equal(plant_count(&p, "transport-key"), 0); /* it waits for none */
}

static void asks_the_trust_centre_when_no_secured_rejoin_is_answered(void **state)
{
	struct secret *fresh = secret_random(&p.rng, SECRET_AES128);

	(void)state;
	p.answer_rejoin = p.answer_clear_rejoin = false;
	assert_true(sim_device_command(p.device, p.now, "rejoin"));
	plant_run(&p, 120000);
	assert_true(p.clear_frames > 0);
	assert_int_equal(plant_count(&p, "rejoined"), 0);
	assert_int_equal(plant_count(&p, "left"), 0); /* it goes on trying */
	new_key_of_coordinator(fresh, 0);
	p.answer_clear_rejoin = true;
	assert_true(plant_await(&p, 0, "rejoined", 600000));
	assert_non_null(strstr(plant_find(&p, 0, "rejoined")->detail, "\"secured\":false"));
	toggle();
	plant_run(&p, 1000);
	assert_int_equal(plant_count(&p, "switched"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(drops_a_replayed_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(drops_frames_of_other_keys_and_sealers, setup, teardown),
		cmocka_unit_test_setup_teardown(a_repeat_is_acknowledged_again_and_done_once, setup, teardown),
		cmocka_unit_test_setup_teardown(no_restart_repeats_a_frame_counter, setup_new, teardown),
		cmocka_unit_test_setup_teardown(sends_nothing_sealed_when_its_memory_fails, setup_new, teardown),
		cmocka_unit_test_setup_teardown(goes_on_silently_after_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_cut_memory_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(rotates_the_network_key_by_switch_key, setup, teardown),
		cmocka_unit_test_setup_teardown(a_frame_under_the_next_key_switches_too, setup, teardown),
		cmocka_unit_test_setup_teardown(does_not_take_a_network_key_that_only_the_network_key_protects, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_when_the_trust_centre_removes_it, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_when_its_parent_says_so_and_no_other, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_mgmt_leave_and_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(the_button_leaves_and_it_can_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(rejoins_when_its_parent_was_away, setup, teardown),
		cmocka_unit_test_setup_teardown(told_to_leave_and_rejoin_it_rejoins, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_an_answer_of_the_parent_alone_that_it_asks, setup, teardown),
		cmocka_unit_test_setup_teardown(asks_the_trust_centre_when_no_secured_rejoin_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(rejoins_when_its_parent_was_away, setup_sleepy, teardown),
		cmocka_unit_test_setup_teardown(told_to_leave_and_rejoin_it_rejoins, setup_sleepy, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
