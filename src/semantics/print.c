/* Graphs as text: Turtle in its plainest form, which is N-Triples; RDF/XML with one property a description. */
#include <stdio.h>
#include <string.h>

#include "semantics/graph.h"

/* ---- Turtle ---- */

static void put_escaped(struct wr *w, struct rd text, bool iri)
{
	uint8_t c;

	while (rd_u8(&text, &c)) {
		if (iri ? c <= 0x20 || strchr("<>\"{}|^`\\", c) != NULL : c < 0x20 && c != '\t' && c != '\n' && c != '\r')
			wr_fmt(w, "\\u%04X", c);
		else if (c == '\n' || c == '\r' || c == '\t')
			wr_str(w, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
		else if (c == '"' || c == '\\')
			wr_fmt(w, "\\%c", c);
		else
			wr_u8(w, c);
	}
}

static void put_turtle_term(struct wr *w, const struct graph *g, uint32_t id)
{
	const struct term *t = graph_term(g, id);

	if (t->kind == TERM_BLANK) {
		wr_fmt(w, "_:b%u", id); /* a label that does not grow with each reading and writing */
		return;
	}
	wr_u8(w, t->kind == TERM_IRI ? '<' : '"');
	put_escaped(w, t->value, t->kind == TERM_IRI);
	wr_u8(w, t->kind == TERM_IRI ? '>' : '"');
	if (t->language.left) {
		wr_u8(w, '@');
		wr_rd(w, t->language);
	} else if (t->type.left) {
		wr_str(w, "^^<");
		put_escaped(w, t->type, true);
		wr_u8(w, '>');
	}
}

static enum err print_turtle(const struct graph *g, struct wr *w)
{
	for (uint32_t i = 0; i < g->triple_count; i++) {
		const struct triple *t = &g->triples[i];

		put_turtle_term(w, g, t->s);
		wr_u8(w, ' ');
		put_turtle_term(w, g, t->p);
		wr_u8(w, ' ');
		put_turtle_term(w, g, t->o);
		wr_str(w, " .\n");
	}
	return OK;
}

/* ---- RDF/XML ---- */

/* False for what XML has no place for. */
static bool put_xml(struct wr *w, struct rd text)
{
	uint8_t c;

	while (rd_u8(&text, &c)) {
		if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
			return false;
		if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\r' || c == '\n' || c == '\t')
			wr_fmt(w, "&#%u;", c);
		else
			wr_u8(w, c);
	}
	return true;
}

static bool is_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/* A predicate becomes an element: its last part must be a name. */
static bool split(struct rd iri, struct rd *space, struct rd *local)
{
	size_t n = iri.left;

	while (n > 0 && is_name(iri.at[n - 1]))
		n--;
	while (n < iri.left && (iri.at[n] == '-' || iri.at[n] == '.' || (iri.at[n] >= '0' && iri.at[n] <= '9')))
		n++;
	*space = rd_of(iri.at, n);
	*local = rd_of(iri.at + n, iri.left - n);
	return n > 0 && local->left > 0;
}

static bool put_node(struct wr *w, const struct graph *g, uint32_t id, const char *attribute)
{
	const struct term *t = graph_term(g, id);
	bool ok = true;

	if (t->kind == TERM_BLANK) {
		wr_fmt(w, " rdf:nodeID=\"b%u\"", id);
	} else {
		wr_fmt(w, " rdf:%s=\"", attribute);
		ok = put_xml(w, t->value);
		wr_u8(w, '"');
	}
	return ok;
}

static bool put_value(struct wr *w, const struct graph *g, uint32_t id)
{
	const struct term *t = graph_term(g, id);
	bool ok = true;

	if (t->kind != TERM_LITERAL) {
		ok = put_node(w, g, id, "resource");
		wr_u8(w, '>');
		return ok;
	}
	if (t->language.left || t->type.left) {
		wr_str(w, t->language.left ? " xml:lang=\"" : " rdf:datatype=\"");
		ok = put_xml(w, t->language.left ? t->language : t->type);
		wr_u8(w, '"');
	}
	wr_u8(w, '>');
	return put_xml(w, t->value) && ok;
}

static enum err print_xml(const struct graph *g, struct wr *w)
{
	wr_str(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rdf:RDF xmlns:rdf=\"" RDF_NS "\">\n");
	for (uint32_t i = 0; i < g->triple_count; i++) {
		const struct triple *t = &g->triples[i];
		struct rd space, local;
		bool ok = split(graph_term(g, t->p)->value, &space, &local);

		if (!ok)
			return ERR_UNSUPPORTED;
		wr_str(w, "<rdf:Description");
		ok = put_node(w, g, t->s, "about");
		wr_str(w, "><p:");
		wr_rd(w, local);
		wr_str(w, " xmlns:p=\"");
		ok = put_xml(w, space) && ok;
		wr_u8(w, '"');
		ok = put_value(w, g, t->o) && ok;
		wr_str(w, "</p:");
		wr_rd(w, local);
		wr_str(w, "></rdf:Description>\n");
		if (!ok)
			return ERR_UNSUPPORTED;
	}
	wr_str(w, "</rdf:RDF>\n");
	return OK;
}

enum err graph_print(const struct graph *g, int format, struct wr *w)
{
	enum err e = format == SEMANTICS_TURTLE ? print_turtle(g, w) : format == SEMANTICS_RDF_XML ? print_xml(g, w) : format == SEMANTICS_JSON_LD ? jsonld_print(g, w) : ERR_UNSUPPORTED;

	return e == OK && w->spoilt ? ERR_TOO_LONG : e;
}
