/* The resources of a Zigbee group: a container `zbg-1a2b` under the CSEBase that at first nobody but the administrator may use; its access control policy
 * of the same name is the administrator's to change, for a scene changes what members do whatever their own policies say. In `down` an application puts what
 * is to be done with a scene, `told` gets how it ended, and `state` who is in the group and which scenes it has.
 *
 *	down:   {"do": "store", "scene": 1, "name": "evening"}, {"do": "recall", "scene": 1}, {"do": "remove", "scene": 1}
 *	told:   {"do": "store", "scene": 1, "done": true, "members": 3, "status": 0}
 *	state:  {"group": "1a2b", "source": "grp4", "in": 3, "waiting": 0, "leaving": 0, "unable": 0, "scenes": [{"scene": 1, "name": "evening"}]} */
#include "oci/node_group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "json/json.h"
#include "loop/log.h"

#define KEPT 50
#define TELL_MS 100 /* members answer one after another */

/* A group whose resources there are. */
struct shown {
	struct shown *next;
	uint16_t id;
	bool due;
};

struct scenes {
	struct oci_node *node;
	struct shown *shown;
	struct loop_timer *timer;
	bool armed;
};

static const char *const orders[] = {[OCI_SCENE_STORE] = "store", [OCI_SCENE_REMOVE] = "remove", [OCI_SCENE_RECALL] = "recall"};

static void name_of(uint16_t id, char name[static 16])
{
	snprintf(name, 16, "zbg-%04x", id);
}

static void path_of(const struct oci_node *n, uint16_t id, const char *child, char *path, size_t size)
{
	snprintf(path, size, "%s/zbg-%04x%s", n->config.cse_name, id, child);
}

static void put_instance(struct oci_node *n, uint16_t id, const char *child, struct rd content)
{
	struct wr w = wr_new(JOB_BODY_MAX);
	struct json_out o = json_out(&w);
	char to[JOB_TO_MAX];
	struct rd text;

	json_object(&o, NULL);
	json_object(&o, "m2m:cin");
	json_put_string(&o, "cnf", "application/json:0");
	json_put_rd(&o, "con", content);
	json_close(&o);
	json_close(&o);
	path_of(n, id, child, to, sizeof to);
	if (wr_done(&w, &text))
		node_job(n, ONEM2M_CREATE, to, 4, text, NULL, NULL);
	wr_free(&w);
}

/* ---- making and unmaking ---- */

static void make(struct oci_node *n, const struct oci_group *g)
{
	static const char *const children[] = {"down", "told", "state"};
	char to[JOB_TO_MAX], body[600], name[16], id[8];

	name_of(g->id, name);
	snprintf(body, sizeof body, "{\"m2m:acp\":{\"rn\":\"%s-acp\",\"pv\":{\"acr\":[{\"acor\":[\"%s\"],\"acop\":63}]},\"pvs\":{\"acr\":[{\"acor\":[\"%s\"],\"acop\":63}]}}}", name, n->ae, n->ae);
	node_job(n, ONEM2M_CREATE, n->config.cse_name, 1, rd_str(body), NULL, NULL);
	snprintf(body, sizeof body, "{\"m2m:cnt\":{\"rn\":\"%s\",\"mni\":0,\"lbl\":[\"zigbee-group\",\"group/%s\",\"name/%s\",\"application/%s\"],\"acpi\":[\"%s/%s-acp\"]}}", name, g->source, g->name,
	    g->network, n->config.cse_name, name);
	node_job(n, ONEM2M_CREATE, n->config.cse_name, 3, rd_str(body), NULL, NULL);
	path_of(n, g->id, "", to, sizeof to);
	for (size_t i = 0; i < 3; i++) {
		snprintf(body, sizeof body, "{\"m2m:cnt\":{\"rn\":\"%s\",\"mni\":%d,\"acpi\":[\"%s/%s-acp\"]}}", children[i], KEPT, n->config.cse_name, name);
		node_job(n, ONEM2M_CREATE, to, 3, rd_str(body), NULL, NULL);
	}
	path_of(n, g->id, "/down", to, sizeof to);
	snprintf(id, sizeof id, "%04x", g->id);
	watch_make(n, to, WATCH_SCENES, g->id, id, NULL);
}

static void unmake(struct oci_node *n, uint16_t id)
{
	char to[JOB_TO_MAX];

	watch_forget(n, id);
	path_of(n, id, "", to, sizeof to);
	node_job(n, ONEM2M_DELETE, to, 0, rd_of(NULL, 0), NULL, NULL);
	path_of(n, id, "-acp", to, sizeof to);
	node_job(n, ONEM2M_DELETE, to, 0, rd_of(NULL, 0), NULL, NULL);
}

static void tell_state(struct oci_node *n, const struct oci_group *g)
{
	unsigned counts[OCI_MEMBER_UNABLE + 1] = {0};
	uint8_t buffer[2000];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	struct rd content;
	char id[8];

	for (size_t i = 0; i < g->count; i++)
		counts[g->members[i].state]++;
	snprintf(id, sizeof id, "%04x", g->id);
	json_object(&o, NULL);
	json_put_string(&o, "group", id);
	json_put_string(&o, "source", g->source);
	json_put_uint(&o, "in", counts[OCI_MEMBER_IN]);
	json_put_uint(&o, "waiting", counts[OCI_MEMBER_WANTED]);
	json_put_uint(&o, "leaving", counts[OCI_MEMBER_LEAVING]);
	json_put_uint(&o, "unable", counts[OCI_MEMBER_UNABLE]);
	json_array(&o, "scenes");
	for (size_t i = 0; i < g->scene_count; i++) {
		json_object(&o, NULL);
		json_put_uint(&o, "scene", g->scenes[i].id);
		json_put_string(&o, "name", g->scenes[i].name);
		json_close(&o);
	}
	json_close(&o);
	json_close(&o);
	if (wr_done(&w, &content))
		put_instance(n, g->id, "/state", content);
}

static void on_time(void *ctx)
{
	struct scenes *s = ctx;
	struct shown **link = &s->shown;

	s->armed = false;
	while (*link) {
		struct shown *k = *link;
		const struct oci_group *g = k->due ? oci_core_group_of(s->node->core, k->id) : NULL;

		if (k->due && !g) {
			unmake(s->node, k->id);
			*link = k->next;
			free(k);
			continue;
		}
		if (g)
			tell_state(s->node, g);
		k->due = false;
		link = &k->next;
	}
}

void scenes_make(struct oci_node *n)
{
	n->scenes = calloc(1, sizeof *n->scenes);
	if (!n->scenes)
		abort();
	n->scenes->node = n;
	n->scenes->timer = loop_timer_new(n->loop, on_time, n->scenes);
}

void scenes_changed(struct oci_node *n, uint16_t group)
{
	struct scenes *s = n->scenes;
	const struct oci_group *g = oci_core_group_of(n->core, group);
	struct shown *k = s->shown;

	while (k && k->id != group)
		k = k->next;
	if (!k && !g)
		return;
	if (!k) {
		k = calloc(1, sizeof *k);
		if (!k)
			abort();
		k->id = group;
		k->next = s->shown;
		s->shown = k;
		make(n, g);
	}
	k->due = true;
	if (!s->armed)
		loop_timer_in(s->timer, TELL_MS);
	s->armed = true;
}

/* ---- scenes ---- */

static void tell(struct oci_node *n, uint16_t group, const char *order, uint64_t scene, bool done, const struct oci_effect *e, const char *why)
{
	uint8_t buffer[300];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct json_out o = json_out(&w);
	struct rd content;

	json_object(&o, NULL);
	json_put_string(&o, "do", order);
	json_put_uint(&o, "scene", scene);
	json_put_bool(&o, "done", done);
	if (e) {
		json_put_uint(&o, "members", e->tally);
		json_put_uint(&o, "status", e->status);
	}
	if (why)
		json_put_string(&o, "why", why);
	json_close(&o);
	if (wr_done(&w, &content))
		put_instance(n, group, "/told", content);
}

void scenes_done(struct oci_node *n, const struct oci_effect *e)
{
	tell(n, e->group, orders[e->order], e->counter, e->status == 0, e, NULL);
	scenes_changed(n, e->group);
}

static enum oci_scene_order order_of(const struct json *v)
{
	for (enum oci_scene_order o = OCI_SCENE_STORE; o <= OCI_SCENE_RECALL; o++)
		if (json_is_string(json_get(v, "do"), orders[o]))
			return o;
	return OCI_SCENE_NONE;
}

void scenes_down(struct oci_node *n, uint16_t group, const struct json *instance)
{
	const struct json *con = json_get(instance, "con"), *doc = con;
	struct json_arena *a = json_arena_new();
	enum oci_scene_order order;
	char name[OCI_GROUP_NAME] = "";
	uint64_t scene = 0;
	enum err e = OK;
	struct rd text;

	if (!a)
		abort();
	if (json_string(con, &text))
		e = json_parse(a, text, NULL, &doc);
	order = e == OK ? order_of(doc) : OCI_SCENE_NONE;
	if (e == OK && (order == OCI_SCENE_NONE || !json_uint(json_get(doc, "scene"), &scene) || (json_get(doc, "name") && !json_text(json_get(doc, "name"), name, sizeof name))))
		e = ERR_MALFORMED;
	if (e == OK)
		e = scene > UINT8_MAX ? ERR_BAD_VALUE : oci_core_scene(n->core, clock_ms(), group, order, (uint8_t)scene, name);
	if (e != OK)
		tell(n, group, order == OCI_SCENE_NONE ? "nothing" : orders[order], scene, false, NULL, err_text(e));
	else if (order == OCI_SCENE_RECALL)
		tell(n, group, orders[order], scene, true, NULL, NULL);
	json_arena_free(a);
}
