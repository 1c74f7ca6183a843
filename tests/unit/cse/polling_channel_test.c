/* Polling channels: TS-0001 clause 10.2.5.13 ff. */
#include <string.h>

#include "harness.h"

#define NOTE "{'m2m:sgn':{'sur':'x'}}"

static struct rig *rig_with_channel(const char *more)
{
	struct rig *g = rig_new();

	assert_rsc(rig_create(g, "CAe", "cse-in", TY_AE, "{'m2m:ae':{'rn':'ae','api':'Nx','rr':false,'srv':['3']}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_POLLING_CHANNEL, rig_fmt(g, "{'m2m:pch':{'rn':'pch'%s}}", more)), RSC_CREATED);
	return g;
}

static const char *request_id(struct rig *g, const struct json *rqp)
{
	char id[64];

	assert_true(json_text(json_get(rqp, "rqi"), id, sizeof id));
	return rig_fmt(g, "%s", id);
}

static const struct answer *reply(struct rig *g, const char *id, int rsc)
{
	return rig_notify(g, "CAe", "cse-in/ae/pch/pcu", rig_fmt(g, "{'m2m:rsp':{'rqi':'%s','rsc':%d,'pc':{'m2m:x':{}}}}", id, rsc));
}

static void request_waits_for_the_poll_and_its_answer_goes_back(void **state)
{
	struct rig *g = rig_with_channel("");
	const struct answer *sent = rig_notify(g, "CAdmin", "cse-in/ae", NOTE), *polled;

	(void)state;
	assert_false(sent->come);
	polled = rig_retrieve(g, "CAe", "cse-in/ae/pch/pcu");
	assert_rsc(polled, RSC_OK);
	assert_value(polled, "m2m:rqp.op", "5");
	assert_value(polled, "m2m:rqp.fr", "'/id-in/CAdmin'");
	assert_value(polled, "m2m:rqp.to", "'cse-in/ae'");
	assert_value(polled, "m2m:rqp.pc.m2m:sgn.sur", "'x'");
	assert_false(sent->come);
	assert_rsc(reply(g, "other", 2000), RSC_BAD_REQUEST);
	assert_rsc(reply(g, request_id(g, json_get(polled->doc, "m2m:rqp")), 2000), RSC_OK);
	assert_rsc(sent, RSC_OK);
	assert_value(sent, "m2m:x", "{}");
	assert_int_equal(g->sent_count, 0);
	rig_free(g);
}

static void poll_waits_for_a_request_or_its_expiry(void **state)
{
	struct rig *g = rig_with_channel("");
	struct onem2m_request rq = {.operation = ONEM2M_RETRIEVE, .to = rd_str("cse-in/ae/pch/pcu"), .from = rd_str("CAe"), .rqet = rd_str("5000"), .rcn = ONEM2M_RCN_ABSENT};
	const struct answer *polled = rig_ask(g, rq), *sent;

	(void)state;
	rig_advance(g, 4900);
	assert_false(polled->come);
	rig_advance(g, 200);
	assert_rsc(polled, RSC_REQUEST_TIMEOUT);
	polled = rig_ask(g, rq);
	sent = rig_notify(g, "CAdmin", "cse-in/ae", NOTE);
	assert_rsc(polled, RSC_OK);
	/* fetched, but never answered */
	rig_advance(g, 30000);
	assert_rsc(sent, RSC_REQUEST_TIMEOUT);
	assert_rsc(reply(g, request_id(g, json_get(polled->doc, "m2m:rqp")), 2000), RSC_BAD_REQUEST);
	rig_free(g);
}

static void is_for_its_owner_alone(void **state)
{
	struct rig *g = rig_with_channel("");

	(void)state;
	rig_ae(g, "COther", "other", "");
	assert_rsc(rig_retrieve(g, "COther", "cse-in/ae/pch/pcu"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/ae/pch/pcu"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/pch/pcu"), RSC_OPERATION_NOT_ALLOWED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_POLLING_CHANNEL, "{'m2m:pch':{}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/other", TY_POLLING_CHANNEL, "{'m2m:pch':{}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_POLLING_CHANNEL, "{'m2m:pch':{}}"), RSC_INVALID_CHILD_RESOURCE_TYPE);
	/* even where a policy of the AE lets others in */
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_ACP,
	               "{'m2m:acp':{'rn':'acp','pv':{'acr':[{'acor':['all'],'acop':63}]},'pvs':{'acr':[{'acor':['CAe'],'acop':63}]}}}"),
	    RSC_CREATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae", "{'m2m:ae':{'acpi':['cse-in/ae/acp']}}"), RSC_UPDATED);
	assert_rsc(rig_retrieve(g, "COther", "cse-in/ae"), RSC_OK);
	assert_rsc(rig_retrieve(g, "COther", "cse-in/ae/pch"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/pch"), RSC_OK);
	rig_free(g);
}

static void gives_all_requests_at_once_where_it_aggregates(void **state)
{
	struct rig *g = rig_with_channel(",'rqag':true");
	const struct answer *one = rig_notify(g, "CAdmin", "cse-in/ae", NOTE), *two = rig_notify(g, "CAdmin", "cse-in/ae", NOTE), *polled;
	const struct json *list;

	(void)state;
	polled = rig_retrieve(g, "CAe", "cse-in/ae/pch/pcu");
	assert_rsc(polled, RSC_OK);
	list = json_get(polled->doc, "m2m:agrp");
	assert_int_equal(list->count, 2);
	assert_rsc(rig_notify(g, "CAe", "cse-in/ae/pch/pcu",
	               rig_fmt(g, "{'m2m:agr':{'m2m:rsp':[{'rqi':'%s','rsc':2000},{'rqi':'%s','rsc':4004}]}}", request_id(g, json_at(list, 0)),
	                   request_id(g, json_at(list, 1)))),
	    RSC_OK);
	assert_rsc(one, RSC_OK);
	assert_rsc(two, RSC_NOT_FOUND);
	rig_free(g);
}

static void refuses_what_is_no_answer(void **state)
{
	struct rig *g = rig_with_channel("");

	(void)state;
	assert_rsc(rig_notify(g, "CAe", "cse-in/ae/pch/pcu", "{'m2m:rqp':{'rqi':'x','rsc':2000}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_notify(g, "CAe", "cse-in/ae/pch/pcu", ""), RSC_BAD_REQUEST);
	rig_free(g);
}

static void subscription_is_verified_through_the_channel(void **state)
{
	struct rig *g = rig_with_channel("");
	const struct answer *made, *polled;

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_CONTAINER, "{'m2m:cnt':{'rn':'c'}}"), RSC_CREATED);
	made = rig_create(g, "CAdmin", "cse-in/c", TY_SUBSCRIPTION, "{'m2m:sub':{'nu':['CAe'],'enc':{'net':[3]}}}");
	polled = rig_retrieve(g, "CAe", "cse-in/ae/pch/pcu");
	assert_value(polled, "m2m:rqp.pc.m2m:sgn.vrq", "true");
	assert_rsc(reply(g, request_id(g, json_get(polled->doc, "m2m:rqp")), 2000), RSC_OK);
	assert_rsc(made, RSC_CREATED);
	polled = rig_retrieve(g, "CAe", "cse-in/ae/pch/pcu");
	assert_rsc(rig_create(g, "CAdmin", "cse-in/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'v'}}"), RSC_CREATED);
	assert_rsc(polled, RSC_OK);
	assert_value(polled, "m2m:rqp.pc.m2m:sgn.nev.rep.m2m:cin.con", "'v'");
	assert_rsc(reply(g, request_id(g, json_get(polled->doc, "m2m:rqp")), 2000), RSC_OK);
	rig_free(g);
}

static void ends_what_waits_when_it_is_deleted(void **state)
{
	struct rig *g = rig_with_channel("");
	const struct answer *sent = rig_notify(g, "CAdmin", "cse-in/ae", NOTE), *polled = rig_retrieve(g, "CAe", "cse-in/ae/pch/pcu"), *waiting;

	(void)state;
	assert_rsc(polled, RSC_OK);
	waiting = rig_retrieve(g, "CAe", "cse-in/ae/pch/pcu");
	assert_false(waiting->come);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/pch"), RSC_DELETED);
	assert_rsc(waiting, RSC_NOT_FOUND);
	assert_rsc(sent, RSC_TARGET_NOT_REACHABLE);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/pch/pcu"), RSC_NOT_FOUND);
	rig_free(g);
}

static void reachable_ae_gets_its_requests_directly(void **state)
{
	struct rig *g = rig_with_channel("");

	(void)state;
	assert_rsc(rig_update(g, "CAe", "cse-in/ae", "{'m2m:ae':{'rr':true,'poa':['http://ae']}}"), RSC_UPDATED);
	assert_rsc(rig_notify(g, "CAdmin", "cse-in/ae", NOTE), RSC_OK);
	assert_int_equal(rig_count_sent(g, "http://ae"), 1);
	rig_free(g);
}

static void cse_without_point_of_access_fetches_requests_too(void **state)
{
	struct rig *g = rig_new();
	const struct answer *sent, *polled;

	(void)state;
	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE, "{'m2m:csr':{'rn':'mn','csi':'/id-mn','cb':'/id-mn/cse-mn','rr':false,'srv':['3']}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "/id-mn", "cse-in/mn", TY_POLLING_CHANNEL, "{'m2m:pch':{'rn':'pch'}}"), RSC_CREATED);
	sent = rig_retrieve(g, "CAdmin", "/id-mn/cse-mn/x");
	polled = rig_retrieve(g, "/id-mn", "cse-in/mn/pch/pcu");
	assert_rsc(polled, RSC_OK);
	assert_value(polled, "m2m:rqp.op", "2");
	assert_value(polled, "m2m:rqp.to", "'/id-mn/cse-mn/x'");
	assert_rsc(rig_notify(g, "/id-mn", "cse-in/mn/pch/pcu",
	               rig_fmt(g, "{'m2m:rsp':{'rqi':'%s','rsc':2000,'pc':{'m2m:cnt':{'ty':3}}}}", request_id(g, json_get(polled->doc, "m2m:rqp")))),
	    RSC_OK);
	assert_rsc(sent, RSC_OK);
	assert_value(sent, "m2m:cnt.ty", "3");
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_waits_for_the_poll_and_its_answer_goes_back),
		cmocka_unit_test(poll_waits_for_a_request_or_its_expiry),
		cmocka_unit_test(is_for_its_owner_alone),
		cmocka_unit_test(gives_all_requests_at_once_where_it_aggregates),
		cmocka_unit_test(refuses_what_is_no_answer),
		cmocka_unit_test(subscription_is_verified_through_the_channel),
		cmocka_unit_test(ends_what_waits_when_it_is_deleted),
		cmocka_unit_test(reachable_ae_gets_its_requests_directly),
		cmocka_unit_test(cse_without_point_of_access_fetches_requests_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
