/* Maps of keys: open addressing, kept at most half full. */
#include "cse/id_map.h"

#include <stdlib.h>

#define ROOM_FIRST 16

static size_t slot_of(const struct id_map *m, int64_t id)
{
	uint64_t h = (uint64_t)id * 0x9e3779b97f4a7c15ULL;
	size_t i = (size_t)(h ^ h >> 32) & (m->room - 1);

	while (m->entries[i].id && m->entries[i].id != id)
		i = (i + 1) & (m->room - 1);
	return i;
}

void *id_map_get(const struct id_map *m, int64_t id)
{
	return m->room ? m->entries[slot_of(m, id)].value : NULL;
}

static void grow(struct id_map *m)
{
	struct id_map larger = {.room = m->room ? m->room * 2 : ROOM_FIRST, .count = m->count};

	larger.entries = calloc(larger.room, sizeof *larger.entries);
	if (!larger.entries)
		abort();
	for (size_t i = 0; i < m->room; i++)
		if (m->entries[i].id)
			larger.entries[slot_of(&larger, m->entries[i].id)] = m->entries[i];
	free(m->entries);
	*m = larger;
}

/* What follows a hole without a gap may have been put there because its own place was taken: it is put in again. */
static void take_out(struct id_map *m, size_t i)
{
	m->entries[i] = (struct id_entry){0, NULL};
	m->count--;
	for (i = (i + 1) & (m->room - 1); m->entries[i].id; i = (i + 1) & (m->room - 1)) {
		struct id_entry e = m->entries[i];

		m->entries[i] = (struct id_entry){0, NULL};
		m->entries[slot_of(m, e.id)] = e;
	}
}

void id_map_set(struct id_map *m, int64_t id, void *value)
{
	size_t i;

	if (value && (m->count + 1) * 2 > m->room)
		grow(m);
	if (!m->room)
		return;
	i = slot_of(m, id);
	if (!value) {
		if (m->entries[i].id)
			take_out(m, i);
		return;
	}
	m->count += m->entries[i].id == 0;
	m->entries[i] = (struct id_entry){id, value};
}

void *id_map_each(const struct id_map *m, size_t *at)
{
	while (*at < m->room)
		if (m->entries[(*at)++].id)
			return m->entries[*at - 1].value;
	return NULL;
}

void id_map_clear(struct id_map *m)
{
	free(m->entries);
	*m = (struct id_map){NULL, 0, 0};
}
