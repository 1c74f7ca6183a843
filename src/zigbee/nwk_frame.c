/* Zigbee network layer frames and the auxiliary header. */
#include "zigbee/nwk_frame.h"

/* Frame control, clause 3.3.1.1. */
#define FC_TYPE 0x0003
#define FC_VERSION_SHIFT 2
#define FC_DISCOVER_SHIFT 6
#define FC_MULTICAST 0x0100
#define FC_SECURITY 0x0200
#define FC_SOURCE_ROUTE 0x0400
#define FC_DESTINATION_EUI64 0x0800
#define FC_SOURCE_EUI64 0x1000
#define FC_END_DEVICE 0x2000
#define FC_RESERVED 0xc000

#define AUX_LEVEL 0x07
#define AUX_KEY_SHIFT 3
#define AUX_EXTENDED 0x20
#define AUX_RESERVED 0xc0

static bool relays_read(struct rd *in, struct nwk_frame *f)
{
	if (!rd_u8(in, &f->relay_count) || !rd_u8(in, &f->relay_index) || f->relay_count > NWK_RELAYS_MAX)
		return false;
	for (size_t i = 0; i < f->relay_count; i++)
		if (!rd_le16(in, &f->relays[i]))
			return false;
	return true;
}

enum err nwk_frame_decode(struct rd in, struct nwk_frame *f)
{
	const struct nwk_frame empty = {.type = NWK_DATA};
	const struct rd whole = in;
	uint16_t control;

	*f = empty;
	if (!rd_le16(&in, &control))
		return ERR_SHORT;
	if ((control & FC_TYPE) > NWK_COMMAND || (control & FC_MULTICAST) || (control >> FC_VERSION_SHIFT & 15) != 2)
		return ERR_UNSUPPORTED;
	if (control & FC_RESERVED)
		return ERR_MALFORMED;
	f->type = (enum nwk_frame_type)(control & FC_TYPE);
	f->protocol_version = control >> FC_VERSION_SHIFT & 15;
	f->discover_route = control >> FC_DISCOVER_SHIFT & 3;
	f->security = control & FC_SECURITY;
	f->source_route = control & FC_SOURCE_ROUTE;
	f->has_destination_eui64 = control & FC_DESTINATION_EUI64;
	f->has_source_eui64 = control & FC_SOURCE_EUI64;
	f->end_device_initiator = control & FC_END_DEVICE;
	if (!rd_le16(&in, &f->destination) || !rd_le16(&in, &f->source) || !rd_u8(&in, &f->radius) || !rd_u8(&in, &f->sequence) ||
	    (f->has_destination_eui64 && !rd_le64(&in, &f->destination_eui64)) || (f->has_source_eui64 && !rd_le64(&in, &f->source_eui64)) ||
	    (f->source_route && !relays_read(&in, f)))
		return ERR_SHORT;
	f->header = rd_of(whole.at, whole.left - in.left);
	f->payload = rd_rest(&in);
	return OK;
}

enum err nwk_header_encode(const struct nwk_frame *f, struct wr *w)
{
	unsigned control = (unsigned)f->type | (unsigned)f->protocol_version << FC_VERSION_SHIFT | (unsigned)f->discover_route << FC_DISCOVER_SHIFT |
	    (f->security ? FC_SECURITY : 0U) | (f->source_route ? FC_SOURCE_ROUTE : 0U) | (f->has_destination_eui64 ? FC_DESTINATION_EUI64 : 0U) |
	    (f->has_source_eui64 ? FC_SOURCE_EUI64 : 0U) | (f->end_device_initiator ? FC_END_DEVICE : 0U);

	if (f->multicast || f->protocol_version != 2 || f->discover_route > 3 || f->relay_count > NWK_RELAYS_MAX)
		return ERR_BAD_VALUE;
	wr_le16(w, (uint16_t)control);
	wr_le16(w, f->destination);
	wr_le16(w, f->source);
	wr_u8(w, f->radius);
	wr_u8(w, f->sequence);
	if (f->has_destination_eui64)
		wr_le64(w, f->destination_eui64);
	if (f->has_source_eui64)
		wr_le64(w, f->source_eui64);
	if (f->source_route) {
		wr_u8(w, f->relay_count);
		wr_u8(w, f->relay_index);
		for (size_t i = 0; i < f->relay_count; i++)
			wr_le16(w, f->relays[i]);
	}
	return w->spoilt ? ERR_TOO_LONG : OK;
}

enum err nwk_frame_encode(const struct nwk_frame *f, struct wr *w)
{
	enum err e = nwk_header_encode(f, w);

	if (e != OK)
		return e;
	wr_rd(w, f->payload);
	return w->spoilt ? ERR_TOO_LONG : OK;
}

bool aux_header_decode(struct rd *in, struct aux_header *a)
{
	const struct aux_header empty = {.level = 0};
	struct rd r = *in;
	uint8_t control;

	*a = empty;
	if (!rd_u8(&r, &control) || (control & AUX_RESERVED) || !rd_le32(&r, &a->frame_counter))
		return false;
	a->level = control & AUX_LEVEL;
	a->key_id = (enum aux_key_id)(control >> AUX_KEY_SHIFT & 3);
	a->extended_nonce = control & AUX_EXTENDED;
	if (a->extended_nonce && !rd_le64(&r, &a->source))
		return false;
	if (a->key_id == AUX_KEY_NETWORK && !rd_u8(&r, &a->key_sequence))
		return false;
	*in = r;
	return true;
}

void aux_header_encode(const struct aux_header *a, struct wr *w)
{
	wr_u8(w, (uint8_t)(a->level | (unsigned)a->key_id << AUX_KEY_SHIFT | (a->extended_nonce ? AUX_EXTENDED : 0U)));
	wr_le32(w, a->frame_counter);
	if (a->extended_nonce)
		wr_le64(w, a->source);
	if (a->key_id == AUX_KEY_NETWORK)
		wr_u8(w, a->key_sequence);
}
