/* What the simulated router passes on for others: each frame is opened, and sealed anew under its own counter. Unicasts by source route, to a child, or
 * towards the coordinator; broadcasts once each; route requests with the cost of one hop more, route records with its own address behind the others.
 * Sources: R22 clauses 3.6.3.3 (routing), 3.6.3.5 (route discovery), 3.6.3.6 (what fails), 3.6.5 (broadcasts). */
#include <string.h>

#include "base/clock.h"
#include "sim/device_private.h"

#define BROADCAST_REPEATS 2      /* nwkMaxBroadcastRetries, of our own */
#define BROADCAST_MS 500         /* nwkPassiveAckTimeout */
#define BROADCAST_JITTER_MS 64   /* nwkcMaxBroadcastJitter */
#define BROADCAST_LIFE_MS 9000   /* nwkBroadcastDeliveryTime */
#define DISCOVERY_MS 10000       /* nwkcRouteDiscoveryTime */
#define HOP_COST 1               /* the simulated air is never worse */

bool device_frame_take(struct device_frame *to, const struct nwk_frame *f)
{
	struct rd payload = f->payload;

	to->f = *f;
	to->f.header = rd_of(NULL, 0);
	return rd_copy(&payload, to->octets, payload.left);
}

struct nwk_frame device_frame(const struct device_frame *from)
{
	struct nwk_frame f = from->f;

	f.payload = rd_of(from->octets, f.payload.left);
	return f;
}

/* ---- broadcasts ---- */

bool device_mesh_fresh(struct sim_device *d, const struct nwk_frame *f)
{
	struct device_broadcast *oldest = &d->router.broadcasts[0];

	for (size_t i = 0; i < DEVICE_BROADCASTS; i++) {
		struct device_broadcast *b = &d->router.broadcasts[i];

		if (b->used && d->now < b->until && b->source == f->source && b->sequence == f->sequence)
			return false;
		if (!b->used || b->until < oldest->until)
			oldest = b;
	}
	*oldest = (struct device_broadcast){true, f->source, f->sequence, d->now + BROADCAST_LIFE_MS};
	return true;
}

static void repeat_later(struct sim_device *d, const struct nwk_frame *f, unsigned left, uint64_t at)
{
	for (size_t i = 0; i < DEVICE_REPEATS; i++) {
		struct device_repeat *r = &d->router.repeats[i];

		if (r->left > 0 || !device_frame_take(&r->frame, f))
			continue;
		r->left = left;
		r->at = at;
		return;
	}
}

void device_mesh_broadcast(struct sim_device *d, const struct nwk_frame *f, bool own)
{
	if (own) {
		(void)device_mesh_fresh(d, f);
		(void)device_nwk_pass(d, f, MAC_BROADCAST, false);
	}
	repeat_later(d, f, own ? BROADCAST_REPEATS : 1, d->now + (own ? BROADCAST_MS : rng_below(d->config.rng, BROADCAST_JITTER_MS)));
	for (size_t i = 0; i < DEVICE_CHILDREN && f->destination == NWK_BROADCAST_ALL; i++) {
		struct device_child *c = &d->router.children[i];

		if (c->used && c->keyed && device_parent_sleeps(c) && c->short_address != f->source)
			device_parent_queue(d, c, f);
	}
}

static void repeat(struct sim_device *d)
{
	for (size_t i = 0; i < DEVICE_REPEATS; i++) {
		struct device_repeat *r = &d->router.repeats[i];
		struct nwk_frame f;

		if (r->left == 0 || d->now < r->at)
			continue;
		r->left--;
		r->at = d->now + BROADCAST_MS;
		f = device_frame(&r->frame);
		(void)device_nwk_pass(d, &f, MAC_BROADCAST, false);
	}
}

/* ---- unicasts ---- */

static uint16_t next_hop(const struct sim_device *d, uint16_t destination)
{
	uint16_t neighbour = device_router_neighbour(d, destination);

	if (destination != NWK_COORDINATOR && neighbour != MAC_BROADCAST)
		return neighbour;
	return d->router.route == DEVICE_ROUTE_ACTIVE ? d->router.next_hop : d->parent;
}

void device_mesh_send(struct sim_device *d, const struct nwk_frame *f)
{
	struct device_child *c = device_parent_child_at(d, f->destination);

	if (f->destination >= NWK_BROADCAST_ROUTERS && f->type == NWK_DATA)
		device_mesh_broadcast(d, f, true);
	else if (f->destination >= NWK_BROADCAST_ROUTERS)
		(void)device_nwk_pass(d, f, MAC_BROADCAST, false);
	else if (c)
		device_parent_deliver(d, c, f);
	else
		(void)device_nwk_pass(d, f, next_hop(d, f->destination), false);
}

/* R22 3.6.3.3.2: we are the relay whose turn it is. */
static bool by_source_route(const struct sim_device *d, struct nwk_frame *f, uint16_t *to)
{
	if (f->relay_index >= f->relay_count || f->relays[f->relay_index] != d->short_address)
		return false;
	*to = f->destination;
	if (f->relay_index > 0)
		*to = f->relays[--f->relay_index];
	return true;
}

static void pass(struct sim_device *d, const struct nwk_frame *f, uint16_t to)
{
	uint32_t token = device_nwk_pass(d, f, to, false);
	struct device_track *t = &d->tracks[token % DEVICE_TRACKED];

	t->passed = true;
	t->routed = f->source_route;
	t->for_ = f->destination;
}

void device_mesh_forward(struct sim_device *d, const struct nwk_frame *f)
{
	struct device_child *c = device_parent_child_at(d, f->destination);
	struct nwk_frame out = *f;
	uint16_t to;

	if (f->radius <= 1)
		return;
	out.radius--;
	if (f->source_route && !by_source_route(d, &out, &to)) {
		device_event(d, "frame-dropped", "\"reason\":\"not on its source route\"");
		return;
	}
	if (!f->source_route)
		to = c ? c->short_address : next_hop(d, f->destination);
	if (c && to == c->short_address) {
		device_parent_deliver(d, c, &out);
		return;
	}
	if (to == d->heard_from) /* back to where it came from: we know no more than they */
		return;
	if (f->type == NWK_COMMAND && device_mesh_route_record(d, &out, f->payload))
		return;
	if (f->destination == NWK_COORDINATOR && device_parent_child_at(d, f->source))
		device_router_record(d, device_parent_child_at(d, f->source));
	pass(d, &out, to);
}

bool device_mesh_route_record(struct sim_device *d, const struct nwk_frame *f, struct rd payload)
{
	struct nwk_frame out = *f;
	uint8_t buffer[2 + 2 * NWK_RELAYS_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct nwk_command m;

	if (nwk_command_decode(payload, &m) != OK || m.id != NWK_ROUTE_RECORD)
		return false;
	if (m.route_record.count == NWK_RELAYS_MAX)
		return true;
	m.route_record.relays[m.route_record.count++] = d->short_address;
	if (nwk_command_encode(&m, &w) == OK && wr_done(&w, &out.payload))
		pass(d, &out, next_hop(d, f->destination));
	return true;
}

void device_mesh_sent(struct sim_device *d, const struct device_track *t, bool acked)
{
	const struct nwk_command m = {
		.id = NWK_NETWORK_STATUS,
		.network_status = {t->routed ? NWK_STATUS_SOURCE_ROUTE_FAILURE : NWK_STATUS_LINK_FAILURE, t->for_},
	};

	if (acked || !d->config.router || !device_joined(d))
		return;
	if (t->to == d->router.next_hop)
		device_router_lost(d);
	if (!t->passed || t->for_ == NWK_COORDINATOR)
		return;
	device_event(d, "not-passed-on", "\"to\":%u", t->for_);
	device_nwk_command(d, NWK_COORDINATOR, &m);
}

/* ---- route discovery ---- */

static void pass_request(struct sim_device *d, const struct nwk_frame *f, const struct nwk_command *m)
{
	struct nwk_command further = *m;
	struct nwk_frame out = *f;
	uint8_t buffer[24];
	struct wr w = wr_of(buffer, sizeof buffer);

	if (f->radius <= 1)
		return;
	out.radius--;
	further.route_request.cost = (uint8_t)(m->route_request.cost + HOP_COST);
	if (nwk_command_encode(&further, &w) == OK && wr_done(&w, &out.payload))
		device_mesh_broadcast(d, &out, false);
}

static void on_many_to_one(struct sim_device *d, const struct nwk_frame *f, const struct nwk_command *m)
{
	struct device_router *r = &d->router;
	uint8_t cost = (uint8_t)(m->route_request.cost + HOP_COST);

	if (f->source != NWK_COORDINATOR || (r->route == DEVICE_ROUTE_ACTIVE && r->many_to_one && m->route_request.id == r->many_id && cost >= r->many_cost))
		return;
	r->many_id = m->route_request.id;
	r->many_cost = cost;
	r->many_to_one = r->record_due = true;
	for (size_t i = 0; i < DEVICE_CHILDREN; i++)
		r->children[i].record_due = true;
	r->no_cache = m->route_request.many == NWK_MANY_TO_ONE_NO_CACHE;
	device_router_found(d, d->heard_from, "many-to-one");
	pass_request(d, f, m);
}

/* The entry of this request, new where there was none. NULL: it came this cheaply before. */
static struct device_discovery *discovery(struct sim_device *d, uint16_t originator, uint8_t id, uint8_t cost)
{
	struct device_discovery *free = &d->router.discoveries[0];

	for (size_t i = 0; i < DEVICE_DISCOVERIES; i++) {
		struct device_discovery *e = &d->router.discoveries[i];

		if (e->used && d->now < e->until && e->originator == originator && e->id == id)
			return cost < e->cost ? e : NULL;
		if (!e->used || e->until < free->until)
			free = e;
	}
	return free;
}

static void on_request(struct sim_device *d, const struct nwk_frame *f, const struct nwk_command *m)
{
	const struct nwk_command reply = {
		.id = NWK_ROUTE_REPLY,
		.route_reply = {.id = m->route_request.id, .originator = f->source, .responder = m->route_request.destination, .cost = HOP_COST},
	};
	uint8_t cost = (uint8_t)(m->route_request.cost + HOP_COST);
	struct device_discovery *e;

	if (m->route_request.destination == d->short_address || device_parent_child_at(d, m->route_request.destination)) {
		device_nwk_command(d, d->heard_from, &reply);
		return;
	}
	e = discovery(d, f->source, m->route_request.id, cost);
	if (!e)
		return;
	*e = (struct device_discovery){true, f->source, d->heard_from, m->route_request.id, cost, d->now + DISCOVERY_MS};
	pass_request(d, f, m);
}

static void on_reply(struct sim_device *d, const struct nwk_command *m)
{
	struct nwk_command further = *m;

	if (m->route_reply.originator == d->short_address) {
		if (d->router.route == DEVICE_ROUTE_ASKED && m->route_reply.id == d->router.request_id && m->route_reply.responder == NWK_COORDINATOR)
			device_router_found(d, d->heard_from, "reply");
		return;
	}
	further.route_reply.cost = (uint8_t)(m->route_reply.cost + HOP_COST);
	for (size_t i = 0; i < DEVICE_DISCOVERIES; i++) {
		const struct device_discovery *e = &d->router.discoveries[i];

		if (e->used && d->now < e->until && e->originator == m->route_reply.originator && e->id == m->route_reply.id)
			device_nwk_command(d, e->from, &further);
	}
}

/* Over a link that the other end does not know of, no route is made. */
void device_mesh_command(struct sim_device *d, const struct nwk_frame *f, uint64_t sealer, const struct nwk_command *m)
{
	if (sealer == d->config.eui64 || !device_router_hears_us(d, d->heard_from))
		return;
	if (m->id == NWK_ROUTE_REPLY)
		on_reply(d, m);
	else if (m->id == NWK_ROUTE_REQUEST && m->route_request.many != NWK_ROUTE_TO_ONE)
		on_many_to_one(d, f, m);
	else if (m->id == NWK_ROUTE_REQUEST)
		on_request(d, f, m);
}

/* ---- time ---- */

void device_mesh_tick(struct sim_device *d)
{
	repeat(d);
}

uint64_t device_mesh_deadline(const struct sim_device *d)
{
	uint64_t next = CLOCK_NEVER;

	for (size_t i = 0; i < DEVICE_REPEATS; i++)
		if (d->router.repeats[i].left > 0 && d->router.repeats[i].at < next)
			next = d->router.repeats[i].at;
	return next;
}
