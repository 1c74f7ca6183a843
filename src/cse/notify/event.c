/* Events become notifications for the subscriptions that ask for them. TS-0001 clauses 9.6.8 and 10.2.10, TS-0004 clause 7.5.1. */
#include <stdio.h>
#include <string.h>

#include "cse/notify/outbox.h"

static bool has_number(const struct json *list, uint64_t n, bool when_absent)
{
	uint64_t v;

	if (!list)
		return when_absent;
	for (const struct json *e = list->first; e; e = e->next)
		if (json_uint(e, &v) && v == n)
			return true;
	return false;
}

/* enc: kinds of events, child types, attributes, operations. */
static bool wants(struct resource *sub, const struct event *ev)
{
	const struct json *enc = resource_get(sub, "enc"), *atr = json_get(enc, "atr");

	if (!has_number(json_get(enc, "net"), ev->kind, ev->kind == EVENT_UPDATE))
		return false;
	if ((ev->kind == EVENT_CHILD_CREATE || ev->kind == EVENT_CHILD_DELETE) && !has_number(json_get(enc, "chty"), (uint64_t)ev->shown->type, true))
		return false;
	if (ev->kind != EVENT_UPDATE || !atr)
		return true;
	for (size_t i = 0; ev->modified && i < ev->modified->count; i++)
		for (const struct json *a = atr->first; a; a = a->next)
			if (ev->modified->items[i].changed && a->type == JSON_STRING && rd_equal(a->text, ev->modified->items[i].name))
				return true;
	return false;
}

static void put_modified(const struct event *ev, struct json_out *o)
{
	json_object(o, ev->shown->root);
	for (size_t i = 0; ev->modified && i < ev->modified->count; i++) {
		const struct attribute *t = &ev->modified->items[i];
		char name[128];

		if (!t->changed || !rd_text(t->name, name, sizeof name))
			continue;
		if (t->removed)
			json_put_null(o, name);
		else
			json_put_raw(o, name, t->raw);
	}
	json_close(o);
}

static bool compose(struct cse *c, const struct event *ev, struct resource *sub, struct wr *w, struct rd *content)
{
	struct json_out o = json_out(w);
	char reference[CSE_ID_MAX];
	uint64_t nct = resource_uint(sub, "nct", 1);

	json_object(&o, NULL);
	json_object(&o, "m2m:sgn");
	json_object(&o, "nev");
	json_object(&o, "rep");
	if (nct == 3) {
		snprintf(reference, sizeof reference, "%s/%s", c->config.id, ev->shown->ri);
		json_put_string(&o, "m2m:uri", reference);
	} else if (nct == 2 && ev->modified) {
		put_modified(ev, &o);
	} else {
		json_object(&o, ev->shown->root);
		represent_members(c, ev->shown, &o);
		json_close(&o);
	}
	json_close(&o);
	json_put_int(&o, "net", ev->kind);
	json_close(&o);
	snprintf(reference, sizeof reference, "%s/%s", c->config.id, sub->ri);
	json_put_string(&o, "sur", reference);
	json_close(&o);
	json_close(&o);
	return wr_done(w, content);
}

static void notify_one(struct cse *c, const struct event *ev, struct resource *sub)
{
	struct wr w = wr_new(CSE_BODY_MAX * 4);
	const struct json *nu = resource_get(sub, "nu");
	char target[CSE_ID_MAX];
	struct rd content;

	if (wants(sub, ev) && compose(c, ev, sub, &w, &content))
		for (const struct json *t = nu ? nu->first : NULL; t; t = t->next)
			if (json_text(t, target, sizeof target))
				outbox_post(c, sub->ri, target, content, true, NULL, NULL);
	wr_free(&w);
}

void cse_event(struct cse *c, const struct event *ev)
{
	const int64_t *ids;
	size_t n = tree_subscriptions(c->tree, ev->subject, &ids);

	for (size_t i = 0; i < n; i++) {
		struct resource *sub = tree_by_id(c->tree, ids[i]);

		/* with net 3 it would be the first child that it noticed */
		if (sub && sub->id != ev->shown->id)
			notify_one(c, ev, sub);
		resource_unref(sub);
	}
}
