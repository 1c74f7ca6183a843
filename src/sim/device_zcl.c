/* The simulated device's ZCL server: foundation commands, IAS zone, identify, poll control. Source: ZCL 07-5123 chapters 2, 3 and 8. */
#include "base/clock.h"
#include "sim/device_private.h"

#define ANSWER_MAX 78 /* the ZCL payload that one frame carries: longer answers are cut at a record */
#define DISCOVER_MOST 20
#define POLL_CHECK_IN 0x00
#define POLL_CHECK_IN_RESPONSE 0x00
#define POLL_FAST_STOP 0x01
#define IDENTIFY_START 0x00
#define IDENTIFY_QUERY 0x01
#define ENROLL_SUCCESS 0x00

void device_zcl_send(struct sim_device *d, uint8_t source, uint16_t destination, uint8_t endpoint, uint16_t cluster, const struct zcl_frame *z)
{
	uint8_t buffer[NWK_FRAME_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame f = {
		.type = APS_DATA,
		.ack_request = true,
		.destination_endpoint = endpoint,
		.source_endpoint = source,
		.cluster = cluster,
		.profile = APS_PROFILE_HOME_AUTOMATION,
	};

	if (zcl_encode(z, &w) == OK && wr_done(&w, &f.payload))
		device_aps_send(d, destination, &f, false);
}

/* A request and where it came from. */
struct request {
	const struct arrival *a;
	uint8_t endpoint;
	uint16_t cluster;
	struct zcl_frame z;
};

static void respond(struct sim_device *d, const struct request *rq, enum zcl_frame_type type, uint8_t command, const struct wr *w)
{
	struct zcl_frame z = {.type = type, .manufacturer_specific = rq->z.manufacturer_specific, .manufacturer = rq->z.manufacturer, .from_server = true,
		.disable_default_response = true, .sequence = rq->z.sequence, .command = command};

	if (wr_done(w, &z.payload))
		device_zcl_send(d, rq->endpoint, rq->a->source, rq->a->f.source_endpoint, rq->cluster, &z);
}

static bool is_unicast(const struct request *rq)
{
	return !rq->a->broadcast && rq->a->f.delivery == APS_UNICAST;
}

/* ZCL 2.5.12.2: of a broadcast nobody hears what became of it. */
static void default_response(struct sim_device *d, const struct request *rq, uint8_t status)
{
	uint8_t buffer[2];
	struct wr w = wr_of(buffer, sizeof buffer);

	if (!is_unicast(rq) || (status == ZCL_SUCCESS && rq->z.disable_default_response))
		return;
	wr_u8(&w, rq->z.command);
	wr_u8(&w, status);
	respond(d, rq, ZCL_GLOBAL, ZCL_DEFAULT_RESPONSE, &w);
}

/* ---- what it tells unasked ---- */

void device_enroll(struct sim_device *d)
{
	uint8_t buffer[4];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct zcl_frame z = {.type = ZCL_CLUSTER, .from_server = true, .sequence = d->zcl_sequence++, .command = ZCL_IAS_ENROLL_REQUEST};

	wr_le16(&w, device_type(d->config.kind)->zone_type);
	wr_le16(&w, 0);
	if (wr_done(&w, &z.payload))
		device_zcl_send(d, device_endpoint_of(d, ZCL_IAS_ZONE), NWK_COORDINATOR, 1, ZCL_IAS_ZONE, &z);
}

void device_check_in(struct sim_device *d)
{
	const struct zcl_frame z = {.type = ZCL_CLUSTER, .from_server = true, .sequence = d->zcl_sequence, .command = POLL_CHECK_IN};
	uint8_t endpoint = device_endpoint_of(d, ZCL_POLL_CONTROL);
	const struct binding *b = device_binding(d, endpoint, ZCL_POLL_CONTROL);

	if (!b || endpoint == 0)
		return;
	d->zcl_sequence++;
	device_event(d, "checked-in", "%s", "");
	device_zcl_send(d, endpoint, NWK_COORDINATOR, b->destination_endpoint, ZCL_POLL_CONTROL, &z);
}

void device_zone(struct sim_device *d, uint16_t zone_status)
{
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct zcl_frame z = {.type = ZCL_CLUSTER, .from_server = true, .sequence = d->zcl_sequence++, .command = ZCL_IAS_STATUS_CHANGE};

	d->zone_status = zone_status;
	device_event(d, "alarm", "\"alarm\":%s,\"status\":%u", zone_status & 1 ? "true" : "false", zone_status);
	if (!d->enrolled || device_endpoint_of(d, ZCL_IAS_ZONE) == 0 || d->state != DEVICE_COMMISSIONED)
		return;
	wr_le16(&w, zone_status);
	wr_u8(&w, 0);   /* extended status */
	wr_u8(&w, 0);   /* zone */
	wr_le16(&w, 0); /* delay */
	if (wr_done(&w, &z.payload))
		device_zcl_send(d, device_endpoint_of(d, ZCL_IAS_ZONE), NWK_COORDINATOR, 1, ZCL_IAS_ZONE, &z);
}

void device_alarm(struct sim_device *d, bool alarm)
{
	device_zone(d, (uint16_t)((d->zone_status & ~1U) | alarm));
}

bool device_press(struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint8_t command)
{
	static const uint8_t level[] = {0, 50, 10, 0}; /* direction, rate or step size, time: as many as a command has */
	struct zcl_frame z = {.type = ZCL_CLUSTER, .sequence = d->zcl_sequence, .command = command};
	const struct binding *b = device_binding(d, endpoint, cluster);

	if (!b || d->state != DEVICE_COMMISSIONED)
		return false;
	d->zcl_sequence++;
	if (cluster == ZCL_LEVEL)
		z.payload = rd_of(level, command == 2 || command == 6 ? 4 : command == 3 || command == 7 ? 0 : 2);
	device_event(d, "pressed", "\"endpoint\":%u,\"cluster\":%u,\"command\":%u", endpoint, cluster, command);
	device_zcl_send(d, endpoint, NWK_COORDINATOR, b->destination_endpoint, cluster, &z);
	return true;
}

/* ---- foundation ---- */

static void on_read(struct sim_device *d, const struct request *rq)
{
	uint8_t buffer[ANSWER_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rq->z.payload;
	struct zcl_record r;

	while (zcl_read_next(&in, &r)) {
		const struct device_attribute *a = device_attribute_find(d, rq->endpoint, rq->cluster, r.attribute);
		struct zcl_value v = {.type = ZCL_NO_DATA};
		struct wr before = w;

		if (a)
			device_attribute_read(d, rq->endpoint, a, &v);
		zcl_read_response_put(&w, r.attribute, a ? ZCL_SUCCESS : ZCL_UNSUPPORTED_ATTRIBUTE, &v);
		if (w.spoilt) {
			w = before;
			break;
		}
	}
	respond(d, rq, ZCL_GLOBAL, ZCL_READ_RESPONSE, &w);
}

/* One pass over the records; false when one was refused. */
static bool write_pass(struct sim_device *d, const struct request *rq, bool try_only, struct wr *w)
{
	struct rd in = rq->z.payload;
	struct zcl_record r;
	bool all = true;

	while (zcl_report_next(&in, &r)) {
		const struct device_attribute *a = device_attribute_find(d, rq->endpoint, rq->cluster, r.attribute);
		uint8_t status = a ? device_attribute_write(d, rq->endpoint, a, &r.value, try_only) : ZCL_UNSUPPORTED_ATTRIBUTE;

		if (status == ZCL_SUCCESS)
			continue;
		all = false;
		wr_u8(w, status);
		wr_le16(w, r.attribute);
	}
	return all;
}

static void on_write(struct sim_device *d, const struct request *rq)
{
	uint8_t buffer[ANSWER_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	uint64_t cie = d->cie;
	bool ok = true;

	if (rq->z.command == ZCL_WRITE_UNDIVIDED)
		ok = write_pass(d, rq, true, &w);
	if (ok && write_pass(d, rq, false, &w))
		wr_u8(&w, ZCL_SUCCESS);
	if (rq->z.command != ZCL_WRITE_NO_RESPONSE)
		respond(d, rq, ZCL_GLOBAL, ZCL_WRITE_RESPONSE, &w);
	if (rq->cluster == ZCL_IAS_ZONE && d->cie != 0 && (d->cie != cie || !d->enrolled))
		device_enroll(d);
}

static void on_configure(struct sim_device *d, const struct request *rq)
{
	uint8_t buffer[ANSWER_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rq->z.payload;
	struct zcl_record r;
	bool failed = false;

	while (zcl_configure_next(&in, &r)) {
		uint8_t status = r.direction ? ZCL_UNSUPPORTED_ATTRIBUTE : device_report_configure(d, rq->endpoint, rq->cluster, &r);

		if (status == ZCL_SUCCESS)
			continue;
		failed = true;
		wr_u8(&w, status);
		wr_u8(&w, r.direction);
		wr_le16(&w, r.attribute);
	}
	if (!rd_end(&in)) {
		default_response(d, rq, ZCL_MALFORMED_COMMAND);
		return;
	}
	if (!failed)
		wr_u8(&w, ZCL_SUCCESS);
	respond(d, rq, ZCL_GLOBAL, ZCL_CONFIGURE_REPORTING_RESPONSE, &w);
	device_save(d);
}

static void reporting_put(const struct sim_device *d, const struct request *rq, uint8_t direction, uint16_t attribute, struct wr *w)
{
	const struct reporting *r = direction ? NULL : device_report_find(d, rq->endpoint, rq->cluster, attribute);
	bool known = device_attribute_find(d, rq->endpoint, rq->cluster, attribute) != NULL;

	wr_u8(w, r ? ZCL_SUCCESS : known ? 0x8b : ZCL_UNSUPPORTED_ATTRIBUTE); /* 0x8b: not found */
	wr_u8(w, direction);
	wr_le16(w, attribute);
	if (!r)
		return;
	wr_u8(w, r->type);
	wr_le16(w, r->minimum_s);
	wr_le16(w, r->maximum_s);
	if (!zcl_type_is_discrete(r->type)) {
		const struct zcl_value change = {.type = r->type, .number = r->change};

		zcl_value_write(&change, w);
	}
}

static void on_read_reporting(struct sim_device *d, const struct request *rq)
{
	uint8_t buffer[ANSWER_MAX], direction;
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rq->z.payload;
	uint16_t attribute;

	while (rd_u8(&in, &direction) && rd_le16(&in, &attribute)) {
		struct wr before = w;

		reporting_put(d, rq, direction, attribute, &w);
		if (w.spoilt) {
			w = before;
			break;
		}
	}
	respond(d, rq, ZCL_GLOBAL, ZCL_READ_REPORTING_RESPONSE, &w);
}

static void on_discover(struct sim_device *d, const struct request *rq)
{
	uint8_t buffer[ANSWER_MAX], most, list[3 * DISCOVER_MOST];
	struct wr w = wr_of(buffer, sizeof buffer), l = wr_of(list, sizeof list);
	struct rd in = rq->z.payload, records;
	const struct device_attribute *a;
	uint16_t start;

	if (!rd_le16(&in, &start) || !rd_u8(&in, &most)) {
		default_response(d, rq, ZCL_MALFORMED_COMMAND);
		return;
	}
	a = device_attribute_next(d, rq->endpoint, rq->cluster, start);
	for (unsigned n = 0; a && n < most && n < DISCOVER_MOST; n++) {
		wr_le16(&l, a->id);
		wr_u8(&l, a->type);
		a = device_attribute_next(d, rq->endpoint, rq->cluster, a->id + 1U);
	}
	wr_u8(&w, a == NULL); /* complete */
	if (wr_done(&l, &records))
		wr_rd(&w, records);
	respond(d, rq, ZCL_GLOBAL, ZCL_DISCOVER_ATTRIBUTES_RESPONSE, &w);
}

static void on_global(struct sim_device *d, const struct request *rq)
{
	switch (rq->z.command) {
	case ZCL_READ:
		on_read(d, rq);
		break;
	case ZCL_WRITE:
	case ZCL_WRITE_UNDIVIDED:
	case ZCL_WRITE_NO_RESPONSE:
		on_write(d, rq);
		break;
	case ZCL_CONFIGURE_REPORTING:
		on_configure(d, rq);
		break;
	case ZCL_READ_REPORTING:
		on_read_reporting(d, rq);
		break;
	case ZCL_DISCOVER_ATTRIBUTES:
		on_discover(d, rq);
		break;
	case ZCL_DEFAULT_RESPONSE:
		break;
	default:
		default_response(d, rq, ZCL_UNSUP_GENERAL_COMMAND);
		break;
	}
}

/* ---- clusters ---- */

static uint8_t on_zone(struct sim_device *d, const struct request *rq)
{
	struct rd in = rq->z.payload;
	uint8_t code, zone;

	if (rq->z.command != ZCL_IAS_ENROLL_RESPONSE)
		return ZCL_UNSUP_CLUSTER_COMMAND;
	if (!rd_u8(&in, &code) || !rd_u8(&in, &zone))
		return ZCL_MALFORMED_COMMAND;
	if (code != ENROLL_SUCCESS || d->enrolled || d->cie == 0) /* ZCL 8.2.2.2.3: the CIE address first */
		return ZCL_SUCCESS;
	d->enrolled = true;
	device_event(d, "zone-enrolled", "\"zone\":%u", zone);
	device_save(d);
	device_zone(d, d->zone_status);
	return ZCL_SUCCESS;
}

static uint8_t on_identify(struct sim_device *d, const struct request *rq)
{
	uint8_t buffer[2];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rq->z.payload;
	uint16_t seconds;

	if (rq->z.command == IDENTIFY_QUERY) {
		wr_le16(&w, d->identify_s);
		if (d->identify_s > 0)
			respond(d, rq, ZCL_CLUSTER, 0, &w);
		return ZCL_SUCCESS;
	}
	if (rq->z.command != IDENTIFY_START)
		return ZCL_UNSUP_CLUSTER_COMMAND;
	if (!rd_le16(&in, &seconds))
		return ZCL_MALFORMED_COMMAND;
	d->identify_s = seconds;
	return ZCL_SUCCESS;
}

static uint8_t on_poll_control(struct sim_device *d, const struct request *rq)
{
	struct rd in = rq->z.payload;
	uint16_t quarters;
	uint8_t fast;

	if (rq->z.command == POLL_FAST_STOP) {
		d->busy_until = d->now;
		device_event(d, "fast-poll", "\"on\":false");
		return ZCL_SUCCESS;
	}
	if (rq->z.command != POLL_CHECK_IN_RESPONSE)
		return ZCL_UNSUP_CLUSTER_COMMAND;
	if (!rd_u8(&in, &fast) || !rd_le16(&in, &quarters))
		return ZCL_MALFORMED_COMMAND;
	if (fast) {
		d->busy_until = d->now + (quarters ? quarters * 250ULL : 10000);
		d->poll_at = d->now;
		device_event(d, "fast-poll", "\"on\":true");
	}
	return ZCL_SUCCESS;
}

static uint8_t on_cluster(struct sim_device *d, const struct request *rq, struct wr *answer)
{
	switch (rq->cluster) {
	case ZCL_IAS_ZONE:
		return on_zone(d, rq);
	case ZCL_IDENTIFY:
		return on_identify(d, rq);
	case ZCL_POLL_CONTROL:
		return on_poll_control(d, rq);
	case ZCL_GROUPS:
		return device_groups_command(d, rq->endpoint, rq->z.command, rq->z.payload, answer);
	case ZCL_SCENES:
		return device_scenes_command(d, rq->endpoint, rq->z.command, rq->z.payload, answer);
	default:
		return device_perform(d, rq->endpoint, rq->cluster, rq->z.command, rq->z.payload, answer);
	}
}

static void on_command(struct sim_device *d, const struct request *rq)
{
	uint8_t buffer[ANSWER_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	uint8_t status = on_cluster(d, rq, &w);

	if (w.len > 0 && (is_unicast(rq) || (rq->cluster != ZCL_GROUPS && rq->cluster != ZCL_SCENES))) /* ZCL 3.6.2.3, 3.7.2.4 */
		respond(d, rq, ZCL_CLUSTER, rq->z.command, &w); /* the response to a command of these clusters has its number */
	else if (w.len == 0)
		default_response(d, rq, status);
	if (d->state == DEVICE_COMMISSIONED)
		device_reports_consider(d);
}

/* Which of its endpoints a frame is for; 0: none. */
static uint8_t endpoint_for(const struct sim_device *d, const struct arrival *a)
{
	uint8_t endpoint = a->f.destination_endpoint;

	if (endpoint == APS_ENDPOINT_BROADCAST)
		return device_endpoint_of(d, a->f.cluster) ? device_endpoint_of(d, a->f.cluster) : device_type(d->config.kind)->endpoints[0].id;
	return device_endpoint(d, endpoint) ? endpoint : 0;
}

/* The one cluster of the manufacturer's own is there for whoever says so. */
static bool manufacturer_fits(const struct request *rq)
{
	return rq->z.manufacturer_specific ? rq->cluster == SIM_OWN_CLUSTER && rq->z.manufacturer == SIM_MANUFACTURER : rq->cluster != SIM_OWN_CLUSTER;
}

/* For one of its endpoints. */
static void input(struct sim_device *d, const struct arrival *a, uint8_t endpoint)
{
	struct request rq = {.a = a, .endpoint = endpoint, .cluster = a->f.cluster};

	if (zcl_decode(a->payload, &rq.z) != OK)
		return;
	if (rq.cluster == ZCL_OTA && device_ota_input(d, &rq.z))
		return;
	if (rq.z.from_server)
		return;
	if (!device_has_cluster(d, rq.endpoint, rq.cluster))
		default_response(d, &rq, ZCL_UNSUPPORTED_CLUSTER);
	else if (!manufacturer_fits(&rq))
		default_response(d, &rq, rq.z.type == ZCL_GLOBAL ? 0x84 : 0x83); /* unsupported manufacturer general or cluster command */
	else if (rq.z.type == ZCL_GLOBAL)
		on_global(d, &rq);
	else
		on_command(d, &rq);
}

void device_zcl_input(struct sim_device *d, const struct arrival *a)
{
	const struct device_type *t = device_type(d->config.kind);
	uint8_t endpoint = endpoint_for(d, a);

	if (a->f.type != APS_DATA || a->f.profile != APS_PROFILE_HOME_AUTOMATION)
		return;
	for (size_t i = 0; a->f.delivery == APS_GROUP && i < t->endpoint_count; i++)
		if (device_in_group(d, t->endpoints[i].id, a->f.group))
			input(d, a, t->endpoints[i].id);
	if (a->f.delivery != APS_GROUP && endpoint != 0)
		input(d, a, endpoint);
}
