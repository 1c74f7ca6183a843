/* Posting and sending. */
#include "cse/gate.h"
#include "cse/notify/outbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/service.h"

#define RETRY_FIRST_MS 250
#define RETRY_MOST_MS 5000     /* at first; a target that is away for long is asked less often */
#define RETRY_LONG_MS 30000
#define RETRY_LONG_AFTER 30
#define CLOSING_TRIES 3

static const struct onem2m_response unreachable = {.rsc = RSC_TARGET_NOT_REACHABLE};
static const struct onem2m_response unsealed = {.rsc = RSC_ESPRIM_ENCRYPTION_ERROR};

/* ---- posting ---- */

void outbox_freshen(struct outbox *b)
{
	struct notifications *s = notifications_of(b->flow->cse);

	if (!b->fresh) {
		b->fresh = true;
		b->next_fresh = s->fresh;
		s->fresh = b;
	}
	cse_commit_later(b->flow->cse);
}

/* pn 1: of what cannot be sent now only the newest is worth keeping. */
static void drop_superseded(struct outbox *b)
{
	struct notification *before = NULL;

	for (size_t i = 0; i < b->sending; i++)
		before = before ? before->next : b->first;
	while (b->count > b->sending + 1)
		flow_drop(b, before, NULL);
}

static struct notification *new_notification(struct cse *c, uint64_t category)
{
	struct notification *n = calloc(1, sizeof *n);

	if (!n)
		abort();
	n->number = ++notifications_of(c)->number;
	n->category = category;
	return n;
}

void outbox_post(struct cse *c, const char *sender, const char *target, const struct outbox_policy *p, struct outbox_content *k)
{
	struct flow *f = flow_find(c, sender, true, true);
	struct outbox *b = flow_outbox(f, target, true);
	struct notification *n = new_notification(c, p->category);
	bool away;

	f->policy = *p;
	f->closing = false;
	flow_append(b, k, n);
	away = b->tries > 0 || !outbox_policy_is_open(c, p);
	if (p->pending == 1 && away)
		drop_superseded(b);
	if (p->pending || away || hold_until(b) != 0)
		keep_one(b, n);
	flow_bound(b);
	outbox_freshen(b);
}

void cse_notify_target(struct cse *c, const char *target, struct rd content, cse_done *done, void *ctx)
{
	struct outbox *b = flow_outbox(flow_find(c, target, false, true), target, true);
	struct notification *n = new_notification(c, 0);
	struct outbox_content *k = outbox_content(content);

	n->done = done;
	n->ctx = ctx;
	flow_append(b, k, n);
	outbox_content_free(k);
	outbox_freshen(b);
}

size_t outbox_waiting(struct cse *c, const char *sender, const char *target)
{
	struct flow *f = flow_find(c, sender, true, false);
	struct outbox *b = f ? flow_outbox(f, target, false) : NULL;

	return b ? b->count : 0;
}

/* ---- the sender changes or ends ---- */

static bool names(const struct json *targets, const char *target)
{
	for (const struct json *t = targets ? targets->first : NULL; t; t = t->next)
		if (json_is_string(t, target))
			return true;
	return false;
}

void outbox_change(struct cse *c, const char *sender, const struct outbox_policy *p, const struct json *targets)
{
	struct flow *f = flow_find(c, sender, true, false);

	if (!f)
		return;
	f->policy = *p;
	for (struct outbox *b = f->boxes; b; b = b->next) {
		while (!names(targets, b->target) && b->count > b->sending) {
			struct notification *before = NULL;

			for (size_t i = 0; i < b->sending; i++)
				before = before ? before->next : b->first;
			flow_drop(b, before, &unreachable);
		}
		outbox_freshen(b);
	}
}

void outbox_change_policy(struct cse *c, const char *sender, const struct outbox_policy *p)
{
	struct flow *f = flow_find(c, sender, true, false);

	if (!f)
		return;
	f->policy = *p;
	for (struct outbox *b = f->boxes; b; b = b->next)
		outbox_freshen(b);
}

void outbox_close(struct cse *c, const char *sender, const char *to, struct rd last)
{
	struct flow *f = flow_find(c, sender, true, to != NULL);

	if (!f)
		return;
	for (struct outbox *b = f->boxes; b; b = b->next) {
		for (struct notification *n = b->first; n; n = n->next)
			keep_forget(b, n);
		b->tries = 0;
		b->not_before = 0;
		outbox_freshen(b);
	}
	if (to) {
		struct outbox_content *k = outbox_content(last);
		struct outbox *b = flow_outbox(f, to, true);
		struct notification *n = new_notification(c, 0);

		n->alone = n->farewell = true;
		exchange_farewell_begins(c);
		flow_append(b, k, n);
		outbox_content_free(k);
		outbox_freshen(b);
	}
	f->closing = true;
}

/* ---- undoing ---- */

uint64_t outbox_mark(struct cse *c)
{
	return notifications_of(c)->number;
}

uint64_t outbox_committed(struct cse *c)
{
	return notifications_of(c)->committed;
}

/* Only what subscriptions post belongs to the transaction; requests with somebody waiting for the answer go on. */
void outbox_undo(struct cse *c, uint64_t mark)
{
	for (struct outbox *b = notifications_of(c)->fresh; b; b = b->next_fresh) {
		struct notification *before = NULL, *n = b->first;

		while (n) {
			struct notification *next = n->next;

			if (b->flow->has_sender && n->number > mark) {
				n->kept = false; /* the store undoes that itself */
				flow_drop(b, before, NULL);
			} else {
				before = n;
			}
			n = next;
		}
	}
}

/* ---- sending ---- */

static bool may_come_later(enum onem2m_rsc rsc)
{
	return rsc == RSC_TARGET_NOT_REACHABLE || rsc == RSC_REMOTE_ENTITY_NOT_REACHABLE || rsc == RSC_NOT_FOUND || rsc == RSC_REQUEST_TIMEOUT ||
	    rsc == RSC_INTERNAL_SERVER_ERROR;
}

static void give_up(struct outbox *b, const struct onem2m_response *rsp)
{
	b->flow->cse->counts.notify_failed += b->count;
	while (b->first)
		flow_drop(b, NULL, rsp);
	b->tries = 0;
}

static void wait_for_target(struct outbox *b, const struct onem2m_response *rsp)
{
	const struct outbox_policy *p = &b->flow->policy;
	uint64_t wait = RETRY_FIRST_MS, most = b->tries > RETRY_LONG_AFTER ? RETRY_LONG_MS : RETRY_MOST_MS;

	if (++b->tries >= (b->flow->closing ? CLOSING_TRIES : OUTBOX_TRIES) && (p->pending == 0 || b->flow->closing)) {
		give_up(b, rsp);
		return;
	}
	for (unsigned i = 1; i < b->tries && wait < most; i++)
		wait *= 2;
	b->not_before = cse_mono(b->flow->cse) + (wait < most ? wait : most);
	if (p->pending == 1)
		drop_superseded(b);
	keep_all(b);
}

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct outbox *b = ctx;
	struct cse *c = b->flow->cse;
	bool away = may_come_later(rsp->rsc);
	size_t n = b->sending;

	b->sending = 0;
	if (b->flow->has_sender && !away && b->flow->policy.counted)
		stats_answered(c, b->flow->key, b->target, n);
	if (away && b->flow->has_sender && b->flow->policy.retry) {
		wait_for_target(b, rsp);
	} else {
		*(away ? &c->counts.notify_failed : &c->counts.notified) += n;
		b->tries = 0;
		b->not_before = 0;
		for (; n > 0; n--)
			flow_drop(b, NULL, rsp);
	}
	b->in_flight = false; /* only now: who was told may have posted again */
	outbox_pump(b);
}

static bool is_url(struct rd nu)
{
	struct rd part;

	return rd_until(&nu, ':', &part) && rd_starts(nu, "//") && part.left > 0 && !memchr(part.at, '/', part.left);
}

/* The URL without its "ct=cbor", which says in what its owner wants to read: TS-0004 clause 7.5.1.2.2. To be freed. */
static char *url_and_form(const char *target, enum serialization *wanted)
{
	static const char *const names[] = {[SERIALIZATION_JSON] = "json", [SERIALIZATION_XML] = "xml", [SERIALIZATION_CBOR] = "cbor"};
	char *url = strdup(target), *argument = url ? strpbrk(url, "?&") : NULL;

	if (!url)
		abort();
	for (; argument; argument = strpbrk(argument + 1, "&")) {
		size_t n = strcspn(argument + 1, "&#");

		if (n < 4 || strncmp(argument + 1, "ct=", 3) != 0)
			continue;
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
			if (strlen(names[i]) != n - 3 || strncmp(argument + 4, names[i], n - 3) != 0)
				continue;
			*wanted = (enum serialization)i;
			if (argument[n + 1] == '&') /* the next argument takes its place */
				memmove(argument + 1, argument + n + 2, strlen(argument + n + 2) + 1);
			else
				memmove(argument, argument + n + 1, strlen(argument + n + 1) + 1);
			return url;
		}
	}
	return url;
}

/* m2m:agn of the first n, each without its own root. */
static struct rd aggregate(struct outbox *b, size_t n)
{
	struct json_arena *a = json_arena_new();
	struct json_out o = json_out(&b->batch);
	struct rd out = rd_of("", 0);
	const struct json *doc;

	if (!a)
		abort();
	wr_reset(&b->batch);
	o = json_out(&b->batch);
	json_object(&o, NULL);
	json_object(&o, "m2m:agn");
	json_array(&o, "m2m:sgn");
	for (const struct notification *k = b->first; n > 0; k = k->next, n--) {
		if (json_parse(a, rd_of(k->content->octets, k->content->len), NULL, &doc) == OK && doc->first)
			json_put_raw(&o, NULL, doc->first->source);
		json_arena_reset(a);
	}
	json_close(&o);
	json_close(&o);
	json_close(&o);
	json_arena_free(a);
	if (!wr_done(&b->batch, &out))
		out = rd_of("", 0);
	return out;
}

static void send_first(struct outbox *b, size_t n, struct rd content, const struct seal_target *sealed)
{
	struct cse *c = b->flow->cse;
	struct rd nu = rd_str(b->target);

	b->in_flight = true;
	b->sending = n;
	hold_sent(b);
	if (b->flow->has_sender && b->flow->policy.counted)
		stats_sent(c, b->flow->key, b->target, n);
	snprintf(b->id, sizeof b->id, "n%llu", (unsigned long long)++c->numbers);
	snprintf(b->category, sizeof b->category, "%" PRIu64, b->first->category);
	b->rq = (struct onem2m_request){
		.operation = ONEM2M_NOTIFY,
		.from = rd_str(c->config.id),
		.request_id = rd_str(b->id),
		.release = rd_str("3"),
		.rcn = ONEM2M_RCN_ABSENT,
		.content = content,
		.ec = rd_str(b->first->category ? b->category : ""),
		.peer = "",
		.internal = true,
	};
	if (is_url(nu)) {
		char *url = url_and_form(b->target, &b->rq.wanted);

		cse_send(c, url, "", &b->rq, on_answer, b);
		free(url);
		return;
	}
	b->rq.to = nu;
	if (sealed)
		seal_send(c, sealed, &b->rq, on_answer, b);
	else
		cse_submit(c, &b->rq, on_answer, b);
}

void outbox_pump(struct outbox *b)
{
	struct cse *c = b->flow->cse;
	struct notifications *s = notifications_of(c);
	struct seal_target t;
	enum cse_sealing how;
	uint64_t at;
	size_t n;

	if (b->in_flight || s->free)
		return;
	if (!b->first) {
		/* a rate's window is remembered to its end */
		if (!flow_sweep(b) && !b->fresh)
			cse_timer_at(c, &b->timer, b->window + b->flow->policy.rate_ms);
		return;
	}
	if (b->first->number > s->committed) {
		outbox_freshen(b); /* posted by what was just sent */
		return;
	}
	at = hold_until(b);
	if (at) {
		cse_timer_at(c, &b->timer, at);
		return;
	}
	cse_timer_cancel(c, &b->timer);
	if (b->flow->policy.latest)
		while (b->first->next && b->first->next->number <= s->committed && !b->first->next->alone)
			flow_drop(b, NULL, NULL);
	how = seal_judge(c, b->target, is_url(rd_str(b->target)), &t);
	if (how == CSE_NOT_AT_ALL) {
		give_up(b, &unsealed);
		outbox_pump(b);
	} else {
		n = hold_batch(b);
		send_first(b, n ? n : 1, n ? aggregate(b, n) : rd_of(b->first->content->octets, b->first->content->len), how == CSE_SEALED ? &t : NULL);
	}
	seal_target_clear(&t);
}

void cse_outboxes_flush(struct cse *c)
{
	struct notifications *s = notifications_of(c);
	struct outbox *list = s->fresh;

	s->fresh = NULL;
	s->committed = s->number;
	while (list) {
		struct outbox *b = list;

		list = b->next_fresh;
		b->fresh = false;
		outbox_pump(b);
	}
}

void cse_outboxes_start(struct cse *c)
{
	keep_load(c);
}

void cse_outboxes_free(struct cse *c)
{
	struct notifications *s = notifications_of(c);

	s->free = true;
	while (s->flow_count > 0) {
		size_t bucket = 0;
		struct outbox *b = flow_each(c, &bucket, NULL)->boxes;

		/* who hears of it may post anew, which ends here too */
		while (b->first)
			flow_drop(b, NULL, &unreachable);
		b->fresh = b->in_flight = false;
		b->in_window = 0;
		flow_sweep(b);
	}
	stats_free(c);
	free(s->schedules);
	free(s->buckets);
	free(s);
	c->services[SERVICE_NOTIFICATION] = NULL;
}
