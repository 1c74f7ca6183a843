/* A hash table of nodes that stand inside what is looked for; it grows with them. Different things may have the same hash: whoever looks compares.
 *
 *	table_add(&t, &thing->node, table_hash(thing->id));
 *	for (struct table_node *n = table_find(&t, table_hash(id)); n; n = table_find_next(n))
 *		... the thing around n, if its id is the one ...
 *
 * A table of zeros is empty. Without memory to grow it gets slower, and nothing else. */
#ifndef KEYWAY_BASE_TABLE_H
#define KEYWAY_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_node {
	struct table_node *next;
	uint64_t hash;
};

struct table {
	struct table_node **buckets, *one; /* `one` is the only bucket until there are others */
	size_t count, room;
};

uint64_t table_hash(uint64_t number);
uint64_t table_hash_octets(const void *octets, size_t len);

void table_add(struct table *t, struct table_node *n, uint64_t hash); /* n is in no table */
void table_remove(struct table *t, struct table_node *n);             /* n is in this one */
struct table_node *table_find(const struct table *t, uint64_t hash);  /* NULL: none */
struct table_node *table_find_next(const struct table_node *n);       /* of the same hash */
/* All, in no order: NULL asks for the first one. None may come or go in between. */
struct table_node *table_each(const struct table *t, const struct table_node *n);
void table_clear(struct table *t); /* the buckets; the nodes are their owners' */

/* What a node stands in. */
#define table_owner(node, type, member) ((node) ? (type *)(void *)((char *)(node) - offsetof(type, member)) : NULL)

#endif
