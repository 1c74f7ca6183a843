/* semanticDescriptor: its description is one, in its format; soe changes it; vlde has it validated. TS-0004 clause 7.4.34. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "cse/types/semantic.h"
#include "cse/types/types.h"

/* The description is read once, and validated if that is asked for. */
static bool check(struct exchange *x, struct attributes *a)
{
	struct wr octets = wr_new(SEMANTICS_TEXT_MAX);
	const struct json *dsp = attributes_value(a, "dsp"), *dcrp = attributes_value(a, "dcrp");
	struct graph *g = NULL;
	uint64_t format = 0;
	bool validated = false, ok;
	struct rd text;

	if (!dsp || !json_uint(dcrp, &format) || !semantic_octets(dsp->text, false, &octets) || !wr_done(&octets, &text))
		exchange_fail(x, RSC_BAD_REQUEST, "`dsp`: must be base64 of at most %d octets", SEMANTICS_TEXT_MAX);
	else
		g = semantic_read(x, (int)format, text);
	wr_free(&octets);
	ok = g != NULL;
	if (ok && json_bool(attributes_value(a, "vlde"), &validated) && validated)
		ok = semantic_validate(x, g, attributes_value(a, "or"), attributes_value(a, "rels"));
	if (ok)
		attributes_set_bool(a, "svd", validated);
	graph_free(g);
	return ok;
}

static enum hook_result descriptor_create(struct creation *cr)
{
	return check(cr->x, &cr->attributes) ? HOOK_GO : HOOK_FAILED;
}

static void set_description(struct attributes *a, struct rd octets)
{
	struct wr text = wr_new(CSE_BODY_MAX);

	base64_print(&text, octets);
	wr_u8(&text, 0);
	attributes_set_string(a, "dsp", (const char *)text.octets);
	wr_free(&text);
}

/* soe is carried out and not kept. */
static bool execute(struct updating *u, const struct json *soe)
{
	struct wr octets = wr_new(SEMANTICS_TEXT_MAX), changed = wr_new(SEMANTICS_TEXT_MAX);
	struct rd dsp, before, after;
	bool ok = false;

	if (json_get(u->given, "dsp") || json_get(u->given, "dcrp"))
		exchange_fail(u->x, RSC_BAD_REQUEST, "`soe`: cannot be given together with `dsp` or `dcrp`");
	else if (!json_string(resource_get(u->old, "dsp"), &dsp) || !semantic_octets(dsp, false, &octets) || !wr_done(&octets, &before))
		exchange_fail(u->x, RSC_SPARQL_UPDATE_ERROR, "`soe`: there is no description to change");
	else
		ok = semantic_update(u->x, (int)resource_uint(u->old, "dcrp", 0), before, soe->text, &changed) && wr_done(&changed, &after);
	if (ok) {
		set_description(&u->attributes, after);
		attributes_forget(&u->attributes, "soe");
	}
	wr_free(&octets);
	wr_free(&changed);
	return ok;
}

static enum hook_result descriptor_update(struct updating *u)
{
	static const char *const names[] = {"dsp", "dcrp", "soe", "or", "rels", "vlde"};
	const struct json *soe = json_get(u->given, "soe");
	bool matters = false;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		matters = matters || json_get(u->given, names[i]);
	if (soe && soe->type == JSON_NULL) {
		exchange_fail(u->x, RSC_BAD_REQUEST, "`soe`: must be a SPARQL update");
		return HOOK_FAILED;
	}
	if (soe && !execute(u, soe))
		return HOOK_FAILED;
	return !matters || check(u->x, &u->attributes) ? HOOK_GO : HOOK_FAILED;
}

const struct type_hooks hooks_semantic_descriptor = {.type = TY_SEMANTIC_DESCRIPTOR, .create = descriptor_create, .update = descriptor_update};
