/* Semantic queries and discovery: smf against the descriptions that the originator may retrieve. TS-0001 clauses 8.1.2 (sqi), 10.2.14, TS-0004
 * clauses 7.3.3.19 and 7.4.35. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/semantic.h"
#include "cse/types/types.h"

/* ---- the query itself ---- */

static bool is_query(const struct exchange *x)
{
	return x->filter.semantic_query || x->rcn == ONEM2M_RCN_SEMANTIC;
}

bool semantic_check(struct exchange *x)
{
	char why[256] = "";
	enum err e;

	if (x->rq->operation == ONEM2M_RETRIEVE && is_query(x) &&
	    (!x->filter.semantic_query || x->rcn != ONEM2M_RCN_SEMANTIC || x->filter.semantics.left == 0 || filter_discovers(&x->filter))) {
		exchange_fail(x, RSC_BAD_REQUEST, "a semantic query has `sqi`, `smf` and result content 10, and is no discovery");
		return false;
	}
	if (x->filter.semantics.left == 0)
		return true;
	e = sparql_parse(SPARQL_QUERY, x->filter.semantics, &x->query, why, sizeof why);
	if (e != OK) {
		exchange_fail(x, RSC_INVALID_SPARQL_QUERY, "`smf`: %s", why);
		return false;
	}
	x->filter.asker = x;
	return true;
}

/* ---- discovery: a resource matches by what describes it ---- */

struct matching {
	struct exchange *x;
	bool found;
};

static bool matches(struct exchange *x, struct resource *descriptor)
{
	struct graph *g = graph_new();
	bool found = false;
	char why[200];

	if (!g || semantic_add(x, descriptor, g) != OK || sparql_matches(x->query, g, &found, why, sizeof why) != OK)
		found = false; /* too much to look at: not found, rather than a discovery without end */
	graph_free(g);
	return found;
}

static bool child_matches(void *ctx, struct resource *r)
{
	struct matching *m = ctx;

	m->found = cse_permits(m->x, r, ACOP_RETRIEVE) && matches(m->x, r);
	return !m->found;
}

static bool asks_for_descriptors(const struct filter *f)
{
	for (size_t i = 0; i < f->type_count; i++)
		if (f->types[i] == TY_SEMANTIC_DESCRIPTOR)
			return true;
	return false;
}

bool filter_semantics_match(const struct filter *f, struct cse *c, struct resource *r)
{
	struct matching m = {f->asker, false};

	if (!f->asker || !f->asker->query || r->instance)
		return false;
	if (r->type == TY_SEMANTIC_DESCRIPTOR)
		return asks_for_descriptors(f) && cse_permits(f->asker, r, ACOP_RETRIEVE) && matches(f->asker, r);
	return tree_children(c->tree, r, TY_SEMANTIC_DESCRIPTOR, false, child_matches, &m) == OK && m.found;
}

/* ---- query: over everything below the target ---- */

void semantic_answer(struct exchange *x, const struct graph *g)
{
	struct wr result = wr_new(CSE_BODY_MAX * 4), w = wr_new(CSE_BODY_MAX * 16);
	struct json_out o = json_out(&w);
	struct rd text, content;
	char why[256] = "";
	enum err e = sparql_answer(x->query, g, &result, why, sizeof why);

	if (e != OK || !wr_done(&result, &text)) {
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "%s", why);
	} else {
		json_object(&o, NULL);
		json_put_rd(&o, "m2m:qres", text);
		json_close(&o);
		if (wr_done(&w, &content))
			exchange_answer(x, RSC_OK, content, rd_str(""));
		else
			exchange_fail(x, RSC_NOT_ACCEPTABLE, "the answer is too large");
	}
	wr_free(&result);
	wr_free(&w);
}

struct collecting {
	struct exchange *x;
	struct graph *g;
	enum err error;
};

static bool add_if_below(void *ctx, struct resource *r)
{
	struct collecting *k = ctx;
	unsigned depth;

	if ((r->id == k->x->target->id || cse_is_below(k->x->cse, r, k->x->target->id, &depth)) && cse_permits(k->x, r, ACOP_RETRIEVE))
		k->error = semantic_add(k->x, r, k->g);
	return k->error == OK;
}

void semantic_retrieve(struct exchange *x)
{
	struct collecting k = {x, graph_new(), OK};
	enum err e = k.g ? tree_by_type(x->cse->tree, TY_SEMANTIC_DESCRIPTOR, add_if_below, &k) : ERR_NO_MEMORY;

	if (e == OK)
		e = k.error;
	if (e == OK)
		semantic_answer(x, k.g);
	else
		semantic_failed(x, e);
	graph_free(k.g);
}

/* ---- semanticFanOutPoint: over a group's members, those of other CSEs too ---- */

struct fan {
	struct exchange *x;
	struct graph *g;
	unsigned waits;               /* members that are asked; one more while the asking goes on */
	enum err error;
};

static void one_less(struct fan *f)
{
	if (--f->waits > 0)
		return;
	if (f->error == OK)
		semantic_answer(f->x, f->g);
	else
		semantic_failed(f->x, f->error);
	graph_free(f->g);
	free(f);
}

/* A member that does not answer, or has no description, adds nothing. */
static void on_remote(void *ctx, const struct onem2m_response *rsp)
{
	struct fan *f = ctx;
	struct json_arena *arena = json_arena_new();
	struct graph *g = graph_new();
	const struct json *doc;

	if (!arena || !g)
		abort();
	if (f->error == OK && rsp->rsc == RSC_OK && json_parse(arena, rsp->content, NULL, &doc) == OK && semantic_add_text(f->x->cse, json_get(doc, "m2m:smd"), g) == OK)
		f->error = graph_merge(f->g, g);
	graph_free(g);
	json_arena_free(arena);
	one_less(f);
}

static void ask_remote(struct fan *f, struct rd to)
{
	const struct onem2m_request *rq = f->x->rq;
	const struct onem2m_request ask = {
		.operation = ONEM2M_RETRIEVE,
		.to = to,
		.from = rd_str(f->x->from),
		.request_id = rq->request_id,
		.release = rq->release,
		.rqet = rq->rqet,
		.rcn = ONEM2M_RCN_ABSENT,
		.genuine = true,
	};

	f->waits++;
	cse_request(f->x->cse, &ask, on_remote, f);
}

static void add_member(struct fan *f, struct rd address)
{
	char other[CSE_ID_MAX];
	struct resource *r;
	struct rd rest;

	if (!cse_is_local(f->x->cse, address, &rest, other, sizeof other)) {
		ask_remote(f, address);
		return;
	}
	r = cse_find(f->x->cse, rest, NULL, NULL);
	if (r && f->error == OK)
		f->error = semantic_add_member(f->x, r, f->g, 3);
	resource_unref(r);
}

void semantic_fan_out(struct exchange *x)
{
	const struct json *mid = resource_get(x->target, "mid");
	struct fan *f;

	if (x->rq->operation != ONEM2M_RETRIEVE || x->suffix.left > 0) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "semanticFanOutPoint takes only RETRIEVE");
		return;
	}
	if (!is_query(x)) {
		exchange_fail(x, RSC_BAD_REQUEST, "semanticFanOutPoint takes semantic queries: `sqi`, `smf` and result content 10");
		return;
	}
	if (!mid || !mid->first) {
		exchange_fail(x, RSC_NO_MEMBERS, "the group has no members");
		return;
	}
	f = calloc(1, sizeof *f);
	if (!f || (f->g = graph_new()) == NULL)
		abort();
	f->x = x;
	f->waits = 1;
	for (const struct json *m = mid->first; m; m = m->next)
		if (m->type == JSON_STRING)
			add_member(f, m->text);
	one_less(f);
}
