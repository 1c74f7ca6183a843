/* The registry over HTTPS: answers, routing, start and end. */
#include "key_registry/registration_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "key_registry/answers.h"
#include "key_registry/registration_private.h"
#include "loop/log.h"

#define SWEEP_MS (10 * 60 * 1000)
#define NOISE_MOST 30 /* refusals in NOISE_MS that are logged one by one */
#define NOISE_MS 10000
#define RELEASE "3"
/* A commit costs two syncs of a disk. Who is alone is answered at once; when several came at once the last time, others are waited for so long. */
#define GATHER_MS 2
#define GATHER_MOST 256

/* ---- answers ---- */

static const char *request_id(struct http_exchange *x)
{
	const char *ri = http_request_header(x, "X-M2M-RI");

	return ri ? ri : "";
}

static void answer_now(struct http_exchange *x, const char *ri, enum onem2m_rsc rsc, struct rd body)
{
	char code[8];
	const struct http_header headers[] = {
		{"Content-Type", "application/json"},
		{"X-M2M-RSC", code},
		{"X-M2M-RVI", RELEASE},
		{"Cache-Control", "no-store"},
		{ri[0] ? "X-M2M-RI" : NULL, ri}, /* last, because a request may lack it */
		{NULL, NULL},
	};

	snprintf(code, sizeof code, "%d", (int)rsc);
	http_answer(x, rsc_http_status(rsc), headers, body);
}

static void pending_free(struct pending *p)
{
	if (p->body)
		bytes_wipe(p->body, p->len); /* it may hold a key */
	free(p->body);
	free(p->request_id);
	free(p);
}

/* The end of a round: one commit for all. */
static void flush(void *ctx)
{
	struct registration_server *s = ctx;
	struct pending *p = s->pending;
	bool lost = registry_commit(s->registry) != OK;

	if (lost)
		log_line(LOG_LEVEL_ERROR, "the registry can't be written; check the disk", NULL);
	s->pending = NULL;
	s->pending_end = &s->pending;
	s->last_count = s->pending_count;
	s->pending_count = 0;
	loop_timer_at(s->gather, CLOCK_NEVER);
	while (p) {
		struct pending *next = p->next;
		bool kept = p->losses == registry_losses(s->registry);

		answer_now(p->x, p->request_id, kept ? p->rsc : RSC_INTERNAL_SERVER_ERROR, kept ? rd_of(p->body, p->len) : rd_str("{}"));
		pending_free(p);
		p = next;
	}
}

static void answer_later(struct registration_server *s, struct http_exchange *x, enum onem2m_rsc rsc, struct rd body)
{
	struct pending *p = calloc(1, sizeof *p);

	if (!p || !(p->request_id = strdup(request_id(x))) || !(p->body = malloc(body.left + 1)) || !rd_copy(&body, p->body, p->len = body.left)) {
		if (p)
			pending_free(p);
		answer_now(x, request_id(x), RSC_INTERNAL_SERVER_ERROR, rd_str("{}"));
		return;
	}
	p->x = x;
	p->rsc = rsc;
	p->losses = registry_losses(s->registry);
	*s->pending_end = p;
	s->pending_end = &p->next;
	if (++s->pending_count == 1 && s->last_count > 1)
		loop_timer_in(s->gather, GATHER_MS);
	else if (s->pending_count == 1 || s->pending_count == GATHER_MOST)
		loop_defer(s->loop, flush, s);
}

void registration_answer_exchange(struct registration_server *s, struct http_exchange *x, enum onem2m_rsc rsc, struct rd body)
{
	if (registry_is_dirty(s->registry))
		answer_later(s, x, rsc, body);
	else
		answer_now(x, request_id(x), rsc, body);
}

void registration_answer(struct registration_call *call, enum onem2m_rsc rsc, struct rd body)
{
	registration_answer_exchange(call->s, call->x, rsc, body);
}

const char *registration_caller(const struct registration_call *call)
{
	return call->peer.peer.client;
}

/* What anybody can make happen as often as he likes is logged only so often. */
static bool noise_permits(struct registration_server *s)
{
	uint64_t now = clock_ms();

	if (now - s->noise_at >= NOISE_MS) {
		if (s->noise > NOISE_MOST)
			log_line(LOG_LEVEL_WARNING, "too many refusals; some were not written", "count=%u", s->noise - NOISE_MOST);
		s->noise_at = now;
		s->noise = 0;
	}
	return ++s->noise <= NOISE_MOST;
}

/* The reason goes into the body as oneM2M's debug information. */
void registration_refuse(struct registration_call *call, enum onem2m_rsc rsc, const char *reason)
{
	uint8_t buffer[512];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	struct rd body = {NULL, 0};

	json_object(&o, NULL);
	json_put_string(&o, "m2m:dbg", reason);
	json_close(&o);
	if (!wr_done(&w, &body))
		body.left = 0;
	if (noise_permits(call->s))
		log_line(LOG_LEVEL_WARNING, "request refused", "client=%s rsc=%d reason=\"%s\"", log_quote(rd_str(call->rq->peer)), (int)rsc, reason);
	registration_answer(call, rsc, body);
}

struct json_out *registration_answer_begin(struct answer_buffer *b)
{
	b->w = wr_of(b->octets, sizeof b->octets);
	b->o = json_out(&b->w);
	return &b->o;
}

void registration_answer_end(struct registration_call *call, struct answer_buffer *b, enum onem2m_rsc rsc)
{
	struct rd body;

	if (wr_done(&b->w, &body))
		registration_answer(call, rsc, body);
	else
		registration_refuse(call, RSC_INTERNAL_SERVER_ERROR, "answer does not fit");
	bytes_wipe(b->octets, b->w.len);
}

void registration_refuse_as_registry(struct registration_call *call, enum onem2m_rsc rsc)
{
	registration_refuse(call, rsc, registry_reason(call->s->registry));
}

/* ---- routing ---- */

static const struct {
	const char *method;
	bool named;       /* BASE/NAME... */
	const char *leaf; /* BASE/NAME/LEAF; NULL: any but "" and those above */
	bool body;
	void (*serve)(struct registration_call *call);
} routes[] = {
	{"POST", false, "", true, registration_create},
	{"GET", true, "cmd", false, registration_command_retrieve},
	{"PUT", true, "cmd", true, registration_command_update},
	{"GET", true, "", false, registration_retrieve},
	{"PUT", true, "", true, registration_update},
	{"DELETE", true, "", false, registration_delete},
	{"POST", true, NULL, true, registration_post_below},
};

/* "BASE", "BASE/NAME" or "BASE/NAME/LEAF". */
static bool path_split(const char *path, const char *base, struct rd *name, struct rd *leaf)
{
	struct rd rest = rd_str(path);

	*name = *leaf = rd_of(rest.at, 0);
	if (!rd_starts(rest, base) || !rd_skip(&rest, strlen(base)))
		return false;
	if (rest.left == 0)
		return true;
	if (!rd_starts(rest, "/") || !rd_skip(&rest, 1))
		return false;
	if (!rd_until(&rest, '/', name)) {
		*name = rest;
		return name->left > 0;
	}
	*leaf = rest;
	return name->left > 0 && leaf->left > 0;
}

static bool release_served(const char *release)
{
	static const char *const served[] = {"2a", "3", "4"};

	for (size_t i = 0; release && i < sizeof served / sizeof served[0]; i++)
		if (strcmp(release, served[i]) == 0)
			return true;
	return !release;
}

/* False: refused. */
static bool authenticate(struct registration_call *call)
{
	const char *from = http_request_header(call->x, "X-M2M-Origin");
	struct rd claimed = rd_str(from ? from : "");

	if (!association_of(call->x, call->rq, registry_config(call->s->registry)->sp, claimed, &call->peer)) {
		registration_refuse(call, RSC_SECURITY_ASSOCIATION_REQUIRED, "a credential of this service provider is needed");
		return false;
	}
	if (!from || !http_request_header(call->x, "X-M2M-RI")) {
		registration_refuse(call, RSC_BAD_REQUEST, "X-M2M-Origin and X-M2M-RI are needed");
		return false;
	}
	if (!call->peer.peer.client[0]) {
		registration_refuse(call, RSC_ORIGINATOR_NOT_AUTHENTICATED, "X-M2M-Origin is not whom the credential names");
		return false;
	}
	if (!release_served(http_request_header(call->x, "X-M2M-RVI"))) {
		registration_refuse(call, RSC_RELEASE_VERSION_NOT_SUPPORTED, "X-M2M-RVI is not served");
		return false;
	}
	return true;
}

static void serve(struct registration_call *call, struct json_arena *arena)
{
	const char *base = registration_base(registry_config(call->s->registry)->kind);
	struct rd fetch = rd_str(call->rq->path);
	bool known = false;

	if (registry_config(call->s->registry)->kind == REGISTRY_MEF && rd_starts(fetch, FETCH_PATH) && rd_skip(&fetch, sizeof FETCH_PATH - 1)) {
		registration_fetch(call, fetch);
		return;
	}
	if (!path_split(call->rq->path, base, &call->name, &call->leaf)) {
		registration_refuse(call, RSC_NOT_FOUND, "no such resource");
		return;
	}
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		bool fits = routes[i].leaf ? rd_is(call->leaf, routes[i].leaf) : call->leaf.left > 0 && !rd_is(call->leaf, "cmd");

		if (routes[i].named != (call->name.left > 0) || !fits)
			continue;
		known = true;
		if (strcmp(routes[i].method, call->rq->method) != 0)
			continue;
		if (routes[i].body && (!arena || json_parse(arena, call->rq->body, NULL, &call->body) != OK)) {
			registration_refuse(call, RSC_BAD_REQUEST, "body is not JSON");
			return;
		}
		routes[i].serve(call);
		return;
	}
	registration_refuse(call, known ? RSC_OPERATION_NOT_ALLOWED : RSC_NOT_FOUND, known ? "method not allowed here" : "no such resource");
}

static void on_request(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	struct registration_server *s = ctx;
	struct registration_call call = {.s = s, .x = x, .rq = rq, .now_s = clock_unix_ms() / 1000};
	struct json_arena *arena;

	if (s->hooks.other && s->hooks.other(s->hooks.ctx, x, rq))
		return;
	if (!authenticate(&call))
		return;
	registration_server_present(s, call.peer.peer.client, clock_ms());
	arena = json_arena_new();
	serve(&call, arena);
	json_arena_free(arena);
}

/* ---- start and end ---- */

void registration_server_purge(struct registration_server *s)
{
	uint64_t n;

	if (registry_purge(s->registry, clock_unix_ms() / 1000, &n) != OK || registry_commit(s->registry) != OK)
		log_line(LOG_LEVEL_ERROR, "what hangs on credentials that are gone could not be ended", NULL);
	else if (n > 0)
		log_line(LOG_LEVEL_NOTICE, "ended with its credential", "registrations=%llu", (unsigned long long)n);
}

static void on_timer(void *ctx)
{
	struct registration_server *s = ctx;
	uint64_t now = clock_ms(), n;

	if (now >= s->sweep_at) {
		s->sweep_at = now + SWEEP_MS;
		if (registry_sweep(s->registry, clock_unix_ms() / 1000, &n) != OK || registry_commit(s->registry) != OK)
			log_line(LOG_LEVEL_ERROR, "what has expired could not be forgotten", NULL);
		else if (n > 0)
			log_line(LOG_LEVEL_INFO, "expired", "registrations=%llu", (unsigned long long)n);
	}
	registration_polls_end(s, NULL, now);
}

enum err registration_server_new(struct loop *l, const char *host_port, struct tls_credentials *tls, struct registry *r,
    const struct registration_hooks *hooks, struct registration_server **out)
{
	struct registration_server *s = calloc(1, sizeof *s);
	enum err e;

	if (!s)
		return ERR_NO_MEMORY;
	s->loop = l;
	s->registry = r;
	s->pending_end = &s->pending;
	if (hooks)
		s->hooks = *hooks;
	s->timer = loop_timer_new(l, on_timer, s);
	s->gather = loop_timer_new(l, flush, s);
	s->sweep_at = clock_ms() + SWEEP_MS;
	s->noise_at = clock_ms();
	e = http_server_new(l, host_port, tls, on_request, s, &s->http);
	if (e != OK) {
		loop_timer_free(s->timer);
		loop_timer_free(s->gather);
		free(s);
		return e;
	}
	registration_set_timer(s);
	*out = s;
	return OK;
}

uint16_t registration_server_port(const struct registration_server *s)
{
	return http_server_port(s->http);
}

void registration_server_free(struct registration_server *s)
{
	if (!s)
		return;
	registration_polls_end(s, NULL, UINT64_MAX);
	loop_defer_cancel(s->loop, flush, s);
	flush(s);
	http_server_free(s->http);
	loop_timer_free(s->timer);
	loop_timer_free(s->gather);
	for (size_t i = 0; i < PRESENCE_BUCKETS; i++) {
		while (s->presence[i]) {
			struct presence *next = s->presence[i]->next;

			free(s->presence[i]);
			s->presence[i] = next;
		}
	}
	free(s);
}
