/* eventNotificationCriteria. */
#include "cse/notify/criteria.h"

#include <string.h>

/* Rows: notificationEventType 1 to 8; columns: notificationContentType 1 to 5. TS-0001 table 9.6.8-4. */
#define O_K 1
#define DEF 2
static const char content_types[9][6] = {
	[EVENT_UPDATE] = {0, DEF, O_K, O_K, 0, 0},
	[EVENT_DELETE] = {0, DEF, 0, O_K, 0, 0},
	[EVENT_CHILD_CREATE] = {0, DEF, 0, O_K, 0, 0},
	[EVENT_CHILD_DELETE] = {0, DEF, 0, O_K, 0, 0},
	[EVENT_RETRIEVE_NECR] = {0, DEF, 0, O_K, 0, 0},
	[EVENT_TRIGGER] = {0, 0, 0, 0, DEF, 0},
	[EVENT_BLOCKING_UPDATE] = {0, 0, DEF, 0, 0, 0},
	[EVENT_MISSING_DATA] = {0, 0, 0, 0, 0, DEF},
};

unsigned criteria_content_default(const struct json *enc)
{
	const struct json *net = json_get(enc, "net");
	uint64_t kind;

	if (net && json_uint(net->first, &kind) && kind < 9)
		for (unsigned nct = 1; nct < 6; nct++)
			if (content_types[kind][nct] == DEF)
				return nct;
	return 1;
}

bool criteria_content_fits(const struct json *enc, uint64_t nct, unsigned *which)
{
	const struct json *net = json_get(enc, "net");
	uint64_t kind;

	*which = EVENT_UPDATE;
	if (nct > 5)
		return false;
	if (!net || !net->first)
		return json_get(enc, "om") ? nct <= 3 : content_types[EVENT_UPDATE][nct] != 0;
	for (const struct json *k = net->first; k; k = k->next) {
		if (!json_uint(k, &kind) || kind > 8)
			return false;
		*which = (unsigned)kind;
		if (content_types[kind][nct] == 0)
			return false;
	}
	return true;
}

bool criteria_has(const struct json *list, uint64_t n)
{
	uint64_t v;

	for (const struct json *e = list ? list->first : NULL; e; e = e->next)
		if (json_uint(e, &v) && v == n)
			return true;
	return false;
}

/* ---- operationMonitor ---- */

static unsigned acop_of(const struct event *e)
{
	switch (e->operation) {
	case ONEM2M_CREATE:
		return ACOP_CREATE;
	case ONEM2M_RETRIEVE:
		return e->discovery ? ACOP_DISCOVERY : ACOP_RETRIEVE;
	case ONEM2M_UPDATE:
		return ACOP_UPDATE;
	case ONEM2M_DELETE:
		return ACOP_DELETE;
	case ONEM2M_NOTIFY:
		return ACOP_NOTIFY;
	}
	return 0;
}

static bool is_originator(struct cse *c, const struct json *wanted, const char *originator)
{
	char id[CSE_ID_MAX];

	return wanted->type == JSON_STRING && originator && cse_sp_relative(c, wanted->text, id, sizeof id) && cse_id_matches(id, originator);
}

/* m2m:accessControlOperations. The clients that say `org` may mean one operation, by its number: a test bench takes both. */
static bool is_operation(struct cse *c, const struct json *m, const struct event *e)
{
	uint64_t ops;

	return !json_uint(json_get(m, "ops"), &ops) || (ops & acop_of(e)) != 0 || (c->config.testbench && json_get(m, "org") && ops == (uint64_t)e->operation);
}

static bool monitors(struct cse *c, const struct json *om, const struct event *e, const struct json **which)
{
	for (const struct json *m = om ? om->first : NULL; m; m = m->next) {
		const struct json *or = json_get(m, "or");

		if (!or)
			or = json_get(m, "org"); /* as some clients call it */
		if (!is_operation(c, m, e))
			continue;
		if (or && !is_originator(c, or, e->originator))
			continue;
		*which = m;
		return true;
	}
	return false;
}

/* ---- conditions, joined by fo ---- */

static bool atr_changed(const struct json *atr, const struct attributes *modified)
{
	for (size_t i = 0; modified && i < modified->count; i++)
		for (const struct json *a = atr->first; a; a = a->next)
			if (modified->items[i].changed && a->type == JSON_STRING && rd_equal(a->text, modified->items[i].name))
				return true;
	return false;
}

bool criteria_touches(const struct json *enc, const struct json *given)
{
	const struct json *atr = json_get(enc, "atr");

	if (!atr)
		return true;
	for (const struct json *m = given->first; m; m = m->next)
		for (const struct json *a = atr->first; a; a = a->next)
			if (a->type == JSON_STRING && rd_equal(a->text, m->key))
				return true;
	return false;
}

static void take_text(struct filter *f, const struct json *enc, const char *name, struct rd *text)
{
	const struct json *v = json_get(enc, name);

	if (v && v->type == JSON_STRING) {
		*text = v->text;
		f->conditions++;
	}
}

static void take_number(struct filter *f, const struct json *enc, const char *name, uint64_t *n, bool *has)
{
	*has = json_uint(json_get(enc, name), n);
	f->conditions += *has;
}

static void filter_of(const struct json *enc, struct filter *f)
{
	uint64_t fo;

	memset(f, 0, sizeof *f);
	f->operation = json_uint(json_get(enc, "fo"), &fo) && fo <= 3 ? (int)fo : 1;
	take_text(f, enc, "crb", &f->crb);
	take_text(f, enc, "cra", &f->cra);
	take_text(f, enc, "ms", &f->ms);
	take_text(f, enc, "us", &f->us);
	take_text(f, enc, "exb", &f->exb);
	take_text(f, enc, "exa", &f->exa);
	take_number(f, enc, "sts", &f->sts, &f->has_sts);
	take_number(f, enc, "stb", &f->stb, &f->has_stb);
	take_number(f, enc, "sza", &f->sza, &f->has_sza);
	take_number(f, enc, "szb", &f->szb, &f->has_szb);
}

static bool has_conditions(const struct json *enc)
{
	static const char *const names[] = {"crb", "cra", "ms", "us", "exb", "exa", "sts", "stb", "sza", "szb"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (json_get(enc, names[i]))
			return true;
	return false;
}

static bool conditions_hold(struct cse *c, const struct json *enc, const struct event *e)
{
	const struct json *atr = e->kind == EVENT_UPDATE ? json_get(enc, "atr") : NULL;
	struct filter f;
	bool changed;

	if (!has_conditions(enc))
		return !atr || atr_changed(atr, e->modified);
	filter_of(enc, &f);
	if (!atr)
		return filter_matches(&f, c, e->shown);
	changed = atr_changed(atr, e->modified);
	switch (f.operation) {
	case 2:
		return changed || filter_matches(&f, c, e->shown);
	case 3:
		return changed != filter_matches(&f, c, e->shown);
	default:
		return changed && filter_matches(&f, c, e->shown);
	}
}

static bool is_of_wanted_type(const struct json *enc, const struct event *e)
{
	const struct json *chty = json_get(enc, "chty");

	return !chty || (e->kind != EVENT_CHILD_CREATE && e->kind != EVENT_CHILD_DELETE) || criteria_has(chty, (uint64_t)e->shown->type);
}

bool criteria_match(struct cse *c, const struct json *enc, const struct event *e, const struct json **monitor)
{
	const struct json *net = json_get(enc, "net"), *om = json_get(enc, "om"), *which = NULL;

	if (e->kind == EVENT_OPERATION) {
		if (!monitors(c, om, e, &which))
			return false;
	} else if (net ? !criteria_has(net, e->kind) : (om || e->kind != EVENT_UPDATE)) {
		return false;
	}
	if (monitor)
		*monitor = which;
	return !enc || (is_of_wanted_type(enc, e) && conditions_hold(c, enc, e));
}
