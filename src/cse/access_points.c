/* Distributed authorisation, TS-0003 clause 7.5: what the policies of a resource name as points of decision (adri), of policies (apri) and of information
 * (airi) is asked when nothing here permits. All at once, for a bounded time; what does not answer, or not to this very question, says nothing.
 *
 * It cannot go round in circles: who is asked for a decision asks further for policies and information only, and those are given out of what is there;
 * and the points themselves are never asked about. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/access.h"

#define DECISION_MS "8000" /* longer than the points that it asks in its turn */
#define OTHERS_MS "3000"
#define PATIENCE_MOST_MS 9000

struct asking {
	struct exchange *x;
	struct access_asked q;
	char to[CSE_ID_MAX * 2];
	struct access_found *found;
	size_t pending;
	void (*done)(void *ctx);
	void *ctx;
};
struct one {
	struct asking *a;
	enum access_point kind;
	char csi[CSE_ID_MAX];         /* of a policy elsewhere */
};

/* ---- the question ---- */

static void put_list(struct json_out *o, const char *name, struct rd list)
{
	struct rd part;

	/* what is absent is taken away, lest it be that of a question before */
	if (list.left == 0) {
		json_put_null(o, name);
		return;
	}
	json_array(o, name);
	while (list.left > 0) {
		char room[CSE_ID_MAX];

		if (!rd_until(&list, '+', &part))
			part = rd_rest(&list);
		if (part.left < sizeof room)
			json_put_rd(o, NULL, access_unescaped(part, room));
		else
			json_put_rd(o, NULL, part);
	}
	json_close(o);
}

static int operation_of(unsigned acop)
{
	static const unsigned acops[] = {ACOP_CREATE, ACOP_RETRIEVE, ACOP_UPDATE, ACOP_DELETE, ACOP_NOTIFY};

	for (int i = 0; i < 5; i++)
		if (acops[i] == acop)
			return i + 1;
	return ONEM2M_RETRIEVE; /* discovery */
}

static void put_decision(const struct asking *a, struct json_out *o)
{
	const struct onem2m_request *rq = a->x->rq;
	char stamp[TIMESTAMP_SIZE];

	json_put_string(o, "to", a->to);
	json_put_string(o, "fr", a->x->from);
	json_put_int(o, "op", operation_of(a->q.acop));
	if (a->q.acop == ACOP_CREATE)
		json_put_int(o, "rrt", a->q.child_type);
	else
		json_put_null(o, "rrt");
	if (a->q.acop == ACOP_DISCOVERY)
		json_put_int(o, "fu", FILTER_DISCOVERY);
	else
		json_put_null(o, "fu");
	put_list(o, "rids", rq->role_ids);
	put_list(o, "tids", rq->token_ids);
	put_list(o, "tkns", rq->tokens);
	timestamp_print(stamp, cse_now(a->x->cse));
	json_put_string(o, "rtm", stamp);
	json_put_null(o, "olo");
	if (rq->address.left) {
		json_object(o, "oip");
		json_put_rd(o, memchr(rq->address.at, ':', rq->address.left) ? "ip6" : "ip4", rq->address);
		json_close(o);
	} else {
		json_put_null(o, "oip");
	}
}

static const char *const roots[ACCESS_POINTS] = {[ACCESS_DECISION] = "m2m:auds", [ACCESS_POLICY] = "m2m:aupy", [ACCESS_INFORMATION] = "m2m:auif"};

static void put_question(const struct asking *a, enum access_point kind, struct wr *w)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_object(&o, roots[kind]);
	switch (kind) {
	case ACCESS_DECISION:
		put_decision(a, &o);
		break;
	case ACCESS_POLICY:
		json_put_string(&o, "to", a->to);
		break;
	case ACCESS_INFORMATION:
		json_put_string(&o, "fr", a->x->from);
		put_list(&o, "rids", a->x->rq->role_ids);
		json_put_null(&o, "tids");
		break;
	case ACCESS_ELSEWHERE:
	case ACCESS_POINTS:
		break;
	}
	json_close(&o);
	json_close(&o);
}

/* ---- the answer ---- */

static bool is_number(const struct json *v, uint64_t wanted)
{
	uint64_t n;

	return json_uint(v, &n) && n == wanted;
}

/* The answer has the question in it: one that is about something else says nothing here. */
static void take_decision(struct asking *a, const struct json *auds)
{
	struct wr w = wr_new(CSE_BODY_MAX);
	const struct json *asked;
	struct rd text;
	bool same = false;

	put_question(a, ACCESS_DECISION, &w);
	if (wr_done(&w, &text) && json_parse(a->x->arena, text, NULL, &asked) == OK) {
		same = true;
		for (const struct json *m = asked->first->first; m && same; m = m->next)
			same = rd_is(m->key, "rtm") || (m->type == JSON_NULL ? !json_member(auds, m->key) : json_equal(m, json_member(auds, m->key)));
	}
	wr_free(&w);
	if (same && is_number(json_get(auds, "dec"), 1) && is_number(json_get(auds, "sus"), 1))
		a->found->permit = true;
}

static void take_policies(struct asking *a, const struct json *aupy)
{
	const struct json *ps = json_get(aupy, "ps"), *pv = json_get(ps, "pv");
	struct schema_fault fault;

	if (!is_number(json_get(aupy, "sus"), 1) || !json_is_string(json_get(aupy, "to"), a->to) || !ps ||
	    !schema_check_value(schema_datatype("m2m:setOfPermissions"), ps, "ps", &fault))
		return;
	for (const struct json *p = pv ? pv->first : NULL; p && a->found->count < ACCESS_POLICIES_MOST; p = p->next)
		a->found->policies[a->found->count++] = p;
}

static void take_information(struct asking *a, const struct json *auif)
{
	struct wr w = wr_new(CSE_BODY_MAX);
	const struct json *asked;
	struct rd text;

	put_question(a, ACCESS_INFORMATION, &w);
	if (wr_done(&w, &text) && json_parse(a->x->arena, text, NULL, &asked) == OK && is_number(json_get(auif, "sus"), 1) &&
	    json_is_string(json_get(auif, "fr"), a->x->from) && json_equal(json_get(asked->first, "rids"), json_get(auif, "rids")))
		a->found->roles = true;
	wr_free(&w);
}

static const struct json *parsed(struct asking *a, struct rd content)
{
	uint8_t *copy = content.left ? json_arena_alloc(a->x->arena, content.left) : NULL;
	const struct json *doc;

	if (!copy)
		return NULL;
	memcpy(copy, content.at, content.left);
	return json_parse(a->x->arena, rd_of(copy, content.left), NULL, &doc) == OK ? doc : NULL;
}

static bool is_bare(const struct json *e)
{
	return e->type == JSON_STRING && e->text.left > 0 && !memchr(e->text.at, '/', e->text.left) && !memchr(e->text.at, '*', e->text.left) && !rd_is(e->text, "all");
}

/* Whom a policy of another CSE names without a CSE-ID is of that one; by the customs of open CSEs who is called so here is meant too. */
static void put_originators(const struct asking *a, struct json_out *o, const struct json *acor, struct rd csi)
{
	char id[CSE_ID_MAX * 2];

	json_array(o, "acor");
	for (const struct json *e = acor->first; e; e = e->next) {
		if (e->type != JSON_STRING || rd_starts(e->text, "/") || rd_is(e->text, "all") ||
		    (size_t)snprintf(id, sizeof id, "%.*s/%.*s", (int)csi.left, (const char *)csi.at, (int)e->text.left, (const char *)e->text.at) >= sizeof id)
			json_put(o, NULL, e);
		else
			json_put_string(o, NULL, id);
		if (a->x->cse->config.customs && is_bare(e))
			json_put(o, NULL, e);
	}
	json_close(o);
}

static void take_elsewhere(struct asking *a, const struct json *acp, struct rd csi)
{
	const struct json *pv = json_get(acp, "pv"), *acr = json_get(pv, "acr");
	struct schema_fault fault;
	struct json_out o;
	struct rd text;
	struct wr w;

	if (!pv || !schema_check_value(schema_datatype("m2m:setOfAcrs"), pv, "pv", &fault) || a->found->count == ACCESS_POLICIES_MOST)
		return;
	w = wr_new(CSE_BODY_MAX * 2);
	o = json_out(&w);
	json_object(&o, NULL);
	json_array(&o, "acr");
	for (const struct json *r = acr ? acr->first : NULL; r; r = r->next) {
		char name[128];

		json_object(&o, NULL);
		for (const struct json *m = r->first; m; m = m->next) {
			if (!rd_text(m->key, name, sizeof name))
				continue;
			if (rd_is(m->key, "acor"))
				put_originators(a, &o, m, csi);
			else
				json_put(&o, name, m);
		}
		json_close(&o);
	}
	json_close(&o);
	json_close(&o);
	if (wr_done(&w, &text) && (pv = parsed(a, text)) != NULL)
		a->found->policies[a->found->count++] = pv;
	wr_free(&w);
}

static void take(struct asking *a, enum access_point kind, struct rd content)
{
	const struct json *doc = parsed(a, content), *answer;

	if (!doc || (answer = json_get(doc, roots[kind])) == NULL)
		return;
	switch (kind) {
	case ACCESS_DECISION:
		take_decision(a, answer);
		return;
	case ACCESS_POLICY:
		take_policies(a, answer);
		return;
	case ACCESS_INFORMATION:
		take_information(a, answer);
		return;
	case ACCESS_ELSEWHERE:
	case ACCESS_POINTS:
		return;
	}
}

static void one_less(struct asking *a)
{
	void (*done)(void *ctx) = a->done;
	void *ctx = a->ctx;

	if (--a->pending > 0)
		return;
	free(a);
	done(ctx);
}

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct one *o = ctx;
	struct asking *a = o->a;

	if (rsp->rsc == RSC_OK && o->kind == ACCESS_ELSEWHERE) {
		const struct json *doc = parsed(a, rsp->content);

		take_elsewhere(a, doc ? json_get(doc, "m2m:acp") : NULL, rd_str(o->csi));
	} else if (rsp->rsc == RSC_UPDATED && o->kind != ACCESS_ELSEWHERE) {
		take(a, o->kind, rsp->content);
	}
	free(o);
	one_less(a);
}

/* ---- asking ---- */

static void ask_one(struct asking *a, enum access_point kind, struct rd to)
{
	struct cse *c = a->x->cse;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct one *o = malloc(sizeof *o);
	char number[80];
	struct onem2m_request rq = {
		.operation = ONEM2M_UPDATE,
		.to = to,
		.from = rd_str(c->config.id),
		.release = rd_str("3"),
		.rcn = ONEM2M_RCN_ABSENT,
		.rqet = rd_str(kind == ACCESS_DECISION ? DECISION_MS : OTHERS_MS),
		.patience_ms = PATIENCE_MOST_MS,
		.peer = "",
		.internal = true,
	};

	if (!o)
		abort();
	*o = (struct one){a, kind, ""};
	snprintf(number, sizeof number, "point-%llx-%llx", (unsigned long long)cse_now(c), (unsigned long long)++c->numbers);
	rq.request_id = rd_str(number);
	if (kind == ACCESS_ELSEWHERE) {
		struct rd after = to, name;

		rq.operation = ONEM2M_RETRIEVE;
		if (rd_skip(&after, 1) && rd_until(&after, '/', &name))
			snprintf(o->csi, sizeof o->csi, "/%.*s", (int)name.left, (const char *)name.at);
	} else {
		put_question(a, kind, &w);
	}
	if (kind == ACCESS_ELSEWHERE ? o->csi[0] != '\0' : wr_done(&w, &rq.content)) {
		a->pending++;
		cse_request(c, &rq, on_answer, o);
	} else {
		free(o);
	}
	wr_free(&w);
}

struct addresses {
	const struct json *of[ACCESS_POINTS][ACCESS_POINTS_MOST];
	size_t count[ACCESS_POINTS];
};

/* "/id-mn/acp_5"; not of another service provider, who has other rules. */
static bool is_elsewhere(struct cse *c, const struct json *id)
{
	char other[CSE_ID_MAX];
	struct rd rest;

	return id->type == JSON_STRING && rd_starts(id->text, "/") && !rd_starts(id->text, "//") && !cse_is_local(c, id->text, &rest, other, sizeof other);
}

static void take_links(struct addresses *s, const struct json *list, enum access_point kind)
{
	for (const struct json *e = list ? list->first : NULL; e && s->count[kind] < ACCESS_POINTS_MOST; e = e->next)
		if (e->type == JSON_STRING)
			s->of[kind][s->count[kind]++] = e;
}

bool access_points_ask(struct exchange *x, struct resource *linked, const struct access_asked *q, unsigned kinds, void (*done)(void *ctx), void *ctx)
{
	static const char *const names[ACCESS_POINTS] = {[ACCESS_DECISION] = "adri", [ACCESS_POLICY] = "apri", [ACCESS_INFORMATION] = "airi"};
	struct resource *whose = NULL, *policies[ACCESS_POINTS_MOST];
	const struct json *acpi = access_policies_of(x->cse, linked, &whose);
	struct addresses s = {.count = {0}};
	size_t n = 0, all = 0;
	struct asking *a;

	for (const struct json *id = acpi ? acpi->first : NULL; id && n < ACCESS_POINTS_MOST; id = id->next) {
		policies[n] = access_policy(x->cse, id);
		if (!policies[n] && kinds & 1U << ACCESS_ELSEWHERE && is_elsewhere(x->cse, id) && s.count[ACCESS_ELSEWHERE] < ACCESS_POINTS_MOST)
			s.of[ACCESS_ELSEWHERE][s.count[ACCESS_ELSEWHERE]++] = id;
		if (!policies[n])
			continue;
		/* of another CSE's they are addresses there */
		for (unsigned k = 0; k < ACCESS_ELSEWHERE && policies[n]->type == TY_ACP; k++)
			if (kinds & 1U << k && (k != ACCESS_INFORMATION || x->rq->role_ids.left > 0))
				take_links(&s, resource_get(policies[n], names[k]), (enum access_point)k);
		n++;
	}
	for (unsigned k = 0; k < ACCESS_POINTS; k++)
		all += s.count[k];
	if (all > 0) {
		a = calloc(1, sizeof *a);
		x->found = json_arena_alloc(x->arena, sizeof *x->found);
		if (!a || !x->found)
			abort();
		*x->found = (struct access_found){.object = q->object, .acop = q->acop, .child_type = q->child_type};
		*a = (struct asking){.x = x, .q = *q, .found = x->found, .pending = 1, .done = done, .ctx = ctx};
		snprintf(a->to, sizeof a->to, "%s", q->to);
		a->q.to = a->to;
		for (unsigned k = 0; k < ACCESS_POINTS; k++)
			for (size_t i = 0; i < s.count[k]; i++)
				ask_one(a, (enum access_point)k, s.of[k][i]->text);
	}
	for (size_t i = 0; i < n; i++)
		resource_unref(policies[i]);
	resource_unref(whose);
	if (all > 0)
		one_less(a);
	return all > 0;
}
