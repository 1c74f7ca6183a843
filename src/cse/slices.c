/* Work of one request that goes on in slices. */
#include "cse/slices.h"

#include <stdlib.h>

struct all_slices {
	struct slices *first;
};

/* What waits for an answer goes on until that comes, which the end of the CSE brings too. */
static void all_free(struct cse *c, void *state)
{
	struct all_slices *all = state;

	while (all->first) {
		struct slices *s = all->first;

		slices_end(s);
		exchange_fail(s->x, RSC_INTERNAL_SERVER_ERROR, "the CSE ends");
		s->x = NULL;
		if (!s->waits)
			s->free(s);
	}
	c->services[SERVICE_SLICES] = NULL;
	free(all);
}

static void on_slice(struct cse *c, struct cse_timer *t)
{
	struct slices *s = (struct slices *)t;
	struct exchange *x = s->x;
	const struct resource *was = x->target;
	struct resource *target = !was->stale ? resource_ref(x->target) : was->instance ? tree_instance(c->tree, was->parent, was->id) : tree_by_id(c->tree, was->id);

	c->counts.slices++;
	if (target && !(x->expires_ms && x->expires_ms <= cse_now(c))) {
		resource_unref(x->target);
		x->target = target;
		s->slice(s);
		return;
	}
	slices_end(s);
	if (target)
		exchange_fail(x, RSC_REQUEST_TIMEOUT, "this took longer than the request allows (rqet)");
	else
		exchange_fail(x, RSC_NOT_FOUND, "the resource was deleted meanwhile");
	resource_unref(target);
	s->free(s);
}

void slices_begin(struct slices *s, struct exchange *x)
{
	struct cse *c = x->cse;
	struct all_slices *all = c->services[SERVICE_SLICES];

	if (!all) {
		all = calloc(1, sizeof *all);
		if (!all)
			abort();
		cse_service_set(c, SERVICE_SLICES, all, all_free);
	}
	s->timer.fn = on_slice;
	s->cse = c;
	s->x = x;
	s->next = all->first;
	all->first = s;
}

void slices_again(struct slices *s)
{
	cse_timer_at(s->cse, &s->timer, cse_mono(s->cse) + 1);
}

void slices_end(struct slices *s)
{
	struct all_slices *all = s->cse->services[SERVICE_SLICES];
	struct slices **at = &all->first;

	cse_timer_cancel(s->cse, &s->timer);
	while (*at && *at != s)
		at = &(*at)->next;
	if (*at)
		*at = s->next;
}
