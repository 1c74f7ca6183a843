/* A transactionMgmt and the other CSEs: a <transaction> below each target there. */
#include "cse/types/transaction_mgmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/types.h"

/* ---- requests to the others ---- */

void management_one_less(struct run *r)
{
	if (--r->waits > 0)
		return;
	if (r->ended)
		management_drop(r);
	else
		management_phase_done(r);
}

static void leave(struct run *r, size_t index);

/* The state that a <transaction> has come to, and its response. */
static bool reached(struct party *p, const struct onem2m_response *rsp, enum transaction_state wanted)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc, *trac;
	uint64_t state = 0;
	bool ok;

	if (!arena)
		abort();
	ok = (rsp->rsc == RSC_CREATED || rsp->rsc == RSC_UPDATED) && json_parse(arena, rsp->content, NULL, &doc) == OK && (trac = json_get(doc, "m2m:trac")) != NULL &&
	    json_uint(json_get(trac, "trst"), &state) && state == wanted;
	if (ok && json_get(trac, "rsp")) {
		wr_reset(&p->response);
		wr_rd(&p->response, json_get(trac, "rsp")->source);
	}
	json_arena_free(arena);
	return ok;
}

static void on_party(void *ctx, const struct onem2m_response *rsp)
{
	static const enum transaction_state wanted[] = {
		[PHASE_LOCK] = TRANSACTION_LOCKED, [PHASE_EXECUTE] = TRANSACTION_EXECUTED, [PHASE_COMMIT] = TRANSACTION_COMMITTED, [PHASE_TELL] = TRANSACTION_COMMITTED};
	struct party *p = ctx;
	struct run *r = p->run;

	if (r->ended && rsp->rsc == RSC_CREATED)
		leave(r, (size_t)(p - r->parties)); /* aborted meanwhile */
	if (!r->ended) {
		p->done = reached(p, rsp, wanted[r->phase]);
		/* it had done it before, and the answer was lost; or its end was reached */
		if (r->phase == PHASE_TELL && (rsp->rsc == RSC_NOT_FOUND || rsp->rsc == RSC_ILLEGAL_TRANSACTION_STATE_TRANSITION_ATTEMPTED))
			p->done = true;
		if (r->phase == PHASE_LOCK && rsp->rsc == RSC_CREATED)
			p->locked = true;
		if (!p->done)
			r->failed = true;
	}
	management_one_less(r);
}

static struct onem2m_request request_to(struct run *r, struct rd to, struct rd content)
{
	return (struct onem2m_request){.to = to, .from = rd_str(r->from), .request_id = rd_str(r->name), .release = rd_str("3"), .rcn = ONEM2M_RCN_ABSENT, .content = content, .genuine = true};
}

static void put_transaction(struct run *r, size_t index, const struct json *request, uint64_t end, struct json_out *o)
{
	char name[200], stamp[TIMESTAMP_SIZE];

	json_object(o, NULL);
	json_object(o, "m2m:trac");
	snprintf(name, sizeof name, "%s-%zu", r->name, index);
	json_put_string(o, "rn", name);
	json_put_string(o, "tid", r->name);
	timestamp_print(stamp, end + TELLING_MOST * RETRY_MS);
	json_put_string(o, "et", stamp);
	json_put(o, "rqp", request);
	json_close(o);
	json_close(o);
}

void management_lock_there(struct run *r, struct resource *m)
{
	const struct json *requests = resource_get(m, "rqps");
	size_t i = 0;

	for (const struct json *q = requests->first; q; q = q->next, i++) {
		struct wr w = wr_new(CSE_BODY_MAX);
		struct json_out o = json_out(&w);
		struct onem2m_request rq;
		struct rd content;

		if (r->parties[i].to) {
			put_transaction(r, i, q, management_end(r, m), &o);
			if (wr_done(&w, &content)) {
				rq = request_to(r, rd_str(r->parties[i].to), content);
				rq.operation = ONEM2M_CREATE;
				rq.type = TY_TRANSACTION;
				r->waits++;
				cse_request(r->cse, &rq, on_party, &r->parties[i]);
			}
		}
		wr_free(&w);
	}
}

static void control(struct run *r, size_t index, enum transaction_control what, cse_done *done, void *ctx)
{
	char to[CSE_PATH_MAX], content[64];
	struct onem2m_request rq;

	snprintf(to, sizeof to, "%s/%s-%zu", r->parties[index].to, r->name, index);
	snprintf(content, sizeof content, "{\"m2m:trac\":{\"tctl\":%d}}", (int)what);
	rq = request_to(r, rd_str(to), rd_str(content));
	rq.operation = ONEM2M_UPDATE;
	cse_request(r->cse, &rq, done, ctx);
}

void management_control_all(struct run *r, enum transaction_control what)
{
	for (size_t i = 0; i < r->count; i++) {
		struct party *p = &r->parties[i];

		if (!p->to || (r->phase == PHASE_TELL && p->done))
			continue;
		p->done = false;
		r->waits++;
		control(r, i, what, on_party, p);
	}
}

/* What is left at another CSE goes when it has heard the last word, so that another try finds its place free. */
struct leaving {
	struct cse *cse;
	char from[CSE_ID_MAX], to[CSE_PATH_MAX];
};

static void on_last_word(void *ctx, const struct onem2m_response *rsp)
{
	struct leaving *l = ctx;
	const struct onem2m_request rq = {.operation = ONEM2M_DELETE, .to = rd_str(l->to), .from = rd_str(l->from), .request_id = rd_str("trac"), .release = rd_str("3"),
		.rcn = ONEM2M_RCN_ABSENT, .genuine = true};

	if (rsp->rsc == RSC_UPDATED || rsp->rsc == RSC_ILLEGAL_TRANSACTION_STATE_TRANSITION_ATTEMPTED)
		cse_request(l->cse, &rq, NULL, NULL);
	free(l);
}

static void leave(struct run *r, size_t index)
{
	struct leaving *l = calloc(1, sizeof *l);

	if (!l)
		abort();
	l->cse = r->cse;
	snprintf(l->from, sizeof l->from, "%s", r->from);
	snprintf(l->to, sizeof l->to, "%s/%s-%zu", r->parties[index].to, r->name, index);
	control(r, index, CONTROL_ABORT, on_last_word, l);
	r->parties[index].locked = false;
}

void management_abort_there(struct run *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->parties[i].to && r->parties[i].locked)
			leave(r, i);
}
