/* AEs that register at another CSE than before: TS-0001 clauses 10.2.2.2 and 10.2.16, TS-0004 clause 7.5.1.2.16. */
#include <string.h>

#include "harness.h"

#define OLD "/id-mn1/Sx"
#define NEW "/id-mn2/Sx"

/* ---- the IN-CSE ---- */

static void make(struct rig *g, const char *from, const char *to, int ty, const char *json)
{
	assert_rsc(rig_create(g, from, to, ty, json), RSC_CREATED);
}

static void registers(struct rig *g, const char *csi)
{
	make(g, csi, "cse-in", TY_REMOTE_CSE, rig_fmt(g, "{'m2m:csr':{'csi':'%s','cb':'%s/c','rr':true,'srv':['3'],'poa':['http:/%s']}}", csi, csi, csi));
}

/* An AEAnnc of "Sx", from one of them. */
static void announces(struct rig *g, const char *csi, const char *more)
{
	make(g, csi, "cse-in", TY_CSE_BASE + TY_ANNOUNCED, rig_fmt(g, "{'m2m:cbA':{'rn':'of%s','lnk':'%s/c','srv':['3']}}", csi + 1, csi));
	make(g, csi, rig_fmt(g, "cse-in/of%s", csi + 1), TY_AE + TY_ANNOUNCED, rig_fmt(g, "{'m2m:aeA':{'rn':'x','lnk':'%s/Sx','srv':['3']%s}}", csi, more));
}

static struct rig *rig_with_references(void)
{
	struct rig *g = rig_new();

	registers(g, "/id-mn1");
	registers(g, "/id-mn2");
	registers(g, "/id-mn3");
	registers(g, "/id-mn4");
	announces(g, "/id-mn1", ",'trps':true,'regs':1");
	assert_rsc(rig_notify(g, "/id-mn3", "/id-in", "{'m2m:sgn':{'aerid':true,'tid2':'" OLD "'}}"), RSC_OK);
	assert_rsc(rig_notify(g, "/id-mn4", "/id-in", "{'m2m:sgn':{'aerid':true,'tid2':'/id-mn1/Sother'}}"), RSC_OK);
	rig_ae(g, "Ca", "a", "");
	make(g, "Ca", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'c'}}");
	make(g, "Ca", "cse-in/a/c", TY_SUBSCRIPTION, "{'m2m:sub':{'rn':'s','nu':['" OLD "','http://n','/id-mn1/Sxy'],'enc':{'net':[3]}}}");
	make(g, "Ca", "cse-in/a", TY_GROUP, "{'m2m:grp':{'rn':'g','mnm':9,'mid':['" OLD "','/id-mn1/cnt_1']}}");
	make(g, "CAdmin", "cse-in", TY_ACP, "{'m2m:acp':{'rn':'p','pv':{'acr':[{'acor':['Ca','" OLD "'],'acop':2},{'acor':['all'],'acop':1}]},'pvs':{'acr':[{'acor':['CAdmin'],'acop':63}]}}}");
	rig_forget_sent(g);
	return g;
}

static const struct json *told(struct rig *g, const char *url)
{
	const struct sent *s = rig_last_sent(g, url);

	return s ? json_get(s->doc, "m2m:sgn") : NULL;
}

static void assert_reaches(struct rig *g, const char *url)
{
	rig_forget_sent(g);
	rig_retrieve(g, "Ca", "/Sx/c");
	assert_int_equal(rig_count_sent(g, url), 1);
	rig_notify(g, "Ca", "/Sx", "{'m2m:sgn':{}}");
	assert_int_equal(rig_count_sent(g, url), 2);
}

static void a_second_registration_is_a_move(void **state)
{
	struct rig *g = rig_with_references();

	(void)state;
	assert_reaches(g, "http://id-mn1");
	rig_forget_sent(g);
	announces(g, "/id-mn2", ",'trps':true,'regs':1");
	/* the old registrar hears of it, and who refers to it */
	assert_json(told(g, "http://id-mn1"), "aerp", "true");
	assert_json(told(g, "http://id-mn1"), "tid1", "'" OLD "'");
	assert_json(told(g, "http://id-mn1"), "tid2", "'" NEW "'");
	assert_json(told(g, "http://id-mn3"), "tid2", "'" NEW "'");
	assert_int_equal(rig_count_sent(g, "http://id-mn"), 2);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/ofid-mn1/x"), "m2m:aeA.regs", "2");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/ofid-mn2/x"), "m2m:aeA.regs", "1");
	/* and it is known here at its new place */
	assert_value(rig_retrieve(g, "Ca", "cse-in/a/c/s"), "m2m:sub.nu", "['" NEW "','http://n','/id-mn1/Sxy']");
	assert_value(rig_retrieve(g, "Ca", "cse-in/a/g"), "m2m:grp.mid", "['" NEW "','/id-mn1/cnt_1']");
	assert_json(json_at(json_path(rig_retrieve(g, "CAdmin", "cse-in/p")->doc, "m2m:acp.pv.acr"), 0), "acor", "['Ca','" NEW "']");
	assert_reaches(g, "http://id-mn2");
	make(g, "Ca", "cse-in/a/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'x'}}");
	assert_string_equal(rig_last_sent(g, "http://id-mn2")->to, NEW);
	rig_free(g);
}

static void who_is_not_tracked_is_found_and_nobody_is_told(void **state)
{
	struct rig *g = rig_with_references();

	(void)state;
	announces(g, "/id-mn2", "");
	assert_int_equal(rig_count_sent(g, "http://id-mn"), 0);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/ofid-mn1/x"), "m2m:aeA.regs", "2");
	assert_value(rig_retrieve(g, "Ca", "cse-in/a/g"), "m2m:grp.mid", "['" OLD "','/id-mn1/cnt_1']");
	assert_reaches(g, "http://id-mn2");
	rig_free(g);
}

static void nobody_moves_it_to_somebody_else(void **state)
{
	struct rig *g = rig_with_references();

	(void)state;
	make(g, "/id-mn2", "cse-in", TY_CSE_BASE + TY_ANNOUNCED, "{'m2m:cbA':{'rn':'b','lnk':'/id-mn2/c','srv':['3']}}");
	make(g, "/id-mn2", "cse-in/b", TY_AE + TY_ANNOUNCED, "{'m2m:aeA':{'rn':'false','lnk':'/id-mn3/Sx','srv':['3'],'trps':true,'regs':1}}");
	assert_int_equal(rig_count_sent(g, "http://id-mn"), 0);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/ofid-mn1/x"), "m2m:aeA.regs", "1");
	assert_rsc(rig_notify(g, "/id-mn2", "/id-in", "{'m2m:sgn':{'aerp':true,'tid1':'/id-mn1/Cx','tid2':'/id-mn3/Cx'}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_notify(g, "Ca", "/id-in", "{'m2m:sgn':{'aerp':true,'tid1':'/id-mn1/Cx','tid2':'/id-in/Cx'}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_notify(g, "/id-mn2", "/id-in", "{'m2m:sgn':{'aerp':true,'tid1':'/id-mn1/Cx'}}"), RSC_BAD_REQUEST);
	assert_int_equal(rig_count_sent(g, "http://id-mn"), 0);
	/* its own it may */
	assert_rsc(rig_notify(g, "/id-mn2", "/id-in", "{'m2m:sgn':{'aerp':true,'tid1':'/id-mn1/Cx','tid2':'/id-mn2/Cx'}}"), RSC_OK);
	assert_json(told(g, "http://id-mn1"), "tid2", "'/id-mn2/Cx'");
	rig_free(g);
}

static void moves_to_the_IN_CSE_and_back(void **state)
{
	struct rig *g = rig_with_references();

	(void)state;
	make(g, "Sx", "cse-in", TY_AE, "{'m2m:ae':{'rn':'x','api':'Nx','rr':true,'srv':['3'],'trps':true,'poa':['http://x']}}");
	assert_value(rig_retrieve(g, "Sx", "cse-in/x"), "m2m:ae.regs", "1");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/ofid-mn1/x"), "m2m:aeA.regs", "2");
	assert_value(rig_retrieve(g, "Ca", "cse-in/a/g"), "m2m:grp.mid", "['/id-in/Sx','/id-mn1/cnt_1']");
	rig_notify(g, "CAdmin", "/Sx", "{'m2m:sgn':{}}");
	assert_int_equal(rig_count_sent(g, "http://x"), 1);
	/* its old registrar takes it again: that AEAnnc becomes active */
	rig_forget_sent(g);
	assert_rsc(rig_update(g, "/id-mn1", "cse-in/ofid-mn1/x", "{'m2m:aeA':{'regs':1}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/x"), "m2m:ae.regs", "2");
	assert_value(rig_retrieve(g, "Ca", "cse-in/a/g"), "m2m:grp.mid", "['" OLD "','/id-mn1/cnt_1']");
	rig_forget_sent(g);
	rig_notify(g, "CAdmin", "/id-in/Sx", "{'m2m:sgn':{}}");
	assert_int_equal(rig_count_sent(g, "http://x"), 0);
	assert_string_equal(rig_last_sent(g, "http://id-mn1")->to, "/Sx");
	rig_free(g);
}

static void replaces_many_in_slices(void **state)
{
	struct rig *g = rig_with_references();

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		make(g, "Ca", "cse-in/a", TY_GROUP, rig_fmt(g, "{'m2m:grp':{'rn':'g%u','mnm':9,'mid':['" OLD "']}}", i));
	announces(g, "/id-mn2", ",'trps':true,'regs':1");
	rig_advance(g, 20);
	for (unsigned i = 0; i < 200; i++)
		assert_value(rig_retrieve(g, "Ca", rig_fmt(g, "cse-in/a/g%u", i)), "m2m:grp.mid", "['" NEW "']");
	rig_free(g);
}

/* ---- a CSE below ---- */

static struct rig *rig_below(void)
{
	struct rig *g = rig_new_as(CSE_MN, "/id-mn", "cse-mn");

	g->config.registrar_id = "/id-in";
	g->config.registrar_poa = "http://in";
	rig_restart(g);
	cse_register(g->cse);
	rig_settle(g);
	make(g, "/id-low", "cse-mn", TY_REMOTE_CSE, "{'m2m:csr':{'csi':'/id-low','cb':'/id-low/c','rr':true,'srv':['3'],'poa':['http://low']}}");
	make(g, "Sx", "cse-mn", TY_AE, "{'m2m:ae':{'rn':'x','api':'Nx','rr':true,'srv':['3'],'trps':true,'poa':['http://x']}}");
	rig_ae(g, "Ca", "a", "");
	make(g, "Ca", "cse-mn/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'c'}}");
	make(g, "Ca", "cse-mn/a/c", TY_SUBSCRIPTION, "{'m2m:sub':{'rn':'s','nu':['Sx','/id-mn/Sx'],'enc':{'net':[3]}}}");
	rig_forget_sent(g);
	return g;
}

static void the_old_registration_is_inactive_and_leads_on(void **state)
{
	struct rig *g = rig_below();

	(void)state;
	assert_value(rig_retrieve(g, "Sx", "cse-mn/x"), "m2m:ae.regs", "1");
	assert_rsc(rig_notify(g, "/id-low", "/id-mn", "{'m2m:sgn':{'aerp':true,'tid1':'/id-mn/Sx','tid2':'/id-low/Sx'}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_notify(g, "/id-in", "/id-mn", "{'m2m:sgn':{'aerp':true,'tid1':'/id-mn/Sx','tid2':'/id-mn2/Sx'}}"), RSC_OK);
	assert_value(rig_retrieve(g, "CAdmin", "cse-mn/x"), "m2m:ae.regs", "2");
	assert_value(rig_retrieve(g, "Ca", "cse-mn/a/c/s"), "m2m:sub.nu", "['/id-mn2/Sx','/id-mn2/Sx']");
	rig_forget_sent(g);
	rig_notify(g, "CAdmin", "cse-mn/x", "{'m2m:sgn':{}}");
	assert_int_equal(rig_count_sent(g, "http://x"), 0);
	assert_string_equal(rig_last_sent(g, "http://in")->to, "/Sx");
	rig_retrieve(g, "Ca", "/Sx/c");
	assert_string_equal(rig_last_sent(g, "http://in")->to, "/Sx/c");
	/* it is not found where it is not, unless it is looked for */
	make(g, "CAdmin", "cse-mn/x", TY_CONTAINER, "{'m2m:cnt':{'rn':'left'}}");
	assert_value(rig_retrieve(g, "CAdmin", "cse-mn?fu=1&ty=3"), "m2m:uril", "['cse-mn/a/c','cse-mn/x/left']");
	assert_null(strstr(rig_retrieve(g, "CAdmin", "cse-mn?fu=1")->content, "cse-mn/x"));
	assert_non_null(strstr(rig_retrieve(g, "CAdmin", "cse-mn?fu=1")->content, "cse-mn/a/c"));
	/* it takes up its registration again */
	assert_rsc(rig_update(g, "Sx", "cse-mn/x", "{'m2m:ae':{'regs':1}}"), RSC_UPDATED);
	rig_notify(g, "CAdmin", "cse-mn/x", "{'m2m:sgn':{}}");
	assert_int_equal(rig_count_sent(g, "http://x"), 1);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_registration_is_a_move),
		cmocka_unit_test(who_is_not_tracked_is_found_and_nobody_is_told),
		cmocka_unit_test(nobody_moves_it_to_somebody_else),
		cmocka_unit_test(moves_to_the_IN_CSE_and_back),
		cmocka_unit_test(replaces_many_in_slices),
		cmocka_unit_test(the_old_registration_is_inactive_and_leads_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
