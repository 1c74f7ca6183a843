/* Frame counters that never repeat, whatever crashes. Outgoing: blocks of numbers are reserved in stable storage before any of them is
 * used; after a restart counting goes on at the end of the reserved block, so that a crash skips numbers and repeats none.
 *
 *	counter_init(&c, limit_from_store, 1024);
 *	if ((e = counter_take(&c, reserve, store, &number)) != OK) ... */
#ifndef KEYWAY_KEYS_COUNTER_H
#define KEYWAY_KEYS_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Near the end a new key is due; the last numbers are never used, so that no arithmetic can wrap. */
#define COUNTER_LIMIT 0xffffff00U

struct counter {
	uint32_t next;     /* the number that comes next */
	uint32_t reserved; /* numbers below this are ours to use */
	uint32_t block;
};

/* Must return OK only when `limit` is on disk. */
typedef enum err counter_reserve(void *ctx, uint32_t limit);

/* `stored` is the limit that was reserved last, 0 for a new counter. A block of 0 counts as 1. */
void counter_init(struct counter *c, uint32_t stored, uint32_t block);
/* ERR_COUNTER_EXHAUSTED at the end; the error of reserve otherwise; the counter is unchanged then. */
enum err counter_take(struct counter *c, counter_reserve *reserve, void *ctx, uint32_t *number) MUST_CHECK;

/* Incoming: strictly rising. To be asked only after the frame's integrity code was right. */
struct counter_in {
	bool any;
	uint32_t last;
};
bool counter_in_fresh(const struct counter_in *c, uint32_t number) MUST_CHECK;
void counter_in_accept(struct counter_in *c, uint32_t number);

#endif
