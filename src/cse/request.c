/* Requests that outlive who made them: copied, so that the caller may forget them. */
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"

struct block {
	struct onem2m_request rq;
	char octets[];
};

static struct rd keep(char **at, struct rd text)
{
	char *start = *at;

	if (!text.at)
		return text; /* absent, which is not the same as empty */
	if (text.left > 0)
		memcpy(start, text.at, text.left);
	*at += text.left;
	return rd_of(start, text.left);
}

struct onem2m_request *request_copy(const struct onem2m_request *rq)
{
	size_t peer = rq->peer ? strlen(rq->peer) + 1 : 1, credential = rq->credential ? strlen(rq->credential) + 1 : 1;
	size_t size = rq->to.left + rq->from.left + rq->request_id.left + rq->release.left + rq->vendor.left + rq->filter.left + rq->content.left +
	    rq->rt_nu.left + rq->ot.left + rq->rqet.left + rq->rset.left + rq->oet.left + rq->rp.left + rq->ec.left + rq->gid.left + rq->tokens.left +
	    rq->token_ids.left + rq->local_token_ids.left + rq->role_ids.left + rq->address.left + peer + credential;
	struct block *b = malloc(sizeof *b + size);
	char *at;

	if (!b)
		abort();
	at = b->octets;
	b->rq = *rq;
	b->rq.to = keep(&at, rq->to);
	b->rq.from = keep(&at, rq->from);
	b->rq.request_id = keep(&at, rq->request_id);
	b->rq.release = keep(&at, rq->release);
	b->rq.vendor = keep(&at, rq->vendor);
	b->rq.filter = keep(&at, rq->filter);
	b->rq.content = keep(&at, rq->content);
	b->rq.rt_nu = keep(&at, rq->rt_nu);
	b->rq.ot = keep(&at, rq->ot);
	b->rq.rqet = keep(&at, rq->rqet);
	b->rq.rset = keep(&at, rq->rset);
	b->rq.oet = keep(&at, rq->oet);
	b->rq.rp = keep(&at, rq->rp);
	b->rq.ec = keep(&at, rq->ec);
	b->rq.gid = keep(&at, rq->gid);
	b->rq.tokens = keep(&at, rq->tokens);
	b->rq.token_ids = keep(&at, rq->token_ids);
	b->rq.local_token_ids = keep(&at, rq->local_token_ids);
	b->rq.role_ids = keep(&at, rq->role_ids);
	b->rq.address = keep(&at, rq->address);
	memcpy(at, rq->peer ? rq->peer : "", peer);
	b->rq.peer = at;
	memcpy(at + peer, rq->credential ? rq->credential : "", credential);
	b->rq.credential = at + peer;
	return &b->rq;
}

void request_copy_free(struct onem2m_request *rq)
{
	free(rq); /* the block's first member */
}

/* ---- of this CSE's own ---- */

struct own_request {
	struct onem2m_request *rq;
	cse_done *done;
	void *ctx;
};

static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	struct own_request *o = ctx;

	if (o->done)
		o->done(o->ctx, rsp);
	request_copy_free(o->rq);
	free(o);
}

void cse_request(struct cse *c, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct own_request *o = malloc(sizeof *o);

	if (!o)
		abort();
	*o = (struct own_request){request_copy(rq), done, ctx};
	cse_submit(c, o->rq, on_done, o);
}

/* ---- parameters in a query ---- */

struct rd query_without(struct rd query, const char *const *names, char *room)
{
	struct rd rest = query, pair, name, value;
	size_t n = 0;

	while (rest.left > 0) {
		bool skip = false;

		if (!rd_until(&rest, '&', &pair))
			pair = rd_rest(&rest);
		value = pair;
		if (!rd_until(&value, '=', &name))
			name = pair;
		for (size_t i = 0; names[i]; i++)
			skip = skip || rd_is(name, names[i]);
		if (skip || pair.left == 0)
			continue;
		if (n > 0)
			room[n++] = '&';
		memcpy(room + n, pair.at, pair.left);
		n += pair.left;
	}
	return rd_of(room, n);
}
