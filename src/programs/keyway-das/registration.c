/* Registration by CREATE and UPDATE of <AE>, TS-0004 clause 7.4.5. */
#include "programs/keyway-das/registration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "json/json.h"
#include "loop/log.h"

#define APP "Nkeyway.das"
#define RESOURCE_AE 2
#define RETRY_FIRST_S 1
#define RETRY_MOST_S 300
#define LOOK_S 3600
#define BODY_MAX 1024

struct das_registration {
	struct das_registration_config config;
	struct loop_timer *timer;
	uint64_t wait_s, number;
	bool exists, stands;
	enum onem2m_rsc refused; /* of the last time, so that it is told once */
};

static void ask(struct das_registration *r);

static void again(struct das_registration *r, uint64_t in_s)
{
	loop_timer_in(r->timer, in_s * 1000);
}

static void later(struct das_registration *r, const struct onem2m_response *rsp)
{
	r->stands = false;
	if (rsp->failure != OK || rsp->rsc != r->refused)
		log_line(LOG_LEVEL_WARNING, "not registered", "cse=%s rsc=%d reason=%s", r->config.sender->registrar_id, rsp->failure == OK ? (int)rsp->rsc : 0,
		    log_quote(rd_str(rsp->failure == OK ? "the CSE refuses" : rsp->why ? rsp->why : err_name(rsp->failure))));
	r->refused = rsp->failure == OK ? rsp->rsc : RSC_OK;
	again(r, r->wait_s);
	r->wait_s = r->wait_s * 2 < RETRY_MOST_S ? r->wait_s * 2 : RETRY_MOST_S;
}

static void on_answer(void *ctx, const struct onem2m_response *rsp)
{
	struct das_registration *r = ctx;
	bool done = rsp->failure == OK && (rsp->rsc == RSC_CREATED || rsp->rsc == RSC_UPDATED);

	if (rsp->failure == ERR_CLOSED)
		return;
	if (done) {
		if (!r->stands)
			log_line(LOG_LEVEL_INFO, "registered", "ae=%s cse=%s poa=%s", r->config.sender->own_id, r->config.sender->registrar_id, r->config.poa);
		r->stands = r->exists = true;
		r->refused = RSC_OK;
		r->wait_s = RETRY_FIRST_S;
		again(r, LOOK_S);
	} else if (rsp->failure == OK && !r->exists && (rsp->rsc == RSC_CONFLICT || rsp->rsc == RSC_ORIGINATOR_HAS_ALREADY_REGISTERED)) {
		r->exists = true; /* from an earlier life */
		ask(r);
	} else {
		if (rsp->failure == OK && rsp->rsc == RSC_NOT_FOUND)
			r->exists = false; /* the CSE has lost it, or its operator took it away */
		later(r, rsp);
	}
}

static void write_body(struct das_registration *r, struct wr *w)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_object(&o, "m2m:ae");
	if (!r->exists) {
		json_put_string(&o, "rn", strrchr(r->config.sender->own_id, '/') + 1);
		json_put_string(&o, "api", APP);
		json_put_bool(&o, "rr", true);
		json_array(&o, "srv");
		json_put_string(&o, NULL, "3");
		json_close(&o);
	}
	json_array(&o, "poa");
	json_put_string(&o, NULL, r->config.poa);
	json_close(&o);
	json_close(&o);
	json_close(&o);
}

static void ask(struct das_registration *r)
{
	const struct http_sender *s = r->config.sender;
	uint8_t body[BODY_MAX];
	struct wr w = wr_of(body, sizeof body);
	char number[40];
	struct onem2m_request rq = {
		.operation = r->exists ? ONEM2M_UPDATE : ONEM2M_CREATE,
		.to = rd_str(r->exists ? s->own_id : s->registrar_id),
		.from = rd_str(s->own_id),
		.release = rd_str("3"),
		.rcn = ONEM2M_RCN_ABSENT,
		.type = r->exists ? 0 : RESOURCE_AE,
		.peer = "",
	};

	snprintf(number, sizeof number, "das-%llu", (unsigned long long)++r->number);
	rq.request_id = rd_str(number);
	write_body(r, &w);
	if (wr_done(&w, &rq.content))
		http_binding_send(r->config.sender, r->config.url, s->registrar_id, &rq, on_answer, r);
	else
		log_line(LOG_LEVEL_ERROR, "not registered", "reason=\"the point of access is too long\"");
}

static void on_time(void *ctx)
{
	ask(ctx);
}

struct das_registration *das_registration_new(const struct das_registration_config *c)
{
	struct das_registration *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	r->config = *c;
	r->wait_s = RETRY_FIRST_S;
	r->refused = RSC_OK;
	r->timer = loop_timer_new(c->loop, on_time, r);
	ask(r);
	return r;
}

bool das_registration_stands(const struct das_registration *r)
{
	return r->stands;
}

void das_registration_free(struct das_registration *r)
{
	if (!r)
		return;
	loop_timer_free(r->timer);
	free(r);
}
