/* IPE-NI. */
#include "gateway/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "json/json.h"
#include "loop/log.h"

#define RETRY_MS 500
#define QUEUE_MAX 500
#define SEEN 64
#define UP_INSTANCES 500
#define DOWN_INSTANCES 100
#define BODY_MAX 4096

struct waiting {
	struct waiting *next;
	char body[BODY_MAX];
};

enum channel_step { STEP_ACP_UP, STEP_ACP_DOWN, STEP_DEVICE, STEP_UP, STEP_DOWN, STEP_SUBSCRIBE, STEP_DONE };

struct channel {
	struct channel *next;
	struct relay *relay;
	uint64_t device;
	char name[EUI64_SIZE], owner[128];
	enum channel_step step;
	bool calling, told;
	struct waiting *first, **last;
	size_t count;
	uint32_t transaction;
	uint32_t seen[SEEN];
	size_t seen_next;
	struct loop_timer *retry;
	bool gone;
};

struct relay {
	struct loop *loop;
	struct http_client *http;
	struct relay_config config;
	const struct relay_events *events;
	void *ctx;
	struct channel *channels;
	struct loop_timer *retry;
	bool registered, calling;
	unsigned sequence;
};

static void channel_go(struct channel *c);
static void register_ae(struct relay *r);

static void call(struct relay *r, const char *method, const char *path, int ty, const char *body, http_done *done, void *ctx)
{
	char url[600], id[32], type[64];
	const struct http_header headers[] = {
		{"X-M2M-Origin", r->config.ae_id}, {"X-M2M-RI", id}, {"X-M2M-RVI", "3"}, {"Content-Type", type}, {NULL, NULL},
	};
	struct http_call_options o = {.method = method, .url = url, .peer = r->config.identity, .headers = headers, .body = rd_str(body)};

	snprintf(url, sizeof url, "%s/%s%s", r->config.url, r->config.cse_name, path);
	snprintf(id, sizeof id, "ni-%u", ++r->sequence);
	snprintf(type, sizeof type, ty ? "application/json;ty=%d" : "application/json", ty);
	http_call(r->http, &o, done, ctx);
}

/* 2xx, or there already: that is the same to us. */
static bool made(const struct http_result *res)
{
	return res->error == OK && (res->status < 300 || res->status == 409);
}

/* ---- the AE ---- */

static void on_retry(void *ctx)
{
	register_ae(ctx);
}

static void on_registered(void *ctx, const struct http_result *res)
{
	struct relay *r = ctx;
	const char *rsc = http_result_header(res, "X-M2M-RSC");

	r->calling = false;
	if (!made(res) && !(rsc && strcmp(rsc, "4117") == 0)) {
		if (res->error == OK)
			log_line(LOG_LEVEL_WARNING, "registrar CSE refused the AE", "status=%u", res->status);
		loop_timer_in(r->retry, RETRY_MS);
		return;
	}
	if (!r->registered)
		log_line(LOG_LEVEL_INFO, "registered", "ae=%s cse=%s", r->config.ae_id, r->config.cse_id);
	r->registered = true;
	for (struct channel *c = r->channels; c; c = c->next)
		channel_go(c);
}

static void on_checked(void *ctx, const struct http_result *res)
{
	struct relay *r = ctx;

	r->calling = false;
	if (res->error == OK && res->status < 300)
		on_registered(ctx, res);
	else if (res->error == OK)
		register_ae(r);
	else
		loop_timer_in(r->retry, RETRY_MS);
}

/* An AE that is there already gets the present point of access. */
static void update_ae(struct relay *r)
{
	char body[512], path[160];

	snprintf(path, sizeof path, "/%s", r->config.name);
	snprintf(body, sizeof body, "{\"m2m:ae\":{\"poa\":[\"%s\"]}}", r->config.poa);
	r->calling = true;
	call(r, "PUT", path, 0, body, on_checked, r);
}

static void register_ae(struct relay *r)
{
	char body[512];

	if (r->calling)
		return;
	r->calling = true;
	snprintf(body, sizeof body, "{\"m2m:ae\":{\"rn\":\"%s\",\"api\":\"Nkeyway.ipe-ni\",\"rr\":true,\"srv\":[\"3\"],\"poa\":[\"%s\"]}}", r->config.name, r->config.poa);
	call(r, "POST", "", 2, body, on_registered, r);
}

struct relay *relay_new(struct loop *l, struct http_client *http, const struct relay_config *config, const struct relay_events *events, void *ctx)
{
	struct relay *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	r->loop = l;
	r->http = http;
	r->config = *config;
	r->events = events;
	r->ctx = ctx;
	r->retry = loop_timer_new(l, on_retry, r);
	update_ae(r);
	return r;
}

static void channel_free(struct channel *c)
{
	while (c->first) {
		struct waiting *w = c->first;

		c->first = w->next;
		free(w);
	}
	loop_timer_free(c->retry);
	free(c);
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	while (r->channels) {
		struct channel *c = r->channels;

		r->channels = c->next;
		channel_free(c);
	}
	loop_timer_free(r->retry);
	free(r);
}

/* ---- a device's containers, and its queue ---- */

static void reap(struct channel *gone)
{
	struct channel **link = &gone->relay->channels;

	while (*link && *link != gone)
		link = &(*link)->next;
	if (*link)
		*link = gone->next;
	channel_free(gone);
}

static void on_channel_retry(void *ctx)
{
	channel_go(ctx);
}

static void on_step(void *ctx, const struct http_result *res)
{
	struct channel *c = ctx;

	c->calling = false;
	if (c->gone) {
		reap(c);
		return;
	}
	if (!made(res)) {
		if (res->error == OK)
			log_line(LOG_LEVEL_WARNING, "container not made", "device=%s step=%d status=%u", c->name, (int)c->step, res->status);
		loop_timer_in(c->retry, RETRY_MS);
		return;
	}
	c->step++;
	channel_go(c);
}

static void make_step(struct channel *c)
{
	const struct relay_config *k = &c->relay->config;
	char path[200], body[BODY_MAX];
	int ty = 3;

	snprintf(path, sizeof path, "/%s", k->name);
	switch (c->step) {
	case STEP_ACP_UP:
	case STEP_ACP_DOWN:
		/* up: the owner retrieves, discovers, and subscribes (CREATE); down: it only creates */
		ty = 1;
		snprintf(body, sizeof body,
		    "{\"m2m:acp\":{\"rn\":\"%s-%s\",\"pv\":{\"acr\":[{\"acor\":[\"%s\",\"%s/*\"],\"acop\":%d},{\"acor\":[\"%s/%s\"],\"acop\":63}]},"
		    "\"pvs\":{\"acr\":[{\"acor\":[\"%s/%s\"],\"acop\":63}]}}}",
		    c->name, c->step == STEP_ACP_UP ? "up" : "down", c->owner, c->owner, c->step == STEP_ACP_UP ? 35 : 1, k->cse_id, k->ae_id, k->cse_id, k->ae_id);
		break;
	case STEP_DEVICE:
		snprintf(body, sizeof body, "{\"m2m:cnt\":{\"rn\":\"%s\",\"lbl\":[\"zigbee-relay\"]}}", c->name);
		break;
	case STEP_UP:
	case STEP_DOWN:
		snprintf(path, sizeof path, "/%s/%s", k->name, c->name);
		snprintf(body, sizeof body, "{\"m2m:cnt\":{\"rn\":\"%s\",\"mni\":%d,\"acpi\":[\"%s/%s/%s-%s\"]}}", c->step == STEP_UP ? "up" : "down",
		    c->step == STEP_UP ? UP_INSTANCES : DOWN_INSTANCES, k->cse_name, k->name, c->name, c->step == STEP_UP ? "up" : "down");
		break;
	case STEP_SUBSCRIBE:
		ty = 23;
		snprintf(path, sizeof path, "/%s/%s/down", k->name, c->name);
		snprintf(body, sizeof body, "{\"m2m:sub\":{\"rn\":\"ni\",\"nu\":[\"%s/%s\"],\"nct\":1,\"enc\":{\"net\":[3]}}}", k->cse_id, k->ae_id);
		break;
	case STEP_DONE:
		return;
	}
	c->calling = true;
	call(c->relay, "POST", path, ty, body, on_step, c);
}

static void on_posted(void *ctx, const struct http_result *res)
{
	struct channel *c = ctx;
	struct waiting *w = c->first;

	c->calling = false;
	if (c->gone) {
		reap(c);
		return;
	}
	if (res->error == OK && res->status == 404) {
		c->step = STEP_ACP_UP; /* the CSE has lost its store: make it all again */
		loop_timer_in(c->retry, RETRY_MS);
		return;
	}
	if (res->error != OK || res->status >= 300) {
		log_line(LOG_LEVEL_WARNING, "uplink not taken yet", "device=%s status=%u reason=%s", c->name, res->status, err_name(res->error));
		loop_timer_in(c->retry, RETRY_MS);
		return;
	}
	if (w) {
		c->first = w->next;
		if (!c->first)
			c->last = &c->first;
		c->count--;
		free(w);
	}
	channel_go(c);
}

static void channel_go(struct channel *c)
{
	char path[200];

	if (!c->relay->registered || c->calling)
		return;
	if (c->step != STEP_DONE) {
		make_step(c);
		return;
	}
	if (!c->told) {
		c->told = true;
		c->relay->events->ready(c->relay->ctx, c->device);
	}
	if (!c->first)
		return;
	c->calling = true;
	snprintf(path, sizeof path, "/%s/%s/up?rcn=0", c->relay->config.name, c->name);
	call(c->relay, "POST", path, 4, c->first->body, on_posted, c);
}

static struct channel *channel_of(struct relay *r, uint64_t device)
{
	for (struct channel *c = r->channels; c; c = c->next)
		if (c->device == device && !c->gone)
			return c;
	return NULL;
}

void relay_device(struct relay *r, uint64_t device, const char *owner)
{
	struct channel *c = channel_of(r, device);

	if (!c) {
		c = calloc(1, sizeof *c);
		if (!c)
			abort();
		c->relay = r;
		c->device = device;
		eui64_print(c->name, device);
		c->last = &c->first;
		c->transaction = r->config.epoch << 20;
		c->retry = loop_timer_new(r->loop, on_channel_retry, c);
		c->next = r->channels;
		r->channels = c;
	}
	snprintf(c->owner, sizeof c->owner, "%s", owner);
	c->told = false;
	channel_go(c);
}

void relay_forget(struct relay *r, uint64_t device)
{
	struct channel *c = channel_of(r, device);

	if (!c)
		return;
	c->gone = true;
	if (!c->calling)
		reap(c);
}

void relay_up(struct relay *r, uint64_t device, struct egp_message *m)
{
	struct channel *c = channel_of(r, device);
	uint8_t octets[EGP_MESSAGE_MAX];
	struct wr w = wr_of(octets, sizeof octets), body;
	struct waiting *n;
	struct json_out o;
	struct rd message;

	if (!c)
		return;
	m->transaction = ++c->transaction;
	if (egp_encode(m, &w) != OK || !wr_done(&w, &message))
		return;
	n = calloc(1, sizeof *n);
	if (!n)
		abort();
	body = wr_of(n->body, sizeof n->body - 1);
	o = json_out(&body);
	json_object(&o, NULL);
	json_object(&o, "m2m:cin");
	json_put_string(&o, "cnf", "application/octet-stream:1");
	json_put_base64(&o, "con", message);
	json_close(&o);
	json_close(&o);
	if (c->count == QUEUE_MAX && !c->calling) {
		struct waiting *oldest = c->first;

		c->first = oldest->next;
		c->count--;
		free(oldest);
		log_line(LOG_LEVEL_WARNING, "uplink queue full, oldest dropped", "device=%s", c->name);
	}
	*c->last = n;
	c->last = &n->next;
	c->count++;
	channel_go(c);
}

/* ---- from node B ---- */

static bool seen_before(struct channel *c, uint32_t transaction)
{
	for (size_t i = 0; i < SEEN; i++)
		if (c->seen[i] == transaction)
			return true;
	c->seen[c->seen_next++ % SEEN] = transaction;
	return false;
}

static uint64_t device_of(const struct egp_message *m)
{
	switch (m->type) {
	case EGP_DOWNLINK:
		return m->downlink.device;
	case EGP_CHILD_SET:
		return m->child_set.device;
	case EGP_CHILD_DROP:
		return m->child_drop.device;
	case EGP_HELLO:
	case EGP_HELLO_ACK:
	case EGP_JOIN_POLICY:
	case EGP_ACK:
	case EGP_REQUEST:
	case EGP_RESPONSE:
	case EGP_ERROR:
	case EGP_DEVICE_GONE:
	case EGP_DEVICE_REMOVE:
	case EGP_PING:
	case EGP_PONG:
	case EGP_UPLINK:
	case EGP_DELIVERY:
	case EGP_CHILD_EVENT:
		break;
	}
	return 0;
}

void relay_notified(struct relay *r, struct rd body)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc, *instance;
	struct wr w = wr_new(EGP_MESSAGE_MAX);
	struct egp_message m;
	struct rd con, octets;
	struct channel *c;

	if (a && json_parse(a, body, NULL, &doc) == OK && (instance = json_get(json_path(doc, "m2m:sgn"), "nev")) != NULL &&
	    json_string(json_get(json_get(json_get(instance, "rep"), "m2m:cin"), "con"), &con) && base64_parse(con, &w) && wr_done(&w, &octets) &&
	    egp_decode(octets, &m) == OK) {
		c = channel_of(r, device_of(&m));
		if (c && !seen_before(c, m.transaction))
			r->events->message(r->ctx, &m);
	}
	wr_free(&w);
	json_arena_free(a);
}
