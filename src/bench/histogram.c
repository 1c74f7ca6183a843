/* Latencies in logarithmic buckets. */
#include "bench/histogram.h"

#define STEP_BITS 6U
#define STEPS (1U << STEP_BITS)

static unsigned bucket_of(uint64_t value)
{
	unsigned shift;

	if (value < STEPS)
		return (unsigned)value;
	shift = 63U - (unsigned)__builtin_clzll(value) - STEP_BITS;
	return (shift + 1) * STEPS + (unsigned)(value >> shift) - STEPS;
}

static uint64_t highest_of(unsigned bucket)
{
	unsigned shift;

	if (bucket < STEPS)
		return bucket;
	shift = bucket / STEPS - 1;
	return ((uint64_t)(bucket % STEPS + STEPS) << shift) + ((1ULL << shift) - 1);
}

void histogram_add(struct histogram *h, uint64_t value)
{
	h->buckets[bucket_of(value)]++;
	h->count++;
	h->sum += value;
	if (value > h->most)
		h->most = value;
}

uint64_t histogram_at(const struct histogram *h, double percent)
{
	double wanted = (double)h->count * percent / 100.0;
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (h->buckets[i] > 0 && (double)seen >= wanted) {
			uint64_t highest = highest_of(i);

			return highest < h->most ? highest : h->most;
		}
	}
	return 0;
}
