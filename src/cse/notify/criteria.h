/* eventNotificationCriteria: TS-0001 tables 9.6.8-3 and 9.6.8-4, TS-0004 clause 7.4.8. */
#ifndef KEYWAY_CSE_NOTIFY_CRITERIA_H
#define KEYWAY_CSE_NOTIFY_CRITERIA_H

#include "cse/private.h"

/* Whether a subscription with these criteria (NULL: none) wants this event. *monitor, when not NULL, gets the entry of enc.om that asked for it. */
bool criteria_match(struct cse *c, const struct json *enc, const struct event *e, const struct json **monitor);
/* Whether the list of numbers has n. */
bool criteria_has(const struct json *list, uint64_t n);
/* A blocking update's: whether these attributes of a request touch enc.atr. */
bool criteria_touches(const struct json *enc, const struct json *given);
/* notificationContentType: the default for these events, and whether it goes with them. */
unsigned criteria_content_default(const struct json *enc);
bool criteria_content_fits(const struct json *enc, uint64_t nct, unsigned *net);

#endif
