/* An APS frame that decodes encodes to the same octets, the reserved bits of an extended header cleared; its acknowledgement decodes. */
#include <string.h>

#include "zigbee/aps_frame.h"
#include "../fuzz.h"

static void acknowledge(const struct aps_frame *f)
{
	uint8_t buffer[32];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame ack, again;
	struct rd out;

	aps_ack_for(f, &ack);
	MUST(aps_frame_encode(&ack, &w) == OK && wr_done(&w, &out));
	MUST(aps_frame_decode(out, &again) == OK && again.type == APS_ACK && again.counter == f->counter && rd_end(&again.payload));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buffer[FUZZ_INPUT_MAX], clean[FUZZ_INPUT_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame f;
	struct rd out;

	if (size > FUZZ_INPUT_MAX || aps_frame_decode(rd_of(data, size), &f) != OK)
		return 0;
	MUST(f.header.at == data && f.header.left + f.payload.left == size);
	memcpy(clean, data, size);
	if (f.extended_header) {
		size_t behind = f.fragmentation == APS_NOT_FRAGMENTED ? 0 : f.type == APS_ACK ? 2 : 1;

		clean[f.header.left - behind - 1] &= 3;
	}
	MUST(aps_frame_encode(&f, &w) == OK && wr_done(&w, &out) && rd_equal(out, rd_of(clean, size)));
	if (f.type != APS_ACK)
		acknowledge(&f);
	return 0;
}
