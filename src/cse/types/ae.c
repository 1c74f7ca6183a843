/* AE registration: TS-0004 clause 7.4.5.2, TS-0001 clause 10.2.2. */
#include <stdio.h>
#include <string.h>

#include "cse/release1.h"
#include "cse/types/ae_moves.h"
#include "cse/types/types.h"

/* By the customs of open CSEs an AE of a CSE that is known here may register here too: its name there, or NULL. */
static const char *guest_of(struct exchange *x)
{
	const char *stem = x->from[0] == '/' ? strchr(x->from + 1, '/') : NULL;
	char csi[CSE_ID_MAX];
	struct resource *hop;

	if (!x->cse->config.customs || !stem || strchr(stem + 1, '/'))
		return NULL;
	snprintf(csi, sizeof csi, "%.*s", (int)(stem - x->from), x->from);
	hop = cse_next_hop(x->cse, csi);
	resource_unref(hop);
	return hop ? stem + 1 : NULL;
}

/* AE-ID: what the originator asks for, or a new one. */
static bool assign_id(struct creation *cr)
{
	struct exchange *x = cr->x;
	struct cse *c = x->cse;
	size_t own = strlen(c->config.id);
	const char *stem = x->from, *foreign = NULL;
	struct resource *other;

	if (strncmp(stem, c->config.id, own) == 0 && stem[own] == '/')
		stem += own + 1;
	else if ((foreign = guest_of(x)) != NULL)
		stem = foreign;
	if (x->registration || stem[0] == '\0') {
		bool s = stem[0] == 'S';
		char derived[64];

		tree_ri(derived, sizeof derived, TY_AE, 0, cr->id, false);
		snprintf(cr->ri, sizeof cr->ri, "%c%s", s ? 'S' : 'C', derived);
	} else {
		if (stem[0] == '/' || strchr(stem, '/')) {
			exchange_fail(x, RSC_BAD_REQUEST, "an AE registers here with an AE-ID of this CSE");
			return false;
		}
		/* cut short it could be taken for another */
		if ((size_t)snprintf(cr->ri, sizeof cr->ri, "%s", stem) >= sizeof cr->ri) {
			exchange_fail(x, RSC_BAD_REQUEST, "the AE-ID is too long");
			return false;
		}
	}
	if (strcmp(cr->ri, c->config.id + 1) == 0) { /* of a CSE, though without its slash */
		exchange_fail(x, RSC_SECURITY_ASSOCIATION_REQUIRED, "`%s` is this CSE, and registers with nobody as an AE", cr->ri);
		return false;
	}
	if (!x->privileged && !cse_list_matches(c->config.ae_originators ? c->config.ae_originators : "C*,S*", cr->ri)) {
		exchange_fail(x, RSC_APP_RULE_VALIDATION_FAILED, "the originator `%s` may not register here", cr->ri);
		return false;
	}
	if ((cr->ri[0] != 'C' && cr->ri[0] != 'S') || !cse_name_is_good(rd_str(cr->ri))) {
		exchange_fail(x, RSC_BAD_REQUEST, "an AE-ID begins with C or S, and has letters, digits and `-._~` then");
		return false;
	}
	other = tree_by_ri(c->tree, rd_str(cr->ri));
	if (other) {
		resource_unref(other);
		exchange_fail(x, RSC_ORIGINATOR_HAS_ALREADY_REGISTERED, "the AE `%s` is registered already", cr->ri);
		return false;
	}
	if (!foreign && (size_t)snprintf(x->from, sizeof x->from, "%s/%s", c->config.id, cr->ri) >= sizeof x->from) {
		exchange_fail(x, RSC_BAD_REQUEST, "the AE-ID is too long");
		return false;
	}
	x->registration = false;
	cr->own_ri = true;
	return true;
}

/* App-ID: R or N, up to Release 3 also r, and then the name; Release 1 had no such rule. TS-0001 clause 7.1.3. */
static bool api_is_good(struct creation *cr)
{
	const struct json *api = json_get(cr->given, "api");
	struct rd release = cr->x->rq->release;
	bool later = rd_is(release, "4") || rd_is(release, "5");

	if (api && release1_is(cr->x))
		return true;
	if (api && api->text.left > 1 && (rd_starts(api->text, "R") || rd_starts(api->text, "N") || (rd_starts(api->text, "r") && !later)))
		return true;
	exchange_fail(cr->x, RSC_BAD_REQUEST, "`api`: an App-ID begins with R (registered) or N");
	return false;
}

/* An AE may be of another release than its registrar; what is no release at all is an error of typing. */
static bool releases_are_good(struct creation *cr)
{
	const struct json *srv = json_get(cr->given, "srv");
	char text[16];

	if (!srv)
		return true;
	for (const struct json *v = srv->first; v; v = v->next)
		if (json_text(v, text, sizeof text) && cse_list_matches("1,2,2a,3,4,5", text))
			return true;
	exchange_fail(cr->x, RSC_RELEASE_VERSION_NOT_SUPPORTED, "`srv`: none of these is a release that is known here");
	return false;
}

static enum hook_result ae_create(struct creation *cr)
{
	bool tracked;

	if (!api_is_good(cr) || !releases_are_good(cr) || !assign_id(cr))
		return HOOK_FAILED;
	if (json_get(cr->given, "cr"))
		attributes_set_string(&cr->attributes, "cr", cr->ri);
	attributes_set_string(&cr->attributes, "aei", cr->ri);
	if (!app_rules_permit(cr))
		return HOOK_FAILED;
	if (json_bool(attributes_value(&cr->attributes, "trps"), &tracked) && tracked && cr->ri[0] == 'S' && !attributes_value(&cr->attributes, "regs"))
		attributes_set_uint(&cr->attributes, "regs", AE_ACTIVE);
	announce_s_type_ae(cr);
	return HOOK_GO;
}

static enum hook_result ae_created(struct creation *cr)
{
	ae_is_registered(cr->x->cse, cr->made);
	return HOOK_GO;
}

/* It came back to where it had been. */
static enum hook_result ae_updated(struct updating *u)
{
	if (ae_has_moved(u->old))
		ae_is_registered(u->x->cse, u->made);
	return HOOK_GO;
}

const struct type_hooks hooks_ae = {.type = TY_AE, .create = ae_create, .created = ae_created, .updated = ae_updated};
