/* HTTP requests become primitives, responses become HTTP. TS-0009 clause 6. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "binding/http/accept.h"
#include "binding/http/http_binding.h"
#include "onem2m/query.h"

/* Header fields of oneM2M's own, by what stands behind "x-m2m-", and the request parameters that they are: TS-0009 clause 6.4. */
#define OF_ONEM2M "x-m2m-"
#define PARAMETER(text, member) {{(const uint8_t *)(text), sizeof(text) - 1}, offsetof(struct onem2m_request, member)}
static const struct {
	struct rd name;
	size_t offset;
} parameters[] = {
	PARAMETER("origin", from), PARAMETER("ri", request_id), PARAMETER("rvi", release), PARAMETER("vsi", vendor),
	PARAMETER("rtu", rt_nu), /* an empty list of targets is another thing than none */
	PARAMETER("ot", ot), PARAMETER("ret", rqet), PARAMETER("rst", rset), PARAMETER("oet", oet), PARAMETER("ec", ec), PARAMETER("gid", gid),
};

/* What content grows by at most on its way from JSON: a member with a prefix becomes an element that declares its namespace. */
#define EXPANSION_MOST 16
#define EXPANSION_LEAST 4096

struct waiting {
	struct http_exchange *http;
	const struct http_binding *binding;
	struct onem2m_request rq; /* its texts are the exchange's, until it is answered, with a zero behind each */
	char *absolute;           /* "//sp/..." as rq.to, or NULL */
	struct accept accept;
	const char *content_type; /* of the request, or NULL */
	bool from_page;           /* a browser says which page asks (Origin) */
	enum serialization answer_in;
	const char *answer_type;  /* NULL: nothing that the client takes */
	struct wr json;           /* content that came in another serialisation */
};

struct answering {
	struct http_header headers[20];
	size_t count;
};

static void put(struct answering *a, const char *name, const char *value)
{
	if (value && value[0])
		a->headers[a->count++] = (struct http_header){name, value};
}

/* What the request said, of which the HTTP server made sure that a header field can carry it. */
static void put_back(struct answering *a, const char *name, struct rd value)
{
	put(a, name, (const char *)value.at);
}

/* Of the answer, which may be another CSE's: what no header field can carry is not passed on. */
static void put_text(struct answering *a, const char *name, struct rd value, char *room, size_t size)
{
	if (value.left > 0 && !rd_has_control(value) && rd_text(value, room, size))
		put(a, name, room);
}

static void waiting_free(struct waiting *w)
{
	wr_free(&w->json);
	free(w->absolute);
	free(w);
}

/* The content as the client takes it: in `room` when that is not JSON. False: that serialisation cannot say it, which is rare (a root that is no
 * name in XML, a number beyond CBOR). */
static bool content_of(const struct waiting *w, struct rd json, struct wr *room, struct rd *content)
{
	*content = json;
	if (json.left == 0 || w->answer_in == SERIALIZATION_JSON)
		return true;
	*room = wr_new(json.left * EXPANSION_MOST + EXPANSION_LEAST);
	return serialization_from_json(w->answer_in, json, room) == OK && wr_done(room, content);
}

static void on_response(void *ctx, const struct onem2m_response *rsp)
{
	struct waiting *w = ctx;
	struct wr room = wr_new(0), number;
	struct rd content = rd_of("", 0);
	enum onem2m_rsc code = rsp->rsc;
	struct answering a;
	char rsc[16], cts[16], cto[24], location[2100], ot[40], rset[64], ati[2100];

	if (w->answer_type && !content_of(w, rsp->content, &room, &content)) {
		code = RSC_NOT_ACCEPTABLE;
		content = rd_of("", 0);
	}
	a.count = 0;
	number = wr_of(rsc, sizeof rsc);
	wr_decimal(&number, (uint64_t)code);
	wr_u8(&number, 0);
	if (!rsp->silent) /* who wants no response gets HTTP's alone */
		put(&a, "X-M2M-RSC", rsc);
	put_back(&a, "X-M2M-RI", w->rq.request_id);
	put_back(&a, "X-M2M-RVI", w->rq.release);
	put_back(&a, "X-M2M-VSI", w->rq.vendor);
	put_back(&a, "X-M2M-EC", w->rq.ec);
	put_text(&a, "X-M2M-OT", rsp->ot, ot, sizeof ot);
	put_text(&a, "X-M2M-RST", rsp->rset, rset, sizeof rset);
	put_text(&a, "X-M2M-ATI", rsp->ati, ati, sizeof ati);
	if (rsp->cts) {
		snprintf(cts, sizeof cts, "%d", rsp->cts);
		put(&a, "X-M2M-CTS", cts);
	}
	if (rsp->cts == 1) {
		snprintf(cto, sizeof cto, "%llu", (unsigned long long)rsp->cto);
		put(&a, "X-M2M-CTO", cto);
	}
	if (!rsp->silent) /* with no content too: clients expect to find nothing in JSON rather than nothing */
		put(&a, "Content-Type", w->answer_type);
	put_text(&a, "Content-Location", rsp->location, location, sizeof location);
	if (w->from_page && w->binding->cors) {
		put(&a, "Access-Control-Allow-Origin", w->binding->cors);
		put(&a, "Access-Control-Expose-Headers", "*");
	}
	a.headers[a.count] = (struct http_header){NULL, NULL};
	if (rsp->silent)
		http_answer(w->http, 204, a.headers, rd_of("", 0));
	else
		http_answer(w->http, rsc_http_status(code), a.headers, content);
	wr_free(&room);
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
static void take_to(struct waiting *w, const char *path)
{
	if (strncmp(path, "/~/", 3) == 0) {
		w->rq.to = rd_str(path + 2);
	} else if (strncmp(path, "/_/", 3) == 0) {
		if (asprintf(&w->absolute, "//%s", path + 3) < 0)
			abort();
		w->rq.to = rd_str(w->absolute);
	} else {
		w->rq.to = rd_str(path[0] == '/' ? path + 1 : path);
	}
}

/* Content-Type: application/json;ty=3. False when ty is no number. */
static bool resource_type(const char *type, int *ty)
{
	const char *at = type ? strchr(type, ';') : NULL;
	uint64_t n;

	for (*ty = 0; at; at = strchr(at, ';')) {
		at += 1 + strspn(at + 1, " \t");
		if (strncasecmp(at, "ty", 2) != 0 || at[2 + strspn(at + 2, " \t")] != '=')
			continue;
		at = strchr(at, '=') + 1;
		at += strspn(at, " \t\"");
		if (!rd_decimal(rd_of(at, strcspn(at, "; \t\"")), &n) || n == 0 || n > 30000)
			return false;
		*ty = (int)n;
		return true;
	}
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
		if (ty > 0 && methods[i].operation == ONEM2M_RETRIEVE)
			return false; /* the type is CREATE's: TS-0004 table 7.1.1.1-1 */
		w->rq.operation = methods[i].operation;
		if (w->rq.operation == ONEM2M_NOTIFY && ty > 0)
			w->rq.operation = ONEM2M_CREATE;
		w->rq.type = w->rq.operation == ONEM2M_CREATE ? ty : 0;
		return true;
	}
	return false;
}

/* What no header field says. The response type, of whose targets X-M2M-RTU tells, is `rt` in the query. */
static bool take_parameters(struct waiting *w, const struct http_request *rq)
{
	w->rq.filter = rd_str(rq->query);
	if (!query_parameters(&w->rq))
		return false;
	take_to(w, rq->path);
	w->rq.peer = rq->peer;
	w->rq.credential = rq->tls_peer ? rq->tls_peer->credential : "";
	w->rq.address = rd_str(rq->address);
	return true;
}

/* Of two of one name the first counts. */
static void take_text(struct rd *text, struct rd value)
{
	if (!text->at)
		*text = value;
}

static struct rd *parameter_of(struct onem2m_request *rq, size_t i)
{
	return (struct rd *)(void *)((char *)rq + parameters[i].offset);
}

static void on_header(void *ctx, struct rd name, struct rd value)
{
	struct waiting *w = ctx;

	if (rd_starts(name, OF_ONEM2M) && rd_skip(&name, sizeof OF_ONEM2M - 1)) {
		for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
			if (rd_equal(name, parameters[i].name))
				take_text(parameter_of(&w->rq, i), value);
	} else if (rd_is(name, "authorization")) {
		take_text(&w->rq.tokens, value);
	} else if (rd_is(name, "accept")) {
		accept_add(&w->accept, value);
	} else if (rd_is(name, "content-type") && !w->content_type) {
		w->content_type = (const char *)value.at;
	} else if (rd_is(name, "origin")) {
		w->from_page = true;
	}
}

static struct waiting *keep(const struct http_binding *b, struct http_exchange *x)
{
	struct waiting *w = malloc(sizeof *w);

	if (!w)
		abort();
	*w = (struct waiting){
		.http = x,
		.binding = b,
		.rq.rcn = ONEM2M_RCN_ABSENT,
		.json = wr_new(HTTP_BODY_MAX),
		.answer_type = serialization_media_type(SERIALIZATION_JSON),
	};
	http_request_headers(x, on_header, w);
	return w;
}

/* ---- beside oneM2M ---- */

static void preflight(const struct http_binding *b, struct http_exchange *x)
{
	const struct http_header headers[] = {
		{"Access-Control-Allow-Origin", b->cors},
		{"Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS"},
		{"Access-Control-Allow-Headers",
		    "Content-Type, Accept, Authorization, X-M2M-Origin, X-M2M-RI, X-M2M-RVI, X-M2M-RTU, X-M2M-OT, X-M2M-RST, X-M2M-RET, X-M2M-OET, X-M2M-EC, X-M2M-GID, X-M2M-VSI"},
		{"Access-Control-Max-Age", "3600"},
		{NULL, NULL},
	};

	http_answer(x, 204, headers, rd_of("", 0));
}

/* Commands of an upper tester, as open CSEs take them: testbench only. */
static void upper_tester(const struct http_binding *b, struct http_exchange *x)
{
	const char *command = http_request_header(x, "X-M2M-UTCMD");
	char response[256] = "";
	bool ok = command && b->upper_tester(b->to, command, response, sizeof response);
	const struct http_header headers[] = {
		{"X-M2M-RSC", ok ? "2000" : "4000"},
		{response[0] ? "X-M2M-UTRSP" : NULL, response},
		{NULL, NULL},
	};

	http_answer(x, ok ? 200 : 400, headers, rd_of("", 0));
}

/* The content as JSON. False: refused. */
static bool take_content(struct waiting *w, enum serialization s, struct rd body)
{
	char why[SERIALIZATION_WHY_SIZE];

	w->rq.content = body;
	if (body.left == 0 || s == SERIALIZATION_JSON)
		return true;
	if (serialization_to_json(s, body, &w->json, why, sizeof why) == OK && wr_done(&w->json, &w->rq.content))
		return true;
	refuse(w, w->json.spoilt ? RSC_NOT_ACCEPTABLE : RSC_BAD_REQUEST, why);
	return false;
}

static void submit(struct waiting *w, const struct http_request *rq)
{
	enum serialization s = SERIALIZATION_JSON;
	bool known = !w->content_type || serialization_of_media_type(rd_str(w->content_type), &s);
	int ty;

	w->answer_type = accept_choose(&w->accept, s, &w->answer_in);
	if (rq->too_long)
		refuse(w, RSC_NOT_ACCEPTABLE, "the content is longer than a MiB");
	else if (!resource_type(w->content_type, &ty) || !operation_of(w, rq->method, ty))
		refuse(w, RSC_BAD_REQUEST, "the method, or the type (ty) in Content-Type, is none of oneM2M's");
	else if (w->rq.request_id.left == 0 && w->rq.release.left > 0) /* without both it may be of Release 1: the dispatcher knows */
		refuse(w, RSC_BAD_REQUEST, "the request identifier (X-M2M-RI) is missing");
	else if (!known && rq->body.left > 0)
		refuse(w, RSC_UNSUPPORTED_MEDIA_TYPE, "the content must be JSON, XML or CBOR");
	else if (!w->answer_type)
		refuse(w, RSC_NOT_ACCEPTABLE, "");
	else if (!take_parameters(w, rq))
		refuse(w, RSC_BAD_REQUEST, "rcn, drt, rt or tqi in the query is none of its values");
	else if (take_content(w, s, rq->body))
		w->binding->submit(w->binding->to, &w->rq, on_response, w);
}

void http_binding_handle(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	const struct http_binding *b = ctx;

	if (b->between)
		b->between(b->to);
	if (b->cors && strcmp(rq->method, "OPTIONS") == 0)
		preflight(b, x);
	else if (b->upper_tester && strcmp(rq->method, "POST") == 0 && strcmp(rq->path, "/__ut__") == 0)
		upper_tester(b, x);
	else
		submit(keep(b, x), rq);
}
