/* pollingChannel and its pollingChannelURI: requests wait here until their receiver, who cannot be reached, fetches them; its answers come back
 * as NOTIFY. TS-0001 clauses 9.6.21, 9.6.22 and 10.2.5.13 ff., TS-0004 clauses 7.4.21 and 7.4.22. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/polling_queue.h"
#include "cse/types/types.h"

#define WAITING_MOST 1000 /* requests in one channel */

/* ---- answers ---- */

static bool take_answer(struct polling_channel *h, const struct json *rsp)
{
	struct onem2m_response answer = {.content = rd_of("", 0)};
	const struct json *content = json_get(rsp, "pc"), *id = json_get(rsp, "rqi");
	struct polling_item *i = h->items;
	uint64_t rsc, status;

	while (i && !(i->fetched && json_is_string(id, i->id)))
		i = i->next;
	if (!i || !json_uint(json_get(rsp, "rsc"), &rsc))
		return false;
	answer.rsc = (enum onem2m_rsc)rsc;
	if (content)
		answer.content = content->source;
	if (json_uint(json_get(rsp, "cnst"), &status))
		answer.cts = (int)status;
	polling_item_end(i, &answer);
	return true;
}

static void take_answers(struct exchange *x, struct polling_channel *h)
{
	const struct json *doc, *root = exchange_content(x, NULL, &doc), *list;
	bool ok = true;

	if (!root)
		return;
	if (rd_is(root->key, "m2m:rsp")) {
		ok = take_answer(h, root);
	} else if (rd_is(root->key, "m2m:agr")) {
		list = json_get(root, "m2m:rsp");
		for (const struct json *r = list && list->type == JSON_ARRAY ? list->first : NULL; r; r = r->next)
			ok = take_answer(h, r) && ok;
	} else {
		exchange_fail(x, RSC_BAD_REQUEST, "the answer to a request from this channel is an m2m:rsp");
		return;
	}
	if (ok)
		exchange_answer(x, RSC_OK, rd_of("", 0), rd_str(""));
	else
		exchange_fail(x, RSC_BAD_REQUEST, "`rsc` is missing, or no request with this `rqi` waits for an answer");
}

void polling_channel_request(struct exchange *x)
{
	struct polling_channel *h;

	if (strcmp(x->from, x->target->creator) != 0) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "a polling channel is for its owner alone");
		return;
	}
	h = polling_channel_of(x->cse, x->target->id);
	if (x->rq->operation == ONEM2M_NOTIFY) {
		take_answers(x, h);
	} else if (x->rq->operation == ONEM2M_RETRIEVE) {
		polling_wait(h, x);
		polling_match(h);
	} else {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "pollingChannelURI is retrieved, and notified with answers");
	}
}

/* ---- the way in ---- */

static bool first(void *ctx, struct resource *r)
{
	*(int64_t *)ctx = r->id;
	return false;
}

static int64_t channel_below(struct cse *c, const struct resource *owner)
{
	int64_t id = 0;

	return tree_children(c->tree, owner, TY_POLLING_CHANNEL, false, first, &id) == OK ? id : 0;
}

bool polling_channel_send(struct cse *c, struct resource *owner, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	char poa[CSE_ID_MAX];
	struct polling_channel *h;
	int64_t id;

	if ((resource_bool(owner, "rr", true) && cse_poa(owner, poa, sizeof poa)) || (id = channel_below(c, owner)) == 0)
		return false;
	h = polling_channel_of(c, id);
	if (h->count >= WAITING_MOST)
		return false;
	polling_item_new(h, rq, done, ctx);
	polling_match(h);
	return true;
}

/* ---- hooks ---- */

static enum hook_result channel_create(struct creation *cr)
{
	struct exchange *x = cr->x;

	if (strcmp(x->from, x->target->creator) != 0) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "a polling channel is made by the AE or CSE that polls");
		return HOOK_FAILED;
	}
	if (channel_below(x->cse, x->target)) {
		exchange_fail(x, RSC_BAD_REQUEST, "there is a polling channel already");
		return HOOK_FAILED;
	}
	return HOOK_GO;
}

static enum hook_result only_for_the_owner(struct exchange *x, const struct resource *r)
{
	if (!x || x->privileged || strcmp(x->from, r->creator) == 0)
		return HOOK_GO;
	exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "a polling channel is for its owner alone");
	return HOOK_FAILED;
}

static enum hook_result channel_retrieve(struct exchange *x)
{
	return only_for_the_owner(x, x->target);
}

static enum hook_result channel_update(struct updating *u)
{
	return only_for_the_owner(u->x, u->old);
}

static enum hook_result channel_remove(struct exchange *x, struct resource *r)
{
	return only_for_the_owner(x, r);
}

static void channel_unlink(struct polling_channel *h)
{
	struct polling_channel *c = h->cse->services[SERVICE_POLLING];

	if (c == h) {
		h->cse->services[SERVICE_POLLING] = h->next;
		return;
	}
	while (c->next != h)
		c = c->next;
	c->next = h->next;
}

static void channel_removed(struct cse *c, struct resource *r)
{
	struct polling_channel *h = polling_channel_find(c, r->id);

	if (!h)
		return;
	channel_unlink(h);
	while (h->polls)
		exchange_fail(polling_take(h->polls), RSC_NOT_FOUND, "the polling channel is gone");
	while (h->items)
		polling_item_end(h->items, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE});
	free(h);
}

const struct type_hooks hooks_polling_channel = {
	.type = TY_POLLING_CHANNEL,
	.create = channel_create,
	.retrieve = channel_retrieve,
	.update = channel_update,
	.remove = channel_remove,
	.removed = channel_removed,
};
