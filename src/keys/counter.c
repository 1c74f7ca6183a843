/* Frame counters. */
#include "keys/counter.h"

void counter_init(struct counter *c, uint32_t stored, uint32_t block)
{
	c->next = c->reserved = stored;
	c->block = block ? block : 1; /* a block of nothing would give out numbers that no store knows of */
}

enum err counter_take(struct counter *c, counter_reserve *reserve, void *ctx, uint32_t *number)
{
	if (c->next >= c->reserved) {
		uint32_t limit = c->next > COUNTER_LIMIT - c->block ? COUNTER_LIMIT : c->next + c->block;
		enum err e;

		if (c->next >= COUNTER_LIMIT)
			return ERR_COUNTER_EXHAUSTED;
		e = reserve(ctx, limit);
		if (e != OK)
			return e;
		c->reserved = limit;
	}
	*number = c->next++;
	return OK;
}

bool counter_in_fresh(const struct counter_in *c, uint32_t number)
{
	return !c->any || number > c->last;
}

void counter_in_accept(struct counter_in *c, uint32_t number)
{
	c->any = true;
	c->last = number;
}
