/* Primitives become messages. */
#include <stdlib.h>
#include <string.h>

#include "binding/primitive/envelope.h"
#include "json/json.h"
#include "onem2m/criteria.h"

static void put_text(struct json_out *o, const char *name, struct rd text)
{
	if (text.left > 0)
		json_put_rd(o, name, text);
}

/* Event categories and the like are numbers in JSON. */
static void put_number(struct json_out *o, const char *name, struct rd text)
{
	uint64_t n;

	if (rd_decimal(text, &n))
		json_put_uint(o, name, n);
	else
		put_text(o, name, text);
}

static void put_list(struct json_out *o, const char *name, struct rd text, char separator)
{
	struct rd part;

	if (!text.at || (text.left == 0 && separator != '&'))
		return;
	json_array(o, name);
	while (text.left > 0) {
		if (!rd_until(&text, separator, &part))
			part = rd_rest(&text);
		json_put_rd(o, NULL, part);
	}
	json_close(o);
}

/* What others asked or answered is passed on as it is, and that may be no JSON. */
static void put_content(struct json_out *o, struct rd content)
{
	struct json_arena *a;
	const struct json *doc;

	if (content.left == 0)
		return;
	a = json_arena_new();
	if (a && json_parse(a, content, NULL, &doc) == OK)
		json_put(o, "pc", doc);
	else
		json_put_rd(o, "pc", content);
	json_arena_free(a);
}

static bool flag(struct rd value, bool *b)
{
	*b = rd_is(value, "true") || rd_is(value, "1");
	return *b || rd_is(value, "false") || rd_is(value, "0");
}

/* The first parameter of this name; NULL text when there is none. */
static struct rd find(struct rd query, const char *wanted)
{
	struct rd name, value;

	while (query_next(&query, &name, &value))
		if (rd_is(name, wanted))
			return value;
	return rd_of(NULL, 0);
}

/* atrl, perhaps in several parameters. */
static bool put_attribute_list(struct json_out *o, struct rd query)
{
	struct rd name, value, part, text;
	uint8_t *room;
	bool ok = true;

	if (!find(query, "atrl").at)
		return true;
	room = malloc(query.left);
	if (!room)
		abort();
	json_array(o, "atrl");
	while (ok && query_next(&query, &name, &value)) {
		while (ok && rd_is(name, "atrl") && value.left > 0) {
			if (!rd_until(&value, '+', &part))
				part = rd_rest(&value);
			ok = query_unescape(part, room, &text);
			if (ok)
				json_put_rd(o, NULL, text);
		}
	}
	json_close(o);
	free(room);
	return ok;
}

/* Parameters of which only the query knows. */
static bool put_query(struct json_out *o, struct rd query)
{
	static const char *const flags[] = {"da", "sqi", "asi", "auri"};
	bool b;

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (flag(find(query, flags[i]), &b))
			json_put_bool(o, flags[i], b);
	return put_attribute_list(o, query) && criteria_from_query(query, o);
}

static bool put_request(struct json_out *o, const struct onem2m_request *rq)
{
	json_put_int(o, "op", rq->operation);
	json_put_rd(o, "to", rq->to);
	put_text(o, "fr", rq->from);
	json_put_rd(o, "rqi", rq->request_id.left ? rq->request_id : rd_str("0"));
	json_put_rd(o, "rvi", rq->release.left ? rq->release : rd_str("3"));
	put_text(o, "vsi", rq->vendor);
	if (rq->type)
		json_put_int(o, "ty", rq->type);
	if (rq->rcn != ONEM2M_RCN_ABSENT)
		json_put_int(o, "rcn", rq->rcn);
	if (rq->drt)
		json_put_int(o, "drt", rq->drt);
	if (rq->rt) {
		json_object(o, "rt");
		json_put_int(o, "rtv", rq->rt);
		put_list(o, "nu", rq->rt_nu, '&');
		json_close(o);
	}
	put_text(o, "ot", rq->ot);
	put_text(o, "rqet", rq->rqet);
	put_text(o, "rset", rq->rset);
	put_text(o, "oet", rq->oet);
	put_text(o, "rp", rq->rp);
	put_number(o, "ec", rq->ec);
	put_text(o, "gid", rq->gid);
	put_list(o, "tkns", rq->tokens, '+');
	put_list(o, "tids", rq->token_ids, '+');
	put_list(o, "ltids", rq->local_token_ids, '+');
	put_list(o, "rids", rq->role_ids, '+');
	if (rq->token_request)
		json_put_bool(o, "tqi", true);
	if (!put_query(o, rq->filter))
		return false;
	put_content(o, rq->content);
	return true;
}

static void put_response(struct json_out *o, const struct onem2m_response *rsp, const struct envelope_about *about)
{
	json_put_int(o, "rsc", rsp->rsc);
	json_put_rd(o, "rqi", about->id);
	put_text(o, "rvi", about->release);
	put_text(o, "vsi", about->vendor);
	put_text(o, "to", about->to);
	put_text(o, "fr", about->from);
	put_text(o, "ot", rsp->ot);
	put_text(o, "rset", rsp->rset);
	put_number(o, "ec", about->ec);
	if (rsp->cts)
		json_put_int(o, "cnst", rsp->cts);
	if (rsp->cts == 1)
		json_put_uint(o, "cnot", rsp->cto);
	if (rsp->composed && rsp->content.left > 0)
		json_put_raw(o, "pc", rsp->content);
	else
		put_content(o, rsp->content);
}

/* A message is put together in JSON: at its place, or in a room of its own when it leaves in another serialisation. */
struct writing {
	enum serialization s;
	struct wr room, *out;
	struct json_out o;
};

static void begin(struct writing *g, enum serialization s, const char *root, struct wr *out)
{
	g->s = s;
	g->out = out;
	g->room = wr_new(ENVELOPE_OUT_MAX);
	g->o = json_out(s == SERIALIZATION_JSON ? out : &g->room);
	json_object(&g->o, NULL);
	if (root)
		json_object(&g->o, root);
}

static enum err end(struct writing *g)
{
	enum err e = OK;
	struct rd json;

	while (g->o.depth > 0)
		json_close(&g->o);
	if (g->o.w->spoilt)
		e = ERR_TOO_LONG;
	else if (g->s != SERIALIZATION_JSON)
		e = wr_done(&g->room, &json) ? serialization_from_json(g->s, json, g->out) : ERR_TOO_LONG;
	wr_free(&g->room);
	return e == ERR_MALFORMED ? ERR_BAD_VALUE : e;
}

enum err envelope_write_request(enum serialization s, const struct onem2m_request *rq, struct wr *out)
{
	struct writing g;

	begin(&g, s, s == SERIALIZATION_XML ? "m2m:rqp" : NULL, out);
	if (put_request(&g.o, rq))
		return end(&g);
	wr_free(&g.room);
	return ERR_BAD_VALUE;
}

enum err envelope_write_response(enum serialization s, const struct onem2m_response *rsp, const struct envelope_about *about, struct wr *out)
{
	struct writing g;

	begin(&g, s, s == SERIALIZATION_XML || about->rooted ? "m2m:rsp" : NULL, out);
	put_response(&g.o, rsp, about);
	return end(&g);
}
