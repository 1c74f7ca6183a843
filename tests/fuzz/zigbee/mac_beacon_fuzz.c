/* A MAC beacon that decodes encodes to one that decodes alike; without GTS and pending addresses to the same octets. */
#include "ieee802154/mac_frame.h"
#include "../fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buffer[FUZZ_INPUT_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct mac_beacon b, again;
	struct rd out;

	if (size > FUZZ_INPUT_MAX || mac_beacon_decode(rd_of(data, size), &b) != OK)
		return 0;
	MUST(mac_beacon_encode(&b, &w) == OK && wr_done(&w, &out));
	if (data[2] == 0 && data[3] == 0)
		MUST(rd_equal(out, rd_of(data, size)));
	MUST(mac_beacon_decode(out, &again) == OK);
	MUST(again.association_permit == b.association_permit && again.pan_coordinator == b.pan_coordinator && again.superframe == b.superframe);
	MUST(rd_equal(again.payload, b.payload));
	return 0;
}
