/* What a store makes of files: of others' and damaged ones a sentence, of one in use a refusal. */
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
	write_database(path, "PRAGMA application_id=0x4b657977; PRAGMA user_version=4; CREATE TABLE x(y);");
	assert_says(refusal(path, false), "newer version");
	unlink(path);
	write_database(path, "PRAGMA application_id=0x4b657977; PRAGMA user_version=1; CREATE TABLE x(y);"); /* there was none */
	assert_says(refusal(path, false), "is not a store of Keyway");
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
		{"INSERT INTO stretch VALUES(7, 49, 0); INSERT INTO instance VALUES((7<<32)+50, 4, NULL, NULL, '', '', 0, '{}'); UPDATE state SET count=count+1", "instances lie below 49"},
		{"INSERT INTO instance VALUES((7<<32)+50, 4, NULL, NULL, '', '', 0, '{}'); UPDATE state SET count=count+1", "keys of slot 7, which is nobody's"},
		{"INSERT INTO stretch VALUES(7, 1, 0); INSERT INTO instance VALUES((7<<32)+50, 4, 'c', 2, '', '', 0, '{}'); UPDATE state SET count=count+1", "an instance below 1 has its name c in 2"},
		{"INSERT INTO label VALUES('x', 50, 1, 0)", "label x names row 50"},
		{"INSERT INTO label VALUES('x', 50, 1, 1)", "label x names row 50"},
		{"INSERT INTO stretch VALUES(7, 1, 0); INSERT INTO instance VALUES((7<<32)+50, 4, 'b', 1, '', '', 0, '{}'); UPDATE state SET count=count+1", "two children of 1 are named b"},
		{"INSERT INTO stretch VALUES(7, 1, 0); INSERT INTO instance VALUES((7<<32)+2, 4, NULL, NULL, '', '', 0, '{}'); UPDATE state SET count=count+1", "number 2 is that of two rows"},
		{"UPDATE state SET next=2", "number 2 is in use"},
		{"INSERT INTO stretch VALUES(7, 1, 3); INSERT INTO instance VALUES((7<<32)+2, 4, NULL, NULL, '', '', 0, '{}'); UPDATE state SET count=count+1", "number 12884901890 is in use"},
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
