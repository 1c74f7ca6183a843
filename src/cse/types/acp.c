/* accessControlPolicy: TS-0004 clause 7.4.2. The table checks its form; here, that it can be changed again. */
#include "cse/types/types.h"

static bool has_rules(const struct json *privileges)
{
	const struct json *acr = json_get(privileges, "acr");

	return acr && acr->first;
}

static enum hook_result acp_create(struct creation *cr)
{
	if (has_rules(json_get(cr->given, "pvs")))
		return HOOK_GO;
	exchange_fail(cr->x, RSC_BAD_REQUEST, "`pvs`: without a rule nobody could ever change this policy");
	return HOOK_FAILED;
}

static enum hook_result acp_update(struct updating *u)
{
	if (!json_get(u->given, "pvs") || has_rules(json_get(u->given, "pvs")))
		return HOOK_GO;
	exchange_fail(u->x, RSC_BAD_REQUEST, "`pvs`: without a rule nobody could ever change this policy");
	return HOOK_FAILED;
}

const struct type_hooks hooks_acp = {.type = TY_ACP, .create = acp_create, .update = acp_update};
