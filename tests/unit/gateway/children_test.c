/* The gateway's children are stored once for what changes in a round of the loop, and before what depends on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/children_file.h"
#include "gateway/children_keeper.h"

#define FIRST 0x00124b0000000001ULL
#define EPOCH 7

struct rig {
	char dir[64], path[80];
	struct rng rng;
	struct loop *loop;
	struct coordinator *coordinator;
	struct children_keeper *keeper;
	unsigned gathered;
};

static const struct coordinator_config config = {.eui64 = 0x0200000000000001ULL, .pan_id = 0x1a62, .channel = 15};

static void gather(void *ctx)
{
	struct rig *r = ctx;

	r->gathered++;
	snprintf(coordinator_child_at(r->coordinator, 0)->down, CHILD_DOWN, "cin-%u", r->gathered);
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	if (!r)
		return -1;
	strcpy(r->dir, "/tmp/keyway-children-XXXXXX");
	if (!mkdtemp(r->dir))
		return -1;
	snprintf(r->path, sizeof r->path, "%s/children", r->dir);
	r->rng = rng_seeded(1);
	r->loop = loop_new();
	r->coordinator = coordinator_new(&config, &r->rng);
	r->keeper = children_keeper_new(r->loop, r->path, r->coordinator, EPOCH, gather, r);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	char other[96];

	children_keeper_free(r->keeper);
	coordinator_free(r->coordinator);
	loop_free(r->loop);
	snprintf(other, sizeof other, "%s.new", r->path);
	unlink(other);
	unlink(r->path);
	rmdir(r->dir);
	free(r);
	return 0;
}

static void add(struct rig *r, unsigned n)
{
	const struct child child = {.eui64 = FIRST + n, .short_address = (uint16_t)(100 + n), .owner = "/id-b"};

	assert_true(coordinator_restore(r->coordinator, &child));
	children_changed(r->keeper);
}

/* How many children a gateway that starts now has; -1: no file. */
static int on_disk(const struct rig *r, char down[static CHILD_DOWN])
{
	struct rng rng = rng_seeded(2);
	struct coordinator *c = coordinator_new(&config, &rng);
	uint32_t epoch = 0;
	int n = 0;

	assert_int_equal(children_load(r->path, c, &epoch), OK);
	for (; coordinator_child_at(c, (size_t)n); n++)
		if (coordinator_child_at(c, (size_t)n)->eui64 == FIRST)
			memcpy(down, coordinator_child_at(c, (size_t)n)->down, CHILD_DOWN);
	coordinator_free(c);
	return epoch == EPOCH ? n : -1;
}

static void what_changes_in_one_round_is_stored_once(void **state)
{
	struct rig *r = *state;
	char down[CHILD_DOWN];

	for (unsigned n = 0; n < 40; n++)
		add(r, n);
	assert_int_equal(on_disk(r, down), -1);
	loop_once(r->loop, 0);
	assert_int_equal(on_disk(r, down), 40);
	assert_string_equal(down, "cin-1");
	assert_int_equal(children_saves(r->keeper), 1);
	loop_once(r->loop, 0);
	assert_int_equal(children_saves(r->keeper), 1);
}

static void what_depends_on_it_finds_it_stored(void **state)
{
	struct rig *r = *state;
	char down[CHILD_DOWN];

	add(r, 0);
	children_flush(r->keeper);
	assert_int_equal(on_disk(r, down), 1);
	children_flush(r->keeper);
	loop_once(r->loop, 0);
	assert_int_equal(children_saves(r->keeper), 1);
	add(r, 1);
	children_flush(r->keeper);
	add(r, 2);
	loop_once(r->loop, 0);
	assert_int_equal(on_disk(r, down), 3);
	assert_string_equal(down, "cin-3");
	assert_int_equal(children_saves(r->keeper), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_changes_in_one_round_is_stored_once, setup, teardown),
		cmocka_unit_test_setup_teardown(what_depends_on_it_finds_it_stored, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
