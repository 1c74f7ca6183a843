/* Flows and their outboxes: looked up, filled, bounded, swept away. */
#include <stdlib.h>
#include <string.h>

#include "cse/notify/service.h"

#define BUCKETS_FIRST 256

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct notifications *notifications_of(struct cse *c)
{
	struct notifications *s = c->services[SERVICE_NOTIFICATION];

	if (!s) {
		s = checked(calloc(1, sizeof *s));
		s->bucket_count = BUCKETS_FIRST;
		s->buckets = checked(calloc(s->bucket_count, sizeof(struct flow *)));
		c->services[SERVICE_NOTIFICATION] = s;
	}
	return s;
}

/* ---- contents ---- */

struct outbox_content *outbox_content(struct rd text)
{
	struct outbox_content *k = checked(malloc(sizeof *k + text.left));

	k->shares = 1;
	k->len = text.left;
	if (text.left > 0)
		memcpy(k->octets, text.at, text.left);
	return k;
}

void outbox_content_free(struct outbox_content *k)
{
	if (k && --k->shares == 0)
		free(k);
}

/* ---- look-ups ---- */

static size_t bucket_of(const struct notifications *s, const char *key)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *key; key++)
		h = (h ^ (uint8_t)*key) * 0x100000001b3ULL;
	return (h ^ h >> 32) & (s->bucket_count - 1);
}

static void grow(struct notifications *s)
{
	struct flow **old = s->buckets;
	size_t n = s->bucket_count;

	s->bucket_count *= 2;
	s->buckets = checked(calloc(s->bucket_count, sizeof(struct flow *)));
	for (size_t i = 0; i < n; i++) {
		while (old[i]) {
			struct flow *f = old[i], **at = &s->buckets[bucket_of(s, f->key)];

			old[i] = f->next;
			f->next = *at;
			*at = f;
		}
	}
	free(old);
}

struct flow *flow_find(struct cse *c, const char *key, bool has_sender, bool make)
{
	struct notifications *s = notifications_of(c);
	size_t size = strlen(key) + 1;
	struct flow *f, **at;

	for (f = s->buckets[bucket_of(s, key)]; f; f = f->next)
		if (f->has_sender == has_sender && strcmp(f->key, key) == 0)
			return f;
	if (!make)
		return NULL;
	if (s->flow_count >= s->bucket_count)
		grow(s);
	f = checked(calloc(1, sizeof *f + size));
	f->cse = c;
	f->has_sender = has_sender;
	memcpy(f->key, key, size);
	at = &s->buckets[bucket_of(s, key)];
	f->next = *at;
	*at = f;
	s->flow_count++;
	return f;
}

struct flow *flow_each(struct cse *c, size_t *bucket, struct flow *after)
{
	struct notifications *s = notifications_of(c);

	if (after && after->next)
		return after->next;
	if (after)
		++*bucket;
	while (*bucket < s->bucket_count && !s->buckets[*bucket])
		++*bucket;
	return *bucket < s->bucket_count ? s->buckets[*bucket] : NULL;
}

static void on_time(struct cse *c, struct cse_timer *t)
{
	(void)c;
	outbox_pump((struct outbox *)(void *)t);
}

struct outbox *flow_outbox(struct flow *f, const char *target, bool make)
{
	struct outbox *b;

	for (b = f->boxes; b; b = b->next)
		if (strcmp(b->target, target) == 0)
			return b;
	if (!make)
		return NULL;
	b = checked(calloc(1, sizeof *b));
	b->timer.fn = on_time;
	b->flow = f;
	b->target = checked(strdup(target));
	b->last = &b->first;
	b->batch = wr_new(CSE_BODY_MAX * 16);
	b->next = f->boxes;
	f->boxes = b;
	return b;
}

/* ---- filling and emptying ---- */

void flow_append(struct outbox *b, struct outbox_content *k, struct notification *n)
{
	n->next = NULL;
	n->content = k;
	k->shares++;
	*b->last = n;
	b->last = &n->next;
	b->count++;
	b->octets += k->len;
	notifications_of(b->flow->cse)->octets += k->len;
}

void flow_drop(struct outbox *b, struct notification *before, const struct onem2m_response *rsp)
{
	struct notification **at = before ? &before->next : &b->first, *n = *at;

	*at = n->next;
	if (!*at)
		b->last = at;
	b->count--;
	b->octets -= n->content->len;
	notifications_of(b->flow->cse)->octets -= n->content->len;
	keep_forget(b, n);
	if (n->done && rsp)
		n->done(n->ctx, rsp);
	if (n->farewell)
		exchange_farewell_ends(b->flow->cse);
	outbox_content_free(n->content);
	free(n);
}

/* The oldest that is not on its way; false when there is none. */
static bool drop_oldest(struct outbox *b)
{
	static const struct onem2m_response unreachable = {.rsc = RSC_TARGET_NOT_REACHABLE};
	struct notification *before = NULL;

	for (size_t i = 0; i < b->sending; i++)
		before = before ? before->next : b->first;
	if (b->count <= b->sending)
		return false;
	b->flow->cse->counts.notify_failed++;
	flow_drop(b, before, &unreachable);
	return true;
}

static struct outbox *least(struct cse *c)
{
	struct outbox *found = NULL;
	size_t bucket = 0;

	for (struct flow *f = flow_each(c, &bucket, NULL); f; f = flow_each(c, &bucket, f)) {
		for (struct outbox *b = f->boxes; b; b = b->next) {
			if (b->count <= b->sending)
				continue;
			if (!found || f->policy.priority < found->flow->policy.priority ||
			    (f->policy.priority == found->flow->policy.priority && b->octets > found->octets))
				found = b;
		}
	}
	return found;
}

void flow_bound(struct outbox *b)
{
	struct cse *c = b->flow->cse;
	struct notifications *s = notifications_of(c);

	while ((b->count > OUTBOX_MAX || b->octets > OUTBOX_OCTETS_MAX) && b->count > 1 && drop_oldest(b))
		;
	while (s->octets > OUTBOXES_OCTETS_MAX) {
		struct outbox *other = least(c);

		if (!other || !drop_oldest(other))
			return;
	}
}

static void unlink_flow(struct notifications *s, struct flow *f)
{
	struct flow **at = &s->buckets[bucket_of(s, f->key)];

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	s->flow_count--;
	free(f);
}

bool flow_sweep(struct outbox *b)
{
	struct flow *f = b->flow;
	struct outbox **at = &f->boxes;
	bool windowed = f->policy.limited && !f->closing && b->in_window > 0 && b->window + f->policy.rate_ms > cse_mono(f->cse);

	if (b->first || b->in_flight || b->fresh || windowed)
		return false;
	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	cse_timer_cancel(f->cse, &b->timer);
	wr_free(&b->batch);
	free(b->target);
	free(b);
	if (!f->boxes)
		unlink_flow(notifications_of(f->cse), f);
	return true;
}
