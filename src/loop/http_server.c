/* The HTTP server: libmicrohttpd, driven from the loop by its epoll descriptor. */
#include "loop/http.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wr.h"
#include "loop/tls_private.h"
#include "loop/udp.h"

#define PEER_MAX 256
#define IDLE_TIMEOUT_S 120
#define PEM_MAX 65536

struct http_server {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	struct loop_io *io;
	struct loop_timer *timer;
	int listener;
	bool tls, run_pending;
	http_handler *fn;
	void *ctx;
	struct http_exchange *waiting; /* suspended exchanges */
};

struct client {
	bool checked;
	char address[INET6_ADDRSTRLEN];
	char peer[PEER_MAX];
};

struct http_exchange {
	struct http_server *server; /* NULL once the server is gone */
	struct MHD_Connection *connection;
	struct http_exchange *next, **link; /* in server->waiting while suspended */
	char *path, *query, *method;
	const char *peer;
	struct wr body;
	struct MHD_Response *response;
	unsigned status;
	bool in_handler, suspended, answered, gone, too_long;
};

static void run(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG wait;

	s->run_pending = false;
	MHD_run(s->daemon);
	if (MHD_get_timeout(s->daemon, &wait) == MHD_YES)
		loop_timer_in(s->timer, wait > 1000 ? 1000 : (uint64_t)wait);
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

static void exchange_free(struct http_exchange *x)
{
	if (x->response)
		MHD_destroy_response(x->response);
	wr_free(&x->body);
	free(x->path);
	free(x->query);
	free(x->method);
	free(x);
}

static void *keep_query(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct http_server *s = cls;
	struct http_exchange *x = calloc(1, sizeof *x);
	const char *question = strchr(uri, '?');

	if (!x)
		return NULL;
	x->server = s;
	x->connection = connection;
	x->path = rd_strdup(rd_of(uri, question ? (size_t)(question - uri) : strlen(uri)));
	x->query = strdup(question ? question + 1 : "");
	x->body = wr_new(HTTP_BODY_MAX);
	return x;
}

/* The identity in the client's certificate, checked once a connection. */
static const char *peer_of(struct MHD_Connection *connection)
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

static const char *address_of(struct MHD_Connection *connection)
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

static void simple_answer(struct http_exchange *x, unsigned status, const char *text)
{
	static const struct http_header headers[] = {{"Content-Type", "text/plain"}, {NULL, NULL}};

	http_answer(x, status, headers, rd_str(text));
}

static void dispatch(struct http_exchange *x)
{
	struct http_server *s = x->server;
	struct http_request rq = {.method = x->method, .path = x->path, .query = x->query, .peer = x->peer, .address = address_of(x->connection), .tls = s->tls};

	if (x->too_long) {
		simple_answer(x, 413, "the body is too long\n");
	} else if (s->tls && x->peer[0] == '\0') {
		simple_answer(x, 403, "a client certificate of this plant's CA is needed\n");
	} else if (!wr_done(&x->body, &rq.body)) {
		simple_answer(x, 500, "out of memory\n");
	} else {
		s->fn(s->ctx, x, &rq);
	}
}

static enum MHD_Result queue(struct http_exchange *x)
{
	enum MHD_Result ok = MHD_queue_response(x->connection, x->status, x->response);

	MHD_destroy_response(x->response);
	x->response = NULL;
	return ok;
}

static void suspend(struct http_exchange *x)
{
	x->suspended = true;
	x->next = x->server->waiting;
	x->link = &x->server->waiting;
	if (x->next)
		x->next->link = &x->next;
	x->server->waiting = x;
	MHD_suspend_connection(x->connection);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_len, void **con_cls)
{
	struct http_exchange *x = *con_cls;

	(void)cls;
	(void)url;
	(void)version;
	if (!x || !x->path || !x->query)
		return MHD_NO;
	if (x->answered)
		return queue(x);
	if (!x->method) {
		x->method = strdup(method);
		x->peer = peer_of(connection);
		return x->method ? MHD_YES : MHD_NO;
	}
	if (*upload_len > 0) {
		if (x->body.len + *upload_len > HTTP_BODY_MAX)
			x->too_long = true;
		else
			wr_copy(&x->body, upload, *upload_len);
		*upload_len = 0;
		return MHD_YES;
	}
	x->in_handler = true;
	dispatch(x);
	x->in_handler = false;
	if (x->answered)
		return queue(x);
	suspend(x);
	return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls, enum MHD_RequestTerminationCode why)
{
	struct http_exchange *x = *con_cls;

	(void)cls;
	(void)connection;
	(void)why;
	*con_cls = NULL;
	if (!x)
		return;
	if (x->suspended && !x->answered)
		x->gone = true; /* whoever holds it answers later, to nobody */
	else
		exchange_free(x);
}

static void on_deferred_run(void *ctx)
{
	struct http_server *s = ctx;

	if (s->run_pending)
		run(s);
}

void http_answer(struct http_exchange *x, unsigned status, const struct http_header *headers, struct rd body)
{
	if (x->gone || !x->server) {
		exchange_free(x);
		return;
	}
	x->response = MHD_create_response_from_buffer(body.left, body.left ? (void *)(uintptr_t)body.at : (void *)(uintptr_t)"", MHD_RESPMEM_MUST_COPY);
	if (!x->response)
		abort();
	for (; headers && headers->name; headers++)
		if (MHD_add_response_header(x->response, headers->name, headers->value) == MHD_NO)
			status = 500; /* a value that no header can carry */
	x->status = status;
	x->answered = true;
	if (x->in_handler)
		return;
	*x->link = x->next;
	if (x->next)
		x->next->link = x->link;
	x->suspended = false;
	MHD_resume_connection(x->connection);
	if (!x->server->run_pending) {
		x->server->run_pending = true;
		loop_timer_in(x->server->timer, 0);
		loop_defer(x->server->loop, on_deferred_run, x->server);
	}
}

const char *http_request_header(struct http_exchange *x, const char *name)
{
	return x->gone || !x->server ? NULL : MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

struct each {
	void (*fn)(void *ctx, const char *name, const char *value);
	void *ctx;
};

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct each *each = cls;
	char lower[128];
	size_t n = 0;

	(void)kind;
	for (; name[n] && n < sizeof lower - 1; n++)
		lower[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] + 32 : name[n]);
	lower[n] = '\0';
	each->fn(each->ctx, lower, value ? value : "");
	return MHD_YES;
}

void http_request_headers(struct http_exchange *x, void (*fn)(void *ctx, const char *name, const char *value), void *ctx)
{
	struct each each = {fn, ctx};

	if (!x->gone && x->server)
		MHD_get_connection_values(x->connection, MHD_HEADER_KIND, on_header, &each);
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
	MHD_OPTION_LISTEN_SOCKET, (s)->listener, MHD_OPTION_URI_LOG_CALLBACK, keep_query, (s),                    \
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,   \
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S

static void start_plain(struct http_server *s)
{
	s->daemon = MHD_start_daemon(COMMON_FLAGS, 0, NULL, NULL, on_request, s, COMMON_OPTIONS(s), MHD_OPTION_END);
}

static void start_tls(struct http_server *s, const struct tls_credentials *tls)
{
	char *ca = slurp(tls->ca), *cert = slurp(tls->cert), *key = slurp(tls->key);

	if (ca && cert && key)
		s->daemon = MHD_start_daemon(COMMON_FLAGS | MHD_USE_TLS, 0, NULL, NULL, on_request, s, COMMON_OPTIONS(s),
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
	while (s->waiting) {
		struct http_exchange *x = s->waiting;

		/* Whoever holds this exchange still answers it, later, to nobody: libmicrohttpd must not keep it. */
		s->waiting = x->next;
		if (x->next)
			x->next->link = &s->waiting;
		x->gone = true;
		MHD_resume_connection(x->connection);
	}
	loop_io_free(s->io);
	loop_timer_free(s->timer);
	s->run_pending = false;
	MHD_stop_daemon(s->daemon); /* closes the listener */
	free(s);
}
