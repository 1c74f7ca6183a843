/* Access control: TS-0003 clause 7.1, TS-0001 clauses 9.6.1.3.2 and 9.6.2. Default deny. The order of the decision: docs/access-control.md. */
#include <stdio.h>
#include <string.h>

#include "cse/access.h"

#define INHERIT_DEPTH 64

struct resource *access_policy(struct cse *c, const struct json *address)
{
	struct resource *policy = address->type == JSON_STRING ? cse_find_address(c, address->text) : NULL;

	if (!policy && address->type == JSON_STRING)
		policy = announce_policy(c, address->text);
	if (policy && policy->type % TY_ANNOUNCED != TY_ACP) {
		resource_unref(policy);
		policy = NULL;
	}
	return policy;
}

/* Policies that are gone, or out of reach, decide nothing. */
static bool any_policy_exists(struct cse *c, const struct json *acpi)
{
	for (const struct json *id = acpi->first; id; id = id->next) {
		struct resource *policy = access_policy(c, id);

		resource_unref(policy);
		if (policy)
			return true;
	}
	return false;
}

static bool policies_permit(struct exchange *x, const struct json *acpi, const struct access_question *q)
{
	bool any = false;

	for (const struct json *id = acpi->first; id; id = id->next) {
		struct resource *policy = access_policy(x->cse, id);
		bool ok = policy && access_rules_permit(x, resource_get(policy, "pv"), q);

		resource_unref(policy);
		if (ok && !x->limited)
			return true;
		any = any || ok;
	}
	return any;
}

/* ---- the decision ---- */

static bool is_creator(struct exchange *x, struct resource *r)
{
	return r->type != TY_CSE_BASE && x->from[0] && strcmp(r->creator, x->from) == 0;
}

/* A custodian has what the creator would have, and alone: TS-0001 clause 9.6.1.3.2. */
static bool has_custodian(struct exchange *x, struct resource *r, bool *is_it)
{
	struct rd cstn;
	char id[CSE_ID_MAX];

	if (!json_string(resource_get(r, "cstn"), &cstn))
		return false;
	*is_it = cse_sp_relative(x->cse, cstn, id, sizeof id) && strcmp(id, x->from) == 0;
	return true;
}

/* The AE's own branch is its own, where no policy says otherwise. */
static bool is_own_ae(struct exchange *x, struct resource *r)
{
	const char *id = x->cse->config.id;
	size_t n = strlen(id);

	return r->type == TY_AE && strncmp(x->from, id, n) == 0 && x->from[n] == '/' && strcmp(x->from + n + 1, r->ri) == 0;
}

/* A CSE that is registered here, or below one that is, or that is reached over the registrar. */
static bool is_cse_on_the_way(struct cse *c, const char *from)
{
	struct resource *hop;

	if (from[0] != '/' || strchr(from + 1, '/'))
		return false;
	hop = cse_next_hop(c, from);
	resource_unref(hop);
	return hop || c->config.registrar_id;
}

static bool is_registered(struct exchange *x)
{
	const char *id = x->cse->config.id;
	size_t n = strlen(id);
	struct resource *r;
	bool ok;

	if (strncmp(x->from, id, n) != 0 || x->from[n] != '/')
		return is_cse_on_the_way(x->cse, x->from);
	r = tree_by_ri(x->cse->tree, rd_str(x->from + n + 1));
	ok = r && r->type == TY_AE;
	resource_unref(r);
	return ok;
}

static bool decide(struct exchange *x, struct resource *r, const struct access_question *q, unsigned depth)
{
	const struct json *acpi;
	struct resource *parent;
	bool ok;

	/* what another CSE announced stays its own, and its original open to the CSE that has the double */
	if ((r->type >= TY_ANNOUNCED && is_creator(x, r)) || announce_has_double(x, r, q->acop) || announce_may_take_place(x, r, q->acop))
		return true;
	if (r->type % TY_ANNOUNCED == TY_ACP)
		return access_rules_permit(x, resource_get(r, "pvs"), q);
	acpi = r->schema && r->schema->own_acpi ? resource_get(r, "acpi") : NULL;
	/* where none of the policies is there it is as without: TS-0001 table 9.6.1.3.1-1 */
	if (acpi && acpi->first && policies_permit(x, acpi, q))
		return true;
	if (acpi && acpi->first && any_policy_exists(x->cse, acpi))
		return false;
	if (has_custodian(x, r, &ok))
		return ok;
	if (is_creator(x, r) || is_own_ae(x, r))
		return true;
	/* whoever is registered may look at the CSEBase itself */
	if (r->type == TY_CSE_BASE)
		return (q->acop == ACOP_RETRIEVE || q->acop == ACOP_DISCOVERY) && r == q->object && is_registered(x);
	if (depth == 0)
		return false;
	parent = tree_parent(x->cse->tree, r);
	ok = parent && parent->type != TY_CSE_BASE && decide(x, parent, q, depth - 1);
	resource_unref(parent);
	return ok;
}

bool access_found_permits(struct exchange *x, const struct access_question *q)
{
	struct access_found *f = x->found;
	bool ok;

	if (!f || f->object != (!q->object ? 0 : q->object->instance ? q->object->parent : q->object->id))
		return false;
	if (f->permit && f->acop == q->acop && f->child_type == q->child_type)
		return true;
	f->in_use = true;
	ok = f->roles && q->object && decide(x, q->object, q, INHERIT_DEPTH);
	for (size_t i = 0; i < f->count && !ok; i++)
		ok = access_rules_permit(x, f->policies[i], q);
	f->in_use = false;
	return ok;
}

const struct json *access_policies_of(struct cse *c, struct resource *r, struct resource **whose)
{
	struct resource *at = resource_ref(r), *above;

	for (unsigned depth = INHERIT_DEPTH; at && depth > 0; depth--) {
		const struct json *acpi = at->schema && at->schema->own_acpi ? resource_get(at, "acpi") : NULL;

		if (at->type % TY_ANNOUNCED == TY_ACP)
			break;
		if (acpi && acpi->first) {
			*whose = at;
			return acpi;
		}
		if (resource_get(at, "cstn") || at->type == TY_CSE_BASE)
			break;
		above = tree_parent(c->tree, at);
		resource_unref(at);
		at = above;
	}
	resource_unref(at);
	return NULL;
}

bool access_permits(struct exchange *x, const struct access_question *q)
{
	x->limited = NULL;
	if (x->privileged || decide(x, q->object, q, INHERIT_DEPTH) || access_tokens_permit(x, q) || access_granted(x, q) || access_found_permits(x, q))
		return true;
	/* what may be asked of somebody else, if the operation ends because of it; instances have their parent's policies */
	x->denied = q->object->instance ? q->object->parent : q->object->id;
	x->denied_acop = q->acop;
	x->denied_type = q->object->type;
	x->denied_child = q->child_type;
	return false;
}

bool access_shows(const struct json *limited, struct rd name)
{
	for (const struct json *n = limited ? limited->first : NULL; n; n = n->next)
		if (n->type == JSON_STRING && rd_equal(n->text, name))
			return true;
	return !limited;
}

bool cse_permits(struct exchange *x, struct resource *r, unsigned acop)
{
	return access_permits(x, &(const struct access_question){acop, r, 0});
}

bool cse_permits_child(struct exchange *x, struct resource *parent, int child_type)
{
	return access_permits(x, &(const struct access_question){ACOP_CREATE, parent, child_type});
}

bool cse_policies_permit(struct exchange *x, const struct json *acpi, struct resource *object, unsigned acop, int child_type)
{
	return x->privileged || policies_permit(x, acpi, &(const struct access_question){acop, object, child_type});
}

/* Policies that do not exist protect nothing: TS-0004 clause 7.3.3.5. */
bool cse_policies_exist(struct exchange *x, const struct json *acpi)
{
	if (acpi && acpi->type == JSON_ARRAY && !acpi->first) {
		exchange_fail(x, RSC_BAD_REQUEST, "`acpi`: must name a policy");
		return false;
	}
	for (const struct json *id = acpi && acpi->type == JSON_ARRAY ? acpi->first : NULL; id; id = id->next) {
		char other[CSE_ID_MAX];
		struct resource *r;
		struct rd rest;
		bool ok;

		if (id->type != JSON_STRING || !cse_is_local(x->cse, id->text, &rest, other, sizeof other))
			continue;
		r = cse_find(x->cse, rest, NULL, NULL);
		ok = r && r->type % TY_ANNOUNCED == TY_ACP;
		resource_unref(r);
		if (!ok) {
			exchange_fail(x, RSC_BAD_REQUEST, "`acpi`: there is no accessControlPolicy `%.*s`", (int)(id->text.left < 200 ? id->text.left : 200),
			    (const char *)id->text.at);
			return false;
		}
	}
	return true;
}

/* One that is not there may come yet; until then the parent's are asked. TS-0001 clause 9.6.1.3.2. */
bool cse_consultations_fit(struct exchange *x, const struct json *daci)
{
	for (const struct json *id = daci && daci->type == JSON_ARRAY ? daci->first : NULL; id; id = id->next) {
		char other[CSE_ID_MAX];
		struct resource *r;
		struct rd rest;
		bool ok;

		if (id->type != JSON_STRING || !cse_is_local(x->cse, id->text, &rest, other, sizeof other))
			continue;
		r = cse_find(x->cse, rest, NULL, NULL);
		ok = !r || r->type == TY_DYNAMIC_AUTHORIZATION_CONSULTATION;
		resource_unref(r);
		if (!ok) {
			exchange_fail(x, RSC_BAD_REQUEST, "`daci`: no dynamicAuthorizationConsultation is `%.*s`", (int)(id->text.left < 200 ? id->text.left : 200),
			    (const char *)id->text.at);
			return false;
		}
	}
	return true;
}
