/* JOSE against the published examples in tests/vectors/jose.json, and each thing that a peer must not get away with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/ecdh.h"
#include "crypto/gcm.h"
#include "jose/jose.h"
#include "jose/jwt.h"
#include "keys/secret_octets.h"

#define PEM_MAX 8192
#define HELLO "hello, resource"

static const struct jose_allowed everything = {UINT32_MAX, UINT32_MAX};

static char *file;
static struct json_arena *arena;
static const struct json *vectors;
static struct rng rng;
static struct jose_key *rsa, *rsa_public, *ec[3], *ec_public[3];
static char rsa_public_pem[PEM_MAX];

static struct rd string(const struct json *v, const char *name)
{
	struct rd text = {NULL, 0};

	if (!json_string(json_get(v, name), &text))
		fail_msg("vector has no `%s`", name);
	return text;
}

static size_t octets(const struct json *v, const char *name, uint8_t *at, size_t size)
{
	size_t n = 0;

	assert_true(hex_parse_loose(string(v, name), at, size, &n));
	return n;
}

static struct secret *secret(const struct json *v, const char *name)
{
	uint8_t at[SECRET_MAX];
	struct secret *s = secret_take(at, octets(v, name, at, sizeof at));

	assert_non_null(s);
	return s;
}

static struct jose_key *symmetric(size_t n)
{
	struct secret *s = secret_random(&rng, n);
	struct jose_key *k = jose_key_secret(s);

	assert_non_null(k);
	secret_free(s);
	return k;
}

static struct jose_key *key_of(const struct json *v)
{
	struct jose_key *k = NULL;

	if (json_get(v, "pem")) {
		assert_int_equal(jose_key_parse(string(v, "pem"), &k), OK);
	} else {
		struct secret *s = secret(v, "key");

		k = jose_key_secret(s);
		secret_free(s);
	}
	assert_non_null(k);
	return k;
}

/* Opens or verifies the first part; the content goes to w. */
static enum err take(const struct jose *j, const struct jose_key *k, const struct jose_allowed *allowed, struct wr *w)
{
	struct rd payload;
	enum err e;

	if (jose_is_encrypted(j))
		return jose_open(j, 0, k, allowed, &rng, w);
	e = jose_verify(j, 0, k, allowed, &payload);
	if (e == OK)
		wr_rd(w, payload);
	return e;
}

static enum err take_text(struct rd text, const struct jose_key *k, const struct jose_allowed *allowed, struct wr *w)
{
	struct jose *j = NULL;
	enum err e = jose_parse(text, &j);

	if (e == OK)
		e = take(j, k, allowed, w);
	jose_free(j);
	return e;
}

static void opens_the_published_examples(void **state)
{
	(void)state;
	assert_true(json_get(vectors, "good")->count > 0);
	for (const struct json *v = json_get(vectors, "good")->first; v; v = v->next) {
		struct jose_key *k = key_of(v);
		struct wr w = wr_new(4096);
		struct jose_allowed but_this = everything;
		struct jose *j = NULL;
		struct rd content;

		assert_int_equal(jose_parse(string(v, "text"), &j), OK);
		assert_string_equal(jose_alg_name(jose_header(j, 0)->alg), jose_alg_name(jose_alg_of(string(v, "alg"))));
		if (json_get(v, "kid"))
			assert_true(rd_equal(jose_header(j, 0)->kid, string(v, "kid")));
		assert_int_equal(take(j, k, &everything, &w), OK);
		assert_true(wr_done(&w, &content) && rd_equal(content, string(v, "content")));
		but_this.algs &= ~JOSE_MAY(jose_header(j, 0)->alg);
		assert_int_equal(take(j, k, &but_this, &w), ERR_NOT_PERMITTED);
		assert_null(jose_header(j, 1));
		jose_free(j);
		wr_free(&w);
		jose_key_free(k);
	}
}

/* No octet of a text may be another one, and none may be missing at the end. */
static void refuses_every_change_of_the_published_examples(void **state)
{
	(void)state;
	for (const struct json *v = json_get(vectors, "good")->first; v; v = v->next) {
		struct jose_key *k = key_of(v);
		struct rd text = string(v, "text");
		bool is_json = rd_starts(text, "{");
		char *changed = rd_strdup(text);

		assert_non_null(changed);
		for (size_t i = 0; i < text.left; i++) {
			struct wr w = wr_new(4096);
			char was = changed[i];

			/* In JSON the names of members that mean nothing may change; the values of those that count are in base64url. */
			changed[i] = was == 'A' ? 'B' : 'A';
			if (!is_json && take_text(rd_of(changed, text.left), k, &everything, &w) == OK)
				fail_msg("octet %zu may be changed", i);
			assert_true(w.len == 0 || is_json);
			changed[i] = was;
			wr_free(&w);
		}
		for (size_t n = 0; n < text.left; n++) {
			struct wr w = wr_new(4096);
			uint8_t *cut = malloc(n ? n : 1);

			memcpy(cut, text.at, n);
			if (take_text(rd_of(cut, n), k, &everything, &w) == OK)
				fail_msg("the first %zu octets are enough", n);
			free(cut);
			wr_free(&w);
		}
		free(changed);
		jose_key_free(k);
	}
}

static void refuses_what_must_be_refused(void **state)
{
	struct jose *j = NULL;
	char *text;

	(void)state;
	for (const struct json *v = json_get(vectors, "refused")->first; v; v = v->next) {
		enum err e = jose_parse(string(v, "text"), &j);

		if (!rd_is(string(v, "error"), err_name(e)))
			fail_msg("%.*s: %s", (int)string(v, "name").left, (const char *)string(v, "name").at, err_name(e));
	}
	text = calloc(1, JOSE_TEXT_MAX + 1);
	assert_int_equal(jose_parse(rd_of(text, JOSE_TEXT_MAX + 1), &j), ERR_TOO_LONG);
	memset(text, 'A', JOSE_HEADER_MAX + 8);
	memcpy(text + JOSE_HEADER_MAX + 4, ".YQ.YQ", 6);
	assert_int_equal(jose_parse(rd_of(text, JOSE_HEADER_MAX + 10), &j), ERR_TOO_LONG);
	assert_null(j);
	free(text);
}

static void wraps_keys_as_rfc_3394(void **state)
{
	(void)state;
	for (const struct json *v = json_get(vectors, "key_wrap")->first; v; v = v->next) {
		struct secret *kek = secret(v, "kek"), *key = secret(v, "key"), *back = NULL;
		uint8_t want[64], got[64];
		size_t n = octets(v, "wrapped", want, sizeof want);
		struct wr w = wr_of(got, sizeof got);
		struct rd out;

		assert_int_equal(key_wrap(kek, key, &w), OK);
		assert_true(wr_done(&w, &out) && rd_equal(out, rd_of(want, n)));
		assert_int_equal(key_unwrap(kek, out, &back), OK);
		assert_true(secret_equal(back, key));
		got[3] ^= 1;
		assert_int_equal(key_unwrap(kek, out, &back), ERR_BAD_MIC);
		assert_int_equal(key_unwrap(kek, rd_of(got, n - 1), &back), ERR_MALFORMED);
		secret_free(kek);
		secret_free(key);
		secret_free(back);
	}
}

static void agrees_on_keys_as_rfc_7518(void **state)
{
	const struct json *v = json_get(vectors, "concat_kdf");
	struct ecdh_point point = {.curve = ECDH_P256};
	struct ecdh_info info = {string(v, "algorithm"), string(v, "apu"), string(v, "apv")};
	struct secret *key = NULL, *want = secret(v, "key");
	uint8_t own[32];

	(void)state;
	octets(v, "epk_x", point.x, sizeof point.x);
	octets(v, "epk_y", point.y, sizeof point.y);
	octets(v, "d", own, sizeof own);
	assert_int_equal(ecdh_open(ECDH_P256, rd_of(own, sizeof own), &point, &info, 16, &key), OK);
	assert_true(secret_equal(key, want));
	secret_free(key);
	key = NULL;
	assert_int_equal(ecdh_open(ECDH_P384, rd_of(own, sizeof own), &point, &info, 16, &key), ERR_BAD_VALUE);
	point.y[31] ^= 1; /* not on the curve: the invalid-curve attack */
	assert_false(ecdh_point_valid(&point));
	assert_int_equal(ecdh_open(ECDH_P256, rd_of(own, sizeof own), &point, &info, 16, &key), ERR_BAD_VALUE);
	assert_null(key);
	secret_free(want);
}

/* ---- what is written can be read ---- */

static const enum jose_form forms[] = {JOSE_COMPACT, JOSE_FLATTENED, JOSE_GENERAL};
static const enum jose_enc encs[] = {JOSE_A128GCM, JOSE_A192GCM, JOSE_A256GCM};

static void seal_and_open(enum jose_alg alg, enum jose_enc enc, enum jose_form form, const struct jose_key *to, const struct jose_key *own, const struct jose_key *wrong)
{
	struct jose_party party = {alg, rd_str("a \"key\""), to};
	struct jose_making how = {form, enc, &party, 1, NULL, "json", rd_str("\"ori\":\"u1\"")};
	struct wr text = wr_new(65536), plain = wr_new(4096);
	struct jose *j = NULL;
	struct rd out;
	enum err e;

	assert_int_equal(jose_encrypt(&how, rd_str(HELLO), &rng, &text), OK);
	assert_true(wr_done(&text, &out));
	assert_null(memmem(out.at, out.left, HELLO, 5));
	assert_int_equal(jose_parse(out, &j), OK);
	assert_true(jose_is_encrypted(j) && jose_header(j, 0)->alg == alg && jose_header(j, 0)->enc == enc);
	assert_true(rd_is(jose_header(j, 0)->kid, "a \"key\"") && rd_is(jose_header(j, 0)->cty, "json"));
	assert_true(json_is_string(json_get(jose_header(j, 0)->protected, "ori"), "u1"));
	assert_int_equal(jose_open(j, 0, own, &everything, &rng, &plain), OK);
	assert_true(wr_done(&plain, &out) && rd_is(out, HELLO));
	wr_reset(&plain);
	e = jose_open(j, 0, wrong, &everything, &rng, &plain);
	assert_true(e == ERR_BAD_MIC && plain.len == 0);
	assert_int_equal(jose_open(j, 1, own, &everything, &rng, &plain), ERR_NOT_FOUND);
	assert_int_equal(jose_verify(j, 0, own, &everything, &out), ERR_STATE);
	jose_free(j);
	wr_free(&text);
	wr_free(&plain);
}

static struct jose_key *made(gnutls_pk_algorithm_t pk, unsigned bits, struct jose_key **public_key, char *pem_out)
{
	gnutls_x509_privkey_t p;
	gnutls_privkey_t abstract;
	gnutls_pubkey_t pub;
	gnutls_datum_t pem;
	struct jose_key *k = NULL;

	assert_int_equal(gnutls_x509_privkey_init(&p), 0);
	assert_int_equal(gnutls_x509_privkey_generate(p, pk, bits, 0), 0);
	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(p, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem), 0);
	assert_int_equal(jose_key_parse(rd_of(pem.data, pem.size), &k), OK);
	gnutls_free(pem.data);
	gnutls_privkey_init(&abstract);
	gnutls_pubkey_init(&pub);
	assert_int_equal(gnutls_privkey_import_x509(abstract, p, 0), 0);
	assert_int_equal(gnutls_pubkey_import_privkey(pub, abstract, 0, 0), 0);
	assert_int_equal(gnutls_pubkey_export2(pub, GNUTLS_X509_FMT_PEM, &pem), 0);
	assert_int_equal(jose_key_parse(rd_of(pem.data, pem.size), public_key), OK);
	if (pem_out) {
		assert_true(pem.size < PEM_MAX);
		memcpy(pem_out, pem.data, pem.size);
		pem_out[pem.size] = 0;
	}
	gnutls_free(pem.data);
	gnutls_pubkey_deinit(pub);
	gnutls_privkey_deinit(abstract);
	gnutls_x509_privkey_deinit(p);
	return k;
}

static void opens_what_it_sealed(void **state)
{
	static const struct {
		enum jose_alg alg;
		size_t octets;
	} wraps[] = {{JOSE_A128KW, 16}, {JOSE_A192KW, 24}, {JOSE_A256KW, 32}};
	static const enum jose_alg agreements[] = {JOSE_ECDH_ES_A128KW, JOSE_ECDH_ES_A192KW, JOSE_ECDH_ES_A256KW};
	struct jose_key *other_public, *other = made(GNUTLS_PK_RSA, 2048, &other_public, NULL);

	(void)state;
	for (size_t f = 0; f < 3; f++)
		for (size_t i = 0; i < 3; i++) {
			struct jose_key *dir = symmetric(jose_enc_octets(encs[i])), *no = symmetric(jose_enc_octets(encs[i]));

			seal_and_open(JOSE_DIR, encs[i], forms[f], dir, dir, no);
			jose_key_free(dir);
			jose_key_free(no);
			for (size_t k = 0; k < 3; k++) {
				struct jose_key *kw = symmetric(wraps[k].octets), *wrong = symmetric(wraps[k].octets), *wrong_public, *wrong_ec;

				seal_and_open(wraps[k].alg, encs[i], forms[f], kw, kw, wrong);
				jose_key_free(kw);
				jose_key_free(wrong);
				wrong_ec = made(GNUTLS_PK_ECDSA, k == 0 ? GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1) : k == 1 ? GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1) : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1), &wrong_public, NULL);
				seal_and_open(agreements[k], encs[i], forms[f], ec_public[k], ec[k], wrong_ec);
				jose_key_free(wrong_ec);
				jose_key_free(wrong_public);
			}
			seal_and_open(JOSE_RSA_OAEP_256, encs[i], forms[f], rsa_public, rsa, other);
		}
	jose_key_free(other);
	jose_key_free(other_public);
}

static void seals_for_several(void **state)
{
	struct jose_key *kw = symmetric(16);
	struct jose_party parties[] = {{JOSE_A128KW, rd_str("one"), kw}, {JOSE_ECDH_ES_A256KW, rd_str("two"), ec_public[0]}, {JOSE_RSA_OAEP_256, rd_str("three"), rsa_public}};
	const struct jose_key *own[] = {kw, ec[0], rsa};
	struct jose_making how = {JOSE_GENERAL, JOSE_A256GCM, parties, 3, NULL, NULL, rd_str("")};
	struct wr text = wr_new(65536), plain = wr_new(4096);
	struct jose *j = NULL;
	struct rd out;

	(void)state;
	assert_int_equal(jose_encrypt(&how, rd_str(HELLO), &rng, &text), OK);
	assert_true(wr_done(&text, &out));
	assert_int_equal(jose_parse(out, &j), OK);
	assert_int_equal(jose_parts(j), 3);
	for (size_t i = 0; i < 3; i++) {
		wr_reset(&plain);
		assert_true(rd_equal(jose_header(j, i)->kid, parties[i].kid));
		assert_int_equal(jose_open(j, i, own[i], &everything, &rng, &plain), OK);
		assert_true(wr_done(&plain, &out) && rd_is(out, HELLO));
		assert_int_equal(jose_open(j, i, own[(i + 1) % 3], &everything, &rng, &plain), ERR_BAD_VALUE);
	}
	jose_free(j);
	how.form = JOSE_FLATTENED;
	assert_int_equal(jose_encrypt(&how, rd_str(HELLO), &rng, &text), ERR_BAD_VALUE);
	how.form = JOSE_GENERAL;
	parties[0].alg = JOSE_DIR;
	assert_int_equal(jose_encrypt(&how, rd_str(HELLO), &rng, &text), ERR_BAD_VALUE);
	parties[0].alg = JOSE_HS256;
	assert_int_equal(jose_encrypt(&how, rd_str(HELLO), &rng, &text), ERR_BAD_VALUE);
	jose_key_free(kw);
	wr_free(&text);
	wr_free(&plain);
}

static void sign_and_verify(enum jose_alg alg, enum jose_form form, const struct jose_key *own, const struct jose_key *public_key)
{
	struct jose_party party = {alg, rd_str("k"), own};
	struct jose_making how = {form, JOSE_NO_ENC, &party, 1, "JWT", NULL, rd_str("")};
	struct wr text = wr_new(65536);
	struct jose *j = NULL;
	struct rd out, payload;

	assert_int_equal(jose_sign(&how, rd_str(HELLO), &text), OK);
	assert_true(wr_done(&text, &out));
	assert_int_equal(jose_parse(out, &j), OK);
	assert_true(!jose_is_encrypted(j) && rd_is(jose_header(j, 0)->typ, "JWT"));
	assert_int_equal(jose_verify(j, 0, public_key, &everything, &payload), OK);
	assert_true(rd_is(payload, HELLO));
	jose_free(j);
	wr_free(&text);
}

static void verifies_what_it_signed(void **state)
{
	static const enum jose_alg hs[] = {JOSE_HS256, JOSE_HS384, JOSE_HS512}, rs[] = {JOSE_RS256, JOSE_RS384, JOSE_RS512}, es[] = {JOSE_ES256, JOSE_ES384, JOSE_ES512};
	struct jose_key *k = symmetric(64);

	(void)state;
	for (size_t f = 0; f < 3; f++)
		for (size_t i = 0; i < 3; i++) {
			sign_and_verify(hs[i], forms[f], k, k);
			sign_and_verify(rs[i], forms[f], rsa, rsa_public);
			sign_and_verify(es[i], forms[f], ec[i], ec_public[i]);
		}
	jose_key_free(k);
}

/* ---- keys that do not fit ---- */

static enum err signs(enum jose_alg alg, const struct jose_key *k)
{
	struct jose_party party = {alg, rd_str(""), k};
	struct jose_making how = {JOSE_COMPACT, JOSE_NO_ENC, &party, 1, NULL, NULL, rd_str("")};
	struct wr text = wr_new(65536);
	enum err e = jose_sign(&how, rd_str(HELLO), &text);

	wr_free(&text);
	return e;
}

static enum err seals(enum jose_alg alg, enum jose_enc enc, const struct jose_key *k)
{
	struct jose_party party = {alg, rd_str(""), k};
	struct jose_making how = {JOSE_COMPACT, enc, &party, 1, NULL, NULL, rd_str("")};
	struct wr text = wr_new(65536);
	enum err e = jose_encrypt(&how, rd_str(HELLO), &rng, &text);

	wr_free(&text);
	return e;
}

static void takes_one_kind_of_key_for_an_algorithm(void **state)
{
	struct jose_key *k16 = symmetric(16), *k32 = symmetric(32), *k = NULL;

	(void)state;
	assert_int_equal(signs(JOSE_HS256, k16), ERR_BAD_VALUE); /* shorter than the hash */
	assert_int_equal(signs(JOSE_HS256, k32), OK);
	assert_int_equal(signs(JOSE_HS384, k32), ERR_BAD_VALUE);
	assert_int_equal(signs(JOSE_HS256, rsa_public), ERR_BAD_VALUE);
	assert_int_equal(signs(JOSE_ES256, k32), ERR_BAD_VALUE);
	assert_int_equal(signs(JOSE_ES256, ec_public[0]), ERR_BAD_VALUE);
	assert_int_equal(signs(JOSE_ES256, ec[1]), ERR_BAD_VALUE); /* a key of P-384 */
	assert_int_equal(signs(JOSE_RS256, ec[0]), ERR_BAD_VALUE);
	assert_int_equal(signs(JOSE_ES256, rsa), ERR_BAD_VALUE);
	assert_int_equal(signs(JOSE_NO_ALG, k32), ERR_BAD_VALUE);
	assert_int_equal(signs(JOSE_DIR, k32), ERR_BAD_VALUE);
	assert_int_equal(seals(JOSE_DIR, JOSE_A128GCM, k32), ERR_BAD_VALUE);
	assert_int_equal(seals(JOSE_DIR, JOSE_NO_ENC, k32), ERR_BAD_VALUE);
	assert_int_equal(seals(JOSE_A128KW, JOSE_A128GCM, k32), ERR_BAD_VALUE);
	assert_int_equal(seals(JOSE_RSA_OAEP_256, JOSE_A128GCM, ec_public[0]), ERR_BAD_VALUE);
	assert_int_equal(seals(JOSE_ECDH_ES_A128KW, JOSE_A128GCM, rsa_public), ERR_BAD_VALUE);
	assert_int_equal(seals(JOSE_HS256, JOSE_A128GCM, k32), ERR_BAD_VALUE);
	assert_int_equal(jose_key_parse(rd_str("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), &k), ERR_MALFORMED);
	assert_int_equal(jose_key_parse(rd_str("no key"), &k), ERR_MALFORMED);
	assert_null(k);
	jose_key_free(k16);
	jose_key_free(k32);
}

static void refuses_short_rsa_keys(void **state)
{
	gnutls_x509_privkey_t p;
	gnutls_datum_t pem;
	struct jose_key *k = NULL;

	(void)state;
	assert_int_equal(gnutls_x509_privkey_init(&p), 0);
	assert_int_equal(gnutls_x509_privkey_generate(p, GNUTLS_PK_RSA, 1024, 0), 0);
	assert_int_equal(gnutls_x509_privkey_export2(p, GNUTLS_X509_FMT_PEM, &pem), 0);
	assert_int_equal(jose_key_parse(rd_of(pem.data, pem.size), &k), ERR_UNSUPPORTED);
	gnutls_free(pem.data);
	gnutls_x509_privkey_deinit(p);
}

/* The classic: the public key, which everybody has, taken for the key of an HMAC. */
static void does_not_take_a_public_key_for_an_hmac_key(void **state)
{
	char as_text[64];
	struct secret *s;
	struct jose_key *forger;
	struct jose_party party = {JOSE_HS256, rd_str("issuer"), NULL};
	struct jose_making how = {JOSE_COMPACT, JOSE_NO_ENC, &party, 1, NULL, NULL, rd_str("")};
	struct wr text = wr_new(65536);
	struct rd out;

	(void)state;
	memcpy(as_text, rsa_public_pem, sizeof as_text);
	s = secret_take(as_text, sizeof as_text);
	forger = jose_key_secret(s);
	party.key = forger;
	assert_int_equal(jose_sign(&how, rd_str("{}"), &text), OK);
	assert_true(wr_done(&text, &out));
	assert_int_equal(take_text(out, rsa_public, &everything, &text), ERR_BAD_VALUE);
	wr_free(&text);
	jose_key_free(forger);
	secret_free(s);
}

static void has_no_algorithm_none(void **state)
{
	static const char *const texts[] = {
		"eyJhbGciOiJub25lIn0.e30.",     /* none */
		"eyJhbGciOiJOb25lIn0.e30.",     /* None */
		"eyJhbGciOiJIUzI1NiJ9.e30.",    /* HS256 without a code */
		"eyJhbGciOiJQUzI1NiJ9.e30.YQ",  /* PS256, which we do not have */
	};
	struct jose_key *k = symmetric(32);
	struct wr w = wr_new(64);

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(take_text(rd_str(texts[i]), k, &everything, &w), i == 2 ? ERR_BAD_MIC : ERR_UNSUPPORTED);
	wr_free(&w);
	jose_key_free(k);
}

/* ---- tokens ---- */

static const struct jose_key *find(void *ctx, const struct jose_header *h, bool encrypted)
{
	struct jose_key **keys = ctx;

	return rd_is(h->kid, "none here") ? NULL : keys[encrypted];
}

static struct wr token(enum jose_alg sign, const struct jose_key *signer, const struct jose_key *sealer, const char *cty, const char *claims)
{
	struct jose_party s = {sign, rd_str("issuer"), signer}, k = {JOSE_A128KW, rd_str("here"), sealer};
	struct jose_making signing = {JOSE_COMPACT, JOSE_NO_ENC, &s, 1, "JWT", NULL, rd_str("")};
	struct jose_making sealing = {JOSE_COMPACT, JOSE_A128GCM, &k, 1, NULL, cty, rd_str("")};
	struct wr inner = wr_new(65536), outer = wr_new(65536);
	struct rd out = rd_str(claims);

	if (signer) {
		assert_int_equal(jose_sign(&signing, rd_str(claims), &inner), OK);
		assert_true(wr_done(&inner, &out));
	}
	if (!sealer)
		return inner;
	assert_int_equal(jose_encrypt(&sealing, out, &rng, &outer), OK);
	wr_free(&inner);
	return outer;
}

static void opens_tokens(void **state)
{
	struct jose_key *kw = symmetric(16), *keys[2] = {ec_public[0], kw};
	struct jwt_policy policy = {.allowed = everything, .find = find, .ctx = keys, .rng = &rng};
	struct {
		struct wr text;
		bool is_signed, is_encrypted;
		enum err e;
	} cases[] = {
		{token(JOSE_ES256, ec[0], NULL, NULL, "{\"iss\":\"das\"}"), true, false, OK},
		{token(JOSE_NO_ALG, NULL, kw, NULL, "{\"iss\":\"das\"}"), false, true, OK},
		{token(JOSE_ES256, ec[0], kw, "JWT", "{\"iss\":\"das\"}"), true, true, OK},
		{token(JOSE_ES256, ec[0], NULL, NULL, "[1]"), true, false, ERR_MALFORMED},
		{token(JOSE_ES256, ec[0], NULL, NULL, "{"), true, false, ERR_MALFORMED},
		/* A signed text within, of which the outside does not say so, is no object. */
		{token(JOSE_ES256, ec[0], kw, NULL, "{}"), true, true, ERR_MALFORMED},
		{token(JOSE_ES384, ec[1], NULL, NULL, "{}"), true, false, ERR_BAD_VALUE},
	};
	struct jwt t;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rd text;

		assert_true(wr_done(&cases[i].text, &text));
		assert_int_equal(jwt_open(text, &policy, &t), cases[i].e);
		if (cases[i].e == OK) {
			assert_true(t.is_signed == cases[i].is_signed && t.is_encrypted == cases[i].is_encrypted);
			assert_true(t.by_public_key == cases[i].is_signed);
			assert_string_equal(t.signer, t.is_signed ? "issuer" : "");
			assert_true(json_is_string(json_get(t.claims, "iss"), "das"));
			jwt_clear(&t);
		}
		wr_free(&cases[i].text);
	}
	keys[0] = NULL;
	assert_int_equal(jwt_open(rd_str("eyJhbGciOiJFUzI1NiJ9.e30.YQ"), &policy, &t), ERR_UNKNOWN_KEY);
	jose_key_free(kw);
}

static void refuses_a_token_that_is_sealed_twice(void **state)
{
	struct jose_key *kw = symmetric(16), *keys[2] = {ec_public[0], kw};
	struct jwt_policy policy = {.allowed = everything, .find = find, .ctx = keys, .rng = &rng};
	struct wr once = token(JOSE_NO_ALG, NULL, kw, NULL, "{}"), twice;
	struct rd text;
	struct jwt t;

	(void)state;
	wr_u8(&once, 0);
	twice = token(JOSE_NO_ALG, NULL, kw, "JWT", (const char *)once.octets);
	assert_true(wr_done(&twice, &text));
	assert_int_equal(jwt_open(text, &policy, &t), ERR_MALFORMED);
	wr_free(&once);
	wr_free(&twice);
	jose_key_free(kw);
}

static int load(void **state)
{
	static const unsigned curves[] = {GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1), GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1)};
	FILE *f = fopen(TEST_SOURCE_ROOT "/tests/vectors/jose.json", "rb");
	size_t n;

	(void)state;
	rng = rng_seeded(7);
	file = calloc(1, 1 << 16);
	if (!f || !file)
		return -1;
	n = fread(file, 1, 1 << 16, f);
	fclose(f);
	arena = json_arena_new();
	rsa = made(GNUTLS_PK_RSA, 2048, &rsa_public, rsa_public_pem);
	for (size_t i = 0; i < 3; i++)
		ec[i] = made(GNUTLS_PK_ECDSA, curves[i], &ec_public[i], NULL);
	return json_parse(arena, rd_of(file, n), NULL, &vectors) == OK ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_arena_free(arena);
	free(file);
	jose_key_free(rsa);
	jose_key_free(rsa_public);
	for (size_t i = 0; i < 3; i++) {
		jose_key_free(ec[i]);
		jose_key_free(ec_public[i]);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_the_published_examples),
		cmocka_unit_test(refuses_every_change_of_the_published_examples),
		cmocka_unit_test(refuses_what_must_be_refused),
		cmocka_unit_test(wraps_keys_as_rfc_3394),
		cmocka_unit_test(agrees_on_keys_as_rfc_7518),
		cmocka_unit_test(opens_what_it_sealed),
		cmocka_unit_test(seals_for_several),
		cmocka_unit_test(verifies_what_it_signed),
		cmocka_unit_test(takes_one_kind_of_key_for_an_algorithm),
		cmocka_unit_test(refuses_short_rsa_keys),
		cmocka_unit_test(does_not_take_a_public_key_for_an_hmac_key),
		cmocka_unit_test(has_no_algorithm_none),
		cmocka_unit_test(opens_tokens),
		cmocka_unit_test(refuses_a_token_that_is_sealed_twice),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
