/* primitiveProfile (Release 4): what requests of its originators need not say, so that constrained devices send less. A request of one of
 * IDList that fits resourceTypes, operations, resourceIDs and releaseVersions gets the additions that it lacks and loses the deletions:
 * attributes of the resource that it creates or updates, and the request parameters below. Below the CSEBase it is for all whom it names; an
 * AE may make one too, which is for that AE alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cse/types/types.h"

#define PROFILES_MOST 256 /* walked for every request */

struct profiles {
	int64_t ids[PROFILES_MOST];
	size_t count;
};

static void profiles_free(struct cse *c, void *state)
{
	(void)c;
	free(state);
}

/* A creation may have been undone. */
static void forget_gone(struct cse *c, struct profiles *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct resource *r = tree_by_id(c->tree, p->ids[i]);

		if (!r)
			p->ids[i--] = p->ids[--p->count];
		resource_unref(r);
	}
}

static bool note(struct cse *c, int64_t id)
{
	struct profiles *p = c->services[SERVICE_PRIMITIVE_PROFILE];

	if (!p) {
		p = calloc(1, sizeof *p);
		if (!p)
			abort();
		cse_service_set(c, SERVICE_PRIMITIVE_PROFILE, p, profiles_free);
	}
	if (p->count == PROFILES_MOST)
		return false;
	p->ids[p->count++] = id;
	return true;
}

/* ---- which requests ---- */

static bool has_number(const struct json *list, int number)
{
	uint64_t n;

	for (const struct json *v = list->first; v; v = v->next)
		if (json_uint(v, &n) && n == (uint64_t)number)
			return true;
	return false;
}

static bool has_text(const struct json *list, struct rd text)
{
	for (const struct json *v = list->first; v; v = v->next)
		if (v->type == JSON_STRING && rd_equal(v->text, text))
			return true;
	return false;
}

static bool is_for(const struct exchange *x, const struct json *ids)
{
	char pattern[CSE_ID_MAX], sp_relative[CSE_ID_MAX];

	for (const struct json *v = ids ? ids->first : NULL; v; v = v->next)
		if (json_text(v, pattern, sizeof pattern) && cse_sp_relative(x->cse, rd_str(pattern), sp_relative, sizeof sp_relative) && cse_pattern_matches(sp_relative, x->from))
			return true;
	return false;
}

/* The address as it is written, or in any form of the same resource. */
static bool has_target(struct exchange *x, const struct json *list, const struct resource *target)
{
	for (const struct json *v = list->first; v; v = v->next) {
		struct resource *r = v->type == JSON_STRING && target ? cse_find_address(x->cse, v->text) : NULL;
		bool same = r && target && r->id == target->id;

		resource_unref(r);
		if (same || (v->type == JSON_STRING && rd_equal(v->text, x->rq->to)))
			return true;
	}
	return false;
}

/* Who may make resources somewhere does not decide about the requests of others. */
static bool may_change(const struct exchange *x, struct resource *profile)
{
	struct resource *parent = tree_parent(x->cse->tree, profile);
	bool ok = parent && (parent->type == TY_CSE_BASE || strcmp(x->from, parent->type == TY_AE ? parent->creator : profile->creator) == 0);

	resource_unref(parent);
	return ok;
}

static bool fits(struct exchange *x, struct resource *profile, const struct resource *target)
{
	const struct json *rtys = resource_get(profile, "rtys"), *ops = resource_get(profile, "ops"), *rsds = resource_get(profile, "rsds"), *rvs = resource_get(profile, "rvs");
	int type = x->rq->operation == ONEM2M_CREATE ? x->rq->type : target ? target->type : 0;

	return is_for(x, resource_get(profile, "idl")) && (!rtys || has_number(rtys, type)) && (!ops || has_number(ops, (int)x->rq->operation)) &&
	    (!rvs || has_text(rvs, x->rq->release)) && (!rsds || has_target(x, rsds, target)) && may_change(x, profile);
}

/* ---- request parameters ---- */

static struct rd *text_parameter(struct onem2m_request *rq, const char *name)
{
	const struct {
		const char *name;
		struct rd *at;
	} all[] = {{"rqet", &rq->rqet}, {"rset", &rq->rset}, {"oet", &rq->oet}, {"rp", &rq->rp}, {"ec", &rq->ec}, {"vsi", &rq->vendor}};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].at;
	return NULL;
}

/* True when the name is a parameter's. */
static bool add_parameter(struct onem2m_request *rq, const char *name, const struct json *value)
{
	struct rd *text = text_parameter(rq, name);
	uint64_t n;

	if (text && text->left == 0 && (value->type == JSON_STRING || value->type == JSON_NUMBER))
		*text = value->text;
	else if (strcmp(name, "rcn") == 0 && rq->rcn == ONEM2M_RCN_ABSENT && json_uint(value, &n) && n < 100)
		rq->rcn = (int)n;
	else if (strcmp(name, "drt") == 0 && rq->drt == 0 && json_uint(value, &n) && n < 100)
		rq->drt = (int)n;
	return text || strcmp(name, "rcn") == 0 || strcmp(name, "drt") == 0;
}

static bool remove_parameter(struct onem2m_request *rq, const char *name)
{
	struct rd *text = text_parameter(rq, name);

	if (text)
		*text = rd_of(NULL, 0);
	else if (strcmp(name, "rcn") == 0)
		rq->rcn = ONEM2M_RCN_ABSENT;
	else if (strcmp(name, "drt") == 0)
		rq->drt = 0;
	else
		return false;
	return true;
}

/* ---- a profile ---- */

struct applying {
	struct exchange *x;
	struct onem2m_request *rq;   /* the new one, from the arena */
	const struct json *root;     /* of the content; NULL: there is none to change */
	struct attributes attributes;
	bool changed;
};

static void begin(struct applying *a)
{
	const struct json *doc;

	if (a->rq)
		return;
	a->rq = json_arena_alloc(a->x->arena, sizeof *a->rq);
	if (!a->rq)
		abort();
	*a->rq = *a->x->rq;
	if ((a->rq->operation != ONEM2M_CREATE && a->rq->operation != ONEM2M_UPDATE) || json_parse(a->x->arena, a->rq->content, NULL, &doc) != OK ||
	    doc->type != JSON_OBJECT || doc->count != 1 || doc->first->type != JSON_OBJECT)
		return;
	a->root = doc->first;
	attributes_init(&a->attributes, a->x->arena, a->root);
}

static void add(struct applying *a, const struct json *additions)
{
	char name[64];
	struct rd raw;

	for (const struct json *v = additions ? additions->first : NULL; v; v = v->next) {
		const struct json *value = json_get(v, "val");

		if (!value || !json_text(json_get(v, "nm"), name, sizeof name) || add_parameter(a->rq, name, value) || !a->root || attributes_get(&a->attributes, name, &raw))
			continue;
		attributes_set_json(&a->attributes, name, value);
		a->changed = true;
	}
}

static void take_away(struct applying *a, const struct json *deletions)
{
	char name[64];
	struct rd raw;

	for (const struct json *v = deletions ? deletions->first : NULL; v; v = v->next) {
		if (!json_text(v, name, sizeof name) || remove_parameter(a->rq, name) || !a->root || !attributes_get(&a->attributes, name, &raw))
			continue;
		attributes_forget(&a->attributes, name);
		a->changed = true;
	}
}

/* The profile may change before the request is done: what it adds is copied. */
static void write_content(struct applying *a)
{
	struct wr w = wr_new(CSE_BODY_MAX * 2), inner = wr_new(CSE_BODY_MAX * 2);
	struct json_out o = json_out(&w);
	char root[128];
	struct rd out;
	uint8_t *copy;

	attributes_write(&a->attributes, &inner);
	json_object(&o, NULL);
	if (rd_text(a->root->key, root, sizeof root) && wr_done(&inner, &out))
		json_put_raw(&o, root, out);
	json_close(&o);
	if (wr_done(&w, &out)) {
		copy = json_arena_alloc(a->x->arena, out.left);
		if (!copy)
			abort();
		memcpy(copy, out.at, out.left);
		a->rq->content = rd_of(copy, out.left);
	}
	wr_free(&inner);
	wr_free(&w);
}

static const struct json *copy_of(struct exchange *x, const struct json *v)
{
	const struct json *copy = NULL;
	uint8_t *octets;

	if (!v)
		return NULL;
	octets = json_arena_alloc(x->arena, v->source.left);
	if (!octets)
		abort();
	memcpy(octets, v->source.at, v->source.left);
	return json_parse(x->arena, rd_of(octets, v->source.left), NULL, &copy) == OK ? copy : NULL;
}

static void apply(struct applying *a, struct resource *profile)
{
	begin(a);
	add(a, copy_of(a->x, resource_get(profile, "adds")));
	take_away(a, resource_get(profile, "dels"));
}

void primitive_profiles_apply(struct exchange *x)
{
	struct profiles *p = x->cse->services[SERVICE_PRIMITIVE_PROFILE];
	struct applying a = {.x = x};
	struct resource *target;

	if (!p || p->count == 0 || x->rq->internal || x->from[0] == '\0')
		return;
	target = cse_find_address(x->cse, x->rq->to);
	for (size_t i = 0; i < p->count; i++) {
		struct resource *r = tree_by_id(x->cse->tree, p->ids[i]);

		if (r && fits(x, r, target))
			apply(&a, r);
		resource_unref(r);
	}
	resource_unref(target);
	if (a.changed)
		write_content(&a);
	if (a.rq)
		x->rq = a.rq;
}

/* ---- hooks ---- */

static enum hook_result profile_create(struct creation *cr)
{
	struct profiles *p = cr->x->cse->services[SERVICE_PRIMITIVE_PROFILE];

	if (!primitive_profile_fits(cr->x, &cr->attributes))
		return HOOK_FAILED;
	if (p && p->count == PROFILES_MOST)
		forget_gone(cr->x->cse, p);
	if (!p || p->count < PROFILES_MOST)
		return HOOK_GO;
	exchange_fail(cr->x, RSC_NOT_ACCEPTABLE, "there are %d primitive profiles already", PROFILES_MOST);
	return HOOK_FAILED;
}

static enum hook_result profile_created(struct creation *cr)
{
	(void)note(cr->x->cse, cr->made->id);
	return HOOK_GO;
}

static enum hook_result profile_update(struct updating *u)
{
	return primitive_profile_fits(u->x, &u->attributes) ? HOOK_GO : HOOK_FAILED;
}

static void profile_removed(struct cse *c, struct resource *r)
{
	struct profiles *p = c->services[SERVICE_PRIMITIVE_PROFILE];

	for (size_t i = 0; p && i < p->count; i++)
		if (p->ids[i] == r->id)
			p->ids[i--] = p->ids[--p->count];
}

static void profile_start(struct cse *c, struct resource *r)
{
	(void)note(c, r->id);
}

const struct type_hooks hooks_primitive_profile = {.type = TY_PRIMITIVE_PROFILE, .create = profile_create, .created = profile_created, .update = profile_update, .removed = profile_removed, .start = profile_start};
