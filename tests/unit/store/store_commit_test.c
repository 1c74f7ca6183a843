/* A commit in three parts: what its middle one writes on another thread, and what the caller does meanwhile. */
#include "stores.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "store/sqlite/private.h"

struct aside {
	struct store *s;
	pthread_t thread;
	bool runs;
	unsigned waits;
};

static void *run(void *store)
{
	store_commit_run(store);
	return NULL;
}

static void wait_for_it(void *ctx)
{
	struct aside *a = ctx;

	a->waits++;
	assert_int_equal(pthread_join(a->thread, NULL), 0);
	a->runs = false;
}

static struct aside begun(struct store *s)
{
	struct aside a = {.s = s};

	assert_int_equal(store_commit_begin(s), OK);
	return a;
}

static void go(struct aside *a)
{
	store_wait_by(a->s, wait_for_it, a);
	assert_int_equal(pthread_create(&a->thread, NULL, run, a->s), 0);
	a->runs = true;
}

static enum err ended(struct aside *a)
{
	if (a->runs)
		wait_for_it(a);
	return store_commit_end(a->s);
}

static size_t instances_of(struct store *s, int64_t parent)
{
	struct seen seen = {0};

	assert_int_equal(store_instances(s, parent, false, 0, see, &seen), OK);
	for (size_t i = 1; i < seen.count; i++)
		assert_true(seen.ids[i - 1] < seen.ids[i]);
	return seen.count;
}

/* As many as one statement takes, one more, one less, and an update between them. */
static void late_instances_are_written_in_any_number(void **state)
{
	struct store *s = opened(file_in("a.db"));
	int64_t parent = put(s, 0, 3, "a");
	size_t all = 0;

	(void)state;
	commit(s);
	for (unsigned n = 1; n <= 20; n++) {
		for (unsigned i = 0; i < n; i++) {
			put_instance(s, parent, NULL);
			if (i == n / 2)
				assert_int_equal(store_update_later(s, &(struct store_row){.id = parent, .body = rd_str("{}")}), OK);
		}
		all += n;
		commit(s);
		assert_int_equal(instances_of(s, parent), all);
	}
	store_close(s);
	s = opened(file_in("a.db"));
	assert_int_equal(instances_of(s, parent), all);
	assert_int_equal(store_count(s), all + 1);
	assert_sound(s);
	store_close(s);
}

static void late_writes_go_on_beside_a_commit(void **state)
{
	struct store *s = opened(file_in("a.db"));
	int64_t parent = put(s, 0, 3, "a");
	struct aside a;

	(void)state;
	commit(s);
	put_instance(s, parent, NULL);
	for (int round = 0; round < 50; round++) {
		a = begun(s);
		assert_false(store_dirty(s));
		go(&a);
		for (int i = 0; i < 30; i++)
			put_instance(s, parent, NULL);
		assert_true(store_dirty(s));
		assert_int_equal(a.waits, 0);
		assert_int_equal(ended(&a), OK);
		assert_true(store_dirty(s));
	}
	assert_int_equal(store_count(s), 50 * 30 + 2);
	commit(s);
	store_close(s);
	s = opened(file_in("a.db"));
	assert_int_equal(store_count(s), 50 * 30 + 2);
	assert_sound(s);
	store_close(s);
}

/* A reading, and a write that cannot be late, find the database with nobody else in it. */
static void everything_else_waits_for_it(void **state)
{
	struct store *s = opened(file_in("a.db"));
	int64_t parent = put(s, 0, 3, "a");
	struct aside a;

	(void)state;
	commit(s);
	put_instance(s, parent, NULL);
	a = begun(s);
	assert_int_equal(store_commit_begin(s), ERR_STATE); /* one at a time */
	go(&a);
	put_instance(s, parent, NULL);
	assert_int_equal(instances_of(s, parent), 2);
	assert_int_equal(a.waits, 1);
	assert_int_equal(ended(&a), OK);
	assert_int_equal(a.waits, 1);

	a = begun(s);
	go(&a);
	put(s, 0, 3, "b");
	assert_int_equal(a.waits, 1);
	assert_int_equal(ended(&a), OK);
	store_rollback(s); /* of what came after it began, alone */
	assert_int_equal(instances_of(s, parent), 2);
	assert_int_equal(store_count(s), 3);
	put_instance(s, parent, NULL);
	commit(s);
	assert_sound(s);
	store_close(s);
}

/* While one is under way that will fail, another is made at once, as for numbers: each has its own result. */
static void results_are_not_mixed_up(void **state)
{
	struct store *s = opened(file_in("a.db"));
	int64_t parent = put(s, 0, 3, "a"), pages;
	static char body[20001] = "{\"x\":\"";
	char sql[64];
	struct aside a;

	(void)state;
	memset(body + 6, 'x', sizeof body - 9);
	memcpy(body + sizeof body - 3, "\"}", 2);
	commit(s);
	assert_int_equal(query_number(s, "PRAGMA page_count", &pages), OK);
	snprintf(sql, sizeof sql, "PRAGMA max_page_count=%lld", (long long)pages);
	assert_int_equal(query_exec(s, sql), OK);
	assert_int_equal(store_insert(s, &(struct store_row){.id = store_new_id(s), .parent = parent, .type = 4, .instance = true, .root = "m2m:cin", .body = rd_str(body)}, NULL, 0), OK);
	a = begun(s);
	go(&a);
	assert_int_equal(store_value_set(s, "small", rd_str("1")), OK);
	assert_int_equal(store_commit(s), OK);
	assert_int_equal(store_commit_end(s), ERR_FULL);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(late_instances_are_written_in_any_number, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(late_writes_go_on_beside_a_commit, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(everything_else_waits_for_it, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(results_are_not_mixed_up, folder_make, folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
