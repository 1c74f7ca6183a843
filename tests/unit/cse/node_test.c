/* node: links with what it hosts; management objects' triggers. */
#include "harness.h"

static struct rig *with_node(void)
{
	struct rig *g = rig_new();

	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_NODE, "{'m2m:nod':{'rn':'n','ni':'1'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_NODE, "{'m2m:nod':{'rn':'o','ni':'2'}}"), RSC_CREATED);
	return g;
}

static void names_its_aes(void **state)
{
	struct rig *g = with_node();

	(void)state;
	rig_ae(g, "CAe1", "ae1", rig_fmt(g, "'nl':'%s'", rig_ri(g, "cse-in/n")));
	rig_ae(g, "CAe2", "ae2", "'nl':'cse-in/n'");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n"), "m2m:nod.hael", "['CAe1','CAe2']");
	assert_rsc(rig_update(g, "CAe1", "cse-in/ae1", "{'m2m:ae':{'nl':'cse-in/o'}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n"), "m2m:nod.hael", "['CAe2']");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/o"), "m2m:nod.hael", "['CAe1']");
	assert_rsc(rig_update(g, "CAe1", "cse-in/ae1", "{'m2m:ae':{'nl':null}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/o"), "m2m:nod.hael", NULL);
	assert_rsc(rig_delete(g, "CAe2", "cse-in/ae2"), RSC_DELETED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n"), "m2m:nod.hael", NULL);
	rig_free(g);
}

static void names_its_cse_and_its_services(void **state)
{
	struct rig *g = with_node();

	(void)state;
	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE, "{'m2m:csr':{'rn':'mn','cb':'/id-mn/mn','csi':'/id-mn','rr':false,'srv':['4'],'nl':'cse-in/n'}}"), RSC_CREATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n"), "m2m:nod.hcl", "'/id-mn'");
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_FLEX_CONTAINER, "{'my:thing':{'rn':'f','cnd':'com.example.thing','nl':'cse-in/n'}}"), RSC_CREATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n"), "m2m:nod.hsl", rig_fmt(g, "['%s']", rig_ri(g, "cse-in/f")));
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/mn"), RSC_DELETED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n"), "m2m:nod.hcl", NULL);
	rig_free(g);
}

static void takes_its_links_with_it(void **state)
{
	struct rig *g = with_node();

	(void)state;
	rig_ae(g, "CAe1", "ae1", "'nl':'cse-in/n'");
	rig_ae(g, "CAe2", "ae2", "'nl':'cse-in/o'");
	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE, "{'m2m:csr':{'rn':'mn','cb':'/id-mn/mn','csi':'/id-mn','rr':false,'srv':['4'],'nl':'cse-in/n'}}"), RSC_CREATED);
	/* one that only says so */
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n", "{'m2m:nod':{'hael':['CAe1','CAe2']}}"), RSC_UPDATED);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/n"), RSC_DELETED);
	assert_value(rig_retrieve(g, "CAe1", "cse-in/ae1"), "m2m:ae.nl", NULL);
	assert_value(rig_retrieve(g, "CAe2", "cse-in/ae2"), "m2m:ae.nl", "'cse-in/o'");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/mn"), "m2m:csr.nl", NULL);
	rig_free(g);
}

static const struct answer *object(struct rig *g, const char *root, const char *members)
{
	return rig_create(g, "CAdmin", "cse-in/n", TY_MGMT_OBJ, rig_fmt(g, "{'%s':{'rn':'x',%s}}", root, members));
}

static void begins_with_nothing_triggered(void **state)
{
	struct rig *g = with_node();
	const struct answer *a;

	(void)state;
	assert_rsc(object(g, "m2m:rbo", "'mgd':1009,'rbo':true"), RSC_CREATED);
	a = rig_retrieve(g, "CAdmin", "cse-in/n/x");
	assert_value(a, "m2m:rbo.rbo", "false");
	assert_value(a, "m2m:rbo.far", "false");
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/n/x"), RSC_DELETED);
	assert_rsc(object(g, "m2m:swr", "'mgd':1002,'vr':'1','swn':'s','url':'http://s'"), RSC_CREATED);
	a = rig_retrieve(g, "CAdmin", "cse-in/n/x");
	assert_value(a, "m2m:swr.in", "false");
	assert_value(a, "m2m:swr.ins", "{'sus':0}");
	assert_value(a, "m2m:swr.acts", "{'sus':0}");
	rig_free(g);
}

static void does_one_thing_at_a_time(void **state)
{
	struct rig *g = with_node();

	(void)state;
	assert_rsc(object(g, "m2m:swr", "'mgd':1002,'vr':'1','swn':'s','url':'http://s'"), RSC_CREATED);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n/x", "{'m2m:swr':{'in':true,'un':true}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n/x", "{'m2m:swr':{'in':true}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/x"), "m2m:swr.ins", "{'acn':'in','sus':3}");
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n/x", "{'m2m:swr':{'un':true}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/x"), "m2m:swr.in", "false");
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n/x", "{'m2m:swr':{'ins':{'acn':'un','sus':1}}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/x"), "m2m:swr.un", "false");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/x"), "m2m:swr.ins.sus", "1");
	rig_free(g);
}

static void follows_logs_and_capabilities(void **state)
{
	struct rig *g = with_node();

	(void)state;
	assert_rsc(object(g, "m2m:evl", "'mgd':1010,'lgt':1,'lgd':'x','lgst':2"), RSC_CREATED);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n/x", "{'m2m:evl':{'lga':true}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/x"), "m2m:evl.lgst", "1");
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n/x", "{'m2m:evl':{'lgo':true}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/x"), "m2m:evl.lgst", "2");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/x"), "m2m:evl.lga", "true");
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/n/x"), RSC_DELETED);
	assert_rsc(object(g, "m2m:dvc", "'mgd':1008,'can':'camera','att':true,'cas':{'sus':1},'cus':false"), RSC_CREATED);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n/x", "{'m2m:dvc':{'ena':true}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/x"), "m2m:dvc.cas.sus", "3");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/x"), "m2m:dvc.cus", "false");
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n/x", "{'m2m:dvc':{'cas':{'acn':'ena','sus':1}}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/x"), "m2m:dvc.cus", "true");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/x"), "m2m:dvc.ena", "true");
	rig_free(g);
}

static void an_area_network_lists_its_devices(void **state)
{
	struct rig *g = rig_new();
	const char *network, *device;

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_NODE, "{'m2m:nod':{'rn':'n','ni':'1'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/n", TY_MGMT_OBJ, "{'m2m:ani':{'rn':'i','mgd':1004,'ant':'Zigbee'}}"), RSC_CREATED);
	network = rig_ri(g, "cse-in/n/i");
	assert_rsc(rig_create(g, "CAdmin", "cse-in/n", TY_MGMT_OBJ, rig_fmt(g, "{'m2m:andi':{'rn':'d','mgd':1005,'dvd':'d','dvt':'t','awi':'%s'}}", network)), RSC_CREATED);
	device = rig_ri(g, "cse-in/n/d");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/i"), "m2m:ani.ldv", rig_fmt(g, "['%s']", device));
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n/d", "{'m2m:andi':{'awi':'elsewhere'}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/i"), "m2m:ani.ldv", NULL);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/n/d", rig_fmt(g, "{'m2m:andi':{'awi':'%s'}}", network)), RSC_UPDATED);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/n/d"), RSC_DELETED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n/i"), "m2m:ani.ldv", NULL);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_area_network_lists_its_devices),
		cmocka_unit_test(names_its_aes),
		cmocka_unit_test(names_its_cse_and_its_services),
		cmocka_unit_test(takes_its_links_with_it),
		cmocka_unit_test(begins_with_nothing_triggered),
		cmocka_unit_test(does_one_thing_at_a_time),
		cmocka_unit_test(follows_logs_and_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
