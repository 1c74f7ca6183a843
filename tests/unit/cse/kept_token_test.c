/* Tokens in the answers of an authorisation server: whose they are, how long they count, who issued them; and the server's name. TS-0003 clause 7.3.2. */
#include <stdio.h>
#include <string.h>

#include "harness.h"

/* "ISSUER CLAIMS" is a token by that issuer. */
static enum err open_token(void *ctx, struct rd token, struct wr *claims, char issuer[CSE_ISSUER_MAX])
{
	struct rd who;

	(void)ctx;
	if (!rd_until(&token, ' ', &who) || !rd_text(who, issuer, CSE_ISSUER_MAX))
		return ERR_BAD_MIC;
	wr_rd(claims, token);
	return OK;
}

static struct rig *rig_with_server(const char *url, const char *servers)
{
	struct rig *g = rig_new();

	g->config.das_servers = servers;
	rig_restart(g);
	cse_use_tokens(g->cse, &(const struct cse_tokens){open_token, NULL});
	rig_ae(g, "CAe", "ae", "");
	rig_ae(g, "CUser", "user", "");
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_ACP,
	    "{'m2m:acp':{'rn':'acp','pv':{'acr':[{'acor':['CAe'],'acop':63},{'acor':['boss@here'],'acop':2}]},'pvs':{'acr':[{'acor':['CAdmin'],'acop':63}]}}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_DYNAMIC_AUTHORIZATION_CONSULTATION, rig_fmt(g, "{'m2m:dac':{'rn':'dac','dae':true,'dap':['%s']}}", url)), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'rn':'c','acpi':['cse-in/acp'],'daci':['cse-in/dac']}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'rn':'d','acpi':['cse-in/acp']}}"), RSC_CREATED);
	rig_hold(g, url);
	return g;
}

static const struct answer *ask(struct rig *g, const char *from, const char *to, struct onem2m_request rq)
{
	rq.from = rd_str(from);
	rq.to = rd_str(to);
	rq.rcn = ONEM2M_RCN_ABSENT;
	rq.operation = ONEM2M_RETRIEVE;
	return rig_ask(g, rq);
}

/* With the claims of a token that holds for 60 s, and more members. */
static const char *answer(struct rig *g, const char *issuer, const char *holder, const char *more)
{
	static char text[2048];
	unsigned long long now = g->unix_ms / 1000;

	snprintf(text, sizeof text,
	    "{\"m2m:seci\":{\"sit\":2,\"dres\":{\"tkns\":[\"%s {\\\"jti\\\":\\\"t1@das\\\",\\\"azp\\\":\\\"%s\\\",\\\"iss\\\":\\\"%s\\\",\\\"nbf\\\":%llu,\\\"exp\\\":%llu,"
	    "\\\"tkps\\\":{\\\"pm\\\":[{\\\"rids\\\":[\\\"boss@here\\\"]}]}%s}\"]}}}",
	    issuer, holder, issuer, now - 10, now + 60, more);
	return text;
}

static void a_token_counts_for_its_holder_until_its_end(void **state)
{
	struct rig *g = rig_with_server("https://das.keyway.example:9447", NULL);
	const struct answer *a = ask(g, "CUser", "cse-in/ae/c", (struct onem2m_request){0});

	(void)state;
	assert_string_equal(rig_last_sent(g, "https://das")->target_id, "das.keyway.example");
	assert_string_equal(rig_last_sent(g, "https://das")->to, "");
	assert_json(rig_last_sent(g, "https://das")->doc, "m2m:seci.dreq.rfa", "['boss@here']");
	rig_reply(g, 0, RSC_OK, answer(g, "das.keyway.example", "CUser", ""));
	assert_rsc(a, RSC_OK);
	/* for all of his requests, and for nobody else's */
	assert_rsc(ask(g, "CUser", "cse-in/ae/d", (struct onem2m_request){0}), RSC_OK);
	assert_int_equal(rig_count_sent(g, "https://das"), 1);
	assert_rsc(ask(g, "CAdmin", "cse-in/ae/d", (struct onem2m_request){0}), RSC_OK);
	rig_ae(g, "COther", "other", "");
	assert_rsc(ask(g, "COther", "cse-in/ae/d", (struct onem2m_request){0}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_advance(g, 61000);
	assert_rsc(ask(g, "CUser", "cse-in/ae/d", (struct onem2m_request){0}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void a_token_that_was_named_counts_where_it_is_named(void **state)
{
	struct rig *g = rig_with_server("https://das.keyway.example", NULL);
	const struct answer *a = ask(g, "CUser", "cse-in/ae/c", (struct onem2m_request){.token_ids = rd_str("t0%40das+t1%40das")});
	char local[64];

	(void)state;
	assert_json(rig_last_sent(g, "https://das")->doc, "m2m:seci.dreq.tids", "['t0@das','t1@das']");
	rig_reply(g, 0, RSC_OK, answer(g, "das.keyway.example", "CUser", ""));
	assert_rsc(a, RSC_OK);
	assert_non_null(strstr(a->ati, ":t1@das"));
	snprintf(local, sizeof local, "%.*s", (int)strcspn(a->ati, ":"), a->ati);
	assert_rsc(ask(g, "CUser", "cse-in/ae/d", (struct onem2m_request){0}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(ask(g, "CUser", "cse-in/ae/d", (struct onem2m_request){.token_ids = rd_str("t1@das")}), RSC_OK);
	assert_rsc(ask(g, "CUser", "cse-in/ae/d", (struct onem2m_request){.local_token_ids = rd_str(local)}), RSC_OK);
	rig_ae(g, "COther", "other", "");
	assert_rsc(ask(g, "COther", "cse-in/ae/d", (struct onem2m_request){.token_ids = rd_str("t1@das"), .local_token_ids = rd_str(local)}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	/* what the consultation gave ends with it */
	assert_rsc(rig_update(g, "CAdmin", "cse-in/dac", "{'m2m:dac':{'dae':false}}"), RSC_UPDATED);
	assert_rsc(ask(g, "CUser", "cse-in/ae/d", (struct onem2m_request){.token_ids = rd_str("t1@das")}), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void refuses_tokens_that_are_not_that_servers_or_his(void **state)
{
	static const struct {
		const char *issuer, *holder, *more;
	} wrong[] = {{"other.keyway.example", "CUser", ""}, {"das.keyway.example", "CAe", ""}, {"das.keyway.example", "CUser", ",\\\"aud\\\":[\\\"/id-other\\\"]"}};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct rig *g = rig_with_server("https://127.0.0.1:9447", "https://127.0.0.1:94 evil.example, https://127.0.0.1:9447 das.keyway.example");
		const struct answer *a = ask(g, "CUser", "cse-in/ae/c", (struct onem2m_request){0});

		assert_string_equal(rig_last_sent(g, "https://127")->target_id, "das.keyway.example");
		rig_reply(g, 0, RSC_OK, answer(g, wrong[i].issuer, wrong[i].holder, wrong[i].more));
		assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
		rig_advance(g, 2000);
		a = ask(g, "CUser", "cse-in/ae/c", (struct onem2m_request){0});
		rig_reply(g, 1, RSC_OK, answer(g, "das.keyway.example", "CUser", ""));
		assert_rsc(a, RSC_OK);
		rig_free(g);
	}
}

static void forgets_the_oldest_beyond_its_limit(void **state)
{
	struct rig *g = rig_with_server("https://das.keyway.example", NULL);
	const struct answer *a;

	(void)state;
	for (unsigned i = 0; i < 1100; i++) {
		const char *id = rig_fmt(g, "t%u@das", i);

		a = ask(g, "CUser", "cse-in/ae/c", (struct onem2m_request){.token_ids = rd_str(id)});
		assert_false(a->come);
		rig_reply(g, g->sent_count - 1, RSC_OK, rig_fmt(g,
		    "{'m2m:seci':{'sit':2,'dres':{'tkns':['das.keyway.example {\\'jti\\':\\'%s\\',\\'azp\\':\\'CUser\\',\\'iss\\':\\'das.keyway.example\\',\\'nbf\\':1,\\'exp\\':9999999999,"
		    "\\'tkps\\':{\\'pm\\':[{\\'rids\\':[\\'boss@here\\']}]}}']}}}", id));
		assert_rsc(a, RSC_OK);
	}
	a = ask(g, "CUser", "cse-in/ae/c", (struct onem2m_request){.token_ids = rd_str("t1099@das")});
	assert_rsc(a, RSC_OK);
	a = ask(g, "CUser", "cse-in/ae/c", (struct onem2m_request){.token_ids = rd_str("t0@das")});
	assert_false(a->come);
	rig_reply(g, g->sent_count - 1, RSC_OK, "{}");
	assert_rsc(a, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_counts_for_its_holder_until_its_end),
		cmocka_unit_test(a_token_that_was_named_counts_where_it_is_named),
		cmocka_unit_test(refuses_tokens_that_are_not_that_servers_or_his),
		cmocka_unit_test(forgets_the_oldest_beyond_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
