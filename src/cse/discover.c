/* Discovery: TS-0004 clause 7.3.3.17. Where a condition has an index (labels, types), candidates come from it and are kept if they lie
 * below the target, so that the cost grows with the matches; otherwise the subtree is walked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"

#define DISCOVERY_LIMIT 100000

struct discovery {
	struct exchange *x;
	uint64_t limit, seen, found;
	bool more, structured, references;
	struct json_out *o;
};

/* What is left behind arp: a path below each match. */
static struct resource *apply_path(struct discovery *d, struct resource *r)
{
	struct rd path = d->x->filter.apply_relative_path, part;
	struct resource *at = resource_ref(r), *next;

	while (at && path.left > 0) {
		if (!rd_until(&path, '/', &part))
			part = rd_rest(&path);
		if (rd_is(part, "la") || rd_is(part, "ol"))
			next = part.at[0] == 'l' ? tree_latest(d->x->cse->tree, at) : tree_oldest(d->x->cse->tree, at);
		else
			next = tree_child(d->x->cse->tree, at, part);
		resource_unref(at);
		at = next;
	}
	return at;
}

static void put(struct discovery *d, struct resource *r)
{
	char address[CSE_PATH_MAX];

	if (!cse_address_for(d->x, r, d->structured, address, sizeof address))
		return;
	if (!d->references) {
		json_put_string(d->o, NULL, address);
		return;
	}
	json_object(d->o, NULL);
	json_put_string(d->o, "nm", r->rn);
	json_put_int(d->o, "typ", r->type);
	json_put_string(d->o, "val", address);
	json_close(d->o);
}

/* A match; false when the answer is full. */
static bool emit(struct discovery *d, struct resource *match)
{
	struct resource *r = d->x->filter.apply_relative_path.left ? apply_path(d, match) : resource_ref(match);
	bool go_on = true;

	if (r && cse_permits(d->x, r, ACOP_DISCOVERY) && d->seen++ >= d->x->filter.offset) {
		if (d->found == d->limit) {
			d->more = true;
			go_on = false;
		} else {
			d->found++;
			put(d, r);
		}
	}
	resource_unref(r);
	return go_on;
}

static bool candidate(void *ctx, struct resource *r)
{
	struct discovery *d = ctx;
	unsigned depth;

	if (!cse_is_below(d->x->cse, r, d->x->target->id, &depth) || (d->x->filter.level && depth > d->x->filter.level))
		return true;
	return !filter_matches(&d->x->filter, d->x->cse, r) || emit(d, r);
}

struct walk {
	struct discovery *d;
	uint64_t depth;
};

static bool may_match_instances(const struct filter *f)
{
	if (f->operation != 1 || f->type_count == 0)
		return true;
	for (size_t i = 0; i < f->type_count; i++)
		if (f->types[i] == TY_CONTENT_INSTANCE || f->types[i] == TY_TIME_SERIES_INSTANCE || f->types[i] == TY_FLEX_CONTAINER_INSTANCE)
			return true;
	return false;
}

static bool visit(void *ctx, struct resource *r)
{
	struct walk *w = ctx;
	struct discovery *d = w->d;
	struct walk deeper = {d, w->depth + 1};
	const struct filter *f = &d->x->filter;

	if (filter_matches(f, d->x->cse, r) && !emit(d, r))
		return false;
	if (!r->instance && (f->level == 0 || w->depth < f->level) &&
	    tree_children(d->x->cse->tree, r, 0, may_match_instances(f), visit, &deeper) != OK)
		d->more = true;
	return !d->more;
}

static bool is_plain(struct rd label)
{
	return label.left > 0 && !memchr(label.at, '*', label.left);
}

/* Every alternative of the label condition has an index entry. */
static bool labels_are_indexed(const struct filter *f)
{
	for (size_t i = 0; i < f->label_count; i++)
		if (!is_plain(f->labels[i]))
			return false;
	return f->label_count > 0;
}

struct once {
	struct discovery *d;
	size_t index; /* of the label whose entries are walked */
};

/* A resource that has several of the labels is found once, by the first. */
static bool labelled(void *ctx, struct resource *r)
{
	struct once *o = ctx;
	const struct filter *f = &o->d->x->filter;
	const struct json *lbl = resource_get(r, "lbl");

	for (size_t i = 0; i < o->index; i++)
		for (const struct json *l = lbl ? lbl->first : NULL; l; l = l->next)
			if (l->type == JSON_STRING && rd_equal(l->text, f->labels[i]))
				return true;
	return candidate(o->d, r);
}

static bool has_type(const struct filter *f, int type)
{
	for (size_t i = 0; i < f->type_count; i++)
		if (f->types[i] == type)
			return true;
	return false;
}

struct first {
	int64_t id;
};

static bool take_first(void *ctx, struct resource *r)
{
	((struct first *)ctx)->id = r->id;
	return false;
}

/* The resource that a descriptor describes; if it has several, by the first of them. */
static bool described(void *ctx, struct resource *descriptor)
{
	struct discovery *d = ctx;
	struct resource *parent = tree_parent(d->x->cse->tree, descriptor);
	struct first first = {0};
	bool go_on = true;

	if (has_type(&d->x->filter, TY_SEMANTIC_DESCRIPTOR))
		go_on = candidate(d, descriptor);
	if (go_on && parent && parent->id != d->x->target->id && tree_children(d->x->cse->tree, parent, TY_SEMANTIC_DESCRIPTOR, false, take_first, &first) == OK && first.id == descriptor->id)
		go_on = candidate(d, parent);
	resource_unref(parent);
	return go_on;
}

static bool types_are_indexed(const struct filter *f)
{
	return f->type_count > 0 && !may_match_instances(f);
}

static enum err search(struct discovery *d)
{
	struct exchange *x = d->x;
	const struct filter *f = &x->filter;
	struct walk w = {d, 1};
	enum err e = OK;

	if (f->operation == 1 && labels_are_indexed(f)) {
		for (size_t i = 0; i < f->label_count && e == OK && !d->more; i++)
			e = tree_by_label(x->cse->tree, f->labels[i], labelled, &(struct once){d, i});
		return e;
	}
	if (f->operation == 1 && f->semantics.left > 0)
		return tree_by_type(x->cse->tree, TY_SEMANTIC_DESCRIPTOR, described, d);
	if (f->operation == 1 && types_are_indexed(f) && x->target->type == TY_CSE_BASE) {
		for (size_t i = 0; i < f->type_count && e == OK && !d->more; i++)
			e = tree_by_type(x->cse->tree, f->types[i], candidate, d);
		return e;
	}
	return tree_children(x->cse->tree, x->target, 0, may_match_instances(f), visit, &w);
}

void cse_discover(struct exchange *x)
{
	struct wr w = wr_new(CSE_BODY_MAX * 16);
	struct json_out o = json_out(&w);
	struct discovery d = {.x = x, .limit = x->filter.limit ? x->filter.limit : DISCOVERY_LIMIT, .o = &o, .structured = x->rq->drt != 2, .references = x->rcn == 6};
	struct rd content;
	enum err e;

	json_object(&o, NULL);
	if (d.references) {
		json_object(&o, "m2m:rrl");
		json_array(&o, "rrf");
	} else {
		json_array(&o, "m2m:uril");
	}
	e = search(&d);
	json_close(&o);
	if (d.references)
		json_close(&o);
	json_close(&o);
	if (d.more) {
		x->cts = 1;
		x->cto = x->filter.offset + d.found;
	} else if (x->filter.limit || x->filter.offset) {
		x->cts = 2;
	}
	if (e != OK)
		exchange_store_failed(x, e);
	else if (!wr_done(&w, &content))
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "too many results; ask with lim and ofst");
	else
		exchange_answer(x, RSC_OK, content, rd_str(""));
	wr_free(&w);
}
