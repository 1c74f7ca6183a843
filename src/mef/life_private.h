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

/* life_event.c: a genuine frame under this key, or B says so */
void life_used(struct mef *m, struct mef_device *d, struct mef_generation *g, const char *event);

#endif
