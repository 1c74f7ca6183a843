/* AEContactList: at an IN-CSE, which other CSEs refer to which AEs, so that they can be told when an AE moves. TS-0001 clauses 9.6.45 and 9.6.46, TS-0004
 * clause 7.5.1.2.17. Here are both sides: a CSE tells the IN-CSE, its registrar, of the first reference to an AE elsewhere and of the end of the
 * last one (subscriptions' targets, groups' members, policies' originators); the IN-CSE keeps an AEContactListPerCSE for each that told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/types.h"

#define LIST "AEContactList"
#define AES_MOST 10000 /* of one CSE: the list is one attribute */
#define BUCKETS 256

/* ---- who refers ---- */

struct contact {
	struct contact *next;
	unsigned references;
	char id[];
};
struct contacts {
	struct contact *buckets[BUCKETS];
};

static void contacts_free(struct cse *c, void *state)
{
	struct contacts *s = state;

	(void)c;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (s->buckets[i]) {
			struct contact *k = s->buckets[i];

			s->buckets[i] = k->next;
			free(k);
		}
	}
	free(s);
}

static struct contact **find(struct contacts *s, const char *id)
{
	struct contact **at;
	size_t h = 5381;

	for (const char *p = id; *p; p++)
		h = h * 33 ^ (unsigned char)*p;
	at = &s->buckets[h % BUCKETS];
	while (*at && strcmp((*at)->id, id) != 0)
		at = &(*at)->next;
	return at;
}

static void tell(struct cse *c, const char *before, const char *after)
{
	struct wr w = wr_new(2048);
	struct json_out o = json_out(&w);
	struct rd content;

	json_object(&o, NULL);
	json_object(&o, "m2m:sgn");
	json_put_bool(&o, "aerid", true);
	if (before)
		json_put_string(&o, "tid1", before);
	if (after)
		json_put_string(&o, "tid2", after);
	json_close(&o);
	json_close(&o);
	if (wr_done(&w, &content))
		cse_notify_target(c, c->config.registrar_id, content, NULL, NULL);
	wr_free(&w);
}

static void hold(struct cse *c, const char *id, bool loud)
{
	struct contact **at = find(c->services[SERVICE_CONTACTS], id);

	if (!*at) {
		*at = calloc(1, sizeof **at + strlen(id) + 1);
		if (!*at)
			abort();
		memcpy((*at)->id, id, strlen(id));
		if (loud)
			tell(c, NULL, id);
	}
	(*at)->references++;
}

static void release(struct cse *c, const char *id, bool loud)
{
	struct contact **at = find(c->services[SERVICE_CONTACTS], id), *k = *at;

	if (!k || --k->references > 0)
		return;
	*at = k->next;
	if (loud)
		tell(c, id, NULL);
	free(k);
}

typedef void each_reference(struct cse *c, const char *id, bool loud);

/* "/id-x/Cae" or "/Sae", of no AE here. */
static void look_at(struct cse *c, const struct json *v, each_reference *fn, bool loud)
{
	char id[CSE_ID_MAX], *end, *stem;
	size_t own = strlen(c->config.id);

	if (!json_text(v, id, sizeof id) || id[0] != '/' || strchr(id, '*'))
		return;
	end = strchr(id, '?'); /* ct= of a notification target */
	if (end)
		*end = '\0';
	stem = strrchr(id, '/') + 1;
	if ((*stem != 'C' && *stem != 'S') || (strncmp(id, c->config.id, own) == 0 && id[own] == '/') || (stem == id + 1 && *stem != 'S') ||
	    (stem != id + 1 && strchr(id + 1, '/') + 1 != stem))
		return;
	fn(c, id, loud);
}

static void look_at_list(struct cse *c, const struct json *list, each_reference *fn, bool loud)
{
	for (const struct json *v = list ? list->first : NULL; v; v = v->next)
		look_at(c, v, fn, loud);
}

static void each(struct cse *c, struct resource *r, each_reference *fn, bool loud)
{
	static const char *const privileges[] = {"pv", "pvs"};

	if (r->type == TY_SUBSCRIPTION)
		look_at_list(c, resource_get(r, "nu"), fn, loud);
	else if (r->type == TY_GROUP)
		look_at_list(c, resource_get(r, "mid"), fn, loud);
	for (size_t i = 0; r->type == TY_ACP && i < 2; i++) {
		const struct json *rules = json_get(resource_get(r, privileges[i]), "acr");

		for (const struct json *rule = rules ? rules->first : NULL; rule; rule = rule->next)
			look_at_list(c, json_get(rule, "acor"), fn, loud);
	}
}

void contacts_changed(struct cse *c, struct resource *was, struct resource *is)
{
	const struct resource *r = is ? is : was;

	if (!c->services[SERVICE_CONTACTS] || c->rehearsing || (r->type != TY_SUBSCRIPTION && r->type != TY_GROUP && r->type != TY_ACP))
		return;
	if (is)
		each(c, is, hold, true);
	if (was)
		each(c, was, release, true);
}

static bool count(void *ctx, struct resource *r)
{
	each(ctx, r, hold, false);
	return true;
}

enum err contacts_start(struct cse *c)
{
	static const int types[] = {TY_SUBSCRIPTION, TY_GROUP, TY_ACP};
	struct contacts *s;
	enum err e = OK;

	if (c->config.type == CSE_IN || !c->config.registrar_id)
		return OK;
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	cse_service_set(c, SERVICE_CONTACTS, s, contacts_free);
	for (size_t i = 0; e == OK && i < sizeof types / sizeof types[0]; i++)
		e = tree_by_type(c->tree, types[i], count, c);
	return e;
}

/* ---- the IN-CSE's list ---- */

struct change {
	char before[CSE_ID_MAX], after[CSE_ID_MAX]; /* "": none */
	size_t left;
};

static void change_list(void *ctx, struct attributes *a)
{
	struct change *k = ctx;
	const struct json *old = attributes_value(a, "ail"), *list;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	struct rd text;

	k->left = 0;
	json_array(&o, NULL);
	for (const struct json *e = old ? old->first : NULL; e && k->left < AES_MOST; e = e->next) {
		if (json_is_string(e, k->before) || json_is_string(e, k->after))
			continue;
		json_put(&o, NULL, e);
		k->left++;
	}
	if (k->after[0]) {
		json_put_string(&o, NULL, k->after);
		k->left++;
	}
	json_close(&o);
	if (wr_done(&w, &text) && json_parse(a->arena, text, NULL, &list) == OK)
		attributes_set_json(a, "ail", list);
	wr_free(&w);
}

struct numbering {
	struct cse *cse;
	uint64_t count;
};

static bool count_one(void *ctx, struct resource *r)
{
	(void)r;
	((struct numbering *)ctx)->count++;
	return true;
}

static void put_number(void *ctx, struct attributes *a)
{
	attributes_set_uint(a, "nic", *(const uint64_t *)ctx);
}

static enum err set_number(struct cse *c, const struct resource *list)
{
	struct numbering n = {c, 0};
	enum err e = tree_children(c->tree, list, TY_AE_CONTACT_LIST_PER_CSE, false, count_one, &n);

	return e == OK ? cse_edit_resource(c, list->id, true, put_number, &n.count) : e;
}

static enum err make_entry(struct cse *c, struct resource *list, const char *csi, struct change *k)
{
	struct json_arena *arena = json_arena_new();
	struct resource *made;
	struct attributes a;

	if (!arena)
		abort();
	attributes_init(&a, arena, NULL);
	attributes_set_string(&a, "csi", csi);
	change_list(k, &a);
	made = cse_make_resource(c, &(const struct own_resource){.parent = list, .type = TY_AE_CONTACT_LIST_PER_CSE, .rn = csi + 1, .creator = c->config.id, .attributes = &a});
	if (made)
		cse_event(c, &(const struct event){.kind = EVENT_CHILD_CREATE, .subject = list, .shown = made, .operation = ONEM2M_CREATE, .originator = c->config.id});
	json_arena_free(arena);
	if (!made)
		return ERR_STORE;
	resource_unref(made);
	return set_number(c, list);
}

static enum err change_entry(struct cse *c, struct resource *list, struct resource *entry, struct change *k)
{
	struct resource *now;
	enum err e = cse_edit_resource(c, entry->id, true, change_list, k);

	if (e != OK || k->left > 0)
		return e;
	now = tree_by_id(c->tree, entry->id);
	e = now ? cse_delete_subtree(c, now, true) : tree_error(c->tree);
	resource_unref(now);
	return e == OK ? set_number(c, list) : e;
}

static enum err note(struct cse *c, const char *csi, struct change *k)
{
	struct resource *base = tree_by_id(c->tree, c->base_id), *list = base ? tree_child(c->tree, base, rd_str(LIST)) : NULL;
	struct resource *entry = list ? tree_child(c->tree, list, rd_str(csi + 1)) : NULL;
	enum err e = OK;

	if (!list)
		e = tree_error(c->tree) == OK ? ERR_NOT_FOUND : tree_error(c->tree);
	else if (entry)
		e = change_entry(c, list, entry, k);
	else if (k->after[0])
		e = make_entry(c, list, csi, k);
	resource_unref(entry);
	resource_unref(list);
	resource_unref(base);
	return e;
}

static bool is_registered(struct cse *c, const char *csi)
{
	struct resource *r = csi[0] == '/' ? tree_by_ri(c->tree, rd_str(csi + 1)) : NULL;
	bool ok = r && r->type == TY_REMOTE_CSE;

	resource_unref(r);
	return ok;
}

static bool take_id(const struct json *v, char *id, size_t size)
{
	id[0] = '\0';
	return !v || v->type == JSON_NULL || json_text(v, id, size);
}

bool contacts_notified(struct exchange *x)
{
	const struct json *doc, *sgn;
	struct change k;
	bool about;
	enum err e;

	if (x->target->type != TY_CSE_BASE || json_parse(x->arena, x->rq->content, NULL, &doc) != OK)
		return false;
	sgn = json_get(doc, "m2m:sgn");
	if (!json_bool(json_get(sgn, "aerid"), &about) || !about)
		return false;
	if (x->cse->config.type != CSE_IN) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "only an IN-CSE keeps an AEContactList");
	} else if (!is_registered(x->cse, x->from)) {
		exchange_fail(x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "%s is no CSE that is registered here", x->from);
	} else if (!take_id(json_get(sgn, "tid1"), k.before, sizeof k.before) || !take_id(json_get(sgn, "tid2"), k.after, sizeof k.after) || (!k.before[0] && !k.after[0])) {
		exchange_fail(x, RSC_BAD_REQUEST, "`tid1` and `tid2` say which AE was referred to, and which is");
	} else if (exchange_save(x)) {
		e = note(x->cse, x->from, &k);
		if (e == OK)
			exchange_answer(x, RSC_OK, rd_of("", 0), rd_str(""));
		else
			exchange_store_failed(x, e);
	}
	return true;
}
