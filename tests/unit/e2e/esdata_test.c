/* ESData: the three classes, each form, keys of the wrong usage, and what is sealed at rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#include "e2e/esdata.h"

#define DATA "temperature=21.5"
#define ID(n) "0000000000000000000000000000000" #n "@maf.keyway.example"

static struct rng rng;
static struct secret *secrets[3];

struct ring {
	const struct esdata_key *keys[8];
	size_t count;
};

static const struct esdata_key *find(void *ctx, struct rd kid, bool encrypted)
{
	const struct ring *r = ctx;

	for (size_t i = 0; i < r->count; i++)
		if (rd_is(kid, r->keys[i]->kid) && (suid_usage(r->keys[i]->suid) == SUID_USAGE_ESDATA_ENC) == encrypted)
			return r->keys[i];
	return NULL;
}

static enum err open_with(struct ring *ring, enum content_security security, const struct wr *con, bool encrypted, bool is_signed, struct esdata_verdict *v)
{
	struct esdata_policy policy = {.find = find, .ctx = ring, .must_be_encrypted = encrypted, .must_be_signed = is_signed, .rng = &rng};
	struct wr data = wr_new(65536);
	struct rd text, out;
	enum err e;

	assert_true(wr_done(con, &text));
	e = esdata_open(security, text, &policy, v, &data);
	if (e == OK)
		assert_true(wr_done(&data, &out) && rd_is(out, DATA));
	else
		assert_int_equal(data.len, 0);
	wr_free(&data);
	return e;
}

static struct esdata_key symmetric(enum suid suid, const char *kid, size_t which, enum jose_alg alg)
{
	struct esdata_key k;

	assert_int_equal(esdata_key_symmetric(&k, suid, kid, secrets[which], alg), OK);
	return k;
}

/* A private key, and its public half as who seals or verifies has it. */
static void pair(gnutls_pk_algorithm_t pk, unsigned bits, enum suid suid, const char *kid, struct esdata_key *own, struct esdata_key *others)
{
	gnutls_x509_privkey_t p;
	gnutls_privkey_t abstract;
	gnutls_pubkey_t pub;
	gnutls_datum_t pem;

	assert_int_equal(gnutls_x509_privkey_init(&p), 0);
	assert_int_equal(gnutls_x509_privkey_generate(p, pk, bits, 0), 0);
	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(p, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem), 0);
	assert_int_equal(esdata_key_pem(own, suid, kid, rd_of(pem.data, pem.size), JOSE_NO_ALG), OK);
	gnutls_free(pem.data);
	gnutls_privkey_init(&abstract);
	gnutls_pubkey_init(&pub);
	assert_int_equal(gnutls_privkey_import_x509(abstract, p, 0), 0);
	assert_int_equal(gnutls_pubkey_import_privkey(pub, abstract, 0, 0), 0);
	assert_int_equal(gnutls_pubkey_export2(pub, GNUTLS_X509_FMT_PEM, &pem), 0);
	assert_int_equal(esdata_key_pem(others, suid, kid, rd_of(pem.data, pem.size), JOSE_NO_ALG), OK);
	gnutls_free(pem.data);
	gnutls_pubkey_deinit(pub);
	gnutls_privkey_deinit(abstract);
	gnutls_x509_privkey_deinit(p);
}

static void reads_and_writes_content_info(void **state)
{
	static const struct {
		const char *text, *again; /* NULL: refused */
		unsigned encoding, security;
	} cases[] = {
		{"text/plain", "text/plain:0", 0, 0},
		{"text/plain:0", "text/plain:0", 0, 0},
		{"application/octet-stream:1", "application/octet-stream:1", 1, 0},
		{"application/json:0:1", "application/json:0:1", 0, 1},
		{"application/json:2:3", "application/json:2:3", 2, 3},
		{"application/xml:0:5", "application/xml:0:5", 0, 5},
		{"", NULL, 0, 0},
		{"text", NULL, 0, 0},
		{"text/", NULL, 0, 0},
		{"/plain", NULL, 0, 0},
		{"text/plain:", NULL, 0, 0},
		{"text/plain:3", NULL, 0, 0},
		{"text/plain:00", NULL, 0, 0},
		{"text/plain:0:", NULL, 0, 0},
		{"text/plain:0:6", NULL, 0, 0},
		{"text/plain:0:1:1", NULL, 0, 0},
		{"text/pl ain:0", NULL, 0, 0},
	};
	struct content_info info;
	char text[CONTENT_INFO_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum err e = content_info_parse(rd_str(cases[i].text), &info);

		if ((e == OK) != (cases[i].again != NULL))
			fail_msg("%s: %s", cases[i].text, err_name(e));
		if (e != OK)
			continue;
		assert_int_equal(info.encoding, cases[i].encoding);
		assert_int_equal(info.security, cases[i].security);
		assert_int_equal(content_info_print(&info, text), OK);
		assert_string_equal(text, cases[i].again);
	}
}

static const enum content_security forms[] = {CONTENT_SECURITY_JOSE_COMPACT, CONTENT_SECURITY_JOSE_JSON, CONTENT_SECURITY_JOSE_JSON_BASE64};

static void try_class(const struct esdata_key *seal, const struct esdata_key *open, const struct esdata_key *sign, const struct esdata_key *verify)
{
	struct ring ring = {.count = 0};
	struct esdata_verdict v;

	if (open)
		ring.keys[ring.count++] = open;
	if (verify)
		ring.keys[ring.count++] = verify;
	for (size_t f = 0; f < 3; f++) {
		struct esdata_making how = {forms[f], JOSE_A128GCM, seal, seal ? 1 : 0, sign};
		struct wr con = wr_new(65536);
		struct ring nobody = {.count = 0};

		assert_int_equal(esdata_seal(&how, rd_str(DATA), &rng, &con), OK);
		if (seal)
			assert_null(memmem(con.octets, con.len, "temperature", 11));
		assert_int_equal(open_with(&ring, forms[f], &con, seal != NULL, sign != NULL, &v), OK);
		assert_true(v.was_encrypted == (seal != NULL) && v.was_signed == (sign != NULL));
		assert_string_equal(v.sealer, seal ? seal->kid : "");
		assert_string_equal(v.signer, sign ? sign->kid : "");
		assert_int_equal(open_with(&nobody, forms[f], &con, false, false, &v), ERR_UNKNOWN_KEY);
		/* What is less than wanted is refused. */
		if (!seal)
			assert_int_equal(open_with(&ring, forms[f], &con, true, false, &v), ERR_STATE);
		if (!sign)
			assert_int_equal(open_with(&ring, forms[f], &con, false, true, &v), ERR_STATE);
		/* The form that cnf tells is the form that it has. */
		assert_int_not_equal(open_with(&ring, forms[(f + 1) % 3], &con, false, false, &v), OK);
		assert_int_equal(open_with(&ring, CONTENT_SECURITY_NONE, &con, false, false, &v), ERR_STATE);
		assert_int_equal(open_with(&ring, CONTENT_SECURITY_XML, &con, false, false, &v), ERR_UNSUPPORTED);
		wr_free(&con);
	}
}

static void does_the_three_classes_with_keys_of_mef_and_maf(void **state)
{
	struct esdata_key dir = symmetric(SUID_MAF_ESDATA_ENC, ID(1), 0, JOSE_NO_ALG), hmac = symmetric(SUID_MAF_ESDATA_SIG, ID(2), 1, JOSE_NO_ALG);
	static const enum jose_alg wraps[] = {JOSE_A128KW, JOSE_A192KW, JOSE_A256KW};

	(void)state;
	try_class(&dir, &dir, NULL, NULL);
	try_class(NULL, NULL, &hmac, &hmac);
	try_class(&dir, &dir, &hmac, &hmac);
	for (size_t i = 0; i < 3; i++) {
		struct esdata_key wrap = symmetric(SUID_RSPF_ESDATA_ENC, ID(3), 2, wraps[i]);

		try_class(&wrap, &wrap, &hmac, &hmac);
		esdata_key_clear(&wrap);
	}
	esdata_key_clear(&dir);
	esdata_key_clear(&hmac);
}

static void does_the_three_classes_with_certificates(void **state)
{
	static const struct {
		gnutls_pk_algorithm_t pk;
		unsigned bits;
	} kinds[] = {{GNUTLS_PK_RSA, 2048}, {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)},
		{GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1)}, {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1)}};

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct esdata_key open, seal, sign, verify;

		pair(kinds[i].pk, kinds[i].bits, SUID_CERT_ESDATA_ENC, "id-in.keyway.example", &open, &seal);
		pair(kinds[i].pk, kinds[i].bits, SUID_CERT_ESDATA_SIG, "m2m://keyway.example/id-mn/Cmeter", &sign, &verify);
		try_class(&seal, &open, NULL, NULL);
		try_class(NULL, NULL, &sign, &verify);
		try_class(&seal, &open, &sign, &verify);
		esdata_key_clear(&open);
		esdata_key_clear(&seal);
		esdata_key_clear(&sign);
		esdata_key_clear(&verify);
	}
}

static void seals_for_several_targets(void **state)
{
	struct esdata_key keys[2] = {symmetric(SUID_MAF_ESDATA_ENC, ID(1), 0, JOSE_A256KW), symmetric(SUID_MAF_ESDATA_ENC, ID(2), 1, JOSE_A128KW)};
	struct esdata_making how = {CONTENT_SECURITY_JOSE_JSON, JOSE_A256GCM, keys, 2, NULL};
	struct wr con = wr_new(65536);
	struct esdata_verdict v;

	(void)state;
	assert_int_equal(esdata_seal(&how, rd_str(DATA), &rng, &con), OK);
	for (size_t i = 0; i < 2; i++) {
		struct ring one = {{&keys[i]}, 1};

		assert_int_equal(open_with(&one, how.security, &con, true, false, &v), OK);
		assert_string_equal(v.sealer, keys[i].kid);
	}
	how.security = CONTENT_SECURITY_JOSE_COMPACT;
	wr_reset(&con);
	assert_int_equal(esdata_seal(&how, rd_str(DATA), &rng, &con), ERR_BAD_VALUE);
	wr_free(&con);
	esdata_key_clear(&keys[0]);
	esdata_key_clear(&keys[1]);
}

static void keeps_usages_apart(void **state)
{
	struct esdata_key k, enc = symmetric(SUID_PPSK_ESDATA_ENC, ID(1), 0, JOSE_A256KW), sig = symmetric(SUID_PPSK_ESDATA_SIG, ID(1), 0, JOSE_HS256);
	struct esdata_making how = {CONTENT_SECURITY_JOSE_COMPACT, JOSE_A256GCM, &sig, 1, NULL};
	struct esdata_key pretender = enc;
	struct ring ring = {{&pretender}, 1};
	struct wr con = wr_new(65536);
	struct esdata_verdict v;

	(void)state;
	assert_int_equal(esdata_key_symmetric(&k, SUID_PPSK_ESDATA_ENC, ID(1), secrets[0], JOSE_HS256), ERR_BAD_VALUE);
	assert_int_equal(esdata_key_symmetric(&k, SUID_PPSK_ESDATA_SIG, ID(1), secrets[0], JOSE_DIR), ERR_BAD_VALUE);
	assert_int_equal(esdata_key_symmetric(&k, SUID_MAF_ESPRIM, ID(1), secrets[0], JOSE_DIR), ERR_BAD_VALUE);
	assert_int_equal(esdata_key_symmetric(&k, SUID_CERT_ESDATA_ENC, ID(1), secrets[0], JOSE_DIR), ERR_BAD_VALUE);
	assert_int_equal(esdata_key_symmetric(&k, SUID_PPSK_ESDATA_ENC, "no identifier", secrets[0], JOSE_DIR), ERR_BAD_VALUE);
	assert_int_equal(esdata_key_symmetric(&k, SUID_PPSK_ESDATA_SIG, ID(1), secrets[0], JOSE_HS512), ERR_BAD_VALUE); /* wants 64 octets */
	assert_int_equal(esdata_seal(&how, rd_str(DATA), &rng, &con), ERR_BAD_VALUE);
	how.sealers = &enc;
	how.signer = &enc;
	assert_int_equal(esdata_seal(&how, rd_str(DATA), &rng, &con), ERR_BAD_VALUE);
	how.signer = NULL;
	wr_reset(&con);
	assert_int_equal(esdata_seal(&how, rd_str(DATA), &rng, &con), OK);
	/* The key is for A256KW; the text does not choose. */
	pretender.alg = JOSE_DIR;
	assert_int_equal(open_with(&ring, how.security, &con, true, false, &v), ERR_NOT_PERMITTED);
	how.count = 0;
	assert_int_equal(esdata_seal(&how, rd_str(DATA), &rng, &con), ERR_BAD_VALUE);
	wr_free(&con);
	esdata_key_clear(&enc);
	esdata_key_clear(&sig);
}

static void refuses_a_changed_or_foreign_text(void **state)
{
	struct esdata_key dir = symmetric(SUID_MAF_ESDATA_ENC, ID(1), 0, JOSE_NO_ALG), other = symmetric(SUID_MAF_ESDATA_ENC, ID(1), 1, JOSE_NO_ALG);
	struct ring ring = {{&dir}, 1}, wrong = {{&other}, 1};
	struct esdata_making how = {CONTENT_SECURITY_JOSE_COMPACT, JOSE_A192GCM, &dir, 1, NULL};
	struct wr con = wr_new(65536);
	struct esdata_verdict v;

	(void)state;
	assert_int_equal(esdata_seal(&how, rd_str(DATA), &rng, &con), OK);
	assert_int_equal(open_with(&wrong, how.security, &con, true, false, &v), ERR_BAD_MIC);
	for (size_t i = 0; i < con.len; i++) {
		uint8_t was = con.octets[i];

		con.octets[i] = was == 'A' ? 'B' : 'A';
		assert_int_not_equal(open_with(&ring, how.security, &con, true, false, &v), OK);
		con.octets[i] = was;
	}
	assert_int_equal(open_with(&ring, how.security, &con, true, false, &v), OK);
	wr_free(&con);
	esdata_key_clear(&dir);
	esdata_key_clear(&other);
}

static int begin(void **state)
{
	(void)state;
	rng = rng_seeded(11);
	for (size_t i = 0; i < 3; i++)
		secrets[i] = secret_random(&rng, 32);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		secret_free(secrets[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_content_info),
		cmocka_unit_test(does_the_three_classes_with_keys_of_mef_and_maf),
		cmocka_unit_test(does_the_three_classes_with_certificates),
		cmocka_unit_test(seals_for_several_targets),
		cmocka_unit_test(keeps_usages_apart),
		cmocka_unit_test(refuses_a_changed_or_foreign_text),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
