/* Node B's store on disk: what was saved comes back, what was forgotten does not, and no key stands in the files. */
#include "rig.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "keys/sealed.h"
#include "keys/secret_octets.h"
#include "oci/oci_store.h"

static char dir[64];
static struct rng rng;

static const char *in_dir(const char *name)
{
	static char paths[4][128];
	static unsigned turn;
	char *p = paths[turn++ % 4];

	snprintf(p, sizeof paths[0], "%s/%s", dir, name);
	return p;
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/keyway-oci-store-XXXXXX");
	rng = rng_system();
	return mkdtemp(dir) && key_file_create(in_dir("key"), &rng) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"oci.db", "oci.db-wal", "oci.db-shm", "key", "other"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(in_dir(names[i]));
	return rmdir(dir);
}

static struct oci_store *opened(void)
{
	struct oci_store *s;

	assert_int_equal(oci_store_open(dir, in_dir("key"), &s), OK);
	return s;
}

struct found {
	struct oci_device devices[4];
	size_t count;
};

static void find(void *ctx, const struct oci_device *d)
{
	struct found *f = ctx;

	assert_true(f->count < 4);
	f->devices[f->count++] = *d;
}

static void found_clear(struct found *f)
{
	for (size_t i = 0; i < f->count; i++) {
		oci_network_free(f->devices[i].present.network);
		oci_network_free(f->devices[i].pending.network);
	}
	memset(f, 0, sizeof *f);
}

/* Every stored field differs from zero and from every other. */
static struct oci_device device(uint64_t eui64)
{
	struct oci_device d = {
		.eui64 = eui64,
		.gateway = UINT64_MAX - 1,
		.short_address = 0xbeef,
		.capability = 0x8e,
		.relay = "/id-mn/cse-mn/gw1/x",
		.application = "cold \"room\"",
		.present = {.generation = 1ULL << 40, .id = "key1", .in = {true, 0xfffffffe}},
		.pending = {.generation = (1ULL << 40) + 1, .id = "key2"},
		.uplink = 0xfffffff0,
		.joined = true,
		.interview = OCI_INTERVIEW_REPORTING,
		.item = 7,
		.endpoints = {{240, 0x0402, 0x0015, 3, 1, {ZCL_BASIC, ZCL_IAS_ZONE, 0xfc57}, {ZCL_OTA}}, {7, 0x0100, 0, 0, 2, {0}, {ZCL_ON_OFF, ZCL_LEVEL}}},
		.endpoint_count = 2,
		.manufacturer = "Makers",
		.model = "M-1",
		.software = "1.2.3",
		.hardware = 9,
		.poll_s = 333,
		.described_by = 0xdeadbeef,
	};

	char name[EUI64_SIZE];

	eui64_print(name, eui64);
	d.present.network = oci_network_new(OCI_POLICY_DEVICE, name, d.present.generation, 250, secret_random(&rng, SECRET_AES128), 0xffffff00);
	d.pending.network = oci_network_new(OCI_POLICY_DEVICE, name, d.pending.generation, 251, secret_random(&rng, SECRET_AES128), 0);
	return d;
}

static void device_clear(struct oci_device *d)
{
	oci_network_free(d->present.network);
	oci_network_free(d->pending.network);
}

static void everything_comes_back(void **state)
{
	struct oci_device d = device(RIG_DEVICE), *g;
	struct found found = {.count = 0};
	struct oci_store *s = opened();

	(void)state;
	assert_int_equal(oci_store_save(s, &d), OK);
	oci_store_close(s);
	s = opened();
	assert_int_equal(oci_store_each(s, find, &found), OK);
	assert_int_equal(found.count, 1);
	g = &found.devices[0];
	assert_true(g->eui64 == RIG_DEVICE && g->gateway == d.gateway);
	assert_int_equal(g->short_address, d.short_address);
	assert_int_equal(g->capability, d.capability);
	assert_string_equal(g->relay, d.relay);
	assert_string_equal(g->application, d.application);
	assert_true(secret_equal(g->present.network->key, d.present.network->key));
	assert_true(secret_equal(g->pending.network->key, d.pending.network->key));
	assert_int_equal(g->present.network->sequence, 250);
	assert_int_equal(g->pending.network->sequence, 251);
	assert_true(g->present.generation == d.present.generation && g->pending.generation == d.pending.generation);
	assert_string_equal(g->present.id, "key1");
	assert_string_equal(g->pending.id, "key2");
	assert_true(g->present.in.any && g->present.in.last == 0xfffffffe);
	assert_false(g->pending.in.any);
	assert_int_equal(g->present.network->out_reserved, 0xffffff00);
	assert_int_equal(g->pending.network->out_reserved, 0);
	assert_int_equal(g->uplink, d.uplink);
	assert_true(g->joined);
	assert_int_equal(g->interview, d.interview);
	assert_int_equal(g->item, 7);
	assert_int_equal(g->endpoint_count, 2);
	assert_memory_equal(g->endpoints, d.endpoints, sizeof d.endpoints);
	assert_string_equal(g->software, "1.2.3");
	assert_int_equal(g->hardware, 9);
	assert_int_equal(g->poll_s, 333);
	assert_int_equal(g->described_by, 0xdeadbeef);
	assert_string_equal(g->manufacturer, "Makers");
	assert_string_equal(g->model, "M-1");
	found_clear(&found);
	oci_store_close(s);
	device_clear(&d);
}

static void saving_again_replaces_and_none_is_none(void **state)
{
	struct oci_device d = device(RIG_DEVICE), other = device(2);
	struct found found = {.count = 0};
	struct oci_store *s = opened();

	(void)state;
	assert_int_equal(oci_store_save(s, &d), OK);
	assert_int_equal(oci_store_save(s, &other), OK);
	/* the pending key has become the present one: it opens in its new place */
	oci_network_free(d.present.network);
	d.present = d.pending;
	d.pending = (struct oci_key){.network = NULL};
	d.present.in.any = false;
	d.endpoint_count = 0;
	d.joined = false;
	assert_int_equal(oci_store_save(s, &d), OK);
	oci_store_close(s);
	s = opened();
	assert_int_equal(oci_store_each(s, find, &found), OK);
	assert_int_equal(found.count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct oci_device *g = &found.devices[i];

		if (g->eui64 != RIG_DEVICE)
			continue;
		assert_true(secret_equal(g->present.network->key, d.present.network->key));
		assert_null(g->pending.network);
		assert_false(g->present.in.any);
		assert_int_equal(g->endpoint_count, 0);
		assert_false(g->joined);
	}
	found_clear(&found);
	assert_int_equal(oci_store_forget(s, RIG_DEVICE), OK);
	assert_int_equal(oci_store_forget(s, 99), OK); /* was not there */
	oci_store_close(s);
	s = opened();
	assert_int_equal(oci_store_each(s, find, &found), OK);
	assert_int_equal(found.count, 1);
	assert_true(found.devices[0].eui64 == 2);
	found_clear(&found);
	oci_store_close(s);
	device_clear(&d);
	device_clear(&other);
}

static size_t occurrences(const char *name, const void *octets, size_t len)
{
	int fd = open(in_dir(name), O_RDONLY);
	struct stat info;
	size_t n;
	void *file;

	assert_true(fd >= 0 && fstat(fd, &info) == 0);
	file = info.st_size ? mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
	assert_true(file != MAP_FAILED);
	n = file && memmem(file, (size_t)info.st_size, octets, len) != NULL;
	if (file)
		munmap(file, (size_t)info.st_size);
	assert_int_equal(info.st_mode & 077, 0); /* for nobody else */
	close(fd);
	return n;
}

static void no_key_stands_in_the_files(void **state)
{
	static const char *const names[] = {"oci.db", "oci.db-wal"};
	struct oci_device d = device(RIG_DEVICE);
	struct oci_store *s = opened();
	size_t found = 0;

	(void)state;
	assert_int_equal(oci_store_save(s, &d), OK);
	for (size_t i = 0; i < 2; i++) {
		found += occurrences(names[i], "M-1", 3); /* the search can find */
		assert_int_equal(occurrences(names[i], secret_octets(d.present.network->key), SECRET_AES128), 0);
		assert_int_equal(occurrences(names[i], secret_octets(d.pending.network->key), SECRET_AES128), 0);
	}
	assert_true(found > 0);
	oci_store_close(s);
	device_clear(&d);
}

static void none(void *ctx, const struct oci_device *d)
{
	(void)ctx;
	(void)d;
	fail();
}

static void sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(in_dir("oci.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void keys_in_another_place_do_not_open(void **state)
{
	static const char *const changes[] = {
		"UPDATE network SET key=(SELECT o.key FROM network o WHERE o.name != network.name)", /* another device's */
		"UPDATE device SET present_network=(SELECT o.present_network FROM device o WHERE o.eui64 != device.eui64)",
		"UPDATE network SET key=(SELECT o.key FROM network o WHERE o.name = network.name AND o.id != network.id)", /* another generation's */
		"UPDATE network SET generation=generation + 1",
		"UPDATE device SET present_generation=present_generation + 1",
		"UPDATE network SET name='x', policy=1",
		"UPDATE network SET key=substr(key, 1, length(key) - 1)",
		"DELETE FROM network",
	};

	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct oci_device d = device(1), other = device(2);
		struct oci_store *s = opened();

		assert_int_equal(oci_store_save(s, &d), OK);
		assert_int_equal(oci_store_save(s, &other), OK);
		oci_store_close(s);
		sql(changes[i]);
		s = opened();
		assert_int_equal(oci_store_each(s, none, NULL), ERR_STORE);
		oci_store_close(s);
		device_clear(&d);
		device_clear(&other);
	}
}

static void copy_back(void)
{
	char octets[4096];
	FILE *in = fopen(in_dir("oci.db"), "rb"), *out = fopen(in_dir("copy"), "wb");
	size_t n;

	assert_true(in && out);
	while ((n = fread(octets, 1, sizeof octets, in)) > 0)
		assert_int_equal(fwrite(octets, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(rename(in_dir("copy"), in_dir("oci.db")), 0);
}

/* Present network's limit and whether it is worn, and the same of the pending one. */
static void assert_networks(struct oci_store *s, uint32_t present, uint32_t pending, bool worn)
{
	struct found found = {.count = 0};

	assert_int_equal(oci_store_each(s, find, &found), OK);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.devices[0].present.network->out_reserved, present);
	assert_int_equal(found.devices[0].pending.network->out_reserved, pending);
	assert_int_equal(found.devices[0].present.network->worn, worn);
	assert_int_equal(found.devices[0].pending.network->worn, worn);
	found_clear(&found);
}

/* What a younger store may have given out since is skipped: of the keys that it has, used or not, and of those that it does not know yet. */
static void an_old_copy_skips_frame_counters_and_its_keys_are_worn(void **state)
{
	struct oci_device d = device(RIG_DEVICE);
	struct oci_store *s = opened();
	uint32_t by;

	(void)state;
	d.present.network->out_reserved = 5000;
	assert_int_equal(oci_store_save(s, &d), OK);
	oci_store_close(s);
	s = opened();
	assert_false(oci_store_gap(s)->copied);
	assert_int_equal(oci_store_gap(s)->floor, 0);
	assert_networks(s, 5000, 0, false);
	oci_store_close(s);
	copy_back();
	s = opened();
	by = oci_store_gap(s)->by;
	assert_true(oci_store_gap(s)->copied);
	assert_true(by >= 1U << 20 && by < 1U << 22);
	assert_int_equal(oci_store_gap(s)->floor, by);
	assert_networks(s, 5000 + by, by, true);
	oci_store_close(s);
	s = opened(); /* once */
	assert_networks(s, 5000 + by, by, true);
	assert_int_equal(oci_store_gap(s)->floor, by);
	oci_store_close(s);
	device_clear(&d);
}

static void a_wrong_or_missing_key_file_opens_nothing(void **state)
{
	struct oci_device d = device(1);
	struct oci_store *s = opened();

	(void)state;
	assert_int_equal(oci_store_save(s, &d), OK);
	oci_store_close(s);
	s = NULL;
	assert_int_equal(oci_store_open(dir, in_dir("other"), &s), ERR_CONFIG);
	assert_null(s);
	assert_int_equal(key_file_create(in_dir("other"), &rng), OK);
	assert_int_equal(oci_store_open(dir, in_dir("other"), &s), OK);
	assert_int_equal(oci_store_each(s, none, NULL), ERR_STORE);
	oci_store_close(s);
	s = NULL;
	assert_int_equal(oci_store_open("/nowhere", in_dir("key"), &s), ERR_STORE);
	assert_null(s);
	device_clear(&d);
}

/* As the version before networks made it, with what it wrote of a device in the middle of a rotation. */
static void sealed_bind(sqlite3_stmt *q, int column, const struct secret *file_key, const char *label, const struct secret *key)
{
	uint8_t buffer[SEALED_SIZE(SECRET_MAX)];
	struct wr w = wr_of(buffer, sizeof buffer);

	assert_int_equal(secret_seal(file_key, label, key, &rng, &w), OK);
	assert_int_equal(sqlite3_bind_blob(q, column, w.octets, (int)w.len, SQLITE_TRANSIENT), SQLITE_OK);
}

static void make_former(const struct secret *present, const struct secret *pending)
{
	static const char table[] = "CREATE TABLE device(eui64 TEXT PRIMARY KEY, gateway INTEGER, short INTEGER, capability INTEGER, relay TEXT, application TEXT,"
				    " present BLOB, present_sequence INTEGER, present_generation INTEGER, present_id TEXT, present_in INTEGER,"
				    " pending BLOB, pending_sequence INTEGER, pending_generation INTEGER, pending_id TEXT,"
				    " out_reserved INTEGER, uplink INTEGER, joined INTEGER, interview INTEGER, item INTEGER, endpoint INTEGER, zcl_device INTEGER, zone_type INTEGER,"
				    " clusters BLOB, manufacturer TEXT, model TEXT, aps_counter INTEGER, endpoints BLOB, software TEXT, pending_rotation INTEGER) WITHOUT ROWID;";
	static const char row[] = "INSERT INTO device VALUES('f0124b0000000001', 1, 4660, 142, '/r', 'a', ?1, 4, 5, 'K5', 77, ?2, 5, 6, 'K6', 4096, 9, 1, 8, 0, 0, 0, 0, NULL,"
				  " 'M', 'N', 3, x'010000000000000000', '', 1)";
	struct secret *file_key;
	sqlite3_stmt *q;
	sqlite3 *db;

	assert_int_equal(key_file_read(in_dir("key"), &file_key), OK);
	assert_int_equal(sqlite3_open(in_dir("oci.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, table, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, row, -1, &q, NULL), SQLITE_OK);
	sealed_bind(q, 1, file_key, "oci:device:f0124b0000000001:network:5", present);
	if (pending)
		sealed_bind(q, 2, file_key, "oci:device:f0124b0000000001:network:6", pending);
	assert_int_equal(sqlite3_step(q), SQLITE_DONE);
	sqlite3_finalize(q);
	sqlite3_close(db);
	secret_free(file_key);
}

static void keys_and_counters_of_the_former_version_come_over(void **state)
{
	struct secret *present = secret_random(&rng, SECRET_AES128), *pending = secret_random(&rng, SECRET_AES128);

	(void)state;
	make_former(present, pending);
	for (unsigned i = 0; i < 2; i++) { /* the second time there is nothing left to do */
		struct found found = {.count = 0};
		struct oci_store *s = opened();
		const struct oci_device *d = &found.devices[0];

		assert_int_equal(oci_store_each(s, find, &found), OK);
		assert_int_equal(found.count, 1);
		assert_true(d->eui64 == RIG_DEVICE && d->joined);
		assert_true(secret_equal(d->present.network->key, present) && secret_equal(d->pending.network->key, pending));
		assert_int_equal(d->present.network->sequence, 4);
		assert_int_equal(d->pending.network->sequence, 5);
		assert_int_equal(d->present.network->out_reserved, 4096); /* goes on above what was used */
		assert_int_equal(d->pending.network->out_reserved, 0);
		assert_int_equal(d->present.in.last, 77);
		assert_string_equal(d->present.id, "K5");
		assert_string_equal(d->pending.id, "K6");
		assert_true(d->pending.rotation);
		assert_int_equal(oci_store_save(s, d), OK);
		found_clear(&found);
		oci_store_close(s);
	}
	secret_free(present);
	secret_free(pending);
}

/* Not even when somebody puts an old copy of a device in its place. */
static void a_counter_never_goes_back(void **state)
{
	struct oci_device d = device(RIG_DEVICE);
	struct oci_store *s = opened();

	(void)state;
	assert_int_equal(oci_store_save(s, &d), OK);
	d.present.network->out_reserved -= 1;
	assert_int_equal(oci_store_save(s, &d), ERR_REPLAY);
	d.present.network->out_reserved += 1;
	d.short_address = 1;
	assert_int_equal(oci_store_save(s, &d), OK);
	oci_store_close(s);
	device_clear(&d);
}

struct groups_found {
	struct oci_group groups[3];
	struct oci_member members[3][2];
	size_t count;
};

static void find_group(void *ctx, const struct oci_group *g)
{
	struct groups_found *f = ctx;

	assert_true(f->count < 3 && g->count <= 2);
	f->groups[f->count] = *g;
	memcpy(f->members[f->count++], g->members, g->count * sizeof *g->members);
}

static void zigbee_groups_come_back(void **state)
{
	struct oci_member members[2] = {{.eui64 = RIG_DEVICE, .endpoint = 1, .state = OCI_MEMBER_LEAVING}, {.eui64 = 7, .endpoint = 240, .state = OCI_MEMBER_IN}};
	struct oci_group g = {.id = 0xfff7, .source = "grp4", .name = "all in the hall", .network = "hall", .barred = 9, .members = members, .count = 2,
		.scenes = {{1, "evening"}, {254, ""}}, .scene_count = 2}, other = g;
	struct groups_found found = {.count = 0};
	struct oci_store *s = opened();

	(void)state;
	other.id = 3;
	assert_int_equal(oci_store_save_group(s, &other), OK);
	other.count = 0; /* it is gone */
	assert_int_equal(oci_store_save_group(s, &other), OK);
	g.barred = 8;
	assert_int_equal(oci_store_save_group(s, &g), OK);
	g.barred = 9;
	assert_int_equal(oci_store_save_group(s, &g), OK);
	oci_store_close(s);
	s = opened();
	assert_int_equal(oci_store_each_group(s, find_group, &found), OK);
	assert_int_equal(found.count, 1);
	assert_true(found.groups[0].id == 0xfff7 && found.groups[0].barred == 9 && found.groups[0].count == 2);
	assert_string_equal(found.groups[0].source, "grp4");
	assert_string_equal(found.groups[0].name, "all in the hall");
	assert_string_equal(found.groups[0].network, "hall");
	assert_true(found.members[0][0].eui64 == RIG_DEVICE && found.members[0][0].endpoint == 1 && found.members[0][0].state == OCI_MEMBER_LEAVING);
	assert_true(found.members[0][1].eui64 == 7 && found.members[0][1].endpoint == 240 && found.members[0][1].state == OCI_MEMBER_IN);
	assert_true(found.groups[0].scene_count == 2 && found.groups[0].scenes[0].id == 1 && found.groups[0].scenes[1].id == 254);
	assert_string_equal(found.groups[0].scenes[0].name, "evening");
	oci_store_close(s);
	sql("UPDATE zigbee_group SET members=x'00'");
	s = opened();
	assert_int_equal(oci_store_each_group(s, find_group, &found), ERR_STORE);
	oci_store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(saving_again_replaces_and_none_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(no_key_stands_in_the_files, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_in_another_place_do_not_open, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_and_counters_of_the_former_version_come_over, setup, teardown),
		cmocka_unit_test_setup_teardown(a_counter_never_goes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(an_old_copy_skips_frame_counters_and_its_keys_are_worn, setup, teardown),
		cmocka_unit_test_setup_teardown(zigbee_groups_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wrong_or_missing_key_file_opens_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
