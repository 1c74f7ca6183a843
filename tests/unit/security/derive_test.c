/* Every derivation against tests/vectors/derivations.json, which a program in another language computed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/kdf.h"
#include "crypto/kdf_3gpp.h"
#include "json/json.h"
#include "keys/secret_octets.h"
#include "security/derive.h"

#define TEXT_MAX 512

static char *file;
static struct json_arena *arena;
static const struct json *vectors;

#define EACH(v, list) \
	assert_true(json_get(vectors, list)->count > 0); \
	for (const struct json *v = json_get(vectors, list)->first; v; v = v->next)

struct octets {
	uint8_t at[TEXT_MAX];
	size_t len;
};

static struct octets hex(const struct json *v, const char *name)
{
	struct octets o = {.len = 0};
	struct rd text;

	if (!json_string(json_get(v, name), &text) || !hex_parse_loose(text, o.at, sizeof o.at, &o.len))
		fail_msg("vector has no hexadecimal `%s`", name);
	return o;
}

static struct rd string(const struct json *v, const char *name)
{
	struct rd text = {NULL, 0};

	if (!json_string(json_get(v, name), &text))
		fail_msg("vector has no `%s`", name);
	return text;
}

static uint64_t number(const struct json *v, const char *name)
{
	uint64_t n = 0;

	assert_true(json_uint(json_get(v, name), &n));
	return n;
}

static struct secret *key(const struct json *v, const char *name)
{
	struct octets o = hex(v, name);
	struct secret *s = secret_take(o.at, o.len);

	assert_non_null(s);
	return s;
}

/* Frees the secret. */
static void equal(struct secret *s, const struct json *v, const char *name)
{
	struct octets want = hex(v, name);

	assert_non_null(s);
	if (!rd_equal(rd_of(secret_octets(s), secret_len(s)), rd_of(want.at, want.len)))
		fail_msg("`%s` differs", name);
	secret_free(s);
}

static void splits_what_an_exporter_gave(void **state)
{
	(void)state;
	EACH(v, "export")
	{
		struct secret *exported = key(v, "exported"), *k = NULL, *longer;
		struct octets id = hex(v, "relative_id");
		uint8_t relative[KEY_ID_RELATIVE_OCTETS], more[49] = {0};
		char text[KEY_ID_MAX];

		assert_int_equal(derive_from_export(exported, relative, &k), OK);
		assert_memory_equal(relative, id.at, sizeof relative);
		equal(k, v, "key");
		assert_int_equal(key_id_print(relative, rd_str("maf.keyway.example"), text), OK);
		assert_true(rd_is(string(v, "key_id"), text));
		longer = secret_take(more, sizeof more);
		assert_int_equal(derive_from_export(longer, relative, &k), ERR_BAD_VALUE);
		secret_free(longer);
		secret_free(exported);
	}
}

static void derives_from_the_enrolment_key(void **state)
{
	struct secret *out = NULL;

	(void)state;
	EACH(v, "km")
	{
		struct secret *ke = key(v, "ke");

		assert_int_equal(derive_km(ke, string(v, "maf_id"), &out), OK);
		equal(out, v, "km");
		secret_free(ke);
	}
	EACH(v, "kpsa")
	{
		struct secret *ke = key(v, "ke");

		assert_int_equal(derive_kpsa(ke, string(v, "b"), &out), OK);
		equal(out, v, "kpsa");
		secret_free(ke);
	}
	EACH(v, "usage")
	{
		struct secret *ke = key(v, "ke");
		enum suid suid = SUID_NONE;

		assert_int_equal(suid_parse(number(v, "suid"), &suid), OK);
		assert_int_equal(derive_usage_key(ke, suid, string(v, "target"), &out), OK);
		equal(out, v, "key");
		secret_free(ke);
	}
}

static void refuses_names_that_two_spellings_could_share(void **state)
{
	uint8_t octets[32] = {1}, few[16] = {1};
	struct secret *ke = secret_take(octets, sizeof octets), *shorter = secret_take(few, sizeof few), *out = NULL;

	(void)state;
	/* U+00C5 and U+0041 U+030A are one character after NFKC. */
	assert_int_equal(derive_km(ke, rd_str("maf-\xc3\x85.example"), &out), ERR_BAD_VALUE);
	assert_int_equal(derive_km(ke, rd_str("maf-A\xcc\x8a.example"), &out), ERR_BAD_VALUE);
	assert_int_equal(derive_km(ke, rd_str(""), &out), ERR_BAD_VALUE);
	assert_int_equal(derive_kpsa(ke, rd_str("/id in"), &out), ERR_BAD_VALUE);
	assert_int_equal(derive_kpsa(shorter, rd_str("/id-in"), &out), ERR_BAD_VALUE);
	assert_int_equal(derive_usage_key(ke, SUID_NONE, rd_str("maf.example"), &out), ERR_BAD_VALUE);
	/* "2" "1maf" and "21" "maf" must never be one text: a target begins where a known SUID ends, and is a domain name. */
	assert_int_equal(derive_usage_key(ke, (enum suid)2, rd_str("1maf.example"), &out), ERR_BAD_VALUE);
	assert_int_equal(derive_usage_key(ke, SUID_RSPF_MAF, rd_str("maf/example"), &out), ERR_BAD_VALUE);
	assert_null(out);
	secret_free(ke);
	secret_free(shorter);
}

static void derives_session_keys_of_esprim(void **state)
{
	struct secret *out = NULL;

	(void)state;
	EACH(v, "esprim")
	{
		struct secret *pairwise = key(v, "pairwise");

		assert_int_equal(derive_session_esprim(pairwise, string(v, "receiver"), string(v, "originator"), &out), OK);
		equal(out, v, "session");
		out = NULL;
		assert_int_equal(derive_session_esprim(pairwise, rd_str(""), string(v, "originator"), &out), ERR_BAD_VALUE);
		secret_free(pairwise);
	}
}

static void derives_the_four_end_to_end_keys(void **state)
{
	(void)state;
	EACH(v, "e2e")
	{
		struct secret *kpsa = key(v, "kpsa");
		struct octets salt = hex(v, "salt");
		struct derive_e2e keys;

		assert_int_equal(derive_e2e(kpsa, rd_of(salt.at, salt.len), &keys), OK);
		equal(keys.message_authentication, v, "message_authentication");
		equal(keys.message_confidentiality, v, "message_confidentiality");
		equal(keys.attribute_authenticity, v, "attribute_authenticity");
		equal(keys.attribute_confidentiality, v, "attribute_confidentiality");
		secret_free(kpsa);
	}
}

static void uses_the_first_octets_of_a_distributed_key(void **state)
{
	struct secret *out = NULL;

	(void)state;
	EACH(v, "use")
	{
		struct secret *k = key(v, "key");

		assert_int_equal(derive_for_use(k, number(v, "octets"), &out), OK);
		equal(out, v, "used");
		assert_int_equal(derive_for_use(k, 8, &out), ERR_BAD_VALUE);
		assert_int_equal(derive_for_use(k, 48, &out), ERR_BAD_VALUE);
		secret_free(k);
	}
}

static void extracts_and_expands_as_rfc_5869(void **state)
{
	struct secret *prk = NULL, *okm = NULL;

	(void)state;
	EACH(v, "hkdf")
	{
		struct secret *ikm = key(v, "ikm");
		struct octets salt = hex(v, "salt"), info = hex(v, "info"), want = hex(v, "prk");

		assert_int_equal(kdf_extract(rd_of(salt.at, salt.len), ikm, &prk), OK);
		assert_memory_equal(secret_octets(prk), want.at, want.len);
		want = hex(v, "okm");
		assert_int_equal(kdf_expand(prk, rd_of(info.at, info.len), want.len, &okm), OK);
		equal(okm, v, "okm");
		assert_int_equal(kdf_expand(prk, rd_of(info.at, info.len), SECRET_MAX + 1, &okm), ERR_BAD_VALUE);
		secret_free(prk);
		secret_free(ikm);
	}
}

static void derives_ks_naf_as_ts_33_220(void **state)
{
	struct secret *out = NULL;

	(void)state;
	EACH(v, "gba")
	{
		struct secret *ks = key(v, "ks");
		struct octets rand = hex(v, "rand"), ua = hex(v, "ua"), naf = {.len = 0};
		struct wr w = wr_of(naf.at, sizeof naf.at);
		struct rd naf_id;

		wr_rd(&w, string(v, "naf"));
		wr_copy(&w, ua.at, ua.len);
		assert_true(wr_done(&w, &naf_id));
		assert_int_equal(kdf_3gpp(ks, 0x01, (struct rd[]){string(v, "p0"), rd_of(rand.at, rand.len), string(v, "impi"), naf_id}, 4, &out), OK);
		equal(out, v, "ks_naf");
		secret_free(ks);
	}
}

static int load(void **state)
{
	FILE *f = fopen(TEST_SOURCE_ROOT "/tests/vectors/derivations.json", "rb");
	size_t n;

	(void)state;
	file = calloc(1, 1 << 16);
	if (!f || !file)
		return -1;
	n = fread(file, 1, 1 << 16, f);
	fclose(f);
	arena = json_arena_new();
	return json_parse(arena, rd_of(file, n), NULL, &vectors) == OK ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_arena_free(arena);
	free(file);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_what_an_exporter_gave),
		cmocka_unit_test(derives_from_the_enrolment_key),
		cmocka_unit_test(refuses_names_that_two_spellings_could_share),
		cmocka_unit_test(derives_session_keys_of_esprim),
		cmocka_unit_test(derives_the_four_end_to_end_keys),
		cmocka_unit_test(uses_the_first_octets_of_a_distributed_key),
		cmocka_unit_test(extracts_and_expands_as_rfc_5869),
		cmocka_unit_test(derives_ks_naf_as_ts_33_220),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
