/* Discovery: TS-0004 clause 7.3.3.17. Where a condition has an index (labels, types), candidates come from it and are kept if they lie
 * below the target, so that the cost grows with the matches; otherwise the subtree is walked.
 *
 * What takes long goes on in slices, one a round of the loop, so that others wait milliseconds. What is made or deleted between two slices may
 * be found or not. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"
#include "onem2m/criteria.h"

#define DISCOVERY_LIMIT 100000
#define SLICE 2048      /* resources looked at in a round: some 3 ms */
#define RESULT_COSTS 4  /* privileges and an address, as much as so many looks */
#define QUERY_COSTS 64  /* SPARQL */
#define BATCH 64        /* children that are read at once */

enum source { SOURCE_WALK, SOURCE_LABELS, SOURCE_TYPES, SOURCE_DESCRIPTORS };

/* A resource whose children are being walked. */
struct frame {
	struct frame *above;
	int64_t parent, after;
	uint64_t depth;       /* of its children below the target */
	bool instances;       /* the children are done */
	struct resource *batch[BATCH];
	size_t count, at;
};

struct discovery {
	struct cse_timer timer; /* first, so that its function finds the discovery */
	struct discovery *next;
	struct cse *cse;
	struct exchange *x;     /* NULL: the CSE has ended */
	uint64_t limit, seen, found;
	bool more, structured, references;
	struct wr w;
	struct json_out o;
	/* where the search is */
	enum source source;
	size_t index;         /* of the label or type */
	int64_t after;
	struct frame *frame;
	size_t budget;        /* of this slice */
	bool asked;           /* an IPE, for what it has not told yet */
};

struct discoveries {
	struct discovery *first;
};

/* ---- results ---- */

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
	d->budget -= d->budget < cost ? d->budget : cost;
}

/* A match; d->more when the answer is full. */
static void emit(struct discovery *d, struct resource *match)
{
	struct resource *r = d->x->filter.apply_relative_path.left ? apply_path(d, match) : resource_ref(match);

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

static void candidate(struct discovery *d, struct resource *r)
{
	unsigned depth;

	if (!cse_is_below(d->x->cse, r, d->x->target->id, &depth) || (d->x->filter.level && depth > d->x->filter.level))
		return;
	if (filter_matches(&d->x->filter, d->x->cse, r))
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

static bool may_match_instances(const struct filter *f)
{
	if (f->operation != 1 || f->type_count == 0)
		return true;
	for (size_t i = 0; i < f->type_count; i++)
		if (f->types[i] == TY_CONTENT_INSTANCE || f->types[i] == TY_TIME_SERIES_INSTANCE || f->types[i] == TY_FLEX_CONTAINER_INSTANCE)
			return true;
	return false;
}

static void descend(struct discovery *d, int64_t parent, uint64_t depth)
{
	struct frame *f = calloc(1, sizeof *f);

	if (!f)
		abort();
	f->parent = parent;
	f->depth = depth;
	f->above = d->frame;
	d->frame = f;
}

static void ascend(struct discovery *d)
{
	struct frame *f = d->frame;

	d->frame = f->above;
	while (f->at < f->count)
		resource_unref(f->batch[f->at++]);
	free(f);
}

static bool gather(void *ctx, struct resource *r)
{
	struct frame *f = ctx;

	f->batch[f->count++] = resource_ref(r);
	f->after = r->id;
	return f->count < BATCH;
}

static bool visit_instance(void *ctx, struct resource *r)
{
	struct discovery *d = ctx;

	spend(d, 1);
	d->frame->after = r->id;
	if (filter_matches(&d->x->filter, d->x->cse, r))
		emit(d, r);
	return goes_on(d);
}

/* The next of the batch; what changed since it was read is looked up again. */
static void visit_child(struct discovery *d)
{
	struct frame *f = d->frame;
	struct resource *r = f->batch[f->at++], *now = r->stale ? tree_by_id(d->x->cse->tree, r->id) : resource_ref(r);
	const struct filter *filter = &d->x->filter;
	uint64_t depth = f->depth;

	resource_unref(r);
	spend(d, 1);
	if (!now)
		return;
	if (filter_matches(filter, d->x->cse, now))
		emit(d, now);
	if (filter->level == 0 || depth < filter->level)
		descend(d, now->id, depth + 1);
	resource_unref(now);
}

static enum err walk(struct discovery *d)
{
	struct tree *t = d->x->cse->tree;
	enum err e = OK;

	while (e == OK && d->frame && goes_on(d)) {
		struct frame *f = d->frame;
		const struct resource parent = {.id = f->parent};

		if (f->at < f->count) {
			visit_child(d);
		} else if (!f->instances) {
			f->count = f->at = 0;
			e = tree_children_from(t, f->parent, f->after, gather, f);
			f->instances = f->count == 0;
			if (f->instances)
				f->after = 0;
		} else {
			if (may_match_instances(&d->x->filter))
				e = tree_instances(t, &parent, false, f->after, visit_instance, d);
			if (goes_on(d))
				ascend(d);
		}
	}
	return e;
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
	if (f->operation == 1 && f->type_count > 0 && !may_match_instances(f) && x->target->type == TY_CSE_BASE)
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
		*any = d->frame != NULL;
		return walk(d);
	}
	return OK;
}

/* A slice; *done: there is nothing more to find, or the answer is full. */
static enum err search(struct discovery *d, bool *done)
{
	bool any = true;
	enum err e = OK;

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

static void discovery_free(struct discovery *d)
{
	struct discoveries *all = d->cse->services[SERVICE_DISCOVERY];
	struct discovery **at = all ? &all->first : NULL;

	cse_timer_cancel(d->cse, &d->timer);
	while (at && *at && *at != d)
		at = &(*at)->next;
	if (at && *at)
		*at = d->next;
	while (d->frame)
		ascend(d);
	wr_free(&d->w);
	free(d);
}

static void answer(struct discovery *d, enum err e)
{
	struct exchange *x = d->x;
	struct rd content;

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
		exchange_answer(x, RSC_OK, content, rd_str(""));
}

/* ---- an IPE is asked: TS-0004 clauses 7.3.3.14 and 7.5.1.2.8 ---- */

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

	if (!d->x) {
		free(d); /* the CSE has ended meanwhile */
		return;
	}
	if (rsp->rsc == RSC_OK) {
		take_answer(d, rsp->content);
		answer(d, OK);
	} else {
		exchange_fail(d->x, rsp->rsc, "the IPE answered the discovery so");
	}
	discovery_free(d);
}

static bool asks_the_IPE(const struct discovery *d)
{
	return d->x->filter.usage == FILTER_IPE_ON_DEMAND && d->found == 0 && d->x->target->type == TY_AE && !d->asked;
}

static void ask_the_IPE(struct discovery *d)
{
	struct exchange *x = d->x;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	struct onem2m_request rq = {.operation = ONEM2M_NOTIFY, .request_id = x->rq->request_id, .release = rd_str("3"), .rcn = ONEM2M_RCN_ABSENT, .peer = "", .internal = true};
	char rqet[TIMESTAMP_SIZE];
	bool ok;

	d->asked = true;
	timestamp_print_precise(rqet, x->expires_ms ? x->expires_ms : cse_now(d->cse) + cse_request_life(d->cse));
	json_object(&o, NULL);
	json_object(&o, "m2m:sgn");
	json_object(&o, "idr");
	json_put_string(&o, "or", cse_relative(d->cse, x->from));
	ok = criteria_from_query(x->rq->filter, &o);
	json_close(&o);
	json_close(&o);
	json_close(&o);
	rq.from = rd_str(d->cse->config.id);
	rq.to = rd_str(x->target->ri);
	rq.rqet = rd_str(rqet);
	if (ok && wr_done(&w, &rq.content)) {
		cse_request(d->cse, &rq, on_told, d);
	} else {
		exchange_fail(x, RSC_BAD_REQUEST, "the filter criteria cannot be passed on");
		discovery_free(d);
	}
	wr_free(&w);
}

static void take_slice(struct discovery *d)
{
	bool done;
	enum err e = search(d, &done);

	if (e == OK && !done) {
		cse_timer_at(d->cse, &d->timer, cse_mono(d->cse) + 1);
		return;
	}
	if (e == OK && asks_the_IPE(d)) {
		ask_the_IPE(d);
		return;
	}
	answer(d, e);
	discovery_free(d);
}

static void on_slice(struct cse *c, struct cse_timer *t)
{
	struct discovery *d = (struct discovery *)t;
	struct exchange *x = d->x;
	struct resource *target = x->target->stale ? tree_by_id(c->tree, x->target->id) : resource_ref(x->target);

	c->counts.slices++;
	if (target && !(x->expires_ms && x->expires_ms <= cse_now(c))) {
		resource_unref(x->target);
		x->target = target;
		take_slice(d);
		return;
	}
	if (target)
		exchange_fail(x, RSC_REQUEST_TIMEOUT, "the discovery took longer than the request allows (rqet)");
	else
		exchange_fail(x, RSC_NOT_FOUND, "the resource was deleted meanwhile");
	resource_unref(target);
	discovery_free(d);
}

/* Its answer is still to come. */
static void let_go(struct discovery *d)
{
	struct discoveries *all = d->cse->services[SERVICE_DISCOVERY];

	all->first = d->next;
	wr_free(&d->w);
	d->x = NULL;
}

static void discoveries_free(struct cse *c, void *state)
{
	struct discoveries *all = state;

	while (all->first) {
		struct discovery *d = all->first;

		exchange_fail(d->x, RSC_INTERNAL_SERVER_ERROR, "the CSE ends");
		if (d->asked)
			let_go(d);
		else
			discovery_free(d);
	}
	c->services[SERVICE_DISCOVERY] = NULL;
	free(all);
}

static void note(struct cse *c, struct discovery *d)
{
	struct discoveries *all = c->services[SERVICE_DISCOVERY];

	if (!all) {
		all = calloc(1, sizeof *all);
		if (!all)
			abort();
		cse_service_set(c, SERVICE_DISCOVERY, all, discoveries_free);
	}
	d->next = all->first;
	all->first = d;
}

void cse_discover(struct exchange *x)
{
	struct discovery *d = calloc(1, sizeof *d);

	if (!d)
		abort();
	d->timer.fn = on_slice;
	d->cse = x->cse;
	d->x = x;
	d->limit = x->filter.limit ? x->filter.limit : DISCOVERY_LIMIT;
	d->structured = x->rq->drt != 2;
	d->references = x->rcn == 6;
	d->source = choose(x);
	if (d->source == SOURCE_WALK)
		descend(d, x->target->id, 1);
	d->w = wr_new(CSE_BODY_MAX * 16);
	d->o = json_out(&d->w);
	json_object(&d->o, NULL);
	if (d->references) {
		json_object(&d->o, "m2m:rrl");
		json_array(&d->o, "rrf");
	} else {
		json_array(&d->o, "m2m:uril");
	}
	note(x->cse, d);
	take_slice(d);
}
