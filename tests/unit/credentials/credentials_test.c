/* The credential store: rows survive, are bound to what they say, end; keys rotate under a file and in a token, and may be killed at it. */
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "credentials/credentials.h"
#include "credentials/standing.h"
#include "keys/sealed.h"
#include "keys/sealed.h"

#define ROWS 5

static char dir[64], db[96], key_file[96];
static const char *detail;
static bool die_at_rename;

int __wrap_rename(const char *from, const char *to);
int __real_rename(const char *from, const char *to);

int __wrap_rename(const char *from, const char *to)
{
	if (die_at_rename)
		raise(SIGKILL);
	return __real_rename(from, to);
}

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/keyway-cred-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(db, sizeof db, "%s/credentials.db", dir);
	snprintf(key_file, sizeof key_file, "%s/credentials.key", dir);
	return 0;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command) == 0 ? 0 : -1;
}

static struct rng rng_now(void)
{
	return rng_system();
}

static struct credentials *opened(struct rng *rng, const char *kek)
{
	struct credentials_options o = {.path = db, .kek = kek, .rng = rng};
	struct credentials *s = NULL;

	assert_int_equal(credentials_open(&o, &s, &detail), OK);
	return s;
}

static struct secret *key_of(unsigned n)
{
	uint8_t octets[32];

	memset(octets, (int)n, sizeof octets);
	return secret_take(octets, sizeof octets);
}

static struct credential row(unsigned n)
{
	struct credential c = {.kind = KIND_KPSA, .suid = 12, .expires_at = 1000 + n, .added_at = 10};

	snprintf(c.identity, sizeof c.identity, "Row%u@b.example", n);
	snprintf(c.entity, sizeof c.entity, "m2m://sp.example/id-b/Cae%u m2m://sp.example/id-b/Cother", n);
	snprintf(c.peer, sizeof c.peer, "/id-b");
	c.key = key_of(n);
	return c;
}

static void fill(struct credentials *s)
{
	for (unsigned n = 0; n < ROWS; n++) {
		struct credential c = row(n);

		assert_int_equal(credentials_put(s, &c, true), OK);
		credential_clear(&c);
	}
}

static void expect_rows(struct credentials *s)
{
	char bad[CREDENTIAL_IDENTITY_MAX];

	assert_int_equal(credentials_verify(s, bad), OK);
	for (unsigned n = 0; n < ROWS; n++) {
		struct credential wanted = row(n), found;

		assert_int_equal(credentials_find(s, wanted.identity, &found), OK);
		assert_string_equal(found.identity, wanted.identity);
		assert_string_equal(found.entity, wanted.entity);
		assert_true(found.expires_at == wanted.expires_at && found.suid == 12 && found.kind == KIND_KPSA);
		assert_true(secret_equal(found.key, wanted.key));
		credential_clear(&found);
		credential_clear(&wanted);
	}
}

static void sql(const char *text)
{
	sqlite3 *d;

	assert_int_equal(sqlite3_open(db, &d), SQLITE_OK);
	assert_int_equal(sqlite3_exec(d, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(d);
}

static void keeps_rows_over_a_restart(void **state)
{
	struct rng rng = rng_now();
	struct credentials *s = opened(&rng, NULL);
	struct stat st;

	(void)state;
	fill(s);
	credentials_close(s);
	s = opened(&rng, NULL);
	expect_rows(s);
	assert_string_equal(credentials_kek(s), key_file);
	credentials_close(s);
	assert_true(stat(db, &st) == 0 && (st.st_mode & 077) == 0 && stat(key_file, &st) == 0 && (st.st_mode & 077) == 0);
}

static void finds_without_case_and_by_peer(void **state)
{
	struct rng rng = rng_now();
	struct credentials *s = opened(&rng, NULL);
	struct credential c;

	(void)state;
	fill(s);
	assert_int_equal(credentials_find(s, "rOW3@B.EXAMPLE", &c), OK);
	assert_string_equal(c.identity, "Row3@b.example");
	assert_false(credential_expired(&c, 1002));
	assert_true(credential_expired(&c, 1003));
	credential_clear(&c);
	assert_int_equal(credentials_find_peer(s, KIND_KPSA, "/id-b", 1002, &c), OK);
	assert_string_equal(c.identity, "Row4@b.example");
	credential_clear(&c);
	assert_int_equal(credentials_find_peer(s, KIND_KPSA, "/id-b", 1004, &c), ERR_NOT_FOUND);
	assert_int_equal(credentials_find_peer(s, KIND_KM, "/id-b", 0, &c), ERR_NOT_FOUND);
	assert_int_equal(credentials_find(s, "nobody@b.example", &c), ERR_NOT_FOUND);
	credentials_close(s);
}

static void count_row(void *ctx, const struct credential *c)
{
	(void)c;
	++*(unsigned *)ctx;
}

/* Another process: opens the store, counts, and closes it. */
static int visit(const char *path, unsigned rows)
{
	struct rng rng = rng_system();
	struct credentials_options o = {.path = path, .rng = &rng};
	struct credentials *s;
	unsigned found = 0;

	if (credentials_open(&o, &s, &detail) != OK || credentials_each(s, count_row, &found) != OK)
		return 1;
	credentials_close(s);
	return found == rows ? 0 : 1;
}

static void visited(const char *rows)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		execl("/proc/self/exe", "visit", db, rows, (char *)NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* SQLite's locks are the process's: a store that is opened once more must not drop them, or another process takes the log away under us. */
static void is_open_twice_while_others_come_and_go(void **state)
{
	struct rng rng = rng_now();
	struct credentials *first = opened(&rng, NULL), *second = opened(&rng, NULL);

	(void)state;
	visited("0");
	fill(first);
	visited("5"); /* ROWS */
	expect_rows(second);
	credentials_close(second);
	credentials_close(first);
}

static void adds_once_and_removes(void **state)
{
	struct rng rng = rng_now();
	struct credentials *s = opened(&rng, NULL);
	struct credential c = row(1);
	uint64_t removed;

	(void)state;
	fill(s);
	assert_int_equal(credentials_put(s, &c, true), ERR_EXISTS);
	assert_int_equal(credentials_put(s, &c, false), OK);
	assert_int_equal(credentials_remove(s, c.identity), OK);
	assert_int_equal(credentials_remove(s, c.identity), ERR_NOT_FOUND);
	assert_int_equal(credentials_sweep(s, 1002, &removed), OK);
	assert_int_equal(removed, 2); /* rows 0 and 2 */
	credential_clear(&c);
	credentials_close(s);
}

/* By Credential-ID, which is not always how the store spells it. */
static void tells_which_of_its_own_keys_stand(void **state)
{
	struct rng rng = rng_now();
	struct credentials *s = opened(&rng, NULL);
	struct credential c = row(0), other = row(1);
	char name[33], wanted[33];

	(void)state;
	c.kind = KIND_KPM;
	c.expires_at = 2000;
	snprintf(c.identity, sizeof c.identity, "a+b/c==@mef.sp.example");
	assert_int_equal(credentials_put(s, &c, true), OK);
	snprintf(c.identity, sizeof c.identity, "kpm-1@mef.sp.example");
	assert_int_equal(credentials_put(s, &c, true), OK);
	assert_int_equal(credentials_stand(s, CREDENTIAL_KPM, "mef.sp.example", 1999, "10-kpm-1@MEF.sp.example", name), OK);
	assert_int_equal(credentials_stand(s, CREDENTIAL_KPM, "mef.sp.example", 1999, "10-a-b_c@mef.sp.example", name), OK);
	assert_int_equal(credentials_stand(s, CREDENTIAL_KPM, "mef.sp.example", 2000, "10-kpm-1@mef.sp.example", name), ERR_NOT_FOUND);
	assert_int_equal(credentials_stand(s, CREDENTIAL_KPM, "mef.sp.example", 1999, "10-kpm-2@mef.sp.example", name), ERR_NOT_FOUND);
	assert_int_equal(credentials_stand(s, CREDENTIAL_KPM, "mef.sp.example", 1999, "10-a-b_c@mef.sp.example", name), OK);
	secret_name(c.key, wanted);
	assert_string_equal(name, wanted);
	secret_free(c.key);
	c.key = secret_dup(other.key);
	assert_int_equal(credentials_put(s, &c, false), OK);
	assert_int_equal(credentials_stand(s, CREDENTIAL_KPM, "mef.sp.example", 1999, "10-kpm-1@mef.sp.example", name), OK);
	assert_string_not_equal(name, wanted);
	/* not its to judge */
	assert_int_equal(credentials_stand(s, CREDENTIAL_KPM, "mef.sp.example", 1999, "10-kpm-2@other.sp.example", name), OK);
	assert_int_equal(credentials_stand(s, CREDENTIAL_KPM, "mef.sp.example", 1999, "12-kpm-2@mef.sp.example", name), OK);
	assert_int_equal(credentials_stand(s, CREDENTIAL_KPM, "mef.sp.example", 1999, "32-id-b.sp.example", name), OK);
	assert_int_equal(credentials_remove(s, c.identity), OK);
	assert_int_equal(credentials_stand(s, CREDENTIAL_KPM, "mef.sp.example", 1999, "10-kpm-1@mef.sp.example", name), ERR_NOT_FOUND);
	credential_clear(&c);
	credential_clear(&other);
	credentials_close(s);
}

static void refuses_what_cannot_be(void **state)
{
	static const char *const bad[] = {"", "x", "@b", "a@", "a@b@c", "a b@c", "a\n@c", "a:b@c"};
	struct rng rng = rng_now();
	struct credentials *s = opened(&rng, NULL);
	struct credential c = row(1);
	uint8_t octets[15] = {1};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		strcpy(c.identity, bad[i]);
		assert_int_equal(credentials_put(s, &c, false), ERR_BAD_VALUE);
	}
	strcpy(c.identity, "a@b");
	strcpy(c.entity, "/id-b\n12");
	assert_int_equal(credentials_put(s, &c, false), ERR_BAD_VALUE);
	c.entity[0] = '\0';
	credential_clear(&c);
	assert_int_equal(credentials_put(s, &c, false), ERR_BAD_VALUE);
	c.key = secret_take(octets, sizeof octets);
	assert_int_equal(credentials_put(s, &c, false), ERR_BAD_VALUE);
	credential_clear(&c);
	credentials_close(s);
}

/* Whoever can write the file, but has no key, can't make a key last longer, be another's, or serve another purpose. */
static void refuses_rows_that_were_changed(void **state)
{
	static const char *const changes[] = {
		"UPDATE credentials SET expires_at=4000000000 WHERE identity='Row1@b.example'",
		"UPDATE credentials SET entity='m2m://sp.example/id-b/Cadmin' WHERE identity='Row1@b.example'",
		"UPDATE credentials SET suid=32 WHERE identity='Row1@b.example'",
		"UPDATE credentials SET kind=11 WHERE identity='Row1@b.example'",
		"UPDATE credentials SET peer='/id-c' WHERE identity='Row1@b.example'",
		"UPDATE credentials SET sealed=(SELECT sealed FROM credentials WHERE identity='Row2@b.example') WHERE identity='Row1@b.example'",
		"UPDATE credentials SET identity='Row9@b.example' WHERE identity='Row1@b.example'",
	};
	struct rng rng = rng_now();
	char bad[CREDENTIAL_IDENTITY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct credentials *s = opened(&rng, NULL);
		struct credential c = row(1);

		fill(s);
		sql(changes[i]);
		assert_int_equal(credentials_verify(s, bad), ERR_BAD_MIC);
		credential_clear(&c);
		if (i < 6)
			assert_int_equal(credentials_find(s, "row1@b.example", &c), ERR_BAD_MIC);
		credentials_close(s);
		remove(db);
		remove(key_file);
	}
}

static void refuses_another_key(void **state)
{
	struct rng rng = rng_now();
	struct credentials *s = opened(&rng, NULL);
	struct credentials_options o = {.path = db, .rng = &rng};

	(void)state;
	fill(s);
	credentials_close(s);
	assert_int_equal(remove(key_file), 0);
	assert_int_equal(credentials_open(&o, &s, &detail), ERR_NOT_FOUND);
	assert_int_equal(key_file_create(key_file, &rng), OK);
	assert_int_equal(credentials_open(&o, &s, &detail), ERR_BAD_MIC);
	assert_int_equal(chmod(key_file, 0644), 0);
	assert_int_equal(credentials_open(&o, &s, &detail), ERR_CONFIG);
	o.no_keys = true; /* what is in the clear can still be listed */
	assert_int_equal(credentials_open(&o, &s, &detail), OK);
	credentials_close(s);
}

/* The secret's octets are nowhere in the files, nor is the data key under the old KEK any more. */
static void rotates_under_another_process(void **state)
{
	struct rng rng = rng_now();
	struct credentials *s = opened(&rng, NULL), *other = opened(&rng, NULL);
	struct secret *before, *after;
	struct credential c = row(7), found;

	(void)state;
	fill(s);
	assert_int_equal(key_file_read(key_file, &before), OK);
	assert_int_equal(credentials_rotate(s, NULL, &detail), OK);
	assert_int_equal(key_file_read(key_file, &after), OK);
	assert_false(secret_equal(before, after));
	expect_rows(s);
	expect_rows(other);
	assert_int_equal(credentials_rotate(other, NULL, &detail), OK);
	assert_int_equal(credentials_put(s, &c, true), OK); /* s has not looked since */
	assert_int_equal(credentials_find(other, c.identity, &found), OK);
	assert_true(secret_equal(found.key, c.key));
	credential_clear(&found);
	credential_clear(&c);
	secret_free(before);
	secret_free(after);
	credentials_close(s);
	credentials_close(other);
}

static void moves_to_another_key_file(void **state)
{
	struct rng rng = rng_now();
	struct credentials *s = opened(&rng, NULL);
	char other[96];

	(void)state;
	snprintf(other, sizeof other, "%s/other.key", dir);
	fill(s);
	assert_int_equal(credentials_rotate(s, other, &detail), OK);
	credentials_close(s);
	assert_int_not_equal(access(key_file, F_OK), 0);
	s = opened(&rng, NULL);
	expect_rows(s);
	assert_string_equal(credentials_kek(s), other);
	credentials_close(s);
	s = opened(&rng, key_file); /* a configuration that still names the old one */
	expect_rows(s);
	credentials_close(s);
}

/* ---- killed at it ---- */

static unsigned fills_left;
static struct rng mortal_source;

/* Random octets are asked for at each step: the new key, the data key, every row. */
static void mortal_fill(struct rng *self, void *octets, size_t len)
{
	(void)self;
	if (fills_left-- == 0)
		raise(SIGKILL);
	rng_fill(&mortal_source, octets, len);
}

/* True when the child lived to the end. */
static bool rotate_in_child(unsigned fills, bool at_rename, const char *reference)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct rng mortal = {.fill = mortal_fill};
		struct credentials_options o = {.path = db, .rng = &mortal};
		struct credentials *s;

		mortal_source = rng_system();
		fills_left = fills;
		die_at_rename = at_rename;
		if (credentials_open(&o, &s, &detail) != OK)
			_exit(2);
		_exit(credentials_rotate(s, reference, &detail) == OK ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return false;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return true;
}

static void kill_everywhere(const char *reference, unsigned least)
{
	struct rng rng = rng_now();
	unsigned fills = 0;
	bool lived;

	do {
		struct credentials *s;

		lived = rotate_in_child(fills++, false, reference);
		s = opened(&rng, NULL);
		expect_rows(s);
		credentials_close(s);
	} while (!lived);
	assert_true(fills > least);
}

static void survives_a_kill_at_every_step(void **state)
{
	struct rng rng = rng_now();
	struct credentials *s = opened(&rng, NULL);
	char aside[128];

	(void)state;
	fill(s);
	credentials_close(s);
	kill_everywhere(NULL, ROWS + 2);
	snprintf(aside, sizeof aside, "%s.new", key_file);
	assert_false(rotate_in_child(1000, true, NULL)); /* after the commit, before the key file is in its place */
	assert_int_equal(access(aside, F_OK), 0);
	s = opened(&rng, NULL);
	expect_rows(s);
	assert_int_not_equal(access(aside, F_OK), 0);
	assert_int_equal(credentials_rotate(s, NULL, &detail), OK);
	expect_rows(s);
	credentials_close(s);
}

/* ---- PKCS#11 ---- */

static const char *const modules[] = {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"};

/* A token of our own; false when this system has no SoftHSM. */
static bool token_make(char uri[static 512])
{
	char text[256];
	const char *module = NULL;
	FILE *f;

	for (size_t i = 0; !module && i < sizeof modules / sizeof modules[0]; i++)
		if (access(modules[i], R_OK) == 0)
			module = modules[i];
	if (!module)
		return false;
	snprintf(text, sizeof text, "%s/softhsm2.conf", dir);
	assert_int_equal(setenv("SOFTHSM2_CONF", text, 1), 0);
	f = fopen(text, "w");
	assert_non_null(f);
	fprintf(f, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", dir);
	fclose(f);
	snprintf(text, sizeof text, "softhsm2-util --init-token --free --label keyway --so-pin 1234567 --pin 7654321 >/dev/null");
	if (system(text) != 0)
		return false;
	snprintf(text, sizeof text, "%s/pin", dir);
	f = fopen(text, "w");
	assert_non_null(f);
	fputs("7654321\n", f);
	fclose(f);
	assert_int_equal(chmod(text, 0600), 0);
	snprintf(uri, 512, "pkcs11:token=keyway;object=test?module-path=%s&pin-source=file:%s", module, text);
	return true;
}

/* Objects in the token's folder: SoftHSM has a file for each. */
static int token_objects(void)
{
	char command[128];
	FILE *p;
	int n = -1;

	snprintf(command, sizeof command, "find '%s' -name '*.object' ! -name token.object | wc -l", dir);
	p = popen(command, "r");
	assert_non_null(p);
	assert_int_equal(fscanf(p, "%d", &n), 1);
	pclose(p);
	return n;
}

static void keeps_its_key_in_a_token(void **state)
{
	struct rng rng = rng_now();
	struct credentials *s;
	char uri[512], pin[96];

	(void)state;
	if (!token_make(uri))
		skip();
	s = opened(&rng, uri);
	fill(s);
	credentials_close(s);
	assert_int_not_equal(access(key_file, F_OK), 0);
	s = opened(&rng, NULL);
	expect_rows(s);
	assert_int_equal(token_objects(), 1);
	assert_int_equal(credentials_rotate(s, NULL, &detail), OK);
	expect_rows(s);
	assert_int_equal(token_objects(), 1);
	assert_int_equal(credentials_rotate(s, key_file, &detail), OK); /* out of the token */
	assert_int_equal(token_objects(), 0);
	assert_int_equal(credentials_rotate(s, uri, &detail), OK); /* and back */
	assert_int_not_equal(access(key_file, F_OK), 0);
	credentials_close(s);
	snprintf(pin, sizeof pin, "%s/pin", dir);
	assert_int_equal(chmod(pin, 0644), 0);
	struct credentials_options o = {.path = db, .rng = &rng};
	assert_int_equal(credentials_open(&o, &s, &detail), ERR_CONFIG);
	assert_non_null(strstr(detail, "pin-source"));
}

static void survives_a_kill_with_a_token(void **state)
{
	struct rng rng = rng_now();
	struct credentials *s;
	char uri[512];

	(void)state;
	if (!token_make(uri))
		skip();
	s = opened(&rng, uri);
	fill(s);
	credentials_close(s);
	kill_everywhere(NULL, ROWS + 1);
	s = opened(&rng, NULL);
	assert_int_equal(credentials_rotate(s, NULL, &detail), OK);
	expect_rows(s);
	credentials_close(s);
	assert_int_equal(token_objects(), 1); /* what the killed ones had made is gone */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_rows_over_a_restart, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(is_open_twice_while_others_come_and_go, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(finds_without_case_and_by_peer, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(adds_once_and_removes, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(tells_which_of_its_own_keys_stand, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(refuses_what_cannot_be, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(refuses_rows_that_were_changed, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(refuses_another_key, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(rotates_under_another_process, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(moves_to_another_key_file, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(survives_a_kill_at_every_step, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(keeps_its_key_in_a_token, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(survives_a_kill_with_a_token, make_dir, remove_dir),
	};

	if (argc == 3)
		return visit(argv[1], (unsigned)strtoul(argv[2], NULL, 10));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
