/* role, token, dynamicAuthorizationConsultation: what their tables cannot say. TS-0004 clauses 7.4.36, 7.4.40 and 7.4.41. */
#include "cse/access.h"
#include "cse/types/types.h"

static bool is_before(const struct json *a, const struct json *b)
{
	struct rd from, to;
	uint64_t begin, end;

	return !json_string(a, &from) || !json_string(b, &to) || !timestamp_parse(from, &begin) || !timestamp_parse(to, &end) || begin < end;
}

static enum hook_result window_create(struct creation *cr)
{
	if (is_before(json_get(cr->given, "tknb"), json_get(cr->given, "tkna")))
		return HOOK_GO;
	exchange_fail(cr->x, RSC_BAD_REQUEST, "`tkna`: lies before `tknb`");
	return HOOK_FAILED;
}

/* A permission with privileges says what they are about: TS-0003 clause 7.3.2.4. */
static enum hook_result token_create(struct creation *cr)
{
	const struct json *pm = json_get(json_get(cr->given, "tkps"), "pm");

	for (const struct json *p = pm ? pm->first : NULL; p; p = p->next) {
		const struct json *ris = json_get(p, "ris");

		if (!json_get(p, "pv") || (ris && ris->first))
			continue;
		exchange_fail(cr->x, RSC_BAD_REQUEST, "`tkps`: privileges (pv) need the resources that they are about (ris)");
		return HOOK_FAILED;
	}
	return window_create(cr);
}

static bool servers_are_good(struct exchange *x, const struct json *dap)
{
	if (!dap || dap->first)
		return true;
	exchange_fail(x, RSC_BAD_REQUEST, "`dap`: must name a point of access");
	return false;
}

static enum hook_result consultation_create(struct creation *cr)
{
	return servers_are_good(cr->x, json_get(cr->given, "dap")) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result consultation_update(struct updating *u)
{
	return servers_are_good(u->x, json_get(u->given, "dap")) ? HOOK_GO : HOOK_FAILED;
}

/* What was granted by it under other conditions ends. */
static enum hook_result consultation_updated(struct updating *u)
{
	access_forget(u->x->cse, u->made->id);
	return HOOK_GO;
}

static void consultation_removed(struct cse *c, struct resource *r)
{
	access_forget(c, r->id);
}

const struct type_hooks hooks_role = {.type = TY_ROLE, .create = window_create};
const struct type_hooks hooks_token = {.type = TY_TOKEN, .create = token_create};
const struct type_hooks hooks_dynamic_authorization_consultation = {
	.type = TY_DYNAMIC_AUTHORIZATION_CONSULTATION,
	.create = consultation_create,
	.update = consultation_update,
	.updated = consultation_updated,
	.removed = consultation_removed,
};
