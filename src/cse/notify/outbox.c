/* Posting, and what becomes of it when its sender changes or ends. It is sent by outbox_send.c. */
#include "cse/notify/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/service.h"

static const struct onem2m_response unreachable = {.rsc = RSC_TARGET_NOT_REACHABLE};

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
void outbox_supersede(struct outbox *b)
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
		outbox_supersede(b);
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

/* ---- start and end ---- */

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
