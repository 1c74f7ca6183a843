/* The names that a MAF gives to keys from a MEF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "maf/maf.h"
#include "security/credential.h"

#define MAF "maf.keyway.example"
#define KE1 "0123456789ABCDEF0123456789ABCDEF@mef.keyway.example"
#define KE2 "FEDCBA9876543210FEDCBA9876543210@mef.keyway.example"

static char dir[64];
static struct rng rng;
static struct credentials *store;
static struct maf_assigner maf;

static int setup(void **state)
{
	char db[96], kek[128];
	struct credentials_options o = {.path = db, .kek = kek, .rng = &rng};
	const char *detail;

	(void)state;
	rng = rng_seeded(11);
	strcpy(dir, "/tmp/keyway-maf-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(db, sizeof db, "%s/credentials.db", dir);
	snprintf(kek, sizeof kek, "%s/credentials.key", dir);
	maf = (struct maf_assigner){NULL, &rng, MAF};
	if (credentials_open(&o, &store, &detail) != OK)
		return -1;
	maf.store = store;
	return 0;
}

static int teardown(void **state)
{
	char command[96];

	(void)state;
	credentials_close(store);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command) == 0 ? 0 : -1;
}

static void has(const char *identity, struct secret *key)
{
	struct credential c = {.kind = KIND_KM, .suid = 21, .entity = "/id-mn", .peer = MAF, .expires_at = UINT64_MAX, .key = key};

	snprintf(c.identity, sizeof c.identity, "%s", identity);
	assert_int_equal(credentials_put(store, &c, true), OK);
	credential_clear(&c);
}

static void assign(const char *identity, char km_id[static KEY_ID_MAX])
{
	char credential[CREDENTIAL_ID_MAX];

	assert_int_equal(credential_id_of_key(CREDENTIAL_KM, rd_str(identity), credential), OK);
	assert_int_equal(maf_assign(&maf, "/id-mn", credential, UINT64_MAX, km_id), OK);
}

static void opens(const char *km_id, const struct secret *key)
{
	struct credential c = {.key = NULL};

	assert_int_equal(credentials_find(store, km_id, &c), OK);
	assert_true(secret_equal(c.key, key));
	credential_clear(&c);
}

/* A client whose Ke was renewed registers again: its new key must not go by the name of the former one, under which the MAF knows that one. */
static void another_key_has_another_name(void **state)
{
	struct secret *first = secret_random(&rng, 32), *second = secret_random(&rng, 32);
	char km_id[KEY_ID_MAX] = "", former[KEY_ID_MAX];

	(void)state;
	has(KE1, secret_dup(first));
	has(KE2, secret_dup(second));
	assign(KE1, km_id);
	assert_non_null(strstr(km_id, "@" MAF));
	opens(km_id, first);
	strcpy(former, km_id);
	assign(KE1, km_id); /* once more with the same */
	assert_string_equal(km_id, former);
	assign(KE2, km_id);
	assert_string_not_equal(km_id, former);
	opens(km_id, second);
	opens(former, first); /* until it ends */
	assign(former, km_id); /* under its Km: nothing is assigned */
	opens(km_id, second);
	secret_free(first);
	secret_free(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(another_key_has_another_name, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
