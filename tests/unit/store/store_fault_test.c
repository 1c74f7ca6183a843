/* Disks that are full, fail or can't be written: errors, not crashes; nothing half done is acknowledged; and the store goes on. */
#include "stores.h"
#include "failing_files.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sqlite/private.h"

static char filler[16384];

/* One operation: a row with a label and a value. */
static enum err operate(struct store *s, int64_t parent, size_t size)
{
	struct rd label = rd_str("x");
	struct store_row row = {.id = store_new_id(s), .parent = parent, .type = 4, .instance = true, .root = "m2m:cin", .creator = "C", .body = rd_of(filler, size)};
	enum err e;

	if (row.id == 0)
		return ERR_STORE;
	e = store_insert(s, &row, &label, 1);
	return e == OK ? store_value_set(s, "last", rd_of(&row.id, sizeof row.id)) : e;
}

static enum err operate_in_savepoint(struct store *s, int64_t parent, size_t size)
{
	enum err e = store_savepoint(s);

	if (e != OK)
		return e;
	e = operate(s, parent, size);
	if (e == OK)
		return store_release(s);
	store_undo(s);
	return e;
}

static void limit_pages(struct store *s, int more)
{
	int64_t pages = 0;
	char sql[64];

	assert_int_equal(query_number(s, "PRAGMA page_count", &pages), OK);
	snprintf(sql, sizeof sql, "PRAGMA max_page_count=%lld", (long long)pages + more);
	assert_int_equal(sqlite3_exec(s->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* SQLite gives up the whole transaction for most failures of this kind: then all who share it are told. */
static void on_a_full_store_a_commit_keeps_all_or_nothing(void **state)
{
	struct store *s = opened(file_in("full.db"));
	int64_t parent = put(s, 0, 3, "p");
	uint64_t kept;
	int good = 0, bad = 0;

	(void)state;
	commit(s);
	kept = store_count(s);
	limit_pages(s, 30);
	/* small operations that fit, and now and then a large one that does not for long */
	for (int round = 0; round < 60; round++) {
		uint64_t done = 0;
		enum err e;

		for (int i = 0; i < 4; i++) {
			e = operate_in_savepoint(s, parent, i == 2 && round % 2 ? sizeof filler : 10);
			assert_true(e == OK || e == ERR_FULL);
			done += e == OK;
		}
		e = store_commit(s);
		assert_true(e == OK || e == ERR_FULL);
		if (e == ERR_FULL)
			assert_string_equal(store_detail(s), "no room left on the disk of the store");
		kept += e == OK ? done : 0;
		good += e == OK;
		bad += e != OK;
		assert_int_equal(store_count(s), kept);
		assert_int_equal(store_label_count(s, rd_str("x"), 1000), kept - 1);
	}
	assert_true(good > 20 && bad > 20);
	assert_sound(s);
	limit_pages(s, 100000);
	assert_int_equal(operate_in_savepoint(s, parent, sizeof filler), OK);
	commit(s);
	assert_sound(s);
	store_close(s);
}

static void what_failed_halfway_and_was_not_undone_is_not_committed(void **state)
{
	struct store *s = opened(file_in("half.db"));
	int64_t parent = put(s, 0, 3, "p"), good;
	enum err e = OK;

	(void)state;
	commit(s);
	limit_pages(s, 20);
	good = put_instance(s, parent, NULL); /* of somebody else in the same transaction */
	assert_true(good > 0);
	while (e == OK)
		e = operate(s, parent, sizeof filler);
	assert_int_equal(e, ERR_FULL);
	assert_int_equal(operate(s, parent, 1), ERR_FULL); /* no use to go on */
	assert_int_equal(store_savepoint(s), ERR_FULL);
	assert_true(store_dirty(s));
	assert_int_equal(store_commit(s), ERR_FULL); /* and everybody hears of it */
	assert_false(store_dirty(s));
	assert_int_equal(store_count(s), 1);
	assert_sound(s);
	assert_int_equal(operate(s, parent, 10), OK);
	commit(s);
	assert_int_equal(store_count(s), 2);
	store_close(s);
}

/* The limit is that of the process, so that the disk need not be full: SQLite calls it an I/O error, to the operator it is the same. */
static void limit_files(rlim_t octets)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = octets > limit.rlim_max ? limit.rlim_max : octets;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int unlimit(void **state)
{
	limit_files(RLIM_INFINITY);
	return folder_remove(state);
}

static void a_full_disk_is_said_so_and_reading_goes_on(void **state)
{
	struct seen seen = {.most = 10};
	struct store *s = opened(file_in("disk.db"));
	int64_t parent = put(s, 0, 3, "p");
	uint64_t kept = 1, deleted;
	enum err e = OK;

	(void)state;
	commit(s);
	limit_files(3 << 20);
	while (e == OK) {
		kept = store_count(s);
		if ((e = operate(s, parent, 2000)) != OK)
			assert_int_equal(store_commit(s), e);
		else
			e = store_commit(s);
	}
	assert_int_equal(e, ERR_FULL);
	assert_string_equal(store_detail(s), "no room left on the disk of the store");
	assert_int_equal(store_count(s), kept);
	assert_true(kept > 50);
	assert_int_equal(store_instances(s, parent, true, 0, see, &seen), OK);
	assert_int_equal(seen.count, 10);
	/* the journal starts over where it failed: deleting makes room without any more of it */
	assert_int_equal(store_delete_instances(s, parent, seen.ids[5], &deleted), OK);
	commit(s);
	kept -= deleted;
	assert_int_equal(operate(s, parent, 2000), OK);
	commit(s);
	limit_files(RLIM_INFINITY);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(operate(s, parent, 2000), OK);
		commit(s);
	}
	assert_int_equal(store_count(s), kept + 101);
	assert_sound(s);
	store_close(s);
}

/* A journal is longer than what is in it: this takes the rest away, up to the last frame (a head of 24 octets, which begins with a page's number). */
static void shorten_journal(const char *path)
{
	uint8_t head[4];
	off_t end = 32;
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	while (pread(fd, head, sizeof head, end) == sizeof head && memcmp(head, "\0\0\0", 4) != 0)
		end += 24 + PAGE_SIZE;
	assert_int_equal(ftruncate(fd, end), 0);
	close(fd);
}

/* Not closed, so that its journal lies there; and the disk has no room for one page more of it. */
static void a_store_that_opens_on_a_full_disk_can_be_read(void **state)
{
	const char *path = file_in("tight.db");
	struct seen seen = {.most = 10};
	struct stat journal;
	struct store *s;
	int64_t parent = 1;
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		s = opened(path);
		if (put(s, 0, 3, "p") != parent)
			_exit(1);
		for (int i = 0; i < 20; i++) {
			put_instance(s, parent, NULL);
			commit(s);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	shorten_journal(file_in("tight.db-wal"));
	assert_int_equal(stat(file_in("tight.db-wal"), &journal), 0);
	limit_files((rlim_t)journal.st_size);
	s = opened(path);
	/* what opening writes found no room; that had the journal copied into the database, where there was room: it starts over within its size */
	assert_true(s->opened && s->tight);
	assert_int_equal(store_instances(s, parent, true, 0, see, &seen), OK);
	assert_int_equal(seen.count, 10);
	assert_false(store_has_room(s));
	assert_string_equal(store_detail(s), "no room left on the disk of the store");
	assert_int_equal(operate(s, parent, 10), OK);
	commit(s);
	assert_int_equal(store_count(s), 22);
	assert_sound(s);
	store_close(s);
}

static void a_store_that_turns_read_only_is_read(void **state)
{
	struct store *s = opened(file_in("ro.db"));
	struct seen seen = {0};
	int64_t a = put(s, 0, 3, "a");

	(void)state;
	commit(s);
	assert_int_equal(sqlite3_exec(s->db, "PRAGMA query_only=ON", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(operate(s, a, 10), ERR_STORE);
	assert_non_null(strstr(store_detail(s), "can't be written"));
	assert_false(store_dirty(s));
	assert_int_equal(store_by_id(s, a, see, &seen), OK);
	/* and in the midst of a transaction, which SQLite keeps: who undoes is out, the others stay */
	assert_int_equal(sqlite3_exec(s->db, "PRAGMA query_only=OFF", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(operate_in_savepoint(s, a, 10), OK);
	assert_int_equal(store_savepoint(s), OK);
	assert_int_equal(operate(s, a, 10), OK);
	assert_int_equal(sqlite3_exec(s->db, "PRAGMA query_only=ON", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(operate(s, a, 10), ERR_STORE);
	assert_int_equal(store_savepoint(s), ERR_STORE);
	assert_int_equal(sqlite3_exec(s->db, "PRAGMA query_only=OFF", NULL, NULL, NULL), SQLITE_OK);
	store_undo(s);
	assert_int_equal(operate_in_savepoint(s, a, 10), OK);
	commit(s);
	assert_int_equal(store_count(s), 3);
	/* who releases in spite of the failure has not got away */
	assert_int_equal(store_savepoint(s), OK);
	assert_int_equal(sqlite3_exec(s->db, "PRAGMA query_only=ON", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(operate(s, a, 10), ERR_STORE);
	assert_int_equal(store_release(s), ERR_STORE);
	assert_int_equal(store_commit(s), ERR_STORE);
	assert_int_equal(store_count(s), 3);
	assert_int_equal(sqlite3_exec(s->db, "PRAGMA query_only=OFF", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(operate(s, a, 10), OK);
	commit(s);
	assert_sound(s);
	store_close(s);
}

/* ---- a disk that fails ---- */

static void a_failing_disk_loses_only_what_was_not_acknowledged(void **state)
{
	struct store *s = opened(file_in("io.db"));
	int64_t parent = put(s, 0, 3, "p");
	uint64_t kept;
	int rounds = 0;
	bool failed;

	(void)state;
	commit(s);
	kept = store_count(s);
	/* a commit, then copying the journal into the database; each with the first call failing, then the second, until none does */
	do {
		enum err e = OK;

		failing_files_fail(rounds++, SQLITE_IOERR_WRITE);
		for (int i = 0; e == OK && i < 20; i++)
			e = operate(s, parent, 1000);
		e = e == OK ? store_commit(s) : e;
		assert_true(e == OK || e == ERR_STORE);
		if (e == OK)
			kept += 20;
		else
			assert_true(failing_files_failed());
		store_rollback(s);
		(void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		failed = failing_files_failed();
		failing_files_fail(-1, 0);
		assert_int_equal(store_count(s), kept);
		assert_int_equal(store_label_count(s, rd_str("x"), 1000000), kept - 1);
	} while (failed);
	assert_true(rounds > 20);
	assert_sound(s);
	store_close(s);
	s = opened(file_in("io.db"));
	assert_int_equal(store_count(s), kept);
	assert_sound(s);
	store_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, unlimit)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(on_a_full_store_a_commit_keeps_all_or_nothing),
		TEST(what_failed_halfway_and_was_not_undone_is_not_committed),
		TEST(a_full_disk_is_said_so_and_reading_goes_on),
		TEST(a_store_that_opens_on_a_full_disk_can_be_read),
		TEST(a_store_that_turns_read_only_is_read),
		TEST(a_failing_disk_loses_only_what_was_not_acknowledged),
	};

	memset(filler, 'x', sizeof filler);
	failing_files_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
