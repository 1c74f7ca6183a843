/* What open CSEs do where the standard has it otherwise or not at all, and their suites expect: docs/cse.md. Of cse_config.customs. */
#ifndef KEYWAY_CSE_CUSTOMS_H
#define KEYWAY_CSE_CUSTOMS_H

#include "cse/private.h"

/* The content of a CREATE or UPDATE, in the standard's form: from x->arena, or `doc` itself. NULL: refused, the answer is there. */
const struct json *customs_content(struct exchange *x, const struct json *doc);

#endif
