/* The devices as SDT flexContainers under the CSEBase: one a device, module classes below; one request at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "json/json.h"
#include "loop/log.h"
#include "oci/node_request.h"

#define BODY_MAX 1024

struct job {
	struct job *next;
	enum onem2m_operation operation;
	int type;
	uint64_t device;
	char to[300], body[BODY_MAX];
};

struct mirror {
	struct oci_node *node;
	struct job *first, **last;
	bool busy;
};

static void next(struct mirror *m);

static struct job *job_add(struct mirror *m, enum onem2m_operation operation, int type, uint64_t device)
{
	struct job *j = calloc(1, sizeof *j);

	if (!j)
		abort();
	j->operation = operation;
	j->type = type;
	j->device = device;
	*m->last = j;
	m->last = &j->next;
	return j;
}

static void on_done(void *ctx, const struct onem2m_response *rsp)
{
	struct mirror *m = ctx;
	struct job *j = m->first;

	m->busy = false;
	if (rsp->rsc != RSC_CREATED && rsp->rsc != RSC_UPDATED && rsp->rsc != RSC_DELETED && rsp->rsc != RSC_CONFLICT && rsp->rsc != RSC_NOT_FOUND)
		log_line(LOG_LEVEL_WARNING, "resource not written", "to=%s rsc=%d", j->to, (int)rsp->rsc);
	m->first = j->next;
	if (!m->first)
		m->last = &m->first;
	free(j);
	next(m);
}

static void next(struct mirror *m)
{
	struct job *j = m->first;

	if (m->busy || !j)
		return;
	m->busy = true;
	node_request(m->node, j->operation, j->to, j->type, 0, "rcn=0", j->operation == ONEM2M_DELETE ? NULL : j->body, on_done, m);
}

void mirror_start(struct oci_node *n)
{
	n->mirror = calloc(1, sizeof *n->mirror);
	if (!n->mirror)
		abort();
	n->mirror->node = n;
	n->mirror->last = &n->mirror->first;
}

static void device_path(const struct oci_node *n, uint64_t device, char *path, size_t size)
{
	char eui64[EUI64_SIZE];

	eui64_print(eui64, device);
	snprintf(path, size, "%s/zb-%s", n->config.cse_name, eui64);
}

static void put_labels(struct json_out *o, const struct oci_device *d)
{
	char text[200], eui64[EUI64_SIZE];

	eui64_print(eui64, d->eui64);
	json_array(o, "lbl");
	json_put_string(o, NULL, "zigbee");
	snprintf(text, sizeof text, "eui64/%s", eui64);
	json_put_string(o, NULL, text);
	snprintf(text, sizeof text, "application/%s", d->application);
	json_put_string(o, NULL, text);
	if (d->model[0]) {
		snprintf(text, sizeof text, "model/%s", d->model);
		json_put_string(o, NULL, text);
	}
	json_close(o);
}

static void make(struct mirror *m, const struct oci_device *d, const char *to, const char *root, const char *definition, const char *name)
{
	struct job *j = job_add(m, ONEM2M_CREATE, 28, d->eui64);
	struct wr w = wr_of(j->body, sizeof j->body - 1);
	struct json_out o = json_out(&w);

	snprintf(j->to, sizeof j->to, "%s", to);
	json_object(&o, NULL);
	json_object(&o, root);
	json_put_string(&o, "rn", name);
	json_put_string(&o, "cnd", definition);
	put_labels(&o, d);
	json_close(&o);
	json_close(&o);
}

static void subscribe(struct mirror *m, const struct oci_device *d, const char *to)
{
	struct job *j = job_add(m, ONEM2M_CREATE, 23, d->eui64);

	snprintf(j->to, sizeof j->to, "%s", to);
	snprintf(j->body, sizeof j->body, "{\"m2m:sub\":{\"rn\":\"oci\",\"nu\":[\"%s\"],\"nct\":1,\"enc\":{\"net\":[1]}}}", m->node->ae);
}

/* Making what is there already is a conflict, and that is fine. */
void mirror_device(struct oci_node *n, const struct oci_device *d)
{
	const struct mapping_device *kind = mapping_device(d->zcl_device);
	struct mirror *m = n->mirror;
	const struct mapping *made[16], *map;
	char path[200], below[300];
	size_t count = 0;

	device_path(n, d->eui64, path, sizeof path);
	make(m, d, n->config.cse_name, kind->root, kind->definition, strrchr(path, '/') + 1);
	for (size_t i = 0; i < d->cluster_count; i++) {
		for (size_t k = 0; (map = mapping_at(d->clusters[i], d->zone_type, k)) != NULL && count < 16; k++) {
			bool again = false;

			for (size_t x = 0; x < count; x++)
				again = again || strcmp(made[x]->root, map->root) == 0;
			if (again)
				continue;
			made[count++] = map;
			make(m, d, path, map->root, map->definition, map->name);
			snprintf(below, sizeof below, "%s/%s", path, map->name);
			if (map->commanded)
				subscribe(m, d, below);
		}
	}
	next(m);
}

void mirror_value(struct oci_node *n, uint64_t device, const struct mapping *map, const char *json)
{
	struct job *j = job_add(n->mirror, ONEM2M_UPDATE, 0, device);
	char path[200];

	device_path(n, device, path, sizeof path);
	snprintf(j->to, sizeof j->to, "%s/%s", path, map->name);
	snprintf(j->body, sizeof j->body, "{\"%s\":{\"%s\":%s}}", map->root, map->member, json);
	next(n->mirror);
}

void mirror_forget(struct oci_node *n, uint64_t device)
{
	struct job *j = job_add(n->mirror, ONEM2M_DELETE, 0, device);

	device_path(n, device, j->to, sizeof j->to);
	relay_close(n, device);
	next(n->mirror);
}

/* Whose resource it is stands in its labels. */
static bool device_of(const struct json *resource, uint64_t *device)
{
	const struct json *labels = json_get(resource, "lbl");

	for (const struct json *l = labels ? labels->first : NULL; l; l = l->next) {
		struct rd text = l->text;

		if (l->type == JSON_STRING && rd_starts(text, "eui64/") && rd_skip(&text, 6) && eui64_parse(text, device))
			return true;
	}
	return false;
}

bool mirror_notify(struct oci_node *n, struct rd content)
{
	struct json_arena *a = json_arena_new();
	const struct json *doc, *resource = NULL;
	uint64_t device;
	bool on, ours = false;

	if (a && json_parse(a, content, NULL, &doc) == OK) {
		resource = json_get(json_get(json_get(json_get(doc, "m2m:sgn"), "nev"), "rep"), "cod:binSh");
		ours = resource != NULL;
	}
	if (ours && device_of(resource, &device) && json_bool(json_get(resource, "state"), &on))
		oci_core_switch(n->core, clock_ms(), device, on);
	json_arena_free(a);
	return ours;
}
