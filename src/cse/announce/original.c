/* The originals' side: `at` and `aa` are checked, and every change orders what the doubles need. TS-0001 clauses 9.6.26.3, 10.2.18.2 f. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/announce/jobs.h"

static void set_list(struct attributes *a, const char *name, struct wr *w)
{
	const struct json *list;
	struct rd text;

	if (wr_done(w, &text) && json_parse(a->arena, text, NULL, &list) == OK)
		attributes_set_json(a, name, list);
	wr_free(w);
}

/* ---- at ---- */

static bool take_target(struct exchange *x, const struct json *e, struct resource *old, char *entry, size_t size)
{
	char absolute[CSE_PATH_MAX], csi[CSE_ID_MAX];

	if (e->type != JSON_STRING || !rd_starts(e->text, "/") || !cse_sp_relative(x->cse, e->text, absolute, sizeof absolute) || rd_starts(rd_str(absolute), "//") ||
	    !announce_csi(rd_str(absolute), csi, sizeof csi)) {
		exchange_fail(x, RSC_BAD_REQUEST, "`at`: names CSE-IDs such as `/id-in`, or where the resource is announced already");
		return false;
	}
	entry[0] = '\0';
	if (old)
		announce_entry(old, csi, entry, size);
	if (entry[0] == '\0')
		snprintf(entry, size, "%s", csi);
	return true;
}

static bool has_entry(const struct wr *w, const char *entry)
{
	char quoted[CSE_ID_MAX + 2];

	snprintf(quoted, sizeof quoted, "\"%s\"", entry);
	return w->len > 0 && memmem(w->octets, w->len, quoted, strlen(quoted)) != NULL;
}

static bool check_targets(struct exchange *x, struct attributes *a, struct resource *old)
{
	const struct json *at = attributes_value(a, "at");
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	char entry[CSE_ID_MAX];

	if (!at || at->type != JSON_ARRAY)
		return true;
	json_array(&o, NULL);
	for (const struct json *e = at->first; e; e = e->next) {
		if (!take_target(x, e, old, entry, sizeof entry)) {
			wr_free(&w);
			return false;
		}
		if (!has_entry(&w, entry))
			json_put_string(&o, NULL, entry);
	}
	json_close(&o);
	set_list(a, "at", &w);
	return true;
}

/* ---- aa: what cannot be announced is taken out, what does not exist is an error ---- */

static bool check_names(struct exchange *x, const struct schema_type *t, struct attributes *a)
{
	const struct json *aa = attributes_value(a, "aa");
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	size_t kept = 0;

	if (!aa || aa->type != JSON_ARRAY)
		return true;
	json_array(&o, NULL);
	for (const struct json *e = aa->first; e; e = e->next) {
		const struct schema_attribute *s = e->type == JSON_STRING ? schema_attribute(t, e->text) : NULL;

		if (!s && !t->custom) {
			wr_free(&w);
			exchange_fail(x, RSC_BAD_REQUEST, "`aa`: `%.*s` is no attribute of this type", (int)(e->text.left < 64 ? e->text.left : 64), (const char *)e->text.at);
			return false;
		}
		/* acpi is announced in any case, in a form of its own */
		if ((s && s->announce == SCHEMA_NA) || rd_is(e->text, "acpi"))
			continue;
		json_put(&o, NULL, e);
		kept++;
	}
	json_close(&o);
	if (kept == 0 && aa->count > 0) {
		attributes_remove(a, "aa");
		wr_free(&w);
		return true;
	}
	set_list(a, "aa", &w);
	return true;
}

bool announce_check(struct exchange *x, const struct schema_type *t, const struct json *given, struct attributes *a, struct resource *old)
{
	if (!t->announceable)
		return true;
	if (json_get(given, "at") && !check_targets(x, a, old))
		return false;
	return !json_get(given, "aa") || check_names(x, t, a);
}

static bool lists(const struct json *list, const char *name)
{
	for (const struct json *e = list ? list->first : NULL; e; e = e->next)
		if (json_is_string(e, name))
			return true;
	return false;
}

/* One that wants to be tracked as it moves: the IN-CSE hears of that, and whether it is still here. TS-0001 clause 10.2.2.2, case e. */
static void announce_tracking(struct creation *cr)
{
	static const char *const names[] = {"trps", "regs"};
	const struct json *aa = attributes_value(&cr->attributes, "aa");
	struct wr w;
	struct json_out o;
	bool tracked;

	if (!json_bool(attributes_value(&cr->attributes, "trps"), &tracked) || !tracked)
		return;
	w = wr_new(CSE_BODY_MAX);
	o = json_out(&w);
	json_array(&o, NULL);
	for (const struct json *e = aa ? aa->first : NULL; e; e = e->next)
		json_put(&o, NULL, e);
	for (size_t i = 0; i < 2; i++)
		if (!lists(aa, names[i]))
			json_put_string(&o, NULL, names[i]);
	json_close(&o);
	set_list(&cr->attributes, "aa", &w);
}

/* The IN-CSE learns where an S-type AE is, if it is this CSE's registrar. */
void announce_s_type_ae(struct creation *cr)
{
	struct cse *c = cr->x->cse;
	const struct json *at = attributes_value(&cr->attributes, "at");
	struct resource *registrar = c->config.registrar_id ? tree_by_ri(c->tree, rd_str(c->config.registrar_id + 1)) : NULL;
	bool is_in = registrar && resource_uint(registrar, "cst", 0) == CSE_IN;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);

	resource_unref(registrar);
	if (cr->ri[0] == 'S' && is_in) {
		json_array(&o, NULL);
		for (const struct json *e = at ? at->first : NULL; e; e = e->next)
			if (!json_is_string(e, c->config.registrar_id))
				json_put(&o, NULL, e);
		json_put_string(&o, NULL, c->config.registrar_id);
		json_close(&o);
		set_list(&cr->attributes, "at", &w);
		announce_tracking(cr);
		return;
	}
	wr_free(&w);
}

/* ---- orders ---- */

static struct announce_original original_of(const struct resource *r)
{
	return (struct announce_original){r->id, r->parent, r->instance};
}

/* What an older double has and a newer shall not have, joined by ' '. */
static void list_gone(struct resource *old, struct resource *made, struct wr *w)
{
	const struct json *all = resource_attributes(old), *before = resource_get(old, "aa"), *after = resource_get(made, "aa");
	char name[128];

	for (const struct json *m = all ? all->first : NULL; m; m = m->next) {
		if (!announce_says(old->schema, before, m->key) || !rd_text(m->key, name, sizeof name) ||
		    (announce_says(old->schema, after, m->key) && resource_get(made, name)))
			continue;
		wr_fmt(w, "%s%s", w->len ? " " : "", name);
	}
	wr_u8(w, 0);
}

static bool concerns_doubles(struct resource *old, struct resource *made, const struct attributes *a)
{
	const struct json *before = resource_get(old, "aa"), *after = resource_get(made, "aa");

	for (size_t i = 0; i < a->count; i++) {
		const struct attribute *t = &a->items[i];

		if (t->changed && (rd_is(t->name, "aa") || announce_says(old->schema, before, t->name) || announce_says(old->schema, after, t->name)))
			return true;
	}
	return false;
}

static void order(struct cse *c, struct resource *old, struct resource *made, const struct attributes *a, struct announce_wait *wait)
{
	const struct json *at = resource_get(made, "at"), *was = resource_get(old, "at");
	const struct announce_original o = original_of(made);
	bool concerned = concerns_doubles(old, made, a);
	struct wr gone = wr_new(CSE_BODY_MAX);
	char csi[CSE_ID_MAX], entry[CSE_ID_MAX];

	list_gone(old, made, &gone);
	for (const struct json *e = at ? at->first : NULL; e; e = e->next)
		if (e->type == JSON_STRING && announce_csi(e->text, csi, sizeof csi) && (concerned || rd_is(e->text, csi)))
			announce_sync(c, &o, csi, gone.spoilt ? "" : (const char *)gone.octets, wait);
	for (const struct json *e = was ? was->first : NULL; e; e = e->next) {
		if (e->type != JSON_STRING || !announce_csi(e->text, csi, sizeof csi) || rd_is(e->text, csi))
			continue;
		announce_entry(made, csi, entry, sizeof entry);
		if (entry[0] == '\0' && rd_text(e->text, entry, sizeof entry))
			announce_remove(c, &o, entry, wait);
	}
	wr_free(&gone);
}

bool announce_created(struct exchange *x, struct resource *made, void (*then)(void *ctx), void *ctx)
{
	const struct announce_original o = original_of(made);
	const struct json *at = made->schema && made->schema->announceable ? resource_get(made, "at") : NULL;
	struct announce_wait *wait;
	char csi[CSE_ID_MAX];

	if (!at || !at->first)
		return false;
	exchange_keep(x);
	wait = announce_wait_new(x->cse, then, ctx);
	for (const struct json *e = at->first; e; e = e->next)
		if (e->type == JSON_STRING && announce_csi(e->text, csi, sizeof csi))
			announce_sync(x->cse, &o, csi, "", wait);
	return announce_wait_begin(wait);
}

bool announce_updated(struct exchange *x, struct resource *old, struct resource *made, const struct attributes *a, void (*then)(void *ctx), void *ctx)
{
	struct announce_wait *wait;
	struct rd at;

	/* the older one is parsed already, the newer need not be */
	if (!made->schema || !made->schema->announceable || (!attributes_get(a, "at", &at) && !resource_get(old, "at")))
		return false;
	exchange_keep(x);
	wait = announce_wait_new(x->cse, then, ctx);
	order(x->cse, old, made, a, wait);
	return announce_wait_begin(wait);
}

void announce_edited(struct cse *c, struct resource *old, struct resource *made, const struct attributes *a)
{
	struct rd at;

	if (made->schema && made->schema->announceable && attributes_get(a, "at", &at) && concerns_doubles(old, made, a))
		order(c, old, made, a, NULL);
}

/* ---- the end of an original ---- */

/* Most have never been announced: those are not even parsed. */
static bool may_have_doubles(struct resource *r)
{
	struct rd text = resource_text(r);

	return r->schema && r->schema->announceable && memmem(text.at, text.left, "\"at\":", 5);
}

void announce_gone(struct cse *c, struct resource *r)
{
	const struct json *at = may_have_doubles(r) ? resource_get(r, "at") : NULL;
	const struct announce_original o = original_of(r);
	char csi[CSE_ID_MAX], entry[CSE_ID_MAX];

	for (const struct json *e = at ? at->first : NULL; e; e = e->next)
		if (e->type == JSON_STRING && announce_csi(e->text, csi, sizeof csi) && !rd_is(e->text, csi) && rd_text(e->text, entry, sizeof entry))
			announce_remove(c, &o, entry, announcer_of(c)->collecting);
}

struct deletion {
	struct exchange *x;
	struct wr content;
	struct announce_wait *wait;
};

static void on_doubles_gone(void *ctx)
{
	struct deletion *d = ctx;
	struct rd content;

	if (!wr_done(&d->content, &content))
		content = rd_of("", 0);
	exchange_answer(d->x, RSC_DELETED, content, rd_str(""));
	wr_free(&d->content);
	free(d);
}

/* Deletes x's target with all below it, and answers with content (taken over) once the doubles are gone too. */
void announce_delete(struct exchange *x, struct wr content)
{
	struct announcer *all = announcer_of(x->cse);
	struct deletion *d = calloc(1, sizeof *d);
	unsigned farewells = x->cse->farewells;
	enum err e;

	if (!d)
		abort();
	d->x = x;
	d->content = content;
	d->wait = all->collecting = announce_wait_new(x->cse, on_doubles_gone, d);
	e = cse_delete_subtree(x->cse, x->target, true);
	x->farewell = x->cse->farewells > farewells;
	all->collecting = NULL;
	if (e == OK) {
		exchange_keep(x);
		if (!announce_wait_begin(d->wait))
			on_doubles_gone(d);
		return;
	}
	announce_wait_drop(d->wait);
	wr_free(&d->content);
	free(d);
	exchange_store_failed(x, e);
}
