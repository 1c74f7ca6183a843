/* What the EG adds to Mmef. */
#include "mef/mmef.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"

#define ANSWER_MAX 1024

struct mmef {
	struct mef *mef;
	struct registration_server *server;
	struct est_port *est; /* NULL: certificates are not ours to issue */
};

/* ---- keys ---- */

static void zigbee_put(struct json_out *o, const struct mef_device *d, const struct mef_generation *g, const struct mef_gateway *gw)
{
	char text[EUI64_SIZE], relay[MEF_ID_MAX + EUI64_SIZE];

	json_object(o, "zigbee");
	eui64_print(text, d->eui64);
	snprintf(relay, sizeof relay, "%s/%s", gw->relay, text);
	json_put_string(o, "device", text);
	eui64_print(text, gw->eui64);
	json_put_string(o, "gateway", text);
	json_put_uint(o, "short", d->short_address);
	json_put_uint(o, "panID", gw->pan_id);
	eui64_print(text, gw->extended_pan_id);
	json_put_string(o, "extendedPanID", text);
	json_put_uint(o, "capability", d->capability);
	json_put_uint(o, "keySequence", g->sequence);
	if (g->of_group) {
		json_object(o, "network");
		json_put_string(o, "name", d->application);
		json_put_uint(o, "generation", g->of_group);
		json_close(o);
	}
	json_put_string(o, "relay", relay);
	json_put_string(o, "application", d->application);
	json_put_uint(o, "generation", g->number);
	if (d->replaces) {
		eui64_print(text, d->replaces);
		json_put_string(o, "replaces", text);
	}
	if (d->router && !g->rotation) {
		eui64_print(text, d->router);
		json_put_string(o, "router", text);
	}
	if (g->rotation)
		json_put_bool(o, "rotation", true);
	json_close(o);
}

/* A key that is not one of a device has nothing to add. */
static bool key_members(void *ctx, const char *key_id, struct json_out *o)
{
	struct mef *m = ((const struct mmef *)ctx)->mef;
	struct mef_generation *g;
	struct mef_gateway *gw;
	struct mef_device *d;

	if (!mef_key_find(m, rd_str(key_id), &d, &g))
		return true;
	gw = mef_gateway_find(m, d->gateway);
	if (!gw || d->state == DEVICE_REMOVED)
		return false;
	zigbee_put(o, d, g, gw);
	return true;
}

/* ---- APS relay and events ---- */

bool mmef_aps_body(const struct json *doc, struct mmef_aps_body *b)
{
	const struct json *aps = json_get(doc, REGISTRATION_APS);
	struct wr w = wr_of(b->frame, sizeof b->frame);
	uint64_t counter;
	struct rd text;

	if (!json_uint(json_get(aps, "counter"), &counter) || counter > UINT8_MAX || !json_string(json_get(aps, "frame"), &text) ||
	    !base64_parse(text, &w) || w.spoilt)
		return false;
	b->counter = (uint8_t)counter;
	b->len = w.len;
	return true;
}

static void aps_answer(struct registration_call *call, const struct mef_aps_answer *a)
{
	uint8_t buffer[ANSWER_MAX];
	char text[EUI64_SIZE];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	struct rd body;

	json_object(&o, NULL);
	json_object(&o, REGISTRATION_APS);
	json_put_string(&o, "outcome", a->outcome);
	if (a->len > 0)
		json_put_base64(&o, "frame", rd_of(a->octets, a->len));
	if (a->reason)
		json_put_string(&o, "reason", a->reason);
	json_put_bool(&o, "ack", a->ack);
	if (a->tunnel) {
		eui64_print(text, a->tunnel);
		json_put_string(&o, "tunnel", text);
	}
	if (a->child.device) {
		json_object(&o, "child");
		eui64_print(text, a->child.device);
		json_put_string(&o, "device", text);
		json_put_uint(&o, "short", a->child.short_address);
		json_put_uint(&o, "status", a->child.status);
		json_close(&o);
	}
	json_close(&o);
	json_close(&o);
	if (wr_done(&w, &body))
		registration_answer(call, RSC_OK, body);
	else
		registration_refuse(call, RSC_INTERNAL_SERVER_ERROR, "answer does not fit");
}

static void relay_aps(struct mef *m, struct registration_call *call, struct mef_device *d, struct mef_generation *g, const struct json *body)
{
	struct mmef_aps_body b;
	struct mef_aps_answer a;

	if (!mmef_aps_body(body, &b))
		registration_refuse(call, RSC_BAD_REQUEST, "counter (0..255) and frame (base64) are needed");
	else if (mef_aps(m, d, g, b.counter, rd_of(b.frame, b.len), &a) != OK)
		registration_refuse(call, RSC_INTERNAL_SERVER_ERROR, "the Trust Centre could not answer");
	else
		aps_answer(call, &a);
}

/* short and capability may be absent. */
bool mmef_event_body(const struct json *doc, struct mmef_event_body *b)
{
	const struct json *event = json_get(doc, REGISTRATION_EVENT), *address = json_get(event, "short"), *capability = json_get(event, "capability");
	uint64_t n = 0, k = 0;

	if (!json_string(json_get(event, "event"), &b->event) || (address && !json_uint(address, &n)) || n > UINT16_MAX ||
	    (capability && !json_uint(capability, &k)) || k > UINT8_MAX)
		return false;
	b->short_address = (uint16_t)n;
	b->capability = (uint8_t)k;
	return true;
}

static void take_event(struct mef *m, struct registration_call *call, struct mef_device *d, struct mef_generation *g, const struct json *body)
{
	struct mmef_event_body b;

	if (!mmef_event_body(body, &b))
		registration_refuse(call, RSC_BAD_REQUEST, "event is needed; short and capability are numbers");
	else if (mef_event(m, d, g, b.event, b.short_address, b.capability) != OK)
		registration_refuse(call, RSC_BAD_REQUEST, "no such event");
	else
		registration_answer(call, RSC_OK, rd_str("{}"));
}

static const struct {
	const char *leaf;
	void (*serve)(struct mef *m, struct registration_call *call, struct mef_device *d, struct mef_generation *g, const struct json *body);
} leaves[] = {
	{"aps", relay_aps},
	{"event", take_event},
};

static bool key_post(void *ctx, struct registration_call *call, const char *key_id, struct rd leaf, const struct json *body)
{
	struct mef *m = ((const struct mmef *)ctx)->mef;
	struct mef_generation *g;
	struct mef_device *d;

	for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++) {
		if (!rd_is(leaf, leaves[i].leaf) || !mef_key_find(m, rd_str(key_id), &d, &g))
			continue;
		leaves[i].serve(m, call, d, g, body);
		return true;
	}
	return false;
}

/* ---- the audit log's witnesses ---- */

/* hash is absent where seq is 0. */
bool mmef_witness_body(const struct json *doc, struct audit_head *h)
{
	const struct json *witness = json_get(doc, REGISTRATION_WITNESS);
	struct rd text;

	memset(h, 0, sizeof *h);
	if (!json_uint(json_get(witness, "seq"), &h->last))
		return false;
	return h->last == 0 || (json_string(json_get(witness, "hash"), &text) && text.left == 2 * sizeof h->hash && hex_parse(text, h->hash, sizeof h->hash));
}

static bool client_post(void *ctx, struct registration_call *call, struct rd leaf, const struct json *body)
{
	struct mef *m = ((const struct mmef *)ctx)->mef;
	char hash[2 * sizeof((struct audit_head *)0)->hash + 1];
	struct audit_head known, now;
	uint8_t buffer[200];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	struct rd answer;
	bool good;

	if (!rd_is(leaf, "witness"))
		return false;
	if (!mmef_witness_body(body, &known)) {
		registration_refuse(call, RSC_BAD_REQUEST, "seq is needed, and its hash of 64 hexadecimal digits");
		return true;
	}
	good = mef_witness(m, registration_caller(call), &known, &now);
	hex_print(hash, now.hash, sizeof now.hash);
	json_object(&o, NULL);
	json_object(&o, REGISTRATION_WITNESS);
	json_put_bool(&o, "fits", good);
	json_put_uint(&o, "seq", now.last);
	json_put_string(&o, "hash", hash);
	json_close(&o);
	json_close(&o);
	if (wr_done(&w, &answer))
		registration_answer(call, RSC_OK, answer);
	else
		registration_refuse(call, RSC_INTERNAL_SERVER_ERROR, "answer does not fit");
	return true;
}

/* ---- commands ---- */

static void reported(void *ctx, const struct registry_command *c, const char *client, uint64_t status)
{
	(void)client;
	mef_command_done(((const struct mmef *)ctx)->mef, c, status);
}

static void wake(void *ctx, const char *client)
{
	registration_server_wake(((const struct mmef *)ctx)->server, client);
}

static bool connected(void *ctx, const char *client)
{
	return registration_server_connected(((const struct mmef *)ctx)->server, client, clock_ms());
}

/* ---- EST ---- */

static bool other(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	const struct mmef *mm = ctx;

	return mm->est && est_port_serve(mm->est, x, rq);
}

void mmef_use_est(struct mmef *mm, struct est_port *est)
{
	mm->est = est;
}

/* ---- start and end ---- */

enum err mmef_new(struct mef *m, const char *host_port, struct tls_credentials *tls, struct mmef **out)
{
	struct mmef *mm = calloc(1, sizeof *mm);
	const struct registration_hooks hooks = {.key_members = key_members, .key_post = key_post, .client_post = client_post, .other = other, .reported = reported, .ctx = mm};
	enum err e;

	if (!mm)
		return ERR_NO_MEMORY;
	mm->mef = m;
	e = registration_server_new(m->loop, host_port, tls, m->registry, &hooks, &mm->server);
	if (e != OK) {
		free(mm);
		return e;
	}
	m->client_wake = wake;
	m->client_connected = connected;
	m->client_ctx = mm;
	*out = mm;
	return OK;
}

uint16_t mmef_port(const struct mmef *mm)
{
	return registration_server_port(mm->server);
}

struct registration_server *mmef_server(const struct mmef *mm)
{
	return mm->server;
}

void mmef_free(struct mmef *mm)
{
	if (!mm)
		return;
	mm->mef->client_wake = NULL;
	mm->mef->client_connected = NULL;
	registration_server_free(mm->server);
	free(mm);
}
