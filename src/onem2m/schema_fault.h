/* What the checks of resource content (schema_check.c) say is wrong: "`acr[0].acor`: must be a list, not a string". For them alone. */
#ifndef KEYWAY_ONEM2M_SCHEMA_FAULT_H
#define KEYWAY_ONEM2M_SCHEMA_FAULT_H

#include "onem2m/schema.h"

/* Where a value lies, from the inside out: a name, or an index when name is NULL. Built on the stack, read only when something is wrong. */
struct schema_place {
	const struct schema_place *up;
	struct rd name;
	size_t index;
};

/* All of them set fault, with RSC_BAD_REQUEST; what a peer wrote is shortened and has no control characters. Always false. */
bool schema_fault_put(struct schema_fault *fault, const struct schema_place *p, const char *format, ...) PRINTF_LIKE(3, 4);
/* "must be ", what the type permits; and what v is, unless its JSON type fits. */
bool schema_fault_wrong(struct schema_fault *fault, const struct schema_place *p, const struct schema_datatype *t, const struct json *v, bool type_fits);
const char *schema_fault_found(const struct json *v); /* "a list" */

#endif
