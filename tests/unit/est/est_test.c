/* The EST server without a wire: who gets a certificate, who gets which refusal; and its messages both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "est/est.h"
#include "est/est_message.h"
#include "request.h"

#define OWN "id-mn.id-in.keyway.example"
#define GRANTED "m2m://keyway.example/id-in/Cnew"
#define BOUND "dG+zLX/1aXF+ZQ=="

static bool grants(void *ctx, const struct est_asker *who, const char *name, const char **why)
{
	(void)ctx;
	(void)who;
	*why = "nobody granted that";
	return strcmp(name, GRANTED) == 0;
}

static enum err issued(void *ctx, const struct est_asker *who, const char *name)
{
	(void)who;
	(void)name;
	return *(enum err *)ctx;
}

enum kind { GOOD, NO_BASE64, EMPTY, NO_REQUEST };
static const struct {
	const char *label, *method, *path, *type;
	struct request_plan plan;
	enum kind kind;
	const char *names;
	bool by_certificate, demand;
	enum err recorded;
	unsigned status;
	const char *text; /* of a refusal */
} cases[] = {
	{"own name", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.dns = OWN}, GOOD, OWN, true, false, OK, 200, NULL},
	{"one of several names", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.dns = OWN}, GOOD, "oid:1.2.3.4 " OWN, true, false, OK, 200, NULL},
	{"by PSK", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.dns = OWN}, GOOD, OWN, false, false, OK, 200, NULL},
	{"granted", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.uri = GRANTED}, GOOD, OWN, true, false, OK, 200, NULL},
	{"somebody else's", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.dns = "id-in.keyway.example"}, GOOD, OWN, true, false, OK, 403, "nobody granted"},
	{"part of the own name", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.dns = "id-mn.id-in"}, GOOD, OWN, true, false, OK, 403, "nobody granted"},
	{"renewal", "POST", "/.well-known/est/simplereenroll", "application/pkcs10", {.dns = OWN}, GOOD, OWN, true, false, OK, 200, NULL},
	{"renewal by PSK", "POST", "/.well-known/est/simplereenroll", "application/pkcs10", {.dns = OWN}, GOOD, OWN, false, false, OK, 403, "wants the certificate"},
	{"renewal with another name", "POST", "/.well-known/est/simplereenroll", "application/pkcs10", {.uri = GRANTED}, GOOD, OWN, true, false, OK, 403, "keeps the name"},
	{"bound", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.dns = OWN, .challenge = BOUND}, GOOD, OWN, true, true, OK, 200, NULL},
	{"bound to another association", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.dns = OWN, .challenge = "b3RoZXI="}, GOOD, OWN, true, false, OK, 403, "not that of this association"},
	{"not bound where it must be", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.dns = OWN}, GOOD, OWN, true, true, OK, 403, "challengePassword is missing"},
	{"not recorded", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.dns = OWN}, GOOD, OWN, true, false, ERR_IO, 500, "not be recorded"},
	{"no base64", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.dns = OWN}, NO_BASE64, OWN, true, false, OK, 400, "no base64"},
	{"nothing", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.dns = OWN}, EMPTY, OWN, true, false, OK, 400, "no base64"},
	{"no request", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.dns = OWN}, NO_REQUEST, OWN, true, false, OK, 400, "no PKCS#10"},
	{"no name", "POST", "/.well-known/est/simpleenroll", "application/pkcs10", {.common_name = "x"}, GOOD, OWN, true, false, OK, 400, "no subjectAltName"},
	{"wrong type", "POST", "/.well-known/est/simpleenroll", "application/json", {.dns = OWN}, GOOD, OWN, true, false, OK, 415, "application/pkcs10"},
	{"no type", "POST", "/.well-known/est/simpleenroll", NULL, {.dns = OWN}, GOOD, OWN, true, false, OK, 415, "application/pkcs10"},
	{"wrong method", "GET", "/.well-known/est/simpleenroll", NULL, {.dns = OWN}, GOOD, OWN, true, false, OK, 405, "method"},
	{"no such operation", "POST", "/.well-known/est/serverkeygen", "application/pkcs10", {.dns = OWN}, GOOD, OWN, true, false, OK, 404, "cacerts"},
};

static void body_of(enum kind kind, const struct request_plan *plan, struct wr *body)
{
	uint8_t der[REQUEST_MAX];

	switch (kind) {
	case GOOD:
		est_base64(body, request_make(plan, der));
		return;
	case NO_BASE64:
		wr_str(body, "*** no base64 ***");
		return;
	case EMPTY:
		return;
	case NO_REQUEST:
		est_base64(body, rd_str("no request"));
		return;
	}
}

static void count(void *ctx, struct rd certificate)
{
	(void)certificate;
	++*(unsigned *)ctx;
}

static unsigned certificates(const struct est_answer *a)
{
	struct wr der = wr_new(PKI_DER_MAX);
	struct rd text, octets;
	unsigned n = 0;

	assert_true(a->base64 && wr_done(&a->body, &text));
	assert_int_equal(est_unbase64(text, &der), OK);
	assert_true(wr_done(&der, &octets));
	assert_int_equal(est_certificates_each(octets, count, &n), OK);
	wr_free(&der);
	return n;
}

static void enrols_and_refuses(void **state)
{
	char *dir = directory_make();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		enum err recorded = cases[i].recorded;
		struct est_policy policy = {.days = 10, .demand_binding = cases[i].demand, .grants = grants, .issued = issued, .ctx = &recorded};
		struct est_asker who = {.names = cases[i].names, .by_certificate = cases[i].by_certificate, .bindings = {"", BOUND}};
		struct est_request rq = {.method = cases[i].method, .path = cases[i].path, .type = cases[i].type};
		struct wr body = wr_new(EST_BODY_MAX);
		struct est_answer a;
		struct est *e;
		struct rd text;

		assert_int_equal(est_new(dir, &policy, &e), OK);
		body_of(cases[i].kind, &cases[i].plan, &body);
		assert_true(wr_done(&body, &rq.body));
		est_answer_init(&a);
		est_serve(e, &rq, &who, &a);
		assert_true(wr_done(&a.body, &text));
		if (a.status != cases[i].status)
			fail_msg("%s: %u %.*s", cases[i].label, a.status, (int)text.left, (const char *)text.at);
		if (a.status == 200)
			assert_int_equal(certificates(&a), 1);
		else if (!memmem(text.at, text.left, cases[i].text, strlen(cases[i].text)))
			fail_msg("%s: %.*s", cases[i].label, (int)text.left, (const char *)text.at);
		est_answer_clear(&a);
		est_free(e);
		wr_free(&body);
	}
	directory_remove(dir);
}

static void an_empty_binding_is_none(void **state)
{
	char *dir = directory_make();
	struct est_policy policy = {.days = 10, .demand_binding = true};
	struct est_asker who = {.names = OWN, .by_certificate = true}; /* neither tls-unique nor tls-exporter */
	struct est_request rq = {.method = "POST", .path = "/.well-known/est/simpleenroll", .type = "application/pkcs10"};
	struct wr body = wr_new(EST_BODY_MAX);
	struct est_answer a;
	struct est *e;

	(void)state;
	assert_int_equal(est_new(dir, &policy, &e), OK);
	body_of(GOOD, &(const struct request_plan){.dns = OWN}, &body);
	assert_true(wr_done(&body, &rq.body));
	est_answer_init(&a);
	est_serve(e, &rq, &who, &a);
	assert_int_equal(a.status, 403);
	est_answer_clear(&a);
	est_free(e);
	wr_free(&body);
	directory_remove(dir);
}

static void gives_its_certificates_and_attributes(void **state)
{
	char *dir = directory_make();
	struct est_policy policy = {.days = 10};
	struct est_asker who = {.names = ""};
	struct est_attributes attributes;
	struct wr der = wr_new(1024);
	struct rd text, octets;
	struct est_answer a;
	struct est *e;

	(void)state;
	assert_int_equal(est_new(dir, &policy, &e), OK);
	est_answer_init(&a);
	est_serve(e, &(const struct est_request){.method = "GET", .path = "/.well-known/est/cacerts"}, &who, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.type, "application/pkcs7-mime");
	assert_int_equal(certificates(&a), 1);
	est_answer_clear(&a);
	est_answer_init(&a);
	est_serve(e, &(const struct est_request){.method = "GET", .path = "/.well-known/est/csrattrs"}, &who, &a);
	assert_int_equal(a.status, 200);
	assert_true(wr_done(&a.body, &text));
	assert_int_equal(est_unbase64(text, &der), OK);
	assert_true(wr_done(&der, &octets));
	assert_int_equal(est_attributes_read(octets, &attributes), OK);
	assert_true(attributes.challenge && attributes.name && attributes.secp256r1);
	for (size_t n = 0; n < octets.left; n++) /* no shorter one is one */
		assert_int_equal(est_attributes_read(rd_of(octets.at, n), &attributes), ERR_MALFORMED);
	est_answer_clear(&a);
	est_free(e);
	wr_free(&der);
	directory_remove(dir);
}

static void knows_its_paths(void **state)
{
	(void)state;
	assert_true(est_serves("/.well-known/est/cacerts"));
	assert_true(est_serves("/.well-known/est"));
	assert_false(est_serves("/.well-known/esteem"));
	assert_false(est_serves("/mef"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enrols_and_refuses),
		cmocka_unit_test(an_empty_binding_is_none),
		cmocka_unit_test(gives_its_certificates_and_attributes),
		cmocka_unit_test(knows_its_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
