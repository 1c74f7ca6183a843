/* Parameters in a query. */
#include "onem2m/query.h"

/* The value stays as it was when there is none. */
static bool number(struct rd query, const char *name, uint64_t most, int *value)
{
	struct rd pair, key;
	uint64_t n;

	while (query.left > 0) {
		if (!rd_until(&query, '&', &pair))
			pair = rd_rest(&query);
		if (!rd_until(&pair, '=', &key) || !rd_is(key, name))
			continue;
		if (!rd_decimal(pair, &n) || n > most)
			return false;
		*value = (int)n;
	}
	return true;
}

static struct rd text(struct rd query, const char *name)
{
	struct rd pair, key;

	while (query.left > 0) {
		if (!rd_until(&query, '&', &pair))
			pair = rd_rest(&query);
		if (rd_until(&pair, '=', &key) && rd_is(key, name))
			return pair;
	}
	return rd_of("", 0);
}

static bool flag(struct rd value, bool *f)
{
	*f = rd_is(value, "true") || rd_is(value, "1");
	return *f || value.left == 0 || rd_is(value, "false") || rd_is(value, "0");
}

bool query_parameters(struct onem2m_request *rq)
{
	int rt = -1;

	if (!number(rq->filter, "rcn", 99, &rq->rcn) || !number(rq->filter, "drt", 99, &rq->drt) || !number(rq->filter, "rt", 5, &rt) ||
	    !flag(text(rq->filter, "tqi"), &rq->token_request) || rt == 0)
		return false;
	rq->rt = rt < 0 ? ONEM2M_RT_ABSENT : (enum onem2m_response_type)rt;
	rq->rp = text(rq->filter, "rp");
	rq->role_ids = text(rq->filter, "rids");
	rq->token_ids = text(rq->filter, "tids");
	rq->local_token_ids = text(rq->filter, "ltids");
	return true;
}
