/* The oneM2M groups of this CSE whose members are resources of devices: their members are read whenever one is made or changed, and whenever more resources
 * of devices are known. Which of the devices share a network is the core's matter. */
#include "oci/node_group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "json/json.h"
#include "loop/log.h"

#define SOURCES_MAX 1024
#define READ_MS 20      /* what changes now is read when the CSE has done it */
#define RESOLVE_MS 300  /* resources of a device become known one by one */
#define AGAIN_MS 2000

/* What is done about it in this round. What is done may end others, or it. */
enum turn { TURN_NONE, TURN_READ, TURN_APPLY };

struct source {
	struct source *next;
	char id[OCI_SOURCE], name[OCI_GROUP_NAME];
	bool due, known;    /* due: to be read */
	enum turn turn;
	char (*members)[OCI_SOURCE];
	size_t count;
};

/* The flexContainer of a device. */
struct device_id {
	struct device_id *next;
	uint64_t eui64;
	char id[OCI_SOURCE];
};

struct groups {
	struct oci_node *node;
	struct source *sources;
	size_t source_count;
	struct device_id *devices;
	struct loop_timer *timer;
	bool armed, resolve;
};

static struct source *source_of(struct groups *g, const char *id, bool make)
{
	struct source *s = g->sources;

	while (s && strcmp(s->id, id) != 0)
		s = s->next;
	if (s || !make || g->source_count == SOURCES_MAX || strlen(id) >= sizeof s->id)
		return s;
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	snprintf(s->id, sizeof s->id, "%s", id);
	s->next = g->sources;
	g->sources = s;
	g->source_count++;
	return s;
}

static void source_drop(struct groups *g, struct source *s)
{
	struct source **link = &g->sources;

	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	g->source_count--;
	free(s->members);
	free(s);
}

static void later(struct groups *g, uint64_t ms)
{
	if (g->armed)
		return;
	g->armed = true;
	loop_timer_in(g->timer, ms);
}

/* ---- who the members are ---- */

static bool endpoint_named(const struct oci_device *d, const char *name, uint8_t *endpoint)
{
	for (size_t i = 0; d && i < d->place_count; i++) {
		const struct oci_place *p = &d->places[i];
		char own[32];

		oci_place_name(d, p, p->point->module, own);
		if (p->point->write_count == 0 || (name && strcmp(own, name) != 0))
			continue;
		*endpoint = d->endpoints[p->endpoint].id;
		return true;
	}
	return false;
}

/* Of a device as a whole, its first endpoint that can be told something is meant. */
static bool resolve(struct oci_node *n, const char *id, struct oci_endpoint_of *e)
{
	for (const struct watch *w = n->watches; w; w = w->next) {
		if (w->kind == WATCH_MODULE && strcmp(w->resource, id) == 0) {
			e->eui64 = w->device;
			return endpoint_named(oci_core_device(n->core, w->device), w->name, &e->endpoint);
		}
	}
	for (const struct device_id *d = n->groups->devices; d; d = d->next) {
		if (strcmp(d->id, id) == 0) {
			e->eui64 = d->eui64;
			return endpoint_named(oci_core_device(n->core, d->eui64), NULL, &e->endpoint);
		}
	}
	return false;
}

static bool has(const struct oci_endpoint_of *list, size_t n, const struct oci_endpoint_of *e)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].eui64 == e->eui64 && list[i].endpoint == e->endpoint)
			return true;
	return false;
}

static void apply(struct oci_node *n, const struct source *s)
{
	struct oci_endpoint_of *list = calloc(s->count + 1, sizeof *list), one;
	size_t count = 0;
	enum err e;

	if (!list)
		abort();
	for (size_t i = 0; i < s->count; i++)
		if (resolve(n, s->members[i], &one) && !has(list, count, &one))
			list[count++] = one;
	e = oci_core_group(n->core, clock_ms(), s->id, s->name, list, count);
	if (e != OK)
		log_line(LOG_LEVEL_WARNING, "not all of a group is a Zigbee group", "group=%s reason=%s", s->id, err_name(e));
	free(list);
	node_pump(n);
}

/* ---- reading ---- */

static void take_members(struct source *s, const struct json *group)
{
	const struct json *mid = json_get(group, "mid");

	if (!json_text(json_get(group, "rn"), s->name, sizeof s->name))
		snprintf(s->name, sizeof s->name, "%.16s", s->id);
	free(s->members);
	s->count = 0;
	s->members = calloc(mid ? mid->count + 1 : 1, sizeof *s->members);
	if (!s->members)
		abort();
	for (const struct json *m = mid ? mid->first : NULL; m && s->count < OCI_GROUP_MEMBERS; m = m->next)
		if (json_text(m, s->members[s->count], sizeof s->members[0]))
			s->count++;
	s->known = true;
}

static void taken(struct oci_node *n, const struct json *group)
{
	struct source *s;
	char id[OCI_SOURCE];

	if (!json_text(json_get(group, "ri"), id, sizeof id))
		return;
	s = source_of(n->groups, id, true);
	if (!s) {
		log_line(LOG_LEVEL_WARNING, "too many groups: this one is no Zigbee group", "group=%s", id);
		return;
	}
	take_members(s, group);
	apply(n, s);
}

static void gone(struct oci_node *n, struct source *s)
{
	char id[OCI_SOURCE];

	snprintf(id, sizeof id, "%s", s->id);
	s->count = 0;
	apply(n, s);
	s = source_of(n->groups, id, false);
	if (s)
		source_drop(n->groups, s);
}

/* ctx: the ID that it was asked for by, or its address. */
static void on_read(struct oci_node *n, void *ctx, const struct onem2m_response *rsp)
{
	struct source *s = source_of(n->groups, ctx, false);
	struct json_arena *a = json_arena_new();
	const struct json *doc;

	if (a && rsp->rsc == RSC_OK && json_parse(a, rsp->content, NULL, &doc) == OK && json_get(doc, "m2m:grp")) {
		taken(n, json_get(doc, "m2m:grp"));
	} else if (s && rsp->rsc == RSC_NOT_FOUND) {
		gone(n, s);
	} else if (s) {
		s->due = true;
		later(n->groups, AGAIN_MS);
	}
	json_arena_free(a);
}

static void read_group(struct oci_node *n, const char *to, const char *id)
{
	char *ctx = strdup(id);

	if (!ctx)
		abort();
	node_job(n, ONEM2M_RETRIEVE, to, 0, rd_of(NULL, 0), on_read, ctx);
}

static void read_source(struct oci_node *n, struct source *s)
{
	char to[JOB_TO_MAX];

	s->due = false;
	snprintf(to, sizeof to, "%s/%s", n->config.cse_id, s->id);
	read_group(n, to, s->id);
}

static struct source *with_turn(struct groups *g)
{
	struct source *s = g->sources;

	while (s && s->turn == TURN_NONE)
		s = s->next;
	return s;
}

static void on_time(void *ctx)
{
	struct groups *g = ctx;
	struct source *s;

	for (s = g->sources; s; s = s->next)
		s->turn = s->due ? TURN_READ : g->resolve && s->known ? TURN_APPLY : TURN_NONE;
	g->armed = g->resolve = false;
	while ((s = with_turn(g)) != NULL) {
		enum turn turn = s->turn;

		s->turn = TURN_NONE;
		if (turn == TURN_READ)
			read_source(g->node, s);
		else
			apply(g->node, s);
	}
}

/* In the midst of what the CSE does. */
static void on_changed(void *ctx, const char *id)
{
	struct oci_node *n = ctx;
	struct source *s = source_of(n->groups, id, true);

	if (!s)
		return;
	s->due = true;
	later(n->groups, READ_MS);
}

void groups_resolve(struct oci_node *n)
{
	if (!n->groups)
		return;
	n->groups->resolve = true;
	later(n->groups, RESOLVE_MS);
}

/* ---- devices ---- */

static bool device_known(const struct oci_node *n, uint64_t eui64)
{
	for (const struct device_id *d = n->groups->devices; d; d = d->next)
		if (d->eui64 == eui64)
			return true;
	return false;
}

static void on_device(struct oci_node *n, void *ctx, const struct onem2m_response *rsp)
{
	const uint64_t *eui64 = ctx;
	struct json_arena *a = json_arena_new();
	struct device_id *d = calloc(1, sizeof *d);
	const struct json *doc;

	if (!a || !d)
		abort();
	d->eui64 = *eui64;
	if (!device_known(n, *eui64) && rsp->rsc == RSC_OK && json_parse(a, rsp->content, NULL, &doc) == OK && doc->first && json_text(json_get(doc->first, "ri"), d->id, sizeof d->id)) {
		d->next = n->groups->devices;
		n->groups->devices = d;
		groups_resolve(n);
	} else {
		free(d);
	}
	json_arena_free(a);
}

void groups_device_made(struct oci_node *n, uint64_t device, const char *path)
{
	uint64_t *eui64;

	if (device_known(n, device))
		return;
	eui64 = malloc(sizeof *eui64);
	if (!eui64)
		abort();
	*eui64 = device;
	node_job(n, ONEM2M_RETRIEVE, path, 0, rd_of(NULL, 0), on_device, eui64);
}

void groups_device_gone(struct oci_node *n, uint64_t device)
{
	struct device_id **link = &n->groups->devices;

	while (*link) {
		struct device_id *d = *link;

		if (d->eui64 != device) {
			link = &d->next;
			continue;
		}
		*link = d->next;
		free(d);
	}
}

/* ---- start ---- */

static void on_found(void *ctx, const struct onem2m_response *rsp)
{
	struct oci_node *n = ctx;
	struct json_arena *a = json_arena_new();
	const struct json *doc, *list = NULL;
	char address[JOB_TO_MAX];

	if (a && rsp->rsc == RSC_OK && json_parse(a, rsp->content, NULL, &doc) == OK)
		list = json_get(doc, "m2m:uril");
	else
		log_line(LOG_LEVEL_WARNING, "the groups of this CSE are not known", "rsc=%d", (int)rsp->rsc);
	for (const struct json *u = list ? list->first : NULL; u; u = u->next)
		if (json_text(u, address, sizeof address))
			read_group(n, address, address);
	json_arena_free(a);
}

/* What was asked for before this has been answered: most resources of devices are known. Of a Zigbee group whose oneM2M group went while nobody looked,
 * it is found out too. */
static void on_marker(struct oci_node *n, void *ctx, const struct onem2m_response *rsp)
{
	(void)ctx;
	(void)rsp;
	for (const struct oci_group *g = oci_core_groups(n->core); g; g = g->next)
		on_changed(n, g->source);
	node_request(n, ONEM2M_RETRIEVE, n->config.cse_name, 0, ONEM2M_RCN_ABSENT, "fu=1&ty=9", NULL, on_found, n);
}

void groups_make(struct oci_node *n)
{
	n->groups = calloc(1, sizeof *n->groups);
	if (!n->groups)
		abort();
	n->groups->node = n;
	n->groups->timer = loop_timer_new(n->loop, on_time, n->groups);
	gather_make(n);
	scenes_make(n);
}

void groups_start(struct oci_node *n)
{
	for (const struct oci_group *g = oci_core_groups(n->core); g; g = g->next)
		scenes_changed(n, g->id);
	cse_use_groups(n->cse, on_changed, n);
	node_job(n, ONEM2M_RETRIEVE, n->config.cse_name, 0, rd_of(NULL, 0), on_marker, NULL);
}
