/* Two devices of one application group in node B, with its real store: they share a key, and there is one counter under it, whoever is sealed for, in
 * whatever order the members change to the next key, and however often node B starts again. */
#include "rig.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys/sealed.h"
#include "oci/oci_store.h"
#include "zigbee/security/nwk_security.h"

#define FIRST RIG_DEVICE
#define SECOND 0x00124b0000000002ULL
#define GENERATIONS 5

static char dir[64];
static struct rng rng;
static struct oci_core *core;
static struct oci_store *store;
static struct secret *keys[GENERATIONS]; /* of the group; their sequence number is one less */
static bool sent[GENERATIONS];
static uint32_t last[GENERATIONS];       /* number that was sealed with */
static uint32_t counters[2][GENERATIONS]; /* the members' next numbers */

static const char *in_dir(const char *name)
{
	static char paths[4][128];
	static unsigned turn;
	char *p = paths[turn++ % 4];

	snprintf(p, sizeof paths[0], "%s/%s", dir, name);
	return p;
}

static void restored(void *ctx, const struct oci_device *d)
{
	(void)ctx;
	assert_non_null(oci_core_restore(core, 1000, d));
}

static void node_start(void)
{
	struct oci_core_config c = {&rng, true, rig_descriptions(), oci_store_save, NULL, 0, false, 0};

	assert_int_equal(oci_store_open(dir, in_dir("key"), &store), OK);
	c.save_ctx = store;
	core = oci_core_new(&c);
	assert_non_null(core);
	assert_int_equal(oci_store_each(store, restored, NULL), OK);
}

static void node_stop(void)
{
	oci_core_free(core);
	oci_store_close(store);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/keyway-oci-network-XXXXXX");
	rng = rng_system();
	if (!mkdtemp(dir) || key_file_create(in_dir("key"), &rng) != OK)
		return -1;
	for (size_t i = 0; i < GENERATIONS; i++)
		keys[i] = secret_random(&rng, SECRET_AES128);
	memset(sent, 0, sizeof sent);
	memset(counters, 0, sizeof counters);
	node_start();
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"oci.db", "oci.db-wal", "oci.db-shm", "key"};

	(void)state;
	node_stop();
	for (size_t i = 0; i < GENERATIONS; i++)
		secret_free(keys[i]);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(in_dir(names[i]));
	return rmdir(dir);
}

/* `own` is the generation of the device's keys, `of_group` that of the group's. */
static enum err offer_key(uint64_t device, uint64_t own, uint64_t of_group, const struct secret *key, bool rotation)
{
	char id[OCI_KEY_ID];
	const struct oci_key_order o = {device, RIG_GATEWAY, device == FIRST ? 0x1111 : 0x2222, RIG_LISTENS, "/id-mn/cse-mn/gw1/x", "pumps", secret_dup(key),
		(uint8_t)(of_group - 1), own, id, rotation, "pumps", of_group};

	snprintf(id, sizeof id, "%llx-%llu", (unsigned long long)device, (unsigned long long)own);
	return oci_core_key(core, 1000, &o);
}

static enum err offer(uint64_t device, uint64_t own, uint64_t of_group, bool rotation)
{
	return offer_key(device, own, of_group, keys[of_group - 1], rotation);
}

static void discard(void)
{
	struct oci_effect e;

	while (oci_core_output(core, &e)) {
	}
}

/* The device says something, under this generation of the group's key. */
static enum err say(uint64_t device, uint64_t of_group)
{
	const struct nwk_frame f = {.type = NWK_DATA, .protocol_version = 2, .source = device == FIRST ? 0x1111 : 0x2222, .radius = 30, .payload = rd_of("x", 1)};
	uint8_t octets[NWK_FRAME_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	enum err e;

	assert_int_equal(nwk_seal(keys[of_group - 1], (uint8_t)(of_group - 1), device, counters[device == SECOND][of_group - 1]++, &f, &w), OK);
	e = oci_core_uplink(core, 1000, device, rd_of(octets, w.len));
	discard();
	return e;
}

/* Something for the device: gives the generation of the group's key that it is sealed under. Its number was never used under that key. */
static uint64_t hear(uint64_t device)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct aux_header aux;
	struct oci_effect e;
	struct nwk_frame f;
	struct rd payload;

	oci_core_aps(core, 1000, device, rd_of(NULL, 0), true, 1);
	assert_true(oci_core_output(core, &e));
	assert_int_equal(e.type, OCI_DOWNLINK);
	assert_true(e.eui64 == device);
	assert_int_equal(nwk_frame_decode(rd_of(e.octets, e.len), &f), OK);
	for (size_t i = 0; i < GENERATIONS; i++) {
		if (nwk_open(keys[i], &f, &aux, plain, &payload) != OK)
			continue;
		assert_true(aux.source == RIG_GATEWAY && aux.key_sequence == i);
		assert_true(!sent[i] || aux.frame_counter > last[i]);
		sent[i] = true;
		last[i] = aux.frame_counter;
		discard();
		return i + 1;
	}
	fail_msg("under no key of the group");
	return 0;
}

static void both_join(void)
{
	assert_int_equal(offer(FIRST, 1, 1, false), OK);
	assert_int_equal(offer(SECOND, 1, 1, false), OK);
	assert_int_equal(say(FIRST, 1), OK);
	assert_int_equal(say(SECOND, 1), OK);
}

static void members_take_their_numbers_from_one_counter(void **state)
{
	(void)state;
	both_join();
	for (unsigned i = 0; i < 2500; i++) {
		assert_int_equal(hear(i % 3 ? FIRST : SECOND), 1);
		assert_int_equal(last[0], i); /* none is left out either */
	}
	for (unsigned i = 0; i < 20; i++) {
		node_stop();
		node_start();
		assert_int_equal(hear(SECOND), 1);
		assert_int_equal(hear(FIRST), 1);
	}
}

static void each_changes_to_the_next_key_at_its_own_first_frame(void **state)
{
	(void)state;
	both_join();
	assert_int_equal(hear(FIRST), 1);
	assert_int_equal(offer(FIRST, 2, 2, true), OK);
	assert_int_equal(offer(SECOND, 2, 2, true), OK);
	assert_int_equal(hear(FIRST), 1);
	assert_int_equal(say(FIRST, 2), OK);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(hear(FIRST), 2);
		assert_int_equal(hear(SECOND), 1); /* goes on counting where the first has left */
		node_stop();
		node_start();
	}
	assert_int_equal(say(FIRST, 1), ERR_UNKNOWN_KEY); /* it has changed */
	assert_int_equal(say(SECOND, 1), OK);
	assert_int_equal(say(SECOND, 2), OK);
	assert_int_equal(hear(SECOND), 2); /* not from the start: the first has used those numbers */
	assert_int_equal(hear(FIRST), 2);
}

static void a_generation_has_one_key(void **state)
{
	(void)state;
	both_join();
	assert_int_equal(offer(FIRST, 2, 2, true), OK);
	assert_int_equal(offer_key(SECOND, 2, 2, keys[2], true), ERR_EXISTS);
	assert_int_equal(offer_key(SECOND, 1, 1, keys[2], false), ERR_EXISTS);
	assert_int_equal(hear(SECOND), 1);
	assert_int_equal(offer(SECOND, 2, 2, true), OK);
	assert_int_equal(say(SECOND, 2), OK);
	assert_int_equal(hear(SECOND), 2);
}

/* Its counter may begin anew: what it said before could be played to us again, and its own numbers would repeat. */
static void a_member_that_comes_back_gets_no_key_that_it_had(void **state)
{
	(void)state;
	both_join();
	assert_int_equal(offer(FIRST, 2, 1, false), ERR_EXISTS);
	assert_int_equal(offer(FIRST, 2, 2, false), OK);
	assert_int_equal(say(FIRST, 2), OK);
	assert_int_equal(offer(FIRST, 3, 1, false), ERR_EXISTS);
	assert_int_equal(hear(FIRST), 2);
	assert_int_equal(hear(SECOND), 1);
}

static void forget(uint64_t device)
{
	oci_core_forget(core, 1000, device);
	discard();
	assert_int_equal(oci_store_forget(store, device), OK);
}

static int rows(const char *where)
{
	char text[200];
	sqlite3_stmt *q;
	sqlite3 *db;
	int n;

	snprintf(text, sizeof text, "SELECT count(*) FROM network WHERE %s", where);
	assert_int_equal(sqlite3_open(in_dir("oci.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	n = sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return n;
}

static void a_key_lives_as_long_as_anybody_has_it_and_never_comes_back(void **state)
{
	(void)state;
	both_join();
	assert_int_equal(hear(FIRST), 1);
	forget(FIRST);
	assert_int_equal(rows("key IS NOT NULL"), 1);
	assert_int_equal(hear(SECOND), 1);
	assert_int_equal(offer(SECOND, 2, 2, true), OK);
	assert_int_equal(rows("key IS NOT NULL"), 2);
	assert_int_equal(say(SECOND, 2), OK);
	assert_int_equal(rows("key IS NOT NULL"), 1);
	assert_int_equal(rows("generation=1 AND key IS NULL"), 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(offer(FIRST, 3, 1, false), ERR_STORE);
		assert_int_equal(offer(FIRST, 3, 2, false), OK);
		forget(FIRST);
		node_stop();
		node_start();
	}
	forget(SECOND);
	assert_int_equal(rows("key IS NOT NULL"), 0);
	assert_int_equal(offer(SECOND, 4, 2, false), ERR_STORE); /* its counter is forgotten, and it is not used again */
	assert_int_equal(offer(SECOND, 4, 3, false), OK);
	assert_int_equal(say(SECOND, 3), OK);
	assert_int_equal(hear(SECOND), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(members_take_their_numbers_from_one_counter, setup, teardown),
		cmocka_unit_test_setup_teardown(each_changes_to_the_next_key_at_its_own_first_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(a_generation_has_one_key, setup, teardown),
		cmocka_unit_test_setup_teardown(a_member_that_comes_back_gets_no_key_that_it_had, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_lives_as_long_as_anybody_has_it_and_never_comes_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
