/* Fragments over a lossy way: every message arrives whole, or is given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/rng.h"
#include "zigbee/aps_fragment.h"

static const struct aps_frame frame = {.type = APS_DATA, .destination_endpoint = 1, .source_endpoint = 1, .cluster = 0x0019, .profile = 0x0104, .counter = 7};

/* Through the codec, as on air. */
static bool carry(const struct aps_frame *f, uint8_t *buffer, size_t size, struct aps_frame *out)
{
	struct wr w = wr_of(buffer, size);
	struct rd octets;

	return aps_frame_encode(f, &w) == OK && wr_done(&w, &octets) && aps_frame_decode(octets, out) == OK;
}

static bool transfer(const uint8_t *message, size_t len, unsigned loss, struct rng *rng, struct aps_reassembler *r)
{
	struct aps_fragmenter f;
	uint64_t now = 0;

	memset(r, 0, sizeof *r);
	assert_int_equal(aps_fragmenter_start(&f, now, &frame, rd_of(message, len)), OK);
	while (f.active) {
		uint8_t there[128], back[32];
		struct aps_frame block, arrived, ack, returned;
		struct rd whole = rd_of(NULL, 0);

		now = aps_fragmenter_deadline(&f);
		if (!aps_fragmenter_next(&f, now, &block))
			continue;
		assert_true(carry(&block, there, sizeof there, &arrived));
		if (rng_below(rng, 100) < loss)
			continue;
		assert_int_equal(aps_reassembler_take(r, now, &arrived, &whole, &ack), OK);
		if (whole.left > 0) {
			assert_int_equal(whole.left, len);
			assert_memory_equal(whole.at, message, len);
			return true;
		}
		if (rng_below(rng, 100) >= loss) {
			assert_true(carry(&ack, back, sizeof back, &returned));
			aps_fragmenter_ack(&f, now, &returned);
		}
	}
	return false;
}

static void messages_of_every_length_arrive_whole(void **state)
{
	uint8_t message[APS_FRAGMENT_MESSAGE];
	struct rng rng = rng_seeded(5);
	struct aps_reassembler r;

	(void)state;
	rng_fill(&rng, message, sizeof message);
	for (size_t len = 1; len <= sizeof message; len += 61)
		assert_true(transfer(message, len, 0, &rng, &r));
	assert_true(transfer(message, sizeof message, 0, &rng, &r));
}

static void loss_is_repaired_or_given_up(void **state)
{
	uint8_t message[600];
	struct rng rng = rng_seeded(6);
	struct aps_reassembler r;
	unsigned arrived = 0;

	(void)state;
	rng_fill(&rng, message, sizeof message);
	for (int i = 0; i < 100; i++)
		arrived += transfer(message, sizeof message, 10, &rng, &r);
	assert_true(arrived > 90);
	assert_false(transfer(message, sizeof message, 100, &rng, &r));
}

/* Its acknowledgement was lost, or held back: the sender repeats the last block alone. */
static void a_repeat_of_a_block_brings_the_whole_message_again(void **state)
{
	uint8_t message[100], other[APS_FRAGMENT_BLOCK] = {0};
	struct rng rng = rng_seeded(8);
	struct aps_reassembler r;
	struct aps_frame f = frame, ack;
	struct rd whole;

	(void)state;
	rng_fill(&rng, message, sizeof message);
	assert_true(transfer(message, sizeof message, 0, &rng, &r));
	f.extended_header = true;
	f.fragmentation = APS_FRAGMENT;
	f.block = 1;
	f.payload = rd_of(message + APS_FRAGMENT_BLOCK, sizeof message - APS_FRAGMENT_BLOCK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(aps_reassembler_take(&r, 2, &f, &whole, &ack), OK);
		assert_true(rd_equal(whole, rd_of(message, sizeof message)));
		assert_int_equal(ack.block, 1);
	}
	/* another message of the same counter begins with its first block */
	f.fragmentation = APS_FIRST_FRAGMENT;
	f.block = 2;
	f.payload = rd_of(other, sizeof other);
	assert_int_equal(aps_reassembler_take(&r, 3, &f, &whole, &ack), OK);
	assert_int_equal(whole.left, 0);
	/* and what has expired is forgotten */
	assert_true(transfer(message, sizeof message, 0, &rng, &r));
	f.fragmentation = APS_FRAGMENT;
	f.block = 1;
	f.payload = rd_of(message + APS_FRAGMENT_BLOCK, sizeof message - APS_FRAGMENT_BLOCK);
	assert_int_equal(aps_reassembler_take(&r, 2 * APS_FRAGMENT_LIFE_MS, &f, &whole, &ack), OK);
	assert_int_equal(whole.left, 0);
}

static void refuses_what_cannot_be(void **state)
{
	struct aps_reassembler r = {.active = false};
	struct aps_frame f = frame, ack;
	struct aps_fragmenter out;
	uint8_t octets[APS_FRAGMENT_MESSAGE + 1] = {0};
	struct rd whole;

	(void)state;
	assert_int_equal(aps_fragmenter_start(&out, 0, &frame, rd_of(octets, sizeof octets)), ERR_TOO_LONG);
	f.payload = rd_of(octets, 10);
	assert_int_equal(aps_reassembler_take(&r, 0, &f, &whole, &ack), ERR_MALFORMED);
	f.extended_header = true;
	f.fragmentation = APS_FIRST_FRAGMENT;
	f.block = APS_FRAGMENT_BLOCKS + 1;
	assert_int_equal(aps_reassembler_take(&r, 0, &f, &whole, &ack), ERR_TOO_LONG);
	f.block = 2;
	assert_int_equal(aps_reassembler_take(&r, 0, &f, &whole, &ack), OK);
	f.fragmentation = APS_FRAGMENT;
	f.block = 2;
	assert_int_equal(aps_reassembler_take(&r, 0, &f, &whole, &ack), ERR_MALFORMED);
	f.block = 1;
	f.counter++;
	assert_int_equal(aps_reassembler_take(&r, 0, &f, &whole, &ack), ERR_STATE);
	assert_int_equal(aps_reassembler_take(&r, APS_FRAGMENT_LIFE_MS, &f, &whole, &ack), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_of_every_length_arrive_whole),
		cmocka_unit_test(loss_is_repaired_or_given_up),
		cmocka_unit_test(a_repeat_of_a_block_brings_the_whole_message_again),
		cmocka_unit_test(refuses_what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
