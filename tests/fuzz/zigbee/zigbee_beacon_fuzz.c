/* A Zigbee beacon payload that decodes has 15 octets and encodes to the same. */
#include "zigbee/beacon.h"
#include "../fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buffer[32];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct zigbee_beacon b;
	struct rd out;

	if (zigbee_beacon_decode(rd_of(data, size), &b) != OK)
		return 0;
	MUST(size == 15);
	MUST(zigbee_beacon_encode(&b, &w) == OK && wr_done(&w, &out) && rd_equal(out, rd_of(data, size)));
	return 0;
}
