/* Discovery: TS-0004 clause 7.3.3.17. Where a condition has an index (labels, types), candidates come from it and are kept if they lie
 * below the target, so that the cost grows with the matches; otherwise the subtree is walked. */
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"
#include "cse/slices.h"
#include "cse/types/ae_moves.h"
#include "cse/walk.h"

#define DISCOVERY_LIMIT 100000
#define QUERY_COSTS 64 /* SPARQL, as much as so many looks */

enum source { SOURCE_WALK, SOURCE_LABELS, SOURCE_TYPES, SOURCE_DESCRIPTORS };

struct discovery {
	struct slices slices; /* first, so that its functions find the discovery */
	struct exchange *x;
	uint64_t limit, seen, found;
	bool more, structured, references;
	struct wr w;
	struct json_out o;
	/* where the search is */
	enum source source;
	size_t index;         /* of the label or type */
	int64_t after;
	struct walk walk;
	size_t budget;        /* of this slice */
};

/* ---- results ---- */

static void put(struct discovery *d, struct resource *r)
{
	char address[CSE_PATH_MAX];

	if (!(d->references ? cse_reference_for(d->x, r, address, sizeof address) : cse_address_for(d->x, r, d->structured, address, sizeof address)))
		return;
	if (!d->references) {
		json_put_string(&d->o, NULL, address);
		return;
	}
	json_object(&d->o, NULL);
	json_put_string(&d->o, "nm", r->rn);
	json_put_int(&d->o, "typ", r->type);
	json_put_string(&d->o, "val", address);
	json_close(&d->o);
}

static void spend(struct discovery *d, size_t cost)
{
	slice_spend(d->source == SOURCE_WALK ? &d->walk.budget : &d->budget, cost);
}

/* A match; d->more when the answer is full. */
static void emit(struct discovery *d, struct resource *match)
{
	struct resource *r = cse_apply_path(d->x->cse, match, d->x->filter.apply_relative_path);

	spend(d, RESULT_COSTS);
	if (r && cse_permits(d->x, r, ACOP_DISCOVERY) && d->seen++ >= d->x->filter.offset) {
		if (d->found == d->limit) {
			d->more = true;
		} else {
			d->found++;
			put(d, r);
		}
	}
	resource_unref(r);
}

static bool goes_on(const struct discovery *d)
{
	return d->budget > 0 && !d->more;
}

/* ---- by an index ---- */

/* Instances that may not be retrieved (disr) are not found either, as in a walk. */
static bool is_shown(struct discovery *d, struct resource *r)
{
	struct resource *parent = r->instance ? tree_parent(d->x->cse->tree, r) : NULL;
	bool shown = !parent || !resource_bool(parent, "disr", false);

	resource_unref(parent);
	return shown;
}

static void candidate(struct discovery *d, struct resource *r)
{
	unsigned depth;

	if (!cse_is_below(d->x->cse, r, d->x->target->id, &depth) || (d->x->filter.level && depth > d->x->filter.level))
		return;
	if (filter_matches(&d->x->filter, d->x->cse, r) && is_shown(d, r))
		emit(d, r);
}

/* A resource that has several of the labels is found once, by the first. */
static bool has_earlier_label(const struct discovery *d, struct resource *r)
{
	const struct filter *f = &d->x->filter;
	const struct json *lbl = resource_get(r, "lbl");

	for (size_t i = 0; i < d->index; i++)
		for (const struct json *l = lbl ? lbl->first : NULL; l; l = l->next)
			if (l->type == JSON_STRING && rd_equal(l->text, f->labels[i]))
				return true;
	return false;
}

static bool labelled(void *ctx, struct resource *r)
{
	struct discovery *d = ctx;

	spend(d, 1);
	d->after = r->id;
	if (!has_earlier_label(d, r))
		candidate(d, r);
	return goes_on(d);
}

static bool typed(void *ctx, struct resource *r)
{
	struct discovery *d = ctx;

	spend(d, 1);
	d->after = r->id;
	candidate(d, r);
	return goes_on(d);
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

	spend(d, QUERY_COSTS);
	d->after = descriptor->id;
	if (has_type(&d->x->filter, TY_SEMANTIC_DESCRIPTOR))
		candidate(d, descriptor);
	if (!d->more && parent && parent->id != d->x->target->id && tree_children(d->x->cse->tree, parent, TY_SEMANTIC_DESCRIPTOR, false, take_first, &first) == OK && first.id == descriptor->id)
		candidate(d, parent);
	resource_unref(parent);
	return goes_on(d);
}

/* ---- by a walk ---- */

static bool is_inactive(struct resource *r)
{
	return (r->type == TY_AE || r->type == TY_AE + TY_ANNOUNCED) && resource_uint(r, "regs", 0) == AE_INACTIVE;
}

static bool visit(struct walk *w, struct resource *r, size_t above, size_t *mine)
{
	struct discovery *d = w->ctx;

	/* unfiltered, what is registered elsewhere meanwhile is not found, nor what is below it: TS-0001 clause 10.2.6.1 */
	*mine = above || (d->x->filter.conditions == 0 && is_inactive(r));
	if (*mine)
		return true;
	if (filter_matches(&d->x->filter, d->x->cse, r))
		emit(d, r);
	return !d->more;
}

/* ---- the search ---- */

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

static enum source choose(const struct exchange *x)
{
	const struct filter *f = &x->filter;

	if (f->operation == 1 && labels_are_indexed(f))
		return SOURCE_LABELS;
	if (f->operation == 1 && f->semantics.left > 0)
		return SOURCE_DESCRIPTORS;
	if (f->operation == 1 && f->type_count > 0 && !filter_may_match_instances(f) && x->target->type == TY_CSE_BASE)
		return SOURCE_TYPES;
	return SOURCE_WALK;
}

static enum err scan(struct discovery *d, bool *any)
{
	const struct filter *f = &d->x->filter;
	struct tree *t = d->x->cse->tree;

	*any = true;
	switch (d->source) {
	case SOURCE_LABELS:
		*any = d->index < f->label_count;
		return *any ? tree_by_label_from(t, f->labels[d->index], d->after, labelled, d) : OK;
	case SOURCE_TYPES:
		*any = d->index < f->type_count;
		return *any ? tree_by_type_from(t, f->types[d->index], d->after, typed, d) : OK;
	case SOURCE_DESCRIPTORS:
		*any = d->index == 0;
		return *any ? tree_by_type_from(t, TY_SEMANTIC_DESCRIPTOR, d->after, described, d) : OK;
	case SOURCE_WALK:
		return OK;
	}
	return OK;
}

/* A slice; *done: there is nothing more to find, or the answer is full. */
static enum err search(struct discovery *d, bool *done)
{
	bool any = true;
	enum err e = OK;

	if (d->source == SOURCE_WALK) {
		d->walk.budget = SLICE;
		e = walk_on(&d->walk);
		*done = walk_is_over(&d->walk);
		return e;
	}
	d->budget = SLICE;
	while (e == OK && any && goes_on(d)) {
		e = scan(d, &any);
		if (goes_on(d)) { /* this one is at its end */
			d->index++;
			d->after = 0;
		}
	}
	*done = d->more || !any;
	return e;
}

/* ---- the answer ---- */

static void discovery_free(struct slices *s)
{
	struct discovery *d = (struct discovery *)s;

	walk_end(&d->walk);
	wr_free(&d->w);
	free(d);
}

static void answer(struct discovery *d, enum err e)
{
	struct exchange *x = d->x;
	struct rd content;

	slices_end(&d->slices);
	json_close(&d->o);
	if (d->references)
		json_close(&d->o);
	json_close(&d->o);
	if (d->more) {
		x->cts = 1;
		x->cto = x->filter.offset + d->found;
	} else if (x->filter.limit || x->filter.offset) {
		x->cts = 2;
	}
	if (e != OK)
		exchange_store_failed(x, e);
	else if (!wr_done(&d->w, &content))
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "too many results; ask with lim and ofst");
	else
		exchange_answer_composed(x, RSC_OK, content, rd_str(""));
	discovery_free(&d->slices);
}

/* ---- an IPE is asked for what it has not told yet ---- */

/* Of the resources that it says it has made, those that the filter wants. */
static void take_answer(struct discovery *d, struct rd content)
{
	struct exchange *x = d->x;
	const struct json *doc, *list;

	if (json_parse(x->arena, content, NULL, &doc) != OK)
		return;
	list = json_get(doc, "m2m:uril");
	for (const struct json *u = list ? list->first : NULL; u && !d->more; u = u->next) {
		struct resource *r = u->type == JSON_STRING ? cse_find_address(x->cse, u->text) : NULL;

		if (r && filter_matches(&x->filter, x->cse, r))
			emit(d, r);
		resource_unref(r);
	}
}

static void on_told(void *ctx, const struct onem2m_response *rsp)
{
	struct discovery *d = ctx;

	if (!d->slices.x) { /* the CSE has ended meanwhile */
		discovery_free(&d->slices);
		return;
	}
	if (rsp->rsc == RSC_OK) {
		take_answer(d, rsp->content);
		answer(d, OK);
		return;
	}
	slices_end(&d->slices);
	exchange_fail(d->x, rsp->rsc, "the IPE answered the discovery so");
	discovery_free(&d->slices);
}

static bool asks_the_IPE(const struct discovery *d)
{
	return d->x->filter.usage == FILTER_IPE_ON_DEMAND && d->found == 0 && d->x->target->type == TY_AE && !d->slices.waits;
}

static void ask_the_IPE(struct discovery *d)
{
	d->slices.waits = true;
	if (discover_ask_ipe(d->x, on_told, d))
		return;
	slices_end(&d->slices);
	exchange_fail(d->x, RSC_BAD_REQUEST, "the filter criteria cannot be passed on");
	discovery_free(&d->slices);
}

static void take_slice(struct slices *s)
{
	struct discovery *d = (struct discovery *)s;
	bool done;
	enum err e = search(d, &done);

	if (e == OK && !done)
		slices_again(s);
	else if (e == OK && asks_the_IPE(d))
		ask_the_IPE(d);
	else
		answer(d, e);
}

static void begin_walk(struct discovery *d)
{
	const struct exchange *x = d->x;

	walk_begin(&d->walk, x->cse->tree, x->target->id);
	d->walk.level = x->filter.level;
	d->walk.instances = filter_may_match_instances(&x->filter);
	d->walk.visit = visit;
	d->walk.ctx = d;
}

void cse_discover(struct exchange *x)
{
	struct discovery *d = calloc(1, sizeof *d);

	if (!d)
		abort();
	d->slices.slice = take_slice;
	d->slices.free = discovery_free;
	d->x = x;
	d->limit = x->filter.limit ? x->filter.limit : DISCOVERY_LIMIT;
	d->structured = x->rq->drt != 2;
	d->references = x->rcn == 6;
	d->source = choose(x);
	if (d->source == SOURCE_WALK)
		begin_walk(d);
	d->w = wr_new(CSE_BODY_MAX * 16);
	d->o = json_out(&d->w);
	json_object(&d->o, NULL);
	if (d->references) {
		json_object(&d->o, "m2m:rrl");
		json_array(&d->o, "rrf");
	} else {
		json_array(&d->o, "m2m:uril");
	}
	slices_begin(&d->slices, x);
	take_slice(&d->slices);
}
