/* A UE on the network: bootstraps over Ub. */
#ifndef KEYWAY_GBA_NET_UE_CLIENT_H
#define KEYWAY_GBA_NET_UE_CLIENT_H

#include "gba/ue.h"
#include "loop/http.h"

struct ue_client;
/* detail: a sentence for a person; "" when OK. The client is gone afterwards, ue has the result. ERR_BAD_MIC: network and card do not know each other. */
typedef void ue_client_done(void *ctx, enum err e, const char *detail);
/* Saves the card before what it computed leaves; not OK: nothing leaves. */
typedef enum err ue_client_save(void *ctx, const struct usim *u);

/* url: "https://mef.keyway.example:9449"; the server's certificate must say ue->bsf. http and ue are borrowed until done. */
struct ue_client *ue_client_new(struct http_client *http, struct ue *ue, struct rng *rng, const char *url, ue_client_save *save, ue_client_done *done,
    void *ctx);                           /* NULL without memory */
void ue_client_free(struct ue_client *c); /* before done: gives up, no callback. Accepts NULL */

#endif
