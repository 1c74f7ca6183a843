/* The simulated device's Zigbee Device Object: what it tells about itself, its binding table, Mgmt_Leave. Source: R22 clause 2.4. */
#include <string.h>

#include "sim/device_private.h"

#define REVISION 22
#define POWER_MAINS 0xc110   /* on, mains, full */
#define POWER_BATTERY 0xc441 /* periodic, battery, full */
#define LEAVE_REJOIN 0x80

void device_zdo_send(struct sim_device *d, uint16_t destination, const struct zdo_message *m, bool ack)
{
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {
		.type = APS_DATA,
		.delivery = destination >= NWK_BROADCAST_ROUTERS ? APS_BROADCAST : APS_UNICAST,
		.ack_request = ack,
		.cluster = m->cluster,
		.profile = APS_PROFILE_ZDP,
	};

	if (zdo_encode(m, &w) == OK && wr_done(&w, &f.payload))
		device_aps_send(d, destination, &f, false);
}

void device_announce(struct sim_device *d)
{
	const struct zdo_message m = {
		.cluster = ZDO_DEVICE_ANNCE,
		.sequence = d->zdo_sequence++,
		.short_address = d->short_address,
		.eui64 = d->config.eui64,
		.capability = device_capability(d),
	};

	device_zdo_send(d, NWK_BROADCAST_RX_ON, &m, false);
	device_event(d, "announced", "\"short\":%u", d->short_address);
}

static void node_descriptor(const struct sim_device *d, struct zdo_message *m)
{
	m->node = (struct zdo_node_descriptor){
		.logical_type = d->config.router ? ZDO_ROUTER : ZDO_END_DEVICE,
		.frequency = 8,
		.capability = device_capability(d),
		.manufacturer = SIM_MANUFACTURER,
		.buffer_size = 82,
		.incoming_size = 82,
		.server_mask = REVISION << 9,
		.outgoing_size = 82,
	};
}

static void match(const struct sim_device *d, const struct zdo_message *rq, struct zdo_message *m)
{
	const struct device_type *t = device_type(d->config.kind);

	for (size_t e = 0; e < t->endpoint_count && rq->simple.profile == APS_PROFILE_HOME_AUTOMATION; e++) {
		bool found = false;

		for (size_t i = 0; i < rq->simple.in_count; i++)
			found = found || device_has_cluster(d, t->endpoints[e].id, rq->simple.in[i]);
		if (found)
			m->endpoints[m->endpoint_count++] = t->endpoints[e].id;
	}
}

static void simple_descriptor(const struct sim_device *d, const struct zdo_message *rq, struct zdo_message *m)
{
	const struct device_endpoint *e = device_endpoint(d, rq->endpoint);

	if (rq->endpoint == APS_ENDPOINT_ZDO || rq->endpoint > 240)
		m->status = ZDO_INVALID_EP;
	else if (!e)
		m->status = ZDO_NOT_ACTIVE;
	if (!e)
		e = &device_type(d->config.kind)->endpoints[0];
	m->simple.endpoint = e->id;
	m->simple.profile = APS_PROFILE_HOME_AUTOMATION;
	m->simple.device = e->device;
	m->simple.version = 1;
	m->simple.in_count = e->in_count;
	m->simple.out_count = e->out_count;
	memcpy(m->simple.in, e->in, e->in_count * sizeof e->in[0]);
	memcpy(m->simple.out, e->out, e->out_count * sizeof e->out[0]);
}

/* A cluster is bound where it reports, as a server, or sends its commands, as a client. */
static bool can_bind(const struct sim_device *d, uint8_t endpoint, uint16_t cluster)
{
	const struct device_endpoint *e = device_endpoint(d, endpoint);

	for (size_t i = 0; e && i < e->out_count; i++)
		if (e->out[i] == cluster)
			return true;
	return device_has_cluster(d, endpoint, cluster);
}

static uint8_t bind(struct sim_device *d, const struct zdo_message *rq, bool add)
{
	if (rq->bind.source != d->config.eui64 || !can_bind(d, rq->bind.source_endpoint, rq->bind.cluster))
		return ZDO_INVALID_EP;
	for (size_t i = 0; i < d->binding_count; i++) {
		struct binding *b = &d->bindings[i];

		if (b->endpoint != rq->bind.source_endpoint || b->cluster != rq->bind.cluster || b->destination != rq->bind.destination || b->destination_endpoint != rq->bind.destination_endpoint)
			continue;
		if (!add) {
			*b = d->bindings[--d->binding_count];
			device_save(d);
		}
		return ZDO_SUCCESS;
	}
	if (!add)
		return ZDO_NO_ENTRY;
	if (d->binding_count == DEVICE_BINDINGS)
		return ZDO_TABLE_FULL;
	d->bindings[d->binding_count++] = (struct binding){rq->bind.source_endpoint, rq->bind.cluster, rq->bind.destination, rq->bind.destination_endpoint};
	device_save(d);
	return ZDO_SUCCESS;
}

/* What we don't know, or can't read, is told to whom asked us alone. */
static void refuse(struct sim_device *d, const struct arrival *a, uint8_t sequence, uint8_t status)
{
	uint8_t buffer[4];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {.type = APS_DATA, .cluster = a->f.cluster | ZDO_RESPONSE, .profile = APS_PROFILE_ZDP, .ack_request = true};

	wr_u8(&w, sequence);
	wr_u8(&w, status);
	if (!a->broadcast && wr_done(&w, &f.payload))
		device_aps_send(d, a->source, &f, false);
}

/* The answer to a request about us; false: none. */
static bool answer(struct sim_device *d, const struct arrival *a, const struct zdo_message *rq, struct zdo_message *m)
{
	switch (rq->cluster) {
	case ZDO_NWK_ADDR:
		if (rq->eui64 == d->config.eui64)
			return true;
		m->eui64 = rq->eui64;
		m->status = ZDO_DEVICE_NOT_FOUND;
		return !a->broadcast;
	case ZDO_IEEE_ADDR:
		return true;
	case ZDO_NODE_DESC:
		node_descriptor(d, m);
		return true;
	case ZDO_POWER_DESC:
		m->power = d->config.sleepy ? POWER_BATTERY : POWER_MAINS;
		return true;
	case ZDO_SIMPLE_DESC:
		simple_descriptor(d, rq, m);
		return true;
	case ZDO_ACTIVE_EP:
		for (size_t i = 0; i < device_type(d->config.kind)->endpoint_count; i++)
			m->endpoints[m->endpoint_count++] = device_type(d->config.kind)->endpoints[i].id;
		return true;
	case ZDO_MATCH_DESC:
		match(d, rq, m);
		return m->endpoint_count > 0 || !a->broadcast;
	case ZDO_BIND:
	case ZDO_UNBIND:
		m->status = bind(d, rq, rq->cluster == ZDO_BIND);
		return true;
	case ZDO_MGMT_LEAVE:
		return true;
	case ZDO_MGMT_LQI:
	case ZDO_MGMT_RTG:
		m->start = rq->start;
		if (!d->config.router)
			m->status = ZDO_NOT_SUPPORTED;
		else if (rq->cluster == ZDO_MGMT_LQI)
			device_router_neighbours(d, m);
		else
			device_router_routes(d, m);
		return !a->broadcast;
	case ZDO_MGMT_PERMIT_JOINING:
		if (d->config.router)
			device_parent_permit(d, rq->permit_duration);
		else
			m->status = ZDO_NOT_SUPPORTED; /* an end device has no children */
		return !a->broadcast;
	default:
		return false; /* announcements of others */
	}
}

/* Requests that name a short address ask about that device; end devices answer for themselves alone. */
static bool about_another(const struct sim_device *d, const struct zdo_message *rq)
{
	switch (rq->cluster) {
	case ZDO_IEEE_ADDR:
	case ZDO_NODE_DESC:
	case ZDO_POWER_DESC:
	case ZDO_SIMPLE_DESC:
	case ZDO_ACTIVE_EP:
		return rq->short_address != d->short_address;
	default:
		return false;
	}
}

/* Our child has announced itself through somebody else: it is his now. R22 2.4.3.1.11.2. */
static void on_announce(struct sim_device *d, const struct zdo_message *rq)
{
	if (d->config.router && d->heard_sealer != rq->eui64)
		device_parent_gone(d, rq->eui64);
}

static void leave_by_request(struct sim_device *d, const struct zdo_message *rq)
{
	if (rq->leave_flags & LEAVE_REJOIN && d->state == DEVICE_COMMISSIONED)
		device_nwk_seek(d);
	else
		device_leave(d, "Mgmt_Leave", true);
}

static void request_input(struct sim_device *d, const struct arrival *a, const struct zdo_message *rq)
{
	struct zdo_message m = {
		.cluster = rq->cluster | ZDO_RESPONSE,
		.sequence = rq->sequence,
		.short_address = d->short_address,
		.eui64 = d->config.eui64,
	};
	bool leaves = rq->cluster == ZDO_MGMT_LEAVE && (rq->eui64 == 0 || rq->eui64 == d->config.eui64);

	if (about_another(d, rq)) {
		m.status = ZDO_INV_REQUEST_TYPE;
		m.short_address = rq->short_address;
		if (!a->broadcast)
			device_zdo_send(d, a->source, &m, true);
		return;
	}
	if (rq->cluster == ZDO_DEVICE_ANNCE)
		on_announce(d, rq);
	if (rq->cluster == ZDO_MGMT_LEAVE && !leaves && !(d->config.router && device_parent_child(d, rq->eui64)))
		m.status = ZDO_DEVICE_NOT_FOUND;
	if (answer(d, a, rq, &m))
		device_zdo_send(d, a->source, &m, true);
	if (leaves)
		leave_by_request(d, rq);
	else if (rq->cluster == ZDO_MGMT_LEAVE && d->config.router)
		device_parent_remove(d, rq->eui64);
}

void device_zdo_input(struct sim_device *d, const struct arrival *a)
{
	struct zdo_message rq;
	enum err e = zdo_decode(a->f.cluster, a->payload, &rq);

	if (a->f.cluster & ZDO_RESPONSE) {
		if (e == OK && a->f.cluster == (ZDO_NODE_DESC | ZDO_RESPONSE) && a->source == NWK_COORDINATOR)
			device_tc_node_known(d, &rq);
	} else if (e == OK) {
		request_input(d, a, &rq);
	} else {
		refuse(d, a, rq.sequence, e == ERR_UNSUPPORTED ? ZDO_NOT_SUPPORTED : ZDO_INV_REQUEST_TYPE);
	}
}
