/* A NWK command that decodes encodes to the same octets; where the format has reserved bits, to octets that encode to themselves. */
#include "zigbee/nwk_frame.h"
#include "../fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t first[FUZZ_INPUT_MAX], second[FUZZ_INPUT_MAX];
	struct wr w = wr_of(first, sizeof first), v = wr_of(second, sizeof second);
	struct nwk_command c, again;
	struct rd out, twice;

	if (size > FUZZ_INPUT_MAX || nwk_command_decode(rd_of(data, size), &c) != OK)
		return 0;
	MUST(nwk_command_encode(&c, &w) == OK && wr_done(&w, &out));
	MUST(out.left == size);
	if (c.id != NWK_LEAVE && c.id != NWK_LINK_STATUS && c.id != NWK_ROUTE_REQUEST && c.id != NWK_ROUTE_REPLY)
		MUST(rd_equal(out, rd_of(data, size)));
	MUST(nwk_command_decode(out, &again) == OK && again.id == c.id);
	MUST(nwk_command_encode(&again, &v) == OK && wr_done(&v, &twice) && rd_equal(out, twice));
	return 0;
}
