/* Discovery of our own containers, and of each one's owner in the access control policy of its `up`. */
#include "gateway/recover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "json/json.h"
#include "loop/log.h"

#define RETRY_MS 1000
#define OWNER_MAX 128

struct recovery {
	struct http_client *http;
	struct relay_config config;
	recover_found *found;
	void *ctx;
	struct loop_timer *retry;
	uint64_t *devices;
	size_t count, next;
	unsigned sequence;
};

static void go(struct recovery *r);

static void finish(struct recovery *r)
{
	loop_timer_free(r->retry);
	free(r->devices);
	free(r);
}

static void get(struct recovery *r, const char *path, http_done *done)
{
	char url[600], id[32];
	const struct http_header headers[] = {{"X-M2M-Origin", r->config.ae_id}, {"X-M2M-RI", id}, {"X-M2M-RVI", "3"}, {NULL, NULL}};
	const struct http_call_options o = {.method = "GET", .url = url, .peer = r->config.identity, .headers = headers};

	snprintf(url, sizeof url, "%s/%s/%s%s", r->config.url, r->config.cse_name, r->config.name, path);
	snprintf(id, sizeof id, "ni-r%u", ++r->sequence);
	http_call(r->http, &o, done, r);
}

/* "cse-mn/gw1/00124b0001020304" */
static bool device_of(struct rd uri, uint64_t *device)
{
	struct rd part;

	while (rd_until(&uri, '/', &part))
		;
	return eui64_parse(uri, device);
}

static bool list_read(struct recovery *r, const struct json *list)
{
	struct rd uri;

	for (const struct json *i = list ? list->first : NULL; i; i = i->next) {
		uint64_t device, *more;

		if (!json_string(i, &uri) || !device_of(uri, &device))
			continue;
		more = realloc(r->devices, (r->count + 1) * sizeof *more);
		if (!more)
			return false;
		r->devices = more;
		r->devices[r->count++] = device;
	}
	return true;
}

static void on_list(void *ctx, const struct http_result *res)
{
	struct recovery *r = ctx;
	struct json_arena *a = json_arena_new();
	const struct json *doc;

	if (res->error != OK || res->status >= 500) {
		json_arena_free(a);
		loop_timer_in(r->retry, RETRY_MS);
		return;
	}
	if (a && res->status < 300 && json_parse(a, res->body, NULL, &doc) == OK && list_read(r, json_get(doc, "m2m:uril")) && r->count > 0)
		log_line(LOG_LEVEL_NOTICE, "the file of children is gone; their owners are asked for them", "devices=%zu", r->count);
	json_arena_free(a);
	if (r->count > 0)
		go(r);
	else
		finish(r);
}

static void on_owner(void *ctx, const struct http_result *res)
{
	struct recovery *r = ctx;
	struct json_arena *a = json_arena_new();
	const struct json *doc, *rules = NULL, *origins = NULL;
	char owner[OWNER_MAX];

	if (res->error != OK || res->status >= 500) {
		json_arena_free(a);
		loop_timer_in(r->retry, RETRY_MS);
		return;
	}
	if (a && res->status < 300 && json_parse(a, res->body, NULL, &doc) == OK)
		rules = json_path(doc, "m2m:acp.pv.acr");
	if (rules && rules->first) /* as relay.c writes it: the first rule is the owner's, and the first name its own */
		origins = json_get(rules->first, "acor");
	if (origins && origins->first && json_text(origins->first, owner, sizeof owner))
		r->found(r->ctx, r->devices[r->next], owner);
	json_arena_free(a);
	if (++r->next < r->count)
		go(r);
	else
		finish(r);
}

static void go(struct recovery *r)
{
	char path[64], name[EUI64_SIZE];

	if (r->count == 0) {
		get(r, "?fu=1&ty=3&lbl=zigbee-relay", on_list);
		return;
	}
	eui64_print(name, r->devices[r->next]);
	snprintf(path, sizeof path, "/%s-up", name);
	get(r, path, on_owner);
}

static void on_retry(void *ctx)
{
	go(ctx);
}

void recover_start(struct loop *l, struct http_client *http, const struct relay_config *config, recover_found *found, void *ctx)
{
	struct recovery *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	r->http = http;
	r->config = *config;
	r->found = found;
	r->ctx = ctx;
	r->retry = loop_timer_new(l, on_retry, r);
	go(r);
}
