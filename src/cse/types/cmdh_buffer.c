/* The buffer of requests that leave for another CSE under a CMDH policy. TS-0001 clause D.12.8, TS-0004 annexes H.2.4 and H.2.5.
 *
 * Those for one CSE and of one event category wait in one lane, in the order in which they came: what rules say of a network they say of the
 * lane. When its time has come all of it leaves. When the CSE was not reached the lane backs off, and a request goes back to its head. */
#include "cse/types/cmdh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_AGAIN_MS 10000 /* rules and schedules may have been changed */

struct cmdh_held {
	struct cmdh_held *next, *prev;
	struct lane *lane;       /* NULL: the CSE has ended while it was on its way */
	uint64_t number;         /* later ones have higher */
	uint64_t octets;
	cmdh_go *go;
	cmdh_drop *drop;
	void *ctx;
	const struct onem2m_request *rq;
	char *subscription;      /* of a notification, in the category "latest"; NULL: none */
};

struct queue {
	struct cmdh_held *first, *last;
};

struct lane {
	struct cse_timer timer;  /* first, so that its function finds the lane */
	struct lane *next;
	char hop[CSE_ID_MAX];
	uint64_t ec, priority;
	int64_t rules, buffer;
	struct queue waiting, away; /* those that are on their way wait for nothing */
	uint64_t octets;         /* of those that wait */
	uint64_t not_before;     /* monotonic ms */
	uint64_t failures;       /* without a success in between */
	bool spread;             /* a time was drawn for the next departure */
	bool leaving;            /* it is being emptied right now */
};

struct cmdh_buffer {
	struct lane *lanes;
	uint64_t octets, numbers, chance;
};

static bool is_immediate(const struct lane *l)
{
	return l->ec == CMDH_IMMEDIATE;
}

/* Spreads loads, decides nothing that anybody could gain by guessing: xorshift. */
static uint64_t draw(struct cse *c, struct cmdh_buffer *b, uint64_t most)
{
	if (b->chance == 0)
		b->chance = cse_now(c) | 1;
	b->chance ^= b->chance << 13;
	b->chance ^= b->chance >> 7;
	b->chance ^= b->chance << 17;
	return most == UINT64_MAX ? b->chance : b->chance % (most + 1);
}

/* ---- lanes ---- */

static void held_free(struct cmdh_held *h)
{
	free(h->subscription);
	free(h);
}

static void unlink_from(struct queue *q, struct cmdh_held *h)
{
	*(h->prev ? &h->prev->next : &q->first) = h->next;
	*(h->next ? &h->next->prev : &q->last) = h->prev;
	h->next = h->prev = NULL;
}

static void put_behind(struct queue *q, struct cmdh_held *before, struct cmdh_held *h)
{
	h->prev = before;
	h->next = before ? before->next : q->first;
	*(h->prev ? &h->prev->next : &q->first) = h;
	*(h->next ? &h->next->prev : &q->last) = h;
}

static void leave_lane(struct cmdh_buffer *b, struct cmdh_held *h)
{
	unlink_from(&h->lane->waiting, h);
	h->lane->octets -= h->octets;
	b->octets -= h->octets;
}

/* In the order in which they came; what comes back from its way is among the first. */
static void enter_lane(struct cmdh_buffer *b, struct cmdh_held *h)
{
	struct queue *q = &h->lane->waiting;
	struct cmdh_held *before = NULL;

	if (q->last && q->last->number < h->number)
		before = q->last;
	else
		for (struct cmdh_held *at = q->first; at && at->number < h->number; at = at->next)
			before = at;
	put_behind(q, before, h);
	h->lane->octets += h->octets;
	b->octets += h->octets;
}

/* One that nobody uses and that backs off from nothing. */
static void sweep(struct cse *c, struct cmdh_buffer *b)
{
	struct lane **at = &b->lanes;

	while (*at) {
		struct lane *l = *at;

		if (l->waiting.first || l->away.first || l->leaving || l->not_before > cse_mono(c)) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		cse_timer_cancel(c, &l->timer);
		free(l);
	}
}

static void on_timer(struct cse *c, struct cse_timer *t);

static struct lane *lane_for(struct cse *c, struct cmdh_buffer *b, const struct cmdh_terms *terms, const char *hop)
{
	struct lane *l;

	for (l = b->lanes; l; l = l->next)
		if (l->ec == terms->ec && l->rules == terms->rules && l->buffer == terms->buffer && strcmp(l->hop, hop) == 0)
			return l;
	sweep(c, b);
	l = calloc(1, sizeof *l);
	if (!l)
		abort();
	snprintf(l->hop, sizeof l->hop, "%s", hop);
	l->ec = terms->ec;
	l->rules = terms->rules;
	l->buffer = terms->buffer;
	l->timer.fn = on_timer;
	l->next = b->lanes;
	b->lanes = l;
	return l;
}

/* ---- departure ---- */

static void depart(struct cse *c, struct cmdh_buffer *b, struct lane *l)
{
	l->spread = false;
	l->leaving = true;
	while (l->waiting.first && l->not_before <= cse_mono(c)) {
		struct cmdh_held *h = l->waiting.first;

		leave_lane(b, h);
		put_behind(&l->away, NULL, h);
		h->go(h->ctx); /* it may have been answered already, and back off */
	}
	l->leaving = false;
}

static void consider(struct cse *c, struct cmdh_buffer *b, struct lane *l)
{
	uint64_t mono = cse_mono(c), now = cse_now(c), again = LOOK_AGAIN_MS;
	struct cmdh_way way;

	if (!l->waiting.first || l->leaving)
		return;
	if (l->not_before > mono) {
		cse_timer_at(c, &l->timer, l->not_before);
		return;
	}
	cmdh_find_way(c, l->rules, l->octets, is_immediate(l), now, &way);
	if (way.open && way.spread_ms && !l->spread) {
		l->spread = true;
		l->not_before = mono + draw(c, b, way.spread_ms);
		cse_timer_at(c, &l->timer, l->not_before);
		return;
	}
	if (way.open)
		depart(c, b, l);
	if (!l->waiting.first)
		return;
	if (l->not_before > mono)
		again = l->not_before - mono;
	else if (way.next > now && way.next - now < again)
		again = way.next - now;
	cse_timer_at(c, &l->timer, mono + again);
}

static void on_timer(struct cse *c, struct cse_timer *t)
{
	consider(c, cmdh_state(c)->buffer, (struct lane *)t);
}

void cmdh_start(struct cse *c, struct cmdh_held *h)
{
	consider(c, cmdh_state(c)->buffer, h->lane);
}

static void back_off(struct cse *c, struct cmdh_buffer *b, struct lane *l)
{
	struct cmdh_way way;
	uint64_t wait;

	cmdh_find_way(c, l->rules, UINT64_MAX, is_immediate(l), cse_now(c), &way);
	wait = way.back_off_ms + l->failures * way.back_off_more_ms;
	if (wait > way.back_off_most_ms)
		wait = way.back_off_most_ms;
	if (wait == 0)
		wait = 1; /* in another round at least */
	l->failures++;
	l->not_before = cse_mono(c) + wait + (way.back_off_random_ms ? draw(c, b, way.back_off_random_ms) : 0);
}

bool cmdh_answered(struct cse *c, struct cmdh_held *h, bool reached)
{
	struct lane *l = h->lane;
	struct cmdh_buffer *b;

	if (!l) {
		held_free(h);
		return false;
	}
	unlink_from(&l->away, h);
	if (reached) {
		l->failures = 0;
		held_free(h);
		return false;
	}
	b = cmdh_state(c)->buffer;
	if (l->not_before <= cse_mono(c)) /* several of a departure fail together */
		back_off(c, b, l);
	enter_lane(b, h);
	cse_timer_at(c, &l->timer, l->not_before);
	return true;
}

void cmdh_next_cse_is_there(struct cse *c, const char *csi)
{
	struct cmdh *s = c->services[SERVICE_CMDH];

	for (struct lane *l = s && s->buffer ? s->buffer->lanes : NULL; l; l = l->next) {
		if (strcmp(l->hop, csi) != 0 || !l->failures)
			continue;
		l->failures = 0;
		l->not_before = 0;
		if (l->waiting.first)
			cse_timer_at(c, &l->timer, cse_mono(c));
	}
}

/* ---- what may wait ---- */

static void drop(struct cmdh_buffer *b, struct cmdh_held *h, const char *why)
{
	leave_lane(b, h);
	h->drop(h->ctx, why);
	held_free(h);
}

void cmdh_forget(struct cse *c, struct cmdh_held *h)
{
	leave_lane(cmdh_state(c)->buffer, h);
	held_free(h);
}

/* The subscription of a notification, to be freed; NULL: it is none. */
static char *subscription_of(const struct onem2m_request *rq)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	struct rd sur;
	char *text = NULL;

	if (!a)
		abort();
	if (rq->operation == ONEM2M_NOTIFY && json_parse(a, rq->content, NULL, &doc) == OK && json_string(json_get(json_get(doc, "m2m:sgn"), "sur"), &sur)) {
		text = malloc(sur.left + 1);
		if (!text || !rd_text(sur, text, sur.left + 1))
			abort();
	}
	json_arena_free(a);
	return text;
}

/* Of the category "latest": two notifications of one subscription, otherwise two of the same originator, target and operation. */
static bool takes_its_place(const struct cmdh_held *later, const struct cmdh_held *earlier)
{
	const struct onem2m_request *a = later->rq, *b = earlier->rq;

	if (later->subscription || earlier->subscription)
		return later->subscription && earlier->subscription && strcmp(later->subscription, earlier->subscription) == 0;
	return a->operation == b->operation && rd_equal(a->to, b->to) && rd_equal(a->from, b->from);
}

static struct cmdh_held *find_earlier(const struct cmdh_held *h)
{
	struct cmdh_held *e = h->lane->ec == CMDH_LATEST ? h->lane->waiting.first : NULL;

	while (e && !takes_its_place(h, e))
		e = e->next;
	return e;
}

static uint64_t octets_in(const struct cmdh_buffer *b, int64_t buffer)
{
	uint64_t sum = 0;

	for (const struct lane *l = b->lanes; l; l = l->next)
		sum += l->buffer == buffer ? l->octets : 0;
	return sum;
}

static uint64_t octets_below(const struct cmdh_buffer *b, uint64_t priority)
{
	uint64_t sum = 0;

	for (const struct lane *l = b->lanes; l; l = l->next)
		sum += l->priority < priority ? l->octets : 0;
	return sum;
}

/* Of those of lower priority, the one that came last. */
static struct cmdh_held *worth_less(const struct cmdh_buffer *b, uint64_t priority)
{
	struct cmdh_held *last = NULL;

	for (const struct lane *l = b->lanes; l; l = l->next)
		if (l->priority < priority && l->waiting.last && (!last || l->waiting.last->number > last->number))
			last = l->waiting.last;
	return last;
}

static bool make_room(struct cmdh_buffer *b, const struct cmdh_terms *terms, const struct cmdh_held *h)
{
	struct cmdh_held *earlier = find_earlier(h);
	uint64_t freed = earlier ? earlier->octets : 0;

	if (terms->buffer && octets_in(b, terms->buffer) - freed + h->octets > terms->most)
		return false;
	if (b->octets - freed - octets_below(b, terms->priority) + h->octets > CMDH_OCTETS_MOST)
		return false;
	if (earlier)
		drop(b, earlier, "a later request took its place");
	while (b->octets + h->octets > CMDH_OCTETS_MOST && (earlier = worth_less(b, terms->priority)) != NULL)
		drop(b, earlier, "it made room for a request of higher storage priority");
	return true;
}

struct cmdh_held *cmdh_hold(struct cse *c, const struct cmdh_terms *terms, const char *hop_id, const struct onem2m_request *rq, cmdh_go *go, cmdh_drop *drop_it, void *ctx)
{
	struct cmdh *s = cmdh_state(c);
	struct cmdh_held *h = calloc(1, sizeof *h);
	bool has_room = true;

	if (!s->buffer)
		s->buffer = calloc(1, sizeof *s->buffer);
	if (!h || !s->buffer)
		abort();
	*h = (struct cmdh_held){.lane = lane_for(c, s->buffer, terms, hop_id), .number = ++s->buffer->numbers, .go = go, .drop = drop_it, .ctx = ctx, .rq = rq};
	h->lane->priority = terms->priority;
	if (terms->ec == CMDH_LATEST)
		h->subscription = subscription_of(rq);
	if (terms->ec != CMDH_IMMEDIATE) {
		h->octets = rq->to.left + rq->from.left + rq->filter.left + rq->content.left;
		h->lane->leaving = true; /* what is dropped ends exchanges, and those may bring others */
		has_room = make_room(s->buffer, terms, h);
		h->lane->leaving = false;
	}
	if (!has_room) {
		held_free(h);
		return NULL;
	}
	enter_lane(s->buffer, h);
	return h;
}

void cmdh_buffer_free(struct cse *c, struct cmdh_buffer *b)
{
	struct lane *l;

	while (b && (l = b->lanes) != NULL) {
		l->leaving = true;
		while (l->waiting.first)
			drop(b, l->waiting.first, "the CSE ends");
		for (struct cmdh_held *h = l->away.first; h; h = h->next)
			h->lane = NULL;
		b->lanes = l->next;
		cse_timer_cancel(c, &l->timer);
		free(l);
	}
	free(b);
}
