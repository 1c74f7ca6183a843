/* What the files of the tree share. */
#ifndef KEYWAY_CSE_TREE_PRIVATE_H
#define KEYWAY_CSE_TREE_PRIVATE_H

#include "cse/tree.h"
#include "store/store.h"

struct resource_private {
	struct tree *tree;
	unsigned refs;                 /* the cache holds one */
	struct rd base;                /* attributes without the counters' */
	struct wr composed;            /* attributes with them */
	bool composed_is_good;
	struct json_arena *arena;
	const struct json *attributes;
	struct json_arena *base_arena; /* of the base alone, where there are counters */
	const struct json *base_attributes;
	struct limits limits;          /* as its attributes say, which stay as they are; read when they are asked for */
	bool limits_known;
	struct resource *same_id, *same_ri, *same_name; /* hash chains */
	struct resource *newer, *older;                 /* by last use */
	struct resource *next_dirty;
	bool cached, dirty;
	bool own_ri, own_rn;           /* not derived from the id */
	size_t own, octets;            /* of the node; with all that was made from it since, which is what the cache counts */
	int64_t *subscriptions;
	size_t subscription_count;
	bool subscriptions_known;
	struct resource *latest;       /* a reference */
	bool latest_known;
};

struct tree {
	struct store *store;
	size_t limit, octets, count;
	struct resource **by_id, **by_ri, **by_name;
	size_t buckets;
	struct resource *newest, *oldest, *dirty;
	enum err error;
	bool orphans, orphans_shown;
};

/* A node of its own copy of the row, not in the cache, one reference. */
struct resource *tree_make(struct tree *t, const struct store_row *row);
struct resource *tree_from_new(struct tree *t, const struct resource_new *n);
void tree_cache(struct tree *t, struct resource *r);
void tree_uncache(struct tree *t, struct resource *r); /* marks it stale too */
void tree_charge(struct resource *r); /* r has got larger or smaller: others may leave the cache for it */
struct resource *tree_cached(struct tree *t, int64_t id); /* borrowed; NULL when it is not in the cache */
void tree_use(struct tree *t, struct resource *r);        /* it was used now */
/* Where a chain of the cache begins: same_ri, same_name. */
struct resource **tree_bucket_ri(struct tree *t, struct rd ri);
struct resource **tree_bucket_name(struct tree *t, int64_t parent, struct rd name);
struct store_row tree_row(struct resource *r);            /* borrowed from r */

/* The resource of a row, from the cache if it is there, otherwise `cache` says whether it goes there; a new reference. */
struct resource *tree_take(struct tree *t, const struct store_row *row, bool cache);
bool tree_is_visible(struct tree *t, const struct resource *r); /* no orphan */
bool tree_parse_ri(struct rd ri, int64_t *parent, int64_t *id); /* of a derived resourceID */

#endif
