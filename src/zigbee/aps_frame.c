/* APS frames, clause 2.2.5. */
#include "zigbee/aps_frame.h"

#define FC_TYPE 0x03
#define FC_DELIVERY_SHIFT 2
#define FC_ACK_FORMAT 0x10
#define FC_SECURITY 0x20
#define FC_ACK_REQUEST 0x40
#define FC_EXTENDED 0x80

static bool addressed(const struct aps_frame *f)
{
	return f->type == APS_DATA || (f->type == APS_ACK && !f->ack_format);
}

static bool addresses_read(struct rd *in, struct aps_frame *f)
{
	if (f->delivery == APS_GROUP ? !rd_le16(in, &f->group) : !rd_u8(in, &f->destination_endpoint))
		return false;
	return rd_le16(in, &f->cluster) && rd_le16(in, &f->profile) && rd_u8(in, &f->source_endpoint);
}

static bool extended_read(struct rd *in, struct aps_frame *f)
{
	uint8_t control;

	if (!rd_u8(in, &control) || (control & 3) == 3)
		return false;
	f->fragmentation = (enum aps_fragmentation)(control & 3);
	if (f->fragmentation == APS_NOT_FRAGMENTED)
		return true;
	return rd_u8(in, &f->block) && (f->type != APS_ACK || rd_u8(in, &f->ack_bitfield));
}

enum err aps_frame_decode(struct rd in, struct aps_frame *f)
{
	const struct aps_frame empty = {.type = APS_DATA};
	const struct rd whole = in;
	uint8_t control, delivery;

	*f = empty;
	if (!rd_u8(&in, &control))
		return ERR_SHORT;
	delivery = control >> FC_DELIVERY_SHIFT & 3;
	if ((control & FC_TYPE) == APS_INTER_PAN || delivery == 1)
		return ERR_UNSUPPORTED;
	f->type = (enum aps_frame_type)(control & FC_TYPE);
	f->delivery = (enum aps_delivery)delivery;
	f->ack_format = control & FC_ACK_FORMAT;
	f->security = control & FC_SECURITY;
	f->ack_request = control & FC_ACK_REQUEST;
	f->extended_header = control & FC_EXTENDED;
	if ((addressed(f) && !addresses_read(&in, f)) || !rd_u8(&in, &f->counter) || (f->extended_header && !extended_read(&in, f)))
		return ERR_SHORT;
	f->header = rd_of(whole.at, whole.left - in.left);
	f->payload = rd_rest(&in);
	return OK;
}

enum err aps_header_encode(const struct aps_frame *f, struct wr *w)
{
	wr_u8(w, (uint8_t)((unsigned)f->type | (unsigned)f->delivery << FC_DELIVERY_SHIFT | (f->ack_format ? FC_ACK_FORMAT : 0U) |
	    (f->security ? FC_SECURITY : 0U) | (f->ack_request ? FC_ACK_REQUEST : 0U) | (f->extended_header ? FC_EXTENDED : 0U)));
	if (addressed(f)) {
		if (f->delivery == APS_GROUP)
			wr_le16(w, f->group);
		else
			wr_u8(w, f->destination_endpoint);
		wr_le16(w, f->cluster);
		wr_le16(w, f->profile);
		wr_u8(w, f->source_endpoint);
	}
	wr_u8(w, f->counter);
	if (f->extended_header) {
		wr_u8(w, (uint8_t)f->fragmentation);
		if (f->fragmentation != APS_NOT_FRAGMENTED) {
			wr_u8(w, f->block);
			if (f->type == APS_ACK)
				wr_u8(w, f->ack_bitfield);
		}
	}
	return w->spoilt ? ERR_TOO_LONG : OK;
}

enum err aps_frame_encode(const struct aps_frame *f, struct wr *w)
{
	enum err e = aps_header_encode(f, w);

	if (e != OK)
		return e;
	wr_rd(w, f->payload);
	return w->spoilt ? ERR_TOO_LONG : OK;
}

void aps_ack_for(const struct aps_frame *f, struct aps_frame *ack)
{
	const struct aps_frame answer = {
		.type = APS_ACK,
		.delivery = APS_UNICAST,
		.ack_format = f->type == APS_COMMAND,
		.destination_endpoint = f->source_endpoint,
		.source_endpoint = f->destination_endpoint,
		.cluster = f->cluster,
		.profile = f->profile,
		.counter = f->counter,
	};

	*ack = answer;
	if (f->extended_header && f->fragmentation != APS_NOT_FRAGMENTED) {
		ack->extended_header = true;
		ack->fragmentation = APS_FIRST_FRAGMENT;
		ack->block = f->fragmentation == APS_FIRST_FRAGMENT ? 0 : f->block;
		ack->ack_bitfield = 0xff;
	}
}
