/* The message layer: who gets what arrives, and confirmable messages until they are acknowledged. */
#include "coap/coap_endpoint.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "coap/coap_private.h"

#define PATHS_MANY 4096 /* then those not used for long are looked for */

bool coap_peer_equal(const struct coap_peer *a, const struct coap_peer *b)
{
	return a->session == b->session && a->address == b->address && a->port == b->port;
}

size_t coap_bucket_of(const struct coap_peer *peer, uint32_t more)
{
	uint64_t h = (peer->session ^ ((uint64_t)peer->address << 16) ^ peer->port) * 0x9e3779b97f4a7c15U ^ more * 0xff51afd7ed558ccdU;

	return (size_t)(h >> 40) % BUCKETS;
}

uint64_t coap_digest_of(uint64_t seed, struct rd octets)
{
	uint8_t octet;

	while (rd_u8(&octets, &octet))
		seed = (seed ^ octet) * 0x100000001b3U;
	return seed;
}

void coap_send_empty(struct coap_endpoint *e, const struct coap_peer *to, enum coap_type type, uint16_t id)
{
	uint8_t octets[4];
	struct wr w = wr_of(octets, sizeof octets);
	struct coap_message m = {.type = type, .code = COAP_EMPTY, .id = id};

	if (coap_message_encode(&m, &w) == OK)
		e->config.send(e->config.ctx, to, rd_of(octets, w.len));
}

/* ---- options ---- */

static const struct coap_option_rule own_rules[] = {
	{COAP_URI_HOST, 1, 255, false}, {COAP_ETAG, 1, 8, true}, {COAP_URI_PORT, 0, 2, false}, {COAP_LOCATION_PATH, 0, 255, true},
	{COAP_URI_PATH, 0, 255, true}, {COAP_CONTENT_FORMAT, 0, 2, false}, {COAP_MAX_AGE, 0, 4, false}, {COAP_URI_QUERY, 0, 255, true},
	{COAP_ACCEPT, 0, 2, false}, {COAP_LOCATION_QUERY, 0, 255, true}, {COAP_BLOCK2, 0, 3, false}, {COAP_BLOCK1, 0, 3, false},
	{COAP_SIZE2, 0, 4, false}, {COAP_SIZE1, 0, 4, false},
};

static const struct coap_option_rule *rule_of(const struct coap_config *c, uint16_t number)
{
	for (size_t i = 0; i < sizeof own_rules / sizeof own_rules[0]; i++)
		if (own_rules[i].number == number)
			return &own_rules[i];
	for (size_t i = 0; i < c->rule_count; i++)
		if (c->rules[i].number == number)
			return &c->rules[i];
	return NULL;
}

/* Odd numbers are critical: RFC 7252 section 5.4.6. */
uint16_t coap_option_refused(const struct coap_endpoint *e, const struct coap_message *m)
{
	for (size_t i = 0; i < m->option_count; i++) {
		const struct coap_option *o = &m->options[i];
		const struct coap_option_rule *rule;

		if (o->number % 2 == 0)
			continue;
		rule = rule_of(&e->config, o->number);
		if (!rule || o->value.left < rule->least || o->value.left > rule->most || (!rule->repeats && i > 0 && m->options[i - 1].number == o->number))
			return o->number;
	}
	return 0;
}

unsigned coap_szx_for(size_t other_octets)
{
	unsigned szx = COAP_SZX_MAX;

	while (szx > 2 && other_octets + coap_block_size(szx) > COAP_MESSAGE_SIZE)
		szx--;
	return szx;
}

/* ---- confirmable messages ---- */

static void on_retransmission(struct coap_endpoint *e, struct coap_timer *timer, uint64_t now)
{
	struct transmission *t = CONTAINER_OF(timer, struct transmission, timer);

	if (t->tries > COAP_RETRANSMISSIONS) {
		coap_transmission_end(e, t, ERR_TIMEOUT, now);
		return;
	}
	t->tries++;
	t->interval *= 2;
	coap_timer_at(e, &t->timer, now + t->interval);
	e->config.send(e->config.ctx, &t->peer, rd_of(t->octets.octets, t->octets.len));
}

void coap_transmission_start(struct coap_endpoint *e, struct transmission *t, uint64_t now)
{
	struct transmission **bucket = &e->transmissions[coap_bucket_of(&t->peer, t->id)];

	t->active = true;
	t->next = *bucket;
	*bucket = t;
	t->tries = 1;
	t->interval = COAP_ACK_TIMEOUT_MS + rng_below(e->config.rng, COAP_ACK_RANDOM_MS + 1);
	t->timer.fn = on_retransmission;
	coap_timer_at(e, &t->timer, now + t->interval);
	e->config.send(e->config.ctx, &t->peer, rd_of(t->octets.octets, t->octets.len));
}

void coap_transmission_stop(struct coap_endpoint *e, struct transmission *t)
{
	struct transmission **link = &e->transmissions[coap_bucket_of(&t->peer, t->id)];

	if (!t->active)
		return;
	while (*link && *link != t)
		link = &(*link)->next;
	if (*link)
		*link = t->next;
	t->active = false;
	coap_timer_stop(e, &t->timer);
	wr_free(&t->octets);
}

void coap_transmission_end(struct coap_endpoint *e, struct transmission *t, enum err outcome, uint64_t now)
{
	coap_transmission_stop(e, t);
	t->ended(e, t, outcome, now);
}

static struct transmission *transmission_find(struct coap_endpoint *e, const struct coap_peer *peer, uint16_t id)
{
	for (struct transmission *t = e->transmissions[coap_bucket_of(peer, id)]; t; t = t->next)
		if (t->id == id && coap_peer_equal(&t->peer, peer))
			return t;
	return NULL;
}

/* ---- peers ---- */

static void paths_forget_old(struct coap_endpoint *e, uint64_t now)
{
	for (size_t b = 0; b < BUCKETS; b++) {
		struct path **link = &e->paths[b];

		while (*link) {
			struct path *p = *link;

			if (p->in_flight > 0 || p->first || now - p->used < COAP_EXCHANGE_LIFETIME_MS) {
				link = &p->next;
				continue;
			}
			*link = p->next;
			e->path_count--;
			free(p);
		}
	}
}

struct path *coap_path_of(struct coap_endpoint *e, const struct coap_peer *peer, uint64_t now)
{
	struct path **bucket = &e->paths[coap_bucket_of(peer, 0)], *p;

	for (p = *bucket; p; p = p->next) {
		if (coap_peer_equal(&p->peer, peer)) {
			p->used = now;
			return p;
		}
	}
	if (e->path_count >= PATHS_MANY && e->path_count % 256 == 0)
		paths_forget_old(e, now);
	p = calloc(1, sizeof *p);
	if (!p)
		abort();
	p->peer = *peer;
	p->used = now;
	p->next_id = (uint16_t)rng_u32(e->config.rng);
	p->next = *bucket;
	*bucket = p;
	e->path_count++;
	return p;
}

/* ---- what arrives ---- */

static void response(struct coap_endpoint *e, uint64_t now, const struct coap_peer *from, const struct coap_message *m, uint64_t digest)
{
	struct coap_call *call = coap_call_by_token(e, m, from);

	if (m->type == COAP_CON) {
		struct coap_exchange *x;

		if (!call) {
			coap_send_empty(e, from, COAP_RST, m->id);
			return;
		}
		/* Its acknowledgement may get lost; the same answer then. */
		x = coap_exchange_new(e, from, m, digest, now);
		x->acknowledged = true;
		coap_send_empty(e, from, COAP_ACK, m->id);
	}
	if (call)
		coap_call_response(call, now, m);
}

/* What came before from this peer: octet for octet, since peers in a hurry use their message ids again soon. True when that is all to do. */
static bool repeated(struct coap_endpoint *e, const struct coap_peer *from, const struct coap_message *m, uint64_t digest)
{
	struct coap_exchange *x = coap_exchange_find(e, from, m->id, digest);

	if (!x)
		return false;
	if (x->confirmable && x->acknowledged)
		coap_send_empty(e, from, COAP_ACK, m->id);
	else if (x->confirmable && x->answer.len > 0)
		e->config.send(e->config.ctx, from, rd_of(x->answer.octets, x->answer.len));
	return true;
}

static void acknowledged(struct coap_endpoint *e, uint64_t now, const struct coap_peer *from, const struct coap_message *m)
{
	struct transmission *t = transmission_find(e, from, m->id);
	struct coap_call *call;

	if (!t)
		return;
	if (m->type == COAP_RST) {
		coap_transmission_end(e, t, ERR_CLOSED, now);
	} else if (m->code == COAP_EMPTY) {
		coap_transmission_end(e, t, OK, now);
	} else {
		call = coap_call_by_token(e, m, from);
		if (call && &call->transmission == t)
			coap_call_response(call, now, m);
	}
}

void coap_endpoint_input(struct coap_endpoint *e, uint64_t now, const struct coap_peer *from, struct rd datagram)
{
	struct coap_message m;
	enum err err = coap_message_decode(datagram, &m);
	uint64_t digest;

	if (err != OK) { /* RFC 7252 section 4.2: a confirmable message that cannot be read is rejected */
		if (err != ERR_VERSION && datagram.left >= 4 && m.type == COAP_CON)
			coap_send_empty(e, from, COAP_RST, m.id);
		return;
	}
	coap_exchange_forget_old(e, now);
	if (m.type == COAP_ACK || m.type == COAP_RST) {
		acknowledged(e, now, from, &m);
		return;
	}
	digest = coap_digest_of(DIGEST_SEED, datagram);
	switch (m.code >> 5) {
	case 0:
		if (m.code == COAP_EMPTY || !e->config.request) { /* a ping, section 4.3; or we serve nobody */
			if (m.type == COAP_CON)
				coap_send_empty(e, from, COAP_RST, m.id);
		} else if (!repeated(e, from, &m, digest)) {
			coap_server_request(e, now, from, &m, digest);
		}
		break;
	case 2:
	case 4:
	case 5:
		if (!repeated(e, from, &m, digest))
			response(e, now, from, &m, digest);
		break;
	default: /* reserved */
		if (m.type == COAP_CON)
			coap_send_empty(e, from, COAP_RST, m.id);
	}
}

bool coap_endpoint_unreachable(struct coap_endpoint *e, uint64_t now, const struct coap_peer *peer)
{
	/* Only one: what ends may start another to this peer, which the network will tell of in its turn. */
	for (size_t b = 0; b < BUCKETS; b++) {
		struct transmission *t = e->transmissions[b];

		while (t && !coap_peer_equal(&t->peer, peer))
			t = t->next;
		if (t) {
			coap_transmission_end(e, t, ERR_UNREACHABLE, now);
			return true;
		}
	}
	return false;
}

void coap_endpoint_tick(struct coap_endpoint *e, uint64_t now)
{
	while (e->timers.count > 0 && e->timers.heap[1]->at <= now) {
		struct coap_timer *t = e->timers.heap[1];

		coap_timer_stop(e, t);
		t->fn(e, t, now);
	}
	coap_exchange_forget_old(e, now);
	coap_transfers_bound(&e->incoming, now);
	coap_transfers_bound(&e->outgoing, now);
}

uint64_t coap_endpoint_deadline(const struct coap_endpoint *e)
{
	return e->timers.count > 0 ? e->timers.heap[1]->at : CLOCK_NEVER;
}

/* ---- life ---- */

struct coap_endpoint *coap_endpoint_new(const struct coap_config *c)
{
	struct coap_endpoint *e = calloc(1, sizeof *e);

	if (e)
		e->config = *c;
	return e;
}

void coap_endpoint_free(struct coap_endpoint *e)
{
	if (!e)
		return;
	coap_calls_free(e);
	while (e->oldest)
		coap_exchange_free(e->oldest);
	while (e->incoming.first)
		coap_transfer_free(&e->incoming, e->incoming.first);
	while (e->outgoing.first)
		coap_transfer_free(&e->outgoing, e->outgoing.first);
	for (size_t b = 0; b < BUCKETS; b++) {
		while (e->paths[b]) {
			struct path *p = e->paths[b];

			e->paths[b] = p->next;
			free(p);
		}
	}
	free(e->timers.heap);
	free(e);
}
