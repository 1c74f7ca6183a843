/* notificationTargetPolicy: how a subscription answers a target that wants to leave. TS-0001 clauses 9.6.31 to 9.6.34. */
#ifndef KEYWAY_CSE_TYPES_TARGET_POLICY_H
#define KEYWAY_CSE_TYPES_TARGET_POLICY_H

#include "cse/private.h"

enum target_action { TARGET_ACCEPT = 1, TARGET_REJECT = 2, TARGET_SEEK = 3, TARGET_INFORM = 4 };

/* The policy for this target (an SP-relative ID) of the subscription: of the notificationTargetMgmtPolicyRef that names it, otherwise the default
 * one of the subscription's creator, otherwise the CSE's; and whether its deletion rules permit leaving now. */
enum target_action target_policy(struct cse *c, struct resource *sub, const char *target);
/* A notificationTargetMgmtPolicyRef with these targets below sub; `but`: not this one. False when another names one of them. */
bool target_references_are_unique(struct cse *c, struct resource *sub, const struct json *ntu, int64_t but);

#endif
