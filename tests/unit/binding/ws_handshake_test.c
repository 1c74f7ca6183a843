/* The opening handshake of either side, RFC 6455 clause 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binding/websocket/ws_handshake.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ==" /* RFC 6455 clause 1.3 */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

struct header {
	const char *name, *value;
};

static struct ws_opening opening(const struct header *headers)
{
	struct ws_opening o = {.protocol = SERIALIZATION_JSON};

	for (; headers->name; headers++)
		ws_opening_header(&o, headers->name, headers->value);
	return o;
}

#define GOOD {"upgrade", "WebSocket"}, {"connection", "keep-alive, Upgrade"}, {"sec-websocket-key", KEY}, {"sec-websocket-version", "13"}

static void accepts_a_client_and_takes_its_first_choice(void **state)
{
	static const struct {
		const char *offers[3];
		enum serialization chosen;
	} cases[] = {
		{{"oneM2M.json", NULL}, SERIALIZATION_JSON}, {{"oneM2M.cbor, oneM2M.json", NULL}, SERIALIZATION_CBOR}, {{"chat , oneM2M.xml,oneM2M.json", NULL}, SERIALIZATION_XML},
		{{"oneM2M.xml", "oneM2M.json", NULL}, SERIALIZATION_XML}, {{"chat", "oneM2M.json", NULL}, SERIALIZATION_JSON},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct header headers[] = {GOOD, {"sec-websocket-protocol", cases[i].offers[0]}, {cases[i].offers[1] ? "sec-websocket-protocol" : NULL, cases[i].offers[1]}, {NULL, NULL}};
		struct ws_opening o = opening(headers);
		const char *why;

		assert_true(ws_opening_is_meant(&o));
		assert_int_equal(ws_opening_status(&o, &why), 101);
		assert_int_equal(o.protocol, cases[i].chosen);
		assert_string_equal(o.accept, ACCEPT);
		assert_null(o.origin);
	}
}

static void refuses_a_client_that_breaks_the_rules(void **state)
{
	static const struct {
		struct header headers[7];
		unsigned status;
	} cases[] = {
		{{GOOD, {NULL, NULL}}, 400},                                          /* no sub-protocol */
		{{GOOD, {"sec-websocket-protocol", "onem2m.json, chat"}, {NULL, NULL}}, 400}, /* their case matters */
		{{GOOD, {"sec-websocket-protocol", "oneM2M.json"}, {"sec-websocket-key", KEY}, {NULL, NULL}}, 400}, /* two keys */
		{{GOOD, {"sec-websocket-protocol", "oneM2M.json"}, {"sec-websocket-version", "8"}, {NULL, NULL}}, 426},
		{{GOOD, {"sec-websocket-protocol", "oneM2M.json"}, {"sec-websocket-version", "13x"}, {NULL, NULL}}, 426},
		{{{"upgrade", "websocket"}, {"connection", "upgrade"}, {"sec-websocket-key", KEY}, {"sec-websocket-protocol", "oneM2M.json"}, {NULL, NULL}}, 400},
		{{{"upgrade", "websocket"}, {"connection", "upgrade"}, {"sec-websocket-key", "AAAA"}, {"sec-websocket-version", "13"}, {"sec-websocket-protocol", "oneM2M.json"}, {NULL, NULL}}, 400},
		{{{"upgrade", "websocket"}, {"connection", "upgrade"}, {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=!"}, {"sec-websocket-version", "13"}, {"sec-websocket-protocol", "oneM2M.json"}, {NULL, NULL}}, 400},
		{{{"upgrade", "websocket"}, {"connection", "upgrade"}, {"sec-websocket-key", ""}, {"sec-websocket-version", "13"}, {"sec-websocket-protocol", "oneM2M.json"}, {NULL, NULL}}, 400},
		{{{"upgrade", "websocket"}, {"connection", "upgrade"}, {"sec-websocket-version", "13"}, {"sec-websocket-protocol", "oneM2M.json"}, {NULL, NULL}}, 400},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ws_opening o = opening(cases[i].headers);
		const char *why = "";

		if (ws_opening_status(&o, &why) != cases[i].status)
			fail_msg("case %zu: %s", i, why);
		assert_true(why[0] != '\0');
	}
}

static void knows_other_requests(void **state)
{
	static const struct header plain[] = {{"connection", "upgrade"}, {NULL, NULL}}, h2c[] = {{"upgrade", "h2c"}, {"connection", "Upgrade"}, {NULL, NULL}},
				   half[] = {{"upgrade", "websocket"}, {"connection", "keep-alive"}, {NULL, NULL}}, page[] = {{"origin", "http://evil"}, {NULL, NULL}};
	struct ws_opening o;

	(void)state;
	assert_false((o = opening(plain), ws_opening_is_meant(&o)));
	assert_false((o = opening(h2c), ws_opening_is_meant(&o)));
	assert_false((o = opening(half), ws_opening_is_meant(&o)));
	o = opening(page);
	assert_string_equal(o.origin, "http://evil");
}

/* ---- client ---- */

static void asks_as_a_client_does(void **state)
{
	struct rng rng = rng_seeded(1);
	char key[WS_KEY_SIZE], other[WS_KEY_SIZE];
	struct wr w = wr_new(4096);
	struct rd text;

	(void)state;
	ws_request_key(&rng, key);
	ws_request_key(&rng, other);
	assert_int_equal(strlen(key), 24);
	assert_string_not_equal(key, other);
	ws_request_write(&w, "127.0.0.1:80", "/", KEY, SERIALIZATION_CBOR);
	assert_true(wr_done(&w, &text));
	assert_true(rd_is(text, "GET / HTTP/1.1\r\nHost: 127.0.0.1:80\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY
				"\r\nSec-WebSocket-Protocol: oneM2M.cbor, oneM2M.json, oneM2M.xml\r\n\r\n"));
	wr_free(&w);
}

#define ANSWER "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\nSec-WebSocket-Protocol: oneM2M.json\r\n\r\n"

static void takes_the_servers_answer_and_what_follows_it(void **state)
{
	enum serialization s = SERIALIZATION_XML;
	struct rd rest;

	(void)state;
	assert_int_equal(ws_response_read(rd_str(ANSWER "\x81\x02hi"), KEY, &s, &rest), OK);
	assert_int_equal(s, SERIALIZATION_JSON);
	assert_true(rd_is(rest, "\x81\x02hi"));
	for (size_t n = 0; n < strlen(ANSWER); n++) {
		char *block = malloc(n ? n : 1);

		memcpy(block, ANSWER, n);
		assert_int_equal(ws_response_read(rd_of(block, n), KEY, &s, &rest), ERR_SHORT);
		free(block);
	}
}

static void refuses_another_answer(void **state)
{
	static const struct {
		const char *text;
		enum err e;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\n\r\n", ERR_NOT_PERMITTED}, {"HTTP/1.1 1010\r\n\r\n", ERR_NOT_PERMITTED}, {"\r\n\r\n", ERR_NOT_PERMITTED}, {"HTTP/1.1 101 x\r\n\r\n", ERR_MALFORMED},
		{"HTTP/1.1 101\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\nSec-WebSocket-Protocol: oneM2M.json\r\n\r\n", ERR_MALFORMED},
		{"HTTP/1.1 101\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n", ERR_MALFORMED},
		{"HTTP/1.1 101\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\nSec-WebSocket-Protocol: chat\r\n\r\n", ERR_MALFORMED},
		{"HTTP/1.1 101\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\nSec-WebSocket-Protocol: oneM2M.json\r\nSec-WebSocket-Protocol: oneM2M.xml\r\n\r\n", ERR_MALFORMED},
		{"HTTP/1.1 101\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\nSec-WebSocket-Protocol: oneM2M.json\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", ERR_MALFORMED},
		{"HTTP/1.1 101\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\nSec-WebSocket-Protocol: oneM2M.json\r\n\r\n", ERR_MALFORMED},
	};
	char *endless = malloc(WS_HEAD_MAX);
	enum serialization s;
	struct rd rest;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(ws_response_read(rd_str(cases[i].text), KEY, &s, &rest), cases[i].e);
	memset(endless, 'x', WS_HEAD_MAX);
	assert_int_equal(ws_response_read(rd_of(endless, WS_HEAD_MAX), KEY, &s, &rest), ERR_TOO_LONG);
	free(endless);
}

static void parses_points_of_access(void **state)
{
	static const struct {
		const char *url, *host_port, *path; /* host_port NULL: none */
		bool secure;
	} cases[] = {
		{"ws://127.0.0.1:8080", "127.0.0.1:8080", "/", false}, {"ws://127.0.0.1", "127.0.0.1:80", "/", false}, {"wss://localhost", "localhost:443", "/", true},
		{"WSS://h:1/a/b?c=d", "h:1", "/a/b?c=d", true}, {"ws://h/", "h:80", "/", false},
		{"ws://", NULL, NULL, false}, {"http://h", NULL, NULL, false}, {"ws:h", NULL, NULL, false}, {"ws:///x", NULL, NULL, false}, {"ws://h/a b", NULL, NULL, false},
		{"ws://h\r\nX: y/", NULL, NULL, false}, {"ws://h/\x7f", NULL, NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char host_port[64], path[64];
		bool secure, ok = ws_url_parse(cases[i].url, &secure, host_port, sizeof host_port, path, sizeof path);

		if (ok != (cases[i].host_port != NULL))
			fail_msg("%s", cases[i].url);
		if (ok) {
			assert_string_equal(host_port, cases[i].host_port);
			assert_string_equal(path, cases[i].path);
			assert_int_equal(secure, cases[i].secure);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_a_client_and_takes_its_first_choice),
		cmocka_unit_test(refuses_a_client_that_breaks_the_rules),
		cmocka_unit_test(knows_other_requests),
		cmocka_unit_test(asks_as_a_client_does),
		cmocka_unit_test(takes_the_servers_answer_and_what_follows_it),
		cmocka_unit_test(refuses_another_answer),
		cmocka_unit_test(parses_points_of_access),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
