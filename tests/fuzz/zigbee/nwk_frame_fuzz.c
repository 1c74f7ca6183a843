/* A NWK frame that decodes encodes to the same octets, and so does its auxiliary header; header and payload are the whole frame. */
#include "zigbee/nwk_frame.h"
#include "../fuzz.h"

static void auxiliary(struct rd in)
{
	uint8_t buffer[32];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd rest = in, out, head;
	struct aux_header aux;

	if (!aux_header_decode(&rest, &aux)) {
		MUST(rest.at == in.at && rest.left == in.left);
		return;
	}
	aux_header_encode(&aux, &w);
	MUST(rd_sub(&in, in.left - rest.left, &head));
	MUST(wr_done(&w, &out) && rd_equal(out, head));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buffer[FUZZ_INPUT_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct nwk_frame f;
	struct rd out;

	if (size > FUZZ_INPUT_MAX || nwk_frame_decode(rd_of(data, size), &f) != OK)
		return 0;
	MUST(f.header.at == data && f.header.left + f.payload.left == size);
	MUST(nwk_frame_encode(&f, &w) == OK && wr_done(&w, &out) && rd_equal(out, rd_of(data, size)));
	if (f.security)
		auxiliary(f.payload);
	return 0;
}
