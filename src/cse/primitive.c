/* Primitives in resources. */
#include "cse/primitive.h"

#include "cse/private.h"
#include "onem2m/criteria.h"

#define QUERY_MAX 16384

static bool take_query(struct json_arena *a, const struct json *criteria, struct rd *query)
{
	char *room = json_arena_alloc(a, QUERY_MAX);
	struct wr w = wr_of(room, QUERY_MAX);

	if (!room)
		return false;
	return criteria_to_query(criteria, &w) && wr_done(&w, query);
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
