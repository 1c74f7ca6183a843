/* What the two files of the HTTP server share: http_server.c drives libmicrohttpd, http_exchange.c takes requests and gives answers. */
#ifndef KEYWAY_LOOP_HTTP_PRIVATE_H
#define KEYWAY_LOOP_HTTP_PRIVATE_H

#include <microhttpd.h>

#include "loop/http.h"

struct http_server {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	struct loop_io *io;
	struct loop_timer *timer;
	int listener;
	bool tls;
	bool run_deferred;             /* on_round_end comes */
	bool round_ended;              /* it has been, since run() */
	http_handler *fn;
	void *ctx;
	struct http_exchange *waiting; /* for their answers: fresh and suspended ones */
};

/* http_server.c */
void http_server_run_at_round_end(struct http_server *s);
const char *http_server_peer(struct MHD_Connection *connection);    /* "" without TLS or without a good certificate */
const char *http_server_address(struct MHD_Connection *connection); /* "" when it is not known */

/* http_exchange.c: libmicrohttpd's callbacks, with the server as first argument, and what a server that ends does to those who wait. */
void *http_exchange_begin(void *server, const char *uri, struct MHD_Connection *connection);
enum MHD_Result http_exchange_request(void *server, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_len, void **exchange);
void http_exchange_completed(void *server, struct MHD_Connection *connection, void **exchange, enum MHD_RequestTerminationCode why);
void http_exchanges_abandon(struct http_server *s);

#endif
