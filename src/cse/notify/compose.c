/* Contents of notifications. */
#include "cse/notify/compose.h"

#include <stdio.h>
#include <string.h>

const char *compose_id(struct cse *c, const char *id, bool foreign)
{
	return foreign ? id : cse_relative(c, id);
}

bool compose_is_foreign(struct cse *c, const char *target)
{
	char other[CSE_ID_MAX];
	struct rd rest;

	return !strstr(target, "://") && !cse_is_local(c, rd_str(target), &rest, other, sizeof other);
}

static void put_reference(struct cse *c, struct json_out *o, const char *name, const struct resource *r)
{
	char reference[CSE_ID_MAX];

	snprintf(reference, sizeof reference, "%s/%s", c->config.id, r->ri);
	json_put_string(o, name, reference);
}

void compose_begin(struct cse *c, struct resource *sub, bool foreign, struct json_out *o)
{
	json_object(o, NULL);
	json_object(o, "m2m:sgn");
	put_reference(c, o, "sur", sub);
	if (resource_get(sub, "cr"))
		json_put_string(o, "cr", compose_id(c, sub->creator, foreign));
}

/* Counters of a container are kept apart: their removal from what is stored is no change. */
static bool is_counter(const struct event *e, struct rd name)
{
	return e->shown->counters.used && (rd_is(name, "cni") || rd_is(name, "cbs") || rd_is(name, "st") || rd_is(name, "lt"));
}

static void put_modified(const struct event *e, struct json_out *o)
{
	for (size_t i = 0; e->modified && i < e->modified->count; i++) {
		const struct attribute *t = &e->modified->items[i];
		char name[128];

		if (!t->changed || !rd_text(t->name, name, sizeof name) || (t->removed && is_counter(e, t->name)))
			continue;
		if (t->removed)
			json_put_null(o, name);
		else
			json_put_raw(o, name, t->raw);
	}
}

static void put_representation(struct cse *c, const struct event *e, uint64_t nct, struct json_out *o)
{
	json_object(o, "rep");
	if (e->kind == EVENT_MISSING_DATA) {
		json_put_raw(o, "m2m:tsn", e->raw);
	} else if (nct == 3) {
		put_reference(c, o, "m2m:uri", e->shown);
	} else if (nct == 4 && e->raw.left > 0) {
		json_put_raw(o, "m2m:trp", e->raw);
	} else {
		json_object(o, e->shown->root);
		if (nct == 2 && e->modified)
			put_modified(e, o);
		else
			represent_members(c, e->shown, o);
		json_close(o);
	}
	json_close(o);
}

static void put_monitor(struct cse *c, const struct event *e, const struct json *monitor, bool foreign, struct json_out *o)
{
	uint64_t ops;

	json_object(o, "om");
	json_put_int(o, "op", e->operation);
	/* named as the subscription names it */
	if (c->config.testbench && json_get(monitor, "org") && json_uint(json_get(monitor, "ops"), &ops))
		json_put_uint(o, "ops", ops);
	json_put_string(o, json_get(monitor, "org") ? "org" : "or", compose_id(c, e->originator ? e->originator : "", foreign));
	json_close(o);
}

bool compose_event(struct cse *c, const struct event *e, struct resource *sub, const struct json *monitor, bool foreign, struct wr *w)
{
	struct json_out o = json_out(w);
	struct rd text;

	compose_begin(c, sub, foreign, &o);
	json_object(&o, "nev");
	put_representation(c, e, resource_uint(sub, "nct", 1), &o);
	if (e->kind != EVENT_OPERATION)
		json_put_int(&o, "net", e->kind);
	if (monitor)
		put_monitor(c, e, monitor, foreign, &o);
	json_close(&o);
	if (resource_bool(sub, "eeno", false) && e->originator && !resource_get(sub, "cr"))
		json_put_string(&o, "cr", compose_id(c, e->originator, foreign));
	if (json_string(resource_get(sub, "nfu"), &text))
		json_put_rd(&o, "nfu", text);
	json_close(&o);
	json_close(&o);
	return wr_done(w, &text);
}
