/* What the keeper of the soak's clock tells all programs of a plant, in a file that they map. */
#ifndef KEYWAY_SOAK_CLOCK_PAGE_H
#define KEYWAY_SOAK_CLOCK_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

#define CLOCK_PROGRAMS 128

/* The plant's time is fast_ns when the machine's monotonic clock has real_ns, and runs `rate` times as fast from there on: 0 while it stands still. */
struct clock_page {
	_Atomic uint32_t version; /* odd: it is being written */
	_Atomic uint32_t rate;
	_Atomic uint32_t rate_most;
	_Atomic int64_t real_ns, fast_ns;
	_Atomic int64_t wall_ns;  /* what is to be added to the plant's time to have that since 1970 */
	_Atomic int32_t programs[CLOCK_PROGRAMS]; /* process IDs; they enter themselves, the keeper removes them */
};

#endif
