/* crossResourceSubscription. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/outbox.h"
#include "cse/types/cross.h"
#include "cse/types/targets.h"
#include "cse/types/types.h"

#define SLIDING 2

void cross_address(struct cse *c, int64_t id, char *address, size_t size)
{
	char ri[64];

	tree_ri(ri, sizeof ri, TY_CROSS_RESOURCE_SUBSCRIPTION, 0, id, false);
	snprintf(address, size, "%s/%s", c->config.id, ri);
}

/* ---- checks: TS-0004 clause 7.4.58.2.1 ---- */

static const struct json *entries(const struct json *encs)
{
	const struct json *list = json_get(encs, "encn");

	return list ? list : json_get(encs, "enc");
}

#define REFUSE(x, ...) (exchange_fail(x, RSC_BAD_REQUEST, __VA_ARGS__), false)

static bool targets_are_good(struct exchange *x, const struct attributes *a)
{
	const struct json *rrat = attributes_value(a, "rrat"), *srat = attributes_value(a, "srat"), *list;

	if ((!rrat || !rrat->first) && (!srat || !srat->first))
		return REFUSE(x, "`rrat`: this or `srat` must name something to watch");
	if (!rrat || !rrat->first)
		return true;
	list = entries(attributes_value(a, "encs"));
	if (!list || !list->first)
		return REFUSE(x, "`encs`: must say what to watch at the resources of `rrat`");
	if (list->count != 1 && list->count != rrat->count)
		return REFUSE(x, "`encs`: must have one entry, or one for each resource of `rrat`");
	return true;
}

/* A sliding window begins with an event, so it cannot tell that none came: TS-0001 table 9.6.58-3. */
static bool window_is_good(struct exchange *x, const struct attributes *a)
{
	const struct json *tws = attributes_value(a, "tws");
	uint64_t twt = 0, eem = 1, ms = 0;

	if (json_uint(attributes_value(a, "twt"), &twt) && twt == SLIDING && json_uint(attributes_value(a, "eem"), &eem) && (eem == 3 || eem == 4))
		return REFUSE(x, "`eem`: %llu does not go with a sliding window", (unsigned long long)eem);
	if (!tws || tws->type != JSON_STRING || !duration_parse(tws->text, &ms) || ms == 0)
		return REFUSE(x, "`tws`: must be a duration that is not zero");
	return true;
}

/* Subscriptions of this CSE are noted by resourceID, the name by which they report. */
static bool take_subscriptions(struct creation *cr)
{
	struct exchange *x = cr->x;
	const struct json *srat = json_get(cr->given, "srat"), *list;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	bool ok = true;
	struct rd text;

	if (!srat)
		return true;
	json_array(&o, NULL);
	for (const struct json *s = srat->first; s && ok; s = s->next) {
		struct resource *r = cse_find_address(x->cse, s->text);

		ok = !r || r->type == TY_SUBSCRIPTION;
		if (r)
			json_put_string(&o, NULL, r->ri);
		else
			json_put_rd(&o, NULL, s->text);
		resource_unref(r);
	}
	json_close(&o);
	if (!ok)
		exchange_fail(x, RSC_BAD_REQUEST, "`srat`: must name subscriptions");
	else if (wr_done(&w, &text) && json_parse(x->arena, text, NULL, &list) == OK)
		attributes_set_json(&cr->attributes, "srat", list);
	wr_free(&w);
	return ok;
}

/* ---- creation: the targets are asked, the resource is made, then the subscriptions that report to it ---- */

static void on_create_verified(void *ctx, const char *refused)
{
	struct creation *cr = ctx;

	if (refused)
		exchange_fail(cr->x, RSC_SUBSCRIPTION_VERIFICATION_INITIATION_FAILED, "the notification target `%.200s` did not accept the subscription", refused);
	else
		creation_resume(cr);
}

static enum hook_result cross_create(struct creation *cr)
{
	struct exchange *x = cr->x;

	if (!targets_are_good(x, &cr->attributes) || !window_is_good(x, &cr->attributes) || !take_subscriptions(cr))
		return HOOK_FAILED;
	cr->resumed = targets_verify(x, cr->ri, json_get(cr->given, "nu"), NULL, on_create_verified, cr);
	return cr->resumed ? HOOK_WAIT : HOOK_GO;
}

static void set_made(void *ctx, struct attributes *a)
{
	const struct cross_making *m = ctx;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	const struct json *list;
	struct rd text;
	size_t n = 0;

	json_array(&o, NULL);
	for (size_t i = 0; i < m->count; i++) {
		if (m->made[i]) {
			json_put_string(&o, NULL, m->made[i]);
			n++;
		}
	}
	json_close(&o);
	if (n > 0 && wr_done(&w, &text) && json_parse(a->arena, text, NULL, &list) == OK)
		attributes_set_json(a, "rrats", list);
	wr_free(&w);
}

static void give_up(struct creation *cr, const struct cross_making *m)
{
	struct cse *c = cr->x->cse;
	struct resource *crs = tree_by_id(c->tree, cr->id);

	for (size_t i = 0; i < m->count; i++)
		if (m->made[i])
			cross_targets_delete(c, cr->id, cr->creator, m->made[i]);
	if (crs && cse_delete_subtree(c, crs, false) != OK)
		c->round_broken = true;
	resource_unref(crs);
	resource_unref(cr->made);
	exchange_fail(cr->x, m->refused, "%s", m->why);
}

static void on_made(struct creation *cr, const struct cross_making *m)
{
	struct cse *c = cr->x->cse;
	struct cross_making copy = *m;
	struct resource *crs;
	enum err e = m->refused ? OK : cse_edit_resource(c, cr->id, false, set_made, &copy);

	if (!m->refused && e != OK) {
		copy.refused = e == ERR_NOT_FOUND ? RSC_NOT_FOUND : RSC_INTERNAL_SERVER_ERROR;
		copy.why = e == ERR_NOT_FOUND ? "it was deleted meanwhile" : "the store failed";
	}
	crs = copy.refused ? NULL : tree_by_id(c->tree, cr->id);
	if (!crs) {
		give_up(cr, &copy);
		return;
	}
	resource_unref(cr->made);
	cr->made = crs;
	cross_window_start(c, crs);
	creation_finish(cr);
}

static enum hook_result cross_created(struct creation *cr)
{
	exchange_keep(cr->x);
	cross_targets_make(cr, on_made);
	return HOOK_WAIT;
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

static enum hook_result cross_update(struct updating *u)
{
	if (!window_is_good(u->x, &u->attributes))
		return HOOK_FAILED;
	u->resumed = targets_verify(u->x, u->old->ri, json_get(u->given, "nu"), resource_get(u->old, "nu"), on_update_verified, u);
	return u->resumed ? HOOK_WAIT : HOOK_GO;
}

static enum hook_result cross_updated(struct updating *u)
{
	struct cse *c = u->x->cse;
	struct outbox_policy p;

	targets_statistics_update(u);
	outbox_policy_of(c, u->made, &p);
	outbox_change(c, u->made->ri, &p, resource_get(u->made, "nu"));
	if (json_get(u->given, "tws") || json_get(u->given, "twt") || json_get(u->given, "eem"))
		cross_window_start(c, u->made);
	return HOOK_GO;
}

/* ---- the end, and the start ---- */

static void cross_removed(struct cse *c, struct resource *r)
{
	cross_window_end(c, r->id);
	targets_removed(c, r);
	cross_targets_release(c, r);
}

static void end_half_made(struct cse *c, int64_t id, const char *text)
{
	struct resource *crs = tree_by_id(c->tree, id);

	(void)text;
	if (crs && cse_delete_subtree(c, crs, false) != OK)
		c->round_broken = true;
	resource_unref(crs);
}

static void cross_start(struct cse *c, struct resource *r)
{
	/* its creation was never answered: the CSE ended while the subscriptions were being made */
	if (resource_get(r, "rrat") && !resource_get(r, "rrats"))
		cse_before_commit(c, end_half_made, r->id, "");
	else
		cross_window_start(c, r);
}

const struct type_hooks hooks_cross_resource_subscription = {
	.type = TY_CROSS_RESOURCE_SUBSCRIPTION,
	.create = cross_create,
	.created = cross_created,
	.child_create = targets_child_create,
	.child_created = targets_child_created,
	.update = cross_update,
	.updated = cross_updated,
	.removed = cross_removed,
	.represent = targets_represent,
	.start = cross_start,
};
