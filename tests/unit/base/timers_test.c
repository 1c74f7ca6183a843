/* The heap of timers: whatever is set, moved and unset, what comes first is what a list in order says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/timers.h"

#define NODES 300
#define STEPS 20000

static uint32_t seed = 7;

static uint32_t chance(uint32_t below)
{
	seed = seed * 1664525U + 1013904223U;
	return (seed >> 8) % below;
}

/* By looking at all of them. */
static const struct timer_node *least(const struct timer_node *nodes)
{
	const struct timer_node *first = NULL;

	for (size_t i = 0; i < NODES; i++) {
		const struct timer_node *n = &nodes[i];

		if (n->place && (!first || n->at < first->at || (n->at == first->at && n->order < first->order)))
			first = n;
	}
	return first;
}

static void test_order(void **state)
{
	static struct timer_node nodes[NODES];
	struct timers t = {0};
	size_t set = 0;

	(void)state;
	for (unsigned i = 0; i < STEPS; i++) {
		struct timer_node *n = &nodes[chance(NODES)];
		bool was = n->place != 0;

		if (chance(3) > 0) {
			timers_set(&t, n, chance(50));
			set += was ? 0 : 1;
		} else {
			timers_unset(&t, n);
			set -= was ? 1 : 0;
		}
		assert_int_equal(t.count, set);
		assert_ptr_equal(timers_first(&t), least(nodes));
	}
	while (timers_first(&t)) {
		assert_ptr_equal(timers_first(&t), least(nodes));
		timers_unset(&t, timers_first(&t));
	}
	timers_free(&t);
}

static void test_same_moment(void **state)
{
	struct timer_node nodes[5] = {0};
	struct timers t = {0};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		timers_set(&t, &nodes[i], 10);
	timers_set(&t, &nodes[0], 10); /* set anew: the last now */
	for (size_t i = 1; i <= 5; i++) {
		assert_ptr_equal(timers_first(&t), &nodes[i % 5]);
		timers_unset(&t, &nodes[i % 5]);
	}
	assert_null(timers_first(&t));
	timers_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_same_moment)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
