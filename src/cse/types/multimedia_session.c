/* multimediaSession: what two AEs tell each other to set up a session by another protocol. TS-0001 clauses 9.6.57 and 10.2.19, TS-0004 clause
 * 7.4.56. The session itself is theirs; subscribers hear of its offers, its answers and its state as of any change. */
#include "cse/types/types.h"

#define OFFLINE 1
#define ONLINE 2

static enum hook_result session_create(struct creation *cr)
{
	const struct json *scp = resource_get(cr->x->target, "scp");

	if (!scp || !scp->first) {
		exchange_fail(cr->x, RSC_TARGET_HAS_NO_SESSION_CAPABILITY, "the AE has no session capabilities (`scp`)");
		return HOOK_FAILED;
	}
	attributes_set_uint(&cr->attributes, "sst", OFFLINE);
	return HOOK_GO;
}

/* What was agreed on cannot be changed while the session is on. */
static enum hook_result session_update(struct updating *u)
{
	bool describes = json_get(u->given, "osd") || json_get(u->given, "asd");
	uint64_t state;

	if (!describes || resource_uint(u->old, "sst", OFFLINE) != ONLINE)
		return HOOK_GO;
	if (json_uint(json_get(u->given, "sst"), &state) && state == OFFLINE)
		return HOOK_GO;
	exchange_fail(u->x, RSC_SESSION_IS_ONLINE, "the session is online: `osd` and `asd` stay until `sst` is %d", OFFLINE);
	return HOOK_FAILED;
}

const struct type_hooks hooks_multimedia_session = {.type = TY_MULTIMEDIA_SESSION, .create = session_create, .update = session_update};
