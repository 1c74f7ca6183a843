/* The shell of every server: one thread, one epoll, timers, signals. Callbacks run from loop_run and may free what they
 * belong to. */
#ifndef KEYWAY_LOOP_LOOP_H
#define KEYWAY_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct loop_io;
struct loop_timer;

struct loop *loop_new(void); /* ends the process when the system denies an epoll */
struct loop *loop_new_within(void); /* in a program of others: it leaves signals alone */
void loop_free(struct loop *l);
/* Runs until loop_stop. SIGINT and SIGTERM stop it too; SIGPIPE and SIGXFSZ are ignored. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
bool loop_stopped(const struct loop *l); /* for whoever calls loop_once until something is there */
void loop_once(struct loop *l, int timeout_ms); /* one round; for tests, for clients, and for goodbyes after loop_stop. -1: as long as it takes, but not once it is stopped */
/* Before it sleeps it looks so many times whether something has come: to be woken costs more, when work comes every few microseconds. While it does not, that
 * is tried seldom. Between two looks it gives its core to whoever wants it. 0, and so none, unless told; for servers on more than one core. */
void loop_linger(struct loop *l, unsigned looks);
int loop_fd(const struct loop *l);              /* readable when loop_once has something to do ... */
int loop_wait_ms(const struct loop *l);         /* ... as it has after so long at the latest; -1: never */

#define LOOP_READ 1
#define LOOP_WRITE 2
typedef void loop_io_fn(void *ctx, unsigned events); /* errors and hang-ups come as LOOP_READ | LOOP_WRITE */
struct loop_io *loop_io_new(struct loop *l, int fd, unsigned events, loop_io_fn *fn, void *ctx); /* does not own fd */
void loop_io_events(struct loop_io *io, unsigned events);
/* What comes there is handled after all else of a round, and waits while others have something, but not longer than for LOOP_PATIENCE rounds: for answers to
 * what this program asked, each of which leads to the next request, so that under load they take the time that is left. */
#define LOOP_PATIENCE 8
void loop_io_patient(struct loop_io *io);
void loop_io_free(struct loop_io *io); /* accepts NULL */

typedef void loop_timer_fn(void *ctx);
struct loop_timer *loop_timer_new(struct loop *l, loop_timer_fn *fn, void *ctx); /* not armed */
void loop_timer_at(struct loop_timer *t, uint64_t monotonic_ms);                 /* once; CLOCK_NEVER disarms */
void loop_timer_in(struct loop_timer *t, uint64_t delay_ms);
void loop_timer_free(struct loop_timer *t);

/* Runs fn once, after the callbacks of the present round and before the loop sleeps again. The place for group commit. */
void loop_defer(struct loop *l, void (*fn)(void *ctx), void *ctx);
void loop_defer_next(struct loop *l, void (*fn)(void *ctx), void *ctx); /* the same after the next round, which takes what has come and does not sleep */
void loop_defer_cancel(struct loop *l, void (*fn)(void *ctx), void *ctx); /* what was deferred with both of these does not run */

#endif
