/* What the files of the HTTP client share: calls (http_client.c), and the TLS of those that are for https (http_client_tls.c). */
#ifndef KEYWAY_LOOP_HTTP_CLIENT_PRIVATE_H
#define KEYWAY_LOOP_HTTP_CLIENT_PRIVATE_H

#include <curl/curl.h>

#include "base/wr.h"
#include "loop/http.h"

struct route;
struct crossing;

struct http_client {
	struct loop *loop;
	struct tls_credentials *tls;
	CURLM *multi;
	struct loop_timer *timer;
	struct http_call *calls;
	struct route *routes;
	struct crossing *crossings;
	uint64_t next_route;
	bool dispatching;
	bool due;                /* libcurl asked to be called at once, and was not yet */
	bool kicked;             /* on_kick comes, or was in this round */
};

struct http_call {
	struct http_client *client;
	struct http_call *next, **link;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	struct route *route;      /* https */
	struct crossing *crossing; /* that was made for this call */
	struct wr body;
	struct wr answer;
	struct wr answer_headers; /* "name:value\n", names in lower case */
	char error[CURL_ERROR_SIZE];
	enum err why;             /* of the crossing's end, before there was TLS */
	char detail[160];
	http_done *done;
	void *ctx;
};

/* To be called once, when the URL is https and before the call has its headers: the call goes where its URL says, by a connection with TLS of ours. */
void client_tls_set(struct http_call *call, const struct http_call_options *o);
struct tls_session *client_tls_session(const struct http_call *call); /* also of a connection that an earlier call made; NULL: none */
void client_tls_release(struct http_call *call); /* the call ends; also one without TLS */
void client_tls_end(struct http_client *c);      /* all connections, when libcurl is through with them */

#endif
