/* A subscriber that takes whatever it is sent. */
#include "bench/sink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/http_head.h"
#include "bench/load.h"

#define IN_MAX 65536 /* a notification is about one kilo-octet */
#define EVENTS_A_ROUND 64

struct peer {
	struct peer *next, **link;
	int fd;
	size_t have;
	uint8_t in[IN_MAX];
};

struct sink {
	int listener, epoll;
	unsigned status;
	struct peer *peers;
	struct sink_counts counts;
};

enum err sink_new(struct sink **out)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
	struct sink *s = calloc(1, sizeof *s);

	if (!s)
		return ERR_NO_MEMORY;
	s->status = 200;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->epoll < 0 || s->listener < 0 || bind(s->listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(s->listener, 512) != 0 ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &e) != 0) {
		sink_free(s);
		return ERR_IO;
	}
	*out = s;
	return OK;
}

static void peer_free(struct peer *p)
{
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	close(p->fd);
	free(p);
}

void sink_free(struct sink *s)
{
	if (!s)
		return;
	while (s->peers)
		peer_free(s->peers);
	if (s->listener >= 0)
		close(s->listener);
	if (s->epoll >= 0)
		close(s->epoll);
	free(s);
}

uint16_t sink_port(const struct sink *s)
{
	struct sockaddr_in a = {0};
	socklen_t len = sizeof a;

	getsockname(s->listener, (struct sockaddr *)&a, &len);
	return ntohs(a.sin_port);
}

void sink_status(struct sink *s, unsigned status)
{
	s->status = status;
}

int sink_descriptor(const struct sink *s)
{
	return s->epoll;
}

void sink_reset(struct sink *s)
{
	memset(&s->counts, 0, sizeof s->counts);
}

const struct sink_counts *sink_counts(const struct sink *s)
{
	return &s->counts;
}

static void meet(struct sink *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
	struct peer *p = fd >= 0 ? calloc(1, sizeof *p) : NULL;
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};

	if (!p) {
		if (fd >= 0)
			close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	p->fd = fd;
	p->next = s->peers;
	p->link = &s->peers;
	if (p->next)
		p->next->link = &p->next;
	s->peers = p;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		peer_free(p);
}

static void measure(struct sink *s, struct rd body)
{
	static const char mark[] = "\"con\":\"";
	const uint8_t *at = memmem(body.at, body.left, mark, sizeof mark - 1);
	struct rd digits;
	uint64_t then, now = load_now_ns();

	if (!at || !rd_skip(&body, (size_t)(at - body.at) + sizeof mark - 1))
		return;
	digits = rd_of(body.at, 0);
	while (digits.left < body.left && body.at[digits.left] >= '0' && body.at[digits.left] <= '9')
		digits.left++;
	if (rd_decimal(digits, &then) && then <= now)
		histogram_add(&s->counts.age, now - then);
}

static bool answer(const struct sink *s, struct peer *p, struct rd request_id)
{
	char text[512];
	int n = snprintf(text, sizeof text, "HTTP/1.1 %u x\r\nX-M2M-RSC: 2000\r\nX-M2M-RI: %.*s\r\nX-M2M-RVI: 3\r\nContent-Length: 0\r\n\r\n", s->status,
	    (int)(request_id.left < 200 ? request_id.left : 200), (const char *)request_id.at);

	return send(p->fd, text, (size_t)n, MSG_NOSIGNAL) == n;
}

/* Every request that is whole; false ends the connection. */
static bool requests(struct sink *s, struct peer *p)
{
	struct rd in = rd_of(p->in, p->have);

	for (;;) {
		struct rd r = in, body;
		struct http_head h;
		enum http_head_found found = http_head_take(&r, &h);

		if (found == HTTP_HEAD_BAD || h.length > IN_MAX)
			return false;
		if (found == HTTP_HEAD_MORE || !rd_sub(&r, (size_t)h.length, &body))
			break;
		s->counts.requests++;
		measure(s, body);
		if (!answer(s, p, h.request_id))
			return false;
		in = r;
	}
	memmove(p->in, in.at, in.left);
	p->have = in.left;
	return p->have < IN_MAX;
}

void sink_run(void *sink)
{
	struct sink *s = sink;
	struct epoll_event events[EVENTS_A_ROUND];
	int n = epoll_wait(s->epoll, events, EVENTS_A_ROUND, 0);

	for (int i = 0; i < n; i++) {
		struct peer *p = events[i].data.ptr;
		ssize_t got;

		if (!p) {
			meet(s);
			continue;
		}
		got = recv(p->fd, p->in + p->have, IN_MAX - p->have, 0);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got > 0)
			p->have += (size_t)got;
		if (got <= 0 || !requests(s, p))
			peer_free(p);
	}
}
