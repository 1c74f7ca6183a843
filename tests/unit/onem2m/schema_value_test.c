/* Lexical forms: what each data type accepts and refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "onem2m/schema.h"

struct value_case {
	const char *type;
	const char *good[16], *bad[24]; /* JSON */
};

static const struct value_case cases[] = {
	{"m2m:timestamp",
	 {"\"20240229T000000\"", "\"19700101T235959\"", "\"20991231T120000,1\"", "\"20240101T000000,123456\"", "\"20000229T010101\""},
	 {"\"20230229T000000\"", "\"19000229T000000\"", "\"20240001T000000\"", "\"20241301T000000\"", "\"20240431T000000\"", "\"20240100T000000\"", "\"20240101T240000\"",
	  "\"20240101T006000\"", "\"20240101T000060\"", "\"20240101T000000,\"", "\"20240101T000000.5\"", "\"20240101T000000Z\"", "\"20240101 000000\"", "\"2024-01-01T00:00:00\"",
	  "\"20240101\"", "\"\"", "20240101", "\"20240101T0000000\"", "\"+0240101T000000\"", "null"}},
	{"m2m:absRelTimestamp",
	 {"\"20240229T000000\"", "\"5000\"", "5000", "-1", "\"-5000\"", "0"},
	 {"\"\"", "\"-\"", "\"5s\"", "1.5", "true", "\"20230229T000000\"", "\"PT5S\"", "[]"}},
	{"xs:duration",
	 {"\"PT10S\"", "\"P1Y2M3DT4H5M6.7S\"", "\"P1D\"", "\"-P1M\"", "\"PT0.5S\"", "\"PT36H\"", "\"P1Y\"", "\"PT0S\""},
	 {"\"P\"", "\"PT\"", "\"\"", "\"10\"", "\"P1S\"", "\"PT1D\"", "\"P1DT\"", "\"PT1S1M\"", "\"PT1.5M\"", "\"PT1.S\"", "\"PT.5S\"", "\"P1W\"", "\"P-1D\"", "\"pt1s\"",
	  "\"PT1S \"", "10", "\"P1Y1Y\"", "\"P1\\u0000\""}},
	{"m2m:scheduleEntry",
	 {"\"* * * * * * *\"", "\"0 0 8 * * 1-5 *\"", "\"*/10 0,30 8-17 1 1-12/2 0,6 2024-2026\"", "\"0 0 0 31 12 7 9999\"", "\"59 59 23 1,15,31 1 0 1970\""},
	 {"\"* * * * * *\"", "\"* * * * * * * *\"", "\"60 * * * * * *\"", "\"* 60 * * * * *\"", "\"* * 24 * * * *\"", "\"* * * 0 * * *\"", "\"* * * 32 * * *\"",
	  "\"* * * * 0 * *\"", "\"* * * * 13 * *\"", "\"* * * * * 8 *\"", "\"* * * * * * 1969\"", "\"*  * * * * *\"", "\"5-1 * * * * * *\"", "\"*/0 * * * * * *\"",
	  "\"1, * * * * * *\"", "\"a * * * * * *\"", "\"\"", "\" * * * * * * *\"", "\"* * * * * * * \"", "7"}},
	{"xs:NCName", {"\"a\"", "\"_a-b.c1\"", "\"\xc3\xa4\""}, {"\"\"", "\"1a\"", "\"-a\"", "\"a b\"", "\"a:b\"", "\"a/b\"", "1"}},
	{"xs:token", {"\"a\"", "\"a b\"", "\"k:v\""}, {"\"\"", "\" a\"", "\"a \"", "\"a  b\"", "\"a\\tb\"", "\"a\\n\"", "1"}},
	{"xs:anyURI", {"\"http://h/p?q#f\"", "\"/id-in/x\"", "\"\xc3\xa4\""}, {"\"\"", "\"a b\"", "\"a\\n\"", "\"\\u0000\"", "\"\\u007f\"", "1"}},
	{"m2m:resourceName", {"\"a\"", "\"1.2-3_4~\""}, {"\"\"", "\"a/b\"", "\"\xc3\xa4\"", "\"a b\"", "\"%41\""}},
	{"xs:base64Binary", {"\"\"", "\"QQ==\"", "\"QUI=\"", "\"QUJD\"", "\"+/8=\""}, {"\"QQ\"", "\"QQ=\"", "\"Q===\"", "\"QQ==QQ==\"", "\"Q Q=\"", "\"-_8=\"", "\"====\"", "1"}},
	{"m2m:contentInfo",
	 {"\"application/json:0\"", "\"text/plain:1\"", "\"application/jose:0:1\"", "\"text/plain;charset=utf-8:2:5\""},
	 {"\"application/json\"", "\"json:0\"", "\"application/json:3\"", "\"application/json:0:6\"", "\"application/json:0:\"", "\"/json:0\"", "\"application/:0\"",
	  "\"a/b/c:0\"", "\"application/json:\"", "\"\"", "\"a b/c:0\"", "\"application/json:00\""}},
	{"m2m:ipv4", {"\"0.0.0.0\"", "\"255.255.255.255\"", "\"10.0.0.0/8\"", "\"1.2.3.4/32\""}, {"\"256.0.0.1\"", "\"1.2.3\"", "\"1.2.3.4.5\"", "\"1.2.3.4/33\"", "\"1.2.3.4/\"", "\"\"", "\"a.b.c.d\"", "1"}},
	{"m2m:ipv6",
	 {"\"::\"", "\"::1\"", "\"1::\"", "\"fe80::1/64\"", "\"1:2:3:4:5:6:7:8\"", "\"::ffff:10.0.0.1\"", "\"1:2:3:4:5:6:1.2.3.4\"", "\"2001:db8::/32\"", "\"::/0\"", "\"1:2:3:4:5:6:7::\""},
	 {"\"\"", "\":\"", "\":1\"", "\"1:\"", "\"1::2::3\"", "\"1:2:3:4:5:6:7\"", "\"1:2:3:4:5:6:7:8:9\"", "\"12345::\"", "\"::g\"", "\":::\"", "\"::1/129\"", "\"1:2:3:4:5:6:7:1.2.3.4\"",
	  "\"1:2:3:4:5:6:7:8::\"", "\"1:::2\"", "\"1.2.3.4\"", "\"::1.2.3\""}},
	{"xs:integer", {"0", "-1", "9223372036854775807", "-9223372036854775808"}, {"1.0", "1e2", "\"1\"", "9223372036854775808", "true", "null", "[1]"}},
	{"xs:unsignedInt", {"0", "4294967295"}, {"4294967296", "-1"}},
	{"xs:float", {"0", "1.5", "-1e-3"}, {"\"1.5\"", "null", "true"}},
	{"xs:boolean", {"true", "false"}, {"0", "1", "\"true\"", "null"}},
	{"xs:string", {"\"\"", "\" any \\u0000 thing\""}, {"1", "[]", "{}", "null"}},
	{"xs:anyType", {"1", "\"a\"", "[]", "{\"x\":[null]}", "false"}, {"null"}},
	{"m2m:anyObject", {"{}", "{\"a\":1}"}, {"[]", "1", "null", "\"\""}},
	{"m2m:resourceType", {"1", "66", "10001", "10066"}, {"0", "33", "67", "10006", "\"1\""}},
	{"m2m:memberType", {"0", "3", "20001", "20002"}, {"20003", "-1"}},
	{"m2m:geoCoordinates",
	 {"{\"typ\":1,\"crd\":\"[1,2]\"}", "{\"typ\":1,\"crd\":\"[ -1.5e1 , 2 , 3.25 ]\"}", "{\"typ\":2,\"crd\":\"[[1,2],[3,4]]\"}", "{\"typ\":4,\"crd\":\"[[1,2]]\"}",
	  "{\"typ\":5,\"crd\":\"[[[1,2],[3,4]],[[5,6],[7,8]]]\"}", "{\"typ\":6,\"crd\":\"[[[[0,0],[1,0],[1,1],[0,0]]]]\"}", "{\"typ\":1,\"crd\":[1,2]}", "{\"typ\":3,\"crd\":\"[[0,0],[1,0],[1,1],[0,0]]\"}", "{\"typ\":6,\"crd\":\"[[[0,0],[1,0],[1,1],[0,0]]]\"}",
	  "{\"typ\":3,\"crd\":\"[[[0,0],[9,0],[9,9],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]\"}"},
	 {"{\"typ\":1,\"crd\":\"[1]\"}", "{\"typ\":1,\"crd\":\"[1,2,3,4]\"}", "{\"typ\":1,\"crd\":\"[[1,2]]\"}", "{\"typ\":1,\"crd\":\"\"}", "{\"typ\":1,\"crd\":\"[1,2\"}",
	  "{\"typ\":1,\"crd\":\"[1,2] x\"}", "{\"typ\":1,\"crd\":\"[01,2]\"}", "{\"typ\":1,\"crd\":\"[1.,2]\"}", "{\"typ\":1,\"crd\":\"[\\\"1\\\",2]\"}", "{\"typ\":2,\"crd\":\"[[1,2]]\"}",
	  "{\"typ\":2,\"crd\":\"[1,2]\"}", "{\"typ\":3,\"crd\":\"[[[0,0],[1,0],[0,0]]]\"}", "{\"typ\":3,\"crd\":\"[[[0,0],[1,0],[1,1],[0,1]]]\"}", "{\"typ\":4,\"crd\":\"[]\"}",
	  "{\"typ\":6,\"crd\":\"[[[0,0],[1,0],[1,1],[0,1]]]\"}", "{\"typ\":3,\"crd\":\"[[0,0],[1,0],[1,1]]\"}", "{\"typ\":0,\"crd\":\"[1,2]\"}", "{\"typ\":1,\"crd\":{}}", "{\"crd\":\"[1,2]\"}", "[1,2]"}},
	{"m2m:filterCriteria",
	 {"{}", "{\"fu\":1,\"ty\":[2,3],\"lbl\":[\"a*\"],\"lim\":5,\"lvl\":2,\"fo\":2}", "{\"atr\":[{\"nm\":\"apn\",\"val\":\"x*\"}],\"crb\":\"20240101T000000\"}",
	  "{\"gq\":{\"gmty\":1,\"geom\":\"[1,2]\",\"gsf\":1}}"},
	 {"{\"fu\":4}", "{\"ty\":3}", "{\"atr\":[{\"nm\":\"apn\"}]}", "{\"lvl\":0}", "{\"sza\":-1}", "{\"foo\":1}"}},
	{"m2m:responseTypeInfo", {"{\"rtv\":3}", "{\"rtv\":2,\"nu\":[\"Cx\"]}"}, {"{}", "{\"rtv\":6}", "{\"rtv\":2,\"nu\":\"Cx\"}"}},
	{"m2m:mgmtLinkRef", {"{\"nm\":\"a\",\"typ\":1014,\"val\":\"x\"}"}, {"{\"nm\":\"a\",\"typ\":1}", "{}", "\"x\""}},
};

static void judge(const struct schema_datatype *type, const char *json, bool expected)
{
	struct json_arena *a = json_arena_new();
	struct schema_fault fault;
	const struct json *doc;
	bool ok;

	assert_non_null(a);
	assert_int_equal(json_parse(a, rd_str(json), NULL, &doc), OK);
	ok = schema_check_value(type, doc, "value", &fault);
	if (ok != expected)
		fail_msg("%s %s: %s", type->name, json, ok ? "accepted" : fault.text);
	if (!ok) {
		assert_int_equal(fault.rsc, RSC_BAD_REQUEST);
		assert_int_equal(strncmp(fault.text, "`value", 6), 0);
	}
	json_arena_free(a);
}

static void accepts_the_values_of_each_data_type_and_no_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct schema_datatype *type = schema_datatype(cases[i].type);

		assert_non_null(type);
		for (size_t k = 0; k < 16 && cases[i].good[k]; k++)
			judge(type, cases[i].good[k], true);
		for (size_t k = 0; k < 24 && cases[i].bad[k]; k++)
			judge(type, cases[i].bad[k], false);
	}
}

/* Every prefix of a good fixed-length or closed form is wrong. */
static void refuses_every_prefix(void **state)
{
	static const char *const forms[][2] = {
		{"m2m:timestamp", "20240229T000000"}, {"m2m:scheduleEntry", "* * * * * * 2024"}, {"xs:duration", "P1DT1H"}, {"m2m:contentInfo", "a/b:0"}};

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		for (size_t len = 0; len < strlen(forms[i][1]); len++) {
			char json[64];

			if (strcmp(forms[i][0], "xs:duration") == 0 && len == 3)
				continue; /* P1D is one */
			snprintf(json, sizeof json, "\"%.*s\"", (int)len, forms[i][1]);
			judge(schema_datatype(forms[i][0]), json, false);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_the_values_of_each_data_type_and_no_others),
		cmocka_unit_test(refuses_every_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
