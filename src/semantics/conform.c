/* Whether a description fits an ontology: what can be told without reasoning beyond subclasses. */
#include <stdio.h>
#include <string.h>

#include "semantics/graph.h"

struct conforming {
	const struct graph *g, *ontology;
	char *why;
	size_t size;
	uint64_t steps;
};

static bool refuse(struct conforming *c, const char *what, const struct term *t)
{
	snprintf(c->why, c->size, "%s <%.*s>", what, (int)(t->value.left < 120 ? t->value.left : 120), (const char *)t->value.at);
	return false;
}

static uint32_t in_ontology(const struct conforming *c, const struct term *t)
{
	return graph_find(c->ontology, t);
}

static uint32_t named(const struct graph *g, const char *iri)
{
	struct term t = term_iri(rd_str(iri));

	return graph_find(g, &t);
}

static bool states(struct conforming *c, uint32_t s, const char *predicate, const char *object)
{
	uint32_t p = named(c->ontology, predicate), o = named(c->ontology, object);

	return s && p && o && graph_has(c->ontology, s, p, o);
}

static bool is_of(struct conforming *c, uint32_t s, const char *const *classes)
{
	for (; *classes; classes++)
		if (states(c, s, RDF_NS "type", *classes))
			return true;
	return false;
}

static const char *const class_types[] = {OWL_NS "Class", RDFS_NS "Class", NULL};
static const char *const property_types[] = {OWL_NS "ObjectProperty", OWL_NS "DatatypeProperty", OWL_NS "AnnotationProperty", RDF_NS "Property",
	OWL_NS "FunctionalProperty", OWL_NS "SymmetricProperty", OWL_NS "TransitiveProperty", NULL};

/* Up to its last '#' or '/'. */
static struct rd namespace_of(struct rd iri)
{
	size_t n = iri.left;

	while (n > 0 && iri.at[n - 1] != '#' && iri.at[n - 1] != '/')
		n--;
	return rd_of(iri.at, n);
}

/* Whether the ontology speaks for this term's namespace: it declares another class or property in it. */
static bool is_responsible(struct conforming *c, struct rd iri, const char *const *types)
{
	struct rd space = namespace_of(iri);
	uint32_t p = named(c->ontology, RDF_NS "type");

	if (space.left == 0 || !p)
		return false;
	for (; *types; types++) {
		uint32_t o = named(c->ontology, *types);

		for (uint32_t at = o ? graph_next(c->ontology, 0, 0, p, o, &c->steps) : 0; at; at = graph_next(c->ontology, at, 0, p, o, &c->steps))
			if (rd_equal(namespace_of(graph_term(c->ontology, c->ontology->triples[at - 1].s)->value), space))
				return true;
	}
	return false;
}

static bool is_declared(struct conforming *c, const struct term *t, const char *const *types)
{
	return is_of(c, in_ontology(c, t), types) || !is_responsible(c, t->value, types);
}

/* ---- disjoint classes ---- */

/* Whether class a is b or below it. */
static bool is_below(struct conforming *c, uint32_t a, uint32_t b, unsigned depth)
{
	uint32_t p = named(c->ontology, RDFS_NS "subClassOf");

	if (a == b)
		return true;
	if (!p || depth == 0 || c->steps > SEMANTICS_STEPS_MAX)
		return false;
	for (uint32_t at = graph_next(c->ontology, 0, a, p, 0, &c->steps); at; at = graph_next(c->ontology, at, a, p, 0, &c->steps))
		if (is_below(c, c->ontology->triples[at - 1].o, b, depth - 1))
			return true;
	return false;
}

static bool are_disjoint(struct conforming *c, uint32_t a, uint32_t b)
{
	uint32_t p = named(c->ontology, OWL_NS "disjointWith");

	for (uint32_t at = p && a && b ? graph_next(c->ontology, 0, 0, p, 0, &c->steps) : 0; at; at = graph_next(c->ontology, at, 0, p, 0, &c->steps)) {
		const struct triple *t = &c->ontology->triples[at - 1];

		if ((is_below(c, a, t->s, 16) && is_below(c, b, t->o, 16)) || (is_below(c, a, t->o, 16) && is_below(c, b, t->s, 16)))
			return true;
	}
	return false;
}

static bool type_fits(struct conforming *c, const struct triple *t, uint32_t type)
{
	const struct term *class = graph_term(c->g, t->o);

	if (class->kind == TERM_LITERAL)
		return refuse(c, "a literal is the class of", graph_term(c->g, t->s));
	if (class->kind == TERM_IRI && !is_declared(c, class, class_types))
		return refuse(c, "the ontology has no class", class);
	for (uint32_t at = graph_next(c->g, 0, t->s, type, 0, &c->steps); at; at = graph_next(c->g, at, t->s, type, 0, &c->steps)) {
		const struct term *other = graph_term(c->g, c->g->triples[at - 1].o);

		if (other != class && are_disjoint(c, in_ontology(c, class), in_ontology(c, other)))
			return refuse(c, "disjoint classes are given to", graph_term(c->g, t->s));
	}
	return true;
}

static bool property_fits(struct conforming *c, const struct triple *t)
{
	const struct term *property = graph_term(c->g, t->p), *object = graph_term(c->g, t->o);
	uint32_t p = in_ontology(c, property);

	if (!is_declared(c, property, property_types))
		return refuse(c, "the ontology has no property", property);
	if (states(c, p, RDF_NS "type", OWL_NS "ObjectProperty") && object->kind == TERM_LITERAL)
		return refuse(c, "a literal is the value of the object property", property);
	if (states(c, p, RDF_NS "type", OWL_NS "DatatypeProperty") && object->kind != TERM_LITERAL)
		return refuse(c, "no literal is the value of the datatype property", property);
	return true;
}

bool graph_conforms(const struct graph *g, const struct graph *ontology, char *why, size_t size)
{
	struct conforming c = {g, ontology, why, size, 0};
	uint32_t type = named(g, RDF_NS "type");

	for (uint32_t i = 0; i < g->triple_count; i++) {
		const struct triple *t = &g->triples[i];

		if (t->p == type ? !type_fits(&c, t, type) : !property_fits(&c, t))
			return false;
		if (c.steps > SEMANTICS_STEPS_MAX) {
			snprintf(why, size, "the check against the ontology takes too long");
			return false;
		}
	}
	return true;
}
