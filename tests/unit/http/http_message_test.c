/* Requests as they come: what is taken, and what is refused lest somebody else reads it differently. RFC 9110, RFC 9112. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/wr.h"
#include "http/message.h"

static struct http_request_head head;

static enum http_taken take(const char *text)
{
	struct rd in = rd_str(text);

	return http_request_take(&in, &head);
}

#define START "GET / HTTP/1.1\r\nHost: x\r\n"

static void a_head_is_taken_whole(void **state)
{
	static const char text[] = "\r\nPOST /a/b%20c?d=e?f HTTP/1.1\r\nHost: x\r\nX-Empty:\r\nx-Space: \t two words \t\r\nContent-Length: 5\r\n\r\nhello";
	struct rd in = rd_str(text);

	(void)state;
	assert_int_equal(http_request_take(&in, &head), HTTP_WHOLE);
	assert_true(rd_is(in, "hello"));
	assert_true(rd_is(head.method, "POST") && rd_is(head.path, "/a/b%20c") && rd_is(head.query, "d=e?f"));
	assert_true(!head.old && head.keep_alive && !head.chunked && !head.expects && head.has_length && head.length == 5);
	assert_int_equal(head.field_count, 4);
	assert_true(rd_is(head.fields[1].name, "X-Empty") && head.fields[1].value.left == 0);
	assert_true(rd_is(head.fields[2].name, "x-Space") && rd_is(head.fields[2].value, "two words"));
	for (size_t n = 0; n < sizeof text - 1 - 5; n++) {
		in = rd_of(text, n);
		assert_int_equal(http_request_take(&in, &head), HTTP_MORE);
		assert_int_equal(in.left, n);
	}
}

static void targets_in_absolute_form_lose_their_authority(void **state)
{
	(void)state;
	assert_int_equal(take("GET http://x:80/a?b HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_WHOLE);
	assert_true(rd_is(head.path, "/a") && rd_is(head.query, "b"));
	assert_int_equal(take("GET HTTPS://x HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_WHOLE);
	assert_true(rd_is(head.path, "/") && head.query.left == 0);
	assert_int_equal(take("GET http://x?b HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_WHOLE);
	assert_true(head.path.left == 0 && rd_is(head.query, "b"));
	assert_int_equal(take("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_WHOLE);
	assert_true(rd_is(head.path, "*"));
}

static void connections_last_as_their_clients_say(void **state)
{
	static const struct {
		const char *text;
		bool keep_alive;
	} cases[] = {
		{START "\r\n", true},
		{START "Connection: close\r\n\r\n", false},
		{START "Connection: upgrade, Close\r\n\r\n", false},
		{START "Connection: keep-alive\r\nConnection: close\r\n\r\n", false},
		{START "Connection: closed\r\n\r\n", true},
		{"GET / HTTP/1.0\r\n\r\n", false},
		{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
		{"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(take(cases[i].text), HTTP_WHOLE);
		assert_int_equal(head.keep_alive, cases[i].keep_alive);
	}
}

static void only_who_has_a_body_expects_to_go_on(void **state)
{
	(void)state;
	assert_int_equal(take(START "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n"), HTTP_WHOLE);
	assert_true(head.expects);
	assert_int_equal(take(START "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"), HTTP_WHOLE);
	assert_true(head.expects && head.chunked);
	assert_int_equal(take(START "Expect: 100-continue\r\n\r\n"), HTTP_WHOLE);
	assert_false(head.expects);
	assert_int_equal(take("GET / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"), HTTP_WHOLE);
	assert_false(head.expects);
}

static void what_may_be_understood_differently_is_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned status;
	} cases[] = {
		{START "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
		{START "Content-Length: 1, 1\r\n\r\n", 400},
		{START "Content-Length: +1\r\n\r\n", 400},
		{START "Content-Length: -1\r\n\r\n", 400},
		{START "Content-Length: 0x1\r\n\r\n", 400},
		{START "Content-Length: \r\n\r\n", 400},
		{START "Content-Length: 18446744073709551616\r\n\r\n", 400},
		{START "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		{START "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
		{START "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		{START "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
		{START "Transfer-Encoding: identity\r\n\r\n", 501},
		{START "Transfer-Encoding: xchunked\r\n\r\n", 501},
		{START "Transfer-Encoding : chunked\r\n\r\n", 400},
		{START "Transfer-Encoding:\vchunked\r\n\r\n", 400},
		{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		{START "A: b\r\n folded\r\n\r\n", 400},
		{START " A: b\r\n\r\n", 400},
		{START "A: b\nC: d\r\n\r\n", 400},
		{START "A: b\rC: d\r\n\r\n", 400},
		{START "A: b\n\n", 400},
		{START ": b\r\n\r\n", 400},
		{START "A b\r\n\r\n", 400},
		{START "A(b): c\r\n\r\n", 400},
		{START "Host: y\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n\r\n", 400},
		{"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"GET / a HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"GET /\ta HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400},
		{"GET /\r\n\r\n", 400},
		{"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"GET / http/1.1\r\nHost: x\r\n\r\n", 400},
		{"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
		{"GET / HTTP/1.10\r\nHost: x\r\n\r\n", 400},
		{"\n", 400},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (take(cases[i].text) != HTTP_REFUSED || head.status != cases[i].status)
			fail_msg("%s: status %u", cases[i].text, head.status);
		assert_non_null(head.why);
	}
}

static void a_zero_octet_ends_nothing(void **state)
{
	static const char value[] = START "A: b\0c\r\n\r\n", target[] = "GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n", name[] = START "A\0: c\r\n\r\n";
	const struct rd cases[] = {rd_of(value, sizeof value - 1), rd_of(target, sizeof target - 1), rd_of(name, sizeof name - 1)};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct rd in = cases[i];

		assert_int_equal(http_request_take(&in, &head), HTTP_REFUSED);
		assert_int_equal(head.status, 400);
	}
}

/* Every octet at every place, beside good ones. */
static void every_control_character_is_seen(void **state)
{
	uint8_t text[24];

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		bool control = (c < ' ' && c != '\t') || c == 0x7f;

		for (size_t len = 1; len <= sizeof text; len++) {
			for (size_t at = 0; at < len; at++) {
				memset(text, at % 2 ? 'a' : '\t', sizeof text);
				text[at] = (uint8_t)c;
				assert_int_equal(rd_has_control(rd_of(text, len)), control);
			}
		}
		text[0] = (uint8_t)c;
		assert_int_equal(http_is_token(rd_of(text, 1)), c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", (int)c));
	}
	assert_false(http_is_token(rd_str("")));
}

static unsigned status_of(struct wr *w)
{
	struct rd in;
	enum http_taken t;

	assert_true(wr_done(w, &in));
	t = http_request_take(&in, &head);
	wr_free(w);
	return t == HTTP_REFUSED ? head.status : t == HTTP_WHOLE ? 200 : 0;
}

static struct wr of_length(size_t target, size_t field, size_t fields)
{
	struct wr w = wr_new(1024 * 1024);

	wr_str(&w, "GET /");
	for (size_t i = 0; i < target; i++)
		wr_u8(&w, 'a');
	wr_str(&w, " HTTP/1.1\r\nHost: x\r\n");
	for (size_t n = 0; n < fields; n++) {
		wr_str(&w, "A: ");
		for (size_t i = 0; i < field; i++)
			wr_u8(&w, 'b');
		wr_str(&w, "\r\n");
	}
	return w;
}

static void heads_are_bounded(void **state)
{
	struct wr w;

	(void)state;
	w = of_length(8000, 8000, 1);
	wr_str(&w, "\r\n");
	assert_int_equal(status_of(&w), 200);
	w = of_length(HTTP_HEAD_MAX, 0, 0);
	wr_str(&w, "\r\n");
	assert_int_equal(status_of(&w), 414);
	w = of_length(10, HTTP_HEAD_MAX, 1); /* whole, and not */
	assert_int_equal(status_of(&w), 431);
	w = of_length(10, HTTP_HEAD_MAX, 1);
	wr_str(&w, "\r\n");
	assert_int_equal(status_of(&w), 431);
	w = of_length(10, 1, HTTP_FIELDS_MAX - 1);
	wr_str(&w, "\r\n");
	assert_int_equal(status_of(&w), 200);
	w = of_length(10, 1, HTTP_FIELDS_MAX);
	assert_int_equal(status_of(&w), 431);
	w = wr_new(1024 * 1024);
	for (size_t i = 0; i <= HTTP_HEAD_MAX; i++)
		wr_u8(&w, 'G');
	assert_int_equal(status_of(&w), 414);
	w = wr_new(1024 * 1024);
	for (size_t i = 0; i <= HTTP_HEAD_MAX / 2; i++)
		wr_str(&w, "\r\n");
	assert_int_equal(status_of(&w), 414);
}

/* The body of chunks that come in steps of so many octets, and what follows it; "" when it is refused. */
static const char *dechunk(const char *text, size_t step)
{
	static char out[1024];
	struct http_chunks c = {.left = 0};
	struct wr w = wr_of(out, sizeof out - 1);
	size_t len = strlen(text), have = 0, taken = 0;

	for (;;) {
		struct rd in = rd_of(text + taken, have - taken), data;
		enum http_taken t = http_chunks_take(&c, &in, &data);

		wr_rd(&w, data);
		taken = have - in.left;
		if (t == HTTP_REFUSED || (t == HTTP_MORE && data.left == 0 && have == len))
			return "";
		if (t == HTTP_WHOLE) {
			wr_u8(&w, '|');
			wr_str(&w, text + taken);
			wr_u8(&w, 0);
			return out;
		}
		if (data.left == 0)
			have = have + step < len ? have + step : len;
	}
}

static void chunks_are_put_together(void **state)
{
	(void)state;
	for (size_t step = 1; step < 100; step++) {
		assert_string_equal(dechunk("5\r\nhello\r\n0\r\n\r\nGET", step), "hello|GET");
		assert_string_equal(dechunk("0\r\n\r\n", step), "|");
		assert_string_equal(dechunk("00a;ext=\"1\"\r\n0123456789\r\nA\r\n9876543210\r\n000\r\nTrailer: x\r\nOther: y\r\n\r\n", step), "01234567899876543210|");
	}
}

static void bad_chunks_are_refused(void **state)
{
	static const char *const cases[] = {
		"\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhellox\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n",
		"0x5\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "g\r\n\r\n", "1000000000000000\r\n", "5;a\rb\r\nhello\r\n0\r\n\r\n", "0\r\nA\nB\r\n\r\n", "0\r\n\n",
	};
	char line[HTTP_CHUNK_LINE_MAX + 8];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t step = 1; step < 40; step++)
			if (dechunk(cases[i], step)[0])
				fail_msg("%s was taken", cases[i]);
	memset(line, '0', sizeof line);
	line[1] = ';';
	line[sizeof line - 1] = '\0';
	assert_string_equal(dechunk(line, 1000), "");
}

static void trailers_are_bounded(void **state)
{
	struct http_chunks c = {.left = 0};
	struct rd in = rd_str("0\r\n"), data;
	enum http_taken t = http_chunks_take(&c, &in, &data);

	(void)state;
	for (unsigned n = 0; n < HTTP_TRAILERS_MAX && t == HTTP_MORE; n++) {
		in = rd_str("A: b\r\n");
		t = http_chunks_take(&c, &in, &data);
	}
	assert_int_equal(t, HTTP_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_taken_whole),
		cmocka_unit_test(targets_in_absolute_form_lose_their_authority),
		cmocka_unit_test(connections_last_as_their_clients_say),
		cmocka_unit_test(only_who_has_a_body_expects_to_go_on),
		cmocka_unit_test(what_may_be_understood_differently_is_refused),
		cmocka_unit_test(a_zero_octet_ends_nothing),
		cmocka_unit_test(every_control_character_is_seen),
		cmocka_unit_test(heads_are_bounded),
		cmocka_unit_test(chunks_are_put_together),
		cmocka_unit_test(bad_chunks_are_refused),
		cmocka_unit_test(trailers_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
