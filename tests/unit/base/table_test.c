/* The hash table: what is added is found, once each, whatever its size; what is removed is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/table.h"

#define THINGS 5000

struct thing {
	uint64_t id;
	unsigned visits;
	struct table_node node;
};

static struct thing things[THINGS];

static struct thing *find(const struct table *t, uint64_t hash, uint64_t id)
{
	for (struct table_node *n = table_find(t, hash); n; n = table_find_next(n))
		if (table_owner(n, struct thing, node)->id == id)
			return table_owner(n, struct thing, node);
	return NULL;
}

static void visit_all(const struct table *t)
{
	for (struct table_node *n = table_each(t, NULL); n; n = table_each(t, n))
		table_owner(n, struct thing, node)->visits++;
}

static void finds_what_is_there_and_nothing_else(void **state)
{
	struct table t = {0};

	(void)state;
	assert_null(table_find(&t, table_hash(1)));
	assert_null(table_each(&t, NULL));
	for (uint64_t i = 0; i < THINGS; i++) {
		things[i] = (struct thing){.id = i << 24};
		table_add(&t, &things[i].node, table_hash(things[i].id));
		assert_ptr_equal(find(&t, table_hash(i << 24), i << 24), &things[i]);
	}
	assert_int_equal(t.count, THINGS);
	assert_true(t.room >= THINGS);
	for (uint64_t i = 0; i < THINGS; i += 2)
		table_remove(&t, &things[i].node);
	visit_all(&t);
	for (uint64_t i = 0; i < THINGS; i++) {
		assert_int_equal(things[i].visits, i % 2);
		assert_int_equal(find(&t, table_hash(i << 24), i << 24) != NULL, i % 2);
	}
	table_clear(&t);
	assert_null(table_each(&t, NULL));
}

static void tells_things_of_one_hash_apart(void **state)
{
	struct table t = {0};

	(void)state;
	for (uint64_t i = 0; i < 200; i++) {
		things[i] = (struct thing){.id = i};
		table_add(&t, &things[i].node, 7);
	}
	table_remove(&t, &things[100].node);
	visit_all(&t);
	for (uint64_t i = 0; i < 200; i++) {
		assert_int_equal(things[i].visits, i != 100);
		assert_int_equal(find(&t, 7, i) != NULL, i != 100);
	}
	table_clear(&t);
}

/* 100 000 devices of one maker, counted up: no bucket gets more than a few. */
static void numbers_in_a_row_are_spread(void **state)
{
	static unsigned used[65536];
	unsigned most = 0;

	(void)state;
	for (uint64_t i = 0; i < 65536; i++) {
		unsigned n = ++used[table_hash(0x00124b0000000000ULL + i) & 65535];

		most = n > most ? n : most;
	}
	assert_in_range(most, 1, 12);
	assert_true(table_hash_octets("gw1", 3) != table_hash_octets("gw2", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_is_there_and_nothing_else),
		cmocka_unit_test(tells_things_of_one_hash_apart),
		cmocka_unit_test(numbers_in_a_row_are_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
