/* Counters and limits of instances. */
#include "cse/types/instances.h"

#define TRIM_AT_ONCE 512 /* instances beyond the limits that one operation deletes: some 5 ms */

uint64_t instances_content_size(const struct json *con)
{
	return con->type == JSON_STRING ? con->text.left : con->source.left;
}

/* That the limits let an instance go is no news: its successor is. */
static enum err drop(struct cse *c, struct resource *parent, struct resource *oldest, struct counters *n)
{
	uint64_t size = resource_uint(oldest, "cs", 0);
	enum err e = tree_delete(c->tree, oldest);

	if (e == OK)
		cse_event(c, &(const struct event){.kind = EVENT_CHILD_DELETE, .subject = parent, .shown = oldest, .operation = ONEM2M_DELETE, .untold = true});
	n->instances--;
	n->octets -= size < n->octets ? size : n->octets;
	return e;
}

/* Lets the oldest go until the limits hold and none is left up to `until`, or it has been enough for now. */
static enum err make_room(struct cse *c, struct resource *parent, struct counters *n, int64_t until, bool *more)
{
	const struct limits l = *resource_limits(parent);
	enum err e = OK;

	*more = false;
	for (unsigned i = 0; e == OK && n->instances > 0; i++) {
		bool over = n->instances > l.instances || n->octets > l.octets;
		struct resource *oldest = over || until ? tree_oldest(c->tree, parent) : NULL;

		if (!oldest)
			return over || until ? tree_error(c->tree) : OK;
		over = over || oldest->id <= until;
		*more = over && i == TRIM_AT_ONCE;
		if (over && !*more)
			e = drop(c, parent, oldest, n);
		resource_unref(oldest);
		if (!over || *more)
			return OK;
	}
	return e;
}

bool instances_add(struct creation *cr, uint64_t octets)
{
	struct exchange *x = cr->x;
	struct counters n = x->target->counters;
	bool more;
	enum err e;

	n.instances++;
	n.octets += octets;
	n.state_tag += n.has_state_tag;
	n.modified_ms = cr->now;
	e = make_room(x->cse, x->target, &n, 0, &more);
	if (e != OK) {
		resource_unref(cr->made);
		exchange_store_failed(x, e);
		return false;
	}
	tree_count(x->cse->tree, x->target, &n);
	if (more)
		cse_trim_later(x->cse, x->target->id, 0);
	return true;
}

enum err instances_trim_on(struct cse *c, struct resource *parent, int64_t until, bool *more)
{
	struct counters n = parent->counters;
	enum err e = make_room(c, parent, &n, until, more);

	if (e == OK)
		tree_count(c->tree, parent, &n);
	return e;
}

static bool trim(struct exchange *x, struct resource *parent, int64_t until)
{
	bool more;
	enum err e = instances_trim_on(x->cse, parent, until, &more);

	if (e != OK) {
		exchange_store_failed(x, e);
		return false;
	}
	if (more)
		cse_trim_later(x->cse, parent->id, until);
	return true;
}

bool instances_trim(struct exchange *x, struct resource *parent)
{
	return trim(x, parent, 0);
}

bool instances_clear(struct exchange *x, struct resource *parent)
{
	struct resource *latest = tree_latest(x->cse->tree, parent);
	int64_t until = latest ? latest->id : 0;

	resource_unref(latest);
	return trim(x, parent, until);
}

void instances_subtract(struct cse *c, struct resource *parent, struct resource *instance)
{
	struct counters n = parent->counters;
	uint64_t size = resource_uint(instance, "cs", 0);

	n.instances -= n.instances > 0;
	n.octets -= size < n.octets ? size : n.octets;
	n.state_tag += n.has_state_tag;
	n.modified_ms = cse_now(c);
	tree_count(c->tree, parent, &n);
}

void instances_age(struct creation *cr)
{
	uint64_t age = resource_limits(cr->x->target)->age_s, end = cr->expires ? cr->expires : cr->x->target->expires;

	if (age == 0 || age > INT64_MAX / 1000 || (end > 0 && cr->now + age * 1000 >= end))
		return; /* it goes earlier by itself, or with its parent */
	cr->expires = cr->now + age * 1000;
	attributes_set_time(&cr->attributes, "et", cr->expires);
}
