/* The resource tree of a CSE: snapshots of the store's rows in a bounded cache, looked up by key, identifier, or name below a parent.
 *
 * A struct resource is what a request works with. It is counted: every function that returns one gives the caller a reference, which
 * resource_unref returns. It does not change while somebody looks at it, but for the counters of a container. */
#ifndef KEYWAY_CSE_TREE_H
#define KEYWAY_CSE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"
#include "json/json.h"
#include "onem2m/schema.h"

struct store;
struct tree;

/* What changes with every instance below a parent; kept beside the attributes and written once a commit. TS-0001 clause 9.6.6. */
struct counters {
	bool used;               /* this resource has them: container, timeSeries, flexContainer with instances */
	uint64_t instances;      /* cni */
	uint64_t octets;         /* cbs */
	bool has_state_tag;
	uint64_t state_tag;      /* st */
	uint64_t modified_ms;    /* lt */
};

/* What a container, timeSeries or flexContainer takes of instances; UINT64_MAX: no limit. TS-0001 clause 9.6.6. */
struct limits {
	uint64_t instances;      /* mni */
	uint64_t octets;         /* mbs */
	uint64_t age_s;          /* mia */
};

struct resource {
	int64_t id, parent;       /* parent 0: the CSEBase */
	int type;
	bool instance;
	const char *ri;           /* unstructured resourceID, CSE-relative */
	const char *rn;
	const char *root;         /* "m2m:cnt" */
	const char *creator;      /* SP-relative ID of who created it */
	uint64_t expires;         /* unix ms, 0: never */
	const struct schema_type *schema;
	struct counters counters; /* of this moment */
	bool stale;               /* replaced or deleted since; a holder across an event looks it up again */
	struct resource_private *p;
};

struct resource *resource_ref(struct resource *r);
void resource_unref(struct resource *r); /* accepts NULL */
/* All attributes as a JSON object; borrowed from r, valid until its counters change or it is freed. */
struct rd resource_text(struct resource *r);
/* The same, parsed; valid as resource_text. */
const struct json *resource_attributes(struct resource *r);
void resource_put_counters(const struct resource *r, struct json_out *o); /* cni, cbs, st, lt */
const struct json *resource_get(struct resource *r, const char *name); /* one attribute; NULL when it has none */
bool resource_is(struct resource *r, const char *name, const char *value); /* a string attribute of that value */
uint64_t resource_uint(struct resource *r, const char *name, uint64_t otherwise);
bool resource_bool(struct resource *r, const char *name, bool otherwise);
const struct limits *resource_limits(struct resource *r); /* borrowed from r */

struct tree *tree_new(struct store *s, size_t cache_octets);
void tree_free(struct tree *t);
void tree_forget(struct tree *t); /* after an undone transaction: nothing in the cache is trusted */
size_t tree_octets(const struct tree *t);

/* NULL when there is none, or when the store fails (tree_error then). */
struct resource *tree_by_id(struct tree *t, int64_t id);
struct resource *tree_instance(struct tree *t, int64_t parent, int64_t id);
struct resource *tree_by_ri(struct tree *t, struct rd ri);
struct resource *tree_child(struct tree *t, const struct resource *parent, struct rd name);
struct resource *tree_parent(struct tree *t, const struct resource *r);
/* Newest or oldest instance below parent; NULL when there is none. */
struct resource *tree_latest(struct tree *t, struct resource *parent);
struct resource *tree_oldest(struct tree *t, const struct resource *parent);
enum err tree_error(const struct tree *t); /* of the last failed look-up: OK when there simply was no such resource */

/* Walks; fn gets a borrowed resource and may read the tree. False from it ends the walk.
 * tree_children: resources in the order of creation, of one type or of all (0); then, if `instances`, the instances, oldest first. */
typedef bool tree_each(void *ctx, struct resource *r);
enum err tree_children(struct tree *t, const struct resource *parent, int type, bool instances, tree_each *fn, void *ctx) MUST_CHECK;
enum err tree_instances(struct tree *t, const struct resource *parent, bool newest_first, int64_t after, tree_each *fn, void *ctx) MUST_CHECK;
enum err tree_by_type(struct tree *t, int type, tree_each *fn, void *ctx) MUST_CHECK;
enum err tree_by_label(struct tree *t, struct rd label, tree_each *fn, void *ctx) MUST_CHECK;
/* The same in portions: with id > after, ascending. */
enum err tree_children_from(struct tree *t, int64_t parent, int64_t after, tree_each *fn, void *ctx) MUST_CHECK; /* resources */
enum err tree_by_type_from(struct tree *t, int type, int64_t after, tree_each *fn, void *ctx) MUST_CHECK;
enum err tree_by_label_from(struct tree *t, struct rd label, int64_t after, tree_each *fn, void *ctx) MUST_CHECK;
enum err tree_expired(struct tree *t, uint64_t now_ms, tree_each *fn, void *ctx) MUST_CHECK;
/* Subscriptions (and other children of that type that events look for) from the cache; count 0 costs nothing. */
size_t tree_subscriptions(struct tree *t, struct resource *r, const int64_t **ids);

/* "cse-in/a/b"; false when it does not fit. */
bool tree_path(struct tree *t, struct resource *r, char *path, size_t size) MUST_CHECK;

/* ---- orphans: resources whose parent was deleted, and what is below them. They wait for their own deletion, and nobody sees them meanwhile ---- */
void tree_hide_orphans(struct tree *t, bool some);  /* there may be some: each look-up makes sure that it finds none */
void tree_show_orphans(struct tree *t, bool shown); /* to who deletes them */

/* ---- writing; durable with the store's commit ---- */
struct resource_new {
	const struct resource *parent; /* NULL: the CSEBase */
	int type;
	bool instance;
	bool watched;            /* of an instance: whoever makes it goes on with it later, and has to hear of what becomes of it (stale) */
	int64_t id;              /* from tree_new_id */
	const char *ri, *rn;
	bool own_ri, own_rn;     /* not derived from the id: the store keeps them */
	const char *root, *creator;
	uint64_t expires;
	struct rd text;          /* attributes, without counters' ones when counters.used */
	struct counters counters;
	const struct rd *labels;
	size_t label_count;
};
int64_t tree_new_id(struct tree *t);
/* The derived resourceID. */
void tree_ri(char *ri, size_t size, int type, int64_t parent, int64_t id, bool instance);
enum err tree_insert(struct tree *t, const struct resource_new *n, struct resource **out) MUST_CHECK; /* ERR_EXISTS, ERR_FULL, ERR_STORE */
/* New attributes; r becomes stale, *out is the new snapshot. labels NULL: unchanged. */
enum err tree_replace(struct tree *t, struct resource *r, struct rd text, uint64_t expires, const struct rd *labels, size_t label_count,
    struct resource **out) MUST_CHECK;
/* This row alone; the caller has deleted the resources below it. Instances below it go with it. */
enum err tree_delete(struct tree *t, struct resource *r) MUST_CHECK;
enum err tree_delete_instances(struct tree *t, struct resource *parent, int64_t upto) MUST_CHECK;
/* Notes changed counters; tree_flush writes them. */
void tree_count(struct tree *t, struct resource *r, const struct counters *now);
enum err tree_flush(struct tree *t) MUST_CHECK; /* before store_commit */

#endif
