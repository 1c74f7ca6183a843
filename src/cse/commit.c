/* The end of a round: one commit for all who wrote in it, and their answers. */
#include "cse/commit.h"

#include <stdlib.h>
#include <string.h>

#include "cse/gate.h"
#include "cse/notify/outbox.h"

#define FAREWELL_MS 500 /* for so long a DELETE waits for what is told of a subscription's end */

/* An answer to a write, kept until its transaction is on disk. */
struct pending {
	struct pending *next;
	struct exchange *x;
	enum onem2m_rsc rsc;
	struct rd content, location; /* these and the pending one itself are the exchange's */
};

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
	exchange_tell(x, RSC_INTERNAL_SERVER_ERROR, content, rd_str(""));
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

		exchange_tell(p->x, p->rsc, p->content, p->location);
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
			exchange_tell(p->x, p->rsc, p->content, p->location);
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
	if (c->committing && c->worker.finished && c->worker.finished(c->worker.worker))
		c->worker.finish(c->worker.worker); /* not at the end of a long round: the disk would have nothing to do until then */
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

/* What waited for a commit goes on at its end, and may begin the next one there. */
void commit_finish(struct cse *c)
{
	while (c->committing)
		c->worker.finish(c->worker.worker);
}

void cse_commit_now(struct cse *c)
{
	commit_finish(c);
	if (c->commit_due || store_dirty(c->store))
		begin_commit(c);
	commit_finish(c);
}

void commit_answers(struct exchange *x, enum onem2m_rsc rsc, struct rd content, struct rd location)
{
	struct cse *c = x->cse;
	struct pending *p = json_arena_alloc(x->arena, sizeof *p);

	if (!p)
		abort();
	*p = (struct pending){.x = x, .rsc = rsc, .content = content, .location = location};
	*c->pending_last = p;
	c->pending_last = &p->next;
	c->pending_count++;
	cse_commit_later(c);
}
