/* Access control: TS-0003 clause 7.1, TS-0001 clauses 9.6.1.3.2 and 9.6.2. Default deny. */
#include <stdio.h>
#include <string.h>

#include "base/ip.h"
#include "cse/private.h"
#include "cse/schedule.h"

#define INHERIT_DEPTH 64

bool cse_pattern_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *again = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			again = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool cse_id_matches(const char *pattern, const char *id)
{
	const char *star = NULL, *swallowed = NULL; /* the last star of this segment, and the end of what it stands for */

	while (*id || *pattern) {
		if (*pattern == '*') {
			star = pattern++;
			swallowed = id;
		} else if (*id && *pattern == *id) {
			if (*id == '/')
				star = NULL; /* an earlier segment is settled: a star cannot reach beyond it */
			pattern++;
			id++;
		} else if (star && *swallowed && *swallowed != '/') {
			pattern = star + 1;
			id = ++swallowed;
		} else {
			return false;
		}
	}
	return true;
}

bool cse_list_matches(const char *patterns, const char *text)
{
	struct rd list = rd_str(patterns ? patterns : ""), part;
	char pattern[CSE_ID_MAX];

	while (list.left > 0) {
		if (!rd_until(&list, ',', &part))
			part = rd_rest(&list);
		while (part.left > 0 && part.at[0] == ' ')
			part = rd_of(part.at + 1, part.left - 1);
		if (rd_text(part, pattern, sizeof pattern) && cse_pattern_matches(pattern, text))
			return true;
	}
	return false;
}

/* ---- who ---- */

static bool is_member(struct exchange *x, struct resource *group)
{
	const struct json *mid = resource_get(group, "mid");
	char id[CSE_ID_MAX];

	for (const struct json *m = mid ? mid->first : NULL; m; m = m->next)
		if (m->type == JSON_STRING && cse_sp_relative(x->cse, m->text, id, sizeof id) && strcmp(id, x->from) == 0)
			return true;
	return false;
}

static bool role_held(struct exchange *x, struct rd role)
{
	struct rd roles = x->rq->role_ids, part;

	while (roles.left > 0) {
		if (!rd_until(&roles, '+', &part))
			part = rd_rest(&roles);
		if (rd_equal(part, role))
			return true;
	}
	return false;
}


/* An originator pattern, the name of a group whose members are meant, or a role. */
static bool is_meant(struct exchange *x, const struct json *o)
{
	char pattern[CSE_ID_MAX], absolute[CSE_ID_MAX];
	struct resource *r;
	bool member = false;

	if (json_is_string(o, "all") || json_is_string(o, "*"))
		return true;
	if (!json_text(o, pattern, sizeof pattern))
		return false;
	if (cse_sp_relative(x->cse, rd_str(pattern), absolute, sizeof absolute) && cse_id_matches(absolute, x->from))
		return true;
	/* a pattern such as "C*" means AEs wherever they are registered */
	if (pattern[0] != '/' && strrchr(x->from, '/') && cse_id_matches(pattern, strrchr(x->from, '/') + 1) && strchr(pattern, '*'))
		return true;
	if (role_held(x, o->text) && access_role_is_assigned(x, o->text))
		return true;
	if (strchr(pattern, '*'))
		return false;
	r = cse_find_address(x->cse, o->text);
	if (r && r->type == TY_GROUP)
		member = is_member(x, r);
	resource_unref(r);
	return member;
}

static bool originator_matches(struct exchange *x, const struct json *acor)
{
	for (const struct json *o = acor ? acor->first : NULL; o; o = o->next)
		if (is_meant(x, o))
			return true;
	return false;
}

/* ---- when and from where ---- */

static bool in_window(struct exchange *x, const struct json *windows)
{
	if (!windows)
		return true;
	for (const struct json *w = windows->type == JSON_ARRAY ? windows->first : NULL; w; w = w->next)
		if (w->type == JSON_STRING && schedule_is_active(w->text, cse_now(x->cse)))
			return true;
	return false;
}

static bool from_address(struct exchange *x, const struct json *acip)
{
	static const char *const families[] = {"ipv4", "ipv6"};

	if (!acip)
		return true;
	for (size_t f = 0; f < 2; f++) {
		const struct json *list = json_get(acip, families[f]);

		for (const struct json *n = list ? list->first : NULL; n; n = n->next)
			if (n->type == JSON_STRING && ip_is_within(x->rq->address, n->text))
				return true;
	}
	return false;
}

/* acco: any of the contexts. A location condition needs to know where the originator is; who does not tell does not match. */
static bool context_matches(struct exchange *x, const struct json *acco)
{
	if (!acco)
		return true;
	if (acco->type != JSON_ARRAY)
		return in_window(x, json_get(acco, "actw")) && from_address(x, json_get(acco, "acip")) && !json_get(acco, "aclr");
	for (const struct json *c = acco->first; c; c = c->next)
		if (context_matches(x, c))
			return true;
	return false;
}

/* ---- what ---- */

static bool has_number(const struct json *list, int n)
{
	uint64_t v;

	for (const struct json *e = list ? list->first : NULL; e; e = e->next)
		if (json_uint(e, &v) && v == (uint64_t)n)
			return true;
	return false;
}

struct asking {
	unsigned acop;
	struct resource *object; /* what the operation is on */
	int child_type;          /* of a CREATE */
};

/* acod: any of the object details. chty limits CREATE to these child types. */
static bool object_matches(const struct asking *q, const struct json *acod)
{
	if (!acod)
		return true;
	for (const struct json *d = acod->type == JSON_ARRAY ? acod->first : acod; d; d = acod->type == JSON_ARRAY ? d->next : NULL) {
		const struct json *chty = json_get(d, "chty"), *ty = json_get(d, "ty");
		uint64_t n;
		bool ok = !ty || (json_uint(ty, &n) ? n == (uint64_t)q->object->type : has_number(ty, q->object->type));

		if (ok && q->acop == ACOP_CREATE)
			ok = !chty || has_number(chty, q->child_type);
		if (ok)
			return true;
	}
	return false;
}

static bool rules_permit(struct exchange *x, const struct json *privileges, const struct asking *q)
{
	const struct json *acr = json_get(privileges, "acr");

	for (const struct json *r = acr ? acr->first : NULL; r; r = r->next) {
		uint64_t operations;
		bool b;

		if (!json_uint(json_get(r, "acop"), &operations) || (operations & q->acop) != q->acop || !originator_matches(x, json_get(r, "acor")))
			continue;
		if (json_bool(json_get(r, "acaf"), &b) && b && !x->rq->internal && !x->rq->genuine && (!x->rq->peer || !x->rq->peer[0]))
			continue;
		if (context_matches(x, json_get(r, "acco")) && object_matches(q, json_get(r, "acod")))
			return true;
	}
	return false;
}

static bool policies_permit(struct exchange *x, const struct json *acpi, const struct asking *q)
{
	for (const struct json *id = acpi->first; id; id = id->next) {
		struct resource *policy = id->type == JSON_STRING ? cse_find_address(x->cse, id->text) : NULL;
		bool ok;

		if (!policy && id->type == JSON_STRING)
			policy = announce_policy(x->cse, id->text);
		ok = policy && policy->type % TY_ANNOUNCED == TY_ACP && rules_permit(x, resource_get(policy, "pv"), q);
		resource_unref(policy);
		if (ok)
			return true;
	}
	return false;
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

static bool decide(struct exchange *x, struct resource *r, const struct asking *q, unsigned depth)
{
	const struct json *acpi;
	struct resource *parent;
	bool ok;

	/* what another CSE announced stays its own, and its original open to the CSE that has the double */
	if ((r->type >= TY_ANNOUNCED && is_creator(x, r)) || announce_has_double(x, r, q->acop))
		return true;
	if (r->type % TY_ANNOUNCED == TY_ACP)
		return rules_permit(x, resource_get(r, "pvs"), q);
	acpi = r->schema && r->schema->own_acpi ? resource_get(r, "acpi") : NULL;
	if (acpi && acpi->first)
		return policies_permit(x, acpi, q);
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

static bool permits(struct exchange *x, const struct asking *q)
{
	return x->privileged || decide(x, q->object, q, INHERIT_DEPTH) || access_dynamic(x, q->object, q->acop);
}

bool cse_permits(struct exchange *x, struct resource *r, unsigned acop)
{
	return permits(x, &(const struct asking){acop, r, 0});
}

bool cse_permits_child(struct exchange *x, struct resource *parent, int child_type)
{
	return permits(x, &(const struct asking){ACOP_CREATE, parent, child_type});
}

bool cse_policies_permit(struct exchange *x, const struct json *acpi, struct resource *object, unsigned acop, int child_type)
{
	return x->privileged || policies_permit(x, acpi, &(const struct asking){acop, object, child_type});
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
