/* Places that type files fill: each function here goes when its file comes. */
#include "cse/types/types.h"


void semantic_fan_out(struct exchange *x)
{
	exchange_fail(x, RSC_NOT_IMPLEMENTED, "semantic fan-out is not implemented yet");
}

void semantic_retrieve(struct exchange *x)
{
	exchange_fail(x, RSC_NOT_IMPLEMENTED, "semantic content is not implemented yet");
}

bool filter_semantics_match(const struct filter *f, struct cse *c, struct resource *r)
{
	(void)f;
	(void)c;
	(void)r;
	return false;
}

bool access_dynamic(struct exchange *x, struct resource *r, unsigned acop)
{
	(void)x;
	(void)r;
	(void)acop;
	return false;
}

bool access_role_is_assigned(struct exchange *x, struct rd role)
{
	(void)x;
	(void)role;
	return false;
}
