/* A node's socket to the simulated air. */
#ifndef KEYWAY_SIM_AIR_CLIENT_H
#define KEYWAY_SIM_AIR_CLIENT_H

#include "loop/loop.h"
#include "base/rd.h"

struct air_client;
typedef void air_fn(void *ctx, struct rd psdu, uint8_t channel, uint8_t lqi);

/* Registers with the dispatcher at `air` ("127.0.0.1:17754") and again every few seconds, so that it may restart. */
enum err air_client_new(struct loop *l, const char *air, uint8_t channel, air_fn *fn, void *ctx, struct air_client **out) MUST_CHECK;
void air_client_channel(struct air_client *a, uint8_t channel);
void air_client_send(struct air_client *a, struct rd psdu);
void air_client_free(struct air_client *a);

#endif
