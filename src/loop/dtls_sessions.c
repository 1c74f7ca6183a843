/* The DTLS sessions of a port: by address, by number, by last use; and who makes room for whom. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "loop/dtls_private.h"

size_t dtls_bucket_of(const struct sockaddr_in *a)
{
	return (ntohl(a->sin_addr.s_addr) * 31U + ntohs(a->sin_port) * 2654435761U) % DTLS_BUCKETS;
}

struct dtls_session *dtls_by_address(struct dtls *d, const struct sockaddr_in *a)
{
	struct dtls_session *s = d->by_address[dtls_bucket_of(a)];

	while (s && (s->address.sin_addr.s_addr != a->sin_addr.s_addr || s->address.sin_port != a->sin_port))
		s = s->next;
	return s;
}

struct dtls_session *dtls_by_id(const struct dtls *d, uint64_t id)
{
	struct dtls_session *s = d->by_id[id % DTLS_BUCKETS];

	while (s && s->id != id)
		s = s->next_id;
	return s;
}

static struct dtls_list *list_of(struct dtls_session *s)
{
	return s->open ? &s->dtls->open : &s->dtls->half_open;
}

static unsigned *host_count(struct dtls *d, const struct sockaddr_in *a)
{
	uint32_t h = (ntohl(a->sin_addr.s_addr) ^ d->salt) * 2654435761U;

	return &d->by_host[(h ^ (h >> 15)) % DTLS_HOSTS];
}

void dtls_put_first(struct dtls_session *s)
{
	struct dtls_list *l = list_of(s);

	s->idler = l->busiest;
	s->busier = NULL;
	*(l->busiest ? &l->busiest->busier : &l->idlest) = s;
	l->busiest = s;
	l->count++;
	*host_count(s->dtls, &s->address) += s->open ? 0U : 1U;
	s->used = clock_ms();
}

void dtls_take_out(struct dtls_session *s)
{
	struct dtls_list *l = list_of(s);

	*(s->idler ? &s->idler->busier : &l->idlest) = s->busier;
	*(s->busier ? &s->busier->idler : &l->busiest) = s->idler;
	l->count--;
	*host_count(s->dtls, &s->address) -= s->open ? 0U : 1U;
}

void dtls_use(struct dtls_session *s)
{
	if (!s->open)
		return;
	dtls_take_out(s);
	dtls_put_first(s);
}

struct datagram_peer dtls_peer_of(const struct dtls_session *s)
{
	return (struct datagram_peer){s->id, ntohl(s->address.sin_addr.s_addr), ntohs(s->address.sin_port)};
}

void dtls_pending_free(struct dtls_session *s)
{
	while (s->first) {
		struct dtls_pending *p = s->first;

		s->first = p->next;
		wr_free(&p->octets);
		free(p);
	}
	s->last = &s->first;
	s->pending_count = 0;
}

void dtls_session_free(struct dtls_session *s)
{
	struct dtls_session **link = &s->dtls->by_address[dtls_bucket_of(&s->address)];

	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	link = &s->dtls->by_id[s->id % DTLS_BUCKETS];
	while (*link != s)
		link = &(*link)->next_id;
	*link = s->next_id;
	dtls_take_out(s);
	tls_session_free(s->tls, s->open);
	loop_timer_free(s->timer);
	dtls_pending_free(s);
	free(s->wanted);
	free(s);
}

void dtls_session_fail(struct dtls_session *s, const char *why)
{
	struct datagram_port *p = s->dtls->port;
	struct datagram_peer peer = dtls_peer_of(s);
	char text[160]; /* it may be the session's own */

	snprintf(text, sizeof text, "%s", why);
	dtls_session_free(s);
	p->events.unreachable(p->ctx, &peer, text);
}

size_t dtls_sessions_max(const struct dtls *d)
{
	return d->credentials.sessions_max ? d->credentials.sessions_max : DATAGRAM_SESSIONS_MAX;
}

/* The one of this host, or of whom its counter counts too, that began first. */
static struct dtls_session *oldest_of(struct dtls *d, const struct sockaddr_in *a)
{
	struct dtls_session *s = d->half_open.idlest;

	while (host_count(d, &s->address) != host_count(d, a))
		s = s->busier;
	return s;
}

/* Room for one more: those whose handshake does not end make room for others of their kind, first for those of the same host, never those that are
 * open. */
void dtls_make_room(struct dtls *d, const struct sockaddr_in *a)
{
	if (*host_count(d, a) >= DATAGRAM_HALF_OPEN_HOST)
		dtls_session_fail(oldest_of(d, a), "there are too many handshakes");
	while (d->half_open.count >= DATAGRAM_HALF_OPEN_MAX || (d->half_open.count > 0 && d->half_open.count >= dtls_sessions_max(d)))
		dtls_session_fail(d->half_open.idlest, "there are too many handshakes");
}
