/* What the EG's core wants done: messages, and what is told of them. */
#include "eg/eg_private.h"

#include <stdlib.h>
#include <string.h>

const char *eg_event_text(enum eg_event e)
{
	static const char *const texts[] = {
		[EG_EVENT_GREETED] = "gateway greeted",
		[EG_EVENT_EPOCH_BACK] = "gateway came back with an older epoch",
		[EG_EVENT_WRONG_GATEWAY] = "gateway asked in another's name",
		[EG_EVENT_REFUSED] = "enrolment refused",
		[EG_EVENT_GONE] = "gateway lost a device",
		[EG_EVENT_UNEXPECTED] = "message not expected now",
		[EG_EVENT_MALFORMED] = "malformed message",
		[EG_EVENT_ANSWERED] = "transport key sent",
		[EG_EVENT_REPEATED] = "transport key repeated",
		[EG_EVENT_REMOVED] = "gateway has forgotten a device",
	};

	return texts[e];
}

void eg_queue(struct eg *eg, const struct eg_effect *e, struct rd octets)
{
	struct queued *q = malloc(sizeof *q + octets.left);

	if (!q)
		return; /* the peer asks again */
	q->next = NULL;
	q->effect = *e;
	q->len = octets.left;
	if (octets.left > 0)
		memcpy(q->octets, octets.at, octets.left);
	q->effect.octets = rd_of(q->octets, q->len);
	*eg->last = q;
	eg->last = &q->next;
}

bool eg_output(struct eg *eg, struct eg_effect *e)
{
	free(eg->given);
	eg->given = eg->first;
	if (!eg->first)
		return false;
	eg->first = eg->given->next;
	if (!eg->first)
		eg->last = &eg->first;
	*e = eg->given->effect;
	return true;
}

void eg_send_octets(struct eg_gateway *g, struct rd octets)
{
	const struct eg_effect e = {.type = EG_SEND, .gateway = g};

	eg_queue(g->eg, &e, octets);
}

/* False: the message does not fit; nothing is sent. */
bool eg_send(struct eg_gateway *g, const struct egp_message *m)
{
	uint8_t buffer[EGP_MESSAGE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;

	if (egp_encode(m, &w) != OK || !wr_done(&w, &octets))
		return false;
	eg_send_octets(g, octets);
	return true;
}

void eg_tell(struct eg_gateway *g, enum eg_event event, const struct egp_message *m, enum egp_error_code code)
{
	struct eg_effect e = {.type = EG_TELL, .gateway = g, .event = event, .code = code};
	const struct rd none = {NULL, 0};

	if (m) {
		e.message = *m;
		e.message.owner = e.message.relay_target = e.message.text = e.message.software = none;
	}
	eg_queue(g->eg, &e, none);
}

void eg_send_error(struct eg_gateway *g, uint32_t transaction, uint64_t device, enum egp_error_code code, uint16_t retry_s, const char *text)
{
	const struct egp_message m = {
		.type = EGP_ERROR,
		.transaction = transaction,
		.error = {.device = device, .code = code, .retry_after_s = retry_s},
		.text = rd_str(text ? text : egp_error_text(code)),
	};

	eg_send(g, &m);
}

void eg_refuse_request(struct eg_gateway *g, const struct egp_message *request, enum egp_error_code code, uint16_t retry_s)
{
	eg_send_error(g, request->transaction, request->request.device, code, retry_s, NULL);
	eg_tell(g, EG_EVENT_REFUSED, request, code);
}
