/* pollingChannel and its pollingChannelURI: requests wait here until their receiver, who cannot be reached, fetches them; its answers come back
 * as NOTIFY. TS-0001 clauses 9.6.21, 9.6.22 and 10.2.5.13 ff., TS-0004 clauses 7.4.21 and 7.4.22. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/types.h"

#define WAITING_MOST 1000 /* requests in one channel */

struct item {
	struct item *next;
	struct channel *channel;
	char id[40];              /* rqi by which the answer comes back */
	struct wr primitive;      /* the object below m2m:rqp */
	bool fetched;
	struct cse_timer timer;
	cse_done *done;
	void *ctx;
};

struct poll {
	struct poll *next;
	struct channel *channel;
	struct exchange *x;
	struct cse_timer timer;
};

struct channel {
	struct channel *next;
	struct cse *cse;
	int64_t id;               /* of the pollingChannel */
	struct item *items;       /* in the order of their coming */
	size_t count;
	struct poll *polls;
};

static struct channel *find_channel(struct cse *c, int64_t id)
{
	struct channel *h = c->services[SERVICE_POLLING];

	while (h && h->id != id)
		h = h->next;
	return h;
}

/* ---- requests that wait ---- */

static void item_free(struct item *i)
{
	cse_timer_cancel(i->channel->cse, &i->timer);
	wr_free(&i->primitive);
	free(i);
}

/* Takes it out and tells its sender. */
static void item_end(struct item *i, const struct onem2m_response *rsp)
{
	struct item **at = &i->channel->items;
	cse_done *done = i->done;
	void *ctx = i->ctx;

	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	i->channel->count--;
	item_free(i);
	done(ctx, rsp);
}

static void on_item_expired(struct cse *c, struct cse_timer *t)
{
	(void)c;
	item_end((struct item *)(void *)((char *)t - offsetof(struct item, timer)), &(const struct onem2m_response){.rsc = RSC_REQUEST_TIMEOUT});
}

static void put_text(struct json_out *o, const char *name, struct rd text)
{
	if (text.left > 0)
		json_put_rd(o, name, text);
}

static void compose(struct item *i, const struct onem2m_request *rq)
{
	struct json_out o = json_out(&i->primitive);

	json_object(&o, NULL);
	json_put_int(&o, "op", rq->operation);
	put_text(&o, "to", rq->to);
	put_text(&o, "fr", rq->from);
	json_put_string(&o, "rqi", i->id);
	json_put_rd(&o, "rvi", rq->release.left ? rq->release : rd_str("3"));
	if (rq->type)
		json_put_int(&o, "ty", rq->type);
	if (rq->rcn != ONEM2M_RCN_ABSENT)
		json_put_int(&o, "rcn", rq->rcn);
	if (rq->drt)
		json_put_int(&o, "drt", rq->drt);
	put_text(&o, "ot", rq->ot);
	put_text(&o, "rqet", rq->rqet);
	put_text(&o, "rset", rq->rset);
	put_text(&o, "gid", rq->gid);
	put_text(&o, "vsi", rq->vendor);
	json_put_content(&o, "pc", rq->content);
	json_close(&o);
}

static struct item *item_new(struct channel *h, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct item *i = calloc(1, sizeof *i), **last = &h->items;
	uint64_t now = cse_now(h->cse), until;

	if (!i)
		abort();
	i->channel = h;
	i->done = done;
	i->ctx = ctx;
	snprintf(i->id, sizeof i->id, "p%llx-%llx", (unsigned long long)now, (unsigned long long)++h->cse->numbers);
	i->primitive = wr_new(CSE_BODY_MAX * 4);
	compose(i, rq);
	if (!timestamp_parse_abs_rel(rq->rqet, now, &until))
		until = now + cse_request_life(h->cse);
	i->timer.fn = on_item_expired;
	cse_timer_at(h->cse, &i->timer, cse_mono(h->cse) + (until > now ? until - now : 0));
	while (*last)
		last = &(*last)->next;
	*last = i;
	h->count++;
	return i;
}

/* ---- polls that wait ---- */

static struct exchange *poll_take(struct poll *p)
{
	struct poll **at = &p->channel->polls;
	struct exchange *x = p->x;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	cse_timer_cancel(p->channel->cse, &p->timer);
	free(p);
	return x;
}

static void on_poll_expired(struct cse *c, struct cse_timer *t)
{
	(void)c;
	exchange_fail(poll_take((struct poll *)(void *)((char *)t - offsetof(struct poll, timer))), RSC_REQUEST_TIMEOUT, "no request came in this time");
}

static void poll_new(struct channel *h, struct exchange *x)
{
	struct poll *p = calloc(1, sizeof *p), **last = &h->polls;
	uint64_t now = cse_now(h->cse), life = x->expires_ms ? x->expires_ms - now : cse_request_life(h->cse);

	if (!p)
		abort();
	p->channel = h;
	p->x = x;
	p->timer.fn = on_poll_expired;
	cse_timer_at(h->cse, &p->timer, cse_mono(h->cse) + life);
	while (*last)
		last = &(*last)->next;
	*last = p;
}

static struct item *next_item(struct channel *h)
{
	struct item *i = h->items;

	while (i && i->fetched)
		i = i->next;
	return i;
}

static void put_item(struct item *i, struct json_out *o, const char *name)
{
	i->fetched = true;
	json_put_raw(o, name, rd_of(i->primitive.octets, i->primitive.len));
}

/* One request for one poll; or all at once, where the channel aggregates. */
static void answer_poll(struct channel *h, struct item *first, bool aggregates)
{
	struct wr w = wr_new(CSE_BODY_MAX * 16);
	struct json_out o = json_out(&w);
	struct exchange *x = poll_take(h->polls);
	struct rd content;

	json_object(&o, NULL);
	if (aggregates) {
		json_array(&o, "m2m:agrp");
		for (struct item *i = first; i; i = next_item(h))
			put_item(i, &o, NULL);
		json_close(&o);
	} else {
		put_item(first, &o, "m2m:rqp");
	}
	json_close(&o);
	if (wr_done(&w, &content))
		exchange_answer(x, RSC_OK, content, rd_str(""));
	else
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "the requests together are too large");
	wr_free(&w);
}

static void match(struct channel *h)
{
	struct resource *r = tree_by_id(h->cse->tree, h->id);
	bool aggregates = r && resource_bool(r, "rqag", false);
	struct item *first;

	resource_unref(r);
	while (h->polls && (first = next_item(h)) != NULL)
		answer_poll(h, first, aggregates);
}

/* ---- channels ---- */

static void end(struct cse *c, void *state)
{
	struct channel *h = state, *next;

	(void)c;
	for (; h; h = next) {
		next = h->next;
		while (h->polls)
			(void)poll_take(h->polls);
		while (h->items) {
			struct item *i = h->items;

			h->items = i->next;
			item_free(i);
		}
		free(h);
	}
}

static struct channel *channel_of(struct cse *c, int64_t id)
{
	struct channel *h = find_channel(c, id);

	if (h)
		return h;
	h = calloc(1, sizeof *h);
	if (!h)
		abort();
	h->cse = c;
	h->id = id;
	h->next = c->services[SERVICE_POLLING];
	cse_service_set(c, SERVICE_POLLING, h, end);
	return h;
}

/* ---- answers ---- */

static bool take_answer(struct channel *h, const struct json *rsp)
{
	struct onem2m_response answer = {.content = rd_of("", 0)};
	const struct json *content = json_get(rsp, "pc"), *id = json_get(rsp, "rqi");
	struct item *i = h->items;
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
	item_end(i, &answer);
	return true;
}

static void take_answers(struct exchange *x, struct channel *h)
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
	struct channel *h;

	if (strcmp(x->from, x->target->creator) != 0) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "a polling channel is for its owner alone");
		return;
	}
	h = channel_of(x->cse, x->target->id);
	if (x->rq->operation == ONEM2M_NOTIFY) {
		take_answers(x, h);
	} else if (x->rq->operation == ONEM2M_RETRIEVE) {
		poll_new(h, x);
		match(h);
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
	struct channel *h;
	int64_t id;

	if ((resource_bool(owner, "rr", true) && cse_poa(owner, poa, sizeof poa)) || (id = channel_below(c, owner)) == 0)
		return false;
	h = channel_of(c, id);
	if (h->count >= WAITING_MOST)
		return false;
	item_new(h, rq, done, ctx);
	match(h);
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

static void channel_unlink(struct channel *h)
{
	struct channel *c = h->cse->services[SERVICE_POLLING];

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
	struct channel *h = find_channel(c, r->id);

	if (!h)
		return;
	channel_unlink(h);
	while (h->polls)
		exchange_fail(poll_take(h->polls), RSC_NOT_FOUND, "the polling channel is gone");
	while (h->items)
		item_end(h->items, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE});
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
