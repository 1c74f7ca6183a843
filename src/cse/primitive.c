/* Primitives in resources. */
#include "cse/primitive.h"

#include <stdio.h>
#include <string.h>

#include "cse/private.h"

#define QUERY_MAX 16384

/* ---- filter criteria become a query ---- */

static void put_escaped(struct wr *w, struct rd text)
{
	uint8_t c;

	while (rd_u8(&text, &c)) {
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != 0 && strchr("-._~*", c)))
			wr_u8(w, c);
		else
			wr_fmt(w, "%%%02X", c);
	}
}

static bool put_scalar(struct wr *w, const struct json *v)
{
	switch (v->type) {
	case JSON_STRING:
	case JSON_NUMBER:
		put_escaped(w, v->text);
		return true;
	case JSON_TRUE:
	case JSON_FALSE:
		wr_str(w, v->type == JSON_TRUE ? "true" : "false");
		return true;
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return false;
}

static void put_name(struct wr *w, const char *whose, struct rd name)
{
	if (w->len > 0)
		wr_u8(w, '&');
	wr_str(w, whose);
	put_escaped(w, name);
	wr_u8(w, '=');
}

/* [{"nm": "creator", "val": "Cx"}]: a condition each, on the resource, its child ("c.") or its parent ("p."). */
static bool put_attributes(struct wr *w, const char *whose, const struct json *list)
{
	for (const struct json *e = list->first; e; e = e->next) {
		const struct json *name = json_get(e, "nm"), *value = json_get(e, "val");

		if (!name || name->type != JSON_STRING || !value)
			return false;
		put_name(w, whose, name->text);
		if (!put_scalar(w, value))
			return false;
	}
	return true;
}

static bool put_geometry(struct wr *w, const struct json *query)
{
	static const char *const names[] = {"gmty", "gsf", "geom"};

	for (size_t i = 0; i < 3; i++) {
		const struct json *v = json_get(query, names[i]);

		if (!v)
			return false;
		put_name(w, "", rd_str(names[i]));
		if (v->type == JSON_ARRAY)
			put_escaped(w, v->source);
		else if (!put_scalar(w, v))
			return false;
	}
	return true;
}

static bool put_condition(struct wr *w, const struct json *v)
{
	if (rd_is(v->key, "atr") && v->type == JSON_ARRAY)
		return put_attributes(w, "", v);
	if (rd_is(v->key, "catr") && v->type == JSON_ARRAY)
		return put_attributes(w, "c.", v);
	if (rd_is(v->key, "patr") && v->type == JSON_ARRAY)
		return put_attributes(w, "p.", v);
	if (v->type == JSON_OBJECT)
		return put_geometry(w, v);
	put_name(w, "", v->key);
	if (v->type != JSON_ARRAY)
		return put_scalar(w, v);
	for (const struct json *e = v->first; e; e = e->next) {
		if (e != v->first)
			wr_u8(w, '+');
		if (!put_scalar(w, e))
			return false;
	}
	return true;
}

static bool take_query(struct json_arena *a, const struct json *criteria, struct rd *query)
{
	char *room = json_arena_alloc(a, QUERY_MAX);
	struct wr w = wr_of(room, QUERY_MAX);

	if (!room)
		return false;
	for (const struct json *m = criteria->first; m; m = m->next)
		if (!put_condition(&w, m))
			return false;
	return wr_done(&w, query);
}

/* ---- requests ---- */

static int number(const struct json *primitive, const char *name, int otherwise)
{
	int64_t n;

	return json_int(json_get(primitive, name), &n) && n >= 0 && n < 100000 ? (int)n : otherwise;
}

/* A time stamp, or milliseconds as a number. */
static struct rd text_of(const struct json *primitive, const char *name)
{
	const struct json *v = json_get(primitive, name);

	return v && (v->type == JSON_STRING || v->type == JSON_NUMBER) ? v->text : rd_of("", 0);
}

bool primitive_request(struct json_arena *a, const struct json *primitive, struct onem2m_request *rq)
{
	const struct json *content = json_get(primitive, "pc"), *criteria = json_get(primitive, "fc");

	*rq = (struct onem2m_request){
		.operation = (enum onem2m_operation)number(primitive, "op", 0),
		.to = text_of(primitive, "to"),
		.from = text_of(primitive, "fr"),
		.request_id = text_of(primitive, "rqi"),
		.release = text_of(primitive, "rvi"),
		.vendor = text_of(primitive, "vsi"),
		.type = number(primitive, "ty", 0),
		.rcn = number(primitive, "rcn", ONEM2M_RCN_ABSENT),
		.drt = number(primitive, "drt", 0),
		.rt = (enum onem2m_response_type)number(json_get(primitive, "rt"), "rtv", ONEM2M_RT_ABSENT),
		.ot = text_of(primitive, "ot"),
		.rqet = text_of(primitive, "rqet"),
		.rset = text_of(primitive, "rset"),
		.oet = text_of(primitive, "oet"),
		.gid = text_of(primitive, "gid"),
		.content = content ? content->source : rd_of("", 0),
		.peer = "",
	};
	return !criteria || (criteria->type == JSON_OBJECT && take_query(a, criteria, &rq->filter));
}

/* ---- responses ---- */

void primitive_put_response(struct json_out *o, const struct onem2m_response *rsp, struct rd request_id)
{
	json_put_int(o, "rsc", rsp->rsc);
	json_put_rd(o, "rqi", request_id);
	if (rsp->content.left > 0)
		json_put_content(o, "pc", rsp->content);
	if (rsp->ot.left > 0)
		json_put_rd(o, "ot", rsp->ot);
	if (rsp->cts != 0)
		json_put_int(o, "cnst", rsp->cts);
	if (rsp->cts == 1)
		json_put_uint(o, "cnot", rsp->cto);
}
