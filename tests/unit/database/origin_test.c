/* Old copies of a database are noticed, and numbers in them are moved on by what may have been given out since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "database/origin.h"

#define NOW 1800000000U
#define MARGIN (1U << 20)

static const char schema[] = "CREATE TABLE IF NOT EXISTS t (next INTEGER NOT NULL); CREATE TABLE IF NOT EXISTS c (x INTEGER);";
static const struct database_numbers numbers = {
	"UPDATE t SET next = min(0xffffff00, next + (SELECT by FROM origin))",
	"INSERT INTO c VALUES (1)",
	500,
	0xffffff00U,
};

struct place {
	char folder[64], path[96], copy[96];
};

static int make_place(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	if (!p)
		return -1;
	strcpy(p->folder, "/tmp/keyway-origin-XXXXXX");
	if (!mkdtemp(p->folder))
		return -1;
	snprintf(p->path, sizeof p->path, "%s/a.db", p->folder);
	snprintf(p->copy, sizeof p->copy, "%s/b.db", p->folder);
	*state = p;
	return 0;
}

static int clear_place(void **state)
{
	static const char *const names[] = {"a.db", "a.db-wal", "a.db-shm", "b.db", "b.db-wal", "b.db-shm"};
	struct place *p = *state;
	char path[112];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", p->folder, names[i]);
		unlink(path);
	}
	rmdir(p->folder);
	free(p);
	return 0;
}

static sqlite3 *opened(const char *path)
{
	const char *detail;
	sqlite3 *db;

	assert_int_equal(database_open(path, schema, &db, &detail), OK);
	return db;
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

/* Opens, resumes, and closes: what the database has then. */
struct life {
	enum err e;
	struct database_gap gap;
	int64_t next, copies;
};

static struct life live(const char *path, uint64_t now)
{
	sqlite3 *db = opened(path);
	struct life l;

	l.e = database_resume(db, path, &numbers, now, &l.gap);
	l.next = number(db, "SELECT coalesce(max(next), -1) FROM t");
	l.copies = number(db, "SELECT count(*) FROM c");
	sqlite3_close(db);
	return l;
}

static void copy(const char *from, const char *to)
{
	char octets[4096];
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	size_t n;

	assert_true(in && out);
	while ((n = fread(octets, 1, sizeof octets, in)) > 0)
		assert_int_equal(fwrite(octets, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

static void make(const struct place *p, uint32_t next)
{
	sqlite3 *db;
	char sql[64];

	assert_int_equal(live(p->path, NOW).e, OK);
	db = opened(p->path);
	snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%u)", next);
	assert_int_equal(database_execute(db, sql), OK);
	sqlite3_close(db);
}

static void the_same_file_goes_on_where_it_was(void **state)
{
	const struct place *p = *state;
	struct life l;

	make(p, 7);
	l = live(p->path, NOW + 60);
	assert_int_equal(l.e, OK);
	assert_false(l.gap.copied);
	assert_int_equal(l.gap.by, 0);
	assert_int_equal(l.gap.floor, 0);
	assert_int_equal(l.next, 7);
}

static void a_renamed_file_is_the_same(void **state)
{
	const struct place *p = *state;
	struct life l;

	make(p, 7);
	assert_int_equal(rename(p->path, p->copy), 0);
	l = live(p->copy, NOW + 60);
	assert_false(l.gap.copied);
	assert_int_equal(l.next, 7);
}

static void a_copy_skips_what_may_have_been_given_out(void **state)
{
	const struct place *p = *state;
	struct life l;

	make(p, 7);
	copy(p->path, p->copy);
	l = live(p->copy, NOW + 1000);
	assert_int_equal(l.e, OK);
	assert_true(l.gap.copied);
	assert_int_equal(l.gap.since, NOW);
	assert_int_equal(l.gap.by, MARGIN + 1000 * 500);
	assert_int_equal(l.next, 7 + MARGIN + 1000 * 500);
	assert_int_equal(l.gap.floor, MARGIN + 1000 * 500);
	assert_int_equal(l.copies, 1);
	l = live(p->copy, NOW + 1001); /* it is the file from now on */
	assert_false(l.gap.copied);
	assert_int_equal(l.gap.by, 0);
	assert_int_equal(l.gap.floor, MARGIN + 1000 * 500);
	assert_int_equal(l.next, 7 + MARGIN + 1000 * 500);
	assert_int_equal(l.copies, 1);
}

static void a_copy_of_a_copy_skips_again(void **state)
{
	const struct place *p = *state;
	struct life l;

	make(p, 7);
	copy(p->path, p->copy);
	assert_int_equal(live(p->copy, NOW).e, OK);
	assert_int_equal(unlink(p->path), 0);
	copy(p->copy, p->path);
	l = live(p->path, NOW + 10);
	assert_true(l.gap.copied);
	assert_int_equal(l.gap.floor, 2 * MARGIN + 10 * 500);
	assert_int_equal(l.next, 7 + 2 * MARGIN + 10 * 500);
}

/* A disk that was rolled back has the same inodes. */
static void a_long_silence_is_skipped(void **state)
{
	const struct place *p = *state;
	struct life l;

	make(p, 7);
	l = live(p->path, NOW + 3600);
	assert_false(l.gap.copied);
	assert_int_equal(l.gap.by, 3600 * 500);
	assert_int_equal(l.next, 7 + 3600 * 500);
	assert_int_equal(l.copies, 0);
	l = live(p->path, NOW + 3600 + 365 * 86400); /* but not all that there are */
	assert_int_equal(l.gap.by, 1U << 26);
}

static void who_says_that_it_lives_skips_nothing(void **state)
{
	const struct place *p = *state;
	sqlite3 *db;

	make(p, 7);
	db = opened(p->path);
	assert_int_equal(database_alive(db, NOW + 3500), OK);
	sqlite3_close(db);
	assert_int_equal(live(p->path, NOW + 3600).gap.by, 0);
}

static void a_very_old_copy_has_no_numbers_left(void **state)
{
	const struct place *p = *state;
	struct life l;

	make(p, 7);
	copy(p->path, p->copy);
	l = live(p->copy, NOW + 200 * 86400);
	assert_int_equal(l.e, OK);
	assert_true(l.next == 0xffffff00 && l.gap.floor == 0xffffff00);
}

static void a_copy_from_the_future_is_refused_and_left_as_it_is(void **state)
{
	const struct place *p = *state;
	struct life l;

	make(p, 7);
	copy(p->path, p->copy);
	l = live(p->copy, NOW - 1);
	assert_int_equal(l.e, ERR_STATE);
	assert_int_equal(l.next, 7);
	l = live(p->copy, NOW); /* still a copy */
	assert_true(l.e == OK && l.gap.copied);
}

static void a_clock_that_went_back_skips_nothing_of_the_same_file(void **state)
{
	const struct place *p = *state;
	struct life l;

	make(p, 7);
	l = live(p->path, NOW - 1000);
	assert_int_equal(l.e, OK);
	assert_int_equal(l.next, 7);
}

static void nothing_is_asked_of_one_in_memory(void **state)
{
	sqlite3 *db = opened(":memory:");
	struct database_gap gap;

	(void)state;
	assert_int_equal(database_resume(db, ":memory:", &numbers, NOW, &gap), OK);
	assert_false(gap.copied || gap.by || gap.floor);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_file_goes_on_where_it_was, make_place, clear_place),
		cmocka_unit_test_setup_teardown(a_renamed_file_is_the_same, make_place, clear_place),
		cmocka_unit_test_setup_teardown(a_copy_skips_what_may_have_been_given_out, make_place, clear_place),
		cmocka_unit_test_setup_teardown(a_copy_of_a_copy_skips_again, make_place, clear_place),
		cmocka_unit_test_setup_teardown(a_long_silence_is_skipped, make_place, clear_place),
		cmocka_unit_test_setup_teardown(who_says_that_it_lives_skips_nothing, make_place, clear_place),
		cmocka_unit_test_setup_teardown(a_very_old_copy_has_no_numbers_left, make_place, clear_place),
		cmocka_unit_test_setup_teardown(a_copy_from_the_future_is_refused_and_left_as_it_is, make_place, clear_place),
		cmocka_unit_test_setup_teardown(a_clock_that_went_back_skips_nothing_of_the_same_file, make_place, clear_place),
		cmocka_unit_test_setup_teardown(nothing_is_asked_of_one_in_memory, make_place, clear_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
