/* Primitives become HTTP requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binding/http/http_binding.h"
#include "onem2m/identity.h"
#include "onem2m/timestamp.h"
#include "serialization/serialization.h"

#define URL_MAX 4096
#define CONTENT_MAX ((size_t)32 << 20) /* in whatever serialisation; the CSE's own limits are lower */
#define ANSWER_MAX ((size_t)16 << 20)

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

/* An answer in a serialisation that we cannot read is an answer without content. */
static struct rd content_of(const struct http_result *r, struct wr *json)
{
	const char *type = http_result_header(r, "Content-Type");
	char why[SERIALIZATION_WHY_SIZE];
	enum serialization s;
	struct rd content = rd_of("", 0);

	if (r->body.left == 0 || !type || !serialization_of_media_type(rd_str(type), &s) || s == SERIALIZATION_JSON)
		return r->body;
	if (serialization_to_json(s, r->body, json, why, sizeof why) != OK || !wr_done(json, &content))
		content = rd_of("", 0);
	return content;
}

static void on_result(void *ctx, const struct http_result *r)
{
	struct sending *s = ctx;
	struct wr json = wr_new(ANSWER_MAX);
	struct onem2m_response rsp = {.rsc = RSC_TARGET_NOT_REACHABLE, .failure = r->error, .why = r->error == OK ? NULL : r->detail};

	if (r->error == OK) {
		const char *cts = http_result_header(r, "X-M2M-CTS"), *cto = http_result_header(r, "X-M2M-CTO"), *location = http_result_header(r, "Content-Location"),
			   *ot = http_result_header(r, "X-M2M-OT");

		rsp.rsc = rsc_of(r);
		rsp.content = content_of(r, &json);
		rsp.cts = cts ? atoi(cts) : 0;
		rsp.cto = cto ? strtoull(cto, NULL, 10) : 0;
		rsp.location = rd_str(location ? location : "");
		rsp.ot = rd_str(ot ? ot : "");
	}
	s->done(s->ctx, &rsp);
	wr_free(&json);
	free(s);
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
		return rq->patience_ms;
	return (until > now ? until - now : 0) + 1000;
}

static void put_all(struct texts *t, struct http_header *headers, const struct onem2m_request *rq)
{
	put(t, headers, "X-M2M-Origin", rq->from);
	put(t, headers, "X-M2M-RI", rq->request_id.left ? rq->request_id : rd_str("0"));
	put(t, headers, "X-M2M-RVI", rq->release.left ? rq->release : rd_str("3"));
	put(t, headers, "X-M2M-VSI", rq->vendor);
	put(t, headers, "X-M2M-OT", rq->ot);
	put(t, headers, "X-M2M-RET", rq->rqet);
	put(t, headers, "X-M2M-RST", rq->rset);
	put(t, headers, "X-M2M-OET", rq->oet);
	put(t, headers, "X-M2M-EC", rq->ec);
	put(t, headers, "X-M2M-GID", rq->gid);
	put(t, headers, "X-M2M-RTU", rq->rt_nu);
	put(t, headers, "Authorization", rq->tokens);
}

/* In the receiver's serialisation; in JSON, which every CSE and most AEs read, when that cannot say it. */
static struct rd written(const struct onem2m_request *rq, struct wr *room, enum serialization *s)
{
	struct rd content;

	*s = rq->wanted;
	if (rq->wanted != SERIALIZATION_JSON && rq->content.left > 0 && serialization_from_json(rq->wanted, rq->content, room) == OK && wr_done(room, &content))
		return content;
	if (rq->content.left > 0)
		*s = SERIALIZATION_JSON;
	return rq->content;
}

void http_binding_send(void *transport, const char *base, const char *target, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	static const char *const methods[] = {"", "POST", "GET", "PUT", "DELETE", "POST"};
	static const struct onem2m_response too_long = {.rsc = RSC_BAD_REQUEST, .failure = ERR_TOO_LONG, .why = "an address or a parameter is too long for HTTP, or holds what no header can"};
	struct http_sender *h = transport;
	char url[URL_MAX], identity[256], type[64];
	struct http_header headers[20];
	struct texts t = {.count = 0};
	struct wr room = wr_new(CONTENT_MAX);
	struct http_call_options o = {.method = methods[rq->operation], .url = url, .peer = identity, .headers = headers};
	struct sending *s;
	enum serialization in;

	identity_of_target(&(const struct identity_self){h->sp, h->own_id, h->registrar_id, h->registrar_identity}, target, identity, sizeof identity);
	o.tls = tls_choose(&h->keys, target, NULL);
	o.timeout_ms = timeout_of(rq);
	o.body = written(rq, &room, &in);
	put_all(&t, headers, rq);
	if (t.too_long || !url_of(base, rq, url, sizeof url)) {
		wr_free(&room);
		done(ctx, &too_long);
		return;
	}
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	*s = (struct sending){done, ctx};
	snprintf(type, sizeof type, rq->operation == ONEM2M_CREATE ? "%s;ty=%d" : "%s", serialization_media_type(in), rq->type);
	if (o.body.left)
		headers[t.count++] = (struct http_header){"Content-Type", type};
	headers[t.count++] = (struct http_header){"Accept", serialization_media_type(in)};
	headers[t.count] = (struct http_header){NULL, NULL};
	http_call(h->client, &o, on_result, s);
	wr_free(&room);
}
