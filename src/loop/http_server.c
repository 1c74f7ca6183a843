/* The HTTP server: libmicrohttpd, driven from the loop by its epoll descriptor. */
#include "loop/http_private.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/udp.h"

#define IDLE_TIMEOUT_S 120

/* libmicrohttpd clears a connection's memory after every request, so more would cost time with each. This is room for a head of 8 KiB with
 * some hundred header fields (it sees no query arguments, see http_exchange_begin); beyond it libmicrohttpd answers 431 or 414. */
#define CONNECTION_MEMORY ((size_t)16384)

#define PEERS_MAX 4096
#define FILES_SPARED 256 /* descriptors for everything else in the process */
#define PEERS_LEAVING 64 /* shown out, and not closed yet */
#define SWEEP_MS 1000
#define SHAKING_MAX 512      /* handshakes at a time */
#define ACCEPTED_A_ROUND 64

/* While a connection waits for its answer and is not suspended, libmicrohttpd wants to be run all the time. When nothing else moved it is run
 * again later, in case that it has more to do. */
#define AGAIN_MS 1

static void arm(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG wait;

	if (MHD_get_timeout(s->daemon, &wait) != MHD_YES)
		return;
	if (s->fresh > 0 && !s->moved && wait < AGAIN_MS)
		wait = AGAIN_MS;
	loop_timer_in(s->timer, wait > 1000 ? 1000 : (uint64_t)wait);
}

static void asked_no_more(struct http_link *k)
{
	if (!k->asked_at)
		return;
	*k->asked_at = k->next_asked;
	if (k->next_asked)
		k->next_asked->asked_at = k->asked_at;
	k->asked_at = NULL;
}

/* With TLS: what libmicrohttpd just answered leaves now, not after the loop has slept and seen that there is something to send. */
static void send_answers(struct http_server *s)
{
	while (s->asked) {
		struct http_link *k = s->asked;

		asked_no_more(k);
		http_bridge_pump(k->bridge);
	}
}

static void run(struct http_server *s)
{
	s->round_ended = false;
	loop_timer_at(s->timer, CLOCK_NEVER); /* not twice in this round */
	s->moved = false;
	MHD_run(s->daemon);
	if (s->run_deferred)
		return;
	arm(s);
	send_answers(s);
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

/* Sends what was answered since. */
static void on_round_end(void *ctx)
{
	struct http_server *s = ctx;

	s->run_deferred = false;
	s->round_ended = true;
	s->moved = false;
	MHD_run(s->daemon);
	arm(s);
	send_answers(s);
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

/* ---- connections ---- */

static struct http_peer *peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *context = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return context ? context->socket_context : NULL;
}

static void unlist(struct http_peer *p)
{
	if (!p->listed)
		return;
	*(p->older ? &p->older->newer : &p->server->oldest) = p->newer;
	*(p->newer ? &p->newer->older : &p->server->newest) = p->older;
	p->listed = false;
}

static void list(struct http_peer *p)
{
	struct http_server *s = p->server;

	unlist(p);
	p->since = clock_ms();
	p->older = s->newest;
	p->newer = NULL;
	*(s->newest ? &s->newest->newer : &s->oldest) = p;
	s->newest = p;
	p->listed = true;
}

void http_server_waits(struct MHD_Connection *connection)
{
	struct http_peer *p = peer_of(connection);

	if (p)
		list(p);
}

void http_server_works(struct MHD_Connection *connection)
{
	struct http_peer *p = peer_of(connection);

	if (p)
		unlist(p);
}

/* libmicrohttpd sees the end of what the client sends, and closes. */
static void show_out(struct http_peer *p)
{
	unlist(p);
	shutdown(p->fd, SHUT_RDWR);
}

static void on_sweep(void *ctx)
{
	struct http_server *s = ctx;
	uint64_t now = clock_ms();

	while (s->oldest && s->oldest->since + HTTP_STALL_S * 1000ULL <= now)
		show_out(s->oldest);
	loop_timer_in(s->sweep, SWEEP_MS);
}

struct http_link *http_server_link(struct MHD_Connection *connection)
{
	const struct http_peer *p = peer_of(connection);

	return p ? p->link : NULL;
}

const char *http_server_address(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *from = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct http_peer *p = peer_of(connection);

	if (!p || !from || !from->client_addr)
		return "";
	if (p->address[0] == '\0' && p->link) {
		inet_ntop(AF_INET, &http_bridge_address(p->link->bridge)->sin_addr, p->address, sizeof p->address);
	} else if (p->address[0] == '\0') {
		const struct sockaddr *a = from->client_addr;

		if (a->sa_family == AF_INET)
			inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, p->address, sizeof p->address);
		else if (a->sa_family == AF_INET6)
			inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, p->address, sizeof p->address);
	}
	return p->address;
}

static void begin(struct http_server *s, struct MHD_Connection *connection, void **context)
{
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct http_peer *p = calloc(1, sizeof *p);

	*context = p;
	if (!p || !fd) {
		free(p);
		*context = NULL;
		return;
	}
	p->server = s;
	p->fd = fd->connect_fd;
	p->link = s->adding;
	if (p->link)
		p->link->peer = p;
	s->peers++;
	if (s->peers >= s->peers_max && s->oldest)
		show_out(s->oldest);
	list(p);
}

static void on_connection(void *server, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http_peer *p = *context;

	((struct http_server *)server)->moved = true;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		begin(server, connection, context);
	} else if (p) {
		unlist(p);
		p->server->peers--;
		if (p->link)
			p->link->peer = NULL;
		free(p);
		*context = NULL;
	}
}

/* As many as there are descriptors for, of which a process may ask for more than it was born with. */
static size_t most_peers(size_t each)
{
	const rlim_t wanted = PEERS_MAX * each + FILES_SPARED;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return FILES_SPARED / each;
	if (files.rlim_cur < wanted) {
		files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	return (files.rlim_cur < 2 * FILES_SPARED ? files.rlim_cur / 2 : files.rlim_cur < wanted ? files.rlim_cur - FILES_SPARED : wanted - FILES_SPARED) / each;
}

/* ---- TLS ---- */

void http_identity_free(struct http_identity *i)
{
	if (i && --i->holds == 0)
		free(i);
}

static void link_free(struct http_link *k)
{
	asked_no_more(k);
	*k->at = k->next;
	if (k->next)
		k->next->at = k->at;
	if (!k->identity)
		k->server->shaking--;
	if (k->peer)
		k->peer->link = NULL;
	http_identity_free(k->identity);
	free(k);
}

/* libmicrohttpd sees the end of its pair. */
static void on_link_closed(void *ctx, struct http_bridge *b, enum err why, const char *detail)
{
	(void)b;
	(void)why;
	(void)detail;
	link_free(ctx);
}

/* The handshake is done and a request begins: from here on it is a connection like others. */
static void on_link_open(void *ctx, struct http_bridge *b)
{
	struct http_link *k = ctx;
	const struct sockaddr local = {.sa_family = AF_UNIX}; /* it has no options of TCP: libmicrohttpd is not to try */
	struct http_server *s = k->server;
	int ends[2];

	k->identity = calloc(1, sizeof *k->identity);
	if (!k->identity)
		abort();
	s->shaking--;
	k->identity->holds = 1;
	k->identity->peer = *tls_session_peer(http_bridge_tls(b));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
		http_bridge_free(b);
		link_free(k);
		return;
	}
	http_bridge_attach(b, ends[0]);
	s->adding = k;
	/* takes over the descriptor, also when it fails; then the bridge sees its end */
	MHD_add_connection(s->daemon, ends[1], &local, sizeof local);
	s->adding = NULL;
}

static void on_link_gave(void *ctx)
{
	struct http_link *k = ctx;

	if (k->asked_at)
		return;
	k->next_asked = k->server->asked;
	k->asked_at = &k->server->asked;
	if (k->next_asked)
		k->next_asked->asked_at = &k->next_asked;
	k->server->asked = k;
}

/* Handshakes that do not end keep nobody away: the oldest makes room. */
static void make_room(struct http_server *s)
{
	struct http_link *k = s->links, *oldest = NULL;

	if (s->shaking < SHAKING_MAX)
		return;
	for (; k; k = k->next)
		if (!k->identity)
			oldest = k;
	if (oldest) {
		http_bridge_free(oldest->bridge);
		link_free(oldest);
	}
}

static void link_new(struct http_server *s, int fd, const struct sockaddr_in *from)
{
	static const struct http_bridge_events events = {on_link_open, on_link_closed, on_link_gave};
	struct http_link *k = calloc(1, sizeof *k);

	if (!k)
		abort();
	k->bridge = http_bridge_new(s->loop, fd, false, from, s->tls, NULL, &events, k);
	if (!k->bridge) {
		free(k);
		return;
	}
	k->server = s;
	k->next = s->links;
	k->at = &s->links;
	if (k->next)
		k->next->at = &k->next;
	s->links = k;
	s->shaking++;
}

static void on_accept(void *ctx, unsigned events)
{
	struct http_server *s = ctx;
	struct sockaddr_in from = {0};
	int one = 1;

	(void)events;
	for (int i = 0; i < ACCEPTED_A_ROUND; i++) {
		socklen_t len = sizeof from;
		int fd = accept4(s->listener, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		make_room(s);
		link_new(s, fd, &from);
	}
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

#define COMMON_FLAGS (MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE)
#define COMMON_OPTIONS(s)                                                                                        \
	MHD_OPTION_URI_LOG_CALLBACK, http_exchange_begin, (s), MHD_OPTION_NOTIFY_COMPLETED, http_exchange_completed, (s),  \
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, (s), MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,     \
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT, (unsigned)((s)->peers_max + PEERS_LEAVING)

static void start_plain(struct http_server *s)
{
	s->daemon = MHD_start_daemon(COMMON_FLAGS, 0, NULL, NULL, http_exchange_request, s, COMMON_OPTIONS(s), MHD_OPTION_LISTEN_SOCKET, s->listener, MHD_OPTION_END);
}

static void start_tls(struct http_server *s)
{
	s->daemon = MHD_start_daemon(COMMON_FLAGS | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, http_exchange_request, s, COMMON_OPTIONS(s), MHD_OPTION_END);
	if (s->daemon)
		s->listener_io = loop_io_new(s->loop, s->listener, LOOP_READ, on_accept, s);
}

/* Whether a server can be made of them, which is not known before there is a session. */
static bool usable(struct tls_credentials *tls)
{
	const struct tls_session_options o = {.server = true};
	struct tls_session *probe = tls_session_new(tls, &o);

	tls_session_free(probe, false);
	return probe != NULL;
}

enum err http_server_new(struct loop *l, const char *host_port, struct tls_credentials *tls, http_handler *fn, void *ctx, struct http_server **out)
{
	struct http_server *s = !tls || usable(tls) ? calloc(1, sizeof *s) : NULL;
	const union MHD_DaemonInfo *info;
	enum err e;

	if (!s)
		return tls ? ERR_TLS : ERR_NO_MEMORY;
	e = listen_on(host_port, &s->listener);
	if (e != OK) {
		free(s);
		return e;
	}
	s->loop = l;
	s->tls = tls ? tls_credentials_hold(tls) : NULL;
	s->peers_max = most_peers(tls ? 3 : 1); /* with TLS there are the two ends of a pair too */
	s->fn = fn;
	s->ctx = ctx;
	if (tls)
		start_tls(s);
	else
		start_plain(s);
	if (!s->daemon) {
		close(s->listener);
		tls_credentials_free(s->tls);
		free(s);
		return tls ? ERR_TLS : ERR_IO;
	}
	s->timer = loop_timer_new(l, on_time, s);
	s->sweep = loop_timer_new(l, on_sweep, s);
	loop_timer_in(s->sweep, SWEEP_MS);
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	s->io = loop_io_new(l, info->epoll_fd, LOOP_READ, on_readable, s);
	*out = s;
	return OK;
}

void http_server_refuse_long(struct http_server *s)
{
	s->refuses_long = true;
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
	loop_io_free(s->listener_io);
	loop_timer_free(s->timer);
	loop_timer_free(s->sweep);
	MHD_stop_daemon(s->daemon); /* closes the listener, if it has one */
	http_spares_free(s);
	while (s->links) {
		http_bridge_free(s->links->bridge);
		link_free(s->links);
	}
	if (s->tls)
		close(s->listener);
	tls_credentials_free(s->tls);
	loop_defer_cancel(s->loop, on_round_end, s);
	free(s);
}
