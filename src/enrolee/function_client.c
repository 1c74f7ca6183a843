/* Procedures of a client of MEF or MAF. */
#include "enrolee/function_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "key_registry/answers.h"
#include "onem2m/timestamp.h"
#include "security/derive.h"
#include "tls/tls_peer.h"

#define URL_MAX 600
#define BODY_MAX 2048
#define TIMEOUT_MS 15000

enum procedure { CLIENT_REGISTER, CLIENT_RETRIEVE, KEY_REGISTER, KEY_RETRIEVE, KEY_STANDS, DEREGISTER };

struct function_call {
	enum procedure procedure;
	enum registry_kind kind;
	struct http_call *http;
	function_done *done;
	void *ctx;
};

/* ---- answers ---- */

/* Both sides took the same key, when both call it the same. */
static enum err take_exported(const struct http_result *h, enum registry_kind kind, struct function_answer *a)
{
	uint8_t relative[KEY_ID_RELATIVE_OCTETS];
	char text[2 * KEY_ID_RELATIVE_OCTETS + 1];
	struct secret *exported, *key;
	enum err e = tls_export(h->tls, kind == REGISTRY_MEF ? DERIVE_LABEL_BOOTSTRAP : DERIVE_LABEL_CONNECTION, DERIVE_EXPORT_OCTETS, &exported);

	if (e != OK)
		return e;
	e = derive_from_export(exported, relative, &key);
	secret_free(exported);
	if (e != OK)
		return e;
	for (size_t i = 0; i < sizeof relative; i++)
		snprintf(text + 2 * i, 3, "%02x", relative[i]);
	if (strcasecmp(text, a->id) != 0) {
		secret_free(key);
		return ERR_CRYPTO;
	}
	a->key = key;
	return OK;
}

static enum err parse(const struct function_call *c, const struct http_result *h, const struct json *doc, struct function_answer *a)
{
	switch (c->procedure) {
	case CLIENT_REGISTER:
	case CLIENT_RETRIEVE:
		return function_answer_client(doc, registration_client_root(c->kind), a) ? OK : ERR_MALFORMED;
	case KEY_REGISTER:
		return function_answer_key(doc, false, a) ? take_exported(h, c->kind, a) : ERR_MALFORMED;
	case KEY_RETRIEVE:
		return function_answer_key(doc, true, a) ? OK : ERR_MALFORMED;
	case KEY_STANDS: /* the end of it; a function that knows no such question gives the key, which changes nothing */
		return function_answer_end(doc, a) ? OK : ERR_MALFORMED;
	case DEREGISTER:
		break;
	}
	return OK;
}

static void on_answer(void *ctx, const struct http_result *h)
{
	struct function_call *c = ctx;
	struct function_result r = {.error = h->error, .detail = h->detail ? h->detail : ""};
	const char *rsc = h->error == OK ? http_result_header(h, "X-M2M-RSC") : NULL;
	struct json_arena *arena = json_arena_new();
	const struct json *doc = NULL;

	r.rsc = rsc ? (unsigned)strtoul(rsc, NULL, 10) : 0;
	if (h->error == OK && h->status >= 300) {
		r.error = ERR_NOT_PERMITTED;
		r.detail = "it refused";
	} else if (h->error == OK) {
		r.error = arena && json_parse(arena, h->body, NULL, &doc) == OK ? parse(c, h, doc, &r.answer) : ERR_MALFORMED;
		r.detail = err_text(r.error);
		r.doc = r.error == OK ? doc : NULL;
	}
	c->done(c->ctx, &r);
	function_answer_clear(&r.answer);
	json_arena_free(arena);
	free(c);
}

/* ---- requests ---- */

static struct function_call *call(const struct function_caller *k, enum procedure procedure, const char *method, const char *name, int ty, struct rd body,
    function_done *done, void *ctx)
{
	struct function_call *c = calloc(1, sizeof *c);
	char url[URL_MAX], type[64];
	const struct http_header headers[] = {
		{"X-M2M-Origin", k->origin}, {"X-M2M-RI", "enrolee"}, {"X-M2M-RVI", "3"}, {body.left ? "Content-Type" : NULL, type}, {NULL, NULL},
	};
	struct http_call_options o = {.method = method, .url = url, .peer = k->peer->fqdn, .tls = k->tls, .headers = headers, .body = body, .timeout_ms = TIMEOUT_MS};

	if (!c)
		abort();
	c->procedure = procedure;
	c->kind = k->peer->kind;
	c->done = done;
	c->ctx = ctx;
	snprintf(url, sizeof url, "%s%s%s%s", k->peer->url, registration_base(k->peer->kind), name ? "/" : "", name ? name : "");
	snprintf(type, sizeof type, "application/json;ty=%d", ty);
	c->http = http_call(k->http, &o, on_answer, c);
	return c;
}

static void common(struct json_out *o, const struct function_caller *k, const char *admin, uint64_t expires_at)
{
	char et[TIMESTAMP_SIZE];

	timestamp_print(et, expires_at * 1000);
	json_put_string(o, "fqdn", k->peer->fqdn);
	json_put_string(o, "et", et);
	json_put_string(o, "adminFQDN", admin);
}

struct function_call *function_client_register(const struct function_caller *k, const char *admin, uint64_t expires_at, function_done *done, void *ctx)
{
	uint8_t buffer[BODY_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);

	json_object(&o, NULL);
	json_object(&o, registration_client_root(k->peer->kind));
	common(&o, k, admin, expires_at);
	json_close(&o);
	json_close(&o);
	return call(k, CLIENT_REGISTER, "POST", NULL, k->peer->kind == REGISTRY_MEF ? REGISTRATION_TY_MEF_CLIENT : REGISTRATION_TY_MAF_CLIENT,
	    rd_of(buffer, w.len), done, ctx);
}

struct function_call *function_key_register(const struct function_caller *k, const char *admin, uint64_t expires_at, enum suid suid, const char *target,
    function_done *done, void *ctx)
{
	uint8_t buffer[BODY_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);

	json_object(&o, NULL);
	json_object(&o, REGISTRATION_KEY);
	common(&o, k, admin, expires_at);
	json_put_uint(&o, "SUID", (uint64_t)suid);
	json_array(&o, "targetIDs");
	json_put_string(&o, NULL, target);
	json_close(&o);
	json_close(&o);
	json_close(&o);
	return call(k, KEY_REGISTER, "POST", NULL, REGISTRATION_TY_KEY, rd_of(buffer, w.len), done, ctx);
}

struct function_call *function_client_retrieve(const struct function_caller *k, const char *id, function_done *done, void *ctx)
{
	return call(k, CLIENT_RETRIEVE, "GET", id, 0, rd_of(NULL, 0), done, ctx);
}

struct function_call *function_key_retrieve(const struct function_caller *k, const char *relative_id, function_done *done, void *ctx)
{
	return call(k, KEY_RETRIEVE, "GET", relative_id, 0, rd_of(NULL, 0), done, ctx);
}

struct function_call *function_key_stands(const struct function_caller *c, const char *relative_id, function_done *done, void *ctx)
{
	char name[FUNCTION_ID_SIZE + sizeof REGISTRATION_STANDING + 1];

	snprintf(name, sizeof name, "%s?%s", relative_id, REGISTRATION_STANDING);
	return call(c, KEY_STANDS, "GET", name, 0, rd_of(NULL, 0), done, ctx);
}

struct function_call *function_deregister(const struct function_caller *k, const char *id, function_done *done, void *ctx)
{
	return call(k, DEREGISTER, "DELETE", id, 0, rd_of(NULL, 0), done, ctx);
}

void function_call_cancel(struct function_call *c)
{
	http_call_cancel(c->http);
	free(c);
}
