/* flexContainer: TS-0004 clause 7.4.37; its attributes beside the common ones are its specialisation's. */
#include "cse/types/types.h"

/* Size of the custom attributes' values, as TS-0001 table 9.6.35-1 asks for contentSize. */
static uint64_t content_size(const struct schema_type *t, const struct attributes *a)
{
	uint64_t n = 0;

	for (size_t i = 0; i < a->count; i++)
		if (!a->items[i].removed && !schema_attribute(t, a->items[i].name))
			n += a->items[i].raw.left;
	return n;
}

static enum hook_result flex_create(struct creation *cr)
{
	attributes_set_uint(&cr->attributes, "st", 0);
	attributes_set_uint(&cr->attributes, "cs", content_size(cr->type, &cr->attributes));
	return HOOK_GO;
}

static enum hook_result flex_update(struct updating *u)
{
	attributes_set_uint(&u->attributes, "cs", content_size(u->old->schema, &u->attributes));
	return HOOK_GO;
}

const struct type_hooks hooks_flex_container = {.type = TY_FLEX_CONTAINER, .create = flex_create, .update = flex_update};
