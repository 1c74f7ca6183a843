/* UPDATE: TS-0004 clause 7.2.2.3 (7.3.3.7 ff.). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/private.h"

#define SMALL 4096 /* a change that takes little room: tried even when the disk is full */

/* ---- changes from inside ---- */

enum err cse_edit_snapshot(struct cse *c, struct resource *r, bool notify, cse_edit *fn, void *ctx)
{
	struct resource *made = NULL;
	struct json_arena *arena = json_arena_new();
	struct wr text = wr_new(CSE_BODY_MAX * 4);
	struct attributes a;
	struct rd out;
	enum err e;

	if (!arena)
		abort();
	attributes_init(&a, arena, resource_attributes(r));
	if (r->counters.used) {
		attributes_remove(&a, "cni");
		attributes_remove(&a, "cbs");
		attributes_remove(&a, "st");
		attributes_remove(&a, "lt");
	}
	fn(ctx, &a);
	attributes_write(&a, &text);
	e = wr_done(&text, &out) ? tree_replace(c->tree, r, out, r->expires, NULL, 0, &made) : ERR_TOO_LONG;
	if (e == OK) {
		cse_commit_later(c);
		announce_edited(c, r, made, &a);
		if (notify)
			cse_event(c, &(const struct event){.kind = EVENT_UPDATE, .subject = made, .shown = made, .modified = &a, .operation = ONEM2M_UPDATE, .originator = c->config.id});
	}
	resource_unref(made);
	wr_free(&text);
	json_arena_free(arena);
	return e;
}

enum err cse_edit_resource(struct cse *c, int64_t id, bool notify, cse_edit *fn, void *ctx)
{
	struct resource *r = tree_by_id(c->tree, id);
	enum err e = r ? cse_edit_snapshot(c, r, notify, fn, ctx) : ERR_NOT_FOUND;

	resource_unref(r);
	return e;
}

/* ---- requests ---- */

static void remove_counters(struct updating *u)
{
	static const char *const names[] = {"cni", "cbs", "st", "lt"};

	for (size_t i = 0; i < 4; i++) {
		struct rd raw;

		if (attributes_get(&u->attributes, names[i], &raw))
			attributes_remove(&u->attributes, names[i]);
	}
}

/* The request's attributes in place of the old; null takes one away. */
static void merge(struct updating *u)
{
	for (const struct json *m = u->given->first; m; m = m->next) {
		char name[128];

		if (!rd_text(m->key, name, sizeof name))
			continue;
		if (m->type == JSON_NULL)
			attributes_remove(&u->attributes, name);
		else
			attributes_set_raw(&u->attributes, name, m->source);
		u->labels_changed = u->labels_changed || strcmp(name, "lbl") == 0;
	}
	if (u->old->counters.used) {
		remove_counters(u);
	} else {
		uint64_t st;

		attributes_set_time(&u->attributes, "lt", u->now);
		if (json_uint(resource_get(u->old, "st"), &st))
			attributes_set_uint(&u->attributes, "st", st + 1);
	}
}

static bool take_expiration(struct updating *u)
{
	struct cse *c = u->x->cse;
	const struct json *et = json_get(u->given, "et");
	uint64_t at;

	u->expires = u->old->expires;
	if (!et)
		return true;
	at = u->now + cse_longest_life(c);
	if (et->type == JSON_STRING) {
		uint64_t asked;

		if (!timestamp_parse(et->text, &asked) || asked <= u->now) {
			exchange_fail(u->x, RSC_BAD_REQUEST, "`et`: lies in the past");
			return false;
		}
		if (asked < at) {
			u->expires = asked;
			return true; /* as it was written */
		}
	}
	u->expires = at;
	attributes_set_time(&u->attributes, "et", at);
	return true;
}

/* The request said it so: the originator knows. */
static bool is_as_asked(const struct updating *u, const struct attribute *t)
{
	for (const struct json *m = u->given->first; m; m = m->next)
		if (rd_equal(m->key, t->name))
			return t->removed ? m->type == JSON_NULL : rd_equal(m->source, t->raw);
	return false;
}

/* What this CSE changed beyond the request, or made of it: TS-0001 clause 8.1.2, modified-attributes. */
static void put_modified(struct updating *u, struct wr *w)
{
	struct json_out o = json_out(w);

	json_object(&o, NULL);
	json_object(&o, u->made->root);
	for (size_t i = 0; i < u->attributes.count; i++) {
		const struct attribute *t = &u->attributes.items[i];
		char name[128];

		if (!t->changed || is_as_asked(u, t) || !access_shows(u->limited, t->name) || !rd_text(t->name, name, sizeof name))
			continue;
		/* the counters of a container are kept elsewhere: their removal here is none */
		if (t->removed && u->made->counters.used && !json_get(u->given, name))
			continue;
		if (t->removed)
			json_put_null(&o, name);
		else
			json_put_raw(&o, name, t->raw);
	}
	if (u->made->counters.used)
		resource_put_counters(u->made, &o);
	json_close(&o);
	json_close(&o);
}

/* What announcing has changed since the replacement. */
static void refresh(struct updating *u)
{
	struct resource *again = u->made->stale ? tree_by_id(u->x->cse->tree, u->made->id) : NULL;

	if (!again)
		return;
	if (resource_get(again, "at"))
		attributes_set_json(&u->attributes, "at", resource_get(again, "at"));
	resource_unref(u->made);
	u->made = again;
}

static void answer(void *ctx)
{
	struct updating *u = ctx;
	struct exchange *x = u->x;
	struct wr w = wr_new(CSE_BODY_MAX * 4);
	struct rd content = rd_of("", 0);
	struct resource *made;

	refresh(u);
	made = u->made;
	switch (x->rcn == ONEM2M_RCN_ABSENT ? 1 : x->rcn) {
	case 1:
		represent_limited(x->cse, made, u->limited, &w);
		break;
	case 9:
		put_modified(u, &w);
		break;
	default:
		break;
	}
	if (!wr_done(&w, &content))
		content = rd_of("", 0);
	exchange_answer_composed(x, RSC_UPDATED, content, rd_str(""));
	wr_free(&w);
	resource_unref(made);
}

static bool replace(struct updating *u)
{
	struct exchange *x = u->x;
	struct wr text = wr_new(CSE_BODY_MAX * 2);
	const struct rd *labels = NULL;
	static const struct rd none[1];
	size_t label_count = 0;
	struct rd out;
	enum err e = ERR_TOO_LONG;

	if (u->labels_changed) {
		label_count = attributes_labels(&u->attributes, &labels);
		if (!labels)
			labels = none;
	}
	attributes_write(&u->attributes, &text);
	if (wr_done(&text, &out))
		e = tree_replace(x->cse->tree, u->old, out, u->expires, labels, label_count, &u->made);
	wr_free(&text);
	if (e == ERR_TOO_LONG)
		exchange_fail(x, RSC_NOT_ACCEPTABLE, "the resource is too large");
	else if (e != OK)
		exchange_store_failed(x, e);
	else
		cse_expire_at(x->cse, u->expires);
	return e == OK;
}

void updating_resume(struct updating *u)
{
	struct exchange *x = u->x;
	const struct type_hooks *h = type_hooks(u->old->type);

	if (x->abandoned) {
		exchange_fail(x, RSC_CONFLICT, "its transaction went on without it");
		return;
	}
	if (u->resumed && u->old->stale) {
		exchange_fail(x, RSC_CONFLICT, "the resource was changed meanwhile");
		return;
	}
	if (h->updated && !exchange_save(x))
		return;
	if (!replace(u))
		return;
	if (u->made->counters.used) {
		struct counters n = u->made->counters;

		n.modified_ms = u->now;
		n.state_tag += n.has_state_tag;
		tree_count(x->cse->tree, u->made, &n);
	}
	x->cse->counts.updated++;
	if (json_get(u->given, "nl"))
		node_links_changed(x->cse, u->old, u->made);
	contacts_changed(x->cse, u->old, u->made);
	if (h->updated && h->updated(u) != HOOK_GO)
		return;
	cse_event(x->cse, &(const struct event){.kind = EVENT_UPDATE, .subject = u->made, .shown = u->made, .modified = &u->attributes, .operation = ONEM2M_UPDATE, .originator = x->from});
	if (!announce_updated(x, u->old, u->made, &u->attributes, answer, u))
		answer(u);
}

bool updating_again(struct updating *u)
{
	struct exchange *x = u->x;
	struct resource *now = tree_by_id(x->cse->tree, u->old->id);

	if (!now) {
		exchange_fail(x, RSC_NOT_FOUND, "the resource was deleted meanwhile");
		return false;
	}
	resource_unref(x->target);
	x->target = u->old = now;
	u->labels_changed = false;
	attributes_init(&u->attributes, x->arena, resource_attributes(now));
	merge(u);
	return take_expiration(u);
}

/* Who changes acpi needs the privilege from the policies' selves, not from what they protect: TS-0001 clause 9.6.1.3.2. Where none of them is left it is as
 * if there had been none. */
static bool may_change_policies(struct exchange *x)
{
	const struct json *acpi = resource_get(x->target, "acpi");
	bool any = false;

	if (x->privileged)
		return true;
	for (const struct json *id = acpi ? acpi->first : NULL; id; id = id->next) {
		struct resource *policy = id->type == JSON_STRING ? cse_find_address(x->cse, id->text) : NULL;
		bool is_one = policy && policy->type == TY_ACP, ok = is_one && cse_permits(x, policy, ACOP_UPDATE);

		any = any || is_one;
		resource_unref(policy);
		if (ok)
			return true;
	}
	return !any && cse_permits(x, x->target, ACOP_UPDATE);
}

static bool changes_policies(struct exchange *x)
{
	const struct json *doc;

	return json_parse(x->arena, x->rq->content, NULL, &doc) == OK && doc->type == JSON_OBJECT && json_get(doc->first, "acpi");
}


static void update(struct exchange *x, const struct json *given, const struct json *limited)
{
	const struct type_hooks *h = type_hooks(x->target->type);
	struct updating *u = json_arena_alloc(x->arena, sizeof *u);
	enum hook_result r = HOOK_GO;
	struct schema_fault fault;

	if (!u)
		abort();
	if (!schema_check_update(x->target->schema, given, &fault)) {
		exchange_fail(x, fault.rsc, "%s", fault.text);
		return;
	}
	if (!cse_policies_exist(x, json_get(given, "acpi")) || !cse_consultations_fit(x, json_get(given, "daci")) || announce_sends_back(x, given))
		return;
	u->x = x;
	u->given = given;
	u->limited = limited;
	u->old = x->target;
	u->now = cse_now(x->cse);
	attributes_init(&u->attributes, x->arena, resource_attributes(u->old));
	merge(u);
	if (!take_expiration(u) || !announce_check(x, x->target->schema, given, &u->attributes, u->old))
		return;
	if (h->update)
		r = h->update(u);
	if (r == HOOK_GO && !subscription_blocks_update(u))
		updating_resume(u);
}

static bool is_fixed(int ty)
{
	return ty == TY_CSE_BASE || ty == TY_CONTENT_INSTANCE || ty == TY_TIME_SERIES_INSTANCE || ty == TY_FLEX_CONTAINER_INSTANCE || ty == TY_REQUEST ||
	    ty == TY_AE_CONTACT_LIST || ty == TY_AE_CONTACT_LIST_PER_CSE;
}

void cse_update(struct exchange *x)
{
	const struct json *given, *limited;
	bool acpi;

	if (!x->target->schema || is_fixed(x->target->type)) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "a resource of type %d cannot be updated", x->target->type);
		return;
	}
	acpi = changes_policies(x);
	if (acpi ? !may_change_policies(x) : !cse_permits(x, x->target, ACOP_UPDATE)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s may not update this", x->from);
		return;
	}
	limited = x->limited;
	if (x->rq->content.left > SMALL && !store_has_room(x->cse->store)) {
		exchange_fail(x, RSC_INTERNAL_SERVER_ERROR, "%s", store_detail(x->cse->store));
		return;
	}
	given = exchange_content(x, x->target->root, NULL);
	if (!given)
		return;
	if (acpi && given->count > 1) {
		exchange_fail(x, RSC_BAD_REQUEST, "`acpi` must be the only attribute of an update that changes it");
		return;
	}
	update(x, given, limited);
}
