/* Registration with the registrar CSE. TS-0001 clause 10.2.2.2. */
#include "programs/keyway-cse/registration.h"

#include <stdio.h>
#include <string.h>

#include "loop/log.h"

#define REGISTER_AGAIN_MS 30000
#define REGISTER_RETRY_MS 500

static void call(struct registration *r, enum onem2m_operation operation, cse_done *done)
{
	const char *kind = strcmp(r->type, "mn") == 0 ? "2" : "3";

	if (operation == ONEM2M_CREATE)
		snprintf(r->body, sizeof r->body, "{\"m2m:csr\":{\"rn\":\"%s\",\"csi\":\"%s\",\"cb\":\"%s/%s\",\"cst\":%s,\"rr\":true,\"srv\":[\"2a\",\"3\",\"4\",\"5\"],\"poa\":[\"%s\"]}}",
		    r->id + 1, r->id, r->id, r->name, kind, r->poa);
	else
		snprintf(r->body, sizeof r->body, "{\"m2m:csr\":{\"rr\":true,\"poa\":[\"%s\"]}}", r->poa);
	/* "-" is the CSEBase, whatever its name */
	snprintf(r->to, sizeof r->to, operation == ONEM2M_CREATE ? "%s/-" : "%s/-/%s", r->registrar_id, r->id + 1);
	r->rq = (struct onem2m_request){
		.operation = operation,
		.type = operation == ONEM2M_CREATE ? 16 : 0,
		.to = rd_str(r->to),
		.from = rd_str(r->id),
		.request_id = rd_str("registration"),
		.release = rd_str("3"),
		.rcn = 0,
		.filter = rd_str("rcn=0"),
		.content = rd_str(r->body),
	};
	http_binding_send(r->sender, r->registrar_url, r->registrar_id, &r->rq, done, r);
}

static void on_updated(void *ctx, const struct onem2m_response *rsp);

static void on_created(void *ctx, const struct onem2m_response *rsp)
{
	struct registration *r = ctx;

	if (rsp->rsc == RSC_CONFLICT || rsp->rsc == RSC_ORIGINATOR_HAS_ALREADY_REGISTERED)
		call(r, ONEM2M_UPDATE, on_updated);
	else
		on_updated(ctx, rsp);
}

static void on_updated(void *ctx, const struct onem2m_response *rsp)
{
	struct registration *r = ctx;
	bool good = rsp->rsc == RSC_CREATED || rsp->rsc == RSC_UPDATED;

	if (good && !r->registered)
		log_line(LOG_LEVEL_INFO, "registered", "registrar=%s", r->registrar_id);
	if (!good && rsp->rsc != RSC_TARGET_NOT_REACHABLE)
		log_line(LOG_LEVEL_WARNING, "registrar refused", "registrar=%s rsc=%d", r->registrar_id, (int)rsp->rsc);
	r->registered = good;
	loop_timer_in(r->timer, good ? REGISTER_AGAIN_MS : REGISTER_RETRY_MS);
}

static void on_time(void *ctx)
{
	struct registration *r = ctx;

	call(r, r->registered ? ONEM2M_UPDATE : ONEM2M_CREATE, r->registered ? on_updated : on_created);
}

void registration_start(struct loop *l, struct registration *r)
{
	r->timer = loop_timer_new(l, on_time, r);
	on_time(r);
}
