/* Any octets in, any frames out: what the decoder delivers, encoded again, is delivered again and alone; and the input itself as content
 * comes through whatever stood on the line before it. */
#include <string.h>

#include "spinel/hdlc.h"
#include "../fuzz.h"

/* Feeds octets; true with the last frame that came, and how many did. */
static bool feed(struct hdlc_decoder *d, struct rd line, struct rd *frame, unsigned *count)
{
	uint8_t octet;
	bool any = false;

	while (rd_u8(&line, &octet))
		if (hdlc_octet(d, octet, frame)) {
			any = true;
			(*count)++;
		}
	return any;
}

static void comes_through(struct hdlc_decoder *d, struct rd content)
{
	static uint8_t line[2 * HDLC_FRAME_MAX + 8];
	struct wr w = wr_of(line, sizeof line);
	struct rd out, frame = {NULL, 0};
	unsigned count = 0;

	hdlc_encode(content, &w);
	MUST(wr_done(&w, &out));
	for (size_t i = 1; i + 1 < out.left; i++)
		MUST(out.at[i] != 0x7e && out.at[i] != 0x11 && out.at[i] != 0x13);
	if (content.left + 2 > HDLC_FRAME_MAX) {
		MUST(!feed(d, out, &frame, &count));
		return;
	}
	MUST(feed(d, out, &frame, &count) && rd_equal(frame, content));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hdlc_decoder d, other;
	static uint8_t copy[HDLC_FRAME_MAX];
	struct rd line = rd_of(data, size), frame;
	uint8_t octet;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	hdlc_init(&d);
	while (rd_u8(&line, &octet))
		if (hdlc_octet(&d, octet, &frame)) {
			MUST(frame.left <= size);
			if (frame.left > 0)
				memcpy(copy, frame.at, frame.left);
			hdlc_init(&other);
			comes_through(&other, rd_of(copy, frame.left));
			MUST(other.bad_fcs == 0 && other.too_long == 0);
		}
	comes_through(&d, rd_of(data, size));
	return 0;
}
