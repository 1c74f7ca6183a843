/* semanticMashupJobProfile and semanticMashupInstance as storage: queries are SPARQL, an instance names its profile and is listed there. Mashups are
 * not carried out. TS-0004 clauses 7.4.49 and 7.4.50. */
#include <stdio.h>
#include <string.h>

#include "cse/types/semantic.h"
#include "cse/types/types.h"

static bool filter_is_good(struct exchange *x, const struct json *mbft)
{
	struct sparql *q;
	char why[256] = "";

	if (!mbft || mbft->type != JSON_STRING)
		return true;
	if (sparql_parse(SPARQL_QUERY, mbft->text, &q, why, sizeof why) != OK) {
		exchange_fail(x, RSC_INVALID_SPARQL_QUERY, "`mbft`: %s", why);
		return false;
	}
	sparql_free(q);
	return true;
}

static enum hook_result profile_create(struct creation *cr)
{
	return filter_is_good(cr->x, json_get(cr->given, "mbft")) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result profile_update(struct updating *u)
{
	return filter_is_good(u->x, json_get(u->given, "mbft")) ? HOOK_GO : HOOK_FAILED;
}

static bool members_exist(struct exchange *x, const struct json *members)
{
	const struct json *list = json_get(members, "msm");

	for (const struct json *m = list ? list->first : NULL; m; m = m->next) {
		struct rd uri = rd_of("", 0), rest;
		struct resource *r = json_string(json_get(m, "muri"), &uri) ? cse_find_address(x->cse, uri) : NULL;
		char other[CSE_ID_MAX];
		bool there = r || !cse_is_local(x->cse, uri, &rest, other, sizeof other);

		resource_unref(r);
		if (!there) {
			exchange_fail(x, RSC_MASHUP_MEMBER_NOT_FOUND, "`msm`: there is no resource `%.*s`", (int)(uri.left < 200 ? uri.left : 200), (const char *)uri.at);
			return false;
		}
	}
	return true;
}

static struct resource *profile_of(struct exchange *x, const struct json *mjid)
{
	struct resource *r = mjid && mjid->type == JSON_STRING ? cse_find_address(x->cse, mjid->text) : NULL;

	if (r && r->type == TY_SEMANTIC_MASHUP_JOB_PROFILE)
		return r;
	resource_unref(r);
	exchange_fail(x, RSC_BAD_REQUEST, "`mjid`: there is no such semanticMashupJobProfile");
	return NULL;
}

static enum hook_result instance_create(struct creation *cr)
{
	struct resource *profile = profile_of(cr->x, json_get(cr->given, "mjid"));

	if (!profile)
		return HOOK_FAILED;
	resource_unref(profile);
	return members_exist(cr->x, json_get(cr->given, "msm")) ? HOOK_GO : HOOK_FAILED;
}

static enum hook_result instance_update(struct updating *u)
{
	return members_exist(u->x, json_get(u->given, "msm")) ? HOOK_GO : HOOK_FAILED;
}

/* ---- miid: the instances of a profile ---- */

struct listing {
	const char *ri;
	bool with;
};

static void edit_instances(void *ctx, struct attributes *a)
{
	const struct listing *l = ctx;
	const struct json *now = attributes_value(a, "miid"), *parsed;
	struct wr w = wr_new(CSE_BODY_MAX);
	struct json_out o = json_out(&w);
	size_t n = 0;
	struct rd text;

	json_array(&o, NULL);
	for (const struct json *i = now ? now->first : NULL; i; i = i->next) {
		if (json_is_string(i, l->ri))
			continue;
		json_put(&o, NULL, i);
		n++;
	}
	if (l->with)
		json_put_string(&o, NULL, l->ri);
	json_close(&o);
	if (n == 0 && !l->with)
		attributes_remove(a, "miid");
	else if (wr_done(&w, &text) && json_parse(a->arena, text, NULL, &parsed) == OK)
		attributes_set_json(a, "miid", parsed);
	wr_free(&w);
}

static enum hook_result instance_created(struct creation *cr)
{
	struct resource *profile = profile_of(cr->x, json_get(cr->given, "mjid"));
	enum err e;

	if (!profile)
		return HOOK_FAILED;
	e = cse_edit_resource(cr->x->cse, profile->id, false, edit_instances, &(struct listing){cr->made->ri, true});
	resource_unref(profile);
	if (e == OK)
		return HOOK_GO;
	resource_unref(cr->made);
	exchange_store_failed(cr->x, e);
	return HOOK_FAILED;
}

static void take_out(struct cse *c, int64_t id, const char *ri)
{
	if (cse_edit_resource(c, id, false, edit_instances, &(struct listing){ri, false}) != OK)
		c->counts.refused++; /* it went in the same round */
}

static void instance_removed(struct cse *c, struct resource *r)
{
	struct rd mjid;
	struct resource *profile = json_string(resource_get(r, "mjid"), &mjid) ? cse_find_address(c, mjid) : NULL;

	if (profile)
		cse_before_commit(c, take_out, profile->id, r->ri);
	resource_unref(profile);
}

const struct type_hooks hooks_semantic_mashup_job_profile = {.type = TY_SEMANTIC_MASHUP_JOB_PROFILE, .create = profile_create, .update = profile_update};
const struct type_hooks hooks_semantic_mashup_instance = {
	.type = TY_SEMANTIC_MASHUP_INSTANCE,
	.create = instance_create,
	.created = instance_created,
	.update = instance_update,
	.removed = instance_removed,
};
