/* Requests that leave this CSE: retargeting over Mcc, NOTIFY to AEs. TS-0001 clause 8.2, TS-0004 clause 7.3.2.6. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"

struct forward {
	struct onem2m_request rq;
	struct exchange *x;
};

static void on_forwarded(void *ctx, const struct onem2m_response *rsp)
{
	struct forward *f = ctx;
	struct exchange *x = f->x;

	x->cts = rsp->cts;
	x->cto = rsp->cto;
	if (rsp->rsc == RSC_TARGET_NOT_REACHABLE && rsp->content.left == 0)
		exchange_fail(x, RSC_TARGET_NOT_REACHABLE, "the target, or the next CSE on the way to it, cannot be reached");
	else
		exchange_answer(x, rsp->rsc, rsp->content, rsp->location);
	free(f);
}

bool cse_poa(struct resource *r, char *poa, size_t size)
{
	return json_text(json_at(resource_get(r, "poa"), 0), poa, size);
}

struct search {
	const char *csi;
	struct resource *found;
};

static bool is_wanted(void *ctx, struct resource *r)
{
	struct search *s = ctx;
	const struct json *dcse;

	if (resource_is(r, "csi", s->csi)) {
		s->found = resource_ref(r);
		return false;
	}
	/* descendants of the one that is registered here */
	dcse = resource_get(r, "dcse");
	for (const struct json *d = dcse ? dcse->first : NULL; d; d = d->next) {
		if (json_is_string(d, s->csi)) {
			s->found = resource_ref(r);
			return false;
		}
	}
	return true;
}

/* The remoteCSE to which a request for `csi` goes next; NULL when none is known. */
struct resource *cse_next_hop(struct cse *c, const char *csi)
{
	struct search s = {csi, NULL};
	struct resource *base = tree_by_id(c->tree, c->base_id);

	if (base && tree_children(c->tree, base, TY_REMOTE_CSE, false, is_wanted, &s) != OK)
		s.found = NULL;
	resource_unref(base);
	return s.found;
}


void cse_forward(struct exchange *x, const char *cse_id)
{
	struct cse *c = x->cse;
	struct resource *hop = cse_next_hop(c, cse_id);
	bool known = hop != NULL;
	struct forward *f = calloc(1, sizeof *f);
	char poa[CSE_ID_MAX] = "", id[CSE_ID_MAX];

	if (!f)
		abort();
	f->x = x;
	f->rq = *x->rq;
	f->rq.from = rd_str(x->from);
	if (hop) {
		if (!json_text(resource_get(hop, "csi"), id, sizeof id))
			id[0] = '\0';
		if (polling_channel_send(c, hop, &f->rq, on_forwarded, f)) {
			resource_unref(hop);
			return;
		}
		if (!cse_poa(hop, poa, sizeof poa))
			poa[0] = '\0';
	} else if (c->config.registrar_id && c->config.registrar_poa) {
		/* Not registered here: the registrar may know more. */
		snprintf(poa, sizeof poa, "%s", c->config.registrar_poa);
		snprintf(id, sizeof id, "%s", c->config.registrar_id);
	}
	resource_unref(hop);
	if (poa[0] == '\0') {
		free(f);
		exchange_fail(x, known ? RSC_TARGET_NOT_REACHABLE : RSC_NOT_FOUND, known ? "the CSE `%s` has no point of access" : "no CSE `%s` is registered here", cse_id);
		return;
	}
	c->transport.send(c->transport.transport, poa, id, &f->rq, on_forwarded, f);
}

void exchange_retarget(struct exchange *x, struct rd to)
{
	struct forward *f = calloc(1, sizeof *f);
	char *copy = json_arena_alloc(x->arena, to.left + 1);

	if (!f || !copy || !rd_text(to, copy, to.left + 1))
		abort();
	f->x = x;
	f->rq = *x->rq;
	f->rq.to = rd_str(copy);
	f->rq.rcn = ONEM2M_RCN_ABSENT;
	f->rq.filter = rd_of("", 0);
	cse_submit(x->cse, &f->rq, on_forwarded, f);
}

/* ---- NOTIFY to an AE of this CSE ---- */

void cse_deliver(struct cse *c, struct resource *ae, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	static const struct onem2m_response nobody = {.rsc = RSC_TARGET_NOT_REACHABLE};
	char poa[CSE_ID_MAX], id[CSE_ID_MAX];

	for (size_t i = 0; i < c->internal_count; i++) {
		if (strcmp(c->internals[i].id, ae->ri) == 0) {
			c->internals[i].fn(c->internals[i].ctx, rq, done, ctx);
			return;
		}
	}
	if (polling_channel_send(c, ae, rq, done, ctx))
		return;
	if (!cse_poa(ae, poa, sizeof poa)) {
		done(ctx, &nobody);
		return;
	}
	snprintf(id, sizeof id, "%s/%s", c->config.id, ae->ri);
	c->transport.send(c->transport.transport, poa, id, rq, done, ctx);
}


/* Notifications of other CSEs' subscriptions come from the CSE. */
static bool is_cse(const char *from)
{
	return from[0] == '/' && !strchr(from + 1, '/');
}

/* The receiver of a NOTIFY is an AE, or this CSE for a resource of its own (crossResourceSubscription). */
void cse_notify(struct exchange *x)
{
	struct forward *f;

	if (crs_notified(x))
		return;
	if (x->target->type != TY_AE) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "a resource of type %d takes no NOTIFY", x->target->type);
		return;
	}
	if (!is_cse(x->from) && !cse_permits(x, x->target, ACOP_NOTIFY)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not notify this", x->from);
		return;
	}
	if (!resource_bool(x->target, "rr", true)) {
		exchange_fail(x, RSC_TARGET_NOT_REACHABLE, "the AE is not request-reachable (rr is false)");
		return;
	}
	f = calloc(1, sizeof *f);
	if (!f)
		abort();
	f->x = x;
	f->rq = *x->rq;
	f->rq.from = rd_str(x->from);
	cse_deliver(x->cse, x->target, &f->rq, on_forwarded, f);
}
