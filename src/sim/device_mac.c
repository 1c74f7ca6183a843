/* The simulated device's MAC: active scan, association, polling, and how it notices that its parent is gone. */
#include <string.h>

#include "base/clock.h"
#include "sim/device_private.h"
#include "zigbee/beacon.h"

#define SCAN_DURATION 4       /* bdbScanDuration, Base Device Behaviour table 1 */
#define SCAN_MS (960 * ((1 << SCAN_DURATION) + 1) * 16 / 1000) /* a channel: aBaseSuperframeDuration * (2^n + 1) symbols of 16 us, IEEE 802.15.4-2006 7.1.11.1 */
#define RESPONSE_WAIT_MS 500  /* macResponseWaitTime */
#define RESPONSE_TRIES 4
#define KEY_WAIT_MS 5000      /* apsSecurityTimeOutPeriod and a little */
#define FAST_POLL_MS 150
#define FIRST_POLL_MS 50
#define WINDOW_MS 400         /* how long a sleeper listens after "frame pending" */
#define BUSY_MS 3000          /* polls fast that long after it sent something */
#define KEEP_ALIVE_MS 60000   /* of an always-on device; far below the time-out that it asked for */
#define MISSED_MOST 8         /* transmissions without acknowledgement until the parent counts as lost */
#define BACKOFF_MS 1500
#define SEEK_DOUBLINGS 5      /* of BACKOFF_MS */
#define STACK_PROFILE_PRO 2

void device_mac_addresses(struct sim_device *d, bool joined)
{
	radio_set_pan(d->radio, joined ? d->pan_id : MAC_BROADCAST);
	radio_set_short(d->radio, joined ? d->short_address : MAC_BROADCAST);
	radio_set_extended(d->radio, d->config.eui64);
}

/* ---- out ---- */

void device_mac_send(struct sim_device *d, struct mac_frame *f)
{
	uint8_t buffer[MAC_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd frame;

	f->sequence = d->mac_sequence++;
	d->tracks[++d->token % DEVICE_TRACKED] = (struct device_track){.token = d->token, .to = f->destination.mode == MAC_ADDRESS_SHORT ? f->destination.short_address : MAC_BROADCAST};
	if (mac_frame_encode(f, &w) != OK || !wr_done(&w, &frame) || radio_transmit(d->radio, d->now, frame, d->token) != OK)
		device_event(d, "not-sent", "\"reason\":\"the radio's queue is full\"");
}

void device_mac_command(struct sim_device *d, const struct mac_command *c, struct mac_frame *f)
{
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);

	f->type = MAC_COMMAND;
	if (mac_command_encode(c, &w) == OK && wr_done(&w, &f->payload))
		device_mac_send(d, f);
}

uint32_t device_mac_to(struct sim_device *d, uint16_t destination, bool pending, struct rd nwk)
{
	struct mac_frame f = {
		.type = MAC_DATA,
		.ack_request = true,
		.frame_pending = pending,
		.pan_id_compression = true,
		.destination = {MAC_ADDRESS_SHORT, d->pan_id, destination, 0},
		.source = {MAC_ADDRESS_SHORT, d->pan_id, d->short_address, 0},
		.payload = nwk,
	};

	device_mac_send(d, &f);
	if (destination != d->parent)
		return d->token;
	if (d->busy_until < d->now + BUSY_MS)
		d->busy_until = d->now + BUSY_MS;
	if (d->config.sleepy && d->poll_at > d->now + FAST_POLL_MS)
		d->poll_at = d->now + FAST_POLL_MS;
	return d->token;
}

void device_mac_data(struct sim_device *d, struct rd nwk)
{
	(void)device_mac_to(d, d->parent, false, nwk);
}

void device_mac_broadcast(struct sim_device *d, struct rd nwk)
{
	struct mac_frame f = {
		.type = MAC_DATA,
		.pan_id_compression = true,
		.destination = {MAC_ADDRESS_SHORT, d->pan_id, MAC_BROADCAST, 0},
		.source = {MAC_ADDRESS_SHORT, d->pan_id, d->short_address, 0},
		.payload = nwk,
	};

	device_mac_send(d, &f);
}

void device_mac_disassociate(struct sim_device *d)
{
	const struct mac_command c = {.id = MAC_DISASSOCIATION, .reason = 2};
	struct mac_frame f = {
		.ack_request = true,
		.pan_id_compression = true,
		.destination = {MAC_ADDRESS_SHORT, d->pan_id, d->parent, 0},
		.source = {MAC_ADDRESS_EXTENDED, d->pan_id, 0, d->config.eui64},
	};

	device_mac_command(d, &c, &f);
}

static void associate(struct sim_device *d)
{
	const struct mac_command c = {.id = MAC_ASSOCIATION_REQUEST, .capability = device_capability(d)};
	struct mac_frame f = {
		.ack_request = true,
		.destination = {MAC_ADDRESS_SHORT, d->pan_id, d->parent, 0},
		.source = {MAC_ADDRESS_EXTENDED, MAC_BROADCAST, 0, d->config.eui64},
	};

	radio_set_pan(d->radio, d->pan_id);
	device_mac_command(d, &c, &f);
	device_state_set(d, DEVICE_ASSOCIATING, RESPONSE_WAIT_MS);
}

static void poll(struct sim_device *d, bool extended)
{
	const struct mac_command c = {.id = MAC_DATA_REQUEST};
	struct mac_frame f = {
		.ack_request = true,
		.pan_id_compression = true,
		.destination = {MAC_ADDRESS_SHORT, d->pan_id, d->parent, 0},
		.source = {extended ? MAC_ADDRESS_EXTENDED : MAC_ADDRESS_SHORT, d->pan_id, d->short_address, d->config.eui64},
	};

	device_mac_command(d, &c, &f);
}

/* ---- scan ---- */

void device_mac_tune(struct sim_device *d, uint8_t channel)
{
	struct sim_device_effect *e = device_effect(d, SIM_DEVICE_CHANNEL);

	d->channel = channel;
	if (e)
		e->channel = channel;
}

/* The first channel of the mask that is not below `from`, or 0. */
static uint8_t next_channel(const struct sim_device *d, unsigned from)
{
	for (unsigned c = from; c <= SIM_CHANNEL_LAST; c++)
		if (c >= SIM_CHANNEL_FIRST && d->config.channels >> c & 1)
			return (uint8_t)c;
	return 0;
}

static void scan_channel(struct sim_device *d, uint8_t channel)
{
	const struct mac_command c = {.id = MAC_BEACON_REQUEST};
	struct mac_frame f = {.destination = {MAC_ADDRESS_SHORT, MAC_BROADCAST, MAC_BROADCAST, 0}};

	device_mac_tune(d, channel);
	device_mac_command(d, &c, &f);
	d->step_at = d->now + SCAN_MS;
}

void device_mac_scan(struct sim_device *d, enum device_state as)
{
	const struct candidate none = {.found = false};

	if (as == DEVICE_SCANNING)
		device_mac_addresses(d, false);
	d->candidate = none;
	d->resting = false;
	radio_set_receiver(d->radio, true);
	device_event(d, "scanning", "\"channels\":%u,\"for\":\"%s\"", d->config.channels, as == DEVICE_SCANNING ? "an open network" : "its network");
	device_state_set(d, as, SCAN_MS);
	scan_channel(d, next_channel(d, SIM_CHANNEL_FIRST));
}

static void candidate_take(struct sim_device *d)
{
	device_mac_tune(d, d->candidate.channel);
	d->pan_id = d->candidate.pan_id;
	d->parent = d->candidate.parent;
	d->extended_pan_id = d->candidate.extended_pan_id;
	d->parent_eui64 = 0;
	d->router.depth = (uint8_t)(d->candidate.depth + 1);
}

void device_mac_seek_later(struct sim_device *d)
{
	unsigned doublings = d->rejoin_failures < SEEK_DOUBLINGS ? d->rejoin_failures : SEEK_DOUBLINGS;

	d->rejoin_failures++;
	d->resting = true;
	device_state_set(d, DEVICE_SEEKING, (BACKOFF_MS << doublings) + rng_below(d->config.rng, 700));
}

/* A channel's time is over. */
static void scan_step(struct sim_device *d)
{
	uint8_t next = next_channel(d, d->channel + 1U);

	if (d->candidate.found && d->state == DEVICE_SCANNING) {
		candidate_take(d);
		associate(d);
	} else if (d->candidate.found) {
		candidate_take(d);
		device_mac_addresses(d, true);
		device_state_set(d, DEVICE_REJOINING, 0);
	} else if (next) {
		scan_channel(d, next);
	} else if (d->state == DEVICE_SEEKING) {
		device_mac_seek_later(d);
	} else {
		device_state_set(d, DEVICE_OFF, BACKOFF_MS + rng_below(d->config.rng, 700));
	}
}

static bool has_room(const struct sim_device *d, const struct zigbee_beacon *z)
{
	return d->config.router ? z->router_capacity : z->end_device_capacity;
}

static void on_beacon(struct sim_device *d, const struct mac_frame *f)
{
	struct mac_beacon b;
	struct zigbee_beacon z;

	if ((d->state != DEVICE_SCANNING && d->state != DEVICE_SEEKING) || f->source.mode != MAC_ADDRESS_SHORT)
		return;
	if (mac_beacon_decode(f->payload, &b) != OK || zigbee_beacon_decode(b.payload, &z) != OK || z.protocol_id != 0 || z.stack_profile != STACK_PROFILE_PRO)
		return;
	if (d->candidate.found && z.depth >= d->candidate.depth)
		return; /* the one nearest to the coordinator is the better parent: R22 3.6.1.4.1 */
	if (d->state == DEVICE_SCANNING ? !b.association_permit || !has_room(d, &z) : z.extended_pan_id != d->extended_pan_id)
		return;
	d->candidate = (struct candidate){true, d->channel, z.depth, f->source.pan_id, f->source.short_address, z.extended_pan_id};
}

/* ---- association ---- */

static void on_association(struct sim_device *d, const struct mac_frame *f, const struct mac_command *c)
{
	if (d->state != DEVICE_ASKING && d->state != DEVICE_ASSOCIATING)
		return;
	if (c->association.status != MAC_ASSOCIATION_SUCCESS) {
		device_event(d, "association-denied", "\"status\":%u", c->association.status);
		d->failures++;
		device_state_set(d, DEVICE_OFF, BACKOFF_MS + rng_below(d->config.rng, 1000));
		return;
	}
	d->short_address = c->association.short_address;
	d->parent_eui64 = f->source.extended;
	device_mac_addresses(d, true);
	device_event(d, "associated", "\"short\":%u,\"pan\":%u,\"channel\":%u", d->short_address, d->pan_id, d->channel);
	device_state_set(d, DEVICE_AWAITING_KEY, KEY_WAIT_MS);
	d->poll_at = d->now + FIRST_POLL_MS;
}

static void ask_association(struct sim_device *d)
{
	if (d->state == DEVICE_ASKING && d->tries >= RESPONSE_TRIES) {
		device_event(d, "association-timeout", "%s", "");
		d->failures++;
		device_state_set(d, DEVICE_OFF, BACKOFF_MS + rng_below(d->config.rng, 700));
		return;
	}
	device_state_set(d, DEVICE_ASKING, RESPONSE_WAIT_MS);
	d->tries++;
	poll(d, true);
}

void device_mac_step(struct sim_device *d)
{
	switch (d->state) {
	case DEVICE_OFF:
		device_mac_scan(d, DEVICE_SCANNING);
		break;
	case DEVICE_SCANNING:
		scan_step(d);
		break;
	case DEVICE_SEEKING:
		if (d->resting)
			device_mac_scan(d, DEVICE_SEEKING);
		else
			scan_step(d);
		break;
	case DEVICE_ASSOCIATING:
	case DEVICE_ASKING:
		ask_association(d);
		break;
	case DEVICE_AWAITING_KEY:
	case DEVICE_NEGOTIATING:
	case DEVICE_ASKING_NODE:
	case DEVICE_ASKING_KEY:
	case DEVICE_VERIFYING:
	case DEVICE_COMMISSIONED:
	case DEVICE_REJOINING:
		break;
	}
}

/* ---- polling ---- */

bool device_mac_polls(const struct sim_device *d)
{
	if (d->state < DEVICE_AWAITING_KEY || d->state == DEVICE_SEEKING || d->config.router)
		return false;
	return d->config.sleepy || d->state == DEVICE_COMMISSIONED;
}

void device_mac_poll_tick(struct sim_device *d)
{
	const struct nwk_command keep_alive = {.id = NWK_END_DEVICE_TIMEOUT_REQUEST, .timeout_request = {d->config.timeout, 0}};

	if (!d->config.sleepy) {
		if (d->by_timeout_request)
			device_nwk_command(d, d->parent, &keep_alive);
		else
			poll(d, false);
		d->poll_at = d->now + KEEP_ALIVE_MS;
		return;
	}
	poll(d, false);
	d->poll_at = d->now + (d->state != DEVICE_COMMISSIONED || d->now < d->busy_until ? FAST_POLL_MS : d->config.poll_ms);
}

/* Whether the receiver is on now. */
bool device_mac_listens(const struct sim_device *d)
{
	return !d->config.sleepy || d->state <= DEVICE_ASKING || d->state == DEVICE_SEEKING || d->now < d->window_until;
}

/* ---- in ---- */

static void on_frame(struct sim_device *d, const struct mac_frame *f)
{
	struct mac_command c;

	d->heard_from = f->source.mode == MAC_ADDRESS_SHORT ? f->source.short_address : MAC_BROADCAST;
	d->heard_broadcast = f->destination.mode == MAC_ADDRESS_SHORT && f->destination.short_address == MAC_BROADCAST;
	if (f->type == MAC_BEACON)
		on_beacon(d, f);
	else if (f->type == MAC_COMMAND && mac_command_decode(f->payload, &c) == OK && c.id == MAC_ASSOCIATION_RESPONSE)
		on_association(d, f, &c);
	else if (f->type == MAC_COMMAND && d->config.router)
		device_parent_command(d, f);
	else if (f->type == MAC_DATA && d->state >= DEVICE_AWAITING_KEY)
		device_nwk_input(d, f->payload);
	if (f->frame_pending && d->config.sleepy)
		d->poll_at = d->now;
}

static void parent_answered(struct sim_device *d, const struct radio_effect *e)
{
	if (e->status == RADIO_OK) {
		d->missed = 0;
		if (e->frame_pending)
			d->window_until = d->now + WINDOW_MS;
		return;
	}
	if (d->state == DEVICE_COMMISSIONED && ++d->missed >= MISSED_MOST) {
		device_event(d, "parent-lost", "%s", "");
		device_nwk_seek(d);
	}
}

/* What a router sends to others says nothing of its parent. */
static void on_sent(struct sim_device *d, const struct radio_effect *e)
{
	const struct device_track t = d->tracks[e->token % DEVICE_TRACKED];

	if (t.token != e->token || !d->config.router || t.to == d->parent || t.to == MAC_BROADCAST)
		parent_answered(d, e);
	if (t.token != e->token || !d->config.router)
		return;
	device_parent_sent(d, e->token, e->status == RADIO_OK);
	device_mesh_sent(d, &t, e->status == RADIO_OK);
}

void device_mac_drain(struct sim_device *d)
{
	struct sim_device_effect *out;
	struct radio_effect e;
	struct mac_frame f;

	while (radio_output(d->radio, &e)) {
		switch (e.type) {
		case RADIO_SEND:
			out = device_effect(d, SIM_DEVICE_SEND);
			if (out) {
				memcpy(out->octets, e.octets, e.len);
				out->len = e.len;
			}
			break;
		case RADIO_RECEIVED:
			if (mac_frame_decode(rd_of(e.octets, e.len), &f) == OK)
				on_frame(d, &f);
			break;
		case RADIO_SENT:
			on_sent(d, &e);
			break;
		}
	}
}
