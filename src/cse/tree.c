/* Look-ups of single resources. */
#include "cse/tree_private.h"

enum err tree_error(const struct tree *t)
{
	return t->error;
}

struct taking {
	struct tree *tree;
	struct resource *found;
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

struct resource *tree_take(struct tree *t, const struct store_row *row, bool cache)
{
	struct resource *cached = tree_cached(t, row->id), *found = NULL;

	if (cached)
		return resource_ref(cached);
	if (row->instance)
		found = known_instance(t, row->parent, row->id);
	if (!found) {
		found = tree_make(t, row);
		if (cache)
			tree_cache(t, found);
	}
	return found;
}

static bool take(void *ctx, const struct store_row *row)
{
	struct taking *k = ctx;

	k->found = tree_take(k->tree, row, true);
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
	struct taking k = {t, NULL};

	if (r) {
		tree_use(t, r);
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
bool tree_is_visible(struct tree *t, const struct resource *r)
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
	if (!r || tree_is_visible(t, r))
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
	struct taking k = {t, NULL};

	if (!has_parent(t, parent))
		return NULL;
	r = tree_cached(t, id);
	if (r && r->parent == parent) {
		tree_use(t, r);
		return resource_ref(r);
	}
	r = known_instance(t, parent, id);
	return r ? r : taken(t, store_instance(t->store, parent, id, take, &k), &k);
}

static struct resource *by_derived_ri(struct tree *t, struct rd ri)
{
	struct resource *r;
	int64_t parent, id;

	if (!tree_parse_ri(ri, &parent, &id))
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
	struct taking k = {t, NULL};
	struct resource *r;
	char text[256];

	t->error = OK;
	for (r = *tree_bucket_ri(t, ri); r; r = r->p->same_ri) {
		if (rd_is(ri, r->ri) && (!r->instance || has_parent(t, r->parent))) {
			tree_use(t, r);
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
	struct taking k = {t, NULL};
	struct resource *r;
	char text[256];

	t->error = OK;
	for (r = *tree_bucket_name(t, parent->id, name); r; r = r->p->same_name) {
		if (r->parent == parent->id && rd_is(name, r->rn)) {
			tree_use(t, r);
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
	struct taking k = {t, NULL};

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
	struct taking k = {t, NULL};

	return taken(t, store_instances(t->store, parent->id, false, 0, take, &k), &k);
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
