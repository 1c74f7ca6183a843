/* Outgoing notifications: one queue a sender and target, in order, the next after the former was answered; an unreachable target is tried
 * again with back-off. TS-0001 clause 10.2.10. */
#include "cse/notify/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTBOX_MAX 1000     /* notifications that wait for one target; the oldest goes first when it is full */
#define RETRY_FIRST_MS 250
#define RETRY_MOST_MS 5000
#define RETRY_TRIES 200

struct notification {
	struct notification *next;
	struct wr content;
	cse_done *done;
	void *ctx;
};

struct outbox {
	struct outbox *next;
	struct cse *cse;
	char sender[128];              /* ri of the subscription, or "" */
	char target[CSE_ID_MAX];       /* nu */
	struct notification *first, **last;
	size_t count;
	bool in_flight, retry;
	unsigned tries;
	uint64_t not_before;
	/* of the request on its way */
	struct onem2m_request rq;
	char id[32];
};

static struct outbox *outbox_of(struct cse *c, const char *sender, const char *target, bool retry)
{
	struct outbox *b;

	for (b = c->outboxes; b; b = b->next)
		if (strcmp(b->sender, sender) == 0 && strcmp(b->target, target) == 0)
			return b;
	b = calloc(1, sizeof *b);
	if (!b)
		abort();
	b->cse = c;
	b->retry = retry;
	snprintf(b->sender, sizeof b->sender, "%s", sender);
	snprintf(b->target, sizeof b->target, "%s", target);
	b->last = &b->first;
	b->next = c->outboxes;
	c->outboxes = b;
	return b;
}

/* Takes the first out and tells its sender. */
static void end_first(struct outbox *b, const struct onem2m_response *rsp)
{
	struct notification *n = b->first;

	b->first = n->next;
	if (!b->first)
		b->last = &b->first;
	b->count--;
	if (n->done)
		n->done(n->ctx, rsp);
	wr_free(&n->content);
	free(n);
}

/* Outboxes that have nothing to say are taken away: targets come and go. */
static void sweep(struct cse *c)
{
	for (struct outbox **at = &c->outboxes; *at;) {
		struct outbox *b = *at;

		if (b->first || b->in_flight) {
			at = &b->next;
			continue;
		}
		*at = b->next;
		free(b);
	}
}

static const struct onem2m_response unreachable = {.rsc = RSC_TARGET_NOT_REACHABLE};

void outbox_post(struct cse *c, const char *sender, const char *target, struct rd content, bool retry, cse_done *done, void *ctx)
{
	struct outbox *b = outbox_of(c, sender, target, retry);
	struct notification *n = calloc(1, sizeof *n);

	if (!n)
		abort();
	n->content = wr_new(CSE_BODY_MAX * 4);
	n->done = done;
	n->ctx = ctx;
	wr_rd(&n->content, content);
	if (b->count >= OUTBOX_MAX && !b->in_flight) {
		end_first(b, &unreachable);
		c->counts.notify_failed++;
	}
	*b->last = n;
	b->last = &n->next;
	b->count++;
	cse_commit_later(c);
}

void cse_notify_target(struct cse *c, const char *target, struct rd content, cse_done *done, void *ctx)
{
	outbox_post(c, "", target, content, false, done, ctx);
}

size_t outbox_waiting(struct cse *c, const char *sender, const char *target)
{
	for (const struct outbox *b = c->outboxes; b; b = b->next)
		if (strcmp(b->sender, sender) == 0 && strcmp(b->target, target) == 0)
			return b->count;
	return 0;
}

void outbox_drop(struct cse *c, const char *sender)
{
	for (struct outbox *b = c->outboxes; b; b = b->next) {
		if (strcmp(b->sender, sender) != 0)
			continue;
		while (b->first && !(b->in_flight && b->count == 1)) {
			struct notification *first = b->first;

			/* the one on its way ends by itself */
			if (b->in_flight) {
				struct notification *second = first->next;

				first->next = second->next;
				if (!first->next)
					b->last = &first->next;
				b->count--;
				wr_free(&second->content);
				free(second);
			} else {
				end_first(b, &unreachable);
			}
		}
	}
}

static bool may_come_later(enum onem2m_rsc rsc)
{
	return rsc == RSC_TARGET_NOT_REACHABLE || rsc == RSC_NOT_FOUND || rsc == RSC_REQUEST_TIMEOUT || rsc == RSC_INTERNAL_SERVER_ERROR;
}

static void send_next(struct outbox *b);

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct outbox *b = ctx;
	struct cse *c = b->cse;
	uint64_t now = cse_mono(c), wait = RETRY_FIRST_MS;

	b->in_flight = false;
	if (!may_come_later(rsp->rsc) || !b->retry) {
		if (may_come_later(rsp->rsc))
			c->counts.notify_failed++;
		else
			c->counts.notified++;
		b->tries = 0;
		end_first(b, rsp);
		send_next(b);
		return;
	}
	if (++b->tries >= RETRY_TRIES) {
		c->counts.notify_failed += b->count;
		while (b->first)
			end_first(b, rsp);
		b->tries = 0;
		return;
	}
	for (unsigned i = 1; i < b->tries && wait < RETRY_MOST_MS; i++)
		wait *= 2;
	b->not_before = now + (wait < RETRY_MOST_MS ? wait : RETRY_MOST_MS);
	c->transport.wake_at(c->transport.transport, b->not_before);
}

static bool is_url(struct rd nu)
{
	struct rd part;

	return rd_until(&nu, ':', &part) && rd_starts(nu, "//") && part.left > 0 && !memchr(part.at, '/', part.left);
}

static void send_next(struct outbox *b)
{
	struct cse *c = b->cse;
	struct rd nu = rd_str(b->target);

	if (!b->first || b->in_flight)
		return;
	b->in_flight = true;
	snprintf(b->id, sizeof b->id, "n%llu", (unsigned long long)++c->numbers);
	b->rq = (struct onem2m_request){
		.operation = ONEM2M_NOTIFY,
		.from = rd_str(c->config.id),
		.request_id = rd_str(b->id),
		.release = rd_str("3"),
		.rcn = ONEM2M_RCN_ABSENT,
		.content = rd_of(b->first->content.octets, b->first->content.len),
		.peer = "",
		.internal = true,
	};
	if (is_url(nu)) {
		c->transport.send(c->transport.transport, b->target, "", &b->rq, on_answer, b);
		return;
	}
	b->rq.to = nu;
	cse_submit(c, &b->rq, on_answer, b);
}

void cse_outboxes_flush(struct cse *c)
{
	uint64_t now = cse_mono(c);

	for (struct outbox *b = c->outboxes; b; b = b->next)
		if (b->first && !b->in_flight && b->not_before <= now)
			send_next(b);
	sweep(c);
}

void cse_outboxes_tick(struct cse *c, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	cse_outboxes_flush(c);
	for (const struct outbox *b = c->outboxes; b; b = b->next)
		if (b->first && !b->in_flight && b->not_before > now && b->not_before < next)
			next = b->not_before;
	if (next != UINT64_MAX)
		c->transport.wake_at(c->transport.transport, next);
}

void cse_outboxes_free(struct cse *c)
{
	while (c->outboxes) {
		struct outbox *b = c->outboxes;

		c->outboxes = b->next;
		while (b->first)
			end_first(b, &unreachable);
		free(b);
	}
}
