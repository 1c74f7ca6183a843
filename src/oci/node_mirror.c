/* The devices as SDT flexContainers under the CSEBase: one a device, module classes below, actions below those; containers for what has no class. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "json/json.h"
#include "oci/node_group.h"

#define INSTANCES_KEPT 1000 /* in a container of values */

uint64_t device_role(const struct oci_node *n, uint64_t device)
{
	const struct oci_device *d = oci_core_device(n->core, device);

	return d && d->role ? d->role : device;
}

static void role_path(const struct oci_node *n, uint64_t role, char *path, size_t size)
{
	char eui64[EUI64_SIZE];

	eui64_print(eui64, role);
	snprintf(path, size, "%s/zb-%s", n->config.cse_name, eui64);
}

void device_path(const struct oci_node *n, uint64_t device, char *path, size_t size)
{
	role_path(n, device_role(n, device), path, size);
}

static void put_label(struct json_out *o, const char *kind, const char *text)
{
	char label[200];

	snprintf(label, sizeof label, "%s/%s", kind, text);
	json_put_string(o, NULL, label);
}

void put_labels(struct json_out *o, const struct oci_device *d, const struct oci_endpoint *e)
{
	char eui64[EUI64_SIZE], endpoint[8];

	eui64_print(eui64, d->eui64);
	json_array(o, "lbl");
	json_put_string(o, NULL, "zigbee");
	put_label(o, "eui64", eui64);
	put_label(o, "application", d->application);
	if (d->model[0])
		put_label(o, "model", d->model);
	if (e) {
		snprintf(endpoint, sizeof endpoint, "%u", e->id);
		put_label(o, "endpoint", endpoint);
	}
	json_close(o);
}

/* e NULL: the device itself. */
static void make(struct oci_node *n, const struct oci_device *d, const struct oci_endpoint *e, const char *to, const char *root, const char *definition, const char *name)
{
	char body[1200], link[200];
	struct wr w = wr_of(body, sizeof body);
	struct json_out o = json_out(&w);
	struct rd text;

	json_object(&o, NULL);
	json_object(&o, root);
	json_put_string(&o, "rn", name);
	if (definition)
		json_put_string(&o, "cnd", definition);
	else
		json_put_int(&o, "mni", INSTANCES_KEPT);
	put_labels(&o, d, e);
	if (!e) {
		node_path(n, d->eui64, link, sizeof link);
		json_put_string(&o, "nl", link);
	}
	json_close(&o);
	json_close(&o);
	if (wr_done(&w, &text))
		node_job(n, ONEM2M_CREATE, to, definition ? 28 : 3, text, NULL, NULL);
}

static bool is_written(const struct module *m)
{
	for (size_t i = 0; i < m->point_count; i++)
		if (m->points[i].write_count > 0)
			return true;
	return false;
}

static void make_actions(struct oci_node *n, const struct oci_device *d, const struct oci_endpoint *e, const struct module *m, const char *path, const char *name)
{
	char to[JOB_TO_MAX + 32];

	for (size_t i = 0; i < m->action_count; i++) {
		const struct action *a = &m->actions[i];

		make(n, d, e, path, a->root, a->definition, a->name);
		snprintf(to, sizeof to, "%s/%s", path, a->name);
		watch_make(n, to, WATCH_ACTION, d->eui64, name, a);
	}
}

static void make_module(struct oci_node *n, const struct oci_device *d, const struct oci_place *p, const char *path)
{
	const struct oci_endpoint *e = &d->endpoints[p->endpoint];
	const struct module *m = p->point->module;
	char to[JOB_TO_MAX], name[32];

	oci_place_name(d, p, m, name);
	make(n, d, e, path, m->container ? "m2m:cnt" : m->root, m->container ? NULL : m->definition, name);
	snprintf(to, sizeof to, "%s/%s", path, name);
	if (is_written(m))
		watch_make(n, to, WATCH_MODULE, d->eui64, name, NULL);
	make_actions(n, d, e, m, to, name);
}

/* The place before it is of the same module and endpoint: places are in that order. */
static bool made_before(const struct oci_device *d, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (d->places[k].endpoint == d->places[i].endpoint && d->places[k].point->module == d->places[i].point->module)
			return true;
	return false;
}

/* Making what is there already is a conflict, and that is fine. */
void mirror_device(struct oci_node *n, const struct oci_device *d)
{
	const struct device_class *kind = NULL;
	char path[200];

	for (size_t i = 0; i < d->endpoint_count && !kind; i++)
		if (d->endpoints[i].in_count + d->endpoints[i].out_count > 0)
			kind = descriptions_class(n->descriptions, d->endpoints[i].device);
	if (!kind)
		return;
	mgmt_make(n, d);
	device_path(n, d->eui64, path, sizeof path);
	make(n, d, NULL, n->config.cse_name, kind->root, kind->definition, strrchr(path, '/') + 1);
	for (size_t i = 0; i < d->place_count; i++)
		if (!made_before(d, i))
			make_module(n, d, &d->places[i], path);
	groups_device_made(n, d->eui64, path);
	raw_make(n, d->eui64, path);
	succession_take(n, d);
	pins_make(n, d, path);
	firmware_make(n, d);
}

void mirror_value(struct oci_node *n, const struct oci_effect *e)
{
	const struct module *m = e->point->module;
	char path[200], to[JOB_TO_MAX], body[200];

	device_path(n, e->eui64, path, sizeof path);
	snprintf(to, sizeof to, "%s/%s", path, e->name);
	if (m->container) {
		snprintf(body, sizeof body, "{\"m2m:cin\":{\"con\":\"%s\"}}", e->text);
		node_job(n, ONEM2M_CREATE, to, 4, rd_str(body), NULL, NULL);
		return;
	}
	node_job_member(n, to, m->root, e->point->member, e->text);
	mgmt_value(n, e);
}

void mirror_raw(struct oci_node *n, const struct oci_effect *e)
{
	char path[200];

	if (pins_up(n, e))
		return;
	device_path(n, e->eui64, path, sizeof path);
	raw_up(n, path, &e->raw, rd_of(e->octets, e->len));
}

void mirror_forget(struct oci_node *n, uint64_t device, uint64_t role, bool stays)
{
	char path[200];

	watch_forget(n, device);
	firmware_forget(n, device);
	groups_device_gone(n, device);
	role_path(n, role, path, sizeof path);
	if (!stays)
		node_job(n, ONEM2M_DELETE, path, 0, rd_of(NULL, 0), NULL, NULL);
	node_path(n, device, path, sizeof path);
	node_job(n, ONEM2M_DELETE, path, 0, rd_of(NULL, 0), NULL, NULL);
	relay_close(n, device);
}
