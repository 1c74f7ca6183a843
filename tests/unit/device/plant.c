/* The tiny coordinator. */
#include "plant.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "keys/secret_octets.h"
#include "zigbee/beacon.h"
#include "zigbee/security/link_key.h"
#include "zigbee/security/nwk_security.h"

#define STATUS_MS 15000
#define SEALED_LEAST 30 /* octets: MAC, NWK and auxiliary headers and a MIC */

static void require(bool b)
{
	if (!b)
		abort();
}

static struct rd done(const struct wr *w)
{
	struct rd r;

	require(wr_done(w, &r));
	return r;
}

static enum err save(void *ctx, struct rd text)
{
	struct plant *p = ctx;

	if (p->memory_fails)
		return ERR_IO;
	require(text.left < sizeof p->memory);
	memcpy(p->memory, text.at, text.left);
	p->memory_len = text.left;
	p->saves++;
	return OK;
}

void plant_start(struct plant *p)
{
	struct sim_device_config c = p->config;

	c.link_key = secret_dup(p->config.link_key);
	p->device = sim_device_new(&c, rd_of(p->memory, p->memory_len), p->now);
	require(p->device != NULL);
}

void plant_init(struct plant *p, enum sim_kind kind, bool sleepy)
{
	memset(p, 0, sizeof *p);
	p->rng = rng_seeded(1);
	p->device_rng = rng_seeded(2);
	p->now = 1000;
	p->permit = p->offer = p->announce_timeout = p->answer_node = p->answer_verify = p->acknowledge = p->answer_rejoin = p->answer_clear_rejoin = true;
	p->answer_request = PLANT_UNIQUE;
	p->revision = 22;
	p->short_address = PLANT_SHORT;
	p->config = (struct sim_device_config){
		.timeout = 3,
		.eui64 = PLANT_DEVICE,
		.kind = kind,
		.sleepy = sleepy,
		.channels = 1U << 15,
		.poll_ms = 1000,
		.link_key = secret_random(&p->rng, SECRET_AES128),
		.save = save,
		.save_ctx = p,
		.rng = &p->device_rng,
	};
	p->label = secret_dup(p->config.link_key);
	p->network_key = secret_random(&p->rng, SECRET_AES128);
	require(link_key_set_take(&p->link, secret_dup(p->label)) == OK);
	p->radio = radio_new(&p->rng);
	require(p->radio != NULL);
	radio_set_pan(p->radio, PLANT_PAN);
	radio_set_short(p->radio, 0);
	radio_set_extended(p->radio, PLANT_COORDINATOR);
	radio_set_coordinator(p->radio, true);
	radio_match_enable(p->radio, true);
	plant_start(p);
}

void plant_clear(struct plant *p)
{
	sim_device_free(p->device);
	radio_free(p->radio);
	secret_free(p->config.link_key);
	secret_free(p->label);
	secret_free(p->network_key);
	link_key_set_clear(&p->link);
	link_key_set_clear(&p->fresh);
}

void plant_restart(struct plant *p)
{
	sim_device_free(p->device);
	plant_start(p);
}

/* ---- down ---- */

static void transmit(struct plant *p, const struct mac_frame *f)
{
	uint8_t buffer[MAC_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);

	require(mac_frame_encode(f, &w) == OK);
	require(radio_transmit(p->radio, p->now, done(&w), 0) == OK);
}

/* "Frame pending" in the acknowledgement of a poll, only while something waits. */
static void pending(struct plant *p)
{
	(void)radio_match_extended(p->radio, PLANT_DEVICE, p->queue_count > 0);
	radio_match_clear_short(p->radio);
	if (p->queue_count > 0)
		require(radio_match_short(p->radio, p->short_address, true));
}

static void down(struct plant *p, struct mac_frame *f)
{
	struct plant_psdu *q = &p->queue[p->queue_count];
	struct wr w = wr_of(q->octets, MAC_FRAME_MAX);

	f->sequence = p->mac_sequence++;
	if (p->queue_count == PLANT_QUEUE)
		return; /* a device that has gone asks for nothing */
	require(mac_frame_encode(f, &w) == OK);
	q->len = w.len;
	p->queue_count++;
	pending(p);
}

static void flush(struct plant *p)
{
	if (p->queue_count == 0)
		return;
	require(radio_transmit(p->radio, p->now, rd_of(p->queue[0].octets, p->queue[0].len), 0) == OK);
	memmove(&p->queue[0], &p->queue[1], --p->queue_count * sizeof p->queue[0]);
	pending(p);
}

void plant_mac(struct plant *p, struct rd nwk)
{
	struct mac_frame f = {
		.type = MAC_DATA,
		.ack_request = true,
		.pan_id_compression = true,
		.destination = {MAC_ADDRESS_SHORT, PLANT_PAN, p->short_address, 0},
		.source = {MAC_ADDRESS_SHORT, PLANT_PAN, 0, 0},
		.payload = nwk,
	};

	down(p, &f);
	if (!p->config.sleepy)
		flush(p);
}

void plant_psdu_input(struct plant *p, const struct plant_psdu *psdu)
{
	sim_device_input(p->device, p->now, rd_of(psdu->octets, psdu->len));
}

void plant_nwk(struct plant *p, const struct secret *key, uint8_t key_sequence, uint64_t sealer, uint32_t counter, enum nwk_frame_type type, uint16_t source,
    struct rd payload)
{
	const struct nwk_frame f = {
		.type = type,
		.protocol_version = 2,
		.destination = p->short_address,
		.source = source,
		.radius = 30,
		.sequence = p->nwk_sequence++,
		.payload = payload,
	};
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);

	require(nwk_seal(key, key_sequence, sealer, counter, &f, &w) == OK);
	plant_mac(p, done(&w));
}

void plant_one_hop(struct plant *p, const struct nwk_command *c, bool broadcast)
{
	struct nwk_frame f = {
		.type = NWK_COMMAND,
		.protocol_version = 2,
		.destination = NWK_BROADCAST_ROUTERS,
		.radius = 1,
		.sequence = p->nwk_sequence++,
		.has_source_eui64 = true,
		.source_eui64 = PLANT_COORDINATOR,
	};
	struct mac_frame m = {
		.type = MAC_DATA,
		.pan_id_compression = true,
		.sequence = p->mac_sequence++,
		.destination = {MAC_ADDRESS_SHORT, PLANT_PAN, MAC_BROADCAST, 0},
		.source = {MAC_ADDRESS_SHORT, PLANT_PAN, 0, 0},
	};
	uint8_t plain[64], buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(plain, sizeof plain), v = wr_of(buffer, sizeof buffer);

	require(nwk_command_encode(c, &w) == OK);
	f.payload = done(&w);
	require(nwk_seal(p->network_key, p->key_sequence, PLANT_COORDINATOR, p->nwk_out++, &f, &v) == OK);
	if (!broadcast) {
		plant_mac(p, done(&v));
		return;
	}
	m.payload = done(&v);
	transmit(p, &m);
}

void plant_status(struct plant *p)
{
	const struct nwk_command c = {.id = NWK_LINK_STATUS, .link_status = {true, true, 1, {{p->short_address, 1, 1}}}};

	plant_one_hop(p, &c, p->status_broadcast);
}

/* To the device and past its coordinator, whom it does not concern. */
static void from_elsewhere(struct plant *p, const struct mac_command *c, struct mac_frame *f)
{
	uint8_t inner[32], buffer[MAC_PSDU_MAX], frame[MAC_FRAME_MAX];
	struct wr w = wr_of(inner, sizeof inner), v = wr_of(frame, sizeof frame), psdu = wr_of(buffer, sizeof buffer);

	f->type = MAC_COMMAND;
	f->sequence = p->mac_sequence++;
	require(mac_command_encode(c, &w) == OK);
	f->payload = done(&w);
	require(mac_frame_encode(f, &v) == OK);
	mac_fcs_append(&psdu, done(&v));
	sim_device_input(p->device, p->now, done(&psdu));
}

unsigned plant_scan(struct plant *p)
{
	const struct mac_command c = {.id = MAC_BEACON_REQUEST};
	struct mac_frame f = {.destination = {MAC_ADDRESS_SHORT, MAC_BROADCAST, MAC_BROADCAST, 0}};

	p->beacons = p->permits = 0;
	from_elsewhere(p, &c, &f);
	plant_run(p, 100);
	return p->beacons + p->permits;
}

void plant_associate(struct plant *p, uint64_t child)
{
	struct mac_command c = {.id = MAC_ASSOCIATION_REQUEST, .capability = MAC_CAPABILITY_ALLOCATE_ADDRESS};
	struct mac_frame f = {
		.ack_request = true,
		.destination = {MAC_ADDRESS_SHORT, PLANT_PAN, p->short_address, 0},
		.source = {MAC_ADDRESS_EXTENDED, MAC_BROADCAST, 0, child},
	};

	from_elsewhere(p, &c, &f);
	plant_run(p, 500);
	c.id = MAC_DATA_REQUEST;
	f.pan_id_compression = true;
	f.source.pan_id = PLANT_PAN;
	from_elsewhere(p, &c, &f);
}

void plant_aps(struct plant *p, struct rd aps)
{
	plant_nwk(p, p->network_key, p->key_sequence, PLANT_COORDINATOR, p->nwk_out++, NWK_DATA, 0, aps);
}

void plant_nwk_command(struct plant *p, const struct nwk_command *c)
{
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);

	require(nwk_command_encode(c, &w) == OK);
	plant_nwk(p, p->network_key, p->key_sequence, PLANT_COORDINATOR, p->nwk_out++, NWK_COMMAND, 0, done(&w));
}

static void sealed_command(struct plant *p, const struct secret *key, enum aux_key_id id, uint64_t sealer, uint32_t counter, const struct aps_command *c, struct wr *w)
{
	uint8_t plain[64];
	struct wr v = wr_of(plain, sizeof plain);
	struct aps_frame f = {.type = APS_COMMAND, .ack_request = true, .counter = p->aps_counter++};

	require(aps_command_encode(c, &v) == OK);
	f.payload = done(&v);
	require(aps_seal(key, id, 0, true, sealer, counter, &f, w) == OK);
}

void plant_command(struct plant *p, const struct secret *key, enum aux_key_id id, uint32_t counter, const struct aps_command *c)
{
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);

	sealed_command(p, key, id, PLANT_COORDINATOR, counter, c, &w);
	plant_aps(p, done(&w));
}

static void key_command(const struct secret *key, enum aps_key_type type, uint8_t octets[static SECRET_AES128], struct aps_command *c)
{
	*c = (struct aps_command){.id = APS_TRANSPORT_KEY};
	memcpy(octets, secret_octets(key), SECRET_AES128);
	c->transport_key.type = type;
	c->transport_key.key = octets;
	c->transport_key.destination = PLANT_DEVICE;
	c->transport_key.source = PLANT_COORDINATOR;
}

void plant_offer(struct plant *p, const struct plant_offer *o)
{
	uint8_t key[SECRET_AES128], aps[NWK_FRAME_MAX], buffer[NWK_FRAME_MAX];
	struct wr a = wr_of(aps, sizeof aps), w = wr_of(buffer, sizeof buffer);
	struct nwk_frame f = {.protocol_version = 2, .destination = p->short_address, .radius = 30, .sequence = p->nwk_sequence++};
	struct aps_command c;

	key_command(p->network_key, APS_KEY_STANDARD_NETWORK, key, &c);
	c.transport_key.sequence = p->key_sequence;
	c.transport_key.destination = o->destination;
	c.transport_key.source = o->source;
	sealed_command(p, o->key, o->key_id, o->sealer, o->counter, &c, &a);
	f.payload = done(&a);
	require(nwk_frame_encode(&f, &w) == OK);
	if (o->damage)
		buffer[w.len - 1] ^= 1;
	plant_mac(p, done(&w));
}

static void offer(struct plant *p, const struct link_key_set *under)
{
	const struct plant_offer o = {
		.key = under->transport,
		.key_id = AUX_KEY_TRANSPORT,
		.sealer = PLANT_COORDINATOR,
		.source = PLANT_COORDINATOR,
		.destination = PLANT_DEVICE,
		.counter = p->aps_out++,
	};

	plant_offer(p, &o);
}

void plant_next_key(struct plant *p, const struct secret *key, uint8_t sequence)
{
	uint8_t octets[SECRET_AES128];
	struct aps_command c;

	key_command(key, APS_KEY_STANDARD_NETWORK, octets, &c);
	c.transport_key.sequence = sequence;
	plant_command(p, p->link.transport, AUX_KEY_TRANSPORT, p->aps_out++, &c);
}

void plant_data(struct plant *p, uint8_t counter, uint16_t cluster, uint16_t profile, uint8_t endpoint, struct rd payload)
{
	const struct aps_frame f = {
		.type = APS_DATA,
		.ack_request = true,
		.counter = counter,
		.cluster = cluster,
		.profile = profile,
		.destination_endpoint = endpoint,
		.source_endpoint = endpoint,
		.payload = payload,
	};
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);

	require(aps_frame_encode(&f, &w) == OK);
	plant_aps(p, done(&w));
}

void plant_zdo(struct plant *p, const struct zdo_message *m)
{
	uint8_t buffer[100];
	struct wr w = wr_of(buffer, sizeof buffer);

	require(zdo_encode(m, &w) == OK);
	plant_data(p, p->aps_counter++, m->cluster, APS_PROFILE_ZDP, 0, done(&w));
}

void plant_zcl(struct plant *p, uint16_t cluster, enum zcl_frame_type type, uint8_t command, struct rd payload)
{
	const struct zcl_frame z = {.type = type, .sequence = p->zcl_sequence++, .command = command, .payload = payload};
	uint8_t buffer[100];
	struct wr w = wr_of(buffer, sizeof buffer);

	require(zcl_encode(&z, &w) == OK);
	plant_data(p, p->aps_counter++, cluster, APS_PROFILE_HOME_AUTOMATION, 1, done(&w));
}

/* ---- up ---- */

static void answer_beacon(struct plant *p)
{
	const struct zigbee_beacon z = {.stack_profile = 2, .protocol_version = 2, .router_capacity = !p->no_router_capacity, .end_device_capacity = true, .extended_pan_id = PLANT_EXTENDED_PAN, .tx_offset = 0xffffff};
	struct mac_beacon b = {.association_permit = p->permit, .pan_coordinator = true, .superframe = 0xcfff};
	struct mac_frame f = {.type = MAC_BEACON, .source = {MAC_ADDRESS_SHORT, PLANT_PAN, 0, 0}};
	uint8_t inner[32], outer[64];
	struct wr w = wr_of(inner, sizeof inner), v = wr_of(outer, sizeof outer);

	require(zigbee_beacon_encode(&z, &w) == OK);
	b.payload = done(&w);
	require(mac_beacon_encode(&b, &v) == OK);
	f.payload = done(&v);
	transmit(p, &f);
}

static void answer_association(struct plant *p, uint8_t capability)
{
	const struct mac_command c = {.id = MAC_ASSOCIATION_RESPONSE, .association = {p->short_address, p->association_status}};
	struct mac_frame f = {
		.type = MAC_COMMAND,
		.ack_request = true,
		.pan_id_compression = true,
		.destination = {MAC_ADDRESS_EXTENDED, PLANT_PAN, 0, PLANT_DEVICE},
		.source = {MAC_ADDRESS_EXTENDED, PLANT_PAN, 0, PLANT_COORDINATOR},
	};
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);

	p->associations++;
	p->capability = capability;
	p->queue_count = 0;
	require(mac_command_encode(&c, &w) == OK);
	f.payload = done(&w);
	down(p, &f);
}

static void poll_input(struct plant *p, const struct mac_frame *f)
{
	bool was_association = f->source.mode == MAC_ADDRESS_EXTENDED && p->queue_count > 0;

	p->polls++;
	flush(p);
	if (was_association && p->association_status == 0 && p->offer)
		offer(p, &p->link);
}

static void answer_request(struct plant *p)
{
	uint8_t octets[SECRET_AES128];
	struct aps_command c;

	p->key_requests++;
	if (p->answer_request == PLANT_NO_KEY)
		return;
	if (!p->fresh.link)
		require(link_key_set_take(&p->fresh, secret_random(&p->rng, SECRET_AES128)) == OK);
	key_command(p->answer_request == PLANT_SAME ? p->link.link : p->fresh.link, APS_KEY_TC_LINK, octets, &c);
	plant_command(p, p->link.load, AUX_KEY_LOAD, p->aps_out++, &c);
}

static void answer_verify(struct plant *p, const struct aps_command *v)
{
	const struct link_key_set none = {NULL, NULL, NULL};
	struct aps_command c = {.id = APS_CONFIRM_KEY, .confirm_key = {.type = APS_KEY_TC_LINK, .destination = PLANT_DEVICE}};
	uint8_t hash[16];

	p->verifies++;
	if (!p->answer_verify || !p->fresh.link)
		return;
	link_key_verify_hash(p->fresh.link, hash);
	require(memcmp(hash, v->verify_key.hash, sizeof hash) == 0 && v->verify_key.source == PLANT_DEVICE);
	plant_command(p, p->confirm_under_old ? p->link.link : p->fresh.link, AUX_KEY_DATA, p->aps_out++, &c);
	if (p->confirm_under_old)
		return;
	link_key_set_clear(&p->link);
	p->link = p->fresh;
	p->fresh = none;
}

static void aps_command_input(struct plant *p, const struct aps_frame *f)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct rd payload = f->payload;
	struct aux_header aux;
	struct aps_command c;

	if (f->security) {
		require(aps_open_set(&p->link, PLANT_DEVICE, f, &aux, plain, &payload) == OK);
		require(p->aps_counter_count < PLANT_LOG);
		p->aps_counters[p->aps_counter_count++] = aux.frame_counter;
	}
	require(aps_command_decode(payload, &c) == OK);
	if (c.id == APS_REQUEST_KEY && f->security)
		answer_request(p);
	else if (c.id == APS_VERIFY_KEY)
		answer_verify(p, &c);
	if (c.id != APS_UPDATE_DEVICE)
		return;
	require(f->security);
	p->updates++;
	p->update = c;
}

static void zdo_input(struct plant *p, const struct aps_frame *f)
{
	struct zdo_message m, answer = {.cluster = ZDO_NODE_DESC | ZDO_RESPONSE};
	enum err e = zdo_decode(f->cluster, f->payload, &m);

	p->announcements += f->cluster == ZDO_DEVICE_ANNCE;
	if (f->cluster == ZDO_NODE_DESC && p->answer_node) {
		require(e == OK);
		answer.sequence = m.sequence;
		answer.node.frequency = 8;
		answer.node.server_mask = (uint16_t)(p->revision << 9 | 1);
		plant_zdo(p, &answer);
	} else if (f->cluster != ZDO_NODE_DESC) {
		p->last_zdo = m;
		p->last_zdo_error = e;
		p->zdo_frames++;
	}
}

static void aps_input(struct plant *p, struct rd octets)
{
	struct aps_frame f, ack;
	uint8_t buffer[32];
	struct wr w = wr_of(buffer, sizeof buffer);

	require(aps_frame_decode(octets, &f) == OK);
	if (f.type == APS_ACK) {
		p->acks++;
		p->last_acked = f.counter;
		return;
	}
	if (f.ack_request && p->acknowledge) {
		aps_ack_for(&f, &ack);
		require(aps_frame_encode(&ack, &w) == OK);
		plant_aps(p, done(&w));
	}
	if (f.type == APS_COMMAND) {
		aps_command_input(p, &f);
	} else if (f.profile == APS_PROFILE_ZDP) {
		zdo_input(p, &f);
	} else {
		p->data_frames++;
		p->last = f;
		require(f.payload.left <= sizeof p->last_payload);
		memcpy(p->last_payload, f.payload.at, f.payload.left);
		p->last.payload = rd_of(p->last_payload, f.payload.left);
	}
}

static void rejoin_input(struct plant *p, bool secured)
{
	const struct nwk_command c = {.id = NWK_REJOIN_RESPONSE, .rejoin_response = {(uint16_t)(p->short_address + 1), 0}};
	struct nwk_frame f = {.type = NWK_COMMAND, .protocol_version = 2, .destination = p->short_address, .source = p->rejoin_from, .radius = 1, .sequence = p->nwk_sequence++};
	uint8_t buffer[16], frame[64];
	struct wr w = wr_of(buffer, sizeof buffer), v = wr_of(frame, sizeof frame);

	if (secured && p->answer_rejoin) {
		plant_nwk_command(p, &c);
		p->short_address = c.rejoin_response.short_address;
	} else if (!secured && p->answer_clear_rejoin) {
		require(nwk_command_encode(&c, &w) == OK);
		f.payload = done(&w);
		require(nwk_frame_encode(&f, &v) == OK);
		plant_mac(p, done(&v));
		p->short_address = c.rejoin_response.short_address;
		offer(p, &p->link);
	}
}

static void answer_route(struct plant *p, const struct nwk_command *c)
{
	const struct nwk_command reply = {.id = NWK_ROUTE_REPLY, .route_reply = {.id = c->route_request.id, .originator = p->short_address}};

	p->route_requests++;
	if (p->answer_route && c->route_request.destination == NWK_COORDINATOR)
		plant_nwk_command(p, &reply);
}

static void nwk_command_input(struct plant *p, struct rd payload, bool secured)
{
	struct nwk_command c, answer = {.id = NWK_END_DEVICE_TIMEOUT_RESPONSE, .timeout_response = {0, 1}};

	require(nwk_command_decode(payload, &c) == OK);
	if (c.id == NWK_END_DEVICE_TIMEOUT_REQUEST && p->announce_timeout)
		plant_nwk_command(p, &answer);
	else if (c.id == NWK_REJOIN_REQUEST)
		rejoin_input(p, secured);
	else if (c.id == NWK_LEAVE)
		p->leaves++;
	else if (c.id == NWK_ROUTE_REQUEST)
		answer_route(p, &c);
	p->route_records += c.id == NWK_ROUTE_RECORD;
	if (c.id == NWK_LINK_STATUS) {
		p->status_count++;
		p->status = c;
	}
}

static void nwk_input(struct plant *p, struct rd octets)
{
	uint8_t plain[NWK_FRAME_MAX];
	struct aux_header aux;
	struct nwk_frame f;
	struct rd payload;

	require(nwk_frame_decode(octets, &f) == OK);
	payload = f.payload;
	if (!f.security) {
		p->clear_frames++;
		require(f.type == NWK_COMMAND);
	} else {
		struct rd sealed = f.payload;

		require(aux_header_decode(&sealed, &aux) && aux.source == PLANT_DEVICE);
		require(p->nwk_counter_count < PLANT_LOG);
		p->nwk_counters[p->nwk_counter_count++] = aux.frame_counter;
		if (nwk_open(p->network_key, &f, &aux, plain, &payload) != OK)
			return;
	}
	if (f.type == NWK_COMMAND)
		nwk_command_input(p, payload, f.security);
	else
		aps_input(p, payload);
}

static void beacon_input(struct plant *p, const struct mac_frame *f)
{
	struct mac_beacon b;

	require(mac_beacon_decode(f->payload, &b) == OK && f->source.short_address == p->short_address);
	p->beacons = 1;
	p->permits = b.association_permit;
}

static void mac_command_input(struct plant *p, const struct mac_frame *f)
{
	struct mac_command c;

	require(mac_command_decode(f->payload, &c) == OK);
	if (c.id == MAC_BEACON_REQUEST)
		answer_beacon(p);
	else if (c.id == MAC_ASSOCIATION_REQUEST)
		answer_association(p, c.capability);
	else if (c.id == MAC_DATA_REQUEST)
		poll_input(p, f);
	else if (c.id == MAC_DISASSOCIATION)
		p->disassociations++;
}

/* ---- time ---- */

static bool coordinator_drain(struct plant *p)
{
	struct radio_effect e;
	struct mac_frame f;
	bool any = false;

	while (radio_output(p->radio, &e)) {
		any = true;
		if (e.type == RADIO_SEND) {
			struct plant_psdu psdu = {.len = e.len};

			memcpy(psdu.octets, e.octets, e.len);
			if (p->captured.len == 0 && e.len > SEALED_LEAST)
				p->captured = psdu;
			if (!p->deaf)
				plant_psdu_input(p, &psdu);
		} else if (e.type == RADIO_RECEIVED && mac_frame_decode(rd_of(e.octets, e.len), &f) == OK) {
			if (f.type == MAC_BEACON)
				beacon_input(p, &f);
			else if (f.type == MAC_COMMAND)
				mac_command_input(p, &f);
			else if (f.type == MAC_DATA)
				nwk_input(p, f.payload);
		}
	}
	return any;
}

static bool device_drain(struct plant *p)
{
	struct sim_device_effect e;
	bool any = false;

	while (sim_device_output(p->device, &e)) {
		any = true;
		switch (e.type) {
		case SIM_DEVICE_SEND:
			if (!p->deaf)
				radio_input(p->radio, p->now, rd_of(e.octets, e.len));
			break;
		case SIM_DEVICE_CHANNEL:
			break;
		case SIM_DEVICE_EVENT:
			if (p->event_count < PLANT_LOG) {
				struct plant_event *log = &p->events[p->event_count++];

				log->at = p->now;
				memcpy(log->name, e.name, sizeof log->name);
				memcpy(log->detail, e.detail, sizeof log->detail);
			}
			break;
		}
	}
	return any;
}

static void step(struct plant *p, uint64_t until)
{
	uint64_t next = sim_device_deadline(p->device);

	if (radio_deadline(p->radio) < next)
		next = radio_deadline(p->radio);
	if (p->link_status && p->status_at < next)
		next = p->status_at;
	if (next > until)
		next = until;
	if (next > p->now)
		p->now = next;
	if (p->link_status && p->now >= p->status_at) {
		p->status_at = p->now + STATUS_MS;
		if (sim_device_commissioned(p->device))
			plant_status(p);
	}
	sim_device_tick(p->device, p->now);
	radio_tick(p->radio, p->now);
	while (device_drain(p) | coordinator_drain(p))
		;
}

void plant_run(struct plant *p, uint64_t ms)
{
	uint64_t until = p->now + ms;

	while (p->now < until)
		step(p, until);
	step(p, until);
}

const struct plant_event *plant_find(const struct plant *p, size_t from, const char *name)
{
	for (size_t i = from; i < p->event_count; i++)
		if (strcmp(p->events[i].name, name) == 0)
			return &p->events[i];
	return NULL;
}

unsigned plant_count(const struct plant *p, const char *name)
{
	unsigned n = 0;

	for (size_t i = 0; i < p->event_count; i++)
		n += strcmp(p->events[i].name, name) == 0;
	return n;
}

bool plant_await(struct plant *p, size_t from, const char *name, uint64_t ms)
{
	uint64_t until = p->now + ms;

	while (p->now < until && !plant_find(p, from, name))
		step(p, until);
	return plant_find(p, from, name) != NULL;
}

void plant_commission(struct plant *p)
{
	require(plant_await(p, 0, "commissioned", 60000));
	plant_run(p, 3000);
	p->event_count = p->nwk_counter_count = p->aps_counter_count = 0;
	p->acks = p->data_frames = p->zdo_frames = p->polls = p->leaves = 0;
}
