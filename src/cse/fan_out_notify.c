/* A group gathers the notifications of its members' subscriptions: TS-0004 clauses 7.4.14.2.3 and 7.4.14.2.5. Who subscribes to all members with a
 * notificationForwardingURI (nfu) gets one aggregate instead of a notification of each member: the subscriptions name the group's fan-out point
 * with a suffix that no resource can have, and what comes there goes to the nfu by the group's notifyAggregation (nar). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/fan_out.h"
#include "cse/notify/outbox.h"

#define GATHERING "!notify" /* behind a fanOutPoint */

/* ---- subscriptions ---- */

/* The same content with another nu. */
static struct rd with_target(struct exchange *x, const struct json *sub, const char *nu)
{
	struct wr w = wr_new(CSE_BODY_MAX * 2), inner = wr_new(CSE_BODY_MAX * 2);
	struct json_out o = json_out(&w);
	struct attributes a;
	struct rd out = rd_of(NULL, 0);
	uint8_t *copy = NULL;
	char list[CSE_PATH_MAX];

	snprintf(list, sizeof list, "[\"%s\"]", nu);
	attributes_init(&a, x->arena, sub);
	attributes_set_raw(&a, "nu", rd_str(list));
	attributes_write(&a, &inner);
	json_object(&o, NULL);
	if (wr_done(&inner, &out))
		json_put_raw(&o, "m2m:sub", out);
	json_close(&o);
	if (wr_done(&w, &out) && (copy = json_arena_alloc(x->arena, out.left)) != NULL)
		memcpy(copy, out.at, out.left);
	out = rd_of(copy, copy ? out.left : 0);
	wr_free(&inner);
	wr_free(&w);
	return out;
}

struct rd fan_out_content(struct exchange *x)
{
	const struct json *doc, *sub;
	char nu[CSE_ID_MAX * 2];
	struct rd content;

	if (x->target->type != TY_GROUP || x->rq->operation != ONEM2M_CREATE || x->rq->type != TY_SUBSCRIPTION || json_parse(x->arena, x->rq->content, NULL, &doc) != OK)
		return x->rq->content;
	sub = json_get(doc, "m2m:sub");
	if (!json_get(sub, "nfu"))
		return x->rq->content;
	snprintf(nu, sizeof nu, "%s/%s/fopt/%s", x->cse->config.id, x->target->ri, GATHERING);
	content = with_target(x, sub, nu);
	return content.left ? content : x->rq->content;
}

/* ---- notifications ---- */

static bool list_has(const struct json *list, struct rd text)
{
	for (const struct json *e = list ? list->first : NULL; e; e = e->next)
		if (e->type == JSON_STRING && rd_equal(e->text, text))
			return true;
	return false;
}

/* Of a subscription here: it forwards there, and names this group. */
static bool is_ours(struct exchange *x, struct rd sur, struct rd nfu)
{
	struct resource *sub = cse_find_address(x->cse, sur);
	char nu[CSE_ID_MAX * 2];
	struct rd text;
	bool ok;

	snprintf(nu, sizeof nu, "%s/%s/fopt/%s", x->cse->config.id, x->target->ri, GATHERING);
	ok = sub && sub->type == TY_SUBSCRIPTION && json_string(resource_get(sub, "nfu"), &text) && rd_equal(text, nfu) && list_has(resource_get(sub, "nu"), rd_str(nu));
	resource_unref(sub);
	return ok;
}

/* Of another CSE: it says so itself, and has members of this group. */
static bool is_of_a_member(struct exchange *x, struct rd sur)
{
	const struct json *mid = resource_get(x->target, "mid");
	char prefix[CSE_ID_MAX + 1];

	if (x->from[0] != '/' || strchr(x->from + 1, '/') || (size_t)snprintf(prefix, sizeof prefix, "%s/", x->from) >= sizeof prefix || !rd_starts(sur, prefix))
		return false;
	for (const struct json *m = mid ? mid->first : NULL; m; m = m->next)
		if (m->type == JSON_STRING && rd_starts(m->text, prefix))
			return true;
	return false;
}

static bool post(struct exchange *x, const struct json *sgn)
{
	struct outbox_policy policy;
	struct outbox_content *k;
	struct wr w = wr_new(CSE_BODY_MAX * 2);
	struct json_out o = json_out(&w);
	char target[CSE_PATH_MAX];
	struct rd sur, nfu, out;
	bool ok = json_string(json_get(sgn, "sur"), &sur) && json_string(json_get(sgn, "nfu"), &nfu) && rd_text(nfu, target, sizeof target) &&
	    (is_ours(x, sur, nfu) || is_of_a_member(x, sur));

	json_object(&o, NULL);
	json_put_raw(&o, "m2m:sgn", sgn->source);
	json_close(&o);
	if (ok && wr_done(&w, &out)) {
		outbox_policy_of(x->cse, x->target, &policy);
		k = outbox_content(out);
		outbox_post(x->cse, x->target->ri, target, &policy, k);
		outbox_content_free(k);
		cse_commit_later(x->cse);
	}
	wr_free(&w);
	return ok;
}

static bool is_true(const struct json *sgn, const char *name)
{
	bool b;

	return json_bool(json_get(sgn, name), &b) && b;
}

/* The subscription's verification, its end, or an event. */
static bool take(struct exchange *x, const struct json *sgn)
{
	return is_true(sgn, "vrq") || is_true(sgn, "sud") || post(x, sgn);
}

bool group_gathers(struct exchange *x)
{
	const struct json *doc = NULL, *sgn, *batch;
	bool ok = false;

	if (x->target->type != TY_GROUP || !rd_is(x->suffix, GATHERING))
		return false;
	if (x->rq->operation != ONEM2M_NOTIFY || json_parse(x->arena, x->rq->content, NULL, &doc) != OK) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "the group takes notifications of its members here");
		return true;
	}
	sgn = json_get(doc, "m2m:sgn");
	batch = json_path(doc, "m2m:agn.m2m:sgn");
	if (sgn)
		ok = take(x, sgn);
	for (const struct json *e = batch ? batch->first : NULL; e && (ok || e == batch->first); e = e->next)
		ok = take(x, e);
	if (ok)
		exchange_answer(x, RSC_OK, rd_of("", 0), rd_str(""));
	else
		exchange_fail(x, sgn || batch ? RSC_ORIGINATOR_HAS_NO_PRIVILEGE : RSC_BAD_REQUEST, "this is no notification (`m2m:sgn`) of a member's subscription with the `nfu` that it has");
	return true;
}
