/* Terms and triples. Inside of this folder. */
#ifndef KEYWAY_SEMANTICS_GRAPH_H
#define KEYWAY_SEMANTICS_GRAPH_H

#include "json/json.h"
#include "semantics/semantics.h"

#define RDF_NS "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define RDFS_NS "http://www.w3.org/2000/01/rdf-schema#"
#define OWL_NS "http://www.w3.org/2002/07/owl#"
#define XSD_NS "http://www.w3.org/2001/XMLSchema#"

enum term_kind { TERM_NONE, TERM_IRI, TERM_BLANK, TERM_LITERAL };
struct term {
	enum term_kind kind;
	struct rd value;
	struct rd type;     /* datatype's IRI; empty: a plain string (xsd:string is the same, RDF 1.1) */
	struct rd language;
};

/* Numbers of terms and of triples begin at 1; 0 is none. A triple is in three chains: of its subject, predicate, object. */
struct triple {
	uint32_t s, p, o;
	uint32_t next_s, next_p, next_o;
};
struct term_place {
	struct term term;
	uint32_t hash;
	uint32_t first_s, first_p, first_o;
};
struct graph {
	struct json_arena *arena;
	size_t octets;
	struct term_place *terms;
	uint32_t term_count, term_room;
	uint32_t *term_slots, term_slot_count;
	struct triple *triples;
	uint32_t triple_count, triple_room;
	uint32_t *triple_slots, triple_slot_count;
	unsigned sources; /* texts that it was made of: tells their blank nodes apart */
};

struct term term_iri(struct rd value);
struct term term_plain(struct rd value);
bool term_equal(const struct term *a, const struct term *b);
bool term_is(const struct term *t, const char *iri);

uint32_t graph_find(const struct graph *g, const struct term *t); /* 0: not there */
uint32_t graph_intern(struct graph *g, const struct term *t);     /* copies; 0: a limit or memory */
const struct term *graph_term(const struct graph *g, uint32_t id);
bool graph_add(struct graph *g, uint32_t s, uint32_t p, uint32_t o); /* true too when it is there already; false: a limit or memory */
bool graph_has(const struct graph *g, uint32_t s, uint32_t p, uint32_t o);
bool graph_add_terms(struct graph *g, const struct term *s, const struct term *p, const struct term *o);
/* The next triple after `at` (0: the first) that fits; 0 in s, p, o stands for any. 0: no more. *steps counts what was looked at. */
uint32_t graph_next(const struct graph *g, uint32_t at, uint32_t s, uint32_t p, uint32_t o, uint64_t *steps);

/* The IRI that a reference stands for. */
struct rd iri_resolved(struct json_arena *arena, struct rd base, struct rd reference);

enum err turtle_parse(struct rd text, struct graph *g, char *why, size_t size) MUST_CHECK;
enum err jsonld_parse(struct rd text, struct graph *g, char *why, size_t size) MUST_CHECK;
enum err jsonld_print(const struct graph *g, struct wr *w) MUST_CHECK;

#endif
