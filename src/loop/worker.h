/* One other thread, for what would hold the loop up: a commit. */
#ifndef KEYWAY_LOOP_WORKER_H
#define KEYWAY_LOOP_WORKER_H

#include "loop/loop.h"

struct worker;
struct worker *worker_new(struct loop *l); /* ends the process when the system denies a thread */
/* work(ctx) on the other thread, then done(ctx) from the loop. One at a time: not before the last done was called. */
void worker_run(struct worker *w, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx);
void worker_wait(struct worker *w);   /* until the work under way, if any, has returned; its done comes from the loop all the same */
bool worker_finished(const struct worker *w); /* the work under way has returned, and its done was not called yet: cheap, and may be late by a moment */
void worker_finish(struct worker *w); /* waits for the work under way, if any, and calls its done */
void worker_free(struct worker *w);   /* after worker_finish */

#endif
