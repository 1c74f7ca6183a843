/* The HTTP server's answers: at once, at the end of the round, later, to nobody; and its limits. Clients are bare sockets in the same thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wr.h"
#include "loop/http.h"

#define PATIENCE_MS 20000
#define CLIENTS 64
#define ANSWER_MAX 4096

enum when { AT_ONCE, AT_ROUND_END, WHEN_TOLD };

struct site {
	struct loop *loop;
	struct http_server *server;
	enum when when;
	struct http_exchange *held[CLIENTS * 2];
	size_t count, handled, ends;
	size_t held_most;       /* answered together */
	struct http_request rq; /* the latest */
};

static void give(struct http_exchange *x)
{
	const char *name = http_request_header(x, "X-Name");
	const struct http_header headers[] = {{"X-Name", name ? name : "none"}, {NULL, NULL}};

	http_answer(x, 200, headers, rd_str(name ? name : "none"));
}

static void give_all(void *ctx)
{
	struct site *s = ctx;
	size_t n = s->count;

	s->ends++;
	s->count = 0;
	if (n > s->held_most)
		s->held_most = n;
	for (size_t i = 0; i < n; i++)
		give(s->held[i]);
}

static void on_request(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	struct site *s = ctx;

	s->handled++;
	s->rq = *rq;
	switch (s->when) {
	case AT_ONCE:
		give(x);
		return;
	case AT_ROUND_END:
		if (s->count == 0)
			loop_defer(s->loop, give_all, s);
		break;
	case WHEN_TOLD:
		break;
	}
	s->held[s->count++] = x;
}

static void site_open(struct site *s, enum when when)
{
	*s = (struct site){.loop = loop_new(), .when = when};
	assert_int_equal(http_server_new(s->loop, "127.0.0.1:0", NULL, on_request, s, &s->server), OK);
}

static void site_close(struct site *s)
{
	http_server_free(s->server);
	loop_once(s->loop, 0);
	loop_free(s->loop);
}

static int dial(const struct site *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(http_server_port(s->server)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void ask(int fd, unsigned number)
{
	char text[256];

	snprintf(text, sizeof text, "GET /a%u?b=%u HTTP/1.1\r\nHost: x\r\nX-Name: n%u\r\n\r\n", number, number, number);
	say(fd, text);
}

/* Runs the server until the client has a whole answer, whose status is returned; 0 when the server ended the connection. */
static unsigned hear(struct site *s, int fd, char answer[static ANSWER_MAX])
{
	uint64_t end = clock_ms() + PATIENCE_MS;
	size_t have = 0;

	for (;;) {
		ssize_t n = recv(fd, answer + have, ANSWER_MAX - 1 - have, MSG_DONTWAIT);
		const char *body, *length;

		assert_true(clock_ms() < end);
		if (n == 0)
			return 0;
		if (n < 0) {
			loop_once(s->loop, 10);
			continue;
		}
		have += (size_t)n;
		answer[have] = '\0';
		body = strstr(answer, "\r\n\r\n");
		length = strstr(answer, "Content-Length: ");
		if (body && length && have >= (size_t)(body - answer) + 4 + (size_t)atoi(length + 16))
			return (unsigned)atoi(answer + 9);
	}
}

static void hear_name(struct site *s, int fd, unsigned number)
{
	char answer[ANSWER_MAX], name[32];

	assert_int_equal(hear(s, fd, answer), 200);
	snprintf(name, sizeof name, "\r\n\r\nn%u", number);
	assert_non_null(strstr(answer, name));
	assert_null(strstr(strstr(answer, name) + 1, "\r\n\r\n"));
}

/* Many clients, several requests each on one connection: everybody gets his own answer. */
static void converse(enum when when, unsigned rounds)
{
	struct site s;
	int fds[CLIENTS];

	site_open(&s, when);
	for (unsigned i = 0; i < CLIENTS; i++)
		fds[i] = dial(&s);
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned i = 0; i < CLIENTS; i++)
			ask(fds[i], r * CLIENTS + i);
		if (when == WHEN_TOLD) {
			while (s.count < CLIENTS)
				loop_once(s.loop, 1000);
			for (unsigned i = 0; i < 5; i++)
				loop_once(s.loop, 0);
			give_all(&s);
		}
		for (unsigned i = 0; i < CLIENTS; i++)
			hear_name(&s, fds[i], r * CLIENTS + i);
	}
	assert_int_equal(s.handled, rounds * CLIENTS);
	assert_int_equal(s.count, 0);
	if (when == AT_ROUND_END)
		assert_true(s.held_most > CLIENTS / 4 && s.ends < s.handled / 4); /* what is there together is answered together */
	for (unsigned i = 0; i < CLIENTS; i++)
		close(fds[i]);
	site_close(&s);
}

static void answers_at_once(void **state)
{
	(void)state;
	converse(AT_ONCE, 20);
}

static void answers_at_the_end_of_the_round(void **state)
{
	(void)state;
	converse(AT_ROUND_END, 20);
}

static void answers_later(void **state)
{
	(void)state;
	converse(WHEN_TOLD, 20);
}

static void sleeps_while_an_answer_is_awaited(void **state)
{
	struct site s;
	uint64_t begin;
	unsigned rounds = 0;
	int fd;

	(void)state;
	site_open(&s, WHEN_TOLD);
	fd = dial(&s);
	ask(fd, 1);
	while (s.count == 0)
		loop_once(s.loop, 1000);
	for (begin = clock_ms(); clock_ms() - begin < 400; rounds++)
		loop_once(s.loop, 100);
	assert_true(rounds < 20); /* four, and some for the server's own clock: not one after the other */
	give_all(&s);
	hear_name(&s, fd, 1);
	close(fd);
	site_close(&s);
}

static void answers_pipelined_requests_in_order(void **state)
{
	struct site s;
	char text[ANSWER_MAX];
	size_t have = 0;
	uint64_t end = clock_ms() + PATIENCE_MS;
	int fd;

	(void)state;
	site_open(&s, AT_ROUND_END);
	fd = dial(&s);
	for (unsigned i = 0; i < 3; i++)
		ask(fd, i);
	text[0] = '\0';
	while (!strstr(text, "\r\n\r\nn2") && clock_ms() < end) {
		ssize_t n = recv(fd, text + have, sizeof text - 1 - have, MSG_DONTWAIT);

		have += n > 0 ? (size_t)n : 0;
		text[have] = '\0';
		loop_once(s.loop, 10);
	}
	assert_true(strstr(text, "\r\n\r\nn0") < strstr(text, "\r\n\r\nn1") && strstr(text, "\r\n\r\nn1") < strstr(text, "\r\n\r\nn2"));
	close(fd);
	site_close(&s);
}

/* Whatever of a request the handler was given stays until it has answered. */
static void keeps_the_request_when_the_client_is_gone(void **state)
{
	struct site s;
	int fd;

	(void)state;
	for (unsigned rounds = 0; rounds < 4; rounds++) {
		site_open(&s, WHEN_TOLD);
		fd = dial(&s);
		say(fd, "PUT /long/way?home HTTP/1.1\r\nHost: x\r\nX-Name: Ada\r\nContent-Length: 4\r\n\r\nbody");
		while (s.count == 0)
			loop_once(s.loop, 1000);
		for (unsigned i = 0; i < rounds; i++)
			loop_once(s.loop, 0);
		close(fd);
		for (unsigned i = 0; i < 3; i++)
			loop_once(s.loop, 10);
		assert_string_equal(http_request_header(s.held[0], "x-name"), "Ada");
		assert_null(http_request_header(s.held[0], "x-nam"));
		assert_string_equal(s.rq.method, "PUT");
		assert_string_equal(s.rq.path, "/long/way");
		assert_string_equal(s.rq.query, "home");
		assert_string_equal(s.rq.address, "127.0.0.1");
		assert_true(rd_is(s.rq.body, "body"));
		give_all(&s);
		for (unsigned i = 0; i < 3; i++)
			loop_once(s.loop, 10);
		site_close(&s);
	}
}

static void answers_to_nobody_when_the_server_is_gone(void **state)
{
	struct site s;
	int fds[2];

	(void)state;
	for (unsigned rounds = 0; rounds < 4; rounds++) {
		site_open(&s, WHEN_TOLD);
		fds[0] = dial(&s);
		fds[1] = dial(&s);
		ask(fds[0], 0);
		while (s.count == 0)
			loop_once(s.loop, 1000);
		for (unsigned i = 0; i < rounds; i++)
			loop_once(s.loop, 0);
		http_server_free(s.server);
		assert_string_equal(http_request_header(s.held[0], "X-Name"), "n0");
		give_all(&s);
		loop_once(s.loop, 0);
		loop_free(s.loop);
		close(fds[0]);
		close(fds[1]);
	}
}

static void end_server(void *ctx)
{
	struct site *s = ctx;

	http_server_free(s->server);
	s->server = NULL;
	give_all(s);
}

static void may_be_freed_at_the_end_of_the_round(void **state)
{
	struct site s;
	int fd;

	(void)state;
	site_open(&s, WHEN_TOLD);
	fd = dial(&s);
	ask(fd, 0);
	loop_defer(s.loop, end_server, &s);
	loop_once(s.loop, 1000);
	while (s.server)
		loop_once(s.loop, 1000);
	loop_once(s.loop, 0);
	loop_free(s.loop);
	close(fd);
}

static void on_last_request(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	struct site *s = ctx;

	(void)rq;
	s->held[s->count++] = x;
	loop_defer(s->loop, end_server, s);
}

/* The end of the server comes between a request and the server's own end of the round. */
static void may_be_freed_before_its_own_end_of_the_round(void **state)
{
	struct site s = {.loop = loop_new()};
	int fd;

	(void)state;
	assert_int_equal(http_server_new(s.loop, "127.0.0.1:0", NULL, on_last_request, &s, &s.server), OK);
	fd = dial(&s);
	ask(fd, 0);
	while (s.server)
		loop_once(s.loop, 1000);
	loop_once(s.loop, 0);
	loop_free(s.loop);
	close(fd);
}

static void tick(void *ctx)
{
	unsigned *n = ctx;

	++*n;
}

/* A client that never pauses must not keep the loop from its timers. */
static void other_work_goes_on_under_load(void **state)
{
	struct site s;
	struct loop_timer *t;
	unsigned ticks = 0;
	int fds[8];
	char answer[ANSWER_MAX];

	(void)state;
	site_open(&s, AT_ROUND_END);
	t = loop_timer_new(s.loop, tick, &ticks);
	for (unsigned i = 0; i < 8; i++)
		fds[i] = dial(&s);
	for (unsigned r = 0; r < 200; r++) {
		size_t before = s.ends;

		for (unsigned i = 0; i < 8; i++)
			ask(fds[i], i);
		loop_timer_in(t, 0);
		loop_once(s.loop, 0);
		assert_int_equal(ticks, r + 1);
		assert_true(s.ends - before <= 2);
		for (unsigned i = 0; i < 8; i++)
			assert_int_equal(hear(&s, fds[i], answer), 200);
	}
	for (unsigned i = 0; i < 8; i++)
		close(fds[i]);
	loop_timer_free(t);
	site_close(&s);
}

static void refuses_what_is_too_long(void **state)
{
	struct site s;
	char answer[ANSWER_MAX], *text = malloc(HTTP_BODY_MAX + 4096);
	size_t sent, len;
	unsigned status;
	int fd;

	(void)state;
	assert_non_null(text);
	site_open(&s, AT_ONCE);
	for (size_t uri = 6000; uri <= 40000; uri += 34000) {
		fd = dial(&s);
		memset(text, 'a', uri);
		memcpy(text, "GET /", 5);
		strcpy(text + uri, " HTTP/1.1\r\nHost: x\r\n\r\n");
		say(fd, text);
		status = hear(&s, fd, answer);
		assert_int_equal(status, uri == 6000 ? 200 : 414);
		close(fd);
	}
	for (size_t body = HTTP_BODY_MAX; body <= HTTP_BODY_MAX + 1; body++) {
		uint64_t end = clock_ms() + PATIENCE_MS;

		fd = dial(&s);
		s.handled = 0;
		len = (size_t)snprintf(text, 256, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", body);
		memset(text + len, 'b', body);
		len += body;
		for (sent = 0; sent < len && clock_ms() < end;) {
			ssize_t n = send(fd, text + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

			sent += n > 0 ? (size_t)n : 0;
			loop_once(s.loop, 10);
		}
		assert_int_equal(hear(&s, fd, answer), body == HTTP_BODY_MAX ? 200 : 413);
		assert_int_equal(s.handled, body == HTTP_BODY_MAX ? 1 : 0);
		if (body == HTTP_BODY_MAX)
			assert_int_equal(s.rq.body.left, HTTP_BODY_MAX);
		close(fd);
	}
	free(text);
	site_close(&s);
}

static void takes_a_query_of_many_arguments(void **state)
{
	struct site s;
	char answer[ANSWER_MAX], text[8192] = "GET /a?b=0";
	int fd;

	(void)state;
	site_open(&s, WHEN_TOLD);
	fd = dial(&s);
	while (strlen(text) < 6000)
		strcat(text, "&c=1&d");
	strcat(text, " HTTP/1.1\r\nHost: x\r\n\r\n");
	say(fd, text);
	for (uint64_t end = clock_ms() + PATIENCE_MS; s.count == 0 && clock_ms() < end;)
		loop_once(s.loop, 10);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.rq.path, "/a");
	assert_int_equal(strlen(s.rq.query), strcspn(text + 7, " "));
	assert_memory_equal(s.rq.query, text + 7, strlen(s.rq.query));
	give_all(&s);
	assert_int_equal(hear(&s, fd, answer), 200);
	close(fd);
	site_close(&s);
}

/* By its length alone, and to its sender who waits for leave to go on. */
static void refuses_what_is_far_too_long_unread(void **state)
{
	static const char *const heads[] = {
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 67108864\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2097152\r\nExpect: 100-continue\r\n\r\n",
	};
	struct site s;
	char answer[ANSWER_MAX];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int fd;

		site_open(&s, AT_ONCE);
		fd = dial(&s);
		say(fd, heads[i]);
		assert_int_equal(hear(&s, fd, answer), 413);
		assert_int_equal(s.handled, 0);
		close(fd);
		fd = dial(&s);
		http_server_refuse_long(s.server);
		say(fd, heads[i]);
		assert_int_equal(hear(&s, fd, answer), 200); /* what this handler says */
		assert_int_equal(s.handled, 1);
		assert_true(s.rq.too_long && s.rq.body.left == 0);
		close(fd);
		site_close(&s);
	}
}

/* All that the server says, until it closes or `until` is among it. */
static void hear_all(struct site *s, int fd, struct wr *said, const char *until)
{
	uint64_t end = clock_ms() + PATIENCE_MS;
	char octets[65536];

	while (!until || !said->octets || !memmem(said->octets, said->len, until, strlen(until))) {
		ssize_t n = recv(fd, octets, sizeof octets, MSG_DONTWAIT);

		assert_true(clock_ms() < end);
		if (n == 0)
			return;
		if (n > 0)
			wr_copy(said, octets, (size_t)n);
		else
			loop_once(s->loop, 10);
	}
}

static size_t times(const struct wr *said, const char *text)
{
	struct rd all, before;
	size_t n = 0;

	assert_true(wr_done(said, &all));
	for (const uint8_t *at; (at = memmem(all.at, all.left, text, strlen(text))) != NULL; n++)
		assert_true(rd_sub(&all, (size_t)(at - all.at) + strlen(text), &before));
	return n;
}

/* Both are answered, the body in chunks is whole, and then the connection ends as it was asked to. */
static void takes_chunks_and_tells_to_go_on(void **state)
{
	struct site s;
	struct wr said = wr_new(65536);
	int fd;

	(void)state;
	for (enum when when = AT_ONCE; when <= AT_ROUND_END; when++) {
		site_open(&s, when);
		fd = dial(&s);
		say(fd, "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
		hear_all(&s, fd, &said, "HTTP/1.1 100 Continue\r\n\r\n");
		assert_int_equal(s.handled, 0);
		say(fd, "5\r\nhello\r\n1");
		loop_once(s.loop, 10);
		say(fd, "0\r\n, how are you ??\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nX-Name: second\r\nConnection: close\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n");
		hear_all(&s, fd, &said, NULL);
		assert_int_equal(s.handled, 2);
		assert_int_equal(times(&said, "HTTP/1.1 200 OK\r\n"), 2);
		assert_int_equal(times(&said, "Connection: close\r\n"), 1);
		assert_int_equal(times(&said, "\r\n\r\nsecond"), 1);
		close(fd);
		site_close(&s);
		wr_reset(&said);
	}
	wr_free(&said);
}

/* Who has said all that it wanted to gets all its answers, and then the end. */
static void answers_who_sends_no_more(void **state)
{
	struct site s;
	struct wr said = wr_new(65536);
	int fd;

	(void)state;
	for (enum when when = AT_ONCE; when <= AT_ROUND_END; when++) {
		site_open(&s, when);
		fd = dial(&s);
		for (unsigned i = 0; i < 3; i++)
			ask(fd, i);
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
		hear_all(&s, fd, &said, NULL);
		assert_int_equal(times(&said, "HTTP/1.1 200 OK\r\n"), 3);
		close(fd);
		site_close(&s);
		wr_reset(&said);
	}
	wr_free(&said);
}

static void refuses_what_may_be_another_request(void **state)
{
	static const char *const texts[] = {
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
	};
	struct site s;
	struct wr said = wr_new(65536);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int fd;

		site_open(&s, AT_ONCE);
		fd = dial(&s);
		say(fd, texts[i]);
		hear_all(&s, fd, &said, NULL);
		assert_int_equal(s.handled, 0);
		assert_int_equal(times(&said, "HTTP/1.1 400 "), 1);
		assert_int_equal(times(&said, "HTTP/1.1 "), 1);
		close(fd);
		site_close(&s);
		wr_reset(&said);
	}
	wr_free(&said);
}

static void on_odd_request(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	const struct http_header headers[] = {{"X-Split", "a\r\nX-Other: b"}, {NULL, NULL}};

	(void)ctx;
	if (strcmp(rq->path, "/empty") == 0)
		http_answer(x, 204, NULL, rd_of("", 0));
	else
		http_answer(x, 200, strcmp(rq->path, "/split") == 0 ? headers : NULL, rd_str("body"));
}

/* What an answer cannot say is not said, and what has no body says nothing of its length. */
static void answers_are_framed(void **state)
{
	struct site s = {.loop = loop_new()};
	struct wr said = wr_new(65536);
	int fd;

	(void)state;
	assert_int_equal(http_server_new(s.loop, "127.0.0.1:0", NULL, on_odd_request, &s, &s.server), OK);
	fd = dial(&s);
	say(fd, "GET /split HTTP/1.1\r\nHost: x\r\n\r\nHEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET /empty HTTP/1.0\r\n\r\n");
	hear_all(&s, fd, &said, NULL);
	assert_int_equal(times(&said, "HTTP/1.1 500 Internal Server Error\r\n"), 1);
	assert_int_equal(times(&said, "X-Other"), 0);
	assert_int_equal(times(&said, "body"), 0);
	assert_int_equal(times(&said, "Content-Length: 4\r\n\r\nHTTP/1.1 204 No Content\r\n"), 1);
	assert_int_equal(times(&said, "Content-Length: "), 2);
	assert_int_equal(times(&said, "Date: "), 3);
	close(fd);
	wr_free(&said);
	site_close(&s);
}

#define LONG_BODY ((size_t)8 << 20)

static void on_long_request(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	struct wr body = wr_new(LONG_BODY);
	struct rd all;

	(void)ctx;
	(void)rq;
	memset(wr_room(&body, LONG_BODY), 'l', LONG_BODY);
	assert_true(wr_done(&body, &all));
	http_answer(x, 200, NULL, all);
	wr_free(&body);
}

/* More than a socket holds goes out as the client takes it, and others are answered meanwhile. */
static void long_answers_wait_for_their_clients(void **state)
{
	struct site s = {.loop = loop_new()};
	struct wr said[2] = {wr_new(4 * LONG_BODY), wr_new(4 * LONG_BODY)};
	int fds[2];

	(void)state;
	assert_int_equal(http_server_new(s.loop, "127.0.0.1:0", NULL, on_long_request, &s, &s.server), OK);
	for (unsigned i = 0; i < 2; i++) {
		fds[i] = dial(&s);
		say(fds[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
		loop_once(s.loop, 10);
	}
	for (unsigned i = 2; i-- > 0;) {
		hear_all(&s, fds[i], &said[i], NULL);
		assert_int_equal(times(&said[i], "HTTP/1.1 200 OK\r\n"), 2);
		assert_true(said[i].len > 2 * LONG_BODY && said[i].octets[said[i].len - 1] == 'l');
		close(fds[i]);
		wr_free(&said[i]);
	}
	site_close(&s);
}

static void says_nothing_that_would_be_read_as_something_else(void **state)
{
	static const struct http_header bad[][3] = {
		{{"X-A", "1"}, {"X-B", "2\r\nX-C: 3"}, {NULL, NULL}},
		{{"X-A", "1\x7f"}, {"X-B", "2"}, {NULL, NULL}},
		{{"X-A", "1"}, {"X-B: ", "2"}, {NULL, NULL}},
		{{"X-A", "1"}, {"", "2"}, {NULL, NULL}},
	};
	static const struct http_header good[] = {{"X-A", "1\t2 \xc3\xa4"}, {"date", "once"}, {NULL, NULL}};
	char text[ANSWER_MAX];
	struct site s;
	int fd;

	(void)state;
	site_open(&s, WHEN_TOLD);
	fd = dial(&s);
	for (size_t i = 0; i <= sizeof bad / sizeof bad[0]; i++) {
		bool well = i == sizeof bad / sizeof bad[0];

		ask(fd, (unsigned)i);
		while (s.count == 0)
			loop_once(s.loop, 10);
		http_answer(s.held[--s.count], 200, well ? good : bad[i], rd_str("body"));
		assert_int_equal(hear(&s, fd, text), well ? 200 : 500);
		if (well) {
			assert_non_null(strstr(text, "X-A: 1\t2 \xc3\xa4\r\ndate: once\r\n"));
			assert_null(strstr(text, "Date:")); /* one is enough */
			assert_non_null(strstr(text, "\r\n\r\nbody"));
		} else {
			assert_null(strstr(text, "X-"));
			assert_null(strstr(text, "body"));
			assert_non_null(strstr(text, "Content-Length: 0\r\n\r\n"));
		}
	}
	close(fd);
	site_close(&s);
}

static void note_header(void *ctx, struct rd name, struct rd value)
{
	struct wr *w = ctx;

	assert_int_equal(strlen((const char *)name.at), name.left);
	assert_int_equal(strlen((const char *)value.at), value.left);
	wr_rd(w, name);
	wr_u8(w, '=');
	wr_rd(w, value);
	wr_u8(w, ';');
}

static void hands_over_every_header_as_it_came(void **state)
{
	uint8_t noted[256];
	struct wr w = wr_of(noted, sizeof noted);
	char text[ANSWER_MAX];
	struct rd all;
	struct site s;
	int fd;

	(void)state;
	site_open(&s, WHEN_TOLD);
	fd = dial(&s);
	say(fd, "GET / HTTP/1.1\r\nHOST: x\r\nX-Name: \t a b  \r\nx-empty:\r\nX-Name:c\r\n\r\n");
	while (s.count == 0)
		loop_once(s.loop, 10);
	http_request_headers(s.held[0], note_header, &w);
	assert_true(wr_done(&w, &all) && rd_is(all, "host=x;x-name=a b;x-empty=;x-name=c;"));
	assert_string_equal(http_request_header(s.held[0], "X-NAME"), "a b");
	give_all(&s);
	assert_int_equal(hear(&s, fd, text), 200);
	close(fd);
	site_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_at_once),
		cmocka_unit_test(answers_at_the_end_of_the_round),
		cmocka_unit_test(answers_later),
		cmocka_unit_test(sleeps_while_an_answer_is_awaited),
		cmocka_unit_test(answers_pipelined_requests_in_order),
		cmocka_unit_test(keeps_the_request_when_the_client_is_gone),
		cmocka_unit_test(answers_to_nobody_when_the_server_is_gone),
		cmocka_unit_test(may_be_freed_at_the_end_of_the_round),
		cmocka_unit_test(may_be_freed_before_its_own_end_of_the_round),
		cmocka_unit_test(other_work_goes_on_under_load),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test(takes_a_query_of_many_arguments),
		cmocka_unit_test(refuses_what_is_far_too_long_unread),
		cmocka_unit_test(takes_chunks_and_tells_to_go_on),
		cmocka_unit_test(answers_who_sends_no_more),
		cmocka_unit_test(refuses_what_may_be_another_request),
		cmocka_unit_test(answers_are_framed),
		cmocka_unit_test(says_nothing_that_would_be_read_as_something_else),
		cmocka_unit_test(hands_over_every_header_as_it_came),
		cmocka_unit_test(long_answers_wait_for_their_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
