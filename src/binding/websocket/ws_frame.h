/* Frames of a WebSocket, RFC 6455 clause 5.2. Pure.
 *
 *	struct ws_frame f;
 *
 *	if (ws_frame_read(&in, &f) == OK)
 *		ws_frame_mask(f.mask, 0, payload, &out);        the next f.length octets of `in`
 */
#ifndef KEYWAY_BINDING_WEBSOCKET_WS_FRAME_H
#define KEYWAY_BINDING_WEBSOCKET_WS_FRAME_H

#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"

#define WS_FRAME_HEAD_MAX 14    /* 2, a length of 8, a mask */
#define WS_FRAME_CONTROL_MAX 125 /* payload of a control frame */
#define WS_MASK_SIZE 4

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* All of a frame but its payload. */
struct ws_frame {
	bool final;              /* the last fragment of its message */
	bool masked;
	enum ws_opcode opcode;
	uint64_t length;         /* of the payload */
	uint8_t mask[WS_MASK_SIZE];
};

/* Moves behind the head of a frame. ERR_SHORT: more must come; `in` is where it was. ERR_MALFORMED: a reserved bit or opcode; a control frame that is a
 * fragment or has more than 125 octets; a length that could be shorter, or is above 2^63 - 1. */
enum err ws_frame_read(struct rd *in, struct ws_frame *f) MUST_CHECK;
void ws_frame_write(const struct ws_frame *f, struct wr *out);
/* The payload with the mask put on, or taken off. `before`: how many octets of the payload came before these. */
void ws_frame_mask(const uint8_t mask[static WS_MASK_SIZE], uint64_t before, struct rd payload, struct wr *out);

#endif
