/* Graph patterns: groups and what stands in them beside triples. */
#include <string.h>

#include "semantics/sparql.h"

/* ---- VALUES ---- */

static bool values_row(struct parser *p, struct values *v, size_t room)
{
	bool many = v->width != 1 || parser_is_sign(p, "(");

	if (v->count == room)
		return parser_fail(p, ERR_TOO_LONG, "VALUES has too many rows");
	if (many && !parser_expect(p, "("))
		return false;
	for (size_t i = 0; i < v->width; i++) {
		struct slot slot;

		if (parser_word(p, "UNDEF"))
			continue;
		if (p->token.kind == TOKEN_VARIABLE || p->token.kind == TOKEN_BLANK || !parser_term(p, &slot))
			return parser_unexpected(p, "a constant");
		v->cells[v->count * v->width + i] = slot.term;
	}
	v->count++;
	return !many || parser_expect(p, ")");
}

bool parse_values(struct parser *p, struct values **out)
{
	struct values *v = parser_alloc(p, sizeof *v);
	int vars[SEMANTICS_VARIABLES_MAX];
	bool many = parser_sign(p, "(");
	size_t room;

	while (p->token.kind == TOKEN_VARIABLE && v->width < SEMANTICS_VARIABLES_MAX && (many || v->width == 0)) {
		vars[v->width++] = parser_variable(p, p->token.text);
		parser_next(p);
	}
	if ((many && !parser_expect(p, ")")) || (!many && v->width == 0) || !parser_expect(p, "{"))
		return parser_unexpected(p, "a variable");
	v->vars = parser_alloc(p, v->width * sizeof vars[0] + 1);
	memcpy(v->vars, vars, v->width * sizeof vars[0]);
	room = p->text.left / 2 + 1; /* of rows that can still come */
	if (room > 2048)
		room = 2048;
	v->cells = parser_alloc(p, (room * v->width + 1) * sizeof *v->cells);
	while (!parser_is_sign(p, "}") && p->error == OK)
		if (!values_row(p, v, room))
			return false;
	*out = v;
	return parser_expect(p, "}");
}

/* ---- graph patterns ---- */

static bool union_or_group(struct parser *p, struct pattern **out)
{
	struct pattern *group, *u, **end;

	if (!parse_group(p, &group))
		return false;
	*out = group;
	if (!parser_is_word(p, "UNION"))
		return true;
	u = *out = parser_pattern(p, PATTERN_UNION);
	u->first = group;
	end = &group->next;
	while (parser_word(p, "UNION")) {
		if (!parse_group(p, end))
			return false;
		end = &(*end)->next;
	}
	return p->error == OK;
}

static bool bind(struct parser *p, struct pattern **out)
{
	struct pattern *n = *out = parser_pattern(p, PATTERN_BIND);

	if (!parser_expect(p, "(") || !parse_expression(p, &n->expr))
		return false;
	if (!parser_word(p, "AS") || p->token.kind != TOKEN_VARIABLE)
		return parser_unexpected(p, "AS and a variable");
	n->var = parser_variable(p, p->token.text);
	parser_next(p);
	return parser_expect(p, ")");
}

/* GRAPH: there are no named graphs, so nothing is in them. */
static bool named_graph(struct parser *p, struct pattern **out)
{
	struct pattern *group;
	struct slot name;

	*out = parser_pattern(p, PATTERN_NOTHING);
	return parser_term(p, &name) && parse_group(p, &group);
}

static bool not_triples(struct parser *p, struct pattern **out, bool *is_filter)
{
	struct pattern *n;

	*is_filter = false;
	if (parser_is_sign(p, "{"))
		return union_or_group(p, out);
	if (parser_is_word(p, "OPTIONAL") || parser_is_word(p, "MINUS")) {
		n = *out = parser_pattern(p, parser_is_word(p, "MINUS") ? PATTERN_MINUS : PATTERN_OPTIONAL);
		parser_next(p);
		return parse_group(p, &n->first);
	}
	if (parser_word(p, "FILTER")) {
		n = *out = parser_pattern(p, PATTERN_FILTER);
		*is_filter = true;
		return parse_constraint(p, &n->expr);
	}
	if (parser_word(p, "BIND"))
		return bind(p, out);
	if (parser_word(p, "VALUES")) {
		n = *out = parser_pattern(p, PATTERN_VALUES);
		return parse_values(p, &n->values);
	}
	if (parser_word(p, "GRAPH"))
		return named_graph(p, out);
	if (parser_is_word(p, "SERVICE"))
		return parser_fail(p, ERR_UNSUPPORTED, "SERVICE would ask somebody else, which this CSE does not do");
	return parser_unexpected(p, "a graph pattern");
}

static bool subquery(struct parser *p, struct pattern **out)
{
	struct pattern *n = *out = parser_pattern(p, PATTERN_SELECT);
	bool aggregated = p->aggregated;
	bool ok = parse_select(p, &n->select);

	p->aggregated = aggregated;
	n->number = p->q->select_count++;
	return ok;
}

bool parse_group(struct parser *p, struct pattern **group)
{
	struct pattern *filters = NULL, **filters_end = &filters, **end, *n = NULL;
	bool is_filter, ok = true;

	*group = parser_pattern(p, PATTERN_GROUP);
	end = &(*group)->first;
	if (!parser_expect(p, "{") || !parser_deeper(p))
		return false;
	if (parser_is_word(p, "SELECT"))
		ok = subquery(p, end);
	while (ok && p->error == OK && !parser_is_sign(p, "}")) {
		if (parser_is_term(p) || parser_is_sign(p, "[") || parser_is_sign(p, "(")) {
			ok = parse_triples(p, &end);
			if (ok && !parser_is_sign(p, "}") && !parser_sign(p, ".") && parser_is_term(p))
				ok = parser_unexpected(p, "`.`");
			continue;
		}
		ok = not_triples(p, &n, &is_filter);
		if (ok && is_filter) {
			*filters_end = n;
			filters_end = &n->next;
		} else if (ok) {
			*end = n;
			end = &n->next;
		}
		if (ok)
			parser_sign(p, ".");
	}
	while (*end)
		end = &(*end)->next;
	*end = filters; /* a filter is about the whole group, wherever it stands */
	p->depth--;
	return ok && parser_expect(p, "}");
}

bool parse_where(struct parser *p, const struct pattern **where)
{
	struct pattern *group = NULL;
	bool ok;

	parser_word(p, "WHERE");
	ok = parse_group(p, &group);
	*where = group;
	return ok;
}
