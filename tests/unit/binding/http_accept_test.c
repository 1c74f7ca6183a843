/* Accept: which serialisation an answer gets, and what it is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "binding/http/accept.h"

#define J SERIALIZATION_JSON
#define X SERIALIZATION_XML
#define C SERIALIZATION_CBOR

static const struct {
	const char *fields[3];
	enum serialization preferred;
	const char *type; /* NULL: nothing fits */
	enum serialization s;
} cases[] = {
	{{NULL}, J, "application/json", J},
	{{NULL}, C, "application/cbor", C}, /* no field: as the request came */
	{{""}, X, "application/xml", X},
	{{" , ,"}, X, "application/xml", X},
	{{"*/*"}, J, "application/json", J},
	{{"*/*"}, C, "application/cbor", C},
	{{"*"}, J, "application/json", J},
	{{"application/*"}, X, "application/xml", X},
	{{"application/json"}, C, "application/json", J},
	{{"APPLICATION/Cbor"}, J, "application/cbor", C},
	{{"application/xml;charset=utf-8"}, J, "application/xml", X},
	{{"application/json, application/cbor"}, C, "application/cbor", C}, /* equals: as the request came */
	{{"application/json, application/cbor"}, X, "application/json", J},
	{{"application/json;q=0.5, application/cbor;q=0.6"}, J, "application/cbor", C},
	{{"application/json ; q=0.55 ,application/cbor; Q = 0.549"}, J, "application/json", J},
	{{"application/json;q=0.001, text/html"}, J, "application/json", J},
	{{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, J, "application/xml", X}, /* a browser */
	{{"*/*;q=0.1, application/xml;q=0"}, X, "application/json", J}, /* the more specific one counts */
	{{"application/json;q=0, application/xml;q=0, */*"}, J, "application/cbor", C},
	{{"application/json", "application/cbor;q=0.9"}, J, "application/json", J},
	{{"text/html", "application/cbor;q=0.9"}, J, "application/cbor", C}, /* two fields are one list */
	{{"application/vnd.onem2m-res+xml"}, J, "application/vnd.onem2m-res+xml", X},
	{{"application/vnd.oneM2M-prsp+CBOR;q=0.2"}, J, "application/vnd.onem2m-prsp+cbor", C},
	{{"application/vnd.onem2m-ntfy+json"}, J, "application/json", J},
	{{"application/json;q=0.1, application/vnd.onem2m-res+json"}, J, "application/vnd.onem2m-res+json", J},
	{{"application/json;q=2"}, J, "application/json", J},
	{{"application/json;q=x"}, J, "application/json", J},
	{{"application/json;q=1.5"}, J, "application/json", J},
	{{"text/html"}, J, NULL, J},
	{{"application/json;q=0"}, J, NULL, J},
	{{"application/json;q=0.000"}, J, NULL, J},
	{{"*/*;q=0"}, J, NULL, J},
	{{"application/jsonx, application/, /json, text/*"}, J, NULL, J},
	{{"application/vnd.onem2m-foo+json"}, J, NULL, J},
};

static void chooses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct accept a = {0};
		enum serialization s = cases[i].s;
		const char *type;

		for (size_t f = 0; f < 3 && cases[i].fields[f]; f++)
			accept_add(&a, rd_str(cases[i].fields[f]));
		type = accept_choose(&a, cases[i].preferred, &s);
		if (!cases[i].type != !type)
			fail_msg("case %zu: %s: %s", i, cases[i].fields[0], type ? type : "nothing");
		if (type) {
			assert_string_equal(type, cases[i].type);
			assert_int_equal(s, cases[i].s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(chooses)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
