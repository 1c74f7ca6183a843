/* The CA: which requests it reads, what it signs, what it revokes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pki/pki.h"
#include "request.h"
#include "pki/ca.h"

static const struct {
	const char *label;
	struct request_plan plan;
	enum err e;
	const char *name;
} requests[] = {
	{"CSE-ID", {.dns = "id-mn.id-in.keyway.example", .common_name = "mn"}, OK, "id-mn.id-in.keyway.example"},
	{"AE-ID", {.uri = "m2m://keyway.example/id-in/Cmeter"}, OK, "m2m://keyway.example/id-in/Cmeter"},
	{"node", {.uri = "urn:dev:ops:32473-meter-7"}, OK, "urn:dev:ops:32473-meter-7"},
	{"device", {.device = "acme.m1.s0042"}, OK, "oid:1.3.6.1.4.1.99999.7/acme.m1.s0042"},
	{"no name", {.common_name = "mn"}, ERR_BAD_VALUE, NULL},
	{"two names", {.dns = "a.example", .second_dns = "b.example"}, ERR_BAD_VALUE, NULL},
	{"wildcard", {.dns = "*.example"}, ERR_BAD_VALUE, NULL},
	{"blank", {.dns = "a.example b.example"}, ERR_BAD_VALUE, NULL},
	{"URI as dNSName", {.dns = "m2m://keyway.example/id-in/Cmeter"}, ERR_BAD_VALUE, NULL},
	{"dNSName as URI", {.uri = "id-mn.id-in.keyway.example"}, ERR_BAD_VALUE, NULL},
	{"URI that looks like a device", {.uri = "oid:1.3.6.1.4.1.99999.7/acme.m1.s0042"}, ERR_BAD_VALUE, NULL},
	{"address", {.ip = true}, ERR_BAD_VALUE, NULL},
	{"common name with a slash", {.dns = "a.example", .common_name = "a/CN=b"}, ERR_BAD_VALUE, NULL},
	{"P-384", {.dns = "a.example", .bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1)}, ERR_UNSUPPORTED, NULL},
	{"RSA", {.dns = "a.example", .pk = GNUTLS_PK_RSA, .bits = 2048}, ERR_UNSUPPORTED, NULL},
	{"SHA-384", {.dns = "a.example", .hash = GNUTLS_DIG_SHA384}, ERR_UNSUPPORTED, NULL},
};

static void reads_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		uint8_t der[REQUEST_MAX];
		const char *why;
		struct csr c;
		enum err e = csr_read(request_make(&requests[i].plan, der), &c, &why);

		if (e != requests[i].e)
			fail_msg("%s: %s (%s) `%s`", requests[i].label, err_name(e), why, c.name);
		if (e == OK)
			assert_string_equal(c.name, requests[i].name);
		csr_clear(&c);
	}
}

static void refuses_a_foreign_signature(void **state)
{
	uint8_t der[REQUEST_MAX];
	struct rd rq = request_make(&(const struct request_plan){.dns = "a.example"}, der);
	const char *why;
	struct csr c;

	(void)state;
	for (size_t cut = 1; cut < rq.left; cut += 7)
		assert_int_not_equal(csr_read(rd_of(der, cut), &c, &why), OK);
	for (size_t at = 0; at < rq.left; at++) { /* whatever octet changes, the signature is no more its */
		der[at] ^= 0x01;
		if (csr_read(rq, &c, &why) == OK)
			fail_msg("octet %zu does not count", at);
		der[at] ^= 0x01;
	}
	assert_int_equal(csr_read(rq, &c, &why), OK);
	csr_clear(&c);
}

struct listed {
	struct ca_entry last;
	unsigned count, revoked;
};

static void note(void *ctx, const struct ca_entry *e)
{
	struct listed *l = ctx;

	l->last = *e;
	l->count++;
	l->revoked += e->state == 'R';
}

static struct rd sign(struct ca *ca, const struct request_plan *plan, struct wr *w)
{
	uint8_t der[REQUEST_MAX];
	struct rd crt;
	const char *why;
	struct csr c;

	assert_int_equal(csr_read(request_make(plan, der), &c, &why), OK);
	assert_int_equal(ca_sign(ca, &c, 400, w), OK); /* longer than the CA's own 30 days */
	assert_true(wr_done(w, &crt));
	csr_clear(&c);
	return crt;
}

static void signs_and_revokes(void **state)
{
	char *dir = directory_make(), name[PKI_NAME_MAX];
	struct wr w = wr_new(PKI_DER_MAX), w2 = wr_new(PKI_DER_MAX), pem = wr_new(PKI_DER_MAX);
	struct listed l = {.count = 0};
	struct rd first, second, text;
	unsigned count;
	struct ca *ca;

	(void)state;
	assert_int_equal(ca_open(dir, &ca), OK);
	first = sign(ca, &(const struct request_plan){.dns = "a.example", .common_name = "a"}, &w);
	second = sign(ca, &(const struct request_plan){.uri = "m2m://keyway.example/id-in/Cx"}, &w2);
	assert_true(ca_vouches(ca, first, name));
	assert_string_equal(name, "a.example");
	assert_int_equal(ca_each(ca, note, &l), OK);
	assert_int_equal(l.count, 2);
	assert_int_equal(l.revoked, 0);
	assert_string_equal(l.last.name, "m2m://keyway.example/id-in/Cx");
	assert_true(l.last.expires_at <= (uint64_t)time(NULL) + 31 * 86400); /* never beyond the CA's */
	assert_int_equal(ca_revoke(ca, "b.example", CA_SUPERSEDED, &count), ERR_NOT_FOUND);
	assert_int_equal(ca_revoke(ca, "a.example", CA_KEY_COMPROMISE, &count), OK);
	assert_int_equal(count, 1);
	assert_int_equal(ca_revoke(ca, "a.example", CA_KEY_COMPROMISE, &count), ERR_NOT_FOUND); /* not twice */
	assert_false(ca_vouches(ca, first, name));
	assert_true(ca_vouches(ca, second, name));
	assert_int_equal(ca_revoke(ca, l.last.serial, CA_UNSPECIFIED, &count), OK); /* by its serial number */
	assert_false(ca_vouches(ca, second, name));
	assert_int_equal(ca_revocation_list(ca, 7, &pem), OK);
	assert_true(wr_done(&pem, &text) && rd_starts(text, "-----BEGIN X509 CRL-----"));
	ca_free(ca);
	assert_int_equal(ca_open(dir, &ca), OK); /* it is on disk */
	l = (struct listed){.count = 0};
	assert_int_equal(ca_each(ca, note, &l), OK);
	assert_int_equal(l.count, 2);
	assert_int_equal(l.revoked, 2);
	assert_true(l.last.revoked_at > 0);
	ca_free(ca);
	wr_free(&w);
	wr_free(&w2);
	wr_free(&pem);
	directory_remove(dir);
}

static void vouches_for_none_but_its_own(void **state)
{
	char *dir = directory_make(), *other = directory_make(), name[PKI_NAME_MAX];
	struct wr w = wr_new(PKI_DER_MAX);
	struct ca *ca, *foreign;
	struct rd crt;

	(void)state;
	assert_int_equal(ca_open(dir, &ca), OK);
	assert_int_equal(ca_open(other, &foreign), OK);
	crt = sign(foreign, &(const struct request_plan){.dns = "a.example"}, &w);
	assert_true(ca_vouches(foreign, crt, name));
	assert_false(ca_vouches(ca, crt, name));
	assert_false(ca_vouches(ca, rd_of(crt.at, crt.left - 1), name));
	ca_free(ca);
	ca_free(foreign);
	wr_free(&w);
	directory_remove(dir);
	directory_remove(other);
}

static void issues_files(void **state)
{
	char *dir = directory_make();
	struct listed l = {.count = 0};
	struct ca *ca;

	(void)state;
	assert_int_equal(pki_issue(dir, "mn", "id-mn.id-in.keyway.example", 10), OK);
	assert_int_equal(pki_issue(dir, "mn", "id-mn.id-in.keyway.example", 10), ERR_EXISTS);
	assert_int_equal(pki_issue(dir, "d1", "oid:1.3.6.1.4.1.99999.7/acme.m1.s0042", 10), OK);
	assert_int_equal(pki_issue(dir, "d2", "oid:1.3.6.1.4.1.99999.7", 10), ERR_BAD_VALUE);
	assert_int_equal(ca_open(dir, &ca), OK);
	assert_int_equal(ca_each(ca, note, &l), OK);
	assert_int_equal(l.count, 2);
	ca_free(ca);
	directory_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_requests),
		cmocka_unit_test(refuses_a_foreign_signature),
		cmocka_unit_test(signs_and_revokes),
		cmocka_unit_test(vouches_for_none_but_its_own),
		cmocka_unit_test(issues_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
