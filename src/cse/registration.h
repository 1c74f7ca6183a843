/* What other files tell the registration with the registrar CSE. */
#ifndef KEYWAY_CSE_REGISTRATION_H
#define KEYWAY_CSE_REGISTRATION_H

#include "cse/private.h"

/* CSEs below this one came, went, or (not `surely`) may have. */
void registration_descendants_changed(struct cse *c, bool surely);
/* Nobody answers at the registrar: it is asked at once whether it still is. */
void registration_is_doubted(struct cse *c);

#endif
