/* Subscriptions: events become notifications in one outbox a target of a subscription, sent in order, the next after the former was
 * answered; an unreachable target is tried again with back-off. TS-0001 clause 10.2.10. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"

#define OUTBOX_MAX 1000     /* notifications that wait for one target; the oldest goes first when it is full */
#define RETRY_FIRST_MS 250
#define RETRY_MOST_MS 5000
#define RETRY_TRIES 200

struct notification {
	struct notification *next;
	struct wr content;
};

struct outbox {
	struct outbox *next;
	struct cse *cse;
	char subscription[STORE_NAME]; /* ri */
	char target[CSE_ID_MAX];       /* nu */
	struct notification *first, **last;
	size_t count;
	bool in_flight;
	unsigned tries;
	uint64_t not_before;
	/* of the request on its way */
	struct onem2m_request rq;
	char id[32], to[CSE_ID_MAX];
};

static struct outbox *outbox_of(struct cse *c, const char *subscription, const char *target)
{
	struct outbox *b;

	for (b = c->outboxes; b; b = b->next)
		if (strcmp(b->subscription, subscription) == 0 && strcmp(b->target, target) == 0)
			return b;
	b = calloc(1, sizeof *b);
	if (!b)
		abort();
	b->cse = c;
	snprintf(b->subscription, sizeof b->subscription, "%s", subscription);
	snprintf(b->target, sizeof b->target, "%s", target);
	b->last = &b->first;
	b->next = c->outboxes;
	c->outboxes = b;
	return b;
}

static void drop(struct outbox *b, struct notification **link)
{
	struct notification *n = *link;

	*link = n->next;
	if (!*link)
		b->last = link;
	b->count--;
	wr_free(&n->content);
	free(n);
}

static void drop_first(struct outbox *b)
{
	drop(b, &b->first);
}

static void post(struct cse *c, const char *subscription, const char *target, struct rd content)
{
	struct outbox *b = outbox_of(c, subscription, target);
	struct notification *n = calloc(1, sizeof *n);

	if (!n)
		abort();
	n->content = wr_new(CSE_BODY_MAX * 2);
	wr_rd(&n->content, content);
	if (b->count == OUTBOX_MAX) {
		drop(b, b->in_flight ? &b->first->next : &b->first);
		c->counts.notify_failed++;
	}
	*b->last = n;
	b->last = &n->next;
	b->count++;
}

static bool wants(const struct json *sub, enum cse_event event)
{
	const struct json *net = json_path(sub, "enc.net");
	uint64_t n;

	if (!net)
		return event == EVENT_UPDATE;
	for (const struct json *e = net->first; e; e = e->next)
		if (json_uint(e, &n) && n == (uint64_t)event)
			return true;
	return false;
}

struct noticing {
	struct cse *cse;
	enum cse_event event;
	const struct store_row *shown;
};

static bool compose(const struct noticing *n, const struct store_row *row, const struct json *sub, struct wr *w, struct rd *content)
{
	struct json_out o = json_out(w);
	char reference[CSE_ID_MAX];
	uint64_t nct = 1;

	if (!json_uint(json_get(sub, "nct"), &nct))
		nct = 1;
	json_object(&o, NULL);
	json_object(&o, "m2m:sgn");
	json_object(&o, "nev");
	json_object(&o, "rep");
	if (nct == 3) {
		snprintf(reference, sizeof reference, "%s/%s", n->cse->config.id, n->shown->ri);
		json_put_string(&o, "m2m:uri", reference);
	} else {
		json_put_raw(&o, n->shown->root, n->shown->body);
	}
	json_close(&o);
	json_put_int(&o, "net", n->event);
	json_close(&o);
	snprintf(reference, sizeof reference, "%s/%s", n->cse->config.id, row->ri);
	json_put_string(&o, "sur", reference);
	json_close(&o);
	json_close(&o);
	return wr_done(w, content);
}

static bool on_subscription(void *ctx, const struct store_row *row)
{
	const struct noticing *n = ctx;
	struct json_arena *a;
	struct wr w;
	const struct json *sub, *nu;
	char target[CSE_ID_MAX];
	struct rd content;

	if (row->id == n->shown->id)
		return true; /* its own creation came before it could notice anything */
	a = json_arena_new();
	w = wr_new(CSE_BODY_MAX * 2);
	if (a && json_parse(a, row->body, NULL, &sub) == OK && wants(sub, n->event) && compose(n, row, sub, &w, &content)) {
		nu = json_get(sub, "nu");
		for (const struct json *t = nu ? nu->first : NULL; t; t = t->next)
			if (json_text(t, target, sizeof target))
				post(n->cse, row->ri, target, content);
	}
	wr_free(&w);
	json_arena_free(a);
	return true;
}

void cse_event(struct cse *c, const struct store_row *subject, enum cse_event event, const struct store_row *shown)
{
	struct noticing n = {c, event, shown};

	if (store_children(c->store, subject->id, ONEM2M_SUBSCRIPTION, on_subscription, &n) != OK)
		c->counts.notify_failed++;
}

static void send_next(struct outbox *b);

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct outbox *b = ctx;
	struct cse *c = b->cse;
	uint64_t now = c->transport.now_ms(c->transport.transport), wait = RETRY_FIRST_MS;

	b->in_flight = false;
	if (rsp->rsc != RSC_TARGET_NOT_REACHABLE && rsp->rsc != RSC_NOT_FOUND && rsp->rsc != RSC_REQUEST_TIMEOUT && rsp->rsc != RSC_INTERNAL_SERVER_ERROR) {
		c->counts.notified++;
		b->tries = 0;
		drop_first(b);
		send_next(b);
		return;
	}
	if (++b->tries >= RETRY_TRIES) {
		c->counts.notify_failed += b->count;
		while (b->first)
			drop_first(b);
		b->tries = 0;
		return;
	}
	for (unsigned i = 1; i < b->tries && wait < RETRY_MOST_MS; i++)
		wait *= 2;
	b->not_before = now + (wait < RETRY_MOST_MS ? wait : RETRY_MOST_MS);
	c->transport.wake_at(c->transport.transport, b->not_before);
}

static void send_next(struct outbox *b)
{
	struct cse *c = b->cse;
	struct rd nu = rd_str(b->target), rest;
	char other[CSE_ID_MAX], ae[STORE_NAME];

	if (!b->first || b->in_flight)
		return;
	b->in_flight = true;
	snprintf(b->id, sizeof b->id, "n%llu", (unsigned long long)++c->requests);
	b->rq = (struct onem2m_request){
		.operation = ONEM2M_NOTIFY,
		.from = rd_str(c->config.id),
		.request_id = rd_str(b->id),
		.release = rd_str("3"),
		.rcn = ONEM2M_RCN_ABSENT,
		.content = rd_of(b->first->content.octets, b->first->content.len),
		.peer = "",
		.internal = true,
	};
	if (rd_starts(nu, "http://") || rd_starts(nu, "https://")) {
		c->transport.send(c->transport.transport, b->target, "", &b->rq, on_answer, b);
		return;
	}
	b->rq.to = nu;
	if (cse_is_local(c, nu, &rest, other, sizeof other) && rd_text(rest, ae, sizeof ae) && !strchr(ae, '/'))
		cse_deliver(c, ae, &b->rq, on_answer, b);
	else
		cse_submit(c, &b->rq, on_answer, b);
}

/* What is empty goes: its subscription may be gone too. */
static void reap(struct cse *c)
{
	for (struct outbox **link = &c->outboxes; *link;) {
		struct outbox *b = *link;

		if (b->first || b->in_flight) {
			link = &b->next;
			continue;
		}
		*link = b->next;
		free(b);
	}
}

void cse_outboxes_flush(struct cse *c)
{
	uint64_t now = c->transport.now_ms(c->transport.transport);

	for (struct outbox *b = c->outboxes; b; b = b->next)
		if (b->first && !b->in_flight && b->not_before <= now)
			send_next(b);
	reap(c);
}

void cse_outboxes_tick(struct cse *c, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	cse_outboxes_flush(c);
	for (const struct outbox *b = c->outboxes; b; b = b->next)
		if (b->first && !b->in_flight && b->not_before > now && b->not_before < next)
			next = b->not_before;
	if (next != UINT64_MAX)
		c->transport.wake_at(c->transport.transport, next);
}

void cse_outboxes_free(struct cse *c)
{
	while (c->outboxes) {
		struct outbox *b = c->outboxes;

		c->outboxes = b->next;
		while (b->first)
			drop_first(b);
		free(b);
	}
}
