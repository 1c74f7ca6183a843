/* Zigbee groups in node B's store. */
#include <stdlib.h>

#include "oci/oci_store_private.h"

#define MEMBER 10  /* eui64(8) endpoint(1) state(1), each of a group's members */
#define SCENES_BUFFER (OCI_SCENES * (2 + OCI_GROUP_NAME))

/* id(1) length(1) name, of each scene */
static void scenes_write(const struct oci_group *g, struct wr *w)
{
	for (size_t i = 0; i < g->scene_count; i++) {
		struct rd name = rd_str(g->scenes[i].name);

		wr_u8(w, g->scenes[i].id);
		wr_u8(w, (uint8_t)name.left);
		wr_rd(w, name);
	}
}

static bool scenes_read(struct rd in, struct oci_group *g)
{
	for (g->scene_count = 0; !rd_end(&in) && g->scene_count < OCI_SCENES; g->scene_count++) {
		struct oci_scene *s = &g->scenes[g->scene_count];
		struct rd name;
		uint8_t len;

		if (!rd_u8(&in, &s->id) || !rd_u8(&in, &len) || !rd_sub(&in, len, &name) || !rd_text(name, s->name, sizeof s->name))
			return false;
	}
	return rd_end(&in);
}

static void members_write(const struct oci_group *g, struct wr *w)
{
	for (size_t i = 0; i < g->count; i++) {
		wr_le64(w, g->members[i].eui64);
		wr_u8(w, g->members[i].endpoint);
		wr_u8(w, (uint8_t)g->members[i].state);
	}
}

static bool members_read(struct rd in, struct oci_group *g)
{
	g->count = 0;
	if (in.left == 0 || in.left % MEMBER != 0 || in.left / MEMBER > OCI_GROUP_MEMBERS)
		return false;
	g->members = calloc(in.left / MEMBER, sizeof *g->members);
	if (!g->members)
		return false;
	while (!rd_end(&in)) {
		struct oci_member *m = &g->members[g->count++];
		uint8_t state;

		if (!rd_le64(&in, &m->eui64) || !rd_u8(&in, &m->endpoint) || !rd_u8(&in, &state) || state > OCI_MEMBER_UNABLE)
			return false;
		m->state = (enum oci_member_state)state;
	}
	return true;
}

static bool group_put(sqlite3_stmt *q, const struct oci_group *g)
{
	uint8_t scenes[SCENES_BUFFER];
	struct wr members = wr_new(MEMBER * OCI_GROUP_MEMBERS), names = wr_of(scenes, sizeof scenes);
	bool ok;

	members_write(g, &members);
	scenes_write(g, &names);
	sqlite3_bind_int(q, 1, g->id);
	sqlite3_bind_text(q, 2, g->source, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(q, 3, g->name, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(q, 4, g->network, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(q, 5, (sqlite3_int64)g->barred);
	sqlite3_bind_blob(q, 6, members.octets, (int)members.len, SQLITE_TRANSIENT);
	sqlite3_bind_blob(q, 7, scenes, (int)names.len, SQLITE_TRANSIENT);
	ok = !members.spoilt && !names.spoilt && oci_store_done(q);
	wr_free(&members);
	return ok;
}

enum err oci_store_save_group(void *store, const struct oci_group *g)
{
	struct oci_store *s = store;

	if (g->count > 0)
		return group_put(s->statements[GROUP_PUT], g) ? OK : ERR_STORE;
	sqlite3_bind_int(s->statements[GROUP_DROP], 1, g->id);
	return oci_store_done(s->statements[GROUP_DROP]) ? OK : ERR_STORE;
}

static struct rd blob(sqlite3_stmt *q, int column)
{
	const void *octets = sqlite3_column_blob(q, column);

	return rd_of(octets, (size_t)sqlite3_column_bytes(q, column));
}

static bool row_read(sqlite3_stmt *q, struct oci_group *g)
{
	*g = (struct oci_group){.id = (uint16_t)sqlite3_column_int(q, 0), .barred = (uint64_t)sqlite3_column_int64(q, 4)};
	oci_store_text(q, 1, g->source, sizeof g->source);
	oci_store_text(q, 2, g->name, sizeof g->name);
	oci_store_text(q, 3, g->network, sizeof g->network);
	return members_read(blob(q, 5), g) && scenes_read(blob(q, 6), g);
}

enum err oci_store_each_group(struct oci_store *s, void (*fn)(void *ctx, const struct oci_group *g), void *ctx)
{
	struct oci_group *g = calloc(1, sizeof *g);
	sqlite3_stmt *q;
	int r = SQLITE_ERROR;

	if (!g)
		return ERR_NO_MEMORY;
	if (sqlite3_prepare_v2(s->db, "SELECT id, source, name, network, barred, members, scenes FROM zigbee_group", -1, &q, NULL) != SQLITE_OK) {
		free(g);
		return ERR_STORE;
	}
	while ((r = sqlite3_step(q)) == SQLITE_ROW) {
		bool ok = row_read(q, g);

		if (ok)
			fn(ctx, g);
		free(g->members);
		if (!ok)
			break;
	}
	sqlite3_finalize(q);
	free(g);
	return r == SQLITE_DONE ? OK : ERR_STORE;
}
