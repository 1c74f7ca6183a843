/* What the readers of queries share: the token that comes next, failures, variables, terms. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "semantics/sparql.h"

/* ---- the parser's tools ---- */

bool parser_fail(struct parser *p, enum err e, const char *fmt, ...)
{
	va_list args;

	if (p->error != OK)
		return false;
	p->error = e;
	va_start(args, fmt);
	vsnprintf(p->why, p->size, fmt, args);
	va_end(args);
	return false;
}

bool parser_unexpected(struct parser *p, const char *wanted)
{
	struct rd t = p->token.text;

	return parser_fail(p, ERR_MALFORMED, "%s was expected before `%.*s`", wanted, (int)(t.left < 40 ? t.left : 40), (const char *)t.at);
}

void parser_next(struct parser *p)
{
	p->token = sparql_token(&p->text, p->arena);
	if (p->token.kind == TOKEN_BAD)
		parser_unexpected(p, "something else");
}

bool parser_is_sign(const struct parser *p, const char *sign)
{
	return p->token.kind == TOKEN_SIGN && rd_is(p->token.text, sign);
}

bool parser_is_word(const struct parser *p, const char *word)
{
	if (p->token.kind != TOKEN_WORD || p->token.text.left != strlen(word))
		return false;
	for (size_t i = 0; i < p->token.text.left; i++)
		if ((p->token.text.at[i] & ~32) != word[i] && p->token.text.at[i] != word[i])
			return false;
	return true;
}

bool parser_sign(struct parser *p, const char *sign)
{
	bool is = p->error == OK && parser_is_sign(p, sign);

	if (is)
		parser_next(p);
	return is;
}

bool parser_word(struct parser *p, const char *word)
{
	bool is = p->error == OK && parser_is_word(p, word);

	if (is)
		parser_next(p);
	return is;
}

bool parser_expect(struct parser *p, const char *sign)
{
	char wanted[16];

	snprintf(wanted, sizeof wanted, "`%s`", sign);
	return parser_sign(p, sign) || parser_unexpected(p, wanted);
}

bool parser_deeper(struct parser *p)
{
	return ++p->depth <= SEMANTICS_DEPTH_MAX || parser_fail(p, ERR_TOO_LONG, "the query nests more than %d deep", SEMANTICS_DEPTH_MAX);
}

void *parser_alloc(struct parser *p, size_t size)
{
	void *room = json_arena_alloc(p->arena, size);

	if (!room)
		abort();
	return room;
}

int parser_variable(struct parser *p, struct rd name)
{
	struct sparql *q = p->q;

	if (name.left)
		for (int i = 0; i < q->variable_count; i++)
			if (rd_equal(q->names[i], name))
				return i;
	if (q->variable_count == SEMANTICS_VARIABLES_MAX) {
		parser_fail(p, ERR_TOO_LONG, "the query has more than %d variables", SEMANTICS_VARIABLES_MAX);
		return 0;
	}
	q->names[q->variable_count] = name;
	return q->variable_count++;
}

struct pattern *parser_pattern(struct parser *p, enum pattern_kind kind)
{
	struct pattern *n = parser_alloc(p, sizeof *n);

	if (++p->patterns > SEMANTICS_PATTERNS_MAX)
		parser_fail(p, ERR_TOO_LONG, "the query has more than %d patterns", SEMANTICS_PATTERNS_MAX);
	n->kind = kind;
	return n;
}

/* ---- terms ---- */

bool parser_base(struct parser *p)
{
	parser_next(p);
	if (p->token.kind != TOKEN_IRI)
		return parser_unexpected(p, "an IRI");
	p->base = iri_resolved(p->arena, p->base, p->token.text);
	parser_next(p);
	return p->error == OK;
}

bool parser_prefix(struct parser *p)
{
	struct prefix *x = parser_alloc(p, sizeof *x);
	struct rd name;

	parser_next(p);
	name = p->token.text;
	if (p->token.kind != TOKEN_NAME || !rd_until(&name, ':', &x->name) || name.left > 0)
		return parser_unexpected(p, "a prefix");
	parser_next(p);
	if (p->token.kind != TOKEN_IRI)
		return parser_unexpected(p, "an IRI");
	x->iri = iri_resolved(p->arena, p->base, p->token.text);
	x->next = p->prefixes;
	p->prefixes = x;
	parser_next(p);
	return p->error == OK;
}

struct rd parser_joined(struct parser *p, struct rd a, struct rd b)
{
	uint8_t *room = parser_alloc(p, a.left + b.left + 1);

	if (a.left)
		memcpy(room, a.at, a.left);
	if (b.left)
		memcpy(room + a.left, b.at, b.left);
	return rd_of(room, a.left + b.left);
}

bool parser_iri(struct parser *p, struct rd *iri)
{
	struct rd name = p->token.text, prefix;

	if (p->token.kind == TOKEN_IRI) {
		*iri = iri_resolved(p->arena, p->base, name);
		parser_next(p);
		return p->error == OK;
	}
	if (p->token.kind != TOKEN_NAME || !rd_until(&name, ':', &prefix))
		return parser_unexpected(p, "an IRI");
	for (const struct prefix *x = p->prefixes; x; x = x->next) {
		if (rd_equal(x->name, prefix)) {
			*iri = parser_joined(p, x->iri, name);
			parser_next(p);
			return p->error == OK;
		}
	}
	return parser_fail(p, ERR_MALFORMED, "the prefix `%.*s:` is not declared", (int)(prefix.left < 40 ? prefix.left : 40), (const char *)prefix.at);
}

static bool literal(struct parser *p, struct term *t)
{
	*t = term_plain(p->token.text);
	parser_next(p);
	if (p->token.kind == TOKEN_LANGUAGE) {
		t->language = p->token.text;
		parser_next(p);
	} else if (parser_sign(p, "^^")) {
		if (!parser_iri(p, &t->type))
			return false;
		if (rd_is(t->type, XSD_NS "string"))
			t->type = rd_of("", 0);
	}
	return p->error == OK;
}

static bool number(struct parser *p, struct term *t)
{
	bool minus = parser_sign(p, "-"), plus = !minus && parser_sign(p, "+");
	const char *type = p->token.kind == TOKEN_INTEGER ? XSD_NS "integer" : p->token.kind == TOKEN_DECIMAL ? XSD_NS "decimal" : XSD_NS "double";

	if (p->token.kind != TOKEN_INTEGER && p->token.kind != TOKEN_DECIMAL && p->token.kind != TOKEN_DOUBLE)
		return parser_unexpected(p, "a number");
	*t = term_plain(minus || plus ? parser_joined(p, rd_str(minus ? "-" : "+"), p->token.text) : p->token.text);
	t->type = rd_str(type);
	parser_next(p);
	return p->error == OK;
}

bool parser_is_term(const struct parser *p)
{
	enum token_kind k = p->token.kind;

	return k == TOKEN_VARIABLE || k == TOKEN_IRI || k == TOKEN_NAME || k == TOKEN_BLANK || k == TOKEN_STRING || k == TOKEN_INTEGER || k == TOKEN_DECIMAL ||
	    k == TOKEN_DOUBLE || parser_is_word(p, "TRUE") || parser_is_word(p, "FALSE") || parser_is_sign(p, "-") || parser_is_sign(p, "+");
}

bool parser_term(struct parser *p, struct slot *slot)
{
	struct rd iri;

	*slot = (struct slot){.var = -1};
	if (p->token.kind == TOKEN_VARIABLE || p->token.kind == TOKEN_BLANK) {
		/* labels of blank nodes are told from variables by the colon that no variable's name has */
		slot->var = parser_variable(p, p->token.kind == TOKEN_BLANK ? parser_joined(p, rd_str("_:"), p->token.text) : p->token.text);
		parser_next(p);
		return p->error == OK;
	}
	if (p->token.kind == TOKEN_IRI || p->token.kind == TOKEN_NAME) {
		if (!parser_iri(p, &iri))
			return false;
		slot->term = term_iri(iri);
		return true;
	}
	if (p->token.kind == TOKEN_STRING)
		return literal(p, &slot->term);
	if (parser_is_word(p, "TRUE") || parser_is_word(p, "FALSE")) {
		slot->term = term_bool(parser_is_word(p, "TRUE"));
		parser_next(p);
		return p->error == OK;
	}
	return number(p, &slot->term);
}
