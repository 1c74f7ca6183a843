/* A WebSocket against octets of any peer, of a client (first octet even) or a server: no message is longer than allowed, text is UTF-8, whatever
 * was sent back is frames of the right kind, nothing comes behind the end; and the same octets one by one give the same messages. */
#include <string.h>

#include "../fuzz.h"
#include "base/bytes.h"
#include "base/wr.h"
#include "binding/websocket/ws_link.h"

#define MESSAGE_MAX 512

struct end {
	struct ws_link *link;
	struct wr written, messages;
	unsigned ends;
};

static void on_write(void *ctx, struct rd octets)
{
	struct end *e = ctx;

	wr_rd(&e->written, octets);
}

static void on_message(void *ctx, bool binary, struct rd message)
{
	struct end *e = ctx;

	MUST(e->ends == 0 && message.left <= MESSAGE_MAX);
	wr_be32(&e->messages, (uint32_t)message.left);
	wr_u8(&e->messages, binary);
	wr_rd(&e->messages, message);
	while (!binary && message.left > 0) {
		size_t n = utf8_length(message);

		MUST(n > 0 && rd_skip(&message, n));
	}
	MUST(ws_link_send(e->link, binary, rd_str("yes")) == OK || e->ends == 0);
}

static void on_ended(void *ctx)
{
	struct end *e = ctx;

	e->ends++;
}

static void frames_must_be(struct rd octets, bool masked)
{
	uint8_t head, len;

	while (rd_u8(&octets, &head)) {
		MUST((head & 0x70) == 0 && rd_u8(&octets, &len) && ((len & 0x80) != 0) == masked);
		len &= 0x7f;
		MUST(len < 126 && rd_skip(&octets, len + (masked ? 4U : 0U)));
	}
}

static void run(struct end *e, bool server, struct rd in, size_t piece)
{
	static const struct ws_link_events events = {on_write, on_message, on_ended};
	struct rng rng = rng_seeded(3);
	struct rd part, written;

	*e = (struct end){.written = wr_new(1 << 20), .messages = wr_new(1 << 20)};
	e->link = ws_link_new(server, &rng, MESSAGE_MAX, &events, e);
	MUST(e->link);
	while (in.left > 0) {
		MUST(rd_sub(&in, in.left < piece ? in.left : piece, &part));
		ws_link_input(e->link, part);
	}
	ws_link_ping(e->link);
	ws_link_close(e->link, 1000);
	ws_link_free(e->link);
	MUST(e->ends <= 1 && wr_done(&e->written, &written));
	frames_must_be(written, !server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_of(data, size), a, b;
	struct end whole, apart;
	uint8_t first;

	if (size > FUZZ_INPUT_MAX || !rd_u8(&in, &first))
		return 0;
	run(&whole, first % 2 == 0, in, size);
	run(&apart, first % 2 == 0, in, 1);
	MUST(wr_done(&whole.messages, &a) && wr_done(&apart.messages, &b) && rd_equal(a, b));
	wr_free(&whole.written);
	wr_free(&whole.messages);
	wr_free(&apart.written);
	wr_free(&apart.messages);
	return 0;
}
