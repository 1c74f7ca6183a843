/* APS fragmentation and reassembly. */
#include "zigbee/aps_fragment.h"

#include <string.h>

#define NEVER UINT64_MAX

enum err aps_fragmenter_start(struct aps_fragmenter *f, uint64_t now, const struct aps_frame *frame, struct rd message)
{
	if (message.left > APS_FRAGMENT_MESSAGE || message.left == 0)
		return ERR_TOO_LONG;
	memset(f, 0, sizeof *f);
	memcpy(f->message, message.at, message.left);
	f->len = message.left;
	f->frame = *frame;
	f->frame.extended_header = true;
	f->frame.ack_request = true;
	f->blocks = (uint8_t)((message.left + APS_FRAGMENT_BLOCK - 1) / APS_FRAGMENT_BLOCK);
	f->again = now;
	f->active = true;
	return OK;
}

bool aps_fragmenter_next(struct aps_fragmenter *f, uint64_t now, struct aps_frame *block)
{
	size_t start = (size_t)f->next * APS_FRAGMENT_BLOCK, left = f->len - start;

	if (!f->active || now < f->again)
		return false;
	if (f->tries++ == APS_FRAGMENT_TRIES) {
		f->active = false;
		return false;
	}
	f->again = now + APS_FRAGMENT_WAIT_MS;
	*block = f->frame;
	block->fragmentation = f->next == 0 ? APS_FIRST_FRAGMENT : APS_FRAGMENT;
	block->block = f->next == 0 ? f->blocks : f->next;
	block->payload = rd_of(f->message + start, left < APS_FRAGMENT_BLOCK ? left : APS_FRAGMENT_BLOCK);
	return true;
}

bool aps_fragmenter_ack(struct aps_fragmenter *f, uint64_t now, const struct aps_frame *ack)
{
	if (!f->active || ack->type != APS_ACK || ack->counter != f->frame.counter || !ack->extended_header || ack->block > f->next)
		return false;
	if (f->next - ack->block > 7 || !(ack->ack_bitfield >> (f->next - ack->block) & 1))
		return false;
	f->next++;
	f->tries = 0;
	f->again = now;
	if (f->next < f->blocks)
		return false;
	f->active = false;
	return true;
}

uint64_t aps_fragmenter_deadline(const struct aps_fragmenter *f)
{
	return f->active ? f->again : NEVER;
}

static bool same_message(const struct aps_reassembler *r, const struct aps_frame *f)
{
	return r->counter == f->counter && r->cluster == f->cluster && r->profile == f->profile && r->source_endpoint == f->source_endpoint;
}

static void begin(struct aps_reassembler *r, const struct aps_frame *f)
{
	memset(r, 0, sizeof *r);
	r->active = true;
	r->counter = f->counter;
	r->cluster = f->cluster;
	r->profile = f->profile;
	r->source_endpoint = f->source_endpoint;
}

/* One number of blocks, and no block beyond it: otherwise the message could never be whole. */
static bool counts_agree(const struct aps_reassembler *r, const struct aps_frame *f, uint8_t block)
{
	uint64_t arrived = r->arrived;

	if (f->fragmentation != APS_FIRST_FRAGMENT)
		return r->blocks == 0 || block < r->blocks;
	return (r->blocks == 0 || r->blocks == f->block) && arrived >> f->block == 0;
}

/* A block of the message that was whole already: its sender has not heard of it. */
static bool comes_again(const struct aps_reassembler *r, uint64_t now, const struct aps_frame *f, uint8_t block)
{
	size_t start = 0;

	if (!r->done || now >= r->expires || !same_message(r, f) || block >= r->blocks || (f->fragmentation == APS_FIRST_FRAGMENT && f->block != r->blocks))
		return false;
	for (size_t i = 0; i < block; i++)
		start += r->block_len[i];
	return rd_equal(f->payload, rd_of(r->message + start, r->block_len[block]));
}

/* Moves the blocks together. */
static bool join(struct aps_reassembler *r, struct rd *whole)
{
	size_t len = 0;

	if (r->blocks == 0 || r->arrived != (r->blocks == 32 ? UINT32_MAX : (1U << r->blocks) - 1))
		return false;
	for (size_t i = 0; i < r->blocks; i++) {
		memmove(r->message + len, r->message + i * APS_FRAGMENT_BLOCK_IN, r->block_len[i]);
		len += r->block_len[i];
	}
	*whole = rd_of(r->message, len);
	return true;
}

enum err aps_reassembler_take(struct aps_reassembler *r, uint64_t now, const struct aps_frame *f, struct rd *whole, struct aps_frame *ack)
{
	uint8_t block = f->fragmentation == APS_FIRST_FRAGMENT ? 0 : f->block;
	bool again;

	*whole = rd_of(NULL, 0);
	if (f->type != APS_DATA || !f->extended_header || f->fragmentation == APS_NOT_FRAGMENTED || f->payload.left == 0)
		return ERR_MALFORMED;
	if ((f->fragmentation == APS_FIRST_FRAGMENT && (f->block == 0 || f->block > APS_FRAGMENT_BLOCKS)) || block >= APS_FRAGMENT_BLOCKS ||
	    (f->fragmentation == APS_FRAGMENT && block == 0) || f->payload.left > APS_FRAGMENT_BLOCK_IN)
		return ERR_TOO_LONG;
	if (r->active && now < r->expires && !same_message(r, f))
		return ERR_STATE;
	again = comes_again(r, now, f, block);
	if (!again && (!r->active || now >= r->expires || !same_message(r, f)))
		begin(r, f);
	if (!counts_agree(r, f, block))
		return ERR_MALFORMED;
	if (f->fragmentation == APS_FIRST_FRAGMENT)
		r->blocks = f->block;
	r->expires = now + APS_FRAGMENT_LIFE_MS;
	if (!(r->arrived >> block & 1)) {
		memcpy(r->message + (size_t)block * APS_FRAGMENT_BLOCK_IN, f->payload.at, f->payload.left);
		r->block_len[block] = f->payload.left;
		r->arrived |= 1U << block;
	}
	aps_ack_for(f, ack);
	ack->block = block;
	ack->ack_bitfield = 0x01;
	if (again) {
		*whole = rd_of(r->message, r->len);
	} else if (join(r, whole)) {
		r->active = false;
		r->done = true;
		r->len = whole->left;
	}
	return OK;
}
