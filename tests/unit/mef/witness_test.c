/* Old copies of the audit log and of registry.db, put back together, fit each other; not what node B was told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mef_rig.h"

static void copy(const char *from, const char *to)
{
	char line[400];

	snprintf(line, sizeof line, "cp '%s' '%s'", in_dir(from), in_dir(to));
	assert_int_equal(system(line), 0);
}

static bool told_of(const char *event)
{
	char text[65536];
	FILE *f = fopen(in_dir("audit.log"), "r");
	size_t len;

	assert_non_null(f);
	len = fread(text, 1, sizeof text - 1, f);
	text[len] = '\0';
	fclose(f);
	return strstr(text, event) != NULL;
}

static void a_log_that_goes_on_fits(void **state)
{
	const struct audit_head nothing = {.last = 0};
	struct audit_head first, second, third;

	(void)state;
	assert_true(mef_witness(mef, "/id-b", &nothing, &first));
	assert_true(first.last > 0);
	(void)device(1, "", "/id-b", OK);
	assert_true(mef_witness(mef, "/id-b", &first, &second));
	assert_true(second.last > first.last);
	stop();
	start();
	assert_true(mef_witness(mef, "/id-b", &second, &third));
	assert_true(mef_witness(mef, "/id-b", &first, &third));
	assert_false(told_of("witness"));
}

static void old_copies_put_back_together_do_not(void **state)
{
	const struct audit_head nothing = {.last = 0};
	struct audit_head known, now;

	(void)state;
	stop();
	copy("audit.log", "audit.old");
	copy("registry.db", "registry.old");
	start();
	(void)device(1, "", "/id-b", OK);
	assert_true(mef_witness(mef, "/id-b", &nothing, &known));
	stop();
	copy("audit.old", "audit.log");
	copy("registry.old", "registry.db");
	start(); /* on this host nothing shows it */
	assert_false(mef_witness(mef, "/id-b", &known, &now));
	assert_true(now.last < known.last || memcmp(now.hash, known.hash, sizeof now.hash) != 0);
	assert_true(told_of("audit log is not what its witness knows"));
	/* nor when as many lines have come since */
	for (uint64_t n = 2; n <= 5; n++)
		(void)device(n, "", "/id-b", OK);
	assert_false(mef_witness(mef, "/id-b", &known, &now));
	assert_true(now.last > known.last);
	assert_true(mef_witness(mef, "/id-b", &now, &known));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_log_that_goes_on_fits, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(old_copies_put_back_together_do_not, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
