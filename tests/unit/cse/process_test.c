/* processManagement: a state machine, step by step. */
#include <string.h>

#include "harness.h"

/* A pump: `full` while the level rises, `empty` while it falls. The process is about container `level`, whose mni is the level. */
static struct rig *scene(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "CAe", "a", "");
	assert_rsc(rig_create(g, "CAe", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'level','mni':50}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'valve'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/a", TY_PROCESS_MANAGEMENT, "{'m2m:prmr':{'rn':'p'}}"), RSC_CREATED);
	return g;
}

static void make_state(struct rig *g, const char *name, const char *next, int optr, int level)
{
	const char *to = rig_fmt(g, "cse-in/a/p/%s", name);

	assert_rsc(rig_create(g, "CAe", "cse-in/a/p", TY_STATE, rig_fmt(g, "{'m2m:stte':{'rn':'%s','sttrs':[{'nxst':'cse-in/a/p/%s','evc':{'optr':%d,'sbjt':'mni','thld':%d}}]}}", name, next, optr, level)), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", to, TY_ACTION, rig_fmt(g, "{'m2m:actr':{'rn':'do','evm':3,'sri':'cse-in/a/level','evc':{'optr':5,'sbjt':'mni','thld':0},'orc':'cse-in/a/valve',"
	    "'apv':{'op':3,'to':'cse-in/a/valve','fr':'CAe','rqi':'r','rvi':'4','pc':{'m2m:cnt':{'lbl':['%s']}}}}}", name)), RSC_CREATED);
	assert_rsc(rig_update(g, "CAe", to, rig_fmt(g, "{'m2m:stte':{'stac':'%s/do'}}", to)), RSC_UPDATED);
}

static struct rig *machine(void)
{
	struct rig *g = scene();

	make_state(g, "fill", "drain", 5, 90);
	make_state(g, "drain", "fill", 6, 10);
	assert_rsc(rig_update(g, "CAe", "cse-in/a/p", "{'m2m:prmr':{'inst':'cse-in/a/p/fill'}}"), RSC_UPDATED);
	return g;
}

static void control(struct rig *g, int prct, enum onem2m_rsc rsc)
{
	assert_rsc(rig_update(g, "CAe", "cse-in/a/p", rig_fmt(g, "{'m2m:prmr':{'prct':%d}}", prct)), rsc);
}

static void level(struct rig *g, int mni)
{
	assert_rsc(rig_update(g, "CAe", "cse-in/a/level", rig_fmt(g, "{'m2m:cnt':{'mni':%d}}", mni)), RSC_UPDATED);
}

static void assert_status(struct rig *g, const char *status, const char *current)
{
	const struct answer *a = rig_retrieve(g, "CAe", "cse-in/a/p");

	assert_value(a, "m2m:prmr.prst", status);
	assert_value(a, "m2m:prmr.cust", current ? rig_fmt(g, "'%s'", rig_ri(g, current)) : NULL);
	assert_value(rig_retrieve(g, "CAe", "cse-in/a/p/fill"), "m2m:stte.sact", current && strstr(current, "fill") ? "true" : "false");
	assert_value(rig_retrieve(g, "CAe", "cse-in/a/p/drain"), "m2m:stte.sact", current && strstr(current, "drain") ? "true" : "false");
}

static void assert_valve(struct rig *g, const char *labels)
{
	assert_value(rig_retrieve(g, "CAe", "cse-in/a/valve"), "m2m:cnt.lbl", labels);
}

static void begins_disabled(void **state)
{
	struct rig *g = scene();

	(void)state;
	assert_value(rig_retrieve(g, "CAe", "cse-in/a/p"), "m2m:prmr.prst", "1");
	control(g, 1, RSC_INVALID_PROCESS_CONFIGURATION); /* without a state */
	control(g, 3, RSC_OPERATION_NOT_ALLOWED);
	control(g, 4, RSC_OPERATION_NOT_ALLOWED);
	control(g, 2, RSC_OPERATION_NOT_ALLOWED);
	rig_free(g);
}

static void steps_from_state_to_state(void **state)
{
	struct rig *g = machine();

	(void)state;
	level(g, 95);
	assert_status(g, "1", NULL);
	assert_valve(g, NULL); /* an action of a state that is not active does nothing */
	level(g, 50);
	control(g, 1, RSC_UPDATED);
	assert_status(g, "3", "cse-in/a/p/fill");
	assert_valve(g, "['fill']");
	for (int i = 0; i < 2; i++) {
		level(g, 90);
		assert_status(g, "3", "cse-in/a/p/drain");
		assert_valve(g, "['drain']");
		rig_restart(g);
		level(g, 50);
		assert_status(g, "3", "cse-in/a/p/drain");
		level(g, 10);
		assert_status(g, "3", "cse-in/a/p/fill");
		assert_valve(g, "['fill']");
	}
	rig_free(g);
}

static void pauses_and_goes_on(void **state)
{
	struct rig *g = machine();

	(void)state;
	control(g, 1, RSC_UPDATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/a/p", "{'m2m:prmr':{'inst':'cse-in/a/p/drain'}}"), RSC_OPERATION_NOT_ALLOWED);
	control(g, 1, RSC_OPERATION_NOT_ALLOWED);
	control(g, 3, RSC_UPDATED);
	level(g, 90);
	assert_status(g, "4", "cse-in/a/p/fill");
	control(g, 4, RSC_UPDATED);
	assert_status(g, "3", "cse-in/a/p/drain");
	control(g, 2, RSC_UPDATED);
	assert_status(g, "1", NULL);
	rig_free(g);
}

static void waits_for_its_conditions_and_ends_by_them(void **state)
{
	struct rig *g = machine();

	(void)state;
	assert_rsc(rig_create(g, "CAe", "cse-in/a", TY_CONTAINER, "{'m2m:cnt':{'rn':'switch','mni':1}}"), RSC_CREATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/a/p", "{'m2m:prmr':{'atcos':[{'sri':'cse-in/a/switch','evc':{'optr':1,'sbjt':'mni','thld':2}}],"
	    "'encos':[{'sri':'cse-in/a/switch','evc':{'optr':1,'sbjt':'mni','thld':3}}]}}"), RSC_UPDATED);
	control(g, 1, RSC_UPDATED);
	assert_status(g, "2", NULL);
	level(g, 95);
	assert_status(g, "2", NULL);
	assert_rsc(rig_update(g, "CAe", "cse-in/a/switch", "{'m2m:cnt':{'mni':2}}"), RSC_UPDATED);
	assert_status(g, "3", "cse-in/a/p/fill");
	assert_rsc(rig_update(g, "CAe", "cse-in/a/switch", "{'m2m:cnt':{'mni':3}}"), RSC_UPDATED);
	assert_status(g, "5", NULL);
	level(g, 5);
	assert_status(g, "5", NULL);
	control(g, 1, RSC_OPERATION_NOT_ALLOWED);
	control(g, 2, RSC_UPDATED);
	control(g, 1, RSC_UPDATED);
	assert_status(g, "2", NULL);
	rig_free(g);
}

static void aborts_where_a_state_is_missing(void **state)
{
	struct rig *g = machine();

	(void)state;
	assert_rsc(rig_update(g, "CAe", "cse-in/a/p/fill", "{'m2m:stte':{'sttrs':[{'nxst':'nowhere','evc':{'optr':5,'sbjt':'mni','thld':90}}]}}"), RSC_UPDATED);
	control(g, 1, RSC_UPDATED);
	assert_rsc(rig_update(g, "CAe", "cse-in/a/p/fill", "{'m2m:stte':{'lbl':['x']}}"), RSC_OPERATION_NOT_ALLOWED);
	level(g, 90);
	assert_status(g, "6", NULL);
	control(g, 2, RSC_UPDATED);
	control(g, 1, RSC_UPDATED);
	level(g, 50);
	assert_rsc(rig_delete(g, "CAe", "cse-in/a/p/fill"), RSC_DELETED);
	assert_value(rig_retrieve(g, "CAe", "cse-in/a/p"), "m2m:prmr.prst", "6");
	rig_free(g);
}

static void does_not_run_for_ever_between_two_states(void **state)
{
	struct rig *g = scene();

	(void)state;
	make_state(g, "fill", "drain", 5, 0);
	make_state(g, "drain", "fill", 5, 0);
	assert_rsc(rig_update(g, "CAe", "cse-in/a/p", "{'m2m:prmr':{'inst':'cse-in/a/p/fill'}}"), RSC_UPDATED);
	control(g, 1, RSC_UPDATED);
	for (int i = 0; i < 5; i++)
		level(g, i);
	assert_value(rig_retrieve(g, "CAe", "cse-in/a/p"), "m2m:prmr.prst", "3");
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_disabled),
		cmocka_unit_test(steps_from_state_to_state),
		cmocka_unit_test(pauses_and_goes_on),
		cmocka_unit_test(waits_for_its_conditions_and_ends_by_them),
		cmocka_unit_test(aborts_where_a_state_is_missing),
		cmocka_unit_test(does_not_run_for_ever_between_two_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
