/* How the processes of a demo end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/process.h"

#define PATIENCE_MS 60000

static struct process_set *set_new(void)
{
	struct process_set *set = calloc(1, sizeof *set);

	assert_non_null(set);
	snprintf(set->out, sizeof set->out, "/tmp/keyway-process-XXXXXX");
	assert_non_null(mkdtemp(set->out));
	return set;
}

static void set_free(struct process_set *set)
{
	process_remove_folder(set->out);
	free(set);
}

static struct process *shell(struct process_set *set, const char *role, const char *script)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	struct process *p = process_start(set, role, argv);

	assert_non_null(p);
	assert_true(process_wait_line(p, "ready", PATIENCE_MS));
	return p;
}

static void those_that_go_on_and_those_that_have_ended_end_well(void **state)
{
	struct process_set *set = set_new();

	(void)state;
	shell(set, "on", "echo ready; read line");
	shell(set, "over", "echo ready");
	assert_true(process_stop_all(set));
	set_free(set);
}

static void a_crash_is_told_at_the_end(void **state)
{
	struct process_set *set = set_new();

	(void)state;
	shell(set, "well", "echo ready; read line");
	shell(set, "late", "trap 'trap - ABRT; kill -ABRT $$' TERM; echo ready; while true; do sleep 0.01; done");
	assert_false(process_stop_all(set));
	set_free(set);
}

static void a_crash_is_remembered_after_another_start(void **state)
{
	struct process_set *set = set_new();
	struct process *p;

	(void)state;
	p = shell(set, "again", "echo ready; kill -SEGV $$");
	assert_false(process_wait_line(p, "never said", PATIENCE_MS)); /* until it has ended */
	shell(set, "again", "echo ready; read line");
	assert_false(process_stop_all(set));
	set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_that_go_on_and_those_that_have_ended_end_well),
		cmocka_unit_test(a_crash_is_told_at_the_end),
		cmocka_unit_test(a_crash_is_remembered_after_another_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
