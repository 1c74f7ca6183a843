/* What a device says: values of attributes, states of its alarm zone, commands that its buttons send; and all that is not understood, as it came. */
#include <stdio.h>
#include <string.h>

#include "oci/core_private.h"

/* A ZCL frame of a device and where it came from. */
struct said {
	struct oci_core *c;
	struct oci_device *d;
	struct oci_endpoint *endpoint; /* NULL: one that it did not describe */
	uint8_t endpoint_id;
	uint16_t cluster;
	const struct zcl_frame *z;
	bool understood;               /* all of it */
};

/* ---- values ---- */

static void show(struct oci_core *c, struct oci_device *d, const struct oci_place *p, const char *text)
{
	struct oci_effect *e = oci_effect(c, OCI_VALUE, d);

	e->point = p->point;
	oci_place_name(d, p, p->point->module, e->name);
	snprintf(e->text, sizeof e->text, "%s", text);
}

void oci_value_show(struct oci_core *c, struct oci_device *d, const struct oci_place *p)
{
	char text[OCI_TEXT] = "";
	struct wr w = wr_of(text, sizeof text - 1);

	if (oci_place_value(d, p, &w))
		show(c, d, p, text);
}

/* What a value is made of was never told: after a restart, or as the question for it was lost. The device is awake now. */
static void ask_for_the_rest(struct said *s, const struct oci_place *p)
{
	const struct point *t = p->point;
	const uint16_t wanted[] = {t->inputs[0], t->inputs[1], t->multiplier, t->divisor};
	const bool needed[] = {true, t->input_count > 1, t->has_multiplier, t->has_divisor};
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	if (s->d->interview != OCI_INTERVIEW_DONE || s->z->command != ZCL_REPORT)
		return;
	for (size_t i = 0; i < 4; i++) {
		const struct oci_attribute *a = needed[i] ? oci_attribute(s->d, s->endpoint_id, t->cluster, wanted[i], false) : NULL;

		if (needed[i] && (!a || (!a->known && !a->refused)))
			wr_le16(&w, wanted[i]);
	}
	if (w.len > 0 && wr_done(&w, &payload))
		(void)oci_zcl_ask(s->c, s->d, s->endpoint_id, t->cluster, t->manufacturer, ZCL_READ, payload);
}

static void place_told(struct said *s, const struct oci_place *p)
{
	char text[OCI_TEXT] = "";
	struct wr w = wr_of(text, sizeof text - 1);
	struct factors f;

	if (!oci_place_factors(s->d, p, &f) || p->point->input_count > 1)
		ask_for_the_rest(s, p);
	if (!oci_place_serves(s->d, p) || !oci_place_value(s->d, p, &w))
		return;
	oci_command_reported(s->c, s->d, p, text);
	if (!oci_command_of(s->d, p)) /* else a report that left before our command arrived */
		show(s->c, s->d, p, text);
}

static bool is_input(const struct point *t, uint16_t id)
{
	return (t->input_count > 0 && t->inputs[0] == id) || (t->input_count > 1 && t->inputs[1] == id);
}

static bool is_factor(const struct point *t, uint16_t id)
{
	return (t->has_multiplier && t->multiplier == id) || (t->has_divisor && t->divisor == id);
}

/* False: nobody has a use for it. */
static bool attribute_told(struct said *s, uint16_t id, const struct zcl_value *v)
{
	struct oci_attribute *a = NULL;
	bool used = false;

	for (size_t i = 0; s->endpoint && i < s->d->place_count; i++) {
		const struct oci_place *p = &s->d->places[i];
		const struct point *t = p->point;

		if (&s->d->endpoints[p->endpoint] != s->endpoint || t->cluster != s->cluster || t->manufacturer != s->z->manufacturer || (!is_input(t, id) && !is_factor(t, id)))
			continue;
		used = true;
		if (!a && (a = oci_attribute(s->d, s->endpoint_id, s->cluster, id, true)) != NULL) {
			a->known = true;
			a->refused = false;
			a->type = v->type;
			a->number = v->number;
		}
		if (is_input(t, id))
			place_told(s, p);
	}
	return used;
}

static void attribute_refused(struct said *s, uint16_t id)
{
	struct oci_attribute *a = oci_attribute(s->d, s->endpoint_id, s->cluster, id, true);

	if (a)
		a->refused = true;
}

static void copy_name(char *to, size_t size, const struct zcl_value *v)
{
	size_t n = 0;
	struct rd in = v->octets;
	uint8_t octet;

	/* printable ASCII only: it becomes a label and a log line */
	while (n + 1 < size && rd_u8(&in, &octet))
		if (octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\')
			to[n++] = (char)octet;
	while (n > 0 && to[n - 1] == ' ')
		n--;
	to[n] = '\0';
}

/* What the interview asks for. */
static bool identity_told(struct said *s, uint16_t id, const struct zcl_value *v)
{
	struct oci_device *d = s->d;

	if (s->cluster == ZCL_IAS_ZONE && id == 0x0001 && s->endpoint && s->z->manufacturer == 0)
		s->endpoint->zone_type = (uint16_t)v->number;
	else if (s->cluster != ZCL_BASIC || s->z->manufacturer != 0)
		return false;
	else if (id == 0x0004)
		copy_name(d->manufacturer, sizeof d->manufacturer, v);
	else if (id == 0x0005)
		copy_name(d->model, sizeof d->model, v);
	else if (id == 0x4000)
		copy_name(d->software, sizeof d->software, v);
	else if (id == 0x0003)
		d->hardware = (uint8_t)v->number;
	else
		return false;
	return true;
}

/* What was asked before a restart: a device whose acknowledgement was lost says it again, and much may have changed since it said so first. */
static bool is_late(const struct said *s)
{
	uint8_t asked = (uint8_t)(s->d->zcl_sequence - s->d->zcl_first);

	return s->c->restored && s->c->now - s->c->restored_at < OCI_LATE_MS && (uint8_t)(s->z->sequence - s->d->zcl_first) >= asked;
}

static void on_read_response(struct said *s)
{
	struct rd in = s->z->payload;
	struct zcl_record r;

	s->understood = true;
	if (is_late(s))
		return;
	while (zcl_read_response_next(&in, &r)) {
		if (r.status == ZCL_UNSUPPORTED_ATTRIBUTE)
			attribute_refused(s, r.attribute);
		else if (r.status == ZCL_SUCCESS && !identity_told(s, r.attribute, &r.value) && !attribute_told(s, r.attribute, &r.value))
			s->understood = false;
	}
	if (!rd_end(&in))
		s->understood = false;
}

static void on_report(struct said *s)
{
	struct rd in = s->z->payload;
	struct zcl_record r;

	s->understood = true;
	while (zcl_report_next(&in, &r))
		if (!attribute_told(s, r.attribute, &r.value))
			s->understood = false;
	if (!rd_end(&in))
		s->understood = false;
}

static void on_default_response(struct said *s)
{
	struct rd in = s->z->payload;
	uint8_t command, status;

	if (rd_u8(&in, &command) && rd_u8(&in, &status) && !oci_groups_refused(s->c, s->d, s->endpoint_id, s->cluster, command, status))
		(void)oci_command_answered(s->c, s->d, s->z->sequence, status);
	s->understood = true;
}

/* One status for all, or a record for each that was refused. */
static void on_write_response(struct said *s)
{
	struct rd in = s->z->payload;
	uint8_t status;

	if (rd_u8(&in, &status))
		(void)oci_command_answered(s->c, s->d, s->z->sequence, status);
	s->understood = true;
}

static void on_global(struct said *s)
{
	switch (s->z->command) {
	case ZCL_READ_RESPONSE:
		on_read_response(s);
		break;
	case ZCL_REPORT:
		on_report(s);
		break;
	case ZCL_WRITE_RESPONSE:
		on_write_response(s);
		break;
	case ZCL_DEFAULT_RESPONSE:
		on_default_response(s);
		break;
	case ZCL_CONFIGURE_REPORTING_RESPONSE:
		s->understood = true;
		break;
	default:
		break;
	}
	oci_interview_answer(s->c, s->d, s->z);
}

/* ---- commands of the device's servers ---- */

static void on_zone(struct said *s)
{
	static const uint8_t accepted[] = {0, 1}; /* success, zone 1 */
	struct zcl_value v = {.type = ZCL_BITMAP16};
	struct rd in = s->z->payload;
	uint16_t status;

	if (s->z->command == ZCL_IAS_ENROLL_REQUEST) {
		const struct zcl_frame answer = {.type = ZCL_CLUSTER, .sequence = s->z->sequence, .command = ZCL_IAS_ENROLL_RESPONSE, .payload = rd_of(accepted, sizeof accepted)};

		if (rd_le16(&in, &status) && s->endpoint && s->endpoint->zone_type == 0) {
			s->endpoint->zone_type = status;
			if (s->d->interview == OCI_INTERVIEW_DONE) { /* the interview did not learn it */
				oci_places_make(s->c, s->d);
				(void)oci_effect(s->c, OCI_DESCRIBED, s->d);
			}
		}
		(void)oci_zcl_send(s->c, s->d, s->endpoint_id, ZCL_IAS_ZONE, &answer);
		s->understood = true;
	} else if (s->z->command == ZCL_IAS_STATUS_CHANGE && rd_le16(&in, &status)) {
		v.number = status;
		s->understood = attribute_told(s, 0x0002, &v);
	}
}

static void on_server_command(struct said *s)
{
	struct rd in = s->z->payload;
	uint8_t status;

	if (s->cluster == ZCL_IAS_ZONE && !s->z->manufacturer_specific)
		on_zone(s);
	else if (s->cluster == ZCL_POLL_CONTROL)
		s->understood = oci_poll_input(s->c, s->d, s->endpoint_id, s->z);
	else if ((s->cluster == ZCL_GROUPS || s->cluster == ZCL_SCENES) && !s->z->manufacturer_specific)
		s->understood = oci_groups_input(s->c, s->d, s->endpoint_id, s->cluster, s->z);
	else if (s->cluster == ZCL_DOOR_LOCK && !s->z->manufacturer_specific && s->z->command <= ZCL_DOOR_LOCK_UNLOCK && rd_u8(&in, &status))
		s->understood = oci_command_answered(s->c, s->d, s->z->sequence, status);
}

/* ---- commands of its clients: a button was pressed ---- */

static void default_response(struct said *s, uint8_t status)
{
	const uint8_t octets[] = {s->z->command, status};
	const struct zcl_frame z = {.type = ZCL_GLOBAL, .from_server = true, .disable_default_response = true, .manufacturer_specific = s->z->manufacturer_specific,
		.manufacturer = s->z->manufacturer, .sequence = s->z->sequence, .command = ZCL_DEFAULT_RESPONSE, .payload = rd_of(octets, sizeof octets)};

	if (!s->z->disable_default_response || status != ZCL_SUCCESS)
		(void)oci_zcl_send(s->c, s->d, s->endpoint_id, s->cluster, &z);
}

static bool pulses(const struct point *p, uint8_t command)
{
	for (size_t i = 0; i < p->received_count; i++)
		if (p->received[i] == command)
			return true;
	return false;
}

static void on_client_command(struct said *s, bool unicast)
{
	bool any = false;
	uint8_t status;

	if (s->cluster == ZCL_OTA && !s->z->manufacturer_specific) {
		status = oci_ota_input(s->c, s->d, s->endpoint_id, s->z);
		s->understood = status == ZCL_SUCCESS;
		if (status != ZCL_SUCCESS && unicast)
			default_response(s, status);
		return;
	}

	for (size_t i = 0; s->endpoint && i < s->d->place_count; i++) {
		const struct oci_place *p = &s->d->places[i];

		if (&s->d->endpoints[p->endpoint] != s->endpoint || p->point->cluster != s->cluster || p->point->manufacturer != s->z->manufacturer || !pulses(p->point, s->z->command))
			continue;
		show(s->c, s->d, p, "true");
		show(s->c, s->d, p, "false");
		any = true;
	}
	if (unicast)
		default_response(s, any ? ZCL_SUCCESS : ZCL_UNSUP_CLUSTER_COMMAND);
}

/* ---- all ---- */

static void pass_on(const struct said *s)
{
	struct oci_effect *e = oci_effect(s->c, OCI_RAW, s->d);

	e->raw = (struct oci_raw){
		.endpoint = s->endpoint_id,
		.cluster = s->cluster,
		.manufacturer = s->z->manufacturer,
		.global = s->z->type == ZCL_GLOBAL,
		.from_server = s->z->from_server,
		.command = s->z->command,
	};
	e->len = s->z->payload.left <= sizeof e->octets ? s->z->payload.left : sizeof e->octets;
	if (e->len > 0)
		memcpy(e->octets, s->z->payload.at, e->len);
}

void oci_zcl_input(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, struct rd payload)
{
	struct zcl_frame z;
	struct said s = {.c = c, .d = d, .endpoint = oci_endpoint(d, f->source_endpoint), .endpoint_id = f->source_endpoint, .cluster = f->cluster, .z = &z};

	if (f->profile != APS_PROFILE_HOME_AUTOMATION || zcl_decode(payload, &z) != OK)
		return;
	if (z.type == ZCL_GLOBAL && z.from_server)
		on_global(&s);
	else if (z.type == ZCL_CLUSTER && z.from_server)
		on_server_command(&s);
	else if (z.type == ZCL_CLUSTER)
		on_client_command(&s, f->delivery == APS_UNICAST);
	if (!s.understood)
		pass_on(&s);
}
