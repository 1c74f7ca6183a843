/* What container, timeSeries and flexContainer share: counters of instances and the limits mni, mbs, mia. TS-0001 clause 9.6.6. */
#ifndef KEYWAY_CSE_TYPES_INSTANCES_H
#define KEYWAY_CSE_TYPES_INSTANCES_H

#include "cse/private.h"

/* In created hooks: false after a failure was answered. */
bool instances_add(struct creation *cr, uint64_t octets);
bool instances_trim(struct exchange *x, struct resource *parent); /* after a limit changed */
void instances_subtract(struct cse *c, struct resource *parent, struct resource *instance);
void instances_age(struct creation *cr); /* mia: the instance expires by then */

#endif
