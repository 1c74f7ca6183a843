/* subscription: TS-0004 clause 7.4.8. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/outbox.h"
#include "cse/types/types.h"

/* ---- verification of targets before the subscription exists: TS-0004 clause 7.4.8.2.1 ---- */

static void on_verified(void *ctx, const struct onem2m_response *rsp)
{
	struct creation *cr = ctx;

	if (rsp->rsc != RSC_OK)
		cr->refused = true;
	if (--cr->waits > 0)
		return;
	if (cr->refused)
		exchange_fail(cr->x, RSC_SUBSCRIPTION_VERIFICATION_INITIATION_FAILED, "a notification target did not accept the subscription");
	else
		creation_resume(cr);
}

static void verify(struct creation *cr, const char *target)
{
	struct cse *c = cr->x->cse;
	struct wr w = wr_new(4096);
	struct json_out o = json_out(&w);
	char reference[CSE_ID_MAX];

	json_object(&o, NULL);
	json_object(&o, "m2m:sgn");
	json_put_bool(&o, "vrq", true);
	snprintf(reference, sizeof reference, "%s/%s", c->config.id, cr->ri);
	json_put_string(&o, "sur", reference);
	json_put_string(&o, "cr", cr->x->from);
	json_close(&o);
	json_close(&o);
	cse_notify_target(c, target, rd_of(w.octets, w.len), on_verified, cr);
	wr_free(&w);
}

static bool needs_verification(struct creation *cr, const struct json *nu, char *target, size_t size)
{
	char id[CSE_ID_MAX];

	if (!json_text(nu, target, size))
		return false;
	if (strstr(target, "://"))
		return true;
	if (!cr->x->cse->config.verify_subscriptions)
		return false;
	return cse_sp_relative(cr->x->cse, nu->text, id, sizeof id) && strcmp(id, cr->x->from) != 0;
}

static enum hook_result subscription_create(struct creation *cr)
{
	const struct json *nu = json_get(cr->given, "nu");
	char target[CSE_ID_MAX];

	if (!nu || !nu->first) {
		exchange_fail(cr->x, RSC_BAD_REQUEST, "`nu`: must name a target");
		return HOOK_FAILED;
	}
	if (!cse_permits(cr->x, cr->x->target, ACOP_RETRIEVE)) {
		exchange_fail(cr->x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not retrieve what it subscribes to", cr->x->from);
		return HOOK_FAILED;
	}
	if (!json_get(cr->given, "nct"))
		attributes_set_uint(&cr->attributes, "nct", 1);
	for (const struct json *n = nu->first; n; n = n->next)
		cr->waits += needs_verification(cr, n, target, sizeof target);
	if (cr->waits == 0)
		return HOOK_GO;
	cr->resumed = true;
	for (const struct json *n = nu->first; n; n = n->next)
		if (needs_verification(cr, n, target, sizeof target))
			verify(cr, target);
	return HOOK_WAIT;
}

static void subscription_removed(struct cse *c, struct resource *r)
{
	outbox_drop(c, r->ri);
}

const struct type_hooks hooks_subscription = {.type = TY_SUBSCRIPTION, .create = subscription_create, .removed = subscription_removed};
