/* Filter criteria: content filters and queries on labels. TS-0004 clause 7.3.3.17, TS-0001 annex J.2. */
#include <string.h>

#include "cse/content_query.h"
#include "cse/labels_query.h"
#include "harness.h"

/* 1: it matches, 0: it does not, -1: it is refused. */
static int content(const char *query, const char *text)
{
	struct json_arena *a = json_arena_new();
	const struct content_query *q;
	const struct json *doc;
	const char *why;
	int result = -1;

	assert_int_equal(json_parse(a, rd_str(text), NULL, &doc), OK);
	q = content_query_parse(a, rd_str(query), &why);
	assert_true((q == NULL) == (why != NULL));
	if (q)
		result = content_query_matches(q, doc);
	json_arena_free(a);
	return result;
}

static int labels(const char *query, const char *text)
{
	struct json_arena *a = json_arena_new();
	const struct labels_query *q;
	const struct json *doc = NULL;
	const char *why;
	int result = -1;

	if (text)
		assert_int_equal(json_parse(a, rd_str(text), NULL, &doc), OK);
	q = labels_query_parse(a, rd_str(query), &why);
	assert_true((q == NULL) == (why != NULL));
	if (q)
		result = labels_query_matches(q, doc);
	json_arena_free(a);
	return result;
}

#define ROOM "{\"t\":21.5,\"n\":9007199254740993,\"name\":\"north wing\",\"on\":true,\"a b\":{\"c.d\":[1,{\"e\":\"x\"}]},\"none\":null}"

static void compares_what_a_path_leads_to(void **state)
{
	(void)state;
	assert_int_equal(content("$.t EQ 21.5", ROOM), 1);
	assert_int_equal(content("$.t EQ 2.15e1", ROOM), 1);
	assert_int_equal(content("$.t NE 21.5", ROOM), 0);
	assert_int_equal(content("$.t GT 21", ROOM), 1);
	assert_int_equal(content("$.t GT 21.5", ROOM), 0);
	assert_int_equal(content("$.t GE 21.5", ROOM), 1);
	assert_int_equal(content("$.t LT 21.5", ROOM), 0);
	assert_int_equal(content("$.t LE 21.5", ROOM), 1);
	assert_int_equal(content("$.n GT 9007199254740992", ROOM), 1);
	assert_int_equal(content("$.name EQ \"north wing\"", ROOM), 1);
	assert_int_equal(content("$.name EQ \"north\\u0020wing\"", ROOM), 1);
	assert_int_equal(content("$.name MATCH wing", ROOM), 1);
	assert_int_equal(content("$.name MATCH south", ROOM), 0);
	assert_int_equal(content("$.'a b'.\"c.d\"[1].e EQ x", ROOM), 1);
	assert_int_equal(content("$.'a b'.'c.d'[0] EQ 1", ROOM), 1);
	assert_int_equal(content("$.on EQ true", ROOM), 1);
	assert_int_equal(content("$.on EQ false", ROOM), 0);
	assert_int_equal(content("$ EQ 5", "5"), 1);
	assert_int_equal(content("$[1] GT 3", "[1,4]"), 1);
}

static void does_not_hold_for_what_is_not_there_or_cannot_be_compared(void **state)
{
	(void)state;
	assert_int_equal(content("$.missing EQ 1", ROOM), 0);
	assert_int_equal(content("$.missing NE 1", ROOM), 0);
	assert_int_equal(content("$.'a b'.'c.d'[2] NE 1", ROOM), 0);
	assert_int_equal(content("$.name[0] NE 1", ROOM), 0);
	assert_int_equal(content("$.name GT 1", ROOM), 0);
	assert_int_equal(content("$.none NE 1", ROOM), 0);
	assert_int_equal(content("$.t EQ \"21.5\"", ROOM), 0);
	assert_int_equal(content("$.t NE \"21.5\"", ROOM), 1);
	assert_int_equal(content("$.t MATCH 21", ROOM), 0);
}

static void joins_from_left_to_right(void **state)
{
	(void)state;
	assert_int_equal(content("$.t GT 21 AND $.on EQ true", ROOM), 1);
	assert_int_equal(content("$.t GT 22 OR $.on EQ true", ROOM), 1);
	assert_int_equal(content("$.t GT 22 AND $.on EQ true", ROOM), 0);
	assert_int_equal(content("$.on EQ true OR $.on EQ true AND $.t GT 22", ROOM), 0);
}

static void refuses_what_is_no_content_query(void **state)
{
	static const char *const bad[] = {"", " ", "$", "$.t", "$.t EQ", "$.t EQ ", "t EQ 1", "$t EQ 1", "$. EQ 1", "$.t IS 1", "$.t eq 1", "$.t GT x", "$.t EQ \"x", "$.'t EQ 1",
	    "$[x] EQ 1", "$[-1] EQ 1", "$[0 EQ 1", "$.t EQ 1 AND", "$.t EQ 1 XOR $.t EQ 2", "$.t EQ 1 $.t EQ 2", "$.t EQ 1 AND AND $.t EQ 2", "$.{} EQ 1", "$.t  EQ \"\\x\""};
	char deep[256] = "$", many[2048] = "$.t EQ 1";

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (content(bad[i], ROOM) != -1)
			fail_msg("`%s` was taken", bad[i]);
	for (size_t i = 0; i < CONTENT_QUERY_STEPS_MAX + 1; i++)
		strcat(deep, ".a");
	strcat(deep, " EQ 1");
	assert_int_equal(content(deep, ROOM), -1);
	for (size_t i = 1; i < CONTENT_QUERY_COMPARISONS_MAX; i++)
		strcat(many, " OR $.t EQ 1");
	assert_int_equal(content(many, ROOM), 0);
	strcat(many, " OR $.t EQ 1");
	assert_int_equal(content(many, ROOM), -1);
}

#define LABELS "[\"color:red\",\"color:green\",\"size\",\"where:a:b\"]"

static void compares_labels(void **state)
{
	(void)state;
	assert_int_equal(labels("color", LABELS), 1);
	assert_int_equal(labels("size", LABELS), 1);
	assert_int_equal(labels("colo", LABELS), 0);
	assert_int_equal(labels("NT color", LABELS), 0);
	assert_int_equal(labels("NT shape", LABELS), 1);
	assert_int_equal(labels("NT shape", NULL), 1);
	assert_int_equal(labels("color", NULL), 0);
	assert_int_equal(labels("color EQ red", LABELS), 1);
	assert_int_equal(labels("color:red", LABELS), 1);
	assert_int_equal(labels("color:blue", LABELS), 0);
	assert_int_equal(labels("where EQ a:b", LABELS), 1);
	assert_int_equal(labels("size EQ size", LABELS), 0);
	assert_int_equal(labels("color NE red", LABELS), 0);
	assert_int_equal(labels("color NE blue", LABELS), 1);
	assert_int_equal(labels("size NE blue", LABELS), 0);
	assert_int_equal(labels("color IN (blue, green)", LABELS), 1);
	assert_int_equal(labels("color IN (blue)", LABELS), 0);
	assert_int_equal(labels("color NI (blue,yellow)", LABELS), 1);
	assert_int_equal(labels("color NI (blue,red)", LABELS), 0);
	assert_int_equal(labels("shape, size", LABELS), 1);
	assert_int_equal(labels("shape, color IN (blue, black), NT color", LABELS), 0);
}

static void refuses_what_is_no_query_on_labels(void **state)
{
	static const char *const bad[] = {"", ",", "color,", "NT", "color EQ", "color IS red", "color IN red", "color IN ()", "color IN (red", "color IN (red,)", "color EQ red green", "(color)", "color)"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (labels(bad[i], LABELS) != -1)
			fail_msg("`%s` was taken", bad[i]);
}

/* ---- in requests ---- */

static struct rig *rig_with_instances(void)
{
	struct rig *g = rig_new();

	rig_ae(g, "CAe", "ae", "");
	assert_rsc(rig_create(g, "CAe", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'rn':'c','lbl':['color:red']}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'rn':'warm','cnf':'application/json:0','con':'{\\'t\\':25}'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'rn':'cold','cnf':'application/json:0','con':'{\\'t\\':5}'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'rn':'text','cnf':'text/plain:0','con':'{\\'t\\':25}'}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'rn':'coded','cnf':'application/json:1','con':'eyJ0IjozMH0='}}"), RSC_CREATED);
	assert_rsc(rig_create(g, "CAe", "cse-in/ae/c", TY_CONTENT_INSTANCE, "{'m2m:cin':{'rn':'plain','cnf':'application/json:0','con':{'t':26}}}"), RSC_CREATED);
	return g;
}

static void finds_instances_by_their_content(void **state)
{
	struct rig *g = rig_with_instances();

	(void)state;
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae?fu=1&cfs=1&cfq=%24.t%20GT%2020"), "m2m:uril", "['cse-in/ae/c/warm','cse-in/ae/c/coded','cse-in/ae/c/plain']");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae?fu=1&cfq=%24.t+GT+20"), "m2m:uril", "['cse-in/ae/c/warm','cse-in/ae/c/coded','cse-in/ae/c/plain']");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae?fu=1&cfs=1&cfq=%24.t+LT+20"), "m2m:uril", "['cse-in/ae/c/cold']");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae?fu=1&cfs=1&cfq=%24.t+LT+20&ty=3"), "m2m:uril", "[]");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae?fu=1&cfs=1&cfq=%24.t+LT+20&ty=3&fo=2"), "m2m:uril", "['cse-in/ae/c','cse-in/ae/c/cold']");
	rig_free(g);
}

static void finds_resources_by_their_keys(void **state)
{
	struct rig *g = rig_with_instances();

	(void)state;
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae?fu=1&lbq=color%20EQ%20red"), "m2m:uril", "['cse-in/ae/c']");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae?fu=1&lbq=color+EQ+blue"), "m2m:uril", "[]");
	assert_value(rig_retrieve(g, "CAe", "cse-in/ae?fu=1&ty=3&lbq=NT%20shape"), "m2m:uril", "['cse-in/ae/c']");
	rig_free(g);
}

static void assert_refused(struct rig *g, const char *to, const char *names)
{
	const struct answer *a = rig_retrieve(g, "CAe", to);
	struct rd text;
	char why[256];

	assert_rsc(a, RSC_BAD_REQUEST);
	assert_true(json_string(json_path(a->doc, "m2m:dbg"), &text) && rd_text(text, why, sizeof why));
	if (!strstr(why, names))
		fail_msg("`%s` does not name %s", why, names);
}

static void names_the_criterion_that_it_refuses(void **state)
{
	struct rig *g = rig_with_instances();

	(void)state;
	assert_refused(g, "cse-in/ae?fu=1&cfs=2&cfq=%24.t+GT+20", "`cfs`");
	assert_refused(g, "cse-in/ae?fu=1&cfs=1", "`cfq`");
	assert_refused(g, "cse-in/ae?fu=1&cfs=1&cfq=t+GT+20", "`cfq`");
	assert_refused(g, "cse-in/ae?fu=1&cfs=1&cfs=1&cfq=%24.t+GT+20", "`cfs`");
	assert_refused(g, "cse-in/ae?fu=1&lbq=color+IS+red", "`lbq`");
	assert_refused(g, "cse-in/ae?fu=1&lbq=", "`lbq`");
	rig_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_what_a_path_leads_to),
		cmocka_unit_test(does_not_hold_for_what_is_not_there_or_cannot_be_compared),
		cmocka_unit_test(joins_from_left_to_right),
		cmocka_unit_test(refuses_what_is_no_content_query),
		cmocka_unit_test(compares_labels),
		cmocka_unit_test(refuses_what_is_no_query_on_labels),
		cmocka_unit_test(finds_instances_by_their_content),
		cmocka_unit_test(finds_resources_by_their_keys),
		cmocka_unit_test(names_the_criterion_that_it_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
