/* Mmef over HTTPS. */
#include "mef/mmef.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "loop/log.h"
#include "key_registry/key_carrier.h"
#include "onem2m/identity.h"
#include "onem2m/rsc.h"
#include "security/credential.h"

#define ANSWER_MAX 4096
#define REGISTRATION_DAYS 365
#define KEY_DAYS 365
#define DAY_S 86400

struct mmef {
	struct mef *mef;
	struct http_server *server;
};

/* One request on its way. */
struct exchange {
	struct mmef *mm;
	struct http_exchange *x;
	const struct http_request *rq;
	const char *id; /* whom the client's certificate stands for */
	struct rd name; /* the second part of the path: /mef/NAME/... */
	const struct json *body;
};

/* ---- answers ---- */

static void answer(struct http_exchange *x, const char *request_id, enum onem2m_rsc rsc, struct rd body)
{
	char code[8];
	const struct http_header headers[] = {
		{"Content-Type", "application/json"},
		{"X-M2M-RSC", code},
		{"X-M2M-RVI", "3"},
		{"Cache-Control", "no-store"},
		{request_id[0] ? "X-M2M-RI" : NULL, request_id}, /* last, because a request may lack it */
		{NULL, NULL},
	};

	snprintf(code, sizeof code, "%d", (int)rsc);
	http_answer(x, rsc_http_status(rsc), headers, body);
}

static const char *request_id(struct http_exchange *x)
{
	const char *ri = http_request_header(x, "X-M2M-RI");

	return ri ? ri : "";
}

/* The reason goes into the body as oneM2M's debug information. */
static void refuse(const struct exchange *e, enum onem2m_rsc rsc, const char *reason)
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
	if (mef_noise_permits(e->mm->mef, &e->mm->mef->noise, NULL))
		log_line(LOG_LEVEL_WARNING, "request refused", "client=%s rsc=%d reason=\"%s\"", log_quote(rd_str(e->rq->peer)), (int)rsc, reason);
	answer(e->x, request_id(e->x), rsc, body);
}

static void stamp(char text[static 20], uint64_t unix_s)
{
	time_t seconds = (time_t)unix_s;
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(text, 20, "%Y%m%dT%H%M%S", &utc); /* m2m:timestamp, TS-0004 6.3.3 */
}

/* ---- client registration ---- */

static void registration_put(struct json_out *o, const struct mef_client *c)
{
	char et[20], cmd[64];

	stamp(et, c->expires_at);
	snprintf(cmd, sizeof cmd, REGISTRATION_BASE_MEF "/%s/cmd", c->registration);
	json_object(o, NULL);
	json_object(o, REGISTRATION_MEF_CLIENT);
	json_put_string(o, "ri", c->registration);
	json_put_string(o, "et", et);
	json_put_string(o, "clientID", c->id);
	json_put_string(o, "adminFQDN", c->admin_fqdn);
	json_put_string(o, "cmd", cmd);
	json_close(o);
	json_close(o);
}

static void create_client(struct exchange *e)
{
	struct mef *m = e->mm->mef;
	const struct json *reg = json_get(e->body, REGISTRATION_MEF_CLIENT);
	uint8_t buffer[ANSWER_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	char admin[MEF_IDENTITY_MAX];
	struct mef_client *c;
	struct rd body;

	if (!json_is_string(json_get(reg, "fqdn"), m->config.id)) {
		refuse(e, RSC_BAD_REQUEST, "fqdn is not this MEF's");
		return;
	}
	if (!json_text(json_get(reg, "adminFQDN"), admin, sizeof admin)) {
		refuse(e, RSC_BAD_REQUEST, "adminFQDN is missing");
		return;
	}
	if (mef_client_register(m, e->id, admin, clock_unix_ms() / 1000 + REGISTRATION_DAYS * DAY_S, &c) != OK) {
		refuse(e, RSC_INTERNAL_SERVER_ERROR, "the registration could not be stored");
		return;
	}
	c->seen = true;
	c->seen_at = clock_ms();
	registration_put(&o, c);
	if (wr_done(&w, &body))
		answer(e->x, request_id(e->x), RSC_CREATED, body);
	else
		refuse(e, RSC_INTERNAL_SERVER_ERROR, "answer does not fit");
}

/* ---- commands ---- */

static void command_args(struct json_out *o, const struct mef_command *cmd)
{
	char path[64], device[EUI64_SIZE];

	snprintf(path, sizeof path, REGISTRATION_BASE_MEF "/%s", cmd->key_id);
	eui64_print(device, cmd->device);
	json_put_string(o, "objectPath", path);
	switch (cmd->class) {
	case COMMAND_MO_NODE:
		json_put_uint(o, "objectTypeID", COMMAND_AUTHENTICATION_PROFILE);
		json_object(o, "objectTypeSpecificArgs");
		json_put_uint(o, "SUID", SUID_RSPF_ESDATA_ENC);
		json_close(o);
		break;
	case COMMAND_ZIGBEE_APS_PENDING:
		json_put_string(o, "reason", cmd->reason);
		break;
	case COMMAND_ZIGBEE_FORGET:
		json_put_string(o, "device", device);
		break;
	case COMMAND_NO_MORE:
	case COMMAND_CERT_PROV:
	case COMMAND_DEV_CFG:
		break;
	}
}

static void command_put(struct json_out *o, const struct mef_command *cmd)
{
	json_object(o, NULL);
	json_object(o, REGISTRATION_COMMAND);
	json_put_uint(o, "cmdID", cmd ? cmd->id : 0);
	json_put_uint(o, "cmdStatusCode", cmd && cmd->issued ? COMMAND_REISSUED : COMMAND_ISSUED);
	json_object(o, "cmdDescription");
	json_put_uint(o, "cmdClassID", cmd ? (uint64_t)cmd->class : COMMAND_NO_MORE);
	json_object(o, "cmdArgs");
	if (cmd)
		command_args(o, cmd);
	else
		json_put_string(o, "retryDuration", "PT0S");
	json_close(o);
	json_close(o);
	json_close(o);
	json_close(o);
}

/* Answers with the oldest command, or that there is none. */
static void command_answer(struct mmef *mm, struct mef_client *c, struct http_exchange *x, const char *ri, enum onem2m_rsc rsc)
{
	uint8_t buffer[ANSWER_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	struct mef_command *cmd = c->commands;
	struct rd body = {NULL, 0};

	command_put(&o, cmd);
	if (!wr_done(&w, &body))
		rsc = RSC_INTERNAL_SERVER_ERROR;
	if (cmd && !cmd->issued) {
		cmd->issued = true;
		if (mef_store_command_put(mm->mef->store, cmd) != OK)
			log_line(LOG_LEVEL_ERROR, "a command could not be stored", "command=%llu", (unsigned long long)cmd->id);
	}
	answer(x, ri, rsc, body);
}

/* A command came, or the time is over. */
static void wake(void *ctx, struct mef_client *c)
{
	struct http_exchange *x = c->waiting;

	if (!x)
		return;
	c->waiting = NULL;
	c->seen_at = clock_ms();
	command_answer(ctx, c, x, c->waiting_request_id, RSC_OK);
}

/* The registration in the path must be the client's own. */
static struct mef_client *own_client(struct exchange *e)
{
	struct mef_client *c = mef_client_find(e->mm->mef, e->id);

	if (!c || !rd_is(e->name, c->registration)) {
		/* Whether it exists is nobody else's business. */
		refuse(e, c ? RSC_ORIGINATOR_HAS_NO_PRIVILEGE : RSC_NOT_FOUND, c ? "not the client's own registration" : "not registered: POST " REGISTRATION_BASE_MEF " first");
		return NULL;
	}
	c->seen = true;
	c->seen_at = clock_ms();
	return c;
}

static uint64_t wait_of(const char *query)
{
	struct rd q = rd_str(query);
	uint64_t s = 0;

	if (!rd_starts(q, "wait=") || !rd_skip(&q, 5) || !rd_decimal(q, &s))
		return 0;
	return s > REGISTRATION_WAIT_MAX_S ? REGISTRATION_WAIT_MAX_S : s;
}

static void retrieve_command(struct exchange *e)
{
	struct mef_client *c = own_client(e);
	uint64_t wait_s = wait_of(e->rq->query);

	if (!c)
		return;
	wake(e->mm, c); /* a former one that is still held */
	if (c->commands || wait_s == 0 || !rd_text(rd_str(request_id(e->x)), c->waiting_request_id, sizeof c->waiting_request_id)) {
		command_answer(e->mm, c, e->x, request_id(e->x), RSC_OK);
		return;
	}
	c->waiting = e->x;
	c->waiting_until = clock_ms() + wait_s * 1000;
	mef_pump(e->mm->mef); /* sets the timer */
}

bool mmef_status_body(const struct json *doc, uint64_t *command, uint64_t *status)
{
	const struct json *cmd = json_get(doc, REGISTRATION_COMMAND), *id = json_get(cmd, "cmdID");
	struct rd text;

	if (!json_uint(json_get(cmd, "cmdStatusCode"), status))
		return false;
	return json_uint(id, command) || (json_string(id, &text) && rd_decimal(text, command));
}

static void update_command(struct exchange *e)
{
	struct mef_client *c = own_client(e);
	uint64_t id, status;

	if (!c)
		return;
	if (!mmef_status_body(e->body, &id, &status)) {
		refuse(e, RSC_BAD_REQUEST, "cmdID and cmdStatusCode are needed");
		return;
	}
	mef_command_done(e->mm->mef, c, id, status);
	command_answer(e->mm, c, e->x, request_id(e->x), RSC_UPDATED);
}

/* ---- keys ---- */

/* The key's device and generation, for its only target. */
static bool own_key(struct exchange *e, struct mef_device **d, struct mef_generation **g)
{
	struct mef_client *c = mef_client_find(e->mm->mef, e->id);

	if (c) {
		c->seen = true;
		c->seen_at = clock_ms();
	}
	if (!mef_key_find(e->mm->mef, e->name, d, g)) {
		refuse(e, RSC_NOT_FOUND, "no such key");
		return false;
	}
	if (strcmp((*d)->owner, e->id) == 0)
		return true;
	if (mef_noise_permits(e->mm->mef, &e->mm->mef->noise, (*d)->gateway))
		(void)mef_audit(e->mm->mef, "key asked for by a node that is not its target", (*d)->eui64, (*d)->gateway, e->id, NULL);
	refuse(e, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "not a target of this key");
	return false;
}

static void zigbee_put(struct json_out *o, const struct mef_device *d, const struct mef_generation *g, const struct mef_gateway *gw)
{
	char text[EUI64_SIZE], relay[MEF_ID_MAX + EUI64_SIZE];

	json_object(o, "zigbee");
	eui64_print(text, d->eui64);
	snprintf(relay, sizeof relay, "%s/%s", gw->relay, text);
	json_put_string(o, "device", text);
	eui64_print(text, gw->eui64);
	json_put_string(o, "gateway", text);
	json_put_uint(o, "short", d->short_address);
	json_put_uint(o, "panID", gw->pan_id);
	eui64_print(text, gw->extended_pan_id);
	json_put_string(o, "extendedPanID", text);
	json_put_uint(o, "capability", d->capability);
	json_put_uint(o, "keySequence", g->sequence);
	json_put_string(o, "relay", relay);
	json_put_string(o, "application", d->application);
	json_put_uint(o, "generation", g->number);
	json_close(o);
}

static void key_put(struct json_out *o, const struct mef *m, const struct mef_device *d, const struct mef_generation *g, const struct mef_gateway *gw)
{
	char et[20];

	stamp(et, g->registered_at + KEY_DAYS * (uint64_t)DAY_S);
	json_object(o, NULL);
	json_object(o, REGISTRATION_KEY);
	json_put_string(o, "ri", g->key_id);
	json_put_string(o, "et", et);
	json_put_string(o, "sourceClientID", m->config.id);
	json_put_string(o, "adminFQDN", m->config.id);
	json_put_uint(o, "SUID", SUID_RSPF_ESDATA_ENC);
	json_array(o, "targetIDs");
	json_put_string(o, NULL, d->owner);
	json_close(o);
	key_carry(o, "keyValue", g->network);
	zigbee_put(o, d, g, gw);
	json_close(o);
	json_close(o);
}

static void retrieve_key(struct exchange *e)
{
	uint8_t buffer[ANSWER_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	struct mef_generation *g;
	struct mef_gateway *gw;
	struct mef_device *d;
	struct rd body;

	if (!own_key(e, &d, &g))
		return;
	gw = mef_gateway_find(e->mm->mef, d->gateway);
	if (!gw || d->state == DEVICE_REMOVED) {
		refuse(e, RSC_NOT_FOUND, "the device was removed");
		return;
	}
	key_put(&o, e->mm->mef, d, g, gw);
	if (!wr_done(&w, &body))
		refuse(e, RSC_INTERNAL_SERVER_ERROR, "answer does not fit");
	else if (mef_audit(e->mm->mef, "key fetched", d->eui64, d->gateway, e->id, NULL) != OK)
		refuse(e, RSC_INTERNAL_SERVER_ERROR, "the audit log can't be written");
	else
		answer(e->x, request_id(e->x), RSC_OK, body);
	bytes_wipe(buffer, sizeof buffer);
}

/* ---- APS relay and events ---- */

bool mmef_aps_body(const struct json *doc, struct mmef_aps_body *b)
{
	const struct json *aps = json_get(doc, REGISTRATION_APS);
	struct wr w = wr_of(b->frame, sizeof b->frame);
	uint64_t counter;
	struct rd text;

	if (!json_uint(json_get(aps, "counter"), &counter) || counter > UINT8_MAX || !json_string(json_get(aps, "frame"), &text) ||
	    !base64_parse(text, &w) || w.spoilt)
		return false;
	b->counter = (uint8_t)counter;
	b->len = w.len;
	return true;
}

static void aps_answer(struct exchange *e, const struct mef_aps_answer *a)
{
	uint8_t buffer[ANSWER_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	struct rd body;

	json_object(&o, NULL);
	json_object(&o, REGISTRATION_APS);
	json_put_string(&o, "outcome", a->outcome);
	if (a->len > 0)
		json_put_base64(&o, "frame", rd_of(a->octets, a->len));
	if (a->reason)
		json_put_string(&o, "reason", a->reason);
	json_put_bool(&o, "ack", a->ack);
	json_close(&o);
	json_close(&o);
	if (wr_done(&w, &body))
		answer(e->x, request_id(e->x), RSC_OK, body);
	else
		refuse(e, RSC_INTERNAL_SERVER_ERROR, "answer does not fit");
}

static void relay_aps(struct exchange *e)
{
	struct mmef_aps_body b;
	struct mef_aps_answer a;
	struct mef_generation *g;
	struct mef_device *d;

	if (!own_key(e, &d, &g))
		return;
	if (!mmef_aps_body(e->body, &b))
		refuse(e, RSC_BAD_REQUEST, "counter (0..255) and frame (base64) are needed");
	else if (mef_aps(e->mm->mef, d, g, b.counter, rd_of(b.frame, b.len), &a) != OK)
		refuse(e, RSC_INTERNAL_SERVER_ERROR, "the Trust Centre could not answer");
	else
		aps_answer(e, &a);
}

/* short and capability may be absent. */
bool mmef_event_body(const struct json *doc, struct mmef_event_body *b)
{
	const struct json *event = json_get(doc, REGISTRATION_EVENT), *address = json_get(event, "short"), *capability = json_get(event, "capability");
	uint64_t n = 0, k = 0;

	if (!json_string(json_get(event, "event"), &b->event) || (address && !json_uint(address, &n)) || n > UINT16_MAX ||
	    (capability && !json_uint(capability, &k)) || k > UINT8_MAX)
		return false;
	b->short_address = (uint16_t)n;
	b->capability = (uint8_t)k;
	return true;
}

static void take_event(struct exchange *e)
{
	struct mmef_event_body b;
	struct mef_generation *g;
	struct mef_device *d;

	if (!own_key(e, &d, &g))
		return;
	if (!mmef_event_body(e->body, &b))
		refuse(e, RSC_BAD_REQUEST, "event is needed; short and capability are numbers");
	else if (mef_event(e->mm->mef, d, g, b.event, b.short_address, b.capability) != OK)
		refuse(e, RSC_BAD_REQUEST, "no such event");
	else
		answer(e->x, request_id(e->x), RSC_OK, rd_str("{}"));
}

/* ---- routing ---- */

static const struct {
	const char *method;
	bool named;       /* /mef/NAME... */
	const char *leaf; /* /mef/NAME/LEAF */
	bool body;
	void (*serve)(struct exchange *e);
} routes[] = {
	{"POST", false, "", true, create_client},
	{"GET", true, "cmd", false, retrieve_command},
	{"PUT", true, "cmd", true, update_command},
	{"GET", true, "", false, retrieve_key},
	{"POST", true, "aps", true, relay_aps},
	{"POST", true, "event", true, take_event},
};

/* "/mef", "/mef/NAME" or "/mef/NAME/LEAF". */
static bool path_split(const char *path, struct rd *name, struct rd *leaf)
{
	struct rd rest = rd_str(path);

	*name = *leaf = rd_of(rest.at, 0);
	if (!rd_starts(rest, REGISTRATION_BASE_MEF) || !rd_skip(&rest, sizeof REGISTRATION_BASE_MEF - 1))
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

/* False: refused. TS-0003 8.3.5: a client is who its certificate says. */
static bool authenticate(struct exchange *e, char id[static MEF_ID_MAX])
{
	const struct mef *m = e->mm->mef;
	const char *from = http_request_header(e->x, "X-M2M-Origin");

	if (!e->rq->tls || !identity_to_id(e->rq->peer, m->config.sp, id, MEF_ID_MAX)) {
		refuse(e, RSC_SECURITY_ASSOCIATION_REQUIRED, "a certificate of this service provider is needed");
		return false;
	}
	if (!from || !http_request_header(e->x, "X-M2M-RI")) {
		refuse(e, RSC_BAD_REQUEST, "X-M2M-Origin and X-M2M-RI are needed");
		return false;
	}
	if (!identity_may_be(e->rq->peer, m->config.sp, REGISTRATION_BASE_MEF, rd_str(from))) {
		if (mef_noise_permits(e->mm->mef, &e->mm->mef->noise, NULL))
			(void)mef_audit(e->mm->mef, "request in another's name", 0, NULL, id, NULL);
		refuse(e, RSC_ORIGINATOR_NOT_AUTHENTICATED, "X-M2M-Origin is not whom the certificate names");
		return false;
	}
	if (!release_served(http_request_header(e->x, "X-M2M-RVI"))) {
		refuse(e, RSC_RELEASE_VERSION_NOT_SUPPORTED, "X-M2M-RVI is not served");
		return false;
	}
	e->id = id;
	return true;
}

static void serve(struct exchange *e, struct json_arena *arena)
{
	struct rd leaf;
	bool known = false;

	if (!path_split(e->rq->path, &e->name, &leaf)) {
		refuse(e, RSC_NOT_FOUND, "no such resource");
		return;
	}
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		if (routes[i].named != (e->name.left > 0) || !rd_is(leaf, routes[i].leaf))
			continue;
		known = true;
		if (strcmp(routes[i].method, e->rq->method) != 0)
			continue;
		if (routes[i].body && (!arena || json_parse(arena, e->rq->body, NULL, &e->body) != OK)) {
			refuse(e, RSC_BAD_REQUEST, "body is not JSON");
			return;
		}
		routes[i].serve(e);
		return;
	}
	refuse(e, known ? RSC_OPERATION_NOT_ALLOWED : RSC_NOT_FOUND, known ? "method not allowed here" : "no such resource");
}

static void on_request(void *ctx, struct http_exchange *x, const struct http_request *rq)
{
	struct exchange e = {.mm = ctx, .x = x, .rq = rq};
	struct json_arena *arena;
	char id[MEF_ID_MAX];

	if (!authenticate(&e, id))
		return;
	arena = json_arena_new();
	serve(&e, arena);
	json_arena_free(arena);
}

enum err mmef_new(struct mef *m, const char *host_port, struct tls_credentials *tls, struct mmef **out)
{
	struct mmef *mm = calloc(1, sizeof *mm);
	enum err e;

	if (!mm)
		return ERR_NO_MEMORY;
	mm->mef = m;
	e = http_server_new(m->loop, host_port, tls, on_request, mm, &mm->server);
	if (e != OK) {
		free(mm);
		return e;
	}
	m->client_wake = wake;
	m->client_ctx = mm;
	*out = mm;
	return OK;
}

uint16_t mmef_port(const struct mmef *mm)
{
	return http_server_port(mm->server);
}

void mmef_free(struct mmef *mm)
{
	if (!mm)
		return;
	for (struct mef_client *c = mm->mef->clients; c; c = c->next)
		wake(mm, c);
	mm->mef->client_wake = NULL;
	http_server_free(mm->server);
	free(mm);
}
