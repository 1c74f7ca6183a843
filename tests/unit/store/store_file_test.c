/* What a store makes of files: of others' and damaged ones a sentence, of an old one a new one, of one in use a refusal. */
#include "stores.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_file(const char *path, const void *octets, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(octets, 1, len, f), len);
	fclose(f);
}

static void write_database(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void assert_says(const char *sentence, const char *part)
{
	if (!strstr(sentence, part))
		fail_msg("\"%s\" does not say \"%s\"", sentence, part);
}

static void other_files_are_left_alone(void **state)
{
	static const char text[] = "Not a database at all, but long enough to have the header of one: .............................................";
	const char *path = file_in("other");
	struct stat before, after;

	(void)state;
	write_file(path, text, sizeof text);
	assert_says(refusal(path, false), "not a database");
	unlink(path);
	write_database(path, "CREATE TABLE resource(x); INSERT INTO resource VALUES(1);");
	assert_int_equal(stat(path, &before), 0);
	assert_says(refusal(path, false), "is not a store of Keyway");
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_int_equal(before.st_size, after.st_size);
	unlink(path);
	write_database(path, "PRAGMA application_id=0x4b657977; PRAGMA user_version=3; CREATE TABLE x(y);");
	assert_says(refusal(path, false), "newer version");
	unlink(path);
	write_database(path, "PRAGMA user_version=2; CREATE TABLE resource(x); CREATE TABLE number(next);");
	assert_says(refusal(path, false), "is not a store of Keyway");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_says(refusal(path, false), "directory");
	assert_says(refusal(file_in("no/such/folder.db"), false), "No such file");
	assert_says(refusal("", false), "no path");
}

static void a_store_is_private_and_remembers(void **state)
{
	const char *path = file_in("new.db");
	struct store *s = opened(path);
	struct stat info;
	int64_t a = put(s, 0, 5, "cse");

	(void)state;
	put_instance(s, a, NULL);
	commit(s);
	put(s, a, 3, "not committed");
	store_close(s);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 077, 0);
	assert_int_equal(stat(file_in("new.db-wal"), &info), -1); /* closed: all is in the one file */
	s = opened(path);
	assert_int_equal(store_count(s), 2);
	store_close(s);
}

/* ---- in use ---- */

static void a_second_process_is_told(void **state)
{
	const char *path = file_in("busy.db");
	struct store *s = opened(path), *reader;
	struct seen seen = {0};
	int status;
	char number[32];
	pid_t pid;

	(void)state;
	put(s, 0, 3, "a");
	commit(s);
	snprintf(number, sizeof number, "number %ld", (long)getpid());
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *second;
		const char *detail = "";

		if (store_open(&(struct store_options){.path = path}, &second, &detail) != ERR_STORE || !strstr(detail, "in use by another process") ||
		    !strstr(detail, number))
			_exit(1);
		/* but it may look */
		if (store_open(&(struct store_options){.path = path, .read_only = true, .check = true}, &second, &detail) != OK || store_count(second) != 1 ||
		    store_insert(second, &(struct store_row){.id = 1, .type = 3}, NULL, 0) != ERR_STATE || store_value_set(second, "x", rd_str("y")) != ERR_STATE)
			_exit(2);
		store_close(second);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	/* nor may this one open it twice, and the attempt breaks nothing */
	assert_says(refusal(path, false), "in use");
	reader = opened_to_read(path);
	put(s, 0, 3, "b");
	commit(s);
	assert_int_equal(store_children(reader, 0, 0, 0, see, &seen), OK);
	assert_int_equal(seen.count, 2); /* a reader sees what is committed */
	assert_sound(reader);
	assert_sound(s);
	store_close(reader);
	store_close(s);
	store_close(opened(path)); /* closed: free again */
}

static void a_reader_makes_no_store(void **state)
{
	const char *path = file_in("none.db"), *detail;
	struct store *s = NULL;

	(void)state;
	assert_int_equal(store_open(&(struct store_options){.path = path, .read_only = true}, &s, &detail), ERR_STORE);
	assert_int_equal(access(path, F_OK), -1);
	write_file(path, "", 0);
	assert_int_equal(store_open(&(struct store_options){.path = path, .read_only = true}, &s, &detail), ERR_STORE);
	assert_says(detail, "brings it up to date");
}

/* ---- damage ---- */

static size_t read_file(const char *path, uint8_t **octets)
{
	FILE *f = fopen(path, "r");
	struct stat info;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &info), 0);
	*octets = malloc((size_t)info.st_size);
	assert_non_null(*octets);
	assert_int_equal(fread(*octets, 1, (size_t)info.st_size, f), (size_t)info.st_size);
	fclose(f);
	return (size_t)info.st_size;
}

static bool use(void *ctx, const struct store_row *row)
{
	size_t *octets = ctx;

	for (size_t i = 0; i < row->body.left; i++)
		*octets += row->body.at[i] != 0;
	*octets += strlen(row->root) + strlen(row->creator) + (row->rn ? strlen(row->rn) : 0) + (row->ri ? strlen(row->ri) : 0);
	return true;
}

/* Everything that reads and writes, on whatever there is; errors are fine. */
static bool use_all(struct store *s, int64_t parent)
{
	struct store_row row = {.id = store_new_id(s), .parent = parent, .type = 4, .instance = true, .body = rd_str("{}")};
	struct rd label = rd_str("x");
	uint64_t deleted = 0;
	size_t n = 0;
	bool good = store_children(s, parent, 0, 0, use, &n) == OK;

	good = store_instances(s, parent, true, 0, use, &n) == OK && good;
	good = store_by_label(s, label, 0, use, &n) == OK && good;
	good = store_by_type(s, 3, 0, use, &n) == OK && good;
	good = store_expired(s, UINT64_MAX, use, &n) == OK && good;
	good = store_values(s, "", use, &n) == OK && good;
	(void)store_next_expiry(s);
	good = store_insert(s, &row, &label, 1) == OK && good;
	good = store_delete_instances(s, parent, parent + 20, &deleted) == OK && good;
	return store_commit(s) == OK && good;
}

static void damage_is_a_sentence_and_not_a_crash(void **state)
{
	const char *path = file_in("damaged.db");
	struct store *s = opened(path);
	int64_t parent = put(s, 0, 5, "cse");
	unsigned found = 0, refused = 0;
	uint8_t *octets;
	size_t len;

	(void)state;
	for (int i = 0; i < 300; i++) {
		put_labelled(s, parent, i % 3 ? 4 : 3, "x");
		put_instance(s, parent, i % 9 ? NULL : (char[]){(char)('a' + i / 9 % 26), (char)('a' + i / 9 / 26), '\0'});
	}
	assert_int_equal(store_value_set(s, "v", rd_str("1")), OK);
	commit(s);
	store_close(s);
	len = read_file(path, &octets);
	srand(2);
	for (int round = 0; round < 300; round++) {
		const char *detail = NULL;
		uint8_t *bad = malloc(len);

		assert_non_null(bad);
		memcpy(bad, octets, len);
		for (int i = 0; i < 1 + round % 20; i++) /* the early pages, which hold the schema, more often */
			bad[(size_t)rand() % (round % 3 ? len : 8192)] = (uint8_t)rand();
		write_file(path, bad, round % 10 == 9 ? len * (size_t)(rand() % 100) / 100 : len); /* cut short, too */
		free(bad);
		s = NULL;
		if (store_open(&(struct store_options){.path = path, .check = round % 2}, &s, &detail) != OK) {
			assert_true(detail && detail[0]);
			refused++;
		} else if (!use_all(s, parent)) {
			assert_true(store_detail(s)[0]);
			found++;
		}
		store_close(s);
		unlink(file_in("damaged.db-wal"));
		unlink(file_in("damaged.db-shm"));
	}
	print_message("300 damaged files: %u refused, %u noticed in use\n", refused, found);
	assert_true(refused > 50 && found > 10);
	free(octets);
}

static void collect(void *ctx, const char *text)
{
	char *all = ctx;

	strncat(all, text, 1000 - strlen(all));
	strncat(all, "\n", 1000 - strlen(all));
}

/* Each breaks one reference, and is found. */
static void a_check_finds_broken_references(void **state)
{
	static const struct {
		const char *sql, *says;
	} cases[] = {
		{"INSERT INTO resource VALUES(50, 49, 3, NULL, 'x', '', '', 0, '{}'); UPDATE state SET count=count+1", "resource 50 (x) lies below 49"},
		{"INSERT INTO instance VALUES(49, 50, 4, NULL, '', '', 0, '{}'); UPDATE state SET count=count+1", "instances lie below 49"},
		{"INSERT INTO label VALUES('x', 50, 1, 0)", "label x names row 50"},
		{"INSERT INTO label VALUES('x', 50, 1, 1)", "label x names row 50"},
		{"INSERT INTO instance VALUES(1, 50, 4, 'b', '', '', 0, '{}'); UPDATE state SET count=count+1", "two children of 1 are named b"},
		{"INSERT INTO instance VALUES(1, 2, 4, NULL, '', '', 0, '{}'); UPDATE state SET count=count+1", "number 2 is that of two rows"},
		{"UPDATE state SET next=2", "number 2 is in use"},
		{"UPDATE state SET count=7", "the store has 2 rows and counts 7"},
	};
	const char *path = file_in("broken.db");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct store *s = opened(path);
		char faults[1001] = "";
		int64_t a = put(s, 0, 5, "cse");

		put(s, a, 3, "b");
		while (store_new_id(s) < 60)
			;
		commit(s);
		assert_sound(s);
		store_close(s);
		write_database(path, cases[i].sql);
		assert_says(refusal(path, true), "damaged");
		s = opened_to_read(path);
		assert_int_equal(store_check(s, collect, faults), ERR_STORE);
		assert_says(faults, cases[i].says);
		store_close(s);
		unlink(path);
	}
}

/* A store that was not closed is looked at before it is used. */
static void a_damaged_store_that_was_not_closed_is_refused(void **state)
{
	const char *path = file_in("unclean.db");
	struct store *s = opened(path);
	int64_t parent = put(s, 0, 5, "cse");
	uint8_t *octets;
	size_t len;

	(void)state;
	for (int i = 0; i < 2000; i++)
		put_instance(s, parent, NULL);
	commit(s);
	store_close(s);
	len = read_file(path, &octets);
	memset(octets + len / 2 / 4096 * 4096, 0xff, 4096); /* a page of instances */
	write_file(path, octets, len);
	free(octets);
	store_close(opened(path)); /* closed: not looked at, so it opens */
	write_database(path, "UPDATE state SET clean=0");
	assert_says(refusal(path, false), "damaged");
}

/* ---- migration ---- */

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(other_files_are_left_alone),
		TEST(a_store_is_private_and_remembers),
		TEST(a_second_process_is_told),
		TEST(a_reader_makes_no_store),
		TEST(damage_is_a_sentence_and_not_a_crash),
		TEST(a_check_finds_broken_references),
		TEST(a_damaged_store_that_was_not_closed_is_refused),
		TEST(an_old_store_becomes_a_new_one),
		TEST(old_instances_say_their_new_id),
		TEST(a_migration_that_fails_leaves_the_old_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
