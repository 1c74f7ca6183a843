/* The air time of a channel on which all hear all, pure: one transmission at a time at 250 kbit/s. Whoever finds the channel taken waits as long as the
 * back-offs of CSMA-CA last at most, and has failed then; an acknowledgement goes at once, into the time that its frame has kept free for it. Two that
 * begin in the same moment do not collide here: they go one after the other. Source: IEEE 802.15.4-2006, 6.5 (2450 MHz O-QPSK), 7.5.1.4, table 86. */
#ifndef KEYWAY_SIM_CHANNEL_H
#define KEYWAY_SIM_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/rd.h"

#define CHANNEL_WAIT_US 36800 /* 7 + 15 + 31 + 31 + 31 back-off periods: macMinBE 3, macMaxBE 5, macMaxCSMABackoffs 4 */

/* All zero at the start. */
struct channel {
	uint64_t free_us;
};

/* A PSDU is ready at now_us; it has gone out at end_us, and is heard then. False: the channel was never free. */
bool channel_take(struct channel *c, uint64_t now_us, struct rd psdu, uint64_t *end_us) MUST_CHECK;

#endif
