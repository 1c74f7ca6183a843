/* IPE-NI's registration, and the requests that it makes. */
#include "gateway/relay_private.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "loop/log.h"

void relay_call(struct relay *r, const char *method, const char *path, int ty, const char *body, http_done *done, void *ctx)
{
	char url[600], id[32], type[64];
	const struct http_header headers[] = {
		{"X-M2M-Origin", r->config.ae_id}, {"X-M2M-RI", id}, {"X-M2M-RVI", "3"}, {"Content-Type", type}, {NULL, NULL},
	};
	struct http_call_options o = {.method = method, .url = url, .peer = r->config.identity, .headers = headers, .body = rd_str(body ? body : "")};

	snprintf(url, sizeof url, "%s/%s%s", r->config.url, r->config.cse_name, path);
	snprintf(id, sizeof id, "ni-%u", ++r->sequence);
	snprintf(type, sizeof type, ty ? "application/json;ty=%d" : "application/json", ty);
	http_call(r->http, &o, done, ctx);
}

void relay_note_clock(struct relay *r, const struct http_result *res)
{
	uint64_t date_s = http_result_date(res);

	if (res->error != OK || date_s == 0)
		return;
	r->clock_known = true;
	r->cse_ahead_s = (int64_t)date_s - (int64_t)(clock_unix_ms() / 1000);
}

uint64_t relay_cse_clock_s(const struct relay *r)
{
	return r->clock_known ? (uint64_t)((int64_t)(clock_unix_ms() / 1000) + r->cse_ahead_s) : 0;
}

/* 2xx, or there already: that is the same to us. */
bool relay_made(const struct http_result *res)
{
	return res->error == OK && (res->status < 300 || res->status == 409);
}

static void on_registered(void *ctx, const struct http_result *res)
{
	struct relay *r = ctx;
	const char *rsc = http_result_header(res, "X-M2M-RSC");

	r->calling = false;
	if (!relay_made(res) && !(rsc && strcmp(rsc, "4117") == 0)) {
		if (res->error == OK)
			log_line(LOG_LEVEL_WARNING, "registrar CSE refused the AE", "status=%u", res->status);
		loop_timer_in(r->retry, RELAY_RETRY_MS);
		return;
	}
	if (!r->registered)
		log_line(LOG_LEVEL_INFO, "registered", "ae=%s cse=%s", r->config.ae_id, r->config.cse_id);
	r->registered = true;
	for (struct channel *c = r->channels; c; c = c->next)
		channel_go(c);
}

static void on_checked(void *ctx, const struct http_result *res)
{
	struct relay *r = ctx;

	r->calling = false;
	if (res->error == OK && res->status < 300)
		on_registered(ctx, res);
	else if (res->error == OK)
		relay_register(r);
	else
		loop_timer_in(r->retry, RELAY_RETRY_MS);
}

/* An AE that is there already gets the present point of access. */
void relay_register_again(struct relay *r)
{
	char body[512], path[160];

	snprintf(path, sizeof path, "/%s", r->config.name);
	snprintf(body, sizeof body, "{\"m2m:ae\":{\"poa\":[\"%s\"]}}", r->config.poa);
	r->calling = true;
	relay_call(r, "PUT", path, 0, body, on_checked, r);
}

void relay_register(struct relay *r)
{
	char body[512];

	if (r->calling)
		return;
	r->calling = true;
	snprintf(body, sizeof body, "{\"m2m:ae\":{\"rn\":\"%s\",\"api\":\"Nkeyway.ipe-ni\",\"rr\":true,\"srv\":[\"3\"],\"poa\":[\"%s\"]}}", r->config.name, r->config.poa);
	relay_call(r, "POST", "", 2, body, on_registered, r);
}
