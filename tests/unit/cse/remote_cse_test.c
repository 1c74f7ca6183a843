/* Registration of CSEs and requests on their way through: TS-0004 clause 7.4.4.2, TS-0001 clause 8.2. */
#include <string.h>

#include "harness.h"

static const struct answer *csr(struct rig *g, const char *from, const char *members)
{
	return rig_create(g, from, "cse-in", TY_REMOTE_CSE, rig_fmt(g, "{'m2m:csr':{'rr':true,'srv':['4'],'poa':['http:/%s']%s}}", from, members));
}

static void registers_the_originator(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a;

	(void)state;
	a = csr(g, "/id-mn", ",'cb':'/id-mn/cse-mn'");
	assert_rsc(a, RSC_CREATED);
	assert_value(a, "m2m:csr.csi", "'/id-mn'");
	assert_value(a, "m2m:csr.ri", "'id-mn'");
	assert_rsc(csr(g, "/id-mn", ",'cb':'/id-mn/cse-mn'"), RSC_ORIGINATOR_HAS_ALREADY_REGISTERED);
	assert_value(csr(g, "/id-b", ",'cb':'/id-b/cse','csi':'/id-other'"), "m2m:csr.csi", "'/id-b'");
	rig_free(g);
}

static void by_the_customs_takes_nobody_for_another(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	g->config.customs = true;
	rig_restart(g);
	assert_rsc(csr(g, "/id-b", ",'csi':'/id-other'"), RSC_OPERATION_NOT_ALLOWED);
	assert_rsc(csr(g, "/id-b", ",'csi':'/id-b'"), RSC_BAD_REQUEST);
	assert_value(csr(g, "/id-b", ",'cb':'/id-b/cse','csi':'/id-other'"), "m2m:csr.csi", "'/id-b'");
	rig_free(g);
}

static void by_the_customs_an_AE_from_elsewhere_is_a_guest(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	assert_rsc(rig_create(g, "/id-far/Cguest", "cse-in", TY_AE, "{'m2m:ae':{'rn':'guest','api':'Nx','rr':false,'srv':['4']}}"), RSC_BAD_REQUEST);
	g->config.customs = true;
	rig_restart(g);
	assert_rsc(rig_create(g, "/id-far/Cguest", "cse-in", TY_AE, "{'m2m:ae':{'rn':'guest','api':'Nx','rr':false,'srv':['4']}}"), RSC_BAD_REQUEST);
	assert_rsc(csr(g, "/id-far", ",'cb':'/id-far/cse'"), RSC_CREATED);
	assert_rsc(csr(g, "/id-other", ",'cb':'/id-other/cse'"), RSC_CREATED);
	assert_value(rig_create(g, "/id-far/Cguest", "cse-in", TY_AE, "{'m2m:ae':{'rn':'guest','api':'Nx','rr':false,'srv':['4']}}"), "m2m:ae.aei", "'Cguest'");
	assert_rsc(rig_create(g, "/id-other/Cguest", "cse-in", TY_AE, "{'m2m:ae':{'api':'Nx','rr':false,'srv':['4']}}"), RSC_ORIGINATOR_HAS_ALREADY_REGISTERED);
	assert_rsc(rig_create(g, "/id-far/Cguest", "cse-in/guest", TY_CONTAINER, "{'m2m:cnt':{'rn':'c'}}"), RSC_CREATED);
	assert_rsc(rig_retrieve(g, "/id-far/Cother", "cse-in/guest/c"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_restart(g);
	assert_rsc(rig_delete(g, "/id-far/Cguest", "cse-in/guest"), RSC_DELETED);
	rig_free(g);
}

static void the_administrator_may_name_another(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	rig_ae(g, "Ctest", "ae", "");
	assert_rsc(csr(g, "CAdmin", ",'cb':'/Ctest'"), RSC_CONFLICT);
	assert_rsc(csr(g, "CAdmin", ",'csi':'/id-b'"), RSC_BAD_REQUEST);
	assert_rsc(csr(g, "CAdmin", ",'cb':'cse-b'"), RSC_OPERATION_NOT_ALLOWED);
	assert_value(csr(g, "CAdmin", ",'cb':'/id-b/cse','rn':'b'"), "m2m:csr.csi", "'/id-b'");
	assert_value(csr(g, "CAdmin", ",'cb':'/id-c/cse','csi':'/id-c'"), "m2m:csr.csi", "'/id-c'");
	rig_free(g);
}

static void refuses_what_is_no_cse(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	assert_rsc(csr(g, "CAe", ",'cb':'/CAe/x'"), RSC_OPERATION_NOT_ALLOWED);
	assert_rsc(csr(g, "/id-mn", ""), RSC_BAD_REQUEST);
	assert_rsc(csr(g, "/id-in", ",'cb':'/id-in/cse-in','csi':'/id-in'"), RSC_BAD_REQUEST);
	rig_ae(g, "Ctest", "ae", "");
	assert_rsc(csr(g, "/Ctest", ",'cb':'/Ctest/x'"), RSC_CONFLICT);
	rig_free(g);
}

static void a_request_goes_over_the_cse_that_names_the_descendant(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	assert_rsc(csr(g, "/id-mn", ",'cb':'/id-mn/cse-mn'"), RSC_CREATED);
	assert_rsc(rig_retrieve(g, "CAdmin", "/id-mn2/cse-mn2"), RSC_NOT_FOUND);
	assert_rsc(rig_update(g, "/id-mn", "id-mn", "{'m2m:csr':{'dcse':['/id-mn2']}}"), RSC_UPDATED);
	assert_rsc(rig_retrieve(g, "CAdmin", "/id-mn2/cse-mn2"), RSC_OK);
	assert_string_equal(rig_last_sent(g, "http://id-mn")->to, "/id-mn2/cse-mn2");
	assert_string_equal(rig_last_sent(g, "http://id-mn")->from, "/id-in/CAdmin");
	assert_true(rig_last_sent(g, "http://id-mn")->rq.rqet.left > 0);
	rig_free(g);
}

struct told {
	bool come, composed;
	char content[64];
};

static void on_told(void *ctx, const struct onem2m_response *rsp)
{
	struct told *t = ctx;

	t->come = true;
	t->composed = rsp->composed;
	assert_true(rd_text(rsp->content, t->content, sizeof t->content));
}

static struct told ask(struct rig *g, const char *to, const char *query)
{
	const struct onem2m_request rq = {
		.operation = ONEM2M_RETRIEVE, .to = rd_str(to), .from = rd_str("CAdmin"), .request_id = rd_str("r1"), .release = rd_str("3"), .filter = rd_str(query), .rcn = ONEM2M_RCN_ABSENT, .peer = ""};
	struct told t = {.come = false};

	cse_submit(g->cse, &rq, on_told, &t);
	if (!t.come)
		rig_reply(g, g->sent_count - 1, RSC_OK, "this is no JSON");
	assert_true(t.come);
	return t;
}

/* Bindings splice into their messages what the CSE says that it put together itself: never what another one answered. */
static void only_content_of_this_cse_is_said_to_be_composed(void **state)
{
	struct rig *g = rig_new();
	struct told t;

	(void)state;
	assert_rsc(csr(g, "/id-mn", ",'cb':'/id-mn/cse-mn'"), RSC_CREATED);
	rig_hold(g, "http://id-mn");
	t = ask(g, "cse-in", "atrl=csi");
	assert_true(t.composed);
	assert_string_equal(t.content, "{\"m2m:cb\":{\"csi\":\"/id-in\"}}");
	t = ask(g, "cse-in/nowhere", "");
	assert_true(t.composed);
	t = ask(g, "/id-mn/cse-mn", "");
	assert_false(t.composed);
	assert_string_equal(t.content, "this is no JSON");
	rig_free(g);
}

/* A registree: it asks its registrar, and does not send back what came from there. */
static struct rig *registree(void)
{
	struct rig *g = rig_new_as(CSE_MN, "/id-mn", "cse-mn");

	g->config.registrar_id = "/id-in";
	g->config.registrar_poa = "http://in";
	g->config.poa = "http://mn";
	rig_restart(g);
	rig_hold(g, "http://in");
	cse_register(g->cse);
	rig_settle(g);
	return g;
}

static const struct sent *last(struct rig *g)
{
	return rig_last_sent(g, "http://in");
}

static void settle_registration(struct rig *g, enum onem2m_rsc rsc)
{
	rig_reply(g, g->sent_count - 1, rsc, "");
	assert_int_equal(last(g)->rq.operation, ONEM2M_RETRIEVE);
	assert_string_equal(last(g)->to, "/id-in/-");
	rig_reply(g, g->sent_count - 1, RSC_OK, "{'m2m:cb':{'rn':'cse-in','csi':'/id-in','cst':1,'srv':['3','4'],'poa':['http://elsewhere']}}");
}

static void registree_keeps_its_registrar_as_a_remote_cse(void **state)
{
	struct rig *g = registree();
	const struct answer *a;

	(void)state;
	assert_int_equal(last(g)->rq.operation, ONEM2M_CREATE);
	assert_string_equal(last(g)->from, "/id-mn");
	assert_json(last(g)->doc, "m2m:csr.cb", "'/id-mn/cse-mn'");
	assert_json(last(g)->doc, "m2m:csr.poa", "['http://mn']");
	settle_registration(g, RSC_CREATED);
	a = rig_retrieve(g, "CAdmin", "cse-mn/id-in");
	assert_rsc(a, RSC_OK);
	assert_value(a, "m2m:csr.cb", "'/id-in/cse-in'");
	assert_value(a, "m2m:csr.poa", "['http://in']");
	assert_value(a, "m2m:csr.cst", "1");
	rig_free(g);
}

static void registration_that_is_there_already_is_updated(void **state)
{
	struct rig *g = registree();

	(void)state;
	rig_reply(g, g->sent_count - 1, RSC_ORIGINATOR_HAS_ALREADY_REGISTERED, "");
	assert_int_equal(last(g)->rq.operation, ONEM2M_UPDATE);
	assert_string_equal(last(g)->to, "/id-in/-/id-mn");
	settle_registration(g, RSC_UPDATED);
	/* and again after a while; when the registrar has lost it, anew */
	rig_advance(g, 31000);
	assert_int_equal(last(g)->rq.operation, ONEM2M_UPDATE);
	rig_reply(g, g->sent_count - 1, RSC_NOT_FOUND, "");
	rig_advance(g, 1000);
	assert_int_equal(last(g)->rq.operation, ONEM2M_CREATE);
	settle_registration(g, RSC_CREATED);
	rig_free(g);
}

static void tells_the_registrar_who_is_below(void **state)
{
	struct rig *g = registree();

	(void)state;
	settle_registration(g, RSC_CREATED);
	assert_rsc(rig_create(g, "/id-mn2", "cse-mn", TY_REMOTE_CSE, "{'m2m:csr':{'cb':'/id-mn2/c','rr':true,'srv':['4'],'poa':['http://mn2'],'dcse':['/id-mn3']}}"),
	    RSC_CREATED);
	assert_int_equal(last(g)->rq.operation, ONEM2M_UPDATE);
	assert_json(last(g)->doc, "m2m:csr.dcse", "['/id-mn2','/id-mn3']");
	settle_registration(g, RSC_UPDATED);
	assert_rsc(rig_delete(g, "/id-mn2", "id-mn2"), RSC_DELETED);
	assert_json(last(g)->doc, "m2m:csr.dcse", "[]");
	settle_registration(g, RSC_UPDATED);
	rig_free(g);
}

static void does_not_send_back_what_came_from_above(void **state)
{
	struct rig *g = registree();
	size_t before;

	(void)state;
	settle_registration(g, RSC_CREATED);
	before = g->sent_count;
	assert_rsc(rig_retrieve(g, "/id-in/CAe", "/id-elsewhere/x"), RSC_NOT_FOUND);
	assert_rsc(rig_retrieve(g, "/id-stranger", "/id-elsewhere/x"), RSC_NOT_FOUND);
	assert_int_equal(g->sent_count, before);
	assert_false(rig_retrieve(g, "CAe", "/id-elsewhere/x")->come);
	assert_int_equal(g->sent_count, before + 1);
	rig_reply(g, before, RSC_NOT_FOUND, "");
	rig_free(g);
}

static void on_ended(void *ctx)
{
	*(bool *)ctx = true;
}

static void deregisters(void **state)
{
	struct rig *g = registree();
	bool ended = false;

	(void)state;
	settle_registration(g, RSC_CREATED);
	cse_deregister(g->cse, on_ended, &ended);
	rig_settle(g);
	assert_int_equal(last(g)->rq.operation, ONEM2M_DELETE);
	assert_string_equal(last(g)->to, "/id-in/-/id-mn");
	assert_false(ended);
	rig_reply(g, g->sent_count - 1, RSC_DELETED, "");
	assert_true(ended);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_the_originator),
		cmocka_unit_test(by_the_customs_takes_nobody_for_another),
		cmocka_unit_test(by_the_customs_an_AE_from_elsewhere_is_a_guest),
		cmocka_unit_test(the_administrator_may_name_another),
		cmocka_unit_test(refuses_what_is_no_cse),
		cmocka_unit_test(a_request_goes_over_the_cse_that_names_the_descendant),
		cmocka_unit_test(only_content_of_this_cse_is_said_to_be_composed),
		cmocka_unit_test(registree_keeps_its_registrar_as_a_remote_cse),
		cmocka_unit_test(registration_that_is_there_already_is_updated),
		cmocka_unit_test(tells_the_registrar_who_is_below),
		cmocka_unit_test(does_not_send_back_what_came_from_above),
		cmocka_unit_test(deregisters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
