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

/* ---- a subtree of very many resources ---- */

#define WIDE 1500 /* containers below one, each third with a container of its own */

static void plain(struct rig *g, int type, const char *to, const char *json)
{
	struct onem2m_request rq = {.operation = ONEM2M_CREATE, .type = type, .to = rd_str(to), .rcn = 0};

	rq.content = rd_str(rig_json(g, json));
	assert_rsc(rig_ask(g, rq), RSC_CREATED);
	g->answer_count = 0;
}

/* cse-in/ae/top/c0 ..., cse-in/ae/top/c0/below ... */
static struct rig *rig_with_subtree(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "Cae", "ae", "");
	plain(g, TY_CONTAINER, "cse-in/ae", "{'m2m:cnt':{'rn':'top'}}");
	for (unsigned i = 0; i < WIDE; i++) {
		plain(g, TY_CONTAINER, "cse-in/ae/top", rig_fmt(g, "{'m2m:cnt':{'rn':'c%u','lbl':['wide']}}", i));
		if (i % 3 == 0)
			plain(g, TY_CONTAINER, rig_fmt(g, "cse-in/ae/top/c%u", i), "{'m2m:cnt':{'rn':'below','lbl':['below']}}");
	}
	return g;
}

static uint64_t slices(struct rig *g)
{
	struct cse_counts n;

	cse_counts(g->cse, &n);
	return n.slices;
}

static void subtree_of_very_many_is_gone_at_once(void **state)
{
	struct rig *g = rig_with_subtree();
	uint64_t whole = store_count(g->store), before;
	const char *child = rig_ri(g, "cse-in/ae/top/c7"), *below = rig_ri(g, "cse-in/ae/top/c9/below");

	(void)state;
	before = slices(g);
	assert_rsc(rig_delete(g, "Cae", "cse-in/ae"), RSC_DELETED);
	assert_int_equal(slices(g), before);
	assert_in_range(store_count(g->store), 1, whole - 1);
	for (int restarted = 0; restarted < 2; restarted++) {
		if (restarted)
			rig_restart(g);
		assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/ae"), RSC_NOT_FOUND);
		assert_rsc(rig_retrieve(g, "CAdmin", "cse-in/ae/top/c7"), RSC_NOT_FOUND);
		assert_rsc(rig_retrieve(g, "CAdmin", child), RSC_NOT_FOUND);
		assert_rsc(rig_retrieve(g, "CAdmin", below), RSC_NOT_FOUND);
		assert_rsc(rig_delete(g, "CAdmin", below), RSC_NOT_FOUND);
		assert_value(rig_retrieve(g, "CAdmin", "cse-in?fu=1&ty=3"), "m2m:uril", "[]");
		assert_value(rig_retrieve(g, "CAdmin", "cse-in?fu=1&lbl=wide+below"), "m2m:uril", "[]");
		assert_int_equal(store_check(g->store, NULL, NULL), OK);
	}
	/* its place is free */
	rig_ae(g, "Cae", "ae", "");
	plain(g, TY_CONTAINER, "cse-in/ae", "{'m2m:cnt':{'rn':'top'}}");
	assert_rsc(rig_retrieve(g, "Cae", "cse-in/ae/top/c7"), RSC_NOT_FOUND);
	rig_advance(g, 1000);
	assert_int_equal(store_count(g->store), whole - WIDE - WIDE / 3);
	assert_rsc(rig_retrieve(g, "Cae", "cse-in/ae/top"), RSC_OK);
	assert_int_equal(store_check(g->store, NULL, NULL), OK);
	rig_free(g);
}

static void subtree_goes_in_portions(void **state)
{
	struct rig *g = rig_with_subtree();
	uint64_t left, before, last;

	(void)state;
	assert_rsc(rig_delete(g, "Cae", "cse-in/ae"), RSC_DELETED);
	last = store_count(g->store);
	before = slices(g);
	do {
		rig_advance(g, 1);
		left = store_count(g->store);
		assert_in_range(last - left, 0, 512);
		last = left;
	} while (slices(g) < before + 10 && left > 10);
	/* 2000 of them by 512, and then nothing any more */
	assert_in_range(slices(g) - before, 4, 6);
	rig_advance(g, 100);
	before = slices(g);
	rig_advance(g, 1000);
	assert_int_equal(slices(g), before);
	rig_free(g);
}

static void each_resource_of_a_subtree_ends_as_by_itself(void **state)
{
	struct rig *g = rig_with_subtree();
	const char *member = rig_ri(g, "cse-in/ae/top/c9/below");

	(void)state;
	plain(g, TY_SUBSCRIPTION, "cse-in/ae/top/c9/below", "{'m2m:sub':{'nu':['http://n'],'su':'http://su','enc':{'net':[2]}}}");
	assert_rsc(rig_create(g, "CAdmin", "cse-in", TY_GROUP, rig_fmt(g, "{'m2m:grp':{'rn':'g','mnm':5,'mid':['%s']}}", member)), RSC_CREATED);
	rig_forget_sent(g);
	assert_rsc(rig_delete(g, "Cae", "cse-in/ae"), RSC_DELETED);
	rig_restart(g);
	rig_advance(g, 1000);
	assert_int_equal(rig_count_sent(g, "http://n"), 1);
	assert_int_equal(rig_count_sent(g, "http://su"), 1);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/g"), "m2m:grp.cnm", "0");
	rig_free(g);
}

/* A transaction that fails after the deletion undoes it, wholly. */
static void subtree_of_a_failed_transaction_stays(void **state)
{
	struct rig *g = rig_with_subtree();
	uint64_t whole;

	(void)state;
	plain(g, TY_CONTAINER, "cse-in/ae", "{'m2m:cnt':{'rn':'other'}}");
	whole = store_count(g->store);
	assert_rsc(rig_create(g, "Cae", "cse-in/ae", TY_TRANSACTION_MGMT,
	    "{'m2m:tram':{'rn':'t','tmh':2,'rqps':[{'op':4,'to':'cse-in/ae/top','rqi':'1'},{'op':3,'to':'cse-in/ae/other','rqi':'2','pc':{'m2m:cnt':{'mni':-1}}}]}}"), RSC_CREATED);
	rig_advance(g, 5000);
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/t"), "m2m:tram.trst", "5");
	assert_rsc(rig_retrieve(g, "Cae", "cse-in/ae/top/c9/below"), RSC_OK);
	assert_in_range(store_count(g->store), whole, whole + 1);
	rig_restart(g);
	rig_advance(g, 5000);
	assert_rsc(rig_retrieve(g, "Cae", "cse-in/ae/top/c9/below"), RSC_OK);
	assert_rsc(rig_create(g, "Cae", "cse-in/ae", TY_TRANSACTION_MGMT, "{'m2m:tram':{'rn':'again','tmh':2,'rqps':[{'op':4,'to':'cse-in/ae/top','rqi':'1'}]}}"), RSC_CREATED);
	rig_advance(g, 5000);
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/again"), "m2m:tram.trst", "4");
	assert_rsc(rig_retrieve(g, "Cae", "cse-in/ae/top/c9/below"), RSC_NOT_FOUND);
	assert_in_range(store_count(g->store), 1, 20);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(container_of_very_many_is_gone_at_once),
		cmocka_unit_test(limit_lowered_by_much_is_reached_in_portions),
		cmocka_unit_test(very_many_expire_without_waiting),
		cmocka_unit_test(subtree_of_very_many_is_gone_at_once),
		cmocka_unit_test(subtree_goes_in_portions),
		cmocka_unit_test(each_resource_of_a_subtree_ends_as_by_itself),
		cmocka_unit_test(subtree_of_a_failed_transaction_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
