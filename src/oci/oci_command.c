/* Commands to a device: UPDATEs of its resources, actions, frames as they are; and what the device says to them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "oci/core_private.h"

#define COMMAND_MS 15000
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

static struct oci_command *command_make(struct oci_device *d, const struct oci_place *p)
{
	struct oci_command *m = oci_command_of(d, p), *oldest = &d->commands[0];

	for (size_t i = 0; i < OCI_COMMANDS && !m; i++) {
		if (!d->commands[i].place)
			m = &d->commands[i];
		else if (d->commands[i].until < oldest->until)
			oldest = &d->commands[i];
	}
	if (!m)
		m = oldest;
	memset(m, 0, sizeof *m);
	m->place = p;
	return m;
}

void oci_command_reported(struct oci_device *d, const struct oci_place *p, const char *text)
{
	struct oci_command *m = oci_command_of(d, p);

	if (m && strcmp(m->text, text) == 0)
		m->place = NULL;
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

		if (!m.place || m.sequence != sequence)
			continue;
		d->commands[i].place = NULL;
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

void oci_command_tick(struct oci_core *c, struct oci_device *d)
{
	for (size_t i = 0; i < OCI_COMMANDS; i++) {
		const struct oci_place *p = d->commands[i].place;

		if (!p || c->now < d->commands[i].until)
			continue;
		d->commands[i].place = NULL;
		oci_log(c, d, "the device did not confirm a command");
		oci_value_show(c, d, p);
	}
}

uint64_t oci_command_deadline(const struct oci_device *d)
{
	uint64_t next = CLOCK_NEVER;

	for (size_t i = 0; i < OCI_COMMANDS; i++)
		if (d->commands[i].place && d->commands[i].until < next)
			next = d->commands[i].until;
	return next;
}

/* ---- an UPDATE ---- */

/* One frame of this UPDATE: a colour's three members make the same one, which is sent once. */
struct sent {
	const struct oci_place *place;
	uint8_t command, sequence;
	uint8_t payload[FIELDS_MAX * 4 + 16];
	size_t len;
};

struct update {
	struct oci_core *c;
	struct oci_device *d;
	const struct json *members;
	const char *name;
	struct sent sent[POINTS_MAX];
	size_t count;
};

static bool json_to_text(const struct json *v, char text[OCI_TEXT])
{
	struct wr w = wr_of(text, OCI_TEXT - 1);
	struct json_out o = json_out(&w);
	double n;

	if (json_double(v, &n) && n > -1e15 && n < 1e15 && floor(n) >= n)
		json_put_int(&o, NULL, (int64_t)n); /* 20.0 is 20 */
	else
		json_put(&o, NULL, v);
	text[w.len] = '\0';
	return !w.spoilt && v->type <= JSON_NUMBER && v->type != JSON_NULL;
}

/* The colour after the UPDATE. */
static void rgb_of(const struct update *u, uint8_t rgb[3])
{
	static const char *const names[] = {"red", "green", "blue"};

	for (int i = 0; i < 3; i++) {
		const struct json *v = json_get(u->members, names[i]);
		double n = 0;

		rgb[i] = 0;
		if (json_double(v, &n))
			rgb[i] = (uint8_t)(n < 0 ? 0 : n > 255 ? 255 : n);
	}
}

static bool lay_out(const struct point_write *write, const struct wanted *wanted, struct wr *w)
{
	const struct zcl_value v = {.type = write->type, .number = wanted->value};

	if (write->by_attribute)
		zcl_report_put(w, write->attribute, &v);
	else
		conversion_payload(&write->payload, wanted, w);
	return !w->spoilt;
}

static uint8_t transmit(struct update *u, const struct oci_place *p, const struct point_write *write, struct rd payload)
{
	const struct point *point = p->point;
	const struct zcl_frame z = {
		.type = write->by_attribute ? ZCL_GLOBAL : ZCL_CLUSTER,
		.manufacturer_specific = point->manufacturer != 0,
		.manufacturer = point->manufacturer,
		.sequence = u->d->zcl_sequence,
		.command = write->by_attribute ? (uint8_t)ZCL_WRITE : write->command,
		.payload = payload,
	};
	struct sent *s;

	for (size_t i = 0; i < u->count; i++) {
		s = &u->sent[i];
		if (s->place->endpoint == p->endpoint && s->place->point->cluster == point->cluster && s->command == z.command &&
		    rd_equal(rd_of(s->payload, s->len), payload))
			return s->sequence;
	}
	u->d->zcl_sequence++;
	if (u->count < POINTS_MAX && payload.left <= sizeof u->sent[0].payload) {
		s = &u->sent[u->count++];
		*s = (struct sent){.place = p, .command = z.command, .sequence = z.sequence, .len = payload.left};
		memcpy(s->payload, payload.at, payload.left);
	}
	return oci_zcl_send(u->c, u->d, u->d->endpoints[p->endpoint].id, point->cluster, &z);
}

static void refuse(struct update *u, const struct oci_place *p)
{
	oci_log(u->c, u->d, "%s.%s cannot have this value", u->name, p->point->member);
	oci_value_show(u->c, u->d, p);
}

/* What the device has already, or is being told, is not said again. */
static bool is_news(struct oci_device *d, const struct oci_place *p, const char *text)
{
	const struct oci_command *m = oci_command_of(d, p);
	char now[OCI_TEXT] = "";
	struct wr w = wr_of(now, sizeof now - 1);

	if (m)
		return strcmp(m->text, text) != 0;
	return !oci_place_value(d, p, &w) || strcmp(now, text) != 0;
}

static void update_place(struct update *u, const struct oci_place *p)
{
	const struct json *v = json_get(u->members, p->point->member);
	uint8_t buffer[FIELDS_MAX * 4 + 16], rgb[3];
	struct wr w = wr_of(buffer, sizeof buffer);
	const struct point_write *write;
	struct oci_command *m;
	struct wanted wanted;
	struct factors f = {1, 1};
	char text[OCI_TEXT];
	struct rd payload;

	if (!v || v->type == JSON_NULL)
		return;
	if (!json_to_text(v, text)) {
		refuse(u, p);
		return;
	}
	if (!is_news(u->d, p, text))
		return;
	write = conversion_write(p->point, v);
	rgb_of(u, rgb);
	if (!write || !oci_place_factors(u->d, p, &f) || !conversion_wanted(p->point, v, rgb, &f, &wanted) || !lay_out(write, &wanted, &w) || !wr_done(&w, &payload)) {
		refuse(u, p);
		return;
	}
	m = command_make(u->d, p);
	snprintf(m->text, sizeof m->text, "%s", text);
	m->wanted = wanted;
	m->by_attribute = write->by_attribute;
	m->until = u->c->now + oci_poll_patience(u->d, COMMAND_MS);
	m->sequence = transmit(u, p, write, payload);
}

void oci_core_update(struct oci_core *c, uint64_t now, uint64_t eui64, const char *name, const struct json *members)
{
	struct oci_device *d = oci_core_device(c, eui64);
	struct update u = {.c = c, .d = d, .members = members, .name = name};

	c->now = now;
	for (size_t i = 0; d && i < d->place_count; i++) {
		const struct oci_place *p = &d->places[i];
		char own[32];

		oci_place_name(d, p, p->point->module, own);
		if (p->point->write_count > 0 && strcmp(own, name) == 0 && oci_place_serves(d, p))
			update_place(&u, p);
	}
}

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
