/* Contents of notifications: m2m:sgn. TS-0004 clause 7.5.1.1. */
#ifndef KEYWAY_CSE_NOTIFY_COMPOSE_H
#define KEYWAY_CSE_NOTIFY_COMPOSE_H

#include "cse/private.h"

/* An event's; `foreign`: the target knows no CSE-relative IDs of here. False when it is too large. */
bool compose_event(struct cse *c, const struct event *e, struct resource *sub, const struct json *monitor, bool foreign, struct wr *w);
/* {"m2m:sgn": {"sur", "cr" when the subscription names its creator, ...}}: opened, for the caller to go on and close twice. */
void compose_begin(struct cse *c, struct resource *sub, bool foreign, struct json_out *o);
/* The creator as who is told knows it: "Cx", or "/id-in/Cx". */
const char *compose_id(struct cse *c, const char *sp_relative, bool foreign);
/* Whether a target is reached by way of another CSE. */
bool compose_is_foreign(struct cse *c, const char *target);

#endif
