/* The cache over the store, and look-ups. */
#include <stdlib.h>
#include <string.h>

#include "cse/tree_private.h"

#define BUCKETS_FIRST 1024

/* ---- derived resource IDs: "cnt_1k", and "cin_1k-9z" for an instance of parent 1k ---- */

static char *base36(char *end, uint64_t n)
{
	*--end = '\0';
	do {
		*--end = "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36];
		n /= 36;
	} while (n > 0);
	return end;
}

void tree_ri(char *ri, size_t size, int type, int64_t parent, int64_t id, bool instance)
{
	const struct schema_type *t = schema_type(type);
	struct wr w = wr_of(ri, size - 1);
	char digits[16];

	wr_str(&w, t && t->sn ? t->sn : "r");
	wr_u8(&w, '_');
	if (instance) {
		wr_str(&w, base36(digits + sizeof digits, (uint64_t)parent));
		wr_u8(&w, '-');
	}
	wr_str(&w, base36(digits + sizeof digits, (uint64_t)id));
	ri[w.len] = '\0';
}

static bool from_base36(struct rd text, int64_t *n)
{
	uint8_t c;

	if (text.left == 0 || text.left > 12)
		return false;
	*n = 0;
	while (rd_u8(&text, &c)) {
		if (c >= '0' && c <= '9')
			*n = *n * 36 + (c - '0');
		else if (c >= 'a' && c <= 'z')
			*n = *n * 36 + (c - 'a' + 10);
		else
			return false;
	}
	return true;
}

static bool parse_ri(struct rd ri, int64_t *parent, int64_t *id)
{
	struct rd part;

	*parent = 0;
	if (!rd_until(&ri, '_', &part))
		return false;
	if (rd_until(&ri, '-', &part) && !from_base36(part, parent))
		return false;
	return from_base36(ri, id);
}

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

static struct resource **bucket_ri(struct tree *t, struct rd ri)
{
	return &t->by_ri[hash_octets(0xcbf29ce484222325ULL, ri) & (t->buckets - 1)];
}

static struct resource **bucket_name(struct tree *t, int64_t parent, struct rd name)
{
	return &t->by_name[hash_octets(hash_number((uint64_t)parent), name) & (t->buckets - 1)];
}

static void chain(struct tree *t, struct resource *r)
{
	struct resource **id = bucket_id(t, r->id), **ri = bucket_ri(t, rd_str(r->ri)), **name = bucket_name(t, r->parent, rd_str(r->rn));

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

static void use(struct tree *t, struct resource *r)
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
	for (at = bucket_ri(t, rd_str(r->ri)); *at && *at != r; at = &(*at)->p->same_ri)
		;
	if (*at)
		*at = r->p->same_ri;
	for (at = bucket_name(t, r->parent, rd_str(r->rn)); *at && *at != r; at = &(*at)->p->same_name)
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
			use(t, r);
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

enum err tree_error(const struct tree *t)
{
	return t->error;
}

/* ---- look-ups ---- */

struct taking {
	struct tree *tree;
	struct resource *found;
	bool cache;
};

/* The latest instance of a parent that knows it, a new reference. It is in no other place until somebody asks for it. */
static struct resource *known_latest(struct tree *t, struct resource *parent)
{
	struct resource *r = resource_ref(parent->p->latest);

	if (!r->p->cached)
		tree_cache(t, r);
	return r;
}

static struct resource *known_instance(struct tree *t, int64_t parent, int64_t id)
{
	struct resource *above = tree_cached(t, parent);

	return above && above->p->latest && above->p->latest->id == id ? known_latest(t, above) : NULL;
}

static bool take(void *ctx, const struct store_row *row)
{
	struct taking *k = ctx;
	struct resource *cached = tree_cached(k->tree, row->id);

	if (cached)
		k->found = resource_ref(cached);
	else if (row->instance)
		k->found = known_instance(k->tree, row->parent, row->id);
	if (!k->found) {
		k->found = tree_make(k->tree, row);
		if (k->cache)
			tree_cache(k->tree, k->found);
	}
	return false;
}

static struct resource *taken(struct tree *t, enum err e, struct taking *k)
{
	t->error = e == ERR_NOT_FOUND ? OK : e;
	return k->found;
}

static struct resource *any_by_id(struct tree *t, int64_t id)
{
	struct resource *r = tree_cached(t, id);
	struct taking k = {t, NULL, true};

	if (r) {
		use(t, r);
		return resource_ref(r);
	}
	return taken(t, store_by_id(t->store, id, take, &k), &k);
}

void tree_hide_orphans(struct tree *t, bool some)
{
	t->orphans = some;
}

void tree_show_orphans(struct tree *t, bool shown)
{
	t->orphans_shown = shown;
}

/* All the way up to the CSEBase there is somebody. */
static bool is_visible(struct tree *t, const struct resource *r)
{
	struct resource *at = NULL, *above;
	int64_t parent = r->parent;

	if (!t->orphans || t->orphans_shown)
		return true;
	while (parent) {
		above = any_by_id(t, parent);
		resource_unref(at);
		at = above;
		if (!at)
			return false;
		parent = at->parent;
	}
	resource_unref(at);
	return true;
}

static struct resource *if_visible(struct tree *t, struct resource *r)
{
	if (!r || is_visible(t, r))
		return r;
	resource_unref(r);
	return NULL;
}

struct resource *tree_by_id(struct tree *t, int64_t id)
{
	return if_visible(t, any_by_id(t, id));
}

/* An instance goes with its parent's row, of which the cache is not told: without a parent it is no more. */
static bool has_parent(struct tree *t, int64_t parent)
{
	struct resource *r = tree_by_id(t, parent);

	resource_unref(r);
	return r != NULL;
}

struct resource *tree_instance(struct tree *t, int64_t parent, int64_t id)
{
	struct resource *r;
	struct taking k = {t, NULL, true};

	if (!has_parent(t, parent))
		return NULL;
	r = tree_cached(t, id);
	if (r && r->parent == parent) {
		use(t, r);
		return resource_ref(r);
	}
	r = known_instance(t, parent, id);
	return r ? r : taken(t, store_instance(t->store, parent, id, take, &k), &k);
}

static struct resource *by_derived_ri(struct tree *t, struct rd ri)
{
	struct resource *r;
	int64_t parent, id;

	if (!parse_ri(ri, &parent, &id))
		return NULL;
	r = parent ? tree_instance(t, parent, id) : tree_by_id(t, id);
	if (r && !rd_is(ri, r->ri)) {
		resource_unref(r);
		r = NULL;
	}
	return r;
}

struct resource *tree_by_ri(struct tree *t, struct rd ri)
{
	struct taking k = {t, NULL, true};
	struct resource *r;
	char text[256];

	t->error = OK;
	for (r = *bucket_ri(t, ri); r; r = r->p->same_ri) {
		if (rd_is(ri, r->ri) && (!r->instance || has_parent(t, r->parent))) {
			use(t, r);
			return if_visible(t, resource_ref(r));
		}
	}
	r = by_derived_ri(t, ri);
	if (r || t->error != OK || !rd_text(ri, text, sizeof text))
		return r;
	return if_visible(t, taken(t, store_by_ri(t->store, text, take, &k), &k));
}

struct resource *tree_child(struct tree *t, const struct resource *parent, struct rd name)
{
	struct taking k = {t, NULL, true};
	struct resource *r;
	char text[256];

	t->error = OK;
	for (r = *bucket_name(t, parent->id, name); r; r = r->p->same_name) {
		if (r->parent == parent->id && rd_is(name, r->rn)) {
			use(t, r);
			return resource_ref(r);
		}
	}
	if (!rd_text(name, text, sizeof text))
		return NULL;
	r = taken(t, store_by_name(t->store, parent->id, text, take, &k), &k);
	if (r || t->error != OK)
		return r;
	/* without a name of its own a resource is called by its ID */
	r = tree_by_ri(t, name);
	if (r && (r->parent != parent->id || r->p->own_rn)) {
		resource_unref(r);
		r = NULL;
	}
	return r;
}

struct resource *tree_parent(struct tree *t, const struct resource *r)
{
	return r->parent ? tree_by_id(t, r->parent) : NULL;
}

struct resource *tree_latest(struct tree *t, struct resource *parent)
{
	struct taking k = {t, NULL, true};

	t->error = OK;
	if (parent->p->latest_known)
		return parent->p->latest ? known_latest(t, parent) : NULL;
	taken(t, store_instances(t->store, parent->id, true, 0, take, &k), &k);
	if (t->error == OK) {
		resource_unref(parent->p->latest);
		parent->p->latest = k.found ? resource_ref(k.found) : NULL;
		parent->p->latest_known = true;
	}
	return k.found;
}

struct resource *tree_oldest(struct tree *t, const struct resource *parent)
{
	struct taking k = {t, NULL, true};

	return taken(t, store_instances(t->store, parent->id, false, 0, take, &k), &k);
}

/* ---- walks ---- */

struct walking {
	struct tree *tree;
	tree_each *fn;
	void *ctx;
	bool anywhere; /* not below one parent: what it meets may be an orphan */
	bool ended;
};

static bool step(void *ctx, const struct store_row *row)
{
	struct walking *w = ctx;
	struct taking k = {w->tree, NULL, !row->instance};

	take(&k, row);
	w->ended = (!w->anywhere || is_visible(w->tree, k.found)) && !w->fn(w->ctx, k.found);
	resource_unref(k.found);
	return !w->ended;
}

enum err tree_instances(struct tree *t, const struct resource *parent, bool newest_first, int64_t after, tree_each *fn, void *ctx)
{
	struct walking w = {t, fn, ctx, false, false};

	return store_instances(t->store, parent->id, newest_first, after, step, &w);
}

enum err tree_children(struct tree *t, const struct resource *parent, int type, bool instances, tree_each *fn, void *ctx)
{
	struct walking w = {t, fn, ctx, false, false};
	enum err e = store_children(t->store, parent->id, type, 0, step, &w);

	if (e == OK && instances && !w.ended)
		e = store_instances(t->store, parent->id, false, 0, step, &w);
	return e;
}

enum err tree_children_from(struct tree *t, int64_t parent, int64_t after, tree_each *fn, void *ctx)
{
	struct walking w = {t, fn, ctx, false, false};

	return store_children(t->store, parent, 0, after, step, &w);
}

enum err tree_by_type_from(struct tree *t, int type, int64_t after, tree_each *fn, void *ctx)
{
	struct walking w = {t, fn, ctx, true, false};

	return store_by_type(t->store, type, after, step, &w);
}

enum err tree_by_type(struct tree *t, int type, tree_each *fn, void *ctx)
{
	return tree_by_type_from(t, type, 0, fn, ctx);
}

enum err tree_by_label_from(struct tree *t, struct rd label, int64_t after, tree_each *fn, void *ctx)
{
	struct walking w = {t, fn, ctx, true, false};

	return store_by_label(t->store, label, after, step, &w);
}

enum err tree_by_label(struct tree *t, struct rd label, tree_each *fn, void *ctx)
{
	return tree_by_label_from(t, label, 0, fn, ctx);
}

enum err tree_expired(struct tree *t, uint64_t now_ms, tree_each *fn, void *ctx)
{
	struct walking w = {t, fn, ctx, true, false};

	return store_expired(t->store, now_ms, step, &w);
}

struct listing {
	int64_t ids[1024];
	size_t count;
};

static bool list_id(void *ctx, const struct store_row *row)
{
	struct listing *l = ctx;

	if (l->count < sizeof l->ids / sizeof l->ids[0])
		l->ids[l->count++] = row->id;
	return true;
}

size_t tree_subscriptions(struct tree *t, struct resource *r, const int64_t **ids)
{
	struct listing l;

	l.count = 0;
	if (!r->p->subscriptions_known) {
		if (store_children(t->store, r->id, TY_SUBSCRIPTION, 0, list_id, &l) != OK)
			return 0;
		free(r->p->subscriptions);
		r->p->subscriptions = l.count ? malloc(l.count * sizeof l.ids[0]) : NULL;
		if (l.count && !r->p->subscriptions)
			abort();
		if (l.count)
			memcpy(r->p->subscriptions, l.ids, l.count * sizeof l.ids[0]);
		r->p->subscription_count = l.count;
		r->p->subscriptions_known = true;
		tree_charge(r);
	}
	*ids = r->p->subscriptions;
	return r->p->subscription_count;
}

/* From its end, name by name up to the CSEBase. */
bool tree_path(struct tree *t, struct resource *r, char *path, size_t size)
{
	struct resource *at = resource_ref(r), *above;
	size_t from = size, n;
	char behind = '\0';

	while (at && (n = strlen(at->rn)) < from) {
		from -= n + 1;
		memcpy(path + from, at->rn, n);
		path[from + n] = behind;
		behind = '/';
		if (at->parent == 0) {
			memmove(path, path + from, size - from);
			resource_unref(at);
			return true;
		}
		above = tree_by_id(t, at->parent);
		resource_unref(at);
		at = above;
	}
	resource_unref(at);
	return false;
}
