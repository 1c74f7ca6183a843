/* Messages become primitives. */
#include <stdio.h>
#include <string.h>

#include "binding/primitive/envelope.h"
#include "json/json.h"
#include "onem2m/criteria.h"

#define QUERY_MAX 65536
#define TYPE_MAX 30000

/* Parameters of primitives by their short names. Those that most messages have come first, as they are looked for in this order. */
enum parameter {
	P_OP, P_TO, P_FR, P_RQI, P_RVI, P_RSC, P_PC, P_TY, P_RCN, P_DRT, P_RT, P_FC, P_OT, P_RQET, P_RSET, P_OET, P_RP, P_EC, P_GID, P_VSI, P_TKNS, P_TIDS,
	P_LTIDS, P_RIDS, P_TQI, P_DA, P_SQI, P_ASI, P_AURI, P_ATRL, P_CNST, P_CTS, P_CNOT, P_CTO, PARAMETERS
};

struct name {
	const char *text;
	size_t len;
};
#define NAME(text) {text, sizeof text - 1}
static const struct name names[PARAMETERS] = {
	[P_OP] = NAME("op"), [P_TO] = NAME("to"), [P_FR] = NAME("fr"), [P_RQI] = NAME("rqi"), [P_RVI] = NAME("rvi"), [P_RSC] = NAME("rsc"), [P_PC] = NAME("pc"),
	[P_TY] = NAME("ty"), [P_RCN] = NAME("rcn"), [P_DRT] = NAME("drt"), [P_RT] = NAME("rt"), [P_FC] = NAME("fc"), [P_OT] = NAME("ot"), [P_RQET] = NAME("rqet"),
	[P_RSET] = NAME("rset"), [P_OET] = NAME("oet"), [P_RP] = NAME("rp"), [P_EC] = NAME("ec"), [P_GID] = NAME("gid"), [P_VSI] = NAME("vsi"), [P_TKNS] = NAME("tkns"),
	[P_TIDS] = NAME("tids"), [P_LTIDS] = NAME("ltids"), [P_RIDS] = NAME("rids"), [P_TQI] = NAME("tqi"), [P_DA] = NAME("da"), [P_SQI] = NAME("sqi"),
	[P_ASI] = NAME("asi"), [P_AURI] = NAME("auri"), [P_ATRL] = NAME("atrl"), [P_CNST] = NAME("cnst"), [P_CTS] = NAME("cts"), [P_CNOT] = NAME("cnot"),
	[P_CTO] = NAME("cto"),
};

struct message {
	struct envelope public; /* first: what the caller has is this */
	struct wr json, query, texts;
	struct json_arena *arena; /* in which all this is */
	const struct json *given[PARAMETERS]; /* NULL: absent */
};

/* What has no name here is no parameter of ours, and passed over. */
static void find_parameters(struct message *m, const struct json *object)
{
	for (const struct json *v = object->first; v; v = v->next) {
		unsigned p = 0;

		while (p < PARAMETERS && !rd_equal(v->key, rd_of(names[p].text, names[p].len)))
			p++;
		if (p < PARAMETERS)
			m->given[p] = v;
	}
}

static bool fault(struct message *m, const char *name, const char *what)
{
	if (m->public.fault[0] == '\0')
		snprintf(m->public.fault, sizeof m->public.fault, "`%s` must be %s", name, what);
	return false;
}

/* ---- single parameters; absent ones leave the value as it is ---- */

static bool take_text(struct message *m, enum parameter p, struct rd *text)
{
	const struct json *v = m->given[p];

	if (!v)
		return true;
	if (v->type != JSON_STRING)
		return fault(m, names[p].text, "a string");
	*text = v->text;
	return true;
}

/* Times may be milliseconds, and an event category is a number. */
static bool take_text_or_number(struct message *m, enum parameter p, struct rd *text)
{
	const struct json *v = m->given[p];

	if (!v)
		return true;
	if (v->type != JSON_STRING && v->type != JSON_NUMBER)
		return fault(m, names[p].text, "a string or a number");
	*text = v->text;
	return true;
}

static bool number_of(struct message *m, const struct json *v, const char *name, uint64_t least, uint64_t most, int *n)
{
	uint64_t u;

	if (!v)
		return true;
	/* below a root, as Release 1 had it, numbers were strings as in its XML */
	if (!(json_uint(v, &u) || (m->public.rooted && v->type == JSON_STRING && rd_decimal(v->text, &u))) || u < least || u > most)
		return fault(m, name, "one of its numbers");
	*n = (int)u;
	return true;
}

static bool take_number(struct message *m, enum parameter p, uint64_t least, uint64_t most, int *n)
{
	return number_of(m, m->given[p], names[p].text, least, most, n);
}

static bool take_bool(struct message *m, enum parameter p, bool *b)
{
	return !m->given[p] || json_bool(m->given[p], b) || fault(m, names[p].text, "true or false");
}

/* Room for all lists of the message, joined; it never moves, since what is borrowed from it stays. */
static bool has_room(struct message *m)
{
	uint8_t *room = m->texts.octets;

	if (!room && (room = json_arena_alloc(m->arena, m->json.len)) != NULL)
		m->texts = wr_of(room, m->json.len);
	return room != NULL;
}

/* A list of strings, joined in the message's own room, as HTTP's header fields have it; so none may hold what joins them. */
static bool list_of(struct message *m, const struct json *list, const char *name, char separator, struct rd *text)
{
	size_t start = m->texts.len;

	if (!list)
		return true;
	if (list->type != JSON_ARRAY)
		return fault(m, name, "a list");
	if (!has_room(m))
		return fault(m, name, "shorter");
	for (const struct json *e = list->first; e; e = e->next) {
		if (e->type != JSON_STRING || e->text.left == 0 || memchr(e->text.at, separator, e->text.left))
			return fault(m, name, separator == '&' ? "a list of strings without `&`" : "a list of strings without `+`");
		if (e != list->first)
			wr_u8(&m->texts, (uint8_t)separator);
		wr_rd(&m->texts, e->text);
	}
	*text = rd_of(m->texts.octets + start, m->texts.len - start);
	return true;
}

static bool take_list(struct message *m, enum parameter p, struct rd *text)
{
	return list_of(m, m->given[p], names[p].text, '+', text);
}

/* ---- the query: as HTTP would carry it ---- */

static void query_text(struct message *m, enum parameter p)
{
	const struct json *v = m->given[p];

	if (!v)
		return;
	query_put_name(&m->query, "", rd_str(names[p].text));
	if (v->type == JSON_TRUE || v->type == JSON_FALSE)
		wr_str(&m->query, v->type == JSON_TRUE ? "true" : "false");
	else
		query_put_escaped(&m->query, v->text);
}

static bool query_list(struct message *m, enum parameter p)
{
	const struct json *list = m->given[p];

	if (!list)
		return true;
	if (list->type != JSON_ARRAY)
		return fault(m, names[p].text, "a list");
	query_put_name(&m->query, "", rd_str(names[p].text));
	for (const struct json *e = list->first; e; e = e->next) {
		if (e->type != JSON_STRING)
			return fault(m, names[p].text, "a list of strings");
		if (e != list->first)
			wr_u8(&m->query, '+');
		query_put_escaped(&m->query, e->text);
	}
	return true;
}

static bool take_query(struct message *m)
{
	static const enum parameter texts[] = {P_RCN, P_DRT, P_RP, P_TQI, P_DA, P_SQI, P_ASI, P_AURI};
	static const enum parameter lists[] = {P_RIDS, P_TIDS, P_LTIDS, P_ATRL};
	const struct json *fc = m->given[P_FC];
	const struct onem2m_request *rq = &m->public.rq;
	bool flag;

	for (size_t i = 4; i < sizeof texts / sizeof texts[0]; i++)
		if (!take_bool(m, texts[i], &flag))
			return false;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		query_text(m, texts[i]);
	if (rq->rt) {
		query_put_name(&m->query, "", rd_str("rt"));
		wr_decimal(&m->query, (uint64_t)rq->rt);
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
	const struct json *rt = m->given[P_RT], *nu = json_get(rt, "nu");
	int rtv = 0;

	if (!rt)
		return true;
	if (rt->type != JSON_OBJECT)
		return fault(m, "rt", "an object with rtv");
	if (!number_of(m, json_get(rt, "rtv"), "rtv", 1, 5, &rtv) || !list_of(m, nu, "rt.nu", '&', &m->public.rq.rt_nu))
		return false;
	m->public.rq.rt = (enum onem2m_response_type)rtv;
	return rtv > 0 || fault(m, "rtv", "there");
}

/* What a request needs: TS-0004 table 7.1.1.1-1. */
static bool take_request(struct message *m)
{
	struct onem2m_request *rq = &m->public.rq;
	const struct json *content = m->given[P_PC];
	int op = 0;

	rq->rcn = ONEM2M_RCN_ABSENT;
	rq->peer = "";
	if (!take_number(m, P_OP, 1, 5, &op) || !take_text(m, P_TO, &rq->to) || !take_text(m, P_FR, &rq->from))
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
	return take_text(m, P_RVI, &rq->release) && take_text(m, P_VSI, &rq->vendor) && take_number(m, P_TY, 1, TYPE_MAX, &rq->type) &&
	    take_number(m, P_RCN, 0, 99, &rq->rcn) && take_number(m, P_DRT, 0, 99, &rq->drt) && take_response_type(m) &&
	    take_text_or_number(m, P_OT, &rq->ot) && take_text_or_number(m, P_RQET, &rq->rqet) && take_text_or_number(m, P_RSET, &rq->rset) &&
	    take_text_or_number(m, P_OET, &rq->oet) && take_text_or_number(m, P_RP, &rq->rp) && take_text_or_number(m, P_EC, &rq->ec) &&
	    take_text(m, P_GID, &rq->gid) && take_bool(m, P_TQI, &rq->token_request) && take_list(m, P_TKNS, &rq->tokens) &&
	    take_list(m, P_TIDS, &rq->token_ids) && take_list(m, P_LTIDS, &rq->local_token_ids) &&
	    take_list(m, P_RIDS, &rq->role_ids) && take_query(m);
}

/* ---- responses ---- */

static bool take_code(struct message *m)
{
	const struct json *v = m->given[P_RSC];

	return (v->type == JSON_NUMBER && rsc_parse(v->text, &m->public.rsp.rsc)) || fault(m, "rsc", "a response status code");
}

/* Content Status and Offset are cnst and cnot (TS-0004 table 8.2.2-1); earlier releases had cts and cto. */
static bool take_response(struct message *m)
{
	struct onem2m_response *rsp = &m->public.rsp;
	const struct json *content = m->given[P_PC], *offset = m->given[m->given[P_CNOT] ? P_CNOT : P_CTO];

	if (!take_text(m, P_TO, &m->public.to) || !take_text(m, P_FR, &m->public.from) || !take_code(m) || !take_text_or_number(m, P_OT, &rsp->ot) ||
	    !take_text_or_number(m, P_RSET, &rsp->rset) || !take_number(m, m->given[P_CNST] ? P_CNST : P_CTS, 0, 2, &rsp->cts))
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
	find_parameters(m, m->public.rooted ? doc->first : doc);
	m->public.is_response = m->public.rooted ? has_root(doc, "m2m:rsp") : m->given[P_RSC] != NULL;
	if (m->given[m->public.is_response ? P_RSC : P_OP])
		return OK;
	snprintf(why, size, "the message is neither a request, with `op`, nor a response, with `rsc`");
	return ERR_MALFORMED;
}

enum err envelope_read(enum serialization s, struct rd octets, struct envelope **out, char *why, size_t size)
{
	struct json_arena *a = json_arena_new();
	struct message *m = a ? json_arena_alloc(a, sizeof *m) : NULL;
	enum err e;

	if (!m) {
		json_arena_free(a);
		return ERR_NO_MEMORY;
	}
	m->json = wr_new(ENVELOPE_MAX);
	m->query = wr_new(QUERY_MAX);
	m->arena = a;
	e = open_message(m, s, octets, why, size);
	if (e != OK) {
		envelope_free(&m->public);
		return e;
	}
	(void)(take_text(m, P_RQI, &m->public.id) && (m->public.is_response ? take_response(m) : take_request(m))); /* m->public.fault says */
	*out = &m->public;
	return OK;
}

void envelope_free(struct envelope *v)
{
	struct message *m = (struct message *)v;

	if (!m)
		return;
	wr_free(&m->json);
	wr_free(&m->query);
	json_arena_free(m->arena);
}
