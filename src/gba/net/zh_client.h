/* The BSF's end of Zh: asks keyway-hss on its UNIX socket. Connects when there is something to ask, and again after the HSS was away. */
#ifndef KEYWAY_GBA_NET_ZH_CLIENT_H
#define KEYWAY_GBA_NET_ZH_CLIENT_H

#include "gba/zh.h"
#include "loop/loop.h"

#define ZH_WAITING_MAX 1024
#define ZH_TIMEOUT_MS 5000

struct zh_client;
/* e as zh_answer_parse says, or ERR_UNREACHABLE (also: too many wait), ERR_TIMEOUT. v is the callee's when OK. */
typedef void zh_done(void *ctx, enum err e, struct aka_vector *v, const struct guss *g);

struct zh_client *zh_client_new(struct loop *l, const char *path); /* ends the process without memory */
void zh_client_free(struct zh_client *c);                          /* accepts NULL; no callbacks */
/* done is called from the loop, later. */
void zh_client_ask(struct zh_client *c, const struct bsf_ask *ask, zh_done *done, void *ctx);

#endif
