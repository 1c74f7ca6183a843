/* The heads of frames, and masks. */
#include "binding/websocket/ws_frame.h"

#include <string.h>

#define FINAL 0x80
#define RESERVED 0x70 /* bits of extensions, of which there are none here */
#define OPCODE 0x0f
#define CONTROL 0x08  /* of an opcode */
#define MASKED 0x80
#define LENGTH 0x7f
#define LENGTH_16 126 /* 16 bits of length follow */
#define LENGTH_64 127

static enum err length_read(struct rd *in, uint8_t first, uint64_t *length)
{
	uint16_t medium;

	if (first == LENGTH_64) {
		if (!rd_be64(in, length))
			return ERR_SHORT;
		return *length > UINT16_MAX && *length <= INT64_MAX ? OK : ERR_MALFORMED;
	}
	if (first == LENGTH_16) {
		if (!rd_be16(in, &medium))
			return ERR_SHORT;
		*length = medium;
		return medium >= LENGTH_16 ? OK : ERR_MALFORMED;
	}
	*length = first;
	return OK;
}

/* final(1) reserved(3) opcode(4), masked(1) length(7), longer length(16 or 64), mask(32) */
enum err ws_frame_read(struct rd *in, struct ws_frame *f)
{
	static const bool known[OPCODE + 1] = {
		[WS_CONTINUATION] = true, [WS_TEXT] = true, [WS_BINARY] = true, [WS_CLOSE] = true, [WS_PING] = true, [WS_PONG] = true};
	struct rd r = *in;
	uint8_t kind, len;
	enum err e;

	if (!rd_u8(&r, &kind) || !rd_u8(&r, &len))
		return ERR_SHORT;
	f->final = kind & FINAL;
	f->masked = len & MASKED;
	f->opcode = (enum ws_opcode)(kind & OPCODE);
	if ((kind & RESERVED) || !known[kind & OPCODE] || ((kind & CONTROL) && (!f->final || (len & LENGTH) > WS_FRAME_CONTROL_MAX)))
		return ERR_MALFORMED;
	if ((e = length_read(&r, len & LENGTH, &f->length)) != OK)
		return e;
	if (f->masked && !rd_copy(&r, f->mask, sizeof f->mask))
		return ERR_SHORT;
	*in = r;
	return OK;
}

void ws_frame_write(const struct ws_frame *f, struct wr *out)
{
	uint8_t masked = f->masked ? MASKED : 0;

	wr_u8(out, (uint8_t)((f->final ? FINAL : 0) | f->opcode));
	if (f->length < LENGTH_16) {
		wr_u8(out, (uint8_t)(masked | f->length));
	} else if (f->length <= UINT16_MAX) {
		wr_u8(out, masked | LENGTH_16);
		wr_be16(out, (uint16_t)f->length);
	} else {
		wr_u8(out, masked | LENGTH_64);
		wr_be64(out, f->length);
	}
	if (f->masked)
		wr_copy(out, f->mask, sizeof f->mask);
}

/* Eight octets at a time: all that clients send passes here. */
void ws_frame_mask(const uint8_t mask[static WS_MASK_SIZE], uint64_t before, struct rd payload, struct wr *out)
{
	uint8_t *room = payload.left > 0 ? wr_room(out, payload.left) : NULL;
	uint8_t key[sizeof(uint64_t)];
	uint64_t twice, eight;
	size_t i = 0;

	if (!room)
		return;
	for (size_t k = 0; k < sizeof key; k++)
		key[k] = mask[(before + k) % WS_MASK_SIZE];
	memcpy(&twice, key, sizeof twice);
	for (; payload.left - i >= sizeof eight; i += sizeof eight) {
		memcpy(&eight, payload.at + i, sizeof eight);
		eight ^= twice;
		memcpy(room + i, &eight, sizeof eight);
	}
	for (; i < payload.left; i++)
		room[i] = payload.at[i] ^ key[i % sizeof key];
}
