/* locationPolicy: TS-0001 clause 9.6.10, TS-0004 clause 7.4.10. Each has a container of its own for what is known of the location: positions that
 * the device writes there, and with a geofence (locationInformationType 2) the events that follow from them. A geofence is looked at in
 * intervals (locationUpdatePeriod), or without these whenever the container's latest is asked for.
 *
 * A position tells two things: whether the device is inside of the target area, and whether it was before. Before the first it counts as
 * inside. */
#include <stdio.h>
#include <stdlib.h>

#include "cse/geo.h"
#include "cse/id_map.h"
#include "cse/types/types.h"

#define NETWORK_BASED 1
#define GEOFENCE 2
#define INTERVAL_LEAST_MS 100

enum fence_event { ENTERING = 1, LEAVING, INSIDE_STILL, OUTSIDE_STILL }; /* m2m:geofenceEventCriteria */

#define REFUSE(x, ...) (exchange_fail(x, RSC_BAD_REQUEST, __VA_ARGS__), false)

struct place {
	struct cse_timer timer; /* first, so that its function finds the place */
	int64_t policy, container;
	uint64_t interval;      /* 0: when it is asked for */
	bool outside;
	uint64_t seen;          /* the instance that was looked at last */
};

struct places {
	struct id_map by_policy, by_container;
};

static void places_free(struct cse *c, void *state)
{
	struct places *s = state;
	struct place *p;
	size_t at = 0;

	(void)c;
	while ((p = id_map_each(&s->by_policy, &at)) != NULL)
		free(p);
	id_map_clear(&s->by_policy);
	id_map_clear(&s->by_container);
	free(s);
}

static struct places *service(struct cse *c)
{
	struct places *s = c->services[SERVICE_LOCATION];

	if (!s) {
		s = calloc(1, sizeof *s);
		if (!s)
			abort();
		cse_service_set(c, SERVICE_LOCATION, s, places_free);
	}
	return s;
}

/* ---- what the store keeps ---- */

static void value_name(char name[48], int64_t policy)
{
	snprintf(name, 48, "location.%lld", (long long)policy);
}

static void keep(struct cse *c, const struct place *p, bool gone)
{
	char name[48], value[40] = "";

	value_name(name, p->policy);
	if (!gone)
		snprintf(value, sizeof value, "%d %llu", p->outside, (unsigned long long)p->seen);
	if (store_value_set(c->store, name, rd_str(value)) != OK)
		c->round_broken = true;
	cse_commit_later(c);
}

static bool take_value(void *ctx, const struct store_row *row)
{
	struct place *p = ctx;
	struct rd value = row->body, part;

	p->outside = rd_until(&value, ' ', &part) && rd_is(part, "1");
	if (!rd_decimal(value, &p->seen))
		p->seen = 0;
	return false;
}

/* ---- the fence ---- */

/* The geometry that an instance's content is, itself or as text; NULL: none. */
static const struct geo *position_of(struct json_arena *a, struct resource *instance)
{
	const struct json *con = resource_get(instance, "con");

	if (con && con->type == JSON_STRING && json_parse(a, con->text, NULL, &con) != OK)
		return NULL;
	return con ? geo_parse_object(a, con) : NULL;
}

static const struct geo *area_of(struct json_arena *a, struct resource *policy)
{
	const struct json *gta = resource_get(policy, "gta");

	if (gta && gta->type == JSON_STRING && json_parse(a, gta->text, NULL, &gta) != OK)
		return NULL;
	return gta ? geo_parse_object(a, gta) : NULL;
}

static void record(struct cse *c, const struct place *p, enum fence_event event)
{
	struct resource *container = tree_by_id(c->tree, p->container);
	char content[64];
	struct onem2m_request rq = {.operation = ONEM2M_CREATE, .type = TY_CONTENT_INSTANCE, .rcn = 0, .internal = true, .from = rd_str(c->config.id)};

	if (container) {
		snprintf(content, sizeof content, "{\"m2m:cin\":{\"con\":%d}}", event);
		rq.to = rd_str(container->ri);
		rq.content = rd_str(content);
		cse_request(c, &rq, NULL, NULL);
	}
	resource_unref(container);
}

/* A new position against the area. */
static void judge(struct cse *c, struct place *p, struct resource *policy, struct resource *instance)
{
	struct json_arena *arena = json_arena_new();
	const struct geo *position = arena ? position_of(arena, instance) : NULL, *area = position ? area_of(arena, policy) : NULL;
	enum fence_event event;
	bool outside;

	if (area) {
		outside = !geo_relate(position, GEO_INTERSECTS, area);
		event = outside ? (p->outside ? OUTSIDE_STILL : LEAVING) : (p->outside ? ENTERING : INSIDE_STILL);
		p->outside = outside;
		if (resource_uint(policy, "gec", 0) == event)
			record(c, p, event);
	}
	json_arena_free(arena);
}

static void look(struct cse *c, struct place *p)
{
	struct resource *policy = tree_by_id(c->tree, p->policy), *container = tree_by_id(c->tree, p->container);
	struct resource *latest = container ? tree_latest(c->tree, container) : NULL;

	if (policy && latest && (uint64_t)latest->id != p->seen && resource_uint(policy, "lit", 1) == GEOFENCE) {
		p->seen = (uint64_t)latest->id;
		judge(c, p, policy, latest);
		keep(c, p, false);
	}
	resource_unref(latest);
	resource_unref(container);
	resource_unref(policy);
}

static void on_interval(struct cse *c, struct cse_timer *t)
{
	struct place *p = (struct place *)t;

	look(c, p);
	cse_timer_at(c, &p->timer, cse_mono(c) + p->interval);
}

void location_before_latest(struct cse *c, const struct resource *container)
{
	const struct places *s = c->services[SERVICE_LOCATION];
	struct place *p = s ? id_map_get(&s->by_container, container->id) : NULL;

	if (p && p->interval == 0)
		look(c, p);
}

/* ---- places ---- */

static uint64_t interval_of(struct resource *policy)
{
	struct rd text;
	uint64_t ms;

	if (!json_string(json_at(resource_get(policy, "lou"), 0), &text) || !duration_parse(text, &ms) || ms == 0)
		return 0;
	return ms < INTERVAL_LEAST_MS ? INTERVAL_LEAST_MS : ms;
}

static void begin(struct cse *c, struct resource *policy)
{
	struct places *s = service(c);
	struct place *p = id_map_get(&s->by_policy, policy->id);
	struct resource *container;
	char name[48];
	struct rd loi;

	if (!p) {
		container = json_string(resource_get(policy, "loi"), &loi) ? cse_find_address(c, loi) : NULL;
		if (!container)
			return;
		p = calloc(1, sizeof *p);
		if (!p)
			abort();
		p->timer.fn = on_interval;
		p->policy = policy->id;
		p->container = container->id;
		value_name(name, p->policy);
		if (store_value_get(c->store, name, take_value, p) != OK)
			p->seen = 0;
		id_map_set(&s->by_policy, p->policy, p);
		id_map_set(&s->by_container, p->container, p);
		resource_unref(container);
	}
	p->interval = interval_of(policy);
	cse_timer_cancel(c, &p->timer);
	if (p->interval > 0 && resource_uint(policy, "lit", 1) == GEOFENCE)
		cse_timer_at(c, &p->timer, cse_mono(c) + p->interval);
}

static void delete_later(struct cse *c, int64_t id, const char *text)
{
	struct resource *r = tree_by_id(c->tree, id);

	(void)text;
	if (r && cse_delete_subtree(c, r, true) != OK)
		c->round_broken = true;
	resource_unref(r);
}

static void end(struct cse *c, struct place *p, int64_t other)
{
	struct places *s = service(c);

	cse_timer_cancel(c, &p->timer);
	keep(c, p, true);
	id_map_set(&s->by_policy, p->policy, NULL);
	id_map_set(&s->by_container, p->container, NULL);
	free(p);
	/* the other one may be about to go in the same operation, or to be walked over */
	cse_before_commit(c, delete_later, other, "");
}

void location_container_removed(struct cse *c, const struct resource *container)
{
	const struct places *s = c->services[SERVICE_LOCATION];
	struct place *p = s ? id_map_get(&s->by_container, container->id) : NULL;

	if (p)
		end(c, p, p->policy);
}

/* ---- hooks ---- */

static bool is_geometry(struct exchange *x, const struct json *gta)
{
	if (!gta || gta->type == JSON_NULL)
		return true;
	if (gta->type == JSON_STRING && json_parse(x->arena, gta->text, NULL, &gta) != OK)
		return false;
	return geo_parse_object(x->arena, gta) != NULL;
}

/* What only a location server knows does not go with another source. TS-0004 clause 7.4.10.2.1. */
static bool fits(struct exchange *x, const struct attributes *a, const struct json *given)
{
	static const char *const of_the_network[] = {"lot", "lor", "aid", "rlkl", "luec"};
	uint64_t los;

	if (!is_geometry(x, json_get(given, "gta")))
		return REFUSE(x, "`gta`: must be a geometry");
	if (json_uint(attributes_value(a, "los"), &los) && los == NETWORK_BASED)
		return true;
	for (size_t i = 0; i < sizeof of_the_network / sizeof of_the_network[0]; i++) {
		const struct json *v = json_get(given, of_the_network[i]);

		if (v && v->type != JSON_NULL)
			return REFUSE(x, "`%s`: only goes with a location from the network (los 1)", of_the_network[i]);
	}
	return true;
}

static bool name_is_free(struct creation *cr, char name[128])
{
	const struct json *lon = json_get(cr->given, "lon");
	struct resource *other;

	name[0] = '\0';
	if (!lon)
		return true;
	if (!cse_name_is_good(lon->text) || !rd_text(lon->text, name, 128))
		return REFUSE(cr->x, "`lon`: is no name of a resource");
	if (rd_is(lon->text, cr->rn) || rd_is(lon->text, cr->ri))
		return REFUSE(cr->x, "`lon`: is the name of the locationPolicy itself");
	other = tree_child(cr->x->cse->tree, cr->x->target, lon->text);
	if (!other)
		return true;
	resource_unref(other);
	exchange_fail(cr->x, RSC_CONFLICT, "`lon`: there is a resource `%s` already", name);
	return false;
}

static struct resource *container_new(struct creation *cr, const char *name)
{
	struct exchange *x = cr->x;
	struct own_resource o = {.parent = x->target, .type = TY_CONTAINER, .rn = name[0] ? name : NULL, .creator = cr->creator, .expires = cr->expires};
	struct attributes a;
	struct rd acpi;

	attributes_init(&a, x->arena, NULL);
	attributes_set_string(&a, "li", cr->ri);
	if (attributes_get(&cr->attributes, "acpi", &acpi))
		attributes_set_raw(&a, "acpi", acpi);
	o.attributes = &a;
	o.counters = (struct counters){.used = true, .has_state_tag = true};
	return cse_make_resource(x->cse, &o);
}

static enum hook_result policy_create(struct creation *cr)
{
	struct exchange *x = cr->x;
	struct attributes *a = &cr->attributes;
	struct resource *container;
	char name[128];
	uint64_t los;

	/* the container comes first, since its ID belongs to the policy; the savepoint takes it back if the policy fails */
	if (!fits(x, a, cr->given) || !name_is_free(cr, name) || !exchange_save(x))
		return HOOK_FAILED;
	container = container_new(cr, name);
	if (!container) {
		exchange_store_failed(x, ERR_STORE);
		return HOOK_FAILED;
	}
	if (!json_get(cr->given, "lit"))
		attributes_set_uint(a, "lit", 1);
	attributes_set_string(a, "loi", container->ri);
	attributes_set_string(a, "lost", json_uint(json_get(cr->given, "los"), &los) && los == NETWORK_BASED ? "no location server can be reached" : "");
	cse_event(x->cse, &(const struct event){.kind = EVENT_CHILD_CREATE, .subject = x->target, .shown = container, .operation = ONEM2M_CREATE, .originator = x->from});
	resource_unref(container);
	return HOOK_GO;
}

static enum hook_result policy_created(struct creation *cr)
{
	begin(cr->x->cse, cr->made);
	return HOOK_GO;
}

static enum hook_result policy_update(struct updating *u)
{
	return fits(u->x, &u->attributes, u->given) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result policy_updated(struct updating *u)
{
	begin(u->x->cse, u->made);
	return HOOK_GO;
}

static void policy_removed(struct cse *c, struct resource *r)
{
	struct place *p = id_map_get(&service(c)->by_policy, r->id);

	if (p)
		end(c, p, p->container);
}

const struct type_hooks hooks_location_policy = {
	.type = TY_LOCATION_POLICY,
	.create = policy_create,
	.created = policy_created,
	.update = policy_update,
	.updated = policy_updated,
	.removed = policy_removed,
	.start = begin,
};
