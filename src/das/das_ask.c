/* A question and its answer: m2m:securityInfo with dreq and dres, TS-0003 clauses 7.3.2.2 and 7.3.2.3, TS-0004 tables 6.3.5.45-1 and 6.3.5.46-1. */
#include <stdio.h>
#include <string.h>

#include "das/private.h"
#include "onem2m/identity.h"
#include "onem2m/schema.h"
#include "onem2m/timestamp.h"

#define TOKENS_MOST 16          /* in one answer, as CSEs take them in one request */
#define EARLY_S 60              /* a token holds from a minute before: clocks differ a little */
#define TOKEN_ID_OCTETS 16
#define ACOP_RETRIEVE 2U
#define ACOP_DISCOVERY 32U

struct question {
	struct das *das;
	uint64_t now_ms;
	const char *asker;
	bool direct;                 /* a CSE asks */
	char originator[DAS_ID_MAX]; /* SP-relative */
	char resource[DAS_ID_MAX];
	char cse[DAS_ID_MAX];        /* where the resource is */
	unsigned operation;          /* as in accessControlOperations; a RETRIEVE may be a discovery, too */
	uint64_t latest_ms;          /* proposedPrivilegesLifetime; UINT64_MAX: none */
	const struct json *token_ids;
};

static enum onem2m_rsc refuse(struct das *d, enum onem2m_rsc rsc, const char *reason)
{
	d->reason = reason;
	return rsc;
}

/* ---- reading ---- */

/* An ID in any form, as seen from the asker: "/id-in/Cx". */
static bool sp_relative(const struct question *q, struct rd id, char out[static DAS_ID_MAX])
{
	char text[DAS_ID_MAX], sp[DAS_ID_MAX];
	const char *end;

	if (!rd_text(id, text, sizeof text) || text[0] == '\0')
		return false;
	if (text[0] == '/' && text[1] == '/') {
		snprintf(sp, sizeof sp, "//%s/", q->das->config.sp);
		return strncmp(text, sp, strlen(sp)) == 0 && snprintf(out, DAS_ID_MAX, "%s", text + strlen(sp) - 1) > 1;
	}
	if (text[0] == '/')
		return text[1] && snprintf(out, DAS_ID_MAX, "%s", text) > 1;
	end = strchr(q->asker + 1, '/');
	return snprintf(out, DAS_ID_MAX, "%.*s/%s", (int)(end ? end - q->asker : (long)strlen(q->asker)), q->asker, text) < DAS_ID_MAX;
}

static bool cse_of(const char *id, char out[static DAS_ID_MAX])
{
	const char *end = strchr(id + 1, '/');

	if (!end || end == id + 1 || end[1] == '\0')
		return false;
	snprintf(out, DAS_ID_MAX, "%.*s", (int)(end - id), id);
	return true;
}

static bool take_operation(struct question *q, const struct json *op)
{
	static const unsigned operations[] = {0, 1, 2, 4, 8, 16};
	uint64_t n;

	if (!json_uint(op, &n) || n < 1 || n > 5)
		return false;
	q->operation = operations[n];
	return true;
}

static enum onem2m_rsc take_request(struct question *q, const struct json *dreq)
{
	struct rd originator, resource, life;

	if (!json_string(json_get(dreq, "or"), &originator) || !sp_relative(q, originator, q->originator) || !json_string(json_get(dreq, "trid"), &resource) ||
	    !sp_relative(q, resource, q->resource) || !cse_of(q->resource, q->cse) || !take_operation(q, json_get(dreq, "op")))
		return refuse(q->das, RSC_BAD_REQUEST, "the originator, the operation or the resource of the request is none of this service provider");
	q->latest_ms = UINT64_MAX;
	if (json_string(json_get(dreq, "ppl"), &life) && !timestamp_parse_abs_rel(life, q->now_ms, &q->latest_ms))
		return refuse(q->das, RSC_BAD_REQUEST, "the proposed lifetime is no time");
	q->token_ids = json_get(dreq, "tids");
	if (q->direct && strcmp(q->cse, q->asker) != 0)
		return refuse(q->das, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "a CSE asks about its own resources only");
	if (!q->direct && strcmp(q->originator, q->asker) != 0)
		return refuse(q->das, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "an AE asks for itself only");
	return RSC_OK;
}

static enum onem2m_rsc take_content(struct question *q, struct json_arena *arena, struct rd content)
{
	const struct json *doc, *info;
	struct schema_fault fault;
	uint64_t sit;

	if (!arena || json_parse(arena, content, NULL, &doc) != OK || (info = json_get(doc, "m2m:seci")) == NULL ||
	    !schema_check_value(schema_datatype("m2m:securityInfo"), info, "m2m:seci", &fault))
		return refuse(q->das, RSC_BAD_REQUEST, "the content is no m2m:seci");
	if (!json_uint(json_get(info, "sit"), &sit) || sit != 1 || !json_get(info, "dreq"))
		return refuse(q->das, RSC_BAD_REQUEST, "only requests for dynamic authorisation (sit 1, dreq) are answered here");
	return take_request(q, json_get(info, "dreq"));
}

/* ---- deciding ---- */

static bool fits(const struct question *q, const struct das_rule *r)
{
	unsigned operation = q->operation == ACOP_RETRIEVE ? ACOP_RETRIEVE | ACOP_DISCOVERY : q->operation;

	return (r->operations & operation) != 0 && (q->direct || r->way == DAS_TOKEN) && identity_matches(r->originator, q->originator) &&
	    identity_matches(r->resource, q->resource);
}

/* ERR_NOT_FOUND: no rule. */
static enum err find_rule(const struct question *q, struct das_rule *r)
{
	sqlite3_stmt *s = das_bind(q->das, RULES_ALL, "");
	enum err e = ERR_NOT_FOUND;
	int step;

	while (e == ERR_NOT_FOUND && (step = sqlite3_step(s)) != SQLITE_DONE)
		e = step != SQLITE_ROW || !das_rule_read(s, r) ? ERR_STORE : fits(q, r) ? OK : ERR_NOT_FOUND;
	das_done(s);
	return e;
}

/* 0: it would end before it began. */
static uint64_t end_of(const struct question *q, const struct das_rule *r)
{
	uint64_t end = q->now_ms + r->lifetime_s * 1000;

	end = end < q->latest_ms ? end : q->latest_ms;
	return end / 1000 > q->now_ms / 1000 ? end : 0;
}

/* ---- grants ---- */

static void put_privileges(struct json_out *o, const char *name, const struct question *q, unsigned operations)
{
	json_object(o, name);
	json_array(o, "acr");
	json_object(o, NULL);
	json_array(o, "acor");
	json_put_string(o, NULL, q->originator);
	json_close(o);
	json_put_uint(o, "acop", operations);
	json_close(o);
	json_close(o);
	json_close(o);
}

/* Its end is a moment, not a period: an answer that comes late, or again, grants nothing more. */
static enum err put_grant(struct json_out *o, const struct question *q, const struct das_rule *r)
{
	char end[TIMESTAMP_SIZE], detail[3 * DAS_ID_MAX];
	uint64_t until = end_of(q, r);

	if (until == 0)
		return OK;
	timestamp_print(end, until);
	json_object(o, "dai");
	put_privileges(o, "gp", q, r->operations);
	json_put_string(o, "pl", end);
	json_close(o);
	snprintf(detail, sizeof detail, "%s operations %u on %s until %s by rule %lld", q->originator, r->operations, q->resource, end, (long long)r->id);
	return das_note(q->das, q->now_ms, "granted", q->asker, detail);
}

/* ---- tokens ---- */

static void put_claims(struct wr *w, const struct question *q, const struct das_rule *r, const char *id, uint64_t expires_at)
{
	struct json_out o = json_out(w);
	char holder[2 * DAS_ID_MAX];

	snprintf(holder, sizeof holder, "//%s%s", q->das->config.sp, q->originator);
	json_object(&o, NULL);
	json_put_string(&o, "tkvr", "1.0.0");
	json_put_string(&o, "jti", id);
	json_put_string(&o, "azp", holder);
	json_put_string(&o, "iss", q->das->config.id);
	json_put_uint(&o, "nbf", q->now_ms / 1000 - EARLY_S);
	json_put_uint(&o, "exp", expires_at);
	json_array(&o, "aud");
	json_put_string(&o, NULL, q->cse);
	json_close(&o);
	json_object(&o, "tkps");
	json_array(&o, "pm");
	json_object(&o, NULL);
	json_array(&o, r->role[0] ? "rids" : "ris");
	json_put_string(&o, NULL, r->role[0] ? r->role : q->resource);
	json_close(&o);
	if (!r->role[0])
		put_privileges(&o, "pv", q, r->operations);
	json_close(&o);
	json_close(&o);
	json_close(&o);
	json_close(&o);
}

/* TS-0003 clause 7.3.2.4: unique with its issuer. */
static void new_token_id(const struct das *d, char id[static DAS_ID_MAX])
{
	const char *name = strncmp(d->config.id, "//", 2) == 0 ? d->config.id + 2 : d->config.id;
	uint8_t octets[TOKEN_ID_OCTETS];
	size_t n = 0;

	rng_fill(d->config.rng, octets, sizeof octets);
	for (size_t i = 0; i < sizeof octets; i++)
		n += (size_t)snprintf(id + n, DAS_ID_MAX - n, "%02x", octets[i]);
	snprintf(id + n, DAS_ID_MAX - n, "@%.*s", (int)strcspn(name, "/"), name);
}

static enum err token_make(const struct question *q, const struct das_rule *r, uint64_t expires_at, struct wr *token)
{
	struct wr claims = wr_new(DAS_TOKEN_MAX);
	char id[DAS_ID_MAX], detail[4 * DAS_ID_MAX];
	struct das *d = q->das;
	struct rd text;
	uint64_t count = 0;
	enum err e;

	new_token_id(d, id);
	put_claims(&claims, q, r, id, expires_at);
	e = wr_done(&claims, &text) ? d->config.seal(d->config.ctx, text, q->cse, token) : ERR_TOO_LONG;
	wr_free(&claims);
	if (e == OK && !wr_done(token, &text))
		e = ERR_TOO_LONG;
	if (e == OK)
		e = das_write(d, das_bind(d, TOKENS_SWEEP, "i", (int64_t)(q->now_ms / 1000)));
	if (e == OK && (!das_count(d, TOKENS_COUNT, (int64_t)(q->now_ms / 1000), &count) || count >= DAS_TOKENS_MAX))
		e = ERR_FULL;
	if (e == OK)
		e = das_write(d, das_bind(d, TOKEN_ADD, "sisssir", id, r->id, q->originator, q->resource, q->cse, (int64_t)expires_at, &text));
	snprintf(detail, sizeof detail, "%s for %s on %s by rule %lld", id, q->originator, q->resource, (long long)r->id);
	return e == OK ? das_note(d, q->now_ms, "token issued", q->asker, detail) : e;
}

static bool text_of(sqlite3_stmt *s, struct wr *token)
{
	bool found = sqlite3_step(s) == SQLITE_ROW;

	if (found)
		wr_copy(token, sqlite3_column_text(s, 6), (size_t)sqlite3_column_bytes(s, 6));
	das_done(s);
	return found;
}

/* The same token again while it has half of its life before it: who asks often does not fill the store. */
static enum err put_token(struct json_out *o, const struct question *q, const struct das_rule *r)
{
	uint64_t until = end_of(q, r) / 1000, now = q->now_ms / 1000;
	struct wr token = wr_new(DAS_TOKEN_MAX);
	struct rd text;
	enum err e = OK;

	if (until == 0)
		return OK;
	if (!text_of(das_bind(q->das, TOKEN_OF, "issii", r->id, q->originator, q->resource, (int64_t)(now + (until - now) / 2), (int64_t)until), &token))
		e = token_make(q, r, until, &token);
	if (e == OK && wr_done(&token, &text))
		json_put_rd(o, NULL, text);
	wr_free(&token);
	return e;
}

/* What a CSE was given the IDs of: to their holder, for that CSE. */
static void put_known(struct json_out *o, const struct question *q)
{
	unsigned n = 0;

	for (const struct json *t = q->direct && q->token_ids ? q->token_ids->first : NULL; t && n < TOKENS_MOST; t = t->next, n++) {
		struct wr token = wr_new(DAS_TOKEN_MAX);
		struct rd text;

		if (t->type == JSON_STRING &&
		    text_of(das_bind(q->das, TOKEN_GET, "rssi", &t->text, q->originator, q->cse, (int64_t)(q->now_ms / 1000)), &token) && wr_done(&token, &text))
			json_put_rd(o, NULL, text);
		wr_free(&token);
	}
}

/* ---- the answer ---- */

static enum err put_answer(struct json_out *o, const struct question *q)
{
	struct das_rule r;
	enum err e = find_rule(q, &r), made = OK;

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	json_object(o, NULL);
	json_object(o, "m2m:seci");
	json_put_uint(o, "sit", 2);
	json_object(o, "dres");
	if (e == OK && r.way == DAS_GRANT)
		made = put_grant(o, q, &r);
	if ((e == OK && r.way == DAS_TOKEN) || (q->direct && q->token_ids && q->token_ids->first)) {
		json_array(o, "tkns");
		put_known(o, q);
		if (e == OK && r.way == DAS_TOKEN)
			made = put_token(o, q, &r);
		json_close(o);
	}
	json_close(o);
	json_close(o);
	json_close(o);
	return made;
}

enum onem2m_rsc das_ask(struct das *d, uint64_t now_ms, const char *asker, struct rd content, struct wr *answer)
{
	struct json_arena *arena = json_arena_new();
	struct question q = {.das = d, .now_ms = now_ms, .asker = asker, .direct = !strchr(asker + 1, '/')};
	enum onem2m_rsc rsc = take_content(&q, arena, content);
	struct json_out o = json_out(answer);
	struct rd text;
	enum err e;

	if (rsc == RSC_OK) {
		e = das_begin(d);
		if (e == OK)
			e = das_end(d, put_answer(&o, &q));
		if (e == OK && !wr_done(answer, &text))
			e = ERR_TOO_LONG;
		if (e != OK)
			rsc = refuse(d, RSC_INTERNAL_SERVER_ERROR, err_text(e));
	}
	if (rsc != RSC_OK)
		wr_reset(answer);
	json_arena_free(arena);
	return rsc;
}
