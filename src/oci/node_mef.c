/* Mmef from node B's side: registration, commands by long poll, keys, APS relay, events. docs/protocols/mmef.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"
#include "mef/mmef_codes.h"
#include "oci/node_private.h"

#define POLL_S 25
#define RETRY_FIRST_MS 250
#define RETRY_MOST_MS 5000
#define PATH_MAX_OCTETS 300
#define APS_TRIES 4

struct mef_client {
	struct oci_node *node;
	struct loop_timer *retry;
	uint64_t wait;
	char commands[PATH_MAX_OCTETS]; /* "/mef/<ri>/cmd" */
	char command_id[32];            /* of the command that is carried out, as JSON */
	char key_path[PATH_MAX_OCTETS];
	bool registered;
	unsigned sequence;
};

static void register_client(struct mef_client *m);
static void poll_commands(struct mef_client *m);
static void carry_out(struct mef_client *m, struct rd body);

static void call(struct mef_client *m, const char *method, const char *path, int ty, struct rd body, uint64_t timeout_ms, http_done *done, void *ctx)
{
	const struct oci_config *k = &m->node->config;
	char url[PATH_MAX_OCTETS + 200], id[32], type[64];
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
	bool ok = a && r->error == OK && r->status < 300 && json_parse(a, r->body, NULL, &doc) == OK &&
	    json_text(json_get(json_get(doc, MMEF_CLIENT_REG), "cmd"), m->commands, sizeof m->commands);

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
	poll_commands(m);
}

static void register_client(struct mef_client *m)
{
	char body[400];

	snprintf(body, sizeof body, "{\"" MMEF_CLIENT_REG "\":{\"fqdn\":\"%s\",\"et\":\"20991231T235959\",\"adminFQDN\":\"%s\"}}", m->node->config.mef_identity,
	    m->node->config.mef_identity);
	call(m, "POST", "/mef", MMEF_TY_CLIENT_REG, rd_str(body), 0, on_registered, m);
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
	char path[PATH_MAX_OCTETS + 32];

	snprintf(path, sizeof path, "%s?wait=%d", m->commands, POLL_S);
	call(m, "GET", path, 0, rd_of("", 0), (POLL_S + 15) * 1000, on_command, m);
}

static void report(struct mef_client *m, int status)
{
	char body[200];

	snprintf(body, sizeof body, "{\"" MMEF_CLIENT_CMD "\":{\"cmdID\":%s,\"cmdStatusCode\":%d}}", m->command_id, status);
	call(m, "PUT", m->commands, 0, rd_str(body), 0, on_command, m);
}

/* ---- a key ---- */

static bool take_key(struct mef_client *m, const struct json *reg, struct secret **key)
{
	uint8_t octets[SECRET_AES128];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd text;
	bool ok = json_string(json_get(reg, "keyValue"), &text) && base64_parse(text, &w) && !w.spoilt && w.len == sizeof octets;

	(void)m;
	*key = ok ? secret_take(octets, sizeof octets) : NULL;
	bytes_wipe(octets, sizeof octets);
	return *key != NULL;
}

static enum err store_key(struct mef_client *m, const struct json *reg)
{
	const struct json *z = json_get(reg, "zigbee");
	char device[32], gateway[32], relay[OCI_NAME], application[OCI_NAME], id[OCI_KEY_ID];
	uint64_t eui64, gateway_eui64, address, capability, sequence, generation;
	struct secret *key;
	enum err e;

	if (!json_text(json_get(z, "device"), device, sizeof device) || !eui64_parse(rd_str(device), &eui64) || !json_text(json_get(z, "gateway"), gateway, sizeof gateway) ||
	    !eui64_parse(rd_str(gateway), &gateway_eui64) || !json_text(json_get(z, "relay"), relay, sizeof relay) ||
	    !json_text(json_get(z, "application"), application, sizeof application) || !json_text(json_get(reg, "ri"), id, sizeof id) ||
	    !json_uint(json_get(z, "short"), &address) || address > 0xffff || !json_uint(json_get(z, "capability"), &capability) || capability > 0xff ||
	    !json_uint(json_get(z, "keySequence"), &sequence) || sequence > 0xff || !json_uint(json_get(z, "generation"), &generation) || !take_key(m, reg, &key))
		return ERR_MALFORMED;
	e = oci_core_key(m->node->core, clock_ms(), eui64, gateway_eui64, (uint16_t)address, (uint8_t)capability, relay, application, key, (uint8_t)sequence, generation, id);
	if (e == OK) {
		log_line(LOG_LEVEL_INFO, "key received", "device=%s generation=%llu", device, (unsigned long long)generation);
		relay_open(m->node, eui64);
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
		e = store_key(m, json_get(doc, MMEF_SYMM_KEY_REG));
	json_arena_free(a);
	if (e != OK)
		log_line(LOG_LEVEL_ERROR, "key not taken", "status=%u reason=%s", r->status, err_name(e));
	report(m, e == OK ? 20 : 305);
}

/* ---- APS frames ---- */

struct relayed {
	struct mef_client *mef;
	uint64_t device;
	uint8_t counter, aps_counter;
	bool sealed;
	unsigned tries;
	char path[PATH_MAX_OCTETS], body[600];
	struct loop_timer *retry;
};

static void relayed_send(struct relayed *f);

static void relayed_free(struct relayed *f)
{
	loop_timer_free(f->retry);
	free(f);
}

static void on_relayed_retry(void *ctx)
{
	relayed_send(ctx);
}

static void on_aps_answer(struct relayed *f, const struct json *aps)
{
	struct oci_node *n = f->mef->node;
	uint8_t octets[NWK_FRAME_MAX];
	struct wr w = wr_of(octets, sizeof octets);
	struct rd frame = rd_of(NULL, 0), text;
	char outcome[32], reason[128] = "";
	bool ack = false;

	if (!json_text(json_get(aps, "outcome"), outcome, sizeof outcome))
		return;
	if (!json_bool(json_get(aps, "ack"), &ack))
		ack = false;
	if (json_text(json_get(aps, "reason"), reason, sizeof reason))
		log_line(LOG_LEVEL_NOTICE, "Trust Centre ignored a frame", "device=%s reason=\"%s\"", node_name(f->device), reason);
	if (json_string(json_get(aps, "frame"), &text) && base64_parse(text, &w) && !wr_done(&w, &frame))
		frame = rd_of(NULL, 0);
	oci_core_aps(n->core, clock_ms(), f->device, frame, ack && f->sealed, f->aps_counter);
	node_pump(n);
}

static void on_relayed(void *ctx, const struct http_result *r)
{
	struct relayed *f = ctx;
	struct json_arena *a;
	const struct json *doc;

	if (r->error != OK && ++f->tries < APS_TRIES) {
		loop_timer_in(f->retry, RETRY_FIRST_MS << f->tries);
		return;
	}
	a = json_arena_new();
	if (a && r->error == OK && r->status < 300 && json_parse(a, r->body, NULL, &doc) == OK)
		on_aps_answer(f, json_get(doc, MMEF_APS));
	else
		log_line(LOG_LEVEL_WARNING, "APS frame not taken by the MEF", "device=%s status=%u", node_name(f->device), r->status);
	json_arena_free(a);
	relayed_free(f);
}

static void relayed_send(struct relayed *f)
{
	call(f->mef, "POST", f->path, 0, rd_str(f->body), 0, on_relayed, f);
}

static void relay_frame(struct mef_client *m, uint64_t device, const char *key_path, uint8_t counter, struct rd frame)
{
	struct relayed *f = calloc(1, sizeof *f);
	struct aps_frame aps;
	struct json_out o;
	struct wr w;

	if (!f)
		abort();
	f->mef = m;
	f->device = device;
	f->counter = counter;
	if (frame.left > 0 && aps_frame_decode(frame, &aps) == OK) {
		f->aps_counter = aps.counter;
		f->sealed = aps.security && aps.ack_request;
	}
	f->retry = loop_timer_new(m->node->loop, on_relayed_retry, f);
	snprintf(f->path, sizeof f->path, "%s/aps", key_path);
	w = wr_of(f->body, sizeof f->body - 1);
	o = json_out(&w);
	json_object(&o, NULL);
	json_object(&o, MMEF_APS);
	json_put_uint(&o, "counter", counter);
	json_put_base64(&o, "frame", frame);
	json_close(&o);
	json_close(&o);
	relayed_send(f);
}

void mef_aps(struct oci_node *n, uint64_t device, const char *key_id, uint8_t counter, struct rd frame)
{
	char path[PATH_MAX_OCTETS];

	snprintf(path, sizeof path, "/mef/%s", key_id);
	relay_frame(n->mef, device, path, counter, frame);
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
	char path[PATH_MAX_OCTETS], body[200];

	log_line(LOG_LEVEL_INFO, "device", "event=%s device=%s short=%04x", event, node_name(device), short_address);
	snprintf(path, sizeof path, "/mef/%s/event", key_id);
	snprintf(body, sizeof body, "{\"" MMEF_EVENT "\":{\"event\":\"%s\",\"short\":%u,\"capability\":%u}}", event, short_address, capability);
	call(n->mef, "POST", path, 0, rd_str(body), 0, on_event_told, n->mef);
}

/* ---- what the MEF commands ---- */

static void forget(struct mef_client *m, const struct json *args)
{
	char device[32];
	uint64_t eui64;

	if (!json_text(json_get(args, "device"), device, sizeof device) || !eui64_parse(rd_str(device), &eui64)) {
		report(m, 42);
		return;
	}
	oci_core_forget(m->node->core, clock_ms(), eui64);
	node_pump(m->node);
	mirror_forget(m->node, eui64);
	if (oci_store_forget(m->node->store, eui64) != OK)
		log_line(LOG_LEVEL_ERROR, "device not forgotten", "device=%s", device);
	log_line(LOG_LEVEL_INFO, "device forgotten", "device=%s", device);
	report(m, 20);
}

/* An APS frame waits at the EG: the device is found by its key. */
static void fetch_pending(struct mef_client *m, const char *path)
{
	for (struct oci_device *d = oci_core_devices(m->node->core); d; d = d->next) {
		char own[PATH_MAX_OCTETS];

		snprintf(own, sizeof own, "/mef/%s", d->present.id);
		if (strcmp(own, path) == 0)
			relay_frame(m, d->eui64, path, oci_core_lend_counter(m->node->core, d->eui64), rd_of(NULL, 0));
	}
	report(m, 20);
}

static void carry_out(struct mef_client *m, struct rd body)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc, *cmd, *args, *id;
	uint64_t class = MMEF_NO_MORE_COMMANDS;

	if (!a || json_parse(a, body, NULL, &doc) != OK || (cmd = json_get(doc, MMEF_CLIENT_CMD)) == NULL ||
	    !json_uint(json_path(cmd, "cmdDescription.cmdClassID"), &class)) {
		json_arena_free(a);
		again_later(m);
		return;
	}
	args = json_path(cmd, "cmdDescription.cmdArgs");
	id = json_get(cmd, "cmdID");
	if (!id || !rd_text(id->source, m->command_id, sizeof m->command_id))
		snprintf(m->command_id, sizeof m->command_id, "0");
	if (class == MMEF_NO_MORE_COMMANDS)
		poll_commands(m);
	else if (!json_text(json_get(args, "objectPath"), m->key_path, sizeof m->key_path))
		report(m, 42);
	else if (class == MMEF_MO_NODE)
		call(m, "GET", m->key_path, 0, rd_of("", 0), 0, on_key, m);
	else if (class == MMEF_ZIGBEE_APS_PENDING)
		fetch_pending(m, m->key_path);
	else if (class == MMEF_ZIGBEE_FORGET)
		forget(m, args);
	else
		report(m, 41);
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
