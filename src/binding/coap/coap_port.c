/* A socket with an endpoint on it, and the binding that owns them. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binding/coap/coap_private.h"
#include "loop/log.h"

static struct coap_peer coap_peer_of(const struct datagram_peer *p)
{
	return (struct coap_peer){p->session, p->address, p->port};
}

void coap_port_arm(struct coap_port *p)
{
	uint64_t at = coap_endpoint_deadline(p->endpoint);

	if (at < p->armed || p->armed == CLOCK_NEVER) {
		p->armed = at;
		loop_timer_at(p->timer, at);
	}
}

static void on_time(void *ctx)
{
	struct coap_port *p = ctx;

	p->armed = CLOCK_NEVER;
	coap_endpoint_tick(p->endpoint, clock_ms());
	coap_port_arm(p);
}

static void on_send(void *ctx, const struct coap_peer *to, struct rd datagram)
{
	struct coap_port *p = ctx;
	const struct datagram_peer peer = {to->session, to->address, to->port};

	datagram_send(p->socket, &peer, datagram);
}

static void on_input(void *ctx, const struct datagram_peer *from, struct rd datagram)
{
	struct coap_port *p = ctx;
	const struct coap_peer peer = coap_peer_of(from);

	coap_endpoint_input(p->endpoint, clock_ms(), &peer, datagram);
	coap_port_arm(p);
}

/* The network speaks of one datagram; the end of a session is the end of all that was to go over it. */
static void on_unreachable(void *ctx, const struct datagram_peer *from, const char *why)
{
	struct coap_port *p = ctx;
	const struct coap_peer peer = coap_peer_of(from);
	bool more;

	if (from->session)
		log_line(LOG_LEVEL_DEBUG, "coaps session ended", "why=%s", log_quote(rd_str(why)));
	do
		more = coap_endpoint_unreachable(p->endpoint, clock_ms(), &peer);
	while (more && from->session);
	coap_port_arm(p);
}

enum err coap_port_open(struct coap_binding *b, const char *host_port, struct tls_credentials *tls, bool serves, struct coap_port **out)
{
	static const struct datagram_events events = {on_input, on_unreachable};
	const struct datagram_credentials credentials = {.tls = tls, .client_only = !serves, .sessions_max = b->config.sessions_max};
	struct coap_port *p = calloc(1, sizeof *p);
	const struct coap_config c = {on_send, serves ? coap_port_request : NULL, p, &b->rng, coap_onem2m_rules, coap_onem2m_rule_count, COAP_BODY_MAX};
	enum err e;

	if (!p)
		return ERR_NO_MEMORY;
	p->binding = b;
	p->armed = CLOCK_NEVER;
	e = datagram_open(b->loop, host_port, tls ? &credentials : NULL, &events, p, &p->socket);
	if (e != OK) {
		free(p);
		return e;
	}
	p->endpoint = coap_endpoint_new(&c);
	if (!p->endpoint)
		abort();
	p->timer = loop_timer_new(b->loop, on_time, p);
	*out = p;
	return OK;
}

void coap_port_close(struct coap_port *p)
{
	if (!p)
		return;
	coap_endpoint_free(p->endpoint);
	datagram_close(p->socket);
	loop_timer_free(p->timer);
	free(p);
}

struct coap_binding *coap_binding_new(struct loop *l, const struct coap_binding_config *c)
{
	struct coap_binding *b = calloc(1, sizeof *b);

	if (!b)
		abort();
	b->config = *c;
	b->loop = l;
	b->rng = rng_system();
	return b;
}

void coap_binding_serve(struct coap_binding *b, struct once *once)
{
	b->once = once;
}

enum err coap_binding_listen(struct coap_binding *b, const char *host_port, bool secure, uint16_t *port)
{
	struct coap_port *p;
	enum err e;

	if (b->listener_count == LISTENERS_MAX)
		return ERR_FULL;
	if (secure && !b->config.tls)
		return ERR_TLS;
	e = coap_port_open(b, host_port, secure ? b->config.tls : NULL, true, &p);
	if (e != OK)
		return e;
	b->listeners[b->listener_count++] = p;
	*port = datagram_port_number(p->socket);
	return OK;
}

void coap_binding_free(struct coap_binding *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->listener_count; i++)
		coap_port_close(b->listeners[i]);
	coap_port_close(b->plain);
	coap_port_close(b->secure);
	coap_sendings_free(b);
	coap_multicast_free(b);
	free(b);
}
