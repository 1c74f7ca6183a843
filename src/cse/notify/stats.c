/* notificationStatsInfo: for each target the notifications sent, the answers, and the events; of a batch each counts. TS-0001 table 9.6.8-2.
 *
 * Counted in memory, written to the store some seconds later ("nsi/<resourceID>"): a crash may lose the last seconds of the
 * statistics, so that counting costs no write for each notification. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/notify/service.h"

#define WRITE_AFTER_MS 10000

struct target_stats {
	struct target_stats *next;
	uint64_t sent, answered, events;
	char target[];
};

struct stats {
	struct stats *next;
	struct target_stats *targets;
	bool changed;
	char sender[];
};

static struct stats *find(struct cse *c, const char *sender, bool make)
{
	struct notifications *s = notifications_of(c);
	size_t size = strlen(sender) + 1;
	struct stats *k;

	for (k = s->stats; k; k = k->next)
		if (strcmp(k->sender, sender) == 0)
			return k;
	if (!make)
		return NULL;
	k = calloc(1, sizeof *k + size);
	if (!k)
		abort();
	memcpy(k->sender, sender, size);
	k->next = s->stats;
	s->stats = k;
	return k;
}

static struct target_stats *find_target(struct stats *k, const char *target, bool make)
{
	size_t size = strlen(target) + 1;
	struct target_stats *t, **at;

	for (t = k->targets; t; t = t->next)
		if (strcmp(t->target, target) == 0)
			return t;
	if (!make)
		return NULL;
	t = calloc(1, sizeof *t + size);
	if (!t)
		abort();
	memcpy(t->target, target, size);
	for (at = &k->targets; *at; at = &(*at)->next)
		;
	*at = t;
	return t;
}

static void free_targets(struct stats *k)
{
	while (k->targets) {
		struct target_stats *t = k->targets;

		k->targets = t->next;
		free(t);
	}
}

/* ---- the store ---- */

static void put_targets(const struct stats *k, const struct json *nu, struct json_out *o)
{
	for (const struct target_stats *t = k->targets; t; t = t->next) {
		bool is_target = !nu;

		for (const struct json *n = nu ? nu->first : NULL; n && !is_target; n = n->next)
			is_target = json_is_string(n, t->target);
		if (!is_target)
			continue;
		json_object(o, NULL);
		json_put_string(o, "tg", t->target);
		json_put_uint(o, "rqs", t->sent);
		json_put_uint(o, "rsr", t->answered);
		json_put_uint(o, "noec", t->events);
		json_close(o);
	}
}

static void write_one(struct cse *c, struct stats *k)
{
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	char name[160];
	struct rd value;

	json_array(&o, NULL);
	put_targets(k, NULL, &o);
	json_close(&o);
	snprintf(name, sizeof name, "nsi/%s", k->sender);
	if (wr_done(&w, &value) && store_value_set(c->store, name, value) == OK) {
		k->changed = false;
		cse_commit_later(c);
	}
	wr_free(&w);
}

static void on_time(struct cse *c, struct cse_timer *t)
{
	(void)t;
	for (struct stats *k = notifications_of(c)->stats; k; k = k->next)
		if (k->changed)
			write_one(c, k);
}

static void note_change(struct cse *c, struct stats *k)
{
	struct notifications *s = notifications_of(c);

	k->changed = true;
	s->stats_timer.fn = on_time;
	if (s->stats_timer.at == 0 && !s->free)
		cse_timer_at(c, &s->stats_timer, cse_mono(c) + WRITE_AFTER_MS);
}

static bool load(void *ctx, const struct store_row *row)
{
	struct stats *k = ctx;
	struct json_arena *a = json_arena_new();
	const struct json *list;

	if (a && json_parse(a, row->body, NULL, &list) == OK) {
		for (const struct json *e = list->first; e; e = e->next) {
			char target[CSE_PATH_MAX];
			struct target_stats *t;

			if (!json_text(json_get(e, "tg"), target, sizeof target))
				continue;
			t = find_target(k, target, true);
			if (!json_uint(json_get(e, "rqs"), &t->sent) || !json_uint(json_get(e, "rsr"), &t->answered) || !json_uint(json_get(e, "noec"), &t->events))
				t->sent = t->answered = t->events = 0;
		}
	}
	json_arena_free(a);
	return false;
}

/* What there is of a sender, read once. */
static struct stats *of(struct cse *c, const char *sender)
{
	struct stats *k = find(c, sender, false);
	char name[160];

	if (k)
		return k;
	k = find(c, sender, true);
	snprintf(name, sizeof name, "nsi/%s", sender);
	if (store_value_get(c->store, name, load, k) != OK)
		free_targets(k);
	return k;
}

/* ---- counting ---- */

void stats_event(struct cse *c, struct resource *sub)
{
	struct stats *k = of(c, sub->ri);
	const struct json *nu = resource_get(sub, "nu");
	char target[CSE_PATH_MAX];

	for (const struct json *t = nu ? nu->first : NULL; t; t = t->next)
		if (json_text(t, target, sizeof target))
			find_target(k, target, true)->events++;
	note_change(c, k);
}

void stats_sent(struct cse *c, const char *sender, const char *target, size_t n)
{
	struct stats *k = of(c, sender);

	find_target(k, target, true)->sent += n;
	note_change(c, k);
}

void stats_answered(struct cse *c, const char *sender, const char *target, size_t n)
{
	struct stats *k = of(c, sender);
	struct target_stats *t = find_target(k, target, false);

	if (!t)
		return; /* counting began anew in the meantime */
	t->answered += n;
	note_change(c, k);
}

void stats_reset(struct cse *c, const char *sender)
{
	struct notifications *s = notifications_of(c);
	char name[160];

	for (struct stats **at = &s->stats; *at; at = &(*at)->next) {
		struct stats *k = *at;

		if (strcmp(k->sender, sender) != 0)
			continue;
		*at = k->next;
		free_targets(k);
		free(k);
		break;
	}
	snprintf(name, sizeof name, "nsi/%s", sender);
	if (store_value_set(c->store, name, rd_of("", 0)) == OK)
		cse_commit_later(c);
}

void stats_put(struct cse *c, struct resource *sub, struct json_out *o)
{
	struct stats *k;

	if (!resource_get(sub, "nse"))
		return;
	k = of(c, sub->ri);
	if (!k->targets)
		return;
	json_array(o, "nsi");
	put_targets(k, resource_get(sub, "nu"), o);
	json_close(o);
}

void stats_free(struct cse *c)
{
	struct notifications *s = notifications_of(c);

	while (s->stats) {
		struct stats *k = s->stats;

		s->stats = k->next;
		free_targets(k);
		free(k);
	}
}
