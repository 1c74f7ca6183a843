/* The binding: clients that come, connections that are opened, and their upkeep. */
#include "binding/websocket/websocket_binding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binding/websocket/ws_private.h"

static const struct onem2m_response unreachable = {.rsc = RSC_TARGET_NOT_REACHABLE, .failure = ERR_CONFIG, .why = "the address is none that a WebSocket can reach, or there are no credentials for TLS"};

/* ---- clients that come ---- */

static void add_header(void *opening, struct rd name, struct rd value)
{
	ws_opening_header(opening, (const char *)name.at, (const char *)value.at);
}

static struct ws_opening opening_of(struct http_exchange *x)
{
	struct ws_opening o = {.protocol = SERIALIZATION_JSON};

	http_request_headers(x, add_header, &o);
	return o;
}

bool websocket_is_meant(struct http_exchange *x, const struct http_request *rq)
{
	struct ws_opening o;

	if (strcmp(rq->method, "GET") != 0 || !http_request_header(x, "Upgrade"))
		return false;
	o = opening_of(x);
	return ws_opening_is_meant(&o);
}

struct coming {
	struct websocket_binding *binding;
	enum serialization protocol;
	char address[64];
};

static void on_upgraded(void *ctx, struct stream *s)
{
	struct coming *k = ctx;
	struct websocket_binding *b = k->binding;
	struct ws_peer *p;

	if (!s) {
		b->accepted--;
	} else {
		p = ws_peer_new(b, false);
		snprintf(p->address, sizeof p->address, "%s", k->address);
		stream_handle(s, &ws_peer_events, p);
		ws_peer_open(p, s, k->protocol, true);
	}
	free(k);
}

/* No browser asks before it opens a WebSocket for a page from anywhere: the page's origin is all there is to go by (RFC 6455 clause 10.2). */
static bool origin_is_welcome(const struct websocket_binding *b, const char *origin)
{
	return !origin || (b->config.cors && (strcmp(b->config.cors, "*") == 0 || strcmp(b->config.cors, origin) == 0));
}

void websocket_accept(struct websocket_binding *b, struct http_exchange *x, const struct http_request *rq)
{
	struct ws_opening o = opening_of(x);
	const char *why;
	unsigned status = ws_opening_status(&o, &why);
	const struct http_header refusal[] = {{"Content-Type", "text/plain"}, {status == 426 ? "Sec-WebSocket-Version" : NULL, "13"}, {NULL, NULL}};
	const struct http_header headers[] = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", o.accept}, {"Sec-WebSocket-Protocol", ws_protocol_name(o.protocol)}, {NULL, NULL}};
	struct coming *k;

	if (b->config.refuse_clients) {
		http_answer(x, 403, refusal, rd_str("WebSockets are switched off: see [websocket] accept\n"));
	} else if (strcmp(rq->path, "/") != 0) {
		http_answer(x, 404, refusal, rd_str("WebSockets are at /\n"));
	} else if (status != 101) {
		http_answer(x, status, refusal, rd_str(why));
	} else if (!origin_is_welcome(b, o.origin)) {
		http_answer(x, 403, refusal, rd_str("pages of this origin are not welcome: see [http] cors\n"));
	} else if (b->accepted >= WEBSOCKET_PEERS_MAX || b->ending) {
		http_answer(x, 503, refusal, rd_str("there are too many WebSockets\n"));
	} else {
		k = calloc(1, sizeof *k);
		if (!k)
			abort();
		k->binding = b;
		k->protocol = o.protocol;
		snprintf(k->address, sizeof k->address, "%s", rq->address);
		b->accepted++;
		http_upgrade(x, headers, on_upgraded, k);
	}
}

/* ---- connections that are opened ---- */

static void on_connected(void *ctx)
{
	struct ws_peer *p = ctx;
	struct wr w = wr_new(8192);
	struct rd request;

	p->state = WS_OPENING;
	ws_request_key(&p->binding->rng, p->key);
	ws_request_write(&w, p->host_port, p->path, p->key, p->asked ? p->asked->rq->wanted : SERIALIZATION_JSON);
	if (wr_done(&w, &request))
		stream_write(p->stream, request);
	wr_free(&w);
}

static size_t on_data(void *ctx, struct rd in)
{
	struct ws_peer *p = ctx;
	enum serialization protocol;
	struct rd rest;
	enum err e;

	if (p->state == WS_OPEN) {
		ws_peer_input(p, in);
		return in.left;
	}
	e = ws_response_read(in, p->key, &protocol, &rest);
	if (e == ERR_SHORT)
		return 0;
	if (e != OK) {
		p->failure = e;
		p->why = "who is there does not speak oneM2M over WebSocket";
		ws_peer_end(p, false);
		return in.left;
	}
	if (p->target[0])
		ws_entity_note(p, p->target);
	ws_peer_open(p, p->stream, protocol, false);
	if (rest.left > 0)
		ws_peer_input(p, rest);
	return in.left;
}

static void on_closed(void *ctx, enum err why)
{
	struct ws_peer *p = ctx;

	p->failure = why;
	ws_peer_end(p, false);
}

static const struct stream_events client_events = {on_connected, on_data, on_closed};

static struct ws_peer *find_client(const struct websocket_binding *b, const char *url, const char *target)
{
	struct ws_peer *p = b->peers;

	while (p && !(p->client && !p->leaving && strcmp(p->url, url) == 0 && strcmp(p->target, target) == 0))
		p = p->next;
	return p;
}

static struct ws_peer *connect_to(struct websocket_binding *b, const char *url, const char *target)
{
	struct ws_peer *p = ws_peer_new(b, true);
	char address[160], identity[IDENTITY_MAX];
	bool secure;

	snprintf(p->url, sizeof p->url, "%s", url);
	snprintf(p->target, sizeof p->target, "%s", target);
	identity_of_target(&b->config.self, target, identity, sizeof identity);
	if (strlen(url) < sizeof p->url && strlen(target) < sizeof p->target && ws_url_parse(url, &secure, p->host_port, sizeof p->host_port, p->path, sizeof p->path)) {
		snprintf(address, sizeof address, "%s:%s", secure ? "tls" : "tcp", p->host_port);
		snprintf(p->address, sizeof p->address, "%.*s", (int)strcspn(p->host_port, ":"), p->host_port);
		if (stream_open(b->loop, address, tls_choose(&b->config.keys, target, b->config.tls), identity, &client_events, p, &p->stream) == OK)
			return p;
	}
	ws_peer_end(p, false);
	return NULL;
}

void websocket_send(void *binding, const char *url, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct websocket_binding *b = binding;
	struct ws_peer *p = b->ending ? NULL : find_client(b, url, target_id);

	if (!p && !b->ending)
		p = connect_to(b, url, target_id);
	if (p)
		ws_peer_ask(p, rq, done, ctx);
	else
		done(ctx, &unreachable);
}

/* A request to an entity that may have several connections: an AE that came again while its old connection is dying, or programs that ask in its name
 * beside the one that takes its notifications, and answer 5103. The newest is tried first. */
struct ws_seeking {
	struct ws_seeking *next, **at;
	struct websocket_binding *binding;
	uint64_t number;              /* of the connection that was tried last */
	const struct onem2m_request *rq;
	cse_done *done;
	void *ctx;
	char id[WS_ID_MAX];
};

static void seeking_free(struct ws_seeking *s)
{
	*s->at = s->next;
	if (s->next)
		s->next->at = s->at;
	free(s);
}

static void on_sought(void *ctx, const struct onem2m_response *rsp)
{
	struct ws_seeking *s = ctx;
	struct ws_peer *p = rsp->rsc == RSC_TARGET_NOT_REACHABLE ? ws_entity_find(s->binding, s->id, s->number) : NULL;

	if (p) {
		s->number = p->number;
		ws_peer_ask(p, s->rq, on_sought, s);
		return;
	}
	s->done(s->ctx, rsp);
	seeking_free(s);
}

bool websocket_send_connected(void *binding, const char *target_id, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct websocket_binding *b = binding;
	struct ws_peer *p = b->ending ? NULL : ws_entity_find(b, target_id, UINT64_MAX);
	struct ws_seeking *s;

	if (!p)
		return false;
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	*s = (struct ws_seeking){.next = b->seeking, .at = &b->seeking, .binding = b, .number = p->number, .rq = rq, .done = done, .ctx = ctx};
	if (s->next)
		s->next->at = &s->next;
	b->seeking = s;
	snprintf(s->id, sizeof s->id, "%s", target_id);
	ws_peer_ask(p, rq, on_sought, s);
	return true;
}

/* ---- upkeep ---- */

/* Nobody uses it. That to the registrar stays: it is how the registrar reaches us. */
static bool is_idle(const struct ws_peer *p, uint64_t now)
{
	const char *registrar = p->binding->config.self.registrar_id;

	return p->client && !p->asked && !p->served && now - p->used_ms > WEBSOCKET_IDLE_MS && !(registrar && strcmp(p->target, registrar) == 0);
}

static void look_after(struct ws_peer *p, uint64_t now)
{
	uint64_t ping_ms = p->binding->config.ping_ms;

	if (p->state != WS_OPEN) {
		if (now - p->heard_ms > ping_ms)
			ws_peer_end(p, false); /* the handshake takes too long */
	} else if (p->pinged && now - p->heard_ms > 2 * ping_ms) {
		ws_peer_end(p, false);
	} else if (is_idle(p, now)) {
		p->leaving = true;
		ws_link_close(p->link, 1000);
	} else if (!p->pinged && now - p->heard_ms > ping_ms) {
		p->pinged = true;
		ws_link_ping(p->link);
	}
}

static void on_sweep(void *ctx)
{
	struct websocket_binding *b = ctx;
	uint64_t now = clock_ms();
	struct ws_peer *next;

	for (struct ws_peer *p = b->peers; p; p = next) {
		next = p->next;
		look_after(p, now);
	}
	loop_timer_in(b->sweep, b->config.ping_ms / 6);
}

struct websocket_binding *websocket_new(struct loop *l, const struct websocket_config *c)
{
	struct websocket_binding *b = calloc(1, sizeof *b);

	if (!b)
		abort();
	b->loop = l;
	b->config = *c;
	if (b->config.ping_ms == 0)
		b->config.ping_ms = WEBSOCKET_PING_MS;
	b->rng = rng_system();
	b->room = wr_new(ENVELOPE_OUT_MAX);
	b->sweep = loop_timer_new(l, on_sweep, b);
	loop_timer_in(b->sweep, b->config.ping_ms / 6);
	return b;
}

void websocket_serve(struct websocket_binding *b, struct once *once)
{
	b->once = once;
}

void websocket_goodbye(struct websocket_binding *b)
{
	struct ws_peer *next;

	for (struct ws_peer *p = b->peers; p; p = next) {
		next = p->next;
		if (p->state == WS_OPEN && !p->leaving) {
			p->leaving = true;
			ws_link_close(p->link, 1001);
		}
	}
}

void websocket_free(struct websocket_binding *b)
{
	if (!b)
		return;
	b->ending = true;
	while (b->peers) {
		struct ws_peer *p = b->peers;

		if (p->state == WS_OPEN)
			ws_link_close(p->link, 1001);
		if (b->peers == p)
			ws_peer_end(p, true);
	}
	while (b->orphans) {
		struct ws_served *s = b->orphans;

		b->orphans = s->next;
		envelope_free(s->envelope);
		free(s);
	}
	while (b->seeking)
		seeking_free(b->seeking);
	loop_timer_free(b->sweep);
	wr_free(&b->room);
	free(b);
}
