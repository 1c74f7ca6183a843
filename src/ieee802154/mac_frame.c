/* IEEE 802.15.4 MAC frames. */
#include "ieee802154/mac_frame.h"

#include "base/crc.h"

/* Frame control, clause 7.2.1.1. */
#define FC_TYPE 0x0007
#define FC_SECURITY 0x0008
#define FC_PENDING 0x0010
#define FC_ACK_REQUEST 0x0020
#define FC_COMPRESSION 0x0040
#define FC_DESTINATION_SHIFT 10
#define FC_VERSION_SHIFT 12
#define FC_SOURCE_SHIFT 14

static bool address_read(struct rd *r, struct mac_address *a)
{
	switch (a->mode) {
	case MAC_ADDRESS_SHORT:
		return rd_le16(r, &a->short_address);
	case MAC_ADDRESS_EXTENDED:
		return rd_le64(r, &a->extended);
	case MAC_ADDRESS_NONE:
		break;
	}
	return true;
}

static void address_write(const struct mac_address *a, struct wr *w)
{
	if (a->mode == MAC_ADDRESS_SHORT)
		wr_le16(w, a->short_address);
	else if (a->mode == MAC_ADDRESS_EXTENDED)
		wr_le64(w, a->extended);
}

enum err mac_frame_decode(struct rd in, struct mac_frame *f)
{
	const struct mac_frame empty = {.type = MAC_BEACON};
	unsigned destination, source;
	uint16_t control;

	*f = empty;
	if (!rd_le16(&in, &control) || !rd_u8(&in, &f->sequence))
		return ERR_SHORT;
	destination = control >> FC_DESTINATION_SHIFT & 3;
	source = control >> FC_SOURCE_SHIFT & 3;
	f->version = control >> FC_VERSION_SHIFT & 3;
	if ((control & FC_TYPE) > MAC_COMMAND || (control & FC_SECURITY) || f->version > 1 || destination == 1 || source == 1)
		return ERR_UNSUPPORTED;
	f->type = (enum mac_frame_type)(control & FC_TYPE);
	f->frame_pending = control & FC_PENDING;
	f->ack_request = control & FC_ACK_REQUEST;
	f->pan_id_compression = control & FC_COMPRESSION;
	f->destination.mode = (enum mac_address_mode)destination;
	f->source.mode = (enum mac_address_mode)source;
	if (f->pan_id_compression && (!destination || !source))
		return ERR_MALFORMED;
	if (destination && !rd_le16(&in, &f->destination.pan_id))
		return ERR_SHORT;
	if (!address_read(&in, &f->destination))
		return ERR_SHORT;
	if (f->pan_id_compression)
		f->source.pan_id = f->destination.pan_id;
	else if (source && !rd_le16(&in, &f->source.pan_id))
		return ERR_SHORT;
	if (!address_read(&in, &f->source))
		return ERR_SHORT;
	f->payload = rd_rest(&in);
	return OK;
}

enum err mac_frame_encode(const struct mac_frame *f, struct wr *w)
{
	unsigned control = (unsigned)f->type | (f->frame_pending ? FC_PENDING : 0U) | (f->ack_request ? FC_ACK_REQUEST : 0U) |
	    (f->pan_id_compression ? FC_COMPRESSION : 0U) | (unsigned)f->destination.mode << FC_DESTINATION_SHIFT |
	    (unsigned)f->version << FC_VERSION_SHIFT | (unsigned)f->source.mode << FC_SOURCE_SHIFT;
	size_t start = w->len;

	if (f->version > 1)
		return ERR_BAD_VALUE;
	if (f->pan_id_compression && (!f->destination.mode || !f->source.mode || f->destination.pan_id != f->source.pan_id))
		return ERR_BAD_VALUE;
	wr_le16(w, (uint16_t)control);
	wr_u8(w, f->sequence);
	if (f->destination.mode)
		wr_le16(w, f->destination.pan_id);
	address_write(&f->destination, w);
	if (f->source.mode && !f->pan_id_compression)
		wr_le16(w, f->source.pan_id);
	address_write(&f->source, w);
	wr_rd(w, f->payload);
	return w->spoilt || w->len - start > MAC_FRAME_MAX ? ERR_TOO_LONG : OK;
}

enum err mac_fcs_check(struct rd psdu, struct rd *frame)
{
	uint16_t fcs;
	struct rd body;

	if (psdu.left < 3 || !rd_sub_but(&psdu, 2, &body) || !rd_le16(&psdu, &fcs))
		return ERR_SHORT;
	if (fcs != crc16_kermit(body.at, body.left))
		return ERR_BAD_CRC;
	*frame = body;
	return OK;
}

void mac_fcs_append(struct wr *w, struct rd frame)
{
	wr_rd(w, frame);
	wr_le16(w, crc16_kermit(frame.at, frame.left));
}
