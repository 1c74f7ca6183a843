/* HTTP 1.1 server and client (libcurl) on the loop. */
#ifndef KEYWAY_LOOP_HTTP_H
#define KEYWAY_LOOP_HTTP_H

#include "base/rd.h"
#include "loop/loop.h"
#include "loop/stream.h"
#include "tls/tls.h"

#define HTTP_BODY_MAX (1024 * 1024)
/* A longer body is read and dropped up to this, so that its sender, who sends before it listens, gets the refusal. One that says that it is
 * longer still is refused before it is read, and its connection ends. */
#define HTTP_DROP_MAX (8 * HTTP_BODY_MAX)

struct http_header {
	const char *name, *value;
};

/* ---- server ---- */
struct http_server;
struct http_exchange; /* one request that waits for its answer */

/* All that is pointed to, and the headers, stays until the exchange is answered, even when the client is gone before. */
struct http_request {
	const char *method;       /* "GET" */
	const char *path;         /* as sent, percent-escapes not resolved, without query */
	const char *query;        /* as sent, behind '?'; "" when there is none */
	const char *peer;         /* tls_peer's identity, "" without TLS */
	const struct tls_peer *tls_peer; /* who the client is, NULL without TLS */
	bool tls;
	const char *address;      /* of the client, as text */
	struct rd body;
	bool too_long;            /* the body was longer than HTTP_BODY_MAX, and is not here: refuse. Only after http_server_refuse_long */
};

/* Called once the body is there. The answer may come at once or later, from any callback of the same loop; the client may be gone
 * by then, that is taken care of. At once and at the end of the round (loop_defer in the handler: group commit) cost about the same;
 * what comes later than that costs half as much again. */
typedef void http_handler(void *ctx, struct http_exchange *x, const struct http_request *rq);
const char *http_request_header(struct http_exchange *x, const char *name); /* NULL when absent; valid until answered */
/* Every header in turn: names in lower case, values without control characters but tabs, a zero behind each of both. */
typedef void http_each_header(void *ctx, struct rd name, struct rd value);
void http_request_headers(struct http_exchange *x, http_each_header *fn, void *ctx);
/* The client's session, for tls_export; NULL without TLS and when the client is gone. */
struct tls_session *http_request_tls(struct http_exchange *x);
/* Answers and ends the exchange. body is copied. headers end with {NULL, NULL}; may be NULL. */
void http_answer(struct http_exchange *x, unsigned status, const struct http_header *headers, struct rd body);

/* In the place of http_answer: 101, with these headers (Upgrade among them; Connection comes by itself), and then the connection is a stream
 * of the caller's, with the client's identity as stream_peer. fn comes later, from the loop; with NULL when the client was gone before. */
typedef void http_upgraded(void *ctx, struct stream *s);
void http_upgrade(struct http_exchange *x, const struct http_header *headers, http_upgraded *fn, void *ctx);

/* A connection has HTTP_STALL_S for a whole request to come, and for its answer to be taken. When there are too many connections, the one
 * goes that has been without a request for longest, so that those who dribble or idle keep nobody else away. */
#define HTTP_STALL_S 300
/* host_port: "127.0.0.1:8080"; port 0 picks one. tls NULL: plain HTTP. With TLS every client is authenticated, by whatever the credentials take, or
 * its handshake is refused; a request behind the end of its credential gets 403 and its connection ends. */
enum err http_server_new(struct loop *l, const char *host_port, struct tls_credentials *tls, http_handler *fn, void *ctx,
    struct http_server **out) MUST_CHECK;
/* The handler itself refuses what is too long, in the words of its protocol; otherwise it is not asked, and the answer is 413. */
void http_server_refuse_long(struct http_server *s);
uint16_t http_server_port(const struct http_server *s);
void http_server_free(struct http_server *s); /* upgraded connections must have ended */

/* ---- client ---- */
struct http_client;
struct http_call;

struct http_call_options {
	const char *method;
	const char *url;                     /* http://host:port/path or https://... */
	const char *peer;                    /* https: a name that the server must have, see tls/tls_peer.h; required */
	struct tls_credentials *tls;         /* https: instead of the client's; held as long as the call or its connection lasts */
	const struct http_header *headers;   /* ends with {NULL, NULL}; copied */
	struct rd body;                      /* copied */
	uint64_t timeout_ms;                 /* 0: 10 000 */
};

struct http_result {
	enum err error;            /* OK when any HTTP answer came; ERR_UNREACHABLE, ERR_TLS (also: wrong peer), ERR_TIMEOUT, ERR_TOO_LONG, ERR_MALFORMED otherwise */
	unsigned status;
	struct rd body;            /* borrowed during the callback */
	const struct tls_peer *tls_peer; /* https: who the server is; NULL when its connection is gone */
	struct tls_session *tls;   /* https: for tls_export, during the callback; NULL when its connection is gone */
	const char *detail;        /* sentence for the log on an error */
};
typedef void http_done(void *ctx, const struct http_result *r);
/* Value of a response header, during the callback only; NULL when absent. */
const char *http_result_header(const struct http_result *r, const char *name);
/* The server's clock, from its Date header, Unix seconds; 0 when it does not say. During the callback only. */
uint64_t http_result_date(const struct http_result *r);

/* tls may be NULL when only http:// is called. Connections are kept alive and reused. */
struct http_client *http_client_new(struct loop *l, struct tls_credentials *tls);
void http_client_free(struct http_client *c); /* cancels every call, without callbacks */
void http_client_abandon(struct http_client *c); /* every call ends now, with ERR_CLOSED; not from within one's done */
struct http_call *http_call(struct http_client *c, const struct http_call_options *o, http_done *done, void *ctx); /* never NULL */
void http_call_cancel(struct http_call *call); /* no callback; not after done */

#endif
