/* Commands to a device: what waits for its word, actions, frames as they are. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "oci/core_private.h"

#define PAYLOAD_MAX 78 /* of a ZCL frame that fits into one frame on air */

uint8_t oci_zcl_send(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint16_t cluster, const struct zcl_frame *z)
{
	uint8_t buffer[100];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {
		.type = APS_DATA,
		.ack_request = true,
		.destination_endpoint = endpoint,
		.source_endpoint = OCI_ENDPOINT,
		.cluster = cluster,
		.profile = APS_PROFILE_HOME_AUTOMATION,
	};

	if (zcl_encode(z, &w) == OK && wr_done(&w, &f.payload))
		oci_aps_send(c, d, &f);
	return z->sequence;
}

uint8_t oci_zcl_ask(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint16_t cluster, uint16_t manufacturer, uint8_t command, struct rd payload)
{
	const struct zcl_frame z = {
		.type = ZCL_GLOBAL,
		.manufacturer_specific = manufacturer != 0,
		.manufacturer = manufacturer,
		.sequence = d->zcl_sequence++,
		.command = command,
		.payload = payload,
	};

	return oci_zcl_send(c, d, endpoint, cluster, &z);
}

/* ---- what waits ---- */

struct oci_command *oci_command_of(struct oci_device *d, const struct oci_place *p)
{
	for (size_t i = 0; i < OCI_COMMANDS; i++)
		if (d->commands[i].place == p)
			return &d->commands[i];
	return NULL;
}

/* a rather than b: what is not used, then what ended first, then what waits for the shortest time. */
static bool spared(const struct oci_command *a, const struct oci_command *b)
{
	if (!a->place != !b->place)
		return !a->place;
	return a->place ? a->until < b->until : a->ended_at < b->ended_at;
}

struct oci_command *oci_command_make(struct oci_device *d, const struct oci_place *p)
{
	struct oci_command *m = oci_command_of(d, p), *best = &d->commands[0];

	for (size_t i = 0; i < OCI_COMMANDS && !m; i++) {
		struct oci_command *o = &d->commands[i];

		if (o->ended == p)
			m = o;
		else if (spared(o, best))
			best = o;
	}
	if (!m)
		m = best;
	if (!m->place)
		d->command_count++;
	memset(m, 0, sizeof *m);
	m->place = p;
	return m;
}

void oci_command_end(struct oci_core *c, struct oci_device *d, struct oci_command *m)
{
	m->ended = m->place;
	m->ended_at = c->now;
	m->place = NULL;
	d->command_count--;
}

bool oci_command_doubtful(const struct oci_core *c, const struct oci_device *d, const struct oci_place *p, const char *text)
{
	for (size_t i = 0; i < OCI_COMMANDS; i++)
		if (d->commands[i].ended == p)
			return c->now - d->commands[i].ended_at < OCI_LATE_MS && strcmp(d->commands[i].text, text) != 0;
	return false;
}

void oci_command_reported(struct oci_core *c, struct oci_device *d, const struct oci_place *p, const char *text)
{
	struct oci_command *m = oci_command_of(d, p);

	if (m && strcmp(m->text, text) == 0)
		oci_command_end(c, d, m);
}

/* The device said yes: its attributes are what was wanted, until it says otherwise. */
static void assume(struct oci_device *d, const struct oci_command *m)
{
	const struct point *p = m->place->point;
	const uint64_t xy[] = {m->wanted.x, m->wanted.y}, hs[] = {m->wanted.hue, m->wanted.saturation};

	for (size_t i = 0; i < p->input_count; i++) {
		struct oci_attribute *a = oci_attribute(d, d->endpoints[m->place->endpoint].id, p->cluster, p->inputs[i], true);

		if (!a || (p->formula == FORMULA_BIT && p->bit > 0) || p->formula == FORMULA_LUX)
			continue;
		a->known = true;
		a->type = p->type;
		a->number = p->formula == FORMULA_XY ? xy[i] : p->formula == FORMULA_HS ? hs[i] : m->wanted.value;
	}
}

static void show_text(struct oci_core *c, struct oci_device *d, const struct oci_place *p, const char *text)
{
	struct oci_effect *e = oci_effect(c, OCI_VALUE, d);

	e->point = p->point;
	oci_place_name(d, p, p->point->module, e->name);
	snprintf(e->text, sizeof e->text, "%s", text);
}

bool oci_command_answered(struct oci_core *c, struct oci_device *d, uint8_t sequence, uint8_t status)
{
	bool any = false;

	for (size_t i = 0; i < OCI_COMMANDS; i++) {
		struct oci_command m = d->commands[i];

		if (!m.place || m.unheard || m.sequence != sequence)
			continue;
		oci_command_end(c, d, &d->commands[i]);
		if (status != ZCL_SUCCESS && !any)
			oci_log(c, d, "the device refused a command: status %02x", status);
		any = true;
		if (status == ZCL_SUCCESS) {
			assume(d, &m);
			show_text(c, d, m.place, m.text);
		} else {
			oci_value_show(c, d, m.place);
		}
	}
	return any;
}

/* A groupcast that it did not report about: all that one frame was to change is told again by one. */
static void tell_alone(struct oci_core *c, struct oci_device *d, const struct oci_command *m)
{
	struct oci_frame f = {.endpoint = m->place->endpoint, .point = m->place->point, .by_attribute = m->write->by_attribute, .command = m->write->command};
	struct wr w = wr_of(f.payload, sizeof f.payload);
	uint8_t unheard = m->sequence, sequence = d->zcl_sequence++;
	struct zcl_frame z;

	if (oci_write_payload(m->write, &m->wanted, &w)) {
		f.len = w.len;
		z = oci_frame_zcl(&f, sequence);
		(void)oci_zcl_send(c, d, d->endpoints[f.endpoint].id, f.point->cluster, &z);
	}
	for (size_t i = 0; i < OCI_COMMANDS; i++) {
		struct oci_command *o = &d->commands[i];

		if (!o->place || !o->unheard || o->sequence != unheard)
			continue;
		o->unheard = false;
		o->sequence = sequence;
		o->until = c->now + oci_poll_patience(d, OCI_COMMAND_MS);
	}
}

void oci_command_tick(struct oci_core *c, struct oci_device *d)
{
	for (size_t i = 0; d->command_count > 0 && i < OCI_COMMANDS; i++) {
		const struct oci_place *p = d->commands[i].place;

		if (!p || c->now < d->commands[i].until)
			continue;
		if (d->commands[i].unheard) {
			tell_alone(c, d, &d->commands[i]);
			continue;
		}
		oci_command_end(c, d, &d->commands[i]);
		oci_log(c, d, "the device did not confirm a command");
		oci_value_show(c, d, p);
	}
}

uint64_t oci_command_deadline(const struct oci_device *d)
{
	uint64_t next = CLOCK_NEVER;

	for (size_t i = 0; d->command_count > 0 && i < OCI_COMMANDS; i++)
		if (d->commands[i].place && d->commands[i].until < next)
			next = d->commands[i].until;
	return next;
}

/* ---- others than UPDATEs of values ---- */

void oci_core_action(struct oci_core *c, uint64_t now, uint64_t eui64, const char *name, const struct action *a)
{
	struct oci_device *d = oci_core_device(c, eui64);
	uint8_t buffer[FIELDS_MAX * 4];
	struct wr w = wr_of(buffer, sizeof buffer);
	const struct wanted none = {.value = 0};

	c->now = now;
	conversion_payload(&a->payload, &none, &w);
	for (size_t i = 0; d && i < d->place_count; i++) {
		const struct oci_place *p = &d->places[i];
		struct zcl_frame z = {.type = ZCL_CLUSTER, .manufacturer_specific = a->manufacturer != 0, .manufacturer = a->manufacturer, .command = a->command};
		char own[32];

		oci_place_name(d, p, p->point->module, own);
		if (strcmp(own, name) != 0 || !wr_done(&w, &z.payload))
			continue;
		z.sequence = d->zcl_sequence++;
		(void)oci_zcl_send(c, d, d->endpoints[p->endpoint].id, a->cluster, &z);
		return;
	}
}

enum err oci_core_raw(struct oci_core *c, uint64_t now, uint64_t eui64, const struct oci_raw *raw, struct rd payload)
{
	struct oci_device *d = oci_core_device(c, eui64);
	const struct zcl_frame z = {
		.type = raw->global ? ZCL_GLOBAL : ZCL_CLUSTER,
		.manufacturer_specific = raw->manufacturer != 0,
		.manufacturer = raw->manufacturer,
		.from_server = raw->from_server,
		.sequence = d ? d->zcl_sequence++ : 0,
		.command = raw->command,
		.payload = payload,
	};

	c->now = now;
	if (!d)
		return ERR_UNKNOWN_DEVICE;
	if (payload.left > PAYLOAD_MAX)
		return ERR_TOO_LONG;
	(void)oci_zcl_send(c, d, raw->endpoint, raw->cluster, &z);
	return OK;
}
