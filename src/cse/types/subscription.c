/* subscription: TS-0004 clause 7.4.8. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/criteria.h"
#include "cse/notify/outbox.h"
#include "cse/types/cross.h"
#include "cse/types/subscription_check.h"
#include "cse/types/targets.h"
#include "cse/types/types.h"

#define PRIOR_MOST 1000 /* preSubscriptionNotify: never more of the past than waits for a target */

/* ---- creation ---- */

static void on_create_verified(void *ctx, const char *refused)
{
	struct creation *cr = ctx;

	if (refused)
		exchange_fail(cr->x, RSC_SUBSCRIPTION_VERIFICATION_INITIATION_FAILED, "the notification target `%.200s` did not accept the subscription", refused);
	else
		creation_resume(cr);
}

/* A batch without a duration ends some time, and the subscriber sees when. */
static void complete_batch(struct attributes *a)
{
	const struct json *bn = attributes_value(a, "bn"), *completed;
	uint64_t number;
	char text[96];

	if (!bn || json_get(bn, "dur") || !json_uint(json_get(bn, "num"), &number))
		return;
	snprintf(text, sizeof text, "{\"num\":%llu,\"dur\":\"PT%uS\"}", (unsigned long long)number, OUTBOX_BATCH_MS / 1000);
	if (json_parse(a->arena, rd_str(text), NULL, &completed) == OK)
		attributes_set_json(a, "bn", completed);
}

static enum hook_result subscription_create(struct creation *cr)
{
	struct exchange *x = cr->x;
	const struct json *nu = json_get(cr->given, "nu");

	if (!cse_permits(x, x->target, ACOP_RETRIEVE)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not retrieve what it subscribes to", x->from);
		return HOOK_FAILED;
	}
	if (!json_get(cr->given, "nct"))
		attributes_set_uint(&cr->attributes, "nct", criteria_content_default(json_get(cr->given, "enc")));
	complete_batch(&cr->attributes);
	if (!subscription_check(x, x->target, &cr->attributes, 0))
		return HOOK_FAILED;
	cr->resumed = targets_verify(x, cr->ri, nu, NULL, on_create_verified, cr);
	return cr->resumed ? HOOK_WAIT : HOOK_GO;
}

/* ---- preSubscriptionNotify: of the events of the past the tree itself still knows the instances ---- */

struct prior {
	struct resource *list[PRIOR_MOST];
	size_t count, most;
};

static bool note_prior(void *ctx, struct resource *r)
{
	struct prior *k = ctx;

	k->list[k->count++] = resource_ref(r);
	return k->count < k->most;
}

static void tell_prior(struct creation *cr)
{
	struct cse *c = cr->x->cse;
	uint64_t most = resource_uint(cr->made, "psn", 0);
	struct prior *k;

	if (most == 0 || !criteria_has(json_get(resource_get(cr->made, "enc"), "net"), EVENT_CHILD_CREATE))
		return;
	k = calloc(1, sizeof *k);
	if (!k)
		abort();
	k->most = most < PRIOR_MOST ? (size_t)most : PRIOR_MOST;
	if (tree_instances(c->tree, cr->x->target, true, 0, note_prior, k) != OK)
		c->counts.notify_failed++;
	while (k->count > 0) {
		struct resource *r = k->list[--k->count];

		cse_event(c, &(const struct event){.kind = EVENT_CHILD_CREATE, .subject = cr->x->target, .shown = r, .operation = ONEM2M_CREATE,
		    .originator = r->creator, .subscription = cr->made->id});
		resource_unref(r);
	}
	free(k);
}

static enum hook_result subscription_created(struct creation *cr)
{
	cse_monitors(cr->x->cse, resource_get(cr->made, "enc"));
	tell_prior(cr);
	return HOOK_GO;
}

/* ---- update ---- */

static void on_update_verified(void *ctx, const char *refused)
{
	struct updating *u = ctx;

	if (refused)
		exchange_fail(u->x, RSC_SUBSCRIPTION_VERIFICATION_INITIATION_FAILED, "the notification target `%.200s` did not accept the subscription", refused);
	else
		updating_resume(u);
}

/* Criteria that are taken away leave the default, and the subscriber sees it: TS-0001 table 9.6.8-2. */
static void complete_criteria(struct updating *u)
{
	const struct json *enc = json_get(u->given, "enc"), *completed;

	if (enc && enc->type == JSON_NULL && json_parse(u->attributes.arena, rd_str("{\"net\":[1]}"), NULL, &completed) == OK)
		attributes_set_json(&u->attributes, "enc", completed);
}

static enum hook_result subscription_update(struct updating *u)
{
	struct exchange *x = u->x;
	struct resource *parent = tree_parent(x->cse->tree, u->old);
	const struct json *enc;
	bool ok;

	complete_criteria(u);
	if (json_get(u->given, "nct") && json_get(u->given, "nct")->type == JSON_NULL) {
		enc = attributes_value(&u->attributes, "enc");
		attributes_set_uint(&u->attributes, "nct", criteria_content_default(enc));
	}
	complete_batch(&u->attributes);
	ok = parent && subscription_check_update(x, json_get(u->given, "enc")) && subscription_check(x, parent, &u->attributes, u->old->id);
	if (!parent)
		exchange_fail(x, RSC_NOT_FOUND, "what was subscribed to is gone");
	resource_unref(parent);
	if (!ok)
		return HOOK_FAILED;
	u->resumed = targets_verify(x, u->old->ri, json_get(u->given, "nu"), resource_get(u->old, "nu"), on_update_verified, u);
	return u->resumed ? HOOK_WAIT : HOOK_GO;
}

static bool lists(const struct json *list, struct rd text)
{
	for (const struct json *e = list ? list->first : NULL; e; e = e->next)
		if (e->type == JSON_STRING && rd_equal(e->text, text))
			return true;
	return false;
}

/* A crossResourceSubscription that is no longer named has lost one of its events, and ends: TS-0001 clause 10.2.10.5. */
static void note_lost_cross(struct updating *u)
{
	const struct json *before = resource_get(u->old, "acrs"), *now = resource_get(u->made, "acrs");
	char address[CSE_PATH_MAX];

	for (const struct json *a = before ? before->first : NULL; a; a = a->next)
		if (json_text(a, address, sizeof address) && !lists(now, a->text))
			cross_lost(u->x->cse, u->made, address);
}

static enum hook_result subscription_updated(struct updating *u)
{
	struct cse *c = u->x->cse;
	struct outbox_policy p;

	targets_statistics_update(u);
	cse_monitors(c, resource_get(u->made, "enc"));
	outbox_policy_of(c, u->made, &p);
	outbox_change(c, u->made->ri, &p, resource_get(u->made, "nu"));
	if (json_get(u->given, "acrs"))
		note_lost_cross(u);
	return HOOK_GO;
}

/* ---- the end, and the start ---- */

static void subscription_removed(struct cse *c, struct resource *r)
{
	const struct json *acrs = resource_get(r, "acrs");
	char address[CSE_PATH_MAX];

	targets_removed(c, r);
	for (const struct json *a = acrs ? acrs->first : NULL; a; a = a->next)
		if (json_text(a, address, sizeof address))
			cross_lost(c, r, address);
}

static void subscription_start(struct cse *c, struct resource *r)
{
	cse_monitors(c, resource_get(r, "enc"));
}

const struct type_hooks hooks_subscription = {
	.type = TY_SUBSCRIPTION,
	.create = subscription_create,
	.created = subscription_created,
	.child_create = targets_child_create,
	.child_created = targets_child_created,
	.update = subscription_update,
	.updated = subscription_updated,
	.removed = subscription_removed,
	.represent = targets_represent,
	.start = subscription_start,
};
