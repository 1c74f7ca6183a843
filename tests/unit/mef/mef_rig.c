/* A MEF without a socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mef_rig.h"

struct mef *mef;
struct mef_config rig_config;
struct rng rng;

static char dir[64];
static struct loop *loop;
static struct secret *store_key;
static struct mef_store *store;
static struct registry *registry;
static struct audit *audit;

const char *in_dir(const char *name)
{
	static char paths[4][128];
	static unsigned turn;
	char *p = paths[turn++ % 4];

	snprintf(p, sizeof paths[0], "%s/%s", dir, name);
	return p;
}

void start(void)
{
	struct registry_config k = {.kind = REGISTRY_MEF, .fqdn = rig_config.id, .sp = rig_config.sp, .client_lifetime_s = REGISTRY_CLIENT_LIFETIME_MAX,
		.key_lifetime_s = REGISTRY_KEY_LIFETIME_MAX};
	const char *detail;
	uint64_t line;

	assert_int_equal(mef_store_open(in_dir("mef.db"), store_key, &rng, &store, &detail), OK);
	assert_int_equal(audit_open(in_dir("audit.log"), &audit, &line), OK);
	k.store_key = store_key;
	k.rng = &rng;
	k.audit = audit;
	assert_int_equal(registry_open(in_dir("registry.db"), &k, &registry, &detail), OK);
	assert_int_equal(mef_new(loop, &rig_config, store, registry, audit, &rng, &mef), OK);
}

void stop(void)
{
	mef_free(mef);
	registry_close(registry);
	audit_close(audit);
	mef_store_close(store);
}

void turn(void)
{
	loop_once(loop, 10);
}

void application(const char *name, const char *policy, enum err expected)
{
	const struct mef_application_order o = {rd_str(name), rd_str(policy), rd_str("/id-b")};
	struct mef_application *a;
	char message[256];

	assert_int_equal(mef_application_add(mef, &o, &a, message), expected);
}

struct mef_device *device(uint64_t n, const char *application_name, const char *owner, enum err expected)
{
	char eui64[32], message[256];
	struct mef_device_order o = {.code = rd_str(CODE), .owner = rd_str(owner), .gateway = rd_str("gw1"), .application = rd_str(application_name)};
	struct mef_device *d = NULL;

	snprintf(eui64, sizeof eui64, "00124b000000%04x", (unsigned)n);
	o.device = rd_str(eui64);
	assert_int_equal(mef_device_add(mef, &o, &d, message), expected);
	return d;
}

struct mef_device *member(uint64_t n)
{
	struct mef_device *d = mef_device_find(mef, 0x00124b0000000000ULL + n);

	assert_non_null(d);
	return d;
}

int rig_setup(void **state)
{
	const struct mef_gateway_order o = {rd_str("gw1"), rd_str("0200000000000001"), rd_str("/id-mn/cse-mn/gw1"), rd_str("gw1")};
	struct mef_gateway *g;
	char message[256];

	(void)state;
	strcpy(dir, "/tmp/keyway-mef-rig-XXXXXX");
	rng = rng_system();
	store_key = secret_random(&rng, 32);
	loop = loop_new();
	rig_config = (struct mef_config){.id = "mef.keyway.example", .sp = "keyway.example", .device_per_minute = 50, .gateway_per_second = 100, .answer_requests = true};
	if (!mkdtemp(dir))
		return -1;
	start();
	assert_int_equal(mef_gateway_register(mef, &o, &g, message), OK);
	return 0;
}

int rig_teardown(void **state)
{
	char line[128];

	(void)state;
	stop();
	loop_free(loop);
	secret_free(store_key);
	snprintf(line, sizeof line, "rm -rf '%s'", dir);
	return system(line) == 0 ? 0 : -1;
}

void offer(uint64_t n)
{
	assert_int_equal(mef_generation_next(mef, member(n), COORDINATOR, false), OK);
	member(n)->present->offered = true;
}

void tell(uint64_t n, const char *event)
{
	struct mef_device *d = member(n);

	assert_int_equal(mef_event(mef, d, d->present, rd_str(event), (uint16_t)(100 + n), 0x8e), OK);
}

void node_b(void)
{
	struct registry_client c = {.id = "0123456789ABCDEF0123456789ABCDEF", .client = "/id-b", .admin = "keyway.example", .expires_at = clock_unix_ms() / 1000 + 3600};

	assert_int_equal(registry_client_put(registry, &c), OK);
	assert_int_equal(registry_commit(registry), OK);
}

bool command(struct registry_command *c)
{
	if (!registry_command_first(registry, "0123456789ABCDEF0123456789ABCDEF", c))
		return false;
	assert_int_equal(registry_command_issued(registry, c->id), OK);
	return true;
}

void report(const struct registry_command *c, unsigned status)
{
	struct registry_command done;

	assert_true(registry_command_report(registry, c->registration, c->id, &done));
	assert_int_equal(registry_commit(registry), OK);
	mef_command_done(mef, &done, status);
}
