/* Primitives become HTTP requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binding/http/http_binding.h"

#define URL_MAX 4096
#define ID_MAX 256 /* of a request */

struct sending {
	cse_done *done;
	void *ctx;
};

/* A code that does not exist is an error of the other side. */
static enum onem2m_rsc rsc_of(const struct http_result *r)
{
	const char *text = http_result_header(r, "X-M2M-RSC");
	enum onem2m_rsc rsc;

	if (!text)
		return r->status < 300 ? RSC_OK : RSC_INTERNAL_SERVER_ERROR;
	return rsc_parse(rd_str(text), &rsc) ? rsc : RSC_INTERNAL_SERVER_ERROR;
}

static void on_result(void *ctx, const struct http_result *r)
{
	struct sending *s = ctx;
	struct onem2m_response rsp = {.rsc = RSC_TARGET_NOT_REACHABLE};

	if (r->error == OK) {
		rsp.rsc = rsc_of(r);
		rsp.content = r->body;
	}
	s->done(s->ctx, &rsp);
	free(s);
}

/* What the target's certificate must say. */
static void identity_of(const struct http_sender *h, const char *target, char *identity, size_t size)
{
	if (target[0] == '\0')
		identity[0] = '\0';
	else if (strchr(target + 1, '/'))
		snprintf(identity, size, "m2m://%s%s", h->sp, target);
	else if (h->registrar_id && strcmp(target, h->registrar_id) == 0)
		snprintf(identity, size, "%s.%s", target + 1, h->sp);
	else
		snprintf(identity, size, "%s.%s.%s", target + 1, h->own_id + 1, h->sp);
}

static bool url_of(const char *base, const struct onem2m_request *rq, char *url, size_t size)
{
	struct rd to = rq->to;
	size_t n = strlen(base);
	const char *prefix = "/";

	while (n > 0 && base[n - 1] == '/')
		n--;
	if (rd_starts(to, "//")) {
		prefix = "/_/";
		if (!rd_skip(&to, 2))
			return false;
	} else if (rd_starts(to, "/")) {
		prefix = "/~";
	}
	return (size_t)snprintf(url, size, "%.*s%s%.*s%s%.*s", (int)n, base, prefix, (int)to.left, (const char *)to.at, rq->filter.left ? "?" : "",
	    (int)rq->filter.left, (const char *)rq->filter.at) < size;
}

void http_binding_send(void *transport, const char *base, const char *target, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	static const char *const methods[] = {"", "POST", "GET", "PUT", "DELETE", "POST"};
	struct http_sender *h = transport;
	static const struct onem2m_response too_long = {.rsc = RSC_BAD_REQUEST};
	struct sending *s;
	char url[URL_MAX], identity[256], from[300], id[ID_MAX], release[16], type[64];
	const struct http_header headers[] = {
		{"X-M2M-Origin", from},
		{"X-M2M-RI", id},
		{"X-M2M-RVI", release},
		{rq->content.left ? "Content-Type" : NULL, type},
		{NULL, NULL},
	};
	struct http_call_options o = {.method = methods[rq->operation], .url = url, .peer = identity, .headers = headers, .body = rq->content};

	identity_of(h, target, identity, sizeof identity);
	if (!url_of(base, rq, url, sizeof url) || !rd_text(rq->from, from, sizeof from) || !rd_text(rq->request_id, id, sizeof id) ||
	    !rd_text(rq->release, release, sizeof release)) {
		done(ctx, &too_long);
		return;
	}
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	s->done = done;
	s->ctx = ctx;
	if (id[0] == '\0')
		snprintf(id, sizeof id, "0");
	if (release[0] == '\0')
		snprintf(release, sizeof release, "3");
	snprintf(type, sizeof type, rq->operation == ONEM2M_CREATE ? "application/json;ty=%d" : "application/json", rq->type);
	http_call(h->client, &o, on_result, s);
}
