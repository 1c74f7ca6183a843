/* Notifications to IPE-OCI, and what the gateway's CSE answers when it is asked for what they did not bring: transaction numbers only grow, a
 * notification takes at most the next one, and only of the CSE that has the container; a device is commanded only by its own subscriptions and by others than node B. Input: the
 * notification up to a line end, and the content of the answer. */
#include <string.h>

#include "json/json.h"
#include "loop/log.h"
#include "oci/node_group.h"
#include "oci/node_watch.h"
#include "store/store.h"
#include "../fuzz.h"

#define DEVICE 0x00124b0000000001ULL
#define OUTGOING 16

struct outgoing {
	cse_done *done;
	void *ctx;
};

static struct oci_node node;
static struct watch raw = {.id = "sub2", .kind = WATCH_RAW, .device = DEVICE, .name = "raw"};
static struct watch module = {.next = &raw, .id = "sub1", .kind = WATCH_MODULE, .device = DEVICE, .name = "binSh"};
static struct outgoing outgoing[OUTGOING];
static size_t outgoing_count;

static void on_send(void *ctx, const char *url, const char *target, const struct onem2m_request *rq, cse_done *done, void *done_ctx)
{
	(void)ctx;
	MUST(url && target && rq->operation == ONEM2M_RETRIEVE && outgoing_count < OUTGOING);
	outgoing[outgoing_count++] = (struct outgoing){done, done_ctx};
}

static uint64_t on_now(void *ctx)
{
	(void)ctx;
	return 1000;
}

static void on_defer(void *ctx, void (*fn)(void *), void *fn_ctx)
{
	(void)ctx;
	fn(fn_ctx);
}

static void on_wake_at(void *ctx, uint64_t at)
{
	(void)ctx;
	(void)at;
}

static enum err on_save(void *ctx, const struct oci_device *d)
{
	(void)ctx;
	(void)d;
	return OK;
}

/* A device without a key: what it says is taken, and refused by the core. */
static void start(void)
{
	static const struct cse_config cse_config = {.type = CSE_MN, .id = "/id-b", .name = "cse-b", .sp = "keyway.example", .registrar_id = "/id-in", .registrar_poa = "http://127.0.0.1:9"};
	static const struct cse_transport transport = {on_send, on_now, on_now, on_defer, on_wake_at, NULL};
	const struct descriptions *descriptions = descriptions_built_in();
	const struct oci_core_config core = {&node.rng, true, descriptions, on_save, NULL, 0, false, 0};
	struct oci_device d = {.eui64 = DEVICE, .relay = "/id-mn/cse-mn/gw1/00124b0000000001", .endpoints = {{.id = 1, .in_count = 1, .in = {ZCL_ON_OFF}}}, .endpoint_count = 1, .interview = OCI_INTERVIEW_DONE};
	const char *detail;
	struct store *store;

	log_start("fuzz", LOG_LEVEL_ERROR);
	MUST(store_open(&(const struct store_options){.path = ":memory:", .cache_kib = 1024}, &store, &detail) == OK && cse_new(&cse_config, store, &transport, &node.cse) == OK);
	node.loop = loop_new();
	node.config = (struct oci_config){.cse_id = "/id-b", .cse_name = "cse-b", .sp = "keyway.example"};
	node.rng = rng_seeded(1);
	strcpy(node.ae, "/id-b/Coci");
	node.core = oci_core_new(&core);
	node.timer = loop_timer_new(node.loop, NULL, NULL); /* the loop does not run */
	node.descriptions = descriptions;
	jobs_start(&node);
	held_start(&node);
	MUST(node.core && oci_core_restore(node.core, 1000, &d));
	groups_make(&node);
	relay_open(&node, DEVICE);
	node.watches = &module;
	node_pump(&node);
}

static void answer(struct rd content)
{
	const struct onem2m_response rsp = {.rsc = RSC_OK, .content = content};

	for (unsigned n = 0; outgoing_count > 0; n++) {
		struct outgoing o = outgoing[--outgoing_count];

		MUST(n < 4); /* asked again once for what came in between, and no more */
		o.done(o.ctx, &rsp);
	}
}

static bool names(struct json_arena *arena, struct rd content)
{
	const struct json *doc, *sgn, *cr;

	if (json_parse(arena, content, NULL, &doc) != OK)
		return false;
	sgn = json_get(doc, "m2m:sgn");
	cr = json_get(sgn, "cr");
	return json_is_string(json_get(sgn, "sur"), "/id-b/sub1") && cr && !json_is_string(cr, "Coci") && !json_is_string(cr, "/id-b/Coci");
}

static bool commanding(const struct oci_device *d)
{
	for (size_t i = 0; i < OCI_COMMANDS; i++)
		if (d->commands[i].place)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_arena *arena = json_arena_new();
	struct rd in = rd_of(data, size), notification;
	struct oci_device *d;
	uint32_t before;

	if (!node.loop)
		start();
	d = oci_core_device(node.core, DEVICE);
	d->uplink = 0;
	memset(d->commands, 0, sizeof d->commands);
	d->attribute_count = 0;
	if (size <= 8 * FUZZ_INPUT_MAX && rd_line(&in, &notification)) {
		if (!watch_notify(&node, notification)) {
			relay_notify(&node, rd_str("/id-zz"), notification);
			relay_notify(&node, rd_str("/id-m"), notification);
			MUST(d->uplink == 0);
			relay_notify(&node, rd_str("/id-mn"), notification);
		}
		node_pump(&node);
		MUST(d->uplink <= 1 && (!commanding(d) || names(arena, notification)));
		before = d->uplink;
		answer(in);
		MUST(d->uplink >= before);
	}
	json_arena_free(arena);
	return 0;
}
