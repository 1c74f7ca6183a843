/* APS fragmentation, pure: a message in blocks, acknowledged window by window, and their reassembly. Source: Zigbee specification 05-3474 R22,
 * clauses 2.2.8.4.5 and 2.2.5.1.8. Block 0 carries the number of blocks; an acknowledgement carries the first block of its window and a bit for each
 * of eight blocks that has arrived. */
#ifndef KEYWAY_ZIGBEE_APS_FRAGMENT_H
#define KEYWAY_ZIGBEE_APS_FRAGMENT_H

#include "zigbee/aps_frame.h"

#define APS_FRAGMENT_BLOCKS 32  /* ours; a message stays below APS_FRAGMENT_MESSAGE */
#define APS_FRAGMENT_BLOCK 64   /* octets a block: fits under two layers of security */
#define APS_FRAGMENT_BLOCK_IN 96 /* others cut differently */
#define APS_FRAGMENT_MESSAGE (APS_FRAGMENT_BLOCKS * APS_FRAGMENT_BLOCK)
#define APS_FRAGMENT_WINDOW 1   /* apscMaxWindowSize of Zigbee 3.0 defaults */
#define APS_FRAGMENT_WAIT_MS 3200
#define APS_FRAGMENT_TRIES 4
#define APS_FRAGMENT_LIFE_MS 30000

/* ---- out ---- */
struct aps_fragmenter {
	uint8_t message[APS_FRAGMENT_MESSAGE];
	size_t len;
	struct aps_frame frame; /* addresses and counter; its payload is set a block at a time */
	uint8_t blocks, next;   /* next: the block that is not acknowledged yet */
	unsigned tries;
	uint64_t again;
	bool active;
};
/* frame: as for aps_frame_encode, with its counter. ERR_TOO_LONG over APS_FRAGMENT_MESSAGE. */
enum err aps_fragmenter_start(struct aps_fragmenter *f, uint64_t now_ms, const struct aps_frame *frame, struct rd message) MUST_CHECK;
/* The block that is due; false when none is. After the last try the message is given up (active is false). */
bool aps_fragmenter_next(struct aps_fragmenter *f, uint64_t now_ms, struct aps_frame *block) MUST_CHECK;
/* True when this acknowledgement was the message's last. */
bool aps_fragmenter_ack(struct aps_fragmenter *f, uint64_t now_ms, const struct aps_frame *ack);
uint64_t aps_fragmenter_deadline(const struct aps_fragmenter *f);

/* ---- in ---- */
struct aps_reassembler {
	uint8_t message[APS_FRAGMENT_BLOCKS * APS_FRAGMENT_BLOCK_IN];
	uint8_t counter, blocks;     /* blocks: 0 until block 0 has come */
	uint16_t cluster, profile;
	uint8_t source_endpoint;
	uint32_t arrived;            /* a bit a block */
	size_t block_len[APS_FRAGMENT_BLOCKS];
	uint64_t expires;
	bool active;
	bool done;                   /* whole, and its blocks are one behind the other */
	size_t len;                  /* when done */
};
/* Takes a fragment. OK and whole.left > 0: the message is whole (borrowed until the next call); so it is again at each repeat of a block of it, until it expires
 * or another message begins: whoever did not acknowledge the last block gets the message once more. ERR_MALFORMED, ERR_TOO_LONG. One message at a time: a fragment of
 * another one replaces it when the former has expired, and is ERR_STATE before. ack is to be sent in any case but an error. */
enum err aps_reassembler_take(struct aps_reassembler *r, uint64_t now_ms, const struct aps_frame *f, struct rd *whole, struct aps_frame *ack) MUST_CHECK;

#endif
