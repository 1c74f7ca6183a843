/* The later stages of access control: roles, tokens, dynamic authorisation, decisions on demand. TS-0003 clauses 7.1 to 7.5. */
#include <stdio.h>
#include <string.h>

#include "harness.h"

static struct rig *rig_with_policy(const char *rules)
{
	struct rig *g = rig_new();

	rig_ae(g, "CAe", "ae", "");
	rig_ae(g, "CUser", "user", "");
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_ACP, rig_fmt(g, "{'m2m:acp':{'rn':'acp','pv':{'acr':[%s]},'pvs':{'acr':[{'acor':['CAdmin'],'acop':63}]}}}", rules)), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'rn':'c','mni':5,'acpi':['cse-in/acp']}}"), RSC_CREATED);
	return g;
}

static const struct answer *ask(struct rig *g, struct onem2m_request rq)
{
	rq.from = rd_str("CUser");
	rq.to = rd_str("cse-in/ae/c");
	rq.rcn = ONEM2M_RCN_ABSENT;
	if (!rq.operation)
		rq.operation = ONEM2M_RETRIEVE;
	return rig_ask(g, rq);
}

static void role(struct rig *g, const char *holder, const char *from, const char *to)
{
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_ROLE, rig_fmt(g, "{'m2m:rol':{'rlid':'boss@here','tkis':'CAdmin','tkhd':'%s','tknb':'%s','tkna':'%s'}}", holder, from, to)), RSC_CREATED);
}

/* ---- roles ---- */

static void a_role_counts_when_it_is_named_and_assigned(void **state)
{
	struct rig *g = rig_with_policy("{'acor':['boss@here'],'acop':2}");

	(void)state;
	assert_rsc(ask(g, (struct onem2m_request){.role_ids = rd_str("boss@here")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	role(g, "CAe", rig_time(g, -1000), rig_time(g, 60000));
	assert_rsc(ask(g, (struct onem2m_request){.role_ids = rd_str("boss@here")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	role(g, "CUser", rig_time(g, -1000), rig_time(g, 60000));
	assert_rsc(ask(g, (struct onem2m_request){.role_ids = rd_str("boss@here")}), RSC_OK);
	assert_rsc(ask(g, (struct onem2m_request){.role_ids = rd_str("clerk@here+boss%40here")}), RSC_OK);
	assert_rsc(ask(g, (struct onem2m_request){.role_ids = rd_str("clerk@here")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(ask(g, (struct onem2m_request){0}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(ask(g, (struct onem2m_request){.operation = ONEM2M_DELETE, .role_ids = rd_str("boss@here")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_advance(g, 61000);
	assert_rsc(ask(g, (struct onem2m_request){.role_ids = rd_str("boss@here")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void a_role_counts_only_below_the_base(void **state)
{
	struct rig *g = rig_with_policy("{'acor':['boss@here'],'acop':2}");

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_AUTHORIZATION_INFORMATION, "{'m2m:auif':{'rn':'auif'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/auif", TY_ROLE, rig_fmt(g, "{'m2m:rol':{'rlid':'boss@here','tkis':'CAdmin','tkhd':'CUser','tknb':'%s','tkna':'%s'}}", rig_time(g, -1000), rig_time(g, 60000))),
	    RSC_CREATED);
	assert_rsc(ask(g, (struct onem2m_request){.role_ids = rd_str("boss@here")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_create(g, "CUser", "cse-in", TY_ROLE, rig_fmt(g, "{'m2m:rol':{'rlid':'boss@here','tkis':'CUser','tkhd':'CUser','tknb':'%s','tkna':'%s'}}", rig_time(g, -1000), rig_time(g, 60000))),
	    RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_ROLE, rig_fmt(g, "{'m2m:rol':{'rlid':'b','tkis':'CAdmin','tkhd':'CUser','tknb':'%s','tkna':'%s'}}", rig_time(g, 5000), rig_time(g, 1000))), RSC_BAD_REQUEST);
	rig_free(g);
}

/* ---- tokens ---- */

#define JWT "eyJhbGciOiJub25lIn0.eyJqdGkiOiJ0MSJ9.c2ln"

static const struct answer *token(struct rig *g, const char *holder, const char *more)
{
	return rig_create(g, "CAdmin", "cse-in", TY_TOKEN, rig_fmt(g, "{'m2m:tk':{'rn':'tk','tkid':'t1@here','tkob':'%s','tkhd':'%s'%s}}", JWT, holder, more));
}

static void a_token_gives_privileges_on_what_it_names(void **state)
{
	struct rig *g = rig_with_policy("{'acor':['CAe'],'acop':63}");

	(void)state;
	assert_rsc(token(g, "CUser", ",'tkps':{'pm':[{'pv':{'acr':[{'acor':['all'],'acop':2}]}}]}"), RSC_BAD_REQUEST);
	assert_rsc(token(g, "CUser", rig_fmt(g, ",'tkna':'%s','tkps':{'pm':[{'ris':['cse-in/ae/c'],'pv':{'acr':[{'acor':['all'],'acop':2}]}}]}", rig_time(g, 60000))), RSC_CREATED);
	assert_rsc(ask(g, (struct onem2m_request){0}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(ask(g, (struct onem2m_request){.token_ids = rd_str("t1@here")}), RSC_OK);
	assert_rsc(ask(g, (struct onem2m_request){.tokens = rd_str(JWT)}), RSC_OK);
	assert_rsc(ask(g, (struct onem2m_request){.tokens = rd_str("eyJhbGciOiJub25lIn0.eyJqdGkiOiJ0MSJ9.b3RoZXI")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(ask(g, (struct onem2m_request){.token_ids = rd_str("t2@here")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(ask(g, (struct onem2m_request){.operation = ONEM2M_DELETE, .token_ids = rd_str("t1@here")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_ask(g, (struct onem2m_request){.operation = ONEM2M_RETRIEVE, .to = rd_str("cse-in/ae"), .from = rd_str("CUser"), .rcn = ONEM2M_RCN_ABSENT, .token_ids = rd_str("t1@here")}),
	    RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_advance(g, 61000);
	assert_rsc(ask(g, (struct onem2m_request){.token_ids = rd_str("t1@here")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void a_token_covers_what_has_no_policies_of_its_own(void **state)
{
	struct rig *g = rig_with_policy("{'acor':['CAe'],'acop':63}");

	(void)state;
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'x'}}"), RSC_CREATED);
	assert_rsc(token(g, "CUser", ",'tkps':{'pm':[{'ris':['cse-in/ae/c'],'pv':{'acr':[{'acor':['all'],'acop':2}]}}]}"), RSC_CREATED);
	assert_rsc(rig_ask(g, (struct onem2m_request){.operation = ONEM2M_RETRIEVE, .to = rd_str("cse-in/ae/c/la"), .from = rd_str("CUser"), .rcn = ONEM2M_RCN_ABSENT, .token_ids = rd_str("t1@here")}),
	    RSC_OK);
	rig_free(g);
}

static void a_token_of_another_holder_or_for_another_cse_does_not_count(void **state)
{
	struct rig *g = rig_with_policy("{'acor':['CAe'],'acop':63}");
	const char *permission = "'tkps':{'pm':[{'ris':['cse-in/ae/c'],'pv':{'acr':[{'acor':['all'],'acop':2}]}}]}";

	(void)state;
	assert_rsc(token(g, "CAe", rig_fmt(g, ",%s", permission)), RSC_CREATED);
	assert_rsc(ask(g, (struct onem2m_request){.token_ids = rd_str("t1@here")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/tk"), RSC_DELETED);
	assert_rsc(token(g, "CUser", rig_fmt(g, ",'tkau':['/id-other'],%s", permission)), RSC_CREATED);
	assert_rsc(ask(g, (struct onem2m_request){.token_ids = rd_str("t1@here")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/tk"), RSC_DELETED);
	assert_rsc(token(g, "CUser", rig_fmt(g, ",'tkau':['/id-*'],%s", permission)), RSC_CREATED);
	assert_rsc(ask(g, (struct onem2m_request){.token_ids = rd_str("t1@here")}), RSC_OK);
	rig_free(g);
}

static void a_token_gives_roles(void **state)
{
	struct rig *g = rig_with_policy("{'acor':['boss@here'],'acop':2}");

	(void)state;
	assert_rsc(token(g, "CUser", ",'tkps':{'pm':[{'rids':['boss@here']}]}"), RSC_CREATED);
	assert_rsc(ask(g, (struct onem2m_request){.token_ids = rd_str("t1@here")}), RSC_OK);
	assert_rsc(ask(g, (struct onem2m_request){0}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void a_token_gets_a_local_name(void **state)
{
	struct rig *g = rig_with_policy("{'acor':['CAe'],'acop':63}");
	const struct answer *a;
	char local[64];

	(void)state;
	assert_rsc(token(g, "CUser", ",'tkps':{'pm':[{'ris':['cse-in/ae/c'],'pv':{'acr':[{'acor':['all'],'acop':2}]}}]}"), RSC_CREATED);
	a = ask(g, (struct onem2m_request){.token_ids = rd_str("t1@here")});
	assert_rsc(a, RSC_OK);
	assert_non_null(strstr(a->ati, ":t1@here"));
	snprintf(local, sizeof local, "%.*s", (int)strcspn(a->ati, ":"), a->ati);
	assert_rsc(ask(g, (struct onem2m_request){.local_token_ids = rd_str(local)}), RSC_OK);
	assert_rsc(ask(g, (struct onem2m_request){.local_token_ids = rd_str("t0")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

/* ---- dynamic authorisation ---- */

static struct rig *rig_with_consultation(const char *more)
{
	struct rig *g = rig_with_policy("{'acor':['CAe'],'acop':63}");

	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_DYNAMIC_AUTHORIZATION_CONSULTATION, rig_fmt(g, "{'m2m:dac':{'rn':'dac','dae':true,'dap':['http://das']%s}}", more)), RSC_CREATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/c", "{'m2m:cnt':{'daci':['cse-in/dac']}}"), RSC_UPDATED);
	rig_hold(g, "http://das");
	return g;
}

static const char *grant(struct rig *g, const char *acop, const char *lifetime)
{
	return rig_fmt(g, "{'m2m:seci':{'sit':2,'dres':{'dai':{'gp':{'acr':[{'acor':['CUser'],'acop':%s}]}%s}}}}", acop, lifetime);
}

static void asks_the_server_and_goes_on(void **state)
{
	struct rig *g = rig_with_consultation("");
	const struct answer *a = ask(g, (struct onem2m_request){.role_ids = rd_str("boss@here")});
	const struct sent *s = rig_last_sent(g, "http://das");

	(void)state;
	assert_false(a->come);
	assert_non_null(s);
	assert_json(s->doc, "m2m:seci.sit", "1");
	assert_json(s->doc, "m2m:seci.dreq.or", "'/id-in/CUser'");
	assert_json(s->doc, "m2m:seci.dreq.op", "2");
	assert_json(s->doc, "m2m:seci.dreq.trt", "3");
	assert_json(s->doc, "m2m:seci.dreq.orid", "['boss@here']");
	assert_json(s->doc, "m2m:seci.dreq.trid", rig_fmt(g, "'/id-in/%s'", rig_ri(g, "cse-in/ae/c")));
	rig_reply(g, 0, RSC_OK, grant(g, "2", ",'pl':'60000'"));
	assert_rsc(a, RSC_OK);
	assert_value(a, "m2m:cnt.mni", "5");
	/* for its lifetime it is not asked again */
	assert_rsc(ask(g, (struct onem2m_request){0}), RSC_OK);
	assert_int_equal(rig_count_sent(g, "http://das"), 1);
	/* what it does not cover is asked */
	a = ask(g, (struct onem2m_request){.operation = ONEM2M_DELETE});
	assert_int_equal(rig_count_sent(g, "http://das"), 2);
	rig_reply(g, 1, RSC_OK, grant(g, "2", ",'pl':'60000'"));
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_advance(g, 61000);
	a = ask(g, (struct onem2m_request){0});
	assert_int_equal(rig_count_sent(g, "http://das"), 3);
	rig_reply(g, 2, RSC_OK, "{}");
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void a_grant_without_lifetime_holds_once(void **state)
{
	struct rig *g = rig_with_consultation("");
	const struct answer *a = ask(g, (struct onem2m_request){0});

	(void)state;
	rig_reply(g, 0, RSC_OK, grant(g, "2", ""));
	assert_rsc(a, RSC_OK);
	rig_advance(g, 10);
	a = ask(g, (struct onem2m_request){0});
	assert_int_equal(rig_count_sent(g, "http://das"), 2);
	rig_reply(g, 1, RSC_OK, grant(g, "2", ""));
	assert_rsc(a, RSC_OK);
	rig_free(g);
}

static void writes_wait_for_the_server_too(void **state)
{
	struct rig *g = rig_with_consultation("");
	const struct answer *a = rig_create(g, "CUser", "cse-in/ae/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'x'}}");

	(void)state;
	assert_false(a->come);
	rig_reply(g, 0, RSC_OK, grant(g, "1", ""));
	assert_rsc(a, RSC_CREATED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/c"), "m2m:cnt.cni", "1");
	rig_free(g);
}

static void a_refusal_is_not_asked_again_at_once(void **state)
{
	struct rig *g = rig_with_consultation("");
	const struct answer *a = ask(g, (struct onem2m_request){0});

	(void)state;
	rig_reply(g, 0, RSC_OK, "{'m2m:seci':{'sit':2,'dres':{}}}");
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(ask(g, (struct onem2m_request){0}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_int_equal(rig_count_sent(g, "http://das"), 1);
	rig_advance(g, 2000);
	a = ask(g, (struct onem2m_request){0});
	assert_int_equal(rig_count_sent(g, "http://das"), 2);
	rig_reply(g, 1, RSC_TARGET_NOT_REACHABLE, "");
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void asks_the_next_server_when_one_is_away(void **state)
{
	struct rig *g = rig_with_consultation("");
	const struct answer *a;

	(void)state;
	assert_rsc(rig_update(g, "CAdmin", "cse-in/dac", "{'m2m:dac':{'dap':['http://away','http://das']}}"), RSC_UPDATED);
	rig_network(g, "http://away", RSC_TARGET_NOT_REACHABLE);
	a = ask(g, (struct onem2m_request){0});
	assert_int_equal(rig_count_sent(g, "http://away"), 1);
	rig_reply(g, g->sent_count - 1, RSC_OK, grant(g, "2", ""));
	assert_rsc(a, RSC_OK);
	rig_free(g);
}

static void asks_nobody_when_it_is_switched_off(void **state)
{
	struct rig *g = rig_with_consultation("");
	const struct answer *a = ask(g, (struct onem2m_request){0});

	(void)state;
	rig_reply(g, 0, RSC_OK, grant(g, "2", ",'pl':'3600000'"));
	assert_rsc(a, RSC_OK);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/dac", "{'m2m:dac':{'dae':false}}"), RSC_UPDATED);
	/* and what it granted ends */
	assert_rsc(ask(g, (struct onem2m_request){0}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_int_equal(rig_count_sent(g, "http://das"), 1);
	rig_free(g);
}

static void the_lifetime_of_the_consultation_bounds_grants(void **state)
{
	struct rig *g = rig_with_policy("{'acor':['CAe'],'acop':63}");
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_DYNAMIC_AUTHORIZATION_CONSULTATION, rig_fmt(g, "{'m2m:dac':{'rn':'dac','dae':true,'dap':['http://das'],'dal':'%s'}}", rig_time(g, 5000))),
	    RSC_CREATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/c", "{'m2m:cnt':{'daci':['cse-in/dac']}}"), RSC_UPDATED);
	rig_hold(g, "http://das");
	a = ask(g, (struct onem2m_request){0});
	rig_reply(g, 0, RSC_OK, grant(g, "2", ",'pl':'3600000'"));
	assert_rsc(a, RSC_OK);
	rig_advance(g, 6000);
	a = ask(g, (struct onem2m_request){0});
	assert_int_equal(rig_count_sent(g, "http://das"), 2);
	rig_reply(g, 1, RSC_OK, grant(g, "2", ",'pl':'3600000'"));
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void tells_where_to_get_a_token(void **state)
{
	struct rig *g = rig_with_consultation("");
	const struct answer *a = ask(g, (struct onem2m_request){.token_request = true});

	(void)state;
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_json(json_at(json_path(a->doc, "m2m:tqf.dasi"), 0), "uri", "'http://das'");
	assert_int_equal(rig_count_sent(g, "http://das"), 0);
	rig_free(g);
}

static void refuses_consultations_that_are_none(void **state)
{
	struct rig *g = rig_with_policy("{'acor':['CAe'],'acop':63}");

	(void)state;
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/c", "{'m2m:cnt':{'daci':['cse-in/none']}}"), RSC_UPDATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/c", "{'m2m:cnt':{'daci':['cse-in/acp']}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_DYNAMIC_AUTHORIZATION_CONSULTATION, "{'m2m:dac':{'dae':false}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_DYNAMIC_AUTHORIZATION_CONSULTATION, "{'m2m:dac':{'dae':false,'dap':[]}}"), RSC_BAD_REQUEST);
	rig_free(g);
}

/* ---- rules ---- */

static void a_rule_may_be_about_some_attributes(void **state)
{
	struct rig *g = rig_with_policy("{'acor':['CUser'],'acop':6,'aca':['mni','lbl']}");

	(void)state;
	assert_rsc(rig_retrieve(g, "CUser", "cse-in/ae/c"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_retrieve(g, "CUser", "cse-in/ae/c?atrl=mni"), RSC_OK);
	assert_rsc(rig_retrieve(g, "CUser", "cse-in/ae/c?atrl=mni+mbs"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_update(g, "CUser", "cse-in/ae/c", "{'m2m:cnt':{'mni':7}}"), RSC_UPDATED);
	assert_rsc(rig_update(g, "CUser", "cse-in/ae/c", "{'m2m:cnt':{'mni':7,'mbs':3}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void conditions_that_cannot_be_told_do_not_match(void **state)
{
	static const char *const conditions[] = {"'acui':['me']", "'acl':3", "'aclr':{'accc':['DE']}", "'acec':{'optr':1,'sbjt':'mni','thld':5}"};

	(void)state;
	for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
		struct rig *g = rig_new();
		struct rig *h;

		h = rig_with_policy(rig_fmt(g, "{'acor':['CUser'],'acop':2,'acco':[{%s}]}", conditions[i]));
		assert_rsc(rig_retrieve(h, "CUser", "cse-in/ae/c"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
		rig_free(h);
		rig_free(g);
	}
}

/* ---- decisions on demand ---- */

static const struct answer *decide(struct rig *g, const char *parameters)
{
	return rig_update(g, "CAdmin", "cse-in/auds", rig_fmt(g, "{'m2m:auds':{%s}}", parameters));
}

static void decides_on_demand(void **state)
{
	struct rig *g = rig_with_policy("{'acor':['CUser','boss@here'],'acop':3,'acod':[{'chty':[4]}],'acco':[{'acip':{'ipv4':['10.0.0.0/8']}}]}");
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_AUTHORIZATION_DECISION, "{'m2m:auds':{'rn':'auds'}}"), RSC_CREATED);
	a = decide(g, "'to':'cse-in/ae/c','fr':'CUser'");
	assert_rsc(a, RSC_UPDATED);
	assert_value(a, "m2m:auds.sus", "3");
	assert_value(a, "m2m:auds.dec", NULL);
	assert_value(decide(g, "'op':2"), "m2m:auds.dec", "2");
	a = decide(g, "'oip':{'ip4':'10.1.2.3'}");
	assert_value(a, "m2m:auds.dec", "1");
	assert_value(a, "m2m:auds.sus", "1");
	assert_value(decide(g, "'op':4"), "m2m:auds.dec", "2");
	assert_value(decide(g, "'op':1,'rrt':4"), "m2m:auds.dec", "1");
	assert_value(decide(g, "'op':1,'rrt':3"), "m2m:auds.dec", "2");
	assert_value(decide(g, "'op':2,'fr':'CStranger'"), "m2m:auds.dec", "2");
	role(g, "CStranger", rig_time(g, -1000), rig_time(g, 60000));
	assert_value(decide(g, "'rids':['boss@here']"), "m2m:auds.dec", "1");
	assert_value(decide(g, rig_fmt(g, "'rtm':'%s'", rig_time(g, 120000))), "m2m:auds.dec", "2");
	a = decide(g, "'to':'cse-in/none'");
	assert_value(a, "m2m:auds.sus", "2");
	assert_value(a, "m2m:auds.dec", NULL);
	assert_rsc(rig_update(g, "CUser", "cse-in/auds", "{'m2m:auds':{'op':2}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void lists_policies_and_checks_information(void **state)
{
	struct rig *g = rig_with_policy("{'acor':['CUser'],'acop':2}");
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_AUTHORIZATION_POLICY, "{'m2m:aupy':{'rn':'aupy'}}"), RSC_CREATED);
	a = rig_update(g, "CAdmin", "cse-in/aupy", "{'m2m:aupy':{'to':'cse-in/ae/c'}}");
	assert_value(a, "m2m:aupy.ps", "{'pv':[{'acr':[{'acor':['CUser'],'acop':2}]}]}");
	assert_value(a, "m2m:aupy.ca", "1");
	assert_value(a, "m2m:aupy.sus", "1");
	a = rig_update(g, "CAdmin", "cse-in/aupy", "{'m2m:aupy':{'to':'cse-in/ae'}}");
	assert_value(a, "m2m:aupy.ps", NULL);
	assert_value(a, "m2m:aupy.sus", "2");
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_AUTHORIZATION_INFORMATION, "{'m2m:auif':{'rn':'auif'}}"), RSC_CREATED);
	role(g, "CUser", rig_time(g, -1000), rig_time(g, 60000));
	assert_value(rig_update(g, "CAdmin", "cse-in/auif", "{'m2m:auif':{'rids':['boss@here']}}"), "m2m:auif.sus", "3");
	assert_value(rig_update(g, "CAdmin", "cse-in/auif", "{'m2m:auif':{'fr':'CUser'}}"), "m2m:auif.sus", "1");
	assert_value(rig_update(g, "CAdmin", "cse-in/auif", "{'m2m:auif':{'fr':'CAe'}}"), "m2m:auif.sus", "2");
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_role_counts_when_it_is_named_and_assigned),
		cmocka_unit_test(a_role_counts_only_below_the_base),
		cmocka_unit_test(a_token_gives_privileges_on_what_it_names),
		cmocka_unit_test(a_token_covers_what_has_no_policies_of_its_own),
		cmocka_unit_test(a_token_of_another_holder_or_for_another_cse_does_not_count),
		cmocka_unit_test(a_token_gives_roles),
		cmocka_unit_test(a_token_gets_a_local_name),
		cmocka_unit_test(asks_the_server_and_goes_on),
		cmocka_unit_test(a_grant_without_lifetime_holds_once),
		cmocka_unit_test(writes_wait_for_the_server_too),
		cmocka_unit_test(a_refusal_is_not_asked_again_at_once),
		cmocka_unit_test(asks_the_next_server_when_one_is_away),
		cmocka_unit_test(asks_nobody_when_it_is_switched_off),
		cmocka_unit_test(the_lifetime_of_the_consultation_bounds_grants),
		cmocka_unit_test(tells_where_to_get_a_token),
		cmocka_unit_test(refuses_consultations_that_are_none),
		cmocka_unit_test(a_rule_may_be_about_some_attributes),
		cmocka_unit_test(conditions_that_cannot_be_told_do_not_match),
		cmocka_unit_test(decides_on_demand),
		cmocka_unit_test(lists_policies_and_checks_information),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
