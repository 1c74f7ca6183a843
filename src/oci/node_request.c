/* oneM2M requests of IPE-OCI. */
#include "oci/node_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct own_request {
	struct onem2m_request rq;
	char *to, *filter, *body;
	char id[32];
	cse_done *done;
	void *ctx;
};

static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	struct own_request *r = ctx;

	r->done(r->ctx, rsp);
	free(r->to);
	free(r->filter);
	free(r->body);
	free(r);
}

void node_request(struct oci_node *n, enum onem2m_operation operation, const char *to, int type, int rcn, const char *filter, const char *body,
    cse_done *done, void *ctx)
{
	struct own_request *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	r->to = strdup(to);
	r->filter = strdup(filter ? filter : "");
	r->body = strdup(body ? body : "");
	if (!r->to || !r->filter || !r->body)
		abort();
	snprintf(r->id, sizeof r->id, "oci-%u", ++n->request);
	r->done = done;
	r->ctx = ctx;
	r->rq = (struct onem2m_request){
		.operation = operation,
		.to = rd_str(r->to),
		.from = rd_str(n->ae),
		.request_id = rd_str(r->id),
		.release = rd_str("3"),
		.type = type,
		.rcn = rcn,
		.filter = rd_str(r->filter),
		.content = rd_str(r->body),
		.peer = "",
		.internal = true,
	};
	cse_submit(n->cse, &r->rq, on_done, r);
}
