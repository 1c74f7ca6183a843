/* Random octets from the system, or from a seed. */
#include "base/rng.h"

#include <stdlib.h>
#include <sys/random.h>

static void fill_system(struct rng *self, void *octets, size_t len)
{
	uint8_t *o = octets;

	(void)self;
	while (len > 0) {
		ssize_t n = getrandom(o, len, 0);

		if (n <= 0)
			abort(); /* no entropy: nothing that we could do would be safe */
		o += n;
		len -= (size_t)n;
	}
}

struct rng rng_system(void)
{
	struct rng r = {fill_system, 0};

	return r;
}

/* SplitMix64: small, and good enough for simulated loss. */
static uint64_t next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

static void fill_seeded(struct rng *self, void *octets, size_t len)
{
	uint8_t *o = octets;

	for (size_t i = 0; i < len; i++)
		o[i] = (uint8_t)next(self);
}

struct rng rng_seeded(uint64_t seed)
{
	struct rng r = {fill_seeded, seed};

	return r;
}

void rng_fill(struct rng *r, void *octets, size_t len)
{
	r->fill(r, octets, len);
}

uint32_t rng_u32(struct rng *r)
{
	uint32_t v;

	rng_fill(r, &v, sizeof v);
	return v;
}

uint32_t rng_below(struct rng *r, uint32_t bound)
{
	uint32_t limit = UINT32_MAX - UINT32_MAX % bound;
	uint32_t v;

	do
		v = rng_u32(r);
	while (v >= limit);
	return v % bound;
}
