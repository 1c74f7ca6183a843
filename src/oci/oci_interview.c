/* ZDO and ZCL of the coordinator: its own descriptors, the interview of a device, its reports, and commands to it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "oci/core_private.h"

#define STEP_MS 6000
#define STEP_SLEEPY_MS 9000
#define STEP_TRIES 3
#define COMMAND_MS 15000
#define SETTLE_MS 500
#define REVISION_22 (22 << 9)
#define SERVER_PRIMARY_DISCOVERY 0x0040

/* ---- the coordinator's own descriptors ---- */

static void own_node(struct zdo_node_descriptor *n)
{
	*n = (struct zdo_node_descriptor){
		.logical_type = ZDO_COORDINATOR,
		.frequency = 8,
		.capability = 0x8f,
		.buffer_size = 82,
		.incoming_size = 82,
		.server_mask = REVISION_22 | SERVER_PRIMARY_DISCOVERY | ZDO_SERVER_PRIMARY_TRUST_CENTER,
		.outgoing_size = 82,
	};
}

static void own_simple(const struct zdo_message *rq, struct zdo_message *m)
{
	static const uint16_t out[] = {ZCL_ON_OFF, ZCL_TEMPERATURE, ZCL_HUMIDITY, ZCL_IAS_ZONE, ZCL_METERING};

	if (rq->endpoint != OCI_ENDPOINT) {
		m->status = ZDO_NOT_ACTIVE;
		return;
	}
	m->simple = (struct zdo_simple_descriptor){.endpoint = OCI_ENDPOINT, .profile = APS_PROFILE_HOME_AUTOMATION, .device = 0x0007, .version = 1, .in_count = 1, .in = {ZCL_BASIC}};
	m->simple.out_count = sizeof out / sizeof out[0];
	memcpy(m->simple.out, out, sizeof out);
}

static void on_request(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, const struct zdo_message *rq)
{
	struct zdo_message m = {.cluster = rq->cluster | ZDO_RESPONSE, .sequence = rq->sequence, .short_address = NWK_COORDINATOR, .eui64 = d->gateway};

	switch (rq->cluster) {
	case ZDO_DEVICE_ANNCE:
		if (rq->eui64 != d->eui64 || !nwk_address_is_device(rq->short_address))
			return; /* another's, passed on */
		d->short_address = rq->short_address;
		d->capability = rq->capability;
		if (d->interview == OCI_INTERVIEW_WAITING)
			oci_event(c, d, "announced");
		return;
	case ZDO_MGMT_PERMIT_JOINING:
		/* A device's last word in commissioning (BDB): it is ready to be asked. */
		if (d->interview == OCI_INTERVIEW_WAITING)
			oci_interview_begin(c, d, SETTLE_MS);
		if (f->delivery != APS_UNICAST)
			return;
		break;
	case ZDO_NODE_DESC:
		if (!c->config.answer_commissioning)
			return;
		if (rq->short_address == NWK_COORDINATOR)
			own_node(&m.node);
		else
			m.status = ZDO_DEVICE_NOT_FOUND;
		break;
	case ZDO_POWER_DESC:
		m.power = 0xc110;
		break;
	case ZDO_ACTIVE_EP:
		m.endpoint_count = 1;
		m.endpoints[0] = OCI_ENDPOINT;
		break;
	case ZDO_SIMPLE_DESC:
		own_simple(rq, &m);
		break;
	case ZDO_NWK_ADDR:
		if (rq->eui64 != d->gateway)
			return;
		break;
	case ZDO_IEEE_ADDR:
		break;
	case ZDO_MATCH_DESC:
		if (rq->simple.profile != APS_PROFILE_HOME_AUTOMATION)
			return;
		m.endpoint_count = 1;
		m.endpoints[0] = OCI_ENDPOINT;
		break;
	default:
		m.status = ZDO_NOT_SUPPORTED;
		break;
	}
	oci_zdo_send(c, d, &m);
}

/* ---- the interview ---- */

static void step_to(struct oci_core *c, struct oci_device *d, enum oci_interview next)
{
	d->interview = next;
	d->item = 0;
	d->step_tries = 0;
	d->step_at = c->now;
	(void)oci_save(c, d);
	oci_interview_step(c, d);
}

void oci_interview_begin(struct oci_core *c, struct oci_device *d, uint64_t in_ms)
{
	if (d->interview != OCI_INTERVIEW_WAITING)
		return;
	d->step_at = c->now + in_ms;
	d->step_tries = 0;
}

static void next_item(struct oci_core *c, struct oci_device *d)
{
	d->item++;
	d->step_tries = 0;
	d->step_at = c->now;
	oci_interview_step(c, d);
}

static bool mapped(const struct oci_device *d, uint16_t cluster)
{
	return mapping_at(cluster, d->zone_type, 0) != NULL;
}

/* The item-th mapped cluster; 0xffff behind the last. */
static uint16_t cluster_at(const struct oci_device *d, size_t item)
{
	for (size_t i = 0; i < d->cluster_count; i++)
		if (mapped(d, d->clusters[i]) && item-- == 0)
			return d->clusters[i];
	return 0xffff;
}

static bool has_cluster(const struct oci_device *d, uint16_t cluster)
{
	for (size_t i = 0; i < d->cluster_count; i++)
		if (d->clusters[i] == cluster)
			return true;
	return false;
}

static void ask_zdo(struct oci_core *c, struct oci_device *d, uint16_t cluster)
{
	struct zdo_message m = {.cluster = cluster, .sequence = d->zdo_sequence++, .short_address = d->short_address, .endpoint = d->endpoint};

	d->asked_sequence = m.sequence;
	oci_zdo_send(c, d, &m);
}

static void ask_read(struct oci_core *c, struct oci_device *d, uint16_t cluster, const uint16_t *attributes, size_t n)
{
	uint8_t buffer[32];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	for (size_t i = 0; i < n; i++)
		wr_le16(&w, attributes[i]);
	if (wr_done(&w, &payload))
		d->asked_sequence = oci_zcl_send(c, d, cluster, ZCL_GLOBAL, ZCL_READ, payload);
}

static void ask_bind(struct oci_core *c, struct oci_device *d, uint16_t cluster)
{
	struct zdo_message m = {.cluster = ZDO_BIND, .sequence = d->zdo_sequence++};

	m.bind.source = d->eui64;
	m.bind.source_endpoint = d->endpoint;
	m.bind.cluster = cluster;
	m.bind.destination = d->gateway;
	m.bind.destination_endpoint = OCI_ENDPOINT;
	d->asked_sequence = m.sequence;
	oci_zdo_send(c, d, &m);
}

static void ask_reporting(struct oci_core *c, struct oci_device *d, uint16_t cluster)
{
	uint8_t buffer[64];
	struct wr w = wr_of(buffer, sizeof buffer);
	const struct mapping *m;
	struct rd payload;

	for (size_t i = 0; (m = mapping_at(cluster, d->zone_type, i)) != NULL; i++)
		if (m->maximum_s > 0)
			zcl_configure_put(&w, m->attribute, m->type, m->minimum_s, m->maximum_s, m->change);
	if (w.len == 0)
		next_item(c, d);
	else if (wr_done(&w, &payload))
		d->asked_sequence = oci_zcl_send(c, d, cluster, ZCL_GLOBAL, ZCL_CONFIGURE_REPORTING, payload);
}

static void ask_values(struct oci_core *c, struct oci_device *d, uint16_t cluster)
{
	const struct mapping *m;
	uint16_t attributes[8];
	size_t n = 0;

	for (size_t i = 0; n < 8 && (m = mapping_at(cluster, d->zone_type, i)) != NULL; i++)
		attributes[n++] = m->attribute;
	ask_read(c, d, cluster, attributes, n);
}

/* Where alarms go: the device enrols its zone when it knows. */
static void write_cie(struct oci_core *c, struct oci_device *d)
{
	const struct zcl_value v = {.type = ZCL_EUI64, .number = d->gateway};
	uint8_t buffer[16];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd payload;

	zcl_report_put(&w, 0x0010, &v);
	if (wr_done(&w, &payload))
		d->asked_sequence = oci_zcl_send(c, d, ZCL_IAS_ZONE, ZCL_GLOBAL, ZCL_WRITE, payload);
}

static void ask(struct oci_core *c, struct oci_device *d)
{
	static const uint16_t basic[] = {0x0004, 0x0005}, zone[] = {0x0001};
	uint16_t cluster = cluster_at(d, d->item);

	switch (d->interview) {
	case OCI_INTERVIEW_WAITING:
		step_to(c, d, OCI_INTERVIEW_ENDPOINTS);
		break;
	case OCI_INTERVIEW_ENDPOINTS:
		ask_zdo(c, d, ZDO_ACTIVE_EP);
		break;
	case OCI_INTERVIEW_SIMPLE:
		ask_zdo(c, d, ZDO_SIMPLE_DESC);
		break;
	case OCI_INTERVIEW_BASIC:
		ask_read(c, d, ZCL_BASIC, basic, 2);
		break;
	case OCI_INTERVIEW_ZONE:
		if (!has_cluster(d, ZCL_IAS_ZONE))
			step_to(c, d, OCI_INTERVIEW_BIND);
		else if (d->item == 0)
			ask_read(c, d, ZCL_IAS_ZONE, zone, 1);
		else
			write_cie(c, d);
		break;
	case OCI_INTERVIEW_BIND:
		if (d->item == 0 && d->step_tries <= 1)
			(void)oci_effect(c, OCI_DESCRIBED, d);
		if (cluster == 0xffff)
			step_to(c, d, OCI_INTERVIEW_REPORTING);
		else
			ask_bind(c, d, cluster);
		break;
	case OCI_INTERVIEW_REPORTING:
		if (cluster == 0xffff)
			step_to(c, d, OCI_INTERVIEW_READ);
		else
			ask_reporting(c, d, cluster);
		break;
	case OCI_INTERVIEW_READ:
		if (cluster == 0xffff)
			step_to(c, d, OCI_INTERVIEW_DONE);
		else
			ask_values(c, d, cluster);
		break;
	case OCI_INTERVIEW_DONE:
		d->step_at = CLOCK_NEVER;
		oci_log(c, d, "interviewed: %s %s, %zu clusters", d->manufacturer, d->model, d->cluster_count);
		oci_event(c, d, "interviewed");
		break;
	}
}

/* What is not answered in three tries is left out, but endpoints and descriptor: without them there is nothing to go on with. */
static void give_up(struct oci_core *c, struct oci_device *d)
{
	switch (d->interview) {
	case OCI_INTERVIEW_WAITING:
	case OCI_INTERVIEW_ENDPOINTS:
	case OCI_INTERVIEW_SIMPLE:
		d->step_tries = 0;
		d->step_at = c->now + 10 * STEP_MS;
		oci_log(c, d, "the device does not answer its interview");
		break;
	case OCI_INTERVIEW_BASIC:
		step_to(c, d, OCI_INTERVIEW_ZONE);
		break;
	case OCI_INTERVIEW_ZONE:
		if (d->item == 0)
			next_item(c, d);
		else
			step_to(c, d, OCI_INTERVIEW_BIND);
		break;
	case OCI_INTERVIEW_BIND:
	case OCI_INTERVIEW_REPORTING:
	case OCI_INTERVIEW_READ:
		next_item(c, d);
		break;
	case OCI_INTERVIEW_DONE:
		break;
	}
}

void oci_interview_step(struct oci_core *c, struct oci_device *d)
{
	if (d->interview != OCI_INTERVIEW_WAITING && d->step_tries++ >= STEP_TRIES) {
		give_up(c, d);
		return;
	}
	d->step_at = c->now + (d->capability & 0x08 ? STEP_MS : STEP_SLEEPY_MS);
	ask(c, d);
}

static void take_simple(struct oci_core *c, struct oci_device *d, const struct zdo_message *m)
{
	d->zcl_device = m->simple.device;
	d->cluster_count = 0;
	for (size_t i = 0; i < m->simple.in_count && d->cluster_count < OCI_CLUSTERS; i++)
		d->clusters[d->cluster_count++] = m->simple.in[i];
	step_to(c, d, OCI_INTERVIEW_BASIC);
}

static void on_response(struct oci_core *c, struct oci_device *d, const struct zdo_message *m)
{
	if (m->sequence != d->asked_sequence)
		return;
	if (m->cluster == (ZDO_ACTIVE_EP | ZDO_RESPONSE) && d->interview == OCI_INTERVIEW_ENDPOINTS && m->endpoint_count > 0) {
		d->endpoint = m->endpoints[0];
		step_to(c, d, OCI_INTERVIEW_SIMPLE);
	} else if (m->cluster == (ZDO_SIMPLE_DESC | ZDO_RESPONSE) && d->interview == OCI_INTERVIEW_SIMPLE && m->status == ZDO_SUCCESS) {
		take_simple(c, d, m);
	} else if (m->cluster == (ZDO_BIND | ZDO_RESPONSE) && d->interview == OCI_INTERVIEW_BIND) {
		next_item(c, d);
	}
}

void oci_zdo_input(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, struct rd payload)
{
	struct zdo_message m;
	enum err e = zdo_decode(f->cluster, payload, &m);

	if (e == ERR_UNSUPPORTED && !(f->cluster & ZDO_RESPONSE) && f->delivery == APS_UNICAST) {
		uint8_t buffer[4];
		struct wr w = wr_of(buffer, sizeof buffer);
		struct aps_frame answer = {.type = APS_DATA, .cluster = f->cluster | ZDO_RESPONSE, .profile = APS_PROFILE_ZDP};

		zdo_not_supported(m.sequence, &w);
		if (wr_done(&w, &answer.payload))
			oci_aps_send(c, d, &answer);
	}
	if (e != OK)
		return;
	if (f->cluster & ZDO_RESPONSE)
		on_response(c, d, &m);
	else
		on_request(c, d, f, &m);
}

/* ---- values ---- */

static void value(struct oci_core *c, struct oci_device *d, uint16_t cluster, uint16_t attribute, const struct zcl_value *v)
{
	const struct mapping *m = mapping_find(cluster, attribute, d->zone_type);
	struct oci_effect *e;
	char text[64];
	struct wr w = wr_of(text, sizeof text - 1);

	if (!m || !mapping_value(m, v, &w))
		return;
	text[w.len] = '\0';
	if (cluster == ZCL_ON_OFF && attribute == 0) {
		d->on = v->number != 0;
		d->on_known = true;
		if (d->commanding && d->on == d->wanted_on)
			d->commanding = false;
		if (d->commanding)
			return; /* a report that left before our command arrived */
	}
	e = oci_effect(c, OCI_VALUE, d);
	e->mapping = m;
	snprintf(e->text, sizeof e->text, "%s", text);
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
	to[n] = '\0';
}

static void on_read_response(struct oci_core *c, struct oci_device *d, uint16_t cluster, const struct zcl_frame *z)
{
	struct rd in = z->payload;
	struct zcl_record r;

	while (zcl_read_response_next(&in, &r)) {
		if (r.status != ZCL_SUCCESS)
			continue;
		if (cluster == ZCL_BASIC && r.attribute == 0x0004)
			copy_name(d->manufacturer, sizeof d->manufacturer, &r.value);
		else if (cluster == ZCL_BASIC && r.attribute == 0x0005)
			copy_name(d->model, sizeof d->model, &r.value);
		else if (cluster == ZCL_IAS_ZONE && r.attribute == 0x0001)
			d->zone_type = (uint16_t)r.value.number;
		else
			value(c, d, cluster, r.attribute, &r.value);
	}
	if (z->sequence != d->asked_sequence)
		return;
	if (d->interview == OCI_INTERVIEW_BASIC)
		step_to(c, d, OCI_INTERVIEW_ZONE);
	else if (d->interview == OCI_INTERVIEW_ZONE && d->item == 0)
		next_item(c, d);
	else if (d->interview == OCI_INTERVIEW_READ)
		next_item(c, d);
}

static void on_report(struct oci_core *c, struct oci_device *d, uint16_t cluster, const struct zcl_frame *z)
{
	struct rd in = z->payload;
	struct zcl_record r;

	while (zcl_report_next(&in, &r))
		value(c, d, cluster, r.attribute, &r.value);
}

static void on_default_response(struct oci_core *c, struct oci_device *d, const struct zcl_frame *z)
{
	struct rd in = z->payload;
	struct zcl_value v = {.type = ZCL_BOOL};
	uint8_t command, status;

	if (!rd_u8(&in, &command) || !rd_u8(&in, &status))
		return;
	if (d->commanding && z->sequence == d->command_sequence) {
		d->commanding = false;
		if (status != ZCL_SUCCESS)
			oci_log(c, d, "the device refused a command: status %02x", status);
		v.number = status == ZCL_SUCCESS ? d->wanted_on : d->on;
		value(c, d, ZCL_ON_OFF, 0, &v);
	} else if (z->sequence == d->asked_sequence && d->interview != OCI_INTERVIEW_DONE && d->interview != OCI_INTERVIEW_WAITING) {
		give_up(c, d); /* it does not support what was asked */
	}
}

static void on_global(struct oci_core *c, struct oci_device *d, uint16_t cluster, const struct zcl_frame *z)
{
	bool asked = z->sequence == d->asked_sequence;

	switch (z->command) {
	case ZCL_READ_RESPONSE:
		on_read_response(c, d, cluster, z);
		break;
	case ZCL_REPORT:
		on_report(c, d, cluster, z);
		break;
	case ZCL_WRITE_RESPONSE:
		if (asked && d->interview == OCI_INTERVIEW_ZONE && d->item == 1)
			step_to(c, d, OCI_INTERVIEW_BIND);
		break;
	case ZCL_CONFIGURE_REPORTING_RESPONSE:
		if (asked && d->interview == OCI_INTERVIEW_REPORTING)
			next_item(c, d);
		break;
	case ZCL_DEFAULT_RESPONSE:
		on_default_response(c, d, z);
		break;
	default:
		break;
	}
}

static void on_zone(struct oci_core *c, struct oci_device *d, const struct zcl_frame *z)
{
	static const uint8_t accepted[] = {0, 1}; /* success, zone 1 */
	struct zcl_value v = {.type = ZCL_BITMAP16};
	struct rd in = z->payload;
	uint16_t status;

	if (z->command == ZCL_IAS_ENROLL_REQUEST) {
		if (rd_le16(&in, &status) && d->zone_type == 0)
			d->zone_type = status;
		(void)oci_zcl_send(c, d, ZCL_IAS_ZONE, ZCL_CLUSTER, ZCL_IAS_ENROLL_RESPONSE, rd_of(accepted, sizeof accepted));
	} else if (z->command == ZCL_IAS_STATUS_CHANGE && rd_le16(&in, &status)) {
		v.number = status;
		value(c, d, ZCL_IAS_ZONE, 0x0002, &v);
	}
}

void oci_zcl_input(struct oci_core *c, struct oci_device *d, const struct aps_frame *f, struct rd payload)
{
	struct zcl_frame z;

	if (f->profile != APS_PROFILE_HOME_AUTOMATION || zcl_decode(payload, &z) != OK || !z.from_server)
		return;
	if (z.type == ZCL_GLOBAL)
		on_global(c, d, f->cluster, &z);
	else if (f->cluster == ZCL_IAS_ZONE)
		on_zone(c, d, &z);
}

void oci_core_switch(struct oci_core *c, uint64_t now, uint64_t eui64, bool on)
{
	struct oci_device *d = oci_core_device(c, eui64);

	c->now = now;
	if (!d || !has_cluster(d, ZCL_ON_OFF))
		return;
	if (d->on_known && !d->commanding && d->on == on)
		return; /* our own mirror of what the device said */
	d->commanding = true;
	d->wanted_on = on;
	d->command_until = now + COMMAND_MS;
	d->command_sequence = oci_zcl_send(c, d, ZCL_ON_OFF, ZCL_CLUSTER, on ? ZCL_ON_OFF_ON : ZCL_ON_OFF_OFF, rd_of(NULL, 0));
}
