/* A graph: a dictionary of terms, and triples in chains by subject, predicate and object. */
#include "semantics/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TERMS_MAX (3 * SEMANTICS_TRIPLES_MAX)

/* ---- terms ---- */

struct term term_iri(struct rd value)
{
	return (struct term){.kind = TERM_IRI, .value = value, .type = rd_of("", 0), .language = rd_of("", 0)};
}

struct term term_plain(struct rd value)
{
	return (struct term){.kind = TERM_LITERAL, .value = value, .type = rd_of("", 0), .language = rd_of("", 0)};
}

bool term_equal(const struct term *a, const struct term *b)
{
	return a->kind == b->kind && rd_equal(a->value, b->value) && rd_equal(a->type, b->type) && rd_equal(a->language, b->language);
}

bool term_is(const struct term *t, const char *iri)
{
	return t && t->kind == TERM_IRI && rd_is(t->value, iri);
}

static uint32_t mix(uint32_t h, const uint8_t *octets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ octets[i]) * 16777619u; /* FNV-1a */
	return h;
}

static uint32_t hash_of(const struct term *t)
{
	uint32_t h = 2166136261u + (uint32_t)t->kind;

	h = mix(h, t->value.at, t->value.left);
	h = mix(h, t->type.at, t->type.left);
	h = mix(h, t->language.at, t->language.left);
	return h ? h : 1;
}

/* ---- life ---- */

struct graph *graph_new(void)
{
	struct graph *g = calloc(1, sizeof *g);

	if (!g || (g->arena = json_arena_new()) == NULL) {
		free(g);
		return NULL;
	}
	g->octets = sizeof *g;
	return g;
}

void graph_free(struct graph *g)
{
	if (!g)
		return;
	free(g->terms);
	free(g->term_slots);
	free(g->triples);
	free(g->triple_slots);
	json_arena_free(g->arena);
	free(g);
}

size_t graph_triples(const struct graph *g)
{
	return g->triple_count;
}

size_t graph_octets(const struct graph *g)
{
	return g->octets + g->term_room * sizeof *g->terms + g->triple_room * sizeof *g->triples +
	    ((size_t)g->term_slot_count + g->triple_slot_count) * sizeof(uint32_t);
}

/* ---- the dictionary ---- */

static uint32_t *term_slot(const struct graph *g, const struct term *t, uint32_t hash)
{
	uint32_t mask = g->term_slot_count - 1;

	for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
		uint32_t id = g->term_slots[i];

		if (id == 0 || (g->terms[id - 1].hash == hash && term_equal(&g->terms[id - 1].term, t)))
			return &g->term_slots[i];
	}
}

uint32_t graph_find(const struct graph *g, const struct term *t)
{
	return g->term_slot_count ? *term_slot(g, t, hash_of(t)) : 0;
}

const struct term *graph_term(const struct graph *g, uint32_t id)
{
	return id > 0 && id <= g->term_count ? &g->terms[id - 1].term : NULL;
}

static bool more_term_slots(struct graph *g)
{
	uint32_t n = g->term_slot_count ? g->term_slot_count * 2 : 64, *slots = calloc(n, sizeof *slots), *old = g->term_slots;

	if (!slots)
		return false;
	g->term_slots = slots;
	g->term_slot_count = n;
	free(old);
	for (uint32_t id = 1; id <= g->term_count; id++)
		*term_slot(g, &g->terms[id - 1].term, g->terms[id - 1].hash) = id;
	return true;
}

static bool keep(struct graph *g, struct rd *text)
{
	void *copy;

	if (text->left == 0) {
		*text = rd_of("", 0);
		return true;
	}
	copy = json_arena_alloc(g->arena, text->left);
	if (!copy)
		return false;
	memcpy(copy, text->at, text->left);
	*text = rd_of(copy, text->left);
	g->octets += text->left;
	return true;
}

uint32_t graph_intern(struct graph *g, const struct term *t)
{
	uint32_t hash = hash_of(t), *slot;
	struct term copy = *t;

	if (t->value.left > SEMANTICS_TERM_MAX || t->type.left > SEMANTICS_TERM_MAX || t->language.left > 64)
		return 0;
	if (g->term_count * 2 >= g->term_slot_count && !more_term_slots(g))
		return 0;
	slot = term_slot(g, t, hash);
	if (*slot)
		return *slot;
	if (g->term_count == TERMS_MAX)
		return 0;
	if (g->term_count == g->term_room) {
		uint32_t room = g->term_room ? g->term_room * 2 : 32;
		struct term_place *terms = realloc(g->terms, room * sizeof *terms);

		if (!terms)
			return 0;
		g->terms = terms;
		g->term_room = room;
	}
	if (!keep(g, &copy.value) || !keep(g, &copy.type) || !keep(g, &copy.language))
		return 0;
	g->terms[g->term_count] = (struct term_place){.term = copy, .hash = hash};
	*slot = ++g->term_count;
	return g->term_count;
}

/* ---- triples ---- */

static uint32_t *triple_slot(const struct graph *g, uint32_t s, uint32_t p, uint32_t o)
{
	uint32_t mask = g->triple_slot_count - 1, hash = (s * 2654435761u) ^ (p * 2246822519u) ^ (o * 3266489917u);

	hash ^= hash >> 15;
	for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
		uint32_t n = g->triple_slots[i];
		const struct triple *t = n ? &g->triples[n - 1] : NULL;

		if (!t || (t->s == s && t->p == p && t->o == o))
			return &g->triple_slots[i];
	}
}

static bool more_triple_slots(struct graph *g)
{
	uint32_t n = g->triple_slot_count ? g->triple_slot_count * 2 : 64, *slots = calloc(n, sizeof *slots), *old = g->triple_slots;

	if (!slots)
		return false;
	g->triple_slots = slots;
	g->triple_slot_count = n;
	free(old);
	for (uint32_t i = 0; i < g->triple_count; i++)
		*triple_slot(g, g->triples[i].s, g->triples[i].p, g->triples[i].o) = i + 1;
	return true;
}

bool graph_has(const struct graph *g, uint32_t s, uint32_t p, uint32_t o)
{
	return g->triple_slot_count && *triple_slot(g, s, p, o) != 0;
}

bool graph_add(struct graph *g, uint32_t s, uint32_t p, uint32_t o)
{
	uint32_t *slot;

	if (s == 0 || p == 0 || o == 0)
		return false;
	if (g->triple_count * 2 >= g->triple_slot_count && !more_triple_slots(g))
		return false;
	slot = triple_slot(g, s, p, o);
	if (*slot)
		return true;
	if (g->triple_count == SEMANTICS_TRIPLES_MAX)
		return false;
	if (g->triple_count == g->triple_room) {
		uint32_t room = g->triple_room ? g->triple_room * 2 : 32;
		struct triple *triples = realloc(g->triples, room * sizeof *triples);

		if (!triples)
			return false;
		g->triples = triples;
		g->triple_room = room;
	}
	g->triples[g->triple_count++] = (struct triple){s, p, o, g->terms[s - 1].first_s, g->terms[p - 1].first_p, g->terms[o - 1].first_o};
	*slot = g->terms[s - 1].first_s = g->terms[p - 1].first_p = g->terms[o - 1].first_o = g->triple_count;
	return true;
}

bool graph_add_terms(struct graph *g, const struct term *s, const struct term *p, const struct term *o)
{
	uint32_t si = graph_intern(g, s), pi = graph_intern(g, p), oi = graph_intern(g, o);

	return graph_add(g, si, pi, oi);
}

static bool fits(const struct triple *t, uint32_t s, uint32_t p, uint32_t o)
{
	return (s == 0 || t->s == s) && (p == 0 || t->p == p) && (o == 0 || t->o == o);
}

static uint32_t first_of(const struct graph *g, uint32_t s, uint32_t p, uint32_t o)
{
	if (s)
		return s <= g->term_count ? g->terms[s - 1].first_s : 0;
	if (o)
		return o <= g->term_count ? g->terms[o - 1].first_o : 0;
	if (p)
		return p <= g->term_count ? g->terms[p - 1].first_p : 0;
	return g->triple_count;
}

uint32_t graph_next(const struct graph *g, uint32_t at, uint32_t s, uint32_t p, uint32_t o, uint64_t *steps)
{
	uint32_t n;

	if (at == 0)
		n = first_of(g, s, p, o);
	else
		n = s ? g->triples[at - 1].next_s : o ? g->triples[at - 1].next_o : p ? g->triples[at - 1].next_p : at - 1;
	for (; n; n = s ? g->triples[n - 1].next_s : o ? g->triples[n - 1].next_o : p ? g->triples[n - 1].next_p : n - 1) {
		++*steps;
		if (fits(&g->triples[n - 1], s, p, o))
			return n;
	}
	return 0;
}

/* ---- whole graphs ---- */

static uint32_t merge_term(struct graph *into, const struct term *t)
{
	char label[512];
	struct term renamed = *t;

	if (t->kind == TERM_BLANK) {
		if ((size_t)snprintf(label, sizeof label, "g%u_%.*s", into->sources, (int)t->value.left, (const char *)t->value.at) >= sizeof label)
			return 0;
		renamed.value = rd_str(label);
	}
	return graph_intern(into, &renamed);
}

enum err graph_merge(struct graph *into, const struct graph *from)
{
	uint32_t *ids = calloc((size_t)from->term_count + 1, sizeof *ids);
	enum err e = ids ? OK : ERR_NO_MEMORY;

	for (uint32_t i = 1; e == OK && i <= from->term_count; i++)
		if ((ids[i] = merge_term(into, graph_term(from, i))) == 0)
			e = ERR_TOO_LONG;
	for (uint32_t i = 0; e == OK && i < from->triple_count; i++)
		if (!graph_add(into, ids[from->triples[i].s], ids[from->triples[i].p], ids[from->triples[i].o]))
			e = ERR_TOO_LONG;
	into->sources++;
	free(ids);
	return e;
}

void graph_objects(const struct graph *g, const char *predicate, bool (*fn)(void *ctx, struct rd text), void *ctx)
{
	struct term t = term_iri(rd_str(predicate));
	uint32_t p = graph_find(g, &t);
	uint64_t steps = 0;

	if (p)
		for (uint32_t at = graph_next(g, 0, 0, p, 0, &steps); at; at = graph_next(g, at, 0, p, 0, &steps))
			if (!fn(ctx, graph_term(g, g->triples[at - 1].o)->value))
				return;
}
