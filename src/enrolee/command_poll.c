/* Waiting for commands. */
#include "enrolee/command_poll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "loop/log.h"

#define POLL_S 25
#define POLL_MORE_MS 15000   /* beyond POLL_S, for the answer to come */
#define RETRY_FIRST_MS 250
#define RETRY_MOST_MS 30000
#define RETRY_DURATION_MOST_MS (3600 * 1000ULL)
#define URL_MAX 600

struct command_poll {
	struct command_poll_config config;
	struct http_client *http;
	struct tls_credentials *tls;   /* of the present registration */
	struct function_call *call;    /* registration */
	struct http_call *poll;        /* retrieval or report */
	struct loop_timer *timer;
	uint64_t wait_ms;
	uint64_t renew_at;             /* Unix seconds */
	char commands[FUNCTION_PATH_MAX];
	char present[CLIENT_COMMAND_ID], reported[CLIENT_COMMAND_ID]; /* the command that is carried out; the last one whose report was taken */
	unsigned sequence;
	bool registered;
};

static void ask(struct command_poll *p);

static uint64_t now_s(void)
{
	return clock_unix_ms() / 1000;
}

static void again_later(struct command_poll *p)
{
	p->wait_ms = p->wait_ms ? p->wait_ms * 2 : RETRY_FIRST_MS;
	if (p->wait_ms > RETRY_MOST_MS)
		p->wait_ms = RETRY_MOST_MS;
	loop_timer_in(p->timer, p->wait_ms);
}

/* ---- registration ---- */

static void on_registered(void *ctx, struct function_result *r)
{
	struct command_poll *p = ctx;

	p->call = NULL;
	if (r->error != OK || !r->answer.commands[0]) {
		if (p->wait_ms == 0)
			log_line(LOG_LEVEL_WARNING, "no registration at the MEF", "mef=%s rsc=%u reason=\"%s\"", p->config.mef.fqdn, r->rsc, r->detail);
		again_later(p);
		return;
	}
	snprintf(p->commands, sizeof p->commands, "%s", r->answer.commands);
	p->renew_at = now_s() + (r->answer.expires_at > now_s() ? (r->answer.expires_at - now_s()) * 2 / 3 : 0);
	if (!p->registered)
		log_line(LOG_LEVEL_INFO, "waiting for commands", "mef=%s", p->config.mef.fqdn);
	p->registered = true;
	p->wait_ms = 0;
	if (p->config.registered)
		p->config.registered(p->config.ctx, r->answer.id);
	ask(p);
}

static void begin(struct command_poll *p)
{
	struct function_caller k = {.http = p->http, .peer = &p->config.mef, .origin = p->config.origin};
	enum err e;

	tls_credentials_free(p->tls);
	p->tls = NULL;
	e = p->config.credentials(p->config.ctx, &p->tls);
	if (e != OK) {
		again_later(p);
		return;
	}
	k.tls = p->tls;
	p->call = function_client_register(&k, p->config.admin_fqdn ? p->config.admin_fqdn : p->config.mef.fqdn, now_s() + p->config.lifetime_s, on_registered, p);
}

static void on_timer(void *ctx)
{
	struct command_poll *p = ctx;

	if (p->registered && now_s() < p->renew_at)
		ask(p);
	else
		begin(p);
}

/* ---- commands ---- */

static void lost(struct command_poll *p, const char *why, unsigned status)
{
	if (p->registered)
		log_line(LOG_LEVEL_WARNING, "no commands from the MEF", "mef=%s status=%u reason=\"%s\"", p->config.mef.fqdn, status, why);
	p->registered = false;
	again_later(p);
}

static void take(struct command_poll *p, const struct client_command *c)
{
	snprintf(p->present, sizeof p->present, "%s", c->id);
	if (c->class == COMMAND_NO_MORE) {
		if (c->retry_ms > 0)
			loop_timer_in(p->timer, c->retry_ms < RETRY_DURATION_MOST_MS ? c->retry_ms : RETRY_DURATION_MOST_MS);
		else
			on_timer(p);
		return;
	}
	log_line(LOG_LEVEL_INFO, "command", "class=%llu id=%s", (unsigned long long)c->class, log_quote(rd_str(c->id)));
	if (strcmp(c->id, p->reported) == 0) /* 8.3.9 */
		command_poll_report(p, COMMAND_REPEATED_ID);
	else if (c->status != COMMAND_OK)
		command_poll_report(p, c->status);
	else
		p->config.carry_out(p->config.ctx, c);
}

static void on_command(void *ctx, const struct http_result *r)
{
	struct command_poll *p = ctx;
	struct json_arena *arena = json_arena_new();
	struct client_command c;
	const struct json *doc;

	p->poll = NULL;
	if (r->error == ERR_TIMEOUT)
		on_timer(p);
	else if (r->error != OK || r->status >= 300)
		lost(p, r->error == OK ? "it refused" : r->detail, r->status);
	else if (!arena || json_parse(arena, r->body, NULL, &doc) != OK || !client_command_parse(doc, &c))
		lost(p, "its answer is no command", r->status);
	else {
		p->wait_ms = 0;
		take(p, &c);
	}
	json_arena_free(arena);
}

static void on_reported(void *ctx, const struct http_result *r)
{
	struct command_poll *p = ctx;

	if (r->error == OK && r->status < 300)
		memcpy(p->reported, p->present, sizeof p->reported);
	on_command(p, r);
}

static void send(struct command_poll *p, const char *method, const char *query, struct rd body, uint64_t timeout_ms, http_done *done)
{
	char url[URL_MAX + FUNCTION_PATH_MAX], id[32];
	const struct http_header headers[] = {
		{"X-M2M-Origin", p->config.origin}, {"X-M2M-RI", id}, {"X-M2M-RVI", "3"}, {body.left ? "Content-Type" : NULL, "application/json"}, {NULL, NULL},
	};
	struct http_call_options o = {.method = method, .url = url, .peer = p->config.mef.fqdn, .tls = p->tls, .headers = headers, .body = body, .timeout_ms = timeout_ms};

	snprintf(url, sizeof url, "%s%s%s", p->config.mef.url, p->commands, query);
	snprintf(id, sizeof id, "c-%u", ++p->sequence);
	p->poll = http_call(p->http, &o, done, p);
}

static void ask(struct command_poll *p)
{
	char query[32];

	snprintf(query, sizeof query, "?wait=%d", POLL_S);
	send(p, "GET", query, rd_of(NULL, 0), POLL_S * 1000 + POLL_MORE_MS, on_command);
}

void command_poll_report(struct command_poll *p, enum command_status status)
{
	char body[200];

	log_line(status == COMMAND_OK ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "command carried out", "id=%s status=%d", log_quote(rd_str(p->present)), (int)status);
	snprintf(body, sizeof body, "{\"" REGISTRATION_COMMAND "\":{\"cmdID\":%s,\"cmdStatusCode\":%d}}", p->present, (int)status);
	send(p, "PUT", "", rd_str(body), 0, on_reported);
}

/* ---- start and end ---- */

struct command_poll *command_poll_new(const struct command_poll_config *c)
{
	struct command_poll *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->config = *c;
	p->http = http_client_new(c->loop, NULL);
	p->timer = loop_timer_new(c->loop, on_timer, p);
	loop_timer_in(p->timer, 0);
	return p;
}

void command_poll_free(struct command_poll *p)
{
	if (!p)
		return;
	if (p->call)
		function_call_cancel(p->call);
	if (p->poll)
		http_call_cancel(p->poll);
	loop_timer_free(p->timer);
	http_client_free(p->http);
	tls_credentials_free(p->tls);
	free(p);
}
