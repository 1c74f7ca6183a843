/* Routers of an application group at the MEF: who is let in through one, with which key, and who is sent away. Members 1 (a router) and 2 are of "pumps". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "mef_rig.h"
#include "zigbee/security/aps_security.h"

#define ROUTER 1
#define CHILD 2
#define ADDRESS 0x3333
#define STATUS_OK 20
#define EUI64(n) (0x00124b0000000000ULL + (n))

static struct mef_aps_answer answer;
static uint32_t number; /* of the router's next sealed frame */

static bool connected(void *ctx, const char *client)
{
	(void)ctx;
	(void)client;
	return true;
}

static void permit(void)
{
	size_t count;

	assert_int_equal(mef_permit_all(mef, mef_gateway_find(mef, "gw1"), 600, &count), OK);
}

static int setup(void **state)
{
	if (rig_setup(state) != 0)
		return -1;
	mef->client_connected = connected;
	node_b();
	number = 1;
	application("pumps", "group", OK);
	(void)device(ROUTER, "pumps", "/id-b", OK);
	(void)device(CHILD, "pumps", "/id-b", OK);
	offer(ROUTER);
	tell(ROUTER, "joined");
	permit();
	return 0;
}

/* The one under which node B opens what this device says. */
static struct mef_generation *in_use(uint64_t n)
{
	struct mef_device *d = member(n);

	return mef_generation_in_use(d) == d->former ? d->former : d->present;
}

/* The router's word, sealed with the link key that it uses. */
static struct rd sealed(uint8_t buffer[static 128], uint64_t router, uint32_t with, uint64_t eui64, uint8_t status)
{
	const struct aps_command c = {.id = APS_UPDATE_DEVICE, .update_device = {eui64, ADDRESS, status}};
	struct aps_frame f = {.type = APS_COMMAND, .ack_request = true, .counter = 9};
	uint8_t plain[64];
	struct wr p = wr_of(plain, sizeof plain), w = wr_of(buffer, 128);
	struct rd frame;

	assert_int_equal(aps_command_encode(&c, &p), OK);
	assert_true(wr_done(&p, &f.payload));
	assert_int_equal(aps_seal(in_use(router)->tc.base.link, AUX_KEY_DATA, 0, true, EUI64(router), with, &f, &w), OK);
	assert_true(wr_done(&w, &frame));
	return frame;
}

static void update_by(uint64_t router, uint64_t eui64, enum trust_update_status status)
{
	struct mef_device *d = member(router);
	uint8_t buffer[128];

	assert_int_equal(mef_aps(mef, d, in_use(router), 0x42, sealed(buffer, router, number++, eui64, (uint8_t)status), &answer), OK);
	assert_true(answer.ack);
}

static void update(uint64_t eui64, enum trust_update_status status)
{
	update_by(ROUTER, eui64, status);
}

/* What the answer holds, opened with the keys of this generation. */
static struct aps_command opened(const struct mef_generation *g, enum aux_key_id id)
{
	static uint8_t plain[NWK_FRAME_MAX];
	struct aps_command c;
	struct aux_header aux;
	struct aps_frame f;
	struct rd payload;

	assert_string_equal(answer.outcome, "answer");
	assert_int_equal(aps_frame_decode(rd_of(answer.octets, answer.len), &f), OK);
	assert_int_equal(aps_open_set(&g->tc.base, COORDINATOR, &f, &aux, plain, &payload), OK);
	assert_int_equal(aux.key_id, id);
	assert_int_equal(aps_command_decode(payload, &c), OK);
	return c;
}

static void sent_away(uint64_t router, uint64_t eui64)
{
	const struct aps_command c = opened(member(router)->present, AUX_KEY_DATA);

	assert_int_equal(c.id, APS_REMOVE_DEVICE);
	assert_true(c.remove_device.target == eui64);
	assert_true(answer.child.device == 0 && answer.tunnel == 0);
}

/* Node B carries out what waits for it; gives the class of the last. */
static enum command_class carry_out(void)
{
	enum command_class last = COMMAND_NO_MORE;
	struct registry_command c;

	while (command(&c)) {
		last = c.class;
		if (c.class == COMMAND_ZIGBEE_APS_PENDING) {
			struct mef_device *d = member(CHILD);

			assert_int_equal(mef_aps(mef, d, d->present, 0x43, rd_of(NULL, 0), &answer), OK);
		}
		report(&c, STATUS_OK);
	}
	return last;
}

static void gets_its_key(uint32_t of_group)
{
	struct aps_command c;

	assert_true(member(CHILD)->preparing);
	assert_int_equal(carry_out(), COMMAND_ZIGBEE_APS_PENDING);
	assert_int_equal(member(CHILD)->state, DEVICE_OFFERED);
	assert_true(answer.tunnel == EUI64(ROUTER));
	c = opened(member(CHILD)->present, AUX_KEY_TRANSPORT);
	assert_int_equal(c.id, APS_TRANSPORT_KEY);
	assert_int_equal(c.transport_key.sequence, of_group - 1);
	assert_true(c.transport_key.destination == EUI64(CHILD) && c.transport_key.source == COORDINATOR);
	assert_int_equal(member(CHILD)->present->of_group, of_group);
	assert_true(secret_equal(member(CHILD)->present->network, member(ROUTER)->present->network));
}

static void a_member_gets_the_key_that_its_router_has(void **state)
{
	uint32_t number_of_key;

	(void)state;
	update(EUI64(CHILD), TRUST_UNSECURED_JOIN);
	assert_string_equal(answer.outcome, "accepted");
	assert_int_equal(answer.len, 0);
	gets_its_key(1);
	/* it was not heard: the same again, as often as it asks */
	number_of_key = member(CHILD)->present->number;
	for (unsigned i = 0; i < 3; i++) {
		update(EUI64(CHILD), TRUST_UNSECURED_JOIN);
		gets_its_key(1);
		assert_int_equal(member(CHILD)->present->number, number_of_key);
	}
	assert_int_equal(member(ROUTER)->rotation, MEF_ROTATION_NONE);
	tell(CHILD, "joined");
	assert_true(member(CHILD)->router == EUI64(ROUTER));
	stop();
	start();
	assert_true(member(CHILD)->router == EUI64(ROUTER));
}

static void strangers_are_sent_away(void **state)
{
	(void)state;
	application("valves", "group", OK);
	(void)device(3, "valves", "/id-b", OK);
	(void)device(4, "alone", "/id-b", OK);
	permit();
	update(EUI64(99), TRUST_UNSECURED_JOIN);
	sent_away(ROUTER, EUI64(99));
	for (uint64_t n = 3; n <= 4; n++)
		for (enum trust_update_status s = TRUST_SECURED_REJOIN; s <= TRUST_UNSECURED_REJOIN; s++) {
			update(EUI64(n), s);
			if (s == TRUST_LEFT)
				assert_int_equal(answer.len, 0);
			else
				sent_away(ROUTER, EUI64(n));
			assert_true(answer.child.device == 0);
		}
	/* a router under a key of its own has none to share */
	offer(4);
	tell(4, "joined");
	number = 1;
	update_by(4, EUI64(CHILD), TRUST_UNSECURED_JOIN);
	sent_away(4, EUI64(CHILD));
	assert_false(member(CHILD)->preparing);
	assert_null(member(CHILD)->present);
}

static void outside_the_window_a_member_is_sent_away_too(void **state)
{
	size_t count;

	(void)state;
	assert_int_equal(mef_permit_all(mef, mef_gateway_find(mef, "gw1"), 0, &count), OK);
	update(EUI64(CHILD), TRUST_UNSECURED_JOIN);
	sent_away(ROUTER, EUI64(CHILD));
	update(EUI64(CHILD), TRUST_UNSECURED_REJOIN); /* without a unique link key */
	sent_away(ROUTER, EUI64(CHILD));
	update(EUI64(CHILD), TRUST_SECURED_REJOIN);   /* without any key */
	sent_away(ROUTER, EUI64(CHILD));
	assert_false(member(CHILD)->preparing);
}

static void a_replayed_update_lets_nobody_in(void **state)
{
	struct mef_device *d = member(ROUTER);
	uint8_t buffer[128];
	struct rd frame = sealed(buffer, ROUTER, number, EUI64(CHILD), TRUST_UNSECURED_JOIN);

	(void)state;
	assert_int_equal(mef_aps(mef, d, d->present, 0x42, frame, &answer), OK);
	gets_its_key(1);
	tell(CHILD, "joined");
	assert_int_equal(mef_aps(mef, d, d->present, 0x44, frame, &answer), OK);
	assert_string_equal(answer.outcome, "ignored");
	assert_int_equal(answer.len, 0);
	assert_false(member(CHILD)->preparing);
	assert_int_equal(member(CHILD)->state, DEVICE_JOINED);
	assert_int_equal(member(CHILD)->group->generation, 1);
}

/* It may count from the start: not under a key that it counted under, and with no key that its router lacks. */
static void who_joins_again_waits_for_its_router_to_change(void **state)
{
	(void)state;
	update(EUI64(CHILD), TRUST_UNSECURED_JOIN);
	gets_its_key(1);
	tell(CHILD, "joined");
	update(EUI64(CHILD), TRUST_UNSECURED_JOIN);
	assert_string_equal(answer.outcome, "accepted");
	assert_false(member(CHILD)->preparing);
	assert_int_equal(member(CHILD)->group->generation, 2);
	assert_int_equal(member(ROUTER)->rotation, MEF_ROTATION_KEY);
	update(EUI64(CHILD), TRUST_UNSECURED_JOIN); /* too early, and it makes no more keys */
	assert_false(member(CHILD)->preparing);
	assert_int_equal(member(CHILD)->group->generation, 2);
	tell(ROUTER, "rotated");
	mef_commands_withdraw(mef, "/id-b", COMMAND_MO_NODE, EUI64(ROUTER));
	update(EUI64(CHILD), TRUST_UNSECURED_JOIN);
	gets_its_key(2);
	tell(CHILD, "joined");
	assert_int_equal(member(CHILD)->group->generation, 2);
	assert_int_equal(member(ROUTER)->rotation, MEF_ROTATION_NONE);
}

/* It keeps its counters: it is given what it has, under its own link key, and nobody changes; anybody can ask in its name. */
static void a_trust_centre_rejoin_costs_the_others_nothing(void **state)
{
	struct mef_device *d = member(CHILD);
	uint32_t number_of_key;
	struct aps_command c;

	(void)state;
	update(EUI64(CHILD), TRUST_UNSECURED_JOIN);
	gets_its_key(1);
	tell(CHILD, "joined");
	d->present->tc.base_unique = true; /* as it is when it has verified its own key */
	tell(CHILD, "announced");
	d->state = DEVICE_VERIFIED;
	number_of_key = d->present->number;
	for (unsigned i = 0; i < 3; i++) {
		update(EUI64(CHILD), TRUST_UNSECURED_REJOIN);
		assert_true(answer.child.device == EUI64(CHILD) && answer.child.status == TRUST_UNSECURED_REJOIN);
		assert_false(d->preparing);
		assert_int_equal(carry_out(), COMMAND_ZIGBEE_APS_PENDING);
		assert_true(answer.tunnel == EUI64(ROUTER));
		c = opened(d->present, AUX_KEY_TRANSPORT);
		assert_int_equal(c.transport_key.sequence, 0);
		assert_int_equal(d->state, DEVICE_VERIFIED);
	}
	assert_int_equal(d->present->number, number_of_key);
	assert_int_equal(d->group->generation, 1);
	assert_int_equal(member(ROUTER)->rotation, MEF_ROTATION_NONE);
	assert_int_equal(mef_aps(mef, d, d->present, 0x43, rd_of(NULL, 0), &answer), OK); /* nothing waits any more */
	assert_int_equal(answer.len, 0);
}

/* Somebody tried at the gateway in vain: the group's key went on, and the router's is behind. */
static void a_router_that_is_behind_is_brought_up(void **state)
{
	(void)state;
	offer(CHILD);
	offer(CHILD);
	assert_int_equal(member(CHILD)->group->generation, 2);
	assert_int_equal(member(ROUTER)->rotation, MEF_ROTATION_NONE);
	update(EUI64(CHILD), TRUST_UNSECURED_JOIN);
	assert_false(member(CHILD)->preparing);
	assert_int_equal(member(ROUTER)->rotation, MEF_ROTATION_KEY);
	assert_int_equal(member(CHILD)->group->generation, 2);
}

static void a_member_that_has_the_key_may_go_from_router_to_router(void **state)
{
	(void)state;
	offer(CHILD);
	tell(CHILD, "joined");
	assert_true(member(CHILD)->router == 0);
	/* the group has another key since: the router is rotated to it first */
	update(EUI64(CHILD), TRUST_SECURED_REJOIN);
	assert_string_equal(answer.outcome, "accepted");
	assert_true(answer.child.device == EUI64(CHILD) && answer.child.short_address == ADDRESS && answer.child.status == TRUST_SECURED_REJOIN);
	assert_true(member(CHILD)->router == EUI64(ROUTER));
	assert_int_equal(member(CHILD)->short_address, ADDRESS);
	update(EUI64(CHILD), TRUST_LEFT);
	assert_true(answer.child.device == EUI64(CHILD) && answer.child.status == TRUST_LEFT);
	tell(CHILD, "rejoined"); /* at the gateway */
	assert_true(member(CHILD)->router == 0);
	update(EUI64(CHILD), TRUST_LEFT); /* it is not this router's any more */
	assert_true(answer.child.device == 0);
}

/* Its sleepers hear nothing that it seals with a key that they do not have. */
static void a_router_switches_when_its_sleepers_have_polled(void **state)
{
	char message[256];

	(void)state;
	update(EUI64(CHILD), TRUST_UNSECURED_JOIN);
	gets_its_key(1);
	tell(CHILD, "joined");
	member(CHILD)->capability = 0x80;
	assert_int_equal(mef_rotate(mef, member(ROUTER), "operator", message), OK);
	member(ROUTER)->rotation = MEF_ROTATION_PAUSE;
	assert_true(mef_group_waits(member(ROUTER)));
	member(CHILD)->rotation = MEF_ROTATION_PAUSE;
	assert_true(mef_group_waits(member(ROUTER)));
	member(CHILD)->rotation = MEF_ROTATION_SWITCH;
	assert_false(mef_group_waits(member(ROUTER)));
	member(CHILD)->rotation = MEF_ROTATION_TRANSPORT;
	member(CHILD)->router = 0; /* the gateway's own sleepers keep nobody waiting */
	assert_false(mef_group_waits(member(ROUTER)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_member_gets_the_key_that_its_router_has, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(strangers_are_sent_away, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(outside_the_window_a_member_is_sent_away_too, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_replayed_update_lets_nobody_in, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(who_joins_again_waits_for_its_router_to_change, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_trust_centre_rejoin_costs_the_others_nothing, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_router_that_is_behind_is_brought_up, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_member_that_has_the_key_may_go_from_router_to_router, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_router_switches_when_its_sleepers_have_polled, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
