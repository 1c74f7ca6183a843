/* An APS command that decodes encodes to the same octets; the initiator flag of an application link key to 0 or 1. */
#include <string.h>

#include "zigbee/aps_frame.h"
#include "../fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buffer[FUZZ_INPUT_MAX], clean[FUZZ_INPUT_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_command c;
	struct rd out;

	if (size > FUZZ_INPUT_MAX || aps_command_decode(rd_of(data, size), &c) != OK)
		return 0;
	memcpy(clean, data, size);
	if (c.id == APS_TRANSPORT_KEY && c.transport_key.type == APS_KEY_APPLICATION_LINK)
		clean[size - 1] = clean[size - 1] != 0;
	MUST(aps_command_encode(&c, &w) == OK && wr_done(&w, &out) && rd_equal(out, rd_of(clean, size)));
	return 0;
}
