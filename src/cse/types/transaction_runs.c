/* The runs of a CSE's transactionMgmt resources, and what they do with the resources of this CSE. */
#include "cse/types/transaction_mgmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/types.h"

/* ---- the runs of a CSE ---- */

struct runs {
	struct run *first;
};

static void management_free(struct run *r)
{
	for (size_t i = 0; i < r->count; i++) {
		wr_free(&r->parties[i].response);
		free(r->parties[i].to);
	}
	free(r->parties);
	free(r);
}

static void runs_free(struct cse *c, void *state)
{
	struct runs *s = state;

	(void)c;
	while (s->first) {
		struct run *r = s->first;

		s->first = r->next;
		management_free(r);
	}
	free(s);
}

static struct run **management_runs(struct cse *c)
{
	struct runs *s = c->services[SERVICE_TRANSACTION_MGMT];

	if (!s) {
		s = calloc(1, sizeof *s);
		if (!s)
			abort();
		cse_service_set(c, SERVICE_TRANSACTION_MGMT, s, runs_free);
	}
	return &s->first;
}

struct run *management_find(struct cse *c, int64_t id)
{
	struct run *r = *management_runs(c);

	while (r && r->id != id)
		r = r->next;
	return r;
}

struct run *management_run(struct cse *c, int64_t id)
{
	struct run *r = management_find(c, id), **first = management_runs(c);

	if (r)
		return r;
	r = calloc(1, sizeof *r);
	if (!r)
		abort();
	r->cse = c;
	r->id = id;
	r->timer.fn = management_on_time;
	r->next = *first;
	*first = r;
	return r;
}

/* Nobody waits for it any more. */
void management_drop(struct run *r)
{
	struct run **at = management_runs(r->cse);

	r->ended = true;
	cse_timer_cancel(r->cse, &r->timer);
	if (r->waits > 0)
		return;
	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
	management_free(r);
}

void management_soon(struct run *r, uint64_t in_ms)
{
	cse_timer_at(r->cse, &r->timer, cse_mono(r->cse) + in_ms);
}

/* ---- its resource ---- */

uint64_t management_time(struct resource *r, const char *name)
{
	struct rd text;
	uint64_t at;

	return json_string(resource_get(r, name), &text) && timestamp_parse(text, &at) ? at : 0;
}

/* When an undecided transaction is given up. */
uint64_t management_end(const struct run *r, struct resource *m)
{
	uint64_t at = management_time(m, "tept");

	return at ? at : r->since + LIFE_MS;
}

void management_take_parties(struct run *r, struct resource *m)
{
	const struct json *requests = resource_get(m, "rqps");
	char other[CSE_ID_MAX];
	struct rd to, rest;
	size_t i = 0;

	if (r->parties || !requests)
		return;
	snprintf(r->from, sizeof r->from, "%s", m->creator);
	snprintf(r->name, sizeof r->name, "trac-%.60s-%.60s", r->cse->config.id + 1, m->ri);
	r->parties = calloc(requests->count, sizeof *r->parties);
	if (!r->parties)
		abort();
	r->count = requests->count;
	for (const struct json *q = requests->first; q; q = q->next, i++) {
		struct party *p = &r->parties[i];

		p->run = r;
		p->response = wr_new(CSE_BODY_MAX);
		if (json_string(json_get(q, "to"), &to) && !cse_is_local(r->cse, to, &rest, other, sizeof other))
			p->to = rd_strdup(to);
		p->locked = r->recovered;
	}
}

struct outcome {
	struct run *run;
	enum transaction_state state;
	const struct wr *responses;   /* of the requests to this CSE, as an array; NULL: unchanged */
};

/* Responses in the order of the requests: those of this CSE from the last run, those of others as they came. */
static void edit(void *ctx, struct attributes *a)
{
	const struct outcome *out = ctx;
	struct wr w = wr_new(CSE_BODY_MAX * 2);
	struct json_out o = json_out(&w);
	const struct json *here = NULL, *one, *all;
	struct rd text;

	attributes_set_uint(a, "trst", out->state);
	attributes_set_time(a, "lt", cse_now(out->run->cse));
	if (!out->responses || !wr_done(out->responses, &text) || json_parse(a->arena, text, NULL, &here) != OK) {
		wr_free(&w);
		return;
	}
	one = here->first;
	json_array(&o, NULL);
	for (size_t i = 0; i < out->run->count; i++) {
		const struct party *p = &out->run->parties[i];

		if (p->to && p->response.len) {
			json_put_raw(&o, NULL, rd_of(p->response.octets, p->response.len));
		} else if (!p->to && one) {
			json_put(&o, NULL, one);
			one = one->next;
		}
	}
	json_close(&o);
	if (wr_done(&w, &text) && json_parse(a->arena, text, NULL, &all) == OK)
		attributes_set_json(a, "rsps", all);
	wr_free(&w);
}

bool management_set_state(struct run *r, enum transaction_state state, const struct wr *responses)
{
	return cse_edit_resource(r->cse, r->id, true, edit, &(struct outcome){r, state, responses}) == OK;
}

/* ---- requests of this CSE, together ---- */

bool management_run_here(struct run *r, struct resource *m, bool rehearse, struct wr *responses)
{
	const struct json *list = resource_get(m, "rqps"), **requests = calloc(r->count, sizeof *requests);
	struct json_arena *arena = json_arena_new();
	struct rd source = list->source;
	uint8_t *copy = arena ? json_arena_alloc(arena, source.left + 1) : NULL;
	struct transaction_job job = {.from = r->from, .owner = r->id, .rehearse = rehearse, .responses = responses};
	size_t i = 0;
	bool ok = false;

	if (!requests || !copy)
		abort();
	/* the snapshot goes stale while the requests are carried out */
	memcpy(copy, source.at, source.left);
	if (json_parse(arena, rd_of(copy, source.left), NULL, &list) == OK) {
		for (const struct json *q = list->first; q && i < r->count; q = q->next, i++)
			if (!r->parties[i].to)
				requests[job.count++] = q;
		job.requests = requests;
		ok = transaction_run(r->cse, &job);
	}
	free(requests);
	json_arena_free(arena);
	return ok;
}

bool management_lock_here(struct run *r, struct resource *m)
{
	const struct json *requests = resource_get(m, "rqps");
	bool retrieves = resource_uint(m, "tltp", 1) == 2, ok = true;
	size_t i = 0;

	for (const struct json *q = requests->first; q && ok; q = q->next, i++) {
		struct resource *target;
		struct rd to;

		if (r->parties[i].to || !json_string(json_get(q, "to"), &to))
			continue;
		target = cse_find_address(r->cse, to);
		ok = target && transaction_lock(r->cse, target->instance ? target->parent : target->id, r->id, r->from, retrieves);
		resource_unref(target);
	}
	return ok;
}
