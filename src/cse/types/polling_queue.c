/* The two queues of a polling channel, each with the time at which its waiting ends. */
#include "cse/types/polling_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct polling_channel *polling_channel_find(struct cse *c, int64_t id)
{
	struct polling_channel *h = c->services[SERVICE_POLLING];

	while (h && h->id != id)
		h = h->next;
	return h;
}

/* ---- requests that wait ---- */

static void item_free(struct polling_item *i)
{
	cse_timer_cancel(i->channel->cse, &i->timer);
	wr_free(&i->primitive);
	free(i);
}

/* Takes it out and tells its sender. */
void polling_item_end(struct polling_item *i, const struct onem2m_response *rsp)
{
	struct polling_item **at = &i->channel->items;
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
	polling_item_end((struct polling_item *)(void *)((char *)t - offsetof(struct polling_item, timer)), &(const struct onem2m_response){.rsc = RSC_REQUEST_TIMEOUT});
}

static void put_text(struct json_out *o, const char *name, struct rd text)
{
	if (text.left > 0)
		json_put_rd(o, name, text);
}

static void compose(struct polling_item *i, const struct onem2m_request *rq)
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

void polling_item_new(struct polling_channel *h, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct polling_item *i = calloc(1, sizeof *i), **last = &h->items;
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
}

/* ---- polls that wait ---- */

struct exchange *polling_take(struct polling_poll *p)
{
	struct polling_poll **at = &p->channel->polls;
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
	exchange_fail(polling_take((struct polling_poll *)(void *)((char *)t - offsetof(struct polling_poll, timer))), RSC_REQUEST_TIMEOUT, "no request came in this time");
}

void polling_wait(struct polling_channel *h, struct exchange *x)
{
	struct polling_poll *p = calloc(1, sizeof *p), **last = &h->polls;
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

static struct polling_item *next_item(struct polling_channel *h)
{
	struct polling_item *i = h->items;

	while (i && i->fetched)
		i = i->next;
	return i;
}

static void put_item(struct polling_item *i, struct json_out *o, const char *name)
{
	i->fetched = true;
	json_put_raw(o, name, rd_of(i->primitive.octets, i->primitive.len));
}

/* One request for one poll; or all at once, where the channel aggregates. */
static void answer_poll(struct polling_channel *h, struct polling_item *first, bool aggregates)
{
	struct wr w = wr_new(CSE_BODY_MAX * 16);
	struct json_out o = json_out(&w);
	struct exchange *x = polling_take(h->polls);
	struct rd content;

	json_object(&o, NULL);
	if (aggregates) {
		json_array(&o, "m2m:agrp");
		for (struct polling_item *i = first; i; i = next_item(h))
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

void polling_match(struct polling_channel *h)
{
	struct resource *r = tree_by_id(h->cse->tree, h->id);
	bool aggregates = r && resource_bool(r, "rqag", false);
	struct polling_item *first;

	resource_unref(r);
	while (h->polls && (first = next_item(h)) != NULL)
		answer_poll(h, first, aggregates);
}

/* ---- channels ---- */

static void end(struct cse *c, void *state)
{
	struct polling_channel *h = state, *next;

	(void)c;
	for (; h; h = next) {
		next = h->next;
		while (h->polls)
			(void)polling_take(h->polls);
		while (h->items) {
			struct polling_item *i = h->items;

			h->items = i->next;
			item_free(i);
		}
		free(h);
	}
}

struct polling_channel *polling_channel_of(struct cse *c, int64_t id)
{
	struct polling_channel *h = polling_channel_find(c, id);

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
