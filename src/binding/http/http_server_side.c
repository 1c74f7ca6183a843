/* HTTP requests become primitives, responses become HTTP. TS-0009 clause 6. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "binding/http/accept.h"
#include "binding/http/http_binding.h"
#include "onem2m/query.h"

/* Header fields that are request parameters, in the order of struct waiting's texts; all but the last begin with "x-m2m-". TS-0009 clause 6.4. */
enum text { FROM, ID, RELEASE, VENDOR, RTU, OT, RQET, RSET, OET, EC, GID, TOKENS, TEXTS };

static const char *const header_of[TEXTS] = {
	[FROM] = "x-m2m-origin", [ID] = "x-m2m-ri", [RELEASE] = "x-m2m-rvi", [VENDOR] = "x-m2m-vsi", [RTU] = "x-m2m-rtu", [OT] = "x-m2m-ot",
	[RQET] = "x-m2m-ret", [RSET] = "x-m2m-rst", [OET] = "x-m2m-oet", [EC] = "x-m2m-ec", [GID] = "x-m2m-gid", [TOKENS] = "authorization",
};

/* What content grows by at most on its way from JSON: a member with a prefix becomes an element that declares its namespace. */
#define EXPANSION_MOST 16
#define EXPANSION_LEAST 4096

struct waiting {
	struct http_exchange *http;
	const struct http_binding *binding;
	struct onem2m_request rq;
	const char *texts[TEXTS]; /* the exchange's, until it is answered */
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
	if (value && value[0] && !rd_has_control(rd_str(value))) /* what came in with control characters is not sent back */
		a->headers[a->count++] = (struct http_header){name, value};
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
	struct answering a = {.count = 0};
	char rsc[16], cts[16], cto[24], location[2100], ot[40], rset[64], ati[2100];

	if (w->answer_type && !content_of(w, rsp->content, &room, &content)) {
		code = RSC_NOT_ACCEPTABLE;
		content = rd_of("", 0);
	}
	number = wr_of(rsc, sizeof rsc);
	wr_decimal(&number, (uint64_t)code);
	wr_u8(&number, 0);
	if (!rsp->silent) /* who wants no response gets HTTP's alone */
		put(&a, "X-M2M-RSC", rsc);
	put(&a, "X-M2M-RI", w->texts[ID]);
	put(&a, "X-M2M-RVI", w->texts[RELEASE]);
	put(&a, "X-M2M-VSI", w->texts[VENDOR]);
	put(&a, "X-M2M-EC", w->texts[EC]);
	if (rd_text(rsp->ot, ot, sizeof ot))
		put(&a, "X-M2M-OT", ot);
	if (rd_text(rsp->rset, rset, sizeof rset))
		put(&a, "X-M2M-RST", rset);
	if (rd_text(rsp->ati, ati, sizeof ati))
		put(&a, "X-M2M-ATI", ati);
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
	if (rd_text(rsp->location, location, sizeof location))
		put(&a, "Content-Location", location);
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

/* X-M2M-RTU: notification targets of a non-blocking response. The response type itself is `rt` in the query. */
static bool take_parameters(struct waiting *w, const struct http_request *rq)
{
	w->rq.filter = rd_str(rq->query);
	if (!query_parameters(&w->rq))
		return false;
	take_to(w, rq->path);
	w->rq.from = rd_str(w->texts[FROM]);
	w->rq.request_id = rd_str(w->texts[ID]);
	w->rq.release = rd_str(w->texts[RELEASE]);
	w->rq.vendor = rd_str(w->texts[VENDOR]);
	if (w->texts[RTU]) /* an empty list of targets is another thing than none */
		w->rq.rt_nu = rd_str(w->texts[RTU]);
	w->rq.ot = rd_str(w->texts[OT]);
	w->rq.rqet = rd_str(w->texts[RQET]);
	w->rq.rset = rd_str(w->texts[RSET]);
	w->rq.oet = rd_str(w->texts[OET]);
	w->rq.ec = rd_str(w->texts[EC]);
	w->rq.gid = rd_str(w->texts[GID]);
	w->rq.tokens = rd_str(w->texts[TOKENS]);
	w->rq.peer = rq->peer;
	w->rq.credential = rq->tls_peer ? rq->tls_peer->credential : "";
	w->rq.address = rd_str(rq->address);
	return true;
}

/* This is asked of each header of each request: the names of oneM2M's own have one beginning, and are told apart behind it. */
static void on_header(void *ctx, const char *name, const char *value)
{
	struct waiting *w = ctx;
	size_t begin = strncmp(name, "x-m2m-", 6) == 0 ? 6 : 0;

	for (size_t i = begin ? 0 : TOKENS; i <= (begin ? GID : TOKENS); i++)
		if (name[begin] == header_of[i][begin] && strcmp(name + begin, header_of[i] + begin) == 0 && !w->texts[i])
			w->texts[i] = value;
	if (begin)
		return;
	if (strcmp(name, "accept") == 0)
		accept_add(&w->accept, value);
	else if (strcmp(name, "content-type") == 0 && !w->content_type)
		w->content_type = value;
	else if (strcmp(name, "origin") == 0)
		w->from_page = true;
}

static struct waiting *keep(const struct http_binding *b, struct http_exchange *x)
{
	struct waiting *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	w->http = x;
	w->binding = b;
	w->rq.rcn = ONEM2M_RCN_ABSENT;
	w->json = wr_new(HTTP_BODY_MAX);
	w->answer_type = serialization_media_type(SERIALIZATION_JSON);
	http_request_headers(x, on_header, w);
	for (size_t i = 0; i < TEXTS; i++)
		if (!w->texts[i] && i != RTU)
			w->texts[i] = "";
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
	else if (w->texts[ID][0] == '\0' && w->texts[RELEASE][0] != '\0') /* without both it may be of Release 1: the dispatcher knows */
		refuse(w, RSC_BAD_REQUEST, "the request identifier (X-M2M-RI) is missing");
	else if (rd_has_control(rd_str(w->texts[ID])))
		refuse(w, RSC_BAD_REQUEST, "the request identifier (X-M2M-RI) holds control characters");
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
