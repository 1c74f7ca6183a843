/* Announcement, both sides: TS-0001 clauses 9.6.26 and 10.2.18. */
#include <string.h>

#include "harness.h"

/* Another CSE at http://mn, which the test answers for. */
static struct rig *rig_with_remote(void)
{
	struct rig *g = rig_new();

	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE, "{'m2m:csr':{'csi':'/id-mn','cb':'/id-mn/cse-mn','rr':true,'srv':['3'],'poa':['http://mn']}}"),
	    RSC_CREATED);
	rig_hold(g, "http://mn");
	rig_ae(g, "CAe", "ae", "");
	return g;
}

static const struct sent *last(struct rig *g)
{
	return rig_last_sent(g, "http://mn");
}

static void reply(struct rig *g, enum onem2m_rsc rsc, const char *json)
{
	rig_reply(g, g->sent_count - 1, rsc, json);
	rig_advance(g, 1);
}

/* A container announced as /id-mn/cntA_1; the CSEBaseAnnc there is /id-mn/cbA_1. */
static const struct answer *announced(struct rig *g, const char *more)
{
	const struct answer *a =
	    rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, rig_fmt(g, "{'m2m:cnt':{'rn':'c','lbl':['l'],'mni':5,'mbs':100,'at':['/id-mn'],'aa':['mni']%s}}", more));

	assert_int_equal(last(g)->rq.type, TY_CSE_BASE + TY_ANNOUNCED);
	reply(g, RSC_CREATED, "{'m2m:cbA':{'ri':'cbA_1'}}");
	assert_int_equal(last(g)->rq.type, TY_CONTAINER + TY_ANNOUNCED);
	reply(g, RSC_CREATED, "{'m2m:cntA':{'ri':'cntA_1'}}");
	return a;
}

static void makes_the_double_and_answers_with_its_address(void **state)
{
	struct rig *g = rig_with_remote();
	const struct answer *a = rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'rn':'c','lbl':['l'],'mni':5,'mbs':100,'at':['/id-mn'],'aa':['mni']}}");

	(void)state;
	assert_false(a->come);
	assert_string_equal(last(g)->to, "/id-mn/-");
	assert_string_equal(last(g)->from, "/id-in");
	assert_json(last(g)->doc, "m2m:cbA.lnk", "'/id-in/id-in'");
	assert_non_null(json_path(last(g)->doc, "m2m:cbA.srv"));
	reply(g, RSC_CREATED, "{'m2m:cbA':{'ri':'cbA_1'}}");
	assert_string_equal(last(g)->to, "/id-mn/cbA_1");
	assert_json(last(g)->doc, "m2m:cntA.lnk", rig_fmt(g, "'/id-in/%s'", rig_ri(g, "cse-in/ae/c")));
	assert_json(last(g)->doc, "m2m:cntA.lbl", "['l']");
	assert_json(last(g)->doc, "m2m:cntA.mni", "5");
	assert_json(last(g)->doc, "m2m:cntA.mbs", NULL);
	assert_json(last(g)->doc, "m2m:cntA.ri", NULL);
	assert_non_null(json_path(last(g)->doc, "m2m:cntA.et"));
	reply(g, RSC_CREATED, "{'m2m:cntA':{'ri':'cntA_1'}}");
	assert_rsc(a, RSC_CREATED);
	assert_value(a, "m2m:cnt.at", "['/id-mn/cntA_1']");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/c"), "m2m:cnt.at", "['/id-mn/cntA_1']");
	rig_free(g);
}

static void sends_every_change_that_the_double_shows(void **state)
{
	struct rig *g = rig_with_remote();
	const struct answer *a;
	size_t n;

	(void)state;
	announced(g, "");
	n = g->sent_count;
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/c", "{'m2m:cnt':{'mbs':200}}"), RSC_UPDATED);
	assert_int_equal(g->sent_count, n);
	a = rig_update(g, "CAe", "cse-in/ae/c", "{'m2m:cnt':{'mni':6,'lbl':null}}");
	assert_false(a->come);
	assert_int_equal(last(g)->rq.operation, ONEM2M_UPDATE);
	assert_string_equal(last(g)->to, "/id-mn/cntA_1");
	assert_json(last(g)->doc, "m2m:cntA.mni", "6");
	assert_json(last(g)->doc, "m2m:cntA.lbl", "null");
	assert_json(last(g)->doc, "m2m:cntA.lnk", NULL);
	reply(g, RSC_UPDATED, "");
	assert_rsc(a, RSC_UPDATED);
	/* other attributes are to be seen there */
	a = rig_update(g, "CAe", "cse-in/ae/c", "{'m2m:cnt':{'aa':['mbs']}}");
	assert_json(last(g)->doc, "m2m:cntA.mbs", "200");
	assert_json(last(g)->doc, "m2m:cntA.mni", "null");
	reply(g, RSC_UPDATED, "");
	a = rig_update(g, "CAe", "cse-in/ae/c", "{'m2m:cnt':{'aa':null}}");
	assert_json(last(g)->doc, "m2m:cntA.mbs", "null");
	reply(g, RSC_UPDATED, "");
	assert_rsc(a, RSC_UPDATED);
	rig_free(g);
}

static void takes_the_double_away(void **state)
{
	struct rig *g = rig_with_remote();
	const struct answer *a;

	(void)state;
	announced(g, "");
	a = rig_update(g, "CAe", "cse-in/ae/c", "{'m2m:cnt':{'at':[]}}");
	assert_int_equal(last(g)->rq.operation, ONEM2M_DELETE);
	assert_string_equal(last(g)->to, "/id-mn/cntA_1");
	assert_false(a->come);
	reply(g, RSC_DELETED, "");
	assert_rsc(a, RSC_UPDATED);
	assert_value(a, "m2m:cnt.at", "[]");
	/* again, and then with the original */
	a = rig_update(g, "CAe", "cse-in/ae/c", "{'m2m:cnt':{'at':['/id-mn']}}");
	assert_string_equal(last(g)->to, "/id-mn/cbA_1");
	reply(g, RSC_CREATED, "{'m2m:cntA':{'ri':'cntA_2'}}");
	assert_value(a, "m2m:cnt.at", "['/id-mn/cntA_2']");
	a = rig_delete(g, "CAdmin", "cse-in/ae");
	assert_string_equal(last(g)->to, "/id-mn/cntA_2");
	assert_false(a->come);
	reply(g, RSC_DELETED, "");
	assert_rsc(a, RSC_DELETED);
	rig_free(g);
}

static void lies_below_the_double_of_its_parent(void **state)
{
	struct rig *g = rig_with_remote();
	const struct answer *a;

	(void)state;
	announced(g, "");
	a = rig_create(g, "CAe", "cse-in/ae/c", TY_CONTAINER, "{'m2m:cnt':{'at':['/id-mn']}}");
	assert_string_equal(last(g)->to, "/id-mn/cntA_1");
	reply(g, RSC_CREATED, "{'m2m:cntA':{'ri':'cntA_9'}}");
	assert_value(a, "m2m:cnt.at", "['/id-mn/cntA_9']");
	a = rig_create(g, "CAe", "cse-in/ae/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'v','at':['/id-mn'],'aa':['con']}}");
	assert_string_equal(last(g)->to, "/id-mn/cntA_1");
	assert_json(last(g)->doc, "m2m:cinA.con", "'v'");
	reply(g, RSC_CREATED, "{'m2m:cinA':{'ri':'cinA_1'}}");
	assert_value(a, "m2m:cin.at", "['/id-mn/cinA_1']");
	rig_free(g);
}

static void answers_without_the_other_cse_and_tries_again(void **state)
{
	struct rig *g = rig_with_remote();
	const struct answer *a;

	(void)state;
	a = rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'rn':'c','at':['/id-mn']}}");
	reply(g, RSC_TARGET_NOT_REACHABLE, "");
	assert_rsc(a, RSC_CREATED);
	assert_value(a, "m2m:cnt.at", "['/id-mn']");
	/* after a restart too; at once when the CSE shows itself */
	rig_restart(g);
	rig_forget_sent(g);
	assert_rsc(rig_update(g, "/id-mn", "id-mn", "{'m2m:csr':{'rr':true}}"), RSC_UPDATED);
	assert_int_equal(last(g)->rq.type, TY_CSE_BASE + TY_ANNOUNCED);
	reply(g, RSC_CREATED, "{'m2m:cbA':{'ri':'cbA_1'}}");
	reply(g, RSC_CREATED, "{'m2m:cntA':{'ri':'cntA_1'}}");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/c"), "m2m:cnt.at", "['/id-mn/cntA_1']");
	/* one that hangs does not keep the originator waiting */
	a = rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'rn':'d','at':['/id-mn']}}");
	rig_advance(g, 5000);
	assert_rsc(a, RSC_CREATED);
	reply(g, RSC_CREATED, "{'m2m:cntA':{'ri':'cntA_2'}}");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/d"), "m2m:cnt.at", "['/id-mn/cntA_2']");
	rig_free(g);
}

static void makes_anew_what_the_other_cse_has_lost(void **state)
{
	struct rig *g = rig_with_remote();
	const struct answer *a;

	(void)state;
	announced(g, "");
	a = rig_update(g, "CAe", "cse-in/ae/c", "{'m2m:cnt':{'mni':7}}");
	reply(g, RSC_NOT_FOUND, "");
	assert_string_equal(last(g)->to, "/id-mn/cbA_1");
	reply(g, RSC_NOT_FOUND, "");
	assert_string_equal(last(g)->to, "/id-mn/-");
	reply(g, RSC_CREATED, "{'m2m:cbA':{'ri':'cbA_7'}}");
	assert_string_equal(last(g)->to, "/id-mn/cbA_7");
	assert_json(last(g)->doc, "m2m:cntA.mni", "7");
	reply(g, RSC_CREATED, "{'m2m:cntA':{'ri':'cntA_7'}}");
	assert_rsc(a, RSC_UPDATED);
	assert_value(a, "m2m:cnt.at", "['/id-mn/cntA_7']");
	rig_free(g);
}

static void checks_what_shall_be_announced(void **state)
{
	struct rig *g = rig_with_remote();
	struct onem2m_request rq = {.operation = ONEM2M_CREATE, .type = TY_CONTAINER, .to = rd_str("cse-in/ae"), .from = rd_str("CAe"), .rcn = 9};
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'at':['/id-mn'],'aa':['nothing']}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'at':['id-mn']}}"), RSC_BAD_REQUEST);
	assert_int_equal(g->sent_count, 0);
	rq.content = rd_str(rig_json(g, "{'m2m:cnt':{'aa':['ri','ct','acpi']}}"));
	a = rig_ask(g, rq);
	assert_rsc(a, RSC_CREATED);
	assert_value(a, "m2m:cnt.aa", "null");
	rig_free(g);
}

static void means_its_own_identifiers_at_the_other_cse_too(void **state)
{
	struct rig *g = rig_with_remote();
	const struct json *acor;

	(void)state;
	rig_create(g, "CAdmin", "cse-in", TY_ACP,
	    "{'m2m:acp':{'rn':'acp','at':['/id-mn'],'pv':{'acr':[{'acor':['CAe','/id-x/CB','all'],'acop':63}]},'pvs':{'acr':[{'acor':['CAdmin'],'acop':63}]}}}");
	reply(g, RSC_CREATED, "{'m2m:cbA':{'ri':'cbA_1'}}");
	acor = json_get(json_at(json_path(last(g)->doc, "m2m:acpA.pv.acr"), 0), "acor");
	assert_true(json_is_string(json_at(acor, 0), "/id-in/CAe"));
	assert_true(json_is_string(json_at(acor, 1), "/id-x/CB"));
	assert_true(json_is_string(json_at(acor, 2), "all"));
	reply(g, RSC_CREATED, "{'m2m:acpA':{'ri':'acpA_1'}}");
	rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'at':['/id-mn'],'acpi':['cse-in/acp']}}");
	assert_json(last(g)->doc, "m2m:cntA.acpi", "['/id-in/cse-in/acp']");
	reply(g, RSC_CREATED, "{'m2m:cntA':{'ri':'cntA_1'}}");
	rig_free(g);
}

static void can_be_announced_to_the_cse_itself(void **state)
{
	struct rig *g = rig_with_remote();
	const struct answer *a;
	char at[256];

	(void)state;
	a = rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'rn':'c','lbl':['l'],'at':['/id-in']}}");
	rig_advance(g, 10);
	assert_rsc(a, RSC_CREATED);
	assert_true(json_text(json_at(json_path(a->doc, "m2m:cnt.at"), 0), at, sizeof at));
	a = rig_update(g, "CAe", "cse-in/ae/c", "{'m2m:cnt':{'lbl':['l','m']}}");
	rig_advance(g, 10);
	assert_rsc(a, RSC_UPDATED);
	a = rig_retrieve(g, "CAdmin", at);
	assert_value(a, "m2m:cntA.lbl", "['l','m']");
	assert_value(a, "m2m:cntA.ty", "10003");
	a = rig_delete(g, "CAe", "cse-in/ae/c");
	rig_advance(g, 10);
	assert_rsc(a, RSC_DELETED);
	assert_rsc(rig_retrieve(g, "CAdmin", at), RSC_NOT_FOUND);
	rig_free(g);
}

/* ---- the side of the double ---- */

static const char *double_of(struct rig *g, const char *more)
{
	const struct answer *a = rig_create(g, "/id-mn", "cse-in", TY_CSE_BASE + TY_ANNOUNCED, "{'m2m:cbA':{'rn':'base','lnk':'/id-mn/id-mn','srv':['3']}}");

	assert_rsc(a, RSC_CREATED);
	a = rig_create(g, "/id-mn", "cse-in/base", TY_CONTAINER + TY_ANNOUNCED, rig_fmt(g, "{'m2m:cntA':{'rn':'d','lnk':'/id-mn/cnt_5','mni':5%s}}", more));
	assert_rsc(a, RSC_CREATED);
	return "cse-in/base/d";
}

static void double_belongs_to_the_cse_that_announced(void **state)
{
	struct rig *g = rig_with_remote();
	const char *d = double_of(g, ",'acpi':['/id-mn/acp_1']");
	const struct answer *a;

	(void)state;
	/* the policy is asked for where it is */
	a = rig_retrieve(g, "CAe", d);
	assert_int_equal(last(g)->rq.operation, ONEM2M_RETRIEVE);
	assert_string_equal(last(g)->to, "/id-mn/acp_1");
	reply(g, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "");
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	a = rig_retrieve(g, "CAe", d);
	reply(g, RSC_OK, "{'m2m:acp':{'pv':{'acr':[{'acor':['CAe'],'acop':2}]}}}"); /* its own CAe, not ours */
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	a = rig_retrieve(g, "CAe", d);
	reply(g, RSC_OK, "{'m2m:acp':{'pv':{'acr':[{'acor':['/id-in/CAe'],'acop':2}]}}}");
	assert_value(a, "m2m:cntA.mni", "5");
	assert_rsc(rig_update(g, "/id-mn", d, "{'m2m:cntA':{'mni':6}}"), RSC_UPDATED);
	/* a policy that is announced too opens it */
	assert_rsc(rig_create(g, "/id-mn", "cse-in/base", TY_ACP + TY_ANNOUNCED,
	               "{'m2m:acpA':{'lnk':'/id-mn/acp_1','pv':{'acr':[{'acor':['/id-in/CAe'],'acop':2}]},'pvs':{'acr':[{'acor':['/id-mn'],'acop':63}]}}}"),
	    RSC_CREATED);
	assert_value(rig_retrieve(g, "CAe", d), "m2m:cntA.mni", "6");
	assert_rsc(rig_create(g, "CAe", "cse-in", TY_CSE_BASE + TY_ANNOUNCED, "{'m2m:cbA':{'lnk':'/id-in/x','srv':['3']}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void by_the_customs_a_policy_there_knows_the_names_here(void **state)
{
	struct rig *g = rig_with_remote();
	const struct answer *a;
	const char *d;

	(void)state;
	g->config.customs = true;
	rig_restart(g);
	d = double_of(g, ",'acpi':['/id-mn/acp_1']");
	a = rig_retrieve(g, "CAe", d);
	reply(g, RSC_OK, "{'m2m:acp':{'pv':{'acr':[{'acor':['CAe'],'acop':2}]}}}");
	assert_rsc(a, RSC_OK);
	a = rig_retrieve(g, "CAe", d);
	reply(g, RSC_OK, "{'m2m:acp':{'pv':{'acr':[{'acor':['C*','x/CAe'],'acop':2}]}}}");
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void original_is_fetched_through_the_double(void **state)
{
	struct rig *g = rig_with_remote();
	const char *d = double_of(g, "");
	const struct answer *a;

	(void)state;
	a = rig_retrieve(g, "/id-in", rig_fmt(g, "%s?rcn=7", d));
	assert_string_equal(last(g)->to, "/id-mn/cnt_5");
	reply(g, RSC_OK, "{'m2m:cnt':{'ty':3}}");
	assert_value(a, "m2m:cnt.ty", "3");
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in?rcn=7"), RSC_BAD_REQUEST);
	rig_free(g);
}

static void change_of_a_bidirectional_double_goes_to_the_original(void **state)
{
	struct rig *g = rig_with_remote();
	const char *d = double_of(g, ",'ast':2");
	const struct answer *a;

	(void)state;
	a = rig_update(g, "CAdmin", d, "{'m2m:cntA':{'mni':9}}");
	assert_int_equal(last(g)->rq.operation, ONEM2M_UPDATE);
	assert_string_equal(last(g)->to, "/id-mn/cnt_5");
	assert_json(last(g)->doc, "m2m:cnt.mni", "9");
	/* the original's CSE brings the double up to date before it answers */
	assert_rsc(rig_update(g, "/id-mn", d, "{'m2m:cntA':{'mni':9}}"), RSC_UPDATED);
	reply(g, RSC_UPDATED, "");
	assert_rsc(a, RSC_UPDATED);
	assert_value(a, "m2m:cntA.mni", "9");
	a = rig_update(g, "CAdmin", d, "{'m2m:cntA':{'mni':10}}");
	reply(g, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "");
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_value(rig_retrieve(g, "CAdmin", d), "m2m:cntA.mni", "9");
	rig_free(g);
}

static void cse_with_the_double_may_see_and_change_the_original(void **state)
{
	struct rig *g = rig_with_remote();
	const struct answer *a;

	(void)state;
	announced(g, ",'ast':2");
	assert_rsc(rig_retrieve(g, "/id-mn", "cse-in/ae/c"), RSC_OK);
	a = rig_update(g, "/id-mn", "cse-in/ae/c", "{'m2m:cnt':{'mni':9}}");
	reply(g, RSC_UPDATED, "");
	assert_rsc(a, RSC_UPDATED);
	assert_rsc(rig_retrieve(g, "/id-other", "cse-in/ae/c"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_delete(g, "/id-mn", "cse-in/ae/c"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_the_double_and_answers_with_its_address),
		cmocka_unit_test(sends_every_change_that_the_double_shows),
		cmocka_unit_test(takes_the_double_away),
		cmocka_unit_test(lies_below_the_double_of_its_parent),
		cmocka_unit_test(answers_without_the_other_cse_and_tries_again),
		cmocka_unit_test(makes_anew_what_the_other_cse_has_lost),
		cmocka_unit_test(checks_what_shall_be_announced),
		cmocka_unit_test(means_its_own_identifiers_at_the_other_cse_too),
		cmocka_unit_test(can_be_announced_to_the_cse_itself),
		cmocka_unit_test(double_belongs_to_the_cse_that_announced),
		cmocka_unit_test(by_the_customs_a_policy_there_knows_the_names_here),
		cmocka_unit_test(original_is_fetched_through_the_double),
		cmocka_unit_test(change_of_a_bidirectional_double_goes_to_the_original),
		cmocka_unit_test(cse_with_the_double_may_see_and_change_the_original),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
