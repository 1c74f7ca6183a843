/* What dtls.c and dtls_sessions.c share. */
#ifndef KEYWAY_LOOP_DTLS_PRIVATE_H
#define KEYWAY_LOOP_DTLS_PRIVATE_H

#include "base/wr.h"
#include "loop/datagram_private.h"
#include "tls/tls_session.h"

#define DTLS_BUCKETS 4096

struct dtls_pending {
	struct dtls_pending *next;
	struct wr octets;
};

struct dtls_session {
	struct dtls *dtls;
	struct dtls_session *next;           /* in the bucket of its address */
	struct dtls_session *next_id;        /* in the bucket of its id */
	struct dtls_session *idler, *busier; /* by last use, among the open ones or among those that are not */
	uint64_t id, used;
	struct sockaddr_in address;
	struct tls_session *tls;
	bool client, open;
	uint64_t hello;                 /* of a server: the client's, by its first random octets */
	char *wanted;                   /* identity, of a client */
	struct loop_timer *timer;
	struct rd in;                   /* the datagram that TLS may read; `at` NULL: none */
	struct dtls_pending *first, **last;
	size_t pending_count;
};

struct dtls_list {
	struct dtls_session *idlest, *busiest;
	size_t count;
};

#define DTLS_HOSTS 1024 /* counters: hosts that share one have less room, which harms nobody else */

struct dtls {
	struct datagram_port *port;
	struct datagram_credentials credentials;
	struct tls_cookie_key *cookies;
	struct dtls_session *by_address[DTLS_BUCKETS], *by_id[DTLS_BUCKETS];
	struct dtls_list open, half_open;
	unsigned by_host[DTLS_HOSTS];        /* half open ones */
	uint32_t salt;                  /* so that nobody chooses with whom he shares one */
	uint64_t next_id;
};

size_t dtls_bucket_of(const struct sockaddr_in *a);
struct dtls_session *dtls_by_address(struct dtls *d, const struct sockaddr_in *a); /* NULL: none */
struct dtls_session *dtls_by_id(const struct dtls *d, uint64_t id);
void dtls_put_first(struct dtls_session *s); /* among the open ones or the others, as s->open says: it was used just now */
void dtls_take_out(struct dtls_session *s);
void dtls_use(struct dtls_session *s); /* what is sent to a half-open one makes it no better: that stays where it is */
struct datagram_peer dtls_peer_of(const struct dtls_session *s);
void dtls_pending_free(struct dtls_session *s);
void dtls_session_free(struct dtls_session *s);
void dtls_session_fail(struct dtls_session *s, const char *why); /* frees it, and tells the port's owner */
size_t dtls_sessions_max(const struct dtls *d);
void dtls_make_room(struct dtls *d, const struct sockaddr_in *a); /* for one more whose handshake begins */

#endif
