/* When what waits may go: after a failure, by schedule, batch and rate. TS-0001 clause 9.6.8. */
#include "cse/notify/service.h"
#include "cse/schedule.h"

#define LOOK_AGAIN_MS 60000 /* a schedule may be changed meanwhile */

static bool entry_is_active(struct cse *c, const struct json *entry)
{
	return entry->type == JSON_STRING && schedule_is_active(entry->text, cse_now(c));
}

bool outbox_policy_is_open(struct cse *c, const struct outbox_policy *p)
{
	struct resource *schedule;
	const struct json *sce;
	bool open = false;

	if (p->schedule == 0)
		return true;
	schedule = tree_by_id(c->tree, p->schedule);
	if (!schedule)
		return true;
	sce = json_get(resource_get(schedule, "se"), "sce");
	for (const struct json *e = sce ? sce->first : NULL; e && !open; e = e->next)
		open = entry_is_active(c, e);
	resource_unref(schedule);
	return open;
}

static uint64_t next_opening(struct outbox *b)
{
	struct cse *c = b->flow->cse;
	struct resource *schedule = tree_by_id(c->tree, b->flow->policy.schedule);
	const struct json *sce = schedule ? json_get(resource_get(schedule, "se"), "sce") : NULL;
	uint64_t now = cse_now(c), at = now + LOOK_AGAIN_MS;

	for (const struct json *e = sce ? sce->first : NULL; e; e = e->next) {
		uint64_t next = e->type == JSON_STRING ? schedule_next(e->text, true, now) : 0;

		if (next > now && next < at)
			at = next;
	}
	resource_unref(schedule);
	return cse_mono(c) + (at - now);
}

/* How many may go together, and whether that is as much as an aggregate holds. */
static size_t batch_of(const struct outbox *b, bool *full)
{
	const struct outbox_policy *p = &b->flow->policy;
	uint64_t committed = notifications_of(b->flow->cse)->committed, most = p->batch_number ? p->batch_number : OUTBOX_BATCH_MAX;
	size_t n = 0, octets = 0;

	*full = false;
	for (const struct notification *k = b->first; p->batch && k && !k->alone && k->number <= committed && !*full; k = k->next) {
		octets += k->content->len;
		if (n > 0 && octets > OUTBOX_BATCH_OCTETS) {
			*full = true;
			break;
		}
		*full = ++n == most;
	}
	return n;
}

size_t hold_batch(const struct outbox *b)
{
	bool full;

	return batch_of(b, &full);
}

static uint64_t until_batch(struct outbox *b, uint64_t now)
{
	const struct outbox_policy *p = &b->flow->policy;
	bool full;

	if (!p->batch || (b->first && b->first->alone))
		return 0;
	if (b->batch_until == 0)
		b->batch_until = now + p->batch_ms;
	if (now >= b->batch_until)
		return 0;
	batch_of(b, &full);
	return full ? 0 : b->batch_until;
}

static uint64_t until_rate(struct outbox *b, uint64_t now)
{
	const struct outbox_policy *p = &b->flow->policy;

	if (!p->limited)
		return 0;
	if (b->in_window > 0 && now >= b->window + p->rate_ms)
		b->in_window = 0;
	if (b->in_window == 0)
		b->window = now;
	return b->in_window >= p->rate_most ? b->window + p->rate_ms + (p->rate_ms == 0) : 0;
}

uint64_t hold_until(struct outbox *b)
{
	uint64_t now = cse_mono(b->flow->cse), at;

	if (b->not_before > now)
		return b->not_before;
	if (b->flow->closing)
		return 0;
	if (!outbox_policy_is_open(b->flow->cse, &b->flow->policy))
		return next_opening(b);
	at = until_batch(b, now);
	return at ? at : until_rate(b, now);
}

void hold_sent(struct outbox *b)
{
	b->in_window++;
	b->batch_until = 0;
}
