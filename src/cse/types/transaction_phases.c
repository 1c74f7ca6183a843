/* The phases of a transactionMgmt. Requests to this CSE are locked here, rehearsed, and carried out in one savepoint together with the decision;
 * each request to another CSE is a <transaction> below its target there, that is told the same steps (two-phase commit).
 *
 *	INITIAL --lock--> LOCKED --execute--> EXECUTED --commit--> COMMITTED, and the others are told until they say that it is done
 *	   any of the first three --failure--> ERROR, --abort--> ABORTED, and the others are told once: what they have ends by itself, too
 *
 * What is decided is in the resource. After a restart what was not decided is aborted, and who may not know that it was committed is told. */
#include "cse/types/transaction_mgmt.h"

#include <stddef.h>

#include "cse/types/types.h"

/* ---- the phases ---- */

static bool is_handled_by_deletion(struct resource *m)
{
	return resource_uint(m, "tmh", 1) == 1;
}

static void delete_soon(struct cse *c, int64_t id, const char *text)
{
	struct resource *m = tree_by_id(c->tree, id);

	(void)text;
	if (m && cse_delete_subtree(c, m, true) != OK)
		c->round_broken = true;
	resource_unref(m);
}

/* Decided, and everybody knows. */
static void finish(struct run *r, bool keep)
{
	struct resource *m = tree_by_id(r->cse->tree, r->id);

	if (m && !keep && is_handled_by_deletion(m))
		cse_before_commit(r->cse, delete_soon, r->id, "");
	resource_unref(m);
	management_drop(r);
}

static void give_up(struct run *r, enum transaction_state state)
{
	r->phase = PHASE_IDLE;
	transaction_unlock(r->cse, r->id);
	management_abort_there(r);
	if (!management_set_state(r, state, NULL)) {
		management_drop(r);
		return;
	}
	finish(r, state == TRANSACTION_ERROR); /* so that its creator learns of it */
}

/* A failure before the decision: once more, as often as it may be; then it is an error. */
static void fail(struct run *r)
{
	struct resource *m = tree_by_id(r->cse->tree, r->id);
	uint64_t most = m ? resource_uint(m, "tmr", 0) : 0;

	resource_unref(m);
	if (!m) {
		management_drop(r);
		return;
	}
	if (!r->by_itself || r->tries >= most) {
		give_up(r, TRANSACTION_ERROR);
		return;
	}
	r->tries++;
	transaction_unlock(r->cse, r->id);
	management_abort_there(r);
	r->phase = PHASE_IDLE;
	r->wanted = CONTROL_LOCK;
	if (management_set_state(r, TRANSACTION_INITIAL, NULL))
		management_soon(r, RETRY_MS);
	else
		management_drop(r);
}

/* The next step at its time; or, where the creator decides, nothing until the end. */
static void wait_or_go(struct run *r, enum transaction_control next, const char *when)
{
	struct resource *m = tree_by_id(r->cse->tree, r->id);
	uint64_t now = cse_now(r->cse), at = m ? management_time(m, when) : 0, end = m ? management_end(r, m) : now;

	resource_unref(m);
	r->phase = PHASE_IDLE;
	r->wanted = next;
	if (!r->by_itself || at > end) {
		r->wanted = CONTROL_ABORT;
		at = end;
	}
	management_soon(r, at > now ? at - now : 0);
}

void management_phase_done(struct run *r)
{
	if (r->phase == PHASE_TELL) {
		if (!r->failed || ++r->told >= TELLING_MOST) {
			if (!r->failed)
				management_abort_there(r); /* which it refuses, being committed; then its resource goes */
			finish(r, false);
		} else {
			r->wanted = CONTROL_COMMIT;
			management_soon(r, RETRY_MS);
		}
		return;
	}
	if (r->failed) {
		fail(r);
	} else if (r->phase == PHASE_LOCK) {
		if (management_set_state(r, TRANSACTION_LOCKED, NULL))
			wait_or_go(r, CONTROL_EXECUTE, "text");
		else
			fail(r);
	} else {
		struct wr responses = wr_new(CSE_BODY_MAX * 4);
		struct resource *m = tree_by_id(r->cse->tree, r->id);

		/* the requests here are tried when those elsewhere are promised */
		if (m && management_run_here(r, m, true, &responses) && management_set_state(r, TRANSACTION_EXECUTED, &responses))
			wait_or_go(r, CONTROL_COMMIT, "tct");
		else
			fail(r);
		resource_unref(m);
		wr_free(&responses);
	}
}

static void begin(struct run *r, enum phase phase)
{
	r->phase = phase;
	r->failed = false;
	r->waits = 1;
}

static void lock(struct run *r, struct resource *m)
{
	begin(r, PHASE_LOCK);
	r->since = cse_now(r->cse);
	if (management_lock_here(r, m))
		management_lock_there(r, m);
	else
		r->failed = true;
	management_one_less(r);
}

static void execute(struct run *r)
{
	begin(r, PHASE_EXECUTE);
	management_control_all(r, CONTROL_EXECUTE);
	management_one_less(r);
}

/* Those that have to be told. */
static bool has_others(struct run *r)
{
	bool others = false;

	for (size_t i = 0; i < r->count; i++) {
		others = others || r->parties[i].to;
		r->parties[i].done = false;
	}
	return others;
}

/* The decision: what is done here and the state are durable together. Then the others are told, until they have it. */
static void commit(struct run *r, struct resource *m)
{
	struct wr responses = wr_new(CSE_BODY_MAX * 4);
	bool ok = management_run_here(r, m, false, &responses);

	if (!ok) {
		fail(r);
	} else if (!management_set_state(r, TRANSACTION_COMMITTED, &responses)) {
		r->cse->round_broken = true; /* nothing of this round counts */
		management_drop(r);
	} else {
		transaction_unlock(r->cse, r->id);
		if (has_others(r)) {
			r->phase = PHASE_TELL;
			r->wanted = CONTROL_COMMIT;
			management_soon(r, 1); /* after the decision is on disk */
		} else {
			finish(r, false);
		}
	}
	wr_free(&responses);
}

static void tell(struct run *r)
{
	begin(r, PHASE_TELL);
	management_control_all(r, CONTROL_COMMIT);
	management_one_less(r);
}

static void do_step(struct run *r, struct resource *m)
{
	switch (r->wanted) {
	case CONTROL_LOCK:
		lock(r, m);
		return;
	case CONTROL_EXECUTE:
		execute(r);
		return;
	case CONTROL_COMMIT:
		if (r->phase == PHASE_TELL)
			tell(r);
		else
			commit(r, m);
		return;
	case CONTROL_ABORT:
		give_up(r, TRANSACTION_ABORTED);
		return;
	case CONTROL_INITIAL:
		return;
	}
}

void management_on_time(struct cse *c, struct cse_timer *t)
{
	struct run *r = (struct run *)(void *)((char *)t - offsetof(struct run, timer));
	struct resource *m = tree_by_id(c->tree, r->id);

	if (!m) {
		transaction_unlock(c, r->id);
		management_drop(r);
		return;
	}
	management_take_parties(r, m);
	do_step(r, m);
	resource_unref(m);
}

/* ---- from outside ---- */

void management_begin(struct cse *c, int64_t id, uint64_t at)
{
	struct run *r = management_run(c, id);
	uint64_t now = cse_now(c);

	r->by_itself = true;
	r->wanted = CONTROL_LOCK;
	management_soon(r, at > now ? at - now : 0);
}

void management_control(struct cse *c, int64_t id, enum transaction_control what)
{
	struct run *r = management_run(c, id);

	r->wanted = what;
	management_soon(r, 0);
}

bool management_is_busy(struct cse *c, int64_t id)
{
	struct run *r = management_find(c, id);

	return r && (r->waits > 0 || (r->timer.at != 0 && r->wanted != CONTROL_ABORT));
}

void management_recover(struct cse *c, int64_t id, enum transaction_state state)
{
	struct run *r;

	if (state != TRANSACTION_LOCKED && state != TRANSACTION_EXECUTED && state != TRANSACTION_COMMITTED)
		return;
	r = management_run(c, id);
	r->wanted = state == TRANSACTION_COMMITTED ? CONTROL_COMMIT : CONTROL_ABORT;
	r->phase = state == TRANSACTION_COMMITTED ? PHASE_TELL : PHASE_IDLE;
	r->recovered = true;
	management_soon(r, 0);
}

void management_gone(struct cse *c, struct resource *m)
{
	struct run *r = management_find(c, m->id);

	transaction_unlock(c, m->id);
	if (!r)
		return;
	if (r->phase != PHASE_TELL && resource_uint(m, "trst", 0) != TRANSACTION_COMMITTED)
		management_abort_there(r);
	management_drop(r);
}
