/* remoteCSE: registration of a CSE. TS-0004 clause 7.4.4.2. */
#include <stdio.h>
#include <string.h>

#include "cse/registration.h"
#include "cse/types/group.h"
#include "cse/types/types.h"

static bool is_cse_id(const char *id)
{
	return id[0] == '/' && id[1] != '\0' && !strchr(id + 1, '/');
}

/* Another `csi` than the originator's means nothing. By the customs of open CSEs who has not even a CSEBase with it is no CSE at all. */
bool remote_cse_is_its_own(struct exchange *x, const struct json *given)
{
	const struct json *csi = json_get(given, "csi");

	if (!x->cse->config.customs || x->privileged || json_get(given, "cb") || !csi || csi->type != JSON_STRING || !is_cse_id(x->from) || json_is_string(csi, x->from))
		return true;
	exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "`csi`: `%s` can register itself alone", x->from);
	return false;
}

/* "/id-mn" of "/id-mn/cse-mn". */
static bool cse_of_base(const struct json *cb, char *csi, size_t size)
{
	char *end;

	if (!json_text(cb, csi, size))
		return false;
	end = csi[0] == '/' ? strchr(csi + 1, '/') : NULL;
	if (end)
		*end = '\0';
	return is_cse_id(csi);
}

/* The originator is the one that registers; only the administrator may name another, if need be by its CSEBase. */
static bool take_csi(struct creation *cr, char *csi, size_t size)
{
	struct exchange *x = cr->x;

	if (x->privileged && !json_get(cr->given, "csi") && cse_of_base(json_get(cr->given, "cb"), csi, size))
		return true;
	if (x->privileged && json_text(json_get(cr->given, "csi"), csi, size)) {
		if (is_cse_id(csi))
			return true;
		exchange_fail(x, RSC_BAD_REQUEST, "`csi`: a CSE-ID is one name behind one `/`");
		return false;
	}
	if (!is_cse_id(x->from)) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "`%s` is no CSE, which alone can register as one", x->from);
		return false;
	}
	snprintf(csi, size, "%s", x->from);
	return true;
}

static bool is_free(struct creation *cr, const char *csi)
{
	struct resource *other = tree_by_ri(cr->x->cse->tree, rd_str(csi + 1));
	bool registered = other && other->type == TY_REMOTE_CSE;

	resource_unref(other);
	if (registered)
		exchange_fail(cr->x, RSC_ORIGINATOR_HAS_ALREADY_REGISTERED, "the CSE `%s` is registered already", csi);
	else if (other)
		exchange_fail(cr->x, RSC_CONFLICT, "`%s` is something else here", csi);
	return !other;
}

static enum hook_result csr_create(struct creation *cr)
{
	struct exchange *x = cr->x;
	const struct cse_config *k = &x->cse->config;
	char csi[CSE_ID_MAX];

	if (!take_csi(cr, csi, sizeof csi))
		return HOOK_FAILED;
	if (strcmp(csi, k->id) == 0) {
		exchange_fail(x, RSC_BAD_REQUEST, "`csi`: a CSE does not register with itself");
		return HOOK_FAILED;
	}
	if (!x->privileged && k->cse_originators && !cse_list_matches(k->cse_originators, csi)) {
		exchange_fail(x, RSC_OPERATION_DENIED_BY_REMOTE_ENTITY, "the CSE `%s` may not register here", csi);
		return HOOK_FAILED;
	}
	if (!subscription_covers(x, csi) || !is_free(cr, csi))
		return HOOK_FAILED;
	snprintf(cr->ri, sizeof cr->ri, "%.127s", csi + 1);
	cr->own_ri = true;
	cr->creator = exchange_text(x, rd_str(csi));
	attributes_set_string(&cr->attributes, "csi", csi);
	return HOOK_GO;
}

/* What waits for this CSE goes on; the registrar hears of it. */
static void is_there(struct cse *c, struct resource *r, bool surely)
{
	char csi[CSE_ID_MAX];

	registration_descendants_changed(c, surely);
	if (json_text(resource_get(r, "csi"), csi, sizeof csi)) {
		announce_cse_is_there(c, csi);
		cmdh_next_cse_is_there(c, csi);
		group_cse_is_there(c, csi);
	}
}

static enum hook_result csr_created(struct creation *cr)
{
	is_there(cr->x->cse, cr->made, true);
	return HOOK_GO;
}

static enum hook_result csr_updated(struct updating *u)
{
	is_there(u->x->cse, u->made, false);
	return HOOK_GO;
}

static void csr_removed(struct cse *c, struct resource *r)
{
	(void)r;
	registration_descendants_changed(c, true);
}

const struct type_hooks hooks_remote_cse = {
	.type = TY_REMOTE_CSE,
	.create = csr_create,
	.created = csr_created,
	.updated = csr_updated,
	.removed = csr_removed,
};
