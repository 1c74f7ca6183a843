/* Counters and limits of instances. */
#include "cse/types/instances.h"

#define TRIM_AT_ONCE 512 /* instances beyond the limits that one operation deletes: some 5 ms */

uint64_t instances_content_size(const struct json *con)
{
	return con->type == JSON_STRING ? con->text.left : con->source.left;
}

static enum err drop_oldest(struct cse *c, struct resource *parent, struct counters *n)
{
	struct resource *oldest = tree_oldest(c->tree, parent);
	uint64_t size;
	enum err e;

	if (!oldest)
		return tree_error(c->tree) == OK ? ERR_NOT_FOUND : tree_error(c->tree);
	size = resource_uint(oldest, "cs", 0);
	e = tree_delete(c->tree, oldest);
	if (e == OK)
		cse_event(c, &(const struct event){.kind = EVENT_CHILD_DELETE, .subject = parent, .shown = oldest, .operation = ONEM2M_DELETE});
	resource_unref(oldest);
	n->instances--;
	n->octets -= size < n->octets ? size : n->octets;
	return e;
}

/* Lets the oldest go until the limits hold, or it has been enough for now. */
static enum err make_room(struct cse *c, struct resource *parent, struct counters *n, bool *more)
{
	uint64_t most = resource_uint(parent, "mni", UINT64_MAX), octets = resource_uint(parent, "mbs", UINT64_MAX);
	enum err e = OK;

	*more = false;
	for (unsigned i = 0; e == OK && n->instances > 0 && (n->instances > most || n->octets > octets); i++) {
		*more = i == TRIM_AT_ONCE;
		if (*more)
			return OK;
		e = drop_oldest(c, parent, n);
	}
	return e == ERR_NOT_FOUND ? OK : e;
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
	e = make_room(x->cse, x->target, &n, &more);
	if (e != OK) {
		resource_unref(cr->made);
		exchange_store_failed(x, e);
		return false;
	}
	tree_count(x->cse->tree, x->target, &n);
	if (more)
		cse_trim_later(x->cse, x->target->id);
	return true;
}

enum err instances_trim_on(struct cse *c, struct resource *parent, bool *more)
{
	struct counters n = parent->counters;
	enum err e = make_room(c, parent, &n, more);

	if (e == OK)
		tree_count(c->tree, parent, &n);
	return e;
}

bool instances_trim(struct exchange *x, struct resource *parent)
{
	bool more;
	enum err e = instances_trim_on(x->cse, parent, &more);

	if (e != OK) {
		exchange_store_failed(x, e);
		return false;
	}
	if (more)
		cse_trim_later(x->cse, parent->id);
	return true;
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
	uint64_t age = resource_uint(cr->x->target, "mia", 0), at = cr->now + age * 1000;

	if (age > 0 && (cr->expires == 0 || at < cr->expires)) {
		cr->expires = at;
		attributes_set_time(&cr->attributes, "et", at);
	}
}
