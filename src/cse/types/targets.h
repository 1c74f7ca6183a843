/* Notification targets of subscriptions and crossResourceSubscriptions: who they are, and whether they take notifications. */
#ifndef KEYWAY_CSE_TYPES_TARGETS_H
#define KEYWAY_CSE_TYPES_TARGETS_H

#include "cse/private.h"

/* Verification: TS-0004 clause 7.4.8.2.1. Sends NOTIFY with verificationRequest to each target in the list nu that is neither in `before` (may be
 * NULL) nor the originator itself. False: there is nobody to ask. Otherwise `done` comes later, once; refused NULL: all agreed,
 * otherwise the first target that did not. */
typedef void targets_done(void *ctx, const char *refused);
bool targets_verify(struct exchange *x, const char *ri, const struct json *nu, const struct json *before, targets_done *done, void *ctx);
/* Whether a target in nu is the entity with this SP-relative ID: by AE-ID, CSE-ID, or any address of the AE resource. A URL is nobody. */
bool target_is(struct cse *c, const struct json *target, const char *id);
bool target_is_url(struct rd nu);

/* What both types do with their children (notificationSchedule, notificationTargetMgmtPolicyRef), their statistics and their end. */
enum hook_result targets_child_create(struct creation *cr);
enum hook_result targets_child_created(struct creation *cr);
void targets_statistics_update(struct updating *u);   /* nse was given: counting begins anew, or ends */
void targets_represent(struct cse *c, struct resource *r, struct json_out *o);
void targets_removed(struct cse *c, struct resource *r); /* what waits is sent, then su hears of the end */

#endif
