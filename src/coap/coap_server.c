/* Requests to us: blocks become bodies, the handler sees each once, bodies become blocks again. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "coap/coap_private.h"

static bool is_block_option(uint16_t number)
{
	return number == COAP_BLOCK1 || number == COAP_BLOCK2 || number == COAP_SIZE1 || number == COAP_SIZE2;
}

/* Blocks belong to one body when code and options are the same but for those of blocks: RFC 7959 section 2.5. */
static uint64_t key_of(const struct coap_message *m)
{
	uint64_t key = coap_digest_of(DIGEST_SEED, rd_of(&m->code, 1));

	for (size_t i = 0; i < m->option_count; i++) {
		const struct coap_option *o = &m->options[i];
		uint8_t head[6];
		struct wr w = wr_of(head, sizeof head);

		if (is_block_option(o->number))
			continue;
		wr_be16(&w, o->number);
		wr_be32(&w, (uint32_t)o->value.left);
		key = coap_digest_of(coap_digest_of(key, rd_of(head, w.len)), o->value);
	}
	return key;
}

/* ---- the way out ---- */

static void on_separate_ended(struct coap_endpoint *e, struct transmission *t, enum err outcome, uint64_t now)
{
	(void)e;
	(void)t;
	(void)outcome; /* a response that nobody acknowledged: the peer has given up or is gone */
	(void)now;
}

static void through(struct coap_exchange *x)
{
	coap_timer_stop(x->endpoint, &x->timer);
	if (x->waiting) {
		x->waiting = false;
		x->endpoint->waiting--;
	}
}

/* Piggybacked, or a message of its own: RFC 7252 section 5.2. */
static void send_response(struct coap_exchange *x, uint64_t now, struct coap_message *m)
{
	struct coap_endpoint *e = x->endpoint;
	struct wr w = wr_new(COAP_DATAGRAM_MAX);
	bool piggybacked = x->confirmable && !x->acknowledged;

	m->type = piggybacked ? COAP_ACK : x->confirmable ? COAP_CON : COAP_NON;
	m->id = piggybacked ? x->id : coap_path_of(e, &x->peer, now)->next_id++;
	m->token_len = x->token_len;
	memcpy(m->token, x->token, x->token_len);
	through(x);
	if (coap_message_encode(m, &w) != OK) {
		wr_free(&w);
		return;
	}
	if (piggybacked) {
		x->answer = w;
		e->answers_octets += w.len;
		e->config.send(e->config.ctx, &x->peer, rd_of(w.octets, w.len));
	} else if (x->confirmable) {
		x->separate.peer = x->peer;
		x->separate.id = m->id;
		x->separate.octets = w;
		x->separate.ended = on_separate_ended;
		coap_transmission_start(e, &x->separate, now);
	} else {
		e->config.send(e->config.ctx, &x->peer, rd_of(w.octets, w.len));
		wr_free(&w);
	}
}

static void send_code(struct coap_exchange *x, uint64_t now, uint8_t code, const struct coap_block *block1)
{
	struct coap_message m = {.code = code};
	uint8_t octets[4];

	if (block1 && !coap_option_add(&m, COAP_BLOCK1, coap_block_print(octets, *block1)))
		return;
	send_response(x, now, &m);
}

static bool has_room_for_blocks(const struct coap_message *m)
{
	return m->option_count + 4 <= COAP_OPTIONS_MAX;
}

/* One block of a body; m has the code and the options. A body that fits into one message goes as it is. */
static void send_block(struct coap_exchange *x, uint64_t now, struct coap_message *m, struct rd body, uint64_t etag, bool blocks)
{
	struct coap_block b = x->has_block2 ? x->block2 : (struct coap_block){.szx = COAP_SZX_MAX};
	uint8_t block1[4], block2[4], size[4], tag[8];
	struct wr w = wr_of(tag, sizeof tag);
	size_t from, of;

	if (x->has_block1 && !coap_option_add(m, COAP_BLOCK1, coap_block_print(block1, (struct coap_block){x->block1.number, false, x->block1.szx})))
		return;
	if (blocks) {
		of = coap_block_size(b.szx);
		from = (size_t)b.number * of;
		if (!rd_skip(&body, from) || (from > 0 && body.left == 0)) {
			send_code(x, now, COAP_BAD_REQUEST, NULL);
			return;
		}
		b.more = body.left > of;
		wr_be64(&w, etag);
		if (!coap_option_add(m, COAP_BLOCK2, coap_block_print(block2, b)) || !coap_option_add(m, COAP_ETAG, rd_of(tag, w.len)) ||
		    !coap_option_add(m, COAP_SIZE2, coap_uint_print(size, (uint32_t)(from + body.left))))
			return;
		if (b.more)
			body.left = of;
	}
	m->payload = body;
	send_response(x, now, m);
}

static size_t size_of_head(struct coap_message *m)
{
	struct wr w = wr_new(COAP_DATAGRAM_MAX);
	size_t size = coap_message_encode(m, &w) == OK ? w.len : COAP_MESSAGE_SIZE;

	wr_free(&w);
	return size + COAP_TOKEN_MAX + 32; /* token, and the options of blocks */
}

void coap_exchange_answer(struct coap_exchange *x, uint64_t now, const struct coap_answer *a)
{
	struct coap_endpoint *e = x->endpoint;
	struct coap_message m = {.code = a->code};
	uint64_t etag = 0;
	unsigned szx;
	bool blocks;

	for (size_t i = 0; i < a->option_count; i++)
		if (!coap_option_add(&m, a->options[i].number, a->options[i].value))
			break;
	if (!has_room_for_blocks(&m)) {
		send_code(x, now, COAP_INTERNAL_ERROR, NULL);
		return;
	}
	szx = coap_szx_for(size_of_head(&m));
	if (!x->has_block2)
		x->block2 = (struct coap_block){.szx = szx};
	else if (x->block2.szx > szx && x->block2.number == 0)
		x->block2.szx = szx;
	blocks = a->body.left > coap_block_size(x->block2.szx) || (x->has_block2 && x->block2.number > 0);
	if (blocks) {
		struct transfer *t = coap_transfer_new(e, &e->outgoing, &x->peer, x->key, now);
		struct coap_message head = m;

		x->has_block2 = true;
		t->etag = etag = coap_digest_of(DIGEST_SEED, a->body);
		wr_rd(&t->body, a->body);
		if (coap_message_encode(&head, &t->head) != OK || t->body.spoilt)
			coap_transfer_free(&e->outgoing, t);
		coap_transfers_bound(&e->outgoing, now);
	}
	send_block(x, now, &m, a->body, etag, blocks);
}

void coap_exchange_silence(struct coap_exchange *x, uint64_t now)
{
	(void)now;
	through(x);
	if (x->confirmable && !x->acknowledged) {
		x->acknowledged = true;
		coap_send_empty(x->endpoint, &x->peer, COAP_ACK, x->id);
	}
}

const struct coap_peer *coap_exchange_peer(const struct coap_exchange *x)
{
	return &x->peer;
}

/* ---- the way in ---- */

static void on_processing_delay(struct coap_endpoint *e, struct coap_timer *timer, uint64_t now)
{
	struct coap_exchange *x = CONTAINER_OF(timer, struct coap_exchange, timer);

	(void)now;
	x->acknowledged = true;
	coap_send_empty(e, &x->peer, COAP_ACK, x->id);
}

static void handle(struct coap_exchange *x, uint64_t now, const struct coap_message *m)
{
	struct coap_endpoint *e = x->endpoint;

	x->waiting = true;
	e->waiting++;
	if (x->confirmable) {
		x->timer.fn = on_processing_delay;
		coap_timer_at(e, &x->timer, now + COAP_PROCESSING_DELAY_MS);
	}
	e->config.request(e->config.ctx, x, m);
}

/* A block of a body after the first: from what was answered before, so that nothing is done twice. */
static bool continue_response(struct coap_exchange *x, uint64_t now)
{
	struct coap_endpoint *e = x->endpoint;
	struct transfer *t = x->has_block2 && x->block2.number > 0 ? coap_transfer_find(&e->outgoing, &x->peer, x->key) : NULL;
	struct coap_message m;

	if (!t || coap_message_decode(rd_of(t->head.octets, t->head.len), &m) != OK)
		return false;
	t->expires = now + COAP_EXCHANGE_LIFETIME_MS;
	x->has_block1 = false;
	send_block(x, now, &m, rd_of(t->body.octets, t->body.len), t->etag, true);
	return true;
}

static void refuse_too_large(struct coap_exchange *x, uint64_t now)
{
	struct coap_message m = {.code = COAP_TOO_LARGE};
	uint8_t size[4];

	if (coap_option_add(&m, COAP_SIZE1, coap_uint_print(size, (uint32_t)x->endpoint->config.body_max)))
		send_response(x, now, &m);
}

/* RFC 7959 section 2.5: blocks in order; the first begins anew. */
static void take_block(struct coap_exchange *x, uint64_t now, struct coap_message *m)
{
	struct coap_endpoint *e = x->endpoint;
	struct coap_block b = x->block1;
	size_t size = coap_block_size(b.szx);
	struct transfer *t = b.number == 0 ? coap_transfer_new(e, &e->incoming, &x->peer, x->key, now) : coap_transfer_find(&e->incoming, &x->peer, x->key);
	struct wr body;

	if (!t || t->body.len != (size_t)b.number * size) {
		send_code(x, now, COAP_INCOMPLETE, NULL);
		return;
	}
	if (m->payload.left > size || (b.more && m->payload.left < size)) {
		send_code(x, now, COAP_BAD_REQUEST, NULL);
		return;
	}
	wr_rd(&t->body, m->payload);
	t->expires = now + COAP_EXCHANGE_LIFETIME_MS;
	if (t->body.spoilt) {
		coap_transfer_free(&e->incoming, t);
		refuse_too_large(x, now);
		return;
	}
	if (b.more) {
		coap_transfers_bound(&e->incoming, now);
		send_code(x, now, COAP_CONTINUE, &b);
		return;
	}
	body = t->body; /* out of the list first: the handler may lead to anything */
	t->body = (struct wr){0};
	coap_transfer_free(&e->incoming, t);
	m->payload = rd_of(body.octets, body.len);
	handle(x, now, m);
	wr_free(&body);
}

void coap_server_request(struct coap_endpoint *e, uint64_t now, const struct coap_peer *from, const struct coap_message *message, uint64_t digest)
{
	struct coap_message m = *message;
	const struct coap_option *block1, *block2;
	struct coap_exchange *x;

	if (coap_option_refused(e, &m) != 0 && m.type == COAP_NON) /* section 5.4.1 */
		return;
	x = coap_exchange_new(e, from, &m, digest, now);
	if (coap_option_refused(e, &m) != 0) {
		send_code(x, now, COAP_BAD_OPTION, NULL);
		return;
	}
	block1 = coap_option_find(&m, COAP_BLOCK1);
	block2 = coap_option_find(&m, COAP_BLOCK2);
	x->has_block1 = block1 != NULL;
	x->has_block2 = block2 != NULL;
	x->key = key_of(&m);
	if ((block1 && !coap_block_parse(block1->value, &x->block1)) || (block2 && !coap_block_parse(block2->value, &x->block2)))
		send_code(x, now, COAP_BAD_OPTION, NULL); /* a size of seven is reserved */
	else if (e->waiting >= COAP_WAITING_MAX)
		send_code(x, now, COAP_UNAVAILABLE, NULL);
	else if (continue_response(x, now))
		return;
	else if (x->has_block2 && x->block2.number > 0 && m.code != COAP_GET)
		send_code(x, now, COAP_INCOMPLETE, NULL);
	else if (x->has_block1)
		take_block(x, now, &m);
	else if (m.payload.left > e->config.body_max)
		refuse_too_large(x, now);
	else
		handle(x, now, &m);
}
