/* The simulated device's application: ZDO server, ZCL server, reporting, and what it senses. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "sim/device_private.h"

#define MANUFACTURER "Keyway Simulated"
#define DRIFT_MS 4000
#define TICK_MS 1000
#define WATTS_ON 42

struct kind_data {
	const char *model;
	uint16_t device;
	uint8_t cluster_count;
	uint16_t clusters[8];
	uint16_t zone_type;
};

static const struct kind_data kinds[] = {
	[SIM_THERMOMETER] = {"KW-TH1", 0x0302, 5, {ZCL_BASIC, ZCL_POWER, ZCL_IDENTIFY, ZCL_TEMPERATURE, ZCL_HUMIDITY}, 0},
	[SIM_PLUG] = {"KW-PLUG1", 0x0051, 4, {ZCL_BASIC, ZCL_IDENTIFY, ZCL_ON_OFF, ZCL_METERING}, 0},
	[SIM_CONTACT] = {"KW-DOOR1", 0x0402, 4, {ZCL_BASIC, ZCL_POWER, ZCL_IDENTIFY, ZCL_IAS_ZONE}, 0x0015},
	[SIM_VIBRATION] = {"KW-VIB1", 0x0402, 4, {ZCL_BASIC, ZCL_POWER, ZCL_IDENTIFY, ZCL_IAS_ZONE}, 0x002d},
};

static bool has_cluster(const struct sim_device *d, uint16_t cluster)
{
	const struct kind_data *k = &kinds[d->config.kind];

	for (size_t i = 0; i < k->cluster_count; i++)
		if (k->clusters[i] == cluster)
			return true;
	return false;
}

/* ---- attributes ---- */

static bool text(struct zcl_value *v, const char *value)
{
	v->type = ZCL_CHAR_STRING;
	v->octets = rd_str(value);
	return true;
}

static bool number(struct zcl_value *v, uint8_t type, uint64_t value)
{
	v->type = type;
	v->number = value;
	return true;
}

static bool basic(const struct sim_device *d, uint16_t attribute, struct zcl_value *v)
{
	switch (attribute) {
	case 0x0000:
		return number(v, ZCL_UINT8, 8);
	case 0x0001:
		return number(v, ZCL_UINT8, 1);
	case 0x0004:
		return text(v, MANUFACTURER);
	case 0x0005:
		return text(v, kinds[d->config.kind].model);
	case 0x0007:
		return number(v, ZCL_ENUM8, d->config.sleepy ? 3 : 1);
	default:
		return false;
	}
}

static bool attribute_get(const struct sim_device *d, uint16_t cluster, uint16_t attribute, struct zcl_value *v)
{
	const struct zcl_value empty = {.type = ZCL_NO_DATA};

	*v = empty;
	if (!has_cluster(d, cluster))
		return false;
	switch (cluster) {
	case ZCL_BASIC:
		return basic(d, attribute, v);
	case ZCL_POWER:
		return attribute == 0x0021 ? number(v, ZCL_UINT8, 184) : attribute == 0x0020 && number(v, ZCL_UINT8, 30);
	case ZCL_IDENTIFY:
		return attribute == 0 && number(v, ZCL_UINT16, 0);
	case ZCL_ON_OFF:
		return attribute == 0 && number(v, ZCL_BOOL, d->on);
	case ZCL_TEMPERATURE:
		return attribute == 0 ? number(v, ZCL_INT16, (uint16_t)d->temperature) : attribute == 1 ? number(v, ZCL_INT16, (uint16_t)-4000) : attribute == 2 && number(v, ZCL_INT16, 12500);
	case ZCL_HUMIDITY:
		return attribute == 0 && number(v, ZCL_UINT16, d->humidity);
	case ZCL_IAS_ZONE:
		switch (attribute) {
		case 0x0000:
			return number(v, ZCL_ENUM8, d->enrolled);
		case 0x0001:
			return number(v, ZCL_ENUM16, kinds[d->config.kind].zone_type);
		case 0x0002:
			return number(v, ZCL_BITMAP16, d->alarm);
		case 0x0010:
			return number(v, ZCL_EUI64, d->cie);
		default:
			return false;
		}
	case ZCL_METERING:
		switch (attribute) {
		case 0x0000:
			return number(v, 0x25, d->energy);
		case 0x0301:
			return number(v, ZCL_UINT24, 1);
		case 0x0302:
			return number(v, ZCL_UINT24, 1000);
		case 0x0400:
			return number(v, ZCL_INT24, d->on ? WATTS_ON : 0);
		default:
			return false;
		}
	default:
		return false;
	}
}

/* ---- ZDO ---- */

static void node_descriptor(const struct sim_device *d, struct zdo_node_descriptor *n)
{
	*n = (struct zdo_node_descriptor){
		.logical_type = ZDO_END_DEVICE,
		.frequency = 8,
		.capability = MAC_CAPABILITY_ALLOCATE_ADDRESS | (d->config.sleepy ? 0 : MAC_CAPABILITY_RX_ON_WHEN_IDLE),
		.manufacturer = 0x1234,
		.buffer_size = 82,
		.incoming_size = 82,
		.server_mask = 22 << 9,
		.outgoing_size = 82,
	};
}

static void match(const struct sim_device *d, const struct zdo_message *rq, struct zdo_message *m)
{
	bool found = false;

	for (size_t i = 0; i < rq->simple.in_count; i++)
		found = found || has_cluster(d, rq->simple.in[i]);
	m->short_address = d->short_address;
	if (rq->simple.profile == APS_PROFILE_HOME_AUTOMATION && found) {
		m->endpoint_count = 1;
		m->endpoints[0] = DEVICE_ENDPOINT;
	}
}

static void simple_descriptor(const struct sim_device *d, const struct zdo_message *rq, struct zdo_message *m)
{
	const struct kind_data *k = &kinds[d->config.kind];

	m->short_address = d->short_address;
	if (rq->endpoint != DEVICE_ENDPOINT) {
		m->status = rq->endpoint == 0 ? ZDO_INVALID_EP : ZDO_NOT_ACTIVE;
		return;
	}
	m->simple.endpoint = DEVICE_ENDPOINT;
	m->simple.profile = APS_PROFILE_HOME_AUTOMATION;
	m->simple.device = k->device;
	m->simple.version = 1;
	m->simple.in_count = k->cluster_count;
	memcpy(m->simple.in, k->clusters, k->cluster_count * sizeof k->clusters[0]);
}

static void bind(struct sim_device *d, const struct zdo_message *rq, struct zdo_message *m, bool add)
{
	for (size_t i = 0; i < d->binding_count; i++) {
		if (d->bindings[i].cluster != rq->bind.cluster || d->bindings[i].destination != rq->bind.destination)
			continue;
		if (!add)
			d->bindings[i] = d->bindings[--d->binding_count];
		device_save(d);
		return;
	}
	if (!add) {
		m->status = ZDO_NO_ENTRY;
	} else if (rq->bind.source != d->config.eui64 || !has_cluster(d, rq->bind.cluster)) {
		m->status = ZDO_INVALID_EP;
	} else if (d->binding_count == DEVICE_BINDINGS) {
		m->status = ZDO_TABLE_FULL;
	} else {
		d->bindings[d->binding_count++] = (struct binding){rq->bind.cluster, rq->bind.destination, rq->bind.destination_endpoint};
		device_save(d);
	}
}

static void not_supported(struct sim_device *d, const struct aps_frame *request, uint8_t sequence)
{
	uint8_t buffer[4];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {.type = APS_DATA, .cluster = request->cluster | ZDO_RESPONSE, .profile = APS_PROFILE_ZDP, .ack_request = true};

	zdo_not_supported(sequence, &w);
	if (request->delivery == APS_UNICAST && wr_done(&w, &f.payload))
		device_aps_send(d, NWK_COORDINATOR, &f, false);
}

void device_zdo_input(struct sim_device *d, const struct aps_frame *f, struct rd payload)
{
	struct zdo_message rq, m = {.status = ZDO_SUCCESS};
	enum err e = zdo_decode(f->cluster, payload, &rq);

	if (e == ERR_UNSUPPORTED && !(f->cluster & ZDO_RESPONSE)) {
		not_supported(d, f, rq.sequence);
		return;
	}
	if (e != OK)
		return;
	if (f->cluster == (ZDO_NODE_DESC | ZDO_RESPONSE)) {
		device_node_known(d, &rq);
		return;
	}
	if (f->cluster & ZDO_RESPONSE)
		return;
	m.cluster = f->cluster | ZDO_RESPONSE;
	m.sequence = rq.sequence;
	m.short_address = d->short_address;
	m.eui64 = d->config.eui64;
	switch (f->cluster) {
	case ZDO_NWK_ADDR:
		if (rq.eui64 != d->config.eui64)
			return;
		break;
	case ZDO_IEEE_ADDR:
		break;
	case ZDO_NODE_DESC:
		node_descriptor(d, &m.node);
		break;
	case ZDO_POWER_DESC:
		m.power = d->config.sleepy ? 0xc440 : 0xc110;
		break;
	case ZDO_SIMPLE_DESC:
		simple_descriptor(d, &rq, &m);
		break;
	case ZDO_ACTIVE_EP:
		m.endpoint_count = 1;
		m.endpoints[0] = DEVICE_ENDPOINT;
		break;
	case ZDO_MATCH_DESC:
		match(d, &rq, &m);
		if (m.endpoint_count == 0 && f->delivery != APS_UNICAST)
			return;
		break;
	case ZDO_BIND:
	case ZDO_UNBIND:
		bind(d, &rq, &m, f->cluster == ZDO_BIND);
		break;
	case ZDO_MGMT_LEAVE:
		device_zdo_send(d, NWK_COORDINATOR, &m, true);
		device_leave(d, "Mgmt_Leave", true);
		return;
	default:
		return; /* announcements of others, permit joining: nothing to answer for an end device */
	}
	device_zdo_send(d, NWK_COORDINATOR, &m, true);
}

/* ---- ZCL ---- */

static void zcl_send(struct sim_device *d, uint16_t cluster, const struct zcl_frame *z, bool ack)
{
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {
		.type = APS_DATA,
		.ack_request = ack,
		.destination_endpoint = 1,
		.source_endpoint = DEVICE_ENDPOINT,
		.cluster = cluster,
		.profile = APS_PROFILE_HOME_AUTOMATION,
	};

	if (zcl_encode(z, &w) == OK && wr_done(&w, &f.payload))
		device_aps_send(d, NWK_COORDINATOR, &f, false);
}

static void answer(struct sim_device *d, uint16_t cluster, const struct zcl_frame *rq, uint8_t command, struct wr *w)
{
	struct zcl_frame z = {.type = ZCL_GLOBAL, .from_server = true, .disable_default_response = true, .sequence = rq->sequence, .command = command};

	if (wr_done(w, &z.payload))
		zcl_send(d, cluster, &z, true);
}

static void default_response(struct sim_device *d, uint16_t cluster, const struct zcl_frame *rq, uint8_t status)
{
	uint8_t buffer[2];
	struct wr w = wr_of(buffer, sizeof buffer);

	if (status == ZCL_SUCCESS && rq->disable_default_response)
		return;
	wr_u8(&w, rq->command);
	wr_u8(&w, status);
	answer(d, cluster, rq, ZCL_DEFAULT_RESPONSE, &w);
}

static void on_read(struct sim_device *d, uint16_t cluster, const struct zcl_frame *rq)
{
	uint8_t buffer[80];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rq->payload;
	struct zcl_record r;
	struct zcl_value v;

	while (zcl_read_next(&in, &r)) {
		bool known = attribute_get(d, cluster, r.attribute, &v);

		zcl_read_response_put(&w, r.attribute, known ? ZCL_SUCCESS : ZCL_UNSUPPORTED_ATTRIBUTE, &v);
	}
	answer(d, cluster, rq, ZCL_READ_RESPONSE, &w);
}

static void enroll_request(struct sim_device *d)
{
	uint8_t buffer[4];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct zcl_frame z = {.type = ZCL_CLUSTER, .from_server = true, .sequence = d->zcl_sequence++, .command = ZCL_IAS_ENROLL_REQUEST};

	wr_le16(&w, kinds[d->config.kind].zone_type);
	wr_le16(&w, 0x1234);
	if (wr_done(&w, &z.payload))
		zcl_send(d, ZCL_IAS_ZONE, &z, true);
}

static void on_write(struct sim_device *d, uint16_t cluster, const struct zcl_frame *rq)
{
	uint8_t buffer[64];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rq->payload;
	struct zcl_record r;
	struct zcl_value v;
	bool cie = false, failed = false;

	while (zcl_report_next(&in, &r)) {
		uint8_t status = !attribute_get(d, cluster, r.attribute, &v) ? ZCL_UNSUPPORTED_ATTRIBUTE : ZCL_READ_ONLY;

		if (cluster == ZCL_IAS_ZONE && r.attribute == 0x0010 && r.value.type == ZCL_EUI64) {
			d->cie = r.value.number;
			cie = true;
			status = ZCL_SUCCESS;
		} else if (cluster == ZCL_IDENTIFY && r.attribute == 0) {
			status = ZCL_SUCCESS;
		}
		if (status == ZCL_SUCCESS)
			continue;
		failed = true;
		wr_u8(&w, status);
		wr_le16(&w, r.attribute);
	}
	if (!failed)
		wr_u8(&w, ZCL_SUCCESS);
	if (rq->command != ZCL_WRITE_NO_RESPONSE)
		answer(d, cluster, rq, ZCL_WRITE_RESPONSE, &w);
	if (cie) {
		device_save(d);
		enroll_request(d);
	}
}

static uint8_t configure(struct sim_device *d, uint16_t cluster, const struct zcl_record *r)
{
	struct reporting *slot = NULL;
	struct zcl_value v;

	if (!attribute_get(d, cluster, r->attribute, &v))
		return ZCL_UNSUPPORTED_ATTRIBUTE;
	if (v.type != r->type)
		return ZCL_INVALID_DATA_TYPE;
	for (size_t i = 0; i < d->report_count; i++)
		if (d->reports[i].cluster == cluster && d->reports[i].attribute == r->attribute)
			slot = &d->reports[i];
	if (!slot && d->report_count < DEVICE_REPORTS)
		slot = &d->reports[d->report_count++];
	if (!slot)
		return ZCL_FAILURE;
	*slot = (struct reporting){.cluster = cluster, .attribute = r->attribute, .type = r->type, .minimum_s = r->minimum_s, .maximum_s = r->maximum_s, .change = r->change.number};
	return ZCL_SUCCESS;
}

static void on_configure(struct sim_device *d, uint16_t cluster, const struct zcl_frame *rq)
{
	uint8_t buffer[64];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rq->payload;
	struct zcl_record r;
	bool failed = false;

	while (zcl_configure_next(&in, &r)) {
		uint8_t status = r.direction ? ZCL_SUCCESS : configure(d, cluster, &r);

		if (status == ZCL_SUCCESS)
			continue;
		failed = true;
		wr_u8(&w, status);
		wr_u8(&w, r.direction);
		wr_le16(&w, r.attribute);
	}
	if (!failed)
		wr_u8(&w, ZCL_SUCCESS);
	answer(d, cluster, rq, ZCL_CONFIGURE_REPORTING_RESPONSE, &w);
	device_save(d);
}

static void on_discover(struct sim_device *d, uint16_t cluster, const struct zcl_frame *rq)
{
	uint8_t buffer[80], most;
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rq->payload;
	struct zcl_value v;
	uint16_t start;
	uint8_t n = 0;

	if (!rd_le16(&in, &start) || !rd_u8(&in, &most)) {
		default_response(d, cluster, rq, ZCL_MALFORMED_COMMAND);
		return;
	}
	wr_u8(&w, 1);
	for (uint32_t a = start; a < 0x0500 && n < most && n < 20; a++) {
		if (!attribute_get(d, cluster, (uint16_t)a, &v))
			continue;
		wr_le16(&w, (uint16_t)a);
		wr_u8(&w, v.type);
		n++;
	}
	answer(d, cluster, rq, ZCL_DISCOVER_ATTRIBUTES_RESPONSE, &w);
}

static void on_global(struct sim_device *d, uint16_t cluster, const struct zcl_frame *rq)
{
	switch (rq->command) {
	case ZCL_READ:
		on_read(d, cluster, rq);
		break;
	case ZCL_WRITE:
	case ZCL_WRITE_UNDIVIDED:
	case ZCL_WRITE_NO_RESPONSE:
		on_write(d, cluster, rq);
		break;
	case ZCL_CONFIGURE_REPORTING:
		on_configure(d, cluster, rq);
		break;
	case ZCL_DISCOVER_ATTRIBUTES:
		on_discover(d, cluster, rq);
		break;
	case ZCL_DEFAULT_RESPONSE:
		break;
	default:
		default_response(d, cluster, rq, ZCL_UNSUP_GENERAL_COMMAND);
		break;
	}
}

static void on_cluster(struct sim_device *d, uint16_t cluster, const struct zcl_frame *rq)
{
	if (cluster == ZCL_ON_OFF && rq->command <= ZCL_ON_OFF_TOGGLE) {
		bool was = d->on;

		d->on = rq->command == ZCL_ON_OFF_TOGGLE ? !d->on : rq->command == ZCL_ON_OFF_ON;
		default_response(d, cluster, rq, ZCL_SUCCESS);
		if (was != d->on) {
			device_event(d, "switched", "\"on\":%s", d->on ? "true" : "false");
			device_save(d);
			device_changed(d, ZCL_ON_OFF, 0);
		}
	} else if (cluster == ZCL_IAS_ZONE && rq->command == ZCL_IAS_ENROLL_RESPONSE) {
		struct rd in = rq->payload;
		uint8_t code = 1;

		if (rd_u8(&in, &code) && code == 0 && !d->enrolled) {
			d->enrolled = true;
			device_event(d, "zone-enrolled", "%s", "");
			device_save(d);
			device_alarm(d, d->alarm);
		}
	} else if (cluster == ZCL_IDENTIFY && rq->command == 0) {
		default_response(d, cluster, rq, ZCL_SUCCESS);
	} else {
		default_response(d, cluster, rq, ZCL_UNSUP_CLUSTER_COMMAND);
	}
}

void device_zcl_input(struct sim_device *d, const struct aps_frame *f, struct rd payload)
{
	struct zcl_frame rq;

	if (f->profile != APS_PROFILE_HOME_AUTOMATION || (f->destination_endpoint != DEVICE_ENDPOINT && f->destination_endpoint != APS_ENDPOINT_BROADCAST) ||
	    zcl_decode(payload, &rq) != OK || rq.from_server)
		return;
	if (!has_cluster(d, f->cluster))
		default_response(d, f->cluster, &rq, ZCL_UNSUPPORTED_CLUSTER);
	else if (rq.type == ZCL_GLOBAL)
		on_global(d, f->cluster, &rq);
	else
		on_cluster(d, f->cluster, &rq);
}

/* ---- reports ---- */

static void report(struct sim_device *d, struct reporting *r)
{
	uint8_t buffer[32];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct zcl_frame z = {.type = ZCL_GLOBAL, .from_server = true, .disable_default_response = true, .sequence = d->zcl_sequence++, .command = ZCL_REPORT};
	struct zcl_value v;

	if (!attribute_get(d, r->cluster, r->attribute, &v))
		return;
	zcl_report_put(&w, r->attribute, &v);
	if (!wr_done(&w, &z.payload))
		return;
	zcl_send(d, r->cluster, &z, true);
	r->last_value = v.number;
	r->last_at = d->now;
	r->ever = true;
}

static bool is_bound(const struct sim_device *d, uint16_t cluster)
{
	for (size_t i = 0; i < d->binding_count; i++)
		if (d->bindings[i].cluster == cluster)
			return true;
	return false;
}

void device_changed(struct sim_device *d, uint16_t cluster, uint16_t attribute)
{
	for (size_t i = 0; i < d->report_count; i++)
		if (d->reports[i].cluster == cluster && d->reports[i].attribute == attribute && is_bound(d, cluster))
			report(d, &d->reports[i]);
}

void device_alarm(struct sim_device *d, bool alarm)
{
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct zcl_frame z = {.type = ZCL_CLUSTER, .from_server = true, .sequence = d->zcl_sequence++, .command = ZCL_IAS_STATUS_CHANGE};

	d->alarm = alarm;
	device_event(d, "alarm", "\"alarm\":%s", alarm ? "true" : "false");
	if (!d->enrolled || !has_cluster(d, ZCL_IAS_ZONE))
		return;
	wr_le16(&w, alarm);
	wr_u8(&w, 0);
	wr_u8(&w, 0);
	wr_le16(&w, 0);
	if (wr_done(&w, &z.payload))
		zcl_send(d, ZCL_IAS_ZONE, &z, true);
}

/* The room breathes a little, so that there is something to watch. */
static void drift(struct sim_device *d)
{
	if (d->now < d->drift_at)
		return;
	d->drift_at = d->now + DRIFT_MS;
	d->temperature = (int16_t)(d->temperature + (int)rng_below(d->config.rng, 41) - 20);
	d->humidity = (uint16_t)(d->humidity + rng_below(d->config.rng, 21) - 10);
}

static uint64_t difference(const struct reporting *r, const struct zcl_value *v)
{
	int64_t by = (int64_t)(v->number - r->last_value);

	return (uint64_t)(by < 0 ? -by : by);
}

static void consider(struct sim_device *d, struct reporting *r)
{
	uint64_t most = d->config.report_s && d->config.report_s < r->maximum_s ? d->config.report_s : r->maximum_s, since = d->now - r->last_at;
	struct zcl_value v;

	if (r->maximum_s == 0xffff || !is_bound(d, r->cluster) || !attribute_get(d, r->cluster, r->attribute, &v))
		return;
	if (!r->ever || (most > 0 && since >= most * 1000) ||
	    (since >= r->minimum_s * 1000ULL && v.number != r->last_value && (zcl_type_is_discrete(r->type) || difference(r, &v) >= r->change)))
		report(d, r);
}

void device_app_tick(struct sim_device *d)
{
	if (d->state != DEVICE_COMMISSIONED || d->now < d->counted_at)
		return;
	d->counted_at = d->now + TICK_MS;
	drift(d);
	if (d->on)
		d->energy += 1; /* faster than life */
	for (size_t i = 0; i < d->report_count; i++)
		consider(d, &d->reports[i]);
}

uint64_t device_app_deadline(const struct sim_device *d)
{
	return d->state == DEVICE_COMMISSIONED ? d->counted_at : CLOCK_NEVER;
}
