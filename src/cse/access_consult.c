/* Dynamic authorisation: what was refused is asked of the server that the resource's consultations (daci) name; what it grants holds for a while, and
 * the request goes on. Or, when the request says that it wants a token (tqi), it learns where to get one. TS-0001 clauses 9.6.40 and 11.5.2, TS-0003
 * clause 7.3.2. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/access.h"
#include "cse/gate.h"

#define SERVERS_MOST 8

struct consulting {
	struct exchange *x;
	int64_t object, consultation;
	uint64_t most;                /* dal: no grant is longer; 0: no limit */
	char *servers[SERVERS_MOST];
	size_t count, asked;
	char from[CSE_ID_MAX];        /* this CSE */
	char number[80];
	struct wr content;
	struct onem2m_request rq;
	char why[512];                /* the refusal's text, if it stays */
};

/* ---- which ---- */

static struct resource *enabled(struct cse *c, const struct json *daci)
{
	for (const struct json *d = daci ? daci->first : NULL; d; d = d->next) {
		struct resource *r = d->type == JSON_STRING ? cse_find_address(c, d->text) : NULL;
		const struct json *dap = r ? resource_get(r, "dap") : NULL;

		if (r && r->type == TY_DYNAMIC_AUTHORIZATION_CONSULTATION && resource_bool(r, "dae", false) && dap && dap->first)
			return r;
		resource_unref(r);
	}
	return NULL;
}

/* The consultation for a resource: its own, or that of the nearest above it that has some. */
static struct resource *consultation_of(struct cse *c, int64_t object)
{
	struct resource *at = tree_by_id(c->tree, object), *above, *found = NULL;

	while (at && !found) {
		const struct json *daci = resource_get(at, "daci");

		if (daci && daci->first) {
			found = enabled(c, daci);
			break;
		}
		above = tree_parent(c->tree, at);
		resource_unref(at);
		at = above;
	}
	resource_unref(at);
	return found;
}

/* ---- the question ---- */

static void put_list(struct json_out *o, const char *name, struct rd list)
{
	struct rd part;

	if (list.left == 0)
		return;
	json_array(o, name);
	while (list.left > 0) {
		if (!rd_until(&list, '+', &part))
			part = rd_rest(&list);
		json_put_rd(o, NULL, part);
	}
	json_close(o);
}

/* m2m:dynAuthDasRequest, TS-0004 table 6.3.5.45-1. */
static void put_request(struct exchange *x, struct resource *consultation, struct json_out *o)
{
	struct resource *object = tree_by_id(x->cse->tree, x->denied);
	char text[CSE_ID_MAX + 64], stamp[TIMESTAMP_SIZE];
	struct rd dal;

	json_object(o, "dreq");
	json_put_string(o, "or", x->from);
	json_put_int(o, "trt", x->denied_type);
	json_put_int(o, "op", (int)x->rq->operation);
	if (x->rq->address.left) {
		json_object(o, "oip");
		json_put_rd(o, memchr(x->rq->address.at, ':', x->rq->address.left) ? "ip6" : "ip4", x->rq->address);
		json_close(o);
	}
	put_list(o, "orid", x->rq->role_ids);
	timestamp_print(stamp, cse_now(x->cse));
	json_put_string(o, "rts", stamp);
	snprintf(text, sizeof text, "%s/%s", x->cse->config.id, object ? object->ri : "");
	json_put_string(o, "trid", text);
	if (json_string(resource_get(consultation, "dal"), &dal))
		json_put_rd(o, "ppl", dal);
	put_list(o, "tids", x->rq->token_ids);
	json_close(o);
	resource_unref(object);
}

/* ---- the answer ---- */

static void consulting_free(struct consulting *k)
{
	for (size_t i = 0; i < k->count; i++)
		free(k->servers[i]);
	wr_free(&k->content);
	free(k);
}

/* The same request again, from its beginning: its target may have changed, too. */
static void go_on(struct consulting *k)
{
	struct exchange *x = k->x;

	consulting_free(k);
	resource_unref(x->target);
	x->target = NULL;
	x->virtual_child = VIRTUAL_NONE;
	x->suffix = rd_of("", 0);
	exchange_route(x);
}

static void refuse(struct consulting *k)
{
	struct exchange *x = k->x;
	char why[sizeof k->why];

	memcpy(why, k->why, sizeof why);
	access_note_refusal(x->cse, k->object, x->from, x->denied_acop);
	consulting_free(k);
	exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s", why);
}

/* False: the answer grants nothing. */
static bool take_grant(struct consulting *k, struct rd content)
{
	struct json_arena *arena = json_arena_new();
	struct cse *c = k->x->cse;
	const struct json *doc = NULL, *dai = NULL;
	struct schema_fault fault;
	uint64_t until = cse_now(c) + 1; /* without a lifetime: this once */
	struct rd pl;
	bool ok = false;

	if (!arena)
		abort();
	if (json_parse(arena, content, NULL, &doc) == OK)
		dai = json_get(json_get(json_get(doc, "m2m:seci"), "dres"), "dai");
	if (dai && json_get(dai, "gp") && schema_check_value(schema_datatype("m2m:dynamicACPInfo"), dai, "dai", &fault)) {
		if (json_string(json_get(dai, "pl"), &pl) && !timestamp_parse_abs_rel(pl, cse_now(c), &until))
			until = 0;
		if (k->most && until > k->most)
			until = k->most;
		ok = until > cse_now(c);
		if (ok)
			access_grant(c, k->object, k->consultation, json_get(dai, "gp"), until);
	}
	json_arena_free(arena);
	return ok;
}

static void ask_next(struct consulting *k);

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct consulting *k = ctx;

	if (rsp->rsc == RSC_OK && take_grant(k, rsp->content))
		go_on(k);
	else if (rsp->rsc == RSC_OK || k->asked == k->count)
		refuse(k);
	else
		ask_next(k);
}

static void ask_next(struct consulting *k)
{
	struct cse *c = k->x->cse;
	const char *to = k->servers[k->asked++];

	k->rq = (struct onem2m_request){
		.operation = ONEM2M_NOTIFY,
		.to = rd_str(to),
		.from = rd_str(c->config.id),
		.request_id = rd_str(k->number),
		.release = rd_str("3"),
		.rcn = ONEM2M_RCN_ABSENT,
		.content = rd_of(k->content.octets, k->content.len),
		.peer = "",
	};
	if (strstr(to, "://")) {
		cse_send(c, to, "", &k->rq, on_answer, k);
		return;
	}
	k->rq.internal = true;
	cse_request(c, &k->rq, on_answer, k);
}

/* ---- the beginning ---- */

static bool answer_where(struct exchange *x, struct resource *consultation)
{
	const struct json *dap = resource_get(consultation, "dap");
	struct wr w = wr_new(65536);
	struct json_out o = json_out(&w);
	struct rd content;
	bool ok;

	json_object(&o, NULL);
	json_object(&o, "m2m:tqf");
	json_array(&o, "dasi");
	for (const struct json *d = dap->first; d; d = d->next) {
		json_object(&o, NULL);
		json_put(&o, "uri", d);
		put_request(x, consultation, &o);
		json_close(&o);
	}
	json_close(&o);
	json_close(&o);
	json_close(&o);
	ok = wr_done(&w, &content);
	if (ok)
		exchange_answer(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, content, rd_str(""));
	wr_free(&w);
	return ok;
}

static void compose(struct consulting *k, struct resource *consultation)
{
	struct json_out o = json_out(&k->content);

	json_object(&o, NULL);
	json_object(&o, "m2m:seci");
	json_put_int(&o, "sit", 1);
	put_request(k->x, consultation, &o);
	json_close(&o);
	json_close(&o);
}

static struct consulting *consulting_new(struct exchange *x, struct resource *consultation, const char *why)
{
	struct consulting *k = calloc(1, sizeof *k);
	const struct json *dap = resource_get(consultation, "dap");
	struct rd dal;

	if (!k)
		abort();
	k->x = x;
	k->object = x->denied;
	k->consultation = consultation->id;
	snprintf(k->why, sizeof k->why, "%s", why);
	snprintf(k->number, sizeof k->number, "das-%llx-%llx", (unsigned long long)cse_now(x->cse), (unsigned long long)++x->cse->numbers);
	if (json_string(resource_get(consultation, "dal"), &dal) && !timestamp_parse(dal, &k->most))
		k->most = 0;
	for (const struct json *d = dap->first; d && k->count < SERVERS_MOST; d = d->next)
		if (d->type == JSON_STRING && (k->servers[k->count] = rd_strdup(d->text)) != NULL)
			k->count++;
	k->content = wr_new(65536);
	compose(k, consultation);
	return k;
}

bool access_consult(struct exchange *x, const char *why)
{
	struct resource *consultation;
	struct consulting *k = NULL;
	bool taken = false;

	if (x->consulted || x->denied == 0 || !x->from[0])
		return false;
	x->consulted = true;
	consultation = consultation_of(x->cse, x->denied);
	if (!consultation)
		return false;
	if (x->rq->token_request)
		taken = answer_where(x, consultation);
	else if (!access_was_refused(x->cse, x->denied, x->from, x->denied_acop))
		k = consulting_new(x, consultation, why);
	resource_unref(consultation);
	if (k) {
		taken = true;
		ask_next(k); /* which may end it all */
	}
	return taken;
}
