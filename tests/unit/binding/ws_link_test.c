/* A WebSocket behind its handshake: two ends against each other, and one against frames that break the rules of RFC 6455. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/wr.h"
#include "binding/websocket/ws_link.h"

#define MESSAGE_MAX 100000

struct end {
	struct ws_link *link;
	struct wr written;
	struct wr message; /* the latest */
	unsigned messages, ends;
	bool binary, frees;
};

static void on_write(void *ctx, struct rd octets)
{
	struct end *e = ctx;

	wr_rd(&e->written, octets);
}

static void on_message(void *ctx, bool binary, struct rd message)
{
	struct end *e = ctx;

	wr_reset(&e->message);
	wr_rd(&e->message, message);
	e->binary = binary;
	e->messages++;
	if (e->frees) {
		ws_link_free(e->link);
		e->link = NULL;
	}
}

static void on_ended(void *ctx)
{
	struct end *e = ctx;

	e->ends++;
	if (e->frees) {
		ws_link_free(e->link);
		e->link = NULL;
	}
}

static const struct ws_link_events events = {on_write, on_message, on_ended};
static struct rng rng;

static struct end *end_new(bool server)
{
	struct end *e = calloc(1, sizeof *e);

	rng = rng_seeded(7);
	e->written = wr_new(10 * MESSAGE_MAX);
	e->message = wr_new(10 * MESSAGE_MAX);
	e->link = ws_link_new(server, &rng, MESSAGE_MAX, &events, e);
	assert_non_null(e->link);
	return e;
}

static void end_free(struct end *e)
{
	ws_link_free(e->link);
	wr_free(&e->written);
	wr_free(&e->message);
	free(e);
}

/* What one wrote reaches the other, in pieces of this size, each from a block of its own. */
static void carry(struct end *from, struct end *to, size_t piece)
{
	struct rd octets;

	assert_true(wr_done(&from->written, &octets));
	while (octets.left > 0 && to->link) {
		struct rd part;
		uint8_t *block;

		assert_true(rd_sub(&octets, octets.left < piece ? octets.left : piece, &part));
		block = malloc(part.left);
		memcpy(block, part.at, part.left);
		ws_link_input(to->link, rd_of(block, part.left));
		free(block);
	}
	wr_reset(&from->written);
}

static void carries_messages_both_ways_in_any_pieces(void **state)
{
	static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536, MESSAGE_MAX}, pieces[] = {1, 7, 1000000};

	(void)state;
	for (size_t p = 0; p < 3; p++) {
		struct end *client = end_new(false), *server = end_new(true);
		unsigned n = 0;

		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
			char *text = malloc(sizes[i] + 1);

			memset(text, 'a' + (int)i, sizes[i]);
			assert_int_equal(ws_link_send(client->link, i % 2, rd_of(text, sizes[i])), OK);
			carry(client, server, pieces[p]);
			assert_int_equal(ws_link_send(server->link, i % 2, rd_of(text, sizes[i])), OK);
			carry(server, client, pieces[p]);
			n++;
			for (struct end *e = server;; e = client) {
				assert_int_equal(e->messages, n);
				assert_int_equal(e->binary, i % 2);
				assert_int_equal(e->message.len, sizes[i]);
				if (sizes[i])
					assert_memory_equal(e->message.octets, text, sizes[i]);
				if (e == client)
					break;
			}
			free(text);
		}
		assert_int_equal(client->ends + server->ends, 0);
		end_free(client);
		end_free(server);
	}
}

static void masks_what_a_client_sends(void **state)
{
	struct end *client = end_new(false);
	struct rd octets;

	(void)state;
	assert_int_equal(ws_link_send(client->link, false, rd_str("aaaaaaaaaaaaaaaa")), OK);
	assert_true(wr_done(&client->written, &octets));
	assert_int_equal(octets.left, 2 + 4 + 16);
	assert_int_equal(octets.at[1], 0x80 | 16);
	assert_null(memmem(octets.at, octets.left, "aaaa", 4));
	end_free(client);
}

static void answers_a_ping_by_itself(void **state)
{
	struct end *client = end_new(false), *server = end_new(true);

	(void)state;
	ws_link_ping(server->link);
	carry(server, client, 1000);
	assert_true(client->written.len > 0);
	carry(client, server, 1000);
	assert_int_equal(client->messages + server->messages + client->ends + server->ends, 0);
	end_free(client);
	end_free(server);
}

static void ends_by_the_closing_handshake(void **state)
{
	struct end *client = end_new(false), *server = end_new(true);

	(void)state;
	ws_link_close(server->link, 1001);
	assert_int_equal(server->ends, 0); /* the other side has to agree */
	assert_int_equal(ws_link_send(server->link, false, rd_str("late")), ERR_CLOSED);
	carry(server, client, 1);
	assert_int_equal(client->ends, 1);
	carry(client, server, 1);
	assert_int_equal(server->ends, 1);
	assert_int_equal(ws_link_send(client->link, false, rd_str("late")), ERR_CLOSED);
	ws_link_ping(client->link);
	ws_link_close(client->link, 1000);
	ws_link_input(client->link, rd_str("anything"));
	assert_int_equal(client->written.len + server->written.len, 0);
	assert_int_equal(client->messages + server->messages, 0);
	end_free(client);
	end_free(server);
}

static void may_be_freed_from_its_own_callbacks(void **state)
{
	struct end *client = end_new(false), *server = end_new(true);

	(void)state;
	server->frees = client->frees = true;
	assert_int_equal(ws_link_send(client->link, false, rd_str("one")), OK);
	assert_int_equal(ws_link_send(client->link, false, rd_str("two")), OK);
	carry(client, server, 1000);
	assert_int_equal(server->messages, 1);
	assert_null(server->link);
	end_free(server);
	server = end_new(true);
	ws_link_close(server->link, 1000);
	carry(server, client, 1000);
	assert_null(client->link);
	end_free(client);
	end_free(server);
}

/* clang-format off */
static const struct {
	const char *hex;
	unsigned messages;
	unsigned code;     /* of the close frame that comes back; 0: none; one without a code counts as 1005 */
	const char *what;
} frames[] = {
	{"8185 00000000 68656c6c6f", 1, 0, "a text"},
	{"8180 00000000", 1, 0, "an empty text"},
	{"0183 00000000 68656c 8082 00000000 6c6f", 1, 0, "a text in two fragments"},
	{"0183 00000000 68656c 8982 00000000 7878 8082 00000000 6c6f", 1, 0, "a ping between fragments"},
	{"8a80 00000000", 0, 0, "a pong that nobody asked for"},
	{"8880 00000000", 0, 1005, "a close without code"},
	{"8882 00000000 03e8", 0, 1000, "a close"},
	{"8885 00000000 0fa0 c3a4 62", 0, 4000, "a close with a code of its own, and a reason"},
	{"0183 00000000 68656c 8882 00000000 03e9", 0, 1001, "a close between fragments"},
	{"0181 00000000 c3 8081 00000000 a4", 1, 0, "a character in two fragments"},
	{"0180 00000000 0080 00000000 8080 00000000", 1, 0, "three fragments of nothing"},
	{"0283 00000000 ff00ff 8082 00000000 ffff", 1, 0, "octets in two fragments"},
	{"8580 00000000", 0, 1002, "another reserved opcode"},
	{"9180 00000000", 0, 1002, "the last reserved bit"},
	{"8800", 0, 1002, "a close without mask"},
	{"8080 00000000", 0, 1002, "a continuation of nothing, with nothing"},
	{"0181 00000000 61 8081 00000000 61 8081 00000000 61", 1, 1002, "a continuation of what has ended"},
	{"8882 00000000 03ec", 0, 1002, "the reserved close code"},
	{"8882 00000000 03e7", 0, 1002, "a close code below all"},
	{"8882 00000000 0bb7", 0, 1002, "a close code of nobody"},
	{"8882 00000000 1388", 0, 1002, "a close code above all"},
	{"8884 00000000 03e8 c328", 0, 1007, "a close whose reason is no UTF-8"},
	{"8105 68656c6c6f", 0, 1002, "no mask"},
	{"c185 00000000 68656c6c6f", 0, 1002, "a reserved bit"},
	{"8385 00000000 68656c6c6f", 0, 1002, "a reserved opcode"},
	{"8b80 00000000", 0, 1002, "a reserved control opcode"},
	{"0980 00000000", 0, 1002, "a ping in fragments"},
	{"89fe 007e 00000000", 0, 1002, "a long ping"},
	{"8085 00000000 68656c6c6f", 0, 1002, "a continuation of nothing"},
	{"0181 00000000 61 8181 00000000 61", 0, 1002, "a message within a message"},
	{"8881 00000000 03", 0, 1002, "half a close code"},
	{"8882 00000000 03ed", 0, 1002, "a close code that is never sent"},
	{"8182 00000000 c3 28", 0, 1007, "a text that is no UTF-8"},
	{"8181 00000000 c3", 0, 1007, "a text with half a character"},
	{"81fe 0005 00000000 68656c6c6f", 0, 1002, "a length that could be shorter"},
	{"81ff 0000000000000005 00000000 68656c6c6f", 0, 1002, "a much longer length that could be shorter"},
	{"81ff 8000000000000000 00000000", 0, 1002, "a negative length"},
	{"81ff 0000000000100000 00000000 61", 0, 1009, "too long a message"},
	{"82ff 7fffffffffffffff 00000000 61", 0, 1009, "a message of 8 EiB"},
};
/* clang-format on */

/* Of a server, which masks nothing. */
static unsigned close_code(struct rd octets)
{
	uint8_t head, len;
	uint16_t code;
	struct rd payload;

	while (rd_u8(&octets, &head)) {
		assert_true(rd_u8(&octets, &len) && len < 126 && rd_sub(&octets, len, &payload));
		if (head == 0x88)
			return rd_be16(&payload, &code) ? code : 1005;
	}
	return 0;
}

static void judges_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		for (size_t piece = 1; piece < 1000; piece += 998) {
			struct end *peer = end_new(true), *server = end_new(true);
			uint8_t octets[64];
			size_t len;
			struct rd back;

			assert_true(hex_parse_loose(rd_str(frames[i].hex), octets, sizeof octets, &len));
			wr_copy(&peer->written, octets, len);
			carry(peer, server, piece);
			assert_true(wr_done(&server->written, &back));
			if (server->messages != frames[i].messages || close_code(back) != frames[i].code)
				fail_msg("%s: %u messages, code %u", frames[i].what, server->messages, close_code(back));
			/* a peer that broke the rules is not listened to any more; its answer to the close frame is waited for, or not */
			wr_copy(&peer->written, "\x81\x80\0\0\0\0", 6);
			carry(peer, server, 1000);
			assert_int_equal(server->messages, frames[i].messages + (frames[i].code == 0));
			end_free(peer);
			end_free(server);
		}
	}
}

/* The RFC's own examples, clause 5.7. */
static void takes_the_examples_of_the_rfc(void **state)
{
	static const char *const hex[] = {"8185 37fa213d 7f9f4d5158", "0183 37fa213d 7f9f4d 8082 37fa213d 5b95"};
	uint8_t octets[64];
	size_t len;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct end *server = end_new(true);

		assert_true(hex_parse_loose(rd_str(hex[i]), octets, sizeof octets, &len));
		ws_link_input(server->link, rd_of(octets, len));
		assert_int_equal(server->messages, 1);
		assert_true(rd_is(rd_of(server->message.octets, server->message.len), "Hello"));
		assert_int_equal(ws_link_send(server->link, false, rd_str("Hello")), OK);
		assert_true(hex_parse_loose(rd_str("810548656c6c6f"), octets, sizeof octets, &len));
		assert_int_equal(server->written.len, len);
		assert_memory_equal(server->written.octets, octets, len);
		end_free(server);
	}
	assert_true(hex_parse_loose(rd_str("8985 37fa213d 7f9f4d5158"), octets, sizeof octets, &len));
	{
		struct end *server = end_new(true);

		ws_link_input(server->link, rd_of(octets, len));
		assert_true(rd_is(rd_of(server->written.octets, server->written.len), "\x8a\x05Hello"));
		end_free(server);
	}
}

/* Together they are too long, and neither is alone; none of what the second promises is waited for. */
static void counts_all_fragments_of_a_message(void **state)
{
	struct end *peer = end_new(true), *server = end_new(true);
	struct rd back;

	(void)state;
	wr_copy(&peer->written, "\x02\xff\0\0\0\0\0\x01\x86\xa0\0\0\0\0", 14); /* MESSAGE_MAX */
	memset(wr_room(&peer->written, MESSAGE_MAX), 'x', MESSAGE_MAX);
	carry(peer, server, 1000);
	assert_int_equal(server->written.len, 0);
	wr_copy(&peer->written, "\x80\x81\0\0\0\0", 6);
	carry(peer, server, 1000);
	assert_true(wr_done(&server->written, &back));
	assert_int_equal(close_code(back), 1009);
	assert_int_equal(server->messages, 0);
	assert_int_equal(server->ends, 1);
	end_free(peer);
	end_free(server);
}

/* It is said once, nothing but the peer's goodbye is waited for, and what is on its way still comes. */
static void says_goodbye_once(void **state)
{
	struct end *peer = end_new(true), *server = end_new(true);
	size_t said;

	(void)state;
	ws_link_close(server->link, 1000);
	said = server->written.len;
	assert_int_equal(said, 4);
	ws_link_close(server->link, 1001);
	ws_link_ping(server->link);
	wr_copy(&peer->written, "\x81\x81\0\0\0\0a\x89\x80\0\0\0\0", 13);
	carry(peer, server, 1);
	assert_int_equal(server->messages, 1);
	assert_int_equal(server->ends, 0);
	wr_copy(&peer->written, "\x88\x82\0\0\0\0\x03\xe8", 8);
	carry(peer, server, 1);
	assert_int_equal(server->ends, 1);
	assert_int_equal(server->written.len, said);
	end_free(peer);
	end_free(server);
}

static void refuses_a_masked_frame_of_a_server(void **state)
{
	struct end *client = end_new(false);
	uint8_t octets[64];
	size_t len;

	(void)state;
	assert_true(hex_parse_loose(rd_str("8185 00000000 68656c6c6f"), octets, sizeof octets, &len));
	ws_link_input(client->link, rd_of(octets, len));
	assert_int_equal(client->messages, 0);
	assert_true(client->written.len > 0 && client->written.octets[0] == 0x88);
	end_free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_messages_both_ways_in_any_pieces),
		cmocka_unit_test(masks_what_a_client_sends),
		cmocka_unit_test(answers_a_ping_by_itself),
		cmocka_unit_test(ends_by_the_closing_handshake),
		cmocka_unit_test(may_be_freed_from_its_own_callbacks),
		cmocka_unit_test(judges_frames),
		cmocka_unit_test(takes_the_examples_of_the_rfc),
		cmocka_unit_test(counts_all_fragments_of_a_message),
		cmocka_unit_test(says_goodbye_once),
		cmocka_unit_test(refuses_a_masked_frame_of_a_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
