/* The gateway's shell. */
#include "gateway/gateway_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "gateway/recover.h"
#include "loop/http.h"
#include "loop/log.h"
#include "loop/startup.h"

#define AGE_CHECK_MS 5000

const char *gateway_name(uint64_t eui64)
{
	static char text[4][EUI64_SIZE];
	static unsigned turn;
	char *t = text[turn++ % 4];

	eui64_print(t, eui64);
	return t;
}

static void on_relay_message(void *ctx, const struct egp_message *m)
{
	struct gateway *g = ctx;
	uint64_t now = clock_ms();

	if (m->type == EGP_DOWNLINK)
		coordinator_send(g->coordinator, now, m->downlink.device, m->transaction, m->downlink.flags, m->downlink.validity_ms, m->downlink.frame);
	if (m->type == EGP_CHILD_SET) {
		gateway_stray_home(g, m);
		coordinator_child_set(g->coordinator, now, m->child_set.device, m->child_set.short_address, m->child_set.capability, m->child_set.timeout_s);
	}
	if (m->type == EGP_CHILD_DROP)
		coordinator_child_drop(g->coordinator, m->child_drop.device);
	gateway_pump(g);
}

static const struct relay_events relay_events = {gateway_relay_ready, on_relay_message};

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
	gateway_pump(ctx);
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

	if (e->id == COORDINATOR_TRANSPORT_KEY) {
		log_line(e->status == EGP_DELIVERED ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "transport key delivery", "device=%s status=%d", gateway_name(e->eui64), (int)e->status);
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
		children_flush(g->keeper); /* whoever hears of an address from us finds us knowing it after a power failure */
		if ((e.urgent ? spinel_host_transmit_urgent : spinel_host_transmit)(radio_port_host(g->radio), clock_ms(), rd_of(e.octets, e.len), e.token) != OK)
			coordinator_sent(g->coordinator, clock_ms(), e.token, false, true);
		break;
	case COORDINATOR_MATCH_SHORT:
		spinel_host_match_short(radio_port_host(g->radio), e.short_address, e.add);
		break;
	case COORDINATOR_MATCH_EXTENDED:
		spinel_host_match_extended(radio_port_host(g->radio), e.eui64, e.add);
		break;
	case COORDINATOR_ASSOCIATED:
		log_line(LOG_LEVEL_INFO, "device associated", "device=%s short=%04x capability=%02x", gateway_name(e.eui64), e.short_address, e.capability);
		egp_client_request(g->client, clock_ms(), e.eui64, e.short_address, e.capability, EGP_JOIN_ASSOCIATION);
		break;
	case COORDINATOR_REJOIN:
		log_line(LOG_LEVEL_INFO, "Trust Centre rejoin asked for", "device=%s short=%04x", gateway_name(e.eui64), e.short_address);
		egp_client_request(g->client, clock_ms(), e.eui64, e.short_address, e.capability, EGP_JOIN_UNSECURED_REJOIN);
		break;
	case COORDINATOR_DENIED:
		log_line(LOG_LEVEL_NOTICE, "association denied: not admitted by the join policy", "device=%s", gateway_name(e.eui64));
		break;
	case COORDINATOR_UPLINK:
		on_uplink(g, &e);
		break;
	case COORDINATOR_DELIVERY:
		on_delivery(g, &e);
		break;
	case COORDINATOR_UNKNOWN_POLL:
		gateway_unknown(g, &e);
		break;
	case COORDINATOR_LOST:
		gateway_child_event(g, e.eui64, EGP_CHILD_LOST);
		break;
	case COORDINATOR_SAVE:
		children_changed(g->keeper);
		break;
	case COORDINATOR_ENDED:
		log_line(LOG_LEVEL_INFO, "device removed", "device=%s", gateway_name(e.eui64));
		relay_remove(g->relay, e.eui64);
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
		gateway_egp_write(g, rd_of(e.octets, e.len));
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
		gateway_packet(g, &e.message);
		break;
	case EGP_CLIENT_REFUSED:
		log_line(LOG_LEVEL_WARNING, "Enrolment Gateway refused", "device=%s reason=\"%s\"", gateway_name(e.message.error.device), egp_error_text(e.message.error.code));
		break;
	case EGP_CLIENT_REMOVE:
		coordinator_child_remove(g->coordinator, clock_ms(), e.message.remove.device);
		break;
	case EGP_CLIENT_CLOSE:
		if (g->egp)
			gateway_egp_down(g);
		break;
	}
	return true;
}

void gateway_pump(struct gateway *g)
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
	gateway_pump(g);
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
	e = gateway_children_start(g);
	if (e != OK)
		return e;
	egp = (struct egp_client_config){config->radio.eui64, config->radio.pan_id, config->radio.extended_pan_id, config->radio.channel, g->epoch};
	g->client = egp_client_new(&egp, &g->rng);
	g->http = http_client_new(l, config->tls);
	e = http_server_new(l, config->listen, config->tls, on_notification, g, &g->server);
	if (e != OK) {
		(void)startup_cannot_listen("notifications, listen in [ipe], can't be received", config->listen, e);
		return e;
	}
	point_of_access(g);
	relay = (struct relay_config){config->cse_url, config->cse_identity, config->cse_id, config->cse_name, config->ae_id, config->ae_name, g->poa, g->epoch};
	g->relay = relay_new(l, g->http, &relay, &relay_events, g);
	if (g->epoch == 1)
		recover_start(l, g->http, &relay, gateway_found, g);
	g->timer = loop_timer_new(l, on_time, g);
	g->egp_retry = loop_timer_new(l, gateway_egp_retry, g);
	gateway_children_resume(g);
	/* What is not there yet may come; an address that cannot be is the operator's to mend. */
	e = radio_port_open(l, config->radio_address, &radio, &radio_events, g, &g->radio);
	if (e != OK) {
		log_line(LOG_LEVEL_ERROR, "connect in [radio] can't be used", "address=%s error=%s advice=\"tcp:HOST:PORT with an IP address, or serial:PATH[:BAUD]\"", config->radio_address, err_name(e));
		return e;
	}
	if (gateway_egp_connect(g) == ERR_CONFIG) {
		log_line(LOG_LEVEL_ERROR, "connect in [egp] can't be used", "address=%s advice=\"tls:HOST:PORT or psk:HOST:PORT with an IP address, or serial:PATH[:BAUD]\"", config->egp_address);
		return ERR_CONFIG;
	}
	gateway_pump(g);
	return OK;
}
