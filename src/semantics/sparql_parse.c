/* Queries: SELECT and ASK, their solution modifiers; the beginning of everything. Clause 19.8 of the recommendation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "semantics/sparql.h"

/* ---- SELECT ---- */

static bool select_item(struct parser *p, struct select_item *item)
{
	bool made = parser_sign(p, "(");

	if (made) {
		p->aggregates = true;
		if (!parse_expression(p, &item->expr) || !parser_word(p, "AS"))
			return parser_unexpected(p, "AS");
		p->aggregates = false;
	}
	if (p->token.kind != TOKEN_VARIABLE)
		return parser_unexpected(p, "a variable");
	item->var = parser_variable(p, p->token.text);
	parser_next(p);
	return !made || parser_expect(p, ")");
}

static void all_variables(struct parser *p, struct select *s)
{
	struct select_item **end = &s->items;

	for (int i = 0; i < p->q->variable_count; i++) {
		if (p->q->names[i].left == 0 || rd_starts(p->q->names[i], "_:"))
			continue;
		*end = parser_alloc(p, sizeof **end);
		(*end)->var = i;
		end = &(*end)->next;
		s->item_count++;
	}
}

static bool group_by(struct parser *p, struct select *s)
{
	struct select_item **end = &s->groups;

	do {
		struct select_item *item = *end = parser_alloc(p, sizeof *item);

		end = &item->next;
		item->var = -1;
		if (p->token.kind != TOKEN_VARIABLE && parser_sign(p, "(")) {
			if (!parse_expression(p, &item->expr))
				return false;
			if (parser_word(p, "AS")) {
				if (p->token.kind != TOKEN_VARIABLE)
					return parser_unexpected(p, "a variable");
				item->var = parser_variable(p, p->token.text);
				parser_next(p);
			}
			if (!parser_expect(p, ")"))
				return false;
		} else if (p->token.kind == TOKEN_VARIABLE) {
			item->var = parser_variable(p, p->token.text);
			parser_next(p);
		} else if (!parse_constraint(p, &item->expr)) {
			return false;
		}
	} while (p->error == OK && (p->token.kind == TOKEN_VARIABLE || parser_is_sign(p, "(") || p->token.kind == TOKEN_NAME || p->token.kind == TOKEN_IRI));
	s->aggregated = true;
	return p->error == OK;
}

static bool order_by(struct parser *p, struct select *s)
{
	struct order **end = &s->orders;

	do {
		struct order *o = *end = parser_alloc(p, sizeof *o);

		end = &o->next;
		o->descending = parser_word(p, "DESC");
		if (!o->descending)
			parser_word(p, "ASC");
		p->aggregates = true;
		if (!parse_constraint(p, &o->expr))
			return false;
		p->aggregates = false;
	} while (p->error == OK && (p->token.kind == TOKEN_VARIABLE || parser_is_sign(p, "(") || parser_is_word(p, "ASC") || parser_is_word(p, "DESC")));
	return p->error == OK;
}

static bool count(struct parser *p, uint64_t *n)
{
	if (p->token.kind != TOKEN_INTEGER || !rd_decimal(p->token.text, n))
		return parser_unexpected(p, "a number");
	parser_next(p);
	return p->error == OK;
}

static bool modifiers(struct parser *p, struct select *s)
{
	struct expr **end = &s->having;

	if (parser_word(p, "GROUP") && (!parser_word(p, "BY") || !group_by(p, s)))
		return parser_unexpected(p, "BY");
	if (parser_word(p, "HAVING")) {
		p->aggregates = true;
		do {
			if (!parse_constraint(p, end))
				return false;
			end = &(*end)->next;
		} while (parser_is_sign(p, "("));
		p->aggregates = false;
	}
	if (parser_word(p, "ORDER") && (!parser_word(p, "BY") || !order_by(p, s)))
		return parser_unexpected(p, "BY");
	for (;;) {
		if (parser_word(p, "LIMIT")) {
			if (!count(p, &s->limit))
				return false;
		} else if (parser_word(p, "OFFSET")) {
			if (!count(p, &s->offset))
				return false;
		} else {
			return p->error == OK;
		}
	}
}

static bool items(struct parser *p, struct select *s)
{
	struct select_item **end = &s->items;

	do {
		*end = parser_alloc(p, sizeof **end);
		if (!select_item(p, *end))
			return false;
		end = &(*end)->next;
		s->item_count++;
	} while (p->error == OK && (p->token.kind == TOKEN_VARIABLE || parser_is_sign(p, "(")));
	return p->error == OK;
}

/* VALUES behind a query is joined to what its WHERE found. */
static bool values_behind(struct parser *p, struct select *s)
{
	struct pattern *group = parser_pattern(p, PATTERN_GROUP), *found = parser_pattern(p, PATTERN_GROUP), *v = parser_pattern(p, PATTERN_VALUES);

	found->first = s->where->first;
	found->next = v;
	group->first = found;
	s->where = group;
	return parse_values(p, &v->values);
}

bool parse_select(struct parser *p, struct select **out)
{
	struct select *s = *out = parser_alloc(p, sizeof *s);
	bool star;

	s->limit = UINT64_MAX;
	p->aggregated = false;
	if (!parser_word(p, "SELECT"))
		return parser_unexpected(p, "SELECT");
	s->distinct = parser_word(p, "DISTINCT");
	if (!s->distinct)
		parser_word(p, "REDUCED");
	star = parser_sign(p, "*");
	if (!star && !items(p, s))
		return false;
	if (parser_is_word(p, "FROM"))
		return parser_fail(p, ERR_UNSUPPORTED, "FROM would load something, which this CSE does not do");
	if (!parse_where(p, &s->where))
		return false;
	if (star)
		all_variables(p, s);
	if (!modifiers(p, s))
		return false;
	s->aggregated = s->aggregated || p->aggregated;
	if (s->aggregated && star)
		return parser_fail(p, ERR_MALFORMED, "SELECT * and groups do not go together");
	return !parser_word(p, "VALUES") || values_behind(p, s);
}

/* ---- the whole ---- */

static bool prologue(struct parser *p)
{
	while (p->error == OK) {
		if (parser_is_word(p, "BASE") ? !parser_base(p) : parser_is_word(p, "PREFIX") ? !parser_prefix(p) : true)
			break;
	}
	return p->error == OK;
}

static bool query(struct parser *p)
{
	struct sparql *q = p->q;

	if (parser_is_word(p, "CONSTRUCT") || parser_is_word(p, "DESCRIBE"))
		return parser_fail(p, ERR_UNSUPPORTED, "only SELECT and ASK are answered");
	if (parser_word(p, "ASK")) {
		q->ask = true;
		q->select = parser_alloc(p, sizeof *q->select);
		q->select->limit = UINT64_MAX;
		if (parser_is_word(p, "FROM"))
			return parser_fail(p, ERR_UNSUPPORTED, "FROM would load something, which this CSE does not do");
		return parse_where(p, &q->select->where) && modifiers(p, q->select);
	}
	return parse_select(p, &q->select);
}

static bool updates(struct parser *p)
{
	do {
		if (!prologue(p))
			return false;
		if (p->token.kind == TOKEN_END)
			return p->q->changes || parser_unexpected(p, "an update");
		if (!parse_update(p))
			return false;
	} while (parser_sign(p, ";"));
	return p->error == OK;
}

enum err sparql_parse(enum sparql_kind kind, struct rd text, struct sparql **out, char *why, size_t size)
{
	struct parser p = {.text = text, .base = rd_str("urn:keyway:"), .why = why, .size = size};
	uint8_t *copy;

	if (text.left > SEMANTICS_QUERY_MAX) {
		snprintf(why, size, "a query has at most %d octets", SEMANTICS_QUERY_MAX);
		return ERR_TOO_LONG;
	}
	p.arena = json_arena_new();
	p.q = p.arena ? json_arena_alloc(p.arena, sizeof *p.q) : NULL;
	copy = p.q ? json_arena_alloc(p.arena, text.left + 1) : NULL; /* names in the query borrow from its text */
	if (!copy) {
		json_arena_free(p.arena);
		return ERR_NO_MEMORY;
	}
	if (text.left)
		memcpy(copy, text.at, text.left);
	p.text = rd_of(copy, text.left);
	p.q->arena = p.arena;
	p.q->kind = kind;
	parser_next(&p);
	if (kind == SPARQL_UPDATE ? updates(&p) : prologue(&p) && query(&p))
		if (p.token.kind != TOKEN_END)
			parser_unexpected(&p, "the end");
	if (p.error != OK) {
		json_arena_free(p.arena);
		return p.error;
	}
	*out = p.q;
	return OK;
}

void sparql_free(struct sparql *q)
{
	if (q)
		json_arena_free(q->arena);
}
