/* Requests of devices: admission, limits, repeats. */
#include "eg/eg_private.h"

#include <stdlib.h>

#include "base/clock.h"

#define MINUTE_MS 60000

void eg_known_free(struct known *k)
{
	rate_clear(&k->rate);
	free(k->pending.answer);
	free(k);
}

/* One record a registered device and gateway: its limits and its last answer. */
struct known *eg_known(struct eg_gateway *g, uint64_t device, bool make)
{
	struct table_node *n = table_find(&g->eg->known, table_hash(device));
	struct known *k;

	while (n && table_owner(n, struct known, by_device)->gateway != g)
		n = table_find_next(n);
	if (n || !make)
		return table_owner(n, struct known, by_device);
	k = calloc(1, sizeof *k);
	if (!k)
		return NULL;
	if (!rate_init(&k->rate, g->eg->config.device_per_minute, MINUTE_MS)) {
		free(k);
		return NULL;
	}
	k->device = device;
	k->gateway = g;
	table_add(&g->eg->known, &k->by_device, table_hash(device));
	return k;
}

static uint64_t pending_deadline(const struct pending *p)
{
	if (p->in_flight)
		return p->since + EG_ANSWER_MS;
	return p->answer ? p->since + EG_REPEAT_MS : CLOCK_NEVER;
}

/* After every change of what is pending. */
void eg_known_wait(struct eg *eg, struct known *k)
{
	uint64_t at = pending_deadline(&k->pending);

	if (at == CLOCK_NEVER)
		timers_unset(&eg->answers, &k->timer);
	else
		timers_set(&eg->answers, &k->timer, at);
}

void eg_forget_answer(struct pending *p)
{
	free(p->answer);
	p->answer = NULL;
	p->answer_len = 0;
}

static bool same_request(const struct egp_message *a, const struct egp_message *b)
{
	return a->transaction == b->transaction && a->request.gateway == b->request.gateway && a->request.device == b->request.device &&
	    a->request.device_short == b->request.device_short && a->request.pan_id == b->request.pan_id &&
	    a->request.kind == b->request.kind && a->request.capability == b->request.capability;
}

/* The registry's and the operator's word on a request; OK (0) when it may go on. */
unsigned eg_admit(const struct eg_gateway *g, uint64_t now_ms, const struct egp_message *m)
{
	struct eg_admission a = {0};

	if (!g->eg->config.lookup(g->eg->config.ctx, m->request.device, &a) || !a.known)
		return EGP_ERROR_UNKNOWN_DEVICE;
	if (a.gateway != g->eui64)
		return EGP_ERROR_NOT_PERMITTED;
	if (m->request.kind == EGP_JOIN_UNSECURED_REJOIN)
		return a.may_rejoin ? 0 : EGP_ERROR_NOT_PERMITTED;
	return eg_permits(g, now_ms, m->request.device) ? 0 : EGP_ERROR_NOT_PERMITTED;
}

/* True: dealt with as a repeat or as a second request of a device that has one in flight. */
bool eg_repeat(struct eg_gateway *g, uint64_t now_ms, struct known *k, const struct egp_message *m)
{
	struct pending *p = &k->pending;

	if (p->in_flight) {
		if (!same_request(&p->request, m))
			eg_refuse_request(g, m, EGP_ERROR_RATE_LIMITED, 1);
		return true;
	}
	if (!p->answer || now_ms - p->since >= EG_REPEAT_MS || p->request.transaction != m->transaction)
		return false;
	if (!same_request(&p->request, m)) {
		eg_refuse_request(g, m, EGP_ERROR_MALFORMED, 0); /* one transaction, two meanings */
		return true;
	}
	eg_send_octets(g, rd_of(p->answer, p->answer_len));
	eg_tell(g, EG_EVENT_REPEATED, m, EGP_ERROR_INTERNAL);
	return true;
}

void eg_prepare(struct eg_gateway *g, uint64_t now_ms, struct known *k, const struct egp_message *m)
{
	const struct eg_effect e = {.type = EG_PREPARE, .gateway = g, .message = *m};
	const struct rd none = {NULL, 0};

	eg_forget_answer(&k->pending);
	k->pending.in_flight = true;
	k->pending.request = *m;
	k->pending.since = now_ms;
	eg_known_wait(g->eg, k);
	eg_queue(g->eg, &e, none);
}
