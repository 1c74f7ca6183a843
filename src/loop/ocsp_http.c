/* OCSP over HTTP. What a responder says is signed, so that it needs no TLS. */
#include "loop/ocsp_http.h"

#include <stdlib.h>

#include "loop/http.h"

#define TIMEOUT_MS 3000 /* a handshake waits for it */

struct ocsp_http {
	struct http_client *client;
};

struct asking {
	struct http_call *call;
	tls_ocsp_done *done;
	void *ctx;
};

static void on_result(void *ctx, const struct http_result *r)
{
	struct asking *a = ctx;
	tls_ocsp_done *done = a->done;
	void *to = a->ctx;

	free(a);
	done(to, r->error == OK && r->status == 200 ? r->body : rd_of(NULL, 0));
}

static void *ask(void *asker, const char *url, struct rd request, tls_ocsp_done *done, void *ctx)
{
	static const struct http_header headers[] = {{"Content-Type", "application/ocsp-request"}, {"Accept", "application/ocsp-response"}, {NULL, NULL}};
	const struct http_call_options options = {.method = "POST", .url = url, .headers = headers, .body = request, .timeout_ms = TIMEOUT_MS};
	struct ocsp_http *o = asker;
	struct asking *a = calloc(1, sizeof *a);

	if (!a)
		abort();
	a->done = done;
	a->ctx = ctx;
	a->call = http_call(o->client, &options, on_result, a);
	return a;
}

static void cancel(void *asker, void *handle)
{
	struct asking *a = handle;

	(void)asker;
	http_call_cancel(a->call);
	free(a);
}

struct ocsp_http *ocsp_http_new(struct loop *l)
{
	struct ocsp_http *o = calloc(1, sizeof *o);

	if (!o)
		abort();
	o->client = http_client_new(l, NULL);
	return o;
}

void ocsp_http_free(struct ocsp_http *o)
{
	if (!o)
		return;
	http_client_free(o->client);
	free(o);
}

struct tls_ocsp_asker ocsp_http_asker(struct ocsp_http *o)
{
	return (struct tls_ocsp_asker){ask, cancel, o};
}
