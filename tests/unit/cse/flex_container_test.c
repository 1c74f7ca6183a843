/* flexContainer: specialisations, instances, limits. */
#include "harness.h"

#define SWITCH "'cnd':'org.onem2m.common.moduleclass.binarySwitch'"

static struct rig *with_switch(const char *more)
{
	struct rig *g = rig_new();

	rig_ae(g, "CAe", "ae", "");
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_FLEX_CONTAINER, rig_fmt(g, "{'cod:binSh':{'rn':'f'," SWITCH ",'state':true%s}}", more)), RSC_CREATED);
	return g;
}

static void set(struct rig *g, const char *members)
{
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/f", rig_fmt(g, "{'cod:binSh':{%s}}", members)), RSC_UPDATED);
}

static void assert_counted(struct rig *g, const char *instances, const char *octets)
{
	const struct answer *a = rig_retrieve(g, "CAe", "cse-in/ae/f");

	assert_value(a, "cod:binSh.cni", instances);
	assert_value(a, "cod:binSh.cbs", octets);
}

static void knows_its_specialisations(void **state)
{
	static const struct {
		const char *root, *members;
		enum onem2m_rsc rsc;
	} cases[] = {
		{"cod:binSh", SWITCH ",'state':true", RSC_CREATED},
		{"cod:binSh", SWITCH, RSC_BAD_REQUEST},
		{"cod:binSh", "'state':true", RSC_BAD_REQUEST},
		{"cod:binSh", SWITCH ",'state':true,'more':1", RSC_BAD_REQUEST},
		{"cod:tempe", SWITCH ",'state':true", RSC_BAD_REQUEST},
		{"cod:tempe", "'cnd':'org.onem2m.common.moduleclass.unheard','curT0':1.5", RSC_BAD_REQUEST},
		{"my:thing", SWITCH ",'state':true", RSC_BAD_REQUEST},
		{"cod:what", "'cnd':'org.example.what'", RSC_BAD_REQUEST},
		{"cod:deSPg", "'cnd':'org.onem2m.common.device.deviceSmartPlug'", RSC_CREATED},
		{"my:thing", "'cnd':'com.example.thing','height':3", RSC_CREATED},
		{"m2m:cnt", "'cnd':'com.example.thing'", RSC_BAD_REQUEST},
		{"thing", "'cnd':'com.example.thing'", RSC_BAD_REQUEST},
	};
	struct rig *g = rig_new();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_FLEX_CONTAINER, rig_fmt(g, "{'%s':{%s}}", cases[i].root, cases[i].members)), cases[i].rsc);
	rig_free(g);
}

static void lets_a_part_of_this_cse_make_an_empty_mirror(void **state)
{
	struct rig *g = rig_new();
	struct onem2m_request rq = {.operation = ONEM2M_CREATE, .type = TY_FLEX_CONTAINER, .to = rd_str("cse-in"), .rcn = ONEM2M_RCN_ABSENT, .internal = true};

	(void)state;
	rq.content = rd_str(rig_json(g, "{'cod:binSh':{" SWITCH "}}"));
	assert_rsc(rig_ask(g, rq), RSC_CREATED);
	rq.content = rd_str(rig_json(g, "{'cod:binSh':{" SWITCH ",'state':3}}"));
	assert_rsc(rig_ask(g, rq), RSC_BAD_REQUEST);
	rig_free(g);
}

static void checks_updates_by_the_module_class(void **state)
{
	struct rig *g = with_switch("");

	(void)state;
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/f", "{'cod:binSh':{'state':'off'}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/f", "{'cod:binSh':{'other':1}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/f", "{'cod:binSh':{'cnd':'x'}}"), RSC_BAD_REQUEST);
	set(g, "'state':false");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/f"), "cod:binSh.st", "1");
	rig_restart(g);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/f", "{'cod:binSh':{'state':'off'}}"), RSC_BAD_REQUEST);
	rig_free(g);
}

static void records_changes_of_content_and_labels_alone(void **state)
{
	struct rig *g = with_switch(",'fcied':true");

	(void)state;
	assert_counted(g, "1", "4");
	set(g, "'state':false");
	set(g, "'lbl':['x']");
	set(g, "'or':'http://example.com/o'");
	assert_counted(g, "3", "14");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/f/la"), "cod:binSh.lbl", "['x']");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/f/la"), "cod:binSh.org", "'CAe'");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/f/la"), "cod:binSh.ty", "58");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/f/la"), "cod:binSh.fcied", NULL);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/f/ol"), "cod:binSh.state", "true");
	rig_free(g);
}

static void keeps_the_limits(void **state)
{
	struct rig *g = with_switch(",'fcied':true,'mni':3");

	(void)state;
	for (int i = 0; i < 5; i++)
		set(g, i % 2 ? "'state':true" : "'state':false");
	assert_counted(g, "3", "14");
	set(g, "'mbs':9");
	assert_counted(g, "2", "9");
	set(g, "'mni':1,'mbs':null");
	assert_counted(g, "1", "5");
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/f", "{'cod:binSh':{'mni':0}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/f", "{'cod:binSh':{'mbs':4}}"), RSC_BAD_REQUEST);
	assert_counted(g, "1", "5");
	rig_free(g);
}

static void takes_limits_only_with_recording(void **state)
{
	struct rig *g = with_switch("");

	(void)state;
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_FLEX_CONTAINER, "{'cod:binSh':{" SWITCH ",'state':true,'mni':1}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/f", "{'cod:binSh':{'mni':1}}"), RSC_BAD_REQUEST);
	assert_counted(g, NULL, NULL);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/f/la"), RSC_NOT_FOUND);
	rig_free(g);
}

static void ends_recording(void **state)
{
	struct rig *g = with_switch(",'fcied':true,'mni':5");

	(void)state;
	set(g, "'state':false");
	set(g, "'fcied':false");
	assert_counted(g, "1", "5");
	set(g, "'state':true");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/f/la"), "cod:binSh.state", "false");
	set(g, "'fcied':true");
	assert_counted(g, "2", "9");
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/f", "{'cod:binSh':{'fcied':null,'mni':4}}"), RSC_BAD_REQUEST);
	set(g, "'fcied':null");
	assert_counted(g, NULL, NULL);
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae/f"), "cod:binSh.mni", NULL);
	assert_rsc(rig_retrieve(g, "CAe", "cse-in/ae/f/ol"), RSC_NOT_FOUND);
	rig_free(g);
}

static void subtracts_what_is_deleted_or_too_old(void **state)
{
	struct rig *g = with_switch(",'fcied':true,'mia':60");

	(void)state;
	set(g, "'state':false");
	set(g, "'state':true");
	assert_rsc(rig_delete(g, "CAe", "cse-in/ae/f/la"), RSC_DELETED);
	assert_counted(g, "2", "9");
	rig_advance(g, 30000);
	set(g, "'state':true");
	rig_advance(g, 31000);
	assert_counted(g, "1", "4");
	rig_restart(g);
	assert_counted(g, "1", "4");
	rig_free(g);
}

static void makes_no_instance_by_request(void **state)
{
	struct rig *g = with_switch(",'fcied':true");

	(void)state;
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/f", TY_FLEX_CONTAINER_INSTANCE, "{'cod:binSh':{'state':true}}"), RSC_OPERATION_NOT_ALLOWED);
	assert_rsc(rig_update(g, "CAe", "cse-in/ae/f/la", "{'cod:binSh':{'state':true}}"), RSC_OPERATION_NOT_ALLOWED);
	assert_counted(g, "1", "4");
	rig_free(g);
}

static void filters_by_custom_attributes(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a;

	(void)state;
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in?fu=1&height=3"), RSC_BAD_REQUEST);
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_FLEX_CONTAINER, "{'my:thing':{'rn':'t','cnd':'com.example.thing','height':3}}"), RSC_CREATED);
	for (int i = 0; i < 2; i++) {
		a = rig_retrieve(g, "CAdmin", "cse-in?fu=1&height=3");
		assert_rsc(a, RSC_OK);
		assert_value(a, "m2m:uril", "['cse-in/t']");
		assert_rsc(rig_retrieve(g, "CAdmin", "cse-in?fu=1&hieght=3"), RSC_BAD_REQUEST);
		rig_restart(g);
	}
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/t?atrl=height"), "my:thing", "{'height':3}");
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_its_specialisations),
		cmocka_unit_test(lets_a_part_of_this_cse_make_an_empty_mirror),
		cmocka_unit_test(checks_updates_by_the_module_class),
		cmocka_unit_test(records_changes_of_content_and_labels_alone),
		cmocka_unit_test(keeps_the_limits),
		cmocka_unit_test(takes_limits_only_with_recording),
		cmocka_unit_test(ends_recording),
		cmocka_unit_test(subtracts_what_is_deleted_or_too_old),
		cmocka_unit_test(makes_no_instance_by_request),
		cmocka_unit_test(filters_by_custom_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
