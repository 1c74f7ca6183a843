/* Time for shells; cores get it as an argument. */
#ifndef KEYWAY_BASE_CLOCK_H
#define KEYWAY_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER UINT64_MAX

uint64_t clock_ms(void);      /* monotonic, milliseconds */
uint64_t clock_us(void);      /* the same in microseconds */
uint64_t clock_unix_ms(void); /* wall clock, milliseconds since 1970 */

#endif
