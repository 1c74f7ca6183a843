/* Killed while writing: what was acknowledged is there, what was not is there whole or not at all, no number comes twice, and the store
 * opens as if nothing had been. */
#include "stores.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sqlite/private.h"

#define ROUNDS 50
#define BATCHES 4096 /* more than a round gets to */

/* What the writer tells: the numbers it was given, and then that they are committed. */
struct note {
	int64_t batch, first, last;
	int64_t acknowledged; /* 0: numbers were given; 1: store_commit said OK */
};

static void tell(int fd, struct note n)
{
	if (write(fd, &n, sizeof n) != (ssize_t)sizeof n)
		_exit(3);
}

static bool insert_one(struct store *s, int64_t id, int64_t parent, bool instance, int64_t batch)
{
	char body[64];
	struct rd label = rd_str("kept");
	struct store_row row = {.id = id, .parent = parent, .type = instance ? 4 : 3, .instance = instance, .root = "m2m:any", .creator = "C"};

	snprintf(body, sizeof body, "{\"batch\":%lld}", (long long)batch);
	row.body = rd_str(body);
	return store_insert(s, &row, &label, id % 5 == 0) == OK;
}

/* Writes batches of rows until it is killed: instances, resources, labels, a value, and an operation undone now and then. */
static void write_on(const char *path, int64_t parent, int64_t batch, int fd)
{
	struct store *s;
	const char *detail;

	if (store_open(&(struct store_options){.path = path}, &s, &detail) != OK)
		_exit(2);
	for (;; batch++) {
		struct note n = {.batch = batch, .first = INT64_MAX};
		int rows = 1 + (int)(batch * 7 % 40);

		for (int i = 0; i < rows; i++) {
			int64_t id = store_new_id(s);

			n.first = id < n.first ? id : n.first;
			n.last = id;
			if (id == 0 || !insert_one(s, id, parent, i % 4 != 0, batch))
				_exit(4);
		}
		if (store_savepoint(s) != OK || !insert_one(s, n.last = store_new_id(s), parent, true, -1))
			_exit(5);
		store_undo(s);
		if (store_value_set(s, "batch", rd_of(&batch, sizeof batch)) != OK)
			_exit(6);
		tell(fd, n);
		if (store_commit(s) != OK)
			_exit(7);
		n.acknowledged = 1;
		tell(fd, n);
	}
}

struct ledger {
	int64_t most;                     /* the highest number given out so far */
	int64_t acknowledged;             /* the last batch */
	int rows[BATCHES];                /* found in the store */
};

static bool count_row(void *ctx, const struct store_row *row)
{
	struct ledger *l = ctx;
	char text[64];
	long long batch;

	assert_true(rd_text(row->body, text, sizeof text));
	assert_int_equal(sscanf(text, "{\"batch\":%lld}", &batch), 1);
	assert_in_range(batch, 0, BATCHES - 1); /* -1 was undone */
	assert_true(row->id <= l->most);
	l->rows[batch]++;
	return true;
}

static bool is_batch(void *ctx, const struct store_row *row)
{
	int64_t batch;

	assert_int_equal(row->body.left, sizeof batch);
	memcpy(&batch, row->body.at, sizeof batch);
	*(int64_t *)ctx = batch;
	return true;
}

/* Starts a writer and kills it after some notes, while it goes on; takes in what it told. */
static void run_and_kill(const char *path, int64_t parent, int64_t batch, int notes, struct ledger *l)
{
	struct note n;
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[0]);
		write_on(path, parent, batch, ends[1]);
	}
	close(ends[1]);
	for (int i = 0; read(ends[0], &n, sizeof n) == (ssize_t)sizeof n; i++) {
		if (!n.acknowledged)
			assert_true(n.first > l->most); /* never a number that was given before */
		if (n.last > l->most)
			l->most = n.last;
		if (n.acknowledged)
			l->acknowledged = n.batch;
		if (i == notes)
			kill(pid, SIGKILL);
	}
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void a_kill_loses_nothing_that_was_acknowledged(void **state)
{
	struct ledger *l = calloc(1, sizeof *l);
	const char *path = file_in("crash.db");
	struct store *s = opened(path);
	int64_t parent = put(s, 0, 5, "cse"), batch = 0, last = -1;

	(void)state;
	assert_non_null(l);
	commit(s);
	store_close(s);
	srand(1);
	l->most = parent;
	l->acknowledged = -1;
	for (int round = 0; round < ROUNDS; round++) {
		/* a spread that makes some kills hit the opening, others a commit far in */
		run_and_kill(path, parent, batch, rand() % (round % 2 ? 60 : 6), l);
		s = opened(path);
		assert_sound(s);
		memset(l->rows, 0, sizeof l->rows);
		assert_int_equal(store_children(s, parent, 3, 0, count_row, l), OK);
		assert_int_equal(store_instances(s, parent, false, 0, count_row, l), OK);
		assert_int_equal(store_value_get(s, "batch", is_batch, &last), OK);
		assert_in_range(last, l->acknowledged, l->acknowledged + 1); /* one may be on disk, and its word not out */
		for (int64_t b = 0; b <= last; b++)
			assert_int_equal(l->rows[b], 1 + b * 7 % 40);
		assert_int_equal(l->rows[last + 1], 0);
		store_close(s);
		l->acknowledged = last;
		batch = last + 1;
		assert_true(batch < BATCHES - 1);
	}
	print_message("%d kills, %lld batches, numbers up to %lld\n", ROUNDS, (long long)batch, (long long)l->most);
	free(l);
}

/* More numbers than a block, in a transaction that fails and in one that goes. */
static void numbers_reach_beyond_a_block(void **state)
{
	const char *path = file_in("numbers.db");
	struct store *s = opened(path);
	int64_t last = 0, id;
	pid_t pid;
	int status, ends[2];

	(void)state;
	put(s, 0, 3, "a");
	for (int i = 0; i < 3 * ID_BLOCK; i++) {
		id = store_new_id(s);
		assert_true(id > last);
		last = id;
	}
	store_rollback(s);
	assert_true(store_new_id(s) > last);
	store_close(s);
	/* a process that dies right after it was given many numbers, outside of a transaction and in one that commits */
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		s = opened(path);
		for (int i = 0; i < 2 * ID_BLOCK + 5; i++)
			last = store_new_id(s);
		put(s, 0, 3, "b");
		for (int i = 0; i < 2 * ID_BLOCK + 5; i++)
			last = store_new_id(s);
		put(s, 0, 3, "c");
		commit(s);
		last = store_new_id(s);
		_exit(write(ends[1], &last, sizeof last) == (ssize_t)sizeof last ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(ends[0], &last, sizeof last), sizeof last);
	close(ends[0]);
	close(ends[1]);
	s = opened(path);
	assert_true(store_new_id(s) > last);
	assert_int_equal(store_count(s), 2);
	assert_sound(s);
	store_close(s);
}

static void closing_gives_numbers_back(void **state)
{
	struct store *s = opened(file_in("back.db"));
	int64_t a = put(s, 0, 3, "a");

	(void)state;
	commit(s);
	store_close(s);
	s = opened(file_in("back.db"));
	assert_int_equal(store_new_id(s), a + 1);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_kill_loses_nothing_that_was_acknowledged, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(numbers_reach_beyond_a_block, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(closing_gives_numbers_back, folder_make, folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
