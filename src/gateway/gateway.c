/* The gateway's shell. */
#include "gateway/gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "gateway/children_file.h"
#include "gateway/egp_client.h"
#include "gateway/radio_port.h"
#include "gateway/recover.h"
#include "gateway/relay.h"
#include "loop/http.h"
#include "loop/log.h"
#include "loop/stream.h"

#define EGP_RETRY_FIRST_MS 250
#define EGP_RETRY_MOST_MS 10000
#define AGE_CHECK_MS 5000
#define STRAY_FIRST_MS 10000 /* its owner was told that we started, and has answered by then if it is there */
#define STRAY_EVERY_MS 30000

/* A Transport-Key packet that waits for the device's containers. */
struct packet {
	struct packet *next;
	uint64_t device;
	uint8_t octets[EGP_BODY_MAX];
	size_t len;
};

/* A device that has containers here and is no child: until its owner says that it is one. */
struct stray {
	struct stray *next;
	uint64_t device, told_at;
	char owner[CHILD_NAME];
};

struct gateway {
	struct loop *loop;
	struct gateway_config config;
	struct rng rng;
	uint32_t epoch;
	char children_path[512];
	struct radio_port *radio;
	struct stream *egp;
	struct coordinator *coordinator;
	struct egp_client *client;
	struct relay *relay;
	struct http_client *http;
	struct http_server *server;
	struct loop_timer *timer, *egp_retry;
	struct hdlc_decoder egp_line; /* when EGP runs on a serial line */
	bool egp_serial, egp_open;
	bool egp_foreign; /* what came last was not sealed */
	bool egp_complained; /* each trouble is told once, until it is over */
	uint64_t egp_wait;
	struct packet *packets;
	struct stray *strays;
	char poa[128];
	bool pumping;
};

static void pump(struct gateway *g);

static const char *name_of(uint64_t eui64)
{
	static char text[4][EUI64_SIZE];
	static unsigned turn;
	char *t = text[turn++ % 4];

	eui64_print(t, eui64);
	return t;
}

/* ---- EGP ---- */

static enum err egp_connect(struct gateway *g);

static void on_egp_retry(void *ctx)
{
	(void)egp_connect(ctx);
}

static void on_egp_open(void *ctx)
{
	struct gateway *g = ctx;

	g->egp_open = true;
	g->egp_complained = false;
	hdlc_init(&g->egp_line);
	egp_client_connected(g->client, clock_ms());
	pump(g);
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
	pump(g);
	return taken;
}

static void egp_down(struct gateway *g)
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
	egp_down(g);
	pump(g);
}

static const struct stream_events egp_events = {on_egp_open, on_egp_data, on_egp_closed};

static enum err egp_connect(struct gateway *g)
{
	enum err e = stream_open(g->loop, g->config.egp_address, g->config.egp_tls, g->config.egp_identity, &egp_events, g, &g->egp);

	if (e != OK) {
		if (!g->egp_complained)
			log_line(LOG_LEVEL_WARNING, "Enrolment Gateway cannot be opened; trying on", "address=%s reason=%s", g->config.egp_address, err_name(e));
		g->egp_complained = true;
		g->egp = NULL;
		egp_down(g);
	}
	return e;
}

static void egp_write(struct gateway *g, struct rd message)
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

/* ---- enrolment ---- */

static void keep_packet(struct gateway *g, const struct egp_message *m)
{
	struct packet *p;

	for (p = g->packets; p && p->device != m->response.device; p = p->next)
		;
	if (m->response.packet.left > sizeof p->octets)
		return;
	if (!p) {
		p = calloc(1, sizeof *p);
		if (!p)
			abort();
		p->device = m->response.device;
		p->next = g->packets;
		g->packets = p;
	}
	memcpy(p->octets, m->response.packet.at, m->response.packet.left);
	p->len = m->response.packet.left;
}

/* Together with what the owner's messages have changed: none of them is carried out again after a restart. */
static void save(struct gateway *g)
{
	struct child *child;

	for (size_t i = 0; (child = coordinator_child_at(g->coordinator, i)) != NULL; i++) {
		const char *last = relay_last(g->relay, child->eui64);

		if (last)
			snprintf(child->down, sizeof child->down, "%s", last);
	}
	if (children_save(g->children_path, g->coordinator, g->epoch) != OK)
		log_line(LOG_LEVEL_ERROR, "children cannot be stored", "path=%s", g->children_path);
}

static void child_event(struct gateway *g, uint64_t device, enum egp_child_event event)
{
	struct child *child = coordinator_child(g->coordinator, device);
	struct egp_message m = {.type = EGP_CHILD_EVENT};

	m.child_event.device = device;
	m.child_event.event = event;
	m.child_event.short_address = child ? child->short_address : MAC_BROADCAST;
	m.child_event.capability = child ? child->capability : 0;
	m.child_event.epoch = g->epoch;
	relay_up(g->relay, device, &m);
}

/* The Transport-Key packet: first the containers that its owner will read, then the device. */
static void on_packet(struct gateway *g, const struct egp_message *m)
{
	struct child *child = coordinator_child(g->coordinator, m->response.device);
	struct rd relay = m->relay_target;

	if (!child || m->owner.left == 0 || !rd_text(m->owner, child->owner, sizeof child->owner)) {
		log_line(LOG_LEVEL_WARNING, "packet for nobody", "device=%s", name_of(m->response.device));
		return;
	}
	if (relay.left >= 3 && memcmp(relay.at + relay.left - 3, "/up", 3) == 0)
		relay.left -= 3;
	if (!rd_text(relay, child->relay, sizeof child->relay))
		child->relay[0] = '\0';
	keep_packet(g, m);
	relay_device(g->relay, child->eui64, child->owner, NULL);
	save(g);
}

static void on_relay_ready(void *ctx, uint64_t device)
{
	struct gateway *g = ctx;
	struct packet **link = &g->packets, *p;

	while (*link && (*link)->device != device)
		link = &(*link)->next;
	p = *link;
	if (!p)
		return;
	*link = p->next;
	child_event(g, device, EGP_CHILD_ASSOCIATED);
	coordinator_rejoin_granted(g->coordinator, clock_ms(), device);
	coordinator_send(g->coordinator, clock_ms(), device, COORDINATOR_TRANSPORT_KEY, 0, 0, rd_of(p->octets, p->len));
	log_line(LOG_LEVEL_INFO, "transport key relayed", "device=%s octets=%zu", name_of(device), p->len);
	free(p);
	pump(g);
}

/* Its owner says that it is our child: what it says of others makes no children. */
static void stray_home(struct gateway *g, const struct egp_message *m)
{
	struct child child = {.eui64 = m->child_set.device, .short_address = m->child_set.short_address, .capability = m->child_set.capability, .confirmed = true};
	struct stray **link = &g->strays, *s;

	while (*link && (*link)->device != child.eui64)
		link = &(*link)->next;
	s = *link;
	if (!s)
		return;
	snprintf(child.owner, sizeof child.owner, "%s", s->owner);
	snprintf(child.relay, sizeof child.relay, "%.40s/%.40s/%.30s/%s", g->config.cse_id, g->config.cse_name, g->config.ae_name, name_of(child.eui64));
	if (!coordinator_child(g->coordinator, child.eui64) && !coordinator_restore(g->coordinator, &child))
		return;
	log_line(LOG_LEVEL_INFO, "child known again", "device=%s short=%04x owner=%s", name_of(child.eui64), child.short_address, child.owner);
	*link = s->next;
	free(s);
}

static void on_found(void *ctx, uint64_t device, const char *owner)
{
	struct gateway *g = ctx;
	struct stray *s;

	if (coordinator_child(g->coordinator, device))
		return; /* it has associated anew already */
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	s->device = device;
	s->told_at = clock_ms() + STRAY_FIRST_MS - STRAY_EVERY_MS;
	snprintf(s->owner, sizeof s->owner, "%s", owner);
	s->next = g->strays;
	g->strays = s;
	relay_device(g->relay, device, owner, NULL);
	child_event(g, device, EGP_CHILD_GATEWAY_RESTARTED);
}

/* Somebody takes us for its parent: a stray, perhaps. Only its owner can tell by the address. */
static void on_unknown(struct gateway *g, const struct coordinator_effect *e)
{
	uint64_t now = clock_ms();

	log_line(LOG_LEVEL_DEBUG, "unknown device polls", "short=%04x", e->short_address);
	for (struct stray *s = g->strays; s; s = s->next) {
		struct egp_message m = {.type = EGP_CHILD_EVENT};

		if ((e->eui64 && e->eui64 != s->device) || (int64_t)(now - s->told_at) < STRAY_EVERY_MS)
			continue;
		s->told_at = now;
		m.child_event.device = s->device;
		m.child_event.event = EGP_CHILD_POLLED_UNKNOWN;
		m.child_event.short_address = e->short_address;
		m.child_event.epoch = g->epoch;
		relay_up(g->relay, s->device, &m);
	}
}

static void on_relay_message(void *ctx, const struct egp_message *m)
{
	struct gateway *g = ctx;
	uint64_t now = clock_ms();

	if (m->type == EGP_DOWNLINK)
		coordinator_send(g->coordinator, now, m->downlink.device, m->transaction, m->downlink.flags, m->downlink.validity_ms, m->downlink.frame);
	if (m->type == EGP_CHILD_SET) {
		stray_home(g, m);
		coordinator_child_set(g->coordinator, now, m->child_set.device, m->child_set.short_address, m->child_set.capability, m->child_set.timeout_s);
	}
	if (m->type == EGP_CHILD_DROP)
		coordinator_child_drop(g->coordinator, m->child_drop.device);
	pump(g);
}

static const struct relay_events relay_events = {on_relay_ready, on_relay_message};

/* ---- effects ---- */

static void on_radio_ready(struct gateway *g, const struct radio_info *r)
{
	log_line(LOG_LEVEL_INFO, "radio ready", "channel=%u pan=%04x power=%d sensitivity=%d api=%u match=%d firmware=\"%s\"", g->config.radio.channel,
	    g->config.radio.pan_id, r->tx_power_dbm, r->sensitivity_dbm, (unsigned)r->api, r->has_match, r->version);
	if (g->config.set_tx_power && r->tx_power_dbm != g->config.tx_power_dbm)
		log_line(LOG_LEVEL_WARNING, "the radio does not have the power that was asked for", "asked=%d has=%d", g->config.tx_power_dbm, r->tx_power_dbm);
	coordinator_radio_ready(g->coordinator);
}

static void on_radio_effect(void *ctx, const struct spinel_host_effect *e)
{
	struct gateway *g = ctx;

	if (radio_port_complain(g->radio, e))
		return;
	switch (e->type) {
	case SPINEL_HOST_READY:
		on_radio_ready(g, spinel_host_radio(radio_port_host(g->radio)));
		break;
	case SPINEL_HOST_RECEIVED:
		coordinator_received(g->coordinator, clock_ms(), rd_of(e->octets, e->len), e->lqi, e->rssi);
		break;
	case SPINEL_HOST_SENT:
		coordinator_sent(g->coordinator, clock_ms(), e->token, e->acked, e->busy);
		break;
	case SPINEL_HOST_WRITE:
	case SPINEL_HOST_LOST:
	case SPINEL_HOST_REFUSED:
	case SPINEL_HOST_MATCH_FULL:
	case SPINEL_HOST_ENERGY: /* scans are for forming: form.c */
	case SPINEL_HOST_SCANNED:
		break;
	}
}

static void on_radio_settled(void *ctx)
{
	pump(ctx);
}

static void on_uplink(struct gateway *g, const struct coordinator_effect *e)
{
	struct egp_message m = {.type = EGP_UPLINK};

	m.uplink.device = e->eui64;
	m.uplink.short_address = e->short_address;
	m.uplink.lqi = e->lqi;
	m.uplink.rssi_dbm = e->rssi;
	m.uplink.frame = rd_of(e->octets, e->len);
	relay_up(g->relay, e->eui64, &m);
}

static void on_delivery(struct gateway *g, const struct coordinator_effect *e)
{
	struct egp_message m = {.type = EGP_DELIVERY};
	uint8_t octets[64];
	struct wr w = wr_of(octets, sizeof octets);

	(void)w;
	if (e->id == COORDINATOR_TRANSPORT_KEY) {
		log_line(e->status == EGP_DELIVERED ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "transport key delivery", "device=%s status=%d", name_of(e->eui64), (int)e->status);
		return;
	}
	if (e->status == EGP_DELIVERED)
		return; /* its owner relies on APS acknowledgements; only failures are worth a message */
	m.delivery.device = e->eui64;
	m.delivery.status = e->status;
	relay_up(g->relay, e->eui64, &m);
}

static bool pump_coordinator(struct gateway *g)
{
	struct coordinator_effect e;

	if (!coordinator_output(g->coordinator, &e))
		return false;
	switch (e.type) {
	case COORDINATOR_TRANSMIT:
		if (spinel_host_transmit(radio_port_host(g->radio), clock_ms(), rd_of(e.octets, e.len), e.token) != OK)
			coordinator_sent(g->coordinator, clock_ms(), e.token, false, true);
		break;
	case COORDINATOR_MATCH_SHORT:
		spinel_host_match_short(radio_port_host(g->radio), e.short_address, e.add);
		break;
	case COORDINATOR_MATCH_EXTENDED:
		spinel_host_match_extended(radio_port_host(g->radio), e.eui64, e.add);
		break;
	case COORDINATOR_ASSOCIATED:
		log_line(LOG_LEVEL_INFO, "device associated", "device=%s short=%04x capability=%02x", name_of(e.eui64), e.short_address, e.capability);
		egp_client_request(g->client, clock_ms(), e.eui64, e.short_address, e.capability, EGP_JOIN_ASSOCIATION);
		break;
	case COORDINATOR_REJOIN:
		log_line(LOG_LEVEL_INFO, "Trust Centre rejoin asked for", "device=%s short=%04x", name_of(e.eui64), e.short_address);
		egp_client_request(g->client, clock_ms(), e.eui64, e.short_address, e.capability, EGP_JOIN_UNSECURED_REJOIN);
		break;
	case COORDINATOR_DENIED:
		log_line(LOG_LEVEL_NOTICE, "association denied: not admitted by the join policy", "device=%s", name_of(e.eui64));
		break;
	case COORDINATOR_UPLINK:
		on_uplink(g, &e);
		break;
	case COORDINATOR_DELIVERY:
		on_delivery(g, &e);
		break;
	case COORDINATOR_UNKNOWN_POLL:
		on_unknown(g, &e);
		break;
	case COORDINATOR_LOST:
		child_event(g, e.eui64, EGP_CHILD_LOST);
		break;
	case COORDINATOR_SAVE:
		save(g);
		break;
	}
	return true;
}

static bool pump_egp(struct gateway *g)
{
	static struct egp_client_effect e;

	if (!egp_client_output(g->client, &e))
		return false;
	switch (e.type) {
	case EGP_CLIENT_WRITE:
		egp_write(g, rd_of(e.octets, e.len));
		break;
	case EGP_CLIENT_UP:
		g->egp_wait = 0;
		log_line(LOG_LEVEL_INFO, "Enrolment Gateway connected", "address=%s", g->config.egp_address);
		break;
	case EGP_CLIENT_POLICY:
		coordinator_policy(g->coordinator, clock_ms(), e.message.join_policy.duration_s, e.message.join_policy.devices, e.message.join_policy.count);
		log_line(LOG_LEVEL_INFO, "join policy", "seconds=%u devices=%u", e.message.join_policy.duration_s, e.message.join_policy.count);
		break;
	case EGP_CLIENT_PACKET:
		on_packet(g, &e.message);
		break;
	case EGP_CLIENT_REFUSED:
		log_line(LOG_LEVEL_WARNING, "Enrolment Gateway refused", "device=%s reason=\"%s\"", name_of(e.message.error.device), egp_error_text(e.message.error.code));
		break;
	case EGP_CLIENT_REMOVE:
		coordinator_child_drop(g->coordinator, e.message.remove.device);
		relay_forget(g->relay, e.message.remove.device);
		break;
	case EGP_CLIENT_CLOSE:
		if (g->egp)
			egp_down(g);
		break;
	}
	return true;
}

static void pump(struct gateway *g)
{
	uint64_t next, age = clock_ms() + AGE_CHECK_MS;

	if (g->pumping || !g->radio)
		return;
	g->pumping = true;
	while (radio_port_drain(g->radio) || pump_coordinator(g) || pump_egp(g))
		;
	g->pumping = false;
	next = coordinator_deadline(g->coordinator);
	if (egp_client_deadline(g->client) < next)
		next = egp_client_deadline(g->client);
	loop_timer_at(g->timer, next < age ? next : age);
}

static void on_time(void *ctx)
{
	struct gateway *g = ctx;
	uint64_t now = clock_ms();

	coordinator_tick(g->coordinator, now);
	egp_client_tick(g->client, now);
	pump(g);
}

static void on_notification(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	struct gateway *g = ctx;
	const char *id = http_request_header(x, "X-M2M-RI"), *from = http_request_header(x, "X-M2M-Origin");
	const struct http_header headers[] = {{"X-M2M-RSC", "2000"}, {"X-M2M-RI", id ? id : "0"}, {NULL, NULL}};

	/* Only the registrar CSE notifies us, of what we subscribed to. It also passes on what others ask, in their name: that is nothing to us. */
	if ((rq->tls && strcmp(rq->peer, g->config.cse_identity) != 0) || !from || strcmp(from, g->config.cse_id) != 0) {
		log_line(LOG_LEVEL_WARNING, "notification from a stranger", "peer=%s from=%s", log_quote(rd_str(rq->peer)), log_quote(rd_str(from ? from : "")));
		http_answer(x, 403, NULL, rd_of("", 0));
		return;
	}
	relay_notified(g->relay, rq->body);
	http_answer(x, 200, headers, rd_of("", 0));
}

/* ---- start ---- */

static enum err start_state(struct gateway *g)
{
	enum err e;

	snprintf(g->children_path, sizeof g->children_path, "%s/children", g->config.state);
	e = children_load(g->children_path, g->coordinator, &g->epoch);
	if (e != OK)
		return e;
	g->epoch++;
	return children_save(g->children_path, g->coordinator, g->epoch);
}

static void resume_children(struct gateway *g)
{
	struct child *child;

	for (size_t i = 0; (child = coordinator_child_at(g->coordinator, i)) != NULL; i++) {
		if (child->owner[0] == '\0')
			continue;
		relay_device(g->relay, child->eui64, child->owner, child->down);
		child_event(g, child->eui64, EGP_CHILD_GATEWAY_RESTARTED);
	}
}

/* Where the CSE finds us: the host that we listen on. */
static void point_of_access(struct gateway *g)
{
	struct rd all = rd_str(g->config.listen), host;
	const char *colon = strrchr(g->config.listen, ':');
	char name[100];

	if (!colon || !rd_sub(&all, (size_t)(colon - g->config.listen), &host) || host.left == 0 || rd_is(host, "0.0.0.0") || rd_is(host, "[::]") ||
	    !rd_text(host, name, sizeof name))
		strcpy(name, "127.0.0.1");
	snprintf(g->poa, sizeof g->poa, "%s://%s:%u", g->config.tls ? "https" : "http", name, http_server_port(g->server));
}

enum err gateway_start(struct loop *l, const struct gateway_config *config)
{
	static const struct radio_port_events radio_events = {on_radio_effect, on_radio_settled};
	struct gateway *g = calloc(1, sizeof *g);
	struct spinel_host_config radio;
	struct egp_client_config egp;
	struct relay_config relay;
	enum err e;

	if (!g)
		return ERR_NO_MEMORY;
	g->loop = l;
	g->config = *config;
	g->rng = rng_system();
	g->egp_serial = strncmp(config->egp_address, "serial:", 7) == 0;
	g->coordinator = coordinator_new(&config->radio, &g->rng);
	radio = (struct spinel_host_config){.eui64 = config->radio.eui64, .pan_id = config->radio.pan_id, .channel = config->radio.channel,
	    .set_tx_power = config->set_tx_power, .tx_power_dbm = config->tx_power_dbm};
	if (!g->coordinator)
		return ERR_NO_MEMORY;
	e = start_state(g);
	if (e != OK)
		return e;
	egp = (struct egp_client_config){config->radio.eui64, config->radio.pan_id, config->radio.extended_pan_id, config->radio.channel, g->epoch};
	g->client = egp_client_new(&egp, &g->rng);
	g->http = http_client_new(l, config->tls);
	e = http_server_new(l, config->listen, config->tls, on_notification, g, &g->server);
	if (e != OK)
		return e;
	point_of_access(g);
	relay = (struct relay_config){config->cse_url, config->cse_identity, config->cse_id, config->cse_name, config->ae_id, config->ae_name, g->poa, g->epoch};
	g->relay = relay_new(l, g->http, &relay, &relay_events, g);
	if (g->epoch == 1)
		recover_start(l, g->http, &relay, on_found, g);
	g->timer = loop_timer_new(l, on_time, g);
	g->egp_retry = loop_timer_new(l, on_egp_retry, g);
	resume_children(g);
	/* What is not there yet may come; an address that cannot be is the operator's to mend. */
	e = radio_port_open(l, config->radio_address, &radio, &radio_events, g, &g->radio);
	if (e != OK)
		return e;
	if (egp_connect(g) == ERR_CONFIG)
		return ERR_CONFIG;
	pump(g);
	return OK;
}
