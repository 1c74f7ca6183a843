/* Messages from frames, and the closing handshake. */
#include "binding/websocket/ws_link.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/wr.h"
#include "binding/websocket/ws_frame.h"

#define ROOM_KEPT 4096 /* octets of a message whose room is used again for the next */

/* RFC 6455 clause 7.4.1 */
enum {
	CLOSE_PROTOCOL_ERROR = 1002,
	CLOSE_NO_CODE = 1005,         /* never on the wire */
	CLOSE_NO_TEXT = 1007,
	CLOSE_TOO_LONG = 1009,
	CLOSE_INTERNAL_ERROR = 1011,
};

struct ws_link {
	bool server;
	struct rng *rng;
	size_t message_max;
	const struct ws_link_events *events;
	void *ctx;
	bool busy, freed;
	bool closing;                 /* our close frame is out */
	bool ended;
	/* the frame that comes */
	bool inside;                  /* its head was read, its payload not to the end */
	struct ws_frame frame;
	uint64_t taken;               /* of its payload */
	struct wr head;               /* the first octets, when they came in pieces */
	struct wr control;            /* payload of a control frame */
	/* the message that comes */
	bool begun, binary;
	struct wr message;
	uint8_t head_octets[WS_FRAME_HEAD_MAX], control_octets[WS_FRAME_CONTROL_MAX];
};

/* ---- what leaves ---- */

static enum err write_frame(struct ws_link *l, enum ws_opcode opcode, struct rd payload)
{
	struct ws_frame f = {.final = true, .masked = !l->server, .opcode = opcode, .length = payload.left};
	uint8_t octets[WS_FRAME_HEAD_MAX];
	struct wr head = wr_of(octets, sizeof octets), masked = wr_new(payload.left);
	struct rd first;
	bool ok = true;

	if (f.masked) {
		rng_fill(l->rng, f.mask, sizeof f.mask);
		ws_frame_mask(f.mask, 0, payload, &masked);
		ok = wr_done(&masked, &payload);
	}
	ws_frame_write(&f, &head);
	if (ok && wr_done(&head, &first)) {
		l->events->write(l->ctx, first);
		if (payload.left > 0)
			l->events->write(l->ctx, payload);
	}
	wr_free(&masked);
	return ok ? OK : ERR_NO_MEMORY;
}

static void write_close(struct ws_link *l, uint16_t code)
{
	uint8_t octets[2];
	struct wr w = wr_of(octets, sizeof octets);

	if (l->closing)
		return;
	l->closing = true;
	if (code != CLOSE_NO_CODE)
		wr_be16(&w, code);
	(void)write_frame(l, WS_CLOSE, rd_of(octets, w.len)); /* without memory it ends without a word */
}

/* The peer broke the rules: it is told, and not listened to any more. */
static void fail(struct ws_link *l, uint16_t code)
{
	write_close(l, code);
	l->ended = true;
}

/* ---- what comes ---- */

static void on_message_end(struct ws_link *l)
{
	struct rd message;

	l->begun = false;
	if (!wr_done(&l->message, &message))
		fail(l, CLOSE_INTERNAL_ERROR); /* its length was judged before: there was no memory */
	else if (!l->binary && !utf8_is(message))
		fail(l, CLOSE_NO_TEXT);
	else
		l->events->message(l->ctx, l->binary, message);
	if (l->message.capacity > ROOM_KEPT) {
		wr_free(&l->message);
		l->message = wr_new(l->message_max);
	}
	wr_reset(&l->message);
}

/* Those of the RFC and of IANA's registry that may be sent, those of libraries, and private ones. */
static bool is_close_code(uint16_t code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static void on_close(struct ws_link *l, struct rd reason)
{
	uint16_t code = CLOSE_NO_CODE;

	if (reason.left > 0 && (!rd_be16(&reason, &code) || !is_close_code(code)))
		fail(l, CLOSE_PROTOCOL_ERROR);
	else if (!utf8_is(reason))
		fail(l, CLOSE_NO_TEXT);
	else
		write_close(l, code);
	l->ended = true;
}

static void on_frame_end(struct ws_link *l)
{
	struct rd control = rd_of(l->control_octets, l->control.len);

	l->inside = false;
	wr_reset(&l->control);
	switch (l->frame.opcode) {
	case WS_CONTINUATION:
	case WS_TEXT:
	case WS_BINARY:
		if (l->frame.final)
			on_message_end(l);
		break;
	case WS_CLOSE:
		on_close(l, control);
		break;
	case WS_PING:
		if (!l->closing)
			(void)write_frame(l, WS_PONG, control); /* who hears nothing asks again */
		break;
	case WS_PONG:
		break;
	}
}

/* Takes note of a frame whose head has come: 0, or the code that the link closes with. */
static uint16_t judge(struct ws_link *l)
{
	const struct ws_frame *f = &l->frame;

	if (f->masked != l->server)
		return CLOSE_PROTOCOL_ERROR;
	switch (f->opcode) {
	case WS_CLOSE:
	case WS_PING:
	case WS_PONG:
		return 0;
	case WS_CONTINUATION:
		if (!l->begun)
			return CLOSE_PROTOCOL_ERROR;
		break;
	case WS_TEXT:
	case WS_BINARY:
		if (l->begun)
			return CLOSE_PROTOCOL_ERROR;
		l->begun = true;
		l->binary = f->opcode == WS_BINARY;
		break;
	}
	return f->length > l->message_max - l->message.len ? CLOSE_TOO_LONG : 0;
}

/* A head that comes in pieces is put together octet by octet, and so never takes one that is the payload's. */
static enum err read_head(struct ws_link *l, struct rd *in)
{
	enum err e = l->head.len == 0 ? ws_frame_read(in, &l->frame) : ERR_SHORT;
	struct rd head;
	uint8_t octet;

	while (e == ERR_SHORT && rd_u8(in, &octet)) {
		wr_u8(&l->head, octet);
		head = rd_of(l->head_octets, l->head.len);
		e = ws_frame_read(&head, &l->frame);
	}
	if (e != ERR_SHORT)
		wr_reset(&l->head);
	return e;
}

static bool take_head(struct ws_link *l, struct rd *in)
{
	enum err e = read_head(l, in);
	uint16_t code;

	if (e == ERR_SHORT)
		return false;
	code = e == OK ? judge(l) : CLOSE_PROTOCOL_ERROR;
	if (code != 0) {
		fail(l, code);
		return false;
	}
	l->inside = true;
	l->taken = 0;
	return true;
}

/* Memory is taken for what is there, not for what a head promises. */
static bool take_payload(struct ws_link *l, struct rd *in)
{
	uint64_t left = l->frame.length - l->taken;
	struct wr *w = l->frame.opcode >= WS_CLOSE ? &l->control : &l->message;
	struct rd part;

	if (!rd_sub(in, left < in->left ? (size_t)left : in->left, &part))
		return false;
	if (l->frame.masked)
		ws_frame_mask(l->frame.mask, l->taken, part, w);
	else
		wr_rd(w, part);
	l->taken += part.left;
	return l->taken == l->frame.length;
}

/* ---- the link ---- */

struct ws_link *ws_link_new(bool server, struct rng *rng, size_t message_max, const struct ws_link_events *events, void *ctx)
{
	struct ws_link *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	*l = (struct ws_link){.server = server, .rng = rng, .message_max = message_max, .events = events, .ctx = ctx, .message = wr_new(message_max)};
	l->head = wr_of(l->head_octets, sizeof l->head_octets);
	l->control = wr_of(l->control_octets, sizeof l->control_octets);
	return l;
}

static void release(struct ws_link *l)
{
	wr_free(&l->message);
	free(l);
}

void ws_link_free(struct ws_link *l)
{
	if (!l)
		return;
	l->freed = true;
	if (!l->busy)
		release(l);
}

void ws_link_input(struct ws_link *l, struct rd octets)
{
	if (l->busy || l->ended)
		return;
	l->busy = true;
	while (!l->ended && !l->freed && (l->inside || take_head(l, &octets)) && take_payload(l, &octets))
		on_frame_end(l);
	if (l->ended && !l->freed)
		l->events->ended(l->ctx);
	l->busy = false;
	if (l->freed)
		release(l);
}

enum err ws_link_send(struct ws_link *l, bool binary, struct rd message)
{
	return l->closing || l->ended || l->freed ? ERR_CLOSED : write_frame(l, binary ? WS_BINARY : WS_TEXT, message);
}

void ws_link_ping(struct ws_link *l)
{
	if (!l->closing && !l->ended && !l->freed)
		(void)write_frame(l, WS_PING, rd_of("", 0)); /* not sent, it is not answered: the peer counts as gone */
}

void ws_link_close(struct ws_link *l, uint16_t code)
{
	if (!l->ended && !l->freed)
		write_close(l, code);
}
