/* TLS of the HTTP client's calls: libcurl speaks in the clear to a gate of ours, and the bridge behind it speaks TLS with the server. */
#include "loop/http_client_private.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop/http_bridge.h"

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

void client_tls_release(struct http_call *call)
{
	route_release(call->route);
}

struct tls_session *client_tls_session(const struct http_call *call)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (!call->route || curl_easy_getinfo(call->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD)
		return NULL;
	for (const struct crossing *x = call->client->crossings; x; x = x->next)
		if (x->fd == fd && x->route == call->route)
			return http_bridge_tls(x->bridge);
	return NULL;
}

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

void client_tls_end(struct http_client *c)
{
	while (c->crossings) {
		http_bridge_free(c->crossings->bridge);
		crossing_free(c->crossings);
	}
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
void client_tls_set(struct http_call *call, const struct http_call_options *o)
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
