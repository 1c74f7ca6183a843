/* Commands of the clusters Groups and Scenes. */
#include "zigbee/groups.h"

static bool name_read(struct rd *in, struct rd *name)
{
	uint8_t len;

	return rd_u8(in, &len) && rd_sub(in, len, name);
}

static void name_write(struct rd name, struct wr *w)
{
	if (name.left > GROUPS_NAME_MAX)
		w->spoilt = true;
	wr_u8(w, (uint8_t)name.left);
	wr_rd(w, name);
}

/* count(1), and so many of `size` octets */
static bool list_read(struct rd *in, size_t size, struct rd *list)
{
	uint8_t count;

	return rd_u8(in, &count) && rd_sub(in, count * size, list);
}

static void list_write(struct rd list, size_t size, struct wr *w)
{
	if (list.left % size != 0 || list.left / size > UINT8_MAX)
		w->spoilt = true;
	wr_u8(w, (uint8_t)(list.left / size));
	wr_rd(w, list);
}

/* ---- groups ---- */

static bool groups_request_read(uint8_t command, struct rd *in, struct groups_message *m)
{
	switch ((enum groups_command)command) {
	case GROUPS_ADD:
	case GROUPS_ADD_IF_IDENTIFYING:
		return rd_le16(in, &m->group) && name_read(in, &m->name);
	case GROUPS_VIEW:
	case GROUPS_REMOVE:
		return rd_le16(in, &m->group);
	case GROUPS_MEMBERSHIP:
		return list_read(in, 2, &m->list);
	case GROUPS_REMOVE_ALL:
		break;
	}
	return true;
}

static bool groups_response_read(uint8_t command, struct rd *in, struct groups_message *m)
{
	if (command == GROUPS_MEMBERSHIP)
		return rd_u8(in, &m->capacity) && list_read(in, 2, &m->list);
	return rd_u8(in, &m->status) && rd_le16(in, &m->group) && (command != GROUPS_VIEW || name_read(in, &m->name));
}

enum err groups_decode(bool from_server, uint8_t command, struct rd payload, struct groups_message *m)
{
	const struct groups_message empty = {.status = 0};

	*m = empty;
	if (command > (from_server ? GROUPS_REMOVE : GROUPS_ADD_IF_IDENTIFYING))
		return ERR_UNSUPPORTED;
	return (from_server ? groups_response_read(command, &payload, m) : groups_request_read(command, &payload, m)) ? OK : ERR_SHORT;
}

static void groups_request_write(uint8_t command, const struct groups_message *m, struct wr *w)
{
	switch ((enum groups_command)command) {
	case GROUPS_ADD:
	case GROUPS_ADD_IF_IDENTIFYING:
		wr_le16(w, m->group);
		name_write(m->name, w);
		break;
	case GROUPS_VIEW:
	case GROUPS_REMOVE:
		wr_le16(w, m->group);
		break;
	case GROUPS_MEMBERSHIP:
		list_write(m->list, 2, w);
		break;
	case GROUPS_REMOVE_ALL:
		break;
	}
}

enum err groups_encode(bool from_server, uint8_t command, const struct groups_message *m, struct wr *w)
{
	if (command > (from_server ? GROUPS_REMOVE : GROUPS_ADD_IF_IDENTIFYING))
		return ERR_UNSUPPORTED;
	if (!from_server) {
		groups_request_write(command, m, w);
	} else if (command == GROUPS_MEMBERSHIP) {
		wr_u8(w, m->capacity);
		list_write(m->list, 2, w);
	} else {
		wr_u8(w, m->status);
		wr_le16(w, m->group);
		if (command == GROUPS_VIEW)
			name_write(m->name, w);
	}
	return w->spoilt ? ERR_TOO_LONG : OK;
}

bool groups_next(struct rd *list, uint16_t *group)
{
	return rd_le16(list, group);
}

/* ---- scenes ---- */

bool scenes_next_field(struct rd *fields, struct scenes_field *f)
{
	struct rd in = *fields;
	uint8_t len;

	if (!rd_le16(&in, &f->cluster) || !rd_u8(&in, &len) || !rd_sub(&in, len, &f->values))
		return false;
	*fields = in;
	return true;
}

void scenes_put_field(struct wr *w, uint16_t cluster, struct rd values)
{
	if (values.left > UINT8_MAX)
		w->spoilt = true;
	wr_le16(w, cluster);
	wr_u8(w, (uint8_t)values.left);
	wr_rd(w, values);
}

/* transition(2) name extension field sets; these are all that is left */
static bool description_read(struct rd *in, struct scenes_message *m)
{
	struct scenes_field f;
	struct rd rest;

	if (!rd_le16(in, &m->transition) || !name_read(in, &m->name))
		return false;
	rest = m->fields = rd_rest(in);
	while (scenes_next_field(&rest, &f)) {
	}
	return rd_end(&rest);
}

static void description_write(const struct scenes_message *m, struct wr *w)
{
	wr_le16(w, m->transition);
	name_write(m->name, w);
	wr_rd(w, m->fields);
}

static bool scenes_request_read(uint8_t command, struct rd *in, struct scenes_message *m)
{
	if (!rd_le16(in, &m->group))
		return false;
	switch ((enum scenes_command)command) {
	case SCENES_REMOVE_ALL:
	case SCENES_MEMBERSHIP:
		break;
	case SCENES_ADD:
		return rd_u8(in, &m->scene) && description_read(in, m);
	case SCENES_RECALL:
		if (!rd_u8(in, &m->scene))
			return false;
		m->has_transition = rd_le16(in, &m->transition);
		break;
	case SCENES_VIEW:
	case SCENES_REMOVE:
	case SCENES_STORE:
		return rd_u8(in, &m->scene);
	}
	return true;
}

static bool scenes_response_read(uint8_t command, struct rd *in, struct scenes_message *m)
{
	if (!rd_u8(in, &m->status))
		return false;
	if (command == SCENES_MEMBERSHIP)
		return rd_u8(in, &m->capacity) && rd_le16(in, &m->group) && (m->status != 0 || list_read(in, 1, &m->scenes));
	if (!rd_le16(in, &m->group))
		return false;
	if (command == SCENES_REMOVE_ALL)
		return true;
	return rd_u8(in, &m->scene) && (command != SCENES_VIEW || m->status != 0 || description_read(in, m));
}

static bool scenes_has(bool from_server, uint8_t command)
{
	return command <= SCENES_MEMBERSHIP && !(from_server && command == SCENES_RECALL);
}

enum err scenes_decode(bool from_server, uint8_t command, struct rd payload, struct scenes_message *m)
{
	const struct scenes_message empty = {.status = 0};

	*m = empty;
	if (!scenes_has(from_server, command))
		return ERR_UNSUPPORTED;
	return (from_server ? scenes_response_read(command, &payload, m) : scenes_request_read(command, &payload, m)) ? OK : ERR_SHORT;
}

static void scenes_request_write(uint8_t command, const struct scenes_message *m, struct wr *w)
{
	wr_le16(w, m->group);
	if (command == SCENES_REMOVE_ALL || command == SCENES_MEMBERSHIP)
		return;
	wr_u8(w, m->scene);
	if (command == SCENES_ADD)
		description_write(m, w);
	if (command == SCENES_RECALL && m->has_transition)
		wr_le16(w, m->transition);
}

static void scenes_response_write(uint8_t command, const struct scenes_message *m, struct wr *w)
{
	wr_u8(w, m->status);
	if (command == SCENES_MEMBERSHIP) {
		wr_u8(w, m->capacity);
		wr_le16(w, m->group);
		if (m->status == 0)
			list_write(m->scenes, 1, w);
		return;
	}
	wr_le16(w, m->group);
	if (command != SCENES_REMOVE_ALL)
		wr_u8(w, m->scene);
	if (command == SCENES_VIEW && m->status == 0)
		description_write(m, w);
}

enum err scenes_encode(bool from_server, uint8_t command, const struct scenes_message *m, struct wr *w)
{
	if (!scenes_has(from_server, command))
		return ERR_UNSUPPORTED;
	if (from_server)
		scenes_response_write(command, m, w);
	else
		scenes_request_write(command, m, w);
	return w->spoilt ? ERR_TOO_LONG : OK;
}
