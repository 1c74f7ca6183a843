/* The HTTP server: connections that come, with TLS and without, and those that stay too long. */
#include "loop/http_private.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/address.h"
#include "loop/tcp.h"

#define IDLE_MS 120000ULL /* without a request */
#define STALL_MS (HTTP_STALL_S * 1000ULL)
#define LEAVE_MS 5000ULL  /* for the client to close as well */
#define PEERS_MAX 4096
#define FILES_SPARED 256 /* descriptors for everything else in the process */
#define SWEEP_MS 1000
#define SHAKING_MAX 512      /* handshakes at a time */
#define WAITING_MAX 512      /* to be accepted */
#define ACCEPTED_A_ROUND 64

/* ---- connections ---- */

static void unlist(struct http_peer *p)
{
	if (!p->listed)
		return;
	*(p->older ? &p->older->newer : &p->server->oldest) = p->newer;
	*(p->newer ? &p->newer->older : &p->server->newest) = p->older;
	p->listed = false;
}

void http_server_waits(struct http_peer *p)
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

void http_server_works(struct http_peer *p)
{
	unlist(p);
}

static uint64_t patience(const struct http_peer *p)
{
	if (p->state == PEER_LEAVING)
		return LEAVE_MS;
	return p->state == PEER_READING && !p->begun ? IDLE_MS : STALL_MS;
}

/* Those that we wait for stand in the order in which that began, though not everybody may take as long. */
static void on_sweep(void *ctx)
{
	struct http_server *s = ctx;
	uint64_t now = clock_ms();

	for (struct http_peer *p = s->oldest, *newer; p && p->since + LEAVE_MS <= now; p = newer) {
		newer = p->newer;
		if (p->since + patience(p) <= now)
			http_peer_close(p);
	}
	loop_timer_in(s->sweep, SWEEP_MS);
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

/* When there are too many, the one goes that has been waited for longest. */
static void peer_admit(struct http_server *s, int fd, const struct sockaddr_in *from, struct http_link *link)
{
	if (s->peers >= s->peers_max && s->oldest)
		http_peer_close(s->oldest);
	if (s->peers >= s->peers_max)
		close(fd); /* everybody else is at work */
	else
		http_peer_new(s, fd, from, link);
}

/* ---- TLS ---- */

void http_identity_free(struct http_identity *i)
{
	if (i && --i->holds == 0)
		free(i);
}

static void link_free(struct http_link *k)
{
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

/* The connection sees the end of its pair. */
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
	peer_admit(s, ends[1], http_bridge_address(b), k);
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
	static const struct http_bridge_events events = {on_link_open, on_link_closed, NULL};
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

		if (fd < 0 && (errno == EMFILE || errno == ENFILE) && s->oldest)
			http_peer_close(s->oldest); /* lest it waits there for ever, and wakes us all the time */
		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (s->tls) {
			make_room(s);
			link_new(s, fd, &from);
		} else {
			peer_admit(s, fd, &from, NULL);
		}
	}
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
	enum err e;

	if (!s)
		return tls ? ERR_TLS : ERR_NO_MEMORY;
	e = tcp_listen(host_port, WAITING_MAX, &s->listener);
	if (e != OK) {
		free(s);
		return e;
	}
	s->loop = l;
	s->tls = tls ? tls_credentials_hold(tls) : NULL;
	s->peers_max = most_peers(tls ? 3 : 1); /* with TLS there are the two ends of a pair too */
	s->fn = fn;
	s->ctx = ctx;
	s->sweep = loop_timer_new(l, on_sweep, s);
	loop_timer_in(s->sweep, SWEEP_MS);
	s->listener_io = loop_io_new(l, s->listener, LOOP_READ, on_accept, s);
	*out = s;
	return OK;
}

void http_server_refuse_long(struct http_server *s)
{
	s->refuses_long = true;
}

uint16_t http_server_port(const struct http_server *s)
{
	return address_port(s->listener);
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	http_exchanges_abandon(s);
	http_peers_free(s);
	loop_io_free(s->listener_io);
	loop_timer_free(s->sweep);
	while (s->links) {
		http_bridge_free(s->links->bridge);
		link_free(s->links);
	}
	http_spares_free(s);
	close(s->listener);
	tls_credentials_free(s->tls);
	free(s);
}
