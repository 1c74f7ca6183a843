/* m2m:evalCriteria: an attribute, an operator, a threshold. TS-0001 clause 9.6.61, TS-0004 clause 6.3.5. */
#ifndef KEYWAY_CSE_TYPES_CONDITION_H
#define KEYWAY_CSE_TYPES_CONDITION_H

#include "cse/private.h"

/* That the subject's type has the attribute, and that the threshold is of its kind; false after a failure was answered. `what` names the
 * criteria's place, `rsc` the failure's code. */
bool condition_check(struct exchange *x, const struct json *evc, struct resource *subject, const char *what, enum onem2m_rsc rsc);
bool condition_holds(const struct json *evc, struct resource *subject);

#endif
