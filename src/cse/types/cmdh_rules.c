/* CMDH network access rules: when an underlying network may carry what leaves for another CSE. TS-0001 clauses D.12.6 and D.12.7, TS-0004 annex H.2.4. */
#include <string.h>

#include "cse/schedule.h"
#include "cse/types/cmdh.h"

#define NETWORK_ACTION_DEFAULT 5
/* Where no rule says it: a CSE that cannot be reached is tried again. */
#define BACK_OFF_MS 1000
#define BACK_OFF_MOST_MS 30000

/* targetNetwork: which network leads to the next CSE only the configuration can know. */
static bool is_our_network(struct cse *c, struct resource *rule)
{
	const struct json *ttn = resource_get(rule, "ttn");
	char name[CSE_ID_MAX];

	if (!c->config.networks)
		return true;
	for (const struct json *t = ttn ? ttn->first : NULL; t; t = t->next)
		if (json_text(t, name, sizeof name) && (strcmp(name, "default") == 0 || cse_list_matches(c->config.networks, name)))
			return true;
	return false;
}

/* allowedSchedule: when the rule is open next, from now on; 0: never. One that is not there allows nothing. */
static uint64_t opens_at(struct cse *c, struct resource *rule, uint64_t now)
{
	const struct json *link = json_get(resource_get(rule, "cmlk"), "val"), *sce;
	struct resource *schedule = link && link->type == JSON_STRING ? cse_find_address(c, link->text) : NULL;
	uint64_t first = 0, at;

	sce = schedule && schedule->type == TY_SCHEDULE ? json_get(resource_get(schedule, "se"), "sce") : NULL;
	for (const struct json *e = sce ? sce->first : NULL; e && first != now; e = e->next) {
		if (e->type != JSON_STRING)
			continue;
		at = schedule_is_active(e->text, now) ? now : schedule_next(e->text, true, now);
		if (at && (!first || at < first))
			first = at;
	}
	resource_unref(schedule);
	return first;
}

static uint64_t number(const struct json *object, const char *name)
{
	uint64_t n;

	return json_uint(json_get(object, name), &n) ? n : 0;
}

/* Of the sets for various network actions, the one for what is not said more closely. */
static void take_back_off(struct resource *rule, struct cmdh_way *way)
{
	const struct json *sets = json_get(resource_get(rule, "bop"), "bops"), *set = sets ? sets->first : NULL;

	for (const struct json *s = set; s; s = s->next) {
		if (!json_get(s, "nwa") || number(s, "nwa") == NETWORK_ACTION_DEFAULT) {
			set = s;
			break;
		}
	}
	if (!set)
		return;
	way->back_off_ms = number(set, "ibt");
	way->back_off_more_ms = number(set, "abt");
	way->back_off_most_ms = number(set, "mbt");
	way->back_off_random_ms = number(set, "rbt");
}

static void take_rule(struct cse *c, struct resource *rule, uint64_t octets, bool immediate, uint64_t now, struct cmdh_way *way)
{
	uint64_t at;

	/* conditions that only their issuer understands are never met */
	if (!is_our_network(c, rule) || resource_get(rule, "ohc"))
		return;
	at = immediate ? now : opens_at(c, rule, now);
	if (at && (!way->next || at < way->next))
		way->next = at;
	if (at != now || (!immediate && octets < resource_uint(rule, "mrv", 0)))
		return;
	way->open = true;
	way->volume = resource_uint(rule, "mrv", 0);
	way->spread_ms = immediate ? 0 : resource_uint(rule, "swt", 0);
	take_back_off(rule, way);
}

void cmdh_find_way(struct cse *c, int64_t rules, uint64_t octets, bool immediate, uint64_t now, struct cmdh_way *way)
{
	struct resource *r = rules ? tree_by_id(c->tree, rules) : NULL;
	const struct json *links = r ? resource_get(r, "cmlk") : NULL;

	*way = (struct cmdh_way){.open = !r, .next = r ? 0 : now, .back_off_ms = BACK_OFF_MS, .back_off_more_ms = BACK_OFF_MS, .back_off_most_ms = BACK_OFF_MOST_MS};
	for (const struct json *l = links ? links->first : NULL; l && !way->open; l = l->next) {
		struct resource *rule = cmdh_linked(c, json_get(l, "val"), MGD_CMDH_NW_ACCESS_RULE);

		if (rule)
			take_rule(c, rule, octets, immediate, now, way);
		resource_unref(rule);
	}
	resource_unref(r);
}
