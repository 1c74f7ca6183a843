/* mgmtCmd and execInstance: from the trigger to the device's answer. */
#include "harness.h"

static struct rig *scene(void)
{
	struct rig *g = rig_new();

	for (int i = 1; i <= 2; i++) {
		assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_NODE, rig_fmt(g, "{'m2m:nod':{'rn':'n%d','ni':'node-%d'}}", i, i)), RSC_CREATED);
		assert_rsc(rig_create(g, "CAdmin", rig_fmt(g, "cse-in/n%d", i), TY_MGMT_OBJ, "{'m2m:rbo':{'rn':'rbo','mgd':1009}}"), RSC_CREATED);
		assert_rsc(rig_create(g, "CAdmin", rig_fmt(g, "cse-in/n%d", i), TY_MGMT_OBJ, "{'m2m:swr':{'rn':'swr','mgd':1002,'vr':'1','swn':'app','url':'http://app'}}"), RSC_CREATED);
	}
	return g;
}

static void command(struct rig *g, const char *members)
{
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_MGMT_CMD, rig_fmt(g, "{'m2m:mgc':{'rn':'c',%s}}", members)), RSC_CREATED);
}

static void trigger(struct rig *g)
{
	assert_rsc(rig_update(g, "CAdmin", "cse-in/c", "{'m2m:mgc':{'exe':true}}"), RSC_UPDATED);
}

/* Addresses of the execInstances. */
static const struct json *instances(struct rig *g)
{
	const struct answer *a = rig_retrieve(g, "CAdmin", "cse-in/c?fu=1&ty=8");

	assert_rsc(a, RSC_OK);
	return a->doc->first;
}

static const char *instance(struct rig *g, size_t i)
{
	const struct json *v = json_at(instances(g), i);

	assert_non_null(v);
	return rig_fmt(g, "%.*s", (int)v->text.left, (const char *)v->text.at);
}

static void assert_status(struct rig *g, size_t i, const char *status, const char *result)
{
	const struct answer *a = rig_retrieve(g, "CAdmin", instance(g, i));

	assert_value(a, "m2m:exin.exs", status);
	assert_value(a, "m2m:exin.exr", result);
}

static void done(struct rig *g, const char *object, const char *json)
{
	assert_rsc(rig_update(g, "CAdmin", object, json), RSC_UPDATED);
}

static void goes_from_the_trigger_to_the_devices_answer(void **state)
{
	struct rig *g = scene();

	(void)state;
	command(g, "'cmt':2,'ext':'node-1'");
	assert_int_equal(instances(g)->count, 0);
	trigger(g);
	assert_int_equal(instances(g)->count, 1);
	assert_status(g, 0, "2", "31");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n1/rbo"), "m2m:rbo.rbo", "true");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n2/rbo"), "m2m:rbo.rbo", "false");
	rig_restart(g);
	rig_settle(g);
	assert_status(g, 0, "2", "31");
	done(g, "cse-in/n1/rbo", "{'m2m:rbo':{'rbo':false}}");
	assert_status(g, 0, "3", "0");
	trigger(g);
	assert_int_equal(instances(g)->count, 2);
	rig_free(g);
}

static void tells_what_the_device_reports(void **state)
{
	struct rig *g = scene();

	(void)state;
	command(g, "'cmt':5,'ext':'cse-in/n2','exra':{'swin':[{'url':'http://app','uuid':'1','unm':'u','pwd':'p','eer':'e'}]}");
	trigger(g);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n2/swr"), "m2m:swr.in", "true");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n2/swr"), "m2m:swr.ins.sus", "3");
	done(g, "cse-in/n2/swr", "{'m2m:swr':{'ins':{'acn':'in','sus':2}}}");
	assert_status(g, 0, "3", "4");
	rig_free(g);
}

static void goes_to_each_member_of_a_group(void **state)
{
	struct rig *g = scene();

	(void)state;
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_GROUP, "{'m2m:grp':{'rn':'g','mt':14,'mnm':5,'mid':['cse-in/n1','cse-in/n2']}}"), RSC_CREATED);
	command(g, "'cmt':1,'ext':'cse-in/g'");
	trigger(g);
	assert_int_equal(instances(g)->count, 2);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n2/rbo"), "m2m:rbo.far", "true");
	done(g, "cse-in/n2/rbo", "{'m2m:rbo':{'far':false}}");
	assert_status(g, 0, "2", "31");
	assert_status(g, 1, "3", "0");
	rig_free(g);
}

static void waits_and_repeats(void **state)
{
	struct rig *g = scene();

	(void)state;
	command(g, "'cmt':2,'ext':'cse-in/n1','exm':2,'exy':'PT10S','exf':'PT1M','exn':3");
	trigger(g);
	assert_status(g, 0, "1", "31");
	rig_advance(g, 10000);
	for (int i = 0; i < 3; i++) {
		assert_status(g, 0, "2", "31");
		assert_value(rig_retrieve(g, "CAdmin", "cse-in/n1/rbo"), "m2m:rbo.rbo", "true");
		done(g, "cse-in/n1/rbo", "{'m2m:rbo':{'rbo':false}}");
		rig_restart(g);
		rig_advance(g, 60000);
	}
	assert_status(g, 0, "3", "0");
	rig_free(g);
}

static void is_cancelled_while_it_is_not_done(void **state)
{
	struct rig *g = scene();

	(void)state;
	command(g, "'cmt':2,'ext':'cse-in/n1','exy':'PT10S'");
	trigger(g);
	assert_rsc(rig_update(g, "CAdmin", instance(g, 0), "{'m2m:exin':{'exd':true}}"), RSC_UPDATED);
	assert_status(g, 0, "5", "31");
	rig_advance(g, 20000);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n1/rbo"), "m2m:rbo.rbo", "false");
	assert_rsc(rig_update(g, "CAdmin", instance(g, 0), "{'m2m:exin':{'exd':true}}"), RSC_ALREADY_COMPLETE);
	trigger(g);
	rig_advance(g, 10000);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n1/rbo"), "m2m:rbo.rbo", "true");
	assert_rsc(rig_update(g, "CAdmin", instance(g, 1), "{'m2m:exin':{'exd':true}}"), RSC_UPDATED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n1/rbo"), "m2m:rbo.rbo", "false");
	trigger(g);
	rig_advance(g, 10000);
	assert_rsc(rig_delete(g, "CAdmin", instance(g, 2)), RSC_DELETED);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n1/rbo"), "m2m:rbo.rbo", "false");
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/c"), RSC_DELETED);
	rig_free(g);
}

static void says_what_it_cannot_do(void **state)
{
	struct rig *g = scene();

	(void)state;
	command(g, "'cmt':6,'ext':'cse-in/n1','exra':{'swun':[{'uuid':'other','vr':'1','eer':'e'}]}");
	trigger(g);
	assert_status(g, 0, "3", "1");
	rig_free(g);
}

static void lets_nobody_do_by_command_what_he_could_not_do_by_hand(void **state)
{
	struct rig *g = scene();

	(void)state;
	rig_ae(g, "CAe", "ae", "");
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_ACP, "{'m2m:acp':{'rn':'acp','pv':{'acr':[{'acor':['CAe'],'acop':63}]},'pvs':{'acr':[{'acor':['CAdmin'],'acop':63}]}}}"), RSC_CREATED);
	command(g, "'cmt':2,'ext':'cse-in/n1','acpi':['cse-in/acp']");
	assert_rsc(rig_update(g, "CAe", "cse-in/c", "{'m2m:mgc':{'exe':true}}"), RSC_UPDATED);
	assert_status(g, 0, "3", "2");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/n1/rbo"), "m2m:rbo.rbo", "false");
	rig_free(g);
}

static void checks_its_arguments(void **state)
{
	static const struct {
		const char *members;
		enum onem2m_rsc rsc;
	} cases[] = {
		{"'cmt':2,'ext':'n'", RSC_CREATED},
		{"'cmt':9,'ext':'n'", RSC_BAD_REQUEST},
		{"'cmt':2,'ext':'n','exra':{'rst':[{}]}", RSC_INVALID_ARGUMENTS},
		{"'cmt':6,'ext':'n'", RSC_INSUFFICIENT_ARGUMENTS},
		{"'cmt':6,'ext':'n','exra':{'swun':[]}", RSC_INSUFFICIENT_ARGUMENTS},
	};
	struct rig *g = scene();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_MGMT_CMD, rig_fmt(g, "{'m2m:mgc':{%s}}", cases[i].members)), cases[i].rsc);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_from_the_trigger_to_the_devices_answer),
		cmocka_unit_test(tells_what_the_device_reports),
		cmocka_unit_test(goes_to_each_member_of_a_group),
		cmocka_unit_test(waits_and_repeats),
		cmocka_unit_test(is_cancelled_while_it_is_not_done),
		cmocka_unit_test(says_what_it_cannot_do),
		cmocka_unit_test(lets_nobody_do_by_command_what_he_could_not_do_by_hand),
		cmocka_unit_test(checks_its_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
