/* The cache over the store: by key, identifier and name below a parent, bounded by octets; what was used longest ago goes first. */
#include <stdlib.h>

#include "cse/tree_private.h"

#define BUCKETS_FIRST 1024

/* ---- hashing ---- */

static uint64_t hash_octets(uint64_t h, struct rd text)
{
	uint8_t c;

	while (rd_u8(&text, &c))
		h = (h ^ c) * 0x100000001b3ULL;
	return h ^ h >> 32;
}

static uint64_t hash_number(uint64_t n)
{
	n *= 0x9e3779b97f4a7c15ULL;
	return n ^ n >> 32;
}

static struct resource **bucket_id(struct tree *t, int64_t id)
{
	return &t->by_id[hash_number((uint64_t)id) & (t->buckets - 1)];
}

struct resource **tree_bucket_ri(struct tree *t, struct rd ri)
{
	return &t->by_ri[hash_octets(0xcbf29ce484222325ULL, ri) & (t->buckets - 1)];
}

struct resource **tree_bucket_name(struct tree *t, int64_t parent, struct rd name)
{
	return &t->by_name[hash_octets(hash_number((uint64_t)parent), name) & (t->buckets - 1)];
}

static void chain(struct tree *t, struct resource *r)
{
	struct resource **id = bucket_id(t, r->id), **ri = tree_bucket_ri(t, rd_str(r->ri)), **name = tree_bucket_name(t, r->parent, rd_str(r->rn));

	r->p->same_id = *id;
	*id = r;
	r->p->same_ri = *ri;
	*ri = r;
	r->p->same_name = *name;
	*name = r;
}

static void grow(struct tree *t)
{
	free(t->by_id);
	free(t->by_ri);
	free(t->by_name);
	t->buckets *= 2;
	t->by_id = calloc(t->buckets, sizeof(struct resource *));
	t->by_ri = calloc(t->buckets, sizeof(struct resource *));
	t->by_name = calloc(t->buckets, sizeof(struct resource *));
	if (!t->by_id || !t->by_ri || !t->by_name)
		abort();
	for (struct resource *r = t->newest; r; r = r->p->older)
		chain(t, r);
}

/* ---- the cache ---- */

static void unlink_used(struct tree *t, struct resource *r)
{
	*(r->p->newer ? &r->p->newer->p->older : &t->newest) = r->p->older;
	*(r->p->older ? &r->p->older->p->newer : &t->oldest) = r->p->newer;
	r->p->newer = r->p->older = NULL;
}

static void link_used(struct tree *t, struct resource *r)
{
	r->p->older = t->newest;
	r->p->newer = NULL;
	if (t->newest)
		t->newest->p->newer = r;
	t->newest = r;
	if (!t->oldest)
		t->oldest = r;
}

void tree_use(struct tree *t, struct resource *r)
{
	if (t->newest != r) {
		unlink_used(t, r);
		link_used(t, r);
	}
}

void tree_uncache(struct tree *t, struct resource *r)
{
	struct resource **at;

	r->stale = true;
	if (!r->p->cached)
		return;
	for (at = bucket_id(t, r->id); *at && *at != r; at = &(*at)->p->same_id)
		;
	if (*at)
		*at = r->p->same_id;
	for (at = tree_bucket_ri(t, rd_str(r->ri)); *at && *at != r; at = &(*at)->p->same_ri)
		;
	if (*at)
		*at = r->p->same_ri;
	for (at = tree_bucket_name(t, r->parent, rd_str(r->rn)); *at && *at != r; at = &(*at)->p->same_name)
		;
	if (*at)
		*at = r->p->same_name;
	unlink_used(t, r);
	r->p->cached = false;
	t->octets -= r->p->octets;
	t->count--;
	resource_unref(r);
}

/* Lets go of what was used longest ago. What is dirty stays until it is written, what somebody holds would not be freed anyway. */
static void evict(struct tree *t)
{
	struct resource *r = t->oldest;

	for (unsigned tries = 0; r && t->octets > t->limit && tries < 64; tries++) {
		struct resource *newer = r->p->newer;

		if (!r->p->dirty && r->p->refs == 1) {
			tree_uncache(t, r);
		} else {
			tree_use(t, r);
		}
		r = newer;
	}
}

void tree_cache(struct tree *t, struct resource *r)
{
	if (t->count >= t->buckets)
		grow(t);
	resource_ref(r);
	r->p->cached = true;
	chain(t, r);
	link_used(t, r);
	t->octets += r->p->octets;
	t->count++;
	if (t->octets > t->limit)
		evict(t);
}

void tree_charge(struct resource *r)
{
	struct resource_private *p = r->p;
	struct tree *t = p->tree;
	size_t octets = p->own + p->composed.capacity + json_arena_octets(p->arena) + json_arena_octets(p->base_arena) + p->subscription_count * sizeof *p->subscriptions;

	if (p->latest && !p->latest->p->cached)
		octets += p->latest->p->own;

	if (p->cached)
		t->octets += octets - p->octets;
	p->octets = octets;
	if (!p->cached || t->octets <= t->limit)
		return;
	resource_ref(r);
	evict(t);
	resource_unref(r);
}

struct resource *tree_cached(struct tree *t, int64_t id)
{
	for (struct resource *r = *bucket_id(t, id); r; r = r->p->same_id)
		if (r->id == id)
			return r;
	return NULL;
}

struct tree *tree_new(struct store *s, size_t cache_octets)
{
	struct tree *t = calloc(1, sizeof *t);

	if (!t)
		abort();
	t->store = s;
	t->limit = cache_octets;
	t->buckets = BUCKETS_FIRST / 2;
	grow(t);
	return t;
}

void tree_forget(struct tree *t)
{
	while (t->dirty) {
		struct resource *r = t->dirty;

		t->dirty = r->p->next_dirty;
		r->p->dirty = false;
		resource_unref(r);
	}
	while (t->newest)
		tree_uncache(t, t->newest);
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	tree_forget(t);
	free(t->by_id);
	free(t->by_ri);
	free(t->by_name);
	free(t);
}

size_t tree_octets(const struct tree *t)
{
	return t->octets;
}
