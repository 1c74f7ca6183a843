/* A subscription's policy, and which subscriptions have a notificationSchedule. */
#include <stdlib.h>

#include "cse/notify/service.h"

/* ---- schedules: few, looked up at each event, so that subscriptions without one cost no look-up in the store ---- */

void outbox_note_schedule(struct cse *c, int64_t sub, int64_t schedule)
{
	struct notifications *s = notifications_of(c);

	if (s->schedule_count == s->schedule_room) {
		s->schedule_room = s->schedule_room ? s->schedule_room * 2 : 16;
		s->schedules = realloc(s->schedules, s->schedule_room * sizeof *s->schedules);
		if (!s->schedules)
			abort();
	}
	s->schedules[s->schedule_count++] = (struct schedule_below){sub, schedule};
}

static bool note_schedule(void *ctx, struct resource *r)
{
	struct cse *c = ctx;
	struct resource *parent = tree_parent(c->tree, r);

	if (parent && (parent->type == TY_SUBSCRIPTION || parent->type == TY_CROSS_RESOURCE_SUBSCRIPTION))
		outbox_note_schedule(c, parent->id, r->id);
	resource_unref(parent);
	return true;
}

static int64_t schedule_of(struct cse *c, const struct resource *sub)
{
	struct notifications *s = notifications_of(c);

	if (!s->schedules_known)
		s->schedules_known = tree_by_type(c->tree, TY_SCHEDULE, note_schedule, c) == OK;
	for (size_t i = 0; i < s->schedule_count; i++) {
		struct resource *r;
		bool there;

		if (s->schedules[i].sub != sub->id)
			continue;
		r = tree_by_id(c->tree, s->schedules[i].schedule);
		there = r != NULL;
		resource_unref(r);
		if (there)
			return s->schedules[i].schedule;
		s->schedules[i--] = s->schedules[--s->schedule_count];
	}
	return 0;
}

/* ---- the policy ---- */

static uint64_t duration_of(const struct json *v, uint64_t otherwise)
{
	uint64_t ms;

	return v && v->type == JSON_STRING && duration_parse(v->text, &ms) ? ms : otherwise;
}

static void take_batch(struct resource *sub, struct outbox_policy *p)
{
	bool group = sub->type == TY_GROUP;
	const struct json *bn = resource_get(sub, group ? "nar" : "bn");

	p->batch = bn || group;
	if (!p->batch)
		return;
	/* a group without nar waits for one of each member: TS-0004 clause 7.4.14.2.5 */
	if (!json_uint(json_get(bn, "num"), &p->batch_number))
		p->batch_number = bn ? 0 : resource_uint(sub, "cnm", 0);
	if (p->batch_number > OUTBOX_BATCH_MOST)
		p->batch_number = OUTBOX_BATCH_MOST;
	p->batch_ms = duration_of(json_get(bn, "dur"), OUTBOX_BATCH_MS);
}

static void take_rate(struct resource *sub, struct outbox_policy *p)
{
	const struct json *rl = resource_get(sub, "rl");

	p->limited = rl != NULL;
	if (!rl)
		return;
	if (!json_uint(json_get(rl, "mnn"), &p->rate_most))
		p->rate_most = 0;
	p->rate_ms = duration_of(json_get(rl, "tww"), 0);
}

void outbox_policy_of(struct cse *c, struct resource *sub, struct outbox_policy *p)
{
	*p = (struct outbox_policy){
		.retry = true,
		.pending = (unsigned)resource_uint(sub, "pn", 0),
		.latest = resource_bool(sub, "ln", false),
		.priority = resource_uint(sub, "nsp", 0),
		.category = resource_uint(sub, "nec", 0),
		.counted = resource_bool(sub, "nse", false),
	};
	take_batch(sub, p);
	take_rate(sub, p);
	if (p->latest)
		p->category = CATEGORY_LATEST;
	/* what is urgent does not wait for a schedule */
	if (resource_uint(sub, "nec", 0) != CATEGORY_IMMEDIATE)
		p->schedule = schedule_of(c, sub);
}
