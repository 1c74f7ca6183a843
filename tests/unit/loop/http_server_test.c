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
	int fd;

	(void)state;
	site_open(&s, WHEN_TOLD);
	fd = dial(&s);
	ask(fd, 1);
	while (s.count == 0)
		loop_once(s.loop, 1000);
	for (begin = clock_ms(); clock_ms() - begin < 1000;) /* until it is suspended */
		loop_once(s.loop, 10);
	begin = clock_ms();
	loop_once(s.loop, 200);
	assert_true(clock_ms() - begin >= 150);
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

/* More than libmicrohttpd could list. */
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
