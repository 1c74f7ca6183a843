/* Queues of notifications that wait for their target. */
#ifndef KEYWAY_CSE_NOTIFY_OUTBOX_H
#define KEYWAY_CSE_NOTIFY_OUTBOX_H

#include "cse/private.h"

/* content is copied. `retry`: kept and tried again while the target cannot be reached. done may be NULL. */
void outbox_post(struct cse *c, const char *sender, const char *target, struct rd content, bool retry, cse_done *done, void *ctx);
size_t outbox_waiting(struct cse *c, const char *sender, const char *target);
void outbox_drop(struct cse *c, const char *sender); /* a subscription that is gone */

#endif
