/* What the system knows of a process. */
#ifndef KEYWAY_BENCH_PROCESS_FIGURES_H
#define KEYWAY_BENCH_PROCESS_FIGURES_H

#include <stdint.h>
#include <sys/types.h>

uint64_t process_cpu_us(pid_t pid);    /* user and system time so far; 0 when it is gone. Counted in clock ticks */
uint64_t process_memory(pid_t pid);    /* resident octets, without pages of files that others may share; 0 when it is gone */

#endif
