/* A ZDP message that decodes encodes to one that decodes and encodes to itself. Input: cluster(2, le) and the APS payload. */
#include "zigbee/zdo.h"
#include "../fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t first[FUZZ_INPUT_MAX], second[FUZZ_INPUT_MAX];
	struct wr w = wr_of(first, sizeof first), v = wr_of(second, sizeof second);
	struct rd in = rd_of(data, size), out, twice;
	struct zdo_message m, again;
	uint16_t cluster;

	if (size > FUZZ_INPUT_MAX || !rd_le16(&in, &cluster) || zdo_decode(cluster, in, &m) != OK)
		return 0;
	MUST(zdo_encode(&m, &w) == OK && wr_done(&w, &out) && out.left <= in.left);
	MUST(zdo_decode(cluster, out, &again) == OK && again.sequence == m.sequence && again.status == m.status && again.eui64 == m.eui64);
	MUST(zdo_encode(&again, &v) == OK && wr_done(&v, &twice) && rd_equal(out, twice));
	return 0;
}
