/* The program itself: refuses weak configurations with advice, says when it is ready, ends cleanly, starts again after a kill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keys/sealed.h"
#include "pki/pki.h"

static char dir[64];
static pid_t pid;
static FILE *output;
static char seen[8192];

static const char *in_dir(const char *name)
{
	static char paths[4][128];
	static unsigned turn;
	char *p = paths[turn++ % 4];

	snprintf(p, sizeof paths[0], "%s/%s", dir, name);
	return p;
}

static void write_text(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(in_dir(name), mode), 0);
}

static void configure(const char *egp)
{
	char text[2048];

	snprintf(text, sizeof text,
	    "[mef]\nid = mef.keyway.example\nsp = keyway.example\nstate = %s/state\nkey_file = %s/file.key\n"
	    "[tls]\nca = %s/ca.pem\ncert = %s/mef.pem\nkey = %s/mef.key\n[mmef]\nlisten = 127.0.0.1:0\n[egp]\ntls_listen = 127.0.0.1:0\n%s",
	    dir, dir, dir, dir, dir, egp);
	write_text("mef.ini", text, 0600);
}

static int make_plant(void **state)
{
	struct rng rng = rng_system();

	(void)state;
	strcpy(dir, "/tmp/keyway-mefp-XXXXXX");
	if (!getenv("KEYWAY_MEF") || !mkdtemp(dir) || pki_ca_create(dir, "test CA", 2) != OK || pki_issue(dir, "mef", "mef.keyway.example", 1) != OK ||
	    key_file_create(in_dir("file.key"), &rng) != OK)
		return -1;
	write_text("psk", "gw1:000102030405060708090a0b0c0d0e0f\n", 0600);
	return 0;
}

static int remove_plant(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command) == 0 ? 0 : -1;
}

static void start(void)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl(getenv("KEYWAY_MEF"), "keyway-mef", "--config", in_dir("mef.ini"), (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	output = fdopen(ends[0], "r");
	assert_non_null(output);
	seen[0] = '\0';
}

/* Reads lines until one holds `text`; false at the end of the output. */
static bool says(const char *text)
{
	size_t len = strlen(seen);

	while (len < sizeof seen - 1 && fgets(seen + len, (int)(sizeof seen - len), output)) {
		if (strstr(seen + len, text))
			return true;
		len = strlen(seen);
	}
	return strstr(seen, text) != NULL;
}

static int finish(void)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	fclose(output);
	return status;
}

static void expect_end(const char *advice, int expected)
{
	int status;

	start();
	if (!says(advice))
		fail_msg("it does not say `%s` but: %s", advice, seen);
	status = finish();
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == expected);
}

static void expect_refusal(const char *advice)
{
	expect_end(advice, 1);
}

static void starts_ends_and_survives_a_kill(void **state)
{
	int status;

	(void)state;
	configure("");
	for (int round = 0; round < 3; round++) {
		int sig = round == 1 ? SIGKILL : SIGTERM;

		start();
		assert_true(says(" ready mmef="));
		assert_int_equal(kill(pid, sig), 0);
		status = finish();
		assert_true(sig == SIGKILL ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}

static void refuses_weak_configurations(void **state)
{
	(void)state;
	configure("");
	assert_int_equal(chmod(in_dir("file.key"), 0644), 0);
	expect_refusal("the key file can't be used");
	assert_int_equal(chmod(in_dir("file.key"), 0600), 0);
	assert_int_equal(chmod(in_dir("mef.key"), 0640), 0);
	expect_refusal("TLS credentials in [tls] can't be used");
	assert_int_equal(chmod(in_dir("mef.key"), 0600), 0);
	configure("insecure_listen = 127.0.0.1:0\n");
	expect_refusal("EGP over plain TCP is refused");
	configure("insecure = yes\ninsecure_listen = 0.0.0.0:0\n");
	expect_refusal("it may only be on loopback");
	configure("psk_listen = 127.0.0.1:0\n");
	expect_refusal("belong together");
	assert_int_equal(chmod(in_dir("psk"), 0604), 0);
	{
		char egp[256];

		snprintf(egp, sizeof egp, "psk_listen = 127.0.0.1:0\npsk_file = %s/psk\n", dir);
		configure(egp);
	}
	expect_refusal("psk_file in [egp] can't be used");
	configure("header_addresses = some\n");
	expect_refusal("header_addresses in [egp] is wrong");
	configure("[policy]\nshort_install_code = yes\n");
	expect_end("did you mean `short_install_codes`", 2); /* as of a command line that cannot be */
}

static void refuses_a_changed_audit_log(void **state)
{
	char text[4096];
	FILE *f;
	size_t len;

	(void)state;
	configure("");
	start();
	assert_true(says(" ready mmef="));
	kill(pid, SIGTERM);
	(void)finish();
	f = fopen(in_dir("state/audit.log"), "r+");
	assert_non_null(f);
	len = fread(text, 1, sizeof text, f);
	assert_true(len > 20);
	fseek(f, (long)len - 20, SEEK_SET);
	fputc(text[len - 20] == '0' ? '1' : '0', f);
	fclose(f);
	expect_refusal("audit log was changed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_ends_and_survives_a_kill),
		cmocka_unit_test(refuses_weak_configurations),
		cmocka_unit_test(refuses_a_changed_audit_log),
	};

	return cmocka_run_group_tests(tests, make_plant, remove_plant);
}
