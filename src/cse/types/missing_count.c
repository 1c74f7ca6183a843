/* What subscriptions to a timeSeries ask for: to be told when so many data are missing within such a time (enc.md). TS-0001 table 9.6.8-3. The
 * time begins with the first that is missing; who was told begins anew. */
#include <stdlib.h>
#include <string.h>

#include "cse/types/time_series.h"

struct missing_count {
	struct missing_count *next;
	int64_t subscription;
	uint64_t since;
	size_t n;
	uint64_t times[MISSING_MOST];
};

static struct missing_count *count_of(struct missing_count **list, int64_t subscription)
{
	struct missing_count *k;

	for (k = *list; k; k = k->next)
		if (k->subscription == subscription)
			return k;
	k = calloc(1, sizeof *k);
	if (!k)
		abort();
	k->subscription = subscription;
	k->next = *list;
	*list = k;
	return k;
}

static void put_times(struct json_out *o, const uint64_t *times, size_t n)
{
	char stamp[TIMESTAMP_SIZE];

	json_array(o, "mdlt");
	for (size_t i = 0; i < n; i++) {
		timestamp_print_precise(stamp, times[i]);
		json_put_string(o, NULL, stamp);
	}
	json_close(o);
}

static void tell(struct cse *c, struct resource *series, struct missing_count *k)
{
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	struct rd raw;

	json_object(&o, NULL);
	put_times(&o, k->times, k->n);
	json_put_uint(&o, "mdc", k->n);
	json_close(&o);
	if (wr_done(&w, &raw))
		cse_event(c, &(const struct event){.kind = EVENT_MISSING_DATA, .subject = series, .shown = series, .raw = raw, .subscription = k->subscription});
	wr_free(&w);
}

static bool wants_missing_data(struct resource *sub)
{
	const struct json *net = json_path(resource_attributes(sub), "enc.net");
	uint64_t n;

	for (const struct json *e = net ? net->first : NULL; e; e = e->next)
		if (json_uint(e, &n) && n == EVENT_MISSING_DATA)
			return true;
	return false;
}

static void count(struct cse *c, struct missing_count **list, struct resource *series, int64_t subscription, uint64_t missing)
{
	struct resource *sub = tree_by_id(c->tree, subscription);
	const struct json *md = sub ? json_path(resource_attributes(sub), "enc.md") : NULL;
	uint64_t number, duration, now = cse_now(c);
	struct rd dur;
	struct missing_count *k;

	if (md && wants_missing_data(sub) && json_uint(json_get(md, "num"), &number) && json_string(json_get(md, "dur"), &dur) && duration_parse(dur, &duration)) {
		k = count_of(list, subscription);
		if (k->n > 0 && now - k->since > duration)
			k->n = 0;
		if (k->n == 0)
			k->since = now;
		if (k->n == MISSING_MOST)
			memmove(k->times, k->times + 1, --k->n * sizeof k->times[0]);
		k->times[k->n++] = missing;
		if (k->n >= number) {
			tell(c, series, k);
			k->n = 0;
		}
	}
	resource_unref(sub);
}

void missing_count(struct cse *c, struct missing_count **list, struct resource *series, const uint64_t *times, size_t n)
{
	const int64_t *ids;
	int64_t *copy;
	size_t subscriptions = tree_subscriptions(c->tree, series, &ids);

	if (subscriptions == 0)
		return;
	copy = malloc(subscriptions * sizeof *copy);
	if (!copy)
		abort();
	memcpy(copy, ids, subscriptions * sizeof *copy);
	for (size_t i = 0; i < n; i++)
		for (size_t s = 0; s < subscriptions; s++)
			count(c, list, series, copy[s], times[i]);
	free(copy);
}

void missing_count_free(struct missing_count *list)
{
	while (list) {
		struct missing_count *next = list->next;

		free(list);
		list = next;
	}
}
