/* `keyway bench eg`: how many Transport-Key packets a second the EG forges with durable counters. */
#ifndef KEYWAY_MEF_BENCH_EG_H
#define KEYWAY_MEF_BENCH_EG_H

#include <stdbool.h>

/* Options: --json, --seconds N (default 3, for each of the two measurements), --devices N (default 64), --state DIR (default: a
 * directory in $TMPDIR or /var/tmp, which is rarely in memory; the database is made and removed there). Returns an exit status. */
int bench_eg_main(int argc, char **argv);
/* With --registered N [--gateways N] instead: start, memory, and the cost of an EG-REQUEST with so many, against 100 devices. */
int bench_registered(const char *state, unsigned devices, unsigned gateways, bool json);

#endif
