/* What would take too long at once goes on in portions, one a round of the loop: what was below deleted resources, which nobody sees any more,
 * and the oldest instances of containers whose limits were lowered. The first is noted in the store and goes on after a restart; the second
 * goes on with the next instance that comes. */
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"
#include "cse/types/instances.h"

#define ROWS_AT_ONCE 2048 /* some 5 ms */
#define AGAIN_MS 1000     /* after a failure, such as a full disk */

struct sweep {
	struct cse_timer timer;
	struct {
		int64_t id, until;
	} *trims; /* containers beyond their limits */
	size_t count, room;
};

static void sweep_free(struct cse *c, void *state)
{
	struct sweep *s = state;

	cse_timer_cancel(c, &s->timer);
	free(s->trims);
	free(s);
}

/* The last of the list; the others wait. */
static enum err trim(struct cse *c, struct sweep *s)
{
	struct resource *r = tree_by_id(c->tree, s->trims[s->count - 1].id);
	bool more = false;
	enum err e = r ? instances_trim_on(c, r, s->trims[s->count - 1].until, &more) : tree_error(c->tree);

	resource_unref(r);
	if (e == OK && !more)
		s->count--;
	return e;
}

static void on_sweep(struct cse *c, struct cse_timer *t)
{
	struct sweep *s = c->services[SERVICE_SWEEP];
	enum err e = OK;

	(void)t;
	c->counts.slices++;
	if (store_has_gone(c->store))
		e = store_sweep(c->store, ROWS_AT_ONCE);
	else if (orphans_wait(c))
		e = orphans_sweep(c);
	else if (s->count > 0)
		e = trim(c, s);
	if (e != OK)
		c->round_broken = store_dirty(c->store);
	cse_commit_later(c);
	if (e != OK || store_has_gone(c->store) || orphans_wait(c) || s->count > 0)
		cse_timer_at(c, &s->timer, cse_mono(c) + (e == OK ? 1 : AGAIN_MS));
}

static struct sweep *sweep_of(struct cse *c)
{
	struct sweep *s = c->services[SERVICE_SWEEP];

	if (s)
		return s;
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	s->timer.fn = on_sweep;
	cse_service_set(c, SERVICE_SWEEP, s, sweep_free);
	return s;
}

void cse_sweep_later(struct cse *c)
{
	struct sweep *s = sweep_of(c);

	if (s->timer.at == 0)
		cse_timer_at(c, &s->timer, cse_mono(c) + 1);
}

void cse_trim_later(struct cse *c, int64_t id, int64_t until)
{
	struct sweep *s = sweep_of(c);

	for (size_t i = 0; i < s->count; i++) {
		if (s->trims[i].id != id)
			continue;
		if (until > s->trims[i].until)
			s->trims[i].until = until;
		return;
	}
	if (s->count == s->room) {
		s->room = s->room ? s->room * 2 : 16;
		s->trims = realloc(s->trims, s->room * sizeof *s->trims);
		if (!s->trims)
			abort();
	}
	s->trims[s->count].id = id;
	s->trims[s->count++].until = until;
	cse_sweep_later(c);
}
