/* A MAC frame that decodes encodes to the same octets, reserved bits cleared; a PSDU with its FCS gives back its frame. */
#include <string.h>

#include "ieee802154/mac_frame.h"
#include "../fuzz.h"

#define RESERVED_LOW 0x80 /* bits 7, 8 and 9 of the frame control */
#define RESERVED_HIGH 0x03

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t clean[FUZZ_INPUT_MAX], buffer[FUZZ_INPUT_MAX + 2];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct mac_frame f;
	struct rd out, back;
	enum err e;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	if (mac_fcs_check(rd_of(data, size), &out) == OK) {
		mac_fcs_append(&w, out);
		MUST(wr_done(&w, &back) && rd_equal(back, rd_of(data, size)));
	}
	if (mac_frame_decode(rd_of(data, size), &f) != OK)
		return 0;
	wr_reset(&w);
	e = mac_frame_encode(&f, &w);
	if (size > MAC_FRAME_MAX) {
		MUST(e == ERR_TOO_LONG);
		return 0;
	}
	memcpy(clean, data, size);
	clean[0] &= (uint8_t)~RESERVED_LOW;
	clean[1] &= (uint8_t)~RESERVED_HIGH;
	MUST(e == OK && wr_done(&w, &out) && rd_equal(out, rd_of(clean, size)));
	return 0;
}
