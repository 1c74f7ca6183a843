/* The registry over HTTPS. */
#include "key_registry/registration_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "key_registry/answers.h"
#include "key_registry/association.h"
#include "key_registry/key_carrier.h"
#include "loop/log.h"
#include "onem2m/timestamp.h"

#define PRESENCE_BUCKETS 256
#define SWEEP_MS (10 * 60 * 1000)
#define NOISE_MOST 30 /* refusals in NOISE_MS that are logged one by one */
#define NOISE_MS 10000
#define RELEASE "3"
/* A commit costs two syncs of a disk. Who is alone is answered at once; when several came at once the last time, others are waited for so long. */
#define GATHER_MS 2
#define GATHER_MOST 256

/* An answer that waits for the commit. */
struct pending {
	struct pending *next;
	struct http_exchange *x;
	enum onem2m_rsc rsc;
	uint64_t losses; /* of the registry when it was made */
	char *request_id;
	uint8_t *body;
	size_t len;
};

/* A held Command Retrieve. */
struct poll {
	struct poll *next;
	struct http_exchange *x;
	char client[ENTITY_MAX], registration[REGISTRY_ID_SIZE];
	uint64_t until; /* monotonic ms */
};

struct presence {
	struct presence *next;
	uint64_t seen_at; /* monotonic ms */
	char client[];
};

struct registration_server {
	struct loop *loop;
	struct loop_timer *timer;
	struct http_server *http;
	struct registry *registry;
	struct registration_hooks hooks;
	struct pending *pending, **pending_end;
	unsigned pending_count, last_count; /* answers that wait; that shared the last commit */
	struct loop_timer *gather;
	struct poll *polls;
	struct presence *presence[PRESENCE_BUCKETS];
	uint64_t sweep_at, noise_at;
	unsigned noise;
};

struct registration_call {
	struct registration_server *s;
	struct http_exchange *x;
	const struct http_request *rq;
	struct association_peer peer;
	struct rd name, leaf; /* BASE/NAME/LEAF */
	const struct json *body;
	uint64_t now_s;
};

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

static void answer(struct registration_server *s, struct http_exchange *x, enum onem2m_rsc rsc, struct rd body)
{
	if (registry_is_dirty(s->registry))
		answer_later(s, x, rsc, body);
	else
		answer_now(x, request_id(x), rsc, body);
}

void registration_answer(struct registration_call *call, enum onem2m_rsc rsc, struct rd body)
{
	answer(call->s, call->x, rsc, body);
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

struct answer_buffer {
	uint8_t octets[REGISTRATION_ANSWER_MAX];
	struct wr w;
	struct json_out o;
};

static struct json_out *answer_begin(struct answer_buffer *b)
{
	b->w = wr_of(b->octets, sizeof b->octets);
	b->o = json_out(&b->w);
	return &b->o;
}

static void answer_end(struct registration_call *call, struct answer_buffer *b, enum onem2m_rsc rsc)
{
	struct rd body;

	if (wr_done(&b->w, &body))
		registration_answer(call, rsc, body);
	else
		registration_refuse(call, RSC_INTERNAL_SERVER_ERROR, "answer does not fit");
	bytes_wipe(b->octets, b->w.len);
}

static void refuse_as_registry(struct registration_call *call, enum onem2m_rsc rsc)
{
	registration_refuse(call, rsc, registry_reason(call->s->registry));
}

/* ---- presence ---- */

static unsigned bucket(const char *client)
{
	uint32_t h = 2166136261U; /* FNV-1a */

	for (; *client; client++)
		h = (h ^ (uint8_t)*client) * 16777619U;
	return h % PRESENCE_BUCKETS;
}

static struct presence *presence_find(const struct registration_server *s, const char *client)
{
	struct presence *p = s->presence[bucket(client)];

	while (p && strcmp(p->client, client) != 0)
		p = p->next;
	return p;
}

/* Only of clients that have authenticated themselves: there are no more of them than credentials. */
void registration_server_present(struct registration_server *s, const char *client, uint64_t now_ms)
{
	struct presence *p = presence_find(s, client);
	size_t size = strlen(client) + 1;

	if (!p) {
		p = calloc(1, sizeof *p + size);
		if (!p)
			return;
		memcpy(p->client, client, size);
		p->next = s->presence[bucket(client)];
		s->presence[bucket(client)] = p;
	}
	p->seen_at = now_ms;
}

bool registration_server_waits(const struct registration_server *s, const char *client)
{
	for (const struct poll *q = s->polls; q; q = q->next)
		if (strcmp(q->client, client) == 0)
			return true;
	return false;
}

bool registration_server_connected(const struct registration_server *s, const char *client, uint64_t now_ms)
{
	const struct presence *p = presence_find(s, client);

	return (p && now_ms - p->seen_at < REGISTRATION_PRESENT_MS) || registration_server_waits(s, client);
}

/* ---- client registration ---- */

static bool order_of(struct registration_call *call, const struct json *body, struct order *o)
{
	const char *reason = "";

	if (order_parse(body, o, &reason))
		return true;
	registration_refuse(call, RSC_BAD_REQUEST, reason);
	return false;
}

static void create_client(struct registration_call *call, const struct json *body)
{
	struct answer_buffer b;
	struct registry_client c;
	struct order o;
	enum onem2m_rsc rsc;

	if (!order_of(call, body, &o))
		return;
	rsc = registry_client_register(call->s->registry, &call->peer.peer, call->now_s, &o, &c);
	order_clear(&o);
	if (rsc != RSC_CREATED) {
		refuse_as_registry(call, rsc);
		return;
	}
	log_line(LOG_LEVEL_INFO, "client registered", "client=%s", c.client);
	answer_client(answer_begin(&b), registry_config(call->s->registry), &c);
	answer_end(call, &b, rsc);
}

static void retrieve_client(struct registration_call *call)
{
	struct answer_buffer b;
	struct registry_client c;
	enum onem2m_rsc rsc = registry_client_retrieve(call->s->registry, &call->peer.peer, call->now_s, call->name, &c);

	if (rsc != RSC_OK) {
		refuse_as_registry(call, rsc);
	} else if (!c.config[0]) {
		registration_refuse(call, RSC_NOT_FOUND, "no configuration is set for this client");
	} else {
		answer_client_config(answer_begin(&b), registry_config(call->s->registry), &c);
		answer_end(call, &b, rsc);
	}
}

static void update_client(struct registration_call *call, const struct json *body)
{
	struct answer_buffer b;
	struct registry_client c;
	struct order o;
	enum onem2m_rsc rsc;

	if (!order_of(call, body, &o))
		return;
	rsc = registry_client_update(call->s->registry, &call->peer.peer, call->now_s, call->name, &o, &c);
	if (rsc == RSC_UPDATED) {
		answer_client_update(answer_begin(&b), registry_config(call->s->registry), &c, &o);
		answer_end(call, &b, rsc);
	} else {
		refuse_as_registry(call, rsc);
	}
	order_clear(&o);
}

/* ---- keys ---- */

static void create_key(struct registration_call *call, const struct json *body)
{
	struct answer_buffer b;
	struct registry_key k;
	struct order o;
	enum onem2m_rsc rsc;

	if (!order_of(call, body, &o))
		return;
	rsc = registry_key_register(call->s->registry, &call->peer.peer, call->now_s, &o, &k);
	order_clear(&o);
	if (rsc != RSC_CREATED) {
		refuse_as_registry(call, rsc);
		return;
	}
	(void)!answer_key(answer_begin(&b), &k, NULL, NULL);
	answer_end(call, &b, rsc);
}

static void retrieve_key(struct registration_call *call)
{
	const struct registration_hooks *h = &call->s->hooks;
	struct answer_buffer b;
	struct registry_key k;
	enum onem2m_rsc rsc = registry_key_retrieve(call->s->registry, &call->peer.peer, call->now_s, call->name, &k);

	if (rsc != RSC_OK) {
		refuse_as_registry(call, rsc);
		return;
	}
	if (answer_key(answer_begin(&b), &k, h->key_members, h->ctx))
		answer_end(call, &b, rsc);
	else
		registration_refuse(call, RSC_NOT_FOUND, "the key is not to be had any more");
	bytes_wipe(b.octets, sizeof b.octets);
	registry_key_clear(&k);
}

static void update_key(struct registration_call *call, const struct json *body)
{
	struct answer_buffer b;
	struct registry_key k;
	struct order o;
	enum onem2m_rsc rsc;

	if (!order_of(call, body, &o))
		return;
	rsc = registry_key_update(call->s->registry, &call->peer.peer, call->now_s, call->name, &o, &k);
	if (rsc == RSC_UPDATED) {
		answer_key_update(answer_begin(&b), &k, &o);
		answer_end(call, &b, rsc);
	} else {
		refuse_as_registry(call, rsc);
	}
	order_clear(&o);
}

/* ---- BASE and BASE/NAME ---- */

static void create(struct registration_call *call)
{
	const struct json *client = json_get(call->body, registration_client_root(registry_config(call->s->registry)->kind));
	const struct json *key = json_get(call->body, REGISTRATION_KEY);

	if (client)
		create_client(call, client);
	else if (key)
		create_key(call, key);
	else
		registration_refuse(call, RSC_BAD_REQUEST, "neither a client registration nor a key registration");
}

/* A name is a client registration's or a key's. */
static bool is_client(const struct registration_call *call)
{
	struct registry_client c;

	return registry_client_by_id(call->s->registry, call->name, call->now_s, &c);
}

static void retrieve(struct registration_call *call)
{
	if (is_client(call))
		retrieve_client(call);
	else
		retrieve_key(call);
}

static void update(struct registration_call *call)
{
	const struct json *client = json_get(call->body, registration_client_root(registry_config(call->s->registry)->kind));
	const struct json *key = json_get(call->body, REGISTRATION_KEY);

	if (client)
		update_client(call, client);
	else if (key)
		update_key(call, key);
	else
		registration_refuse(call, RSC_BAD_REQUEST, "neither a client registration nor a key registration");
}

static void delete(struct registration_call *call)
{
	enum onem2m_rsc rsc = is_client(call) ? registry_client_deregister(call->s->registry, &call->peer.peer, call->now_s, call->name)
					      : registry_key_deregister(call->s->registry, &call->peer.peer, call->now_s, call->name);

	if (rsc == RSC_DELETED)
		registration_answer(call, rsc, rd_str("{}"));
	else
		refuse_as_registry(call, rsc);
}

/* Only a target may use what lies below a key. */
static void post_below_key(struct registration_call *call)
{
	const struct registration_hooks *h = &call->s->hooks;
	char id[REGISTRY_ID_SIZE];

	switch (registry_key_access(call->s->registry, call->peer.peer.client, call->now_s, call->name)) {
	case REGISTRY_NO_KEY:
		registration_refuse(call, RSC_NOT_FOUND, "no such key");
		break;
	case REGISTRY_NO_TARGET:
		registration_refuse(call, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "not a target of this key");
		break;
	case REGISTRY_TARGET:
		if (!h->key_post || !rd_text(call->name, id, sizeof id) || !h->key_post(h->ctx, call, id, call->leaf, call->body))
			registration_refuse(call, RSC_NOT_FOUND, "no such resource");
		break;
	}
}

/* ---- commands ---- */

/* Answers with the oldest command, or that there is none. */
static void command_answer(struct registration_server *s, struct http_exchange *x, const char *registration, enum onem2m_rsc rsc)
{
	struct answer_buffer b;
	struct registry_command c;
	bool any = registry_command_first(s->registry, registration, &c);
	struct rd body = {NULL, 0};

	answer_command(answer_begin(&b), any ? &c : NULL);
	if (!wr_done(&b.w, &body) || (any && !c.issued && registry_command_issued(s->registry, c.id) != OK)) {
		rsc = RSC_INTERNAL_SERVER_ERROR;
		body = rd_str("{}");
	}
	answer(s, x, rsc, body);
}

static void set_timer(struct registration_server *s)
{
	uint64_t first = s->sweep_at;

	for (const struct poll *q = s->polls; q; q = q->next)
		if (q->until < first)
			first = q->until;
	loop_timer_at(s->timer, first);
}

static void poll_end(struct registration_server *s, struct poll **link)
{
	struct poll *q = *link;

	*link = q->next;
	registration_server_present(s, q->client, clock_ms());
	command_answer(s, q->x, q->registration, RSC_OK);
	free(q);
}

/* Those of a client, or all whose time is over. */
static void polls_end(struct registration_server *s, const char *client, uint64_t until)
{
	struct poll **link = &s->polls;

	while (*link) {
		if (client ? strcmp((*link)->client, client) == 0 : (*link)->until <= until)
			poll_end(s, link);
		else
			link = &(*link)->next;
	}
	set_timer(s);
}

void registration_server_wake(struct registration_server *s, const char *client)
{
	polls_end(s, client, 0);
}

static uint64_t wait_of(const char *query)
{
	struct rd q = rd_str(query);
	uint64_t s = 0;

	if (!rd_starts(q, "wait=") || !rd_skip(&q, 5) || !rd_decimal(q, &s))
		return 0;
	return s > REGISTRATION_WAIT_MAX_S ? REGISTRATION_WAIT_MAX_S : s;
}

/* The registration in the path must be the client's own. */
static bool own_registration(struct registration_call *call, struct registry_client *c)
{
	enum onem2m_rsc rsc = registry_config(call->s->registry)->kind == REGISTRY_MEF
	    ? registry_client_retrieve(call->s->registry, &call->peer.peer, call->now_s, call->name, c)
	    : RSC_OPERATION_NOT_ALLOWED;

	if (rsc == RSC_OK)
		return true;
	if (rsc == RSC_OPERATION_NOT_ALLOWED)
		registration_refuse(call, rsc, "a MAF has no commands");
	else
		refuse_as_registry(call, rsc);
	return false;
}

static void retrieve_command(struct registration_call *call)
{
	struct registration_server *s = call->s;
	uint64_t wait_s = wait_of(call->rq->query);
	struct registry_command first;
	struct registry_client c;
	struct poll *q;

	if (!own_registration(call, &c))
		return;
	polls_end(s, c.client, 0); /* a former one that is still held */
	q = wait_s > 0 && !registry_command_first(s->registry, c.id, &first) ? calloc(1, sizeof *q) : NULL;
	if (!q) {
		command_answer(s, call->x, c.id, RSC_OK);
		return;
	}
	q->x = call->x;
	memcpy(q->client, c.client, sizeof q->client);
	memcpy(q->registration, c.id, sizeof q->registration);
	q->until = clock_ms() + wait_s * 1000;
	q->next = s->polls;
	s->polls = q;
	set_timer(s);
}

bool registration_report_parse(const struct json *body, uint64_t *command, uint64_t *status)
{
	const struct json *cmd = json_get(body, REGISTRATION_COMMAND), *id = json_get(cmd, "cmdID");
	struct rd text;

	if (!json_uint(json_get(cmd, "cmdStatusCode"), status))
		return false;
	return json_uint(id, command) || (json_string(id, &text) && rd_decimal(text, command));
}

static void report(struct registration_server *s, const struct registry_client *c, uint64_t id, uint64_t status)
{
	const char *name = command_status_name(status);
	struct registry_command cmd;

	if (!registry_command_report(s->registry, c->id, id, &cmd))
		return; /* TS-0003 8.3.9: a report on another command is discarded */
	if (cmd.about == 0 && registry_command_note(s->registry, c->client, &cmd, status, clock_unix_ms() / 1000) != OK)
		log_line(LOG_LEVEL_ERROR, "a report can't be written down", "client=%s command=%llu", c->client, (unsigned long long)id);
	if (status != COMMAND_OK)
		log_line(LOG_LEVEL_WARNING, "client could not carry out a command", "client=%s class=%d status=%llu name=%s", c->client, (int)cmd.class,
		    (unsigned long long)status, name ? name : "unknown");
	if (s->hooks.reported)
		s->hooks.reported(s->hooks.ctx, &cmd, c->client, status);
}

static void update_command(struct registration_call *call)
{
	struct registry_client c;
	uint64_t id, status;

	if (!own_registration(call, &c))
		return;
	if (!registration_report_parse(call->body, &id, &status)) {
		registration_refuse(call, RSC_BAD_REQUEST, "cmdID and cmdStatusCode are needed");
		return;
	}
	report(call->s, &c, id, status);
	command_answer(call->s, call->x, c.id, RSC_UPDATED);
}

/* ---- fetch by enrolment target (TS-0003 8.3.2.1) ---- */

#define FETCH_PATH "/fetchCredentials/"

/* KeID/SUID; the `@` may have been escaped on its way. */
static bool fetch_split(struct rd path, const char *fqdn, struct rd *relative, enum suid *suid)
{
	struct rd key, text;
	char id[KEY_ID_MAX];
	struct key_id parts;
	uint64_t n;
	char *escaped;

	if (!rd_until(&path, '/', &key) || !rd_text(key, id, sizeof id) || !rd_decimal(path, &n) || suid_parse(n, suid) != OK || *suid == SUID_NONE)
		return false;
	escaped = strstr(id, "%40");
	text = rd_of(id, escaped ? (size_t)(escaped - id) : strcspn(id, "@"));
	if (escaped) {
		*escaped = '@';
		memmove(escaped + 1, escaped + 3, strlen(escaped + 3) + 1);
	}
	if (key_id_split(rd_str(id), &parts) != OK || !fqdn_equal(parts.fqdn, rd_str(fqdn)))
		return false;
	*relative = rd_of(key.at, text.left); /* in the request, which stays */
	return true;
}

static void answer_fetch(struct registration_call *call, enum onem2m_rsc rsc, const struct registry_key *k, const char *reason)
{
	struct answer_buffer b;
	struct json_out *o = answer_begin(&b);
	char end[TIMESTAMP_SIZE];

	json_object(o, NULL);
	json_put_bool(o, "Status", k != NULL);
	if (k) {
		timestamp_print(end, k->expires_at * 1000);
		key_carry(o, "Credential", k->value);
		json_put_string(o, "EnroleeID", k->source);
		json_put_string(o, "Lifetime", end);
	} else {
		json_put_string(o, "ErrorString", reason);
	}
	json_close(o);
	answer_end(call, &b, rsc);
}

static void fetch_credentials(struct registration_call *call, struct rd path)
{
	const struct registry_config *c = registry_config(call->s->registry);
	struct registry_key k = {.value = NULL};
	enum onem2m_rsc rsc = RSC_BAD_REQUEST;
	enum suid suid = SUID_NONE;
	struct rd relative;

	if (strcmp(call->rq->method, "GET") != 0 || !fetch_split(path, c->fqdn, &relative, &suid)) {
		answer_fetch(call, rsc, NULL, "GET /fetchCredentials/KeID/SUID, with a KeID of this MEF, is what there is");
		return;
	}
	rsc = registry_credential_fetch(call->s->registry, &call->peer.peer, call->now_s, relative, suid, &k);
	answer_fetch(call, rsc, rsc == RSC_OK ? &k : NULL, registry_reason(call->s->registry));
	registry_key_clear(&k);
}

/* ---- routing ---- */

static const struct {
	const char *method;
	bool named;       /* BASE/NAME... */
	const char *leaf; /* BASE/NAME/LEAF; NULL: any but "" and those above */
	bool body;
	void (*serve)(struct registration_call *call);
} routes[] = {
	{"POST", false, "", true, create},
	{"GET", true, "cmd", false, retrieve_command},
	{"PUT", true, "cmd", true, update_command},
	{"GET", true, "", false, retrieve},
	{"PUT", true, "", true, update},
	{"DELETE", true, "", false, delete},
	{"POST", true, NULL, true, post_below_key},
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
		fetch_credentials(call, fetch);
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
	polls_end(s, NULL, now);
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
	set_timer(s);
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
	polls_end(s, NULL, UINT64_MAX);
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
