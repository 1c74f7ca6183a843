/* Primitives become HTTP requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binding/http/http_binding.h"
#include "onem2m/timestamp.h"

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
		const char *cts = http_result_header(r, "X-M2M-CTS"), *cto = http_result_header(r, "X-M2M-CTO"), *location = http_result_header(r, "Content-Location"),
			   *ot = http_result_header(r, "X-M2M-OT");

		rsp.rsc = rsc_of(r);
		rsp.content = r->body;
		rsp.cts = cts ? atoi(cts) : 0;
		rsp.cto = cto ? strtoull(cto, NULL, 10) : 0;
		rsp.location = rd_str(location ? location : "");
		rsp.ot = rd_str(ot ? ot : "");
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
	else if (h->registrar_id && h->registrar_identity && strcmp(target, h->registrar_id) == 0)
		snprintf(identity, size, "%s", h->registrar_identity);
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

	/* a notification to a URL goes to exactly that */
	if (to.left == 0 && rq->filter.left == 0)
		return (size_t)snprintf(url, size, "%s", base) < size;
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

/* Header values of one request, zero-terminated. */
struct texts {
	char room[4096];
	size_t used, count;
	bool too_long;
};

static void put(struct texts *t, struct http_header *headers, const char *name, struct rd value)
{
	char *at = t->room + t->used;

	if (value.left == 0)
		return;
	if (!rd_text(value, at, sizeof t->room - t->used)) {
		t->too_long = true; /* or holds what no header can */
		return;
	}
	t->used += value.left + 1;
	headers[t->count++] = (struct http_header){name, at};
}

/* As long as the request lives, and a moment for its expiry to be told. */
static uint64_t timeout_of(const struct onem2m_request *rq)
{
	uint64_t now = clock_unix_ms(), until;

	if (rq->rqet.left == 0 || !timestamp_parse_abs_rel(rq->rqet, now, &until))
		return 0;
	return (until > now ? until - now : 0) + 1000;
}

void http_binding_send(void *transport, const char *base, const char *target, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	static const char *const methods[] = {"", "POST", "GET", "PUT", "DELETE", "POST"};
	struct http_sender *h = transport;
	static const struct onem2m_response too_long = {.rsc = RSC_BAD_REQUEST};
	struct sending *s;
	char url[URL_MAX], identity[256], type[64];
	struct http_header headers[20];
	struct texts t = {.count = 0};
	struct http_call_options o = {.method = methods[rq->operation], .url = url, .peer = identity, .headers = headers, .body = rq->content};

	identity_of(h, target, identity, sizeof identity);
	o.timeout_ms = timeout_of(rq);
	if (!url_of(base, rq, url, sizeof url)) {
		done(ctx, &too_long);
		return;
	}
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	s->done = done;
	s->ctx = ctx;
	put(&t, headers, "X-M2M-Origin", rq->from);
	put(&t, headers, "X-M2M-RI", rq->request_id.left ? rq->request_id : rd_str("0"));
	put(&t, headers, "X-M2M-RVI", rq->release.left ? rq->release : rd_str("3"));
	put(&t, headers, "X-M2M-VSI", rq->vendor);
	put(&t, headers, "X-M2M-OT", rq->ot);
	put(&t, headers, "X-M2M-RET", rq->rqet);
	put(&t, headers, "X-M2M-RST", rq->rset);
	put(&t, headers, "X-M2M-OET", rq->oet);
	put(&t, headers, "X-M2M-EC", rq->ec);
	put(&t, headers, "X-M2M-GID", rq->gid);
	put(&t, headers, "X-M2M-RTU", rq->rt_nu);
	put(&t, headers, "Authorization", rq->tokens);
	if (t.too_long) {
		free(s);
		done(ctx, &too_long);
		return;
	}
	snprintf(type, sizeof type, rq->operation == ONEM2M_CREATE ? "application/json;ty=%d" : "application/json", rq->type);
	if (rq->content.left)
		headers[t.count++] = (struct http_header){"Content-Type", type};
	headers[t.count] = (struct http_header){NULL, NULL};
	http_call(h->client, &o, on_result, s);
}
