/* What From may be on an association, and identities in the clear of handshakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "security/association.h"
#include "security/tls_hello.h"

static bool is_registered(void *ctx, const char *ae)
{
	(void)ctx;
	return strcmp(ae, "/id-in/Cknown") == 0;
}

static bool is_registree(void *ctx, const char *cse)
{
	(void)ctx;
	return strcmp(cse, "/id-mn") == 0 || strcmp(cse, "/id-asn") == 0;
}

static bool allows(void *ctx, const char *credential, const char *ae)
{
	(void)ctx;
	return strcmp(credential, "31-1.2.3") == 0 && strcmp(ae, "/id-in/Cmeter") == 0;
}

static const struct {
	const char *peer, *credential, *from;
	enum association_verdict verdict;
} cases[] = {
	/* an AE-ID */
	{"m2m://keyway.example/id-in/Cx", "33-x", "/id-in/Cx", ASSOCIATION_GOOD},
	{"m2m://keyway.example/id-in/Cx", "33-x", "/id-in/Cy", ASSOCIATION_NOT_AUTHENTICATED},
	{"m2m://keyway.example/id-in/Cx", "33-x", "/id-in/Cx2", ASSOCIATION_NOT_AUTHENTICATED},
	{"m2m://keyway.example/id-in/Cx", "33-x", "/id-in", ASSOCIATION_NOT_AUTHENTICATED},
	/* several */
	{"m2m://keyway.example/id-in/Cx m2m://keyway.example/id-in/Cy", "33-x", "/id-in/Cy", ASSOCIATION_GOOD},
	{"m2m://keyway.example/id-in/Cx m2m://keyway.example/id-in/Cy", "33-x", "/id-in/Cz", ASSOCIATION_NOT_AUTHENTICATED},
	/* another service provider's name is nobody here */
	{"m2m://evil.example/id-in/Cx", "33-x", "/id-in/Cx", ASSOCIATION_NOT_AUTHENTICATED},
	/* a CSE-ID: what it passes on, but for ours, another registree's and its own name by somebody else */
	{"id-mn.id-in.keyway.example", "32-x", "/id-mn", ASSOCIATION_GOOD},
	{"id-mn.id-in.keyway.example", "32-x", "/id-mn/Cx", ASSOCIATION_GOOD},
	{"id-mn.id-in.keyway.example", "32-x", "/id-far/Cx", ASSOCIATION_GOOD},
	{"id-mn.id-in.keyway.example", "32-x", "//other.example/id/Cx", ASSOCIATION_GOOD},
	{"id-mn.id-in.keyway.example", "32-x", "/id-asn/Cx", ASSOCIATION_NOT_AUTHENTICATED},
	{"id-mn.id-in.keyway.example", "32-x", "/id-asn", ASSOCIATION_NOT_AUTHENTICATED},
	{"id-mn.id-in.keyway.example", "32-x", "/id-in/Cx", ASSOCIATION_NOT_AUTHENTICATED},
	{"id-mn.id-in.keyway.example", "32-x", "/id-in", ASSOCIATION_NOT_AUTHENTICATED},
	{"id-in.keyway.example", "32-x", "/id-mn", ASSOCIATION_NOT_AUTHENTICATED},
	/* a device, by rule */
	{"oid:1.2.3", "31-1.2.3", "/id-in/Cmeter", ASSOCIATION_GOOD},
	{"oid:1.2.3", "31-1.2.3", "/id-in/Cknown", ASSOCIATION_NOT_AUTHENTICATED},
	{"oid:1.2.3", "31-1.2.3", "/id-mn", ASSOCIATION_NOT_AUTHENTICATED},
	{"", "12-other@maf.example", "/id-in/Cmeter", ASSOCIATION_NOT_AUTHENTICATED},
	/* nothing */
	{"", "", "/id-in/Cknown", ASSOCIATION_GOOD},
	{"", "", "/id-in/Cnew", ASSOCIATION_NOT_AUTHENTICATED},
	{"", "", "/id-mn", ASSOCIATION_REQUIRED},
	{"", "", "/id-in", ASSOCIATION_REQUIRED},
	{"", "", "/id-mn/Cknown", ASSOCIATION_NOT_AUTHENTICATED},
};

static void binds_from_to_the_association(void **state)
{
	const struct association_knowledge k = {is_registered, is_registree, allows, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct association a = {"keyway.example", "/id-in", cases[i].peer, cases[i].credential};

		if (association_check(&a, &k, cases[i].from) != cases[i].verdict)
			fail_msg("`%s` as %s", cases[i].peer, cases[i].from);
	}
}

static void registers_as_the_one_ae_that_it_has(void **state)
{
	struct association a = {"keyway.example", "/id-in", "m2m://keyway.example/id-in/Cx", ""};
	char stem[64];

	(void)state;
	assert_true(association_registers_as(&a, stem, sizeof stem));
	assert_string_equal(stem, "Cx");
	assert_false(association_registers_as(&a, stem, 2));
	a.peer = "m2m://keyway.example/id-in/Cx m2m://keyway.example/id-in/Cy";
	assert_false(association_registers_as(&a, stem, sizeof stem));
	a.peer = "id-mn.id-in.keyway.example";
	assert_false(association_registers_as(&a, stem, sizeof stem));
	a.peer = "";
	assert_false(association_registers_as(&a, stem, sizeof stem));
}

/* ---- handshakes ---- */

/* A ClientHello of TLS 1.3 with pre_shared_key, identity "meter": by hand, after RFC 8446 clauses 4.1.2 and 4.2.11. */
static size_t client_hello(uint8_t *octets, size_t size, const char *identity)
{
	struct wr w = wr_of(octets, size);
	size_t n = strlen(identity), psk = 2 + 2 + n + 4 + 2 + 33, extensions = 4 + psk, body = 2 + 32 + 1 + 4 + 2 + 2 + extensions;

	wr_u8(&w, 22);
	wr_be16(&w, 0x0301);
	wr_be16(&w, (uint16_t)(body + 4));
	wr_u8(&w, 1);
	wr_u8(&w, 0);
	wr_be16(&w, (uint16_t)body);
	wr_be16(&w, 0x0303);
	for (int i = 0; i < 32; i++)
		wr_u8(&w, 7);
	wr_u8(&w, 0);
	wr_be16(&w, 2);
	wr_be16(&w, 0x1301);
	wr_u8(&w, 1);
	wr_u8(&w, 0);
	wr_be16(&w, (uint16_t)extensions);
	wr_be16(&w, 41);
	wr_be16(&w, (uint16_t)psk);
	wr_be16(&w, (uint16_t)(2 + n + 4));
	wr_be16(&w, (uint16_t)n);
	wr_str(&w, identity);
	wr_be32(&w, 0);
	wr_be16(&w, 33);
	wr_u8(&w, 32);
	for (int i = 0; i < 32; i++)
		wr_u8(&w, 9);
	assert_false(w.spoilt);
	return w.len;
}

static void finds_the_identity_of_tls_1_3(void **state)
{
	uint8_t octets[512];
	size_t len = client_hello(octets, sizeof octets, "meter@keyway.example");
	struct tls_hello h;

	(void)state;
	/* every prefix is too short, and takes nothing */
	for (size_t n = 0; n < len; n++) {
		uint8_t *exact = malloc(n ? n : 1);
		struct rd in;

		memcpy(exact, octets, n);
		in = rd_of(exact, n);
		tls_hello_init(&h, false);
		assert_int_equal(tls_hello_record(&h, &in), TLS_HELLO_SHORT);
		assert_int_equal(in.left, n);
		tls_hello_clear(&h);
		free(exact);
	}
	tls_hello_init(&h, false);
	assert_int_equal(tls_hello_record(&h, &(struct rd){octets, len}), TLS_HELLO_IDENTITY);
	assert_string_equal(h.identity, "meter@keyway.example");
	tls_hello_clear(&h);
}

static void finds_the_identity_of_tls_1_2(void **state)
{
	static const uint8_t psk[] = {22, 3, 3, 0, 9, 16, 0, 0, 5, 0, 3, 'g', 'w', '1'}, /* TLS_PSK */
	    ecdhe_psk[] = {22, 3, 3, 0, 12, 16, 0, 0, 8, 0, 3, 'g', 'w', '1', 2, 4, 5}, /* TLS_ECDHE_PSK */
	    ecdhe[] = {22, 3, 3, 0, 8, 16, 0, 0, 4, 3, 4, 1, 2},                        /* no identity: a point */
	    dtls[] = {22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, 0, 17, 16, 0, 0, 5, 0, 2, 0, 0, 0, 0, 0, 5, 0, 3, 'g', 'w', '1'}, secret[] = {20, 3, 3, 0, 1, 1};
	struct tls_hello h;
	struct rd in = rd_of(psk, sizeof psk);

	(void)state;
	tls_hello_init(&h, false);
	assert_int_equal(tls_hello_record(&h, &in), TLS_HELLO_IDENTITY);
	assert_string_equal(h.identity, "gw1");
	in = rd_of(ecdhe_psk, sizeof ecdhe_psk);
	assert_int_equal(tls_hello_record(&h, &in), TLS_HELLO_IDENTITY);
	assert_string_equal(h.identity, "gw1");
	in = rd_of(ecdhe, sizeof ecdhe);
	assert_int_equal(tls_hello_record(&h, &in), TLS_HELLO_PASS);
	in = rd_of(secret, sizeof secret);
	assert_int_equal(tls_hello_record(&h, &in), TLS_HELLO_END);
	tls_hello_clear(&h);
	tls_hello_init(&h, true);
	in = rd_of(dtls, sizeof dtls);
	assert_int_equal(tls_hello_record(&h, &in), TLS_HELLO_IDENTITY);
	assert_string_equal(h.identity, "gw1");
	tls_hello_clear(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(binds_from_to_the_association),
		cmocka_unit_test(registers_as_the_one_ae_that_it_has),
		cmocka_unit_test(finds_the_identity_of_tls_1_3),
		cmocka_unit_test(finds_the_identity_of_tls_1_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
