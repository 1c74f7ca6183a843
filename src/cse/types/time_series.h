/* What the files about timeSeries share. */
#ifndef KEYWAY_CSE_TYPES_TIME_SERIES_H
#define KEYWAY_CSE_TYPES_TIME_SERIES_H

#include "cse/private.h"

/* generation_times.c: a dataGenerationTime occurs once in a series. Times are unix microseconds. */
bool generation_time_parse(struct rd text, uint64_t now_ms, uint64_t *us) MUST_CHECK; /* absolute with its fraction, or milliseconds from now */
enum err generation_time_check(struct cse *c, struct resource *series, uint64_t us) MUST_CHECK; /* ERR_EXISTS */
void generation_time_note(struct cse *c, struct resource *series, uint64_t us);        /* of an instance that was made just now */
void generation_times_end(struct cse *c, const struct resource *series);

/* missing_data.c: detection runs by timers, from the first instance after it was switched on. TS-0001 clause 10.2.4.29. */
void missing_data_start(struct cse *c, struct resource *series);  /* anew, or not at all, as the attributes say */
void missing_data_seen(struct cse *c, struct resource *series, uint64_t dgt_ms);
void missing_data_end(struct cse *c, const struct resource *series);
void missing_data_resume(struct cse *c, struct resource *series); /* after a restart of the CSE */

/* missing_count.c: what subscriptions were not told yet; a list, empty at first. */
#define MISSING_MOST 1000 /* missing data that are kept without mdn, that wait for a subscription, and that are found at once after a long pause */

struct missing_count;
void missing_count(struct cse *c, struct missing_count **list, struct resource *series, const uint64_t *times, size_t n);
void missing_count_free(struct missing_count *list);

#endif
