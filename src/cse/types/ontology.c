/* ontology: what can be read is read when it is stored; soe changes it. TS-0004 clause 7.4.47. */
#include "base/bytes.h"
#include "cse/types/semantic.h"
#include "cse/types/types.h"

/* An ontology in a format that is not read here (OWL/XML, Manchester ..., an IRI) is kept as it came. */
static bool check(struct exchange *x, const struct attributes *a)
{
	const struct json *content = attributes_value(a, "ontc");
	struct wr octets = wr_new(SEMANTICS_TEXT_MAX);
	struct graph *g = NULL;
	uint64_t format;
	struct rd text;
	bool ok = true;

	if (json_uint(attributes_value(a, "ontf"), &format) && semantics_is_readable((int)format)) {
		ok = content && content->type == JSON_STRING && semantic_octets(content->text, true, &octets) && wr_done(&octets, &text);
		if (!ok)
			exchange_fail(x, RSC_BAD_REQUEST, "`ontc`: must be a string of at most %d octets, as it is or in base64", SEMANTICS_TEXT_MAX);
		else
			ok = (g = semantic_read(x, (int)format, text)) != NULL;
	}
	graph_free(g);
	wr_free(&octets);
	return ok;
}

static enum hook_result ontology_create(struct creation *cr)
{
	return check(cr->x, &cr->attributes) ? HOOK_GO : HOOK_FAILED;
}

static void set_content(struct attributes *a, struct rd text, bool base64)
{
	struct wr w = wr_new(CSE_BODY_MAX);

	if (base64)
		base64_print(&w, text);
	else
		wr_rd(&w, text);
	wr_u8(&w, 0);
	attributes_set_string(a, "ontc", (const char *)w.octets);
	wr_free(&w);
}

static bool execute(struct updating *u, const struct json *soe)
{
	struct wr octets = wr_new(SEMANTICS_TEXT_MAX), changed = wr_new(SEMANTICS_TEXT_MAX);
	uint64_t format = resource_uint(u->old, "ontf", 0);
	struct rd content, before, after;
	bool ok = false, base64;

	if (json_get(u->given, "ontc") || json_get(u->given, "ontf") || soe->type != JSON_STRING) {
		exchange_fail(u->x, RSC_BAD_REQUEST, "`soe`: must be a SPARQL update, without `ontc` and `ontf` beside it");
	} else if (!semantics_is_readable((int)format) || !json_string(resource_get(u->old, "ontc"), &content)) {
		exchange_fail(u->x, RSC_SPARQL_UPDATE_ERROR, "`soe`: an ontology of this format cannot be changed here");
	} else {
		base64 = semantic_octets(content, false, &octets);
		ok = (base64 || semantic_octets(content, true, &octets)) && wr_done(&octets, &before) && semantic_update(u->x, (int)format, before, soe->text, &changed) &&
		    wr_done(&changed, &after);
		if (ok) {
			set_content(&u->attributes, after, base64);
			attributes_forget(&u->attributes, "soe");
		}
	}
	wr_free(&octets);
	wr_free(&changed);
	return ok;
}

static enum hook_result ontology_update(struct updating *u)
{
	const struct json *soe = json_get(u->given, "soe");

	if (soe)
		return execute(u, soe) ? HOOK_GO : HOOK_FAILED;
	return check(u->x, &u->attributes) ? HOOK_GO : HOOK_FAILED;
}

const struct type_hooks hooks_ontology = {.type = TY_ONTOLOGY, .create = ontology_create, .update = ontology_update};
