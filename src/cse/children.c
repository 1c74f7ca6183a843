/* The target of a request with what is below it: rcn 4, 5, 6 and 8. TS-0004 clause 7.2.2.2, TS-0001 table 8.1.2-1.
 *
 * References are written as they are met. Representations nest, and those of one type share an array: they are listed first, each below the
 * nearest one listed above it, and then written, the one as the other in slices. */
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"
#include "cse/slices.h"
#include "cse/walk.h"

#define CHILDREN_MOST 20000
#define OCTETS_MOST ((size_t)CSE_BODY_MAX * 16) /* of the answer, and of what is kept for it */
#define GROUPS_A_LOOK 16 /* so many names of types are compared in the time of a look at a resource */

/* A listed resource; 0 is the target. Links are places in the list, 0: none. */
struct node {
	struct resource *r;
	size_t parent, next;          /* next of its group */
	size_t first_group, last_group;
	size_t group;                 /* its own */
};
/* Children of one node that share an array. */
struct group {
	size_t first, last, next;
};

struct children {
	struct slices slices; /* first, so that its functions find this */
	struct exchange *x;
	void (*then)(struct exchange *x, struct wr w);
	int rcn;
	struct walk walk;
	uint64_t seen, count;
	bool more, listed, begun;
	struct node *nodes;
	size_t node_count, node_room;
	struct group *groups; /* [0] is unused */
	size_t group_count, group_room;
	size_t octets;
	struct wr w;
	struct json_out o;
	size_t at;            /* the node that is written next */
};

static bool nests(const struct children *k)
{
	return k->rcn != 5 && k->rcn != 6;
}

/* ---- the list ---- */

static void *more_room(void *list, size_t *room, size_t size)
{
	*room = *room ? *room * 2 : 16;
	list = realloc(list, *room * size);
	if (!list)
		abort();
	return list;
}

static size_t add_node(struct children *k, struct resource *r)
{
	if (k->node_count == k->node_room)
		k->nodes = more_room(k->nodes, &k->node_room, sizeof *k->nodes);
	k->nodes[k->node_count] = (struct node){.r = resource_ref(r)};
	return k->node_count++;
}

static size_t add_group(struct children *k, size_t parent)
{
	struct node *p = &k->nodes[parent];
	size_t g;

	if (k->group_count + 1 >= k->group_room)
		k->groups = more_room(k->groups, &k->group_room, sizeof *k->groups);
	g = ++k->group_count;
	k->groups[g] = (struct group){0};
	if (p->last_group)
		k->groups[p->last_group].next = g;
	else
		p->first_group = g;
	p->last_group = g;
	return g;
}

/* That of parent's children which have this root; a new one if there is none. */
static size_t group_for(struct children *k, size_t parent, const char *root)
{
	size_t looked = 0, g = k->nodes[parent].last_group;

	if (g && strcmp(k->nodes[k->groups[g].first].r->root, root) == 0)
		return g;
	for (g = k->nodes[parent].first_group; g; g = k->groups[g].next) {
		if (++looked % GROUPS_A_LOOK == 0)
			slice_spend(&k->walk.budget, 1);
		if (strcmp(k->nodes[k->groups[g].first].r->root, root) == 0)
			return g;
	}
	return add_group(k, parent);
}

static size_t list_below(struct children *k, size_t parent, struct resource *r)
{
	size_t g = group_for(k, parent, r->root), n = add_node(k, r);

	k->nodes[n].parent = parent;
	k->nodes[n].group = g;
	if (k->groups[g].first)
		k->nodes[k->groups[g].last].next = n;
	else
		k->groups[g].first = n;
	k->groups[g].last = n;
	k->octets += resource_text(r).left;
	return n;
}

static void put_reference(struct children *k, struct resource *r)
{
	char path[CSE_PATH_MAX];
	struct rd spid;

	json_object(&k->o, NULL);
	json_put_string(&k->o, "nm", r->rn);
	json_put_int(&k->o, "typ", r->type);
	if (r->type == TY_FLEX_CONTAINER && json_string(resource_get(r, "cnd"), &spid))
		json_put_rd(&k->o, "spid", spid);
	if (cse_reference_for(k->x, r, path, sizeof path))
		json_put_string(&k->o, "val", path);
	json_close(&k->o);
}

/* What a match stands for: itself, or what arp names below it. False: the answer is full. */
static bool take(struct children *k, struct resource *r, size_t above, size_t *mine)
{
	const struct filter *f = &k->x->filter;

	if (!cse_permits(k->x, r, ACOP_RETRIEVE) || k->seen++ < f->offset)
		return true;
	if ((f->limit && k->count == f->limit) || k->count == CHILDREN_MOST) {
		k->more = true;
		return false;
	}
	k->count++;
	if (nests(k))
		*mine = list_below(k, above, r);
	else
		put_reference(k, r);
	return k->octets <= OCTETS_MOST;
}

/* A descendant; *mine: where what is below it belongs. */
static bool visit(struct walk *w, struct resource *r, size_t above, size_t *mine)
{
	struct children *k = w->ctx;
	struct rd path = k->x->filter.apply_relative_path;
	struct resource *named;
	size_t nowhere;
	bool ok;

	if (!filter_matches(&k->x->filter, k->x->cse, r))
		return true;
	slice_spend(&w->budget, RESULT_COSTS);
	if (path.left == 0)
		return take(k, r, above, mine);
	named = cse_apply_path(k->x->cse, r, path);
	ok = !named || take(k, named, 0, &nowhere);
	resource_unref(named);
	return ok;
}

/* ---- the answer ---- */

/* What changed since it was listed is looked up again; what was deleted since is left out. */
static bool is_there(struct children *k, struct node *n)
{
	struct tree *t = k->x->cse->tree;
	struct resource *now;

	if (!n->r->stale)
		return true;
	now = n->r->instance ? tree_instance(t, n->r->parent, n->r->id) : tree_by_id(t, n->r->id);
	if (!now)
		return false;
	resource_unref(n->r);
	n->r = now;
	return true;
}

static void open_group(struct children *k, size_t g)
{
	json_array(&k->o, k->nodes[k->groups[g].first].r->root);
	k->at = k->groups[g].first;
}

/* The node that follows n, whose own descendants are written: closes what ends with it. 0: nothing follows. */
static void leave(struct children *k, size_t n)
{
	k->at = 0;
	while (n) {
		const struct node *node = &k->nodes[n];
		size_t next = k->groups[node->group].next;

		if (node->next) {
			k->at = node->next;
			return;
		}
		json_close(&k->o); /* the array */
		if (next) {
			open_group(k, next);
			return;
		}
		if (node->parent)
			json_close(&k->o); /* the object of the parent */
		n = node->parent;
	}
}

static void put_node(struct children *k)
{
	struct node *n = &k->nodes[k->at];

	if (!is_there(k, n)) {
		leave(k, k->at);
		return;
	}
	json_object(&k->o, NULL);
	represent_members(k->x->cse, n->r, &k->o);
	if (n->first_group && k->o.depth < JSON_DEPTH_MAX - 4) {
		open_group(k, n->first_group);
		return;
	}
	json_close(&k->o);
	leave(k, k->at);
}

static void put_head(struct children *k)
{
	struct resource *target = k->x->target;

	k->begun = true;
	json_object(&k->o, NULL);
	if (k->rcn == 6) {
		json_object(&k->o, "m2m:rrl");
		json_array(&k->o, "rrf");
		return;
	}
	json_object(&k->o, target->root);
	if (k->rcn != 8)
		represent_members(k->x->cse, target, &k->o);
	if (k->rcn == 5)
		json_array(&k->o, "ch");
	else if (k->nodes[0].first_group)
		open_group(k, k->nodes[0].first_group);
}

/* ---- slices ---- */

static void children_free(struct slices *s)
{
	struct children *k = (struct children *)s;

	walk_end(&k->walk);
	for (size_t i = 0; i < k->node_count; i++)
		resource_unref(k->nodes[i].r);
	free(k->nodes);
	free(k->groups);
	wr_free(&k->w);
	free(k);
}

static void end(struct children *k)
{
	struct exchange *x = k->x;
	void (*then)(struct exchange *x, struct wr w) = k->then;
	struct wr w;

	while (k->o.depth > 0)
		json_close(&k->o);
	if (k->more) {
		x->cts = 1;
		x->cto = x->filter.offset + k->count;
	} else if (x->filter.limit || x->filter.offset) {
		x->cts = 2;
	}
	w = k->w;
	k->w = wr_new(0);
	slices_end(&k->slices);
	children_free(&k->slices);
	then(x, w);
}

static void fail(struct children *k, enum err e)
{
	struct exchange *x = k->x;

	slices_end(&k->slices);
	children_free(&k->slices);
	exchange_store_failed(x, e);
}

static void take_slice(struct slices *s)
{
	struct children *k = (struct children *)s;
	enum err e;

	k->walk.budget = SLICE;
	if (!k->listed) {
		e = walk_on(&k->walk);
		if (e != OK) {
			fail(k, e);
			return;
		}
		k->listed = walk_is_over(&k->walk);
	}
	if (k->octets > OCTETS_MOST)
		k->w.spoilt = true;
	else if (k->listed && !k->begun)
		put_head(k);
	while (k->at && k->walk.budget > 0 && !k->w.spoilt) {
		put_node(k);
		slice_spend(&k->walk.budget, RESULT_COSTS);
	}
	if (k->listed && (k->at == 0 || k->w.spoilt))
		end(k);
	else
		slices_again(s);
}

void children_put(struct exchange *x, int rcn, void (*then)(struct exchange *x, struct wr w))
{
	struct children *k = calloc(1, sizeof *k);

	if (!k)
		abort();
	k->slices.slice = take_slice;
	k->slices.free = children_free;
	k->x = x;
	k->then = then;
	k->rcn = rcn;
	k->w = wr_new(OCTETS_MOST);
	k->o = json_out(&k->w);
	walk_begin(&k->walk, x->cse->tree, x->target->id);
	k->walk.level = x->filter.level;
	k->walk.instances = filter_may_match_instances(&x->filter);
	k->walk.visit = visit;
	k->walk.ctx = k;
	if (nests(k))
		add_node(k, x->target);
	else
		put_head(k);
	slices_begin(&k->slices, x);
	take_slice(&k->slices);
}
