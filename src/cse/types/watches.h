/* Who watches what: actions, and processes. A resource's change costs one look-up here, and nothing while nobody watches anything. */
#ifndef KEYWAY_CSE_TYPES_WATCHES_H
#define KEYWAY_CSE_TYPES_WATCHES_H

#include "cse/private.h"

#define WATCHED_MOST 64 /* subjects of one watcher */

/* From now on the watcher is told of changes of these alone; 0 of them: of none. Resources by their keys; doubles are taken once. */
void watches_set(struct cse *c, int64_t watcher, const int64_t *subjects, size_t count);

/* How far what happens now is from a request: an action that is carried out causes the events of its own request. */
unsigned watches_depth(const struct cse *c);
void watches_set_depth(struct cse *c, unsigned depth);

/* Told: the subject was changed just now, within the transaction of the change. */
void action_subject_changed(struct cse *c, struct resource *action, struct resource *subject);       /* action.c */
void process_subject_changed(struct cse *c, struct resource *process);                               /* process.c */

#endif
