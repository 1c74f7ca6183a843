/* Spinel frames and the values of STREAM_RAW. */
#include "spinel/spinel.h"

#define HEADER_FLAG 0x80
#define HEADER_FLAG_MASK 0xc0
#define HEADER_INTERFACE 0x30
#define HEADER_TRANSACTION 0x0f
#define PACKED_OCTETS 3
#define FCS_DUMMY 2
#define CSMA_BACKOFFS 4
#define RETRIES 3

bool rd_packed_uint(struct rd *r, uint32_t *v)
{
	struct rd copy = *r;
	uint32_t n = 0;
	uint8_t octet;

	for (unsigned i = 0; i < PACKED_OCTETS; i++) {
		if (!rd_u8(&copy, &octet))
			return false;
		n |= (uint32_t)(octet & 0x7f) << (7 * i);
		if (!(octet & 0x80)) {
			*v = n;
			*r = copy;
			return true;
		}
	}
	return false;
}

void wr_packed_uint(struct wr *w, uint32_t v)
{
	while (v >= 0x80) {
		wr_u8(w, (uint8_t)(v | 0x80));
		v >>= 7;
	}
	wr_u8(w, (uint8_t)v);
}

static bool has_property(uint32_t command)
{
	return command >= SPINEL_PROP_GET && command <= SPINEL_PROP_REMOVED;
}

enum err spinel_decode(struct rd in, struct spinel_frame *f)
{
	const struct spinel_frame empty = {.transaction = 0};
	uint8_t header;

	*f = empty;
	if (!rd_u8(&in, &header))
		return ERR_SHORT;
	if ((header & HEADER_FLAG_MASK) != HEADER_FLAG || (header & HEADER_INTERFACE))
		return ERR_UNSUPPORTED;
	f->transaction = header & HEADER_TRANSACTION;
	if (!rd_packed_uint(&in, &f->command) || (has_property(f->command) && !rd_packed_uint(&in, &f->property)))
		return ERR_SHORT;
	f->value = rd_rest(&in);
	return OK;
}

void spinel_encode(const struct spinel_frame *f, struct wr *w)
{
	wr_u8(w, (uint8_t)(HEADER_FLAG | (f->transaction & HEADER_TRANSACTION)));
	wr_packed_uint(w, f->command);
	if (has_property(f->command))
		wr_packed_uint(w, f->property);
	wr_rd(w, f->value);
}

/* length(2, le) frame and two octets of FCS that nobody looks at */
static bool frame_read(struct rd *in, struct rd *frame)
{
	struct rd with_fcs;
	uint16_t len;

	return rd_le16(in, &len) && len > FCS_DUMMY && rd_sub(in, len, &with_fcs) && rd_sub_but(&with_fcs, FCS_DUMMY, frame);
}

static void frame_write(struct wr *w, struct rd frame)
{
	wr_le16(w, (uint16_t)(frame.left + FCS_DUMMY));
	wr_rd(w, frame);
	wr_le16(w, 0);
}

static bool flag_read(struct rd *in, bool *flag)
{
	uint8_t v;

	if (!rd_u8(in, &v))
		return false;
	*flag = v != 0;
	return true;
}

enum err spinel_transmit_decode(struct rd in, struct spinel_transmit *t)
{
	const struct spinel_transmit defaults = {.csma_backoffs = CSMA_BACKOFFS, .retries = RETRIES, .csma = true};

	*t = defaults;
	if (!frame_read(&in, &t->frame) || !rd_u8(&in, &t->channel))
		return ERR_SHORT;
	t->channel_after = t->channel;
	if (rd_end(&in))
		return OK;
	if (!rd_u8(&in, &t->csma_backoffs) || !rd_u8(&in, &t->retries) || !flag_read(&in, &t->csma))
		return ERR_SHORT;
	if (rd_end(&in))
		return OK;
	if (!flag_read(&in, &t->header_updated) || !flag_read(&in, &t->is_retransmission) || !flag_read(&in, &t->security_processed))
		return ERR_SHORT;
	if (rd_end(&in))
		return OK;
	if (!rd_le32(&in, &t->delay) || !rd_le32(&in, &t->delay_base))
		return ERR_SHORT;
	if (rd_end(&in))
		return OK;
	/* Newer hosts append more fields; what we do not know does not hurt. */
	return rd_u8(&in, &t->channel_after) ? OK : ERR_SHORT;
}

void spinel_transmit_encode(const struct spinel_transmit *t, struct wr *w)
{
	frame_write(w, t->frame);
	wr_u8(w, t->channel);
	wr_u8(w, t->csma_backoffs);
	wr_u8(w, t->retries);
	wr_u8(w, t->csma);
	wr_u8(w, t->header_updated);
	wr_u8(w, t->is_retransmission);
	wr_u8(w, t->security_processed);
	wr_le32(w, t->delay);
	wr_le32(w, t->delay_base);
	wr_u8(w, t->channel_after);
}

enum err spinel_receive_decode(struct rd in, struct spinel_receive *rx)
{
	const struct spinel_receive empty = {.rssi = -128};
	uint8_t rssi, noise;
	uint16_t len;
	struct rd radio;

	*rx = empty;
	if (!frame_read(&in, &rx->frame))
		return ERR_SHORT;
	if (rd_end(&in))
		return OK;
	if (!rd_u8(&in, &rssi) || !rd_u8(&in, &noise) || !rd_le16(&in, &rx->flags))
		return ERR_SHORT;
	rx->rssi = (int8_t)rssi;
	rx->noise = (int8_t)noise;
	if (rd_end(&in))
		return OK;
	if (!rd_le16(&in, &len) || !rd_sub(&in, len, &radio) || !rd_u8(&radio, &rx->channel) || !rd_u8(&radio, &rx->lqi) || !rd_le64(&radio, &rx->timestamp_us))
		return ERR_SHORT;
	if (rd_end(&in))
		return OK;
	if (!rd_le16(&in, &len) || !rd_sub(&in, len, &radio) || !rd_packed_uint(&radio, &rx->error))
		return ERR_SHORT;
	return OK;
}

void spinel_receive_encode(const struct spinel_receive *rx, struct wr *w)
{
	frame_write(w, rx->frame);
	wr_u8(w, (uint8_t)rx->rssi);
	wr_u8(w, (uint8_t)rx->noise);
	wr_le16(w, rx->flags);
	wr_le16(w, 10);
	wr_u8(w, rx->channel);
	wr_u8(w, rx->lqi);
	wr_le64(w, rx->timestamp_us);
	wr_le16(w, 1);
	wr_u8(w, (uint8_t)(rx->error & 0x7f));
}
