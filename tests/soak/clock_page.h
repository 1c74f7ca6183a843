/* What the keeper of the soak's clock and the programs of a plant tell one another, in a file that all map. */
#ifndef KEYWAY_SOAK_CLOCK_PAGE_H
#define KEYWAY_SOAK_CLOCK_PAGE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

#define CLOCK_PROGRAMS 128
#define CLOCK_NEVER INT64_MAX
#define CLOCK_SIGNAL (SIGRTMAX - 1) /* it is your time */

struct clock_program {
	_Atomic int32_t process; /* its ID: it enters itself, the keeper removes it */
	_Atomic uint32_t busy;   /* it has something to do */
	_Atomic int64_t until;   /* otherwise: it waits until then, or for something to come */
};

struct clock_page {
	_Atomic int64_t now_ns;  /* of the monotonic clock */
	_Atomic int64_t wall_ns; /* to be added to it for the time since 1970 */
	struct clock_program programs[CLOCK_PROGRAMS];
};

#endif
