/* Requests of this CSE's own: copied, so that the caller may forget them. */
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"

struct own_request {
	struct onem2m_request rq;
	cse_done *done;
	void *ctx;
	char octets[];
};

static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	struct own_request *o = ctx;

	if (o->done)
		o->done(o->ctx, rsp);
	free(o);
}

static struct rd keep(char **at, struct rd text)
{
	char *start = *at;

	if (text.left > 0)
		memcpy(start, text.at, text.left);
	*at += text.left;
	return rd_of(start, text.left);
}

void cse_request(struct cse *c, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	size_t size = rq->to.left + rq->from.left + rq->request_id.left + rq->release.left + rq->vendor.left + rq->filter.left + rq->content.left +
	    rq->rt_nu.left + rq->ot.left + rq->rqet.left + rq->rset.left + rq->oet.left + rq->rp.left + rq->ec.left + rq->gid.left + rq->tokens.left +
	    rq->token_ids.left + rq->local_token_ids.left + rq->role_ids.left + rq->address.left + 1;
	struct own_request *o = malloc(sizeof *o + size);
	char *at;

	if (!o)
		abort();
	at = o->octets;
	o->done = done;
	o->ctx = ctx;
	o->rq = *rq;
	o->rq.to = keep(&at, rq->to);
	o->rq.from = keep(&at, rq->from);
	o->rq.request_id = keep(&at, rq->request_id);
	o->rq.release = keep(&at, rq->release);
	o->rq.vendor = keep(&at, rq->vendor);
	o->rq.filter = keep(&at, rq->filter);
	o->rq.content = keep(&at, rq->content);
	o->rq.rt_nu = keep(&at, rq->rt_nu);
	o->rq.ot = keep(&at, rq->ot);
	o->rq.rqet = keep(&at, rq->rqet);
	o->rq.rset = keep(&at, rq->rset);
	o->rq.oet = keep(&at, rq->oet);
	o->rq.rp = keep(&at, rq->rp);
	o->rq.ec = keep(&at, rq->ec);
	o->rq.gid = keep(&at, rq->gid);
	o->rq.tokens = keep(&at, rq->tokens);
	o->rq.token_ids = keep(&at, rq->token_ids);
	o->rq.local_token_ids = keep(&at, rq->local_token_ids);
	o->rq.role_ids = keep(&at, rq->role_ids);
	o->rq.address = keep(&at, rq->address);
	o->rq.peer = ""; /* whose memory would be the caller's */
	cse_submit(c, &o->rq, on_done, o);
}
