/* An old store becomes one of the present schema, whole or not at all. */
#include "stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As version 0 wrote them. */
static const char version_0[] =
    "PRAGMA journal_mode=WAL;"
    "CREATE TABLE resource(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, type INTEGER NOT NULL, ri TEXT NOT NULL,"
    " rn TEXT NOT NULL, root TEXT NOT NULL, creator TEXT NOT NULL, body BLOB NOT NULL);"
    "CREATE UNIQUE INDEX resource_ri ON resource(ri);"
    "CREATE UNIQUE INDEX resource_name ON resource(parent, rn);"
    "CREATE INDEX resource_child ON resource(parent, type, id);"
    "CREATE TABLE number(next INTEGER NOT NULL);"
    "INSERT INTO number VALUES(1001);"
    "INSERT INTO resource VALUES(1, 0, 5, 'id-in', 'cse-in', 'm2m:cb', '', CAST('{\"rn\":\"cse-in\",\"csi\":\"/id-in\",\"ty\":5,\"srt\":[1,2],\"ri\":\"id-in\"}' AS BLOB));"
    "INSERT INTO resource VALUES(2, 1, 2, 'Csensor', 'sensor', 'm2m:ae', '/id-in/Csensor',"
    " CAST('{\"rn\":\"sensor\",\"ty\":2,\"ri\":\"Csensor\",\"et\":\"20300101T000000\",\"lbl\":[\"cold\",\"cold\",\"room\"]}' AS BLOB));"
    "INSERT INTO resource VALUES(3, 2, 3, 'cnt2f', 'cnt2f', 'm2m:cnt', 'Csensor', CAST('{\"rn\":\"cnt2f\",\"ty\":3,\"ri\":\"cnt2f\"}' AS BLOB));"
    "INSERT INTO resource VALUES(4, 3, 4, 'cin30', 'cin30', 'm2m:cin', 'Csensor',"
    " CAST('{\"rn\":\"cin30\",\"ty\":4,\"ri\":\"cin30\",\"et\":\"20300101T000000,123456\",\"con\":\"1.50\",\"n\":1.50,\"lbl\":[\"cold\"]}' AS BLOB));"
    "INSERT INTO resource VALUES(5, 3, 4, 'cin31', 'named', 'm2m:cin', 'Csensor', CAST('{\"rn\":\"named\",\"ty\":4,\"ri\":\"cin31\",\"con\":2}' AS BLOB));"
    "INSERT INTO resource VALUES(6, 2, 3, 'cnt32', 'bad', 'm2m:cnt', 'Csensor', CAST('no json' AS BLOB));";

static bool is_row(void *ctx, const struct store_row *row)
{
	const struct store_row *want = ctx;
	char text[200];

	assert_int_equal(row->id, want->id);
	assert_int_equal(row->parent, want->parent);
	assert_int_equal(row->type, want->type);
	if (want->ri)
		assert_string_equal(row->ri, want->ri);
	else
		assert_null(row->ri);
	if (want->rn)
		assert_string_equal(row->rn, want->rn);
	else
		assert_null(row->rn);
	assert_string_equal(row->root, want->root);
	assert_string_equal(row->creator, want->creator);
	assert_int_equal(row->expires, want->expires);
	assert_true(rd_text(row->body, text, sizeof text));
	assert_string_equal(text, (const char *)want->body.at);
	return true;
}

#define BODY(text) {(const uint8_t *)(text), sizeof(text) - 1}

static void an_old_store_becomes_a_new_one(void **state)
{
	struct store_row base = {.id = 1, .type = 5, .ri = "id-in", .rn = "cse-in", .root = "m2m:cb", .creator = "", .body = BODY("{\"rn\":\"cse-in\",\"ty\":5,\"ri\":\"id-in\"}")};
	struct store_row container = {.id = 3, .parent = 2, .type = 3, .ri = "cnt2f", .rn = "cnt2f", .root = "m2m:cnt", .creator = "Csensor", .body = BODY("{\"rn\":\"cnt2f\",\"ty\":3,\"ri\":\"cnt2f\"}")};
	struct store_row without = {.id = 4, .parent = 3, .type = 4, .root = "m2m:cin", .creator = "Csensor", .expires = 1893456000000,
	    .body = BODY("{\"ty\":4,\"et\":\"20300101T000000,123456\",\"con\":\"1.50\",\"n\":1.50,\"lbl\":[\"cold\"]}")};
	struct store_row named = {.id = 5, .parent = 3, .type = 4, .rn = "named", .root = "m2m:cin", .creator = "Csensor", .body = BODY("{\"rn\":\"named\",\"ty\":4,\"con\":2}")};
	struct store_row bad = {.id = 6, .parent = 2, .type = 3, .ri = "cnt32", .rn = "bad", .root = "m2m:cnt", .creator = "Csensor", .body = BODY("{}")};
	const char *path = file_in("old.db");
	struct seen seen = {0};
	struct store *s = NULL;
	const char *detail;

	(void)state;
	write_database(path, version_0);
	assert_int_equal(store_open(&(struct store_options){.path = path, .read_only = true}, &s, &detail), ERR_STORE);
	assert_says(detail, "older version");
	for (int reopened = 0; reopened < 2; reopened++) {
		s = opened(path);
		assert_int_equal(store_count(s), 6);
		assert_int_equal(store_by_ri(s, "id-in", is_row, &base), OK);
		assert_int_equal(store_by_name(s, 2, "cnt2f", is_row, &container), OK);
		assert_int_equal(store_instance(s, 3, 4, is_row, &without), OK);
		assert_int_equal(store_by_name(s, 3, "named", is_row, &named), OK);
		assert_int_equal(store_by_id(s, 6, is_row, &bad), OK);
		seen.count = 0;
		assert_int_equal(store_by_label(s, rd_str("cold"), 0, see, &seen), OK);
		assert_ids(&seen, 2, (int64_t)2, (int64_t)4);
		seen.count = 0;
		assert_int_equal(store_by_label(s, rd_str("room"), 0, see, &seen), OK);
		assert_ids(&seen, 1, (int64_t)2);
		assert_int_equal(store_next_expiry(s), 1893456000000);
		assert_sound(s);
		store_close(s);
	}
	s = opened(path);
	assert_true(store_new_id(s) >= 1001); /* a number of the old store names nothing new */
	store_close(s);
}

static void derive(char *ri, size_t size, int type, int64_t parent, int64_t id, bool instance)
{
	snprintf(ri, size, "%s%d_%lld-%lld", instance ? "i" : "r", type, (long long)parent, (long long)id);
}

static void old_instances_say_their_new_id(void **state)
{
	struct store_row unnamed = {.id = 4, .parent = 3, .type = 4, .root = "m2m:cin", .creator = "Csensor", .expires = 1893456000000,
	    .body = BODY("{\"rn\":\"i4_3-4\",\"ty\":4,\"ri\":\"i4_3-4\",\"et\":\"20300101T000000,123456\",\"con\":\"1.50\",\"n\":1.50,\"lbl\":[\"cold\"]}")};
	struct store_row named = {.id = 5, .parent = 3, .type = 4, .rn = "named", .root = "m2m:cin", .creator = "Csensor", .body = BODY("{\"rn\":\"named\",\"ty\":4,\"ri\":\"i4_3-5\",\"con\":2}")};
	const char *path = file_in("old.db"), *detail = "";
	struct store *s = NULL;

	(void)state;
	write_database(path, version_0);
	if (store_open(&(struct store_options){.path = path, .derive = derive}, &s, &detail) != OK)
		fail_msg("%s", detail);
	assert_int_equal(store_instance(s, 3, 4, is_row, &unnamed), OK);
	assert_int_equal(store_by_name(s, 3, "named", is_row, &named), OK);
	store_close(s);
}

static void a_migration_that_fails_leaves_the_old_store(void **state)
{
	const char *path = file_in("stuck.db");
	uint8_t *before, *after;
	size_t len;

	(void)state;
	write_database(path, version_0);
	write_database(path, "PRAGMA journal_mode=DELETE; CREATE TABLE label(mine);"); /* in the way */
	len = read_file(path, &before);
	assert_says(refusal(path, false), "label");
	assert_says(refusal(path, false), "label");
	assert_int_equal(read_file(path, &after), len);
	assert_memory_equal(before + 100, after + 100, len - 100); /* the header tells the kind of journal */
	free(before);
	free(after);
}

/* ---- version 2: instances clustered by parent and id ---- */

static const char version_2[] =
    "PRAGMA journal_mode=WAL;"
    "CREATE TABLE resource(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, type INTEGER NOT NULL, ri TEXT, rn TEXT, root TEXT NOT NULL,"
    " creator TEXT NOT NULL, expires INTEGER NOT NULL, body TEXT NOT NULL);"
    "CREATE TABLE instance(parent INTEGER NOT NULL, id INTEGER NOT NULL, type INTEGER NOT NULL, rn TEXT, root TEXT NOT NULL,"
    " creator TEXT NOT NULL, expires INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY(parent, id)) WITHOUT ROWID;"
    "CREATE TABLE label(label TEXT NOT NULL, id INTEGER NOT NULL, parent INTEGER NOT NULL, instance INTEGER NOT NULL,"
    " PRIMARY KEY(label, id)) WITHOUT ROWID;"
    "CREATE TABLE value(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one=1), next INTEGER NOT NULL, count INTEGER NOT NULL, clean INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX resource_name ON resource(parent, rn) WHERE rn IS NOT NULL;"
    "CREATE UNIQUE INDEX resource_ri ON resource(ri) WHERE ri IS NOT NULL;"
    "CREATE INDEX resource_child ON resource(parent);"
    "CREATE INDEX resource_child_type ON resource(parent, type);"
    "CREATE INDEX resource_type ON resource(type);"
    "CREATE INDEX resource_expires ON resource(expires) WHERE expires>0;"
    "CREATE UNIQUE INDEX instance_name ON instance(parent, rn) WHERE rn IS NOT NULL;"
    "CREATE INDEX instance_expires ON instance(expires) WHERE expires>0;"
    "CREATE INDEX label_row ON label(parent, instance, id);"
    "PRAGMA application_id=0x4b657977; PRAGMA user_version=2;"
    "INSERT INTO resource VALUES(1, 0, 5, 'id-in', 'cse-in', 'm2m:cb', '', 0, '{}');"
    "INSERT INTO resource VALUES(2, 1, 3, NULL, 'c', 'm2m:cnt', 'CA', 0, '{}');"
    "INSERT INTO resource VALUES(3, 1, 3, NULL, 'd', 'm2m:cnt', 'CA', 0, '{}');"
    "INSERT INTO instance VALUES(2, 10, 4, NULL, 'm2m:cin', 'CA', 0, '{\"con\":1}');"
    "INSERT INTO instance VALUES(2, 12, 4, 'named', 'm2m:cin', 'CB', 77, '{\"con\":2}');"
    "INSERT INTO instance VALUES(2, 5000000000, 4, NULL, 'm2m:cin', 'CA', 0, '{\"con\":3}');"
    "INSERT INTO instance VALUES(3, 11, 4, 'named', 'm2m:cin', 'CA', 0, '{\"con\":4}');"
    "INSERT INTO instance VALUES(9, 13, 4, NULL, 'm2m:cin', 'CA', 0, '{}');" /* their parent was deleted */
    "INSERT INTO label VALUES('cold', 2, 1, 0), ('cold', 12, 2, 1), ('cold', 5000000000, 2, 1);"
    "INSERT INTO value VALUES('store.gone.9', x'00'), ('mine', 'v');"
    "INSERT INTO state VALUES(1, 5000000001, 8, 0);";

static void assert_migrated(struct store *s)
{
	struct store_row named = {.id = 12, .parent = 2, .type = 4, .rn = "named", .root = "m2m:cin", .creator = "CB", .expires = 77, .body = BODY("{\"con\":2}")};
	struct store_row late = {.id = 5000000000, .parent = 2, .type = 4, .root = "m2m:cin", .creator = "CA", .body = BODY("{\"con\":3}")};
	struct seen up = {0}, down = {0}, label = {0}, other = {0}, gone = {0};

	assert_int_equal(store_instance(s, 2, 12, is_row, &named), OK);
	assert_int_equal(store_by_name(s, 2, "named", is_row, &named), OK);
	assert_int_equal(store_expired(s, 100, is_row, &named), OK);
	assert_int_equal(store_instance(s, 2, 5000000000, is_row, &late), OK);
	assert_int_equal(store_instances(s, 2, false, 0, see, &up), OK);
	assert_ids(&up, 3, (int64_t)10, (int64_t)12, (int64_t)5000000000);
	assert_int_equal(store_instances(s, 2, true, 0, see, &down), OK);
	assert_ids(&down, 3, (int64_t)5000000000, (int64_t)12, (int64_t)10);
	assert_int_equal(store_instances(s, 3, true, 0, see, &other), OK);
	assert_ids(&other, 1, (int64_t)11);
	assert_int_equal(store_by_label(s, rd_str("cold"), 0, see, &label), OK);
	assert_ids(&label, 3, (int64_t)2, (int64_t)12, (int64_t)5000000000);
	assert_int_equal(store_instances(s, 9, false, 0, see, &gone), OK);
	assert_int_equal(gone.count, 0);
	assert_true(store_has_gone(s));
	assert_int_equal(store_count(s), 8);
	assert_int_equal(store_value_get(s, "mine", see, &gone), OK);
	assert_sound(s);
}

static void migrates(void *ctx, uint64_t rows)
{
	*(uint64_t *)ctx += rows;
}

/* Told once, before the one opening that does it. */
static void a_migration_is_announced(void **state)
{
	static const char *const versions[] = {version_0, version_2};
	static const uint64_t rows[] = {6, 8};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const char *path = file_in("told.db"), *detail;
		struct store *s = NULL;
		uint64_t told = 0;

		write_database(path, versions[i]);
		for (int reopened = 0; reopened < 2; reopened++) {
			assert_int_equal(store_open(&(struct store_options){.path = path, .migrates = migrates, .ctx = &told}, &s, &detail), OK);
			assert_int_equal(told, rows[i]);
			store_close(s);
		}
		remove(path);
	}
}

static void clustered_instances_get_keys(void **state)
{
	const char *path = file_in("two.db"), *detail;
	struct store *s = NULL;

	(void)state;
	write_database(path, version_2);
	assert_int_equal(store_open(&(struct store_options){.path = path, .read_only = true}, &s, &detail), ERR_STORE);
	assert_says(detail, "older version");
	for (int reopened = 0; reopened < 2; reopened++) {
		s = opened(path);
		assert_migrated(s);
		store_close(s);
	}
	s = opened(path);
	assert_true(put_instance(s, 2, NULL) > 5000000000);
	assert_int_equal(store_sweep(s, 10), OK);
	commit(s);
	assert_int_equal(store_count(s), 8);
	assert_sound(s);
	store_close(s);
}

static void a_clustered_store_that_can_t_move_stays(void **state)
{
	const char *path = file_in("stuck.db");
	uint8_t *before, *after;
	size_t len;

	(void)state;
	write_database(path, version_2);
	write_database(path, "PRAGMA journal_mode=DELETE; CREATE TABLE stretch(mine);"); /* in the way */
	len = read_file(path, &before);
	assert_says(refusal(path, false), "stretch");
	assert_int_equal(read_file(path, &after), len);
	assert_memory_equal(before + 100, after + 100, len - 100);
	free(before);
	free(after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_old_store_becomes_a_new_one),
		TEST(old_instances_say_their_new_id),
		TEST(a_migration_that_fails_leaves_the_old_store),
		TEST(clustered_instances_get_keys),
		TEST(a_migration_is_announced),
		TEST(a_clustered_store_that_can_t_move_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
