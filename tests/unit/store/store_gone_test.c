/* A parent of very many instances: its deletion is one short step, nobody sees them from then on, and they go portion by portion, also over undoing,
 * a rollback, a restart. */
#include "stores.h"

#include "store/sqlite/private.h"

#define MANY (2 * DELETE_AT_ONCE + 100)

struct family {
	struct store *s;
	int64_t parent, first, labelled, named, other, others_child;
};

/* MANY instances, one of them with a label, one with a name and an expiry; and another parent with one. */
static struct family populate(struct store *s)
{
	struct family f = {.s = s, .parent = put(s, 0, 3, "p"), .other = put(s, 0, 3, "q")};
	struct store_row row = {.parent = f.parent, .type = 4, .instance = true, .rn = "named", .root = "m2m:cin", .creator = "C", .expires = 5, .body = rd_str("{}")};
	struct rd label = rd_str("far");

	f.others_child = put_instance(s, f.other, NULL);
	f.first = put_instance(s, f.parent, NULL);
	for (int i = 3; i < MANY; i++)
		put_instance(s, f.parent, NULL);
	f.labelled = row.id = store_new_id(s);
	row.rn = NULL;
	row.expires = 0;
	assert_int_equal(store_insert(s, &row, &label, 1), OK);
	f.named = row.id = store_new_id(s);
	row.rn = "named";
	row.expires = 5;
	assert_int_equal(store_insert(s, &row, NULL, 0), OK);
	commit(s);
	return f;
}

static void assert_there(const struct family *f, bool there)
{
	struct seen oldest = {.most = 1}, newest = {.most = 1}, label = {0}, expired = {0}, other = {0};
	enum err e = there ? OK : ERR_NOT_FOUND;
	size_t n = there ? 1 : 0;

	assert_int_equal(store_by_id(f->s, f->parent, see, &(struct seen){0}), e);
	assert_int_equal(store_instance(f->s, f->parent, f->first, see, &(struct seen){0}), e);
	assert_int_equal(store_instance(f->s, f->parent, f->named, see, &(struct seen){0}), e);
	assert_int_equal(store_by_name(f->s, f->parent, "named", see, &(struct seen){0}), e);
	assert_int_equal(store_instances(f->s, f->parent, false, 0, see, &oldest), OK);
	assert_int_equal(store_instances(f->s, f->parent, true, 0, see, &newest), OK);
	assert_int_equal(store_by_label(f->s, rd_str("far"), 0, see, &label), OK);
	assert_int_equal(store_expired(f->s, 10, see, &expired), OK);
	assert_int_equal(oldest.count, n);
	assert_int_equal(newest.count, n);
	assert_int_equal(label.count, n);
	assert_int_equal(expired.count, n);
	assert_int_equal(store_instances(f->s, f->other, true, 0, see, &other), OK);
	assert_ids(&other, 1, f->others_child);
}

static void delete_parent(const struct family *f)
{
	assert_int_equal(store_delete(f->s, &(struct store_row){.id = f->parent}), OK);
	assert_true(store_has_gone(f->s));
	assert_there(f, false);
}

static void very_many_instances_go_in_portions(void **state)
{
	struct store *s = opened(":memory:");
	struct family f = populate(s);
	uint64_t all = store_count(s), before;

	(void)state;
	assert_there(&f, true);
	delete_parent(&f);
	assert_in_range(all - store_count(s), 1, DELETE_AT_ONCE + 1);
	commit(s);
	assert_there(&f, false);
	assert_sound(s); /* what is noted as gone is no fault */
	while (store_has_gone(s)) {
		before = store_count(s);
		assert_int_equal(store_sweep(s, 1000), OK);
		assert_in_range(before - store_count(s), 0, 1000);
		assert_there(&f, false);
		commit(s);
		assert_sound(s);
	}
	assert_int_equal(store_count(s), 2);
	assert_int_equal(store_sweep(s, 1000), OK); /* of nothing */
	commit(s);
	store_close(s);
}

/* It is the sum that takes long: once a transaction has deleted its portion, the next parents are only noted. */
static void many_parents_share_one_portion(void **state)
{
	struct store *s = opened(":memory:");
	int64_t parents[20];
	uint64_t all;

	(void)state;
	for (int i = 0; i < 20; i++) {
		parents[i] = put(s, 0, 3, NULL);
		for (int k = 0; k < DELETE_AT_ONCE / 10; k++)
			put_instance(s, parents[i], NULL);
	}
	commit(s);
	all = store_count(s);
	for (int i = 0; i < 20; i++)
		assert_int_equal(store_delete(s, &(struct store_row){.id = parents[i]}), OK);
	assert_int_equal(all - store_count(s), DELETE_AT_ONCE + 20);
	commit(s);
	for (int i = 0; i < 20; i++) {
		struct seen none = {0};

		assert_int_equal(store_instances(s, parents[i], true, 0, see, &none), OK);
		assert_int_equal(none.count, 0);
	}
	assert_int_equal(store_sweep(s, UINT64_MAX), OK);
	commit(s);
	assert_false(store_has_gone(s));
	assert_int_equal(store_count(s), 0);
	assert_sound(s);
	store_close(s);
}

static void what_is_undone_is_there_again(void **state)
{
	struct store *s = opened(":memory:");
	struct family f = populate(s);
	uint64_t all = store_count(s);

	(void)state;
	delete_parent(&f);
	store_rollback(s);
	assert_there(&f, true);
	assert_false(store_has_gone(s));
	/* in a savepoint, and in one that was released into another */
	for (int nested = 0; nested < 2; nested++) {
		assert_int_equal(store_savepoint(s), OK);
		if (nested)
			assert_int_equal(store_savepoint(s), OK);
		delete_parent(&f);
		assert_int_equal(store_sweep(s, 10), ERR_STATE);
		if (nested)
			assert_int_equal(store_release(s), OK);
		assert_there(&f, false);
		store_undo(s);
		assert_there(&f, true);
		assert_false(store_has_gone(s));
		assert_int_equal(store_count(s), all);
		commit(s);
	}
	assert_there(&f, true);
	/* a portion that does not become durable */
	delete_parent(&f);
	commit(s);
	all = store_count(s);
	assert_int_equal(store_sweep(s, UINT64_MAX), OK);
	store_rollback(s);
	assert_true(store_has_gone(s));
	assert_int_equal(store_count(s), all);
	assert_there(&f, false);
	assert_int_equal(store_sweep(s, UINT64_MAX), OK);
	commit(s);
	assert_false(store_has_gone(s));
	assert_int_equal(store_count(s), 2);
	assert_sound(s);
	store_close(s);
}

static void goes_on_after_a_restart(void **state)
{
	const char *path = file_in("gone.db");
	struct store *s = opened(path);
	struct family f = populate(s);

	(void)state;
	delete_parent(&f);
	commit(s);
	store_close(s);
	f.s = s = opened_to_read(path);
	assert_there(&f, false);
	assert_sound(s);
	store_close(s);
	f.s = s = opened(path);
	assert_true(store_has_gone(s));
	assert_there(&f, false);
	assert_int_equal(store_sweep(s, 1000), OK);
	commit(s);
	store_close(s);
	f.s = s = opened(path);
	assert_true(store_has_gone(s));
	assert_int_equal(store_sweep(s, UINT64_MAX), OK);
	commit(s);
	store_close(s);
	s = opened(path);
	assert_false(store_has_gone(s));
	assert_int_equal(store_count(s), 2);
	assert_sound(s);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(very_many_instances_go_in_portions),
		cmocka_unit_test(many_parents_share_one_portion),
		cmocka_unit_test(what_is_undone_is_there_again),
		cmocka_unit_test_setup_teardown(goes_on_after_a_restart, folder_make, folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
