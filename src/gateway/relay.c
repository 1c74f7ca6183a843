/* IPE-NI. */
#include "gateway/relay_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/log.h"

#define QUEUE_MAX 500

static void on_retry(void *ctx)
{
	relay_register(ctx);
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
	relay_register_again(r);
	return r;
}

void channel_free(struct channel *c)
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

/* The CSE answers, or who tried has gone. */
static void all_go(struct relay *r)
{
	r->asking = NULL;
	for (struct channel *c = r->channels; c; c = c->next)
		if (!c->gone && c->step == STEP_DONE && c->first)
			channel_go(c);
}

void channel_reap(struct channel *gone)
{
	struct relay *r = gone->relay;
	bool asked = r->asking == gone;
	struct channel **link = &gone->relay->channels;

	while (*link && *link != gone)
		link = &(*link)->next;
	if (*link)
		*link = gone->next;
	table_remove(&gone->relay->by_device, &gone->by_device);
	channel_free(gone);
	if (asked)
		all_go(r);
}

static void on_channel_retry(void *ctx)
{
	channel_go(ctx);
}

static bool has_waiting(const struct channel *c)
{
	return !c->gone && c->step == STEP_DONE && c->first;
}

/* The next that has something to say, for it may be this one's message that is not answered. */
static struct channel *next_asking(struct channel *c)
{
	struct channel *k = c;

	do
		k = k->next ? k->next : c->relay->channels;
	while (k != c && !has_waiting(k));
	return k;
}

/* Hundreds of devices' channels that all tried, twice a second, would keep us busy with nothing else: one does. */
static void not_answered(struct channel *c, enum err why)
{
	struct relay *r = c->relay;

	if (!r->asking)
		log_line(LOG_LEVEL_WARNING, "uplinks wait: the CSE does not answer", "device=%s reason=%s", c->name, err_name(why));
	else if (r->asking != c)
		return;
	r->asking = next_asking(c);
	loop_timer_in(r->asking->retry, RELAY_RETRY_MS);
}

/* It was answered. */
static void on_answered(struct channel *c, const struct http_result *res)
{
	struct waiting *w = c->first;

	if (res->status == 404) {
		c->step = STEP_ACP_UP; /* the CSE has lost its store: make it all again */
		loop_timer_in(c->retry, RELAY_RETRY_MS);
		return;
	}
	if (res->status >= 300) {
		log_line(LOG_LEVEL_WARNING, "uplink not taken yet", "device=%s status=%u", c->name, res->status);
		loop_timer_in(c->retry, RELAY_RETRY_MS);
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

static void on_posted(void *ctx, const struct http_result *res)
{
	struct channel *c = ctx;
	struct relay *r = c->relay;
	bool again = res->error == OK && r->asking;

	c->calling = false;
	relay_note_clock(r, res);
	if (again) {
		log_line(LOG_LEVEL_INFO, "uplinks are taken again", NULL);
		r->asking = NULL;
	}
	if (c->gone)
		channel_reap(c);
	else if (res->error != OK)
		not_answered(c, res->error);
	else
		on_answered(c, res);
	if (again)
		all_go(r);
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

void channel_go(struct channel *c)
{
	char path[200], body[RELAY_BODY_MAX];

	if (!c->relay->registered || c->calling)
		return;
	if (c->start_over) {
		c->start_over = false;
		c->step = STEP_ACP_UP;
	}
	if (c->step != STEP_DONE) {
		channel_make_step(c);
		return;
	}
	if (!c->told) {
		c->told = true;
		c->relay->events->ready(c->relay->ctx, c->device);
	}
	if (!c->first || (c->relay->asking && c->relay->asking != c) || !body_of(c, c->first, body, sizeof body))
		return;
	c->calling = true;
	snprintf(path, sizeof path, "/%s/%s/up?rcn=0", c->relay->config.name, c->name);
	relay_call(c->relay, "POST", path, 4, body, on_posted, c);
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

void relay_remove(struct relay *r, uint64_t device)
{
	struct channel *c = channel_of(r, device);

	channel_delete(r, device);
	if (!c)
		return;
	c->gone = true;
	if (!c->calling)
		channel_reap(c);
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
void channel_carry_out(struct channel *c, const struct json *instance, bool retrieved)
{
	uint8_t octets[EGP_MESSAGE_MAX];
	struct egp_message m;
	enum err e = down_take(&c->down, instance, relay_cse_clock_s(c->relay), retrieved, octets, &m);

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
			channel_carry_out(c, instance, false);
		else if (c)
			c->again = c->step == STEP_CATCH_UP; /* it is among what is retrieved, or will be */
	}
	json_arena_free(a);
}
