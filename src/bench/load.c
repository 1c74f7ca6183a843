/* The load generator. */
#include "bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/counting.h"
#include "bench/http_head.h"

#define IN_MAX 65536
#define EVENTS_A_ROUND 64
#define WAIT_MS 100

struct connection {
	int fd;
	bool waiting;          /* for an answer */
	bool in_body;
	unsigned status;
	uint64_t sent_at, body_left;
	size_t have;           /* of `in`, while the head is not whole */
	uint8_t in[IN_MAX];
};

struct load {
	const struct load_options *o;
	struct load_result *r;
	struct connection *connections;
	int epoll;
	unsigned outstanding;
	uint64_t sent, answered, now, warm_until, end, last_answer, last_progress;
	struct counting counting;
	bool ending;
	enum err failure;
};

static bool dial(struct load *l, struct connection *c)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(l->o->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return false;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(c->fd, (struct sockaddr *)&a, sizeof a) == 0 && epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) == 0)
		return true;
	close(c->fd);
	c->fd = -1;
	return false;
}

/* A request is far smaller than a socket's buffer, so that waiting for room is the exception. */
static bool send_all(int fd, const uint8_t *octets, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, octets, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		struct pollfd p = {.fd = fd, .events = POLLOUT};

		if (n > 0) {
			octets += n;
			len -= (size_t)n;
		} else if (errno != EINTR && (errno != EAGAIN || poll(&p, 1, LOAD_STALL_MS) != 1)) {
			return false;
		}
	}
	return true;
}

static bool over(const struct load *l)
{
	return l->ending || (l->o->count > 0 && l->sent >= l->o->count);
}

static void next_request(struct load *l, struct connection *c)
{
	uint8_t octets[LOAD_REQUEST_MAX];
	size_t len;

	if (over(l))
		return;
	len = l->o->make(l->o->ctx, l->sent, octets, sizeof octets);
	if (len == 0) {
		l->failure = ERR_BAD_VALUE;
		return;
	}
	l->sent++;
	l->outstanding++;
	c->waiting = true;
	c->in_body = false;
	c->have = 0;
	c->sent_at = l->now;
	if (!send_all(c->fd, octets, len))
		shutdown(c->fd, SHUT_RDWR); /* its end is read, and counted there */
}

static void count(struct load *l, const struct connection *c, unsigned status)
{
	l->outstanding--;
	l->answered++;
	l->last_answer = l->now;
	if (!l->counting.on)
		return;
	if (status == l->o->expect) {
		l->r->answers++;
		histogram_add(&l->r->latency, l->now - c->sent_at);
	} else {
		l->r->errors++;
		l->r->error_status = status;
	}
}

static void answer_done(struct load *l, struct connection *c)
{
	c->waiting = false;
	count(l, c, c->status);
	next_request(l, c);
}

static void lost(struct load *l, struct connection *c)
{
	close(c->fd);
	if (c->waiting)
		count(l, c, 0);
	c->waiting = false;
	if (!dial(l, c))
		l->failure = ERR_UNREACHABLE;
	else
		next_request(l, c);
}

static void keep(struct load *l, const uint8_t *octets, size_t len)
{
	if (l->o->answer)
		wr_copy(l->o->answer, octets, len);
}

static void on_readable(struct load *l, struct connection *c)
{
	ssize_t n = recv(c->fd, c->in + c->have, IN_MAX - c->have, MSG_DONTWAIT);
	struct http_head h;
	struct rd in;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || !c->waiting) {
		lost(l, c);
		return;
	}
	if (c->in_body) {
		keep(l, c->in, (size_t)n);
		c->body_left -= (uint64_t)n < c->body_left ? (uint64_t)n : c->body_left;
	} else {
		c->have += (size_t)n;
		in = rd_of(c->in, c->have);
		switch (http_head_take(&in, &h)) {
		case HTTP_HEAD_MORE:
			if (c->have == IN_MAX)
				lost(l, c);
			return;
		case HTTP_HEAD_BAD:
			lost(l, c);
			return;
		case HTTP_HEAD_DONE:
			break;
		}
		if (l->o->answer)
			wr_reset(l->o->answer);
		keep(l, c->in, c->have);
		c->status = h.status;
		c->have = 0;
		c->in_body = true;
		c->body_left = h.length - (in.left < h.length ? in.left : h.length);
	}
	if (c->body_left == 0)
		answer_done(l, c);
}

static void look_at_clock(struct load *l)
{
	if (!l->counting.on && !l->ending && l->now >= l->warm_until)
		counting_begin(&l->counting, l->now, l->o->server);
	if (l->counting.on && l->o->time_ms > 0 && l->now >= l->end) {
		counting_end(&l->counting, l->now, l->o->server, l->r);
		l->ending = true;
	}
	if (l->o->stop && *l->o->stop)
		l->failure = ERR_CLOSED;
	if (l->now - l->last_answer > LOAD_STALL_MS * 1000000ULL)
		l->failure = ERR_TIMEOUT;
	if (l->o->progress && l->now - l->last_progress >= 1000000000U) {
		l->last_progress = l->now;
		l->o->progress(l->o->progress_ctx, l->answered);
	}
}

static void round_of(struct load *l)
{
	struct epoll_event events[EVENTS_A_ROUND];
	int n = epoll_wait(l->epoll, events, EVENTS_A_ROUND, WAIT_MS);

	l->now = load_now_ns();
	look_at_clock(l);
	for (int i = 0; i < n && l->failure == OK; i++) {
		if (events[i].data.ptr)
			on_readable(l, events[i].data.ptr);
		if (l->o->on_beside) /* whoever is there has a machine of its own, and does not wait for the others of our round */
			l->o->on_beside(l->o->beside_ctx);
		l->now = load_now_ns();
	}
}

static enum err begin(struct load *l)
{
	struct epoll_event beside = {.events = EPOLLIN, .data.ptr = NULL};

	l->now = l->last_answer = l->last_progress = load_now_ns();
	l->warm_until = l->now + l->o->warm_ms * 1000000U;
	l->end = l->warm_until + l->o->time_ms * 1000000U;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		return ERR_IO;
	if (l->o->on_beside && epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->o->beside, &beside) != 0)
		return ERR_IO;
	for (unsigned i = 0; i < l->o->connections; i++)
		if (!dial(l, &l->connections[i]))
			return ERR_UNREACHABLE;
	l->now = load_now_ns();
	look_at_clock(l);
	for (unsigned i = 0; i < l->o->connections; i++)
		next_request(l, &l->connections[i]);
	return l->failure;
}

enum err load_run(const struct load_options *o, struct load_result *r)
{
	struct load l = {.o = o, .r = r, .epoll = -1};
	enum err e;

	memset(r, 0, sizeof *r);
	if (o->connections == 0 || o->connections > LOAD_CONNECTIONS_MAX || (o->time_ms == 0 && o->count == 0))
		return ERR_BAD_VALUE;
	l.connections = calloc(o->connections, sizeof *l.connections);
	if (!l.connections)
		return ERR_NO_MEMORY;
	for (unsigned i = 0; i < o->connections; i++)
		l.connections[i].fd = -1;
	e = begin(&l);
	while (e == OK && (l.outstanding > 0 || !over(&l))) {
		round_of(&l);
		e = l.failure;
	}
	counting_end(&l.counting, l.now, o->server, r);
	for (unsigned i = 0; i < o->connections; i++)
		if (l.connections[i].fd >= 0)
			close(l.connections[i].fd);
	if (l.epoll >= 0)
		close(l.epoll);
	free(l.connections);
	return e;
}
