/* The coordinator's network layer: sealing, opening, and the commands that keep a device. */
#include <string.h>

#include "base/clock.h"
#include "oci/core_private.h"
#include "zigbee/security/nwk_security.h"

#define RADIUS 30
#define VALIDITY_MS 20000
#define LEAVE_SLEEPER_MS (60 * 60 * 1000) /* it hears it at its next poll; ours to wait when it did not tell a time-out */
#define ONE_HOP_MS 5000         /* what is told again and again is of no use when it is late */
#define COMMAND_MAX 32          /* a route reply has 24 octets */
#define COMMISSIONING_MS 12000
#define PARENT_INFORMATION 0x01 /* keep-alive by MAC data poll */
#define COUNTER_HIGH 0x80000000U /* half of all: time for another key, and time enough */

/* ---- out ---- */

/* Either side's: the MEF is asked once for each key. */
static void watch_counter(struct oci_core *c, struct oci_device *d, uint32_t number)
{
	bool worn = d->present.network && d->present.network->worn;

	if ((number < COUNTER_HIGH && !worn) || d->present.counter_told || !d->joined)
		return;
	d->present.counter_told = true;
	oci_event(c, d, "counter-high");
}

/* To d, or by way of it: with its key and the number that is next under that. */
static void seal(struct oci_core *c, struct oci_device *d, const struct nwk_frame *f, uint32_t validity_ms, bool broadcast)
{
	struct oci_network *n = d->present.network;
	struct oci_effect *e;
	uint32_t number;
	struct wr w;

	if (!n)
		return;
	if (oci_network_take(c, d, n, &number) != OK) {
		oci_log(c, d, "no frame counter left, or the store failed: nothing is sent");
		return;
	}
	e = oci_effect(c, OCI_DOWNLINK, d);
	w = wr_of(e->octets, sizeof e->octets);
	e->validity_ms = validity_ms;
	e->broadcast = broadcast;
	if (nwk_seal(n->key, n->sequence, d->gateway, number, f, &w) == OK)
		e->len = w.len;
	watch_counter(c, d, number);
}

static void send_within(struct oci_core *c, struct oci_device *d, enum nwk_frame_type type, struct rd payload, uint32_t validity_ms)
{
	struct nwk_frame f = {
		.type = type,
		.protocol_version = 2,
		.destination = d->short_address,
		.source = NWK_COORDINATOR,
		.radius = type == NWK_COMMAND && !d->parent ? 1 : RADIUS,
		.sequence = d->nwk_sequence++,
		.has_destination_eui64 = type == NWK_COMMAND,
		.has_source_eui64 = type == NWK_COMMAND,
		.destination_eui64 = d->eui64,
		.source_eui64 = d->gateway,
		.payload = payload,
	};
	struct oci_device *hop = oci_mesh_hop(c, d, &f);

	if (hop)
		seal(c, hop, &f, validity_ms, false);
	else
		oci_log(c, d, "no way to the device is known: nothing is sent");
}

void oci_nwk_send(struct oci_core *c, struct oci_device *d, enum nwk_frame_type type, struct rd payload)
{
	send_within(c, d, type, payload, VALIDITY_MS);
}

static void tell_routers(struct oci_core *c, struct oci_device *d, const struct nwk_command *m, uint8_t radius, bool broadcast)
{
	struct nwk_frame f = {
		.type = NWK_COMMAND,
		.protocol_version = 2,
		.destination = NWK_BROADCAST_ROUTERS,
		.source = NWK_COORDINATOR,
		.radius = radius,
		.sequence = d->nwk_sequence++,
		.has_source_eui64 = true,
		.source_eui64 = d->gateway,
	};
	uint8_t buffer[COMMAND_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);

	if (nwk_command_encode(m, &w) == OK && wr_done(&w, &f.payload))
		seal(c, d, &f, ONE_HOP_MS, broadcast);
}

void oci_nwk_one_hop(struct oci_core *c, struct oci_device *d, const struct nwk_command *m, bool broadcast)
{
	tell_routers(c, d, m, 1, broadcast);
}

void oci_nwk_flood(struct oci_core *c, struct oci_device *via, const struct nwk_command *m, bool broadcast)
{
	tell_routers(c, via, m, RADIUS, broadcast);
}

void oci_nwk_broadcast(struct oci_core *c, struct oci_device *via, uint16_t destination, bool far, uint8_t sequence, struct rd payload)
{
	const struct nwk_frame f = {
		.type = NWK_DATA,
		.protocol_version = 2,
		.destination = destination,
		.source = NWK_COORDINATOR,
		.radius = far ? RADIUS : 1,
		.sequence = sequence,
		.payload = payload,
	};

	seal(c, via, &f, ONE_HOP_MS, true);
}

void oci_nwk_command(struct oci_core *c, struct oci_device *d, const struct nwk_command *m)
{
	uint8_t buffer[COMMAND_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	if (nwk_command_encode(m, &w) == OK && wr_done(&w, &payload))
		oci_nwk_send(c, d, NWK_COMMAND, payload);
}

/* R22 3.4.4, without rejoin. Whoever gets it gets nothing more, so that it waits for a sleeper until that must have polled. */
void oci_nwk_leave(struct oci_core *c, struct oci_device *d)
{
	const struct nwk_command leave = {.id = NWK_LEAVE, .leave = {.request = true}};
	uint64_t sleeper_ms = d->timeout_s ? d->timeout_s * 1000ULL : LEAVE_SLEEPER_MS;
	uint8_t buffer[COMMAND_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	if (nwk_command_encode(&leave, &w) == OK && wr_done(&w, &payload))
		send_within(c, d, NWK_COMMAND, payload, d->capability & 0x08 ? VALIDITY_MS : sleeper_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)sleeper_ms);
}

/* ---- in ---- */

/* The device uses the pending key: the former one is gone. After a rotation all else is as it was; otherwise it has joined anew. */
void oci_nwk_promote(struct oci_core *c, struct oci_device *d, uint16_t source)
{
	struct oci_key none = {.network = NULL};

	oci_network_leave(c, d->present.network);
	d->present = d->pending;
	d->pending = none;
	if (d->present.rotation)
		return;
	d->joined = false;
	oci_interview_stop(d);
	if (nwk_address_is_device(source))
		d->short_address = source;
	oci_aps_forget(d);
	oci_router_forget(d);
}

/* Opens under the present key, or under the pending one, which is the present one from then on. */
static enum err open_frame(struct oci_core *c, struct oci_device *d, const struct nwk_frame *f, uint8_t plain[static NWK_FRAME_MAX], struct rd *payload, bool *switched)
{
	struct oci_key *keys[2] = {&d->present, &d->pending};
	struct rd sealed = f->payload;
	struct aux_header aux;
	enum err e = ERR_UNKNOWN_KEY;

	if (!aux_header_decode(&sealed, &aux) || aux.source != d->eui64)
		return ERR_NOT_AUTHORISED;
	for (size_t i = 0; i < 2; i++) {
		struct oci_key *k = keys[i];

		if (!k->network || aux.key_sequence != k->network->sequence)
			continue;
		e = nwk_open(k->network->key, f, &aux, plain, payload);
		if (e != OK)
			continue;
		if (!counter_in_fresh(&k->in, aux.frame_counter))
			return ERR_REPLAY;
		*switched = i == 1;
		if (*switched)
			oci_nwk_promote(c, d, f->source);
		counter_in_accept(&d->present.in, aux.frame_counter);
		return OK;
	}
	return e;
}

static void on_timeout_request(struct oci_core *c, struct oci_device *d, const struct nwk_command *m)
{
	struct nwk_command answer = {.id = NWK_END_DEVICE_TIMEOUT_RESPONSE};
	uint32_t seconds = nwk_timeout_seconds(m->timeout_request.timeout);

	if (!c->config.answer_commissioning)
		return;
	answer.timeout_response.status = seconds == 0;
	answer.timeout_response.parent_information = PARENT_INFORMATION;
	oci_nwk_command(c, d, &answer);
	if (seconds == 0)
		return;
	d->timeout_s = seconds;
	(void)oci_save(c, d);
	oci_life_place(c, d);
}

static void on_rejoin(struct oci_core *c, struct oci_device *d, const struct nwk_command *m, uint16_t source)
{
	struct nwk_command answer = {.id = NWK_REJOIN_RESPONSE};

	if (nwk_address_is_device(source))
		d->short_address = source;
	d->capability = m->rejoin_request.capability;
	oci_life_place(c, d);
	answer.rejoin_response.short_address = d->short_address;
	oci_nwk_command(c, d, &answer);
	oci_router_forget(d);
	(void)oci_save(c, d);
	oci_event(c, d, "rejoined");
}

static void on_leave(struct oci_core *c, struct oci_device *d, bool rejoin)
{
	if (rejoin) { /* it comes back under the same key: its place at the gateway must be there */
		oci_log(c, d, "device leaves to rejoin");
		return;
	}
	oci_event(c, d, "left");
	(void)oci_effect(c, OCI_CHILD_DROP, d);
	d->joined = false;
	oci_interview_stop(d);
	oci_aps_withdraw(d);
	oci_router_forget(d);
	(void)oci_save(c, d);
	oci_log(c, d, "device left");
}

static void on_nwk_command(struct oci_core *c, struct oci_device *d, const struct nwk_frame *f, struct rd payload)
{
	struct nwk_command m;

	if (nwk_command_decode(payload, &m) != OK)
		return;
	switch (m.id) {
	case NWK_END_DEVICE_TIMEOUT_REQUEST:
		on_timeout_request(c, d, &m);
		break;
	case NWK_REJOIN_REQUEST:
		on_rejoin(c, d, &m, f->source);
		break;
	case NWK_LEAVE:
		if (!m.leave.request)
			on_leave(c, d, m.leave.rejoin);
		break;
	case NWK_NETWORK_STATUS:
		if (m.network_status.status == NWK_STATUS_ADDRESS_CONFLICT)
			oci_life_conflict(c, d, m.network_status.destination);
		/* fall through */
	case NWK_LINK_STATUS:
	case NWK_ROUTE_REQUEST:
		oci_router_command(c, d, f, &m);
		break;
	case NWK_ROUTE_RECORD: /* of its own: there is nobody between */
	case NWK_ROUTE_REPLY:
	case NWK_REJOIN_RESPONSE:
	case NWK_NETWORK_REPORT:
	case NWK_NETWORK_UPDATE:
	case NWK_END_DEVICE_TIMEOUT_RESPONSE:
		break; /* nothing that a star needs */
	}
}

void oci_nwk_first(struct oci_core *c, struct oci_device *d)
{
	d->joined = true;
	oci_event(c, d, "joined");
	oci_groups_joined(c, d);
	/* A device that says nothing more is interviewed all the same. */
	oci_interview_begin(c, d, COMMISSIONING_MS);
}

static enum err refuse(struct oci_core *c, struct oci_device *d, enum err e)
{
	if (e == ERR_REPLAY)
		d->replays++;
	else
		d->bad_mic++;
	oci_log(c, d, "frame refused: %s (%u with a wrong integrity code, %u replayed so far)", err_text(e), d->bad_mic, d->replays);
	return e;
}

static bool is_link_status(const struct nwk_frame *f, struct rd payload)
{
	uint8_t id;

	return f->type == NWK_COMMAND && rd_u8(&payload, &id) && id == NWK_LINK_STATUS;
}

enum err oci_core_uplink(struct oci_core *c, uint64_t now, uint64_t eui64, struct rd octets)
{
	struct oci_device *d = oci_core_device(c, eui64), *from;
	uint8_t plain[NWK_FRAME_MAX];
	struct nwk_frame f;
	struct rd payload;
	bool durable, switched = false;
	enum err e;

	c->now = now;
	if (!d)
		return ERR_UNKNOWN_DEVICE;
	e = nwk_frame_decode(octets, &f);
	if (e == OK && !f.security)
		e = ERR_NOT_AUTHORISED; /* an unsealed frame of an enrolled device says nothing */
	if (e == OK && f.destination != NWK_COORDINATOR && f.destination < NWK_BROADCAST_ROUTERS)
		e = ERR_NOT_PERMITTED;
	if (e == OK)
		e = open_frame(c, d, &f, plain, &payload, &switched);
	if (e != OK)
		return refuse(c, d, e);
	d->last_heard = now;
	durable = switched || d->silent || !d->joined || !is_link_status(&f, payload);
	if (!d->joined)
		oci_nwk_first(c, d);
	from = oci_mesh_origin(c, d, &f, payload);
	if (from == d)
		oci_mesh_direct(c, d, &f);
	oci_life_heard(c, d, &f, from == d);
	/* The counter is on disk before the frame does anything: a crash in between cannot make a replay fresh. Link status comes every 15 s from
	 * each router and changes nothing that is kept: one that is heard again after a crash does no harm. */
	if (durable && !oci_save(c, d))
		return ERR_STORE;
	if (switched && d->present.rotation)
		oci_event(c, d, "rotated");
	watch_counter(c, d, d->present.in.last);
	if (from && from != d)
		e = oci_mesh_input(c, d, from, &f, payload);
	else if (!from && f.source != NWK_COORDINATOR)
		oci_log(c, d, "a frame of %04x that the device passes on is ignored", f.source);
	else if (from && f.type == NWK_COMMAND)
		on_nwk_command(c, d, &f, payload);
	else if (from)
		oci_aps_input(c, d, payload);
	oci_router_heard(c, d);
	oci_poll_heard(c, d);
	return e;
}
