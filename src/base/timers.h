/* What is to happen when: a heap, so that ten thousand sessions with a timer each cost a timer the logarithm of that. Of two of the same moment the one
 * that was set first comes first. No clock here. */
#ifndef KEYWAY_BASE_TIMERS_H
#define KEYWAY_BASE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer_node {
	uint64_t at, order;
	size_t place; /* in the heap, from 1; 0: not set */
};

struct timers {
	struct timer_node **heap;
	size_t count, room;
	uint64_t order;
};

void timers_set(struct timers *t, struct timer_node *n, uint64_t at); /* also one that is set already */
void timers_unset(struct timers *t, struct timer_node *n);            /* also one that is not */
struct timer_node *timers_first(const struct timers *t);              /* NULL: none */
void timers_free(struct timers *t);                                   /* the heap; the nodes are their owners' */

#endif
