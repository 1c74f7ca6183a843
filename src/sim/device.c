/* The simulated device: life, memory, and the MAC from scan to polling. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "keys/secret_octets.h"
#include "sim/device_private.h"
#include "zigbee/beacon.h"

#define SCAN_MS 400
#define RESPONSE_WAIT_MS 500  /* macResponseWaitTime */
#define KEY_WAIT_MS 5000
#define FAST_POLL_MS 150
#define WINDOW_MS 400         /* how long a sleeper listens after "frame pending" */
#define COUNTER_BLOCK 1024
#define MISSED_POLLS 8
#define BACKOFF_MS 1500
#define BACKOFF_MOST_MS 20000

void device_event(struct sim_device *d, const char *name, const char *fmt, ...)
{
	struct sim_device_effect *e;
	va_list args;

	if (d->effect_count == DEVICE_EFFECTS)
		return;
	e = &d->effects[(d->effect_first + d->effect_count++) % DEVICE_EFFECTS];
	memset(e, 0, sizeof *e);
	e->type = SIM_DEVICE_EVENT;
	snprintf(e->name, sizeof e->name, "%s", name);
	va_start(args, fmt);
	vsnprintf(e->detail, sizeof e->detail, fmt, args);
	va_end(args);
}

/* ---- memory ---- */

static void put_key(struct wr *w, const char *name, const struct secret *key)
{
	char hex[HEX_SIZE(SECRET_AES128)];

	if (!key)
		return;
	hex_print(hex, secret_octets(key), SECRET_AES128);
	wr_fmt(w, "%s %s\n", name, hex);
	bytes_wipe(hex, sizeof hex);
}

static enum err save_with(struct sim_device *d, uint32_t nwk, uint32_t aps)
{
	struct wr w = wr_new(8192);
	struct rd text;
	enum err e = ERR_NO_MEMORY;

	wr_fmt(&w, "nwk-out %u\naps-out %u\n", nwk, aps);
	put_key(&w, "link", d->link.link);
	wr_fmt(&w, "unique %d\n", d->link_is_unique);
	if (d->network_key) {
		put_key(&w, "network", d->network_key);
		wr_fmt(&w, "sequence %u\npan %u\nshort %u\nextended-pan %llu\ntrust-centre %llu\n", d->network_key_sequence, d->pan_id, d->short_address,
		    (unsigned long long)d->extended_pan_id, (unsigned long long)d->trust_centre);
		wr_fmt(&w, "nwk-in %u\naps-in %u\ncommissioned %d\ncie %llu\nenrolled %d\non %d\nalarm %d\nenergy %llu\n", d->nwk_in.any ? d->nwk_in.last + 1 : 0,
		    d->aps_in.any ? d->aps_in.last + 1 : 0, d->state == DEVICE_COMMISSIONED || d->state == DEVICE_REJOINING, (unsigned long long)d->cie, d->enrolled, d->on, d->alarm, (unsigned long long)d->energy);
		for (size_t i = 0; i < d->binding_count; i++)
			wr_fmt(&w, "bind %u %llu %u\n", d->bindings[i].cluster, (unsigned long long)d->bindings[i].destination, d->bindings[i].destination_endpoint);
		for (size_t i = 0; i < d->report_count; i++)
			wr_fmt(&w, "report %u %u %u %u %u %llu\n", d->reports[i].cluster, d->reports[i].attribute, d->reports[i].type, d->reports[i].minimum_s,
			    d->reports[i].maximum_s, (unsigned long long)d->reports[i].change);
	}
	if (wr_done(&w, &text))
		e = d->config.save(d->config.save_ctx, text);
	if (w.octets)
		bytes_wipe(w.octets, w.len);
	wr_free(&w);
	return e;
}

void device_save(struct sim_device *d)
{
	if (save_with(d, d->nwk_out.reserved, d->aps_out.reserved) != OK)
		device_event(d, "memory-failed", "%s", "");
}

enum err device_reserve_nwk(void *ctx, uint32_t limit)
{
	struct sim_device *d = ctx;

	return save_with(d, limit, d->aps_out.reserved);
}

enum err device_reserve_aps(void *ctx, uint32_t limit)
{
	struct sim_device *d = ctx;

	return save_with(d, d->nwk_out.reserved, limit);
}

static bool get_key(const char *hex, struct secret **key)
{
	uint8_t octets[SECRET_AES128];

	if (!hex_parse(rd_str(hex), octets, sizeof octets))
		return false;
	secret_free(*key);
	*key = secret_take(octets, sizeof octets);
	return *key != NULL;
}

static bool recall_line(struct sim_device *d, const char *line, struct secret **link, bool *commissioned)
{
	char name[32], text[80];
	unsigned long long v[6] = {0};
	int n;

	if (sscanf(line, "%31s %79s", name, text) != 2)
		return false;
	if (strcmp(name, "link") == 0)
		return get_key(text, link);
	if (strcmp(name, "network") == 0)
		return get_key(text, &d->network_key);
	n = sscanf(line, "%*s %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]);
	if (n < 1)
		return false;
	if (strcmp(name, "nwk-out") == 0)
		counter_init(&d->nwk_out, (uint32_t)v[0], COUNTER_BLOCK);
	else if (strcmp(name, "aps-out") == 0)
		counter_init(&d->aps_out, (uint32_t)v[0], COUNTER_BLOCK);
	else if (strcmp(name, "unique") == 0)
		d->link_is_unique = v[0];
	else if (strcmp(name, "sequence") == 0)
		d->network_key_sequence = (uint8_t)v[0];
	else if (strcmp(name, "pan") == 0)
		d->pan_id = (uint16_t)v[0];
	else if (strcmp(name, "short") == 0)
		d->short_address = (uint16_t)v[0];
	else if (strcmp(name, "extended-pan") == 0)
		d->extended_pan_id = v[0];
	else if (strcmp(name, "trust-centre") == 0)
		d->trust_centre = v[0];
	else if (strcmp(name, "nwk-in") == 0 && v[0] > 0)
		counter_in_accept(&d->nwk_in, (uint32_t)v[0] - 1);
	else if (strcmp(name, "aps-in") == 0 && v[0] > 0)
		counter_in_accept(&d->aps_in, (uint32_t)v[0] - 1);
	else if (strcmp(name, "commissioned") == 0)
		*commissioned = v[0];
	else if (strcmp(name, "cie") == 0)
		d->cie = v[0];
	else if (strcmp(name, "enrolled") == 0)
		d->enrolled = v[0];
	else if (strcmp(name, "on") == 0)
		d->on = v[0];
	else if (strcmp(name, "alarm") == 0)
		d->alarm = v[0];
	else if (strcmp(name, "energy") == 0)
		d->energy = v[0];
	else if (strcmp(name, "bind") == 0 && n == 3 && d->binding_count < DEVICE_BINDINGS)
		d->bindings[d->binding_count++] = (struct binding){(uint16_t)v[0], v[1], (uint8_t)v[2]};
	else if (strcmp(name, "report") == 0 && n == 6 && d->report_count < DEVICE_REPORTS)
		d->reports[d->report_count++] = (struct reporting){.cluster = (uint16_t)v[0], .attribute = (uint16_t)v[1], .type = (uint8_t)v[2], .minimum_s = (uint16_t)v[3], .maximum_s = (uint16_t)v[4], .change = v[5]};
	return true;
}

static bool recall(struct sim_device *d, struct rd memory, struct secret **link, bool *commissioned)
{
	struct rd line;
	char text[200];

	while (rd_line(&memory, &line))
		if (line.left > 0 && (!rd_text(line, text, sizeof text) || !recall_line(d, text, link, commissioned)))
			return false;
	return true;
}

/* ---- life ---- */

static void radio_addresses(struct sim_device *d, bool joined)
{
	radio_set_pan(d->radio, joined ? d->pan_id : MAC_BROADCAST);
	radio_set_short(d->radio, joined ? d->short_address : MAC_BROADCAST);
	radio_set_extended(d->radio, d->config.eui64);
}

struct sim_device *sim_device_new(const struct sim_device_config *config, struct rd memory, uint64_t now)
{
	struct sim_device *d = calloc(1, sizeof *d);
	struct secret *link = NULL;
	bool commissioned = false;

	if (!d || (d->radio = radio_new(config->rng)) == NULL) {
		free(d);
		return NULL;
	}
	d->config = *config;
	d->now = now;
	d->temperature = 2150;
	d->humidity = 4500;
	d->poll_at = d->step_at = CLOCK_NEVER;
	d->drift_at = now + 3000;
	counter_init(&d->nwk_out, 0, COUNTER_BLOCK);
	counter_init(&d->aps_out, 0, COUNTER_BLOCK);
	if (!recall(d, memory, &link, &commissioned) || link_key_set_take(&d->link, link ? link : secret_dup(config->link_key)) != OK) {
		sim_device_free(d);
		return NULL;
	}
	d->mac_sequence = (uint8_t)rng_u32(config->rng);
	d->nwk_sequence = (uint8_t)rng_u32(config->rng);
	d->aps_counter = (uint8_t)rng_u32(config->rng);
	if (d->network_key && commissioned) {
		radio_addresses(d, true);
		d->state = DEVICE_COMMISSIONED;
		d->poll_at = now;
		device_event(d, "resumed", "\"short\":%u", d->short_address);
	} else {
		secret_free(d->network_key);
		d->network_key = NULL;
		radio_addresses(d, false);
		device_state_set(d, DEVICE_OFF, 10 + rng_below(config->rng, 200));
	}
	return d;
}

void sim_device_free(struct sim_device *d)
{
	if (!d)
		return;
	radio_free(d->radio);
	link_key_set_clear(&d->link);
	secret_free(d->unique);
	secret_free(d->network_key);
	secret_free(d->next_network_key);
	secret_free(d->config.link_key);
	free(d);
}

bool sim_device_commissioned(const struct sim_device *d)
{
	return d->state == DEVICE_COMMISSIONED;
}

void device_state_set(struct sim_device *d, enum device_state s, uint64_t step_in_ms)
{
	if (s != d->state)
		d->tries = 0;
	d->state = s;
	d->step_at = d->now + step_in_ms;
}

/* Forgets the network and starts over after a while. The frame counters and the link key of the label stay. */
void device_leave(struct sim_device *d, const char *reason, bool tell)
{
	uint8_t buffer[4];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct nwk_command c = {.id = NWK_LEAVE};
	uint64_t wait = BACKOFF_MS << (d->failures < 4 ? d->failures : 4);
	struct rd payload;

	if (tell && d->network_key && nwk_command_encode(&c, &w) == OK && wr_done(&w, &payload))
		device_nwk_send(d, NWK_COMMAND, NWK_BROADCAST_RX_ON, payload);
	device_event(d, "left", "\"reason\":\"%s\"", reason);
	secret_free(d->network_key);
	secret_free(d->next_network_key);
	secret_free(d->unique);
	d->network_key = d->next_network_key = d->unique = NULL;
	if (d->link_is_unique) {
		link_key_set_clear(&d->link);
		if (link_key_set_take(&d->link, secret_dup(d->config.link_key)) != OK)
			abort();
		d->link_is_unique = false;
	}
	d->nwk_in.any = d->aps_in.any = false;
	memset(d->unacked, 0, sizeof d->unacked);
	d->binding_count = d->report_count = 0;
	d->enrolled = false;
	d->failures++;
	d->poll_at = CLOCK_NEVER;
	device_state_set(d, DEVICE_OFF, (wait < BACKOFF_MOST_MS ? wait : BACKOFF_MOST_MS) + rng_below(d->config.rng, 500));
	device_save(d);
}

/* ---- MAC out ---- */

static uint32_t mac_send(struct sim_device *d, struct mac_frame *f)
{
	uint8_t buffer[MAC_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd frame;

	f->sequence = d->mac_sequence++;
	if (mac_frame_encode(f, &w) != OK || !wr_done(&w, &frame) || radio_transmit(d->radio, d->now, frame, ++d->token) != OK)
		return 0;
	return d->token;
}

static void mac_command(struct sim_device *d, const struct mac_command *c, struct mac_frame *f)
{
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);

	f->type = MAC_COMMAND;
	if (mac_command_encode(c, &w) == OK && wr_done(&w, &f->payload))
		d->poll_token = mac_send(d, f);
}

void device_mac_data(struct sim_device *d, struct rd nwk)
{
	struct mac_frame f = {
		.type = MAC_DATA,
		.ack_request = true,
		.pan_id_compression = true,
		.destination = {MAC_ADDRESS_SHORT, d->pan_id, d->parent, 0},
		.source = {MAC_ADDRESS_SHORT, d->pan_id, d->short_address, 0},
		.payload = nwk,
	};

	(void)mac_send(d, &f);
	d->busy_until = d->now + 8000;
	if (d->config.sleepy && d->poll_at > d->now + FAST_POLL_MS)
		d->poll_at = d->now + FAST_POLL_MS;
}

static void scan(struct sim_device *d)
{
	const struct mac_command c = {.id = MAC_BEACON_REQUEST};
	struct mac_frame f = {.destination = {MAC_ADDRESS_SHORT, MAC_BROADCAST, MAC_BROADCAST, 0}};

	radio_addresses(d, false);
	radio_set_receiver(d->radio, true);
	d->have_beacon = false;
	mac_command(d, &c, &f);
	if (d->failures == 0 || d->tries == 0)
		device_event(d, "scanning", "\"channel\":%u", d->config.channel);
	device_state_set(d, DEVICE_SCANNING, SCAN_MS);
}

static void associate(struct sim_device *d)
{
	struct mac_command c = {.id = MAC_ASSOCIATION_REQUEST};
	struct mac_frame f = {
		.ack_request = true,
		.destination = {MAC_ADDRESS_SHORT, d->pan_id, d->parent, 0},
		.source = {MAC_ADDRESS_EXTENDED, MAC_BROADCAST, 0, d->config.eui64},
	};

	c.capability = MAC_CAPABILITY_ALLOCATE_ADDRESS | (d->config.sleepy ? 0 : MAC_CAPABILITY_RX_ON_WHEN_IDLE);
	radio_set_pan(d->radio, d->pan_id);
	mac_command(d, &c, &f);
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

	mac_command(d, &c, &f);
}

/* ---- MAC in ---- */

static void on_beacon(struct sim_device *d, const struct mac_frame *f)
{
	struct mac_beacon b;
	struct zigbee_beacon z;

	if (d->state != DEVICE_SCANNING || d->have_beacon || mac_beacon_decode(f->payload, &b) != OK || zigbee_beacon_decode(b.payload, &z) != OK)
		return;
	if (z.stack_profile != 2 || !b.association_permit || !z.end_device_capacity || f->source.mode != MAC_ADDRESS_SHORT)
		return;
	d->have_beacon = true;
	d->pan_id = f->source.pan_id;
	d->parent = f->source.short_address;
	d->extended_pan_id = z.extended_pan_id;
}

static void on_association(struct sim_device *d, const struct mac_command *c)
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
	radio_addresses(d, true);
	device_event(d, "associated", "\"short\":%u,\"pan\":%u", d->short_address, d->pan_id);
	device_state_set(d, DEVICE_AWAITING_KEY, KEY_WAIT_MS);
	d->poll_at = d->config.sleepy ? d->now + 50 : CLOCK_NEVER;
}

static void on_frame(struct sim_device *d, const struct mac_frame *f)
{
	struct mac_command c;

	if (f->type == MAC_BEACON)
		on_beacon(d, f);
	else if (f->type == MAC_COMMAND && mac_command_decode(f->payload, &c) == OK && c.id == MAC_ASSOCIATION_RESPONSE)
		on_association(d, &c);
	else if (f->type == MAC_DATA && d->state >= DEVICE_AWAITING_KEY)
		device_net_input(d, f->payload);
	if (f->frame_pending && d->config.sleepy)
		d->poll_at = d->now;
}

static void on_sent(struct sim_device *d, const struct radio_effect *e)
{
	if (e->token != d->poll_token || d->state < DEVICE_ASKING)
		return;
	if (e->status == RADIO_OK) {
		d->missed_polls = 0;
		if (e->frame_pending)
			d->window_until = d->now + WINDOW_MS;
		return;
	}
	if (++d->missed_polls >= MISSED_POLLS && d->state == DEVICE_COMMISSIONED) {
		d->missed_polls = 0;
		device_event(d, "parent-lost", "%s", "");
		device_state_set(d, DEVICE_REJOINING, 0);
	}
}

/* Whether the receiver of a sleeper is on now. */
static bool listening(const struct sim_device *d)
{
	return !d->config.sleepy || d->state <= DEVICE_ASKING || d->now < d->window_until;
}

static void drain(struct sim_device *d)
{
	struct radio_effect e;
	struct mac_frame f;

	while (radio_output(d->radio, &e)) {
		struct sim_device_effect *out;

		switch (e.type) {
		case RADIO_SEND:
			if (d->effect_count == DEVICE_EFFECTS)
				break;
			out = &d->effects[(d->effect_first + d->effect_count++) % DEVICE_EFFECTS];
			memset(out, 0, sizeof *out);
			out->type = SIM_DEVICE_SEND;
			memcpy(out->octets, e.octets, e.len);
			out->len = e.len;
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

void sim_device_input(struct sim_device *d, uint64_t now, struct rd psdu)
{
	d->now = now;
	radio_set_receiver(d->radio, listening(d));
	radio_input(d->radio, now, psdu);
	drain(d);
}

/* ---- time ---- */

static void off_step(struct sim_device *d)
{
	scan(d);
}

static void mac_step(struct sim_device *d)
{
	switch (d->state) {
	case DEVICE_OFF:
		off_step(d);
		break;
	case DEVICE_SCANNING:
		if (d->have_beacon) {
			associate(d);
		} else {
			d->tries++;
			device_state_set(d, DEVICE_OFF, 300 + rng_below(d->config.rng, 700));
		}
		break;
	case DEVICE_ASSOCIATING:
		poll(d, true);
		device_state_set(d, DEVICE_ASKING, RESPONSE_WAIT_MS);
		break;
	case DEVICE_ASKING:
		if (++d->tries < 4) {
			poll(d, true);
			d->step_at = d->now + RESPONSE_WAIT_MS;
		} else {
			device_event(d, "association-timeout", "%s", "");
			device_state_set(d, DEVICE_OFF, BACKOFF_MS);
		}
		break;
	case DEVICE_AWAITING_KEY:
		device_event(d, "transport-key-timeout", "%s", "");
		d->failures++;
		d->poll_at = CLOCK_NEVER;
		device_state_set(d, DEVICE_OFF, BACKOFF_MS << (d->failures < 3 ? d->failures : 3));
		break;
	case DEVICE_NEGOTIATING:
	case DEVICE_ASKING_NODE:
	case DEVICE_ASKING_KEY:
	case DEVICE_VERIFYING:
	case DEVICE_REJOINING:
	case DEVICE_COMMISSIONED:
		device_commission_step(d);
		break;
	}
}

void sim_device_tick(struct sim_device *d, uint64_t now)
{
	d->now = now;
	radio_tick(d->radio, now);
	drain(d);
	if (now >= d->step_at) {
		d->step_at = CLOCK_NEVER;
		mac_step(d);
	}
	if (d->config.sleepy && now >= d->poll_at && d->state >= DEVICE_AWAITING_KEY) {
		poll(d, false);
		d->poll_at = now + (d->state != DEVICE_COMMISSIONED || now < d->busy_until ? FAST_POLL_MS : d->config.poll_ms);
	}
	if (d->network_key) {
		device_net_tick(d);
		device_app_tick(d);
	}
	radio_tick(d->radio, now);
	drain(d);
}

uint64_t sim_device_deadline(const struct sim_device *d)
{
	uint64_t next = radio_deadline(d->radio);

	if (d->step_at < next)
		next = d->step_at;
	if (d->config.sleepy && d->state >= DEVICE_AWAITING_KEY && d->poll_at < next)
		next = d->poll_at;
	if (d->network_key && device_net_deadline(d) < next)
		next = device_net_deadline(d);
	if (d->network_key && device_app_deadline(d) < next)
		next = device_app_deadline(d);
	return next;
}

bool sim_device_output(struct sim_device *d, struct sim_device_effect *e)
{
	if (d->effect_count == 0)
		return false;
	*e = d->effects[d->effect_first];
	d->effect_first = (d->effect_first + 1) % DEVICE_EFFECTS;
	d->effect_count--;
	return true;
}

bool sim_device_command(struct sim_device *d, uint64_t now, const char *command)
{
	double degrees;

	d->now = now;
	if (strcmp(command, "open") == 0 || strcmp(command, "close") == 0) {
		device_alarm(d, command[0] == 'o');
	} else if (strcmp(command, "on") == 0 || strcmp(command, "off") == 0 || strcmp(command, "toggle") == 0) {
		d->on = command[0] == 't' ? !d->on : command[1] == 'n';
		device_event(d, "switched", "\"on\":%s", d->on ? "true" : "false");
		device_changed(d, ZCL_ON_OFF, 0);
	} else if (sscanf(command, "temperature %lf", &degrees) == 1 && degrees > -200 && degrees < 300) {
		d->temperature = (int16_t)(degrees * 100);
		d->drift_at = CLOCK_NEVER;
		device_changed(d, ZCL_TEMPERATURE, 0);
	} else if (strcmp(command, "leave") == 0) {
		device_leave(d, "button", true);
	} else if (strcmp(command, "factory-reset") == 0) {
		device_leave(d, "factory reset", false);
		d->step_at = now;
	} else {
		return false;
	}
	drain(d);
	return true;
}
