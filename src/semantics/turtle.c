/* Turtle, and N-Triples as a part of it, with the tokens and terms of SPARQL, whose syntax is made of it. */
#include <stdio.h>
#include <string.h>

#include "semantics/sparql.h"

struct reading {
	struct parser p;
	struct graph *g;
	unsigned blanks;
};

static bool properties(struct reading *r, uint32_t s);
static bool node(struct reading *r, uint32_t *id);

static bool intern(struct reading *r, const struct term *t, uint32_t *id)
{
	*id = graph_intern(r->g, t);
	return *id || parser_fail(&r->p, ERR_TOO_LONG, "it has more terms, or longer ones, than a description may have");
}

static bool add(struct reading *r, uint32_t s, uint32_t p, uint32_t o)
{
	return graph_add(r->g, s, p, o) || parser_fail(&r->p, ERR_TOO_LONG, "it has more triples than a description may have");
}

/* An empty label: a new one, which none in the text is like. */
static bool blank(struct reading *r, struct rd label, uint32_t *id)
{
	char name[240];
	struct term t = {.kind = TERM_BLANK, .type = rd_of("", 0), .language = rd_of("", 0)};

	if (label.left > 200)
		return parser_fail(&r->p, ERR_TOO_LONG, "a blank node's label has more than 200 octets");
	if (label.left)
		snprintf(name, sizeof name, "g%u_%.*s", r->g->sources, (int)label.left, (const char *)label.at);
	else
		snprintf(name, sizeof name, "g%u_.%u", r->g->sources, ++r->blanks);
	t.value = rd_str(name);
	return intern(r, &t, id);
}

static bool constant(struct reading *r, const char *iri, uint32_t *id)
{
	struct term t = term_iri(rd_str(iri));

	return intern(r, &t, id);
}

/* ( a b ) behind its parenthesis */
static bool collection(struct reading *r, uint32_t *head)
{
	uint32_t first, rest, nil, cell = 0, next, item;

	if (!constant(r, RDF_NS "first", &first) || !constant(r, RDF_NS "rest", &rest) || !constant(r, RDF_NS "nil", &nil))
		return false;
	*head = nil;
	while (!parser_sign(&r->p, ")")) {
		if (!node(r, &item) || !blank(r, rd_of("", 0), &next))
			return false;
		if (cell == 0)
			*head = next;
		else if (!add(r, cell, rest, next))
			return false;
		cell = next;
		if (!add(r, cell, first, item))
			return false;
	}
	return cell == 0 || add(r, cell, rest, nil);
}

static bool inner(struct reading *r, uint32_t *id)
{
	struct parser *p = &r->p;
	struct slot slot;

	if (parser_sign(p, "["))
		return blank(r, rd_of("", 0), id) && (parser_sign(p, "]") || (properties(r, *id) && parser_expect(p, "]")));
	if (parser_sign(p, "("))
		return collection(r, id);
	if (p->token.kind == TOKEN_BLANK) {
		struct rd label = p->token.text;

		parser_next(p);
		return blank(r, label, id);
	}
	if (!parser_is_term(p) || p->token.kind == TOKEN_VARIABLE)
		return parser_unexpected(p, "a term");
	return parser_term(p, &slot) && intern(r, &slot.term, id);
}

static bool node(struct reading *r, uint32_t *id)
{
	bool ok = parser_deeper(&r->p) && inner(r, id);

	r->p.depth--;
	return ok && r->p.error == OK;
}

static bool verb(struct reading *r, uint32_t *id)
{
	struct rd iri;
	struct term t;

	if (r->p.token.kind == TOKEN_WORD && rd_is(r->p.token.text, "a")) {
		parser_next(&r->p);
		return constant(r, RDF_NS "type", id);
	}
	if (!parser_iri(&r->p, &iri))
		return false;
	t = term_iri(iri);
	return intern(r, &t, id);
}

static bool properties(struct reading *r, uint32_t s)
{
	struct parser *p = &r->p;
	uint32_t v, o;

	do {
		if (parser_is_sign(p, ";") || parser_is_sign(p, ".") || parser_is_sign(p, "]"))
			continue;
		if (!verb(r, &v))
			return false;
		do {
			if (!node(r, &o) || !add(r, s, v, o))
				return false;
		} while (parser_sign(p, ","));
	} while (parser_sign(p, ";"));
	return p->error == OK;
}

static bool triples(struct reading *r)
{
	bool bracket = parser_is_sign(&r->p, "[");
	enum token_kind k = r->p.token.kind;
	uint32_t s;

	if (!bracket && !parser_is_sign(&r->p, "(") && k != TOKEN_IRI && k != TOKEN_NAME && k != TOKEN_BLANK)
		return parser_unexpected(&r->p, "a subject");
	if (!node(r, &s))
		return false;
	if (bracket && parser_sign(&r->p, "."))
		return true; /* [ ... ] alone says it all */
	if (parser_is_sign(&r->p, "."))
		return parser_unexpected(&r->p, "a property");
	return properties(r, s) && parser_expect(&r->p, ".");
}

/* "@prefix e: <...> ." and "PREFIX e: <...>" */
static bool directive(struct reading *r, bool *was)
{
	struct parser *p = &r->p;
	bool at = p->token.kind == TOKEN_LANGUAGE;

	*was = true;
	if (at ? rd_is(p->token.text, "prefix") : parser_is_word(p, "PREFIX"))
		return parser_prefix(p) && (!at || parser_expect(p, "."));
	if (at ? rd_is(p->token.text, "base") : parser_is_word(p, "BASE"))
		return parser_base(p) && (!at || parser_expect(p, "."));
	*was = false;
	return true;
}

enum err turtle_parse(struct rd text, struct graph *g, char *why, size_t size)
{
	char fault[160] = "";
	struct reading r = {.p = {.text = text, .base = rd_str("urn:keyway:"), .why = fault, .size = sizeof fault}, .g = g};
	bool was;

	r.p.arena = json_arena_new();
	if (!r.p.arena)
		return ERR_NO_MEMORY;
	parser_next(&r.p);
	while (r.p.error == OK && r.p.token.kind != TOKEN_END)
		if (directive(&r, &was) && !was && !triples(&r))
			break;
	json_arena_free(r.p.arena);
	if (r.p.error != OK)
		snprintf(why, size, "the description is no Turtle: %s", fault);
	return r.p.error;
}
