/* Connections, each with one request under way. */
#include "bench/exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/counting.h"

#define IN_MAX 65536
#define OUT_MAX 8192
#define EVENTS_A_ROUND 64
#define WAIT_MS 100

struct client {
	int fd;
	unsigned number;
	bool ready, waiting;
	uint64_t sent_at;
	size_t have;
	uint8_t in[IN_MAX];
};

struct exchange {
	const struct exchange_options *o;
	struct load_result *r;
	struct client *clients;
	int epoll;
	unsigned outstanding;
	uint64_t sent, now, warm_until, end, last_answer;
	struct counting counting;
	bool ending;
	enum err failure;
};

/* What is sent is far smaller than a socket's buffer. */
static void send_out(struct exchange *x, const struct client *c, struct wr *w)
{
	struct rd octets;

	if (w->len > 0 && (!wr_done(w, &octets) || send(c->fd, octets.at, octets.left, MSG_NOSIGNAL) != (ssize_t)octets.left))
		x->failure = ERR_CLOSED;
	wr_reset(w);
}

static void next_request(struct exchange *x, struct client *c, struct wr *w)
{
	if (x->ending)
		return;
	c->waiting = true;
	c->sent_at = x->now;
	x->outstanding++;
	x->o->protocol->request(x->o->ctx, c->number, x->sent++, w);
	send_out(x, c, w);
}

static void answered(struct exchange *x, struct client *c, bool good, struct wr *w)
{
	if (!c->waiting)
		return;
	c->waiting = false;
	x->outstanding--;
	x->last_answer = x->now;
	if (x->counting.on && good) {
		x->r->answers++;
		histogram_add(&x->r->latency, x->now - c->sent_at);
	} else if (x->counting.on) {
		x->r->errors++;
	}
	next_request(x, c, w);
}

static void on_readable(struct exchange *x, struct client *c)
{
	uint8_t room[OUT_MAX];
	struct wr w = wr_of(room, sizeof room);
	ssize_t n = recv(c->fd, c->in + c->have, IN_MAX - c->have, MSG_DONTWAIT);
	enum exchange_found found = EXCHANGE_NOTHING;
	struct rd in;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		x->failure = ERR_CLOSED;
		return;
	}
	c->have += (size_t)n;
	in = rd_of(c->in, c->have);
	while (in.left > 0 && found != EXCHANGE_MORE && x->failure == OK) {
		found = x->o->protocol->take(x->o->ctx, c->number, &in, &w);
		send_out(x, c, &w);
		if (found == EXCHANGE_BROKEN || (found == EXCHANGE_MORE && in.left == IN_MAX))
			x->failure = ERR_MALFORMED;
		else if (found == EXCHANGE_OPEN && !c->ready)
			c->ready = true, next_request(x, c, &w);
		else if (found == EXCHANGE_GOOD || found == EXCHANGE_BAD)
			answered(x, c, found == EXCHANGE_GOOD, &w);
	}
	if (in.left > 0)
		memmove(c->in, in.at, in.left);
	c->have = in.left;
}

static void look_at_clock(struct exchange *x)
{
	if (!x->counting.on && !x->ending && x->now >= x->warm_until)
		counting_begin(&x->counting, x->now, x->o->server);
	if (x->counting.on && x->now >= x->end) {
		counting_end(&x->counting, x->now, x->o->server, x->r);
		x->ending = true;
	}
	if (x->o->stop && *x->o->stop)
		x->failure = ERR_CLOSED;
	if (x->now - x->last_answer > LOAD_STALL_MS * 1000000ULL)
		x->failure = ERR_TIMEOUT;
}

static enum err dial(struct exchange *x, struct client *c)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(x->o->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	bool datagrams = x->o->protocol->datagrams;
	uint8_t room[OUT_MAX];
	struct wr w = wr_of(room, sizeof room);
	int one = 1;

	c->fd = socket(AF_INET, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof a) != 0 || epoll_ctl(x->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0)
		return ERR_UNREACHABLE;
	if (!datagrams)
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (x->o->protocol->open) {
		x->o->protocol->open(x->o->ctx, c->number, &w);
		send_out(x, c, &w);
	} else {
		c->ready = true;
		next_request(x, c, &w);
	}
	return x->failure;
}

static enum err run(struct exchange *x)
{
	struct epoll_event events[EVENTS_A_ROUND];
	enum err e = OK;

	for (unsigned i = 0; i < x->o->connections && e == OK; i++) {
		x->clients[i].number = i;
		e = dial(x, &x->clients[i]);
	}
	while (e == OK && (x->outstanding > 0 || !x->ending)) {
		int n = epoll_wait(x->epoll, events, EVENTS_A_ROUND, WAIT_MS);

		x->now = load_now_ns();
		look_at_clock(x);
		for (int i = 0; i < n && x->failure == OK; i++) {
			on_readable(x, events[i].data.ptr);
			x->now = load_now_ns();
		}
		e = x->failure;
	}
	counting_end(&x->counting, x->now, x->o->server, x->r);
	return e;
}

enum err exchange_run(const struct exchange_options *o, struct load_result *r)
{
	struct exchange x = {.o = o, .r = r, .now = load_now_ns()};
	enum err e;

	memset(r, 0, sizeof *r);
	if (o->connections == 0 || o->connections > LOAD_CONNECTIONS_MAX)
		return ERR_BAD_VALUE;
	x.last_answer = x.now;
	x.warm_until = x.now + o->warm_ms * 1000000U;
	x.end = x.warm_until + o->time_ms * 1000000U;
	x.epoll = epoll_create1(EPOLL_CLOEXEC);
	x.clients = calloc(o->connections, sizeof *x.clients);
	if (x.epoll < 0 || !x.clients)
		abort();
	for (unsigned i = 0; i < o->connections; i++)
		x.clients[i].fd = -1;
	e = run(&x);
	for (unsigned i = 0; i < o->connections; i++)
		if (x.clients[i].fd >= 0)
			close(x.clients[i].fd);
	close(x.epoll);
	free(x.clients);
	return e;
}
