/* IPE-NI. */
#include "gateway/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/table.h"
#include "json/json.h"
#include "loop/log.h"

#define RETRY_MS 500
#define QUEUE_MAX 500
#define UP_INSTANCES 500
#define DOWN_INSTANCES 100
#define BODY_MAX 4096

struct waiting {
	struct waiting *next;
	bool numbered; /* it went once, and keeps its number */
	uint8_t octets[EGP_MESSAGE_MAX];
	size_t len;
};

enum channel_step { STEP_ACP_UP, STEP_ACP_DOWN, STEP_DEVICE, STEP_UP, STEP_LATEST, STEP_DOWN, STEP_SUBSCRIBE, STEP_CATCH_UP, STEP_DONE };

struct channel {
	struct channel *next;
	struct table_node by_device;
	struct relay *relay;
	uint64_t device;
	char name[EUI64_SIZE], owner[128];
	enum channel_step step;
	bool calling, told;
	bool update;      /* the access control policy is there already, with an owner perhaps that is not the owner any more */
	bool start_over;  /* another owner */
	bool again;       /* a notification came while what is there was on its way to us */
	struct waiting *first, **last;
	size_t count;
	uint32_t transaction;
	struct down down;
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
	struct table by_device;
	struct loop_timer *retry;
	bool registered, calling;
	unsigned sequence;
	bool clock_known;
	int64_t cse_ahead_s; /* the CSE's clock against ours */
};

static void channel_go(struct channel *c);
static void register_ae(struct relay *r);

static void call(struct relay *r, const char *method, const char *path, int ty, const char *body, http_done *done, void *ctx)
{
	char url[600], id[32], type[64];
	const struct http_header headers[] = {
		{"X-M2M-Origin", r->config.ae_id}, {"X-M2M-RI", id}, {"X-M2M-RVI", "3"}, {"Content-Type", type}, {NULL, NULL},
	};
	struct http_call_options o = {.method = method, .url = url, .peer = r->config.identity, .headers = headers, .body = rd_str(body ? body : "")};

	snprintf(url, sizeof url, "%s/%s%s", r->config.url, r->config.cse_name, path);
	snprintf(id, sizeof id, "ni-%u", ++r->sequence);
	snprintf(type, sizeof type, ty ? "application/json;ty=%d" : "application/json", ty);
	http_call(r->http, &o, done, ctx);
}

static void note_clock(struct relay *r, const struct http_result *res)
{
	uint64_t date_s = http_result_date(res);

	if (res->error != OK || date_s == 0)
		return;
	r->clock_known = true;
	r->cse_ahead_s = (int64_t)date_s - (int64_t)(clock_unix_ms() / 1000);
}

static uint64_t cse_clock_s(const struct relay *r)
{
	return r->clock_known ? (uint64_t)((int64_t)(clock_unix_ms() / 1000) + r->cse_ahead_s) : 0;
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
	table_clear(&r->by_device);
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
	table_remove(&gone->relay->by_device, &gone->by_device);
	channel_free(gone);
}

static void on_channel_retry(void *ctx)
{
	channel_go(ctx);
}

static void carry_out(struct channel *c, const struct json *instance, bool retrieved);

/* Numbers only grow, also when we have lost our epoch: behind the latest message that the CSE has. */
static void on_latest(struct channel *c, const struct json *doc)
{
	uint8_t octets[EGP_MESSAGE_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	struct egp_message m;
	struct rd con, message;

	if (json_string(json_path(doc, "m2m:cin.con"), &con) && base64_parse(con, &w) && wr_done(&w, &message) && egp_decode(message, &m) == OK &&
	    (int32_t)(m.transaction - c->transaction) > 0)
		c->transaction = m.transaction;
}

static void on_there(struct channel *c, const struct json *doc)
{
	const struct json *container = json_get(doc, "m2m:cnt");
	const struct json *i = down_first_new(&c->down, json_get(container, "m2m:cin"));

	if (!json_text(json_get(container, "ri"), c->down.container, sizeof c->down.container))
		c->down.container[0] = '\0';
	c->calling = true; /* whatever a message leads to, the channel stays until we are through */
	for (; i && !c->gone; i = i->next)
		carry_out(c, i, true);
	c->calling = false;
}

static void on_retrieved(struct channel *c, const struct http_result *res)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;

	if (a && res->status < 300 && json_parse(a, res->body, NULL, &doc) == OK) {
		if (c->step == STEP_LATEST)
			on_latest(c, doc);
		else
			on_there(c, doc);
	}
	json_arena_free(a);
}

/* True: go on with the next step. */
static bool step_taken(struct channel *c, const struct http_result *res)
{
	bool policy = c->step == STEP_ACP_UP || c->step == STEP_ACP_DOWN;
	bool retrieval = c->step == STEP_LATEST || c->step == STEP_CATCH_UP;

	if (policy && res->error == OK && res->status == 409 && !c->update) {
		c->update = true;
		channel_go(c);
		return false;
	}
	/* a CSE that does not let us look is not asked again: notifications are what counts */
	if (retrieval && res->error == OK && res->status < 500)
		on_retrieved(c, res);
	else if (!made(res)) {
		if (res->error == OK)
			log_line(LOG_LEVEL_WARNING, "container not made", "device=%s step=%d status=%u", c->name, (int)c->step, res->status);
		loop_timer_in(c->retry, RETRY_MS);
		return false;
	}
	return true;
}

static void on_step(void *ctx, const struct http_result *res)
{
	struct channel *c = ctx;

	c->calling = false;
	note_clock(c->relay, res);
	if (!c->gone && !c->start_over && !step_taken(c, res))
		return;
	if (c->gone) {
		reap(c);
		return;
	}
	c->update = false;
	if (c->step == STEP_CATCH_UP && c->again)
		c->again = false;
	else
		c->step++;
	channel_go(c);
}

static const char *acp_name(const struct channel *c)
{
	return c->step == STEP_ACP_UP ? "up" : "down";
}

/* up: the owner retrieves, discovers, and subscribes (CREATE); down: it only creates */
static void put_policy(const struct channel *c, char *body, size_t size)
{
	const struct relay_config *k = &c->relay->config;
	char name[64] = "";

	if (!c->update)
		snprintf(name, sizeof name, "\"rn\":\"%s-%s\",", c->name, acp_name(c));
	snprintf(body, size,
	    "{\"m2m:acp\":{%s\"pv\":{\"acr\":[{\"acor\":[\"%s\",\"%s/*\"],\"acop\":%d},{\"acor\":[\"%s/%s\"],\"acop\":63}]},"
	    "\"pvs\":{\"acr\":[{\"acor\":[\"%s/%s\"],\"acop\":63}]}}}",
	    name, c->owner, c->owner, c->step == STEP_ACP_UP ? 35 : 1, k->cse_id, k->ae_id, k->cse_id, k->ae_id);
}

static void make_step(struct channel *c)
{
	const struct relay_config *k = &c->relay->config;
	char path[200], body[BODY_MAX] = "";
	const char *method = "POST";
	int ty = 3;

	snprintf(path, sizeof path, "/%s", k->name);
	switch (c->step) {
	case STEP_ACP_UP:
	case STEP_ACP_DOWN:
		ty = c->update ? 0 : 1;
		method = c->update ? "PUT" : "POST";
		if (c->update)
			snprintf(path, sizeof path, "/%s/%s-%s", k->name, c->name, acp_name(c));
		put_policy(c, body, sizeof body);
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
	case STEP_LATEST:
	case STEP_CATCH_UP:
		ty = 0;
		method = "GET";
		snprintf(path, sizeof path, "/%s/%s/%s", k->name, c->name, c->step == STEP_LATEST ? "up/la" : "down?rcn=4&ty=4");
		break;
	case STEP_DONE:
		return;
	}
	c->calling = true;
	call(c->relay, method, path, ty, body, on_step, c);
}

static void on_posted(void *ctx, const struct http_result *res)
{
	struct channel *c = ctx;
	struct waiting *w = c->first;

	c->calling = false;
	note_clock(c->relay, res);
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

/* Its number is given when it goes for the first time: so that there are no gaps, and all are behind what was there. */
static bool body_of(struct channel *c, struct waiting *n, char *body, size_t size)
{
	struct wr w = wr_of(body, size - 1);
	struct json_out o = json_out(&w);
	uint8_t octets[EGP_MESSAGE_MAX];
	struct wr numbered = wr_of(octets, sizeof octets);
	struct egp_message m;

	if (!n->numbered) {
		if (egp_decode(rd_of(n->octets, n->len), &m) != OK)
			return false;
		m.transaction = ++c->transaction;
		if (egp_encode(&m, &numbered) != OK || numbered.len != n->len)
			return false;
		memcpy(n->octets, octets, n->len);
		n->numbered = true;
	}
	json_object(&o, NULL);
	json_object(&o, "m2m:cin");
	json_put_string(&o, "cnf", "application/octet-stream:1");
	json_put_base64(&o, "con", rd_of(n->octets, n->len));
	json_close(&o);
	json_close(&o);
	body[w.len] = '\0';
	return !w.spoilt;
}

static void channel_go(struct channel *c)
{
	char path[200], body[BODY_MAX];

	if (!c->relay->registered || c->calling)
		return;
	if (c->start_over) {
		c->start_over = false;
		c->step = STEP_ACP_UP;
	}
	if (c->step != STEP_DONE) {
		make_step(c);
		return;
	}
	if (!c->told) {
		c->told = true;
		c->relay->events->ready(c->relay->ctx, c->device);
	}
	if (!c->first || !body_of(c, c->first, body, sizeof body))
		return;
	c->calling = true;
	snprintf(path, sizeof path, "/%s/%s/up?rcn=0", c->relay->config.name, c->name);
	call(c->relay, "POST", path, 4, body, on_posted, c);
}

static struct channel *channel_of(const struct relay *r, uint64_t device)
{
	for (struct table_node *n = table_find(&r->by_device, table_hash(device)); n; n = table_find_next(n)) {
		struct channel *c = table_owner(n, struct channel, by_device);

		if (c->device == device && !c->gone)
			return c;
	}
	return NULL;
}

void relay_device(struct relay *r, uint64_t device, const char *owner, const char *last)
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
		down_init(&c->down, device, last ? last : "");
		c->retry = loop_timer_new(r->loop, on_channel_retry, c);
		c->next = r->channels;
		r->channels = c;
		table_add(&r->by_device, &c->by_device, table_hash(device));
	} else if (strcmp(c->owner, owner) != 0) {
		c->start_over = true;
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

const char *relay_last(const struct relay *r, uint64_t device)
{
	const struct channel *c = channel_of(r, device);

	return c ? c->down.last : NULL;
}

/* The first that is not on its way. */
static void drop_oldest(struct channel *c)
{
	struct waiting **link = c->calling && c->first ? &c->first->next : &c->first, *oldest = *link;

	if (!oldest)
		return;
	*link = oldest->next;
	if (!*link)
		c->last = link;
	c->count--;
	free(oldest);
	log_line(LOG_LEVEL_WARNING, "uplink queue full, oldest dropped", "device=%s", c->name);
}

void relay_up(struct relay *r, uint64_t device, const struct egp_message *m)
{
	struct channel *c = channel_of(r, device);
	struct waiting *n = c ? calloc(1, sizeof *n) : NULL;
	struct wr w;

	if (!c)
		return;
	if (!n)
		abort();
	w = wr_of(n->octets, sizeof n->octets);
	if (egp_encode(m, &w) != OK) {
		free(n);
		return;
	}
	n->len = w.len;
	if (c->count >= QUEUE_MAX)
		drop_oldest(c);
	*c->last = n;
	c->last = &n->next;
	c->count++;
	channel_go(c);
}

/* ---- from node B ---- */

static void report_expired(struct channel *c)
{
	struct egp_message m = {.type = EGP_DELIVERY};

	m.delivery.device = c->device;
	m.delivery.status = EGP_EXPIRED;
	log_line(LOG_LEVEL_NOTICE, "frame came too late", "device=%s", c->name);
	relay_up(c->relay, c->device, &m);
}

/* May end the channel. */
static void carry_out(struct channel *c, const struct json *instance, bool retrieved)
{
	uint8_t octets[EGP_MESSAGE_MAX];
	struct egp_message m;
	enum err e = down_take(&c->down, instance, cse_clock_s(c->relay), retrieved, octets, &m);

	if (e == OK)
		c->relay->events->message(c->relay->ctx, &m);
	else if (e == ERR_TIMEOUT)
		report_expired(c);
	else if (e != ERR_DUPLICATE)
		log_line(LOG_LEVEL_WARNING, "message from node B refused", "device=%s reason=%s", c->name, err_name(e));
}

void relay_notified(struct relay *r, struct rd body)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc, *instance;
	struct channel *c = NULL;
	uint64_t device;

	if (a && json_parse(a, body, NULL, &doc) == OK) {
		instance = json_path(doc, "m2m:sgn.nev.rep.m2m:cin");
		if (down_device(instance, &device))
			c = channel_of(r, device);
		if (c && c->step == STEP_DONE && !c->start_over)
			carry_out(c, instance, false);
		else if (c)
			c->again = c->step == STEP_CATCH_UP; /* it is among what is retrieved, or will be */
	}
	json_arena_free(a);
}
