/* The simulated device's groups and scenes, an entry an endpoint. Source: ZCL 07-5123 revision 6, clauses 3.6 and 3.7. It keeps no names, and says so. */
#include "sim/device_private.h"
#include "zigbee/groups.h"

#define SCENE_COUNT 0x0000
#define CURRENT_SCENE 0x0001
#define CURRENT_GROUP 0x0002
#define SCENE_VALID 0x0003
#define SCENES_MOST 16             /* in a response to Get Scene Membership */

/* What a scene is of: the scene table extensions of the clusters, in their order. */
static const struct {
	uint16_t cluster, id;
	uint8_t size;
} parts[DEVICE_SCENE_PARTS] = {
	{ZCL_ON_OFF, 0x0000, 1},
	{ZCL_LEVEL, 0x0000, 1},
	{ZCL_DOOR_LOCK, 0x0000, 1},
	{ZCL_WINDOW_COVERING, 0x0008, 1},
	{ZCL_THERMOSTAT, 0x0011, 2},
	{ZCL_THERMOSTAT, 0x0012, 2},
	{ZCL_THERMOSTAT, 0x001c, 1},
	{ZCL_COLOUR, 0x0003, 2},
	{ZCL_COLOUR, 0x0004, 2},
};

/* ---- the group table ---- */

static struct device_group *group_find(struct sim_device *d, uint8_t endpoint, uint16_t id)
{
	for (size_t i = 0; i < DEVICE_GROUPS; i++)
		if (d->groups[i].endpoint == endpoint && d->groups[i].id == id)
			return &d->groups[i];
	return NULL;
}

bool device_in_group(const struct sim_device *d, uint8_t endpoint, uint16_t id)
{
	for (size_t i = 0; i < DEVICE_GROUPS; i++)
		if (d->groups[i].endpoint == endpoint && d->groups[i].id == id)
			return true;
	return false;
}

static uint8_t group_room(const struct sim_device *d)
{
	uint8_t n = 0;

	for (size_t i = 0; i < DEVICE_GROUPS; i++)
		n = (uint8_t)(n + (d->groups[i].endpoint == 0));
	return n;
}

static uint8_t group_add(struct sim_device *d, uint8_t endpoint, uint16_t id)
{
	struct device_group *g;

	if (id < GROUPS_FIRST || id > GROUPS_LAST)
		return ZCL_INVALID_VALUE;
	if (group_find(d, endpoint, id))
		return ZCL_DUPLICATE_EXISTS;
	g = group_find(d, 0, 0);
	if (!g)
		return ZCL_INSUFFICIENT_SPACE;
	*g = (struct device_group){endpoint, id};
	device_save(d);
	device_event(d, "group-added", "\"endpoint\":%u,\"group\":%u", endpoint, id);
	return ZCL_SUCCESS;
}

/* Its scenes go with it. */
static void group_drop(struct sim_device *d, struct device_group *g)
{
	for (size_t i = 0; i < DEVICE_SCENES; i++)
		if (d->scenes[i].endpoint == g->endpoint && d->scenes[i].group == g->id)
			d->scenes[i].endpoint = 0;
	device_event(d, "group-removed", "\"endpoint\":%u,\"group\":%u", g->endpoint, g->id);
	*g = (struct device_group){0, 0};
	device_save(d);
}

void device_groups_forget(struct sim_device *d)
{
	memset(d->groups, 0, sizeof d->groups);
	memset(d->scenes, 0, sizeof d->scenes);
}

/* Those of the list, or all. */
static void membership(struct sim_device *d, uint8_t endpoint, struct rd wanted, struct groups_message *r, struct wr *list)
{
	bool all = rd_end(&wanted);
	uint16_t id;

	r->capacity = group_room(d);
	for (size_t i = 0; all && i < DEVICE_GROUPS; i++)
		if (d->groups[i].endpoint == endpoint)
			wr_le16(list, d->groups[i].id);
	while (groups_next(&wanted, &id))
		if (device_in_group(d, endpoint, id))
			wr_le16(list, id);
	r->list = rd_of(list->octets, list->len);
}

uint8_t device_groups_command(struct sim_device *d, uint8_t endpoint, uint8_t command, struct rd in, struct wr *answer)
{
	struct groups_message q, r = {.status = ZCL_SUCCESS};
	uint8_t buffer[2 * DEVICE_GROUPS];
	struct wr list = wr_of(buffer, sizeof buffer);
	struct device_group *g;

	if (groups_decode(false, command, in, &q) != OK)
		return command > GROUPS_ADD_IF_IDENTIFYING ? ZCL_UNSUP_CLUSTER_COMMAND : ZCL_MALFORMED_COMMAND;
	r.group = q.group;
	g = group_find(d, endpoint, q.group);
	switch ((enum groups_command)command) {
	case GROUPS_ADD:
		r.status = group_add(d, endpoint, q.group);
		break;
	case GROUPS_VIEW:
		r.status = g ? ZCL_SUCCESS : ZCL_NOT_FOUND;
		break;
	case GROUPS_MEMBERSHIP:
		membership(d, endpoint, q.list, &r, &list);
		break;
	case GROUPS_REMOVE:
		r.status = g ? ZCL_SUCCESS : ZCL_NOT_FOUND;
		if (g)
			group_drop(d, g);
		break;
	case GROUPS_REMOVE_ALL:
		for (size_t i = 0; i < DEVICE_GROUPS; i++)
			if (d->groups[i].endpoint == endpoint)
				group_drop(d, &d->groups[i]);
		return ZCL_SUCCESS;
	case GROUPS_ADD_IF_IDENTIFYING:
		return d->identify_s > 0 ? group_add(d, endpoint, q.group) : ZCL_SUCCESS;
	}
	return groups_encode(true, command, &r, answer) == OK ? ZCL_SUCCESS : ZCL_FAILURE;
}

/* ---- the scene table ---- */

static struct device_scene *scene_find(struct sim_device *d, uint8_t endpoint, uint16_t group, uint8_t id)
{
	for (size_t i = 0; i < DEVICE_SCENES; i++)
		if (d->scenes[i].endpoint == endpoint && d->scenes[i].group == group && d->scenes[i].id == id)
			return &d->scenes[i];
	return NULL;
}

/* The one there is, or room for it; NULL: none. */
static struct device_scene *scene_place(struct sim_device *d, uint8_t endpoint, uint16_t group, uint8_t id)
{
	struct device_scene *s = scene_find(d, endpoint, group, id);

	for (size_t i = 0; i < DEVICE_SCENES && !s; i++)
		if (d->scenes[i].endpoint == 0) {
			s = &d->scenes[i];
			*s = (struct device_scene){.endpoint = endpoint, .group = group, .id = id};
		}
	return s;
}

static void scenes_changed(struct sim_device *d, uint8_t endpoint)
{
	uint64_t n = 0;

	for (size_t i = 0; i < DEVICE_SCENES; i++)
		n += d->scenes[i].endpoint == endpoint;
	(void)device_value_set(d, endpoint, ZCL_SCENES, SCENE_COUNT, n);
	device_save(d);
}

static void scene_current(struct sim_device *d, const struct device_scene *s)
{
	(void)device_value_set(d, s->endpoint, ZCL_SCENES, CURRENT_SCENE, s->id);
	(void)device_value_set(d, s->endpoint, ZCL_SCENES, CURRENT_GROUP, s->group);
	(void)device_value_set(d, s->endpoint, ZCL_SCENES, SCENE_VALID, true);
}

void device_scenes_touched(struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint16_t id)
{
	for (size_t i = 0; i < DEVICE_SCENE_PARTS; i++)
		if (parts[i].cluster == cluster && parts[i].id == id)
			(void)device_value_set(d, endpoint, ZCL_SCENES, SCENE_VALID, false);
}

static uint8_t scene_store(struct sim_device *d, uint8_t endpoint, uint16_t group, uint8_t id)
{
	struct device_scene *s = scene_place(d, endpoint, group, id);

	if (!s)
		return ZCL_INSUFFICIENT_SPACE;
	for (size_t i = 0; i < DEVICE_SCENE_PARTS; i++) {
		s->has[i] = device_has_cluster(d, endpoint, parts[i].cluster);
		s->values[i] = (uint16_t)device_value(d, endpoint, parts[i].cluster, parts[i].id);
	}
	scene_current(d, s);
	scenes_changed(d, endpoint);
	device_event(d, "scene-stored", "\"endpoint\":%u,\"group\":%u,\"scene\":%u", endpoint, group, id);
	return ZCL_SUCCESS;
}

static uint8_t scene_recall(struct sim_device *d, const struct device_scene *s)
{
	if (!s)
		return ZCL_NOT_FOUND;
	for (size_t i = 0; i < DEVICE_SCENE_PARTS; i++)
		if (s->has[i])
			(void)device_value_set(d, s->endpoint, parts[i].cluster, parts[i].id, s->values[i]);
	scene_current(d, s);
	device_event(d, "scene-recalled", "\"endpoint\":%u,\"group\":%u,\"scene\":%u", s->endpoint, s->group, s->id);
	return ZCL_SUCCESS;
}

/* One cluster's values: as many as there are octets for. */
static void part_take(struct device_scene *s, const struct scenes_field *f)
{
	struct rd in = f->values;

	for (size_t i = 0; i < DEVICE_SCENE_PARTS; i++) {
		uint8_t octet;

		if (parts[i].cluster != f->cluster)
			continue;
		if (!(parts[i].size == 2 ? rd_le16(&in, &s->values[i]) : rd_u8(&in, &octet)))
			return;
		if (parts[i].size == 1)
			s->values[i] = octet;
		s->has[i] = true;
	}
}

static uint8_t scene_add(struct sim_device *d, uint8_t endpoint, const struct scenes_message *q)
{
	struct device_scene *s = scene_place(d, endpoint, q->group, q->scene);
	struct scenes_field f;
	struct rd fields = q->fields;

	if (!s)
		return ZCL_INSUFFICIENT_SPACE;
	memset(s->has, 0, sizeof s->has);
	s->transition = q->transition;
	while (scenes_next_field(&fields, &f))
		if (device_has_cluster(d, endpoint, f.cluster))
			part_take(s, &f);
	scenes_changed(d, endpoint);
	return ZCL_SUCCESS;
}

static void part_put(const struct device_scene *s, uint16_t cluster, struct wr *fields)
{
	uint8_t buffer[2 * DEVICE_SCENE_PARTS];
	struct wr w = wr_of(buffer, sizeof buffer);

	for (size_t i = 0; i < DEVICE_SCENE_PARTS; i++) {
		if (parts[i].cluster != cluster || !s->has[i])
			continue;
		if (parts[i].size == 2)
			wr_le16(&w, s->values[i]);
		else
			wr_u8(&w, (uint8_t)s->values[i]);
	}
	if (w.len > 0)
		scenes_put_field(fields, cluster, rd_of(buffer, w.len));
}

static void scene_view(const struct device_scene *s, struct scenes_message *r, struct wr *fields)
{
	r->transition = s->transition;
	for (size_t i = 0; i < DEVICE_SCENE_PARTS; i++)
		if (i == 0 || parts[i].cluster != parts[i - 1].cluster)
			part_put(s, parts[i].cluster, fields);
	r->fields = rd_of(fields->octets, fields->len);
}

static uint8_t scene_drop(struct sim_device *d, struct device_scene *s)
{
	uint8_t endpoint = s ? s->endpoint : 0;

	if (!s)
		return ZCL_NOT_FOUND;
	s->endpoint = 0;
	scenes_changed(d, endpoint);
	return ZCL_SUCCESS;
}

static void scenes_drop(struct sim_device *d, uint8_t endpoint, uint16_t group)
{
	for (size_t i = 0; i < DEVICE_SCENES; i++)
		if (d->scenes[i].endpoint == endpoint && d->scenes[i].group == group)
			d->scenes[i].endpoint = 0;
	scenes_changed(d, endpoint);
}

static void scenes_list(const struct sim_device *d, uint8_t endpoint, struct scenes_message *r, struct wr *list)
{
	for (size_t i = 0; i < DEVICE_SCENES; i++) {
		r->capacity = (uint8_t)(r->capacity + (d->scenes[i].endpoint == 0));
		if (d->scenes[i].endpoint == endpoint && d->scenes[i].group == r->group)
			wr_u8(list, d->scenes[i].id);
	}
	r->scenes = rd_of(list->octets, list->len);
}

uint8_t device_scenes_command(struct sim_device *d, uint8_t endpoint, uint8_t command, struct rd in, struct wr *answer)
{
	struct scenes_message q, r = {.status = ZCL_SUCCESS};
	uint8_t buffer[4 * DEVICE_SCENE_PARTS + SCENES_MOST];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct device_scene *s;

	if (scenes_decode(false, command, in, &q) != OK)
		return command > SCENES_MEMBERSHIP ? ZCL_UNSUP_CLUSTER_COMMAND : ZCL_MALFORMED_COMMAND;
	r.group = q.group;
	r.scene = q.scene;
	s = scene_find(d, endpoint, q.group, q.scene);
	if (q.group != SCENES_GLOBAL_GROUP && !device_in_group(d, endpoint, q.group)) {
		r.status = ZCL_INVALID_FIELD;
		return command == SCENES_RECALL || scenes_encode(true, command, &r, answer) != OK ? ZCL_INVALID_FIELD : ZCL_SUCCESS;
	}
	switch ((enum scenes_command)command) {
	case SCENES_ADD:
		r.status = scene_add(d, endpoint, &q);
		break;
	case SCENES_VIEW:
		r.status = s ? ZCL_SUCCESS : ZCL_NOT_FOUND;
		if (s)
			scene_view(s, &r, &w);
		break;
	case SCENES_REMOVE:
		r.status = scene_drop(d, s);
		break;
	case SCENES_REMOVE_ALL:
		scenes_drop(d, endpoint, q.group);
		break;
	case SCENES_STORE:
		r.status = scene_store(d, endpoint, q.group, q.scene);
		break;
	case SCENES_RECALL:
		return scene_recall(d, s);
	case SCENES_MEMBERSHIP:
		scenes_list(d, endpoint, &r, &w);
		break;
	}
	return scenes_encode(true, command, &r, answer) == OK ? ZCL_SUCCESS : ZCL_FAILURE;
}

/* ---- memory ---- */

void device_groups_write(const struct sim_device *d, struct wr *w)
{
	for (size_t i = 0; i < DEVICE_GROUPS; i++)
		if (d->groups[i].endpoint)
			wr_fmt(w, "group %u %u\n", d->groups[i].endpoint, d->groups[i].id);
	for (size_t i = 0; i < DEVICE_SCENES; i++) {
		const struct device_scene *s = &d->scenes[i];

		if (s->endpoint == 0)
			continue;
		wr_fmt(w, "scene %u %u %u %u\n", s->endpoint, s->group, s->id, s->transition);
		for (size_t k = 0; k < DEVICE_SCENE_PARTS; k++)
			if (s->has[k])
				wr_fmt(w, "scene-part %u %u %u %zu %u\n", s->endpoint, s->group, s->id, k, s->values[k]);
	}
}

void device_group_recall(struct sim_device *d, uint64_t endpoint, uint64_t id)
{
	struct device_group *g = group_find(d, 0, 0);

	if (g && device_endpoint(d, (uint8_t)endpoint))
		*g = (struct device_group){(uint8_t)endpoint, (uint16_t)id};
}

void device_scene_recall(struct sim_device *d, uint64_t endpoint, uint64_t group, uint64_t id, uint64_t transition)
{
	struct device_scene *s = device_endpoint(d, (uint8_t)endpoint) ? scene_place(d, (uint8_t)endpoint, (uint16_t)group, (uint8_t)id) : NULL;

	if (s)
		s->transition = (uint16_t)transition;
}

void device_scene_part_recall(struct sim_device *d, uint64_t endpoint, uint64_t group, uint64_t id, uint64_t part, uint64_t value)
{
	struct device_scene *s = scene_find(d, (uint8_t)endpoint, (uint16_t)group, (uint8_t)id);

	if (!s || s->endpoint == 0 || part >= DEVICE_SCENE_PARTS)
		return;
	s->has[part] = true;
	s->values[part] = (uint16_t)value;
}
