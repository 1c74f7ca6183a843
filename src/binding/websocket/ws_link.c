/* Frames, by wslay. */
#include "binding/websocket/ws_link.h"

#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

struct ws_link {
	wslay_event_context_ptr ws;
	struct rng *rng;
	const struct ws_link_events *events;
	void *ctx;
	struct rd in;      /* what is left of the present input */
	bool busy, freed, ended;
};

/* ---- wslay's callbacks ---- */

static ssize_t on_recv(wslay_event_context_ptr ws, uint8_t *room, size_t size, int flags, void *ctx)
{
	struct ws_link *l = ctx;
	size_t n = l->in.left < size ? l->in.left : size;

	(void)flags;
	if (n == 0 || !rd_copy(&l->in, room, n)) {
		wslay_event_set_error(ws, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	return (ssize_t)n;
}

static ssize_t on_send(wslay_event_context_ptr ws, const uint8_t *octets, size_t len, int flags, void *ctx)
{
	struct ws_link *l = ctx;

	(void)ws;
	(void)flags;
	if (!l->freed)
		l->events->write(l->ctx, rd_of(octets, len));
	return (ssize_t)len;
}

static int on_mask(wslay_event_context_ptr ws, uint8_t *mask, size_t len, void *ctx)
{
	struct ws_link *l = ctx;

	(void)ws;
	rng_fill(l->rng, mask, len);
	return 0;
}

static void on_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *m, void *ctx)
{
	struct ws_link *l = ctx;

	(void)ws;
	if (!l->freed && !wslay_is_ctrl_frame(m->opcode))
		l->events->message(l->ctx, m->opcode == WSLAY_BINARY_FRAME, rd_of(m->msg, m->msg_length));
}

static const struct wslay_event_callbacks callbacks = {
	.recv_callback = on_recv, .send_callback = on_send, .genmask_callback = on_mask, .on_msg_recv_callback = on_message};

/* ---- the link ---- */

struct ws_link *ws_link_new(bool server, struct rng *rng, size_t message_max, const struct ws_link_events *events, void *ctx)
{
	struct ws_link *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->rng = rng;
	l->events = events;
	l->ctx = ctx;
	if ((server ? wslay_event_context_server_init(&l->ws, &callbacks, l) : wslay_event_context_client_init(&l->ws, &callbacks, l)) != 0) {
		free(l);
		return NULL;
	}
	wslay_event_config_set_max_recv_msg_length(l->ws, message_max);
	return l;
}

static void release(struct ws_link *l)
{
	wslay_event_context_free(l->ws);
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

/* Sends what waits, tells the end, and goes if it was freed meanwhile. */
static void settle(struct ws_link *l, bool broken)
{
	if (wslay_event_want_write(l->ws) && wslay_event_send(l->ws) != 0)
		broken = true;
	if (!l->freed && !l->ended && (broken || (!wslay_event_want_read(l->ws) && !wslay_event_want_write(l->ws)))) {
		l->ended = true;
		l->events->ended(l->ctx);
	}
	l->busy = false;
	if (l->freed)
		release(l);
}

void ws_link_input(struct ws_link *l, struct rd octets)
{
	bool broken;

	if (l->busy || l->ended)
		return;
	l->busy = true;
	l->in = octets;
	broken = wslay_event_recv(l->ws) != 0;
	l->in = rd_of("", 0);
	settle(l, broken);
}

enum err ws_link_send(struct ws_link *l, bool binary, struct rd message)
{
	const struct wslay_event_msg m = {binary ? WSLAY_BINARY_FRAME : WSLAY_TEXT_FRAME, message.at, message.left};
	int r = l->ended || l->freed ? WSLAY_ERR_NO_MORE_MSG : wslay_event_queue_msg(l->ws, &m);

	if (r != 0)
		return r == WSLAY_ERR_NOMEM ? ERR_NO_MEMORY : ERR_CLOSED;
	if (!l->busy) { /* otherwise the input that it came from sends it */
		l->busy = true;
		settle(l, false);
	}
	return OK;
}

void ws_link_ping(struct ws_link *l)
{
	const struct wslay_event_msg m = {WSLAY_PING, NULL, 0};

	if (l->busy || l->ended || wslay_event_queue_msg(l->ws, &m) != 0)
		return;
	l->busy = true;
	settle(l, false);
}

void ws_link_close(struct ws_link *l, uint16_t code)
{
	if (l->ended || l->freed || wslay_event_queue_close(l->ws, code, NULL, 0) != 0 || l->busy)
		return;
	l->busy = true;
	settle(l, false);
}
