/* Carrying actions out. What a change has decided waits in a queue until the change is done; then the requests go, in the order of
 * actionPriority (1 first), and their results become actionResult.
 *
 * An action may change what another one watches, or its own subject: such a chain ends after CHAIN_MOST links. */
#include "cse/types/action.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/id_map.h"
#include "cse/primitive.h"
#include "cse/types/watches.h"

#define CHAIN_MOST 8
#define QUEUE_MOST 10000

/* What is known of an action that ran. */
struct history {
	uint64_t until;  /* periodic: it does not run again before, unix ms */
	uint64_t left;   /* continuous with a number: how often its criteria are still looked at */
	bool counted;
	bool spent;      /* once: it is about to run */
};

struct item {
	struct item *next;
	int64_t action;
	uint64_t priority;
	unsigned depth;
	bool end; /* it was evaluated for the last time */
};

struct actions {
	struct cse_timer timer; /* first, so that its function finds this */
	struct id_map histories;
	struct item *queue;
	size_t queued;
};

static void actions_free(struct cse *c, void *state)
{
	struct actions *s = state;
	struct history *h;
	size_t at = 0;

	(void)c;
	while ((h = id_map_each(&s->histories, &at)) != NULL)
		free(h);
	id_map_clear(&s->histories);
	while (s->queue) {
		struct item *i = s->queue;

		s->queue = i->next;
		free(i);
	}
	free(s);
}

static void on_time(struct cse *c, struct cse_timer *t);

static struct actions *service(struct cse *c)
{
	struct actions *s = c->services[SERVICE_ACTION];

	if (!s) {
		s = calloc(1, sizeof *s);
		if (!s)
			abort();
		s->timer.fn = on_time;
		cse_service_set(c, SERVICE_ACTION, s, actions_free);
	}
	return s;
}

/* ---- the queue ---- */

static void enqueue(struct cse *c, struct resource *action, bool end)
{
	struct actions *s = service(c);
	struct item *i, **at = &s->queue;

	if (s->queued == QUEUE_MOST)
		return;
	i = calloc(1, sizeof *i);
	if (!i)
		abort();
	i->action = action->id;
	i->end = end;
	i->priority = end ? UINT64_MAX : resource_uint(action, "apy", UINT64_MAX);
	i->depth = watches_depth(c);
	while (*at && (*at)->priority <= i->priority && (end || !(*at)->end))
		at = &(*at)->next;
	i->next = *at;
	*at = i;
	s->queued++;
	if (s->timer.at == 0)
		cse_timer_at(c, &s->timer, cse_mono(c));
}

/* ---- how often ---- */

static void value_name(char name[48], int64_t action)
{
	snprintf(name, 48, "action.%lld", (long long)action);
}

static bool take_value(void *ctx, const struct store_row *row)
{
	struct history *h = ctx;

	h->counted = rd_decimal(row->body, &h->left);
	return false;
}

static void keep(struct cse *c, int64_t action, const char *value)
{
	char name[48];

	value_name(name, action);
	if (store_value_set(c->store, name, rd_str(value)) != OK)
		c->round_broken = true;
	cse_commit_later(c);
}

static struct history *history_of(struct cse *c, int64_t action)
{
	struct actions *s = service(c);
	struct history *h = id_map_get(&s->histories, action);
	char name[48];

	if (h)
		return h;
	h = calloc(1, sizeof *h);
	if (!h)
		abort();
	value_name(name, action);
	if (store_value_get(c->store, name, take_value, h) != OK)
		h->counted = false;
	id_map_set(&s->histories, action, h);
	return h;
}

void action_forget(struct cse *c, const struct resource *action)
{
	struct actions *s = c->services[SERVICE_ACTION];
	struct history *h = s ? id_map_get(&s->histories, action->id) : NULL;

	if (h && h->counted)
		keep(c, action->id, "");
	if (h)
		id_map_set(&s->histories, action->id, NULL);
	free(h);
}

void action_reset(struct cse *c, const struct resource *action)
{
	struct history *h = history_of(c, action->id);

	if (h->counted)
		keep(c, action->id, "");
	*h = (struct history){.spent = false};
}

static void switch_off(void *ctx, struct attributes *a)
{
	(void)ctx;
	attributes_set_uint(a, "evm", EVAL_OFF);
}

/* With a number, continuous means so many evaluations. */
static bool count_down(struct cse *c, struct resource *action, struct history *h)
{
	char value[24];

	if (!h->counted)
		h->left = resource_uint(action, "ecp", 0);
	h->counted = true;
	if (h->left == 0)
		return false;
	h->left--;
	snprintf(value, sizeof value, "%llu", (unsigned long long)h->left);
	keep(c, action->id, value);
	return true;
}

bool action_may_evaluate(struct cse *c, struct resource *action)
{
	struct history *h;
	bool ok;

	if (resource_uint(action, "evm", EVAL_OFF) != EVAL_CONTINUOUS || resource_uint(action, "ecp", 0) == 0)
		return true;
	h = history_of(c, action->id);
	ok = count_down(c, action, h);
	if (h->left == 0)
		enqueue(c, action, true);
	return ok;
}

bool action_may_run(struct cse *c, struct resource *action)
{
	struct history *h = history_of(c, action->id);
	uint64_t now = cse_now(c), period = resource_uint(action, "ecp", 0);

	if (watches_depth(c) >= CHAIN_MOST)
		return false;
	switch ((enum eval_mode)resource_uint(action, "evm", EVAL_OFF)) {
	case EVAL_OFF:
		return false;
	case EVAL_ONCE:
		if (h->spent)
			return false;
		h->spent = true;
		return true;
	case EVAL_PERIODIC:
		if (now < h->until)
			return false;
		h->until = now + period;
		return true;
	case EVAL_CONTINUOUS:
		return true;
	}
	return false;
}

/* ---- the result ---- */

struct run {
	struct cse *cse;
	int64_t action;
	unsigned depth;
	char request_id[128];
};

struct result {
	const struct onem2m_response *rsp;
	const char *request_id;
};

static void set_result(void *ctx, struct attributes *a)
{
	const struct result *r = ctx;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	const struct json *v;
	struct rd text;

	json_object(&o, NULL);
	primitive_put_response(&o, r->rsp, rd_str(r->request_id));
	json_close(&o);
	/* a result that nests too deep for a resource, or is too long, is told by its status alone */
	if (!wr_done(&w, &text) || json_parse(a->arena, text, NULL, &v) != OK || json_depth(v) >= CSE_DEPTH_MAX) {
		wr_reset(&w);
		o = json_out(&w);
		json_object(&o, NULL);
		json_put_int(&o, "rsc", r->rsp->rsc);
		json_put_string(&o, "rqi", r->request_id);
		json_close(&o);
	}
	if (wr_done(&w, &text) && json_parse(a->arena, text, NULL, &v) == OK)
		attributes_set_json(a, "air", v);
	wr_free(&w);
}

static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	struct run *run = ctx;
	struct result r = {rsp, run->request_id};
	unsigned depth = watches_depth(run->cse);
	enum err e;

	watches_set_depth(run->cse, run->depth);
	e = cse_edit_resource(run->cse, run->action, true, set_result, &r);
	watches_set_depth(run->cse, depth);
	if (e != OK && e != ERR_NOT_FOUND)
		run->cse->round_broken = true;
	free(run);
}

/* ---- the request ---- */

struct input {
	struct rd placeholder;
	const struct json *value;
};

/* A copy in which the input's value stands wherever its text did. */
static void put_with_input(struct json_out *o, const char *name, const struct json *v, const struct input *in)
{
	char key[256];

	if (v->type == JSON_STRING && rd_equal(v->text, in->placeholder)) {
		json_put(o, name, in->value);
	} else if (v->type == JSON_OBJECT || v->type == JSON_ARRAY) {
		if (v->type == JSON_OBJECT)
			json_object(o, name);
		else
			json_array(o, name);
		for (const struct json *e = v->first; e; e = e->next)
			if (v->type == JSON_ARRAY)
				put_with_input(o, NULL, e, in);
			else if (rd_text(e->key, key, sizeof key))
				put_with_input(o, key, e, in);
		json_close(o);
	} else {
		json_put(o, name, v);
	}
}

static bool take_input(struct cse *c, struct resource *action, const struct json *content, struct wr *w, struct rd *text)
{
	const struct json *ipu = resource_get(action, "ipu");
	struct rd id;
	struct resource *r = json_string(json_get(ipu, "rsid"), &id) ? cse_find_address(c, id) : NULL;
	struct json_out o = json_out(w);
	struct input in;
	char name[128];
	bool ok = false;

	if (r && json_text(json_get(ipu, "raid"), name, sizeof name) && json_string(json_get(ipu, "cstr"), &in.placeholder)) {
		in.value = resource_get(r, name);
		if (in.value) {
			put_with_input(&o, NULL, content, &in);
			ok = wr_done(w, text);
		}
	}
	resource_unref(r);
	return ok;
}

static void send(struct cse *c, struct resource *action, const struct json *apv, struct json_arena *arena)
{
	struct run *run = calloc(1, sizeof *run);
	struct wr w = wr_new(CSE_BODY_MAX);
	struct onem2m_request rq;

	if (!run)
		abort();
	run->cse = c;
	run->action = action->id;
	run->depth = watches_depth(c);
	if (!primitive_request(arena, apv, &rq) || !rd_text(rq.request_id, run->request_id, sizeof run->request_id))
		run->request_id[0] = '\0';
	if (rq.from.left == 0)
		rq.from = rd_str(action->creator);
	if (rq.release.left == 0)
		rq.release = rd_str("4");
	rq.genuine = true; /* it was checked when the action was made */
	if (rq.content.left > 0 && resource_get(action, "ipu") && !take_input(c, action, json_get(apv, "pc"), &w, &rq.content))
		on_done(run, &(const struct onem2m_response){.rsc = RSC_BAD_REQUEST, .content = rd_str("{\"m2m:dbg\":\"the input (ipu) is not there\"}")});
	else
		cse_request(c, &rq, on_done, run);
	wr_free(&w);
}

static void carry_out(struct cse *c, const struct item *i)
{
	struct resource *action = tree_by_id(c->tree, i->action);
	struct json_arena *arena = json_arena_new();
	const struct json *apv = NULL;
	uint64_t mode;
	struct rd text;

	if (action && arena && (mode = resource_uint(action, "evm", EVAL_OFF)) != EVAL_OFF && resource_get(action, "apv")) {
		/* the action's own snapshot goes with the edits below */
		text = resource_get(action, "apv")->source;
		if (json_parse(arena, text, NULL, &apv) == OK) {
			watches_set_depth(c, i->depth + 1);
			if ((mode == EVAL_ONCE || i->end) && cse_edit_resource(c, i->action, true, switch_off, NULL) != OK)
				c->round_broken = true;
			if (!i->end)
				send(c, action, apv, arena);
			watches_set_depth(c, 0);
		}
	}
	json_arena_free(arena);
	resource_unref(action);
}

/* ---- working it off ---- */

void action_enqueue(struct cse *c, struct resource *action)
{
	enqueue(c, action, false);
}

static void on_time(struct cse *c, struct cse_timer *t)
{
	struct actions *s = (struct actions *)t;
	struct item *all = s->queue;

	s->queue = NULL; /* what these cause comes in the next round */
	s->queued = 0;
	while (all) {
		struct item *i = all;

		all = i->next;
		carry_out(c, i);
		free(i);
	}
}
