/* Results with very many children: they are put together in slices, and others are served meanwhile. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#define MANY 3000
#define FEWEST 12 /* slices: 5 looks to list one and 4 to write it, 2048 in each */
#define MOST 15

static void make(struct rig *g, int type, const char *to, const char *json)
{
	struct onem2m_request rq = {.operation = ONEM2M_CREATE, .type = type, .to = rd_str(to), .rcn = 0};

	rq.content = rd_str(rig_json(g, json));
	assert_rsc(rig_ask(g, rq), RSC_CREATED);
	g->answer_count = 0;
}

static struct rig *rig_with_many(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "Ca", "a", "");
	make(g, TY_CONTAINER, "cse-in/a", "{'m2m:cnt':{'rn':'c'}}");
	for (unsigned i = 0; i < MANY; i++)
		make(g, TY_CONTENT_INSTANCE, "cse-in/a/c", rig_fmt(g, "{'m2m:cin':{'rn':'i%u','con':'%u'}}", i, i));
	return g;
}

/* As json_path, with places in arrays. */
static const struct json *at(const struct answer *a, const char *path)
{
	const struct json *v = a->doc;
	struct rd r = rd_str(path), part;

	while (v && r.left > 0) {
		if (!rd_until(&r, '.', &part))
			part = rd_rest(&r);
		v = v->type == JSON_ARRAY ? json_at(v, (size_t)atoi((const char *)part.at)) : json_member(v, part);
	}
	return v;
}
#define assert_at(a, path, expected) assert_json(at(a, path), "", expected)

static uint64_t slices(struct rig *g)
{
	struct cse_counts n;

	cse_counts(g->cse, &n);
	return n.slices;
}

/* The answer, after so many rounds in each of which somebody else was answered at once. */
static const struct answer *in_slices(struct rig *g, const struct answer *a, unsigned fewest, unsigned most)
{
	uint64_t before = slices(g);

	for (unsigned i = 0; i < 100 && !a->come; i++) {
		assert_rsc(rig_retrieve(g, "Ca", "cse-in/a/c/la"), RSC_OK);
		rig_advance(g, 1);
	}
	assert_in_range(slices(g) - before, fewest, most);
	return a;
}

static void lists_and_writes_so_many_in_a_round(void **state)
{
	struct rig *g = rig_with_many();
	const struct answer *a;

	(void)state;
	a = in_slices(g, rig_retrieve(g, "Ca", "cse-in/a?rcn=4"), FEWEST, MOST);
	assert_rsc(a, RSC_OK);
	assert_at(a, "m2m:ae.m2m:cnt.0.rn", "'c'");
	assert_int_equal(at(a, "m2m:ae.m2m:cnt.0.m2m:cin")->count, MANY);
	assert_at(a, "m2m:ae.m2m:cnt.0.m2m:cin.0.rn", "'i0'");
	assert_at(a, "m2m:ae.m2m:cnt.0.m2m:cin.2999.con", "'2999'");
	a = in_slices(g, rig_retrieve(g, "Ca", "cse-in/a?rcn=8"), FEWEST, MOST);
	assert_at(a, "m2m:ae.rn", NULL);
	assert_int_equal(at(a, "m2m:ae.m2m:cnt.0.m2m:cin")->count, MANY);
	/* references are written as they are met */
	a = in_slices(g, rig_retrieve(g, "Ca", "cse-in/a?rcn=5"), 6, 8);
	assert_int_equal(at(a, "m2m:ae.ch")->count, MANY + 1);
	a = in_slices(g, rig_retrieve(g, "Ca", "cse-in/a?rcn=6"), 6, 8);
	assert_int_equal(at(a, "m2m:rrl.rrf")->count, MANY + 1);
	assert_at(a, "m2m:rrl.rrf.3000.val", "'cse-in/a/c/i2999'");
	rig_free(g);
}

static void answers_at_once_what_is_small(void **state)
{
	struct rig *g = rig_with_many();
	const struct answer *a;

	(void)state;
	a = in_slices(g, rig_retrieve(g, "Ca", "cse-in/a/c?rcn=4&lim=2&ofst=1"), 0, 0);
	assert_at(a, "m2m:cnt.m2m:cin.1.rn", "'i2'");
	assert_int_equal(a->cts, 1);
	assert_int_equal(a->cto, 3);
	a = in_slices(g, rig_retrieve(g, "Ca", "cse-in/a?rcn=4&lvl=1"), 0, 0);
	assert_at(a, "m2m:ae.m2m:cnt.0.m2m:cin", NULL);
	a = in_slices(g, rig_retrieve(g, "Ca", "cse-in/a?rcn=4&ty=3"), 0, 0);
	assert_at(a, "m2m:ae.m2m:cnt.0.rn", "'c'");
	rig_free(g);
}

static void nests_in_the_order_of_creation(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a;

	(void)state;
	rig_ae(g, "Ca", "a", "");
	make(g, TY_CONTAINER, "cse-in/a", "{'m2m:cnt':{'rn':'x','lbl':['l']}}");
	make(g, TY_GROUP, "cse-in/a", "{'m2m:grp':{'rn':'g','mnm':3,'mid':[],'lbl':['l']}}");
	make(g, TY_CONTAINER, "cse-in/a", "{'m2m:cnt':{'rn':'y'}}");
	make(g, TY_CONTAINER, "cse-in/a/x", "{'m2m:cnt':{'rn':'x1','lbl':['l']}}");
	make(g, TY_CONTENT_INSTANCE, "cse-in/a/x", "{'m2m:cin':{'rn':'i','con':'1','lbl':['l']}}");
	make(g, TY_CONTAINER, "cse-in/a/y", "{'m2m:cnt':{'rn':'y1'}}");
	make(g, TY_CONTENT_INSTANCE, "cse-in/a/y/y1", "{'m2m:cin':{'rn':'j','con':'2','lbl':['l']}}");
	make(g, TY_CONTAINER, "cse-in/a", "{'m2m:cnt':{'rn':'z','lbl':['l']}}");
	a = rig_retrieve(g, "Ca", "cse-in/a?rcn=8");
	assert_at(a, "m2m:ae.m2m:cnt.0.rn", "'x'");
	assert_at(a, "m2m:ae.m2m:cnt.0.m2m:cnt.0.rn", "'x1'");
	assert_at(a, "m2m:ae.m2m:cnt.0.m2m:cin.0.rn", "'i'");
	assert_at(a, "m2m:ae.m2m:cnt.1.m2m:cnt.0.m2m:cin.0.rn", "'j'");
	assert_at(a, "m2m:ae.m2m:cnt.2.rn", "'z'");
	assert_at(a, "m2m:ae.m2m:grp.0.rn", "'g'");
	/* what does not match leaves no gap: its descendants hang from the nearest that does */
	a = rig_retrieve(g, "Ca", "cse-in/a?rcn=8&lbl=l");
	assert_at(a, "m2m:ae.m2m:cnt.1.rn", "'z'");
	assert_at(a, "m2m:ae.m2m:cnt.2", NULL);
	assert_at(a, "m2m:ae.m2m:cin.0.rn", "'j'");
	assert_at(a, "m2m:ae.m2m:cin.1", NULL);
	assert_at(a, "m2m:ae.m2m:cnt.0.m2m:cin.0.rn", "'i'");
	rig_free(g);
}

static void shows_things_as_they_are_when_they_are_written(void **state)
{
	struct rig *g = rig_new();
	const struct answer *a;
	const struct json *list;

	(void)state;
	rig_ae(g, "Ca", "a", "");
	for (unsigned i = 0; i < 1000; i++)
		make(g, TY_CONTAINER, "cse-in/a", rig_fmt(g, "{'m2m:cnt':{'rn':'c%u'}}", i));
	a = rig_retrieve(g, "Ca", "cse-in/a?rcn=4");
	rig_advance(g, 1);
	rig_advance(g, 1); /* all are listed, some are written */
	assert_false(a->come);
	assert_rsc(rig_delete(g, "Ca", "cse-in/a/c998"), RSC_DELETED);
	assert_rsc(rig_update(g, "Ca", "cse-in/a/c999", "{'m2m:cnt':{'lbl':['new']}}"), RSC_UPDATED);
	rig_advance(g, 20);
	assert_rsc(a, RSC_OK);
	list = at(a, "m2m:ae.m2m:cnt");
	assert_int_equal(list->count, 999);
	assert_at(a, "m2m:ae.m2m:cnt.998.rn", "'c999'");
	assert_at(a, "m2m:ae.m2m:cnt.998.lbl", "['new']");
	rig_free(g);
}

static void ends_with_its_target_its_time_and_the_CSE(void **state)
{
	struct rig *g = rig_with_many();
	struct onem2m_request rq = {.operation = ONEM2M_RETRIEVE, .from = rd_str("Ca"), .to = rd_str("cse-in/a/c"), .filter = rd_str("rcn=4"), .rcn = 4, .rqet = rd_str("2")};
	const struct answer *a = rig_ask(g, rq);

	(void)state;
	assert_false(a->come);
	rig_advance(g, 10);
	assert_rsc(a, RSC_REQUEST_TIMEOUT);
	a = rig_retrieve(g, "CAdmin", "cse-in/a/c?rcn=4");
	assert_false(a->come);
	assert_rsc(rig_delete(g, "Ca", "cse-in/a/c"), RSC_DELETED);
	rig_advance(g, 10);
	assert_rsc(a, RSC_NOT_FOUND);
	rig_free(g);
	g = rig_with_many();
	assert_false(rig_retrieve(g, "Ca", "cse-in/a?rcn=4")->come);
	rig_free(g);
}

static void deletes_when_all_is_put_together(void **state)
{
	struct rig *g = rig_with_many();
	struct onem2m_request rq = {.operation = ONEM2M_DELETE, .from = rd_str("Ca"), .to = rd_str("cse-in/a/c"), .rcn = 4};
	const struct answer *a = in_slices(g, rig_ask(g, rq), FEWEST, MOST + 10); /* the instances go in slices too */

	(void)state;
	assert_rsc(a, RSC_DELETED);
	assert_int_equal(at(a, "m2m:cnt.m2m:cin")->count, MANY);
	assert_rsc(rig_retrieve(g, "Ca", "cse-in/a/c"), RSC_NOT_FOUND);
	rig_free(g);
}

static void refuses_what_is_too_large(void **state)
{
	struct rig *g = rig_new();
	static char text[60001];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	rig_ae(g, "Ca", "a", "");
	make(g, TY_CONTAINER, "cse-in/a", "{'m2m:cnt':{'rn':'c'}}");
	for (unsigned i = 0; i < 290; i++) /* 17 MB */
		make(g, TY_CONTENT_INSTANCE, "cse-in/a/c", rig_fmt(g, "{'m2m:cin':{'con':'%s'}}", text));
	assert_rsc(rig_retrieve(g, "Ca", "cse-in/a/c?rcn=4"), RSC_NOT_ACCEPTABLE);
	assert_rsc(rig_retrieve(g, "Ca", "cse-in/a/c?rcn=4&lim=10"), RSC_OK);
	assert_rsc(rig_retrieve(g, "Ca", "cse-in/a/c?rcn=6"), RSC_OK);
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_and_writes_so_many_in_a_round),
		cmocka_unit_test(answers_at_once_what_is_small),
		cmocka_unit_test(nests_in_the_order_of_creation),
		cmocka_unit_test(shows_things_as_they_are_when_they_are_written),
		cmocka_unit_test(ends_with_its_target_its_time_and_the_CSE),
		cmocka_unit_test(deletes_when_all_is_put_together),
		cmocka_unit_test(refuses_what_is_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
