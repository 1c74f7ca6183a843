/* `keyway bench eg --registered N --gateways N`: what the number of devices costs the MEF: its start, its memory, and an EG-REQUEST. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/log.h"
#include "mef/bench_eg.h"
#include "mef/mef.h"

#define FEW 100
#define REQUESTS 2000
#define FIRST_GATEWAY 0x0200000000000001ULL
#define FIRST_DEVICE 0x00124b0000000000ULL
#define NO_LIMIT 10000

struct plant {
	struct rng rng;
	struct secret *file_key;
	struct mef_store *store;
	struct audit *audit;
	struct registry *registry;
	struct loop *loop;
	struct mef *mef;
	char dir[280];
	uint64_t first_transaction;
};

struct figures {
	double start_s, request_us;
	double octets; /* a device, resident */
};

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long total = 0, pages = 0;

	if (!f || fscanf(f, "%lu %lu", &total, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static const char *in_dir(const struct plant *p, const char *name)
{
	static char paths[4][320];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", p->dir, name);
	return path;
}

/* ---- what is there before the start ---- */

static enum err put_gateway(struct plant *p, unsigned i)
{
	struct mef_gateway g = {.eui64 = FIRST_GATEWAY + i};

	snprintf(g.name, sizeof g.name, "gw%u", i);
	snprintf(g.relay, sizeof g.relay, "/id-mn%u/cse-mn/gw%u", i, i);
	snprintf(g.identity, sizeof g.identity, "m2m://keyway.example/id-mn%u/Cgw%u", i, i);
	return mef_store_gateway_put(p->store, &g);
}

/* As one that has been on the network for long. */
static enum err put_device(struct plant *p, unsigned i, unsigned gateways)
{
	struct mef_device d = {.eui64 = FIRST_DEVICE + i, .state = DEVICE_VERIFIED, .owner = "/id-b"};
	struct mef_generation *g = calloc(1, sizeof *g);
	enum err e = ERR_NO_MEMORY;

	snprintf(d.gateway, sizeof d.gateway, "gw%u", i % gateways);
	d.install = secret_random(&p->rng, SECRET_AES128);
	if (g && d.install) {
		snprintf(g->key_id, sizeof g->key_id, "%032x", i);
		g->number = 1;
		g->offered = g->joined = true;
		g->tc.device = d.eui64;
		g->tc.coordinator = FIRST_GATEWAY + i % gateways;
		g->tc.base_unique = true;
		g->network = secret_random(&p->rng, SECRET_AES128);
		e = g->network ? link_key_set_take(&g->tc.base, secret_random(&p->rng, SECRET_AES128)) : ERR_NO_MEMORY;
	}
	if (e == OK)
		e = mef_store_device_put(p->store, &d);
	if (e == OK)
		e = mef_store_generation_put(p->store, &d, g);
	mef_generation_free(g);
	secret_free(d.install);
	return e;
}

static enum err fill(struct plant *p, unsigned devices, unsigned gateways)
{
	enum err e = mef_store_begin(p->store);

	for (unsigned i = 0; e == OK && i < gateways; i++)
		e = put_gateway(p, i);
	for (unsigned i = 0; e == OK && i < devices; i++)
		e = put_device(p, i, gateways);
	return e == OK ? mef_store_commit(p->store) : e;
}

/* ---- what is measured ---- */

static enum err start(struct plant *p, unsigned devices, struct figures *f)
{
	const struct mef_config c = {.id = "mef.keyway.example", .sp = "keyway.example", .device_per_minute = REQUESTS, .gateway_per_second = NO_LIMIT,
	    .require_unique_link_key = true, .answer_requests = true};
	double before = resident(), begin;
	enum err e;

	/* The first start brings the registry of keys up to date; a start is what comes after it. */
	e = mef_new(p->loop, &c, p->store, p->registry, p->audit, &p->rng, &p->mef);
	if (e != OK)
		return e;
	f->octets = (resident() - before) / devices;
	mef_free(p->mef);
	p->mef = NULL;
	begin = seconds_of(CLOCK_MONOTONIC);
	e = mef_new(p->loop, &c, p->store, p->registry, p->audit, &p->rng, &p->mef);
	f->start_s = seconds_of(CLOCK_MONOTONIC) - begin;
	return e;
}

static void say(struct plant *p, struct mef_gateway *g, const struct egp_message *m)
{
	uint8_t buffer[EGP_MESSAGE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;

	if (egp_encode(m, &w) == OK && wr_done(&w, &octets))
		eg_input(g->eg, clock_ms(), clock_unix_ms() / 1000, octets);
	mef_pump(p->mef);
}

/* Unsecured rejoins of one gateway's devices in turn: from the octets of the EG-REQUEST to the answer's, all but what node B has to do with it, which is
 * not there. One gateway's, so that what limits log and audit log does the same in both measurements. */
static enum err requests(struct plant *p, unsigned devices, unsigned gateways, struct figures *f)
{
	struct mef_gateway *g = mef_gateway_by_eui64(p->mef, FIRST_GATEWAY);
	struct egp_message hello = {.type = EGP_HELLO, .transaction = 1, .hello = {.gateway = FIRST_GATEWAY, .highest_version = EGP_VERSION, .epoch = 1}};
	double begin;

	if (!g)
		return ERR_NOT_FOUND;
	eg_connect(g->eg);
	say(p, g, &hello);
	begin = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned i = 0; i < REQUESTS; i++) {
		struct egp_message m = {.type = EGP_REQUEST, .transaction = 2 + i};

		m.request.gateway = FIRST_GATEWAY;
		m.request.device = FIRST_DEVICE + (uint64_t)(i % (devices / gateways)) * gateways;
		m.request.kind = EGP_JOIN_UNSECURED_REJOIN;
		say(p, g, &m);
	}
	f->request_us = (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - begin) * 1e6 / REQUESTS;
	return p->mef->statistics.requests == REQUESTS ? OK : ERR_STATE;
}

static enum err open_all(struct plant *p, const char *state)
{
	struct registry_config k = {.kind = REGISTRY_MEF, .fqdn = "mef.keyway.example", .sp = "keyway.example", .client_lifetime_s = REGISTRY_CLIENT_LIFETIME_MAX,
	    .key_lifetime_s = REGISTRY_KEY_LIFETIME_MAX};
	const char *tmp = state ? state : getenv("TMPDIR"), *detail;
	uint64_t line;
	enum err e;

	p->rng = rng_system();
	snprintf(p->dir, sizeof p->dir, "%s/keyway-bench-XXXXXX", tmp ? tmp : "/var/tmp");
	if (!mkdtemp(p->dir))
		return ERR_IO;
	p->file_key = secret_random(&p->rng, 32);
	if (!p->file_key)
		return ERR_NO_MEMORY;
	e = mef_store_open(in_dir(p, "mef.db"), p->file_key, &p->rng, &p->store, &detail);
	if (e == OK)
		e = audit_open(in_dir(p, "audit.log"), &p->audit, &line);
	k.store_key = p->file_key;
	k.rng = &p->rng;
	k.audit = p->audit;
	if (e == OK)
		e = registry_open(in_dir(p, "registry.db"), &k, &p->registry, &detail);
	p->loop = loop_new();
	return e;
}

static void close_all(struct plant *p)
{
	static const char *const files[] = {"mef.db", "mef.db-wal", "mef.db-shm", "registry.db", "registry.db-wal", "registry.db-shm", "audit.log"};

	mef_free(p->mef);
	if (p->registry)
		registry_close(p->registry);
	if (p->audit)
		audit_close(p->audit);
	mef_store_close(p->store);
	loop_free(p->loop);
	secret_free(p->file_key);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		unlink(in_dir(p, files[i]));
	rmdir(p->dir);
}

static enum err measure(const char *state, unsigned devices, unsigned gateways, struct figures *f)
{
	struct plant p = {.mef = NULL};
	enum err e = open_all(&p, state);

	if (e == OK)
		e = fill(&p, devices, gateways);
	if (e == OK)
		e = start(&p, devices, f);
	if (e == OK)
		e = requests(&p, devices, gateways, f);
	close_all(&p);
	return e;
}

int bench_registered(const char *state, unsigned devices, unsigned gateways, bool json)
{
	struct figures few, many;
	enum err e = gateways > devices ? ERR_BAD_VALUE : OK;

	log_start("bench", LOG_LEVEL_ERROR);
	if (e == OK)
		e = measure(state, FEW, 1, &few);
	if (e == OK)
		e = measure(state, devices, gateways, &many);
	if (e != OK) {
		fprintf(stderr, "keyway: bench eg: %s; is --state a folder that may be written?\n", err_text(e));
		return 1;
	}
	if (json) {
		printf("{\"bench\":\"eg-registered\",\"devices\":%u,\"gateways\":%u,\"start_seconds\":%.3f,\"octets_per_device\":%.0f,\"request_us\":%.1f,"
		       "\"request_us_of_100\":%.1f,\"ratio\":%.2f}\n",
		    devices, gateways, many.start_s, many.octets, many.request_us, few.request_us, many.request_us / few.request_us);
		return 0;
	}
	printf("%u devices at %u gateways\n", devices, gateways);
	printf("start                                     %10.2f s\n", many.start_s);
	printf("memory                                    %10.0f octets a device\n", many.octets);
	printf("an EG-REQUEST, CPU time                   %10.1f us   (%.1f us with %d devices at one gateway)\n", many.request_us, few.request_us, FEW);
	printf("ratio                                     %10.2f\n", many.request_us / few.request_us);
	return 0;
}
