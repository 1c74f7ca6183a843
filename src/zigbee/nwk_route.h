/* What nwk_command.c and nwk_route.c share: the commands of routing, which are long enough for a file of their own. */
#ifndef KEYWAY_ZIGBEE_NWK_ROUTE_H
#define KEYWAY_ZIGBEE_NWK_ROUTE_H

#include "zigbee/nwk_frame.h"

bool nwk_route_request_read(struct rd *in, struct nwk_command *c) MUST_CHECK;
bool nwk_route_reply_read(struct rd *in, struct nwk_command *c) MUST_CHECK;
bool nwk_route_record_read(struct rd *in, struct nwk_command *c) MUST_CHECK;
void nwk_route_request_write(const struct nwk_command *c, struct wr *w);
void nwk_route_reply_write(const struct nwk_command *c, struct wr *w);
void nwk_route_record_write(const struct nwk_command *c, struct wr *w);

#endif
