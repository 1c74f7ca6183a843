/* What the files about non-blocking requests share. */
#ifndef KEYWAY_CSE_TYPES_REQUEST_H
#define KEYWAY_CSE_TYPES_REQUEST_H

#include "cse/private.h"

enum request_status { COMPLETED = 1, FAILED = 2, PENDING = 3, FORWARDED = 4 }; /* TS-0004 table 6.3.4.2.22-1 */

/* request_resource.c: a new reference, or NULL when the store failed */
struct resource *request_make_resource(struct exchange *x, bool asynchronous, enum request_status status);
void request_start(struct cse *c, struct resource *r); /* hook */

#endif
