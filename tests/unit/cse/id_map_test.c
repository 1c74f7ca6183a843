/* Maps of keys do what a plain list would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cse/id_map.h"

#define KEYS 300

static void agrees_with_a_list(void **state)
{
	static int values[KEYS + 1];
	int *list[KEYS + 1] = {NULL};
	struct id_map m = {NULL, 0, 0};
	uint32_t random = 1;
	size_t count = 0, at, seen;

	(void)state;
	assert_null(id_map_get(&m, 1));
	for (int i = 0; i < 20000; i++) {
		int64_t id;

		random = random * 1103515245 + 12345;
		id = 1 + (random >> 16) % KEYS;
		count -= list[id] != NULL;
		list[id] = (random >> 8) % 3 ? &values[id] : NULL;
		count += list[id] != NULL;
		id_map_set(&m, id, list[id]);
		assert_int_equal(m.count, count);
	}
	for (int64_t id = 1; id <= KEYS; id++)
		assert_ptr_equal(id_map_get(&m, id), list[id]);
	for (at = seen = 0; id_map_each(&m, &at);)
		seen++;
	assert_int_equal(seen, count);
	id_map_clear(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_a_list)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
