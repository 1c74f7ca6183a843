/* Copies of a store that is being written: whole, of one moment, and under their name only when they are. */
#include "stores.h"

#include <dirent.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH 10

struct progress {
	int last, calls;
};

static void note(void *ctx, int percent)
{
	struct progress *p = ctx;

	assert_in_range(percent, p->last + 1, 100);
	p->last = percent;
	p->calls++;
}

/* Batches of instances until it is ended; a byte after each commit. */
static void write_on(const char *path, int64_t parent, int fd)
{
	struct store *s;
	const char *detail;
	char body[2000];

	memset(body, 'x', sizeof body);
	if (store_open(&(struct store_options){.path = path}, &s, &detail) != OK)
		_exit(1);
	for (;;) {
		for (int i = 0; i < BATCH; i++) {
			struct store_row row = {.id = store_new_id(s), .parent = parent, .type = 4, .instance = true, .body = rd_of(body, sizeof body)};

			if (store_insert(s, &row, NULL, 0) != OK)
				_exit(2);
		}
		if (store_commit(s) != OK || write(fd, "", 1) != 1)
			_exit(3);
	}
}

static void await_commits(int fd, int n)
{
	char c;

	while (n-- > 0)
		assert_int_equal(read(fd, &c, 1), 1);
}

static unsigned files_named_like(const char *prefix)
{
	char folder[200];
	unsigned n = 0;
	const struct dirent *entry;
	DIR *d;

	snprintf(folder, sizeof folder, "%s", file_in("x"));
	*strrchr(folder, '/') = '\0';
	d = opendir(folder);
	assert_non_null(d);
	while ((entry = readdir(d)))
		n += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

static void a_store_is_copied_while_it_is_written(void **state)
{
	char path[128], copy[128];
	struct store *s;
	int64_t parent;
	uint64_t last = 0;
	int ends[2], status;
	pid_t pid;

	(void)state;
	strcpy(path, file_in("live.db"));
	s = opened(path);
	parent = put(s, 0, 5, "cse");
	commit(s);
	store_close(s);
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[0]);
		write_on(path, parent, ends[1]);
	}
	close(ends[1]);
	for (int i = 0; i < 5; i++) {
		struct progress p = {.last = -1};
		const char *detail = "";
		char name[32];

		await_commits(ends[0], 60);
		snprintf(name, sizeof name, "copy%d.db", i);
		strcpy(copy, file_in(name));
		if (store_backup(path, copy, note, &p, &detail) != OK)
			fail_msg("%s", detail);
		assert_int_equal(p.last, 100);
		assert_true(p.calls >= 1);
		snprintf(name, sizeof name, "copy%d", i);
		assert_int_equal(files_named_like(name), 1); /* the one file is all */
		s = opened(copy);
		assert_sound(s);
		assert_int_equal(store_count(s) % BATCH, 1);      /* no half of a batch */
		/* and all that was told to be committed before the copy began, and before the last copy */
		assert_true(store_count(s) >= 60 * BATCH * (uint64_t)(i + 1) && store_count(s) >= last);
		last = store_count(s);
		assert_int_equal(put_instance(s, parent, NULL) > 0, 1);
		commit(s);
		store_close(s);
	}
	kill(pid, SIGKILL);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	s = opened(path);
	assert_sound(s);
	store_close(s);
}

static void assert_refused(const char *from, const char *to, enum err e, const char *says)
{
	const char *detail = NULL;

	assert_int_equal(store_backup(from, to, NULL, NULL, &detail), e);
	assert_non_null(detail);
	if (!strstr(detail, says))
		fail_msg("\"%s\" does not say \"%s\"", detail, says);
	assert_int_equal(files_named_like("copy.db.part"), 0);
}

static void touch(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void a_copy_replaces_nothing_and_copies_only_stores(void **state)
{
	char from[128], to[128];

	(void)state;
	strcpy(from, file_in("from.db"));
	strcpy(to, file_in("copy.db"));
	assert_refused(from, to, ERR_STORE, "can't open");
	touch(from, "this is a text of some length, and no database whatever one may think of it, nor will it ever become one in this life");
	assert_refused(from, to, ERR_STORE, "not a database");
	touch(from, "");
	assert_refused(from, to, ERR_STORE, "not a store of Keyway");
	unlink(from);
	store_close(opened(from));
	assert_refused(from, file_in("no/folder/copy.db"), ERR_STORE, "No such file");
	touch(to, "precious");
	assert_refused(from, to, ERR_EXISTS, "exists already");
	unlink(to);
	touch(file_in("copy.db-wal"), "another's journal");
	assert_refused(from, to, ERR_EXISTS, "copy.db-wal exists already");
	assert_int_equal(access(to, F_OK), -1);
}

static void a_copy_that_finds_no_room_leaves_nothing(void **state)
{
	char from[128], to[128];
	struct rlimit before, limit;
	struct store *s;
	int64_t parent;

	(void)state;
	strcpy(from, file_in("from.db"));
	strcpy(to, file_in("copy.db"));
	s = opened(from);
	parent = put(s, 0, 5, "cse");
	for (int i = 0; i < 20000; i++)
		put_instance(s, parent, NULL);
	commit(s);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 200000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_refused(from, to, ERR_FULL, "no room left for the copy");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(files_named_like("copy"), 0);
	put_instance(s, parent, NULL); /* the store goes on */
	commit(s);
	assert_sound(s);
	store_close(s);
}

/* What is damaged is not kept as a backup. */
static void a_damaged_store_is_not_copied(void **state)
{
	char from[128], to[128], page[4096];
	struct store *s;
	struct stat info;
	int64_t parent;
	FILE *f;

	(void)state;
	strcpy(from, file_in("from.db"));
	strcpy(to, file_in("copy.db"));
	s = opened(from);
	parent = put(s, 0, 5, "cse");
	for (int i = 0; i < 2000; i++)
		put_instance(s, parent, NULL);
	commit(s);
	store_close(s);
	assert_int_equal(stat(from, &info), 0);
	memset(page, 0xff, sizeof page);
	f = fopen(from, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, info.st_size / 2 / 4096 * 4096, SEEK_SET), 0);
	assert_int_equal(fwrite(page, sizeof page, 1, f), 1);
	fclose(f);
	assert_refused(from, to, ERR_STORE, "damaged");
	assert_int_equal(access(to, F_OK), -1);
}

/* Before a new version migrates it. */
static void a_store_of_an_older_version_is_copied(void **state)
{
	char from[128], to[128];
	const char *detail = "";
	struct store *s;
	sqlite3 *db;

	(void)state;
	strcpy(from, file_in("from.db"));
	strcpy(to, file_in("copy.db"));
	assert_int_equal(sqlite3_open(from, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE resource(id INTEGER PRIMARY KEY, parent, type, ri, rn, root, creator, body); CREATE TABLE number(next);"
					  "CREATE INDEX resource_ri ON resource(ri); CREATE INDEX resource_name ON resource(rn); CREATE INDEX resource_child ON resource(parent);"
					  "INSERT INTO number VALUES(9); INSERT INTO resource VALUES(1, 0, 5, 'id-in', 'cse-in', 'm2m:cb', '', '{}');",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	if (store_backup(from, to, NULL, NULL, &detail) != OK)
		fail_msg("%s", detail);
	s = opened(to);
	assert_int_equal(store_count(s), 1);
	assert_sound(s);
	store_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_store_is_copied_while_it_is_written),
		TEST(a_copy_replaces_nothing_and_copies_only_stores),
		TEST(a_copy_that_finds_no_room_leaves_nothing),
		TEST(a_damaged_store_is_not_copied),
		TEST(a_store_of_an_older_version_is_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
