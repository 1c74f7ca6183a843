/* Expressions: clause 17 of the recommendation. */
#include <string.h>

#include "semantics/sparql.h"

static struct expr *expr_new(struct parser *p, enum expr_op op)
{
	struct expr *e = parser_alloc(p, sizeof *e);

	if (++p->patterns > SEMANTICS_PATTERNS_MAX)
		parser_fail(p, ERR_TOO_LONG, "the query has more than %d patterns", SEMANTICS_PATTERNS_MAX);
	e->op = op;
	e->slot.var = -1;
	return e;
}

static void append(struct expr *e, struct expr *argument)
{
	struct expr **end = &e->first;

	while (*end)
		end = &(*end)->next;
	*end = argument;
	e->count++;
}

static struct expr *binary(struct parser *p, enum expr_op op, struct expr *a, struct expr *b)
{
	struct expr *e = expr_new(p, op);

	append(e, a);
	append(e, b);
	return e;
}

/* ( a, b, c ) */
static bool arguments(struct parser *p, struct expr *e)
{
	struct expr *a;

	if (!parser_expect(p, "("))
		return false;
	if (parser_sign(p, ")"))
		return true;
	do {
		if (!parse_expression(p, &a))
			return false;
		append(e, a);
	} while (parser_sign(p, ","));
	return parser_expect(p, ")");
}

/* ---- calls ---- */

static bool aggregate(struct parser *p, int kind, struct expr **out)
{
	struct expr *e = *out = expr_new(p, EXPR_AGGREGATE), *a;

	if (!p->aggregates)
		return parser_fail(p, ERR_MALFORMED, "aggregates stand in SELECT, HAVING and ORDER BY alone, and not in each other");
	e->function = kind;
	e->separator = rd_str(" ");
	p->aggregated = true;
	if (!parser_expect(p, "("))
		return false;
	e->distinct = parser_word(p, "DISTINCT");
	e->star = kind == AGGREGATE_COUNT && parser_sign(p, "*");
	p->aggregates = false;
	if (!e->star) {
		if (!parse_expression(p, &a))
			return false;
		append(e, a);
	}
	p->aggregates = true;
	if (kind == AGGREGATE_GROUP_CONCAT && parser_sign(p, ";")) {
		if (!parser_word(p, "SEPARATOR") || !parser_expect(p, "=") || p->token.kind != TOKEN_STRING)
			return parser_unexpected(p, "SEPARATOR=");
		e->separator = p->token.text;
		parser_next(p);
	}
	return parser_expect(p, ")");
}

static bool exists(struct parser *p, enum expr_op op, struct expr **out)
{
	struct pattern *group;
	bool aggregates = p->aggregates;

	*out = expr_new(p, op);
	p->aggregates = false;
	if (!parse_group(p, &group))
		return false;
	p->aggregates = aggregates;
	(*out)->group = group;
	return true;
}

static bool bound(struct parser *p, struct expr **out)
{
	*out = expr_new(p, EXPR_BOUND);
	if (!parser_expect(p, "(") || p->token.kind != TOKEN_VARIABLE)
		return parser_unexpected(p, "a variable");
	(*out)->slot.var = parser_variable(p, p->token.text);
	parser_next(p);
	return parser_expect(p, ")");
}

static bool function(struct parser *p, struct rd name, struct expr **out)
{
	bool known;

	*out = expr_new(p, EXPR_CALL);
	if (!arguments(p, *out))
		return false;
	(*out)->function = function_find(name, (*out)->count, &known);
	if ((*out)->function >= 0)
		return true;
	return parser_fail(p, known ? ERR_MALFORMED : ERR_UNSUPPORTED, known ? "the function `%.*s` takes another number of arguments" : "there is no function `%.*s` here",
	    (int)(name.left < 40 ? name.left : 40), (const char *)name.at);
}

static bool call(struct parser *p, struct expr **out)
{
	static const char *const names[] = {"COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT"};
	struct rd name = p->token.text;

	for (int i = 0; i < 7; i++)
		if (parser_word(p, names[i]))
			return aggregate(p, i, out);
	if (parser_word(p, "EXISTS"))
		return exists(p, EXPR_EXISTS, out);
	if (parser_word(p, "NOT"))
		return parser_word(p, "EXISTS") ? exists(p, EXPR_NOT_EXISTS, out) : parser_unexpected(p, "EXISTS");
	if (parser_word(p, "BOUND"))
		return bound(p, out);
	if (parser_word(p, "IF")) {
		*out = expr_new(p, EXPR_IF);
		return arguments(p, *out) && ((*out)->count == 3 || parser_fail(p, ERR_MALFORMED, "IF takes three arguments"));
	}
	if (parser_word(p, "COALESCE")) {
		*out = expr_new(p, EXPR_COALESCE);
		return arguments(p, *out);
	}
	parser_next(p);
	return function(p, name, out);
}

/* An IRI; with arguments a cast. */
static bool iri(struct parser *p, struct expr **out)
{
	struct rd name;

	if (!parser_iri(p, &name))
		return false;
	*out = expr_new(p, EXPR_CONSTANT);
	(*out)->slot.term = term_iri(name);
	if (!parser_is_sign(p, "("))
		return true;
	(*out)->op = EXPR_CAST;
	if (!rd_starts(name, XSD_NS))
		return parser_fail(p, ERR_UNSUPPORTED, "there is no function <%.*s> here", (int)(name.left < 80 ? name.left : 80), (const char *)name.at);
	return arguments(p, *out) && ((*out)->count == 1 || parser_fail(p, ERR_MALFORMED, "a cast takes one argument"));
}

/* ---- operators, from the tightest to the loosest ---- */

static bool primary(struct parser *p, struct expr **out)
{
	if (parser_sign(p, "("))
		return parse_expression(p, out) && parser_expect(p, ")");
	if (p->token.kind == TOKEN_IRI || p->token.kind == TOKEN_NAME)
		return iri(p, out);
	if (p->token.kind == TOKEN_WORD && !parser_is_word(p, "TRUE") && !parser_is_word(p, "FALSE"))
		return call(p, out);
	if (!parser_is_term(p) || p->token.kind == TOKEN_BLANK)
		return parser_unexpected(p, "an expression");
	*out = expr_new(p, EXPR_CONSTANT);
	if (!parser_term(p, &(*out)->slot))
		return false;
	if ((*out)->slot.var >= 0)
		(*out)->op = EXPR_VARIABLE;
	return true;
}

static bool unary(struct parser *p, struct expr **out)
{
	struct expr *a;
	bool not, ok;

	if (!parser_is_sign(p, "!") && !parser_is_sign(p, "-") && !parser_is_sign(p, "+"))
		return primary(p, out);
	not = parser_is_sign(p, "!");
	if (parser_sign(p, "+"))
		return primary(p, out);
	parser_next(p);
	if (!parser_deeper(p))
		return false;
	ok = not ? unary(p, &a) : primary(p, &a);
	p->depth--;
	if (!ok)
		return false;
	*out = expr_new(p, not ? EXPR_NOT : EXPR_MINUS);
	append(*out, a);
	return true;
}

struct operator {
	const char *sign;
	enum expr_op op;
};

/* A chain of operators of one rank, from left to right. */
static bool chain(struct parser *p, const struct operator *ops, bool (*tighter)(struct parser *p, struct expr **out), struct expr **out)
{
	struct expr *b;

	if (!tighter(p, out))
		return false;
	for (;;) {
		const struct operator *o = ops;

		while (o->sign && !parser_is_sign(p, o->sign))
			o++;
		if (!o->sign)
			return p->error == OK;
		parser_next(p);
		if (!tighter(p, &b))
			return false;
		*out = binary(p, o->op, *out, b);
	}
}

static bool product(struct parser *p, struct expr **out)
{
	static const struct operator ops[] = {{"*", EXPR_MUL}, {"/", EXPR_DIV}, {NULL, EXPR_MUL}};

	return chain(p, ops, unary, out);
}

static bool sum(struct parser *p, struct expr **out)
{
	static const struct operator ops[] = {{"+", EXPR_ADD}, {"-", EXPR_SUB}, {NULL, EXPR_ADD}};

	return chain(p, ops, product, out);
}

static bool relation(struct parser *p, struct expr **out)
{
	static const struct operator ops[] = {{"=", EXPR_EQ}, {"!=", EXPR_NE}, {"<=", EXPR_LE}, {">=", EXPR_GE}, {"<", EXPR_LT}, {">", EXPR_GT}};
	struct expr *a, *b;
	bool not;

	if (!sum(p, out))
		return false;
	a = *out;
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		if (!parser_sign(p, ops[i].sign))
			continue;
		if (!sum(p, &b))
			return false;
		*out = binary(p, ops[i].op, a, b);
		return true;
	}
	if (!parser_is_word(p, "IN") && !parser_is_word(p, "NOT"))
		return p->error == OK;
	not = parser_word(p, "NOT");
	if (!parser_word(p, "IN"))
		return parser_unexpected(p, "IN");
	*out = expr_new(p, not ? EXPR_NOT_IN : EXPR_IN);
	append(*out, a);
	return arguments(p, *out);
}

static bool conjunction(struct parser *p, struct expr **out)
{
	static const struct operator ops[] = {{"&&", EXPR_AND}, {NULL, EXPR_AND}};

	return chain(p, ops, relation, out);
}

bool parse_expression(struct parser *p, struct expr **out)
{
	static const struct operator ops[] = {{"||", EXPR_OR}, {NULL, EXPR_OR}};
	bool ok;

	if (!parser_deeper(p))
		return false;
	ok = chain(p, ops, conjunction, out);
	p->depth--;
	return ok;
}

bool parse_constraint(struct parser *p, struct expr **out)
{
	if (parser_is_sign(p, "(") || p->token.kind == TOKEN_IRI || p->token.kind == TOKEN_NAME || p->token.kind == TOKEN_WORD || p->token.kind == TOKEN_VARIABLE)
		return primary(p, out);
	return parser_unexpected(p, "a condition");
}
