/* delivery: kept for the CSE that made it; handling of its aggregated requests by CMDH policies is not offered. TS-0004 clause 7.4.11,
 * TS-0001 clause 10.2.13. */
#include <string.h>

#include "cse/types/types.h"

static enum hook_result no_requests(struct exchange *x, const struct json *given)
{
	if (!json_get(given, "arq"))
		return HOOK_GO;
	exchange_fail(x, RSC_NOT_IMPLEMENTED, "`arq`: aggregated requests are not delivered here");
	return HOOK_FAILED;
}

static enum hook_result delivery_create(struct creation *cr)
{
	struct exchange *x = cr->x;

	if (!x->privileged && (x->from[0] != '/' || strchr(x->from + 1, '/'))) {
		exchange_fail(x, RSC_OPERATION_NOT_ALLOWED, "`%s` is no CSE, which alone makes a delivery", x->from);
		return HOOK_FAILED;
	}
	return no_requests(x, cr->given);
}

static enum hook_result delivery_update(struct updating *u)
{
	return no_requests(u->x, u->given);
}

const struct type_hooks hooks_delivery = {.type = TY_DELIVERY, .create = delivery_create, .update = delivery_update};
