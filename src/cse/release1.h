/* Requests of Release 1: those without a release version indicator, where the configuration takes them (cse_config.release_1). */
#ifndef KEYWAY_CSE_RELEASE1_H
#define KEYWAY_CSE_RELEASE1_H

#include "cse/private.h"

bool release1_is(const struct exchange *x);
void release1_address(struct exchange *x); /* x->rq may be another one afterwards */
/* The content of a CREATE or UPDATE, one object below its root, in today's form: from x->arena, or `doc` itself. */
const struct json *release1_content(struct exchange *x, const struct json *doc);

#endif
