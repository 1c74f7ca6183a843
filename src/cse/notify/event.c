/* Events become notifications for the subscriptions that ask for them. TS-0001 clauses 9.6.8 and 10.2.10, TS-0004 clause 7.5.1. */
#include <stdlib.h>
#include <string.h>

#include "cse/notify/compose.h"
#include "cse/notify/criteria.h"
#include "cse/notify/service.h"

#define SUBSCRIPTIONS_AT_ONCE 64 /* on the stack; more take memory */

/* ---- the end by expirationCounter ---- */

static void set_counter(void *ctx, struct attributes *a)
{
	attributes_set_uint(a, "exc", *(uint64_t *)ctx);
}

static void delete_expired(struct cse *c, int64_t id, const char *text)
{
	struct resource *sub = tree_by_id(c->tree, id);

	(void)text;
	if (sub && resource_get(sub, "exc") && resource_uint(sub, "exc", 1) == 0 && cse_delete_subtree(c, sub, true) != OK)
		c->round_broken = true;
	resource_unref(sub);
}

void cse_count_down(struct cse *c, struct resource *sub)
{
	uint64_t left = resource_uint(sub, "exc", 0);

	if (left == 0)
		return;
	left--;
	if (cse_edit_resource(c, sub->id, false, set_counter, &left) != OK)
		c->round_broken = true;
	/* it may be a child of what this very operation works on */
	if (left == 0)
		cse_before_commit(c, delete_expired, sub->id, "");
}

/* ---- one subscription ---- */

/* Composed once for all targets here, and once for those elsewhere when these must see other IDs. */
static struct outbox_content *content_for(struct cse *c, const struct event *e, struct resource *sub, const struct json *monitor, bool foreign)
{
	struct wr w = wr_new(CSE_BODY_MAX * 4);
	struct outbox_content *k = NULL;

	if (compose_event(c, e, sub, monitor, foreign, &w))
		k = outbox_content(rd_of(w.octets, w.len));
	else
		c->counts.notify_failed++;
	wr_free(&w);
	return k;
}

static void post(struct cse *c, const struct event *e, struct resource *sub, const struct json *monitor, const struct outbox_policy *p)
{
	struct outbox_content *contents[2] = {NULL, NULL};
	const struct json *nu = resource_get(sub, "nu");
	bool has_ids = monitor || resource_get(sub, "cr") || resource_get(sub, "eeno");
	char target[CSE_PATH_MAX];

	for (const struct json *t = nu ? nu->first : NULL; t; t = t->next) {
		unsigned which;

		if (!json_text(t, target, sizeof target))
			continue;
		which = has_ids && compose_is_foreign(c, target);
		if (!contents[which])
			contents[which] = content_for(c, e, sub, monitor, which);
		if (contents[which])
			outbox_post(c, sub->ri, target, p, contents[which]);
	}
	outbox_content_free(contents[0]);
	outbox_content_free(contents[1]);
}

static void notify_one(struct cse *c, const struct event *e, struct resource *sub)
{
	const struct json *monitor = NULL;
	struct outbox_policy p;

	if (!criteria_match(c, resource_get(sub, "enc"), e, &monitor))
		return;
	if (resource_get(sub, "exc") && resource_uint(sub, "exc", 1) == 0)
		return; /* it has said all it was to say, and goes with this commit */
	outbox_policy_of(c, sub, &p);
	/* without pendingNotification what happens outside of the schedule is not told: TS-0001 table 9.6.8-2 */
	if (p.pending == 0 && !outbox_policy_is_open(c, &p))
		return;
	post(c, e, sub, monitor, &p);
	if (p.counted)
		stats_event(c, sub);
	cse_count_down(c, sub);
}

/* The subscription's own coming and going is no event for itself. */
static bool is_own(const struct event *e, const struct resource *sub)
{
	return (e->kind == EVENT_CHILD_CREATE || e->kind == EVENT_CHILD_DELETE) && e->shown->id == sub->id;
}

void cse_event(struct cse *c, const struct event *e)
{
	const int64_t *ids;
	int64_t few[SUBSCRIPTIONS_AT_ONCE], *copy = few;
	size_t n;

	/* below instances there is nothing in the tree: not even a look-up */
	if (e->subject->instance || c->rehearsing)
		return;
	watches_event(c, e);
	if (e->untold)
		return;
	n = tree_subscriptions(c->tree, e->subject, &ids);
	if (n == 0)
		return;
	if (n > SUBSCRIPTIONS_AT_ONCE && (copy = calloc(n, sizeof *copy)) == NULL)
		abort();
	memcpy(copy, ids, n * sizeof *copy); /* the list may change on the way */
	for (size_t i = 0; i < n; i++) {
		struct resource *sub = e->subscription && e->subscription != copy[i] ? NULL : tree_by_id(c->tree, copy[i]);

		if (sub && !is_own(e, sub))
			notify_one(c, e, sub);
		resource_unref(sub);
	}
	if (copy != few)
		free(copy);
}

/* ---- operations, as they are asked for: TS-0001 table 9.6.8-3, operationMonitor ---- */

void cse_monitor(struct exchange *x)
{
	struct cse *c = x->cse;

	/* what this CSE does itself is no access; were it, a notification could cause the next */
	if (!notifications_of(c)->monitoring || x->rq->internal || x->virtual_child != VIRTUAL_NONE)
		return;
	cse_event(c, &(const struct event){
	    .kind = EVENT_OPERATION,
	    .subject = x->target,
	    .shown = x->target,
	    .operation = x->rq->operation,
	    .discovery = filter_discovers(&x->filter),
	    .originator = x->from,
	});
}

void cse_monitors(struct cse *c, const struct json *enc)
{
	if (json_get(enc, "om"))
		notifications_of(c)->monitoring = true;
}
