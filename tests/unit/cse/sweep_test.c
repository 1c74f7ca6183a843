/* What takes long goes on in portions: a container of very many instances, a limit that is lowered by much, very many that expire at once. */
#include "harness.h"

#include <string.h>

#define MANY 9000 /* more than the store deletes at once */

static void fill(struct rig *g, const char *container, unsigned count, const char *more)
{
	for (unsigned i = 0; i < count; i++) {
		struct onem2m_request rq = {.operation = ONEM2M_CREATE, .type = TY_CONTENT_INSTANCE, .to = rd_str(container), .rcn = 0};

		rq.content = rd_str(rig_json(g, rig_fmt(g, "{'m2m:cin':{'con':'%u'%s}}", i, more)));
		assert_rsc(rig_ask(g, rq), RSC_CREATED);
		g->answer_count = 0; /* there are more of them than the rig keeps */
	}
}

static void container_of_very_many_is_gone_at_once(void **state)
{
	struct rig *g = rig_new();
	uint64_t before = store_count(g->store);
	const char *ri, *other;

	(void)state;
	rig_create(g, "CAdmin", "cse-in", TY_CONTAINER, "{'m2m:cnt':{'rn':'a'}}");
	fill(g, "cse-in/a", MANY, ",'lbl':['x']");
	ri = rig_ri(g, "cse-in/a/ol");
	other = rig_ri(g, "cse-in/a/la");
	assert_rsc(rig_retrieve(g, "CAdmin", ri), RSC_OK);
	for (int restarted = 0; restarted < 2; restarted++) {
		if (restarted)
			rig_restart(g);
		else
			assert_rsc(rig_delete(g, "CAdmin", "cse-in/a"), RSC_DELETED);
		assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/a"), RSC_NOT_FOUND);
		assert_rsc(rig_retrieve(g, "CAdmin", ri), RSC_NOT_FOUND);
		assert_rsc(rig_retrieve(g, "CAdmin", other), RSC_NOT_FOUND);
		assert_value(rig_retrieve(g, "CAdmin", "cse-in?fu=1&lbl=x"), "m2m:uril", "[]");
		assert_true(store_count(g->store) > before);
	}
	/* the name is free, and what is below the new one is its own */
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_CONTAINER, "{'m2m:cnt':{'rn':'a'}}"), RSC_CREATED);
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/a/la"), RSC_NOT_FOUND);
	rig_advance(g, 1000);
	assert_int_equal(store_count(g->store), before + 1);
	assert_false(store_has_gone(g->store));
	rig_free(g);
}

static void limit_lowered_by_much_is_reached_in_portions(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a;
	uint64_t left;

	(void)state;
	rig_create(g, "CAdmin", "cse-in", TY_CONTAINER, "{'m2m:cnt':{'rn':'a'}}");
	fill(g, "cse-in/a", 3000, "");
	a = rig_update(g, "CAdmin", "cse-in/a", "{'m2m:cnt':{'mni':5}}");
	assert_rsc(a, RSC_UPDATED);
	assert_true(json_uint(json_path(a->doc, "m2m:cnt.cni"), &left));
	assert_in_range(left, 6, 2999);
	/* an instance that comes meanwhile does its part too */
	fill(g, "cse-in/a", 1, "");
	rig_advance(g, 1000);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/a"), "m2m:cnt.cni", "5");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/a"), "m2m:cnt.cbs", "17"); /* 2996 ... 2999 and 0 */
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/a/la"), "m2m:cin.con", "'0'");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/a/ol"), "m2m:cin.con", "'2996'");
	/* gone while it waits */
	fill(g, "cse-in/a", 1, "");
	rig_update(g, "CAdmin", "cse-in/a", "{'m2m:cnt':{'mni':3000}}");
	fill(g, "cse-in/a", 2000, "");
	rig_update(g, "CAdmin", "cse-in/a", "{'m2m:cnt':{'mni':1}}");
	assert_rsc(rig_delete(g, "CAdmin", "cse-in/a"), RSC_DELETED);
	rig_advance(g, 1000);
	assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/a"), RSC_NOT_FOUND);
	rig_free(g);
}

static void very_many_expire_without_waiting(void **state)
{
	struct rig *g = rig_new();
	uint64_t before;

	(void)state;
	rig_create(g, "CAdmin", "cse-in", TY_CONTAINER, "{'m2m:cnt':{'rn':'a','mia':60}}");
	before = store_count(g->store);
	fill(g, "cse-in/a", 3000, "");
	rig_advance(g, 59000);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/a"), "m2m:cnt.cni", "3000");
	rig_advance(g, 1300); /* and not a tenth of a second for each portion */
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/a"), "m2m:cnt.cni", "0");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/a"), "m2m:cnt.cbs", "0");
	assert_int_equal(store_count(g->store), before);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(container_of_very_many_is_gone_at_once),
		cmocka_unit_test(limit_lowered_by_much_is_reached_in_portions),
		cmocka_unit_test(very_many_expire_without_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
