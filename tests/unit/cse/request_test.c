/* Non-blocking requests, requests that are carried out later, and requests that expire: TS-0001 clauses 8.1.2 and 8.2. */
#include <string.h>

#include "harness.h"

static const struct answer *ask(struct rig *g, enum onem2m_operation operation, const char *to, enum onem2m_response_type rt, const char *query, int ty, const char *json)
{
	return rig_ask(g, (struct onem2m_request){.operation = operation, .to = rd_str(to), .from = rd_str("CAe"), .rt = rt, .filter = rd_str(query),
	                      .rcn = ONEM2M_RCN_ABSENT, .type = ty, .content = rd_str(rig_json(g, json)), .rp = strstr(query, "rp=") ? rd_str(strstr(query, "rp=") + 3) : rd_of(NULL, 0)});
}

static const char *uri_of(struct rig *g, const struct answer *a)
{
	char text[256];

	assert_true(json_text(json_get(a->doc, "m2m:uri"), text, sizeof text));
	return rig_fmt(g, "%s", text);
}

static void synchronous_request_keeps_its_result(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a;
	const char *uri;

	(void)state;
	rig_ae(g, "CAe", "ae", "");
	a = ask(g, ONEM2M_CREATE, "cse-in/ae", ONEM2M_NON_BLOCKING_SYNCH, "rt=1", TY_CONTAINER, "{'m2m:cnt':{'rn':'c'}}");
	assert_rsc(a, RSC_ACCEPTED_SYNCH);
	uri = uri_of(g, a);
	a = rig_retrieve(g, "CAe", uri);
	assert_rsc(a, RSC_OK);
	assert_value(a, "m2m:req.op", "1");
	assert_value(a, "m2m:req.tg", "'cse-in/ae'");
	assert_value(a, "m2m:req.org", "'CAe'");
	assert_value(a, "m2m:req.lbl", "['CAe']");
	assert_value(a, "m2m:req.mi.rt.rtv", "1");
	assert_value(a, "m2m:req.mi.ty", "3");
	assert_value(a, "m2m:req.pc.m2m:cnt.rn", "'c'");
	assert_value(a, "m2m:req.rs", "1");
	assert_value(a, "m2m:req.ors.rsc", "2001");
	assert_value(a, "m2m:req.ors.pc.m2m:cnt.rn", "'c'");
	assert_true(json_equal(json_path(a->doc, "m2m:req.rid"), json_path(a->doc, "m2m:req.ors.rqi")));
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/c"), RSC_OK);
	assert_rsc(rig_retrieve(g, "COther", uri), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_update(g, "CAe", uri, "{'m2m:req':{'lbl':['x']}}"), RSC_OPERATION_NOT_ALLOWED);
	assert_rsc(rig_delete(g, "CAe", uri), RSC_DELETED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_REQUEST, "{'m2m:req':{}}"), RSC_OPERATION_NOT_ALLOWED);
	rig_free(g);
}

static void failed_operation_fails_the_request_only(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a;

	(void)state;
	rig_ae(g, "CAe", "ae", "");
	a = ask(g, ONEM2M_RETRIEVE, "cse-in/none", ONEM2M_NON_BLOCKING_SYNCH, "rt=1", 0, "");
	assert_rsc(a, RSC_ACCEPTED_SYNCH);
	a = rig_retrieve(g, "CAe", uri_of(g, a));
	assert_value(a, "m2m:req.rs", "2");
	assert_value(a, "m2m:req.ors.rsc", "4004");
	assert_value(a, "m2m:req.pc", NULL);
	rig_free(g);
}

static void result_goes_at_the_end_of_its_persistence(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a;
	const char *uri;

	(void)state;
	rig_ae(g, "CAe", "ae", "");
	a = ask(g, ONEM2M_RETRIEVE, "cse-in/ae", ONEM2M_NON_BLOCKING_SYNCH, "rt=1&rp=PT5S", 0, "");
	uri = uri_of(g, a);
	rig_advance(g, 4000);
	assert_rsc(rig_retrieve(g, "CAe", uri), RSC_OK);
	rig_advance(g, 2000);
	assert_rsc(rig_retrieve(g, "CAe", uri), RSC_NOT_FOUND);
	assert_rsc(ask(g, ONEM2M_RETRIEVE, "cse-in/ae", ONEM2M_FLEX_BLOCKING, "rt=4&rp=xxx", 0, ""), RSC_BAD_REQUEST);
	assert_rsc(ask(g, ONEM2M_RETRIEVE, "cse-in/ae", ONEM2M_FLEX_BLOCKING, "rt=4&rp=5000", 0, ""), RSC_OK);
	rig_free(g);
}

static void asynchronous_result_is_notified(void **state)
{
	struct rig *g = rig_new();
	struct onem2m_request rq = {.operation = ONEM2M_RETRIEVE, .to = rd_str("cse-in/ae"), .from = rd_str("CAe"), .request_id = rd_str("r77"),
		.rt = ONEM2M_NON_BLOCKING_ASYNCH, .rcn = ONEM2M_RCN_ABSENT};
	const struct sent *s;

	(void)state;
	rig_ae(g, "CAe", "ae", "'poa':['http://ae']");
	rq.rt_nu = rd_str("http://one&http://two");
	assert_rsc(rig_ask(g, rq), RSC_ACCEPTED_ASYNCH);
	assert_int_equal(rig_count_sent(g, "http://one"), 1);
	s = rig_last_sent(g, "http://two");
	assert_non_null(s);
	assert_json(s->doc, "m2m:rsp.rsc", "2000");
	assert_json(s->doc, "m2m:rsp.rqi", "'r77'");
	assert_json(s->doc, "m2m:rsp.to", "'CAe'");
	assert_json(s->doc, "m2m:rsp.fr", "'/id-in'");
	assert_json(s->doc, "m2m:rsp.pc.m2m:ae.ty", "2");
	/* without targets the AE itself; with an empty list nobody */
	rq.rt_nu = rd_of(NULL, 0);
	assert_rsc(rig_ask(g, rq), RSC_ACCEPTED_ASYNCH);
	assert_int_equal(rig_count_sent(g, "http://ae"), 1);
	rq.rt_nu = rd_str("");
	assert_rsc(rig_ask(g, rq), RSC_ACCEPTED_ASYNCH);
	assert_int_equal(rig_count_sent(g, "http://"), 3);
	rig_free(g);
}

static struct rig *rig_with_remote(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "CAe", "ae", "");
	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE, "{'m2m:csr':{'csi':'/id-mn','cb':'/id-mn/cse-mn','rr':true,'srv':['3'],'poa':['http://mn']}}"),
	    RSC_CREATED);
	return g;
}

static void request_to_another_cse_is_forwarded_and_blocks_there(void **state)
{
	struct rig *g = rig_with_remote();
	const struct answer *a, *r;

	(void)state;
	rig_hold(g, "http://mn");
	a = ask(g, ONEM2M_RETRIEVE, "/id-mn/cse-mn/x", ONEM2M_NON_BLOCKING_SYNCH, "rt=1&rcn=4&rp=PT1H", 0, "");
	assert_rsc(a, RSC_ACCEPTED_SYNCH);
	r = rig_retrieve(g, "CAe", uri_of(g, a));
	assert_value(r, "m2m:req.rs", "4");
	assert_value(r, "m2m:req.ors.rsc", "1000");
	assert_true(rd_is(rig_last_sent(g, "http://mn")->rq.filter, "rcn=4"));
	assert_int_equal(rig_last_sent(g, "http://mn")->rq.rt, ONEM2M_RT_ABSENT);
	rig_advance(g, 100);
	rig_reply(g, g->sent_count - 1, RSC_OK, "{'m2m:cnt':{'ty':3}}");
	r = rig_retrieve(g, "CAe", uri_of(g, a));
	assert_value(r, "m2m:req.rs", "1");
	assert_value(r, "m2m:req.ors.pc.m2m:cnt.ty", "3");
	rig_free(g);
}

static void remote_answer_that_is_no_json_is_kept_as_text(void **state)
{
	struct rig *g = rig_with_remote();
	const struct answer *a;

	(void)state;
	rig_hold(g, "http://mn");
	a = ask(g, ONEM2M_RETRIEVE, "/id-mn/cse-mn/x", ONEM2M_NON_BLOCKING_SYNCH, "rt=1", 0, "");
	rig_reply(g, g->sent_count - 1, RSC_OK, "<html>");
	assert_value(rig_retrieve(g, "CAe", uri_of(g, a)), "m2m:req.ors.pc", "'<html>'");
	rig_free(g);
}

static void hanging_hop_ends_at_the_requests_expiry(void **state)
{
	struct rig *g = rig_with_remote();
	const struct answer *a;
	struct onem2m_request rq = {.operation = ONEM2M_RETRIEVE, .to = rd_str("/id-mn/cse-mn/x"), .from = rd_str("CAe"), .rqet = rd_str("5000"),
		.rcn = ONEM2M_RCN_ABSENT};

	(void)state;
	rig_hold(g, "http://mn");
	a = rig_ask(g, rq);
	rig_advance(g, 4900);
	assert_false(a->come);
	rig_advance(g, 200);
	assert_rsc(a, RSC_REQUEST_TIMEOUT);
	rig_reply(g, g->sent_count - 1, RSC_OK, "");
	a = rig_retrieve(g, "CAe", "/id-mn/cse-mn/x");
	rig_advance(g, 19000);
	assert_false(a->come);
	rig_advance(g, 2000);
	assert_rsc(a, RSC_REQUEST_TIMEOUT);
	rig_reply(g, g->sent_count - 1, RSC_OK, "");
	rig_free(g);
}

static void operation_waits_for_its_execution_time(void **state)
{
	struct rig *g = rig_new();
	struct onem2m_request rq = {.operation = ONEM2M_RETRIEVE, .to = rd_str("cse-in/ae"), .from = rd_str("CAe"), .oet = rd_str("3000"), .rcn = ONEM2M_RCN_ABSENT};
	const struct answer *a, *r;

	(void)state;
	g->config.testbench = false; /* where nothing is called off */
	rig_restart(g);
	rig_ae(g, "CAe", "ae", "");
	a = rig_ask(g, rq);
	rig_advance(g, 2900);
	assert_false(a->come);
	rig_advance(g, 200);
	assert_rsc(a, RSC_OK);
	rq.rqet = rd_str("1500.0");
	assert_rsc(rig_ask(g, rq), RSC_BAD_REQUEST);
	rq.rqet = rd_str("6000");
	rq.rt = ONEM2M_NON_BLOCKING_SYNCH;
	a = rig_ask(g, rq);
	assert_rsc(a, RSC_ACCEPTED_SYNCH);
	r = rig_retrieve(g, "CAe", uri_of(g, a));
	assert_value(r, "m2m:req.rs", "3");
	rig_advance(g, 3100);
	r = rig_retrieve(g, "CAe", uri_of(g, a));
	assert_value(r, "m2m:req.rs", "1");
	/* deleted before its time, it is never carried out */
	rq.operation = ONEM2M_DELETE;
	a = rig_ask(g, rq);
	assert_rsc(rig_delete(g, "CAe", uri_of(g, a)), RSC_DELETED);
	rig_advance(g, 5000);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae"), RSC_OK);
	rig_free(g);
}

static void request_that_was_open_at_a_crash_has_failed(void **state)
{
	struct rig *g = rig_new();
	struct onem2m_request rq = {.operation = ONEM2M_DELETE, .to = rd_str("cse-in/ae"), .from = rd_str("CAe"), .oet = rd_str("3000"), .rp = rd_str("PT1H"),
		.rcn = ONEM2M_RCN_ABSENT, .rt = ONEM2M_NON_BLOCKING_SYNCH};
	const struct answer *a;
	const char *uri;

	(void)state;
	rig_ae(g, "CAe", "ae", "");
	uri = uri_of(g, rig_ask(g, rq));
	rig_restart(g);
	rig_advance(g, 5000);
	a = rig_retrieve(g, "CAe", uri);
	assert_value(a, "m2m:req.rs", "2");
	assert_value(a, "m2m:req.ors.rsc", "5000");
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae"), RSC_OK);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(synchronous_request_keeps_its_result),
		cmocka_unit_test(failed_operation_fails_the_request_only),
		cmocka_unit_test(result_goes_at_the_end_of_its_persistence),
		cmocka_unit_test(asynchronous_result_is_notified),
		cmocka_unit_test(request_to_another_cse_is_forwarded_and_blocks_there),
		cmocka_unit_test(remote_answer_that_is_no_json_is_kept_as_text),
		cmocka_unit_test(hanging_hop_ends_at_the_requests_expiry),
		cmocka_unit_test(operation_waits_for_its_execution_time),
		cmocka_unit_test(request_that_was_open_at_a_crash_has_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
