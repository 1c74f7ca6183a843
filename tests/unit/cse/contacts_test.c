/* AEContactList, both sides: TS-0001 clauses 9.6.45 f., TS-0004 clause 7.5.1.2.17; and registration by service subscriptions: 7.3.2.7. */
#include <string.h>

#include "harness.h"

/* ---- the IN-CSE ---- */

static struct rig *rig_with_remote(void)
{
	struct rig *g = rig_new();

	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE, "{'m2m:csr':{'csi':'/id-mn','cb':'/id-mn/cse-mn','rr':false,'srv':['3']}}"), RSC_CREATED);
	return g;
}

static void keeps_which_CSE_refers_to_which_AE(void **state)
{
	struct rig *g = rig_with_remote();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in/AEContactList", TY_SUBSCRIPTION, "{'m2m:sub':{'nu':['http://n'],'enc':{'net':[1,3,4]}}}"), RSC_CREATED);
	rig_forget_sent(g);
	assert_rsc(rig_notify(g, "/id-mn", "/id-in", "{'m2m:sgn':{'aerid':true,'tid1':null,'tid2':'/id-in/Ca'}}"), RSC_OK);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/AEContactList"), "m2m:alst.nic", "1");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/AEContactList/id-mn"), "m2m:alpc.csi", "'/id-mn'");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/AEContactList/id-mn"), "m2m:alpc.ail", "['/id-in/Ca']");
	assert_int_equal(rig_count_sent(g, "http://n"), 2);
	assert_rsc(rig_notify(g, "/id-mn", "/id-in", "{'m2m:sgn':{'aerid':true,'tid2':'/id-in/Cb'}}"), RSC_OK);
	assert_rsc(rig_notify(g, "/id-mn", "/id-in", "{'m2m:sgn':{'aerid':true,'tid1':'/id-in/Ca','tid2':'/id-in/Cc'}}"), RSC_OK);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/AEContactList/id-mn"), "m2m:alpc.ail", "['/id-in/Cb','/id-in/Cc']");
	assert_rsc(rig_notify(g, "/id-mn", "/id-in", "{'m2m:sgn':{'aerid':true,'tid1':'/id-in/Cb'}}"), RSC_OK);
	assert_rsc(rig_notify(g, "/id-mn", "/id-in", "{'m2m:sgn':{'aerid':true,'tid1':'/id-in/Cc'}}"), RSC_OK);
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/AEContactList/id-mn"), RSC_NOT_FOUND);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/AEContactList"), "m2m:alst.nic", "0");
	rig_free(g);
}

static void hears_registered_CSEs_only(void **state)
{
	struct rig *g = rig_with_remote();

	(void)state;
	rig_ae(g, "Ca", "a", "");
	assert_rsc(rig_notify(g, "Ca", "/id-in", "{'m2m:sgn':{'aerid':true,'tid2':'/id-in/Ca'}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_notify(g, "/id-far", "/id-in", "{'m2m:sgn':{'aerid':true,'tid2':'/id-in/Ca'}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_notify(g, "/id-mn", "/id-in", "{'m2m:sgn':{'aerid':true}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_notify(g, "/id-mn", "/id-in", "{'m2m:sgn':{}}"), RSC_BAD_REQUEST);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/AEContactList"), "m2m:alst.nic", "0");
	rig_free(g);
}

/* ---- who refers ---- */

static struct rig *rig_below_a_registrar(void)
{
	struct rig *g = rig_new_as(CSE_MN, "/id-mn", "cse-mn");

	g->config.registrar_id = "/id-in";
	g->config.registrar_poa = "http://in";
	rig_restart(g);
	cse_register(g->cse);
	rig_settle(g);
	rig_ae(g, "Ca", "a", "");
	rig_forget_sent(g);
	return g;
}

static const struct json *told(struct rig *g)
{
	const struct sent *s = rig_last_sent(g, "http://in");

	return s ? json_get(s->doc, "m2m:sgn") : NULL;
}

static void tells_of_the_first_and_of_the_last_reference(void **state)
{
	struct rig *g = rig_below_a_registrar();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-mn", TY_ACP, "{'m2m:acp':{'rn':'p','pv':{'acr':[{'acor':['/id-in/Cx','Ca','all','/id-in/*'],'acop':2}]},'pvs':{'acr':[{'acor':['CAdmin'],'acop':63}]}}}"), RSC_CREATED);
	assert_int_equal(rig_count_sent(g, "http://in"), 1);
	assert_json(told(g), "aerid", "true");
	assert_json(told(g), "tid1", NULL);
	assert_json(told(g), "tid2", "'/id-in/Cx'");
	assert_rsc(rig_create(g, "Ca", "cse-mn/a", TY_GROUP, "{'m2m:grp':{'rn':'g','mnm':9,'mid':['/id-in/Cx','/id-in/cnt_1']}}"), RSC_CREATED);
	assert_int_equal(rig_count_sent(g, "http://in"), 1);
	assert_rsc(rig_delete(g, "CAdmin", "cse-mn/p"), RSC_DELETED);
	assert_int_equal(rig_count_sent(g, "http://in"), 1);
	assert_rsc(rig_update(g, "Ca", "cse-mn/a/g", "{'m2m:grp':{'mid':['/id-in/Cy']}}"), RSC_UPDATED);
	assert_int_equal(rig_count_sent(g, "http://in"), 3);
	assert_json(told(g), "tid1", "'/id-in/Cx'");
	rig_restart(g);
	rig_forget_sent(g);
	assert_rsc(rig_delete(g, "Ca", "cse-mn/a"), RSC_DELETED);
	assert_json(told(g), "tid1", "'/id-in/Cy'");
	rig_free(g);
}

/* ---- service subscriptions ---- */

static const struct answer *ae(struct rig *g, const char *from, const char *api)
{
	return rig_create(g, from, "cse-in", TY_AE, rig_fmt(g, "{'m2m:ae':{'api':'%s','rr':false,'srv':['3']}}", api));
}

static const struct answer *csr(struct rig *g, const char *csi)
{
	return rig_create(g, csi, "cse-in", TY_REMOTE_CSE, rig_fmt(g, "{'m2m:csr':{'csi':'%s','cb':'%s/c','rr':false,'srv':['3']}}", csi, csi));
}

static void registers_only_who_is_subscribed_where_that_is_required(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	assert_rsc(ae(g, "Cbefore", "Na"), RSC_CREATED);
	g->config.require_subscription = true;
	rig_restart(g);
	assert_rsc(ae(g, "Ca", "Na"), RSC_SERVICE_SUBSCRIPTION_NOT_ESTABLISHED);
	assert_rsc(csr(g, "/id-mn"), RSC_SERVICE_SUBSCRIPTION_NOT_ESTABLISHED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_M2M_SERVICE_SUBSCRIPTION_PROFILE, "{'m2m:mssp':{'rn':'s'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/s", TY_SERVICE_SUBSCRIBED_NODE, "{'m2m:svsn':{'ni':'n1','csi':'/id-mn'}}"), RSC_CREATED);
	assert_rsc(ae(g, "Ca", "Na"), RSC_SERVICE_SUBSCRIPTION_NOT_ESTABLISHED);
	assert_rsc(csr(g, "/id-mn"), RSC_CREATED);
	assert_rsc(csr(g, "/id-other"), RSC_SERVICE_SUBSCRIPTION_NOT_ESTABLISHED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in/s", TY_SERVICE_SUBSCRIBED_NODE, "{'m2m:svsn':{'rn':'own','ni':'n2','csi':'/id-in'}}"), RSC_CREATED);
	assert_rsc(ae(g, "Ca", "Na"), RSC_APP_RULE_VALIDATION_FAILED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_SERVICE_SUBSCRIBED_APP_RULE, "{'m2m:asar':{'rn':'r','aai':['Na']}}"), RSC_CREATED);
	assert_rsc(rig_update(g, "CAdmin", "cse-in/s/own", "{'m2m:svsn':{'rlk':['cse-in/r']}}"), RSC_UPDATED);
	assert_rsc(ae(g, "Ca", "Nb"), RSC_APP_RULE_VALIDATION_FAILED);
	assert_rsc(ae(g, "Ca", "Na"), RSC_CREATED);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_which_CSE_refers_to_which_AE),
		cmocka_unit_test(hears_registered_CSEs_only),
		cmocka_unit_test(tells_of_the_first_and_of_the_last_reference),
		cmocka_unit_test(registers_only_who_is_subscribed_where_that_is_required),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
