/* The registry over HTTPS: who is there, and the commands that wait for them. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "key_registry/answers.h"
#include "key_registry/registration_private.h"
#include "loop/log.h"

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

/* ---- commands ---- */

/* Answers with the oldest command, or that there is none. */
static void command_answer(struct registration_server *s, struct http_exchange *x, const char *registration, enum onem2m_rsc rsc)
{
	struct answer_buffer b;
	struct registry_command c;
	bool any = registry_command_first(s->registry, registration, &c);
	struct rd body = {NULL, 0};

	answer_command(registration_answer_begin(&b), any ? &c : NULL);
	if (!wr_done(&b.w, &body) || (any && !c.issued && registry_command_issued(s->registry, c.id) != OK)) {
		rsc = RSC_INTERNAL_SERVER_ERROR;
		body = rd_str("{}");
	}
	registration_answer_exchange(s, x, rsc, body);
}

void registration_set_timer(struct registration_server *s)
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
void registration_polls_end(struct registration_server *s, const char *client, uint64_t until)
{
	struct poll **link = &s->polls;

	while (*link) {
		if (client ? strcmp((*link)->client, client) == 0 : (*link)->until <= until)
			poll_end(s, link);
		else
			link = &(*link)->next;
	}
	registration_set_timer(s);
}

void registration_server_wake(struct registration_server *s, const char *client)
{
	registration_polls_end(s, client, 0);
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
		registration_refuse_as_registry(call, rsc);
	return false;
}

void registration_command_retrieve(struct registration_call *call)
{
	struct registration_server *s = call->s;
	uint64_t wait_s = wait_of(call->rq->query);
	struct registry_command first;
	struct registry_client c;
	struct poll *q;

	if (!own_registration(call, &c))
		return;
	registration_polls_end(s, c.client, 0); /* a former one that is still held */
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
	registration_set_timer(s);
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

void registration_command_update(struct registration_call *call)
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
