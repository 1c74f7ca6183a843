/* The simulated device's client for over-the-air upgrade: asks for the image that it is told of, block by block, looks at it, and starts it. ZCL chapter 11. */
#include <stdio.h>

#include "base/clock.h"
#include "sim/device_private.h"

#define TYPE 1
#define BLOCK 48
#define ANSWER_MS 4000   /* until it asks again */
#define SLEEPY_ANSWER_MS 9000
#define TRIES 5
#define FNV_START 2166136261U
#define FNV_PRIME 16777619U

static uint8_t endpoint_of(const struct sim_device *d)
{
	const struct device_endpoint *e = &device_type(d->config.kind)->endpoints[0];

	for (size_t i = 0; i < e->out_count; i++)
		if (e->out[i] == ZCL_OTA)
			return e->id;
	return 0;
}

static void ask(struct sim_device *d)
{
	struct device_upgrade *u = &d->upgrade;
	struct ota_message m = {.image = {SIM_MANUFACTURER, TYPE, u->state == DEVICE_UPGRADE_ASKING ? d->version : u->version}, .offset = u->offset, .most = BLOCK};
	uint8_t buffer[32], command = u->state == DEVICE_UPGRADE_ASKING ? OTA_QUERY_REQUEST : u->state == DEVICE_UPGRADE_TAKING ? OTA_BLOCK_REQUEST : OTA_END_REQUEST;
	struct wr w = wr_of(buffer, sizeof buffer);
	struct zcl_frame z = {.type = ZCL_CLUSTER, .disable_default_response = true, .sequence = d->zcl_sequence++, .command = command};

	u->again = d->now + (d->config.sleepy ? SLEEPY_ANSWER_MS : ANSWER_MS);
	if (d->config.sleepy)
		d->busy_until = u->again; /* polls fast while an answer is on its way */
	m.status = u->state == DEVICE_UPGRADE_ENDING && u->wrong ? OTA_INVALID_IMAGE : ZCL_SUCCESS;
	if (ota_encode(command, &m, &w) == OK && wr_done(&w, &z.payload))
		device_zcl_send(d, endpoint_of(d), NWK_COORDINATOR, 1, ZCL_OTA, &z);
}

static void give_up(struct sim_device *d, const char *why)
{
	d->upgrade.state = DEVICE_UPGRADE_NONE;
	device_event(d, "upgrade-failed", "\"reason\":\"%s\"", why);
}

static void next(struct sim_device *d, enum device_upgrade_state state)
{
	d->upgrade.state = state;
	d->upgrade.tries = 0;
	ask(d);
}

static void on_query_response(struct sim_device *d, const struct ota_message *m)
{
	struct device_upgrade *u = &d->upgrade;

	if (m->status != ZCL_SUCCESS) {
		give_up(d, "no image");
		return;
	}
	if (m->image.manufacturer != SIM_MANUFACTURER || m->image.type != TYPE || m->size < OTA_HEADER_LEAST || m->size > OTA_IMAGE_MAX) {
		give_up(d, "not for us");
		return;
	}
	u->version = m->image.version;
	u->size = m->size;
	u->offset = 0;
	u->sum = FNV_START;
	u->wrong = false;
	next(d, DEVICE_UPGRADE_TAKING);
}

/* The first block has the magic, or it is no image. */
static void on_block(struct sim_device *d, const struct ota_message *m)
{
	struct device_upgrade *u = &d->upgrade;
	struct rd in = m->data;
	uint32_t magic = OTA_MAGIC;
	uint8_t octet;

	if (m->status != ZCL_SUCCESS) {
		give_up(d, "refused");
		return;
	}
	if (m->offset != u->offset || m->image.version != u->version || m->data.left == 0 || m->data.left > u->size - u->offset)
		return; /* an answer to something else */
	if (u->offset == 0 && (!rd_le32(&in, &magic) || magic != OTA_MAGIC))
		u->wrong = true;
	in = m->data;
	while (rd_u8(&in, &octet))
		u->sum = (u->sum ^ octet) * FNV_PRIME;
	u->offset += (uint32_t)m->data.left;
	next(d, u->offset == u->size || u->wrong ? DEVICE_UPGRADE_ENDING : DEVICE_UPGRADE_TAKING);
}

static void on_end(struct sim_device *d)
{
	struct device_upgrade *u = &d->upgrade;

	u->state = DEVICE_UPGRADE_NONE;
	d->version = u->version;
	snprintf(d->build, sizeof d->build, "%u", (unsigned)d->version);
	device_event(d, "upgraded", "\"version\":%u,\"octets\":%u,\"sum\":%u", (unsigned)u->version, (unsigned)u->size, (unsigned)u->sum);
	device_save(d);
}

bool device_ota_input(struct sim_device *d, const struct zcl_frame *z)
{
	struct ota_message m;

	if (endpoint_of(d) == 0 || z->type != ZCL_CLUSTER || !z->from_server || ota_decode(z->command, z->payload, &m) != OK)
		return false;
	if (z->command == OTA_IMAGE_NOTIFY && d->upgrade.state == DEVICE_UPGRADE_NONE)
		next(d, DEVICE_UPGRADE_ASKING);
	else if (z->command == OTA_QUERY_RESPONSE && d->upgrade.state == DEVICE_UPGRADE_ASKING)
		on_query_response(d, &m);
	else if (z->command == OTA_BLOCK_RESPONSE && d->upgrade.state == DEVICE_UPGRADE_TAKING)
		on_block(d, &m);
	else if (z->command == OTA_END_RESPONSE && d->upgrade.state == DEVICE_UPGRADE_ENDING && !d->upgrade.wrong)
		on_end(d);
	return true;
}

void device_ota_tick(struct sim_device *d)
{
	struct device_upgrade *u = &d->upgrade;

	if (u->state == DEVICE_UPGRADE_NONE || d->now < u->again)
		return;
	if (u->state == DEVICE_UPGRADE_ENDING && u->wrong)
		give_up(d, "no image at all");
	else if (++u->tries < TRIES)
		ask(d);
	else
		give_up(d, "no answer");
}
