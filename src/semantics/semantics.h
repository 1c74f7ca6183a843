/* RDF graphs and SPARQL 1.1 over them, for semanticDescriptor: parse, print, ask, change, validate. Pure: no network, no file, no clock;
 * every cost is bounded by the limits below, in steps and octets, so that the same input costs the same everywhere.
 *
 *	struct semantics *s = semantics_new();
 *	struct graph *g = graph_new();
 *	struct sparql *q;
 *
 *	if (graph_parse(s, SEMANTICS_TURTLE, text, g, why, sizeof why) == OK &&
 *	    sparql_parse(SPARQL_QUERY, query, &q, why, sizeof why) == OK)
 *		e = sparql_answer(q, g, &json, why, sizeof why);
 *
 * RDF/XML is read by Raptor, shut off from the network and the file system. SPARQL is our own: the library that goes with Raptor knows
 * neither DELETE/INSERT/WHERE, NOT EXISTS nor property paths (rasqal 0.9.33, tried), and its evaluation cannot be bounded. With its tokens
 * Turtle is read too; JSON-LD as far as it needs nothing from elsewhere. */
#ifndef KEYWAY_SEMANTICS_SEMANTICS_H
#define KEYWAY_SEMANTICS_SEMANTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

#define SEMANTICS_TEXT_MAX (256 * 1024)  /* octets of one RDF text: descriptors have some hundred, ontologies some ten thousand */
#define SEMANTICS_TERM_MAX 16384         /* octets of one literal or IRI, also of one made by a query */
#define SEMANTICS_TRIPLES_MAX 200000     /* of one graph */
#define SEMANTICS_QUERY_MAX 16384        /* octets of a query */
#define SEMANTICS_VARIABLES_MAX 128      /* of a query, with those of its blank nodes and paths */
#define SEMANTICS_PATTERNS_MAX 512       /* of a query */
#define SEMANTICS_DEPTH_MAX 24           /* of a query's nesting: bounds the recursion */
#define SEMANTICS_STEPS_MAX 4000000      /* triples looked at and expressions evaluated: less than a second */
#define SEMANTICS_ROWS_MAX 10000         /* solutions */
#define SEMANTICS_MADE_MAX (8u << 20)    /* octets of text that a query makes */

/* m2m:semanticFormat, TS-0004 table 6.3.4.2.56-1. */
enum semantics_format {
	SEMANTICS_IRI = 1,
	SEMANTICS_FUNCTIONAL = 2,
	SEMANTICS_OWL_XML = 3,
	SEMANTICS_RDF_XML = 4,
	SEMANTICS_TURTLE = 5, /* N-Triples is a part of it */
	SEMANTICS_MANCHESTER = 6,
	SEMANTICS_JSON_LD = 7,
};
bool semantics_is_readable(int format);

struct semantics; /* the library's state; not for two threads at once */
struct semantics *semantics_new(void); /* NULL without memory */
void semantics_free(struct semantics *s);

struct graph;
struct graph *graph_new(void); /* NULL without memory */
void graph_free(struct graph *g);
size_t graph_triples(const struct graph *g);
size_t graph_octets(const struct graph *g); /* memory that it takes, about */
/* Adds what the text says; blank nodes are others than those already there. ERR_UNSUPPORTED (format), ERR_MALFORMED, ERR_TOO_LONG (limits);
 * on an error g holds a part and is to be freed. `why` gets a sentence. */
enum err graph_parse(struct semantics *s, int format, struct rd text, struct graph *g, char *why, size_t size) MUST_CHECK;
enum err graph_merge(struct graph *into, const struct graph *from) MUST_CHECK; /* ERR_TOO_LONG */
/* ERR_UNSUPPORTED: the format, or a graph that it cannot say; ERR_TOO_LONG. */
enum err graph_print(const struct graph *g, int format, struct wr *w) MUST_CHECK;
/* Objects of every triple with this predicate, as their text; fn false ends it. */
void graph_objects(const struct graph *g, const char *predicate, bool (*fn)(void *ctx, struct rd text), void *ctx);
/* Whether g may be said with the words of the ontology: no class or property of its namespace that it does not declare, no literal where it
 * wants a thing (and the other way round), no thing of two classes that it calls disjoint. False with a sentence. */
bool graph_conforms(const struct graph *g, const struct graph *ontology, char *why, size_t size);

enum sparql_kind { SPARQL_QUERY, SPARQL_UPDATE };
struct sparql;
/* SELECT and ASK; or INSERT DATA, DELETE DATA, DELETE/INSERT/WHERE, CLEAR, DROP, one after the other. ERR_MALFORMED, ERR_UNSUPPORTED (named graphs,
 * SERVICE, LOAD, functions that need a clock or dice), ERR_TOO_LONG. */
enum err sparql_parse(enum sparql_kind kind, struct rd text, struct sparql **out, char *why, size_t size) MUST_CHECK;
void sparql_free(struct sparql *q);
/* All may fail with ERR_TOO_LONG: more steps, rows or text than the limits allow. */
enum err sparql_matches(const struct sparql *q, const struct graph *g, bool *matches, char *why, size_t size) MUST_CHECK; /* there is a solution */
enum err sparql_answer(const struct sparql *q, const struct graph *g, struct wr *json, char *why, size_t size) MUST_CHECK; /* SPARQL 1.1 Query Results JSON */
enum err sparql_change(const struct sparql *q, const struct graph *g, struct graph **changed, char *why, size_t size) MUST_CHECK;

#endif
