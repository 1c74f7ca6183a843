/* HTTP requests become primitives, responses become HTTP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binding/http/http_binding.h"

#define TYPE_MAX 99999 /* of resources; TS-0004 has some below 100, and those of announced ones at 10000 and more */

struct waiting {
	struct http_exchange *http;
	struct onem2m_request rq;
	char *to, *from, *id, *release, *vendor, *query, *peer, *body;
};

static void waiting_free(struct waiting *w)
{
	free(w->to);
	free(w->from);
	free(w->id);
	free(w->release);
	free(w->vendor);
	free(w->query);
	free(w->peer);
	free(w->body);
	free(w);
}

static void on_response(void *ctx, const struct onem2m_response *rsp)
{
	struct waiting *w = ctx;
	char rsc[16], location[1100];
	struct http_header headers[8];
	size_t n = 0;

	snprintf(rsc, sizeof rsc, "%d", (int)rsp->rsc);
	headers[n++] = (struct http_header){"X-M2M-RSC", rsc};
	if (w->rq.request_id.left)
		headers[n++] = (struct http_header){"X-M2M-RI", w->id};
	if (w->rq.release.left)
		headers[n++] = (struct http_header){"X-M2M-RVI", w->release};
	if (rsp->content.left)
		headers[n++] = (struct http_header){"Content-Type", "application/json"};
	if (rd_text(rsp->location, location, sizeof location) && location[0])
		headers[n++] = (struct http_header){"Content-Location", location};
	headers[n] = (struct http_header){NULL, NULL};
	http_answer(w->http, rsc_http_status(rsp->rsc), headers, rsp->content);
	waiting_free(w);
}

static void refuse(struct waiting *w, enum onem2m_rsc rsc, const char *why)
{
	char body[256];
	struct onem2m_response rsp = {.rsc = rsc};

	snprintf(body, sizeof body, "{\"m2m:dbg\":\"%s\"}", why);
	rsp.content = rd_str(body);
	on_response(w, &rsp);
}

/* "/~/id-b/x" -> "/id-b/x", "/_/sp/id-b/x" -> "//sp/id-b/x", "/cse-in/x" -> "cse-in/x". */
static char *to_of(const char *path)
{
	char *to = NULL;

	if (strncmp(path, "/~/", 3) == 0)
		return strdup(path + 2);
	if (strncmp(path, "/_/", 3) == 0)
		return asprintf(&to, "//%s", path + 3) > 0 ? to : NULL;
	return strdup(path[0] == '/' ? path + 1 : path);
}

/* rt, rp, rcn ... are not filter criteria; rcn and drt are taken out here, the rest is left to the dispatcher. */
static void number_argument(const char *query, const char *name, int *value)
{
	struct rd q = rd_str(query), pair, key;
	uint64_t n;

	while (q.left > 0) {
		if (!rd_until(&q, '&', &pair))
			pair = rd_rest(&q);
		if (rd_until(&pair, '=', &key) && rd_is(key, name) && rd_decimal(pair, &n) && n < 100)
			*value = (int)n;
	}
}

static bool content_type(const char *type, int *ty, bool *json)
{
	const char *parameter = type ? strstr(type, "ty=") : NULL;
	uint64_t n = 0;

	*json = !type || strstr(type, "json") != NULL;
	*ty = 0;
	if (!parameter)
		return true;
	parameter += 3;
	if (!rd_decimal(rd_of(parameter, strspn(parameter, "0123456789")), &n) || n == 0 || n > TYPE_MAX)
		return false;
	*ty = (int)n;
	return true;
}

static bool operation_of(struct waiting *w, const char *method, int ty)
{
	static const struct {
		const char *method;
		enum onem2m_operation operation;
	} methods[] = {{"GET", ONEM2M_RETRIEVE}, {"PUT", ONEM2M_UPDATE}, {"DELETE", ONEM2M_DELETE}, {"POST", ONEM2M_NOTIFY}};

	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		if (strcmp(methods[i].method, method) != 0)
			continue;
		w->rq.operation = methods[i].operation;
		if (w->rq.operation == ONEM2M_NOTIFY && ty > 0)
			w->rq.operation = ONEM2M_CREATE;
		w->rq.type = w->rq.operation == ONEM2M_CREATE ? ty : 0;
		return true;
	}
	return false;
}

static char *header_copy(struct http_exchange *x, const char *name)
{
	const char *value = http_request_header(x, name);

	return strdup(value ? value : "");
}

void http_binding_handle(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	struct http_binding *b = ctx;
	struct waiting *w = calloc(1, sizeof *w);
	bool json;
	int ty;

	if (!w)
		abort();
	w->http = x;
	w->to = to_of(rq->path);
	w->from = header_copy(x, "X-M2M-Origin");
	w->id = header_copy(x, "X-M2M-RI");
	w->release = header_copy(x, "X-M2M-RVI");
	w->vendor = header_copy(x, "X-M2M-VSI");
	w->query = strdup(rq->query);
	w->peer = strdup(rq->peer);
	w->body = rd_strdup(rq->body);
	if (!w->to || !w->from || !w->id || !w->release || !w->vendor || !w->query || !w->peer || !w->body)
		abort();
	w->rq.rcn = ONEM2M_RCN_ABSENT;
	w->rq.to = rd_str(w->to);
	w->rq.from = rd_str(w->from);
	w->rq.request_id = rd_str(w->id);
	w->rq.release = rd_str(w->release);
	w->rq.vendor = rd_str(w->vendor);
	w->rq.filter = rd_str(w->query);
	w->rq.peer = w->peer;
	w->rq.content = rd_of(w->body, rq->body.left);
	number_argument(w->query, "rcn", &w->rq.rcn);
	number_argument(w->query, "drt", &w->rq.drt);
	if (!content_type(http_request_header(x, "Content-Type"), &ty, &json) || !operation_of(w, rq->method, ty))
		refuse(w, RSC_BAD_REQUEST, "the method or the type (ty) in Content-Type is none of oneM2M's");
	else if (!json && rq->body.left > 0)
		refuse(w, RSC_UNSUPPORTED_MEDIA_TYPE, "the content must be JSON");
	else if (w->rq.request_id.left == 0)
		refuse(w, RSC_BAD_REQUEST, "X-M2M-RI is missing");
	else
		cse_submit(b->cse, &w->rq, on_response, w);
}
