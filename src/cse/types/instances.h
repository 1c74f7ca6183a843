/* What container, timeSeries and flexContainer share: counters of instances and the limits mni, mbs, mia. TS-0001 clause 9.6.6. */
#ifndef KEYWAY_CSE_TYPES_INSTANCES_H
#define KEYWAY_CSE_TYPES_INSTANCES_H

#include "cse/private.h"

uint64_t instances_content_size(const struct json *con); /* contentSize: a string's octets, of anything else those of its text */
/* In created hooks: false after a failure was answered. */
bool instances_add(struct creation *cr, uint64_t octets);
bool instances_trim(struct exchange *x, struct resource *parent); /* after a limit changed; what is very much goes on later */
bool instances_clear(struct exchange *x, struct resource *parent); /* none of those that are there stays; the same */
enum err instances_trim_on(struct cse *c, struct resource *parent, int64_t until, bool *more) MUST_CHECK; /* a portion of that */
void instances_subtract(struct cse *c, struct resource *parent, struct resource *instance);
void instances_age(struct creation *cr); /* mia: the instance expires by then */

#endif
