/* What was asked lately and what was answered: a hash table, and a list by age. */
#include "binding/once/once.h"

#include <stdlib.h>
#include <string.h>

#include "base/wr.h"

#define BUCKETS 16384
#define KEY_MAX 16384
#define TEXTS_MAX ((size_t)64 << 20) /* of one answer; the CSE's own limits are lower */

struct waiter {
	struct waiter *next;
	cse_done *done;
	void *ctx;
};

struct entry {
	struct entry *next, *older, *newer;
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
	struct entry *buckets[BUCKETS];
	struct entry *oldest, *newest;
	size_t count, octets;
	struct wr key;               /* room for that of the request that just came */
};

/* ---- which request it is ---- */

/* FNV-1a, from a start that senders do not know. */
static uint64_t mix(uint64_t h, struct rd octets)
{
	uint8_t octet;

	while (rd_u8(&octets, &octet))
		h = (h ^ octet) * 0x100000001b3U;
	return (h ^ 0x1ff) * 0x100000001b3U; /* no octet: the end of a text */
}

static uint64_t digest_of(uint64_t seed, const struct onem2m_request *rq)
{
	const uint8_t numbers[] = {(uint8_t)rq->operation, (uint8_t)(rq->type >> 8), (uint8_t)rq->type};

	return mix(mix(mix(mix(seed, rd_of(numbers, sizeof numbers)), rq->to), rq->filter), rq->content);
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
	struct entry **link = &o->buckets[e->hash % BUCKETS];

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

static struct entry *find(struct once *o, uint64_t hash, struct rd key, uint64_t digest)
{
	struct entry *e = o->buckets[hash % BUCKETS];

	while (e && (e->hash != hash || e->digest != digest || !rd_equal(rd_of(e->key, e->key_len), key)))
		e = e->next;
	return e;
}

static struct entry *add(struct once *o, uint64_t now, uint64_t hash, struct rd key, uint64_t digest)
{
	struct entry *e = calloc(1, sizeof *e + key.left), **bucket = &o->buckets[hash % BUCKETS];

	if (!e)
		abort();
	memcpy(e->key, key.at, key.left);
	e->key_len = key.left;
	e->once = o;
	e->hash = hash;
	e->digest = digest;
	e->at = now;
	e->next = *bucket;
	*bucket = e;
	e->older = o->newest;
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
	struct entry *e = NULL;
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
	e = find(o, hash, key, digest);
	if (e && !e->waiting && !again && e->at + ONCE_MS <= now) {
		forget(e);
		e = NULL;
	}
	if (e && e->waiting) {
		wait_too(e, done, ctx);
	} else if (e) {
		done(ctx, &e->rsp);
	} else {
		e = add(o, now, hash, key, digest);
		e->kept = rq->operation != ONEM2M_RETRIEVE;
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
