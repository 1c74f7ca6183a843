/* The simulated device: life, states, events, time. */
#include "sim/device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/device_private.h"

#define BACKOFF_MS 1500
#define BACKOFF_MOST_MS 20000
#define SECOND_MS 1000
#define BUILD "1.0.0"
#define REPORT_SPREAD_MS 100 /* of each second between reports: the first ones after a start come within that */

struct sim_device_effect *device_effect(struct sim_device *d, enum sim_device_effect_type type)
{
	struct sim_device_effect *e;

	if (d->effect_count == DEVICE_EFFECTS)
		return NULL;
	e = &d->effects[(d->effect_first + d->effect_count++) % DEVICE_EFFECTS];
	memset(e, 0, sizeof *e);
	e->type = type;
	return e;
}

void device_event(struct sim_device *d, const char *name, const char *fmt, ...)
{
	struct sim_device_effect *e = device_effect(d, SIM_DEVICE_EVENT);
	va_list args;

	if (!e)
		return;
	snprintf(e->name, sizeof e->name, "%s", name);
	va_start(args, fmt);
	vsnprintf(e->detail, sizeof e->detail, fmt, args);
	va_end(args);
}

bool device_joined(const struct sim_device *d)
{
	return d->network.key != NULL;
}

uint8_t device_capability(const struct sim_device *d)
{
	unsigned mains = d->config.kind == SIM_PLUG && !d->config.sleepy ? MAC_CAPABILITY_MAINS : 0;

	if (d->config.router)
		mains = MAC_CAPABILITY_MAINS | MAC_CAPABILITY_FFD;

	return (uint8_t)(MAC_CAPABILITY_ALLOCATE_ADDRESS | mains | (d->config.sleepy ? 0 : MAC_CAPABILITY_RX_ON_WHEN_IDLE));
}

void device_state_set(struct sim_device *d, enum device_state s, uint64_t step_in_ms)
{
	if (s != d->state)
		d->tries = 0;
	d->state = s;
	d->step_at = d->now + step_in_ms;
}

void device_state_rest(struct sim_device *d, enum device_state s)
{
	device_state_set(d, s, 0);
	d->step_at = CLOCK_NEVER;
}

static void trust_link_default(struct sim_device *d)
{
	device_trust_link_clear(&d->fresh);
	device_trust_link_clear(&d->link);
	if (link_key_set_take(&d->link.set, secret_dup(d->config.link_key)) != OK)
		abort(); /* no memory */
	d->link_is_unique = false;
}

/* The outgoing frame counters stay: the link key of the label does too, and no number may repeat under it. */
void device_leave(struct sim_device *d, const char *reason, bool tell)
{
	const struct nwk_command c = {.id = NWK_LEAVE};
	uint64_t wait = BACKOFF_MS << (d->failures < 4 ? d->failures : 4);

	if (tell && device_joined(d)) {
		device_nwk_command(d, NWK_BROADCAST_RX_ON, &c);
		device_mac_disassociate(d);
	}
	device_event(d, "left", "\"reason\":\"%s\"", reason);
	device_network_key_clear(&d->network);
	device_network_key_clear(&d->alternate);
	trust_link_default(d);
	device_aps_forget(d);
	d->binding_count = d->report_count = 0;
	device_groups_forget(d);
	d->enrolled = d->unsecured_rejoin = false;
	d->router.permit_until = 0;
	device_parent_forget(d);
	d->cie = d->trust_centre = d->extended_pan_id = 0;
	d->failures++;
	d->rejoin_failures = 0;
	d->poll_at = CLOCK_NEVER;
	device_state_set(d, DEVICE_OFF, (wait < BACKOFF_MOST_MS ? wait : BACKOFF_MOST_MS) + rng_below(d->config.rng, 500));
	device_save(d);
}

/* ---- life ---- */

static void start(struct sim_device *d, bool commissioned)
{
	if (commissioned && device_joined(d)) {
		device_mac_addresses(d, true);
		device_mac_tune(d, d->channel);
		device_state_rest(d, DEVICE_COMMISSIONED);
		d->poll_at = d->now;
		device_router_start(d);
		device_event(d, "resumed", "\"short\":%u", d->short_address);
		return;
	}
	device_network_key_clear(&d->network);
	device_network_key_clear(&d->alternate);
	device_mac_addresses(d, false);
	device_state_set(d, DEVICE_OFF, 10 + rng_below(d->config.rng, 200));
}

struct sim_device *sim_device_new(const struct sim_device_config *config, struct rd memory, uint64_t now)
{
	struct sim_device *d = calloc(1, sizeof *d);
	bool commissioned = false;

	if (!d || (d->radio = radio_new(config->rng)) == NULL) {
		free(d);
		return NULL;
	}
	if (config->ack_wait_ms > 0)
		radio_set_ack_wait(d->radio, config->ack_wait_ms);
	d->config = *config;
	d->config.link_key = secret_dup(config->link_key);
	d->now = now;
	d->deaf_to = config->is_deaf ? config->deaf_to : MAC_BROADCAST;
	d->temperature = 2150;
	d->humidity = 4500;
	d->watts = 42;
	snprintf(d->build, sizeof d->build, "%s", BUILD);
	d->version = 1;
	device_values_begin(d);
	d->poll_at = d->step_at = d->alarm_until = d->check_in_at = CLOCK_NEVER;
	d->drift_at = now;
	if (config->report_s > 0)
		d->report_from = now + rng_below(config->rng, config->report_s * REPORT_SPREAD_MS);
	counter_init(&d->nwk_out, 0, DEVICE_COUNTER_BLOCK);
	counter_init(&d->aps_out, 0, DEVICE_COUNTER_BLOCK);
	trust_link_default(d);
	if (!device_recall(d, memory, &commissioned)) {
		sim_device_free(d);
		return NULL;
	}
	secret_free(config->link_key);
	d->mac_sequence = (uint8_t)rng_u32(config->rng);
	d->nwk_sequence = (uint8_t)rng_u32(config->rng);
	d->aps_counter = (uint8_t)rng_u32(config->rng);
	start(d, commissioned);
	return d;
}

void sim_device_free(struct sim_device *d)
{
	if (!d)
		return;
	radio_free(d->radio);
	device_trust_link_clear(&d->link);
	device_trust_link_clear(&d->fresh);
	device_network_key_clear(&d->network);
	device_network_key_clear(&d->alternate);
	secret_free(d->config.link_key);
	free(d);
}

bool sim_device_commissioned(const struct sim_device *d)
{
	return d->state == DEVICE_COMMISSIONED;
}

/* ---- time ---- */

static void step(struct sim_device *d)
{
	switch (d->state) {
	case DEVICE_OFF:
	case DEVICE_SCANNING:
	case DEVICE_ASSOCIATING:
	case DEVICE_ASKING:
	case DEVICE_SEEKING:
		device_mac_step(d);
		break;
	case DEVICE_AWAITING_KEY:
	case DEVICE_NEGOTIATING:
	case DEVICE_ASKING_NODE:
	case DEVICE_ASKING_KEY:
	case DEVICE_VERIFYING:
	case DEVICE_REJOINING:
		device_tc_step(d);
		break;
	case DEVICE_COMMISSIONED:
		break;
	}
}

static void every_second(struct sim_device *d)
{
	if (d->now < d->second_at)
		return;
	d->second_at = d->now + SECOND_MS;
	device_sense(d);
	device_ota_tick(d);
	device_reports_consider(d);
}

/* An acknowledgement has no address: from there none is due. */
static bool out_of_range(const struct sim_device *d, struct rd psdu)
{
	struct mac_frame f;
	struct rd frame;

	return d->deaf_to != MAC_BROADCAST && mac_fcs_check(psdu, &frame) == OK && mac_frame_decode(frame, &f) == OK && f.source.mode == MAC_ADDRESS_SHORT &&
	    f.source.short_address == d->deaf_to;
}

void sim_device_input(struct sim_device *d, uint64_t now, struct rd psdu)
{
	d->now = now;
	if (out_of_range(d, psdu))
		return;
	radio_set_receiver(d->radio, device_mac_listens(d));
	radio_input(d->radio, now, psdu);
	device_mac_drain(d);
}

void sim_device_tick(struct sim_device *d, uint64_t now)
{
	d->now = now;
	radio_tick(d->radio, now);
	device_mac_drain(d);
	if (now >= d->step_at) {
		d->step_at = CLOCK_NEVER;
		step(d);
	}
	if (device_mac_polls(d) && now >= d->poll_at)
		device_mac_poll_tick(d);
	if (device_joined(d))
		device_aps_tick(d);
	device_router_tick(d);
	if (d->state == DEVICE_COMMISSIONED)
		every_second(d);
	radio_tick(d->radio, now);
	device_mac_drain(d);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t sim_device_deadline(const struct sim_device *d)
{
	uint64_t next = earlier(radio_deadline(d->radio), d->step_at);

	if (device_mac_polls(d))
		next = earlier(next, d->poll_at);
	if (device_joined(d))
		next = earlier(next, device_aps_deadline(d));
	next = earlier(next, device_router_deadline(d));
	if (d->state == DEVICE_COMMISSIONED)
		next = earlier(next, d->second_at);
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

/* ---- the finger on the button ---- */

static void tell_conflict(struct sim_device *d)
{
	const struct nwk_command c = {.id = NWK_NETWORK_STATUS, .network_status = {NWK_STATUS_ADDRESS_CONFLICT, d->short_address}};

	if (d->state == DEVICE_COMMISSIONED)
		device_nwk_command(d, NWK_COORDINATOR, &c);
}

static bool network_command(struct sim_device *d, const char *command)
{
	unsigned seconds;
	char end;

	if (strcmp(command, "leave") == 0) {
		device_leave(d, "button", true);
	} else if (strcmp(command, "rejoin") == 0) {
		if (d->state == DEVICE_COMMISSIONED)
			device_nwk_seek(d);
	} else if (strcmp(command, "conflict") == 0) {
		tell_conflict(d);
	} else if (strcmp(command, "rejoin-tc") == 0) {
		if (d->state == DEVICE_COMMISSIONED && d->link_is_unique) {
			device_nwk_seek(d);
			d->rejoin_failures = DEVICE_UNSECURED_REJOIN_EVERY - 1;
		}
	} else if (strcmp(command, "factory-reset") == 0) {
		device_leave(d, "factory reset", true);
		d->failures = 0;
		device_state_set(d, DEVICE_OFF, BACKOFF_MS);
	} else if (strcmp(command, "hear") == 0) {
		d->deaf_to = MAC_BROADCAST;
	} else if (sscanf(command, "deaf %u%c", &seconds, &end) == 1 && seconds <= UINT16_MAX) {
		d->deaf_to = (uint16_t)seconds;
	} else if (d->config.router && sscanf(command, "permit %u", &seconds) == 1) {
		device_parent_permit(d, (uint8_t)(seconds < 0xfe ? seconds : 0xfe));
	} else {
		return false;
	}
	return true;
}

/* "0x0400/0", "2/6/0": an endpoint, where it is not the first, a cluster, and an attribute or command. */
struct target {
	unsigned endpoint, cluster, what;
};

static bool read_target(const struct sim_device *d, const char *text, struct target *t)
{
	char end;

	if (sscanf(text, "%i/%i/%i%c", (int *)&t->endpoint, (int *)&t->cluster, (int *)&t->what, &end) != 3) {
		if (sscanf(text, "%i/%i%c", (int *)&t->cluster, (int *)&t->what, &end) != 2)
			return false;
		t->endpoint = device_type(d->config.kind)->endpoints[0].id;
	}
	return t->endpoint <= UINT8_MAX && t->cluster <= UINT16_MAX && t->what <= UINT16_MAX;
}

static bool set_command(struct sim_device *d, const char *command)
{
	char text[40], end;
	struct target t;
	long long value;

	if (sscanf(command, "set %39s %lli%c", text, &value, &end) == 2)
		return read_target(d, text, &t) && device_value_set(d, (uint8_t)t.endpoint, (uint16_t)t.cluster, (uint16_t)t.what, (uint64_t)value);
	return sscanf(command, "press %39s%c", text, &end) == 1 && read_target(d, text, &t) && t.what <= UINT8_MAX &&
	    device_press(d, (uint8_t)t.endpoint, (uint16_t)t.cluster, (uint8_t)t.what);
}

static void switch_to(struct sim_device *d, bool toggle, bool on)
{
	uint8_t endpoint = device_endpoint_of(d, ZCL_ON_OFF);

	(void)device_value_set(d, endpoint, ZCL_ON_OFF, 0, toggle ? !device_value(d, endpoint, ZCL_ON_OFF, 0) : on);
}

static bool world_command(struct sim_device *d, const char *command)
{
	double degrees;
	unsigned bits;
	char end;

	if (strcmp(command, "open") == 0 || strcmp(command, "close") == 0) {
		d->alarm_until = CLOCK_NEVER;
		device_alarm(d, command[0] == 'o');
	} else if (strcmp(command, "vibrate") == 0) {
		d->alarm_until = d->now + 3 * SECOND_MS;
		device_alarm(d, true);
	} else if (sscanf(command, "zone %i%c", (int *)&bits, &end) == 1) {
		device_zone(d, (uint16_t)bits);
	} else if (strcmp(command, "on") == 0 || strcmp(command, "off") == 0 || strcmp(command, "toggle") == 0) {
		switch_to(d, command[0] == 't', command[1] == 'n');
	} else if (sscanf(command, "temperature %lf%c", &degrees, &end) == 1 && degrees > -200 && degrees < 300) {
		d->temperature = (int16_t)(degrees * 100 + (degrees < 0 ? -0.5 : 0.5));
		d->temperature_held = true;
	} else if (!set_command(d, command)) {
		return false;
	}
	if (d->state == DEVICE_COMMISSIONED)
		device_reports_consider(d);
	return true;
}

bool sim_device_command(struct sim_device *d, uint64_t now, const char *command)
{
	d->now = now;
	if (!network_command(d, command) && !world_command(d, command))
		return false;
	device_mac_drain(d);
	return true;
}
