/* The head of a frame: what is read is written the same, each prefix of it is short, and what it says is within the RFC. And a mask that was put on comes off
 * again, wherever the payload is cut. */
#include <string.h>

#include "../fuzz.h"
#include "binding/websocket/ws_frame.h"

static void head(struct rd in)
{
	struct rd all = in, rest = in, part, written;
	uint8_t octets[WS_FRAME_HEAD_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	struct ws_frame f = {.length = 0}, again;
	enum err e = ws_frame_read(&rest, &f);
	size_t len = in.left - rest.left;

	if (e != OK) {
		MUST(len == 0 && (e == ERR_MALFORMED || (e == ERR_SHORT && in.left < WS_FRAME_HEAD_MAX)));
		return;
	}
	MUST(f.length <= INT64_MAX && (f.opcode < WS_CLOSE || (f.final && f.length <= WS_FRAME_CONTROL_MAX)));
	ws_frame_write(&f, &w);
	MUST(wr_done(&w, &written) && rd_sub(&all, len, &part) && rd_equal(written, part));
	for (size_t n = 0; n < len; n++) {
		MUST(rd_sub(&(struct rd){in.at, in.left}, n, &part));
		MUST(ws_frame_read(&part, &again) == ERR_SHORT);
	}
}

static void mask(struct rd in, size_t cut)
{
	uint8_t key[WS_MASK_SIZE];
	struct rd first, text = in, masked, back;
	struct wr w = wr_new(FUZZ_INPUT_MAX), v = wr_new(FUZZ_INPUT_MAX);

	if (rd_copy(&text, key, sizeof key)) {
		ws_frame_mask(key, 0, text, &w);
		MUST(wr_done(&w, &masked) && masked.left == text.left && rd_sub(&masked, cut % (masked.left + 1), &first));
		ws_frame_mask(key, 0, first, &v);
		ws_frame_mask(key, first.left, masked, &v);
		MUST(wr_done(&v, &back) && rd_equal(back, text));
	}
	wr_free(&w);
	wr_free(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_of(data, size);
	uint8_t cut;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	head(in);
	if (rd_u8(&in, &cut))
		mask(in, cut);
	return 0;
}
