/* The gateway's line to the Enrolment Gateway: TLS, plain TCP on loopback, or a serial line, sealed or not. It is tried for as long as it takes. */
#include "gateway/gateway_private.h"

#include "base/clock.h"
#include "loop/log.h"

#define EGP_RETRY_FIRST_MS 250
#define EGP_RETRY_MOST_MS 10000

void gateway_egp_retry(void *ctx)
{
	(void)gateway_egp_connect(ctx);
}

static void on_egp_open(void *ctx)
{
	struct gateway *g = ctx;

	g->egp_open = true;
	g->egp_complained = false;
	hdlc_init(&g->egp_line);
	egp_client_connected(g->client, clock_ms());
	gateway_pump(g);
}

static void egp_frame(struct gateway *g, struct rd content)
{
	uint8_t framed[2 * (EGP_MESSAGE_MAX + EGP_SEAL_OVERHEAD) + 16];
	struct wr w = wr_of(framed, sizeof framed);
	struct rd line;

	hdlc_encode(content, &w);
	if (wr_done(&w, &line))
		stream_write(g->egp, line);
}

static void seal_flush(struct gateway *g)
{
	struct rd frame;

	while (egp_seal_output(g->config.egp_seal, &frame))
		egp_frame(g, frame);
}

/* Whoever holds the wire may put anything on it: said once, until something good comes. */
static void take_sealed(struct gateway *g, struct rd frame)
{
	struct rd message;
	enum err e = egp_seal_receive(g->config.egp_seal, frame, &message);

	if (e != OK && !g->egp_foreign)
		log_line(LOG_LEVEL_WARNING, "what came on the serial line is not sealed by the Enrolment Gateway", "reason=%s", err_name(e));
	g->egp_foreign = e != OK;
	if (e == OK && message.left > 0)
		egp_client_message(g->client, clock_ms(), message);
	seal_flush(g);
}

static size_t take_messages(struct gateway *g, struct rd in)
{
	size_t taken = 0, len;
	struct rd message;
	enum err e;

	while ((e = egp_length(in, &len)) == OK && rd_sub(&in, len, &message)) {
		egp_client_message(g->client, clock_ms(), message);
		taken += len;
	}
	return e == ERR_MALFORMED ? taken + in.left : taken;
}

static size_t on_egp_data(void *ctx, struct rd in)
{
	struct gateway *g = ctx;
	size_t taken = in.left;
	struct rd message;
	uint8_t octet;

	if (g->egp_serial) {
		while (rd_u8(&in, &octet))
			if (!hdlc_octet(&g->egp_line, octet, &message))
				continue;
			else if (g->config.egp_seal)
				take_sealed(g, message);
			else
				egp_client_message(g->client, clock_ms(), message);
	} else {
		taken = take_messages(g, in);
	}
	gateway_pump(g);
	return taken;
}

void gateway_egp_down(struct gateway *g)
{
	stream_free(g->egp);
	g->egp = NULL;
	g->egp_open = false;
	egp_client_disconnected(g->client);
	/* Nobody answers for new devices now. */
	coordinator_policy(g->coordinator, clock_ms(), 0, NULL, 0);
	g->egp_wait = g->egp_wait ? g->egp_wait * 2 : EGP_RETRY_FIRST_MS;
	if (g->egp_wait > EGP_RETRY_MOST_MS)
		g->egp_wait = EGP_RETRY_MOST_MS;
	loop_timer_in(g->egp_retry, g->egp_wait / 2 + rng_below(&g->rng, (uint32_t)g->egp_wait / 2 + 1));
}

static void on_egp_closed(void *ctx, enum err why)
{
	struct gateway *g = ctx;

	if (!g->egp_complained)
		log_line(LOG_LEVEL_WARNING, "Enrolment Gateway not reachable; trying on", "address=%s reason=%s", g->config.egp_address, err_name(why));
	g->egp_complained = true;
	gateway_egp_down(g);
	gateway_pump(g);
}

static const struct stream_events egp_events = {on_egp_open, on_egp_data, on_egp_closed};

enum err gateway_egp_connect(struct gateway *g)
{
	enum err e = stream_open(g->loop, g->config.egp_address, g->config.egp_tls, g->config.egp_identity, &egp_events, g, &g->egp);

	if (e != OK) {
		if (!g->egp_complained)
			log_line(LOG_LEVEL_WARNING, "Enrolment Gateway cannot be opened; trying on", "address=%s reason=%s", g->config.egp_address, err_name(e));
		g->egp_complained = true;
		g->egp = NULL;
		gateway_egp_down(g);
	}
	return e;
}

void gateway_egp_write(struct gateway *g, struct rd message)
{
	if (!g->egp || !g->egp_open)
		return;
	if (!g->egp_serial) {
		stream_write(g->egp, message);
	} else if (!g->config.egp_seal) {
		egp_frame(g, message);
	} else {
		egp_seal_send(g->config.egp_seal, message);
		seal_flush(g);
	}
}
