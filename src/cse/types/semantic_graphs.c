/* Descriptions as graphs: parsed once and kept while their text stays the same; put together for queries and checks. TS-0001 clause 10.2.14,
 * TS-0034 clause 6. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cse/types/semantic.h"

#define KEPT 1024                  /* graphs */
#define KEPT_OCTETS (16u << 20)
#define LINKS_MOST 64              /* descriptors that are followed from one */
#define LINK "resourceDescriptorLink"

struct kept {
	int64_t id;
	uint64_t hash;
	struct graph *g;               /* NULL: what it has is no description */
};

struct semantic_state {
	struct semantics *library;
	struct kept kept[KEPT];
	size_t octets;
};

static void forget_all(struct semantic_state *s)
{
	for (size_t i = 0; i < KEPT; i++) {
		graph_free(s->kept[i].g);
		s->kept[i] = (struct kept){0};
	}
	s->octets = 0;
}

static void state_free(struct cse *c, void *state)
{
	struct semantic_state *s = state;

	(void)c;
	forget_all(s);
	semantics_free(s->library);
	free(s);
}

static struct semantic_state *state_of(struct cse *c)
{
	struct semantic_state *s = c->services[SERVICE_SEMANTICS];

	if (s)
		return s;
	s = calloc(1, sizeof *s);
	if (!s || (s->library = semantics_new()) == NULL)
		abort();
	cse_service_set(c, SERVICE_SEMANTICS, s, state_free);
	return s;
}

struct semantics *semantic_library(struct cse *c)
{
	return state_of(c)->library;
}

bool semantic_octets(struct rd text, bool or_plain, struct wr *octets)
{
	if (base64_parse(text, octets))
		return true;
	wr_reset(octets);
	if (or_plain)
		wr_rd(octets, text);
	return or_plain;
}

/* ---- one descriptor ---- */

enum err semantic_add_text(struct cse *c, const struct json *attributes, struct graph *g)
{
	struct wr octets = wr_new(SEMANTICS_TEXT_MAX);
	uint64_t format;
	struct rd dsp, text;
	char why[200];
	enum err e = ERR_MALFORMED;

	if (json_uint(json_get(attributes, "dcrp"), &format) && format <= SEMANTICS_JSON_LD && json_string(json_get(attributes, "dsp"), &dsp) &&
	    semantic_octets(dsp, false, &octets) && wr_done(&octets, &text))
		e = graph_parse(semantic_library(c), (int)format, text, g, why, sizeof why);
	wr_free(&octets);
	return e;
}

static uint64_t hash_of(struct resource *r)
{
	struct rd dsp = rd_of("", 0);
	uint64_t h = 14695981039346656037u + resource_uint(r, "dcrp", 0);

	if (!json_string(resource_get(r, "dsp"), &dsp))
		dsp = rd_of("", 0);
	for (size_t i = 0; i < dsp.left; i++)
		h = (h ^ dsp.at[i]) * 1099511628211u;
	return h;
}

/* Borrowed until the next call; NULL: there is none to be had. */
static const struct graph *graph_of(struct cse *c, struct resource *r)
{
	struct semantic_state *s = state_of(c);
	struct kept *k = &s->kept[(uint64_t)r->id % KEPT];
	uint64_t hash = hash_of(r);
	struct graph *g;

	if (k->id == r->id && k->hash == hash)
		return k->g;
	if (s->octets > KEPT_OCTETS)
		forget_all(s);
	g = graph_new();
	if (!g)
		abort();
	if (semantic_add_text(c, resource_attributes(r), g) != OK) {
		graph_free(g);
		g = NULL;
	}
	if (k->g)
		s->octets -= graph_octets(k->g);
	graph_free(k->g);
	*k = (struct kept){r->id, hash, g};
	if (g)
		s->octets += graph_octets(g);
	return g;
}

/* ---- with what it links to ---- */

struct adding {
	struct exchange *x;
	struct graph *g;
	int64_t seen[LINKS_MOST];
	size_t count;
	enum err error;
};

static void add_descriptor(struct adding *a, struct resource *r);

static void add_address(struct adding *a, struct rd address)
{
	struct resource *r = cse_find_address(a->x->cse, address);

	if (r && r->type == TY_SEMANTIC_DESCRIPTOR && cse_permits(a->x, r, ACOP_RETRIEVE))
		add_descriptor(a, r);
	resource_unref(r);
}

struct links {
	struct rd *list;
	size_t count;
};

/* The graph is borrowed only now: links are noted, and followed afterwards. */
static bool note_link(void *ctx, struct rd text)
{
	struct links *l = ctx;

	l->list[l->count++] = text;
	return l->count < LINKS_MOST;
}

static void follow(struct adding *a, const struct graph *g)
{
	static const char *const predicates[] = {"http://www.onem2m.org/ontology/Base_Ontology/base_ontology#" LINK,
		"https://git.onem2m.org/MAS/BaseOntology/raw/master/base_ontology.owl#" LINK};
	struct rd room[LINKS_MOST + 1];
	struct links l = {room, 0};

	for (size_t p = 0; p < 2 && l.count < LINKS_MOST; p++)
		graph_objects(g, predicates[p], note_link, &l);
	for (size_t i = 0; i < l.count; i++) {
		uint8_t *copy = json_arena_alloc(a->x->arena, l.list[i].left + 1);

		if (!copy)
			abort();
		memcpy(copy, l.list[i].at, l.list[i].left);
		l.list[i].at = copy;
	}
	for (size_t i = 0; i < l.count; i++)
		add_address(a, l.list[i]);
}

static void add_descriptor(struct adding *a, struct resource *r)
{
	const struct json *rels = resource_get(r, "rels");
	const struct graph *g;

	for (size_t i = 0; i < a->count; i++)
		if (a->seen[i] == r->id)
			return;
	if (a->error != OK || a->count == LINKS_MOST)
		return;
	a->seen[a->count++] = r->id;
	g = graph_of(a->x->cse, r);
	if (!g)
		return;
	a->error = graph_merge(a->g, g);
	if (a->error == OK)
		follow(a, g);
	for (const struct json *l = rels ? rels->first : NULL; l; l = l->next)
		if (l->type == JSON_STRING)
			add_address(a, l->text);
}

enum err semantic_add(struct exchange *x, struct resource *descriptor, struct graph *g)
{
	struct adding a = {.x = x, .g = g};

	add_descriptor(&a, descriptor);
	return a.error;
}

/* ---- a group's members ---- */

struct below {
	struct exchange *x;
	struct graph *g;
	enum err error;
};

static bool add_below(void *ctx, struct resource *r)
{
	struct below *b = ctx;

	if (cse_permits(b->x, r, ACOP_RETRIEVE))
		b->error = semantic_add(b->x, r, b->g);
	return b->error == OK;
}

enum err semantic_add_member(struct exchange *x, struct resource *member, struct graph *g, unsigned depth)
{
	struct below b = {x, g, OK};
	const struct json *mid = resource_get(member, "mid");
	enum err e;

	if (member->type == TY_SEMANTIC_DESCRIPTOR)
		return cse_permits(x, member, ACOP_RETRIEVE) ? semantic_add(x, member, g) : OK;
	if (member->type != TY_GROUP || depth == 0) {
		e = tree_children(x->cse->tree, member, TY_SEMANTIC_DESCRIPTOR, false, add_below, &b);
		return e != OK ? e : b.error;
	}
	for (const struct json *m = mid ? mid->first : NULL; m && b.error == OK; m = m->next) {
		struct resource *r = m->type == JSON_STRING ? cse_find_address(x->cse, m->text) : NULL;

		if (r)
			b.error = semantic_add_member(x, r, g, depth - 1);
		resource_unref(r);
	}
	return b.error;
}

void semantic_failed(struct exchange *x, enum err e)
{
	if (e == ERR_TOO_LONG)
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "there are more descriptions than one query may look at");
	else
		exchange_store_failed(x, e);
}
