/* A request to an AE of this CSE: in this process, by its polling channel, at its points of access, or over a connection that it keeps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/gate.h"
#include "cse/private.h"

/* ---- in what form ---- */

void target_release(struct resource *target, struct onem2m_request *rq, char *release, size_t size)
{
	const struct json *srv = resource_get(target, "srv");

	for (const struct json *v = srv ? srv->first : NULL; v; v = v->next)
		if (v->type == JSON_STRING && rd_equal(v->text, rq->release))
			return;
	for (const struct json *v = srv ? srv->first : NULL; v; v = v->next)
		if (json_text(v, release, size))
			rq->release = rd_str(release);
}

/* contentSerialization, TS-0001 tables 9.6.4-1 and 9.6.5-1: JSON, unless the target reads it not. */
enum serialization target_serialization(struct resource *target)
{
	const struct json *csz = resource_get(target, "csz");

	for (const struct json *s = csz ? csz->first : NULL; s; s = s->next)
		if (json_is_string(s, "application/json"))
			return SERIALIZATION_JSON;
	for (const struct json *s = csz ? csz->first : NULL; s; s = s->next)
		if (json_is_string(s, "application/cbor") || json_is_string(s, "application/xml"))
			return json_is_string(s, "application/cbor") ? SERIALIZATION_CBOR : SERIALIZATION_XML;
	return SERIALIZATION_JSON;
}

/* ---- by what way ---- */

/* Its points of access, one after the other until one answers (TS-0001 table 9.6.5-2); then a connection of its own. */
struct attempt {
	struct cse *cse;
	const struct onem2m_request *rq;
	gate_passes *passes;          /* or NULL */
	cse_done *done;
	void *ctx;
	char id[CSE_ID_MAX];
	struct rd left;               /* the points of access that were not tried, each with a line feed behind it */
	struct onem2m_request own;    /* in the target's release */
	char release[16];
	bool connection_tried;
	char poas[];
};

static void try_next(struct attempt *t);

static void on_tried(void *ctx, const struct onem2m_response *rsp)
{
	struct attempt *t = ctx;

	if (rsp->rsc == RSC_TARGET_NOT_REACHABLE && t->left.left > 0) {
		try_next(t);
		return;
	}
	/* nobody is where it said: it may be behind a translation of addresses, and connected from there */
	if (rsp->rsc == RSC_TARGET_NOT_REACHABLE && !t->connection_tried) {
		t->connection_tried = true;
		if (cse_send_connected(t->cse, t->id, t->rq, on_tried, t))
			return;
	}
	t->done(t->ctx, rsp);
	free(t);
}

/* It is over, and whoever hears of it may. */
static bool may_end(void *ctx, const struct onem2m_response *rsp)
{
	const struct attempt *t = ctx;

	return rsp->rsc != RSC_TARGET_NOT_REACHABLE && t->passes && t->passes(t->ctx, rsp);
}

static void try_next(struct attempt *t)
{
	char poa[CSE_PATH_MAX];
	struct rd one;

	if (rd_until(&t->left, '\n', &one) && rd_text(one, poa, sizeof poa))
		cse_send_passing(t->cse, poa, t->id, t->rq, may_end, on_tried, t);
	else
		on_tried(t, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE});
}

static struct attempt *attempt_new(const struct json *poa)
{
	struct attempt *t;
	struct wr w = wr_new(65536);

	for (const struct json *p = poa ? poa->first : NULL; p; p = p->next) {
		if (p->type != JSON_STRING || p->text.left == 0)
			continue;
		wr_rd(&w, p->text);
		wr_u8(&w, '\n');
	}
	t = calloc(1, sizeof *t + w.len);
	if (!t)
		abort();
	if (w.len > 0)
		memcpy(t->poas, w.octets, w.len);
	t->left = rd_of(t->poas, w.len);
	wr_free(&w);
	return t;
}

void cse_deliver(struct cse *c, struct resource *ae, const struct onem2m_request *rq, gate_passes *passes, cse_done *done, void *ctx)
{
	struct attempt *t;

	for (size_t i = 0; i < c->internal_count; i++) {
		if (strcmp(c->internals[i].id, ae->ri) == 0) {
			gate_answer(c, &done, &ctx);
			c->internals[i].fn(c->internals[i].ctx, rq, done, ctx);
			return;
		}
	}
	if (ae_has_moved(ae)) {
		ae_deliver_where_it_is(c, ae, rq, done, ctx);
		return;
	}
	if (!node_is_reachable(c, ae)) {
		done(ctx, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE});
		return;
	}
	if (polling_channel_send(c, ae, rq, done, ctx)) /* it made one, so it polls */
		return;
	t = attempt_new(resource_bool(ae, "rr", true) ? resource_get(ae, "poa") : NULL);
	t->cse = c;
	t->own = *rq;
	t->own.wanted = target_serialization(ae);
	target_release(ae, &t->own, t->release, sizeof t->release);
	t->rq = &t->own;
	t->passes = passes;
	t->done = done;
	t->ctx = ctx;
	snprintf(t->id, sizeof t->id, "%s/%s", c->config.id, ae->ri);
	try_next(t);
}
