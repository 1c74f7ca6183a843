/* What the two files of the HTTP server share: http_server.c drives libmicrohttpd, http_exchange.c takes requests and gives answers. */
#ifndef KEYWAY_LOOP_HTTP_PRIVATE_H
#define KEYWAY_LOOP_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <netinet/in.h>

#include "loop/http.h"

#include "loop/http_bridge.h"

/* Who a client is; requests outlive connections. */
struct http_identity {
	unsigned holds;
	struct tls_peer peer;
};

/* A connection, from its beginning to its end. */
struct http_peer {
	struct http_server *server;
	struct http_peer *older, *newer; /* in server->idle_first ..., unless its request is being handled */
	uint64_t since;                  /* in that list since: monotonic ms */
	int fd;
	bool listed;
	struct http_link *link;          /* with TLS, while it lasts */
	char address[INET6_ADDRSTRLEN];
};

/* A connection with TLS, in front of libmicrohttpd. */
struct http_link {
	struct http_server *server;
	struct http_link *next, **at;
	struct http_bridge *bridge;
	struct http_peer *peer;          /* NULL before it asks something, and when libmicrohttpd is done with it */
	struct http_identity *identity;
	struct http_link *next_asked, **asked_at; /* in server->asked; asked_at NULL: not */
};

struct http_server {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	struct loop_io *io;
	struct loop_timer *timer, *sweep;
	int listener;
	struct tls_credentials *tls;
	struct loop_io *listener_io;   /* with TLS */
	struct http_link *links, *adding, *asked; /* asked: have sent something since the last answers; adding: whose connection libmicrohttpd is being given */
	size_t shaking;                /* links whose handshake goes on, or that have asked nothing yet */
	bool refuses_long;             /* the handler does */
	struct http_peer *oldest, *newest; /* connections that are waited for: for a request, or to take their answer */
	size_t peers, peers_max;
	bool run_deferred;             /* on_round_end comes */
	bool round_ended;              /* it has been, since run() */
	bool moved;                    /* libmicrohttpd called us for more than asking for answers */
	unsigned fresh;                /* connections that wait for their answers and are not suspended */
	http_handler *fn;
	void *ctx;
	struct http_exchange *waiting; /* for their answers: fresh and suspended ones */
	struct http_exchange *spare;   /* for use again */
	unsigned spare_count;
};

/* http_server.c */
void http_server_run_at_round_end(struct http_server *s);
struct http_link *http_server_link(struct MHD_Connection *connection); /* NULL without TLS, and when the client is gone */
void http_identity_free(struct http_identity *i);                      /* accepts NULL */
const char *http_server_address(struct MHD_Connection *connection); /* "" when it is not known */
/* From now on we wait for the client; or it for us. */
void http_server_waits(struct MHD_Connection *connection);
void http_server_works(struct MHD_Connection *connection);

/* http_exchange.c: libmicrohttpd's callbacks, with the server as first argument, and what a server that ends does to those who wait. */
void *http_exchange_begin(void *server, const char *uri, struct MHD_Connection *connection);
enum MHD_Result http_exchange_request(void *server, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_len, void **exchange);
void http_exchange_completed(void *server, struct MHD_Connection *connection, void **exchange, enum MHD_RequestTerminationCode why);
void http_exchanges_abandon(struct http_server *s);
void http_spares_free(struct http_server *s);

#endif
