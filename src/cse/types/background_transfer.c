/* backgroundDataTransfer: when much may be sent cheaply. TS-0001 clauses 9.6.60 and 10.2.20. The window that the network grants is negotiated
 * with the configuration (background_window) instead of with a network: what is asked for and offered at once, or what is offered. */
#include "cse/schedule.h"
#include "cse/types/types.h"

static void negotiate(struct cse *c, struct attributes *a)
{
	const char *offered = c->config.background_window;
	char granted[SCHEDULE_TEXT_MAX];
	struct rd desired;

	if (!offered || !json_string(attributes_value(a, "dtw"), &desired))
		return;
	if (!schedule_both(desired, rd_str(offered), granted, sizeof granted))
		attributes_set_string(a, "dtw", offered);
	else if (!rd_is(desired, granted))
		attributes_set_string(a, "dtw", granted);
}

static enum hook_result transfer_create(struct creation *cr)
{
	if (cr->x->cse->config.type != CSE_IN) {
		exchange_fail(cr->x, RSC_OPERATION_NOT_ALLOWED, "only an IN-CSE negotiates transfers with underlying networks");
		return HOOK_FAILED;
	}
	if (!attributes_value(&cr->attributes, "tsg"))
		attributes_set_raw(&cr->attributes, "tsg", rd_str("[1]")); /* lowest cost */
	negotiate(cr->x->cse, &cr->attributes);
	return HOOK_GO;
}

static enum hook_result transfer_update(struct updating *u)
{
	if (json_get(u->given, "dtw"))
		negotiate(u->x->cse, &u->attributes);
	return HOOK_GO;
}

const struct type_hooks hooks_background_transfer = {.type = TY_BACKGROUND_DATA_TRANSFER, .create = transfer_create, .update = transfer_update};
