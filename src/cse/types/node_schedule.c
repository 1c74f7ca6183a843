/* schedule: TS-0001 clause 9.6.9, TS-0004 clause 7.4.9. Below a node it says when what runs there can be reached; those below subscriptions
 * are notify/policy.c's business. */
#include <stdlib.h>

#include "cse/id_map.h"
#include "cse/schedule.h"
#include "cse/types/types.h"

/* The schedules of one node. */
struct reach {
	struct reach *next;
	int64_t schedule;
};

struct reaches {
	struct id_map nodes;
};

static void reaches_free(struct cse *c, void *state)
{
	struct reaches *s = state;
	struct reach *first, *next;
	size_t at = 0;

	(void)c;
	while ((first = id_map_each(&s->nodes, &at)) != NULL) {
		for (; first; first = next) {
			next = first->next;
			free(first);
		}
	}
	id_map_clear(&s->nodes);
	free(s);
}

static void note(struct cse *c, struct resource *schedule)
{
	struct reaches *s = c->services[SERVICE_SCHEDULE];
	struct resource *node = tree_parent(c->tree, schedule);
	struct reach *r;

	if (node && node->type == TY_NODE) {
		if (!s) {
			s = calloc(1, sizeof *s);
			if (!s)
				abort();
			cse_service_set(c, SERVICE_SCHEDULE, s, reaches_free);
		}
		r = calloc(1, sizeof *r);
		if (!r)
			abort();
		r->schedule = schedule->id;
		r->next = id_map_get(&s->nodes, node->id);
		id_map_set(&s->nodes, node->id, r);
	}
	resource_unref(node);
}

static void forget(struct cse *c, struct resource *schedule)
{
	struct reaches *s = c->services[SERVICE_SCHEDULE];
	struct reach *first = s ? id_map_get(&s->nodes, schedule->parent) : NULL, *gone = NULL;

	for (struct reach **at = &first; *at; at = &(*at)->next) {
		if ((*at)->schedule == schedule->id) {
			gone = *at;
			*at = gone->next;
			break;
		}
	}
	if (gone)
		id_map_set(&s->nodes, schedule->parent, first);
	free(gone);
}

static bool is_active(struct cse *c, int64_t id)
{
	struct resource *r = tree_by_id(c->tree, id);
	const struct json *sce = r ? json_get(resource_get(r, "se"), "sce") : NULL;
	bool active = !r;

	for (const struct json *e = sce ? sce->first : NULL; e && !active; e = e->next)
		active = e->type == JSON_STRING && schedule_is_active(e->text, cse_now(c));
	resource_unref(r);
	return active;
}

bool node_is_reachable(struct cse *c, struct resource *hosted)
{
	const struct reaches *s = c->services[SERVICE_SCHEDULE];
	const struct reach *r;
	struct resource *node;
	struct rd link;
	bool reachable;

	if (!s || s->nodes.count == 0 || !json_string(resource_get(hosted, "nl"), &link))
		return true;
	node = cse_find_address(c, link);
	r = node ? id_map_get(&s->nodes, node->id) : NULL;
	for (reachable = !r; r && !reachable; r = r->next)
		reachable = is_active(c, r->schedule);
	resource_unref(node);
	return reachable;
}

/* ---- hooks ---- */

/* networkCoordinated: with an underlying network, which there is none of here. TS-0004 clause 7.4.9.2.1. */
static bool network_fits(struct exchange *x, const struct json *given, int parent)
{
	const struct json *nco = json_get(given, "nco");
	bool wanted;

	if (!nco || nco->type == JSON_NULL)
		return true;
	if (parent != TY_NODE)
		exchange_fail(x, RSC_CONTENTS_UNACCEPTABLE, "`nco`: only goes with a node's schedule");
	else if (json_bool(nco, &wanted) && wanted)
		exchange_fail(x, RSC_NOT_IMPLEMENTED, "`nco`: there is no underlying network to coordinate with");
	else
		return true;
	return false;
}

static enum hook_result schedule_create(struct creation *cr)
{
	return network_fits(cr->x, cr->given, cr->x->target->type) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result schedule_created(struct creation *cr)
{
	note(cr->x->cse, cr->made);
	return HOOK_GO;
}

static enum hook_result schedule_update(struct updating *u)
{
	struct resource *parent = tree_parent(u->x->cse->tree, u->old);
	bool ok = network_fits(u->x, u->given, parent ? parent->type : 0);

	resource_unref(parent);
	return ok ? HOOK_GO : HOOK_FAILED;
}

const struct type_hooks hooks_schedule = {
	.type = TY_SCHEDULE,
	.create = schedule_create,
	.created = schedule_created,
	.update = schedule_update,
	.removed = forget,
	.start = note,
};
