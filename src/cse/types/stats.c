/* statsConfig, eventConfig, statsCollect: TS-0001 clauses 9.6.22 to 9.6.24 and 10.2.16. Who uses this CSE is counted by rules: a statsCollect says whose
 * operations count, and by eventID which of them. The records stand in the store, by rule and entity, and are read by cse_stats_each.
 *
 * Counting costs nothing while no rule is active. Records are written at intervals: a crash forgets what the last seconds counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/schedule.h"
#include "cse/types/types.h"

#define ACTIVE 1            /* m2m:statsRuleStatusType */
#define RULES_MOST 1000
#define RECORDS_MOST 100000 /* entities times rules; more are not counted */
#define BUCKETS 4096
#define WRITE_MS 5000

enum event_type { DATA_OPERATION = 1, STORAGE_BASED, TIMER_BASED }; /* m2m:eventType */

struct record {
	struct record *next;
	int64_t rule;
	uint64_t operations, octets;
	bool changed;
	char entity[];
};

struct rule {
	struct resource *collect, *event; /* references; they are looked up again when one of the type changes */
};

struct stats {
	struct cse_timer timer; /* first, so that its function finds this */
	struct rule *rules;
	size_t rule_count;
	bool rules_known, any_rule;
	struct record *buckets[BUCKETS];
	size_t record_count;
	bool changed;
};

/* ---- records ---- */

static size_t bucket_of(int64_t rule, struct rd entity)
{
	uint64_t h = (uint64_t)rule * 0x9e3779b97f4a7c15ULL;
	uint8_t c;

	while (rd_u8(&entity, &c))
		h = (h ^ c) * 0x100000001b3ULL;
	return (size_t)(h ^ h >> 32) % BUCKETS;
}

static struct record *record_of(struct stats *s, int64_t rule, struct rd entity, bool make)
{
	struct record **at = &s->buckets[bucket_of(rule, entity)], *r;

	for (r = *at; r; r = r->next)
		if (r->rule == rule && rd_is(entity, r->entity))
			return r;
	if (!make || s->record_count == RECORDS_MOST)
		return NULL;
	r = calloc(1, sizeof *r + entity.left + 1);
	if (!r)
		abort();
	r->rule = rule;
	memcpy(r->entity, entity.at, entity.left);
	r->next = *at;
	*at = r;
	s->record_count++;
	return r;
}

static void name_of(char *name, size_t size, const struct record *r)
{
	snprintf(name, size, "stats.%lld %s", (long long)r->rule, r->entity);
}

static void write_record(struct cse *c, struct record *r, bool gone)
{
	char name[CSE_ID_MAX + 40], value[48] = "";

	name_of(name, sizeof name, r);
	if (!gone)
		snprintf(value, sizeof value, "%llu %llu", (unsigned long long)r->operations, (unsigned long long)r->octets);
	if (store_value_set(c->store, name, rd_str(value)) != OK)
		c->round_broken = true;
	r->changed = false;
	cse_commit_later(c);
}

static void on_time(struct cse *c, struct cse_timer *t)
{
	struct stats *s = (struct stats *)t;

	s->changed = false;
	for (size_t b = 0; b < BUCKETS; b++)
		for (struct record *r = s->buckets[b]; r; r = r->next)
			if (r->changed)
				write_record(c, r, false);
}

static bool load(void *ctx, const struct store_row *row)
{
	struct stats *s = ctx;
	struct rd name = rd_str(row->rn), number, value = row->body, operations;
	struct record *r;
	uint64_t rule, n, octets;

	if (!rd_skip(&name, strlen("stats.")) || !rd_until(&name, ' ', &number) || !rd_decimal(number, &rule) || !rd_until(&value, ' ', &operations) ||
	    !rd_decimal(operations, &n) || !rd_decimal(value, &octets))
		return true;
	r = record_of(s, (int64_t)rule, name, true);
	if (!r)
		return false;
	r->operations = n;
	r->octets = octets;
	return true;
}

/* ---- rules ---- */

static void forget_rules(struct stats *s)
{
	for (size_t i = 0; i < s->rule_count; i++) {
		resource_unref(s->rules[i].collect);
		resource_unref(s->rules[i].event);
	}
	s->rule_count = 0;
	s->rules_known = false;
}

static void stats_free(struct cse *c, void *state)
{
	struct stats *s = state;

	(void)c;
	forget_rules(s);
	free(s->rules);
	for (size_t b = 0; b < BUCKETS; b++) {
		while (s->buckets[b]) {
			struct record *r = s->buckets[b];

			s->buckets[b] = r->next;
			free(r);
		}
	}
	free(s);
}

static struct stats *service(struct cse *c)
{
	struct stats *s = c->services[SERVICE_STATS];

	if (!s) {
		s = calloc(1, sizeof *s);
		if (!s)
			abort();
		s->timer.fn = on_time;
		cse_service_set(c, SERVICE_STATS, s, stats_free);
		if (store_values(c->store, "stats.", load, s) != OK)
			c->counts.refused++;
	}
	return s;
}

struct finding {
	struct rd id;
	struct resource *found;
};

static bool is_wanted(void *ctx, struct resource *r)
{
	struct finding *f = ctx;
	struct rd evi;

	if (!json_string(resource_get(r, "evi"), &evi) || !rd_equal(evi, f->id))
		return true;
	f->found = resource_ref(r);
	return false;
}

struct taking {
	struct cse *cse;
	struct stats *stats;
};

static bool take_rule(void *ctx, struct resource *collect)
{
	struct taking *k = ctx;
	struct stats *s = k->stats;
	struct finding f = {.found = NULL};

	if (resource_uint(collect, "srs", 0) != ACTIVE || !json_string(resource_get(collect, "evi"), &f.id))
		return true;
	if (tree_by_type(k->cse->tree, TY_EVENT_CONFIG, is_wanted, &f) != OK || !f.found)
		return true;
	s->rules[s->rule_count++] = (struct rule){resource_ref(collect), f.found};
	return s->rule_count < RULES_MOST;
}

static void know_rules(struct cse *c, struct stats *s)
{
	struct taking k = {c, s};

	if (!s->rules)
		s->rules = calloc(RULES_MOST, sizeof *s->rules);
	if (!s->rules)
		abort();
	s->rules_known = tree_by_type(c->tree, TY_STATS_COLLECT, take_rule, &k) == OK;
}

/* ---- what counts ---- */

static bool has_number(const struct json *list, int n)
{
	int64_t v;

	for (const struct json *e = list->first; e; e = e->next)
		if (json_int(e, &v) && v == n)
			return true;
	return false;
}

static bool has_target(struct exchange *x, const struct json *list)
{
	for (const struct json *e = list->first; e; e = e->next) {
		struct resource *r = e->type == JSON_STRING ? cse_find_address(x->cse, e->text) : NULL;
		bool same = r && r->id == x->target->id;

		resource_unref(r);
		if (same)
			return true;
	}
	return false;
}

static bool is_in_time(struct cse *c, struct resource *event)
{
	uint64_t now = cse_now(c), at;
	struct rd text;

	if (json_string(resource_get(event, "evs"), &text) && timestamp_parse(text, &at) && now < at)
		return false;
	return !(json_string(resource_get(event, "eve"), &text) && timestamp_parse(text, &at) && now >= at);
}

static bool is_scheduled(struct cse *c, struct resource *collect)
{
	const struct json *sce = json_get(resource_get(collect, "cp"), "sce");

	if (!sce)
		return true;
	for (const struct json *e = sce->first; e; e = e->next)
		if (e->type == JSON_STRING && schedule_is_active(e->text, cse_now(c)))
			return true;
	return false;
}

static bool event_happens(struct exchange *x, struct resource *event, uint64_t octets)
{
	const struct json *opt = resource_get(event, "opt"), *erts = resource_get(event, "erts"), *eris = resource_get(event, "eris");
	int type = x->rq->operation == ONEM2M_CREATE ? x->rq->type : x->target->type;

	if (!is_in_time(x->cse, event) || (opt && !has_number(opt, (int)x->rq->operation)) || (erts && !has_number(erts, type)) || (eris && !has_target(x, eris)))
		return false;
	switch ((enum event_type)resource_uint(event, "evt", 0)) {
	case DATA_OPERATION:
		return opt != NULL;
	case STORAGE_BASED:
		return (x->rq->operation == ONEM2M_CREATE || x->rq->operation == ONEM2M_UPDATE) && octets >= resource_uint(event, "ds", UINT64_MAX);
	case TIMER_BASED:
		return resource_get(event, "evs") && resource_get(event, "eve");
	}
	return false;
}

static bool is_collected(struct exchange *x, struct resource *collect)
{
	const struct json *cdi = resource_get(collect, "cdi");
	char id[CSE_ID_MAX];

	if (!cdi)
		return true;
	for (const struct json *e = cdi->first; e; e = e->next)
		if (e->type == JSON_STRING && cse_sp_relative(x->cse, e->text, id, sizeof id) && cse_id_matches(id, x->from))
			return true;
	return false;
}

void stats_count(struct exchange *x, size_t octets)
{
	struct stats *s = x->cse->services[SERVICE_STATS];

	if (!s || !s->any_rule || !x->target || !x->from[0] || x->rq->internal)
		return;
	octets += x->rq->content.left;
	if (!s->rules_known)
		know_rules(x->cse, s);
	for (size_t i = 0; i < s->rule_count; i++) {
		struct rule *rule = &s->rules[i];
		struct record *r;

		if (!is_collected(x, rule->collect) || !is_scheduled(x->cse, rule->collect) || !event_happens(x, rule->event, octets))
			continue;
		r = record_of(s, rule->collect->id, rd_str(x->from), true);
		if (!r)
			continue;
		r->operations++;
		r->octets += octets;
		r->changed = true;
		if (!s->changed)
			cse_timer_at(x->cse, &s->timer, cse_mono(x->cse) + WRITE_MS);
		s->changed = true;
	}
}

void cse_stats_each(struct cse *c, cse_stats_fn *fn, void *ctx)
{
	struct stats *s = c->services[SERVICE_STATS];

	for (size_t b = 0; s && b < BUCKETS; b++) {
		for (const struct record *r = s->buckets[b]; r; r = r->next) {
			struct resource *collect = tree_by_id(c->tree, r->rule);

			if (collect)
				fn(ctx, &(const struct cse_stat){collect->ri, r->entity, r->operations, r->octets});
			resource_unref(collect);
		}
	}
}

/* ---- hooks ---- */

static void note_change(struct cse *c)
{
	struct stats *s = service(c);

	forget_rules(s);
	s->any_rule = true;
}

static void start(struct cse *c, struct resource *r)
{
	(void)r;
	note_change(c);
}

static void removed(struct cse *c, struct resource *r)
{
	struct stats *s = service(c);

	note_change(c);
	for (size_t b = 0; r->type == TY_STATS_COLLECT && b < BUCKETS; b++) {
		for (struct record **at = &s->buckets[b]; *at;) {
			struct record *gone = *at;

			if (gone->rule != r->id) {
				at = &gone->next;
				continue;
			}
			*at = gone->next;
			s->record_count--;
			write_record(c, gone, true);
			free(gone);
		}
	}
}

static enum hook_result created(struct creation *cr)
{
	note_change(cr->x->cse);
	return HOOK_GO;
}

static enum hook_result updated(struct updating *u)
{
	note_change(u->x->cse);
	return HOOK_GO;
}

/* eventID and statsCollectID are the CSE's to give: TS-0004 clauses 7.4.24 and 7.4.25. */
static enum hook_result event_create(struct creation *cr)
{
	static const char *const needed[] = {NULL, "opt", "ds", "evs"};
	uint64_t type;

	attributes_set_string(&cr->attributes, "evi", cr->ri);
	if (!json_uint(json_get(cr->given, "evt"), &type) || type > TIMER_BASED || json_get(cr->given, needed[type]))
		return HOOK_GO;
	exchange_fail(cr->x, RSC_BAD_REQUEST, "`%s`: is needed for an event of type %d", needed[type], (int)type);
	return HOOK_FAILED;
}

static enum hook_result collect_create(struct creation *cr)
{
	attributes_set_string(&cr->attributes, "sci", cr->ri);
	return HOOK_GO;
}

const struct type_hooks hooks_event_config = {.type = TY_EVENT_CONFIG, .create = event_create, .created = created, .updated = updated, .removed = removed};
const struct type_hooks hooks_stats_collect = {
	.type = TY_STATS_COLLECT,
	.create = collect_create,
	.created = created,
	.updated = updated,
	.removed = removed,
	.start = start,
};
