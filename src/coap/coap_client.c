/* Requests of ours: one after the other to each peer, bodies in blocks both ways, until the whole answer is there. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "coap/coap_private.h"

static size_t token_bucket(const uint8_t token[static COAP_TOKEN_MAX])
{
	return (size_t)coap_digest_of(DIGEST_SEED, rd_of(token, COAP_TOKEN_MAX)) % BUCKETS;
}

struct coap_call *coap_call_by_token(struct coap_endpoint *e, const struct coap_message *m, const struct coap_peer *from)
{
	if (m->token_len != COAP_TOKEN_MAX)
		return NULL;
	for (struct coap_call *c = e->calls[token_bucket(m->token)]; c; c = c->next)
		if (memcmp(c->token, m->token, COAP_TOKEN_MAX) == 0 && coap_peer_equal(&c->path->peer, from))
			return c;
	return NULL;
}

static void list(struct coap_call *call)
{
	struct coap_call **bucket = &call->endpoint->calls[token_bucket(call->token)];

	call->next = *bucket;
	call->link = bucket;
	if (call->next)
		call->next->link = &call->next;
	*bucket = call;
}

static void unlist(struct coap_call *call)
{
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
}

/* ---- turns ---- */

static void leave_queue(struct coap_call *call)
{
	struct path *p = call->path;
	struct coap_call *before = NULL;

	if (!call->waits)
		return;
	call->waits = false;
	for (struct coap_call *c = p->first; c != call; c = c->queued)
		before = c;
	if (before)
		before->queued = call->queued;
	else
		p->first = call->queued;
	if (p->last == call)
		p->last = before;
	call->queued = NULL;
}

static void land(struct coap_call *call)
{
	if (call->in_flight) {
		call->in_flight = false;
		call->path->in_flight--;
	}
}

static void call_free(struct coap_call *call)
{
	struct coap_endpoint *e = call->endpoint;

	leave_queue(call);
	land(call);
	unlist(call);
	coap_transmission_stop(e, &call->transmission);
	coap_timer_stop(e, &call->deadline);
	wr_free(&call->body);
	wr_free(&call->received);
	free(call->options);
	free(call->octets);
	free(call);
}

static void finish(struct coap_call *call, uint64_t now, enum err error, const struct coap_message *m)
{
	struct coap_endpoint *e = call->endpoint;
	struct path *p = call->path;
	coap_done *done = call->done;
	void *ctx = call->ctx;
	struct coap_message whole;
	struct wr received = call->received;
	const struct coap_result r = {error, error == OK ? &whole : NULL};

	call->received = (struct wr){0};
	call_free(call);
	if (error == OK) {
		whole = *m;
		if (received.len > 0)
			whole.payload = rd_of(received.octets, received.len);
	}
	done(ctx, &r);
	wr_free(&received);
	coap_path_go_on(e, p, now);
}

/* ---- messages ---- */

static void on_message_ended(struct coap_endpoint *e, struct transmission *t, enum err outcome, uint64_t now)
{
	struct coap_call *call = CONTAINER_OF(t, struct coap_call, transmission);
	struct path *p = call->path;

	if (outcome != OK) {
		finish(call, now, outcome, NULL);
		return;
	}
	land(call); /* it got there; the response comes with this or later */
	coap_path_go_on(e, p, now);
}

static bool add_blocks(struct coap_call *call, struct coap_message *m, uint8_t octets[static 12])
{
	struct rd body = rd_of(call->body.octets, call->body.len);
	size_t size = coap_block_size(call->szx);

	if (call->fetching)
		return coap_option_add(m, COAP_BLOCK2, coap_block_print(octets, call->next_block));
	if (!call->blocks) {
		m->payload = body;
		return true;
	}
	if (!rd_skip(&body, call->sent))
		return false;
	if (!coap_option_add(m, COAP_BLOCK1, coap_block_print(octets, (struct coap_block){(uint32_t)(call->sent / size), body.left > size, call->szx})))
		return false;
	if (call->sent == 0 && !coap_option_add(m, COAP_SIZE1, coap_uint_print(octets + 4, (uint32_t)body.left)))
		return false;
	m->payload = rd_of(body.at, body.left < size ? body.left : size);
	return true;
}

static size_t size_of_head(const struct coap_call *call)
{
	size_t size = 4 + COAP_TOKEN_MAX + 16;

	for (size_t i = 0; i < call->option_count; i++)
		size += 5 + call->options[i].value.left;
	return size;
}

static void send_next(struct coap_call *call, uint64_t now)
{
	struct coap_endpoint *e = call->endpoint;
	struct coap_message m = {.type = COAP_CON, .code = call->code, .token_len = COAP_TOKEN_MAX};
	struct transmission *t = &call->transmission;
	uint8_t octets[12];
	bool fits = true;

	for (size_t i = 0; i < call->option_count; i++)
		fits = fits && coap_option_add(&m, call->options[i].number, call->options[i].value);
	/* A token of its own for each block: what comes late is not taken for the answer to the next. */
	unlist(call);
	rng_fill(e->config.rng, call->token, sizeof call->token);
	list(call);
	memcpy(m.token, call->token, COAP_TOKEN_MAX);
	t->peer = call->path->peer;
	t->id = m.id = call->path->next_id++;
	t->ended = on_message_ended;
	t->octets = wr_new(COAP_DATAGRAM_MAX);
	if (!fits || !add_blocks(call, &m, octets) || coap_message_encode(&m, &t->octets) != OK) {
		wr_free(&t->octets);
		call->too_long = true;
		coap_timer_at(e, &call->deadline, now); /* not from within coap_call_new */
		return;
	}
	call->in_flight = true;
	call->path->in_flight++;
	coap_transmission_start(e, t, now);
}

void coap_path_go_on(struct coap_endpoint *e, struct path *p, uint64_t now)
{
	(void)e;
	while (p->first && p->in_flight < COAP_NSTART) {
		struct coap_call *call = p->first;

		leave_queue(call);
		send_next(call, now);
	}
}

/* The next block goes before what waits: a body on its way is not held up by others. */
static void go_on(struct coap_call *call, uint64_t now)
{
	land(call);
	send_next(call, now);
}

/* ---- what comes back ---- */

/* A block of ours was taken, or is too large. True when there is more to send. */
static bool send_rest(struct coap_call *call, uint64_t now, const struct coap_message *m)
{
	const struct coap_option *o = coap_option_find(m, COAP_BLOCK1);
	size_t size = coap_block_size(call->szx);
	struct coap_block b;

	if (!call->blocks || call->fetching || !o || !coap_block_parse(o->value, &b))
		return false;
	if (m->code == COAP_TOO_LARGE && b.szx < call->szx && call->sent == 0) {
		call->szx = b.szx;
		go_on(call, now);
		return true;
	}
	if (m->code != COAP_CONTINUE || call->sent + size >= call->body.len)
		return false;
	call->sent += size;
	if (b.szx < call->szx)
		call->szx = b.szx;
	go_on(call, now);
	return true;
}

static bool same_etag(struct coap_call *call, const struct coap_message *m, bool first)
{
	const struct coap_option *o = coap_option_find(m, COAP_ETAG);
	uint64_t etag = o ? coap_digest_of(DIGEST_SEED, o->value) : 0;

	if (first) {
		call->has_etag = o != NULL;
		call->etag = etag;
	}
	return call->has_etag == (o != NULL) && call->etag == etag;
}

static void take_block(struct coap_call *call, uint64_t now, const struct coap_message *m, struct coap_block b)
{
	size_t size = coap_block_size(b.szx);

	if ((size_t)b.number * size != call->received.len || m->payload.left > size || (b.more && m->payload.left < size) ||
	    !same_etag(call, m, b.number == 0)) {
		finish(call, now, ERR_MALFORMED, NULL);
		return;
	}
	wr_rd(&call->received, m->payload);
	if (call->received.spoilt) {
		finish(call, now, ERR_TOO_LONG, NULL);
	} else if (b.more) {
		call->fetching = true;
		call->next_block = (struct coap_block){b.number + 1, false, b.szx};
		go_on(call, now);
	} else {
		finish(call, now, OK, m);
	}
}

void coap_call_response(struct coap_call *call, uint64_t now, const struct coap_message *m)
{
	struct coap_endpoint *e = call->endpoint;
	const struct coap_option *block2 = coap_option_find(m, COAP_BLOCK2);
	struct coap_block b;

	coap_transmission_stop(e, &call->transmission); /* a response says that the request arrived */
	land(call);
	if (coap_option_refused(e, m) != 0)
		finish(call, now, ERR_UNSUPPORTED, NULL);
	else if (send_rest(call, now, m))
		return;
	else if (m->code == COAP_CONTINUE)
		finish(call, now, ERR_MALFORMED, NULL);
	else if (block2 && !coap_block_parse(block2->value, &b))
		finish(call, now, ERR_MALFORMED, NULL);
	else if (block2 && (b.more || b.number > 0))
		take_block(call, now, m, b);
	else if (call->fetching && m->code >> 5 == 2)
		finish(call, now, ERR_MALFORMED, NULL);
	else if (m->payload.left > e->config.body_max)
		finish(call, now, ERR_TOO_LONG, NULL);
	else {
		wr_free(&call->received);
		finish(call, now, OK, m);
	}
}

/* ---- begin and end ---- */

static void on_deadline(struct coap_endpoint *e, struct coap_timer *t, uint64_t now)
{
	struct coap_call *call = CONTAINER_OF(t, struct coap_call, deadline);

	(void)e;
	finish(call, now, call->too_long ? ERR_TOO_LONG : ERR_TIMEOUT, NULL);
}

static void copy_options(struct coap_call *call, const struct coap_question *q)
{
	size_t size = 0, at = 0;

	for (size_t i = 0; i < q->option_count; i++)
		size += q->options[i].value.left;
	call->options = calloc(q->option_count + 1, sizeof *call->options);
	call->octets = malloc(size + 1);
	if (!call->options || !call->octets)
		abort();
	for (size_t i = 0; i < q->option_count; i++) {
		struct rd value = q->options[i].value;

		if (value.left > 0)
			memcpy(call->octets + at, value.at, value.left);
		call->options[i] = (struct coap_option){q->options[i].number, rd_of(call->octets + at, value.left)};
		at += value.left;
	}
	call->option_count = q->option_count;
}

struct coap_call *coap_call_new(struct coap_endpoint *e, uint64_t now, const struct coap_peer *to, const struct coap_question *q, coap_done *done, void *ctx)
{
	struct coap_call *call = calloc(1, sizeof *call);
	struct path *p = coap_path_of(e, to, now);

	if (!call)
		abort();
	call->endpoint = e;
	call->path = p;
	call->code = q->code;
	call->done = done;
	call->ctx = ctx;
	copy_options(call, q);
	call->body = wr_new(q->body.left + 1);
	wr_rd(&call->body, q->body);
	call->received = wr_new(e->config.body_max);
	call->szx = coap_szx_for(size_of_head(call));
	call->blocks = q->body.left > coap_block_size(call->szx);
	list(call);
	call->deadline.fn = on_deadline;
	coap_timer_at(e, &call->deadline, now + q->timeout_ms);
	call->waits = true;
	if (p->last)
		p->last->queued = call;
	else
		p->first = call;
	p->last = call;
	coap_path_go_on(e, p, now);
	return call;
}

void coap_calls_free(struct coap_endpoint *e)
{
	for (size_t b = 0; b < BUCKETS; b++)
		while (e->calls[b])
			call_free(e->calls[b]);
}
