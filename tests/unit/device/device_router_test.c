/* The simulated router: what it demands of its coordinator, and what it does when it does not get it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "plant.h"

#define PERIOD_MS 15000
#define CHILD 0x00124b0000000077ULL

static struct plant p;

static int begin(bool broadcast_only)
{
	plant_init(&p, SIM_PLUG, false);
	sim_device_free(p.device);
	p.config.router = true;
	p.config.broadcast_link_status = broadcast_only;
	plant_start(&p);
	p.answer_route = p.link_status = true;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return begin(false);
}

static int setup_broadcast(void **state)
{
	(void)state;
	return begin(true);
}

static int teardown(void **state)
{
	(void)state;
	plant_clear(&p);
	return 0;
}

/* What it sends up goes over its route. */
static bool reaches_the_coordinator(void)
{
	const struct zdo_message m = {.cluster = ZDO_ACTIVE_EP, .sequence = 3, .short_address = p.short_address};
	unsigned before = p.zdo_frames;

	plant_zdo(&p, &m);
	plant_run(&p, 500);
	return p.zdo_frames > before;
}

static void joins_as_a_router(void **state)
{
	(void)state;
	assert_true(plant_await(&p, 0, "commissioned", 20000));
	assert_int_equal(p.capability, MAC_CAPABILITY_ALLOCATE_ADDRESS | MAC_CAPABILITY_RX_ON_WHEN_IDLE | MAC_CAPABILITY_MAINS | MAC_CAPABILITY_FFD);
	assert_int_equal(plant_count(&p, "timeout-negotiated"), 0);
	assert_int_equal(plant_count(&p, "timeout-not-negotiated"), 0);
	assert_int_equal(plant_count(&p, "route"), 1);
	assert_true(p.route_requests > 0);
	assert_true(plant_find(&p, 0, "permit-joining") != NULL); /* BDB 8.2 */
}

static void does_not_join_where_there_is_no_room_for_routers(void **state)
{
	(void)state;
	p.no_router_capacity = true;
	plant_run(&p, 10000);
	assert_int_equal(p.associations, 0);
}

static void without_a_route_reply_it_does_not_get_through_commissioning(void **state)
{
	(void)state;
	p.answer_route = false;
	assert_true(plant_await(&p, 0, "no-route", 30000));
	assert_int_equal(plant_count(&p, "node-descriptor"), 0);
	assert_true(p.route_requests >= 4); /* the first and three more */
	assert_true(plant_await(&p, 0, "left", 60000));
}

static void a_many_to_one_route_request_will_do_and_brings_a_route_record(void **state)
{
	const struct nwk_command m = {.id = NWK_ROUTE_REQUEST, .route_request = {.many = NWK_MANY_TO_ONE, .id = 1, .destination = NWK_BROADCAST_ROUTERS}};

	(void)state;
	p.answer_route = false;
	assert_true(plant_await(&p, 0, "transport-key", 20000));
	plant_one_hop(&p, &m, true);
	assert_true(plant_await(&p, 0, "commissioned", 20000));
	assert_int_equal(p.route_records, 1);
	assert_non_null(strstr(plant_find(&p, 0, "route")->detail, "many-to-one"));
}

static void link_status_lists_the_coordinator_every_fifteen_seconds(void **state)
{
	(void)state;
	plant_commission(&p);
	p.status_count = 0;
	plant_run(&p, 20 * PERIOD_MS);
	assert_true(p.status_count >= 18 && p.status_count <= 22);
	assert_true(p.status.link_status.first && p.status.link_status.last);
	assert_int_equal(p.status.link_status.count, 1);
	assert_int_equal(p.status.link_status.links[0].address, NWK_COORDINATOR);
	assert_int_equal(p.status.link_status.links[0].incoming_cost, 1);
	assert_int_equal(p.status.link_status.links[0].outgoing_cost, 1);
}

static void stays_for_a_day_with_link_status(void **state)
{
	(void)state;
	plant_commission(&p);
	for (unsigned i = 0; i < 96; i++) {
		plant_run(&p, 60 * PERIOD_MS);
		p.nwk_counter_count = 0;
	}
	assert_int_equal(plant_count(&p, "route-lost"), 0);
	assert_true(reaches_the_coordinator());
	assert_true(sim_device_commissioned(p.device));
}

/* The periods that it takes: an age of more than three. */
static void loses_its_route_after_three_periods_without_link_status(void **state)
{
	const struct plant_event *lost;
	uint64_t stopped;

	(void)state;
	plant_commission(&p);
	plant_run(&p, 4 * PERIOD_MS);
	assert_true(reaches_the_coordinator());
	p.link_status = false;
	stopped = p.now;
	plant_run(&p, 3 * PERIOD_MS);
	assert_int_equal(plant_count(&p, "route-lost"), 0);
	assert_true(plant_await(&p, 0, "route-lost", 3 * PERIOD_MS));
	lost = plant_find(&p, 0, "route-lost");
	assert_non_null(strstr(lost->detail, "\"periods\":4"));
	assert_true(lost->at - stopped <= 5 * PERIOD_MS);
	assert_false(reaches_the_coordinator()); /* a reply over a link that the other end does not know of makes no route */
	p.link_status = true;
	plant_run(&p, PERIOD_MS);
	assert_true(reaches_the_coordinator());
}

static void link_status_that_does_not_list_it_costs_the_route_at_once(void **state)
{
	/* clang-format off */
	static const struct { struct { bool first, last; uint8_t count; uint16_t address; uint8_t incoming; } list; bool keeps; } cases[] = {
		{{true,  true,  0, 0,           0}, false},
		{{true,  true,  1, 0x1234,      1}, false},
		{{true,  true,  1, PLANT_SHORT, 0}, false}, /* listed, and not heard */
		{{true,  true,  1, PLANT_SHORT, 7}, true},
		{{true,  false, 1, 0x1234,      1}, true},  /* a part of the list that ends before it */
		{{false, true,  1, 0xf000,      1}, true},  /* or begins behind it */
		{{false, true,  1, 0x1234,      1}, false},
	};
	/* clang-format on */

	(void)state;
	plant_commission(&p);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct nwk_command m = {.id = NWK_LINK_STATUS,
			.link_status = {cases[i].list.first, cases[i].list.last, cases[i].list.count, {{cases[i].list.address, cases[i].list.incoming, 1}}}};
		unsigned before;

		plant_run(&p, PERIOD_MS);
		assert_true(reaches_the_coordinator());
		before = plant_count(&p, "route-lost");
		plant_one_hop(&p, &m, false);
		plant_run(&p, 100);
		assert_int_equal(plant_count(&p, "route-lost") - before, !cases[i].keeps);
		plant_status(&p);
		plant_run(&p, 100);
	}
}

static void it_looks_for_the_network_again_when_it_finds_no_route(void **state)
{
	(void)state;
	plant_commission(&p);
	p.link_status = false;
	assert_true(plant_await(&p, 0, "route-lost", 6 * PERIOD_MS));
	for (unsigned i = 0; i < 4 && plant_count(&p, "parent-lost") == 0; i++) {
		(void)reaches_the_coordinator();
		plant_run(&p, 11000);
	}
	assert_int_equal(plant_count(&p, "parent-lost"), 1);
	p.link_status = true;
	assert_true(plant_await(&p, 0, "rejoined", 20000));
	assert_true(reaches_the_coordinator());
}

static void a_stack_by_the_letter_takes_link_status_as_mac_broadcast_alone(void **state)
{
	(void)state;
	p.status_broadcast = false;
	plant_commission(&p);
	assert_true(plant_await(&p, 0, "route-lost", 6 * PERIOD_MS));
	p.status_broadcast = true;
	plant_run(&p, PERIOD_MS + 1000);
	assert_true(reaches_the_coordinator());
	plant_run(&p, 20 * PERIOD_MS);
	assert_int_equal(plant_count(&p, "route-lost"), 1);
}

static void broadcasts_are_sent_three_times_under_new_counters(void **state)
{
	unsigned before;

	(void)state;
	plant_commission(&p);
	plant_run(&p, 5000);
	before = p.announcements;
	sim_device_command(p.device, p.now, "rejoin");
	assert_true(plant_await(&p, 0, "rejoined", 20000));
	plant_run(&p, 3000);
	assert_int_equal(p.announcements - before, 3);
	for (size_t i = 1; i < p.nwk_counter_count; i++)
		assert_true(p.nwk_counters[i] > p.nwk_counters[i - 1]);
}

static void tells_its_tables(void **state)
{
	struct zdo_message m = {.cluster = ZDO_MGMT_LQI, .sequence = 8};

	(void)state;
	plant_commission(&p);
	plant_zdo(&p, &m);
	plant_run(&p, 1000);
	assert_int_equal(p.last_zdo.cluster, ZDO_MGMT_LQI | ZDO_RESPONSE);
	assert_int_equal(p.last_zdo.total, 1);
	assert_int_equal(p.last_zdo.row_count, 1);
	assert_true(p.last_zdo.neighbours[0].eui64 == PLANT_COORDINATOR);
	m.cluster = ZDO_MGMT_RTG;
	plant_zdo(&p, &m);
	plant_run(&p, 1000);
	assert_int_equal(p.last_zdo.cluster, ZDO_MGMT_RTG | ZDO_RESPONSE);
	assert_int_equal(p.last_zdo.routes[0].state, ZDO_ROUTE_ACTIVE);
}

/* ---- as a parent ---- */

static void associate(bool open)
{
	unsigned updates = p.updates;

	assert_int_equal(plant_scan(&p), open ? 2 : 1); /* a beacon, and whether it permits */
	plant_associate(&p, CHILD);
	plant_run(&p, 1000);
	assert_int_equal(p.updates - updates, open);
}

static void who_joins_through_it_is_told_of_and_removed(void **state)
{
	const struct aps_command remove = {.id = APS_REMOVE_DEVICE, .remove_device = {.target = CHILD}};
	const struct zdo_message close = {.cluster = ZDO_MGMT_PERMIT_JOINING, .sequence = 8}, open = {.cluster = ZDO_MGMT_PERMIT_JOINING, .sequence = 9, .permit_duration = 60};

	(void)state;
	plant_commission(&p);
	plant_zdo(&p, &close);
	plant_run(&p, 100);
	assert_int_equal(p.last_zdo.cluster, ZDO_MGMT_PERMIT_JOINING | ZDO_RESPONSE);
	assert_int_equal(p.last_zdo.status, ZDO_SUCCESS);
	associate(false);
	plant_zdo(&p, &open);
	plant_run(&p, 100);
	associate(true);
	assert_true(p.update.update_device.device == CHILD);
	assert_int_equal(p.update.update_device.status, 1);
	assert_int_equal(plant_count(&p, "child-associated"), 1);
	plant_command(&p, p.link.link, AUX_KEY_DATA, p.aps_out++, &remove);
	plant_run(&p, 100);
	assert_int_equal(plant_count(&p, "child-removed"), 1);
	assert_int_equal(plant_count(&p, "left"), 0);
	plant_run(&p, 60000);
	associate(false); /* its time is over */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(joins_as_a_router),
		TEST(does_not_join_where_there_is_no_room_for_routers),
		TEST(without_a_route_reply_it_does_not_get_through_commissioning),
		TEST(a_many_to_one_route_request_will_do_and_brings_a_route_record),
		TEST(link_status_lists_the_coordinator_every_fifteen_seconds),
		TEST(stays_for_a_day_with_link_status),
		TEST(loses_its_route_after_three_periods_without_link_status),
		TEST(link_status_that_does_not_list_it_costs_the_route_at_once),
		TEST(it_looks_for_the_network_again_when_it_finds_no_route),
		cmocka_unit_test_setup_teardown(a_stack_by_the_letter_takes_link_status_as_mac_broadcast_alone, setup_broadcast, teardown),
		TEST(broadcasts_are_sent_three_times_under_new_counters),
		TEST(tells_its_tables),
		TEST(who_joins_through_it_is_told_of_and_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
