/* Subscriptions to the resources of devices, and what their notifications come to. */
#include "oci/node_group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "json/json.h"
#include "loop/log.h"

#define NAME "oci-commands"

/* Of a subscription under way; the watch is listed when its ID is known. */
struct making {
	struct watch watch;
	char to[JOB_TO_MAX];
};

static void on_retrieved(struct oci_node *n, void *ctx, const struct onem2m_response *rsp)
{
	const struct making *m = ctx;
	struct json_arena *a = json_arena_new();
	const struct json *doc;
	struct watch *w = calloc(1, sizeof *w);

	if (!a || !w)
		abort();
	*w = m->watch;
	if (json_parse(a, rsp->content, NULL, &doc) == OK && json_text(json_path(doc, "m2m:sub.ri"), w->id, sizeof w->id)) {
		if (!json_text(json_path(doc, "m2m:sub.pi"), w->resource, sizeof w->resource))
			w->resource[0] = '\0';
		w->next = n->watches;
		n->watches = w;
		if (w->kind == WATCH_MODULE)
			groups_resolve(n);
	} else {
		free(w);
		log_line(LOG_LEVEL_WARNING, "no subscription: commands will not be heard", "to=%s rsc=%d", m->to, (int)rsp->rsc);
	}
	json_arena_free(a);
}

static void on_created(struct oci_node *n, void *ctx, const struct onem2m_response *rsp)
{
	struct making *m = ctx, *again;
	char to[JOB_TO_MAX + 32];

	if (rsp->rsc != RSC_CONFLICT) {
		on_retrieved(n, ctx, rsp);
		return;
	}
	again = malloc(sizeof *again);
	if (!again)
		abort();
	*again = *m;
	snprintf(to, sizeof to, "%s/" NAME, m->to);
	node_job(n, ONEM2M_RETRIEVE, to, 0, rd_of(NULL, 0), on_retrieved, again);
}

void watch_make(struct oci_node *n, const char *to, enum watch_kind kind, uint64_t device, const char *name, const struct action *a)
{
	struct making *m = calloc(1, sizeof *m);
	bool of_children = kind == WATCH_RAW || kind == WATCH_PINS || kind == WATCH_SCENES;
	char body[300];

	if (!m)
		abort();
	m->watch = (struct watch){.kind = kind, .device = device, .action = a};
	snprintf(m->watch.name, sizeof m->watch.name, "%s", name);
	snprintf(m->to, sizeof m->to, "%s", to);
	for (struct watch *w = n->watches; w; w = w->next) {
		if (w->kind == kind && w->device == device && w->action == a && strcmp(w->name, name) == 0) {
			free(m);
			return; /* described again */
		}
	}
	/* whoever changed it is in the notification (eeno): our own changes are no commands */
	snprintf(body, sizeof body, "{\"m2m:sub\":{\"rn\":\"" NAME "\",\"nu\":[\"%s\"],\"nct\":1,\"eeno\":true,\"enc\":{\"net\":[%d]}}}", n->ae, of_children ? 3 : 1);
	node_job(n, ONEM2M_CREATE, to, 23, rd_str(body), on_created, m);
}

struct watch *watch_find(struct oci_node *n, enum watch_kind kind, uint64_t device)
{
	for (struct watch *w = n->watches; w; w = w->next)
		if (w->kind == kind && w->device == device)
			return w;
	return NULL;
}

void watch_forget(struct oci_node *n, uint64_t device)
{
	struct watch **link = &n->watches;

	while (*link) {
		struct watch *w = *link;

		if (w->device != device) {
			link = &w->next;
			continue;
		}
		*link = w->next;
		free(w);
	}
}

/* ---- notifications ---- */

/* "/id-b/sub17" of ours is "sub17". */
static struct watch *watch_of(struct oci_node *n, const struct json *sgn)
{
	struct rd sur;

	if (!json_string(json_get(sgn, "sur"), &sur) || !rd_starts(sur, n->config.cse_id) || !rd_skip(&sur, strlen(n->config.cse_id)) || !rd_starts(sur, "/") || !rd_skip(&sur, 1))
		return NULL;
	for (struct watch *w = n->watches; w; w = w->next)
		if (rd_is(sur, w->id))
			return w;
	return NULL;
}

/* What has no name of its own is not done by an application either. */
static bool is_own(const struct oci_node *n, const struct json *sgn)
{
	struct rd from;

	return !json_string(json_get(sgn, "cr"), &from) || rd_is(from, NODE_AE) || rd_is(from, n->ae);
}

static void act(struct oci_node *n, const struct watch *w, const struct json *sgn)
{
	const struct json *rep = json_get(json_get(sgn, "nev"), "rep"), *resource = rep && rep->type == JSON_OBJECT ? rep->first : NULL;

	if (!resource)
		return;
	if (w->kind == WATCH_MODULE && oci_core_grouped(n->core, w->device)) {
		gather_update(n, w->device, w->name, resource);
		return;
	}
	gather_flush(n); /* what was said before is done before */
	switch (w->kind) {
	case WATCH_MODULE:
		oci_core_update(n->core, clock_ms(), w->device, w->name, resource);
		break;
	case WATCH_ACTION:
		oci_core_action(n->core, clock_ms(), w->device, w->name, w->action);
		break;
	case WATCH_RAW:
		raw_down(n, w->device, resource);
		break;
	case WATCH_FIRMWARE:
		firmware_asked(n, w->device, resource);
		break;
	case WATCH_PINS:
		pins_down(n, w->device, resource);
		break;
	case WATCH_SCENES:
		scenes_down(n, (uint16_t)w->device, resource);
		break;
	}
}

bool watch_notify(struct oci_node *n, struct rd content)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc, *sgn = NULL;
	const struct watch *w = NULL;

	if (a && json_parse(a, content, NULL, &doc) == OK) {
		sgn = json_get(doc, "m2m:sgn");
		w = watch_of(n, sgn);
	}
	if (w && !is_own(n, sgn))
		act(n, w, sgn);
	json_arena_free(a);
	return w != NULL;
}
