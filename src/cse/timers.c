/* Timers of the CSE's services: one sorted list, woken by the shell. */
#include "cse/gate.h"
#include "cse/private.h"

void cse_timer_cancel(struct cse *c, struct cse_timer *t)
{
	struct cse_timer **at = &c->timers;

	while (*at && *at != t)
		at = &(*at)->next;
	if (*at)
		*at = t->next;
	t->at = 0;
}

void cse_timer_at(struct cse *c, struct cse_timer *t, uint64_t when)
{
	struct cse_timer **at = &c->timers;

	cse_timer_cancel(c, t);
	t->at = when ? when : 1;
	while (*at && (*at)->at <= t->at)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
	c->transport.wake_at(c->transport.transport, c->timers->at);
}

void cse_tick(struct cse *c)
{
	uint64_t now = cse_mono(c);

	if (gate_holds_tick(c))
		return;
	while (c->timers && c->timers->at <= now) {
		struct cse_timer *t = c->timers;

		c->timers = t->next;
		t->at = 0;
		t->fn(c, t);
	}
	if (c->timers)
		c->transport.wake_at(c->transport.transport, c->timers->at);
}
