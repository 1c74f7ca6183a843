/* Where instances lie: stretches of ids, beyond which a parent gets another; slots, which run out; what is undone is not remembered. */
#include "stores.h"

#include <stdio.h>

#include "store/sqlite/private.h"

#define BORDER (1LL << STRETCH_BITS)

/* A parent with five instances, the border between the third and the fourth. */
struct across {
	struct store *s;
	int64_t parent, ids[5];
};

static struct across across_the_border(void)
{
	const char *path = file_in("border.db");
	struct across a = {.s = opened(path)};

	put(a.s, 0, 5, "cse");
	a.parent = put(a.s, 1, 3, "c");
	commit(a.s);
	store_close(a.s);
	write_database(path, "UPDATE state SET next=4294967293");
	a.s = opened(path);
	for (size_t i = 0; i < 5; i++)
		a.ids[i] = i == 1 || i == 4 ? put_labelled(a.s, a.parent, 4, "x") : put_instance(a.s, a.parent, i == 3 ? "n" : NULL);
	commit(a.s);
	assert_int_equal(a.ids[2], BORDER - 1);
	assert_int_equal(a.ids[3], BORDER);
	return a;
}

static void assert_walk(const struct across *a, bool newest, int64_t after, size_t first, size_t count)
{
	struct seen seen = {0};

	assert_int_equal(store_instances(a->s, a->parent, newest, after, see, &seen), OK);
	assert_int_equal(seen.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(seen.ids[i], a->ids[newest ? first - i : first + i]);
}

static void walks_go_over_the_border(void **state)
{
	struct across a = across_the_border();
	struct seen named = {0}, labelled = {0}, later = {0};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(store_instance(a.s, a.parent, a.ids[i], see, &(struct seen){0}), OK);
		assert_walk(&a, false, a.ids[i], i + 1, 4 - i);
		assert_walk(&a, true, a.ids[i], i - 1, i);
	}
	assert_walk(&a, false, 0, 0, 5);
	assert_walk(&a, true, 0, 4, 5);
	assert_int_equal(store_instance(a.s, a.parent, a.ids[0] - BORDER + 1, see, &(struct seen){0}), ERR_NOT_FOUND);
	assert_int_equal(store_instance(a.s, a.parent, a.ids[4] + BORDER, see, &(struct seen){0}), ERR_NOT_FOUND);
	assert_int_equal(store_by_name(a.s, a.parent, "n", see, &named), OK);
	assert_ids(&named, 1, a.ids[3]);
	assert_int_equal(store_by_label(a.s, rd_str("x"), 0, see, &labelled), OK);
	assert_ids(&labelled, 2, a.ids[1], a.ids[4]);
	assert_int_equal(store_by_label(a.s, rd_str("x"), a.ids[1], see, &later), OK);
	assert_ids(&later, 1, a.ids[4]);
	assert_sound(a.s);
	store_close(a.s);
}

static void changes_find_both_sides(void **state)
{
	struct across a = across_the_border();

	(void)state;
	for (size_t i = 0; i < 5; i += 2) {
		struct store_row row = {.id = a.ids[i], .parent = a.parent, .type = 4, .instance = true, .expires = 50 + i, .body = rd_str("{}")};
		struct store_row none = row;

		none.id ^= BORDER; /* the same place in the other stretch */
		assert_int_equal(store_update(a.s, &row, NULL, 0), OK);
		assert_int_equal(store_update(a.s, &none, NULL, 0), ERR_NOT_FOUND);
		assert_int_equal(store_delete(a.s, &none), ERR_NOT_FOUND);
	}
	assert_int_equal(store_next_expiry(a.s), 50);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(store_delete(a.s, &(struct store_row){.id = a.ids[i], .parent = a.parent, .instance = true}), OK);
	assert_walk(&a, false, 0, 0, 0);
	commit(a.s);
	assert_sound(a.s);
	store_close(a.s);
}

/* The oldest n go, and as many of the others' stretches as can be empty. */
static void the_oldest_go_over_the_border(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 5; n++) {
		struct across a = across_the_border();
		int64_t left = 0;
		uint64_t deleted;

		assert_int_equal(store_delete_instances(a.s, a.parent, n ? a.ids[n - 1] : a.ids[0] - 1, &deleted), OK);
		assert_int_equal(deleted, n);
		assert_walk(&a, false, 0, n, 5 - n);
		assert_walk(&a, true, 0, 4, 5 - n);
		put_instance(a.s, a.parent, NULL);
		commit(a.s);
		assert_int_equal(query_number(a.s, "SELECT count(*) FROM stretch", &left), OK);
		assert_int_equal(left, n > 3 ? 1 : 2);
		assert_sound(a.s);
		store_close(a.s);
		remove(file_in("border.db"));
	}
}

static void a_deleted_parent_leaves_no_stretch(void **state)
{
	struct across a = across_the_border();
	int64_t left = 1;

	(void)state;
	assert_int_equal(store_delete(a.s, &(struct store_row){.id = a.parent, .parent = 1}), OK);
	commit(a.s);
	assert_int_equal(query_number(a.s, "SELECT count(*) FROM stretch", &left), OK);
	assert_int_equal(left, 0);
	assert_int_equal(store_count(a.s), 1);
	assert_sound(a.s);
	store_close(a.s);
}

/* Two parents that share a place among those that are remembered keep to their own instances. */
static void parents_are_not_mixed_up(void **state)
{
	struct store *s = opened(":memory:");
	int64_t a = put(s, 0, 3, "a"), b = 0, of_a[3], of_b[3];
	struct seen in_a = {0}, in_b = {0};

	(void)state;
	while (b != a + STRETCHES)
		b = store_new_id(s);
	assert_int_equal(store_insert(s, &(struct store_row){.id = b, .type = 3, .body = rd_str("{}")}, NULL, 0), OK);
	for (size_t i = 0; i < 3; i++) {
		of_a[i] = put_instance(s, a, NULL);
		of_b[i] = put_instance(s, b, NULL);
	}
	assert_int_equal(store_instances(s, a, false, 0, see, &in_a), OK);
	assert_ids(&in_a, 3, of_a[0], of_a[1], of_a[2]);
	assert_int_equal(store_instances(s, b, false, 0, see, &in_b), OK);
	assert_ids(&in_b, 3, of_b[0], of_b[1], of_b[2]);
	commit(s);
	assert_sound(s);
	store_close(s);
}

/* The stretch that an undone operation made is not there: the next one makes it, or gets the slot for another. */
static void what_is_undone_is_not_remembered(void **state)
{
	struct store *s = opened(":memory:");
	int64_t a = put(s, 0, 3, "a"), b = put(s, 0, 3, "b"), kept;
	struct seen seen = {0};

	(void)state;
	commit(s);
	assert_int_equal(store_savepoint(s), OK);
	put_instance(s, a, "n");
	store_undo(s);
	put_instance(s, b, NULL);
	put_instance(s, a, NULL);
	commit(s);
	assert_sound(s);
	assert_int_equal(store_delete_instances(s, a, INT64_MAX, &(uint64_t){0}), OK);
	assert_int_equal(store_delete_instances(s, b, INT64_MAX, &(uint64_t){0}), OK);
	commit(s);
	put_instance(s, a, "n");
	store_rollback(s);
	put_instance(s, b, NULL);
	kept = put_instance(s, a, NULL);
	commit(s);
	assert_int_equal(store_instances(s, a, false, 0, see, &seen), OK);
	assert_ids(&seen, 1, kept);
	assert_sound(s);
	store_close(s);
}

/* After the last slot the gaps are used. */
static void slots_are_used_again(void **state)
{
	const char *path = file_in("slots.db");
	struct store *s = opened(path);
	int64_t parents[4], slot = 0, first;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		parents[i] = put(s, 0, 3, (char[]){(char)('a' + i), 0});
		if (i < 3)
			put_instance(s, parents[i], NULL);
	}
	commit(s);
	assert_int_equal(store_delete(s, &(struct store_row){.id = parents[1]}), OK);
	commit(s);
	store_close(s);
	write_database(path, "UPDATE stretch SET slot=2147483647 WHERE slot=3; UPDATE instance SET key=(2147483647<<32)|(key&4294967295) WHERE key>>32=3");
	s = opened(path);
	assert_sound(s);
	first = put_instance(s, parents[3], NULL);
	commit(s);
	assert_int_equal(query_number(s, "SELECT slot FROM stretch ORDER BY parent DESC LIMIT 1", &slot), OK);
	assert_int_equal(slot, 2);
	assert_int_equal(store_instance(s, parents[3], first, see, &(struct seen){0}), OK);
	assert_int_equal(store_instances(s, parents[2], true, 0, see, &(struct seen){0}), OK);
	assert_sound(s);
	store_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(walks_go_over_the_border),
		TEST(changes_find_both_sides),
		TEST(the_oldest_go_over_the_border),
		TEST(a_deleted_parent_leaves_no_stretch),
		cmocka_unit_test(parents_are_not_mixed_up),
		cmocka_unit_test(what_is_undone_is_not_remembered),
		TEST(slots_are_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
