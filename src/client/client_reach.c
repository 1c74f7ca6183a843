/* Notifications: a port of our own, or a connection that is kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/client_private.h"
#include "json/json.h"

#define AGAIN_MS 1000 /* between attempts to have a connection again */
#define LEAVE_MS 3000

/* ---- requests that come ---- */

static bool is_verification(struct rd content)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc, *vrq;
	bool yes = a && json_parse(a, content, NULL, &doc) == OK && (vrq = json_path(doc, "m2m:sgn.vrq")) != NULL && vrq->type == JSON_TRUE;

	json_arena_free(a);
	return yes;
}

static int notify(struct keyway *k, const struct onem2m_request *rq, bool sealed)
{
	char *content = rd_strdup(rq->content), *from = rd_strdup(rq->from);
	const struct keyway_notification n = {from, content, rq->content.left, sealed};
	bool was_inside = k->inside;
	int rsc;

	if (!content || !from)
		abort();
	k->inside = true;
	rsc = k->notified(k->notified_ctx, &n);
	k->inside = was_inside;
	free(content);
	free(from);
	return rsc;
}

static enum onem2m_rsc take(struct keyway *k, const struct onem2m_request *rq, bool sealed)
{
	enum onem2m_rsc rsc = RSC_OK;
	char text[16];

	if (!k->notified)
		return RSC_TARGET_NOT_REACHABLE; /* another connection of the originator's may take it */
	if (rq->operation != ONEM2M_NOTIFY)
		return RSC_OPERATION_NOT_ALLOWED;
	if (k->sealed_only && !sealed)
		return RSC_SECURITY_ASSOCIATION_REQUIRED;
	if (is_verification(rq->content))
		return RSC_OK;
	snprintf(text, sizeof text, "%d", notify(k, rq, sealed));
	return rsc_parse(rd_str(text), &rsc) ? rsc : RSC_INTERNAL_SERVER_ERROR;
}

void client_request_came(void *client, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	struct keyway *k = client;

	if (k->notified && rq->operation == ONEM2M_NOTIFY && client_opens(k, rq, done, ctx))
		return;
	done(ctx, &(const struct onem2m_response){.rsc = take(k, rq, false)});
}

void client_sealed_came(void *client, const struct onem2m_request *rq, cse_done *done, void *ctx)
{
	done(ctx, &(const struct onem2m_response){.rsc = take(client, rq, true)});
}

static void on_http(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	struct keyway *k = ctx;

	http_binding_handle(&k->incoming, x, rq);
}

/* ---- a port ---- */

static bool is_loopback(const char *host_port)
{
	return strncmp(host_port, "127.", 4) == 0 || strncmp(host_port, "localhost:", 10) == 0;
}

static int open_port(struct keyway *k, char *why, size_t size)
{
	uint16_t port = 0;
	enum err e;

	if (!is_loopback(k->listen)) {
		snprintf(why, size, "notifications come in plain, so only on loopback: `listen` may be 127.0.0.1:PORT, not %s; over WebSocket or MQTT no port is needed", k->listen);
		return -1;
	}
	if (k->scheme->kind == CLIENT_COAP) {
		e = coap_binding_listen(k->coap, k->listen, false, &port);
	} else {
		k->incoming = (struct http_binding){.submit = client_request_came, .to = k};
		e = http_server_new(k->loop, k->listen, NULL, on_http, k, &k->server_port);
		if (e == OK)
			port = http_server_port(k->server_port);
	}
	if (e != OK) {
		snprintf(why, size, "no notifications can come to %s (%s): is the port taken?", k->listen, err_text(e));
		return -1;
	}
	snprintf(k->target, sizeof k->target, "%s://%.*s:%u", k->scheme->kind == CLIENT_COAP ? "coap" : "http", (int)strcspn(k->listen, ":"), k->listen, port);
	return 0;
}

/* ---- a connection ---- */

/* The CSE-ID, as the options or the CSEBase say it. */
static bool host_known(struct keyway *k)
{
	struct json_arena *arena = json_arena_new();
	struct keyway_answer a;
	const struct json *doc;
	bool ok = k->cse[1] != '\0';

	if (ok)
		snprintf(k->host, sizeof k->host, "%s", k->cse);
	else if (keyway_call(k, &(const struct keyway_request){.operation = KEYWAY_RETRIEVE, .to = "-"}, &a) == RSC_OK)
		ok = arena && json_parse(arena, rd_str(a.content), NULL, &doc) == OK && json_text(json_path(doc, "m2m:cb.csi"), k->host, sizeof k->host);
	json_arena_free(arena);
	return ok;
}

/* "/id-in/CAdmin" or "CAdmin", at /id-in, is "CAdmin". */
static bool stem_of(struct keyway *k)
{
	const char *stem = strrchr(k->from, '/');
	size_t n = strlen(k->host);

	stem = stem ? stem + 1 : k->from;
	return stem[0] && stem[1] && (k->from[0] != '/' || (strncmp(k->from, k->host, n) == 0 && k->from + n + 1 == stem)) &&
	    (size_t)snprintf(k->stem, sizeof k->stem, "%s", stem) < sizeof k->stem && (size_t)snprintf(k->target, sizeof k->target, "%s/%s", k->host, stem) < sizeof k->target;
}

/* Messages that come before the broker has the subscription would be lost. */
static int listen_at_broker(struct keyway *k, char *why, size_t size)
{
	uint64_t until = clock_ms() + k->timeout_ms, now;

	k->mqtt_in = client_mqtt(k, k->url);
	mqtt_binding_serve(k->mqtt_in, k->once);
	while (!mqtt_binding_is_ready(k->mqtt_in) && (now = clock_ms()) < until)
		loop_once(k->loop, (int)(until - now));
	if (mqtt_binding_is_ready(k->mqtt_in))
		return 0;
	snprintf(why, size, "%s takes no subscription (%s): is the broker there, and does it let us read our topics?", k->url, mqtt_binding_trouble(k->mqtt_in));
	mqtt_binding_free(k->mqtt_in);
	k->mqtt_in = NULL;
	return -1;
}

/* Content of a CREATE or UPDATE of the AE's resource: with what is inside of `more`, and what senders of sealed notifications need. */
static void put_ae(struct keyway *k, const char *more, char *ae, size_t size)
{
	char info[768];
	struct wr w = wr_of(info, sizeof info - 1);
	bool told = client_open_describe(k, &w);

	info[w.len] = '\0';
	snprintf(ae, size, "{\"m2m:ae\":{\"rr\":true%s%s%s}}", more, told ? ",\"esi\":" : "", told ? info : "");
}

/* Its point of access as it was, to be put back at the end. */
static void remember(struct keyway *k, const struct keyway_answer *a)
{
	struct json_arena *arena = json_arena_new();
	const struct json *doc, *poa = NULL;

	if (arena && json_parse(arena, rd_str(a->content), NULL, &doc) == OK)
		poa = json_path(doc, "m2m:ae.poa");
	free(k->former_poa);
	k->former_poa = rd_strdup(poa ? poa->source : rd_str("null"));
	if (!k->former_poa)
		abort();
	json_arena_free(arena);
}

/* The AE is there: by us from another life, or by somebody else. */
static int adopt_ae(struct keyway *k, const char *poa, struct keyway_answer *a)
{
	char ae[2048];
	int rsc = keyway_call(k, &(const struct keyway_request){.operation = KEYWAY_RETRIEVE, .to = k->stem, .from = k->stem}, a);

	if (rsc != RSC_OK || !k->opening)
		return rsc;
	remember(k, a);
	put_ae(k, poa, ae, sizeof ae);
	rsc = keyway_call(k, &(const struct keyway_request){.operation = KEYWAY_UPDATE, .to = k->stem, .from = k->stem, .content = ae}, a);
	k->changed = rsc == RSC_UPDATED;
	return rsc;
}

/* at: the point of access for its resource; "" when it is reached over its connection. */
static int register_ae(struct keyway *k, const char *at, char *why, size_t size)
{
	struct keyway_answer a;
	char ae[2048], more[600], poa[400] = "";
	int rsc;

	if (!host_known(k)) {
		snprintf(why, size, "`cse`, the CSE-ID of the CSE at %s, has to be given: %s may not ask it (%.300s)", k->url, k->from, k->why);
		return -1;
	}
	if (!stem_of(k)) {
		snprintf(why, size, "notifications over %s go to an AE: `from` must be one of %s, not %s", k->scheme->name, k->host, k->from);
		return -1;
	}
	if (k->scheme->kind == CLIENT_MQTT && listen_at_broker(k, why, size) != 0)
		return -1;
	if (at[0])
		snprintf(poa, sizeof poa, ",\"poa\":[\"%s\"]", at);
	snprintf(more, sizeof more, ",\"api\":\"Nkeyway.client\",\"srv\":[\"2a\",\"3\",\"4\"]%s", poa);
	put_ae(k, more, ae, sizeof ae);
	rsc = keyway_call(k, &(const struct keyway_request){.operation = KEYWAY_CREATE, .to = "-", .type = 2, .from = k->stem, .content = ae}, &a);
	k->registered = rsc == RSC_CREATED;
	if (rsc == RSC_CONFLICT || rsc == RSC_ORIGINATOR_HAS_ALREADY_REGISTERED || rsc == RSC_ALREADY_EXISTS)
		rsc = adopt_ae(k, poa, &a);
	if (rsc == RSC_CREATED || rsc == RSC_OK || rsc == RSC_UPDATED) {
		client_open_keep(k);
		return 0;
	}
	snprintf(why, size, "`%s` cannot be an AE of %s, and so not be notified over %s: %.300s", k->stem, k->host, k->scheme->name, a.why);
	return -1;
}

/* Any request that is carried out makes the connection ours again. */
static void on_again(void *ctx);

static void on_asked(void *ctx, const struct keyway_answer *a)
{
	struct keyway *k = ctx;

	if (a->failure != KEYWAY_OK)
		loop_timer_in(k->again, AGAIN_MS);
}

static void on_again(void *ctx)
{
	struct keyway *k = ctx;

	keyway_send(k, &(const struct keyway_request){.operation = KEYWAY_RETRIEVE, .to = k->stem, .from = k->stem}, on_asked, k);
}

void client_connection_lost(void *client, const char *target)
{
	struct keyway *k = client;

	(void)target;
	if (k->again && !k->closing)
		loop_timer_in(k->again, 0);
}

int keyway_reach(struct keyway *k, keyway_notified *fn, void *ctx, const char **target, char *why, size_t why_size)
{
	bool port = k->scheme->kind == CLIENT_HTTP || k->scheme->kind == CLIENT_COAP;
	char at[sizeof k->target];
	int r = 0;

	if (k->inside)
		abort();
	k->notified = fn;
	k->notified_ctx = ctx;
	*target = k->target;
	if (k->target[0])
		return 0;
	if (port)
		r = open_port(k, why, why_size);
	snprintf(at, sizeof at, "%s", port ? k->target : k->scheme->kind == CLIENT_MQTT ? k->url : "");
	if (r == 0 && (!port || k->opening))
		r = register_ae(k, at, why, why_size);
	if (r != 0)
		k->target[0] = '\0';
	else if (!port)
		k->again = loop_timer_new(k->loop, on_again, k);
	return r;
}

void client_leave(struct keyway *k)
{
	struct keyway_answer a;
	char ae[1024];

	loop_timer_free(k->again);
	k->again = NULL;
	if (!k->registered && !k->changed)
		return;
	k->timeout_ms = LEAVE_MS;
	if (k->changed) {
		snprintf(ae, sizeof ae, "{\"m2m:ae\":{\"esi\":null,\"poa\":%.900s}}", k->former_poa);
		keyway_call(k, &(const struct keyway_request){.operation = KEYWAY_UPDATE, .to = k->stem, .from = k->stem, .content = ae}, &a);
		return;
	}
	keyway_call(k, &(const struct keyway_request){.operation = KEYWAY_DELETE, .to = k->stem, .from = k->stem}, &a);
}
