/* The journal, written in few calls: what other connections and a recovery find in it is what SQLite's own methods leave there, whatever fails, spills or is
 * undone. The other connections here are SQLite with its own methods. */
#include "stores.h"
#include "failing_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sqlite/journal_file.h"
#include "store/sqlite/private.h"

#define FRAME (24 + PAGE_SIZE)
#define GATHERED (127 * 1024 / FRAME) /* frames of one write */

static char filler[3000], large[150000];

static void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) != SQLITE_ROW)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

static sqlite3 *connected(const char *path)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	run(db, "PRAGMA synchronous=OFF"); /* no power is lost in a test */
	return db;
}

/* Sound, and with as many rows as the store itself has counted. */
static int64_t sound_rows(const char *path)
{
	sqlite3 *db = connected(path);
	int64_t rows;

	run(db, "BEGIN");
	assert_int_equal(number(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check='ok'"), 1);
	rows = number(db, "SELECT (SELECT count(*) FROM resource) + (SELECT count(*) FROM instance)");
	assert_int_equal(rows, number(db, "SELECT count FROM state"));
	sqlite3_close(db);
	return rows;
}

static void copy_file(const char *from, const char *to)
{
	static uint8_t octets[65536];
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	size_t n;

	assert_true(in && out);
	while ((n = fread(octets, 1, sizeof octets, in)) > 0)
		assert_int_equal(fwrite(octets, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

/* What a crash would leave: the two files alone, without the shared memory. */
static int64_t recovered_rows(void)
{
	int64_t rows;

	copy_file(file_in("a.db"), file_in("copy.db"));
	copy_file(file_in("a.db-wal"), file_in("copy.db-wal"));
	rows = sound_rows(file_in("copy.db"));
	unlink(file_in("copy.db"));
	return rows;
}

static enum err insert_large(struct store *s, int64_t parent)
{
	struct rd label = rd_str("x");

	return store_insert(s, &(struct store_row){.id = store_new_id(s), .parent = parent, .type = 4, .instance = true, .root = "m2m:cin", .creator = "C", .body = rd_of(filler, sizeof filler)}, &label, 1);
}

/* With so few pages in memory that a transaction of more is written before it is complete, and read again. */
static struct store *opened_with_few_pages(int64_t *parent)
{
	struct store *s = opened(file_in("a.db"));

	*parent = put(s, 0, 3, "p");
	commit(s);
	run(s->db, "PRAGMA cache_size=12");
	return s;
}

static off_t journal_size(void)
{
	struct stat info;

	assert_int_equal(stat(file_in("a.db-wal"), &info), 0);
	return info.st_size;
}

static off_t journal_end(const struct store *s)
{
	return 32 + (off_t)FRAME * s->checkpoint_last;
}

/* ---- how it is written ---- */

static void a_commit_is_written_at_once(void **state)
{
	struct store *s = opened(file_in("a.db"));
	int64_t parent = put(s, 0, 3, "p");
	struct journal_calls calls;

	(void)state;
	commit(s);
	for (int rows = 1; rows < 300; rows += 13) {
		int before = s->checkpoint_last, frames;

		failing_files_calls();
		for (int i = 0; i < rows; i++)
			assert_int_equal(insert_large(s, parent), OK);
		commit(s);
		calls = failing_files_calls();
		frames = s->checkpoint_last - before;
		assert_true(frames > rows / 2);
		assert_int_equal(calls.writes - calls.zeros, (frames + GATHERED - 1) / GATHERED);
		assert_int_equal(calls.flushes, 1);
	}
	assert_sound(s);
	store_close(s);
}

static void a_journal_grows_ahead_as_far_as_it_may(void **state)
{
	const off_t most = 2 << 20;
	struct store *s = opened(file_in("a.db"));
	int64_t parent = put(s, 0, 3, "p");
	sqlite3 *other;
	int grown = 0;

	(void)state;
	commit(s);
	assert_in_range(journal_size(), 1 << 20, journal_end(s) + (1 << 20));
	journal_file_lengthen_to(s->db, most);
	while (journal_end(s) < 2 * most) {
		off_t before = journal_size();

		assert_int_equal(insert_large(s, parent), OK);
		commit(s);
		assert_true(journal_size() >= journal_end(s));
		assert_true(journal_size() <= (journal_end(s) > most ? journal_end(s) : most));
		grown += journal_end(s) < most && journal_size() != before;
	}
	assert_in_range(grown, 1, 4);
	assert_int_equal(recovered_rows(), store_count(s));
	/* it starts over, and does not grow again before its end */
	run(s->db, "PRAGMA wal_checkpoint(FULL)");
	journal_file_lengthen_to(s->db, 64 << 20);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(insert_large(s, parent), OK);
		commit(s);
	}
	assert_true(journal_end(s) < most);
	assert_true(journal_size() < 2 * most + (1 << 20));
	assert_int_equal(recovered_rows(), store_count(s));
	/* and again when another has shortened it */
	other = connected(file_in("a.db"));
	run(other, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(journal_size(), 0);
	assert_int_equal(insert_large(s, parent), OK);
	commit(s);
	assert_in_range(journal_size(), 1 << 20, journal_end(s) + (1 << 20));
	sqlite3_close(other);
	store_close(s);
}

static void a_journal_does_not_grow_ahead_on_a_full_disk(void **state)
{
	struct store *s = opened(file_in("a.db"));
	int64_t parent = put(s, 0, 3, "p");

	(void)state;
	commit(s);
	room_lost(s);
	assert_true(s->tight);
	while (journal_end(s) < 3 << 20) {
		s->checkpoint_at = CHECKPOINT_PAGES;
		assert_int_equal(insert_large(s, parent), OK);
		commit(s);
		if (journal_end(s) > 2 << 20)
			assert_int_equal(journal_size(), journal_end(s));
	}
	store_close(s);
}

/* Copying the journal flushes it as well, while others may write. */
static void a_journal_grows_ahead_within_a_transaction_only(void **state)
{
	struct store *s = opened(file_in("a.db"));
	int64_t parent = put(s, 0, 3, "p");

	(void)state;
	commit(s);
	run(s->db, "PRAGMA synchronous=NORMAL"); /* its commits are not flushed */
	while (journal_end(s) < 2 << 20) {
		assert_int_equal(insert_large(s, parent), OK);
		commit(s);
	}
	assert_int_equal(journal_size(), journal_end(s));
	failing_files_calls();
	assert_int_equal(sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), SQLITE_OK);
	assert_int_equal(failing_files_calls().flushes, 1);
	assert_int_equal(journal_size(), journal_end(s));
	store_close(s);
}

/* ---- who reads it ---- */

/* Without a flush at a commit, and with pages that are written more than once in a transaction, so that the sums of frames are corrected at its end. */
static void every_commit_is_there_for_others(void **state)
{
	static const char *const levels[] = {"PRAGMA synchronous=OFF", "PRAGMA synchronous=NORMAL", "PRAGMA synchronous=FULL"};
	int64_t parent;
	struct store *s = opened_with_few_pages(&parent);

	(void)state;
	for (int round = 0; round < 30; round++) {
		run(s->db, levels[round % 3]);
		for (int i = 0; i < 1 + round * 7 % 50; i++) {
			assert_int_equal(insert_large(s, parent), OK);
			if (i % 5 == 0)
				assert_int_equal(store_value_set(s, "last", rd_of(filler, 1 + (size_t)i)), OK);
		}
		commit(s);
		assert_int_equal(sound_rows(file_in("a.db")), store_count(s));
		assert_int_equal(recovered_rows(), store_count(s));
	}
	store_close(s);
}

/* Reads until the other end of the pipe is closed; a byte for each reading that was right. */
static void read_on(const char *path, int told, int stop)
{
	fd_set set;
	struct timeval now = {0};
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, "unix") != SQLITE_OK)
		_exit(1);
	sqlite3_busy_timeout(db, 10000);
	do {
		sqlite3_stmt *st = NULL;

		if (sqlite3_prepare_v2(db, "SELECT (SELECT count(*) FROM resource) + (SELECT count(*) FROM instance)=(SELECT count FROM state), quick_check FROM pragma_quick_check", -1, &st, NULL) != SQLITE_OK ||
		    sqlite3_step(st) != SQLITE_ROW || sqlite3_column_int(st, 0) != 1 || strcmp((const char *)sqlite3_column_text(st, 1), "ok") != 0) {
			fprintf(stderr, "a reader: %s\n", st && sqlite3_column_count(st) == 2 && sqlite3_column_text(st, 1) ? (const char *)sqlite3_column_text(st, 1) : sqlite3_errmsg(db));
			_exit(2);
		}
		sqlite3_finalize(st);
		if (write(told, "", 1) != 1)
			_exit(3);
		FD_ZERO(&set);
		FD_SET(stop, &set);
	} while (select(stop + 1, &set, NULL, NULL, &now) == 0);
	_exit(0);
}

static void readers_of_another_process_see_whole_commits(void **state)
{
	int64_t parent;
	struct store *s = opened_with_few_pages(&parent);
	int told[2], stop[2], status, read_so_far = 0;
	char octets[256];
	const char *path = file_in("a.db");
	pid_t pid;

	(void)state;
	store_close(s); /* a connection does not survive a fork */
	assert_int_equal(pipe(told) | pipe(stop), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(told[0]);
		close(stop[1]);
		s = opened(path);
		store_close(s);
		read_on(path, told[1], stop[0]);
	}
	close(told[1]);
	close(stop[0]);
	assert_int_equal(read(told[0], octets, 1), 1); /* it has the journal open, and lets go of the lock */
	s = opened(path);
	run(s->db, "PRAGMA cache_size=12");
	for (int round = 0; round < 50 || read_so_far < 50; round++) {
		ssize_t n;

		for (int i = 0; i < round * 7 % 50; i++)
			assert_int_equal(insert_large(s, parent), OK);
		if (round % 5 == 4)
			store_rollback(s);
		else
			commit(s);
		if (round % 9 == 8)
			(void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		n = read(told[0], octets, sizeof octets); /* one reading for each round at least */
		assert_true(n > 0);
		read_so_far += (int)n;
	}
	close(stop[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(told[0]);
	assert_int_equal(sound_rows(path), store_count(s));
	store_close(s);
}

/* Frames that spilled and were undone: the place of them in the journal is free for others. A large value comes last, whose pages are new, so that nothing is
 * read, and frames wait; and as all of the journal was copied, undoing reads nothing of it either. */
static void what_was_undone_is_not_written_over_what_others_wrote(void **state)
{
	int64_t parent;
	struct store *s = opened_with_few_pages(&parent);
	sqlite3 *other = connected(file_in("a.db"));

	(void)state;
	for (size_t size = 40000; size < 150000; size += 5000) {
		assert_int_equal(sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), SQLITE_OK);
		assert_int_equal(insert_large(s, parent), OK);
		assert_int_equal(store_value_set(s, "large", rd_of(large, size)), OK);
		store_rollback(s);
		run(other, "INSERT OR REPLACE INTO value(name, value) VALUES('other', randomblob(60000))");
		assert_int_equal(insert_large(s, parent), OK);
		commit(s);
		assert_int_equal(sound_rows(file_in("a.db")), store_count(s));
		assert_int_equal(number(s->db, "SELECT length(value) FROM value WHERE name='other'"), 60000);
	}
	sqlite3_close(other);
	assert_sound(s);
	store_close(s);
}

/* The methods alone, in any order: what is read is what was written, and of what completes a transaction the file has all. */
static void the_file_has_what_was_written(void **state)
{
	enum { FIRST = 64 * 1024, SIZE = 512 * 1024 };
	static uint8_t expected[SIZE], seen[SIZE], octets[PAGE_SIZE];
	struct store *s = opened(file_in("a.db"));
	int fd = open(file_in("a.db-wal"), O_RDONLY), at = 0;
	sqlite3_file *f = NULL;

	(void)state;
	assert_true(fd >= 0);
	srand(1);
	assert_int_equal(sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &f), SQLITE_OK);
	journal_file_lengthen_to(s->db, 0);
	run(s->db, "BEGIN IMMEDIATE");
	for (at = 0; at < SIZE; at += PAGE_SIZE)
		assert_int_equal(f->pMethods->xWrite(f, octets, PAGE_SIZE, FIRST + at), SQLITE_OK);
	for (int round = 0, n; round < 20000; round++) {
		bool completes = rand() % 20 == 0, page = rand() % 10 != 0;

		if (rand() % 30 == 0 || at > SIZE - FRAME)
			at = rand() % (SIZE - FRAME);
		memset(octets, rand(), sizeof octets);
		memset(octets, 0, 8);
		octets[7] = completes;
		n = rand() % 20 == 0 ? 1 + rand() % 100 : 24;
		assert_int_equal(f->pMethods->xWrite(f, octets, n, FIRST + at), SQLITE_OK);
		memcpy(expected + at, octets, (size_t)n);
		at += n;
		if (page) {
			assert_int_equal(f->pMethods->xWrite(f, octets, PAGE_SIZE, FIRST + at), SQLITE_OK);
			memcpy(expected + at, octets, PAGE_SIZE);
			at += PAGE_SIZE;
		}
		if (rand() % 30 == 0) {
			n = rand() % (SIZE - PAGE_SIZE);
			assert_int_equal(f->pMethods->xRead(f, seen, PAGE_SIZE, FIRST + n), SQLITE_OK);
			assert_memory_equal(seen, expected + n, PAGE_SIZE);
		}
		if (n == 24 && completes && page) {
			assert_int_equal(pread(fd, seen, SIZE, FIRST), SIZE);
			assert_memory_equal(seen, expected, SIZE);
		}
	}
	run(s->db, "ROLLBACK");
	close(fd);
	assert_sound(s);
	store_close(s);
}

/* ---- what fails ---- */

static enum err write_much(struct store *s, int64_t parent)
{
	uint64_t deleted;
	enum err e = OK;

	for (int i = 0; e == OK && i < 15; i++)
		e = insert_large(s, parent);
	if (e == OK && (e = store_savepoint(s)) == OK) {
		for (int i = 0; e == OK && i < 15; i++)
			e = insert_large(s, parent);
		store_undo(s);
	}
	if (e == OK)
		e = store_delete_instances(s, parent, parent + 3, &deleted);
	for (int i = 0; e == OK && i < 15; i++)
		e = insert_large(s, parent);
	return e;
}

/* Each call fails in turn: in the middle of a transaction, at its end, when the journal is lengthened, when it is copied. */
static void whatever_fails_a_commit_is_whole_or_not_there(int result)
{
	int64_t parent;
	struct store *s = opened_with_few_pages(&parent);
	uint64_t kept = store_count(s);
	bool failed;
	int rounds = 0, refused = 0;

	do {
		enum err e;

		failing_files_fail(rounds++, result);
		e = write_much(s, parent);
		e = e == OK ? store_commit(s) : e;
		assert_true(e == OK || e == ERR_STORE || e == ERR_FULL);
		assert_true(e == OK || failing_files_failed());
		if (e == OK)
			kept = store_count(s);
		store_rollback(s);
		refused += e != OK;
		(void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		failed = failing_files_failed();
		failing_files_fail(-1, 0);
		assert_int_equal(store_count(s), kept);
		assert_int_equal(sound_rows(file_in("a.db")), kept);
	} while (failed);
	assert_true(refused > 10);
	assert_sound(s);
	store_close(s);
	assert_int_equal(sound_rows(file_in("a.db")), kept);
}

static void a_failing_journal_loses_only_what_was_not_acknowledged(void **state)
{
	(void)state;
	whatever_fails_a_commit_is_whole_or_not_there(SQLITE_IOERR_WRITE);
}

static void a_full_journal_loses_only_what_was_not_acknowledged(void **state)
{
	(void)state;
	whatever_fails_a_commit_is_whole_or_not_there(SQLITE_FULL);
}

/* SQLite undoes the one statement that reads a page when writing what waits finds the disk full, and keeps the transaction: the frames of the others are lost, and
 * no later write or commit may go well. */
static void a_failure_lasts_as_long_as_its_transaction(void **state)
{
	int64_t parent;
	struct store *s = opened_with_few_pages(&parent);
	sqlite3_file *f = NULL;
	uint64_t kept = store_count(s);
	uint8_t head[24] = {[3] = 1}, page[PAGE_SIZE] = {0};

	(void)state;
	assert_int_equal(sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &f), SQLITE_OK);
	run(s->db, "BEGIN IMMEDIATE");
	/* a frame behind all others that waits, as SQLite would write it; it does not complete anything */
	assert_int_equal(f->pMethods->xWrite(f, head, sizeof head, journal_end(s)), SQLITE_OK);
	assert_int_equal(f->pMethods->xWrite(f, page, sizeof page, journal_end(s) + 24), SQLITE_OK);
	failing_files_fail(0, SQLITE_FULL);
	assert_int_equal(f->pMethods->xRead(f, page, sizeof page, 32), SQLITE_FULL);
	assert_true(failing_files_failed());
	assert_int_equal(f->pMethods->xRead(f, page, sizeof page, 32), SQLITE_FULL);
	assert_int_equal(f->pMethods->xSync(f, SQLITE_SYNC_NORMAL), SQLITE_FULL);
	run(s->db, "UPDATE state SET count=count+1");
	assert_int_equal(sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL), SQLITE_FULL);
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	assert_int_equal(sound_rows(file_in("a.db")), kept);
	assert_int_equal(insert_large(s, parent), OK);
	commit(s);
	assert_int_equal(sound_rows(file_in("a.db")), kept + 1);
	store_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_commit_is_written_at_once),
		TEST(a_journal_grows_ahead_as_far_as_it_may),
		TEST(a_journal_grows_ahead_within_a_transaction_only),
		TEST(a_journal_does_not_grow_ahead_on_a_full_disk),
		TEST(every_commit_is_there_for_others),
		TEST(readers_of_another_process_see_whole_commits),
		TEST(what_was_undone_is_not_written_over_what_others_wrote),
		TEST(the_file_has_what_was_written),
		TEST(a_failing_journal_loses_only_what_was_not_acknowledged),
		TEST(a_full_journal_loses_only_what_was_not_acknowledged),
		TEST(a_failure_lasts_as_long_as_its_transaction),
	};

	memset(filler, 'x', sizeof filler);
	failing_files_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
