/* Parameters in a query. */
#include "onem2m/query.h"

static bool number(struct rd value, uint64_t most, int *n)
{
	uint64_t u;

	if (!rd_decimal(value, &u) || u > most)
		return false;
	*n = (int)u;
	return true;
}

/* rt=0 says nothing, and is not said by leaving it out. */
static bool response_type(struct rd value, enum onem2m_response_type *rt)
{
	int n;

	if (!number(value, 5, &n) || n == 0)
		return false;
	*rt = (enum onem2m_response_type)n;
	return true;
}

static bool flag(struct rd value, bool *f)
{
	*f = rd_is(value, "true") || rd_is(value, "1");
	return *f || value.left == 0 || rd_is(value, "false") || rd_is(value, "0");
}

/* Of two of one name the first counts. */
static bool text(struct rd value, struct rd *t)
{
	if (!t->at)
		*t = value;
	return true;
}

static bool parameter(struct onem2m_request *rq, struct rd name, struct rd value)
{
	if (rd_is(name, "rcn"))
		return number(value, 99, &rq->rcn);
	if (rd_is(name, "drt"))
		return number(value, 99, &rq->drt);
	if (rd_is(name, "rt"))
		return response_type(value, &rq->rt);
	if (rd_is(name, "tqi"))
		return flag(value, &rq->token_request);
	if (rd_is(name, "rp"))
		return text(value, &rq->rp);
	if (rd_is(name, "rids"))
		return text(value, &rq->role_ids);
	if (rd_is(name, "tids"))
		return text(value, &rq->token_ids);
	if (rd_is(name, "ltids"))
		return text(value, &rq->local_token_ids);
	return true;
}

bool query_parameters(struct onem2m_request *rq)
{
	struct rd query = rq->filter, name, value;

	rq->rt = ONEM2M_RT_ABSENT;
	rq->token_request = false;
	rq->rp = rq->role_ids = rq->token_ids = rq->local_token_ids = (struct rd){NULL, 0};
	while (query.left > 0) {
		if (!rd_until(&query, '&', &value))
			value = rd_rest(&query);
		if (rd_until(&value, '=', &name) && !parameter(rq, name, value))
			return false;
	}
	return true;
}
