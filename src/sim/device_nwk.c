/* The simulated device's network layer: sealing and opening, replay, key rotation, leave, rejoin. */
#include "base/bytes.h"
#include "base/clock.h"
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

static uint8_t radius_of(enum nwk_frame_type type, uint16_t destination, struct rd payload)
{
	uint8_t id = 0;

	if (type == NWK_DATA || !rd_u8(&payload, &id))
		return RADIUS;
	return destination == NWK_COORDINATOR || id == NWK_LEAVE || id == NWK_LINK_STATUS ? 1 : RADIUS; /* to who hears us and no further */
}

static void header(const struct sim_device *d, enum nwk_frame_type type, uint16_t destination, struct rd payload, struct nwk_frame *f)
{
	*f = (struct nwk_frame){
		.type = type,
		.protocol_version = 2,
		.discover_route = type == NWK_DATA && destination < NWK_BROADCAST_ROUTERS,
		.destination = destination,
		.source = d->short_address,
		.radius = radius_of(type, destination, payload),
		.sequence = d->nwk_sequence,
		.has_source_eui64 = type == NWK_COMMAND,
		.source_eui64 = d->config.eui64,
		.payload = payload,
	};
}

/* The MAC of an end device gives all to the parent, that of a router sends broadcasts to all. */
static void send(struct sim_device *d, const struct nwk_frame *f)
{
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	uint32_t number;
	struct rd sealed;

	if (counter_take(&d->nwk_out, device_reserve_nwk, d, &number) != OK) {
		device_event(d, "not-sent", "\"reason\":\"no frame counter\"");
		return;
	}
	if (nwk_seal(d->network.key, d->network.sequence, d->config.eui64, number, f, &w) != OK || !wr_done(&w, &sealed))
		return;
	if (d->config.router && f->destination >= NWK_BROADCAST_ROUTERS)
		device_mac_broadcast(d, sealed);
	else
		device_mac_data(d, sealed);
}

void device_nwk_send(struct sim_device *d, enum nwk_frame_type type, uint16_t destination, struct rd payload)
{
	struct nwk_frame f;

	if (!device_joined(d) || device_router_holds(d, type, destination, payload))
		return;
	header(d, type, destination, payload, &f);
	d->nwk_sequence++;
	send(d, &f);
	if (d->config.router && type == NWK_DATA && destination >= NWK_BROADCAST_ROUTERS)
		device_router_repeat(d, destination, f.sequence, payload);
}

void device_nwk_send_again(struct sim_device *d, uint16_t destination, uint8_t sequence, struct rd payload)
{
	struct nwk_frame f;

	header(d, NWK_DATA, destination, payload, &f);
	f.sequence = sequence;
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

void device_nwk_rejoin_request(struct sim_device *d, bool secured)
{
	const struct nwk_command c = {.id = NWK_REJOIN_REQUEST, .rejoin_request = {device_capability(d)}};
	uint8_t plain[4], buffer[NWK_FRAME_MAX];
	struct wr p = wr_of(plain, sizeof plain), w = wr_of(buffer, sizeof buffer);
	struct nwk_frame f;
	struct rd payload, clear;

	d->unsecured_rejoin = !secured;
	if (secured) {
		device_nwk_command(d, d->parent, &c);
		return;
	}
	if (nwk_command_encode(&c, &p) != OK || !wr_done(&p, &payload))
		return;
	header(d, NWK_COMMAND, d->parent, payload, &f);
	d->nwk_sequence++;
	if (nwk_frame_encode(&f, &w) == OK && wr_done(&w, &clear))
		device_mac_data(d, clear);
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
	if (!c->leave.request || f->source != d->parent)
		return;
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

static void on_rejoin(struct sim_device *d, const struct nwk_command *c, bool secured)
{
	if (d->state == DEVICE_COMMISSIONED && secured)
		on_new_address(d, c);
	if (d->state != DEVICE_REJOINING || secured == d->unsecured_rejoin)
		return;
	if (c->rejoin_response.status != 0) {
		device_event(d, "rejoin-denied", "\"status\":%u", c->rejoin_response.status);
		return; /* the step that is due tries again */
	}
	d->short_address = c->rejoin_response.short_address;
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

static void on_command(struct sim_device *d, const struct nwk_frame *f, struct rd payload, bool secured, uint64_t sealer)
{
	struct nwk_command c;

	if (nwk_command_decode(payload, &c) != OK || (!secured && c.id != NWK_REJOIN_RESPONSE))
		return;
	if (secured && sealer != d->trust_centre && c.id != NWK_LINK_STATUS)
		return; /* of another router we hear that it is there, and no more */
	switch (c.id) {
	case NWK_END_DEVICE_TIMEOUT_RESPONSE:
		device_tc_timeout_known(d, c.timeout_response.status, c.timeout_response.parent_information);
		break;
	case NWK_LEAVE:
		on_leave(d, f, &c);
		break;
	case NWK_REJOIN_RESPONSE:
		on_rejoin(d, &c, secured);
		break;
	case NWK_NETWORK_STATUS:
		device_event(d, "network-status", "\"status\":%u", c.network_status.status);
		if (c.network_status.status == NWK_STATUS_ADDRESS_CONFLICT && c.network_status.destination == d->short_address && d->state == DEVICE_COMMISSIONED)
			device_nwk_seek(d); /* for a new address from the parent: R22 3.6.1.9.3 */
		break;
	case NWK_ROUTE_REQUEST:
	case NWK_ROUTE_REPLY:
		if (d->config.router)
			device_router_command(d, f->source, &c);
		break;
	case NWK_LINK_STATUS:
		if (d->config.router)
			device_router_link_status(d, sealer, f->source, &c);
		break;
	case NWK_ROUTE_RECORD:
	case NWK_REJOIN_REQUEST:
	case NWK_NETWORK_REPORT:
	case NWK_NETWORK_UPDATE:
	case NWK_END_DEVICE_TIMEOUT_REQUEST:
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

/* Opens under the key that the frame names. To an end device every frame comes from the coordinator, one hop away: another source is not heard. */
static bool open_frame(struct sim_device *d, const struct nwk_frame *f, uint8_t plain[static NWK_FRAME_MAX], struct rd *payload, uint64_t *sealer)
{
	struct rd sealed = f->payload;
	struct network_key *k;
	struct counter_in *in;
	struct aux_header aux;

	if (!device_joined(d) || !aux_header_decode(&sealed, &aux) || (aux.source != d->trust_centre && !(d->config.router && f->type == NWK_COMMAND)))
		return false;
	k = aux.key_sequence == d->network.sequence ? &d->network : &d->alternate;
	if (!k->key || k->sequence != aux.key_sequence || nwk_open(k->key, f, &aux, plain, payload) != OK)
		return false;
	in = aux.source == d->trust_centre ? &k->in : device_router_counter(d, aux.source);
	*sealer = aux.source;
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

void device_nwk_input(struct sim_device *d, struct rd octets)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct nwk_frame f;
	uint64_t sealer = 0;
	struct rd payload;
	bool broadcast;

	if (nwk_frame_decode(octets, &f) != OK)
		return;
	broadcast = f.destination >= NWK_BROADCAST_ROUTERS;
	if (f.destination != d->short_address && (!broadcast || (f.destination == NWK_BROADCAST_ROUTERS && !d->config.router)))
		return;
	if (f.security) {
		if (!open_frame(d, &f, plain, &payload, &sealer))
			return;
	} else {
		payload = f.payload;
	}
	if (f.type == NWK_COMMAND)
		on_command(d, &f, payload, f.security, sealer);
	else
		device_aps_input(d, payload, f.source, broadcast, f.security);
	if (f.security)
		bytes_wipe(plain, sizeof plain);
}
