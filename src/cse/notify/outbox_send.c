/* Sending what waits: one at a time or as a batch, again after growing pauses while the target is away, sealed where it has to be. */
#include "cse/gate.h"
#include "cse/notify/outbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/service.h"

#define RETRY_FIRST_MS 250
#define RETRY_MOST_MS 5000     /* at first; a target that is away for long is asked less often */
#define RETRY_LONG_MS 30000
#define RETRY_LONG_AFTER 30
#define CLOSING_TRIES 3

static const struct onem2m_response unsealed = {.rsc = RSC_ESPRIM_ENCRYPTION_ERROR};

static bool may_come_later(enum onem2m_rsc rsc)
{
	return rsc == RSC_TARGET_NOT_REACHABLE || rsc == RSC_REMOTE_ENTITY_NOT_REACHABLE || rsc == RSC_NOT_FOUND || rsc == RSC_REQUEST_TIMEOUT ||
	    rsc == RSC_INTERNAL_SERVER_ERROR;
}

static void give_up(struct outbox *b, const struct onem2m_response *rsp)
{
	b->flow->cse->counts.notify_failed += b->count;
	while (b->first)
		flow_drop(b, NULL, rsp);
	b->tries = 0;
}

static void wait_for_target(struct outbox *b, const struct onem2m_response *rsp)
{
	const struct outbox_policy *p = &b->flow->policy;
	uint64_t wait = RETRY_FIRST_MS, most = b->tries > RETRY_LONG_AFTER ? RETRY_LONG_MS : RETRY_MOST_MS;

	if (++b->tries >= (b->flow->closing ? CLOSING_TRIES : OUTBOX_TRIES) && (p->pending == 0 || b->flow->closing)) {
		give_up(b, rsp);
		return;
	}
	for (unsigned i = 1; i < b->tries && wait < most; i++)
		wait *= 2;
	b->not_before = cse_mono(b->flow->cse) + (wait < most ? wait : most);
	if (p->pending == 1)
		outbox_supersede(b);
	keep_all(b);
}

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct outbox *b = ctx;
	struct cse *c = b->flow->cse;
	bool away = may_come_later(rsp->rsc);
	size_t n = b->sending;

	b->sending = 0;
	if (b->flow->has_sender && !away && b->flow->policy.counted)
		stats_answered(c, b->flow->key, b->target, n);
	if (away && b->flow->has_sender && b->flow->policy.retry) {
		wait_for_target(b, rsp);
	} else {
		*(away ? &c->counts.notify_failed : &c->counts.notified) += n;
		b->tries = 0;
		b->not_before = 0;
		for (; n > 0; n--)
			flow_drop(b, NULL, rsp);
	}
	b->in_flight = false; /* only now: who was told may have posted again */
	outbox_pump(b);
}

/* While a commit is under way (gate.h): what was taken lived in memory alone and nobody waits to hear of it, and its successor may go without a
 * look at the store. So a target that keeps up is not held up by the commits of others. */
static bool may_go_on(void *ctx, const struct onem2m_response *rsp)
{
	const struct outbox *b = ctx;
	const struct outbox_policy *p = &b->flow->policy;
	const struct notification *n = b->first;

	if (may_come_later(rsp->rsc) || p->schedule != 0 || p->latest)
		return false;
	for (size_t i = 0; i < b->sending; i++, n = n->next)
		if (n->kept || n->done || n->farewell)
			return false;
	return true;
}

bool outbox_may_hear(cse_done *done, void *ctx, const struct onem2m_response *rsp)
{
	return done == on_answer && may_go_on(ctx, rsp);
}

static bool is_url(struct rd nu)
{
	struct rd part;

	return rd_until(&nu, ':', &part) && rd_starts(nu, "//") && part.left > 0 && !memchr(part.at, '/', part.left);
}

/* The URL without its "ct=cbor", which says in what its owner wants to read: TS-0004 clause 7.5.1.2.2. To be freed. */
static char *url_and_form(const char *target, enum serialization *wanted)
{
	static const char *const names[] = {[SERIALIZATION_JSON] = "json", [SERIALIZATION_XML] = "xml", [SERIALIZATION_CBOR] = "cbor"};
	char *url = strdup(target), *argument = url ? strpbrk(url, "?&") : NULL;

	if (!url)
		abort();
	for (; argument; argument = strpbrk(argument + 1, "&")) {
		size_t n = strcspn(argument + 1, "&#");

		if (n < 4 || strncmp(argument + 1, "ct=", 3) != 0)
			continue;
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
			if (strlen(names[i]) != n - 3 || strncmp(argument + 4, names[i], n - 3) != 0)
				continue;
			*wanted = (enum serialization)i;
			if (argument[n + 1] == '&') /* the next argument takes its place */
				memmove(argument + 1, argument + n + 2, strlen(argument + n + 2) + 1);
			else
				memmove(argument, argument + n + 1, strlen(argument + n + 1) + 1);
			return url;
		}
	}
	return url;
}

/* m2m:agn of the first n, each without its own root. */
static struct rd aggregate(struct outbox *b, size_t n)
{
	struct json_arena *a = json_arena_new();
	struct json_out o = json_out(&b->batch);
	struct rd out = rd_of("", 0);
	const struct json *doc;

	if (!a)
		abort();
	wr_reset(&b->batch);
	o = json_out(&b->batch);
	json_object(&o, NULL);
	json_object(&o, "m2m:agn");
	json_array(&o, "m2m:sgn");
	for (const struct notification *k = b->first; n > 0; k = k->next, n--) {
		if (json_parse(a, rd_of(k->content->octets, k->content->len), NULL, &doc) == OK && doc->first)
			json_put_raw(&o, NULL, doc->first->source);
		json_arena_reset(a);
	}
	json_close(&o);
	json_close(&o);
	json_close(&o);
	json_arena_free(a);
	if (!wr_done(&b->batch, &out))
		out = rd_of("", 0);
	return out;
}

static void send_first(struct outbox *b, size_t n, struct rd content, const struct seal_target *sealed)
{
	struct cse *c = b->flow->cse;
	struct rd nu = rd_str(b->target);

	b->in_flight = true;
	b->sending = n;
	hold_sent(b);
	if (b->flow->has_sender && b->flow->policy.counted)
		stats_sent(c, b->flow->key, b->target, n);
	snprintf(b->id, sizeof b->id, "n%llu", (unsigned long long)++c->numbers);
	snprintf(b->category, sizeof b->category, "%" PRIu64, b->first->category);
	b->rq = (struct onem2m_request){
		.operation = ONEM2M_NOTIFY,
		.from = rd_str(c->config.id),
		.request_id = rd_str(b->id),
		.release = rd_str("3"),
		.rcn = ONEM2M_RCN_ABSENT,
		.content = content,
		.ec = rd_str(b->first->category ? b->category : ""),
		.peer = "",
		.internal = true,
	};
	if (is_url(nu)) {
		char *url = url_and_form(b->target, &b->rq.wanted);

		cse_send_passing(c, url, "", &b->rq, may_go_on, on_answer, b);
		free(url);
		return;
	}
	b->rq.to = nu;
	if (sealed)
		seal_send(c, sealed, &b->rq, on_answer, b);
	else
		cse_submit(c, &b->rq, on_answer, b);
}

void outbox_pump(struct outbox *b)
{
	struct cse *c = b->flow->cse;
	struct notifications *s = notifications_of(c);
	struct seal_target t;
	enum cse_sealing how;
	uint64_t at;
	size_t n;

	if (b->in_flight || s->free)
		return;
	if (!b->first) {
		/* a rate's window is remembered to its end */
		if (!flow_sweep(b) && !b->fresh)
			cse_timer_at(c, &b->timer, b->window + b->flow->policy.rate_ms);
		return;
	}
	if (b->first->number > s->committed) {
		if (!b->fresh) /* otherwise the next commit, or the one under way, leads here again */
			outbox_freshen(b); /* posted by what was just sent */
		return;
	}
	at = hold_until(b);
	if (at) {
		cse_timer_at(c, &b->timer, at);
		return;
	}
	cse_timer_cancel(c, &b->timer);
	if (b->flow->policy.latest)
		while (b->first->next && b->first->next->number <= s->committed && !b->first->next->alone)
			flow_drop(b, NULL, NULL);
	how = seal_judge(c, b->target, is_url(rd_str(b->target)), &t);
	if (how == CSE_NOT_AT_ALL) {
		give_up(b, &unsealed);
		outbox_pump(b);
	} else {
		n = hold_batch(b);
		send_first(b, n ? n : 1, n ? aggregate(b, n) : rd_of(b->first->content->octets, b->first->content->len), how == CSE_SEALED ? &t : NULL);
	}
	seal_target_clear(&t);
}

void cse_outboxes_flush(struct cse *c)
{
	struct notifications *s = notifications_of(c);
	struct outbox *list = s->fresh;

	s->fresh = NULL;
	s->committed = s->number;
	while (list) {
		struct outbox *b = list;

		list = b->next_fresh;
		b->fresh = false;
		outbox_pump(b);
	}
}
