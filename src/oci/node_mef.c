/* Mmef from node B's side: registration, commands by long poll, keys, events. docs/protocols/key-registration.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"
#include "key_registry/registration_codes.h"
#include "oci/mef_answer.h"
#include "oci/node_private.h"

#define POLL_S 25
#define RETRY_FIRST_MS 250
#define RETRY_MOST_MS 5000

struct mef_client {
	struct oci_node *node;
	struct loop_timer *retry;
	uint64_t wait;
	char commands[MEF_PATH];         /* "/mef/<ri>/cmd" */
	char command_id[MEF_COMMAND_ID]; /* of the command that is carried out, as JSON */
	bool registered;
	unsigned sequence;
};

static void register_client(struct mef_client *m);
static void poll_commands(struct mef_client *m);
static void carry_out(struct mef_client *m, struct rd body);

static void call(struct mef_client *m, const char *method, const char *path, int ty, struct rd body, uint64_t timeout_ms, http_done *done, void *ctx)
{
	const struct oci_config *k = &m->node->config;
	char url[MEF_PATH + 200], id[32], type[64];
	const struct http_header headers[] = {
		{"X-M2M-Origin", k->cse_id}, {"X-M2M-RI", id}, {"X-M2M-RVI", "3"}, {body.left ? "Content-Type" : NULL, type}, {NULL, NULL},
	};
	struct http_call_options o = {.method = method, .url = url, .peer = k->mef_identity, .headers = headers, .body = body, .timeout_ms = timeout_ms};

	snprintf(url, sizeof url, "%s%s", k->mef, path);
	snprintf(id, sizeof id, "b-%u", ++m->sequence);
	snprintf(type, sizeof type, ty ? "application/json;ty=%d" : "application/json", ty);
	http_call(k->http, &o, done, ctx);
}

static void again_later(struct mef_client *m)
{
	m->wait = m->wait ? m->wait * 2 : RETRY_FIRST_MS;
	if (m->wait > RETRY_MOST_MS)
		m->wait = RETRY_MOST_MS;
	loop_timer_in(m->retry, m->wait);
}

static void on_retry(void *ctx)
{
	struct mef_client *m = ctx;

	if (m->registered)
		poll_commands(m);
	else
		register_client(m);
}

static void lost(struct mef_client *m, const struct http_result *r)
{
	if (m->registered)
		log_line(LOG_LEVEL_WARNING, "MEF not reachable", "status=%u reason=%s", r->status, err_name(r->error));
	m->registered = false;
	again_later(m);
}

/* ---- registration ---- */

static void on_registered(void *ctx, const struct http_result *r)
{
	struct mef_client *m = ctx;
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	bool ok = a && r->error == OK && r->status < 300 && json_parse(a, r->body, NULL, &doc) == OK && mef_registration_parse(doc, m->commands);

	json_arena_free(a);
	if (!ok) {
		if (r->error == OK)
			log_line(LOG_LEVEL_WARNING, "MEF refused the registration", "status=%u", r->status);
		lost(m, r);
		return;
	}
	m->registered = true;
	m->wait = 0;
	log_line(LOG_LEVEL_INFO, "registered with the MEF", "mef=%s", m->node->config.mef_identity);
	witness_soon(m->node);
	poll_commands(m);
}

static void register_client(struct mef_client *m)
{
	char body[400];

	snprintf(body, sizeof body, "{\"" REGISTRATION_MEF_CLIENT "\":{\"fqdn\":\"%s\",\"et\":\"20991231T235959\",\"adminFQDN\":\"%s\"}}", m->node->config.mef_identity,
	    m->node->config.mef_identity);
	call(m, "POST", "/mef", REGISTRATION_TY_MEF_CLIENT, rd_str(body), 0, on_registered, m);
}

/* ---- commands ---- */

static void on_command(void *ctx, const struct http_result *r)
{
	struct mef_client *m = ctx;

	if (r->error == ERR_TIMEOUT) {
		poll_commands(m);
	} else if (r->error != OK || r->status >= 300) {
		lost(m, r);
	} else {
		m->wait = 0;
		carry_out(m, r->body);
	}
}

static void poll_commands(struct mef_client *m)
{
	char path[MEF_PATH + 32];

	snprintf(path, sizeof path, "%s?wait=%d", m->commands, POLL_S);
	call(m, "GET", path, 0, rd_of("", 0), (POLL_S + 15) * 1000, on_command, m);
}

static void report(struct mef_client *m, int status)
{
	char body[200];

	snprintf(body, sizeof body, "{\"" REGISTRATION_COMMAND "\":{\"cmdID\":%s,\"cmdStatusCode\":%d}}", m->command_id, status);
	call(m, "PUT", m->commands, 0, rd_str(body), 0, on_command, m);
}

/* ---- a key ---- */

/* The former gateway delivers one thing more. */
static void move(struct oci_node *n, const struct mef_key *k)
{
	const struct oci_device *d = oci_core_device(n->core, k->device);

	if (!d || strcmp(d->relay, k->relay) == 0)
		return;
	if (d->present.network && d->present.generation == k->generation) {
		oci_core_move(n->core, clock_ms(), k->device);
		node_pump(n);
	}
	relay_close(n, k->device);
}

static enum err store_key(struct mef_client *m, const struct json *doc)
{
	struct oci_key_order order;
	struct oci_child child;
	struct mef_key k;
	enum err e;

	if (!mef_key_parse(doc, &k))
		return ERR_MALFORMED;
	order = (struct oci_key_order){k.device, k.gateway, k.short_address, k.capability, k.relay, k.application, k.key, k.sequence, k.generation, k.id, k.rotation,
	    k.network[0] ? k.network : NULL, k.network_generation};
	child = (struct oci_child){k.device, k.short_address, OCI_CHILD_JOIN};
	move(m->node, &k);
	e = oci_core_key(m->node->core, clock_ms(), &order);
	if (e == OK)
		e = oci_core_role(m->node->core, k.device, k.replaces ? k.replaces : k.device);
	if (e == OK && k.router)
		oci_core_child(m->node->core, clock_ms(), k.router, &child);
	if (e == OK) {
		log_line(LOG_LEVEL_INFO, "key received", "device=%s generation=%llu", node_name(k.device), (unsigned long long)k.generation);
		relay_open(m->node, k.device);
		node_pump(m->node);
	}
	return e;
}

static void on_key(void *ctx, const struct http_result *r)
{
	struct mef_client *m = ctx;
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	enum err e = ERR_MALFORMED;

	if (r->error != OK) {
		json_arena_free(a);
		lost(m, r);
		return;
	}
	if (a && r->status < 300 && json_parse(a, r->body, NULL, &doc) == OK)
		e = store_key(m, doc);
	json_arena_free(a);
	if (e != OK)
		log_line(LOG_LEVEL_ERROR, "key not taken", "status=%u reason=%s", r->status, err_name(e));
	report(m, e == OK ? COMMAND_OK : r->status == 404 ? COMMAND_MO_NOT_FOUND : COMMAND_MO_EXECUTION_ERROR);
}

void mef_call(struct oci_node *n, const char *method, const char *path, struct rd body, http_done *done, void *ctx)
{
	call(n->mef, method, path, 0, body, 0, done, ctx);
}

/* ---- events ---- */

static void on_event_told(void *ctx, const struct http_result *r)
{
	(void)ctx;
	if (r->error != OK || r->status >= 300)
		log_line(LOG_LEVEL_NOTICE, "event not taken by the MEF", "status=%u reason=%s", r->status, err_name(r->error));
}

void mef_event(struct oci_node *n, uint64_t device, const char *key_id, const char *event, uint16_t short_address, uint8_t capability)
{
	char path[MEF_PATH], body[200];

	log_line(LOG_LEVEL_INFO, "device", "event=%s device=%s short=%04x", event, node_name(device), short_address);
	snprintf(path, sizeof path, "/mef/%s/event", key_id);
	snprintf(body, sizeof body, "{\"" REGISTRATION_EVENT "\":{\"event\":\"%s\",\"short\":%u,\"capability\":%u}}", event, short_address, capability);
	call(n->mef, "POST", path, 0, rd_str(body), 0, on_event_told, n->mef);
	witness_soon(n);
}

bool mef_post(struct oci_node *n, const char *leaf, struct rd body, http_done *done, void *ctx)
{
	struct mef_client *m = n->mef;
	char path[MEF_PATH + 32];

	if (!m->registered)
		return false;
	snprintf(path, sizeof path, "%.*s/%s", (int)(strlen(m->commands) - sizeof "/cmd" + 1), m->commands, leaf);
	call(m, "POST", path, 0, body, 0, done, ctx);
	return true;
}

/* ---- what the MEF commands ---- */

static void forget(struct mef_client *m, uint64_t eui64, bool has_heir)
{
	uint64_t role = device_role(m->node, eui64);

	oci_core_forget(m->node->core, clock_ms(), eui64);
	node_pump(m->node);
	mirror_forget(m->node, eui64, role, has_heir);
	if (oci_store_forget(m->node->store, eui64) != OK)
		log_line(LOG_LEVEL_ERROR, "device not forgotten", "device=%s", node_name(eui64));
	log_line(LOG_LEVEL_INFO, "device forgotten", "device=%s", node_name(eui64));
	report(m, COMMAND_OK);
}

static bool has_key(const struct oci_device *d, const char *path)
{
	char present[MEF_PATH], pending[MEF_PATH];

	snprintf(present, sizeof present, "/mef/%s", d->present.id);
	snprintf(pending, sizeof pending, "/mef/%s", d->pending.id);
	return strcmp(present, path) == 0 || (d->pending.network && strcmp(pending, path) == 0);
}

/* An APS frame waits at the EG: the device is found by its key. */
static void fetch_pending(struct mef_client *m, const char *path)
{
	for (struct oci_device *d = oci_core_devices(m->node->core); d; d = d->next)
		if (has_key(d, path))
			mef_relay_frame(m->node, d->eui64, path, oci_core_lend_counter(m->node->core, d->eui64), rd_of(NULL, 0));
	report(m, COMMAND_OK);
}

static void report_other(void *ctx, int status)
{
	report(ctx, status);
}

/* Of this node as such, not of a device: its certificate, its configuration, its objects of management. */
static void carry_out_other(struct mef_client *m, const struct json *doc)
{
	const struct oci_config *k = &m->node->config;
	size_t base = sizeof REGISTRATION_BASE_MEF; /* with the slash behind it */
	char registration[MEF_PATH] = "";

	if (strlen(m->commands) > base)
		snprintf(registration, sizeof registration, "%.*s", (int)strcspn(m->commands + base, "/"), m->commands + base);
	if (k->command)
		k->command(k->command_ctx, registration, doc, report_other, m);
	else
		report(m, COMMAND_CLASS_NOT_SUPPORTED);
}

static bool is_key_path(const char *path)
{
	return strncmp(path, REGISTRATION_BASE_MEF "/", sizeof REGISTRATION_BASE_MEF) == 0;
}

static void carry_out(struct mef_client *m, struct rd body)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	struct mef_order o;

	if (!a || json_parse(a, body, NULL, &doc) != OK || !mef_order_parse(doc, &o)) {
		json_arena_free(a);
		again_later(m);
		return;
	}
	snprintf(m->command_id, sizeof m->command_id, "%s", o.id);
	if (o.class == COMMAND_NO_MORE)
		poll_commands(m);
	else if (o.class == COMMAND_CERT_PROV || o.class == COMMAND_DEV_CFG || (o.class == COMMAND_MO_NODE && o.object[0] && !is_key_path(o.object)))
		carry_out_other(m, doc);
	else if (o.class != COMMAND_MO_NODE && o.class != COMMAND_ZIGBEE_APS_PENDING && o.class != COMMAND_ZIGBEE_FORGET)
		report(m, COMMAND_CLASS_NOT_SUPPORTED);
	else if (!o.object[0] || (o.class == COMMAND_ZIGBEE_FORGET && !o.has_device))
		report(m, COMMAND_BAD_ARGUMENTS);
	else if (o.class == COMMAND_MO_NODE)
		call(m, "GET", o.object, 0, rd_of("", 0), 0, on_key, m);
	else if (o.class == COMMAND_ZIGBEE_APS_PENDING)
		fetch_pending(m, o.object);
	else
		forget(m, o.device, o.has_heir);
	json_arena_free(a);
}

void mef_start(struct oci_node *n)
{
	struct mef_client *m = calloc(1, sizeof *m);

	if (!m)
		abort();
	m->node = n;
	m->retry = loop_timer_new(n->loop, on_retry, m);
	n->mef = m;
	register_client(m);
}
