/* Primitives become CoAP requests. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binding/coap/coap_private.h"
#include "loop/address.h"
#include "onem2m/timestamp.h"

#define TIMEOUT_DEFAULT_MS 20000
#define LOCATION_MAX 2048
#define CONTENT_MAX ((size_t)16 << 20) /* in whatever serialisation; the CSE's own limits are lower */

struct coap_sending {
	struct coap_sending *next, **at; /* in the binding, whose end is theirs */
	struct coap_port *port;
	struct datagram_peer peer;
	cse_done *done;
	void *ctx;
};

/* An answer that we cannot read is an answer without content. */
static struct rd as_json(enum serialization s, struct rd content, struct wr *json)
{
	char why[SERIALIZATION_WHY_SIZE];
	struct rd text;

	if (content.left == 0 || s == SERIALIZATION_JSON)
		return content;
	if (serialization_to_json(s, content, json, why, sizeof why) != OK || !wr_done(json, &text))
		return rd_of("", 0);
	return text;
}

static void sending_unlink(struct coap_sending *s)
{
	*s->at = s->next;
	if (s->next)
		s->next->at = s->at;
}

static void on_result(void *ctx, const struct coap_result *r)
{
	struct coap_sending *s = ctx;
	struct wr json = wr_new(CONTENT_MAX);
	struct onem2m_response rsp = {.rsc = RSC_TARGET_NOT_REACHABLE, .failure = r->error};
	enum serialization in;
	char location[LOCATION_MAX];

	if (r->error == OK) {
		coap_response_read(r->m, &rsp, &in, location, sizeof location);
		rsp.content = as_json(in, rsp.content, &json);
	} else if (r->error == ERR_TIMEOUT) {
		datagram_disconnect(s->port->socket, &s->peer); /* it may know nothing of the session any more */
	}
	sending_unlink(s);
	s->done(s->ctx, &rsp);
	wr_free(&json);
	free(s);
}

void coap_sendings_free(struct coap_binding *b)
{
	while (b->sendings) {
		struct coap_sending *s = b->sendings;

		sending_unlink(s);
		free(s);
	}
}

/* "coap://127.0.0.1:5683/x/y"; the path is what comes behind the authority. */
static bool url_parse(const char *url, bool *secure, struct sockaddr_in *to, struct rd *path)
{
	struct rd r = rd_str(url), authority;
	char host_port[300];
	size_t n;

	*secure = rd_starts(r, "coaps://");
	if (!(*secure ? rd_skip(&r, 8) : rd_starts(r, "coap://") && rd_skip(&r, 7)))
		return false;
	n = strcspn((const char *)r.at, "/");
	if (!rd_sub(&r, n, &authority) || n + 6 >= sizeof host_port || !rd_text(authority, host_port, sizeof host_port))
		return false;
	if (!strchr(host_port, ':'))
		strcat(host_port, *secure ? ":5684" : ":5683");
	*path = r;
	while (path->left > 0 && path->at[path->left - 1] == '/')
		path->left--;
	return address_parse(host_port, to) == OK;
}

/* As long as the request lives, and a moment for its expiry to be told. */
static uint64_t timeout_of(const struct onem2m_request *rq)
{
	uint64_t now = clock_unix_ms(), until;

	if (rq->rqet.left == 0 || !timestamp_parse_abs_rel(rq->rqet, now, &until))
		return rq->patience_ms ? rq->patience_ms : TIMEOUT_DEFAULT_MS;
	return (until > now ? until - now : 0) + 1000;
}

/* In the receiver's serialisation; in JSON, which every CSE and most AEs read, when that cannot say it. */
static struct rd written(const struct onem2m_request *rq, struct wr *room, enum serialization *s)
{
	struct rd content;

	*s = rq->wanted;
	if (rq->wanted != SERIALIZATION_JSON && rq->content.left > 0 && serialization_from_json(rq->wanted, rq->content, room) == OK && wr_done(room, &content))
		return content;
	if (rq->content.left > 0)
		*s = SERIALIZATION_JSON;
	return rq->content;
}

/* One socket for all that we ask by DTLS, whatever each of them is shown. tls NULL: plain. */
static struct coap_port *way_out(struct coap_binding *b, struct tls_credentials *tls)
{
	struct coap_port **p = tls ? &b->secure : &b->plain;

	if (!*p && coap_port_open(b, "0.0.0.0:0", tls, false, p) != OK)
		*p = NULL;
	return *p;
}

void coap_binding_send(void *binding, const char *url, const char *target, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct coap_binding *b = binding;
	struct coap_options o;
	struct coap_question q = {.options = o.list, .timeout_ms = timeout_of(rq)};
	struct wr room = wr_new(CONTENT_MAX);
	enum serialization in;
	char identity[IDENTITY_MAX];
	struct sockaddr_in to;
	struct tls_credentials *tls = NULL;
	struct coap_port *port;
	struct coap_peer peer;
	struct coap_sending *s;
	struct rd base;
	bool secure;

	if (!url_parse(url, &secure, &to, &base) || (secure && (tls = tls_choose(&b->config.keys, target, b->config.tls)) == NULL) || (port = way_out(b, tls)) == NULL) {
		done(ctx, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE, .failure = ERR_CONFIG, .why = "the address is none that CoAP can reach, or there are no credentials for DTLS"});
		return;
	}
	q.body = written(rq, &room, &in);
	if (coap_request_write(rq, base, in, &q.code, &o) != OK) {
		wr_free(&room);
		done(ctx, &(const struct onem2m_response){.rsc = RSC_BAD_REQUEST, .failure = ERR_TOO_LONG, .why = "a part of the address or a parameter has more than CoAP's 255 octets"});
		return;
	}
	q.option_count = o.count;
	identity_of_target(&b->config.self, target, identity, sizeof identity);
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	s->port = port;
	s->done = done;
	s->ctx = ctx;
	s->next = b->sendings;
	s->at = &b->sendings;
	if (s->next)
		s->next->at = &s->next;
	b->sendings = s;
	datagram_connect(port->socket, &to, tls, identity, &s->peer);
	peer = (struct coap_peer){s->peer.session, s->peer.address, s->peer.port};
	coap_call_new(port->endpoint, clock_ms(), &peer, &q, on_result, s);
	coap_port_arm(port);
	wr_free(&room);
}
