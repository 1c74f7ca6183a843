/* SPARQL 1.1 Update over one graph without a name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "semantics/sparql.h"

/* ---- reading ---- */

/* { triples } as a list of patterns */
static bool template(struct parser *p, bool data, struct pattern **out)
{
	struct pattern **end = out;
	int variables = p->q->variable_count;
	bool ok = parser_expect(p, "{");

	p->in_template = true;
	while (ok && p->error == OK && !parser_is_sign(p, "}")) {
		if (parser_is_word(p, "GRAPH"))
			return parser_fail(p, ERR_UNSUPPORTED, "there are no named graphs here");
		ok = parse_triples(p, &end);
		if (ok && !parser_sign(p, ".") && !parser_is_sign(p, "}"))
			ok = parser_unexpected(p, "`.`");
	}
	p->in_template = false;
	for (int i = variables; data && i < p->q->variable_count; i++)
		if (p->q->names[i].left && !rd_starts(p->q->names[i], "_:"))
			return parser_fail(p, ERR_MALFORMED, "data has no variables");
	return ok && parser_expect(p, "}");
}

static bool modify(struct parser *p, struct change *c)
{
	struct pattern *group;

	if (parser_word(p, "DELETE")) {
		if (parser_word(p, "DATA"))
			return template(p, true, &c->deleted);
		if (parser_word(p, "WHERE")) {
			if (!template(p, false, &c->deleted))
				return false;
			group = parser_pattern(p, PATTERN_GROUP);
			group->first = c->deleted;
			c->where = group;
			return true;
		}
		if (!template(p, false, &c->deleted))
			return false;
	}
	if (parser_word(p, "INSERT")) {
		if (!c->deleted && parser_word(p, "DATA"))
			return template(p, true, &c->inserted);
		if (!template(p, false, &c->inserted))
			return false;
	}
	if (parser_is_word(p, "USING"))
		return parser_fail(p, ERR_UNSUPPORTED, "there are no named graphs here");
	return parser_is_word(p, "WHERE") ? parse_where(p, &c->where) : parser_unexpected(p, "WHERE");
}

bool parse_update(struct parser *p)
{
	struct change *c = parser_alloc(p, sizeof *c), **end = &p->q->changes;

	while (*end)
		end = &(*end)->next;
	*end = c;
	if (parser_word(p, "CLEAR") || parser_word(p, "DROP")) {
		parser_word(p, "SILENT");
		c->clear = true;
		if (parser_word(p, "DEFAULT") || parser_word(p, "ALL"))
			return p->error == OK;
		return parser_fail(p, ERR_UNSUPPORTED, "there are no named graphs here");
	}
	if (parser_is_word(p, "LOAD") || parser_is_word(p, "CREATE") || parser_is_word(p, "ADD") || parser_is_word(p, "MOVE") || parser_is_word(p, "COPY") ||
	    parser_is_word(p, "WITH"))
		return parser_fail(p, ERR_UNSUPPORTED, "%.*s is not possible here", (int)p->token.text.left, (const char *)p->token.text.at);
	if (!parser_is_word(p, "INSERT") && !parser_is_word(p, "DELETE"))
		return parser_unexpected(p, "INSERT or DELETE");
	return modify(p, c);
}

/* ---- doing ---- */

struct updating {
	struct run *r;
	struct rows solutions;
	struct graph *deleted, *inserted;
	unsigned blanks;
};

static bool collect(struct run *r, void *ctx)
{
	struct updating *u = ctx;

	return rows_add(r, &u->solutions, r->values);
}

static bool is_blank(const struct run *r, const struct slot *s)
{
	return s->var >= 0 && (r->q->names[s->var].left == 0 || rd_starts(r->q->names[s->var], "_:"));
}

/* A slot of a template filled in; NONE: the triple is left out. Blank nodes are new with each solution. */
static struct term filled(struct updating *u, const struct slot *s, size_t solution, char *label, size_t size)
{
	const struct term *t;

	if (is_blank(u->r, s)) {
		struct term blank = term_plain(rd_str(label));

		snprintf(label, size, "n%u_%zu_%d", u->blanks, solution, s->var);
		blank.kind = TERM_BLANK;
		blank.value = rd_str(label);
		return blank;
	}
	if (s->var < 0)
		return s->term;
	t = u->r->values[s->var] ? run_term(u->r, u->r->values[s->var]) : NULL;
	return t ? *t : (struct term){.kind = TERM_NONE};
}

static void instantiate(struct updating *u, const struct pattern *template, size_t solution, struct graph *to)
{
	for (const struct pattern *n = template; n && u->r->error == OK; n = n->next) {
		char ls[64], lp[64], lo[64];
		struct term s = filled(u, &n->s, solution, ls, sizeof ls), p = filled(u, &n->p, solution, lp, sizeof lp), o = filled(u, &n->o, solution, lo, sizeof lo);

		if (!run_step(u->r, 1))
			return;
		if (s.kind == TERM_NONE || s.kind == TERM_LITERAL || p.kind != TERM_IRI || o.kind == TERM_NONE)
			continue;
		if (!graph_add_terms(to, &s, &p, &o))
			run_fail(u->r, ERR_TOO_LONG);
	}
}

static bool is_among(const struct graph *g, const struct term *s, const struct term *p, const struct term *o)
{
	uint32_t si = graph_find(g, s), pi = graph_find(g, p), oi = graph_find(g, o);

	return si && pi && oi && graph_has(g, si, pi, oi);
}

static bool copy(const struct graph *from, const struct graph *without, struct graph *to)
{
	for (uint32_t i = 0; i < from->triple_count; i++) {
		const struct triple *t = &from->triples[i];
		const struct term *s = graph_term(from, t->s), *p = graph_term(from, t->p), *o = graph_term(from, t->o);

		if (!(without && is_among(without, s, p, o)) && !graph_add_terms(to, s, p, o))
			return false;
	}
	return true;
}

static void plan(struct updating *u, const struct change *c)
{
	struct run *r = u->r;

	if (c->where)
		run_solve(r, c->where, collect, u);
	else
		rows_add(r, &u->solutions, r->values);
	for (size_t i = 0; i < u->solutions.count && r->error == OK; i++) {
		if (u->solutions.width)
			memcpy(r->values, u->solutions.cells + i * u->solutions.width, u->solutions.width * sizeof(uint32_t));
		instantiate(u, c->deleted, i, u->deleted);
		instantiate(u, c->inserted, i, u->inserted);
	}
}

/* One operation: a new graph from g. *spent: steps of those before it. */
static enum err change(const struct sparql *q, const struct change *c, const struct graph *g, unsigned number, uint64_t *spent, struct graph **out)
{
	struct updating u = {.solutions = {.width = (size_t)q->variable_count}, .deleted = graph_new(), .inserted = graph_new(), .blanks = number};
	struct graph *to = graph_new();
	struct run r;
	enum err e;

	u.r = &r;
	if (run_begin(&r, q, g) && (!u.deleted || !u.inserted || !to))
		run_fail(&r, ERR_NO_MEMORY);
	r.steps = *spent;
	if (r.error == OK && !c->clear)
		plan(&u, c);
	if (run_step(&r, g->triple_count) && !c->clear && !(copy(g, u.deleted, to) && copy(u.inserted, NULL, to)))
		run_fail(&r, ERR_TOO_LONG);
	*spent = r.steps;
	e = r.error;
	run_end(&r);
	rows_free(&u.solutions);
	graph_free(u.deleted);
	graph_free(u.inserted);
	if (e == OK)
		*out = to;
	else
		graph_free(to);
	return e;
}

enum err sparql_change(const struct sparql *q, const struct graph *g, struct graph **changed, char *why, size_t size)
{
	const struct graph *now = g;
	struct graph *next = NULL;
	unsigned number = g->sources; /* labels of new blank nodes are none of the graph: those begin with g */
	uint64_t spent = 0;
	enum err e = OK;

	for (const struct change *c = q->changes; c && e == OK; c = c->next) {
		e = change(q, c, now, number++, &spent, &next);
		if (e != OK)
			break;
		if (now != g) {
			struct graph *old = *changed;

			graph_free(old);
		}
		*changed = next;
		now = next;
	}
	if (e == OK)
		return OK;
	if (now != g)
		graph_free(*changed);
	snprintf(why, size, "%s", e == ERR_TOO_LONG ? "the update takes more steps, triples or text than is allowed" : err_text(e));
	return e;
}
