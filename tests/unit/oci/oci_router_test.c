/* Routers as leaves of node B: link status, route requests and replies, what is closed, what is counted and what is not stored. */
#include "rig.h"

#include "oci/core_private.h"

#define PERIOD_MS 15000
#define HOUR_MS 3600000
#define CHILD_EUI64 0x00124b0000000099ULL

static struct rig r;

static int router(void **state)
{
	(void)state;
	rig_init(&r, false);
	return 0;
}

/* With a core that has these settings; joined, by a frame that asks for nothing. */
static void begin(uint8_t capability, uint32_t link_status_ms)
{
	const struct nwk_command c = {.id = NWK_NETWORK_REPORT};

	rig_clear(&r);
	rig_init(&r, false);
	r.capability = capability;
	r.link_status_ms = link_status_ms;
	oci_core_free(r.core);
	rig_core(&r);
	assert_int_equal(rig_offer(&r, r.key, r.key_sequence, r.generation), OK);
	assert_int_equal(rig_command(&r, &c), OK);
	rig_device(&r)->interview = OCI_INTERVIEW_DONE; /* another test's */
	rig_device(&r)->step_at = CLOCK_NEVER;
}

static int teardown(void **state)
{
	(void)state;
	rig_clear(&r);
	return 0;
}

/* The index-th frame down that is this NWK command. */
static bool command_down(enum nwk_command_id id, size_t index, struct rig_down *d)
{
	for (size_t i = 0; rig_down(&r, i, d); i++)
		if (d->nwk.type == NWK_COMMAND && d->command.id == id && index-- == 0)
			return true;
	return false;
}

static size_t commands_down(enum nwk_command_id id)
{
	struct rig_down d;
	size_t n = 0;

	while (command_down(id, n, &d))
		n++;
	return n;
}

static bool zdo_down(uint16_t cluster, struct rig_down *d)
{
	for (size_t i = 0; rig_down(&r, i, d); i++)
		if (d->nwk.type == NWK_DATA && d->aps.type == APS_DATA && d->aps.profile == APS_PROFILE_ZDP && d->aps.cluster == cluster)
			return true;
	return false;
}

static struct nwk_command link_status(uint8_t count, uint16_t address, uint8_t incoming, uint8_t outgoing)
{
	const struct nwk_command c = {.id = NWK_LINK_STATUS, .link_status = {true, true, count, {{address, incoming, outgoing}}}};

	return c;
}

/* A router that is alive says so in every period. */
static void live(uint64_t ms)
{
	const struct nwk_command alive = link_status(1, NWK_COORDINATOR, 1, 1);

	for (uint64_t end = r.now + ms; r.now < end;) {
		rig_run(&r, PERIOD_MS);
		assert_int_equal(rig_command(&r, &alive), OK);
	}
}

static void a_router_that_joins_gets_its_place_a_route_and_link_status(void **state)
{
	const struct oci_effect *e;
	struct rig_down d;

	(void)state;
	begin(RIG_ROUTES, PERIOD_MS);
	e = rig_effect(&r, OCI_CHILD_SET, 0);
	assert_non_null(e);
	assert_int_equal(e->short_address, RIG_SHORT);
	assert_int_equal(e->capability, RIG_ROUTES);
	assert_int_equal(e->timeout_s, 120);
	assert_true(command_down(NWK_ROUTE_REQUEST, 0, &d));
	assert_int_equal(d.nwk.destination, NWK_BROADCAST_ROUTERS);
	assert_int_equal(d.nwk.radius, 1); /* nobody passes it on */
	assert_int_equal(d.command.route_request.many, NWK_MANY_TO_ONE);
	assert_int_equal(d.command.route_request.destination, NWK_BROADCAST_ROUTERS);
	rig_run(&r, 1000);
	assert_true(command_down(NWK_LINK_STATUS, 0, &d));
	assert_int_equal(d.nwk.destination, NWK_BROADCAST_ROUTERS);
	assert_int_equal(d.nwk.radius, 1);
	assert_true(d.nwk.has_source_eui64 && d.nwk.source_eui64 == RIG_GATEWAY && !d.nwk.has_destination_eui64);
	assert_true(d.command.link_status.first && d.command.link_status.last);
	assert_int_equal(d.command.link_status.count, 1);
	assert_int_equal(d.command.link_status.links[0].address, RIG_SHORT);
	assert_false(rig_effect(&r, OCI_DOWNLINK, 0)->broadcast);
}

static void link_status_tells_both_costs(void **state)
{
	/* clang-format off */
	static const struct { uint8_t lqi; struct { uint8_t count; uint16_t address; uint8_t incoming; } said; uint8_t incoming, outgoing; } cases[] = {
		{0,   {1, 0, 3}, 1, 3},      /* a radio that knows no quality */
		{255, {1, 0, 1}, 1, 1},
		{200, {1, 0, 7}, 1, 7},
		{199, {1, 0, 0}, 2, 0},      /* it does not hear us */
		{100, {1, 0x1234, 5}, 4, 0}, /* it hears another, not us */
		{40,  {0, 0, 0}, 6, 0},
		{1,   {1, 0, 2}, 7, 2},
	};
	/* clang-format on */

	(void)state;
	begin(RIG_ROUTES, PERIOD_MS);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct nwk_command c = link_status(cases[i].said.count, cases[i].said.address, cases[i].said.incoming, 6);
		struct rig_down d;

		oci_core_heard(r.core, RIG_DEVICE, cases[i].lqi);
		assert_int_equal(rig_command(&r, &c), OK);
		rig_run(&r, PERIOD_MS + PERIOD_MS / 10);
		assert_true(command_down(NWK_LINK_STATUS, 0, &d));
		assert_int_equal(d.command.link_status.links[0].incoming_cost, cases[i].incoming);
		assert_int_equal(d.command.link_status.links[0].outgoing_cost, cases[i].outgoing);
	}
}

/* A router waits a little more than three periods: one of 15 s with its jitter is in each. */
static void link_status_goes_on_for_ever_and_is_stored_in_blocks(void **state)
{
	uint64_t last;
	unsigned sent = 0, saves;

	(void)state;
	begin(RIG_ROUTES, PERIOD_MS);
	live(PERIOD_MS);
	saves = r.saves;
	last = r.now;
	for (unsigned i = 0; i < 240; i++) {
		const struct nwk_command alive = link_status(1, NWK_COORDINATOR, 1, 1);
		uint64_t end = r.now + PERIOD_MS;

		while (r.now < end) {
			rig_run(&r, 500);
			if (commands_down(NWK_LINK_STATUS) > 0) {
				assert_true(r.now - last <= PERIOD_MS + PERIOD_MS / 10);
				last = r.now;
				sent++;
			}
		}
		assert_int_equal(rig_command(&r, &alive), OK);
	}
	assert_true(sent >= 220 && sent <= 260);
	assert_true(r.saves - saves <= 1); /* an hour of both directions: one block of numbers at most */
	assert_int_equal(rig_device(&r)->present.in.last, r.counter - 1);
}

static void who_gets_link_status(void **state)
{
	/* clang-format off */
	static const struct { uint8_t capability; uint32_t link_status_ms; bool gets; } cases[] = {
		{RIG_ROUTES,  PERIOD_MS, true},
		{RIG_ROUTES,  0,         false}, /* switched off, for tests */
		{RIG_LISTENS, PERIOD_MS, false},
		{RIG_SLEEPS,  PERIOD_MS, false},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		begin(cases[i].capability, cases[i].link_status_ms);
		assert_int_equal(commands_down(NWK_ROUTE_REQUEST), cases[i].gets);
		rig_run(&r, 2 * PERIOD_MS);
		assert_int_equal(commands_down(NWK_LINK_STATUS) > 0, cases[i].gets);
	}
}

static void a_silent_router_gets_nothing_until_it_is_heard_again(void **state)
{
	const struct nwk_command alive = link_status(1, NWK_COORDINATOR, 1, 1);

	(void)state;
	begin(RIG_ROUTES, PERIOD_MS);
	rig_run(&r, 10 * PERIOD_MS);
	rig_run(&r, HOUR_MS);
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 0);
	assert_int_equal(rig_command(&r, &alive), OK);
	assert_non_null(rig_effect(&r, OCI_CHILD_SET, 0));
	rig_run(&r, 1000);
	assert_int_equal(commands_down(NWK_LINK_STATUS), 1);
}

static void after_a_restart_of_node_b_it_is_served_when_it_is_heard(void **state)
{
	const struct nwk_command alive = link_status(1, NWK_COORDINATOR, 1, 1);
	uint32_t before;

	(void)state;
	begin(RIG_ROUTES, PERIOD_MS);
	live(4 * PERIOD_MS);
	before = rig_device(&r)->present.network->out.next;
	rig_restart(&r);
	assert_true(rig_device(&r)->present.network->out.next >= before); /* numbers are left out, never used twice */
	assert_int_equal(rig_command(&r, &alive), OK);
	rig_run(&r, 1000);
	assert_int_equal(commands_down(NWK_LINK_STATUS), 1);
}

/* ---- routes ---- */

static void which_route_requests_are_answered(void **state)
{
	/* clang-format off */
	static const struct { enum nwk_many_to_one many; uint16_t destination; bool answered; } cases[] = {
		{NWK_ROUTE_TO_ONE,        NWK_COORDINATOR, true},
		{NWK_ROUTE_TO_ONE,        0x1234,          false}, /* another device: there is no way to it */
		{NWK_ROUTE_TO_ONE,        RIG_SHORT,       false},
		{NWK_MANY_TO_ONE,         0xfffc,          false}, /* a concentrator of its own */
		{NWK_MANY_TO_ONE_NO_CACHE, 0xfffc,         false},
	};
	/* clang-format on */

	(void)state;
	begin(RIG_ROUTES, PERIOD_MS);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct nwk_command c = {.id = NWK_ROUTE_REQUEST, .route_request = {.many = cases[i].many, .id = (uint8_t)(40 + i), .destination = cases[i].destination}};
		struct rig_down d;

		assert_int_equal(rig_command(&r, &c), OK);
		assert_int_equal(commands_down(NWK_ROUTE_REPLY), cases[i].answered);
		if (!command_down(NWK_ROUTE_REPLY, 0, &d))
			continue;
		assert_int_equal(d.nwk.destination, RIG_SHORT);
		assert_int_equal(d.command.route_reply.id, 40 + i);
		assert_int_equal(d.command.route_reply.originator, RIG_SHORT);
		assert_int_equal(d.command.route_reply.responder, NWK_COORDINATOR);
		assert_true(d.command.route_reply.originator_eui64 == RIG_DEVICE && d.command.route_reply.responder_eui64 == RIG_GATEWAY);
	}
}

static void a_lost_route_brings_a_many_to_one_route_request_and_no_flood_of_them(void **state)
{
	/* clang-format off */
	static const struct { uint8_t status; bool asks; } cases[] = {
		{NWK_STATUS_NO_ROUTE, true}, {NWK_STATUS_LINK_FAILURE, true}, {NWK_STATUS_MANY_TO_ONE_FAILURE, true},
		{NWK_STATUS_ADDRESS_CONFLICT, false}, {0x7f, false},
	};
	/* clang-format on */

	(void)state;
	begin(RIG_ROUTES, PERIOD_MS);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct nwk_command c = {.id = NWK_NETWORK_STATUS, .network_status = {.status = cases[i].status}};

		rig_run(&r, PERIOD_MS);
		assert_int_equal(rig_command(&r, &c), OK);
		assert_int_equal(commands_down(NWK_ROUTE_REQUEST), cases[i].asks);
		assert_int_equal(rig_command(&r, &c), OK);
		assert_int_equal(commands_down(NWK_ROUTE_REQUEST), 0);
	}
}

static void route_records_are_taken_in_silence(void **state)
{
	const struct nwk_command c = {.id = NWK_ROUTE_RECORD, .route_record = {2, {0x1234, 0x4321}}};

	(void)state;
	begin(RIG_ROUTES, PERIOD_MS);
	assert_int_equal(rig_command(&r, &c), OK);
	assert_int_equal(r.count, 0);
}

/* ---- nobody behind it ---- */

static void it_is_closed_when_it_opens_itself_and_again_when_it_is_known(void **state)
{
	struct zdo_message m = {.cluster = ZDO_MGMT_PERMIT_JOINING, .sequence = 9, .permit_duration = 180, .tc_significance = 1};
	struct aps_frame f = {.type = APS_DATA, .delivery = APS_BROADCAST, .cluster = m.cluster, .profile = APS_PROFILE_ZDP, .counter = 70};
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rig_down d;

	(void)state;
	begin(RIG_ROUTES, PERIOD_MS);
	assert_int_equal(zdo_encode(&m, &w), OK);
	f.payload = rd_of(w.octets, w.len);
	assert_int_equal(rig_aps(&r, &f), OK);
	assert_true(zdo_down(ZDO_MGMT_PERMIT_JOINING, &d));
	assert_int_equal(d.zdo.permit_duration, 0);
	assert_false(zdo_down(ZDO_MGMT_PERMIT_JOINING | ZDO_RESPONSE, &d));
	assert_int_equal(rig_zdo(&r, &m), OK); /* asked alone: refused */
	assert_true(zdo_down(ZDO_MGMT_PERMIT_JOINING | ZDO_RESPONSE, &d));
	assert_int_equal(d.zdo.status, ZDO_NOT_AUTHORIZED);
	rig_run(&r, 1000); /* the interview is over */
	assert_true(zdo_down(ZDO_MGMT_PERMIT_JOINING, &d));
	assert_int_equal(d.zdo.permit_duration, 0);
	assert_true(rig_device(&r)->router.closed);
}

static void an_end_device_is_told_nothing_about_joining(void **state)
{
	const struct zdo_message m = {.cluster = ZDO_MGMT_PERMIT_JOINING, .permit_duration = 180, .tc_significance = 1};
	struct rig_down d;

	(void)state;
	begin(RIG_LISTENS, PERIOD_MS);
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_false(zdo_down(ZDO_MGMT_PERMIT_JOINING, &d));
}

static void what_it_passes_on_for_others_is_ignored(void **state)
{
	const struct zdo_message m = {.cluster = ZDO_ACTIVE_EP, .short_address = NWK_COORDINATOR};
	const struct nwk_command leave = {.id = NWK_LEAVE};
	struct nwk_frame f = {.source = RIG_SHORT};

	(void)state;
	begin(RIG_ROUTES, PERIOD_MS);
	/* of the NWK header */
	assert_true(oci_router_own(rig_device(&r), &f));
	f.end_device_initiator = true;
	assert_false(oci_router_own(rig_device(&r), &f));
	f.end_device_initiator = false;
	f.has_source_eui64 = true;
	f.source_eui64 = CHILD_EUI64;
	assert_false(oci_router_own(rig_device(&r), &f));
	f.source_eui64 = RIG_DEVICE;
	assert_true(oci_router_own(rig_device(&r), &f));
	/* sealed by the router with its own key and counter, and in the child's name */
	r.capability = RIG_LISTENS;
	assert_int_equal(rig_zdo(&r, &m), OK);
	assert_int_equal(rig_effects(&r, OCI_DOWNLINK), 0);
	/* our own one-hop broadcast, sent back */
	r.capability = RIG_ROUTES;
	r.short_address = NWK_COORDINATOR;
	assert_int_equal(rig_command(&r, &leave), OK);
	assert_false(rig_text(&r, OCI_EVENT, "left"));
	assert_true(rig_device(&r)->joined);
}

/* ---- management ---- */

static void tables_show_the_asker_alone(void **state)
{
	/* clang-format off */
	static const struct { uint16_t cluster; uint8_t start; unsigned rows; } cases[] = {
		{ZDO_MGMT_LQI, 0, 1}, {ZDO_MGMT_LQI, 1, 0}, {ZDO_MGMT_LQI, 255, 0}, {ZDO_MGMT_RTG, 0, 1}, {ZDO_MGMT_RTG, 1, 0},
	};
	/* clang-format on */

	(void)state;
	begin(RIG_ROUTES, PERIOD_MS);
	oci_core_heard(r.core, RIG_DEVICE, 180);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct zdo_message m = {.cluster = cases[i].cluster, .sequence = (uint8_t)i, .start = cases[i].start};
		struct rig_down d;

		assert_int_equal(rig_zdo(&r, &m), OK);
		assert_true(zdo_down(cases[i].cluster | ZDO_RESPONSE, &d));
		assert_int_equal(d.zdo.sequence, i);
		assert_int_equal(d.zdo.status, ZDO_SUCCESS);
		assert_int_equal(d.zdo.total, 1);
		assert_int_equal(d.zdo.start, cases[i].start);
		assert_int_equal(d.zdo.row_count, cases[i].rows);
		if (cases[i].rows == 0)
			continue;
		if (cases[i].cluster == ZDO_MGMT_RTG) {
			assert_int_equal(d.zdo.routes[0].destination, RIG_SHORT);
			continue;
		}
		assert_true(d.zdo.neighbours[0].eui64 == RIG_DEVICE);
		assert_int_equal(d.zdo.neighbours[0].kind, ZDO_ROUTER | ZDO_NEIGHBOUR_RX_ON | ZDO_NEIGHBOUR_CHILD);
		assert_int_equal(d.zdo.neighbours[0].lqi, 180);
	}
}

/* ---- many ---- */

#define MANY 500

static unsigned many_saves;

static enum err many_save(void *ctx, const struct oci_device *d)
{
	(void)ctx;
	(void)d;
	many_saves++;
	return OK;
}

static void five_hundred_routers_in_an_hour(void **state)
{
	struct rng rng = rng_seeded(3);
	const struct oci_core_config config = {&rng, true, rig_descriptions(), many_save, NULL, PERIOD_MS, false, 0};
	struct oci_core *core = oci_core_new(&config);
	uint64_t now = 1000000, end = now + HOUR_MS, step_end;
	unsigned down = 0;
	struct oci_effect e;

	(void)state;
	assert_non_null(core);
	for (uint64_t i = 1; i <= MANY; i++) {
		struct oci_device *d;

		const struct oci_key_order o = {i, RIG_GATEWAY, (uint16_t)i, RIG_ROUTES, "/mn/r", "a", secret_random(&rng, SECRET_AES128), 0, 1, "k", false, NULL, 0};

		assert_int_equal(oci_core_key(core, now, &o), OK);
		d = oci_core_device(core, i);
		d->joined = true;
		d->interview = OCI_INTERVIEW_DONE;
		d->router.closed = true;
		d->last_heard = now;
		oci_router_heard(core, d);
		while (oci_core_output(core, &e))
			;
	}
	many_saves = 0;
	while (now < end) {
		for (struct oci_device *d = oci_core_devices(core); d; d = d->next)
			d->last_heard = now;
		for (step_end = now + PERIOD_MS; now < step_end;) {
			uint64_t next = oci_core_deadline(core);

			now = next > now ? next < step_end ? next : step_end : now + 1;
			oci_core_tick(core, now);
			while (oci_core_output(core, &e))
				down += e.type == OCI_DOWNLINK;
		}
	}
	assert_true(down > MANY * 225 && down < MANY * 255);
	assert_true(many_saves <= MANY); /* a block of 1024 numbers each, reserved once or not at all */
	oci_core_free(core);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_router_that_joins_gets_its_place_a_route_and_link_status, router, teardown),
		cmocka_unit_test_setup_teardown(link_status_tells_both_costs, router, teardown),
		cmocka_unit_test_setup_teardown(link_status_goes_on_for_ever_and_is_stored_in_blocks, router, teardown),
		cmocka_unit_test_setup_teardown(who_gets_link_status, router, teardown),
		cmocka_unit_test_setup_teardown(a_silent_router_gets_nothing_until_it_is_heard_again, router, teardown),
		cmocka_unit_test_setup_teardown(after_a_restart_of_node_b_it_is_served_when_it_is_heard, router, teardown),
		cmocka_unit_test_setup_teardown(which_route_requests_are_answered, router, teardown),
		cmocka_unit_test_setup_teardown(a_lost_route_brings_a_many_to_one_route_request_and_no_flood_of_them, router, teardown),
		cmocka_unit_test_setup_teardown(route_records_are_taken_in_silence, router, teardown),
		cmocka_unit_test_setup_teardown(it_is_closed_when_it_opens_itself_and_again_when_it_is_known, router, teardown),
		cmocka_unit_test_setup_teardown(an_end_device_is_told_nothing_about_joining, router, teardown),
		cmocka_unit_test_setup_teardown(what_it_passes_on_for_others_is_ignored, router, teardown),
		cmocka_unit_test_setup_teardown(tables_show_the_asker_alone, router, teardown),
		cmocka_unit_test(five_hundred_routers_in_an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
