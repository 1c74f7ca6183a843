/* Members that are deleted leave their groups, in the same transaction. Which resources are members is kept as a set of hashes: what is not
 * in it costs nothing when it goes, and what is in it without need costs one look. */
#include <stdlib.h>
#include <string.h>

#include "cse/types/group.h"
#include "cse/types/types.h"

#define SLOTS_FIRST 256
#define GROUPS_MAX 4096

struct members {
	uint64_t *slots;       /* open addressing; 0: free */
	size_t slot_count, used;
	bool removal;          /* one of them went since the last commit */
};

static uint64_t hash_of(struct rd id)
{
	uint64_t h = 1469598103934665603ULL;
	uint8_t c;

	while (rd_u8(&id, &c) && c != '/')
		h = (h ^ c) * 1099511628211ULL;
	return h ? h : 1;
}

static bool put(struct members *m, uint64_t h)
{
	size_t i = h & (m->slot_count - 1);

	while (m->slots[i] && m->slots[i] != h)
		i = (i + 1) & (m->slot_count - 1);
	if (m->slots[i] == h)
		return false;
	m->slots[i] = h;
	return true;
}

static bool has(const struct members *m, uint64_t h)
{
	size_t i = h & (m->slot_count - 1);

	while (m->slots[i] && m->slots[i] != h)
		i = (i + 1) & (m->slot_count - 1);
	return m->slots[i] == h;
}

static void grow(struct members *m)
{
	uint64_t *old = m->slots;
	size_t n = m->slot_count;

	m->slot_count = n ? n * 2 : SLOTS_FIRST;
	m->slots = calloc(m->slot_count, sizeof *m->slots);
	if (!m->slots)
		abort();
	for (size_t i = 0; i < n; i++)
		if (old[i])
			put(m, old[i]);
	free(old);
}

static void end(struct cse *c, void *state)
{
	struct members *m = state;

	(void)c;
	free(m->slots);
	free(m);
}

void group_note_member(struct cse *c, const char *id)
{
	struct members *m = c->services[SERVICE_GROUP];

	if (id[0] == '/')
		return;
	if (!m) {
		m = calloc(1, sizeof *m);
		if (!m)
			abort();
		cse_service_set(c, SERVICE_GROUP, m, end);
	}
	if (m->used * 2 >= m->slot_count)
		grow(m);
	m->used += put(m, hash_of(rd_str(id)));
}

void group_resource_gone(struct cse *c, const struct resource *r)
{
	struct members *m = c->services[SERVICE_GROUP];

	if (m && has(m, hash_of(rd_str(r->ri))))
		m->removal = true;
}

/* ---- who wants to know ---- */

void cse_use_groups(struct cse *c, void (*changed)(void *ctx, const char *id), void *ctx)
{
	c->group_changed = changed;
	c->group_changed_ctx = ctx;
}

void group_tell_changed(struct cse *c, const struct resource *group)
{
	if (c->group_changed && !c->rehearsing)
		c->group_changed(c->group_changed_ctx, group->ri);
}

static void tell_changed(struct cse *c, int64_t id)
{
	struct resource *group = tree_by_id(c->tree, id);

	if (group)
		group_tell_changed(c, group);
	resource_unref(group);
}

/* ---- before the commit ---- */

static bool is_there(struct cse *c, const struct json *member)
{
	struct rd id = member->text, first;
	struct resource *r;

	if (rd_starts(id, "/"))
		return true;
	if (!rd_until(&id, '/', &first))
		first = member->text;
	r = tree_by_ri(c->tree, first);
	resource_unref(r);
	return r || tree_error(c->tree) != OK;
}

struct collecting {
	struct cse *cse;
	int64_t ids[GROUPS_MAX];
	size_t count;
};

static bool collect(void *ctx, struct resource *group)
{
	struct collecting *k = ctx;
	const struct json *mid = resource_get(group, "mid");

	for (const struct json *m = mid ? mid->first : NULL; m; m = m->next) {
		if (m->type == JSON_STRING && !is_there(k->cse, m)) {
			k->ids[k->count++] = group->id;
			break;
		}
	}
	return k->count < GROUPS_MAX;
}

static void drop_members(void *ctx, struct attributes *a)
{
	struct cse *c = ctx;
	const struct json *mid = attributes_value(a, "mid"), *list;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	uint64_t n = 0;
	struct rd text;

	json_array(&o, NULL);
	for (const struct json *m = mid ? mid->first : NULL; m; m = m->next) {
		if (m->type != JSON_STRING || !is_there(c, m))
			continue;
		json_put_rd(&o, NULL, m->text);
		n++;
	}
	json_close(&o);
	if (wr_done(&w, &text) && json_parse(a->arena, text, NULL, &list) == OK) {
		attributes_set_json(a, "mid", list);
		attributes_set_uint(a, "cnm", n);
		attributes_set_time(a, "lt", cse_now(c));
	}
	wr_free(&w);
}

void group_before_commit(struct cse *c)
{
	struct members *m = c->services[SERVICE_GROUP];
	struct collecting *k;

	if (!m || !m->removal)
		return;
	m->removal = false;
	k = malloc(sizeof *k);
	if (!k)
		abort();
	k->cse = c;
	k->count = 0;
	if (tree_by_type(c->tree, TY_GROUP, collect, k) != OK)
		k->count = 0;
	for (size_t i = 0; i < k->count; i++)
		if (cse_edit_resource(c, k->ids[i], true, drop_members, c) == OK)
			tell_changed(c, k->ids[i]);
		else
			c->counts.refused++;
	free(k);
}
