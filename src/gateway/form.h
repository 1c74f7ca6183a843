/* Forming the network: scans, chooses a channel, and remembers it, so that children find their coordinator where it was after every restart. */
#ifndef KEYWAY_GATEWAY_FORM_H
#define KEYWAY_GATEWAY_FORM_H

#include "gateway/gateway.h"

typedef void form_done(void *ctx, uint8_t channel);

/* The channel of STATE/channel, at once, or else of a scan of `channels` (a bit each), as soon as there is a radio; then it is in that file. ERR_CONFIG:
 * the radio's address cannot be, or the file has no channel; ERR_IO; ERR_NO_MEMORY. c outlives it. */
enum err gateway_form(struct loop *l, const struct gateway_config *c, uint32_t channels, form_done *done, void *ctx) MUST_CHECK;

#endif
