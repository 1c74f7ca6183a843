/* Scenes of a Zigbee group: each member keeps its own part, which it takes from what it does at the time. Source: ZCL 3.7.
 *
 * Storing and removing go to each member by itself, so that its answer is known; the order ends when all have answered, or have been asked often enough.
 * Recalling goes as a groupcast to those that listen. Who says nothing afterwards is told by itself, unless something newer was said to it. */
#include <stdio.h>
#include <string.h>

#include "oci/group_private.h"
#include "zigbee/groups.h"

#define SCENE_FIRST 1   /* 0 is the global scene's, ZCL 3.7.2.4.1 */
#define SCENE_LAST 254
#define ORDER_TRIES 3
#define READY_MS 5000   /* until a device is looked at again that cannot be asked yet */

static bool has_scenes(struct oci_device *d, uint8_t endpoint)
{
	const struct oci_endpoint *e = oci_endpoint(d, endpoint);

	return e && oci_endpoint_has(e, ZCL_SCENES);
}

static struct oci_scene *scene_find(struct oci_group *g, uint8_t id)
{
	for (size_t i = 0; i < g->scene_count; i++)
		if (g->scenes[i].id == id)
			return &g->scenes[i];
	return NULL;
}

/* ---- an order to each member by itself ---- */

static void scene_keep(struct oci_group *g, const struct oci_scene *s)
{
	struct oci_scene *known = scene_find(g, s->id);

	if (known)
		*known = *s;
	else if (g->scene_count < OCI_SCENES)
		g->scenes[g->scene_count++] = *s;
}

static void scene_drop(struct oci_group *g, uint8_t id)
{
	struct oci_scene *s = scene_find(g, id);

	if (s)
		*s = g->scenes[--g->scene_count];
}

/* Nobody is left who has not answered. */
static void order_end(struct oci_core *c, struct oci_group *g)
{
	struct oci_effect *e;

	for (size_t i = 0; i < g->count; i++)
		if (g->members[i].ordered)
			return;
	if (g->order == OCI_SCENE_STORE && g->order_tally > 0)
		scene_keep(g, &g->ordered);
	else if (g->order == OCI_SCENE_REMOVE)
		scene_drop(g, g->ordered.id);
	(void)oci_group_save(c, g);
	e = oci_effect(c, OCI_SCENE, NULL);
	e->group = g->id;
	e->order = g->order;
	e->counter = g->ordered.id;
	e->status = g->order_status;
	e->tally = g->order_tally;
	g->order = OCI_SCENE_NONE;
}

static void order_answered(struct oci_core *c, struct oci_group *g, struct oci_member *m, uint8_t status)
{
	if (!m->ordered)
		return;
	m->ordered = false;
	if (status == ZCL_SUCCESS || (g->order == OCI_SCENE_REMOVE && status == ZCL_NOT_FOUND))
		g->order_tally++;
	else
		g->order_status = status;
	order_end(c, g);
}

static void say(struct oci_core *c, struct oci_device *d, const struct oci_group *g, uint8_t endpoint, uint8_t command, uint8_t scene)
{
	const struct scenes_message q = {.group = g->id, .scene = scene};
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);

	if (scenes_encode(false, command, &q, &w) == OK)
		oci_group_say(c, d, endpoint, ZCL_SCENES, command, &w);
}

static void order_step(struct oci_core *c, struct oci_group *g, struct oci_member *m)
{
	struct oci_device *d = oci_group_ready(c, m);

	if (m->order_tries >= ORDER_TRIES) {
		order_answered(c, g, m, ZCL_TIMEOUT);
		return;
	}
	if (d)
		say(c, d, g, m->endpoint, g->order == OCI_SCENE_STORE ? SCENES_STORE : SCENES_REMOVE, g->ordered.id);
	m->order_again = c->now + (d ? oci_group_patience(d, m->order_tries) : READY_MS);
	m->order_tries++;
}

static void order_begin(struct oci_core *c, struct oci_group *g, enum oci_scene_order order, uint8_t scene, const char *name)
{
	g->order = order;
	g->ordered = (struct oci_scene){.id = scene};
	snprintf(g->ordered.name, sizeof g->ordered.name, "%s", name);
	g->order_status = ZCL_SUCCESS;
	g->order_tally = 0;
	for (size_t i = 0; i < g->count; i++) {
		struct oci_member *m = &g->members[i];
		struct oci_device *d = oci_core_device(c, m->eui64);

		m->ordered = d && m->state == OCI_MEMBER_IN && has_scenes(d, m->endpoint);
		m->order_tries = 0;
		m->order_again = c->now;
		if (!m->ordered)
			g->order_status = ZCL_UNSUPPORTED_CLUSTER;
	}
	order_end(c, g);
}

/* ---- recall ---- */

/* What it was told before and may not have heard is not told again: the scene is newer. */
static void older_drop(struct oci_core *c, struct oci_device *d, uint8_t endpoint)
{
	for (size_t i = 0; i < OCI_COMMANDS; i++) {
		struct oci_command *m = &d->commands[i];

		if (m->place && m->unheard && d->endpoints[m->place->endpoint].id == endpoint)
			oci_command_end(c, d, m);
	}
}

static bool recall_together(struct oci_core *c, struct oci_group *g, size_t first, bool far, uint8_t scene)
{
	const struct scenes_message q = {.group = g->id, .scene = scene};
	struct oci_device *via = oci_core_device(c, g->members[first].eui64), *d;
	struct zcl_frame z = {.type = ZCL_CLUSTER, .disable_default_response = true, .command = SCENES_RECALL, .sequence = oci_groupcast_sequence(c)};
	uint8_t buffer[8];
	struct wr w = wr_of(buffer, sizeof buffer);

	if (scenes_encode(false, SCENES_RECALL, &q, &w) != OK || !wr_done(&w, &z.payload) || !oci_groupcast(c, via, far, g->id, ZCL_SCENES, &z))
		return false;
	for (size_t i = first; i < g->count; i++) {
		struct oci_member *m = &g->members[i];

		d = oci_core_device(c, m->eui64);
		if (!m->recall || m->unheard || !oci_group_reaches(g, m, d) || !oci_group_together(via, d))
			continue;
		m->unheard = true;
		m->recalled_at = c->now;
		m->recall_again = c->now + c->groupcast_ms;
	}
	return true;
}

/* How many one groupcast is for; far: some of them are behind routers. */
static size_t recall_reach(struct oci_core *c, const struct oci_group *g, size_t first, bool *far)
{
	const struct oci_device *via = oci_core_device(c, g->members[first].eui64);
	size_t n = 0;

	*far = false;
	for (size_t i = first; i < g->count; i++) {
		const struct oci_member *m = &g->members[i];
		const struct oci_device *d = oci_core_device(c, m->eui64);

		if (!m->recall || m->unheard || !oci_group_reaches(g, m, d) || !oci_group_together(via, d))
			continue;
		*far = *far || d->parent != 0;
		n++;
	}
	return n;
}

static void recall_begin(struct oci_core *c, struct oci_group *g, uint8_t scene)
{
	bool go_on = !oci_group_closed(g);

	for (size_t i = 0; i < g->count; i++) {
		struct oci_member *m = &g->members[i];
		struct oci_device *d = oci_core_device(c, m->eui64);

		m->recall = d && m->state == OCI_MEMBER_IN && has_scenes(d, m->endpoint) ? scene : 0;
		m->unheard = false;
		m->recall_again = c->now;
		if (m->recall)
			older_drop(c, d, m->endpoint);
	}
	for (size_t i = 0; i < g->count && go_on; i++) {
		const struct oci_member *m = &g->members[i];
		bool far;

		if (m->recall && !m->unheard && oci_group_reaches(g, m, oci_core_device(c, m->eui64)) && recall_reach(c, g, i, &far) > 1)
			go_on = recall_together(c, g, i, far, scene);
	}
}

static void recall_step(struct oci_core *c, struct oci_group *g, struct oci_member *m)
{
	struct oci_device *d = oci_group_ready(c, m);

	if (!d) {
		m->recall_again = c->now + READY_MS;
		return;
	}
	if (!m->unheard || d->last_heard <= m->recalled_at)
		say(c, d, g, m->endpoint, SCENES_RECALL, m->recall);
	m->recall = 0;
}

void oci_groups_told(struct oci_core *c, const struct oci_device *d)
{
	for (struct oci_group *g = c->groups; g; g = g->next)
		for (size_t i = 0; i < g->count; i++)
			if (g->members[i].eui64 == d->eui64)
				g->members[i].recall = 0;
}

/* ---- */

enum err oci_core_scene(struct oci_core *c, uint64_t now, uint16_t group, enum oci_scene_order order, uint8_t scene, const char *name)
{
	struct oci_group *g = oci_group_find(c, group);

	c->now = now;
	if (!g)
		return ERR_UNKNOWN_DEVICE;
	if (scene < SCENE_FIRST || scene > SCENE_LAST || order == OCI_SCENE_NONE)
		return ERR_BAD_VALUE;
	if (g->order != OCI_SCENE_NONE)
		return ERR_NOT_READY;
	if (order != OCI_SCENE_STORE && !scene_find(g, scene))
		return ERR_NOT_FOUND;
	if (order == OCI_SCENE_STORE && !scene_find(g, scene) && g->scene_count == OCI_SCENES)
		return ERR_FULL;
	if (order == OCI_SCENE_RECALL)
		recall_begin(c, g, scene);
	else
		order_begin(c, g, order, scene, name);
	return OK;
}

void oci_scenes_tick(struct oci_core *c, struct oci_group *g)
{
	for (size_t i = 0; i < g->count && c->count <= OCI_EFFECTS / 2; i++) {
		struct oci_member *m = &g->members[i];

		if (m->ordered && c->now >= m->order_again)
			order_step(c, g, m);
		if (m->recall && c->now >= m->recall_again)
			recall_step(c, g, m);
	}
}

bool oci_scenes_input(struct oci_core *c, struct oci_device *d, uint8_t endpoint, const struct zcl_frame *z)
{
	struct scenes_message r;
	struct oci_member *m;
	struct oci_group *g;

	if (scenes_decode(true, z->command, z->payload, &r) != OK || (z->command != SCENES_STORE && z->command != SCENES_REMOVE))
		return false;
	g = oci_group_find(c, r.group);
	m = g ? oci_group_member(g, d->eui64, endpoint) : NULL;
	if (!m || !m->ordered || r.scene != g->ordered.id || z->command != (g->order == OCI_SCENE_STORE ? SCENES_STORE : SCENES_REMOVE))
		return false; /* an application's own question */
	order_answered(c, g, m, r.status);
	return true;
}

void oci_scene_refused(struct oci_core *c, struct oci_group *g, struct oci_member *m, uint8_t command, uint8_t status)
{
	if (m->ordered && m->order_tries > 0 && command == (g->order == OCI_SCENE_STORE ? SCENES_STORE : SCENES_REMOVE))
		order_answered(c, g, m, status);
}
