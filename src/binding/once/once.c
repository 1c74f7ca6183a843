/* What was asked lately and what was answered: a hash table, and a list by age. */
#include "binding/once/once.h"

#include <stdlib.h>
#include <string.h>

#include "base/wr.h"

#define BUCKETS 16384
#define BUCKETS_UNDER_WAY 1024 /* few are at once: these stay in the processor's cache */
#define KEY_MAX 16384
#define TEXTS_MAX ((size_t)64 << 20) /* of one answer; the CSE's own limits are lower */

struct waiter {
	struct waiter *next;
	cse_done *done;
	void *ctx;
};

struct entry {
	struct entry *next, **bucket, *older, *newer;
	struct once *once;
	uint64_t digest, at;
	bool kept;                   /* when it is answered */
	bool waiting;                /* under way; its answer is for */
	struct waiter asker, **last; /* who asked first, and those behind who asked again */
	struct onem2m_response rsp;
	struct wr texts;             /* of rsp */
	uint64_t hash;
	size_t key_len;
	uint8_t key[];
};

struct once {
	cse_submit_fn *submit;
	void *to;
	uint64_t seed;
	struct entry *kept[BUCKETS], *under_way[BUCKETS_UNDER_WAY]; /* those that are kept when they are answered, and those that are not */
	struct entry *oldest, *newest;
	size_t count, octets;
	struct wr key;               /* room for that of the request that just came */
};

/* ---- which request it is ---- */

/* From a start that senders do not know. No two values take the same number to the same one. */
static uint64_t step(uint64_t h, uint64_t value)
{
	h = (h ^ value) * 0x9e3779b97f4a7c15U;
	return h ^ h >> 32; /* the upper half of a product depends on all of it, the lower one chooses the bucket */
}

/* Its length first, so that no text runs into the next; then eight octets at a time. */
static uint64_t mix(uint64_t h, struct rd octets)
{
	uint64_t eight, rest = 0;

	h = step(h, octets.left);
	while (rd_copy(&octets, &eight, sizeof eight))
		h = step(h, eight);
	if (octets.left > 0)
		memcpy(&rest, octets.at, octets.left);
	return step(h, rest);
}

static uint64_t digest_of(uint64_t seed, const struct onem2m_request *rq)
{
	uint64_t h = step(seed, (uint64_t)rq->operation << 32 | (uint32_t)rq->type);

	return mix(mix(mix(h, rq->to), rq->filter), rq->content);
}

/* peer '\n' Credential-ID '\n' From '\n' [who] '\n' request identifier */
static void key_write(const struct onem2m_request *rq, struct rd who, struct wr *w)
{
	wr_str(w, rq->peer ? rq->peer : "");
	wr_u8(w, '\n');
	wr_str(w, rq->credential ? rq->credential : "");
	wr_u8(w, '\n');
	wr_rd(w, rq->from);
	wr_u8(w, '\n');
	if (rq->from.left == 0 || rd_is(rq->from, "C") || rd_is(rq->from, "S"))
		wr_rd(w, who);
	wr_u8(w, '\n');
	wr_rd(w, rq->request_id);
}

/* ---- the table ---- */

static size_t size_of(const struct entry *e)
{
	return sizeof *e + e->key_len + e->texts.len;
}

static void forget(struct entry *e)
{
	struct once *o = e->once;
	struct entry **link = e->bucket;

	while (*link != e)
		link = &(*link)->next;
	*link = e->next;
	if (e->older)
		e->older->newer = e->newer;
	else
		o->oldest = e->newer;
	if (e->newer)
		e->newer->older = e->older;
	else
		o->newest = e->older;
	o->count--;
	o->octets -= size_of(e);
	wr_free(&e->texts);
	free(e);
}

/* What is under way is passed over: its number is bounded by those who wait for it. */
static void forget_old(struct once *o, uint64_t now)
{
	struct entry *e = o->oldest, *newer;

	for (; e && (e->at + ONCE_AGAIN_MS <= now || o->count > ONCE_MAX || o->octets > ONCE_OCTETS_MAX); e = newer) {
		newer = e->newer;
		if (!e->waiting)
			forget(e);
	}
}

static struct entry *find(struct entry *e, uint64_t hash, struct rd key, uint64_t digest)
{
	while (e && (e->hash != hash || e->digest != digest || !rd_equal(rd_of(e->key, e->key_len), key)))
		e = e->next;
	return e;
}

static struct entry *add(struct once *o, struct entry **bucket, uint64_t now, uint64_t hash, struct rd key, uint64_t digest)
{
	struct entry *e = malloc(sizeof *e + key.left);

	if (!e)
		abort();
	*e = (struct entry){.once = o, .hash = hash, .digest = digest, .at = now, .key_len = key.left, .next = *bucket, .bucket = bucket, .older = o->newest};
	memcpy(e->key, key.at, key.left);
	*bucket = e;
	if (o->newest)
		o->newest->newer = e;
	else
		o->oldest = e;
	o->newest = e;
	o->count++;
	o->octets += size_of(e);
	return e;
}

/* ---- answers ---- */

static void keep(struct entry *e, const struct onem2m_response *rsp)
{
	struct rd *const fields[] = {&e->rsp.content, &e->rsp.location, &e->rsp.ot, &e->rsp.rset, &e->rsp.ati};
	struct rd all;

	e->rsp = *rsp;
	e->texts = wr_new(TEXTS_MAX);
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		wr_rd(&e->texts, *fields[i]);
	if (!wr_done(&e->texts, &all)) { /* it is remembered that it was done */
		wr_free(&e->texts);
		e->texts = wr_new(0);
		all = rd_of("", 0);
	}
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (!rd_sub(&all, fields[i]->left, fields[i]))
			*fields[i] = rd_of("", 0);
	e->once->octets += e->texts.len;
}

static void on_response(void *ctx, const struct onem2m_response *rsp)
{
	struct entry *e = ctx;
	const struct waiter asker = e->asker;
	struct waiter *next;

	e->waiting = false;
	if (e->kept)
		keep(e, rsp);
	else
		forget(e);
	asker.done(asker.ctx, rsp);
	for (struct waiter *w = asker.next; w; w = next) {
		next = w->next;
		w->done(w->ctx, rsp);
		free(w);
	}
}

static void wait_too(struct entry *e, cse_done *done, void *ctx)
{
	struct waiter *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	w->done = done;
	w->ctx = ctx;
	*e->last = w;
	e->last = &w->next;
}

void once_submit(struct once *o, uint64_t now, const struct onem2m_request *rq, struct rd who, bool again, cse_done *done, void *ctx)
{
	bool kept = rq->operation != ONEM2M_RETRIEVE;
	struct entry *e, **bucket;
	uint64_t hash, digest;
	struct rd key;

	wr_reset(&o->key);
	key_write(rq, who, &o->key);
	if (rq->request_id.left == 0 || !wr_done(&o->key, &key)) { /* nothing to know it by */
		o->submit(o->to, rq, done, ctx);
		return;
	}
	forget_old(o, now);
	hash = mix(o->seed, key);
	digest = digest_of(o->seed, rq);
	bucket = kept ? &o->kept[hash % BUCKETS] : &o->under_way[hash % BUCKETS_UNDER_WAY];
	e = find(*bucket, hash, key, digest);
	if (e && !e->waiting && !again && e->at + ONCE_MS <= now) {
		forget(e);
		e = NULL;
	}
	if (e && e->waiting) {
		wait_too(e, done, ctx);
	} else if (e) {
		done(ctx, &e->rsp);
	} else {
		e = add(o, bucket, now, hash, key, digest);
		e->kept = kept;
		e->waiting = true;
		e->asker = (struct waiter){.done = done, .ctx = ctx};
		e->last = &e->asker.next;
		o->submit(o->to, rq, on_response, e);
	}
}

/* ---- life ---- */

struct once *once_new(cse_submit_fn *submit, void *to, uint64_t seed)
{
	struct once *o = calloc(1, sizeof *o);

	if (!o)
		abort();
	o->submit = submit;
	o->to = to;
	o->seed = seed ^ 0xcbf29ce484222325U;
	o->key = wr_new(KEY_MAX);
	return o;
}

void once_free(struct once *o)
{
	if (!o)
		return;
	while (o->oldest) {
		struct entry *e = o->oldest;

		for (struct waiter *w = e->waiting ? e->asker.next : NULL, *next; w; w = next) {
			next = w->next;
			free(w);
		}
		forget(e);
	}
	wr_free(&o->key);
	free(o);
}
