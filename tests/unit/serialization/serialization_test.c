/* Content in JSON, XML and CBOR: what one becomes in the other, that nothing is lost on the way there and back, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../onem2m/schema_cases.h"
#include "base/bytes.h"
#include "base/rng.h"
#include "json/json.h"
#include "onem2m/schema.h"
#include "serialization/serialization.h"

#define LIMIT ((size_t)4 << 20)
#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define M2M " xmlns:m2m=\"http://www.onem2m.org/xml/protocols\""
#define TYPED " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\""
#define MARKED " xmlns:kw=\"urn:keyway:json\""

/* JSON in these tables is written with ' for ". */
static char *quotes(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	return copy;
}

static bool same_json(struct rd a, struct rd b)
{
	struct json_arena *arena = json_arena_new();
	const struct json *x = NULL, *y = NULL;
	bool same = json_parse(arena, a, NULL, &x) == OK && json_parse(arena, b, NULL, &y) == OK && json_equal(x, y);

	json_arena_free(arena);
	return same;
}

/* In a block of exactly this size, so that the sanitizer sees the first octet too many. */
static enum err to_json(enum serialization s, struct rd in, struct wr *json, char *why)
{
	uint8_t *block = malloc(in.left ? in.left : 1);
	enum err e;

	assert_non_null(block);
	if (in.left)
		memcpy(block, in.at, in.left);
	e = serialization_to_json(s, rd_of(block, in.left), json, why, SERIALIZATION_WHY_SIZE);
	free(block);
	return e;
}

static void becomes(enum serialization s, struct rd in, const char *expected)
{
	struct wr json = wr_new(LIMIT);
	char why[SERIALIZATION_WHY_SIZE], *wanted = quotes(expected);
	struct rd got;

	if (to_json(s, in, &json, why) != OK)
		fail_msg("%s: refused: %s", expected, why);
	assert_true(wr_done(&json, &got));
	if (!same_json(got, rd_str(wanted)))
		fail_msg("%.*s is not %s", (int)got.left, (const char *)got.at, wanted);
	wr_free(&json);
	free(wanted);
}

static void is_refused(enum serialization s, struct rd in, enum err expected, const char *what)
{
	struct wr json = wr_new(LIMIT);
	char why[SERIALIZATION_WHY_SIZE];
	enum err e = to_json(s, in, &json, why);

	if (e != expected)
		fail_msg("%s: %s instead of %s (%.*s)", what, err_name(e), err_name(expected), (int)json.len, (const char *)json.octets);
	assert_true(why[0] != '\0');
	wr_free(&json);
}

/* ---- CBOR ---- */

static size_t octets_of(const char *hex, uint8_t *octets, size_t size)
{
	size_t len;

	assert_true(hex_parse_loose(rd_str(hex), octets, size, &len));
	return len;
}

/* clang-format off */
static const struct {
	const char *hex, *json;
	bool canonical; /* JSON becomes these octets again */
} cbor_good[] = {
	/* TS-0004 V3.32.0 clause 8.5.2, examples 1, 3 and 4 (the octets of the second are not those of its text) */
	{"a6427063a1466d326d3a6165a342726e54536d617274486f6d654170706c69636174696f6e43617069444e6135364361706e47617070313233344274790242746f572f2f6578616d706c652e6e65742f6d6e637365313233344372636e07426f700143727169454131303030",
	 "{'op':1,'to':'//example.net/mncse1234','rqi':'A1000', 'rcn':7,'pc':{'m2m:ae':{'rn':'SmartHomeApplication', 'api':'Na56', 'apn':'app1234'}},'ty':2}", false},
	{"a6427063a1476d326d3a636e74a3436d6e691901f442726e52536d617274486f6d65436f6e7461696e6572436d62731a000186a04274790342746f582c2f2f6578616d706c652e6e65742f6d6e637365313233342f536d617274486f6d654170706c69636174696f6e4372636e07426f700143727169454131303031",
	 "{'op':1,'to':'//example.net/mncse1234/SmartHomeApplication', 'rqi':'A1001','rcn':7,'pc':{'m2m:cnt':{'rn':'SmartHomeContainer','mbs':100000, 'mni':500}},'ty':3}", false},
	{"a3427063a1476d326d3a636e74af436362730042726944636e7431436d6e691901f442637247535f53414832354265744f3230313830353036543135343034384263744f323031363035303654313534303438436d62731a000186a042747903436d6961190e1042737400426c744f32303136303530365431353430343842726e52536d617274486f6d65436f6e7461696e657242706943616531446163706981446163703143636e690043727169454131303031437273631907d1",
	 "{'rsc':2001,'rqi':'A1001','pc':{'m2m:cnt':{'rn':'SmartHomeContainer', 'ty':3,'ri':'cnt1','pi':'ae1','ct':'20160506T154048', 'lt':'20160506T154048','acpi':['acp1'],'et':'20180506T154048','cr':'S_SAH25','st':0,'mni':500,'mbs':100000,'cni':0,'cbs':0,'mia':3600}}}", false},
	/* RFC 8949 appendix A */
	{"00", "0", true}, {"0a", "10", true}, {"17", "23", true}, {"1818", "24", true}, {"1903e8", "1000", true}, {"1a000f4240", "1000000", true},
	{"1b000000e8d4a51000", "1000000000000", true}, {"1bffffffffffffffff", "18446744073709551615", true}, {"3bffffffffffffffff", "-18446744073709551616", false},
	{"20", "-1", true}, {"29", "-10", true}, {"3863", "-100", true}, {"3903e7", "-1000", true},
	{"f90000", "0.0", false}, {"f93c00", "1.0", false}, {"fb3ff199999999999a", "1.1", true}, {"f93e00", "1.5", false}, {"fa47c35000", "100000.0", true},
	{"fa7f7fffff", "3.4028234663852886e+38", true}, {"fb7e37e43c8800759c", "1.0e+300", true}, {"f90001", "5.960464477539063e-8", false},
	{"fbc010666666666666", "-4.1", true}, {"fa3fc00000", "1.5", true},
	{"f4", "false", true}, {"f5", "true", true}, {"f6", "null", true},
	{"60", "''", true}, {"6161", "'a'", true}, {"6449455446", "'IETF'", true}, {"62225c", "'\\\"\\\\'", true}, {"62c3bc", "'\xc3\xbc'", true}, {"64f0908591", "'\xf0\x90\x85\x91'", true},
	{"80", "[]", true}, {"83010203", "[1,2,3]", true}, {"8301820203820405", "[1,[2,3],[4,5]]", true},
	{"a0", "{}", true}, {"a26161016162820203", "{'a':1,'b':[2,3]}", true}, {"826161a161626163", "['a',{'b':'c'}]", true},
	{"5f42010243030405ff", "'\\u0001\\u0002\\u0003\\u0004\\u0005'", false}, {"7f657374726561646d696e67ff", "'streaming'", false}, {"7fff", "''", false},
	{"9fff", "[]", false}, {"9f018202039f0405ffff", "[1,[2,3],[4,5]]", false}, {"83019f0203ff820405", "[1,[2,3],[4,5]]", false},
	{"bf61610161629f0203ffff", "{'a':1,'b':[2,3]}", false}, {"bf6346756ef563416d7421ff", "{'Fun':true,'Amt':-2}", false}, {"a17f6161ff01", "{'a':1}", false},
	{"bfff", "{}", false}, {"a1616180", "{'a':[]}", true},
};
static const struct {
	const char *hex;
	enum err e;
	const char *what;
} cbor_bad[] = {
	{"", ERR_SHORT, "nothing"}, {"c074323031332d30332d32315432303a30343a30305a", ERR_UNSUPPORTED, "a tag"}, {"c249010000000000000000", ERR_UNSUPPORTED, "a bignum"},
	{"f7", ERR_UNSUPPORTED, "undefined"}, {"f0", ERR_MALFORMED, "simple(16)"}, {"f818", ERR_MALFORMED, "simple(24)"},
	{"f97c00", ERR_BAD_VALUE, "infinity"}, {"f97e00", ERR_BAD_VALUE, "NaN"}, {"fbfff0000000000000", ERR_BAD_VALUE, "-infinity"},
	{"4401ff0304", ERR_UNSUPPORTED, "binary"}, {"61ff", ERR_MALFORMED, "no UTF-8"}, {"7f61c361bcff", ERR_MALFORMED, "a character in two parts"},
	{"7f616142ffffff", ERR_UNSUPPORTED, "binary in parts"}, {"7f6161426162ff", ERR_MALFORMED, "parts of two kinds"}, {"7f01ff", ERR_MALFORMED, "a number as part"},
	{"7f7f6161ffff", ERR_MALFORMED, "parts in parts"}, {"7f80ff", ERR_MALFORMED, "a list as part"},
	{"a10102", ERR_MALFORMED, "a number as name"}, {"a18001", ERR_MALFORMED, "a list as name"}, {"a1f601", ERR_MALFORMED, "null as name"}, {"bfa061ff", ERR_MALFORMED, "a map as name"},
	{"a2616101616102", ERR_MALFORMED, "a name twice"}, {"bf6161ff", ERR_MALFORMED, "a name without value"}, {"ff", ERR_MALFORMED, "a break alone"},
	{"8101ff", ERR_MALFORMED, "a break behind"}, {"82ff", ERR_MALFORMED, "a break in a list of two"}, {"0000", ERR_MALFORMED, "two items"}, {"1c", ERR_MALFORMED, "a reserved length"},
	{"9bffffffffffffffff00", ERR_SHORT, "a list that cannot be"}, {"bbffffffffffffffff616100", ERR_SHORT, "a map that cannot be"}, {"5bffffffffffffffff61", ERR_SHORT, "a string that cannot be"},
	{"8181818181818181818181818181818181818181818181818181818181818181818101", ERR_TOO_LONG, "34 levels"},
};
/* clang-format on */

static void reads_cbor(void **state)
{
	uint8_t octets[512];

	(void)state;
	for (size_t i = 0; i < sizeof cbor_good / sizeof cbor_good[0]; i++)
		becomes(SERIALIZATION_CBOR, rd_of(octets, octets_of(cbor_good[i].hex, octets, sizeof octets)), cbor_good[i].json);
}

static void writes_cbor_in_its_shortest_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cbor_good / sizeof cbor_good[0]; i++) {
		char *json = quotes(cbor_good[i].json);
		uint8_t octets[512];
		struct wr out = wr_new(LIMIT);
		struct rd got;

		if (cbor_good[i].canonical) {
			assert_int_equal(serialization_from_json(SERIALIZATION_CBOR, rd_str(json), &out), OK);
			assert_true(wr_done(&out, &got));
			if (!rd_equal(got, rd_of(octets, octets_of(cbor_good[i].hex, octets, sizeof octets))))
				fail_msg("%s is not written as %s", json, cbor_good[i].hex);
		}
		wr_free(&out);
		free(json);
	}
}

static void keeps_the_kind_of_a_number_in_cbor(void **state)
{
	static const uint8_t one[] = {0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0};
	struct wr json = wr_new(64);
	char why[SERIALIZATION_WHY_SIZE];
	struct rd got;

	(void)state;
	assert_int_equal(to_json(SERIALIZATION_CBOR, rd_of(one, sizeof one), &json, why), OK);
	assert_true(wr_done(&json, &got) && rd_is(got, "1.0")); /* not 1: that would be an integer */
	wr_free(&json);
}

static void refuses_cbor_that_json_cannot_say(void **state)
{
	uint8_t octets[512];

	(void)state;
	for (size_t i = 0; i < sizeof cbor_bad / sizeof cbor_bad[0]; i++)
		is_refused(SERIALIZATION_CBOR, rd_of(octets, octets_of(cbor_bad[i].hex, octets, sizeof octets)), cbor_bad[i].e, cbor_bad[i].what);
}

static void refuses_every_prefix_of_cbor(void **state)
{
	uint8_t octets[512];

	(void)state;
	for (size_t i = 0; i < sizeof cbor_good / sizeof cbor_good[0]; i++) {
		size_t len = octets_of(cbor_good[i].hex, octets, sizeof octets);

		for (size_t n = 0; n < len; n++)
			is_refused(SERIALIZATION_CBOR, rd_of(octets, n), ERR_SHORT, cbor_good[i].hex);
	}
}

static void refuses_a_number_that_cbor_cannot_carry(void **state)
{
	struct wr out = wr_new(64);

	(void)state;
	assert_int_equal(serialization_from_json(SERIALIZATION_CBOR, rd_str("[1e400]"), &out), ERR_BAD_VALUE);
	assert_int_equal(serialization_from_json(SERIALIZATION_CBOR, rd_str("[1"), &out), ERR_MALFORMED);
	wr_free(&out);
}

/* ---- XML ---- */

/* clang-format off */
static const struct {
	const char *json, *xml; /* behind HEAD */
} xml_both[] = {
	{"{'m2m:cnt':{'rn':'a','lbl':['x','y'],'mni':10,'disr':false}}", "<m2m:cnt" M2M " rn=\"a\"><lbl>x y</lbl><mni>10</mni><disr>false</disr></m2m:cnt>"},
	{"{'m2m:cnt':{}}", "<m2m:cnt" M2M "></m2m:cnt>"},
	{"{'m2m:grp':{'mnm':null}}", "<m2m:grp" M2M "><mnm/></m2m:grp>"},
	{"{'m2m:cin':{'cnf':'application/xml:1','con':'a<b>&c'}}", "<m2m:cin" M2M "><cnf>application/xml:1</cnf><con>a&lt;b&gt;&amp;c</con></m2m:cin>"},
	{"{'m2m:cin':{'con':'27'}}", "<m2m:cin" M2M "><con>27</con></m2m:cin>"},
	{"{'m2m:cin':{'con':27}}", "<m2m:cin" M2M TYPED "><con xsi:type=\"xs:integer\">27</con></m2m:cin>"},
	{"{'m2m:cin':{'con':''}}", "<m2m:cin" M2M TYPED "><con xsi:type=\"xs:string\"></con></m2m:cin>"},
	{"{'m2m:cin':{'con':true}}", "<m2m:cin" M2M TYPED "><con xsi:type=\"xs:boolean\">true</con></m2m:cin>"},
	{"{'m2m:cin':{'con':{'t':[1,2],'u':5,'v':'5'}}}", "<m2m:cin" M2M TYPED MARKED "><con><t kw:json=\"true\">[1,2]</t><u>5</u><v xsi:type=\"xs:string\">5</v></con></m2m:cin>"},
	{"{'m2m:acp':{'pv':{'acr':[{'acor':['CAe1','all'],'acop':63},{'acor':['*'],'acop':1}]},'pvs':{'acr':[]}}}",
	 "<m2m:acp" M2M MARKED "><pv><acr><acor>CAe1 all</acor><acop>63</acop></acr><acr><acor>*</acor><acop>1</acop></acr></pv><pvs><acr kw:json=\"true\">[]</acr></pvs></m2m:acp>"},
	{"{'m2m:uril':['cse-in/a','cse-in/b']}", "<m2m:uril" M2M ">cse-in/a cse-in/b</m2m:uril>"},
	{"{'m2m:uril':[]}", "<m2m:uril" M2M "/>"},
	{"{'m2m:uri':'cse-in/a'}", "<m2m:uri" M2M ">cse-in/a</m2m:uri>"},
	{"{'m2m:dbg':'it is \\'so\\''}", NULL},
	{"{'m2m:ae':{'ch':[{'nm':'c1','typ':3,'val':'cse-in/a/c1'}]}}", "<m2m:ae" M2M "><ch nm=\"c1\" typ=\"3\">cse-in/a/c1</ch></m2m:ae>"},
	{"{'m2m:cnt':{'rn':'c','m2m:cin':[{'rn':'i','con':'x'}],'m2m:sub':[{},{'nu':['http://a']}]}}",
	 "<m2m:cnt" M2M " rn=\"c\"><m2m:cin rn=\"i\"><con>x</con></m2m:cin><m2m:sub></m2m:sub><m2m:sub><nu>http://a</nu></m2m:sub></m2m:cnt>"},
	{"{'m2m:rce':{'uri':'cse-in/a','m2m:cnt':{'rn':'a'}}}", "<m2m:rce" M2M "><uri>cse-in/a</uri><m2m:cnt rn=\"a\"></m2m:cnt></m2m:rce>"},
	{"{'m2m:sgn':{'sur':'/id-in/s','nev':{'rep':{'m2m:cnt':{'rn':'a','st':3}},'net':1}}}",
	 "<m2m:sgn" M2M "><sur>/id-in/s</sur><nev><rep><m2m:cnt rn=\"a\"><st>3</st></m2m:cnt></rep><net>1</net></nev></m2m:sgn>"},
	{"{'m2m:agn':{'m2m:sgn':[{'sur':'s','vrq':true}]}}", "<m2m:agn" M2M "><m2m:sgn><sur>s</sur><vrq>true</vrq></m2m:sgn></m2m:agn>"},
	{"{'m2m:agr':{'m2m:rsp':[{'rsc':2000,'rqi':'1','pc':{'m2m:cnt':{'rn':'a'}}}]}}",
	 "<m2m:agr" M2M "><m2m:rsp><rsc>2000</rsc><rqi>1</rqi><pc><m2m:cnt rn=\"a\"></m2m:cnt></pc></m2m:rsp></m2m:agr>"},
	{"{'m2m:rqp':{'op':2,'to':'cse-in','fr':'C','rqi':'007','rvi':'3','fc':{'ty':[2,3],'lbl':['a'],'fu':1}}}",
	 "<m2m:rqp" M2M "><op>2</op><to>cse-in</to><fr>C</fr><rqi>007</rqi><rvi>3</rvi><fc><ty>2 3</ty><lbl>a</lbl><fu>1</fu></fc></m2m:rqp>"},
	/* a flexContainer: numbers stay numbers, truth values truth values, and a string that looks like one is marked */
	{"{'cod:tempe':{'cnd':'org.onem2m.common.moduleclass.temperature','curT0':21.5}}",
	 "<cod:tempe" M2M " xmlns:cod=\"http://www.onem2m.org/xml/protocols/cod\"><cnd>org.onem2m.common.moduleclass.temperature</cnd><curT0>21.5</curT0></cod:tempe>"},
	{"{'my:thing':{'cnd':'org.my.thing','n':1,'f':1.50,'b':true,'s':'warm','d':'1','z':null,'lbl':['q']}}",
	 "<my:thing" M2M TYPED " xmlns:my=\"http://www.onem2m.org/xml/protocols/my\"><cnd>org.my.thing</cnd><n>1</n><f>1.50</f><b>true</b><s>warm</s><d xsi:type=\"xs:string\">1</d><z/><lbl>q</lbl></my:thing>"},
	/* what XML's own forms cannot carry */
	{"{'m2m:cnt':{'lbl':['two words']}}", "<m2m:cnt" M2M MARKED "><lbl kw:json=\"true\">[\"two words\"]</lbl></m2m:cnt>"},
	{"{'m2m:cnt':{'lbl':[]}}", "<m2m:cnt" M2M MARKED "><lbl kw:json=\"true\">[]</lbl></m2m:cnt>"},
	{"{'m2m:cin':{'con':'\\u0001'}}", "<m2m:cin" M2M MARKED "><con kw:json=\"true\">\"\\u0001\"</con></m2m:cin>"},
	{"{'m2m:cin':{'con':'\xef\xbf\xbe'}}", "<m2m:cin" M2M MARKED "><con kw:json=\"true\">\"\\ufffe\"</con></m2m:cin>"},
	{"{'m2m:cin':{'con':'a\\r\\nb'}}", "<m2m:cin" M2M "><con>a&#13;\nb</con></m2m:cin>"},
	{"{'m2m:cin':{'con':{'a b':1}}}", "<m2m:cin" M2M MARKED "><con kw:json=\"true\">{\"a b\":1}</con></m2m:cin>"},
	{"{'m2m:cnt':{'loc':{'typ':1,'crd':[8.4,49.0]}}}", "<m2m:cnt" M2M MARKED "><loc><typ>1</typ><crd kw:json=\"true\">[8.4,49.0]</crd></loc></m2m:cnt>"},
	{"{'m2m:cnt':[1]}", "<m2m:cnt" M2M MARKED " kw:json=\"true\">[1]</m2m:cnt>"},
	{"{'m2m:cnt':{'mni':'ten'}}", "<m2m:cnt" M2M "><mni>ten</mni></m2m:cnt>"},
};
/* Documents of others; no HEAD in front. */
static const struct {
	const char *xml, *json;
} xml_read[] = {
	{HEAD "<m2m:rqp" M2M ">\n  <op>1</op>\n  <to>//example.net/myCSE/-/Cont1</to>\n  <fr>/myCSE/C2345</fr>\n  <rqi>0002bf63</rqi>\n  <ty>4</ty>\n  <pc>\n    <m2m:cin>\n"
	 "      <cnf>application/xml:1</cnf>\n      <con>PHRpbWU+</con>\n    </m2m:cin>\n  </pc>\n</m2m:rqp>",
	 "{'m2m:rqp':{'op':1,'to':'//example.net/myCSE/-/Cont1','fr':'/myCSE/C2345','rqi':'0002bf63','ty':4,'pc':{'m2m:cin':{'cnf':'application/xml:1','con':'PHRpbWU+'}}}}"},
	{"<m2m:grp" M2M "><mnm></mnm></m2m:grp>", "{'m2m:grp':{'mnm':null}}"},
	{"<m2m:cnt" M2M " rn=\"x\"> <mni> +007 </mni> <disr>1</disr> <lbl> a\n\tb </lbl> <et> 20300101T000000 </et> </m2m:cnt>",
	 "{'m2m:cnt':{'rn':'x','mni':7,'disr':true,'lbl':['a','b'],'et':'20300101T000000'}}"},
	{"<a:cnt xmlns:a=\"http://www.onem2m.org/xml/protocols\"><lbl>a</lbl><lbl>b</lbl></a:cnt>", "{'m2m:cnt':{'lbl':['a','b']}}"},
	{"<cnt xmlns=\"http://www.onem2m.org/xml/protocols\"><lbl>a</lbl><cin><con>1</con></cin></cnt>", "{'m2m:cnt':{'lbl':['a'],'m2m:cin':[{'con':'1'}]}}"},
	{"<m2m:cin" M2M "><con><![CDATA[<x>]]>&lt;&#x41;</con></m2m:cin>", "{'m2m:cin':{'con':'<x><A'}}"},
	{"<m2m:cin" M2M "><!-- c --><con>  a </con><?p x?></m2m:cin>", "{'m2m:cin':{'con':'  a '}}"},
	{"<m2m:sub" M2M "><enc><net>1</net><net>3</net></enc><nu>http://a http://b</nu></m2m:sub>", "{'m2m:sub':{'enc':{'net':[1,3]},'nu':['http://a','http://b']}}"},
	{"<m2m:cnt" M2M " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"a b\"><mni xsi:nil=\"true\"/></m2m:cnt>", "{'m2m:cnt':{'mni':null}}"},
	{"<hd:binSh xmlns:hd=\"http://www.onem2m.org/xml/protocols/homedomain\"><powSe>true</powSe><n>1</n><n>2</n><o><p>x</p></o></hd:binSh>",
	 "{'hd:binSh':{'powSe':true,'n':[1,2],'o':{'p':'x'}}}"},
	{"<m2m:cnt" M2M "><mni>1</mni><mni>2</mni></m2m:cnt>", "{'m2m:cnt':{'mni':[1,2]}}"},
	{"<m2m:cnt" M2M "><lbl a=\"1\">x</lbl></m2m:cnt>", "{'m2m:cnt':{'lbl':[{'val':'x','a':1}]}}"},
	{"<m2m:tsi" M2M "><con>1</con><dgt>20300101T000000</dgt><snr>3</snr></m2m:tsi>", "{'m2m:tsi':{'con':'1','dgt':'20300101T000000','snr':3}}"},
	{"<m2m:bat" M2M "><btl>-.5e+3</btl></m2m:bat>", "{'m2m:bat':{'btl':-0.5e+3}}"},
	{"<x/>", "{'x':null}"},
};
static const struct {
	const char *xml;
	enum err e;
} xml_bad[] = {
	{"", ERR_MALFORMED}, {" ", ERR_MALFORMED}, {"<m2m:cnt>", ERR_MALFORMED}, {"<m2m:cnt/>", ERR_MALFORMED /* the prefix is not declared */}, {"<a></b>", ERR_MALFORMED},
	{"<!DOCTYPE a><a/>", ERR_UNSUPPORTED}, {"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", ERR_UNSUPPORTED},
	{"<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>", ERR_UNSUPPORTED}, {"<!DOCTYPE a SYSTEM \"http://127.0.0.1:9/a.dtd\"><a/>", ERR_UNSUPPORTED},
	{"<!DOCTYPE a [<!ENTITY l \"lol\"><!ENTITY m \"&l;&l;&l;&l;\"><!ENTITY n \"&m;&m;&m;&m;\">]><a>&n;</a>", ERR_UNSUPPORTED},
	{"<a>&b;</a>", ERR_MALFORMED}, {"<a>\xe4</a>", ERR_MALFORMED}, {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe4</a>", ERR_MALFORMED},
	{"<a><b/>text</a>", ERR_MALFORMED}, {"<a b=\"1\"><b>2</b></a>", ERR_MALFORMED /* twice */}, {"<a/><b/>", ERR_MALFORMED}, {"<a xmlns=\"urn:x\"/>", ERR_UNSUPPORTED},
	{"<a xmlns:kw=\"urn:keyway:json\" kw:json=\"true\">{</a>", ERR_MALFORMED}, {"<a xmlns:kw=\"urn:keyway:json\" kw:json=\"true\">1<b/></a>", ERR_MALFORMED},
	{"<a xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:integer\">x</a>", ERR_BAD_VALUE},
	{"<a xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:duration\">x</a>", ERR_BAD_VALUE},
};
/* clang-format on */

static void writes_xml(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof xml_both / sizeof xml_both[0]; i++) {
		char *json = quotes(xml_both[i].json);
		struct wr out = wr_new(LIMIT);
		struct rd got;

		if (xml_both[i].xml) {
			assert_int_equal(serialization_from_json(SERIALIZATION_XML, rd_str(json), &out), OK);
			assert_true(wr_done(&out, &got) && rd_starts(got, HEAD) && rd_skip(&got, strlen(HEAD)));
			if (!rd_is(got, xml_both[i].xml))
				fail_msg("%s:\n%.*s\n%s", json, (int)got.left, (const char *)got.at, xml_both[i].xml);
		}
		wr_free(&out);
		free(json);
	}
}

static void reads_what_it_writes_in_xml(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof xml_both / sizeof xml_both[0]; i++)
		if (xml_both[i].xml)
			becomes(SERIALIZATION_XML, rd_str(xml_both[i].xml), xml_both[i].json);
}

static void reads_xml_of_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof xml_read / sizeof xml_read[0]; i++)
		becomes(SERIALIZATION_XML, rd_str(xml_read[i].xml), xml_read[i].json);
}

static void refuses_xml_that_is_malformed_or_has_a_dtd(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof xml_bad / sizeof xml_bad[0]; i++)
		is_refused(SERIALIZATION_XML, rd_str(xml_bad[i].xml), xml_bad[i].e, xml_bad[i].xml);
}

static void refuses_every_prefix_of_xml(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof xml_both / sizeof xml_both[0]; i++)
		for (size_t n = 0; xml_both[i].xml && n < strlen(xml_both[i].xml); n++)
			is_refused(SERIALIZATION_XML, rd_of(xml_both[i].xml, n), ERR_MALFORMED, xml_both[i].xml);
}

static void refuses_xml_that_is_deep_or_has_many_elements(void **state)
{
	struct wr w = wr_new(LIMIT);
	struct rd text;

	(void)state;
	for (int i = 0; i < 40; i++)
		wr_str(&w, "<a>");
	for (int i = 0; i < 40; i++)
		wr_str(&w, "</a>");
	assert_true(wr_done(&w, &text));
	is_refused(SERIALIZATION_XML, text, ERR_TOO_LONG, "40 levels");
	wr_reset(&w);
	for (int i = 0; i < 100000; i++)
		wr_str(&w, "<a>");
	assert_true(wr_done(&w, &text));
	is_refused(SERIALIZATION_XML, text, ERR_TOO_LONG, "100000 levels");
	wr_reset(&w);
	wr_str(&w, "<a>");
	for (int i = 0; i < 2000; i++)
		wr_fmt(&w, "<b%d/>", i);
	wr_str(&w, "</a>");
	assert_true(wr_done(&w, &text));
	is_refused(SERIALIZATION_XML, text, ERR_TOO_LONG, "2000 names");
	wr_reset(&w);
	wr_str(&w, "<a>");
	for (int i = 0; i < 250000; i++)
		wr_str(&w, "<b/>");
	wr_str(&w, "</a>");
	assert_true(wr_done(&w, &text));
	is_refused(SERIALIZATION_XML, text, ERR_TOO_LONG, "250000 elements");
	wr_free(&w);
}

static void refuses_json_that_no_document_can_be(void **state)
{
	static const char *const bad[] = {"{}", "{\"a\":1,\"b\":2}", "[]", "1", "{\"a b\":1}", "{\"1\":1}", "{\":a\":1}", "{\"a:\":1}", "{\"xmlns:a\":1}", "{\"kw:a\":1}", "{\"xml:a\":1}"};
	struct wr out = wr_new(LIMIT);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(serialization_from_json(SERIALIZATION_XML, rd_str(bad[i]), &out), ERR_BAD_VALUE);
	assert_int_equal(serialization_from_json(SERIALIZATION_XML, rd_str("{\"a\":"), &out), ERR_MALFORMED);
	wr_free(&out);
}

static void says_when_it_does_not_fit(void **state)
{
	uint8_t room[16];
	char why[SERIALIZATION_WHY_SIZE];
	struct wr small = wr_of(room, sizeof room);

	(void)state;
	assert_int_equal(serialization_from_json(SERIALIZATION_XML, rd_str("{\"m2m:cnt\":{\"rn\":\"a\"}}"), &small), ERR_TOO_LONG);
	small = wr_of(room, sizeof room);
	assert_int_equal(serialization_from_json(SERIALIZATION_CBOR, rd_str("{\"m2m:cnt\":{\"rn\":\"abcdefgh\"}}"), &small), ERR_TOO_LONG);
	small = wr_of(room, sizeof room);
	assert_int_equal(serialization_to_json(SERIALIZATION_XML, rd_str("<m2m:cnt" M2M " rn=\"a\"/>"), &small, why, sizeof why), ERR_TOO_LONG);
	small = wr_of(room, sizeof room);
	assert_int_equal(serialization_to_json(SERIALIZATION_CBOR, rd_of("\x74" "abcdefghijklmnopqrst", 21), &small, why, sizeof why), ERR_TOO_LONG);
}

/* ---- there and back ---- */

static void survives(enum serialization s, struct rd json)
{
	struct wr out = wr_new(LIMIT), again = wr_new(LIMIT);
	char why[SERIALIZATION_WHY_SIZE];
	struct rd octets, text;
	enum err e = serialization_from_json(s, json, &out);

	if (e != OK)
		fail_msg("%.*s: %s", (int)json.left, (const char *)json.at, err_name(e));
	assert_true(wr_done(&out, &octets));
	if (to_json(s, octets, &again, why) != OK)
		fail_msg("%.*s\nas %.*s: %s", (int)json.left, (const char *)json.at, (int)octets.left, (const char *)octets.at, why);
	assert_true(wr_done(&again, &text));
	if (!same_json(json, text))
		fail_msg("%.*s\nas %.*s\nis %.*s", (int)json.left, (const char *)json.at, (int)octets.left, (const char *)octets.at, (int)text.left, (const char *)text.at);
	wr_free(&out);
	wr_free(&again);
}

static void survives_all(struct rd json)
{
	survives(SERIALIZATION_XML, json);
	survives(SERIALIZATION_CBOR, json);
}

static void survives_bodies_that_are_accepted_and_those_that_are_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < schema_case_count; i++) {
		struct wr w = wr_new(65536);
		struct rd json;

		wr_fmt(&w, "{\"%s\":%s}", strchr(schema_cases[i].root, ':') ? schema_cases[i].root : "my:thing", schema_cases[i].body);
		assert_true(wr_done(&w, &json));
		survives_all(json);
		wr_free(&w);
	}
}

/* Strings that are other things in XML, in CBOR, or in a list. */
static const char *const words[] = {"", " ", "a", "a b", " a", "a ", "1", "-0", "1.50", "true", "null", "<a>", "&amp;", "]]>", "\\u0000", "\\u001f", "\\r", "\\n", "\\t", "\\\\", "\\\"",
	"\xc3\xa4", "\xef\xbf\xbe", "\xef\xbf\xbf", "\xf0\x9f\x98\x80", "20300101T000000", "PT1S", "http://a/b?c=d&e", "/id-in/a", "QUJD", "* * * * * * *", "\\u007f", "INF", "NaN", "+1", ".5"};
static const char *const numbers[] = {"0", "1", "-1", "-0", "63", "1e2", "1E-2", "1.50", "9223372036854775807", "-9223372036854775808", "18446744073709551615",
	"123456789012345678901234567890", "0.1", "1e300", "-2.5e-300"};
static const char *const names[] = {"a", "rn", "val", "nm", "lbl", "con", "typ", "1a", "a b", "", "m2m:cin", "m2m:rsp", "x:y", "x:", ":y", "a:b:c", "xml:a", "kw:json", "xmlns", "\xc3\xa4", "ch", "acr", "nev", "pc"};
#define PICK(list, rng) list[rng_below(rng, sizeof(list) / sizeof((list)[0]))]

/* Any value, of at most this depth. */
static void any(struct rng *rng, struct wr *w, unsigned depth)
{
	bool used[sizeof names / sizeof names[0]] = {false};
	uint32_t kind = rng_below(rng, depth ? 8 : 5), count = rng_below(rng, 4), n = 0;

	switch (kind) {
	case 0:
		wr_str(w, "null");
		break;
	case 1:
		wr_str(w, rng_below(rng, 2) ? "true" : "false");
		break;
	case 2:
		wr_str(w, PICK(numbers, rng));
		break;
	case 3:
	case 4:
		wr_fmt(w, "\"%s\"", PICK(words, rng));
		break;
	case 5:
		wr_str(w, "[");
		for (uint32_t i = 0; i < count; i++) {
			wr_str(w, i ? "," : "");
			any(rng, w, depth - 1);
		}
		wr_str(w, "]");
		break;
	default:
		wr_str(w, "{");
		for (uint32_t i = 0; i < count; i++) {
			uint32_t name = rng_below(rng, sizeof names / sizeof names[0]);

			if (used[name])
				continue;
			used[name] = true;
			wr_fmt(w, "%s\"%s\":", n++ ? "," : "", names[name]);
			any(rng, w, depth - 1);
		}
		wr_str(w, "}");
	}
}

/* A value of a data type more often than not. */
static void like(struct rng *rng, struct wr *w, const struct schema_datatype *t, unsigned depth)
{
	uint32_t count = rng_below(rng, 4);
	bool first = true;

	if (depth == 0 || rng_below(rng, 8) == 0) {
		any(rng, w, depth ? 2 : 0);
		return;
	}
	switch (t->kind) {
	case SCHEMA_BOOL:
		wr_str(w, rng_below(rng, 2) ? "true" : "false");
		break;
	case SCHEMA_INTEGER:
	case SCHEMA_FLOAT:
	case SCHEMA_ENUM:
		wr_str(w, PICK(numbers, rng));
		break;
	case SCHEMA_LIST:
		wr_str(w, "[");
		for (uint32_t i = 0; i < count; i++) {
			wr_str(w, i ? "," : "");
			like(rng, w, t->item, depth - 1);
		}
		wr_str(w, "]");
		break;
	case SCHEMA_OBJECT:
	case SCHEMA_GEO:
		wr_str(w, "{");
		for (const struct schema_member *m = t->members; m->name; m++) {
			if (rng_below(rng, 3) == 0)
				continue;
			wr_fmt(w, "%s\"%s\":", first ? "" : ",", m->name);
			first = false;
			like(rng, w, m->type, depth - 1);
		}
		wr_str(w, "}");
		break;
	case SCHEMA_ANY:
	case SCHEMA_ANY_OBJECT:
		any(rng, w, 2);
		break;
	case SCHEMA_STRING:
	case SCHEMA_TOKEN:
	case SCHEMA_NCNAME:
	case SCHEMA_URI:
	case SCHEMA_ID:
	case SCHEMA_RESOURCE_NAME:
	case SCHEMA_STRING_ENUM:
	case SCHEMA_TIMESTAMP:
	case SCHEMA_ABS_REL_TIMESTAMP:
	case SCHEMA_DURATION:
	case SCHEMA_SCHEDULE:
	case SCHEMA_BASE64:
	case SCHEMA_CONTENT_INFO:
	case SCHEMA_IPV4:
	case SCHEMA_IPV6:
		wr_fmt(w, "\"%s\"", PICK(words, rng));
		break;
	}
}

static void survives_every_attribute_of_every_type(void **state)
{
	struct rng rng = rng_seeded(20260101);
	struct wr w = wr_new(LIMIT);

	(void)state;
	for (const struct schema_type *const *t = schema_types(); *t; t++) {
		struct rd json;

		for (int round = 0; round < 8; round++) {
			wr_reset(&w);
			wr_fmt(&w, "{\"%s\":{", (*t)->root ? (*t)->root : "my:thing");
			for (size_t i = 0; i < (*t)->attribute_count; i++) {
				wr_fmt(&w, "%s\"%s\":", i ? "," : "", (*t)->attributes[i].name);
				like(&rng, &w, (*t)->attributes[i].type, 6);
			}
			wr_str(&w, "}}");
			assert_true(wr_done(&w, &json));
			survives_all(json);
		}
	}
	wr_free(&w);
}

static void survives_whatever_has_one_root(void **state)
{
	static const char *const roots[] = {"m2m:cnt", "m2m:rqp", "m2m:rsp", "m2m:sgn", "m2m:agn", "m2m:agr", "m2m:uril", "m2m:uri", "m2m:rrl", "m2m:rce", "m2m:dbg", "m2m:atrl", "my:thing", "bare", "m2m:nothing"};
	struct rng rng = rng_seeded(20260102);
	struct wr w = wr_new(LIMIT);

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct rd json;

		wr_reset(&w);
		wr_fmt(&w, "{\"%s\":", PICK(roots, &rng));
		any(&rng, &w, 5);
		wr_str(&w, "}");
		assert_true(wr_done(&w, &json));
		survives_all(json);
	}
	wr_free(&w);
}

/* ---- media types ---- */

static void knows_its_media_types(void **state)
{
	static const struct {
		const char *type;
		int s; /* or -1 */
	} types[] = {
		{"application/json", SERIALIZATION_JSON}, {"application/xml", SERIALIZATION_XML}, {"application/cbor", SERIALIZATION_CBOR},
		{"Application/JSON; ty=3", SERIALIZATION_JSON}, {"application/cbor;ty=3", SERIALIZATION_CBOR}, {"application/xml ;charset=utf-8", SERIALIZATION_XML},
		{"application/vnd.onem2m-res+json", SERIALIZATION_JSON}, {"application/vnd.onem2m-ntfy+xml", SERIALIZATION_XML},
		{"application/vnd.onem2m-preq+cbor;ty=2", SERIALIZATION_CBOR}, {"application/vnd.oneM2M-prsp+XML", SERIALIZATION_XML},
		{"application/vnd.onem2m-foo+json", -1}, {"application/vnd.onem2m-res", -1}, {"application/vnd.onem2m-res+yaml", -1}, {"application/vnd.onem2m-+json", -1},
		{"text/plain", -1}, {"text/xml", -1}, {"application/jsonx", -1}, {"", -1}, {";", -1}, {"application/*", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		enum serialization s;
		bool known = serialization_of_media_type(rd_str(types[i].type), &s);

		if (known != (types[i].s >= 0) || (known && (int)s != types[i].s))
			fail_msg("%s", types[i].type);
	}
	for (int i = 0; i < SERIALIZATION_COUNT; i++) {
		enum serialization s;

		assert_true(serialization_of_media_type(rd_str(serialization_media_type((enum serialization)i)), &s) && (int)s == i);
		assert_string_equal(serialization_media_type(s) + strlen("application/"), serialization_name(s));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_cbor),
		cmocka_unit_test(writes_cbor_in_its_shortest_form),
		cmocka_unit_test(keeps_the_kind_of_a_number_in_cbor),
		cmocka_unit_test(refuses_cbor_that_json_cannot_say),
		cmocka_unit_test(refuses_every_prefix_of_cbor),
		cmocka_unit_test(refuses_a_number_that_cbor_cannot_carry),
		cmocka_unit_test(writes_xml),
		cmocka_unit_test(reads_what_it_writes_in_xml),
		cmocka_unit_test(reads_xml_of_others),
		cmocka_unit_test(refuses_xml_that_is_malformed_or_has_a_dtd),
		cmocka_unit_test(refuses_every_prefix_of_xml),
		cmocka_unit_test(refuses_xml_that_is_deep_or_has_many_elements),
		cmocka_unit_test(refuses_json_that_no_document_can_be),
		cmocka_unit_test(says_when_it_does_not_fit),
		cmocka_unit_test(survives_bodies_that_are_accepted_and_those_that_are_not),
		cmocka_unit_test(survives_every_attribute_of_every_type),
		cmocka_unit_test(survives_whatever_has_one_root),
		cmocka_unit_test(knows_its_media_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
