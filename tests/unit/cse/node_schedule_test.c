/* schedule: where it may be, and what a node's does. */
#include "harness.h"

#define EVENING "{'m2m:sch':{'rn':'sch','se':{'sce':['* * 20-23 * * * *']}}}"

static const struct answer *schedule(struct rig *g, const char *to, const char *more)
{
	return rig_create(g, "CAdmin", to, TY_SCHEDULE, rig_fmt(g, "{'m2m:sch':{'se':{'sce':['* * * * * * *']}%s}}", more));
}

static void takes_network_coordination_nowhere(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_NODE, "{'m2m:nod':{'rn':'n','ni':'1'}}"), RSC_CREATED);
	assert_rsc(schedule(g, "cse-in", ",'nco':true"), RSC_CONTENTS_UNACCEPTABLE);
	assert_rsc(schedule(g, "cse-in/n", ",'nco':true"), RSC_NOT_IMPLEMENTED);
	assert_rsc(schedule(g, "cse-in/n", ",'rn':'s','nco':false"), RSC_CREATED);
	assert_rsc(schedule(g, "cse-in", ",'rn':'s'"), RSC_CREATED);
	assert_rsc(schedule(g, "cse-in", ""), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/s", "{'m2m:sch':{'nco':true}}"), RSC_CONTENTS_UNACCEPTABLE);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n/s", "{'m2m:sch':{'nco':true}}"), RSC_NOT_IMPLEMENTED);
	rig_free(g);
}

static void closes_the_way_to_an_ae_and_opens_it_again(void **state)
{
	struct rig *g = rig_new(); /* it is eight in the morning */

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_NODE, "{'m2m:nod':{'rn':'n','ni':'1'}}"), RSC_CREATED);
	rig_ae(g, "CAe", "ae", rig_fmt(g, "'poa':['http://ae'],'nl':'%s'", rig_ri(g, "cse-in/n")));
	assert_rsc(rig_notify(g, "CAe", "cse-in/ae", "{'m2m:sgn':{'sur':'x'}}"), RSC_OK);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/n", TY_SCHEDULE, EVENING), RSC_CREATED);
	for (int i = 0; i < 2; i++) {
		assert_rsc(rig_notify(g, "CAe", "cse-in/ae", "{'m2m:sgn':{'sur':'x'}}"), RSC_TARGET_NOT_REACHABLE);
		rig_restart(g);
	}
	assert_int_equal(rig_count_sent(g, "http://ae"), 1);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/n", TY_SCHEDULE, "{'m2m:sch':{'rn':'two','se':{'sce':['* * 8 * * * *']}}}"), RSC_CREATED);
	assert_rsc(rig_notify(g, "CAe", "cse-in/ae", "{'m2m:sgn':{'sur':'x'}}"), RSC_OK);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/n/two"), RSC_DELETED);
	assert_rsc(rig_notify(g, "CAe", "cse-in/ae", "{'m2m:sgn':{'sur':'x'}}"), RSC_TARGET_NOT_REACHABLE);
	rig_advance(g, 12ULL * 3600 * 1000);
	assert_rsc(rig_notify(g, "CAe", "cse-in/ae", "{'m2m:sgn':{'sur':'x'}}"), RSC_OK);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n/sch", "{'m2m:sch':{'se':{'sce':['* * 8 * * * *']}}}"), RSC_UPDATED);
	assert_rsc(rig_notify(g, "CAe", "cse-in/ae", "{'m2m:sgn':{'sur':'x'}}"), RSC_TARGET_NOT_REACHABLE);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/n/sch"), RSC_DELETED);
	assert_rsc(rig_notify(g, "CAe", "cse-in/ae", "{'m2m:sgn':{'sur':'x'}}"), RSC_OK);
	rig_free(g);
}

static void keeps_notifications_for_the_time_when_the_node_is_there(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_NODE, "{'m2m:nod':{'rn':'n','ni':'1'}}"), RSC_CREATED);
	rig_ae(g, "CAe", "ae", rig_fmt(g, "'poa':['http://ae'],'nl':'%s'", rig_ri(g, "cse-in/n")));
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_SUBSCRIPTION, "{'m2m:sub':{'nu':['CAe'],'pn':2,'enc':{'net':[1]}}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/n", TY_SCHEDULE, EVENING), RSC_CREATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae", "{'m2m:ae':{'lbl':['x']}}"), RSC_UPDATED);
	rig_advance(g, 3600 * 1000);
	assert_int_equal(rig_count_sent(g, "http://ae"), 0);
	rig_advance(g, 12ULL * 3600 * 1000);
	assert_int_equal(rig_count_sent(g, "http://ae"), 1);
	rig_free(g);
}

static void closes_the_way_to_a_cse(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_NODE, "{'m2m:nod':{'rn':'n','ni':'1'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE, rig_fmt(g, "{'m2m:csr':{'rn':'mn','cb':'/id-mn/mn','csi':'/id-mn','rr':true,'srv':['4'],'poa':['http://mn'],'nl':'%s'}}",
	    rig_ri(g, "cse-in/n"))), RSC_CREATED);
	assert_rsc(rig_retrieve(g, "CAdmin", "/id-mn/mn"), RSC_OK);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/n", TY_SCHEDULE, EVENING), RSC_CREATED);
	assert_rsc(rig_retrieve(g, "CAdmin", "/id-mn/mn"), RSC_TARGET_NOT_REACHABLE);
	assert_int_equal(rig_count_sent(g, "http://mn"), 1);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_network_coordination_nowhere),
		cmocka_unit_test(closes_the_way_to_an_ae_and_opens_it_again),
		cmocka_unit_test(keeps_notifications_for_the_time_when_the_node_is_there),
		cmocka_unit_test(closes_the_way_to_a_cse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
