/* Whether a series has a dataGenerationTime already, without an index in the store.
 *
 * Devices send in the order of time: then the newest instance has the greatest, and one comparison tells. The first one that comes out of order
 * is noted in the store, once a series; from then on a set of all times is kept in memory, made by one walk when it is needed first. A time
 * in the set may be of an instance that went since: a walk decides. */
#include <stdio.h>
#include <stdlib.h>

#include "cse/id_map.h"
#include "cse/types/time_series.h"

struct series {
	int64_t id;
	bool unordered;
	uint64_t newest; /* at the last check, while it is in order */
	uint64_t *set; /* time + 1, open addressing, at most half full; NULL: not made */
	size_t room, count;
};

struct times {
	struct id_map series;
};

/* ---- times ---- */

bool generation_time_parse(struct rd text, uint64_t now_ms, uint64_t *us)
{
	struct rd whole, fraction = text;
	uint64_t ms, unit = 100000;
	uint8_t digit;

	if (!timestamp_parse_abs_rel(text, now_ms, &ms))
		return false;
	*us = ms * 1000;
	if (!rd_until(&fraction, ',', &whole) || !timestamp_parse(whole, &ms))
		return true;
	*us = ms * 1000;
	while (unit > 0 && rd_u8(&fraction, &digit) && digit >= '0' && digit <= '9') {
		*us += (uint64_t)(digit - '0') * unit;
		unit /= 10;
	}
	return true;
}

static bool time_of(struct resource *instance, uint64_t *us)
{
	struct rd dgt;

	return json_string(resource_get(instance, "dgt"), &dgt) && generation_time_parse(dgt, 0, us);
}

/* ---- the set ---- */

static size_t slot_of(const struct series *s, uint64_t us)
{
	uint64_t h = us * 0x9e3779b97f4a7c15ULL;
	size_t i = (size_t)(h ^ h >> 32) & (s->room - 1);

	while (s->set[i] && s->set[i] != us + 1)
		i = (i + 1) & (s->room - 1);
	return i;
}

static void set_add(struct series *s, uint64_t us)
{
	if ((s->count + 1) * 2 > s->room) {
		struct series larger = {.room = s->room ? s->room * 2 : 256};

		larger.set = calloc(larger.room, sizeof *larger.set);
		if (!larger.set)
			abort();
		for (size_t i = 0; i < s->room; i++)
			if (s->set[i])
				larger.set[slot_of(&larger, s->set[i] - 1)] = s->set[i];
		free(s->set);
		s->set = larger.set;
		s->room = larger.room;
	}
	s->count += s->set[slot_of(s, us)] == 0;
	s->set[slot_of(s, us)] = us + 1;
}

static bool collect(void *ctx, struct resource *instance)
{
	uint64_t us;

	if (time_of(instance, &us))
		set_add(ctx, us);
	return true;
}

struct looking {
	uint64_t us;
	bool found;
};

static bool look(void *ctx, struct resource *instance)
{
	struct looking *l = ctx;
	uint64_t us;

	l->found = time_of(instance, &us) && us == l->us;
	return !l->found;
}

/* ---- series ---- */

static void times_free(struct cse *c, void *state)
{
	struct times *t = state;
	struct series *s;
	size_t at = 0;

	(void)c;
	while ((s = id_map_each(&t->series, &at)) != NULL) {
		free(s->set);
		free(s);
	}
	id_map_clear(&t->series);
	free(t);
}

static void mark_name(char name[48], int64_t id)
{
	snprintf(name, 48, "unordered.%lld", (long long)id);
}

static bool take_mark(void *ctx, const struct store_row *row)
{
	(void)row;
	*(bool *)ctx = true;
	return false;
}

static struct series *series_of(struct cse *c, int64_t id)
{
	struct times *t = c->services[SERVICE_TIME_SERIES];
	struct series *s;
	char name[48];
	enum err e;

	if (!t) {
		t = calloc(1, sizeof *t);
		if (!t)
			abort();
		cse_service_set(c, SERVICE_TIME_SERIES, t, times_free);
	}
	s = id_map_get(&t->series, id);
	if (s)
		return s;
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	s->id = id;
	mark_name(name, id);
	e = store_value_get(c->store, name, take_mark, &s->unordered);
	s->unordered = s->unordered || (e != OK && e != ERR_NOT_FOUND);
	id_map_set(&t->series, id, s);
	return s;
}

/* The greatest time of a series that was in order so far; 0: it has no instance. */
static uint64_t newest_of(struct cse *c, struct resource *series)
{
	struct resource *latest = tree_latest(c->tree, series);
	uint64_t us = 0;

	if (latest && !time_of(latest, &us))
		us = 0;
	resource_unref(latest);
	return us;
}

enum err generation_time_check(struct cse *c, struct resource *series, uint64_t us)
{
	struct series *s = series_of(c, series->id);
	struct looking l = {us, false};
	enum err e;

	if (!s->unordered) {
		s->newest = newest_of(c, series);
		if (us > s->newest)
			return OK;
		if (us == s->newest)
			return ERR_EXISTS;
	}
	if (!s->set) {
		e = tree_instances(c->tree, series, false, 0, collect, s);
		if (e != OK) {
			free(s->set);
			s->set = NULL;
			s->room = s->count = 0;
			return e;
		}
	}
	if (!s->set || !s->set[slot_of(s, us)])
		return OK;
	e = tree_instances(c->tree, series, true, 0, look, &l);
	return e == OK && l.found ? ERR_EXISTS : e;
}

void generation_time_note(struct cse *c, struct resource *series, uint64_t us)
{
	struct series *s = series_of(c, series->id);
	char name[48];

	if (s->set)
		set_add(s, us);
	if (s->unordered || us > s->newest)
		return;
	s->unordered = true;
	mark_name(name, s->id);
	if (store_value_set(c->store, name, rd_str("1")) != OK)
		c->round_broken = true;
}

void generation_times_end(struct cse *c, const struct resource *series)
{
	struct series *s = series_of(c, series->id);
	struct times *t = c->services[SERVICE_TIME_SERIES];
	char name[48];

	mark_name(name, s->id);
	if (s->unordered && store_value_set(c->store, name, rd_of("", 0)) != OK)
		c->round_broken = true;
	id_map_set(&t->series, s->id, NULL);
	free(s->set);
	free(s);
}
