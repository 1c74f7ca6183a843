/* What a subscription may ask for: TS-0004 clauses 7.4.8.2.1 and 7.4.8.2.3. */
#ifndef KEYWAY_CSE_TYPES_SUBSCRIPTION_CHECK_H
#define KEYWAY_CSE_TYPES_SUBSCRIPTION_CHECK_H

#include "cse/private.h"

/* The attributes as they will be stored. `own`: its id, 0 when it is new. On false the refusal was answered. */
bool subscription_check(struct exchange *x, struct resource *parent, const struct attributes *a, int64_t own);
bool subscription_check_update(struct exchange *x, const struct json *enc); /* what an UPDATE may not ask for though a CREATE may */
/* The subscription below r that wants to be asked before an update; a new reference, or NULL. `given` NULL: whatever is updated. */
struct resource *subscription_blocking(struct cse *c, struct resource *r, const struct json *given, int64_t but);

#endif
