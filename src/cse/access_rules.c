/* One rule of a policy against a request: who, when and from where, what. TS-0003 clause 7.1.5, TS-0001 table 9.6.2.1-1. */
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"
#include "cse/access.h"
#include "cse/schedule.h"
#include "onem2m/identity.h"

static bool matches(struct rd pattern, const char *text)
{
	size_t at = 0, behind_star = 0;
	const char *again = NULL;

	while (*text) {
		if (at < pattern.left && pattern.at[at] == '*') {
			behind_star = ++at;
			again = text;
		} else if (at < pattern.left && pattern.at[at] == (uint8_t)*text) {
			at++;
			text++;
		} else if (again) {
			at = behind_star;
			text = ++again;
		} else {
			return false;
		}
	}
	while (at < pattern.left && pattern.at[at] == '*')
		at++;
	return at == pattern.left;
}

bool cse_pattern_matches(const char *pattern, const char *text)
{
	return matches(rd_str(pattern), text);
}

bool cse_id_matches(const char *pattern, const char *id)
{
	return identity_matches(pattern, id);
}

bool cse_list_matches(const char *patterns, const char *text)
{
	struct rd list = rd_str(patterns ? patterns : ""), part;

	while (list.left > 0) {
		if (!rd_until(&list, ',', &part))
			part = rd_rest(&list);
		while (part.left > 0 && part.at[0] == ' ')
			part = rd_of(part.at + 1, part.left - 1);
		if (matches(part, text))
			return true;
	}
	return false;
}

/* ---- who ---- */

static bool is_member(struct exchange *x, struct resource *group)
{
	const struct json *mid = resource_get(group, "mid");
	char id[CSE_ID_MAX];

	for (const struct json *m = mid ? mid->first : NULL; m; m = m->next)
		if (m->type == JSON_STRING && cse_sp_relative(x->cse, m->text, id, sizeof id) && strcmp(id, x->from) == 0)
			return true;
	return false;
}

/* An originator pattern, the name of a group whose members are meant, or a role. */
static bool is_meant(struct exchange *x, const struct json *o)
{
	char pattern[CSE_ID_MAX], absolute[CSE_ID_MAX];
	struct resource *r;
	bool member = false;

	if (json_is_string(o, "all") || json_is_string(o, "*"))
		return true;
	if (!json_text(o, pattern, sizeof pattern))
		return false;
	if (cse_sp_relative(x->cse, rd_str(pattern), absolute, sizeof absolute) && cse_id_matches(absolute, x->from))
		return true;
	/* a pattern such as "C*" means AEs wherever they are registered */
	if (pattern[0] != '/' && strrchr(x->from, '/') && cse_id_matches(pattern, strrchr(x->from, '/') + 1) && strchr(pattern, '*'))
		return true;
	if (access_has_role(x, o->text))
		return true;
	if (strchr(pattern, '*'))
		return false;
	r = cse_find_address(x->cse, o->text);
	if (r && r->type == TY_GROUP)
		member = is_member(x, r);
	resource_unref(r);
	return member;
}

static bool originator_matches(struct exchange *x, const struct json *acor)
{
	for (const struct json *o = acor ? acor->first : NULL; o; o = o->next)
		if (is_meant(x, o))
			return true;
	return false;
}

/* ---- when and from where ---- */

static bool in_window(struct exchange *x, const struct json *windows)
{
	if (!windows)
		return true;
	for (const struct json *w = windows->type == JSON_ARRAY ? windows->first : NULL; w; w = w->next)
		if (w->type == JSON_STRING && schedule_is_active(w->text, x->when ? x->when : cse_now(x->cse)))
			return true;
	return false;
}

static bool from_address(struct exchange *x, const struct json *acip)
{
	static const char *const families[] = {"ipv4", "ipv6"};

	if (!acip)
		return true;
	for (size_t f = 0; f < 2; f++) {
		const struct json *list = json_get(acip, families[f]);

		for (const struct json *n = list ? list->first : NULL; n; n = n->next)
			if (n->type == JSON_STRING && ip_is_within(x->rq->address, n->text))
				return true;
	}
	return false;
}

/* acco: any of the contexts. What cannot be told here (where the originator is, which user, how often, an evaluation) does not match. */
static bool context_matches(struct exchange *x, const struct json *acco)
{
	static const char *const unknown[] = {"aclr", "acui", "acec", "acl"};

	if (!acco)
		return true;
	for (size_t i = 0; acco->type != JSON_ARRAY && i < sizeof unknown / sizeof unknown[0]; i++)
		if (json_get(acco, unknown[i]))
			return false;
	if (acco->type != JSON_ARRAY)
		return in_window(x, json_get(acco, "actw")) && from_address(x, json_get(acco, "acip"));
	for (const struct json *c = acco->first; c; c = c->next)
		if (context_matches(x, c))
			return true;
	return false;
}

/* ---- what ---- */

static bool has_number(const struct json *list, int n)
{
	uint64_t v;

	for (const struct json *e = list ? list->first : NULL; e; e = e->next)
		if (json_uint(e, &v) && v == (uint64_t)n)
			return true;
	return false;
}

static bool is_specialization(const struct json *spty, struct resource *r)
{
	static const char *const names[] = {"cnd", "mgd"};

	for (size_t i = 0; i < 2; i++)
		if (json_get(spty, names[i]) && !json_equal(json_get(spty, names[i]), resource_get(r, names[i])))
			return false;
	return true;
}

/* acod: any of the object details. chty limits CREATE to these child types. */
static bool object_matches(const struct access_question *q, const struct json *acod)
{
	if (!acod)
		return true;
	for (const struct json *d = acod->type == JSON_ARRAY ? acod->first : acod; d; d = acod->type == JSON_ARRAY ? d->next : NULL) {
		const struct json *chty = json_get(d, "chty"), *ty = json_get(d, "ty");
		uint64_t n;
		bool ok = q->object ? !ty || (json_uint(ty, &n) ? n == (uint64_t)q->object->type : has_number(ty, q->object->type)) : !ty;

		ok = ok && (q->object ? is_specialization(json_get(d, "spty"), q->object) : !json_get(d, "spty"));
		if (ok && q->acop == ACOP_CREATE)
			ok = !chty || has_number(chty, q->child_type);
		if (ok)
			return true;
	}
	return false;
}

static bool is_listed(const struct json *names, struct rd name)
{
	for (const struct json *n = names->first; n; n = n->next)
		if (n->type == JSON_STRING && rd_equal(n->text, name))
			return true;
	return false;
}

/* Every attribute that there is of a resource. */
static bool all_are_listed(struct exchange *x, struct resource *r, const struct json *aca)
{
	struct wr w = wr_new(CSE_BODY_MAX * 4);
	const struct json *doc;
	struct rd text;
	bool ok;

	represent(x->cse, r, &w);
	ok = wr_done(&w, &text) && json_parse(x->arena, text, NULL, &doc) == OK;
	for (const struct json *m = ok ? doc->first->first : NULL; m && ok; m = m->next)
		ok = is_listed(aca, m->key);
	wr_free(&w);
	return ok;
}

/* aca: a rule for these attributes permits only requests that touch no others. A RETRIEVE touches those that it names, without names all of them, and so
 * does a DELETE. */
static bool attributes_match(struct exchange *x, const struct access_question *q, const struct json *aca)
{
	const struct json *doc;

	if (!aca)
		return true;
	if (q->object && x->virtual_child == VIRTUAL_NONE && (q->acop == ACOP_DELETE || (q->acop == ACOP_RETRIEVE && x->filter.attribute_list_count == 0)))
		return all_are_listed(x, q->object, aca);
	if (q->acop == ACOP_RETRIEVE) {
		for (size_t i = 0; i < x->filter.attribute_list_count; i++)
			if (!is_listed(aca, x->filter.attribute_list[i]))
				return false;
		return x->filter.attribute_list_count > 0;
	}
	if ((q->acop != ACOP_UPDATE && q->acop != ACOP_CREATE) || json_parse(x->arena, x->rq->content, NULL, &doc) != OK || doc->type != JSON_OBJECT || !doc->first)
		return false;
	for (const struct json *m = doc->first->first; m; m = m->next)
		if (!is_listed(aca, m->key))
			return false;
	return true;
}

/* The policy may be gone before the answer is put together. */
static const struct json *kept(struct exchange *x, const struct json *aca)
{
	char *text = json_arena_alloc(x->arena, aca->source.left);
	const struct json *copy;

	if (!text)
		abort();
	memcpy(text, aca->source.at, aca->source.left);
	return json_parse(x->arena, rd_of(text, aca->source.left), NULL, &copy) == OK ? copy : aca;
}

/* A rule without limits is better than one for some attributes. */
bool access_rules_permit(struct exchange *x, const struct json *privileges, const struct access_question *q)
{
	const struct json *acr = json_get(privileges, "acr"), *limited = NULL;

	for (const struct json *r = acr ? acr->first : NULL; r; r = r->next) {
		uint64_t operations;
		bool b;

		if (!json_uint(json_get(r, "acop"), &operations) || (operations & q->acop) != q->acop || !originator_matches(x, json_get(r, "acor")))
			continue;
		if (json_bool(json_get(r, "acaf"), &b) && b && !x->rq->internal && !x->rq->genuine && (!x->rq->peer || !x->rq->peer[0]))
			continue;
		if (!context_matches(x, json_get(r, "acco")) || !object_matches(q, json_get(r, "acod")) || !attributes_match(x, q, json_get(r, "aca")))
			continue;
		limited = json_get(r, "aca");
		if (!limited) {
			x->limited = NULL;
			return true;
		}
	}
	if (limited)
		x->limited = kept(x, limited);
	return limited != NULL;
}
