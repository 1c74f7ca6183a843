/* The bench does what the tests of the CSE rely on. */
#include "harness.h"

static void creates_and_retrieves(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_CONTAINER, "{'m2m:cnt':{'rn':'a','mni':3}}"), RSC_CREATED);
	a = rig_retrieve(g, "CAdmin", "cse-in/a");
	assert_rsc(a, RSC_OK);
	assert_value(a, "m2m:cnt.mni", "3");
	assert_value(a, "m2m:cnt.mbs", NULL);
	assert_rsc(rig_retrieve(g, "CNobody", "cse-in/a"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/a"), RSC_DELETED);
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/a"), RSC_NOT_FOUND);
	rig_free(g);
}

static void keeps_what_was_committed_over_a_restart(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	rig_ae(g, "CAe", "ae", "");
	rig_restart(g);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae"), RSC_OK);
	rig_free(g);
}

static void expires_when_the_clock_is_moved(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_CONTAINER, rig_fmt(g, "{'m2m:cnt':{'rn':'a','et':'%s'}}", rig_time(g, 5000))), RSC_CREATED);
	rig_advance(g, 4900);
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/a"), RSC_OK);
	rig_advance(g, 500);
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/a"), RSC_NOT_FOUND);
	rig_free(g);
}

static void captures_what_is_sent(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a;

	(void)state;
	rig_ae(g, "CAe", "ae", "'poa':['http://ae']");
	a = rig_notify(g, "CAe", "cse-in/ae", "{'m2m:sgn':{'sur':'x'}}");
	assert_rsc(a, RSC_OK);
	assert_int_equal(rig_count_sent(g, "http://ae"), 1);
	assert_json(rig_last_sent(g, "http://ae")->doc, "m2m:sgn.sur", "'x'");
	rig_network(g, "http://ae", RSC_TARGET_NOT_REACHABLE);
	assert_rsc(rig_notify(g, "CAe", "cse-in/ae", "{'m2m:sgn':{'sur':'x'}}"), RSC_TARGET_NOT_REACHABLE);
	rig_hold(g, "http://ae");
	a = rig_notify(g, "CAe", "cse-in/ae", "{'m2m:sgn':{'sur':'x'}}");
	assert_false(a->come);
	rig_reply(g, 2, RSC_OK, "");
	assert_rsc(a, RSC_OK);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creates_and_retrieves),
		cmocka_unit_test(keeps_what_was_committed_over_a_restart),
		cmocka_unit_test(expires_when_the_clock_is_moved),
		cmocka_unit_test(captures_what_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
