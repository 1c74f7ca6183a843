/* Graph patterns are solved by going on from each solution of one to the next, with the variables bound so far; nothing is kept but the bindings of
 * this moment. Clause 18 of the recommendation; like most engines, a filter inside OPTIONAL or EXISTS sees the variables outside. */
#include <stdlib.h>
#include <string.h>

#include "semantics/sparql.h"

/* ---- a run ---- */

bool run_begin(struct run *r, const struct sparql *q, const struct graph *g)
{
	memset(r, 0, sizeof *r);
	r->q = q;
	r->g = g;
	r->made = graph_new();
	r->arena = json_arena_new();
	r->subs = calloc(q->select_count + 1, sizeof *r->subs);
	r->sub_done = calloc(q->select_count + 1, sizeof *r->sub_done);
	if (!r->made || !r->arena || !r->subs || !r->sub_done)
		r->error = ERR_NO_MEMORY;
	return r->error == OK;
}

void run_end(struct run *r)
{
	for (unsigned i = 0; r->subs && i < r->q->select_count; i++)
		free(r->subs[i].cells);
	free(r->subs);
	free(r->sub_done);
	graph_free(r->made);
	json_arena_free(r->arena);
}

bool run_fail(struct run *r, enum err e)
{
	if (r->error == OK)
		r->error = e;
	return false;
}

bool run_step(struct run *r, uint64_t n)
{
	r->steps += n;
	return r->error == OK && (r->steps <= SEMANTICS_STEPS_MAX || run_fail(r, ERR_TOO_LONG));
}

uint8_t *run_room(struct run *r, size_t n)
{
	uint8_t *room;

	r->octets += n + 16;
	if (n > SEMANTICS_TERM_MAX || r->octets > SEMANTICS_MADE_MAX) {
		run_fail(r, ERR_TOO_LONG);
		return NULL;
	}
	room = json_arena_alloc(r->arena, n + 1);
	if (!room)
		run_fail(r, ERR_NO_MEMORY);
	return room;
}

uint32_t run_intern(struct run *r, const struct term *t)
{
	uint32_t id = graph_find(r->g, t);

	if (id)
		return id;
	id = graph_intern(r->made, t);
	if (id == 0) {
		run_fail(r, ERR_TOO_LONG);
		return 0;
	}
	return r->g->term_count + id;
}

const struct term *run_term(const struct run *r, uint32_t id)
{
	return id <= r->g->term_count ? graph_term(r->g, id) : graph_term(r->made, id - r->g->term_count);
}

uint32_t run_slot(struct run *r, const struct slot *s)
{
	return s->var >= 0 ? r->values[s->var] : run_intern(r, &s->term);
}

/* ---- going on ---- */

enum cont_kind { CONT_SOLUTION, CONT_NEXT, CONT_FLAG, CONT_STOP, CONT_MINUS };
struct cont {
	enum cont_kind kind;
	const struct pattern *next;
	const struct cont *up;
	bool *flag;
	const uint32_t *outer;        /* of MINUS: the solution that may be taken away */
};

static void solve(struct run *r, const struct pattern *n, const struct cont *k);

static bool ended(const struct run *r)
{
	return r->halt || r->error != OK;
}

/* Whether what was found inside of MINUS shares a variable with the outer solution and contradicts it nowhere. */
static bool takes_away(const struct run *r, const uint32_t *outer)
{
	bool shared = false;

	for (int i = 0; i < r->q->variable_count; i++) {
		if (!outer[i] || !r->values[i])
			continue;
		if (outer[i] != r->values[i])
			return false;
		shared = true;
	}
	return shared;
}

static void go_on(struct run *r, const struct cont *k)
{
	switch (k->kind) {
	case CONT_SOLUTION:
		if (!r->solution(r, r->ctx))
			r->halt = true;
		return;
	case CONT_FLAG:
		*k->flag = true;
		solve(r, k->next, k->up);
		return;
	case CONT_NEXT:
		solve(r, k->next, k->up);
		return;
	case CONT_MINUS:
		if (!takes_away(r, k->outer))
			return;
		*k->flag = true;
		r->halt = true;
		return;
	case CONT_STOP:
		*k->flag = true;
		r->halt = true;
		return;
	}
}

/* Binds a slot to a term; *bound says whether that is to be undone. */
static bool bind(struct run *r, const struct slot *s, uint32_t id, bool *bound)
{
	*bound = false;
	if (s->var < 0)
		return true;
	if (r->values[s->var])
		return r->values[s->var] == id;
	r->values[s->var] = id;
	*bound = true;
	return true;
}

static void unbind(struct run *r, const struct slot *s, bool bound)
{
	if (bound)
		r->values[s->var] = 0;
}

/* ---- triples: of those that follow each other the most bound first ---- */

struct basic {
	const struct pattern *first, *behind;
	const struct cont *k;
};

static unsigned known(const struct run *r, const struct slot *s)
{
	return s->var < 0 || r->values[s->var] ? 1 : 0;
}

static const struct pattern *choose(const struct run *r, const struct basic *b, uint64_t done, unsigned *index)
{
	const struct pattern *best = NULL;
	unsigned most = 0, i = 0;

	for (const struct pattern *n = b->first; n != b->behind; n = n->next, i++) {
		unsigned score = 1 + 4 * known(r, &n->s) + 3 * known(r, &n->o) + known(r, &n->p);

		if (i < 64 && !(done >> i & 1) && score > most) {
			most = score;
			best = n;
			*index = i;
		}
	}
	return best;
}

static void basic(struct run *r, const struct basic *b, uint64_t done);

static void with_triple(struct run *r, const struct basic *b, uint64_t done, const struct pattern *n, const struct triple *t)
{
	bool s = false, p = false, o = false;

	if (bind(r, &n->s, t->s, &s) && bind(r, &n->p, t->p, &p) && bind(r, &n->o, t->o, &o))
		basic(r, b, done);
	unbind(r, &n->s, s);
	unbind(r, &n->p, p);
	unbind(r, &n->o, o);
}

static void basic(struct run *r, const struct basic *b, uint64_t done)
{
	unsigned index = 0;
	const struct pattern *n = choose(r, b, done, &index);
	uint32_t s, p, o;

	if (!n) {
		solve(r, b->behind, b->k);
		return;
	}
	s = run_slot(r, &n->s);
	p = run_slot(r, &n->p);
	o = run_slot(r, &n->o);
	for (uint32_t at = graph_next(r->g, 0, s, p, o, &r->steps); at && !ended(r); at = graph_next(r->g, at, s, p, o, &r->steps)) {
		if (!run_step(r, 1))
			return;
		with_triple(r, b, done | UINT64_C(1) << index, n, &r->g->triples[at - 1]);
	}
}

static void solve_basic(struct run *r, const struct pattern *n, const struct cont *k)
{
	struct basic b = {n, n, k};

	for (unsigned i = 0; i < 64 && b.behind && b.behind->kind == PATTERN_TRIPLE; i++)
		b.behind = b.behind->next;
	basic(r, &b, 0);
}

/* ---- paths ---- */

struct following {
	struct run *r;
	const struct pattern *n;
	const struct cont *k;
};

static bool on_pair(void *ctx, uint32_t s, uint32_t o)
{
	struct following *f = ctx;
	bool bs = false, bo = false;

	if (bind(f->r, &f->n->s, s, &bs) && bind(f->r, &f->n->o, o, &bo))
		solve(f->r, f->n->next, f->k);
	unbind(f->r, &f->n->s, bs);
	unbind(f->r, &f->n->o, bo);
	return !ended(f->r);
}

/* ---- the others ---- */

static void solve_optional(struct run *r, const struct pattern *n, const struct cont *k)
{
	bool found = false;
	struct cont then = {.kind = CONT_FLAG, .next = n->next, .up = k, .flag = &found};

	solve(r, n->first->first, &then);
	if (!found && !ended(r))
		solve(r, n->next, k);
}

static void solve_minus(struct run *r, const struct pattern *n, const struct cont *k)
{
	uint32_t outer[SEMANTICS_VARIABLES_MAX];
	bool found = false;
	struct cont then = {.kind = CONT_MINUS, .flag = &found, .outer = outer};

	memcpy(outer, r->values, sizeof outer);
	memset(r->values, 0, sizeof r->values);
	solve(r, n->first->first, &then);
	if (found)
		r->halt = false;
	memcpy(r->values, outer, sizeof outer);
	if (!found)
		solve(r, n->next, k);
}

bool run_exists(struct run *r, const struct pattern *group)
{
	bool found = false;
	struct cont then = {.kind = CONT_STOP, .flag = &found};

	solve(r, group->first, &then);
	if (found)
		r->halt = false;
	return found;
}

static void solve_bind(struct run *r, const struct pattern *n, const struct cont *k)
{
	struct term t = expr_value(r, n->expr);
	const struct slot slot = {.var = n->var};
	uint32_t id = t.kind == TERM_NONE ? 0 : run_intern(r, &t);
	bool bound = false;

	if (ended(r))
		return;
	if (id == 0 || bind(r, &slot, id, &bound))
		solve(r, n->next, k);
	unbind(r, &slot, bound);
}

static void solve_values(struct run *r, const struct pattern *n, const struct cont *k)
{
	const struct values *v = n->values;

	for (size_t row = 0; row < v->count && !ended(r) && run_step(r, v->width + 1); row++) {
		bool bound[SEMANTICS_VARIABLES_MAX] = {false}, fits = true;

		for (size_t i = 0; i < v->width && fits; i++) {
			const struct term *t = &v->cells[row * v->width + i];

			fits = t->kind == TERM_NONE || bind(r, &(const struct slot){.var = v->vars[i]}, run_intern(r, t), &bound[i]);
		}
		if (fits && !ended(r))
			solve(r, n->next, k);
		for (size_t i = 0; i < v->width; i++)
			unbind(r, &(const struct slot){.var = v->vars[i]}, bound[i]);
	}
}

/* A subquery knows nothing of what is around it: it is solved once, and its rows are joined. */
static const struct rows *subquery(struct run *r, const struct pattern *n)
{
	struct rows *rows = &r->subs[n->number];
	uint32_t outer[SEMANTICS_VARIABLES_MAX];

	if (r->sub_done[n->number])
		return rows;
	memcpy(outer, r->values, sizeof outer);
	memset(r->values, 0, sizeof r->values);
	r->sub_done[n->number] = select_rows(r, n->select, rows);
	memcpy(r->values, outer, sizeof outer);
	return rows;
}

static void solve_select(struct run *r, const struct pattern *n, const struct cont *k)
{
	const struct rows *rows = subquery(r, n);

	for (size_t row = 0; row < rows->count && !ended(r) && run_step(r, rows->width + 1); row++) {
		bool bound[SEMANTICS_VARIABLES_MAX] = {false}, fits = true;
		size_t i = 0;

		for (const struct select_item *item = n->select->items; item && fits; item = item->next, i++) {
			uint32_t id = rows->cells[row * rows->width + i];

			fits = id == 0 || bind(r, &(const struct slot){.var = item->var}, id, &bound[item->var]);
		}
		if (fits)
			solve(r, n->next, k);
		for (int v = 0; v < r->q->variable_count; v++)
			unbind(r, &(const struct slot){.var = v}, bound[v]);
	}
}

static void solve(struct run *r, const struct pattern *n, const struct cont *k)
{
	struct cont then = {.kind = CONT_NEXT, .up = k};
	struct following f = {r, n, k};

	if (ended(r) || !run_step(r, 1))
		return;
	if (!n) {
		go_on(r, k);
		return;
	}
	then.next = n->next;
	switch (n->kind) {
	case PATTERN_TRIPLE:
		solve_basic(r, n, k);
		return;
	case PATTERN_PATH:
		path_pairs(r, n->path, run_slot(r, &n->s), run_slot(r, &n->o), on_pair, &f);
		return;
	case PATTERN_GROUP:
		solve(r, n->first, &then);
		return;
	case PATTERN_UNION:
		for (const struct pattern *c = n->first; c && !ended(r); c = c->next)
			solve(r, c->first, &then);
		return;
	case PATTERN_OPTIONAL:
		solve_optional(r, n, k);
		return;
	case PATTERN_MINUS:
		solve_minus(r, n, k);
		return;
	case PATTERN_FILTER:
		if (expr_holds(r, n->expr))
			solve(r, n->next, k);
		return;
	case PATTERN_BIND:
		solve_bind(r, n, k);
		return;
	case PATTERN_VALUES:
		solve_values(r, n, k);
		return;
	case PATTERN_SELECT:
		solve_select(r, n, k);
		return;
	case PATTERN_NOTHING:
		return;
	}
}

void run_solve(struct run *r, const struct pattern *where, bool (*solution)(struct run *r, void *ctx), void *ctx)
{
	bool (*outer_solution)(struct run *r, void *ctx) = r->solution;
	void *outer_ctx = r->ctx;
	bool outer_halt = r->halt;
	struct cont then = {.kind = CONT_SOLUTION};

	r->solution = solution;
	r->ctx = ctx;
	r->halt = false;
	solve(r, where->first, &then);
	r->solution = outer_solution;
	r->ctx = outer_ctx;
	r->halt = outer_halt;
}
