/* The JSON reader against hand-made cases and against jansson as its oracle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

bool oracle_accepts(const char *text); /* json_oracle.c */

static const struct {
	const char *text;
	bool good;
} cases[] = {
	{"{}", true}, {"[]", true}, {" [1, 2 ,3] ", true}, {"\"a\\u00e9\\ud83d\\ude00\"", true}, {"-0", true}, {"1e5", true}, {"0.5", true},
	{"{\"a\":{\"b\":[true,false,null]}}", true}, {"\"\xc3\xa9\"", true},
	{"", false}, {"01", false}, {"1.", false}, {".5", false}, {"+1", false}, {"1e", false}, {"[1,]", false}, {"{\"a\":1,}", false},
	{"{\"a\":1,\"a\":2}", false}, {"{a:1}", false}, {"\"\n\"", false}, {"\"\\x\"", false}, {"\"\\ud800\"", false}, {"\"\xc0\x80\"", false},
	{"\"\xed\xa0\x80\"", false}, {"nul", false}, {"true false", false}, {"[", false}, {"\"a", false}, {"{\"a\" 1}", false}, {"--1", false}, {"[1 2]", false},
};

static void accepts_and_refuses_as_jansson_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json_arena *a = json_arena_new();
		const struct json *doc;
		enum err e = json_parse(a, rd_str(cases[i].text), NULL, &doc);

		if ((e == OK) != cases[i].good)
			fail_msg("case %zu: %s: %s", i, cases[i].text, err_text(e));
		assert_int_equal(e == OK, oracle_accepts(cases[i].text));
		json_arena_free(a);
	}
}

/* One piece that is just large enough, where an arena of chunks would take 8 KiB. */
static void an_arena_for_a_text_is_as_large_as_its_tree(void **state)
{
	static const char text[] = " { \"a\" : [ 1 , 2 , {} , [ ] , \"x,[{\" ] , \"b\\n\" : \"\\\"\\u00fc,,,,\" , \"c\" : { \"d\" : null } } ";
	struct json_arena *a = json_arena_for(rd_str(text));
	const struct json *doc;
	size_t nodes = 11, large = 4000;
	struct wr w = wr_new(100000);

	(void)state;
	assert_int_equal(json_parse(a, rd_str(text), NULL, &doc), OK);
	assert_in_range(json_arena_octets(a), nodes * sizeof *doc, (nodes + 3) * (sizeof *doc + sizeof(max_align_t)) + 200);
	json_arena_free(a);
	wr_u8(&w, '[');
	for (size_t i = 0; i < large; i++)
		wr_fmt(&w, "%s%zu", i ? "," : "", i);
	wr_u8(&w, ']');
	a = json_arena_for(rd_of(w.octets, w.len));
	assert_int_equal(json_parse(a, rd_of(w.octets, w.len), NULL, &doc), OK);
	assert_in_range(json_arena_octets(a), large * sizeof *doc, (large + 2) * (sizeof *doc + sizeof(max_align_t)) + 200);
	json_arena_free(a);
	/* what is no JSON has an arena too, and one that was guessed too small grows */
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		a = json_arena_for(rd_str(cases[i].text));
		assert_int_equal(json_parse(a, rd_str(cases[i].text), NULL, &doc) == OK, cases[i].good);
		json_arena_free(a);
	}
	a = json_arena_for(rd_str("1"));
	assert_int_equal(json_parse(a, rd_of(w.octets, w.len), NULL, &doc), OK);
	assert_int_equal(doc->count, large);
	json_arena_free(a);
	wr_free(&w);
}

static void limits_depth(void **state)
{
	char text[200];
	const struct json *doc;
	struct json_arena *a = json_arena_new();

	(void)state;
	memset(text, '[', 100);
	memset(text + 100, ']', 100);
	assert_int_equal(json_parse(a, rd_of(text, 200), NULL, &doc), ERR_TOO_LONG);
	assert_int_equal(json_parse(a, rd_of(text + 100 - JSON_DEPTH_MAX, 2 * JSON_DEPTH_MAX), NULL, &doc), OK);
	json_arena_free(a);
}

static void keeps_numbers_and_resolves_escapes(void **state)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	char text[32];
	int64_t n;
	uint64_t u;
	double d;

	(void)state;
	assert_int_equal(json_parse(a, rd_str("{\"a\":{\"b\":[18446744073709551615,-9223372036854775808,1.50]},\"s\":\"x\\n\\u00e9\"}"), NULL, &doc), OK);
	assert_true(json_uint(json_at(json_path(doc, "a.b"), 0), &u) && u == UINT64_MAX);
	assert_true(json_int(json_at(json_path(doc, "a.b"), 1), &n) && n == INT64_MIN);
	assert_false(json_int(json_at(json_path(doc, "a.b"), 2), &n));
	assert_true(json_double(json_at(json_path(doc, "a.b"), 2), &d) && d > 1.49 && d < 1.51);
	assert_true(rd_is(json_at(json_path(doc, "a.b"), 2)->source, "1.50"));
	assert_true(json_text(json_get(doc, "s"), text, sizeof text));
	assert_string_equal(text, "x\n\xc3\xa9");
	assert_null(json_path(doc, "a.c.d"));
	json_arena_free(a);
}

static void writes_what_it_reads(void **state)
{
	struct wr w = wr_new(1000);
	struct json_out o = json_out(&w);
	struct rd text;
	struct json_arena *a = json_arena_new();
	const struct json *doc;

	(void)state;
	json_object(&o, NULL);
	json_put_string(&o, "s", "q\"\\\x01\n");
	json_array(&o, "l");
	json_put_int(&o, NULL, -5);
	json_put_double(&o, NULL, 21.1);
	json_put_bool(&o, NULL, true);
	json_put_base64(&o, NULL, rd_str("hello"));
	json_close(&o);
	json_close(&o);
	assert_true(wr_done(&w, &text));
	assert_true(rd_is(text, "{\"s\":\"q\\\"\\\\\\u0001\\n\",\"l\":[-5,21.1,true,\"aGVsbG8=\"]}"));
	assert_int_equal(json_parse(a, text, NULL, &doc), OK);
	json_arena_free(a);
	wr_free(&w);
}

static void writes_numbers_as_people_do(void **state)
{
	static const struct { double d; const char *text; } numbers[] = {
		{0, "0"}, {1, "1"}, {10, "10"}, {-10, "-10"}, {1200, "1200"}, {123456, "123456"}, {21.5, "21.5"}, {0.1, "0.1"}, {0.001, "0.001"}, {1e15, "1e+15"}, {1e-5, "1e-05"},
		{-999999999999999, "-999999999999999"}, {1.0 / 3, "0.3333333333333333"}, {1e300, "1e+300"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		uint8_t octets[40];
		struct wr w = wr_of(octets, sizeof octets);
		struct json_out o = json_out(&w);
		struct rd text;

		json_put_double(&o, NULL, numbers[i].d);
		assert_true(wr_done(&w, &text));
		if (!rd_is(text, numbers[i].text))
			fail_msg("%.*s instead of %s", (int)text.left, (const char *)text.at, numbers[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_and_refuses_as_jansson_does),
		cmocka_unit_test(an_arena_for_a_text_is_as_large_as_its_tree),
		cmocka_unit_test(limits_depth),
		cmocka_unit_test(keeps_numbers_and_resolves_escapes),
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(writes_numbers_as_people_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
