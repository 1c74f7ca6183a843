/* Routers, each under a key of its own: nearly every plug and lamp joins as one. It is kept on the network as a leaf. A router believes in a link
 * to its coordinator as long as it hears link status that lists it (R22 3.6.3.4), asks for routes (3.6.3.5), and would let others in; so node B
 * tells it of the link every 15 s, answers its route requests for 0x0000 and for nothing else, and keeps it closed. Other routers could not open
 * these frames: they go to its MAC address alone, though their NWK address is that of all routers, unless the configuration wants them broadcast. */
#include <string.h>

#include "base/clock.h"
#include "oci/core_private.h"

#define CAPABILITY_FFD 0x02           /* of the MAC: a device that can route */
#define FIRST_STATUS_MS 1000          /* at most, after it was heard */
#define QUIET_PERIODS 8               /* of a router that says nothing: nobody is there to be told of a link */
#define SILENT_S 120                  /* when the gateway reports it as lost: eight link status of its own */
#define MANY_TO_ONE_MS 10000          /* at most so often */
#define MANY_TO_ONE_PERIODS 4         /* in a group, again: its routes are somebody's to lose */

bool oci_is_router(const struct oci_device *d)
{
	return d->capability & CAPABILITY_FFD;
}

void oci_router_forget(struct oci_device *d)
{
	memset(&d->router, 0, sizeof d->router);
}

uint8_t oci_link_cost(uint8_t lqi)
{
	static const uint8_t at_least[] = {0, 200, 160, 130, 100, 70, 40}; /* cost n from that LQI on; R22 3.6.3.1 leaves the function to us */

	for (uint8_t cost = 1; lqi > 0 && cost < sizeof at_least; cost++)
		if (lqi >= at_least[cost])
			return cost;
	return lqi > 0 ? 7 : 1; /* a radio that tells no quality */
}

/* ---- out ---- */

static void status_send(struct oci_core *c, struct oci_device *d)
{
	const struct nwk_command m = {
		.id = NWK_LINK_STATUS,
		.link_status = {true, true, 1, {{d->short_address, oci_link_cost(d->router.lqi), d->router.outgoing_cost}}},
	};

	oci_nwk_one_hop(c, d, &m, c->config.link_status_broadcast);
}

/* The same for all routers of a group, and by them for those further away: each compares what it hears by the request's number. To each that the gateway hears
 * by itself: a MAC broadcast would overtake what waits for them, which has lower frame counters. */
static void many_to_one_flood(struct oci_core *c, struct oci_device *d)
{
	struct oci_network *n = d->present.network;
	struct nwk_command m = {.id = NWK_ROUTE_REQUEST, .route_request = {.many = NWK_MANY_TO_ONE, .destination = NWK_BROADCAST_ROUTERS}};

	if (n->many_sent && c->now - n->many_at < MANY_TO_ONE_MS)
		return;
	n->many_sent = true;
	n->many_at = c->now;
	m.route_request.id = ++n->many_id;
	if (c->config.link_status_broadcast) {
		oci_nwk_flood(c, d, &m, true);
		return;
	}
	for (struct oci_device *r = c->devices; r; r = r->next)
		if (r->router.served && !r->parent && oci_mesh_same(r, d))
			oci_nwk_flood(c, r, &m, false);
}

/* Makes the coordinator a concentrator, so that the router need not ask for its route. Not to be passed on: radius 1. */
static void many_to_one_send(struct oci_core *c, struct oci_device *d)
{
	const struct nwk_command m = {
		.id = NWK_ROUTE_REQUEST,
		.route_request = {.many = NWK_MANY_TO_ONE, .id = d->router.request_id, .destination = NWK_BROADCAST_ROUTERS},
	};

	if (c->config.link_status_ms == 0)
		return;
	if (oci_mesh_is_router(d)) {
		if (!d->parent && d->present.network)
			many_to_one_flood(c, d);
		return;
	}
	if ((d->router.announced && c->now - d->router.announced_at < MANY_TO_ONE_MS))
		return;
	d->router.announced = true;
	d->router.announced_at = c->now;
	d->router.request_id++;
	oci_nwk_one_hop(c, d, &m, c->config.link_status_broadcast);
}

static void close_joining(struct oci_core *c, struct oci_device *d)
{
	const struct zdo_message m = {.cluster = ZDO_MGMT_PERMIT_JOINING, .sequence = d->zdo_sequence++, .permit_duration = 0, .tc_significance = 1};

	oci_zdo_send(c, d, &m);
}

/* It never polls and never asks for a time-out: the gateway learns of it from us. */
static void serve(struct oci_core *c, struct oci_device *d)
{
	d->timeout_s = SILENT_S;
	oci_life_place(c, d);
	d->router.served = true;
	d->router.status_at = c->now + rng_below(c->config.rng, FIRST_STATUS_MS);
	many_to_one_send(c, d);
}

/* ---- in ---- */

void oci_core_heard(struct oci_core *c, uint64_t eui64, uint8_t lqi)
{
	struct oci_device *d = oci_core_device(c, eui64);

	if (d)
		d->router.lqi = lqi;
}

void oci_router_heard(struct oci_core *c, struct oci_device *d)
{
	if (oci_is_router(d) && d->joined && !d->router.served && !d->parent)
		serve(c, d);
}

bool oci_router_own(const struct oci_device *d, const struct nwk_frame *f)
{
	if (f->source == NWK_COORDINATOR || (f->has_source_eui64 && f->source_eui64 != d->eui64))
		return false;
	return !oci_is_router(d) || !f->end_device_initiator;
}

/* The whole list, of which a frame holds a part: in it we are listed, or it says that we are not heard. */
static void on_link_status(struct oci_device *d, const struct nwk_command *m)
{
	for (size_t i = 0; i < m->link_status.count; i++)
		if (m->link_status.links[i].address == NWK_COORDINATOR) {
			d->router.outgoing_cost = m->link_status.links[i].incoming_cost;
			return;
		}
	if (m->link_status.first) /* our address is the lowest: it would be in the first part */
		d->router.outgoing_cost = 0;
}

void oci_router_reply(struct oci_core *c, struct oci_device *hop, const struct oci_device *d, const struct nwk_frame *f, const struct nwk_command *m)
{
	const struct nwk_command reply = {
		.id = NWK_ROUTE_REPLY,
		.route_reply = {
			.has_originator_eui64 = true,
			.has_responder_eui64 = true,
			.id = m->route_request.id,
			.originator = f->source,
			.responder = NWK_COORDINATOR,
			.originator_eui64 = d->eui64,
			.responder_eui64 = d->gateway,
		},
	};

	if (m->route_request.many == NWK_ROUTE_TO_ONE && m->route_request.destination == NWK_COORDINATOR)
		oci_nwk_command(c, hop, &reply);
}

void oci_router_status(struct oci_core *c, struct oci_device *d, const struct nwk_command *m)
{
	oci_log(c, d, "network status %02x about %04x", m->network_status.status, m->network_status.destination);
	switch (m->network_status.status) {
	case NWK_STATUS_NO_ROUTE:
	case NWK_STATUS_TREE_LINK_FAILURE:
	case NWK_STATUS_LINK_FAILURE:
	case NWK_STATUS_SOURCE_ROUTE_FAILURE:
	case NWK_STATUS_MANY_TO_ONE_FAILURE:
		oci_mesh_no_route(c, d, m->network_status.destination);
		many_to_one_send(c, d);
		break;
	}
}

void oci_router_command(struct oci_core *c, struct oci_device *d, const struct nwk_frame *f, const struct nwk_command *m)
{
	if (!oci_is_router(d))
		return; /* an end device has nothing to say of routes */
	if (m->id == NWK_LINK_STATUS)
		on_link_status(d, m);
	else if (m->id == NWK_ROUTE_REQUEST && f->source == d->short_address)
		oci_router_reply(c, d, d, f, m);
	else if (m->id == NWK_NETWORK_STATUS)
		oci_router_status(c, d, m);
	/* a route record of its own says what we know: there is nobody between */
}

/* ---- management ---- */

/* Our neighbour is who asks: the others are under other keys, and none of its business. */
static void neighbours_answer(const struct oci_device *d, struct zdo_message *m)
{
	m->total = 1;
	if (m->start > 0)
		return;
	m->row_count = 1;
	m->neighbours[0] = (struct zdo_neighbour){
		.extended_pan_id = UINT64_MAX, /* not known: the gateway has it */
		.eui64 = d->eui64,
		.short_address = d->short_address,
		.kind = (uint8_t)((oci_is_router(d) ? ZDO_ROUTER : ZDO_END_DEVICE) | (d->capability & 0x08 ? ZDO_NEIGHBOUR_RX_ON : 0) | ZDO_NEIGHBOUR_CHILD),
		.depth = 1,
		.lqi = d->router.lqi,
	};
}

static void routes_answer(const struct oci_device *d, struct zdo_message *m)
{
	m->total = 1;
	if (m->start > 0)
		return;
	m->row_count = 1;
	m->routes[0] = (struct zdo_route){.destination = d->short_address, .next_hop = d->short_address, .state = ZDO_ROUTE_ACTIVE};
}

/* A router opens itself for three minutes when it has joined, and asks everybody else to (BDB 8.2): nobody joins through it here, but in a group. */
static bool on_permit(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, const struct zdo_message *rq)
{
	struct zdo_message m = {.cluster = rq->cluster | ZDO_RESPONSE, .sequence = rq->sequence};

	if (rq->permit_duration == 0)
		return false;
	if (oci_is_router(d) && !oci_mesh_is_router(d))
		close_joining(c, d);
	if (f->delivery != APS_UNICAST)
		return false; /* it is a device's last word in commissioning, too */
	m.status = ZDO_NOT_AUTHORIZED;
	oci_zdo_send(c, d, &m);
	return true;
}

bool oci_router_zdo(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, struct rd payload)
{
	struct zdo_message rq, m = {.cluster = f->cluster | ZDO_RESPONSE};

	if ((f->cluster != ZDO_MGMT_LQI && f->cluster != ZDO_MGMT_RTG && f->cluster != ZDO_MGMT_PERMIT_JOINING) || zdo_decode(f->cluster, payload, &rq) != OK)
		return false;
	if (f->cluster == ZDO_MGMT_PERMIT_JOINING)
		return on_permit(c, d, f, &rq);
	m.sequence = rq.sequence;
	m.start = rq.start;
	if (f->cluster == ZDO_MGMT_LQI)
		neighbours_answer(d, &m);
	else
		routes_answer(d, &m);
	if (f->delivery == APS_UNICAST)
		oci_zdo_send(c, d, &m);
	return true;
}

/* ---- time ---- */

void oci_router_tick(struct oci_core *c, struct oci_device *d)
{
	uint32_t period = c->config.link_status_ms;

	if (c->now < oci_router_deadline(c, d))
		return;
	if (c->now - d->last_heard > QUIET_PERIODS * (uint64_t)period) {
		d->router.served = false; /* until it is heard again */
		return;
	}
	d->router.status_at = c->now + period - period / 20 + rng_below(c->config.rng, period / 10 + 1);
	status_send(c, d);
	if (oci_mesh_is_router(d)) {
		if (!d->present.network->many_sent || c->now - d->present.network->many_at >= MANY_TO_ONE_PERIODS * (uint64_t)period)
			many_to_one_flood(c, d);
		return;
	}
	if (!d->router.closed && d->interview == OCI_INTERVIEW_DONE) {
		d->router.closed = true;
		close_joining(c, d);
	}
}

uint64_t oci_router_deadline(const struct oci_core *c, const struct oci_device *d)
{
	return d->router.served && c->config.link_status_ms > 0 ? d->router.status_at : CLOCK_NEVER;
}
