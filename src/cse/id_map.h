/* What services keep beside resources in memory, found by the resource's key.
 *
 *	struct watch *w = id_map_get(&s->watches, r->id);
 *
 * Keys are positive. The map borrows its values: who puts one in frees it. */
#ifndef KEYWAY_CSE_ID_MAP_H
#define KEYWAY_CSE_ID_MAP_H

#include <stddef.h>
#include <stdint.h>

struct id_map {
	struct id_entry {
		int64_t id; /* 0: free */
		void *value;
	} *entries;
	size_t room, count;
};

void *id_map_get(const struct id_map *m, int64_t id); /* NULL: not there */
void id_map_set(struct id_map *m, int64_t id, void *value); /* value NULL: takes it out */
/* Each value in any order: begin with *at 0; NULL at the end. The map must not change meanwhile. */
void *id_map_each(const struct id_map *m, size_t *at);
void id_map_clear(struct id_map *m);

#endif
