/* The HTTP server: libmicrohttpd, driven from the loop by its epoll descriptor. */
#include "loop/http_private.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/tls_private.h"
#include "loop/udp.h"

#define PEER_MAX 256
#define IDLE_TIMEOUT_S 120
#define PEM_MAX 65536

/* libmicrohttpd clears a connection's memory after every request, so more would cost time with each. This is room for a head of 8 KiB with
 * some 300 header fields and query arguments; beyond it libmicrohttpd answers 431 or 414, or closes the connection. */
#define CONNECTION_MEMORY ((size_t)32768)

struct client {
	bool checked;
	char address[INET6_ADDRSTRLEN];
	char peer[PEER_MAX];
};

static void arm(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG wait;

	if (MHD_get_timeout(s->daemon, &wait) == MHD_YES)
		loop_timer_in(s->timer, wait > 1000 ? 1000 : (uint64_t)wait);
}

static void run(struct http_server *s)
{
	s->round_ended = false;
	loop_timer_at(s->timer, CLOCK_NEVER); /* not twice in this round: those without an answer would be suspended */
	MHD_run(s->daemon);
	if (!s->run_deferred)
		arm(s);
}

static void on_readable(void *ctx, unsigned events)
{
	(void)events;
	run(ctx);
}

static void on_time(void *ctx)
{
	run(ctx);
}

/* Sends what was answered since, suspends the rest. */
static void on_round_end(void *ctx)
{
	struct http_server *s = ctx;

	s->run_deferred = false;
	s->round_ended = true;
	MHD_run(s->daemon);
	arm(s);
}

/* Once a round: requests that came in during the first time, and their answers, wait for the next, lest a busy server keeps the loop from
 * everything else. */
void http_server_run_at_round_end(struct http_server *s)
{
	if (s->round_ended) {
		loop_timer_in(s->timer, 0);
	} else if (!s->run_deferred) {
		s->run_deferred = true;
		loop_defer(s->loop, on_round_end, s);
	}
}

/* The identity in the client's certificate, checked once a connection. */
const char *http_server_peer(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *session = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	const union MHD_ConnectionInfo *context = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct client *c = context ? context->socket_context : NULL;

	if (!session || !c)
		return "";
	if (!c->checked) {
		gnutls_session_t tls = session->tls_session;

		c->checked = true;
		if (!tls_chain_is_good(tls) || !tls_peer_identity(tls, c->peer, sizeof c->peer))
			c->peer[0] = '\0';
	}
	return c->peer;
}

const char *http_server_address(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *from = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const union MHD_ConnectionInfo *context = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct client *c = context ? context->socket_context : NULL;

	if (!c || !from || !from->client_addr)
		return "";
	if (c->address[0] == '\0') {
		const struct sockaddr *a = from->client_addr;

		if (a->sa_family == AF_INET)
			inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, c->address, sizeof c->address);
		else if (a->sa_family == AF_INET6)
			inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, c->address, sizeof c->address);
	}
	return c->address;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code)
{
	(void)cls;
	(void)connection;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = calloc(1, sizeof(struct client));
	} else {
		free(*context);
		*context = NULL;
	}
}

static char *slurp(const char *path)
{
	char *text = calloc(1, PEM_MAX);
	FILE *f = fopen(path, "r");
	size_t n = f && text ? fread(text, 1, PEM_MAX - 1, f) : 0;

	if (f)
		fclose(f);
	if (n == 0) {
		free(text);
		return NULL;
	}
	return text;
}

static enum err listen_on(const char *host_port, int *out)
{
	struct sockaddr_in a;
	enum err e = address_parse(host_port, &a);
	int fd, one = 1;

	if (e != OK)
		return e;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_IO;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 512) != 0) {
		close(fd);
		return ERR_IO;
	}
	*out = fd;
	return OK;
}

#define COMMON_FLAGS (MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME)
#define COMMON_OPTIONS(s)                                                                                        \
	MHD_OPTION_LISTEN_SOCKET, (s)->listener, MHD_OPTION_URI_LOG_CALLBACK, http_exchange_begin, (s),                    \
	    MHD_OPTION_NOTIFY_COMPLETED, http_exchange_completed, (s), MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,   \
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY

static void start_plain(struct http_server *s)
{
	s->daemon = MHD_start_daemon(COMMON_FLAGS, 0, NULL, NULL, http_exchange_request, s, COMMON_OPTIONS(s), MHD_OPTION_END);
}

static void start_tls(struct http_server *s, const struct tls_credentials *tls)
{
	char *ca = slurp(tls->ca), *cert = slurp(tls->cert), *key = slurp(tls->key);

	if (ca && cert && key)
		s->daemon = MHD_start_daemon(COMMON_FLAGS | MHD_USE_TLS, 0, NULL, NULL, http_exchange_request, s, COMMON_OPTIONS(s),
		    MHD_OPTION_HTTPS_MEM_TRUST, ca, MHD_OPTION_HTTPS_MEM_CERT, cert, MHD_OPTION_HTTPS_MEM_KEY, key,
		    MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITY_CERTIFICATES, MHD_OPTION_END);
	if (key)
		explicit_bzero(key, strlen(key));
	free(ca);
	free(cert);
	free(key);
}

enum err http_server_new(struct loop *l, const char *host_port, struct tls_credentials *tls, http_handler *fn, void *ctx, struct http_server **out)
{
	struct http_server *s = calloc(1, sizeof *s);
	const union MHD_DaemonInfo *info;
	enum err e;

	if (!s)
		return ERR_NO_MEMORY;
	e = listen_on(host_port, &s->listener);
	if (e != OK) {
		free(s);
		return e;
	}
	s->loop = l;
	s->tls = tls != NULL;
	s->fn = fn;
	s->ctx = ctx;
	if (tls)
		start_tls(s, tls);
	else
		start_plain(s);
	if (!s->daemon) {
		close(s->listener);
		free(s);
		return tls ? ERR_TLS : ERR_IO;
	}
	s->timer = loop_timer_new(l, on_time, s);
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	s->io = loop_io_new(l, info->epoll_fd, LOOP_READ, on_readable, s);
	*out = s;
	return OK;
}

uint16_t http_server_port(const struct http_server *s)
{
	struct sockaddr_in a = {0};
	socklen_t len = sizeof a;

	getsockname(s->listener, (struct sockaddr *)&a, &len);
	return ntohs(a.sin_port);
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	http_exchanges_abandon(s);
	loop_io_free(s->io);
	loop_timer_free(s->timer);
	MHD_stop_daemon(s->daemon); /* closes the listener */
	loop_defer_cancel(s->loop, on_round_end, s);
	free(s);
}
