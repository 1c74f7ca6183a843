/* One connection: primitives of either side over it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binding/websocket/ws_private.h"
#include "json/json.h"
#include "onem2m/timestamp.h"

#define ANSWER_MS 10000 /* for a request that does not say until when it lives, as over HTTP */

/* ---- messages ---- */

static bool send_message(struct ws_peer *p, const struct wr *w)
{
	struct rd message;

	if (p->client)
		p->used_ms = clock_ms();
	return p->state == WS_OPEN && wr_done(w, &message) && ws_link_send(p->link, p->serialization == SERIALIZATION_CBOR, message) == OK;
}

static void send_response(struct ws_peer *p, const struct onem2m_response *rsp, const struct envelope_about *about)
{
	static const struct onem2m_response too_long = {.rsc = RSC_NOT_ACCEPTABLE};
	struct wr *w = &p->binding->room;

	wr_reset(w);
	if (envelope_write_response(p->serialization, rsp, about, w) != OK) {
		wr_reset(w);
		if (envelope_write_response(p->serialization, &too_long, about, w) != OK)
			wr_reset(w);
	}
	if (w->len > 0)
		(void)send_message(p, w); /* who is gone needs no answer */
	if (w->capacity > WS_ROOM_KEPT) {
		wr_free(w);
		*w = wr_new(ENVELOPE_OUT_MAX);
	}
}

static struct envelope_about about_of(const struct ws_peer *p, const struct envelope *v)
{
	return (struct envelope_about){
		.id = v->id,
		.to = v->from,
		.from = rd_str(p->binding->config.self.own_id),
		.release = v->rq.release,
		.vendor = v->rq.vendor,
		.ec = v->rq.ec,
		.rooted = v->rooted,
	};
}

static void refuse(struct ws_peer *p, const struct envelope_about *about, enum onem2m_rsc rsc, const char *why)
{
	struct wr w = wr_new(4096);
	struct json_out o = json_out(&w);
	struct onem2m_response rsp = {.rsc = rsc};

	json_object(&o, NULL);
	json_put_string(&o, "m2m:dbg", why);
	json_close(&o);
	if (!wr_done(&w, &rsp.content))
		rsp.content = rd_of("", 0);
	send_response(p, &rsp, about);
	wr_free(&w);
}

/* ---- their requests ---- */

static void served_unlink(struct ws_served *s)
{
	struct ws_served **at = s->peer ? &s->peer->served : &s->binding->orphans;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (s->peer)
		s->peer->served_count--;
}

/* The AE-ID that a registration was given. */
static bool registered_id(const struct onem2m_response *rsp, struct json_arena *a, struct rd *id)
{
	const struct json *doc;

	return a && rsp->content.left > 0 && json_parse(a, rsp->content, NULL, &doc) == OK && json_string(json_path(doc, "m2m:ae.aei"), id);
}

/* Who was served is reached over this connection from now on: TS-0020 clauses 5.2 and 6.4. */
static void note_sender(struct ws_peer *p, const struct onem2m_request *rq, const struct onem2m_response *rsp)
{
	bool registration = rq->operation == ONEM2M_CREATE && rq->type == 2;
	const struct identity_self *self = &p->binding->config.self;
	struct json_arena *a;
	struct rd from = rq->from;
	char id[WS_ID_MAX], there[WS_ID_MAX];

	if ((int)rsp->rsc >= 4000 || (!registration && rd_is(from, p->noted)))
		return;
	a = registration ? json_arena_new() : NULL;
	if ((!registration || registered_id(rsp, a, &from) || from.left > 1) && ws_entity_id(self, from, id, sizeof id) && strcmp(id, self->own_id) != 0) {
		ws_entity_note(p, id);
		/* "/Sx" is an AE-ID that the service provider gave, which is here at this CSE, or a CSE */
		if (id[1] == 'S' && !strchr(id + 1, '/') && (size_t)snprintf(there, sizeof there, "%s%s", self->own_id, id) < sizeof there)
			ws_entity_note(p, there);
		if (!rd_text(from, p->noted, sizeof p->noted))
			p->noted[0] = '\0';
	}
	json_arena_free(a);
}

static void on_served(void *ctx, const struct onem2m_response *rsp)
{
	struct ws_served *s = ctx;
	struct ws_peer *p = s->peer;

	served_unlink(s);
	if (p) {
		const struct envelope_about about = about_of(p, s->envelope);

		note_sender(p, &s->envelope->rq, rsp);
		if (!rsp->silent)
			send_response(p, rsp, &about);
	}
	envelope_free(s->envelope);
	free(s);
}

static void serve(struct ws_peer *p, struct envelope *v)
{
	const struct tls_peer *known = stream_tls_peer(p->stream);
	struct ws_served *s = malloc(sizeof *s);

	if (!s)
		abort();
	*s = (struct ws_served){.next = p->served, .peer = p, .binding = p->binding, .envelope = v};
	p->served = s;
	p->served_count++;
	v->rq.peer = known ? known->identity : "";
	v->rq.credential = known ? known->credential : "";
	v->rq.address = rd_str(p->address);
	once_submit(p->binding->once, p->heard_ms, &v->rq, rd_str(p->name), false, on_served, s);
}

/* ---- our requests ---- */

static void asked_unlink(struct ws_asked *k)
{
	struct ws_asked **at = &k->peer->asked;

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	k->peer->asked_count--;
}

static void asked_end(struct ws_asked *k, const struct onem2m_response *rsp)
{
	bool heard = !k->peer->binding->ending; /* otherwise who asked is gone */
	cse_done *done = k->done;
	void *ctx = k->ctx;

	asked_unlink(k);
	loop_timer_free(k->timer);
	free(k);
	if (heard)
		done(ctx, rsp);
}

static void on_asked_expired(void *ctx)
{
	asked_end(ctx, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE, .failure = ERR_TIMEOUT});
}

static struct ws_asked *asked_find(const struct ws_peer *p, struct rd id)
{
	struct ws_asked *k = p->asked;

	while (k && !(k->sent && rd_is(id, k->id)))
		k = k->next;
	return k;
}

/* The request's own identifier, unless another request over this connection has it: forwarded ones are the choice of others. */
static void name_request(struct ws_asked *k)
{
	struct rd id = k->rq->request_id;

	if (id.left == 0 || !rd_text(id, k->id, sizeof k->id) || asked_find(k->peer, id))
		snprintf(k->id, sizeof k->id, "w%llx", (unsigned long long)++k->peer->binding->numbers);
}

static bool asked_send(struct ws_asked *k)
{
	struct onem2m_request rq = *k->rq;
	struct wr w = wr_new(ENVELOPE_OUT_MAX);
	bool ok;

	name_request(k);
	rq.request_id = rd_str(k->id);
	k->sent = true;
	ok = envelope_write_request(k->peer->serialization, &rq, &w) == OK && send_message(k->peer, &w);
	wr_free(&w);
	return ok;
}

static uint64_t life_of(const struct onem2m_request *rq)
{
	uint64_t now = clock_unix_ms(), until;

	if (rq->rqet.left == 0 || !timestamp_parse_abs_rel(rq->rqet, now, &until))
		return rq->patience_ms ? rq->patience_ms : ANSWER_MS;
	return (until > now ? until - now : 0) + 1000;
}

void ws_peer_ask(struct ws_peer *p, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct ws_asked *k;

	if (p->asked_count >= WEBSOCKET_ASKED_MAX) {
		done(ctx, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE, .failure = ERR_FULL, .why = "too many requests wait for their answers"});
		return;
	}
	k = calloc(1, sizeof *k);
	if (!k)
		abort();
	*k = (struct ws_asked){.peer = p, .rq = rq, .done = done, .ctx = ctx, .next = p->asked};
	k->timer = loop_timer_new(p->binding->loop, on_asked_expired, k);
	loop_timer_in(k->timer, life_of(rq));
	p->asked = k;
	p->asked_count++;
	p->used_ms = clock_ms();
	if (p->state == WS_OPEN && !asked_send(k))
		loop_timer_in(k->timer, 0); /* not from within the caller's own call */
}

static void take_response(struct ws_peer *p, struct envelope *v)
{
	struct ws_asked *k = asked_find(p, v->id);

	if (k) /* otherwise it is late, or to nothing that was asked */
		asked_end(k, v->fault[0] ? &(const struct onem2m_response){.rsc = RSC_INTERNAL_SERVER_ERROR} : &v->rsp);
	envelope_free(v);
}

/* ---- what comes ---- */

static void on_message(void *ctx, bool binary, struct rd message)
{
	struct ws_peer *p = ctx;
	char why[SERIALIZATION_WHY_SIZE];
	struct envelope *v;

	p->used_ms = p->heard_ms;
	if (binary != (p->serialization == SERIALIZATION_CBOR)) { /* TS-0020 table 6.2.2.9-1 */
		ws_link_close(p->link, 1003);
		return;
	}
	if (envelope_read(p->serialization, message, &v, why, sizeof why) != OK) {
		refuse(p, &(const struct envelope_about){.from = rd_str(p->binding->config.self.own_id)}, RSC_BAD_REQUEST, why);
		return;
	}
	if (v->is_response) {
		take_response(p, v);
	} else if (v->fault[0] || p->served_count >= WEBSOCKET_SERVED_MAX) {
		const struct envelope_about about = about_of(p, v);

		refuse(p, &about, v->fault[0] ? RSC_BAD_REQUEST : RSC_NOT_ACCEPTABLE, v->fault[0] ? v->fault : "too many requests of yours wait for their answers");
		envelope_free(v);
	} else {
		serve(p, v);
	}
}

static void on_write(void *ctx, struct rd octets)
{
	struct ws_peer *p = ctx;

	stream_write(p->stream, octets);
}

static void on_link_ended(void *ctx)
{
	ws_peer_end(ctx, true);
}

static const struct ws_link_events link_events = {on_write, on_message, on_link_ended};

void ws_peer_input(struct ws_peer *p, struct rd octets)
{
	p->heard_ms = clock_ms();
	p->pinged = false;
	ws_link_input(p->link, octets);
}

/* ---- the stream below ---- */

static void on_open(void *ctx)
{
	(void)ctx;
}

static size_t on_data(void *ctx, struct rd in)
{
	ws_peer_input(ctx, in);
	return in.left;
}

static void on_closed(void *ctx, enum err why)
{
	struct ws_peer *p = ctx;

	p->failure = why;
	ws_peer_end(p, false);
}

const struct stream_events ws_peer_events = {on_open, on_data, on_closed};

/* ---- life ---- */

struct ws_peer *ws_peer_new(struct websocket_binding *b, bool client)
{
	struct ws_peer *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->binding = b;
	p->client = client;
	p->number = ++b->connections;
	snprintf(p->name, sizeof p->name, "ws %llu", (unsigned long long)p->number);
	p->failure = ERR_CLOSED;
	p->heard_ms = p->used_ms = clock_ms();
	p->next = b->peers;
	p->at = &b->peers;
	if (p->next)
		p->next->at = &p->next;
	b->peers = p;
	return p;
}

void ws_peer_open(struct ws_peer *p, struct stream *s, enum serialization protocol, bool server)
{
	struct ws_asked *next;

	p->stream = s;
	p->serialization = protocol;
	p->link = ws_link_new(server, &p->binding->rng, ENVELOPE_MAX, &link_events, p);
	if (!p->link)
		abort();
	p->state = WS_OPEN;
	p->heard_ms = clock_ms();
	stream_allow(s, WS_WAITING_MAX);
	for (struct ws_asked *k = p->asked; k; k = next) {
		next = k->next;
		if (!asked_send(k))
			loop_timer_in(k->timer, 0);
	}
}

/* The CSE still answers what it was asked: to nobody. */
static void orphan(struct ws_peer *p)
{
	struct ws_served *s;

	while ((s = p->served) != NULL) {
		p->served = s->next;
		s->peer = NULL;
		s->envelope->rq.peer = ""; /* was its connection's own text */
		s->envelope->rq.credential = "";
		s->envelope->rq.address = rd_of("", 0);
		s->next = p->binding->orphans;
		p->binding->orphans = s;
	}
}

void ws_peer_end(struct ws_peer *p, bool gently)
{
	struct websocket_binding *b = p->binding;
	bool was_open = p->state == WS_OPEN;

	if (p->state == WS_ENDED)
		return;
	p->state = WS_ENDED;
	ws_entities_forget(p);
	orphan(p);
	*p->at = p->next;
	if (p->next)
		p->next->at = p->at;
	if (!p->client)
		b->accepted--;
	while (p->asked)
		asked_end(p->asked, &(const struct onem2m_response){.rsc = RSC_TARGET_NOT_REACHABLE, .failure = p->failure, .why = p->why});
	ws_link_free(p->link);
	if (gently)
		stream_end(p->stream);
	else
		stream_free(p->stream);
	if (p->client && was_open && b->config.lost && !b->ending)
		b->config.lost(b->config.lost_ctx, p->target);
	free(p);
}
