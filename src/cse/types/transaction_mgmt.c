/* transactionMgmt: a list of requests that are carried out all or not at all. TS-0001 clause 9.6.47, TS-0004 clause 7.4.60. */
#include "cse/types/transaction_mgmt.h"

#include <stdio.h>

#include "cse/types/types.h"

#define REQUESTS_MOST 64

enum mode { CSE_CONTROLLED = 1, CREATOR_CONTROLLED = 2 };

static bool check(struct creation *cr, const struct json *requests)
{
	char why[128];

	if (!requests->first || requests->count > REQUESTS_MOST) {
		exchange_fail(cr->x, RSC_BAD_REQUEST, "`rqps`: must have 1 to %d requests", REQUESTS_MOST);
		return false;
	}
	for (const struct json *r = requests->first; r; r = r->next) {
		if (!transaction_may_contain(r, why, sizeof why)) {
			exchange_fail(cr->x, RSC_BAD_REQUEST, "`rqps`: %s cannot be part of a transaction", why);
			return false;
		}
		if (!transaction_originator_is_good(cr->x, r)) {
			exchange_fail(cr->x, RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "`rqps`: a request cannot be from somebody else");
			return false;
		}
	}
	return true;
}

static enum hook_result management_create(struct creation *cr)
{
	if (!check(cr, json_get(cr->given, "rqps")))
		return HOOK_FAILED;
	if (!json_get(cr->given, "tmd"))
		attributes_set_uint(&cr->attributes, "tmd", CSE_CONTROLLED);
	if (!json_get(cr->given, "tmh"))
		attributes_set_uint(&cr->attributes, "tmh", 1);
	attributes_set_uint(&cr->attributes, "tctl", CONTROL_INITIAL);
	attributes_set_uint(&cr->attributes, "trst", TRANSACTION_INITIAL);
	attributes_set_raw(&cr->attributes, "rsps", rd_str("[]"));
	return HOOK_GO;
}

static uint64_t time_of(const struct json *v)
{
	struct rd text;
	uint64_t at;

	return json_string(v, &text) && timestamp_parse(text, &at) ? at : 0;
}

static enum hook_result management_created(struct creation *cr)
{
	if (resource_uint(cr->made, "tmd", CSE_CONTROLLED) == CSE_CONTROLLED)
		management_begin(cr->x->cse, cr->made->id, time_of(resource_get(cr->made, "tltm")));
	return HOOK_GO;
}

/* ---- control: the creator's, step by step; or an abort ---- */

static bool is_legal(struct updating *u, enum transaction_state state, uint64_t control)
{
	bool by_creator = resource_uint(u->old, "tmd", CSE_CONTROLLED) == CREATOR_CONTROLLED;

	if (control == CONTROL_ABORT)
		return state <= TRANSACTION_EXECUTED;
	if (!by_creator || management_is_busy(u->x->cse, u->old->id))
		return false;
	return (state == TRANSACTION_INITIAL && control == CONTROL_LOCK) || (state == TRANSACTION_LOCKED && control == CONTROL_EXECUTE) ||
	    (state == TRANSACTION_EXECUTED && control == CONTROL_COMMIT);
}

static enum hook_result management_update(struct updating *u)
{
	enum transaction_state state = (enum transaction_state)resource_uint(u->old, "trst", TRANSACTION_INITIAL);
	uint64_t control;

	if (!json_uint(json_get(u->given, "tctl"), &control) || is_legal(u, state, control))
		return HOOK_GO;
	exchange_fail(u->x, RSC_ILLEGAL_TRANSACTION_STATE_TRANSITION_ATTEMPTED, "`tctl`: %llu is not possible in state %d", (unsigned long long)control, (int)state);
	return HOOK_FAILED;
}

static enum hook_result management_updated(struct updating *u)
{
	uint64_t control;

	if (json_uint(json_get(u->given, "tctl"), &control))
		management_control(u->x->cse, u->made->id, (enum transaction_control)control);
	return HOOK_GO;
}

static void management_start(struct cse *c, struct resource *r)
{
	enum transaction_state state = (enum transaction_state)resource_uint(r, "trst", TRANSACTION_INITIAL);

	if (state == TRANSACTION_INITIAL && resource_uint(r, "tmd", CSE_CONTROLLED) == CSE_CONTROLLED)
		management_begin(c, r->id, time_of(resource_get(r, "tltm")));
	else
		management_recover(c, r->id, state);
}

const struct type_hooks hooks_transaction_mgmt = {
	.type = TY_TRANSACTION_MGMT,
	.create = management_create,
	.created = management_created,
	.update = management_update,
	.updated = management_updated,
	.remove = transaction_remove,
	.removed = management_gone,
	.start = management_start,
};
