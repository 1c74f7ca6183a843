/* Frame counters over a real SQLite file: a process that is killed at the worst moments repeats no number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "keys/counter.h"

#define BLOCK 5
#define ROUNDS 60
#define USED_MAX 4096

enum death {
	BEFORE_COMMIT,           /* asked to reserve; nothing on disk yet */
	BETWEEN_RESERVE_AND_USE, /* on disk, and not one number of the block used */
	BETWEEN_USE_AND_RESERVE, /* in the middle of a block, or at its end */
};

/* Shared with the children: what went on air. */
struct air {
	uint32_t count;
	uint32_t used[USED_MAX];
};

struct node {
	sqlite3 *db;
	enum death death;
	unsigned reserves_left; /* dies in the reserve that makes this 0 */
	bool liar;              /* says that it is on disk, and it is not */
};

static char folder[64];
static char path[96];

static sqlite3 *store_open(void)
{
	sqlite3 *db;

	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
			     "CREATE TABLE IF NOT EXISTS counter(id INTEGER PRIMARY KEY, reserved INTEGER NOT NULL) STRICT;"
			     "INSERT OR IGNORE INTO counter VALUES(1, 0);",
		NULL, NULL, NULL) != SQLITE_OK)
		return NULL;
	return db;
}

static int one_number(void *ctx, int columns, char **texts, char **names)
{
	(void)columns;
	(void)names;
	*(uint32_t *)ctx = (uint32_t)strtoul(texts[0], NULL, 10);
	return 0;
}

static enum err reserve(void *ctx, uint32_t limit)
{
	struct node *n = ctx;
	bool last = n->reserves_left > 0 && --n->reserves_left == 0;
	char sql[80];

	if (n->liar)
		return OK;
	snprintf(sql, sizeof sql, "BEGIN IMMEDIATE; UPDATE counter SET reserved = %u WHERE id = 1;", limit);
	if (sqlite3_exec(n->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return ERR_STORE;
	if (last && n->death == BEFORE_COMMIT)
		raise(SIGKILL);
	if (sqlite3_exec(n->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		return ERR_STORE;
	if (last && n->death == BETWEEN_RESERVE_AND_USE)
		raise(SIGKILL);
	return OK;
}

/* Never returns: it dies by its own hand. */
static void live(struct air *air, enum death death, unsigned amount, bool liar)
{
	struct node n = {store_open(), death, death == BETWEEN_USE_AND_RESERVE ? 0 : amount, liar};
	uint32_t stored = 0, number;
	struct counter c;

	if (!n.db || sqlite3_exec(n.db, "SELECT reserved FROM counter WHERE id = 1", one_number, &stored, NULL) != SQLITE_OK)
		_exit(1);
	counter_init(&c, stored, BLOCK);
	for (unsigned sent = 0;; sent++) {
		if (death == BETWEEN_USE_AND_RESERVE && sent == amount)
			raise(SIGKILL);
		if (counter_take(&c, reserve, &n, &number) != OK || air->count == USED_MAX)
			_exit(2);
		air->used[air->count++] = number;
	}
}

/* Lives ROUNDS times on a fresh store; true when every number on air was above all before it. */
static bool rounds_repeat_nothing(bool liar)
{
	struct air *air = mmap(NULL, sizeof *air, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct rng rng = rng_seeded(11);
	bool good = true;

	assert_true(air != MAP_FAILED);
	for (unsigned round = 0; round < ROUNDS; round++) {
		const enum death death = (enum death)(round % 3);
		/* the first rounds take each small amount in turn: also the first number and a block's last */
		unsigned amount = 1 + (round < 36 ? round / 3 : rng_below(&rng, 4 * BLOCK));
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			live(air, liar ? BETWEEN_USE_AND_RESERVE : death, amount, liar);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGKILL);
	}
	assert_true(air->count > 2 * ROUNDS);
	for (uint32_t i = 1; i < air->count; i++)
		good = good && air->used[i] > air->used[i - 1];
	munmap(air, sizeof *air);
	return good;
}

static void a_process_killed_around_a_reserve_repeats_no_number(void **state)
{
	(void)state;
	assert_true(rounds_repeat_nothing(false));
}

/* The twin: with a store that answers before its write is on disk, the same rounds do find repeats. */
static void the_same_rounds_notice_a_store_that_is_not_durable(void **state)
{
	(void)state;
	assert_false(rounds_repeat_nothing(true));
}

/* A store in memory that can refuse. */
struct ledger {
	uint32_t limit;
	unsigned calls;
	enum err answer;
};

static enum err note(void *ctx, uint32_t limit)
{
	struct ledger *l = ctx;

	l->calls++;
	if (l->answer == OK)
		l->limit = limit;
	return l->answer;
}

static void gives_only_numbers_below_the_durable_limit(void **state)
{
	struct ledger l = {0, 0, OK};
	struct counter c;
	uint32_t number;

	(void)state;
	counter_init(&c, 0, 8);
	for (uint32_t i = 0; i < 50; i++) {
		assert_int_equal(counter_take(&c, note, &l, &number), OK);
		assert_int_equal(number, i);
		assert_true(number < l.limit);
	}
	assert_int_equal(l.calls, 7); /* one write for eight numbers */
	counter_init(&c, l.limit, 8);
	assert_int_equal(counter_take(&c, note, &l, &number), OK);
	assert_int_equal(number, 56);
	counter_init(&c, 100, 0);
	assert_int_equal(counter_take(&c, note, &l, &number), OK);
	assert_true(number == 100 && l.limit == 101);
}

static void a_refusing_store_leaves_the_counter_as_it_was(void **state)
{
	struct ledger l = {0, 0, ERR_STORE};
	uint32_t number = 77;
	struct counter c;

	(void)state;
	counter_init(&c, 40, 8);
	assert_int_equal(counter_take(&c, note, &l, &number), ERR_STORE);
	assert_int_equal(counter_take(&c, note, &l, &number), ERR_STORE);
	assert_int_equal(number, 77);
	l.answer = OK;
	assert_int_equal(counter_take(&c, note, &l, &number), OK);
	assert_int_equal(number, 40);
}

static void ends_before_the_numbers_wrap(void **state)
{
	struct ledger l = {0, 0, OK};
	uint32_t number = 0, taken = 0;
	struct counter c;

	(void)state;
	counter_init(&c, COUNTER_LIMIT - 11, 8);
	while (counter_take(&c, note, &l, &number) == OK)
		taken++;
	assert_int_equal(taken, 11);
	assert_int_equal(number, COUNTER_LIMIT - 1);
	assert_int_equal(l.limit, COUNTER_LIMIT);
	assert_int_equal(counter_take(&c, note, &l, &number), ERR_COUNTER_EXHAUSTED);
	counter_init(&c, UINT32_MAX, 1024); /* a damaged store */
	assert_int_equal(counter_take(&c, note, &l, &number), ERR_COUNTER_EXHAUSTED);
	counter_init(&c, COUNTER_LIMIT, UINT32_MAX);
	assert_int_equal(counter_take(&c, note, &l, &number), ERR_COUNTER_EXHAUSTED);
	counter_init(&c, 5, UINT32_MAX);
	assert_int_equal(counter_take(&c, note, &l, &number), OK);
	assert_true(number == 5 && l.limit <= COUNTER_LIMIT);
}

static void incoming_numbers_must_rise(void **state)
{
	struct counter_in in = {false, 0};

	(void)state;
	assert_true(counter_in_fresh(&in, 0));
	counter_in_accept(&in, 0);
	assert_false(counter_in_fresh(&in, 0));
	assert_true(counter_in_fresh(&in, 1));
	assert_true(counter_in_fresh(&in, 1)); /* asking accepts nothing */
	counter_in_accept(&in, 1000);
	assert_false(counter_in_fresh(&in, 999));
	assert_false(counter_in_fresh(&in, 1000));
	assert_true(counter_in_fresh(&in, 1001));
	counter_in_accept(&in, UINT32_MAX);
	assert_false(counter_in_fresh(&in, 0)); /* no wrap */
	assert_false(counter_in_fresh(&in, UINT32_MAX));
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/keyway-counter-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/counters.db", folder);
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char name[112];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
		unlink(name);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_process_killed_around_a_reserve_repeats_no_number, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(the_same_rounds_notice_a_store_that_is_not_durable, make_folder, remove_folder),
		cmocka_unit_test(gives_only_numbers_below_the_durable_limit),
		cmocka_unit_test(a_refusing_store_leaves_the_counter_as_it_was),
		cmocka_unit_test(ends_before_the_numbers_wrap),
		cmocka_unit_test(incoming_numbers_must_rise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
