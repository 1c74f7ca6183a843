/* JSON-LD 1.1 to triples and back: local contexts, node objects, values, lists, reverse properties. What would have to be loaded (a context
 * named by its IRI) and named graphs are refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "semantics/graph.h"

#define CONTEXTS_MAX 64 /* of one document's nesting */
#define TERM_DEPTH_MAX 8 /* terms that are defined by others */

struct context {
	const struct context *up;
	const struct json *terms; /* NULL: a context that forgets everything before it */
	struct rd vocab, base, language;
	unsigned depth;
};

struct reading {
	struct graph *g;
	struct json_arena *arena;
	unsigned blanks;
	enum err error;
	char *why;
	size_t size;
};

static bool fail(struct reading *r, enum err e, const char *what, struct rd which)
{
	if (r->error == OK) {
		r->error = e;
		snprintf(r->why, r->size, "the description is no JSON-LD that can be read: %s `%.*s`", what, (int)(which.left < 80 ? which.left : 80), (const char *)which.at);
	}
	return false;
}

/* ---- contexts ---- */

static const struct json *definition(const struct context *c, struct rd name)
{
	for (; c; c = c->up) {
		if (!c->terms)
			return NULL;
		for (const struct json *m = c->terms->first; m; m = m->next)
			if (rd_equal(m->key, name))
				return m;
	}
	return NULL;
}

static bool is_keyword(struct rd name)
{
	return name.left > 0 && name.at[0] == '@';
}

static struct rd joined(struct reading *r, struct rd a, struct rd b)
{
	uint8_t *room = json_arena_alloc(r->arena, a.left + b.left + 1);

	if (!room || a.left + b.left > SEMANTICS_TERM_MAX) {
		fail(r, ERR_TOO_LONG, "too long is", b);
		return rd_of("", 0);
	}
	if (a.left)
		memcpy(room, a.at, a.left);
	if (b.left)
		memcpy(room + a.left, b.at, b.left);
	return rd_of(room, a.left + b.left);
}

/* What a term's definition names: an IRI or a keyword. */
static bool named(const struct json *d, struct rd *id)
{
	return json_string(d, id) || json_string(json_get(d, "@id"), id) || json_string(json_get(d, "@reverse"), id);
}

/* A name in full: an IRI, "_:label", a keyword; empty when it stands for nothing. */
static struct rd expand(struct reading *r, const struct context *c, struct rd name, bool vocab, unsigned depth)
{
	const struct json *d = definition(c, name);
	struct rd prefix, suffix = name, id;

	if (depth == TERM_DEPTH_MAX)
		fail(r, ERR_MALFORMED, "a term is defined by itself:", name);
	if (name.left == 0 || is_keyword(name) || r->error != OK)
		return name;
	if (vocab && d && d->type == JSON_NULL)
		return rd_of("", 0);
	if (vocab && d && named(d, &id) && !rd_equal(id, name))
		return expand(r, c, id, true, depth + 1);
	if (rd_until(&suffix, ':', &prefix)) {
		if (rd_is(prefix, "_") || rd_starts(suffix, "//"))
			return name;
		d = definition(c, prefix);
		return d && named(d, &id) ? joined(r, expand(r, c, id, true, depth + 1), suffix) : name;
	}
	return vocab ? c->vocab.left ? joined(r, c->vocab, name) : rd_of("", 0) : iri_resolved(r->arena, c->base, name);
}

static bool one_context(struct reading *r, const struct context *up, const struct json *j, struct context *c)
{
	*c = *up;
	c->up = up;
	c->terms = j;
	c->depth = up->depth + 1;
	if (c->depth > CONTEXTS_MAX)
		return fail(r, ERR_TOO_LONG, "contexts nest too deeply", rd_of("", 0));
	if (j->type == JSON_NULL) {
		*c = (struct context){.base = up->base, .vocab = rd_of("", 0), .language = rd_of("", 0), .depth = c->depth};
		return true;
	}
	if (j->type != JSON_OBJECT)
		return fail(r, ERR_UNSUPPORTED, "a context that would have to be loaded:", j->type == JSON_STRING ? j->text : j->source);
	for (const struct json *m = j->first; m; m = m->next) {
		struct rd *to = rd_is(m->key, "@vocab") ? &c->vocab : rd_is(m->key, "@base") ? &c->base : rd_is(m->key, "@language") ? &c->language : NULL;

		if (rd_is(m->key, "@import") || rd_is(m->key, "@propagate"))
			return fail(r, ERR_UNSUPPORTED, "a context with", m->key);
		if (to && !json_string(m, to))
			*to = rd_of("", 0);
		if (to == &c->base && c->base.left)
			c->base = iri_resolved(r->arena, up->base, c->base);
	}
	if (c->vocab.left && !memchr(c->vocab.at, ':', c->vocab.left))
		c->vocab = joined(r, up->vocab, c->vocab);
	return r->error == OK;
}

/* The context inside of an object that may have one of its own. */
static const struct context *entered(struct reading *r, const struct context *up, const struct json *node)
{
	const struct json *j = json_get(node, "@context");

	for (const struct json *e = j && j->type == JSON_ARRAY ? j->first : j; e; e = j->type == JSON_ARRAY ? e->next : NULL) {
		struct context *c = json_arena_alloc(r->arena, sizeof *c);

		if (!c || !one_context(r, up, e, c))
			return NULL;
		up = c;
	}
	return up;
}

/* ---- triples ---- */

static struct term blank(struct reading *r, struct rd label)
{
	char name[240];
	struct term t = {.kind = TERM_BLANK, .type = rd_of("", 0), .language = rd_of("", 0)};

	if (label.left > 200)
		fail(r, ERR_TOO_LONG, "a blank node's label", label);
	if (label.left == 0)
		snprintf(name, sizeof name, "g%u_.%u", r->g->sources, ++r->blanks);
	else
		snprintf(name, sizeof name, "g%u_%.*s", r->g->sources, (int)(label.left < 200 ? label.left : 200), (const char *)label.at);
	t.value = joined(r, rd_str(name), rd_of("", 0));
	return t;
}

static struct term node_term(struct reading *r, struct rd iri)
{
	struct rd label = iri;

	if (rd_starts(iri, "_:") && rd_skip(&label, 2))
		return blank(r, label);
	return term_iri(iri);
}

static bool add(struct reading *r, const struct term *s, struct rd predicate, const struct term *o, bool reverse)
{
	struct term p = term_iri(predicate);

	if (r->error != OK || (reverse && o->kind == TERM_LITERAL))
		return r->error == OK;
	return (reverse ? graph_add_terms(r->g, o, &p, s) : graph_add_terms(r->g, s, &p, o)) || fail(r, ERR_TOO_LONG, "more triples or longer terms than it may have, at", predicate);
}

static struct rd printed(struct reading *r, const char *text)
{
	return joined(r, rd_str(text), rd_of("", 0));
}

static struct term typed(struct rd value, const char *type)
{
	struct term t = term_plain(value);

	t.type = rd_str(type);
	return t;
}

static struct term number(struct reading *r, const struct json *v)
{
	char text[64];
	int64_t n;
	double d;

	if (json_int(v, &n)) {
		snprintf(text, sizeof text, "%lld", (long long)n);
		return typed(printed(r, text), XSD_NS "integer");
	}
	if (!json_double(v, &d))
		d = NAN;
	snprintf(text, sizeof text, "%.15E", d);
	return typed(printed(r, text), XSD_NS "double");
}

static bool node(struct reading *r, const struct context *up, const struct json *j, struct term *subject);

/* {"@value": ...} */
static bool value_object(struct reading *r, const struct context *c, const struct json *j, struct term *t)
{
	const struct json *v = json_get(j, "@value");
	struct rd type, language;

	if (v->type == JSON_STRING)
		*t = term_plain(v->text);
	else if (v->type == JSON_NUMBER)
		*t = number(r, v);
	else if (v->type == JSON_TRUE || v->type == JSON_FALSE)
		*t = typed(rd_str(v->type == JSON_TRUE ? "true" : "false"), XSD_NS "boolean");
	else
		return fail(r, ERR_UNSUPPORTED, "a value that is none:", j->source);
	if (json_string(json_get(j, "@type"), &type))
		t->type = expand(r, c, type, true, 0);
	else if (json_string(json_get(j, "@language"), &language))
		t->language = language;
	if (rd_is(t->type, XSD_NS "string"))
		t->type = rd_of("", 0);
	return r->error == OK;
}

/* A value that is no object, with what the property's definition says of it. */
static bool plain(struct reading *r, const struct context *c, const struct json *d, const struct json *v, struct term *t)
{
	struct rd type = rd_of("", 0), language;

	if (!json_string(json_get(d, "@type"), &type))
		type = rd_of("", 0);
	if (v->type == JSON_STRING && (rd_is(type, "@id") || rd_is(type, "@vocab"))) {
		*t = node_term(r, expand(r, c, v->text, rd_is(type, "@vocab"), 0));
		return r->error == OK;
	}
	if (v->type == JSON_NUMBER) {
		*t = number(r, v);
	} else if (v->type == JSON_STRING) {
		*t = term_plain(v->text);
		if (type.left == 0)
			t->language = json_string(json_get(d, "@language"), &language) ? language : json_get(d, "@language") ? rd_of("", 0) : c->language;
	} else {
		*t = typed(rd_str(v->type == JSON_TRUE ? "true" : "false"), XSD_NS "boolean");
	}
	if (type.left && !is_keyword(type))
		t->type = expand(r, c, type, true, 0);
	if (rd_is(t->type, XSD_NS "string"))
		t->type = rd_of("", 0);
	return r->error == OK;
}

static bool list(struct reading *r, const struct context *c, const struct json *d, const struct json *items, struct term *head);

/* One value of a property as a term; false and no error: there is none (null). */
static bool item(struct reading *r, const struct context *c, const struct json *d, const struct json *v, struct term *t)
{
	if (v->type == JSON_NULL)
		return false;
	if (v->type == JSON_ARRAY)
		return list(r, c, d, v, t);
	if (v->type != JSON_OBJECT)
		return plain(r, c, d, v, t);
	if (json_get(v, "@value"))
		return value_object(r, c, v, t);
	if (json_get(v, "@list"))
		return list(r, c, d, json_get(v, "@list"), t);
	return node(r, c, v, t);
}

static bool list(struct reading *r, const struct context *c, const struct json *d, const struct json *items, struct term *head)
{
	struct term nil = term_iri(rd_str(RDF_NS "nil")), cell = nil, next, value;
	bool first = true;

	*head = nil;
	for (const struct json *v = items->type == JSON_ARRAY ? items->first : items; v && r->error == OK; v = items->type == JSON_ARRAY ? v->next : NULL) {
		if (!item(r, c, d, v, &value))
			continue;
		next = blank(r, rd_of("", 0));
		if (first)
			*head = next;
		else
			add(r, &cell, rd_str(RDF_NS "rest"), &next, false);
		first = false;
		cell = next;
		add(r, &cell, rd_str(RDF_NS "first"), &value, false);
	}
	if (!first)
		add(r, &cell, rd_str(RDF_NS "rest"), &nil, false);
	return r->error == OK;
}

static void property(struct reading *r, const struct context *c, const struct term *s, const struct json *m, bool reverse)
{
	const struct json *d = definition(c, m->key), *set = m->type == JSON_OBJECT ? json_get(m, "@set") : NULL, *values = set ? set : m;
	struct rd p = expand(r, c, m->key, true, 0);
	struct term o;

	if (p.left == 0 || is_keyword(p) || rd_starts(p, "_:") || !memchr(p.at, ':', p.left))
		return; /* a property that means nothing is left out: JSON-LD 1.1 clause 3.1 */
	reverse = reverse != (json_get(d, "@reverse") != NULL);
	if (values->type == JSON_ARRAY && json_is_string(json_get(d, "@container"), "@list")) {
		if (list(r, c, d, values, &o))
			add(r, s, p, &o, reverse);
		return;
	}
	for (const struct json *v = values->type == JSON_ARRAY ? values->first : values; v && r->error == OK; v = values->type == JSON_ARRAY ? v->next : NULL)
		if (item(r, c, d, v, &o))
			add(r, s, p, &o, reverse);
}

static void types(struct reading *r, const struct context *c, const struct term *s, const struct json *m)
{
	for (const struct json *v = m->type == JSON_ARRAY ? m->first : m; v && r->error == OK; v = m->type == JSON_ARRAY ? v->next : NULL) {
		struct rd iri = v->type == JSON_STRING ? expand(r, c, v->text, true, 0) : rd_of("", 0);
		struct term o = node_term(r, iri);

		if (iri.left)
			add(r, s, rd_str(RDF_NS "type"), &o, false);
	}
}

static bool node(struct reading *r, const struct context *up, const struct json *j, struct term *subject)
{
	const struct context *c = entered(r, up, j);
	struct rd id;

	if (!c)
		return false;
	*subject = blank(r, rd_of("", 0));
	for (const struct json *m = j->first; m; m = m->next)
		if (rd_is(expand(r, c, m->key, true, 0), "@id") && json_string(m, &id))
			*subject = node_term(r, expand(r, c, id, false, 0));
	for (const struct json *m = j->first; m && r->error == OK; m = m->next) {
		struct rd key = expand(r, c, m->key, true, 0);

		if (rd_is(key, "@type"))
			types(r, c, subject, m);
		else if (rd_is(key, "@reverse") && m->type == JSON_OBJECT)
			for (const struct json *p = m->first; p; p = p->next)
				property(r, c, subject, p, true);
		else if (rd_is(key, "@graph") || rd_is(key, "@included") || rd_is(key, "@nest"))
			return fail(r, ERR_UNSUPPORTED, "a node with", key);
		else if (!is_keyword(key))
			property(r, c, subject, m, false);
	}
	return r->error == OK;
}

static void document(struct reading *r, const struct context *c, const struct json *j)
{
	const struct json *graph = json_get(j, "@graph");
	struct term subject;

	if (j->type == JSON_ARRAY) {
		for (const struct json *e = j->first; e && r->error == OK; e = e->next)
			document(r, c, e);
	} else if (j->type != JSON_OBJECT) {
		fail(r, ERR_MALFORMED, "neither a node nor a list of nodes:", j->source);
	} else if (graph && !json_get(j, "@id")) {
		c = entered(r, c, j);
		if (c)
			document(r, c, graph);
	} else {
		(void)node(r, c, j, &subject);
	}
}

enum err jsonld_parse(struct rd text, struct graph *g, char *why, size_t size)
{
	struct reading r = {.g = g, .arena = json_arena_new(), .why = why, .size = size};
	const struct context outermost = {.base = rd_str("urn:keyway:"), .vocab = rd_of("", 0), .language = rd_of("", 0)};
	const struct json *doc;

	if (!r.arena)
		return ERR_NO_MEMORY;
	if (json_parse(r.arena, text, NULL, &doc) != OK)
		fail(&r, ERR_MALFORMED, "it is no JSON", rd_of("", 0));
	else
		document(&r, &outermost, doc);
	json_arena_free(r.arena);
	return r.error;
}

/* ---- writing: expanded form, one node object a run of triples of a subject ---- */

static void put_name(struct json_out *o, const struct graph *g, const char *member, uint32_t id)
{
	const struct term *t = graph_term(g, id);
	char label[24];

	if (t->kind == TERM_BLANK) {
		snprintf(label, sizeof label, "_:b%u", id);
		json_put_string(o, member, label);
	} else {
		json_put_rd(o, member, t->value);
	}
}

static void put_object(struct json_out *o, const struct graph *g, uint32_t id)
{
	const struct term *t = graph_term(g, id);

	json_object(o, NULL);
	if (t->kind == TERM_LITERAL) {
		json_put_rd(o, "@value", t->value);
		if (t->type.left)
			json_put_rd(o, "@type", t->type);
		if (t->language.left)
			json_put_rd(o, "@language", t->language);
	} else {
		put_name(o, g, "@id", id);
	}
	json_close(o);
}

enum err jsonld_print(const struct graph *g, struct wr *w)
{
	struct json_out o = json_out(w);
	uint32_t i = 0;

	json_array(&o, NULL);
	while (i < g->triple_count) {
		const struct triple *t = &g->triples[i];
		char *predicate = rd_strdup(graph_term(g, t->p)->value);

		if (!predicate)
			return ERR_NO_MEMORY;
		json_object(&o, NULL);
		put_name(&o, g, "@id", t->s);
		json_array(&o, predicate);
		for (; i < g->triple_count && g->triples[i].s == t->s && g->triples[i].p == t->p; i++)
			put_object(&o, g, g->triples[i].o);
		json_close(&o);
		json_close(&o);
		free(predicate);
	}
	json_close(&o);
	return w->spoilt ? ERR_TOO_LONG : OK;
}
