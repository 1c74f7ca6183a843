/* Attributes that are put together, limits as the attributes say, and patterns. */
#include <string.h>

#include "harness.h"

static void assert_written(const struct attributes *a, const char *json)
{
	struct wr w = wr_new(65536);
	struct rd text;

	attributes_write(a, &w);
	assert_true(wr_done(&w, &text));
	if (!rd_is(text, json))
		fail_msg("%.*s is not %s", (int)text.left, (const char *)text.at, json);
	wr_free(&w);
}

static void values_are_written_and_replaced(void **state)
{
	struct json_arena *arena = json_arena_new();
	char name[8] = "n", text[8] = "a\"\n";
	struct attributes a;
	const struct json *doc;
	struct rd raw;

	(void)state;
	assert_int_equal(json_parse(arena, rd_str("{\"con\":\"x\",\"lbl\":[\"l\"]}"), NULL, &doc), OK);
	attributes_init(&a, arena, doc);
	attributes_set_uint(&a, "st", UINT64_MAX);
	attributes_set_string(&a, name, text);
	strcpy(name, "o"); /* neither the name nor the text is needed any more */
	strcpy(text, "b");
	attributes_set_time(&a, "ct", RIG_START_UNIX + 7);
	attributes_set_bool(&a, "b", true);
	attributes_set_string(&a, "con", "");
	assert_written(&a, "{\"con\":\"\",\"lbl\":[\"l\"],\"st\":18446744073709551615,\"n\":\"a\\\"\\n\",\"ct\":\"20270115T080000,007000\",\"b\":true}");

	attributes_remove(&a, "lbl");
	attributes_forget(&a, "ct");
	attributes_set_uint(&a, "st", 0);
	attributes_set_uint(&a, "n", 10);
	assert_written(&a, "{\"con\":\"\",\"st\":0,\"n\":10,\"b\":true}");
	assert_false(attributes_get(&a, "lbl", &raw));
	attributes_set_raw(&a, "lbl", rd_str("[]"));
	assert_true(attributes_get(&a, "lbl", &raw) && rd_is(raw, "[]"));
	json_arena_free(arena);
}

/* On both sides of the length up to which a string is put together where it stays, and when each octet becomes six. */
static void strings_of_any_length_read_back(void **state)
{
	static const char octets[] = {'x', '\x01', '"'};

	(void)state;
	for (size_t len = 0; len < 400; len++) {
		struct json_arena *arena = json_arena_new();
		struct attributes a;
		char text[400];

		memset(text, octets[len % sizeof octets], len);
		text[len] = '\0';
		attributes_init(&a, arena, NULL);
		attributes_set_string(&a, "n", text);
		assert_true(json_is_string(attributes_value(&a, "n"), text));
		json_arena_free(arena);
	}
}

static const struct limits *limits_of(struct rig *g, const char *address, struct resource **r)
{
	*r = cse_find_address(g->cse, rd_str(address));
	assert_non_null(*r);
	return resource_limits(*r);
}

static void limits_are_as_the_attributes_say(void **state)
{
	struct rig *g = rig_new();
	struct resource *first, *second;
	const struct limits *was, *is;

	(void)state;
	rig_ae(g, "Cae", "ae", "");
	assert_rsc(rig_create(g, "Cae", "cse-in/ae", TY_CONTAINER, "{'m2m:cnt':{'rn':'a','mni':2,'mia':60}}"), RSC_CREATED);
	was = limits_of(g, "cse-in/ae/a", &first);
	assert_int_equal(was->instances, 2);
	assert_true(was->octets == UINT64_MAX);
	assert_int_equal(was->age_s, 60);

	assert_rsc(rig_update(g, "Cae", "cse-in/ae/a", "{'m2m:cnt':{'mni':3,'mbs':9,'mia':null}}"), RSC_UPDATED);
	is = limits_of(g, "cse-in/ae/a", &second);
	assert_int_equal(is->instances, 3);
	assert_int_equal(is->octets, 9);
	assert_true(is->age_s == UINT64_MAX);
	assert_true(first->stale);
	assert_int_equal(was->instances, 2); /* of who still looks at what it was */
	resource_unref(first);
	resource_unref(second);

	assert_rsc(rig_create(g, "Cae", "cse-in/ae/a", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'0123456789'}}"), RSC_NOT_ACCEPTABLE);
	for (int i = 0; i < 5; i++)
		assert_rsc(rig_create(g, "Cae", "cse-in/ae/a", TY_CONTENT_INSTANCE, "{'m2m:cin':{'con':'1'}}"), RSC_CREATED);
	assert_value(rig_retrieve(g, "Cae", "cse-in/ae/a"), "m2m:cnt.cni", "3");
	rig_free(g);
}

static void patterns_match_what_they_say(void **state)
{
	static const struct {
		const char *list, *text;
		bool matches;
	} cases[] = {
		{"2a,3,4,5", "4", true}, {"2a,3,4,5", "2a", true}, {"2a,3,4,5", "5", true}, {"2a,3,4,5", "2", false}, {"2a,3,4,5", "45", false},
		{"2a,3,4,5", "", false}, {"2a, 3", "3", true}, {"", "", false}, {NULL, "x", false}, {"*", "", true}, {"*", "anything", true},
		{"C*,S*", "C", true}, {"C*,S*", "Sx", true}, {"C*,S*", "xC", false}, {"a*b*c", "abc", true}, {"a*b*c", "aXbYbZc", true},
		{"a*b*c", "aXbYcZ", false}, {"*ab", "aab", true}, {"ab**", "ab", true}, {"ab*,", "a", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (cse_list_matches(cases[i].list, cases[i].text) != cases[i].matches)
			fail_msg("\"%s\" and \"%s\"", cases[i].list ? cases[i].list : "nothing", cases[i].text);
	assert_true(cse_pattern_matches("a*,b", "ax,b")); /* no list */
	assert_false(cse_pattern_matches("", "a"));
	assert_true(cse_pattern_matches("", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_written_and_replaced),
		cmocka_unit_test(strings_of_any_length_read_back),
		cmocka_unit_test(limits_are_as_the_attributes_say),
		cmocka_unit_test(patterns_match_what_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
