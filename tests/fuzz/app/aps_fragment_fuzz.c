/* Fragments in any order, with any numbers: a message that comes out is the blocks as they first came, one behind the other, and comes out as soon
 * as all have come, and again when one of them is repeated; every acknowledgement can be sent. And the way out: whatever is acknowledged, the blocks are the message's, none beyond its end. */
#include <string.h>

#include "zigbee/aps_fragment.h"
#include "../fuzz.h"

struct model {
	uint8_t blocks[APS_FRAGMENT_BLOCKS][APS_FRAGMENT_BLOCK_IN];
	size_t len[APS_FRAGMENT_BLOCKS];
	bool has[APS_FRAGMENT_BLOCKS];
};

static bool same_message(const struct aps_reassembler *r, const struct aps_frame *f)
{
	return r->counter == f->counter && r->cluster == f->cluster && r->profile == f->profile && r->source_endpoint == f->source_endpoint;
}

static void acknowledgement(const struct aps_frame *ack, uint8_t block)
{
	uint8_t buffer[32];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct aps_frame again;
	struct rd out;

	MUST(aps_frame_encode(ack, &w) == OK && wr_done(&w, &out) && aps_frame_decode(out, &again) == OK);
	MUST(again.type == APS_ACK && again.counter == ack->counter && again.block == block && again.ack_bitfield & 1);
}

static void whole_is_right(const struct model *m, unsigned count, struct rd whole)
{
	struct rd part;

	for (unsigned i = 0; i < count; i++)
		MUST(m->has[i] && rd_sub(&whole, m->len[i], &part) && rd_equal(part, rd_of(m->blocks[i], m->len[i])));
	MUST(whole.left == 0);
}

static bool all(const struct model *m, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!m->has[i])
			return false;
	return count > 0;
}

static bool repeats(const struct aps_reassembler *r, const struct model *m, const struct aps_frame *f, uint8_t block)
{
	return r->done && block < r->blocks && (f->fragmentation != APS_FIRST_FRAGMENT || f->block == r->blocks) && rd_equal(f->payload, rd_of(m->blocks[block], m->len[block]));
}

static void take(struct aps_reassembler *r, struct model *m, uint64_t now, const struct aps_frame *f)
{
	uint8_t block = f->fragmentation == APS_FIRST_FRAGMENT ? 0 : f->block;
	bool goes_on = now < r->expires && same_message(r, f) && (r->active || repeats(r, m, f, block));
	struct rd whole = rd_of("x", 1);
	struct aps_frame ack;

	if (aps_reassembler_take(r, now, f, &whole, &ack) != OK) {
		MUST(whole.left == 0);
		return;
	}
	if (!goes_on)
		memset(m, 0, sizeof *m);
	MUST(block < APS_FRAGMENT_BLOCKS && f->payload.left > 0 && f->payload.left <= APS_FRAGMENT_BLOCK_IN);
	if (!m->has[block]) {
		memcpy(m->blocks[block], f->payload.at, f->payload.left);
		m->len[block] = f->payload.left;
		m->has[block] = true;
	}
	acknowledgement(&ack, block);
	MUST((whole.left > 0) == all(m, r->blocks));
	if (whole.left > 0) {
		whole_is_right(m, r->blocks, whole);
		MUST(!r->active);
	}
}

static void in(struct rd input)
{
	static struct aps_reassembler r;
	static struct model m;
	uint8_t which, block, len;
	uint64_t now = 1000;
	struct rd raw;

	memset(&r, 0, sizeof r);
	while (rd_u8(&input, &which) && rd_u8(&input, &block) && rd_u8(&input, &len)) {
		struct aps_frame f = {.type = APS_DATA, .destination_endpoint = 1, .cluster = which >> 7, .profile = 0x0104, .counter = which >> 6 & 1, .extended_header = true};

		now += which & 0x20 ? len * 1000ULL : 1;
		f.fragmentation = which & 1 ? APS_FIRST_FRAGMENT : APS_FRAGMENT;
		f.block = block;
		if (which & 0x10) {
			/* any frame at all */
			if (!rd_sub(&input, len, &raw) || aps_frame_decode(raw, &f) != OK)
				continue;
		} else if (!rd_sub(&input, len, &f.payload)) {
			return;
		}
		take(&r, &m, now, &f);
	}
}

static void out(struct rd input)
{
	static struct aps_fragmenter f;
	const struct aps_frame frame = {.type = APS_DATA, .destination_endpoint = 1, .source_endpoint = 1, .cluster = 0x0019, .profile = 0x0104, .counter = 7};
	uint8_t message[APS_FRAGMENT_MESSAGE], octet, buffer[128];
	uint64_t now = 0;
	uint16_t len;
	size_t sent = 0;

	for (size_t i = 0; i < sizeof message; i++)
		message[i] = (uint8_t)(i * 7);
	if (!rd_le16(&input, &len) || len > sizeof message || aps_fragmenter_start(&f, now, &frame, rd_of(message, len)) != OK)
		return;
	while (f.active && rd_u8(&input, &octet)) {
		struct aps_frame ack = {.type = APS_ACK, .counter = 7, .extended_header = true, .fragmentation = APS_FRAGMENT}, block;
		struct wr w = wr_of(buffer, sizeof buffer);
		uint8_t next = f.next;

		now += octet & 0x40 ? APS_FRAGMENT_WAIT_MS : 1;
		if (aps_fragmenter_next(&f, now, &block)) {
			size_t at = (size_t)next * APS_FRAGMENT_BLOCK;

			MUST(at < len && block.payload.left > 0 && at + block.payload.left <= len && rd_equal(block.payload, rd_of(message + at, block.payload.left)));
			MUST(aps_frame_encode(&block, &w) == OK && w.len < sizeof buffer);
			sent++;
		}
		if (octet & 0x80) {
			ack.block = octet & 0x3f;
			MUST(rd_u8(&input, &ack.ack_bitfield) || input.left == 0);
			(void)aps_fragmenter_ack(&f, now, &ack);
			MUST(f.next >= next && f.next <= f.blocks);
		}
	}
	MUST(sent <= (size_t)f.blocks * APS_FRAGMENT_TRIES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd input = rd_of(data, size);
	uint8_t which;

	if (size > 2 * FUZZ_INPUT_MAX || !rd_u8(&input, &which))
		return 0;
	if (which & 1)
		out(input);
	else
		in(input);
	return 0;
}
