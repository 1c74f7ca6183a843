/* Primitives as CoAP messages and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binding/coap/coap_primitive.h"

static struct coap_message m;
static struct coap_primitive p;
static const char *why;
static enum serialization form;

static void begin(uint8_t code)
{
	m = (struct coap_message){.type = COAP_CON, .code = code};
}

static void add(uint16_t number, const char *text)
{
	assert_true(coap_option_add(&m, number, rd_str(text)));
}

/* Read as the endpoint hands it on: in order. */
static enum onem2m_rsc read_it(void)
{
	uint8_t octets[4096];
	struct wr w = wr_of(octets, sizeof octets);
	struct coap_message again;
	enum onem2m_rsc rsc;

	assert_int_equal(coap_message_encode(&m, &w), OK);
	assert_int_equal(coap_message_decode(rd_of(octets, w.len), &again), OK);
	rsc = coap_request_read(&again, &p, &why);
	memset(octets, 'X', sizeof octets); /* nothing is borrowed from the message */
	return rsc;
}

static void reads_every_parameter(void **state)
{
	static const struct {
		uint16_t number;
		const char *text;
		size_t offset;
	} rows[] = {
		{COAP_ONEM2M_OT, "20261121T072556", offsetof(struct onem2m_request, ot)}, {COAP_ONEM2M_RTURI, "http://x/y&coap://z", offsetof(struct onem2m_request, rt_nu)},
		{COAP_ONEM2M_RVI, "4", offsetof(struct onem2m_request, release)}, {COAP_ONEM2M_FR, "CAdmin", offsetof(struct onem2m_request, from)},
		{COAP_ONEM2M_RQI, "r1", offsetof(struct onem2m_request, request_id)}, {COAP_ONEM2M_RQET, "5000", offsetof(struct onem2m_request, rqet)},
		{COAP_ONEM2M_RSET, "PT5S", offsetof(struct onem2m_request, rset)}, {COAP_ONEM2M_OET, "100", offsetof(struct onem2m_request, oet)},
		{COAP_ONEM2M_GID, "g", offsetof(struct onem2m_request, gid)}, {COAP_ONEM2M_VSI, "v", offsetof(struct onem2m_request, vendor)},
	};

	(void)state;
	begin(COAP_GET);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		add(rows[i].number, rows[i].text);
	add(COAP_ONEM2M_EC, "\x04");
	add(COAP_URI_QUERY, "rcn=4");
	add(COAP_URI_QUERY, "drt=2");
	assert_int_equal(read_it(), RSC_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_true(rd_is(*(struct rd *)(void *)((char *)&p.rq + rows[i].offset), rows[i].text));
	assert_true(rd_is(p.rq.ec, "4"));
	assert_int_equal(p.rq.operation, ONEM2M_RETRIEVE);
	assert_true(p.rq.rcn == 4 && p.rq.drt == 2);
	assert_true(rd_is(p.rq.filter, "rcn=4&drt=2"));
	coap_request_clear(&p);
}

static void tells_operations_apart(void **state)
{
	static const struct {
		uint8_t code;
		const char *ty, *op;
		int operation; /* 0: refused */
	} rows[] = {
		{COAP_GET, NULL, NULL, ONEM2M_RETRIEVE}, {COAP_PUT, NULL, NULL, ONEM2M_UPDATE}, {COAP_DELETE, NULL, NULL, ONEM2M_DELETE},
		{COAP_POST, NULL, NULL, ONEM2M_NOTIFY}, {COAP_POST, "\x03", NULL, ONEM2M_CREATE}, {COAP_POST, NULL, "op=2", ONEM2M_RETRIEVE},
		{COAP_POST, NULL, "op=4", ONEM2M_DELETE}, {COAP_POST, "\x03", "op=1", ONEM2M_CREATE}, {COAP_POST, NULL, "op=6", 0}, {COAP_POST, NULL, "op=", 0},
		{COAP_CODE(0, 5), NULL, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		begin(rows[i].code);
		add(COAP_ONEM2M_RQI, "1");
		if (rows[i].ty)
			add(COAP_ONEM2M_TY, rows[i].ty);
		if (rows[i].op)
			add(COAP_URI_QUERY, rows[i].op);
		assert_int_equal(read_it() == RSC_OK, rows[i].operation != 0);
		if (rows[i].operation)
			assert_int_equal(p.rq.operation, rows[i].operation);
		assert_int_equal(p.rq.filter.left, 0); /* op is no filter */
		coap_request_clear(&p);
	}
}

static void reads_addresses(void **state)
{
	static const struct {
		const char *segments[5], *to;
	} rows[] = {
		{{"cse-in", "ae", "cnt"}, "cse-in/ae/cnt"}, {{"~", "id-in", "cse-in"}, "/id-in/cse-in"}, {{"_", "sp.example", "id-in", "x"}, "//sp.example/id-in/x"},
		{{"-"}, "-"}, {{"cse-in", "", ""}, "cse-in"}, {{"~", "id-in", ""}, "/id-in"}, {{"cse-in", "", "x"}, "cse-in//x"}, {{NULL}, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		begin(COAP_GET);
		add(COAP_ONEM2M_RQI, "1");
		for (size_t k = 0; rows[i].segments[k]; k++)
			add(COAP_URI_PATH, rows[i].segments[k]);
		assert_int_equal(read_it(), RSC_OK);
		assert_true(rd_is(p.rq.to, rows[i].to));
		coap_request_clear(&p);
	}
	begin(COAP_GET);
	add(COAP_ONEM2M_RQI, "1");
	add(COAP_URI_PATH, "cse-in/x"); /* would name another resource */
	assert_int_equal(read_it(), RSC_BAD_REQUEST);
	coap_request_clear(&p);
	begin(COAP_GET);
	add(COAP_ONEM2M_RQI, "1");
	add(COAP_URI_PATH, ""); /* and this another kind of address */
	add(COAP_URI_PATH, "id-in");
	assert_int_equal(read_it(), RSC_BAD_REQUEST);
	coap_request_clear(&p);
}

static void escapes_the_query_as_a_filter_has_it(void **state)
{
	(void)state;
	begin(COAP_GET);
	add(COAP_ONEM2M_RQI, "1");
	add(COAP_URI_QUERY, "lbl=a b+c");
	add(COAP_URI_QUERY, "rn=x&y=1%");
	assert_int_equal(read_it(), RSC_OK);
	assert_true(rd_is(p.rq.filter, "lbl=a%20b+c&rn=x%26y=1%25"));
	coap_request_clear(&p);
}

static void refuses_what_is_missing_or_of_another_format(void **state)
{
	(void)state;
	begin(COAP_GET);
	assert_int_equal(read_it(), RSC_BAD_REQUEST); /* no request identifier */
	coap_request_clear(&p);
	begin(COAP_GET);
	add(COAP_ONEM2M_RQI, "1");
	add(COAP_URI_QUERY, "rcn=x");
	assert_int_equal(read_it(), RSC_BAD_REQUEST);
	coap_request_clear(&p);
	begin(COAP_PUT);
	add(COAP_ONEM2M_RQI, "1");
	add(COAP_CONTENT_FORMAT, "\x2a"); /* octets */
	m.payload = rd_str("{}");
	assert_int_equal(read_it(), RSC_UNSUPPORTED_MEDIA_TYPE);
	assert_true(rd_is(p.rq.request_id, "1")); /* an answer repeats it */
	coap_request_clear(&p);
	begin(COAP_GET);
	add(COAP_ONEM2M_RQI, "1");
	add(COAP_ACCEPT, "\x2a");
	assert_int_equal(read_it(), RSC_NOT_ACCEPTABLE);
	coap_request_clear(&p);
}

static void reads_content_in_each_serialisation(void **state)
{
	static const struct {
		const char *format, *content;
		size_t left;
		enum serialization s;
	} rows[] = {
		{"\x32", "{\"m2m:cnt\":{\"mni\":3}}", 21, SERIALIZATION_JSON}, {"\x3c", "\xa1\x67m2m:cnt\xa1\x63mni\x03", 15, SERIALIZATION_CBOR},
		{"\x27\x1a", "\xa1\x67m2m:cnt\xa1\x63mni\x03", 15, SERIALIZATION_CBOR},
		{"\x29", "<m2m:cnt xmlns:m2m=\"http://www.onem2m.org/xml/protocols\"><mni>3</mni></m2m:cnt>", 79, SERIALIZATION_XML},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		begin(COAP_PUT);
		add(COAP_ONEM2M_RQI, "1");
		add(COAP_CONTENT_FORMAT, rows[i].format);
		m.payload = rd_of(rows[i].content, rows[i].left);
		assert_int_equal(read_it(), RSC_OK);
		assert_true(rd_is(p.rq.content, rows[0].content));
		assert_int_equal(p.answer_in, rows[i].s); /* as it came */
		coap_request_clear(&p);
		assert_true(coap_format_parse(coap_format_of(rows[i].s), &form) && form == rows[i].s);
	}
	begin(COAP_PUT);
	add(COAP_ONEM2M_RQI, "1");
	add(COAP_CONTENT_FORMAT, "\x3c");
	add(COAP_ACCEPT, "\x29");
	m.payload = rd_of("\xa1\x67m2m", 5); /* cut off */
	assert_int_equal(read_it(), RSC_BAD_REQUEST);
	assert_int_equal(p.answer_in, SERIALIZATION_XML);
	coap_request_clear(&p);
}

/* The value of the first one; its length is SIZE_MAX when there is none. */
static struct rd option(const struct coap_options *o, uint16_t number)
{
	for (size_t i = 0; i < o->count; i++)
		if (o->list[i].number == number)
			return o->list[i].value;
	return (struct rd){(const uint8_t *)"", SIZE_MAX};
}

/* TS-0008 table 6.2.4-1, as shared by the conformance suite: every code that exists. */
static void has_a_code_for_each_response(void **state)
{
	static const struct {
		enum onem2m_rsc rsc;
		uint8_t code;
	} rows[] = {
		{RSC_ACCEPTED_SYNCH, COAP_CODE(2, 1)}, {RSC_OK, COAP_CODE(2, 5)}, {RSC_CREATED, COAP_CODE(2, 1)}, {RSC_DELETED, COAP_CODE(2, 2)},
		{RSC_UPDATED, COAP_CODE(2, 4)}, {RSC_BAD_REQUEST, COAP_CODE(4, 0)}, {RSC_RELEASE_VERSION_NOT_SUPPORTED, COAP_CODE(5, 1)},
		{RSC_NOT_FOUND, COAP_CODE(4, 4)}, {RSC_OPERATION_NOT_ALLOWED, COAP_CODE(4, 5)}, {RSC_REQUEST_TIMEOUT, COAP_CODE(5, 4)},
		{RSC_UNSUPPORTED_MEDIA_TYPE, COAP_CODE(4, 15)}, {RSC_ORIGINATOR_HAS_NO_PRIVILEGE, COAP_CODE(4, 3)},
		{RSC_GROUP_REQUEST_IDENTIFIER_EXISTS, COAP_CODE(4, 0)}, {RSC_CONFLICT, COAP_CODE(4, 3)}, {RSC_INVALID_SEMANTICS, COAP_CODE(4, 2)},
		{RSC_INVALID_TRIGGER_PURPOSE, COAP_CODE(4, 2)}, {RSC_BLOCKING_SUBSCRIPTION_ALREADY_EXISTS, COAP_CODE(4, 0)}, {RSC_INTERNAL_SERVER_ERROR, COAP_CODE(5, 0)},
		{RSC_TARGET_NOT_REACHABLE, COAP_CODE(4, 4)}, {RSC_ALREADY_EXISTS, COAP_CODE(4, 0)}, {RSC_NOT_ACCEPTABLE, COAP_CODE(4, 6)},
		{RSC_ALREADY_COMPLETE, COAP_CODE(4, 0)}, {RSC_EXTERNAL_OBJECT_NOT_REACHABLE_BEFORE_RQET_TIMEOUT, COAP_CODE(5, 4)},
	};
	const struct onem2m_request asked = {.operation = ONEM2M_RETRIEVE}, notify = {.operation = ONEM2M_NOTIFY};
	struct coap_options o;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(coap_response_write(&(const struct onem2m_response){.rsc = rows[i].rsc}, &asked, SERIALIZATION_JSON, &o), rows[i].code);
	assert_int_equal(coap_response_write(&(const struct onem2m_response){.rsc = RSC_OK}, &notify, SERIALIZATION_JSON, &o), COAP_CODE(2, 4));
	assert_int_equal(coap_response_write(&(const struct onem2m_response){.rsc = RSC_ACCEPTED_ASYNCH}, &asked, SERIALIZATION_JSON, &o), COAP_CODE(2, 4));
	assert_int_equal(coap_response_write(&(const struct onem2m_response){.rsc = RSC_ACCEPTED_ASYNCH, .location = rd_str("x")}, &asked, SERIALIZATION_JSON, &o), COAP_CODE(2, 1));
#define ANY(name, number, status, text)                                                                                \
	assert_true(coap_response_write(&(const struct onem2m_response){.rsc = name}, &asked, SERIALIZATION_JSON, &o) >> 5 == ((status) / 100 == 2 ? 2 : (status) / 100)); \
	assert_true(option(&o, COAP_ONEM2M_RSC).left == 2);
	ONEM2M_RSC_LIST(ANY)
#undef ANY
}

static void reads_back_the_responses_that_it_writes(void **state)
{
	const struct onem2m_request asked = {.operation = ONEM2M_CREATE, .request_id = rd_str("r7"), .release = rd_str("3"), .ec = rd_str("2")};
	const struct onem2m_response rsp = {
		.rsc = RSC_CREATED, .content = rd_str("{}"), .location = rd_str("/id-in/cse-in/x"), .ot = rd_str("20261121T072556"), .cts = 1, .cto = 70000};
	struct onem2m_response again;
	struct coap_options o;
	char location[64];

	(void)state;
	begin(coap_response_write(&rsp, &asked, SERIALIZATION_JSON, &o));
	for (size_t i = 0; i < o.count; i++)
		assert_true(coap_option_add(&m, o.list[i].number, o.list[i].value));
	m.payload = rsp.content;
	assert_true(rd_is(option(&o, COAP_ONEM2M_RQI), "r7"));
	coap_response_read(&m, &again, &form, location, sizeof location);
	assert_true(again.rsc == RSC_CREATED && again.cts == 1 && again.cto == 70000);
	assert_true(rd_is(again.location, "/id-in/cse-in/x") && rd_is(again.ot, "20261121T072556") && rd_is(again.content, "{}"));
}

static void understands_responses_without_a_status_code(void **state)
{
	struct onem2m_response rsp;
	char location[64];

	(void)state;
	begin(COAP_CODE(4, 3));
	coap_response_read(&m, &rsp, &form, location, sizeof location);
	assert_int_equal(rsp.rsc, RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
	begin(COAP_CONTENT);
	coap_response_read(&m, &rsp, &form, location, sizeof location);
	assert_int_equal(rsp.rsc, RSC_OK);
	begin(COAP_CONTENT);
	add(COAP_ONEM2M_RSC, "\x7f\x7f"); /* there is no such code */
	coap_response_read(&m, &rsp, &form, location, sizeof location);
	assert_int_equal(rsp.rsc, RSC_INTERNAL_SERVER_ERROR);
}

static void reads_back_the_requests_that_it_writes(void **state)
{
	const struct onem2m_request rq = {.operation = ONEM2M_CREATE, .type = 10001, .to = rd_str("//sp/id-mn/x"), .from = rd_str("/id-in/Cae"), .request_id = rd_str("7"),
		.release = rd_str("4"), .rqet = rd_str("20261121T072556,5"), .filter = rd_str("rcn=0&lbl=a%20b+c"), .content = rd_str("{}"), .rt_nu = rd_str(""), .ec = rd_str("3")};
	struct coap_options o;
	uint8_t code;

	(void)state;
	assert_int_equal(coap_request_write(&rq, rd_str(""), SERIALIZATION_JSON, &code, &o), OK);
	begin(code);
	for (size_t i = 0; i < o.count; i++)
		assert_true(coap_option_add(&m, o.list[i].number, o.list[i].value));
	m.payload = rq.content;
	assert_int_equal(read_it(), RSC_OK);
	assert_true(p.rq.operation == ONEM2M_CREATE && p.rq.type == 10001 && p.rq.rcn == 0);
	assert_true(rd_equal(p.rq.to, rq.to) && rd_equal(p.rq.from, rq.from) && rd_equal(p.rq.filter, rq.filter) && rd_equal(p.rq.content, rq.content));
	assert_true(rd_is(p.rq.rqet, "20261121T072557")); /* whole seconds, not earlier */
	assert_true(p.rq.rt_nu.at && p.rq.rt_nu.left == 0);
	assert_true(rd_is(p.rq.ec, "3"));
	coap_request_clear(&p);
}

static void says_the_operation_of_what_is_not_waited_for(void **state)
{
	const struct onem2m_request rq = {.operation = ONEM2M_DELETE, .to = rd_str("cse-in/x"), .request_id = rd_str("7"), .rt = ONEM2M_NON_BLOCKING_ASYNCH, .filter = rd_str("rt=2")};
	struct coap_options o;
	uint8_t code;

	(void)state;
	assert_int_equal(coap_request_write(&rq, rd_str("/base/path"), SERIALIZATION_JSON, &code, &o), OK);
	assert_int_equal(code, COAP_POST);
	assert_true(rd_is(option(&o, COAP_URI_QUERY), "op=4"));
	assert_true(rd_is(o.list[0].value, "base") && rd_is(o.list[1].value, "path") && rd_is(o.list[2].value, "cse-in"));
}

static void refuses_to_send_what_no_option_can_hold(void **state)
{
	char longer[257];
	struct onem2m_request rq = {.operation = ONEM2M_RETRIEVE, .to = rd_str("x"), .request_id = rd_str("7")};
	struct coap_options o;
	uint8_t code;

	(void)state;
	memset(longer, 'a', sizeof longer);
	rq.from = rd_of(longer, 255);
	assert_int_equal(coap_request_write(&rq, rd_str(""), SERIALIZATION_JSON, &code, &o), OK);
	rq.from = rd_of(longer, 256);
	assert_int_equal(coap_request_write(&rq, rd_str(""), SERIALIZATION_JSON, &code, &o), ERR_TOO_LONG);
	rq.from = rd_str("C");
	rq.filter = rd_str("lbl=%4");
	assert_int_equal(coap_request_write(&rq, rd_str(""), SERIALIZATION_JSON, &code, &o), ERR_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_parameter),
		cmocka_unit_test(tells_operations_apart),
		cmocka_unit_test(reads_addresses),
		cmocka_unit_test(escapes_the_query_as_a_filter_has_it),
		cmocka_unit_test(refuses_what_is_missing_or_of_another_format),
		cmocka_unit_test(reads_content_in_each_serialisation),
		cmocka_unit_test(has_a_code_for_each_response),
		cmocka_unit_test(reads_back_the_responses_that_it_writes),
		cmocka_unit_test(understands_responses_without_a_status_code),
		cmocka_unit_test(reads_back_the_requests_that_it_writes),
		cmocka_unit_test(says_the_operation_of_what_is_not_waited_for),
		cmocka_unit_test(refuses_to_send_what_no_option_can_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
