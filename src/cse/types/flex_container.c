/* flexContainer and flexContainerInstance: TS-0001 clauses 9.6.35 and 9.6.59, TS-0004 clause 7.4.37. Attributes beside the common ones are
 * the specialisation's ("custom"). With fcinEnabled each of their changes leaves an instance; fcinEnabled false keeps the latest alone,
 * without fcinEnabled there is none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/types.h"

/* ---- specialisations ---- */

/* SDT domains of TS-0023: their names are given by oneM2M, whose definitions have its prefix. */
static bool is_standard_domain(struct rd root)
{
	static const char *const domains[] = {"agd", "cid", "cod", "hd", "hed", "hod", "ind", "mad", "mdd", "psd", "rad", "ved"};
	struct rd domain;

	if (!rd_until(&root, ':', &domain))
		return false;
	for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++)
		if (rd_is(domain, domains[i]))
			return true;
	return false;
}

const struct schema_type *flex_container_schema(struct rd root, const struct json *cnd)
{
	const struct schema_type *named = schema_by_root(root), *defined;
	struct rd definition;

	if (named && named->ty != TY_FLEX_CONTAINER)
		return NULL;
	if (!json_string(cnd, &definition))
		return named ? named : schema_type(TY_FLEX_CONTAINER);
	defined = schema_module_class(definition);
	if (named && named->definition && !*named->definition && !defined)
		return named;
	if (defined != named)
		return NULL;
	if (!named && is_standard_domain(root) && !rd_starts(definition, "org.onem2m."))
		return NULL;
	return named ? named : schema_type(TY_FLEX_CONTAINER);
}

static bool is_custom(struct rd name)
{
	return !schema_attribute(schema_type(TY_FLEX_CONTAINER), name);
}

static uint64_t size_of(const struct attributes *a, const struct attribute *t)
{
	const struct json *v;

	if (json_parse(a->arena, t->raw, NULL, &v) == OK && v->type == JSON_STRING)
		return v->text.left;
	return t->raw.left;
}

/* contentSize: the custom attributes' values together. TS-0001 table 9.6.35-2. */
static uint64_t content_size(const struct attributes *a)
{
	uint64_t n = 0;

	for (size_t i = 0; i < a->count; i++)
		if (!a->items[i].removed && is_custom(a->items[i].name))
			n += size_of(a, &a->items[i]);
	return n;
}

/* ---- what a creation or an update does to the instances ---- */

enum recording { NOT_RECORDING, KEEPS_LATEST, RECORDS }; /* fcinEnabled absent, false, true */

struct record {
	bool add, drop_all;
	uint64_t drop; /* of the oldest */
};

static enum recording recording_of(const struct json *fcied)
{
	bool on;

	return !json_bool(fcied, &on) ? NOT_RECORDING : on ? RECORDS : KEEPS_LATEST;
}

static uint64_t number(const struct attributes *a, const char *name, uint64_t otherwise)
{
	uint64_t n;

	return json_uint(attributes_value(a, name), &n) ? n : otherwise;
}

/* Limits go with fcinEnabled and are positive, and one instance fits. */
static bool limits_are_good(struct exchange *x, const struct attributes *a, const struct json *given, enum recording now, uint64_t size)
{
	static const char *const limits[] = {"mni", "mbs", "mia"};

	for (size_t i = 0; i < 3; i++) {
		const struct json *v = json_get(given, limits[i]);

		if (v && v->type != JSON_NULL && now == NOT_RECORDING) {
			exchange_fail(x, RSC_BAD_REQUEST, "`%s`: only goes with fcinEnabled (fcied)", limits[i]);
			return false;
		}
		if (now != NOT_RECORDING && number(a, limits[i], 1) == 0) {
			exchange_fail(x, RSC_BAD_REQUEST, "`%s`: must be at least 1", limits[i]);
			return false;
		}
	}
	if (now != NOT_RECORDING && number(a, "mbs", UINT64_MAX) < size) {
		exchange_fail(x, RSC_BAD_REQUEST, "`mbs`: the content alone has %llu octets", (unsigned long long)size);
		return false;
	}
	return true;
}

/* How many of the oldest go until the limits hold. */
struct trimming {
	uint64_t most, octets_most, instances, octets, drop;
};

static bool trim(void *ctx, struct resource *instance)
{
	struct trimming *t = ctx;
	uint64_t size = resource_uint(instance, "cs", 0);

	if (t->instances == 0 || (t->instances <= t->most && t->octets <= t->octets_most))
		return false;
	t->drop++;
	t->instances--;
	t->octets -= size < t->octets ? size : t->octets;
	return true;
}

/* What an instance has of its flexContainer beside the custom attributes. TS-0001 table 9.6.59-2. */
static bool is_copied(struct rd name)
{
	return rd_is(name, "lbl") || rd_is(name, "loc");
}

static bool changes_content(const struct json *given)
{
	for (const struct json *m = given->first; m; m = m->next)
		if (is_custom(m->key) || is_copied(m->key))
			return true;
	return false;
}

/* The instance that was kept shows what will be. */
static bool latest_shows(struct cse *c, struct resource *old, const struct attributes *a)
{
	struct resource *latest = tree_latest(c->tree, old);
	bool same = latest != NULL;

	for (size_t i = 0; same && i < a->count; i++) {
		char name[128];
		const struct json *was;

		if (!(is_custom(a->items[i].name) || is_copied(a->items[i].name)) || !rd_text(a->items[i].name, name, sizeof name))
			continue;
		was = resource_get(latest, name);
		same = a->items[i].removed ? !was : was && json_equal(was, attributes_value(a, name));
	}
	resource_unref(latest);
	return same;
}

/* A new state of fcinEnabled, or a change under the old: sets the counters to what they will be. */
static bool plan(struct exchange *x, struct attributes *a, struct resource *old, const struct json *given, struct record *r)
{
	enum recording now = recording_of(attributes_value(a, "fcied")), was = old ? recording_of(resource_get(old, "fcied")) : NOT_RECORDING;
	uint64_t size = content_size(a);
	struct trimming t = {.most = number(a, "mni", UINT64_MAX), .octets_most = number(a, "mbs", UINT64_MAX)};

	attributes_set_uint(a, "cs", size);
	if (!limits_are_good(x, a, given, now, size))
		return false;
	if (now == NOT_RECORDING) {
		static const char *const names[] = {"mni", "mbs", "mia", "cni", "cbs"};

		r->drop_all = was != NOT_RECORDING;
		for (size_t i = 0; r->drop_all && i < 5; i++)
			attributes_remove(a, names[i]);
		return true;
	}
	r->add = was == NOT_RECORDING || (now == RECORDS && (was == RECORDS ? changes_content(given) : !latest_shows(x->cse, old, a)));
	if (now == KEEPS_LATEST)
		t.most = 1;
	t.instances = number(a, "cni", 0) + r->add;
	t.octets = number(a, "cbs", 0) + (r->add ? size : 0);
	if (old && (t.instances > t.most || t.octets > t.octets_most) && tree_instances(x->cse->tree, old, false, 0, trim, &t) != OK) {
		exchange_store_failed(x, ERR_STORE);
		return false;
	}
	r->drop = t.drop;
	attributes_set_uint(a, "cni", t.instances);
	attributes_set_uint(a, "cbs", t.octets);
	return true;
}

/* ---- carrying it out ---- */

static enum err drop(struct cse *c, struct resource *parent, const struct record *r)
{
	enum err e = OK;

	if (r->drop_all)
		return tree_delete_instances(c->tree, parent, INT64_MAX);
	for (uint64_t i = 0; e == OK && i < r->drop; i++) {
		struct resource *oldest = tree_oldest(c->tree, parent);

		if (!oldest)
			return tree_error(c->tree);
		e = tree_delete(c->tree, oldest);
		resource_unref(oldest);
	}
	return e;
}

/* The instance's own attributes; the custom ones, the labels and the location are those of this moment. */
static void complete(struct attributes *a, struct resource *parent, const char *ri, const char *originator, uint64_t now, uint64_t expires)
{
	const struct json *all = resource_attributes(parent);

	attributes_set_uint(a, "ty", TY_FLEX_CONTAINER_INSTANCE);
	attributes_set_string(a, "ri", ri);
	attributes_set_string(a, "rn", ri);
	attributes_set_string(a, "pi", parent->ri);
	attributes_set_time(a, "ct", now);
	attributes_set_time(a, "lt", now);
	attributes_set_time(a, "et", expires);
	attributes_set_string(a, "org", originator);
	attributes_set_uint(a, "st", resource_uint(parent, "st", 0));
	attributes_set_uint(a, "cs", resource_uint(parent, "cs", 0));
	for (const struct json *m = all ? all->first : NULL; m; m = m->next) {
		char name[128];

		if ((is_custom(m->key) || is_copied(m->key) || rd_is(m->key, "dgt")) && rd_text(m->key, name, sizeof name))
			attributes_set_raw(a, name, m->source);
	}
}

static enum err add(struct exchange *x, struct resource *parent, uint64_t now)
{
	struct cse *c = x->cse;
	struct resource_new n = {.parent = parent, .type = TY_FLEX_CONTAINER_INSTANCE, .instance = true, .id = tree_new_id(c->tree), .root = parent->root, .creator = x->from};
	uint64_t age = resource_uint(parent, "mia", 0), expires = parent->expires;
	struct wr text = wr_new(CSE_BODY_MAX * 2);
	struct resource *made = NULL;
	struct attributes a;
	enum err e = ERR_STORE;
	char ri[64];

	if (age > 0 && (expires == 0 || now + age * 1000 < expires))
		n.expires = expires = now + age * 1000;
	tree_ri(ri, sizeof ri, n.type, parent->id, n.id, true);
	n.ri = n.rn = ri;
	attributes_init(&a, x->arena, NULL);
	complete(&a, parent, ri, cse_relative(c, x->from), now, expires);
	n.label_count = attributes_labels(&a, &n.labels);
	attributes_write(&a, &text);
	if (n.id > 0)
		e = wr_done(&text, &n.text) ? tree_insert(c->tree, &n, &made) : ERR_TOO_LONG;
	if (e == OK) {
		cse_expire_at(c, n.expires);
		cse_event(c, &(const struct event){.kind = EVENT_CHILD_CREATE, .subject = parent, .shown = made, .operation = ONEM2M_CREATE, .originator = x->from});
	}
	resource_unref(made);
	wr_free(&text);
	return e;
}

static enum hook_result carry_out(struct exchange *x, struct resource *made, const struct record *r, uint64_t now)
{
	enum err e = OK;

	flex_names_note(x->cse, made);
	if (r->drop_all || r->drop > 0)
		e = drop(x->cse, made, r);
	if (e == OK && r->add)
		e = add(x, made, now);
	if (e == OK)
		return HOOK_GO;
	resource_unref(made);
	exchange_store_failed(x, e);
	return HOOK_FAILED;
}

static struct record *record_new(struct exchange *x)
{
	struct record *r = json_arena_alloc(x->arena, sizeof *r);

	if (!r)
		abort();
	return r;
}

/* ---- hooks ---- */

static enum hook_result flex_create(struct creation *cr)
{
	struct record *r = cr->hook = record_new(cr->x);

	attributes_set_uint(&cr->attributes, "st", 0);
	return plan(cr->x, &cr->attributes, NULL, cr->given, r) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result flex_created(struct creation *cr)
{
	return carry_out(cr->x, cr->made, cr->hook, cr->now);
}

static enum hook_result flex_update(struct updating *u)
{
	struct record *r = u->hook = record_new(u->x);

	return plan(u->x, &u->attributes, u->old, u->given, r) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result flex_updated(struct updating *u)
{
	return carry_out(u->x, u->made, u->hook, u->now);
}

static void subtract(void *ctx, struct attributes *a)
{
	uint64_t size = resource_uint(ctx, "cs", 0), n = number(a, "cni", 0), octets = number(a, "cbs", 0);

	attributes_set_uint(a, "cni", n - (n > 0));
	attributes_set_uint(a, "cbs", octets - (size < octets ? size : octets));
}

static void flex_child_removed(struct cse *c, struct resource *parent, struct resource *child)
{
	/* a failure of the store shows again at the commit */
	if (child->type == TY_FLEX_CONTAINER_INSTANCE && cse_edit_resource(c, parent->id, false, subtract, child) != OK)
		c->round_broken = true;
}

const struct type_hooks hooks_flex_container = {
	.type = TY_FLEX_CONTAINER,
	.create = flex_create,
	.created = flex_created,
	.update = flex_update,
	.updated = flex_updated,
	.child_removed = flex_child_removed,
	.start = flex_names_note,
};
