/* oneM2M time stamps, TS-0004 table 6.3.3-1: YYYYMMDDThhmmss[,f...], UTC; and periods (xs:duration). */
#ifndef KEYWAY_ONEM2M_TIMESTAMP_H
#define KEYWAY_ONEM2M_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/rd.h"

#define TIMESTAMP_SIZE 24

void timestamp_print(char text[static TIMESTAMP_SIZE], uint64_t unix_ms);          /* "20261121T072556" */
void timestamp_print_precise(char text[static TIMESTAMP_SIZE], uint64_t unix_ms);  /* "20261121T072556,123000": sorts as text */
bool timestamp_parse(struct rd text, uint64_t *unix_ms) MUST_CHECK;                 /* a real date and time, with or without fraction */
bool duration_parse(struct rd text, uint64_t *ms) MUST_CHECK;                       /* "PT5S", "P1DT2H"; a month is 30 days, a year 365 */
/* m2m:absRelTimestamp: an absolute time stamp, a duration, or milliseconds; the two latter from now on. */
bool timestamp_parse_abs_rel(struct rd text, uint64_t now_ms, uint64_t *unix_ms) MUST_CHECK;

/* Broken down, UTC: month 1..12, weekday 0 (Sunday) .. 6. */
struct timestamp_fields {
	unsigned second, minute, hour, day, month, weekday, year;
};
struct timestamp_fields timestamp_break_down(uint64_t unix_ms);

#endif
