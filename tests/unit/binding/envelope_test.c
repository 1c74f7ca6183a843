/* Whole primitives in messages: every parameter, there and back, in each serialisation; and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binding/primitive/envelope.h"
#include "json/json.h"
#include "onem2m/criteria.h"

static char *quotes(const char *text)
{
	char *copy = strdup(text);

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	return copy;
}

static struct envelope *read_json(const char *text)
{
	char *json = quotes(text), why[SERIALIZATION_WHY_SIZE];
	struct envelope *v;

	if (envelope_read(SERIALIZATION_JSON, rd_str(json), &v, why, sizeof why) != OK)
		fail_msg("%s: %s", json, why);
	free(json);
	return v;
}

static void is(struct rd got, const char *expected, int line)
{
	if (!rd_is(got, expected))
		fail_msg("line %d: \"%.*s\" instead of \"%s\"", line, (int)got.left, (const char *)got.at, expected);
}
#define assert_rd(got, expected) is(got, expected, __LINE__)

static const char everything[] =
    "{'op':2,'to':'cse-in/a','fr':'CAe1','rqi':'r1','rvi':'4','vsi':'v','ty':3,'rcn':4,'drt':2,'rt':{'rtv':2,'nu':['http://a/b?c=d','/id-in/x']},"
    "'ot':'20260101T000000','rqet':'20300101T000000','rset':5000,'oet':'0','rp':'PT5M','ec':4,'gid':'g','tkns':['a.b','c'],'tids':['t1','t 2'],'ltids':['l'],"
    "'rids':['ROLE1@x'],'tqi':true,'da':true,'sqi':false,'asi':true,'auri':false,'atrl':['ri','lbl'],"
    "'fc':{'ty':[2,3],'lbl':['a+b','c d'],'crb':'20300101T000000','sts':5,'fu':1,'lim':10,'fo':2,'cfq':'x=y&z','gq':{'gmty':1,'gsf':2,'geom':'[1,2]'},"
    "'atr':[{'nm':'cr','val':'C*'},{'nm':'mni','val':7}],'catr':[{'nm':'rn','val':'x'}],'patr':[{'nm':'st','val':'1'}]},'pc':{'m2m:cnt':{'rn':'\xc3\xa4'}}}";

static void takes_every_parameter_of_a_request(void **state)
{
	struct envelope *v = read_json(everything);

	(void)state;
	assert_string_equal(v->fault, "");
	assert_false(v->is_response || v->rooted);
	assert_rd(v->id, "r1");
	assert_int_equal(v->rq.operation, ONEM2M_RETRIEVE);
	assert_rd(v->rq.to, "cse-in/a");
	assert_rd(v->rq.from, "CAe1");
	assert_rd(v->rq.request_id, "r1");
	assert_rd(v->rq.release, "4");
	assert_rd(v->rq.vendor, "v");
	assert_int_equal(v->rq.type, 3);
	assert_int_equal(v->rq.rcn, 4);
	assert_int_equal(v->rq.drt, 2);
	assert_int_equal(v->rq.rt, ONEM2M_NON_BLOCKING_ASYNCH);
	assert_rd(v->rq.rt_nu, "http://a/b?c=d&/id-in/x");
	assert_rd(v->rq.ot, "20260101T000000");
	assert_rd(v->rq.rqet, "20300101T000000");
	assert_rd(v->rq.rset, "5000");
	assert_rd(v->rq.oet, "0");
	assert_rd(v->rq.rp, "PT5M");
	assert_rd(v->rq.ec, "4");
	assert_rd(v->rq.gid, "g");
	assert_rd(v->rq.tokens, "a.b+c");
	assert_rd(v->rq.token_ids, "t1+t 2");
	assert_rd(v->rq.local_token_ids, "l");
	assert_rd(v->rq.role_ids, "ROLE1@x");
	assert_true(v->rq.token_request);
	assert_rd(v->rq.filter, "rcn=4&drt=2&rp=PT5M&tqi=true&da=true&sqi=false&asi=true&auri=false&rt=2&rids=ROLE1%40x&tids=t1+t%202&ltids=l&atrl=ri+lbl&"
				"ty=2+3&lbl=a%2Bb+c%20d&crb=20300101T000000&sts=5&fu=1&lim=10&fo=2&cfq=x%3Dy%26z&gmty=1&gsf=2&geom=%5B1%2C2%5D&"
				"cr=C*&mni=7&c.rn=x&p.st=1");
	assert_rd(v->rq.content, "{\"m2m:cnt\":{\"rn\":\"\xc3\xa4\"}}");
	assert_string_equal(v->rq.peer, "");
	envelope_free(v);
}

static void writes_what_it_read_in_every_serialisation(void **state)
{
	struct envelope *v = read_json(everything);
	struct wr first = wr_new(ENVELOPE_OUT_MAX);
	struct rd a;

	(void)state;
	assert_int_equal(envelope_write_request(SERIALIZATION_JSON, &v->rq, &first), OK);
	assert_true(wr_done(&first, &a));
	for (int s = 0; s < SERIALIZATION_COUNT; s++) {
		struct wr there = wr_new(ENVELOPE_OUT_MAX), back = wr_new(ENVELOPE_OUT_MAX);
		char why[SERIALIZATION_WHY_SIZE];
		struct envelope *again;
		struct rd octets, b;

		assert_int_equal(envelope_write_request((enum serialization)s, &v->rq, &there), OK);
		assert_true(wr_done(&there, &octets));
		assert_int_equal(envelope_read((enum serialization)s, octets, &again, why, sizeof why), OK);
		assert_string_equal(again->fault, "");
		assert_int_equal(again->rooted, s == SERIALIZATION_XML);
		assert_int_equal(envelope_write_request(SERIALIZATION_JSON, &again->rq, &back), OK);
		assert_true(wr_done(&back, &b));
		if (!rd_equal(a, b))
			fail_msg("%.*s\n%.*s", (int)a.left, (const char *)a.at, (int)b.left, (const char *)b.at);
		envelope_free(again);
		wr_free(&there);
		wr_free(&back);
	}
	wr_free(&first);
	envelope_free(v);
}

static void takes_and_gives_responses(void **state)
{
	const struct envelope_about about = {.id = rd_str("r1"), .to = rd_str("CAe1"), .from = rd_str("/id-in"), .release = rd_str("4"), .vendor = rd_str("v"), .ec = rd_str("2")};
	const struct onem2m_response rsp = {.rsc = RSC_CREATED, .content = rd_str("{\"m2m:cnt\":{\"mni\":3}}"), .ot = rd_str("20260101T000000"), .rset = rd_str("20300101T000000"), .cts = 1, .cto = 7};
	struct wr json = wr_new(65536);
	struct rd text;

	(void)state;
	assert_int_equal(envelope_write_response(SERIALIZATION_JSON, &rsp, &about, &json), OK);
	assert_true(wr_done(&json, &text));
	assert_rd(text, "{\"rsc\":2001,\"rqi\":\"r1\",\"rvi\":\"4\",\"vsi\":\"v\",\"to\":\"CAe1\",\"fr\":\"/id-in\",\"ot\":\"20260101T000000\",\"rset\":\"20300101T000000\","
			"\"ec\":2,\"cnst\":1,\"cnot\":7,\"pc\":{\"m2m:cnt\":{\"mni\":3}}}");
	for (int s = 0; s < SERIALIZATION_COUNT; s++) {
		struct wr out = wr_new(65536);
		char why[SERIALIZATION_WHY_SIZE];
		struct envelope *v;
		struct rd octets;

		assert_int_equal(envelope_write_response((enum serialization)s, &rsp, &about, &out), OK);
		assert_true(wr_done(&out, &octets));
		assert_int_equal(envelope_read((enum serialization)s, octets, &v, why, sizeof why), OK);
		assert_string_equal(v->fault, "");
		assert_true(v->is_response);
		assert_rd(v->id, "r1");
		assert_rd(v->from, "/id-in");
		assert_int_equal(v->rsp.rsc, RSC_CREATED);
		assert_rd(v->rsp.content, "{\"m2m:cnt\":{\"mni\":3}}");
		assert_int_equal(v->rsp.cts, 1);
		assert_int_equal(v->rsp.cto, 7);
		assert_rd(v->rsp.rset, "20300101T000000");
		envelope_free(v);
		wr_free(&out);
	}
	wr_free(&json);
}

static void answer_must_be(const struct onem2m_response *rsp, const char *expected)
{
	const struct envelope_about about = {.id = rd_str("1")};
	struct wr out = wr_new(65536);
	struct rd text;

	assert_int_equal(envelope_write_response(SERIALIZATION_JSON, rsp, &about, &out), OK);
	assert_true(wr_done(&out, &text));
	assert_rd(text, expected);
	wr_free(&out);
}

/* What another CSE answered must not break out of its place in the message. */
static void content_that_is_no_json_leaves_as_a_string(void **state)
{
	static const char *const contents[] = {"{", "{}}", "1,\"rsc\":4000", "text", "{\"a\":1,\"a\":2}", "\"", "{\"a\":\"\xff\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
		const struct onem2m_response rsp = {.rsc = RSC_OK, .content = rd_str(contents[i])};
		const struct envelope_about about = {.id = rd_str("1")};
		struct wr out = wr_new(65536);
		char why[SERIALIZATION_WHY_SIZE];
		struct envelope *v;
		struct rd text;

		assert_int_equal(envelope_write_response(SERIALIZATION_JSON, &rsp, &about, &out), OK);
		assert_true(wr_done(&out, &text));
		assert_int_equal(envelope_read(SERIALIZATION_JSON, text, &v, why, sizeof why), OK);
		assert_int_equal(v->rsp.rsc, RSC_OK);
		assert_rd(v->rsp.content, i + 1 < sizeof contents / sizeof contents[0] ? contents[i] : "{\"a\":\"\xef\xbf\xbd\"}");
		envelope_free(v);
		wr_free(&out);
	}
	answer_must_be(&(const struct onem2m_response){.rsc = RSC_OK, .content = rd_str("{\"a\": 1 }")}, "{\"rsc\":2000,\"rqi\":\"1\",\"pc\":{\"a\": 1 }}");
}

static void composed_content_leaves_as_it_is(void **state)
{
	(void)state;
	answer_must_be(&(const struct onem2m_response){.rsc = RSC_OK, .composed = true, .content = rd_str("{\"a\":1}")}, "{\"rsc\":2000,\"rqi\":\"1\",\"pc\":{\"a\":1}}");
	answer_must_be(&(const struct onem2m_response){.rsc = RSC_OK, .composed = true, .content = rd_of("", 0)}, "{\"rsc\":2000,\"rqi\":\"1\"}");
}

static void what_is_too_long_is_said(void **state)
{
	const struct onem2m_response rsp = {.rsc = RSC_OK, .content = rd_str("\"0123456789\"")};
	const struct envelope_about about = {.id = rd_str("1")};

	(void)state;
	for (int s = 0; s < SERIALIZATION_COUNT; s++) {
		struct wr out = wr_new(12);

		assert_int_equal(envelope_write_response((enum serialization)s, &rsp, &about, &out), ERR_TOO_LONG);
		wr_free(&out);
	}
}

static void takes_a_root_in_json_and_answers_with_one(void **state)
{
	struct envelope *v = read_json("{'m2m:rqp':{'op':2,'to':'cse-in','rqi':'1'}}");
	const struct envelope_about about = {.id = v->id, .rooted = v->rooted};
	struct wr out = wr_new(65536);
	struct rd text;

	(void)state;
	assert_true(v->rooted && !v->is_response && !v->fault[0]);
	assert_int_equal(envelope_write_response(SERIALIZATION_JSON, &(const struct onem2m_response){.rsc = RSC_OK}, &about, &out), OK);
	assert_true(wr_done(&out, &text));
	assert_rd(text, "{\"m2m:rsp\":{\"rsc\":2000,\"rqi\":\"1\"}}");
	envelope_free(v);
	wr_free(&out);
	v = read_json("{'m2m:rsp':{'rsc':2000,'rqi':'1','pc':'text','cts':2,'cto':1}}");
	assert_true(v->rooted && v->is_response && !v->fault[0] && v->rsp.cts == 2);
	assert_rd(v->rsp.content, "text");
	envelope_free(v);
}

static void tells_no_targets_from_no_list_of_targets(void **state)
{
	struct envelope *v = read_json("{'op':2,'to':'a','rqi':'1','rt':{'rtv':2}}");

	(void)state;
	assert_null(v->rq.rt_nu.at);
	envelope_free(v);
	v = read_json("{'op':2,'to':'a','rqi':'1','rt':{'rtv':2,'nu':[]}}");
	assert_non_null(v->rq.rt_nu.at);
	assert_int_equal(v->rq.rt_nu.left, 0);
	envelope_free(v);
}

static void names_the_parameter_that_is_wrong(void **state)
{
	static const char *const cases[][2] = {
		{"{'op':2,'to':'a'}", "`rqi` must be there"}, {"{'op':2,'rqi':'1'}", "`to` must be there"}, {"{'op':0,'to':'a','rqi':'1'}", "`op` must be one of its numbers"},
		{"{'op':6,'to':'a','rqi':'1'}", "`op` must be one of its numbers"}, {"{'op':'2','to':'a','rqi':'1'}", "`op` must be one of its numbers"},
		{"{'op':2,'to':1,'rqi':'1'}", "`to` must be a string"}, {"{'op':2,'to':'a','rqi':1}", "`rqi` must be a string"}, {"{'op':2,'to':'a','rqi':'1','fr':null}", "`fr` must be a string"},
		{"{'op':2,'to':'a','rqi':'1','rcn':-1}", "`rcn` must be one of its numbers"}, {"{'op':2,'to':'a','rqi':'1','rcn':1.0}", "`rcn` must be one of its numbers"},
		{"{'op':1,'to':'a','rqi':'1','ty':0}", "`ty` must be one of its numbers"}, {"{'op':2,'to':'a','rqi':'1','rt':3}", "`rt` must be an object with rtv"},
		{"{'op':2,'to':'a','rqi':'1','rt':{'rtv':6}}", "`rtv` must be one of its numbers"}, {"{'op':2,'to':'a','rqi':'1','rt':{}}", "`rtv` must be there"},
		{"{'op':2,'to':'a','rqi':'1','rt':{'rtv':2,'nu':'x'}}", "`rt.nu` must be a list"}, {"{'op':2,'to':'a','rqi':'1','rids':['a',1]}", "`rids` must be a list of strings without `+`"}, {"{'op':2,'to':'a','rqi':'1','rids':['a+b']}", "`rids` must be a list of strings without `+`"},
		{"{'op':2,'to':'a','rqi':'1','rt':{'rtv':2,'nu':['http://a?b&c']}}", "`rt.nu` must be a list of strings without `&`"},
		{"{'op':2,'to':'a','rqi':'1','fc':1}", "`fc` must be an object of criteria"}, {"{'op':2,'to':'a','rqi':'1','fc':{'lbl':[['a']]}}", "`fc` must be an object of criteria"},
		{"{'op':2,'to':'a','rqi':'1','fc':{'atr':[1]}}", "`fc` must be an object of criteria"}, {"{'op':2,'to':'a','rqi':'1','tqi':1}", "`tqi` must be true or false"},
		{"{'op':2,'to':'a','rqi':'1','sqi':'x'}", "`sqi` must be true or false"}, {"{'op':2,'to':'a','rqi':'1','rqet':[]}", "`rqet` must be a string or a number"},
		{"{'op':2,'to':'a','rqi':'1','atrl':'x'}", "`atrl` must be a list"},
		{"{'rsc':1,'rqi':'1'}", "`rsc` must be a response status code"}, {"{'rsc':'2000','rqi':'1'}", "`rsc` must be a response status code"}, {"{'rsc':2000}", "`rqi` must be there"},
		{"{'rsc':2000,'rqi':'1','cnst':3}", "`cnst` must be one of its numbers"}, {"{'rsc':2000,'rqi':'1','cnst':1,'cnot':'x'}", "`cnot` must be a number"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct envelope *v = read_json(cases[i][0]);

		if (strcmp(v->fault, cases[i][1]) != 0)
			fail_msg("%s: \"%s\" instead of \"%s\"", cases[i][0], v->fault, cases[i][1]);
		envelope_free(v);
	}
}

static void refuses_what_is_no_primitive(void **state)
{
	static const char *const bad[] = {"", "{", "[]", "1", "{}", "{\"a\":1}", "{\"m2m:rqp\":1}", "{\"m2m:rqp\":{}}", "{\"m2m:rsp\":{\"op\":1}}", "{\"m2m:rqp\":{\"rsc\":2000}}"};
	char why[SERIALIZATION_WHY_SIZE];
	struct envelope *v;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why[0] = '\0';
		assert_int_equal(envelope_read(SERIALIZATION_JSON, rd_str(bad[i]), &v, why, sizeof why), ERR_MALFORMED);
		assert_true(why[0] != '\0');
	}
	assert_int_equal(envelope_read(SERIALIZATION_XML, rd_str("<a/>"), &v, why, sizeof why), ERR_MALFORMED);
	assert_int_equal(envelope_read(SERIALIZATION_CBOR, rd_of("\xa1", 1), &v, why, sizeof why), ERR_SHORT);
}

static void writes_a_query_as_criteria(void **state)
{
	static const char *const cases[][2] = {
		{"", "{}"}, {"rcn=4&drt=2&rt=3", "{}"}, {"&&fu=1&", "{\"fc\":{\"fu\":1}}"}, {"fu", "{\"fc\":{\"fu\":\"\"}}"},
		{"lbl=a+b&lbl=c", "{\"fc\":{\"lbl\":[\"a\",\"b\",\"c\"]}}"}, {"ty=2+3&ty=x", "{\"fc\":{\"ty\":[2,3,\"x\"]}}"}, {"lim=5&lim=6", "{\"fc\":{\"lim\":5}}"},
		{"a%20b=1", "{\"fc\":{\"atr\":[{\"nm\":\"a b\",\"val\":\"1\"}]}}"}, {"c.x=1&p.y=2&z=3", "{\"fc\":{\"atr\":[{\"nm\":\"z\",\"val\":\"3\"}],\"catr\":[{\"nm\":\"x\",\"val\":\"1\"}],\"patr\":[{\"nm\":\"y\",\"val\":\"2\"}]}}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wr w = wr_new(4096);
		struct json_out o = json_out(&w);
		struct rd text;

		json_object(&o, NULL);
		assert_true(criteria_from_query(rd_str(cases[i][0]), &o));
		json_close(&o);
		assert_true(wr_done(&w, &text));
		assert_rd(text, cases[i][1]);
		wr_free(&w);
	}
}

static void refuses_a_query_with_a_broken_escape(void **state)
{
	static const char *const bad[] = {"lbl=%", "lbl=%2", "lbl=%zz", "x=%g0", "atrl=%0", "gmty=%"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const struct onem2m_request rq = {.operation = ONEM2M_RETRIEVE, .to = rd_str("a"), .rcn = ONEM2M_RCN_ABSENT, .filter = rd_str(bad[i])};
		struct wr w = wr_new(4096);

		assert_int_equal(envelope_write_request(SERIALIZATION_JSON, &rq, &w), ERR_BAD_VALUE);
		wr_free(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_parameter_of_a_request),
		cmocka_unit_test(writes_what_it_read_in_every_serialisation),
		cmocka_unit_test(takes_and_gives_responses),
		cmocka_unit_test(content_that_is_no_json_leaves_as_a_string),
		cmocka_unit_test(composed_content_leaves_as_it_is),
		cmocka_unit_test(what_is_too_long_is_said),
		cmocka_unit_test(takes_a_root_in_json_and_answers_with_one),
		cmocka_unit_test(tells_no_targets_from_no_list_of_targets),
		cmocka_unit_test(names_the_parameter_that_is_wrong),
		cmocka_unit_test(refuses_what_is_no_primitive),
		cmocka_unit_test(writes_a_query_as_criteria),
		cmocka_unit_test(refuses_a_query_with_a_broken_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
