/* Whether the keys of a store are keys still. Two things end one before its time: somebody takes it out of the store (`keyway credentials remove`), and the MEF
 * or MAF that it was fetched from has it no more, because its source de-registered it, or lost the credential under which it was registered. The first is
 * noticed within KEY_WATCH_MS; for the second each fetched key is asked after in turn, every recheck_s.
 *
 * A function that does not answer ends nothing: what it said before is good until its end. */
#ifndef KEYWAY_ENROLEE_KEY_WATCH_H
#define KEYWAY_ENROLEE_KEY_WATCH_H

#include "enrolee/key_fetcher.h"

#define KEY_WATCH_MS 1000
#define KEY_WATCH_RECHECK_S 60
#define KEY_WATCH_RECHECK_S_MAX 86400

struct key_watch;
/* c as for the fetcher of the same keys, whose usages tell which of the store's keys are meant; it may name no functions. recheck_s 0: functions are not asked. changed: the store is not what it was; from the loop; may be NULL.
 * Everything stays the caller's. */
struct key_watch *key_watch_new(const struct key_fetcher_config *c, uint64_t recheck_s, void (*changed)(void *ctx), void *ctx);
void key_watch_free(struct key_watch *w); /* accepts NULL */

#endif
