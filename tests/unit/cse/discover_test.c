/* Discovery over much: it goes on in slices, and others are served meanwhile. */
#include "harness.h"

#include <string.h>

#define MANY 9000
#define SLICES 4 /* after the first: of 2048 each */

static void make(struct rig *g, int type, const char *to, const char *json)
{
	struct onem2m_request rq = {.operation = ONEM2M_CREATE, .type = type, .to = rd_str(to), .rcn = 0};

	rq.content = rd_str(rig_json(g, json));
	assert_rsc(rig_ask(g, rq), RSC_CREATED);
	g->answer_count = 0;
}

static struct rig *rig_with_instances(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "Ca", "a", "");
	make(g, TY_CONTAINER, "cse-in/a", "{'m2m:cnt':{'rn':'c'}}");
	for (unsigned i = 0; i < MANY; i++)
		make(g, TY_CONTENT_INSTANCE, "cse-in/a/c", rig_fmt(g, "{'m2m:cin':{'rn':'i%u','con':'%u','lbl':['l']}}", i, i));
	return g;
}

static uint64_t slices(struct rig *g)
{
	struct cse_counts n;

	cse_counts(g->cse, &n);
	return n.slices;
}

static void assert_in_slices(struct rig *g, const char *query, unsigned expected, const char *found)
{
	uint64_t before = slices(g);
	const struct answer *a = rig_retrieve(g, "Ca", query);

	for (unsigned i = 0; i < expected; i++) {
		assert_false(a->come);
		/* nobody waits for it */
		assert_rsc(rig_retrieve(g, "Ca", "cse-in/a/c/la"), RSC_OK);
		rig_advance(g, 1);
	}
	assert_rsc(a, RSC_OK);
	assert_value(a, "m2m:uril", found);
	assert_int_equal(slices(g) - before, expected);
}

static void looks_at_so_many_in_a_round(void **state)
{
	struct rig *g = rig_with_instances();

	(void)state;
	assert_in_slices(g, "cse-in/a/c?fu=1&con=77", SLICES, "['cse-in/a/c/i77']");
	assert_in_slices(g, "cse-in?fu=1&con=8999", SLICES, "['cse-in/a/c/i8999']");
	assert_in_slices(g, "cse-in/a?fu=1&lbl=l&con=8999", SLICES, "['cse-in/a/c/i8999']");
	/* what has an index does not look at the others, and a full answer is the end */
	assert_in_slices(g, "cse-in?fu=1&ty=3", 0, "['cse-in/a/c']");
	assert_in_slices(g, "cse-in?fu=1&con=77&lim=1", SLICES, "['cse-in/a/c/i77']");
	assert_in_slices(g, "cse-in?fu=1&ty=4&lim=2", 0, "['cse-in/a/c/i0','cse-in/a/c/i1']");
	rig_free(g);
}

static void walks_many_containers_in_order(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a;
	const struct json *list;
	uint64_t before;

	(void)state;
	rig_ae(g, "Ca", "a", "");
	for (unsigned i = 0; i < 1500; i++) {
		make(g, TY_CONTAINER, "cse-in/a", rig_fmt(g, "{'m2m:cnt':{'rn':'c%u','mni':%u}}", i, i % 2 + 1));
		make(g, TY_CONTAINER, rig_fmt(g, "cse-in/a/c%u", i), "{'m2m:cnt':{'rn':'below','mni':2}}");
	}
	before = slices(g);
	a = rig_retrieve(g, "Ca", "cse-in/a?fu=1&mni=2");
	rig_advance(g, 20);
	assert_rsc(a, RSC_OK);
	list = json_get(a->doc, "m2m:uril");
	assert_int_equal(list->count, 2250);
	assert_true(json_is_string(json_at(list, 0), "cse-in/a/c0/below"));
	assert_true(json_is_string(json_at(list, 1), "cse-in/a/c1"));
	assert_true(json_is_string(json_at(list, 2), "cse-in/a/c1/below"));
	assert_true(json_is_string(json_at(list, 2249), "cse-in/a/c1499/below"));
	assert_in_range(slices(g) - before, 5, 7); /* 3000 looked at, 2250 found */
	rig_free(g);
}

static void goes_on_while_things_change(void **state)
{
	struct rig *g = rig_with_instances();
	const struct answer *a = rig_retrieve(g, "Ca", "cse-in/a?fu=1&con=8999");

	(void)state;
	assert_false(a->come);
	make(g, TY_CONTENT_INSTANCE, "cse-in/a/c", "{'m2m:cin':{'con':'new'}}");
	assert_rsc(rig_update(g, "Ca", "cse-in/a", "{'m2m:ae':{'lbl':['x']}}"), RSC_UPDATED);
	assert_rsc(rig_delete(g, "Ca", "cse-in/a/c/i5000"), RSC_DELETED);
	rig_advance(g, 10);
	assert_value(a, "m2m:uril", "['cse-in/a/c/i8999']");
	rig_free(g);
}

static void ends_with_its_target(void **state)
{
	struct rig *g = rig_with_instances();
	const struct answer *a = rig_retrieve(g, "CAdmin", "cse-in/a/c?fu=1&con=8999");

	(void)state;
	assert_false(a->come);
	assert_rsc(rig_delete(g, "Ca", "cse-in/a/c"), RSC_DELETED);
	rig_advance(g, 10);
	assert_rsc(a, RSC_NOT_FOUND);
	rig_free(g);
}

static void ends_with_its_time(void **state)
{
	struct rig *g = rig_with_instances();
	struct onem2m_request rq = {.operation = ONEM2M_RETRIEVE, .from = rd_str("Ca"), .to = rd_str("cse-in/a/c"), .filter = rd_str("fu=1&con=8999"), .rcn = ONEM2M_RCN_ABSENT, .rqet = rd_str("2")};
	const struct answer *a = rig_ask(g, rq);

	(void)state;
	assert_false(a->come);
	rig_advance(g, 10);
	assert_rsc(a, RSC_REQUEST_TIMEOUT);
	rig_free(g);
}

static void ends_with_the_CSE(void **state)
{
	struct rig *g = rig_with_instances();
	const struct answer *a = rig_retrieve(g, "Ca", "cse-in/a/c?fu=1&con=8999");

	(void)state;
	assert_false(a->come);
	rig_free(g);
}

/* ---- an IPE that is asked ---- */

static struct rig *rig_with_ipe(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "Cipe", "ipe", "'poa':['http://ipe'],'lbl':['IPE']");
	rig_hold(g, "http://ipe");
	return g;
}

static void asks_the_IPE_for_what_is_not_there(void **state)
{
	struct rig *g = rig_with_ipe();
	const struct answer *first = rig_retrieve(g, "CAdmin", "cse-in/ipe?fu=3&lbl=lamp&ty=3"), *a;

	(void)state;
	assert_false(first->come);
	assert_json(rig_last_sent(g, "http://ipe")->doc, "m2m:sgn.idr.or", "'CAdmin'");
	assert_json(rig_last_sent(g, "http://ipe")->doc, "m2m:sgn.idr.fc.lbl", "['lamp']");
	make(g, TY_CONTAINER, "cse-in/ipe", "{'m2m:cnt':{'rn':'lamp1','lbl':['lamp']}}");
	make(g, TY_CONTAINER, "cse-in/ipe", "{'m2m:cnt':{'rn':'door'}}");
	a = rig_retrieve(g, "CAdmin", "cse-in/ipe?fu=3&lbl=gate&ty=3");
	rig_reply(g, g->sent_count - 1, RSC_OK, "{'m2m:uril':['cse-in/ipe/lamp1','cse-in/ipe/door','cse-in/ipe/none']}");
	rig_settle(g);
	assert_value(a, "m2m:uril", "[]");
	a = rig_retrieve(g, "CAdmin", "cse-in/ipe?fu=3&rn=d*");
	assert_value(a, "m2m:uril", "['cse-in/ipe/door']");
	/* what it had been asked first */
	rig_reply(g, 0, RSC_OK, "{'m2m:uril':['/id-in/cse-in/ipe/lamp1','cse-in/ipe/door']}");
	rig_settle(g);
	assert_value(first, "m2m:uril", "['cse-in/ipe/lamp1']");
	rig_free(g);
}

static void tells_what_the_IPE_answered(void **state)
{
	struct rig *g = rig_with_ipe();
	const struct answer *a = rig_retrieve(g, "CAdmin", "cse-in/ipe?fu=3&lbl=lamp");

	(void)state;
	make(g, TY_CONTAINER, "cse-in/ipe", "{'m2m:cnt':{'rn':'lamp1','lbl':['lamp']}}");
	rig_reply(g, g->sent_count - 1, RSC_DISCOVERY_DENIED_BY_IPE, "");
	rig_settle(g);
	assert_rsc(a, RSC_DISCOVERY_DENIED_BY_IPE);
	assert_value(rig_retrieve(g, "CAdmin", "cse-in/ipe?fu=3&lbl=lamp"), "m2m:uril", "['cse-in/ipe/lamp1']");
	assert_value(rig_retrieve(g, "CAdmin", "cse-in?fu=3&lbl=nothing"), "m2m:uril", "[]");
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_at_so_many_in_a_round),
		cmocka_unit_test(walks_many_containers_in_order),
		cmocka_unit_test(goes_on_while_things_change),
		cmocka_unit_test(ends_with_its_target),
		cmocka_unit_test(ends_with_its_time),
		cmocka_unit_test(ends_with_the_CSE),
		cmocka_unit_test(asks_the_IPE_for_what_is_not_there),
		cmocka_unit_test(tells_what_the_IPE_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
