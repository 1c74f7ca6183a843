/* CoAP over IP multicast, RFC 7252 section 8: requests to a group are non-confirmable, one datagram, and nobody answers them here: results come as requests
 * of their own (TS-0001 clause 10.2.7.13.2). Not secured, as plain CoAP is not. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binding/coap/coap_private.h"
#include "loop/udp.h"

#define GROUPS_MOST 256
#define DATAGRAM_WAITS 256 /* requests from groups that are being carried out; more are lost, as datagrams may be */

/* An IP group that this CSE has joined, once or several times. */
struct coap_group {
	struct coap_group *next;
	struct coap_binding *binding;
	char address[16];
	unsigned users;
	struct udp *socket;
};

struct coap_multicast {
	struct coap_group *groups;
	size_t group_count, waiting;
	struct udp *way_out;
};

struct arrived {
	struct coap_binding *binding;
	struct coap_primitive p;
	char address[INET_ADDRSTRLEN];
};

static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	struct arrived *a = ctx;

	(void)rsp;
	a->binding->multicast->waiting--;
	coap_request_clear(&a->p);
	free(a);
}

static void submit(struct coap_binding *b, const struct coap_message *m, const struct sockaddr_in *from)
{
	struct arrived *a = calloc(1, sizeof *a);
	char where[ADDRESS_TEXT_MAX];
	const char *why;

	if (!a)
		abort();
	a->binding = b;
	b->multicast->waiting++;
	if (coap_request_read(m, &a->p, &why) != RSC_OK) {
		on_done(a, NULL);
		return;
	}
	inet_ntop(AF_INET, &from->sin_addr, a->address, sizeof a->address);
	address_print(from, where);
	a->p.rq.peer = "";
	a->p.rq.credential = "";
	a->p.rq.address = rd_str(a->address);
	a->p.rq.multicast = true;
	once_submit(b->once, clock_ms(), &a->p.rq, rd_str(where), false, on_done, a);
}

/* What is not a whole request, or wants to be acknowledged, is nobody's: an answer to what came to a group could hit anybody. */
static void on_datagram(void *ctx, struct rd datagram, const struct sockaddr_in *from)
{
	struct coap_group *g = ctx;
	struct coap_message m;

	if (coap_message_decode(datagram, &m) != OK || m.type != COAP_NON || m.code == COAP_EMPTY || m.code >= COAP_CODE(1, 0) ||
	    coap_option_find(&m, COAP_BLOCK1) || g->binding->multicast->waiting >= DATAGRAM_WAITS || !g->binding->once)
		return;
	submit(g->binding, &m, from);
}

static struct coap_multicast *multicast_of(struct coap_binding *b)
{
	if (!b->multicast)
		b->multicast = calloc(1, sizeof *b->multicast);
	if (!b->multicast)
		abort();
	return b->multicast;
}

/* "127.0.0.1:5683": the interface, and the port of every group. */
static bool interface_of(const struct coap_binding *b, char *interface, size_t size, uint16_t *port)
{
	struct sockaddr_in a;

	if (!b->config.multicast || address_parse(b->config.multicast, &a) != OK || !inet_ntop(AF_INET, &a.sin_addr, interface, (socklen_t)size))
		return false;
	*port = ntohs(a.sin_port);
	return true;
}

static bool join(struct coap_binding *b, const char *address)
{
	struct coap_multicast *k = multicast_of(b);
	char interface[INET_ADDRSTRLEN];
	struct coap_group *g;
	uint16_t port;

	for (g = k->groups; g; g = g->next) {
		if (strcmp(g->address, address) == 0) {
			g->users++;
			return true;
		}
	}
	if (k->group_count == GROUPS_MOST || strlen(address) >= sizeof g->address || !interface_of(b, interface, sizeof interface, &port))
		return false;
	g = calloc(1, sizeof *g);
	if (!g)
		abort();
	g->binding = b;
	g->users = 1;
	strcpy(g->address, address);
	if (udp_open_group(b->loop, address, port, interface, on_datagram, g, &g->socket) != OK) {
		free(g);
		return false;
	}
	g->next = k->groups;
	k->groups = g;
	k->group_count++;
	return true;
}

static void leave(struct coap_binding *b, const char *address)
{
	struct coap_multicast *k = multicast_of(b);

	for (struct coap_group **at = &k->groups; *at; at = &(*at)->next) {
		struct coap_group *g = *at;

		if (strcmp(g->address, address) != 0 || --g->users > 0)
			continue;
		*at = g->next;
		k->group_count--;
		udp_free(g->socket);
		free(g);
		return;
	}
}

bool coap_binding_multicast(void *binding, const char *address, bool joins)
{
	if (joins)
		return join(binding, address);
	leave(binding, address);
	return true;
}

static void on_nothing(void *ctx, struct rd datagram, const struct sockaddr_in *from)
{
	(void)ctx;
	(void)datagram;
	(void)from;
}

bool coap_binding_multicast_send(void *binding, const char *address, const struct onem2m_request *rq)
{
	struct coap_binding *b = binding;
	struct coap_multicast *k = multicast_of(b);
	uint8_t octets[COAP_MESSAGE_SIZE];
	struct wr w = wr_of(octets, sizeof octets);
	struct coap_message m = {.type = COAP_NON, .id = (uint16_t)rng_u32(&b->rng), .payload = rq->content};
	char interface[INET_ADDRSTRLEN], any[INET_ADDRSTRLEN + 8];
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct coap_options o;
	uint16_t port;

	if (!interface_of(b, interface, sizeof interface, &port) || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    coap_request_write(rq, rd_of("", 0), SERIALIZATION_JSON, &m.code, &o) != OK)
		return false;
	for (size_t i = 0; i < o.count; i++)
		if (!coap_option_add(&m, o.list[i].number, o.list[i].value))
			return false;
	to.sin_port = htons(port);
	snprintf(any, sizeof any, "%s:0", interface);
	if (!k->way_out && (udp_open(b->loop, any, on_nothing, NULL, &k->way_out) != OK || udp_multicast_by(k->way_out, interface) != OK)) {
		udp_free(k->way_out);
		k->way_out = NULL;
		return false;
	}
	return coap_message_encode(&m, &w) == OK && udp_send(k->way_out, rd_of(w.octets, w.len), &to) == OK;
}

void coap_multicast_free(struct coap_binding *b)
{
	struct coap_multicast *k = b->multicast;

	while (k && k->groups) {
		k->groups->users = 1;
		leave(b, k->groups->address);
	}
	if (k)
		udp_free(k->way_out);
	free(k);
	b->multicast = NULL;
}
