/* What the registrar CSE remembers of a gateway that has lost its file of children: for each device that had containers here, the node that owns it. The
 * children themselves, their addresses and time-outs, their owners tell anew (CHILD-SET). */
#ifndef KEYWAY_GATEWAY_RECOVER_H
#define KEYWAY_GATEWAY_RECOVER_H

#include "gateway/relay.h"

typedef void recover_found(void *ctx, uint64_t device, const char *owner);

/* Asks until the CSE answers, and ends by itself. config's strings, http and loop live as long as the process. */
void recover_start(struct loop *l, struct http_client *http, const struct relay_config *config, recover_found *found, void *ctx);

#endif
