/* The HTTP client: libcurl's multi interface on the loop. */
#include "loop/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/wr.h"
#include "loop/http_bridge.h"

#define TIMEOUT_DEFAULT_MS 10000

struct http_client {
	struct loop *loop;
	struct tls_credentials *tls;
	CURLM *multi;
	struct loop_timer *timer;
	struct http_call *calls;
	struct route *routes;
	struct crossing *crossings;
	uint64_t next_route;
	bool dispatching;
	bool kicked;             /* on_kick comes, or was in this round */
};

/* Whom TLS is spoken with, and how: connections are reused by calls of the same route only. libcurl keeps them apart by a host name of ours, which
 * nobody resolves. */
struct route {
	struct http_client *client;
	struct route *next, **at;
	unsigned holds; /* by calls and crossings */
	uint64_t number;
	struct tls_credentials *tls;
	char *peer, *authority;
};

/* A connection with TLS, between libcurl and the server. libcurl connects to a gate in a directory that nobody else may enter, and which is gone as soon
 * as it has. (A pair would be simpler, but libcurl 7.88 connects even what CURL_SOCKOPT_ALREADY_CONNECTED says is connected; and a connection whose
 * address is no text, as that of a nameless socket is, it takes for one whose name is not resolved yet, and never uses it again.) */
struct crossing {
	struct route *route;
	struct crossing *next, **at;
	struct http_bridge *bridge;
	curl_socket_t fd; /* libcurl's */
	int gate;         /* -1: closed */
	struct loop_io *gate_io;
	struct sockaddr_un gate_name;
};

struct http_call {
	struct http_client *client;
	struct http_call *next, **link;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	struct route *route;      /* https */
	struct crossing *crossing; /* that was made for this call */
	struct wr body;
	struct wr answer;
	struct wr answer_headers; /* "name:value\n", names in lower case */
	char error[CURL_ERROR_SIZE];
	enum err why;             /* of the crossing's end, before there was TLS */
	char detail[160];
	http_done *done;
	void *ctx;
};

struct socket_io {
	struct http_client *client;
	struct loop_io *io;
	curl_socket_t fd;
};

static const struct http_result *current; /* for http_result_header */
static const struct wr *current_headers;

static void route_release(struct route *r)
{
	if (!r || --r->holds > 0)
		return;
	*r->at = r->next;
	if (r->next)
		r->next->at = r->at;
	tls_credentials_free(r->tls);
	free(r->peer);
	free(r->authority);
	free(r);
}

static void call_free(struct http_call *call)
{
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	curl_multi_remove_handle(call->client->multi, call->easy);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->connect_to);
	wr_free(&call->body);
	wr_free(&call->answer);
	wr_free(&call->answer_headers);
	route_release(call->route);
	free(call);
}

static enum err reason(const struct http_call *call, CURLcode code)
{
	if (code == CURLE_OK)
		return OK;
	if (call->why != OK)
		return call->why;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return ERR_TIMEOUT;
	return code == CURLE_WRITE_ERROR ? ERR_TOO_LONG : ERR_UNREACHABLE;
}

/* Also of a connection that an earlier call made. */
static struct tls_session *session_of(const struct http_call *call)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (!call->route || curl_easy_getinfo(call->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD)
		return NULL;
	for (const struct crossing *x = call->client->crossings; x; x = x->next)
		if (x->fd == fd && x->route == call->route)
			return http_bridge_tls(x->bridge);
	return NULL;
}

static void complete(struct http_call *call, CURLcode code)
{
	struct http_result r = {.error = reason(call, code)};
	http_done *done = call->done;
	void *ctx = call->ctx;
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	r.status = (unsigned)status;
	r.detail = call->why != OK && call->detail[0] ? call->detail : call->error[0] ? call->error : curl_easy_strerror(code);
	r.tls = session_of(call);
	r.tls_peer = r.tls ? tls_session_peer(r.tls) : NULL;
	if (r.error == OK && !wr_done(&call->answer, &r.body))
		r.error = ERR_TOO_LONG;
	if (r.error == OK && (status < 100 || status > 599))
		r.error = ERR_MALFORMED; /* libcurl takes "HTTP/2 2" for an answer */
	current = &r;
	current_headers = &call->answer_headers;
	done(ctx, &r);
	current = NULL;
	current_headers = NULL;
	call_free(call);
}

static void finished(struct http_client *c)
{
	CURLMsg *message;
	int left;

	if (c->dispatching)
		return;
	c->dispatching = true;
	while ((message = curl_multi_info_read(c->multi, &left)) != NULL) {
		struct http_call *call = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		complete(call, message->data.result);
	}
	c->dispatching = false;
}

static void on_socket_event(void *ctx, unsigned events)
{
	struct socket_io *s = ctx;
	struct http_client *c = s->client;
	int running, what = (events & LOOP_READ ? CURL_CSELECT_IN : 0) | (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

	c->kicked = false;
	curl_multi_socket_action(c->multi, s->fd, what, &running);
	finished(c);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct http_client *c = ctx;
	struct socket_io *s = socket_ctx;
	unsigned events = (what & CURL_POLL_IN ? LOOP_READ : 0U) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0U);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			loop_io_free(s->io);
		free(s);
		curl_multi_assign(c->multi, fd, NULL);
		return 0;
	}
	if (s) {
		loop_io_events(s->io, events);
		return 0;
	}
	s = calloc(1, sizeof *s);
	if (!s)
		return -1;
	s->client = c;
	s->fd = fd;
	s->io = loop_io_new(c->loop, fd, events, on_socket_event, s);
	curl_multi_assign(c->multi, fd, s);
	return 0;
}

static void act(struct http_client *c)
{
	int running;

	curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finished(c);
}

static void on_time(void *ctx)
{
	struct http_client *c = ctx;

	c->kicked = false;
	act(c);
}

static void on_kick(void *ctx)
{
	act(ctx);
}

/* A new call asks for a timer at once. Notifications are called at the end of a round, after the commit: they are to leave in that round, not
 * after the next one's commit. But only once a round, lest a quick peer and callers that go on and on keep the loop. */
static int on_curl_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct http_client *c = ctx;

	(void)multi;
	if (timeout_ms < 0) {
		loop_timer_at(c->timer, UINT64_MAX);
		return 0;
	}
	loop_timer_in(c->timer, (uint64_t)timeout_ms);
	if (timeout_ms == 0 && !c->kicked) {
		c->kicked = true;
		loop_defer(c->loop, on_kick, c);
	}
	return 0;
}

struct http_client *http_client_new(struct loop *l, struct tls_credentials *tls)
{
	struct http_client *c = calloc(1, sizeof *c);

	if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || (c->multi = curl_multi_init()) == NULL)
		abort();
	c->loop = l;
	c->tls = tls ? tls_credentials_hold(tls) : NULL;
	c->timer = loop_timer_new(l, on_time, c);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	return c;
}

void http_client_abandon(struct http_client *c)
{
	const struct http_result r = {.error = ERR_CLOSED, .detail = "the client ends"};

	while (c->calls) {
		c->calls->done(c->calls->ctx, &r);
		call_free(c->calls);
	}
}

static size_t on_body(char *octets, size_t size, size_t n, void *ctx)
{
	struct http_call *call = ctx;

	wr_copy(&call->answer, octets, size * n);
	return call->answer.spoilt ? 0 : size * n;
}

static size_t on_header(char *octets, size_t size, size_t n, void *ctx)
{
	struct http_call *call = ctx;
	struct rd line = rd_of(octets, size * n), name, value;
	uint8_t c;

	if (rd_starts(line, "HTTP/"))
		wr_reset(&call->answer_headers);
	if (rd_line(&line, &value) && rd_until(&value, ':', &name) && !memchr(value.at, '\r', value.left)) {
		while (rd_u8(&name, &c))
			wr_u8(&call->answer_headers, c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c);
		wr_u8(&call->answer_headers, ':');
		while (rd_starts(value, " ") && rd_skip(&value, 1))
			;
		wr_rd(&call->answer_headers, value);
		wr_u8(&call->answer_headers, 0);
	}
	return call->answer_headers.spoilt ? 0 : size * n;
}

/* ---- TLS ---- */

static void close_gate(struct crossing *x)
{
	char *name = x->gate_name.sun_path, *slash = strrchr(name, '/');

	loop_io_free(x->gate_io);
	x->gate_io = NULL;
	if (x->gate >= 0)
		close(x->gate);
	x->gate = -1;
	if (slash) {
		unlink(name);
		*slash = '\0';
		rmdir(name);
		name[0] = '\0';
	}
}

static void crossing_free(struct crossing *x)
{
	*x->at = x->next;
	if (x->next)
		x->next->at = x->at;
	close_gate(x);
	route_release(x->route);
	free(x);
}

/* libcurl sees the end of its connection; the call that it was made for knows why. */
static void on_crossing_closed(void *ctx, struct http_bridge *b, enum err why, const char *detail)
{
	struct crossing *x = ctx;

	(void)b;
	for (struct http_call *call = x->route->client->calls; call; call = call->next) {
		if (call->crossing != x)
			continue;
		call->crossing = NULL;
		call->why = why == ERR_CLOSED ? OK : why;
		snprintf(call->detail, sizeof call->detail, "%s", detail);
	}
	crossing_free(x);
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	while (c->calls)
		call_free(c->calls);
	curl_multi_cleanup(c->multi);
	while (c->crossings) {
		http_bridge_free(c->crossings->bridge);
		crossing_free(c->crossings);
	}
	tls_credentials_free(c->tls);
	loop_timer_free(c->timer);
	loop_defer_cancel(c->loop, on_kick, c);
	free(c);
}

static int connect_to(const struct sockaddr *to, socklen_t len)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	/* a refusal that is known at once is told by SO_ERROR too, once the socket is asked about */
	if (connect(fd, to, len) == 0 || errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

static void on_gate(void *ctx, unsigned events)
{
	struct crossing *x = ctx;
	struct ucred peer;
	socklen_t len = sizeof peer;
	int fd;

	(void)events;
	while (x->gate >= 0 && (fd = accept4(x->gate, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid == getpid()) {
			close_gate(x);
			http_bridge_attach(x->bridge, fd);
		} else {
			close(fd);
		}
	}
}

/* A handshake can be done within one callback, before the loop tells of the gate; who is not at the gate now has given up. */
static void on_crossing_open(void *ctx, struct http_bridge *b)
{
	on_gate(ctx, LOOP_READ);
	if (http_bridge_attached(b))
		return;
	http_bridge_free(b);
	crossing_free(ctx);
}

static bool open_gate(struct crossing *x)
{
	char dir[] = "/tmp/keyway-XXXXXX";

	x->gate = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (x->gate < 0 || !mkdtemp(dir))
		return false;
	x->gate_name.sun_family = AF_UNIX;
	snprintf(x->gate_name.sun_path, sizeof x->gate_name.sun_path, "%s/gate", dir);
	if (bind(x->gate, (const struct sockaddr *)&x->gate_name, sizeof x->gate_name) != 0 || listen(x->gate, 1) != 0) {
		rmdir(dir);
		return false;
	}
	x->gate_io = loop_io_new(x->route->client->loop, x->gate, LOOP_READ, on_gate, x);
	x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return x->fd >= 0;
}

static curl_socket_t give_up(struct http_call *call, enum err why, const char *detail)
{
	call->why = why;
	snprintf(call->detail, sizeof call->detail, "%s", detail);
	return CURL_SOCKET_BAD;
}

/* libcurl opens a connection for a call of ours: it is sent to the gate instead. */
static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	static const struct http_bridge_events events = {on_crossing_open, on_crossing_closed, NULL};
	struct http_call *call = ctx;
	struct http_client *c = call->client;
	struct sockaddr_in to;
	struct crossing *x;
	int fd;

	(void)purpose;
	if (address->family != AF_INET || address->addrlen < sizeof to)
		return CURL_SOCKET_BAD;
	memcpy(&to, &address->addr, sizeof to);
	fd = connect_to(&address->addr, address->addrlen);
	if (fd < 0)
		return give_up(call, ERR_UNREACHABLE, "nobody listens there");
	x = calloc(1, sizeof *x);
	if (!x)
		abort();
	x->gate = x->fd = -1;
	x->route = call->route;
	x->route->holds++;
	x->next = c->crossings;
	x->at = &c->crossings;
	if (x->next)
		x->next->at = &x->next;
	c->crossings = x;
	x->bridge = http_bridge_new(c->loop, fd, true, &to, call->route->tls, call->route->peer, &events, x);
	if (!x->bridge || !open_gate(x)) {
		enum err why = x->bridge ? ERR_IO : ERR_TLS;

		http_bridge_free(x->bridge);
		crossing_free(x);
		return give_up(call, why, why == ERR_TLS ? "there are no credentials for this" : "no socket can be made in /tmp");
	}
	call->crossing = x;
	/* libcurl's address has room for any */
	memcpy(&address->addr, &x->gate_name, sizeof x->gate_name);
	address->addrlen = sizeof x->gate_name;
	address->family = AF_UNIX;
	return x->fd;
}

static struct route *route_for(struct http_client *c, struct tls_credentials *tls, const char *peer, struct rd authority)
{
	struct route *r = c->routes;

	while (r && (r->tls != tls || strcmp(r->peer, peer) != 0 || !rd_is(authority, r->authority)))
		r = r->next;
	if (!r) {
		r = calloc(1, sizeof *r);
		if (!r || (r->peer = strdup(peer)) == NULL || (r->authority = rd_strdup(authority)) == NULL)
			abort();
		r->client = c;
		r->number = c->next_route++;
		r->tls = tls ? tls_credentials_hold(tls) : NULL;
		r->next = c->routes;
		r->at = &c->routes;
		if (r->next)
			r->next->at = &r->next;
		c->routes = r;
	}
	r->holds++;
	return r;
}

/* "https://HOST[:PORT]/..." is asked for as "http://ROUTE:PORT/..." at HOST, with the Host that it would have; TLS is the bridge's. A DNS name as
 * peer is the Host, as it is the name of SNI. */
static void set_tls(struct http_call *call, const struct http_call_options *o)
{
	struct rd r = rd_str(o->url), authority, path;
	const char *peer = o->peer ? o->peer : ""; /* which is nobody's name */
	char host[300], port[8] = "443", map[700], full[2048], header[600];
	const uint8_t *slash;
	char *colon;

	if (!rd_skip(&r, 8))
		return;
	slash = memchr(r.at, '/', r.left);
	if (!rd_sub(&r, slash ? (size_t)(slash - r.at) : r.left, &authority) || !rd_text(authority, host, sizeof host))
		return;
	path = rd_rest(&r);
	call->route = route_for(call->client, o->tls ? o->tls : call->client->tls, peer, authority);
	colon = strrchr(host, ':');
	if (colon) {
		snprintf(port, sizeof port, "%s", colon + 1);
		*colon = '\0';
	}
	snprintf(map, sizeof map, "::%s:%s", host, port);
	snprintf(full, sizeof full, "http://route-%llu.keyway.invalid:%s%.*s", (unsigned long long)call->route->number, port, (int)path.left, (const char *)path.at);
	snprintf(header, sizeof header, "Host: %s:%s", peer[0] && !strchr(peer, ':') ? peer : host, port);
	call->headers = curl_slist_append(call->headers, header);
	call->connect_to = curl_slist_append(NULL, map);
	curl_easy_setopt(call->easy, CURLOPT_CONNECT_TO, call->connect_to);
	curl_easy_setopt(call->easy, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4); /* all that our servers listen on */
	curl_easy_setopt(call->easy, CURLOPT_URL, full);
	curl_easy_setopt(call->easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(call->easy, CURLOPT_OPENSOCKETDATA, call);
}

static void set_request(struct http_call *call, const struct http_call_options *o)
{
	char line[2300];

	curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, o->method);
	if (strcmp(o->method, "GET") != 0 && (o->body.left > 0 || strcmp(o->method, "DELETE") != 0)) {
		wr_rd(&call->body, o->body);
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->body.octets ? (char *)call->body.octets : "");
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
	}
	call->headers = curl_slist_append(call->headers, "Expect:");
	for (const struct http_header *h = o->headers; h && h->name; h++) {
		snprintf(line, sizeof line, "%s: %s", h->name, h->value);
		call->headers = curl_slist_append(call->headers, line);
	}
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
}

struct http_call *http_call(struct http_client *c, const struct http_call_options *o, http_done *done, void *ctx)
{
	struct http_call *call = calloc(1, sizeof *call);

	if (!call || (call->easy = curl_easy_init()) == NULL)
		abort();
	call->client = c;
	call->done = done;
	call->ctx = ctx;
	call->body = wr_new(HTTP_BODY_MAX);
	call->answer = wr_new(HTTP_BODY_MAX);
	call->answer_headers = wr_new(65536);
	call->next = c->calls;
	call->link = &c->calls;
	if (call->next)
		call->next->link = &call->next;
	c->calls = call;
	curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(call->easy, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(call->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(call->easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)(o->timeout_ms ? o->timeout_ms : TIMEOUT_DEFAULT_MS));
	curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_URL, o->url);
	if (strncmp(o->url, "https://", 8) == 0)
		set_tls(call, o);
	set_request(call, o);
	curl_multi_add_handle(c->multi, call->easy);
	return call;
}

void http_call_cancel(struct http_call *call)
{
	call_free(call);
}

uint64_t http_result_date(const struct http_result *r)
{
	const char *text = http_result_header(r, "date");
	time_t t = text ? curl_getdate(text, NULL) : -1;

	return t > 0 ? (uint64_t)t : 0;
}

const char *http_result_header(const struct http_result *r, const char *name)
{
	size_t len = strlen(name);
	const char *at, *end;

	if (r != current || !current_headers->octets || current_headers->spoilt)
		return NULL;
	at = (const char *)current_headers->octets;
	end = at + current_headers->len;
	while (at < end) {
		if (strncasecmp(at, name, len) == 0 && at[len] == ':')
			return at + len + 1;
		at += strlen(at) + 1;
	}
	return NULL;
}
