/* notificationTargetPolicy, its deletion rules, and the references to it. */
#include "cse/types/target_policy.h"

#include <string.h>

#include "cse/schedule.h"
#include "cse/types/targets.h"
#include "cse/types/types.h"

#define AND 1
#define RULES_MOST 2

/* ---- deletion rules ---- */

/* timeOfDay entries and locationRegions, joined by deletionRulesRelation. Where the target is the CSE does not know, so that no region holds. */
static bool rule_holds(struct cse *c, struct resource *rule)
{
	const struct json *dr = resource_get(rule, "dr"), *tod = json_get(dr, "tod"), *lr = json_get(dr, "lr");
	size_t all = (tod ? tod->count : 0) + (lr ? lr->count : 0), held = 0;

	for (const struct json *e = tod ? tod->first : NULL; e; e = e->next)
		held += e->type == JSON_STRING && schedule_is_active(e->text, cse_now(c));
	if (all == 0)
		return true;
	return resource_uint(rule, "drr", 2) == AND ? held == all : held > 0;
}

struct rules {
	struct cse *cse;
	size_t all, held;
};

static bool tally(void *ctx, struct resource *r)
{
	struct rules *k = ctx;

	k->all++;
	k->held += rule_holds(k->cse, r);
	return true;
}

static bool rules_permit(struct cse *c, struct resource *policy)
{
	struct rules k = {c, 0, 0};

	if (tree_children(c->tree, policy, TY_POLICY_DELETION_RULES, false, tally, &k) != OK)
		return false;
	if (k.all == 0)
		return true;
	return resource_uint(policy, "rrs", AND) == AND ? k.held == k.all : k.held > 0;
}

/* ---- which policy ---- */

struct search {
	struct cse *cse;
	const char *text;
	struct resource *found;
};

static bool names_target(struct search *s, struct resource *r)
{
	const struct json *ntu = resource_get(r, "ntu");

	for (const struct json *t = ntu ? ntu->first : NULL; t; t = t->next)
		if (target_is(s->cse, t, s->text) || json_is_string(t, s->text))
			return true;
	return false;
}

static bool is_reference(void *ctx, struct resource *r)
{
	struct search *s = ctx;

	if (names_target(s, r))
		s->found = resource_ref(r);
	return !s->found;
}

static bool is_default_of(void *ctx, struct resource *r)
{
	struct search *s = ctx;

	if (strcmp(r->creator, s->text) == 0 && resource_is(r, "plbl", "Default") && !cse_is_fixed(s->cse, r))
		s->found = resource_ref(r);
	return !s->found;
}

static struct resource *referenced(struct cse *c, struct resource *sub, const char *target)
{
	struct search s = {c, target, NULL};
	struct resource *policy = NULL;
	const struct json *npi;

	if (tree_children(c->tree, sub, TY_NOTIFICATION_TARGET_MGMT_POLICY_REF, false, is_reference, &s) != OK || !s.found)
		return NULL;
	npi = resource_get(s.found, "npi");
	if (npi && npi->type == JSON_STRING)
		policy = cse_find_address(c, npi->text);
	resource_unref(s.found);
	if (policy && policy->type != TY_NOTIFICATION_TARGET_POLICY) {
		resource_unref(policy);
		policy = NULL;
	}
	return policy;
}

static struct resource *default_of(struct cse *c, const char *creator)
{
	struct search s = {c, creator, NULL};

	return tree_by_type(c->tree, TY_NOTIFICATION_TARGET_POLICY, is_default_of, &s) == OK ? s.found : NULL;
}

static struct resource *default_of_cse(struct cse *c)
{
	struct resource *base = tree_by_id(c->tree, c->base_id), *policy = base ? tree_child(c->tree, base, rd_str("defaultNTP")) : NULL;

	resource_unref(base);
	return policy;
}

enum target_action target_policy(struct cse *c, struct resource *sub, const char *target)
{
	struct resource *policy = referenced(c, sub, target);
	enum target_action action = TARGET_REJECT;

	if (!policy)
		policy = default_of(c, sub->creator);
	if (!policy)
		policy = default_of_cse(c);
	if (policy && rules_permit(c, policy))
		action = (enum target_action)resource_uint(policy, "acn", TARGET_REJECT);
	resource_unref(policy);
	return action;
}

/* ---- notificationTargetPolicy ---- */

struct same_label {
	const char *creator;
	struct rd label;
	int64_t but;
	bool found;
};

static bool has_label(void *ctx, struct resource *r)
{
	struct same_label *s = ctx;
	struct rd label;

	s->found = r->id != s->but && strcmp(r->creator, s->creator) == 0 && json_string(resource_get(r, "plbl"), &label) && rd_equal(label, s->label);
	return !s->found;
}

/* A creator's policies have different labels: TS-0004 clause 7.4.31.2.1. */
static bool label_is_free(struct exchange *x, const char *creator, const struct json *label, int64_t but)
{
	struct same_label s = {creator, label ? label->text : rd_of("", 0), but, false};

	if (!label)
		return true;
	if (tree_by_type(x->cse->tree, TY_NOTIFICATION_TARGET_POLICY, has_label, &s) != OK || s.found) {
		exchange_fail(x, RSC_BAD_REQUEST, "`plbl`: another policy of this creator has the label");
		return false;
	}
	return true;
}

static enum hook_result policy_create(struct creation *cr)
{
	const struct cse *c = cr->x->cse;

	/* the administrator's default would be everybody's */
	if (json_get(cr->given, "cr") && c->admin[0] && strcmp(c->admin, cr->creator) == 0) {
		exchange_fail(cr->x, RSC_BAD_REQUEST, "`cr`: the administrator is nobody's subscription creator");
		return HOOK_FAILED;
	}
	return label_is_free(cr->x, cr->creator, json_get(cr->given, "plbl"), 0) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result policy_update(struct updating *u)
{
	return label_is_free(u->x, u->old->creator, json_get(u->given, "plbl"), u->old->id) ? HOOK_GO : HOOK_FAILED;
}

static bool count_rule(void *ctx, struct resource *r)
{
	(void)r;
	++*(size_t *)ctx;
	return true;
}

static enum hook_result policy_child_create(struct creation *cr)
{
	size_t n = 0;

	if (cr->type->ty != TY_POLICY_DELETION_RULES)
		return HOOK_GO;
	if (tree_children(cr->x->cse->tree, cr->x->target, TY_POLICY_DELETION_RULES, false, count_rule, &n) == OK && n < RULES_MOST)
		return HOOK_GO;
	exchange_fail(cr->x, RSC_CONFLICT, "a policy has no more than %d policyDeletionRules", RULES_MOST);
	return HOOK_FAILED;
}

const struct type_hooks hooks_target_policy = {
	.type = TY_NOTIFICATION_TARGET_POLICY,
	.create = policy_create,
	.update = policy_update,
	.child_create = policy_child_create,
};

/* ---- notificationTargetMgmtPolicyRef ---- */

struct overlap {
	const struct json *ntu;
	int64_t but;
	bool found;
};

static bool overlaps(void *ctx, struct resource *r)
{
	struct overlap *k = ctx;
	const struct json *ntu = r->id == k->but ? NULL : resource_get(r, "ntu");

	for (const struct json *a = ntu ? ntu->first : NULL; a && !k->found; a = a->next)
		for (const struct json *b = k->ntu->first; b && !k->found; b = b->next)
			k->found = json_equal(a, b);
	return !k->found;
}

bool target_references_are_unique(struct cse *c, struct resource *sub, const struct json *ntu, int64_t but)
{
	struct overlap k = {ntu, but, false};

	if (!ntu || ntu->type != JSON_ARRAY)
		return true;
	return tree_children(c->tree, sub, TY_NOTIFICATION_TARGET_MGMT_POLICY_REF, false, overlaps, &k) == OK && !k.found;
}

static enum hook_result conflict(struct exchange *x)
{
	exchange_fail(x, RSC_CONFLICT, "`ntu`: another notificationTargetMgmtPolicyRef names the target");
	return HOOK_FAILED;
}

static enum hook_result reference_create(struct creation *cr)
{
	return target_references_are_unique(cr->x->cse, cr->x->target, json_get(cr->given, "ntu"), 0) ? HOOK_GO : conflict(cr->x);
}

static enum hook_result reference_update(struct updating *u)
{
	struct resource *sub = tree_parent(u->x->cse->tree, u->old);
	bool ok = sub && target_references_are_unique(u->x->cse, sub, json_get(u->given, "ntu"), u->old->id);

	resource_unref(sub);
	return ok ? HOOK_GO : conflict(u->x);
}

const struct type_hooks hooks_target_reference = {
	.type = TY_NOTIFICATION_TARGET_MGMT_POLICY_REF,
	.create = reference_create,
	.update = reference_update,
};
