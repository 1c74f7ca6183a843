/* CMDH policies: TS-0001 annex D.12. */
#include <string.h>

#include "harness.h"

static void object(struct rig *g, const char *root, const char *members)
{
	assert_rsc(rig_create(g, "CAdmin", "cse-mn/n", TY_MGMT_OBJ, rig_fmt(g, "{'%s':{%s}}", root, members)), RSC_CREATED);
}

/* Category 4 for CMeter, best effort (3) for others; of 4 a request lives 10 s, a result 60; requests of 4 live at most 20 s. */
static struct rig *rig_with_policy(void)
{
	struct rig *g = rig_new_as(CSE_MN, "/id-mn", "cse-mn");

	g->config.registrar_id = "/id-in";
	g->config.registrar_poa = "http://in";
	rig_restart(g);
	cse_register(g->cse);
	rig_settle(g);
	rig_ae(g, "CMeter", "meter", "");
	rig_ae(g, "COther", "other", "");
	assert_rsc(rig_create(g, "CAdmin", "cse-mn", TY_NODE, "{'m2m:nod':{'rn':'n','ni':'1','hcl':'/id-mn'}}"), RSC_CREATED);
	object(g, "m2m:cmdv", "'rn':'v1','mgd':1014,'od':2,'dev':4,'ror':['CMeter']");
	object(g, "m2m:cmdv", "'rn':'v2','mgd':1014,'od':3,'dev':3,'ror':['C*']");
	object(g, "m2m:cmdv", "'rn':'v0','mgd':1014,'od':1,'dev':2,'ror':['C*'],'rch':'unknown'");
	object(g, "m2m:cmpv", "'rn':'p4','mgd':1015,'aec':[4],'dqet':10000,'dset':60000,'doet':-1,'drp':-1,'dda':false");
	object(g, "m2m:cmpv", "'rn':'p0','mgd':1015,'aec':[0],'dqet':5000,'dset':-1,'doet':-1,'drp':-1,'dda':false");
	object(g, "m2m:cmdf", "'rn':'d','mgd':1013,'cmlk':[{'nm':'a','typ':1014,'val':'cse-mn/n/v0'},{'nm':'b','typ':1014,'val':'cse-mn/n/v2'},{'nm':'c','typ':1014,'val':'cse-mn/n/v1'},"
	    "{'nm':'d','typ':1015,'val':'cse-mn/n/p0'},{'nm':'e','typ':1015,'val':'cse-mn/n/p4'}]");
	object(g, "m2m:cml", "'rn':'l','mgd':1016,'od':1,'ror':['C*'],'lec':[4],'lqet':[1000,20000],'lset':[0,-1],'loet':[0,-1],'lrp':[0,-1],'lda':[true]");
	object(g, "m2m:cmp", "'rn':'p','mgd':1011,'cpn':'p','cmlk':[{'nm':'d','typ':1013,'val':'cse-mn/n/d'},{'nm':'l','typ':1016,'val':'cse-mn/n/l'}]");
	rig_forget_sent(g);
	return g;
}

static void activate(struct rig *g)
{
	object(g, "m2m:acmp", "'rn':'active','mgd':1012,'acmlk':'cse-mn/n/p'");
}

static const struct onem2m_request *sent(struct rig *g, const char *from)
{
	rig_retrieve(g, from, "/id-in/cse-in/x");
	return &rig_last_sent(g, "http://in")->rq;
}

static void assert_text(struct rd text, const char *expected)
{
	if (!rd_is(text, expected))
		fail_msg("`%.*s` is not `%s`", (int)text.left, (const char *)text.at, expected);
}

static uint64_t ahead(struct rig *g, struct rd stamp)
{
	uint64_t at = 0;

	assert_true(timestamp_parse(stamp, &at));
	return at - g->unix_ms;
}

static void fills_in_what_a_request_lacks(void **state)
{
	struct rig *g = rig_with_policy();
	const struct onem2m_request *rq = sent(g, "CMeter");

	(void)state;
	assert_text(rq->ec, "");
	activate(g);
	rq = sent(g, "CMeter");
	assert_text(rq->ec, "4");
	assert_int_equal(ahead(g, rq->rqet), 10000);
	assert_int_equal(ahead(g, rq->rset), 60000);
	assert_text(rq->oet, "");
	rq = sent(g, "COther");
	assert_text(rq->ec, "3");
	assert_int_equal(ahead(g, rq->rqet), 5000);
	assert_text(rq->rset, "");
	rig_restart(g);
	rig_settle(g);
	assert_text(sent(g, "CMeter")->ec, "4");
	assert_rsc(rig_delete(g, "CAdmin", "cse-mn/n/active"), RSC_DELETED);
	assert_text(sent(g, "CMeter")->ec, "");
	rig_free(g);
}

static void refuses_what_is_beyond_its_limits(void **state)
{
	struct rig *g = rig_with_policy();
	struct onem2m_request rq = {.operation = ONEM2M_RETRIEVE, .from = rd_str("CMeter"), .to = rd_str("/id-in/cse-in/x"), .rqet = rd_str("30000"), .rcn = ONEM2M_RCN_ABSENT};

	(void)state;
	activate(g);
	assert_rsc(rig_ask(g, rq), RSC_NOT_ACCEPTABLE);
	rq.rqet = rd_str("500");
	assert_rsc(rig_ask(g, rq), RSC_NOT_ACCEPTABLE);
	rq.rqet = rd_str("15000");
	assert_rsc(rig_ask(g, rq), RSC_OK);
	/* another category, which the request says itself */
	rq.rqet = rd_str("30000");
	rq.ec = rd_str("3");
	assert_rsc(rig_ask(g, rq), RSC_OK);
	rig_free(g);
}

static void a_node_has_one_active_policy(void **state)
{
	struct rig *g = rig_with_policy();

	(void)state;
	activate(g);
	assert_rsc(rig_create(g, "CAdmin", "cse-mn/n", TY_MGMT_OBJ, "{'m2m:acmp':{'mgd':1012,'acmlk':'cse-mn/n/p'}}"), RSC_CONFLICT);
	assert_rsc(rig_update(g, "CAdmin", "cse-mn/n/active", "{'m2m:acmp':{'acmlk':'cse-mn/n/none'}}"), RSC_UPDATED);
	assert_text(sent(g, "CMeter")->ec, "");
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in_what_a_request_lacks),
		cmocka_unit_test(refuses_what_is_beyond_its_limits),
		cmocka_unit_test(a_node_has_one_active_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
