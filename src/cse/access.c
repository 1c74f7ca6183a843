/* Access control: TS-0003 clause 7.1.5. Default deny. */
#include <stdio.h>
#include <string.h>

#include "cse/private.h"

#define INHERIT_DEPTH 32

/* '*' stands for any characters but '/'. */
static bool pattern_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *swallowed = NULL; /* the last star of this segment, and the end of what it stands for */

	while (*text || *pattern) {
		if (*pattern == '*') {
			star = pattern++;
			swallowed = text;
		} else if (*text && *pattern == *text) {
			if (*text == '/')
				star = NULL; /* an earlier segment is settled: a star cannot reach beyond it */
			pattern++;
			text++;
		} else if (star && *swallowed && *swallowed != '/') {
			pattern = star + 1;
			text = ++swallowed;
		} else {
			return false;
		}
	}
	return true;
}

static bool originator_matches(struct exchange *x, const struct json *acor)
{
	char pattern[CSE_ID_MAX], absolute[CSE_ID_MAX];

	for (const struct json *o = acor ? acor->first : NULL; o; o = o->next) {
		if (json_is_string(o, "all") || json_is_string(o, "*"))
			return true;
		if (json_text(o, pattern, sizeof pattern) && cse_sp_relative(x->cse, rd_str(pattern), absolute, sizeof absolute) && pattern_matches(absolute, x->from))
			return true;
	}
	return false;
}

static bool rules_permit(struct exchange *x, const struct json *privileges, unsigned acop)
{
	const struct json *acr = json_get(privileges, "acr");

	for (const struct json *r = acr ? acr->first : NULL; r; r = r->next) {
		uint64_t operations;

		/* Rules with conditions that are not understood yet never match: indeterminate is deny. */
		if (json_get(r, "acco") || json_get(r, "acod") || json_get(r, "acaf"))
			continue;
		if (json_uint(json_get(r, "acop"), &operations) && (operations & acop) == acop && originator_matches(x, json_get(r, "acor")))
			return true;
	}
	return false;
}

static bool policy_permits(struct exchange *x, const struct store_row *policy, const char *member, unsigned acop)
{
	const struct json *body;

	return policy->type == ONEM2M_ACP && json_parse(x->arena, policy->body, NULL, &body) == OK && rules_permit(x, json_get(body, member), acop);
}

static bool policies_permit(struct exchange *x, const struct json *acpi, unsigned acop)
{
	for (const struct json *id = acpi->first; id; id = id->next) {
		struct store_row policy;
		char other[CSE_ID_MAX];
		bool latest, oldest, ok = false;
		struct rd rest;

		if (id->type != JSON_STRING || !cse_is_local(x->cse, id->text, &rest, other, sizeof other) || cse_find(x->cse, rest, &policy, &latest, &oldest) != OK)
			continue;
		/* the policy's octets must live as long as what is parsed from them */
		ok = policy_permits(x, &policy, "pv", acop);
		store_row_clear(&policy);
		if (ok)
			return true;
	}
	return false;
}

static bool decide(struct exchange *x, const struct store_row *row, unsigned acop, unsigned depth)
{
	const struct onem2m_type_rules *rules = onem2m_rules(row->type);
	const struct json *body, *acpi;
	struct store_row parent;
	bool ok;

	if (row->type == ONEM2M_ACP)
		return policy_permits(x, row, "pvs", acop);
	if (!rules || depth == 0)
		return false;
	if (rules->own_acpi) {
		if (json_parse(x->arena, row->body, NULL, &body) == OK && (acpi = json_get(body, "acpi")) != NULL && acpi->first)
			return policies_permit(x, acpi, acop);
		return strcmp(row->creator, x->from) == 0;
	}
	if (store_by_id(x->cse->store, row->parent, &parent) != OK)
		return false;
	ok = decide(x, &parent, acop, depth - 1);
	store_row_clear(&parent);
	return ok;
}

bool cse_permits(struct exchange *x, const struct store_row *row, unsigned acop)
{
	return x->privileged || decide(x, row, acop, INHERIT_DEPTH);
}
