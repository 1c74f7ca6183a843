/* Distributed authorisation: a resource whose policy names points of decision, policies and information at another CSE; and such points here that ask
 * others in their turn. TS-0003 clause 7.5. */
#include <stdio.h>
#include <string.h>

#include "harness.h"

#define FAR "http://mn"

/* A container `c` of CAe's, whose policy says `rule` and links to points at /id-mn. */
static struct rig *rig_with_links(const char *rule, const char *links)
{
	struct rig *g = rig_new();

	rig_ae(g, "CAe", "ae", "");
	rig_ae(g, "CUser", "user", "");
	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE, "{'m2m:csr':{'rr':true,'srv':['4'],'poa':['" FAR "'],'cb':'/id-mn/cse-mn'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_ACP, rig_fmt(g, "{'m2m:acp':{'rn':'acp','pv':{'acr':[%s]},'pvs':{'acr':[{'acor':['CAdmin'],'acop':63}]},%s}}", rule, links)), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'rn':'c','acpi':['cse-in/acp']}}"), RSC_CREATED);
	rig_settle(g);
	rig_forget_sent(g);
	rig_hold(g, FAR);
	return g;
}

static struct rig *rig_with_decision(void)
{
	return rig_with_links("{'acor':['CAe'],'acop':63}", "'adri':['/id-mn/cse-mn/auds']");
}

static const struct answer *ask(struct rig *g, enum onem2m_operation op, const char *roles)
{
	return rig_ask(g, (struct onem2m_request){.operation = op, .from = rd_str("CUser"), .to = rd_str("cse-in/ae/c"), .rcn = ONEM2M_RCN_ABSENT, .role_ids = rd_str(roles)});
}

/* What was asked, with these results: as the point answers. */
static void decides(struct rig *g, const char *dec, const char *sus)
{
	const struct sent *s = &g->sent[g->sent_count - 1];
	const struct json *auds = json_get(s->doc, "m2m:auds");
	static char text[2048];
	size_t n = (size_t)snprintf(text, sizeof text, "{\"m2m:auds\":{\"dec\":%s,\"sus\":%s", dec, sus);

	for (const struct json *m = auds->first; m; m = m->next)
		if (m->type != JSON_NULL)
			n += (size_t)snprintf(text + n, sizeof text - n, ",\"%.*s\":%.*s", (int)m->key.left, (const char *)m->key.at, (int)m->source.left, (const char *)m->source.at);
	snprintf(text + n, sizeof text - n, "}}");
	rig_reply(g, g->sent_count - 1, RSC_UPDATED, text);
}

/* ---- the point of enforcement ---- */

static void asks_the_point_of_decision(void **state)
{
	struct rig *g = rig_with_decision();
	const struct answer *a = ask(g, ONEM2M_RETRIEVE, "boss%40here");
	const struct sent *s = rig_last_sent(g, FAR);

	(void)state;
	assert_false(a->come);
	assert_string_equal(s->to, "/id-mn/cse-mn/auds");
	assert_string_equal(s->from, "/id-in");
	assert_int_equal(s->rq.operation, ONEM2M_UPDATE);
	assert_true(s->rq.rqet.left > 0);
	assert_json(s->doc, "m2m:auds.fr", "'/id-in/CUser'");
	assert_json(s->doc, "m2m:auds.op", "2");
	assert_json(s->doc, "m2m:auds.to", rig_fmt(g, "'/id-in/%s'", rig_ri(g, "cse-in/ae/c")));
	assert_json(s->doc, "m2m:auds.rids", "['boss@here']");
	/* what this question has not is not left from another's */
	assert_json(s->doc, "m2m:auds.tids", "null");
	assert_json(s->doc, "m2m:auds.rrt", "null");
	decides(g, "1", "1");
	assert_rsc(a, RSC_OK);
	/* it holds for that request alone */
	a = ask(g, ONEM2M_RETRIEVE, "");
	assert_false(a->come);
	assert_int_equal(rig_count_sent(g, FAR), 2);
	decides(g, "2", "1");
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	/* a creation says of what type; nobody is asked where the policy permits */
	a = rig_create(g, "CUser", "cse-in/ae/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'x'}}");
	assert_json(rig_last_sent(g, FAR)->doc, "m2m:auds.rrt", "4");
	assert_json(rig_last_sent(g, FAR)->doc, "m2m:auds.op", "1");
	decides(g, "1", "1");
	assert_rsc(a, RSC_CREATED);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/c"), RSC_OK);
	assert_int_equal(rig_count_sent(g, FAR), 3);
	rig_free(g);
}

static void denies_what_is_no_answer_to_its_question(void **state)
{
	static const char *const wrong[] = {
		"{}", "", "{'m2m:auds':{'dec':1,'sus':1}}",
		"{'m2m:auds':{'to':'/id-in/%s','fr':'/id-in/CAe','op':2,'dec':1,'sus':1}}",
		"{'m2m:auds':{'to':'/id-in/%s','fr':'/id-in/CUser','op':4,'dec':1,'sus':1}}",
		"{'m2m:auds':{'to':'/id-in/%s','fr':'/id-in/CUser','op':2,'rids':['x@y'],'dec':1,'sus':1}}",
		"{'m2m:auds':{'to':'/id-in/%s','fr':'/id-in/CUser','op':2,'dec':1,'sus':2}}",
		"{'m2m:auds':{'to':'/id-in/%s','fr':'/id-in/CUser','op':2,'dec':2,'sus':1}}",
		"{'m2m:aupy':{'to':'/id-in/%s','fr':'/id-in/CUser','op':2,'dec':1,'sus':1}}",
	};
	struct rig *g = rig_with_decision();
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		const struct answer *a = ask(g, ONEM2M_RETRIEVE, "");
		const char *at = strstr(wrong[i], "%s");

		snprintf(text, sizeof text, "%.*s%s%s", at ? (int)(at - wrong[i]) : (int)strlen(wrong[i]), wrong[i], at ? rig_ri(g, "cse-in/ae/c") : "", at ? at + 2 : "");
		rig_reply(g, g->sent_count - 1, RSC_UPDATED, text);
		assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	}
	for (size_t i = 0; i < 3; i++) {
		const struct answer *a = ask(g, ONEM2M_RETRIEVE, "");

		rig_reply(g, g->sent_count - 1, (enum onem2m_rsc[]){RSC_TARGET_NOT_REACHABLE, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, RSC_CONFLICT}[i], "");
		assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	}
	rig_free(g);
}

static void denies_when_nobody_answers_in_time(void **state)
{
	struct rig *g = rig_with_decision();
	const struct answer *a = ask(g, ONEM2M_RETRIEVE, "");

	(void)state;
	rig_advance(g, 7000);
	assert_false(a->come);
	rig_advance(g, 3000);
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	/* too late */
	decides(g, "1", "1");
	assert_int_equal(a->times, 1);
	rig_free(g);
}

static void takes_policies_from_elsewhere(void **state)
{
	struct rig *g = rig_with_links("{'acor':['CAe'],'acop':63}", "'apri':['/id-mn/cse-mn/aupy','/id-mn/cse-mn/more']");
	const struct answer *a = ask(g, ONEM2M_RETRIEVE, "");
	const char *to = rig_fmt(g, "/id-in/%s", rig_ri(g, "cse-in/ae/c"));

	(void)state;
	assert_int_equal(rig_count_sent(g, FAR), 2);
	assert_json(g->sent[0].doc, "m2m:aupy.to", rig_fmt(g, "'%s'", to));
	rig_reply(g, 0, RSC_TARGET_NOT_REACHABLE, "");
	assert_false(a->come);
	rig_reply(g, 1, RSC_UPDATED, rig_fmt(g, "{'m2m:aupy':{'to':'%s','ca':1,'sus':1,'ps':{'pv':[{'acr':[{'acor':['CAe'],'acop':2}]},{'acr':[{'acor':['CUser'],'acop':2}]}]}}}", to));
	assert_rsc(a, RSC_OK);
	/* what they do not permit, and policies of something else */
	a = ask(g, ONEM2M_DELETE, "");
	for (size_t i = 2; i < 4; i++)
		rig_reply(g, i, RSC_UPDATED, rig_fmt(g, "{'m2m:aupy':{'to':'%s','sus':1,'ps':{'pv':[{'acr':[{'acor':['CUser'],'acop':2}]}]}}}", to));
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	a = ask(g, ONEM2M_RETRIEVE, "");
	rig_reply(g, 4, RSC_UPDATED, "{'m2m:aupy':{'to':'/id-in/other','sus':1,'ps':{'pv':[{'acr':[{'acor':['CUser'],'acop':2}]}]}}}");
	rig_reply(g, 5, RSC_UPDATED, rig_fmt(g, "{'m2m:aupy':{'to':'%s','sus':1,'ps':{'pv':'all'}}}", to));
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void takes_roles_from_elsewhere(void **state)
{
	struct rig *g = rig_with_links("{'acor':['boss@here'],'acop':2}", "'airi':['/id-mn/cse-mn/auif']");
	const struct answer *a = ask(g, ONEM2M_RETRIEVE, "");

	(void)state;
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_int_equal(rig_count_sent(g, FAR), 0); /* without a role there is nothing to ask */
	a = ask(g, ONEM2M_RETRIEVE, "boss@here");
	assert_json(g->sent[0].doc, "m2m:auif.fr", "'/id-in/CUser'");
	assert_json(g->sent[0].doc, "m2m:auif.rids", "['boss@here']");
	rig_reply(g, 0, RSC_UPDATED, "{'m2m:auif':{'fr':'/id-in/CUser','rids':['boss@here'],'sus':1}}");
	assert_rsc(a, RSC_OK);
	a = ask(g, ONEM2M_RETRIEVE, "boss@here");
	rig_reply(g, 1, RSC_UPDATED, "{'m2m:auif':{'fr':'/id-in/CUser','rids':['boss@here'],'sus':2}}");
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	a = ask(g, ONEM2M_RETRIEVE, "boss@here");
	rig_reply(g, 2, RSC_UPDATED, "{'m2m:auif':{'fr':'/id-in/CUser','rids':['clerk@here'],'sus':1}}");
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	a = ask(g, ONEM2M_RETRIEVE, "boss@here");
	rig_reply(g, 3, RSC_UPDATED, "{'m2m:auif':{'fr':'/id-in/CAe','rids':['boss@here'],'sus':1}}");
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	/* a role that does not help */
	a = ask(g, ONEM2M_DELETE, "boss@here");
	rig_reply(g, 4, RSC_UPDATED, "{'m2m:auif':{'fr':'/id-in/CUser','rids':['boss@here'],'sus':1}}");
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void asks_the_authorisation_server_when_the_points_deny(void **state)
{
	struct rig *g = rig_with_decision();
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_DYNAMIC_AUTHORIZATION_CONSULTATION, "{'m2m:dac':{'rn':'dac','dae':true,'dap':['http://das']}}"), RSC_CREATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/c", "{'m2m:cnt':{'daci':['cse-in/dac']}}"), RSC_UPDATED);
	rig_hold(g, "http://das");
	a = ask(g, ONEM2M_RETRIEVE, "");
	decides(g, "2", "1");
	assert_false(a->come);
	rig_reply(g, g->sent_count - 1, RSC_OK, "{'m2m:seci':{'sit':2,'dres':{'dai':{'gp':{'acr':[{'acor':['CUser'],'acop':2}]}}}}}");
	assert_rsc(a, RSC_OK);
	rig_free(g);
}

static void never_asks_about_the_points_themselves(void **state)
{
	struct rig *g = rig_with_decision();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_AUTHORIZATION_DECISION, "{'m2m:auds':{'rn':'auds','acpi':['cse-in/acp']}}"), RSC_CREATED);
	assert_rsc(rig_update(g, "/id-mn", "cse-in/auds", "{'m2m:auds':{'fr':'CUser','to':'cse-in/ae/c','op':2}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_int_equal(rig_count_sent(g, FAR), 0);
	rig_free(g);
}

/* ---- the point of decision ---- */

/* `auds` here, whose policy lets anybody ask and links to others. */
static struct rig *rig_with_point(const char *links)
{
	struct rig *g = rig_with_links("{'acor':['all'],'acop':6}", links);

	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_AUTHORIZATION_DECISION, "{'m2m:auds':{'rn':'auds','acpi':['cse-in/acp']}}"), RSC_CREATED);
	return g;
}

#define ABROAD "{'m2m:auds':{'to':'/id-mn/box','fr':'/id-mn/CUser','op':%s,'rids':%s}}"

static void decides_by_policies_and_roles_from_elsewhere(void **state)
{
	struct rig *g = rig_with_point("'apri':['/id-mn/cse-mn/aupy'],'airi':['/id-mn/cse-mn/auif'],'adri':['/id-mn/cse-mn/auds']");
	const struct answer *a = rig_update(g, "CAe", "cse-in/auds", rig_fmt(g, ABROAD, "2", "['boss@here']"));
	const char *policies = "{'m2m:aupy':{'to':'/id-mn/box','sus':1,'ps':{'pv':[{'acr':[{'acor':['boss@here'],'acop':2}]}]}}}";

	(void)state;
	assert_false(a->come);
	assert_int_equal(rig_count_sent(g, FAR), 2); /* no other point of decision */
	rig_reply(g, 0, RSC_UPDATED, policies);
	rig_reply(g, 1, RSC_UPDATED, "{'m2m:auif':{'fr':'/id-mn/CUser','rids':['boss@here'],'sus':1}}");
	assert_rsc(a, RSC_UPDATED);
	assert_value(a, "m2m:auds.dec", "1");
	assert_value(a, "m2m:auds.sus", "1");
	/* without the role, and without any answer */
	a = rig_update(g, "CAe", "cse-in/auds", rig_fmt(g, ABROAD, "2", "['boss@here']"));
	rig_reply(g, 2, RSC_UPDATED, policies);
	rig_reply(g, 3, RSC_UPDATED, "{'m2m:auif':{'fr':'/id-mn/CUser','rids':['boss@here'],'sus':2}}");
	assert_value(a, "m2m:auds.dec", "2");
	a = rig_update(g, "CAe", "cse-in/auds", rig_fmt(g, ABROAD, "2", "['boss@here']"));
	rig_advance(g, 4000);
	assert_rsc(a, RSC_UPDATED);
	assert_value(a, "m2m:auds.dec", NULL);
	assert_value(a, "m2m:auds.sus", "2");
	rig_reply(g, 4, RSC_UPDATED, policies);
	rig_reply(g, 5, RSC_TARGET_NOT_REACHABLE, "");
	rig_free(g);
}

static void two_questions_at_a_time_get_each_their_own_answer(void **state)
{
	struct rig *g = rig_with_point("'apri':['/id-mn/cse-mn/aupy']");
	const struct answer *one = rig_update(g, "CAe", "cse-in/auds", rig_fmt(g, ABROAD, "2", "null"));
	const struct answer *two = rig_update(g, "CUser", "cse-in/auds", rig_fmt(g, ABROAD, "4", "null"));
	const char *policies = "{'m2m:aupy':{'to':'/id-mn/box','sus':1,'ps':{'pv':[{'acr':[{'acor':['/id-mn/CUser'],'acop':2}]}]}}}";

	(void)state;
	assert_rsc(rig_update(g, "CAdmin", "cse-in/auds", "{'m2m:auds':{'lbl':['kept']}}"), RSC_UPDATED);
	rig_reply(g, 1, RSC_UPDATED, policies);
	rig_reply(g, 0, RSC_UPDATED, policies);
	assert_value(one, "m2m:auds.dec", "1");
	assert_value(one, "m2m:auds.op", "2");
	assert_value(one, "m2m:auds.lbl", "['kept']");
	assert_value(two, "m2m:auds.dec", "2");
	assert_value(two, "m2m:auds.op", "4");
	one = rig_update(g, "CAe", "cse-in/auds", rig_fmt(g, ABROAD, "2", "null"));
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/auds"), RSC_DELETED);
	rig_reply(g, 2, RSC_UPDATED, policies);
	assert_rsc(one, RSC_NOT_FOUND);
	rig_free(g);
}

/* ---- the point of policies ---- */

static void lists_policies_of_what_was_announced_by_its_own(void **state)
{
	struct rig *g = rig_with_links("{'acor':['all'],'acop':2}", "'lbl':[]");
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "/id-b", "cse-in", TY_REMOTE_CSE, "{'m2m:csr':{'rr':true,'srv':['4'],'poa':['http://b'],'cb':'/id-b/cse-b'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_AUTHORIZATION_POLICY, "{'m2m:aupy':{'rn':'aupy'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "/id-b", "id-b", TY_CONTAINER + TY_ANNOUNCED, "{'m2m:cntA':{'lnk':'/id-mn/box','acpi':['/id-in/cse-in/acp']}}"), RSC_CREATED);
	a = rig_update(g, "CAdmin", "cse-in/aupy", "{'m2m:aupy':{'to':'/id-mn/box'}}");
	assert_value(a, "m2m:aupy.sus", "2");
	assert_rsc(rig_create(g, "/id-mn", "id-mn", TY_CONTAINER + TY_ANNOUNCED, "{'m2m:cntA':{'lnk':'/id-mn/box','acpi':['/id-in/cse-in/acp']}}"), RSC_CREATED);
	a = rig_update(g, "CAdmin", "cse-in/aupy", "{'m2m:aupy':{'to':'/id-mn/box'}}");
	assert_value(a, "m2m:aupy.sus", "1");
	assert_value(a, "m2m:aupy.ps", "{'pv':[{'acr':[{'acor':['all'],'acop':2}]}]}");
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_the_point_of_decision),
		cmocka_unit_test(denies_what_is_no_answer_to_its_question),
		cmocka_unit_test(denies_when_nobody_answers_in_time),
		cmocka_unit_test(takes_policies_from_elsewhere),
		cmocka_unit_test(takes_roles_from_elsewhere),
		cmocka_unit_test(asks_the_authorisation_server_when_the_points_deny),
		cmocka_unit_test(never_asks_about_the_points_themselves),
		cmocka_unit_test(decides_by_policies_and_roles_from_elsewhere),
		cmocka_unit_test(two_questions_at_a_time_get_each_their_own_answer),
		cmocka_unit_test(lists_policies_of_what_was_announced_by_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
