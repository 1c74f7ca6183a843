/* oneM2M time stamps, TS-0004 table 6.3.3-1: YYYYMMDDThhmmss, UTC. */
#ifndef KEYWAY_ONEM2M_TIMESTAMP_H
#define KEYWAY_ONEM2M_TIMESTAMP_H

#include <stdint.h>

#include "base/rd.h"

#define TIMESTAMP_SIZE 24

void timestamp_print(char text[static TIMESTAMP_SIZE], uint64_t unix_ms);
/* Also with a fraction of a second behind a comma, which is dropped. Unix seconds; false for what is no such time. */
bool timestamp_parse(struct rd text, uint64_t *unix_s) MUST_CHECK;

#endif
