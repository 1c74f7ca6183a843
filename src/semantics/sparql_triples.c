/* Triples as patterns: property lists, nodes in brackets, collections. */
#include "semantics/sparql.h"

static bool properties(struct parser *p, const struct slot *s, struct pattern ***end);

static struct slot constant(const char *iri)
{
	return (struct slot){.var = -1, .term = term_iri(rd_str(iri))};
}

static void put_triple(struct parser *p, const struct slot *s, const struct slot *v, const struct slot *o, struct pattern ***end)
{
	struct pattern *n = parser_pattern(p, PATTERN_TRIPLE);

	n->s = *s;
	n->p = *v;
	n->o = *o;
	**end = n;
	*end = &n->next;
}

static struct slot fresh(struct parser *p)
{
	return (struct slot){.var = parser_variable(p, rd_of("", 0))};
}

static bool node(struct parser *p, struct slot *slot, struct pattern ***end);

/* ( a b c ) */
static bool collection(struct parser *p, struct slot *slot, struct pattern ***end)
{
	const struct slot first = constant(RDF_NS "first"), rest = constant(RDF_NS "rest"), nil = constant(RDF_NS "nil");
	struct slot cell, next, item;

	*slot = nil;
	if (parser_sign(p, ")"))
		return true;
	*slot = cell = fresh(p);
	for (;;) {
		if (!node(p, &item, end))
			return false;
		put_triple(p, &cell, &first, &item, end);
		if (parser_sign(p, ")"))
			break;
		next = fresh(p);
		put_triple(p, &cell, &rest, &next, end);
		cell = next;
	}
	put_triple(p, &cell, &rest, &nil, end);
	return p->error == OK;
}

static bool node(struct parser *p, struct slot *slot, struct pattern ***end)
{
	bool ok;

	if (!parser_deeper(p))
		return false;
	if (parser_sign(p, "[")) {
		*slot = fresh(p);
		ok = parser_sign(p, "]") || (properties(p, slot, end) && parser_expect(p, "]"));
	} else if (parser_sign(p, "(")) {
		ok = collection(p, slot, end);
	} else {
		ok = parser_is_term(p) ? parser_term(p, slot) : parser_unexpected(p, "a term");
	}
	p->depth--;
	return ok;
}

static bool objects(struct parser *p, const struct slot *s, const struct slot *verb, const struct path *path, struct pattern ***end)
{
	struct slot o;

	do {
		if (!node(p, &o, end))
			return false;
		if (path && !path_to_patterns(p, s, path, &o, end))
			return false;
		if (!path)
			put_triple(p, s, verb, &o, end);
	} while (parser_sign(p, ","));
	return p->error == OK;
}

static bool properties(struct parser *p, const struct slot *s, struct pattern ***end)
{
	do {
		struct slot verb = {.var = -1};
		struct path *path = NULL;

		if (parser_is_sign(p, ";"))
			continue;
		if (parser_is_sign(p, ".") || parser_is_sign(p, "]") || parser_is_sign(p, "}"))
			break; /* behind a last semicolon */
		if (p->token.kind == TOKEN_VARIABLE) {
			if (!parser_term(p, &verb))
				return false;
		} else if (!parse_path(p, &path)) {
			return false;
		}
		if (!objects(p, s, &verb, path, end))
			return false;
	} while (parser_sign(p, ";"));
	return p->error == OK;
}

bool parse_triples(struct parser *p, struct pattern ***end)
{
	bool bracket = parser_is_sign(p, "[") || parser_is_sign(p, "(");
	struct pattern **before = *end;
	struct slot s;

	if (!node(p, &s, end))
		return false;
	/* [ :p :o ] may stand alone */
	if (bracket && *end != before && (parser_is_sign(p, ".") || parser_is_sign(p, "}")))
		return true;
	if (parser_is_sign(p, ".") || parser_is_sign(p, "}"))
		return parser_unexpected(p, "a property");
	return properties(p, &s, end);
}
