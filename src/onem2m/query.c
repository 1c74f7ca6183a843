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

bool query_parameters(struct onem2m_request *rq)
{
	int rt = -1, tqi = 0;

	if (!number(rq->filter, "rcn", 99, &rq->rcn) || !number(rq->filter, "drt", 99, &rq->drt) || !number(rq->filter, "rt", 5, &rt) ||
	    !number(rq->filter, "tqi", 1, &tqi) || rt == 0)
		return false;
	rq->rt = rt < 0 ? ONEM2M_RT_ABSENT : (enum onem2m_response_type)rt;
	rq->token_request = tqi != 0;
	rq->rp = text(rq->filter, "rp");
	rq->role_ids = text(rq->filter, "rids");
	rq->token_ids = text(rq->filter, "tids");
	rq->local_token_ids = text(rq->filter, "ltids");
	return true;
}
