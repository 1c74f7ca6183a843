#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "database/database.h"

static const char schema[] = "CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY, b TEXT NOT NULL);";

struct place {
	char folder[64], path[96];
};

static int make_place(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	if (!p)
		return -1;
	strcpy(p->folder, "/tmp/keyway-database-XXXXXX");
	if (!mkdtemp(p->folder))
		return -1;
	snprintf(p->path, sizeof p->path, "%s/a.db", p->folder);
	*state = p;
	return 0;
}

static int clear_place(void **state)
{
	static const char *const endings[] = {"", "-wal", "-shm"};
	struct place *p = *state;
	char path[112];

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		snprintf(path, sizeof path, "%s%s", p->path, endings[i]);
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

static void assert_answer(sqlite3 *db, const char *sql, const char *expected)
{
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(s, 0), expected);
	sqlite3_finalize(s);
}

static void is_durable_and_its_owners_alone(void **state)
{
	const struct place *p = *state;
	sqlite3 *db;
	struct stat st;
	char wal[112];

	umask(0);
	db = opened(p->path);
	assert_answer(db, "PRAGMA journal_mode", "wal");
	assert_answer(db, "PRAGMA synchronous", "2");
	assert_answer(db, "PRAGMA secure_delete", "1");
	assert_int_equal(database_execute(db, "INSERT INTO t VALUES (1, 'x')"), OK);
	snprintf(wal, sizeof wal, "%s-wal", p->path);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	sqlite3_close(db);
	db = opened(p->path);
	assert_answer(db, "SELECT b FROM t", "x");
	sqlite3_close(db);
}

static void opens_one_in_memory(void **state)
{
	sqlite3 *db = opened(":memory:");

	(void)state;
	assert_int_equal(database_execute(db, "INSERT INTO t VALUES (1, 'x')"), OK);
	assert_int_equal(database_execute(db, "INSERT INTO t VALUES (1, 'x')"), ERR_STORE);
	assert_answer(db, "SELECT count(*) FROM t", "1");
	sqlite3_close(db);
	assert_int_not_equal(access(":memory:", F_OK), 0);
}

static void says_why_it_cannot(void **state)
{
	const struct place *p = *state;
	const char *detail;
	sqlite3 *db;
	FILE *f;

	assert_int_equal(database_open(p->folder, schema, &db, &detail), ERR_STORE);
	assert_null(db);
	assert_string_equal(detail, "the database can't be opened for writing");
	f = fopen(p->path, "w");
	assert_non_null(f);
	for (int i = 0; i < 200; i++)
		fputs("this is no database, whatever its name says\n", f);
	fclose(f);
	assert_int_equal(database_open(p->path, schema, &db, &detail), ERR_STORE);
	assert_null(db);
}

static void refuses_a_schema_that_does_not_fit(void **state)
{
	const struct place *p = *state;
	const char *detail;
	sqlite3 *db = opened(p->path);

	sqlite3_close(db);
	assert_int_equal(database_open(p->path, "CREATE INDEX IF NOT EXISTS i ON t (no_such_column);", &db, &detail), ERR_STORE);
	assert_null(db);
	assert_string_equal(detail, "the database is not one of this program, or damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_durable_and_its_owners_alone, make_place, clear_place),
		cmocka_unit_test_setup_teardown(opens_one_in_memory, make_place, clear_place),
		cmocka_unit_test_setup_teardown(says_why_it_cannot, make_place, clear_place),
		cmocka_unit_test_setup_teardown(refuses_a_schema_that_does_not_fit, make_place, clear_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
