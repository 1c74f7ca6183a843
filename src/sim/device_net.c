/* The simulated device's network and application support layers, and its side of the Trust Centre's procedures. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "sim/device_private.h"
#include "zigbee/security/link_key.h"
#include "zigbee/security/nwk_security.h"

#define RADIUS 30
#define APS_ACK_WAIT_MS 1600
#define APS_RETRIES 3
#define DUPLICATE_MS 10000
#define TIMEOUT_TRIES 3
#define TIMEOUT_WAIT_MS 1000
#define NODE_ROUNDS 3
#define NODE_WAIT_MS 5000
#define KEY_TRIES 3
#define KEY_WAIT_MS 5700
#define MINIMUM_REVISION 21
#define TIMEOUT_ENUMERATION 3 /* 8 minutes */
#define PERMIT_SECONDS 180
#define REJOIN_MS 2000

/* ---- out ---- */

void device_nwk_send(struct sim_device *d, enum nwk_frame_type type, uint16_t destination, struct rd payload)
{
	struct nwk_frame f = {
		.type = type,
		.protocol_version = 2,
		.discover_route = type == NWK_DATA,
		.destination = destination,
		.source = d->short_address,
		.radius = type == NWK_DATA || destination != NWK_COORDINATOR ? RADIUS : 1,
		.sequence = d->nwk_sequence++,
		.has_source_eui64 = type == NWK_COMMAND,
		.source_eui64 = d->config.eui64,
		.payload = payload,
	};
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	uint32_t number;
	struct rd sealed;

	if (!d->network_key || counter_take(&d->nwk_out, device_reserve_nwk, d, &number) != OK)
		return;
	if (nwk_seal(d->network_key, d->network_key_sequence, d->config.eui64, number, &f, &w) == OK && wr_done(&w, &sealed))
		device_mac_data(d, sealed);
}

static void remember_unacked(struct sim_device *d, uint8_t counter, struct rd octets)
{
	for (size_t i = 0; i < DEVICE_UNACKED; i++) {
		struct unacked *u = &d->unacked[i];

		if (u->used)
			continue;
		u->used = true;
		u->counter = counter;
		u->tries = 0;
		u->again = d->now + APS_ACK_WAIT_MS;
		memcpy(u->octets, octets.at, octets.left);
		u->len = octets.left;
		return;
	}
}

void device_aps_send(struct sim_device *d, uint16_t destination, const struct aps_frame *frame, bool seal_with_link_key)
{
	struct aps_frame f = *frame;
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;
	uint32_t number;

	if (f.type != APS_ACK)
		f.counter = d->aps_counter++;
	if (seal_with_link_key) {
		if (counter_take(&d->aps_out, device_reserve_aps, d, &number) != OK ||
		    aps_seal(d->link.link, AUX_KEY_DATA, 0, true, d->config.eui64, number, &f, &w) != OK)
			return;
	} else if (aps_frame_encode(&f, &w) != OK) {
		return;
	}
	if (!wr_done(&w, &octets))
		return;
	if (f.ack_request)
		remember_unacked(d, f.counter, octets);
	device_nwk_send(d, NWK_DATA, destination, octets);
}

void device_zdo_send(struct sim_device *d, uint16_t destination, const struct zdo_message *m, bool ack)
{
	uint8_t buffer[128];
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

static void command_send(struct sim_device *d, const struct aps_command *c, bool seal, bool ack)
{
	uint8_t buffer[64];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {.type = APS_COMMAND, .ack_request = ack};

	if (aps_command_encode(c, &w) == OK && wr_done(&w, &f.payload))
		device_aps_send(d, NWK_COORDINATOR, &f, seal);
}

void device_announce(struct sim_device *d)
{
	const struct zdo_message m = {
		.cluster = ZDO_DEVICE_ANNCE,
		.sequence = d->zdo_sequence++,
		.short_address = d->short_address,
		.eui64 = d->config.eui64,
		.capability = MAC_CAPABILITY_ALLOCATE_ADDRESS | (d->config.sleepy ? 0 : MAC_CAPABILITY_RX_ON_WHEN_IDLE),
	};

	device_zdo_send(d, NWK_BROADCAST_RX_ON, &m, false);
}

/* ---- commissioning ---- */

static void ask_timeout(struct sim_device *d)
{
	struct nwk_command c = {.id = NWK_END_DEVICE_TIMEOUT_REQUEST, .timeout_request = {TIMEOUT_ENUMERATION, 0}};
	uint8_t buffer[4];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	if (d->tries++ == TIMEOUT_TRIES) {
		device_state_set(d, DEVICE_ASKING_NODE, 0);
		return;
	}
	if (nwk_command_encode(&c, &w) == OK && wr_done(&w, &payload))
		device_nwk_send(d, NWK_COMMAND, NWK_COORDINATOR, payload);
	d->step_at = d->now + TIMEOUT_WAIT_MS;
}

static void ask_node(struct sim_device *d)
{
	const struct zdo_message m = {.cluster = ZDO_NODE_DESC, .sequence = d->zdo_sequence++, .short_address = NWK_COORDINATOR};

	if (d->tries++ == NODE_ROUNDS) {
		device_leave(d, "the coordinator does not tell its node descriptor", true);
		return;
	}
	device_zdo_send(d, NWK_COORDINATOR, &m, true);
	d->step_at = d->now + NODE_WAIT_MS;
}

static void ask_key(struct sim_device *d)
{
	const struct aps_command c = {.id = APS_REQUEST_KEY, .request_key = {.type = APS_REQUEST_TC_LINK}};

	if (d->tries++ == KEY_TRIES) {
		device_leave(d, "no unique Trust Centre link key", true);
		return;
	}
	device_event(d, "key-requested", "\"try\":%u", d->tries);
	command_send(d, &c, true, false);
	d->step_at = d->now + KEY_WAIT_MS;
}

static void verify(struct sim_device *d)
{
	struct aps_command c = {.id = APS_VERIFY_KEY};

	if (d->tries++ == KEY_TRIES) {
		device_leave(d, "the Trust Centre does not confirm the link key", true);
		return;
	}
	c.verify_key.type = APS_KEY_TC_LINK;
	c.verify_key.source = d->config.eui64;
	link_key_verify_hash(d->unique, c.verify_key.hash);
	command_send(d, &c, false, true);
	d->step_at = d->now + KEY_WAIT_MS;
}

static void ask_rejoin(struct sim_device *d)
{
	struct nwk_command c = {.id = NWK_REJOIN_REQUEST};
	uint8_t buffer[4];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	c.rejoin_request.capability = MAC_CAPABILITY_ALLOCATE_ADDRESS | (d->config.sleepy ? 0 : MAC_CAPABILITY_RX_ON_WHEN_IDLE);
	if (nwk_command_encode(&c, &w) == OK && wr_done(&w, &payload))
		device_nwk_send(d, NWK_COMMAND, NWK_COORDINATOR, payload);
	d->step_at = d->now + REJOIN_MS + rng_below(d->config.rng, 1000);
}

void device_commission_step(struct sim_device *d)
{
	switch (d->state) {
	case DEVICE_NEGOTIATING:
		ask_timeout(d);
		break;
	case DEVICE_ASKING_NODE:
		ask_node(d);
		break;
	case DEVICE_ASKING_KEY:
		ask_key(d);
		break;
	case DEVICE_VERIFYING:
		verify(d);
		break;
	case DEVICE_REJOINING:
		ask_rejoin(d);
		break;
	case DEVICE_OFF:
	case DEVICE_SCANNING:
	case DEVICE_ASSOCIATING:
	case DEVICE_ASKING:
	case DEVICE_AWAITING_KEY:
	case DEVICE_COMMISSIONED:
		break;
	}
}

static void commissioned(struct sim_device *d, const char *how)
{
	const struct zdo_message permit = {.cluster = ZDO_MGMT_PERMIT_JOINING, .sequence = d->zdo_sequence++, .permit_duration = PERMIT_SECONDS, .tc_significance = 1};

	device_state_set(d, DEVICE_COMMISSIONED, 0);
	d->step_at = CLOCK_NEVER;
	d->failures = 0;
	device_event(d, "commissioned", "\"how\":\"%s\"", how);
	device_save(d);
	device_zdo_send(d, NWK_BROADCAST_ROUTERS, &permit, false);
	device_announce(d);
}

/* ---- in: keys ---- */

static void take_network_key(struct sim_device *d, const struct aps_command *c)
{
	uint8_t octets[SECRET_AES128];
	struct rd key = c->transport_key.key_octets;

	if (c->transport_key.destination != d->config.eui64 || !rd_copy(&key, octets, sizeof octets))
		return;
	if (d->state == DEVICE_AWAITING_KEY) {
		d->network_key = secret_take(octets, sizeof octets);
		d->network_key_sequence = c->transport_key.sequence;
		d->trust_centre = c->transport_key.source;
		d->nwk_in.any = false;
		device_event(d, "transport-key", "\"sequence\":%u", d->network_key_sequence);
		device_save(d);
		device_announce(d);
		device_event(d, "announced", "%s", "");
		device_state_set(d, DEVICE_NEGOTIATING, 50);
		return;
	}
	/* a rotation: used from Switch-Key on */
	secret_free(d->next_network_key);
	d->next_network_key = secret_take(octets, sizeof octets);
	d->next_network_key_sequence = c->transport_key.sequence;
}

static void take_link_key(struct sim_device *d, const struct aps_command *c)
{
	uint8_t octets[SECRET_AES128];
	struct rd key = c->transport_key.key_octets;
	struct secret *fresh;

	if (c->transport_key.destination != d->config.eui64 || !rd_copy(&key, octets, sizeof octets))
		return;
	fresh = secret_take(octets, sizeof octets);
	if (!fresh || (d->state != DEVICE_ASKING_KEY && d->state != DEVICE_VERIFYING) || secret_equal(fresh, d->link.link)) {
		if (fresh && d->state == DEVICE_ASKING_KEY)
			device_event(d, "link-key-rejected", "\"reason\":\"not unique\"");
		secret_free(fresh);
		return;
	}
	secret_free(d->unique);
	d->unique = fresh;
	device_state_set(d, DEVICE_VERIFYING, 0);
}

/* The Trust Centre confirms under the new key itself. */
static void confirm(struct sim_device *d, const struct aps_command *c)
{
	if (d->state != DEVICE_VERIFYING || c->confirm_key.destination != d->config.eui64 || c->confirm_key.type != APS_KEY_TC_LINK)
		return;
	if (c->confirm_key.status != 0) {
		device_leave(d, "the Trust Centre refused the link key", true);
		return;
	}
	link_key_set_clear(&d->link);
	if (link_key_set_take(&d->link, d->unique) != OK)
		abort();
	d->unique = NULL;
	d->link_is_unique = true;
	device_event(d, "key-verified", "%s", "");
	commissioned(d, "unique link key");
}

/* A command that is not sealed with a link key says nothing about keys, but Switch-Key, which the network key protects. */
static void on_command(struct sim_device *d, const struct aps_command *c, bool sealed, bool under_unique)
{
	switch (c->id) {
	case APS_TRANSPORT_KEY:
		if (sealed && c->transport_key.type == APS_KEY_STANDARD_NETWORK)
			take_network_key(d, c);
		else if (sealed && c->transport_key.type == APS_KEY_TC_LINK)
			take_link_key(d, c);
		break;
	case APS_CONFIRM_KEY:
		if (under_unique)
			confirm(d, c);
		break;
	case APS_REMOVE_DEVICE:
		if (sealed && c->remove_device.target == d->config.eui64)
			device_leave(d, "removed by the Trust Centre", true);
		break;
	case APS_SWITCH_KEY:
		if (d->next_network_key && c->switch_key.sequence == d->next_network_key_sequence) {
			secret_free(d->network_key);
			d->network_key = d->next_network_key;
			d->network_key_sequence = d->next_network_key_sequence;
			d->next_network_key = NULL;
			d->nwk_in.any = false;
			device_event(d, "key-switched", "\"sequence\":%u", d->network_key_sequence);
			device_save(d);
		}
		break;
	case APS_UPDATE_DEVICE:
	case APS_REQUEST_KEY:
	case APS_TUNNEL:
	case APS_VERIFY_KEY:
		break;
	}
}

/* Opens an APS-sealed frame: under the present link key, or under the unique one that waits for its confirmation. */
static bool open_sealed(struct sim_device *d, const struct aps_frame *f, uint8_t plain[static NWK_FRAME_MAX], struct rd *payload, bool *under_unique)
{
	uint64_t sender = d->trust_centre;
	struct aux_header aux;

	*under_unique = false;
	if (aps_open_set(&d->link, sender, f, &aux, plain, payload) != OK) {
		if (!d->unique || aps_open(d->unique, sender, f, &aux, plain, payload) != OK || aux.key_id != AUX_KEY_DATA)
			return false;
		*under_unique = true;
		return true;
	}
	if (!counter_in_fresh(&d->aps_in, aux.frame_counter))
		return false;
	counter_in_accept(&d->aps_in, aux.frame_counter);
	return true;
}

static bool duplicate(struct sim_device *d, uint8_t counter)
{
	for (size_t i = 0; i < DEVICE_DUPLICATES; i++)
		if (d->duplicates[i].used && d->duplicates[i].counter == counter && d->now - d->duplicates[i].at < DUPLICATE_MS)
			return true;
	d->duplicates[d->duplicate_next].used = true;
	d->duplicates[d->duplicate_next].counter = counter;
	d->duplicates[d->duplicate_next].at = d->now;
	d->duplicate_next = (d->duplicate_next + 1) % DEVICE_DUPLICATES;
	return false;
}

static void acknowledge(struct sim_device *d, const struct aps_frame *f)
{
	struct aps_frame ack;

	aps_ack_for(f, &ack);
	device_aps_send(d, NWK_COORDINATOR, &ack, false);
}

static void on_ack(struct sim_device *d, const struct aps_frame *f)
{
	for (size_t i = 0; i < DEVICE_UNACKED; i++)
		if (d->unacked[i].used && d->unacked[i].counter == f->counter)
			d->unacked[i].used = false;
}

static void on_aps(struct sim_device *d, struct rd octets, bool secured)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct aps_frame f;
	struct aps_command c;
	struct rd payload;
	bool under_unique = false;

	if (aps_frame_decode(octets, &f) != OK)
		return;
	if (f.type == APS_ACK) {
		if (secured)
			on_ack(d, &f);
		return;
	}
	/* Before we have a network key nothing counts but a sealed Transport-Key. */
	if (!secured && !(f.type == APS_COMMAND && f.security && d->state == DEVICE_AWAITING_KEY))
		return;
	payload = f.payload;
	if (f.security && !open_sealed(d, &f, plain, &payload, &under_unique)) {
		if (!secured)
			device_event(d, "transport-key-rejected", "\"reason\":\"it does not open with the key of my install code\"");
		return;
	}
	if (f.ack_request && secured && f.delivery == APS_UNICAST)
		acknowledge(d, &f);
	if (secured && duplicate(d, f.counter))
		return;
	if (f.type == APS_COMMAND) {
		if (aps_command_decode(payload, &c) == OK)
			on_command(d, &c, f.security && !under_unique, under_unique);
	} else if (f.profile == APS_PROFILE_ZDP) {
		device_zdo_input(d, &f, payload);
	} else {
		device_zcl_input(d, &f, payload);
	}
	bytes_wipe(plain, sizeof plain);
}

/* ---- in: network ---- */

static void on_nwk_command(struct sim_device *d, struct rd payload)
{
	struct nwk_command c;

	if (nwk_command_decode(payload, &c) != OK)
		return;
	if (c.id == NWK_END_DEVICE_TIMEOUT_RESPONSE && d->state == DEVICE_NEGOTIATING) {
		device_event(d, "timeout-negotiated", "\"status\":%u", c.timeout_response.status);
		device_state_set(d, DEVICE_ASKING_NODE, 0);
	} else if (c.id == NWK_LEAVE && c.leave.request) {
		device_leave(d, c.leave.rejoin ? "told to leave and rejoin" : "told to leave", true);
	} else if (c.id == NWK_REJOIN_RESPONSE && d->state == DEVICE_REJOINING && c.rejoin_response.status == 0) {
		d->short_address = c.rejoin_response.short_address;
		radio_set_short(d->radio, d->short_address);
		device_state_set(d, DEVICE_COMMISSIONED, 0);
		d->step_at = CLOCK_NEVER;
		device_event(d, "rejoined", "\"short\":%u", d->short_address);
		device_save(d);
		device_announce(d);
	}
}

static bool open_nwk(struct sim_device *d, const struct nwk_frame *f, uint8_t plain[static NWK_FRAME_MAX], struct rd *payload)
{
	struct aux_header aux;

	if (!d->network_key || nwk_open(d->network_key, f, &aux, plain, payload) != OK || aux.key_sequence != d->network_key_sequence)
		return false;
	if (aux.source != d->trust_centre || !counter_in_fresh(&d->nwk_in, aux.frame_counter))
		return false;
	counter_in_accept(&d->nwk_in, aux.frame_counter);
	return true;
}

void device_net_input(struct sim_device *d, struct rd octets)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct nwk_frame f;
	struct rd payload;

	if (nwk_frame_decode(octets, &f) != OK)
		return;
	if (f.destination != d->short_address && f.destination < NWK_BROADCAST_ROUTERS)
		return;
	if (!f.security) {
		if (f.type == NWK_DATA)
			on_aps(d, f.payload, false);
		return;
	}
	if (!open_nwk(d, &f, plain, &payload))
		return;
	if (f.type == NWK_COMMAND)
		on_nwk_command(d, payload);
	else
		on_aps(d, payload, true);
}

/* What the coordinator's node descriptor says decides how to go on. */
void device_net_tick(struct sim_device *d)
{
	for (size_t i = 0; i < DEVICE_UNACKED; i++) {
		struct unacked *u = &d->unacked[i];

		if (!u->used || d->now < u->again)
			continue;
		if (u->tries++ == APS_RETRIES) {
			u->used = false;
			continue;
		}
		u->again = d->now + APS_ACK_WAIT_MS;
		device_nwk_send(d, NWK_DATA, NWK_COORDINATOR, rd_of(u->octets, u->len));
	}
}

uint64_t device_net_deadline(const struct sim_device *d)
{
	uint64_t next = CLOCK_NEVER;

	for (size_t i = 0; i < DEVICE_UNACKED; i++)
		if (d->unacked[i].used && d->unacked[i].again < next)
			next = d->unacked[i].again;
	return next;
}

/* From device_app.c: the answer to our Node_Desc_req. */
void device_node_known(struct sim_device *d, const struct zdo_message *m)
{
	if (d->state != DEVICE_ASKING_NODE || m->status != ZDO_SUCCESS)
		return;
	device_event(d, "node-descriptor", "\"revision\":%u", ZDO_STACK_REVISION(m->node.server_mask));
	if (ZDO_STACK_REVISION(m->node.server_mask) < MINIMUM_REVISION)
		commissioned(d, "old Trust Centre, install-code link key kept");
	else
		device_state_set(d, DEVICE_ASKING_KEY, 0);
}
