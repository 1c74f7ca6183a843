/* An IPE is asked for what a discovery did not find: TS-0004 clauses 7.3.3.14 and 7.5.1.2.8. */
#include "cse/private.h"
#include "onem2m/criteria.h"

bool discover_ask_ipe(struct exchange *x, cse_done *done, void *ctx)
{
	struct cse *c = x->cse;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	struct onem2m_request rq = {.operation = ONEM2M_NOTIFY, .request_id = x->rq->request_id, .release = rd_str("3"), .rcn = ONEM2M_RCN_ABSENT, .peer = "", .internal = true};
	char rqet[TIMESTAMP_SIZE];
	bool ok;

	timestamp_print_precise(rqet, x->expires_ms ? x->expires_ms : cse_now(c) + cse_request_life(c));
	json_object(&o, NULL);
	json_object(&o, "m2m:sgn");
	json_object(&o, "idr");
	json_put_string(&o, "or", cse_relative(c, x->from));
	ok = criteria_from_query(x->rq->filter, &o);
	json_close(&o);
	json_close(&o);
	json_close(&o);
	rq.from = rd_str(c->config.id);
	rq.to = rd_str(x->target->ri);
	rq.rqet = rd_str(rqet);
	ok = ok && wr_done(&w, &rq.content);
	if (ok)
		cse_request(c, &rq, done, ctx);
	wr_free(&w);
	return ok;
}
