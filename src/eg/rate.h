/* At most N events in any period: the times of the last N are kept, so that no edge of a window lets more through. */
#ifndef KEYWAY_EG_RATE_H
#define KEYWAY_EG_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct rate {
	uint64_t *times; /* owned; a ring of `limit` */
	size_t limit, at, used;
	uint64_t period_ms;
};

/* limit 0 permits nothing. False without memory. */
bool rate_init(struct rate *r, size_t limit, uint64_t period_ms) MUST_CHECK;
void rate_clear(struct rate *r);
/* Counts one event if it is permitted; otherwise *retry_ms says when the next one will be. */
bool rate_take(struct rate *r, uint64_t now_ms, uint64_t *retry_ms) MUST_CHECK;

#endif
