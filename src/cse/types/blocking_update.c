/* Blocking updates: the target of a subscription is asked before a resource changes, and other updates of it wait meanwhile. TS-0001 table
 * 9.6.8-3, TS-0004 clause 7.4.8.2.1. */
#include <stdio.h>
#include <stdlib.h>

#include "cse/notify/compose.h"
#include "cse/types/subscription_check.h"
#include "cse/types/types.h"

struct waiting {
	struct waiting *next;
	struct exchange *x;
};

/* One resource whose update is being asked about. */
struct blocked {
	struct blocked *next;
	struct cse *cse;
	int64_t id;
	struct updating *u;
	struct waiting *queue, **queue_last;
};

static struct blocked *find(struct cse *c, int64_t id)
{
	struct blocked *b = c->services[SERVICE_BLOCKING];

	while (b && b->id != id)
		b = b->next;
	return b;
}

/* It came too late, so it is done anew: what it was put together from may have changed. */
static void perform_again(struct cse *c, struct exchange *x)
{
	struct resource *again = tree_by_id(c->tree, x->target->id);

	if (!again) {
		exchange_fail(x, RSC_NOT_FOUND, "the resource was deleted meanwhile");
		return;
	}
	resource_unref(x->target);
	x->target = again;
	cse_update(x);
}

static void take_out(struct blocked *b)
{
	struct blocked **at = (struct blocked **)&b->cse->services[SERVICE_BLOCKING];

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
}

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct blocked *b = ctx;
	struct exchange *x = b->u->x;

	take_out(b);
	if (rsp->rsc == RSC_OK || rsp->rsc == RSC_UPDATED)
		updating_resume(b->u);
	else if (rsp->rsc == RSC_TARGET_NOT_REACHABLE || rsp->rsc == RSC_NOT_FOUND || rsp->rsc == RSC_REQUEST_TIMEOUT)
		exchange_fail(x, RSC_REMOTE_ENTITY_NOT_REACHABLE, "the entity that decides about updates cannot be reached");
	else
		exchange_fail(x, RSC_OPERATION_DENIED_BY_REMOTE_ENTITY, "the entity that decides about updates refused (%d)", (int)rsp->rsc);
	while (b->queue) {
		struct waiting *w = b->queue;

		b->queue = w->next;
		perform_again(b->cse, w->x);
		free(w);
	}
	free(b);
}

static void ask(struct blocked *b, struct resource *sub)
{
	struct wr w = wr_new(CSE_BODY_MAX * 2);
	struct json_out o = json_out(&w);
	char target[CSE_PATH_MAX];

	if (!json_text(json_at(resource_get(sub, "nu"), 0), target, sizeof target))
		target[0] = '\0'; /* it left (ntsr): nobody is there to agree */
	compose_begin(b->cse, sub, compose_is_foreign(b->cse, target), &o);
	json_object(&o, "nev");
	json_object(&o, "rep");
	json_put(&o, b->u->old->root, b->u->given);
	json_close(&o);
	json_put_int(&o, "net", EVENT_BLOCKING_UPDATE);
	json_close(&o);
	json_close(&o);
	json_close(&o);
	cse_notify_target(b->cse, target, rd_of(w.octets, w.len), on_answer, b);
	wr_free(&w);
}

static void queue(struct blocked *b, struct exchange *x)
{
	struct waiting *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	w->x = x;
	*b->queue_last = w;
	b->queue_last = &w->next;
}

bool subscription_blocks_update(struct updating *u)
{
	struct cse *c = u->x->cse;
	struct blocked *b = c->services[SERVICE_BLOCKING] ? find(c, u->old->id) : NULL;
	struct resource *sub;

	if (b) {
		queue(b, u->x);
		return true;
	}
	sub = subscription_blocking(c, u->old, u->given, 0);
	if (!sub)
		return false;
	b = calloc(1, sizeof *b);
	if (!b)
		abort();
	b->cse = c;
	b->id = u->old->id;
	b->u = u;
	b->queue_last = &b->queue;
	b->next = c->services[SERVICE_BLOCKING];
	c->services[SERVICE_BLOCKING] = b;
	u->resumed = true;
	ask(b, sub);
	resource_unref(sub);
	return true;
}
