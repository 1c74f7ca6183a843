/* Over-the-air upgrade: codecs. */
#include "zigbee/ota.h"

#include <string.h>

#define HEADER_VERSION 0x0100
#define HAS_CREDENTIAL 0x0001
#define HAS_DESTINATION 0x0002
#define HAS_HARDWARE 0x0004
#define NAME_OCTETS 32
#define NOTIFY_ALL 0x03      /* payload type: jitter, manufacturer, image type and version */
#define QUERY_HARDWARE 0x01
#define BLOCK_ADDRESS 0x01
#define BLOCK_PERIOD 0x02

static bool image_read(struct rd *in, struct ota_image *i)
{
	return rd_le16(in, &i->manufacturer) && rd_le16(in, &i->type) && rd_le32(in, &i->version);
}

static void image_write(const struct ota_image *i, struct wr *w)
{
	wr_le16(w, i->manufacturer);
	wr_le16(w, i->type);
	wr_le32(w, i->version);
}

static void name_read(const uint8_t octets[NAME_OCTETS], char *name)
{
	size_t n = 0;

	while (n < NAME_OCTETS && octets[n] >= 0x20 && octets[n] < 0x7f) {
		name[n] = (char)octets[n];
		n++;
	}
	name[n] = '\0';
}

static bool optional_read(struct rd *in, uint16_t control, struct ota_header *h)
{
	uint8_t credential;

	h->has_destination = control & HAS_DESTINATION;
	h->has_hardware = control & HAS_HARDWARE;
	return (!(control & HAS_CREDENTIAL) || rd_u8(in, &credential)) && (!h->has_destination || rd_le64(in, &h->destination)) &&
	    (!h->has_hardware || (rd_le16(in, &h->hardware_least) && rd_le16(in, &h->hardware_most)));
}

enum err ota_header_decode(struct rd file, struct ota_header *h)
{
	struct rd whole = file, in;
	const struct ota_header empty = {.length = 0};
	uint16_t version, control;
	uint8_t name[NAME_OCTETS];
	uint32_t magic;

	*h = empty;
	if (!rd_le32(&file, &magic) || !rd_le16(&file, &version) || !rd_le16(&file, &h->length))
		return ERR_SHORT;
	if (magic != OTA_MAGIC)
		return ERR_MALFORMED;
	if (version != HEADER_VERSION)
		return ERR_UNSUPPORTED;
	if (h->length < OTA_HEADER_LEAST || !rd_sub(&whole, h->length, &in) || !rd_skip(&in, 8))
		return ERR_SHORT;
	if (!rd_le16(&in, &control) || !image_read(&in, &h->image) || !rd_le16(&in, &h->stack_version) || !rd_copy(&in, name, sizeof name) || !rd_le32(&in, &h->size) ||
	    !optional_read(&in, control, h))
		return ERR_SHORT;
	name_read(name, h->name);
	if (h->size > OTA_IMAGE_MAX)
		return ERR_TOO_LONG;
	return h->size == h->length + whole.left ? OK : ERR_MALFORMED; /* what the header has behind all this is of the future: skipped */
}

enum err ota_header_encode(const struct ota_header *h, struct wr *w)
{
	uint8_t name[NAME_OCTETS] = {0};
	size_t start = w->len;

	memcpy(name, h->name, strnlen(h->name, sizeof name));
	wr_le32(w, OTA_MAGIC);
	wr_le16(w, HEADER_VERSION);
	wr_le16(w, h->length);
	wr_le16(w, (uint16_t)((h->has_destination ? HAS_DESTINATION : 0) | (h->has_hardware ? HAS_HARDWARE : 0)));
	image_write(&h->image, w);
	wr_le16(w, h->stack_version);
	wr_copy(w, name, sizeof name);
	wr_le32(w, h->size);
	if (h->has_destination)
		wr_le64(w, h->destination);
	if (h->has_hardware) {
		wr_le16(w, h->hardware_least);
		wr_le16(w, h->hardware_most);
	}
	if (w->spoilt)
		return ERR_TOO_LONG;
	return w->len - start == h->length ? OK : ERR_BAD_VALUE;
}

/* ---- commands ---- */

static bool notify_read(struct rd *in, struct ota_message *m)
{
	uint8_t type;

	if (!rd_u8(in, &type) || type > NOTIFY_ALL || !rd_u8(in, &m->jitter))
		return false;
	m->image.type = OTA_ANY_TYPE;
	return (type < 1 || rd_le16(in, &m->image.manufacturer)) && (type < 2 || rd_le16(in, &m->image.type)) && (type < 3 || rd_le32(in, &m->image.version));
}

static bool query_read(struct rd *in, struct ota_message *m)
{
	uint8_t control;

	if (!rd_u8(in, &control) || !image_read(in, &m->image))
		return false;
	m->has_hardware = control & QUERY_HARDWARE;
	return !m->has_hardware || rd_le16(in, &m->hardware);
}

static bool block_read(struct rd *in, struct ota_message *m)
{
	uint64_t address;
	uint16_t period;
	uint8_t control;

	return rd_u8(in, &control) && image_read(in, &m->image) && rd_le32(in, &m->offset) && rd_u8(in, &m->most) && (!(control & BLOCK_ADDRESS) || rd_le64(in, &address)) &&
	    (!(control & BLOCK_PERIOD) || rd_le16(in, &period));
}

static bool block_response_read(struct rd *in, struct ota_message *m)
{
	uint8_t size;
	uint16_t period;

	if (!rd_u8(in, &m->status))
		return false;
	if (m->status == OTA_WAIT_FOR_DATA)
		return rd_le32(in, &m->now) && rd_le32(in, &m->then) && (rd_end(in) || rd_le16(in, &period));
	return m->status != 0 || (image_read(in, &m->image) && rd_le32(in, &m->offset) && rd_u8(in, &size) && rd_sub(in, size, &m->data));
}

enum err ota_decode(uint8_t command, struct rd in, struct ota_message *m)
{
	const struct ota_message empty = {.status = 0};
	bool ok = false;

	*m = empty;
	switch (command) {
	case OTA_IMAGE_NOTIFY:
		ok = notify_read(&in, m);
		break;
	case OTA_QUERY_REQUEST:
		ok = query_read(&in, m);
		break;
	case OTA_QUERY_RESPONSE:
		ok = rd_u8(&in, &m->status) && (m->status != 0 || (image_read(&in, &m->image) && rd_le32(&in, &m->size)));
		break;
	case OTA_BLOCK_REQUEST:
		ok = block_read(&in, m);
		break;
	case OTA_BLOCK_RESPONSE:
		ok = block_response_read(&in, m);
		break;
	case OTA_END_REQUEST:
		ok = rd_u8(&in, &m->status) && (image_read(&in, &m->image) || m->status != 0);
		break;
	case OTA_END_RESPONSE:
		ok = image_read(&in, &m->image) && rd_le32(&in, &m->now) && rd_le32(&in, &m->then);
		break;
	default:
		return ERR_UNSUPPORTED;
	}
	return ok ? OK : ERR_SHORT; /* what comes behind is of a later revision */
}

static void block_response_write(const struct ota_message *m, struct wr *w)
{
	wr_u8(w, m->status);
	if (m->status == OTA_WAIT_FOR_DATA) {
		wr_le32(w, m->now);
		wr_le32(w, m->then);
	} else if (m->status == 0) {
		image_write(&m->image, w);
		wr_le32(w, m->offset);
		wr_u8(w, (uint8_t)m->data.left);
		wr_rd(w, m->data);
	}
}

enum err ota_encode(uint8_t command, const struct ota_message *m, struct wr *w)
{
	switch (command) {
	case OTA_IMAGE_NOTIFY:
		wr_u8(w, NOTIFY_ALL);
		wr_u8(w, m->jitter);
		image_write(&m->image, w);
		break;
	case OTA_QUERY_REQUEST:
		wr_u8(w, m->has_hardware ? QUERY_HARDWARE : 0);
		image_write(&m->image, w);
		if (m->has_hardware)
			wr_le16(w, m->hardware);
		break;
	case OTA_QUERY_RESPONSE:
		wr_u8(w, m->status);
		if (m->status == 0) {
			image_write(&m->image, w);
			wr_le32(w, m->size);
		}
		break;
	case OTA_BLOCK_REQUEST:
		wr_u8(w, 0);
		image_write(&m->image, w);
		wr_le32(w, m->offset);
		wr_u8(w, m->most);
		break;
	case OTA_BLOCK_RESPONSE:
		if (m->data.left > UINT8_MAX)
			return ERR_TOO_LONG;
		block_response_write(m, w);
		break;
	case OTA_END_REQUEST:
		wr_u8(w, m->status);
		image_write(&m->image, w);
		break;
	case OTA_END_RESPONSE:
		image_write(&m->image, w);
		wr_le32(w, m->now);
		wr_le32(w, m->then);
		break;
	default:
		return ERR_UNSUPPORTED;
	}
	return w->spoilt ? ERR_TOO_LONG : OK;
}
