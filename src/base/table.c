/* Chains in buckets, a power of two of them. */
#include "base/table.h"

#include <stdlib.h>

#define ROOM_AT_FIRST 64

/* Every bit of the number decides about the low ones, which choose the bucket: EUI-64s of one delivery differ in a few. */
uint64_t table_hash(uint64_t number)
{
	number ^= number >> 32;
	number *= 0x9e3779b97f4a7c15ULL;
	number ^= number >> 29;
	number *= 0xbf58476d1ce4e5b9ULL;
	return number ^ number >> 32;
}

uint64_t table_hash_octets(const void *octets, size_t len)
{
	const uint8_t *at = octets;
	uint64_t hash = len;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * 0x100000001b3ULL;
	return table_hash(hash);
}

static struct table_node **bucket(const struct table *t, uint64_t hash)
{
	return t->buckets ? &t->buckets[hash & (t->room - 1)] : (struct table_node **)(uintptr_t)&t->one;
}

static void grow(struct table *t)
{
	size_t room = t->room ? 2 * t->room : ROOM_AT_FIRST;
	struct table grown = {.buckets = calloc(room, sizeof(struct table_node *)), .room = room, .count = t->count};
	struct table_node *n, *next;

	if (!grown.buckets)
		return;
	for (size_t i = 0; i < (t->buckets ? t->room : 1); i++) {
		for (n = t->buckets ? t->buckets[i] : t->one; n; n = next) {
			struct table_node **b = bucket(&grown, n->hash);

			next = n->next;
			n->next = *b;
			*b = n;
		}
	}
	free(t->buckets);
	*t = grown;
}

void table_add(struct table *t, struct table_node *n, uint64_t hash)
{
	struct table_node **b;

	if (t->count >= t->room)
		grow(t);
	b = bucket(t, hash);
	n->hash = hash;
	n->next = *b;
	*b = n;
	t->count++;
}

void table_remove(struct table *t, struct table_node *n)
{
	struct table_node **link = bucket(t, n->hash);

	while (*link != n)
		link = &(*link)->next;
	*link = n->next;
	n->next = NULL;
	t->count--;
}

static struct table_node *with_hash(struct table_node *n, uint64_t hash)
{
	while (n && n->hash != hash)
		n = n->next;
	return n;
}

struct table_node *table_find(const struct table *t, uint64_t hash)
{
	return with_hash(*bucket(t, hash), hash);
}

struct table_node *table_find_next(const struct table_node *n)
{
	return with_hash(n->next, n->hash);
}

struct table_node *table_each(const struct table *t, const struct table_node *n)
{
	size_t i = 0, room = t->buckets ? t->room : 1;

	if (n && n->next)
		return n->next;
	if (n)
		i = (n->hash & (room - 1)) + 1;
	for (; i < room; i++) {
		struct table_node *first = t->buckets ? t->buckets[i] : t->one;

		if (first)
			return first;
	}
	return NULL;
}

void table_clear(struct table *t)
{
	free(t->buckets);
	*t = (struct table){0};
}
