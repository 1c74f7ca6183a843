/* Without the private key that belongs to the DSK, no sequence of frames makes the EG give a key away. Input: length, frame, length, frame, ...; length 0
 * lets 3 s pass, 255 says that node B is ready. */
#include "../fuzz.h"
#include "eg/s2_inclusion.h"

static void drain(const struct tier_exchange *x)
{
	struct tier_effect e;

	while (x->protocol->output(x->state, &e))
		MUST(e.type == TIER_SEND || e.type == TIER_FAILED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rng rng = rng_seeded(5);
	struct s2_inclusion_config c = {.link = {1, 1, 7}, .permitted = S2_AUTHENTICATED | S2_ACCESS_CONTROL, .rng = &rng};
	struct rd r = rd_of(data, size);
	struct tier_exchange x;
	struct rd frame;
	uint64_t now = 0;
	uint8_t n;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	for (uint8_t i = 0; i < S2_DSK; i++)
		c.dsk[i] = i;
	MUST(s2_inclusion_begin(&c, now, &x) == OK);
	drain(&x);
	while (rd_u8(&r, &n)) {
		if (n == 0) {
			now += 3000;
			x.protocol->tick(x.state, now);
		} else if (n == 255) {
			x.protocol->ready(x.state, now);
		} else if (rd_sub(&r, n, &frame)) {
			(void)!x.protocol->input(x.state, now, frame);
		} else {
			break;
		}
		drain(&x);
	}
	x.protocol->free(x.state);
	return 0;
}
