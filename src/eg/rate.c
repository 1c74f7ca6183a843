/* Rate limits. */
#include "eg/rate.h"

#include <stdlib.h>

bool rate_init(struct rate *r, size_t limit, uint64_t period_ms)
{
	r->times = calloc(limit ? limit : 1, sizeof *r->times);
	r->limit = limit;
	r->at = r->used = 0;
	r->period_ms = period_ms;
	return r->times != NULL;
}

void rate_clear(struct rate *r)
{
	free(r->times);
	r->times = NULL;
}

bool rate_take(struct rate *r, uint64_t now_ms, uint64_t *retry_ms)
{
	*retry_ms = r->period_ms;
	if (r->limit == 0)
		return false;
	/* When the ring is full its oldest entry is at `at`. */
	if (r->used == r->limit && now_ms - r->times[r->at] < r->period_ms) {
		*retry_ms = r->period_ms - (now_ms - r->times[r->at]);
		return false;
	}
	r->times[r->at] = now_ms;
	r->at = (r->at + 1) % r->limit;
	if (r->used < r->limit)
		r->used++;
	return true;
}
