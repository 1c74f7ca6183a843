/* Roles and tokens: TS-0001 clauses 9.6.38 and 9.6.39, 11.4 and 11.5, TS-0003 clauses 7.2 and 7.3.2. A role counts when a <role> resource below the
 * CSEBase assigns it; a token when there is a <token> resource there of which its holder gives the tokenID, the local ID or the very text. Who may
 * create resources below the CSEBase vouches for them. Tokens from elsewhere count when their issuer's key vouches for them: access_jwt.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/access.h"

#define TOKENS_MOST 16 /* of one request */

struct access_tokens {
	int64_t ids[TOKENS_MOST];     /* of the <token> resources that hold */
	size_t count;
	const struct json *claims[2 * TOKENS_MOST]; /* of the JSON Web Tokens that hold: kept ones, and the request's */
	size_t claim_count;
};

/* ---- lists joined by '+' ---- */

static int digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Some bindings hand over what stood in a query, with its percent escapes. */
static bool is_same(struct rd given, struct rd wanted)
{
	uint8_t c, w;

	if (rd_equal(given, wanted))
		return true;
	while (rd_u8(&given, &c)) {
		if (c == '%' && given.left >= 2 && digit(given.at[0]) >= 0 && digit(given.at[1]) >= 0) {
			c = (uint8_t)(digit(given.at[0]) << 4 | digit(given.at[1]));
			if (!rd_skip(&given, 2))
				return false;
		}
		if (!rd_u8(&wanted, &w) || w != c)
			return false;
	}
	return wanted.left == 0;
}

bool access_lists(struct rd list, struct rd wanted)
{
	struct rd part;

	while (list.left > 0) {
		if (!rd_until(&list, '+', &part))
			part = rd_rest(&list);
		if (part.left > 0 && is_same(part, wanted))
			return true;
	}
	return false;
}

/* One of a list joined by '+', without percent escapes. */
struct rd access_unescaped(struct rd text, char room[static CSE_ID_MAX])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;
	uint8_t c;

	while (n < CSE_ID_MAX && rd_u8(&text, &c)) {
		const char *high = c == '%' && text.left >= 2 ? memchr(digits, text.at[0] | 32, 16) : NULL;
		const char *low = high ? memchr(digits, text.at[1] | 32, 16) : NULL;

		if (low && rd_skip(&text, 2))
			c = (uint8_t)((high - digits) << 4 | (low - digits));
		room[n++] = (char)c;
	}
	return rd_of(room, n);
}

/* ---- validity ---- */

static bool is_time(struct resource *r, uint64_t when)
{
	struct rd text;
	uint64_t at;

	if (json_string(resource_get(r, "tknb"), &text) && timestamp_parse(text, &at) && when < at)
		return false;
	return !(json_string(resource_get(r, "tkna"), &text) && timestamp_parse(text, &at) && when >= at);
}

static bool is_holder(struct cse *c, struct resource *r, const char *from)
{
	struct rd holder;
	char id[CSE_ID_MAX];

	return json_string(resource_get(r, "tkhd"), &holder) && cse_sp_relative(c, holder, id, sizeof id) && strcmp(id, from) == 0;
}

/* tkau: CSEs that may accept it; with wildcards. None: all. */
static bool is_for_here(struct cse *c, struct resource *r)
{
	const struct json *tkau = resource_get(r, "tkau");
	char pattern[CSE_ID_MAX], id[CSE_ID_MAX];

	if (!tkau || !tkau->first)
		return true;
	for (const struct json *a = tkau->first; a; a = a->next)
		if (json_text(a, pattern, sizeof pattern) && (cse_id_matches(pattern, c->config.id) || (cse_sp_relative(c, rd_str(pattern), id, sizeof id) && cse_id_matches(id, c->config.id))))
			return true;
	return false;
}

static bool vouched_for(struct cse *c, const struct resource *r)
{
	return r->parent == c->base_id;
}

/* ---- roles ---- */

struct role_search {
	struct cse *cse;
	const char *from;
	struct rd role;
	uint64_t when;
	bool found;
};

static bool assigns(void *ctx, struct resource *r)
{
	struct role_search *s = ctx;
	struct rd id;

	s->found = vouched_for(s->cse, r) && json_string(resource_get(r, "rlid"), &id) && rd_equal(id, s->role) && is_holder(s->cse, r, s->from) && is_time(r, s->when);
	return !s->found;
}

bool access_role_is_assigned(struct cse *c, const char *holder, struct rd role, uint64_t when)
{
	struct role_search s = {c, holder, role, when, false};

	return tree_by_type(c->tree, TY_ROLE, assigns, &s) == OK && s.found;
}

/* ---- tokens of a request ---- */

/* A short name for a token that needs no table: its resource's number. TS-0003 clause 7.3.2.5. */
static void local_id(char *text, size_t size, const struct resource *r)
{
	snprintf(text, size, "t%llx", (unsigned long long)r->id);
}

struct token_search {
	struct exchange *x;
	struct access_tokens *tokens;
	uint64_t when;
};

static bool is_given(const struct onem2m_request *rq, struct resource *r)
{
	char local[32];
	struct rd text;

	local_id(local, sizeof local, r);
	return (json_string(resource_get(r, "tkid"), &text) && access_lists(rq->token_ids, text)) || access_lists(rq->local_token_ids, rd_str(local)) ||
	    (json_string(resource_get(r, "tkob"), &text) && access_lists(rq->tokens, text));
}

static bool note_token(void *ctx, struct resource *r)
{
	struct token_search *s = ctx;
	struct cse *c = s->x->cse;

	if (vouched_for(c, r) && is_given(s->x->rq, r) && is_holder(c, r, s->x->from) && is_time(r, s->when) && is_for_here(c, r))
		s->tokens->ids[s->tokens->count++] = r->id;
	return s->tokens->count < TOKENS_MOST;
}

/* Bounded: each one may cost operations with public keys. */
static void take_claims(struct exchange *x, struct access_tokens *t, uint64_t when)
{
	struct rd list = x->rq->tokens, one;

	for (size_t tries = 0; list.left > 0 && tries < TOKENS_MOST; tries++) {
		if (!rd_until(&list, '+', &one))
			one = rd_rest(&list);
		t->claims[t->claim_count] = access_jwt_claims(x, one, when);
		t->claim_count += t->claims[t->claim_count] != NULL;
	}
}

/* NULL: there are none. Looked up once a request, and again when a server gave some. */
static struct access_tokens *tokens_of(struct exchange *x)
{
	const struct onem2m_request *rq = x->rq;
	struct token_search s = {x, x->tokens, x->when ? x->when : cse_now(x->cse)};

	if (x->tokens || (rq->tokens.left == 0 && rq->token_ids.left == 0 && rq->local_token_ids.left == 0 && !x->cse->services[SERVICE_ACCESS_TOKENS]))
		return x->tokens;
	s.tokens = x->tokens = json_arena_alloc(x->arena, sizeof *x->tokens);
	if (!x->tokens)
		abort();
	if ((rq->tokens.left || rq->token_ids.left || rq->local_token_ids.left) && tree_by_type(x->cse->tree, TY_TOKEN, note_token, &s) != OK)
		x->tokens->count = 0;
	x->tokens->claim_count = access_kept_claims(x, s.when, x->tokens->claims, TOKENS_MOST);
	if (x->cse->tokens.open)
		take_claims(x, x->tokens, s.when);
	return x->tokens;
}

struct id_search {
	struct cse *cse;
	const char *from;
	struct rd id;
	uint64_t when;
	bool found;
};

static bool is_that_token(void *ctx, struct resource *r)
{
	struct id_search *s = ctx;
	struct rd id;

	s->found = vouched_for(s->cse, r) && json_string(resource_get(r, "tkid"), &id) && rd_equal(id, s->id) && is_holder(s->cse, r, s->from) && is_time(r, s->when);
	return !s->found;
}

bool access_token_is_held(struct cse *c, const char *holder, struct rd id, uint64_t when)
{
	struct id_search s = {c, holder, id, when, false};

	return tree_by_type(c->tree, TY_TOKEN, is_that_token, &s) == OK && s.found;
}

/* Each permission of each token, until fn says that it is enough. */
static bool any_in(struct exchange *x, const struct json *tkps, bool (*fn)(struct exchange *x, const struct json *permission, void *ctx), void *ctx)
{
	const struct json *pm = json_get(tkps, "pm");

	for (const struct json *p = pm ? pm->first : NULL; p; p = p->next)
		if (fn(x, p, ctx))
			return true;
	return false;
}

static bool any_permission(struct exchange *x, bool (*fn)(struct exchange *x, const struct json *permission, void *ctx), void *ctx)
{
	struct access_tokens *t = tokens_of(x);
	bool found = false;

	for (size_t i = 0; t && i < t->count && !found; i++) {
		struct resource *token = tree_by_id(x->cse->tree, t->ids[i]);

		found = token && any_in(x, resource_get(token, "tkps"), fn, ctx);
		resource_unref(token);
	}
	for (size_t i = 0; t && i < t->claim_count && !found; i++)
		found = any_in(x, json_get(t->claims[i], "tkps"), fn, ctx);
	return found;
}

static bool gives_role(struct exchange *x, const struct json *permission, void *ctx)
{
	const struct json *rids = json_get(permission, "rids");
	const struct rd *role = ctx;

	(void)x;
	for (const struct json *r = rids ? rids->first : NULL; r; r = r->next)
		if (r->type == JSON_STRING && rd_equal(r->text, *role))
			return true;
	return false;
}

bool access_has_role(struct exchange *x, struct rd role)
{
	if (x->rq->role_ids.left > 0 && access_lists(x->rq->role_ids, role) && access_role_is_assigned(x->cse, x->from, role, x->when ? x->when : cse_now(x->cse)))
		return true;
	if (x->found && x->found->in_use && x->found->roles && access_lists(x->rq->role_ids, role))
		return true;
	return any_permission(x, gives_role, &role);
}

/* ris: the resources that the privileges are about. What has no policies of its own goes with its parent. */
static bool is_about(struct exchange *x, const struct json *ris, struct resource *object)
{
	struct resource *at = resource_ref(object), *above;
	bool found = false;

	while (at && !found) {
		for (const struct json *i = ris ? ris->first : NULL; i && !found; i = i->next) {
			struct resource *named = i->type == JSON_STRING ? cse_find_address(x->cse, i->text) : NULL;

			found = named && named->id == at->id;
			resource_unref(named);
		}
		above = !found && !(at->schema && at->schema->own_acpi) ? tree_parent(x->cse->tree, at) : NULL;
		resource_unref(at);
		at = above;
	}
	resource_unref(at);
	return found;
}

static bool gives_privilege(struct exchange *x, const struct json *permission, void *ctx)
{
	const struct access_question *q = ctx;

	return json_get(permission, "pv") && is_about(x, json_get(permission, "ris"), q->object) && access_rules_permit(x, json_get(permission, "pv"), q);
}

bool access_tokens_permit(struct exchange *x, const struct access_question *q)
{
	struct access_question copy = *q;

	return any_permission(x, gives_privilege, &copy);
}

struct rd access_assigned(struct exchange *x)
{
	struct access_tokens *t = x->rq->tokens.left || x->rq->token_ids.left ? x->tokens : NULL;
	struct wr w = wr_new(8192);
	struct rd text = rd_of("", 0);
	char local[32];
	uint8_t *copy = NULL;

	for (size_t i = 0; t && i < t->count; i++) {
		struct resource *token = tree_by_id(x->cse->tree, t->ids[i]);
		struct rd id;

		if (token && json_string(resource_get(token, "tkid"), &id)) {
			local_id(local, sizeof local, token);
			wr_fmt(&w, "%s%s:", w.len ? "+" : "", local);
			wr_rd(&w, id);
		}
		resource_unref(token);
	}
	if (t)
		access_kept_assigned(x, &w);
	if (w.len > 0 && wr_done(&w, &text) && (copy = json_arena_alloc(x->arena, text.left)) != NULL)
		memcpy(copy, text.at, text.left);
	text = copy ? rd_of(copy, text.left) : rd_of("", 0);
	wr_free(&w);
	return text;
}
