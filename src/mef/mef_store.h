/* The devices and gateways of the MEF on disk: SQLite in WAL mode with synchronous=FULL, so that what a function has written when it returns OK (outside
 * begin and commit) is on disk. Every key is sealed under a key of credentials.db (credentials/store_key.h) and bound to its place by the label
 * table:device[:generation]:kind, so that rows and columns can't be swapped. */
#ifndef KEYWAY_MEF_MEF_STORE_H
#define KEYWAY_MEF_MEF_STORE_H

#include "base/err.h"
#include "base/rng.h"
#include "database/origin.h"
#include "mef/mef_types.h"

struct mef_store;

/* Until version 0.1 the keys lay under a key file: seals them anew, when it is such a file, and says so in *done; may be killed and repeated. former may be
 * NULL: ERR_CONFIG when it is needed. ERR_BAD_MIC: it is another. *detail is static. */
enum err mef_store_rekey(const char *path, const struct secret *former, const struct secret *store_key, struct rng *rng, bool *done, const char **detail) MUST_CHECK;
/* Makes the file (mode 0600) when there is none. store_key is borrowed as long as the store lives. ERR_STORE: *detail says what (static). */
/* path ":memory:" keeps nothing. ERR_STATE: an old copy, and the clock is behind its time. */
enum err mef_store_open(const char *path, const struct secret *store_key, struct rng *rng, struct mef_store **out, const char **detail) MUST_CHECK;
void mef_store_close(struct mef_store *st); /* accepts NULL */
const struct database_gap *mef_store_gap(const struct mef_store *st); /* what the frame counters of an old copy were moved on by */
enum err mef_store_alive(struct mef_store *st) MUST_CHECK;            /* every DATABASE_ALIVE_S */
/* The number of the generation behind `last`, of a device's key or a group's. */
uint32_t mef_store_generation_after(const struct mef_store *st, uint32_t last);

/* One transaction; they don't nest. */
enum err mef_store_begin(struct mef_store *st) MUST_CHECK;
enum err mef_store_commit(struct mef_store *st) MUST_CHECK;
void mef_store_rollback(struct mef_store *st);

/* Loading: lists that the caller owns. ERR_BAD_MIC: a sealed key does not open, the key file is another or a row was tampered with. */
enum err mef_store_devices(struct mef_store *st, struct mef_device **list) MUST_CHECK;
enum err mef_store_gateways(struct mef_store *st, struct mef_gateway **list) MUST_CHECK;
/* Reads one device's generations again, after a change that could not be stored. */
enum err mef_store_generations(struct mef_store *st, struct mef_device *d) MUST_CHECK;

enum err mef_store_device_put(struct mef_store *st, const struct mef_device *d) MUST_CHECK;         /* all but its generations */
enum err mef_store_device_delete(struct mef_store *st, uint64_t eui64) MUST_CHECK;                  /* with its keys; its counter stays */
enum err mef_store_generation_put(struct mef_store *st, const struct mef_device *d, const struct mef_generation *g) MUST_CHECK;
enum err mef_store_generation_delete(struct mef_store *st, uint64_t eui64, uint32_t number) MUST_CHECK;
enum err mef_store_applications(struct mef_store *st, struct mef_application **list) MUST_CHECK;
enum err mef_store_application_put(struct mef_store *st, const struct mef_application *a) MUST_CHECK;
enum err mef_store_gateway_put(struct mef_store *st, const struct mef_gateway *g) MUST_CHECK;
/* What a gateway is to forget, until it says that it has. */
enum err mef_store_removals(struct mef_store *st, const char *gateway, enum err (*each)(void *ctx, uint64_t eui64), void *ctx) MUST_CHECK;
enum err mef_store_removal_put(struct mef_store *st, const char *gateway, uint64_t eui64) MUST_CHECK;
enum err mef_store_removal_delete(struct mef_store *st, const char *gateway, uint64_t eui64) MUST_CHECK;
enum err mef_store_permit(struct mef_store *st, const char *gateway, struct mef_permit *p) MUST_CHECK; /* closed when there is none */
enum err mef_store_permit_put(struct mef_store *st, const char *gateway, const struct mef_permit *p) MUST_CHECK;

/* The outgoing counter outlives the device's registration: with the same install code the same keys come back. */
enum err mef_store_counter(struct mef_store *st, uint64_t eui64, uint32_t *reserved) MUST_CHECK; /* for a new device 0, or what an old copy has to skip */
enum err mef_store_reserve(struct mef_store *st, uint64_t eui64, uint32_t limit) MUST_CHECK;     /* never lowers it */

#endif
