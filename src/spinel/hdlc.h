/* HDLC-lite framing: flag 0x7E, escape 0x7D with XOR 0x20, FCS-16 (CRC-16/X-25, low octet first).
 * Used by Spinel on a radio's serial line and by EGP on a serial line. */
#ifndef KEYWAY_SPINEL_HDLC_H
#define KEYWAY_SPINEL_HDLC_H

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

#define HDLC_FRAME_MAX 2048

struct hdlc_decoder {
	uint8_t frame[HDLC_FRAME_MAX];
	size_t len;
	bool escaped, overrun;
	uint32_t bad_fcs, too_long; /* frames dropped, counted */
};

void hdlc_init(struct hdlc_decoder *d);
/* Feeds one octet. True when a whole frame with a right FCS has arrived: *frame is borrowed until the next call, without FCS. */
bool hdlc_octet(struct hdlc_decoder *d, uint8_t octet, struct rd *frame) MUST_CHECK;
/* Flag, escaped content and FCS, flag. Also escapes 0x11, 0x13 and 0xF8. */
void hdlc_encode(struct rd content, struct wr *w);

#endif
