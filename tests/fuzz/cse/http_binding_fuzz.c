/* The HTTP binding between a CSE in memory and an HTTP that is made of the input: each request is answered once, with the HTTP status of its
 * response status code, its own X-M2M-RI, and content that is what its Content-Type says; what is sent to others goes to a point of access that is known here, with a method and with
 * headers that HTTP can carry; and whatever they answer is taken.
 *
 * The input: "METHOD /path?query", headers up to an empty line, content up to a line "---", then the status that others answer, headers, and
 * content. This file stands in for loop/http: it has the four functions of it that the binding calls. */
#include <stdlib.h>
#include <string.h>

#include "binding/http/http_binding.h"
#include "json/json.h"
#include "serialization/serialization.h"
#include "store/store.h"
#include "../message.h"

#define CALLS 64

struct call {
	http_done *done;
	void *ctx;
};

struct http_exchange {
	struct message *message;
	unsigned answers;
};

static struct message request, response;
static struct call calls[CALLS];
static size_t call_count;
static void (*round_fn)(void *);
static void *round_ctx;

/* ---- in the place of loop/http ---- */

const char *http_request_header(struct http_exchange *x, const char *name)
{
	return message_header(x->message, name);
}

void http_request_headers(struct http_exchange *x, http_each_header *fn, void *ctx)
{
	for (size_t i = 0; i < x->message->count; i++) {
		char *lower = strdup(x->message->names[i]);

		for (char *c = lower; *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c + 32);
		fn(ctx, rd_str(lower), rd_str(x->message->values[i]));
		free(lower);
	}
}

static const char *answered(const struct http_header *headers, const char *name)
{
	for (; headers->name; headers++)
		if (strcmp(headers->name, name) == 0)
			return headers->value;
	return NULL;
}

static void must_be(const char *type, struct rd body)
{
	struct json_arena *arena = json_arena_new();
	struct wr json = wr_new((size_t)1 << 24);
	char why[SERIALIZATION_WHY_SIZE];
	const struct json *doc;
	enum serialization s;
	struct rd text;

	MUST(type && serialization_of_media_type(rd_str(type), &s) && serialization_to_json(s, body, &json, why, sizeof why) == OK && wr_done(&json, &text));
	MUST(json_parse(arena, text, NULL, &doc) == OK);
	wr_free(&json);
	json_arena_free(arena);
}

void http_answer(struct http_exchange *x, unsigned status, const struct http_header *headers, struct rd body)
{
	const char *rsc = answered(headers, "X-M2M-RSC"), *ri = answered(headers, "X-M2M-RI"), *asked = message_header(x->message, "X-M2M-RI");
	const char *type = answered(headers, "Content-Type");
	enum onem2m_rsc code;

	x->answers++;
	MUST(x->answers == 1 && rsc && rsc_parse(rd_str(rsc), &code) && rsc_http_status(code) == status);
	MUST(ri ? asked && strcmp(ri, asked) == 0 : !asked || !asked[0]);
	if (body.left > 0 && call_count == 0) /* what another said is passed on as it is */
		must_be(type, body);
	for (; headers->name; headers++)
		MUST(!strpbrk(headers->value, "\r\n"));
}

struct http_call *http_call(struct http_client *c, const struct http_call_options *o, http_done *done, void *ctx)
{
	static const char *const methods[] = {"POST", "GET", "PUT", "DELETE"};
	bool known = false;

	(void)c;
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		known = known || strcmp(o->method, methods[i]) == 0;
	MUST(known && o->peer && strncmp(o->url, "http", 4) == 0);
	for (const struct http_header *h = o->headers; h->name; h++)
		MUST(h->value && !strpbrk(h->value, "\r\n"));
	MUST(call_count < CALLS);
	calls[call_count++] = (struct call){done, ctx};
	return (struct http_call *)&calls[call_count - 1];
}

const char *http_result_header(const struct http_result *r, const char *name)
{
	(void)r;
	return message_header(&response, name);
}

/* ---- the CSE's shell ---- */

static uint64_t on_now(void *ctx)
{
	(void)ctx;
	return 1000;
}

static void on_defer(void *ctx, void (*fn)(void *), void *fn_ctx)
{
	(void)ctx;
	round_fn = fn;
	round_ctx = fn_ctx;
}

static void on_wake_at(void *ctx, uint64_t at)
{
	(void)ctx;
	(void)at;
}

static void end_round(void)
{
	while (round_fn) {
		void (*fn)(void *) = round_fn;

		round_fn = NULL;
		fn(round_ctx);
	}
}

static void on_made(void *ctx, const struct onem2m_response *rsp)
{
	(void)ctx;
	MUST(rsp->rsc == RSC_CREATED);
}

static void make(struct cse *cse, const char *to, int type, const char *content)
{
	const struct onem2m_request rq = {.operation = ONEM2M_CREATE, .to = rd_str(to), .from = rd_str("CAdmin"), .type = type, .rcn = 0, .content = rd_str(content), .internal = true};

	cse_submit(cse, &rq, on_made, NULL);
	end_round();
}

/* ---- what is done with the input ---- */

static void handle(struct cse *cse)
{
	struct http_binding binding = {.submit = cse_entry, .to = cse};
	struct http_exchange x = {.message = &request};
	char *method = strdup(request.first), *path = strchr(method, ' '), *query, *peer = strdup(message_header(&request, "Peer") ? message_header(&request, "Peer") : "");
	struct http_request rq = {.query = "", .peer = peer, .address = "127.0.0.1", .body = request.body};

	if (path) {
		*path++ = '\0';
		query = strchr(path, '?');
		if (query) {
			*query++ = '\0';
			rq.query = query;
		}
	}
	rq.method = method;
	rq.path = path ? path : "/";
	http_binding_handle(&binding, &x, &rq);
	end_round();
	for (size_t i = 0; i < call_count; i++) {
		uint64_t status = 0;
		struct http_result r = {.error = OK, .body = response.body, .detail = ""};

		if (!rd_decimal(rd_str(response.first), &status) || status < 100 || status > 999)
			r.error = ERR_UNREACHABLE;
		else
			r.status = (unsigned)status;
		calls[i].done(calls[i].ctx, &r);
		end_round();
	}
	MUST(x.answers == 1);
	free(method);
	free(peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_sender sender = {.sp = "keyway.example", .own_id = "/id-in"};
	static const struct cse_transport transport = {http_binding_send, on_now, on_now, on_defer, on_wake_at, &sender};
	struct cse_config config = {.type = CSE_IN, .id = "/id-in", .name = "cse-in", .sp = "keyway.example", .admin = "CAdmin"};
	struct rd in = rd_of(data, size);
	static const struct store_options options = {.path = ":memory:", .cache_kib = 1024};
	const char *detail;
	struct store *store;
	struct cse *cse;

	if (size > 4 * FUZZ_INPUT_MAX)
		return 0;
	message_of(&in, &request);
	message_of(&in, &response);
	call_count = 0;
	config.require_tls = message_header(&request, "Peer") != NULL;
	MUST(store_open(&options, &store, &detail) == OK && cse_new(&config, store, &transport, &cse) == OK);
	make(cse, "cse-in", 3, "{\"m2m:cnt\":{\"rn\":\"c\"}}");
	make(cse, "cse-in", 2, "{\"m2m:ae\":{\"rn\":\"app\",\"api\":\"Nx\",\"srv\":[\"3\"],\"rr\":true,\"poa\":[\"http://app\"]}}");
	make(cse, "cse-in", 16, "{\"m2m:csr\":{\"csi\":\"/id-mn\",\"cb\":\"/id-mn/cse-mn\",\"srv\":[\"3\"],\"rr\":true,\"poa\":[\"https://mn/\"]}}");
	handle(cse);
	cse_free(cse);
	store_close(store);
	message_clear(&request);
	message_clear(&response);
	return 0;
}
