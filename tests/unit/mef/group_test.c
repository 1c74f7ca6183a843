/* Application groups at the MEF: who is given which generation of the group's key, and what makes all members change to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "mef_rig.h"

#define MEMBERS 3

static int setup(void **state)
{
	if (rig_setup(state) != 0)
		return -1;
	application("pumps", "group", OK);
	for (uint64_t n = 1; n <= MEMBERS; n++)
		(void)device(n, "pumps", "/id-b", OK);
	return 0;
}

static void all_join(void)
{
	for (uint64_t n = 1; n <= MEMBERS; n++) {
		offer(n);
		tell(n, "joined");
	}
}

static bool rotates_to(uint64_t n, uint32_t generation)
{
	const struct mef_device *d = member(n);

	return d->rotation != MEF_ROTATION_NONE && d->present->rotation && d->present->of_group == generation && secret_equal(d->present->network, d->group->network);
}

static void remove_member(uint64_t n)
{
	char message[256];

	assert_int_equal(mef_device_remove(mef, member(n)->eui64, message), OK);
}

static void members_share_a_key_and_nothing_else(void **state)
{
	const struct mef_generation *first;

	(void)state;
	all_join();
	first = member(1)->present;
	for (uint64_t n = 2; n <= MEMBERS; n++) {
		const struct mef_generation *g = member(n)->present;

		assert_true(secret_equal(g->network, first->network));
		assert_int_equal(g->of_group, 1);
		assert_int_equal(g->sequence, 0);
		assert_string_not_equal(g->key_id, first->key_id); /* each its own way to the Trust Centre */
		assert_int_equal(member(n)->rotation, MEF_ROTATION_NONE);
	}
	(void)device(9, "other", "/id-b", OK);
	offer(9);
	assert_false(secret_equal(member(9)->present->network, first->network));
	assert_int_equal(member(9)->present->of_group, 0);
}

static void without_a_member_that_was_removed_the_others_get_another_key(void **state)
{
	struct secret *former;

	(void)state;
	all_join();
	former = secret_dup(member(1)->present->network);
	remove_member(3);
	for (uint64_t n = 1; n <= 2; n++) {
		assert_true(rotates_to(n, 2));
		assert_int_equal(member(n)->present->sequence, 1);
		assert_false(secret_equal(member(n)->present->network, former));
	}
	/* killed now, it goes on with it */
	stop();
	start();
	for (uint64_t n = 1; n <= 2; n++)
		assert_true(rotates_to(n, 2));
	tell(1, "rotated");
	assert_int_equal(member(1)->rotation, MEF_ROTATION_NONE);
	assert_true(rotates_to(2, 2));
	/* and who joins then gets that one */
	(void)device(4, "pumps", "/id-b", OK);
	offer(4);
	assert_int_equal(member(4)->present->of_group, 2);
	secret_free(former);
}

/* A member that was reset may count from the start: not under a key that it counted under. */
static void who_joins_again_brings_another_key_to_all(void **state)
{
	(void)state;
	all_join();
	offer(1);
	assert_int_equal(member(1)->present->of_group, 2);
	/* so far anybody may have associated in its name: the others have nothing to do */
	for (uint64_t n = 2; n <= MEMBERS; n++)
		assert_int_equal(member(n)->rotation, MEF_ROTATION_NONE);
	tell(1, "joined");
	for (uint64_t n = 2; n <= MEMBERS; n++)
		assert_true(rotates_to(n, 2));
	/* again, while they are at it: they go on, and have the third afterwards */
	offer(1);
	tell(1, "joined");
	assert_int_equal(member(1)->present->of_group, 3);
	for (uint64_t n = 2; n <= MEMBERS; n++) {
		assert_int_equal(member(n)->present->of_group, 2);
		tell(n, "rotated");
		assert_true(rotates_to(n, 3));
	}
}

/* An association in its name that came to nothing must not leave it behind. */
static void who_was_offered_a_key_in_vain_rotates_with_the_others(void **state)
{
	(void)state;
	all_join();
	offer(1);
	remove_member(3);
	assert_true(rotates_to(1, 3));
	assert_true(rotates_to(2, 3));
}

static void no_key_is_offered_twice_to_who_associates(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 5; i++) {
		offer(1);
		assert_int_equal(member(1)->present->of_group, i);
	}
	offer(2);
	assert_int_equal(member(2)->present->of_group, 5);
}

static bool connected(void *ctx, const char *client)
{
	(void)ctx;
	(void)client;
	return true;
}

/* Node B remembers the generations that a group had, also when the MEF was made anew and begins with the first. */
static void a_key_that_node_b_refuses_is_not_offered_again(void **state)
{
	const struct egp_message request = {.type = EGP_REQUEST, .request = {.gateway = COORDINATOR, .device = 0x00124b0000000001ULL, .device_short = 1, .capability = 0x8e}};

	(void)state;
	mef->client_connected = connected;
	for (unsigned i = 0; i < 3; i++) {
		mef_prepare(mef, mef_gateway_find(mef, "gw1"), &request);
		assert_int_equal(member(1)->present->of_group, 1);
	}
	for (uint32_t i = 2; i < 5; i++) {
		mef_prepared(mef, member(1), false);
		mef_prepare(mef, mef_gateway_find(mef, "gw1"), &request);
		assert_int_equal(member(1)->present->of_group, i);
	}
}

static void one_rotates_and_all_do(void **state)
{
	char message[256];

	(void)state;
	all_join();
	assert_int_equal(mef_rotate(mef, member(2), "operator", message), OK);
	for (uint64_t n = 1; n <= MEMBERS; n++)
		assert_true(rotates_to(n, 2));
	assert_int_equal(mef_rotate(mef, member(2), "operator", message), ERR_STATE);
	assert_int_equal(member(1)->group->generation, 2);
}

/* Who is to switch, while another that is awake has not even heard of the key, waits for it; for a sleeper, nobody. */
static void switching_waits_for_those_that_are_awake(void **state)
{
	char message[256];

	(void)state;
	all_join();
	member(3)->capability = 0x80;
	assert_int_equal(mef_rotate(mef, member(1), "operator", message), OK);
	assert_true(mef_group_waits(member(1)));
	member(1)->rotation = member(2)->rotation = MEF_ROTATION_PAUSE;
	assert_false(mef_group_waits(member(1)));
	member(2)->rotation = MEF_ROTATION_TRANSPORT;
	assert_true(mef_group_waits(member(1)));
	member(2)->rotation_tries = 3; /* it does not answer */
	assert_false(mef_group_waits(member(1)));
}

static void who_was_away_for_too_long_joins_again(void **state)
{
	(void)state;
	all_join();
	remove_member(3);
	tell(1, "rotated");
	stop();
	rig_config.group_hours = 24;
	start();
	mef_group_tick(mef);
	assert_int_equal(member(2)->state, DEVICE_JOINED);
	member(2)->group->required_at -= 25 * 60 * 60;
	mef_group_tick(mef);
	assert_int_equal(member(2)->state, DEVICE_FAILED);
	assert_int_equal(member(1)->state, DEVICE_JOINED);
	assert_int_equal(member(1)->rotation, MEF_ROTATION_NONE); /* it took nothing along that is in use */
}

static void groups_are_registered_before_their_devices_and_have_one_owner(void **state)
{
	(void)state;
	(void)device(5, "pumps", "/id-c", ERR_NOT_PERMITTED);
	(void)device(6, "valves", "/id-c", OK);
	application("valves", "group", ERR_STATE);
	application("pumps", "group", ERR_EXISTS);
	application("fans", "mesh", ERR_BAD_VALUE);
	application("", "group", ERR_BAD_VALUE);
	application("fans", "device", OK);
	(void)device(7, "fans", "/id-c", OK);
	assert_null(member(7)->group);
}

/* ---- many ---- */

#define MANY 30

static size_t number_in(enum mef_rotation stage)
{
	size_t n = 0;

	for (uint64_t i = 1; i <= MANY; i++)
		n += member(i)->rotation == stage;
	return n;
}

/* Rounds of the loop, in which everybody else has a turn too, until all members are so far; each brings some of them there. */
static void in_turns(enum mef_rotation stage)
{
	unsigned rounds = 0;
	size_t before = number_in(stage);

	while (before < MANY) {
		size_t now;

		assert_true(rounds++ < 100);
		turn();
		now = number_in(stage);
		assert_true(now - before <= 2 * MEF_AT_ONCE); /* those whose time has come, and those that follow */
		before = now;
	}
	assert_true(rounds >= (MANY - MEF_AT_ONCE) / (2 * MEF_AT_ONCE));
}

static void a_large_group_does_not_keep_the_loop(void **state)
{
	(void)state;
	node_b();
	for (uint64_t n = MEMBERS + 1; n <= MANY; n++)
		(void)device(n, "pumps", "/id-b", OK);
	for (uint64_t n = 1; n <= MANY; n++) {
		offer(n);
		tell(n, "joined");
		mef_device_wait(mef, member(n), CLOCK_NEVER);
		member(n)->state = DEVICE_VERIFIED;
		assert_int_equal(mef_store_device_put(mef->store, member(n)), OK);
	}
	assert_int_equal(mef_group_renew(mef, mef_application_find(mef, "pumps"), "test"), OK);
	assert_int_equal(number_in(MEF_ROTATION_KEY), MEF_AT_ONCE);
	in_turns(MEF_ROTATION_KEY);
	assert_int_equal(mef_application_find(mef, "pumps")->generation, 2);
	stop();
	start();
	assert_int_equal(number_in(MEF_ROTATION_PROOF), MANY);
	in_turns(MEF_ROTATION_KEY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(members_share_a_key_and_nothing_else, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(without_a_member_that_was_removed_the_others_get_another_key, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(who_joins_again_brings_another_key_to_all, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(who_was_offered_a_key_in_vain_rotates_with_the_others, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(no_key_is_offered_twice_to_who_associates, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_key_that_node_b_refuses_is_not_offered_again, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(one_rotates_and_all_do, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(switching_waits_for_those_that_are_awake, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(who_was_away_for_too_long_joins_again, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_large_group_does_not_keep_the_loop, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(groups_are_registered_before_their_devices_and_have_one_owner, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
