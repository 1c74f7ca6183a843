/* Messages become primitives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binding/primitive/envelope.h"
#include "json/json.h"
#include "onem2m/criteria.h"

#define QUERY_MAX 65536
#define TYPE_MAX 30000

struct message {
	struct envelope public; /* first: what the caller has is this */
	struct wr json, query, texts;
	struct json_arena *arena;
	const struct json *object;
};

static bool fault(struct message *m, const char *name, const char *what)
{
	if (m->public.fault[0] == '\0')
		snprintf(m->public.fault, sizeof m->public.fault, "`%s` must be %s", name, what);
	return false;
}

/* ---- single parameters; absent ones leave the value as it is ---- */

static bool take_text(struct message *m, const char *name, struct rd *text)
{
	const struct json *v = json_get(m->object, name);

	if (!v)
		return true;
	if (v->type != JSON_STRING)
		return fault(m, name, "a string");
	*text = v->text;
	return true;
}

/* Times may be milliseconds, and an event category is a number. */
static bool take_text_or_number(struct message *m, const char *name, struct rd *text)
{
	const struct json *v = json_get(m->object, name);

	if (!v)
		return true;
	if (v->type != JSON_STRING && v->type != JSON_NUMBER)
		return fault(m, name, "a string or a number");
	*text = v->text;
	return true;
}

static bool take_number(struct message *m, const struct json *object, const char *name, uint64_t least, uint64_t most, int *n)
{
	const struct json *v = json_get(object, name);
	uint64_t u;

	if (!v)
		return true;
	/* below a root, as Release 1 had it, numbers were strings as in its XML */
	if (!(json_uint(v, &u) || (m->public.rooted && v->type == JSON_STRING && rd_decimal(v->text, &u))) || u < least || u > most)
		return fault(m, name, "one of its numbers");
	*n = (int)u;
	return true;
}

static bool take_bool(struct message *m, const char *name, bool *b)
{
	const struct json *v = json_get(m->object, name);

	return !v || json_bool(v, b) || fault(m, name, "true or false");
}

/* A list of strings, joined in the message's own room, as HTTP's header fields have it; so none may hold what joins them. */
static bool take_list(struct message *m, const struct json *list, const char *name, char separator, struct rd *text)
{
	size_t start = m->texts.len;

	if (!list)
		return true;
	if (list->type != JSON_ARRAY)
		return fault(m, name, "a list");
	for (const struct json *e = list->first; e; e = e->next) {
		if (e->type != JSON_STRING || e->text.left == 0 || memchr(e->text.at, separator, e->text.left))
			return fault(m, name, separator == '&' ? "a list of strings without `&`" : "a list of strings without `+`");
		if (e != list->first)
			wr_u8(&m->texts, (uint8_t)separator);
		wr_rd(&m->texts, e->text);
	}
	*text = rd_of(m->texts.octets ? (const void *)(m->texts.octets + start) : "", m->texts.len - start);
	return true;
}

/* ---- the query: as HTTP would carry it ---- */

static void query_text(struct message *m, const char *name)
{
	const struct json *v = json_get(m->object, name);

	if (!v)
		return;
	query_put_name(&m->query, "", rd_str(name));
	if (v->type == JSON_TRUE || v->type == JSON_FALSE)
		wr_str(&m->query, v->type == JSON_TRUE ? "true" : "false");
	else
		query_put_escaped(&m->query, v->text);
}

static bool query_list(struct message *m, const char *name)
{
	const struct json *list = json_get(m->object, name);

	if (!list)
		return true;
	if (list->type != JSON_ARRAY)
		return fault(m, name, "a list");
	query_put_name(&m->query, "", rd_str(name));
	for (const struct json *e = list->first; e; e = e->next) {
		if (e->type != JSON_STRING)
			return fault(m, name, "a list of strings");
		if (e != list->first)
			wr_u8(&m->query, '+');
		query_put_escaped(&m->query, e->text);
	}
	return true;
}

static bool take_query(struct message *m)
{
	static const char *const texts[] = {"rcn", "drt", "rp", "tqi", "da", "sqi", "asi", "auri"};
	static const char *const lists[] = {"rids", "tids", "ltids", "atrl"};
	const struct json *fc = json_get(m->object, "fc");
	const struct onem2m_request *rq = &m->public.rq;
	bool flag;

	for (size_t i = 4; i < sizeof texts / sizeof texts[0]; i++)
		if (!take_bool(m, texts[i], &flag))
			return false;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		query_text(m, texts[i]);
	if (rq->rt) {
		query_put_name(&m->query, "", rd_str("rt"));
		wr_fmt(&m->query, "%d", (int)rq->rt);
	}
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		if (!query_list(m, lists[i]))
			return false;
	if (fc && !criteria_to_query(fc, &m->query))
		return fault(m, "fc", "an object of criteria");
	return wr_done(&m->query, &m->public.rq.filter) || fault(m, "fc", "shorter");
}

/* ---- requests ---- */

static bool take_response_type(struct message *m)
{
	const struct json *rt = json_get(m->object, "rt"), *nu = json_get(rt, "nu");
	int rtv = 0;

	if (!rt)
		return true;
	if (rt->type != JSON_OBJECT)
		return fault(m, "rt", "an object with rtv");
	if (!take_number(m, rt, "rtv", 1, 5, &rtv) || !take_list(m, nu, "rt.nu", '&', &m->public.rq.rt_nu))
		return false;
	m->public.rq.rt = (enum onem2m_response_type)rtv;
	return rtv > 0 || fault(m, "rtv", "there");
}

/* What a request needs: TS-0004 table 7.1.1.1-1. */
static bool take_request(struct message *m)
{
	struct onem2m_request *rq = &m->public.rq;
	const struct json *content = json_get(m->object, "pc");
	int op = 0;

	*rq = (struct onem2m_request){.rcn = ONEM2M_RCN_ABSENT, .peer = ""};
	if (!take_number(m, m->object, "op", 1, 5, &op) || !take_text(m, "to", &rq->to) || !take_text(m, "fr", &rq->from))
		return false;
	m->public.to = rq->to;
	m->public.from = rq->from;
	rq->operation = (enum onem2m_operation)op;
	rq->request_id = m->public.id;
	if (content)
		rq->content = content->source;
	if (m->public.id.left == 0)
		return fault(m, "rqi", "there");
	if (!rq->to.at)
		return fault(m, "to", "there");
	return take_text(m, "rvi", &rq->release) && take_text(m, "vsi", &rq->vendor) && take_number(m, m->object, "ty", 1, TYPE_MAX, &rq->type) &&
	    take_number(m, m->object, "rcn", 0, 99, &rq->rcn) && take_number(m, m->object, "drt", 0, 99, &rq->drt) && take_response_type(m) &&
	    take_text_or_number(m, "ot", &rq->ot) && take_text_or_number(m, "rqet", &rq->rqet) && take_text_or_number(m, "rset", &rq->rset) &&
	    take_text_or_number(m, "oet", &rq->oet) && take_text_or_number(m, "rp", &rq->rp) && take_text_or_number(m, "ec", &rq->ec) &&
	    take_text(m, "gid", &rq->gid) && take_bool(m, "tqi", &rq->token_request) && take_list(m, json_get(m->object, "tkns"), "tkns", '+', &rq->tokens) &&
	    take_list(m, json_get(m->object, "tids"), "tids", '+', &rq->token_ids) && take_list(m, json_get(m->object, "ltids"), "ltids", '+', &rq->local_token_ids) &&
	    take_list(m, json_get(m->object, "rids"), "rids", '+', &rq->role_ids) && take_query(m);
}

/* ---- responses ---- */

static bool take_code(struct message *m)
{
	const struct json *v = json_get(m->object, "rsc");

	return (v->type == JSON_NUMBER && rsc_parse(v->text, &m->public.rsp.rsc)) || fault(m, "rsc", "a response status code");
}

/* Content Status and Offset are cnst and cnot (TS-0004 table 8.2.2-1); earlier releases had cts and cto. */
static bool take_response(struct message *m)
{
	struct onem2m_response *rsp = &m->public.rsp;
	const struct json *content = json_get(m->object, "pc"), *offset = json_get(m->object, json_get(m->object, "cnot") ? "cnot" : "cto");

	if (!take_text(m, "to", &m->public.to) || !take_text(m, "fr", &m->public.from) || !take_code(m) || !take_text_or_number(m, "ot", &rsp->ot) ||
	    !take_text_or_number(m, "rset", &rsp->rset) || !take_number(m, m->object, json_get(m->object, "cnst") ? "cnst" : "cts", 0, 2, &rsp->cts))
		return false;
	if (offset && !json_uint(offset, &rsp->cto))
		return fault(m, "cnot", "a number");
	if (content)
		rsp->content = content->type == JSON_STRING ? content->text : content->source; /* a string is content of another kind than oneM2M's */
	return m->public.id.left > 0 || fault(m, "rqi", "there");
}

/* ---- the message ---- */

static bool has_root(const struct json *doc, const char *root)
{
	return doc->count == 1 && rd_is(doc->first->key, root) && doc->first->type == JSON_OBJECT;
}

static enum err open_message(struct message *m, enum serialization s, struct rd octets, char *why, size_t size)
{
	const struct json *doc;
	struct rd text;
	enum err e = serialization_to_json(s, octets, &m->json, why, size);

	if (e != OK)
		return e;
	if (!wr_done(&m->json, &text) || json_parse(m->arena, text, NULL, &doc) != OK || doc->type != JSON_OBJECT) {
		snprintf(why, size, "the message is no object");
		return ERR_MALFORMED;
	}
	m->public.rooted = has_root(doc, "m2m:rqp") || has_root(doc, "m2m:rsp");
	m->object = m->public.rooted ? doc->first : doc;
	m->public.is_response = m->public.rooted ? has_root(doc, "m2m:rsp") : json_get(doc, "rsc") != NULL;
	if (json_get(m->object, m->public.is_response ? "rsc" : "op"))
		return OK;
	snprintf(why, size, "the message is neither a request, with `op`, nor a response, with `rsc`");
	return ERR_MALFORMED;
}

enum err envelope_read(enum serialization s, struct rd octets, struct envelope **out, char *why, size_t size)
{
	struct message *m = calloc(1, sizeof *m);
	enum err e;

	if (!m)
		return ERR_NO_MEMORY;
	m->json = wr_new(ENVELOPE_MAX);
	m->query = wr_new(QUERY_MAX);
	m->texts = wr_of(NULL, 0);
	m->arena = json_arena_new();
	e = m->arena ? open_message(m, s, octets, why, size) : ERR_NO_MEMORY;
	if (e != OK) {
		envelope_free(&m->public);
		return e;
	}
	/* lists are joined here; never moved, since what is borrowed from it stays */
	m->texts = wr_of(json_arena_alloc(m->arena, m->json.len), m->json.len);
	(void)(take_text(m, "rqi", &m->public.id) && (m->public.is_response ? take_response(m) : take_request(m))); /* m->public.fault says */
	*out = &m->public;
	return OK;
}

void envelope_free(struct envelope *v)
{
	struct message *m = (struct message *)v;

	if (!m)
		return;
	json_arena_free(m->arena);
	wr_free(&m->json);
	wr_free(&m->query);
	free(m);
}
