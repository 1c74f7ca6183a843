/* Random octets as an argument: programs use the system's, tests seed their own. */
#ifndef KEYWAY_BASE_RNG_H
#define KEYWAY_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	void (*fill)(struct rng *self, void *octets, size_t len); /* cannot fail: ends the process instead */
	uint64_t state;                                           /* for seeded generators */
};

struct rng rng_system(void);             /* getrandom(2); for keys */
struct rng rng_seeded(uint64_t seed);    /* reproducible; for tests and simulated loss only */
void rng_fill(struct rng *r, void *octets, size_t len);
uint32_t rng_u32(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t bound); /* 0 .. bound-1, uniform; bound > 0 */

#endif
