/* The simulated device as a router: it tells its neighbours of the links to them, believes in a link only as long as the other end does, and looks for
 * its route to the coordinator when it has none. Sources: R22 clauses 3.4.1, 3.4.2, 3.4.5, 3.4.8 and 3.6.3. It keeps one route, to the coordinator;
 * what it passes on for others is in device_mesh.c. */
#include <string.h>

#include "base/clock.h"
#include "sim/device_private.h"

#define LINK_STATUS_MS 15000     /* nwkLinkStatusPeriod */
#define AGE_LIMIT 3              /* nwkRouterAgeLimit */
#define REQUEST_RETRIES 3        /* nwkcInitialRREQRetries */
#define REQUEST_RETRY_MS 254     /* nwkcRREQRetryInterval */
#define DISCOVERY_MS 10000       /* nwkcRouteDiscoveryTime */
#define DISCOVERIES_IN_VAIN 3    /* until the parent counts as lost */
#define GOOD_COST 1              /* the simulated air is never worse */

static uint64_t period(const struct sim_device *d)
{
	return LINK_STATUS_MS / (d->config.time_scale > 0 ? d->config.time_scale : 1);
}

void device_router_start(struct sim_device *d)
{
	struct device_router *r = &d->router, empty = {.permit_until = r->permit_until, .depth = r->depth};

	if (!d->config.router)
		return;
	memcpy(empty.children, r->children, sizeof empty.children);
	*r = empty;
	r->request_id = (uint8_t)rng_u32(d->config.rng);
	r->next_hop = d->parent;
	/* We have just heard each other: that counts like link status. */
	r->neighbours[0] = (struct device_neighbour){
		.used = true, .eui64 = device_nwk_parent(d), .address = d->parent, .incoming_cost = GOOD_COST, .outgoing_cost = GOOD_COST};
	r->status_at = d->now + rng_below(d->config.rng, (uint32_t)period(d));
	radio_match_enable(d->radio, true);
}

/* ---- neighbours ---- */

static struct device_neighbour *neighbour_of(struct sim_device *d, uint64_t eui64)
{
	struct device_neighbour *n = NULL;

	for (size_t i = 0; i < DEVICE_NEIGHBOURS; i++) {
		if (d->router.neighbours[i].used && d->router.neighbours[i].eui64 == eui64)
			return &d->router.neighbours[i];
		if (!d->router.neighbours[i].used && !n)
			n = &d->router.neighbours[i];
	}
	if (n)
		*n = (struct device_neighbour){.used = true, .eui64 = eui64, .address = MAC_BROADCAST}; /* until its link status tells */
	return n;
}

struct counter_in *device_router_counter(struct sim_device *d, uint64_t eui64)
{
	struct device_child *c = device_parent_child(d, eui64);
	struct device_neighbour *n = c ? NULL : neighbour_of(d, eui64);

	return c ? &c->in : n ? &n->in : NULL;
}

static const struct device_neighbour *neighbour_at(const struct sim_device *d, uint16_t address)
{
	for (size_t i = 0; i < DEVICE_NEIGHBOURS; i++)
		if (d->router.neighbours[i].used && d->router.neighbours[i].address == address)
			return &d->router.neighbours[i];
	return NULL;
}

bool device_router_hears_us(const struct sim_device *d, uint16_t address)
{
	const struct device_neighbour *n = neighbour_at(d, address);

	return n && n->outgoing_cost > 0;
}

uint16_t device_router_neighbour(const struct sim_device *d, uint16_t address)
{
	return device_router_hears_us(d, address) ? address : MAC_BROADCAST;
}

static void check_route(struct sim_device *d)
{
	const struct device_neighbour *n = neighbour_at(d, d->router.next_hop);

	if (d->router.route == DEVICE_ROUTE_NONE || (n && n->outgoing_cost > 0))
		return;
	device_event(d, "route-lost", "\"periods\":%u", n ? n->age : AGE_LIMIT + 1);
	if (d->router.route == DEVICE_ROUTE_ACTIVE) /* what is being looked for goes on being looked for, in vain */
		d->router.route = DEVICE_ROUTE_NONE;
}

void device_router_lost(struct sim_device *d)
{
	if (d->router.route != DEVICE_ROUTE_ACTIVE || d->router.next_hop == NWK_COORDINATOR)
		return; /* to the coordinator there is a link, or link status tells that there is none */
	device_event(d, "route-lost", "\"periods\":0");
	d->router.route = DEVICE_ROUTE_NONE;
	d->router.many_to_one = false;
}

/* Lists are sorted; a part of one covers the addresses from its first to its last. */
static bool covers(const struct nwk_command *m, uint16_t address)
{
	uint8_t count = m->link_status.count;

	return (m->link_status.first || (count > 0 && address >= m->link_status.links[0].address)) &&
	    (m->link_status.last || (count > 0 && address <= m->link_status.links[count - 1].address));
}

void device_router_link_status(struct sim_device *d, uint64_t sealer, uint16_t source, const struct nwk_command *m)
{
	struct device_neighbour *n = neighbour_of(d, sealer);

	if (!n || (d->config.broadcast_link_status && !d->heard_broadcast) || !covers(m, d->short_address))
		return;
	n->address = source;
	n->incoming_cost = GOOD_COST;
	n->age = 0;
	n->outgoing_cost = 0;
	for (size_t i = 0; i < m->link_status.count; i++)
		if (m->link_status.links[i].address == d->short_address)
			n->outgoing_cost = m->link_status.links[i].incoming_cost;
	check_route(d);
}

static void grow_old(struct sim_device *d)
{
	for (size_t i = 0; i < DEVICE_NEIGHBOURS; i++) {
		struct device_neighbour *n = &d->router.neighbours[i];

		if (n->used && ++n->age > AGE_LIMIT) {
			n->outgoing_cost = 0;
			n->used = i == 0;
		}
	}
	check_route(d);
}

static void list(struct nwk_command *m, const struct device_neighbour *n)
{
	size_t at = m->link_status.count++;

	while (at > 0 && m->link_status.links[at - 1].address > n->address) {
		m->link_status.links[at] = m->link_status.links[at - 1];
		at--;
	}
	m->link_status.links[at] = (struct nwk_link){n->address, n->incoming_cost, n->outgoing_cost};
}

static void link_status_send(struct sim_device *d)
{
	struct nwk_command m = {.id = NWK_LINK_STATUS, .link_status = {.first = true, .last = true}};

	for (size_t i = 0; i < DEVICE_NEIGHBOURS; i++)
		if (d->router.neighbours[i].used && d->router.neighbours[i].age <= AGE_LIMIT && d->router.neighbours[i].address != MAC_BROADCAST)
			list(&m, &d->router.neighbours[i]);
	device_nwk_command(d, NWK_BROADCAST_ROUTERS, &m);
}

/* ---- the route to the coordinator ---- */

static void ask(struct sim_device *d)
{
	const struct nwk_command m = {.id = NWK_ROUTE_REQUEST, .route_request = {.id = d->router.request_id, .destination = NWK_COORDINATOR}};

	d->router.ask_at = d->router.asks++ < REQUEST_RETRIES ? d->now + REQUEST_RETRY_MS : CLOCK_NEVER;
	device_nwk_command(d, NWK_BROADCAST_ROUTERS, &m);
}

void device_router_found(struct sim_device *d, uint16_t next_hop, const char *how)
{
	size_t count = d->router.held_count;

	if (d->router.route != DEVICE_ROUTE_ACTIVE || d->router.next_hop != next_hop)
		device_event(d, "route", "\"by\":\"%s\",\"hop\":%u", how, next_hop);
	d->router.route = DEVICE_ROUTE_ACTIVE;
	d->router.next_hop = next_hop;
	d->router.failures = 0;
	d->router.held_count = 0;
	for (size_t i = 0; i < count; i++)
		device_nwk_send(d, NWK_DATA, NWK_COORDINATOR, rd_of(d->router.held[i].octets, d->router.held[i].len));
}

static void not_found(struct sim_device *d)
{
	d->router.route = DEVICE_ROUTE_NONE;
	d->router.held_count = 0;
	d->router.failures++;
	device_event(d, "no-route", "\"asked\":%u", d->router.asks);
	if (d->router.failures < DISCOVERIES_IN_VAIN || d->state != DEVICE_COMMISSIONED)
		return;
	device_event(d, "parent-lost", "%s", "");
	device_nwk_seek(d);
}

/* A router that sends a route record before its data makes the concentrator's route back, and one of its end devices by way of it. */
void device_router_record(struct sim_device *d, struct device_child *c)
{
	struct nwk_command m = {.id = NWK_ROUTE_RECORD};
	bool *due = c ? &c->record_due : &d->router.record_due;
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct nwk_frame f;
	struct rd payload;

	if (!d->router.many_to_one || !*due)
		return;
	*due = d->router.no_cache;
	if (c)
		m.route_record.relays[m.route_record.count++] = d->short_address;
	if (nwk_command_encode(&m, &w) != OK || !wr_done(&w, &payload))
		return;
	device_nwk_header(d, NWK_COMMAND, NWK_COORDINATOR, payload, &f);
	f.sequence = d->nwk_sequence++;
	if (c) {
		f.source = c->short_address;
		f.source_eui64 = c->eui64;
	}
	device_mesh_send(d, &f);
}

bool device_router_holds(struct sim_device *d, enum nwk_frame_type type, uint16_t destination, struct rd payload)
{
	size_t n = d->router.held_count;

	if (!d->config.router || type != NWK_DATA || destination >= NWK_BROADCAST_ROUTERS)
		return false;
	if (d->router.route == DEVICE_ROUTE_ACTIVE) {
		device_router_record(d, NULL);
		return false;
	}
	if (n < DEVICE_HELD && rd_copy(&payload, d->router.held[n].octets, (d->router.held[n].len = payload.left)))
		d->router.held_count++;
	if (d->router.route == DEVICE_ROUTE_NONE) {
		d->router.route = DEVICE_ROUTE_ASKED;
		d->router.request_id++;
		d->router.asks = 0;
		d->router.give_up_at = d->now + DISCOVERY_MS;
		ask(d);
	}
	return true;
}

/* ---- tables, for management ---- */

void device_router_neighbours(const struct sim_device *d, struct zdo_message *m)
{
	for (size_t i = 0; i < DEVICE_NEIGHBOURS; i++) {
		const struct device_neighbour *n = &d->router.neighbours[i];

		if (!n->used || m->total++ < m->start || m->row_count == ZDO_NEIGHBOURS_MAX)
			continue;
		m->neighbours[m->row_count++] = (struct zdo_neighbour){
			.extended_pan_id = d->extended_pan_id,
			.eui64 = n->eui64,
			.short_address = n->address,
			.kind = (uint8_t)((n->address == NWK_COORDINATOR ? ZDO_COORDINATOR : ZDO_ROUTER) | (i == 0 ? ZDO_NEIGHBOUR_PARENT : ZDO_NEIGHBOUR_NONE) | ZDO_NEIGHBOUR_RX_ON),
			.permit = ZDO_NEIGHBOUR_PERMIT_UNKNOWN,
			.depth = n->address != NWK_COORDINATOR,
			.lqi = n->age > AGE_LIMIT ? 0 : 200,
		};
	}
}

void device_router_routes(const struct sim_device *d, struct zdo_message *m)
{
	m->total = 1;
	if (m->start > 0)
		return;
	m->row_count = 1;
	m->routes[0].next_hop = d->router.next_hop;
	m->routes[0].state = (uint8_t)((d->router.route == DEVICE_ROUTE_ACTIVE ? ZDO_ROUTE_ACTIVE : ZDO_ROUTE_INACTIVE) |
	                               (d->router.many_to_one ? ZDO_ROUTE_MANY_TO_ONE : 0) | (d->router.record_due ? ZDO_ROUTE_RECORD_REQUIRED : 0));
}

/* ---- time ---- */

static bool works(const struct sim_device *d)
{
	return d->config.router && device_joined(d) && d->state >= DEVICE_NEGOTIATING && d->state <= DEVICE_COMMISSIONED;
}

void device_router_tick(struct sim_device *d)
{
	if (!works(d))
		return;
	device_mesh_tick(d);
	if (d->now >= d->router.status_at) {
		d->router.status_at = d->now + period(d) - period(d) / 20 + rng_below(d->config.rng, (uint32_t)(period(d) / 10 + 1));
		grow_old(d);
		link_status_send(d);
	}
	if (d->router.route != DEVICE_ROUTE_ASKED)
		return;
	if (d->now >= d->router.give_up_at)
		not_found(d);
	else if (d->now >= d->router.ask_at)
		ask(d);
}

uint64_t device_router_deadline(const struct sim_device *d)
{
	uint64_t next = d->router.status_at;

	if (!works(d))
		return CLOCK_NEVER;
	if (device_mesh_deadline(d) < next)
		next = device_mesh_deadline(d);
	if (d->router.route != DEVICE_ROUTE_ASKED)
		return next;
	if (d->router.ask_at < next)
		next = d->router.ask_at;
	return d->router.give_up_at < next ? d->router.give_up_at : next;
}
