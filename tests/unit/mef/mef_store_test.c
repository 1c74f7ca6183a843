/* The MEF's state on disk: what is stored comes back, what is swapped does not open, what was killed repeats no counter; the audit log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "keys/sealed.h"
#include "keys/secret_octets.h"
#include "audit/audit.h"
#include "credentials/store_key.h"
#include "mef/migrate.h"
#include "mef/mef_store.h"

#define DEVICE 0xf0124b0000000001ULL /* the top bit: SQLite's integers are signed */

static char dir[64];
static struct rng rng;
static struct secret *file_key;

static const char *path(const char *name)
{
	static char text[128];

	snprintf(text, sizeof text, "%s/%s", dir, name);
	return text;
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/keyway-mef-store-XXXXXX");
	rng = rng_system();
	file_key = secret_random(&rng, 32);
	return mkdtemp(dir) && file_key ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"mef.db", "mef.db-wal", "mef.db-shm", "audit.log", "registry.db", "registry.db-wal", "registry.db-shm"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(path(names[i]));
	rmdir(dir);
	secret_free(file_key);
	return 0;
}

static struct mef_store *opened(void)
{
	struct mef_store *st;
	const char *detail;

	assert_int_equal(mef_store_open(path("mef.db"), file_key, &rng, &st, &detail), OK);
	return st;
}

static struct mef_device *device_new(uint64_t eui64)
{
	struct mef_device *d = calloc(1, sizeof *d);

	assert_non_null(d);
	d->eui64 = eui64;
	strcpy(d->owner, "/id-b");
	strcpy(d->gateway, "gw1");
	strcpy(d->application, "cold room");
	d->state = DEVICE_OFFERED;
	d->short_address = 0xbeef;
	d->registered_at = 1700000000;
	strcpy(d->reason, "why");
	d->install = secret_random(&rng, 16);
	return d;
}

static struct mef_generation *generation_new(const struct mef_device *d, uint32_t number)
{
	struct mef_generation *g = calloc(1, sizeof *g);

	assert_non_null(g);
	g->number = number;
	snprintf(g->key_id, sizeof g->key_id, "key%u-%016llx", number, (unsigned long long)d->eui64);
	g->sequence = (uint8_t)(number - 1);
	g->offered = true;
	g->tc.device = d->eui64;
	g->tc.coordinator = 0xff00000000000001ULL;
	g->network = secret_random(&rng, 16);
	assert_int_equal(link_key_set_take(&g->tc.base, secret_dup(d->install)), OK);
	return g;
}

static void everything_comes_back(void **state)
{
	struct mef_store *st = opened();
	struct mef_device *d = device_new(DEVICE), *list;
	struct mef_generation *former = generation_new(d, 1), *present = generation_new(d, 2);
	struct stat info;

	(void)state;
	present->tc.state = TRUST_OFFERED;
	present->tc.in_base = (struct counter_in){true, 0xffffffff};
	present->tc.attempts = 3;
	assert_int_equal(link_key_set_take(&present->tc.fresh, secret_random(&rng, 16)), OK);
	assert_int_equal(mef_store_device_put(st, d), OK);
	assert_int_equal(mef_store_generation_put(st, d, former), OK);
	assert_int_equal(mef_store_generation_put(st, d, present), OK);
	assert_int_equal(mef_store_reserve(st, DEVICE, 4096), OK);
	assert_int_equal(mef_store_reserve(st, DEVICE, 1024), OK); /* never lowers it */
	mef_store_close(st);
	assert_int_equal(stat(path("mef.db"), &info), 0);
	assert_int_equal(info.st_mode & 077, 0);

	st = opened();
	assert_int_equal(mef_store_devices(st, &list), OK);
	assert_non_null(list);
	assert_null(list->next);
	assert_true(list->eui64 == DEVICE);
	assert_string_equal(list->application, "cold room");
	assert_string_equal(list->reason, "why");
	assert_int_equal(list->state, DEVICE_OFFERED);
	assert_true(secret_equal(list->install, d->install));
	assert_int_equal(list->out.next, 4096);
	assert_non_null(list->present);
	assert_non_null(list->former);
	assert_int_equal(list->present->number, 2);
	assert_int_equal(list->former->number, 1);
	assert_true(secret_equal(list->present->network, present->network));
	assert_true(secret_equal(list->present->tc.fresh.load, present->tc.fresh.load));
	assert_null(list->former->tc.fresh.link);
	assert_int_equal(list->present->tc.state, TRUST_OFFERED);
	assert_true(list->present->tc.in_base.any && list->present->tc.in_base.last == 0xffffffff);
	assert_false(list->present->tc.in_fresh.any);
	assert_int_equal(list->present->tc.attempts, 3);
	mef_device_free(list);
	/* Registration gone, counter not. */
	assert_int_equal(mef_store_device_delete(st, DEVICE), OK);
	assert_int_equal(mef_store_devices(st, &list), OK);
	assert_null(list);
	{
		uint32_t reserved;

		assert_int_equal(mef_store_counter(st, DEVICE, &reserved), OK);
		assert_int_equal(reserved, 4096);
	}
	mef_store_close(st);
	mef_generation_free(former);
	mef_generation_free(present);
	mef_device_free(d);
}

static void copy_back(void)
{
	char octets[4096], copy[128];
	FILE *in = fopen(path("mef.db"), "rb"), *out;
	size_t n;

	snprintf(copy, sizeof copy, "%s", path("copy"));
	out = fopen(copy, "wb");
	assert_true(in && out);
	while ((n = fread(octets, 1, sizeof octets, in)) > 0)
		assert_int_equal(fwrite(octets, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(rename(copy, path("mef.db")), 0);
}

/* Of devices that it has, and of those that were added since; generations go on behind those that may have been handed out. */
static void an_old_copy_skips_frame_counters_and_generations(void **state)
{
	struct mef_store *st = opened();
	struct mef_device *d = device_new(DEVICE);
	struct mef_generation *g = generation_new(d, 9);
	uint32_t reserved, by;

	(void)state;
	assert_int_equal(mef_store_device_put(st, d), OK);
	assert_int_equal(mef_store_generation_put(st, d, g), OK);
	assert_int_equal(mef_store_reserve(st, DEVICE, 4096), OK);
	assert_int_equal(mef_store_generation_after(st, 9), 10);
	mef_store_close(st);
	st = opened();
	assert_false(mef_store_gap(st)->copied);
	assert_int_equal(mef_store_counter(st, DEVICE, &reserved), OK);
	assert_int_equal(reserved, 4096);
	mef_store_close(st);
	copy_back();
	for (int i = 0; i < 2; i++) { /* once, and for good */
		st = opened();
		assert_int_equal(mef_store_gap(st)->copied, i == 0);
		by = mef_store_gap(st)->floor;
		assert_true(by >= 1U << 20);
		assert_int_equal(mef_store_counter(st, DEVICE, &reserved), OK);
		assert_int_equal(reserved, 4096 + by);
		assert_int_equal(mef_store_counter(st, DEVICE + 1, &reserved), OK);
		assert_int_equal(reserved, by);
		assert_int_equal(mef_store_generation_after(st, 9), 9 + 128);
		assert_int_equal(mef_store_generation_after(st, 9 + 128), 9 + 129);
		mef_store_close(st);
	}
	mef_generation_free(g);
	mef_device_free(d);
}

/* No key stands on disk in clear, also not in the write-ahead log. */
static void no_key_stands_in_the_files(void **state)
{
	static const char *const names[] = {"mef.db", "mef.db-wal"};
	struct mef_store *st = opened();
	struct mef_device *d = device_new(DEVICE);
	struct mef_generation *g = generation_new(d, 1);
	size_t found = 0;

	(void)state;
	assert_int_equal(mef_store_device_put(st, d), OK);
	assert_int_equal(mef_store_generation_put(st, d, g), OK);
	for (size_t i = 0; i < 2; i++) {
		int fd = open(path(names[i]), O_RDONLY);
		struct stat info;
		void *file;

		assert_true(fd >= 0 && fstat(fd, &info) == 0);
		if (info.st_size == 0)
			continue;
		file = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		assert_true(file != MAP_FAILED);
		found += memmem(file, (size_t)info.st_size, "cold room", 9) != NULL; /* the search can find */
		assert_null(memmem(file, (size_t)info.st_size, secret_octets(d->install), 16));
		assert_null(memmem(file, (size_t)info.st_size, secret_octets(g->network), 16));
		munmap(file, (size_t)info.st_size);
		close(fd);
	}
	assert_true(found > 0);
	mef_store_close(st);
	mef_generation_free(g);
	mef_device_free(d);
}

static void sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path("mef.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void swapped_or_foreign_keys_do_not_open(void **state)
{
	static const char *const swaps[] = {
		"UPDATE devices SET install=(SELECT d.install FROM devices d WHERE d.eui64 != devices.eui64)",
		"UPDATE generations SET network=base",
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct mef_store *st = opened();
		struct mef_device *d = device_new(DEVICE), *e = device_new(2), *list;
		struct mef_generation *g = generation_new(d, 1);

		assert_int_equal(mef_store_device_put(st, d), OK);
		assert_int_equal(mef_store_device_put(st, e), OK);
		assert_int_equal(mef_store_generation_put(st, d, g), OK);
		mef_store_close(st);
		if (i < 2) {
			sql(swaps[i]);
		} else {
			secret_free(file_key);
			file_key = secret_random(&rng, 32);
		}
		st = opened();
		assert_int_equal(mef_store_devices(st, &list), ERR_BAD_MIC);
		mef_store_close(st);
		mef_generation_free(g);
		mef_device_free(d);
		mef_device_free(e);
	}
}

struct reserving {
	struct mef_store *store;
};

static enum err reserve(void *ctx, uint32_t limit)
{
	return mef_store_reserve(((struct reserving *)ctx)->store, DEVICE, limit);
}

/* A child takes numbers and writes each one down as used; it is killed anywhere, between reserving and using too. */
static void child(volatile uint32_t *used, unsigned kill_after)
{
	struct reserving r = {opened()};
	struct counter c;
	uint32_t stored, number;

	if (mef_store_counter(r.store, DEVICE, &stored) != OK)
		_exit(1);
	counter_init(&c, stored, 8);
	for (unsigned i = 0;; i++) {
		if (counter_take(&c, reserve, &r, &number) != OK)
			_exit(2);
		if (i == kill_after)
			kill(getpid(), SIGKILL); /* reserved, taken, not used */
		used[1 + used[0]] = number;
		used[0]++;
	}
}

static void a_killed_process_repeats_no_counter(void **state)
{
	const size_t size = 65536 * sizeof(uint32_t);
	uint32_t *used = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(used != MAP_FAILED);
	for (unsigned round = 0; round < 20; round++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0)
			child(used, round);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	assert_true(used[0] > 100);
	for (uint32_t i = 2; i <= used[0]; i++)
		assert_true(used[i] > used[i - 1]);
	munmap(used, size);
}

static void gateways_come_back(void **state)
{
	struct mef_store *st = opened();
	struct mef_gateway g = {.eui64 = 0xff12000000000001ULL, .epoch = 9, .pan_id = 0x1a62, .extended_pan_id = UINT64_MAX, .channel = 15}, *gateways;

	(void)state;
	strcpy(g.name, "gw1");
	strcpy(g.relay, "/id-mn/cse-mn/gw1");
	strcpy(g.identity, "m2m://keyway.example/id-mn/Cgw1");
	assert_int_equal(mef_store_gateway_put(st, &g), OK);
	mef_store_close(st);
	st = opened();
	assert_int_equal(mef_store_gateways(st, &gateways), OK);
	assert_true(gateways->eui64 == g.eui64 && gateways->extended_pan_id == UINT64_MAX);
	assert_int_equal(gateways->epoch, 9);
	free(gateways);
	mef_store_close(st);
}

/* ---- former versions ---- */

static struct registry *registry_opened(void)
{
	struct registry_config k = {.kind = REGISTRY_MEF, .fqdn = "mef.keyway.example", .sp = "keyway.example", .client_lifetime_s = 86400,
		.key_lifetime_s = 86400, .store_key = file_key, .rng = &rng};
	struct registry *r;
	const char *detail;

	assert_int_equal(registry_open(path("registry.db"), &k, &r, &detail), OK);
	return r;
}

static void expect_moved(void)
{
	struct registry *r = registry_opened();
	struct registry_command cmd;
	struct registry_client c;

	assert_true(registry_client_find(r, "/id-b", 10, &c));
	assert_string_equal(c.id, "0123456789abcdef0123456789abcdef");
	assert_string_equal(c.admin, "mef.keyway.example");
	assert_true(registry_command_first(r, c.id, &cmd) && cmd.id == 1 && cmd.issued && cmd.class == COMMAND_ZIGBEE_FORGET && cmd.about == DEVICE);
	assert_string_equal(cmd.object, "/mef/aa");
	assert_string_equal(cmd.args, "{\"objectPath\":\"/mef/aa\",\"device\":\"f0124b0000000001\"}");
	assert_true(registry_command_report(r, c.id, 1, &cmd));
	assert_true(registry_command_first(r, c.id, &cmd) && cmd.id == 2 && !cmd.issued);
	assert_string_equal(cmd.args, "{\"objectPath\":\"/mef/bb\",\"objectTypeID\":1,\"objectTypeSpecificArgs\":{\"SUID\":24}}");
	assert_int_equal(registry_command_add(r, &cmd), OK);
	assert_int_equal(cmd.id, 8); /* a number is never given twice */
	registry_close(r); /* what was not committed is lost */
}

static void clients_and_commands_move_to_the_registry(void **state)
{
	static const char sql[] =
	    "CREATE TABLE clients (id TEXT PRIMARY KEY, registration TEXT NOT NULL UNIQUE, admin_fqdn TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;"
	    "CREATE TABLE commands (id INTEGER PRIMARY KEY AUTOINCREMENT, client TEXT NOT NULL, class INTEGER NOT NULL, device INTEGER NOT NULL,"
	    " key_id TEXT NOT NULL, reason TEXT NOT NULL, issued INTEGER NOT NULL);"
	    "INSERT INTO clients VALUES ('/id-b', '0123456789abcdef0123456789abcdef', 'mef.keyway.example', 4000000000);"
	    "INSERT INTO commands VALUES (1, '/id-b', 32770, -1147772491653971967, 'aa', '', 1);"
	    "INSERT INTO commands VALUES (2, '/id-b', 3, -1147772491653971967, 'bb', '', 0);"
	    "INSERT INTO commands VALUES (7, '/id-b', 3, 1, 'cc', '', 0); DELETE FROM commands WHERE id=7;";
	struct mef_store *st = opened();
	struct registry *r;
	sqlite3 *db;

	(void)state;
	mef_store_close(st);
	assert_int_equal(sqlite3_open(path("mef.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	for (int i = 0; i < 2; i++) { /* the second time there is nothing to do */
		r = registry_opened();
		assert_int_equal(mef_migrate(path("mef.db"), r), OK);
		registry_close(r);
		expect_moved();
	}
	r = registry_opened();
	assert_int_equal(mef_migrate("/nowhere/mef.db", r), OK);
	registry_close(r);
}

/* ---- from a key file to a key of credentials.db ---- */

#define OLD_DEVICES 3

/* A file of a former version: the same, and nobody said what its keys are sealed under. */
static void make_old_file(void)
{
	struct mef_store *st = opened();

	for (uint64_t n = 0; n < OLD_DEVICES; n++) {
		struct mef_device *d = device_new(DEVICE + n);
		struct mef_generation *former = generation_new(d, 1), *present = generation_new(d, 2);

		assert_int_equal(link_key_set_take(&present->tc.fresh, secret_random(&rng, 16)), OK);
		assert_int_equal(mef_store_device_put(st, d), OK);
		assert_int_equal(mef_store_generation_put(st, d, former), OK);
		assert_int_equal(mef_store_generation_put(st, d, present), OK);
		mef_generation_free(former);
		mef_generation_free(present);
		mef_device_free(d);
	}
	mef_store_close(st);
	sql("PRAGMA user_version = 0");
}

/* How many devices open, with both generations; -1 when one does not. */
static int devices_under(const struct secret *key)
{
	struct mef_device *list = NULL;
	struct mef_store *st;
	const char *detail;
	int count = -1;

	assert_int_equal(mef_store_open(path("mef.db"), key, &rng, &st, &detail), OK);
	if (mef_store_devices(st, &list) == OK) {
		count = 0;
		while (list) {
			struct mef_device *next = list->next;

			assert_non_null(list->present);
			assert_non_null(list->former);
			assert_non_null(list->present->tc.fresh.link);
			assert_null(list->former->tc.fresh.link);
			mef_device_free(list);
			list = next;
			count++;
		}
	}
	mef_store_close(st);
	return count;
}

static enum err rekeyed(const struct secret *former, const struct secret *key, bool *done)
{
	const char *detail = "";

	return mef_store_rekey(path("mef.db"), former, key, &rng, done, &detail);
}

static void keys_move_from_the_key_file(void **state)
{
	struct secret *key = secret_random(&rng, 32), *wrong = secret_random(&rng, 32);
	bool done;

	(void)state;
	assert_int_equal(rekeyed(file_key, key, &done), OK); /* a new file is one of this version */
	assert_false(done);
	make_old_file();
	assert_int_equal(rekeyed(NULL, key, &done), ERR_CONFIG);
	assert_int_equal(rekeyed(wrong, key, &done), ERR_BAD_MIC);
	assert_int_equal(devices_under(file_key), OLD_DEVICES);
	assert_int_equal(rekeyed(file_key, key, &done), OK);
	assert_true(done);
	assert_int_equal(devices_under(key), OLD_DEVICES);
	assert_int_equal(devices_under(file_key), -1);
	assert_int_equal(rekeyed(NULL, key, &done), OK);
	assert_false(done);
	secret_free(key);
	secret_free(wrong);
}

static unsigned fills_left;

static void mortal_fill(struct rng *self, void *octets, size_t len)
{
	(void)self;
	if (fills_left-- == 0)
		raise(SIGKILL);
	rng_fill(&rng, octets, len);
}

/* Each key that is sealed asks for a nonce: there it dies. */
static void a_kill_while_keys_move_leaves_them_under_one_key(void **state)
{
	struct secret *key = secret_random(&rng, 32);
	unsigned fills = 0;
	int status;

	(void)state;
	make_old_file();
	do {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct rng mortal = {.fill = mortal_fill};
			const char *detail;
			bool done;

			fills_left = fills;
			_exit(mef_store_rekey(path("mef.db"), file_key, key, &mortal, &done, &detail) == OK && done ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		fills++;
		assert_int_equal(devices_under(WIFSIGNALED(status) ? file_key : key), OLD_DEVICES);
	} while (WIFSIGNALED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(fills, OLD_DEVICES * (1 + 2 + 3) + 1);
	secret_free(key);
}

/* The key of mef.db is a row of credentials.db: what seals that rotates, and mef.db goes on opening. */
static void a_rotation_of_the_credentials_reaches_it(void **state)
{
	struct credentials_options o = {.path = path("credentials.db"), .rng = &rng};
	char db[128], command[160];
	struct credentials *c;
	struct secret *key;
	const char *detail;
	bool done;

	(void)state;
	snprintf(db, sizeof db, "%s", o.path);
	o.path = db;
	make_old_file();
	assert_int_equal(credentials_open(&o, &c, &detail), OK);
	assert_int_equal(store_key_get(c, "mef", "mef.keyway.example", 1, &rng, &key), OK);
	assert_int_equal(rekeyed(file_key, key, &done), OK);
	secret_free(key);
	assert_int_equal(credentials_rotate(c, NULL, &detail), OK);
	credentials_close(c);
	assert_int_equal(credentials_open(&o, &c, &detail), OK);
	assert_int_equal(store_key_get(c, "mef", "mef.keyway.example", 1, &rng, &key), OK);
	assert_int_equal(devices_under(key), OLD_DEVICES);
	assert_false(store_key_is_marked(c, "mef", "mef.keyway.example"));
	assert_int_equal(store_key_mark(c, "mef", "mef.keyway.example"), OK);
	assert_true(store_key_is_marked(c, "mef", "mef.keyway.example"));
	secret_free(key);
	credentials_close(c);
	snprintf(command, sizeof command, "rm -f %s/credentials.*", dir);
	assert_int_equal(system(command), 0);
}

/* ---- audit log ---- */

static void append(struct audit *a, const char *event)
{
	const struct audit_entry entry = {event, DEVICE, "gw1", NULL, "detail with \"quotes\""};

	assert_int_equal(audit_append(a, 1700000000, &entry), OK);
}

static void three_entries(void)
{
	struct audit *a;
	uint64_t line;

	assert_int_equal(audit_open(path("audit.log"), &a, &line), OK);
	append(a, "first");
	append(a, "second");
	append(a, "third");
	audit_close(a);
}

static void the_audit_log_goes_on_after_a_restart(void **state)
{
	uint8_t buffer[8192];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	struct audit *a;
	uint64_t line;

	(void)state;
	three_entries();
	assert_int_equal(audit_open(path("audit.log"), &a, &line), OK);
	assert_int_equal(audit_last(a), 3);
	append(a, "fourth");
	json_array(&o, NULL);
	assert_int_equal(audit_read(a, 2, 10, &o), OK);
	json_close(&o);
	wr_u8(&w, 0);
	assert_null(strstr((char *)buffer, "second"));
	assert_non_null(strstr((char *)buffer, "third"));
	assert_non_null(strstr((char *)buffer, "fourth"));
	audit_close(a);
	assert_int_equal(audit_open(path("audit.log"), &a, &line), OK);
	audit_close(a);
}

/* Changes one octet of the file, or cuts a line out, and expects that it shows. */
static void tampering_with_the_audit_log_shows(void **state)
{
	struct audit *a = NULL;
	uint64_t line;
	char text[8192];
	size_t len;
	FILE *f;

	(void)state;
	three_entries();
	f = fopen(path("audit.log"), "r");
	len = fread(text, 1, sizeof text, f);
	fclose(f);
	assert_true(len < sizeof text);
	text[len] = '\0';
	for (size_t i = 0; i < len - 1; i += 7) {
		text[i] = (char)(text[i] ^ 1);
		f = fopen(path("audit.log"), "w");
		fwrite(text, 1, len, f);
		fclose(f);
		text[i] = (char)(text[i] ^ 1);
		assert_int_equal(audit_open(path("audit.log"), &a, &line), ERR_BAD_MIC);
		assert_in_range(line, 1, 3);
	}
	/* Without its second line. */
	f = fopen(path("audit.log"), "w");
	fwrite(text, 1, (size_t)(strchr(text, '\n') - text) + 1, f);
	fputs(strchr(strchr(text, '\n') + 1, '\n') + 1, f);
	fclose(f);
	assert_int_equal(audit_open(path("audit.log"), &a, &line), ERR_BAD_MIC);
	assert_int_equal(line, 2);
}

static void half_a_last_line_is_cut_off(void **state)
{
	struct audit *a;
	uint64_t line;
	FILE *f;

	(void)state;
	three_entries();
	f = fopen(path("audit.log"), "a");
	fputs("{\"seq\":4,\"ti", f);
	fclose(f);
	assert_int_equal(audit_open(path("audit.log"), &a, &line), OK);
	assert_int_equal(audit_last(a), 3);
	append(a, "fourth");
	audit_close(a);
	assert_int_equal(audit_open(path("audit.log"), &a, &line), OK);
	assert_int_equal(audit_last(a), 4);
	audit_close(a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_comes_back),
		TEST(an_old_copy_skips_frame_counters_and_generations),
		TEST(no_key_stands_in_the_files),
		TEST(swapped_or_foreign_keys_do_not_open),
		TEST(a_killed_process_repeats_no_counter),
		TEST(gateways_come_back),
		TEST(keys_move_from_the_key_file),
		TEST(a_kill_while_keys_move_leaves_them_under_one_key),
		TEST(a_rotation_of_the_credentials_reaches_it),
		TEST(clients_and_commands_move_to_the_registry),
		TEST(the_audit_log_goes_on_after_a_restart),
		TEST(tampering_with_the_audit_log_shows),
		TEST(half_a_last_line_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
