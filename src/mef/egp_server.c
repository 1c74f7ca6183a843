/* EGP over streams. */
#include "mef/egp_server_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "loop/log.h"

#define CONNECTIONS_MAX 1024

void connection_free(struct connection *c)
{
	struct connection **link = &c->server->connections;

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	c->server->count--;
	stream_free(c->stream);
	free(c->hdlc);
	free(c);
}

static struct connection *connection_of(const struct egp_server *s, const struct mef_gateway *g)
{
	struct connection *c = s->connections;

	while (c && c->gateway != g)
		c = c->next;
	return c;
}

bool egp_server_connected(const struct egp_server *s, const struct mef_gateway *g)
{
	return connection_of(s, g) != NULL && eg_gateway_greeted(g->eg);
}

static void send_octets(struct connection *c, struct rd octets)
{
	if (!c->hdlc) {
		stream_write(c->stream, octets);
	} else if (!c->line->seal) {
		serial_frame(c, octets);
	} else {
		egp_seal_send(c->line->seal, octets);
		serial_seal_flush(c);
	}
}

static void on_send(void *ctx, struct mef_gateway *g, struct rd octets)
{
	struct connection *c = connection_of(ctx, g);

	if (c)
		send_octets(c, octets);
}

static void send_refusal(struct connection *c, const char *text)
{
	const struct egp_message m = {.type = EGP_ERROR, .error = {.code = EGP_ERROR_NOT_AUTHORISED, .retry_after_s = 60}, .text = rd_str(text)};
	uint8_t buffer[EGP_MESSAGE_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;

	if (egp_encode(&m, &w) == OK && wr_done(&w, &octets))
		send_octets(c, octets);
}

/* A gateway has one connection: the newest, because the former may be a dead one that TCP still believes in. */
void connection_bind(struct connection *c, struct mef_gateway *g)
{
	struct connection *former = connection_of(c->server, g);

	if (former && former != c) {
		log_line(LOG_LEVEL_NOTICE, "gateway connected again; its former connection is closed", "gateway=%s", g->name);
		former->gateway = NULL;
		connection_free(former);
	}
	c->gateway = g;
	eg_connect(g->eg);
}

/* A certificate speaks for the gateway whose identity it holds; a pre-shared key also for the one that is named like it. */
static struct mef_gateway *gateway_of(struct mef *m, const struct connection *c)
{
	const char *peer = stream_peer(c->stream);
	struct mef_gateway *g = mef_gateway_by_identity(m, peer);

	return g || !c->psk ? g : mef_gateway_find(m, peer);
}

/* Plain TCP names its gateway by HELLO alone, which is why it must be asked for. */
static bool name_by_hello(struct connection *c, struct rd octets)
{
	struct mef_gateway *g = NULL;
	struct egp_message m;

	if (egp_decode(octets, &m) == OK && m.type == EGP_HELLO)
		g = mef_gateway_by_eui64(c->server->mef, m.hello.gateway);
	if (!g)
		return false;
	connection_bind(c, g);
	return true;
}

/* It may have been registered since it connected. */
static bool name_by_credential(struct connection *c)
{
	struct mef_gateway *g = gateway_of(c->server->mef, c);

	if (!g)
		return false;
	log_line(LOG_LEVEL_INFO, "gateway connected", "gateway=%s", g->name);
	connection_bind(c, g);
	return true;
}

void connection_message(struct connection *c, struct rd octets)
{
	struct mef *m = c->server->mef;

	if (!c->gateway && !(stream_is_tls(c->stream) ? name_by_credential(c) : name_by_hello(c, octets))) {
		send_refusal(c, "this gateway is not registered");
		return;
	}
	eg_input(c->gateway->eg, clock_ms(), clock_unix_ms() / 1000, octets);
	mef_pump(m);
}

void connection_closed(void *ctx, enum err why)
{
	struct connection *c = ctx;
	struct mef *m = c->server->mef;
	struct serial *line = c->line;

	if (c->gateway) {
		eg_disconnect(c->gateway->eg);
		log_line(LOG_LEVEL_WARNING, "gateway disconnected", "gateway=%s why=\"%s\"", c->gateway->name, err_text(why));
		(void)mef_audit(m, "gateway disconnected", 0, c->gateway->name, NULL, NULL);
	}
	connection_free(c);
	if (line)
		loop_timer_in(line->retry, SERIAL_RETRY_MS);
	mef_pump(m);
}

void connection_opened(void *ctx)
{
	(void)ctx;
}

static size_t stream_data(void *ctx, struct rd in)
{
	struct connection *c = ctx;
	size_t len;
	enum err e = egp_length(in, &len);

	if (e == ERR_SHORT)
		return 0;
	if (e != OK) {
		log_line(LOG_LEVEL_WARNING, "not EGP; connection closed", "gateway=%s", c->gateway ? c->gateway->name : "?");
		connection_closed(c, e);
		return in.left;
	}
	if (len > in.left)
		return 0;
	connection_message(c, rd_of(in.at, len));
	return len;
}

static const struct stream_events stream_events = {connection_opened, stream_data, connection_closed};

struct connection *connection_new(struct egp_server *s, struct stream *stream)
{
	struct connection *c = s->count < CONNECTIONS_MAX ? calloc(1, sizeof *c) : NULL;

	if (!c)
		return NULL;
	c->server = s;
	c->stream = stream;
	c->next = s->connections;
	s->connections = c;
	s->count++;
	return c;
}

static void on_accept(void *ctx, struct stream *stream)
{
	struct listener *li = ctx;
	struct egp_server *s = li->server;
	struct connection *c = connection_new(s, stream);

	if (!c) {
		stream_free(stream);
		return;
	}
	c->psk = li->psk;
	stream_handle(stream, &stream_events, c);
	if (!stream_is_tls(stream) || name_by_credential(c))
		return;
	send_refusal(c, "this gateway is not registered");
	if (!mef_noise_permits(s->mef, &s->mef->noise, NULL))
		return;
	log_line(LOG_LEVEL_WARNING, "a gateway that is not registered connected; register it with `keyway gateway add`", "identity=%s",
	    log_quote(rd_str(stream_peer(stream))));
	(void)mef_audit(s->mef, "unregistered gateway refused", 0, NULL, stream_peer(stream), NULL);
}

/* ---- listeners ---- */

static bool on_loopback(const char *host_port)
{
	return strncmp(host_port, "127.", 4) == 0 || strncmp(host_port, "localhost:", 10) == 0;
}

enum err egp_server_listen(struct egp_server *s, const char *host_port, struct tls_credentials *tls, bool psk, uint16_t *port)
{
	struct listener *li;
	enum err e;

	if (!tls && !on_loopback(host_port))
		return ERR_CONFIG;
	li = calloc(1, sizeof *li);
	if (!li)
		return ERR_NO_MEMORY;
	li->server = s;
	li->psk = psk;
	e = stream_listen(s->mef->loop, host_port, tls, on_accept, li, &li->listener);
	if (e != OK) {
		free(li);
		return e;
	}
	*port = stream_listener_port(li->listener);
	li->next = s->listeners;
	s->listeners = li;
	return OK;
}

/* ---- start and end ---- */

enum err egp_server_new(struct mef *m, struct egp_server **out)
{
	struct egp_server *s = calloc(1, sizeof *s);

	if (!s)
		return ERR_NO_MEMORY;
	s->mef = m;
	m->egp_send = on_send;
	m->egp_ctx = s;
	*out = s;
	return OK;
}

void egp_server_free(struct egp_server *s)
{
	if (!s)
		return;
	while (s->connections)
		connection_free(s->connections);
	while (s->listeners) {
		struct listener *next = s->listeners->next;

		stream_listener_free(s->listeners->listener);
		free(s->listeners);
		s->listeners = next;
	}
	while (s->serials) {
		struct serial *next = s->serials->next;

		loop_timer_free(s->serials->retry);
		egp_seal_free(s->serials->seal);
		free(s->serials);
		s->serials = next;
	}
	s->mef->egp_send = NULL;
	free(s);
}
