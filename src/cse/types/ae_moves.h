/* What the files about AEs that register at another CSE share. */
#ifndef KEYWAY_CSE_TYPES_AE_MOVES_H
#define KEYWAY_CSE_TYPES_AE_MOVES_H

#include "cse/private.h"

#define AE_ACTIVE 1 /* m2m:AERegistrationStatus */
#define AE_INACTIVE 2

void ae_set_inactive(void *ctx, struct attributes *a); /* a cse_edit */
/* Puts `after` in the place of `before` ("/id-mn/Sx") wherever a resource here names it; if it was registered here, it is INACTIVE then. Answers x. */
void ae_references_replace(struct exchange *x, const char *before, const char *after);

#endif
