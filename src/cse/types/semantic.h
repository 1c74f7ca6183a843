/* What the files of semantic resources share: descriptions parsed and kept, graphs put together, their validation. */
#ifndef KEYWAY_CSE_TYPES_SEMANTIC_H
#define KEYWAY_CSE_TYPES_SEMANTIC_H

#include "cse/private.h"
#include "semantics/semantics.h"

struct semantics *semantic_library(struct cse *c);
/* The octets of a descriptor (dsp) or an ontology's content, which may be the text itself. False: no base64. */
bool semantic_octets(struct rd text, bool or_plain, struct wr *octets) MUST_CHECK;
/* Refuses what is no description in this format: 4000, 4120. The graph, or NULL after a failure was answered. */
struct graph *semantic_read(struct exchange *x, int format, struct rd octets);
/* UPDATE with soe: the description as it is afterwards, in its format. False after a failure was answered. */
bool semantic_update(struct exchange *x, int format, struct rd octets, struct rd soe, struct wr *changed) MUST_CHECK;
/* Against what is linked (rels) and the ontology (or), which may be NULL: 4118, 4119, 4120. False after a failure was answered. */
bool semantic_validate(struct exchange *x, const struct graph *g, const struct json *ontology, const struct json *related) MUST_CHECK;

/* Adds the description of a semanticDescriptor, with what it links to as far as the originator may retrieve that. */
enum err semantic_add(struct exchange *x, struct resource *descriptor, struct graph *g) MUST_CHECK;
enum err semantic_add_text(struct cse *c, const struct json *attributes, struct graph *g) MUST_CHECK; /* of a representation */
/* All descriptions that belong to a group's member: itself, those below it, a group's members'. */
enum err semantic_add_member(struct exchange *x, struct resource *member, struct graph *g, unsigned depth) MUST_CHECK;
void semantic_answer(struct exchange *x, const struct graph *g); /* to the query of x */
void semantic_failed(struct exchange *x, enum err e);            /* of semantic_add */

#endif
