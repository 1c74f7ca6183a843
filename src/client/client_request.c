/* The client library: requests, with an answer later or at once. */
#include "keyway/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_inside.h"
#include "client/client_private.h"
#include "onem2m/query.h"

/* ---- requests ---- */

void client_pending_free(struct pending *p)
{
	*p->at = p->next;
	if (p->next)
		p->next->at = p->at;
	p->client->waiting--;
	free(p->to);
	free(p->query);
	free(p->content);
	free(p->from);
	free(p);
}

static void tell(struct pending *p, const struct keyway_answer *a)
{
	struct keyway *k = p->client;
	bool was_inside = k->inside;

	k->inside = true;
	if (!k->closing)
		p->done(p->ctx, a);
	k->inside = was_inside;
	client_pending_free(p);
}

/* Content and location come without a zero behind them. */
static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	struct pending *p = ctx;
	struct keyway *k = p->client;
	char *content = rd_strdup(rsp->content), *location = rd_strdup(rsp->location);
	struct keyway_answer a = {.failure = client_failure(rsp->failure), .content = content, .content_len = rsp->content.left, .location = location};

	if (!content || !location)
		abort();
	if (a.failure == KEYWAY_OK)
		a.rsc = (int)rsp->rsc;
	a.why = a.failure == KEYWAY_OK ? client_why_refused(k, rsp->rsc, rsp->content) : client_why_failed(k, rsp->failure, rsp->why);
	tell(p, &a);
	free(content);
	free(location);
}

/* What may not stand in a URL as it is. '%' stays: who asks may have escaped by hand. */
static char *escaped(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = malloc(3 * strlen(text) + 1), *at = out;

	if (!out)
		abort();
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c > 0x20 && c < 0x7f && !strchr("\"<>#^`{|}\\", c)) {
			*at++ = (char)c;
		} else {
			*at++ = '%';
			*at++ = hex[c >> 4];
			*at++ = hex[c & 15];
		}
	}
	*at = '\0';
	return out;
}

static struct pending *pending_new(struct keyway *k, const struct keyway_request *rq, keyway_done *done, void *ctx)
{
	struct pending *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->client = k;
	p->done = done;
	p->ctx = ctx;
	p->to = k->scheme->kind == CLIENT_HTTP ? escaped(rq->to ? rq->to : "") : client_copy(rq->to, "");
	p->query = escaped(rq->query ? rq->query : "");
	p->content = client_copy(rq->content, "");
	p->from = client_copy(rq->from, k->from);
	snprintf(p->id, sizeof p->id, "%s-%llu", k->prefix, (unsigned long long)++k->numbers);
	p->rq = (struct onem2m_request){
		.operation = (enum onem2m_operation)rq->operation,
		.to = rd_str(p->to),
		.from = rd_str(p->from),
		.request_id = rd_str(p->id),
		.release = rd_str(k->release),
		.type = rq->operation == KEYWAY_CREATE ? rq->type : 0,
		.rcn = ONEM2M_RCN_ABSENT,
		.filter = rd_str(p->query),
		.content = rd_str(p->content),
		.patience_ms = k->timeout_ms,
		.wanted = k->serialization,
		.peer = "",
	};
	p->next = k->pending;
	p->at = &k->pending;
	if (p->next)
		p->next->at = &p->next;
	k->pending = p;
	k->waiting++;
	return p;
}

static const char *request_fault(struct pending *p, const struct keyway_request *rq)
{
	if (rq->operation < KEYWAY_CREATE || rq->operation > KEYWAY_NOTIFY)
		return "`operation` is none";
	if (!rq->to || !rq->to[0])
		return "`to`, the address of a resource, is missing";
	if (rq->operation == KEYWAY_CREATE && rq->type <= 0)
		return "a CREATE needs the `type` of the resource";
	return query_parameters(&p->rq) ? NULL : "rcn, drt, rt or tqi in the query is none of its values";
}

static void fail_later(void *ctx)
{
	struct pending *p = ctx;

	on_done(p, &(const struct onem2m_response){.failure = ERR_BAD_VALUE, .why = p->rq.peer});
}

static void start(void *ctx)
{
	struct pending *p = ctx;
	struct keyway *k = p->client;

	switch (k->scheme->kind) {
	case CLIENT_HTTP:
		http_binding_send(&k->sender, k->url, k->cse, &p->rq, on_done, p);
		break;
	case CLIENT_COAP:
		coap_binding_send(k->coap, k->url, k->cse, &p->rq, on_done, p);
		break;
	case CLIENT_WEBSOCKET:
		websocket_send(k->websocket, k->url, k->cse, &p->rq, on_done, p);
		break;
	case CLIENT_MQTT:
		mqtt_binding_send(k->mqtt, k->url, k->cse, &p->rq, on_done, p);
		break;
	}
}

void client_requests_cancel(struct keyway *k)
{
	for (struct pending *p = k->pending; p; p = p->next) {
		loop_defer_cancel(k->loop, start, p);
		loop_defer_cancel(k->loop, fail_later, p);
	}
}

/* From the loop: a binding may answer at once, and keyway_send does not call back. */
void keyway_send(struct keyway *k, const struct keyway_request *rq, keyway_done *done, void *ctx)
{
	struct pending *p = pending_new(k, rq, done, ctx);
	const char *fault = request_fault(p, rq);

	if (fault)
		p->rq.peer = fault;
	loop_defer(k->loop, fault ? fail_later : start, p);
}

unsigned keyway_waiting(const struct keyway *k)
{
	return k->waiting;
}

/* ---- one that waits ---- */

void client_keep_answer(struct keyway *k, const struct keyway_answer *a)
{
	free(k->answer_content);
	free(k->answer_location);
	k->answer = *a;
	k->answer.content = k->answer_content = malloc(a->content_len + 1);
	k->answer.location = k->answer_location = client_copy(a->location, "");
	if (!k->answer_content)
		abort();
	memcpy(k->answer_content, a->content, a->content_len + 1);
}

struct calling {
	struct keyway *client;
	bool done;
};

static void on_call_done(void *ctx, const struct keyway_answer *a)
{
	struct calling *c = ctx;

	client_keep_answer(c->client, a);
	c->done = true;
}

int keyway_call(struct keyway *k, const struct keyway_request *rq, struct keyway_answer *a)
{
	struct calling c = {.client = k};

	if (k->inside)
		abort(); /* the header says so; its callbacks would come in no order */
	keyway_send(k, rq, on_call_done, &c);
	while (!c.done)
		loop_once(k->loop, -1);
	*a = k->answer;
	return a->rsc;
}

int keyway_fd(const struct keyway *k)
{
	return loop_fd(k->loop);
}

int keyway_wait_ms(const struct keyway *k)
{
	return loop_wait_ms(k->loop);
}

void keyway_step(struct keyway *k, int wait_ms)
{
	if (k->inside)
		abort();
	loop_once(k->loop, wait_ms);
}
