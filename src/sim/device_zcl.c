/* The simulated device's ZCL: what it tells unasked, and the commands of its clusters (IAS zone, identify, poll control; others are in files of their own).
 * Source: ZCL 07-5123 chapters 3 and 8. */
#include "base/clock.h"
#include "sim/device_private.h"

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

void device_zcl_respond(struct sim_device *d, const struct device_request *rq, enum zcl_frame_type type, uint8_t command, const struct wr *w)
{
	struct zcl_frame z = {.type = type, .manufacturer_specific = rq->z.manufacturer_specific, .manufacturer = rq->z.manufacturer, .from_server = true,
		.disable_default_response = true, .sequence = rq->z.sequence, .command = command};

	if (wr_done(w, &z.payload))
		device_zcl_send(d, rq->endpoint, rq->a->source, rq->a->f.source_endpoint, rq->cluster, &z);
}

static bool is_unicast(const struct device_request *rq)
{
	return !rq->a->broadcast && rq->a->f.delivery == APS_UNICAST;
}

void device_zcl_default(struct sim_device *d, const struct device_request *rq, uint8_t status)
{
	uint8_t buffer[2];
	struct wr w = wr_of(buffer, sizeof buffer);

	if (!is_unicast(rq) || (status == ZCL_SUCCESS && rq->z.disable_default_response))
		return;
	wr_u8(&w, rq->z.command);
	wr_u8(&w, status);
	device_zcl_respond(d, rq, ZCL_GLOBAL, ZCL_DEFAULT_RESPONSE, &w);
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

/* ---- clusters ---- */

static uint8_t on_zone(struct sim_device *d, const struct device_request *rq)
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

static uint8_t on_identify(struct sim_device *d, const struct device_request *rq)
{
	uint8_t buffer[2];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rq->z.payload;
	uint16_t seconds;

	if (rq->z.command == IDENTIFY_QUERY) {
		wr_le16(&w, d->identify_s);
		if (d->identify_s > 0)
			device_zcl_respond(d, rq, ZCL_CLUSTER, 0, &w);
		return ZCL_SUCCESS;
	}
	if (rq->z.command != IDENTIFY_START)
		return ZCL_UNSUP_CLUSTER_COMMAND;
	if (!rd_le16(&in, &seconds))
		return ZCL_MALFORMED_COMMAND;
	d->identify_s = seconds;
	return ZCL_SUCCESS;
}

static uint8_t on_poll_control(struct sim_device *d, const struct device_request *rq)
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

static uint8_t on_cluster(struct sim_device *d, const struct device_request *rq, struct wr *answer)
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

static void on_command(struct sim_device *d, const struct device_request *rq)
{
	uint8_t buffer[DEVICE_ANSWER];
	struct wr w = wr_of(buffer, sizeof buffer);
	uint8_t status = on_cluster(d, rq, &w);

	if (w.len > 0 && (is_unicast(rq) || (rq->cluster != ZCL_GROUPS && rq->cluster != ZCL_SCENES))) /* ZCL 3.6.2.3, 3.7.2.4 */
		device_zcl_respond(d, rq, ZCL_CLUSTER, rq->z.command, &w); /* the response to a command of these clusters has its number */
	else if (w.len == 0)
		device_zcl_default(d, rq, status);
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
static bool manufacturer_fits(const struct device_request *rq)
{
	return rq->z.manufacturer_specific ? rq->cluster == SIM_OWN_CLUSTER && rq->z.manufacturer == SIM_MANUFACTURER : rq->cluster != SIM_OWN_CLUSTER;
}

/* For one of its endpoints. */
static void input(struct sim_device *d, const struct arrival *a, uint8_t endpoint)
{
	struct device_request rq = {.a = a, .endpoint = endpoint, .cluster = a->f.cluster};

	if (zcl_decode(a->payload, &rq.z) != OK)
		return;
	if (rq.cluster == ZCL_OTA && device_ota_input(d, &rq.z))
		return;
	if (rq.z.from_server)
		return;
	if (!device_has_cluster(d, rq.endpoint, rq.cluster))
		device_zcl_default(d, &rq, ZCL_UNSUPPORTED_CLUSTER);
	else if (!manufacturer_fits(&rq))
		device_zcl_default(d, &rq, rq.z.type == ZCL_GLOBAL ? 0x84 : 0x83); /* unsupported manufacturer general or cluster command */
	else if (rq.z.type == ZCL_GLOBAL)
		device_foundation(d, &rq);
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
