/* The APS relay from node B's side: what a device says to its Trust Centre goes to the MEF, and what that answers goes to the device. */
#include "oci/node_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "key_registry/registration_codes.h"
#include "loop/log.h"
#include "oci/mef_answer.h"

#define AGAIN_MS 250
#define APS_TRIES 4

struct relayed {
	struct oci_node *node;
	uint64_t device;
	uint8_t counter, aps_counter;
	bool sealed;
	unsigned tries;
	char path[MEF_PATH], body[600];
	struct loop_timer *retry;
};

static void relayed_send(struct relayed *f);

static void relayed_free(struct relayed *f)
{
	loop_timer_free(f->retry);
	free(f);
}

static void on_relayed_retry(void *ctx)
{
	relayed_send(ctx);
}

static void on_aps_answer(struct relayed *f, const struct mef_aps_reply *reply)
{
	struct oci_node *n = f->node;

	if (reply->reason[0])
		log_line(LOG_LEVEL_NOTICE, "Trust Centre ignored a frame", "device=%s reason=%s", node_name(f->device), log_quote(rd_str(reply->reason)));
	if (reply->has_child)
		oci_core_child(n->core, clock_ms(), f->device, &reply->child);
	if (reply->tunnel)
		oci_core_tunnel(n->core, clock_ms(), reply->tunnel, f->device, rd_of(reply->frame, reply->len));
	else
		oci_core_aps(n->core, clock_ms(), f->device, rd_of(reply->frame, reply->len), reply->ack && f->sealed, f->aps_counter);
	node_pump(n);
}

static void on_relayed(void *ctx, const struct http_result *r)
{
	struct relayed *f = ctx;
	struct mef_aps_reply reply;
	struct json_arena *a;
	const struct json *doc;

	if (r->error != OK && ++f->tries < APS_TRIES) {
		loop_timer_in(f->retry, (uint64_t)AGAIN_MS << f->tries);
		return;
	}
	a = json_arena_new();
	if (a && r->error == OK && r->status < 300 && json_parse(a, r->body, NULL, &doc) == OK && mef_aps_parse(doc, &reply))
		on_aps_answer(f, &reply);
	else
		log_line(LOG_LEVEL_WARNING, "APS frame not taken by the MEF", "device=%s status=%u", node_name(f->device), r->status);
	json_arena_free(a);
	relayed_free(f);
}

static void relayed_send(struct relayed *f)
{
	mef_call(f->node, "POST", f->path, rd_str(f->body), on_relayed, f);
}

void mef_relay_frame(struct oci_node *n, uint64_t device, const char *key_path, uint8_t counter, struct rd frame)
{
	struct relayed *f = calloc(1, sizeof *f);
	struct aps_frame aps;
	struct json_out o;
	struct wr w;

	if (!f)
		abort();
	f->node = n;
	f->device = device;
	f->counter = counter;
	if (frame.left > 0 && aps_frame_decode(frame, &aps) == OK) {
		f->aps_counter = aps.counter;
		f->sealed = aps.security && aps.ack_request;
	}
	f->retry = loop_timer_new(n->loop, on_relayed_retry, f);
	snprintf(f->path, sizeof f->path, "%s/aps", key_path);
	w = wr_of(f->body, sizeof f->body - 1);
	o = json_out(&w);
	json_object(&o, NULL);
	json_object(&o, REGISTRATION_APS);
	json_put_uint(&o, "counter", counter);
	json_put_base64(&o, "frame", frame);
	json_close(&o);
	json_close(&o);
	relayed_send(f);
}

void mef_aps(struct oci_node *n, uint64_t device, const char *key_id, uint8_t counter, struct rd frame)
{
	char path[MEF_PATH];

	snprintf(path, sizeof path, "/mef/%s", key_id);
	mef_relay_frame(n, device, path, counter, frame);
}
