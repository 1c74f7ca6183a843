/* RETRIEVE with every result content: TS-0004 clause 7.2.2.2, TS-0001 table 8.1.2-1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"

#define CHILDREN_MOST 20000

/* ---- children in the answer: rcn 4, 5, 6, 8 ---- */

struct listing {
	struct exchange *x;
	struct resource **list;
	uint64_t *depths;
	size_t count, room;
	uint64_t seen;
	bool more;
};

static void add(struct listing *l, struct resource *r)
{
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 64;
		l->list = realloc(l->list, l->room * sizeof *l->list);
		if (!l->list)
			abort();
	}
	l->list[l->count++] = resource_ref(r);
}

struct descending {
	struct listing *l;
	uint64_t depth;
};

/* All descendants that match, parents before children. */
static bool visit(void *ctx, struct resource *r)
{
	struct descending *d = ctx;
	struct listing *l = d->l;
	const struct filter *f = &l->x->filter;
	struct descending deeper = {l, d->depth + 1};

	if (filter_matches(f, l->x->cse, r) && cse_permits(l->x, r, ACOP_RETRIEVE)) {
		if (l->seen++ >= f->offset) {
			if ((f->limit && l->count == f->limit) || l->count == CHILDREN_MOST) {
				l->more = true;
				return false;
			}
			add(l, r);
		}
	}
	if (!r->instance && (f->level == 0 || d->depth < f->level) &&
	    tree_children(l->x->cse->tree, r, 0, true, visit, &deeper) != OK)
		l->more = true;
	return !l->more;
}

static void list_children(struct listing *l)
{
	struct descending d = {l, 1};

	if (tree_children(l->x->cse->tree, l->x->target, 0, true, visit, &d) != OK)
		l->more = true;
}

static void put_reference(struct exchange *x, struct resource *r, struct json_out *o)
{
	char path[CSE_PATH_MAX];
	struct rd spid;

	json_object(o, NULL);
	json_put_string(o, "nm", r->rn);
	json_put_int(o, "typ", r->type);
	if (r->type == TY_FLEX_CONTAINER && json_string(resource_get(r, "cnd"), &spid))
		json_put_rd(o, "spid", spid);
	if (cse_address_for(x, r, x->rq->drt != 2, path, sizeof path))
		json_put_string(o, "val", path);
	json_close(o);
}

/* Whether r hangs directly below `parent` in the answer: its nearest listed ancestor, or the target. */
static int64_t listed_parent(struct listing *l, struct resource *r)
{
	struct resource *at = tree_parent(l->x->cse->tree, r), *above;
	int64_t found = l->x->target->id;

	while (at && at->id != l->x->target->id) {
		for (size_t i = 0; i < l->count; i++) {
			if (l->list[i]->id == at->id) {
				found = at->id;
				resource_unref(at);
				return found;
			}
		}
		above = tree_parent(l->x->cse->tree, at);
		resource_unref(at);
		at = above;
	}
	resource_unref(at);
	return found;
}

/* The subtree below `parent`: children of one root in one array, each with its own subtree inside. */
static void put_below(struct listing *l, const int64_t *parents, int64_t parent, struct json_out *o, bool *done)
{
	for (size_t i = 0; i < l->count; i++) {
		const char *root = l->list[i]->root;

		if (parents[i] != parent || done[i])
			continue;
		json_array(o, root);
		for (size_t k = i; k < l->count; k++) {
			if (parents[k] != parent || done[k] || strcmp(l->list[k]->root, root) != 0)
				continue;
			done[k] = true;
			json_object(o, NULL);
			represent_members(l->x->cse, l->list[k], o);
			if (!l->list[k]->instance && o->depth < JSON_DEPTH_MAX - 4)
				put_below(l, parents, l->list[k]->id, o, done);
			json_close(o);
		}
		json_close(o);
	}
}

static void put_tree(struct listing *l, struct json_out *o)
{
	int64_t *parents = calloc(l->count + 1, sizeof *parents);
	bool *done = calloc(l->count + 1, sizeof *done);

	if (!parents || !done)
		abort();
	for (size_t i = 0; i < l->count; i++)
		parents[i] = listed_parent(l, l->list[i]);
	put_below(l, parents, l->x->target->id, o, done);
	free(parents);
	free(done);
}

void retrieve_with_children(struct exchange *x, struct wr *w, int rcn)
{
	struct listing l = {.x = x};
	struct json_out o = json_out(w);

	list_children(&l);
	json_object(&o, NULL);
	if (rcn == 6) {
		json_object(&o, "m2m:rrl");
		json_array(&o, "rrf");
	} else {
		json_object(&o, x->target->root);
		if (rcn != 8)
			represent_members(x->cse, x->target, &o);
		if (rcn == 5)
			json_array(&o, "ch");
		else
			put_tree(&l, &o);
	}
	if (rcn == 5 || rcn == 6) {
		for (size_t i = 0; i < l.count; i++)
			put_reference(x, l.list[i], &o);
		json_close(&o);
	}
	json_close(&o);
	json_close(&o);
	if (l.more) {
		x->cts = 1;
		x->cto = x->filter.offset + l.count;
	} else if (x->filter.limit || x->filter.offset) {
		x->cts = 2;
	}
	for (size_t i = 0; i < l.count; i++)
		resource_unref(l.list[i]);
	free(l.list);
}

/* ---- one resource ---- */

static bool take_virtual(struct exchange *x)
{
	struct resource *instance;

	if (x->virtual_child == VIRTUAL_NONE)
		return true;
	if (resource_bool(x->target, "disr", false)) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "retrieval of instances is disabled (disr)");
		return false;
	}
	if (x->virtual_child == VIRTUAL_LATEST)
		location_before_latest(x->cse, x->target);
	instance = x->virtual_child == VIRTUAL_LATEST ? tree_latest(x->cse->tree, x->target) : tree_oldest(x->cse->tree, x->target);
	if (!instance) {
		cse_event(x->cse, &(const struct event){.kind = EVENT_RETRIEVE_NECR, .subject = x->target, .shown = x->target, .operation = ONEM2M_RETRIEVE, .originator = x->from});
		exchange_fail(x, RSC_NOT_FOUND, "there is no instance");
		return false;
	}
	resource_unref(x->target);
	x->target = instance;
	return true;
}

/* Attributes that the type does not have are an error, those that the resource lacks are not. */
static bool attributes_exist(struct exchange *x)
{
	const struct schema_type *t = x->target->schema;

	for (size_t i = 0; i < x->filter.attribute_list_count; i++) {
		struct rd name = x->filter.attribute_list[i];

		if (t && !t->custom && !schema_attribute(t, name)) {
			exchange_fail(x, RSC_BAD_REQUEST, "`atrl`: `%.*s` is no attribute of this type", (int)(name.left < 64 ? name.left : 64), (const char *)name.at);
			return false;
		}
	}
	return true;
}

static void take_fragment(struct exchange *x)
{
	/* "#rr" behind the address asks for one attribute: TS-0004 clause 7.3.3.9 */
	struct rd to = x->rq->to, before;

	if (rd_until(&to, '#', &before) && to.left > 0 && x->filter.attribute_list_count < FILTER_LIST_MAX)
		x->filter.attribute_list[x->filter.attribute_list_count++] = to;
}

/* rcn 7: the resource that an announced one stands for. */
static void retrieve_original(struct exchange *x)
{
	struct rd link;

	if (!json_string(resource_get(x->target, "lnk"), &link)) {
		exchange_fail(x, RSC_BAD_REQUEST, "rcn 7 is for announced resources");
		return;
	}
	exchange_retarget(x, link);
}

static void put_permissions(struct exchange *x, struct wr *w)
{
	static const unsigned operations[] = {ACOP_CREATE, ACOP_RETRIEVE, ACOP_UPDATE, ACOP_DELETE, ACOP_NOTIFY, ACOP_DISCOVERY};
	struct json_out o = json_out(w);
	unsigned held = 0;

	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
		if (cse_permits(x, x->target, operations[i]))
			held |= operations[i];
	json_object(&o, NULL);
	json_object(&o, x->target->root);
	json_put_uint(&o, "acop", held);
	json_close(&o);
	json_close(&o);
}

static void retrieve_one(struct exchange *x, int rcn)
{
	struct wr w = wr_new(CSE_BODY_MAX * 16);
	struct rd content;

	if (rcn == 4 || rcn == 5 || rcn == 6 || rcn == 8) {
		retrieve_with_children(x, &w, rcn);
	} else if (rcn == 12) {
		put_permissions(x, &w);
	} else if (x->filter.attribute_list_count > 0) {
		if (!attributes_exist(x)) {
			wr_free(&w);
			return;
		}
		represent_partial(x->cse, x->target, x->filter.attribute_list, x->filter.attribute_list_count, &w);
	} else {
		represent(x->cse, x->target, &w);
	}
	if (wr_done(&w, &content))
		exchange_answer(x, RSC_OK, content, rd_str(""));
	else
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "the answer is too large; ask with lim and ofst");
	wr_free(&w);
}


void cse_retrieve(struct exchange *x)
{
	int rcn = x->rcn == ONEM2M_RCN_ABSENT ? 1 : x->rcn;
	const struct type_hooks *h;

	x->cse->counts.retrieved++;
	if (filter_discovers(&x->filter)) {
		cse_discover(x);
		return;
	}
	if (!cse_permits(x, x->target, ACOP_RETRIEVE)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not retrieve this", x->from);
		return;
	}
	if (!take_virtual(x))
		return;
	h = type_hooks(x->target->type);
	if (h->retrieve && h->retrieve(x) != HOOK_GO)
		return;
	take_fragment(x);
	if (rcn == 10)
		semantic_retrieve(x);
	else if (rcn == 7)
		retrieve_original(x);
	else if (rcn == 1 && x->filter.usage == FILTER_CONDITIONAL && !filter_matches(&x->filter, x->cse, x->target))
		exchange_fail(x, RSC_NOT_FOUND, "the resource does not match the filter criteria");
	else
		retrieve_one(x, rcn);
}
