/* A binary heap of nodes that know their places. */
#include "base/timers.h"

#include <stdlib.h>

#define ROOM_AT_FIRST 64

static bool before(const struct timer_node *a, const struct timer_node *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

/* Places count from 1: the two below n are 2n and 2n + 1. */
static void put(struct timers *t, struct timer_node *n, size_t place)
{
	t->heap[place - 1] = n;
	n->place = place;
}

static void rise(struct timers *t, struct timer_node *n, size_t place)
{
	while (place > 1 && before(n, t->heap[place / 2 - 1])) {
		put(t, t->heap[place / 2 - 1], place);
		place /= 2;
	}
	put(t, n, place);
}

static void sink(struct timers *t, struct timer_node *n, size_t place)
{
	for (;;) {
		size_t below = 2 * place;

		if (below > t->count)
			break;
		if (below < t->count && before(t->heap[below], t->heap[below - 1]))
			below++;
		if (!before(t->heap[below - 1], n))
			break;
		put(t, t->heap[below - 1], place);
		place = below;
	}
	put(t, n, place);
}

static void settle(struct timers *t, struct timer_node *n, size_t place)
{
	if (place > 1 && before(n, t->heap[place / 2 - 1]))
		rise(t, n, place);
	else
		sink(t, n, place);
}

static void grow(struct timers *t)
{
	size_t room = t->room ? 2 * t->room : ROOM_AT_FIRST;
	struct timer_node **heap = realloc(t->heap, room * sizeof *heap);

	if (!heap)
		abort();
	t->heap = heap;
	t->room = room;
}

void timers_set(struct timers *t, struct timer_node *n, uint64_t at)
{
	n->at = at;
	n->order = ++t->order;
	if (n->place == 0) {
		if (t->count == t->room)
			grow(t);
		n->place = ++t->count;
	}
	settle(t, n, n->place);
}

void timers_unset(struct timers *t, struct timer_node *n)
{
	size_t place = n->place;
	struct timer_node *last;

	if (place == 0)
		return;
	last = t->heap[--t->count];
	n->place = 0;
	if (last != n)
		settle(t, last, place);
}

struct timer_node *timers_first(const struct timers *t)
{
	return t->count > 0 ? t->heap[0] : NULL;
}

void timers_free(struct timers *t)
{
	free(t->heap);
	*t = (struct timers){0};
}
