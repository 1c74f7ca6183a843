/* A connection of the HTTP server: octets become requests, one at a time, and answers leave as soon as they are there. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/http_private.h"

static void on_event(void *ctx, unsigned events);
static void on_ready(void *ctx);

/* ---- its beginning and its end ---- */

void http_peer_new(struct http_server *s, int fd, const struct sockaddr_in *from, struct http_link *link)
{
	struct http_peer *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->server = s;
	p->fd = fd;
	p->link = link;
	if (link)
		link->peer = p;
	p->kept = wr_new(IN_MAX);
	inet_ntop(AF_INET, &from->sin_addr, p->address, sizeof p->address);
	p->next = s->all;
	p->at = &s->all;
	if (p->next)
		p->next->at = &p->next;
	s->all = p;
	s->peers++;
	p->io = loop_io_new(s->loop, fd, LOOP_READ, on_event, p);
	http_server_waits(p);
}

static void ready_no_more(struct http_peer *p)
{
	if (!p->ready_at)
		return;
	*p->ready_at = p->next_ready;
	if (p->next_ready)
		p->next_ready->ready_at = p->ready_at;
	p->ready_at = NULL;
}

/* It goes on later, so that nobody's requests are handled within the answering of others, and that one who sends many at a time keeps nobody away. */
static void go_on_later(struct http_peer *p)
{
	struct http_server *s = p->server;

	if (p->ready_at)
		return;
	if (!s->ready)
		loop_defer_next(s->loop, on_ready, s);
	p->next_ready = s->ready;
	p->ready_at = &s->ready;
	if (p->next_ready)
		p->next_ready->ready_at = &p->next_ready;
	s->ready = p;
}

static void peer_free(struct http_peer *p)
{
	wr_free(&p->kept);
	free(p);
}

void http_peer_close(struct http_peer *p)
{
	if (p->state == PEER_CLOSED)
		return;
	p->state = PEER_CLOSED;
	http_server_works(p);
	ready_no_more(p);
	if (p->x)
		http_exchange_over(p->x);
	p->x = NULL;
	loop_io_free(p->io);
	close(p->fd);
	if (p->link)
		p->link->peer = NULL;
	*p->at = p->next;
	if (p->next)
		p->next->at = p->at;
	p->server->peers--;
	if (!p->busy)
		peer_free(p);
}

void http_peers_free(struct http_server *s)
{
	loop_defer_cancel(s->loop, on_ready, s);
	while (s->all)
		http_peer_close(s->all);
}

/* A client that sends no more, and has all its answers, is let go. */
static void settle(struct http_peer *p)
{
	if (p->ended && p->state == PEER_READING && !p->ready_at)
		http_peer_close(p);
	p->busy = false;
	if (p->state == PEER_CLOSED)
		peer_free(p);
}

/* ---- answers ---- */

/* A connection that is closed with octets unread is reset, and the client may not see what was sent: it closes first, or its time is up. */
static void leave_connection(struct http_peer *p)
{
	shutdown(p->fd, SHUT_WR);
	wr_reset(&p->kept);
	if (p->ended) {
		http_peer_close(p);
		return;
	}
	p->state = PEER_LEAVING;
	loop_io_events(p->io, LOOP_READ);
	http_server_waits(p);
}

static void answered(struct http_peer *p)
{
	if (http_exchange_upgrades(p->x)) {
		p->state = PEER_UPGRADED;
		loop_io_events(p->io, 0);
		go_on_later(p);
		return;
	}
	http_exchange_over(p->x);
	p->x = NULL;
	if (p->last) {
		leave_connection(p);
		return;
	}
	p->state = PEER_READING;
	loop_io_events(p->io, p->ended ? 0 : LOOP_READ);
	http_server_waits(p);
	if (p->kept.len > 0)
		go_on_later(p);
}

static void flush(struct http_peer *p)
{
	struct rd rest = http_exchange_answer(p->x);
	ssize_t n;

	if (!rd_skip(&rest, p->sent))
		abort();
	n = send(p->fd, rest.at, rest.left, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		http_peer_close(p);
		return;
	}
	p->sent += n > 0 ? (size_t)n : 0;
	if (n == (ssize_t)rest.left)
		answered(p);
	else
		loop_io_events(p->io, LOOP_WRITE);
}

void http_peer_send(struct http_peer *p)
{
	bool outermost = !p->busy;

	p->busy = true;
	p->state = PEER_SENDING;
	p->sent = 0;
	flush(p);
	if (p->state == PEER_SENDING)
		http_server_waits(p); /* to take it */
	if (p->state != PEER_CLOSED && p->link)
		http_bridge_pump(p->link->bridge); /* it leaves now, not after the loop has slept and seen that there is something to send */
	if (outermost)
		settle(p);
}

/* ---- requests ---- */

static void handle(struct http_peer *p)
{
	p->in_body = false;
	p->state = PEER_WORKING;
	http_server_works(p);
	if (http_exchange_handle(p->x))
		http_peer_send(p);
}

static void refuse(struct http_peer *p, unsigned status, const char *why)
{
	p->last = true;
	http_exchange_refuse(p->x, status, why);
	http_peer_send(p);
}

/* Tells a client that waits for it to send its body. It is the first that this answer says, and so small that it fits. */
static void tell_to_go_on(struct http_peer *p)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (send(p->fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof text - 1)
		http_peer_close(p);
	else if (p->link)
		http_bridge_pump(p->link->bridge);
}

static void begin(struct http_peer *p, const struct http_request_head *h, struct rd rest)
{
	p->chunks = (struct http_chunks){.left = 0};
	p->chunked = h->chunked;
	p->body_left = h->length;
	p->in_body = h->chunked || h->length > 0;
	p->last = !h->keep_alive;
	if (http_exchange_refuses(p->x, h)) {
		p->last = true; /* its body is not read, and looks like anything */
		handle(p);
	} else if (!p->in_body) {
		handle(p);
	} else if (h->expects && rest.left == 0) {
		tell_to_go_on(p);
	}
}

/* True: it took something, and there may be more in what follows. */
static bool take_head(struct http_peer *p, struct rd *in)
{
	struct http_request_head *h = &p->server->head;
	enum http_taken t = http_request_take(in, h);

	if (t == HTTP_MORE)
		return false;
	p->x = http_exchange_new(p, t == HTTP_WHOLE ? h : NULL);
	if (!p->x)
		http_peer_close(p);
	else if (t == HTTP_REFUSED)
		refuse(p, h->status, h->why);
	else
		begin(p, h, *in);
	return true;
}

static bool take_body(struct http_peer *p, struct rd *in)
{
	struct rd part = {NULL, 0};
	enum http_taken t = HTTP_WHOLE;

	if (p->chunked) {
		t = http_chunks_take(&p->chunks, in, &part);
	} else if (rd_sub(in, in->left < p->body_left ? in->left : (size_t)p->body_left, &part)) {
		p->body_left -= part.left;
		t = p->body_left > 0 ? HTTP_MORE : HTTP_WHOLE;
	}
	if (!http_exchange_take(p->x, part))
		http_peer_close(p); /* it did not say how long it is, or lied */
	else if (t == HTTP_WHOLE)
		handle(p);
	else if (t == HTTP_REFUSED)
		refuse(p, 400, "the chunks of the body are none\n");
	return t != HTTP_MORE || part.left > 0;
}

/* What is left over is kept. The time that a request may take begins with its first octet. */
static void take_all(struct http_peer *p, struct rd in)
{
	bool begun;

	while (p->state == PEER_READING && in.left > 0 && (p->in_body ? take_body(p, &in) : take_head(p, &in)))
		;
	if (p->state == PEER_CLOSED || p->state == PEER_LEAVING)
		return;
	wr_rd(&p->kept, in);
	begun = p->state == PEER_READING && (in.left > 0 || p->in_body);
	if (begun && !p->begun)
		http_server_waits(p);
	p->begun = begun;
}

/* What was kept, at the beginning of the server's room for reading. */
static struct wr take_kept(struct http_peer *p)
{
	struct wr in = wr_of(p->server->in, IN_MAX);

	wr_copy(&in, p->kept.octets, p->kept.len);
	wr_reset(&p->kept);
	ready_no_more(p);
	return in;
}

static void input_ended(struct http_peer *p)
{
	p->ended = true;
	loop_io_events(p->io, 0);
}

static void receive(struct http_peer *p)
{
	struct wr in = take_kept(p);
	ssize_t n = 0;

	if (in.len < IN_MAX) {
		n = recv(p->fd, in.octets + in.len, IN_MAX - in.len, MSG_DONTWAIT);
		if (n == 0)
			input_ended(p);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			http_peer_close(p);
			return;
		}
	}
	take_all(p, rd_of(in.octets, in.len + (n > 0 ? (size_t)n : 0)));
}

/* While its request is handled: it is ahead, or gone. */
static void receive_ahead(struct http_peer *p)
{
	ssize_t n = recv(p->fd, p->server->in, IN_MAX - p->kept.len, MSG_DONTWAIT);

	if (n > 0)
		wr_copy(&p->kept, p->server->in, (size_t)n);
	else if (n == 0)
		input_ended(p);
	else if (errno != EAGAIN && errno != EINTR)
		http_peer_close(p);
	if (n > 0 && p->kept.len == IN_MAX)
		loop_io_events(p->io, 0); /* that is enough for now */
}

static void drop(struct http_peer *p)
{
	ssize_t n = recv(p->fd, p->server->in, IN_MAX, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		http_peer_close(p);
}

static void on_event(void *ctx, unsigned events)
{
	struct http_peer *p = ctx;

	p->busy = true;
	switch (p->state) {
	case PEER_READING:
		receive(p);
		break;
	case PEER_WORKING:
		if (events & LOOP_WRITE) /* never asked for then: the client is gone */
			http_peer_close(p);
		else
			receive_ahead(p);
		break;
	case PEER_SENDING:
		flush(p);
		break;
	case PEER_LEAVING:
		drop(p);
		break;
	case PEER_UPGRADED:
	case PEER_CLOSED:
		break;
	}
	settle(p);
}

/* ---- what goes on in the next round ---- */

static void on_stream_end(void *ctx)
{
	http_peer_close(ctx);
}

static void become_stream(struct http_peer *p)
{
	struct http_exchange *x = p->x;
	struct stream *s = NULL;

	http_server_works(p); /* it may be silent for as long as it likes */
	loop_io_free(p->io);
	p->io = NULL;
	p->x = NULL;
	if (stream_over(p->server->loop, p->fd, rd_of(p->kept.octets, p->kept.len), http_exchange_tls_peer(x), on_stream_end, p, &s) != OK)
		http_peer_close(p);
	http_exchange_upgraded(x, s);
}

static void go_on(struct http_peer *p)
{
	struct wr in;

	ready_no_more(p);
	if (p->state == PEER_UPGRADED) {
		become_stream(p);
		return;
	}
	p->busy = true;
	in = take_kept(p);
	take_all(p, rd_of(in.octets, in.len));
	settle(p);
}

static void on_ready(void *ctx)
{
	struct http_server *s = ctx;

	s->going = s->ready;
	s->ready = NULL;
	if (s->going)
		s->going->ready_at = &s->going;
	while (s->going)
		go_on(s->going);
}
