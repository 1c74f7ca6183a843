/* A device in the role of a former one: what stands under the former one's name becomes its own, as far as it has the same modules. Resource IDs, subscriptions,
 * access control policies and instances stay as they are, for they belong to the role; the link to the node and the labels become the new device's. What the new
 * device has no cluster for stays too, and says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "json/json.h"
#include "loop/log.h"
#include "oci/node_job.h"

#define ORPHAN "replacement/not-served" /* label of what the new device does not have */
#define OTHER_CLASS "replacement/other-class"
#define BODY_MAX 1200

struct taking {
	struct oci_node *node;
	uint64_t device;
};

/* NULL: not of this device. */
static const struct oci_place *place_named(const struct oci_device *d, struct rd name)
{
	for (size_t i = 0; i < d->place_count; i++) {
		char own[32];

		oci_place_name(d, &d->places[i], d->places[i].point->module, own);
		if (rd_is(name, own))
			return &d->places[i];
	}
	return NULL;
}

static bool is_ours(struct rd root)
{
	return rd_starts(root, "cod:") || rd_is(root, "m2m:cnt");
}

static void update(struct oci_node *n, const struct oci_device *d, const char *to, struct rd root, const struct oci_endpoint *e, const char *mark, bool link)
{
	char body[BODY_MAX], name[64], node[200], labels[BODY_MAX / 2];
	struct wr w = wr_of(body, sizeof body), l = wr_of(labels, sizeof labels);
	struct json_out o = json_out(&l);
	struct rd text, array;

	if (!rd_text(root, name, sizeof name))
		return;
	json_object(&o, NULL);
	put_labels(&o, d, e);
	json_close(&o);
	if (!wr_done(&l, &text) || !rd_skip(&text, sizeof "{\"lbl\":" - 1))
		return;
	array = rd_of(text.at, text.left - 2); /* without its bracket and the object's */
	wr_fmt(&w, "{\"%s\":{\"lbl\":%.*s%s%s%s]", name, (int)array.left, (const char *)array.at, mark ? ",\"" : "", mark ? mark : "", mark ? "\"" : "");
	if (link) {
		node_path(n, d->eui64, node, sizeof node);
		wr_fmt(&w, ",\"nl\":\"%s\"", node);
	}
	wr_fmt(&w, "}}");
	if (wr_done(&w, &text))
		node_job(n, ONEM2M_UPDATE, to, 0, text, NULL, NULL);
}

/* A child of the former device's resource. */
static void child(struct oci_node *n, const struct oci_device *d, const char *path, struct rd root, const struct json *resource)
{
	char to[JOB_TO_MAX], name[64];
	const struct oci_place *p;
	struct rd rn;

	if (!json_string(json_get(resource, "rn"), &rn) || !rd_text(rn, name, sizeof name))
		return;
	p = place_named(d, rn);
	if (!p && !rd_starts(root, "cod:") && (rd_is(rn, "raw") || rd_is(rn, "pins")))
		return; /* of every device, or of its own making */
	snprintf(to, sizeof to, "%s/%s", path, name);
	if (!p)
		log_line(LOG_LEVEL_WARNING, "the replacement does not serve a resource of the former device", "device=%s resource=%s", node_name(d->eui64), to);
	update(n, d, to, root, p ? &d->endpoints[p->endpoint] : NULL, p ? NULL : ORPHAN, false);
}

static const struct device_class *class_of(const struct oci_node *n, const struct oci_device *d)
{
	const struct device_class *kind = NULL;

	for (size_t i = 0; i < d->endpoint_count && !kind; i++)
		if (d->endpoints[i].in_count + d->endpoints[i].out_count > 0)
			kind = descriptions_class(n->descriptions, d->endpoints[i].device);
	return kind;
}

static void take(struct oci_node *n, const struct oci_device *d, const struct json *resource)
{
	const struct device_class *kind = class_of(n, d);
	bool same = kind && rd_is(resource->key, kind->root);
	char path[200];

	device_path(n, d->eui64, path, sizeof path);
	if (!same)
		log_line(LOG_LEVEL_WARNING, "the replacement is a device of another class", "device=%s resource=%s class=%s", node_name(d->eui64), path, kind ? kind->root : "none");
	update(n, d, path, resource->key, NULL, same ? NULL : OTHER_CLASS, true);
	for (const struct json *list = resource->first; list; list = list->next)
		for (const struct json *i = list->type == JSON_ARRAY && is_ours(list->key) ? list->first : NULL; i; i = i->next)
			child(n, d, path, list->key, i);
}

static void on_retrieved(void *ctx, const struct onem2m_response *rsp)
{
	struct taking *t = ctx;
	const struct oci_device *d = oci_core_device(t->node->core, t->device);
	struct json_arena *a = json_arena_new();
	const struct json *doc;

	if (d && a && rsp->rsc == RSC_OK && json_parse(a, rsp->content, NULL, &doc) == OK && doc->type == JSON_OBJECT && doc->first)
		take(t->node, d, doc->first);
	json_arena_free(a);
	free(t);
}

/* Behind the jobs that make what was not there. */
static void on_turn(struct oci_node *n, void *ctx, const struct onem2m_response *rsp)
{
	const struct taking *turn = ctx;
	struct taking *t = malloc(sizeof *t);
	char path[200];

	(void)rsp;
	if (!t)
		abort();
	*t = *turn;
	device_path(n, t->device, path, sizeof path);
	node_request(n, ONEM2M_RETRIEVE, path, 0, 4, "rcn=4&lvl=1", NULL, on_retrieved, t);
}

void succession_take(struct oci_node *n, const struct oci_device *d)
{
	struct taking *t;
	char path[200];

	if (!d->role || d->role == d->eui64)
		return;
	t = malloc(sizeof *t);
	if (!t)
		abort();
	*t = (struct taking){n, d->eui64};
	device_path(n, d->eui64, path, sizeof path);
	node_job(n, ONEM2M_RETRIEVE, path, 0, rd_of(NULL, 0), on_turn, t);
}
