/* A list of requests in one savepoint of the store. Only what is done at once and leaves nothing behind in memory can be part of it: what would be
 * announced, verified with somebody or kept by a timer is refused, so that undoing is undoing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/outbox.h"
#include "cse/types/transaction.h"
#include "cse/types/types.h"

/* ---- what can be undone ---- */

static bool is_plain(int type)
{
	static const int types[] = {TY_ACP, TY_CONTAINER, TY_CONTENT_INSTANCE, TY_FLEX_CONTAINER, TY_FLEX_CONTAINER_INSTANCE, TY_NODE, TY_MGMT_OBJ, TY_SEMANTIC_DESCRIPTOR};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i] == type)
			return true;
	return false;
}

static bool has_items(const struct json *list)
{
	return list && list->first;
}

struct looking {
	struct cse *cse;
	bool plain;
};

static bool look(void *ctx, struct resource *r)
{
	struct looking *l = ctx;

	/* the transaction that is a child of its target goes with it */
	l->plain = (is_plain(r->type) || r->type == TY_TRANSACTION) && !has_items(resource_get(r, "at"));
	if (l->plain && !r->instance && tree_children(l->cse->tree, r, 0, false, look, l) != OK)
		l->plain = false;
	return l->plain;
}

/* A subscription that wants to be asked before an update. */
static bool is_watched(struct cse *c, struct resource *r)
{
	const int64_t *ids;
	size_t n = tree_subscriptions(c->tree, r, &ids);
	bool watched = false;

	for (size_t i = 0; i < n && !watched; i++) {
		struct resource *sub = tree_by_id(c->tree, ids[i]);
		const struct json *net = sub ? json_get(resource_get(sub, "enc"), "net") : NULL;
		uint64_t kind;

		for (const struct json *k = net ? net->first : NULL; k; k = k->next)
			watched = watched || (json_uint(k, &kind) && kind == EVENT_BLOCKING_UPDATE);
		resource_unref(sub);
	}
	return watched;
}

static bool can_be_done(struct cse *c, const struct onem2m_request *rq, struct resource *target, const struct json *content)
{
	struct looking l = {c, true};

	if (rq->operation == ONEM2M_RETRIEVE)
		return true;
	if (has_items(json_get(content ? content->first : NULL, "at")))
		return false;
	if (rq->operation == ONEM2M_CREATE)
		return is_plain(rq->type);
	if (!is_plain(target->type) || has_items(resource_get(target, "at")))
		return false;
	if (rq->operation == ONEM2M_UPDATE)
		return !is_watched(c, target);
	return look(&l, target);
}

/* ---- one request ---- */

struct step {
	struct transaction_job *job;
	const struct json *request;
	bool answered, ok;
	struct json_out *o;
};

static void put_response(struct step *s, enum onem2m_rsc rsc, struct rd content)
{
	json_object(s->o, NULL);
	json_put_int(s->o, "rsc", rsc);
	if (json_get(s->request, "rqi"))
		json_put(s->o, "rqi", json_get(s->request, "rqi"));
	if (content.left > 0)
		json_put_content(s->o, "pc", content);
	json_close(s->o);
	s->answered = true;
	s->ok = rsc < 4000;
	if (!s->ok && s->job->why)
		snprintf(s->job->why, s->job->size, "request failed with %d: %.*s", (int)rsc, (int)(content.left < 200 ? content.left : 200), (const char *)content.at);
}

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	put_response(ctx, rsp->rsc, rsp->content);
}

static void refuse(struct step *s, enum onem2m_rsc rsc, const char *text)
{
	char body[256];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);

	json_object(&o, NULL);
	json_put_string(&o, "m2m:dbg", text);
	json_close(&o);
	put_response(s, rsc, rd_of(body, w.len));
}

static void take(const struct json *request, const char *from, struct onem2m_request *rq)
{
	uint64_t n = 0;

	*rq = (struct onem2m_request){.rcn = ONEM2M_RCN_ABSENT, .peer = "", .genuine = true};
	if (json_uint(json_get(request, "op"), &n))
		rq->operation = (enum onem2m_operation)n;
	if (json_uint(json_get(request, "ty"), &n))
		rq->type = (int)n;
	if (json_uint(json_get(request, "rcn"), &n))
		rq->rcn = (int)n;
	if (json_uint(json_get(request, "drt"), &n))
		rq->drt = (int)n;
	if (!json_string(json_get(request, "to"), &rq->to))
		rq->to = rd_of("", 0);
	if (!json_string(json_get(request, "fr"), &rq->from))
		rq->from = rd_str(from);
	if (!json_string(json_get(request, "rqi"), &rq->request_id))
		rq->request_id = rd_of("", 0);
	if (json_get(request, "pc"))
		rq->content = json_get(request, "pc")->source;
}

static void carry_out(struct cse *c, struct step *s)
{
	struct onem2m_request rq;
	struct exchange *running = NULL;
	struct resource *target;
	enum cse_virtual kind = VIRTUAL_NONE;
	char other[CSE_ID_MAX];
	struct rd rest, suffix;

	take(s->request, s->job->from, &rq);
	rq.internal = s->job->trusted;
	target = cse_is_local(c, rq.to, &rest, other, sizeof other) ? cse_find(c, rest, &kind, &suffix) : NULL;
	if (!target)
		refuse(s, RSC_NOT_FOUND, "there is no such resource at this CSE");
	else if (kind != VIRTUAL_NONE && rq.operation != ONEM2M_RETRIEVE)
		refuse(s, RSC_OPERATION_NOT_ALLOWED, "a virtual resource cannot be part of a transaction");
	else if (!can_be_done(c, &rq, target, json_get(s->request, "pc")))
		refuse(s, RSC_OPERATION_NOT_ALLOWED, "this cannot be part of a transaction: it is announced, watched, or of a type that does more than to be stored");
	else
		cse_submit_within(c, &rq, s->job->owner, on_answer, s, &running);
	resource_unref(target);
	if (s->answered)
		return;
	if (running)
		exchange_abandon(running);
	refuse(s, RSC_OPERATION_NOT_ALLOWED, "this cannot be part of a transaction: it does not end at once");
}

/* ---- all ---- */

static bool run_all(struct cse *c, struct transaction_job *job)
{
	struct json_out o = json_out(job->responses);
	bool ok = true;

	json_array(&o, NULL);
	for (size_t i = 0; i < job->count && ok; i++) {
		struct step s = {.job = job, .request = job->requests[i], .o = &o};

		carry_out(c, &s);
		ok = s.ok;
	}
	json_close(&o);
	return ok && !job->responses->spoilt;
}

bool transaction_run(struct cse *c, struct transaction_job *job)
{
	uint64_t mark = outbox_mark(c);
	bool outer = c->rehearsing, ok;

	if (job->why)
		job->why[0] = '\0';
	if (tree_flush(c->tree) != OK || store_savepoint(c->store) != OK) {
		if (job->why)
			snprintf(job->why, job->size, "%s", store_detail(c->store));
		return false;
	}
	c->rehearsing = job->rehearse;
	ok = run_all(c, job);
	c->rehearsing = outer;
	if (ok && !job->rehearse && tree_flush(c->tree) == OK && store_release(c->store) == OK) {
		cse_commit_later(c);
		return true;
	}
	store_undo(c->store);
	tree_forget(c->tree);
	outbox_undo(c, mark);
	return ok && job->rehearse;
}

/* ---- before it is begun ---- */

bool transaction_may_contain(const struct json *request, char *why, size_t size)
{
	static const char *const others[] = {"fc", "rt", "sqi", "gid"};
	uint64_t op = 0, type;

	if (!json_uint(json_get(request, "op"), &op) || op < ONEM2M_CREATE || op > ONEM2M_DELETE) {
		snprintf(why, size, "an operation that is none of CREATE, RETRIEVE, UPDATE and DELETE");
		return false;
	}
	if (op == ONEM2M_CREATE && !json_uint(json_get(request, "ty"), &type)) {
		snprintf(why, size, "a CREATE without a resource type (ty)");
		return false;
	}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		if (!json_get(request, others[i]))
			continue;
		snprintf(why, size, "a request with `%s`", others[i]);
		return false;
	}
	return true;
}

bool transaction_originator_is_good(struct exchange *x, const struct json *request)
{
	struct rd from;
	char id[CSE_ID_MAX];

	return !json_string(json_get(request, "fr"), &from) || x->privileged || (cse_sp_relative(x->cse, from, id, sizeof id) && strcmp(id, x->from) == 0);
}
