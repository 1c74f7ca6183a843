/* The server of over-the-air upgrades: a device asks for its image block by block, each block sealed like every other frame, so that nobody between
 * node B and the device sees it. Source: ZCL 07-5123 clause 11.13. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "oci/core_private.h"

#define BLOCK_MOST 48          /* octets of the image in a frame: what fits with room for longer headers */
#define SILENCE_MS 600000      /* a sleeper asks slowly, but it asks */
#define AGAIN_MS 2000          /* after an upgrade: until it is back and says its new version */
#define PER_CENT_STEP 25

static void tell(struct oci_core *c, struct oci_device *d, enum oci_ota_state state, const char *text)
{
	struct oci_effect *e = oci_effect(c, OCI_OTA, d);

	e->ota = state;
	snprintf(e->text, sizeof e->text, "%s", text);
}

static void send(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint8_t sequence, uint8_t command, const struct ota_message *m)
{
	uint8_t buffer[100];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct zcl_frame z = {.type = ZCL_CLUSTER, .from_server = true, .disable_default_response = true, .sequence = sequence, .command = command};

	if (ota_encode(command, m, &w) == OK && wr_done(&w, &z.payload))
		(void)oci_zcl_send(c, d, endpoint, ZCL_OTA, &z);
}

static uint8_t client_endpoint(const struct oci_device *d)
{
	for (size_t i = 0; i < d->endpoint_count; i++)
		for (size_t k = 0; k < d->endpoints[i].out_count; k++)
			if (d->endpoints[i].out[k] == ZCL_OTA)
				return d->endpoints[i].id;
	return 0;
}

bool oci_device_upgrades(const struct oci_device *d)
{
	return client_endpoint(d) != 0;
}

enum err oci_core_ota(struct oci_core *c, uint64_t now, uint64_t eui64, const struct oci_image *image)
{
	struct oci_device *d = oci_core_device(c, eui64);
	struct ota_message m = {.jitter = 100};

	c->now = now;
	if (!d)
		return ERR_UNKNOWN_DEVICE;
	memset(&d->ota, 0, sizeof d->ota);
	if (!image)
		return OK;
	if (!oci_device_upgrades(d))
		return ERR_UNSUPPORTED;
	if (image->header.has_destination && image->header.destination != d->eui64)
		return ERR_NOT_PERMITTED;
	d->ota.image = image;
	d->ota.heard_at = now;
	m.image = image->header.image;
	send(c, d, client_endpoint(d), d->zcl_sequence++, OTA_IMAGE_NOTIFY, &m);
	return OK;
}

static bool is_of(const struct oci_device *d, const struct ota_image *i)
{
	const struct ota_image *have = d->ota.image ? &d->ota.image->header.image : NULL;

	return have && have->manufacturer == i->manufacturer && have->type == i->type;
}

static bool hardware_fits(const struct ota_header *h, const struct ota_message *m)
{
	return !h->has_hardware || !m->has_hardware || (m->hardware >= h->hardware_least && m->hardware <= h->hardware_most);
}

/* A device may ask for several types of image; that one of them is not ours says nothing. */
static bool is_final(const struct oci_device *d, const struct ota_image *asked)
{
	return d->ota.image->header.image.manufacturer != asked->manufacturer || d->ota.image->header.image.type == asked->type;
}

static void on_query(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint8_t sequence, const struct ota_message *rq)
{
	struct ota_message m = {.status = OTA_NO_IMAGE};

	if (is_of(d, &rq->image) && d->ota.image->header.image.version != rq->image.version && hardware_fits(&d->ota.image->header, rq)) {
		m.status = ZCL_SUCCESS;
		m.image = d->ota.image->header.image;
		m.size = d->ota.image->header.size;
		if (!d->ota.begun)
			tell(c, d, OCI_OTA_STARTED, "the device takes the image");
		d->ota.begun = true;
	} else if (d->ota.image && !d->ota.begun && is_final(d, &rq->image)) {
		d->ota.image = NULL;
		tell(c, d, OCI_OTA_FAILED, "the image is not for this device, or the version that it has");
	}
	send(c, d, endpoint, sequence, OTA_QUERY_RESPONSE, &m);
}

static void progress(struct oci_core *c, struct oci_device *d, uint32_t offset)
{
	unsigned per_cent = (unsigned)(offset * 100ULL / d->ota.image->header.size);

	d->ota.offset = offset;
	if (per_cent < d->ota.told + PER_CENT_STEP)
		return;
	d->ota.told = per_cent - per_cent % PER_CENT_STEP;
	oci_log(c, d, "image: %u %% are there", d->ota.told);
}

static void on_block(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint8_t sequence, const struct ota_message *rq)
{
	struct ota_message m = {.status = OTA_ABORT, .offset = rq->offset};
	struct rd rest;

	if (is_of(d, &rq->image) && d->ota.image->header.image.version == rq->image.version) {
		size_t most = rq->most < BLOCK_MOST ? rq->most : BLOCK_MOST;

		rest = d->ota.image->octets;
		m.status = ZCL_MALFORMED_COMMAND;
		if (rd_skip(&rest, rq->offset) && rest.left > 0 && most > 0 && rd_sub(&rest, rest.left < most ? rest.left : most, &m.data)) {
			m.status = ZCL_SUCCESS;
			m.image = rq->image;
			progress(c, d, rq->offset);
		}
	}
	send(c, d, endpoint, sequence, OTA_BLOCK_RESPONSE, &m);
}

/* Now: both times 0 (clause 11.13.9.2.2). */
static void on_end(struct oci_core *c, struct oci_device *d, uint8_t endpoint, uint8_t sequence, const struct ota_message *rq)
{
	const struct ota_message m = {.image = rq->image};
	bool ours = is_of(d, &rq->image) && d->ota.image->header.image.version == rq->image.version;

	if (rq->status == ZCL_SUCCESS && ours) {
		send(c, d, endpoint, sequence, OTA_END_RESPONSE, &m);
		d->ota.image = NULL;
		tell(c, d, OCI_OTA_DONE, "the device has the image and starts it");
		oci_interview_again(c, d, AGAIN_MS);
	} else if (d->ota.image) {
		d->ota.image = NULL;
		tell(c, d, OCI_OTA_FAILED, rq->status == OTA_INVALID_IMAGE ? "the device finds the image invalid" : "the device gave the upgrade up");
	}
}

uint8_t oci_ota_input(struct oci_core *c, struct oci_device *d, uint8_t endpoint, const struct zcl_frame *z)
{
	struct ota_message m;
	enum err e = ota_decode(z->command, z->payload, &m);

	if (e != OK)
		return e == ERR_UNSUPPORTED ? ZCL_UNSUP_CLUSTER_COMMAND : ZCL_MALFORMED_COMMAND;
	d->ota.heard_at = c->now;
	switch ((enum ota_command)z->command) {
	case OTA_QUERY_REQUEST:
		on_query(c, d, endpoint, z->sequence, &m);
		break;
	case OTA_BLOCK_REQUEST:
		on_block(c, d, endpoint, z->sequence, &m);
		break;
	case OTA_END_REQUEST:
		on_end(c, d, endpoint, z->sequence, &m);
		break;
	case OTA_IMAGE_NOTIFY:
	case OTA_QUERY_RESPONSE:
	case OTA_PAGE_REQUEST:
	case OTA_BLOCK_RESPONSE:
	case OTA_END_RESPONSE:
		return ZCL_UNSUP_CLUSTER_COMMAND;
	}
	return ZCL_SUCCESS;
}

void oci_ota_tick(struct oci_core *c, struct oci_device *d)
{
	if (!d->ota.image || c->now < d->ota.heard_at + SILENCE_MS)
		return;
	d->ota.image = NULL;
	tell(c, d, OCI_OTA_FAILED, "the device asks for no more of the image");
}

uint64_t oci_ota_deadline(const struct oci_device *d)
{
	return d->ota.image ? d->ota.heard_at + SILENCE_MS : CLOCK_NEVER;
}
