/* timeSyncBeacon: TS-0001 clause 9.6.64. It tells the time: at intervals, or to whom its clock went wrong, which shows in the originating
 * timestamps of its requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/id_map.h"
#include "cse/types/types.h"

#define PERIODIC 1
#define LOSS_OF_SYNCHRONISATION 2
#define INTERVAL_DEFAULT "PT1H"
#define THRESHOLD_DEFAULT "PT10S"
#define INTERVAL_LEAST_MS 100 /* PT0S would be for ever at once */
#define BUCKETS 256

#define REFUSE(x, ...) (exchange_fail(x, RSC_BAD_REQUEST, __VA_ARGS__), false)

struct beacon {
	struct cse_timer timer; /* first, so that its function finds the beacon */
	int64_t id;
	uint64_t interval;      /* of a periodic one */
	uint64_t threshold;
	char *requester;        /* of the other: its SP-relative ID */
	struct beacon *next;    /* of the same bucket */
};

struct beacons {
	struct id_map all;
	struct beacon *by_requester[BUCKETS];
	size_t waiting; /* for a loss of synchronisation */
};

static size_t bucket_of(const char *requester)
{
	size_t h = 5381;

	for (; *requester; requester++)
		h = h * 33 ^ (unsigned char)*requester;
	return h % BUCKETS;
}

static void beacon_free(struct beacon *b)
{
	free(b->requester);
	free(b);
}

static void beacons_free(struct cse *c, void *state)
{
	struct beacons *s = state;
	struct beacon *b;
	size_t at = 0;

	(void)c;
	while ((b = id_map_each(&s->all, &at)) != NULL)
		beacon_free(b);
	id_map_clear(&s->all);
	free(s);
}

static struct beacons *service(struct cse *c)
{
	struct beacons *s = c->services[SERVICE_BEACON];

	if (!s) {
		s = calloc(1, sizeof *s);
		if (!s)
			abort();
		cse_service_set(c, SERVICE_BEACON, s, beacons_free);
	}
	return s;
}

/* ---- telling the time ---- */

static void tell_one(struct cse *c, struct resource *r, const char *target)
{
	struct wr w = wr_new(4096);
	struct json_out o = json_out(&w);
	char reference[CSE_ID_MAX], other[CSE_ID_MAX], stamp[TIMESTAMP_SIZE];
	struct rd rest, content;
	bool here = strstr(target, "://") || cse_is_local(c, rd_str(target), &rest, other, sizeof other);

	/* who is registered elsewhere needs to know whose resource it is */
	snprintf(reference, sizeof reference, "%s%s%s", here ? "" : c->config.id, here ? "" : "/", r->ri);
	timestamp_print_precise(stamp, cse_now(c));
	json_object(&o, NULL);
	json_object(&o, "m2m:tsbn");
	json_put_string(&o, "tbr", reference);
	json_put_string(&o, "ctm", stamp);
	json_close(&o);
	json_close(&o);
	if (wr_done(&w, &content))
		cse_notify_target(c, target, content, NULL, NULL);
	wr_free(&w);
}

static void tell(struct cse *c, int64_t id)
{
	struct resource *r = tree_by_id(c->tree, id);
	const struct json *targets = r ? resource_get(r, "bcnu") : NULL;
	char target[CSE_PATH_MAX];

	for (const struct json *t = targets ? targets->first : NULL; t; t = t->next)
		if (json_text(t, target, sizeof target))
			tell_one(c, r, target);
	resource_unref(r);
}

static void on_interval(struct cse *c, struct cse_timer *t)
{
	struct beacon *b = (struct beacon *)t;

	tell(c, b->id);
	cse_timer_at(c, &b->timer, cse_mono(c) + b->interval);
}

void beacon_check(struct exchange *x)
{
	const struct beacons *s = x->cse->services[SERVICE_BEACON];
	uint64_t theirs, ours, apart;

	if (!s || s->waiting == 0 || x->rq->ot.left == 0 || !timestamp_parse(x->rq->ot, &theirs))
		return;
	ours = cse_now(x->cse);
	apart = theirs > ours ? theirs - ours : ours - theirs;
	for (const struct beacon *b = s->by_requester[bucket_of(x->from)]; b; b = b->next)
		if (strcmp(b->requester, x->from) == 0 && apart > b->threshold)
			tell(x->cse, b->id);
}

/* ---- beacons ---- */

static void forget(struct cse *c, struct beacon *b)
{
	struct beacons *s = service(c);
	struct beacon **at;

	cse_timer_cancel(c, &b->timer);
	id_map_set(&s->all, b->id, NULL);
	if (b->requester) {
		for (at = &s->by_requester[bucket_of(b->requester)]; *at != b; at = &(*at)->next)
			;
		*at = b->next;
		s->waiting--;
	}
	beacon_free(b);
}

static uint64_t duration_of(struct resource *r, const char *name)
{
	struct rd text;
	uint64_t ms;

	if (!json_string(resource_get(r, name), &text) || !duration_parse(text, &ms))
		return 0;
	return ms;
}

static void wait_for_loss(struct cse *c, struct resource *r, struct beacon *b)
{
	struct beacons *s = service(c);
	char id[CSE_ID_MAX];
	struct rd requester;
	size_t bucket;

	if (!json_string(resource_get(r, "bcnr"), &requester) || !cse_sp_relative(c, requester, id, sizeof id))
		return;
	b->threshold = duration_of(r, "bcnt");
	b->requester = rd_strdup(rd_str(id));
	if (!b->requester)
		abort();
	bucket = bucket_of(id);
	b->next = s->by_requester[bucket];
	s->by_requester[bucket] = b;
	s->waiting++;
}

/* The next one of those that began with the last change: a restart does not shift them. */
static void begin_intervals(struct cse *c, struct resource *r, struct beacon *b)
{
	uint64_t since, now = cse_now(c);
	struct rd lt;

	b->interval = duration_of(r, "bcni");
	if (b->interval < INTERVAL_LEAST_MS)
		b->interval = INTERVAL_LEAST_MS;
	if (!json_string(resource_get(r, "lt"), &lt) || !timestamp_parse(lt, &since) || since > now)
		since = now;
	cse_timer_at(c, &b->timer, cse_mono(c) + b->interval - (now - since) % b->interval);
}

static void beacon_begin(struct cse *c, struct resource *r)
{
	struct beacon *b = id_map_get(&service(c)->all, r->id);

	if (b)
		forget(c, b);
	b = calloc(1, sizeof *b);
	if (!b)
		abort();
	b->id = r->id;
	b->timer.fn = on_interval;
	id_map_set(&service(c)->all, r->id, b);
	if (resource_uint(r, "bcnc", PERIODIC) == PERIODIC)
		begin_intervals(c, r, b);
	else
		wait_for_loss(c, r, b);
}

/* ---- hooks ---- */

static bool has(const struct attributes *a, const char *name)
{
	struct rd raw;

	return attributes_get(a, name, &raw);
}

/* Each criterion has its own parameters. What the other criterion had before goes, what is given of it is an error. */
static bool fits(struct exchange *x, struct attributes *a, const struct json *given)
{
	uint64_t criterion;
	bool periodic;
	const char *own, *others;
	const struct json *v;

	periodic = json_uint(attributes_value(a, "bcnc"), &criterion) && criterion == PERIODIC;
	own = periodic ? "bcni" : "bcnt";
	others = periodic ? "bcnt" : "bcni";
	v = json_get(given, others);
	if (v && v->type != JSON_NULL)
		return REFUSE(x, "`%s`: does not go with this beaconCriteria (bcnc)", others);
	if (!periodic && !has(a, "bcnr"))
		return REFUSE(x, "`bcnr`: whose loss of synchronisation is meant is missing");
	if (has(a, others))
		attributes_remove(a, others);
	if (!has(a, own))
		attributes_set_string(a, own, periodic ? INTERVAL_DEFAULT : THRESHOLD_DEFAULT);
	return true;
}

static enum hook_result beacon_create(struct creation *cr)
{
	return fits(cr->x, &cr->attributes, cr->given) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result beacon_created(struct creation *cr)
{
	beacon_begin(cr->x->cse, cr->made);
	return HOOK_GO;
}

static enum hook_result beacon_update(struct updating *u)
{
	return fits(u->x, &u->attributes, u->given) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result beacon_updated(struct updating *u)
{
	beacon_begin(u->x->cse, u->made);
	return HOOK_GO;
}

static void beacon_removed(struct cse *c, struct resource *r)
{
	struct beacon *b = id_map_get(&service(c)->all, r->id);

	if (b)
		forget(c, b);
}

const struct type_hooks hooks_time_sync_beacon = {
	.type = TY_TIME_SYNC_BEACON,
	.create = beacon_create,
	.created = beacon_created,
	.update = beacon_update,
	.updated = beacon_updated,
	.removed = beacon_removed,
	.start = beacon_begin,
};
