/* notificationTargetSelfReference: DELETE of it takes the originator out of the targets, as the policy says. TS-0001 clause 9.6.34, TS-0004
 * clause 7.4.33. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/compose.h"
#include "cse/notify/outbox.h"
#include "cse/types/target_policy.h"
#include "cse/types/targets.h"
#include "cse/types/types.h"

static bool is_target(struct exchange *x)
{
	const struct json *nu = resource_get(x->target, "nu");

	for (const struct json *t = nu ? nu->first : NULL; t; t = t->next)
		if (target_is(x->cse, t, x->from))
			return true;
	return false;
}

/* ---- leaving ---- */

struct leaving {
	struct cse *cse;
	const char *id;
};

static void take_out(void *ctx, struct attributes *a)
{
	const struct leaving *l = ctx;
	const struct json *nu = attributes_value(a, "nu"), *rest;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	struct rd text;

	json_array(&o, NULL);
	for (const struct json *t = nu ? nu->first : NULL; t; t = t->next)
		if (!target_is(l->cse, t, l->id))
			json_put(&o, NULL, t);
	json_close(&o);
	if (wr_done(&w, &text) && json_parse(a->arena, text, NULL, &rest) == OK)
		attributes_set_json(a, "nu", rest);
	wr_free(&w);
}

static void leave(struct exchange *x)
{
	struct cse *c = x->cse;
	struct leaving l = {c, x->from};
	struct resource *sub;
	struct outbox_policy p;

	if (cse_edit_resource(c, x->target->id, false, take_out, &l) != OK || (sub = tree_by_id(c->tree, x->target->id)) == NULL) {
		exchange_fail(x, RSC_NOT_FOUND, "the subscription is gone");
		return;
	}
	outbox_policy_of(c, sub, &p);
	outbox_change(c, sub->ri, &p, resource_get(sub, "nu"));
	resource_unref(sub);
	exchange_answer(x, RSC_DELETED, rd_of("", 0), rd_str(""));
}

static void reject(struct exchange *x)
{
	exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "the policy about notification targets does not let %s leave", x->from);
}

/* ---- the creator of the subscription is asked, or told ---- */

static void tell_creator(struct exchange *x, bool asks, cse_done *done, void *ctx)
{
	struct cse *c = x->cse;
	const char *creator = x->target->creator;
	bool foreign = compose_is_foreign(c, creator);
	struct wr w = wr_new(4096);
	struct json_out o = json_out(&w);

	compose_begin(c, x->target, foreign, &o);
	json_put_bool(&o, "trr", true);
	if (asks)
		json_put_bool(&o, "tra", true);
	json_put_string(&o, "ntt", compose_id(c, x->from, foreign));
	json_close(&o);
	json_close(&o);
	cse_notify_target(c, creator, rd_of(w.octets, w.len), done, ctx);
	wr_free(&w);
}

static void on_creator(void *ctx, const struct onem2m_response *rsp)
{
	struct exchange *x = ctx;
	const struct json *doc;
	bool allowed = rsp->rsc == RSC_OK;

	/* targetRemovalAllowance; without content the response status code is the answer */
	if (allowed && rsp->content.left > 0 && json_parse(x->arena, rsp->content, NULL, &doc) == OK &&
	    json_bool(json_path(doc, "m2m:sgn.tra"), &allowed) && !allowed)
		allowed = false;
	if (allowed)
		leave(x);
	else
		reject(x);
}

void subscription_self_reference(struct exchange *x)
{
	if (x->rq->operation != ONEM2M_DELETE) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "notificationTargetSelfReference can only be deleted");
		return;
	}
	if (!is_target(x)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s is no notification target of this", x->from);
		return;
	}
	switch (target_policy(x->cse, x->target, x->from)) {
	case TARGET_ACCEPT:
		leave(x);
		return;
	case TARGET_SEEK:
		tell_creator(x, true, on_creator, x);
		return;
	case TARGET_INFORM:
		tell_creator(x, false, NULL, NULL);
		reject(x);
		return;
	case TARGET_REJECT:
		break;
	}
	reject(x);
}
