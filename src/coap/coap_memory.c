/* What is remembered of peers, within bounds: messages, so that none is done twice, and bodies that come or go in blocks. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "coap/coap_private.h"

/* ---- messages ---- */

struct coap_exchange *coap_exchange_find(struct coap_endpoint *e, const struct coap_peer *peer, uint16_t id, uint64_t digest)
{
	for (struct coap_exchange *x = e->exchanges[coap_bucket_of(peer, id)]; x; x = x->next)
		if (x->id == id && x->digest == digest && coap_peer_equal(&x->peer, peer))
			return x;
	return NULL;
}

static void append(struct coap_endpoint *e, struct coap_exchange *x)
{
	x->older = e->newest;
	x->newer = NULL;
	if (e->newest)
		e->newest->newer = x;
	else
		e->oldest = x;
	e->newest = x;
}

static void take_out(struct coap_endpoint *e, struct coap_exchange *x)
{
	if (x->older)
		x->older->newer = x->newer;
	else
		e->oldest = x->newer;
	if (x->newer)
		x->newer->older = x->older;
	else
		e->newest = x->older;
}

struct coap_exchange *coap_exchange_new(struct coap_endpoint *e, const struct coap_peer *peer, const struct coap_message *m, uint64_t digest, uint64_t now)
{
	struct coap_exchange *x = calloc(1, sizeof *x), **bucket = &e->exchanges[coap_bucket_of(peer, m->id)];

	if (!x)
		abort();
	x->endpoint = e;
	x->peer = *peer;
	x->id = m->id;
	x->digest = digest;
	x->code = m->code;
	x->confirmable = m->type == COAP_CON;
	x->token_len = (uint8_t)m->token_len;
	memcpy(x->token, m->token, m->token_len);
	x->expires = now + COAP_EXCHANGE_LIFETIME_MS;
	x->next = *bucket;
	*bucket = x;
	append(e, x);
	e->exchange_count++;
	return x;
}

void coap_exchange_free(struct coap_exchange *x)
{
	struct coap_endpoint *e = x->endpoint;
	struct coap_exchange **link = &e->exchanges[coap_bucket_of(&x->peer, x->id)];

	while (*link != x)
		link = &(*link)->next;
	*link = x->next;
	take_out(e, x);
	e->exchange_count--;
	e->answers_octets -= x->answer.len;
	e->waiting -= x->waiting;
	coap_timer_stop(e, &x->timer);
	coap_transmission_stop(e, &x->separate);
	wr_free(&x->answer);
	free(x);
}

/* The oldest go first, but those that are not through yet. */
void coap_exchange_forget_old(struct coap_endpoint *e, uint64_t now)
{
	for (size_t spared = 0; e->oldest && spared < e->waiting + 1;) {
		struct coap_exchange *x = e->oldest;

		if (x->expires > now && e->exchange_count <= COAP_EXCHANGES_MAX && e->answers_octets <= COAP_ANSWERS_OCTETS_MAX)
			break;
		if (x->waiting || x->separate.active) {
			take_out(e, x);
			x->expires = now + COAP_EXCHANGE_LIFETIME_MS;
			append(e, x);
			spared++;
		} else {
			coap_exchange_free(x);
		}
	}
}

/* ---- bodies in blocks ---- */

static void unlink_transfer(struct transfers *l, struct transfer *t)
{
	struct transfer **link = &l->first;

	while (*link != t)
		link = &(*link)->next;
	*link = t->next;
}

struct transfer *coap_transfer_find(struct transfers *l, const struct coap_peer *peer, uint64_t key)
{
	struct transfer *t = l->first;

	while (t && !(t->key == key && coap_peer_equal(&t->peer, peer)))
		t = t->next;
	if (t && t != l->first) {
		unlink_transfer(l, t);
		t->next = l->first;
		l->first = t;
	}
	return t;
}

struct transfer *coap_transfer_new(struct coap_endpoint *e, struct transfers *l, const struct coap_peer *peer, uint64_t key, uint64_t now)
{
	struct transfer *t = coap_transfer_find(l, peer, key);

	if (t)
		coap_transfer_free(l, t);
	t = calloc(1, sizeof *t);
	if (!t)
		abort();
	t->peer = *peer;
	t->key = key;
	t->expires = now + COAP_EXCHANGE_LIFETIME_MS;
	t->head = wr_new(COAP_DATAGRAM_MAX);
	t->body = wr_new(e->config.body_max);
	t->next = l->first;
	l->first = t;
	l->count++;
	return t;
}

void coap_transfer_free(struct transfers *l, struct transfer *t)
{
	unlink_transfer(l, t);
	l->count--;
	wr_free(&t->head);
	wr_free(&t->body);
	free(t);
}

void coap_transfers_bound(struct transfers *l, uint64_t now)
{
	struct transfer *t = l->first, *next;
	size_t count = 0, octets = 0;

	for (; t; t = next) {
		next = t->next;
		count++;
		octets += t->body.capacity;
		if (t->expires <= now || count > COAP_TRANSFERS_MAX || (octets > COAP_TRANSFER_OCTETS_MAX && t != l->first)) {
			count--;
			octets -= t->body.capacity;
			coap_transfer_free(l, t);
		}
	}
}
