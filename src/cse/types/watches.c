/* Two maps: from a subject to its watchers, and from a watcher to its subjects. */
#include "cse/types/watches.h"

#include <stdlib.h>
#include <string.h>

#include "cse/id_map.h"

struct list {
	int64_t *ids;
	size_t count, room;
};

struct watches {
	struct id_map by_subject, by_watcher; /* lists */
	unsigned depth;
};

static void list_free(struct list *l)
{
	if (l)
		free(l->ids);
	free(l);
}

static void free_all(struct id_map *m)
{
	struct list *l;
	size_t at = 0;

	while ((l = id_map_each(m, &at)) != NULL)
		list_free(l);
	id_map_clear(m);
}

static void watches_free(struct cse *c, void *state)
{
	struct watches *w = state;

	(void)c;
	free_all(&w->by_subject);
	free_all(&w->by_watcher);
	free(w);
}

static struct watches *service(struct cse *c)
{
	struct watches *w = c->services[SERVICE_WATCHES];

	if (!w) {
		w = calloc(1, sizeof *w);
		if (!w)
			abort();
		cse_service_set(c, SERVICE_WATCHES, w, watches_free);
	}
	return w;
}

static bool list_has(const struct list *l, int64_t id)
{
	for (size_t i = 0; l && i < l->count; i++)
		if (l->ids[i] == id)
			return true;
	return false;
}

static void add(struct id_map *m, int64_t key, int64_t id)
{
	struct list *l = id_map_get(m, key);

	if (list_has(l, id))
		return;
	if (!l) {
		l = calloc(1, sizeof *l);
		if (!l)
			abort();
		id_map_set(m, key, l);
	}
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 2;
		l->ids = realloc(l->ids, l->room * sizeof *l->ids);
		if (!l->ids)
			abort();
	}
	l->ids[l->count++] = id;
}

static void take_out(struct id_map *m, int64_t key, int64_t id)
{
	struct list *l = id_map_get(m, key);

	for (size_t i = 0; l && i < l->count; i++)
		if (l->ids[i] == id)
			l->ids[i--] = l->ids[--l->count];
	if (l && l->count == 0) {
		id_map_set(m, key, NULL);
		list_free(l);
	}
}

void watches_set(struct cse *c, int64_t watcher, const int64_t *subjects, size_t count)
{
	struct watches *w = service(c);
	struct list *old = id_map_get(&w->by_watcher, watcher);

	for (size_t i = 0; old && i < old->count; i++)
		take_out(&w->by_subject, old->ids[i], watcher);
	id_map_set(&w->by_watcher, watcher, NULL);
	list_free(old);
	for (size_t i = 0; i < count; i++) {
		add(&w->by_subject, subjects[i], watcher);
		add(&w->by_watcher, watcher, subjects[i]);
	}
}

unsigned watches_depth(const struct cse *c)
{
	const struct watches *w = c->services[SERVICE_WATCHES];

	return w ? w->depth : 0;
}

void watches_set_depth(struct cse *c, unsigned depth)
{
	service(c)->depth = depth;
}

static void tell(struct cse *c, int64_t watcher, struct resource *subject)
{
	struct resource *r = tree_by_id(c->tree, watcher);

	if (r && r->type == TY_ACTION)
		action_subject_changed(c, r, subject);
	else if (r && r->type == TY_PROCESS_MANAGEMENT)
		process_subject_changed(c, r);
	resource_unref(r);
}

void watches_event(struct cse *c, const struct event *e)
{
	const struct watches *w = c->services[SERVICE_WATCHES];
	const struct list *l;
	int64_t *copy;
	size_t n;

	if (!w || w->by_subject.count == 0 || (e->kind != EVENT_UPDATE && e->kind != EVENT_CHILD_CREATE && e->kind != EVENT_CHILD_DELETE))
		return;
	l = id_map_get(&w->by_subject, e->subject->id);
	if (!l)
		return;
	n = l->count;
	copy = malloc(n * sizeof *copy);
	if (!copy)
		abort();
	memcpy(copy, l->ids, n * sizeof *copy); /* who is told may begin to watch something else */
	for (size_t i = 0; i < n; i++)
		if (!e->shown || e->kind != EVENT_CHILD_CREATE || e->shown->id != copy[i]) /* its own beginning is no change to it */
			tell(c, copy[i], e->subject);
	free(copy);
}
