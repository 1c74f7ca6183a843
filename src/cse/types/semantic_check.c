/* Reading, changing and validating descriptions, with the answers that refuse them. TS-0004 clauses 7.4.34, 7.4.47 and 7.4.48, TS-0034 clause 6.10. */
#include <stdio.h>
#include <string.h>

#include "cse/types/semantic.h"
#include "cse/types/types.h"

struct graph *semantic_read(struct exchange *x, int format, struct rd octets)
{
	struct graph *g = graph_new();
	char why[256] = "";
	enum err e;

	if (!g) {
		exchange_fail(x, RSC_INTERNAL_SERVER_ERROR, "no memory");
		return NULL;
	}
	e = graph_parse(semantic_library(x->cse), format, octets, g, why, sizeof why);
	if (e == OK)
		return g;
	graph_free(g);
	exchange_fail(x, e == ERR_MALFORMED ? RSC_INVALID_SEMANTICS : e == ERR_TOO_LONG ? RSC_NOT_ACCEPTABLE : RSC_BAD_REQUEST, "%s", why);
	return NULL;
}

static bool print(struct exchange *x, const struct graph *g, int format, struct wr *w)
{
	enum err e = graph_print(g, format, w);

	if (e != OK)
		exchange_fail(x, RSC_SPARQL_UPDATE_ERROR, "`soe`: %s", e == ERR_TOO_LONG ? "the description becomes too long" : "what it becomes cannot be said in its format");
	return e == OK;
}

bool semantic_update(struct exchange *x, int format, struct rd octets, struct rd soe, struct wr *changed)
{
	struct graph *g, *after = NULL;
	struct sparql *update;
	char why[256] = "";
	enum err e = sparql_parse(SPARQL_UPDATE, soe, &update, why, sizeof why);
	bool ok = false;

	if (e != OK) {
		exchange_fail(x, RSC_INVALID_SPARQL_QUERY, "`soe`: %s", why);
		return false;
	}
	g = semantic_read(x, format, octets);
	if (g) {
		e = sparql_change(update, g, &after, why, sizeof why);
		if (e != OK)
			exchange_fail(x, RSC_SPARQL_UPDATE_ERROR, "`soe`: %s", why);
		else
			ok = print(x, after, format, changed);
	}
	graph_free(after);
	graph_free(g);
	sparql_free(update);
	return ok;
}

/* ---- validation ---- */

static bool add_related(struct exchange *x, const struct json *related, struct graph *whole)
{
	for (const struct json *l = related ? related->first : NULL; l; l = l->next) {
		struct resource *r = l->type == JSON_STRING ? cse_find_address(x->cse, l->text) : NULL;
		bool there = r && cse_permits(x, r, ACOP_RETRIEVE) && (r->type == TY_SEMANTIC_DESCRIPTOR || r->type == TY_GROUP);
		enum err e = there ? semantic_add_member(x, r, whole, 2) : OK;

		resource_unref(r);
		if (!there) {
			exchange_fail(x, RSC_LINKED_SEMANTICS_NOT_AVAILABLE, "`rels`: there is no description `%.*s` here", (int)(l->text.left < 200 ? l->text.left : 200),
			    (const char *)l->text.at);
			return false;
		}
		if (e != OK) {
			semantic_failed(x, e);
			return false;
		}
	}
	return true;
}

/* The ontology of that address; NULL after a failure was answered. */
static struct graph *ontology_graph(struct exchange *x, const struct json *address)
{
	struct resource *r = address->type == JSON_STRING ? cse_find_address(x->cse, address->text) : NULL;
	struct wr octets = wr_new(SEMANTICS_TEXT_MAX);
	struct graph *g = NULL;
	struct rd content, text;
	char why[200];

	if (r && r->type == TY_ONTOLOGY && cse_permits(x, r, ACOP_RETRIEVE) && json_string(resource_get(r, "ontc"), &content) && semantic_octets(content, true, &octets) &&
	    wr_done(&octets, &text)) {
		g = graph_new();
		if (g && graph_parse(semantic_library(x->cse), (int)resource_uint(r, "ontf", 0), text, g, why, sizeof why) != OK) {
			graph_free(g);
			g = NULL;
		}
	}
	wr_free(&octets);
	resource_unref(r);
	if (!g)
		exchange_fail(x, RSC_ONTOLOGY_NOT_AVAILABLE, "`or`: there is no ontology `%.*s` here that can be read", (int)(address->source.left < 200 ? address->source.left : 200),
		    (const char *)address->source.at);
	return g;
}

bool semantic_validate(struct exchange *x, const struct graph *g, const struct json *ontology, const struct json *related)
{
	struct graph *whole = graph_new(), *o = NULL;
	char why[256] = "";
	bool ok = false;

	if (!whole || graph_merge(whole, g) != OK) {
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "the description is too long to be validated");
	} else if (add_related(x, related, whole)) {
		ok = true;
		if (ontology) {
			o = ontology_graph(x, ontology);
			ok = o && graph_conforms(whole, o, why, sizeof why);
			if (o && !ok)
				exchange_fail(x, RSC_INVALID_SEMANTICS, "%s", why);
		}
	}
	graph_free(o);
	graph_free(whole);
	return ok;
}

/* ---- semanticValidation: UPDATE of the virtual child of an ontologyRepository checks a description, and changes nothing ---- */

static struct graph *described(struct exchange *x, const struct json *given)
{
	const struct schema_type *t = schema_type(TY_SEMANTIC_DESCRIPTOR);
	struct wr octets = wr_new(SEMANTICS_TEXT_MAX);
	struct schema_fault fault;
	struct graph *g = NULL;
	uint64_t format = 0;
	struct rd dsp, text;

	if (!schema_check_create(t, given, &fault))
		exchange_fail(x, fault.rsc, "%s", fault.text);
	else if (!json_uint(json_get(given, "dcrp"), &format) || !json_string(json_get(given, "dsp"), &dsp) || !semantic_octets(dsp, false, &octets) || !wr_done(&octets, &text))
		exchange_fail(x, RSC_BAD_REQUEST, "`dsp`: must be base64 of at most %d octets", SEMANTICS_TEXT_MAX);
	else
		g = semantic_read(x, (int)format, text);
	wr_free(&octets);
	return g;
}

void semantic_validation(struct exchange *x)
{
	const struct json *given;
	struct graph *g;

	if (x->rq->operation != ONEM2M_UPDATE) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "semanticValidation takes only UPDATE");
		return;
	}
	if (!cse_permits(x, x->target, ACOP_UPDATE)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not have this validated here", x->from);
		return;
	}
	given = exchange_content(x, "m2m:smd", NULL);
	g = given ? described(x, given) : NULL;
	if (g && semantic_validate(x, g, json_get(given, "or"), json_get(given, "rels")))
		exchange_answer(x, RSC_UPDATED, rd_of("", 0), rd_str(""));
	graph_free(g);
}
