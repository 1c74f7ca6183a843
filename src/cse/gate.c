/* While another thread commits, nothing touches the store: what comes in waits here, in order. */
#include "cse/gate.h"

#include <stdlib.h>
#include <string.h>

/* The first member of what is held; fn frees it. */
struct held {
	struct held *next;
	void (*fn)(struct cse *c, struct held *h);
};

static void hold(struct cse *c, struct held *h, void (*fn)(struct cse *c, struct held *h))
{
	h->next = NULL;
	h->fn = fn;
	if (!c->held)
		c->held_last = &c->held;
	*c->held_last = h;
	c->held_last = &h->next;
}

void gate_open(struct cse *c)
{
	bool tick = c->tick_held;

	c->committing = false;
	c->tick_held = false;
	while (c->held && !c->committing) {
		struct held *h = c->held;

		c->held = h->next;
		h->fn(c, h);
		cse_between_requests(c);
	}
	if (tick)
		cse_tick(c);
}

/* ---- requests ---- */

struct held_request {
	struct held held;
	const struct onem2m_request *rq;
	cse_done *done;
	void *ctx;
};

static void submit_held(struct cse *c, struct held *h)
{
	struct held_request r = *(struct held_request *)(void *)h;

	free(h);
	c->held_count--;
	cse_submit(c, r.rq, r.done, r.ctx);
}

static bool may_pass(const struct onem2m_request *rq)
{
	if ((rq->rt != 0 && rq->rt != ONEM2M_BLOCKING) || rq->multicast)
		return false;
	return rq->internal ? rq->operation == ONEM2M_NOTIFY : rq->operation == ONEM2M_CREATE && rq->type == TY_CONTENT_INSTANCE;
}

bool gate_holds_request(struct cse *c, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct held_request *r;

	if (!c->committing || may_pass(rq))
		return false;
	r = malloc(sizeof *r);
	if (!r)
		abort();
	*r = (struct held_request){.rq = rq, .done = done, .ctx = ctx};
	hold(c, &r->held, submit_held);
	c->held_count++;
	return true;
}

bool gate_holds_tick(struct cse *c)
{
	c->tick_held = c->tick_held || c->committing;
	return c->committing;
}

/* ---- anything else ---- */

struct held_call {
	struct held held;
	void (*fn)(struct cse *c, void *ctx);
	void *ctx;
};

static void call_held(struct cse *c, struct held *h)
{
	struct held_call k = *(struct held_call *)(void *)h;

	free(h);
	c->held_count--;
	k.fn(c, k.ctx);
}

bool gate_holds(struct cse *c, void (*fn)(struct cse *c, void *ctx), void *ctx)
{
	struct held_call *k;

	if (!c->committing)
		return false;
	k = malloc(sizeof *k);
	if (!k)
		abort();
	*k = (struct held_call){.fn = fn, .ctx = ctx};
	hold(c, &k->held, call_held);
	c->held_count++;
	return true;
}

/* ---- what passes while a commit is under way ---- */

static void route_again(struct cse *c, void *exchange)
{
	(void)c;
	exchange_route(exchange);
}

static bool has_room(struct resource *container)
{
	const struct limits *l = resource_limits(container);

	return container->counters.instances < l->instances && l->octets == UINT64_MAX;
}

/* A notification goes to its first point of access at once; parts of this process, polling channels and AEs that moved are another matter. */
static bool is_within_reach(struct cse *c, struct resource *ae)
{
	char poa[CSE_ID_MAX];

	for (size_t i = 0; i < c->internal_count; i++)
		if (strcmp(c->internals[i].id, ae->ri) == 0)
			return false;
	return resource_bool(ae, "rr", true) && cse_poa(ae, poa, sizeof poa) && !ae_has_moved(ae) && node_is_reachable(c, ae);
}

static bool is_plain(struct exchange *x)
{
	const int64_t *ids;

	if (!x->target || x->virtual_child != VIRTUAL_NONE)
		return false;
	if (x->rq->operation == ONEM2M_NOTIFY)
		return x->target->type == TY_AE && is_within_reach(x->cse, x->target);
	return x->target->type == TY_CONTAINER && has_room(x->target) && tree_subscriptions(x->cse->tree, x->target, &ids) == 0;
}

/* Its target is looked for anew: it may have changed by then. */
static bool hold_exchange(struct exchange *x)
{
	resource_unref(x->target);
	x->target = NULL;
	return gate_holds(x->cse, route_again, x);
}

bool gate_holds_target(struct exchange *x)
{
	if (!x->cse->committing || is_plain(x))
		return false;
	return hold_exchange(x);
}

bool gate_holds_content(struct exchange *x, const struct json *given)
{
	if (!x->cse->committing)
		return false;
	for (const struct json *m = given->first; m; m = m->next)
		if (!rd_is(m->key, "con") && !rd_is(m->key, "cnf"))
			return hold_exchange(x);
	return false;
}

/* ---- answers of others ---- */

struct held_answer {
	struct held held;
	struct cse *cse;
	gate_passes *passes; /* or NULL */
	cse_done *done;
	void *ctx;
	struct onem2m_response rsp; /* texts in octets */
	char *octets;
};

static void tell_held(struct cse *c, struct held *h)
{
	struct held_answer *a = (struct held_answer *)(void *)h;

	(void)c;
	a->done(a->ctx, &a->rsp);
	free(a->octets);
	free(a);
}

static struct rd keep(char **at, struct rd text)
{
	char *start = *at;

	if (text.left > 0)
		memcpy(start, text.at, text.left);
	*at += text.left;
	return rd_of(start, text.left);
}

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct held_answer *a = ctx;
	char *at;

	if (!a->cse->committing || (a->passes && a->passes(a->ctx, rsp))) {
		cse_done *done = a->done;
		void *done_ctx = a->ctx;

		free(a);
		done(done_ctx, rsp);
		return;
	}
	a->rsp = *rsp;
	a->octets = at = malloc(rsp->content.left + rsp->location.left + rsp->ot.left + rsp->rset.left + 1);
	if (!at)
		abort();
	a->rsp.content = keep(&at, rsp->content);
	a->rsp.location = keep(&at, rsp->location);
	a->rsp.ot = keep(&at, rsp->ot);
	a->rsp.rset = keep(&at, rsp->rset);
	hold(a->cse, &a->held, tell_held);
}

static void before_answer(struct cse *c, gate_passes *passes, cse_done **done, void **ctx)
{
	struct held_answer *a;

	if (!c->worker.run)
		return;
	a = calloc(1, sizeof *a);
	if (!a)
		abort();
	*a = (struct held_answer){.cse = c, .passes = passes, .done = *done, .ctx = *ctx};
	*done = on_answer;
	*ctx = a;
}

void gate_answer(struct cse *c, cse_done **done, void **ctx)
{
	before_answer(c, NULL, done, ctx);
}

void cse_send_passing(struct cse *c, const char *url, const char *target_id, const struct onem2m_request *rq, gate_passes *passes, cse_done *done, void *ctx)
{
	before_answer(c, passes, &done, &ctx);
	c->transport.send(c->transport.transport, url, target_id, rq, done, ctx);
}

void cse_send(struct cse *c, const char *url, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	cse_send_passing(c, url, target_id, rq, NULL, done, ctx);
}

bool cse_send_connected(struct cse *c, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	void *held = ctx;

	if (!c->send_over)
		return false;
	gate_answer(c, &done, &held);
	if (c->send_over(c->transport.transport, target_id, rq, done, held))
		return true;
	if (held != ctx)
		free(held);
	return false;
}
