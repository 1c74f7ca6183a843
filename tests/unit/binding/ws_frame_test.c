/* Heads of frames there and back, each prefix of them, and masks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "binding/websocket/ws_frame.h"

/* clang-format off */
static const struct {
	const char *hex;
	struct ws_frame frame;
} good[] = {
	{"8100", {.final = true, .opcode = WS_TEXT}},
	{"0105", {.opcode = WS_TEXT, .length = 5}},
	{"82 fd 01020304", {.final = true, .masked = true, .opcode = WS_BINARY, .length = 125, .mask = {1, 2, 3, 4}}},
	{"00 7e 007e", {.opcode = WS_CONTINUATION, .length = 126}},
	{"80 fe ffff a1b2c3d4", {.final = true, .masked = true, .opcode = WS_CONTINUATION, .length = 65535, .mask = {0xa1, 0xb2, 0xc3, 0xd4}}},
	{"82 7f 0000000000010000", {.final = true, .opcode = WS_BINARY, .length = 65536}},
	{"82 ff 7fffffffffffffff 00000000", {.final = true, .masked = true, .opcode = WS_BINARY, .length = INT64_MAX}},
	{"8800", {.final = true, .opcode = WS_CLOSE}},
	{"89 fd 01020304", {.final = true, .masked = true, .opcode = WS_PING, .length = 125, .mask = {1, 2, 3, 4}}},
	{"8a00", {.final = true, .opcode = WS_PONG}},
};
static const char *const bad[] = {
	"c100", "a100", "9100", "8300", "8700", "8b00", "8f00", /* reserved bits and opcodes */
	"0800", "0900", "0a00", "897e 007e", "887f 0000000000010000", /* control frames in fragments, and long ones */
	"827e 007d", "827e 0000", "827f 000000000000ffff", "827f 8000000000000000", "82ff ffffffffffffffff 00000000",
};
/* clang-format on */

static enum err read_exactly(const uint8_t *octets, size_t len, struct ws_frame *f, size_t *left)
{
	uint8_t *block = malloc(len ? len : 1);
	struct rd in = rd_of(block, len);
	enum err e;

	assert_non_null(block);
	memcpy(block, octets, len);
	e = ws_frame_read(&in, f);
	*left = in.left;
	free(block);
	return e;
}

static void heads_are_the_same_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		const struct ws_frame *x = &good[i].frame;
		uint8_t octets[WS_FRAME_HEAD_MAX], again[WS_FRAME_HEAD_MAX];
		struct wr w = wr_of(again, sizeof again);
		struct ws_frame f = {.length = 0};
		size_t len, left;
		struct rd written;

		assert_true(hex_parse_loose(rd_str(good[i].hex), octets, sizeof octets, &len));
		for (size_t n = 0; n < len; n++) {
			assert_int_equal(read_exactly(octets, n, &f, &left), ERR_SHORT);
			assert_int_equal(left, n);
		}
		f = (struct ws_frame){.length = 0};
		assert_int_equal(read_exactly(octets, len, &f, &left), OK);
		assert_int_equal(left, 0);
		assert_true(f.final == x->final && f.masked == x->masked && f.opcode == x->opcode && f.length == x->length);
		assert_memory_equal(f.mask, x->mask, sizeof f.mask);
		ws_frame_write(x, &w);
		assert_true(wr_done(&w, &written));
		assert_true(rd_equal(written, rd_of(octets, len)));
	}
}

static void refuses_what_is_no_frame(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint8_t octets[WS_FRAME_HEAD_MAX];
		struct ws_frame f;
		size_t len, left;

		assert_true(hex_parse_loose(rd_str(bad[i]), octets, sizeof octets, &len));
		if (read_exactly(octets, len, &f, &left) != ERR_MALFORMED || left != len)
			fail_msg("%s", bad[i]);
	}
}

/* Against the RFC's own definition, an octet at a time: clause 5.3. */
static void masks_in_any_pieces(void **state)
{
	static const uint8_t mask[WS_MASK_SIZE] = {0x37, 0xfa, 0x21, 0x3d};
	uint8_t octets[41];

	(void)state;
	for (size_t i = 0; i < sizeof octets; i++)
		octets[i] = (uint8_t)(i * 7);
	for (size_t before = 0; before <= sizeof octets; before++) {
		struct rd in = rd_of(octets, sizeof octets), part;
		uint8_t room[sizeof octets];
		struct wr w = wr_of(room, sizeof room);

		assert_true(rd_sub(&in, before, &part));
		ws_frame_mask(mask, 0, part, &w);
		ws_frame_mask(mask, before, in, &w);
		assert_false(w.spoilt);
		assert_int_equal(w.len, sizeof octets);
		for (size_t i = 0; i < sizeof octets; i++)
			assert_int_equal(room[i], octets[i] ^ mask[i % 4]);
	}
}

static void does_not_mask_beyond_its_room(void **state)
{
	static const uint8_t mask[WS_MASK_SIZE] = {1, 2, 3, 4};
	uint8_t room[4] = {0};
	struct wr w = wr_of(room, 3);

	(void)state;
	ws_frame_mask(mask, 0, rd_str("four"), &w);
	assert_true(w.spoilt);
	assert_memory_equal(room, "\0\0\0", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_the_same_there_and_back),
		cmocka_unit_test(refuses_what_is_no_frame),
		cmocka_unit_test(masks_in_any_pieces),
		cmocka_unit_test(does_not_mask_beyond_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
