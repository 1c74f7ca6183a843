/* EGP on serial lines, sealed or not. */
#include "mef/egp_server_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "loop/log.h"

void serial_frame(struct connection *c, struct rd content)
{
	uint8_t buffer[2 * (EGP_MESSAGE_MAX + EGP_SEAL_OVERHEAD) + 16];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd framed;

	hdlc_encode(content, &w);
	if (wr_done(&w, &framed))
		stream_write(c->stream, framed);
}

void serial_seal_flush(struct connection *c)
{
	struct rd frame;

	while (egp_seal_output(c->line->seal, &frame))
		serial_frame(c, frame);
}

/* What is not sealed by the gateway comes from nobody: it may be noise, and it may be who holds the wire. */
static void sealed_frame(struct connection *c, struct rd frame)
{
	struct mef *m = c->server->mef;
	struct rd octets;
	enum err e = egp_seal_receive(c->line->seal, frame, &octets);

	serial_seal_flush(c);
	if (e == OK && octets.left > 0) {
		connection_message(c, octets);
		return;
	}
	if (e == OK || !mef_noise_permits(m, &m->noise, c->line->gateway))
		return;
	log_line(LOG_LEVEL_WARNING, "what came on a serial line is not sealed by its gateway", "gateway=%s reason=%s", c->line->gateway, err_name(e));
	(void)mef_audit(m, "frame on a serial line refused", 0, c->line->gateway, NULL, err_text(e));
}

static size_t serial_data(void *ctx, struct rd in)
{
	struct connection *c = ctx;
	size_t taken = in.left;
	struct rd frame;
	uint8_t octet;

	while (rd_u8(&in, &octet))
		if (!hdlc_octet(c->hdlc, octet, &frame))
			continue;
		else if (c->line->seal)
			sealed_frame(c, frame);
		else
			connection_message(c, frame);
	return taken;
}

static const struct stream_events serial_events = {connection_opened, serial_data, connection_closed};

static enum err line_open(struct serial *line)
{
	struct egp_server *s = line->server;
	struct mef_gateway *g = mef_gateway_find(s->mef, line->gateway);
	struct connection *c;
	enum err e;

	if (!g)
		return ERR_NOT_FOUND;
	c = connection_new(s, NULL);
	if (!c)
		return ERR_NO_MEMORY;
	c->line = line;
	c->hdlc = calloc(1, sizeof *c->hdlc);
	e = c->hdlc ? stream_open(s->mef->loop, line->address, NULL, NULL, &serial_events, c, &c->stream) : ERR_NO_MEMORY;
	if (e != OK) {
		connection_free(c);
		return e;
	}
	hdlc_init(c->hdlc);
	connection_bind(c, g);
	log_line(LOG_LEVEL_INFO, "serial line opened", "line=%s gateway=%s", line->address, line->gateway);
	return OK;
}

static void on_retry(void *ctx)
{
	struct serial *line = ctx;
	enum err e = line_open(line);

	if (e == OK) {
		line->complained = false;
		return;
	}
	if (!line->complained)
		log_line(LOG_LEVEL_WARNING, "serial line can't be opened; trying on", "line=%s gateway=%s why=\"%s\"", line->address, line->gateway, err_text(e));
	line->complained = true;
	loop_timer_in(line->retry, SERIAL_RETRY_MS);
}

enum err egp_server_serial(struct egp_server *s, const char *path_baud, const char *gateway, struct egp_seal *seal)
{
	struct serial *line = calloc(1, sizeof *line);
	enum err e;

	if (!line) {
		egp_seal_free(seal);
		return ERR_NO_MEMORY;
	}
	line->seal = seal;
	line->server = s;
	snprintf(line->address, sizeof line->address, "serial:%s", path_baud);
	snprintf(line->gateway, sizeof line->gateway, "%s", gateway);
	line->retry = loop_timer_new(s->mef->loop, on_retry, line);
	line->next = s->serials;
	s->serials = line;
	e = line_open(line);
	if (e != OK)
		loop_timer_in(line->retry, SERIAL_RETRY_MS);
	return e;
}
