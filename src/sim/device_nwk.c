/* The simulated device's network layer: sealing and opening, replay, key rotation, leave, rejoin. */
#include "base/bytes.h"
#include "sim/device_private.h"
#include "zigbee/security/nwk_security.h"

#define RADIUS 30

void device_network_key_clear(struct network_key *k)
{
	const struct network_key none = {.key = NULL};

	secret_free(k->key);
	*k = none;
}

/* ---- out ---- */

/* To who hears us and no further. */
static bool is_one_hop(struct rd payload)
{
	uint8_t id = 0;

	return rd_u8(&payload, &id) && (id == NWK_LEAVE || id == NWK_LINK_STATUS || id == NWK_REJOIN_REQUEST || id == NWK_REJOIN_RESPONSE ||
	    id == NWK_END_DEVICE_TIMEOUT_REQUEST || id == NWK_END_DEVICE_TIMEOUT_RESPONSE || id == NWK_ROUTE_REPLY);
}

void device_nwk_header(const struct sim_device *d, enum nwk_frame_type type, uint16_t destination, struct rd payload, struct nwk_frame *f)
{
	*f = (struct nwk_frame){
		.type = type,
		.protocol_version = 2,
		.security = true,
		.discover_route = type == NWK_DATA && destination < NWK_BROADCAST_ROUTERS,
		.destination = destination,
		.source = d->short_address,
		.radius = type == NWK_COMMAND && is_one_hop(payload) ? 1 : RADIUS,
		.sequence = d->nwk_sequence,
		.has_source_eui64 = type == NWK_COMMAND,
		.source_eui64 = d->config.eui64,
		.payload = payload,
	};
}

uint64_t device_nwk_parent(const struct sim_device *d)
{
	return d->parent == NWK_COORDINATOR || !d->parent_eui64 ? d->trust_centre : d->parent_eui64;
}

uint32_t device_nwk_pass(struct sim_device *d, const struct nwk_frame *f, uint16_t to, bool pending)
{
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	uint32_t number;
	struct rd octets;
	enum err e = OK;

	if (f->security && counter_take(&d->nwk_out, device_reserve_nwk, d, &number) != OK) {
		device_event(d, "not-sent", "\"reason\":\"no frame counter\"");
		return 0;
	}
	if (f->security)
		e = nwk_seal(d->network.key, d->network.sequence, d->config.eui64, number, f, &w);
	else
		e = nwk_frame_encode(f, &w);
	if (e != OK || !wr_done(&w, &octets))
		return 0;
	if (to != MAC_BROADCAST)
		return device_mac_to(d, to, pending, octets);
	device_mac_broadcast(d, octets);
	return 0;
}

/* The MAC of an end device gives all to the parent. */
static void send(struct sim_device *d, const struct nwk_frame *f)
{
	d->nwk_sequence++;
	if (d->config.router)
		device_mesh_send(d, f);
	else
		(void)device_nwk_pass(d, f, d->parent, false);
}

void device_nwk_send(struct sim_device *d, enum nwk_frame_type type, uint16_t destination, struct rd payload)
{
	struct nwk_frame f;

	if (!device_joined(d) || device_router_holds(d, type, destination, payload))
		return;
	device_nwk_header(d, type, destination, payload, &f);
	send(d, &f);
}

void device_nwk_command_to(struct sim_device *d, uint16_t destination, uint64_t eui64, const struct nwk_command *c, bool secured)
{
	uint8_t buffer[64];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct nwk_frame f;
	struct rd payload;

	if (nwk_command_encode(c, &w) != OK || !wr_done(&w, &payload))
		return;
	device_nwk_header(d, NWK_COMMAND, destination, payload, &f);
	f.security = secured;
	f.has_destination_eui64 = true;
	f.destination_eui64 = eui64;
	send(d, &f);
}

void device_nwk_command(struct sim_device *d, uint16_t destination, const struct nwk_command *c)
{
	uint8_t buffer[64];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	if (nwk_command_encode(c, &w) == OK && wr_done(&w, &payload))
		device_nwk_send(d, NWK_COMMAND, destination, payload);
}

/* By whatever parent there is now: not by a route. */
void device_nwk_rejoin_request(struct sim_device *d, bool secured)
{
	const struct nwk_command c = {.id = NWK_REJOIN_REQUEST, .rejoin_request = {device_capability(d)}};
	uint8_t plain[4];
	struct wr p = wr_of(plain, sizeof plain);
	struct nwk_frame f;
	struct rd payload;

	d->unsecured_rejoin = !secured;
	if (nwk_command_encode(&c, &p) != OK || !wr_done(&p, &payload))
		return;
	device_nwk_header(d, NWK_COMMAND, d->parent, payload, &f);
	f.security = secured;
	d->nwk_sequence++;
	(void)device_nwk_pass(d, &f, d->parent, false);
}

/* ---- leave and rejoin ---- */

void device_nwk_seek(struct sim_device *d)
{
	d->missed = d->rejoin_failures = 0;
	device_mac_scan(d, DEVICE_SEEKING);
}

static void on_leave(struct sim_device *d, const struct nwk_frame *f, const struct nwk_command *c)
{
	const struct nwk_command going = {.id = NWK_LEAVE, .leave = {.rejoin = true}};

	/* Only the parent may send an end device away: R22 3.6.1.10.3. What is not a request tells of another device. */
	if (!c->leave.request && d->config.router)
		device_parent_left(d, d->heard_sealer);
	if (!c->leave.request || (f->source != d->parent && !(d->config.router && f->source == NWK_COORDINATOR)))
		return;
	if (c->leave.rejoin && (d->state == DEVICE_SEEKING || d->state == DEVICE_REJOINING))
		return; /* it is at it */
	if (!c->leave.rejoin || d->state != DEVICE_COMMISSIONED) {
		device_leave(d, "told to leave", true);
		return;
	}
	device_nwk_command(d, NWK_BROADCAST_RX_ON, &going);
	device_event(d, "leaving", "\"reason\":\"told to leave and rejoin\"");
	device_nwk_seek(d);
}

/* Unasked for, from the parent: our address conflicts with another's, and this is the one to have. R22 3.6.1.9.3. */
static void on_new_address(struct sim_device *d, const struct nwk_command *c)
{
	if (c->rejoin_response.status != 0 || !nwk_address_is_device(c->rejoin_response.short_address))
		return;
	d->short_address = c->rejoin_response.short_address;
	device_mac_addresses(d, true);
	device_event(d, "new-address", "\"short\":%u", d->short_address);
	device_save(d);
	device_announce(d);
}

static void on_rejoin(struct sim_device *d, const struct nwk_frame *f, const struct nwk_command *c, bool secured)
{
	/* from one that was asked before, or another's parent: whoever sends through the present one would be heard by nobody */
	if (f->source != d->parent)
		return;
	if (d->state == DEVICE_COMMISSIONED && secured)
		on_new_address(d, c);
	if (d->state != DEVICE_REJOINING || secured == d->unsecured_rejoin)
		return;
	if (c->rejoin_response.status != 0) {
		device_event(d, "rejoin-denied", "\"status\":%u", c->rejoin_response.status);
		return; /* the step that is due tries again */
	}
	d->short_address = c->rejoin_response.short_address;
	d->parent_eui64 = secured ? d->heard_sealer : f->source_eui64;
	device_mac_addresses(d, true);
	if (!secured) {
		device_state_set(d, DEVICE_AWAITING_KEY, 5000);
		return;
	}
	device_state_rest(d, DEVICE_COMMISSIONED);
	d->rejoin_failures = 0;
	device_router_start(d);
	device_event(d, "rejoined", "\"short\":%u,\"secured\":true", d->short_address);
	device_save(d);
	device_announce(d);
}

/* ---- in ---- */

static void on_command(struct sim_device *d, const struct nwk_frame *f, struct rd payload, bool secured)
{
	struct nwk_command c;

	if (nwk_command_decode(payload, &c) != OK || (!secured && c.id != NWK_REJOIN_RESPONSE && c.id != NWK_REJOIN_REQUEST))
		return;
	switch (c.id) {
	case NWK_END_DEVICE_TIMEOUT_RESPONSE:
		device_tc_timeout_known(d, c.timeout_response.status, c.timeout_response.parent_information);
		break;
	case NWK_LEAVE:
		on_leave(d, f, &c);
		break;
	case NWK_REJOIN_RESPONSE:
		on_rejoin(d, f, &c, secured);
		break;
	case NWK_NETWORK_STATUS:
		device_event(d, "network-status", "\"status\":%u", c.network_status.status);
		if (c.network_status.status == NWK_STATUS_ADDRESS_CONFLICT && c.network_status.destination == d->short_address && d->state == DEVICE_COMMISSIONED)
			device_nwk_seek(d); /* for a new address from the parent: R22 3.6.1.9.3 */
		break;
	case NWK_ROUTE_REQUEST:
	case NWK_ROUTE_REPLY:
		if (d->config.router)
			device_mesh_command(d, f, d->heard_sealer, &c);
		break;
	case NWK_LINK_STATUS:
		if (d->config.router)
			device_router_link_status(d, d->heard_sealer, f->source, &c);
		break;
	case NWK_REJOIN_REQUEST:
		if (d->config.router && device_joined(d) && (secured || f->has_source_eui64))
			device_parent_rejoin(d, f, secured ? d->heard_sealer : f->source_eui64, c.rejoin_request.capability, secured);
		break;
	case NWK_END_DEVICE_TIMEOUT_REQUEST:
		if (d->config.router)
			device_parent_timeout(d, d->heard_sealer, &c);
		break;
	case NWK_ROUTE_RECORD:
	case NWK_NETWORK_REPORT:
	case NWK_NETWORK_UPDATE:
		break; /* nothing that is for us */
	}
}

bool device_nwk_switch(struct sim_device *d, uint8_t sequence)
{
	struct network_key former = d->network;

	if (!d->alternate.key || !d->alternate.newer || d->alternate.sequence != sequence)
		return false;
	d->network = d->alternate;
	d->network.newer = false;
	d->alternate = former;
	device_event(d, "key-switched", "\"sequence\":%u", d->network.sequence);
	device_save(d);
	return true;
}

/* To an end device every frame comes from its parent, one hop away; it does not know who that is while it looks for one. */
static bool listens_to(const struct sim_device *d, uint64_t sealer)
{
	return d->config.router || d->state == DEVICE_REJOINING || sealer == device_nwk_parent(d);
}

/* Opens under the key that the frame names. */
static bool open_frame(struct sim_device *d, const struct nwk_frame *f, uint8_t plain[static NWK_FRAME_MAX], struct rd *payload)
{
	struct rd sealed = f->payload;
	struct network_key *k;
	struct counter_in *in;
	struct aux_header aux;

	if (!device_joined(d) || !aux_header_decode(&sealed, &aux) || aux.source == d->config.eui64 || !listens_to(d, aux.source))
		return false;
	k = aux.key_sequence == d->network.sequence ? &d->network : &d->alternate;
	if (!k->key || k->sequence != aux.key_sequence || nwk_open(k->key, f, &aux, plain, payload) != OK)
		return false;
	in = aux.source == d->trust_centre ? &k->in : device_router_counter(d, aux.source);
	d->heard_sealer = aux.source;
	if (!in || !counter_in_fresh(in, aux.frame_counter)) {
		device_event(d, "frame-dropped", "\"reason\":\"replay\",\"counter\":%u", aux.frame_counter);
		bytes_wipe(plain, NWK_FRAME_MAX);
		return false;
	}
	counter_in_accept(in, aux.frame_counter);
	if (k == &d->alternate)
		(void)device_nwk_switch(d, aux.key_sequence); /* a frame under a newer key switches too: R22 4.3.1.2 */
	return true;
}

/* Route requests and link status are dealt with one by one, whatever was heard before. */
static bool is_flooded(const struct nwk_frame *f)
{
	struct rd payload = f->payload;
	uint8_t id = 0;

	return f->type == NWK_DATA || (rd_u8(&payload, &id) && id != NWK_LINK_STATUS && id != NWK_ROUTE_REQUEST);
}

/* f.payload is in clear. */
static void opened(struct sim_device *d, const struct nwk_frame *f, bool broadcast)
{
	struct nwk_frame further = *f;

	if (d->config.router && f->security)
		device_parent_heard(d, d->heard_sealer);
	if (f->destination != d->short_address && !broadcast) {
		device_mesh_forward(d, f);
		return;
	}
	if (broadcast && d->config.router && is_flooded(f)) {
		if (f->source == d->short_address || !device_mesh_fresh(d, f))
			return;
		further.radius--;
		if (further.radius > 0)
			device_mesh_broadcast(d, &further, false);
	}
	if (f->type == NWK_COMMAND)
		on_command(d, f, f->payload, f->security);
	else
		device_aps_input(d, f->payload, f->source, broadcast, f->security);
}

void device_nwk_input(struct sim_device *d, struct rd octets)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct nwk_frame f;
	struct rd payload;
	bool broadcast;

	if (nwk_frame_decode(octets, &f) != OK)
		return;
	broadcast = f.destination >= NWK_BROADCAST_ROUTERS;
	if (broadcast ? f.destination == NWK_BROADCAST_ROUTERS && !d->config.router : f.destination != d->short_address && !(d->config.router && f.security))
		return;
	if (f.destination == NWK_BROADCAST_RX_ON && d->config.sleepy)
		return; /* awake by chance */
	d->heard_sealer = 0;
	if (!f.security) {
		opened(d, &f, broadcast);
		return;
	}
	if (!open_frame(d, &f, plain, &payload))
		return;
	f.payload = payload;
	opened(d, &f, broadcast);
	bytes_wipe(plain, sizeof plain);
}
