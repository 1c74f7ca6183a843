/* One request on its way: its answer after the commit, its failure, its content. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/gate.h"
#include "cse/access.h"
#include "cse/notify/outbox.h"
#include "cse/release1.h"
#include "semantics/semantics.h"

/* An answer to a write, kept until its transaction is on disk. */
struct pending {
	struct pending *next;
	struct exchange *x;
	enum onem2m_rsc rsc;
	struct rd content, location; /* these and the pending one itself are the exchange's */
};

/* An exchange is large, because of its filter's lists: a few are kept, which spares the allocator more than it looks. */
#define SPARE_EXCHANGES 64
#define SPARE_ROOM 8192 /* octets that one of them keeps in its writer */
#define FAREWELL_MS 500  /* for so long a DELETE waits for what is told of a subscription's end */

struct exchange *exchange_new(struct cse *c)
{
	struct exchange *x = c->spare;
	struct wr room = x ? x->room : wr_new(CSE_BODY_MAX * 4);

	if (x) {
		c->spare = x->next_spare;
		c->spare_count--;
	} else {
		x = malloc(sizeof *x);
	}
	if (!x)
		abort();
	memset(x, 0, offsetof(struct exchange, filter.labels));
	x->room = room;
	x->arena = json_arena_new();
	if (!x->arena)
		abort();
	x->cse = c;
	return x;
}

void exchange_spares_free(struct cse *c)
{
	while (c->spare) {
		struct exchange *x = c->spare;

		c->spare = x->next_spare;
		wr_free(&x->room);
		free(x);
	}
}

struct wr *exchange_room(struct exchange *x)
{
	wr_reset(&x->room);
	return &x->room;
}

static void exchange_free(struct exchange *x)
{
	struct cse *c = x->cse;

	if (x->running)
		*x->running = NULL;
	sparql_free(x->query);
	json_arena_free(x->arena);
	resource_unref(x->target);
	if (x->room.capacity > SPARE_ROOM || c->spare_count == SPARE_EXCHANGES)
		wr_free(&x->room);
	if (c->spare_count < SPARE_EXCHANGES) {
		x->next_spare = c->spare;
		c->spare = x;
		c->spare_count++;
	} else {
		free(x);
	}
}

static void tell(struct exchange *x, enum onem2m_rsc rsc, struct rd content, struct rd location)
{
	struct onem2m_response rsp = {.rsc = rsc, .content = content, .location = location, .cts = x->cts, .cto = x->cto};
	char stamp[TIMESTAMP_SIZE];

	if (x->rq->ot.left > 0) {
		timestamp_print_precise(stamp, cse_now(x->cse));
		rsp.ot = rd_str(stamp);
	}
	rsp.rset = x->rq->rset;
	rsp.ati = access_assigned(x);
	rsp.silent = x->rq->rt == ONEM2M_NO_RESPONSE;
	if (rsc >= 4000)
		x->cse->counts.refused++;
	else
		stats_count(x, content.left);
	if (x->cse->config.trace)
		x->cse->config.trace(x->cse->config.trace_ctx, x->rq, &rsp);
	x->done(x->ctx, &rsp);
	exchange_free(x);
}

static enum err prepare_commit(struct cse *c)
{
	enum err e = c->round_broken ? ERR_STORE : OK;

	if (e == OK) {
		group_before_commit(c);
		e = tree_flush(c->tree);
	}
	c->round_broken = false;
	if (e != OK)
		store_rollback(c->store);
	return e;
}

static void tell_failure(struct cse *c, struct exchange *x)
{
	char body[512];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	struct rd content = rd_of("", 0);

	json_object(&o, NULL);
	json_put_string(&o, "m2m:dbg", store_detail(c->store));
	json_close(&o);
	if (!wr_done(&w, &content))
		content = rd_of("", 0);
	tell(x, RSC_INTERNAL_SERVER_ERROR, content, rd_str(""));
}

/* ---- the end of the round ---- */

struct later {
	struct later *next;
	cse_later *fn;
	int64_t id;
	char text[];
};

void cse_before_commit(struct cse *c, cse_later *fn, int64_t id, const char *text)
{
	size_t size = strlen(text) + 1;
	struct later *l = calloc(1, sizeof *l + size);

	if (!l)
		abort();
	l->fn = fn;
	l->id = id;
	memcpy(l->text, text, size);
	if (!c->later)
		c->later_last = &c->later;
	*c->later_last = l;
	c->later_last = &l->next;
	cse_commit_later(c);
}

void cse_later_free(struct cse *c)
{
	while (c->later) {
		struct later *l = c->later;

		c->later = l->next;
		free(l);
	}
}

static void run_later(struct cse *c)
{
	while (c->later) {
		struct later *l = c->later;

		c->later = l->next;
		l->fn(c, l->id, l->text);
		free(l);
	}
}

/* ---- farewells: who ends subscriptions hears of it after those who were to be told (su), or after a while ---- */

static void tell_parting(struct cse *c)
{
	struct pending *p = c->parting;

	cse_timer_cancel(c, &c->parting_timer);
	c->parting = NULL;
	c->parting_last = &c->parting;
	while (p) {
		struct pending *next = p->next;

		tell(p->x, p->rsc, p->content, p->location);
		p = next;
	}
}

static void on_parting_time(struct cse *c, struct cse_timer *t)
{
	(void)t;
	tell_parting(c);
}

void exchange_farewell_begins(struct cse *c)
{
	c->farewells++;
}

void exchange_farewell_ends(struct cse *c)
{
	if (--c->farewells == 0)
		tell_parting(c);
}

static void part(struct cse *c, struct pending *p)
{
	if (!c->parting) {
		c->parting_last = &c->parting;
		c->parting_timer.fn = on_parting_time;
		cse_timer_at(c, &c->parting_timer, cse_mono(c) + FAREWELL_MS);
	}
	p->next = NULL;
	*c->parting_last = p;
	c->parting_last = &p->next;
}

/* ---- the end of a commit ---- */

static void tell_failures(struct cse *c, struct pending *p)
{
	while (p) {
		struct pending *next = p->next;

		tell_failure(c, p->x);
		p = next;
	}
}

/* The commit failed. Those who passed the gate meanwhile counted on it, and fail too. */
static void give_up_round(struct cse *c, struct pending *of_the_commit)
{
	struct pending *passed = c->pending;

	store_rollback(c->store);
	tree_forget(c->tree);
	outbox_undo(c, outbox_committed(c));
	c->pending = NULL;
	c->pending_last = &c->pending;
	c->pending_count = c->pending_seen = 0;
	c->round_broken = false;
	tell_failures(c, of_the_commit);
	tell_failures(c, passed);
}

static void tell_answers(struct cse *c, struct pending *p)
{
	while (p) {
		struct pending *next = p->next;

		if (p->x->farewell && c->farewells > 0)
			part(c, p);
		else
			tell(p->x, p->rsc, p->content, p->location);
		p = next;
	}
}

static void end_round_of_those_who_passed(struct cse *c)
{
	cse_between_requests(c);
	if (c->committing || !c->commit_due)
		return;
	c->commit_due = false; /* the end of their round came while the commit was under way, and did nothing */
	cse_commit_later(c);
}

/* The commit under way is decided: everybody hears of it, and what waited goes on. That goes first: its commit begins in this round then, and runs
 * while the loop sends the answers. */
static void on_committed(void *ctx)
{
	struct cse *c = ctx;
	struct pending *p = c->unanswered;

	if (c->committing)
		c->committed = store_commit_end(c->store);
	c->batch = (c->unanswered_count + c->pending_count + c->held_count + 1) / 2;
	c->unanswered = NULL;
	if (c->committed != OK) {
		give_up_round(c, p);
		p = NULL;
	}
	/* before what waited writes and posts anew */
	cse_outboxes_flush(c);
	if (c->committed == OK)
		announce_flush(c);
	gate_open(c);
	end_round_of_those_who_passed(c);
	tell_answers(c, p);
}

static void commit_work(void *ctx)
{
	struct cse *c = ctx;

	store_commit_run(c->store);
}

static void begin_commit(struct cse *c)
{
	run_later(c);
	c->commit_due = false;
	c->unanswered = c->pending;
	c->unanswered_count = c->pending_count;
	c->pending = NULL;
	c->pending_last = &c->pending;
	c->pending_count = c->pending_seen = 0;
	c->committed = OK;
	if (store_dirty(c->store) || c->unanswered) {
		c->counts.commits++;
		c->committed = prepare_commit(c);
		if (c->committed == OK && c->worker.run && store_dirty(c->store)) {
			c->committed = store_commit_begin(c->store);
			c->committing = c->committed == OK;
		}
		if (c->committing) {
			c->worker.run(c->worker.worker, commit_work, on_committed, c);
			return;
		}
		if (c->committed == OK)
			c->committed = store_commit(c->store);
	}
	on_committed(c);
}

/* Under load there are two groups of clients: those whose answers wait for the commit under way, and those whose requests come meanwhile. When the
 * groups are of one size, the disk and the loop are both busy all the time; when one of them is everybody, each waits for the other. So a commit
 * is put off while it has less than half of those who ask, and more come with every round, and it begins as soon as it has. */
static bool has_enough(const struct cse *c)
{
	return c->pending_count >= c->batch;
}

static void on_round_end(void *ctx)
{
	struct cse *c = ctx;

	if (c->committing)
		return; /* a commit ends that was begun at once */
	if (c->worker.run && c->pending_count > c->pending_seen && !has_enough(c)) {
		c->pending_seen = c->pending_count;
		c->worker.next_round(c->worker.worker, on_round_end, c);
		return;
	}
	begin_commit(c);
}

void cse_between_requests(struct cse *c)
{
	if (c->worker.run && !c->committing && c->pending_count > 0 && has_enough(c))
		begin_commit(c);
}

void cse_commit_later(struct cse *c)
{
	if (c->commit_due)
		return;
	c->commit_due = true;
	c->transport.defer(c->transport.transport, on_round_end, c);
}

void cse_commit_now(struct cse *c)
{
	if (c->committing)
		c->worker.finish(c->worker.worker);
	if (c->commit_due || store_dirty(c->store))
		begin_commit(c);
	if (c->committing)
		c->worker.finish(c->worker.worker);
}

static bool writes(enum onem2m_rsc rsc)
{
	return rsc == RSC_CREATED || rsc == RSC_UPDATED || rsc == RSC_DELETED || rsc == RSC_ACCEPTED || rsc == RSC_ACCEPTED_SYNCH || rsc == RSC_ACCEPTED_ASYNCH;
}

static struct rd keep(struct exchange *x, struct rd text)
{
	uint8_t *room;

	if (text.left == 0 || text.at == x->room.octets)
		return text;
	room = json_arena_alloc(x->arena, text.left);
	if (!room)
		abort();
	memcpy(room, text.at, text.left);
	return rd_of(room, text.left);
}

void exchange_answer(struct exchange *x, enum onem2m_rsc rsc, struct rd content, struct rd location)
{
	struct cse *c = x->cse;
	struct pending *p;

	exchange_keep(x);
	if (!writes(rsc) || x->within) {
		/* what a retrieval or a refusal changed on its way (counters, expiry) is no part of its answer */
		if (store_dirty(c->store))
			cse_commit_later(c);
		tell(x, rsc, content, location);
		return;
	}
	cse_commit_later(c);
	p = json_arena_alloc(x->arena, sizeof *p);
	if (!p)
		abort();
	p->x = x;
	p->rsc = rsc;
	p->content = keep(x, content);
	p->location = keep(x, location);
	*c->pending_last = p;
	c->pending_last = &p->next;
	c->pending_count++;
}

static void answer_debug(struct exchange *x, enum onem2m_rsc rsc, const char *text)
{
	char body[1200];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	struct rd content = rd_of("", 0);

	json_object(&o, NULL);
	json_put_string(&o, "m2m:dbg", text);
	json_close(&o);
	if (!wr_done(&w, &content))
		content = rd_of("", 0);
	exchange_answer(x, rsc, content, rd_str(""));
}

void exchange_fail(struct exchange *x, enum onem2m_rsc rsc, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (x->saved) {
		x->saved = false;
		store_undo(x->cse->store);
		tree_forget(x->cse->tree);
		outbox_undo(x->cse, x->mark);
	}
	if (rsc != RSC_ORIGINATOR_HAS_NO_PRIVILEGE || !access_consult(x, text))
		answer_debug(x, rsc, text);
}

static void nobody(void *ctx, const struct onem2m_response *rsp)
{
	(void)ctx;
	(void)rsp;
}

void exchange_abandon(struct exchange *x)
{
	static const struct onem2m_request none = {.rcn = ONEM2M_RCN_ABSENT, .peer = ""};

	if (x->running)
		*x->running = NULL;
	x->running = NULL;
	x->abandoned = true;
	x->rq = &none; /* that of its transaction goes */
	x->done = nobody;
}

void exchange_store_failed(struct exchange *x, enum err e)
{
	struct cse *c = x->cse;

	if (!x->saved && store_dirty(c->store)) {
		c->round_broken = true;
		cse_commit_later(c);
	}
	exchange_fail(x, RSC_INTERNAL_SERVER_ERROR, "%s: %s", e == ERR_FULL ? "no room left" : "the store failed", store_detail(c->store));
}

bool exchange_save(struct exchange *x)
{
	enum err e;

	if (x->saved)
		return true;
	e = tree_flush(x->cse->tree);
	if (e == OK)
		e = store_savepoint(x->cse->store);
	if (e != OK) {
		exchange_store_failed(x, e);
		return false;
	}
	x->saved = true;
	x->mark = outbox_mark(x->cse);
	return true;
}

void exchange_keep(struct exchange *x)
{
	if (!x->saved)
		return;
	x->saved = false;
	if (store_release(x->cse->store) != OK)
		store_undo(x->cse->store);
}

const struct json *exchange_content(struct exchange *x, const char *root, const struct json **document)
{
	const struct json *doc;
	size_t where = 0;
	enum err e;

	if (x->rq->content.left == 0) {
		exchange_fail(x, RSC_BAD_REQUEST, "the request has no content");
		return NULL;
	}
	e = json_parse(x->arena, x->rq->content, &where, &doc);
	if (e != OK) {
		exchange_fail(x, RSC_BAD_REQUEST, "the content is no JSON: %s at octet %zu", e == ERR_TOO_LONG ? "nested too deeply" : "error", where);
		return NULL;
	}
	if (doc->type == JSON_OBJECT && doc->count == 1 && release1_is(x))
		doc = release1_content(x, doc);
	if (document)
		*document = doc;
	if (doc->type != JSON_OBJECT || doc->count != 1 || (root && !rd_is(doc->first->key, root))) {
		exchange_fail(x, doc->type == JSON_OBJECT && doc->count == 1 ? RSC_CONTENTS_UNACCEPTABLE : RSC_BAD_REQUEST, "the content must be one object under `%s`", root ? root : "the resource type's name");
		return NULL;
	}
	if (doc->first->type != JSON_OBJECT) {
		exchange_fail(x, RSC_BAD_REQUEST, "the value of `%.*s` must be an object", (int)doc->first->key.left, (const char *)doc->first->key.at);
		return NULL;
	}
	if (json_depth(doc->first) > CSE_DEPTH_MAX) {
		exchange_fail(x, RSC_BAD_REQUEST, "the content nests more than %d deep", CSE_DEPTH_MAX);
		return NULL;
	}
	return doc->first;
}
