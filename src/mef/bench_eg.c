/* Transport-Key packets a second, and their cost in bare CCM* operations. */
#include "mef/bench_eg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crypto/ccm_star.h"
#include "eg/transport_key.h"
#include "mef/mef_store.h"

#define GATEWAY 0x0200000000000001ULL
#define DEVICES_MAX 100000
#define REGISTERED_MAX 1000000
#define SEALED_OCTETS 35 /* the Transport-Key command */
#define HEADER_OCTETS 15 /* APS and auxiliary header: what is authenticated beside it */
#define BATCH 256        /* packets between two looks at the clock */

struct options {
	bool json;
	unsigned seconds, devices, registered, gateways;
	const char *state;
};

struct target {
	uint64_t eui64;
	struct link_key_set link;
	struct counter counter;
};

struct bench {
	struct rng rng;
	struct secret *file_key, *network;
	struct mef_store *store;
	struct target *targets;
	char dir[256], path[300];
	unsigned devices;
	uint64_t reservations;
};

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct reserving {
	struct bench *b;
	uint64_t eui64;
};

static enum err reserve(void *ctx, uint32_t limit)
{
	const struct reserving *r = ctx;

	r->b->reservations++;
	return mef_store_reserve(r->b->store, r->eui64, limit);
}

static enum err forge_one(struct bench *b, struct target *t)
{
	struct reserving r = {b, t->eui64};
	struct transport_key_order o = {.gateway = GATEWAY, .device = t->eui64, .device_short = (uint16_t)(t->eui64 & 0x7fff)};
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr packet = wr_of(buffer, sizeof buffer);
	enum err e = counter_take(&t->counter, reserve, &r, &o.frame_counter);

	if (e != OK)
		return e;
	o.aps_counter = o.nwk_sequence = (uint8_t)o.frame_counter;
	return transport_key_forge(&o, &t->link, b->network, &packet);
}

/* Packets a second over all devices in turn, as a plant that powers up asks. */
static enum err packets(struct bench *b, unsigned seconds, double *rate)
{
	double begin = seconds_now(), end = begin;
	uint64_t n = 0;
	enum err e = OK;

	for (; e == OK && end - begin < seconds; end = seconds_now())
		for (unsigned i = 0; e == OK && i < BATCH; i++, n++)
			e = forge_one(b, &b->targets[n % b->devices]);
	*rate = (double)n / (end - begin);
	return e;
}

/* The one sealing that a packet contains, alone, over the same keys in the same turn. */
static enum err bare(struct bench *b, unsigned seconds, double *rate)
{
	uint8_t nonce[CCM_STAR_NONCE] = {0}, header[HEADER_OCTETS] = {0}, plain[SEALED_OCTETS + NWK_MIC] = {0};
	double begin = seconds_now(), end = begin;
	uint64_t n = 0;
	enum err e = OK;

	for (; e == OK && end - begin < seconds; end = seconds_now())
		for (unsigned i = 0; e == OK && i < BATCH; i++, n++) {
			nonce[8] = (uint8_t)n;
			e = ccm_star_seal(b->targets[n % b->devices].link.transport, nonce, rd_of(header, sizeof header), rd_of(plain, SEALED_OCTETS), NWK_MIC, plain);
		}
	*rate = (double)n / (end - begin);
	return e;
}

static enum err prepare(struct bench *b, const struct options *o)
{
	const char *tmp = o->state ? o->state : getenv("TMPDIR");
	const char *detail;
	enum err e;

	b->rng = rng_system();
	snprintf(b->dir, sizeof b->dir, "%s/keyway-bench-XXXXXX", tmp ? tmp : "/var/tmp");
	if (!mkdtemp(b->dir))
		return ERR_IO;
	snprintf(b->path, sizeof b->path, "%s/mef.db", b->dir);
	b->file_key = secret_random(&b->rng, 32);
	b->network = secret_random(&b->rng, SECRET_AES128);
	b->targets = calloc(o->devices, sizeof *b->targets);
	if (!b->file_key || !b->network || !b->targets)
		return ERR_NO_MEMORY;
	e = mef_store_open(b->path, b->file_key, &b->rng, &b->store, &detail);
	for (; e == OK && b->devices < o->devices; b->devices++) {
		struct target *t = &b->targets[b->devices];
		struct secret *key = secret_random(&b->rng, SECRET_AES128);

		t->eui64 = 0x00124b0000000000ULL + b->devices;
		counter_init(&t->counter, 0, MEF_COUNTER_BLOCK);
		e = key ? link_key_set_take(&t->link, key) : ERR_NO_MEMORY;
	}
	return e;
}

static void clean_up(struct bench *b)
{
	static const char *const endings[] = {"", "-wal", "-shm"};

	for (unsigned i = 0; i < b->devices; i++)
		link_key_set_clear(&b->targets[i].link);
	free(b->targets);
	mef_store_close(b->store);
	secret_free(b->network);
	secret_free(b->file_key);
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		char path[320];

		snprintf(path, sizeof path, "%s%s", b->path, endings[i]);
		unlink(path);
	}
	rmdir(b->dir);
}

static void report(const struct options *o, const struct bench *b, double made, double sealed)
{
	if (o->json) {
		printf("{\"bench\":\"eg\",\"packets_per_second\":%.0f,\"bare_ccm_star_per_second\":%.0f,\"ratio\":%.3f,\"devices\":%u,"
		       "\"counter_block\":%d,\"durable_writes\":%llu}\n",
		    made, sealed, made / sealed, o->devices, MEF_COUNTER_BLOCK, (unsigned long long)b->reservations);
		return;
	}
	printf("Transport-Key packets, counters durable   %10.0f /s   (%u devices, %llu durable writes of %d numbers each)\n", made, o->devices,
	    (unsigned long long)b->reservations, MEF_COUNTER_BLOCK);
	printf("bare CCM* of the same size                %10.0f /s\n", sealed);
	printf("ratio                                     %10.3f\n", made / sealed);
}

static bool number(const char *text, unsigned most, unsigned *n)
{
	uint64_t v;

	if (!text || !rd_decimal(rd_str(text), &v) || v == 0 || v > most)
		return false;
	*n = (unsigned)v;
	return true;
}

static bool options_parse(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			o->json = true;
		else if (strcmp(argv[i], "--seconds") == 0 && number(argv[i + 1], 600, &o->seconds))
			i++;
		else if (strcmp(argv[i], "--devices") == 0 && number(argv[i + 1], DEVICES_MAX, &o->devices))
			i++;
		else if (strcmp(argv[i], "--registered") == 0 && number(argv[i + 1], REGISTERED_MAX, &o->registered))
			i++;
		else if (strcmp(argv[i], "--gateways") == 0 && number(argv[i + 1], REGISTERED_MAX, &o->gateways))
			i++;
		else if (strcmp(argv[i], "--state") == 0 && argv[i + 1])
			o->state = argv[++i];
		else
			return false;
	}
	return true;
}

int bench_eg_main(int argc, char **argv)
{
	struct options o = {.seconds = 3, .devices = 64, .gateways = 1};
	struct bench b = {.devices = 0};
	double made = 0, sealed = 0;
	enum err e;

	if (!options_parse(argc, argv, &o)) {
		fputs("usage: bench eg [--json] [--seconds N] [--devices N] [--state DIR]\n       bench eg --registered N [--gateways N] [--json] [--state DIR]\n", stderr);
		return 2;
	}
	if (o.registered > 0)
		return bench_registered(o.state, o.registered, o.gateways, o.json);
	e = prepare(&b, &o);
	if (e == OK)
		e = packets(&b, o.seconds, &made);
	if (e == OK)
		e = bare(&b, o.seconds, &sealed);
	clean_up(&b);
	if (e != OK) {
		fprintf(stderr, "keyway: bench eg: %s; is --state a folder that may be written?\n", err_text(e));
		return 1;
	}
	report(&o, &b, made, sealed);
	return 0;
}
