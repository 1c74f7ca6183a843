/* timeSeries and timeSeriesInstance: TS-0001 clauses 9.6.36 and 9.6.37, TS-0004 clauses 7.4.38 and 7.4.39. */
#include "cse/types/time_series.h"

#include "cse/types/instances.h"
#include "cse/types/types.h"

#define REFUSE(x, ...) (exchange_fail(x, RSC_BAD_REQUEST, __VA_ARGS__), false)

static bool number(const struct attributes *a, const char *name, uint64_t *n)
{
	return json_uint(attributes_value(a, name), n);
}

static bool is_on(const struct json *mdd)
{
	bool on;

	return json_bool(mdd, &on) && on;
}

/* What goes with what; half of the interval is the largest deviation, since otherwise a time would belong to two periods. */
static bool periods_fit(struct exchange *x, struct attributes *a)
{
	uint64_t pei, peid, mdt;

	if (number(a, "pei", &pei) && !number(a, "peid", &peid))
		attributes_set_uint(a, "peid", pei / 2);
	if (number(a, "pei", &pei) && number(a, "peid", &peid) && peid > pei / 2)
		return REFUSE(x, "`peid`: must be at most half of `pei`");
	if (is_on(attributes_value(a, "mdd")) && !number(a, "mdt", &mdt))
		return REFUSE(x, "`mdt`: is needed to detect missing data (mdd)");
	if (number(a, "mdt", &mdt) && number(a, "peid", &peid) && mdt <= peid)
		return REFUSE(x, "`mdt`: must be longer than `peid`");
	return true;
}

static enum hook_result series_create(struct creation *cr)
{
	struct attributes *a = &cr->attributes;

	cr->counters = (struct counters){.used = true};
	if (!json_get(cr->given, "mdd"))
		attributes_set_bool(a, "mdd", false);
	if (!periods_fit(cr->x, a))
		return HOOK_FAILED;
	attributes_set_uint(a, "mdc", 0);
	return HOOK_GO;
}

static enum hook_result series_created(struct creation *cr)
{
	missing_data_start(cr->x->cse, cr->made);
	return HOOK_GO;
}

/* While it detects, or in the request that ends this, what it detects by stays as it is. */
static bool parameters_may_change(struct updating *u)
{
	static const char *const names[] = {"pei", "peid", "mdt", "mdn"};
	const struct json *mdd = json_get(u->given, "mdd");

	if (!is_on(resource_get(u->old, "mdd")) && (!mdd || is_on(mdd)))
		return true;
	for (size_t i = 0; i < 4; i++)
		if (json_get(u->given, names[i]))
			return REFUSE(u->x, "`%s`: cannot be changed while missing data is detected (mdd)", names[i]);
	return true;
}

static enum hook_result series_update(struct updating *u)
{
	struct attributes *a = &u->attributes;
	uint64_t pei, peid;

	if (!parameters_may_change(u))
		return HOOK_FAILED;
	/* a shorter interval alone: the deviation that was derived from the old one follows it */
	if (json_get(u->given, "pei") && !json_get(u->given, "peid") && number(a, "pei", &pei) && number(a, "peid", &peid) && peid > pei / 2)
		attributes_remove(a, "peid");
	if (!periods_fit(u->x, a))
		return HOOK_FAILED;
	if (is_on(json_get(u->given, "mdd"))) {
		attributes_set_uint(a, "mdc", 0);
		attributes_remove(a, "mdlt");
	}
	return HOOK_GO;
}

static enum hook_result series_updated(struct updating *u)
{
	if (json_get(u->given, "mdd"))
		missing_data_start(u->x->cse, u->made);
	return instances_trim(u->x, u->made) ? HOOK_GO : HOOK_FAILED;
}

static void series_removed(struct cse *c, struct resource *r)
{
	generation_times_end(c, r);
	missing_data_end(c, r);
}

/* ---- instances ---- */

static enum hook_result instance_create(struct creation *cr)
{
	struct exchange *x = cr->x;
	const struct json *con = json_get(cr->given, "con");
	uint64_t size = instances_content_size(con), *us = cr->hook = json_arena_alloc(x->arena, sizeof *us);
	struct rd dgt = json_get(cr->given, "dgt")->source;
	enum err e;

	if (json_get(cr->given, "dgt")->type == JSON_STRING)
		dgt = json_get(cr->given, "dgt")->text;
	if (size > resource_limits(x->target)->octets) {
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "the content has %llu octets, more than the timeSeries takes (mbs)", (unsigned long long)size);
		return HOOK_FAILED;
	}
	if (!us || !generation_time_parse(dgt, cr->now, us)) {
		exchange_fail(x, RSC_BAD_REQUEST, "`dgt`: is no time");
		return HOOK_FAILED;
	}
	e = generation_time_check(x->cse, x->target, *us);
	if (e == ERR_EXISTS)
		exchange_fail(x, RSC_CONFLICT, "`dgt`: the timeSeries has an instance of this time already");
	else if (e != OK)
		exchange_store_failed(x, e);
	if (e != OK)
		return HOOK_FAILED;
	/* a relative time means something at this moment only */
	if (dgt.left < 15 || !rd_starts((struct rd){dgt.at + 8, dgt.left - 8}, "T"))
		attributes_set_time(&cr->attributes, "dgt", *us / 1000);
	attributes_set_uint(&cr->attributes, "cs", size);
	instances_age(cr);
	return HOOK_GO;
}

static enum hook_result series_child_created(struct creation *cr)
{
	uint64_t us;

	if (cr->type->ty != TY_TIME_SERIES_INSTANCE)
		return HOOK_GO;
	us = *(uint64_t *)cr->hook;
	generation_time_note(cr->x->cse, cr->x->target, us);
	if (!instances_add(cr, instances_content_size(json_get(cr->given, "con"))))
		return HOOK_FAILED;
	missing_data_seen(cr->x->cse, cr->x->target, us / 1000);
	return HOOK_GO;
}

static void series_child_removed(struct cse *c, struct resource *parent, struct resource *child)
{
	if (child->type == TY_TIME_SERIES_INSTANCE)
		instances_subtract(c, parent, child);
}

const struct type_hooks hooks_time_series = {
	.type = TY_TIME_SERIES,
	.create = series_create,
	.created = series_created,
	.update = series_update,
	.updated = series_updated,
	.removed = series_removed,
	.child_created = series_child_created,
	.child_removed = series_child_removed,
	.start = missing_data_resume,
};
const struct type_hooks hooks_time_series_instance = {.type = TY_TIME_SERIES_INSTANCE, .create = instance_create};
