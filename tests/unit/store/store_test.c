/* The contract of store.h: what is written is read, in the order and by the indexes it promises; what an operation undoes is gone. */
#include "stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/private.h"

static int fresh(void **state)
{
	*state = opened(":memory:");
	return 0;
}

static int done(void **state)
{
	struct store *s = *state;

	store_rollback(s);
	assert_sound(s);
	store_close(s);
	return 0;
}

/* ---- rows ---- */

static char long_body[100001];

static const struct {
	const char *name;
	struct store_row row;
} rows[] = {
	{"all is given", {.type = 2, .ri = "Csensor", .rn = "sensor", .root = "m2m:ae", .creator = "/id-in/Csensor", .expires = 1700000000123, .body = {(const uint8_t *)"{\"api\":\"N1\"}", 12}}},
	{"ri and rn are derived", {.type = 3, .root = "m2m:cnt", .creator = "CAdmin", .body = {(const uint8_t *)"{}", 2}}},
	{"outside ASCII", {.type = 28, .rn = "K\xc3\xbchlraum", .root = "cod:binSh", .creator = "", .body = {(const uint8_t *)"{\"x\":\"\xe6\xb8\xa9\"}", 11}}},
	{"longer than a page", {.type = 3, .rn = "long", .root = "m2m:cnt", .creator = "C", .body = {(const uint8_t *)long_body, 100000}}},
	{"instance", {.type = 4, .instance = true, .root = "m2m:cin", .creator = "C", .body = {(const uint8_t *)"{\"con\":1}", 9}}},
	{"instance with all", {.type = 30, .instance = true, .rn = "reading", .root = "m2m:tsi", .creator = "C", .expires = 1, .body = {(const uint8_t *)"{}", 2}}},
	{"instance longer than a page", {.type = 4, .instance = true, .root = "m2m:cin", .creator = "C", .body = {(const uint8_t *)long_body, 100000}}},
};
#define ROWS (sizeof rows / sizeof rows[0])

static void assert_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a && b)
		assert_string_equal(a, b);
}

static bool is_this_row(void *ctx, const struct store_row *row)
{
	const struct store_row *want = ctx;

	assert_int_equal(row->id, want->id);
	assert_int_equal(row->parent, want->parent);
	assert_int_equal(row->type, want->type);
	assert_int_equal(row->instance, want->instance);
	assert_text(row->ri, want->ri);
	assert_text(row->rn, want->rn);
	assert_string_equal(row->root, want->root);
	assert_string_equal(row->creator, want->creator);
	assert_int_equal(row->expires, want->expires);
	assert_true(rd_equal(row->body, want->body));
	return true;
}

static void a_row_comes_back_as_it_was_written(void **state)
{
	struct store *s = opened(file_in("rows.db"));
	struct store_row written[ROWS];
	int64_t parent = put(s, 0, 5, "cse-in");

	(void)state;
	memset(long_body, 'x', sizeof long_body - 1);
	for (size_t i = 0; i < ROWS; i++) {
		written[i] = rows[i].row;
		written[i].id = store_new_id(s);
		written[i].parent = parent;
		assert_int_equal(store_insert(s, &written[i], NULL, 0), OK);
	}
	for (int reopened = 0; reopened < 2; reopened++) {
		for (size_t i = 0; i < ROWS; i++) {
			struct store_row *w = &written[i];

			if (w->instance)
				assert_int_equal(store_instance(s, parent, w->id, is_this_row, w), OK);
			else
				assert_int_equal(store_by_id(s, w->id, is_this_row, w), OK);
			assert_int_equal(w->instance ? store_by_id(s, w->id, is_this_row, w) : store_instance(s, parent, w->id, is_this_row, w), ERR_NOT_FOUND);
			if (w->ri)
				assert_int_equal(store_by_ri(s, w->ri, is_this_row, w), OK);
			if (w->rn)
				assert_int_equal(store_by_name(s, parent, w->rn, is_this_row, w), OK);
		}
		commit(s);
		assert_sound(s);
		store_close(s);
		s = opened(file_in("rows.db"));
	}
	store_close(s);
}

static void what_is_not_there_is_not_found(void **state)
{
	struct store *s = *state;
	struct seen seen = {0};
	int64_t a = put(s, 0, 3, "a");

	assert_int_equal(store_by_id(s, a + 1, see, &seen), ERR_NOT_FOUND);
	assert_int_equal(store_instance(s, a, 1, see, &seen), ERR_NOT_FOUND);
	assert_int_equal(store_by_ri(s, "Cnobody", see, &seen), ERR_NOT_FOUND);
	assert_int_equal(store_by_name(s, a, "a", see, &seen), ERR_NOT_FOUND);
	assert_int_equal(store_by_name(s, 0, "A", see, &seen), ERR_NOT_FOUND);
	assert_int_equal(store_children(s, a, 0, 0, see, &seen), OK);
	assert_int_equal(store_instances(s, a, true, 0, see, &seen), OK);
	assert_int_equal(store_update(s, &(struct store_row){.id = a + 1, .body = rd_str("{}")}, NULL, 0), ERR_NOT_FOUND);
	assert_int_equal(store_update(s, &(struct store_row){.id = a, .parent = 7, .body = rd_str("{}")}, NULL, 0), ERR_NOT_FOUND);
	assert_int_equal(store_delete(s, &(struct store_row){.id = a, .instance = true}), ERR_NOT_FOUND);
	assert_int_equal(seen.count, 0);
	assert_int_equal(store_count(s), 1);
	assert_int_equal(store_delete(s, &(struct store_row){.id = a}), OK);
	assert_int_equal(store_delete(s, &(struct store_row){.id = a}), ERR_NOT_FOUND);
	assert_int_equal(store_count(s), 0);
}

static void refuses_a_name_that_is_taken(void **state)
{
	/* what lies there, what is to come, and whether it may */
	static const struct {
		bool instance;
		int64_t parent_step; /* below the same parent or another */
		const char *ri, *rn;
		enum err e;
	} cases[] = {
		{false, 0, NULL, "r", ERR_EXISTS},
		{true, 0, NULL, "r", ERR_EXISTS},
		{false, 0, NULL, "i", ERR_EXISTS},
		{true, 0, NULL, "i", ERR_EXISTS},
		{false, 1, NULL, "r", OK},
		{true, 1, NULL, "i", OK},
		{false, 0, NULL, "R", OK},
		{false, 0, NULL, NULL, OK},
		{true, 0, NULL, NULL, OK},
		{false, 1, "C1", NULL, ERR_EXISTS},
		{false, 1, "C2", NULL, OK},
		{true, 0, "C3", NULL, ERR_STATE}, /* an instance has no resourceID of its own */
	};
	struct store *s = *state;
	int64_t a = put(s, 0, 3, "a"), b = put(s, 0, 3, "b");

	assert_int_equal(store_insert(s, &(struct store_row){.id = store_new_id(s), .parent = a, .type = 2, .ri = "C1", .rn = "r"}, NULL, 0), OK);
	put_instance(s, a, "i");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct store_row row = {.id = store_new_id(s), .parent = cases[i].parent_step ? b : a, .type = 3, .instance = cases[i].instance, .ri = cases[i].ri, .rn = cases[i].rn, .body = rd_str("{}")};
		uint64_t before = store_count(s);

		assert_int_equal(store_insert(s, &row, NULL, 0), cases[i].e);
		assert_int_equal(store_count(s), before + (cases[i].e == OK));
	}
	commit(s);
}

static void takes_only_its_own_numbers(void **state)
{
	struct store *s = *state;
	int64_t a = store_new_id(s), b = store_new_id(s);

	assert_true(a > 0 && b > a);
	assert_int_equal(store_insert(s, &(struct store_row){.id = 0, .type = 3}, NULL, 0), ERR_STATE);
	assert_int_equal(store_insert(s, &(struct store_row){.id = b + 1, .type = 3}, NULL, 0), ERR_STATE);
	assert_int_equal(store_insert(s, &(struct store_row){.id = b, .type = 3}, NULL, 0), OK);
	assert_int_equal(store_insert(s, &(struct store_row){.id = b, .type = 3}, NULL, 0), ERR_EXISTS);
}

/* ---- walks ---- */

static void children_come_in_the_order_of_creation(void **state)
{
	struct store *s = *state;
	int64_t root = put(s, 0, 5, "cse"), a = put(s, root, 3, "z"), b = put(s, root, 2, "y"), c = put(s, root, 3, NULL);
	struct seen all = {0}, typed = {0}, after = {0}, both = {0}, some = {.most = 2};

	put(s, a, 3, "not a child");
	put_instance(s, root, NULL);
	assert_int_equal(store_children(s, root, 0, 0, see, &all), OK);
	assert_ids(&all, 3, a, b, c);
	assert_int_equal(store_children(s, root, 3, 0, see, &typed), OK);
	assert_ids(&typed, 2, a, c);
	assert_int_equal(store_children(s, root, 0, a, see, &after), OK);
	assert_ids(&after, 2, b, c);
	assert_int_equal(store_children(s, root, 3, a, see, &both), OK);
	assert_ids(&both, 1, c);
	assert_int_equal(store_children(s, root, 0, 0, see, &some), OK);
	assert_ids(&some, 2, a, b);
}

static void instances_come_from_either_end(void **state)
{
	struct store *s = *state;
	int64_t p = put(s, 0, 3, "p"), q = put(s, 0, 3, "q"), i[4];
	struct seen up = {0}, down = {0}, newest = {.most = 1}, oldest = {.most = 1}, up_after = {0}, down_after = {0};

	for (int n = 0; n < 4; n++) {
		i[n] = put_instance(s, p, NULL);
		put_instance(s, q, NULL);
	}
	assert_int_equal(store_instances(s, p, false, 0, see, &up), OK);
	assert_ids(&up, 4, i[0], i[1], i[2], i[3]);
	assert_int_equal(store_instances(s, p, true, 0, see, &down), OK);
	assert_ids(&down, 4, i[3], i[2], i[1], i[0]);
	assert_int_equal(store_instances(s, p, true, 0, see, &newest), OK);
	assert_ids(&newest, 1, i[3]);
	assert_int_equal(store_instances(s, p, false, 0, see, &oldest), OK);
	assert_ids(&oldest, 1, i[0]);
	assert_int_equal(store_instances(s, p, false, i[1], see, &up_after), OK);
	assert_ids(&up_after, 2, i[2], i[3]);
	assert_int_equal(store_instances(s, p, true, i[1], see, &down_after), OK);
	assert_ids(&down_after, 1, i[0]);
}

struct tree {
	struct store *s;
	unsigned rows, deepest, depth;
};

static bool go_down(void *ctx, const struct store_row *row)
{
	struct tree *t = ctx;
	int64_t id = row->id;

	t->rows++;
	t->deepest = ++t->depth > t->deepest ? t->depth : t->deepest;
	assert_int_equal(store_children(t->s, id, 0, 0, go_down, t), OK);
	assert_int_equal(row->id, id); /* what is borrowed is still there */
	assert_string_equal(row->root, "m2m:any");
	t->depth--;
	return true;
}

static void walks_go_on_within_walks_of_the_same_kind(void **state)
{
	struct store *s = *state;
	struct tree t = {.s = s};
	int64_t level[8] = {put(s, 0, 5, "cse")};

	/* two children each, the first of them with two more: deeper than the statements that are kept */
	for (int n = 1; n < 8; n++) {
		level[n] = put(s, level[n - 1], 3, "first");
		put(s, level[n - 1], 3, "second");
	}
	for (int round = 0; round < 3; round++) {
		t = (struct tree){.s = s};
		assert_int_equal(store_children(s, 0, 0, 0, go_down, &t), OK);
		assert_int_equal(t.rows, 15);
		assert_int_equal(t.deepest, 8);
		commit(s);
	}
	assert_true(s->pools[QUERY_CHILDREN].count <= IDLE_MAX);
}

static bool write_within(void *ctx, const struct store_row *row)
{
	struct store *s = ctx;
	uint64_t deleted;

	assert_int_equal(store_insert(s, &(struct store_row){.id = store_new_id(s), .type = 3}, NULL, 0), ERR_STATE);
	assert_int_equal(store_update(s, row, NULL, 0), ERR_STATE);
	assert_int_equal(store_delete(s, row), ERR_STATE);
	assert_int_equal(store_delete_instances(s, row->id, 1, &deleted), ERR_STATE);
	assert_int_equal(store_value_set(s, "x", rd_str("y")), ERR_STATE);
	assert_int_equal(store_savepoint(s), ERR_STATE);
	return true;
}

static void refuses_to_write_during_a_reading(void **state)
{
	struct store *s = *state;

	put(s, 0, 3, "a");
	commit(s);
	assert_int_equal(store_children(s, 0, 0, 0, write_within, s), OK);
	assert_false(store_dirty(s));
	put(s, 0, 3, "b"); /* and afterwards it goes */
	commit(s);
	assert_int_equal(store_count(s), 2);
}

/* ---- indexes ---- */

static struct seen by_label(struct store *s, const char *label, int64_t after)
{
	struct seen seen = {0};

	assert_int_equal(store_by_label(s, rd_str(label), after, see, &seen), OK);
	return seen;
}

static void labels_follow_their_rows(void **state)
{
	struct store *s = *state;
	struct rd two[] = {rd_str("cold"), rd_str("cold"), rd_str("new")};
	int64_t root = put(s, 0, 5, "cse"), a = put_labelled(s, root, 3, "cold"), i = put_labelled(s, a, 4, "cold"), b = put_labelled(s, root, 3, "warm");
	struct store_row row = {.id = a, .parent = root, .type = 3, .body = rd_str("{\"x\":1}")};
	struct seen seen = by_label(s, "cold", 0);

	assert_ids(&seen, 2, a, i);
	seen = by_label(s, "cold", a);
	assert_ids(&seen, 1, i);
	seen = by_label(s, "warm", 0);
	assert_ids(&seen, 1, b);
	assert_int_equal(by_label(s, "col", 0).count, 0);
	assert_int_equal(store_label_count(s, rd_str("cold"), 100), 2);
	assert_int_equal(store_label_count(s, rd_str("cold"), 1), 1);
	/* unchanged, replaced (a label twice is one), none */
	assert_int_equal(store_update(s, &row, NULL, 0), OK);
	assert_int_equal(by_label(s, "cold", 0).count, 2);
	assert_int_equal(store_update(s, &row, two, 3), OK);
	assert_int_equal(by_label(s, "cold", 0).count, 2);
	seen = by_label(s, "new", 0);
	assert_ids(&seen, 1, a);
	assert_int_equal(store_update(s, &row, two, 0), OK);
	seen = by_label(s, "cold", 0);
	assert_ids(&seen, 1, i);
	assert_int_equal(by_label(s, "new", 0).count, 0);
	/* with the row, and with the parent of an instance */
	assert_int_equal(store_delete(s, &(struct store_row){.id = b, .parent = root}), OK);
	assert_int_equal(by_label(s, "warm", 0).count, 0);
	assert_int_equal(store_delete(s, &row), OK);
	assert_int_equal(by_label(s, "cold", 0).count, 0);
	assert_int_equal(store_count(s), 1);
	commit(s);
	assert_sound(s);
}

static bool is_labelled_row(void *ctx, const struct store_row *row)
{
	return is_this_row(*(struct store_row **)ctx, row) && ((*(struct store_row **)ctx)++, true);
}

static void a_row_found_by_label_is_whole(void **state)
{
	struct store *s = *state;
	struct rd label = rd_str("x");
	int64_t root = put(s, 0, 5, "cse");
	struct store_row both[] = {
		{.id = store_new_id(s), .parent = root, .type = 2, .ri = "C1", .rn = "r", .root = "m2m:ae", .creator = "C1", .expires = 7, .body = rd_str("{\"a\":1}")},
		{.id = store_new_id(s), .parent = root, .type = 4, .instance = true, .rn = "i", .root = "m2m:cin", .creator = "C2", .expires = 8, .body = rd_str("{\"b\":2}")},
	};
	struct store_row *next = both;

	assert_int_equal(store_insert(s, &both[0], &label, 1), OK);
	assert_int_equal(store_insert(s, &both[1], &label, 1), OK);
	assert_int_equal(store_by_label(s, label, 0, is_labelled_row, &next), OK);
	assert_ptr_equal(next, both + 2);
	commit(s);
}

static void types_are_found_and_counted(void **state)
{
	struct store *s = *state;
	int64_t a = put(s, 0, 5, "cse"), b = put(s, a, 3, "b"), c = put(s, b, 3, "c");
	struct seen all = {0}, after = {0};

	put_instance(s, c, NULL);
	assert_int_equal(store_by_type(s, 3, 0, see, &all), OK);
	assert_ids(&all, 2, b, c);
	assert_int_equal(store_by_type(s, 3, b, see, &after), OK);
	assert_ids(&after, 1, c);
	assert_int_equal(store_type_count(s, 3, 10), 2);
	assert_int_equal(store_type_count(s, 3, 1), 1);
	assert_int_equal(store_type_count(s, 4, UINT64_MAX), 0); /* instances are not in that index */
	commit(s);
}

static int64_t put_expiring(struct store *s, int64_t parent, bool instance, uint64_t expires)
{
	struct store_row row = {.id = store_new_id(s), .parent = parent, .type = instance ? 4 : 3, .instance = instance, .expires = expires, .body = rd_str("{}")};

	assert_int_equal(store_insert(s, &row, NULL, 0), OK);
	return row.id;
}

static struct seen expired(struct store *s, uint64_t now)
{
	struct seen seen = {0};

	assert_int_equal(store_expired(s, now, see, &seen), OK);
	return seen;
}

static void expiry_is_told_soonest_first(void **state)
{
	struct store *s = *state;
	int64_t root = put(s, 0, 5, "cse"), a, b, c, d;
	struct seen seen;

	assert_int_equal(store_next_expiry(s), UINT64_MAX);
	a = put_expiring(s, root, false, 400);
	b = put_expiring(s, root, true, 300);
	c = put_expiring(s, root, false, 200);
	d = put_expiring(s, root, true, 500);
	put_expiring(s, root, true, UINT64_MAX); /* later than any time: never */
	assert_int_equal(store_next_expiry(s), 200);
	assert_int_equal(expired(s, 199).count, 0);
	seen = expired(s, 400);
	assert_ids(&seen, 3, c, b, a);
	seen = expired(s, UINT64_MAX);
	assert_ids(&seen, 4, c, b, a, d);
	assert_int_equal(store_update(s, &(struct store_row){.id = c, .parent = root, .expires = 0, .body = rd_str("{}")}, NULL, 0), OK);
	assert_int_equal(store_update(s, &(struct store_row){.id = b, .parent = root, .instance = true, .expires = 600, .body = rd_str("{}")}, NULL, 0), OK);
	assert_int_equal(store_next_expiry(s), 400);
	seen = expired(s, UINT64_MAX);
	assert_ids(&seen, 3, a, d, b);
	commit(s);
}

static void the_oldest_instances_are_deleted(void **state)
{
	struct store *s = *state;
	int64_t p = put(s, 0, 3, "p"), q = put(s, 0, 3, "q"), i[3], other = put_instance(s, q, NULL);
	struct seen left = {0}, kept = {0};
	uint64_t deleted = 99;

	for (int n = 0; n < 3; n++)
		i[n] = put_labelled(s, p, 4, "x");
	assert_int_equal(store_delete_instances(s, p, i[0] - 1, &deleted), OK);
	assert_int_equal(deleted, 0);
	assert_int_equal(store_delete_instances(s, p, i[1], &deleted), OK);
	assert_int_equal(deleted, 2);
	assert_int_equal(store_instances(s, p, false, 0, see, &left), OK);
	assert_ids(&left, 1, i[2]);
	assert_int_equal(store_label_count(s, rd_str("x"), 10), 1);
	assert_int_equal(store_instances(s, q, false, 0, see, &kept), OK);
	assert_ids(&kept, 1, other);
	assert_int_equal(store_count(s), 4);
	commit(s);
}

/* SQLite counts what it steps over without an index, and what it sorts. */
static void no_reading_scans_or_sorts(void **state)
{
	struct store *s = *state;
	int64_t root = put(s, 0, 5, "cse"), c[20];
	struct seen seen = {.most = 3};
	uint64_t deleted;

	for (int n = 0; n < 20; n++) {
		c[n] = put_labelled(s, root, n % 2 ? 3 : 2, n % 4 ? "a" : "b");
		for (int i = 0; i < 20; i++)
			put_labelled(s, c[n], 4, "c");
	}
	put_expiring(s, root, true, 3);
	put_expiring(s, root, false, 4);
	assert_int_equal(store_children(s, root, 0, c[1], see, &seen), OK);
	seen.count = 0;
	assert_int_equal(store_children(s, root, 3, c[1], see, &seen), OK);
	seen.count = 0;
	assert_int_equal(store_instances(s, c[3], true, 0, see, &seen), OK);
	seen.count = 0;
	assert_int_equal(store_instances(s, c[3], false, 0, see, &seen), OK);
	seen.count = 0;
	assert_int_equal(store_by_label(s, rd_str("c"), 0, see, &seen), OK);
	seen.count = 0;
	assert_int_equal(store_by_type(s, 3, 0, see, &seen), OK);
	seen.count = 0;
	assert_int_equal(store_expired(s, 1000, see, &seen), OK);
	assert_int_equal(store_next_expiry(s), 3);
	assert_int_equal(store_by_name(s, root, "none", see, &seen), ERR_NOT_FOUND);
	assert_int_equal(store_by_ri(s, "none", see, &seen), ERR_NOT_FOUND);
	assert_int_equal(store_label_count(s, rd_str("c"), 1000), 400);
	put(s, root, 3, "named");
	put_instance(s, root, "reading");
	assert_int_equal(store_update(s, &(struct store_row){.id = c[0], .parent = root, .body = rd_str("{}")}, &(struct rd){0}, 0), OK);
	assert_int_equal(store_delete_instances(s, c[1], INT64_MAX, &deleted), OK);
	assert_int_equal(store_delete(s, &(struct store_row){.id = c[2], .parent = root}), OK);
	commit(s);
	for (unsigned q = 0; q < QUERIES; q++) {
		sqlite3_stmt *st = s->pools[q].idle[0];

		/* those that walk a label's or a type's stretch to count it, and the row of the state, are meant to */
		if (q == QUERY_LABEL_COUNT || q == QUERY_TYPE_COUNT || q == QUERY_STATE_PUT || q == QUERY_STATE_CLEAN)
			continue;
		if (sqlite3_stmt_status(st, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0) > 0 || sqlite3_stmt_status(st, SQLITE_STMTSTATUS_SORT, 0) > 0)
			fail_msg("scans or sorts: %s", sqlite3_sql(st));
	}
}

/* ---- transactions ---- */

static void what_is_undone_is_gone_and_the_rest_stays(void **state)
{
	struct store *s = *state;
	int64_t a, b, c;
	struct seen seen = {0};

	assert_int_equal(store_savepoint(s), OK);
	assert_true(store_dirty(s));
	a = put_labelled(s, 0, 3, "x");
	assert_int_equal(store_release(s), OK);
	assert_int_equal(store_savepoint(s), OK);
	b = put_labelled(s, 0, 3, "x");
	assert_int_equal(store_value_set(s, "v", rd_str("1")), OK);
	store_undo(s);
	c = put(s, 0, 3, "c");
	assert_true(c > b && b > a); /* a number is not used twice */
	commit(s);
	assert_int_equal(store_children(s, 0, 0, 0, see, &seen), OK);
	assert_ids(&seen, 2, a, c);
	assert_int_equal(store_label_count(s, rd_str("x"), 10), 1);
	assert_int_equal(store_value_get(s, "v", see, &seen), ERR_NOT_FOUND);
	assert_int_equal(store_count(s), 2);
}

static void savepoints_nest(void **state)
{
	struct store *s = *state;
	struct seen seen = {0};
	int64_t a;

	assert_int_equal(store_savepoint(s), OK);
	a = put(s, 0, 3, "a");
	assert_int_equal(store_savepoint(s), OK);
	put(s, 0, 3, "b");
	store_undo(s);
	assert_int_equal(store_release(s), OK);
	assert_int_equal(store_savepoint(s), OK);
	assert_int_equal(store_savepoint(s), OK);
	put(s, 0, 3, "c");
	assert_int_equal(store_release(s), OK);
	store_undo(s);
	assert_int_equal(store_release(s), ERR_STATE);
	store_undo(s); /* without one: nothing */
	commit(s);
	assert_int_equal(store_children(s, 0, 0, 0, see, &seen), OK);
	assert_ids(&seen, 1, a);
	for (int n = 0; n < SAVEPOINTS_MAX; n++)
		assert_int_equal(store_savepoint(s), OK);
	assert_int_equal(store_savepoint(s), ERR_STATE);
	commit(s); /* ends them all */
	assert_int_equal(store_release(s), ERR_STATE);
	assert_int_equal(store_count(s), 1);
}

static void rollback_undoes_all_since_the_commit(void **state)
{
	struct store *s = *state;
	struct seen seen = {0};
	int64_t a = put(s, 0, 3, "a");

	assert_true(store_dirty(s));
	commit(s);
	assert_int_equal(store_savepoint(s), OK);
	put(s, 0, 3, "b");
	assert_int_equal(store_release(s), OK);
	assert_int_equal(store_delete(s, &(struct store_row){.id = a}), OK);
	store_rollback(s);
	assert_false(store_dirty(s));
	assert_int_equal(store_children(s, 0, 0, 0, see, &seen), OK);
	assert_ids(&seen, 1, a);
	assert_int_equal(store_count(s), 1);
	assert_int_equal(store_commit(s), OK); /* of nothing */
}

/* A view that readings share ends with each write. */
static void a_reading_sees_every_write_before_it(void **state)
{
	struct store *s = *state;

	for (int n = 0; n < 20; n++) {
		struct seen before = {0}, within = {0}, after = {0};

		assert_int_equal(store_children(s, 0, 0, 0, see, &before), OK);
		assert_int_equal(before.count, n);
		put(s, 0, 3, NULL);
		assert_int_equal(store_children(s, 0, 0, 0, see, &within), OK);
		assert_int_equal(within.count, n + 1);
		commit(s);
		assert_int_equal(store_children(s, 0, 0, 0, see, &after), OK);
		assert_int_equal(after.count, n + 1);
	}
}

/* ---- values ---- */

struct names {
	char text[256];
};

static bool add_name(void *ctx, const struct store_row *row)
{
	struct names *n = ctx;

	snprintf(n->text + strlen(n->text), sizeof n->text - strlen(n->text), "%s=%.*s ", row->rn, (int)row->body.left, (const char *)row->body.at);
	return true;
}

static bool is_octets(void *ctx, const struct store_row *row)
{
	assert_true(rd_equal(row->body, *(const struct rd *)ctx));
	return true;
}

static void values_are_kept_by_name(void **state)
{
	struct store *s = *state;
	struct rd octets = rd_of("a\0b\xff", 4);
	struct names n = {""}, all = {""};
	struct seen seen = {0};

	assert_int_equal(store_value_set(s, "batch/2", rd_str("two")), OK);
	assert_int_equal(store_value_set(s, "batch/1", rd_str("one")), OK);
	assert_int_equal(store_value_set(s, "batch", rd_str("none")), OK);
	assert_int_equal(store_value_set(s, "batch0", rd_str("after")), OK); /* '0' follows '/' */
	assert_int_equal(store_value_set(s, "batch/1", rd_str("uno")), OK);
	assert_int_equal(store_values(s, "batch/", add_name, &n), OK);
	assert_string_equal(n.text, "batch/1=uno batch/2=two ");
	assert_int_equal(store_values(s, "", add_name, &all), OK);
	assert_string_equal(all.text, "batch=none batch/1=uno batch/2=two batch0=after ");
	assert_int_equal(store_value_set(s, "batch/1", rd_of(NULL, 0)), OK);
	assert_int_equal(store_value_get(s, "batch/1", see, &seen), ERR_NOT_FOUND);
	assert_int_equal(store_value_set(s, "batch/1", rd_of(NULL, 0)), OK); /* removing what is not there */
	assert_int_equal(store_value_set(s, "octets", octets), OK);
	assert_int_equal(store_value_get(s, "octets", is_octets, &octets), OK);
	assert_int_equal(store_count(s), 0); /* no rows */
	commit(s);
	assert_int_equal(store_value_set(s, "octets", rd_str("new")), OK);
	store_rollback(s);
	assert_int_equal(store_value_get(s, "octets", is_octets, &octets), OK);
}

#define MEMORY(test) cmocka_unit_test_setup_teardown(test, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_row_comes_back_as_it_was_written, folder_make, folder_remove),
		MEMORY(what_is_not_there_is_not_found),
		MEMORY(refuses_a_name_that_is_taken),
		MEMORY(takes_only_its_own_numbers),
		MEMORY(children_come_in_the_order_of_creation),
		MEMORY(instances_come_from_either_end),
		MEMORY(walks_go_on_within_walks_of_the_same_kind),
		MEMORY(refuses_to_write_during_a_reading),
		MEMORY(labels_follow_their_rows),
		MEMORY(a_row_found_by_label_is_whole),
		MEMORY(types_are_found_and_counted),
		MEMORY(expiry_is_told_soonest_first),
		MEMORY(the_oldest_instances_are_deleted),
		MEMORY(no_reading_scans_or_sorts),
		MEMORY(what_is_undone_is_gone_and_the_rest_stays),
		MEMORY(savepoints_nest),
		MEMORY(rollback_undoes_all_since_the_commit),
		MEMORY(a_reading_sees_every_write_before_it),
		MEMORY(values_are_kept_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
