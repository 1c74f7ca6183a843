/* action and dependency: when the request is carried out, and in whose name. */
#include "harness.h"

/* CAe owns `s` (watched) and `t` (the target); CBe owns `b`. */
static struct rig *scene(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "CAe", "a", "");
	rig_ae(g, "CBe", "b", "");
	assert_rsc(rig_create(g, "CAe", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'s'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'t'}}"), RSC_CREATED);
	return g;
}

#define APV "'apv':{'op':1,'to':'cse-in/a/t','fr':'CAe','rqi':'r','ty':4,'rvi':'4','pc':{'m2m:cin':{'con':'fired'}}}"
#define ACTION(mode, more) "{'m2m:actr':{'rn':'x','evm':" mode ",'evc':{'optr':5,'sbjt':'mni','thld':7},'orc':'cse-in/a/t'," APV more "}}"

static const struct answer *act(struct rig *g, const char *json)
{
	return rig_create(g, "CAe", "cse-in/a/s", TY_ACTION, json);
}

static void change(struct rig *g, int mni)
{
	assert_rsc(rig_update(g, "CAe", "cse-in/a/s", rig_fmt(g, "{'m2m:cnt':{'mni':%d}}", mni)), RSC_UPDATED);
}

static void assert_fired(struct rig *g, unsigned times)
{
	assert_value(rig_retrieve(g, "CAe", "cse-in/a/t"), "m2m:cnt.cni", rig_fmt(g, "%u", times));
}

static void refuses_what_it_could_not_do(void **state)
{
	static const struct {
		const char *members;
		enum onem2m_rsc rsc;
	} cases[] = {
		{"'evc':{'optr':1,'sbjt':'mni','thld':7},'orc':'cse-in/a/t'," APV, RSC_CREATED},
		{"'evc':{'optr':1,'sbjt':'cni','thld':7},'orc':'cse-in/a/t'," APV, RSC_CREATED},
		{"'evc':{'optr':1,'sbjt':'nothing','thld':7},'orc':'cse-in/a/t'," APV, RSC_BAD_REQUEST},
		{"'evc':{'optr':1,'sbjt':'mni','thld':'seven'},'orc':'cse-in/a/t'," APV, RSC_BAD_REQUEST},
		{"'evc':{'optr':7,'sbjt':'mni','thld':7},'orc':'cse-in/a/t'," APV, RSC_BAD_REQUEST},
		{"'evc':{'optr':1,'sbjt':'mni','thld':7},'orc':'nothing'," APV, RSC_BAD_REQUEST},
		{"'evc':{'optr':1,'sbjt':'mni','thld':7},'orc':'cse-in/a/t','sri':'nothing'," APV, RSC_BAD_REQUEST},
		{"'evc':{'optr':1,'sbjt':'lbl','thld':['x']},'orc':'cse-in/b','sri':'cse-in/b'," APV, RSC_BAD_REQUEST},
		{"'evc':{'optr':1,'sbjt':'mni','thld':7},'orc':'cse-in/b'," APV, RSC_BAD_REQUEST},
		{"'ecp':1000,'evc':{'optr':1,'sbjt':'mni','thld':7},'orc':'cse-in/a/t'," APV, RSC_BAD_REQUEST},
		{"'evc':{'optr':4,'sbjt':'lbl','thld':['x']},'orc':'cse-in/a/t'," APV, RSC_BAD_REQUEST},
		{"'evc':{'optr':1,'sbjt':'mni','thld':7},'orc':'cse-in/a/t','apv':{'op':4,'to':'cse-in/b','fr':'CBe','rqi':'r','rvi':'4'}", RSC_BAD_REQUEST},
		{"'evc':{'optr':1,'sbjt':'mni','thld':7},'orc':'cse-in/a/t','apv':{'op':4,'to':'cse-in/b','fr':'CAdmin','rqi':'r','rvi':'4'}", RSC_BAD_REQUEST},
		{"'evc':{'optr':1,'sbjt':'mni','thld':7},'orc':'cse-in/a/t','apv':{'op':4,'to':'cse-in/b','fr':'/id-in/CAe','rqi':'r','rvi':'4'}", RSC_CREATED},
		{"'evc':{'optr':1,'sbjt':'mni','thld':7},'orc':'cse-in/a/t','apv':{'op':1,'to':'cse-in/a/t','rqi':'r','rvi':'4'}", RSC_BAD_REQUEST},
		{"'evc':{'optr':1,'sbjt':'mni','thld':7},'orc':'cse-in/a/t','ipu':{'cstr':'IN','rsid':'cse-in/b','raid':'aei'}," APV, RSC_ORIGINATOR_HAS_NO_PRIVILEGE},
		{"'evc':{'optr':1,'sbjt':'mni','thld':7},'orc':'cse-in/a/t','ipu':{'cstr':'IN'}," APV, RSC_BAD_REQUEST},
	};
	struct rig *g = scene();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_rsc(act(g, rig_fmt(g, "{'m2m:actr':{'evm':0,%s}}", cases[i].members)), cases[i].rsc);
	rig_free(g);
}

static void lets_nobody_put_another_originator_in(void **state)
{
	struct rig *g = scene();

	(void)state;
	assert_rsc(act(g, ACTION("3", "")), RSC_CREATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/a/s/x", "{'m2m:actr':{'apv':{'op':4,'to':'cse-in/b','fr':'CBe','rqi':'r','rvi':'4'}}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAe", "cse-in/a/s/x", "{'m2m:actr':{'apv':{'op':4,'to':'cse-in/b','fr':'CAe','rqi':'r','rvi':'4'}}}"), RSC_UPDATED);
	change(g, 7);
	assert_value(rig_retrieve(g, "CAe", "cse-in/a/s/x"), "m2m:actr.air.rsc", "4103");
	assert_rsc(rig_retrieve(g, "CBe", "cse-in/b"), RSC_OK);
	rig_free(g);
}

static void fires_by_its_mode(void **state)
{
	static const struct {
		const char *mode, *ecp;
		unsigned fired, mode_after;
	} cases[] = {{"0", "", 0, 0}, {"1", "", 1, 0}, {"3", "", 4, 3}, {"3", ",'ecp':3", 2, 0}, {"2", ",'ecp':60000", 1, 2}, {"2", ",'ecp':1", 4, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene();

		assert_rsc(act(g, rig_fmt(g, "{'m2m:actr':{'rn':'x','evm':%s%s,'evc':{'optr':5,'sbjt':'mni','thld':7},'orc':'cse-in/a/t'," APV "}}", cases[i].mode, cases[i].ecp)), RSC_CREATED);
		change(g, 6);
		for (int n = 0; n < 4; n++) {
			rig_advance(g, 10);
			change(g, 7 + n);
		}
		assert_fired(g, cases[i].fired);
		assert_value(rig_retrieve(g, "CAe", "cse-in/a/s/x"), "m2m:actr.evm", rig_fmt(g, "%u", cases[i].mode_after));
		rig_free(g);
	}
}

static void fires_anew_after_its_period_and_when_its_mode_is_set_again(void **state)
{
	struct rig *g = scene();

	(void)state;
	assert_rsc(act(g, ACTION("2", ",'ecp':60000")), RSC_CREATED);
	change(g, 7);
	change(g, 8);
	assert_fired(g, 1);
	rig_advance(g, 60000);
	change(g, 9);
	assert_fired(g, 2);
	assert_rsc(rig_update(g, "CAe", "cse-in/a/s/x", "{'m2m:actr':{'evm':1}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAe", "cse-in/a/s/x", "{'m2m:actr':{'evm':1,'ecp':null}}"), RSC_UPDATED);
	change(g, 10);
	change(g, 11);
	assert_fired(g, 3);
	assert_rsc(rig_update(g, "CAe", "cse-in/a/s/x", "{'m2m:actr':{'evm':1}}"), RSC_UPDATED);
	change(g, 12);
	assert_fired(g, 4);
	rig_free(g);
}

static void sees_counters_and_goes_on_after_a_restart(void **state)
{
	struct rig *g = scene();

	(void)state;
	assert_rsc(act(g, "{'m2m:actr':{'rn':'x','evm':3,'ecp':3,'evc':{'optr':3,'sbjt':'cni','thld':1},'orc':'cse-in/a/t'," APV "}}"), RSC_CREATED);
	for (int i = 0; i < 6; i++) {
		assert_rsc(rig_create(g, "CAe", "cse-in/a/s", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'x'}}"), RSC_CREATED);
		rig_restart(g);
		rig_settle(g);
	}
	/* the second and the third met the criteria; a restart forgets none that was committed with its result, and the number is kept */
	assert_value(rig_retrieve(g, "CAe", "cse-in/a/s/x"), "m2m:actr.evm", "0");
	assert_fired(g, 2);
	rig_free(g);
}

static void compares(void **state)
{
	static const struct {
		int optr;
		const char *subject, *threshold, *value;
		bool holds;
	} cases[] = {
		{1, "mni", "5", "5", true}, {1, "mni", "5", "6", false}, {2, "mni", "5", "6", true}, {2, "mni", "5", "5", false},
		{3, "mni", "5", "6", true}, {3, "mni", "5", "5", false}, {4, "mni", "5", "4", true}, {4, "mni", "5", "5", false},
		{5, "mni", "5", "5", true}, {5, "mni", "5", "4", false}, {6, "mni", "5", "5", true}, {6, "mni", "5", "6", false},
		{1, "lbl", "['a']", "['a']", true}, {1, "lbl", "['a']", "['a','b']", false}, {2, "lbl", "['a']", "['b']", true},
		{1, "or", "'x'", "'x'", true}, {3, "or", "'x'", "'y'", true}, {4, "or", "'x'", "'y'", false}, {1, "disr", "true", "true", true}, {1, "disr", "true", "false", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig *g = scene();

		assert_rsc(act(g, rig_fmt(g, "{'m2m:actr':{'evm':3,'evc':{'optr':%d,'sbjt':'%s','thld':%s},'orc':'cse-in/a/t'," APV "}}", cases[i].optr, cases[i].subject, cases[i].threshold)), RSC_CREATED);
		assert_rsc(rig_update(g, "CAe", "cse-in/a/s", rig_fmt(g, "{'m2m:cnt':{'%s':%s}}", cases[i].subject, cases[i].value)), RSC_UPDATED);
		assert_fired(g, cases[i].holds);
		rig_free(g);
	}
}

static void depends(void **state)
{
	/* whether a needed one, another needed one, a sufficient one hold; -1: there is none */
	static const struct {
		int needed, other, sufficient;
		bool fires;
	} cases[] = {{1, -1, -1, true}, {0, -1, -1, false}, {1, 0, -1, false}, {1, 1, -1, true}, {-1, -1, 1, true}, {-1, -1, 0, false}, {0, 0, 1, true}, {1, 1, 0, true}, {0, 1, 0, false}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const int wanted[] = {cases[i].needed, cases[i].other, cases[i].sufficient};
		struct rig *g = scene();
		const char *list = "";

		assert_rsc(act(g, ACTION("3", "")), RSC_CREATED);
		for (int k = 0; k < 3; k++) {
			if (wanted[k] < 0)
				continue;
			assert_rsc(rig_create(g, "CAe", "cse-in/a/s/x", TY_DEPENDENCY, rig_fmt(g, "{'m2m:depr':{'rn':'d%d','sfc':%s,'rri':'cse-in/a/t','evc':{'optr':%d,'sbjt':'cni','thld':0}}}", k,
			    k == 2 ? "true" : "false", wanted[k] ? 1 : 2)), RSC_CREATED);
			list = rig_fmt(g, "%s%s'%s'", list, list[0] ? "," : "", rig_ri(g, rig_fmt(g, "cse-in/a/s/x/d%d", k)));
		}
		assert_rsc(rig_update(g, "CAe", "cse-in/a/s/x", rig_fmt(g, "{'m2m:actr':{'dep':[%s]}}", list)), RSC_UPDATED);
		change(g, 7);
		assert_fired(g, cases[i].fires);
		rig_free(g);
	}
}

static void names_only_its_own_dependencies(void **state)
{
	struct rig *g = scene();

	(void)state;
	assert_rsc(act(g, ACTION("3", "")), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/a/s/x", TY_DEPENDENCY, "{'m2m:depr':{'rn':'d','sfc':true,'rri':'cse-in/b','evc':{'optr':1,'sbjt':'aei','thld':'x'}}}"), RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	assert_rsc(rig_create(g, "CAe", "cse-in/a/s/x", TY_DEPENDENCY, "{'m2m:depr':{'rn':'d','sfc':true,'rri':'cse-in/a/t','evc':{'optr':1,'sbjt':'cni','thld':5}}}"), RSC_CREATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/a/s/x", "{'m2m:actr':{'dep':['cse-in/a/t']}}"), RSC_BAD_REQUEST);
	assert_rsc(rig_update(g, "CAe", "cse-in/a/s/x", "{'m2m:actr':{'dep':['cse-in/a/s/x/d']}}"), RSC_UPDATED);
	assert_rsc(rig_delete(g, "CAe", "cse-in/a/s/x/d"), RSC_DELETED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/a/s/x"), "m2m:actr.dep", NULL);
	change(g, 7);
	assert_fired(g, 1);
	rig_free(g);
}

static void goes_by_priority(void **state)
{
	struct rig *g = scene();

	(void)state;
	for (int i = 3; i >= 1; i--)
		assert_rsc(act(g, rig_fmt(g, "{'m2m:actr':{'apy':%d,'evm':3,'evc':{'optr':5,'sbjt':'mni','thld':7},'orc':'cse-in/a/t',"
		    "'apv':{'op':1,'to':'cse-in/a/t','fr':'CAe','rqi':'r','ty':4,'rvi':'4','pc':{'m2m:cin':{'rn':'n%d','con':'x'}}}}}", i, i)), RSC_CREATED);
	change(g, 7);
	assert_fired(g, 3);
	assert_value(rig_retrieve(g, "CAe", "cse-in/a/t/ol"), "m2m:cin.rn", "'n1'");
	assert_value(rig_retrieve(g, "CAe", "cse-in/a/t/la"), "m2m:cin.rn", "'n3'");
	rig_free(g);
}

static void ends_a_chain_that_feeds_itself(void **state)
{
	struct rig *g = scene();
	uint64_t n;

	(void)state;
	/* each of its instances is a change of what it watches */
	assert_rsc(rig_create(g, "CAe", "cse-in/a/t", TY_ACTION, "{'m2m:actr':{'evm':3,'evc':{'optr':3,'sbjt':'cni','thld':0},'orc':'cse-in/a/t'," APV "}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/a/t", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'x'}}"), RSC_CREATED);
	rig_advance(g, 1000);
	assert_true(json_uint(json_path(rig_retrieve(g, "CAe", "cse-in/a/t")->doc, "m2m:cnt.cni"), &n));
	assert_in_range(n, 2, 20);
	rig_free(g);
}

static void puts_its_input_in(void **state)
{
	struct rig *g = scene();

	(void)state;
	assert_rsc(act(g, "{'m2m:actr':{'rn':'x','evm':3,'evc':{'optr':5,'sbjt':'mni','thld':7},'orc':'cse-in/a/t','ipu':{'cstr':'IN','rsid':'cse-in/a/s','raid':'mni'},"
	    "'apv':{'op':1,'to':'cse-in/a/t','fr':'CAe','rqi':'r','ty':4,'rvi':'4','pc':{'m2m:cin':{'con':{'list':['IN','IN2'],'n':'IN'}}}}}}"), RSC_CREATED);
	change(g, 8);
	assert_value(rig_retrieve(g, "CAe", "cse-in/a/t/la"), "m2m:cin.con", "{'list':[8,'IN2'],'n':8}");
	rig_free(g);
}

static void keeps_the_result_and_tells_it(void **state)
{
	struct rig *g = scene();
	const struct answer *a;

	(void)state;
	assert_rsc(act(g, "{'m2m:actr':{'rn':'x','evm':3,'evc':{'optr':5,'sbjt':'mni','thld':7},'orc':'cse-in/a','apv':{'op':2,'to':'cse-in/a','fr':'CAe','rqi':'find','rvi':'4',"
	    "'fc':{'fu':1,'ty':[3],'atr':[{'nm':'mni','val':7}]}}}}"), RSC_CREATED);
	change(g, 7);
	a = rig_retrieve(g, "CAe", "cse-in/a/s/x");
	assert_value(a, "m2m:actr.air.rsc", "2000");
	assert_value(a, "m2m:actr.air.rqi", "'find'");
	assert_value(a, "m2m:actr.air.pc", "{'m2m:uril':['cse-in/a/s']}");
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_it_could_not_do),
		cmocka_unit_test(lets_nobody_put_another_originator_in),
		cmocka_unit_test(fires_by_its_mode),
		cmocka_unit_test(fires_anew_after_its_period_and_when_its_mode_is_set_again),
		cmocka_unit_test(sees_counters_and_goes_on_after_a_restart),
		cmocka_unit_test(compares),
		cmocka_unit_test(depends),
		cmocka_unit_test(names_only_its_own_dependencies),
		cmocka_unit_test(goes_by_priority),
		cmocka_unit_test(ends_a_chain_that_feeds_itself),
		cmocka_unit_test(puts_its_input_in),
		cmocka_unit_test(keeps_the_result_and_tells_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
