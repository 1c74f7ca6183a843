/* Any octets as a client of the HTTP server, which answers at once, at the end of the round, or later, also when the client is gone: what the handler
 * gets is whole, with a body within its limit and headers that stay until the answer; and what the client gets begins as HTTP. Input: how (answers,
 * and whether the client leaves early), after how many octets the client pauses, and the octets. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/http.h"
#include "../fuzz.h"

#define HELD 64
#define IDLE_ROUNDS 4 /* without a word of the server: it waits for more, or has not seen that there will be none */

enum how { AT_ONCE = 0, ROUND_END = 1, LATER = 2, BY_TURNS = 3, LEAVES = 4 };

struct held {
	struct http_exchange *x;
	const char *path;
	char copy[64];
};

static struct loop *loop;
static struct http_server *server;
static struct held held[HELD];
static size_t held_count;
static uint8_t how;
static unsigned requests;

static void on_header(void *ctx, struct rd name, struct rd value)
{
	struct http_exchange *x = ctx;
	const char *text = (const char *)name.at;

	MUST(name.left > 0 && strlen(text) == name.left && !strpbrk(text, "\r\n: "));
	MUST(value.at && strlen((const char *)value.at) == value.left && !rd_has_control(value));
	if (name.left < 100)
		MUST(http_request_header(x, text));
}

static void answer(struct http_exchange *x)
{
	static const struct http_header headers[] = {{"Content-Type", "application/json"}, {"X-M2M-RSC", "2000"}, {NULL, NULL}};

	http_request_headers(x, on_header, x);
	http_answer(x, 200, headers, rd_str("{\"m2m:dbg\":\"fuzz\"}"));
}

static void answer_held(void *ctx)
{
	(void)ctx;
	while (held_count > 0) {
		struct held *h = &held[--held_count];

		MUST(strncmp(h->path, h->copy, sizeof h->copy - 1) == 0); /* it has stayed */
		answer(h->x);
	}
}

static void hold(struct http_exchange *x, const char *path)
{
	struct held *h = &held[held_count++];

	h->x = x;
	h->path = path;
	snprintf(h->copy, sizeof h->copy, "%s", path);
}

static void on_request(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	uint8_t mode = how & 3;

	(void)ctx;
	MUST(rq->method[0] && rq->path && rq->query && !strchr(rq->path, '?') && rq->peer[0] == '\0' && !rq->tls);
	MUST(rq->body.left <= HTTP_BODY_MAX && (rq->body.left == 0 || rq->body.at));
	http_request_headers(x, on_header, x);
	requests++;
	if (mode == BY_TURNS)
		mode = (uint8_t)(requests % 3);
	if (mode == AT_ONCE || held_count == HELD) {
		answer(x);
		return;
	}
	hold(x, rq->path);
	if (mode == ROUND_END && held_count == 1)
		loop_defer(loop, answer_held, NULL);
}

/* Each connection comes from an address of its own, so that closed ones, which the kernel remembers, are not in the way. */
static int client(void)
{
	static uint32_t number;
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + number++ % 0xf00000)}, to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons(http_server_port(server));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MUST(fd >= 0 && bind(fd, (struct sockaddr *)&from, sizeof from) == 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
	return fd;
}

static void send_all(int fd, const uint8_t *octets, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, octets, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			octets += n;
			len -= (size_t)n;
		} else if (n < 0 && errno != EAGAIN) {
			return; /* the server has had enough */
		}
		loop_once(loop, n > 0 ? 0 : 1);
	}
}

/* What comes until the server closes, or has no more to say. */
static void receive(int fd)
{
	uint8_t octets[4096];
	char first[8] = "";
	size_t total = 0;

	for (unsigned idle = 0; idle < IDLE_ROUNDS;) {
		ssize_t n = recv(fd, octets, sizeof octets, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		if (n < 0) {
			loop_once(loop, idle > 0);
			answer_held(NULL);
			idle++;
			continue;
		}
		idle = 0;
		for (ssize_t i = 0; i < n && total + (size_t)i < sizeof first - 1; i++)
			first[total + (size_t)i] = (char)octets[i];
		total += (size_t)n;
	}
	if (total >= sizeof first - 1)
		MUST(strcmp(first, "HTTP/1.") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct linger at_once = {.l_onoff = 1};
	size_t pause;
	int fd;

	if (size < 2 || size > 8 * FUZZ_INPUT_MAX)
		return 0;
	if (!loop) {
		loop = loop_new();
		MUST(http_server_new(loop, "127.0.0.1:0", NULL, on_request, NULL, &server) == OK);
	}
	how = data[0];
	pause = data[1] < size - 2 ? data[1] : size - 2;
	requests = 0;
	fd = client();
	send_all(fd, data + 2, pause);
	loop_once(loop, 0);
	send_all(fd, data + 2 + pause, size - 2 - pause);
	if (!(how & LEAVES)) {
		MUST(shutdown(fd, SHUT_WR) == 0 || errno == ENOTCONN);
		receive(fd);
	}
	MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
	close(fd);
	for (unsigned n = 0; n < 3; n++)
		loop_once(loop, 0);
	answer_held(NULL);
	loop_once(loop, 0);
	MUST(held_count == 0);
	return 0;
}
