/* Non-blocking requests and requests that are carried out later: TS-0001 clauses 8.2.1 and 8.2.2, TS-0004 clauses 7.2.1.2, 7.3.2.2 and 7.4.12. */
#include "cse/types/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/types.h"

#define JOBS_MOST 10000        /* open at a time: each is a resource and a copy of its request */

/* A request whose originator was told to look for the answer elsewhere. */
struct job {
	struct job *next;
	struct cse *cse;
	int64_t id;                   /* of the <request> */
	struct cse_timer timer;
	struct onem2m_request *rq;    /* as it came, and as it is carried out */
	struct onem2m_request run;
	char rqet[TIMESTAMP_SIZE], rset[TIMESTAMP_SIZE], from[CSE_ID_MAX];
	char *query;
	bool asynchronous, running, forgotten;
};

struct jobs {
	struct job *first;
	size_t count;
};

static void job_free(struct job *j)
{
	struct jobs *all = j->cse->services[SERVICE_REQUEST];
	struct job **at = &all->first;

	while (*at && *at != j)
		at = &(*at)->next;
	if (*at) {
		*at = j->next;
		all->count--;
	}
	cse_timer_cancel(j->cse, &j->timer);
	request_copy_free(j->rq);
	free(j->query);
	free(j);
}

static void end(struct cse *c, void *state)
{
	struct jobs *all = state;

	(void)c;
	while (all->first)
		job_free(all->first);
	free(all);
}

static struct jobs *jobs_of(struct cse *c)
{
	struct jobs *all = c->services[SERVICE_REQUEST];

	if (!all) {
		all = calloc(1, sizeof *all);
		if (!all)
			abort();
		cse_service_set(c, SERVICE_REQUEST, all, end);
	}
	return all;
}

/* ---- the result ---- */

struct ending {
	struct cse *cse;
	enum request_status status;
	struct rd result;
};

static void set_result(void *ctx, struct attributes *a)
{
	const struct ending *e = ctx;

	attributes_set_uint(a, "rs", e->status);
	attributes_set_raw(a, "ors", e->result);
	attributes_set_time(a, "lt", cse_now(e->cse));
}

static void notify_targets(struct job *j, struct rd content)
{
	struct rd targets = j->rq->rt_nu, part;
	char target[CSE_ID_MAX];

	if (!targets.at) {
		cse_notify_target(j->cse, j->from, content, NULL, NULL);
		return;
	}
	while (targets.left > 0) {
		if (!rd_until(&targets, '&', &part))
			part = rd_rest(&targets);
		if (rd_text(part, target, sizeof target) && target[0])
			cse_notify_target(j->cse, target, content, NULL, NULL);
	}
}

static void put_result(struct job *j, const struct onem2m_response *rsp, struct json_out *o, const char *name)
{
	char stamp[TIMESTAMP_SIZE];

	json_object(o, name);
	json_put_int(o, "rsc", rsp->rsc);
	json_put_rd(o, "rqi", j->rq->request_id);
	json_put_rd(o, "to", j->rq->from.left ? j->rq->from : rd_str(j->from));
	json_put_string(o, "fr", j->cse->config.id);
	timestamp_print_precise(stamp, cse_now(j->cse));
	json_put_string(o, "ot", stamp);
	if (name)
		json_put_rd(o, "rvi", j->rq->release);
	json_put_content(o, "pc", rsp->content);
	if (rsp->cts)
		json_put_int(o, "cnst", rsp->cts);
	if (rsp->cts == 1)
		json_put_uint(o, "cnot", rsp->cto);
	json_close(o);
}

static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	struct job *j = ctx;
	struct wr result = wr_new(CSE_BODY_MAX * 16), told = wr_new(CSE_BODY_MAX * 16);
	struct json_out o = json_out(&result), t = json_out(&told);
	struct ending e = {j->cse, rsp->rsc < 4000 ? COMPLETED : FAILED, rd_of("", 0)};
	struct rd content;

	put_result(j, rsp, &o, NULL);
	if (!j->forgotten && wr_done(&result, &e.result) && cse_edit_resource(j->cse, j->id, true, set_result, &e) != OK)
		j->cse->counts.refused++; /* it expired meanwhile */
	json_object(&t, NULL);
	put_result(j, rsp, &t, "m2m:rsp");
	json_close(&t);
	if (j->asynchronous && !j->forgotten && wr_done(&told, &content))
		notify_targets(j, content);
	wr_free(&result);
	wr_free(&told);
	job_free(j);
}

/* ---- carrying it out ---- */

static void run(struct cse *c, struct cse_timer *t)
{
	struct job *j = (struct job *)(void *)((char *)t - offsetof(struct job, timer));

	j->running = true;
	cse_submit(c, &j->run, on_done, j);
}

static void prepare(struct job *j, struct exchange *x)
{
	static const char *const postponing[] = {"rt", "rp", NULL};
	uint64_t result;

	j->run = *j->rq;
	j->run.rt = ONEM2M_RT_ABSENT;
	j->run.rt_nu = j->run.oet = j->run.rp = rd_of(NULL, 0);
	j->run.genuine = true; /* From was checked when it came */
	j->query = malloc(j->rq->filter.left + 1);
	if (!j->query)
		abort();
	j->run.filter = query_without(j->rq->filter, postponing, j->query);
	/* what was relative to the arrival is meant from there on */
	if (x->expires_ms) {
		timestamp_print_precise(j->rqet, x->expires_ms);
		j->run.rqet = rd_str(j->rqet);
	}
	if (timestamp_parse_abs_rel(j->rq->rset, cse_now(x->cse), &result)) {
		timestamp_print_precise(j->rset, result);
		j->run.rset = rd_str(j->rset);
	}
}

/* ---- acceptance ---- */

static struct job *job_new(struct exchange *x, struct resource *made, bool asynchronous, uint64_t at_ms)
{
	struct jobs *all = jobs_of(x->cse);
	struct job *j = calloc(1, sizeof *j);
	uint64_t now = cse_now(x->cse);

	if (!j)
		abort();
	j->cse = x->cse;
	j->id = made->id;
	j->asynchronous = asynchronous;
	j->rq = request_copy(x->rq);
	snprintf(j->from, sizeof j->from, "%s", x->from);
	prepare(j, x);
	j->timer.fn = run;
	j->next = all->first;
	all->first = j;
	all->count++;
	cse_timer_at(x->cse, &j->timer, cse_mono(x->cse) + (at_ms > now ? at_ms - now : 0));
	return j;
}

static void accept(struct exchange *x, bool asynchronous, enum request_status status, uint64_t at_ms)
{
	struct resource *made;
	char address[CSE_PATH_MAX], body[CSE_PATH_MAX + 64];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	struct rd content;

	if (jobs_of(x->cse)->count >= JOBS_MOST) {
		exchange_fail(x, RSC_NON_BLOCKING_SYNCH_REQUEST_NOT_SUPPORTED, "there are too many non-blocking requests at this moment");
		return;
	}
	made = request_make_resource(x, asynchronous, status);
	if (!made) {
		exchange_store_failed(x, ERR_STORE);
		return;
	}
	job_new(x, made, asynchronous, at_ms);
	if (!cse_address_for(x, made, false, address, sizeof address))
		address[0] = '\0';
	resource_unref(made);
	json_object(&o, NULL);
	json_put_string(&o, "m2m:uri", address);
	json_close(&o);
	if (!wr_done(&w, &content))
		content = rd_of("", 0);
	exchange_answer(x, asynchronous ? RSC_ACCEPTED_ASYNCH : RSC_ACCEPTED_SYNCH, content, rd_str(address));
}

/* ---- blocking, but later ---- */

struct delay {
	struct cse_timer timer;
	struct exchange *x;
};

static void on_time(struct cse *c, struct cse_timer *t)
{
	struct delay *d = (struct delay *)(void *)((char *)t - offsetof(struct delay, timer));
	struct exchange *x = d->x;

	(void)c;
	free(d);
	exchange_route(x);
}

static void delay(struct exchange *x, uint64_t at_ms)
{
	struct delay *d = calloc(1, sizeof *d);

	if (!d)
		abort();
	d->x = x;
	d->timer.fn = on_time;
	cse_timer_at(x->cse, &d->timer, cse_mono(x->cse) + (at_ms - cse_now(x->cse)));
}

bool request_is_non_blocking(struct exchange *x)
{
	const struct onem2m_request *rq = x->rq;
	uint64_t now, at = 0, kept;
	char other[CSE_ID_MAX];
	struct rd rest;
	bool local, flexible = rq->rt == ONEM2M_FLEX_BLOCKING;

	if ((rq->rt == ONEM2M_RT_ABSENT || rq->rt == ONEM2M_BLOCKING) && rq->oet.left == 0 && rq->rp.left == 0)
		return false;
	now = cse_now(x->cse);
	local = cse_is_local(x->cse, rq->to, &rest, other, sizeof other);
	if (rq->rp.left > 0 && (!timestamp_parse_abs_rel(rq->rp, now, &kept) || kept <= now)) {
		exchange_fail(x, RSC_BAD_REQUEST, "the result persistence (rp) is no time to come");
		return true;
	}
	if (rq->oet.left > 0 && !timestamp_parse_abs_rel(rq->oet, now, &at))
		at = 0;
	if (rq->rt == ONEM2M_NON_BLOCKING_SYNCH || rq->rt == ONEM2M_NON_BLOCKING_ASYNCH || (flexible && (!local || at > now))) {
		accept(x, rq->rt == ONEM2M_NON_BLOCKING_ASYNCH || (flexible && rq->rt_nu.left > 0), local ? PENDING : FORWARDED, at);
		return true;
	}
	if (at <= now)
		return false;
	delay(x, at);
	return true;
}

/* ---- hooks ---- */

/* Deleting a <request> calls off what has not begun, and nobody hears of what has. */
static void request_removed(struct cse *c, struct resource *r)
{
	struct job *j = jobs_of(c)->first;

	while (j && j->id != r->id)
		j = j->next;
	if (!j || (r->expires && r->expires <= cse_now(c)))
		return;
	if (j->running)
		j->forgotten = true;
	else
		job_free(j);
}

/* A recall is possible as long as nothing has begun; suites expect of what waits for its time that it cannot be recalled. */
static enum hook_result request_remove(struct exchange *x, struct resource *r)
{
	const struct job *j = jobs_of(x->cse)->first;

	while (j && j->id != r->id)
		j = j->next;
	if (!j || j->running || !x->cse->config.testbench)
		return HOOK_GO;
	exchange_fail(x, RSC_UNABLE_TO_RECALL_REQUEST, "a pending request cannot be recalled");
	return HOOK_FAILED;
}

const struct type_hooks hooks_request = {.type = TY_REQUEST, .remove = request_remove, .removed = request_removed, .start = request_start};
