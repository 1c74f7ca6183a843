/* What the files about a device's life share. */
#ifndef KEYWAY_MEF_LIFE_PRIVATE_H
#define KEYWAY_MEF_LIFE_PRIVATE_H

#include "mef/mef.h"

/* life.c */
void life_state(struct mef *m, struct mef_device *d, enum device_state state, const char *event, const char *reason); /* stored */
bool life_must_verify(const struct mef *m, const struct mef_device *d);

/* generation.c */
const struct mef_generation *generation_verified(const struct mef_device *d); /* the one in use, when the device has its unique link key; NULL */
void generation_drop(struct mef *m, const struct mef_device *d, struct mef_generation *g); /* accepts NULL */
enum err generation_ready(struct mef *m, struct mef_device *d, uint64_t coordinator, bool rejoin) MUST_CHECK; /* d->present is one for the next try to join */
enum err generation_behind(struct mef *m, struct mef_device *d, const struct mef_device *router, uint64_t coordinator, bool rejoin) MUST_CHECK; /* the same, through a router; ERR_NOT_READY: that gets the key first */

/* rotation.c: the Transport-Key with the present network key, under the link key that this Trust Centre's device uses */
enum err life_transport_key(struct mef *m, struct mef_device *d, const struct trust_centre *tc, const char *why, uint8_t aps_counter, struct wr *w) MUST_CHECK;

/* behind.c */
enum err behind_ready(struct mef *m, struct mef_device *d, uint64_t coordinator, bool rejoin) MUST_CHECK; /* generation_ready, or through its router */
enum err behind_offer(struct mef *m, const struct mef_device *d) MUST_CHECK;                              /* node B comes for the Transport-Key */
void behind_again(struct mef *m, struct mef_device *d, struct mef_gateway *g);                                /* the same without another key */
/* The Transport-Key for a device behind a router; false: it is not what waits. */
bool behind_frame(struct mef *m, struct mef_device *d, const struct mef_generation *g, uint8_t aps_counter, struct mef_aps_answer *a, enum err *e) MUST_CHECK;
/* What a router says of who came to it. False: who came is to be sent away. */
bool behind_update(struct mef *m, struct mef_device *router, const struct trust_update *u, struct mef_aps_answer *a) MUST_CHECK;

/* life_event.c: a genuine frame under this key, or B says so */
void life_used(struct mef *m, struct mef_device *d, struct mef_generation *g, const char *event);

#endif
