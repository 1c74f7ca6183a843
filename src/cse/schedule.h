/* Schedule entries: seven fields of an extended crontab: second minute hour day-of-month month day-of-week year. Each is '*', a number, a
 * range a-b, a step '*'/n or a-b/n, or a list of these joined by ','. TS-0004 table 6.3.3-1 (m2m:scheduleEntry); times are UTC. */
#ifndef KEYWAY_CSE_SCHEDULE_H
#define KEYWAY_CSE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"

#define SCHEDULE_TEXT_MAX 512

bool schedule_is_valid(struct rd entry);
bool schedule_is_active(struct rd entry, uint64_t unix_ms); /* false for an invalid one too */
/* Next second at which it is active (or is not), from unix_ms on and within a year; 0 when there is none. */
uint64_t schedule_next(struct rd entry, bool active, uint64_t unix_ms);
/* The entry that is active when both are, field by field. False when there is no such time by a field, when one is invalid, or when it does
 * not fit. */
bool schedule_both(struct rd a, struct rd b, char *text, size_t size) MUST_CHECK;

#endif
