/* Announcement: a resource's short double at another CSE, TS-0001 clauses 9.6.26 and 10.2.18.
 *
 * `at` of the original lists where: a CSE-ID while it is wanted, the announced resource's address once it is there. What is to be done is a
 * job, kept with the store's transaction, that compares both sides: a job that fails is tried again, after a restart too, until the other CSE
 * has what this one says. Nothing is sent before the commit. */
#ifndef KEYWAY_CSE_ANNOUNCE_ANNOUNCE_H
#define KEYWAY_CSE_ANNOUNCE_ANNOUNCE_H

#include "cse/private.h"

/* ---- attributes.c: what the double says ---- */
bool announce_says(const struct schema_type *t, const struct json *aa, struct rd name); /* whether an attribute is announced */
/* {"m2m:cntA": {...}} for a CREATE, or an UPDATE that also takes `gone` (names joined by ' ') away. name_there: it is made by that name, or is
 * there by that name and may link to something else. False: it does not fit. */
bool announce_compose(struct cse *c, struct resource *r, const char *name_there, bool create, const char *gone, struct wr *w);
/* Its double has the name of its AE-ID right below the IN-CSE's base, and outlives it: TS-0001 clause 10.2.2.2. Not if it is tracked (trps). */
bool announce_is_s_type(struct resource *ae);
bool announce_root(const struct resource *r, char *root, size_t size); /* of the double */
/* Its entry for a CSE: "" when there is none, "/id-mn", or "/id-mn/cntA_5". */
void announce_entry(struct resource *r, const char *csi, char *entry, size_t size);
bool announce_csi(struct rd entry, char *csi, size_t size); /* "/id-mn" of "/id-mn/cntA_5" */

/* ---- jobs.c ---- */
/* Somebody who waits for the first attempt of some jobs, but not for long. */
struct announce_wait;
struct announce_wait *announce_wait_new(struct cse *c, void (*fn)(void *ctx), void *ctx);
bool announce_wait_begin(struct announce_wait *w); /* false: there is nothing to wait for, and w is freed */

struct announce_original {
	int64_t id, parent;
	bool instance;
};
/* Brings the double of an original at a CSE up to date, or makes it. `gone`: names joined by ' ' that it has and shall not have. */
void announce_sync(struct cse *c, const struct announce_original *o, const char *csi, const char *gone, struct announce_wait *w);
/* Deletes the double that an original has or had. */
void announce_remove(struct cse *c, const struct announce_original *o, const char *address, struct announce_wait *w);

/* A wait that was not begun and is not wanted. */
void announce_wait_drop(struct announce_wait *w);

#endif
