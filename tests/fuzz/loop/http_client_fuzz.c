/* Any octets as the answer of an HTTP server: the call ends once, with an error or with a status that HTTP has; the body is within its limit, and no
 * header has a line end in it. Input: after how many octets the server pauses, and the octets. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/http.h"
#include "../fuzz.h"

#define PATIENCE_MS 20

static unsigned ended;

static void on_done(void *ctx, const struct http_result *r)
{
	static const char *const names[] = {"X-M2M-RSC", "Content-Type", "Date", ""};

	(void)ctx;
	ended++;
	MUST(ended == 1 && r->detail);
	if (r->error != OK)
		return;
	MUST(r->status >= 100 && r->status <= 599 && r->body.left <= HTTP_BODY_MAX);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *value = http_result_header(r, names[i]);

		MUST(!value || !strpbrk(value, "\r\n"));
	}
	(void)http_result_date(r);
}

static int listener(uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	MUST(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 16) == 0 && getsockname(fd, (struct sockaddr *)&a, &len) == 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* The request is read, so that closing the connection does not take the answer back. */
static void read_request(struct loop *loop, int fd)
{
	char octets[2048];
	size_t n = 0;

	while (n < sizeof octets && !memmem(octets, n, "\r\n\r\n", 4)) {
		ssize_t got = recv(fd, octets + n, sizeof octets - n, MSG_DONTWAIT);

		if (got > 0)
			n += (size_t)got;
		else
			loop_once(loop, PATIENCE_MS);
		if (got == 0 || ended)
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct loop *loop;
	static uint16_t port;
	static int listening;
	struct linger at_once = {.l_onoff = 1};
	struct http_client *client;
	size_t pause;
	char url[64];
	int fd = -1;

	if (size < 1 || size > 8 * FUZZ_INPUT_MAX)
		return 0;
	if (!loop) {
		loop = loop_new();
		listening = listener(&port);
	}
	ended = 0;
	client = http_client_new(loop, NULL);
	snprintf(url, sizeof url, "http://127.0.0.1:%u/~/id-in?rcn=1", port);
	http_call(client, &(struct http_call_options){.method = "GET", .url = url, .timeout_ms = 60000}, on_done, NULL);
	while (!ended && (fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC)) < 0)
		loop_once(loop, PATIENCE_MS);
	if (fd >= 0) {
		read_request(loop, fd);
		pause = data[0] < size - 1 ? data[0] : size - 1;
		(void)!send(fd, data + 1, pause, MSG_NOSIGNAL);
		loop_once(loop, 0);
		(void)!send(fd, data + 1 + pause, size - 1 - pause, MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		while (!ended)
			loop_once(loop, PATIENCE_MS);
		MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
		close(fd);
	}
	http_client_free(client);
	MUST(ended == 1);
	return 0;
}
