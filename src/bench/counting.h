/* The time between warming up and the end, in which a load generator counts, and the CPU time that went by in it. */
#ifndef KEYWAY_BENCH_COUNTING_H
#define KEYWAY_BENCH_COUNTING_H

#include "bench/load.h"

struct counting {
	bool on;
	uint64_t since; /* ns */
	uint64_t server_cpu, client_cpu;
};

/* now: ns, as load_now_ns; server 0: none is looked at. */
void counting_begin(struct counting *c, uint64_t now, pid_t server);
/* Fills in seconds and CPU times of the answers in r, if it began; once. */
void counting_end(struct counting *c, uint64_t now, pid_t server, struct load_result *r);

#endif
