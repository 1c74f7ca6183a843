/* A MAC command that decodes encodes to the same octets. */
#include "ieee802154/mac_frame.h"
#include "../fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buffer[FUZZ_INPUT_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct mac_command c;
	struct rd out;

	if (size > FUZZ_INPUT_MAX || mac_command_decode(rd_of(data, size), &c) != OK)
		return 0;
	MUST(mac_command_encode(&c, &w) == OK && wr_done(&w, &out) && rd_equal(out, rd_of(data, size)));
	return 0;
}
