/* NWK and APS of the coordinator: sealing, opening, acknowledgements, and the commands that keep a device. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "oci/core_private.h"
#include "zigbee/security/nwk_security.h"

#define RADIUS 30
#define COUNTER_BLOCK 1024
#define APS_COUNTER_SKIP 64     /* more than are sent between two frames of the device, each of which stores it */
#define VALIDITY_MS 20000
#define APS_WAIT_MS 2500        /* 1.6 s on air, and the way through two CSEs */
#define APS_WAIT_SLEEPY_MS 7000
#define APS_RETRIES 3
#define DUPLICATE_MS 20000
#define COMMISSIONING_MS 12000
#define PARENT_INFORMATION 0x01 /* keep-alive by MAC data poll */

struct oci_core *oci_core_new(const struct oci_core_config *config)
{
	struct oci_core *c = calloc(1, sizeof *c);

	if (!c || (c->effects = calloc(OCI_EFFECTS, sizeof *c->effects)) == NULL) {
		free(c);
		return NULL;
	}
	c->config = *config;
	return c;
}

static void device_free(struct oci_device *d)
{
	secret_free(d->present.network);
	secret_free(d->pending.network);
	free(d);
}

void oci_core_free(struct oci_core *c)
{
	if (!c)
		return;
	while (c->devices) {
		struct oci_device *d = c->devices;

		c->devices = d->next;
		device_free(d);
	}
	free(c->effects);
	free(c);
}

struct oci_device *oci_core_device(struct oci_core *c, uint64_t eui64)
{
	for (struct oci_device *d = c->devices; d; d = d->next)
		if (d->eui64 == eui64)
			return d;
	return NULL;
}

struct oci_device *oci_core_devices(struct oci_core *c)
{
	return c->devices;
}

struct oci_effect *oci_effect(struct oci_core *c, enum oci_effect_type type, const struct oci_device *d)
{
	struct oci_effect *e;

	if (c->count == OCI_EFFECTS) {
		c->first = (c->first + 1) % OCI_EFFECTS;
		c->count--;
	}
	e = &c->effects[(c->first + c->count++) % OCI_EFFECTS];
	memset(e, 0, sizeof *e);
	e->type = type;
	e->eui64 = d->eui64;
	return e;
}

bool oci_core_output(struct oci_core *c, struct oci_effect *e)
{
	if (c->count == 0)
		return false;
	*e = c->effects[c->first];
	c->first = (c->first + 1) % OCI_EFFECTS;
	c->count--;
	return true;
}

void oci_log(struct oci_core *c, const struct oci_device *d, const char *fmt, ...)
{
	struct oci_effect *e = oci_effect(c, OCI_LOG, d);
	va_list args;

	va_start(args, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, args);
	va_end(args);
}

void oci_event(struct oci_core *c, const struct oci_device *d, const char *event)
{
	struct oci_effect *e = oci_effect(c, OCI_EVENT, d);

	snprintf(e->text, sizeof e->text, "%s", event);
	e->short_address = d->short_address;
	e->capability = d->capability;
}

bool oci_save(struct oci_core *c, const struct oci_device *d)
{
	return c->config.save(c->config.save_ctx, d) == OK;
}

static void begin_sequences(struct oci_core *c, struct oci_device *d)
{
	d->nwk_sequence = (uint8_t)rng_u32(c->config.rng);
	d->aps_counter = (uint8_t)rng_u32(c->config.rng);
	d->zdo_sequence = (uint8_t)rng_u32(c->config.rng);
	d->zcl_sequence = (uint8_t)rng_u32(c->config.rng);
}

static struct oci_device *device_add(struct oci_core *c, uint64_t eui64)
{
	struct oci_device *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->eui64 = eui64;
	d->step_at = CLOCK_NEVER;
	counter_init(&d->out, 0, COUNTER_BLOCK);
	begin_sequences(c, d);
	d->next = c->devices;
	c->devices = d;
	return d;
}

struct oci_device *oci_core_restore(struct oci_core *c, uint64_t now, const struct oci_device *stored)
{
	struct oci_device *d = device_add(c, stored->eui64), *next;

	if (!d)
		return NULL;
	next = d->next;
	*d = *stored;
	d->next = next;
	begin_sequences(c, d);
	d->aps_counter = (uint8_t)(stored->aps_counter + APS_COUNTER_SKIP);
	counter_init(&d->out, stored->out_reserved, COUNTER_BLOCK);
	d->step_at = CLOCK_NEVER;
	if (d->joined && d->interview != OCI_INTERVIEW_DONE)
		d->step_at = now + 1000;
	if (d->cluster_count > 0) {
		c->now = now;
		(void)oci_effect(c, OCI_DESCRIBED, d);
	}
	return d;
}

static void key_set(struct oci_key *k, struct secret *key, uint8_t sequence, uint64_t generation, const char *id)
{
	secret_free(k->network);
	k->network = key;
	k->sequence = sequence;
	k->generation = generation;
	snprintf(k->id, sizeof k->id, "%s", id);
	k->in.any = false;
}

enum err oci_core_key(struct oci_core *c, uint64_t now, uint64_t eui64, uint64_t gateway, uint16_t short_address, uint8_t capability,
    const char *relay, const char *application, struct secret *key, uint8_t sequence, uint64_t generation, const char *key_id)
{
	struct oci_device *d = oci_core_device(c, eui64);

	c->now = now;
	if (!d)
		d = device_add(c, eui64);
	if (!d) {
		secret_free(key);
		return ERR_NO_MEMORY;
	}
	d->gateway = gateway;
	if (strcmp(d->relay, relay) != 0)
		d->uplink = 0; /* another gateway, which counts by itself */
	snprintf(d->relay, sizeof d->relay, "%s", relay);
	snprintf(d->application, sizeof d->application, "%s", application);
	if (!d->present.network || d->present.generation == generation || !d->joined) {
		bool again = d->present.network && d->present.generation == generation;

		d->short_address = short_address;
		d->capability = capability;
		if (again)
			secret_free(key);
		else
			key_set(&d->present, key, sequence, generation, key_id);
	} else {
		key_set(&d->pending, key, sequence, generation, key_id);
	}
	return oci_save(c, d) ? OK : ERR_STORE;
}

/* ---- out ---- */

static enum err reserve(void *ctx, uint32_t limit)
{
	void **both = ctx;
	struct oci_core *c = both[0];
	struct oci_device *d = both[1];
	uint32_t before = d->out_reserved;

	d->out_reserved = limit;
	if (oci_save(c, d))
		return OK;
	d->out_reserved = before;
	return ERR_STORE;
}

void oci_nwk_send(struct oci_core *c, struct oci_device *d, enum nwk_frame_type type, struct rd payload)
{
	const struct nwk_frame f = {
		.type = type,
		.protocol_version = 2,
		.destination = d->short_address,
		.source = NWK_COORDINATOR,
		.radius = type == NWK_COMMAND ? 1 : RADIUS,
		.sequence = d->nwk_sequence++,
		.has_destination_eui64 = type == NWK_COMMAND,
		.has_source_eui64 = type == NWK_COMMAND,
		.destination_eui64 = d->eui64,
		.source_eui64 = d->gateway,
		.payload = payload,
	};
	void *both[2] = {c, d};
	struct oci_effect *e;
	uint32_t number;
	struct wr w;

	if (!d->present.network)
		return;
	if (counter_take(&d->out, reserve, both, &number) != OK) {
		oci_log(c, d, "no frame counter left, or the store failed: nothing is sent");
		return;
	}
	e = oci_effect(c, OCI_DOWNLINK, d);
	w = wr_of(e->octets, sizeof e->octets);
	e->validity_ms = VALIDITY_MS;
	if (nwk_seal(d->present.network, d->present.sequence, d->gateway, number, &f, &w) == OK)
		e->len = w.len;
}

static bool sleepy(const struct oci_device *d)
{
	return !(d->capability & 0x08);
}

static void expect_ack(struct oci_core *c, struct oci_device *d, uint8_t counter, struct rd octets)
{
	for (size_t i = 0; i < OCI_SENDING; i++) {
		struct oci_sending *s = &d->sending[i];

		if (s->used)
			continue;
		s->used = true;
		s->counter = counter;
		s->tries = 0;
		s->again = c->now + (sleepy(d) ? APS_WAIT_SLEEPY_MS : APS_WAIT_MS);
		memcpy(s->octets, octets.at, octets.left);
		s->len = octets.left;
		return;
	}
}

static void send_octets(struct oci_core *c, struct oci_device *d, struct rd octets, bool ack_request, uint8_t counter)
{
	if (ack_request)
		expect_ack(c, d, counter, octets);
	oci_nwk_send(c, d, NWK_DATA, octets);
}

void oci_aps_send(struct oci_core *c, struct oci_device *d, const struct aps_frame *frame)
{
	struct aps_frame f = *frame;
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd octets;

	if (f.type != APS_ACK)
		f.counter = d->aps_counter++;
	if (aps_frame_encode(&f, &w) == OK && wr_done(&w, &octets))
		send_octets(c, d, octets, f.ack_request, f.counter);
}

void oci_zdo_send(struct oci_core *c, struct oci_device *d, const struct zdo_message *m)
{
	uint8_t buffer[100];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {.type = APS_DATA, .ack_request = true, .cluster = m->cluster, .profile = APS_PROFILE_ZDP};

	if (zdo_encode(m, &w) == OK && wr_done(&w, &f.payload))
		oci_aps_send(c, d, &f);
}

uint8_t oci_zcl_send(struct oci_core *c, struct oci_device *d, uint16_t cluster, enum zcl_frame_type type, uint8_t command, struct rd payload)
{
	const struct zcl_frame z = {.type = type, .sequence = d->zcl_sequence++, .command = command, .payload = payload};
	uint8_t buffer[100];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {
		.type = APS_DATA,
		.ack_request = true,
		.destination_endpoint = d->endpoint ? d->endpoint : 1,
		.source_endpoint = OCI_ENDPOINT,
		.cluster = cluster,
		.profile = APS_PROFILE_HOME_AUTOMATION,
	};

	if (zcl_encode(&z, &w) == OK && wr_done(&w, &f.payload))
		oci_aps_send(c, d, &f);
	return z.sequence;
}

static void nwk_command_send(struct oci_core *c, struct oci_device *d, const struct nwk_command *m)
{
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	if (nwk_command_encode(m, &w) == OK && wr_done(&w, &payload))
		oci_nwk_send(c, d, NWK_COMMAND, payload);
}

void oci_core_aps(struct oci_core *c, uint64_t now, uint64_t eui64, struct rd aps, bool ack, uint8_t ack_counter)
{
	struct oci_device *d = oci_core_device(c, eui64);
	struct aps_frame f, acknowledgement = {.type = APS_ACK, .ack_format = true, .counter = ack_counter};

	c->now = now;
	if (!d)
		return;
	if (ack)
		oci_aps_send(c, d, &acknowledgement);
	if (aps.left > 0 && aps.left <= NWK_FRAME_MAX && aps_frame_decode(aps, &f) == OK)
		send_octets(c, d, aps, f.ack_request, f.counter);
}

uint8_t oci_core_lend_counter(struct oci_core *c, uint64_t eui64)
{
	struct oci_device *d = oci_core_device(c, eui64);

	return d ? d->aps_counter++ : 0;
}

void oci_core_forget(struct oci_core *c, uint64_t now, uint64_t eui64)
{
	const struct nwk_command leave = {.id = NWK_LEAVE, .leave = {.request = true}};
	struct oci_device **link = &c->devices, *d;

	c->now = now;
	while (*link && (*link)->eui64 != eui64)
		link = &(*link)->next;
	d = *link;
	if (!d)
		return;
	nwk_command_send(c, d, &leave);
	(void)oci_effect(c, OCI_CHILD_DROP, d);
	*link = d->next;
	device_free(d);
}

/* ---- in ---- */

/* Opens under the present key, or under the pending one, which is the present one from then on. */
static enum err open_frame(struct oci_device *d, const struct nwk_frame *f, uint8_t plain[static NWK_FRAME_MAX], struct rd *payload)
{
	struct oci_key *keys[2] = {&d->present, &d->pending};
	struct rd sealed = f->payload;
	struct aux_header aux;
	enum err e = ERR_UNKNOWN_KEY;

	if (!aux_header_decode(&sealed, &aux) || aux.source != d->eui64)
		return ERR_NOT_AUTHORISED;
	for (size_t i = 0; i < 2; i++) {
		struct oci_key *k = keys[i];

		if (!k->network || aux.key_sequence != k->sequence)
			continue;
		e = nwk_open(k->network, f, &aux, plain, payload);
		if (e != OK)
			continue;
		if (!counter_in_fresh(&k->in, aux.frame_counter))
			return ERR_REPLAY;
		if (i == 1) {
			struct oci_key none = {.network = NULL};

			secret_free(d->present.network);
			d->present = d->pending;
			d->pending = none;
			d->joined = false;
			d->interview = OCI_INTERVIEW_WAITING;
			d->step_at = CLOCK_NEVER;
			if (nwk_address_is_device(f->source))
				d->short_address = f->source;
			memset(d->sending, 0, sizeof d->sending);
			memset(d->duplicates, 0, sizeof d->duplicates);
		}
		counter_in_accept(&d->present.in, aux.frame_counter);
		return OK;
	}
	return e;
}

static void on_timeout_request(struct oci_core *c, struct oci_device *d, const struct nwk_command *m)
{
	struct nwk_command answer = {.id = NWK_END_DEVICE_TIMEOUT_RESPONSE};
	uint32_t seconds = nwk_timeout_seconds(m->timeout_request.timeout);
	struct oci_effect *e;

	if (!c->config.answer_commissioning)
		return;
	answer.timeout_response.status = seconds == 0;
	answer.timeout_response.parent_information = PARENT_INFORMATION;
	nwk_command_send(c, d, &answer);
	if (seconds == 0)
		return;
	e = oci_effect(c, OCI_CHILD_SET, d);
	e->short_address = d->short_address;
	e->capability = d->capability;
	e->timeout_s = seconds;
}

static void on_rejoin(struct oci_core *c, struct oci_device *d, const struct nwk_command *m, uint16_t source)
{
	struct nwk_command answer = {.id = NWK_REJOIN_RESPONSE};
	struct oci_effect *e;

	if (nwk_address_is_device(source))
		d->short_address = source;
	d->capability = m->rejoin_request.capability;
	e = oci_effect(c, OCI_CHILD_SET, d);
	e->short_address = d->short_address;
	e->capability = d->capability;
	answer.rejoin_response.short_address = d->short_address;
	nwk_command_send(c, d, &answer);
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
	d->interview = OCI_INTERVIEW_WAITING;
	d->step_at = CLOCK_NEVER;
	memset(d->sending, 0, sizeof d->sending);
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
	case NWK_LINK_STATUS:
	case NWK_ROUTE_REQUEST:
	case NWK_ROUTE_REPLY:
	case NWK_ROUTE_RECORD:
	case NWK_REJOIN_RESPONSE:
	case NWK_NETWORK_REPORT:
	case NWK_NETWORK_UPDATE:
	case NWK_END_DEVICE_TIMEOUT_RESPONSE:
		break; /* nothing that a star of end devices needs */
	}
}

static bool duplicate(struct oci_core *c, struct oci_device *d, uint8_t counter)
{
	for (size_t i = 0; i < OCI_DUPLICATES; i++)
		if (d->duplicates[i].used && d->duplicates[i].counter == counter && c->now - d->duplicates[i].at < DUPLICATE_MS)
			return true;
	d->duplicates[d->duplicate_next].used = true;
	d->duplicates[d->duplicate_next].counter = counter;
	d->duplicates[d->duplicate_next].at = c->now;
	d->duplicate_next = (d->duplicate_next + 1) % OCI_DUPLICATES;
	return false;
}

/* APS commands are the Trust Centre's: passed up as they are, with a counter lent for the answer. */
static void pass_up(struct oci_core *c, struct oci_device *d, struct rd aps)
{
	struct oci_effect *e;

	if (!c->config.answer_commissioning || aps.left > sizeof((struct oci_effect *)0)->octets)
		return;
	e = oci_effect(c, OCI_APS_RELAY, d);
	memcpy(e->octets, aps.at, aps.left);
	e->len = aps.left;
	e->counter = d->aps_counter++;
}

/* Each fragment is acknowledged; the whole message is one frame like any other. */
static void on_fragment(struct oci_core *c, struct oci_device *d, const struct aps_frame *f)
{
	struct aps_frame ack;
	struct rd whole;
	enum err e = f->security ? ERR_UNSUPPORTED : aps_reassembler_take(&d->fragments, c->now, f, &whole, &ack);

	if (e != OK) {
		oci_log(c, d, "fragment refused: %s", err_text(e));
		return;
	}
	oci_aps_send(c, d, &ack);
	if (whole.left == 0 || duplicate(c, d, f->counter))
		return;
	if (f->profile == APS_PROFILE_ZDP)
		oci_zdo_input(c, d, f, whole);
	else
		oci_zcl_input(c, d, f, whole);
}

static void on_aps(struct oci_core *c, struct oci_device *d, struct rd octets)
{
	struct aps_frame f, ack;

	if (aps_frame_decode(octets, &f) != OK)
		return;
	if (f.type == APS_ACK) {
		for (size_t i = 0; i < OCI_SENDING; i++)
			if (d->sending[i].used && d->sending[i].counter == f.counter)
				d->sending[i].used = false;
		return;
	}
	/* What is APS-sealed may be forged by nobody who lacks the link key, but only the EG can tell: it decides about acknowledgement and
	 * repeats of those. */
	if (f.type == APS_COMMAND && f.security) {
		pass_up(c, d, octets);
		return;
	}
	if (f.extended_header && f.fragmentation != APS_NOT_FRAGMENTED) {
		on_fragment(c, d, &f);
		return;
	}
	if (f.ack_request && f.delivery == APS_UNICAST) {
		aps_ack_for(&f, &ack);
		oci_aps_send(c, d, &ack);
	}
	if (duplicate(c, d, f.counter))
		return;
	if (f.type == APS_COMMAND)
		pass_up(c, d, octets);
	else if (f.security)
		return;
	else if (f.profile == APS_PROFILE_ZDP)
		oci_zdo_input(c, d, &f, f.payload);
	else
		oci_zcl_input(c, d, &f, f.payload);
}

static void first_frame(struct oci_core *c, struct oci_device *d)
{
	d->joined = true;
	oci_event(c, d, "joined");
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

enum err oci_core_uplink(struct oci_core *c, uint64_t now, uint64_t eui64, struct rd octets)
{
	struct oci_device *d = oci_core_device(c, eui64);
	uint8_t plain[NWK_FRAME_MAX];
	struct nwk_frame f;
	struct rd payload;
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
		e = open_frame(d, &f, plain, &payload);
	if (e != OK)
		return refuse(c, d, e);
	d->last_heard = now;
	if (!d->joined)
		first_frame(c, d);
	/* The counter is on disk before the frame does anything: a crash in between cannot make a replay fresh. */
	if (!oci_save(c, d))
		return ERR_STORE;
	if (f.type == NWK_COMMAND)
		on_nwk_command(c, d, &f, payload);
	else
		on_aps(c, d, payload);
	return OK;
}

/* ---- time ---- */

static void retry(struct oci_core *c, struct oci_device *d)
{
	for (size_t i = 0; i < OCI_SENDING; i++) {
		struct oci_sending *s = &d->sending[i];

		if (!s->used || c->now < s->again)
			continue;
		if (s->tries++ == APS_RETRIES) {
			s->used = false;
			continue;
		}
		s->again = c->now + (sleepy(d) ? APS_WAIT_SLEEPY_MS : APS_WAIT_MS);
		oci_nwk_send(c, d, NWK_DATA, rd_of(s->octets, s->len));
	}
}

static void command_overdue(struct oci_core *c, struct oci_device *d)
{
	struct oci_effect *e;

	if (!d->commanding || c->now < d->command_until)
		return;
	d->commanding = false;
	oci_log(c, d, "the device did not confirm a command");
	e = oci_effect(c, OCI_VALUE, d);
	e->mapping = mapping_find(ZCL_ON_OFF, 0, 0);
	snprintf(e->text, sizeof e->text, "%s", d->on ? "true" : "false");
}

void oci_core_tick(struct oci_core *c, uint64_t now)
{
	c->now = now;
	for (struct oci_device *d = c->devices; d; d = d->next) {
		if (c->count > OCI_EFFECTS / 2)
			return; /* the rest is overdue, and has its turn when these effects are taken */
		retry(c, d);
		command_overdue(c, d);
		if (now >= d->step_at) {
			d->step_at = CLOCK_NEVER;
			oci_interview_step(c, d);
		}
	}
}

uint64_t oci_core_deadline(const struct oci_core *c)
{
	uint64_t next = CLOCK_NEVER;

	for (const struct oci_device *d = c->devices; d; d = d->next) {
		if (d->step_at < next)
			next = d->step_at;
		if (d->commanding && d->command_until < next)
			next = d->command_until;
		for (size_t i = 0; i < OCI_SENDING; i++)
			if (d->sending[i].used && d->sending[i].again < next)
				next = d->sending[i].again;
	}
	return next;
}
