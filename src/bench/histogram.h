/* Latencies in logarithmic buckets: 64 a power of two, so that a percentile is at most 1.6 % too high, in fixed memory.
 *
 *	struct histogram h = {.count = 0};
 *	histogram_add(&h, ns);
 *	p99 = histogram_at(&h, 99.0); */
#ifndef KEYWAY_BENCH_HISTOGRAM_H
#define KEYWAY_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 3776 /* (64 - 6 + 1) * 64: every uint64_t has one */

struct histogram {
	uint64_t count, sum, most;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);
/* The highest value that the bucket of this percentile stands for, never more than the highest one added; 0 when nothing was. */
uint64_t histogram_at(const struct histogram *h, double percent);

#endif
