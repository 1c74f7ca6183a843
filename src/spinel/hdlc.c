/* HDLC-lite. */
#include "spinel/hdlc.h"

#include "base/crc.h"

#define FLAG 0x7e
#define ESCAPE 0x7d
#define FLIP 0x20
#define XON 0x11
#define XOFF 0x13
#define SPECIAL 0xf8
#define FCS_SIZE 2

void hdlc_init(struct hdlc_decoder *d)
{
	d->len = 0;
	d->escaped = d->overrun = false;
	d->bad_fcs = d->too_long = 0;
}

static bool finish(struct hdlc_decoder *d, struct rd *frame)
{
	size_t len = d->len;
	bool overrun = d->overrun, escaped = d->escaped;

	d->len = 0;
	d->escaped = d->overrun = false;
	if (len == 0 && !overrun)
		return false; /* two flags in a row */
	if (overrun) {
		d->too_long++;
		return false;
	}
	if (escaped || len < FCS_SIZE ||
	    crc16_x25(d->frame, len - FCS_SIZE) != (d->frame[len - 2] | d->frame[len - 1] << 8)) {
		d->bad_fcs++;
		return false;
	}
	*frame = rd_of(d->frame, len - FCS_SIZE);
	return true;
}

bool hdlc_octet(struct hdlc_decoder *d, uint8_t octet, struct rd *frame)
{
	if (octet == FLAG)
		return finish(d, frame);
	if (octet == ESCAPE) {
		d->escaped = true;
		return false;
	}
	if (d->escaped) {
		octet ^= FLIP;
		d->escaped = false;
	}
	if (d->len == sizeof d->frame)
		d->overrun = true;
	else
		d->frame[d->len++] = octet;
	return false;
}

static void put(struct wr *w, uint8_t octet)
{
	if (octet == FLAG || octet == ESCAPE || octet == XON || octet == XOFF || octet == SPECIAL) {
		wr_u8(w, ESCAPE);
		octet ^= FLIP;
	}
	wr_u8(w, octet);
}

void hdlc_encode(struct rd content, struct wr *w)
{
	uint16_t fcs = crc16_x25(content.at, content.left);
	uint8_t octet;

	wr_u8(w, FLAG);
	while (rd_u8(&content, &octet))
		put(w, octet);
	put(w, (uint8_t)fcs);
	put(w, (uint8_t)(fcs >> 8));
	wr_u8(w, FLAG);
}
