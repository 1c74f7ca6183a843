/* A Spinel frame, and the values of STREAM_RAW in both directions, that decode encode to octets that decode alike and encode to themselves. */
#include "spinel/spinel.h"
#include "../fuzz.h"

static uint8_t first[2 * FUZZ_INPUT_MAX], second[2 * FUZZ_INPUT_MAX];

static void transmit(struct rd value)
{
	struct wr w = wr_of(first, sizeof first), v = wr_of(second, sizeof second);
	struct spinel_transmit t, again;
	struct rd out, twice;

	if (spinel_transmit_decode(value, &t) != OK)
		return;
	spinel_transmit_encode(&t, &w);
	MUST(wr_done(&w, &out) && spinel_transmit_decode(out, &again) == OK);
	MUST(rd_equal(t.frame, again.frame) && t.channel == again.channel && t.retries == again.retries && t.delay == again.delay);
	MUST(t.csma == again.csma && t.channel_after == again.channel_after && t.csma_backoffs == again.csma_backoffs);
	spinel_transmit_encode(&again, &v);
	MUST(wr_done(&v, &twice) && rd_equal(out, twice));
}

static void receive(struct rd value)
{
	struct wr w = wr_of(first, sizeof first), v = wr_of(second, sizeof second);
	struct spinel_receive rx, again;
	struct rd out, twice;

	if (spinel_receive_decode(value, &rx) != OK)
		return;
	spinel_receive_encode(&rx, &w);
	MUST(wr_done(&w, &out) && spinel_receive_decode(out, &again) == OK);
	MUST(rd_equal(rx.frame, again.frame) && rx.rssi == again.rssi && rx.noise == again.noise && rx.flags == again.flags);
	MUST(rx.channel == again.channel && rx.lqi == again.lqi && rx.timestamp_us == again.timestamp_us);
	spinel_receive_encode(&again, &v);
	MUST(wr_done(&v, &twice) && rd_equal(out, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wr w = wr_of(first, sizeof first);
	struct spinel_frame f, again;
	struct rd out;

	if (size > FUZZ_INPUT_MAX || spinel_decode(rd_of(data, size), &f) != OK)
		return 0;
	spinel_encode(&f, &w);
	MUST(wr_done(&w, &out) && out.left <= size && spinel_decode(out, &again) == OK);
	MUST(f.transaction == again.transaction && f.command == again.command && f.property == again.property && rd_equal(f.value, again.value));
	transmit(f.value);
	receive(f.value);
	return 0;
}
