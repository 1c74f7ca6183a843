/* Values of expressions: clause 17 of the recommendation. An error is a term of kind NONE. */
#include <string.h>

#include "semantics/sparql.h"

static const struct term none = {.kind = TERM_NONE};

/* ---- logic: an error and a value that decides alone give that value ---- */

static struct term logic(struct run *r, const struct expr *e)
{
	bool decides = e->op == EXPR_OR, error = false, b;

	for (const struct expr *a = e->first; a; a = a->next) {
		struct term t = expr_value(r, a);

		if (!term_truth(&t, &b))
			error = true;
		else if (b == decides)
			return term_bool(decides);
	}
	return error ? none : term_bool(!decides);
}

static struct term relation(enum expr_op op, const struct term *a, const struct term *b)
{
	int order;
	bool comparable;

	if (a->kind == TERM_NONE || b->kind == TERM_NONE)
		return none;
	comparable = term_compare(a, b, &order);
	if (op == EXPR_EQ || op == EXPR_NE)
		return term_bool((comparable ? order == 0 : term_equal(a, b)) == (op == EXPR_EQ));
	if (!comparable)
		return none;
	return term_bool(op == EXPR_LT ? order < 0 : op == EXPR_GT ? order > 0 : op == EXPR_LE ? order <= 0 : order >= 0);
}

static struct term membership(struct run *r, const struct expr *e)
{
	struct term of = expr_value(r, e->first), t;
	bool found = false, error = false, b;

	for (const struct expr *a = e->first->next; a && !found; a = a->next) {
		struct term value = expr_value(r, a);

		t = relation(EXPR_EQ, &of, &value);
		if (!term_truth(&t, &b))
			error = true;
		else
			found = b;
	}
	return error && !found ? none : term_bool(found == (e->op == EXPR_IN));
}

/* ---- aggregates over r->group ---- */

struct gathering {
	const struct expr *e;
	uint64_t count;
	struct number sum;
	struct term best;
	struct wr text;
	bool error, any;
};

static bool is_new(struct run *r, const struct rows *seen, uint32_t id)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->cells[i] == id)
			return false;
	return run_step(r, seen->count / 8 + 1);
}

static void add_number(struct gathering *g, const struct term *t)
{
	struct number n;

	if (!term_number(t, &n)) {
		g->error = true;
		return;
	}
	g->sum.d += n.d;
	if (!n.integer || __builtin_add_overflow(g->sum.i, n.i, &g->sum.i))
		g->sum.integer = false;
	g->sum.decimal = g->sum.decimal && (n.integer || n.decimal);
}

static void gather(struct gathering *g, const struct term *t)
{
	g->count++;
	switch ((enum aggregate)g->e->function) {
	case AGGREGATE_COUNT:
		break;
	case AGGREGATE_SUM:
	case AGGREGATE_AVG:
		add_number(g, t);
		break;
	case AGGREGATE_MIN:
		if (!g->any || term_order(t, &g->best) < 0)
			g->best = *t;
		break;
	case AGGREGATE_MAX:
		if (!g->any || term_order(t, &g->best) > 0)
			g->best = *t;
		break;
	case AGGREGATE_SAMPLE:
		if (!g->any)
			g->best = *t;
		break;
	case AGGREGATE_GROUP_CONCAT:
		if (g->any)
			wr_rd(&g->text, g->e->separator);
		wr_rd(&g->text, t->value);
		g->error = g->error || t->kind != TERM_LITERAL;
		break;
	}
	g->any = true;
}

static struct term gathered(struct run *r, struct gathering *g)
{
	struct number n = {.integer = true, .i = (int64_t)g->count, .d = (double)g->count};
	struct rd text = rd_of("", 0);

	switch ((enum aggregate)g->e->function) {
	case AGGREGATE_COUNT:
		return number_term(r, &n);
	case AGGREGATE_SUM:
		return g->error ? none : number_term(r, &g->sum);
	case AGGREGATE_AVG:
		if (g->error || g->count == 0)
			return g->error ? none : number_term(r, &n);
		n = (struct number){.decimal = g->sum.decimal || g->sum.integer, .d = g->sum.d / (double)g->count};
		return number_term(r, &n);
	case AGGREGATE_MIN:
	case AGGREGATE_MAX:
	case AGGREGATE_SAMPLE:
		return g->best;
	case AGGREGATE_GROUP_CONCAT:
		if (!wr_done(&g->text, &text))
			run_fail(r, ERR_TOO_LONG);
		return g->error ? none : term_made(r, text, NULL);
	}
	return none;
}

static struct term aggregate(struct run *r, const struct expr *e)
{
	struct gathering g = {.e = e, .sum = {.integer = true, .decimal = true}, .text = wr_new(SEMANTICS_TERM_MAX)};
	struct rows seen = {.width = 1}, *group = r->group;
	uint32_t outer[SEMANTICS_VARIABLES_MAX];
	struct term result;

	if (!group)
		return none;
	memcpy(outer, r->values, sizeof outer);
	r->group = NULL;
	for (size_t row = 0; row < group->count && run_step(r, group->width / 8 + 1); row++) {
		struct term t = none;
		uint32_t id = 0;

		memcpy(r->values, group->cells + row * group->width, group->width * sizeof(uint32_t));
		if (!e->star) {
			t = expr_value(r, e->first);
			if (t.kind == TERM_NONE)
				continue; /* the value of this row is an error: left out */
			id = e->distinct ? run_intern(r, &t) : 0;
		}
		if (e->distinct && !e->star && (!is_new(r, &seen, id) || !rows_add(r, &seen, &id)))
			continue;
		gather(&g, &t);
	}
	r->group = group;
	memcpy(r->values, outer, sizeof outer);
	result = gathered(r, &g);
	wr_free(&g.text);
	rows_free(&seen);
	return result;
}

/* ---- all ---- */

#define ARGUMENTS_MAX 16

static struct term call(struct run *r, const struct expr *e)
{
	struct term values[ARGUMENTS_MAX];
	unsigned n = 0;

	for (const struct expr *a = e->first; a && n < ARGUMENTS_MAX; a = a->next)
		values[n++] = expr_value(r, a);
	return function_call(r, e->function, values, n);
}

static struct term chosen(struct run *r, const struct expr *e)
{
	struct term t;
	bool b;

	if (e->op == EXPR_IF) {
		t = expr_value(r, e->first);
		return term_truth(&t, &b) ? expr_value(r, b ? e->first->next : e->first->next->next) : none;
	}
	for (const struct expr *a = e->first; a; a = a->next) {
		t = expr_value(r, a);
		if (t.kind != TERM_NONE)
			return t;
	}
	return none;
}

static struct term calculated(struct run *r, const struct expr *e)
{
	struct term a = expr_value(r, e->first), b = none;

	if (e->op == EXPR_MINUS) {
		b = a;
		a = term_plain(rd_str("0"));
		a.type = rd_str(XSD_NS "integer");
		return number_calculate(r, EXPR_SUB, &a, &b);
	}
	b = expr_value(r, e->first->next);
	if (e->op == EXPR_ADD || e->op == EXPR_SUB || e->op == EXPR_MUL || e->op == EXPR_DIV)
		return number_calculate(r, e->op, &a, &b);
	return relation(e->op, &a, &b);
}

struct term expr_value(struct run *r, const struct expr *e)
{
	struct term t;
	bool b;

	if (!run_step(r, 1))
		return none;
	switch (e->op) {
	case EXPR_CONSTANT:
		return e->slot.term;
	case EXPR_VARIABLE:
		return r->values[e->slot.var] ? *run_term(r, r->values[e->slot.var]) : none;
	case EXPR_BOUND:
		return term_bool(r->values[e->slot.var] != 0);
	case EXPR_OR:
	case EXPR_AND:
		return logic(r, e);
	case EXPR_NOT:
		t = expr_value(r, e->first);
		return term_truth(&t, &b) ? term_bool(!b) : none;
	case EXPR_EQ:
	case EXPR_NE:
	case EXPR_LT:
	case EXPR_GT:
	case EXPR_LE:
	case EXPR_GE:
	case EXPR_ADD:
	case EXPR_SUB:
	case EXPR_MUL:
	case EXPR_DIV:
	case EXPR_MINUS:
		return calculated(r, e);
	case EXPR_IN:
	case EXPR_NOT_IN:
		return membership(r, e);
	case EXPR_EXISTS:
	case EXPR_NOT_EXISTS:
		return term_bool(run_exists(r, e->group) == (e->op == EXPR_EXISTS));
	case EXPR_IF:
	case EXPR_COALESCE:
		return chosen(r, e);
	case EXPR_CALL:
		return call(r, e);
	case EXPR_CAST:
		t = expr_value(r, e->first);
		return term_cast(r, &t, e->slot.term.value);
	case EXPR_AGGREGATE:
		return aggregate(r, e);
	}
	return none;
}

bool expr_holds(struct run *r, const struct expr *e)
{
	struct term t = expr_value(r, e);
	bool b;

	return term_truth(&t, &b) && b && r->error == OK;
}
