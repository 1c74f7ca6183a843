/* Missing data of a timeSeries: TS-0001 clause 10.2.4.29.
 *
 * The first instance after detection was switched on sets the beat: periods of `pei` from its dataGenerationTime on. A period's instance has
 * a time within `peid` of the beat and is here `mdt` after it, at the latest; it cannot have been generated in the future. A period without
 * one is missing: its time joins missingDataList, of which the last `mdn` are kept, and subscriptions count it (enc.md).
 *
 * The beat, and which period is looked at next, are in the store from the first instance on and after each period that was missing, so that
 * detection goes on after a restart; which of the periods since have their instance, the series itself tells. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/id_map.h"
#include "cse/types/time_series.h"

#define PERIODS_AHEAD 1024 /* periods between the one that ends next and the newest instance: mdt may be longer than pei */

struct watch {
	struct cse_timer timer; /* first, so that its function finds the watch */
	int64_t series;
	uint64_t interval, deviation, wait; /* pei, peid, mdt; ms */
	bool beating;
	uint64_t beat, next;    /* unix ms; number of the period that ends next, the first being 0 */
	bool seen[PERIODS_AHEAD];
	struct missing_count *counts; /* by subscriptions */
};

struct missing_data {
	struct id_map watches;
};

/* ---- what the store keeps ---- */

static void value_name(char name[48], int64_t id)
{
	snprintf(name, 48, "missing.%lld", (long long)id);
}

static void keep(struct cse *c, const struct watch *w)
{
	char name[48], value[64] = "";

	value_name(name, w->series);
	if (w->beating)
		snprintf(value, sizeof value, "%llu %llu", (unsigned long long)w->beat, (unsigned long long)w->next);
	if (store_value_set(c->store, name, rd_str(value)) != OK)
		c->round_broken = true;
	cse_commit_later(c);
}

static bool take_value(void *ctx, const struct store_row *row)
{
	struct watch *w = ctx;
	struct rd value = row->body, part;

	w->beating = rd_until(&value, ' ', &part) && rd_decimal(part, &w->beat) && rd_decimal(value, &w->next);
	return false;
}

/* ---- periods ---- */

/* The period that a time belongs to; false when it lies between two, or before the one that ends next. */
static bool period_of(const struct watch *w, uint64_t dgt, uint64_t *n)
{
	uint64_t tie = w->deviation * 2 == w->interval; /* halfway between two beats: it is the former's */

	if (dgt + w->deviation < w->beat + tie)
		return false;
	*n = (dgt + w->deviation - tie - w->beat) / w->interval;
	return *n >= w->next && dgt <= w->beat + *n * w->interval + w->deviation;
}

static void note(struct watch *w, uint64_t dgt, uint64_t arrival)
{
	uint64_t n;

	if (dgt <= arrival + w->deviation && period_of(w, dgt, &n) && n - w->next < PERIODS_AHEAD)
		w->seen[n % PERIODS_AHEAD] = true;
}

static void arm(struct cse *c, struct watch *w)
{
	uint64_t now = cse_now(c), end = w->beat + w->next * w->interval + w->wait;

	cse_timer_at(c, &w->timer, cse_mono(c) + (end > now ? end - now : 0));
}

struct found {
	struct resource *series;
	uint64_t *times;
	size_t n;
};

/* missingDataList with what is new at its end, no longer than mdn. */
static void extend(void *ctx, struct attributes *a)
{
	struct found *f = ctx;
	const struct json *old = attributes_value(a, "mdlt");
	size_t had = old && old->type == JSON_ARRAY ? old->count : 0;
	uint64_t most = resource_uint(f->series, "mdn", MISSING_MOST);
	size_t all = had + f->n, leave = all > most ? all - (size_t)most : 0;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	const struct json *list;
	char stamp[TIMESTAMP_SIZE];
	struct rd text;

	json_array(&o, NULL);
	for (const struct json *e = had ? old->first : NULL; e; e = e->next)
		if (leave > 0)
			leave--;
		else
			json_put(&o, NULL, e);
	for (size_t i = leave; i < f->n; i++) {
		timestamp_print_precise(stamp, f->times[i]);
		json_put_string(&o, NULL, stamp);
	}
	json_close(&o);
	if (wr_done(&w, &text) && json_parse(a->arena, text, NULL, &list) == OK) {
		attributes_set_json(a, "mdlt", list);
		attributes_set_uint(a, "mdc", list->count);
	}
	wr_free(&w);
}

static void on_period_end(struct cse *c, struct cse_timer *t)
{
	struct watch *w = (struct watch *)t;
	struct resource *series = tree_by_id(c->tree, w->series);
	uint64_t now = cse_now(c), due, times[MISSING_MOST];
	struct found f = {series, times, 0};

	if (!series)
		return; /* it goes with its resource */
	/* how many periods have ended: after a pause only the last ones matter */
	due = now >= w->beat + w->next * w->interval + w->wait ? (now - w->beat - w->wait) / w->interval - w->next + 1 : 0;
	if (due > MISSING_MOST) {
		w->next += due - MISSING_MOST;
		due = MISSING_MOST;
		memset(w->seen, 0, sizeof w->seen);
	}
	for (; due > 0; due--, w->next++) {
		bool *seen = &w->seen[w->next % PERIODS_AHEAD];

		if (!*seen)
			times[f.n++] = w->beat + w->next * w->interval;
		*seen = false;
	}
	if (f.n > 0) {
		if (cse_edit_resource(c, w->series, false, extend, &f) != OK)
			c->round_broken = true;
		keep(c, w);
		missing_count(c, &w->counts, series, times, f.n);
	}
	resource_unref(series);
	arm(c, w);
}

/* ---- watches ---- */

static void watch_free(struct watch *w)
{
	missing_count_free(w->counts);
	free(w);
}

static void missing_data_free(struct cse *c, void *state)
{
	struct missing_data *m = state;
	struct watch *w;
	size_t at = 0;

	(void)c;
	while ((w = id_map_each(&m->watches, &at)) != NULL)
		watch_free(w);
	id_map_clear(&m->watches);
	free(m);
}

static struct missing_data *service(struct cse *c)
{
	struct missing_data *m = c->services[SERVICE_MISSING_DATA];

	if (!m) {
		m = calloc(1, sizeof *m);
		if (!m)
			abort();
		cse_service_set(c, SERVICE_MISSING_DATA, m, missing_data_free);
	}
	return m;
}

static void forget(struct cse *c, struct watch *w)
{
	cse_timer_cancel(c, &w->timer);
	id_map_set(&service(c)->watches, w->series, NULL);
	watch_free(w);
}

/* NULL: the attributes ask for no detection. */
static struct watch *watch_new(struct cse *c, struct resource *series)
{
	struct watch *w;
	uint64_t pei = resource_uint(series, "pei", 0), mdt = resource_uint(series, "mdt", 0);

	if (!resource_bool(series, "mdd", false) || pei == 0 || mdt == 0 || pei > UINT64_MAX / 4 || mdt > UINT64_MAX / 4)
		return NULL;
	w = calloc(1, sizeof *w);
	if (!w)
		abort();
	w->timer.fn = on_period_end;
	w->series = series->id;
	w->interval = pei;
	w->deviation = resource_uint(series, "peid", pei / 2);
	w->wait = mdt;
	id_map_set(&service(c)->watches, series->id, w);
	return w;
}

void missing_data_start(struct cse *c, struct resource *series)
{
	struct watch *w = id_map_get(&service(c)->watches, series->id);

	if (w) {
		w->beating = false;
		keep(c, w);
		forget(c, w);
	}
	(void)watch_new(c, series);
}

void missing_data_seen(struct cse *c, struct resource *series, uint64_t dgt_ms)
{
	const struct missing_data *m = c->services[SERVICE_MISSING_DATA];
	struct watch *w = m ? id_map_get(&m->watches, series->id) : NULL;

	if (!w)
		return;
	if (w->beating) {
		note(w, dgt_ms, cse_now(c));
		return;
	}
	w->beating = true;
	w->beat = dgt_ms;
	w->next = 1;
	keep(c, w);
	arm(c, w);
}

void missing_data_end(struct cse *c, const struct resource *series)
{
	struct watch *w = id_map_get(&service(c)->watches, series->id);

	if (!w)
		return;
	w->beating = false;
	keep(c, w);
	forget(c, w);
}

/* ---- after a restart ---- */

struct looking_back {
	struct watch *watch;
	unsigned looked;
};

static bool look_back(void *ctx, struct resource *instance)
{
	struct looking_back *l = ctx;
	struct rd dgt, ct;
	uint64_t us, made;

	if (json_string(resource_get(instance, "dgt"), &dgt) && generation_time_parse(dgt, 0, &us) && json_string(resource_get(instance, "ct"), &ct) &&
	    timestamp_parse(ct, &made))
		note(l->watch, us / 1000, made);
	return ++l->looked < PERIODS_AHEAD;
}

/* Periods that passed with their instance moved `next` on without a word to the store. */
static void skip_what_is_settled(struct cse *c, struct resource *series, struct watch *w)
{
	struct resource *latest = tree_latest(c->tree, series);
	struct rd dgt;
	uint64_t us, n;

	if (latest && json_string(resource_get(latest, "dgt"), &dgt) && generation_time_parse(dgt, 0, &us) && period_of(w, us / 1000, &n) &&
	    n - w->next >= PERIODS_AHEAD / 2)
		w->next = n - PERIODS_AHEAD / 2;
	resource_unref(latest);
}

void missing_data_resume(struct cse *c, struct resource *series)
{
	struct watch *w = watch_new(c, series);
	struct looking_back l = {w, 0};
	char name[48];

	if (!w)
		return;
	value_name(name, w->series);
	if (store_value_get(c->store, name, take_value, w) != OK || !w->beating)
		return;
	skip_what_is_settled(c, series, w);
	if (tree_instances(c->tree, series, true, 0, look_back, &l) == OK)
		arm(c, w);
}
