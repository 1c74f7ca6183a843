/* MILENAGE against the sets of TS 35.208. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/milenage.h"
#include "keys/secret_octets.h"

static char name[128];
static struct value {
	const char *name;
	size_t len;
	uint8_t octets[16];
	bool given;
} values[] = {{"k", 16, {0}, false}, {"rand", 16, {0}, false}, {"sqn", 6, {0}, false}, {"amf", 2, {0}, false}, {"op", 16, {0}, false},
    {"opc", 16, {0}, false}, {"f1", 8, {0}, false}, {"f1*", 8, {0}, false}, {"f2", 8, {0}, false}, {"f5", 6, {0}, false}, {"f3", 16, {0}, false},
    {"f4", 16, {0}, false}, {"f5*", 6, {0}, false}};
#define VALUES (sizeof values / sizeof values[0])

static const uint8_t *of(const char *which)
{
	for (size_t i = 0; i < VALUES; i++)
		if (strcmp(values[i].name, which) == 0)
			return values[i].octets;
	fail_msg("no %s", which);
	return values[0].octets;
}

static struct secret *secret_value(const char *which)
{
	uint8_t copy[16];

	memcpy(copy, of(which), sizeof copy);
	return secret_take(copy, sizeof copy);
}

static void expect(const char *which, const void *octets, size_t len)
{
	if (memcmp(of(which), octets, len) != 0)
		fail_msg("%s of set %s differs", which, name);
}

/* One set: true when all its values were there. */
static bool complete(void)
{
	size_t n = 0;

	for (size_t i = 0; i < VALUES; i++)
		n += values[i].given;
	return n == VALUES;
}

static void run_set(void)
{
	struct secret *k = secret_value("k"), *op = secret_value("op"), *opc = NULL;
	struct milenage m = {k, NULL};
	struct milenage_keys keys;
	uint8_t mac_a[8], mac_s[8], ak[6];
	uint64_t sqn = 0;

	for (size_t i = 0; i < 6; i++)
		sqn = sqn << 8 | of("sqn")[i];
	assert_int_equal(milenage_opc(k, op, &opc), OK);
	expect("opc", secret_octets(opc), 16);
	m.opc = opc;
	milenage_mac(&m, of("rand"), sqn, (uint16_t)(of("amf")[0] << 8 | of("amf")[1]), mac_a, mac_s);
	expect("f1", mac_a, 8);
	expect("f1*", mac_s, 8);
	assert_int_equal(milenage_keys(&m, of("rand"), &keys), OK);
	assert_int_equal(secret_len(keys.res), 8);
	expect("f2", secret_octets(keys.res), 8);
	expect("f3", secret_octets(keys.ck), 16);
	expect("f4", secret_octets(keys.ik), 16);
	expect("f5", keys.ak, 6);
	milenage_ak_star(&m, of("rand"), ak);
	expect("f5*", ak, 6);
	milenage_keys_clear(&keys);
	secret_free(opc);
	secret_free(op);
	secret_free(k);
}

static void all_sets_of_ts_35_208(void **state)
{
	FILE *f = fopen(TEST_SOURCE_ROOT "/tests/vectors/milenage.txt", "r");
	char line[128];
	int sets = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "set ", 4) == 0) {
			snprintf(name, sizeof name, "%s", line + 4);
			for (size_t i = 0; i < VALUES; i++)
				values[i].given = false;
		}
		for (size_t i = 0; i < VALUES; i++) {
			size_t n = strlen(values[i].name);

			if (strncmp(line, values[i].name, n) == 0 && line[n] == ' ') {
				assert_true(hex_parse(rd_str(line + n + 1), values[i].octets, values[i].len));
				values[i].given = true;
				if (complete()) {
					run_set();
					sets++;
				}
			}
		}
	}
	fclose(f);
	assert_int_equal(sets, 7);
}

static void refuses_keys_of_another_length(void **state)
{
	uint8_t octets[24] = {0};
	struct secret *k = secret_take(octets, 16), *op = secret_take(octets, 24), *opc = NULL;

	(void)state;
	assert_int_equal(milenage_opc(k, op, &opc), ERR_BAD_VALUE);
	assert_int_equal(milenage_opc(op, k, &opc), ERR_BAD_VALUE);
	assert_null(opc);
	secret_free(k);
	secret_free(op);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_sets_of_ts_35_208),
	    cmocka_unit_test(refuses_keys_of_another_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
