/* Requests that leave this CSE: retargeting over Mcc; and what a NOTIFY that comes here is for. TS-0001 clause 8.2, TS-0004 clause 7.3.2.6. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/gate.h"
#include "cse/notify/outbox.h"
#include "cse/private.h"
#include "cse/registration.h"
#include "cse/types/cmdh.h"
#include "cse/types/multicast_host.h"

/* A request on its way to somebody else. The exchange ends at the request's expiry even when nobody ever answers; this ends with the answer. */
struct forward {
	struct onem2m_request *rq;
	struct exchange *x;           /* NULL after it expired */
	struct cse *cse;
	struct cse_timer timer;
	char rqet[TIMESTAMP_SIZE];
	char csi[CSE_ID_MAX];         /* of the CSE that it is for */
	bool to_registrar;
	struct cmdh_held *held;       /* under a CMDH policy; NULL: not */
	bool waits;                   /* there, for its turn */
};

static void on_forwarded(void *ctx, const struct onem2m_response *rsp)
{
	struct forward *f = ctx;
	struct exchange *x = f->x;
	bool unreachable = rsp->rsc == RSC_TARGET_NOT_REACHABLE && rsp->content.left == 0;

	if (f->to_registrar && unreachable)
		registration_is_doubted(f->cse);
	if (f->held && cmdh_answered(f->cse, f->held, !unreachable || !x)) {
		f->waits = true;
		return;
	}
	if (x) {
		cse_timer_cancel(f->cse, &f->timer);
		x->cts = rsp->cts;
		x->cto = rsp->cto;
		if (unreachable)
			exchange_fail(x, RSC_TARGET_NOT_REACHABLE, "the target, or the next CSE on the way to it, cannot be reached");
		else
			exchange_answer(x, rsp->rsc, rsp->content, rsp->location);
	}
	request_copy_free(f->rq);
	free(f);
}

static void on_expired(struct cse *c, struct cse_timer *t)
{
	struct forward *f = (struct forward *)(void *)((char *)t - offsetof(struct forward, timer));
	struct exchange *x = f->x;

	f->x = NULL;
	if (f->waits) {
		cmdh_forget(c, f->held);
		request_copy_free(f->rq);
		free(f);
		exchange_fail(x, RSC_REQUEST_TIMEOUT, "the request expired before it could leave under the CMDH policy");
		return;
	}
	exchange_fail(x, RSC_REQUEST_TIMEOUT, "the request expired before it was answered");
}

/* Relative times were meant from the arrival here. */
static struct forward *forward_new(struct exchange *x, const struct onem2m_request *as)
{
	struct forward *f = calloc(1, sizeof *f);
	struct onem2m_request rq = *as;
	uint64_t now = cse_now(x->cse), until = x->expires_ms ? x->expires_ms : now + cse_request_life(x->cse);

	if (!f)
		abort();
	f->cse = x->cse;
	f->x = x;
	rq.from = rd_str(x->from);
	timestamp_print_precise(f->rqet, until);
	if (rq.rqet.left > 0)
		rq.rqet = rd_str(f->rqet);
	rq.oet = rd_of("", 0); /* it was waited for here */
	f->rq = request_copy(&rq);
	f->timer.fn = on_expired;
	cse_timer_at(f->cse, &f->timer, cse_mono(f->cse) + (until > now ? until - now : 0));
	return f;
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

/* Where a request for a CSE goes next. */
struct hop {
	struct resource *remote;      /* its remoteCSE; NULL: the registrar, before it is known more closely */
	char poa[CSE_ID_MAX], id[CSE_ID_MAX];
};

bool cse_knows(struct cse *c, const char *csi)
{
	struct resource *hop = cse_next_hop(c, csi);

	resource_unref(hop);
	return hop || c->config.registrar_id || strcmp(csi, c->config.id) == 0;
}

static bool comes_from_below(struct cse *c, const char *from)
{
	struct rd rest = rd_str(from), name;
	char csi[CSE_ID_MAX];
	struct resource *hop;
	bool below;

	if (!rd_skip(&rest, 1))
		return true; /* an AE that registers: it is here */
	if (!rd_until(&rest, '/', &name))
		name = rest;
	snprintf(csi, sizeof csi, "/%.*s", (int)name.left, (const char *)name.at);
	if (strcmp(csi, c->config.id) == 0)
		return true;
	hop = cse_next_hop(c, csi);
	below = hop && !resource_is(hop, "csi", c->config.registrar_id);
	resource_unref(hop);
	return below;
}

static bool find_hop(struct cse *c, const char *from, const char *cse_id, struct hop *h)
{
	*h = (struct hop){.remote = cse_next_hop(c, cse_id)};
	if (h->remote) {
		if (!json_text(resource_get(h->remote, "csi"), h->id, sizeof h->id))
			h->id[0] = '\0';
		if (!cse_poa(h->remote, h->poa, sizeof h->poa))
			h->poa[0] = '\0';
		return true;
	}
	/* Not registered here: the registrar may know more. What comes from there, or from nobody below, does not go back: it would come again. */
	if (!c->config.registrar_id || !c->config.registrar_poa || !comes_from_below(c, from))
		return false;
	snprintf(h->poa, sizeof h->poa, "%s", c->config.registrar_poa);
	snprintf(h->id, sizeof h->id, "%s", c->config.registrar_id);
	return true;
}

/* By whatever way there is to the next CSE now. */
static void send_on(struct forward *f, const struct hop *h)
{
	struct cse *c = f->cse;

	if (h->remote && !node_is_reachable(c, h->remote)) {
		on_forwarded(f, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE});
	} else if ((!h->remote || !polling_channel_send(c, h->remote, f->rq, on_forwarded, f)) && !cse_send_connected(c, h->id, f->rq, on_forwarded, f)) {
		if (h->poa[0])
			cse_send(c, h->poa, h->id, f->rq, on_forwarded, f);
		else
			on_forwarded(f, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE});
	}
}

/* It waited for its turn; the next CSE may be another by now. */
static void on_turn(void *ctx)
{
	struct forward *f = ctx;
	struct hop h;

	f->waits = false;
	if (!find_hop(f->cse, f->x->from, f->csi, &h)) {
		on_forwarded(f, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE});
		return;
	}
	send_on(f, &h);
	resource_unref(h.remote);
}

static void on_dropped(void *ctx, const char *why)
{
	struct forward *f = ctx;
	struct exchange *x = f->x;

	cse_timer_cancel(f->cse, &f->timer);
	request_copy_free(f->rq);
	free(f);
	exchange_fail(x, RSC_NOT_ACCEPTABLE, "the CMDH policy's buffer does not keep the request: %s", why);
}

/* Under the policy; false when there is no room for it. */
static bool queue_up(struct forward *f, const struct cmdh_terms *terms, const char *hop_id)
{
	f->held = cmdh_hold(f->cse, terms, hop_id, f->rq, on_turn, on_dropped, f);
	if (!f->held)
		return false;
	f->waits = true;
	cmdh_start(f->cse, f->held);
	return true;
}

void cse_forward(struct exchange *x, const char *cse_id)
{
	struct cse *c = x->cse;
	struct onem2m_request rq = *x->rq;
	struct cmdh_terms terms;
	struct forward *f;
	struct hop h;
	bool to_registrar;

	if (cse_id[0] == '/' && cse_id[1] == '/') {
		exchange_fail(x, RSC_NOT_FOUND, "`%s` is another service provider, and there is no way from here to it", cse_id);
		return;
	}
	if (!find_hop(c, x->from, cse_id, &h)) {
		exchange_fail(x, RSC_NOT_FOUND, "no CSE `%s` is registered here", cse_id);
		return;
	}
	to_registrar = c->config.registrar_id && strcmp(h.id, c->config.registrar_id) == 0;
	if (!cmdh_permits(x, &rq, h.remote, to_registrar, &terms)) {
		resource_unref(h.remote);
		return;
	}
	if (rq.rqet.left == 0)
		rq.rqet = rd_str("0"); /* the next CSE shall not wait longer than this one does */
	if (h.remote)
		rq.wanted = target_serialization(h.remote);
	f = forward_new(x, &rq);
	f->to_registrar = to_registrar;
	snprintf(f->csi, sizeof f->csi, "%s", cse_id);
	if (!terms.waits)
		send_on(f, &h);
	else if (!queue_up(f, &terms, h.id))
		on_dropped(f, "it is full");
	resource_unref(h.remote);
}

void exchange_retarget(struct exchange *x, struct rd to)
{
	struct onem2m_request rq = *x->rq;
	struct forward *f;

	rq.to = to;
	rq.rcn = ONEM2M_RCN_ABSENT;
	rq.filter = rd_of("", 0);
	rq.genuine = true; /* From was checked, and names its CSE now */
	f = forward_new(x, &rq);
	cse_submit(x->cse, f->rq, on_forwarded, f);
}

/* ---- NOTIFY ---- */

/* Notifications of other CSEs' subscriptions come from the CSE. */
static bool is_cse(const char *from)
{
	return from[0] == '/' && !strchr(from + 1, '/');
}

static void on_secured(void *ctx, const struct onem2m_response *rsp)
{
	exchange_answer(ctx, rsp->rsc, rsp->content, rd_str(""));
}

/* ESPrim and ESCertKE with this CSE itself: whoever asks proves by the keys inside who it is, so no privilege is asked for. */
static bool is_secured(struct exchange *x)
{
	struct cse *c = x->cse;
	const struct json *doc, *info;
	uint64_t sit;

	if (x->target->type != TY_CSE_BASE || !c->security.notify || json_parse(x->arena, x->rq->content, NULL, &doc) != OK)
		return false;
	info = json_get(doc, "m2m:seci");
	if (!json_uint(json_get(info, "sit"), &sit) || (sit != 3 && sit != 5 && sit != 6))
		return false;
	c->security.notify(c->security.security, x->from, x->rq, on_secured, x);
	return true;
}

/* The answer to a notification of this CSE's own: see gate.h. */
static bool may_be_told(void *ctx, const struct onem2m_response *rsp)
{
	const struct forward *f = ctx;

	return f->x && rsp->rsc == RSC_OK && outbox_may_hear(f->x->done, f->x->ctx, rsp);
}

/* The receiver of a NOTIFY is an AE, or this CSE for a resource of its own (crossResourceSubscription). */
void cse_notify(struct exchange *x)
{
	struct forward *f;

	if (crs_notified(x) || contacts_notified(x) || moves_notified(x) || is_secured(x))
		return;
	if (multicast_answered(x))
		return;
	if (x->target->type == TY_GROUP) { /* a group as notification target means its members: TS-0001 table 9.6.8-2 */
		x->virtual_child = VIRTUAL_FAN_OUT;
		group_fan_out(x);
		return;
	}
	if (x->target->type == TY_CSE_BASE) { /* takes a NOTIFY, but this one is about nothing that the CSE knows */
		exchange_fail(x, RSC_BAD_REQUEST, "a NOTIFY to the CSE must be one that it awaits; a CREATE would say the type (ty)");
		return;
	}
	if (x->target->type != TY_AE) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "a resource of type %d takes no NOTIFY", x->target->type);
		return;
	}
	if (!is_cse(x->from) && !cse_permits(x, x->target, ACOP_NOTIFY)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not notify this", x->from);
		return;
	}
	f = forward_new(x, x->rq);
	cse_deliver(x->cse, x->target, f->rq, may_be_told, on_forwarded, f);
}
