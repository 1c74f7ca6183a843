/* What the files of the HTTP server share: http_server.c listens and watches over connections, http_connection.c reads requests from them and sends
 * answers, http_exchange.c keeps a request and composes its answer. */
#ifndef KEYWAY_LOOP_HTTP_PRIVATE_H
#define KEYWAY_LOOP_HTTP_PRIVATE_H

#include <netinet/in.h>

#include "base/wr.h"
#include "http/message.h"
#include "loop/http.h"
#include "loop/http_bridge.h"

#define IN_MAX 65536  /* octets that a connection gives at a time, and that it may be ahead of its answers; not above STREAM_FIRST_MAX */
#define DATE_SIZE 32

/* Who a client is; requests outlive connections. */
struct http_identity {
	unsigned holds;
	struct tls_peer peer;
};

/*      +--- a whole request ---> WORKING --- answer ---> SENDING --+--- the last one ---> LEAVING ---> CLOSED
 *   READING <----------------------------------------------------+--- 101 ------------> UPGRADED
 * From everywhere to CLOSED when the client is gone. */
enum peer_state {
	PEER_READING,  /* the next request, or waits for it */
	PEER_WORKING,  /* the handler has a request */
	PEER_SENDING,  /* its answer */
	PEER_LEAVING,  /* all is said: what comes is dropped until the client closes too */
	PEER_UPGRADED, /* becomes a stream, or is one */
	PEER_CLOSED,   /* waits to be freed */
};

/* A connection, from its beginning to its end. */
struct http_peer {
	struct http_server *server;
	struct http_peer *next, **at;         /* among all */
	struct http_peer *older, *newer;      /* among those that we wait for, see http_server_waits */
	struct http_peer *next_ready, **ready_at; /* among those that go on in the next round */
	uint64_t since;                       /* we wait for it: monotonic ms */
	struct loop_io *io;
	int fd;
	enum peer_state state;
	bool listed, busy;
	bool ended;                           /* the client sends no more */
	bool last;                            /* no request after this one */
	bool begun;                           /* part of a request came */
	struct http_exchange *x;              /* of the request whose head is read, until its answer is sent */
	struct wr kept;                       /* octets that came and are not read */
	struct http_chunks chunks;
	uint64_t body_left;
	bool chunked, in_body;
	size_t sent;                          /* of the answer */
	struct http_link *link;               /* with TLS, while it lasts */
	char address[INET6_ADDRSTRLEN];
};

/* A connection with TLS, in front of one of ours. */
struct http_link {
	struct http_server *server;
	struct http_link *next, **at;
	struct http_bridge *bridge;
	struct http_peer *peer;          /* NULL before it asks something, and when we are done with it */
	struct http_identity *identity;
};

struct http_server {
	struct loop *loop;
	struct loop_timer *sweep;
	int listener;
	struct loop_io *listener_io;
	struct tls_credentials *tls;
	struct http_link *links;
	size_t shaking;                /* links whose handshake goes on, or that have asked nothing yet */
	bool refuses_long;             /* the handler does */
	struct http_peer *all;
	struct http_peer *oldest, *newest; /* connections that are waited for: for a request, or to take their answer */
	struct http_peer *ready, *going;   /* that go on in the next round; in this one */
	size_t peers, peers_max;
	http_handler *fn;
	void *ctx;
	struct http_exchange *waiting; /* for their answers */
	struct http_exchange *spare;   /* for use again */
	unsigned spare_count;
	uint64_t date_at;              /* the second that date tells */
	char date[DATE_SIZE];
	struct http_request_head head;         /* of the request that is being read */
	uint8_t in[IN_MAX];            /* what was read, until those who need it have it */
};

/* ---- http_server.c ---- */
void http_identity_free(struct http_identity *i); /* accepts NULL */
/* From now on we wait for the client; or it for us. */
void http_server_waits(struct http_peer *p);
void http_server_works(struct http_peer *p);

/* ---- http_connection.c ---- */
/* Takes over fd. */
void http_peer_new(struct http_server *s, int fd, const struct sockaddr_in *from, struct http_link *link);
void http_peer_close(struct http_peer *p);
void http_peer_send(struct http_peer *p); /* the answer of its exchange, which is composed */
void http_peers_free(struct http_server *s);

/* ---- http_exchange.c ---- */
struct http_exchange *http_exchange_new(struct http_peer *p, const struct http_request_head *h); /* NULL without memory */
bool http_exchange_take(struct http_exchange *x, struct rd body) MUST_CHECK;  /* false: it is far too much */
bool http_exchange_refuses(struct http_exchange *x, const struct http_request_head *h); /* the body is not worth reading: handle it at once */
bool http_exchange_handle(struct http_exchange *x);                            /* true: the answer is there; otherwise http_peer_send comes */
void http_exchange_refuse(struct http_exchange *x, unsigned status, const char *why); /* the answer is there */
struct rd http_exchange_answer(const struct http_exchange *x);
bool http_exchange_upgrades(const struct http_exchange *x);
void http_exchange_upgraded(struct http_exchange *x, struct stream *s); /* NULL: it is no stream */
const struct tls_peer *http_exchange_tls_peer(const struct http_exchange *x);
void http_exchange_over(struct http_exchange *x); /* sent, or nobody to send it to */
void http_exchanges_abandon(struct http_server *s);
void http_spares_free(struct http_server *s);

#endif
