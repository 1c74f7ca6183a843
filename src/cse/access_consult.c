/* Dynamic authorisation: what was refused is asked of the server that the resource's consultations (daci) name; what it grants holds for a while, and
 * the request goes on. Or, when the request says that it wants a token (tqi), it learns where to get one. TS-0001 clauses 9.6.40 and 11.5.2, TS-0003
 * clause 7.3.2. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/access.h"
#include "cse/gate.h"
#include "security/credential.h"

#define SERVERS_MOST 8
#define TOKENS_TRIED 16    /* of one answer: each costs operations with public keys */
#define ROLES_MOST 64      /* that are told to a server as those which would do */
#define PATIENCE_MS 5000   /* for one server */
#define ALL_MOST_MS 10000  /* for all: then no further one is asked */

struct consulting {
	struct exchange *x;
	int64_t object, consultation;
	uint64_t most;                /* dal: no grant is longer; 0: no limit */
	char *servers[SERVERS_MOST];
	size_t count, asked;
	uint64_t give_up;             /* monotonic ms */
	char name[FQDN_MAX];          /* of the server that is asked: what its certificate says, and who issues its tokens; "" */
	char number[80];
	struct wr content;
	struct onem2m_request rq;
	char why[512];                /* the refusal's text, if it stays */
};

/* ---- which ---- */

/* *some: there is one at least, be it enabled or not. */
static struct resource *enabled(struct cse *c, const struct json *daci, bool *some)
{
	for (const struct json *d = daci ? daci->first : NULL; d; d = d->next) {
		struct resource *r = d->type == JSON_STRING ? cse_find_address(c, d->text) : NULL;
		bool is = r && r->type == TY_DYNAMIC_AUTHORIZATION_CONSULTATION;
		const struct json *dap = is ? resource_get(r, "dap") : NULL;

		*some |= is;
		if (is && resource_bool(r, "dae", false) && dap && dap->first)
			return r;
		resource_unref(r);
	}
	return NULL;
}

/* The consultation for a resource: its own, or that of the nearest above it that has some. TS-0001 clause 9.6.1.3.2. */
static struct resource *consultation_of(struct cse *c, int64_t object)
{
	struct resource *at = tree_by_id(c->tree, object), *above, *found = NULL;

	while (at && !found) {
		bool some = false;

		found = enabled(c, resource_get(at, "daci"), &some);
		if (some)
			break;
		above = tree_parent(c->tree, at);
		resource_unref(at);
		at = above;
	}
	resource_unref(at);
	return found;
}

/* ---- the question ---- */

/* The part of a list that `wanted` says; NULL: all of it. */
static void put_list(struct json_out *o, const char *name, struct rd list, struct exchange *x, bool (*wanted)(struct exchange *x, struct rd part))
{
	char room[CSE_ID_MAX];
	struct rd part;

	if (list.left == 0)
		return;
	json_array(o, name);
	while (list.left > 0) {
		if (!rd_until(&list, '+', &part))
			part = rd_rest(&list);
		part = access_unescaped(part, room);
		if (part.left > 0 && (!wanted || wanted(x, part)))
			json_put_rd(o, NULL, part);
	}
	json_close(o);
}

static bool is_unknown_token(struct exchange *x, struct rd id)
{
	return !access_is_kept(x, id) && !access_token_is_held(x->cse, x->from, id, cse_now(x->cse));
}

static size_t put_roles_of(struct json_out *o, const struct json *acor, size_t most)
{
	size_t n = 0;

	for (const struct json *a = acor ? acor->first : NULL; a && n < most; a = a->next) {
		if (a->type != JSON_STRING || !memchr(a->text.at, '@', a->text.left))
			continue;
		json_put(o, NULL, a);
		n++;
	}
	return n;
}

/* roleIDsFromACPs: the roles that would do. */
static void put_roles(struct json_out *o, struct cse *c, struct resource *object)
{
	struct resource *whose = NULL;
	const struct json *acpi = object ? access_policies_of(c, object, &whose) : NULL;
	size_t n = 0;

	if (!acpi)
		return;
	json_array(o, "rfa");
	for (const struct json *id = acpi->first; id; id = id->next) {
		struct resource *policy = access_policy(c, id);
		const struct json *acr = policy ? json_get(resource_get(policy, "pv"), "acr") : NULL;

		for (const struct json *r = acr ? acr->first : NULL; r; r = r->next)
			n += put_roles_of(o, json_get(r, "acor"), ROLES_MOST - n);
		resource_unref(policy);
	}
	json_close(o);
	resource_unref(whose);
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
	put_list(o, "orid", x->rq->role_ids, x, NULL);
	timestamp_print(stamp, cse_now(x->cse));
	json_put_string(o, "rts", stamp);
	snprintf(text, sizeof text, "%s/%s", x->cse->config.id, object ? object->ri : "");
	json_put_string(o, "trid", text);
	if (json_string(resource_get(consultation, "dal"), &dal))
		json_put_rd(o, "ppl", dal);
	put_roles(o, x->cse, object);
	put_list(o, "tids", x->rq->token_ids, x, is_unknown_token);
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
static void again(struct exchange *x)
{
	resource_unref(x->target);
	x->target = NULL;
	x->virtual_child = VIRTUAL_NONE;
	x->suffix = rd_of("", 0);
	x->tokens = NULL;
	exchange_route(x);
}

static void go_on(struct consulting *k)
{
	struct exchange *x = k->x;

	consulting_free(k);
	again(x);
}

static void refuse(struct consulting *k)
{
	struct exchange *x = k->x;
	char why[sizeof k->why];

	memcpy(why, k->why, sizeof why);
	access_note_refusal(x);
	consulting_free(k);
	exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s", why);
}

/* dynamicACPInfo: privileges, until a moment. */
static bool take_privileges(struct consulting *k, const struct json *dai)
{
	struct cse *c = k->x->cse;
	uint64_t until = cse_now(c) + 1; /* without a lifetime: this once */
	struct rd pl;

	if (!dai || !json_get(dai, "gp"))
		return false;
	if (json_string(json_get(dai, "pl"), &pl) && !timestamp_parse_abs_rel(pl, cse_now(c), &until))
		until = 0;
	if (k->most && until > k->most)
		until = k->most;
	if (until <= cse_now(c))
		return false;
	access_grant(c, k->object, k->consultation, json_get(dai, "gp"), until);
	return true;
}

/* Tokens: checked as those of requests are, and issued by the server that was asked (TS-0003 clause 7.3.2.2). */
static bool take_tokens(struct consulting *k, const struct json *tkns)
{
	struct exchange *x = k->x;
	unsigned tries = 0;
	bool any = false;

	for (const struct json *t = tkns && x->cse->tokens.open ? tkns->first : NULL; t && tries < TOKENS_TRIED; t = t->next, tries++) {
		const struct json *claims = t->type == JSON_STRING ? access_jwt_claims(x, t->text, cse_now(x->cse)) : NULL;
		uint64_t until;

		if (!claims || !access_jwt_end(claims, &until) || (k->name[0] && !access_jwt_is_from(x->cse, claims, k->name)))
			continue;
		access_token_keep(x, claims, k->consultation, k->most && until > k->most ? k->most : until);
		any = true;
	}
	return any;
}

/* False: the answer grants nothing. */
static bool take_answer(struct consulting *k, struct rd content)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc = NULL, *info, *dres = NULL;
	struct schema_fault fault;
	uint64_t sit;
	bool ok = false;

	if (!arena)
		abort();
	if (json_parse(arena, content, NULL, &doc) == OK && (info = json_get(doc, "m2m:seci")) != NULL && json_uint(json_get(info, "sit"), &sit) && sit == 2 &&
	    schema_check_value(schema_datatype("m2m:securityInfo"), info, "m2m:seci", &fault))
		dres = json_get(info, "dres");
	if (dres) {
		ok = take_privileges(k, json_get(dres, "dai"));
		ok = take_tokens(k, json_get(dres, "tkns")) || ok;
	}
	json_arena_free(arena);
	return ok;
}

static void ask_next(struct consulting *k);

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct consulting *k = ctx;

	if (rsp->rsc == RSC_OK && take_answer(k, rsp->content))
		go_on(k);
	else if (rsp->rsc == RSC_OK || k->asked == k->count || cse_mono(k->x->cse) >= k->give_up)
		refuse(k);
	else
		ask_next(k);
}

/* What a URL's server is called: by the configuration; otherwise as its host. */
static void name_of(struct cse *c, const char *url, char name[static FQDN_MAX])
{
	struct rd servers = rd_str(c->config.das_servers ? c->config.das_servers : ""), one, known, rest = rd_str(url), host;

	name[0] = '\0';
	while (servers.left > 0) {
		if (!rd_until(&servers, ',', &one))
			one = rd_rest(&servers);
		while (one.left > 0 && one.at[0] == ' ' && rd_skip(&one, 1))
			;
		/* the whole authority: https://host:94 is another one than https://host:9447 */
		if (rd_until(&one, ' ', &known) && known.left > 0 && strlen(url) >= known.left && memcmp(url, known.at, known.left) == 0 &&
		    (url[known.left] == '\0' || url[known.left] == '/')) {
			if (!rd_text(one, name, FQDN_MAX))
				name[0] = '\0';
			return;
		}
	}
	if (!rd_starts(rest, "https://") || !rd_skip(&rest, 8))
		return;
	if (!rd_until(&rest, '/', &host))
		host = rest;
	if (!rd_until(&host, ':', &known))
		known = host;
	if (!fqdn_valid(known) || !rd_text(known, name, FQDN_MAX))
		name[0] = '\0';
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
		.patience_ms = PATIENCE_MS,
	};
	k->name[0] = '\0';
	if (strstr(to, "://")) {
		name_of(c, to, k->name);
		k->rq.to = rd_of("", 0); /* the URL is where it goes */
		cse_send(c, to, k->name, &k->rq, on_answer, k);
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
	k->give_up = cse_mono(x->cse) + ALL_MOST_MS;
	snprintf(k->why, sizeof k->why, "%s", why);
	snprintf(k->number, sizeof k->number, "das-%llx-%llx", (unsigned long long)cse_now(x->cse), (unsigned long long)++x->cse->numbers);
	if (json_string(resource_get(consultation, "dal"), &dal) && !timestamp_parse(dal, &k->most))
		k->most = 0;
	for (const struct json *d = dap->first; d && k->count < SERVERS_MOST; d = d->next)
		if (d->type == JSON_STRING && d->text.left > 0 && (k->servers[k->count] = rd_strdup(d->text)) != NULL)
			k->count++;
	k->content = wr_new(65536);
	compose(k, consultation);
	return k;
}

static bool consult_servers(struct exchange *x, const char *why)
{
	struct resource *consultation = consultation_of(x->cse, x->denied);
	struct consulting *k = NULL;
	bool taken = false;

	if (!consultation)
		return false;
	if (x->rq->token_request)
		taken = answer_where(x, consultation);
	else if (!access_was_refused(x))
		k = consulting_new(x, consultation, why);
	resource_unref(consultation);
	if (k) {
		taken = true;
		ask_next(k); /* which may end it all */
	}
	return taken;
}

/* ---- other points of authorisation come first ---- */

static void on_points(void *ctx)
{
	struct exchange *x = ctx;
	const struct access_found *f = x->found;

	if (f->permit || f->roles || f->count > 0)
		again(x);
	else
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "nothing permits it to %s, here or at the points of authorisation that were asked", x->from);
}

static bool is_point(const struct resource *r)
{
	return r->type == TY_AUTHORIZATION_DECISION || r->type == TY_AUTHORIZATION_POLICY || r->type == TY_AUTHORIZATION_INFORMATION;
}

static bool consult_points(struct exchange *x)
{
	struct resource *object = tree_by_id(x->cse->tree, x->denied);
	char to[CSE_ID_MAX * 2];
	struct access_asked q = {to, x->denied, x->denied_acop, x->denied_child};
	bool taken = false;

	if (object && !is_point(object)) {
		snprintf(to, sizeof to, "%s/%s", x->cse->config.id, object->ri);
		taken = access_points_ask(x, object, &q, 1U << ACCESS_DECISION | 1U << ACCESS_POLICY | 1U << ACCESS_INFORMATION | 1U << ACCESS_ELSEWHERE, on_points, x);
	}
	resource_unref(object);
	return taken;
}

bool access_consult(struct exchange *x, const char *why)
{
	if (x->consulted == CONSULTED_ALL || x->denied == 0 || !x->from[0])
		return false;
	if (x->consulted == CONSULTED_NOBODY) {
		x->consulted = CONSULTED_POINTS;
		if (consult_points(x))
			return true;
	}
	x->consulted = CONSULTED_ALL;
	return consult_servers(x, why);
}
