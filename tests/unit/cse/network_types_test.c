/* Types about underlying networks, and primitive profiles: multimediaSession, triggerRequest, backgroundDataTransfer, localMulticastGroup,
 * primitiveProfile. */
#include <stdio.h>
#include <string.h>

#include "cse/schedule.h"
#include "harness.h"

/* ---- multimediaSession ---- */

static void needs_an_AE_that_can_have_sessions(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	rig_ae(g, "Ca", "a", "'scp':['audio']");
	rig_ae(g, "Cb", "b", "");
	assert_rsc(rig_create(g, "Cb", "cse-in/b", TY_MULTIMEDIA_SESSION, "{'m2m:mms':{'soi':'Ca','osd':{'sdc':['v=0']}}}"), RSC_TARGET_HAS_NO_SESSION_CAPABILITY);
	assert_value(rig_create(g, "Ca", "cse-in/a", TY_MULTIMEDIA_SESSION, "{'m2m:mms':{'rn':'s','soi':'Ca','osd':{'sdc':['v=0']}}}"), "m2m:mms.sst", "1");
	rig_free(g);
}

static void keeps_what_was_agreed_while_it_is_online(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	rig_ae(g, "Ca", "a", "'scp':['audio']");
	rig_create(g, "Ca", "cse-in/a", TY_MULTIMEDIA_SESSION, "{'m2m:mms':{'rn':'s','soi':'Ca','osd':{'sdc':['v=0']}}}");
	assert_rsc(rig_create(g, "CAdmin", "cse-in/a/s", TY_SUBSCRIPTION, "{'m2m:sub':{'nu':['http://n'],'enc':{'net':[1],'atr':['sst']}}}"), RSC_CREATED);
	assert_rsc(rig_update(g, "Ca", "cse-in/a/s", "{'m2m:mms':{'asd':{'sdc':['v=1']}}}"), RSC_UPDATED);
	rig_forget_sent(g);
	assert_rsc(rig_update(g, "Ca", "cse-in/a/s", "{'m2m:mms':{'sst':2}}"), RSC_UPDATED);
	assert_json(rig_last_sent(g, "http://n")->doc, "m2m:sgn.nev.rep.m2m:mms.sst", "2");
	assert_rsc(rig_update(g, "Ca", "cse-in/a/s", "{'m2m:mms':{'osd':{'sdc':['v=2']}}}"), RSC_SESSION_IS_ONLINE);
	assert_rsc(rig_update(g, "Ca", "cse-in/a/s", "{'m2m:mms':{'sst':2,'asd':{'sdc':['v=2']}}}"), RSC_SESSION_IS_ONLINE);
	assert_rsc(rig_update(g, "Ca", "cse-in/a/s", "{'m2m:mms':{'lbl':['x']}}"), RSC_UPDATED);
	assert_rsc(rig_update(g, "Ca", "cse-in/a/s", "{'m2m:mms':{'sst':1,'asd':{'sdc':['v=2']}}}"), RSC_UPDATED);
	assert_rsc(rig_update(g, "Ca", "cse-in/a/s", "{'m2m:mms':{'osd':{'sdc':['v=2']}}}"), RSC_UPDATED);
	rig_free(g);
}

/* ---- triggerRequest ---- */

struct network {
	enum cse_trigger_answer answer;
	unsigned asked[3];
	struct cse_trigger last;
	char reference[64], external[64];
};

static enum cse_trigger_answer on_trigger(void *ctx, enum cse_trigger_step step, const struct cse_trigger *t)
{
	struct network *n = ctx;

	n->asked[step]++;
	n->last = *t;
	snprintf(n->reference, sizeof n->reference, "%s", t->reference);
	snprintf(n->external, sizeof n->external, "%s", t->external_id);
	return n->answer;
}

static struct rig *rig_with_network(const struct cse_network *table)
{
	struct rig *g = rig_new();

	g->config.network = table;
	rig_restart(g);
	return g;
}

static const struct answer *trigger(struct rig *g)
{
	return rig_create(g, "CAdmin", "cse-in", TY_TRIGGER_REQUEST, "{'m2m:tgr':{'rn':'t','mei':'device@net','tri':7,'tvt':'PT5M'}}");
}

static void finds_no_network_where_there_is_none(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a = trigger(g);

	(void)state;
	assert_rsc(a, RSC_CREATED);
	assert_value(a, "m2m:tgr.tst", "2");
	assert_value(a, "m2m:tgr.tpe", "1");
	assert_rsc(rig_update(g, "CAdmin", "cse-in/t", "{'m2m:tgr':{'tvt':'PT1M'}}"), RSC_UNABLE_TO_REPLACE_REQUEST);
	rig_free(g);
}

static void asks_the_network_and_believes_its_reports(void **state)
{
	struct network n = {.answer = CSE_TRIGGER_TAKEN};
	const struct cse_network table = {on_trigger, &n};
	struct rig *g = rig_with_network(&table);
	const struct answer *a = trigger(g);

	(void)state;
	assert_value(a, "m2m:tgr.tst", "1");
	assert_int_equal(n.asked[CSE_TRIGGER_SUBMIT], 1);
	assert_string_equal(n.external, "device@net");
	assert_int_equal(n.last.recipient, 7);
	assert_int_equal(n.last.validity_ms, 300000);
	cse_trigger_report(g->cse, "nothing", CSE_TRIGGER_FAILED);
	cse_trigger_report(g->cse, n.reference, CSE_TRIGGER_REPLACED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/t"), "m2m:tgr.tst", "1");
	cse_trigger_report(g->cse, n.reference, CSE_TRIGGER_TRIGGERED);
	rig_settle(g);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/t"), "m2m:tgr.tst", "3");
	cse_trigger_report(g->cse, n.reference, CSE_TRIGGER_DELIVERED);
	cse_trigger_report(g->cse, n.reference, CSE_TRIGGER_FAILED);
	rig_settle(g);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/t"), "m2m:tgr.tst", "4");
	assert_rsc(rig_update(g, "CAdmin", "cse-in/t", "{'m2m:tgr':{'tvt':'PT1M'}}"), RSC_UNABLE_TO_REPLACE_REQUEST);
	rig_free(g);
}

static void replaces_what_is_being_processed(void **state)
{
	struct network n = {.answer = CSE_TRIGGER_TAKEN};
	const struct cse_network table = {on_trigger, &n};
	struct rig *g = rig_with_network(&table);

	(void)state;
	trigger(g);
	n.answer = CSE_TRIGGER_REFUSED;
	assert_rsc(rig_update(g, "CAdmin", "cse-in/t", "{'m2m:tgr':{'tvt':'PT1M'}}"), RSC_UNABLE_TO_REPLACE_REQUEST);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/t"), "m2m:tgr.tst", "1");
	n.answer = CSE_TRIGGER_TAKEN;
	assert_value(rig_update(g, "CAdmin", "cse-in/t", "{'m2m:tgr':{'tvt':'PT1M'}}"), "m2m:tgr.tst", "7");
	assert_int_equal(n.asked[CSE_TRIGGER_REPLACE], 2);
	assert_int_equal(n.last.validity_ms, 60000);
	rig_advance(g, 59000);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/t"), "m2m:tgr.tst", "7");
	rig_advance(g, 2000);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/t"), "m2m:tgr.tst", "5");
	rig_free(g);
}

static void notes_that_the_network_is_gone(void **state)
{
	struct network n = {.answer = CSE_TRIGGER_TAKEN};
	const struct cse_network table = {on_trigger, &n};
	struct rig *g = rig_with_network(&table);

	(void)state;
	trigger(g);
	n.answer = CSE_TRIGGER_NO_NETWORK;
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/t"), RSC_UNABLE_TO_RECALL_REQUEST);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/t"), "m2m:tgr.tst", "2");
	rig_free(g);
}

static void recalls_what_is_being_processed(void **state)
{
	struct network n = {.answer = CSE_TRIGGER_TAKEN};
	const struct cse_network table = {on_trigger, &n};
	struct rig *g = rig_with_network(&table);

	(void)state;
	trigger(g);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/t"), RSC_DELETED);
	assert_int_equal(n.asked[CSE_TRIGGER_RECALL], 1);
	n.answer = CSE_TRIGGER_REFUSED;
	assert_value(trigger(g), "m2m:tgr.tst", "6");
	rig_free(g);
}

static void leaves_what_is_over_to_expiration_and_to_the_administrator(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	rig_ae(g, "Ca", "a", "");
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_ACP, "{'m2m:acp':{'rn':'p','pv':{'acr':[{'acor':['all'],'acop':63}]},'pvs':{'acr':[{'acor':['CAdmin'],'acop':63}]}}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_TRIGGER_REQUEST, "{'m2m:tgr':{'rn':'t','mei':'d','tri':7,'tvt':'PT5M','acpi':['cse-in/p']}}"), RSC_CREATED);
	assert_rsc(rig_delete(g, "Ca", "cse-in/t"), RSC_UNABLE_TO_RECALL_REQUEST);
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/t"), RSC_DELETED);
	rig_free(g);
}

static void expires_after_a_restart_too(void **state)
{
	struct network n = {.answer = CSE_TRIGGER_TAKEN};
	const struct cse_network table = {on_trigger, &n};
	struct rig *g = rig_with_network(&table);

	(void)state;
	trigger(g);
	rig_restart(g);
	rig_advance(g, 299000);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/t"), "m2m:tgr.tst", "1");
	rig_advance(g, 2000);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/t"), "m2m:tgr.tst", "5");
	rig_free(g);
}

static void does_not_trigger_who_does_not_want_it(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	rig_ae(g, "Ca", "a", "'tri':7");
	assert_rsc(trigger(g), RSC_TRIGGERING_DISABLED_FOR_RECIPIENT);
	assert_rsc(rig_update(g, "Ca", "cse-in/a", "{'m2m:ae':{'tren':true}}"), RSC_UPDATED);
	assert_rsc(trigger(g), RSC_CREATED);
	rig_free(g);
}

/* ---- triggerRequest by the customs of open CSEs ---- */

static struct rig *rig_with_customs(void)
{
	struct rig *g = rig_new();

	g->config.customs = true;
	rig_restart(g);
	rig_ae(g, "Ca", "a", "'tri':7");
	return g;
}

#define TRIGGER(mei, tvt) "{'m2m:tgr':{'rn':'t','mei':'" mei "','tri':7,'tvt':'" tvt "'}}"

static void plays_a_network_for_test_suites(void **state)
{
	static const struct {
		const char *request, *comes_to;
	} cases[] = {
		{TRIGGER("device@example.com", "PT1M"), "4"},
		{TRIGGER("TRIGGER_DELIVERED@example.org", "PT1M"), "4"},
		{TRIGGER("TRIGGER_FAILED@example.com", "PT1M"), "6"},
		{TRIGGER("TRIGGER_REPLACED@example.net", "PT1M"), "7"},
		{TRIGGER("TRIGGER_UNCONFIRMED@example.com", "PT1M"), "8"},
		{TRIGGER("TRIGGER_EXPIRED@example.com", "PT2S"), "5"},
	};
	struct rig *g = rig_with_customs();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_value(rig_create(g, "Ca", "cse-in/a", TY_TRIGGER_REQUEST, cases[i].request), "m2m:tgr.tst", "1");
		rig_advance(g, 1900);
		assert_value(rig_retrieve(g, "Ca", "cse-in/a/t"), "m2m:tgr.tst", "1");
		rig_advance(g, 200);
		assert_value(rig_retrieve(g, "Ca", "cse-in/a/t"), "m2m:tgr.tst", cases[i].comes_to);
		rig_advance(g, 70000);
		assert_value(rig_retrieve(g, "Ca", "cse-in/a/t"), "m2m:tgr.tst", cases[i].comes_to);
		assert_value(rig_update(g, "Ca", "cse-in/a/t", "{'m2m:tgr':{'tpe':4}}"), "m2m:tgr.tst", "1");
		assert_rsc(rig_update(g, "Ca", "cse-in/a/t", "{'m2m:tgr':{'tpe':1}}"), RSC_UNABLE_TO_REPLACE_REQUEST);
		rig_advance(g, 2100);
		assert_value(rig_retrieve(g, "Ca", "cse-in/a/t"), "m2m:tgr.tst", cases[i].comes_to);
		assert_rsc(rig_delete(g, "Ca", "cse-in/a/t"), RSC_DELETED);
	}
	assert_rsc(rig_create(g, "Ca", "cse-in/a", TY_TRIGGER_REQUEST, TRIGGER("device@example.com", "PT1M")), RSC_CREATED);
	assert_rsc(rig_delete(g, "Ca", "cse-in/a/t"), RSC_DELETED);
	rig_free(g);
}

static void the_played_network_has_its_limits(void **state)
{
	struct rig *g = rig_with_customs();

	(void)state;
	assert_value(rig_create(g, "Ca", "cse-in/a", TY_TRIGGER_REQUEST, TRIGGER("device@elsewhere", "PT1M")), "m2m:tgr.tst", "2");
	assert_rsc(rig_delete(g, "Ca", "cse-in/a/t"), RSC_DELETED);
	assert_rsc(rig_create(g, "Ca", "cse-in/a", TY_TRIGGER_REQUEST, "{'m2m:tgr':{'mei':'device@example.com','tri':8,'tvt':'PT1M'}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "Ca", "cse-in/a", "{'m2m:ae':{'tren':false}}"), RSC_UPDATED);
	assert_rsc(rig_create(g, "Ca", "cse-in/a", TY_TRIGGER_REQUEST, TRIGGER("device@example.com", "PT1M")), RSC_TRIGGERING_DISABLED_FOR_RECIPIENT);
	rig_free(g);
}

static void is_for_the_IN_CSE(void **state)
{
	struct rig *g = rig_new_as(CSE_MN, "/id-mn", "cse-mn");

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-mn", TY_TRIGGER_REQUEST, "{'m2m:tgr':{'mei':'d','tri':7,'tvt':'PT5M'}}"), RSC_OPERATION_NOT_ALLOWED);
	assert_rsc(rig_create(g, "CAdmin", "cse-mn", TY_BACKGROUND_DATA_TRANSFER, "{'m2m:bdt':{'vpn':1,'non':1,'dtw':'* * * * * * *'}}"), RSC_OPERATION_NOT_ALLOWED);
	rig_free(g);
}

/* ---- backgroundDataTransfer ---- */

static void assert_both(const char *a, const char *b, const char *both)
{
	char text[SCHEDULE_TEXT_MAX] = "";

	if (schedule_both(rd_str(a), rd_str(b), text, sizeof text) != (both != NULL) || (both && strcmp(text, both) != 0))
		fail_msg("`%s` and `%s`: `%s`", a, b, text);
}

static void two_schedules_at_once(void **state)
{
	(void)state;
	assert_both("* * * * * * *", "* * * * * * *", "* * * * * * *");
	assert_both("* * 8-20 * * * *", "* * 18-23 * * 1-5 *", "* * 18-20 * * 1-5 *");
	assert_both("0 */15 * * * * *", "* 0-30 * * * * 2026", "0 0,15,30 * * * * 2026");
	assert_both("* * 0-5 * * * *", "* * 6-23 * * * *", NULL);
	assert_both("* * 0-5 * * * *", "* * *", NULL);
	assert_both("* * * * * 7 *", "* * * * * 0-1 *", "* * * * * 0 *");
}

static void grants_what_is_asked_for_and_offered(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a;

	(void)state;
	a = rig_create(g, "CAdmin", "cse-in", TY_BACKGROUND_DATA_TRANSFER, "{'m2m:bdt':{'rn':'plain','vpn':1,'non':1,'dtw':'* * 8-20 * * * *'}}");
	assert_value(a, "m2m:bdt.dtw", "'* * 8-20 * * * *'");
	assert_value(a, "m2m:bdt.tsg", "[1]");
	g->config.background_window = "* * 0-5,20-23 * * * *";
	rig_restart(g);
	a = rig_create(g, "CAdmin", "cse-in", TY_BACKGROUND_DATA_TRANSFER, "{'m2m:bdt':{'rn':'b','vpn':1,'non':1,'dtw':'* * 4-20 * * 6 *'}}");
	assert_value(a, "m2m:bdt.dtw", "'* * 4-5,20 * * 6 *'");
	assert_value(rig_update(g, "CAdmin", "cse-in/b", "{'m2m:bdt':{'dtw':'* * 8-12 * * * *'}}"), "m2m:bdt.dtw", "'* * 0-5,20-23 * * * *'");
	assert_value(rig_update(g, "CAdmin", "cse-in/b", "{'m2m:bdt':{'vpn':2}}"), "m2m:bdt.dtw", "'* * 0-5,20-23 * * * *'");
	rig_free(g);
}

/* ---- localMulticastGroup ---- */

static char joined[64];
static bool may_leave = true;

static bool on_multicast(void *ctx, const char *address, bool join)
{
	(void)ctx;
	if (!join && !may_leave)
		return false;
	snprintf(joined, sizeof joined, "%s", join ? address : "");
	return true;
}

#define GROUP "{'m2m:lmg':{'rn':'g','mad':{'ip4':'239.1.2.3'},'mgft':'/id-far/fan7','mli':['cse-in/a/one','cse-in/a/two']}}"

static struct rig *rig_with_multicast(void)
{
	struct rig *g = rig_new();

	joined[0] = '\0';
	may_leave = true;
	g->config.multicast = on_multicast;
	rig_restart(g);
	rig_ae(g, "Ca", "a", "");
	assert_rsc(rig_create(g, "Ca", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'one','lbl':['x']}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "Ca", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'two'}}"), RSC_CREATED);
	return g;
}

static void joins_and_leaves_the_IP_group(void **state)
{
	struct rig *g = rig_with_multicast();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_LOCAL_MULTICAST_GROUP, "{'m2m:lmg':{'mad':{'ip4':'10.1.2.3'},'mgft':'/id-far/f','mli':['cse-in/a']}}"), RSC_JOIN_MULTICAST_GROUP_FAILED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_LOCAL_MULTICAST_GROUP, GROUP), RSC_CREATED);
	assert_string_equal(joined, "239.1.2.3");
	assert_rsc(rig_update(g, "CAdmin", "cse-in/g", "{'m2m:lmg':{'mad':{'ip6':'ff05::7'}}}"), RSC_UPDATED);
	may_leave = false;
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/g"), RSC_LEAVE_MULTICAST_GROUP_FAILED);
	may_leave = true;
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/g"), RSC_DELETED);
	assert_string_equal(joined, "");
	g->config.multicast = NULL;
	rig_restart(g);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_LOCAL_MULTICAST_GROUP, GROUP), RSC_JOIN_MULTICAST_GROUP_FAILED);
	rig_free(g);
}

static void one_request_reaches_all_members_here(void **state)
{
	struct rig *g = rig_with_multicast();
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_LOCAL_MULTICAST_GROUP, GROUP), RSC_CREATED);
	a = rig_create(g, "Ca", "/id-far/fan7", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'hello'}}");
	assert_rsc(a, RSC_OK);
	assert_value(rig_retrieve(g, "Ca", "cse-in/a/one/la"), "m2m:cin.con", "'hello'");
	assert_value(rig_retrieve(g, "Ca", "cse-in/a/two/la"), "m2m:cin.con", "'hello'");
	rig_restart(g);
	a = rig_retrieve(g, "Ca", "/id-far/fan7/la");
	assert_rsc(a, RSC_OK);
	assert_int_equal(json_path(a->doc, "m2m:agr.m2m:rsp")->count, 2);
	/* nobody gets at what is not his by the group */
	a = rig_retrieve(g, "Cother", "/id-far/fan7");
	for (const struct json *r = json_path(a->doc, "m2m:agr.m2m:rsp")->first; r; r = r->next)
		assert_json(r, "rsc", "4103");
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/g"), RSC_DELETED);
	assert_rsc(rig_retrieve(g, "Ca", "/id-far/fan7"), RSC_NOT_FOUND);
	rig_free(g);
}

/* ---- primitiveProfile ---- */

static void adds_what_its_originators_leave_out(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a;

	(void)state;
	rig_ae(g, "Ca", "a", "");
	rig_ae(g, "Cb", "b", "");
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_PRIMITIVE_PROFILE,
	    "{'m2m:prp':{'rn':'p','idl':['Ca*'],'rtys':[3],'ops':[1],'adds':[{'nm':'mni','val':5},{'nm':'lbl','val':['added']},{'nm':'rcn','val':0}],'dels':['mbs']}}"), RSC_CREATED);
	a = rig_create(g, "Ca", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'c','lbl':['own'],'mbs':100}}");
	assert_rsc(a, RSC_CREATED);
	assert_string_equal(a->content, "");
	a = rig_retrieve(g, "Ca", "cse-in/a/c");
	assert_value(a, "m2m:cnt.mni", "5");
	assert_value(a, "m2m:cnt.lbl", "['own']");
	assert_value(a, "m2m:cnt.mbs", NULL);
	assert_value(rig_create(g, "Cb", "cse-in/b", TY_CONTAINER, "{'m2m:cnt':{'rn':'c'}}"), "m2m:cnt.mni", NULL);
	rig_restart(g);
	assert_rsc(rig_create(g, "Ca", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'d'}}"), RSC_CREATED);
	assert_value(rig_retrieve(g, "Ca", "cse-in/a/d"), "m2m:cnt.mni", "5");
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/p"), RSC_DELETED);
	assert_value(rig_create(g, "Ca", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'e'}}"), "m2m:cnt.mni", NULL);
	rig_free(g);
}

static void applies_by_target_and_release(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	rig_ae(g, "Ca", "a", "");
	rig_create(g, "Ca", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'c'}}");
	rig_create(g, "Ca", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'d'}}");
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_PRIMITIVE_PROFILE, "{'m2m:prp':{'idl':['Ca'],'rsds':['/id-in/cse-in/a/c'],'adds':[{'nm':'cnf','val':'text/plain:0'}]}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_PRIMITIVE_PROFILE, "{'m2m:prp':{'idl':['Ca'],'rvs':['2a'],'adds':[{'nm':'lbl','val':['x']}]}}"), RSC_CREATED);
	assert_value(rig_create(g, "Ca", "cse-in/a/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'x'}}"), "m2m:cin.cnf", "'text/plain:0'");
	assert_value(rig_create(g, "Ca", "cse-in/a/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'x'}}"), "m2m:cin.lbl", NULL);
	assert_value(rig_create(g, "Ca", "cse-in/a/d", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'x'}}"), "m2m:cin.cnf", NULL);
	rig_free(g);
}

static void an_AE_changes_its_own_requests_only(void **state)
{
	struct rig *g = rig_new();

	(void)state;
	rig_ae(g, "Ca", "a", "");
	rig_ae(g, "Cb", "b", "");
	assert_rsc(rig_create(g, "Ca", "cse-in/a", TY_PRIMITIVE_PROFILE, "{'m2m:prp':{'idl':['*'],'adds':[{'nm':'mni','val':5}]}}"), RSC_CREATED);
	assert_value(rig_create(g, "Ca", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'c'}}"), "m2m:cnt.mni", "5");
	assert_value(rig_create(g, "Cb", "cse-in/b", TY_CONTAINER, "{'m2m:cnt':{'rn':'c'}}"), "m2m:cnt.mni", NULL);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_an_AE_that_can_have_sessions),
		cmocka_unit_test(keeps_what_was_agreed_while_it_is_online),
		cmocka_unit_test(finds_no_network_where_there_is_none),
		cmocka_unit_test(asks_the_network_and_believes_its_reports),
		cmocka_unit_test(replaces_what_is_being_processed),
		cmocka_unit_test(notes_that_the_network_is_gone),
		cmocka_unit_test(recalls_what_is_being_processed),
		cmocka_unit_test(leaves_what_is_over_to_expiration_and_to_the_administrator),
		cmocka_unit_test(expires_after_a_restart_too),
		cmocka_unit_test(does_not_trigger_who_does_not_want_it),
		cmocka_unit_test(plays_a_network_for_test_suites),
		cmocka_unit_test(the_played_network_has_its_limits),
		cmocka_unit_test(is_for_the_IN_CSE),
		cmocka_unit_test(two_schedules_at_once),
		cmocka_unit_test(grants_what_is_asked_for_and_offered),
		cmocka_unit_test(joins_and_leaves_the_IP_group),
		cmocka_unit_test(one_request_reaches_all_members_here),
		cmocka_unit_test(adds_what_its_originators_leave_out),
		cmocka_unit_test(applies_by_target_and_release),
		cmocka_unit_test(an_AE_changes_its_own_requests_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
