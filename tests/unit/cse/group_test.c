/* Groups: TS-0004 clauses 7.4.14.2 and 7.4.14.3. */
#include <string.h>

#include "harness.h"

static struct rig *rig_with_containers(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "CAe", "ae", "");
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'rn':'a'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'rn':'b'}}"), RSC_CREATED);
	return g;
}

static const struct answer *group(struct rig *g, const char *members)
{
	return rig_create(g, "CAe", "cse-in/ae", TY_GROUP, rig_fmt(g, "{'m2m:grp':{%s}}", members));
}

static void keeps_each_member_once_by_its_resource_id(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a;

	(void)state;
	a = group(g, rig_fmt(g, "'rn':'g','mnm':5,'mid':['cse-in/ae/a','%s','/id-in/cse-in/ae/b']", rig_ri(g, "cse-in/ae/a")));
	assert_rsc(a, RSC_CREATED);
	assert_value(a, "m2m:grp.cnm", "2");
	assert_value(a, "m2m:grp.mid", rig_fmt(g, "['%s','%s']", rig_ri(g, "cse-in/ae/a"), rig_ri(g, "cse-in/ae/b")));
	assert_value(a, "m2m:grp.mt", "0");
	assert_value(a, "m2m:grp.csy", "1");
	assert_value(a, "m2m:grp.mtv", "true");
	rig_free(g);
}

static void refuses_more_members_than_the_limit(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(group(g, "'mnm':1,'mid':['cse-in/ae/a','cse-in/ae/b']"), RSC_MAX_NUMBER_OF_MEMBER_EXCEEDED);
	assert_rsc(group(g, "'rn':'g','mnm':2,'mid':['cse-in/ae/a','cse-in/ae/b']"), RSC_CREATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/g", "{'m2m:grp':{'mnm':1}}"), RSC_MAX_NUMBER_OF_MEMBER_EXCEEDED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/g", "{'m2m:grp':{'mid':['cse-in/ae/a'],'mnm':1}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/g"), "m2m:grp.cnm", "1");
	rig_free(g);
}

static void treats_a_member_of_another_type_by_the_strategy(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a;

	(void)state;
	a = group(g, "'mt':3,'csy':1,'mnm':5,'mid':['cse-in/ae/a','cse-in/ae']");
	assert_rsc(a, RSC_CREATED);
	assert_value(a, "m2m:grp.cnm", "1");
	assert_rsc(group(g, "'mt':3,'csy':2,'mnm':5,'mid':['cse-in/ae/a','cse-in/ae']"), RSC_GROUP_MEMBER_TYPE_INCONSISTENT);
	a = group(g, "'mt':3,'csy':3,'mnm':5,'mid':['cse-in/ae/a','cse-in/ae']");
	assert_rsc(a, RSC_CREATED);
	assert_value(a, "m2m:grp.cnm", "2");
	assert_value(a, "m2m:grp.mt", "0");
	rig_free(g);
}

static void refuses_members_that_are_not_there_or_not_to_be_seen(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	assert_rsc(group(g, "'mnm':5,'mid':['cse-in/ae/none']"), RSC_NOT_FOUND);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_CONTAINER, "{'m2m:cnt':{'rn':'secret'}}"), RSC_CREATED);
	assert_rsc(group(g, "'mnm':5,'mid':['cse-in/secret']"), RSC_RECEIVER_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void asks_another_cse_for_the_type_of_its_member(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE, "{'m2m:csr':{'csi':'/id-mn','cb':'/id-mn/cse-mn','rr':true,'srv':['3'],'poa':['http://mn']}}"),
	    RSC_CREATED);
	rig_hold(g, "http://mn");
	a = group(g, "'rn':'g','mt':3,'mnm':5,'mid':['/id-mn/cse-mn/x','cse-in/ae/a']");
	assert_false(a->come);
	assert_string_equal(rig_last_sent(g, "http://mn")->to, "/id-mn/cse-mn/x");
	assert_string_equal(rig_last_sent(g, "http://mn")->from, "/id-in/CAe");
	rig_reply(g, g->sent_count - 1, RSC_OK, "{'m2m:cnt':{'ty':3}}");
	assert_rsc(a, RSC_CREATED);
	assert_value(a, "m2m:grp.cnm", "2");
	assert_value(a, "m2m:grp.mtv", "true");
	a = group(g, "'mt':3,'csy':2,'mnm':5,'mid':['/id-mn/cse-mn/x']");
	rig_reply(g, g->sent_count - 1, RSC_OK, "{'m2m:ae':{'ty':2}}");
	assert_rsc(a, RSC_GROUP_MEMBER_TYPE_INCONSISTENT);
	a = group(g, "'mt':3,'csy':2,'mnm':5,'mid':['/id-mn/cse-mn/x']");
	rig_reply(g, g->sent_count - 1, RSC_TARGET_NOT_REACHABLE, "");
	assert_rsc(a, RSC_CREATED);
	assert_value(a, "m2m:grp.mtv", "false");
	rig_free(g);
}

static void looks_again_when_the_members_cse_shows_itself(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE, "{'m2m:csr':{'csi':'/id-mn','cb':'/id-mn/cse-mn','rr':true,'srv':['3'],'poa':['http://mn']}}"),
	    RSC_CREATED);
	rig_network(g, "http://mn", RSC_TARGET_NOT_REACHABLE);
	assert_rsc(group(g, "'rn':'keeps','mt':3,'mnm':5,'mid':['/id-mn/cse-mn/x']"), RSC_CREATED);
	assert_rsc(group(g, "'rn':'ends','mt':2,'csy':2,'mnm':5,'mid':['/id-mn/cse-mn/x']"), RSC_CREATED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/keeps"), "m2m:grp.mtv", "false");
	rig_hold(g, "http://mn");
	assert_rsc(rig_update(g, "/id-mn", "id-mn", "{'m2m:csr':{'rr':true}}"), RSC_UPDATED);
	assert_string_equal(rig_last_sent(g, "http://mn")->from, "/id-in/CAe");
	rig_reply(g, g->sent_count - 1, RSC_OK, "{'m2m:cnt':{'ty':3}}");
	rig_reply(g, g->sent_count - 2, RSC_OK, "{'m2m:cnt':{'ty':3}}");
	a = rig_retrieve(g, "CAe", "cse-in/ae/keeps");
	assert_value(a, "m2m:grp.mtv", "true");
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/ends"), RSC_NOT_FOUND);
	rig_free(g);
}

static void drops_a_member_that_is_deleted(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a;

	(void)state;
	assert_rsc(group(g, "'rn':'g','mnm':5,'mid':['cse-in/ae/a','cse-in/ae/b']"), RSC_CREATED);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/a"), RSC_DELETED);
	a = rig_retrieve(g, "CAe", "cse-in/ae/g");
	assert_value(a, "m2m:grp.mid", rig_fmt(g, "['%s']", rig_ri(g, "cse-in/ae/b")));
	assert_value(a, "m2m:grp.cnm", "1");
	rig_restart(g);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/b"), RSC_DELETED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/g"), "m2m:grp.cnm", "0");
	rig_free(g);
}

struct changes {
	char id[64];
	unsigned count;
};

static void note_change(void *ctx, const char *id)
{
	struct changes *k = ctx;

	assert_true(strlen(id) < sizeof k->id);
	strcpy(k->id, id);
	k->count++;
}

static void tells_who_wants_to_know_of_groups(void **state)
{
	struct rig *g = rig_with_containers();
	struct changes k = {.count = 0};
	const char *id;

	(void)state;
	cse_use_groups(g->cse, note_change, &k);
	assert_rsc(group(g, "'rn':'g','mnm':5,'mid':['cse-in/ae/a','cse-in/ae/b']"), RSC_CREATED);
	id = rig_ri(g, "cse-in/ae/g");
	assert_int_equal(k.count, 1);
	assert_string_equal(k.id, id);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/g"), RSC_OK);
	assert_int_equal(k.count, 1);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/a"), RSC_DELETED);
	assert_int_equal(k.count, 2);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/g", "{'m2m:grp':{'mid':['cse-in/ae']}}"), RSC_UPDATED);
	assert_int_equal(k.count, 3);
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/g"), RSC_DELETED);
	assert_int_equal(k.count, 4);
	assert_string_equal(k.id, id);
	rig_free(g);
}

/* ---- fan-out ---- */

static void fans_every_operation_out(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a;

	(void)state;
	assert_rsc(group(g, "'rn':'g','mnm':5,'mid':['cse-in/ae/a','cse-in/ae/b']"), RSC_CREATED);
	a = rig_create(g, "CAe", "cse-in/ae/g/fopt", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'v'}}");
	assert_rsc(a, RSC_OK);
	assert_int_equal(json_path(a->doc, "m2m:agr.m2m:rsp")->count, 2);
	assert_json(json_at(json_path(a->doc, "m2m:agr.m2m:rsp"), 1), "rsc", "2001");
	assert_json(json_at(json_path(a->doc, "m2m:agr.m2m:rsp"), 1), "fr", rig_fmt(g, "'%s'", rig_ri(g, "cse-in/ae/b")));
	assert_json(json_at(json_path(a->doc, "m2m:agr.m2m:rsp"), 1), "pc.m2m:cin.con", "'v'");
	assert_non_null(json_get(json_at(json_path(a->doc, "m2m:agr.m2m:rsp"), 1), "rqi"));
	a = rig_retrieve(g, "CAe", "cse-in/ae/g/fopt/la");
	assert_rsc(a, RSC_OK);
	assert_json(json_at(json_path(a->doc, "m2m:agr.m2m:rsp"), 0), "pc.m2m:cin.con", "'v'");
	a = rig_update(g, "CAe", "cse-in/ae/g/fopt", "{'m2m:cnt':{'lbl':['t']}}");
	assert_rsc(a, RSC_OK);
	assert_json(json_at(json_path(a->doc, "m2m:agr.m2m:rsp"), 0), "rsc", "2004");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/b"), "m2m:cnt.lbl", "['t']");
	a = rig_delete(g, "CAe", "cse-in/ae/g/fopt");
	assert_rsc(a, RSC_OK);
	assert_json(json_at(json_path(a->doc, "m2m:agr.m2m:rsp"), 1), "rsc", "2002");
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/a"), RSC_NOT_FOUND);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/g/fopt"), RSC_NO_MEMBERS);
	rig_free(g);
}

static void tells_each_members_failure(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a;

	(void)state;
	assert_rsc(group(g, "'rn':'g','mnm':5,'mid':['cse-in/ae/a','cse-in/ae/b']"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'x'}}"), RSC_CREATED);
	a = rig_retrieve(g, "CAe", "cse-in/ae/g/fopt/x");
	assert_rsc(a, RSC_OK);
	assert_json(json_at(json_path(a->doc, "m2m:agr.m2m:rsp"), 0), "rsc", "2000");
	assert_json(json_at(json_path(a->doc, "m2m:agr.m2m:rsp"), 1), "rsc", "4004");
	rig_free(g);
}

static void lets_the_members_policy_decide(void **state)
{
	struct rig *g = rig_with_containers();

	(void)state;
	rig_ae(g, "COther", "other", "");
	assert_rsc(group(g, "'rn':'g','mnm':5,'mid':['cse-in/ae/a']"), RSC_CREATED);
	assert_rsc(rig_retrieve(g, "COther", "cse-in/ae/g/fopt"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_ACP,
	               "{'m2m:acp':{'rn':'acp','pv':{'acr':[{'acor':['COther'],'acop':2}]},'pvs':{'acr':[{'acor':['CAdmin'],'acop':63}]}}}"),
	    RSC_CREATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/g", "{'m2m:grp':{'macp':['cse-in/acp']}}"), RSC_UPDATED);
	/* through the group he may, but the member has policies of its own */
	assert_json(json_at(json_path(rig_retrieve(g, "COther", "cse-in/ae/g/fopt")->doc, "m2m:agr.m2m:rsp"), 0), "rsc", "4103");
	assert_rsc(rig_update(g, "COther", "cse-in/ae/g/fopt", "{'m2m:cnt':{'lbl':['t']}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	rig_free(g);
}

static void ends_a_loop_of_groups(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a;
	const struct json *inner;

	(void)state;
	assert_rsc(group(g, "'rn':'g','mnm':5,'mid':['cse-in/ae/a']"), RSC_CREATED);
	assert_rsc(group(g, "'rn':'h','mnm':5,'mid':['cse-in/ae/g/fopt','cse-in/ae/a','cse-in/ae/b']"), RSC_CREATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/g", "{'m2m:grp':{'mid':['cse-in/ae/h/fopt']}}"), RSC_UPDATED);
	a = rig_retrieve(g, "CAe", "cse-in/ae/h/fopt");
	assert_rsc(a, RSC_OK);
	/* h asks g, which asks h again */
	inner = json_path(json_at(json_path(a->doc, "m2m:agr.m2m:rsp"), 0), "pc.m2m:agr.m2m:rsp");
	assert_int_equal(inner->count, 1);
	assert_json(json_at(inner, 0), "rsc", "4104");
	rig_free(g);
}

static void asks_a_member_of_two_groups_once(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a;

	(void)state;
	assert_rsc(group(g, "'rn':'g','mt':3,'mnm':5,'mid':['cse-in/ae/a','cse-in/ae/b']"), RSC_CREATED);
	assert_rsc(group(g, "'rn':'h','mt':3,'mnm':5,'mid':['cse-in/ae/a','cse-in/ae/g']"), RSC_CREATED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/h"), "m2m:grp.cnm", "2");
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/h/fopt", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'v'}}"), RSC_OK);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/a"), "m2m:cnt.cni", "1");
	a = rig_retrieve(g, "CAe", "cse-in/ae/b");
	assert_value(a, "m2m:cnt.cni", "1");
	rig_free(g);
}

static void leaves_out_members_that_do_not_answer(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a;

	(void)state;
	assert_rsc(rig_create(g, "/id-mn", "cse-in", TY_REMOTE_CSE, "{'m2m:csr':{'csi':'/id-mn','cb':'/id-mn/cse-mn','rr':true,'srv':['3'],'poa':['http://mn']}}"),
	    RSC_CREATED);
	assert_rsc(group(g, "'rn':'g','mnm':5,'mid':['/id-mn/cse-mn/x','cse-in/ae/a']"), RSC_CREATED);
	assert_rsc(group(g, "'rn':'h','mnm':5,'mid':['/id-mn/cse-mn/x']"), RSC_CREATED);
	rig_hold(g, "http://mn");
	a = rig_retrieve(g, "CAe", "cse-in/ae/g/fopt");
	assert_false(a->come);
	assert_true(rig_last_sent(g, "http://mn")->rq.gid.left > 0);
	rig_advance(g, 30000);
	assert_rsc(a, RSC_OK);
	assert_int_equal(json_path(a->doc, "m2m:agr.m2m:rsp")->count, 1);
	rig_reply(g, g->sent_count - 1, RSC_OK, "{'m2m:cnt':{'ty':3}}");
	a = rig_retrieve(g, "CAe", "cse-in/ae/h/fopt");
	rig_advance(g, 30000);
	assert_rsc(a, RSC_GROUP_MEMBERS_NOT_RESPONDED);
	rig_reply(g, g->sent_count - 1, RSC_OK, "");
	rig_free(g);
}

/* ---- notifications of members, gathered ---- */

static struct rig *rig_that_gathers(const char *more)
{
	struct rig *g = rig_with_containers();

	assert_rsc(group(g, rig_fmt(g, "'rn':'g','mnm':5,'mid':['cse-in/ae/a','cse-in/ae/b']%s", more)), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/g/fopt", TY_SUBSCRIPTION, "{'m2m:sub':{'rn':'s','nu':['http://own'],'nfu':'http://all','enc':{'net':[3]}}}"), RSC_OK);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/a/s"), RSC_OK);
	rig_forget_sent(g);
	return g;
}

static void instances(struct rig *g, const char *container, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_rsc(rig_create(g, "CAe", container, TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'x'}}"), RSC_CREATED);
}

static void gathers_the_notifications_of_its_members(void **state)
{
	struct rig *g = rig_that_gathers(",'nar':{'num':3,'dur':'PT1H'}");
	const struct json *list;

	(void)state;
	instances(g, "cse-in/ae/a", 1);
	instances(g, "cse-in/ae/b", 1);
	assert_int_equal(rig_count_sent(g, "http://"), 0);
	instances(g, "cse-in/ae/a", 1);
	assert_int_equal(rig_count_sent(g, "http://all"), 1);
	assert_int_equal(rig_count_sent(g, "http://own"), 0);
	list = json_path(rig_last_sent(g, "http://all")->doc, "m2m:agn.m2m:sgn");
	assert_int_equal(list->count, 3);
	assert_json(json_at(list, 1), "sur", rig_fmt(g, "'/id-in/%s'", rig_ri(g, "cse-in/ae/b/s")));
	assert_json(json_at(list, 1), "nev.rep.m2m:cin.con", "'x'");
	rig_free(g);
}

static void sends_what_it_has_after_the_time_and_over_a_restart(void **state)
{
	struct rig *g = rig_that_gathers(",'nar':{'num':3,'dur':'PT10S'}");

	(void)state;
	instances(g, "cse-in/ae/a", 2);
	rig_restart(g);
	assert_int_equal(rig_count_sent(g, "http://all"), 0);
	rig_advance(g, 11000);
	assert_int_equal(rig_count_sent(g, "http://all"), 1);
	assert_int_equal(json_path(rig_last_sent(g, "http://all")->doc, "m2m:agn.m2m:sgn")->count, 2);
	rig_free(g);
}

static void waits_for_one_of_each_member_by_default(void **state)
{
	struct rig *g = rig_that_gathers("");

	(void)state;
	instances(g, "cse-in/ae/a", 1);
	assert_int_equal(rig_count_sent(g, "http://all"), 0);
	instances(g, "cse-in/ae/b", 1);
	assert_int_equal(rig_count_sent(g, "http://all"), 1);
	instances(g, "cse-in/ae/b", 1);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/g", "{'m2m:grp':{'nar':{'num':1}}}"), RSC_UPDATED);
	rig_settle(g);
	assert_int_equal(rig_count_sent(g, "http://all"), 2);
	instances(g, "cse-in/ae/b", 1);
	assert_int_equal(rig_count_sent(g, "http://all"), 3);
	rig_free(g);
}

static void passes_nothing_on_that_no_member_has_sent(void **state)
{
	struct rig *g = rig_that_gathers(",'nar':{'num':1}");
	const char *gathering = rig_fmt(g, "/id-in/%s/fopt/!notify", rig_ri(g, "cse-in/ae/g"));

	(void)state;
	assert_rsc(rig_notify(g, "CAe", gathering, "{'m2m:sgn':{'sur':'/id-in/sub_x','nfu':'http://victim'}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_notify(g, "CAe", gathering, rig_fmt(g, "{'m2m:sgn':{'sur':'/id-in/%s','nfu':'http://victim'}}", rig_ri(g, "cse-in/ae/a/s"))), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_notify(g, "/id-far", gathering, "{'m2m:sgn':{'sur':'/id-far/sub_x','nfu':'http://victim'}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_retrieve(g, "CAe", gathering), RSC_OPERATION_NOT_ALLOWED);
	assert_int_equal(rig_count_sent(g, "http://"), 0);
	rig_free(g);
}

static void takes_notifications_of_a_member_elsewhere(void **state)
{
	struct rig *g = rig_with_containers();
	const char *gathering;

	(void)state;
	assert_rsc(group(g, "'rn':'g','mnm':5,'mid':['cse-in/ae/a','/id-far/cse-far/b'],'nar':{'num':2}"), RSC_CREATED);
	gathering = rig_fmt(g, "/id-in/%s/fopt/!notify", rig_ri(g, "cse-in/ae/g"));
	assert_rsc(rig_notify(g, "/id-far", gathering, "{'m2m:sgn':{'sur':'/id-far/sub_x','vrq':true}}"), RSC_OK);
	assert_rsc(rig_notify(g, "/id-far", gathering, "{'m2m:agn':{'m2m:sgn':[{'sur':'/id-far/sub_x','nfu':'http://all'},{'sur':'/id-far/sub_x','nfu':'http://all'}]}}"), RSC_OK);
	assert_int_equal(json_path(rig_last_sent(g, "http://all")->doc, "m2m:agn.m2m:sgn")->count, 2);
	rig_free(g);
}

static void asks_the_members_that_are_named_alone(void **state)
{
	struct rig *g = rig_with_containers();
	const struct answer *a;

	(void)state;
	assert_rsc(group(g, "'rn':'g','mnm':5,'mid':['cse-in/ae/a','cse-in/ae/b']"), RSC_CREATED);
	a = rig_retrieve(g, "CAe", "cse-in/ae/g/fopt?gtm=cse-in%2Fae%2Fb");
	assert_int_equal(json_path(a->doc, "m2m:agr.m2m:rsp")->count, 1);
	assert_json(json_path(a->doc, "m2m:agr.m2m:rsp")->first, "pc.m2m:cnt.rn", "'b'");
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/g/fopt?gtm=cse-in%2Fae%2Fb+cse-in%2Fae"), RSC_BAD_REQUEST);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gathers_the_notifications_of_its_members),
		cmocka_unit_test(sends_what_it_has_after_the_time_and_over_a_restart),
		cmocka_unit_test(waits_for_one_of_each_member_by_default),
		cmocka_unit_test(passes_nothing_on_that_no_member_has_sent),
		cmocka_unit_test(takes_notifications_of_a_member_elsewhere),
		cmocka_unit_test(asks_the_members_that_are_named_alone),
		cmocka_unit_test(keeps_each_member_once_by_its_resource_id),
		cmocka_unit_test(refuses_more_members_than_the_limit),
		cmocka_unit_test(treats_a_member_of_another_type_by_the_strategy),
		cmocka_unit_test(refuses_members_that_are_not_there_or_not_to_be_seen),
		cmocka_unit_test(asks_another_cse_for_the_type_of_its_member),
		cmocka_unit_test(looks_again_when_the_members_cse_shows_itself),
		cmocka_unit_test(drops_a_member_that_is_deleted),
		cmocka_unit_test(tells_who_wants_to_know_of_groups),
		cmocka_unit_test(fans_every_operation_out),
		cmocka_unit_test(tells_each_members_failure),
		cmocka_unit_test(lets_the_members_policy_decide),
		cmocka_unit_test(ends_a_loop_of_groups),
		cmocka_unit_test(asks_a_member_of_two_groups_once),
		cmocka_unit_test(leaves_out_members_that_do_not_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
