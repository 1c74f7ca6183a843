/* Credential-IDs, usage identifiers, key identifiers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "security/credential.h"

static void reads_and_writes_credential_ids(void **state)
{
	static const struct {
		const char *text;
		enum err e;
	} cases[] = {
		{"10-thiskey@mymef.com", OK},
		{"12-00112233445566778899AABBCCDDEEFF@maf.keyway.example", OK},
		{"55-nih.sha-256-120", OK},
		{"", ERR_MALFORMED},
		{"10", ERR_MALFORMED},
		{"10-", ERR_MALFORMED},
		{"-x", ERR_MALFORMED},
		{"010-x", ERR_MALFORMED},
		{"9-x", ERR_MALFORMED},
		{"10-a b", ERR_MALFORMED},
		{"10-a/b", ERR_MALFORMED},
		{"10-\xc3\xa9", ERR_MALFORMED},
		{"17-x", ERR_UNSUPPORTED},
		{"29-x", ERR_UNSUPPORTED},
		{"56-x", ERR_UNSUPPORTED},
	};
	struct credential_id id;
	char text[CREDENTIAL_ID_MAX], longest[CREDENTIAL_ID_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (credential_id_parse(rd_str(cases[i].text), &id) != cases[i].e)
			fail_msg("%s", cases[i].text);
		if (cases[i].e != OK)
			continue;
		assert_int_equal(credential_id_print(id.type, id.value, text), OK);
		assert_string_equal(text, cases[i].text);
	}
	memset(longest, 'a', sizeof longest);
	memcpy(longest, "10-", 3);
	assert_int_equal(credential_id_parse(rd_of(longest, CREDENTIAL_ID_MAX - 1), &id), OK);
	assert_int_equal(credential_id_print(id.type, id.value, text), OK);
	assert_int_equal(credential_id_parse(rd_of(longest, CREDENTIAL_ID_MAX), &id), ERR_TOO_LONG);
	assert_int_equal(credential_id_print(CREDENTIAL_KPM, rd_of(longest + 3, CREDENTIAL_ID_MAX - 3), text), ERR_TOO_LONG);
	assert_int_equal(credential_id_print((enum credential_type)17, rd_str("x"), text), ERR_BAD_VALUE);
	assert_int_equal(credential_id_print(CREDENTIAL_KPM, rd_str("a b"), text), ERR_BAD_VALUE);
}

static void names_a_gba_key(void **state)
{
	char text[CREDENTIAL_ID_MAX];

	(void)state;
	assert_int_equal(credential_id_of_key(CREDENTIAL_KM, rd_str("I1U8+pY3qJ0h/uZNrke0NQ==@bsf.example.org"), text), OK);
	assert_string_equal(text, "11-I1U8-pY3qJ0h_uZNrke0NQ@bsf.example.org");
	assert_int_equal(credential_id_of_key(CREDENTIAL_KM, rd_str("x"), text), ERR_MALFORMED);
}

static void compares_without_case_where_the_text_says_so(void **state)
{
	(void)state;
	assert_true(key_id_equal(rd_str("00112233445566778899aabbccddeeff@MAF.example"), rd_str("00112233445566778899AABBCCDDEEFF@maf.Example"), false));
	assert_false(key_id_equal(rd_str("Kpsa-1@maf.example"), rd_str("kpsa-1@maf.example"), false));
	assert_true(key_id_equal(rd_str("Km-1@maf.example"), rd_str("km-1@maf.example"), true));
	assert_false(key_id_equal(rd_str("a@maf.example"), rd_str("a@maf2.example"), true));
	assert_false(key_id_equal(rd_str("a"), rd_str("a"), true));
	assert_true(credential_id_equal(rd_str("11-Km-1@maf.example"), rd_str("11-km-1@MAF.example")));
	assert_false(credential_id_equal(rd_str("12-Km-1@maf.example"), rd_str("12-km-1@maf.example")));
	assert_false(credential_id_equal(rd_str("12-a@maf.example"), rd_str("13-a@maf.example")));
	assert_true(credential_id_equal(rd_str("30-hash"), rd_str("30-hash")));
	assert_false(credential_id_equal(rd_str("30-hash"), rd_str("30-HASH")));
}

static void splits_key_ids(void **state)
{
	static const struct {
		const char *text;
		enum err e;
	} cases[] = {
		{"a@b", OK},
		{"I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example.org", OK},
		{"a@b.c-d.e1", OK},
		{"a", ERR_MALFORMED},
		{"@b", ERR_MALFORMED},
		{"a@", ERR_MALFORMED},
		{"a@b@c", ERR_MALFORMED},
		{"a b@c", ERR_MALFORMED},
		{"a@-b", ERR_MALFORMED},
		{"a@b-", ERR_MALFORMED},
		{"a@b-.c", ERR_MALFORMED},
		{"a@b..c", ERR_MALFORMED},
		{"a@.b", ERR_MALFORMED},
		{"a@b.", ERR_MALFORMED},
		{"a@b/c", ERR_MALFORMED},
		{"a@b_c", ERR_MALFORMED},
		{"a@\xc3\xa9.fr", ERR_BAD_VALUE},
	};
	struct key_id id;
	char label[80] = "a@";

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (key_id_split(rd_str(cases[i].text), &id) != cases[i].e)
			fail_msg("%s", cases[i].text);
	memset(label + 2, 'x', 64);
	assert_int_equal(key_id_split(rd_of(label, 2 + 63), &id), OK);
	assert_int_equal(key_id_split(rd_of(label, 2 + 64), &id), ERR_MALFORMED);
}

static void prints_relative_ids_in_upper_case_and_reads_any(void **state)
{
	static const uint8_t octets[KEY_ID_RELATIVE_OCTETS] = {0x00, 0x1a, 0xff, [15] = 0xc3};
	uint8_t back[KEY_ID_RELATIVE_OCTETS];
	char text[KEY_ID_MAX];
	struct key_id id;

	(void)state;
	assert_int_equal(key_id_print(octets, rd_str("mef.keyway.example"), text), OK);
	assert_string_equal(text, "001AFF000000000000000000000000C3@mef.keyway.example");
	assert_int_equal(key_id_split(rd_str(text), &id), OK);
	assert_true(key_id_octets(&id, back));
	assert_memory_equal(back, octets, sizeof back);
	assert_int_equal(key_id_split(rd_str("001a@b"), &id), OK);
	assert_false(key_id_octets(&id, back));
	assert_int_equal(key_id_print(octets, rd_str("no name"), text), ERR_BAD_VALUE);
}

static void knows_every_usage(void **state)
{
	static const int known[] = {10, 11, 12, 13, 14, 15, 21, 22, 23, 24, 25, 32, 33, 34, 35, 40, 41, 42, 43, 44, 45};
	enum credential_type type;
	enum suid suid;
	size_t found = 0;

	(void)state;
	for (uint64_t n = 0; n < 300; n++) {
		enum err e = suid_parse(n, &suid);

		if (found < sizeof known / sizeof *known && n == (uint64_t)known[found]) {
			assert_int_equal(e, OK);
			assert_int_not_equal(suid_family(suid), SUID_FAMILY_NONE);
			assert_int_not_equal(suid_usage(suid), SUID_USAGE_NONE);
			found++;
		} else {
			assert_int_equal(e, ERR_BAD_VALUE);
		}
	}
	assert_true(suid_targets_fit(SUID_MAF_SAEF, 1));
	assert_false(suid_targets_fit(SUID_MAF_SAEF, 0));
	assert_false(suid_targets_fit(SUID_RSPF_ESPRIM, 2));
	assert_true(suid_targets_fit(SUID_RSPF_ESDATA_ENC, 5));
	assert_false(suid_targets_fit(SUID_MAF_ESDATA_SIG, 0));
	assert_true(suid_targets_fit(SUID_RSPF_MAF, 0));
	assert_true(suid_credential_type(SUID_MAF_SAEF, &type));
	assert_int_equal(type, CREDENTIAL_KPSA_OR_KC);
	assert_true(suid_credential_type(SUID_RSPF_MAF, &type));
	assert_int_equal(type, CREDENTIAL_KM);
	assert_false(suid_credential_type(SUID_CERT_SAEF, &type));
	assert_false(suid_credential_type(SUID_NONE, &type));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_credential_ids),
		cmocka_unit_test(names_a_gba_key),
		cmocka_unit_test(compares_without_case_where_the_text_says_so),
		cmocka_unit_test(splits_key_ids),
		cmocka_unit_test(prints_relative_ids_in_upper_case_and_reads_any),
		cmocka_unit_test(knows_every_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
