/* CoAP requests become primitives, responses become CoAP. TS-0008 clause 6. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binding/coap/coap_private.h"

#define ADDRESS_SIZE 16
#define WHERE_SIZE (ADDRESS_SIZE + 8)

struct waiting {
	struct coap_exchange *exchange;
	struct coap_port *port;
	struct coap_primitive p;
	char address[ADDRESS_SIZE];
	char peer[]; /* and its Credential-ID behind it */
};

/* What content grows by at most on its way from JSON: a member with a prefix becomes an element that declares its namespace. */
#define EXPANSION_MOST 16
#define EXPANSION_LEAST 4096

/* The content as the client takes it: in `room` when that is not JSON. False: that serialisation cannot say it. */
static bool content_of(enum serialization s, struct rd json, struct wr *room, struct rd *content)
{
	*content = json;
	if (json.left == 0 || s == SERIALIZATION_JSON)
		return true;
	*room = wr_new(json.left * EXPANSION_MOST + EXPANSION_LEAST);
	return serialization_from_json(s, json, room) == OK && wr_done(room, content);
}

static void on_response(void *ctx, const struct onem2m_response *rsp)
{
	struct waiting *w = ctx;
	uint64_t now = clock_ms();
	struct onem2m_response as_told = *rsp;
	struct wr room = wr_new(0);
	struct coap_options o;
	struct coap_answer a = {.options = o.list};

	if (!content_of(w->p.answer_in, rsp->content, &room, &a.body)) {
		as_told.rsc = RSC_NOT_ACCEPTABLE;
		as_told.content = a.body = rd_of("", 0);
	}
	a.code = coap_response_write(&as_told, &w->p.rq, w->p.answer_in, &o);
	a.option_count = o.count;
	if (rsp->silent)
		coap_exchange_silence(w->exchange, now);
	else
		coap_exchange_answer(w->exchange, now, &a);
	coap_port_arm(w->port);
	wr_free(&room);
	coap_request_clear(&w->p);
	free(w);
}

static void refuse(struct waiting *w, enum onem2m_rsc rsc, const char *why)
{
	char body[256];
	struct onem2m_response rsp = {.rsc = rsc};

	snprintf(body, sizeof body, "{\"m2m:dbg\":\"%s\"}", why);
	rsp.content = rd_str(body);
	on_response(w, &rsp);
}

/* What a stranger may know: where the CSEBase is. RFC 6690. */
static bool is_well_known(const struct coap_message *m)
{
	const struct coap_option *o = coap_option_find(m, COAP_URI_PATH);

	return m->code == COAP_GET && o && rd_is(o->value, ".well-known") && o + 1 < m->options + m->option_count && o[1].number == COAP_URI_PATH &&
	    rd_is(o[1].value, "core");
}

static void well_known(struct coap_port *p, struct coap_exchange *x)
{
	uint8_t octets[4];
	const struct coap_option format = {COAP_CONTENT_FORMAT, coap_uint_print(octets, COAP_FORMAT_LINKS)};
	char links[512];

	snprintf(links, sizeof links, "</%s>;rt=\"oneM2M.CSEBase\";ct=\"%u %u %u\";title=\"%s\"", p->binding->config.own_name, coap_format_of(SERIALIZATION_JSON),
	    coap_format_of(SERIALIZATION_XML), coap_format_of(SERIALIZATION_CBOR), p->binding->config.self.own_id);
	coap_exchange_answer(x, clock_ms(), &(const struct coap_answer){COAP_CONTENT, &format, 1, rd_str(links)});
}

void coap_port_request(void *ctx, struct coap_exchange *x, const struct coap_message *m)
{
	struct coap_port *port = ctx;
	const struct coap_peer *from = coap_exchange_peer(x);
	const struct tls_peer *tls = datagram_tls_peer(port->socket, &(const struct datagram_peer){from->session, from->address, from->port});
	const char *identity = tls ? tls->identity : "", *credential = tls ? tls->credential : "", *why = "";
	char where[WHERE_SIZE];
	struct waiting *w;
	enum onem2m_rsc rsc;

	if (is_well_known(m)) {
		well_known(port, x);
		return;
	}
	w = calloc(1, sizeof *w + strlen(identity) + 1 + strlen(credential) + 1);
	if (!w)
		abort();
	w->exchange = x;
	w->port = port;
	strcpy(w->peer, identity);
	snprintf(w->address, sizeof w->address, "%u.%u.%u.%u", (unsigned)(from->address >> 24), (unsigned)(from->address >> 16 & 255), (unsigned)(from->address >> 8 & 255),
	    (unsigned)(from->address & 255));
	snprintf(where, sizeof where, "%s:%u", w->address, from->port);
	rsc = coap_request_read(m, &w->p, &why);
	w->p.rq.peer = w->peer;
	w->p.rq.credential = strcpy(w->peer + strlen(identity) + 1, credential);
	w->p.rq.address = rd_str(w->address);
	if (rsc != RSC_OK)
		refuse(w, rsc, why);
	else
		once_submit(port->binding->once, clock_ms(), &w->p.rq, rd_str(where), false, on_response, w);
}
