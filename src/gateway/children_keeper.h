/* When the children are stored: once for all that changes in a round of the loop, and at once before something that depends on it.
 *
 *	children_changed(k);   as often as it likes
 *	children_flush(k);     before a frame goes out by which a device takes itself for our child
 *
 * What is stored is always everything, so that no change is on disk without those before it. */
#ifndef KEYWAY_GATEWAY_CHILDREN_KEEPER_H
#define KEYWAY_GATEWAY_CHILDREN_KEEPER_H

#include "gateway/coordinator.h"
#include "loop/loop.h"

struct children_keeper;

/* gather: brings the children up to date, right before they are stored. All is borrowed but the path. */
struct children_keeper *children_keeper_new(struct loop *l, const char *path, struct coordinator *c, uint32_t epoch, void (*gather)(void *ctx), void *ctx);
void children_keeper_free(struct children_keeper *k); /* accepts NULL; what has changed is stored */
void children_changed(struct children_keeper *k);
void children_flush(struct children_keeper *k); /* nothing when nothing has changed. A failure is logged, and tried again at the next change */
uint64_t children_saves(const struct children_keeper *k); /* so far */

#endif
